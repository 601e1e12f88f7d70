#include "relay/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "relay/exchange_record.h"

#define EX_CLIENT_LEFT	499	/* in the log, as nginx has it */
#define EX_LIST_MAX	(16u << 20)	/* bytes of a list of models */
#define EX_AGAIN_MS	300	/* before a second try on one backend */

const struct config *
exchange_config(const struct exchange *ex)
{
	return ex->gen->cfg;
}

const struct fo_policy *
exchange_policy(const struct exchange *ex)
{
	return &ex->gen->cfg->failover;
}

/* ---- the end ---- */

static enum stats_outcome
outcome_of(const struct exchange *ex, int status)
{
	if (status == EX_CLIENT_LEFT || ex->left)
		return STATS_LEFT;
	if (ex->broken)
		return STATS_BROKEN;
	if (status < 400)
		return STATS_GOOD;
	if (ex->account.backend.n > 0)
		return STATS_RETURNED;
	return status == 429 ? STATS_LIMITED : STATS_FAILED;
}

/* The figures of a request that is over. */
static void
exchange_seen(struct exchange *ex, int status)
{
	const struct config *cfg = exchange_config(ex);
	struct stats_end end;

	memset(&end, 0, sizeof end);
	end.status = status;
	end.outcome = outcome_of(ex, status);
	end.backend = ex->account.backend;
	end.model_label = config_model_label(cfg, ex->route.model);
	end.user = ex->req.key != NULL ? ex->req.key->name : str_of("none");
	end.watch = &ex->answer.watch;
	end.to = DIALECT_ANY;
	if (ex->account.api.n > 0) {
		end.to = ex->target->cfg->api;
		end.lost = ex->account.lost;
		end.losses = translate_losses(ex->reply.tr);
	}
	end.bytes_out = ex->answer.bytes;
	end.first_us = ex->account.first_us;
	end.refused = ex->refused_here;
	stats_end(&ex->env->stats, ex->seen, &end, loop_us(),
	    loop_wall(ex->env->up.loop));
	ex->seen = NULL;
}

void
exchange_log(struct exchange *ex, int status, const char *how)
{
	ex->account.status = status;
	ex->account.watch = ex->answer.watch;
	if (ex->reply.tr != NULL && ex->account.backend.n > 0) {
		ex->account.api = str_of(dialect_name(ex->target->cfg->api));
		ex->account.lost = translate_notes(ex->reply.tr);
	}
	account_request(&ex->account, exchange_config(ex)->logging.types, how,
	    loop_us());
	exchange_seen(ex, status);
}

/* What the provider has counted is charged, whatever the end was. */
static void
exchange_charge(struct exchange *ex)
{
	access_charge(&ex->env->access, exchange_config(ex), ex->req.key,
	    ex->user, &ex->answer.watch.usage, loop_now(ex->env->up.loop));
}

void
exchange_end(struct exchange *ex, int cut)
{
	exchange_charge(ex);
	ex->ended = 1;
	timer_clear(ex->env->up.loop, &ex->again);
	reply_stop(&ex->reply);
	ex->reply.ops->end(ex->reply.arg, cut);
}

static void
exchange_bury(void *arg)
{
	struct exchange *ex = arg;

	free(ex->req.head);
	free(ex->req.h);
	buf_free(&ex->req.body);
	outbound_free(&ex->outbound);
	reply_free(&ex->reply);
	answer_free(&ex->answer);
	unpack_free(&ex->unpack);
	exchange_record_free(ex);
	route_free(&ex->route);
	generation_free(ex->gen);
	free(ex);
}

void
exchange_free(struct exchange *ex)
{
	loop_bury(ex->env->up.loop, &ex->grave, exchange_bury, ex);
}

/* ---- answers of our own ---- */

struct reply_own
exchange_own(const struct exchange *ex, struct str backend)
{
	struct reply_own own;

	own.id = str_of(ex->req.id);
	own.backend = backend;
	own.attempts = ex->account.attempts;
	return own;
}

/* The line of the log, before the client can know. */
static void
own_log(struct exchange *ex, int status, const char *why)
{
	ex->account.backend = str_of("");
	exchange_record_own(ex, status, why);
	exchange_log(ex, status, "");
}

void
exchange_error(struct exchange *ex, int status, const char *message,
    uint64_t retry_ms)
{
	struct reply_own own = exchange_own(ex, str_of(""));

	own_log(ex, status, message);
	reply_error(&ex->reply, status, message, retry_ms, &own);
	exchange_end(ex, 0);
}

