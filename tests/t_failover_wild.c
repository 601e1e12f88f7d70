#include "failover.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

/*
 * Random requests with every feature at once: all kinds of health, models,
 * strategies, last resort, probes, health checks.  What must hold whatever
 * happens is checked at each step; score and window against a naive
 * account.  A run ends at the first difference.
 */

#define BACKENDS 5
#define MODELS 2
#define RECORDS (BACKENDS * (1 + MODELS))
#define OUT_MAX 30
#define ENDS 4096
#define RUNS 60
#define STEPS 6000
#define MINUTE 60000u

/* The account of one record. */
struct account {
	struct fo_backend *r;
	int score;
	uint64_t used;
	struct {
		uint64_t at;
		int failed;
	} ends[ENDS];
	unsigned long nends;
	uint64_t probed;		/* when the last probe began */
	int had_probe;
};

struct out {
	struct fo_ticket t;
	unsigned who[2], n;		/* accounts */
	unsigned trial[2];
};

struct world {
	struct fo_policy p;
	struct failover f;
	struct account a[RECORDS];
	struct out out[OUT_MAX];
	unsigned nout;
	unsigned mood[BACKENDS];	/* percent of good answers */
	uint64_t now, seed;
	unsigned long picks, resorts, probes, trials, none, through;
	const char *wrong;
	int line;
};

#define S_OK(cond) do { \
	if (!(cond) && w->wrong == NULL) { \
		w->wrong = #cond; \
		w->line = __LINE__; \
	} \
} while (0)

static unsigned
dice(struct world *w, unsigned n)
{
	return (unsigned)(util_random(&w->seed) % n);
}

/* ---- the naive account ---- */

static int
account_score(const struct world *w, const struct account *a)
{
	uint64_t t = a->used + w->p.score.recover_minutes * MINUTE;
	int score = a->score;

	for (; t <= w->now && score < 100; t += MINUTE)
		score += (int)w->p.score.success;
	return score < 100 ? score : 100;
}

static int
account_window(const struct world *w, const struct account *a)
{
	unsigned long i, n = 0;

	for (i = a->nends; i > 0 && a->nends - i < ENDS; i--) {
		if (a->ends[(i - 1) % ENDS].at + w->p.window.ms <= w->now)
			break;
		if (!a->ends[(i - 1) % ENDS].failed)
			return 0;
		n++;
	}
	return n >= w->p.window.min_failures;
}

static int
account_down(const struct world *w, const struct account *a)
{
	const struct fo_backend *r = a->r;

	if (w->p.health == FO_HEALTH_NONE)
		return 0;
	if (w->p.health & FO_HEALTH_BREAKER && (r->state == FO_CLOSED ||
	    (!(r->state == FO_OPEN && r->open_until > w->now) &&
	    r->trials < w->p.half_open_requests)))
		return 0;
	if (w->p.health & FO_HEALTH_SCORE &&
	    account_score(w, a) > (int)w->p.score.healthy_above)
		return 0;
	return !(w->p.health & FO_HEALTH_WINDOW && !account_window(w, a));
}

static void
account_use(struct world *w, struct account *a)
{
	a->score = account_score(w, a);
	a->used = w->now;
}

static void
account_end(struct world *w, struct account *a, int good, int failed)
{
	account_use(w, a);
	if (good) {
		a->score += (int)w->p.score.success;
		if (a->score < 15)
			a->score = 15;
		if (a->score > 100)
			a->score = 100;
	}
	if (failed) {
		a->score -= (int)w->p.score.failure;
		if (a->score < 0)
			a->score = 0;
	}
}

static void
account_note(struct world *w, struct account *a, int failed)
{
	a->ends[a->nends % ENDS].at = w->now;
	a->ends[a->nends % ENDS].failed = failed;
	a->nends++;
}

static unsigned
count(const struct world *w, unsigned who, int trials)
{
	unsigned i, j, n = 0;

	for (i = 0; i < w->nout; i++)
		for (j = 0; j < w->out[i].n; j++)
			n += w->out[i].who[j] == who &&
			    (!trials || w->out[i].trial[j]);
	return n;
}

