#include "relay/reply.h"

#include <string.h>

#include "relay/forward.h"
#include "wire/http_write.h"

static void
reply_ping(void *arg, uint64_t now)
{
	struct reply *r = arg;

	if (now - r->told_at >= REPLY_PING_MS) {
		if (translate_ping(r->tr, &r->out) == 0 && r->out.len > 0) {
			r->ops->data(r->arg, buf_str(&r->out));
			r->ops->flush(r->arg);
		}
		buf_free(&r->out);
		r->told_at = now;
	}
	timer_set(r->loop, &r->ping, r->told_at + REPLY_PING_MS);
}

void
reply_init(struct reply *r, const struct reply_ops *ops, void *arg,
    struct loop *loop, const struct dialect_call *call)
{
	memset(r, 0, sizeof *r);
	r->ops = ops;
	r->arg = arg;
	r->loop = loop;
	r->call = call;
	r->length = -1;
	r->ping.fire = reply_ping;
	r->ping.arg = r;
	buf_init(&r->fields, REPLY_FIELDS_MAX);
	buf_init(&r->type, 1024);
	buf_init(&r->retry, 256);
	buf_init(&r->out, REPLY_OUT_MAX);
}

void
reply_free(struct reply *r)
{
	translate_free(r->tr);
	r->tr = NULL;
	buf_free(&r->fields);
	buf_free(&r->type);
	buf_free(&r->retry);
	buf_free(&r->out);
}

void
reply_stop(struct reply *r)
{
	timer_clear(r->loop, &r->ping);
}

void
reply_attempt(struct reply *r, struct translate *tr, int stream)
{
	translate_free(r->tr);
	r->tr = tr;
	r->stream = stream != 0;
	r->plain = 0;
	r->length = -1;
	buf_clear(&r->fields);
	buf_clear(&r->type);
	buf_clear(&r->retry);
	buf_free(&r->out);
}

/* ---- heads ---- */

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

void
reply_head(struct reply *r, const struct http_head *h, int head_only,
    int unpacked)
{
	r->length = unpacked ? -1 : body_length(h, head_only);
	buf_clear(&r->fields);
	buf_clear(&r->type);
	buf_clear(&r->retry);
	/* Counters and ids of another vendor would mislead the client. */
	if (r->tr == NULL)
		forward_answer(&r->fields, h, unpacked);
	buf_addstr(&r->type, http_get(h, HTTP_CONTENT_TYPE));
	buf_addstr(&r->retry, http_get(h, HTTP_RETRY_AFTER));
}

static void
own_write(const struct reply *r, struct buf *out, const struct reply_own *own)
{
	if (own->backend.n > 0)
		forward_label(out, "x-spillway-backend", own->backend);
	http_write_fieldu(out, "x-spillway-attempts", own->attempts);
	http_write_field(out, "x-request-id", own->id);
	if (r->call->dialect == DIALECT_ANTHROPIC &&
	    (r->tr != NULL || own->backend.n == 0))
		http_write_field(out, "request-id", own->id);
}

static void
type_write(struct reply *r, const struct answer *a, struct str held)
{
	struct str type = buf_str(&r->type);

	/* Some resellers call their JSON text. */
	if (a->status == 200 && str_casestarts(type, "text/plain") &&
	    held.n > 0 && (*held.p == '{' || *held.p == '['))
		type = str_of("application/json");
	if (type.n > 0)
		http_write_field(&r->fields, "content-type", type);
}

/* ---- a translated answer ---- */

static void
lost_write(struct reply *r)
{
	struct str lost = translate_notes(r->tr);

	if (lost.n > 0)
		http_write_field(&r->fields, "x-spillway-dropped", lost);
}

/* An upstream's error becomes the client's. */
static int
error_translate(struct reply *r, const struct answer *a)
{
	struct str body = a->sealed ? str_of("") : answer_held(a);
	uint64_t retry_s;
	int final;

	if (translate_error(r->tr, a->status, buf_str(&r->retry), body,
	    &r->out, &r->status, &retry_s, &final) == -1)
		return -1;
	r->length = (int64_t)r->out.len;
	http_write_field(&r->fields, "content-type",
	    str_of("application/json"));
	if (retry_s > 0)
		http_write_fieldu(&r->fields, "retry-after", retry_s);
	if (final)
		http_write_field(&r->fields, "x-should-retry",
		    str_of("false"));
	return 0;
}

/*
 * Translates what is held into r->out, so that an answer that cannot be
 * translated is known before anything went out.  As reply_commit().
 */
static int
held_translate(struct reply *r, const struct answer *a)
{
	struct str held = answer_held(a);
	int status = 0;

	r->status = a->status;
	if (a->kind == ANSWER_ERROR)
		return error_translate(r, a);
	if (a->op == OP_COUNT) {
		if (translate_count(r->tr, held, &r->out) == -1)
			return r->out.bad ? -1 : 1;
		r->length = (int64_t)r->out.len;
		http_write_field(&r->fields, "content-type",
		    str_of("application/json"));
		return 0;
	}
	r->plain = a->kind != ANSWER_STREAM;
	if (translate_feed(r->tr, held, r->plain, &r->out) == -1 ||
	    (a->complete && translate_end(r->tr, &r->out) == -1))
		return -1;
	if (translate_failed(r->tr, &status))
		return 1;
	r->length = r->stream ? -1 : (int64_t)r->out.len;
	http_write_field(&r->fields, "content-type", str_of(r->stream &&
	    !r->call->json_array ? "text/event-stream" :
	    "application/json"));
	if (r->stream)
		http_write_field(&r->fields, "cache-control",
		    str_of("no-cache"));
	return 0;
}

