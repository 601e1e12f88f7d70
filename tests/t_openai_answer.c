/*
 * Answers of OpenAI's: streams and whole answers are read and their events
 * shown in short words; events made by hand are written and compared byte by
 * byte.
 */

#include <stdlib.h>
#include <string.h>

#include "dialect/openai_answer.h"
#include "dialect/openai_queue.h"
#include "json.h"
#include "t.h"

#define ROOM (64u << 20)

static const char *const kinds[] = { "text", "image", "doc", "audio", "call",
	"result", "think", "redacted", "refusal" };
static const char *const stops[] = { "end", "max", "tool", "sequence",
	"refusal", "pause" };

static void
show_usage(struct buf *b, const struct dialect_usage *u)
{
	buf_fmt(b, "%d,%d,%d,%d,%d", (int)u->input, (int)u->cache_read,
	    (int)u->cache_write, (int)u->output, (int)u->reasoning);
}

/* A sink: one word for each event.  Deltas show their text alone. */
static void
show(void *arg, const struct msg_event *e)
{
	struct buf *b = arg;

	if (e->choice != 0)
		buf_fmt(b, "%u:", e->choice);
	switch (e->kind) {
	case MSG_START:
		buf_adds(b, "start(");
		buf_addstr(b, e->id);
		buf_adds(b, ") ");
		break;
	case MSG_OPEN:
		buf_adds(b, kinds[e->part]);
		if (e->part == MSG_CALL) {
			buf_addc(b, ' ');
			buf_addstr(b, e->id);
			buf_addc(b, '/');
			buf_addstr(b, e->name);
		}
		buf_adds(b, "[ ");
		break;
	case MSG_DELTA:
		buf_addstr(b, e->text);
		buf_addc(b, ' ');
		break;
	case MSG_CITE:
		buf_adds(b, "cite ");
		break;
	case MSG_CLOSE:
		buf_addc(b, ']');
		buf_addstr(b, e->signature);
		buf_addc(b, ' ');
		break;
	case MSG_FINISH:
		buf_adds(b, stops[e->stop]);
		if (e->logprobs != NULL)
			buf_addstr(b, e->logprobs->raw);
		buf_addc(b, ' ');
		break;
	case MSG_USAGE:
		show_usage(b, &e->usage);
		break;
	case MSG_END:
		buf_adds(b, " END");
		break;
	case MSG_ERROR:
		buf_fmt(b, "ERROR %d ", (int)e->class);
		buf_addstr(b, e->text);
		break;
	}
}

#define EARLY "ERROR 11 Upstream stream ended before completion"
#define BROKEN "ERROR 11 The upstream sent malformed data"
#define HUGE "ERROR 11 The upstream's answer is too large to translate"
#define NONE "-1,-1,-1,-1,-1 END"

/*
 * Streams, one event a line.  A line that begins with a brace is an event as
 * it is; "D json" is a delta of choice 0, "F reason" ends that choice.
 */
