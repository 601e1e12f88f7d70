#ifndef RELAY_CHECK_H
#define RELAY_CHECK_H

/*
 * Active health checks: asks backends that are down whether they are back,
 * with a GET that costs nothing.  What is up is never asked.
 */

#include "relay/target.h"
#include "relay/upstream.h"

struct checks;

/*
 * Starts to check the backends of a generation (borrowed: stop them before
 * it is freed).  NULL if health_check is off, or memory is short.
 */
struct checks *checks_start(struct generation *g, struct upstream_env *env);

/* Ends them; NULL is fine. */
void checks_stop(struct checks *c);

#endif
