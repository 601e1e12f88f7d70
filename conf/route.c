#include "config.h"

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

/* The API that a model's name belongs to; DIALECT_ANY: none that we know. */
static enum dialect
vendor_of(struct str model)
{
	if (str_casestarts(model, "claude"))
		return DIALECT_ANTHROPIC;
	if (str_casestarts(model, "gpt-") || str_casestarts(model, "chatgpt-"))
		return DIALECT_OPENAI;
	if (model.n > 1 && (model.p[0] == 'o' || model.p[0] == 'O') &&
	    model.p[1] >= '0' && model.p[1] <= '9')
		return DIALECT_OPENAI;
	if (str_casestarts(model, "gemini"))
		return DIALECT_GEMINI;
	return DIALECT_ANY;
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

int
config_fits(const struct config_backend *b, enum dialect client,
    struct str model, const char **why)
{
	static const char *const speaks[] = {
		"speaks the Anthropic API; translation is not in this "
		"version yet",
		"speaks the OpenAI API; translation is not in this version "
		"yet",
		"speaks the Gemini API; translation is not in this version "
		"yet"
	};
	enum dialect vendor = vendor_of(model);

	if (b->api != DIALECT_ANY && b->api != client) {
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
    struct str model, const char **why)
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
	return config_fits(&c->backends[backend], client, model, why);
}

int
config_priority(const struct config *c, const struct config_backend *b,
    enum fo_strategy strategy)
{
	if (strategy != FO_FAILOVER && b->priority > c->ranks)
		return c->ranks + 1;
	return b->priority;
}
