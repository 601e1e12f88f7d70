#include "limit.h"

#include <string.h>

#include "tests/t.h"

/*
 * Random histories on a virtual clock against a second, naive account, which
 * keeps every record and counts anew each time.  A run ends at the first
 * difference.
 */

#define N(a) (sizeof(a) / sizeof *(a))
#define SECOND ((uint64_t)1000)
#define MINUTE (60 * SECOND)
#define PLENTY ((size_t)1 << 22)
#define NAMES 8
#define KEPT 4096

/* One record. */
struct mark {
	uint64_t at, leaves_as;		/* the time that its run has */
	uint64_t n;
};

/* Everything of one subject, in order. */
struct story {
	struct mark m[KEPT];
	size_t n;
	uint64_t window;
	unsigned long seq;		/* of the last record */
};

struct world {
	struct limit l;
	struct story s[NAMES];
	unsigned long seq;
	uint64_t now, seed, tip;	/* tip: when a wait is over */
	int tokens;
	const char *wrong;
	int line;
	unsigned long refused, allowed, forgotten;
};

#define S_OK(cond) do { \
	if (!(cond) && w->wrong == NULL) { \
		w->wrong = #cond; \
		w->line = __LINE__; \
	} \
} while (0)

static uint64_t
pick(struct world *w, uint64_t n)
{
	return util_random(&w->seed) % n;
}

static void
story_age(struct story *s, uint64_t window, uint64_t now)
{
	uint64_t least = window < s->window ? window : s->window;
	size_t i, k = 0;

	for (i = 0; i < s->n; i++)
		if (now - s->m[i].leaves_as < least)
			s->m[k++] = s->m[i];
	s->n = k;
	s->window = window;
}

static uint64_t
story_sum(const struct story *s, uint64_t window, uint64_t now)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (now - s->m[i].leaves_as < window)
			sum += s->m[i].n;
	return sum;
}

/* The time until the sum is below max; 0: it is. */
static uint64_t
story_wait(const struct story *s, uint64_t max, uint64_t window, uint64_t now)
{
	uint64_t then = now;
	size_t i;

	for (i = 0; story_sum(s, window, then) >= max; i++)
		then = s->m[i].leaves_as + window;
	return then - now;
}

/* The naive registry: room for so many that have something in the window. */
static void
story_room(struct world *w, struct story *mine)
{
	struct story *s, *oldest = NULL;
	size_t live = 0;

	for (s = w->s; s < w->s + NAMES; s++) {
		story_age(s, s->window, w->now);
		if (s->n == 0)
			continue;
		live++;
		if (oldest == NULL || s->seq < oldest->seq)
			oldest = s;
	}
	if (mine->n == 0 && live == w->l.max_subjects) {
		oldest->n = 0;
		w->forgotten++;
	}
}

static void
story_add(struct world *w, struct story *s, uint64_t n)
{
	uint64_t unit = w->tokens ? SECOND : 1;
	size_t i;

	S_OK(s->n < KEPT);
	if (s->n == KEPT)
		return;
	s->m[s->n].at = s->m[s->n].leaves_as = w->now;
	s->m[s->n++].n = n;
	for (i = s->n; i-- > 0 && s->m[i].at / unit == w->now / unit;)
		s->m[i].leaves_as = w->now;
	s->seq = ++w->seq;
}

static void
judge(struct world *w, struct story *s, enum limit_rc rc, uint64_t max,
    uint64_t window, uint64_t wait)
{
	uint64_t due = max == 0 ? 0 : story_wait(s, max, window, w->now);
	uint64_t sum = 0, late = 0;
	size_t i;

	S_OK(rc == (due > 0 ? LIMIT_OVER : LIMIT_OK));
	S_OK(wait == due);
	/* The promise itself, without runs: never early, 999 ms late. */
	for (i = 0; i < s->n; i++) {
		sum += w->now - s->m[i].at < window ? s->m[i].n : 0;
		late += w->now - s->m[i].at < window + 999 ? s->m[i].n : 0;
	}
	S_OK(max == 0 || sum < max || rc == LIMIT_OVER);
	S_OK(max == 0 || late >= max || rc == LIMIT_OK);
	w->refused += due > 0;
	w->allowed += due == 0;
	if (due > 0 && pick(w, 3) == 0)
		w->tip = w->now + due;
}