static const struct {
	const char *name, *lines, *shown;
} streams[] = {
	{ "nothing", "", EARLY },
	{ "only [DONE]", "[DONE]\n", EARLY },
	{ "no choices", "{\"id\":\"c\",\"choices\":[]}\n[DONE]\n",
	    "start(c) " EARLY },
	{ "text", "D \"role\":\"assistant\",\"content\":\"\"\n"
	    "D \"content\":\"a\\n\"\nD \"content\":\"b\"\nF stop\n[DONE]\n",
	    "start(c) text[ a\\n b ] end " NONE },
	{ "the end without [DONE]", "D \"content\":\"a\"\nF stop\n",
	    "start(c) text[ a ] end " NONE },
	{ "[DONE] without a reason", "D \"content\":\"a\"\n [DONE] \n",
	    "start(c) text[ a ] end " NONE },
	{ "neither", "D \"content\":\"a\"\n", "start(c) text[ a " EARLY },
	{ "an empty reason is none", "D \"content\":\"a\"\nF \n",
	    "start(c) text[ a " EARLY },
	{ "nothing after the end", "D \"content\":\"a\"\nF stop\n"
	    "D \"content\":\"b\"\n[DONE]\nD \"content\":\"c\"\n[DONE]\n",
	    "start(c) text[ a ] end " NONE },
	{ "length", "D \"content\":\"a\"\nF length\n",
	    "start(c) text[ a ] max " NONE },
	{ "filter", "D \"content\":\"a\"\nF content_filter\n",
	    "start(c) text[ a ] refusal " NONE },
	{ "refusal", "D \"refusal\":\"no\"\nD \"refusal\":\"!\"\nF stop\n",
	    "start(c) refusal[ no ! ] refusal " NONE },
	{ "thought and text", "D \"reasoning_content\":\"t\"\n"
	    "D \"reasoning_content\":\"u\",\"content\":\"a\"\n"
	    "D \"reasoning_content\":\"v\"\nF stop\n",
	    "start(c) think[ t u ]xl1.o text[ a ] think[ v ]xl1.o end "
	    NONE },
	{ "reasoning, the other name", "D \"reasoning\":\"t\","
	    "\"reasoning_content\":null\nF stop\n",
	    "start(c) think[ t ]xl1.o end " NONE },
	{ "a call", "D \"tool_calls\":[{\"index\":0,\"id\":\"i\",\"type\":"
	    "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]\n"
	    "D \"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
	    "\"{\\\"a\\\":\"}}]\nD \"tool_calls\":[{\"index\":0,\"function\":"
	    "{\"arguments\":\"1}\"}}]\nF tool_calls\n",
	    "start(c) call i/f[ {\\\"a\\\": 1} ] tool " NONE },
	{ "a call and stop", "D \"tool_calls\":[{\"id\":\"i\",\"function\":"
	    "{\"name\":\"f\"}}]\nF stop\n",
	    "start(c) call i/f[ ] tool " NONE },
	{ "interleaved calls", "D \"content\":\"t\"\n"
	    "D \"tool_calls\":[{\"index\":0,\"id\":\"i\",\"function\":"
	    "{\"name\":\"f\",\"arguments\":\"{\"}}]\n"
	    "D \"tool_calls\":[{\"index\":1,\"id\":\"j\",\"function\":"
	    "{\"name\":\"g\",\"arguments\":\"{\\\"b\"}}]\n"
	    "D \"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":"
	    "\"\\\":1\"}},{\"index\":0,\"function\":{\"arguments\":\"}\"}}]\n"
	    "D \"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":"
	    "\"}\"}}]\nF tool_calls\n",
	    "start(c) text[ t ] call i/f[ { } ] call j/g[ {\\\"b\\\":1 } ] "
	    "tool " NONE },
	{ "braces in strings end nothing",
	    "D \"tool_calls\":[{\"index\":0,\"id\":\"i\",\"function\":"
	    "{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"}\\\\\\\"\"}},"
	    "{\"index\":1,\"id\":\"j\",\"function\":{\"name\":\"g\"}}]\n"
	    "D \"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
	    "\"}\\u0022\"}}]\n"
	    "D \"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
	    "\",\\\"b\\\":[{}]\\u007d\"}}]\nF tool_calls\n",
	    "start(c) call i/f[ {\\\"a\\\":\\\"}\\\\\\\" }\\u0022 "
	    ",\\\"b\\\":[{}]\\u007d ] call j/g[ ] tool " NONE },
	{ "no object waits for the finish",
	    "D \"tool_calls\":[{\"index\":0,\"id\":\"i\",\"function\":"
	    "{\"name\":\"f\",\"arguments\":\"[{}]\"}},{\"index\":1,\"id\":"
	    "\"j\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]\n"
	    "D \"content\":\"t\"\nD \"tool_calls\":[{\"index\":0,"
	    "\"function\":{\"arguments\":\"x\"}}]\nF tool_calls\n",
	    "start(c) call i/f[ [{}] x ] call j/g[ {} ] text[ t ] tool "
	    NONE },
	{ "all numbered 0, told apart by id",
	    "D \"tool_calls\":[{\"index\":0,\"id\":\"i\",\"function\":"
	    "{\"name\":\"f\",\"arguments\":\"{}\"}}]\n"
	    "D \"tool_calls\":[{\"index\":0,\"id\":\"j\",\"function\":"
	    "{\"name\":\"f\",\"arguments\":\"{}\"}}]\nF tool_calls\n",
	    "start(c) call i/f[ {} ] call j/f[ {} ] tool " NONE },
	{ "no index: the place counts",
	    "D \"tool_calls\":[{\"id\":\"i\",\"function\":{\"name\":\"f\"}},"
	    "{\"id\":\"j\",\"function\":{\"name\":\"g\"}}]\n"
	    "D \"tool_calls\":[{\"function\":{\"arguments\":\"{}\"}},"
	    "{\"function\":{\"arguments\":\"{ }\"}}]\nF tool_calls\n",
	    "start(c) call i/f[ {} ] call j/g[ { } ] tool " NONE },
	{ "repeated and empty names and ids",
	    "D \"tool_calls\":[{\"index\":0,\"id\":\"i\",\"function\":"
	    "{\"name\":\"f\"}}]\nD \"tool_calls\":[{\"index\":0,\"id\":\"\","
	    "\"function\":{\"name\":\"\",\"arguments\":\"{\"}}]\n"
	    "D \"tool_calls\":[{\"index\":0,\"id\":\"i\",\"function\":"
	    "{\"name\":\"other\",\"arguments\":\"}\"}}]\nF tool_calls\n",
	    "start(c) call i/f[ { } ] tool " NONE },
	{ "the name comes last",
	    "D \"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
	    "\"{\"}}]\nD \"content\":\"t\"\n"
	    "D \"tool_calls\":[{\"index\":0,\"id\":\"i\",\"function\":"
	    "{\"name\":\"f\",\"arguments\":\"}\"}}]\nF tool_calls\n",
	    "start(c) call i/f[ {} ] text[ t ] tool " NONE },
	{ "the name comes with nothing more",
	    "D \"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
	    "\"{}\"}}]\nD \"content\":\"t\"\n"
	    "D \"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\"}}]\n"
	    "D \"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
	    "\" \"}}]\nF tool_calls\n",
	    "start(c) call /f[ {} ] text[ t ] tool " NONE },
	{ "without a name", "D \"tool_calls\":[{\"index\":0,\"id\":\"i\"},"
	    "{\"index\":1},{\"index\":2,\"function\":{\"arguments\":"
	    "\"{}\"}}]\nF tool_calls\n", "start(c) call i/unknown[ ] "
	    "call /unknown[ {} ] tool " NONE },
	{ "nothing at all of a call", "D \"tool_calls\":[{\"index\":0}]\n"
	    "F tool_calls\n", "start(c) end " NONE },
	{ "arguments as an object", "D \"tool_calls\":[{\"id\":\"i\","
	    "\"function\":{\"name\":\"f\",\"arguments\":{ \"a\" : \"b\" }}}]"
	    "\nF stop\n",
	    "start(c) call i/f[ {\\\"a\\\":\\\"b\\\"} ] tool " NONE },
	{ "a custom call", "D \"tool_calls\":[{\"index\":0,\"id\":\"i\","
	    "\"type\":\"custom\",\"custom\":{\"name\":\"p\",\"input\":"
	    "\"\"}}]\nD \"tool_calls\":[{\"index\":0,\"custom\":{\"input\":"
	    "\"a\\\"\"}}]\nD \"tool_calls\":[{\"index\":0,\"custom\":"
	    "{\"input\":\"\\n\"}}]\nF tool_calls\n",
	    "start(c) call i/p[ {\\\"input\\\":\\\" a\\\\\\\" \\\\n \\\"} ] "
	    "tool " NONE },
	{ "a NUL in an id ends it", "D \"tool_calls\":[{\"id\":"
	    "\"i\\u0000j\",\"function\":{\"name\":\"f\"}}]\n"
	    "D \"tool_calls\":[{\"id\":\"i\\u0000j\"}]\nF stop\n",
	    "start(c) call i/f[ ] tool " NONE },
	{ "content in parts", "D \"content\":[{\"type\":\"text\",\"text\":"
	    "\"a\"},{\"type\":\"odd\"},{\"type\":\"text\",\"text\":\"b\"}]\n"
	    "F stop\n", "start(c) text[ a b ] end " NONE
	    "!drop:content.odd" },
	{ "usage, the last one", "{\"choices\":[{\"index\":0,\"delta\":{"
	    "\"content\":\"a\"}}],\"usage\":{\"prompt_tokens\":1}}\nF stop\n"
	    "{\"choices\":[],\"usage\":{\"prompt_tokens\":30,"
	    "\"completion_tokens\":9,\"prompt_tokens_details\":"
	    "{\"cached_tokens\":10,\"cache_write_tokens\":5},"
	    "\"completion_tokens_details\":{\"reasoning_tokens\":4}}}\n"
	    "{\"choices\":[],\"usage\":null}\n[DONE]\n",
	    "start() text[ a ] end 15,10,5,9,4 END" },
	{ "more cached than asked", "D \"content\":\"a\"\nF stop\n"
	    "{\"usage\":{\"prompt_tokens\":3,\"prompt_tokens_details\":"
	    "{\"cached_tokens\":9,\"cache_write_tokens\":9}}}\n",
	    "start(c) text[ a ] end 0,9,9,-1,-1 END" },
	{ "two choices", "{\"id\":\"c\",\"choices\":[{\"index\":1,\"delta\":"
	    "{\"content\":\"b\"}},{\"index\":0,\"delta\":{\"content\":\"a\"},"
	    "\"finish_reason\":\"stop\"}]}\n{\"choices\":[{\"index\":1,"
	    "\"delta\":{},\"finish_reason\":\"length\"}]}\n[DONE]\n",
	    "start(c) 1:text[ 1:b text[ a ] 1:] end 1:max " NONE },
	{ "one of two is cut", "{\"id\":\"c\",\"choices\":[{\"index\":1,"
	    "\"delta\":{\"content\":\"b\"}},{\"index\":0,\"delta\":{},"
	    "\"finish_reason\":\"stop\"}]}\n",
	    "start(c) 1:text[ 1:b " EARLY },
	{ "too many choices", "{\"choices\":[{\"index\":128}]}\n",
	    "start() " HUGE },
	{ "an error", "D \"content\":\"a\"\n{\"error\":{\"message\":"
	    "\"slow \\\"down\\\"\",\"type\":\"x\",\"code\":"
	    "\"rate_limit_exceeded\"}}\n[DONE]\n",
	    "start(c) text[ a ERROR 8 slow \\\"down\\\"" },
	{ "an error at once", "{\"error\":\"bad\"}\n", "ERROR 11 bad" },
	{ "a null error is none", "{\"id\":\"c\",\"error\":null,\"choices\":"
	    "[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n",
	    "start(c) text[ a ] end " NONE },
	{ "no JSON", "D \"content\":\"a\"\n<html>\n",
	    "start(c) text[ a " BROKEN },
	{ "no object", "[1]\n", BROKEN },
	{ "choices that are none", "{\"choices\":{}}\n", BROKEN },
	{ "a choice that is none", "{\"choices\":[7]}\n",
	    "start() " BROKEN }
};

