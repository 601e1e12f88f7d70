#ifndef DIALECT_RESPONSES_ANSWER_H
#define DIALECT_RESPONSES_ANSWER_H

/*
 * Answers of the OpenAI Responses API, written for a client whole and as a
 * stream.  Pure.
 */

#include "dialect/message.h"

/* A writer of one stream for a client.  NULL: out of memory. */
void *responses_writer_new(const struct msg_context *c);
void responses_writer_free(void *writer);

/*
 * Adds what one event means to the client's stream, complete events only.
 * MSG_ERROR writes response.failed with the items that were finished.
 * -1: out is full or memory ran out.
 */
int responses_write_event(void *writer, const struct msg_event *e,
    struct buf *out);

/* Adds a whole answer (not a failed one). */
int responses_write_answer(struct buf *out, const struct msg_context *c,
    const struct msg_gather *g);

/* Adds what keeps a waiting client alive: a comment. */
int responses_write_ping(struct buf *out);

#endif
