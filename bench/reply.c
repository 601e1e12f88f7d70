#include "bench/reply.h"
#include "bench/talk.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STATUS, HEADER, BODY, SIZE, CHUNK, CHUNK_END, TRAILER, DONE };

#define STAMP_END	'~'		/* what follows the digits */

void
reply_begin(struct reply *r, const char *want, size_t want_length,
    const char *last, void (*event)(void *arg, uint64_t sent), void *arg)
{
	r->state = STATUS;
	r->left = 0;
	r->length_seen = r->chunked = 0;
	r->head.n = r->data.n = 0;
	r->want = want;
	r->want_length = want_length;
	r->last = last;
	r->event = event;
	r->arg = arg;
	r->status = r->close = 0;
	r->body = 0;
	r->events = r->texts = 0;
	r->complete = 0;
}

/*
 * Moves bytes from *p to the line. 1: the line is whole, without its end and
 * with a NUL; 0: no end of line up to e; -1: too long.
 */
static int
line_take(struct reply_line *l, const char **p, const char *e)
{
	const char *nl = memchr(*p, '\n', (size_t)(e - *p));
	size_t n = (size_t)((nl != NULL ? nl : e) - *p);

	if (n >= REPLY_LINE - l->n)
		return -1;
	memcpy(l->text + l->n, *p, n);
	l->n += n;
	*p += n;
	if (nl == NULL)
		return 0;
	(*p)++;
	if (l->n > 0 && l->text[l->n - 1] == '\r')
		l->n--;
	l->text[l->n] = '\0';
	return 1;
}

static const char *
header_value(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	return line + n + 1 + strspn(line + n + 1, " \t");
}

static int
take_header(struct reply *r)
{
	const char *line = r->head.text, *v;

	if (r->head.n == 0) {
		if (r->status / 100 == 1) {
			reply_begin(r, r->want, r->want_length, r->last,
			    r->event, r->arg);
			return 0;
		}
		if (r->chunked == r->length_seen)
			return -1;
		r->state = r->chunked ? SIZE : r->left > 0 ? BODY : DONE;
	} else if ((v = header_value(line, "content-length")) != NULL) {
		r->left = strtoul(v, NULL, 10);
		r->length_seen = 1;
	} else if ((v = header_value(line, "transfer-encoding")) != NULL) {
		r->chunked = strcasecmp(v, "chunked") == 0;
	} else if ((v = header_value(line, "connection")) != NULL) {
		r->close = strcasecmp(v, "close") == 0;
	}
	return 0;
}

/* A whole line of the head or of the chunk framing. */
static int
take_line(struct reply *r)
{
	char *end;

	switch (r->state) {
	case STATUS:
		if (strncmp(r->head.text, "HTTP/1.1 ", 9) != 0)
			return -1;
		r->status = atoi(r->head.text + 9);
		r->state = HEADER;
		return 0;
	case HEADER:
		return take_header(r);
	case SIZE:
		r->left = strtoul(r->head.text, &end, 16);
		if (end == r->head.text || (*end != '\0' && *end != ';'))
			return -1;
		r->state = r->left > 0 ? CHUNK : TRAILER;
		return 0;
	case CHUNK_END:
		r->state = SIZE;
		return r->head.n == 0 ? 0 : -1;
	default:
		if (r->head.n == 0)
			r->state = DONE;
		return 0;
	}
}

/* One line of an event stream. */
static void
take_event_line(struct reply *r)
{
	const struct reply_line *l = &r->data;
	const char *end;

	if (l->n == 0) {
		r->events++;
		return;
	}
	r->complete = strcmp(l->text, r->last) == 0;
	end = memchr(l->text, STAMP_END, l->n);
	if (end == NULL || end - l->text < TALK_STAMP)
		return;
	r->texts++;
	r->event(r->arg, (uint64_t)strtoull(end - TALK_STAMP, NULL, 10));
}

static int
take_body(struct reply *r, const char *p, size_t n)
{
	const char *e = p + n;
	int got;

	if (r->want != NULL && r->status == 200 &&
	    (n > r->want_length - r->body ||
	    memcmp(r->want + r->body, p, n) != 0))
		return -1;
	r->body += n;
	if (r->last == NULL)
		return 0;
	while (p < e) {
		if ((got = line_take(&r->data, &p, e)) == -1)
			return -1;
		if (got == 1) {
			take_event_line(r);
			r->data.n = 0;
		}
	}
	return 0;
}

int
reply_take(struct reply *r, const char *p, size_t n)
{
	const char *e = p + n;
	int got;

	while (p < e && r->state != DONE) {
		if (r->state == BODY || r->state == CHUNK) {
			n = (size_t)(e - p);
			if (n > r->left)
				n = r->left;
			if (take_body(r, p, n) == -1)
				return -1;
			p += n;
			if ((r->left -= n) == 0)
				r->state = r->state == BODY ? DONE : CHUNK_END;
			continue;
		}
		if ((got = line_take(&r->head, &p, e)) == -1)
			return -1;
		if (got == 1) {
			if (take_line(r) == -1)
				return -1;
			r->head.n = 0;
		}
	}
	if (r->state != DONE)
		return 0;
	return p == e ? 1 : -1;
}
