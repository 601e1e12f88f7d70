#ifndef RELAY_OUTBOUND_H
#define RELAY_OUTBOUND_H

/*
 * The request of one attempt, as its backend gets it: the client's own, with
 * another model or without what other vendors left in it; or translated.
 * Made from the original for each attempt.  Does no I/O.
 */

#include "base/buf.h"
#include "dialect/translate.h"
#include "http.h"
#include "relay/route.h"
#include "relay/target.h"

/* What an attempt is made of; all borrowed. */
struct outbound_source {
	const struct route *route;
	const struct http_head *h;
	struct str body;
	struct str id;			/* of the request */
	int64_t wall_s;			/* seconds since 1970 */
	uint64_t *random;
};

struct outbound {
	struct translate *tr;		/* owned until it is taken; NULL: not
					   translated */
	struct dialect_call call;	/* what the backend is asked */
	enum dialect api;		/* in whose terms it answers */
	struct buf own;			/* owned: the body, if changed */
	struct str body;		/* in own, tr or the original */
	unsigned ready:1;		/* made, and not yet taken */
};

void outbound_init(struct outbound *o);
void outbound_free(struct outbound *o);

/*
 * Makes what a backend is to get.  0; 1: its API cannot say this (f tells);
 * -1: out of memory.
 */
int outbound_make(struct outbound *o, const struct outbound_source *s,
    const struct config_backend *b, struct msg_fault *f);

/*
 * The translator (NULL: none) becomes the caller's; the body stays where it
 * is.
 */
struct translate *outbound_take(struct outbound *o);

/* Adds the head for it.  0, or -1 (out is bad). */
int outbound_head(const struct outbound *o, const struct outbound_source *s,
    const struct config_backend *b, struct buf *out);

#endif
