/*
 * Answers of the Responses API.  An answer is a script of events, one to a
 * line; each stream must keep to the grammar of strict clients, and its
 * items must be those of the same answer written whole.
 */

#include "dialect/responses_answer.h"

#include <stdlib.h>
#include <string.h>

#include "dialect/sse.h"
#include "tests/t.h"

#define ROOM ((size_t)1 << 24)
#define ITEMS 16

struct bench {
	struct arena arena, scratch;
	struct msg_notes notes;
	struct msg_context c;
	uint64_t random;
	struct buf out, whole;
};

static void
bench_start(struct bench *t, const char *request)
{
	memset(t, 0, sizeof *t);
	arena_init(&t->arena, ROOM);
	arena_init(&t->scratch, ROOM);
	buf_init(&t->out, ROOM);
	buf_init(&t->whole, ROOM);
	t->c.model = str_of("m");
	t->c.created = 7;
	t->c.stream = 1;
	t->c.random = &t->random;
	t->c.arena = &t->arena;
	t->c.notes = &t->notes;
	if (request != NULL)
		t->c.request = tree_parse(&t->arena, str_of(request));
}

static void
bench_end(struct bench *t)
{
	arena_free(&t->arena);
	arena_free(&t->scratch);
	buf_free(&t->out);
	buf_free(&t->whole);
}

/* ---- scripts ---- */

static struct str
word(struct str *line)
{
	const char *space;
	struct str w;

	space = line->n == 0 ? NULL : memchr(line->p, ' ', line->n);
	w = *line;
	if (space != NULL)
		w.n = (size_t)(space - line->p);
	*line = str_n(line->p + w.n, line->n - w.n);
	if (line->n > 0)
		*line = str_n(line->p + 1, line->n - 1);
	return str_is(w, "-") ? str_n(NULL, 0) : w;
}

static int
find(struct str w, const char *const names[], int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (str_is(w, names[i]))
			return i;
	printf("no such word: %.*s\n", (int)w.n, w.p);
	abort();
}

static enum msg_kind
kind_of(struct str w)
{
	static const char *const names[] = {
		"text", "image", "doc", "audio", "call", "result", "think",
		"redacted", "refusal"
	};

	return (enum msg_kind)find(w, names, 9);
}

/*
 * start ID; open KIND [ID NAME SIGNATURE custom]; delta KIND TEXT; cite URL
 * TITLE; close KIND [SIGNATURE]; finish STOP [REFUSAL]; usage IN OUT; end;
 * error CLASS TEXT
 */
static void
event_of(struct msg_event *e, struct str line)
{
	static const char *const kinds[] = { "start", "open", "delta", "cite",
		"close", "finish", "usage", "end", "error" };
	static const char *const stops[] = { "end", "max", "tool", "sequence",
		"refusal", "pause" };
	uint64_t n;

	memset(e, 0, sizeof *e);
	e->usage.input = e->usage.output = e->usage.reasoning = -1;
	e->usage.cache_read = e->usage.cache_write = -1;
	e->kind = (enum msg_event_kind)find(word(&line), kinds, 9);
	if (e->kind == MSG_START)
		e->id = word(&line);
	else if (e->kind == MSG_OPEN) {
		e->part = kind_of(word(&line));
		e->id = word(&line);
		if (e->part == MSG_REDACTED) {
			e->data = e->id;
			e->id = str_n(NULL, 0);
		}
		e->name = word(&line);
		e->signature = word(&line);
		e->custom = str_is(word(&line), "custom") != 0;
	} else if (e->kind == MSG_DELTA) {
		e->part = kind_of(word(&line));
		e->text = line;
	} else if (e->kind == MSG_CITE) {
		e->url = word(&line);
		e->title = word(&line);
	} else if (e->kind == MSG_CLOSE) {
		e->part = kind_of(word(&line));
		e->signature = word(&line);
	} else if (e->kind == MSG_FINISH) {
		e->stop = (enum msg_stop)find(word(&line), stops, 6);
		e->refusal = line;
	} else if (e->kind == MSG_USAGE) {
		util_u64(word(&line), 999, &n);
		e->usage.input = (int64_t)n;
		util_u64(word(&line), 999, &n);
		e->usage.output = (int64_t)n;
		e->usage.cache_read = 2;
		e->usage.cache_write = 1;
	} else if (e->kind == MSG_ERROR) {
		util_u64(word(&line), MSG_GATEWAY, &n);
		e->class = (enum msg_class)n;
		e->text = line;
	}
}

