#include <stdio.h>
#include <string.h>

#include "dialect/anthropic_answer.h"
#include "json.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])

/* ---- events in few letters ---- */

static void
show_str(struct buf *b, const char *before, struct str s)
{
	if (s.p == NULL)
		return;
	buf_adds(b, before);
	buf_addstr(b, s);
}

static void
show_usage(struct buf *b, const struct dialect_usage *u)
{
	buf_fmt(b, " %ld/%ld/%ld/%ld/%ld", (long)u->input, (long)u->output,
	    (long)u->cache_read, (long)u->cache_write, (long)u->reasoning);
}

static void
show_event(void *arg, const struct msg_event *e)
{
	static const char *const kinds[] = {
		"start", "open", "+", "cite", "close", "finish", "usage",
		"end", "error"
	};
	static const char *const parts[] = {
		" text", " image", " doc", " audio", " call", " result",
		" think", " redacted", " refusal"
	};
	static const char *const stops[] = {
		" end", " max", " tool", " sequence", " refusal", " pause"
	};
	struct buf *b = arg;

	if (b->len > 0)
		buf_adds(b, " | ");
	buf_adds(b, kinds[e->kind]);
	if (e->kind == MSG_OPEN || e->kind == MSG_CLOSE)
		buf_adds(b, parts[e->part]);
	show_str(b, " id=", e->id);
	show_str(b, " name=", e->name);
	show_str(b, " data=", e->data);
	show_str(b, " url=", e->url);
	show_str(b, " title=", e->title);
	show_str(b, " sig=", e->signature);
	if (e->kind == MSG_FINISH)
		buf_adds(b, stops[e->stop]);
	show_str(b, " seq=", e->sequence);
	show_str(b, " why=", e->refusal);
	if (e->kind == MSG_ERROR)
		buf_fmt(b, " %d", (int)e->class);
	show_str(b, e->kind == MSG_ERROR ? " " : "", e->text);
	if (e->kind == MSG_START || e->kind == MSG_USAGE)
		show_usage(b, &e->usage);
}

static void
show_notes(struct buf *b, const struct msg_notes *notes)
{
	const struct msg_string *s;

	for (s = notes->first; s != NULL; s = s->next)
		show_str(b, " !", s->s);
}

#define NONE " -1/-1/-1/-1/-1"
#define TAIL(stop) " | finish " stop " | usage" NONE " | end"

/* ---- streams read ---- */

/* Events, one in a line; a line "name:" alone names the next one. */
#define EV(type, rest) "{\"type\":\"" type "\"" rest "}\n"
#define START EV("message_start", ",\"message\":{\"id\":\"msg_1\"}")
#define BLOCK(x) EV("content_block_start", \
	",\"index\":0,\"content_block\":{" x "}")
#define DELTA(x) EV("content_block_delta", ",\"index\":0,\"delta\":{" x "}")
#define TEXT(x) DELTA("\"type\":\"text_delta\",\"text\":\"" x "\"")
#define STOP EV("content_block_stop", ",\"index\":0")
#define WHY(x) EV("message_delta", ",\"delta\":{\"stop_reason\":" x "}")
#define END EV("message_stop", "")
#define T0 BLOCK("\"type\":\"text\",\"text\":\"\"")
#define C0 BLOCK("\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\"," \
	"\"input\":{}")
#define S "start id=msg_1" NONE

