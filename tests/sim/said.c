#include "tests/sim/said.h"

#include <stdio.h>
#include <string.h>

#include "tests/sim/plan.h"

#define HELD_MAX ((size_t)1 << 20)	/* what the proxy holds at most */

/* Places in the payload, from which the offsets in the wire are made. */
struct marks {
	size_t commit, clean;
};

/* ---- payloads ---- */

static void
words(struct bytes *b, const struct said *a, unsigned n)
{
	while (n-- > 0)
		bytes_fmt(b, "%s says %u \\u00e4 \\\"x\\\" ", a->mark,
		    dice(100000));
}

static void
plain_good(struct said *a, struct marks *m)
{
	unsigned n = dice(400) == 0 ? 40000 : dice(30);

	if (plan.openai) {
		bytes_fmt(&a->payload, "{\"id\":\"c\",\"choices\":"
		    "[{\"message\":{\"role\":\"assistant\",\"content\":\"");
		words(&a->payload, a, n);
		bytes_fmt(&a->payload, "\"},\"finish_reason\":\"stop\"}],"
		    "\"usage\":{\"prompt_tokens\":3}}");
	} else {
		bytes_fmt(&a->payload, "{\"type\":\"message\",\"content\":"
		    "[{\"type\":\"text\",\"text\":\"");
		words(&a->payload, a, n);
		bytes_fmt(&a->payload, "\"}],\"stop_reason\":\"end_turn\","
		    "\"usage\":{\"input_tokens\":3}}");
	}
	m->clean = a->payload.n;
	m->commit = a->payload.n < HELD_MAX ? a->payload.n : HELD_MAX;
}

/* One event; returns where its data line ends. */
static size_t
event(struct said *a, const char *name, const char *data, unsigned n)
{
	const char *nl = a->mark[1] == '1' ? "\r\n" : "\n";
	size_t at;

	if (chance(5))
		bytes_fmt(&a->payload, ": a comment%s%s", nl, nl);
	if (!plan.openai)
		bytes_fmt(&a->payload, "event: %s%s", name, nl);
	bytes_fmt(&a->payload, "data: ");
	while (*data != '\0' && *data != '~')
		bytes_add(&a->payload, data++, 1);
	if (*data == '~') {
		words(&a->payload, a, n);
		bytes_fmt(&a->payload, "%s", data + 1);
	}
	at = a->payload.n;
	bytes_fmt(&a->payload, "%s%s", nl, nl);
	return at;
}

static void
stream_start(struct said *a)
{
	if (plan.openai) {
		event(a, "", "{\"choices\":[{\"delta\":{\"role\":"
		    "\"assistant\"}}]}", 0);
		return;
	}
	event(a, "message_start", "{\"type\":\"message_start\",\"message\":"
	    "{\"id\":\"m\",\"usage\":{\"input_tokens\":3}}}", 0);
	event(a, "content_block_start", "{\"type\":\"content_block_start\","
	    "\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}",
	    0);
	if (chance(50))
		event(a, "ping", "{\"type\":\"ping\"}", 0);
}

static size_t
stream_delta(struct said *a, unsigned n)
{
	return event(a, "content_block_delta", plan.openai ?
	    "{\"choices\":[{\"delta\":{\"content\":\"~x\"}}]}" :
	    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
	    "{\"type\":\"text_delta\",\"text\":\"~x\"}}", n);
}

static void
stream_error(struct said *a)
{
	event(a, "error", plan.openai ? "{\"error\":{\"message\":"
	    "\"overloaded\",\"type\":\"server_error\"}}" :
	    "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
	    "\"message\":\"Overloaded\"}}", 0);
}

