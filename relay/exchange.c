#include "relay/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "relay/account.h"
#include "relay/forward.h"
#include "relay/route.h"
#include "relay/unpack.h"
#include "wire/failover_read.h"
#include "wire/http_write.h"

#define EX_FIELDS_MAX	(2 * HTTP_HEAD_MAX)
#define EX_CLIENT_LEFT	499	/* in the log, as nginx has it */
#define EX_AGAIN_MS	300	/* before a second try on one backend */
#define EX_UNPACKED_MAX	(1u << 30)	/* bytes of one unpacked answer */
#define EX_PIECE	65536	/* bytes that are judged at a time */
#define EX_ERROR_READ	8192	/* bytes of an error that are searched */
#define EX_ERROR_MS	2000	/* for the body of an answer that failed */

struct exchange {
	unsigned stalled:1;		/* the client is slow */
	struct exchange_env *env;	/* borrowed */
	struct generation *gen;		/* a reference */
	const struct exchange_ops *ops;
	void *arg;
	struct exchange_request req;
	struct route route;		/* owned: model, candidates */
	struct str user;		/* subject of user_limits; in req.h */
	struct fo_ticket ticket;
	struct target *target;		/* of the attempt that runs */
	size_t cur;			/* its candidate */
	struct upstream *up;		/* borrowed; NULL: none runs */
	struct buf body;		/* owned: the body with another model */
	struct answer answer;
	struct unpack unpack;		/* owned: of a compressed answer */
	struct buf fields;		/* of the answer, rendered */
	struct buf type;		/* its Content-Type */
	int64_t length;			/* its body's, -1: not known */
	uint64_t cool_ms;
	enum fo_source cool_source;
	struct account account;
	struct timer again;
	struct grave grave;
	unsigned moves_on:1;		/* the status at hand is in `on` */
	unsigned committed:1;
	unsigned ended:1;
	unsigned failed:1;		/* an attempt did, not by a limit */
	unsigned resort:1;		/* the last resort was used */
};

static void exchange_next(struct exchange *, uint64_t);
static void attempt_start(struct exchange *, int, uint64_t);

static const struct config *
ex_config(const struct exchange *ex)
{
	return ex->gen->cfg;
}

static const struct fo_policy *
ex_policy(const struct exchange *ex)
{
	return &ex->gen->cfg->failover;
}

/* ---- the end ---- */

static void
exchange_log(struct exchange *ex, int status, const char *how)
{
	ex->account.status = status;
	ex->account.watch = ex->answer.watch;
	account_request(&ex->account, ex_config(ex)->logging.types, how,
	    loop_us());
}

/* What the provider has counted is charged, whatever the end was. */
static void
exchange_charge(struct exchange *ex)
{
	access_charge(&ex->env->access, ex_config(ex), ex->req.key, ex->user,
	    &ex->answer.watch.usage, loop_now(ex->env->up.loop));
}

static void
exchange_end(struct exchange *ex, int cut)
{
	exchange_charge(ex);
	ex->ended = 1;
	timer_clear(ex->env->up.loop, &ex->again);
	ex->ops->end(ex->arg, cut);
}

static void
exchange_bury(void *arg)
{
	struct exchange *ex = arg;

	free(ex->req.head);
	free(ex->req.h);
	buf_free(&ex->req.body);
	buf_free(&ex->body);
	buf_free(&ex->fields);
	buf_free(&ex->type);
	answer_free(&ex->answer);
	unpack_free(&ex->unpack);
	route_free(&ex->route);
	generation_free(ex->gen);
	free(ex);
}

void
exchange_free(struct exchange *ex)
{
	loop_bury(ex->env->up.loop, &ex->grave, exchange_bury, ex);
}

/* ---- health ---- */

static void
outcome_make(struct fo_outcome *o, const struct exchange *ex,
    enum fo_phase phase, enum fo_fault fault)
{
	memset(o, 0, sizeof *o);
	o->phase = phase;
	o->fault = fault;
	o->status = ex->answer.status;
	o->cool_ms = ex->cool_ms;
	o->cool_source = ex->cool_source;
}

