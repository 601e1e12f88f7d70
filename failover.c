#include "failover.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 8192
#define SECOND 1000u
#define NUMBER_MAX ((uint64_t)1 << 53)	/* times SECOND fits an int64_t */
#define EPOCH_MIN ((uint64_t)1000000000 * SECOND)
#define EPOCH_MS_MIN ((uint64_t)100000000000 * SECOND)

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
		"not skipped", "tried", "breaker open", "trial running"
	};

	return list[s];
}

const char *
fo_phase_text(enum fo_phase p)
{
	static const char *const list[] = {
		"resolve", "connect", "tls", "send", "wait", "head", "hold",
		"body"
	};

	return list[p];
}

const char *
fo_fault_text(enum fo_fault f)
{
	static const char *const list[] = {
#define FO_X(a, s) s,
		FO_FAULTS(FO_X)
#undef FO_X
	};

	return list[f];
}

/* ---- the policy ---- */

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

/* ---- health ---- */

void
failover_init(struct failover *f)
{
	f->list = NULL;
}

static void
backend_free(struct fo_backend *b)
{
	free(b->name);
	free(b);
}

void
failover_free(struct failover *f)
{
	struct fo_backend *b;

	while ((b = f->list) != NULL) {
		f->list = b->next;
		backend_free(b);
	}
}

struct fo_backend *
failover_get(struct failover *f, struct str name)
{
	struct fo_backend *b;

	for (b = f->list; b != NULL; b = b->next) {
		if (str_is(name, b->name)) {
			b->refs++;
			return b;
		}
	}
	if ((b = calloc(1, sizeof *b)) == NULL)
		goto err0;
	if ((b->name = str_dup(name)) == NULL)
		goto err1;
	b->state = FO_CLOSED;
	b->refs = 1;
	b->next = f->list;
	f->list = b;
	return b;
err1:	free(b);
err0:	return NULL;
}