static void
check_record(struct world *w, unsigned who)
{
	const struct account *a = &w->a[who];
	const struct fo_backend *r = a->r;
	uint64_t wait = fo_health_wait(r, &w->p, w->now);
	int down = failover_is_down(r, &w->p, w->now);

	S_OK(r->trials == count(w, who, 1));
	S_OK(r->in_flight == count(w, who, 0));
	S_OK(r->trials <= w->p.half_open_requests);
	S_OK(r->state != FO_CLOSED || r->failures < w->p.failure_threshold);
	S_OK((r->state == FO_OPEN) == (r->open_until != 0));
	if (w->p.health & FO_HEALTH_BREAKER)
		S_OK(r->state != FO_OPEN || r->open_until <= w->now +
		    w->p.open_ms);
	else
		S_OK(r->state == FO_CLOSED);
	if (w->p.health & FO_HEALTH_SCORE)
		S_OK((int)failover_score(r, &w->p, w->now) ==
		    account_score(w, a));
	S_OK((fo_health_obstacle(r, &w->p, w->now) != FO_SKIP_NONE) ==
	    account_down(w, a));
	/* Back at the moment that was said, and no earlier. */
	S_OK(!down || wait > 0);
	S_OK(wait <= w->p.open_ms || !(w->p.health & FO_HEALTH_BREAKER));
	if (down && !(w->p.health & FO_HEALTH_WINDOW)) {
		S_OK(failover_is_down(r, &w->p, w->now + wait - 1));
		S_OK(!failover_is_down(r, &w->p, w->now + wait));
	}
	S_OK(r->cool_until <= w->now + w->p.max_cooldown_ms);
}

/* ---- choosing ---- */

static int
full(const struct fo_cand *c)
{
	return (c->max_concurrent > 0 && c->b->in_flight >=
	    c->max_concurrent) || c->rate_wait > 0;
}

/* 0 can be tried; 1 only as the last resort; 2 not at all. */
static int
state_of(const struct world *w, const struct fo_cand *c,
    const unsigned (*who)[2])
{
	if (c->tried >= c->tries || full(c))
		return 2;
	if (account_down(w, &w->a[(*who)[0]]) ||
	    (c->model != NULL && account_down(w, &w->a[(*who)[1]])))
		return c->tried > 0 ? 2 : 1;
	return 0;
}

static int
cold(const struct world *w, const struct fo_cand *c)
{
	return fo_health_last(c->b, w->now) ||
	    (c->model != NULL && fo_health_last(c->model, w->now));
}

static int
rank(const struct world *w, const struct fo_cand *c)
{
	return cold(w, c) * 1000 + c->priority;
}

/* What each strategy promises, where nothing comes back slowly. */
static void
check_strategy(struct world *w, const struct fo_want *want,
    const struct fo_cand *x, const struct fo_cand *got, int before)
{
	if (want->strategy == FO_FAILOVER) {
		S_OK(!before);
		return;
	}
	S_OK(x->tried == 0 || got->tried > 0);
	if (got->tried > 0 || w->p.slow_start_ms > 0)
		return;
	if (want->strategy == FO_ROUND_ROBIN)
		S_OK(got->b->chosen <= x->b->chosen);
	if (want->strategy == FO_ROUND_ROBIN || x->weight == 0)
		return;
	S_OK(got->weight > 0);
	if (want->strategy == FO_LEAST_CONNECTIONS)
		S_OK((uint64_t)got->b->in_flight * x->weight <=
		    (uint64_t)x->b->in_flight * got->weight);
}

/* The records as they were when it was picked are still in *c's accounts. */
static void
check_pick(struct world *w, const struct fo_cand *c,
    const unsigned (*who)[2], unsigned n, const struct fo_want *want,
    int got, int resort)
{
	unsigned i;
	int state, may = want->last_resort &&
	    w->p.when_all_down == FO_ALL_DOWN_TRY;

	for (i = 0; i < n; i++) {
		state = state_of(w, &c[i], &who[i]);
		if (got < 0) {
			S_OK(state == 2 || (state == 1 && !may));
			continue;
		}
		if ((int)i == got) {
			S_OK(state == resort);
			continue;
		}
		if (resort)
			S_OK(state == 2 || (state == 1 && (int)i > got));
		if (resort || state != 0)
			continue;
		S_OK(rank(w, &c[got]) <= rank(w, &c[i]));
		if (rank(w, &c[got]) == rank(w, &c[i]))
			check_strategy(w, want, &c[i], &c[got], (int)i < got);
	}
}

static void
check_probe(struct world *w, struct account *a, const struct fo_part *t)
{
	if (!t->probe)
		return;
	S_OK(a->r->cool_until > w->now);
	S_OK(!a->had_probe || w->now - a->probed >= 10 * MINUTE);
	a->had_probe = 1;
	a->probed = w->now;
	w->probes++;
}