struct reading {
	struct arena arena;
	struct msg_notes notes;
	struct msg_sink sink;
	struct buf b;
};

static void
reading_start(struct reading *r)
{
	memset(r, 0, sizeof *r);
	arena_init(&r->arena, ROOM);
	buf_init(&r->b, ROOM);
	r->sink.take = show;
	r->sink.arg = &r->b;
	r->sink.arena = &r->arena;
	r->sink.notes = &r->notes;
}

static void
reading_end(struct reading *r, const char *name, const char *want)
{
	const struct msg_string *s;

	for (s = r->notes.first; s != NULL; s = s->next) {
		buf_addc(&r->b, '!');
		buf_addstr(&r->b, s->s);
	}
	T_OK(str_is(buf_str(&r->b), want), "%s\n got %s\nwant %s", name,
	    buf_cstr(&r->b), want);
	buf_free(&r->b);
	arena_free(&r->arena);
}

static void
feed(void *reader, struct str line)
{
	struct buf b;
	struct str rest = str_n(line.p + 2, line.n < 2 ? 0 : line.n - 2);

	buf_init(&b, ROOM);
	if (str_starts(line, "D ")) {
		buf_adds(&b, "{\"id\":\"c\",\"choices\":[{\"index\":0,"
		    "\"delta\":{");
		buf_addstr(&b, rest);
		buf_adds(&b, "},\"finish_reason\":null}],\"usage\":null}");
	} else if (str_starts(line, "F ")) {
		buf_adds(&b, "{\"id\":\"c\",\"choices\":[{\"index\":0,"
		    "\"delta\":{},\"finish_reason\":\"");
		buf_addstr(&b, rest);
		buf_adds(&b, "\"}]}");
	} else
		buf_addstr(&b, line);
	openai_read_event(reader, str_of(""), buf_str(&b));
	buf_free(&b);
}

