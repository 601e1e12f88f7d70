#ifndef TESTS_SCRIPT_H
#define TESTS_SCRIPT_H

/*
 * Random answers as events, and how a backend of each API writes them, as a
 * stream and whole.
 */

#include "dialect/anthropic_answer.h"
#include "dialect/gemini_answer.h"
#include "dialect/names.h"
#include "dialect/openai_answer.h"
#include "json.h"
#include "tests/gen.h"
#include "tests/t.h"

#define BIG ((size_t)64 << 20)

enum { A, O, G, R };

static const char *const models[] = { "claude-sonnet-4-5", "gpt-4o",
    "gemini-3-pro" };

/* The tools' names, and what each API has them called. */
static const char *const names[4] = { "f", "g.h", "9x", "c" };
static const char *const sent[3][4] = {
	{ "f", "g_h", "9x", "c" },
	{ "f", "g_h", "9x", "c" },
	{ "default_api:f", "g.h", "_9x", "c" }
};

static const struct dialect_usage untold = { -1, -1, -1, -1, -1 };

/* What the model says: events, and the same gathered. */
struct event {
	struct event *next;
	struct msg_event e;
};

struct script {
	struct arena *a;
	int up;
	struct event *first, **end;
	struct msg_gather whole;
	unsigned no_usage:1;	/* the backend tells none */
	unsigned eager:1;	/* .. or some with every piece */
	unsigned no_ids:1;	/* Gemini's calls have none */
	unsigned large:1;	/* texts, arguments, signatures are */
};

static uint64_t seed_now;
static char where[40];

#define MUST(cond) T_OK(cond, "seed %lu %s", (unsigned long)seed_now, where)

/* ---- making an answer ---- */

static void
add(struct script *s, const struct msg_event *e)
{
	struct event *n = arena_alloc(s->a, sizeof *n);

	n->e = *e;
	*s->end = n;
	s->end = &n->next;
}

/* How many bytes of a text cannot be told apart: an escape, a character. */
static size_t
step(struct str text)
{
	unsigned char c = (unsigned char)text.p[0];
	size_t n = 1;

	if (c == '\\')
		return text.p[1] == 'u' ? 6 : 2;
	while (n < text.n && c >= 0xc0 && ((unsigned char)text.p[n] & 0xc0) ==
	    0x80)
		n++;
	return n;
}

/* A part's events: its text in pieces of any size. */
static void
add_part(struct script *s, struct msg_event *open, struct str text,
    struct str signature)
{
	struct msg_event e = *open;
	unsigned often = 1 + (s->large ? 0 : gen_below(40));
	size_t n;

	open->kind = MSG_OPEN;
	add(s, open);
	memset(&e, 0, sizeof e);
	e.kind = MSG_DELTA;
	e.part = open->part;
	e.choice = open->choice;
	while (text.n > 0) {
		for (n = step(text); n < text.n && !gen_chance(often); )
			n += step(str_n(text.p + n, text.n - n));
		e.text = str_n(text.p, n);
		add(s, &e);
		text = str_n(text.p + n, text.n - n);
	}
	e.kind = MSG_CLOSE;
	e.text = str_n(NULL, 0);
	e.signature = signature;
	add(s, &e);
}

/* A large answer's texts are 30000 bytes long. */
static struct str
lengthen(const struct script *s, struct str text)
{
	struct buf b;

	if (!s->large || text.n == 0)
		return text;
	buf_init(&b, BIG);
	while (b.len < 30000)
		buf_addstr(&b, text);
	return gen_made(s->a, &b);
}

/* A text that is not empty, and for thoughts without ends of lines. */
static struct str
some_text(struct script *s, int thought)
{
	struct str t;

	do
		t = gen_text(s->a, 6);
	while (t.n == 0 || (thought && str_casefind(t, str_of("\\n")) >= 0));
	return lengthen(s, t);
}