static const struct {
	const char *in, *events;
} streams[] = {
	{ START T0 TEXT("a\\n") TEXT("") TEXT("b") STOP WHY("\"end_turn\"")
	    END, S " | open text | +a\\n | +b | close text" TAIL("end") },
	/* Usage: told twice, the last counts; null says nothing. */
	{ EV("message_start", ",\"message\":{\"id\":\"m\",\"usage\":{"
	    "\"input_tokens\":12,\"cache_creation_input_tokens\":3,"
	    "\"cache_read_input_tokens\":40,\"output_tokens\":1}}")
	    EV("message_delta", ",\"delta\":{\"stop_reason\":\"end_turn\"},"
	    "\"usage\":{\"output_tokens\":9,\"input_tokens\":null,"
	    "\"cache_read_input_tokens\":41,\"output_tokens_details\":{"
	    "\"thinking_tokens\":4}}") END,
	    "start id=m 12/1/40/3/-1 | finish end | usage 12/9/41/3/4 | "
	    "end" },
	/* Thinking: the last signature counts, also that of the start. */
	{ START BLOCK("\"type\":\"thinking\",\"thinking\":\"\","
	    "\"signature\":\"\"") DELTA("\"type\":\"thinking_delta\","
	    "\"thinking\":\"hm\"") DELTA("\"type\":\"signature_delta\","
	    "\"signature\":\"A\"") DELTA("\"type\":\"signature_delta\","
	    "\"signature\":\"B\\/\"") STOP WHY("\"end_turn\"") END,
	    S " | open think | +hm | close think sig=B/" TAIL("end") },
	{ START BLOCK("\"type\":\"thinking\",\"thinking\":\"x\","
	    "\"signature\":\"A\"") STOP WHY("\"end_turn\"") END,
	    S " | open think | +x | close think sig=A" TAIL("end") },
	{ START BLOCK("\"type\":\"thinking\"") STOP WHY("\"end_turn\"") END,
	    S " | open think | close think" TAIL("end") },
	{ START BLOCK("\"type\":\"redacted_thinking\",\"data\":\"d\"") STOP
	    WHY("\"end_turn\"") END,
	    S " | open redacted data=d | close redacted" TAIL("end") },
	/* Calls */
	{ START C0 DELTA("\"type\":\"input_json_delta\",\"partial_json\":"
	    "\"\"") DELTA("\"type\":\"input_json_delta\",\"partial_json\":"
	    "\"{\\\"a\\\":\"") DELTA("\"type\":\"input_json_delta\","
	    "\"partial_json\":\"1}\"") STOP WHY("\"tool_use\"") END,
	    S " | open call id=t name=f | +{\\\"a\\\": | +1} | close call"
	    TAIL("tool") },
	{ START C0 STOP WHY("\"tool_use\"") END,
	    S " | open call id=t name=f | close call" TAIL("tool") },
	{ START BLOCK("\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\","
	    "\"input\":{ \"a\" : \"\\u00e9\" }") STOP WHY("\"tool_use\"")
	    END, S " | open call id=t name=f | +{\\\"a\\\":\\\"\xc3\xa9\\\"}"
	    " | close call" TAIL("tool") },
	{ START BLOCK("\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\","
	    "\"input\":{\"a\":1}") DELTA("\"type\":\"input_json_delta\","
	    "\"partial_json\":\"{}\"") STOP WHY("\"tool_use\"") END,
	    S " | open call id=t name=f | +{} | close call" TAIL("tool") },
	/* Citations */
	{ START T0 TEXT("a") DELTA("\"type\":\"citations_delta\","
	    "\"citation\":{\"type\":\"web_search_result_location\",\"url\":"
	    "\"u\",\"title\":\"T\"}") DELTA("\"type\":\"citations_delta\","
	    "\"citation\":{\"type\":\"char_location\"}") STOP
	    WHY("\"end_turn\"") END,
	    S " | open text | +a | cite url=u title=T | close text"
	    TAIL("end") },
	/* Blocks and events that nobody else knows. */
	{ START EV("ping", "") BLOCK("\"type\":\"server_tool_use\",\"id\":"
	    "\"s\"") DELTA("\"type\":\"input_json_delta\",\"partial_json\":"
	    "\"{\"") STOP T0 TEXT("a") STOP EV("new", "") WHY("\"end_turn\"")
	    END, S " | open text | +a | close text" TAIL("end")
	    " !drop:content.server_tool_use" },
	{ START T0 DELTA("\"type\":\"new_delta\",\"text\":\"x\"")
	    DELTA("\"type\":\"thinking_delta\",\"thinking\":\"x\"") STOP
	    TEXT("late") WHY("\"end_turn\"") END,
	    S " | open text | close text" TAIL("end") },
	/* Blocks that were not closed. */
	{ START T0 TEXT("a") C0 WHY("\"tool_use\"") END,
	    S " | open text | +a | close text | open call id=t name=f | "
	    "close call" TAIL("tool") },
	/* Numbers of blocks */
	{ START EV("content_block_start", ",\"index\":1,\"content_block\":{"
	    "\"type\":\"text\",\"text\":\"\"}") EV("content_block_delta",
	    ",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\""
	    "}") EV("content_block_delta", ",\"delta\":{\"type\":"
	    "\"text_delta\",\"text\":\"b\"}") EV("content_block_stop", "")
	    WHY("\"end_turn\"") END,
	    S " | open text | +a | +b | close text" TAIL("end") },
	{ START C0 EV("content_block_delta", ",\"index\":3,\"delta\":{"
	    "\"type\":\"input_json_delta\",\"partial_json\":\"{\"}"),
	    S " | open call id=t name=f | error 11 Upstream stream mixed its "
	    "content blocks" },
	/* Stop reasons */
	{ START WHY("\"max_tokens\"") END, S TAIL("max") },
	{ START WHY("\"model_context_window_exceeded\"") END,
	    S TAIL("max") },
	{ START WHY("\"pause_turn\"") END, S TAIL("pause") },
	{ START WHY("\"something\"") END, S TAIL("end") },
	{ START WHY("\"stop_sequence\",\"stop_sequence\":\"\\n\"") END,
	    S TAIL("sequence seq=\\n") },
	{ START WHY("\"end_turn\",\"stop_sequence\":null") END,
	    S TAIL("end") },
	{ START WHY("\"refusal\",\"stop_details\":{\"type\":\"refusal\","
	    "\"explanation\":\"no\"}") END, S TAIL("refusal why=no") },
	{ START WHY("\"refusal\",\"stop_details\":null") END,
	    S TAIL("refusal") },
	{ START WHY("null") END, S TAIL("end") },
	/* Ends */
	{ START T0 TEXT("a") WHY("\"end_turn\""),
	    S " | open text | +a | close text" TAIL("end") },
	{ START WHY("\"end_turn\"") "{\"type\":\"mess\n", S TAIL("end") },
	{ START WHY("\"end_turn\"") END END TEXT("x"), S TAIL("end") },
	{ START T0 TEXT("a"), S " | open text | +a | error 11 Upstream "
	    "stream ended before completion" },
	{ START WHY("null"), S " | error 11 Upstream stream ended before "
	    "completion" },
	{ "", "error 11 Upstream stream ended before completion" },
	{ END, "error 11 Upstream stream ended before completion" },
	{ EV("ping", ""), "error 11 Upstream stream ended before "
	    "completion" },
	/* Faults */
	{ START T0 EV("error", ",\"error\":{\"type\":\"overloaded_error\","
	    "\"message\":\"Over\"}") TEXT("x") END,
	    S " | open text | error 9 Over" },
	{ "{\"error\":{\"type\":\"rate_limit_error\",\"message\":\"m\"}}\n"
	    START, "error 8 m" },
	{ START "{\"type\":\n" END, S " | error 11 Upstream stream sent "
	    "malformed data" },
	{ START "[]\n", S " | error 11 Upstream stream sent malformed "
	    "data" },
	/* What comes without a head has one. */
	{ T0 TEXT("a") STOP WHY("\"end_turn\"") END, "start" NONE
	    " | open text | +a | close text" TAIL("end") },
	{ WHY("\"end_turn\"") END, "start" NONE TAIL("end") },
	{ START START T0 STOP WHY("\"end_turn\"") END,
	    S " | open text | close text" TAIL("end") },
	/* The name of an event stands in for its type. */
	{ "message_start:\n{\"message\":{\"id\":\"msg_1\"}}\n"
	    "message_delta:\n{\"delta\":{\"stop_reason\":\"end_turn\"}}\n"
	    "message_stop:\n{}\n", S TAIL("end") },
	{ "ping:\n" START WHY("\"end_turn\"") END, S TAIL("end") }
};

