#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/answer.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])

#define A DIALECT_ANTHROPIC
#define O DIALECT_OPENAI
#define G DIALECT_GEMINI
#define GEN OP_GENERATE
#define RES OP_RESPONSES

#define GOOD ANSWER_GOOD
#define BAD ANSWER_BAD
#define HOLD ANSWER_HOLD
#define JUDGE ANSWER_JUDGE

#define NONE FO_NONE_FAULT
#define EMPTY FO_EMPTY_FAULT
#define NOT_JSON FO_NOT_JSON_FAULT
#define ERROR FO_ERROR_EVENT_FAULT
#define INVALID FO_INVALID_FAULT
#define CUT FO_TRUNCATED_FAULT

#define PIECE 65536
#define NEVER ((size_t)-1)

/* How an answer is asked for, and what its head says. */
struct asked {
	enum dialect api;
	enum dialect_op op;
	int stream, array;
	int status, moves_on, head_only;
	const char *type;	/* Content-Type; NULL: none */
	const char *fields;	/* more of them; NULL: none */
};

/* What became of it. */
struct told {
	enum answer_step step;	/* what ended the holding */
	size_t at;		/* bytes given until then; NEVER: at its end */
	enum answer_step end;	/* after a commit: what answer_done() said */
	struct buf sent;	/* the client's: held, then all that came */
	struct answer a;
};

/* Sizes of pieces; 0: all of the rest.  bytes repeats. */
static const size_t whole[] = { 0 }, bytes[] = { 1 };

static void
head_make(struct http_head *h, struct buf *text, const struct asked *q)
{
	buf_init(text, 4096);
	buf_fmt(text, "HTTP/1.1 %d X\r\n", q->status);
	if (q->type != NULL)
		buf_fmt(text, "Content-Type: %s\r\n", q->type);
	if (q->fields != NULL)
		buf_adds(text, q->fields);
	buf_adds(text, "\r\n");
	T_OK(http_response(h, buf_cstr(text), text->len, 0, q->head_only) ==
	    HTTP_OK, "%s", buf_cstr(text));
}

/* The head; 1 if the body is to be held. */
static int
begin(struct told *t, const struct asked *q)
{
	struct dialect_call call;
	struct http_head h;
	struct buf text;

	memset(t, 0, sizeof *t);
	memset(&call, 0, sizeof call);
	call.dialect = q->api;
	call.op = q->op;
	call.json_array = q->array != 0;
	call.stream = q->array != 0;
	buf_init(&t->sent, 16u << 20);
	answer_start(&t->a, &call, q->api, q->stream || q->array);
	head_make(&h, &text, q);
	t->at = NEVER;
	t->step = answer_head(&t->a, &h, q->moves_on, q->head_only);
	buf_free(&text);
	return t->step == HOLD;
}

static void
commit(struct told *t)
{
	buf_addstr(&t->sent, answer_held(&t->a));
	answer_committed(&t->a);
	T_OK(t->a.held.len > 0 || t->a.held.p == NULL, "memory is kept");
}

static void
finish(struct told *t)
{
	buf_free(&t->sent);
	answer_free(&t->a);
}

static void
give(struct told *t, struct str data, size_t given)
{
	if (t->a.committed) {
		buf_addstr(&t->sent, data);
		answer_body(&t->a, data);
		return;
	}
	t->step = answer_body(&t->a, data);
	if (t->step != HOLD)
		t->at = given;
	if (t->step == GOOD)
		commit(t);
}

/* Does with an answer what exchange does. */
static void
run(struct told *t, const struct asked *q, struct str body,
    const size_t *cuts)
{
	size_t n, done = 0;

	if (!begin(t, q) && t->step == GOOD) {
		t->at = 0;
		commit(t);
	}
	while (done < body.n && (t->step == HOLD || t->a.committed)) {
		n = *cuts == 0 || *cuts > body.n - done ? body.n - done :
		    *cuts;
		if (n > ANSWER_PIECE_MAX)
			n = ANSWER_PIECE_MAX;
		if (cuts != bytes && *cuts != 0)
			cuts++;
		done += n;
		give(t, str_n(body.p + done - n, n), done);
	}
	if (t->a.committed) {
		t->end = answer_done(&t->a);
		return;
	}
	if (t->step != HOLD)
		return;
	t->step = t->end = answer_done(&t->a);
	if (t->step == GOOD)
		commit(t);
}

/* The body without its mark '|', whose place is *at; NEVER: it has none. */
static struct str
unmark(struct buf *out, const char *text, size_t *at)
{
	const char *mark = strchr(text, '|');

	buf_init(out, 1 << 20);
	*at = mark == NULL ? NEVER : (size_t)(mark - text);
	if (mark == NULL) {
		buf_adds(out, text);
	} else {
		buf_add(out, text, *at);
		buf_adds(out, mark + 1);
	}
	return buf_str(out);
}