static void
stream_good(struct said *a, struct marks *m)
{
	unsigned i, n = dice(200) == 0 ? 3000 : between(1, 12);
	size_t stop, last;

	stream_start(a);
	m->commit = stream_delta(a, 1);
	for (i = 1; i < n; i++)
		stream_delta(a, dice(6));
	m->clean = NEVER;
	if (a->kind == REPLY_ERROR_LATE) {
		stream_error(a);
		m->clean = a->payload.n;
		return;
	}
	if (a->kind == REPLY_NO_STOP)
		return;
	if (!plan.openai)
		event(a, "content_block_stop", "{\"type\":"
		    "\"content_block_stop\",\"index\":0}", 0);
	stop = event(a, "message_delta", plan.openai ? "{\"choices\":"
	    "[{\"delta\":{},\"finish_reason\":\"stop\"}]}" :
	    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
	    "\"end_turn\"},\"usage\":{\"output_tokens\":7}}", 0);
	last = event(a, "message_stop", plan.openai ? "[DONE]" :
	    "{\"type\":\"message_stop\"}", 0);
	m->clean = a->until_close ? stop : last;
}

static void
error_json(struct said *a, const char *type, const char *message)
{
	if (plan.openai)
		bytes_fmt(&a->payload, "{\"error\":{\"message\":\"%s %s\","
		    "\"type\":\"%s\"}}", message, a->mark, type);
	else
		bytes_fmt(&a->payload, "{\"type\":\"error\",\"error\":{"
		    "\"type\":\"%s\",\"message\":\"%s %s\"}}", type, message,
		    a->mark);
}

/* ---- the kinds ---- */

static void
payload_good(struct said *a, const struct request *r, struct marks *m)
{
	if (r->kind == KIND_STREAM)
		stream_good(a, m);
	else if (r->kind == KIND_PLAIN)
		plain_good(a, m);
	else {
		words(&a->payload, a, dice(20));
		m->commit = 0;
		m->clean = a->payload.n;
	}
}

static void
payload_bad(struct said *a, const struct request *r)
{
	switch (a->kind) {
	case REPLY_429:
	case REPLY_5XX:
	case REPLY_401:
		error_json(a, "some_error", "we are sorry");
		break;
	case REPLY_RATE_TEXT:
		error_json(a, "some_error", "a Rate Limit was hit");
		break;
	case REPLY_ERROR_FIRST:
		if (r->kind == KIND_STREAM) {
			if (chance(50))
				stream_start(a);
			stream_error(a);
		} else
			error_json(a, "api_error", "not today");
		break;
	case REPLY_HTML:
		bytes_fmt(&a->payload, "<html><body>Please log in</body>"
		    "</html>");
		break;
	case REPLY_NO_START:
		if (r->kind == KIND_STREAM)
			stream_start(a);
		break;
	default:
		break;
	}
}

static void
status_set(struct said *a)
{
	static const int fives[] = { 500, 502, 503, 529, 520, 599 };
	static const int fours[] = { 400, 404, 413, 422, 403 };

	switch (a->kind) {
	case REPLY_RETURNED:
	case REPLY_RATE_TEXT:
		a->status = fours[dice(5)];
		break;
	case REPLY_401:
		a->status = 401;
		break;
	case REPLY_429:
		a->status = 429;
		break;
	case REPLY_5XX:
	case REPLY_STOP:
		a->status = fives[dice(6)];
		break;
	default:
		a->status = 200;
	}
}

/* ---- the wire ---- */

static void
interim_bad(struct bytes *w)
{
	int i, form = (int)dice(3);

	if (form == 0)
		bytes_fmt(w, "HTTP/1.1 101 Switching Protocols\r\n\r\n");
	if (form == 1)
		bytes_fmt(w, "HTTP/1.1 103 Early\r\nContent-Length: 2\r\n"
		    "\r\nab");
	for (i = 0; form == 2 && i < 60; i++)
		bytes_fmt(w, "HTTP/1.1 103 Early Hints\r\n\r\n");
}

/* The right type, or the wrong one: it must not decide. */
static const char *
type_pick(const struct said *a, const struct request *r)
{
	static const char *const any[] = {
		"text/plain; charset=utf-8", "application/json",
		"text/event-stream", "application/octet-stream"
	};

	if (a->kind == REPLY_HTML)
		return "text/html";
	if (a->status == 200 && chance(10))
		return any[dice(4)];
	return r->kind == KIND_STREAM && a->status == 200 &&
	    a->payload.n > 0 ? "text/event-stream; charset=utf-8" :
	    "application/json";
}

