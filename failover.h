#ifndef FAILOVER_H
#define FAILOVER_H

/*
 * Who is next, and what an outcome means: priority, circuit breaker, 429
 * cool-down, Retry-After.  Pure: `now` is monotonic milliseconds, given.
 * Flat: one policy, a health record for each backend, a list of candidates
 * for each request.  Nothing here knows sockets, requests or dialects.
 */

#include "base/util.h"
#include "http.h"

/* ---- the policy: config's `failover` section, a plain value ---- */

#define FO_TEXTS_MAX 16

struct fo_policy {
	unsigned char on[75];		/* status s moves on: bit s % 8 of
					   on[s / 8]; see fo_on_set() */
	unsigned failure_threshold;	/* failures in a row that open; 0 is
					   taken as 1 */
	uint64_t open_ms;		/* how long open lasts */
	unsigned half_open_requests;	/* trials at a time; 0 is taken as 1 */
	uint64_t cooldown_ms;		/* for a 429 that names no time */
	uint64_t max_cooldown_ms;	/* no cool-down is longer */
	struct str retry_text[FO_TEXTS_MAX];	/* borrowed from config */
	struct str stop_text[FO_TEXTS_MAX];
	unsigned nretry_text, nstop_text;
};

/* Sets or reads the bit of a status, 100 to 599; others: never set. */
void fo_on_set(struct fo_policy *p, int status, int on);
int fo_on(const struct fo_policy *p, int status);

/* ---- health: one record for each backend name ---- */

enum fo_state { FO_CLOSED, FO_OPEN, FO_HALF_OPEN };

/* Where a cool-down's length came from. */
enum fo_source {
	FO_FROM_NONE, FO_FROM_RETRY_AFTER_MS, FO_FROM_RETRY_AFTER,
	FO_FROM_RESET_HEADER, FO_FROM_RETRY_INFO, FO_FROM_DEFAULT
};
const char *fo_source_text(enum fo_source s);

/*
 * Owned by the registry; fields are read by others (dashboard, log) and
 * written only here.
 */
struct fo_backend {
	char *name;
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
	unsigned refs;			/* generations that name it */
	struct fo_backend *next;
};

struct failover {
	struct fo_backend *list;	/* owned */
};

void failover_init(struct failover *f);
void failover_free(struct failover *f);

/*
 * The record of that name, made if it is new (closed, no history), with one
 * reference more: a reload keeps health by name.  Case counts in names.
 * NULL: out of memory.
 */
struct fo_backend *failover_get(struct failover *f, struct str name);

/*
 * Drops a reference; the record goes with the last one.  No ticket may be
 * out then: a request keeps the generation that it began with.  b may be
 * NULL.
 */
void failover_put(struct failover *f, struct fo_backend *b);

/* ---- choosing ---- */

enum fo_skip {
	FO_SKIP_NONE,		/* could be tried */
	FO_SKIP_TRIED,		/* this request tried it already */
	FO_SKIP_OPEN,		/* breaker open */
	FO_SKIP_TRIAL		/* half-open, all its trials are out */
};
const char *fo_skip_text(enum fo_skip s);

/*
 * One backend that a request may use, in config order.  The caller sets
 * the first three; failover_pick() fills the rest.
 */
struct fo_cand {
	struct fo_backend *b;	/* borrowed */
	int priority;		/* lower is first; equal: list order */
	unsigned tried;		/* attempts that this request made there */
	enum fo_skip skip;	/* out */
	uint64_t wait;		/* out: failover_wait() of its backend */
};

/*
 * The right to make one attempt.  Ended by exactly one failover_end().
 * Before FO_SAME_FRESH is acted upon it may be ended and picked anew, or
 * kept for the fresh attempt.
 */
struct fo_ticket {
	struct fo_backend *b;	/* borrowed; NULL: no ticket is out */
	uint64_t epoch, cool_epoch;	/* the backend's, when it was taken */
	unsigned trial:1;	/* of a half-open breaker, not committed */
};

/*
 * The candidate to try now: of those that may be tried, not cooling before
 * cooling, then by priority, then by place.  Among cooling ones the same
 * order (they are still tried: last).  max_tries: attempts per backend; 0
 * is taken as 1.  Of several obstacles skip names the first in the order of
 * the enum.  An open breaker whose time is up (now >= open_until) becomes
 * half-open when it is picked, not before.  Fills t, which must not be out,
 * and returns the index; -1 and t->b NULL if none is left.  skip and wait
 * of every candidate are filled in both cases; the caller counts `tried`.
 */
