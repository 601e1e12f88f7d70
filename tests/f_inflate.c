/*
 * The first byte chooses the kind and the sizes of pieces, the rest is the
 * stream: what comes out must be the same whole, byte by byte and in those
 * pieces, and never be more than was allowed.
 */

#include "base/inflate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/*
 * Adds to out what comes of the stream in pieces of step bytes, room bytes a
 * call (0: both of sizes by seed), then how it ended.
 */
static void
split(enum inflate_kind kind, struct str s, size_t step, size_t room,
    uint64_t seed, struct buf *out)
{
	struct inflate *z = inflate_new(kind, MOST);
	enum inflate_rc rc;
	size_t off = 0, had, used, most, n;

	if (z == NULL)
		exit(0);
	do {
		n = step > 0 ? step : util_random(&seed) % 20;
		if (n > s.n - off)
			n = s.n - off;
		most = room > 0 ? room : util_random(&seed) % 400;
		had = out->len;
		rc = inflate_feed(z, s.p + off, n, &used, out, most);
		must(used <= n && out->len - had <= most);
		must(rc != INFLATE_FULL || out->len - had == most);
		must(rc != INFLATE_MORE || used == n);
		off += used;
	} while (rc == INFLATE_FULL || (off < s.n && rc != INFLATE_BAD &&
	    (rc != INFLATE_DONE || used == n)));
	must(out->len <= MOST && !out->bad);
	if (rc != INFLATE_BAD) {
		buf_addu(out, off);
		must((inflate_end_of_input(z) == INFLATE_DONE) ==
		    (rc == INFLATE_DONE));
	}
	buf_adds(out, inflate_why(z));
	inflate_free(z);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum inflate_kind kind;
	struct buf whole, pieces;
	struct str s;

	if (size == 0)
		return 0;
	kind = (enum inflate_kind)(data[0] & 3);
	s = str_n((const char *)data + 1, size - 1);
	buf_init(&whole, 2 * MOST);
	buf_init(&pieces, 2 * MOST);
	split(kind, s, s.n + 1, 2 * MOST, 0, &whole);
	split(kind, s, 1, 2 * MOST, 0, &pieces);
	must(str_eq(buf_str(&whole), buf_str(&pieces)));
	buf_clear(&pieces);
	split(kind, s, 0, 0, data[0], &pieces);
	must(str_eq(buf_str(&whole), buf_str(&pieces)));
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
