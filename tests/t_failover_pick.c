#include "failover.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define N(a) (sizeof(a) / sizeof *(a))
#define BACKENDS 8

/* Some backends of one group, and how they are asked for. */
struct house {
	struct failover f;
	struct fo_policy p;
	struct fo_want want;
	struct fo_backend *b[BACKENDS];
	struct fo_cand c[BACKENDS];
	size_t n;
	uint64_t now, seed;
};

static void
house_open(struct house *h, size_t n, enum fo_strategy strategy)
{
	char name[16];
	size_t i;

	memset(h, 0, sizeof *h);
	failover_init(&h->f);
	fo_policy_defaults(&h->p);
	h->want.strategy = strategy;
	h->n = n;
	h->now = 1000000;
	h->seed = 7;
	for (i = 0; i < n; i++) {
		(void)snprintf(name, sizeof name, "backend-%u", (unsigned)i);
		if ((h->b[i] = failover_get(&h->f, str_of(name))) == NULL)
			exit(2);
		h->c[i].b = h->b[i];
		h->c[i].weight = 1;
	}
}

/* A request; its ticket stays out. */
static int
begin(struct house *h, struct fo_ticket *t)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		h->c[i].tried = 0;
	h->want.random = util_random(&h->seed);
	return failover_pick(h->c, h->n, &h->want, &h->p, h->now, t);
}

static void
end(struct house *h, struct fo_ticket *t, int status, uint64_t cool_ms)
{
	struct fo_outcome o;
	struct fo_change k;

	memset(&o, 0, sizeof o);
	o.phase = FO_HOLD;
	o.any_bytes = 1;
	o.status = status;
	o.cool_ms = cool_ms;
	o.cool_source = FO_FROM_RETRY_AFTER;
	failover_end(t, &h->p, &o, h->now, &k);
}

/* A request that ends well at once. */
static int
ask(struct house *h)
{
	struct fo_ticket t;
	int got = begin(h, &t);

	end(h, &t, 200, 0);
	return got;
}

/* A request for that backend alone, with that end. */
static void
hurt(struct house *h, size_t i, int status, uint64_t cool_ms)
{
	struct fo_cand c = h->c[i];
	struct fo_ticket t;

	c.tried = 0;
	T_OK(failover_pick(&c, 1, &h->want, &h->p, h->now, &t) == 0, "hurt");
	end(h, &t, status, cool_ms);
}

/* ---- 1. taking turns ---- */

static void
test_turns(void)
{
	struct house h;
	struct fo_ticket t[6];
	struct fo_cand two[2], *all;
	size_t i, n;

	for (n = 1; n <= BACKENDS; n++) {
		house_open(&h, n, FO_ROUND_ROBIN);
		for (i = 0; i < 5 * n; i++)
			T_OK(ask(&h) == (int)(i % n), "turn %u of %u",
			    (unsigned)i, (unsigned)n);
		failover_free(&h.f);
	}
	/* Requests that are under way take their turn when they begin. */
	house_open(&h, 3, FO_ROUND_ROBIN);
	for (i = 0; i < 6; i++)
		T_OK(begin(&h, &t[i]) == (int)(i % 3), "%u", (unsigned)i);
	for (i = 6; i-- > 0; )
		end(&h, &t[i], 200, 0);
	/* Weights are nothing to it; who is away waits at the head. */
	h.c[1].weight = 0;
	T_OK(ask(&h) == 0 && ask(&h) == 1 && ask(&h) == 2, "no weights");
	hurt(&h, 1, 429, 5000);
	T_OK(ask(&h) == 0 && ask(&h) == 2 && ask(&h) == 0, "1 is away");
	h.now += 5000;
	T_OK(ask(&h) == 1 && ask(&h) == 2 && ask(&h) == 0, "1 is back");
	/* One turn for all routes. */
	all = h.c;
	two[0] = all[2];
	two[1] = all[0];
	two[0].tried = two[1].tried = 0;
	T_OK(failover_pick(two, 2, &h.want, &h.p, h.now, &t[0]) == 0,
	    "2 before 0 in another list");
	end(&h, &t[0], 200, 0);
	T_OK(ask(&h) == 1 && ask(&h) == 0 && ask(&h) == 2, "and it counts");
	failover_free(&h.f);
}

