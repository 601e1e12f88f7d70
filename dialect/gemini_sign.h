#ifndef DIALECT_GEMINI_SIGN_H
#define DIALECT_GEMINI_SIGN_H

/*
 * Gemini's requests on their way to Gemini 3 or later, after turns that
 * another vendor's backend answered.  Pure.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/util.h"

/*
 * E-G3 for a client of the same API: adds text (a request) with the
 * placeholder as thoughtSignature of the first call of each of the model's
 * turns that has none: Gemini 3 refuses such a call, and calls of other
 * vendors have none.  Returns 1; 0 if none is missing, or text is no JSON
 * (nothing is added); -1 when out of memory.
 */
int gemini_sign(struct buf *out, struct arena *a, struct str text);

#endif
