#include "relay/exchange_attempt.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "relay/exchange_record.h"
#include "relay/redact.h"
#include "wire/failover_read.h"

#define EX_UNPACKED_MAX	(1u << 30)	/* bytes of one unpacked answer */
#define EX_PIECE	65536	/* bytes that are judged at a time */
#define EX_ERROR_READ	8192	/* bytes of an error that are searched */
#define EX_ERROR_MS	2000	/* for the body of an answer that failed */

static void attempt_failed(struct exchange *, const struct fo_outcome *,
    const char *, uint64_t);

/* ---- health ---- */

void
attempt_outcome(struct fo_outcome *o, const struct exchange *ex,
    enum fo_phase phase, enum fo_fault fault)
{
	memset(o, 0, sizeof *o);
	o->phase = phase;
	o->fault = fault;
	o->status = ex->answer.status;
	o->cool_ms = ex->cool_ms;
	o->cool_source = ex->cool_source;
}

/* Some providers repeat the key that they refuse. */
static void
note_mask(struct exchange *ex)
{
	if (ex->answer.note[0] != '\0')
		redact_words(ex->answer.note, sizeof ex->answer.note,
		    exchange_config(ex), ex->req.h);
}

static enum stats_outcome
outcome_seen(const struct exchange *ex, const struct fo_outcome *o)
{
	if (o->fault == FO_CLIENT_LEFT_FAULT)
		return STATS_LEFT;
	if (ex->broken)
		return STATS_BROKEN;
	if (ex->reply.committed)
		return o->status < 400 ? STATS_GOOD : STATS_RETURNED;
	if (o->fault == FO_STOP_TEXT_FAULT)
		return STATS_RETURNED;
	return o->status == 429 || o->fault == FO_RATE_TEXT_FAULT ?
	    STATS_LIMITED : STATS_FAILED;
}

void
attempt_book(struct exchange *ex, const struct fo_outcome *o,
    const char *reason, uint64_t now)
{
	struct fo_backend *b = ex->ticket.b;
	enum stats_outcome seen = outcome_seen(ex, o);
	const char *why = seen == STATS_FAILED || seen == STATS_LIMITED ?
	    ex->account.detail : reason;
	struct fo_change c;

	if (seen == STATS_RETURNED && *why == '\0')
		why = ex->answer.note;
	stats_try_end(&ex->env->stats, ex->seen, seen, o->status, why,
	    loop_us(), loop_wall(ex->env->up.loop));
	/* What a text has stopped is booked again at its end. */
	if (o->fault != FO_STOP_TEXT_FAULT)
		exchange_record_end(ex, seen, why);
	if (b == NULL)
		return;
	failover_end(&ex->ticket, exchange_policy(ex), o, now, &c);
	account_change(&c, reason);
}

/* ---- one attempt over: to the client, or on to the next ---- */

/* What of the request is not needed any more once the answer is good. */
static void
request_release(struct exchange *ex)
{
	if (ex->up != NULL && ex->up->sent == 0)
		return;		/* still being sent: an early answer */
	if (ex->reply.tr != NULL) {
		/* Its answer still speaks of names that stand in there. */
		translate_sent(ex->reply.tr);
		return;
	}
	buf_free(&ex->req.body);
	outbound_free(&ex->outbound);
}

/* A good answer whose fields found no memory: none of its head went out. */
static void
commit_failed(struct exchange *ex)
{
	struct fo_outcome o;

	if (ex->up != NULL) {
		upstream_abort(ex->up);
		ex->up = NULL;
	}
	attempt_outcome(&o, ex, FO_HOLD, FO_LOCAL_FAULT);
	attempt_book(ex, &o, "", loop_now(ex->env->up.loop));
	exchange_error(ex, 503, "out of memory for this answer", 1000);
}

/*
 * The answer is the client's from here on: the only place that decides.
 * -1: it could not be; the exchange is over.
 */
