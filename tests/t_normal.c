#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dialect/normal.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])

#define A DIALECT_ANTHROPIC
#define O DIALECT_OPENAI
#define G DIALECT_GEMINI

/*
 * A conversation in short: turns "u(..)", "a(..)" and "s(..)" with blanks
 * between them; in a turn, parts with commas between them:
 *	"words		text
 *	#data		image
 *	cID		call (the function is f and ID), CID: of a custom tool
 *	rID:x:y		result with two texts, eID: an error; #data: an image
 *	kSIG:words	signed thinking
 *	hSIG:words	raw thought of a Gemini client
 *	d:data		redacted thinking
 */

/* The word at *s, which ends before one of stop; *s: what stopped it. */
static struct str
word(const char **s, const char *stop)
{
	const char *start = *s;

	*s += strcspn(*s, stop);
	return str_n(start, (size_t)(*s - start));
}

static void
read_pieces(struct arena *a, struct msg_part *p, const char **s)
{
	struct msg_part *piece;

	while (**s == ':') {
		++*s;
		if (**s == '#') {
			++*s;
			piece = msg_part_add(a, &p->parts, MSG_IMAGE);
			piece->data = word(s, ":,)");
		} else
			msg_text_add(a, &p->parts, word(s, ":,)"));
	}
}

static void
read_part(struct arena *a, struct msg_turn *t, const char **s)
{
	static const char kinds[] = "\"#cCrekhd";
	static const enum msg_kind kind[] = { MSG_TEXT, MSG_IMAGE, MSG_CALL,
	    MSG_CALL, MSG_RESULT, MSG_RESULT, MSG_THINK, MSG_THINK,
	    MSG_REDACTED };
	char c = *(*s)++, *name;
	struct msg_part *p = msg_part_add(a, &t->parts,
	    kind[strchr(kinds, c) - kinds]);

	switch (p->kind) {
	case MSG_TEXT:
		p->text = word(s, ",)");
		break;
	case MSG_IMAGE:
		p->data = word(s, ",)");
		break;
	case MSG_CALL:
	case MSG_RESULT:
		p->id = word(s, ":,)");
		p->error = c == 'e';
		p->custom = c == 'C';
		if (p->kind == MSG_CALL) {
			name = arena_alloc(a, p->id.n + 1);
			name[0] = 'f';
			memcpy(name + 1, p->id.p, p->id.n);
			p->name = str_n(name, p->id.n + 1);
		}
		read_pieces(a, p, s);
		break;
	default:
		p->signature = word(s, ":,)");
		p->thought = c == 'h';
		*s += **s == ':';
		p->text = word(s, ",)");
		if (p->kind == MSG_REDACTED)
			p->data = p->text;
	}
	*s += **s == ',';
}

static void
read_turns(struct msg_request *r, struct arena *a, const char *s)
{
	struct msg_turn *t, **end;

	memset(r, 0, sizeof *r);
	r->arena = a;
	r->notes = arena_alloc(a, sizeof *r->notes);
	end = &r->turns;
	while (*s != '\0') {
		t = msg_turn_add(a, end, *s == 'u' ? MSG_USER :
		    *s == 'a' ? MSG_ASSISTANT : MSG_SYSTEM);
		end = &t->next;
		s += 2;
		while (*s != ')')
			read_part(a, t, &s);
		s++;
		s += *s == ' ';
	}
}

static void
show_part(struct buf *b, const struct msg_part *p)
{
	const struct msg_part *piece;

	switch (p->kind) {
	case MSG_TEXT:
		buf_addc(b, '"');
		buf_addstr(b, p->text);
		break;
	case MSG_IMAGE:
		buf_addc(b, '#');
		buf_addstr(b, p->data);
		break;
	case MSG_CALL:
		buf_addc(b, p->custom ? 'C' : 'c');
		buf_addstr(b, p->id);
		break;
	case MSG_RESULT:
		buf_addc(b, p->error ? 'e' : 'r');
		buf_addstr(b, p->id);
		for (piece = p->parts; piece != NULL; piece = piece->next) {
			buf_adds(b, piece->kind == MSG_TEXT ? ":" : ":#");
			buf_addstr(b, piece->kind == MSG_TEXT ? piece->text :
			    piece->data);
		}
		break;
	case MSG_THINK:
		buf_addc(b, p->thought ? 'h' : 'k');
		buf_addstr(b, p->signature);
		buf_addc(b, ':');
		buf_addstr(b, p->text);
		break;
	default:
		buf_adds(b, "d:");
		buf_addstr(b, p->data);
	}
}

