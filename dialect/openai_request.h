#ifndef DIALECT_OPENAI_REQUEST_H
#define DIALECT_OPENAI_REQUEST_H

/*
 * Requests of OpenAI Chat Completions: read into the neutral form,
 * written from it (dialect/openai_write.h), and cleaned on their way to a
 * backend of the same API.  Pure.  The same functions as its sisters; a row
 * of the table in dialect/translate.c.
 */

#include "dialect/message.h"
#include "dialect/openai_write.h"

/*
 * D-O: fills r (zeroed; arena and notes set) from the client's body.  call:
 * what the path told.  Returns 0, or -1 with f filled (a 400) or the arena
 * bad.
 */
int openai_read_request(struct msg_request *r, const struct node *body,
    const struct dialect_call *call, struct msg_fault *f);

/*
 * 3.8: adds text (a request of this API) without what another vendor's
 * backend left in it.  model: plain, as the backend calls it.  text is
 * parsed only if a look at its bytes finds something that could have to go.
 * Returns 1; 0 if there is nothing to remove, or text is no JSON (nothing is
 * added); -1 when out of memory.  Bytes that need no change stay as they are.
 */
int openai_clean(struct buf *out, struct arena *a, struct str text,
    struct str model);

#endif
