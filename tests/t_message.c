#include "dialect/message.h"

#include <string.h>

#include "tests/t.h"

#define N(a) (sizeof(a) / sizeof *(a))

static struct arena a;
static struct msg_notes notes;

static void
fresh(void)
{
	arena_reset(&a);
	notes.first = NULL;
}

static void
t_lists(void)
{
	struct msg_part *parts = NULL;
	struct msg_turn *turns = NULL;
	struct msg_tool *tools = NULL;
	struct msg_string *strings = NULL;
	struct msg_request r;
	struct msg_tool *t;

	msg_text_add(&a, &parts, str_of("one"));
	msg_part_add(&a, &parts, MSG_CALL);
	T_OK(parts->kind == MSG_TEXT && str_is(parts->text, "one") &&
	    parts->next->kind == MSG_CALL && parts->next->text.p == NULL &&
	    parts->next->next == NULL, "parts in order");
	T_OK(!msg_has_media(parts) && !msg_has_media(NULL), "no media");
	msg_part_add(&a, &parts, MSG_AUDIO);
	T_OK(msg_has_media(parts), "media");
	msg_turn_add(&a, &turns, MSG_USER);
	msg_turn_add(&a, &turns->next, MSG_ASSISTANT);
	T_OK(turns->role == MSG_USER && turns->next->role == MSG_ASSISTANT,
	    "turns in order");
	msg_tool_add(&a, &tools)->name = str_of("x");
	msg_tool_add(&a, &tools)->name = str_of("y");
	memset(&r, 0, sizeof r);
	r.tools = tools;
	t = msg_tool_find(&r, str_of("y"));
	T_OK(t == tools->next, "found");
	T_OK(msg_tool_find(&r, str_of("X")) == NULL, "none");
	msg_string_add(&a, &strings, str_of("s"));
	msg_string_add(&a, &strings, str_of("t"));
	T_OK(str_is(strings->s, "s") && str_is(strings->next->s, "t") &&
	    strings->next->next == NULL, "strings in order");
	fresh();
}

static void
t_notes(void)
{
	const struct msg_string *s;
	char name[8];
	size_t count = 0, i;

	msg_note(&a, &notes, "drop:tool.", str_of("bash"));
	msg_note(&a, &notes, "clamp:stop", str_of(""));
	msg_note(&a, &notes, "drop:", str_of("tool.bash"));
	msg_note(&a, &notes, "drop:", str_of("a\r\nb,c \xc3\xa9\x7f"));
	s = notes.first;
	T_OK(str_is(s->s, "drop:tool.bash"), "first");
	T_OK(str_is(s->next->s, "clamp:stop"), "second");
	s = s->next->next;
	T_OK(s != NULL && str_is(s->s, "drop:a__b_c____"), "for a header");
	T_OK(s != NULL && s->next == NULL, "each once");
	msg_note(&a, &notes, "x", str_n("0123456789012345678901234567890123"
	    "456789012345678901234567890123456789", 70));
	T_OK(s != NULL && s->next != NULL && s->next->s.n == 65, "cut");
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "%zu", i);
		msg_note(&a, &notes, "drop:", str_of(name));
	}
	for (s = notes.first; s != NULL; s = s->next)
		count++;
	T_OK(count == MSG_NOTES_MAX, "%zu", count);
	msg_note(&a, NULL, "x", str_of("y"));
	fresh();
}

static void
t_refuse(void)
{
	static char big[1000];
	struct msg_fault f;

	T_OK(msg_refuse(&f, "messages", "%s is %d", "messages", 5) == -1 &&
	    strcmp(f.why, "messages is 5") == 0 &&
	    strcmp(f.param, "messages") == 0, "%s", f.why);
	memset(big, 'x', sizeof big - 1);
	msg_refuse(&f, big, "%s", big);
	T_OK(strlen(f.why) == sizeof f.why - 1 &&
	    strlen(f.param) == sizeof f.param - 1, "cut");
}

