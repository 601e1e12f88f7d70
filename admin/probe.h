#ifndef ADMIN_PROBE_H
#define ADMIN_PROBE_H

/*
 * `-t --probe`: resolves, connects to and shakes hands with each backend
 * and asks HEAD / without any key: never a paid call.
 */

#include "base/buf.h"
#include "relay/target.h"
#include "relay/upstream.h"

/*
 * Probes all targets at once and adds a line for each to out.  Runs the
 * loop until all have ended.  Returns how many could not be reached.
 */
unsigned probe_all(struct generation *g, struct upstream_env *env,
    struct buf *out);

#endif
