#ifndef RELAY_STATS_H
#define RELAY_STATS_H

/*
 * What happened: counters, histograms, the requests that run, a ring of
 * those that ended with every attempt, and an hour of minutes.  Bounded
 * memory; a few additions and two small allocations for a request.  Written
 * by exchange, read by the dashboard, the API and the metrics.  Does no I/O
 * and knows no clock: times are given.
 */

#include "config.h"
#include "dialect/dialect.h"
#include "failover.h"

#define STATS_RECENT	500	/* ended requests that are kept */
#define STATS_TRIES	16	/* attempts of one that are kept */
#define STATS_MINUTES	60
#define STATS_SAMPLES	128	/* first-byte times kept for a backend */
#define STATS_ROWS	4096	/* rows of one counter with labels */

enum stats_outcome {
	STATS_RUNNING,
	STATS_GOOD,		/* answered, to the end */
	STATS_FAILED,		/* a failure: the next was tried */
	STATS_LIMITED,		/* 429, or a text that means it */
	STATS_RETURNED,		/* an error that went to the client as it is */
	STATS_BROKEN,		/* broke off after the commit */
	STATS_LEFT,		/* the client went away */
	STATS_SKIPPED		/* not tried: reason tells */
};

const char *stats_outcome_name(enum stats_outcome o);

/* How an exchange stands, for running requests. */
enum stats_phase {
	STATS_WAITING,		/* nobody is asked at the moment */
	STATS_CONNECTING, STATS_SENDING,
	STATS_ANSWER,		/* sent, no head yet */
	STATS_HOLDING,		/* its answer is being judged */
	STATS_STREAMING,	/* the client gets it */
	STATS_DONE
};

const char *stats_phase_name(enum stats_phase p);

/* Upper bounds of histogram buckets in milliseconds; the last is infinity. */
#define STATS_BUCKETS 14
extern const unsigned stats_bounds[STATS_BUCKETS - 1];

struct stats_histogram {
	uint64_t count[STATS_BUCKETS];	/* each bucket alone, not summed up */
	uint64_t n;
	uint64_t sum_us;
};

/* What is known of a backend by name; stays when the config changes. */
struct stats_backend {
	struct stats_backend *next;
	char *name;			/* owned */
	uint64_t outcomes[STATS_SKIPPED + 1];	/* attempts by their end */
	uint64_t requests;		/* that it answered */
	struct dialect_usage tokens;	/* sums; none is -1 */
	struct stats_histogram first_byte;
	uint32_t samples[STATS_SAMPLES];	/* ms, a ring */
	unsigned nsamples;		/* ever: the ring's place is modulo */
	char last_failure[160];		/* "" none */
	int64_t last_failure_ms;	/* wall clock */
	uint64_t in_flight;
};

struct stats_try {
	struct stats_try *next;
	struct stats_backend *backend;	/* borrowed */
	enum stats_outcome outcome;
	int status;			/* 0: none came */
	unsigned reused:1;		/* over a pooled connection */
	unsigned translated:1;
	/*
	 * Microseconds since the request began; 0: did not come to it.
	 * first: the first byte that the client could be given.
	 */
	uint64_t began_us, connected_us, sent_us, head_us, first_us, ended_us;
	char reason[160];		/* plain text; "" for good ones */
};

/* A request, while it runs and afterwards. */
struct stats_entry {
	struct stats_entry *next, *prev;	/* of the running ones */
	uint64_t number;		/* 1, 2 .. of all requests */
	int64_t wall_ms;		/* when it began, since 1970 */
	uint64_t began_us;		/* loop_us() */
	uint64_t first_us, ended_us;	/* since then; 0: not yet */
	const char *id, *method, *path, *model, *key;	/* in text; "" none */
	char *text;			/* owned: all of these */
	enum dialect client;
	enum stats_phase phase;
	unsigned stream:1, done:1;
	enum stats_outcome outcome;
	int status;			/* what the client got; 0: not yet */
	unsigned attempts;
	struct stats_try *tries;	/* owned; the first STATS_TRIES */
	struct stats_backend *backend;	/* that answered; NULL */
	struct dialect_usage usage;	/* -1: not told */
	char stop[32];
	char lost[120];			/* what had no translation */
	uint64_t bytes_in, bytes_out;	/* bodies */
};

/* A counter with labels: one row. */
struct stats_row {
	const char *label[3];		/* in text */
	uint64_t n;
	char *text;			/* owned */
};

struct stats_table {
	struct stats_row *rows;		/* owned */
	size_t n, room;
};