/* The conversation in short; valid until the next call. */
static const char *
show(const struct msg_request *r)
{
	static struct buf b;
	static const char none[] = "";
	const struct msg_turn *t;
	const struct msg_part *p;

	buf_free(&b);
	buf_init(&b, 8 << 20);
	for (t = r->turns; t != NULL; t = t->next) {
		if (t != r->turns)
			buf_addc(&b, ' ');
		buf_adds(&b, t->role == MSG_USER ? "u(" :
		    t->role == MSG_ASSISTANT ? "a(" : "s(");
		for (p = t->parts; p != NULL; p = p->next) {
			if (p != t->parts)
				buf_addc(&b, ',');
			show_part(&b, p);
		}
		buf_addc(&b, ')');
	}
	return b.len == 0 ? none : buf_cstr(&b);
}

/* The notes without their "repair:", joined by blanks. */
static const char *
show_notes(const struct msg_request *r)
{
	static char out[200];
	const struct msg_string *s;
	size_t n = 0, skip = strlen("repair:");

	out[0] = '\0';
	for (s = r->notes->first; s != NULL; s = s->next)
		n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s",
		    n > 0 ? " " : "", (int)(s->s.n - skip), s->s.p + skip);
	return out;
}

#define MISSING ":No tool result was provided."
#define NO(id) "[tool result " id "]\\n"
#define LOST "tool_result_missing"
#define TWICE "tool_result_duplicate"
#define ORPHAN "tool_result_orphan"

/* "xl1.a.t.U2ln" and "xl1.a.r.UkVE" as envelopes, an empty signature. */
#define SIG "eGwxLmEudC5VMmxu"
#define RED "eGwxLmEuci5Va1ZF"
#define EMPTY "eGwxLmEudC4="

