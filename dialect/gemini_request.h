#ifndef DIALECT_GEMINI_REQUEST_H
#define DIALECT_GEMINI_REQUEST_H

/*
 * Requests of Gemini: read into the neutral form, written from it
 * (dialect/gemini_write.h), and cleaned on their way to a backend of the
 * same API.  Pure.  The same functions as its sisters; a row of the table in
 * dialect/translate.c.
 */

#include "dialect/gemini_write.h"
#include "dialect/message.h"

/*
 * D-G: fills r (zeroed; arena and notes set) from the client's body.  call:
 * what the path told; its model must live as long as r.  The body of
 * :countTokens is read as the request that it counts.  Members may be named
 * in either way that Google's REST takes (systemInstruction,
 * system_instruction).
 * Returns 0, or -1 with f filled (a 400) or the arena bad.
 */
int gemini_read_request(struct msg_request *r, const struct node *body,
    const struct dialect_call *call, struct msg_fault *f);

/*
 * 3.8: adds text (a request of this API) without what another vendor's
 * backend left in it.  model: plain, as the backend calls it.  text is
 * parsed only if a look at its bytes finds something that could have to go.
 * Returns 1; 0 if there is nothing to remove, or text is no JSON (nothing is
 * added); -1 when out of memory.  Bytes that need no change stay as they are.
 */
int gemini_clean(struct buf *out, struct arena *a, struct str text,
    struct str model);

#endif