static void
check_same(const struct told *t, const struct told *ref, struct str body,
    const char *text, size_t cut)
{
	const struct dialect_usage *u = &t->a.watch.usage;
	const struct dialect_usage *v = &ref->a.watch.usage;

	T_OK(t->step == ref->step && t->end == ref->end &&
	    t->a.fault == ref->a.fault, "cut %lu: %d %d %d, not %d %d %d: %s",
	    (unsigned long)cut, (int)t->step, (int)t->end, (int)t->a.fault,
	    (int)ref->step, (int)ref->end, (int)ref->a.fault, text);
	T_OK(u->input == v->input && u->output == v->output &&
	    u->cache_read == v->cache_read &&
	    strcmp(t->a.watch.stop_reason, ref->a.watch.stop_reason) == 0 &&
	    t->a.watch.ended == ref->a.watch.ended &&
	    t->a.error_seen == ref->a.error_seen &&
	    strcmp(t->a.note, ref->a.note) == 0, "cut %lu: %s",
	    (unsigned long)cut, text);
	if (t->step == GOOD)
		T_OK(str_eq(buf_str(&t->sent), body), "cut %lu: sent %s",
		    (unsigned long)cut, text);
}

/* Every cut in two, and random ones, end as one piece does. */
static void
check_cuts(const struct asked *q, struct str body, const char *text,
    size_t at, const struct told *ref)
{
	static uint64_t seed = 7;
	size_t cuts[40], i, k;
	struct told t;

	for (i = 1; i < body.n; i++) {
		cuts[0] = i;
		cuts[1] = 0;
		run(&t, q, body, cuts);
		check_same(&t, ref, body, text, i);
		if (t.step != JUDGE)
			T_OK(t.at == (at == NEVER ? NEVER : at <= i ? i :
			    body.n), "cut %lu: at %lu, %s", (unsigned long)i,
			    (unsigned long)t.at, text);
		finish(&t);
	}
	for (i = 0; i < 20; i++) {
		for (k = 0; k + 1 < N(cuts); k++)
			cuts[k] = 1 + (size_t)(util_random(&seed) % 40);
		cuts[k] = 0;
		run(&t, q, body, cuts);
		check_same(&t, ref, body, text, 1000 + i);
		finish(&t);
	}
}

/* ---- streams ---- */

#define ST(x) "event: message_start\ndata: {\"type\":\"message_start\"," \
	"\"message\":{\"id\":\"m\",\"content\":[],\"stop_reason\":null," \
	"\"usage\":{\"input_tokens\":12,\"output_tokens\":1}}}\n\n" x
#define PING "event: ping\ndata: {\"type\": \"ping\"}\n\n"
#define BLOCK "event: content_block_start\ndata: {\"type\":" \
	"\"content_block_start\",\"index\":0,\"content_block\":{\"type\":" \
	"\"text\",\"text\":\"\"}}\n\n"
#define TEXT "event: content_block_delta\ndata: {\"type\":" \
	"\"content_block_delta\",\"index\":0,\"delta\":{\"type\":" \
	"\"text_delta\",\"text\":\"Hi\"}}\n\n"
#define STOP "event: message_delta\ndata: {\"type\":\"message_delta\"," \
	"\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{" \
	"\"output_tokens\":7}}\n\n"
#define LAST "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
#define FAIL "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":" \
	"\"overloaded_error\",\"message\":\"Over\\u006coaded\"}}\n\n"

#define CHUNK(x) "data: {\"id\":\"c\",\"choices\":[{\"index\":0," x "}]}\n\n"
#define ROLE CHUNK("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}," \
	"\"finish_reason\":null")
#define WORD CHUNK("\"delta\":{\"content\":\"Hi\"},\"finish_reason\":null")
#define FIN CHUNK("\"delta\":{},\"finish_reason\":\"stop\"")
#define USE "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9," \
	"\"completion_tokens\":3}}\n\n"
#define DONE "data: [DONE]\n\n"
#define OFAIL "data: {\"error\":{\"message\":\"no capacity\",\"type\":" \
	"\"server_error\",\"code\":null}}\n\n"

#define R(type, more) "event: " type "\ndata: {\"type\":\"" type "\"" more \
	"}\n\n"
#define RNEW R("response.created", ",\"response\":{\"id\":\"r\"," \
	"\"status\":\"in_progress\"}") \
	R("response.output_item.added", ",\"item\":{\"type\":\"message\"}")
#define RTEXT R("response.output_text.delta", ",\"delta\":\"Hi\"")
#define RFULL R("response.completed", ",\"response\":{\"status\":" \
	"\"completed\",\"usage\":{\"input_tokens\":4,\"output_tokens\":2}}")
#define RFAIL R("response.failed", ",\"response\":{\"status\":\"failed\"," \
	"\"error\":{\"code\":\"server_error\",\"message\":\"broke\"}}")

#define CAND(x) "{\"candidates\":[{" x "}]"
#define PARTS(x) "\"content\":{\"parts\":[{\"text\":\"" x "\"}]}"
#define GUSE ",\"usageMetadata\":{\"promptTokenCount\":5," \
	"\"candidatesTokenCount\":6}"
#define GNEW "data: {\"modelVersion\":\"g\"" GUSE "}\n\n"
#define GTEXT "data: " CAND(PARTS("Hi")) "}\n\n"
#define GFIN "data: " CAND(PARTS("!") ",\"finishReason\":\"STOP\"") GUSE \
	"}\n\n"
#define GFAIL "data: {\"error\":{\"code\":503,\"message\":\"busy\"," \
	"\"status\":\"UNAVAILABLE\"}}\n\n"

