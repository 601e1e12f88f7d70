#include "failover.h"

#include <stdlib.h>
#include <string.h>

#define SECOND 1000u
#define TWICE_ABOVE 70u		/* a score that is worth a second try */
#define LOG_BITS 24		/* of the fraction of a logarithm */
#define PERMILLE 1000u
#define BUDGET_FLOOR 3u		/* attempts in a second */

/* ---- names ---- */

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

/* ---- the registry ---- */

void
failover_init(struct failover *f)
{
	memset(f, 0, sizeof *f);
	f->budget_percent = 20;
}

static void
backend_free(struct fo_backend *b)
{
	struct fo_backend *m;

	while ((m = b->models) != NULL) {
		b->models = m->next;
		fo_health_free(m);
	}
	fo_health_free(b);
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

/* The record of that name in a list, with one reference more, or NULL. */
static struct fo_backend *
record_find(struct fo_backend *b, struct str name)
{
	for (; b != NULL; b = b->next) {
		if (str_is(name, b->name)) {
			b->refs++;
			return b;
		}
	}
	return NULL;
}

static struct fo_backend *
record_new(struct failover *f, struct fo_backend **list, struct str name)
{
	struct fo_backend *b;

	if ((b = calloc(1, sizeof *b)) == NULL)
		goto err0;
	if ((b->name = str_dup(name)) == NULL)
		goto err1;
	b->state = FO_CLOSED;
	b->hash = util_hash(name.p, name.n);
	b->home = f;
	b->refs = 1;
	b->next = *list;
	*list = b;
	return b;
err1:	free(b);
err0:	return NULL;
}

static void
record_unlink(struct fo_backend **list, const struct fo_backend *b)
{
	for (; *list != NULL; list = &(*list)->next) {
		if (*list == b) {
			*list = b->next;
			break;
		}
	}
}

struct fo_backend *
failover_get(struct failover *f, struct str name)
{
	struct fo_backend *b = record_find(f->list, name);

	return b != NULL ? b : record_new(f, &f->list, name);
}

static int
is_clean(const struct fo_backend *b)
{
	return b->state == FO_CLOSED && b->failures == 0 &&
	    b->cool_until == 0 && b->lost == 0 && b->nfails == 0;
}

/* Makes room for one more model; -1 if none can go. */
static int
model_drop(struct fo_backend *b)
{
	struct fo_backend *m, *out = NULL;

	for (m = b->models; m != NULL; m = m->next) {
		if (m->refs > 0 || m->in_flight > 0)
			continue;
		if (out == NULL || is_clean(m) > is_clean(out) ||
		    (is_clean(m) == is_clean(out) && m->chosen < out->chosen))
			out = m;
	}
	if (out == NULL)
		return -1;
	record_unlink(&b->models, out);
	fo_health_free(out);
	b->nmodels--;
	return 0;
}

struct fo_backend *
failover_model(struct failover *f, struct fo_backend *b, struct str model)
{
	struct fo_backend *m;

	if (model.n == 0)
		return NULL;
	if ((m = record_find(b->models, model)) == NULL) {
		if (b->nmodels >= FO_MODELS_MAX && model_drop(b) == -1)
			return NULL;
		if ((m = record_new(f, &b->models, model)) == NULL)
			return NULL;
		m->parent = b;
		b->nmodels++;
	}
	m->chosen = ++f->sequence;
	return m;
}

void
failover_put(struct failover *f, struct fo_backend *b)
{
	if (b == NULL || --b->refs > 0 || b->parent != NULL)
		return;
	record_unlink(&f->list, b);
	backend_free(b);
}

static uint64_t
left(uint64_t until, uint64_t now)
{
	return until > now ? until - now : 0;
}

static uint64_t
most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t
failover_wait(const struct fo_backend *b, uint64_t now)
{
	return most(left(b->cool_until, now), left(b->open_until, now));
}

unsigned
failover_score(const struct fo_backend *b, const struct fo_policy *p,
    uint64_t now)
{
	return fo_health_score(b, p, now);
}

/* ---- the budget ---- */

static void
budget_count(struct failover *f, uint64_t now, int more)
{
	uint64_t second = now / SECOND;
	size_t i = (size_t)(second % FO_BUDGET_SECONDS);

	if (f->spent[i].second != second) {
		f->spent[i].second = second;
		f->spent[i].first = f->spent[i].more = 0;
	}
	if (more)
		f->spent[i].more++;
	else
		f->spent[i].first++;
}

static void
budget_answered(struct failover *f, uint64_t now)
{
	if (f == NULL)
		return;
	f->good_at = now;
	f->answered = 1;
}

int
failover_budget(struct failover *f, uint64_t now)
{
	uint64_t second = now / SECOND, first = 0, more = 0;
	size_t i;

	for (i = 0; i < FO_BUDGET_SECONDS; i++) {
		if (second - f->spent[i].second >= FO_BUDGET_SECONDS)
			continue;
		first += f->spent[i].first;
		more += f->spent[i].more;
	}
	if (!(f->answered &&
	    left(now, f->good_at) < FO_BUDGET_SECONDS * SECOND) &&
	    more * 100 >= first * f->budget_percent +
	    BUDGET_FLOOR * FO_BUDGET_SECONDS * 100)
		return 0;
	budget_count(f, now, 1);
	return 1;
}

/* ---- who may be tried ---- */

/* Of both records the first obstacle in the order of the enum. */
static enum fo_skip
ill(const struct fo_cand *c, const struct fo_policy *p, uint64_t now)
{
	enum fo_skip skip = fo_health_obstacle(c->b, p, now), other;

	if (c->model == NULL)
		return skip;
	other = fo_health_obstacle(c->model, p, now);
	if (skip == FO_SKIP_NONE || (other != FO_SKIP_NONE && other < skip))
		return other;
	return skip;
}

static enum fo_skip
full(const struct fo_cand *c)
{
	if (c->max_concurrent > 0 && c->b->in_flight >= c->max_concurrent)
		return FO_SKIP_BUSY;
	return c->rate_wait > 0 ? FO_SKIP_RATE : FO_SKIP_NONE;
}

/* It comes after all that do not cool. */
static int
last(const struct fo_cand *c, uint64_t now)
{
	return fo_health_last(c->b, now) ||
	    (c->model != NULL && fo_health_last(c->model, now));
}

static uint64_t
wait_of(const struct fo_cand *c, const struct fo_policy *p, uint64_t now)
{
	uint64_t wait = most(left(c->b->cool_until, now),
	    fo_health_wait(c->b, p, now));

	if (c->model != NULL) {
		wait = most(wait, left(c->model->cool_until, now));
		wait = most(wait, fo_health_wait(c->model, p, now));
	}
	return most(wait, c->rate_wait);
}

static void
survey(struct fo_cand *c, const struct fo_want *want,
    const struct fo_policy *p, uint64_t now)
{
	if (c->tried == 0 || c->tries == 0) {
		c->tries = want->max_tries > 0 ? want->max_tries : 1;
		if (c->tried == 0 && c->tries == 1 && fo_health_scored(p) &&
		    fo_health_score(c->b, p, now) > TWICE_ABOVE)
			c->tries = 2;
	}
	fo_health_notice(c->b, p, now);
	c->passed = 0;
	c->wait = wait_of(c, p, now);
	c->skip = FO_SKIP_TRIED;
	if (c->tried >= c->tries)
		return;
	c->skip = ill(c, p, now);
	if (c->skip == FO_SKIP_NONE)
		c->skip = full(c);
}

/* ---- one of a group ---- */

/* Those that may be tried and are equally good but for the strategy. */
struct group {
	struct fo_cand *c;
	size_t n;		/* candidates; not all are of the group */
	int priority, last;
	const struct fo_want *want;
	const struct fo_policy *p;
	uint64_t now;
};

static int
is_in(const struct group *g, size_t i)
{
	const struct fo_cand *c = &g->c[i];

	return c->skip == FO_SKIP_NONE && c->priority == g->priority &&
	    last(c, g->now) == g->last;
}

static uint64_t
weight(const struct fo_cand *c)
{
	return c->weight < FO_WEIGHT_MAX ? c->weight : FO_WEIGHT_MAX;
}

/* In units that are the same for all: the whole, or permille of it. */
static uint64_t
weight_now(const struct group *g, const struct fo_cand *c)
{
	return g->p->slow_start_ms == 0 ? weight(c) :
	    weight(c) * fo_health_ramp(c->b, g->p, g->now);
}

/* The first, or the first that this request has already tried. */
static size_t
pick_first(const struct group *g, int tried)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (is_in(g, i) && (!tried || g->c[i].tried > 0))
			break;
	return i;
}