static void
t_texts(void)
{
	struct msg_part *parts = NULL;
	const struct str none = { NULL, 0 };
	struct str s;

	s = msg_join(&a, NULL, "\n");
	T_OK(s.p != NULL && s.n == 0, "nothing joined");
	s = msg_document(&a, none, none, NULL);
	T_OK(str_is(s, "<document>\\n\\n</document>"), "empty document");
	msg_part_add(&a, &parts, MSG_IMAGE);
	msg_text_add(&a, &parts, str_of("a\\t"));
	s = msg_join(&a, parts, "\n");
	T_OK(s.p == parts->next->text.p && s.n == 3, "one is not copied");
	msg_part_add(&a, &parts, MSG_THINK)->text = str_of("no");
	msg_text_add(&a, &parts, str_of("b"));
	s = msg_join(&a, parts, "\n");
	T_OK(str_is(s, "a\\t\\nb"), "%.*s", (int)s.n, s.p);
	s = msg_join(&a, parts, "");
	T_OK(str_is(s, "a\\tb"), "%.*s", (int)s.n, s.p);
	s = msg_document(&a, str_of("T\\u0041 \\\"q\\\""), str_of("c\\n"),
	    parts);
	T_OK(str_is(s, "<document title=\\\"TA \\\\\\\"q\\\\\\\"\\\">\\n"
	    "Context: c\\n\\na\\t\\nb\\n</document>"), "%.*s", (int)s.n, s.p);
	T_OK(!a.bad, "memory");
	fresh();
}

static void
t_hints(void)
{
	static const char chat[] = "{\"type\":\"grammar\",\"grammar\":"
	    "{\"syntax\":\"lark\",\"definition\":\"start: \\\"x\\\"\"}}";
	static const char flat[] = "{\"type\":\"grammar\","
	    "\"syntax\":\"regex\",\"definition\":\"a+\"}";
	struct msg_request r;
	struct msg_tool t;
	struct str s;

	memset(&r, 0, sizeof r);
	memset(&t, 0, sizeof t);
	r.format = MSG_FORMAT_JSON;
	s = msg_format_hint(&a, &r);
	T_OK(str_is(s, "Respond only with a valid JSON object, without any "
	    "other text."), "%.*s", (int)s.n, s.p);
	r.format = MSG_FORMAT_SCHEMA;
	r.schema = tree_parse(&a, str_of("{ \"type\": \"object\" }"));
	s = msg_format_hint(&a, &r);
	T_OK(str_is(s, "Respond only with JSON that conforms to this JSON "
	    "Schema, without any other text:\\n{\\\"type\\\":\\\"object\\\"}"),
	    "%.*s", (int)s.n, s.p);
	t.description = str_of("d");
	s = msg_custom_description(&a, &t);
	T_OK(str_is(s, "d"), "plain text");
	t.format = tree_parse(&a, str_of("{\"type\":\"text\"}"));
	s = msg_custom_description(&a, &t);
	T_OK(str_is(s, "d"), "still plain text");
	t.format = tree_parse(&a, str_of(chat));
	s = msg_custom_description(&a, &t);
	T_OK(str_is(s, "d\\n\\nThe input must match this lark grammar:\\n"
	    "start: \\\"x\\\""), "%.*s", (int)s.n, s.p);
	t.format = tree_parse(&a, str_of(flat));
	s = msg_custom_description(&a, &t);
	T_OK(str_is(s, "d\\n\\nThe input must match this regex grammar:\\n"
	    "a+"), "%.*s", (int)s.n, s.p);
	T_OK(tree_parse(&a, str_of(MSG_CUSTOM_SCHEMA)) != NULL, "schema");
	fresh();
}

static void
t_efforts(void)
{
	enum msg_effort e;

	for (e = MSG_EFFORT_NONE; e <= MSG_EFFORT_MAX; e++)
		T_OK(msg_effort_of(str_of(msg_effort_name(e))) == e, "%d",
		    (int)e);
	T_OK(msg_effort_of(str_of("")) == MSG_EFFORT_UNSET &&
	    msg_effort_of(str_of("High")) == MSG_EFFORT_UNSET &&
	    msg_effort_of(str_n(NULL, 0)) == MSG_EFFORT_UNSET, "none");
	T_OK(strcmp(msg_effort_name(MSG_EFFORT_XHIGH), "xhigh") == 0, "name");
}