/*
 * '|': with this byte the answer is decided, and with none before it.  No
 * mark: its end decides.
 */
static const struct {
	enum dialect api;
	enum dialect_op op;
	const char *body;
	enum answer_step step;
	enum fo_fault fault;	/* before the commit, or after its end */
	const char *stop, *note;
	int input, output;
} streams[] = {
	{ A, GEN, ST(PING BLOCK) PING TEXT "|" TEXT STOP LAST, GOOD, NONE,
	    "end_turn", "", 12, 7 },
	{ A, GEN, ": hello\n\n\n\n" ST("") TEXT "|" STOP LAST, GOOD, NONE,
	    "end_turn", "", 12, 7 },
	{ A, GEN, ST("") STOP "|" LAST, GOOD, NONE, "end_turn", "", 12, 7 },
	{ A, GEN, ST("") TEXT "|" STOP, GOOD, NONE, "end_turn", "", 12, 7 },
	{ A, GEN, ST("") TEXT "|" TEXT LAST, GOOD, NONE, "", "", 12, 1 },
	{ A, GEN, ST("") TEXT "|" TEXT, GOOD, CUT, "", "", 12, 1 },
	{ A, GEN, ST("") TEXT "|data: {\"type\":\"content_bl", GOOD, CUT, "",
	    "", 12, 1 },
	{ A, GEN, ST("") TEXT "|not an event\n\n" STOP, GOOD, NONE,
	    "end_turn", "", 12, 7 },
	{ A, GEN, ST("") TEXT "|data: not JSON\n\n" STOP LAST, GOOD, NONE,
	    "end_turn", "", 12, 7 },
	{ A, GEN, FAIL "|", BAD, ERROR, "", "Overloaded", -1, -1 },
	{ A, GEN, ST(PING) FAIL "|", BAD, ERROR, "", "Overloaded", 12, 1 },
	{ A, GEN, "data: what\n\n|", BAD, INVALID, "", "what", -1, -1 },
	{ A, GEN, ST("") "data: {\"type\":\n\n|", BAD, INVALID, "",
	    "{\"type\":", 12, 1 },
	{ A, GEN, PING PING PING, BAD, EMPTY, "", "", -1, -1 },
	{ A, GEN, ": \n\n: \n\n", BAD, EMPTY, "", "", -1, -1 },
	{ A, GEN, ST(BLOCK), BAD, EMPTY, "", "", 12, 1 },
	{ A, GEN, " data: {\"type\":\"content_block_delta\"}\n\n", BAD, EMPTY,
	    "", "", -1, -1 },
	{ A, GEN, ST("") LAST, GOOD, NONE, "", "", 12, 1 },
	/* line ends, and a last event without its empty line */
	{ A, GEN, "event: ping\r\ndata: {}\r\n\r\ndata: {\"type\":"
	    "\"content_block_delta\",\"delta\":{}}\r\n\r\n|data: {\"type\":"
	    "\"message_stop\"}\r\n\r\n", GOOD, NONE, "", "", -1, -1 },
	{ A, GEN, "data: {\"type\":\"content_block_delta\"}\r\r|data: {\"type\""
	    ":\"message_stop\"}\r\r", GOOD, NONE, "", "", -1, -1 },
	{ A, GEN, "data: {\"type\":\ndata: \"content_block_delta\"}\n\n|"
	    "data: {\"type\":\"message_stop\"}", GOOD, NONE, "", "",
	    -1, -1 },
	{ A, GEN, "data: {\"type\":\"message_delta\",\"delta\":{"
	    "\"stop_reason\":\"refusal\"}}\n", GOOD, NONE, "refusal", "",
	    -1, -1 },
	{ A, GEN, ST("") "data: {\"type\":\"content_block_delta\"}\n", BAD,
	    EMPTY, "", "", 12, 1 },
	{ A, GEN, "data: {\"type\":\"error\",\"error\":{\"message\":\"x\"}}",
	    BAD, ERROR, "", "x", -1, -1 },
	{ A, GEN, ST("") "data: {\"type\":\"content_blo", BAD, INVALID, "",
	    "{\"type\":\"content_blo", 12, 1 },

	{ O, GEN, ROLE WORD "|" WORD FIN USE DONE, GOOD, NONE, "stop", "",
	    9, 3 },
	{ O, GEN, ": OPENROUTER PROCESSING\n\n" ROLE FIN "|" DONE, GOOD, NONE,
	    "stop", "", -1, -1 },
	{ O, GEN, WORD "|" FIN, GOOD, NONE, "stop", "", -1, -1 },
	{ O, GEN, WORD "|" WORD, GOOD, CUT, "", "", -1, -1 },
	{ O, GEN, WORD "|" DONE, GOOD, NONE, "", "", -1, -1 },
	{ O, GEN, OFAIL "|", BAD, ERROR, "", "no capacity", -1, -1 },
	{ O, GEN, ROLE OFAIL "|" DONE, BAD, ERROR, "", "no capacity",
	    -1, -1 },
	{ O, GEN, ROLE, BAD, EMPTY, "", "", -1, -1 },
	{ O, GEN, ROLE DONE, GOOD, NONE, "", "", -1, -1 },
	{ O, GEN, "data: <html>\n\n|", BAD, INVALID, "", "<html>", -1, -1 },

	{ O, RES, RNEW RTEXT "|" RTEXT RFULL, GOOD, NONE, "completed", "",
	    4, 2 },
	{ O, RES, RNEW RFULL "|", GOOD, NONE, "completed", "", 4, 2 },
	{ O, RES, RNEW RTEXT "|" RTEXT, GOOD, CUT, "", "", -1, -1 },
	{ O, RES, RNEW RFAIL "|", BAD, ERROR, "", "broke", -1, -1 },
	{ O, RES, RNEW, BAD, EMPTY, "", "", -1, -1 },

	{ G, GEN, GNEW GTEXT "|" GTEXT GFIN, GOOD, NONE, "STOP", "", 5, 6 },
	{ G, GEN, GTEXT "|" GTEXT, GOOD, CUT, "", "", -1, -1 },
	{ G, GEN, "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}"
	    "\n\n|", GOOD, NONE, "SAFETY", "", -1, -1 },
	{ G, GEN, GNEW GFAIL "|", BAD, ERROR, "", "busy", 5, 6 },
	{ G, GEN, GNEW, BAD, EMPTY, "", "", 5, 6 },

	/* one document where a stream was asked for, and no stream at all */
	{ A, GEN, "{\"type\":\"message\",\"stop_reason\":\"end_turn\"}", GOOD,
	    NONE, "end_turn", "", -1, -1 },
	{ A, GEN, " \r\n\t{\"type\":\"error\",\"error\":{\"message\":\"x\"}}",
	    BAD, ERROR, "", "x", -1, -1 },
	{ O, GEN, "<html>down</html>", BAD, NOT_JSON, "", "<html>down</html>",
	    -1, -1 }
};