static size_t
pick_weighted(const struct group *g)
{
	uint64_t sum = 0, at;
	size_t i;

	for (i = 0; i < g->n; i++)
		if (is_in(g, i))
			sum += weight_now(g, &g->c[i]);
	if (sum == 0)
		return pick_first(g, 0);
	at = g->want->random % sum;
	for (i = 0; i < g->n; i++) {
		if (!is_in(g, i))
			continue;
		if (at < weight_now(g, &g->c[i]))
			break;
		at -= weight_now(g, &g->c[i]);
	}
	return i;
}

/* 64 - log2(h), with LOG_BITS bits of fraction; at least 1. */
static uint64_t
log_of(uint64_t h)
{
	uint64_t log = 63, x = h > 0 ? h : 1, bit;

	for (; x >> 63 == 0; x <<= 1)
		log--;
	x >>= 32;
	for (bit = 0; bit < LOG_BITS; bit++) {
		x *= x;
		log = log << 1 | x >> 63;
		x >>= 31 + (x >> 63);
	}
	return ((uint64_t)64 << LOG_BITS) - log;
}

/*
 * Rendezvous: each backend draws -log(u) / weight for the key, and the least
 * has it.  That is the law of who comes first, so that each gets its part,
 * and what one draws does not depend on the others.
 */