static void
attempt_book(struct exchange *ex, const struct fo_outcome *o,
    const char *reason, uint64_t now)
{
	struct fo_backend *b = ex->ticket.b;
	struct fo_change c;

	if (b == NULL)
		return;
	failover_end(&ex->ticket, ex_policy(ex), o, now, &c);
	account_change(&c, reason);
}

/* ---- answers of our own ---- */

static void
own_fields(struct exchange *ex, struct buf *out)
{
	if (ex->committed)
		forward_label(out, "x-spillway-backend",
		    ex->target->cfg->name);
	http_write_fieldu(out, "x-spillway-attempts", ex->account.attempts);
	http_write_field(out, "x-request-id", str_of(ex->req.id));
}

static void
reply_error(struct exchange *ex, int status, const char *message,
    uint64_t retry_ms)
{
	struct buf body;

	buf_clear(&ex->fields);
	buf_init(&body, 16384);
	dialect_error_body(&body, ex->route.call.dialect, status,
	    str_of(message), str_of(ex->req.id));
	http_write_field(&ex->fields, "content-type",
	    str_of("application/json"));
	own_fields(ex, &ex->fields);
	if (retry_ms > 0)
		http_write_fieldu(&ex->fields, "retry-after",
		    (retry_ms + 999) / 1000);
	/* Half a line would be another head: rather none, or no text. */
	if (ex->fields.bad)
		buf_clear(&ex->fields);
	if (body.bad)
		buf_free(&body);
	ex->account.backend = str_of("");
	exchange_log(ex, status, "");
	ex->ops->start(ex->arg, status, buf_str(&ex->fields),
	    (int64_t)body.len);
	ex->ops->data(ex->arg, buf_str(&body));
	buf_free(&body);
	exchange_end(ex, 0);
}

static void
reply_none(struct exchange *ex, uint64_t now)
{
	struct fo_none none;
	char msg[400], t[24];

	failover_none(ex->route.cands, ex->route.limited, ex->route.n,
	    ex->failed, ex_policy(ex), now, &none);
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
	/* auto-proxy's users know these. */
	if (ex_config(ex)->form == FORM_ARRAY)
		reply_error(ex, 503, msg, none.status == 429 ?
		    none.retry_ms : ex->resort ? 120000 : 30000);
	else
		reply_error(ex, none.status, msg,
		    none.status == 502 ? 0 : none.retry_ms);
}

/* ---- one attempt over: to the client, or on to the next ---- */

/* What of the request is not needed any more once the answer is good. */
static void
request_release(struct exchange *ex)
{
	if (ex->up != NULL && ex->up->sent == 0)
		return;		/* still being sent: an early answer */
	buf_free(&ex->req.body);
	buf_free(&ex->body);
}

static void
type_write(struct exchange *ex, struct buf *out, struct str held)
{
	struct str type = buf_str(&ex->type);

	/* Some resellers call their JSON text. */
	if (ex->answer.status == 200 && str_casestarts(type, "text/plain") &&
	    held.n > 0 && (*held.p == '{' || *held.p == '['))
		type = str_of("application/json");
	if (type.n > 0)
		http_write_field(out, "content-type", type);
}

/* A good answer whose fields found no memory: none of its head went out. */
static void
commit_failed(struct exchange *ex)
{
	struct fo_outcome o;

	ex->committed = 0;
	if (ex->up != NULL) {
		upstream_abort(ex->up);
		ex->up = NULL;
	}
	outcome_make(&o, ex, FO_HOLD, FO_LOCAL_FAULT);
	attempt_book(ex, &o, "", loop_now(ex->env->up.loop));
	reply_error(ex, 503, "out of memory for this answer", 1000);
}

/*
 * The answer is the client's from here on: the only place that decides.
 * -1: it could not be; the exchange is over.
 */