static const struct {
	enum dialect client;
	const char *in, *out, *notes;
} cases[] = {
	{ O, "", "", "" },
	{ O, "u(\"hi)", "u(\"hi)", "" },
	/* turns */
	{ O, "u(\"a) u(\"b) u(\"c)", "u(\"a,\"b,\"c)", "" },
	{ O, "u(\"a) u() u(\"c)", "u(\"a,\"c)", "" },
	{ O, "u() u() a() u()", "", "" },
	{ O, "u(\"a) a() u(\"b)", "u(\"a,\"b)", "" },
	{ O, "a(\"a) a(\"b)", "a(\"a,\"b)", "" },
	{ G, "a(\"a) a(\"b)", "a(\"ab)", "" },
	{ O, "s(\"a) s(\"b) u(\"c)", "s(\"a) s(\"b) u(\"c)", "" },
	{ O, "u(\"a) s(\"b) u(\"c)", "u(\"a) s(\"b) u(\"c)", "" },
	{ O, "u(\"a) s() u(\"c)", "u(\"a,\"c)", "" },
	/* texts of a Gemini client */
	{ G, "u(\"a,\"b)", "u(\"a,\"b)", "" },
	{ G, "a(\"a,\"b,c1,\"c,\"d) u(r1:x)", "a(\"ab,c1,\"cd) u(r1:x)", "" },
	{ G, "a(\"a,#i,\"b)", "a(\"a,#i,\"b)", "" },
	{ G, "a(\"\\ud83d) a(\"\\ude00) a(\"!)", "a(\"\\ud83d\\ude00!)", "" },
	/* raw thoughts */
	{ G, "u(\"q) a(h:Let me ) a(h:think) a(h" SIG ":) a(h" RED ":)"
	    " a(\"The ans) a(\"wer) a() u(\"why)",
	    "u(\"q) a(kU2ln:Let me think,d:UkVE,\"The answer) u(\"why)", "" },
	{ G, "a(h" SIG ":own)", "a(kU2ln:own)", "" },
	{ G, "a(h:a,hAAAA:b,\"t)", "a(\"t)", "" },
	{ G, "a(h:a,hAAAA:b,h:c,h" SIG ":d)", "a(kU2ln:cd)", "" },
	{ G, "a(h:a,\"t,h" SIG ":b)", "a(\"t,kU2ln:b)", "" },
	{ G, "a(h:a,h" RED ":b,h" SIG ":c)", "a(d:UkVE,kU2ln:c)", "" },
	{ G, "a(\"s,h:a,\"t)", "a(\"st)", "" },
	{ G, "a(h" EMPTY ":a,\"t)", "a(\"t)", "" },
	{ G, "a(h:a)", "", "" },
	{ G, "u(h" SIG ":a,h" RED ":,\"t)", "u(\"t)", "" },
	/* signed ones */
	{ A, "a(kU2ln:a,d:R,\"t)", "a(kU2ln:a,d:R,\"t)", "" },
	{ A, "a(k:a,\"t)", "a(\"t)", "" },
	{ A, "a(kxl1.o:a,kxl1.g:b,kx:c,\"t)", "a(kx:c,\"t)", "" },
	{ A, "a(kU2ln:)", "a(kU2ln:)", "" },
	{ A, "u(\"q) a(kxl1.g:a) u(\"r)", "u(\"q,\"r)", "" },
	{ A, "u(kU2ln:a,\"t)", "u(\"t)", "" },
	/* results: all there */
	{ A, "a(c1) u(r1:x)", "a(c1) u(r1:x)", "" },
	{ A, "a(c1,\"t,C2) u(e1:x,r2:y:z:#i)", "a(c1,\"t,C2) u(e1:x,r2:y:z:#i)",
	    "" },
	{ O, "a(c1,c2) u(r2:y) u(r1:x) u(\"t)", "a(c1,c2) u(r1:x,r2:y,\"t)",
	    "" },
	{ A, "a(c1,c2,c3) u(\"a,r3:z,\"b,r1:x,#i,r2:y)",
	    "a(c1,c2,c3) u(r1:x,r2:y,r3:z,\"a,\"b,#i)", "" },
	{ A, "a(c1) a(c2) u(r1:x,r2:y)", "a(c1,c2) u(r1:x,r2:y)", "" },
	{ A, "a(c1) u(r1:x) a(c1) u(r1:y)", "a(c1) u(r1:x) a(c1) u(r1:y)",
	    "" },
	/* calls of one id get theirs in turn */
	{ A, "a(c1,c2,c1) u(r1:x,r1:y,r2:z,r1:w)",
	    "a(c1,c2,c1) u(r1:x,r2:z,r1:y)", TWICE },
	{ A, "a(c,c) u(r:x)", "a(c,c) u(r:x,e" MISSING ")", LOST },
	/* second ones */
	{ A, "a(c1) u(r1:x,r1:y,\"t)", "a(c1) u(r1:x,\"t)", TWICE },
	/* missing ones */
	{ A, "a(c1)", "a(c1) u(e1" MISSING ")", LOST },
	{ A, "a(c1,C2) u(r2:y)", "a(c1,C2) u(e1" MISSING ",r2:y)", LOST },
	{ A, "a(c1) u(\"t)", "a(c1) u(e1" MISSING ",\"t)", LOST },
	{ A, "a(c1) u()", "a(c1) u(e1" MISSING ")", LOST },
	{ O, "a(c1) s(\"t) u(\"x)", "a(c1) u(e1" MISSING ") s(\"t) u(\"x)",
	    LOST },
	{ O, "a(c1) s(\"t) a(\"x)", "a(c1) u(e1" MISSING ") s(\"t) a(\"x)",
	    LOST },
	/* those without a call */
	{ A, "u(rzz:lost)", "u(\"" NO("zz") "lost)", ORPHAN },
	{ G, "u(\"t,rc:late)", "u(\"" NO("c") "late,\"t)", ORPHAN },
	{ A, "a(c1) u(rzz:a:#i:b,\"t,r1:x)",
	    "a(c1) u(r1:x,\"" NO("zz") "a\\nb,#i,\"t)", ORPHAN },
	{ A, "u(rz)", "u(\"" NO("z") ")", ORPHAN },
	{ A, "u(ra\"b:x)", "u(\"" NO("a\\\"b") "x)", ORPHAN },
	{ A, "a(\"t) u(r1:x)", "a(\"t) u(\"" NO("1") "x)", ORPHAN },
	{ A, "a(\"t,r1:x,\"u)", "a(\"t,\"" NO("1") "x,\"u)", ORPHAN },
	{ A, "a(c1) u(r1:x) a(\"t) u(r1:y)",
	    "a(c1) u(r1:x) a(\"t) u(\"" NO("1") "y)", ORPHAN },
	{ A, "u(r1:x) a(c1)", "u(\"" NO("1") "x) a(c1) u(e1" MISSING ")",
	    ORPHAN " " LOST },
	{ O, "a(c1) s(\"t) u(r1:x)", "a(c1) u(r1:x) s(\"t)", "" },
	{ O, "a(c1) s(\"t) u(\"a,r1:x)", "a(c1) u(r1:x) s(\"t) u(\"a)", "" },
	{ A, "a(c1,c2) u(r1:first,r1:second,rzz:lost)",
	    "a(c1,c2) u(r1:first,e2" MISSING ",\"" NO("zz") "lost)",
	    TWICE " " ORPHAN " " LOST }
};

