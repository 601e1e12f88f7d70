#ifndef DIALECT_ITEMS_H
#define DIALECT_ITEMS_H

/*
 * The response object of the OpenAI Responses API and the items of its
 * output, for dialect/responses_answer.c (translation.md 7).  Every function
 * that takes out adds JSON to it; errors stick there.  Pure.
 */

#include "dialect/message.h"

#define ITEMS_MAX (64u << 20)	/* bytes of one answer's items */

/* What every response object of one answer says. */
struct items {
	const struct msg_context *c;	/* borrowed */
	struct arena arena;	/* for what is made of the answer: whoever
				   makes a stream resets it between items */
	struct buf id;		/* of the response, without "resp_" */
	struct buf before, after;	/* the echo, around "output" */
	struct buf list;	/* finished items, with commas between */
	unsigned n;		/* items begun */
};

/* Takes the echo from c->request.  items_bad(): it, or later work, failed. */
void items_init(struct items *o, const struct msg_context *c);
void items_free(struct items *o);
int items_bad(const struct items *o);

/* ID-4: sets the id, made of the upstream's. */
void items_name(struct items *o, struct str upstream);

/*
 * The response object with the finished items.  error and incomplete: raw
 * values; usage NULL: null.
 */
void items_object(struct buf *out, const struct items *o,
    const char *status, struct str error, const char *incomplete,
    const struct dialect_usage *usage);

/* The same for an answer that ended by itself. */
void items_final(struct buf *out, const struct items *o, enum msg_stop stop,
    const struct dialect_usage *usage);

/*
 * Item n of its kind.  text, args, input: texts; call_id, name, envelope:
 * plain.  envelope with p NULL: none.  content: raw parts with commas.
 */
void items_reasoning(struct buf *out, const struct items *o, unsigned n,
    struct str text, struct str envelope);
void items_message(struct buf *out, const struct items *o, unsigned n,
    const char *status, struct str content);
void items_function(struct buf *out, const struct items *o, unsigned n,
    const char *status, struct str call_id, struct str name,
    struct str args);
void items_custom(struct buf *out, const struct items *o, unsigned n,
    struct str call_id, struct str name, struct str input);

/* The id of item n, with quotes: prefix is "msg_" or another of 7. */
void items_id(struct buf *out, const struct items *o, const char *prefix,
    unsigned n);

/* Parts of a message.  annotations: raw ones with commas. */
void items_part_text(struct buf *out, struct str text,
    struct str annotations);
void items_part_refusal(struct buf *out, struct str text);

/* An annotation up to its place, which the caller adds with a "}". */
void items_cite(struct buf *out, struct str url, struct str title);

/* A further member, with the comma before it. */
void items_quoted(struct buf *out, const char *name, struct str plain);
void items_text(struct buf *out, const char *name, struct str text);
void items_number(struct buf *out, const char *name, uint64_t n);

/* The comma before a further element of a list that is not empty. */
void items_comma(struct buf *list);

/*
 * MARK: the envelope for Claude's own signature, or redacted data, plain;
 * p NULL for others.
 */
struct str items_seal(struct items *o, struct str signature,
    int redacted);

/* ID-1, ID-3: a call's id for the client. */
struct str items_call_id(struct items *o, struct str id,
    struct str signature);

/*
 * The text that a free-form tool is given.  args: raw; p NULL if the model
 * wrote something else than {"input":".."}.
 */
struct str items_custom_input(struct arena *a, struct str args);

#endif
