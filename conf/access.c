#include "conf/access.h"

#include <stdio.h>
#include <string.h>

#include "conf/check.h"

#define KEY_MIN		8	/* characters */
#define DIGEST		"sha256:"
#define PATTERN_MAX	128	/* bytes; of longer ones nothing is said */

const char *
conf_key_wrong(struct str key)
{
	if (key.n < KEY_MIN)
		return "is shorter than 8 characters";
	if (!conf_ascii(key, ' '))
		return "has a blank or a character that is not ASCII in it";
	return NULL;
}

/* What is wrong with a key as a config may have it; NULL: it is in hash. */
static const char *
digest(unsigned char hash[SHA256_SIZE], struct str s)
{
	unsigned char none[SHA256_SIZE];
	uint64_t byte;
	size_t i;

	if (!str_starts(s, DIGEST)) {
		sha256_of(hash, s);
		return conf_key_wrong(s);
	}
	s = str_n(s.p + strlen(DIGEST), s.n - strlen(DIGEST));
	if (s.n != 2 * SHA256_SIZE)
		return "has not 64 digits after sha256:";
	for (i = 0; i < SHA256_SIZE; i++) {
		if (util_hex64(str_n(s.p + 2 * i, 2), 255, &byte) == -1)
			return "has not 64 hex digits after sha256:";
		hash[i] = (unsigned char)byte;
	}
	sha256_of(none, str_n("", 0));
	return memcmp(hash, none, sizeof none) == 0 ?
	    "is the digest of an empty key" : NULL;
}

void
conf_read_key(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k, struct config_access_key *g)
{
	const char *why;

	if (conf_expect(r, j, t, JSON_STRING, k, "a string") &&
	    conf_text(r, j, k, 1, 0) == 0) {
		why = digest(g->hash, buf_str(&r->word));
		if (why != NULL)
			conf_wrong(r, j, k, "%s; %s would be right", why,
			    k->range);
	}
	buf_wipe(&r->word);
	buf_wipe(&r->work);
}

void
conf_check_key(struct conf_read *r, const struct config_access_key *g,
    size_t at)
{
	const struct config_access_key *other = r->c->access_keys;

	conf_check_name(r, CONF_KEYS, at);
	if (!conf_seen(r, "access_keys[].key")) {
		conf_blame(r, "access_keys[].key", at, "is missing; "
		    "\"${NAME_OF_A_VARIABLE}\" would be right, or what "
		    "--hash-key prints");
		return;
	}
	if (conf_told(r, "access_keys[].key"))
		return;
	while (other < g && memcmp(other->hash, g->hash, SHA256_SIZE) != 0)
		other++;
	if (other < g)
		conf_blame(r, "access_keys[].key", at, "is the key of another "
		    "one too; each needs its own");
}

void
conf_check_route(struct conf_read *r, const struct config_route *w, size_t at)
{
	const struct conf_name *last;

	r->places[CONF_ROUTES][r->c->nroutes - 1] =
	    conf_seen_at(r, "routes[].model", at);
	if (w->model.p == NULL && !conf_told(r, "routes[].model"))
		conf_blame(r, "routes[].model", at, "is missing; \"claude-*\" "
		    "would be one");
	if (r->nnames > 0) {
		last = &r->names[r->nnames - 1];
		if (last->of == CONF_ROUTES &&
		    last->owner == r->c->nroutes - 1)
			return;
	}
	if (!conf_told(r, "routes[].backends"))
		conf_blame(r, "routes[].backends", at, "is missing; the names "
		    "of those that serve these models would be right");
}

/* A fault about one name in a list, which may be of any item. */
static void
name_wrong(struct conf_read *r, const struct conf_name *n, const char *what,
    const char *more)
{
	char path[CONF_PATH_MAX], shown[CONF_SHOWN_MAX];

	snprintf(path, sizeof path, "%s[%u].backends",
	    n->of == CONF_ROUTES ? "routes" : "access_keys", n->index);
	conf_fault(r->faults, n->at, path, "%s %s%s",
	    conf_shown(shown, n->name), what, more);
}

