/*
 * Texts before and after; then configs made at random, with comments and
 * blanks everywhere, changed at random: what comes out is what a list in
 * memory became, config_parse() reads it so, and all bytes that had nothing
 * to do with the change are still there.
 */

#include <stdlib.h>
#include <string.h>

#include "conf/edit.h"
#include "config.h"
#include "json.h"
#include "tests/t.h"

#define ROOM	((size_t)1 << 20)

/* ---- the table ---- */

/*
 * what: a place and a number of the list to be in order "201"; a: add, r:
 * remove, s: set, u: unset, o: order.
 */
static const struct {
	const char *what, *name, *value, *before, *after;
} cases[] = {
	/* Nothing changes if nothing does. */
	{ "o10", NULL, NULL, "[{}]", NULL },
	{ "o01", NULL, NULL,
	    " [ // l\n\n /* h */ { } /* t */ , // b\n\t{}, // e\n// f\n] //",
	    " [ // l\n\n /* h */ { } /* t */ , // b\n\t{}, // e\n// f\n] //" },
	{ "o0", NULL, NULL, "{\"a\":[],\"backends\":[{}\r\n,],}",
	    "{\"a\":[],\"backends\":[{}\r\n,],}" },
	/* Order: comments above and behind travel. */
	{ "o10", NULL, NULL, "[{\"a\":1},{\"b\":2}]", "[{\"b\":2},{\"a\":1}]" },
	{ "o201", NULL, NULL, "[1,2,3]", "[3,1,2]" },
	{ "o10", NULL, NULL,
	    "[\n  // one\n  {\"a\":1}, // first\n  // two\n  {\"b\":2} "
	    "// last\n]\n",
	    "[\n  // two\n  {\"b\":2}, // last\n  // one\n  {\"a\":1} "
	    "// first\n]\n" },
	{ "o10", NULL, NULL,
	    "[ // all\n  {\"a\":1},\n\n  // group\n\n  /* two */\n  "
	    "{\"b\":2},\n]",
	    "[ // all\n  /* two */\n  {\"b\":2},\n\n  // group\n\n  "
	    "{\"a\":1},\n]" },
	{ "o10", NULL, NULL, "[ /* a */ {}, /* b */ {\"b\":2} ]",
	    "[ /* b */ {\"b\":2}, /* a */ {} ]" },
	{ "o10", NULL, NULL, "[ {\"a\":1}, {\"b\":2} // two\n]",
	    "[ {\"b\":2}, // two\n {\"a\":1}\n]" },
	{ "o10", NULL, NULL, "[ {\"a\":1},\n  // b\n  {\"b\":2} ]",
	    "[ \n  // b\n  {\"b\":2},\n  {\"a\":1} ]" },
	{ "o10", NULL, NULL, "[{\"a\":1} // one\n, {\"b\":2}]",
	    "[{\"b\":2}\n, {\"a\":1} // one\n]" },
	{ "o10", NULL, NULL, "[{\"a\":1}, /* a */\n{\"b\":2} /* b */]",
	    "[{\"b\":2}, /* b */\n{\"a\":1} /* a */]" },
	{ "o120", NULL, NULL, "[1,2, /* x */ // y\n3]",
	    "[2, /* x */ // y\n3,\n1]" },
	{ "o10", NULL, NULL, "[1 /* // , */ , 2]", "[2 , 1 /* // , */]" },
	{ "o00", NULL, NULL, "[1,2]", NULL },
	{ "o02", NULL, NULL, "[1,2]", NULL },
	{ "o0", NULL, NULL, "[1,2]", NULL },
	/* Add. */
	{ "a0", NULL, "{}", "[]", "[{}]" },
	{ "a9", NULL, "{}", "[]", "[{}]" },
	{ "a0", NULL, " {} // x\n", "[ // l\n]", "[ // l\n  {}\n]" },
	{ "a0", NULL, "{}", "{\n\t\"backends\": [\n\t\t// none\n\t]\n}",
	    "{\n\t\"backends\": [\n\t\t{}\n\t\t// none\n\t]\n}" },
	{ "a0", NULL, "{}", "[1]", "[{}, 1]" },
	{ "a1", NULL, "{}", "[1]", "[1, {}]" },
	{ "a2", NULL, "{}", "[1,2]", "[1,2,{}]" },
	{ "a1", NULL, "{}", "[1,2]", "[1,{},2]" },
	{ "a2", NULL, "{}", "[\r\n  1,\r\n  2, // two\r\n  // end\r\n]",
	    "[\r\n  1,\r\n  2, // two\r\n  {},\r\n  // end\r\n]" },
	{ "a2", NULL, "{}", "[\n\t1,\n\t2 // two\n]",
	    "[\n\t1,\n\t2, // two\n\t{}\n]" },
	{ "a0", NULL, "{}", "[ // l\n  // one\n  1\n]",
	    "[ // l\n  {},\n  // one\n  1\n]" },
	{ "a1", NULL, "{}", "[\n  1, // one\n  // two\n  2\n]",
	    "[\n  1, // one\n  {},\n  // two\n  2\n]" },
	{ "a1", NULL, "{}", "[1 /* one */]", "[1, /* one */\n {}]" },
	{ "a1", NULL, "{}", "[1 /* one */ , // x\n]",
	    "[1 /* one */ , // x\n {},\n]" },
	{ "a0", NULL, "{}", "{\"b\\u0061ckends\":[1]}",
	    "{\"b\\u0061ckends\":[{}, 1]}" },
	{ "a0", NULL, "{}", "{\"x\":{\"backends\":[2]},\"backends\":[1]}",
	    "{\"x\":{\"backends\":[2]},\"backends\":[{}, 1]}" },
	{ "a0", NULL, "{}", "{\"backends\":[],\"backends\":[]}", NULL },
	{ "a0", NULL, "{}", "{}", NULL },
	{ "a0", NULL, "{}", "{\"backends\":{}}", NULL },
	{ "a0", NULL, "{}", "{\"backends\":[}", NULL },
	{ "a0", NULL, "{}", "[] x", NULL },
	{ "a0", NULL, "{}", "", NULL },
	{ "a0", NULL, "[]", "[]", NULL },
	{ "a0", NULL, "{} {}", "[]", NULL },
	{ "a0", NULL, "{}],[", "[]", NULL },
	{ "a0", NULL, "// }\n", "[]", NULL },
	/* Remove. */
	{ "r0", NULL, NULL, "[1]", "[]" },
	{ "r0", NULL, NULL, "[ 1, ]", "[ ]" },
	{ "r0", NULL, NULL, "[ // l\n  // one\n  1, // x\n]", "[ // l\n]" },
	{ "r0", NULL, NULL, "[1, 2]", "[2]" },
	{ "r1", NULL, NULL, "[1, 2]", "[1]" },
	{ "r1", NULL, NULL, "[1, 2,]", "[1,]" },
	{ "r1", NULL, NULL, "[\n  1, // one\n  // two\n  2 // too\n]",
	    "[\n  1 // one\n]" },
	{ "r0", NULL, NULL, "[\n  1, // one\n  // two\n  2 // too\n]",
	    "[\n  // two\n  2 // too\n]" },
	{ "r1", NULL, NULL,
	    "[\n  1,\n\n  // group\n\n  // two\n  2,\n  // end\n\n  3\n]",
	    "[\n  1,\n\n  // group\n  // end\n\n  3\n]" },
	{ "r1", NULL, NULL, "[\n  1,\n\n  // free\n\n  2\n]",
	    "[\n  1\n\n  // free\n]" },
	{ "r1", NULL, NULL, "[1\n  // c\n  , 2\n]", "[1\n  // c\n]" },
	{ "r0", NULL, NULL, "[1\n  // c\n  , 2\n]", "[\n  // c\n   2\n]" },
	{ "r1", NULL, NULL, "[1]", NULL },
	{ "r0", NULL, NULL, "[]", NULL },
	/* Set. */
	{ "s0", "a", "2", "[{\"a\":1}]", "[{\"a\":2}]" },
	{ "s0", "a", "2", "[{\"a\" /* x */ : // y\n 1 , }]",
	    "[{\"a\" /* x */ : // y\n 2 , }]" },
	{ "s1", "a", "[1]", "[{\"a\":1},{\"a\":{\"a\":3},\"\\u0061\":null}]",
	    "[{\"a\":1},{\"a\":[1],\"\\u0061\":[1]}]" },
	{ "s0", "b", " true ", "[{\"a\":1}]", "[{\"a\":1, \"b\": true}]" },
	{ "s0", "b", "\"\"", "[{}]", "[{\"b\": \"\"}]" },
	{ "s0", "b", "1", "[{\n  \"a\": 1 // a\n}]",
	    "[{\n  \"a\": 1, // a\n  \"b\": 1\n}]" },
	{ "s0", "b", "1", "[{\n  \"a\": 1,\n}]",
	    "[{\n  \"a\": 1,\n  \"b\": 1,\n}]" },
	{ "s0", "q\"", "1", "[{}]", "[{\"q\\\"\": 1}]" },
	{ "s0", "a", "1 2", "[{}]", NULL },
	{ "s0", "a", "", "[{}]", NULL },
	{ "s0", "a", "1", "[3]", NULL },
	{ "s1", "a", "1", "[{}]", NULL },
	{ "u0", "a", NULL, "[{\"a\":1}]", "[{}]" },
	{ "u0", "a", NULL, "[{\"a\":1, \"b\":2}]", "[{\"b\":2}]" },
	{ "u0", "b", NULL, "[{\"a\":1, \"b\":2}]", "[{\"a\":1}]" },
	{ "u0", "a", NULL, "[{\"a\":1, \"b\":2, \"\\u0061\":3}]",
	    "[{\"b\":2}]" },
	{ "u0", "c", NULL, "[{\"a\":1}]", "[{\"a\":1}]" },
	{ "u0", "b", NULL,
	    "[{\n  \"a\": 1, // one\n  // on two\n  \"b\": 2, // two\n}]",
	    "[{\n  \"a\": 1, // one\n}]" },
	{ "u9", "b", NULL, "[{}]", NULL }
};

