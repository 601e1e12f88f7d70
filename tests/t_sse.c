#include "dialect/sse.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define S(s) { (s), sizeof(s) - 1 }
#define N(a) (sizeof(a) / sizeof *(a))
#define BIG 1000000

static uint64_t seed = 1;

static size_t
below(size_t n)
{
	return (size_t)(util_random(&seed) % n);
}

/* Adds a block in a form that tells all of it. */
static void
describe(struct buf *out, const struct sse_event *e)
{
	buf_adds(out, "<");
	buf_addstr(out, e->raw);
	buf_adds(out, "|");
	buf_addstr(out, e->name);
	buf_adds(out, "|");
	buf_addu(out, e->lines);
	buf_adds(out, "|");
	buf_addstr(out, e->data);
	buf_adds(out, "|");
	T_OK(sse_data(out, e) == 0, "data");
	buf_adds(out, ">");
}

/*
 * One call for the n bytes at p, copied so that a byte too far is caught.
 * Describes the block, if there is one, and returns its length.
 */
static size_t
call(struct sse *sse, struct str s, int last, struct buf *out, struct buf *raw)
{
	struct sse_event e;
	char *p = malloc(s.n + 1);
	size_t n;

	if (p == NULL)
		exit(2);
	memcpy(p + 1, s.p, s.n);
	n = last ? sse_last(sse, p + 1, s.n, &e) :
	    sse_next(sse, p + 1, s.n, &e);
	if (n > 0) {
		T_OK(e.raw.p == p + 1 && e.raw.n == n && n <= s.n, "raw");
		buf_addstr(raw, e.raw);
		describe(out, &e);
	}
	free(p);
	return n;
}

/*
 * Describes the blocks of s as it arrives in pieces of step bytes (0: of
 * random sizes).  raw gets the bytes of all blocks.
 */
static void
split(struct str s, size_t step, struct buf *out, struct buf *raw)
{
	struct sse sse;
	size_t have = 0, taken = 0, piece, n;

	sse_start(&sse);
	while (have < s.n) {
		piece = step > 0 ? step : 1 + below(9);
		have += piece < s.n - have ? piece : s.n - have;
		while ((n = call(&sse, str_n(s.p + taken, have - taken), 0,
		    out, raw)) > 0)
			taken += n;
	}
	while ((n = call(&sse, str_n(s.p + taken, have - taken), 1, out,
	    raw)) > 0)
		taken += n;
	T_OK(taken == s.n, "%zu of %zu bytes", taken, s.n);
}

