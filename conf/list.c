#include "conf/list.h"

#include <stddef.h>

#include "conf/check.h"
#include "conf/pool.h"

#define ITEMS_MAX	1000	/* of one list or map */
#define HEADERS_MAX	100

/* The name of the member that was just read, in the config's pool. */
static int
member_name(struct conf_read *r, const struct json *j, struct str *name)
{
	buf_clear(&r->word);
	json_unescape(&r->word, str_n(j->key.p - 1, j->key.n + 2));
	*name = conf_pool_add(r->c->pool, buf_str(&r->word));
	if (r->word.bad || name->p == NULL) {
		r->nomem = 1;
		return -1;
	}
	return 0;
}

static int
read_statuses(struct conf_read *r, struct json *j, const struct config_key *k)
{
	char shown[CONF_SHOWN_MAX];
	struct str word;
	enum json_type t;
	int rc, low, high;

	memset(r->c->failover.on, 0, sizeof r->c->failover.on);
	while ((rc = conf_next(r, j, &t, k, 0, 1)) == 1) {
		word = j->raw;
		if (t != JSON_NUMBER && (!conf_expect(r, j, t, JSON_STRING, k,
		    "a status, such as 429 or \"5xx\",") ||
		    conf_string(r, j, k, 0, 1, &word) == -1))
			continue;
		if (!conf_statuses(word, &low, &high)) {
			conf_wrong(r, j, k, "%s is no status that can move "
			    "on; %s would be right", conf_shown(shown, word),
			    k->range);
			continue;
		}
		for (; low <= high; low++)
			fo_on_set(&r->c->failover, low, 1);
	}
	return rc;
}

static int
read_phrases(struct conf_read *r, struct json *j, const struct config_key *k)
{
	struct fo_policy *p = &r->c->failover;
	int stop = k->off == offsetof(struct config, failover.stop_text);
	struct str *list = stop ? p->stop_text : p->retry_text;
	unsigned *n = stop ? &p->nstop_text : &p->nretry_text;
	enum json_type t;
	int rc;

	*n = 0;
	while ((rc = conf_next(r, j, &t, k, *n, FO_TEXTS_MAX)) == 1)
		if (conf_expect(r, j, t, JSON_STRING, k, "a string") &&
		    conf_string(r, j, k, 0, 0, &list[*n]) == 0)
			(*n)++;
	return rc;
}

static int
read_origins(struct conf_read *r, struct json *j, const struct config_key *k)
{
	struct config *c = r->c;
	struct str s, *list;
	enum json_type t;
	int rc;

	while ((rc = conf_next(r, j, &t, k, c->nallow_origins,
	    ITEMS_MAX)) == 1) {
		if (!conf_expect(r, j, t, JSON_STRING, k, "a string") ||
		    conf_string(r, j, k, 0, 0, &s) == -1)
			continue;
		if (!conf_origin(s)) {
			conf_wrong(r, j, k, "has an item that is no origin; %s "
			    "without a path would be right", k->range);
			continue;
		}
		list = conf_grow(r, c->allow_origins, c->nallow_origins,
		    sizeof *list);
		if (list == NULL)
			return -1;
		c->allow_origins = list;
		list[c->nallow_origins++] = s;
	}
	return rc;
}

/* 1 if the backend has that pattern already. */
static int
has_model(const struct config_backend *b, struct str pattern)
{
	size_t i;

	for (i = 0; i < b->nmodels; i++)
		if (str_caseeq(b->models[i].pattern, pattern))
			return 1;
	return 0;
}

static int
read_models(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k, struct config_backend *b)
{
	int rc, map = t == JSON_OBJECT;
	struct config_model m, *list;
	struct str s;

	if (!map && !conf_expect(r, j, t, JSON_ARRAY, k, "a list of patterns "
	    "or an object { pattern: name }"))
		return 0;
	while ((rc = conf_next(r, j, &t, k, b->nmodels, ITEMS_MAX)) == 1) {
		m.pattern = m.to = str_n(NULL, 0);
		if (map && member_name(r, j, &m.pattern) == -1)
			return -1;
		if (!conf_expect(r, j, t, JSON_STRING, k, "a string") ||
		    conf_string(r, j, k, 0, 0, &s) == -1)
			continue;
		if (map)
			m.to = s;
		else
			m.pattern = s;
		if (m.pattern.n == 0 || has_model(b, m.pattern)) {
			conf_wrong(r, j, k, m.pattern.n == 0 ?
			    "has an empty pattern; \"*\" fits everything" :
			    "has a pattern twice; one of them must go");
			continue;
		}
		list = conf_grow(r, b->models, b->nmodels, sizeof *list);
		if (list == NULL)
			return -1;
		b->models = list;
		list[b->nmodels++] = m;
	}
	return rc;
}

static int
read_headers(struct conf_read *r, struct json *j, const struct config_key *k,
    struct config_backend *b)
{
	char shown[CONF_SHOWN_MAX];
	struct config_field f, *list;
	enum json_type t;
	const char *why;
	int rc;

	while ((rc = conf_next(r, j, &t, k, b->nheaders,
	    HEADERS_MAX)) == 1) {
		if (member_name(r, j, &f.name) == -1)
			return -1;
		if (!conf_expect(r, j, t, JSON_STRING, k, "a string") ||
		    conf_string(r, j, k, conf_secret_field(f.name), 1,
		    &f.value) == -1)
			continue;
		why = conf_field(b, f.name);
		if (why != NULL) {
			conf_wrong(r, j, k, "%s %s", conf_shown(shown, f.name),
			    why);
			continue;
		}
		f.value = str_trim(f.value);
		list = conf_grow(r, b->headers, b->nheaders, sizeof *list);
		if (list == NULL)
			return -1;
		b->headers = list;
		list[b->nheaders++] = f;
	}
	return rc;
}

