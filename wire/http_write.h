#ifndef WIRE_HTTP_WRITE_H
#define WIRE_HTTP_WRITE_H

/* Heads and chunks of HTTP/1.1 messages as they go out.  Pure. */

#include "base/buf.h"
#include "base/util.h"

/* The usual reason phrase; "" for statuses that we do not know. */
const char *http_reason(int status);

/* "HTTP/1.1 200 OK\r\n" */
int http_write_status(struct buf *out, int status);

/*
 * "name: value\r\n".  A name that is empty or has a blank or ':', and a
 * control character in either, are not written: -1 with bad set.
 */
int http_write_field(struct buf *out, const char *name, struct str value);
int http_write_fieldu(struct buf *out, const char *name, uint64_t value);

/*
 * The size line of a chunk of n bytes ("1a\r\n") into at; returns its
 * length.  After the n bytes of data comes "\r\n"; the last chunk is
 * "0\r\n\r\n".
 */
#define HTTP_CHUNK_HEAD 20
size_t http_chunk_head(char at[HTTP_CHUNK_HEAD], uint64_t n);

#endif
