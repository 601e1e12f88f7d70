#ifndef BASE_INFLATE_H
#define BASE_INFLATE_H

/*
 * Decoder for gzip (RFC 1952), zlib (RFC 1950) and raw deflate (RFC 1951).
 * Pure, and resumable at any byte: what comes out does not depend on how
 * the input is cut.  All that can be decoded from the bytes fed so far is
 * given out at once, so a stream that is flushed by its sender is never
 * held back.  About 46 KB a decoder, taken at once and never more.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum inflate_kind {
	INFLATE_GZIP,		/* Content-Encoding gzip and x-gzip */
	INFLATE_ZLIB,
	INFLATE_RAW,
	/*
	 * Content-Encoding deflate: zlib (RFC 9110 8.4.1.2), but some send
	 * raw deflate.  The header of zlib decides: a raw stream that begins
	 * like one is a stored block with set padding bits, which no
	 * encoder writes.
	 */
	INFLATE_AUTO_DEFLATE
};

enum inflate_rc {
	INFLATE_MORE,		/* all input used; the stream goes on */
	INFLATE_FULL,		/* out_max reached and there is more to give */
	INFLATE_DONE,		/* the stream is complete and verified */
	INFLATE_BAD		/* for good; inflate_why() tells why */
};

struct inflate;

/*
 * A decoder that gives out at most max_out bytes in all; one more is
 * INFLATE_BAD.  NULL when out of memory.
 */
struct inflate *inflate_new(enum inflate_kind kind, uint64_t max_out);

/* z may be NULL. */
void inflate_free(struct inflate *z);

/*
 * Decodes from the n bytes at p, *used of which are done with, and adds at
 * most out_max bytes to out, also never more than out has room for.
 *
 * After INFLATE_FULL call again with the bytes that were not used, perhaps
 * none, and room.  INFLATE_DONE of gzip ends a member: further bytes may be
 * fed and begin another (RFC 1952 2.2).  Bytes that cannot are not used, and
 * nothing is from then on, as after the end of the other kinds; whether
 * such a tail matters is the caller's to judge.  What was decoded before a
 * fault has been given out; only INFLATE_DONE tells that the checksums are
 * right.  After INFLATE_BAD *used has no meaning.
 *
 * Refused besides wrong data: reserved header flags (RFC 1952 2.3.1.2), a
 * preset dictionary (RFC 1950 2.2), more than 286 length or 30 distance
 * codes, and incomplete sets of codes but for one code of one bit
 * (RFC 1951 3.2.7).
 */
enum inflate_rc inflate_feed(struct inflate *z, const char *p, size_t n,
    size_t *used, struct buf *out, size_t out_max);

/*
 * To be asked after the last INFLATE_MORE or INFLATE_DONE, when no more
 * input will come: INFLATE_DONE, or INFLATE_BAD if the stream was cut short,
 * which one of no bytes is too.
 */
enum inflate_rc inflate_end_of_input(struct inflate *z);

/* A constant phrase for the user; "" before INFLATE_BAD. */
const char *inflate_why(const struct inflate *z);

#endif
