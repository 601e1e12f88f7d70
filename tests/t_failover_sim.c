#include "failover.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

/*
 * Random requests on a virtual clock against a second, naive account of
 * what must be.  A run ends at the first difference.
 */

#define BACKENDS 5
#define OUT_MAX 40
#define RUNS 24
#define STEPS 25000

enum kind { NOTHING, LIMITED, GOOD, RETURNED, BAD_KEY, STRIKE, KINDS };

/* A ticket that is out. */
struct out {
	struct fo_ticket t;
	unsigned who;
	int trial;
	uint64_t version, limits;	/* of the account, when taken */
	uint64_t deadline;
};

/* The account of one backend. */
struct account {
	enum fo_state state;
	unsigned strikes;
	uint64_t version, limits;
	uint64_t open_until, cool_until;
	uint64_t blocked;		/* since when; 0: it is not */
	unsigned long opened, trials;
};

struct world {
	struct fo_policy p;
	struct failover f;
	struct fo_backend *b[BACKENDS];
	struct account a[BACKENDS];
	struct out out[OUT_MAX];
	unsigned nout;
	unsigned life;			/* no ticket is out for longer, ms */
	unsigned mood[BACKENDS];	/* percent of good answers */
	uint64_t now, seed;
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

/* Counted anew each time: nothing that could be forgotten. */
static unsigned
count(const struct world *w, unsigned who, int trials)
{
	unsigned i, n = 0;

	for (i = 0; i < w->nout; i++)
		n += w->out[i].who == who && (!trials || w->out[i].trial);
	return n;
}

static int
usable(const struct world *w, unsigned who)
{
	const struct account *a = &w->a[who];

	if (a->state == FO_CLOSED)
		return 1;
	if (a->state == FO_OPEN && w->now < a->open_until)
		return 0;
	return count(w, who, 1) < w->p.half_open_requests;
}

static void
move(struct account *a, enum fo_state to, uint64_t open_until)
{
	a->state = to;
	a->open_until = open_until;
	a->version++;
	if (to == FO_CLOSED)
		a->strikes = 0;
	if (to == FO_OPEN)
		a->opened++;
}

static void
compare(struct world *w, unsigned who)
{
	const struct account *a = &w->a[who];
	const struct fo_backend *b = w->b[who];

	S_OK(a->state == b->state);
	S_OK(a->state != FO_CLOSED || a->strikes == b->failures);
	S_OK(a->state != FO_CLOSED || b->failures < w->p.failure_threshold);
	S_OK(a->open_until == b->open_until);
	S_OK(a->cool_until == b->cool_until);
	S_OK(b->trials == count(w, who, 1));
	S_OK(b->in_flight == count(w, who, 0));
	S_OK(b->trials <= w->p.half_open_requests);
}

/* A time that is up, and no place, can only last as long as a ticket. */
static void
watch(struct world *w)
{
	struct account *a;
	unsigned i;

	for (i = 0; i < BACKENDS; i++) {
		a = &w->a[i];
		if (usable(w, i) || w->now < a->open_until)
			a->blocked = 0;
		else if (a->blocked == 0)
			a->blocked = w->now;
		S_OK(a->blocked == 0 || w->now - a->blocked <= 2 * w->life);
	}
}

/* What must be picked; cooling, then priority, then place. */
static int
wanted(const struct world *w, const struct fo_cand *c, const unsigned *who,
    unsigned n, unsigned tries)
{
	unsigned i, rank, best_rank = UINT32_MAX;
	int best = -1;

	for (i = 0; i < n; i++) {
		if (c[i].tried >= tries || !usable(w, who[i]))
			continue;
		rank = (w->a[who[i]].cool_until > w->now ? 1000u : 0) +
		    (unsigned)c[i].priority * 10 + i;
		if (rank < best_rank) {
			best_rank = rank;
			best = (int)i;
		}
	}
	return best;
}

static void
check_skips(struct world *w, const struct fo_cand *c, const unsigned *who,
    unsigned n, unsigned tries, int got, int was_trial)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if ((int)i == got) {
			S_OK(c[i].skip == FO_SKIP_NONE);
			continue;
		}
		if (got == -1)
			S_OK(c[i].skip != FO_SKIP_NONE);
		if (c[i].tried >= tries)
			S_OK(c[i].skip == FO_SKIP_TRIED);
		else if (w->a[who[i]].open_until > w->now)
			S_OK(c[i].skip == FO_SKIP_OPEN && c[i].wait > 0);
		else
			S_OK((c[i].skip == FO_SKIP_NONE) == usable(w, who[i]));
	}
	S_OK(was_trial == 0 || got >= 0);
}

