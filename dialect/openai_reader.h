#ifndef DIALECT_OPENAI_READER_H
#define DIALECT_OPENAI_READER_H

/*
 * Answers of OpenAI Chat Completions, whole and as streams, read into
 * events.  Pure.  The reading half of dialect/openai_answer.h.
 */

#include "dialect/message.h"

/* More choices than that in one answer are an error. */
#define OPENAI_CHOICES_MAX 128

/*
 * A reader of one stream.  The sink is copied; what it points to must live
 * as long.  NULL: out of memory.
 */
void *openai_reader_new(const struct msg_sink *sink);
void openai_reader_free(void *reader);

/*
 * Takes one event of the stream: its name ("" if none) and data (not empty).
 * All that it means is given to the sink before this returns.  After
 * MSG_ERROR or MSG_END further events are ignored.
 */
void openai_read_event(void *reader, struct str name, struct str data);

/*
 * The stream is over: brings what is left and MSG_END, or MSG_ERROR if it
 * ended before its time ("Upstream stream ended before completion").
 */
void openai_read_end(void *reader);

/* A whole answer as the same events; MSG_ERROR if it is none. */
void openai_read_answer(const struct msg_sink *sink, struct str body);

#endif
