#include "wire/failover_health.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE 60000u
#define SCORE_MAX 100u
#define SCORE_LIFT 10u		/* zeros at the last resort */
#define SCORE_SAVED 15u		/* at least, after a success */
#define PROBE_MS (10 * MINUTE)	/* longer cool-downs let one through */
#define RAMP_MIN 100u
#define RAMP_MAX 1000u

/* ---- names ---- */

const char *
fo_source_text(enum fo_source s)
{
	static const char *const list[] = {
		"none", "retry-after-ms", "retry-after", "reset header",
		"retryDelay", "default"
	};

	return list[s];
}

const char *
fo_skip_text(enum fo_skip s)
{
	static const char *const list[] = {
		"not skipped", "tried", "breaker open", "trial running",
		"down", "busy", "own rate limit"
	};

	return list[s];
}

/* ---- the policy ---- */

void
fo_policy_defaults(struct fo_policy *p)
{
	int s;

	memset(p, 0, sizeof *p);
	fo_on_set(p, 429, 1);
	for (s = 500; s <= 599; s++)
		fo_on_set(p, s, 1);
	p->health = FO_HEALTH_BREAKER;
	p->failure_threshold = 3;
	p->open_ms = 30000;
	p->half_open_requests = 1;
	p->score.success = 5;
	p->score.failure = 10;
	p->score.healthy_above = 20;
	p->score.recover_minutes = 5;
	p->window.ms = 140000;
	p->window.min_failures = 2;
	p->cooldown_ms = 60000;
	p->max_cooldown_ms = 86400000;
	p->when_all_down = FO_ALL_DOWN_FAIL;
	p->retry_text[p->nretry_text++] = str_of("rate limit");
	p->retry_text[p->nretry_text++] = str_of("rate_limit");
}

void
fo_on_set(struct fo_policy *p, int status, int on)
{
	unsigned char bit = (unsigned char)(1u << (status & 7));

	if (status < 100 || status > 599 || fo_on(p, status) == (on != 0))
		return;
	p->on[status >> 3] ^= bit;
}

int
fo_on(const struct fo_policy *p, int status)
{
	if (status < 100 || status > 599)
		return 0;
	return p->on[status >> 3] >> (status & 7) & 1;
}

/* A count of 0 in the policy would lock a backend out for ever. */
static unsigned
some(unsigned n)
{
	return n > 0 ? n : 1;
}

static int
counts(const struct fo_policy *p, unsigned kind)
{
	return ((p->health == 0 ? FO_HEALTH_BREAKER : p->health) & kind) != 0;
}

static int
counts_none(const struct fo_policy *p)
{
	return !counts(p, FO_HEALTH_BREAKER | FO_HEALTH_SCORE |
	    FO_HEALTH_WINDOW);
}

int
fo_health_scored(const struct fo_policy *p)
{
	return counts(p, FO_HEALTH_SCORE);
}

/* ---- the record ---- */

void
fo_health_free(struct fo_backend *b)
{
	free(b->fails);
	free(b->name);
	free(b);
}

static uint64_t
later(uint64_t now, uint64_t ms)
{
	return ms > UINT64_MAX - now ? UINT64_MAX : now + ms;
}

static uint64_t
left(uint64_t until, uint64_t now)
{
	return until > now ? until - now : 0;
}

/* The only place that changes the state of a breaker. */
static void
shift(struct fo_backend *b, enum fo_state to, uint64_t open_until)
{
	b->state = to;
	b->open_until = open_until;
	b->epoch++;
	if (to == FO_CLOSED)
		b->failures = 0;
}

static enum fo_skip
breaker_obstacle(const struct fo_backend *b, const struct fo_policy *p,
    uint64_t now)
{
	if (b->state == FO_CLOSED)
		return FO_SKIP_NONE;
	if (b->state == FO_OPEN && b->open_until > now)
		return FO_SKIP_OPEN;
	/*
	 * A breaker opens from half-open only by the end of a trial, so that
	 * the ones left over from then cannot fill every place.
	 */
	if (b->trials >= some(p->half_open_requests))
		return FO_SKIP_TRIAL;
	return FO_SKIP_NONE;
}

/* ---- the score ---- */