static void
feed(void *reader, const char *in)
{
	struct str name, line;
	const char *end;

	name = str_n("", 0);
	for (; *in != '\0'; in = end + 1) {
		end = strchr(in, '\n');
		line = str_n(in, (size_t)(end - in));
		if (str_ends(line, ":")) {
			name = str_n(line.p, line.n - 1);
			if (line.p[0] != '{')
				continue;
		}
		anthropic_read_event(reader, name, line);
		name = str_n("", 0);
	}
	anthropic_read_end(reader);
	anthropic_read_end(reader);
}

static void
test_streams(void)
{
	struct msg_notes notes;
	struct msg_sink sink;
	struct arena a;
	struct buf b;
	void *reader;
	size_t i;

	arena_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	for (i = 0; i < N(streams); i++) {
		notes.first = NULL;
		sink.take = show_event;
		sink.arg = &b;
		sink.notes = &notes;
		sink.arena = &a;
		reader = anthropic_reader_new(&sink);
		memset(&sink, 0, sizeof sink);
		feed(reader, streams[i].in);
		anthropic_reader_free(reader);
		show_notes(&b, &notes);
		T_OK(str_is(buf_str(&b), streams[i].events),
		    "%s\n\tis  %s\n\tnot %s", streams[i].in, buf_cstr(&b),
		    streams[i].events);
		buf_clear(&b);
	}
	buf_free(&b);
	arena_free(&a);
	anthropic_reader_free(NULL);
}