static void
test_streams(void)
{
	const char *p, *end;
	struct reading r;
	void *reader;
	size_t i;

	for (i = 0; i < sizeof streams / sizeof streams[0]; i++) {
		reading_start(&r);
		reader = openai_reader_new(&r.sink);
		for (p = streams[i].lines; *p != '\0'; p = end + 1) {
			end = strchr(p, '\n');
			feed(reader, str_n(p, (size_t)(end - p)));
		}
		openai_read_end(reader);
		openai_read_end(reader);
		openai_reader_free(reader);
		reading_end(&r, streams[i].name, streams[i].shown);
	}
}

/* Text is told at once, and what waits has a limit. */
static void
test_limits(void)
{
	struct reading r;
	struct buf b;
	void *reader;
	unsigned i;

	buf_init(&b, ROOM);
	reading_start(&r);
	reader = openai_reader_new(&r.sink);
	feed(reader, str_of("D \"tool_calls\":[{\"index\":0,\"function\":"
	    "{\"arguments\":\"{\"}}]"));
	buf_adds(&b, "D \"content\":\"");
	for (i = 0; i < 1u << 20; i++)
		buf_addc(&b, 'a');
	buf_addc(&b, '"');
	for (i = 0; i < OPENAI_WAIT_MAX >> 20; i++)
		feed(reader, buf_str(&b));
	openai_read_end(reader);
	openai_reader_free(reader);
	reading_end(&r, "too much waits", "start(c) " HUGE);

	reading_start(&r);
	reader = openai_reader_new(&r.sink);
	for (i = 0; i <= OPENAI_CALLS_MAX; i++) {
		buf_clear(&b);
		buf_fmt(&b, "D \"tool_calls\":[{\"index\":%u}]", i);
		feed(reader, buf_str(&b));
	}
	openai_reader_free(reader);
	reading_end(&r, "too many slots", "start(c) " HUGE);

	reading_start(&r);
	reader = openai_reader_new(&r.sink);
	for (i = 0; i <= OPENAI_CALLS_MAX; i++) {
		buf_clear(&b);
		buf_fmt(&b, "D \"tool_calls\":[{\"index\":0,\"id\":\"%u\"}]",
		    i);
		feed(reader, buf_str(&b));
	}
	openai_reader_free(reader);
	reading_end(&r, "too many calls", "start(c) " HUGE);
	openai_reader_free(NULL);
	openai_writer_free(NULL);
	buf_free(&b);
}

static const struct {
	const char *body, *shown;
} answers[] = {
	{ "", BROKEN },
	{ "[]", BROKEN },
	{ "{}", "ERROR 11 The upstream's answer has no choices" },
	{ "{\"choices\":[]}", "ERROR 11 The upstream's answer has no "
	    "choices" },
	{ "{\"error\":{\"message\":\"m\",\"code\":\"insufficient_quota\"}}",
	    "ERROR 3 m" },
	{ "{\"id\":\"c\",\"choices\":[{\"message\":{\"content\":\"a\","
	    "\"reasoning_content\":\"t\",\"refusal\":null},\"finish_reason\":"
	    "\"length\",\"logprobs\":null}],\"usage\":{\"prompt_tokens\":3,"
	    "\"completion_tokens\":4}}",
	    "start(c) think[ t ]xl1.o text[ a ] max 3,-1,-1,4,-1 END" },
	{ "{\"id\":\"c\",\"choices\":[{\"index\":1,\"message\":{\"refusal\":"
	    "\"no\"},\"finish_reason\":\"stop\"},{\"index\":0,\"message\":{"
	    "\"content\":\"\"},\"logprobs\":{\"content\":[]}}]}",
	    "start(c) 1:refusal[ 1:no 1:] end{\"content\":[]} 1:refusal "
	    NONE },
	{ "{\"id\":\"c\",\"choices\":[{\"message\":{\"content\":null,"
	    "\"tool_calls\":[{\"id\":\"i\",\"function\":{\"name\":\"f\","
	    "\"arguments\":\"bad\"}},{\"id\":\"j\",\"function\":{\"name\":"
	    "\"g\",\"arguments\":\"\"}},{\"id\":\"k\",\"type\":\"custom\","
	    "\"custom\":{\"name\":\"p\",\"input\":\"x\"}}]},"
	    "\"finish_reason\":\"stop\"}]}",
	    "start(c) call i/f[ bad ] call j/g[ ] call k/p[ {\\\"input\\\":"
	    "\\\" x \\\"} ] tool " NONE },
	{ "{\"id\":\"c\",\"choices\":[{}]}", "start(c) end " NONE }
};

static void
test_answers(void)
{
	struct reading r;
	size_t i;

	for (i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		reading_start(&r);
		openai_read_answer(&r.sink, str_of(answers[i].body));
		reading_end(&r, answers[i].body, answers[i].shown);
	}
}

/* ---- writing ---- */

struct writing {
	struct arena arena;
	struct msg_notes notes;
	struct msg_context c;
	struct msg_gather g;
	struct buf out;
	uint64_t random;
	void *writer;
};

static void
writing_start(struct writing *w, unsigned usage, enum dialect upstream)
{
	memset(w, 0, sizeof *w);
	arena_init(&w->arena, ROOM);
	buf_init(&w->out, ROOM);
	w->c.model = str_of("m");
	w->c.include_usage = usage & 1;
	w->c.upstream = upstream;
	w->c.created = 7;
	w->c.random = &w->random;
	w->c.arena = &w->arena;
	w->c.notes = &w->notes;
	w->writer = openai_writer_new(&w->c);
	msg_gather_start(&w->g, &w->arena, &w->notes);
}