unsigned
fo_health_score(const struct fo_backend *b, const struct fo_policy *p,
    uint64_t now)
{
	uint64_t idle = left(now, b->used) / MINUTE, rises;
	uint64_t from = some(p->score.recover_minutes);

	if (b->lost == 0 || idle < from)
		return SCORE_MAX - b->lost;
	rises = idle - from + 1;
	if (rises >= b->lost || rises * some(p->score.success) >= b->lost)
		return SCORE_MAX;
	return SCORE_MAX - b->lost +
	    (unsigned)rises * some(p->score.success);
}

/* 100 is a score that can be reached: nothing is down for ever. */
static unsigned
score_limit(const struct fo_policy *p)
{
	return p->score.healthy_above < SCORE_MAX ? p->score.healthy_above :
	    SCORE_MAX - 1;
}

static uint64_t
score_wait(const struct fo_backend *b, const struct fo_policy *p,
    uint64_t now)
{
	unsigned gain = some(p->score.success), need, base;
	uint64_t minutes = some(p->score.recover_minutes);

	if (fo_health_score(b, p, now) > score_limit(p))
		return 0;
	base = SCORE_MAX - b->lost;
	need = score_limit(p) + 1 - base;
	minutes += (need + gain - 1) / gain - 1;
	return left(later(b->used, minutes * MINUTE), now);
}

/* What idle time gave is kept: from now on there is traffic again. */
static void
score_use(struct fo_backend *b, const struct fo_policy *p, uint64_t now)
{
	if (fo_health_scored(p))
		b->lost = SCORE_MAX - fo_health_score(b, p, now);
	b->used = now;
}

static void
score_end(struct fo_backend *b, enum fo_kind k, const struct fo_policy *p,
    uint64_t now)
{
	unsigned score;

	score_use(b, p, now);
	if (!fo_health_scored(p))
		return;
	score = SCORE_MAX - b->lost;
	if (k == FO_KIND_GOOD) {
		score = some(p->score.success) >= SCORE_MAX - score ?
		    SCORE_MAX : score + some(p->score.success);
		if (score < SCORE_SAVED)
			score = SCORE_SAVED;
	} else if (k == FO_KIND_STRIKE || k == FO_KIND_BAD_KEY)
		score -= p->score.failure < score ? p->score.failure : score;
	b->lost = SCORE_MAX - score;
}

void
fo_health_lift(struct fo_backend *b, const struct fo_policy *p, uint64_t now)
{
	if (!fo_health_scored(p) || fo_health_score(b, p, now) > 0)
		return;
	b->lost = SCORE_MAX - SCORE_LIFT;
	b->used = now;
}

/* ---- the window ---- */

static unsigned
window_min(const struct fo_policy *p)
{
	unsigned n = some(p->window.min_failures);

	return n < FO_WINDOW_MAX ? n : FO_WINDOW_MAX;
}

/*
 * Only failures are kept, and no more than make it down: an end that was
 * none makes those before it irrelevant for as long as they could count.
 */
static uint64_t
window_wait(const struct fo_backend *b, const struct fo_policy *p,
    uint64_t now)
{
	unsigned min = window_min(p), at;

	if (b->nfails < min ||
	    (b->answered && left(now, b->good_at) < p->window.ms))
		return 0;
	at = (b->fails_at + b->fails_cap - min) % b->fails_cap;
	return left(later(b->fails[at], p->window.ms), now);
}

/* Room for what the policy counts; without memory the old room serves. */
static void
window_grow(struct fo_backend *b, unsigned cap)
{
	uint64_t *fails;
	unsigned i;

	if (cap <= b->fails_cap)
		return;
	if ((fails = malloc(cap * sizeof *fails)) == NULL)
		return;
	for (i = 0; i < b->nfails; i++)
		fails[i] = b->fails[(b->fails_at + b->fails_cap - b->nfails +
		    i) % b->fails_cap];
	free(b->fails);
	b->fails = fails;
	b->fails_cap = cap;
	b->fails_at = b->nfails % cap;
}

