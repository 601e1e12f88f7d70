#include "wire/http_body.h"

#include <string.h>

#define CHUNK_MAX	((uint64_t)1 << 60)
#define OVERHEAD_FREE	65536
#define OVERHEAD_RATIO	8

/* What the next byte of a chunked body is, in the order of a chunk. */
enum {
	SIZE,			/* the first digit */
	DIGITS,
	BLANKS,			/* before an extension */
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	LINE,			/* the first of a trailer line */
	TRAILER,
	TRAILER_LF,
	LAST_LF,
	BROKEN
};

void
http_body_start(struct http_body *b, const struct http_head *h)
{
	memset(b, 0, sizeof *b);
	b->framing = h->framing;
	b->why = NULL;
	if (h->framing == HTTP_LENGTH)
		b->left = h->length;
	b->done = h->framing == HTTP_NO_BODY ||
	    (h->framing == HTTP_LENGTH && h->length == 0);
}

static int
broken(struct http_body *b, const char *why)
{
	b->state = BROKEN;
	b->why = why;
	return -1;
}

/* 1 for what a field value or a chunk extension may hold. */
static int
is_text(unsigned char c)
{
	return c >= ' ' ? c != 0x7f : c == '\t';
}

static unsigned
hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - (unsigned)'0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10 : 16;
}

/* A byte of the line before a chunk: size, extensions, CRLF. */
static int
size_step(struct http_body *b, unsigned char c)
{
	unsigned d;

	if (b->state <= DIGITS && (d = hex(c)) < 16) {
		if (b->left > (CHUNK_MAX - d) / 16)
			return broken(b, "a chunk is too large");
		b->left = b->left * 16 + d;
		b->state = DIGITS;
	} else if (b->state == SIZE) {
		return broken(b, "a chunk size is malformed");
	} else if (b->state == SIZE_LF) {
		if (c != '\n')
			return broken(b, "a CR stands alone");
		b->line = 0;
		b->state = b->left > 0 ? DATA : LINE;
	} else if (b->state == EXTENSION && is_text(c)) {
		return 0;
	} else if (c == ';') {
		b->state = EXTENSION;
	} else if (c == '\r' && b->state != BLANKS) {
		b->state = SIZE_LF;
	} else if ((c == ' ' || c == '\t') && b->state != EXTENSION) {
		b->state = BLANKS;
	} else {
		return broken(b, "a chunk size is malformed");
	}
	return 0;
}

/* A byte after the data of a chunk, or after the last chunk. */
static int
end_step(struct http_body *b, unsigned char c)
{
	switch (b->state) {
	case DATA_CR:
		if (c != '\r')
			return broken(b, "a chunk is longer than it says");
		b->state = DATA_LF;
		return 0;
	case LINE:
		if (c == '\r')
			b->state = LAST_LF;
		else if (is_text(c) && c != ' ' && c != '\t' && c != ':')
			b->state = TRAILER;
		else
			return broken(b, "a trailer is malformed");
		return 0;
	case TRAILER:
		if (c == '\r')
			b->state = TRAILER_LF;
		else if (!is_text(c))
			return broken(b, "a trailer is malformed");
		return 0;
	default:
		break;
	}
	if (c != '\n')
		return broken(b, "a CR stands alone");
	if (b->state == LAST_LF) {
		b->done = 1;
	} else if (b->state == TRAILER_LF) {
		b->state = LINE;
	} else {
		b->state = SIZE;
		b->line = 0;
	}
	return 0;
}

/* One byte that is not data. */
static int
step(struct http_body *b, unsigned char c)
{
	int before = b->state < DATA;

	b->overhead++;
	if (b->overhead > OVERHEAD_FREE &&
	    (b->overhead - OVERHEAD_FREE - 1) / OVERHEAD_RATIO >= b->data)
		return broken(b, "the body is mostly chunk framing");
	b->line++;
	if (before && b->line > HTTP_CHUNK_LINE_MAX)
		return broken(b, "a chunk extension is too long");
	if (b->line > HTTP_TRAILER_MAX)
		return broken(b, "the trailers are too long");
	return before ? size_step(b, c) : end_step(b, c);
}

/* The next run of data, which is not longer than what is left. */
static size_t
take(struct http_body *b, const char *p, size_t n, struct str *data)
{
	if (b->framing != HTTP_UNTIL_CLOSE) {
		if (n > b->left)
			n = (size_t)b->left;
		b->left -= n;
	}
	b->data += n;
	*data = str_n(p, n);
	return n;
}

static enum http_rc
feed_chunked(struct http_body *b, const char *p, size_t n, size_t *used,
    struct str *data)
{
	for (; *used < n; ++*used) {
		if (b->state == DATA) {
			*used += take(b, p + *used, n - *used, data);
			if (b->left == 0)
				b->state = DATA_CR;
			return HTTP_MORE;
		}
		if (step(b, (unsigned char)p[*used]) == -1)
			return HTTP_BAD;
		if (b->done) {
			++*used;
			return HTTP_OK;
		}
	}
	return HTTP_MORE;
}

enum http_rc
http_body_feed(struct http_body *b, const char *p, size_t n, size_t *used,
    struct str *data)
{
	*used = 0;
	*data = str_n(p, 0);
	if (b->state == BROKEN)
		return HTTP_BAD;
	if (b->done)
		return HTTP_OK;
	if (b->framing == HTTP_CHUNKED)
		return feed_chunked(b, p, n, used, data);
	*used = take(b, p, n, data);
	b->done = b->framing == HTTP_LENGTH && b->left == 0;
	return b->done ? HTTP_OK : HTTP_MORE;
}

enum http_rc
http_body_eof(struct http_body *b)
{
	if (b->state == BROKEN)
		return HTTP_BAD;
	if (b->framing == HTTP_UNTIL_CLOSE)
		b->done = 1;
	if (b->done)
		return HTTP_OK;
	broken(b, "the connection ended within the body");
	return HTTP_BAD;
}
