#include "relay/answer.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

#define ANSWER_AGAIN 8192	/* larger elements are not read at each piece */

void
answer_start(struct answer *a, const struct dialect_call *call,
    enum dialect api, int stream)
{
	memset(a, 0, sizeof *a);
	a->op = call->op;
	a->wanted_stream = stream != 0;
	a->kind = call->json_array ? ANSWER_ARRAY :
	    stream ? ANSWER_STREAM : ANSWER_PLAIN;
	a->most = ANSWER_HELD_MAX;
	buf_init(&a->held, a->most + ANSWER_PIECE_MAX);
	sse_start(&a->sse);
	dialect_watch_start(&a->watch, api, call->op);
}

void
answer_check(struct answer *a, int strict, int streams, int lax)
{
	a->strict = strict != 0;
	a->checks = streams != 0;
	a->lax = lax != 0;
	validate_start(&a->valid, a->watch.dialect, a->op, strict);
}

int
answer_is_invalid(const struct answer *a)
{
	return a->invalid && !a->lax;
}

void
answer_hold(struct answer *a, size_t most)
{
	a->whole = 1;
	a->most = most;
	a->held.max = most + ANSWER_PIECE_MAX;
}

void
answer_doubt(struct answer *a)
{
	a->wary = 1;
}

void
answer_free(struct answer *a)
{
	buf_free(&a->held);
}

/* 1 if the operation's good answer is JSON or events that we must judge. */
static int
op_judged(enum dialect_op op)
{
	return op == OP_GENERATE || op == OP_RESPONSES || op == OP_COUNT;
}

static int
encoded(const struct http_head *h)
{
	struct str e = http_get(h, HTTP_CONTENT_ENCODING);

	return e.n > 0 && !str_caseis(e, "identity");
}

int
answer_reads(const struct answer *a, const struct http_head *h, int moves_on,
    int head_only)
{
	if (moves_on || head_only)
		return moves_on;
	return h->status >= 400 || (h->status < 300 && op_judged(a->op));
}

enum answer_step
answer_head(struct answer *a, const struct http_head *h, int moves_on,
    int head_only)
{
	struct str type = http_get(h, HTTP_CONTENT_TYPE);

	a->status = h->status;
	a->sealed = !a->unpacked && encoded(h);
	if (!answer_reads(a, h, moves_on, head_only) ||
	    (h->status < 300 && !moves_on && a->sealed)) {
		a->kind = ANSWER_OPAQUE;
		return ANSWER_GOOD;
	}
	if (h->status >= 300 || moves_on) {
		a->kind = ANSWER_ERROR;
		return ANSWER_HOLD;
	}
	if (a->kind == ANSWER_STREAM &&
	    (str_casestarts(type, "application/json") ||
	    str_casestarts(type, "text/html")))
		a->kind = ANSWER_PLAIN;
	else if (a->kind == ANSWER_PLAIN &&
	    str_casestarts(type, "text/event-stream"))
		a->kind = ANSWER_STREAM;
	return ANSWER_HOLD;
}

void
answer_note(struct answer *a, struct str body)
{
	struct dialect_fault f;
	struct buf b;
	struct str s;
	size_t i, n;

	dialect_fault(&f, body);
	s = f.message.n > 0 ? f.message : f.type.n > 0 ? f.type :
	    str_trim(body);
	buf_init(&b, 4096);
	if (f.message.n > 0 || f.type.n > 0) {
		/* The slices stand between their quotes. */
		if (json_unescape(&b, str_n(s.p - 1, s.n + 2)) == 0)
			s = buf_str(&b);
	}
	n = s.n < sizeof a->note - 1 ? s.n : sizeof a->note - 1;
	for (i = 0; i < n; i++)
		a->note[i] = (unsigned char)s.p[i] < ' ' ? ' ' : s.p[i];
	a->note[n] = '\0';
	buf_free(&b);
}

static enum answer_step
answer_bad(struct answer *a, enum fo_fault fault, struct str text)
{
	a->fault = fault;
	if (text.n > 0)
		answer_note(a, text);
	return ANSWER_BAD;
}

/* 1 if the form of the answer is at fault, and that decides. */
static int
invalid(struct answer *a, const char *why)
{
	if (why == NULL || a->invalid)
		return 0;
	a->invalid = 1;
	snprintf(a->note, sizeof a->note, "%s", why);
	return !a->lax;
}

/* Judges one event.  HOLD: it decides nothing. */
static enum answer_step
event_judge(struct answer *a, const struct sse_event *e)
{
	if (a->checks && !a->invalid) {
		if (invalid(a, validate_event(&a->valid, e))) {
			a->fault = FO_INVALID_FAULT;
			return ANSWER_BAD;
		}
		/* Then one reading of it is enough. */
		if (a->valid.quiet && a->watch.content) {
			dialect_piece(&a->watch, a->valid.usage);
			return ANSWER_HOLD;
		}
	}
	switch (dialect_event(&a->watch, e)) {
	case SIGN_CONTENT:
		return ANSWER_GOOD;
	case SIGN_ERROR:
		if (a->committed) {
			a->error_seen = 1;
			answer_note(a, e->data);
			return ANSWER_HOLD;
		}
		a->error = (size_t)(e->data.p - answer_held(a).p);
		a->error_n = e->lines == 1 ? e->data.n : 0;
		return answer_bad(a, FO_ERROR_EVENT_FAULT, e->data);
	case SIGN_INVALID:
		/* How the bytes were cut must not decide: content has. */
		if (a->committed || a->watch.content)
			return ANSWER_HOLD;
		return answer_bad(a, FO_INVALID_FAULT, e->data);
	default:
		return ANSWER_HOLD;
	}
}