/* One event, for the stream and for the whole answer. */
static void
put(struct writing *w, const struct msg_event *e)
{
	T_OK(openai_write_event(w->writer, e, &w->out) == 0, "kind %d",
	    (int)e->kind);
	msg_gather_take(&w->g, e);
}

static void
start(struct writing *w)
{
	struct msg_event e;

	memset(&e, 0, sizeof e);
	e.kind = MSG_START;
	e.id = str_of("id");
	e.usage.input = 1;
	put(w, &e);
}

static void
open_part(struct writing *w, enum msg_kind part, const char *id,
    const char *name)
{
	struct msg_event e;

	memset(&e, 0, sizeof e);
	e.kind = MSG_OPEN;
	e.part = part;
	e.id = str_of(id);
	e.name = str_of(name);
	put(w, &e);
}

static void
piece(struct writing *w, enum msg_kind part, const char *text)
{
	struct msg_event e;

	memset(&e, 0, sizeof e);
	e.kind = MSG_DELTA;
	e.part = part;
	e.text = str_of(text);
	put(w, &e);
}

static void
close_part(struct writing *w, enum msg_kind part, const char *signature)
{
	struct msg_event e;

	memset(&e, 0, sizeof e);
	e.kind = MSG_CLOSE;
	e.part = part;
	e.signature = str_of(signature);
	put(w, &e);
}

static void
part(struct writing *w, enum msg_kind kind, const char *text,
    const char *signature)
{
	open_part(w, kind, NULL, NULL);
	piece(w, kind, text);
	close_part(w, kind, signature);
}

static void
finish(struct writing *w, enum msg_stop stop, const char *refusal)
{
	struct msg_event e;

	memset(&e, 0, sizeof e);
	e.kind = MSG_FINISH;
	e.stop = stop;
	e.refusal = str_of(refusal);
	put(w, &e);
	memset(&e, 0, sizeof e);
	e.kind = MSG_USAGE;
	e.usage.input = 10;
	e.usage.cache_read = 5;
	e.usage.cache_write = -1;
	e.usage.output = 4;
	e.usage.reasoning = 2;
	put(w, &e);
	memset(&e, 0, sizeof e);
	e.kind = MSG_END;
	put(w, &e);
	put(w, &e);
}

#define USAGE "{\"prompt_tokens\":15,\"completion_tokens\":4," \
	"\"total_tokens\":19,\"prompt_tokens_details\":{\"cached_tokens\":5," \
	"\"cache_write_tokens\":0},\"completion_tokens_details\":" \
	"{\"reasoning_tokens\":2}}"

/*
 * Compares the deltas of the stream: chunks are stripped to what is between
 * "delta":{ and },"logprobs", with the choice in front if it is not 0, one a
 * line; and the message of the whole answer.
 */
static void
writing_end(struct writing *w, const char *name, const char *deltas,
    const char *message)
{
	static const char head[] = "data: {\"id\":\"chatcmpl-id\",\"object\":"
	    "\"chat.completion.chunk\",\"created\":7,\"model\":\"m\","
	    "\"choices\":[{\"index\":";
	static const char whole[] = "{\"id\":\"chatcmpl-id\",\"object\":"
	    "\"chat.completion\",\"created\":7,\"model\":\"m\",\"choices\":["
	    "{\"index\":0,\"message\":";
	struct str all = buf_str(&w->out);
	const char *p, *end, *a, *b;
	struct buf got;

	buf_init(&got, ROOM);
	for (p = all.p; p < all.p + all.n; p = end + 2) {
		for (end = p; strncmp(end, "\n\n", 2) != 0; end++)
			;
		if (!str_starts(str_n(p, (size_t)(end - p)), head))
			continue;
		for (a = p; strncmp(a, "\"delta\":{", 9) != 0; a++)
			;
		for (b = a; strncmp(b, "},\"logprobs\":", 13) != 0; b++)
			;
		buf_add(&got, a + 9, (size_t)(b - a - 9));
		if (strncmp(b + 13, "null,\"finish_reason\":null}]", 27) != 0)
			buf_adds(&got, "FINISH");
		buf_addc(&got, '\n');
	}
	T_OK(str_is(buf_str(&got), deltas), "%s\n got %s\nwant %s", name,
	    buf_cstr(&got), deltas);
	buf_clear(&got);
	T_OK(openai_write_answer(&got, &w->c, &w->g) == 0, "%s", name);
	T_OK(str_starts(buf_str(&got), whole) && str_starts(
	    str_n(buf_str(&got).p + strlen(whole), got.len - strlen(whole)),
	    message), "%s\n got %s\nwant %s", name, buf_cstr(&got), message);
	T_OK(json_valid(buf_str(&got), NULL, NULL), "%s", name);
	T_OK(str_ends(buf_str(&got), ",\"usage\":" USAGE "}"), "%s",
	    buf_cstr(&got));
	buf_free(&got);
	openai_writer_free(w->writer);
	msg_gather_free(&w->g);
	buf_free(&w->out);
	arena_free(&w->arena);
}

#define ROLE "\"role\":\"assistant\",\"content\":\"\",\"refusal\":null\n"