static int
change(struct buf *out, struct str text, const char *what, const char *name,
    struct str value, const char **why)
{
	size_t order[16], n, at = (size_t)(what[1] - '0');

	switch (what[0]) {
	case 'a':
		return edit_add(out, text, at, value, why);
	case 'r':
		return edit_remove(out, text, at, why);
	case 'o':
		for (n = 0; what[n + 1] != '\0'; n++)
			order[n] = (size_t)(what[n + 1] - '0');
		return edit_order(out, text, order, n, why);
	default:
		return edit_set(out, text, at, name, value, why);
	}
}

static void
table(void)
{
	struct buf out;
	struct str got;
	const char *why;
	size_t i;
	int rc;

	buf_init(&out, ROOM);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_clear(&out);
		buf_adds(&out, "kept");
		why = NULL;
		rc = change(&out, str_of(cases[i].before), cases[i].what,
		    cases[i].name, str_of(cases[i].value), &why);
		got = buf_str(&out);
		T_OK(str_starts(got, "kept"), "case %zu", i);
		got = str_n(got.p + 4, got.n - 4);
		if (cases[i].after == NULL)
			T_OK(rc == -1 && why != NULL && got.n == 0,
			    "case %zu: %s: %d", i, cases[i].before, rc);
		else
			T_OK(rc == 0 && str_is(got, cases[i].after),
			    "case %zu %s:\n%s\nbecame (%s)\n%.*s", i,
			    cases[i].what, cases[i].before,
			    rc == -1 ? why : "", (int)got.n, got.p);
	}
	buf_free(&out);
}

