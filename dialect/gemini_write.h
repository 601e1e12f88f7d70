#ifndef DIALECT_GEMINI_WRITE_H
#define DIALECT_GEMINI_WRITE_H

/*
 * Requests of Gemini, written from the neutral form.  Pure.  The writing
 * half of dialect/gemini_request.h.
 */

#include "dialect/message.h"
#include "dialect/profile.h"

/*
 * E-G: adds the body for a backend with that model and profile.  r is
 * normalized, its ids and names have the backend's shape; it may be changed
 * (it belongs to this one attempt).  Notes go to r->notes.
 * With t->count the body is that of :countTokens.
 * Returns 0, or -1 with f filled or out or the arena bad.
 */
int gemini_write_request(struct buf *out, struct msg_request *r,
    const struct msg_target *t, const struct profile *p,
    struct msg_fault *f);

#endif