static void
test_text(void)
{
	struct writing w;

	writing_start(&w, 1, DIALECT_ANTHROPIC);
	start(&w);
	part(&w, MSG_TEXT, "a\xe2\x80\xa8", NULL);
	part(&w, MSG_TEXT, "b", NULL);
	piece(&w, MSG_TEXT, "");
	finish(&w, MSG_STOP_SEQUENCE, NULL);
	T_OK(str_is(buf_str(&w.out),
	    "data: {\"id\":\"chatcmpl-id\",\"object\":"
	    "\"chat.completion.chunk\",\"created\":7,\"model\":\"m\","
	    "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
	    "\"content\":\"\",\"refusal\":null},\"logprobs\":null,"
	    "\"finish_reason\":null}],\"usage\":null}\n\n"
	    "data: {\"id\":\"chatcmpl-id\",\"object\":"
	    "\"chat.completion.chunk\",\"created\":7,\"model\":\"m\","
	    "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\\u2028\"},"
	    "\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n"
	    "data: {\"id\":\"chatcmpl-id\",\"object\":"
	    "\"chat.completion.chunk\",\"created\":7,\"model\":\"m\","
	    "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"},"
	    "\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n"
	    "data: {\"id\":\"chatcmpl-id\",\"object\":"
	    "\"chat.completion.chunk\",\"created\":7,\"model\":\"m\","
	    "\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,"
	    "\"finish_reason\":\"stop\"}],\"usage\":null}\n\n"
	    "data: {\"id\":\"chatcmpl-id\",\"object\":"
	    "\"chat.completion.chunk\",\"created\":7,\"model\":\"m\","
	    "\"choices\":[],\"usage\":" USAGE "}\n\ndata: [DONE]\n\n"),
	    "%s", buf_cstr(&w.out));
	writing_end(&w, "text", ROLE "\"content\":\"a\\u2028\"\n"
	    "\"content\":\"b\"\nFINISH\n",
	    "{\"role\":\"assistant\",\"content\":\"a\\u2028b\",\"refusal\":"
	    "null},\"logprobs\":null,\"finish_reason\":\"stop\"}]");
}

static void
test_thinking(void)
{
	struct writing w;
	struct msg_event e;

	writing_start(&w, 0, DIALECT_ANTHROPIC);
	start(&w);
	part(&w, MSG_THINK, "t\\n", "S\"");
	memset(&e, 0, sizeof e);
	e.kind = MSG_OPEN;
	e.part = MSG_REDACTED;
	e.data = str_of("RD");
	put(&w, &e);
	close_part(&w, MSG_REDACTED, NULL);
	part(&w, MSG_THINK, "u", "xl1.g");
	part(&w, MSG_THINK, "v", NULL);
	finish(&w, MSG_STOP_END, NULL);
	T_OK(str_ends(buf_str(&w.out), "\"finish_reason\":\"stop\"}]}\n\n"
	    "data: [DONE]\n\n"), "no usage that was not asked for");
	writing_end(&w, "thinking", ROLE "\"reasoning_content\":\"t\\n\"\n"
	    "\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":"
	    "\"t\\n\",\"signature\":\"S\\\"\"}]\n"
	    "\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":"
	    "\"t\\n\",\"signature\":\"S\\\"\"},{\"type\":"
	    "\"redacted_thinking\",\"data\":\"RD\"}]\n"
	    "\"reasoning_content\":\"\\n\\n\"\n"
	    "\"reasoning_content\":\"u\"\n"
	    "\"reasoning_content\":\"\\n\\n\"\n"
	    "\"reasoning_content\":\"v\"\nFINISH\n",
	    "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null,"
	    "\"reasoning_content\":\"t\\n\\n\\nu\\n\\nv\",\"thinking_blocks\":"
	    "[{\"type\":\"thinking\",\"thinking\":\"t\\n\",\"signature\":"
	    "\"S\\\"\"},{\"type\":\"redacted_thinking\",\"data\":\"RD\"}]},");
}

static void
cite(struct writing *w, const char *url, const char *title)
{
	struct msg_event e;

	memset(&e, 0, sizeof e);
	e.kind = MSG_CITE;
	e.part = MSG_TEXT;
	e.url = str_of(url);
	e.title = str_of(title);
	put(w, &e);
}

static void
test_citations(void)
{
	struct writing w;

	writing_start(&w, 0, DIALECT_ANTHROPIC);
	start(&w);
	part(&w, MSG_TEXT, "N\xc3\xa9: \\u00e9", NULL);
	open_part(&w, MSG_TEXT, NULL, NULL);
	cite(&w, "u1", "t1");
	piece(&w, MSG_TEXT, "x\xf0\x9f\x98\x80");
	cite(&w, "u2", NULL);
	piece(&w, MSG_TEXT, "\\ud83d\\ude00");
	close_part(&w, MSG_TEXT, NULL);
	open_part(&w, MSG_TEXT, NULL, NULL);
	cite(&w, "u3", "t3");
	piece(&w, MSG_TEXT, "y");
	close_part(&w, MSG_TEXT, NULL);
	finish(&w, MSG_STOP_PAUSE, NULL);
#define A1 "{\"type\":\"url_citation\",\"url_citation\":{\"start_index\":5," \
	"\"end_index\":8,\"title\":\"t1\",\"url\":\"u1\"}},{\"type\":" \
	"\"url_citation\",\"url_citation\":{\"start_index\":5,\"end_index\":8," \
	"\"title\":\"\",\"url\":\"u2\"}}"
#define A2 "{\"type\":\"url_citation\",\"url_citation\":{\"start_index\":8," \
	"\"end_index\":9,\"title\":\"t3\",\"url\":\"u3\"}}"
	writing_end(&w, "citations", ROLE
	    "\"content\":\"N\xc3\xa9: \\u00e9\"\n"
	    "\"content\":\"x\xf0\x9f\x98\x80\"\n"
	    "\"content\":\"\\ud83d\\ude00\"\n\"annotations\":[" A1 "]\n"
	    "\"content\":\"y\"\n\"annotations\":[" A2 "]\nFINISH\n",
	    "{\"role\":\"assistant\",\"content\":\"N\xc3\xa9: \\u00e9"
	    "x\xf0\x9f\x98\x80\\ud83d\\ude00y\",\"refusal\":null,"
	    "\"annotations\":[" A1 "," A2 "]},");
}