static void
reading(void)
{
	struct str text = str_of("/**/{\"backends\":[{\"a\":/*]*/1},\n[ ],]}");

	T_OK(edit_count(text) == 2, "%zu", edit_count(text));
	T_OK(str_is(edit_backend(text, 0), "{\"a\":/*]*/1}"), "0");
	T_OK(str_is(edit_backend(text, 1), "[ ]"), "1");
	T_OK(edit_backend(text, 2).p == NULL, "2");
	T_OK(edit_count(str_of("")) == 0, "empty");
	T_OK(edit_count(str_of("7")) == 0, "number");
	T_OK(edit_count(str_n(NULL, 0)) == 0, "nothing");
}

/* A text that does not fit is refused as a whole. */
static void
too_long(void)
{
	struct str text = str_of("[{\"a\":1}, {\"b\":2}]");
	size_t order[2] = { 1, 0 }, max;
	const char *why;
	struct buf out;
	unsigned i;
	int rc = 0;

	for (max = 0; max < 40; max++)
		for (i = 0; i < 5; i++) {
			buf_init(&out, max);
			why = NULL;
			if (i == 0)
				rc = edit_order(&out, text, order, 2, &why);
			else if (i == 1)
				rc = edit_add(&out, text, 1, str_of("{}"),
				    &why);
			else if (i == 2)
				rc = edit_set(&out, text, 0, "c",
				    str_of("3"), &why);
			else if (i == 3)
				rc = edit_set(&out, text, 0, "a",
				    str_n(NULL, 0), &why);
			else
				rc = edit_remove(&out, text, 0, &why);
			T_OK(rc == 0 ? !out.bad && out.len > 0 :
			    why != NULL && out.len == 0, "%zu %u", max, i);
			buf_free(&out);
		}
	T_OK(rc == 0, "the last one fits");
}

