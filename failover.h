#ifndef FAILOVER_H
#define FAILOVER_H

/*
 * Who is next, and what an outcome means: priority, strategy, health,
 * 429 cool-down, retry budget.  Pure: `now` is monotonic milliseconds,
 * given; randomness is given too.
 * Flat: one policy, a health record for each backend and for models at it,
 * a list of candidates for each request.  Nothing here knows sockets,
 * requests or dialects.
 */

#include "base/util.h"
#include "wire/failover_health.h"

/* ---- the registry ---- */

#define FO_BUDGET_SECONDS 10
#define FO_MODELS_MAX 64

struct failover {
	struct fo_backend *list;	/* owned */
	uint64_t sequence;		/* choices so far, and the like */
	unsigned budget_percent;	/* 20; may be set at any time */
	uint64_t good_at;		/* last good answer of any backend */
	unsigned answered:1;		/* good_at is known */
	struct {
		uint64_t second;
		unsigned first, more;	/* attempts begun in it */
	} spent[FO_BUDGET_SECONDS];
};

/* f stays where it is until failover_free(). */
void failover_init(struct failover *f);
void failover_free(struct failover *f);

/*
 * The record of that name, made if it is new (closed, no history), with one
 * reference more: a reload keeps health by name.  Case counts in names.
 * NULL: out of memory.
 */
struct fo_backend *failover_get(struct failover *f, struct str name);

/*
 * The record of one model at a backend, with one reference more, to be
 * given back with failover_put() when the request is over.  It is for what
 * an answer says of this model alone (fo_outcome.model_only).  At most
 * FO_MODELS_MAX for each backend; a further one takes the place of one
 * that nobody refers to: one with a clean slate if there is one, else the
 * one asked for least recently.  NULL: model is empty, none can go, or out
 * of memory: go on without.
 */
struct fo_backend *failover_model(struct failover *f, struct fo_backend *b,
    struct str model);

/*
 * Drops a reference.  A backend's record goes with the last one, and with
 * it those of its models; a model's stays for others.  No ticket may be out
 * then: a request keeps the generation that it began with.  b may be NULL.
 */
void failover_put(struct failover *f, struct fo_backend *b);

/* ---- choosing ---- */

/*
 * How those of equal priority share the requests.  The four last ones stay
 * with a backend that this request has tried and may try again.
 */
enum fo_strategy {
	FO_FAILOVER,		/* the first in the list */
	FO_ROUND_ROBIN,		/* the one chosen least recently, by
				   whatever request of the registry */
	FO_WEIGHTED_RANDOM,	/* by weight */
	FO_LEAST_CONNECTIONS,	/* fewest requests by weight; of equals the
				   one chosen least recently */
	FO_STICKY		/* always the same for the same key, shared
				   out by weight: a backend that goes takes
				   no other's keys along */
};

/* What a request wants of failover_pick(). */
struct fo_want {
	enum fo_strategy strategy;
	uint64_t random;	/* a new one for each pick */
	uint64_t sticky;	/* the key's hash */
	unsigned max_tries;	/* attempts per backend; 0 is taken as 1 */
	unsigned last_resort:1;	/* obey the policy's when_all_down */
};

#define FO_WEIGHT_MAX 1000000	/* more is taken as this */

/*
 * One backend that a request may use, in config order.  The caller sets
 * what comes first, and counts `tried`; failover_pick() fills the rest.
 */
struct fo_cand {
	struct fo_backend *b;	/* borrowed */
	struct fo_backend *model;	/* borrowed: its record of the model
					   asked for; NULL: none */
	int priority;		/* lower is first */
	unsigned weight;	/* 0: after all those that have one, but not
				   in FAILOVER and ROUND_ROBIN */
	unsigned max_concurrent;	/* 0: no limit */
	uint64_t rate_wait;	/* ms until our own limit of requests per
				   minute allows one; 0: now */
	unsigned tried;		/* attempts that this request made there */
	unsigned tries;		/* out: how many it may make there */
	enum fo_skip skip;	/* out */
	uint64_t wait;		/* out: ms until it is neither down nor
				   cooling nor at its rate; 0: now, or not
				   known */
	unsigned passed:1;	/* of failover_pick() alone */
};

/*
 * The right to make one attempt.  Ended by exactly one failover_end().
 * Before FO_SAME_FRESH is acted upon it may be ended and picked anew, or
 * kept for the fresh attempt.
 */
struct fo_ticket {
	struct fo_backend *b;	/* borrowed; NULL: no ticket is out */
	struct fo_part part[2];	/* in the records of backend and model */
	unsigned trial:1;	/* of a half-open breaker, not committed */
	unsigned probe:1;	/* the one request that asks whether a long
				   cool-down is over before its time */
	unsigned last_resort:1;	/* given although it is down */
};