static int
exchange_commit(struct exchange *ex)
{
	struct str held = answer_held(&ex->answer);
	int64_t length = ex->length;
	struct fo_change c;
	struct fo_backend *b = ex->ticket.b;

	/* A stream may need room for an error event, or end before its end. */
	if (ex->answer.complete && ex->answer.kind != ANSWER_OPAQUE)
		length = (int64_t)held.n;
	else if (ex->answer.kind == ANSWER_STREAM ||
	    ex->answer.kind == ANSWER_ARRAY)
		length = -1;
	ex->committed = 1;
	type_write(ex, &ex->fields, held);
	own_fields(ex, &ex->fields);
	if (ex->fields.bad || ex->type.bad) {
		commit_failed(ex);
		return -1;
	}
	ex->account.backend = ex->target->cfg->name;
	ex->account.first_us = loop_us();
	if (ex->answer.status < 300 && b != NULL) {
		failover_commit(&ex->ticket, ex_policy(ex),
		    loop_now(ex->env->up.loop), &c);
		account_change(&c, "");
	}
	ex->ops->start(ex->arg, ex->answer.status, buf_str(&ex->fields),
	    length);
	if (held.n > 0)
		ex->ops->data(ex->arg, held);
	buf_free(&ex->fields);
	buf_free(&ex->type);
	answer_committed(&ex->answer);
	request_release(ex);
	return 0;
}

static void
exchange_finish(struct exchange *ex, uint64_t now)
{
	struct fo_outcome o;

	outcome_make(&o, ex, FO_BODY, FO_NONE_FAULT);
	attempt_book(ex, &o, "", now);
	exchange_log(ex, ex->answer.status, "");
	exchange_end(ex, 0);
}

/* After the commit there is no switch: the client must see that it broke. */
static void
exchange_broken(struct exchange *ex, enum fo_fault fault, const char *why,
    uint64_t now)
{
	struct fo_outcome o;
	struct buf event;
	char how[256];

	outcome_make(&o, ex, FO_BODY, fault);
	attempt_book(ex, &o, fo_fault_text(fault), now);
	if (ex->answer.kind == ANSWER_STREAM ||
	    ex->answer.kind == ANSWER_ARRAY) {
		buf_init(&event, 4096);
		snprintf(how, sizeof how, "the answer broke off: %s",
		    fo_fault_text(fault));
		if (ex->answer.held.len > 0)
			buf_adds(&event, "\n\n");	/* ends a torn event */
		dialect_error_event(&event, &ex->route.call, 502, str_of(how));
		ex->ops->data(ex->arg, buf_str(&event));
		buf_free(&event);
	}
	snprintf(how, sizeof how, ", broke off: %s (%s)",
	    fo_fault_text(fault), why);
	exchange_log(ex, ex->answer.status, how);
	exchange_end(ex, 1);
}

static void
attempt_failed(struct exchange *ex, const struct fo_outcome *o,
    const char *why, uint64_t now)
{
	char reason[96];

	account_attempt(&ex->account, ex->target->cfg, o, why);
	if (o->status == 429 || o->fault == FO_RATE_TEXT_FAULT)
		ex->route.limited[ex->cur] = 1;
	else {
		ex->route.limited[ex->cur] = 0;
		ex->failed = 1;
	}
	snprintf(reason, sizeof reason, "%s", ex->account.cause[0] != '\0' ?
	    strrchr(ex->account.cause, ':') + 2 : "");
	attempt_book(ex, o, reason, now);
	answer_free(&ex->answer);
	if (ex->up != NULL) {
		upstream_abort(ex->up);
		ex->up = NULL;
	}
	exchange_next(ex, now);
}

/*
 * 1 if an error names the model that was asked for: then it is about that
 * model, and must not bench the others of the backend.
 */
static int
names_model(const struct exchange *ex, struct str body)
{
	struct str model = config_model_for(ex->target->cfg, ex->route.model);

	if (body.n > EX_ERROR_READ)
		body.n = EX_ERROR_READ;
	return model.n > 0 && str_casefind(body, model) != -1;
}