/* A second try stays where the first was; then the next one's turn. */
static void
test_stay(void)
{
	static const enum fo_strategy all[] = {
		FO_ROUND_ROBIN, FO_WEIGHTED_RANDOM, FO_LEAST_CONNECTIONS,
		FO_STICKY
	};
	struct house h;
	struct fo_ticket t;
	unsigned i, round, first;
	int got;

	for (i = 0; i < N(all); i++) {
		house_open(&h, 4, all[i]);
		h.want.max_tries = 2;
		h.p.failure_threshold = 1000000;
		for (round = 0; round < 50; round++) {
			h.want.sticky = round;
			got = begin(&h, &t);
			first = (unsigned)got;
			end(&h, &t, 500, 0);
			h.c[got].tried++;
			h.want.random = util_random(&h.seed);
			got = failover_pick(h.c, h.n, &h.want, &h.p, h.now,
			    &t);
			T_OK(got == (int)first, "%u stays with %u", i, first);
			end(&h, &t, 500, 0);
			h.c[got].tried++;
			got = failover_pick(h.c, h.n, &h.want, &h.p, h.now,
			    &t);
			T_OK(got >= 0 && got != (int)first, "%u moves on", i);
			end(&h, &t, 429, 1);
			h.c[got].tried++;
			h.now += 2;
		}
		failover_free(&h.f);
	}
}

/* ---- 2. by weight ---- */

static void
test_weights(void)
{
	static const struct {
		unsigned w[4];
		unsigned want[4];	/* of as many picks as the sum */
	} rows[] = {
		{ { 1, 1, 1, 1 }, { 1, 1, 1, 1 } },
		{ { 1, 2, 3, 4 }, { 1, 2, 3, 4 } },
		{ { 0, 5, 0, 2 }, { 0, 5, 0, 2 } },
		{ { 7, 0, 0, 0 }, { 7, 0, 0, 0 } },
		{ { 0, 0, 0, 0 }, { 1, 0, 0, 0 } },
		{ { 300, 1, 100, 99 }, { 300, 1, 100, 99 } },
	};
	struct house h;
	struct fo_ticket t;
	unsigned got[4], sum, j, i;
	int at;

	house_open(&h, 4, FO_WEIGHTED_RANDOM);
	for (i = 0; i < N(rows); i++) {
		memset(got, 0, sizeof got);
		for (sum = j = 0; j < 4; j++) {
			h.c[j].weight = rows[i].w[j];
			sum += rows[i].w[j];
		}
		/* Every number below the sum once; larger ones wrap. */
		for (j = 0; j < (sum > 0 ? sum : 1); j++) {
			h.want.random = j + (uint64_t)sum * j * 7;
			at = failover_pick(h.c, h.n, &h.want, &h.p, h.now, &t);
			if (at >= 0)
				got[at]++;
			end(&h, &t, 200, 0);
		}
		T_OK(memcmp(got, rows[i].want, sizeof got) == 0,
		    "row %u: %u %u %u %u", i, got[0], got[1], got[2], got[3]);
	}
	/* Those of weight 0 are still there when the others are not. */
	for (j = 0; j < 4; j++)
		h.c[j].weight = j == 2 ? 0 : UINT32_MAX;
	for (j = 0; j < 4; j++)
		if (j != 2)
			for (i = 0; i < 3; i++)
				hurt(&h, j, 500, 0);
	T_OK(ask(&h) == 2, "the last one");
	failover_free(&h.f);
}