/* ---- at random ---- */

static uint64_t seed;

static unsigned
pick(unsigned n)
{
	return (unsigned)(util_random(&seed) % n);
}

#define BACKENDS 6
#define EXTRA 4

static const char *const extra_names[EXTRA] = {
	"priority", "weight", "enabled", "model"
};

/* What a backend should be; 0 in extra: not written. */
struct model {
	unsigned id;			/* name and url */
	unsigned extra[EXTRA];
};

static unsigned comments;		/* written so far, each with a number */

/* Blanks and comments; lines: 1, with ends of lines. */
static void
noise(struct buf *b, int lines)
{
	unsigned n = pick(4);

	while (n-- > 0)
		switch (pick(lines ? 7 : 3)) {
		case 0:
		case 1:
			buf_addc(b, ' ');
			break;
		case 2:
			buf_fmt(b, "/*%u,]}\"*/", ++comments);
			break;
		case 3:
			buf_fmt(b, "//%u,]}\"\n", ++comments);
			break;
		case 4:
			buf_adds(b, "\r\n");
			break;
		default:
			buf_adds(b, "\n  ");
		}
}

static void
extra_value(struct buf *b, size_t k, unsigned v)
{
	switch (k) {
	case 2:
		buf_adds(b, v == 1 ? "true" : "false");
		break;
	case 3:
		buf_fmt(b, "\"claude-%u\"", v);
		break;
	default:
		buf_addu(b, v);
	}
}

/* "enabled" has two values alone, and not all may be off. */
static unsigned
extra_random(size_t k)
{
	return k == 2 ? 1 : 1 + pick(50);
}

static void
name_random(struct buf *b, const char *name)
{
	buf_addc(b, '"');
	if (pick(4) == 0) {
		buf_fmt(b, "\\u%04X", (unsigned)(unsigned char)*name);
		name++;
	}
	buf_fmt(b, "%s\"", name);
}

static void
backend_write(struct buf *b, const struct model *m, int loud)
{
	size_t k;

	buf_addc(b, '{');
	if (loud)
		noise(b, 1);
	for (k = 0; k < EXTRA; k++) {
		if (m->extra[k] == 0)
			continue;
		name_random(b, extra_names[k]);
		if (loud)
			noise(b, 1);
		buf_addc(b, ':');
		if (loud)
			noise(b, 1);
		extra_value(b, k, m->extra[k]);
		if (loud)
			noise(b, 1);
		buf_addc(b, ',');
		if (loud)
			noise(b, 1);
	}
	buf_fmt(b, "\"name\": \"b%u\", \"base_url\": \"http://127.0.0.1:%u\""
	    ", \"token\": \"t\"", m->id, 1000 + m->id);
	if (loud)
		noise(b, 1);
	if (pick(3) == 0)
		buf_addc(b, ',');
	if (loud)
		noise(b, 1);
	buf_addc(b, '}');
}

static void
model_random(struct model *m, unsigned id)
{
	size_t k;

	m->id = id;
	for (k = 0; k < EXTRA; k++)
		m->extra[k] = pick(2) == 0 ? 0 : extra_random(k);
}

/* The text around the list, both brackets too. */
static struct buf front, end;

