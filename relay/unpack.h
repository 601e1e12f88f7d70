#ifndef RELAY_UNPACK_H
#define RELAY_UNPACK_H

/*
 * Compressed answers, unpacked as they arrive, where Spillway has to read
 * them although it asked for none (RFC 9110 8.4.1).  Pure.
 */

#include "base/buf.h"
#include "base/inflate.h"

/* One read may not become more than this: no answer packs so well. */
#define UNPACK_PIECE_MAX (4u << 20)

struct unpack {
	struct inflate *z;	/* owned; NULL: nothing to unpack */
	struct buf out;
};

/*
 * 1 if this is a coding that can be unpacked: gzip, x-gzip or deflate,
 * alone.
 */
int unpack_knows(struct str coding);

/* Starts; at most max bytes come out.  0, or -1: out of memory. */
int unpack_start(struct unpack *u, struct str coding, uint64_t max);
void unpack_free(struct unpack *u);

/*
 * Unpacks data; *plain holds what came of it until the next call.
 * NULL, or a sentence: the data is broken, or a bomb.
 */
const char *unpack_feed(struct unpack *u, struct str data,
    struct str *plain);

/* The body is over: NULL, or a sentence if it was cut short. */
const char *unpack_end(struct unpack *u);

#endif