/* Plays a script into a writer and a gatherer; the lines' memory changes. */
static int
play(struct bench *t, const char *script)
{
	struct msg_event e;
	struct msg_gather g;
	struct str rest = str_of(script), line;
	char *copy;
	void *w;
	int rc = 0;

	msg_gather_start(&g, &t->arena, &t->notes);
	w = responses_writer_new(&t->c);
	if (w == NULL)
		return -1;
	while (rest.n > 0) {
		line = str_n(rest.p, strcspn(rest.p, "\n"));
		copy = str_dup(line);
		if (copy == NULL)
			abort();
		event_of(&e, str_n(copy, line.n));
		rc |= responses_write_event(w, &e, &t->out);
		msg_gather_take(&g, &e);
		free(copy);
		rest = str_n(rest.p + line.n, rest.n - line.n);
		if (rest.n > 0)
			rest = str_n(rest.p + 1, rest.n - 1);
	}
	responses_writer_free(w);
	if (!g.failed)
		rc |= responses_write_answer(&t->whole, &t->c, &g);
	else if (t->arena.bad)
		rc = -1;	/* there was no room for the error's text */
	msg_gather_free(&g);
	return rc;
}

/* ---- the grammar ---- */

struct stream {
	struct buf names;	/* of the events, without "response." */
	unsigned seq, items, wrong;
	int open;		/* an item is open */
	int part;		/* a part of it is open */
	unsigned parts, notes;	/* begun in the item, in the part */
	struct str id, item_id;
	struct str output;	/* raw: of the last object */
	struct str last;	/* raw: the last object */
	struct buf done;	/* the items as they were told to be done */
	struct buf text;	/* deltas of the open part */
};

static void
wrong(struct stream *s, const char *why)
{
	if (s->wrong++ == 0)
		T_OK(0, "%s at event %u: %s", why, s->seq, buf_cstr(&s->names));
}

static void
check_object(struct stream *s, const struct node *d, struct str type)
{
	const struct node *r = tree_get(d, "response");
	struct str id;

	id = tree_get_text(r, "id");
	if (id.n < 6 || !str_starts(id, "resp_") ||
	    (s->id.p != NULL && !str_eq(id, s->id)))
		wrong(s, "id");
	s->id = id;
	if (str_is(type, "created"))
		type = str_of("in_progress");
	if (!str_eq(tree_get_text(r, "status"), type))
		wrong(s, "status");
	if (!tree_is(tree_get(r, "object"), "response") ||
	    !tree_is(tree_get(r, "model"), "m"))
		wrong(s, "object");
	s->output = tree_get(r, "output")->raw;
	s->last = r->raw;
}

static void
check_item(struct stream *s, const struct node *d, int added)
{
	const struct node *item = tree_get(d, "item");

	if (s->part || added == s->open)
		wrong(s, "order of items");
	if (added) {
		s->items++;
		s->parts = 0;
		s->item_id = tree_get_text(item, "id");
	} else {
		if (s->done.len > 0)
			buf_addc(&s->done, ',');
		buf_addstr(&s->done, item->raw);
		if (!str_eq(s->item_id, tree_get_text(item, "id")))
			wrong(s, "identity of an item");
	}
	s->open = added;
}

/* An index, if there is one, is that of the last of n. */
static void
check_index(struct stream *s, const struct node *d, const char *name,
    unsigned n)
{
	struct str raw;
	uint64_t index;

	raw = tree_get_number(d, name);
	if (raw.p != NULL && (json_u64(raw, &index) == -1 || index + 1 != n))
		wrong(s, name);
}