/* A status or a text that may move on: 4.6. */
static void
error_judge(struct exchange *ex, uint64_t now)
{
	struct str body = answer_held(&ex->answer);
	struct fo_outcome o;
	struct dialect_fault f;
	struct http_head none;

	outcome_make(&o, ex, FO_HOLD, failover_text(ex_policy(ex), body));
	if (o.status == 400) {
		dialect_fault(&f, body);
		o.bad_key = str_is(f.reason, "API_KEY_INVALID") != 0;
	}
	if (o.cool_source == FO_FROM_DEFAULT && body.n > 0) {
		memset(&none, 0, sizeof none);
		memset(none.first, -1, sizeof none.first);
		none.status = o.status;
		o.cool_ms = failover_cooldown(ex_policy(ex), &none, body,
		    loop_wall(ex->env->up.loop), &o.cool_source);
	}
	if (failover_judge(ex_policy(ex), &o) == FO_NEXT) {
		o.model_only = names_model(ex, body) != 0;
		answer_note(&ex->answer, body);
		attempt_failed(ex, &o, ex->answer.note, now);
		return;
	}
	/* Booked here: its end will not know that a text stopped it. */
	if (o.fault == FO_STOP_TEXT_FAULT) {
		attempt_book(ex, &o, "", now);
		if (ex_config(ex)->form == FORM_VARIABLES)
			ex->answer.status = 400;	/* as llm-proxy says */
	}
	if (exchange_commit(ex) == 0 && ex->answer.complete)
		exchange_finish(ex, now);
}

/* A good status with a bad content. */
static void
content_judge(struct exchange *ex, uint64_t now)
{
	struct fo_outcome o;
	enum fo_fault text = FO_NONE_FAULT;

	if (ex->answer.fault == FO_ERROR_EVENT_FAULT)
		text = failover_text(ex_policy(ex), answer_held(&ex->answer));
	outcome_make(&o, ex, FO_HOLD, text != FO_NONE_FAULT ? text :
	    ex->answer.fault);
	if (failover_judge(ex_policy(ex), &o) == FO_RETURN) {
		if (exchange_commit(ex) == 0 && ex->answer.complete)
			exchange_finish(ex, now);
		return;
	}
	attempt_failed(ex, &o, ex->answer.note, now);
}

static void
step_take(struct exchange *ex, enum answer_step step, uint64_t now)
{
	switch (step) {
	case ANSWER_HOLD:
		break;
	case ANSWER_GOOD:
		if (exchange_commit(ex) == 0 && ex->answer.complete)
			exchange_finish(ex, now);
		break;
	case ANSWER_BAD:
		content_judge(ex, now);
		break;
	case ANSWER_JUDGE:
		error_judge(ex, now);
		break;
	}
}

/* ---- what the upstream tells ---- */

/*
 * The length that the client is told; -1: none.  Without a body the field
 * says what there would have been (RFC 9110 8.6).
 */
static int64_t
body_length(const struct http_head *h, int head_only)
{
	uint64_t n;

	if (h->framing == HTTP_LENGTH)
		return (int64_t)h->length;
	if (h->framing != HTTP_NO_BODY)
		return -1;
	if (!head_only && h->status != 304)
		return 0;
	return util_u64(http_get(h, HTTP_CONTENT_LENGTH), INT64_MAX, &n) ==
	    -1 ? -1 : (int64_t)n;
}