/*
 * Judges the complete events in s; *took: the bytes of them.  Stops early
 * only for a fault.
 */
static enum answer_step
events_judge(struct answer *a, struct str s, size_t *took)
{
	enum answer_step step = ANSWER_HOLD, one;
	struct sse_event e;
	size_t n;

	*took = 0;
	while ((n = sse_next(&a->sse, s.p + *took, s.n - *took, &e)) > 0) {
		one = event_judge(a, &e);
		if (one == ANSWER_BAD)
			return one;
		*took += n;
		if (one == ANSWER_GOOD)
			step = one;
	}
	return step;
}

/* 1 if s is the beginning of text, and not yet all of it. */
static int
begins(struct str s, const char *text)
{
	return s.n < strlen(text) && memcmp(s.p, text, s.n) == 0;
}

/* A wrong content type must not decide: the first bytes do. */
static void
answer_sniff(struct answer *a)
{
	struct str s = buf_str(&a->held);

	/* Until then scanned tells the blanks: none is looked at twice. */
	while (a->scanned < s.n && (s.p[a->scanned] == '\r' ||
	    s.p[a->scanned] == '\n' || s.p[a->scanned] == '\t' ||
	    s.p[a->scanned] == ' '))
		a->scanned++;
	if (a->scanned == s.n)
		return;
	s = str_n(s.p + a->scanned, s.n - a->scanned);
	if (a->kind == ANSWER_PLAIN &&
	    (begins(s, "data:") || begins(s, "event:")))
		return;			/* a small piece: the next tells */
	a->scanned = 0;
	a->sniffed = 1;
	if (a->kind == ANSWER_PLAIN && (str_starts(s, "data:") ||
	    str_starts(s, "event:") || *s.p == ':'))
		a->kind = ANSWER_STREAM;
	else if (a->kind == ANSWER_STREAM && (*s.p == '{' || *s.p == '<'))
		a->kind = ANSWER_PLAIN;
	else if (a->kind == ANSWER_ARRAY && *s.p != '[')
		a->kind = ANSWER_PLAIN;
}

/*
 * Gemini's array: its first element decides.  A long one is read again only
 * when it has grown by an eighth, so that its pieces may be small.
 */
static enum answer_step
array_judge(struct answer *a)
{
	struct sse_event e;
	struct json j;

	if (a->held.len > ANSWER_AGAIN &&
	    a->held.len - a->scanned < a->scanned / 8)
		return ANSWER_HOLD;
	a->scanned = a->held.len;
	json_start(&j, buf_str(&a->held), 0);
	if (json_next(&j) != JSON_ARRAY || json_next(&j) != JSON_OBJECT ||
	    json_skip(&j) == -1)
		return ANSWER_HOLD;
	memset(&e, 0, sizeof e);
	e.raw = e.data = j.raw;
	e.name = str_of("");
	e.lines = 1;
	return event_judge(a, &e) == ANSWER_BAD ? ANSWER_BAD : ANSWER_GOOD;
}

/*
 * Follows the nesting of JSON that goes through unread, so that an answer
 * that ends with its connection cannot be cut short unseen.
 */
static void
nest_watch(struct answer *a, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (a->escaped)
			a->escaped = 0;
		else if (s.p[i] == '"')
			a->quoted ^= 1u;
		else if (a->quoted)
			a->escaped = s.p[i] == '\\';
		else if (s.p[i] == '{' || s.p[i] == '[')
			a->depth++;
		else if ((s.p[i] == '}' || s.p[i] == ']') && a->depth > 0)
			a->depth--;
	}
}

static int
is_json(const struct answer *a)
{
	return a->kind == ANSWER_PLAIN || a->kind == ANSWER_ARRAY;
}

/* After the commit: usage, stop reason and end are still of interest. */
static void
tail_watch(struct answer *a, struct str data)
{
	size_t took, before = a->held.len;

	a->good = data.n;
	if (is_json(a))
		nest_watch(a, data);
	if (a->blind || a->kind != ANSWER_STREAM)
		return;
	if (before == 0) {
		if (events_judge(a, data, &took) == ANSWER_BAD)
			a->good = took;
		data = str_n(data.p + took, data.n - took);
		if (data.n > 0 && buf_addstr(&a->held, data) == -1)
			a->blind = 1;
		return;
	}
	if (buf_addstr(&a->held, data) == -1) {
		a->blind = 1;
		buf_free(&a->held);
		return;
	}
	if (events_judge(a, buf_str(&a->held), &took) == ANSWER_BAD)
		a->good = took > before ? took - before : 0;
	buf_take(&a->held, took);
	if (a->held.len == 0)
		buf_free(&a->held);
}