static void
test_connections(void)
{
	struct house h;
	struct fo_ticket t[70];
	unsigned got[3] = { 0, 0, 0 }, i;
	int at;

	house_open(&h, 3, FO_LEAST_CONNECTIONS);
	for (i = 0; i < 9; i++)
		T_OK(ask(&h) == (int)(i % 3), "idle: in turn, %u", i);
	for (i = 0; i < 9; i++)
		T_OK(begin(&h, &t[i]) == (int)(i % 3), "equal: in turn");
	end(&h, &t[4], 200, 0);
	T_OK(begin(&h, &t[4]) == 1, "the one with fewest");
	for (i = 0; i < 9; i++)
		end(&h, &t[i], 200, 0);
	h.c[0].weight = 4;
	h.c[1].weight = 2;
	for (i = 0; i < 70; i++)
		if ((at = begin(&h, &t[i])) >= 0)
			got[at]++;
	T_OK(got[0] == 40 && got[1] == 20 && got[2] == 10, "%u %u %u",
	    got[0], got[1], got[2]);
	for (i = 0; i < 70; i++)
		end(&h, &t[i], 200, 0);
	h.c[0].weight = 0;
	for (i = 0; i < 6; i++)
		T_OK(begin(&h, &t[i]) != 0, "weight 0 is last");
	hurt(&h, 1, 429, 5000);
	hurt(&h, 2, 429, 5000);
	T_OK(begin(&h, &t[6]) == 0, "but it is there");
	h.now += 5000;
	h.c[1].weight = h.c[2].weight = 0;
	T_OK(h.b[0]->in_flight == 1 && h.b[2]->in_flight == 2 &&
	    begin(&h, &t[7]) == 0 && begin(&h, &t[8]) == 2 &&
	    begin(&h, &t[9]) == 0, "none has a weight: the fewest");
	for (i = 7; i < 10; i++)
		end(&h, &t[i], 200, 0);
	for (i = 0; i < 7; i++)
		end(&h, &t[i], 200, 0);
	failover_free(&h.f);
}

/* ---- 3. sticky ---- */

#define KEYS 4000

static void
keys_of(struct house *h, signed char *who)
{
	struct fo_ticket t;
	unsigned k;

	for (k = 0; k < KEYS; k++) {
		h->want.sticky = util_hash(&k, sizeof k);
		who[k] = (signed char)begin(h, &t);
		end(h, &t, 404, 0);
	}
}

static void
test_sticky(void)
{
	static signed char was[KEYS], is[KEYS];
	struct house h;
	struct fo_cand swap;
	unsigned k, gone, moved, wrong, n[BACKENDS];

	house_open(&h, 6, FO_STICKY);
	keys_of(&h, was);
	keys_of(&h, is);
	T_OK(memcmp(was, is, KEYS) == 0, "the same each time");
	memset(n, 0, sizeof n);
	for (k = 0; k < KEYS; k++)
		n[was[k]]++;
	for (k = 0; k < 6; k++)
		T_OK(n[k] > KEYS / 6 * 8 / 10 && n[k] < KEYS / 6 * 12 / 10,
		    "%u has %u", k, n[k]);
	/* Of those of the lost one some go to each other; it gets all back. */
	for (gone = 0; gone < 6; gone++) {
		hurt(&h, gone, 429, 5000);
		keys_of(&h, is);
		memset(n, 0, sizeof n);
		for (k = moved = wrong = 0; k < KEYS; k++) {
			moved += is[k] != was[k];
			wrong += (is[k] != was[k]) != (was[k] == (int)gone) ||
			    is[k] == (int)gone;
			n[is[k]] += is[k] != was[k];
		}
		T_OK(wrong == 0 && moved > 0, "%u: %u wrong", gone, wrong);
		for (k = 0; k < 6; k++)
			T_OK(k == gone || n[k] > moved / 5 / 2, "%u to %u",
			    n[k], k);
		h.now += 5000;
		keys_of(&h, is);
		T_OK(memcmp(was, is, KEYS) == 0, "back");
	}
	/* The place in the list is nothing, the weight is a share. */
	swap = h.c[0];
	h.c[0] = h.c[5];
	h.c[5] = swap;
	keys_of(&h, is);
	for (k = wrong = 0; k < KEYS; k++)
		wrong += h.c[is[k]].b != h.b[was[k]];
	T_OK(wrong == 0, "%u moved by the order", wrong);
	h.c[1].weight = 5;
	h.c[2].weight = 0;
	keys_of(&h, is);
	memset(n, 0, sizeof n);
	for (k = wrong = 0; k < KEYS; k++) {
		n[is[k]]++;
		wrong += h.c[is[k]].b != h.b[was[k]] && is[k] != 1 &&
		    was[k] != 2;
	}
	T_OK(wrong == 0, "%u moved elsewhere", wrong);
	T_OK(n[2] == 0 && n[1] > KEYS * 5 / 9 * 9 / 10 &&
	    n[1] < KEYS * 5 / 9 * 11 / 10, "weights: %u %u", n[1], n[2]);
	failover_free(&h.f);
}

