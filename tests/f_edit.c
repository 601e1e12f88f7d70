/*
 * Any bytes as a config.  If there is a list in it: the order that it has
 * gives the same bytes; every change gives a text with the list that is
 * expected, each backend that was not changed byte for byte; what is put in
 * and taken out again leaves the others as they were.  If there is none,
 * every change is refused and nothing is written.
 */

#include <stdlib.h>

#include "conf/edit.h"
#include "json.h"

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)
#define ROOM	((size_t)1 << 20)
#define PLACES	64
#define NEW	"{\"name\":\"new\" /* // } */}"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
object(struct str s)
{
	return s.n > 0 && s.p[0] == '{';
}

static void
same(struct str a, size_t i, struct str b, size_t k)
{
	CHECK(str_eq(edit_backend(a, i), edit_backend(b, k)));
}

static void
orders(struct str text, size_t n, struct buf *out)
{
	size_t order[PLACES], i;
	const char *why;
	struct buf twice;

	for (i = 0; i < n; i++)
		order[i] = i;
	CHECK(edit_order(out, text, order, n, &why) == 0);
	CHECK(str_eq(buf_str(out), text));
	buf_clear(out);
	for (i = 0; i < n; i++)
		order[i] = n - 1 - i;
	CHECK(edit_order(out, text, order, n, &why) == 0);
	CHECK(edit_count(buf_str(out)) == n);
	for (i = 0; i < n; i++)
		same(buf_str(out), i, text, n - 1 - i);
	buf_init(&twice, ROOM);
	CHECK(edit_order(&twice, buf_str(out), order, n, &why) == 0);
	for (i = 0; i < n; i++)
		same(buf_str(&twice), i, text, i);
	buf_free(&twice);
	buf_clear(out);
	CHECK(edit_order(out, text, order, n + 1, &why) == -1);
}

static void
add_and_remove(struct str text, size_t n, size_t at, struct buf *out)
{
	struct buf back;
	const char *why;
	size_t i;

	buf_clear(out);
	CHECK(edit_add(out, text, at, str_of(NEW), &why) == 0);
	CHECK(edit_count(buf_str(out)) == n + 1);
	for (i = 0; i < n; i++)
		same(buf_str(out), i < at ? i : i + 1, text, i);
	CHECK(str_is(edit_backend(buf_str(out), at), NEW));
	buf_init(&back, ROOM);
	CHECK(edit_remove(&back, buf_str(out), at, &why) == 0);
	CHECK(edit_count(buf_str(&back)) == n);
	for (i = 0; i < n; i++)
		same(buf_str(&back), i, text, i);
	buf_free(&back);
	buf_clear(out);
	CHECK(edit_remove(out, text, at, &why) == (at < n ? 0 : -1));
	if (at < n)
		CHECK(edit_count(buf_str(out)) == n - 1);
	for (i = 0; i + 1 < n && at < n; i++)
		same(buf_str(out), i, text, i < at ? i : i + 1);
}

/* The members of that name, in a backend without its comments. */
static unsigned
members(struct str backend, const char *name, const char *value)
{
	enum json_type t;
	struct json j;
	unsigned n = 0;

	json_start(&j, backend, JSON_COMMENTS);
	json_next(&j);
	while ((t = json_next(&j)) != JSON_CLOSE) {
		CHECK(t > JSON_END && json_skip(&j) == 0);
		if (json_text_is(j.key, str_of(name))) {
			n++;
			CHECK(value == NULL || str_is(j.raw, value));
		}
	}
	return n;
}

static void
set(struct str text, size_t n, size_t at, struct buf *out)
{
	struct str b = edit_backend(text, at);
	const char *why;
	unsigned had;
	size_t i;
	int k;

	for (k = 0; k < 2; k++) {
		buf_clear(out);
		if (!object(b)) {
			CHECK(edit_set(out, text, at, "a", str_of("[0]"),
			    &why) == -1);
			continue;
		}
		had = members(b, "a", NULL);
		CHECK(edit_set(out, text, at, "a", k == 0 ? str_of("[0]") :
		    str_n(NULL, 0), &why) == 0);
		CHECK(edit_count(buf_str(out)) == n);
		CHECK(members(edit_backend(buf_str(out), at), "a", "[0]") ==
		    (k == 1 ? 0 : had > 0 ? had : 1));
		for (i = 0; i < n; i++)
			if (i != at)
				same(buf_str(out), i, text, i);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t size)
{
	struct str text = str_n((const char *)p, size);
	size_t n = edit_count(text), i, none = 0;
	struct buf out;
	const char *why = NULL;

	buf_init(&out, ROOM);
	if (n == 0) {
		/* An empty list, or none. */
		if (edit_add(&out, text, 0, str_of(NEW), &why) == 0)
			add_and_remove(text, 0, 0, &out);
		else
			CHECK(why != NULL && out.len == 0 &&
			    edit_order(&out, text, &none, 0, &why) == -1 &&
			    edit_set(&out, text, 0, "a", str_of("1"),
			    &why) == -1 && out.len == 0);
	} else if (n <= PLACES) {
		orders(text, n, &out);
		for (i = 0; i <= n && i < 4; i++) {
			add_and_remove(text, n, i, &out);
			set(text, n, i, &out);
		}
	}
	buf_free(&out);
	return 0;
}