static void
took(struct world *w, struct out *o, const unsigned (*who)[2], int model)
{
	unsigned j;

	o->n = model ? 2 : 1;
	for (j = 0; j < o->n; j++) {
		struct account *a = &w->a[(*who)[j]];

		o->who[j] = (*who)[j];
		o->trial[j] = o->t.part[j].trial;
		w->trials += o->trial[j];
		w->through += o->t.part[j].through;
		check_probe(w, a, &o->t.part[j]);
		account_use(w, a);
	}
	w->nout++;
	for (j = 0; j < o->n; j++)
		check_record(w, o->who[j]);
}

/* Before a last resort zeros are raised: the account is told after it. */
static void
lift(struct world *w, const struct fo_cand *c, const unsigned (*who)[2],
    unsigned n)
{
	unsigned i, j;

	if (!(w->p.health & FO_HEALTH_SCORE))
		return;
	for (i = 0; i < n; i++) {
		if (c[i].tried > 0 || full(&c[i]))
			continue;
		for (j = 0; j < (c[i].model != NULL ? 2u : 1u); j++) {
			struct account *a = &w->a[who[i][j]];

			if (account_score(w, a) == 0) {
				a->score = 10;
				a->used = w->now;
			}
		}
	}
}

/*
 * A copy of the records is what check_pick() looks at: the pick itself has
 * changed them already.
 */
static int
pick(struct world *w, struct fo_cand *c, const unsigned (*who)[2],
    unsigned n, const struct fo_want *want)
{
	static struct fo_backend copies[RECORDS];
	struct fo_backend *real[RECORDS];
	struct fo_cand seen[BACKENDS];
	struct out *o = &w->out[w->nout];
	unsigned i;
	int got;

	for (i = 0; i < RECORDS; i++) {
		real[i] = w->a[i].r;
		copies[i] = *real[i];
	}
	got = failover_pick(c, n, want, &w->p, w->now, &o->t);
	S_OK((got < 0) == (o->t.b == NULL));
	S_OK(got < 0 || (c[got].skip == FO_SKIP_NONE && c[got].b == o->t.b));
	memcpy(seen, c, n * sizeof *c);
	for (i = 0; i < n; i++) {
		seen[i].b = &copies[who[i][0]];
		if (c[i].model != NULL)
			seen[i].model = &copies[who[i][1]];
	}
	for (i = 0; i < RECORDS; i++)
		w->a[i].r = &copies[i];
	check_pick(w, seen, who, n, want, got, o->t.last_resort);
	if (got >= 0 && o->t.last_resort)
		lift(w, seen, who, n);
	for (i = 0; i < RECORDS; i++)
		w->a[i].r = real[i];
	if (got < 0) {
		w->none++;
		return -1;
	}
	w->picks++;
	w->resorts += o->t.last_resort;
	took(w, o, &who[got], c[got].model != NULL);
	c[got].tried++;
	return got;
}

/* ---- ends ---- */

static void
end(struct world *w, unsigned i, int good_only)
{
	static const int statuses[] = { 200, 500, 429, 404, 402, 0, -1 };
	struct out o = w->out[i];
	struct fo_outcome oc;
	struct fo_change k;
	int status = statuses[dice(w, 7)], good, failed, model, down;

	if (good_only || dice(w, 100) < w->mood[o.who[0] / (1 + MODELS)])
		status = 200;
	memset(&oc, 0, sizeof oc);
	oc.phase = FO_HOLD;
	oc.any_bytes = 1;
	oc.status = status;
	if (status <= 0)
		oc.fault = status == 0 ? FO_TIMEOUT_FAULT :
		    FO_CLIENT_LEFT_FAULT;
	oc.model_only = dice(w, 4) == 0;
	if (status == 429)
		oc.cool_ms = dice(w, 3) == 0 ? 1 + dice(w, 3600000) :
		    dice(w, 20000);
	else if (status == 200 && !good_only && dice(w, 20) == 0)
		oc.cool_ms = 1 + dice(w, 20000);
	good = status == 200;
	failed = status == 500 || status == 402 || status == 0;
	model = oc.model_only && o.n == 2;
	down = failover_is_down(w->a[o.who[model]].r, &w->p, w->now);
	failover_end(&o.t, &w->p, &oc, w->now, &k);
	S_OK(o.t.b == NULL);
	w->out[i] = w->out[--w->nout];
	account_end(w, &w->a[o.who[0]], good, failed && !model);
	if (good || status == 404 || (failed && !model))
		account_note(w, &w->a[o.who[0]], failed);
	if (o.n == 2) {
		account_end(w, &w->a[o.who[1]], good, failed && model);
		if (good || status == 404 || (failed && model))
			account_note(w, &w->a[o.who[1]], failed);
	}
	S_OK(k.of == w->a[o.who[model]].r && k.after == k.of->state);
	S_OK(k.wait == failover_wait(k.of, w->now));
	S_OK((int)k.rose - (int)k.fell == down -
	    failover_is_down(k.of, &w->p, w->now) && !(k.rose && k.fell));
	for (i = 0; i < o.n; i++)
		check_record(w, o.who[i]);
	failover_end(&o.t, &w->p, &oc, w->now, &k);
	S_OK(k.of == NULL);
}

