#ifndef RELAY_EXCHANGE_H
#define RELAY_EXCHANGE_H

/*
 * One request on its way: candidates, attempts, replay, hold-back until the
 * commit, accounting.  Owned by the client connection that it came over;
 * owns the request (head and body) and borrows one upstream at a time.
 */

#include "base/buf.h"
#include "dialect/dialect.h"
#include "failover.h"
#include "http.h"
#include "net/loop.h"
#include "relay/access.h"
#include "relay/answer.h"
#include "relay/capture.h"
#include "relay/door.h"
#include "relay/reply.h"
#include "relay/stats.h"
#include "relay/target.h"
#include "relay/upstream.h"

#define EXCHANGE_HIGH	(256u << 10)	/* backlog: stop reading upstream */
#define EXCHANGE_LOW	(64u << 10)	/* and go on below this */

/* What all exchanges of a process share. */
struct exchange_env {
	struct upstream_env up;
	uint64_t random;		/* state of util_random() */
	struct access access;		/* what keys and users have used */
	struct stats stats;		/* what happened */
	/* Told of each attempt's end where the config wants records. */
	void (*record)(void *arg, const struct record *r);
	void *record_arg;		/* borrowed */
};

/* The request, as the client connection read it. */
struct exchange_request {
	struct generation *gen;	/* ownership passes: a reference, taken when
				   the head came, and kept to the end */
	char *head;		/* ownership passes: malloc'd bytes */
	struct http_head *h;	/* ownership passes: parsed in `head` */
	struct buf body;	/* ownership passes: decoded */
	char id[DOOR_ID_MAX + 1];
	const struct config_access_key *key;	/* of gen's config; or NULL */
	uint64_t began_us;	/* loop_us() when its head was complete */
};

struct exchange;

/*
 * Takes r to be served.  Calls nothing back.  NULL: out of memory; r's
 * parts are freed then.
 */
struct exchange *exchange_new(struct exchange_env *env,
    const struct exchange_request *r, const struct reply_ops *ops,
    void *arg);

/* Begins; may call back, end() too, before it returns. */
void exchange_go(struct exchange *ex);

/* The client left before end(): gives up, harms nobody. */
void exchange_abandon(struct exchange *ex, const char *why);

/* Frees it, at the end of the turn; after end() or exchange_abandon(). */
void exchange_free(struct exchange *ex);

/* The client's backlog fell below EXCHANGE_LOW. */
void exchange_drained(struct exchange *ex);

#endif
