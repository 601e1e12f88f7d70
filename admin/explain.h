#ifndef ADMIN_EXPLAIN_H
#define ADMIN_EXPLAIN_H

/*
 * `-t --model M --key NAME`: who would be tried for a model and an access
 * key, in order, and why the others would not.
 */

#include "base/buf.h"
#include "config.h"

/*
 * Adds the explanation to out, for each API that a client may speak.  model
 * may be "" (a request that names none); key: the NAME of an access key, or
 * p NULL.  Returns how many backends could serve it; -1 with a sentence in
 * out if there is no such key, or one is needed.
 */
int explain(const struct config *c, struct str model, struct str key,
    struct buf *out);

#endif