/* ---- whole answers read ---- */

#define MSG(content, rest) "{\"id\":\"msg_1\",\"type\":\"message\"," \
	"\"content\":[" content "]" rest "}"

static const struct {
	const char *body, *events;
} answers[] = {
	{ MSG("", ",\"stop_reason\":\"end_turn\""), S TAIL("end") },
	{ MSG("{\"type\":\"thinking\",\"thinking\":\"T\",\"signature\":"
	    "\"U0c=\"},{\"type\":\"redacted_thinking\",\"data\":\"UkQ=\"},{"
	    "\"type\":\"text\",\"text\":\"A\"},{\"type\":\"tool_use\",\"id\":"
	    "\"t\",\"name\":\"f\",\"input\":{\"a\": [1.0]}},{\"type\":"
	    "\"tool_use\",\"id\":\"u\",\"name\":\"g\",\"input\":{}}",
	    ",\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":10,"
	    "\"cache_read_input_tokens\":5,\"output_tokens\":7,"
	    "\"output_tokens_details\":{\"thinking_tokens\":3}}"),
	    "start id=msg_1 10/7/5/-1/3 | open think | +T | close think "
	    "sig=U0c= | open redacted data=UkQ= | close redacted | open text "
	    "| +A | close text | open call id=t name=f | +{\\\"a\\\":[1.0]} "
	    "| close call | open call id=u name=g | close call | finish tool "
	    "| usage 10/7/5/-1/3 | end" },
	{ MSG("{\"type\":\"server_tool_use\"},{\"type\":\"text\",\"text\":"
	    "\"a\",\"citations\":[{\"url\":\"u\",\"title\":\"T\"},{}]},{"
	    "\"type\":\"text\",\"text\":\"b\",\"citations\":null}", ""),
	    S " | open text | +a | cite url=u title=T | close text | "
	    "open text | +b | close text" TAIL("end")
	    " !drop:content.server_tool_use" },
	{ MSG("", ",\"stop_reason\":\"refusal\",\"stop_details\":{"
	    "\"explanation\":\"no\"}"), S TAIL("refusal why=no") },
	{ MSG("", ",\"stop_reason\":\"stop_sequence\",\"stop_sequence\":"
	    "\"x\""), S TAIL("sequence seq=x") },
	{ "{\"type\":\"error\",\"error\":{\"type\":\"not_found_error\","
	    "\"message\":\"m\"}}", "error 5 m" },
	{ "{}", "error 11 The upstream's answer is no message" },
	{ "<html>", "error 11 The upstream's answer is no message" },
	{ "", "error 11 The upstream's answer is no message" }
};

static void
test_answers(void)
{
	struct msg_notes notes;
	struct msg_sink sink;
	struct arena a;
	struct buf b;
	size_t i;

	arena_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	for (i = 0; i < N(answers); i++) {
		notes.first = NULL;
		sink.take = show_event;
		sink.arg = &b;
		sink.notes = &notes;
		sink.arena = &a;
		anthropic_read_answer(&sink, str_of(answers[i].body));
		show_notes(&b, &notes);
		T_OK(str_is(buf_str(&b), answers[i].events),
		    "%s\n\tis  %s\n\tnot %s", answers[i].body, buf_cstr(&b),
		    answers[i].events);
		buf_clear(&b);
	}
	buf_free(&b);
	arena_free(&a);
}

/* ---- writing ---- */

/* One event; what is not used in a kind is NULL. */
struct row {
	enum msg_event_kind kind;
	enum msg_kind part;
	const char *text;	/* text, id, sequence */
	const char *more;	/* name, refusal, data */
	const char *signature;
	int stop;		/* or class */
	unsigned choice;
};

#define START_OUT(u) "event: message_start\ndata: {\"type\":" \
	"\"message_start\",\"message\":{\"id\":\"msg_9\",\"type\":" \
	"\"message\",\"role\":\"assistant\",\"model\":\"me\\\"\"," \
	"\"content\":[],\"stop_reason\":null,\"stop_sequence\":null," \
	"\"usage\":{" u "}}}\n\n"