/* raw, name, number of data lines, the first, all */
static const struct { struct str in, want; } blocks[] = {
	{ S(""), S("") },
	{ S("data: x\n\n"), S("<data: x\n\n||1|x|x>") },
	{ S("data:x\r\n\r\n"), S("<data:x\r\n\r\n||1|x|x>") },
	{ S("data:  x\r\r"), S("<data:  x\r\r||1| x| x>") },
	{ S("event: a\ndata: 1\n\nevent:b\ndata:2\n\n"),
	    S("<event: a\ndata: 1\n\n|a|1|1|1><event:b\ndata:2\n\n|b|1|2|2>") },
	{ S("event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n"),
	    S("<event: a\r\ndata: 1\r\n\r\n|a|1|1|1>"
	    "<data: 2\r\n\r\n||1|2|2>") },
	{ S("data: 1\r\rdata: 2\r\r\rdata: 3\r\r"),
	    S("<data: 1\r\r||1|1|1><data: 2\r\r||1|2|2><\r||0||>"
	    "<data: 3\r\r||1|3|3>") },
	{ S("\xef\xbb\xbf" "data: 1\n\n\xef\xbb\xbf" "data: 2\n\n"),
	    S("<\xef\xbb\xbf" "data: 1\n\n||1|1|1>"
	    "<\xef\xbb\xbf" "data: 2\n\n||0||>") },
	{ S("\xef\xbb\xbf\n\xef\xbb\xbf\n\n"), S("<\xef\xbb\xbf\n||0||>"
	    "<\xef\xbb\xbf\n\n||0||>") },
	{ S("\xef\xbb\xbf\r\ndata:1\r\n\r\n"), S("<\xef\xbb\xbf\r\n||0||>"
	    "<data:1\r\n\r\n||1|1|1>") },
	{ S("\xef\xbb\xbf"), S("<\xef\xbb\xbf||0||>") },
	{ S("\xef\xbb" "data: 1\n\n"), S("<\xef\xbb" "data: 1\n\n||0||>") },
	{ S(": ping\n\ndata: 1\n\n"),
	    S("<: ping\n\n||0||><data: 1\n\n||1|1|1>") },
	{ S(":data: 0\ndata: 1\n:x\ndata:2\n: y\n\n"),
	    S("<:data: 0\ndata: 1\n:x\ndata:2\n: y\n\n||2|1|1\n2>") },
	{ S("\n\r\n\n\ndata: 1\n\n\n"), S("<\n||0||><\r\n||0||><\n||0||>"
	    "<\n||0||><data: 1\n\n||1|1|1><\n||0||>") },
	{ S("data\n\n"), S("<data\n\n||1||>") },
	{ S("data\ndata\n\n"), S("<data\ndata\n\n||2||\n>") },
	{ S("data:\ndata: \ndata:  \n\n"),
	    S("<data:\ndata: \ndata:  \n\n||3||\n\n >") },
	{ S("data: a\r\ndata: b\rdata: c\ndata: d\r\n\r\n"),
	    S("<data: a\r\ndata: b\rdata: c\ndata: d\r\n\r\n||4|a|"
	    "a\nb\nc\nd>") },
	{ S("event: a\nevent: b\nevent\ndata: 1\n\n"),
	    S("<event: a\nevent: b\nevent\ndata: 1\n\n||1|1|1>") },
	{ S("event: a\nevent: b\n\n"), S("<event: a\nevent: b\n\n|b|0||>") },
	{ S("id: 1\nretry: 2\ndatax: 3\ndat: 4\n data: 5\nData: 6\nevents: 7\n"
	    "x\ndata : 8\n\n"), S("<id: 1\nretry: 2\ndatax: 3\ndat: 4\n"
	    " data: 5\nData: 6\nevents: 7\nx\ndata : 8\n\n||0||>") },
	{ S("data: a: b\n\n"), S("<data: a: b\n\n||1|a: b|a: b>") },
	{ S("data: \0\n\n"), S("<data: \0\n\n||1|\0|\0>") },
	/* what is left at the end */
	{ S("data: 1\n\ndata: 2\n"),
	    S("<data: 1\n\n||1|1|1><data: 2\n||1|2|2>") },
	{ S("data: 1\n\ndata: 2"), S("<data: 1\n\n||1|1|1><data: 2||1|2|2>") },
	{ S("event: x\r\ndata: 2\r\n"),
	    S("<event: x\r\ndata: 2\r\n|x|1|2|2>") },
	{ S("data: 2\r\n\r"), S("<data: 2\r\n\r||1|2|2>") },
	{ S("data: 2\r"), S("<data: 2\r||1|2|2>") },
	{ S("\r"), S("<\r||0||>") }, { S("dat"), S("<dat||0||>") },
	/* unlike line ends side by side */
	{ S("data: 1\r\n\rdata: 2\n\n"),
	    S("<data: 1\r\n\r||1|1|1><data: 2\n\n||1|2|2>") },
	{ S("data: 1\n\r\ndata: 2\n\r"),
	    S("<data: 1\n\r\n||1|1|1><data: 2\n\r||1|2|2>") },
	{ S("data: 1\r\n\ndata: 2\n\n"),
	    S("<data: 1\r\n\n||1|1|1><data: 2\n\n||1|2|2>") },
	{ S("data: 1\r\r\ndata: 2\n\n"),
	    S("<data: 1\r\r||1|1|1><\n||0||><data: 2\n\n||1|2|2>") }
};

static void
t_blocks(void)
{
	struct buf out, raw;
	size_t i, step;

	for (i = 0; i < N(blocks); i++)
		for (step = 0; step < blocks[i].in.n + 2; step++) {
			buf_init(&out, BIG);
			buf_init(&raw, BIG);
			split(blocks[i].in, step, &out, &raw);
			T_OK(str_eq(buf_str(&out), blocks[i].want),
			    "row %zu, step %zu: %.*s", i, step, (int)out.len,
			    buf_str(&out).p);
			T_OK(str_eq(buf_str(&raw), blocks[i].in), "row %zu", i);
			buf_free(&out);
			buf_free(&raw);
		}
}