static void
step_requests(struct world *w, struct story *s, struct str name, uint32_t max)
{
	uint64_t wait = 7777;
	int take = pick(w, 3) > 0;
	enum limit_rc rc;

	rc = take ? limit_requests_take(&w->l, name, max, w->now, &wait) :
	    limit_requests_peek(&w->l, name, max, w->now, &wait);
	story_age(s, MINUTE, w->now);
	judge(w, s, rc, max, MINUTE, wait);
	if (take && rc == LIMIT_OK && max > 0) {
		story_room(w, s);
		story_add(w, s, 1);
	}
}

static void
step_tokens(struct world *w, struct story *s, struct str name, uint32_t max,
    unsigned minutes)
{
	uint64_t wait = 7777, n = 1 + pick(w, 40);

	if (pick(w, 2) == 0) {
		S_OK(limit_tokens_peek(&w->l, name, max, minutes, w->now,
		    &wait) == (wait > 0 ? LIMIT_OVER : LIMIT_OK));
		if (max > 0)
			story_age(s, minutes * MINUTE, w->now);
		judge(w, s, wait > 0 ? LIMIT_OVER : LIMIT_OK, max,
		    minutes * MINUTE, wait);
		return;
	}
	S_OK(limit_tokens_charge(&w->l, name, n, minutes, w->now) ==
	    LIMIT_OK);
	story_age(s, s->window, w->now);
	story_room(w, s);
	if (s->n == 0)
		s->window = minutes * MINUTE;
	story_add(w, s, n);
}

/* Time: mostly small steps, and often to the edge of a wait. */
static void
step_time(struct world *w)
{
	static const uint64_t stride[] = { 1, 30, 500, 500, 2000, 2000 };

	if (w->tip > w->now) {
		w->now = w->tip - (pick(w, 2) == 0);
		w->tip = 0;
	} else if (pick(w, 400) == 0) {
		w->now += pick(w, 300000);
	} else if (pick(w, 3) > 0) {
		w->now += pick(w, 1 + stride[pick(w, N(stride))]);
	}
}

static void
against(int tokens, uint64_t seed, uint64_t start, size_t max_subjects,
    unsigned steps)
{
	static struct world world;
	struct world *w = &world;
	uint32_t max = 10;
	unsigned i, who = 0, minutes = 2;
	char name[2];

	memset(w, 0, sizeof *w);
	w->tokens = tokens;
	w->seed = seed;
	w->now = start;
	limit_init(&w->l, max_subjects, PLENTY);
	for (i = 0; i < NAMES; i++)
		w->s[i].window = MINUTE * (tokens ? 2 : 1);
	for (i = 0; i < steps && w->wrong == NULL; i++) {
		step_time(w);
		if (pick(w, 200) == 0) {	/* a reload */
			max = (uint32_t)pick(w, 8) * (tokens ? 40 : 4);
			/* Of unlike windows the oldest record is no guide. */
			if (max_subjects >= NAMES)
				minutes = 1 + (unsigned)pick(w, 4);
		}
		/* Some names come often, some rarely, all more than once. */
		if (pick(w, 12) == 0)
			who = (unsigned)pick(w, 1 + pick(w, NAMES));
		name[0] = (char)('a' + who);
		if (tokens)
			step_tokens(w, &w->s[who], str_n(name, 1), max,
			    minutes);
		else
			step_requests(w, &w->s[who], str_n(name, 1), max);
		S_OK(w->l.n <= max_subjects);
		S_OK(w->forgotten == w->l.forgotten);
	}
	T_OK(w->wrong == NULL, "seed %lu, step %u, line %d: %s",
	    (unsigned long)seed, i, w->line, w->wrong);
	T_OK(w->refused > steps / 50 && w->allowed > steps / 50,
	    "%lu refused, %lu allowed", w->refused, w->allowed);
	T_OK((w->forgotten > 0) == (max_subjects < NAMES), "%lu forgotten",
	    w->forgotten);
	limit_free(&w->l);
}

int
main(void)
{
	static const uint64_t starts[] = {
		0, UINT32_MAX - (uint64_t)100000, (uint64_t)1 << 62
	};
	uint64_t seed = 1;
	size_t i;

	for (i = 0; i < N(starts); i++) {
		against(0, seed++, starts[i], NAMES, 150000);
		against(0, seed++, starts[i], 3, 60000);
		against(1, seed++, starts[i], NAMES, 150000);
		against(1, seed++, starts[i], 3, 60000);
		against(1, seed++, starts[i], 1, 20000);
	}
	return t_end();
}
