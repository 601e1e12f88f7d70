#ifndef WIRE_FAILOVER_HEALTH_H
#define WIRE_FAILOVER_HEALTH_H

/*
 * The health of one record: breaker, score, window, cool-down, slow start.
 * A room of failover.h, which is what others include: it tells when these
 * functions run, and what an outcome means to them.  Pure.
 */

#include "base/util.h"

/* ---- the policy: config's `failover` section, a plain value ---- */

#define FO_TEXTS_MAX 16
#define FO_WINDOW_MAX 1000	/* of min_failures; more is taken as this */

/* What may say that a backend is down; of several, all must say it. */
#define FO_HEALTH_BREAKER 1u
#define FO_HEALTH_SCORE 2u
#define FO_HEALTH_WINDOW 4u
#define FO_HEALTH_NONE 8u	/* alone: nobody is ever down */

enum fo_all_down { FO_ALL_DOWN_FAIL, FO_ALL_DOWN_TRY };

struct fo_policy {
	unsigned char on[75];		/* status s moves on: bit s % 8 of
					   on[s / 8]; see fo_on_set() */
	unsigned health;		/* FO_HEALTH_*; 0 is BREAKER alone */
	unsigned failure_threshold;	/* failures in a row that open; 0 is
					   taken as 1 */
	uint64_t open_ms;		/* how long open lasts */
	unsigned half_open_requests;	/* trials at a time; 0 is taken as 1 */
	struct {
		unsigned success;	/* added by one; 0 is taken as 1 */
		unsigned failure;	/* taken by one */
		unsigned healthy_above;	/* usable above it; 99 at most */
		unsigned recover_minutes; /* 0 is taken as 1 */
	} score;
	struct {
		uint64_t ms;
		unsigned min_failures;	/* 0 is taken as 1 */
	} window;
	uint64_t cooldown_ms;		/* for a 429 that names no time */
	uint64_t max_cooldown_ms;	/* no cool-down is longer */
	enum fo_all_down when_all_down;
	uint64_t slow_start_ms;		/* 0: off */
	struct str retry_text[FO_TEXTS_MAX];	/* borrowed from config */
	struct str stop_text[FO_TEXTS_MAX];
	unsigned nretry_text, nstop_text;
};

/* The defaults of the spec, section 3: breaker alone, fail, no slow start. */
void fo_policy_defaults(struct fo_policy *p);

/* Sets or reads the bit of a status, 100 to 599; others: never set. */
void fo_on_set(struct fo_policy *p, int status, int on);
int fo_on(const struct fo_policy *p, int status);

/* ---- the record ---- */

enum fo_state { FO_CLOSED, FO_OPEN, FO_HALF_OPEN };

/* Where a cool-down's length came from. */
enum fo_source {
	FO_FROM_NONE, FO_FROM_RETRY_AFTER_MS, FO_FROM_RETRY_AFTER,
	FO_FROM_RESET_HEADER, FO_FROM_RETRY_INFO, FO_FROM_DEFAULT
};
const char *fo_source_text(enum fo_source s);

struct failover;

/*
 * Of a backend, or of one model at a backend.  Owned by the registry;
 * fields are read by others (dashboard, log) and written only here.  All
 * zero is the health of a new one.
 */
struct fo_backend {
	char *name;			/* a model's record: the model's */
	enum fo_state state;
	unsigned failures;		/* in a row, while closed */
	unsigned trials;		/* half-open tickets that are out and
					   not committed, of any epoch */
	unsigned in_flight;		/* all tickets that are out */
	uint64_t epoch;			/* changes with every transition */
	uint64_t open_until;		/* for FO_OPEN, else 0 */
	uint64_t cool_until;		/* cooling while it is above now */
	uint64_t cool_epoch;		/* changes with every cool-down that
					   an answer asks for */
	enum fo_source cool_source;	/* of the cool-down that lasts */
	uint64_t probe_at;		/* from then on the cool-down that
					   lasts lets one request through; 0:
					   never */
	unsigned lost;			/* 100 - score, when last used */
	uint64_t used;			/* a ticket was taken or ended */
	uint64_t *fails;		/* owned: ring of times; or NULL */
	unsigned nfails, fails_cap, fails_at;
	uint64_t good_at;		/* last end that was no failure */
	uint64_t recovered;		/* slow start counts from here */
	uint64_t chosen;		/* in the order of all choices of the
					   registry; 0: never */
	uint64_t hash;			/* of the name */
	unsigned answered:1;		/* good_at is known */
	unsigned probing:1;		/* a probe is out */
	unsigned out:1;			/* was seen down or cooling */
	unsigned ramping:1;		/* recovered is known */
	unsigned refs;			/* generations, or requests with the
					   model, that name it */
	struct fo_backend *next;
	struct fo_backend *models;	/* owned: their records here */
	unsigned nmodels;
	struct fo_backend *parent;	/* of a model's record, else NULL */
	struct failover *home;		/* the registry */
};