static size_t
pick_sticky(const struct group *g)
{
	uint64_t w, h, log, best_w = 0, best_h = 0, best_log = 0;
	size_t i, best = g->n;

	for (i = 0; i < g->n; i++) {
		if (!is_in(g, i))
			continue;
		h = g->want->sticky;
		h = util_random(&h) ^ g->c[i].b->hash;
		h = util_random(&h);
		w = weight(&g->c[i]);
		log = log_of(h);
		if (best == g->n || log * best_w < best_log * w ||
		    (log * best_w == best_log * w && h > best_h)) {
			best = i;
			best_w = w;
			best_h = h;
			best_log = log;
		}
	}
	return best;
}

/* 1 if it is x's turn before y's. */
static int
turn_before(const struct group *g, const struct fo_cand *x,
    const struct fo_cand *y)
{
	uint64_t wx = weight_now(g, x), wy = weight_now(g, y), lx, ly;

	if (g->want->strategy == FO_LEAST_CONNECTIONS) {
		if ((wx == 0) != (wy == 0))
			return wy == 0;
		lx = x->b->in_flight * (wy > 0 ? wy : 1);
		ly = y->b->in_flight * (wx > 0 ? wx : 1);
		if (lx != ly)
			return lx < ly;
	}
	return x->b->chosen < y->b->chosen;
}

/*
 * Who comes back slowly loses its turn now and then, and waits for the next
 * like one that had it: so it gets exactly that part of its share.
 */
static int
turn_lost(const struct group *g, const struct fo_cand *c, uint64_t *random)
{
	return g->p->slow_start_ms > 0 &&
	    (g->want->strategy == FO_ROUND_ROBIN || c->b->in_flight == 0) &&
	    util_random(random) % PERMILLE >=
	    fo_health_ramp(c->b, g->p, g->now);
}

static void
record_chosen(struct fo_backend *b)
{
	if (b->home != NULL)
		b->chosen = ++b->home->sequence;
}

static size_t
pick_turn(const struct group *g)
{
	uint64_t random = g->want->random;
	size_t i, best, lost = g->n;

	for (;;) {
		best = g->n;
		for (i = 0; i < g->n; i++)
			if (is_in(g, i) && !g->c[i].passed &&
			    (best == g->n ||
			    turn_before(g, &g->c[i], &g->c[best])))
				best = i;
		if (best == g->n)
			return lost;
		if (!turn_lost(g, &g->c[best], &random))
			return best;
		if (lost == g->n)
			lost = best;
		g->c[best].passed = 1;
		record_chosen(g->c[best].b);
	}
}

