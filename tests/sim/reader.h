#ifndef TESTS_SIM_READER_H
#define TESTS_SIM_READER_H

/*
 * A client's reader of HTTP answers: naive, and not the one under test.
 * Fed bytes, it tells after each whether an answer is complete.
 */

#include "tests/sim/world.h"

struct reader {
	/* of the answer at hand */
	struct bytes head;		/* until its empty line */
	struct bytes payload;
	int status;
	int in_body;
	int chunked, until_close;
	size_t left;			/* of the length, or of the chunk */
	int chunk;			/* where in a chunk */
	char line[64];
	size_t line_n;
	int close;			/* the connection ends with it */
	const char *bad;		/* it is no HTTP: a sentence */
	unsigned begun;			/* answers whose first byte came */
	unsigned interim;		/* 1xx before the answer at hand */
	int no_body;			/* given: the request was HEAD */
	int keeps;			/* given: the payload is wanted */
};

/* Gets ready for the next answer. */
void reader_next(struct reader *r);

/*
 * Takes bytes until an answer is complete.  1: it is, and *used bytes
 * belong to it; 0: more are needed; -1: r->bad.
 */
int reader_feed(struct reader *r, const unsigned char *p, size_t n,
    size_t *used);

/* The connection ended.  1: which ends the answer; 0: it is torn. */
int reader_eof(const struct reader *r);

/* The value of a field, "" if it is not there; counts how often it is. */
const char *reader_field(const struct reader *r, const char *name,
    unsigned *times);

#endif