/* The text of a call's arguments; now and then cut off, or odd. */
static struct str
some_args(struct script *s, int custom)
{
	struct str all, was;
	struct buf b;
	size_t n;

	buf_init(&b, GEN_MAX);
	if (custom || s->large) {
		buf_adds(&b, "{\"input\":");
		gen_quoted(&b, lengthen(s, gen_text(s->a, 6)));
		buf_adds(&b, "}");
		was = arena_take(s->a, &b);
	} else
		was = gen_object(s->a);
	text_nest(&b, was);
	all = arena_take(s->a, &b);
	buf_free(&b);
	if (gen_chance(8))
		return str_of("");
	if (gen_chance(s->up == G ? 0 : 6)) {
		for (n = 0; n < all.n && !gen_chance(10); )
			n += step(str_n(all.p + n, all.n - n));
		all.n = n;
	}
	return all;
}

static void
add_call(struct script *s, unsigned choice, unsigned number)
{
	struct str none = str_n(NULL, 0);
	struct msg_event e;
	unsigned tool = gen_below(5);

	memset(&e, 0, sizeof e);
	e.part = MSG_CALL;
	e.choice = choice;
	e.name = tool == 4 ? str_of("made_up") : str_of(sent[s->up][tool]);
	do
		e.id = gen_word(s->a, "id", number);
	while (str_casefind(e.id, str_of("__ts_")) >= 0);
	if (s->no_ids)
		e.id = str_of("call_none");
	if (s->up == G && gen_chance(40))
		e.signature = lengthen(s, gen_word(s->a, "EsG", number));
	add_part(s, &e, some_args(s, tool == 3), none);
}

static void
add_kind(struct script *s, enum msg_kind kind, unsigned choice,
    unsigned number)
{
	struct str text = str_n(NULL, 0), signature = str_n(NULL, 0);
	struct msg_event e;

	if (kind == MSG_CALL) {
		add_call(s, choice, number);
		return;
	}
	memset(&e, 0, sizeof e);
	e.part = kind;
	e.choice = choice;
	if (kind == MSG_REDACTED)
		e.data = str_of("ZW5j\\/+==");
	else if (s->up != A || !gen_chance(kind == MSG_THINK ? 20 : 10))
		text = some_text(s, kind == MSG_THINK);
	if (kind == MSG_THINK && s->up == A)
		signature = lengthen(s, gen_word(s->a, "Sig", number));
	add_part(s, &e, text, signature);
}

/*
 * The parts of one choice, in an order that its API can say whole.  Of
 * several, each says something: who says nothing may not have begun yet.
 */
static void
add_choice(struct script *s, unsigned choice, int something)
{
	static const enum msg_kind kinds[] = { MSG_TEXT, MSG_CALL, MSG_THINK,
	    MSG_REDACTED };
	unsigned n, i;

	if (s->up == O) {
		if (gen_chance(30))
			add_kind(s, MSG_THINK, choice, 0);
		if (something || gen_chance(70))
			add_kind(s, MSG_TEXT, choice, 0);
		if (gen_chance(10))
			add_kind(s, MSG_REFUSAL, choice, 0);
		for (i = gen_chance(50) ? gen_below(4) : 0; i > 0; i--)
			add_kind(s, MSG_CALL, choice, i);
		return;
	}
	for (n = gen_below(6), i = 0; i < n; i++)
		add_kind(s, kinds[gen_below(s->up == A ? 4 : 3)], choice, i);
}

/* Takes events of several lists in turns, each list in its order. */
static void
interleave(struct script *s, struct event *lists[], unsigned n)
{
	unsigned left, i;

	do {
		i = gen_below(n);
		for (left = 0; left < n && lists[i] == NULL; left++)
			i = (i + 1) % n;
		if (left < n) {
			*s->end = lists[i];
			lists[i] = lists[i]->next;
			s->end = &(*s->end)->next;
			*s->end = NULL;
		}
	} while (left < n);
}

