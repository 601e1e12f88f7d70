#ifndef DIALECT_SCHEMA_H
#define DIALECT_SCHEMA_H

/*
 * JSON Schemas made fit for each provider (translation.md 2.1).  Each
 * function adds the new schema to out as a raw JSON value; keys and values
 * that stay are copied as they are.  A node of NULL counts as {}.
 * Returns 0; -1 if out is full or memory ran out.  Pure.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/schema_gemini.h"	/* S-G */
#include "wire/json_tree.h"

/* S-T: a tool's schema for Anthropic and OpenAI. */
int schema_tool(struct buf *out, struct arena *a, const struct node *s);

/* S-J: Gemini's Schema as JSON Schema. */
int schema_json(struct buf *out, struct arena *a, const struct node *s);

/* S-A: an output schema for Anthropic. */
int schema_output(struct buf *out, struct arena *a, const struct node *s);

/* S-S: 1 if OpenAI may be told "strict". */
int schema_strict(const struct node *s);

#endif