/* The part of two backends is that of their weights, to a percent. */
static void
test_shares(void)
{
	static const unsigned rows[][2] = {
		{ 1, 1 }, { 1, 2 }, { 1, 3 }, { 3, 4 }, { 9, 10 }, { 1, 20 },
		{ 500, 1000 }, { 999999, 1000000 }
	};
	struct house h;
	struct fo_ticket t;
	unsigned i, k, got;
	double want;

	house_open(&h, 2, FO_STICKY);
	for (i = 0; i < N(rows); i++) {
		h.c[0].weight = rows[i][0];
		h.c[1].weight = rows[i][1];
		for (got = k = 0; k < 40000; k++) {
			h.want.sticky = k;
			got += begin(&h, &t) == 0;
			end(&h, &t, 404, 0);
		}
		want = 40000.0 * rows[i][0] / (rows[i][0] + rows[i][1]);
		T_OK(got > want - 400 && got < want + 400, "row %u: %u, %f",
		    i, got, want);
	}
	failover_free(&h.f);
}

/* ---- 4. groups ---- */

/* The strategy acts within the best priority, and cooling ones are last. */
static void
test_groups(void)
{
	struct house h;
	struct fo_ticket t;
	unsigned s, i;
	int got;

	for (s = FO_FAILOVER; s <= FO_STICKY; s++) {
		house_open(&h, 6, (enum fo_strategy)s);
		for (i = 0; i < 6; i++)
			h.c[i].priority = i < 2 ? 3 : i < 4 ? 1 : 2;
		for (i = 0; i < 40; i++) {
			h.want.sticky = i * 77;
			got = begin(&h, &t);
			end(&h, &t, 200, 0);
			T_OK(got == 2 || got == 3, "%u: %d", s, got);
		}
		hurt(&h, 2, 429, 90000);
		hurt(&h, 3, 429, 90000);
		for (i = 0; i < 40; i++) {
			h.want.sticky = i * 77;
			got = begin(&h, &t);
			end(&h, &t, 404, 0);
			T_OK(got == 4 || got == 5, "%u: %d", s, got);
		}
		for (i = 0; i < 6; i++)
			hurt(&h, i, 429, 90000);
		for (i = 0; i < 40; i++) {
			h.want.sticky = i * 77;
			got = begin(&h, &t);
			end(&h, &t, 404, 0);
			T_OK(got == 2 || got == 3, "%u, all: %d", s, got);
		}
		failover_free(&h.f);
	}
}

/* ---- 5. slow start ---- */

/* How many of 20000 requests the first of n gets, at that moment. */
static unsigned
part(struct house *h, int busy)
{
	struct fo_ticket t[2];
	unsigned i, got = 0;

	for (i = 0; i < 20000; i++) {
		if (busy) {
			got += begin(h, &t[i % 2]) == 0;
			if (i > 0)
				end(h, &t[(i + 1) % 2], 404, 0);
		} else {
			got += begin(h, &t[0]) == 0;
			end(h, &t[0], 404, 0);
		}
	}
	if (busy)
		end(h, &t[1], 404, 0);
	return got;
}