/* The backend that a name most likely means; NULL: no idea. */
static const struct config_backend *
near_backend(const struct config *c, struct str name)
{
	const struct config_backend *best = NULL;
	unsigned d, least = 3;
	size_t i;

	for (i = 0; i < c->nbackends; i++) {
		d = util_distance(name, c->backends[i].name);
		if (d < least && d < name.n) {
			least = d;
			best = &c->backends[i];
		}
	}
	return best;
}

static void
name_unknown(struct conf_read *r, const struct conf_name *n)
{
	const struct config_backend *b = near_backend(r->c, n->name);
	char shown[CONF_SHOWN_MAX], more[CONF_SHOWN_MAX + 32];

	if (b == NULL)
		snprintf(more, sizeof more, "the name of one would be right");
	else
		snprintf(more, sizeof more, "did you mean %s?",
		    conf_shown(shown, b->name));
	name_wrong(r, n, "is the name of no backend; ", more);
}

/* Puts the place of a named backend in its owner's list. */
static void
name_resolve(struct conf_read *r, const struct conf_name *n)
{
	struct config *c = r->c;
	int route = n->of == CONF_ROUTES;
	size_t **list = route ? &c->routes[n->owner].backends :
	    &c->access_keys[n->owner].backends;
	size_t *count = route ? &c->routes[n->owner].nbackends :
	    &c->access_keys[n->owner].nbackends;
	size_t i, k, *more;

	for (i = 0; i < c->nbackends; i++)
		if (str_eq(c->backends[i].name, n->name))
			break;
	if (i == c->nbackends) {
		name_unknown(r, n);
		return;
	}
	for (k = 0; k < *count; k++)
		if ((*list)[k] == i) {
			name_wrong(r, n, "is named twice; one of them must "
			    "go", "");
			return;
		}
	more = conf_grow(r, *list, *count, sizeof *more);
	if (more == NULL)
		return;
	*list = more;
	more[(*count)++] = i;
}

/* 1 if there is a name that fits both patterns. */
static int
patterns_meet(struct str a, struct str b)
{
	/* row[i % 2][j]: the ends of a from i and of b from j meet. */
	unsigned char row[2][PATTERN_MAX + 1] = { { 0 } }, *cur, *down;
	size_t i, j;

	if (a.n > PATTERN_MAX || b.n > PATTERN_MAX)
		return 1;
	for (i = a.n + 1; i-- > 0;) {
		cur = row[i % 2];
		down = row[(i + 1) % 2];
		for (j = b.n + 1; j-- > 0;) {
			if (i == a.n && j == b.n)
				cur[j] = 1;
			else if (i < a.n && a.p[i] == '*')
				cur[j] = down[j] || (j < b.n && cur[j + 1]);
			else if (j < b.n && b.p[j] == '*')
				cur[j] = cur[j + 1] || (i < a.n && down[j]);
			else
				cur[j] = i < a.n && j < b.n && down[j + 1] &&
				    str_caseeq(str_n(a.p + i, 1),
				    str_n(b.p + j, 1));
		}
	}
	return row[0][0];
}

/* 1 if the backend could serve some model that fits the pattern. */
static int
could_serve(const struct config_backend *b, struct str pattern)
{
	const char *why;
	size_t i;

	for (i = 0; i < b->nmodels; i++)
		if (patterns_meet(b->models[i].pattern, pattern))
			return 1;
	/* What a pattern begins with is what all its models begin with. */
	return b->nmodels == 0 && config_fits(b, b->api,
	    OP_GENERATE, pattern, &why);
}

static void
route_remark(const struct conf_read *r, size_t route, const char *key,
    struct str name, const char *what)
{
	char path[CONF_PATH_MAX], shown[CONF_SHOWN_MAX];

	snprintf(path, sizeof path, "routes[%lu].%s", (unsigned long)route,
	    key);
	conf_fault(r->notes, r->places[CONF_ROUTES][route], path, "%s %s",
	    conf_shown(shown, name), what);
}

