/*
 * net/loop.h over the virtual clock.  Time moves only when nobody has
 * anything to do.  The order of what is ready is the seed's.
 */
#include "tests/sim/loop.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/alloc.h"
#include "tests/sim/plan.h"
#include "tests/sim/wire.h"

#define MOST	4096
#define LATE	15	/* percent: a timer fires late */
#define IDLE_TURNS 60	/* turns that move nothing and take no time */

struct ready {
	struct watch *w;
	unsigned bits;
};

struct loop {
	struct watch *watches, *again, *running;
	unsigned nwatches;
	struct ready ready[MOST];
	unsigned nready;
	struct timer *timers[MOST];	/* from 1, in no order */
	size_t ntimers;
	struct grave *graves;
	uint64_t lazy_at;		/* when lazy ones were looked at */
	int left_out;			/* some lazy ones were not */
	uint64_t moves;			/* of the world, when last seen */
	unsigned idle;			/* turns without any */
	int dead;
};

struct loop *
loop_new(void)
{
	return calloc(1, sizeof(struct loop));
}

static void
graves_empty(struct loop *lp)
{
	struct grave *g;

	while ((g = lp->graves) != NULL) {
		lp->graves = g->next;
		g->bury(g->arg);
	}
}

void
loop_free(struct loop *lp)
{
	if (lp == NULL)
		return;
	graves_empty(lp);
	if (lp->nwatches > 0 || lp->ntimers > 0)
		wrong("%u watches and %u timers are left", lp->nwatches,
		    (unsigned)lp->ntimers);
	free(lp);
}

int
sim_loop_dead(const struct loop *lp)
{
	return lp->dead;
}

uint64_t
loop_now(const struct loop *lp)
{
	(void)lp;
	return world.now;
}

int64_t
loop_wall(const struct loop *lp)
{
	(void)lp;
	return (int64_t)1800000000 * 1000 + (int64_t)world.now;
}

uint64_t
loop_us(void)
{
	return world.now * 1000 + world.us++ % 1000;
}

void
loop_on_signal(struct loop *lp, void (*handler)(void *, int), void *arg)
{
	(void)lp;
	(void)handler;
	(void)arg;
}

int
loop_signal(struct loop *lp, int signo, int keep_ignored)
{
	(void)lp;
	(void)signo;
	(void)keep_ignored;
	return 0;
}

void
loop_bury(struct loop *lp, struct grave *g, void (*bury)(void *), void *arg)
{
	g->bury = bury;
	g->arg = arg;
	g->next = lp->graves;
	lp->graves = g;
}

/* ---- watches ---- */

void
loop_add(struct loop *lp, struct watch *w)
{
	if (w->listed)
		return;
	w->listed = 1;
	w->slot = -1;
	w->prev = NULL;
	if ((w->next = lp->watches) != NULL)
		w->next->prev = w;
	lp->watches = w;
	lp->nwatches++;
}

static void
unqueue(struct watch **at, const struct watch *w)
{
	for (; *at != NULL; at = &(*at)->next_ready)
		if (*at == w) {
			*at = w->next_ready;
			return;
		}
}

void
loop_remove(struct loop *lp, struct watch *w)
{
	if (!w->listed)
		return;
	if (w->queued) {
		unqueue(&lp->again, w);
		unqueue(&lp->running, w);
		w->queued = 0;
	}
	if (w->slot >= 0)
		lp->ready[w->slot].w = NULL;
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		lp->watches = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	w->listed = 0;
	w->slot = -1;
	lp->nwatches--;
}

void
loop_again(struct loop *lp, struct watch *w)
{
	if (!w->listed || w->queued)
		return;
	w->queued = 1;
	w->next_ready = lp->again;
	lp->again = w;
}

/* ---- timers ---- */

/* Setting one anew counts as an allocation, which may fail. */
int
timer_set(struct loop *lp, struct timer *t, uint64_t at)
{
	if (t->pos == 0) {
		if (alloc_fails())
			return -1;
		if (lp->ntimers + 1 == MOST) {
			wrong("more than %d timers", MOST);
			return -1;
		}
		t->pos = ++lp->ntimers;
		lp->timers[t->pos] = t;
	}
	t->at = at == 0 ? 1 : at;
	return 0;
}

void
timer_clear(struct loop *lp, struct timer *t)
{
	struct timer *last;

	t->at = 0;
	if (t->pos == 0)
		return;
	last = lp->timers[lp->ntimers--];
	lp->timers[t->pos] = last;
	last->pos = t->pos;
	t->pos = 0;
}

