#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 512

/* Every allocation of request bytes passes here, so one sum is enough. */
static size_t live;

void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof *b);
	b->max = max;
}

void
buf_free(struct buf *b)
{
	live -= b->cap;
	free(b->p);
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

struct str
buf_str(const struct buf *b)
{
	if (b->len == 0)
		return str_n("", 0);
	return str_n((const char *)b->p + b->off, b->len);
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
	if ((p = malloc(cap)) == NULL)
		return buf_fail(b);
	if (b->len > 0)
		memcpy(p, b->p + b->off, b->len);
	free(b->p);
	live += cap - b->cap;
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
buf_add(struct buf *b, const void *p, size_t n)
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
buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_addstr(struct buf *b, struct str s)
{
	return buf_add(b, s.p, s.n);
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