static void
test_stream(size_t i)
{
	struct asked q = { A, GEN, 1, 0, 200, 0, 0, "text/event-stream", NULL };
	struct told t, ref;
	struct buf text;
	struct str body;
	size_t at;

	q.api = streams[i].api;
	q.op = streams[i].op;
	body = unmark(&text, streams[i].body, &at);
	run(&t, &q, body, bytes);
	T_OK(t.step == streams[i].step && t.at == at, "%d at %lu: %s",
	    (int)t.step, (unsigned long)t.at, streams[i].body);
	T_OK(t.a.fault == streams[i].fault, "%s: %s",
	    fo_fault_text(t.a.fault), streams[i].body);
	if (t.step == GOOD)
		T_OK(t.end == (streams[i].fault == NONE ? GOOD : BAD),
		    "%s", streams[i].body);
	T_OK(strcmp(t.a.watch.stop_reason, streams[i].stop) == 0 &&
	    t.a.watch.usage.input == streams[i].input &&
	    t.a.watch.usage.output == streams[i].output, "%s %ld %ld: %s",
	    t.a.watch.stop_reason, (long)t.a.watch.usage.input,
	    (long)t.a.watch.usage.output, streams[i].body);
	T_OK(strcmp(t.a.note, streams[i].note) == 0, "%s: %s", t.a.note,
	    streams[i].body);
	T_OK(!t.a.error_seen && !t.a.blind, "%s", streams[i].body);
	T_OK(t.a.bytes == (t.step == GOOD || at == NEVER ? body.n : at),
	    "%s", streams[i].body);
	run(&ref, &q, body, whole);
	check_same(&ref, &t, body, streams[i].body, 0);
	T_OK(ref.at == (at == NEVER ? NEVER : body.n), "%s", streams[i].body);
	check_cuts(&q, body, streams[i].body, at, &ref);
	finish(&ref);
	finish(&t);
	buf_free(&text);
}

/* Whatever the head calls it, and whatever was asked for, it is the same. */
static void
test_types(size_t i)
{
	static const char *const types[] = {
		NULL, "application/json", "text/plain", "text/html",
		"TEXT/EVENT-STREAM; charset=utf-8", "application/octet-stream",
		"Application/JSON; charset=utf-8"
	};
	struct asked q = { A, GEN, 1, 0, 200, 0, 0, NULL, NULL };
	struct told t, ref;
	struct buf text;
	struct str body;
	size_t k, at;

	q.api = streams[i].api;
	q.op = streams[i].op;
	body = unmark(&text, streams[i].body, &at);
	/* Taken for a document, it has no line that we would know. */
	if (*str_trim(body).p == 'n')
		return;
	q.type = "text/event-stream";
	run(&ref, &q, body, bytes);
	for (k = 0; k < 2 * N(types); k++) {
		q.type = types[k / 2];
		q.stream = k & 1;
		run(&t, &q, body, bytes);
		check_same(&t, &ref, body, streams[i].body, 2000 + k);
		T_OK(t.at == ref.at, "%s: %s", q.type ? q.type : "none",
		    streams[i].body);
		finish(&t);
		run(&t, &q, body, whole);
		check_same(&t, &ref, body, streams[i].body, 3000 + k);
		finish(&t);
	}
	finish(&ref);
	buf_free(&text);
}

