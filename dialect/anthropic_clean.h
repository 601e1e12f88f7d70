#ifndef DIALECT_ANTHROPIC_CLEAN_H
#define DIALECT_ANTHROPIC_CLEAN_H

/*
 * A request of Anthropic Messages on its way to a backend of the same API,
 * after turns that another vendor's backend answered.  Pure.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/util.h"

/*
 * 3.8: adds text (a request of this API) without what another vendor's
 * backend left in it.  model: plain, as the backend calls it.  text is
 * parsed only if a look at its bytes finds something that could have to go.
 * Returns 1; 0 if there is nothing to remove, or text is no JSON (nothing is
 * added); -1 when out of memory.  Bytes that need no change stay as they are.
 * Of Claude, manual thinking is switched off where the midst of a tool loop
 * would lack its block.
 */
int anthropic_clean(struct buf *out, struct arena *a, struct str text,
    struct str model);

#endif