static int
exchange_commit(struct exchange *ex)
{
	struct reply_own own = exchange_own(ex, ex->target->cfg->name);
	uint64_t now = loop_now(ex->env->up.loop);
	struct fo_change c;
	struct fo_outcome o;
	int rc;

	if ((rc = reply_make(&ex->reply, &ex->answer, &own)) == -1) {
		commit_failed(ex);
		return -1;
	}
	if (rc == 1) {
		attempt_outcome(&o, ex, FO_HOLD, FO_INVALID_FAULT);
		attempt_failed(ex, &o, "its answer has no translation", now);
		return -1;
	}
	ex->account.backend = ex->target->cfg->name;
	ex->account.first_us = loop_us();
	if (ex->answer.status < 300 && ex->ticket.b != NULL) {
		failover_commit(&ex->ticket, exchange_policy(ex), now, &c);
		account_change(&c, "");
	}
	stats_try_phase(&ex->env->stats, ex->seen, STATS_STREAMING,
	    ex->account.first_us);
	reply_commit(&ex->reply, &ex->answer);
	answer_committed(&ex->answer);
	request_release(ex);
	return 0;
}

static void
exchange_finish(struct exchange *ex, uint64_t now)
{
	struct fo_outcome o;

	note_mask(ex);
	if (ex->answer.invalid)
		log_warn("%s the answer of \"%.*s\" is not in its form, and "
		    "passed on all the same: %s", ex->req.id,
		    (int)ex->target->cfg->name.n, ex->target->cfg->name.p,
		    ex->answer.note);
	attempt_outcome(&o, ex, FO_BODY, FO_NONE_FAULT);
	attempt_book(ex, &o, "", now);
	exchange_log(ex, ex->reply.status, "");
	exchange_end(ex, 0);
}

/* After the commit there is no switch: the client must see that it broke. */
static void
exchange_broken(struct exchange *ex, enum fo_fault fault, const char *why,
    uint64_t now)
{
	struct fo_outcome o;
	char how[256];

	note_mask(ex);
	ex->broken = 1;
	attempt_outcome(&o, ex, FO_BODY, fault);
	attempt_book(ex, &o, fo_fault_text(fault), now);
	snprintf(how, sizeof how, "the answer broke off: %s",
	    fo_fault_text(fault));
	reply_broken(&ex->reply, &ex->answer, how);
	snprintf(how, sizeof how, ", broke off: %s (%s)",
	    fo_fault_text(fault), why);
	exchange_log(ex, ex->reply.status, how);
	exchange_end(ex, 1);
}

/* What is left of an attempt that the client will not see goes. */
static void
attempt_over(struct exchange *ex)
{
	answer_free(&ex->answer);
	if (ex->up != NULL)
		upstream_abort(ex->up);
	ex->up = NULL;
}

