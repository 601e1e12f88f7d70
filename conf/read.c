#include "conf/read.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/access.h"
#include "conf/check.h"
#include "conf/form.h"
#include "conf/list.h"

#define OBJECTS_MAX	1000	/* of one list */
#define PREFIX_MAX	64
#define NAME_SHOWN	24	/* of an unknown key: a secret is longer */

static int read_members(struct conf_read *r, struct json *j,
    const char *prefix, void *base);
static void set_defaults(struct conf_read *r, const char *prefix,
    void *base);

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
	int order = v->null ? -1 : (int)n, choice = v->null ? -1 : v->choice;

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
		memcpy(at, &choice, sizeof choice);
		break;
	default:
		memcpy(at, &v->s, sizeof v->s);
	}
}

static void
read_scalar(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k, void *base)
{
	char path[CONF_PATH_MAX];
	struct conf_value v;

	if (conf_scalar(r, j, t, k, &v) == -1 ||
	    (k->flags & CONF_MOOT) != 0)
		return;
	if ((k->flags & CONF_UNUSED) != 0)
		conf_fault(r->notes, conf_at(j), conf_path(path, r, k),
		    "is accepted and not used, as in cc-proxy; "
		    "retry.attempts bounds the attempts");
	else
		store(k, base, &v);
}

/* What stands between the names of a list and of its items' keys. */
static const char *
items_prefix(const struct config_key *k)
{
	return k->kind == CONF_BACKENDS ? "backends[]." :
	    k->kind == CONF_ROUTES ? "routes[]." : "access_keys[].";
}

/* A new zeroed item at the end of a list of objects; NULL: no memory. */
static void *
new_item(struct conf_read *r, enum conf_kind kind, size_t at)
{
	struct config *c = r->c;
	size_t *n = kind == CONF_BACKENDS ? &c->nbackends :
	    kind == CONF_ROUTES ? &c->nroutes : &c->naccess_keys;
	size_t size = kind == CONF_BACKENDS ? sizeof *c->backends :
	    kind == CONF_ROUTES ? sizeof *c->routes : sizeof *c->access_keys;
	void *list = kind == CONF_BACKENDS ? (void *)c->backends :
	    kind == CONF_ROUTES ? (void *)c->routes : (void *)c->access_keys;
	size_t *places;

	places = conf_grow(r, r->places[kind], *n, sizeof *places);
	if (places == NULL)
		return NULL;
	r->places[kind] = places;
	if ((list = conf_grow(r, list, *n, size)) == NULL)
		return NULL;
	if (kind == CONF_BACKENDS)
		c->backends = list;
	else if (kind == CONF_ROUTES)
		c->routes = list;
	else
		c->access_keys = list;
	places[*n] = at;
	list = (char *)list + (*n)++ * size;
	memset(list, 0, size);
	return list;
}

/* One backend, route or access key, from its '{' to its '}'. */
static int
read_item(struct conf_read *r, struct json *j, const struct config_key *k)
{
	const struct config_key *keys;
	const char *prefix = items_prefix(k);
	size_t at = conf_at(j), i, n;
	void *item = new_item(r, k->kind, at);

	if (item == NULL)
		return -1;
	set_defaults(r, prefix, item);
	if (r->c->form == FORM_ARRAY)
		conf_form_item(item);
	keys = conf_keys(&n);
	for (i = 0; i < n; i++)
		if (str_starts(str_of(keys[i].path), prefix))
			r->seen[i] = 0;
	if (read_members(r, j, prefix, item) == -1)
		return -1;
	if (k->kind == CONF_BACKENDS)
		conf_check_backend(r, item, at);
	else if (k->kind == CONF_ROUTES)
		conf_check_route(r, item, at);
	else
		conf_check_key(r, item, at);
	return 0;
}

