#ifndef DIALECT_GEMINI_ANSWER_H
#define DIALECT_GEMINI_ANSWER_H

/*
 * Answers of Gemini, whole and as streams: read into events, written from
 * them (dialect/gemini_chunk.h).  Pure.  The same functions as its sisters;
 * a row of the table in dialect/translate.c.
 */

#include "dialect/gemini_chunk.h"
#include "dialect/message.h"

/*
 * A reader of one stream.  The sink is copied; what it points to must live
 * as long.  NULL: out of memory.
 */
void *gemini_reader_new(const struct msg_sink *sink);
void gemini_reader_free(void *reader);

/*
 * Takes one event of the stream: its name ("" if none) and data (not empty).
 * All that it means is given to the sink before this returns; the first one
 * that is no error begins with MSG_START.  After MSG_ERROR or MSG_END further
 * events are ignored.
 */
void gemini_read_event(void *reader, struct str name, struct str data);

/*
 * The stream is over: brings what is left and MSG_END, or MSG_ERROR if it
 * ended before its time ("Upstream stream ended before completion").
 */
void gemini_read_end(void *reader);

/*
 * A whole answer as the same events; MSG_ERROR if it is none.  A list of
 * chunks (a stream without alt=sse) is one answer.
 */
void gemini_read_answer(const struct msg_sink *sink, struct str body);

#endif
