#ifndef TESTS_SIM_USER_H
#define TESTS_SIM_USER_H

/* The clients: they connect, send, read, wait, dawdle and leave. */

#include "tests/sim/plan.h"

/* One connection of a client, made from its plan. */
struct user {
	struct actor actor;
	struct wire *wire;
	const struct conn *conn;
	unsigned done;			/* answers that are complete */
	size_t sent, got;		/* bytes */
	uint64_t send_at, take_at, go_at;
	uint64_t left;			/* the turn in which it left, or 0 */
	uint64_t left_at;		/* ms */
	uint64_t seen;			/* bytes sent that were looked at */
	int ended;			/* the connection is over for it */
	int last;			/* an answer said it was the last */
	int stuck;			/* it reads no more */
	struct user *next;
};

/* Connects those of the plan when their time comes. */
void user_start(void);

/* The first of all; how many are not through yet. */
struct user *user_all(void);
unsigned user_open(void);

/* Looks at all that the proxy has sent so far: whose answer has begun? */
void user_look(struct user *u);

/* The client that sent a request. */
struct user *user_of(const struct request *r);

#endif
