#include "conf/read.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/pool.h"

#define BACKENDS_MAX	1000
#define ITEMS_MAX	1000	/* of one list or map */
#define PREFIX_MAX	64
#define NAME_SHOWN	24	/* of an unknown key: a secret is longer */

static int read_members(struct conf_read *r, struct json *j,
    const char *prefix, void *base);
static void set_defaults(struct conf_read *r, int of_backend, void *base);

static void
not_yet(struct conf_read *r, const struct json *j,
    const struct config_key *k)
{
	conf_wrong(r, j, k, "only %s can be set; anything else is not in this "
	    "version yet", k->def);
}

/* Room for one more of size bytes in an array of n; NULL: no memory. */
static void *
grow(struct conf_read *r, void *list, size_t n, size_t size)
{
	void *p;

	/* Powers of two: full exactly when n is one of them, or 0. */
	if ((n & (n - 1)) != 0)
		return list;
	p = realloc(list, (n == 0 ? 1 : n * 2) * size);
	if (p == NULL)
		r->nomem = 1;
	return p;
}

/* Puts a value where its key says, as its kind says. */
static void
store(const struct config_key *k, void *base, const struct conf_value *v)
{
	char *at = (char *)base + k->off;
	/* Every range was checked: none is above 2^30. */
	uint64_t n = (uint64_t)v->n;
	uint64_t ms = (uint64_t)(v->n * 1000), bytes = n << 20;
	unsigned char flag = n != 0;
	uint16_t port = (uint16_t)n;
	unsigned whole = (unsigned)n;
	int order = v->null ? -1 : (int)n;

	/* Upwards, so that what is above 0 stays above 0. */
	if ((double)ms < v->n * 1000)
		ms++;
	if (v->null)
		ms = UINT64_MAX;
	switch (k->kind) {
	case CONF_SWITCH:
		memcpy(at, &flag, sizeof flag);
		break;
	case CONF_PORT:
		memcpy(at, &port, sizeof port);
		break;
	case CONF_WHOLE:
		memcpy(at, &whole, sizeof whole);
		break;
	case CONF_ORDER:
		memcpy(at, &order, sizeof order);
		break;
	case CONF_SECONDS:
		memcpy(at, &ms, sizeof ms);
		break;
	case CONF_MEGABYTES:
		memcpy(at, &bytes, sizeof bytes);
		break;
	case CONF_CHOICE:
	case CONF_DIALECT:
		memcpy(at, &v->choice, sizeof v->choice);
		break;
	default:
		memcpy(at, &v->s, sizeof v->s);
	}
}

static int
same(const struct conf_value *a, const struct conf_value *b)
{
	return a->null == b->null && a->n == b->n &&
	    a->choice == b->choice && str_eq(a->s, b->s);
}

static void
read_scalar(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k, void *base)
{
	char path[CONF_PATH_MAX];
	struct conf_value v, def;
	struct json d;

	if (conf_scalar(r, j, t, k, &v) == -1)
		return;
	if (k->later) {
		json_start(&d, str_of(k->def), 0);
		t = json_next(&d);
		if (conf_scalar(r, &d, t, k, &def) == 0 && !same(&v, &def))
			not_yet(r, j, k);
	} else if ((k->flags & CONF_UNUSED) != 0) {
		conf_fault(r->notes, conf_at(j), conf_path(path, r, k),
		    "is accepted and not used, as in cc-proxy; "
		    "retry.attempts bounds the attempts");
	} else {
		store(k, base, &v);
	}
}

/*
 * The next item of a list or map that was opened: 1; at its end 0; -1 if
 * the text breaks.  What is too much is skipped.
 */