static void
t_urls(void)
{
	static const struct {
		const char *url, *type, *data;
	} cases[] = {
		{ "data:image/png;base64,AAAA", "image/png", "AAAA" },
		{ "data:image\\/png;base64,A\\/A=", "image/png", "A\\/A=" },
		{ "DATA:Image/PNG;Base64,AA", "image/png", "AA" },
		{ "data:text/plain;charset=utf-8;base64,", "text/plain", "" },
		{ "data:;base64,AA", "text/plain", "AA" },
		{ "data:image/png,AAAA", NULL, NULL },
		{ "data:base64,AAAA", NULL, NULL },
		{ "data:image/png;base64", NULL, NULL },
		{ "https://example.com/a,b;base64,AA", NULL, NULL },
		{ ";base64,AA", NULL, NULL },
		{ "", NULL, NULL }
	};
	struct str type, data;
	size_t i;
	int rc;

	for (i = 0; i < N(cases); i++) {
		rc = msg_data_url(&a, str_of(cases[i].url), &type, &data);
		T_OK(rc == (cases[i].type == NULL ? -1 : 0), "%s",
		    cases[i].url);
		if (rc == 0 && cases[i].type != NULL)
			T_OK(str_is(type, cases[i].type) &&
			    str_is(data, cases[i].data), "%s: %.*s",
			    cases[i].url, (int)type.n, type.p);
	}
	T_OK(msg_data_url(&a, str_n(NULL, 0), &type, &data) == -1, "absent");
	fresh();
}

/*
 * Scripts of events: a letter for the kind, a digit for the choice, and
 * what goes with it.  The text is handed over in memory that is overwritten
 * afterwards, as the events of a stream are.
 *	T C K R V	opens text, call, thinking, refusal, redacted
 *	.	a piece, ) the end; ^ a citation, ! a finish
 */
struct step {
	const char *what, *text;
};

static void
play_one(struct msg_gather *g, const struct step *s)
{
	static const char opens[] = "TCKRV";
	static const enum msg_kind kinds[] = { MSG_TEXT, MSG_CALL, MSG_THINK,
		MSG_REFUSAL, MSG_REDACTED };
	char copy[64];
	const char *hit = strchr(opens, s->what[0]);
	struct msg_event e;
	struct str text;

	snprintf(copy, sizeof copy, "%s", s->text);
	text = str_of(copy);
	memset(&e, 0, sizeof e);
	e.choice = (unsigned)(s->what[1] - '0');
	if (hit != NULL) {
		e.kind = MSG_OPEN;
		e.part = kinds[hit - opens];
		if (e.part == MSG_CALL)
			e.id = e.name = e.signature = text;
		if (e.part == MSG_REDACTED)
			e.data = text;
	} else if (s->what[0] == '.') {
		e.kind = MSG_DELTA;
		e.text = text;
	} else if (s->what[0] == ')') {
		e.kind = MSG_CLOSE;
		e.signature = text;
	} else if (s->what[0] == '^') {
		e.kind = MSG_CITE;
		e.url = e.title = text;
	} else {
		e.kind = MSG_FINISH;
		e.stop = MSG_STOP_SEQUENCE;
		e.sequence = e.refusal = text;
	}
	msg_gather_take(g, &e);
	memset(copy, '#', sizeof copy);
}

/* What was gathered, in one line. */
static void
show(struct buf *out, const struct msg_gather *g)
{
	static const char letters[] = "TIDACrKVR";
	const struct msg_gather_choice *c;
	const struct msg_part *p;
	const struct msg_cite *t;

	for (c = g->choices; c != NULL; c = c->next) {
		buf_fmt(out, "%u:", c->index);
		for (p = c->parts; p != NULL; p = p->next) {
			buf_addc(out, letters[p->kind]);
			buf_addc(out, '<');
			buf_addstr(out, p->text);
			buf_addstr(out, p->args);
			buf_addstr(out, p->data);
			buf_addc(out, '|');
			buf_addstr(out, p->id);
			buf_addstr(out, p->signature);
			buf_addc(out, '>');
			for (t = c->cites; t != NULL; t = t->next)
				if (t->part == p)
					buf_addstr(out, t->url);
		}
		if (c->finished) {
			buf_addc(out, '!');
			buf_addstr(out, c->finish.sequence);
		}
		buf_addc(out, ' ');
	}
}

#define MAX_STEPS 16

