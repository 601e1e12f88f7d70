#include "admin/explain.h"

#include <stdlib.h>

static const struct {
	enum dialect api;
	const char *name;
} clients[] = {
	{ DIALECT_ANTHROPIC, "Anthropic" }, { DIALECT_OPENAI, "OpenAI" },
	{ DIALECT_GEMINI, "Gemini" }
};

/* How the backends of one priority share requests. */
static const char *const orders[] = {
	"in this order", "in turn", "at random by weight",
	"the least busy first", "by conversation"
};

struct place {
	size_t backend;
	int priority;
};

static int
by_priority(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->backend < y->backend ? -1 : x->backend > y->backend;
}

static const struct config_access_key *
key_by_name(const struct config *c, struct str name)
{
	size_t i;

	for (i = 0; i < c->naccess_keys; i++)
		if (str_eq(c->access_keys[i].name, name))
			return &c->access_keys[i];
	return NULL;
}

static void
quote(struct buf *out, struct str s)
{
	buf_addc(out, '"');
	buf_addstr(out, s);
	buf_addc(out, '"');
}

static void
line_good(struct buf *out, const struct config_backend *b, size_t number,
    int priority, enum dialect api, struct str model)
{
	struct str as = config_model_for(b, model);

	buf_fmt(out, "  %u. ", (unsigned)number);
	quote(out, b->name);
	buf_fmt(out, "  priority %d", priority);
	if (as.n > 0 && !str_eq(as, model)) {
		buf_adds(out, ", asked for ");
		quote(out, as);
	}
	if (config_translates(b, api, OP_GENERATE))
		buf_fmt(out, ", translated to the %s API",
		    dialect_name(b->api));
	buf_addc(out, '\n');
}

static void
line_bad(struct buf *out, const struct config_backend *b, const char *why)
{
	buf_adds(out, "  -  ");
	quote(out, b->name);
	buf_fmt(out, "  %s\n", why);
}

/* One API's clients.  Returns the number of candidates. */
static size_t
explain_api(const struct config *c, const struct config_access_key *k,
    const struct config_route *r, enum dialect api, struct str model,
    struct place *places, struct buf *out)
{
	enum fo_strategy s = r != NULL ? r->strategy : c->strategy;
	const struct config_backend *b;
	const char *why;
	size_t i, n = 0;

	for (i = 0; i < c->nbackends; i++) {
		b = &c->backends[i];
		why = "disabled";
		if (b->enabled && config_candidate(c, k, r, i, api,
		    OP_GENERATE, model, &why)) {
			places[n].backend = i;
			places[n++].priority = config_priority(c, b, s);
		}
	}
	qsort(places, n, sizeof *places, by_priority);
	for (i = 0; i < n; i++)
		line_good(out, &c->backends[places[i].backend], i + 1,
		    places[i].priority, api, model);
	for (i = 0; i < c->nbackends; i++) {
		b = &c->backends[i];
		why = "disabled";
		if (!b->enabled || !config_candidate(c, k, r, i, api,
		    OP_GENERATE, model, &why))
			line_bad(out, b, why);
	}
	return n;
}

int
explain(const struct config *c, struct str model, struct str key,
    struct buf *out)
{
	const struct config_access_key *k = NULL;
	const struct config_route *r = config_route(c, model);
	enum fo_strategy s = r != NULL ? r->strategy : c->strategy;
	struct place *places;
	size_t i, n, all = 0;

	if (key.p != NULL && (k = key_by_name(c, key)) == NULL) {
		buf_adds(out, "there is no access key called ");
		quote(out, key);
		buf_addc(out, '\n');
		return -1;
	}
	if (key.p == NULL && c->naccess_keys > 0) {
		buf_adds(out, "clients must show an access key: add --key "
		    "NAME\n");
		return -1;
	}
	places = malloc((c->nbackends + 1) * sizeof *places);
	if (places == NULL)
		return -1;
	for (i = 0; i < sizeof clients / sizeof *clients; i++) {
		buf_fmt(out, "%s clients, model ", clients[i].name);
		quote(out, model);
		if (r != NULL) {
			buf_adds(out, ", route ");
			quote(out, r->model);
		}
		buf_fmt(out, ": one priority after the other, inside one "
		    "%s\n", orders[s]);
		n = explain_api(c, k, r, clients[i].api, model, places, out);
		if (n == 0)
			buf_adds(out, "  nobody: the request is refused\n");
		all += n;
	}
	free(places);
	return (int)all;
}
