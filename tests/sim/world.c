#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tests/sim/alloc.h"

#define PIECE_MIN	(1u << 18)
#define ROUNDS_MAX	100000		/* of actors without time passing */

struct world world;

/* The pieces of memory; the newest is used. */
struct piece {
	struct piece *next;
	size_t used, size;
};
static struct piece *pieces;

void
world_start(uint64_t seed, int trace)
{
	memset(&world, 0, sizeof world);
	world.seed = seed;
	world.random = seed * 0x9e3779b97f4a7c15u + 1;
	world.now = 1000000;
	world.trace = trace;
}

/* The first piece stays for the next schedule. */
void
world_end(void)
{
	struct piece *p;

	while ((p = pieces) != NULL && p->next != NULL) {
		pieces = p->next;
		alloc_free(p);
	}
	if (p != NULL)
		p->used = 0;
	world.actors = NULL;
}

void *
world_alloc(size_t n)
{
	struct piece *p = pieces;
	size_t head = (sizeof *p + 15) & ~(size_t)15;
	unsigned char *at;

	n = (n + 15) & ~(size_t)15;
	if (p == NULL || p->size - p->used < n) {
		p = alloc_own(head + (n > PIECE_MIN ? n : PIECE_MIN));
		if (p == NULL)
			abort();
		p->size = n > PIECE_MIN ? n : PIECE_MIN;
		p->used = 0;
		p->next = pieces;
		pieces = p;
	}
	at = (unsigned char *)p + head + p->used;
	p->used += n;
	memset(at, 0, n);
	return at;
}

unsigned
dice(unsigned n)
{
	return (unsigned)(util_random(&world.random) % n);
}

unsigned
between(unsigned lo, unsigned hi)
{
	return lo + dice(hi - lo + 1);
}

int
chance(unsigned percent)
{
	return dice(100) < percent;
}

void
say(const char *fmt, ...)
{
	va_list ap;

	if (!world.trace)
		return;
	printf("%5lu.%03u ", (unsigned long)(world.now / 1000 - 1000),
	    (unsigned)(world.now % 1000));
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void
wrong(const char *fmt, ...)
{
	va_list ap;

	if (world.fault[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(world.fault, sizeof world.fault, fmt, ap);
	va_end(ap);
	say("WRONG: %s", world.fault);
}

void
actor_add(struct actor *a)
{
	a->next = world.actors;
	world.actors = a;
}

void
actor_wake(struct actor *a)
{
	a->dirty = 1;
}

void
actor_at(struct actor *a, uint64_t at)
{
	if (a->at == 0 || at < a->at)
		a->at = at;
}

static int
due(const struct actor *a)
{
	return !a->gone && (a->dirty || (a->at != 0 && a->at <= world.now));
}

void
actors_run(void)
{
	unsigned rounds = 0;
	struct actor **at, *a;
	int again;

	do {
		again = 0;
		for (at = &world.actors; (a = *at) != NULL;) {
			if (due(a)) {
				again = 1;
				a->dirty = 0;
				if (a->at <= world.now)
					a->at = 0;
				a->step(a->arg);
			}
			/* A step may have put somebody in front. */
			while (*at != a)
				at = &(*at)->next;
			if (a->gone)
				*at = a->next;
			else
				at = &a->next;
		}
		if (++rounds > ROUNDS_MAX) {
			wrong("the actors never rest");
			return;
		}
	} while (again);
}

uint64_t
actors_next(void)
{
	const struct actor *a;
	uint64_t at = 0;

	for (a = world.actors; a != NULL; a = a->next) {
		if (a->gone)
			continue;
		if (a->dirty)
			return world.now;
		if (a->at != 0 && (at == 0 || a->at < at))
			at = a->at;
	}
	return at;
}

static unsigned char *
bytes_room(struct bytes *b, size_t n)
{
	unsigned char *p;
	size_t cap = b->cap == 0 ? 256 : b->cap;

	if (b->n + n <= b->cap)
		return b->p + b->n;
	while (cap < b->n + n)
		cap *= 2;
	p = world_alloc(cap);
	if (b->n > 0)
		memcpy(p, b->p, b->n);
	b->p = p;
	b->cap = cap;
	return p + b->n;
}

void
bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (n > 0)
		memcpy(bytes_room(b, n), p, n);
	b->n += n;
}

void
bytes_fmt(struct bytes *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	bytes_room(b, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}