static struct timer *
soonest(const struct loop *lp)
{
	struct timer *t = NULL;
	size_t i;

	for (i = 1; i <= lp->ntimers; i++)
		if (t == NULL || lp->timers[i]->at < t->at)
			t = lp->timers[i];
	return t;
}

static void
timers_run(struct loop *lp)
{
	size_t most = lp->ntimers;
	struct timer *t;

	while (most-- > 0 && (t = soonest(lp)) != NULL &&
	    t->at <= world.now) {
		timer_clear(lp, t);
		t->fire(t->arg, world.now);
	}
}

/* ---- one turn ---- */

static unsigned
bits_of(const struct watch *w, unsigned want)
{
	const struct fd *f = fd_get(w->fd);
	unsigned bits = 0;

	if (f == NULL)
		return 0;
	if (f->kind == FD_LISTENER)
		return wire_waiting() ? LOOP_READ : 0;
	if (f->kind == FD_UDP)
		return f->udp->has == 2 ? LOOP_READ : 0;
	if ((want & (LOOP_READ | LOOP_LAZY)) && near_readable(f->wire))
		bits |= LOOP_READ;
	if ((want & LOOP_WRITE) && near_writable(f->wire))
		bits |= LOOP_WRITE;
	if (near_hung(f->wire))
		bits |= LOOP_READ | LOOP_WRITE;
	return bits;
}

/* Who is ready, in any order. */
static void
gather(struct loop *lp)
{
	struct watch *w;
	struct ready r;
	unsigned want, bits, i, k;
	int lazy = !plan.lazy || world.now - lp->lazy_at >= LOOP_LAZY_MS;

	lp->nready = 0;
	lp->left_out = 0;
	if (lazy)
		lp->lazy_at = world.now;
	for (w = lp->watches; w != NULL; w = w->next) {
		w->slot = -1;
		if (w->fd < 0 || (want = w->events(w->arg)) == 0 ||
		    (bits = bits_of(w, want)) == 0 || lp->nready == MOST)
			continue;
		if ((want & LOOP_LAZY) && !(want & LOOP_WRITE) && !lazy) {
			lp->left_out = 1;
			continue;
		}
		lp->ready[lp->nready].w = w;
		lp->ready[lp->nready++].bits = bits;
	}
	for (i = lp->nready; i > 1; i--) {
		k = dice(i);
		r = lp->ready[k];
		lp->ready[k] = lp->ready[i - 1];
		lp->ready[i - 1] = r;
	}
	for (i = 0; i < lp->nready; i++)
		lp->ready[i].w->slot = (int)i;
}

static void
ready_run(struct loop *lp)
{
	struct watch *w;
	unsigned i;

	lp->running = lp->again;
	lp->again = NULL;
	for (i = 0; i < lp->nready; i++)
		if ((w = lp->ready[i].w) != NULL)
			w->ready(w->arg, lp->ready[i].bits, world.now);
	lp->nready = 0;
	while ((w = lp->running) != NULL) {
		lp->running = w->next_ready;
		w->queued = 0;
		w->ready(w->arg, 0, world.now);
	}
}

/* Nobody has anything to do now: to when somebody has. */
static void
time_pass(struct loop *lp)
{
	const struct timer *t = soonest(lp);
	uint64_t at = actors_next(), by = t != NULL ? t->at : 0;

	if (lp->left_out && (by == 0 || lp->lazy_at + LOOP_LAZY_MS < by))
		by = lp->lazy_at + LOOP_LAZY_MS;
	if (at == 0 && by == 0) {
		lp->dead = 1;
		return;
	}
	if (by != 0 && (at == 0 || by < at))
		at = by + (chance(LATE) ? dice(4) : 0);
	if (at > world.now) {
		world.now = at;
		lp->idle = 0;
	}
	actors_run();
	gather(lp);
}

/* Work that moves nothing while no time passes is a busy loop. */
static void
idle_check(struct loop *lp)
{
	if (world.moves != lp->moves)
		lp->idle = 0;
	else if (++lp->idle > IDLE_TURNS)
		wrong("a busy loop: %u turns moved nothing", IDLE_TURNS);
	lp->moves = world.moves;
}

int
loop_turn(struct loop *lp)
{
	world.turns++;
	actors_run();
	gather(lp);
	if (lp->nready == 0 && lp->again == NULL)
		time_pass(lp);
	ready_run(lp);
	timers_run(lp);
	graves_empty(lp);
	idle_check(lp);
	return 0;
}