/* 1 if content is there, but the end must be waited for. */
static int
end_decides(const struct answer *a)
{
	return a->whole || (a->wary && a->watch.stopped && !a->watch.ended);
}

static enum answer_step
held_judge(struct answer *a)
{
	enum answer_step step;
	struct str s;
	size_t took;

	if (!a->sniffed)
		answer_sniff(a);
	if (!a->sniffed)
		return ANSWER_HOLD;
	if (a->kind == ANSWER_ARRAY)
		return array_judge(a);
	if (a->kind != ANSWER_STREAM)
		return ANSWER_HOLD;
	s = buf_str(&a->held);
	step = events_judge(a, str_n(s.p + a->scanned, s.n - a->scanned),
	    &took);
	a->scanned += took;
	if (step == ANSWER_BAD && a->invalid && a->watch.content &&
	    !a->whole) {
		/* How the bytes were cut must not decide: content has. */
		buf_cut(&a->held, a->scanned);
		return ANSWER_GOOD;
	}
	if (step == ANSWER_BAD || !a->watch.content)
		return step;
	return end_decides(a) ? ANSWER_HOLD : ANSWER_GOOD;
}

enum answer_step
answer_body(struct answer *a, struct str data)
{
	a->bytes += data.n;
	if (a->committed) {
		tail_watch(a, data);
		return ANSWER_GOOD;
	}
	if (buf_addstr(&a->held, data) == -1)
		return answer_bad(a, FO_LOCAL_FAULT, str_of(""));
	if (a->held.len > a->most) {
		/* More than we hold back. */
		a->blind = 1;
		if (a->kind == ANSWER_ERROR)
			return ANSWER_JUDGE;
		if (a->kind == ANSWER_PLAIN && !a->whole)
			return ANSWER_GOOD;
		return answer_bad(a, FO_TOO_LARGE_FAULT, str_of(""));
	}
	return a->kind == ANSWER_ERROR ? ANSWER_HOLD : held_judge(a);
}

static enum answer_step
plain_judge(struct answer *a)
{
	struct str s = buf_str(&a->held);
	enum dialect_sign sign = dialect_answer(&a->watch, s);

	if (sign == SIGN_ERROR) {
		a->error_n = s.n;
		return answer_bad(a, FO_ERROR_EVENT_FAULT, s);
	}
	if (sign == SIGN_INVALID)
		return str_trim(s).n == 0 ?
		    answer_bad(a, FO_EMPTY_FAULT, s) :
		    answer_bad(a, FO_NOT_JSON_FAULT, s);
	if (a->strict && invalid(a, validate_answer(a->watch.dialect, a->op,
	    1, s))) {
		a->fault = FO_INVALID_FAULT;
		return ANSWER_BAD;
	}
	return ANSWER_GOOD;
}

/* The stream is over: its last lines may lack their empty line. */
static enum answer_step
stream_last(struct answer *a)
{
	struct str s = buf_str(&a->held);
	struct sse_event e;
	size_t from = a->committed ? 0 : a->scanned;

	if (sse_last(&a->sse, s.p + from, s.n - from, &e) > 0 &&
	    event_judge(a, &e) == ANSWER_BAD)
		return ANSWER_BAD;
	a->scanned = s.n;
	if (a->blind || dialect_complete(&a->watch) || a->error_seen) {
		if (!a->checks || !a->strict ||
		    !invalid(a, validate_end(&a->valid)))
			return ANSWER_GOOD;
		a->fault = FO_INVALID_FAULT;
		return ANSWER_BAD;
	}
	a->fault = a->committed ? FO_TRUNCATED_FAULT : FO_EMPTY_FAULT;
	return ANSWER_BAD;
}

enum answer_step
answer_done(struct answer *a)
{
	a->complete = 1;
	switch (a->kind) {
	case ANSWER_ERROR:
		return ANSWER_JUDGE;
	case ANSWER_STREAM:
		return stream_last(a);
	case ANSWER_OPAQUE:
		return ANSWER_GOOD;
	default:
		if (!a->committed)
			return plain_judge(a);
		if (a->depth == 0 && !a->quoted)
			return ANSWER_GOOD;
		a->fault = FO_TRUNCATED_FAULT;
		return ANSWER_BAD;
	}
}

void
answer_to_error(struct answer *a)
{
	a->kind = ANSWER_ERROR;
	buf_cut(&a->held, a->error + a->error_n);
	buf_take(&a->held, a->error);
}

struct str
answer_held(const struct answer *a)
{
	return buf_str(&a->held);
}

void
answer_committed(struct answer *a)
{
	a->committed = 1;
	if (is_json(a) && !a->complete)
		nest_watch(a, buf_str(&a->held));
	if (a->kind == ANSWER_STREAM)
		buf_take(&a->held, a->scanned);
	else
		buf_free(&a->held);
	if (a->held.len == 0)
		buf_free(&a->held);
	a->held.max = ANSWER_TAIL_MAX;
	a->scanned = 0;
}
