#ifndef DIALECT_RESPONSES_H
#define DIALECT_RESPONSES_H

/*
 * OpenAI Responses (POST /v1/responses).  Pure.
 * A row of the table in dialect.c; the same functions as its sisters.
 */

#include "base/buf.h"
#include "base/util.h"
#include "dialect/dialect.h"

/*
 * Adds an error body; 0, or -1 if out is full:
 * As openai_error_body(): the two APIs share their errors.
 */
int responses_error_body(struct buf *out, int status, struct str message,
    struct str request_id);

/*
 * Adds what ends a broken stream; 0, or -1 if out is full:
 * "event: error" with code, message and param both at the top, as the API
 * reference has them, and in an object "error", as the service sends them.
 * sequence_number is 0: what passed before was not numbered by us.
 */
int responses_error_event(struct buf *out, const struct dialect_call *c,
    int status, struct str message);

/*
 * Judges one event with data that is not empty.
 * Rules: dialect_event() in dialect/dialect.h.  An event whose data has no
 * "type" goes by its event: line.  response.completed and .incomplete are
 * SIGN_END with a stop, which is the reason in incomplete_details, else the
 * status of the response.
 * Sets *stop to the raw string of a stop reason (never an empty one) and
 * *usage to the raw object with the counters, if the event has them; both
 * point into data or are static.  SIGN_INVALID: data is no JSON object.
 */
enum dialect_sign responses_event(struct str name, struct str data,
    struct str *stop, struct str *usage);

/*
 * Judges a plain answer: SIGN_CONTENT, SIGN_ERROR, or SIGN_INVALID if body
 * is no JSON object.  *stop and *usage as above.
 * A response object: status "failed" or an error that is not null is
 * SIGN_ERROR; stop as above.
 */
enum dialect_sign responses_answer(struct str body, struct str *stop,
    struct str *usage);

#endif