#define ZERO "\"input_tokens\":0,\"cache_creation_input_tokens\":0," \
	"\"cache_read_input_tokens\":0,\"output_tokens\":0"
#define OPEN_OUT(i, x) "event: content_block_start\ndata: {\"type\":" \
	"\"content_block_start\",\"index\":" i ",\"content_block\":{" x \
	"}}\n\n"
#define DELTA_OUT(i, x) "event: content_block_delta\ndata: {\"type\":" \
	"\"content_block_delta\",\"index\":" i ",\"delta\":{" x "}}\n\n"
#define STOP_OUT(i) "event: content_block_stop\ndata: {\"type\":" \
	"\"content_block_stop\",\"index\":" i "}\n\n"
#define END_OUT(x, u) "event: message_delta\ndata: {\"type\":" \
	"\"message_delta\",\"delta\":{\"stop_reason\":" x "},\"usage\":{" u \
	"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
#define HEAD "{\"id\":\"msg_9\",\"type\":\"message\",\"role\":" \
	"\"assistant\",\"model\":\"me\\\"\",\"content\":["
#define BODY(content, stop, u) HEAD content "],\"stop_reason\":" stop \
	",\"usage\":{" u "}}"
#define TXT "\"type\":\"text\",\"text\":"
#define THK "\"type\":\"thinking\",\"thinking\":"
#define USE "\"type\":\"tool_use\",\"id\":"
#define ARGS "\"type\":\"input_json_delta\",\"partial_json\":"
#define TD "\"type\":\"text_delta\",\"text\":"
#define E_START { MSG_START, MSG_TEXT, "chatcmpl-9", NULL, NULL, 0, 0 }
#define E_OPEN(k) { MSG_OPEN, k, NULL, NULL, NULL, 0, 0 }
#define E_CALL(id, name, sig) { MSG_OPEN, MSG_CALL, id, name, sig, 0, 0 }
#define E_DELTA(k, t) { MSG_DELTA, k, t, NULL, NULL, 0, 0 }
#define E_CLOSE(k, sig) { MSG_CLOSE, k, NULL, NULL, sig, 0, 0 }
#define E_FINISH(s, seq, why) { MSG_FINISH, MSG_TEXT, seq, why, NULL, s, 0 }
#define E_USAGE { MSG_USAGE, MSG_TEXT, NULL, NULL, NULL, 0, 0 }
#define E_END { MSG_END, MSG_TEXT, NULL, NULL, NULL, 0, 0 }
#define FULL "\"input_tokens\":5,\"cache_creation_input_tokens\":0," \
	"\"cache_read_input_tokens\":7,\"output_tokens\":6," \
	"\"output_tokens_details\":{\"thinking_tokens\":8}"