static void
test_calls(void)
{
	struct writing w;
	struct msg_event e;

	writing_start(&w, 0, DIALECT_GEMINI);
	start(&w);
	memset(&e, 0, sizeof e);
	e.kind = MSG_OPEN;
	e.part = MSG_CALL;
	e.id = str_of("k");
	e.name = str_of("f");
	e.signature = str_of("UQ==");
	put(&w, &e);
	piece(&w, MSG_CALL, "");
	piece(&w, MSG_CALL, "{\\\"a\\\"");
	piece(&w, MSG_CALL, ": [1]}");
	close_part(&w, MSG_CALL, NULL);
	open_part(&w, MSG_CALL, "l", "g");
	close_part(&w, MSG_CALL, NULL);
	/* Free-form tools: as they should be, empty, and broken. */
	e.signature = str_n(NULL, 0);
	e.custom = 1;
	e.id = str_of("m");
	e.name = str_of("p");
	put(&w, &e);
	piece(&w, MSG_CALL, "{\\\"input\\\":\\\"a\\\\n");
	piece(&w, MSG_CALL, "b\\\"}");
	close_part(&w, MSG_CALL, NULL);
	e.id = str_of("n");
	put(&w, &e);
	close_part(&w, MSG_CALL, NULL);
	e.id = str_of("o");
	put(&w, &e);
	piece(&w, MSG_CALL, "oops");
	close_part(&w, MSG_CALL, NULL);
	finish(&w, MSG_STOP_TOOL, NULL);
	writing_end(&w, "calls", ROLE
	    "\"tool_calls\":[{\"index\":0,\"id\":\"k__ts_VVE9PQ\",\"type\":"
	    "\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
	    "\"\"}}]\n"
	    "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
	    "\"{\\\"a\\\"\"}}]\n"
	    "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
	    "\": [1]}\"}}]\n"
	    "\"tool_calls\":[{\"index\":1,\"id\":\"l\",\"type\":"
	    "\"function\",\"function\":{\"name\":\"g\",\"arguments\":"
	    "\"\"}}]\n"
	    "\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":"
	    "\"{}\"}}]\n"
	    "\"tool_calls\":[{\"index\":2,\"id\":\"m\",\"type\":\"custom\","
	    "\"custom\":{\"name\":\"p\",\"input\":\"a\\nb\"}}]\n"
	    "\"tool_calls\":[{\"index\":3,\"id\":\"n\",\"type\":"
	    "\"function\",\"function\":{\"name\":\"p\",\"arguments\":"
	    "\"{}\"}}]\n"
	    "\"tool_calls\":[{\"index\":4,\"id\":\"o\",\"type\":"
	    "\"function\",\"function\":{\"name\":\"p\",\"arguments\":"
	    "\"oops\"}}]\nFINISH\n",
	    "{\"role\":\"assistant\",\"content\":null,\"refusal\":null,"
	    "\"tool_calls\":[{\"id\":\"k__ts_VVE9PQ\",\"type\":\"function\","
	    "\"function\":{\"name\":\"f\",\"arguments\":"
	    "\"{\\\"a\\\":[1]}\"}},{\"id\":\"l\",\"type\":\"function\","
	    "\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}},{\"id\":"
	    "\"m\",\"type\":\"custom\",\"custom\":{\"name\":\"p\",\"input\":"
	    "\"a\\nb\"}},{\"id\":\"n\",\"type\":\"function\",\"function\":{"
	    "\"name\":\"p\",\"arguments\":\"{}\"}},{\"id\":\"o\",\"type\":"
	    "\"function\",\"function\":{\"name\":\"p\",\"arguments\":"
	    "\"oops\"}}]},\"logprobs\":null,\"finish_reason\":"
	    "\"tool_calls\"}]");
}

static void
test_refusals(void)
{
	struct writing w;

	writing_start(&w, 0, DIALECT_ANTHROPIC);
	start(&w);
	finish(&w, MSG_STOP_REFUSAL, "why");
	writing_end(&w, "at the finish", ROLE "\"refusal\":\"why\"\nFINISH\n",
	    "{\"role\":\"assistant\",\"content\":null,\"refusal\":\"why\"},"
	    "\"logprobs\":null,\"finish_reason\":\"content_filter\"}]");
	writing_start(&w, 0, DIALECT_ANTHROPIC);
	start(&w);
	part(&w, MSG_REFUSAL, "no", NULL);
	finish(&w, MSG_STOP_REFUSAL, "no");
	writing_end(&w, "not twice", ROLE "\"refusal\":\"no\"\nFINISH\n",
	    "{\"role\":\"assistant\",\"content\":null,\"refusal\":\"no\"},");
	writing_start(&w, 0, DIALECT_ANTHROPIC);
	start(&w);
	part(&w, MSG_TEXT, "a", NULL);
	finish(&w, MSG_STOP_MAX, NULL);
	writing_end(&w, "none", ROLE "\"content\":\"a\"\nFINISH\n",
	    "{\"role\":\"assistant\",\"content\":\"a\",\"refusal\":null},"
	    "\"logprobs\":null,\"finish_reason\":\"length\"}]");
}

