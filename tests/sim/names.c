#include "tests/sim/names.h"

#include <string.h>

#include "tests/sim/plan.h"

static void
arrived(void *arg)
{
	struct datagram *d = arg;

	d->has = 2;
	d->actor.gone = 1;
	world.moves++;
}

/* The backend that a query asks for, and where the question ends. */
static struct backend *
asked_for(const unsigned char *q, size_t n, size_t *end)
{
	unsigned k;

	/* id flags counts, then 2 'b' K 3 's' 'i' 'm' 0, type, class */
	if (n < 24 || q[12] != 2 || (q[13] | 0x20) != 'b' || q[15] != 3)
		return NULL;
	k = (unsigned)q[14] - '0';
	*end = 24;
	return k < plan.nbackends ? &plan.backends[k] : NULL;
}

static void
answer_add(struct datagram *d, const struct backend *b, unsigned i)
{
	unsigned char rr[16] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4,
	    10, 0, 0, 1 };

	rr[13] = (unsigned char)b->index;
	rr[14] = (unsigned char)(i + 1);
	memcpy(d->p + d->n, rr, sizeof rr);
	d->n += sizeof rr;
	d->p[7]++;
}

void
names_ask(struct datagram *d, const void *query, size_t n)
{
	const unsigned char *q = query;
	struct backend *b;
	unsigned i;
	size_t end = 0;

	d->has = 0;
	b = asked_for(q, n, &end);
	if (b == NULL || (b->names_fail > 0 && chance(b->names_fail))) {
		say("  a query for a name is lost");
		return;
	}
	memcpy(d->p, q, end);
	d->n = end;
	d->p[2] = 0x81;		/* an answer */
	d->p[3] = 0x80;
	memset(d->p + 6, 0, 6);
	if (q[21] == 1)
		for (i = 0; i < b->naddrs; i++)
			answer_add(d, b, i);
	d->has = 1;
	d->actor.step = arrived;
	d->actor.arg = d;
	actor_add(&d->actor);
	actor_at(&d->actor, world.now + dice(20));
}