static void
pick(struct world *w, struct fo_cand *c, const unsigned *who, unsigned n,
    unsigned tries)
{
	struct out *o = &w->out[w->nout];
	struct account *a;
	struct fo_want fw;
	int want = wanted(w, c, who, n, tries), got;

	memset(&fw, 0, sizeof fw);
	fw.max_tries = tries;
	got = failover_pick(c, n, &fw, &w->p, w->now, &o->t);
	S_OK(got == want);
	S_OK((got < 0) == (o->t.b == NULL));
	check_skips(w, c, who, n, tries, got, got >= 0 && o->t.trial);
	if (got < 0 || w->wrong != NULL)
		return;
	c[got].tried++;
	o->who = who[got];
	a = &w->a[o->who];
	if (a->state == FO_OPEN)
		move(a, FO_HALF_OPEN, 0);
	o->trial = a->state == FO_HALF_OPEN;
	a->trials += (unsigned)o->trial;
	o->version = a->version;
	o->limits = a->limits;
	o->deadline = w->now + 1 + dice(w, w->life);
	S_OK(o->t.b == w->b[o->who] && (int)o->t.trial == o->trial);
	w->nout++;
	compare(w, o->who);
}

static void
request(struct world *w)
{
	struct fo_cand c[BACKENDS];
	unsigned who[BACKENDS], n = 1 + dice(w, BACKENDS), i, from, tries;

	memset(c, 0, sizeof c);
	from = dice(w, BACKENDS);
	tries = 1 + dice(w, 2);
	for (i = 0; i < n; i++) {
		who[i] = (from + i) % BACKENDS;
		c[i].b = w->b[who[i]];
		c[i].priority = (int)dice(w, 3);
		c[i].tried = dice(w, 4) == 0 ? 1 + dice(w, 2) : 0;
	}
	for (i = dice(w, 4); i < 4 && w->nout < OUT_MAX; i++)
		pick(w, c, who, n, tries);
}

/* An outcome of each kind, in several forms. */
static void
outcome(struct world *w, enum kind k, struct fo_outcome *o)
{
	static const enum fo_fault strikes[] = {
		FO_DNS_FAULT, FO_CONNECT_FAULT, FO_TLS_FAULT, FO_TIMEOUT_FAULT,
		FO_CLOSED_FAULT, FO_TRUNCATED_FAULT, FO_FRAMING_FAULT,
		FO_EMPTY_FAULT, FO_NOT_JSON_FAULT, FO_ERROR_EVENT_FAULT,
		FO_INVALID_FAULT, FO_TOO_LARGE_FAULT, FO_NONE_FAULT
	};
	static const int others[] = { 301, 400, 401, 403, 404, 422 };

	memset(o, 0, sizeof *o);
	o->phase = FO_HOLD;
	o->any_bytes = 1;
	switch (k) {
	case GOOD:
		o->status = 200;
		o->cool_ms = dice(w, 8) == 0 ? 1 + dice(w, 3000) : 0;
		break;
	case RETURNED:
		o->status = others[dice(w, 6)];
		if (dice(w, 8) == 0)
			o->fault = FO_STOP_TEXT_FAULT;
		break;
	case LIMITED:
		o->status = dice(w, 2) ? 429 : 500;
		if (o->status == 500)
			o->fault = FO_RATE_TEXT_FAULT;
		o->cool_ms = dice(w, 4) ? dice(w, 9000) : 0;
		break;
	case BAD_KEY:
		o->status = 402;
		break;
	case STRIKE:
		o->fault = strikes[dice(w, 13)];
		o->status = o->fault == FO_NONE_FAULT ? 529 : 200;
		if (o->fault != FO_NONE_FAULT && dice(w, 3) == 0)
			o->phase = FO_BODY;
		break;
	default:
		o->fault = dice(w, 2) ? FO_CLIENT_LEFT_FAULT : FO_LOCAL_FAULT;
		if (dice(w, 3) == 0) {
			o->fault = FO_CLOSED_FAULT;
			o->reused = 1;
			o->any_bytes = 0;
		}
		break;
	}
}

