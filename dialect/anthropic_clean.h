#ifndef DIALECT_ANTHROPIC_CLEAN_H
#define DIALECT_ANTHROPIC_CLEAN_H

/*
 * A request of Anthropic Messages on its way to a backend of the same API,
 * after turns that another vendor's backend answered.  Pure.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json_tree.h"

/*
 * 3.8: adds text (a request of this API) without what another vendor's
 * backend left in it.  body is its tree, or NULL: then text is parsed, but
 * only if a look at its bytes finds something that could have to go.
 * Returns 1; 0 if there is nothing to remove, or text is no JSON (nothing is
 * added); -1 when out of memory.  Bytes that need no change stay as they are.
 */
int anthropic_clean(struct buf *out, struct arena *a, struct str text,
    const struct node *body);

#endif