static void
window_end(struct fo_backend *b, enum fo_kind k, const struct fo_policy *p,
    uint64_t now)
{
	if (!counts(p, FO_HEALTH_WINDOW))
		return;
	if (k == FO_KIND_GOOD || k == FO_KIND_RETURNED) {
		b->nfails = 0;
		b->good_at = now;
		b->answered = 1;
	}
	if (k != FO_KIND_STRIKE && k != FO_KIND_BAD_KEY)
		return;
	window_grow(b, window_min(p));
	if (b->fails_cap == 0)
		return;
	b->fails[b->fails_at] = now;
	b->fails_at = (b->fails_at + 1) % b->fails_cap;
	if (b->nfails < b->fails_cap)
		b->nfails++;
}

/* ---- all kinds together ---- */

enum fo_skip
fo_health_obstacle(const struct fo_backend *b, const struct fo_policy *p,
    uint64_t now)
{
	enum fo_skip skip = FO_SKIP_DOWN;

	if (counts_none(p))
		return FO_SKIP_NONE;
	if (counts(p, FO_HEALTH_BREAKER)) {
		skip = breaker_obstacle(b, p, now);
		if (skip == FO_SKIP_NONE)
			return skip;
	}
	if (fo_health_scored(p) && score_wait(b, p, now) == 0)
		return FO_SKIP_NONE;
	if (counts(p, FO_HEALTH_WINDOW) && window_wait(b, p, now) == 0)
		return FO_SKIP_NONE;
	return skip;
}

uint64_t
fo_health_wait(const struct fo_backend *b, const struct fo_policy *p,
    uint64_t now)
{
	uint64_t wait = UINT64_MAX, w;

	if (counts_none(p))
		return 0;
	if (counts(p, FO_HEALTH_BREAKER))
		wait = left(b->open_until, now);
	if (fo_health_scored(p) && (w = score_wait(b, p, now)) < wait)
		wait = w;
	if (counts(p, FO_HEALTH_WINDOW) &&
	    (w = window_wait(b, p, now)) < wait)
		wait = w;
	return wait;
}

int
fo_health_last(const struct fo_backend *b, uint64_t now)
{
	return b->cool_until > now &&
	    (b->probe_at == 0 || now < b->probe_at || b->probing);
}

/* ---- a ticket ---- */

void
fo_health_take(struct fo_backend *b, const struct fo_policy *p, uint64_t now,
    struct fo_part *t)
{
	int place = b->trials < some(p->half_open_requests);

	if (!counts(p, FO_HEALTH_BREAKER)) {
		if (b->state != FO_CLOSED)	/* an older policy's */
			shift(b, FO_CLOSED, 0);
	} else if (b->state == FO_OPEN && b->open_until <= now && place)
		shift(b, FO_HALF_OPEN, 0);
	t->b = b;
	t->epoch = b->epoch;
	t->cool_epoch = b->cool_epoch;
	t->trial = b->state == FO_HALF_OPEN && place;
	t->through = b->state != FO_CLOSED && !t->trial;
	t->probe = b->cool_until > now && !fo_health_last(b, now);
	if (t->trial)
		b->trials++;
	if (t->probe) {
		b->probing = 1;
		b->probe_at = later(now, PROBE_MS);
	}
	b->in_flight++;
	score_use(b, p, now);
}

/* Its place is free again, whatever the breaker became meanwhile. */
static void
trial_over(struct fo_part *t)
{
	if (t->trial)
		t->b->trials--;
	t->trial = 0;
}

/* What was sent before the limit was hit says nothing about it. */
static void
warm(struct fo_part *t)
{
	if (t->b->cool_epoch != t->cool_epoch)
		return;
	t->b->cool_until = 0;
	t->b->cool_source = FO_FROM_NONE;
}

void
fo_health_commit(struct fo_part *t, const struct fo_policy *p, uint64_t now,
    struct fo_change *c)
{
	struct fo_backend *b = t->b;
	int resolves = t->trial || t->through;

	c->before = b->state;
	trial_over(t);
	if (resolves && t->epoch == b->epoch) {
		shift(b, FO_CLOSED, 0);
		b->failures = some(p->failure_threshold) - 1;
		t->epoch = b->epoch;
	}
	t->through = 0;
	if (t->probe) {
		c->warmed = b->cool_until > now;
		warm(t);
		c->warmed = c->warmed && b->cool_until <= now;
		b->probing = 0;
		t->probe = 0;
	}
	c->after = b->state;
}

