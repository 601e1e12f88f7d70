/*
 * The first byte chooses the sizes of pieces, the rest is the stream: the
 * blocks must be the same whole, byte by byte and in those pieces.
 */

#include "dialect/sse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ROOM ((size_t)1 << 26)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static int
within(struct str part, struct str all)
{
	return part.n == 0 || (part.p >= all.p &&
	    part.p + part.n <= all.p + all.n);
}

static void
note(struct buf *out, struct str s)
{
	buf_addu(out, s.n);
	buf_addc(out, ':');
	buf_addstr(out, s);
}

/* Adds a block to out in a form that tells all of it. */
static void
check_event(struct buf *out, const struct sse_event *e)
{
	struct buf data;

	must(within(e->name, e->raw) && within(e->data, e->raw));
	must(e->lines > 0 || e->data.n == 0);
	buf_init(&data, ROOM);
	must(sse_data(&data, e) == 0);
	must(data.len >= e->data.n && data.len <= e->raw.n);
	must(e->lines != 1 || str_eq(buf_str(&data), e->data));
	note(out, e->raw);
	note(out, e->name);
	note(out, buf_str(&data));
	buf_addu(out, e->lines);
	buf_free(&data);
}

/* Lets the stream arrive in pieces of step bytes; 0: of sizes by seed. */
static void
split(struct str s, size_t step, uint64_t seed, struct buf *out)
{
	struct sse_event e;
	struct sse sse;
	size_t have = 0, taken = 0, piece, n;

	sse_start(&sse);
	while (have < s.n) {
		piece = step > 0 ? step : 1 + util_random(&seed) % 16;
		have += piece < s.n - have ? piece : s.n - have;
		while ((n = sse_next(&sse, s.p + taken, have - taken,
		    &e)) > 0) {
			must(e.raw.p == s.p + taken && e.raw.n == n);
			check_event(out, &e);
			taken += n;
		}
		must(taken <= have && sse.seen <= have - taken);
	}
	while ((n = sse_last(&sse, s.p + taken, have - taken, &e)) > 0) {
		must(e.raw.p == s.p + taken && e.raw.n == n);
		check_event(out, &e);
		taken += n;
	}
	must(taken == s.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, pieces;
	struct str s;

	if (size == 0)
		return 0;
	s = str_n((const char *)data + 1, size - 1);
	buf_init(&whole, ROOM);
	buf_init(&pieces, ROOM);
	split(s, s.n + 1, 0, &whole);
	split(s, 1, 0, &pieces);
	must(!whole.bad && str_eq(buf_str(&whole), buf_str(&pieces)));
	buf_clear(&pieces);
	split(s, 0, data[0], &pieces);
	must(str_eq(buf_str(&whole), buf_str(&pieces)));
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
