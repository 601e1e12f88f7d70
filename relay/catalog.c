#include "relay/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "dialect/models.h"
#include "relay/forward.h"
#include "relay/unpack.h"

#define CATALOG_WAIT_MS	5000	/* for all lists together */
#define CATALOG_KEPT_MS	60000
#define CATALOG_AGAIN_MS 5000	/* after a failure */
#define CATALOG_LIST_MAX (4u << 20)	/* bytes of one backend's list */
#define CATALOG_ARENA	(64u << 20)
#define CATALOG_HEAD	65536

/* One backend that is asked. */
struct call {
	struct catalog *of;
	struct target *target;		/* borrowed */
	struct upstream *up;		/* NULL: it does not run */
	struct buf body;		/* owned */
	struct unpack unpack;		/* owned: of a packed list */
};

struct catalog {
	struct catalog_ask ask;
	struct call *calls;		/* owned; one for each target */
	size_t running;
	struct timer timer;
	struct grave grave;
};

static int
usable(const struct generation *g, const struct config_access_key *key,
    size_t i)
{
	return g->cfg->backends[i].enabled &&
	    config_key_allows_backend(key, i);
}

int
catalog_needed(const struct generation *gen,
    const struct config_access_key *key, enum dialect client)
{
	const struct config_backend *b, *only = NULL;
	size_t i, n = 0;

	for (i = 0; i < gen->cfg->nbackends; i++)
		if (usable(gen, key, i)) {
			b = &gen->cfg->backends[i];
			/* Nobody knows what it speaks: so nothing is read. */
			if (b->api == DIALECT_ANY)
				return 0;
			only = b;
			n++;
		}
	if (n == 0)
		return 0;
	return n > 1 || only->api != client ||
	    (key != NULL && key->nmodels > 0);
}

/* ---- asking ---- */

/* A guest's list is his alone. */
static int
is_guest(const struct target *t)
{
	return t->cfg->auth == AUTH_PASSTHROUGH;
}

/*
 * A call is over: what it brought is the backend's list for a minute.  After
 * a failure the last one holds.
 */
static void
call_over(struct call *k, int good, uint64_t now)
{
	struct target *t = k->target;

	k->up = NULL;
	unpack_free(&k->unpack);
	t->list_at = good ? now : now - CATALOG_KEPT_MS + CATALOG_AGAIN_MS;
	if (good && is_guest(t))
		return;
	if (good) {
		buf_free(&t->list);
		t->list = k->body;
		buf_init(&k->body, CATALOG_LIST_MAX);
	}
	buf_free(&k->body);
}

static void
catalog_fire(void *arg, uint64_t now)
{
	struct catalog *c = arg;
	size_t i;

	for (i = 0; i < c->ask.gen->cfg->nbackends; i++)
		if (c->calls[i].up != NULL) {
			upstream_abort(c->calls[i].up);
			call_over(&c->calls[i], 0, now);
		}
	c->running = 0;
	c->ask.done(c->ask.arg);
}

static void
call_end(struct call *k, int good, uint64_t now)
{
	struct catalog *c = k->of;

	call_over(k, good, now);
	if (--c->running == 0)
		timer_set(c->ask.env->loop, &c->timer, now);
}

/* What comes is no list. */
static void
call_reject(struct call *k, uint64_t now)
{
	upstream_abort(k->up);
	call_end(k, 0, now);
}

static void
call_head(void *arg, const struct http_head *h, uint64_t now)
{
	struct str coding = http_get(h, HTTP_CONTENT_ENCODING);
	struct call *k = arg;
	int bad = h->status != 200;

	if (!bad && unpack_knows(coding))
		bad = unpack_start(&k->unpack, coding, CATALOG_LIST_MAX) == -1;
	else if (coding.n > 0 && !str_caseis(coding, "identity"))
		bad = 1;
	if (bad)
		call_reject(k, now);
}

static void
call_body(void *arg, struct str data, uint64_t now)
{
	struct call *k = arg;

	if ((k->unpack.z != NULL &&
	    unpack_feed(&k->unpack, data, &data) != NULL) ||
	    buf_addstr(&k->body, data) == -1)
		call_reject(k, now);
}

static void
call_done(void *arg, uint64_t now)
{
	struct call *k = arg;

	call_end(k, k->unpack.z == NULL || unpack_end(&k->unpack) == NULL,
	    now);
}

static void
call_fail(void *arg, enum fo_fault fault, const char *why, uint64_t now)
{
	(void)fault;
	(void)why;
	call_end(arg, 0, now);
}

static void
call_pause(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
}

static int
call_wants(void *arg)
{
	(void)arg;
	return 1;
}

static const struct upstream_ops call_ops = {
	call_head, call_body, call_done, call_fail, call_pause, call_wants,
	NULL
};

/* Where an API has its list, as long a page as it gives. */
static struct str
list_path(enum dialect api)
{
	static const char *const paths[] = {
		"/v1/models?limit=1000", "/v1/models",
		"/v1beta/models?pageSize=1000"
	};

	return str_of(paths[api]);
}