/*
 * The candidate to try now: of those that may be tried, not cooling before
 * cooling, then by priority, then by strategy, then by place.  Among
 * cooling ones the same order (they are still tried: last).
 *
 * Obstacles are those of enum fo_skip; skip names the first that there is,
 * of backend and model.  An open breaker whose time is up (now >=
 * open_until) becomes half-open when it is picked, not before.  A backend
 * is skipped for its health only if all kinds that the policy lists say
 * that it is down; where one lets it pass, an attempt on an open breaker is
 * no trial, but a good end closes it, and a bad one changes nothing.
 *
 * With a score above 70 at its first attempt a backend may be tried twice;
 * the pause between the two is the caller's.
 *
 * A cool-down longer than 10 minutes may be over sooner than was said: once
 * in 10 minutes a single request takes such a backend as if it did not
 * cool.  Failing keeps what was said, a success ends it.
 *
 * Last resort: if none is left so far, want->last_resort is set and the
 * policy's when_all_down is TRY, those that only their health keeps out and
 * that this request has not tried are tried all the same: each once, in the
 * order of the list, cooling or not.  Scores of 0 are raised to 10 first.
 * Room and rate still count, and nobody joins who is no candidate.
 *
 * Slow start: for the policy's slow_start_ms after a backend was seen down
 * or cooling, its weight rises from 10 % to 100 % (under ROUND_ROBIN, and
 * among equals under LEAST_CONNECTIONS, it loses its turn as often as
 * that).  FAILOVER and STICKY take it back at once.
 *
 * Fills t, which must not be out, and returns the index; -1 and t->b NULL if
 * none is left.  tries, skip and wait of every candidate are filled in both
 * cases; the caller counts `tried`.
 */
int failover_pick(struct fo_cand *c, size_t n, const struct fo_want *want,
    const struct fo_policy *p, uint64_t now, struct fo_ticket *t);

/*
 * To be asked before every attempt of a request after its first: 1 go
 * ahead, and it is counted; 0 give up.  Always 1 if a backend of the
 * registry has answered in the last 10 s (well, or with an answer that is
 * returned).  Else all is down, and more attempts would keep it so: those
 * of the last 10 s stay below budget_percent of the requests begun in them,
 * plus 3 for each second.
 */
int failover_budget(struct failover *f, uint64_t now);

/* ---- judging ---- */

/* How far an attempt came. */
enum fo_phase {
	FO_RESOLVE, FO_CONNECT, FO_TLS, FO_SEND, FO_WAIT, FO_HEAD, FO_HOLD,
	FO_BODY		/* committed */
};
const char *fo_phase_text(enum fo_phase p);

/* What went wrong, if anything; the one list for log, metric, dashboard. */
#define FO_FAULTS(X) \
	X(NONE, "ok") \
	X(DNS, "name not resolved") \
	X(CONNECT, "connect failed") \
	X(TLS, "TLS failed") \
	X(TIMEOUT, "timed out") \
	X(CLOSED, "connection closed") \
	X(TRUNCATED, "answer cut short") \
	X(FRAMING, "not valid HTTP") \
	X(STATUS, "status") \
	X(EMPTY, "empty answer") \
	X(NOT_JSON, "not JSON") \
	X(ERROR_EVENT, "error inside a 200") \
	X(INVALID, "invalid event") \
	X(RATE_TEXT, "rate limit by its text") \
	X(STOP_TEXT, "stopped by its text") \
	X(TOO_LARGE, "answer too large") \
	X(CLIENT_LEFT, "client left") \
	X(LOCAL, "no resources here")
enum fo_fault {
#define FO_X(a, s) FO_##a##_FAULT,
	FO_FAULTS(FO_X)
#undef FO_X
	FO_NFAULTS
};
const char *fo_fault_text(enum fo_fault f);

/* How one attempt ended. */
struct fo_outcome {
	enum fo_phase phase;
	enum fo_fault fault;
	int status;		/* of the answer; 0: none came */
	unsigned reused:1;	/* went over a pooled connection */
	unsigned any_bytes:1;	/* an answer byte arrived */
	unsigned bad_key:1;	/* 400 that means a bad key of ours (Google's
				   API_KEY_INVALID): judged as a 401 */
	unsigned model_only:1;	/* the answer is about the model, not about
				   the whole backend */
	uint64_t cool_ms;	/* cool-down asked for; 0: none was named */
	enum fo_source cool_source;
};

enum fo_verdict {
	FO_COMMIT,	/* good: give it to the client */
	FO_RETURN,	/* give this answer to the client as it is; not ours */
	FO_NEXT,	/* failed: try the next backend */
	FO_SAME_FRESH,	/* stale pooled connection: again, new connection */
	FO_GIVE_UP	/* client left, or already committed: end */
};

/*
 * What an outcome means; the first rule that fits:
 *  1. CLIENT_LEFT: give up.
 *  2. STOP_TEXT: return.
 *  3. Phase BODY with any other fault than NONE: give up (a strike, unless
 *     the fault is LOCAL).  With NONE: 2xx commit, else return.
 *  4. A reused connection that ended (CLOSED, CONNECT or TLS fault) before
 *     any answer byte: same backend, fresh, no strike (RFC 9112 9.3.1).
 *  5. Any other fault than NONE: next.
 *  6. A status in `on` (401 stands for a bad_key's own status), or none at
 *     all, or an interim one (below 200): next.
 *  7. 2xx: commit.  Everything else: return.
 */