/* What belongs to the open item: pieces must add up to what is done. */
static void
check_inside(struct stream *s, const struct node *d, struct str name)
{
	static const char *const whole[] = { "text", "arguments", "input",
		"refusal" };
	struct str text;
	size_t i;

	if (!s->open || !str_eq(tree_get_text(d, "item_id"), s->item_id))
		wrong(s, "item_id");
	if (str_ends(name, "_part.added")) {
		s->part = 1;
		s->parts++;
		s->notes = 0;
	} else if (str_ends(name, "annotation.added"))
		s->notes++;
	else if (str_ends(name, "_part.done"))
		s->part = 0;
	else if (str_ends(name, ".delta"))
		buf_addstr(&s->text, tree_get_text(d, "delta"));
	else if (str_ends(name, ".done")) {
		for (i = 0; i < 4; i++) {
			text = tree_get_text(d, whole[i]);
			if (text.p != NULL && !str_eq(text, buf_str(&s->text)))
				wrong(s, "pieces");
		}
		buf_clear(&s->text);
	}
	check_index(s, d, "content_index", s->parts);
	check_index(s, d, "summary_index", s->parts);
	check_index(s, d, "annotation_index", s->notes);
}

static void
check_event(struct stream *s, const struct sse_event *e, struct arena *a)
{
	const struct node *d;
	struct str type, n;
	uint64_t index = 0;

	d = tree_parse(a, e->data);
	type = tree_get_text(d, "type");
	if (d == NULL || !str_eq(type, e->name) ||
	    !str_starts(type, "response.")) {
		wrong(s, "type");
		return;
	}
	type = str_n(type.p + 9, type.n - 9);
	buf_addstr(&s->names, type);
	buf_addc(&s->names, ' ');
	n = tree_get_number(d, "sequence_number");
	if (json_u64(n, &index) == -1 || index != s->seq++)
		wrong(s, "sequence_number");
	if (str_is(type, "output_item.added"))
		check_item(s, d, 1);
	else if (str_is(type, "output_item.done"))
		check_item(s, d, 0);
	else if (tree_get(d, "response") != NULL)
		check_object(s, d, type);
	else
		check_inside(s, d, type);
	check_index(s, d, "output_index", s->items);
}

/* Reads a stream; names: its events; 0 if all is as it must be. */
static void
check_stream(struct bench *t, struct stream *s)
{
	struct sse sse;
	struct sse_event e;
	struct str rest = buf_str(&t->out);
	size_t n;

	memset(s, 0, sizeof *s);
	buf_init(&s->names, ROOM);
	buf_init(&s->done, ROOM);
	buf_init(&s->text, ROOM);
	sse_start(&sse);
	while ((n = sse_next(&sse, rest.p, rest.n, &e)) > 0) {
		if (e.lines != 1)
			wrong(s, "lines");
		check_event(s, &e, &t->scratch);
		rest = str_n(rest.p + n, rest.n - n);
	}
	T_OK(rest.n == 0, "an event without end");
}

static void
stream_free(struct stream *s)
{
	buf_free(&s->names);
	buf_free(&s->done);
	buf_free(&s->text);
}

/* ---- scripts and what they become ---- */

#define HEAD "created in_progress "
#define ITEM(inside) "output_item.added " inside "output_item.done "
#define REASON(deltas) ITEM("reasoning_summary_part.added " deltas \
	"reasoning_summary_text.done reasoning_summary_part.done ")
#define THOUGHT "reasoning_summary_text.delta "
#define PART(inside) "content_part.added " inside "content_part.done "
#define TEXT1 "output_text.delta output_text.done "
#define CALLED "function_call_arguments.delta function_call_arguments.done "
#define CUSTOM "custom_tool_call_input.delta custom_tool_call_input.done "
#define RS(n) "{\"id\":\"rs_x_" n "\",\"type\":\"reasoning\"," \
	"\"summary\":["
#define SUM(text) "{\"type\":\"summary_text\",\"text\":\"" text "\"}]"
#define MSG(n, parts) "{\"id\":\"msg_x_" n "\",\"type\":\"message\"," \
	"\"status\":\"completed\",\"role\":\"assistant\",\"content\":[" \
	parts "]}"
#define OUT(text, notes) "{\"type\":\"output_text\",\"text\":\"" text \
	"\",\"annotations\":[" notes "],\"logprobs\":[]}"
#define FC(n, id, name, args) "{\"id\":\"fc_x_" n "\",\"type\":" \
	"\"function_call\",\"status\":\"completed\",\"call_id\":\"" id \
	"\",\"name\":\"" name "\",\"arguments\":\"" args "\"}"