static void
account(struct world *w, const struct out *o, enum kind k, uint64_t cool_ms)
{
	struct account *a = &w->a[o->who];
	int current = o->version == a->version;

	if (k == LIMITED && cool_ms == 0)
		cool_ms = w->p.cooldown_ms;
	if (k == GOOD && o->limits == a->limits)
		a->cool_until = 0;
	if ((k == GOOD || k == LIMITED) && cool_ms > 0) {
		if (cool_ms > w->p.max_cooldown_ms)
			cool_ms = w->p.max_cooldown_ms;
		a->limits++;
		if (w->now + cool_ms > a->cool_until)
			a->cool_until = w->now + cool_ms;
	}
	if (!current || k == NOTHING)
		return;
	if (k == GOOD)
		a->strikes = 0;
	if (k == STRIKE && !o->trial)
		a->strikes++;
	if (k == BAD_KEY || (k == STRIKE && o->trial) ||
	    (k == STRIKE && a->strikes == w->p.failure_threshold))
		move(a, FO_OPEN, w->now + w->p.open_ms);
	else if (o->trial)
		move(a, FO_CLOSED, 0);
}

static void
end(struct world *w, unsigned i, enum kind k)
{
	struct out o = w->out[i];
	struct fo_backend was = *w->b[o.who];
	struct fo_outcome oc;
	struct fo_change c, again;

	outcome(w, k, &oc);
	failover_end(&o.t, &w->p, &oc, w->now, &c);
	w->out[i] = w->out[--w->nout];
	if (o.version != w->a[o.who].version) {
		S_OK(w->b[o.who]->epoch == was.epoch);
		S_OK(w->b[o.who]->failures == was.failures);
	}
	account(w, &o, k, oc.cool_ms);
	compare(w, o.who);
	S_OK(c.before == was.state && c.after == w->b[o.who]->state);
	S_OK(!c.cooled || w->b[o.who]->cool_until > was.cool_until ||
	    was.cool_until > w->now);
	S_OK(!c.warmed || (was.cool_until > w->now && k == GOOD));
	S_OK(c.wait == failover_wait(w->b[o.who], w->now));
	S_OK(o.t.b == NULL);
	was = *w->b[o.who];
	failover_end(&o.t, &w->p, &oc, w->now, &again);
	S_OK(memcmp(&was, w->b[o.who], sizeof was) == 0);
}

static void
commit(struct world *w, unsigned i)
{
	struct out *o = &w->out[i];
	struct account *a = &w->a[o->who];
	struct fo_change c;

	failover_commit(&o->t, &w->p, w->now, &c);
	if (o->trial && o->version == a->version) {
		move(a, FO_CLOSED, 0);
		a->strikes = w->p.failure_threshold - 1;
		o->version = a->version;
	}
	o->trial = 0;
	compare(w, o->who);
	S_OK(c.after == a->state);
}

static enum kind
any_kind(struct world *w, unsigned who)
{
	return dice(w, 100) < w->mood[who] ? GOOD : (enum kind)dice(w, KINDS);
}

/* A reload; now and then a provider changes its mood as well. */
static void
reload(struct world *w)
{
	struct fo_backend *b, was;
	unsigned i = dice(w, BACKENDS);

	was = *w->b[i];
	b = failover_get(&w->f, str_of(w->b[i]->name));
	S_OK(b == w->b[i]);
	failover_put(&w->f, w->b[i]);
	S_OK(memcmp(&was, b, sizeof was) == 0);
	w->mood[i] = dice(w, 5) * 25;
}

