#ifndef DIALECT_OPENAI_H
#define DIALECT_OPENAI_H

/*
 * OpenAI Chat Completions (POST /v1/chat/completions), also the judge of the
 * older /v1/completions and of embeddings.  Pure.
 * A row of the table in dialect.c; the same functions as its sisters.
 */

#include "base/buf.h"
#include "base/util.h"
#include "dialect/dialect.h"

/*
 * Adds an error body; 0, or -1 if out is full:
 * {"error":{"message":..,"type":..,"param":null,"code":..}}; code is null
 * where OpenAI has no word for the status.  request_id has no place in it.
 */
int openai_error_body(struct buf *out, int status, struct str message,
    struct str request_id);

/*
 * Adds what ends a broken stream; 0, or -1 if out is full:
 * "data: " and the same object; no [DONE] follows it.
 */
int openai_error_event(struct buf *out, const struct dialect_call *c,
    int status, struct str message);

/*
 * Judges one event with data that is not empty.
 * Rules: dialect_event() in dialect/dialect.h; "[DONE]" is not given to
 * this function.  name is not looked at.  One pass over data.
 * Sets *stop to the raw string of a stop reason (never an empty one) and
 * *usage to the raw object with the counters, if the event has them; both
 * point into data or are static.  SIGN_INVALID: data is no JSON object.
 */
enum dialect_sign openai_event(struct str name, struct str data,
    struct str *stop, struct str *usage);

/*
 * Judges a plain answer: SIGN_CONTENT, SIGN_ERROR, or SIGN_INVALID if body
 * is no JSON object.  *stop and *usage as above.
 * A completion: the finish_reason of the last choice that has one, usage.
 */
enum dialect_sign openai_answer(struct str body, struct str *stop,
    struct str *usage);

#endif
