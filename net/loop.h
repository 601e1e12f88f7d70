#ifndef NET_LOOP_H
#define NET_LOOP_H

/*
 * The event loop: the only file with poll() and clocks.  A watch is an
 * object that may wait for a descriptor; what it waits for is asked anew at
 * each turn, never toggled.  Nothing that is freed during a turn goes
 * before the turn is over.
 */

#include <stddef.h>
#include <stdint.h>

struct loop;

/*
 * Bits of interest and of readiness.  LOOP_LAZY: wants to be told of an end
 * or of bytes soon, not at once; with many descriptors such a watch is
 * polled only every LOOP_LAZY_MS, which halves what each poll costs.
 */
enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_LAZY = 4 };
#define LOOP_LAZY_MS 10

/*
 * Embedded in whoever waits.  The owner sets fd (-1: none), events, ready
 * and arg, then adds it.  events(arg) tells LOOP_READ and LOOP_WRITE as a
 * function of state only; ready(arg, bits, now) is called when some came.
 */
struct watch {
	int fd;
	unsigned (*events)(void *arg);
	void (*ready)(void *arg, unsigned bits, uint64_t now);
	void *arg;
	/* the loop's own */
	struct watch *prev, *next, *next_ready;
	int slot;
	unsigned char listed, queued;
};

/* One-shot timer; embedded; at is 0 when it is not set. */
struct timer {
	uint64_t at;		/* ms */
	void (*fire)(void *arg, uint64_t now);
	void *arg;
	size_t pos;		/* in the heap, from 1; 0: not in it */
};

/* Something to be freed at the end of the turn; embedded. */
struct grave {
	struct grave *next;
	void (*bury)(void *arg);
	void *arg;
};

/* NULL when out of memory or descriptors. */
struct loop *loop_new(void);
void loop_free(struct loop *lp);

/* Adding twice and removing what is not there are harmless. */
void loop_add(struct loop *lp, struct watch *w);
void loop_remove(struct loop *lp, struct watch *w);

/*
 * Runs w->ready(arg, 0, now) in the next turn without waiting: for bytes
 * that are already here and raise no event.
 */
void loop_again(struct loop *lp, struct watch *w);

/*
 * Sets the timer to fire at `at` (ms, monotonic) or later.  Re-arming is
 * cheap.  0, or -1 when out of memory.  The fields fire and arg are the
 * owner's.
 */
int timer_set(struct loop *lp, struct timer *t, uint64_t at);
void timer_clear(struct loop *lp, struct timer *t);

/* Calls bury(arg) when the turn is over. */
void loop_bury(struct loop *lp, struct grave *g, void (*bury)(void *),
    void *arg);

/* The monotonic clock of this turn, ms. */
uint64_t loop_now(const struct loop *lp);

/* The wall clock as of this turn, ms since 1970. */
int64_t loop_wall(const struct loop *lp);

/* The monotonic clock now, µs: for measuring phases. */
uint64_t loop_us(void);

/*
 * Signals: a signal that arrives is told to handler(arg, signo) inside the
 * loop.  loop_signal() returns 1 without doing anything if the signal was
 * ignored when the process started and keep_ignored is set (nohup).
 */
void loop_on_signal(struct loop *lp, void (*handler)(void *, int), void *arg);
int loop_signal(struct loop *lp, int signo, int keep_ignored);

/* One turn: waits for something, does it, buries.  0, or -1 on error. */
int loop_turn(struct loop *lp);

#endif