static void
commit(struct world *w, unsigned i)
{
	struct out *o = &w->out[i];
	struct fo_change k;
	unsigned j;

	memset(&k, 0xff, sizeof k);
	failover_commit(&o->t, &w->p, w->now, &k);
	S_OK(!o->t.trial && !o->t.probe && k.of == o->t.b);
	S_OK(k.after == k.of->state && k.wait == failover_wait(k.of, w->now));
	o->trial[0] = o->trial[1] = 0;
	for (j = 0; j < o->n; j++) {
		S_OK(w->a[o->who[j]].r->state != FO_CLOSED ||
		    w->a[o->who[j]].r->failures < w->p.failure_threshold);
		check_record(w, o->who[j]);
	}
}

static void
health_check(struct world *w)
{
	unsigned who = dice(w, BACKENDS) * (1 + MODELS);
	struct fo_backend *r = w->a[who].r;
	enum fo_state was = r->state;
	int ok = dice(w, 2) != 0, down = failover_is_down(r, &w->p, w->now);
	struct fo_change k;

	memset(&k, 0xff, sizeof k);
	failover_checked(r, ok, &w->p, w->now, &k);
	if (ok)
		w->a[who].nends = 0;
	S_OK(k.before == was && k.after == (ok && was == FO_OPEN ?
	    FO_HALF_OPEN : was));
	S_OK(k.of == r && k.wait == failover_wait(r, w->now) && !k.fell &&
	    !k.cooled && !k.warmed);
	S_OK(k.rose == (down && !failover_is_down(r, &w->p, w->now)));
	/* What had been good once is no more known to the account. */
	r->answered = ok ? 0 : r->answered;
	check_record(w, who);
}

/* ---- a run ---- */

static void
request(struct world *w)
{
	struct fo_cand c[BACKENDS];
	unsigned who[BACKENDS][2], n = 1 + dice(w, BACKENDS), i, from, model;
	struct fo_want want;

	memset(c, 0, sizeof c);
	memset(&want, 0, sizeof want);
	want.strategy = (enum fo_strategy)dice(w, 5);
	want.random = util_random(&w->seed);
	want.sticky = dice(w, 10);
	want.max_tries = 1 + dice(w, 2);
	want.last_resort = dice(w, 4) != 0;
	from = dice(w, BACKENDS);
	model = dice(w, MODELS + 1);
	for (i = 0; i < n; i++) {
		who[i][0] = (from + i) % BACKENDS * (1 + MODELS);
		who[i][1] = who[i][0] + model;
		c[i].b = w->a[who[i][0]].r;
		c[i].model = model > 0 ? w->a[who[i][1]].r : NULL;
		c[i].priority = (int)dice(w, 2);
		c[i].weight = dice(w, 5);
		c[i].max_concurrent = dice(w, 3) == 0 ? 1 + dice(w, 6) : 0;
		c[i].rate_wait = dice(w, 8) == 0 ? 1 + dice(w, 900) : 0;
	}
	for (i = dice(w, 3); i < 8 && w->nout < OUT_MAX; i++) {
		if (pick(w, c, (const unsigned (*)[2])who, n, &want) < 0)
			return;
		if (dice(w, 2))		/* this one is at work */
			return;
		end(w, w->nout - 1, 0);
	}
}