static void
some_usage(struct dialect_usage *u)
{
	static const int64_t max[] = { 1, 100, 1000000, 1000000000000 };
	unsigned m = 1 + gen_below(3);

	*u = untold;
	u->input = (int64_t)(util_random(&gen_state) % (uint64_t)max[m]);
	u->output = (int64_t)(util_random(&gen_state) % (uint64_t)max[m]);
	if (gen_chance(50))
		u->cache_read = gen_below(1000);
	if (gen_chance(50))
		u->cache_write = gen_below(1000);
	if (gen_chance(50))
		u->reasoning = u->output - u->output / (int64_t)(1 +
		    gen_below(3));
}

static void
add_finish(struct script *s, unsigned choice)
{
	static const enum msg_stop stops[] = { MSG_STOP_END, MSG_STOP_TOOL,
	    MSG_STOP_MAX, MSG_STOP_REFUSAL, MSG_STOP_SEQUENCE,
	    MSG_STOP_PAUSE };
	struct msg_event e;

	memset(&e, 0, sizeof e);
	e.kind = MSG_FINISH;
	e.choice = choice;
	e.stop = stops[gen_below(s->up == A ? 6 : 4)];
	if (e.stop == MSG_STOP_SEQUENCE)
		e.sequence = some_text(s, 0);
	if (e.stop == MSG_STOP_REFUSAL && s->up != O && gen_chance(70))
		e.refusal = some_text(s, 0);
	add(s, &e);
}

static void
make_script(struct script *s, struct arena *a, int up, int large)
{
	struct event *lists[3] = { NULL, NULL, NULL };
	unsigned n = up == A ? 1 : gen_chance(60) ? 1 : 1 + gen_below(3), i;
	const struct event *ev;
	struct msg_event e;

	memset(s, 0, sizeof *s);
	s->a = a;
	s->up = up;
	s->large = large != 0;
	s->no_usage = gen_chance(15) ? 1 : 0;
	s->eager = up == O && !s->no_usage && gen_chance(30);
	s->no_ids = up == G && gen_chance(30);
	for (i = 0; i < n; i++) {
		s->end = &lists[i];
		add_choice(s, i, n > 1);
	}
	s->end = &s->first;
	memset(&e, 0, sizeof e);
	e.kind = MSG_START;
	e.id = gen_chance(90) ? gen_word(a, "up", 1) : str_of("");
	some_usage(&e.usage);
	if (up != A)
		e.usage = untold;
	add(s, &e);
	interleave(s, lists, n);
	for (i = 0; i < n; i++)
		add_finish(s, i);
	memset(&e, 0, sizeof e);
	e.kind = MSG_USAGE;
	some_usage(&e.usage);
	add(s, &e);
	e.kind = MSG_END;
	add(s, &e);
	msg_gather_start(&s->whole, a, NULL);
	for (ev = s->first; ev != NULL; ev = ev->next)
		msg_gather_take(&s->whole, &ev->e);
}

/* ---- writing it as the backend does ---- */

static void *(*const writer_new[])(const struct msg_context *) = {
	anthropic_writer_new, openai_writer_new, gemini_writer_new
};
static void (*const writer_free[])(void *) = {
	anthropic_writer_free, openai_writer_free, gemini_writer_free
};
static int (*const write_event[])(void *, const struct msg_event *,
    struct buf *) = {
	anthropic_write_event, openai_write_event, gemini_write_event
};
static int (*const write_answer[])(struct buf *, const struct msg_context *,
    const struct msg_gather *) = {
	anthropic_write_answer, openai_write_answer, gemini_write_answer
};
/* What was written, with all that starts like this changed. */
static void
change(struct buf *b, const char *start, int object, const char *instead)
{
	struct str s = buf_str(b);
	unsigned depth;
	struct buf out;
	long at;

	buf_init(&out, BIG);
	while ((at = str_casefind(s, str_of(start))) >= 0) {
		buf_add(&out, s.p, (size_t)at);
		buf_adds(&out, instead);
		s = str_n(s.p + at + strlen(start),
		    s.n - (size_t)at - strlen(start));
		for (depth = object != 0; depth > 0;
		    s = str_n(s.p + 1, s.n - 1))
			depth += s.p[0] == '{' ? 1u : s.p[0] == '}' ? -1u : 0;
	}
	buf_addstr(&out, s);
	buf_clear(b);
	buf_addstr(b, buf_str(&out));
	buf_free(&out);
}

