#include "config.h"
#include "dialect/profile.h"

int
config_key_allows_backend(const struct config_access_key *k, size_t backend)
{
	size_t i;

	if (k == NULL || k->nbackends == 0)
		return 1;
	for (i = 0; i < k->nbackends; i++)
		if (k->backends[i] == backend)
			return 1;
	return 0;
}

int
config_key_allows_model(const struct config_access_key *k, struct str model)
{
	size_t i;

	if (k == NULL || k->nmodels == 0)
		return 1;
	for (i = 0; i < k->nmodels; i++)
		if (util_glob(k->models[i], model))
			return 1;
	return 0;
}

const struct config_access_key *
config_key_find(const struct config *c, struct str presented)
{
	const struct config_access_key *k, *found = NULL;
	unsigned char hash[SHA256_SIZE];
	size_t i;

	if (presented.n == 0)
		return NULL;
	sha256_of(hash, presented);
	/* All of them, so that time does not tell which it was. */
	for (i = 0; i < c->naccess_keys; i++) {
		k = &c->access_keys[i];
		if (util_ct_eq(str_n((const char *)hash, sizeof hash),
		    str_n((const char *)k->hash, sizeof k->hash)))
			found = k;
	}
	util_wipe(hash, sizeof hash);
	return found;
}

const struct config_route *
config_route(const struct config *c, struct str model)
{
	size_t i;

	for (i = 0; i < c->nroutes; i++)
		if (util_glob(c->routes[i].model, model))
			return &c->routes[i];
	return NULL;
}

int
config_route_has(const struct config_route *r, size_t backend)
{
	size_t i;

	if (r == NULL)
		return 1;
	for (i = 0; i < r->nbackends; i++)
		if (r->backends[i] == backend)
			return 1;
	return 0;
}

/* The first pattern that the model fits; NULL: none. */
static const struct config_model *
find_model(const struct config_backend *b, struct str model)
{
	size_t i;

	for (i = 0; i < b->nmodels; i++)
		if (util_glob(b->models[i].pattern, model))
			return &b->models[i];
	return NULL;
}

/* 1 if the backend does not take the request as it is. */
static int
foreign(const struct config_backend *b, enum dialect client,
    enum dialect_op op)
{
	if (b->api == DIALECT_ANY)
		return 0;
	return b->api != client || (op == OP_RESPONSES && !b->responses);
}

int
config_translates(const struct config_backend *b, enum dialect client,
    enum dialect_op op)
{
	if (!foreign(b, client, op))
		return 0;
	if (op == OP_COUNT)
		return client != DIALECT_OPENAI && b->api != DIALECT_OPENAI;
	return op == OP_GENERATE || op == OP_RESPONSES;
}

int
config_fits(const struct config_backend *b, enum dialect client,
    enum dialect_op op, struct str model, const char **why)
{
	static const char *const speaks[] = {
		"speaks the Anthropic API, into which this path cannot be "
		"translated",
		"speaks the OpenAI API, into which this path cannot be "
		"translated",
		"speaks the Gemini API, into which this path cannot be "
		"translated"
	};
	enum dialect vendor = profile_vendor(model);

	if (foreign(b, client, op) && !config_translates(b, client, op)) {
		*why = speaks[b->api];
		return 0;
	}
	if (b->nmodels > 0 && find_model(b, model) == NULL) {
		*why = "the model is not among its models";
		return 0;
	}
	if (b->api != DIALECT_ANY && b->model.p == NULL && b->nmodels == 0 &&
	    vendor != DIALECT_ANY && vendor != b->api) {
		*why = "the model is another vendor's, and it has neither "
		    "model nor models";
		return 0;
	}
	return 1;
}

/* The label that a pattern gives to a model; p NULL: it does not fit. */
static struct str
label_by(struct str pattern, struct str model, int exact)
{
	if (pattern.n == 0 || !util_glob(pattern, model) ||
	    (exact && memchr(pattern.p, '*', pattern.n) != NULL))
		return str_n(NULL, 0);
	return pattern;
}

/* The first label among all names and patterns of the config. */
static struct str
label_find(const struct config *c, struct str model, int exact)
{
	const struct config_backend *b;
	struct str s = { NULL, 0 };
	size_t i, k;

	for (i = 0; i < c->nroutes && s.p == NULL; i++)
		s = label_by(c->routes[i].model, model, exact);
	for (i = 0; i < c->nbackends && s.p == NULL; i++) {
		b = &c->backends[i];
		if (b->model.p != NULL)
			s = label_by(b->model, model, exact);
		for (k = 0; k < b->nmodels && s.p == NULL; k++) {
			s = label_by(b->models[k].pattern, model, exact);
			if (s.p == NULL && b->models[k].to.p != NULL)
				s = label_by(b->models[k].to, model, exact);
		}
	}
	for (i = 0; i < c->naccess_keys; i++)
		for (k = 0; k < c->access_keys[i].nmodels && s.p == NULL; k++)
			s = label_by(c->access_keys[i].models[k], model,
			    exact);
	return s;
}

struct str
config_model_label(const struct config *c, struct str model)
{
	struct str s;

	if (model.n == 0)
		return str_of("none");
	s = label_find(c, model, 1);
	if (s.p == NULL)
		s = label_find(c, model, 0);
	return s.p != NULL ? s : str_of("other");
}

struct str
config_model_for(const struct config_backend *b, struct str model)
{
	const struct config_model *m;

	if (b->model.p != NULL)
		return b->model;
	m = find_model(b, model);
	return m != NULL && m->to.p != NULL ? m->to : model;
}

int
config_candidate(const struct config *c, const struct config_access_key *k,
    const struct config_route *r, size_t backend, enum dialect client,
    enum dialect_op op, struct str model, const char **why)
{
	if (!config_key_allows_backend(k, backend)) {
		*why = "the access key may not use it";
		return 0;
	}
	if (!config_key_allows_model(k, model)) {
		*why = "the access key may not ask for the model";
		return 0;
	}
	if (!config_route_has(r, backend)) {
		*why = "the model's route goes elsewhere";
		return 0;
	}
	return config_fits(&c->backends[backend], client, op, model, why);
}

int
config_priority(const struct config *c, const struct config_backend *b,
    enum fo_strategy strategy)
{
	if (strategy != FO_FAILOVER && b->priority > c->ranks)
		return c->ranks + 1;
	return b->priority;
}