/* Nobody counts these tokens: 1 if the client got an estimate. */
static int
own_estimate(struct exchange *ex)
{
	struct reply_own own = exchange_own(ex, str_of(""));
	int64_t n;

	if (ex->route.call.op != OP_COUNT)
		return 0;
	n = translate_estimate(&ex->route.call, buf_str(&ex->req.body));
	if (n < 0)
		return 0;
	own_log(ex, 200, "");
	reply_estimate(&ex->reply, n, &own);
	exchange_end(ex, 0);
	return 1;
}

/* 1 if every candidate's API lacks a word for this request: then a 400. */
static int
own_refuse(struct exchange *ex)
{
	struct reply_own own = exchange_own(ex, str_of(""));
	size_t i;

	for (i = 0; i < ex->route.n; i++)
		if (ex->route.cands[i].tried != EX_UNFIT)
			return 0;
	if (ex->refused.why[0] == '\0')
		return 0;
	own_log(ex, 400, ex->refused.why);
	reply_refuse(&ex->reply, &ex->refused, &own);
	exchange_end(ex, 0);
	return 1;
}

static void
exchange_none(struct exchange *ex, uint64_t now)
{
	struct fo_none none;
	char msg[400], t[24];

	if (own_estimate(ex) || own_refuse(ex))
		return;
	failover_none(ex->route.cands, ex->route.limited, ex->route.n,
	    ex->failed, exchange_policy(ex), now, &none);
	if (none.status == 429)
		snprintf(msg, sizeof msg,
		    "every backend is rate limited; the soonest is free in %s",
		    account_time(t, none.retry_ms));
	else if (none.status == 502)
		snprintf(msg, sizeof msg, "all %u attempts failed; last: %s",
		    ex->account.attempts, ex->account.cause);
	else
		snprintf(msg, sizeof msg, "no backend can take this request "
		    "now%s%s; try again in %s", ex->account.cause[0] != '\0' ?
		    "; last: " : "", ex->account.cause,
		    account_time(t, none.retry_ms));
	if (none.status == 502 && ex->invalid)
		ex->reply.ops->last(ex->reply.arg);
	/* auto-proxy's users know these. */
	if (exchange_config(ex)->form == FORM_ARRAY)
		exchange_error(ex, 503, msg, none.status == 429 ?
		    none.retry_ms : ex->resort ? 120000 : 30000);
	else
		exchange_error(ex, none.status, msg,
		    none.status == 502 ? 0 : none.retry_ms);
}

static void
exchange_again(void *arg, uint64_t now)
{
	attempt_start(arg, 0, now);
}

/* What a person should know of an attempt that is not an ordinary one. */
static void
ticket_log(const struct exchange *ex)
{
	const char *name = ex->ticket.b->name;

	if (ex->ticket.trial)
		log_info("%s is a trial for \"%s\" (breaker half-open)",
		    ex->req.id, name);
	if (ex->ticket.probe)
		log_info("%s asks \"%s\" whether its cool-down is over before "
		    "its time", ex->req.id, name);
	if (ex->ticket.last_resort)
		log_info("%s tries \"%s\" as a last resort: all are down",
		    ex->req.id, name);
}

/* Asks for the right to one more attempt.  The candidate, or -1. */
static int
next_pick(struct exchange *ex, uint64_t now)
{
	const struct config *cfg = exchange_config(ex);
	struct fo_want want;
	size_t i;

	for (i = 0; i < ex->route.n; i++)
		ex->route.cands[i].rate_wait = access_backend_wait(
		    &ex->env->access, ex->gen->targets[ex->route.index[i]].cfg,
		    now);
	memset(&want, 0, sizeof want);
	want.strategy = ex->route.strategy;
	want.random = util_random(&ex->env->random);
	want.sticky = ex->route.sticky;
	want.max_tries = cfg->retry.tries_per_backend;
	want.last_resort = 1;
	return failover_pick(ex->route.cands, ex->route.n, &want,
	    &cfg->failover, now, &ex->ticket);
}

/* The ticket at hand is not used: as if it had never been given. */
static void
ticket_return(struct exchange *ex, uint64_t now)
{
	struct fo_outcome o;

	attempt_outcome(&o, ex, FO_CONNECT, FO_LOCAL_FAULT);
	attempt_book(ex, &o, "", now);
}

/*
 * 1 if the attempt of the ticket at hand may be made; else the ticket is
 * given back.  Asked once somebody is left to be tried, as the budget counts
 * each answer as an attempt.
 */
