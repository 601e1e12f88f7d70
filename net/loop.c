#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOP_FEW	64	/* descriptors that are cheap to poll */
#define LOOP_PAUSE_POLLS 4	/* a pause, in times of a poll's cost */
#define LOOP_PAUSE_MAX	2000	/* us: the longest pause between polls */
#define LOOP_WAIT_MAX	60000	/* ms: a turn at least once a minute */

struct loop {
	struct watch *watches;		/* borrowed: their owners remove them */
	size_t nwatches;
	struct watch *again;		/* queued for the next turn */
	struct watch *running;		/* those of this turn still to run */
	struct pollfd *pfd;		/* owned, with owner[] beside it */
	struct watch **owner;
	size_t npfd, cap;
	struct timer **heap;		/* owned array, from index 1 */
	size_t ntimers, heap_cap;
	struct grave *graves;
	uint64_t now;
	uint64_t lazy_at;		/* when lazy watches were polled last */
	uint64_t cost_us;		/* of a poll, as a rule */
	uint64_t pause_us;		/* before the next poll */
	void (*on_signal)(void *, int);
	void *signal_arg;
	struct watch pipe;
};

/* The handler can reach nothing else: one pipe for the process. */
static int signal_pipe[2] = { -1, -1 };

/* ---- clocks ---- */

uint64_t
loop_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
loop_now(const struct loop *lp)
{
	return lp->now;
}

