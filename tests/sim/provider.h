#ifndef TESTS_SIM_PROVIDER_H
#define TESTS_SIM_PROVIDER_H

/* The backends: they take connections and requests, and answer by mood. */

#include "net/dns.h"
#include "tests/sim/plan.h"

/*
 * The proxy connects to an address.  0 with *w, connected or not yet; else
 * the error number that it is told at once.
 */
int provider_connect(const struct dns_addr *a, struct wire **w);

/* Forgets all connections: a schedule begins. */
void provider_start(void);

/*
 * Calls each(arg, r, w) for every connection with a request under way: the
 * answer is not all out, or not all of it taken.
 */
void provider_busy(void (*each)(void *, struct request *, struct wire *),
    void *arg);

#endif