static int
next_allowed(struct exchange *ex, uint64_t now)
{
	/* The other forms promise their number of attempts. */
	if (ex->account.attempts == 0 ||
	    exchange_config(ex)->form != FORM_OWN ||
	    failover_budget(ex->gen->registry, now))
		return 1;
	log_warn("%s is not tried again: no backend has answered for 10 s, "
	    "and the retry budget is used up", ex->req.id);
	ticket_return(ex, now);
	return 0;
}

/* Who was passed over, and why: for the log and the dashboard. */
static void
next_skips(struct exchange *ex, int chosen, uint64_t now)
{
	const struct fo_cand *c = ex->route.cands;
	size_t i;

	account_skips(&ex->account, c, ex->route.n, chosen, now);
	for (i = 0; i < ex->route.n; i++)
		if (c[i].skip != FO_SKIP_NONE && c[i].skip != FO_SKIP_TRIED)
			stats_skip(&ex->env->stats, ex->seen,
			    str_of(c[i].b->name), fo_skip_text(c[i].skip),
			    loop_us());
}

/*
 * Who is next, and able to be asked this at all?  The candidate, or -1:
 * nobody.
 */
static int
next_find(struct exchange *ex, uint64_t now)
{
	int i;

	for (;;) {
		i = next_pick(ex, now);
		if (ex->account.attempts == 0 || i == -1)
			next_skips(ex, i, now);
		if (i == -1 || !next_allowed(ex, now))
			return -1;
		ex->cur = (size_t)i;
		ex->target = &ex->gen->targets[ex->route.index[i]];
		if (attempt_make(ex) != 1)
			return i;
		log_info("%s leaves \"%.*s\" out: %s", ex->req.id,
		    (int)ex->target->cfg->name.n, ex->target->cfg->name.p,
		    ex->refused.why);
		stats_skip(&ex->env->stats, ex->seen, ex->target->cfg->name,
		    ex->refused.why, loop_us());
		ticket_return(ex, now);
		ex->route.cands[i].tried = EX_UNFIT;
	}
}

/* Starts the next attempt, or answers that there is none. */
void
exchange_next(struct exchange *ex, uint64_t now)
{
	unsigned most = exchange_config(ex)->retry.attempts;
	struct fo_cand *c;
	int i;

	if (most > 0 && ex->account.attempts >= most) {
		exchange_none(ex, now);
		return;
	}
	if ((i = next_find(ex, now)) == -1) {
		exchange_none(ex, now);
		return;
	}
	c = &ex->route.cands[i];
	ex->account.attempts++;
	ex->resort |= ex->ticket.last_resort;
	access_backend_take(&ex->env->access, ex->target->cfg, now);
	ticket_log(ex);
	if (c->tried++ > 0 && !exchange_config(ex)->retry.no_pause &&
	    timer_set(ex->env->up.loop, &ex->again, now + EX_AGAIN_MS) == 0)
		return;
	attempt_start(ex, 0, now);
}

struct exchange *
exchange_new(struct exchange_env *env, const struct exchange_request *r,
    const struct reply_ops *ops, void *arg)
{
	struct exchange *ex;
	struct buf body = r->body;

	if ((ex = calloc(1, sizeof *ex)) == NULL) {
		free(r->head);
		free(r->h);
		buf_free(&body);
		generation_free(r->gen);
		return NULL;
	}
	ex->env = env;
	ex->gen = r->gen;
	ex->req = *r;
	ex->again.fire = exchange_again;
	ex->again.arg = ex;
	ex->account.id = ex->req.id;
	ex->account.method = r->h->method;
	ex->account.path = r->h->path;
	ex->account.began_us = r->began_us;
	dialect_watch_start(&ex->answer.watch, DIALECT_ANY, OP_OTHER);
	reply_init(&ex->reply, ops, arg, env->up.loop, &ex->route.call);
	outbound_init(&ex->outbound);
	return ex;
}

/* The header that names the user is ours: it is not for the backend. */
static void
user_take(struct exchange *ex)
{
	const struct config *cfg = exchange_config(ex);
	struct http_head *h = ex->req.h;
	unsigned i;

	ex->user = access_user(cfg, ex->req.key, h);
	for (i = 0; cfg->user_limits.enabled && i < h->nfields; i++)
		if (str_caseeq(h->fields[i].name, cfg->user_limits.header))
			h->fields[i].hop = 1;
}

/* ---- the list of models ---- */