void
failover_put(struct failover *f, struct fo_backend *b)
{
	struct fo_backend **at;

	if (b == NULL || --b->refs > 0)
		return;
	for (at = &f->list; *at != NULL; at = &(*at)->next) {
		if (*at == b) {
			*at = b->next;
			break;
		}
	}
	backend_free(b);
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

uint64_t
failover_wait(const struct fo_backend *b, uint64_t now)
{
	uint64_t cool = left(b->cool_until, now);
	uint64_t open = left(b->open_until, now);

	return cool > open ? cool : open;
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

/* ---- choosing ---- */

static enum fo_skip
obstacle(const struct fo_cand *c, unsigned max_tries,
    const struct fo_policy *p, uint64_t now)
{
	const struct fo_backend *b = c->b;

	if (c->tried >= some(max_tries))
		return FO_SKIP_TRIED;
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

/* 1 if x goes before y, which stands further up in the list. */
static int
before(const struct fo_cand *x, const struct fo_cand *y, uint64_t now)
{
	int xcool = x->b->cool_until > now, ycool = y->b->cool_until > now;

	if (xcool != ycool)
		return ycool;
	return x->priority < y->priority;
}

static void
take(struct fo_backend *b, struct fo_ticket *t)
{
	if (b->state == FO_OPEN)
		shift(b, FO_HALF_OPEN, 0);
	t->b = b;
	t->epoch = b->epoch;
	t->cool_epoch = b->cool_epoch;
	t->trial = b->state == FO_HALF_OPEN;
	if (t->trial)
		b->trials++;
	b->in_flight++;
}

int
failover_pick(struct fo_cand *c, size_t n, unsigned max_tries,
    const struct fo_policy *p, uint64_t now, struct fo_ticket *t)
{
	size_t i, best = n;

	for (i = 0; i < n; i++) {
		c[i].skip = obstacle(&c[i], max_tries, p, now);
		c[i].wait = failover_wait(c[i].b, now);
		if (c[i].skip == FO_SKIP_NONE &&
		    (best == n || before(&c[i], &c[best], now)))
			best = i;
	}
	t->b = NULL;
	if (best == n)
		return -1;
	take(c[best].b, t);
	return (int)best;
}

/* ---- judging ---- */

static int
good_status(int status)
{
	return status >= 200 && status <= 299;
}

/* The status that counts. */
static int
status_of(const struct fo_outcome *o)
{
	return o->bad_key ? 401 : o->status;
}

static int
stale(const struct fo_outcome *o)
{
	return o->reused && !o->any_bytes &&
	    (o->fault == FO_CLOSED_FAULT || o->fault == FO_CONNECT_FAULT ||
	    o->fault == FO_TLS_FAULT);
}

enum fo_verdict
failover_judge(const struct fo_policy *p, const struct fo_outcome *o)
{
	int committed = o->phase == FO_BODY;

	if (o->fault == FO_CLIENT_LEFT_FAULT)
		return FO_GIVE_UP;
	if (o->fault == FO_STOP_TEXT_FAULT)
		return FO_RETURN;
	if (committed && o->fault != FO_NONE_FAULT)
		return FO_GIVE_UP;
	if (stale(o))
		return FO_SAME_FRESH;
	if (o->fault != FO_NONE_FAULT)
		return FO_NEXT;
	if (!committed && (o->status < 200 || fo_on(p, status_of(o))))
		return FO_NEXT;
	return good_status(status_of(o)) ? FO_COMMIT : FO_RETURN;
}

/* What an outcome means for the health of its backend. */
enum kind { NOTHING, LIMITED, GOOD, RETURNED, BAD_KEY, STRIKE };

static enum kind
kind_of(const struct fo_policy *p, const struct fo_outcome *o)
{
	enum fo_verdict v = failover_judge(p, o);
	int status = status_of(o);

	if (v == FO_SAME_FRESH || o->fault == FO_CLIENT_LEFT_FAULT ||
	    o->fault == FO_LOCAL_FAULT)
		return NOTHING;
	if (o->fault == FO_RATE_TEXT_FAULT ||
	    (status == 429 && o->fault != FO_STOP_TEXT_FAULT))
		return LIMITED;
	if (v == FO_COMMIT)
		return GOOD;
	if (v == FO_RETURN)
		return RETURNED;
	if (v == FO_NEXT && (status >= 401 && status <= 403) &&
	    (o->fault == FO_NONE_FAULT || o->fault == FO_STATUS_FAULT))
		return BAD_KEY;
	return STRIKE;
}

/* The breaker's part; the ticket is of the breaker's own epoch. */
static void
book(struct fo_backend *b, int trial, enum kind k, const struct fo_policy *p,
    uint64_t now)
{
	switch (k) {
	case NOTHING:
		return;
	case GOOD:
		b->failures = 0;
		break;
	case BAD_KEY:
		shift(b, FO_OPEN, later(now, p->open_ms));
		return;
	case STRIKE:
		if (trial || ++b->failures >= some(p->failure_threshold))
			shift(b, FO_OPEN, later(now, p->open_ms));
		return;
	case LIMITED:
	case RETURNED:
		break;
	}
	if (trial)
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
	if (until > b->cool_until) {
		b->cool_until = until;
		b->cool_source = source;
		c->cooled = 1;
	}
}

/* The cool-down's part, whatever became of the breaker. */
static void
temper(struct fo_backend *b, uint64_t cool_epoch, enum kind k,
    const struct fo_policy *p, const struct fo_outcome *o, uint64_t now,
    struct fo_change *c)
{
	int was = b->cool_until > now;

	/* What was sent before the limit was hit says nothing about it. */
	if (k == GOOD && b->cool_epoch == cool_epoch) {
		b->cool_until = 0;
		b->cool_source = FO_FROM_NONE;
	}
	if (k == LIMITED && o->cool_ms == 0)
		cool(b, p, p->cooldown_ms, FO_FROM_DEFAULT, now, c);
	else if (k == GOOD || k == LIMITED)
		cool(b, p, o->cool_ms, o->cool_source, now, c);
	c->warmed = was && b->cool_until <= now;
}

/* Its place is free again, whatever the breaker became meanwhile. */
static void
trial_over(struct fo_ticket *t)
{
	t->b->trials--;
	t->trial = 0;
}

void
failover_commit(struct fo_ticket *t, const struct fo_policy *p,
    struct fo_change *c)
{
	struct fo_backend *b = t->b;

	memset(c, 0, sizeof *c);
	if (b == NULL)
		return;
	c->before = c->after = b->state;
	if (!t->trial)
		return;
	trial_over(t);
	if (t->epoch == b->epoch) {
		shift(b, FO_CLOSED, 0);
		b->failures = some(p->failure_threshold) - 1;
		t->epoch = b->epoch;
		c->after = b->state;
	}
}

void
failover_end(struct fo_ticket *t, const struct fo_policy *p,
    const struct fo_outcome *o, uint64_t now, struct fo_change *c)
{
	struct fo_backend *b = t->b;
	enum kind k;
	int trial;

	memset(c, 0, sizeof *c);
	if (b == NULL)
		return;
	c->before = b->state;
	k = kind_of(p, o);
	trial = t->trial;
	if (trial)
		trial_over(t);
	b->in_flight--;
	if (t->epoch == b->epoch)
		book(b, trial, k, p, now);
	temper(b, t->cool_epoch, k, p, o, now, c);
	t->b = NULL;
	c->after = b->state;
	c->wait = failover_wait(b, now);
}

/* ---- reading what providers say ---- */

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Reads digits [ "." digits ], in units of `unit` (1 or 1000), rounded up.
 * Too large is not wrong: it is for ever.
 */
static int
decimal(struct str s, unsigned unit, uint64_t *out)
{
	uint64_t v = 0;
	unsigned scale = unit, more = 0;
	size_t i;

	for (i = 0; i < s.n && is_digit(s.p[i]); i++) {
		v = v * 10 + (unsigned)(s.p[i] - '0');
		if (v > NUMBER_MAX)
			v = NUMBER_MAX;
	}
	if (i == 0 || (i < s.n && (s.p[i] != '.' || i + 1 == s.n)))
		return -1;
	v *= unit;
	for (i++; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return -1;
		if (scale > 1) {
			scale /= 10;
			v += scale * (unsigned)(s.p[i] - '0');
		} else if (s.p[i] != '0') {
			more = 1;
		}
	}
	*out = v + more;
	return 0;
}

/* "12", "12s", "1m2.5s", "20ms" as milliseconds. */
static int
span(struct str s, uint64_t *out)
{
	if (s.n > 0 && s.p[s.n - 1] == 's' &&
	    decimal(str_n(s.p, s.n - 1), SECOND, out) == 0)
		return 0;
	return util_duration(s, out);
}

/* From the wall clock to a time in the future; 0 if it is past. */
static uint64_t
ahead(int64_t at_ms, int64_t wall_ms)
{
	return at_ms > wall_ms ? (uint64_t)at_ms - (uint64_t)wall_ms : 0;
}

static uint64_t
retry_after(struct str s, int64_t wall_ms)
{
	uint64_t ms;
	int64_t at;

	if (decimal(s, SECOND, &ms) == 0)
		return ms;
	if (util_http_date(s, wall_ms / SECOND, &at) == 0)
		return ahead(at * SECOND, wall_ms);
	return 0;
}

/* The value of a reset header, in ms from now; 0: none. */
static uint64_t
reset_value(struct str s, int64_t wall_ms)
{
	uint64_t ms;
	int64_t at;

	if (decimal(s, SECOND, &ms) == 0) {
		if (ms < EPOCH_MIN)
			return ms;
		at = (int64_t)(ms < EPOCH_MS_MIN ? ms : ms / SECOND);
		return ahead(at, wall_ms);
	}
	if (util_rfc3339(s, &at) == 0)
		return ahead(at, wall_ms);
	return span(s, &ms) == 0 ? ms : 0;
}

/* Where the word "reset" stands in the name of a reset header; 0: none. */
static size_t
reset_word(struct str name)
{
	static const char a[] = "anthropic-ratelimit-", x[] = "x-ratelimit-";
	size_t an = sizeof a - 1, xn = sizeof x - 1, rn = 5;

	if (name.n > an + rn && str_casestarts(name, a) &&
	    str_caseis(str_n(name.p + name.n - rn - 1, rn + 1), "-reset"))
		return name.n - rn;
	if (name.n >= xn + rn && str_casestarts(name, x) &&
	    str_caseis(str_n(name.p + xn, rn), "reset") &&
	    (name.n == xn + rn || name.p[xn + rn] == '-'))
		return xn;
	return 0;
}

/* 1 if the twin of a reset header says that nothing remains. */
static int
exhausted(const struct http_head *h, struct str name, size_t at)
{
	static const char word[] = "remaining";
	size_t wn = sizeof word - 1, rest = name.n - at - 5;
	struct str twin;
	uint64_t value;
	unsigned i;

	for (i = 0; i < h->nfields; i++) {
		twin = h->fields[i].name;
		if (twin.n == at + wn + rest &&
		    str_caseeq(str_n(twin.p, at), str_n(name.p, at)) &&
		    str_caseis(str_n(twin.p + at, wn), word) &&
		    str_caseeq(str_n(twin.p + at + wn, rest),
		    str_n(name.p + at + 5, rest)))
			return decimal(h->fields[i].value, 1, &value) == 0 &&
			    value == 0;
	}
	return 0;
}

/* The latest of the exhausted ones, else the soonest of all if not good. */
static uint64_t
reset_headers(const struct http_head *h, int64_t wall_ms, int good)
{
	uint64_t ms, latest = 0, soonest = 0;
	struct str name;
	unsigned i;
	size_t at;

	for (i = 0; i < h->nfields; i++) {
		name = h->fields[i].name;
		if ((at = reset_word(name)) == 0)
			continue;
		if ((ms = reset_value(h->fields[i].value, wall_ms)) == 0)
			continue;
		if (soonest == 0 || ms < soonest)
			soonest = ms;
		if (ms > latest && exhausted(h, name, at))
			latest = ms;
	}
	return latest > 0 || good ? latest : soonest;
}

/* What follows white space and c; empty if c is not there. */
static struct str
after(struct str s, char c)
{
	size_t n = 0;

	while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t' ||
	    s.p[n] == '\r' || s.p[n] == '\n'))
		n++;
	if (n == s.n || s.p[n] != c)
		return str_n(NULL, 0);
	return str_n(s.p + n + 1, s.n - n - 1);
}

/* No JSON reader: the body may be cut short, or be an event's data. */
static uint64_t
retry_info(struct str body)
{
	static const char key[] = "\"retryDelay\"";
	size_t skip;
	struct str value;
	uint64_t ms;
	long at;

	while ((at = str_casefind(body, str_of(key))) >= 0) {
		skip = (size_t)at + sizeof key - 1;
		body = str_n(body.p + skip, body.n - skip);
		value = after(after(body, ':'), '"');
		at = str_casefind(value, str_of("\""));
		if (at >= 0 && span(str_n(value.p, (size_t)at), &ms) == 0 &&
		    ms > 0)
			return ms;
	}
	return 0;
}

uint64_t
failover_cooldown(const struct fo_policy *p, const struct http_head *h,
    struct str body, int64_t wall_ms, enum fo_source *source)
{
	int good = good_status(h->status) && body.n == 0;
	uint64_t ms = 0;

	*source = FO_FROM_RETRY_AFTER_MS;
	if (!good && decimal(http_get(h, HTTP_RETRY_AFTER_MS), 1, &ms) == -1)
		ms = 0;
	if (!good && ms == 0) {
		*source = FO_FROM_RETRY_AFTER;
		ms = retry_after(http_get(h, HTTP_RETRY_AFTER), wall_ms);
	}
	if (ms == 0) {
		*source = FO_FROM_RESET_HEADER;
		ms = reset_headers(h, wall_ms, good);
	}
	if (!good && ms == 0) {
		*source = FO_FROM_RETRY_INFO;
		ms = retry_info(body);
	}
	if (!good && ms == 0) {
		*source = FO_FROM_DEFAULT;
		ms = p->cooldown_ms;
	}
	if (ms > p->max_cooldown_ms)
		ms = p->max_cooldown_ms;
	if (ms == 0)
		*source = FO_FROM_NONE;
	return ms;
}

static int
has_text(const struct str *list, unsigned n, struct str body)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (str_casefind(body, list[i]) >= 0)
			return 1;
	return 0;
}

enum fo_fault
failover_text(const struct fo_policy *p, struct str body)
{
	if (body.n > TEXT_MAX)
		body.n = TEXT_MAX;
	if (has_text(p->stop_text, p->nstop_text, body))
		return FO_STOP_TEXT_FAULT;
	if (has_text(p->retry_text, p->nretry_text, body))
		return FO_RATE_TEXT_FAULT;
	return FO_NONE_FAULT;
}

/* ---- when none is left ---- */

void
failover_none(const struct fo_cand *c, const unsigned char *limited,
    size_t n, int failed, uint64_t now, struct fo_none *out)
{
	uint64_t wait, soonest = 0;
	size_t i, nlimited = 0;

	for (i = 0; i < n; i++) {
		nlimited += limited[i] != 0;
		if ((wait = failover_wait(c[i].b, now)) == 0)
			wait = SECOND;
		if (soonest == 0 || wait < soonest)
			soonest = wait;
	}
	out->retry_ms = soonest > 0 ? soonest : SECOND;
	if (n > 0 && nlimited == n) {
		out->status = 429;
	} else if (failed) {
		out->status = 502;
		out->retry_ms = 0;
	} else {
		out->status = 503;
	}
}
