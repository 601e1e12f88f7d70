#ifndef DIALECT_ANTHROPIC_REQUEST_H
#define DIALECT_ANTHROPIC_REQUEST_H

/*
 * Requests of Anthropic Messages: read into the neutral form,
 * written from it (dialect/anthropic_write.h), and cleaned on their way to a
 * backend of the same API (dialect/anthropic_clean.h).  Pure.  The same
 * functions as its sisters; a row of the table in dialect/translate.c.
 */

#include "dialect/anthropic_clean.h"
#include "dialect/anthropic_write.h"
#include "dialect/message.h"

/*
 * D-A: fills r (zeroed; arena and notes set) from the client's body.  call:
 * what the path told.  Returns 0, or -1 with f filled (a 400) or the arena
 * bad.
 */
int anthropic_read_request(struct msg_request *r, const struct node *body,
    const struct dialect_call *call, struct msg_fault *f);

#endif
