#ifndef DIALECT_GEMINI_PARTS_H
#define DIALECT_GEMINI_PARTS_H

/*
 * What Gemini's requests say: their members under either name, and the parts
 * of their contents.  Pure.
 */

#include "dialect/message.h"

/*
 * Google's REST takes members as "systemInstruction" and as
 * "system_instruction": a member by the first form of its name or, if it is
 * absent (or null), by the second.  NULL: neither is there.
 */
struct node *gemini_parts_get(const struct node *n, const char *camel);

/* 1 if the name of the member n is one of the two. */
int gemini_parts_key_is(const struct node *n, const char *camel);

/* Such a member, a string, as plain text; p NULL if it is none. */
struct str gemini_parts_plain(struct arena *a, const struct node *n,
    const char *camel);

/* s in lower case (ASCII), in the arena; "" if that is bad. */
struct str gemini_parts_lower(struct arena *a, struct str s);

/*
 * D-G1: the texts of a systemInstruction (NULL: none) at the end of
 * r->system; blank ones are skipped.  0; -1: the arena is bad.
 */
int gemini_parts_system(struct msg_request *r, const struct node *system);

/*
 * D-G1, D-G2, ID-3: contents, a list or one object, as r->turns.  A response
 * belongs to the earliest open call of its id, else of its name; calls are
 * open until the model speaks again.  0; -1 with f filled or the arena bad.
 */
int gemini_parts_contents(struct msg_request *r, const struct node *contents,
    struct msg_fault *f);

#endif
