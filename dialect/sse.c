#include "dialect/sse.h"

#include <string.h>

#include "base/scan.h"

#define BOM "\xef\xbb\xbf"
#define BOM_SIZE 3

void
sse_start(struct sse *s)
{
	memset(s, 0, sizeof *s);
}

/*
 * The first CR or LF from i on; n if there is none.  i is beyond n where the
 * owner has thrown away what it held.
 */
static size_t
line_end(const char *p, size_t n, size_t i)
{
	return i < n ? i + scan_line(p + i, n - i) : n;
}

/* Where the line after the one that ends at i starts. */
static size_t
next_line(const char *p, size_t n, size_t i)
{
	if (i == n)
		return n;
	return i + 1 < n && p[i] == '\r' && p[i + 1] == '\n' ? i + 2 : i + 1;
}

/*
 * The value of a field if the line p[i..end) is that field; "" at the end
 * of the line if it has no colon.  0 if the line is another one.
 */
static int
field(const char *p, size_t i, size_t end, const char *name, struct str *v)
{
	size_t len = strlen(name);

	if (end - i < len || p[i] != *name || memcmp(p + i, name, len) != 0)
		return 0;
	i += len;
	if (i < end && p[i] != ':')
		return 0;
	if (i < end)
		i++;
	if (i < end && p[i] == ' ')
		i++;
	*v = str_n(p + i, end - i);
	return 1;
}

/* Describes the block of n bytes whose first line starts at i. */
static void
describe(struct sse_event *e, const char *p, size_t n, size_t i)
{
	struct str v;
	size_t end;

	e->raw = str_n(p, n);
	e->name = e->data = str_n("", 0);
	e->lines = 0;
	for (; i < n; i = next_line(p, n, end)) {
		end = line_end(p, n, i);
		if (field(p, i, end, "event", &e->name))
			continue;
		if (field(p, i, end, "data", &v) && e->lines++ == 0)
			e->data = v;
	}
}

/* The length of a byte order mark at the start of the stream. */
static size_t
mark(const struct sse *s, const char *p, size_t n)
{
	return !s->started && n >= BOM_SIZE && memcmp(p, BOM, BOM_SIZE) == 0 ?
	    BOM_SIZE : 0;
}

static size_t
take(struct sse *s, const char *p, size_t n, struct sse_event *e)
{
	describe(e, p, n, mark(s, p, n));
	s->started = 1;
	s->seen = 0;
	return n;
}

/*
 * What ends a block must not depend on how the bytes arrived, and no event
 * may wait for the one after it.  So the CR of an empty line waits for its
 * LF, which a stream with CRLF is about to send; but after a line that
 * ended in a CR alone it ends the block at once.  Should an LF follow even
 * then, it becomes an empty block of its own, which means nothing.
 */
size_t
sse_next(struct sse *s, const char *p, size_t n, struct sse_event *e)
{
	size_t first = mark(s, p, n), i;
	char last;

	for (; (i = line_end(p, n, s->seen)) < n; s->seen = i + 1) {
		last = i == first ? '\n' : p[i - 1];
		if (last != '\n' && last != '\r')
			continue;
		if (p[i] == '\n' && last == '\n')
			return take(s, p, i + 1, e);
		if (p[i] == '\n')
			continue;	/* the second half of a CRLF */
		if (last == '\r')
			return take(s, p, i + 1, e);
		if (i + 1 == n)
			break;
		return take(s, p, next_line(p, n, i), e);
	}
	s->seen = i;
	return 0;
}

size_t
sse_last(struct sse *s, const char *p, size_t n, struct sse_event *e)
{
	size_t len = sse_next(s, p, n, e);

	return len > 0 || n == 0 ? len : take(s, p, n, e);
}

int
sse_data(struct buf *out, const struct sse_event *e)
{
	const char *p = e->raw.p;
	size_t n = e->raw.n, i;
	struct str v;
	unsigned left = e->lines;
	size_t end;

	if (left == 0)
		return out->bad ? -1 : 0;
	buf_addstr(out, e->data);
	end = (size_t)(e->data.p - p) + e->data.n;
	while (--left > 0) {
		do {
			i = next_line(p, n, end);
			end = line_end(p, n, i);
		} while (!field(p, i, end, "data", &v));
		buf_addc(out, '\n');
		buf_addstr(out, v);
	}
	return out->bad ? -1 : 0;
}
