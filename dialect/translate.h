#ifndef DIALECT_TRANSLATE_H
#define DIALECT_TRANSLATE_H

/*
 * One attempt in another language: the client's request written for a
 * backend of another API, and the answer brought back in the client's.  Made
 * anew from the original for each attempt.  Pure.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/dialect.h"
#include "dialect/fault.h"
#include "dialect/message.h"

#define TRANSLATE_BODY_MAX	(256u << 20)	/* of a written request */
#define TRANSLATE_ANSWER_MAX	(64u << 20)	/* of a whole answer */

struct translate_setup {
	const struct dialect_call *call;	/* what the client asks */
	struct str model;	/* plain: the client's name for it */
	struct str path_model;	/* plain: the same for Gemini's path */
	unsigned stream:1;	/* the client wants a stream */
	struct msg_target target;	/* the backend */
	int64_t created;	/* seconds since 1970, for answers */
	uint64_t *random;	/* borrowed: state of util_random() */
	struct str request_id;	/* plain: ours */
	struct str secret;	/* the backend's credential: never shown */
};

struct translate;

/*
 * Reads and writes the request (OP_GENERATE, OP_RESPONSES; OP_COUNT between
 * Anthropic and Gemini).  setup's slices and body must live as long as the
 * result.  NULL: with f filled, or f->why empty when out of memory.
 */
struct translate *translate_new(const struct translate_setup *setup,
    struct str body, struct msg_fault *f);
void translate_free(struct translate *t);

/*
 * The request: body, and path with query.  translate_sent() lets go of the
 * body once it is not needed any more (the answer needs neither).
 */
struct str translate_body(const struct translate *t);
struct str translate_path(const struct translate *t);
void translate_sent(struct translate *t);

/*
 * The codes of what was lost so far, joined by ", " (J-5); "" if nothing.
 * Valid until the next call.  translate_losses(): their number.
 */
struct str translate_notes(struct translate *t);
unsigned translate_losses(const struct translate *t);

/*
 * The answer, as a stream for a client that wants one: bytes of the
 * upstream's event stream (any cut), or of its whole JSON answer if plain is
 * set, which is written as a stream when it ends.  Adds to out what the
 * client is to see.  0; -1: out is full or memory ran out.
 */
int translate_feed(struct translate *t, struct str data, int plain,
    struct buf *out);

/*
 * The upstream's answer is complete.  Adds the rest of a stream; or the
 * whole answer for a client that wants no stream.  0; -1 as above.
 */
int translate_end(struct translate *t, struct buf *out);

/*
 * The upstream's answer broke off, or cannot be trusted: adds what tells a
 * client in the midst of a stream, unless it was told of an end before.
 */
int translate_break(struct translate *t, const char *why, struct buf *out);

/*
 * Whether the answer ended in an error so far; a stream has then been told
 * about it, a plain answer has been written as an error body.
 * status, set only then: for a plain answer, what its head must say.
 */
int translate_failed(const struct translate *t, int *status);

/* 1 once the end of the answer was read (message_stop and so on). */
int translate_ended(const struct translate *t);

/* Adds what keeps a waiting client of this stream alive, if there is. */
int translate_ping(struct translate *t, struct buf *out);

/* The answer to a count (OP_COUNT): -1 if body is none. */
int translate_count(struct translate *t, struct str body, struct buf *out);

/*
 * An upstream's error in the client's language: adds the body, sets the
 * status and the seconds for retry-after (0: none), and whether
 * x-should-retry: false belongs to it.
 */
int translate_error(struct translate *t, int status, struct str retry_after,
    struct str body, struct buf *out, int *client_status,
    uint64_t *retry_s, int *final);

/*
 * 3.8: what another vendor left in a request goes before a backend of the
 * same API sees it; calls get the signature without which it refuses them.
 * model: plain, the backend's name of it.  1: the new body was added to out;
 * 0: nothing to do; -1: out of memory.
 */
int translate_clean(struct buf *out, const struct dialect_call *call,
    struct str model, struct str body);

/* A local estimate of input tokens (section 11); -1: body is no request. */
int64_t translate_estimate(const struct dialect_call *call, struct str body);

#endif
