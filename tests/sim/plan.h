#ifndef TESTS_SIM_PLAN_H
#define TESTS_SIM_PLAN_H

/*
 * One schedule, drawn from the seed: the config, the backends and their
 * moods, the connections of the clients and their requests, and what else
 * goes wrong.  Beside each request stands what became of it.
 */

#include "tests/sim/alloc.h"
#include "tests/sim/said.h"
#include "tests/sim/wire.h"

#define BACKENDS_MAX	5
#define REQUESTS_MAX	48
#define CONNS_MAX	40
#define ATTEMPTS_MAX	64
#define ADDRS_MAX	3
#define KEYS		2

/* How a backend is; decided anew for each connection and each request. */
enum mood { MOOD_WELL, MOOD_FLAKY, MOOD_SICK, MOOD_OUTAGE };

struct fo_backend;

struct backend {
	unsigned index;
	char name[16];
	enum mood mood;
	unsigned percent;	/* of bad ones, when flaky */
	uint64_t out_from, out_to;	/* of an outage, ms */
	int fault;		/* always this one when bad; -1: any */
	unsigned naddrs;	/* 0: its URL has the address */
	unsigned addr_dead[ADDRS_MAX];	/* these never connect */
	unsigned names_fail;	/* percent of queries that are lost */
	int priority;		/* 0: none given */
	const char *model;	/* NULL: the client's */
	const char *base;	/* path of its URL */
	int header;		/* it has a header of its own */
	unsigned stale;		/* percent: idle connections turn out dead */
	unsigned room;		/* max_concurrent; 0: no limit */
	unsigned rate;		/* requests_per_minute; 0: no limit */
	/* what it did so far */
	unsigned bad;		/* connections and answers that were bad */
	struct fo_backend *health;
	uint64_t got[ATTEMPTS_MAX];	/* when attempts came, ms: a ring */
	unsigned ngot;
};

enum kind {
	KIND_PLAIN, KIND_STREAM,	/* generating */
	KIND_OTHER,			/* a path that nobody knows, GET */
	KIND_HEAD,
	KIND_LOCAL,			/* GET /health */
	KIND_WRONG			/* refused at the door */
};

/* What a backend did with a request. */
struct attempt {
	struct backend *b;
	struct said *reply;	/* NULL: none was thought of yet */
	uint64_t at;		/* ms */
};

enum outcome { OPEN, COMPLETE, CUT, NOTHING };

struct request {
	unsigned id;
	enum kind kind;
	char name[24];			/* its x-request-id */
	const char *model;
	struct bytes wire;		/* as the client sends it */
	size_t head_n;			/* of them, up to the body */
	int minor, close, expect, chunked;
	int key;			/* it shows; KEYS: a wrong one */
	int refused;			/* KIND_WRONG: with this status */
	struct bytes lines;		/* its fields that go on */
	struct bytes before, after;	/* the body around the model */
	/* what became of it */
	enum outcome outcome;
	int begun;			/* its first byte was sent */
	int sent;			/* all of it was */
	int answering;			/* bytes of an answer went out */
	uint64_t begun_at, ended_at;
	struct {
		uint64_t epoch;
		unsigned bad;
		int closed;
		uint64_t chosen;
		int free;	/* of room and rate something was left */
	} was[BACKENDS_MAX];		/* when it began */
	struct attempt attempts[ATTEMPTS_MAX];
	unsigned nattempts;
};

/* Why a client leaves before its answers are there. */
enum leave { STAY, LEAVE_AT, LEAVE_SENT, LEAVE_GOT };

struct conn {
	unsigned index;
	uint64_t start;			/* after the beginning, ms */
	unsigned first, n;		/* its requests */
	int pipelined;
	unsigned piece;			/* most bytes sent at a time */
	unsigned gap;			/* most ms between them */
	unsigned take;			/* most bytes read at a time */
	unsigned take_gap;		/* ms between two reads */
	size_t stuck;			/* stops reading after so many */
	enum leave leave;
	size_t leave_n;			/* ms or bytes */
	int leave_how;			/* 0 FIN, 1 close, 2 reset */
	int silent;			/* never ends what it sends */
	int stays;			/* does not close after its answers */
	size_t window_in, window_out;
	unsigned shy;
};

struct plan {
	int openai;			/* the API of all */
	unsigned nbackends, nrequests, nconns;
	struct backend backends[BACKENDS_MAX];
	struct request requests[REQUESTS_MAX];
	struct conn conns[CONNS_MAX];
	struct bytes config;
	/* of it, what the rules need */
	unsigned attempts, tries;
	unsigned long connect, total, retry;	/* ms, 0: none */
	int on_4xx, on_401;
	int breaker;		/* alone decides who is down */
	int keyed;		/* clients must show one of these */
	struct {
		unsigned backends;	/* bits; 0: all */
		int model;		/* 0: all, 1: theirs, 2: another */
		unsigned rate;		/* 0: no limit */
	} keys[KEYS];
	/* what else happens */
	struct alloc_plan alloc;
	int alloc_setup;		/* only while it starts */
	unsigned fds;			/* that may be open beyond these */
	uint64_t reload_at[3];
	uint64_t drain_at, cut_at;	/* 0: never */
	int lazy;			/* lazy watches are looked at late */
};

extern struct plan plan;

/* Draws the plan of world.seed. */
void plan_make(void);

/* Draws what the clients do: user_plan.c. */
void plan_users(void);

/* Adds what a backend must get for a request. */
void plan_expect(const struct request *r, const struct backend *b,
    struct bytes *out);

/* The request of that id; NULL: none. */
struct request *plan_request(const char *name, size_t n);

/* 1 if the request's key lets it go to that backend. */
int plan_allows(const struct request *r, const struct backend *b);

/* The refusal of the request that its key alone demands; 0: none. */
int plan_refused(const struct request *r);

/* 1 if a status moves on by the config. */
int plan_moves_on(int status);

/* 1 if memory or descriptors are short in this schedule. */
int plan_short(void);

#endif
