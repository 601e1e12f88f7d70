#ifndef DIALECT_GEMINI_CHUNK_H
#define DIALECT_GEMINI_CHUNK_H

/*
 * Answers of Gemini, written from events: chunks of a stream, and whole
 * ones.  Pure.  The writing half of dialect/gemini_answer.h.
 */

#include "dialect/message.h"

/*
 * A writer of one stream for a client; with c->json_array the chunks are the
 * elements of one JSON array instead of events.
 */
void *gemini_writer_new(const struct msg_context *c);
void gemini_writer_free(void *writer);

/*
 * Adds what one event means to the client's stream, complete events only.
 * MSG_ERROR writes the error in a stream's form (and closes the array).
 * -1: out is full or memory ran out.
 */
int gemini_write_event(void *writer, const struct msg_event *e,
    struct buf *out);

/* Adds a whole answer (not a failed one). */
int gemini_write_answer(struct buf *out, const struct msg_context *c,
    const struct msg_gather *g);

/* Adds nothing: Google's clients take no comments in a stream. */
int gemini_write_ping(struct buf *out);

#endif
