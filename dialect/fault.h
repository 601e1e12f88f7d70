#ifndef DIALECT_FAULT_H
#define DIALECT_FAULT_H

/*
 * Errors from one API to another (translation.md 10): an upstream's error
 * read as a class and a message, and both written as the client's API says
 * it.  Pure.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/dialect.h"
#include "dialect/message.h"

struct fault {
	enum msg_class class;
	struct str message;	/* text; never empty */
	uint64_t retry_s;	/* seconds to wait, 0: not told */
};

/*
 * Reads an error answer.  retry_after: that header's value, "" if absent
 * (only whole seconds are taken); Gemini's retryDelay else, rounded up.
 * A status below 400 (an error object under 200) goes by the body alone.
 * secret: a credential to be taken out of the message ("" none); URLs, and
 * words that look like keys (sk-..., AIza...), are taken out too.
 */
void fault_read(struct fault *f, struct arena *a, enum dialect upstream,
    int status, struct str retry_after, struct str body, struct str secret);

/* The same for an error event of a stream: data is the whole object. */
void fault_event(struct fault *f, struct arena *a, enum dialect upstream,
    const struct node *data, struct str secret);

/*
 * A message (text) without the secret, URLs and words that look like keys;
 * never empty.
 */
struct str fault_clean(struct arena *a, struct str text, struct str secret);

/* A fault of our own: class and a plain message. */
void fault_own(struct fault *f, struct arena *a, enum msg_class class,
    struct str message);

/* The status for a client of that dialect. */
int fault_status(enum msg_class class, enum dialect client);

/* 1 if "x-should-retry: false" belongs to it. */
int fault_final(enum msg_class class, enum dialect client);

/*
 * Adds the body of an error answer.  param: the field at fault, for OpenAI's
 * "param" ("" null); request_id: plain, for Anthropic's.
 */
int fault_body(struct buf *out, enum dialect client, const struct fault *f,
    struct str param, struct str request_id);

/*
 * Adds what ends a stream of that dialect: Anthropic's error event, OpenAI's
 * and Gemini's data: chunk (Responses' own file writes response.failed).
 */
int fault_stream(struct buf *out, enum dialect client, const struct fault *f);

#endif