#define CTC(n, id, name, input) "{\"id\":\"ctc_x_" n "\",\"type\":" \
	"\"custom_tool_call\",\"call_id\":\"" id "\",\"name\":\"" name \
	"\",\"input\":\"" input "\"}"
#define CITE(url, title, a, b) "{\"type\":\"url_citation\",\"url\":\"" \
	url "\",\"title\":\"" title "\",\"start_index\":" a \
	",\"end_index\":" b "}"

static const struct {
	const char *script, *names, *items;
	unsigned other;		/* the whole answer has another order */
} cases[] = {
	{ "start chatcmpl-x\nopen text\ndelta text a\\n\ndelta text "
	    "\xe2\x80\xa8\nclose text\nfinish end\nusage 5 6\nend",
	    HEAD ITEM(PART("output_text.delta " TEXT1)) "completed ",
	    MSG("0", OUT("a\\n\\u2028", "")), 0 },
	{ "start x\nopen think\ndelta think h\ndelta think m\nclose think "
	    "U0c=\nopen text\ndelta text t\nclose text\nopen call c1 f\n"
	    "delta call {\\\"a\\\"\ndelta call :1}\nclose call\n"
	    "finish tool\nusage 1 1\nend",
	    HEAD REASON(THOUGHT THOUGHT) ITEM(PART(TEXT1))
	    ITEM("function_call_arguments.delta " CALLED) "completed ",
	    RS("0") SUM("hm") ",\"encrypted_content\":\"eGwxLmEudC5VMGM9\"},"
	    MSG("1", OUT("t", "")) "," FC("2", "c1", "f",
	    "{\\\"a\\\":1}"), 0 },
	/* thoughts that are not Claude's; without text they are nothing */
	{ "start x\nopen think\nclose think xl1.o\nopen think\ndelta think h"
	    "\nclose think xl1.g\nfinish end\nusage 1 1\nend",
	    HEAD REASON(THOUGHT) "completed ", RS("0") SUM("h") "}", 0 },
	/* thoughts that must come back although nobody may read them */
	{ "start x\nopen think\nclose think U0c=\nopen redacted R\n"
	    "close redacted\nfinish end\nusage 1 1\nend",
	    HEAD ITEM("") ITEM("") "completed ",
	    RS("0") "],\"encrypted_content\":\"eGwxLmEudC5VMGM9\"},"
	    RS("1") "],\"encrypted_content\":\"eGwxLmEuci5S\"}", 0 },
	/* blocks of text become one, with places for what they cite */
	{ "start x\nopen text\ndelta text N\xc3\xa9: \nclose text\n"
	    "open text\ndelta text fact\ncite https://e.org E\n"
	    "cite https://f.org -\ndelta text \\ud83d\\ude00\nclose text\n"
	    "open text\ndelta text .\nclose text\nfinish end\nusage 1 1\nend",
	    HEAD ITEM(PART("output_text.delta output_text.delta "
	    "output_text.delta output_text.annotation.added "
	    "output_text.annotation.added output_text.delta "
	    "output_text.done ")) "completed ",
	    MSG("0", OUT("N\xc3\xa9: fact\\ud83d\\ude00.",
	    CITE("https://e.org", "E", "4", "9") ","
	    CITE("https://f.org", "", "4", "9"))), 0 },
	{ "start x\nopen text\nclose text\nfinish end\nusage 1 1\nend",
	    HEAD "completed ", "", 0 },
	/* refusals: as parts, or with the end */
	{ "start x\nopen text\ndelta text a\nclose text\nopen refusal\n"
	    "delta refusal no\nclose refusal\nfinish refusal no\n"
	    "usage 1 1\nend", HEAD ITEM(PART(TEXT1)
	    PART("refusal.delta refusal.done ")) "incomplete ",
	    MSG("0", OUT("a", "") ",{\"type\":\"refusal\",\"refusal\":"
	    "\"no\"}"), 0 },
	{ "start x\nfinish refusal never\nusage 1 1\nend",
	    HEAD ITEM(PART("refusal.delta refusal.done ")) "incomplete ",
	    MSG("0", "{\"type\":\"refusal\",\"refusal\":\"never\"}"), 0 },
	/* calls */
	{ "start x\nopen call k f UQ==\nclose call\nopen call l g\n"
	    "delta call {}\nclose call\nfinish tool\nusage 1 1\nend",
	    HEAD ITEM(CALLED) ITEM(CALLED) "completed ",
	    FC("0", "k__ts_VVE9PQ", "f", "{}") "," FC("1", "l", "g", "{}"),
	    0 },
	{ "start x\nopen call k p - custom\ndelta call {\\\"input\\\":\n"
	    "delta call  \\\"a\\\\n\\\\\\\"b\\\\\\\"\\\"}\nclose call\n"
	    "finish tool\nusage 1 1\nend", HEAD ITEM(CUSTOM) "completed ",
	    CTC("0", "k", "p", "a\\n\\\"b\\\""), 0 },
	{ "start x\nopen call k p - custom\ndelta call {\\\"x\\\":1}\n"
	    "close call\nopen call l q - custom\nclose call\nfinish tool\n"
	    "usage 1 1\nend", HEAD ITEM(CALLED) ITEM(CALLED) "completed ",
	    FC("0", "k", "p", "{\\\"x\\\":1}") "," FC("1", "l", "q", "{}"),
	    0 },
	{ "start x\nopen call c f\ndelta call {bad\nclose call\n"
	    "open text\ndelta text t\nclose text\nfinish max\nusage 1 1\nend",
	    HEAD ITEM(CALLED) ITEM(PART(TEXT1)) "incomplete ",
	    FC("0", "c", "f", "{bad") "," MSG("1", OUT("t", "")), 1 },
	/* the second message counts anew */
	{ "start x\nopen text\ndelta text ab\ncite u -\nclose text\n"
	    "open refusal\ndelta refusal n\nclose refusal\nopen call c f\n"
	    "close call\nopen text\ndelta text c\ncite v -\nclose text\n"
	    "finish tool\nusage 1 1\nend", HEAD
	    ITEM(PART("output_text.delta output_text.annotation.added "
	    "output_text.done ") PART("refusal.delta refusal.done "))
	    ITEM(CALLED) ITEM(PART("output_text.delta "
	    "output_text.annotation.added output_text.done ")) "completed ",
	    MSG("0", OUT("ab", CITE("u", "", "0", "2")) ",{\"type\":"
	    "\"refusal\",\"refusal\":\"n\"}") "," FC("1", "c", "f", "{}")
	    "," MSG("2", OUT("c", CITE("v", "", "0", "1"))), 1 },
	/* failures: what was finished is kept, what was open is not */
	{ "start x\nopen call c f\ndelta call {}\nclose call\nopen text\n"
	    "delta text t\nerror 8 slow \\\"down\\\"\nend",
	    HEAD ITEM(CALLED) "output_item.added content_part.added "
	    "output_text.delta failed ", FC("0", "c", "f", "{}"), 1 },
	{ "error 11 broken", HEAD "failed ", "", 1 }
};

