#ifndef DIALECT_VALIDATE_H
#define DIALECT_VALIDATE_H

/*
 * Whether an answer keeps to the form of its API, judged event by event as
 * it comes (translation.md 1.1 to 1.4).  Two levels:
 *
 * Normal: what makes clients fail, or read something wrong without saying
 * so: data that is no JSON object of the API's, events out of order, a
 * delta or an end of a block that is not open, an index that is missing, a
 * delta of another kind than its block, a call without id or name
 * (Anthropic), arguments that are no string.  Not judged: members, events,
 * kinds of blocks and reasons to stop that are not known; null for what is
 * absent; the missing things that readers do without (translation.md 6,
 * clients.md 3): event: lines, usage, message_stop after a stop reason, the
 * content_block_stop of the last block, indexes that start at 1; with OpenAI
 * [DONE], role, ids, type and index of a call, the index of a choice, what
 * follows a finish_reason or [DONE], usage in any chunk; with Gemini index,
 * parts, role, a finishReason in every chunk.
 *
 * Strict: the exact grammar, with the types of the members that the API
 * promises.
 *
 * An error that the provider reports is no violation; what follows it is
 * judged by the strict level only.  Of Responses both levels look only for
 * JSON objects with a type.  Calls other than those that generate are never
 * at fault.  Pure; no memory is taken, but for an event of several data:
 * lines, which have to be joined.
 */

#include "base/util.h"
#include "dialect/dialect.h"
#include "dialect/judge.h"
#include "dialect/sse.h"

/*
 * struct validate is what is known of one answer.  Owned by the caller, a
 * plain value.  Its fields are this folder's own but for fault, the first
 * violation, and quiet and usage.
 */

/* Starts for the stream of an API (a backend's own) to an operation. */
void validate_start(struct validate *v, enum dialect d, enum dialect_op op,
    int strict);

/*
 * Judges the next event.  Returns NULL, or in a few words what is wrong
 * (a constant); once that has happened, that again for each event.
 * Sets v->quiet if the event is at most a further piece of content: no
 * error, reason to stop or end, and no usage but v->usage, a slice of it.
 * It need not be read by dialect_event() then, once there was content.
 */
const char *validate_event(struct validate *v, const struct sse_event *e);

/*
 * The same of an event's name ("" if none) and its joined data, or of one
 * element of Gemini's JSON array.  Empty data is no event.
 */
const char *validate_data(struct validate *v, struct str name,
    struct str data);

/*
 * The stream is over: NULL if it was complete, or ended by an error of the
 * provider's; else what is missing, or the first violation.
 */
const char *validate_end(const struct validate *v);

/*
 * Judges a whole plain answer (a 2xx body) in the same way.  Gemini's may be
 * an array: it is judged as the stream that it is.
 */
const char *validate_answer(enum dialect d, enum dialect_op op, int strict,
    struct str body);

#endif
