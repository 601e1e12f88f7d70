#ifndef DIALECT_OPENAI_PARTS_H
#define DIALECT_OPENAI_PARTS_H

/*
 * The content of OpenAI's chat messages: a string, or a list of parts (text,
 * image_url, input_audio, file, refusal).  Pure.
 */

#include "dialect/message.h"

/* What a message of a role may hold beside text. */
enum openai_parts {
	OPENAI_PARTS_TEXT,	/* system */
	OPENAI_PARTS_REFUSAL,	/* assistant: refusals, read as text */
	OPENAI_PARTS_MEDIA	/* user and tool */
};

/*
 * D-O3: adds the parts of a content to a list.  NULL and empty texts add
 * nothing.  where: the field, such as "messages[2].content".  Returns 0;
 * -1 with f filled, or the arena bad.
 */
int openai_parts_read(struct msg_request *r, struct msg_part **list,
    const struct node *content, enum openai_parts allowed, const char *where,
    struct msg_fault *f);

/*
 * E-O4: adds one TEXT, IMAGE, DOC or AUDIO as an element of a content.
 * a: for what is made on the way; bad if out of memory.  Returns 0; -1 with
 * f filled: it has no form here.
 */
int openai_parts_write(struct buf *out, struct arena *a,
    const struct msg_part *p, struct msg_fault *f);

#endif
