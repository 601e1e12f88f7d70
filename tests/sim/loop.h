#ifndef TESTS_SIM_LOOP_H
#define TESTS_SIM_LOOP_H

/* What the simulation asks of its own loop beyond net/loop.h. */

#include "net/loop.h"

/* 1 if the last turn found nothing to do, now or ever. */
int sim_loop_dead(const struct loop *lp);

#endif