static const struct {
	const char *want;
	const char *note;
	struct step steps[MAX_STEPS];
} plays[] = {
	{ "", NULL, { { NULL, NULL } } },
	{ "0:T<hello|>!stop ", NULL, { { "T0", "" }, { ".0", "hel" },
	    { ".0", "lo" }, { ")0", "" }, { "!0", "stop" } } },
	{ "0:T<|>T<b|> ", NULL, { { "T0", "" }, { ")0", "" }, { "T0", "" },
	    { ".0", "b" }, { ")0", "" } } },
	{ "0:K<hm|sig>C<{\\\"a\\\":1}{\"a\":1}|idid>! ", NULL, {
	    { "K0", "" }, { ".0", "h" }, { ".0", "m" }, { ")0", "sig" },
	    { "C0", "id" }, { ".0", "{\\\"a\\\"" }, { ".0", ":1}" },
	    { ")0", "" }, { "!0", "" } } },
	{ "0:C<{}|ii> ", NULL, { { "C0", "i" }, { ")0", "" } } },
	{ "0:C<{\\\"{\"_raw\":\"{\\\"\"}|ii> ", "repair:tool_arguments", {
	    { "C0", "i" }, { ".0", "{\\\"" }, { ")0", "" } } },
	{ "0:V<data|>R<no|> ", NULL, { { "V0", "data" }, { ")0", "" },
	    { "R0", "" }, { ".0", "no" }, { ")0", "" } } },
	{ "0:T<a|>uT<b|>vw ", NULL, { { "T0", "" }, { ".0", "a" },
	    { "^0", "u" }, { ")0", "" }, { "T0", "" }, { "^0", "v" },
	    { ".0", "b" }, { "^0", "w" }, { ")0", "" } } },
	{ "0:T<acf|>!x 2:T<bdg|>C<{\\\"k\\\":2}{\"k\":2}|ii>!y ", NULL, {
	    { "T2", "" }, { "T0", "" }, { ".0", "a" }, { ".2", "b" },
	    { ".0", "c" }, { ".2", "d" }, { ".0", "f" }, { ")0", "" },
	    { ".2", "g" }, { ")2", "" }, { "C2", "i" },
	    { ".2", "{\\\"k\\\":2}" }, { ")2", "" }, { "!0", "x" },
	    { "!2", "y" } } },
	{ "0:C<12{\"_raw\":\"12\"}|ii>T<3|> 1:T<xyz|> ",
	    "repair:tool_arguments", {
	    { "C0", "i" }, { ".0", "1" }, { "T1", "" }, { ".1", "x" },
	    { ".1", "y" }, { ".0", "2" }, { ")0", "" }, { "T0", "" },
	    { ".0", "3" }, { ".1", "z" }, { ")1", "" }, { ")0", "" } } },
	{ "0:T<a|> ", NULL, { { ".0", "x" }, { ")0", "" }, { "^0", "x" },
	    { "T0", "" }, { ".0", "a" }, { ")0", "" }, { ".0", "y" } } }
};

static void
t_gather(void)
{
	struct msg_gather g;
	const struct step *s;
	struct buf b;
	size_t i;

	for (i = 0; i < N(plays); i++) {
		msg_gather_start(&g, &a, &notes);
		for (s = plays[i].steps; s->what != NULL; s++)
			play_one(&g, s);
		buf_init(&b, 1000);
		show(&b, &g);
		T_OK(str_is(buf_str(&b), plays[i].want), "%zu: %s", i,
		    buf_cstr(&b));
		T_OK((notes.first != NULL) == (plays[i].note != NULL) &&
		    (notes.first == NULL || str_is(notes.first->s,
		    plays[i].note)), "%zu: notes", i);
		T_OK(!a.bad, "%zu: memory", i);
		buf_free(&b);
		msg_gather_free(&g);
		fresh();
	}
}