static void
attempt_failed(struct exchange *ex, const struct fo_outcome *o,
    const char *why, uint64_t now)
{
	char reason[96];

	note_mask(ex);		/* which why may be */
	account_attempt(&ex->account, ex->target->cfg, o, why);
	ex->invalid = o->fault == FO_INVALID_FAULT;
	if (o->status == 429 || o->fault == FO_RATE_TEXT_FAULT)
		ex->route.limited[ex->cur] = 1;
	else {
		ex->route.limited[ex->cur] = 0;
		ex->failed = 1;
	}
	snprintf(reason, sizeof reason, "%s", ex->account.cause[0] != '\0' ?
	    strrchr(ex->account.cause, ':') + 2 : "");
	attempt_book(ex, o, reason, now);
	attempt_over(ex);
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

/* A backend that cannot count: no fault of it, another may, or we guess. */
static void
count_next(struct exchange *ex, const struct fo_outcome *o, uint64_t now)
{
	attempt_book(ex, o, "", now);
	ex->route.cands[ex->cur].tried = EX_UNFIT;
	attempt_over(ex);
	exchange_next(ex, now);
}

/* An error is the client's. */
static void
error_commit(struct exchange *ex, uint64_t now)
{
	if (exchange_commit(ex) == -1)
		return;
	/* Translated it is all there: what still comes has no place in it. */
	if (ex->reply.tr != NULL && ex->up != NULL) {
		upstream_abort(ex->up);
		ex->up = NULL;
	}
	if (ex->answer.complete || ex->reply.tr != NULL)
		exchange_finish(ex, now);
}

/* A status or a text that may move on: 4.6. */
static void
error_judge(struct exchange *ex, uint64_t now)
{
	struct str body = ex->answer.sealed ? str_of("") :
	    answer_held(&ex->answer);
	struct fo_outcome o;
	struct dialect_fault f;
	struct http_head none;

	attempt_outcome(&o, ex, FO_HOLD,
	    failover_text(exchange_policy(ex), body));
	if (o.status == 400) {
		dialect_fault(&f, body);
		o.bad_key = str_is(f.reason, "API_KEY_INVALID") != 0;
	}
	if (o.cool_source == FO_FROM_DEFAULT && body.n > 0) {
		memset(&none, 0, sizeof none);
		memset(none.first, -1, sizeof none.first);
		none.status = o.status;
		o.cool_ms = failover_cooldown(exchange_policy(ex), &none, body,
		    loop_wall(ex->env->up.loop), &o.cool_source);
	}
	if (failover_judge(exchange_policy(ex), &o) == FO_NEXT) {
		o.model_only = names_model(ex, body) != 0;
		answer_note(&ex->answer, body);
		attempt_failed(ex, &o, ex->answer.note, now);
		return;
	}
	if (ex->answer.op == OP_COUNT && (o.status == 404 ||
	    o.status == 405)) {
		count_next(ex, &o, now);
		return;
	}
	answer_note(&ex->answer, body);
	note_mask(ex);
	/* Booked here: its end will not know that a text stopped it. */
	if (o.fault == FO_STOP_TEXT_FAULT) {
		attempt_book(ex, &o, "", now);
		if (exchange_config(ex)->form == FORM_VARIABLES)
			ex->answer.status = 400;	/* as llm-proxy says */
	}
	error_commit(ex, now);
}

/* A good status with a bad content. */
static void
content_judge(struct exchange *ex, uint64_t now)
{
	struct fo_outcome o;
	enum fo_fault text = FO_NONE_FAULT;

	if (ex->answer.fault == FO_ERROR_EVENT_FAULT)
		text = failover_text(exchange_policy(ex),
		    answer_held(&ex->answer));
	attempt_outcome(&o, ex, FO_HOLD, text != FO_NONE_FAULT ? text :
	    ex->answer.fault);
	if (failover_judge(exchange_policy(ex), &o) == FO_RETURN) {
		if (ex->reply.tr != NULL)
			answer_to_error(&ex->answer);
		error_commit(ex, now);
		return;
	}
	attempt_failed(ex, &o, ex->answer.note, now);
}

/* After the commit: the rest is of no use. */
static void
body_broken(struct exchange *ex, enum fo_fault fault, const char *why,
    uint64_t now)
{
	if (ex->ended)
		return;
	if (ex->up != NULL)
		upstream_abort(ex->up);
	ex->up = NULL;
	/* What follows the end of an answer is nobody's. */
	if (ex->reply.tr != NULL && translate_ended(ex->reply.tr))
		exchange_finish(ex, now);
	else
		exchange_broken(ex, fault, why, now);
}

static void
step_take(struct exchange *ex, enum answer_step step, uint64_t now)
{
	switch (step) {
	case ANSWER_HOLD:
		break;
	case ANSWER_GOOD:
		if (exchange_commit(ex) == -1)
			break;
		if (answer_is_invalid(&ex->answer))
			body_broken(ex, FO_INVALID_FAULT, ex->answer.note,
			    now);
		else if (ex->answer.complete)
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

/* What the translator needs and cannot have. */
static void
opaque_fail(struct exchange *ex, uint64_t now)
{
	struct fo_outcome o;

	attempt_outcome(&o, ex, FO_HOLD, FO_INVALID_FAULT);
	attempt_failed(ex, &o, ex->answer.status >= 300 ? "a redirect cannot "
	    "be translated" : "its coding cannot be undone", now);
}

static void
up_head(void *arg, const struct http_head *h, uint64_t now)
{
	struct exchange *ex = arg;
	int head_only = str_is(ex->req.h->method, "HEAD");
	struct str coding = http_get(h, HTTP_CONTENT_ENCODING);
	enum answer_step step;

	if (ex->capture != NULL)
		capture_head(ex->capture, h);
	ex->moves_on = fo_on(exchange_policy(ex), h->status) != 0;
	ex->cool_ms = failover_cooldown(exchange_policy(ex), h, str_of(""),
	    loop_wall(ex->env->up.loop), &ex->cool_source);
	if (answer_reads(&ex->answer, h, ex->moves_on, head_only) &&
	    h->framing != HTTP_NO_BODY && unpack_knows(coding) &&
	    unpack_start(&ex->unpack, coding, EX_UNPACKED_MAX) == 0)
		ex->answer.unpacked = 1;
	reply_head(&ex->reply, h, head_only, ex->answer.unpacked);
	stats_try_phase(&ex->env->stats, ex->seen, STATS_HOLDING, loop_us());
	if (ex->moves_on)
		upstream_hurry(ex->up, now + EX_ERROR_MS);
	step = answer_head(&ex->answer, h, ex->moves_on, head_only);
	if (ex->reply.tr != NULL && ex->answer.kind == ANSWER_OPAQUE)
		opaque_fail(ex, now);
	else
		step_take(ex, step, now);
}

static void
stall_check(struct exchange *ex)
{
	if (ex->reply.committed && !ex->ended &&
	    ex->reply.ops->backlog(ex->reply.arg) > EXCHANGE_HIGH)
		ex->stalled = 1;
}

/* The answer cannot be unpacked: what it would have been nobody knows. */
static void
unpack_failed(struct exchange *ex, enum fo_fault fault, const char *why,
    uint64_t now)
{
	struct fo_outcome o;

	if (ex->reply.committed) {
		body_broken(ex, fault, why, now);
		return;
	}
	if (ex->up != NULL)
		upstream_abort(ex->up);
	ex->up = NULL;
	attempt_outcome(&o, ex, FO_HOLD, fault);
	attempt_failed(ex, &o, why, now);
}

/* A piece of the answer as the client is to have it. */
static void
body_take(struct exchange *ex, struct str data, uint64_t now)
{
	int invalid;

	if (!ex->reply.committed) {
		step_take(ex, answer_body(&ex->answer, data), now);
		return;
	}
	answer_body(&ex->answer, data);
	invalid = answer_is_invalid(&ex->answer);
	if (invalid)
		data.n = ex->answer.good;
	/* A translation that ended in an error has told the client. */
	if (reply_data(&ex->reply, data) == -1)
		body_broken(ex, FO_ERROR_EVENT_FAULT, "as translated", now);
	else if (invalid)
		body_broken(ex, FO_INVALID_FAULT, ex->answer.note, now);
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
	if (ex->capture != NULL)
		capture_data(ex->capture, data);
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
	if (!ex->reply.committed)
		step_take(ex, step, now);
	else if (reply_done(&ex->reply) == -1)
		exchange_broken(ex, FO_TRUNCATED_FAULT, "as translated", now);
	else if (step == ANSWER_BAD && ex->reply.tr == NULL)
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
	/*
	 * Its last event was there; or its stop reason, and the translation
	 * ends as it ought to.
	 */
	if (ex->reply.committed && ex->answer.kind == ANSWER_STREAM &&
	    (ex->answer.watch.ended || (ex->reply.tr != NULL &&
	    ex->answer.watch.stopped)) && reply_done(&ex->reply) == 0) {
		exchange_finish(ex, now);
		return;
	}
	if (ex->reply.committed) {
		exchange_broken(ex, fault, why, now);
		return;
	}
	if (ex->answer.kind == ANSWER_ERROR && ex->moves_on) {
		error_judge(ex, now);		/* the status says it all */
		if (ex->reply.committed && !ex->ended)
			exchange_broken(ex, fault, why, now);
		return;
	}
	attempt_outcome(&o, ex, u->phase, fault);
	o.reused = u->reused;
	o.any_bytes = u->any_bytes;
	if (failover_judge(exchange_policy(ex), &o) == FO_SAME_FRESH) {
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
	if (ex->reply.committed && !ex->ended)
		ex->reply.ops->flush(ex->reply.arg);
	stall_check(ex);
}

static int
up_wants(void *arg)
{
	struct exchange *ex = arg;

	return !ex->stalled;
}

static void
up_moved(void *arg, uint64_t now)
{
	struct exchange *ex = arg;

	(void)now;
	stats_try_phase(&ex->env->stats, ex->seen, ex->up->sent != 0 ?
	    STATS_ANSWER : ex->up->connected != 0 ? STATS_SENDING :
	    STATS_CONNECTING, loop_us());
}

static const struct upstream_ops up_ops = {
	up_head, up_body, up_done, up_fail, up_pause, up_wants, up_moved
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

static void
source_fill(struct exchange *ex, struct outbound_source *s)
{
	s->route = &ex->route;
	s->h = ex->req.h;
	s->body = buf_str(&ex->req.body);
	s->id = str_of(ex->req.id);
	s->wall_s = loop_wall(ex->env->up.loop) / 1000;
	s->random = &ex->env->random;
}

int
attempt_make(struct exchange *ex)
{
	struct outbound_source s;

	source_fill(ex, &s);
	return outbound_make(&ex->outbound, &s, ex->target->cfg,
	    &ex->refused);
}

/* A failure to start is one of ours, and the next would meet it too. */
void
attempt_start(struct exchange *ex, int fresh, uint64_t now)
{
	const struct config *cfg = exchange_config(ex);
	struct outbound *out = &ex->outbound;
	struct outbound_source s;
	struct upstream_request req;
	struct fo_outcome o;

	memset(&req, 0, sizeof req);
	buf_init(&req.head, REPLY_FIELDS_MAX);
	ex->cool_ms = 0;
	ex->moves_on = 0;
	unpack_free(&ex->unpack);
	source_fill(ex, &s);
	if ((out->ready || attempt_make(ex) == 0) &&
	    outbound_head(out, &s, ex->target->cfg, &req.head) == 0) {
		req.body = out->body;
		req.head_only = str_is(ex->req.h->method, "HEAD");
		req.stream = ex->route.stream;
		req.timeout = exchange_config(ex)->retry.timeout;
		answer_start(&ex->answer, &out->call, out->api,
		    ex->route.stream);
		answer_check(&ex->answer, cfg->validation.strict,
		    cfg->validation.streaming, !cfg->validation.disconnect);
		if (out->tr != NULL && ex->route.stream)
			answer_doubt(&ex->answer);
		else if (out->tr != NULL)
			answer_hold(&ex->answer, TRANSLATE_ANSWER_MAX);
		reply_attempt(&ex->reply, outbound_take(out),
		    ex->route.stream);
		if (!fresh)
			stats_try_begin(&ex->env->stats, ex->seen,
			    ex->target->cfg->name, ex->reply.tr != NULL,
			    loop_us());
		exchange_record_start(ex, buf_str(&req.head), req.body);
		ex->up = upstream_start(ex->target, &ex->env->up, &req, fresh,
		    &up_ops, ex);
	} else
		buf_wipe(&req.head);
	if (ex->up != NULL) {
		up_moved(ex, now);
		return;
	}
	attempt_outcome(&o, ex, FO_CONNECT, FO_LOCAL_FAULT);
	attempt_book(ex, &o, "", now);
	exchange_error(ex, 503, "out of memory for this request", 1000);
}