static void
models_done(void *arg)
{
	struct exchange *ex = arg;
	struct reply_own own = exchange_own(ex, str_of(""));
	struct buf list, name;
	int rc;

	buf_init(&list, EX_LIST_MAX);
	buf_init(&name, HTTP_HEAD_MAX);
	if (ex->route.call.op == OP_MODEL)
		http_unescape(&name, ex->route.call.model);
	rc = name.bad ? -1 : catalog_write(ex->catalog, buf_str(&name),
	    &list);
	buf_free(&name);
	catalog_free(ex->catalog);
	ex->catalog = NULL;
	if (rc == 0) {
		own_log(ex, 200, "");
		reply_json(&ex->reply, buf_str(&list), &own);
		exchange_end(ex, 0);
	} else if (rc == 1)
		exchange_error(ex, 404, "no backend offers that model", 0);
	else
		exchange_error(ex, 503, "out of memory for this answer", 1000);
	buf_free(&list);
}

/* 1 if we answer this from the lists of several backends, or of others. */
static int
models_ask(struct exchange *ex)
{
	enum dialect_op op = ex->route.call.op;
	struct catalog_ask ask;

	if ((op != OP_MODELS && op != OP_MODEL) || !catalog_needed(ex->gen,
	    ex->req.key, ex->route.call.dialect))
		return 0;
	ask.gen = ex->gen;
	ask.env = &ex->env->up;
	ask.key = ex->req.key;
	ask.h = ex->req.h;
	ask.client = ex->route.call.dialect;
	ask.done = models_done;
	ask.arg = ex;
	if ((ex->catalog = catalog_start(&ask)) == NULL)
		exchange_error(ex, 503, "out of memory for this request",
		    1000);
	return 1;
}

/* ---- beginning ---- */

/* From here on the dashboard shows it. */
static void
exchange_show(struct exchange *ex)
{
	struct stats_request r;

	memset(&r, 0, sizeof r);
	r.id = str_of(ex->req.id);
	r.method = ex->req.h->method;
	r.path = ex->req.h->path;
	r.key = ex->req.key != NULL ? ex->req.key->name : str_of("");
	r.client = ex->route.call.dialect;
	r.body = ex->req.body.len;
	r.wall_ms = loop_wall(ex->env->up.loop);
	r.began_us = ex->req.began_us;
	ex->seen = stats_begin(&ex->env->stats, &r);
}

void
exchange_go(struct exchange *ex)
{
	uint64_t now = loop_now(ex->env->up.loop), wait;
	struct route_fault f;
	const char *why;

	user_take(ex);
	dialect_detect(&ex->route.call, ex->req.h);
	exchange_show(ex);
	if (access_admit(&ex->env->access, exchange_config(ex), ex->req.key,
	    ex->user, now, &wait, &why) == -1) {
		ex->refused_here = 1;
		exchange_error(ex, 429, why, wait);
		return;
	}
	if (models_ask(ex))
		return;
	if (route_make(&ex->route, ex->req.h, buf_str(&ex->req.body), ex->gen,
	    ex->req.key, &f) == -1) {
		if ((f.status != 404 && f.status != 503) ||
		    !own_estimate(ex))
			exchange_error(ex, f.status, f.why,
			    f.status == 503 ? 1000 : 0);
		return;
	}
	ex->account.model = ex->route.model;
	ex->account.stream = ex->route.stream;
	stats_model(ex->seen, ex->route.model, ex->route.stream);
	exchange_next(ex, now);
}

void
exchange_abandon(struct exchange *ex, const char *why)
{
	uint64_t now = loop_now(ex->env->up.loop);
	struct fo_outcome o;
	char how[128];

	if (ex->ended)
		return;
	catalog_free(ex->catalog);
	ex->catalog = NULL;
	if (ex->up != NULL) {
		upstream_abort(ex->up);
		ex->up = NULL;
	}
	ex->left = 1;
	attempt_outcome(&o, ex, ex->reply.committed ? FO_BODY : FO_WAIT,
	    FO_CLIENT_LEFT_FAULT);
	exchange_record_end(ex, STATS_LEFT, why);
	attempt_book(ex, &o, "", now);
	exchange_record_own(ex, EX_CLIENT_LEFT, why);
	snprintf(how, sizeof how, ", %s", why);
	exchange_log(ex, ex->reply.committed ? ex->reply.status :
	    EX_CLIENT_LEFT, how);
	exchange_charge(ex);
	ex->ended = 1;
	timer_clear(ex->env->up.loop, &ex->again);
	reply_stop(&ex->reply);
}