static const struct {
	struct row rows[12];
	const char *stream;
	const char *body;	/* the same, whole */
} writes[] = {
	{ { E_START, E_OPEN(MSG_TEXT), E_DELTA(MSG_TEXT, "a\\n\xe2\x80\xa8"),
	    E_DELTA(MSG_TEXT, ""), E_DELTA(MSG_TEXT, "b"),
	    E_CLOSE(MSG_TEXT, NULL), E_FINISH(MSG_STOP_END, NULL, NULL),
	    E_USAGE, E_END },
	    START_OUT(ZERO) OPEN_OUT("0", TXT "\"\"")
	    DELTA_OUT("0", TD "\"a\\n\\u2028\"") DELTA_OUT("0", TD "\"b\"")
	    STOP_OUT("0")
	    END_OUT("\"end_turn\",\"stop_sequence\":null", FULL),
	    BODY("{" TXT "\"a\\n\\u2028b\"}",
	    "\"end_turn\",\"stop_sequence\":null", FULL) },
	{ { E_START, E_OPEN(MSG_THINK), E_DELTA(MSG_THINK, "h"),
	    E_CLOSE(MSG_THINK, "xl1.o"), E_OPEN(MSG_THINK),
	    E_CLOSE(MSG_THINK, NULL), E_FINISH(MSG_STOP_MAX, NULL, NULL),
	    E_END }, START_OUT(ZERO)
	    OPEN_OUT("0", THK "\"\",\"signature\":\"\"")
	    DELTA_OUT("0", "\"type\":\"thinking_delta\",\"thinking\":\"h\"")
	    DELTA_OUT("0", "\"type\":\"signature_delta\",\"signature\":"
	    "\"xl1.o\"") STOP_OUT("0")
	    OPEN_OUT("1", THK "\"\",\"signature\":\"\"")
	    DELTA_OUT("1", "\"type\":\"signature_delta\",\"signature\":"
	    "\"xl1.g\"") STOP_OUT("1")
	    END_OUT("\"max_tokens\",\"stop_sequence\":null", ZERO),
	    BODY("{" THK "\"h\",\"signature\":\"xl1.o\"},{" THK "\"\","
	    "\"signature\":\"xl1.g\"}",
	    "\"max_tokens\",\"stop_sequence\":null", ZERO) },
	{ { E_START, { MSG_OPEN, MSG_REDACTED, NULL, "d", NULL, 0, 0 },
	    E_CLOSE(MSG_REDACTED, NULL),
	    E_FINISH(MSG_STOP_PAUSE, NULL, NULL), E_END }, START_OUT(ZERO)
	    OPEN_OUT("0", "\"type\":\"redacted_thinking\",\"data\":\"d\"")
	    STOP_OUT("0")
	    END_OUT("\"pause_turn\",\"stop_sequence\":null", ZERO),
	    BODY("{\"type\":\"redacted_thinking\",\"data\":\"d\"}",
	    "\"pause_turn\",\"stop_sequence\":null", ZERO) },
	/* Calls: an id in Anthropic's shape that carries, no pieces. */
	{ { E_START, E_CALL("call_1", "f", "ABC"),
	    E_DELTA(MSG_CALL, "{\\\"a\\\":"), E_DELTA(MSG_CALL, "1}"),
	    E_CLOSE(MSG_CALL, NULL), E_CALL("a.b", "g\"", NULL),
	    E_CLOSE(MSG_CALL, NULL), E_FINISH(MSG_STOP_TOOL, NULL, NULL),
	    E_END }, START_OUT(ZERO)
	    OPEN_OUT("0", USE "\"call_1__ts_QUJD\",\"name\":\"f\",\"input\":"
	    "{}") DELTA_OUT("0", ARGS "\"{\\\"a\\\":\"")
	    DELTA_OUT("0", ARGS "\"1}\"") STOP_OUT("0")
	    OPEN_OUT("1", USE "\"a_b_108bf50c\",\"name\":\"g\\\"\",\"input\":"
	    "{}") DELTA_OUT("1", ARGS "\"{}\"") STOP_OUT("1")
	    END_OUT("\"tool_use\",\"stop_sequence\":null", ZERO),
	    BODY("{" USE "\"call_1__ts_QUJD\",\"name\":\"f\",\"input\":{\"a\""
	    ":1}},{" USE "\"a_b_108bf50c\",\"name\":\"g\\\"\",\"input\":{}}",
	    "\"tool_use\",\"stop_sequence\":null", ZERO) },
	{ { E_START, E_FINISH(MSG_STOP_SEQUENCE, "\\n", NULL), E_END },
	    START_OUT(ZERO)
	    END_OUT("\"stop_sequence\",\"stop_sequence\":\"\\n\"", ZERO),
	    BODY("", "\"stop_sequence\",\"stop_sequence\":\"\\n\"", ZERO) },
	{ { E_START, E_FINISH(MSG_STOP_SEQUENCE, NULL, NULL), E_END },
	    START_OUT(ZERO)
	    END_OUT("\"stop_sequence\",\"stop_sequence\":null", ZERO),
	    BODY("", "\"stop_sequence\",\"stop_sequence\":null", ZERO) },
	/* Refusals: in pieces, in the end, in both, not explained. */
#define REFUSED(x) "\"refusal\",\"stop_sequence\":null,\"stop_details\":{" \
	"\"type\":\"refusal\",\"category\":null,\"explanation\":" x "}"
	{ { E_START, E_OPEN(MSG_REFUSAL), E_DELTA(MSG_REFUSAL, "n"),
	    E_DELTA(MSG_REFUSAL, "o"), E_CLOSE(MSG_REFUSAL, NULL),
	    E_FINISH(MSG_STOP_REFUSAL, NULL, NULL), E_END },
	    START_OUT(ZERO) END_OUT(REFUSED("\"no\""), ZERO),
	    BODY("", REFUSED("\"no\""), ZERO) },
	{ { E_START, E_OPEN(MSG_REFUSAL), E_DELTA(MSG_REFUSAL, "no"),
	    E_CLOSE(MSG_REFUSAL, NULL),
	    E_FINISH(MSG_STOP_REFUSAL, NULL, "no"), E_END },
	    START_OUT(ZERO) END_OUT(REFUSED("\"no\""), ZERO),
	    BODY("", REFUSED("\"no\""), ZERO) },
	{ { E_START, E_FINISH(MSG_STOP_REFUSAL, NULL, "no"), E_END },
	    START_OUT(ZERO) END_OUT(REFUSED("\"no\""), ZERO),
	    BODY("", REFUSED("\"no\""), ZERO) },
	{ { E_START, E_FINISH(MSG_STOP_REFUSAL, NULL, NULL), E_END },
	    START_OUT(ZERO) END_OUT(REFUSED("null"), ZERO),
	    BODY("", REFUSED("null"), ZERO) },
	/* Only the first choice is shown. */
	{ { E_START, { MSG_OPEN, MSG_TEXT, NULL, NULL, NULL, 0, 1 },
	    { MSG_DELTA, MSG_TEXT, "x", NULL, NULL, 0, 1 },
	    { MSG_CLOSE, MSG_TEXT, NULL, NULL, NULL, 0, 1 },
	    E_FINISH(MSG_STOP_END, NULL, NULL),
	    { MSG_FINISH, MSG_TEXT, NULL, NULL, NULL, MSG_STOP_MAX, 1 },
	    E_END }, START_OUT(ZERO)
	    END_OUT("\"end_turn\",\"stop_sequence\":null", ZERO),
	    BODY("", "\"end_turn\",\"stop_sequence\":null", ZERO) },
	{ { E_START, { MSG_CITE, MSG_TEXT, NULL, NULL, NULL, 0, 0 }, E_END },
	    START_OUT(ZERO)
	    END_OUT("\"end_turn\",\"stop_sequence\":null", ZERO), NULL },
	/* Failures: nothing is closed, nothing ends. */
	{ { E_START, E_OPEN(MSG_TEXT), E_DELTA(MSG_TEXT, "a"),
	    { MSG_ERROR, MSG_TEXT, "m\\n", NULL, NULL, MSG_RATE, 0 } },
	    START_OUT(ZERO) OPEN_OUT("0", TXT "\"\"")
	    DELTA_OUT("0", TD "\"a\"") "event: error\ndata: {\"type\":"
	    "\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":"
	    "\"m\\n\"}}\n\n", NULL }
};