static int
near(unsigned got, unsigned want)
{
	return got > want - want / 8 - 20 && got < want + want / 8 + 20;
}

static void
test_slow_start(void)
{
	static const struct {
		enum fo_strategy strategy;
		uint64_t gone;
		unsigned want[2];	/* of 2 and of 4 backends */
	} rows[] = {
		{ FO_ROUND_ROBIN, 0, { 1818, 645 } },
		{ FO_ROUND_ROBIN, 5000, { 7097, 3099 } },
		{ FO_ROUND_ROBIN, 10000, { 10000, 5000 } },
		{ FO_WEIGHTED_RANDOM, 0, { 1818, 645 } },
		{ FO_WEIGHTED_RANDOM, 5000, { 7097, 3099 } },
		{ FO_WEIGHTED_RANDOM, 10000, { 10000, 5000 } },
		{ FO_LEAST_CONNECTIONS, 0, { 1818, 645 } },
		{ FO_LEAST_CONNECTIONS, 5000, { 7097, 3099 } },
		{ FO_LEAST_CONNECTIONS, 10000, { 10000, 5000 } },
		{ FO_FAILOVER, 0, { 20000, 20000 } },
	};
	struct house h;
	struct fo_ticket t;
	unsigned i, j, how, got;

	for (i = 0; i < N(rows); i++) {
		for (j = 0; j < 6; j++) {
			how = j / 2;
			house_open(&h, j % 2 ? 4 : 2, rows[i].strategy);
			h.p.slow_start_ms = 10000;
			got = part(&h, 0);
			T_OK(rows[i].strategy == FO_FAILOVER ||
			    near(got, j % 2 ? 5000 : 10000), "new: %u", got);
			if (how == 0) {		/* after a cool-down */
				hurt(&h, 0, 429, 3000);
				h.now += 3000;
			} else {		/* after an open breaker */
				hurt(&h, 0, 500, 0);
				hurt(&h, 0, 500, 0);
				hurt(&h, 0, 500, 0);
				if (how == 2)
					(void)ask(&h);	/* seen or not */
				h.now += 30000;
				hurt(&h, 0, 200, 0);
			}
			(void)ask(&h);
			h.now += rows[i].gone;
			got = part(&h, 0);
			T_OK(near(got, rows[i].want[j % 2]), "row %u.%u: %u",
			    i, j, got);
			failover_free(&h.f);
		}
	}
	/* Where there are requests, the weight itself counts. */
	house_open(&h, 2, FO_LEAST_CONNECTIONS);
	h.p.slow_start_ms = 10000;
	hurt(&h, 0, 429, 3000);
	h.now += 3000;
	(void)ask(&h);
	got = part(&h, 1);
	T_OK(got < 4000, "busy: %u", got);
	failover_free(&h.f);
	/* Turns are lost at work too, and by weight what its part is. */
	house_open(&h, 2, FO_ROUND_ROBIN);
	h.p.slow_start_ms = 10000;
	hurt(&h, 0, 429, 3000);
	h.now += 3000;
	(void)ask(&h);
	got = part(&h, 1);
	T_OK(near(got, 1818), "turns at work: %u", got);
	while (begin(&h, &t) != 0)
		end(&h, &t, 404, 0);
	got = part(&h, 0);
	T_OK(near(got, 1818), "and beside a long one: %u", got);
	end(&h, &t, 200, 0);
	failover_free(&h.f);
	/* Who is new has nothing to recover from. */
	house_open(&h, 2, FO_ROUND_ROBIN);
	h.now = 0;
	h.p.slow_start_ms = 10000;
	got = part(&h, 0);
	T_OK(got == 10000, "new: %u", got);
	failover_free(&h.f);
	house_open(&h, 2, FO_WEIGHTED_RANDOM);
	h.p.slow_start_ms = 10000;
	h.c[0].weight = 30;
	hurt(&h, 0, 429, 3000);
	h.now += 3000;
	(void)ask(&h);
	got = part(&h, 0);
	T_OK(near(got, 15000), "3 to 1: %u", got);
	h.now += 10000;
	got = part(&h, 0);
	T_OK(near(got, 19355), "30 to 1: %u", got);
	failover_free(&h.f);
	/* A trial is one request: it does not lose its turn. */
	house_open(&h, 2, FO_ROUND_ROBIN);
	h.p.slow_start_ms = 1000000;
	for (i = 0; i < 50; i++) {
		hurt(&h, 0, 500, 0);
		hurt(&h, 0, 500, 0);
		hurt(&h, 0, 500, 0);
		h.now += 30000;
		T_OK((got = (unsigned)ask(&h)) == 0 || (unsigned)ask(&h) == 0,
		    "trial %u", i);
		(void)ask(&h);
	}
	failover_free(&h.f);
	/* Alone it is taken at once. */
	house_open(&h, 1, FO_ROUND_ROBIN);
	h.p.slow_start_ms = 10000;
	hurt(&h, 0, 429, 3000);
	h.now += 3000;
	T_OK(part(&h, 0) == 20000, "alone");
	failover_free(&h.f);
}