static int
next_item(struct conf_read *r, struct json *j, enum json_type *t,
    const struct config_key *k, size_t n, size_t max)
{
	size_t over = 0;

	for (;;) {
		*t = json_next(j);
		if (*t == JSON_CLOSE)
			return 0;
		if (*t == JSON_ERROR || *t == JSON_END)
			return -1;
		if (n < max)
			return 1;
		if (over++ == 0)
			conf_wrong(r, j, k, "has too many items; %lu at most",
			    (unsigned long)max);
		json_skip(j);
	}
}

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
	while ((rc = next_item(r, j, &t, k, 0, 1)) == 1) {
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
	while ((rc = next_item(r, j, &t, k, *n, FO_TEXTS_MAX)) == 1)
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

	while ((rc = next_item(r, j, &t, k, c->nallow_origins,
	    ITEMS_MAX)) == 1) {
		if (!conf_expect(r, j, t, JSON_STRING, k, "a string") ||
		    conf_string(r, j, k, 0, 0, &s) == -1)
			continue;
		if (!conf_origin(s)) {
			conf_wrong(r, j, k, "has an item that is no origin; %s "
			    "without a path would be right", k->range);
			continue;
		}
		list = grow(r, c->allow_origins, c->nallow_origins,
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
has_pattern(const struct config_backend *b, struct str pattern)
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
	while ((rc = next_item(r, j, &t, k, b->nmodels, ITEMS_MAX)) == 1) {
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
		if (m.pattern.n == 0 || has_pattern(b, m.pattern)) {
			conf_wrong(r, j, k, m.pattern.n == 0 ?
			    "has an empty pattern; \"*\" fits everything" :
			    "has a pattern twice; one of them must go");
			continue;
		}
		list = grow(r, b->models, b->nmodels, sizeof *list);
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

	while ((rc = next_item(r, j, &t, k, b->nheaders, 100)) == 1) {
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
		list = grow(r, b->headers, b->nheaders, sizeof *list);
		if (list == NULL)
			return -1;
		b->headers = list;
		list[b->nheaders++] = f;
	}
	return rc;
}

/* One word or a list of them; all must be the default so far. */
static int
read_health(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k)
{
	struct config_key one = *k;
	int rc = 0, n = 0;

	one.kind = CONF_CHOICE;
	if (t != JSON_ARRAY) {
		read_scalar(r, j, t, &one, NULL);
		return 0;
	}
	for (; (rc = next_item(r, j, &t, k, 0, 1)) == 1; n++)
		read_scalar(r, j, t, &one, NULL);
	if (rc == 0 && n == 0)
		conf_wrong(r, j, k, "is empty; %s would be right", k->def);
	return rc;
}

static int
read_nothing(struct conf_read *r, struct json *j, const struct config_key *k)
{
	enum json_type t;
	int rc, n = 0;

	for (; (rc = next_item(r, j, &t, k, 0, 1)) == 1; n++) {
		if (n == 0)
			not_yet(r, j, k);
		json_skip(j);
	}
	return rc;
}

/* One backend, from its '{' to its '}'. */
static int
read_backend(struct conf_read *r, struct json *j)
{
	struct config *c = r->c;
	struct config_backend *b;
	size_t *places, at = conf_at(j), i, n;
	const struct config_key *keys = conf_keys(&n);

	b = grow(r, c->backends, c->nbackends, sizeof *b);
	if (b == NULL)
		return -1;
	c->backends = b;
	places = grow(r, r->places, c->nbackends, sizeof *places);
	if (places == NULL)
		return -1;
	r->places = places;
	b += c->nbackends;
	places[c->nbackends++] = at;
	memset(b, 0, sizeof *b);
	b->weight = 1;
	set_defaults(r, 1, b);
	for (i = 0; i < n; i++)
		if (strstr(keys[i].path, "[]") != NULL)
			r->seen[i] = 0;
	if (read_members(r, j, "backends[].", b) == -1)
		return -1;
	conf_check_backend(r, b, at);
	return 0;
}

static int
read_backends(struct conf_read *r, struct json *j, const struct config_key *k)
{
	char path[CONF_PATH_MAX];
	enum json_type t;
	int rc;

	for (r->index = 0; (rc = next_item(r, j, &t, k, r->index,
	    BACKENDS_MAX)) == 1; r->index++) {
		if (t == JSON_OBJECT) {
			if (read_backend(r, j) == -1)
				return -1;
			continue;
		}
		snprintf(path, sizeof path, "%s[%u]", k->path, r->index);
		conf_fault(r->faults, conf_at(j), path, "is no object; "
		    "{ \"name\": ..., \"base_url\": ..., \"token\": ... } "
		    "would be right");
		json_skip(j);
	}
	return rc;
}

/* 0, or -1 if the text breaks or memory is out. */
static int
read_value(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k, void *base)
{
	char prefix[PREFIX_MAX];

	switch (k->kind) {
	case CONF_SECTION:
		if (!conf_expect(r, j, t, JSON_OBJECT, k, "an object"))
			return 0;
		snprintf(prefix, sizeof prefix, "%s.", k->path);
		return read_members(r, j, prefix, base);
	case CONF_HEADERS:
		if (!conf_expect(r, j, t, JSON_OBJECT, k, "an object"))
			return 0;
		return read_headers(r, j, k, base);
	case CONF_MODELS:
		return read_models(r, j, t, k, base);
	case CONF_HEALTH:
		return read_health(r, j, t, k);
	case CONF_BACKENDS:
	case CONF_STATUSES:
	case CONF_PHRASES:
	case CONF_ORIGINS:
	case CONF_LIST:
		if (!conf_expect(r, j, t, JSON_ARRAY, k, "a list"))
			return 0;
		break;
	default:
		read_scalar(r, j, t, k, base);
		return r->nomem ? -1 : 0;
	}
	return k->kind == CONF_BACKENDS ? read_backends(r, j, k) :
	    k->kind == CONF_STATUSES ? read_statuses(r, j, k) :
	    k->kind == CONF_PHRASES ? read_phrases(r, j, k) :
	    k->kind == CONF_ORIGINS ? read_origins(r, j, k) :
	    read_nothing(r, j, k);
}

/* Gives every key of config, or of a backend, the default of the table. */
static void
set_defaults(struct conf_read *r, int of_backend, void *base)
{
	const struct config_key *keys;
	enum json_type t;
	struct json d;
	size_t i, n;

	keys = conf_keys(&n);
	for (i = 0; i < n; i++) {
		if ((strstr(keys[i].path, "[]") != NULL) != of_backend ||
		    keys[i].later || (keys[i].flags & CONF_UNUSED) != 0 ||
		    keys[i].kind == CONF_SECTION)
			continue;
		json_start(&d, str_of(keys[i].def), 0);
		t = json_next(&d);
		read_value(r, &d, t, &keys[i], base);
	}
}

/* Notes a name that is no key of the object with that prefix. */
static void
unknown(struct conf_read *r, const struct json *j, const char *prefix,
    struct str name)
{
	struct config_key k;
	char path[CONF_PATH_MAX], known[320];
	const struct config_key *keys, *near = conf_key_near(prefix, name);
	size_t i, n, len = 0;

	/* A row for the sake of its path. */
	memset(&k, 0, sizeof k);
	k.path = path;
	len = (size_t)snprintf(path, sizeof path, "%s", prefix);
	for (i = 0; i < name.n && i < NAME_SHOWN; i++)
		path[len++] = name.p[i] > ' ' && name.p[i] < 0x7f ?
		    name.p[i] : '?';
	path[len] = '\0';
	if (near != NULL) {
		conf_wrong(r, j, &k, "unknown key; did you mean \"%s\"?",
		    conf_key_in(near, prefix) ? conf_key_name(near) :
		    near->path);
		return;
	}
	keys = conf_keys(&n);
	for (i = 0, len = 0; i < n && len < sizeof known; i++)
		if (conf_key_in(&keys[i], prefix))
			len += (size_t)snprintf(known + len,
			    sizeof known - len, "%s%s", len == 0 ? "" : ", ",
			    conf_key_name(&keys[i]));
	conf_wrong(r, j, &k, "unknown key; known here are %s", known);
}

static int
read_members(struct conf_read *r, struct json *j, const char *prefix,
    void *base)
{
	const struct config_key *k;
	unsigned line, column;
	enum json_type t;
	size_t *seen;

	while ((t = json_next(j)) != JSON_CLOSE) {
		if (t == JSON_ERROR || t == JSON_END)
			return -1;
		buf_clear(&r->word);
		json_unescape(&r->word, str_n(j->key.p - 1, j->key.n + 2));
		k = conf_key_find(prefix, buf_str(&r->word));
		if (k == NULL) {
			unknown(r, j, prefix, buf_str(&r->word));
			json_skip(j);
			continue;
		}
		seen = &r->seen[k - conf_keys(NULL)];
		if (*seen != 0) {
			json_line(str_n(j->p, j->n), *seen - 1, &line,
			    &column);
			conf_wrong(r, j, k, "is set twice, the first time "
			    "in line %u; one of them must go", line);
			json_skip(j);
			continue;
		}
		*seen = conf_at(j) + 1;
		if (read_value(r, j, t, k, base) == -1)
			return -1;
	}
	return 0;
}

int
conf_read(struct conf_read *r, struct str text)
{
	struct json j;
	enum json_type t;

	set_defaults(r, 0, r->c);
	json_start(&j, text, JSON_COMMENTS);
	t = json_next(&j);
	if (t == JSON_ARRAY) {
		conf_fault(r->faults, conf_at(&j), "", "a list of providers "
		    "(auto-proxy's form) is not in this version yet");
		return -1;
	}
	if (t != JSON_OBJECT && t != JSON_ERROR) {
		conf_fault(r->faults, 0, "", "is no object; "
		    "{ \"backends\": [ ... ] } would be right");
		return -1;
	}
	if (t == JSON_OBJECT && read_members(r, &j, "", r->c) == 0 &&
	    json_next(&j) == JSON_END)
		return 0;
	if (!r->nomem)
		conf_fault(r->faults, j.pos, "", "is not valid JSON here: %s",
		    j.why == NULL ? "it ends too soon" : j.why);
	return -1;
}
