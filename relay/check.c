#include "relay/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "relay/account.h"
#include "relay/forward.h"

#define CHECK_HEAD_MAX 65536

/* The checks of one backend. */
struct check {
	struct checks *all;
	struct target *target;		/* borrowed */
	struct upstream *up;		/* the call that runs, or NULL */
	struct timer timer;
};

struct checks {
	struct generation *gen;		/* borrowed */
	struct upstream_env *env;	/* borrowed */
	struct check *list;		/* owned; one for each target */
	struct grave grave;
};

static void
check_again(struct check *k)
{
	struct loop *lp = k->all->env->loop;

	timer_set(lp, &k->timer, loop_now(lp) +
	    k->all->gen->cfg->health_check.interval);
}

static void
check_over(struct check *k, int ok, uint64_t now)
{
	const struct fo_policy *p = &k->all->gen->cfg->failover;
	struct fo_backend *b = k->target->health;
	struct fo_change c;

	k->up = NULL;
	if (failover_is_down(b, p, now)) {
		failover_checked(b, ok, p, now, &c);
		account_change(&c, "health check");
		log_debug("backend \"%s\": health check %s", b->name,
		    ok ? "good" : "failed");
	}
	check_again(k);
}

static void
check_head(void *arg, const struct http_head *h, uint64_t now)
{
	struct check *k = arg;

	upstream_abort(k->up);
	check_over(k, h->status < 500, now);
}

static void
check_body(void *arg, struct str data, uint64_t now)
{
	(void)arg;
	(void)data;
	(void)now;
}

static void
check_done(void *arg, uint64_t now)
{
	check_over(arg, 1, now);
}

static void
check_fail(void *arg, enum fo_fault fault, const char *why, uint64_t now)
{
	(void)fault;
	(void)why;
	check_over(arg, 0, now);
}

static void
check_pause(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
}

static int
check_wants(void *arg)
{
	(void)arg;
	return 1;
}

static const struct upstream_ops check_ops = {
	check_head, check_body, check_done, check_fail, check_pause,
	check_wants, NULL
};

/* The request head, made as if a client had asked for that path. */
static int
head_make(struct buf *out, const struct config *cfg,
    const struct config_backend *b)
{
	struct dialect_call call;
	struct http_head h;
	struct buf text;
	struct str s;
	int rc = -1;

	buf_init(&text, CHECK_HEAD_MAX);
	buf_adds(&text, "GET ");
	buf_addstr(&text, cfg->health_check.path);
	buf_adds(&text, " HTTP/1.1\r\nhost: spillway\r\n");
	if (b->api == DIALECT_ANTHROPIC)
		buf_adds(&text, "anthropic-version: 2023-06-01\r\n");
	buf_adds(&text, "\r\n");
	s = buf_str(&text);
	if (!text.bad && http_request(&h, s.p, s.n, 0) == HTTP_OK) {
		dialect_detect(&call, &h);
		rc = forward_request(out, &h, b, &call, 1, -1);
	}
	buf_free(&text);
	return rc;
}

static void
check_fire(void *arg, uint64_t now)
{
	struct check *k = arg;
	const struct config *cfg = k->all->gen->cfg;
	struct upstream_request req;

	if (!k->target->cfg->enabled ||
	    !failover_is_down(k->target->health, &cfg->failover, now)) {
		check_again(k);
		return;
	}
	memset(&req, 0, sizeof req);
	buf_init(&req.head, CHECK_HEAD_MAX);
	req.timeout = cfg->health_check.interval;
	if (head_make(&req.head, cfg, k->target->cfg) == -1)
		buf_wipe(&req.head);
	else
		k->up = upstream_start(k->target, k->all->env, &req, 1,
		    &check_ops, k);
	if (k->up == NULL)
		check_again(k);
}

struct checks *
checks_start(struct generation *g, struct upstream_env *env)
{
	size_t n = g->cfg->nbackends, i;
	struct checks *c;
	struct check *k;

	if (!g->cfg->health_check.enabled)
		return NULL;
	if ((c = calloc(1, sizeof *c)) == NULL)
		return NULL;
	if ((c->list = calloc(n, sizeof *c->list)) == NULL) {
		free(c);
		return NULL;
	}
	c->gen = g;
	c->env = env;
	for (i = 0; i < n; i++) {
		k = &c->list[i];
		k->all = c;
		k->target = &g->targets[i];
		k->timer.fire = check_fire;
		k->timer.arg = k;
		check_again(k);
	}
	return c;
}

static void
checks_bury(void *arg)
{
	struct checks *c = arg;

	free(c->list);
	free(c);
}

void
checks_stop(struct checks *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < c->gen->cfg->nbackends; i++) {
		if (c->list[i].up != NULL)
			upstream_abort(c->list[i].up);
		timer_clear(c->env->loop, &c->list[i].timer);
	}
	loop_bury(c->env->loop, &c->grave, checks_bury, c);
}
