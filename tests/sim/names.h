#ifndef TESTS_SIM_NAMES_H
#define TESTS_SIM_NAMES_H

/*
 * The name server of the simulation.  "bK.sim" has the addresses 10.K.1.1,
 * 10.K.2.1 ... as many as the plan says, by A queries alone.
 */

#include "tests/sim/wire.h"

/* A query came: its answer will be in d, or not. */
void names_ask(struct datagram *d, const void *query, size_t n);

#endif