static void
up_head(void *arg, const struct http_head *h, uint64_t now)
{
	struct exchange *ex = arg;
	int head_only = str_is(ex->req.h->method, "HEAD");
	struct str coding = http_get(h, HTTP_CONTENT_ENCODING);

	ex->moves_on = fo_on(ex_policy(ex), h->status) != 0;
	ex->cool_ms = failover_cooldown(ex_policy(ex), h, str_of(""),
	    loop_wall(ex->env->up.loop), &ex->cool_source);
	ex->length = body_length(h, head_only);
	if (answer_reads(&ex->answer, h, ex->moves_on, head_only) &&
	    h->framing != HTTP_NO_BODY && unpack_knows(coding) &&
	    unpack_start(&ex->unpack, coding, EX_UNPACKED_MAX) == 0) {
		ex->answer.unpacked = 1;
		ex->length = -1;
	}
	buf_clear(&ex->fields);
	buf_clear(&ex->type);
	forward_answer(&ex->fields, h, ex->answer.unpacked);
	buf_addstr(&ex->type, http_get(h, HTTP_CONTENT_TYPE));
	if (ex->moves_on)
		upstream_hurry(ex->up, now + EX_ERROR_MS);
	step_take(ex, answer_head(&ex->answer, h, ex->moves_on, head_only),
	    now);
}

static void
stall_check(struct exchange *ex)
{
	if (ex->committed && !ex->ended &&
	    ex->ops->backlog(ex->arg) > EXCHANGE_HIGH)
		ex->stalled = 1;
}

/* The answer cannot be unpacked: what it would have been nobody knows. */
static void
unpack_failed(struct exchange *ex, enum fo_fault fault, const char *why,
    uint64_t now)
{
	struct fo_outcome o;

	if (ex->up != NULL)
		upstream_abort(ex->up);
	ex->up = NULL;
	if (ex->committed) {
		exchange_broken(ex, fault, why, now);
		return;
	}
	outcome_make(&o, ex, FO_HOLD, fault);
	attempt_failed(ex, &o, why, now);
}

/* A piece of the answer as the client is to have it. */
static void
body_take(struct exchange *ex, struct str data, uint64_t now)
{
	if (ex->committed) {
		ex->ops->data(ex->arg, data);
		if (!ex->ended)
			answer_body(&ex->answer, data);
	} else
		step_take(ex, answer_body(&ex->answer, data), now);
}

static void
up_body(void *arg, struct str data, uint64_t now)
{
	struct exchange *ex = arg;
	struct upstream *u = ex->up;
	const char *why = NULL;
	size_t n;

	if (ex->unpack.z != NULL)
		why = unpack_feed(&ex->unpack, data, &data);
	/* A piece may end this attempt: the rest is nobody's then. */
	for (; data.n > 0 && ex->up == u; data = str_n(data.p + n,
	    data.n - n)) {
		n = data.n < EX_PIECE ? data.n : EX_PIECE;
		body_take(ex, str_n(data.p, n), now);
	}
	if (why != NULL && ex->up == u)
		unpack_failed(ex, FO_FRAMING_FAULT, why, now);
	else
		stall_check(ex);
}

static void
up_done(void *arg, uint64_t now)
{
	struct exchange *ex = arg;
	enum answer_step step;
	const char *why;

	ex->up = NULL;
	if (ex->unpack.z != NULL && (why = unpack_end(&ex->unpack)) != NULL) {
		unpack_failed(ex, FO_TRUNCATED_FAULT, why, now);
		return;
	}
	step = answer_done(&ex->answer);
	if (!ex->committed)
		step_take(ex, step, now);
	else if (step == ANSWER_BAD)
		exchange_broken(ex, ex->answer.fault,
		    ex->answer.kind == ANSWER_STREAM ?
		    "the stream ended without a stop reason" :
		    "the document ended too early", now);
	else
		exchange_finish(ex, now);
}