static void
head_make(struct said *a, const struct request *r, int framing)
{
	struct bytes *w = &a->wire;
	int i;

	for (i = 0; i < 3; i++)
		if (chance(5))
			bytes_fmt(w, "HTTP/1.1 %s\r\n\r\n", i == 0 ?
			    "100 Continue" : "103 Early Hints\r\nLink: </x>");
	if (a->kind == REPLY_BAD_INTERIM)
		interim_bad(w);
	if (a->kind == REPLY_GARBAGE)
		bytes_fmt(w, chance(50) ? "HTTP/1.1 200 OK\nX: y\n\n" :
		    "SSH-2.0-OpenSSH_9\r\n\r\n");
	bytes_fmt(w, "HTTP/1.%d %d Whatever\r\nx-prov: %s\r\n",
	    framing != 3, a->status, a->mark);
	if (chance(50))
		bytes_fmt(w, "Content-Type: %s\r\n", type_pick(a, r));
	if (chance(20))
		bytes_fmt(w, "x-request-id: theirs\r\nKeep-Alive: t=5\r\n");
	if (a->status == 429 && chance(60))
		bytes_fmt(w, "Retry-After: %u\r\n", dice(4));
	if (a->close)
		bytes_fmt(w, "Connection: close\r\n");
	if (framing == 0)
		bytes_fmt(w, "Content-Length: %lu\r\n",
		    (unsigned long)a->payload.n);
	if (framing == 1)
		bytes_fmt(w, "Transfer-Encoding: chunked\r\n");
	bytes_fmt(w, "\r\n");
	a->head_n = w->n;
}

/* Where a place in the payload went in the wire. */
static void
mark_move(size_t *to, size_t mark, size_t at, size_t n, size_t wire)
{
	if (mark != NEVER && mark > at && mark <= at + n)
		*to = wire + (mark - at);
}

static void
body_make(struct said *a, const struct marks *m, int chunked)
{
	unsigned most = chance(50) ? 200 : 5000;
	size_t at, n;

	for (at = 0; at < a->payload.n; at += n) {
		n = a->payload.n - at;
		if (chunked && n > most)
			n = 1 + dice(most);
		if (chunked)
			bytes_fmt(&a->wire, "%lX\r\n", (unsigned long)n);
		mark_move(&a->commit_from, m->commit, at, n, a->wire.n);
		mark_move(&a->clean_from, m->clean, at, n, a->wire.n);
		bytes_add(&a->wire, a->payload.p + at, n);
		if (chunked)
			bytes_fmt(&a->wire, "\r\n");
		if (chunked && (a->edge == 0 || chance(30)))
			a->edge = a->wire.n;
	}
	if (chunked)
		bytes_fmt(&a->wire, "0\r\n\r\n");
}

static int
has_marks(const struct said *a)
{
	return a->kind == REPLY_GOOD || a->kind == REPLY_ERROR_LATE ||
	    a->kind == REPLY_NO_STOP;
}

/* 0 length, 1 chunked, 2 until close, 3 so and HTTP/1.0. */
static int
framing_pick(struct said *a, const struct request *r)
{
	int framing = (int)dice(10);

	framing = framing < 4 ? 0 : framing < 8 ? 1 : framing - 6;
	/* Of these a cut end could not be seen by anybody. */
	if (framing > 1 && (r->kind == KIND_OTHER || !has_marks(a)))
		framing = (int)dice(2);
	if (r->kind == KIND_HEAD)
		framing = (int)dice(2);
	a->until_close = framing > 1;
	a->close = framing > 1 ? chance(50) : chance(10);
	return framing;
}

