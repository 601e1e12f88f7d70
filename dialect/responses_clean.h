#ifndef DIALECT_RESPONSES_CLEAN_H
#define DIALECT_RESPONSES_CLEAN_H

/*
 * A request of OpenAI Responses on its way to a backend that has this API,
 * after turns that another vendor's backend answered.  Pure.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json_tree.h"

/*
 * 3.8 for this API: adds text (a request) without what
 * we put into items of another vendor: reasoning items that hold Claude's
 * signature in our envelope or nothing that OpenAI could read, and what the
 * ids of calls carry.  Results as anthropic_clean() (dialect/
 * anthropic_clean.h).
 */
int responses_clean(struct buf *out, struct arena *a, struct str text,
    struct str model);

#endif