static void
test_cases(void)
{
	struct msg_request r;
	struct arena a;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		arena_init(&a, 1 << 20);
		read_turns(&r, &a, cases[i].in);
		T_OK(strcmp(show(&r), cases[i].in) == 0, "%s: read as %s",
		    cases[i].in, show(&r));
		T_OK(normal_request(&r, cases[i].client) == 0, "%s",
		    cases[i].in);
		T_OK(strcmp(show(&r), cases[i].out) == 0, "%s: %s",
		    cases[i].in, show(&r));
		T_OK(strcmp(show_notes(&r), cases[i].notes) == 0, "%s: %s",
		    cases[i].in, show_notes(&r));
		arena_free(&a);
	}
}

/* ---- what holds after normal_request() for every conversation ---- */

#define CHECK(cond) do { if (!(cond)) return #cond; } while (0)

/* The turn that follows an assistant's: one result for each call, in order. */
static const char *
broken_pairs(const struct msg_turn *t)
{
	const struct msg_part *call, *p;

	p = t->next != NULL && t->next->role == MSG_USER ? t->next->parts :
	    NULL;
	for (call = t->parts; call != NULL; call = call->next) {
		if (call->kind != MSG_CALL)
			continue;
		CHECK(p != NULL && p->kind == MSG_RESULT);
		CHECK(str_eq(p->id, call->id));
		CHECK(str_eq(p->name, call->name));
		CHECK(p->custom == call->custom);
		p = p->next;
	}
	for (; p != NULL; p = p->next)
		CHECK(p->kind != MSG_RESULT);
	return NULL;
}

/* What is wrong with a normal conversation; NULL: nothing. */
static const char *
broken(const struct msg_request *r)
{
	const struct msg_turn *t;
	const struct msg_part *p;
	enum msg_role before = MSG_SYSTEM;
	const char *why;

	for (t = r->turns; t != NULL; before = t->role, t = t->next) {
		CHECK(t->parts != NULL);
		CHECK(t->role == MSG_SYSTEM || t->role != before);
		for (p = t->parts; p != NULL; p = p->next) {
			CHECK(p->kind != MSG_RESULT || (t->role == MSG_USER &&
			    before == MSG_ASSISTANT));
			CHECK(p->kind != MSG_THINK || (!p->thought &&
			    p->signature.n > 0 && t->role == MSG_ASSISTANT));
		}
		if (t->role == MSG_ASSISTANT &&
		    (why = broken_pairs(t)) != NULL)
			return why;
	}
	return NULL;
}

/* A conversation to be; each text and image in it is another number. */
struct wild {
	char text[8192];
	size_t n;
	unsigned numbers;
	uint64_t random;
};

static unsigned
dice(struct wild *w, unsigned sides)
{
	return (unsigned)(util_random(&w->random) % sides);
}

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
put(struct wild *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	w->n += (size_t)vsnprintf(w->text + w->n, sizeof w->text - w->n, fmt,
	    ap);
	va_end(ap);
}

static void
put_part(struct wild *w, char role, unsigned ids)
{
	unsigned i, n;

	switch (dice(w, role == 'a' ? 8 : 7)) {
	case 0:
		put(w, "#<%u>", w->numbers++);
		break;
	case 1: case 2: case 3:
		if (role != 'u') {
			put(w, "\"<%u>", w->numbers++);
			break;
		}
		put(w, "%c%u", "re"[dice(w, 2)], dice(w, ids));
		for (i = 0, n = dice(w, 3); i < n; i++) {
			put(w, dice(w, 4) == 0 ? ":#<%u>" : ":<%u>",
			    w->numbers);
			w->numbers++;
		}
		break;
	case 4: case 5:
		if (role == 'a') {
			put(w, "%c%u", "cC"[dice(w, 2)], dice(w, ids));
			break;
		}
		/* fall through */
	case 6:
		put(w, "\"<%u>", w->numbers++);
		break;
	default:
		put(w, "%s", dice(w, 2) ? "h:any" : dice(w, 2) ?
		    "h" SIG ":kept" : "hAAAA:lost");
	}
}