/* What the marks do not tell. */
static void
limits_set(struct said *a, const struct request *r, const struct marks *m)
{
	if (has_marks(a)) {
		if (m->commit == 0)
			a->commit_from = a->head_n;
		if (r->kind != KIND_STREAM)
			a->clean_from = a->wire.n;
	} else if (a->kind < REPLY_BAD) {
		/* The text that stops may be there before the end. */
		a->commit_from = a->kind == REPLY_STOP ? a->head_n :
		    a->wire.n;
		a->clean_from = a->wire.n;
	}
}

/* What a kind comes to for this request and this config. */
static enum said_kind
kind_fit(enum said_kind kind, const struct request *r)
{
	int generates = r->kind == KIND_PLAIN || r->kind == KIND_STREAM;

	if (kind == REPLY_ERROR_LATE && r->kind != KIND_STREAM)
		return REPLY_GOOD;
	if (kind == REPLY_NO_STOP && r->kind == KIND_PLAIN)
		return REPLY_EMPTY;
	if (!generates && (kind == REPLY_ERROR_FIRST || kind == REPLY_HTML ||
	    kind == REPLY_EMPTY || kind == REPLY_NO_START ||
	    kind == REPLY_NO_STOP))
		return REPLY_5XX;
	if (r->kind == KIND_HEAD && (kind == REPLY_RATE_TEXT ||
	    kind == REPLY_STOP))
		return REPLY_429;
	if (kind == REPLY_RETURNED && plan.on_4xx)
		return REPLY_5XX;
	return kind;
}

void
said_make(struct said *a, enum said_kind kind, const struct request *r,
    const struct backend *b)
{
	struct marks m = { NEVER, NEVER };
	int framing;

	memset(a, 0, sizeof *a);
	a->kind = kind = kind_fit(kind, r);
	snprintf(a->mark, sizeof a->mark, "m%u-%s-%s-%u", dice(2), b->name,
	    r->name, r->nattempts);
	framing = framing_pick(a, r);
	status_set(a);
	if (kind == REPLY_STOP && r->kind == KIND_PLAIN && chance(30))
		a->status = 200;	/* an error that says it is none */
	if (kind == REPLY_401 && !plan_moves_on(401))
		a->kind = kind = REPLY_RETURNED;
	if (has_marks(a))
		payload_good(a, r, &m);
	else if (kind == REPLY_RETURNED)
		error_json(a, "invalid_request_error", "you are wrong");
	else if (kind == REPLY_STOP)
		error_json(a, "some_error", "please Stop Here");
	else
		payload_bad(a, r);
	head_make(a, r, framing);
	a->commit_from = a->clean_from = NEVER;
	if (r->kind == KIND_HEAD)
		a->payload.n = 0;
	else
		body_make(a, &m, framing == 1);
	limits_set(a, r, &m);
	a->cut = a->wire.n;
	a->end = a->until_close || a->close ? END_FIN : END_KEEP;
}

void
said_break(struct said *a)
{
	unsigned where = dice(4);

	if (a->wire.n == 0)
		return;
	a->cut = where == 0 ? 0 : where == 1 ? dice((unsigned)a->head_n) :
	    dice((unsigned)a->wire.n);
	a->end = (enum said_end)between(END_FIN, END_STALL);
	if (a->edge > 0 && chance(20)) {
		a->end = END_NOISE;
		a->cut = a->edge;
	}
}

int
said_whole(const struct said *a)
{
	return a->cut == a->wire.n && a->clean_from <= a->cut;
}

const char *
said_text(const struct said *a)
{
	static const char *const kinds[REPLY_KINDS] = {
		"good", "error later", "returned", "stop text", "429", "5xx",
		"rate text", "error first", "empty", "html", "no start",
		"garbage", "401", "bad interim", "no stop"
	};
	static const char *const ends[] = {
		"keep", "fin", "reset", "reset and drop", "stall", "noise"
	};
	static char text[120];

	snprintf(text, sizeof text, "%s, status %d, %lu of %lu bytes, then %s",
	    kinds[a->kind], a->status, (unsigned long)a->cut,
	    (unsigned long)a->wire.n, ends[a->end]);
	return text;
}