/* The first call that a chunk of OpenAI's tells of; -1: of none. */
static int
call_of(struct str chunk, int *choice, int *begins)
{
	static const char calls[] = "\"tool_calls\":[{\"index\":";
	static const char index[] = "\"choices\":[{\"index\":";
	long at = str_casefind(chunk, str_of(calls));

	if (at < 0)
		return -1;
	*begins = chunk.p[(size_t)at + sizeof calls] == ',' &&
	    chunk.p[(size_t)at + sizeof calls + 2] == 'i';
	*choice = chunk.p[(size_t)str_casefind(chunk, str_of(index)) +
	    sizeof index - 1];
	return chunk.p[(size_t)at + sizeof calls - 1];
}

/* Pieces of one call between those of another, each in its order. */
static void
mix_calls(struct buf *b)
{
	struct str s = buf_str(b), one, two;
	int call[2], choice[2], begins[2];
	struct buf out;
	size_t n;

	buf_init(&out, BIG);
	one = str_n(s.p, 0);
	for (; s.n > 0; s = str_n(s.p + n, s.n - n)) {
		n = (size_t)str_casefind(s, str_of("\n\n")) + 2;
		two = str_n(s.p, n);
		call[0] = one.n == 0 ? -1 : call_of(one, &choice[0],
		    &begins[0]);
		call[1] = call_of(two, &choice[1], &begins[1]);
		if (call[0] != -1 && call[1] != -1 && call[0] != call[1] &&
		    choice[0] == choice[1] && !(begins[0] && begins[1]) &&
		    gen_chance(60))
			buf_addstr(&out, two);
		else {
			buf_addstr(&out, one);
			one = two;
		}
	}
	buf_addstr(&out, one);
	/* Slices of b are in out: only now may b change. */
	buf_clear(b);
	buf_addstr(b, buf_str(&out));
	buf_free(&out);
}

/* What servers do that our own writers do not. */
static struct str
spoil(const struct script *s, struct buf *b, int stream)
{
	if (s->no_usage)
		change(b, s->up == G ? ",\"usageMetadata\":{" :
		    ",\"usage\":{", 1, "");
	if (s->eager)
		change(b, ",\"usage\":null", 0, ",\"usage\":"
		    "{\"prompt_tokens\":7,\"completion_tokens\":1}");
	if (s->up == O && stream)
		mix_calls(b);
	if (s->no_ids)
		change(b, "\"functionCall\":{\"id\":\"call_none\",", 0,
		    "\"functionCall\":{");
	return gen_made(s->a, b);
}

static struct str
written(const struct script *s, int stream)
{
	struct msg_notes notes = { NULL };
	struct msg_context c;
	const struct event *ev;
	uint64_t random = seed_now;
	struct buf b;
	void *w;

	memset(&c, 0, sizeof c);
	c.model = str_of(models[s->up]);
	c.stream = stream != 0;
	c.include_usage = 1;
	c.thoughts = 1;
	c.upstream = (enum dialect)s->up;
	c.random = &random;
	c.arena = s->a;
	c.notes = &notes;
	buf_init(&b, BIG);
	if (!stream) {
		MUST(write_answer[s->up](&b, &c, &s->whole) == 0);
		return spoil(s, &b, stream);
	}
	w = writer_new[s->up](&c);
	for (ev = s->first; ev != NULL; ev = ev->next)
		MUST(write_event[s->up](w, &ev->e, &b) == 0);
	writer_free[s->up](w);
	return spoil(s, &b, stream);
}

#endif