static size_t
pick_group(const struct group *g)
{
	size_t i;

	if (g->want->strategy == FO_FAILOVER)
		return pick_first(g, 0);
	if ((i = pick_first(g, 1)) < g->n)
		return i;
	if (g->want->strategy == FO_WEIGHTED_RANDOM)
		return pick_weighted(g);
	if (g->want->strategy == FO_STICKY)
		return pick_sticky(g);
	return pick_turn(g);
}

/* ---- choosing ---- */

static size_t
choose(struct fo_cand *c, size_t n, const struct fo_want *want,
    const struct fo_policy *p, uint64_t now)
{
	struct group g;
	size_t i, best = n;
	int cold;

	g.c = c;
	g.n = n;
	g.priority = g.last = 0;
	g.want = want;
	g.p = p;
	g.now = now;
	for (i = 0; i < n; i++) {
		if (c[i].skip != FO_SKIP_NONE)
			continue;
		cold = last(&c[i], now);
		if (best == n || cold < g.last ||
		    (cold == g.last && c[i].priority < g.priority)) {
			best = i;
			g.priority = c[i].priority;
			g.last = cold;
		}
	}
	return best == n ? n : pick_group(&g);
}

static size_t
last_resort(struct fo_cand *c, size_t n, const struct fo_policy *p,
    uint64_t now)
{
	size_t i, best = n;

	for (i = 0; i < n; i++) {
		if (c[i].tried > 0 || full(&c[i]) != FO_SKIP_NONE ||
		    ill(&c[i], p, now) == FO_SKIP_NONE)
			continue;
		fo_health_lift(c[i].b, p, now);
		if (c[i].model != NULL)
			fo_health_lift(c[i].model, p, now);
		if (best == n)
			best = i;
	}
	if (best < n)
		c[best].skip = FO_SKIP_NONE;
	return best;
}

static void
take(struct fo_cand *c, const struct fo_policy *p, uint64_t now, int first,
    struct fo_ticket *t)
{
	t->b = c->b;
	fo_health_take(c->b, p, now, &t->part[0]);
	record_chosen(c->b);
	if (c->model != NULL)
		fo_health_take(c->model, p, now, &t->part[1]);
	t->trial = t->part[0].trial || t->part[1].trial;
	t->probe = t->part[0].probe || t->part[1].probe;
	if (first && c->b->home != NULL)
		budget_count(c->b->home, now, 0);
}