static void
test_cases(void)
{
	struct bench t;
	struct stream s;
	struct buf want;
	size_t i;

	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bench_start(&t, NULL);
		T_OK(play(&t, cases[i].script) == 0, "%s", cases[i].script);
		check_stream(&t, &s);
		T_OK(strcmp(buf_cstr(&s.names), cases[i].names) == 0,
		    "%s:\n  %s\nnot\n  %s", cases[i].script,
		    buf_cstr(&s.names), cases[i].names);
		if (strstr(cases[i].script, "start") != NULL)
			T_OK(str_is(s.id, "resp_x"), "%s", cases[i].script);
		T_OK(str_is(buf_str(&s.done), cases[i].items),
		    "%s:\n  %s\nnot\n  %s", cases[i].script,
		    buf_cstr(&s.done), cases[i].items);
		buf_init(&want, ROOM);
		buf_fmt(&want, "[%s]", buf_cstr(&s.done));
		T_OK(str_eq(s.output, buf_str(&want)), "%s: %.*s",
		    cases[i].script, (int)s.output.n, s.output.p);
		if (!cases[i].other)
			T_OK(str_eq(buf_str(&t.whole), s.last),
			    "%s:\n  %s\nnot\n  %.*s", cases[i].script,
			    buf_cstr(&t.whole), (int)s.last.n, s.last.p);
		buf_free(&want);
		stream_free(&s);
		bench_end(&t);
	}
}