int64_t
loop_wall(const struct loop *lp)
{
	struct timespec ts;

	(void)lp;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- signals ---- */

static void
signal_caught(int signo)
{
	unsigned char c = (unsigned char)signo;
	int keep = errno;
	ssize_t r;

	r = write(signal_pipe[1], &c, 1);
	(void)r;		/* a full pipe already holds a wake-up */
	errno = keep;
}

static unsigned
signal_events(void *arg)
{
	(void)arg;
	return LOOP_READ;
}

static void
signal_ready(void *arg, unsigned bits, uint64_t now)
{
	struct loop *lp = arg;
	unsigned char c[16];
	ssize_t i, n;

	(void)bits;
	(void)now;
	while ((n = read(signal_pipe[0], c, sizeof c)) > 0)
		for (i = 0; i < n; i++)
			if (lp->on_signal != NULL)
				lp->on_signal(lp->signal_arg, c[i]);
}

void
loop_on_signal(struct loop *lp, void (*handler)(void *, int), void *arg)
{
	lp->on_signal = handler;
	lp->signal_arg = arg;
}

int
loop_signal(struct loop *lp, int signo, int keep_ignored)
{
	struct sigaction sa;

	(void)lp;
	if (keep_ignored && sigaction(signo, NULL, &sa) == 0 &&
	    sa.sa_handler == SIG_IGN)
		return 1;
	memset(&sa, 0, sizeof sa);
	sa.sa_handler = signal_caught;
	sa.sa_flags = SA_RESTART;
	sigemptyset(&sa.sa_mask);
	sigaction(signo, &sa, NULL);
	return 0;
}

/* ---- making and freeing ---- */

static int
pipe_open(void)
{
	int i, fl;

	if (pipe(signal_pipe) == -1)
		return -1;
	for (i = 0; i < 2; i++) {
		fl = fcntl(signal_pipe[i], F_GETFL);
		fcntl(signal_pipe[i], F_SETFL, fl | O_NONBLOCK);
		fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
	}
	return 0;
}

struct loop *
loop_new(void)
{
	struct loop *lp;

	if (signal_pipe[0] != -1 || (lp = calloc(1, sizeof *lp)) == NULL)
		return NULL;
	if (pipe_open() == -1) {
		free(lp);
		return NULL;
	}
	lp->now = loop_us() / 1000;
	lp->pipe.fd = signal_pipe[0];
	lp->pipe.events = signal_events;
	lp->pipe.ready = signal_ready;
	lp->pipe.arg = lp;
	loop_add(lp, &lp->pipe);
	return lp;
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
	close(signal_pipe[0]);
	close(signal_pipe[1]);
	signal_pipe[0] = signal_pipe[1] = -1;
	free(lp->pfd);
	free(lp->owner);
	free(lp->heap);
	free(lp);
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
queue_remove(struct watch **at, struct watch *w)
{
	while (*at != NULL && *at != w)
		at = &(*at)->next_ready;
	if (*at == w)
		*at = w->next_ready;
}

void
loop_remove(struct loop *lp, struct watch *w)
{
	if (!w->listed)
		return;
	if (w->queued) {
		queue_remove(&lp->again, w);
		queue_remove(&lp->running, w);
		w->queued = 0;
	}
	if (w->slot >= 0)
		lp->owner[w->slot] = NULL;	/* its events go nowhere */
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

/* ---- timers: a binary heap, soonest first ---- */

static void
heap_place(struct loop *lp, size_t i, struct timer *t)
{
	lp->heap[i] = t;
	t->pos = i;
}

static void
heap_up(struct loop *lp, size_t i, struct timer *t)
{
	while (i > 1 && lp->heap[i / 2]->at > t->at) {
		heap_place(lp, i, lp->heap[i / 2]);
		i /= 2;
	}
	heap_place(lp, i, t);
}

static void
heap_down(struct loop *lp, size_t i, struct timer *t)
{
	size_t c;

	while ((c = 2 * i) <= lp->ntimers) {
		if (c < lp->ntimers && lp->heap[c + 1]->at < lp->heap[c]->at)
			c++;
		if (lp->heap[c]->at >= t->at)
			break;
		heap_place(lp, i, lp->heap[c]);
		i = c;
	}
	heap_place(lp, i, t);
}

int
timer_set(struct loop *lp, struct timer *t, uint64_t at)
{
	struct timer **h;
	size_t cap;

	if (at == 0)
		at = 1;		/* 0 means: not set */
	if (t->pos != 0) {
		t->at = at;
		heap_up(lp, t->pos, t);
		heap_down(lp, t->pos, t);
		return 0;
	}
	if (lp->ntimers + 1 >= lp->heap_cap) {
		cap = lp->heap_cap == 0 ? 64 : lp->heap_cap * 2;
		if ((h = realloc(lp->heap, cap * sizeof *h)) == NULL)
			return -1;
		lp->heap = h;
		lp->heap_cap = cap;
	}
	t->at = at;
	heap_up(lp, ++lp->ntimers, t);
	return 0;
}

void
timer_clear(struct loop *lp, struct timer *t)
{
	struct timer *last;
	size_t i = t->pos;

	t->at = 0;
	if (i == 0)
		return;
	t->pos = 0;
	last = lp->heap[lp->ntimers--];
	if (last == t)
		return;
	heap_up(lp, i, last);
	heap_down(lp, last->pos, last);
}

/* One that sets itself for now must not keep the turn from ending. */
static void
timers_run(struct loop *lp)
{
	size_t most = lp->ntimers;
	struct timer *t;

	while (most-- > 0 && lp->ntimers > 0 &&
	    (t = lp->heap[1])->at <= lp->now) {
		timer_clear(lp, t);
		t->fire(t->arg, lp->now);
	}
}

/* ---- one turn ---- */

static int
poll_room(struct loop *lp)
{
	struct pollfd *p;
	struct watch **o;
	size_t cap = lp->cap == 0 ? 64 : lp->cap;

	while (cap < lp->nwatches)
		cap *= 2;
	if (cap == lp->cap)
		return 0;
	if ((p = realloc(lp->pfd, cap * sizeof *p)) == NULL)
		return -1;
	lp->pfd = p;
	if ((o = realloc(lp->owner, cap * sizeof *o)) == NULL)
		return -1;
	lp->owner = o;
	lp->cap = cap;
	return 0;
}

/*
 * Asks each watch what it waits for.  Returns 1 if some were left out: lazy
 * ones, or the oldest because memory for them is short.
 */
static int
poll_fill(struct loop *lp)
{
	struct watch *w;
	unsigned want;
	int left = 0;
	int lazy = lp->nwatches <= LOOP_FEW ||
	    lp->now - lp->lazy_at >= LOOP_LAZY_MS;

	if (lazy)
		lp->lazy_at = lp->now;
	lp->npfd = 0;
	for (w = lp->watches; w != NULL; w = w->next) {
		w->slot = -1;
		if (w->fd < 0 || (want = w->events(w->arg)) == 0)
			continue;
		if (lp->npfd == lp->cap || ((want & LOOP_LAZY) &&
		    !(want & LOOP_WRITE) && !lazy)) {
			left = 1;
			continue;
		}
		lp->pfd[lp->npfd].fd = w->fd;
		lp->pfd[lp->npfd].events = (short)
		    ((want & (LOOP_READ | LOOP_LAZY) ? POLLIN : 0) |
		    (want & LOOP_WRITE ? POLLOUT : 0));
		lp->pfd[lp->npfd].revents = 0;
		lp->owner[lp->npfd] = w;
		w->slot = (int)lp->npfd++;
	}
	return left;
}

static int
poll_timeout(const struct loop *lp, int left)
{
	uint64_t ms = LOOP_WAIT_MAX, now = loop_us() / 1000;

	if (lp->again != NULL)
		return 0;
	if (lp->ntimers > 0)
		ms = lp->heap[1]->at <= now ? 0 : lp->heap[1]->at - now;
	if (left && ms > LOOP_LAZY_MS)
		ms = LOOP_LAZY_MS;
	return ms > LOOP_WAIT_MAX ? LOOP_WAIT_MAX : (int)ms;
}

/*
 * poll() costs time for every descriptor in it, so with thousands of them
 * one poll should serve many events.  When the last poll cost much for each
 * event that it found, the next one waits some times as long as polls take:
 * with a thousand streams that is a quarter of a millisecond.
 */
static void
poll_pause(struct loop *lp)
{
	struct timespec ts;

	if (lp->pause_us == 0 || lp->again != NULL)
		return;
	ts.tv_sec = 0;
	ts.tv_nsec = (long)lp->pause_us * 1000;
	nanosleep(&ts, NULL);
}

static int
poll_once(struct loop *lp, int timeout)
{
	uint64_t cost;
	int n;

	if (lp->npfd <= LOOP_FEW) {
		lp->pause_us = 0;
		return poll(lp->pfd, (nfds_t)lp->npfd, timeout);
	}
	cost = loop_us();
	n = poll(lp->pfd, (nfds_t)lp->npfd, 0);
	cost = loop_us() - cost;
	/* A poll that was preempted looks dear: believe it by and by. */
	if (cost < lp->cost_us)
		lp->cost_us = cost;
	else
		lp->cost_us += (cost - lp->cost_us) / 8;
	lp->pause_us = 0;
	if (n > 0 && lp->cost_us > 2 * (uint64_t)n)
		lp->pause_us = LOOP_PAUSE_POLLS * lp->cost_us > LOOP_PAUSE_MAX ?
		    LOOP_PAUSE_MAX : LOOP_PAUSE_POLLS * lp->cost_us;
	if (n != 0 || timeout == 0)
		return n;
	return poll(lp->pfd, (nfds_t)lp->npfd, timeout);
}

static void
ready_run(struct loop *lp)
{
	struct watch *w;
	unsigned bits;
	size_t i;
	short re;

	/* What asks for another go from here on gets it in the next turn. */
	lp->running = lp->again;
	lp->again = NULL;
	for (i = 0; i < lp->npfd; i++) {
		if ((re = lp->pfd[i].revents) == 0 ||
		    (w = lp->owner[i]) == NULL)
			continue;
		/* An end or error may come alone: whoever waits learns it. */
		bits = (re & ~POLLOUT ? LOOP_READ : 0u) |
		    (re & ~POLLIN ? LOOP_WRITE : 0u);
		w->ready(w->arg, bits, lp->now);
	}
	while ((w = lp->running) != NULL) {
		lp->running = w->next_ready;
		w->queued = 0;
		w->ready(w->arg, 0, lp->now);
	}
}

int
loop_turn(struct loop *lp)
{
	int left, n;

	poll_pause(lp);
	if (poll_room(lp) == -1 && lp->cap == 0)
		return -1;
	left = poll_fill(lp);
	n = poll_once(lp, poll_timeout(lp, left));
	if (n == -1 && errno != EINTR && errno != EAGAIN)
		return -1;
	if (n == -1)
		lp->npfd = 0;
	lp->now = loop_us() / 1000;
	ready_run(lp);
	timers_run(lp);
	graves_empty(lp);
	return 0;
}