static void
up_fail(void *arg, enum fo_fault fault, const char *why, uint64_t now)
{
	struct exchange *ex = arg;
	struct upstream *u = ex->up;
	struct fo_outcome o;

	ex->up = NULL;
	if (ex->committed && ex->answer.kind == ANSWER_STREAM &&
	    ex->answer.watch.ended) {
		exchange_finish(ex, now);	/* its last event was there */
		return;
	}
	if (ex->committed) {
		exchange_broken(ex, fault, why, now);
		return;
	}
	if (ex->answer.kind == ANSWER_ERROR && ex->moves_on) {
		error_judge(ex, now);		/* the status says it all */
		if (ex->committed && !ex->ended)
			exchange_broken(ex, fault, why, now);
		return;
	}
	outcome_make(&o, ex, u->phase, fault);
	o.reused = u->reused;
	o.any_bytes = u->any_bytes;
	if (failover_judge(ex_policy(ex), &o) == FO_SAME_FRESH) {
		log_debug("%s pooled connection to \"%.*s\" was stale (%s), "
		    "again on a new one", ex->req.id,
		    (int)ex->target->cfg->name.n, ex->target->cfg->name.p,
		    why);
		answer_free(&ex->answer);
		attempt_start(ex, 1, now);
		return;
	}
	attempt_failed(ex, &o, why, now);
}

static void
up_pause(void *arg, uint64_t now)
{
	struct exchange *ex = arg;

	(void)now;
	if (ex->committed && !ex->ended)
		ex->ops->flush(ex->arg);
	stall_check(ex);
}

static int
up_wants(void *arg)
{
	struct exchange *ex = arg;

	return !ex->stalled;
}

static const struct upstream_ops up_ops = {
	up_head, up_body, up_done, up_fail, up_pause, up_wants
};

void
exchange_drained(struct exchange *ex)
{
	if (!ex->stalled)
		return;
	ex->stalled = 0;
	if (ex->up != NULL)
		upstream_resume(ex->up);
}

/* ---- attempts ---- */

/*
 * Starts the attempt that the ticket allows.  A failure to start is one of
 * ours: no strike, and the next backend would meet it too.
 */
static void
attempt_start(struct exchange *ex, int fresh, uint64_t now)
{
	const struct config_backend *b = ex->target->cfg;
	struct str body = buf_str(&ex->req.body);
	struct upstream_request req;
	struct fo_outcome o;
	int64_t length;
	int other;

	memset(&req, 0, sizeof req);
	buf_init(&req.head, EX_FIELDS_MAX);
	buf_free(&ex->body);
	ex->cool_ms = 0;
	ex->moves_on = 0;
	unpack_free(&ex->unpack);
	answer_start(&ex->answer, &ex->route.call, b->api == DIALECT_ANY ?
	    ex->route.call.dialect : b->api, ex->route.stream);
	if ((other = route_body(&ex->route, b, body, &ex->body)) == 1)
		body = buf_str(&ex->body);
	length = body.n > 0 || ex->req.h->framing != HTTP_NO_BODY ?
	    (int64_t)body.n : -1;
	req.body = body;
	req.head_only = str_is(ex->req.h->method, "HEAD");
	req.stream = ex->route.stream;
	req.timeout = ex_config(ex)->retry.timeout;
	if (other != -1 && forward_request(&req.head, ex->req.h, b,
	    &ex->route.call, ex->route.call.op != OP_OTHER, length) == 0)
		ex->up = upstream_start(ex->target, &ex->env->up, &req, fresh,
		    &up_ops, ex);
	else
		buf_wipe(&req.head);
	if (ex->up != NULL)
		return;
	outcome_make(&o, ex, FO_CONNECT, FO_LOCAL_FAULT);
	attempt_book(ex, &o, "", now);
	reply_error(ex, 503, "out of memory for this request", 1000);
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
	const struct config *cfg = ex_config(ex);
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

/*
 * 1 if the attempt of the ticket at hand may be made; else the ticket is
 * given back.  Asked once somebody is left to be tried, as the budget counts
 * each answer as an attempt.
 */
static int
next_allowed(struct exchange *ex, uint64_t now)
{
	struct fo_outcome o;

	/* The other forms promise their number of attempts. */
	if (ex->account.attempts == 0 || ex_config(ex)->form != FORM_OWN ||
	    failover_budget(ex->gen->registry, now))
		return 1;
	log_warn("%s is not tried again: no backend has answered for 10 s, "
	    "and the retry budget is used up", ex->req.id);
	outcome_make(&o, ex, FO_CONNECT, FO_LOCAL_FAULT);
	attempt_book(ex, &o, "", now);
	return 0;
}

/* Who is next?  Starts the attempt, or answers that there is none. */
static void
exchange_next(struct exchange *ex, uint64_t now)
{
	unsigned most = ex_config(ex)->retry.attempts;
	struct fo_cand *c;
	int i;

	if (most > 0 && ex->account.attempts >= most) {
		reply_none(ex, now);
		return;
	}
	i = next_pick(ex, now);
	if (ex->account.attempts == 0 || i == -1)
		account_skips(&ex->account, ex->route.cands, ex->route.n, i,
		    now);
	if (i == -1 || !next_allowed(ex, now)) {
		reply_none(ex, now);
		return;
	}
	c = &ex->route.cands[i];
	ex->cur = (size_t)i;
	ex->target = &ex->gen->targets[ex->route.index[i]];
	ex->account.attempts++;
	ex->resort |= ex->ticket.last_resort;
	access_backend_take(&ex->env->access, ex->target->cfg, now);
	ticket_log(ex);
	if (c->tried++ > 0 && !ex_config(ex)->retry.no_pause &&
	    timer_set(ex->env->up.loop, &ex->again, now + EX_AGAIN_MS) == 0)
		return;
	attempt_start(ex, 0, now);
}

/* ---- beginning and leaving ---- */

struct exchange *
exchange_new(struct exchange_env *env, const struct exchange_request *r,
    const struct exchange_ops *ops, void *arg)
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
	ex->ops = ops;
	ex->arg = arg;
	ex->again.fire = exchange_again;
	ex->again.arg = ex;
	ex->account.id = ex->req.id;
	ex->account.method = r->h->method;
	ex->account.path = r->h->path;
	ex->account.began_us = r->began_us;
	ex->length = -1;
	dialect_watch_start(&ex->answer.watch, DIALECT_ANY, OP_OTHER);
	buf_init(&ex->fields, EX_FIELDS_MAX);
	buf_init(&ex->type, 1024);
	env->served++;
	return ex;
}