/* An error after the commit goes to the client; in one piece, nowhere. */
static void
test_late_error(void)
{
	static const struct asked q = {
		A, GEN, 1, 0, 200, 0, 0, "text/event-stream", NULL
	};
	struct str body = str_of(ST("") TEXT FAIL);
	struct told t;

	run(&t, &q, body, bytes);
	T_OK(t.step == GOOD && t.end == GOOD && t.a.error_seen, "%d", t.end);
	T_OK(t.a.fault == NONE && strcmp(t.a.note, "Overloaded") == 0, "%s",
	    t.a.note);
	T_OK(str_eq(buf_str(&t.sent), body), "sent");
	finish(&t);
	run(&t, &q, body, whole);
	T_OK(t.step == BAD && t.a.fault == ERROR, "%d", t.step);
	T_OK(str_eq(answer_held(&t.a), body), "held");
	finish(&t);
}

static void
test_byte_order_mark(void)
{
	static const struct asked q = {
		O, GEN, 1, 0, 200, 0, 0, "text/event-stream", NULL
	};
	struct str body = str_of("\xef\xbb\xbf" WORD FIN);
	struct told t, ref;

	run(&ref, &q, body, whole);
	run(&t, &q, body, bytes);
	T_OK(t.at == strlen("\xef\xbb\xbf" WORD), "%lu", (unsigned long)t.at);
	check_same(&t, &ref, body, "mark", 0);
	check_cuts(&q, body, "mark", t.at, &ref);
	finish(&t);
	finish(&ref);
}

/* ---- documents ---- */

static const struct {
	enum dialect api;
	enum dialect_op op;
	int status;
	const char *body;
	enum answer_step step;
	enum fo_fault fault;
	const char *stop, *note;
} plains[] = {
	{ A, GEN, 200, "{\"type\":\"message\",\"stop_reason\":\"end_turn\"}",
	    GOOD, NONE, "end_turn", "" },
	{ A, GEN, 201, " {\"type\":\"message\"}\r\n", GOOD, NONE, "", "" },
	{ A, GEN, 200, "", BAD, EMPTY, "", "" },
	{ A, GEN, 200, " \t ", BAD, EMPTY, "", "" },
	{ A, GEN, 204, "", BAD, EMPTY, "", "" },
	{ A, GEN, 200, "<!doctype html><p>Log in", BAD, NOT_JSON, "",
	    "<!doctype html><p>Log in" },
	{ A, GEN, 200, "{\"type\":\"message\"", BAD, NOT_JSON, "",
	    "message" },
	{ A, GEN, 200, "{\"type\":\"error\",\"error\":{\"type\":\"api_error\","
	    "\"message\":\"a\\tb\\nc \\u00e9\"}}", BAD, ERROR, "",
	    "a b c \xc3\xa9" },
	{ A, GEN, 200, "{\"error\":{\"type\":\"api_error\"}}", BAD, ERROR, "",
	    "api_error" },
	{ A, GEN, 200, "data", BAD, NOT_JSON, "", "data" },
	{ A, GEN, 200, "e", BAD, NOT_JSON, "", "e" },
	{ A, GEN, 200, "eventually", BAD, NOT_JSON, "", "eventually" },
	{ O, GEN, 200, "{\"choices\":[{\"message\":{\"content\":\"x\"},"
	    "\"finish_reason\":\"length\"}]}", GOOD, NONE, "length", "" },
	{ O, GEN, 200, "{\"error\":\"no such engine\"}", BAD, ERROR, "",
	    "no such engine" },
	{ O, GEN, 200, "[]", GOOD, NONE, "", "" },
	{ O, RES, 200, "{\"status\":\"completed\",\"error\":null}", GOOD,
	    NONE, "completed", "" },
	{ O, RES, 200, "{\"status\":\"failed\",\"error\":{\"message\":\"m\"}}",
	    BAD, ERROR, "", "m" },
	{ G, GEN, 200, CAND(PARTS("x") ",\"finishReason\":\"STOP\"") "}", GOOD,
	    NONE, "STOP", "" },
	{ G, GEN, 200, "{\"error\":{\"code\":429,\"status\":"
	    "\"RESOURCE_EXHAUSTED\"}}", BAD, ERROR, "", "RESOURCE_EXHAUSTED" },
	{ A, OP_COUNT, 200, "{\"input_tokens\":3}", GOOD, NONE, "", "" },
	{ A, OP_COUNT, 200, "{\"error\":{\"message\":\"x\"}}", BAD, ERROR, "",
	    "x" },
	{ G, OP_COUNT, 200, "{\"totalTokens\":3}", GOOD, NONE, "", "" },
	{ A, OP_COUNT, 200, "<html>", BAD, NOT_JSON, "", "<html>" },
	{ A, OP_COUNT, 200, "", BAD, EMPTY, "", "" },
	/* errors are judged by those who know the policy */
	{ A, GEN, 400, "{\"error\":{}}", JUDGE, NONE, "", "" },
	{ A, GEN, 529, "", JUDGE, NONE, "", "" },
	{ A, OP_OTHER, 404, "<html>", JUDGE, NONE, "", "" },
	{ O, GEN, 429, "data: x\n\n", JUDGE, NONE, "", "" }
};