static void
config_write(struct buf *b, const struct model *m, size_t n, int array)
{
	size_t i;

	buf_clear(&front);
	noise(&front, 1);
	if (!array) {
		buf_addc(&front, '{');
		noise(&front, 1);
		if (pick(2))
			buf_adds(&front, "\"port\": 4000, ");
		name_random(&front, "backends");
		noise(&front, 1);
		buf_addc(&front, ':');
		noise(&front, 1);
	}
	buf_addc(&front, '[');
	buf_addstr(b, buf_str(&front));
	noise(b, 1);
	for (i = 0; i < n; i++) {
		backend_write(b, &m[i], 1);
		noise(b, 1);
		if (i + 1 < n || pick(2))
			buf_addc(b, ',');
		noise(b, 1);
	}
	buf_clear(&end);
	buf_addc(&end, ']');
	noise(&end, 1);
	if (!array) {
		if (pick(2))
			buf_adds(&end, ", \"host\": \"127.0.0.1\"");
		buf_addc(&end, '}');
		noise(&end, 1);
	}
	buf_addstr(b, buf_str(&end));
}

static int
backend_is(const struct config_backend *b, const struct model *m)
{
	char name[32], url[64], model[32];

	snprintf(name, sizeof name, "b%u", m->id);
	snprintf(url, sizeof url, "http://127.0.0.1:%u", 1000 + m->id);
	snprintf(model, sizeof model, "claude-%u", m->extra[3]);
	return str_is(b->name, name) && str_is(b->base_url, url) &&
	    (m->extra[0] == 0 || b->priority == (int)m->extra[0]) &&
	    b->weight == (m->extra[1] == 0 ? 1 : m->extra[1]) &&
	    b->enabled == 1 &&
	    (m->extra[3] == 0 ? b->model.p == NULL : str_is(b->model, model));
}

static const char *
no_env(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return NULL;
}

static int
no_file(void *arg, const char *path, struct buf *out, const char **why)
{
	(void)arg;
	(void)path;
	(void)out;
	*why = "no files here";
	return -1;
}

static void
agrees(struct str text, const struct model *m, size_t n, const char *did,
    struct str before)
{
	struct config_env env = { no_env, no_file, NULL };
	struct config_flags flags = { -1, -1, 0 };
	struct buf faults, notes;
	struct config *c;
	size_t i, ok = 0;

	buf_init(&faults, ROOM);
	buf_init(&notes, ROOM);
	c = config_parse(text, "f", &env, &flags, &faults, &notes);
	T_OK(c != NULL, "%s: %s\n%.*s\nfrom\n%.*s", did, buf_cstr(&faults),
	    (int)text.n, text.p, (int)before.n, before.p);
	if (c != NULL) {
		for (i = 0; i < c->nbackends && i < n; i++)
			ok += (size_t)backend_is(&c->backends[i], &m[i]);
		T_OK(ok == n && c->nbackends == n && edit_count(text) == n,
		    "%s: %zu of %zu are right in\n%.*s\nfrom\n%.*s", did, ok,
		    n, (int)text.n, text.p, (int)before.n, before.p);
	}
	config_free(c);
	buf_free(&faults);
	buf_free(&notes);
}

/* How many of the numbered comments are in the text. */
static unsigned
comments_in(struct str text)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i + 4 < text.n; i++)
		n += memcmp(text.p + i, ",]}\"", 4) == 0;
	return n;
}

static void
frame_kept(struct str is, const char *did)
{
	T_OK(is.n > front.len + end.len && memcmp(is.p, buf_str(&front).p,
	    front.len) == 0 && memcmp(is.p + is.n - end.len,
	    buf_str(&end).p, end.len) == 0, "%s: not as it was around the "
	    "list:\n%.*s", did, (int)is.n, is.p);
}

/* One text and what it should mean, and the next one. */
static struct world {
	struct buf text, next, value;
	struct model m[BACKENDS + 1];
	size_t n, at;
	size_t from[BACKENDS + 1];	/* place in text of those in next;
					   NOWHERE: new or changed */
	unsigned ids;
	const char *why;
} w;

#define NOWHERE	((size_t)-1)

static int
step_add(void)
{
	size_t at = pick((unsigned)w.n + 2), i;
	struct model t;
	int rc;

	model_random(&t, w.ids++ % 50000);
	backend_write(&w.value, &t, 0);
	rc = edit_add(&w.next, buf_str(&w.text), at, buf_str(&w.value),
	    &w.why);
	if (at > w.n)
		at = w.n;
	for (i = w.n++; i > at; i--) {
		w.m[i] = w.m[i - 1];
		w.from[i] = i - 1;
	}
	w.m[at] = t;
	w.from[at] = NOWHERE;
	T_OK(str_eq(edit_backend(buf_str(&w.next), at), buf_str(&w.value)),
	    "add: not as given");
	return rc;
}