/* The header that names the user is ours: it is not for the backend. */
static void
user_take(struct exchange *ex)
{
	const struct config *cfg = ex_config(ex);
	struct http_head *h = ex->req.h;
	unsigned i;

	ex->user = access_user(cfg, ex->req.key, h);
	for (i = 0; cfg->user_limits.enabled && i < h->nfields; i++)
		if (str_caseeq(h->fields[i].name, cfg->user_limits.header))
			h->fields[i].hop = 1;
}

void
exchange_go(struct exchange *ex)
{
	uint64_t now = loop_now(ex->env->up.loop), wait;
	struct route_fault f;
	const char *why;

	user_take(ex);
	dialect_detect(&ex->route.call, ex->req.h);
	if (access_admit(&ex->env->access, ex_config(ex), ex->req.key,
	    ex->user, now, &wait, &why) == -1) {
		reply_error(ex, 429, why, wait);
		return;
	}
	if (route_make(&ex->route, ex->req.h, buf_str(&ex->req.body), ex->gen,
	    ex->req.key, &f) == -1) {
		reply_error(ex, f.status, f.why, f.status == 503 ? 1000 : 0);
		return;
	}
	ex->account.model = ex->route.model;
	ex->account.stream = ex->route.stream;
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
	if (ex->up != NULL) {
		upstream_abort(ex->up);
		ex->up = NULL;
	}
	outcome_make(&o, ex, ex->committed ? FO_BODY : FO_WAIT,
	    FO_CLIENT_LEFT_FAULT);
	attempt_book(ex, &o, "", now);
	snprintf(how, sizeof how, ", %s", why);
	exchange_log(ex, ex->committed ? ex->answer.status : EX_CLIENT_LEFT,
	    how);
	exchange_charge(ex);
	ex->ended = 1;
	timer_clear(ex->env->up.loop, &ex->again);
}
