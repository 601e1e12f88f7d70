#ifndef DIALECT_ANTHROPIC_H
#define DIALECT_ANTHROPIC_H

/*
 * Anthropic Messages (POST /v1/messages).  Pure.
 * A row of the table in dialect.c; the same functions as its sisters.
 */

#include "base/buf.h"
#include "base/util.h"
#include "dialect/dialect.h"

/*
 * Adds an error body; 0, or -1 if out is full:
 * {"type":"error","error":{"type":..,"message":..},"request_id":..}; the
 * word in type belongs to the status (docs: API, Errors); request_id is null
 * if the slice is empty.
 */
int anthropic_error_body(struct buf *out, int status, struct str message,
    struct str request_id);

/*
 * Adds what ends a broken stream; 0, or -1 if out is full:
 * "event: error" and the same object without request_id.
 */
int anthropic_error_event(struct buf *out, const struct dialect_call *c,
    int status, struct str message);

/*
 * Judges one event with data that is not empty.
 * Rules: dialect_event() in dialect/dialect.h.  An event whose data has no
 * "type" goes by its event: line.  usage: of message_start (in its message)
 * or of message_delta.
 * Sets *stop to the raw string of a stop reason (never an empty one) and
 * *usage to the raw object with the counters, if the event has them; both
 * point into data or are static.  SIGN_INVALID: data is no JSON object.
 */
enum dialect_sign anthropic_event(struct str name, struct str data,
    struct str *stop, struct str *usage);

/*
 * Judges a plain answer: SIGN_CONTENT, SIGN_ERROR, or SIGN_INVALID if body
 * is no JSON object.  *stop and *usage as above.
 * A message: stop_reason and usage are at its top.
 */
enum dialect_sign anthropic_answer(struct str body, struct str *stop,
    struct str *usage);

#endif
