#ifndef ADMIN_RECORD_H
#define ADMIN_RECORD_H

/* A record as a line of JSON, secrets masked.  Pure but for the time zone. */

#include "base/buf.h"
#include "relay/capture.h"

/* "2026-11-21" and more: local time as people read it. */
#define RECORD_DAY	11	/* bytes, the NUL too */

/* The local day of a time (ms since 1970). */
void record_day(char day[RECORD_DAY], int64_t wall_ms);

/*
 * Adds the record and a line feed.  Of each body at most `most` bytes.
 * 0, or -1: out of memory, and the line must not be used.
 * Members: number (first), timestamp (RFC 3339, local), request_id, attempt,
 * backend, method, path (as sent, with its query), status, duration_ms,
 * error, model, is_streaming, request_body_size, response_body_size, usage,
 * outcome, key, client, client_path, request_headers, request_body,
 * response_headers, response_body.  What there was not is null.  A body that
 * is no UTF-8 is "base64:" and its bytes in base64.
 */
int record_write(struct buf *out, const struct record *r, size_t most);

#endif