/* The breaker's part; the ticket is of the breaker's own epoch. */
static void
breaker_end(const struct fo_part *t, int trial, enum fo_kind k,
    const struct fo_policy *p, uint64_t now)
{
	struct fo_backend *b = t->b;

	switch (k) {
	case FO_KIND_NOTHING:
		return;
	case FO_KIND_GOOD:
		b->failures = 0;
		break;
	case FO_KIND_BAD_KEY:
		if (!t->through)
			shift(b, FO_OPEN, later(now, p->open_ms));
		return;
	case FO_KIND_STRIKE:
		/* Open it was, and its time does not begin anew. */
		if (t->through)
			return;
		if (trial || ++b->failures >= some(p->failure_threshold))
			shift(b, FO_OPEN, later(now, p->open_ms));
		return;
	case FO_KIND_LIMITED:
	case FO_KIND_RETURNED:
	case FO_KIND_REACHED:
		break;
	}
	if (trial || t->through)
		shift(b, FO_CLOSED, 0);
}

static void
cool(struct fo_backend *b, const struct fo_policy *p, uint64_t ms,
    enum fo_source source, uint64_t now, struct fo_change *c)
{
	uint64_t until;

	if (ms > p->max_cooldown_ms)
		ms = p->max_cooldown_ms;
	if (ms == 0)
		return;
	until = later(now, ms);
	b->cool_epoch++;
	b->out = 1;	/* it may be over before anyone looks */
	if (until <= b->cool_until)
		return;
	if (b->cool_until <= now || b->probe_at == 0)
		b->probe_at = ms > PROBE_MS ? later(now, PROBE_MS) : 0;
	b->cool_until = until;
	b->cool_source = source;
	c->cooled = 1;
}

void
fo_health_end(struct fo_part *t, enum fo_kind k, uint64_t cool_ms,
    enum fo_source source, const struct fo_policy *p, uint64_t now,
    struct fo_change *c)
{
	struct fo_backend *b = t->b;
	int trial = t->trial, cooling = b->cool_until > now;

	c->before = b->state;
	trial_over(t);
	b->in_flight--;
	if (t->probe)
		b->probing = 0;
	if (t->epoch == b->epoch && counts(p, FO_HEALTH_BREAKER))
		breaker_end(t, trial, k, p, now);
	score_end(b, k, p, now);
	window_end(b, k, p, now);
	if (k == FO_KIND_GOOD)
		warm(t);
	if (k == FO_KIND_LIMITED && cool_ms == 0)
		cool(b, p, p->cooldown_ms, FO_FROM_DEFAULT, now, c);
	else if (k == FO_KIND_GOOD || k == FO_KIND_LIMITED)
		cool(b, p, cool_ms, source, now, c);
	c->warmed = cooling && b->cool_until <= now;
	c->after = b->state;
	t->b = NULL;
}

void
fo_health_checked(struct fo_backend *b)
{
	if (b->state == FO_OPEN)
		shift(b, FO_HALF_OPEN, 0);
	b->nfails = 0;
}

void
fo_health_clear(struct fo_backend *b)
{
	shift(b, FO_CLOSED, 0);
	b->cool_until = b->probe_at = 0;
	b->cool_source = FO_FROM_NONE;
	b->lost = b->nfails = 0;
}

/* ---- slow start ---- */

void
fo_health_notice(struct fo_backend *b, const struct fo_policy *p,
    uint64_t now)
{
	int out = b->cool_until > now ||
	    (counts(p, FO_HEALTH_BREAKER) && b->state != FO_CLOSED) ||
	    fo_health_obstacle(b, p, now) != FO_SKIP_NONE;

	if (b->out && !out) {
		b->recovered = now;
		b->ramping = 1;
	}
	b->out = out != 0;
}

unsigned
fo_health_ramp(const struct fo_backend *b, const struct fo_policy *p,
    uint64_t now)
{
	uint64_t gone = left(now, b->recovered);

	if (b->out || !b->ramping || gone >= p->slow_start_ms)
		return RAMP_MAX;
	return RAMP_MIN + (unsigned)(gone * (RAMP_MAX - RAMP_MIN) /
	    p->slow_start_ms);
}