static void
test_plain(size_t i)
{
	static const char *const types[] = {
		"application/json", "text/html", "text/plain", NULL
	};
	struct asked q = { A, GEN, 0, 0, 200, 0, 0, NULL, NULL };
	struct told t, ref;
	struct str body = str_of(plains[i].body);
	size_t k;

	q.api = plains[i].api;
	q.op = plains[i].op;
	q.status = plains[i].status;
	for (k = 0; k < 2 * N(types); k++) {
		q.type = types[k / 2];
		q.moves_on = q.status >= 500 || (k & 1 && q.status >= 400);
		run(&ref, &q, body, whole);
		T_OK(ref.step == plains[i].step && ref.at == NEVER &&
		    ref.a.fault == plains[i].fault && ref.a.complete,
		    "%d %s: %s", (int)ref.step, fo_fault_text(ref.a.fault),
		    body.p);
		T_OK(strcmp(ref.a.note, plains[i].note) == 0 &&
		    strcmp(ref.a.watch.stop_reason, plains[i].stop) == 0,
		    "%s, %s: %s", ref.a.note, ref.a.watch.stop_reason, body.p);
		if (ref.step != GOOD)
			T_OK(str_eq(answer_held(&ref.a), body), "%s", body.p);
		run(&t, &q, body, bytes);
		check_same(&t, &ref, body, body.p, 0);
		finish(&t);
		check_cuts(&q, body, body.p, NEVER, &ref);
		finish(&ref);
	}
}

/* What is decided by its head alone. */
static void
test_heads(void)
{
#define DEFLATED "Content-Encoding: gzip\r\n"
	static const struct {
		struct asked q;
		enum answer_step step;
		enum answer_kind kind;
	} rows[] = {
		{ { A, GEN, 0, 0, 200, 0, 0, NULL, NULL }, HOLD, ANSWER_PLAIN },
		{ { A, GEN, 1, 0, 200, 0, 0, NULL, NULL }, HOLD,
		    ANSWER_STREAM },
		{ { G, GEN, 1, 1, 200, 0, 0, NULL, NULL }, HOLD, ANSWER_ARRAY },
		{ { A, GEN, 1, 0, 200, 0, 0, "application/json", NULL }, HOLD,
		    ANSWER_PLAIN },
		{ { A, GEN, 1, 0, 200, 0, 0, "text/html", NULL }, HOLD,
		    ANSWER_PLAIN },
		{ { A, GEN, 0, 0, 200, 0, 0, "text/event-stream", NULL }, HOLD,
		    ANSWER_STREAM },
		{ { A, GEN, 1, 0, 200, 0, 0, NULL, DEFLATED }, GOOD,
		    ANSWER_OPAQUE },
		{ { A, GEN, 1, 0, 200, 0, 0, NULL,
		    "content-encoding: Identity\r\n" }, HOLD, ANSWER_STREAM },
		{ { A, GEN, 1, 0, 200, 0, 0, NULL,
		    "content-encoding:\r\n" }, HOLD, ANSWER_STREAM },
		{ { A, GEN, 0, 0, 200, 0, 1, NULL, NULL }, GOOD,
		    ANSWER_OPAQUE },
		{ { A, OP_OTHER, 0, 0, 204, 0, 0, NULL, NULL }, GOOD,
		    ANSWER_OPAQUE },
		{ { A, OP_OTHER, 0, 0, 200, 0, 0, NULL, NULL }, GOOD,
		    ANSWER_OPAQUE },
		{ { O, OP_MODELS, 0, 0, 200, 0, 0, NULL, NULL }, GOOD,
		    ANSWER_OPAQUE },
		{ { O, OP_LEGACY, 1, 0, 200, 0, 0, "text/event-stream", NULL },
		    GOOD, ANSWER_OPAQUE },
		{ { A, GEN, 1, 0, 302, 0, 0, NULL, NULL }, GOOD,
		    ANSWER_OPAQUE },
		{ { A, GEN, 0, 0, 304, 0, 0, NULL, NULL }, GOOD,
		    ANSWER_OPAQUE },
		{ { A, GEN, 0, 0, 302, 1, 0, NULL, NULL }, HOLD,
		    ANSWER_ERROR },
		{ { A, GEN, 0, 0, 400, 0, 0, NULL, NULL }, HOLD,
		    ANSWER_ERROR },
		{ { A, GEN, 0, 0, 400, 0, 0, NULL, DEFLATED }, HOLD,
		    ANSWER_ERROR },
		{ { A, GEN, 0, 0, 400, 0, 1, NULL, NULL }, GOOD,
		    ANSWER_OPAQUE },
		{ { A, OP_OTHER, 0, 0, 503, 1, 1, NULL, NULL }, HOLD,
		    ANSWER_ERROR },
		{ { A, OP_OTHER, 0, 0, 529, 1, 0, "text/event-stream",
		    DEFLATED }, HOLD, ANSWER_ERROR }
	};
	struct told t;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		begin(&t, &rows[i].q);
		T_OK(t.step == rows[i].step && t.a.kind == rows[i].kind &&
		    t.a.status == rows[i].q.status, "row %lu: %d %d",
		    (unsigned long)i, (int)t.step, (int)t.a.kind);
		finish(&t);
		if (rows[i].step == HOLD)
			continue;
		run(&t, &rows[i].q, str_of("any\nthing \x1f\x8b"), bytes);
		T_OK(t.at == 0 && t.end == GOOD && t.a.bytes == 12 &&
		    t.a.fault == NONE && t.sent.len == 12 &&
		    t.a.held.len == 0, "row %lu", (unsigned long)i);
		finish(&t);
	}
}