/* What a route leads to, and whether anything leads to it. */
static void
check_way(struct conf_read *r, size_t route)
{
	const struct config *c = r->c;
	const struct config_route *w = &c->routes[route];
	const struct config_backend *b;
	char path[CONF_PATH_MAX];
	unsigned line, column;
	size_t i, enabled = 0;

	for (i = 0; i < route; i++)
		/* A '*' of ours can only be covered by one of theirs. */
		if (util_glob(c->routes[i].model, w->model))
			break;
	if (i < route) {
		json_line(r->faults->source, r->places[CONF_ROUTES][i], &line,
		    &column);
		snprintf(path, sizeof path, "routes[%lu].model",
		    (unsigned long)route);
		conf_fault(r->faults, r->places[CONF_ROUTES][route], path,
		    "can never be reached: the route in line %u takes all "
		    "these models before; another order would be right", line);
	}
	for (i = 0; i < w->nbackends; i++) {
		b = &c->backends[w->backends[i]];
		enabled += b->enabled;
		if (!could_serve(b, w->model))
			route_remark(r, route, "backends", b->name,
			    "never serves such models");
	}
	if (enabled == 0 && w->nbackends > 0)
		route_remark(r, route, "model", w->model,
		    "leads nowhere: all its backends are disabled");
}

/* Backends that no route leads to, if routes take all models. */
static void
check_left_out(struct conf_read *r)
{
	const struct config *c = r->c;
	char path[CONF_PATH_MAX];
	struct config_key k;
	size_t i, n;

	if (config_route(c, str_of("*")) == NULL)
		return;
	memset(&k, 0, sizeof k);
	k.path = "backends[].name";
	for (i = 0; i < c->nbackends; i++) {
		for (n = 0; n < c->nroutes; n++)
			if (config_route_has(&c->routes[n], i))
				break;
		if (n < c->nroutes || !c->backends[i].enabled)
			continue;
		r->index = (unsigned)i;
		conf_fault(r->notes, r->places[CONF_BACKENDS][i],
		    conf_path(path, r, &k), "no route leads to it, and the "
		    "routes take all models");
	}
}

/* What a client's key opens, and what it must not reach. */
static void
check_guests(struct conf_read *r)
{
	const struct config *c = r->c;
	const struct config_access_key *g;
	char path[CONF_PATH_MAX];
	size_t i, n;

	for (i = 0; i < c->naccess_keys; i++) {
		g = &c->access_keys[i];
		for (n = 0; n < g->nbackends; n++)
			if (c->backends[g->backends[n]].enabled)
				break;
		if (n < g->nbackends || n == 0)
			continue;
		snprintf(path, sizeof path, "access_keys[%lu].backends",
		    (unsigned long)i);
		conf_fault(r->notes, r->places[CONF_KEYS][i], path,
		    "all of them are disabled: nobody serves this key");
	}
	for (i = 0; i < c->nbackends && c->naccess_keys > 0; i++) {
		if (c->backends[i].auth != AUTH_PASSTHROUGH)
			continue;
		snprintf(path, sizeof path, "backends[%lu].auth",
		    (unsigned long)i);
		conf_fault(r->faults, r->places[CONF_BACKENDS][i], path,
		    "passthrough would send it the access keys of clients; a "
		    "token of its own, or no access_keys, would be right");
	}
}

void
conf_check_access(struct conf_read *r)
{
	struct config *c = r->c;
	unsigned before = r->faults->n;
	size_t i;

	for (i = 0; i < r->nnames; i++)
		name_resolve(r, &r->names[i]);
	for (i = 0; i < c->nroutes; i++)
		if ((int)c->routes[i].strategy == -1)
			c->routes[i].strategy = c->strategy;
	check_guests(r);
	/* After other faults these would be guesses. */
	if (before > 0 || r->faults->n > before)
		return;
	for (i = 0; i < c->nroutes; i++)
		check_way(r, i);
	check_left_out(r);
}