static void
make_event(struct msg_event *e, const struct row *row)
{
	static const struct dialect_usage none = { -1, -1, -1, -1, -1 };
	static const struct dialect_usage full = { 5, 6, 7, -1, 8 };

	memset(e, 0, sizeof *e);
	e->kind = row->kind;
	e->part = row->part;
	e->choice = row->choice;
	e->signature = str_of(row->signature);
	e->usage = row->kind == MSG_USAGE ? full : none;
	if (row->kind == MSG_ERROR)
		e->class = (enum msg_class)row->stop;
	if (row->kind == MSG_START || row->kind == MSG_OPEN)
		e->id = str_of(row->text);
	if (row->kind == MSG_DELTA || row->kind == MSG_ERROR)
		e->text = str_of(row->text);
	if (row->kind == MSG_OPEN && row->part == MSG_REDACTED)
		e->data = str_of(row->more);
	else if (row->kind == MSG_OPEN)
		e->name = str_of(row->more);
	if (row->kind == MSG_FINISH) {
		e->stop = (enum msg_stop)row->stop;
		e->sequence = str_of(row->text);
		e->refusal = str_of(row->more);
	}
}

/* Rows end where a START stands again (the rest is zero). */
static int
last_row(const struct row *rows, size_t n)
{
	return n > 0 && (n == 12 || (rows[n].kind == MSG_START &&
	    rows[n].text == NULL));
}

static void
write_both(struct buf *stream, struct buf *body, const struct msg_context *c,
    const struct row *rows, int whole)
{
	struct msg_gather g;
	struct msg_event e;
	void *writer;
	size_t n;

	writer = anthropic_writer_new(c);
	msg_gather_start(&g, c->arena, c->notes);
	for (n = 0; !last_row(rows, n); n++) {
		make_event(&e, &rows[n]);
		T_OK(anthropic_write_event(writer, &e, stream) == 0,
		    "row %lu", (unsigned long)n);
		if (whole)
			msg_gather_take(&g, &e);
	}
	if (whole)
		T_OK(anthropic_write_answer(body, c, &g) == 0, "whole");
	msg_gather_free(&g);
	anthropic_writer_free(writer);
}

