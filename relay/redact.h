#ifndef RELAY_REDACT_H
#define RELAY_REDACT_H

/*
 * Text of requests and answers as it may be kept: without the secrets of the
 * config and without the credentials that the client of the request showed.
 * A secret of 8 bytes or more is found wherever it stands, as it is, as JSON
 * may write it, and percent-encoded; a shorter one only where a name tells
 * that it is one.  Pure.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "config.h"
#include "http.h"

#define REDACT_FILTER	8192	/* bits */

struct redact_secret {
	struct str s;
	char *copy;		/* s.p, if it is one in copies; else NULL */
};

struct redact {
	struct redact_secret *secrets;	/* owned */
	size_t n, room;
	struct arena copies;
	unsigned char filter[REDACT_FILTER / 8];
	unsigned bad:1;
};

/*
 * Knows all secrets of cfg and the credentials in a client's head (NULL:
 * none), which must outlive it.  0, or -1: out of memory, and nothing may
 * be shown.
 */
int redact_init(struct redact *r, const struct config *cfg,
    const struct http_head *client);

/* The copies are overwritten. */
void redact_free(struct redact *r);

/*
 * Adds the first `show` bytes of s masked.  What stands behind them helps to
 * know a secret that the cut would part.  0, or -1 (out is bad).
 */
int redact_text(struct buf *out, const struct redact *r, struct str s,
    size_t show);

/* Adds the value of a header field of that name. */
int redact_field(struct buf *out, const struct redact *r, struct str name,
    struct str value);

/* Adds a request target: the values of keys in its query are masked. */
int redact_target(struct buf *out, const struct redact *r,
    struct str target);

/*
 * Masks a sentence in place, in an array of that size.  One that fills it was
 * cut: then what may be the front of a secret at its end goes as well.  Out
 * of memory it is empty.
 */
void redact_words(char *words, size_t size, const struct config *cfg,
    const struct http_head *client);

#endif
