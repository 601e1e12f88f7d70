#ifndef DIALECT_RESPONSES_REQUEST_H
#define DIALECT_RESPONSES_REQUEST_H

/*
 * Requests of the OpenAI Responses API, read into the neutral form.  A
 * client's API only: there is nothing to write.  Pure.
 */

#include "dialect/message.h"

/*
 * Section 7: fills r (zeroed; arena and notes set) from the client's body, as
 * if it had been made an OpenAI Chat request first.  Returns 0, or -1 with f
 * filled (a 400) or the arena bad.
 */
int responses_read_request(struct msg_request *r, const struct node *body,
    const struct dialect_call *call, struct msg_fault *f);

#endif