int failover_pick(struct fo_cand *c, size_t n, unsigned max_tries,
    const struct fo_policy *p, uint64_t now, struct fo_ticket *t);

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

/* What failover_end() changed, for the log. */
struct fo_change {
	enum fo_state before, after;
	unsigned cooled:1;	/* a cool-down started or moved */
	unsigned warmed:1;	/* a cool-down ended by a success */
	uint64_t wait;		/* failover_wait() afterwards */
};

/*
 * The attempt of t has committed a good answer, whose stream may run for
 * hours: its trial is over.  If the breaker still has the ticket's epoch it
 * closes on probation: one strike before the next success opens it again.
 * t stays out, now as an ordinary one.  Does nothing for other tickets.
 * Not to be called for answers that are merely returned.
 */
void failover_commit(struct fo_ticket *t, const struct fo_policy *p,
    struct fo_change *c);

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
 *  - returned: FO_RETURN.  Closes a half-open breaker; the failures of a
 *    closed one stay as they are.
 *  - bad key: FO_NEXT with status 401, 402, 403 or bad_key and no other
 *    fault than NONE or STATUS.  Opens the breaker at once.
 *  - strike: FO_NEXT otherwise, and FO_GIVE_UP after the commit.
 *    failure_threshold of them in a row open; a trial's opens again.
 * Closing clears failures.  A ticket whose epoch is not the backend's any
 * more (the breaker changed meanwhile) does nothing to the breaker.
 * t->b is NULL afterwards; calling it again does nothing (c is all 0).
 */
void failover_end(struct fo_ticket *t, const struct fo_policy *p,
    const struct fo_outcome *o, uint64_t now, struct fo_change *c);

/*
 * Milliseconds until a backend is neither open nor cooling; 0: now, or not
 * known (half-open, all its trials are out).
 */
uint64_t failover_wait(const struct fo_backend *b, uint64_t now);

/* ---- reading what providers say ---- */

/*
 * The cool-down in ms that an answer asks for; the first of these that
 * names a time above zero:
 *  1. retry-after-ms: milliseconds, decimals allowed
 *  2. retry-after: seconds, decimals allowed, or HTTP-date (RFC 9110
 *     10.2.3)
 *  3. reset headers: anthropic-ratelimit-*-reset and x-ratelimit-reset[-*],
 *     each with its twin that has "remaining" in place of "reset".  Of those
 *     whose twin is 0 the latest counts; if there is none, the soonest of
 *     all.  A value is an RFC 3339 time, a duration ("1m2.5s", "20ms"), or
 *     a number: seconds, but from 10^9 on seconds since 1970, and from
 *     10^11 on milliseconds since 1970
 *  4. "retryDelay": "12s" in body (google.rpc.RetryInfo as JSON)
 *  5. the policy's default
 * Zero, negative, past and garbage count as absent; what is too large is
 * capped.  body: the error body or first error event of a limit.  For an
 * answer with status 2xx and without body, a good one, only reset headers
 * with a twin of 0 count; if there is none the result is 0.
 * wall_ms: the wall clock, ms since 1970.  *source is FO_FROM_NONE if the
 * result is 0.
 */
uint64_t failover_cooldown(const struct fo_policy *p,
    const struct http_head *h, struct str body, int64_t wall_ms,
    enum fo_source *source);

/*
 * Looks for the policy's texts in the first 8 KiB of an error body or first
 * error event, case ignored; stop_text first.  A text must lie within them
 * as a whole; an empty one is never found.
 * Returns FO_STOP_TEXT_FAULT, FO_RATE_TEXT_FAULT or FO_NONE_FAULT.
 */
enum fo_fault failover_text(const struct fo_policy *p, struct str body);

/* ---- when none is left (spec 9) ---- */

struct fo_none {
	int status;		/* 429, 502 or 503 */
	uint64_t retry_ms;	/* 0: say nothing */
};

/*
 * 429 with the soonest return if there are candidates and each one's last
 * obstacle was a limit; else 502 if an attempt of this request failed
 * otherwise; else 503 with the soonest return.  limited[i]: candidate i
 * answered 429 (or its like) to this request; failed: an attempt failed
 * otherwise.  n may be 0: 503, or 502 if failed.
 * Soonest: the least failover_wait() of all candidates, where 0 (not known,
 * or no candidate) is taken as 1 s: never 0 for 429 and 503.
 */
void failover_none(const struct fo_cand *c, const unsigned char *limited,
    size_t n, int failed, uint64_t now, struct fo_none *out);

#endif