static void
grow(struct wild *w, uint64_t seed)
{
	unsigned turns, parts, ids;
	char role;

	memset(w, 0, sizeof *w);
	w->random = seed;
	ids = 1 + dice(w, 5);
	for (turns = dice(w, 9); turns > 0; turns--) {
		role = "uuuuaaaas"[dice(w, 9)];
		put(w, w->n > 0 ? " %c(" : "%c(", role);
		for (parts = dice(w, 6); parts > 0; parts--) {
			if (role == 's')
				put(w, "\"<%u>", w->numbers++);
			else
				put_part(w, role, ids);
			if (parts > 1)
				put(w, ",");
		}
		put(w, ")");
	}
}

/* How often a word stands in a text. */
static unsigned
count(const char *text, const char *w)
{
	unsigned n = 0;

	for (; (text = strstr(text, w)) != NULL; text++)
		n++;
	return n;
}

/*
 * 1 if a result is the second for its call: counts, in the joined turns as
 * they were before, the calls of its id and the results in front of it.
 */
static int
is_second(const struct msg_request *before, const struct msg_turn *turn,
    const struct msg_part *result)
{
	const struct msg_turn *t, *last = NULL;
	const struct msg_part *p;
	unsigned calls = 0, results = 0;

	for (t = before->turns; t != turn; t = t->next)
		if (t->role != MSG_SYSTEM)
			last = t;
	if (last == NULL || last->role != MSG_ASSISTANT)
		return 0;
	for (p = last->parts; p != NULL; p = p->next)
		calls += p->kind == MSG_CALL && str_eq(p->id, result->id);
	for (p = turn->parts; p != result; p = p->next)
		results += p->kind == MSG_RESULT && str_eq(p->id, result->id);
	return calls > 0 && results >= calls;
}

/* Counts a numbered piece after the repair; 0 if it is not as it should. */
static int
kept(const char *after, struct str piece, unsigned times)
{
	char w[16];

	snprintf(w, sizeof w, "%.*s", (int)piece.n, piece.p);
	return piece.n == 0 || count(after, w) == times;
}

/* 1 if all that was said before stands in the text after it once. */
static int
all_kept(const struct msg_request *before, const char *after)
{
	const struct msg_turn *t;
	const struct msg_part *p, *piece;
	unsigned times;

	for (t = before->turns; t != NULL; t = t->next)
		for (p = t->parts; p != NULL; p = p->next) {
			times = p->kind != MSG_RESULT ||
			    !is_second(before, t, p);
			for (piece = p->parts; piece != NULL;
			    piece = piece->next)
				if (!kept(after, piece->text, times) ||
				    !kept(after, piece->data, times))
					return 0;
			if (p->kind != MSG_THINK && (!kept(after, p->text, 1)
			    || !kept(after, p->data, 1)))
				return 0;
		}
	return 1;
}

/* 1 if texts and images, but for those of results, kept their order. */
static int
in_order(const struct msg_request *r)
{
	const struct msg_turn *t;
	const struct msg_part *p;
	int number, last = -1;

	for (t = r->turns; t != NULL; t = t->next)
		for (p = t->parts; p != NULL; p = p->next) {
			if (p->kind != MSG_TEXT || p->text.p[0] != '<')
				continue;
			if (sscanf(p->text.p, "<%d>", &number) != 1 ||
			    number < last)
				return 0;
			last = number;
		}
	return 1;
}