/* ---- the commit, and what follows ---- */

/* The bytes as they are. */
static void
held_pass(struct reply *r, const struct answer *a)
{
	struct str held = answer_held(a);

	/* A stream may need room for an error event, or end before its end. */
	if (a->complete && a->kind != ANSWER_OPAQUE)
		r->length = (int64_t)held.n;
	else if (a->kind == ANSWER_STREAM || a->kind == ANSWER_ARRAY)
		r->length = -1;
	r->status = a->status;
	type_write(r, a, held);
}

int
reply_make(struct reply *r, const struct answer *a,
    const struct reply_own *own)
{
	int bad = 0;

	if (r->tr != NULL) {
		bad = held_translate(r, a);
		lost_write(r);
	} else
		held_pass(r, a);
	own_write(r, &r->fields, own);
	if (r->fields.bad || r->type.bad || r->out.bad)
		bad = -1;
	if (bad != 0)
		buf_free(&r->out);
	return bad;
}

void
reply_commit(struct reply *r, const struct answer *a)
{
	struct str data = r->tr != NULL ? buf_str(&r->out) : answer_held(a);

	r->committed = 1;
	if (r->tr != NULL && r->stream && !a->complete) {
		r->told_at = loop_now(r->loop);
		timer_set(r->loop, &r->ping, r->told_at + REPLY_PING_MS);
	}
	r->ops->start(r->arg, r->status, buf_str(&r->fields), r->length);
	if (data.n > 0)
		r->ops->data(r->arg, data);
	buf_free(&r->out);
	buf_free(&r->fields);
	buf_free(&r->type);
}

/* Gives the client what was translated.  -1: the answer ended in an error. */
static int
out_give(struct reply *r, int bad)
{
	int status;

	if (r->out.len > 0) {
		r->told_at = loop_now(r->loop);
		r->ops->data(r->arg, buf_str(&r->out));
	}
	bad |= r->out.bad;
	buf_free(&r->out);
	return bad || translate_failed(r->tr, &status) ? -1 : 0;
}

int
reply_data(struct reply *r, struct str data)
{
	if (r->tr != NULL)
		return out_give(r, translate_feed(r->tr, data, r->plain,
		    &r->out) == -1);
	r->ops->data(r->arg, data);
	return 0;
}

int
reply_done(struct reply *r)
{
	if (r->tr == NULL)
		return 0;
	return out_give(r, translate_end(r->tr, &r->out) == -1);
}

void
reply_broken(struct reply *r, const struct answer *a, const char *why)
{
	struct buf event;

	if (r->tr != NULL) {
		if (r->stream && a->kind != ANSWER_ERROR)
			out_give(r, translate_break(r->tr, why, &r->out));
		return;
	}
	if (a->kind != ANSWER_STREAM && a->kind != ANSWER_ARRAY)
		return;
	buf_init(&event, 4096);
	if (a->held.len > 0)
		buf_adds(&event, "\n\n");	/* ends a torn event */
	dialect_error_event(&event, r->call, 502, str_of(why));
	r->ops->data(r->arg, buf_str(&event));
	buf_free(&event);
}

/* ---- answers of our own ---- */

/* Sends fields and body, whatever became of them: never half a line. */
static void
own_send(struct reply *r, int status, struct buf *body)
{
	if (r->fields.bad)
		buf_clear(&r->fields);
	if (body->bad)
		buf_free(body);
	r->status = status;
	r->ops->start(r->arg, status, buf_str(&r->fields),
	    (int64_t)body->len);
	r->ops->data(r->arg, buf_str(body));
	buf_free(body);
}

static void
own_begin(struct reply *r, struct buf *body, const struct reply_own *own)
{
	buf_init(body, 16384);
	buf_clear(&r->fields);
	http_write_field(&r->fields, "content-type",
	    str_of("application/json"));
	own_write(r, &r->fields, own);
}

void
reply_error(struct reply *r, int status, const char *message,
    uint64_t retry_ms, const struct reply_own *own)
{
	struct buf body;

	own_begin(r, &body, own);
	dialect_error_body(&body, r->call->dialect, status, str_of(message),
	    own->id);
	if (retry_ms > 0)
		http_write_fieldu(&r->fields, "retry-after",
		    (retry_ms + 999) / 1000);
	own_send(r, status, &body);
}

void
reply_refuse(struct reply *r, const struct msg_fault *f,
    const struct reply_own *own)
{
	struct arena a;
	struct buf body;
	struct fault fault;

	arena_init(&a, 65536);
	own_begin(r, &body, own);
	fault_own(&fault, &a, MSG_INVALID, str_of(f->why));
	fault_body(&body, r->call->dialect, &fault, str_of(f->param),
	    own->id);
	own_send(r, fault_status(MSG_INVALID, r->call->dialect), &body);
	arena_free(&a);
}

void
reply_json(struct reply *r, struct str json, const struct reply_own *own)
{
	struct buf body;

	own_begin(r, &body, own);
	body.max = json.n + 1;
	buf_addstr(&body, json);
	own_send(r, 200, &body);
}

void
reply_estimate(struct reply *r, int64_t tokens, const struct reply_own *own)
{
	struct buf body;

	own_begin(r, &body, own);
	buf_fmt(&body, r->call->dialect == DIALECT_GEMINI ?
	    "{\"totalTokens\":%lld}" : "{\"input_tokens\":%lld}",
	    (long long)tokens);
	http_write_field(&r->fields, "x-spillway-estimate", str_of("1"));
	own_send(r, 200, &body);
}
