#ifndef LIMIT_H
#define LIMIT_H

/*
 * Sliding windows: at most N requests of a subject in any minute, and at
 * most so many tokens in any W minutes.  Pure: `now` is monotonic
 * milliseconds, given.
 *
 * A registry keeps the history of each subject (an access key, a backend, a
 * user) under its name.  It holds one kind of limit of one kind of subject:
 * users, whose names clients make up, stand in a registry of their own, so
 * that they cannot push an access key out.
 *
 * The limits themselves are arguments and not kept.  So a reload is nothing
 * to a registry: counts stay, and a new limit judges the old history.
 *
 * A window is open at its far end: what was recorded at t counts from t to
 * t + W - 1 ms.  Every stretch of W ms, wherever it begins, is judged.  A
 * now before the last record of a subject is taken as that.
 *
 * History is kept in runs of 8 bytes: a time and an amount.
 *  - Requests of the same ms share a run: exact, and at most 60,000 runs
 *    (512 KiB), whatever N.
 *  - Tokens of the same second share a run, which has the time of the last
 *    of them: no charge is forgotten early, and none more than 999 ms late.
 *    A whole week of seconds is 604,801 runs (8 MiB).
 * Four runs come with a subject.  It takes more when traffic fills them,
 * twice as many each time, and gives them back as they become empty.
 */

#include "base/util.h"

#define LIMIT_NAME_MAX 255	/* of longer names the first 255 bytes count */
#define LIMIT_MINUTES_MAX 10080	/* more is taken as this */

enum limit_rc {
	LIMIT_NOMEM = -1,	/* go ahead; it could not be recorded */
	LIMIT_OK,		/* go ahead */
	LIMIT_OVER		/* refuse */
};

struct limit_subject;

/* Fields are read by others (dashboard, log) and written only here. */
struct limit {
	struct limit_subject **list;	/* by name; owned */
	size_t n, cap;			/* subjects */
	size_t max_subjects;
	size_t runs, max_runs;		/* in histories of over four */
	struct limit_subject *oldest, *newest;	/* by last record */
	uint64_t forgotten;	/* subjects dropped before their time */
	uint64_t folded;	/* histories made coarser: tokens */
};

/*
 * max_subjects (0 is taken as 1) and max_runs bound what the registry can
 * take: about 400 bytes for a subject, and 8 for a run.  Subjects whose last
 * record has left the window are dropped on the way, two for each record at
 * most.  A new one that finds the registry full takes the place of the one
 * whose last record is the oldest, even if that is still in its window: its
 * counts are lost, and `forgotten` goes up.  Where all have the same window,
 * that is the one that would have become empty first.
 */
void limit_init(struct limit *l, size_t max_subjects, size_t max_runs);

/* Forgets everything; the registry is as after limit_init(). */
void limit_free(struct limit *l);

/*
 * Asks for one request of that name: at most n in any 60,000 ms; n of 0 is
 * no limit, and nothing is recorded.
 *
 * LIMIT_OK: allowed, and recorded.  LIMIT_OVER: refused, not recorded;
 * *wait is the time in ms (at least 1) until one would be allowed: not a ms
 * earlier, and then for certain if no other is taken.  LIMIT_NOMEM: allowed
 * but not recorded, because memory or max_runs are used up: a shortage
 * opens the limit and is for the log.  *wait is 0 unless refused.
 *
 * peek says what take would, OK or OVER, and records nothing: where several
 * limits must agree, peek at all of them first.
 */
enum limit_rc limit_requests_take(struct limit *l, struct str name,
    uint32_t n, uint64_t now, uint64_t *wait);
enum limit_rc limit_requests_peek(struct limit *l, struct str name,
    uint32_t n, uint64_t now, uint64_t *wait);

/*
 * LIMIT_OVER if the tokens charged to that name in the last `minutes` have
 * reached max, else LIMIT_OK.  max or minutes of 0: no limit.  *wait is the
 * time in ms until the sum falls below max, if nothing more is charged; 0
 * unless refused.  What is under way is not in the sum: several requests
 * at once may go past max together.
 *
 * The subject keeps `minutes`: a window that a reload makes longer sees what
 * had not left the shorter one.
 */
enum limit_rc limit_tokens_peek(struct limit *l, struct str name,
    uint32_t max, unsigned minutes, uint64_t now, uint64_t *wait);

/*
 * Charges what a request has really used, at its end.  minutes counts only
 * if nothing of the subject is in its window, for the last peek knows better
 * than a request that began under an older config; 0: nothing is recorded.
 * Charges of one second are summed up to 2^32 - 1, which is not below any
 * max.
 *
 * When memory or max_runs are used up, the history becomes coarser: its
 * runs are of two seconds, four, and so on until it fits, and stay so until
 * it is empty or a peek changes the window.  A charge leaves late by less
 * than that; with R runs for a window W that is less than 2 W / (R - 2), and
 * R is at least 4.  Nothing leaves early.  Each doubling counts in `folded`.
 * LIMIT_NOMEM: not recorded, because there was no memory for a new subject;
 * else LIMIT_OK.
 */
enum limit_rc limit_tokens_charge(struct limit *l, struct str name,
    uint64_t tokens, unsigned minutes, uint64_t now);

#endif
