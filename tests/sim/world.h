#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

/*
 * The ground of the simulation: the seed, the virtual clock, the memory of
 * one schedule, who acts when, the trace, and the first thing that is wrong.
 * All of it is one value, as a schedule has the process for itself.
 */

#include <stddef.h>
#include <stdint.h>

/* Somebody outside the proxy: embedded in whoever acts. */
struct actor {
	void (*step)(void *arg);
	void *arg;
	uint64_t at;		/* acts then, ms; 0: not by the clock */
	unsigned char dirty;	/* acts as soon as it may */
	unsigned char gone;	/* never again */
	struct actor *next;
};

struct world {
	uint64_t seed;		/* of this schedule */
	uint64_t random;	/* where its sequence is */
	uint64_t now;		/* ms, monotonic, never 0 */
	uint64_t us;		/* within it: so that no two looks agree */
	uint64_t moves;		/* grows when anything happens */
	uint64_t turns;		/* of the loop */
	int trace;
	char fault[400];	/* "": nothing is wrong yet */
	struct actor *actors;
};

extern struct world world;

/* Begins a schedule; ends it and gives its memory back. */
void world_start(uint64_t seed, int trace);
void world_end(void);

/* Zeroed memory that lasts until world_end(). */
void *world_alloc(size_t n);

/* 0 to n - 1; from lo to hi; 1 in so many of a hundred cases. */
unsigned dice(unsigned n);
unsigned between(unsigned lo, unsigned hi);
int chance(unsigned percent);

/* A line of the trace; and what a rule found wrong, only the first kept. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void say(const char *fmt, ...);
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void wrong(const char *fmt, ...);

void actor_add(struct actor *a);

/* Lets it act at once, or at that time; of several times the first counts. */
void actor_wake(struct actor *a);
void actor_at(struct actor *a, uint64_t at);

/* All who are to act now do; the time when the next one will, 0: never. */
void actors_run(void);
uint64_t actors_next(void);

/* Bytes that grow, in the memory of the schedule. */
struct bytes {
	unsigned char *p;
	size_t n, cap;
};
void bytes_add(struct bytes *b, const void *p, size_t n);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void bytes_fmt(struct bytes *b, const char *fmt, ...);

#endif