static int
read_items(struct conf_read *r, struct json *j, const struct config_key *k)
{
	static const char *const samples[CONF_LISTS] = {
		"{ \"name\": ..., \"base_url\": ..., \"token\": ... }",
		"{ \"model\": ..., \"backends\": [...] }",
		"{ \"name\": ..., \"key\": ... }"
	};
	char path[CONF_PATH_MAX];
	struct config_key item = *k;
	enum json_type t;
	int rc;

	snprintf(path, sizeof path, "%s[]", k->path);
	item.path = path;
	for (r->index = 0; (rc = conf_next(r, j, &t, k, r->index,
	    OBJECTS_MAX)) == 1; r->index++) {
		if (t == JSON_OBJECT) {
			if (read_item(r, j, k) == -1)
				return -1;
			continue;
		}
		conf_wrong(r, j, &item, "is no object; %s would be right",
		    samples[k->kind]);
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
	case CONF_BACKENDS:
	case CONF_ROUTES:
	case CONF_KEYS:
		if (!conf_expect(r, j, t, JSON_ARRAY, k, "a list"))
			return 0;
		return read_items(r, j, k);
	case CONF_DIGEST:
		conf_read_key(r, j, t, k, base);
		return 0;
	case CONF_STATUSES:
	case CONF_PHRASES:
	case CONF_ORIGINS:
	case CONF_MODELS:
	case CONF_HEADERS:
	case CONF_HEALTH:
	case CONF_NAMES:
	case CONF_PATTERNS:
	case CONF_HOSTS:
		return conf_list(r, j, t, k, base);
	default:
		read_scalar(r, j, t, k, base);
		return r->nomem ? -1 : 0;
	}
}

/* Gives every key of config ("") or of an item the table's default. */
static void
set_defaults(struct conf_read *r, const char *prefix, void *base)
{
	const struct config_key *k;
	enum json_type t;
	struct json d;
	size_t i, n;

	k = conf_keys(&n);
	for (i = 0; i < n; i++) {
		if ((k[i].flags & CONF_UNUSED) != 0 ||
		    k[i].kind == CONF_SECTION || k[i].kind == CONF_DIGEST)
			continue;
		if (prefix[0] == '\0' ? strstr(k[i].path, "[]") != NULL :
		    !str_starts(str_of(k[i].path), prefix))
			continue;
		json_start(&d, str_of(k[i].def), 0);
		t = json_next(&d);
		read_value(r, &d, t, &k[i], base);
	}
}

/* Notes a name that is no key of the object with that prefix. */
static void
unknown(struct conf_read *r, const struct json *j, const char *prefix,
    struct str name)
{
	struct config_key k;
	char path[CONF_PATH_MAX], shown[CONF_PATH_MAX], known[320];
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
	if (r->c->form == FORM_ARRAY) {
		/* As auto-proxy does; yet a slip of the finger is told. */
		conf_fault(r->notes, conf_at(j), conf_path(shown, r, &k),
		    "unknown key, ignored");
		return;
	}
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

/* The value at the top, but for what may come after it. */
static int
read_top(struct conf_read *r, struct json *j, enum json_type t)
{
	if (t == JSON_OBJECT)
		return read_members(r, j, "", r->c);
	conf_form_array(r->c);
	return read_items(r, j, conf_key_find("", str_of("backends")));
}

void
conf_defaults(struct conf_read *r)
{
	set_defaults(r, "", r->c);
}

struct config_backend *
conf_backend(struct conf_read *r)
{
	struct config_backend *b = new_item(r, CONF_BACKENDS, 0);

	if (b != NULL)
		set_defaults(r, items_prefix(conf_key_find("",
		    str_of("backends"))), b);
	return b;
}

int
conf_read(struct conf_read *r, struct str text)
{
	struct json j;
	enum json_type t;

	conf_defaults(r);
	json_start(&j, text, JSON_COMMENTS);
	t = json_next(&j);
	if (t != JSON_OBJECT && t != JSON_ARRAY && t != JSON_ERROR) {
		conf_fault(r->faults, 0, "", "is no object; "
		    "{ \"backends\": [ ... ] } would be right");
		return -1;
	}
	if (t != JSON_ERROR && read_top(r, &j, t) == 0 &&
	    json_next(&j) == JSON_END)
		return 0;
	if (!r->nomem)
		conf_fault(r->faults, j.pos, "", "is not valid JSON here: %s",
		    j.why == NULL ? "it ends too soon" : j.why);
	return -1;
}
