#ifndef RELAY_FORWARD_H
#define RELAY_FORWARD_H

/*
 * The two heads as they travel: the client's request head made into the one
 * that a backend gets, and the backend's answer head made into field lines
 * for the client.  Pure.
 */

#include "base/buf.h"
#include "config.h"
#include "dialect/dialect.h"
#include "http.h"

/*
 * Adds the whole request head for a backend (spec 4.5): its path, Host,
 * credentials and headers; the client's fields without hop-by-hop ones,
 * credentials, Host, length and Expect; Accept-Encoding: identity if `read`
 * is set.  model: the name in a Gemini path, replaced if the backend has
 * another.  length: of the body; -1: the request had none.
 * Returns 0, or -1 (out is bad).
 */
int forward_request(struct buf *out, const struct http_head *h,
    const struct config_backend *b, const struct dialect_call *call,
    int read, int64_t length);

/*
 * Adds the whole head of a translated request (translation.md 9): the path
 * that the backend's API has for it, our credential in the backend's form
 * (under passthrough the client's, in that form), the backend's headers, and
 * of the client's fields its user-agent alone.
 */
int forward_translated(struct buf *out, const struct http_head *h,
    const struct config_backend *b, struct str path, int stream,
    int64_t length);

/*
 * Adds the head that asks for a backend's own list of models at path (with
 * query), with the same fields.
 */
int forward_list(struct buf *out, const struct http_head *h,
    const struct config_backend *b, struct str path);

/*
 * Adds the path and query that the backend sees: /v1/v1/ taken as /v1/, its
 * base path in front (a doubled version collapsed), path_prefix instead of
 * /v1, without the key parameter.
 */
int forward_target(struct buf *out, const struct http_head *h,
    const struct config_backend *b, const struct dialect_call *call);

/*
 * Adds the answer's field lines for the client, without hop-by-hop fields,
 * Content-Length, Content-Type and x-request-id and the x-spillway- ones;
 * unpacked: without Content-Encoding too.
 */
int forward_answer(struct buf *out, const struct http_head *h,
    int unpacked);

/* Adds "name: value" with every byte that is no visible ASCII as %XX. */
int forward_label(struct buf *out, const char *name, struct str value);

#endif