int
failover_pick(struct fo_cand *c, size_t n, const struct fo_want *want,
    const struct fo_policy *p, uint64_t now, struct fo_ticket *t)
{
	size_t i, best;
	int first = 1;

	memset(t, 0, sizeof *t);
	for (i = 0; i < n; i++) {
		survey(&c[i], want, p, now);
		first = first && c[i].tried == 0;
	}
	best = choose(c, n, want, p, now);
	if (best == n && want->last_resort &&
	    p->when_all_down == FO_ALL_DOWN_TRY) {
		best = last_resort(c, n, p, now);
		t->last_resort = best < n;
	}
	if (best == n)
		return -1;
	take(&c[best], p, now, first, t);
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
static enum fo_kind
kind_of(const struct fo_policy *p, const struct fo_outcome *o)
{
	enum fo_verdict v = failover_judge(p, o);
	int status = status_of(o);

	if (v == FO_SAME_FRESH || o->fault == FO_CLIENT_LEFT_FAULT ||
	    o->fault == FO_LOCAL_FAULT)
		return FO_KIND_NOTHING;
	if (o->fault == FO_RATE_TEXT_FAULT ||
	    (status == 429 && o->fault != FO_STOP_TEXT_FAULT))
		return FO_KIND_LIMITED;
	if (v == FO_COMMIT)
		return FO_KIND_GOOD;
	if (v == FO_RETURN)
		return FO_KIND_RETURNED;
	if (v == FO_NEXT && (status >= 401 && status <= 403) &&
	    (o->fault == FO_NONE_FAULT || o->fault == FO_STATUS_FAULT))
		return FO_KIND_BAD_KEY;
	return FO_KIND_STRIKE;
}

/* ---- booking ---- */

void
failover_commit(struct fo_ticket *t, const struct fo_policy *p,
    uint64_t now, struct fo_change *c)
{
	struct fo_backend *b = t->b;
	struct fo_change other;

	memset(c, 0, sizeof *c);
	if (b == NULL)
		return;
	memset(&other, 0, sizeof other);
	c->of = b;
	fo_health_commit(&t->part[0], p, now, c);
	if (t->part[1].b != NULL)
		fo_health_commit(&t->part[1], p, now, &other);
	t->trial = t->probe = 0;
	budget_answered(b->home, now);
	c->wait = failover_wait(b, now);
}

/* Ends one of the two parts of a ticket. */
static void
part_end(struct fo_part *t, enum fo_kind k, int cools,
    const struct fo_policy *p, const struct fo_outcome *o, uint64_t now,
    struct fo_change *c)
{
	struct fo_backend *b = t->b;
	int was = failover_is_down(b, p, now), is;

	c->of = b;
	fo_health_end(t, k, cools ? o->cool_ms : 0, o->cool_source, p, now, c);
	is = failover_is_down(b, p, now);
	c->fell = is && !was;
	c->rose = was && !is;
	c->wait = failover_wait(b, now);
}

void
failover_end(struct fo_ticket *t, const struct fo_policy *p,
    const struct fo_outcome *o, uint64_t now, struct fo_change *c)
{
	enum fo_kind k, own, theirs;
	struct fo_change other;
	int model;

	memset(c, 0, sizeof *c);
	if (t->b == NULL)
		return;
	memset(&other, 0, sizeof other);
	k = own = theirs = kind_of(p, o);
	model = t->part[1].b != NULL && o->model_only;
	if (k == FO_KIND_GOOD || k == FO_KIND_RETURNED)
		budget_answered(t->b->home, now);
	else if (model && k != FO_KIND_NOTHING)
		own = FO_KIND_REACHED;
	else
		theirs = FO_KIND_NOTHING;
	if (t->part[1].b != NULL)
		part_end(&t->part[1], theirs, model, p, o, now,
		    model ? c : &other);
	part_end(&t->part[0], own, !model, p, o, now, model ? &other : c);
	t->b = NULL;
}

/* ---- asking whether it is back ---- */

int
failover_is_down(const struct fo_backend *b, const struct fo_policy *p,
    uint64_t now)
{
	enum fo_skip skip = fo_health_obstacle(b, p, now);

	return skip != FO_SKIP_NONE && skip != FO_SKIP_TRIAL;
}

void
failover_checked(struct fo_backend *b, int ok, const struct fo_policy *p,
    uint64_t now, struct fo_change *c)
{
	int was = failover_is_down(b, p, now);

	memset(c, 0, sizeof *c);
	c->of = b;
	c->before = b->state;
	if (ok)
		fo_health_checked(b);
	c->after = b->state;
	c->rose = was && !failover_is_down(b, p, now);
	c->wait = failover_wait(b, now);
}

void
failover_clear(struct fo_backend *b, const struct fo_policy *p, uint64_t now,
    struct fo_change *c)
{
	int was = failover_is_down(b, p, now);
	struct fo_backend *m;

	memset(c, 0, sizeof *c);
	c->of = b;
	c->before = b->state;
	c->warmed = b->cool_until > now;
	fo_health_clear(b);
	for (m = b->models; m != NULL; m = m->next)
		fo_health_clear(m);
	c->after = b->state;
	c->rose = was != 0;
}

/* ---- when none is left ---- */

void
failover_none(const struct fo_cand *c, const unsigned char *limited,
    size_t n, int failed, const struct fo_policy *p, uint64_t now,
    struct fo_none *out)
{
	uint64_t wait, soonest = 0;
	size_t i, nlimited = 0;

	for (i = 0; i < n; i++) {
		nlimited += limited[i] != 0 || c[i].skip == FO_SKIP_RATE;
		if ((wait = wait_of(&c[i], p, now)) == 0)
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