/* Frees a record without its models. */
void fo_health_free(struct fo_backend *b);

/* ---- reading it ---- */

/* Why a candidate is not tried, in the order in which it is told. */
enum fo_skip {
	FO_SKIP_NONE,		/* could be tried */
	FO_SKIP_TRIED,		/* this request tried it already */
	FO_SKIP_OPEN,		/* breaker open */
	FO_SKIP_TRIAL,		/* half-open, all its trials are out */
	FO_SKIP_DOWN,		/* by score or window */
	FO_SKIP_BUSY,		/* max_concurrent requests are there */
	FO_SKIP_RATE		/* our own requests per minute */
};
const char *fo_skip_text(enum fo_skip s);

/*
 * NONE if one of the policy's kinds of health lets it be used, else OPEN or
 * TRIAL if the breaker is one of them, else DOWN.
 */
enum fo_skip fo_health_obstacle(const struct fo_backend *b,
    const struct fo_policy *p, uint64_t now);

/* Milliseconds until one of the kinds lets it be used; 0: now, not known. */
uint64_t fo_health_wait(const struct fo_backend *b,
    const struct fo_policy *p, uint64_t now);

/*
 * The score now, 0 to 100.  It rises without traffic: by `success` when
 * recover_minutes have gone by since the last use, and by as much every
 * minute after that.
 */
unsigned fo_health_score(const struct fo_backend *b,
    const struct fo_policy *p, uint64_t now);

/* 1 if the policy counts the score. */
int fo_health_scored(const struct fo_policy *p);

/* 1 if it cools down and no probe is due: then it comes last. */
int fo_health_last(const struct fo_backend *b, uint64_t now);

/* ---- writing it ---- */

/* A ticket's part in one record. */
struct fo_part {
	struct fo_backend *b;	/* borrowed; NULL: no part */
	uint64_t epoch, cool_epoch;	/* the record's, when taken */
	unsigned trial:1;	/* of a half-open breaker, not committed */
	unsigned through:1;	/* past a breaker that is not closed */
	unsigned probe:1;	/* of a long cool-down */
};

/* What an outcome means for a record. */
enum fo_kind {
	FO_KIND_NOTHING, FO_KIND_LIMITED, FO_KIND_GOOD, FO_KIND_RETURNED,
	FO_KIND_BAD_KEY, FO_KIND_STRIKE,
	FO_KIND_REACHED		/* only that it answers: ends a trial */
};

/* What failover_end() and its like changed, for the log. */
struct fo_change {
	const struct fo_backend *of;	/* the record that it tells of */
	enum fo_state before, after;
	unsigned cooled:1;	/* a cool-down started or moved */
	unsigned warmed:1;	/* a cool-down ended by a success */
	unsigned fell:1, rose:1;	/* failover_is_down() changed */
	uint64_t wait;		/* failover_wait() afterwards */
};

/* The ticket's part begins, runs on as an ordinary one, ends. */
void fo_health_take(struct fo_backend *b, const struct fo_policy *p,
    uint64_t now, struct fo_part *t);
void fo_health_commit(struct fo_part *t, const struct fo_policy *p,
    uint64_t now, struct fo_change *c);
void fo_health_end(struct fo_part *t, enum fo_kind k, uint64_t cool_ms,
    enum fo_source source, const struct fo_policy *p, uint64_t now,
    struct fo_change *c);

/* A health check was good. */
void fo_health_checked(struct fo_backend *b);

/* Somebody says that it is well: as if new, but for tickets that are out. */
void fo_health_clear(struct fo_backend *b);

/* A score of 0 becomes 10: the last resort begins. */
void fo_health_lift(struct fo_backend *b, const struct fo_policy *p,
    uint64_t now);

/* Sees whether it recovered since it was seen last: slow start begins. */
void fo_health_notice(struct fo_backend *b, const struct fo_policy *p,
    uint64_t now);

/* The part of its weight that slow start leaves it, 100 to 1000 permille. */
unsigned fo_health_ramp(const struct fo_backend *b,
    const struct fo_policy *p, uint64_t now);

#endif