/* ---- Gemini's array ---- */

static void
test_array(void)
{
#define E1 CAND(PARTS("a")) "}"
#define E2 CAND("\"finishReason\":\"STOP\"") "}"
	static const struct {
		const char *body;
		enum answer_step step;
		enum fo_fault fault;
		const char *note;
	} rows[] = {
		{ "[" E1 "|,\r\n" E2 "]", GOOD, NONE, "" },
		{ " \n[ \n" E1 "|\n]\n", GOOD, NONE, "" },
		{ "[{\"modelVersion\":\"}]\"}|," E1 "]", GOOD, NONE, "" },
		{ "[{\"error\":{\"message\":\"[x]\"}}|]", BAD, ERROR, "[x]" },
		{ "[{\"error\":{\"message\":\"y\"}}|", BAD, ERROR, "y" },
		{ "[]", GOOD, NONE, "" },
		{ "", BAD, EMPTY, "" },
		{ " \t", BAD, EMPTY, "" },
		{ "[", BAD, NOT_JSON, "[" },
		{ "[{\"candidates\":[", BAD, NOT_JSON, "[{\"candidates\":[" },
		{ "[1,2]", GOOD, NONE, "" },
		{ "{\"error\":{\"message\":\"z\"}}", BAD, ERROR, "z" },
		{ E1, GOOD, NONE, "" },
		{ "<html>", BAD, NOT_JSON, "<html>" }
	};
	struct asked q = { G, GEN, 1, 1, 200, 0, 0, "application/json", NULL };
	struct told t, ref;
	struct buf text;
	struct str body;
	size_t i, at;

	for (i = 0; i < N(rows); i++) {
		body = unmark(&text, rows[i].body, &at);
		q.type = i & 1 ? "application/json" : NULL;
		run(&ref, &q, body, whole);
		run(&t, &q, body, bytes);
		T_OK(t.step == rows[i].step && t.at == at &&
		    t.a.fault == rows[i].fault &&
		    strcmp(t.a.note, rows[i].note) == 0, "%d at %lu, %s: %s",
		    (int)t.step, (unsigned long)t.at, t.a.note, rows[i].body);
		T_OK(ref.step == t.step && ref.end == t.end &&
		    ref.a.fault == t.a.fault, "%s", rows[i].body);
		T_OK(t.a.kind == (strchr("{<", *body.p) && body.n > 0 ?
		    ANSWER_PLAIN : ANSWER_ARRAY), "%s", rows[i].body);
		check_cuts(&q, body, rows[i].body, at, &ref);
		finish(&t);
		finish(&ref);
		buf_free(&text);
	}
}