/* One word or a list of them. */
static int
read_health(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k)
{
	unsigned *mask = &r->c->failover.health;
	struct config_key one = *k;
	struct conf_value v;
	int rc = 0, n = 0;

	one.kind = CONF_CHOICE;
	*mask = 0;
	if (t != JSON_ARRAY) {
		if (conf_scalar(r, j, t, &one, &v) == 0)
			*mask = 1u << v.choice;
		return 0;
	}
	for (; (rc = conf_next(r, j, &t, k, 0, 1)) == 1; n++)
		if (conf_scalar(r, j, t, &one, &v) == 0)
			*mask |= 1u << v.choice;
	if (rc == 0 && n == 0)
		conf_wrong(r, j, k, "is empty; %s would be right", k->def);
	return rc;
}

/*
 * An empty list at that place: is nothing allowed, or all?  It must not be
 * guessed.
 */
static void
empty(struct conf_read *r, const struct config_key *k, size_t at,
    const char *right)
{
	char path[CONF_PATH_MAX];

	conf_fault(r->faults, at, conf_path(path, r, k),
	    "is empty; %s would be right", right);
}

/* Names of backends, which may stand further down in the text. */
static int
read_names(struct conf_read *r, struct json *j, const struct config_key *k)
{
	size_t at = conf_at(j);
	int rc, any = 0;
	struct conf_name name, *list;
	enum json_type t;

	if (str_starts(str_of(k->path), "routes[].")) {
		name.of = CONF_ROUTES;
		name.owner = r->c->nroutes - 1;
	} else {
		name.of = CONF_KEYS;
		name.owner = r->c->naccess_keys - 1;
	}
	name.index = r->index;
	for (; (rc = conf_next(r, j, &t, k, 0, 1)) == 1; any = 1) {
		if (!conf_expect(r, j, t, JSON_STRING, k, "a string") ||
		    conf_string(r, j, k, 0, 0, &name.name) == -1)
			continue;
		name.at = conf_at(j);
		list = conf_grow(r, r->names, r->nnames, sizeof *list);
		if (list == NULL)
			return -1;
		r->names = list;
		list[r->nnames++] = name;
	}
	if (rc == 0 && !any)
		empty(r, k, at, "the names of some backends");
	return rc;
}

static int
has_pattern(const struct config_access_key *g, struct str pattern)
{
	size_t i;

	for (i = 0; i < g->nmodels; i++)
		if (str_caseeq(g->models[i], pattern))
			return 1;
	return 0;
}

static int
read_patterns(struct conf_read *r, struct json *j, const struct config_key *k,
    struct config_access_key *g)
{
	size_t at = conf_at(j);
	enum json_type t;
	struct str s, *list;
	int rc, any = 0;

	for (; (rc = conf_next(r, j, &t, k, g->nmodels, ITEMS_MAX)) == 1;
	    any = 1) {
		if (!conf_expect(r, j, t, JSON_STRING, k, "a string") ||
		    conf_string(r, j, k, 0, 0, &s) == -1)
			continue;
		if (has_pattern(g, s)) {
			conf_wrong(r, j, k, "has a pattern twice; one of them "
			    "must go");
			continue;
		}
		list = conf_grow(r, g->models, g->nmodels, sizeof *list);
		if (list == NULL)
			return -1;
		g->models = list;
		list[g->nmodels++] = s;
	}
	if (rc == 0 && !any)
		empty(r, k, at, "null for all models, or some patterns");
	return rc;
}

static int
read_hosts(struct conf_read *r, struct json *j, const struct config_key *k)
{
	struct config *c = r->c;
	char shown[CONF_SHOWN_MAX];
	struct str s, *list;
	enum json_type t;
	int rc;

	while ((rc = conf_next(r, j, &t, k, c->web_admin.nhosts,
	    ITEMS_MAX)) == 1) {
		if (!conf_expect(r, j, t, JSON_STRING, k, "a string") ||
		    conf_string(r, j, k, 0, 0, &s) == -1)
			continue;
		s = conf_unbracket(s);
		if (!conf_host(s)) {
			conf_wrong(r, j, k, "%s is no host; its name or "
			    "address alone would be right",
			    conf_shown(shown, s));
			continue;
		}
		list = conf_grow(r, c->web_admin.hosts, c->web_admin.nhosts,
		    sizeof *list);
		if (list == NULL)
			return -1;
		c->web_admin.hosts = list;
		list[c->web_admin.nhosts++] = s;
	}
	return rc;
}

int
conf_list(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k, void *base)
{
	int map = k->kind == CONF_HEADERS;

	if (k->kind == CONF_MODELS)
		return read_models(r, j, t, k, base);
	if (k->kind == CONF_HEALTH)
		return read_health(r, j, t, k);
	if (t == JSON_NULL && str_is(str_of(k->def), "null"))
		return 0;
	if (!conf_expect(r, j, t, map ? JSON_OBJECT : JSON_ARRAY, k,
	    map ? "an object" : "a list"))
		return 0;
	switch (k->kind) {
	case CONF_HEADERS:
		return read_headers(r, j, k, base);
	case CONF_STATUSES:
		return read_statuses(r, j, k);
	case CONF_PHRASES:
		return read_phrases(r, j, k);
	case CONF_ORIGINS:
		return read_origins(r, j, k);
	case CONF_NAMES:
		return read_names(r, j, k);
	case CONF_PATTERNS:
		return read_patterns(r, j, k, base);
	default:
		return read_hosts(r, j, k);
	}
}