/* ---- 6. models ---- */

static struct fo_backend *
model(struct house *h, unsigned i)
{
	char name[16];

	(void)snprintf(name, sizeof name, "m%u", i);
	return failover_model(&h->f, h->b[0], str_of(name));
}

static void
test_models(void)
{
	struct house h;
	struct fo_backend *m[FO_MODELS_MAX], *x;
	unsigned i;

	house_open(&h, 2, FO_FAILOVER);
	T_OK(failover_model(&h.f, h.b[0], str_of("")) == NULL, "no name");
	for (i = 0; i < FO_MODELS_MAX; i++) {
		m[i] = model(&h, i);
		T_OK(m[i] != NULL && m[i]->parent == h.b[0] &&
		    m[i]->refs == 1, "%u", i);
	}
	T_OK(model(&h, 5) == m[5] && m[5]->refs == 2, "the same");
	T_OK(failover_model(&h.f, h.b[1], str_of("m5")) != m[5], "another's");
	T_OK(model(&h, 999) == NULL, "all are in use");
	failover_put(&h.f, m[5]);
	T_OK(model(&h, 999) == NULL, "one more has it");
	failover_put(&h.f, m[5]);
	x = model(&h, 999);
	T_OK(x != NULL && h.b[0]->nmodels == FO_MODELS_MAX, "in its place");
	failover_put(&h.f, x);
	/* What has something to say stays longest, else the oldest goes. */
	m[7]->failures = 1;
	failover_put(&h.f, m[7]);
	for (i = 20; i < 23; i++)
		failover_put(&h.f, m[i]);
	for (i = 23; i-- > 20; )	/* 20 is the youngest now */
		failover_put(&h.f, model(&h, i));
	T_OK((x = model(&h, 1000)) != NULL && model(&h, 22) == m[22],
	    "999 went");
	failover_put(&h.f, m[22]);
	m[22]->chosen = 1;
	T_OK((x = model(&h, 1001)) != NULL && model(&h, 7) == m[7] &&
	    model(&h, 20) == m[20] && model(&h, 21) == m[21], "kept");
	T_OK(model(&h, 22) == NULL, "the oldest went");
	for (i = 0; i < FO_MODELS_MAX; i++)
		if (i != 5 && i != 22)
			m[i]->refs = 0;
	for (i = 0; i < 3 * FO_MODELS_MAX; i++) {
		T_OK((x = model(&h, 2000 + i)) != NULL &&
		    h.b[0]->nmodels == FO_MODELS_MAX, "%u", i);
		failover_put(&h.f, x);
	}
	T_OK(model(&h, 7) == m[7] && m[7]->failures == 1, "still kept");
	/* With the backend they go. */
	failover_put(&h.f, h.b[0]);
	T_OK(h.f.list == h.b[1] && h.b[1]->next == NULL, "gone");
	failover_free(&h.f);
}

