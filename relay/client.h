#ifndef RELAY_CLIENT_H
#define RELAY_CLIENT_H

/*
 * One client connection: reads requests, has each served by an exchange,
 * writes the answers in order, keeps the connection alive, and bounds in
 * time and size what a client may do.  Owned by the list in client_env.
 */

#include "relay/exchange.h"
#include "relay/target.h"

struct checks;
struct client;

/* What all client connections of a process share. */
struct client_env {
	struct exchange_env ex;
	struct loop *loop;		/* borrowed */
	struct generation *gen;		/* a reference: for new requests */
	struct checks *checks;		/* owned: of gen's backends */
	struct client *list;		/* owned: all open connections */
	unsigned count;
	unsigned busy;			/* of them, with a request */
	unsigned draining:1;		/* answers say that they are the last */
	/*
	 * What is at `/`: GET, HEAD, and, with its body, what door_enters()
	 * lets in.  Adds complete fields (content-type among them) and the
	 * body of the answer; returns its status.  NULL: a plain line.
	 */
	int (*home)(void *arg, const struct http_head *h, struct str body,
	    struct buf *fields, struct buf *out);
	void *home_arg;			/* borrowed */
};

/* Takes an accepted descriptor.  0; -1: out of memory, it is closed. */
int client_open(struct client_env *env, int fd);

/* Puts a generation in service, taking the caller's reference. */
void client_generation(struct client_env *env, struct generation *g);

/* Idle connections close now, the others after their answer. */
void client_drain_all(struct client_env *env);

/* Closes everything at once.  Returns how many requests that cut. */
unsigned client_close_all(struct client_env *env);

#endif