/* ---- single rules ---- */

#define TEXT "start x\nopen text\ndelta text t\nclose text\n"

static int
has(struct buf *b, const char *what)
{
	return strstr(buf_cstr(b), what) != NULL;
}

static void
test_object(void)
{
	static const char defaults[] = "{\"id\":\"resp_x\",\"object\":"
	    "\"response\",\"created_at\":7,\"status\":\"in_progress\","
	    "\"background\":false,\"error\":null,\"incomplete_details\":null,"
	    "\"instructions\":null,\"max_output_tokens\":null,\"model\":"
	    "\"m\",\"output\":[],\"parallel_tool_calls\":true,"
	    "\"previous_response_id\":null,\"reasoning\":{\"effort\":null,"
	    "\"summary\":null},\"temperature\":1,\"text\":{\"format\":"
	    "{\"type\":\"text\"}},\"tool_choice\":\"auto\",\"tools\":[],"
	    "\"top_p\":1,\"truncation\":\"disabled\",\"user\":null,"
	    "\"metadata\":{},\"usage\":null}";
	static const char request[] = "{\"instructions\":\"I\\n\xe2\x80\xa8"
	    "\", \"max_output_tokens\": 9,\"parallel_tool_calls\":false,"
	    "\"reasoning\":{\"effort\":\"low\",\"summary\":null,"
	    "\"context\":1},\"temperature\":0.50,\"text\":{\n\"verbosity\":"
	    "\"low\"\n},\"tool_choice\":\"none\",\"tools\":[ {\n\"type\":"
	    "\"custom\"}\r\n],\"top_p\":null,\"truncation\":\"auto\","
	    "\"user\":\"u\",\"metadata\":{\"k\":\"v\"}}";
	static const char echoed[] = ",\"instructions\":\"I\\n\\u2028\","
	    "\"max_output_tokens\":9,\"model\":\"m\",\"output\":[],"
	    "\"parallel_tool_calls\":false,\"previous_response_id\":null,"
	    "\"reasoning\":{\"effort\":\"low\",\"summary\":null},"
	    "\"temperature\":0.50,\"text\":{\"verbosity\":\"low\"},"
	    "\"tool_choice\":\"none\",\"tools\":[{\"type\":\"custom\"}],"
	    "\"top_p\":1,\"truncation\":\"auto\",\"user\":\"u\","
	    "\"metadata\":{\"k\":\"v\"},\"usage\":null}";
	struct bench t;

	bench_start(&t, NULL);
	play(&t, TEXT);
	T_OK(has(&t.out, defaults), "%s", buf_cstr(&t.out));
	bench_end(&t);
	bench_start(&t, request);
	play(&t, TEXT);
	T_OK(has(&t.out, echoed), "%s", buf_cstr(&t.out));
	bench_end(&t);
}

static void
test_ends(void)
{
	static const struct {
		const char *stop, *want;
	} stops[] = {
		{ "end", "\"status\":\"completed\",\"background\":false,"
		    "\"error\":null,\"incomplete_details\":null" },
		{ "tool", "\"status\":\"completed\"" },
		{ "sequence", "\"status\":\"completed\"" },
		{ "pause", "\"status\":\"completed\"" },
		{ "max", "\"status\":\"incomplete\",\"background\":false,"
		    "\"error\":null,\"incomplete_details\":{\"reason\":"
		    "\"max_output_tokens\"}" },
		{ "refusal", "\"incomplete_details\":{\"reason\":"
		    "\"content_filter\"}" }
	};
	static const char usage[] = "\"usage\":{\"input_tokens\":8,"
	    "\"input_tokens_details\":{\"cached_tokens\":2,"
	    "\"cache_write_tokens\":1},\"output_tokens\":6,"
	    "\"output_tokens_details\":{\"reasoning_tokens\":0},"
	    "\"total_tokens\":14}";
	struct bench t;
	char script[200];
	size_t i;

	for (i = 0; i < sizeof stops / sizeof stops[0]; i++) {
		bench_start(&t, NULL);
		snprintf(script, sizeof script, "%sfinish %s\nusage 5 6\nend",
		    TEXT, stops[i].stop);
		T_OK(play(&t, script) == 0, "%s", script);
		T_OK(has(&t.out, stops[i].want), "%s", buf_cstr(&t.out));
		T_OK(has(&t.out, usage), "%s", buf_cstr(&t.out));
		T_OK(has(&t.whole, stops[i].want), "%s", buf_cstr(&t.whole));
		T_OK(has(&t.whole, usage), "%s", buf_cstr(&t.whole));
		bench_end(&t);
	}
}

