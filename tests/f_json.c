/*
 * The input is a text: the ways to read it must agree with each other, what
 * is written must be readable, and an exchange must change what it should.
 */

#include "json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ROOM ((size_t)1 << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* Writing s, reading that and writing it again changes nothing more. */
static void
check_write(struct str s)
{
	struct buf a, b, c;

	buf_init(&a, ROOM);
	buf_init(&b, ROOM);
	buf_init(&c, ROOM);
	must(json_write(&a, s) == 0);
	must(json_valid(buf_str(&a), NULL, NULL));
	must(json_unescape(&b, buf_str(&a)) == 0);
	must(json_write(&c, buf_str(&b)) == 0);
	must(str_eq(buf_str(&a), buf_str(&c)));
	buf_free(&a);
	buf_free(&b);
	buf_free(&c);
}

static void
check_string(struct str raw)
{
	struct buf b;
	const char *s;

	buf_init(&b, ROOM);
	must(json_unescape(&b, raw) == 0);
	must(b.len <= raw.n - 2);
	check_write(buf_str(&b));
	if (memchr(buf_str(&b).p, '\0', b.len) == NULL) {
		buf_addc(&b, '\0');
		s = buf_str(&b).p;
		must(json_string_is(raw, s));
		buf_cut(&b, b.len - 1);
		buf_adds(&b, "x");
		buf_addc(&b, '\0');
		must(!json_string_is(raw, buf_str(&b).p));
	}
	buf_free(&b);
}

static void
check_number(struct str raw)
{
	uint64_t u;
	double d;

	if (json_u64(raw, &u) == -1)
		return;
	must(json_double(raw, &d) == 0);
	must(d >= (double)u * 0.999999 && d <= (double)u * 1.000001 + 1.0);
}

static void
check_token(enum json_type t, struct str raw)
{
	struct json_value v;
	uint64_t u;
	double d;

	must((json_u64(raw, &u) == 0) <= (t == JSON_NUMBER));
	must((json_double(raw, &d) == 0) <= (t == JSON_NUMBER));
	must(json_string_is(raw, "x") <= (t == JSON_STRING));
	if (t == JSON_STRING)
		check_string(raw);
	if (t == JSON_NUMBER)
		check_number(raw);
	if (t == JSON_CLOSE || raw.n == 1)
		return;
	must(json_valid(raw, NULL, NULL));
	must(json_get(raw, "", &v) == 0 && v.type == t &&
	    str_eq(v.raw, raw));
}

/* Reads all of the text; with skip, containers in the top one whole. */
static enum json_type
walk(struct str s, unsigned flags, int skip, size_t *tokens)
{
	enum json_type t, first = JSON_END;
	struct json j;
	size_t last = 0;
	unsigned line, column;

	json_start(&j, s, flags);
	for (*tokens = 0; (t = json_next(&j)) > JSON_END; ++*tokens) {
		if (*tokens == 0)
			first = t;
		if (skip && j.depth > 1 && json_skip(&j) == -1) {
			t = JSON_ERROR;
			break;
		}
		must(j.depth <= JSON_DEPTH_MAX && j.raw.n > 0);
		must((size_t)(j.raw.p - s.p) >= last && j.pos <= s.n);
		last = j.pos;
		must(j.raw.p + j.raw.n == s.p + last);
		must(j.key.p == NULL || j.key.p + j.key.n < j.raw.p);
		if (flags == 0 && !skip)
			check_token(t, j.raw);
	}
	must(json_next(&j) == t);
	must((t == JSON_ERROR) == (j.why != NULL) && j.pos <= s.n);
	json_line(s, j.pos, &line, &column);
	must(line > 0 && column > 0 && line + column <= s.n + 2);
	return t == JSON_ERROR ? JSON_ERROR : first;
}

/* The object s has so many members called model. */
static void
check_exchange(struct str s)
{
	static const char *const names[] = { "model", "a" };
	static const char new[] = "[\"new\"]";
	struct json_value was[2], is[2];
	struct buf b, c;
	int count;

	buf_init(&b, ROOM);
	buf_init(&c, ROOM);
	must(json_members(s, names, was, 2, NULL, NULL) == 0);
	count = json_replace(&b, s, names[0], str_of(new), 0);
	must((count > 0) == (was[0].type != JSON_END));
	must(json_members(buf_str(&b), names, is, 2, NULL, NULL) == 0);
	must(count == 0 || str_is(is[0].raw, new));
	must(is[1].type == was[1].type && str_eq(is[1].raw, was[1].raw));
	if (count <= 1) {
		must(json_replace(&c, buf_str(&b), names[0], was[0].raw, 0) ==
		    count);
		must(str_eq(buf_str(&c), s));
	}
	buf_clear(&b);
	must(json_replace(&b, s, names[0], str_of(new), 1) == count);
	must(json_members(buf_str(&b), names, is, 2, NULL, NULL) == 0);
	must(str_is(is[0].raw, new) && str_eq(is[1].raw, was[1].raw));
	buf_free(&b);
	buf_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "model" };
	struct str s = str_n((const char *)data, size);
	struct json_value v[1];
	enum json_type top;
	const char *why = NULL;
	size_t plain, commented, some, at = size + 1;
	struct buf b;

	top = walk(s, 0, 0, &plain);
	must(json_valid(s, &why, &at) == (top != JSON_ERROR));
	must(top != JSON_ERROR || (why != NULL && at <= size));
	must(walk(s, 0, 1, &some) == top && some <= plain);
	if (top != JSON_ERROR) {
		must(walk(s, JSON_COMMENTS, 0, &commented) == top);
		must(commented == plain);
	} else {
		walk(s, JSON_COMMENTS, 0, &commented);
		must(commented >= plain);
	}
	check_write(s);
	json_get(s, "a.0.model", v);
	if (top == JSON_OBJECT) {
		check_exchange(s);
		return 0;
	}
	must(json_members(s, names, v, 1, &why, &at) == -1 && at <= size);
	buf_init(&b, ROOM);
	must(json_replace(&b, s, "model", str_of("1"), 1) == -1);
	must(b.len == 0 && !b.bad);
	must(json_unescape(&b, s) == 0 || b.len == 0);
	json_string_is(s, "model");
	buf_free(&b);
	return 0;
}
