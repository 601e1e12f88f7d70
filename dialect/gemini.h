#ifndef DIALECT_GEMINI_H
#define DIALECT_GEMINI_H

/*
 * Google Gemini (POST ../models/M:generateContent).  Pure.
 * A row of the table in dialect.c; the same functions as its sisters.
 */

#include "base/buf.h"
#include "base/util.h"
#include "dialect/dialect.h"

/*
 * Adds an error body; 0, or -1 if out is full:
 * {"error":{"code":status,"message":..,"status":..}} with the word that
 * Google has for the status (google.rpc.Code, HTTP mapping).  request_id has
 * no place in it.
 */
int gemini_error_body(struct buf *out, int status, struct str message,
    struct str request_id);

/*
 * Adds what ends a broken stream; 0, or -1 if out is full:
 * "data: " and the same object, nothing else: this API has neither event:
 * lines nor comments.  In a stream that is a JSON array (c->json_array) it is
 * one more element and the end of the array, ",{..}]": elements went before
 * it, since a stream is only broken after its first content; and if the one
 * before was cut, the text is no valid array, which is the truth.
 */
int gemini_error_event(struct buf *out, const struct dialect_call *c,
    int status, struct str message);

/*
 * Judges one event with data that is not empty.
 * Rules: dialect_event() in dialect/dialect.h.  name is not looked at.  stop:
 * the finishReason of the last candidate that has one, or the blockReason
 * of the prompt.  An array counts as its elements, one after the other:
 * Google wraps errors in one now and then.
 * Sets *stop to the raw string of a stop reason (never an empty one) and
 * *usage to the raw object with the counters, if the event has them; both
 * point into data or are static.  SIGN_INVALID: data is no JSON object.
 */
enum dialect_sign gemini_event(struct str name, struct str data,
    struct str *stop, struct str *usage);

/*
 * Judges a plain answer: SIGN_CONTENT, SIGN_ERROR, or SIGN_INVALID if body
 * is no JSON object.  *stop and *usage as above.
 * A response, or the array of them that a stream without alt=sse is.
 */
enum dialect_sign gemini_answer(struct str body, struct str *stop,
    struct str *usage);

#endif