static int
step_remove(void)
{
	size_t i;

	for (i = w.at; i + 1 < w.n; i++) {
		w.m[i] = w.m[i + 1];
		w.from[i] = i + 1;
	}
	w.n--;
	return edit_remove(&w.next, buf_str(&w.text), w.at, &w.why);
}

static int
step_set(int unset)
{
	size_t k = pick(EXTRA);
	struct str text = buf_str(&w.text), next, was, is;
	unsigned v = unset ? 0 : extra_random(k);
	int rc;

	if (!unset)
		extra_value(&w.value, k, v);
	w.m[w.at].extra[k] = v;
	w.from[w.at] = NOWHERE;
	rc = edit_set(&w.next, text, w.at, extra_names[k],
	    unset ? str_n(NULL, 0) : buf_str(&w.value), &w.why);
	next = buf_str(&w.next);
	was = edit_backend(text, w.at);
	is = edit_backend(next, w.at);
	T_OK(was.p - text.p == is.p - next.p &&
	    memcmp(text.p, next.p, (size_t)(was.p - text.p)) == 0 &&
	    str_eq(str_n(was.p + was.n, (size_t)(text.p + text.n - was.p) -
	    was.n), str_n(is.p + is.n, (size_t)(next.p + next.n - is.p) -
	    is.n)), "set: something outside of the backend changed");
	return rc;
}

static int
step_order(void)
{
	struct model old[BACKENDS + 1];
	size_t i, j, swap;

	for (i = w.n; i-- > 1;) {
		j = pick((unsigned)i + 1);
		swap = w.from[i];
		w.from[i] = w.from[j];
		w.from[j] = swap;
	}
	memcpy(old, w.m, sizeof old);
	for (i = 0; i < w.n; i++)
		w.m[i] = old[w.from[i]];
	return edit_order(&w.next, buf_str(&w.text), w.from, w.n, &w.why);
}

static void
step(void)
{
	static const char *const names[] = {
		"add", "remove", "set", "unset", "order"
	};
	unsigned what = pick(5);
	struct str text, next;
	size_t i;
	int rc;

	if ((what == 0 && w.n == BACKENDS) || (what == 1 && w.n == 1))
		return;
	buf_clear(&w.next);
	buf_clear(&w.value);
	w.at = pick((unsigned)w.n);
	for (i = 0; i < w.n; i++)
		w.from[i] = i;
	rc = what == 0 ? step_add() : what == 1 ? step_remove() :
	    what == 4 ? step_order() : step_set(what == 3);
	text = buf_str(&w.text);
	next = buf_str(&w.next);
	T_OK(rc == 0, "%s: %s", names[what], w.why);
	for (i = 0; i < w.n; i++)
		T_OK(w.from[i] == NOWHERE || str_eq(edit_backend(text,
		    w.from[i]), edit_backend(next, i)), "%s: %zu is not as "
		    "it was", names[what], i);
	T_OK(what == 1 || what == 3 || comments_in(text) == comments_in(next),
	    "%s: a comment is lost\n%.*s\nfrom\n%.*s", names[what],
	    (int)next.n, next.p, (int)text.n, text.p);
	agrees(next, w.m, w.n, names[what], text);
	frame_kept(next, names[what]);
	buf_clear(&w.text);
	buf_addstr(&w.text, next);
}

static void
at_random(void)
{
	size_t i;
	unsigned k;

	buf_init(&w.text, ROOM);
	buf_init(&w.next, ROOM);
	buf_init(&w.value, ROOM);
	buf_init(&front, ROOM);
	buf_init(&end, ROOM);
	for (seed = 0; w.ids < 3000; seed++) {
		buf_clear(&w.text);
		w.n = 1 + pick(4);
		for (i = 0; i < w.n; i++)
			model_random(&w.m[i], w.ids++);
		config_write(&w.text, w.m, w.n, pick(3) == 0);
		agrees(buf_str(&w.text), w.m, w.n, "as written", str_of(""));
		for (k = 0; k < 6; k++)
			step();
	}
	buf_free(&w.text);
	buf_free(&w.next);
	buf_free(&w.value);
	buf_free(&front);
	buf_free(&end);
}

int
main(void)
{
	table();
	reading();
	too_long();
	at_random();
	return t_end();
}