/* ---- 7. the budget ---- */

static void
test_budget(void)
{
	struct house h;
	struct fo_ticket t;
	struct fo_cand two[2];
	unsigned i, second, n, all;

	/* Never anything good: 3 a second, whoever asks. */
	house_open(&h, 2, FO_FAILOVER);
	memcpy(two, h.c, sizeof two);
	h.n = 1;
	h.p.failure_threshold = 1000000;
	for (n = i = 0; i < 100; i++)
		n += failover_budget(&h.f, h.now) != 0;
	T_OK(n == 30, "floor: %u", n);
	h.now += 9999;
	T_OK(!failover_budget(&h.f, h.now), "not yet");
	h.now += 1;
	T_OK(failover_budget(&h.f, h.now), "ten seconds later");
	/* And a fifth of the requests. */
	h.now += 20000;
	for (all = second = 0; second < 30; second++) {
		for (n = i = 0; i < 100; i++) {
			(void)begin(&h, &t);
			end(&h, &t, 500, 0);
			n += failover_budget(&h.f, h.now) != 0;
		}
		all += second >= 10 ? n : 0;
		h.now += 1000;
	}
	T_OK(all >= 20 * (20 + 3) - 30 && all <= 20 * (20 + 3) + 30,
	    "a fifth and the floor: %u", all);
	h.f.budget_percent = 0;
	for (n = i = 0; i < 100; i++)
		n += failover_budget(&h.f, h.now) != 0;
	T_OK(n == 0, "used up: %u", n);
	/* A second attempt is not another request. */
	h.f.budget_percent = 100;
	h.now += 20000;
	(void)begin(&h, &t);
	end(&h, &t, 500, 0);
	h.c[0].tried = 1;
	h.want.max_tries = 9;
	(void)failover_pick(h.c, 1, &h.want, &h.p, h.now, &t);
	end(&h, &t, 500, 0);
	for (n = i = 0; i < 100; i++)
		n += failover_budget(&h.f, h.now) != 0;
	T_OK(n == 31, "one request: %u", n);
	h.now += 20000;
	T_OK(failover_pick(two, 2, &h.want, &h.p, h.now, &t) == 0, "two");
	end(&h, &t, 429, 5);
	two[0].tried = 1;
	T_OK(failover_pick(two, 2, &h.want, &h.p, h.now, &t) == 1, "two");
	end(&h, &t, 429, 5);
	for (n = i = 0; i < 100; i++)
		n += failover_budget(&h.f, h.now) != 0;
	T_OK(n == 31, "one request of two attempts: %u", n);
	h.now += 20000;
	/* Where some backend answers, nothing is withheld. */
	h.f.budget_percent = 0;
	for (i = 0; i < 3; i++) {
		struct fo_change k;

		(void)begin(&h, &t);
		if (i == 2) {
			failover_commit(&t, &h.p, h.now, &k);
			T_OK(failover_budget(&h.f, h.now), "committed");
		}
		end(&h, &t, i == 0 ? 200 : i == 1 ? 404 : 500, 0);
		for (n = 0; n < 200 && failover_budget(&h.f, h.now); n++)
			;
		T_OK(n == 200, "one answered: %u", n);
		h.now += 9999;
		T_OK(failover_budget(&h.f, h.now), "9.999 s ago");
		h.now += 1;
		for (n = 0; n < 200 && failover_budget(&h.f, h.now); n++)
			;
		T_OK(n == 29, "10 s ago: %u", n);
		h.now += 20000;
	}
	(void)begin(&h, &t);
	end(&h, &t, 429, 5);
	for (n = 0; n < 200 && failover_budget(&h.f, h.now); n++)
		;
	T_OK(n == 30, "a limit is no good answer: %u", n);
	failover_free(&h.f);
}

int
main(void)
{
	test_turns();
	test_stay();
	test_weights();
	test_connections();
	test_sticky();
	test_shares();
	test_groups();
	test_slow_start();
	test_models();
	test_budget();
	return t_end();
}