static void
context(struct msg_context *c, struct arena *a, struct msg_notes *notes,
    uint64_t *random)
{
	memset(c, 0, sizeof *c);
	notes->first = NULL;
	c->model = str_of("me\"");
	c->upstream = DIALECT_GEMINI;
	c->random = random;
	c->arena = a;
	c->notes = notes;
}

static void
test_writes(void)
{
	struct msg_context c;
	struct msg_notes notes;
	struct buf stream, body;
	uint64_t random = 1;
	struct arena a;
	size_t i;

	arena_init(&a, 1 << 20);
	buf_init(&stream, 1 << 20);
	buf_init(&body, 1 << 20);
	for (i = 0; i < N(writes); i++) {
		context(&c, &a, &notes, &random);
		write_both(&stream, &body, &c, writes[i].rows,
		    writes[i].body != NULL);
		T_OK(str_is(buf_str(&stream), writes[i].stream),
		    "%lu:\n\tis  %s\n\tnot %s", (unsigned long)i,
		    buf_cstr(&stream), writes[i].stream);
		if (writes[i].body != NULL)
			T_OK(str_is(buf_str(&body), writes[i].body),
			    "%lu:\n\tis  %s\n\tnot %s", (unsigned long)i,
			    buf_cstr(&body), writes[i].body);
		buf_clear(&stream);
		buf_clear(&body);
		arena_reset(&a);
	}
	buf_free(&body);
	buf_free(&stream);
	arena_free(&a);
	anthropic_writer_free(NULL);
}

/* Ids that are made up: new each time, and they carry as others do. */
static void
test_new_ids(void)
{
	static const struct row rows[] = {
		E_START, E_CALL(NULL, "f", "ABC"), E_CLOSE(MSG_CALL, NULL),
		E_CALL("", "f", NULL), E_CLOSE(MSG_CALL, NULL), E_END,
		{ MSG_START, MSG_TEXT, NULL, NULL, NULL, 0, 0 }
	};
	struct json_value first, second;
	struct msg_context c;
	struct msg_notes notes;
	struct buf stream, body;
	uint64_t random = 1;
	struct arena a;

	arena_init(&a, 1 << 20);
	buf_init(&stream, 1 << 20);
	buf_init(&body, 1 << 20);
	context(&c, &a, &notes, &random);
	write_both(&stream, &body, &c, rows, 1);
	T_OK(json_get(buf_str(&body), "content.0.id", &first) == 0 &&
	    json_get(buf_str(&body), "content.1.id", &second) == 0, "%s",
	    buf_cstr(&body));
	T_OK(first.raw.n == 2 + 30 + 9 && str_starts(first.raw, "\"toolu_") &&
	    str_ends(first.raw, "__ts_QUJD\""), "%s", buf_cstr(&body));
	T_OK(second.raw.n == 2 + 30 && str_starts(second.raw, "\"toolu_"),
	    "%s", buf_cstr(&body));
	T_OK(memcmp(first.raw.p, second.raw.p, 31) != 0, "%s",
	    buf_cstr(&body));
	buf_free(&body);
	buf_free(&stream);
	arena_free(&a);
}

static void
test_limits(void)
{
	static const struct row row = E_START;
	struct msg_context c;
	struct msg_notes notes;
	struct msg_event e;
	uint64_t random = 1;
	struct arena a;
	struct buf out;
	void *writer;

	arena_init(&a, 1 << 20);
	buf_init(&out, 10);
	context(&c, &a, &notes, &random);
	writer = anthropic_writer_new(&c);
	make_event(&e, &row);
	T_OK(anthropic_write_event(writer, &e, &out) == -1, "no room");
	anthropic_writer_free(writer);
	T_OK(anthropic_write_ping(&out) == -1, "no room");
	buf_free(&out);
	buf_init(&out, 100);
	T_OK(anthropic_write_ping(&out) == 0 && str_is(buf_str(&out),
	    "event: ping\ndata: {\"type\":\"ping\"}\n\n"), "ping");
	buf_free(&out);
	arena_free(&a);
}

int
main(void)
{
	test_streams();
	test_answers();
	test_writes();
	test_new_ids();
	test_limits();
	return t_end();
}