/* No event that is over waits: the length of the bytes that bring it. */
static void
t_promptness(void)
{
	static const struct { const char *in; size_t over; } row[] = {
		{ "data: x\n\n", 9 }, { "data: x\r\n\r\n", 11 },
		{ "data: x\r\r", 9 }, { "data: x\r\rdata: y\r\r", 9 },
		{ "data: x\r\n\n", 10 }, { "data: x\n\r\n", 10 },
		{ "data: x\n\rd", 10 }, { "\n", 1 }, { "\r\n", 2 },
		{ ": x\n\ndata", 5 }, { "data: x\r\n\r", 0 }, { "data: x\n", 0 }
	};
	struct sse_event e;
	struct sse sse;
	size_t i, n;

	for (i = 0; i < N(row); i++) {
		sse_start(&sse);
		for (n = 1; n <= strlen(row[i].in); n++)
			if (sse_next(&sse, row[i].in, n, &e) > 0)
				break;
		if (row[i].over == 0)
			T_OK(n > strlen(row[i].in), "row %zu", i);
		else
			T_OK(n == row[i].over, "row %zu: %zu", i, n);
	}
	sse_start(&sse);
	T_OK(sse_next(&sse, NULL, 0, &e) == 0 &&
	    sse_last(&sse, NULL, 0, &e) == 0, "no bytes");
}

/* Bytes that were looked at are not looked at again. */
static void
t_seen(void)
{
	struct sse_event e;
	struct sse sse;
	char t[2000];
	size_t n;

	memset(t, 'x', sizeof t);
	sse_start(&sse);
	for (n = 1; n <= sizeof t; n++)
		if (sse_next(&sse, t, n, &e) > 0 || sse.seen != n)
			break;
	T_OK(n == sizeof t + 1, "stopped at %zu", n);
	memcpy(t + 1000, "\n\n", 2);
	T_OK(sse_last(&sse, t, sizeof t, &e) == sizeof t, "seen is seen");
}

static void
t_full(void)
{
	static const char text[] = "data: abc\ndata: de\n\n";
	struct sse_event e;
	struct sse sse;
	struct buf b;
	size_t max;

	sse_start(&sse);
	T_OK(sse_next(&sse, text, sizeof text - 1, &e) > 0, "%s", text);
	for (max = 0; max <= 6; max++) {
		buf_init(&b, max);
		T_OK(sse_data(&b, &e) == (max < 6 ? -1 : 0), "%zu", max);
		T_OK(max < 6 || str_is(buf_str(&b), "abc\nde"), "%zu", max);
		buf_free(&b);
	}
	T_OK(sse_next(&sse, ":\n\n", 3, &e) == 3, "comment");
	buf_init(&b, 1);
	T_OK(sse_data(&b, &e) == 0 && b.len == 0, "no data");
	buf_adds(&b, "too long");
	T_OK(sse_data(&b, &e) == -1, "sticky");
	buf_free(&b);
}

/* Any mix of lines and line ends: the pieces do not matter. */
static void
t_random(void)
{
	static const char *const words[] = { "\n", "\r", "\r\n", "\n\n",
		"\r\n\r\n", "\r\r", "data: x", "data", "data:", ":", "event: e",
		"event",
		"\xef\xbb\xbf", "\xef", " ", "x", "id: 1", "{\"a\":1}" };
	struct buf in, want, out, raw;
	int round, k;
	size_t n;

	buf_init(&in, BIG);
	buf_init(&want, BIG);
	buf_init(&out, BIG);
	buf_init(&raw, BIG);
	for (round = 0; round < 2000; round++) {
		buf_clear(&in);
		buf_clear(&want);
		buf_clear(&raw);
		for (n = below(30); n > 0; n--)
			buf_adds(&in, words[below(N(words))]);
		split(buf_str(&in), BIG, &want, &raw);
		T_OK(str_eq(buf_str(&raw), buf_str(&in)), "round %d", round);
		for (k = 0; k < 4; k++) {
			buf_clear(&out);
			buf_clear(&raw);
			split(buf_str(&in), k == 0, &out, &raw);
			T_OK(str_eq(buf_str(&out), buf_str(&want)) &&
			    str_eq(buf_str(&raw), buf_str(&in)),
			    "round %d: %.*s", round, (int)in.len,
			    buf_str(&in).p);
		}
	}
	buf_free(&in);
	buf_free(&want);
	buf_free(&out);
	buf_free(&raw);
}

/* What was looked at may be gone when the stream ends. */
static void
t_gone(void)
{
	static const char text[] = "data: a line without an end";
	struct sse_event e;
	struct sse s;

	sse_start(&s);
	T_OK(sse_next(&s, text, sizeof text - 1, &e) == 0, "an event");
	T_OK(sse_last(&s, NULL, 0, &e) == 0, "an event of nothing");
}

int
main(void)
{
	t_blocks();
	t_promptness();
	t_seen();
	t_gone();
	t_full();
	t_random();
	return t_end();
}