/* A call without an id gets one; the second choice has a role too. */
static void
test_choices(void)
{
	static const char start_of[] = "\"index\":1,\"delta\":{\"role\":";
	struct writing w;
	struct msg_event e;
	struct str all;
	struct buf b;
	size_t i, roles = 0, ids = 0;

	writing_start(&w, 0, DIALECT_GEMINI);
	start(&w);
	memset(&e, 0, sizeof e);
	e.kind = MSG_OPEN;
	e.choice = 1;
	e.part = MSG_CALL;
	e.name = str_of("f");
	put(&w, &e);
	e.kind = MSG_CLOSE;
	put(&w, &e);
	e.kind = MSG_FINISH;
	put(&w, &e);
	all = buf_str(&w.out);
	for (i = 0; i + sizeof start_of < all.n; i++) {
		roles += memcmp(all.p + i, start_of, sizeof start_of - 1) == 0;
		ids += memcmp(all.p + i, "\"id\":\"call_", 11) == 0;
	}
	T_OK(roles == 1 && ids == 1, "%s", buf_cstr(&w.out));
	e.kind = MSG_OPEN;
	for (i = 2; i < OPENAI_CHOICES_MAX; i++) {
		e.choice = (unsigned)i;
		openai_write_event(w.writer, &e, &w.out);
	}
	T_OK(!w.out.bad, "room");
	e.choice = OPENAI_CHOICES_MAX;
	T_OK(openai_write_event(w.writer, &e, &w.out) == -1, "too many");
	memset(&e, 0, sizeof e);
	buf_clear(&w.out);
	e.kind = MSG_ERROR;
	e.class = MSG_OVERLOADED;
	e.text = str_of("busy \\\"now\\\"");
	put(&w, &e);
	put(&w, &e);
	T_OK(str_is(buf_str(&w.out), "data: {\"error\":{\"message\":"
	    "\"busy \\\"now\\\"\",\"type\":\"server_error\",\"param\":null,"
	    "\"code\":\"overloaded\"}}\n\n"), "%s", buf_cstr(&w.out));
	openai_writer_free(w.writer);
	msg_gather_free(&w.g);
	buf_free(&w.out);
	arena_free(&w.arena);

	buf_init(&b, 64);
	T_OK(openai_write_ping(&b) == 0 && buf_str(&b).p[0] == ':' &&
	    str_ends(buf_str(&b), "\n\n"), "a comment");
	buf_free(&b);
}

static void
test_logprobs(void)
{
	static const struct {
		enum dialect of;
		const char *in, *out;
	} rows[] = {
		{ DIALECT_OPENAI, "{\"content\":[]}", "{\"content\":[]}" },
		{ DIALECT_GEMINI, "{}", "{\"content\":[],\"refusal\":null}" },
		{ DIALECT_GEMINI, "{\"chosenCandidates\":[{\"token\":\"a\","
		    "\"logProbability\":-0.50},{\"token\":\"b\"}],"
		    "\"topCandidates\":[{\"candidates\":[{\"token\":\"a\","
		    "\"logProbability\":-0.50},{\"token\":\"c\","
		    "\"logProbability\":-2}]}]}",
		    "{\"content\":[{\"token\":\"a\",\"logprob\":-0.50,"
		    "\"bytes\":null,\"top_logprobs\":[{\"token\":\"a\","
		    "\"logprob\":-0.50,\"bytes\":null},{\"token\":\"c\","
		    "\"logprob\":-2,\"bytes\":null}]},{\"token\":\"b\","
		    "\"logprob\":0,\"bytes\":null,\"top_logprobs\":[]}],"
		    "\"refusal\":null}" }
	};
	struct writing w;
	struct msg_event e;
	struct buf b, want;
	size_t i;

	buf_init(&b, ROOM);
	buf_init(&want, ROOM);
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		writing_start(&w, 0, DIALECT_GEMINI);
		start(&w);
		memset(&e, 0, sizeof e);
		e.kind = MSG_FINISH;
		e.logprobs_of = rows[i].of;
		e.logprobs = tree_parse(&w.arena, str_of(rows[i].in));
		put(&w, &e);
		buf_clear(&b);
		buf_clear(&want);
		openai_write_answer(&b, &w.c, &w.g);
		buf_fmt(&want, "{\"id\":\"chatcmpl-id\",\"object\":"
		    "\"chat.completion\",\"created\":7,\"model\":\"m\","
		    "\"choices\":[{\"index\":0,\"message\":{\"role\":"
		    "\"assistant\",\"content\":\"\",\"refusal\":null},"
		    "\"logprobs\":%s,\"finish_reason\":\"stop\"}],",
		    rows[i].out);
		T_OK(str_starts(buf_str(&b), buf_cstr(&want)),
		    "\n got %s\nwant %s", buf_cstr(&b), buf_cstr(&want));
		openai_writer_free(w.writer);
		msg_gather_free(&w.g);
		buf_free(&w.out);
		arena_free(&w.arena);
	}
	buf_free(&b);
	buf_free(&want);
}

/* A client's buffer that is full is told at every size. */
static void
test_full(void)
{
	struct writing w;
	struct msg_event e;
	size_t max, full;

	writing_start(&w, 1, DIALECT_OPENAI);
	start(&w);
	buf_clear(&w.out);
	memset(&e, 0, sizeof e);
	e.kind = MSG_FINISH;
	put(&w, &e);
	full = w.out.len;
	for (max = 0; max < full; max += 7) {
		buf_free(&w.out);
		buf_init(&w.out, max);
		T_OK(openai_write_event(w.writer, &e, &w.out) == -1, "%u",
		    (unsigned)max);
	}
	openai_writer_free(w.writer);
	msg_gather_free(&w.g);
	buf_free(&w.out);
	arena_free(&w.arena);
}

int
main(void)
{
	test_streams();
	test_limits();
	test_answers();
	test_text();
	test_thinking();
	test_citations();
	test_calls();
	test_refusals();
	test_choices();
	test_logprobs();
	test_full();
	return t_end();
}