/* A lone request must get through whenever the time is up. */
static void
probe(struct world *w)
{
	struct fo_cand c;
	unsigned who = dice(w, BACKENDS);
	unsigned before = w->nout;

	if (w->nout == OUT_MAX)
		return;
	memset(&c, 0, sizeof c);
	c.b = w->b[who];
	pick(w, &c, &who, 1, 1);
	if (w->nout > before)
		end(w, w->nout - 1, NOTHING);
}

static void
step(struct world *w)
{
	unsigned i;

	switch (dice(w, 8)) {
	case 0:
		w->now += dice(w, 4) ? dice(w, 50) :
		    dice(w, (unsigned)w->p.open_ms + 2);
		break;
	case 1:
	case 2:
	case 3:
		if (w->nout < OUT_MAX)
			request(w);
		break;
	case 4:
	case 5:
	case 6:
		if (w->nout > 0) {
			i = dice(w, w->nout);
			if (dice(w, 6) == 0)
				commit(w, i);
			else
				end(w, i, any_kind(w, w->out[i].who));
		}
		break;
	default:
		if (dice(w, 4) == 0)
			reload(w);
		else
			probe(w);
		break;
	}
	for (i = 0; i < w->nout && w->wrong == NULL; )
		if (w->out[i].deadline <= w->now)
			end(w, i, dice(w, 2) ? NOTHING : STRIKE);
		else
			i++;
	watch(w);
}

/* Everything ends; then each backend must be had again. */
static void
finish(struct world *w)
{
	unsigned i;

	while (w->nout > 0 && w->wrong == NULL)
		end(w, dice(w, w->nout), (enum kind)dice(w, KINDS));
	for (i = 0; i < BACKENDS; i++)
		S_OK(w->b[i]->trials == 0 && w->b[i]->in_flight == 0);
	w->now += w->p.open_ms;
	for (i = 0; i < BACKENDS; i++) {
		struct fo_cand c;

		memset(&c, 0, sizeof c);
		c.b = w->b[i];
		pick(w, &c, &i, 1, 1);
		S_OK(w->nout == 1);
		if (w->nout == 1)
			end(w, 0, GOOD);
		S_OK(w->b[i]->state == FO_CLOSED);
	}
}

static void
run(unsigned nr)
{
	static struct world world;
	struct world *w = &world;
	char name[8];
	unsigned i, steps;

	memset(w, 0, sizeof *w);
	w->seed = nr;
	w->now = nr % 3 == 0 ? 0 : 1 + dice(w, 1000000);
	w->life = 200 + dice(w, 5000);
	for (i = 429; i < 600; i += i == 429 ? 71 : 1)
		fo_on_set(&w->p, (int)i, 1);
	fo_on_set(&w->p, 402, 1);
	w->p.failure_threshold = 1 + nr % 4;
	w->p.half_open_requests = 1 + nr / 4 % 3;
	w->p.open_ms = nr == 7 ? 0 : 1 + dice(w, 3000);
	w->p.cooldown_ms = 700;
	w->p.max_cooldown_ms = 6000;
	failover_init(&w->f);
	for (i = 0; i < BACKENDS; i++) {
		(void)snprintf(name, sizeof name, "b%u", i);
		if ((w->b[i] = failover_get(&w->f, str_of(name))) == NULL)
			exit(2);
		w->mood[i] = dice(w, 5) * 25;
	}
	for (steps = 0; steps < STEPS && w->wrong == NULL; steps++)
		step(w);
	finish(w);
	T_OK(w->wrong == NULL, "run %u, step %u: line %d: %s", nr, steps,
	    w->line, w->wrong == NULL ? "" : w->wrong);
	for (i = 0; i < BACKENDS; i++)
		T_OK(w->a[i].opened > 20 && w->a[i].trials > 20,
		    "run %u: backend %u opened %lu times, %lu trials", nr, i,
		    w->a[i].opened, w->a[i].trials);
	failover_free(&w->f);
}

int
main(void)
{
	unsigned nr;

	for (nr = 0; nr < RUNS; nr++)
		run(nr);
	return t_end();
}
