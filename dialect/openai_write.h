#ifndef DIALECT_OPENAI_WRITE_H
#define DIALECT_OPENAI_WRITE_H

/*
 * Requests of OpenAI Chat Completions, written from the neutral form.  Pure.
 * The writing half of dialect/openai_request.h.
 */

#include "dialect/message.h"
#include "dialect/profile.h"

/*
 * E-O: adds the body for a backend with that model and profile.  r is
 * normalized, its ids and names have the backend's shape; it may be changed
 * (it belongs to this one attempt).  Notes go to r->notes.
 * Returns 0, or -1 with f filled or out bad.
 */
int openai_write_request(struct buf *out, struct msg_request *r,
    const struct msg_target *t, const struct profile *p,
    struct msg_fault *f);

#endif