static void
test_wild(void)
{
	static struct wild w;
	static char once[8192];
	struct msg_request r, before;
	struct arena a;
	uint64_t seed;
	const char *why;
	int rc;

	for (seed = 1; seed <= 20000; seed++) {
		arena_init(&a, 1 << 20);
		grow(&w, seed);
		read_turns(&before, &a, w.text);
		normal_join(&before);
		read_turns(&r, &a, w.text);
		rc = normal_request(&r, seed % 2 ? A : G);
		why = broken(&r);
		snprintf(once, sizeof once, "%s", show(&r));
		T_OK(rc == 0 && why == NULL, "%s: %s: %s", w.text, once, why);
		T_OK(all_kept(&before, once), "%s: %s", w.text, once);
		T_OK(in_order(&r), "%s: %s", w.text, once);
		T_OK(strstr(once, "lost") == NULL, "%s: %s", w.text, once);
		/* What is normal stays as it is. */
		r.notes->first = NULL;
		rc = normal_request(&r, A);
		T_OK(rc == 0 && r.notes->first == NULL &&
		    strcmp(show(&r), once) == 0, "%s: again: %s", once,
		    show(&r));
		arena_free(&a);
	}
}

/* One turn of very many calls, whose results come backwards. */
static void
test_many(void)
{
	enum { MANY = 30000 };
	static char id[MANY][8];
	struct msg_turn *t;
	struct msg_part **calls, *p;
	struct msg_request r;
	struct arena a;
	unsigned i;

	arena_init(&a, 64 << 20);
	read_turns(&r, &a, "a() u()");
	t = r.turns;
	calls = &t->parts;
	for (i = 0; i < MANY; i++) {
		snprintf(id[i], sizeof id[i], "%u", i < MANY / 2 ? 0 : i);
		p = msg_part_add(&a, calls, MSG_CALL);
		p->id = p->name = str_of(id[i]);
		calls = &p->next;
		p = NULL;
		msg_part_add(&a, &p, MSG_RESULT);
		p->id = str_of(id[i]);
		p->next = t->next->parts;
		t->next->parts = p;
	}
	T_OK(normal_request(&r, A) == 0, "many");
	T_OK(broken(&r) == NULL, "%s", broken(&r));
	T_OK(r.notes->first == NULL, "%s", show_notes(&r));
	arena_free(&a);
}

/* With too little memory it fails, or it is right. */
static void
test_memory(void)
{
	static const char in[] = "a(h:a,h" SIG ":b,h" RED ":,\"x,\"y,c1,c2) "
	    "u(r3:a:b,r1:z,r1:z) s(\"t) a(c4)";
	static const char out[] = "a(kU2ln:ab,d:UkVE,\"xy,c1,c2) "
	    "u(r1:z,e2" MISSING ",\"" NO("3") "a\\nb) s(\"t) a(c4) "
	    "u(e4" MISSING ")";
	struct msg_request r;
	struct arena a;
	size_t room;
	int rc = -1, failed = 0;

	for (room = 0; rc == -1 && room < 8192; room++) {
		arena_init(&a, 1 << 20);
		read_turns(&r, &a, in);
		a.max = a.used + room;
		rc = normal_request(&r, G);
		failed += rc == -1;
		T_OK((rc == 0) == !a.bad, "%u", (unsigned)room);
		if (rc == 0)
			T_OK(strcmp(show(&r), out) == 0, "%s", show(&r));
		arena_free(&a);
		arena_init(&a, 1 << 20);
		read_turns(&r, &a, "s(\"x)");
		a.max = a.used + room;
		T_OK((normal_remind(&r) == 0) == !a.bad, "remind");
		r.turns = NULL;
		T_OK((normal_first(&r) == 0) == !a.bad, "first");
		arena_free(&a);
	}
	T_OK(rc == 0 && failed > 0, "it never fits, or always does");
}

/* ---- single steps ---- */

static const struct {
	int (*step)(struct msg_request *);
	const char *in, *out, *notes;
} steps[] = {
	{ normal_remind, "u(\"a) s(\"b) u(\"c)",
	    "u(\"a) u(\"<system-reminder>\\nb\\n</system-reminder>) u(\"c)",
	    "" },
	{ normal_remind, "s(\"b,\"c)",
	    "u(\"<system-reminder>\\nb\\n\\nc\\n</system-reminder>)", "" },
	{ normal_remind, "u(\"a) s(\" ) s() a(\"c)", "u(\"a) a(\"c)", "" },
	{ normal_blank, "u(\" ,\"a,\"\\n\\t) a(\") u(#i)", "u(\"a) u(#i)",
	    "" },
	{ normal_blank, "u(r1: ,r2:x: :#i,r3: :,r4)",
	    "u(r1: ,r2:x:#i,r3,r4)", "" },
	{ normal_blank, "a(kS:,c1)", "a(kS:,c1)", "" },
	{ normal_blank, "u(\" )", "", "" },
	{ normal_join, "u(\"a) u(\"b) a(\"c) a(\"d) s(\"e) s(\"f)",
	    "u(\"a,\"b) a(\"c,\"d) s(\"e) s(\"f)", "" },
	{ normal_join, "u() u(\"b) u() u(\"c)", "u(\"b,\"c)", "" },
	{ normal_join, "", "", "" },
	{ normal_first, "", "u(\".)", "empty_messages" },
	{ normal_first, "a(\"x)", "u(\".) a(\"x)", "first_user" },
	{ normal_first, "u(\"x) a(\"y)", "u(\"x) a(\"y)", "" }
};

