#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * A queue of bytes that is born with a maximum.  Bytes are added at the end
 * and taken from the front.  Memory is taken when the first byte arrives.
 * Errors stick: once an addition did not fit or memory ran out, bad is set,
 * nothing is added any more, and a writer may check once at its end.
 */

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "base/util.h"

struct buf {
	unsigned char *p;	/* owned; NULL while empty */
	size_t off;		/* of the first byte that is held */
	size_t len;		/* bytes held */
	size_t cap;		/* bytes allocated at p */
	size_t max;		/* len never exceeds this */
	unsigned bad:1;
};

/* An empty queue for at most max bytes.  Takes no memory. */
void buf_init(struct buf *b, size_t max);

/* Gives the memory back; the queue is empty, not bad, and usable. */
void buf_free(struct buf *b);

/* The same, with the bytes overwritten first. */
void buf_wipe(struct buf *b);

/* Empties the queue, clears bad, keeps the memory. */
void buf_clear(struct buf *b);

/* The held bytes; valid until the next call that adds or frees. */
static inline struct str
buf_str(const struct buf *b)
{
	if (b->len == 0)
		return str_n("", 0);
	return str_n((const char *)b->p + b->off, b->len);
}

/* Drops n bytes (n <= len) from the front. */
void buf_take(struct buf *b, size_t n);

/* Drops bytes from the end until n (n <= len) are left. */
void buf_cut(struct buf *b, size_t n);

/* The part of buf_add() that makes room.  Not for others. */
int buf_add_slow(struct buf *b, const void *p, size_t n);

/* Adds n bytes.  Returns 0, or -1 with bad set. */
static inline int
buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || b->bad || n > b->cap - b->off - b->len ||
	    n > b->max - b->len)
		return buf_add_slow(b, p, n);
	memcpy(b->p + b->off + b->len, p, n);
	b->len += n;
	return 0;
}

static inline int
buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

static inline int
buf_addstr(struct buf *b, struct str s)
{
	return buf_add(b, s.p, s.n);
}

int buf_addc(struct buf *b, char c);
int buf_addu(struct buf *b, uint64_t n);	/* in decimal */

/* Adds text as printf would.  Slow: not for the path of every request. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int buf_fmt(struct buf *b, const char *fmt, ...);
int buf_vfmt(struct buf *b, const char *fmt, va_list ap);

/*
 * Room for at least n further bytes at the end, within max.  Returns a
 * pointer, with what is really free there in *room; NULL with bad set.
 * What was written there is added with buf_added().
 */
unsigned char *buf_room(struct buf *b, size_t n, size_t *room);
void buf_added(struct buf *b, size_t n);

/* Adds a NUL that is not counted, and returns the bytes as a C string. */
const char *buf_cstr(struct buf *b);

/* Bytes that all queues of the process hold allocated: the budget. */
size_t buf_live(void);

#endif
