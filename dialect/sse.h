#ifndef DIALECT_SSE_H
#define DIALECT_SSE_H

/*
 * Event streams (HTML Living Standard, 9.2.6), split into events as bytes
 * arrive.  Pure; keeps no bytes: the caller holds what is not complete.
 */

#include "base/buf.h"
#include "base/util.h"

/* One block up to and with its empty line.  Slices point into the bytes. */
struct sse_event {
	struct str raw;		/* everything, comments and empty line too */
	struct str name;	/* of the last event: line; "" if none */
	struct str data;	/* of the first data: line */
	unsigned lines;		/* data: lines; above 1: sse_data() joins */
};

/* What the splitter must remember between calls. */
struct sse {
	unsigned started:1;	/* past the place of a byte order mark */
	size_t seen;		/* bytes already scanned for an end */
};

void sse_start(struct sse *s);

/*
 * Finds the first complete block in the n bytes at p (the caller's bytes
 * that were not taken yet).  Returns its length, with e filled; 0 if none
 * is complete.  LF, CRLF and CR end lines; a CR at the very end waits for
 * its LF only when the block is not over without it.
 */
size_t sse_next(struct sse *s, const char *p, size_t n, struct sse_event *e);

/*
 * The same for the rest at the end of the stream: what is left without an
 * empty line is taken as one block (the standard drops it; providers cut
 * the last empty line off).  0 if nothing is left.
 */
size_t sse_last(struct sse *s, const char *p, size_t n, struct sse_event *e);

/* Adds all data of an event, lines joined by LF. */
int sse_data(struct buf *out, const struct sse_event *e);

#endif