static void
test_steps(void)
{
	struct msg_request r;
	struct arena a;
	size_t i;

	for (i = 0; i < N(steps); i++) {
		arena_init(&a, 1 << 20);
		read_turns(&r, &a, steps[i].in);
		T_OK(steps[i].step(&r) == 0, "%s", steps[i].in);
		T_OK(strcmp(show(&r), steps[i].out) == 0, "%s: %s",
		    steps[i].in, show(&r));
		T_OK(strcmp(show_notes(&r), steps[i].notes) == 0, "%s: %s",
		    steps[i].in, show_notes(&r));
		arena_free(&a);
	}
}

static void
test_rest(void)
{
	struct msg_request r;
	struct msg_part *p;
	struct arena a;

	arena_init(&a, 1 << 20);
	read_turns(&r, &a, "");
	T_OK(normal_last(&r) == NULL, "none");
	/* Caching marks: of the last text; and blank system texts go. */
	read_turns(&r, &a, "u(\"a) s(\"b,\"c)");
	T_OK(normal_last(&r) == r.turns->next, "last");
	r.turns->next->parts->next->cache = str_of("{}");
	msg_text_add(&a, &r.system, str_of(" "));
	msg_text_add(&a, &r.system, str_of("x"));
	normal_remind(&r);
	normal_blank(&r);
	p = r.turns->next->parts;
	T_OK(str_is(p->cache, "{}"), "cache");
	T_OK(r.system != NULL && r.system->next == NULL &&
	    str_is(r.system->text, "x"), "system");
	arena_free(&a);
}

static const struct {
	enum msg_choice choice;
	const char *name, *tool;	/* tool NULL: no tools */
	const char *why;		/* "": it can be met */
} choices[] = {
	{ MSG_CHOICE_UNSET, NULL, NULL, "" },
	{ MSG_CHOICE_AUTO, NULL, NULL, "" },
	{ MSG_CHOICE_NONE, NULL, NULL, "" },
	{ MSG_CHOICE_ANY, NULL, "f", "" },
	{ MSG_CHOICE_ANY, NULL, NULL, "tool_choice: a tool is demanded, but "
	    "there are no tools" },
	{ MSG_CHOICE_TOOL, "f", "f", "" },
	{ MSG_CHOICE_TOOL, "g", "f", "tool_choice: there is no tool \"g\"" },
	{ MSG_CHOICE_TOOL, "F", "f", "tool_choice: there is no tool \"F\"" },
	{ MSG_CHOICE_TOOL, "f", NULL, "tool_choice: there is no tool \"f\"" },
	{ MSG_CHOICE_TOOL, NULL, "f", "tool_choice: there is no tool \"\"" }
};

static void
test_choice(void)
{
	struct msg_request r;
	struct msg_fault f;
	struct arena a;
	size_t i;
	int rc;

	for (i = 0; i < N(choices); i++) {
		arena_init(&a, 1 << 20);
		memset(&f, 0, sizeof f);
		read_turns(&r, &a, "");
		r.choice = choices[i].choice;
		r.choice_name = str_of(choices[i].name);
		if (choices[i].tool != NULL)
			msg_tool_add(&a, &r.tools)->name =
			    str_of(choices[i].tool);
		rc = normal_choice(&r, &f);
		T_OK(strcmp(f.why, choices[i].why) == 0 &&
		    (rc == -1) == (f.why[0] != '\0'), "%u: %d %s",
		    (unsigned)i, rc, f.why);
		T_OK(rc == 0 || strcmp(f.param, "tool_choice") == 0, "%s",
		    f.param);
		arena_free(&a);
	}
}

int
main(void)
{
	test_cases();
	test_wild();
	test_many();
	test_memory();
	test_steps();
	test_rest();
	test_choice();
	return t_end();
}