static void
step(struct world *w)
{
	unsigned i;

	switch (dice(w, 8)) {
	case 0:
		i = dice(w, 40);
		w->now += i == 0 ? dice(w, 30) * MINUTE : i < 10 ?
		    dice(w, 20000) : dice(w, 200);
		break;
	case 1: case 2: case 3:
		if (w->nout < OUT_MAX)
			request(w);
		break;
	case 4: case 5: case 6:
		if (w->nout == 0)
			break;
		i = dice(w, w->nout);
		if (dice(w, 6) == 0)
			commit(w, i);
		else
			end(w, i, 0);
		break;
	default:
		if (dice(w, 20) == 0)
			health_check(w);
		if (dice(w, 50) == 0)
			w->mood[dice(w, BACKENDS)] = dice(w, 5) * 25;
		break;
	}
	if (w->nout == OUT_MAX)
		end(w, 0, 0);
}

/* Everything ends; then each must be had again, and be well. */
static void
finish(struct world *w)
{
	struct fo_want want;
	struct fo_cand c;
	unsigned i, who[1][2];

	while (w->nout > 0)
		end(w, dice(w, w->nout), 0);
	w->now += w->p.open_ms + w->p.window.ms + 200 * MINUTE;
	memset(&want, 0, sizeof want);
	for (i = 0; i < RECORDS && w->wrong == NULL; i++) {
		memset(&c, 0, sizeof c);
		who[0][0] = i - i % (1 + MODELS);
		who[0][1] = i;
		c.b = w->a[who[0][0]].r;
		c.model = i % (1 + MODELS) > 0 ? w->a[i].r : NULL;
		S_OK(!failover_is_down(w->a[i].r, &w->p, w->now));
		S_OK(pick(w, &c, (const unsigned (*)[2])who, 1, &want) == 0);
		if (w->nout == 1)
			end(w, 0, 1);
		S_OK(w->a[i].r->state == FO_CLOSED);
		S_OK(w->a[i].r->in_flight == 0 && w->a[i].r->trials == 0);
	}
}

static void
world_init(struct world *w, unsigned nr)
{
	char name[8];
	unsigned i;
	struct fo_backend *b = NULL;

	memset(w, 0, sizeof *w);
	w->seed = nr;
	w->now = nr % 3 == 0 ? 0 : 1 + dice(w, 1000000);
	fo_policy_defaults(&w->p);
	fo_on_set(&w->p, 402, 1);
	w->p.health = 1 + nr % 8;
	w->p.failure_threshold = 1 + nr % 4;
	w->p.half_open_requests = 1 + nr / 4 % 3;
	w->p.open_ms = 1 + dice(w, 30000);
	w->p.score.success = 1 + dice(w, 20);
	w->p.score.failure = dice(w, 60);
	w->p.score.healthy_above = dice(w, 90);
	w->p.score.recover_minutes = 1 + dice(w, 5);
	w->p.window.ms = 1 + dice(w, 60000);
	w->p.window.min_failures = 1 + dice(w, 4);
	w->p.max_cooldown_ms = 3600000;
	w->p.when_all_down = dice(w, 2) ? FO_ALL_DOWN_TRY : FO_ALL_DOWN_FAIL;
	w->p.slow_start_ms = dice(w, 3) == 0 ? dice(w, 60000) : 0;
	failover_init(&w->f);
	for (i = 0; i < RECORDS; i++) {
		(void)snprintf(name, sizeof name, "r%u", i);
		if (i % (1 + MODELS) == 0)
			b = w->a[i].r = failover_get(&w->f, str_of(name));
		else
			w->a[i].r = failover_model(&w->f, b, str_of(name));
		if (w->a[i].r == NULL)
			exit(2);
		w->a[i].score = 100;
	}
	for (i = 0; i < BACKENDS; i++)
		w->mood[i] = dice(w, 5) * 25;
}

int
main(void)
{
	static struct world world;
	struct world *w = &world;
	unsigned long sum[5] = { 0, 0, 0, 0, 0 };
	unsigned nr, steps, i;

	for (nr = 0; nr < RUNS; nr++) {
		world_init(w, nr);
		for (steps = 0; steps < STEPS && w->wrong == NULL; steps++)
			step(w);
		if (w->wrong == NULL)
			finish(w);
		T_OK(w->wrong == NULL, "run %u, step %u: line %d: %s", nr,
		    steps, w->line, w->wrong == NULL ? "" : w->wrong);
		sum[0] += w->resorts;
		sum[1] += w->probes;
		sum[2] += w->trials;
		sum[3] += w->none;
		sum[4] += w->through;
		failover_free(&w->f);
	}
	for (i = 0; i < 5; i++)
		T_OK(sum[i] > 100, "kind %u happened %lu times", i, sum[i]);
	return t_end();
}