/* Asks a backend whose list is not known, or old. */
static void
call_start(struct catalog *c, size_t i, uint64_t now)
{
	const struct catalog_ask *ask = &c->ask;
	struct call *k = &c->calls[i];
	struct target *t = k->target;
	struct upstream_request req;

	if (!usable(ask->gen, ask->key, i) ||
	    failover_is_down(t->health, &ask->gen->cfg->failover, now))
		return;
	if (t->list_at != 0 && now - t->list_at < CATALOG_KEPT_MS &&
	    !is_guest(t))
		return;
	memset(&req, 0, sizeof req);
	buf_init(&req.head, CATALOG_HEAD);
	req.timeout = CATALOG_WAIT_MS;
	if (forward_list(&req.head, ask->h, t->cfg,
	    list_path(t->cfg->api)) == -1)
		buf_wipe(&req.head);
	else
		k->up = upstream_start(t, ask->env, &req, 0, &call_ops, k);
	if (k->up != NULL)
		c->running++;
}

struct catalog *
catalog_start(const struct catalog_ask *ask)
{
	uint64_t now = loop_now(ask->env->loop);
	size_t i, n = ask->gen->cfg->nbackends;
	struct catalog *c;

	if ((c = calloc(1, sizeof *c)) == NULL)
		return NULL;
	c->ask = *ask;
	c->timer.fire = catalog_fire;
	c->timer.arg = c;
	if ((c->calls = calloc(n, sizeof *c->calls)) == NULL) {
		free(c);
		return NULL;
	}
	for (i = 0; i < n; i++) {
		c->calls[i].of = c;
		c->calls[i].target = &ask->gen->targets[i];
		buf_init(&c->calls[i].body, CATALOG_LIST_MAX);
	}
	for (i = 0; i < n; i++)
		call_start(c, i, now);
	if (timer_set(ask->env->loop, &c->timer, c->running == 0 ? now :
	    now + CATALOG_WAIT_MS) == -1) {
		catalog_free(c);
		return NULL;
	}
	return c;
}

/* ---- merging ---- */

/* 1 if a request for that model would have a backend at that place. */
static int
offered(const struct catalog_ask *ask, size_t i, struct str name)
{
	const struct config *cfg = ask->gen->cfg;
	const char *why;

	return config_candidate(cfg, ask->key, config_route(cfg, name), i,
	    ask->client, OP_GENERATE, name, &why);
}

/* The names that the config itself gives to a backend's models. */
static void
named_add(const struct catalog_ask *ask, size_t i, struct models *m)
{
	static const char *const owners[] = { "anthropic", "openai", "google" };
	const struct config_backend *b = &ask->gen->cfg->backends[i];
	struct str name;
	size_t k;

	for (k = 0; k < b->nmodels; k++) {
		name = b->models[k].pattern;
		if (memchr(name.p, '*', name.n) == NULL &&
		    offered(ask, i, name))
			models_add(m, name, owners[b->api]);
	}
}

/* What one backend has, as far as the client may ask for it. */
static void
list_add(const struct catalog *c, size_t i, struct models *all)
{
	const struct catalog_ask *ask = &c->ask;
	const struct target *t = &ask->gen->targets[i];
	struct models own;
	struct model *m, *next, **at;

	own.arena = all->arena;
	own.first = NULL;
	own.n = 0;
	models_read(&own, t->cfg->api, buf_str(is_guest(t) ?
	    &c->calls[i].body : &t->list));
	for (m = own.first; m != NULL; m = next) {
		next = m->next;
		for (at = &all->first; *at != NULL; at = &(*at)->next)
			if (str_eq((*at)->name, m->name))
				break;
		if (*at != NULL || !offered(ask, i, m->name))
			continue;
		m->next = NULL;
		*at = m;
		all->n++;
	}
	named_add(ask, i, all);
}

int
catalog_write(const struct catalog *c, struct str name, struct buf *out)
{
	struct arena a;
	struct models all;
	size_t i;
	int rc;

	arena_init(&a, CATALOG_ARENA);
	all.arena = &a;
	all.first = NULL;
	all.n = 0;
	for (i = 0; i < c->ask.gen->cfg->nbackends; i++)
		if (usable(c->ask.gen, c->ask.key, i))
			list_add(c, i, &all);
	if (name.n == 0)
		rc = models_write(out, &all, c->ask.client);
	else
		rc = models_write_one(out, &all, c->ask.client, name) == -1 &&
		    !out->bad;
	if (a.bad || out->bad)
		rc = -1;
	arena_free(&a);
	return rc;
}

static void
catalog_bury(void *arg)
{
	struct catalog *c = arg;

	free(c->calls);
	free(c);
}

void
catalog_free(struct catalog *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < c->ask.gen->cfg->nbackends; i++) {
		if (c->calls[i].up != NULL)
			upstream_abort(c->calls[i].up);
		unpack_free(&c->calls[i].unpack);
		buf_free(&c->calls[i].body);
	}
	timer_clear(c->ask.env->loop, &c->timer);
	loop_bury(c->ask.env->loop, &c->grave, catalog_bury, c);
}
