#ifndef DIALECT_OPENAI_ANSWER_H
#define DIALECT_OPENAI_ANSWER_H

/*
 * Answers of OpenAI Chat Completions, whole and as streams: read into
 * events (dialect/openai_reader.h), written from them.  Pure.  The same
 * functions as its sisters; a row of the table in dialect/translate.c.
 */

#include "dialect/message.h"
#include "dialect/openai_reader.h"

/* A writer of one stream for a client. */
void *openai_writer_new(const struct msg_context *c);
void openai_writer_free(void *writer);

/*
 * Adds what one event means to the client's stream, complete events only.
 * MSG_ERROR writes the error in a stream's form.  -1: out is full or memory
 * ran out.
 */
int openai_write_event(void *writer, const struct msg_event *e,
    struct buf *out);

/* Adds a whole answer (not a failed one). */
int openai_write_answer(struct buf *out, const struct msg_context *c,
    const struct msg_gather *g);

/* Adds what keeps a waiting client alive; nothing if the API has nothing. */
int openai_write_ping(struct buf *out);

#endif
