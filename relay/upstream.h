#ifndef RELAY_UPSTREAM_H
#define RELAY_UPSTREAM_H

/*
 * One connection to a backend: resolve, connect, shake hands, send one
 * request, read its answer; afterwards it waits in the target's pool.  It
 * belongs to the exchange that borrowed it, or to the pool, or to the
 * graveyard; never to two.
 */

#include "base/buf.h"
#include "failover.h"
#include "http.h"
#include "net/link.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "relay/target.h"
#include "wire/http_body.h"

enum up_state {
	UP_RESOLVE, UP_CONNECT, UP_TLS_QUEUE, UP_TLS, UP_EXCHANGE, UP_IDLE,
	UP_DEAD
};

/*
 * What the borrower is told.  After done() or fail() the connection is no
 * longer its own.  Any of them may call upstream_abort().
 */
struct upstream_ops {
	/* The head of the answer (no 1xx); valid during the call. */
	void (*head)(void *arg, const struct http_head *h, uint64_t now);
	/* Payload, decoded; valid during the call. */
	void (*body)(void *arg, struct str data, uint64_t now);
	/* The answer is complete. */
	void (*done)(void *arg, uint64_t now);
	/* It went wrong; why is a sentence. */
	void (*fail)(void *arg, enum fo_fault fault, const char *why,
	    uint64_t now);
	/* All that one wake-up brought was told: the time to flush. */
	void (*pause)(void *arg, uint64_t now);
	/* 1 if more payload is welcome (back-pressure). */
	int (*wants)(void *arg);
	/*
	 * It is connected, or the request is all out (u->connected, u->sent);
	 * NULL: of no interest.
	 */
	void (*moved)(void *arg, uint64_t now);
};

struct upstream_request {
	struct buf head;	/* ownership passes; wiped once sent */
	struct str body;	/* borrowed until done, fail or abort */
	int head_only;		/* the method is HEAD */
	int stream;		/* first_byte bounds it, else response */
	uint64_t timeout;	/* ms from the start to the end of the head,
				   instead of both; 0: none */
};

/* What all connections of a process share. */
struct upstream_env {
	struct loop *loop;		/* borrowed */
	struct resolver *dns;		/* borrowed */
	unsigned handshakes;		/* under way: each costs ms of CPU */
	struct upstream *waiting;	/* for their turn to shake hands */
};

/* What every turn asks for stands first: with many streams it is cold. */
struct upstream {
	enum up_state state;
	enum fo_fault pending;	/* a failure to be told in the next turn */
	unsigned got_head:1;	/* of the answer */
	unsigned reused:1;	/* this request came over a pooled one */
	unsigned any_bytes:1;	/* of its answer */
	unsigned keep:1;	/* may go to the pool afterwards */
	unsigned told:1;	/* done or fail was called */
	unsigned starting:1;	/* inside upstream_start() */
	struct watch watch;
	uint64_t sent;		/* when the request was all out; 0: not yet */
	const struct upstream_ops *ops;	/* of the borrower; NULL in the pool */
	void *arg;
	struct link link;
	struct buf in;		/* bytes that arrived, not yet told */
	struct http_body body;
	uint64_t last_io;	/* ms, as all times here */
	struct upstream_env *env;	/* borrowed */
	struct target *target;	/* borrowed: its generation is referenced by
				   the borrower, or owns the pool we are in */
	struct timer timer;
	struct upstream_request req;
	size_t out_done;	/* bytes of head and body sent */
	uint64_t started, connected;	/* 0: not yet */
	uint64_t hurry_at;	/* a deadline set by the borrower; 0: none */
	uint64_t addr_at;	/* when the next address is tried; 0: none */
	enum fo_phase phase;
	unsigned interim;	/* 1xx answers so far */
	size_t seen;		/* bytes of a head that were looked at */
	struct resolve_wait resolve;
	struct dns_answer addrs;
	size_t next_addr;
	struct grave grave;
	struct upstream *next, *prev;	/* in the pool, or in the queue */
	char why[160];		/* room for the sentence of fail() */
};

/*
 * Starts an attempt; fresh: not over a pooled connection.  Calls nothing
 * back before it returns.  NULL: out of memory; the head is freed then.
 */
struct upstream *upstream_start(struct target *t, struct upstream_env *env,
    const struct upstream_request *req, int fresh,
    const struct upstream_ops *ops, void *arg);

/* Gives the attempt up: closes at once, tells nobody. */
void upstream_abort(struct upstream *u);

/* From now on the answer must be complete by `at` (ms); earlier wins. */
void upstream_hurry(struct upstream *u, uint64_t at);

/* The borrower can take more again. */
void upstream_resume(struct upstream *u);

/* Closes what waits in the pool of a target. */
void upstream_drop_idle(struct target *t);

#endif