static void
t_whole(void)
{
	char id[] = "id", text[] = "oh", logs[] = "{\"content\":[]}";
	struct msg_event e;
	struct msg_gather g;
	const struct msg_gather_choice *c;
	struct node n;

	msg_gather_start(&g, &a, &notes);
	T_OK(g.usage.input == -1 && g.usage.reasoning == -1, "not told");
	memset(&e, 0, sizeof e);
	e.kind = MSG_START;
	e.id = str_of(id);
	e.usage.input = 5;
	msg_gather_take(&g, &e);
	T_OK(g.usage.input == 5, "from the start");
	memset(&e, 0, sizeof e);
	e.kind = MSG_FINISH;
	e.stop = MSG_STOP_REFUSAL;
	e.refusal = str_of(text);
	memset(&n, 0, sizeof n);
	n.type = JSON_OBJECT;
	n.raw = str_of(logs);
	e.logprobs = &n;
	e.logprobs_of = DIALECT_GEMINI;
	msg_gather_take(&g, &e);
	memset(&e, 0, sizeof e);
	e.kind = MSG_USAGE;
	e.usage.input = 6;
	e.usage.output = 7;
	msg_gather_take(&g, &e);
	e.kind = MSG_END;
	msg_gather_take(&g, &e);
	memset(logs, '#', sizeof logs - 1);
	memset(text, '#', sizeof text - 1);
	memset(id, '#', sizeof id - 1);
	c = g.choices;
	T_OK(g.ended && !g.failed && g.usage.input == 6 &&
	    g.usage.output == 7 && str_is(g.id, "id"), "whole");
	T_OK(c != NULL && c->finished && c->parts == NULL &&
	    c->finish.stop == MSG_STOP_REFUSAL &&
	    str_is(c->finish.refusal, "oh"), "finish");
	T_OK(c != NULL && c->finish.logprobs_of == DIALECT_GEMINI &&
	    tree_get(c->finish.logprobs, "content") != NULL, "logprobs");
	e.kind = MSG_ERROR;
	msg_gather_take(&g, &e);
	T_OK(!g.failed, "nothing follows the end");
	msg_gather_free(&g);
	fresh();
	msg_gather_start(&g, &a, NULL);
	e.kind = MSG_ERROR;
	e.class = MSG_OVERLOADED;
	e.text = str_of("busy");
	msg_gather_take(&g, &e);
	e.kind = MSG_END;
	msg_gather_take(&g, &e);
	T_OK(g.failed && !g.ended && g.class == MSG_OVERLOADED &&
	    str_is(g.message, "busy"), "error");
	msg_gather_free(&g);
	fresh();
}

/* A stream of pieces by the thousand costs what its text takes. */
static void
t_long(void)
{
	static const struct step piece = { ".0", "0123456789" };
	static const struct step open = { "T0", "" }, close = { ")0", "" };
	struct msg_gather g;
	size_t i;

	msg_gather_start(&g, &a, &notes);
	play_one(&g, &open);
	for (i = 0; i < 10000; i++)
		play_one(&g, &piece);
	play_one(&g, &close);
	T_OK(g.choices->parts->text.n == 100000, "all of it");
	T_OK(a.used < 110000, "%zu", a.used);
	msg_gather_free(&g);
	fresh();
}

/* With too little memory: no crash, and the arena tells. */
static void
t_memory(void)
{
	struct arena tight;
	struct msg_gather g;
	struct msg_notes said;
	const struct step *s;
	size_t max, i;
	int enough;

	for (i = 1; i < N(plays); i++)
		for (enough = 0, max = 0; max < 4000 && !enough; max += 5) {
			arena_init(&tight, max);
			said.first = NULL;
			msg_gather_start(&g, &tight, &said);
			for (s = plays[i].steps; s->what != NULL; s++)
				play_one(&g, s);
			enough = !tight.bad;
			T_OK(!enough || max > 100, "%zu with %zu", i, max);
			msg_gather_free(&g);
			arena_free(&tight);
		}
	arena_init(&tight, 0);
	T_OK(msg_text_add(&tight, &(struct msg_part *){ NULL }, str_of("")) ==
	    NULL, "part");
	T_OK(msg_turn_add(&tight, &(struct msg_turn *){ NULL }, MSG_USER) ==
	    NULL && msg_tool_add(&tight, &(struct msg_tool *){ NULL }) ==
	    NULL, "turn, tool");
	T_OK(msg_document(&tight, str_of("t"), str_of("c"), NULL).p == NULL &&
	    tight.bad, "document");
	arena_free(&tight);
}

int
main(void)
{
	arena_init(&a, 1 << 20);
	t_lists();
	t_notes();
	t_refuse();
	t_texts();
	t_hints();
	t_efforts();
	t_urls();
	t_gather();
	t_whole();
	t_long();
	arena_free(&a);
	t_memory();
	T_OK(buf_live() == 0, "leaked");
	return t_end();
}
