#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

/* The rules that must hold in every schedule. */

#include "failover.h"
#include "relay/access.h"
#include "tests/sim/reader.h"
#include "tests/sim/user.h"

/* The health of the backends, and when the proxy gave up by itself. */
struct check {
	struct failover *registry;
	struct access *access;
	int closing;		/* client_close_all() was called */
	int draining;
};
extern struct check check;

/* A request's first byte is sent: how are the backends? */
void check_begin(struct request *r);

/* What became of a request; a: what was read of its answer, or NULL. */
void check_answer(struct request *r, const struct user *u,
    const struct reader *a, enum outcome how);

/* After each turn. */
void check_turn(void);

/* When all is closed and freed. */
void check_end(void);

#endif
