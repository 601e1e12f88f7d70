#ifndef DIALECT_SCHEMA_GEMINI_H
#define DIALECT_SCHEMA_GEMINI_H

/*
 * S-G of translation.md 2.1: a JSON Schema in the form of Gemini's Schema
 * type, which knows only some of the keywords, no references and no lists of
 * types.  Adds the new schema to out as a raw JSON value.  A node of NULL
 * counts as {}.  Returns 0; -1 if out is full or memory ran out.  Pure.
 * What is nested more than some 480 levels deep in the result becomes a
 * string, and so does a $ref once 20000 nodes were expanded for others.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json_tree.h"

int schema_gemini(struct buf *out, struct arena *a, const struct node *s);

/*
 * The same for the parameters of a function: 1, nothing added: the result
 * would not be an object with properties, so that there are no parameters.
 */
int schema_gemini_tool(struct buf *out, struct arena *a,
    const struct node *s);

#endif
