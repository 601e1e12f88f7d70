#ifndef WIRE_HTTP_BODY_H
#define WIRE_HTTP_BODY_H

/*
 * Bodies of HTTP/1.1 messages as they come in (RFC 9112 6, 7).  Pure:
 * bytes in, slices of payload out.
 */

#include "http.h"

#define HTTP_CHUNK_LINE_MAX 4096
#define HTTP_TRAILER_MAX 16384

/* Reader of one body. */
struct http_body {
	enum http_framing framing;
	unsigned char state;
	unsigned char done;
	uint64_t left;		/* of the length, or of the chunk */
	uint64_t data;		/* payload bytes so far */
	uint64_t overhead;	/* chunk framing bytes so far */
	size_t line;		/* bytes of the current chunk line / trailers */
	const char *why;	/* after HTTP_BAD */
};

/* Starts to read the body that h announces. */
void http_body_start(struct http_body *b, const struct http_head *h);

/*
 * Looks at n more bytes of the stream.  *used: how many were consumed;
 * *data: the run of payload among them (points into p; may be empty).
 * HTTP_MORE: all n were consumed, or data is not empty and there may be
 * more: call again with the rest while *used < n.  HTTP_OK: the body is
 * complete, *data may hold its last run; bytes after *used belong to the
 * next message.  HTTP_BAD: the
 * chunked coding is broken (size not hex or above 2^60, line over 4096,
 * trailers over 16384, overhead above 8 times the data plus 64 KiB, a CR
 * without LF, bytes after a chunk); b->why says it.
 * Trailers are consumed and dropped.
 */
enum http_rc http_body_feed(struct http_body *b, const char *p, size_t n,
    size_t *used, struct str *data);

/*
 * The stream ended.  HTTP_OK if that completes the body (until close, or it
 * was complete), else HTTP_BAD.
 */
enum http_rc http_body_eof(struct http_body *b);

#endif