struct stats_minute {
	int64_t minute;			/* of the wall clock: ms / 60000 */
	uint64_t requests, failed, retried, limited;
	uint64_t input, output;		/* tokens; input with cached ones */
	struct stats_histogram first_byte;
};

struct stats {
	struct stats_backend *backends;	/* owned */
	struct stats_entry *running;	/* owned; the oldest first */
	struct stats_entry *newest;	/* the last of them */
	struct stats_entry *recent[STATS_RECENT];	/* owned; a ring */
	uint64_t ended;			/* ever: the ring's place is modulo */
	uint64_t begun;			/* ever */
	uint64_t number;		/* of the last one; may go on from
					   before a restart */
	struct stats_minute minutes[STATS_MINUTES];	/* by minute modulo */
	/* Totals. */
	uint64_t good, failed, retried, limited, left, broken;
	uint64_t refused;		/* of them limited by our own limits */
	uint64_t turned;		/* away at the door, with a 4xx */
	uint64_t translated, lost;	/* requests; codes of what was lost */
	struct dialect_usage tokens;	/* sums; none is -1 */
	struct stats_histogram duration, first_byte;
	struct stats_table requests;	/* backend, model, status */
	struct stats_table by_model;	/* model, type */
	struct stats_table by_user;	/* user, model, type */
	struct stats_table translations;	/* from, to */
	uint64_t changed;		/* rises with each change: for those
					   who wait for one */
	int64_t started_ms;		/* wall clock */
};

void stats_init(struct stats *s, int64_t wall_ms);
void stats_free(struct stats *s);

/* What a request is; all slices are copied, cut where they are long. */
struct stats_request {
	struct str id, method, path, key;
	enum dialect client;
	uint64_t body;			/* bytes */
	int64_t wall_ms;
	uint64_t began_us;
};

/*
 * A request begins.  NULL: out of memory; all functions take a NULL entry
 * and then do nothing but count.
 */
struct stats_entry *stats_begin(struct stats *s,
    const struct stats_request *r);

/* What was read in its body. */
void stats_model(struct stats_entry *e, struct str model, int stream);

/* An attempt begins; the last one must have ended. */
void stats_try_begin(struct stats *s, struct stats_entry *e,
    struct str backend, int translated, uint64_t now_us);

/* Where its phase is now. */
void stats_try_phase(struct stats *s, struct stats_entry *e,
    enum stats_phase phase, uint64_t now_us);

/* It is over.  reason: plain text, or "". */
void stats_try_end(struct stats *s, struct stats_entry *e,
    enum stats_outcome outcome, int status, const char *reason,
    uint64_t now_us, int64_t wall_ms);

/* A backend was passed over. */
void stats_skip(struct stats *s, struct stats_entry *e, struct str backend,
    const char *reason, uint64_t now_us);

/* How a request ended. */
struct stats_end {
	int status;			/* that the client got; 499: it left */
	enum stats_outcome outcome;
	struct str backend;		/* that answered; "": none did */
	struct str model_label;		/* config_model_label() */
	struct str user;		/* the access key's name; "" */
	const struct dialect_watch *watch;
	struct str lost;		/* codes; "" */
	enum dialect to;		/* that it was translated to, or ANY */
	unsigned losses;
	uint64_t bytes_out;
	uint64_t first_us;		/* loop_us() of the commit; 0: none */
	unsigned refused:1;		/* by one of our own limits */
};

/* It is over: the entry moves to the ring; the pointer is not used again. */
void stats_end(struct stats *s, struct stats_entry *e,
    const struct stats_end *end, uint64_t now_us, int64_t wall_ms);

/*
 * A request was refused before it could begin, as its head or body were bad
 * or it showed no key: counted, but not among the recent ones, where
 * strangers would push out what matters.  us: how long it took.
 */
void stats_turn(struct stats *s, int status, uint64_t us, int64_t wall_ms);

/* The record of a backend, made if it is new; NULL: out of memory. */
struct stats_backend *stats_backend(struct stats *s, struct str name);

/* The p-th percentile (1..99) of a backend's samples in ms; -1: none. */
int stats_percentile(const struct stats_backend *b, unsigned p);

/*
 * The i-th last of the ended requests (0: the last); NULL: there are no
 * more.
 */
const struct stats_entry *stats_recent(const struct stats *s, size_t i);

/* A request by its id, running or recent; NULL. */
const struct stats_entry *stats_find(const struct stats *s, struct str id);

/* The minute at wall_ms - ago * 60000; NULL: nothing happened in it. */
const struct stats_minute *stats_minute(const struct stats *s,
    int64_t wall_ms, unsigned ago);

#endif