enum fo_verdict failover_judge(const struct fo_policy *p,
    const struct fo_outcome *o);

/*
 * The attempt of t has committed a good answer, whose stream may run for
 * hours: its trial is over.  If the breaker still has the ticket's epoch it
 * closes on probation: one strike before the next success opens it again;
 * so it does for an attempt past an open breaker.  A probe's cool-down is
 * over.  t stays out, now as an ordinary one.
 * Not to be called for answers that are merely returned.
 */
void failover_commit(struct fo_ticket *t, const struct fo_policy *p,
    uint64_t now, struct fo_change *c);

/*
 * Ends a ticket and books the outcome; the first kind that fits:
 *  - nothing: CLIENT_LEFT, LOCAL, FO_SAME_FRESH.  A trial is given back.
 *  - limited: RATE_TEXT, or a status of 429 without STOP_TEXT.  Cools down
 *    for cool_ms, or the policy's cooldown_ms if that is 0 (capped; a
 *    cool-down that ends later stays).  No strike; closes a half-open
 *    breaker.
 *  - good: FO_COMMIT.  Clears failures, closes a half-open breaker, ends
 *    the cool-down if the ticket is not older than it; then cools down for
 *    cool_ms, if the good answer itself names a limit that it exhausted.
 *    The score gains, to 15 at least.
 *  - returned: FO_RETURN.  Closes a half-open breaker; the failures of a
 *    closed one stay as they are, and so does the score.
 *  - bad key: FO_NEXT with status 401, 402, 403 or bad_key and no other
 *    fault than NONE or STATUS.  Opens the breaker at once.
 *  - strike: FO_NEXT otherwise, and FO_GIVE_UP after the commit.
 *    failure_threshold of them in a row open; a trial's opens again.
 * The two last ones take from the score, and stand in the window as failed,
 * good and returned as not failed.  Down by the window is who had at least
 * min_failures ends in its time, all failed.
 * Closing clears failures.  A ticket whose epoch is not the backend's any
 * more (the breaker changed meanwhile) does nothing to the breaker.
 *
 * With a model's record: a success is booked on both.  What is about the
 * model alone is booked on its record, and to the backend it shows only
 * that it can be reached (a trial closes it).  Everything else is the
 * backend's, and returned also closes the half-open breaker of the model.
 * c tells of the backend's record, or of the model's if it was about that.
 *
 * t->b is NULL afterwards; calling it again does nothing (c is all 0).
 */
void failover_end(struct fo_ticket *t, const struct fo_policy *p,
    const struct fo_outcome *o, uint64_t now, struct fo_change *c);

/* Milliseconds until a record is neither open nor cooling; 0: now. */
uint64_t failover_wait(const struct fo_backend *b, uint64_t now);

/* Its score now, 0 to 100; see fo_health_score(). */
unsigned failover_score(const struct fo_backend *b,
    const struct fo_policy *p, uint64_t now);

/* ---- asking whether it is back ---- */

/* 1 if its health keeps it out and no trial may be made: worth a check. */
int failover_is_down(const struct fo_backend *b, const struct fo_policy *p,
    uint64_t now);

/*
 * A health check ended.  Good: an open breaker becomes half-open at once,
 * the window is cleared; the score and a cool-down stay.  Else: nothing.
 */
void failover_checked(struct fo_backend *b, int ok,
    const struct fo_policy *p, uint64_t now, struct fo_change *c);

/*
 * A person says that it is well: the breaker closes, cool-downs end, score
 * and window are as if new; so are those of its models.  Attempts that run
 * may still cool it down, or count as failures of the window and the score.
 */
void failover_clear(struct fo_backend *b, const struct fo_policy *p,
    uint64_t now, struct fo_change *c);

/* ---- when none is left (spec 9) ---- */

struct fo_none {
	int status;		/* 429, 502 or 503 */
	uint64_t retry_ms;	/* 0: say nothing */
};

/*
 * 429 with the soonest return if there are candidates and each one's last
 * obstacle was a limit; else 502 if an attempt of this request failed
 * otherwise; else 503 with the soonest return.  limited[i]: candidate i
 * answered 429 (or its like) to this request; the last pick having skipped
 * it for our own rate is a limit too.  failed: an attempt failed otherwise.
 * n may be 0: 503, or 502 if failed.
 * Soonest: the least wait of all candidates (fo_cand, as it is now), where 0
 * (not known, or no candidate) is taken as 1 s: never 0 for 429 and 503.
 */
void failover_none(const struct fo_cand *c, const unsigned char *limited,
    size_t n, int failed, const struct fo_policy *p, uint64_t now,
    struct fo_none *out);

#endif
