#include "tests/sim/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_CRLF, CHUNK_LAST };

void
reader_next(struct reader *r)
{
	unsigned begun = r->begun;
	int keeps = r->keeps;

	memset(r, 0, sizeof *r);
	r->begun = begun;
	r->keeps = keeps;
}

/* Lower case, as all names here are. */
static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

const char *
reader_field(const struct reader *r, const char *name, unsigned *times)
{
	static char value[8][200];
	static unsigned turn;
	char *v = value[turn++ % 8];
	size_t i, k, n = strlen(name);
	const unsigned char *p = r->head.p;

	*times = 0;
	*v = '\0';
	for (i = 0; i + 2 + n < r->head.n; i++) {
		if (p[i] != '\r' || p[i + 1] != '\n')
			continue;
		for (k = 0; k < n && lower(p[i + 2 + k]) == name[k]; k++)
			;
		if (k < n || p[i + 2 + n] != ':')
			continue;
		for (k = i + n + 3; p[k] == ' '; k++)
			;
		for (n = 0; p[k] != '\r' && n < sizeof value[0] - 1; n++)
			v[n] = (char)p[k++];
		v[n] = '\0';
		n = strlen(name);
		++*times;
	}
	return v;
}

static int
bad(struct reader *r, const char *why)
{
	r->bad = why;
	return -1;
}

/* The framing of the answer whose head is there.  1: it has no body. */
static int
head_read(struct reader *r)
{
	unsigned te, cl, n;
	const char *length;

	if (r->head.n < 16 || memcmp(r->head.p, "HTTP/1.1 ", 9) != 0)
		return bad(r, "no status line");
	r->status = atoi((const char *)r->head.p + 9);
	if (r->status < 100 || r->status > 599)
		return bad(r, "no status");
	if (r->status < 200) {
		r->interim++;
		r->head.n = 0;
		return 0;
	}
	r->close = strcmp(reader_field(r, "connection", &n), "close") == 0;
	r->chunked = strcmp(reader_field(r, "transfer-encoding", &te),
	    "chunked") == 0;
	length = reader_field(r, "content-length", &cl);
	if (te + cl > 1 || n > 1)
		return bad(r, "more than one length or connection field");
	if (r->no_body || r->status == 204 || r->status == 304)
		return 1;
	r->in_body = 1;
	if (te > 0 && !r->chunked)
		return bad(r, "a transfer coding other than chunked");
	if (cl > 0) {
		r->left = (size_t)strtoul(length, NULL, 10);
		return r->left == 0;
	}
	r->until_close = !r->chunked;
	return 0;
}

/* A line of the chunked coding; 1: that was the last one of all. */
static int
chunk_line(struct reader *r)
{
	char *end;

	r->line[r->line_n] = '\0';
	r->line_n = 0;
	if (r->chunk == CHUNK_CRLF) {
		if (r->line[0] != '\0')
			return bad(r, "no end of a chunk");
		r->chunk = CHUNK_SIZE;
		return 0;
	}
	if (r->chunk == CHUNK_LAST)
		return r->line[0] == '\0' ? 1 : bad(r, "a trailer");
	r->left = (size_t)strtoul(r->line, &end, 16);
	if (end == r->line || *end != '\0')
		return bad(r, "no chunk size");
	r->chunk = r->left > 0 ? CHUNK_DATA : CHUNK_LAST;
	return 0;
}

static int
line_byte(struct reader *r, unsigned char c)
{
	if (c == '\n' && r->line_n > 0 && r->line[r->line_n - 1] == '\r') {
		r->line_n--;
		return chunk_line(r);
	}
	if (r->line_n + 2 > sizeof r->line)
		return bad(r, "a long line in the chunked coding");
	r->line[r->line_n++] = (char)c;
	return 0;
}

static int
head_byte(struct reader *r, unsigned char c)
{
	if (r->head.n == 0 && r->interim == 0)
		r->begun++;
	bytes_add(&r->head, &c, 1);
	if (c != '\n' || r->head.n < 4 ||
	    memcmp(r->head.p + r->head.n - 4, "\r\n\r\n", 4) != 0)
		return r->head.n > 100000 ? bad(r, "an endless head") : 0;
	return head_read(r);
}

/* Bytes of the payload; 1: the answer is complete. */
static int
payload_take(struct reader *r, const unsigned char *p, size_t n,
    size_t *used)
{
	if (!r->until_close && n > r->left)
		n = r->left;
	if (r->keeps)
		bytes_add(&r->payload, p, n);
	*used += n;
	if (r->until_close)
		return 0;
	r->left -= n;
	if (r->left > 0)
		return 0;
	if (!r->chunked)
		return 1;
	r->chunk = CHUNK_CRLF;
	return 0;
}

int
reader_feed(struct reader *r, const unsigned char *p, size_t n, size_t *used)
{
	int rc = 0;

	*used = 0;
	while (rc == 0 && *used < n) {
		if (!r->in_body)
			rc = head_byte(r, p[(*used)++]);
		else if (r->chunked && r->chunk != CHUNK_DATA)
			rc = line_byte(r, p[(*used)++]);
		else
			rc = payload_take(r, p + *used, n - *used, used);
	}
	return rc;
}

int
reader_eof(const struct reader *r)
{
	return r->in_body && r->until_close;
}
