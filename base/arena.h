#ifndef BASE_ARENA_H
#define BASE_ARENA_H

/*
 * Many small things that live and die together: taken in turn, freed all at
 * once, never moved.  Errors stick, as in buf: once memory ran out, bad is
 * set and every further call gives NULL, so that a builder may check once.
 */

#include <stddef.h>

#include "base/buf.h"
#include "base/util.h"

struct arena_block;

struct arena {
	struct arena_block *first;	/* owned; the one in use */
	size_t used;		/* bytes given out since the last reset */
	size_t max;		/* used never exceeds this */
	unsigned bad:1;
};

/* An empty arena for at most max bytes.  Takes no memory. */
void arena_init(struct arena *a, size_t max);

/* Gives everything back; empty, not bad, usable. */
void arena_free(struct arena *a);

/* Forgets everything but keeps one block to go on with; clears bad. */
void arena_reset(struct arena *a);

/* n zeroed bytes, aligned for any object; NULL with bad set. */
void *arena_alloc(struct arena *a, size_t n);

/*
 * A copy that lives in the arena; p NULL and bad set when there is no room.
 * An absent s (p NULL) stays absent.
 */
struct str arena_copy(struct arena *a, struct str s);

/*
 * Copies what b holds into the arena and empties b (memory and maximum
 * kept); a bad b makes the arena bad.
 */
struct str arena_take(struct arena *a, struct buf *b);

#endif
