#ifndef DIALECT_ANTHROPIC_ANSWER_H
#define DIALECT_ANTHROPIC_ANSWER_H

/*
 * Answers of Anthropic Messages, whole and as streams: read into
 * events, written from them.  Pure.  The same functions as its sisters; a
 * row of the table in dialect/translate.c.
 */

#include "dialect/message.h"

/*
 * A reader of one stream.  The sink is copied; what it points to must live
 * as long.  NULL: out of memory.
 */
void *anthropic_reader_new(const struct msg_sink *sink);
void anthropic_reader_free(void *reader);

/*
 * Takes one event of the stream: its name ("" if none) and data (not empty).
 * All that it means is given to the sink before this returns.  After
 * MSG_ERROR or MSG_END further events are ignored.
 */
void anthropic_read_event(void *reader, struct str name, struct str data);

/*
 * The stream is over: brings what is left and MSG_END, or MSG_ERROR if it
 * ended before its time ("Upstream stream ended before completion").
 */
void anthropic_read_end(void *reader);

/* A whole answer as the same events; MSG_ERROR if it is none. */
void anthropic_read_answer(const struct msg_sink *sink, struct str body);

/* A writer of one stream for a client. */
void *anthropic_writer_new(const struct msg_context *c);
void anthropic_writer_free(void *writer);

/*
 * Adds what one event means to the client's stream, complete events only.
 * MSG_ERROR writes the error in a stream's form.  -1: out is full or memory
 * ran out.
 */
int anthropic_write_event(void *writer, const struct msg_event *e,
    struct buf *out);

/* Adds a whole answer (not a failed one). */
int anthropic_write_answer(struct buf *out, const struct msg_context *c,
    const struct msg_gather *g);

/* Adds what keeps a waiting client alive; nothing if the API has nothing. */
int anthropic_write_ping(struct buf *out);

#endif