static void
test_errors(void)
{
	static const struct {
		enum msg_class class;
		const char *code;
	} codes[] = {
		{ MSG_INVALID, "invalid_prompt" },
		{ MSG_CONTEXT, "invalid_prompt" },
		{ MSG_RATE, "rate_limit_exceeded" },
		{ MSG_OVERLOADED, "server_error" },
		{ MSG_SERVER, "server_error" },
		{ MSG_TIMEOUT, "server_error" }
	};
	struct bench t;
	char script[200], want[200];
	size_t i;

	for (i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		bench_start(&t, NULL);
		snprintf(script, sizeof script, "%serror %d a \\\"b\\\"", TEXT,
		    (int)codes[i].class);
		snprintf(want, sizeof want, "\"status\":\"failed\","
		    "\"background\":false,\"error\":{\"code\":\"%s\","
		    "\"message\":\"a \\\"b\\\"\"},\"incomplete_details\":null",
		    codes[i].code);
		T_OK(play(&t, script) == 0, "%s", script);
		T_OK(has(&t.out, want), "%s", buf_cstr(&t.out));
		bench_end(&t);
	}
}

/* Ids that no upstream gave are made up, and are not the same twice. */
static void
test_ids(void)
{
	struct bench t;
	struct stream s;
	struct node *d, *first;
	struct str a, b;

	bench_start(&t, NULL);
	play(&t, "start -\nopen call - f\nclose call\nopen call - f\n"
	    "close call\nfinish tool\nusage 1 1\nend");
	check_stream(&t, &s);
	d = tree_parse(&t.scratch, s.output);
	first = d == NULL ? NULL : d->child;
	T_OK(first != NULL && first->next != NULL, "%s", buf_cstr(&t.out));
	if (first != NULL) {
		a = tree_get_text(first, "call_id");
		b = tree_get_text(first->next, "call_id");
		T_OK(str_starts(a, "call_") && a.n == 29, "%.*s", (int)a.n,
		    a.p);
		T_OK(!str_eq(a, b), "%.*s", (int)a.n, a.p);
		a = tree_get_text(first, "id");
		T_OK(str_starts(a, "fc_") && a.n > 10, "%.*s", (int)a.n, a.p);
	}
	T_OK(s.id.n > 15, "%.*s", (int)s.id.n, s.id.p);
	stream_free(&s);
	bench_end(&t);
}

/* Each full buffer and each end of memory is told. */
static void
test_room(void)
{
	struct bench t;
	size_t i, room, arena;
	int rc;

	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (room = 0; room < 4000; room += 59) {
			bench_start(&t, NULL);
			t.out.max = room;
			rc = play(&t, cases[i].script);
			T_OK((rc == -1) == (t.out.bad != 0), "%s: %u",
			    cases[i].script, (unsigned)room);
			bench_end(&t);
		}
		for (arena = 0; arena < 4000; arena += 59) {
			bench_start(&t, NULL);
			t.arena.max = arena;
			rc = play(&t, cases[i].script);
			T_OK(rc == -1 || !t.arena.bad, "%s: %u",
			    cases[i].script, (unsigned)arena);
			bench_end(&t);
		}
	}
}

static void
test_ping(void)
{
	struct buf out;

	buf_init(&out, ROOM);
	T_OK(responses_write_ping(&out) == 0, "ping");
	T_OK(out.len > 3 && buf_cstr(&out)[0] == ':' &&
	    str_ends(buf_str(&out), "\n\n"), "%s", buf_cstr(&out));
	buf_free(&out);
}

int
main(void)
{
	test_cases();
	test_object();
	test_ends();
	test_errors();
	test_ids();
	test_room();
	test_ping();
	return t_end();
}
