#ifndef DIALECT_OPENAI_QUEUE_H
#define DIALECT_OPENAI_QUEUE_H

/*
 * The parts of one choice of an OpenAI answer, put in a row.  OpenAI's
 * pieces of tool calls may come interleaved; events of this house may not:
 * only the first part of the queue is open, pieces of the others wait
 * (translation.md 6, "From O").  Pure.
 */

#include <stddef.h>

#include "base/buf.h"
#include "dialect/message.h"

#define OPENAI_CALLS_MAX 1024	/* of one choice */
#define OPENAI_WAIT_MAX (16u << 20)	/* bytes that wait, of one choice */

struct openai_part;
struct openai_slot;

struct openai_queue {
	const struct msg_sink *sink;	/* borrowed */
	struct arena *arena;	/* borrowed: scratch of the present event */
	unsigned choice;
	struct openai_part *first, *last;	/* owned; first may be open */
	struct openai_slot *slots;	/* owned: calls by their index */
	unsigned slots_n;
	unsigned calls_n;	/* calls that were begun */
	size_t waiting;		/* bytes */
	unsigned called:1;	/* a call was brought to the sink */
	unsigned refused:1;	/* some text of a refusal was */
	unsigned finished:1;
};

/* A piece of a call, as it came.  p NULL: not told. */
struct openai_piece {
	uint64_t index;
	struct str id;		/* plain */
	struct str name;	/* plain */
	struct str args;	/* text: of arguments, or of the input */
	unsigned custom:1;
};

void openai_queue_start(struct openai_queue *q, const struct msg_sink *sink,
    struct arena *arena, unsigned choice);
void openai_queue_free(struct openai_queue *q);

/*
 * A piece of TEXT, THINK or REFUSAL (text), or of a call.  What can be told
 * is told to the sink.  After the finish: nothing happens.
 * Returns 0; -1 if too much waits, there are too many calls, or memory ran
 * out.
 */
int openai_queue_text(struct openai_queue *q, enum msg_kind kind,
    struct str text);
int openai_queue_call(struct openai_queue *q, const struct openai_piece *p);

/* Nothing more comes: brings all that waits and closes it. */
int openai_queue_finish(struct openai_queue *q);

#endif