/* A first element of 100 KB in small pieces is decided with little delay. */
static void
test_array_long(void)
{
	static const struct asked q = {
		G, GEN, 1, 1, 200, 0, 0, "application/json", NULL
	};
	struct buf b;
	struct told t;
	size_t n;

	buf_init(&b, 1 << 20);
	buf_adds(&b, "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"");
	while (b.len < 100000)
		buf_addc(&b, 'x');
	buf_adds(&b, "\"}]}}]}");
	n = b.len;
	while (b.len < 200000)
		buf_adds(&b, "\n,{}");
	run(&t, &q, buf_str(&b), bytes);
	T_OK(t.step == GOOD && t.at >= n && t.at <= n + n / 8 + 1, "at %lu",
	    (unsigned long)t.at);
	T_OK(str_eq(buf_str(&t.sent), buf_str(&b)), "sent");
	finish(&t);
	buf_free(&b);
}

/* ---- large ones ---- */

/* Adds n bytes of a kind, so that it stays what it was. */
static void
fill(struct buf *b, const char *unit, size_t n)
{
	size_t one = strlen(unit);

	for (; n >= one; n -= one)
		buf_add(b, unit, one);
}

static void
run_large(struct told *t, const struct asked *q, const struct buf *b)
{
	static const size_t cuts[] = { 2, PIECE, PIECE, 3, PIECE, 0 };

	run(t, q, buf_str(b), cuts);
	if (t->step == GOOD)
		T_OK(str_eq(buf_str(&t->sent), buf_str(b)), "sent");
}

static void
test_large(void)
{
	static const struct asked plain = {
		O, GEN, 0, 0, 200, 0, 0, "application/json", NULL
	}, stream = {
		O, GEN, 1, 0, 200, 0, 0, "text/event-stream", NULL
	}, array = {
		G, GEN, 1, 1, 200, 0, 0, "application/json", NULL
	}, error = {
		O, GEN, 0, 0, 500, 1, 0, "application/json", NULL
	};
	struct told t;
	struct buf b;

	buf_init(&b, 8u << 20);
	/* At the limit all of it is judged; over it, nothing is. */
	buf_adds(&b, "{\"error\":{}}");
	fill(&b, " ", ANSWER_HELD_MAX - b.len);
	run_large(&t, &plain, &b);
	T_OK(t.step == BAD && t.a.fault == ERROR && t.at == NEVER, "limit");
	finish(&t);
	buf_addc(&b, ' ');
	run_large(&t, &plain, &b);
	T_OK(t.step == GOOD && t.at == b.len && t.a.blind && t.end == GOOD,
	    "over the limit: %d", (int)t.step);
	finish(&t);
	run_large(&t, &error, &b);
	T_OK(t.step == JUDGE && t.at == b.len, "error: %d", (int)t.step);
	finish(&t);
	fill(&b, " ", 1u << 20);
	run_large(&t, &plain, &b);
	T_OK(t.step == GOOD && t.at <= ANSWER_HELD_MAX +
	    ANSWER_PIECE_MAX, "at %lu",
	    (unsigned long)t.at);
	T_OK(t.end == GOOD && t.a.held.len == 0, "large");
	finish(&t);
	/* Of what goes through unread the end is still seen to be missing. */
	buf_clear(&b);
	buf_adds(&b, "{\"a\":[\"\\\"]}");
	fill(&b, "x", ANSWER_HELD_MAX + PIECE);
	run_large(&t, &plain, &b);
	T_OK(t.step == GOOD && t.end == BAD && t.a.fault == CUT, "large, cut");
	finish(&t);
	buf_adds(&b, "\\\\\"]}\r\n");
	run_large(&t, &plain, &b);
	T_OK(t.step == GOOD && t.end == GOOD, "large, not cut");
	finish(&t);
	/* What must not be seen unjudged is refused. */
	buf_clear(&b);
	fill(&b, ": wait\n\n", ANSWER_HELD_MAX + PIECE);
	run_large(&t, &stream, &b);
	T_OK(t.step == BAD && t.a.fault == FO_TOO_LARGE_FAULT, "%d",
	    (int)t.step);
	finish(&t);
	buf_clear(&b);
	buf_adds(&b, "[{\"candidates\":\"");
	fill(&b, "x", ANSWER_HELD_MAX + PIECE);
	run_large(&t, &array, &b);
	T_OK(t.step == BAD && t.a.fault == FO_TOO_LARGE_FAULT, "%d",
	    (int)t.step);
	finish(&t);
	buf_free(&b);
}

/* After the commit: long events are read, too long ones end the reading. */
static void
test_tail(void)
{
	static const struct asked q = {
		O, GEN, 1, 0, 200, 0, 0, "text/event-stream", NULL
	};
	struct told t;
	struct buf b;

	buf_init(&b, 8u << 20);
	buf_adds(&b, WORD "data: {\"x\":\"");
	fill(&b, "y", 3u << 20);
	buf_adds(&b, "\",\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n");
	run_large(&t, &q, &b);
	T_OK(t.end == GOOD && !t.a.blind && t.a.watch.stopped, "long");
	T_OK(t.a.held.len == 0 && t.a.held.p == NULL, "memory is given back");
	finish(&t);
	/* The same, cut off: no more than what it is. */
	buf_cut(&b, b.len - 10);
	run_large(&t, &q, &b);
	T_OK(t.end == BAD && t.a.fault == CUT && !t.a.blind, "long and cut");
	finish(&t);
	buf_clear(&b);
	buf_adds(&b, WORD "data: ");
	fill(&b, "y", ANSWER_TAIL_MAX + PIECE);
	buf_adds(&b, "\n\n" WORD);
	run_large(&t, &q, &b);
	T_OK(t.end == GOOD && t.a.blind && t.a.fault == NONE, "blind");
	T_OK(t.a.held.p == NULL && t.a.bytes == b.len, "blind: memory");
	finish(&t);
	buf_free(&b);
}

/* One line of what may be seen, however long and whatever the body. */
static void
test_note(void)
{
	static const struct asked q = {
		O, GEN, 0, 0, 500, 1, 0, NULL, NULL
	};
	struct told t;
	struct buf b;
	size_t i;

	begin(&t, &q);
	answer_note(&t.a,
	    str_of("[{\"error\":{\"message\":\"a \\\"b\\\"\"}}]"));
	T_OK(strcmp(t.a.note, "a \"b\"") == 0, "%s", t.a.note);
	answer_note(&t.a, str_n("\x1b[31m\r\n\0x", 9));
	T_OK(strcmp(t.a.note, " [31m   x") == 0, "%s", t.a.note);
	answer_note(&t.a, str_of(""));
	T_OK(t.a.note[0] == '\0', "%s", t.a.note);
	buf_init(&b, 1 << 20);
	for (i = 190; i < 9000; i += i < 210 ? 1 : 1000) {
		buf_clear(&b);
		buf_adds(&b, "{\"message\":\"");
		fill(&b, "m", i);
		buf_adds(&b, "\"}");
		answer_note(&t.a, buf_str(&b));
		T_OK(strlen(t.a.note) == (i < 199 ? i : 199) &&
		    strspn(t.a.note, "m") == strlen(t.a.note), "%lu: %s",
		    (unsigned long)i, t.a.note);
	}
	buf_free(&b);
	finish(&t);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < N(streams); i++) {
		test_stream(i);
		test_types(i);
	}
	test_late_error();
	test_byte_order_mark();
	for (i = 0; i < N(plains); i++)
		test_plain(i);
	test_heads();
	test_array();
	test_array_long();
	test_large();
	test_tail();
	test_note();
	return t_end();
}
