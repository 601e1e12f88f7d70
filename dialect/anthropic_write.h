#ifndef DIALECT_ANTHROPIC_WRITE_H
#define DIALECT_ANTHROPIC_WRITE_H

/*
 * Requests of Anthropic Messages, written from the neutral form.  Pure.
 * The writing half of dialect/anthropic_request.h.
 */

#include "dialect/message.h"
#include "dialect/profile.h"

/*
 * E-A: adds the body for a backend with that model and profile.  r is
 * normalized, its ids and names have the backend's shape; it may be changed
 * (it belongs to this one attempt).  Notes go to r->notes.
 * With t->count the body asks for the number of tokens: nothing is in it
 * that count_tokens refuses.
 * Returns 0, or -1 with f filled or out or the arena bad.
 */
int anthropic_write_request(struct buf *out, struct msg_request *r,
    const struct msg_target *t, const struct profile *p,
    struct msg_fault *f);

#endif
