#ifndef TESTS_GEN_H
#define TESTS_GEN_H

/*
 * Random texts, names, ids and JSON values for tests of the translation, and
 * the one form in which two of them that mean the same are equal bytes.  All
 * follow from gen_state: whoever sets it again gets the same again.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/text.h"
#include "wire/json_tree.h"

#define GEN_MAX ((size_t)8 << 20)

static uint64_t gen_state;

/* 0 .. n - 1 */
static unsigned
gen_below(unsigned n)
{
	return (unsigned)(util_random(&gen_state) % n);
}

static int
gen_chance(unsigned percent)
{
	return gen_below(100) < percent;
}

/* What b holds, in the arena; b is done with. */
static struct str
gen_made(struct arena *a, struct buf *b)
{
	struct str s = arena_take(a, b);

	buf_free(b);
	return s;
}

/* A text (still escaped) of up to max pieces; may be empty or blank. */
static struct str
gen_text(struct arena *a, unsigned max)
{
	static const char *const pieces[] = {
		"a", "Hello", " ", "\\n", "\\\"", "\\\\", "\xc3\xa9",
		"\xe6\x97\xa5\xe6\x9c\xac", "\\u00E9", "\\ud83d\\ude00",
		"\xf0\x9f\x98\x80", "\\ud800", "\\udc00", "\\u2028",
		"\xe2\x80\xa9", "\\/", "\\t", "\\u0000", "\\u001F", "{", "}",
		"[DONE]", "json", "event: error\\n\\n", "\\r", "world. ",
		"data: {}", "\\u005c", "</document>", "xl1.", "%s", "\x7f"
	};
	struct buf b;
	unsigned n = gen_below(max + 1);

	buf_init(&b, GEN_MAX);
	if (gen_chance(10))
		buf_adds(&b, gen_chance(50) ? " " : "\\n \\t");
	else
		while (n-- > 0)
			buf_adds(&b, pieces[gen_below(sizeof pieces /
			    sizeof pieces[0])]);
	if (b.len == 0)
		return str_of("");
	return gen_made(a, &b);
}

/* A word of odd characters, plain; each number gives another one. */
static struct str
gen_word(struct arena *a, const char *start, unsigned number)
{
	static const char *const odd[] = {
		"", ".", ":", "-", "_", " ", "/", "$", "\xc3\xa9", "__ts_",
		"\"", "\\", "A", "\xf0\x9f\x98\x80", "__ts_AA", "a.b", "=="
	};
	struct buf b;
	unsigned n = gen_below(3);

	buf_init(&b, 200);
	buf_adds(&b, start);
	while (n-- > 0)
		buf_adds(&b, odd[gen_below(sizeof odd / sizeof odd[0])]);
	buf_addu(&b, number);
	for (n = gen_chance(15) ? 30 + gen_below(60) : 0; n > 0; n--)
		buf_addc(&b, (char)('a' + gen_below(26)));
	return gen_made(a, &b);
}

static void gen_value(struct buf *b, struct arena *a, unsigned depth);

/* White space where JSON allows it. */
static void
gen_space(struct buf *b)
{
	if (gen_chance(10))
		buf_adds(b, gen_chance(50) ? " " : "\n\t ");
}

static void
gen_quoted(struct buf *b, struct str text)
{
	buf_addc(b, '"');
	buf_addstr(b, text);
	buf_addc(b, '"');
}

/* An object of up to three members with names of all kinds. */
static void
gen_members(struct buf *b, struct arena *a, unsigned depth)
{
	static const char *const keys[] = {
		"a", "path", "", "\xc3\xa9", "q\\\"q", "\\u0061b", "input",
		"type", "$ref", "x y"
	};
	unsigned n = gen_below(4), at = gen_below(8), i;

	buf_addc(b, '{');
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(b, ',');
		gen_space(b);
		gen_quoted(b, str_of(keys[(at + i * 3) % 10]));
		gen_space(b);
		buf_addc(b, ':');
		gen_value(b, a, depth + 1);
	}
	gen_space(b);
	buf_addc(b, '}');
}

static void
gen_value(struct buf *b, struct arena *a, unsigned depth)
{
	static const char *const atoms[] = {
		"null", "true", "false", "0", "-0", "1.0", "1e5", "2E-2",
		"12345678901234567890", "-7"
	};
	unsigned n;

	if (depth < 3 && gen_chance(20)) {
		gen_members(b, a, depth);
	} else if (depth < 3 && gen_chance(20)) {
		buf_addc(b, '[');
		for (n = gen_below(3); n > 0; n--) {
			gen_value(b, a, depth + 1);
			buf_adds(b, n > 1 ? ", " : "");
		}
		buf_addc(b, ']');
	} else if (gen_chance(50)) {
		gen_quoted(b, gen_text(a, 4));
	} else {
		buf_adds(b, atoms[gen_below(10)]);
	}
}

/* A raw object, such as the arguments of a call. */
static struct str
gen_object(struct arena *a)
{
	struct buf b;

	buf_init(&b, GEN_MAX);
	gen_members(&b, a, 0);
	return gen_made(a, &b);
}

/* What a text means, as bytes that are equal if and only if it is. */
static void
gen_say(struct buf *out, struct str text)
{
	struct buf b;

	buf_init(&b, GEN_MAX);
	gen_quoted(&b, text);
	if (text_canon(out, buf_str(&b)) == -1)
		out->bad = 1;
	buf_free(&b);
}

#endif
