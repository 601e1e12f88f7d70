#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST	512
#define BUF_KEEP_MIN	16384	/* what a read asks for */
#define BUF_KEEP_MAX	(1u << 20)
#define BUF_SPARES	24
#define BUF_SPARE_BYTES	(1u << 20)

/* Every allocation of request bytes passes here, so one sum is enough. */
static size_t live;

/*
 * Large blocks come and go with each request.  A few are kept: giving them
 * back to the system would cost a page fault for every 4 KiB of the next.
 */
static struct {
	unsigned char *p;
	size_t cap;
} spares[BUF_SPARES];
static size_t nspares, spare_bytes;

static unsigned char *
block_take(size_t cap)
{
	unsigned char *p;
	size_t i;

	for (i = nspares; i-- > 0 && cap >= BUF_KEEP_MIN;)
		if (spares[i].cap == cap) {
			p = spares[i].p;
			spares[i] = spares[--nspares];
			spare_bytes -= cap;
			live += cap;
			return p;
		}
	if ((p = malloc(cap)) != NULL)
		live += cap;
	return p;
}

static void
block_give(unsigned char *p, size_t cap)
{
	live -= cap;
	if (cap < BUF_KEEP_MIN || cap > BUF_KEEP_MAX ||
	    nspares == BUF_SPARES || spare_bytes + cap > BUF_SPARE_BYTES) {
		free(p);
		return;
	}
	spares[nspares].p = p;
	spares[nspares++].cap = cap;
	spare_bytes += cap;
}

void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof *b);
	b->max = max;
}

void
buf_free(struct buf *b)
{
	if (b->p != NULL)
		block_give(b->p, b->cap);
	b->p = NULL;
	b->off = b->len = b->cap = 0;
	b->bad = 0;
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		util_wipe(b->p, b->cap);
	buf_free(b);
}

void
buf_clear(struct buf *b)
{
	b->off = b->len = 0;
	b->bad = 0;
}

void
buf_take(struct buf *b, size_t n)
{
	b->len -= n;
	b->off = b->len == 0 ? 0 : b->off + n;
}

void
buf_cut(struct buf *b, size_t n)
{
	b->len = n;
	if (n == 0)
		b->off = 0;
}

static int
buf_fail(struct buf *b)
{
	b->bad = 1;
	return -1;
}

/* Makes the allocation at least need bytes, the held ones at its start. */
static int
buf_grow(struct buf *b, size_t need)
{
	unsigned char *p;
	size_t cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;

	while (cap < need)
		cap = cap > b->max / 2 ? need : cap * 2;
	if ((p = block_take(cap)) == NULL)
		return buf_fail(b);
	if (b->len > 0)
		memcpy(p, b->p + b->off, b->len);
	if (b->p != NULL)
		block_give(b->p, b->cap);
	b->p = p;
	b->cap = cap;
	b->off = 0;
	return 0;
}

static int
buf_need(struct buf *b, size_t n)
{
	if (b->bad)
		return -1;
	if (n > b->max || b->len > b->max - n)
		return buf_fail(b);
	if (n <= b->cap - b->off - b->len)
		return 0;
	/* Moving is cheaper than growing once the gap is half of it. */
	if (b->len + n <= b->cap && b->off >= b->cap / 2) {
		memmove(b->p, b->p + b->off, b->len);
		b->off = 0;
		return 0;
	}
	return buf_grow(b, b->len + n);
}

int
buf_add_slow(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return b->bad ? -1 : 0;
	if (buf_need(b, n) == -1)
		return -1;
	memcpy(b->p + b->off + b->len, p, n);
	b->len += n;
	return 0;
}

int
buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int
buf_addu(struct buf *b, uint64_t n)
{
	char t[20];
	size_t i = sizeof t;

	do
		t[--i] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	return buf_add(b, t + i, sizeof t - i);
}

int
buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = buf_vfmt(b, fmt, ap);
	va_end(ap);
	return rc;
}

int
buf_vfmt(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || (size_t)n >= b->max)
		return buf_fail(b);
	if (buf_need(b, (size_t)n + 1) == -1)
		return -1;
	vsnprintf((char *)b->p + b->off + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
	return 0;
}

unsigned char *
buf_room(struct buf *b, size_t n, size_t *room)
{
	size_t have;

	if (buf_need(b, n) == -1)
		return NULL;
	have = b->cap - b->off - b->len;
	*room = have > b->max - b->len ? b->max - b->len : have;
	return b->p + b->off + b->len;
}

void
buf_added(struct buf *b, size_t n)
{
	b->len += n;
}

const char *
buf_cstr(struct buf *b)
{
	if (b->cap - b->off - b->len == 0 &&
	    buf_grow(b, b->len + 1) == -1)
		return "";
	b->p[b->off + b->len] = '\0';
	return (const char *)b->p + b->off;
}

size_t
buf_live(void)
{
	return live;
}
