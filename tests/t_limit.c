#include <stdlib.h>

/*
 * limit.c itself, so that its allocations can be made to fail and its
 * records be checked.
 */
static long fail_at;		/* the allocation that fails; 0: none */
static unsigned fail_rate;	/* one in so many fails; 0: none */
static unsigned long long fail_seed = 99;

static int fails(void);

static void *
t_malloc(size_t n)
{
	return fails() ? NULL : malloc(n);
}

static void *
t_calloc(size_t n, size_t each)
{
	return fails() ? NULL : calloc(n, each);
}

static void *
t_realloc(void *p, size_t n)
{
	return fails() ? NULL : realloc(p, n);
}

#define malloc t_malloc
#define calloc t_calloc
#define realloc t_realloc
#include "limit.c"
#undef malloc
#undef calloc
#undef realloc

#include "tests/t.h"

#define N(a) (sizeof(a) / sizeof *(a))
#define WEEK (LIMIT_MINUTES_MAX * MINUTE)
#define PLENTY ((size_t)1 << 22)

static int
fails(void)
{
	uint64_t s = fail_seed;
	int no = fail_at > 0 && --fail_at == 0;

	if (fail_rate > 0) {
		no |= util_random(&s) % fail_rate == 0;
		fail_seed = s;
	}
	return no;
}

/* What must hold of a registry at any time; NULL, or what does not. */
static const char *
unsound(const struct limit *l)
{
	const struct limit_subject *s;
	uint64_t sum;
	size_t i, k, runs = 0, n = 0;

	for (i = 0; i < l->n; i++) {
		s = l->list[i];
		if (i > 0 && order(l->list[i - 1],
		    str_n(s->name, s->len)) >= 0)
			return "names out of order";
		if (s->cap < FEW || (s->cap & (s->cap - 1)) != 0 ||
		    s->n > s->cap)
			return "a ring's size";
		for (sum = 0, k = 0; k < s->n; k++)
			sum += run_at(s, k)->n;
		if (sum != s->sum)
			return "a sum";
		if (s->n > 0 && run_at(s, s->n - 1)->at != (uint32_t)s->last)
			return "the time of the newest run";
		runs += cost(s->cap);
	}
	if (runs != l->runs || runs > l->max_runs)
		return "the count of runs";
	for (s = l->oldest; s != NULL; s = s->newer, n++)
		if (s->newer == NULL ? l->newest != s : s->newer->older != s)
			return "the chain";
	if (n != l->n || l->n > l->max_subjects || l->n > l->cap)
		return "the count of subjects";
	return NULL;
}

static void
sound(const struct limit *l, const char *what)
{
	const char *why = unsound(l);

	T_OK(why == NULL, "%s: %s", what, why);
}

/* ---- 1. tables ---- */

/*
 * One call.  What: T take, P peek, C charge, Q peek at tokens.  A row with
 * NULL begins a new registry.
 */
struct row {
	const char *name;
	char what;
	uint32_t max;		/* or the amount of a charge */
	unsigned minutes;
	uint64_t now;
	enum limit_rc rc;
	uint64_t wait;
};

#define NEW { NULL, 0, 0, 0, 0, LIMIT_OK, 0 }
#define OK LIMIT_OK, 0
#define OVER LIMIT_OVER

static const struct row rows[] = {
	/* one in a minute: to the ms */
	{ "a", 'T', 1, 0, 0, OK },
	{ "a", 'T', 1, 0, 0, OVER, 60000 },
	{ "b", 'T', 1, 0, 0, OK },
	{ "a", 'T', 1, 0, 59999, OVER, 1 },
	{ "a", 'P', 1, 0, 60000, OK },
	{ "a", 'T', 1, 0, 60000, OK },
	{ "a", 'T', 1, 0, 60000, OVER, 60000 },
	{ "a", 'T', 1, 0, 119999, OVER, 1 },
	{ "a", 'T', 1, 0, 120000, OK },
	NEW,	/* three, and three again as each leaves */
	{ "a", 'T', 3, 0, 5, OK },
	{ "a", 'T', 3, 0, 10, OK },
	{ "a", 'T', 3, 0, 20, OK },
	{ "a", 'T', 3, 0, 30, OVER, 59975 },
	{ "a", 'T', 3, 0, 60004, OVER, 1 },
	{ "a", 'T', 3, 0, 60005, OK },
	{ "a", 'T', 3, 0, 60009, OVER, 1 },
	{ "a", 'T', 3, 0, 60010, OK },
	{ "a", 'T', 3, 0, 60019, OVER, 1 },
	{ "a", 'T', 3, 0, 60020, OK },
	{ "a", 'T', 3, 0, 60021, OVER, 59984 },
	NEW,	/* peeking takes nothing */
	{ "a", 'P', 1, 0, 0, OK },
	{ "a", 'P', 1, 0, 0, OK },
	{ "a", 'T', 1, 0, 0, OK },
	{ "a", 'P', 1, 0, 7, OVER, 59993 },
	{ "a", 'P', 1, 0, 7, OVER, 59993 },
	NEW,	/* no limit leaves no trace, and an old one alone */
	{ "a", 'T', 0, 0, 0, OK },
	{ "a", 'T', 0, 0, 0, OK },
	{ "a", 'P', 1, 0, 0, OK },
	{ "a", 'T', 1, 0, 1, OK },
	{ "a", 'T', 0, 0, 2, OK },
	{ "a", 'P', 0, 0, 2, OK },
	{ "a", 'T', 1, 0, 3, OVER, 59998 },
	{ "a", 'T', 2, 0, 3, OK },
	NEW,	/* lowered by a reload: the old history counts */
	{ "a", 'T', 5, 0, 0, OK },
	{ "a", 'T', 5, 0, 1, OK },
	{ "a", 'T', 5, 0, 2, OK },
	{ "a", 'T', 5, 0, 3, OK },
	{ "a", 'T', 5, 0, 4, OK },
	{ "a", 'T', 2, 0, 5, OVER, 59998 },
	{ "a", 'T', 5, 0, 5, OVER, 59995 },
	{ "a", 'T', 2, 0, 60002, OVER, 1 },
	{ "a", 'T', 2, 0, 60003, OK },
	{ "a", 'T', 2, 0, 60003, OVER, 1 },
	/* and raised: only what is new */
	{ "a", 'T', 4, 0, 60003, OK },
	{ "a", 'T', 4, 0, 60003, OK },
	{ "a", 'T', 4, 0, 60003, OVER, 1 },
	{ "a", 'T', 4, 0, 60004, OK },
	{ "a", 'T', 4, 0, 60004, OVER, 59999 },
	NEW,	/* a clock that goes back */
	{ "a", 'T', 2, 0, 100000, OK },
	{ "a", 'T', 2, 0, 50, OK },
	{ "a", 'T', 2, 0, 50, OVER, 60000 },
	{ "a", 'T', 2, 0, 159999, OVER, 1 },
	{ "a", 'T', 2, 0, 160000, OK },
	NEW,	/* low halves of times that wrap, and come again */
	{ "a", 'T', 1, 0, UINT32_MAX - 10, OK },
	{ "a", 'T', 1, 0, (uint64_t)UINT32_MAX + 10, OVER, 59980 },
	{ "a", 'T', 1, 0, (uint64_t)UINT32_MAX + 59989, OVER, 1 },
	{ "a", 'T', 1, 0, (uint64_t)UINT32_MAX + 59990, OK },
	{ "a", 'P', 1, 0, (uint64_t)UINT32_MAX * 2 + 60000, OK },
	{ "a", 'T', 1, 0, (uint64_t)UINT32_MAX * 9, OK },
	{ "a", 'T', 1, 0, (uint64_t)UINT32_MAX * 9 + 1, OVER, 59999 },
	NEW,	/* names are bytes, and whole up to a length */
	{ "", 'T', 1, 0, 0, OK },
	{ "", 'T', 1, 0, 0, OVER, 60000 },
	{ "A", 'T', 1, 0, 0, OK },
	{ "a", 'T', 1, 0, 0, OK },
	{ "aa", 'T', 1, 0, 0, OK },
	{ "\xff", 'T', 1, 0, 0, OK },
	{ "aa", 'T', 1, 0, 0, OVER, 60000 },

	NEW,	/* tokens: refused from the maximum on, free when it leaves */
	{ "u", 'Q', 100, 1, 0, OK },
	{ "u", 'C', 99, 1, 0, OK },
	{ "u", 'Q', 100, 1, 1000, OK },
	{ "v", 'Q', 1, 1, 1000, OK },
	{ "u", 'C', 1, 1, 1000, OK },
	{ "u", 'Q', 100, 1, 1000, OVER, 59000 },
	{ "v", 'Q', 100, 1, 1000, OK },
	{ "u", 'Q', 100, 1, 59999, OVER, 1 },
	{ "u", 'Q', 100, 1, 60000, OK },
	{ "u", 'Q', 1, 1, 60999, OVER, 1 },
	{ "u", 'Q', 1, 1, 61000, OK },
	NEW,	/* past the maximum: until the sum is below it */
	{ "u", 'C', 10, 2, 500, OK },
	{ "u", 'C', 20, 2, 1500, OK },
	{ "u", 'C', 500, 2, 2500, OK },
	{ "u", 'C', 7, 2, 3500, OK },
	{ "u", 'Q', 537, 2, 4000, OVER, 116500 },
	{ "u", 'Q', 538, 2, 4000, OK },
	{ "u", 'Q', 100, 2, 4000, OVER, 118500 },
	{ "u", 'Q', 7, 2, 4000, OVER, 119500 },
	{ "u", 'Q', 8, 2, 122499, OVER, 1 },
	{ "u", 'Q', 8, 2, 122500, OK },
	NEW,	/* the same second: one run, at the time of its last */
	{ "u", 'C', 1, 1, 1000, OK },
	{ "u", 'C', 1, 1, 1999, OK },
	{ "u", 'C', 1, 1, 2000, OK },
	{ "u", 'Q', 3, 1, 2000, OVER, 59999 },
	{ "u", 'Q', 3, 1, 61998, OVER, 1 },
	{ "u", 'Q', 2, 1, 61999, OK },
	NEW,	/* off, and nothing charged */
	{ "u", 'C', 5, 0, 0, OK },
	{ "u", 'C', 0, 5, 0, OK },
	{ "u", 'Q', 1, 5, 0, OK },
	{ "u", 'C', 5, 1, 0, OK },
	{ "u", 'Q', 0, 1, 0, OK },
	{ "u", 'Q', 1, 0, 0, OK },
	{ "u", 'Q', 1, 1, 0, OVER, 60000 },
	NEW,	/* a window made longer, then shorter, by a reload */
	{ "u", 'C', 5, 1, 0, OK },
	{ "u", 'Q', 5, 60, 30000, OVER, 3570000 },
	{ "u", 'C', 5, 1, 90000, OK },
	{ "u", 'Q', 10, 60, 90000, OVER, 3510000 },
	{ "u", 'Q', 1, 2, 90000, OVER, 120000 },
	{ "u", 'Q', 1, 1, 90000, OVER, 60000 },
	{ "u", 'Q', 6, 60, 90000, OK },
	NEW,	/* a week, and no more than that */
	{ "u", 'C', 5, 10080, 0, OK },
	{ "u", 'Q', 5, 10080, 1, OVER, WEEK - 1 },
	{ "u", 'Q', 5, 4000000000, 1, OVER, WEEK - 1 },
	{ "u", 'Q', 5, 10080, WEEK - 1, OVER, 1 },
	{ "u", 'Q', 5, 10080, WEEK, OK },
	NEW,	/* the largest sums */
	{ "u", 'C', UINT32_MAX, 1, 0, OK },
	{ "u", 'C', 1, 1, 1, OK },
	{ "u", 'Q', UINT32_MAX, 1, 1, OVER, 60000 },
	{ "u", 'C', UINT32_MAX, 1, 1000, OK },
	{ "u", 'Q', UINT32_MAX, 1, 1000, OVER, 60000 },
	{ "u", 'Q', UINT32_MAX, 1, 60999, OVER, 1 },
	{ "u", 'Q', UINT32_MAX, 1, 61000, OK }
};

static void
tables(void)
{
	const struct row *r;
	struct limit l;
	struct str name;
	enum limit_rc rc;
	uint64_t wait;
	size_t i;

	limit_init(&l, 100, PLENTY);
	for (i = 0; i < N(rows); i++) {
		r = &rows[i];
		if (r->name == NULL) {
			sound(&l, "tables");
			limit_free(&l);
			continue;
		}
		name = str_of(r->name);
		wait = r->what == 'C' ? 0 : 7777;
		switch (r->what) {
		case 'T':
			rc = limit_requests_take(&l, name, r->max, r->now,
			    &wait);
			break;
		case 'P':
			rc = limit_requests_peek(&l, name, r->max, r->now,
			    &wait);
			break;
		case 'C':
			rc = limit_tokens_charge(&l, name, r->max, r->minutes,
			    r->now);
			break;
		default:
			rc = limit_tokens_peek(&l, name, r->max, r->minutes,
			    r->now, &wait);
			break;
		}
		T_OK(rc == r->rc && wait == r->wait, "row %lu: %d, wait %lu",
		    (unsigned long)i, rc, (unsigned long)wait);
	}
	limit_free(&l);
}

static void
odd_names(void)
{
	char big[LIMIT_NAME_MAX + 10];
	struct limit l;
	uint64_t wait;

	memset(big, 'x', sizeof big);
	limit_init(&l, 10, PLENTY);
	limit_requests_take(&l, str_n(big, sizeof big), 1, 0, &wait);
	T_OK(limit_requests_peek(&l, str_n(big, sizeof big), 1, 0, &wait) ==
	    LIMIT_OVER, "a long name is known");
	T_OK(limit_requests_peek(&l, str_n(big, LIMIT_NAME_MAX), 1, 0,
	    &wait) == LIMIT_OVER, "by its first bytes");
	T_OK(limit_requests_peek(&l, str_n(big, LIMIT_NAME_MAX - 1), 1, 0,
	    &wait) == LIMIT_OK, "a shorter one is another");
	limit_requests_take(&l, str_n("a\0b", 3), 1, 0, &wait);
	T_OK(limit_requests_peek(&l, str_n("a\0c", 3), 1, 0, &wait) ==
	    LIMIT_OK, "a NUL ends no name");
	T_OK(limit_requests_peek(&l, str_n("a", 1), 1, 0, &wait) == LIMIT_OK,
	    "nor starts one");
	T_OK(limit_requests_take(&l, str_n(NULL, 0), 1, 0, &wait) == LIMIT_OK,
	    "no name is a name");
	T_OK(limit_requests_peek(&l, str_n("", 0), 1, 0, &wait) ==
	    LIMIT_OVER, "and always the same");
	sound(&l, "names");
	limit_free(&l);
}

/* What makes no subject, and the largest charge. */
static void
edges(void)
{
	struct limit l;
	uint64_t wait;

	limit_init(&l, 10, PLENTY);
	limit_requests_take(&l, str_of("a"), 0, 0, &wait);
	limit_requests_peek(&l, str_of("a"), 1, 0, &wait);
	limit_tokens_peek(&l, str_of("a"), 1, 1, 0, &wait);
	limit_tokens_charge(&l, str_of("a"), 0, 1, 0);
	limit_tokens_charge(&l, str_of("a"), 1, 0, 0);
	T_OK(l.n == 0, "%lu subjects", (unsigned long)l.n);
	limit_tokens_charge(&l, str_of("a"), (uint64_t)1 << 32, 1, 0);
	limit_tokens_charge(&l, str_of("a"), UINT64_MAX, 1, 0);
	T_OK(limit_tokens_peek(&l, str_of("a"), UINT32_MAX, 1, 0, &wait) ==
	    LIMIT_OVER && wait == MINUTE, "wait %lu", (unsigned long)wait);
	sound(&l, "edges");
	limit_free(&l);
}

/* ---- 2. exactly N ---- */

/*
 * A client that asks each `pace` ms, often enough to reach N in a minute,
 * `per` times: no stretch of a minute has more than N, and each whole
 * minute has N.
 */
static void
exact(uint32_t n, unsigned pace, unsigned per, unsigned minutes,
    uint64_t start)
{
	struct limit l;
	uint64_t *at, now, wait, told = 0;
	size_t count = 0, early = 0, wrong = 0, i, k, most = 0;
	enum limit_rc rc;
	char what[32];

	snprintf(what, sizeof what, "N %lu", (unsigned long)n);
	if ((at = malloc((size_t)n * (minutes + 1) * sizeof *at)) == NULL)
		return;
	limit_init(&l, 1, PLENTY);
	for (now = start; now < start + minutes * MINUTE; now += pace) {
		for (k = 0; k < per; k++) {
			rc = limit_requests_take(&l, str_of("k"), n, now,
			    &wait);
			wrong += (rc == LIMIT_OVER) != (now < told);
			if (rc == LIMIT_OVER) {
				wrong += told != 0 && now < told &&
				    now + wait != told;
				told = now + wait;
				break;
			}
			at[count++] = now;
			if (limit_requests_peek(&l, str_of("k"), n, now,
			    &wait) == LIMIT_OVER)
				told = now + wait;
		}
		if (l.list[0]->cap > most)
			most = l.list[0]->cap;
	}
	for (i = n; i < count; i++)
		early += at[i] - at[i - n] < MINUTE;
	T_OK(early == 0, "%s: %lu early", what, (unsigned long)early);
	T_OK(wrong == 0, "%s: %lu wrong waits", what, (unsigned long)wrong);
	T_OK(count == (size_t)n * minutes, "%s: %lu", what,
	    (unsigned long)count);
	T_OK(most <= 65536 && (most == FEW || most < 2 * (size_t)n), "%s: %lu",
	    what, (unsigned long)most);
	sound(&l, what);
	limit_free(&l);
	free(at);
}

static void
exactly(void)
{
	static const uint32_t few[] = { 1, 2, 3, 4, 5, 7, 59, 60, 61, 1000 };
	size_t i;

	for (i = 0; i < N(few); i++) {
		exact(few[i], 1, 1, 4, 0);
		exact(few[i], 1, 1, 3, UINT32_MAX - 70000);
		exact(few[i], 7, 3, 7, (uint64_t)1 << 40);
		exact(few[i], 60, 2000, 20, 12345);
	}
	exact(60000, 1, 1, 3, 1);
	exact(60001, 1, 2, 3, 1);
	exact(1000000, 1, 17, 2, 1);
	exact(1000000, 1, 1000000, 2, 1);
}

/* ---- 3. strangers ---- */

static struct str
stranger(char name[16], unsigned i)
{
	return str_n(name, (size_t)snprintf(name, 16, "%u", i * 2654435761u));
}

static void
flood(void)
{
	struct limit l;
	unsigned i, over = 0;
	uint64_t wait;
	char name[16];

	limit_init(&l, 1000, PLENTY);
	for (i = 0; i < 50000; i++)
		limit_tokens_charge(&l, stranger(name, i), 100, 60, i);
	T_OK(l.n == 1000 && l.forgotten == 49000, "%lu, %lu forgotten",
	    (unsigned long)l.n, (unsigned long)l.forgotten);
	sound(&l, "flood");
	for (i = 48000; i < 50000; i++)
		over += limit_tokens_peek(&l, stranger(name, i), 100, 60,
		    50000, &wait) == LIMIT_OVER && i >= 49000;
	T_OK(over == 1000, "the newest %u are known", over);
	for (i = 0; i < 50000; i++)
		limit_tokens_peek(&l, stranger(name, i), 100, 60, 50000,
		    &wait);
	T_OK(l.n == 1000 && l.forgotten == 49000, "peeks change nothing");

	/* An hour later they are all idle, and go two by two. */
	for (i = 0; i < 500; i++)
		limit_tokens_charge(&l, str_of("me"), 1, 60, 4000000);
	T_OK(l.n == 1, "%lu", (unsigned long)l.n);
	T_OK(l.forgotten == 49000, "what is idle is not forgotten");
	for (i = 0; i < 5000; i++)
		limit_tokens_charge(&l, stranger(name, i), 100, 60,
		    5000000 + (uint64_t)i * 3601);
	T_OK(l.forgotten == 49000 && l.n <= 1000, "%lu, %lu",
	    (unsigned long)l.forgotten, (unsigned long)l.n);
	sound(&l, "idle ones");
	limit_free(&l);
	T_OK(l.n == 0 && l.runs == 0 && l.oldest == NULL, "freed");

	limit_init(&l, 0, 0);
	for (i = 0; i < 10; i++)
		limit_requests_take(&l, stranger(name, i), 1, i, &wait);
	T_OK(l.n == 1 && l.forgotten == 9, "at least one");
	limit_free(&l);
}

/* ---- 4. shortage ---- */

/* A registry that may not grow: requests go ahead, uncounted. */
static void
short_of_runs(void)
{
	struct limit l;
	uint64_t wait, now;
	unsigned rc[3] = { 0, 0, 0 };

	limit_init(&l, 10, 24);
	for (now = 0; now < 40; now++)
		rc[limit_requests_take(&l, str_of("a"), 30, now, &wait) + 1]++;
	T_OK(rc[1] == 16 && rc[0] == 24 && rc[2] == 0, "%u counted, %u not",
	    rc[1], rc[0]);
	sound(&l, "short of runs");
	T_OK(limit_requests_take(&l, str_of("a"), 16, 40, &wait) ==
	    LIMIT_OVER && wait == 59960, "what is counted holds");
	/* Others have their four, and what is left. */
	for (now = 40; now < 48; now++)
		T_OK(limit_requests_take(&l, str_of("b"), 30, now, &wait) ==
		    LIMIT_OK, "at %lu", (unsigned long)now);
	T_OK(limit_requests_take(&l, str_of("b"), 30, 48, &wait) ==
	    LIMIT_NOMEM && wait == 0, "full");
	T_OK(limit_requests_take(&l, str_of("b"), 30, 47, &wait) ==
	    LIMIT_OK, "the same ms takes no room");
	/* Time gives the room back. */
	limit_requests_peek(&l, str_of("a"), 30, 70000, &wait);
	T_OK(l.runs == 8, "%lu", (unsigned long)l.runs);
	for (now = 70000; now < 70016; now++)
		T_OK(limit_requests_take(&l, str_of("a"), 30, now, &wait) ==
		    LIMIT_OK, "at %lu", (unsigned long)now);
	sound(&l, "room again");
	limit_free(&l);
}

/* The greatest max that is refused: the sum; by halving. */
static uint32_t
sum_of(struct limit *l, const char *name, unsigned minutes, uint64_t now)
{
	uint32_t low = 0, high = UINT32_MAX, mid;
	uint64_t wait;

	while (low < high) {
		mid = low + (high - low) / 2 + 1;
		if (limit_tokens_peek(l, str_of(name), mid, minutes, now,
		    &wait) == LIMIT_OVER)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

/* Tokens that do not fit are put together: late, never early. */
static void
folding(void)
{
	static uint32_t charge[40000];
	struct limit l;
	uint64_t seed = 5, wait, sum = 0, late;
	unsigned i, k, early = 0, slack = 0;

	limit_init(&l, 10, 64);
	for (i = 0; i < 20000; i++) {
		charge[i] = (uint32_t)(1 + util_random(&seed) % 1000);
		sum += charge[i];
		if (i >= 3600)
			sum -= charge[i - 3600];
		T_OK(limit_tokens_charge(&l, str_of("u"), charge[i], 60,
		    (uint64_t)i * SECOND) == LIMIT_OK, "%u", i);
		if (i % 10 != 0)
			continue;
		for (late = sum, k = 0; k < 64; k++)
			late += i >= 3600 + k ? charge[i - 3600 - k] : 0;
		k = sum_of(&l, "u", 60, (uint64_t)i * SECOND);
		early += k < sum;
		slack += k > late;
	}
	T_OK(early == 0, "%u too early", early);
	T_OK(slack == 0, "%u too late", slack);
	T_OK(l.folded == 6 && l.runs <= 64, "%lu folds, %lu runs",
	    (unsigned long)l.folded, (unsigned long)l.runs);
	sound(&l, "folded");
	T_OK(limit_tokens_peek(&l, str_of("u"), 1, 60,
	    (uint64_t)i * SECOND + 3598999, &wait) == LIMIT_OVER && wait == 1,
	    "wait %lu", (unsigned long)wait);
	T_OK(limit_tokens_peek(&l, str_of("u"), 1, 60,
	    (uint64_t)i * SECOND + 3599000, &wait) == LIMIT_OK, "all gone");
	limit_free(&l);

	/* Not even four can be had beyond the first: still all is there. */
	limit_init(&l, 3, 0);
	for (i = 0; i < 10000; i++)
		limit_tokens_charge(&l, str_of("u"), UINT32_MAX / 2, 60,
		    (uint64_t)i * SECOND);
	/* Two that are dropped as idle before it, so that it is not. */
	limit_tokens_charge(&l, str_of("s"), 1, 60, 10000000);
	limit_tokens_charge(&l, str_of("t"), 1, 60, 10000000);
	limit_tokens_charge(&l, str_of("u"), 1, 60, 10000000);
	T_OK(limit_tokens_peek(&l, str_of("u"), UINT32_MAX, 60, 10000000,
	    &wait) == LIMIT_OVER && l.folded == 11 && l.runs == 0,
	    "%lu folds", (unsigned long)l.folded);
	sound(&l, "sums that are cut");
	limit_tokens_charge(&l, str_of("u"), 1, 60, 20000000);
	limit_tokens_charge(&l, str_of("u"), 1, 60, 20001000);
	T_OK(limit_tokens_peek(&l, str_of("u"), 2, 60, 23599999, &wait) ==
	    LIMIT_OVER && wait == 1, "wait %lu", (unsigned long)wait);
	T_OK(limit_tokens_peek(&l, str_of("u"), 2, 60, 23600000, &wait) ==
	    LIMIT_OK, "seconds again: %lu", (unsigned long)wait);

	/* A window that is made shorter is not judged by units of a longer. */
	for (i = 0; i < 10000; i++)
		limit_tokens_charge(&l, str_of("u"), 1, 60,
		    30000000 + (uint64_t)i * SECOND);
	limit_tokens_peek(&l, str_of("u"), 1, 1, 40000000, &wait);
	limit_tokens_charge(&l, str_of("u"), 5, 1, 40010000);
	limit_tokens_charge(&l, str_of("u"), 5, 1, 40060000);
	T_OK(limit_tokens_peek(&l, str_of("u"), 6, 1, 40100000, &wait) ==
	    LIMIT_OK, "%lu", (unsigned long)wait);
	T_OK(limit_tokens_peek(&l, str_of("u"), 5, 1, 40100000, &wait) ==
	    LIMIT_OVER && wait == 20000, "%lu", (unsigned long)wait);
	sound(&l, "a shorter one");
	limit_free(&l);
}

/* A whole week of charges, one in each second; and back to nothing. */
static void
week(void)
{
	struct limit l;
	uint64_t i, wait, n = 700000;

	limit_init(&l, 10, PLENTY);
	for (i = 0; i < n; i++)
		limit_tokens_charge(&l, str_of("u"), 1, LIMIT_MINUTES_MAX,
		    i * SECOND + i % 7);
	i--;
	T_OK(sum_of(&l, "u", LIMIT_MINUTES_MAX, i * SECOND + 999) == 604800,
	    "%lu", (unsigned long)l.list[0]->sum);
	T_OK(l.list[0]->cap == 1 << 20, "%lu",
	    (unsigned long)l.list[0]->cap);
	T_OK(limit_tokens_peek(&l, str_of("u"), 100, LIMIT_MINUTES_MAX,
	    i * SECOND + 999, &wait) == LIMIT_OVER &&
	    wait == (i - 99) * SECOND + (i - 99) % 7 + WEEK -
	    (i * SECOND + 999), "wait %lu", (unsigned long)wait);
	limit_tokens_peek(&l, str_of("u"), 100, LIMIT_MINUTES_MAX,
	    i * SECOND + 999 + wait, &wait);
	T_OK(wait == 0 && l.list[0]->n == 99 && l.list[0]->cap == 512,
	    "%lu runs in %lu", (unsigned long)l.list[0]->n,
	    (unsigned long)l.list[0]->cap);
	sound(&l, "week");
	limit_free(&l);
}

/* Each allocation of a history fails once. */
static void
each_failure(void)
{
	struct limit l;
	uint64_t wait, now;
	unsigned i, open, many = 0;
	long k;
	char name[16];

	for (k = 1; k < 200; k++) {
		limit_init(&l, 40, PLENTY);
		fail_at = k;
		open = 0;
		for (now = 0; now < 200; now++)
			open += limit_requests_take(&l, stranger(name,
			    (unsigned)(now * now % 40)), 100, now, &wait) ==
			    LIMIT_NOMEM;
		many += fail_at == 0;
		T_OK(open == (fail_at == 0), "allocation %ld: %u open", k,
		    open);
		fail_at = 0;
		sound(&l, "a failure");
		for (now = i = 0; i < l.n; i++)
			now += l.list[i]->sum;
		T_OK(now == 200 - open, "allocation %ld: %lu", k,
		    (unsigned long)now);
		limit_free(&l);
	}
	T_OK(many > 30 && many < 199, "%u failures", many);
}

/* No memory now and then: tokens are all there, or the caller knows. */
static void
random_failures(void)
{
	struct limit l;
	uint64_t seed = 3, now = 0, wait, sum[4] = { 0, 0, 0, 0 };
	unsigned i, who, lost = 0;
	char name[2] = "a";

	limit_init(&l, 10, PLENTY);
	fail_rate = 2;
	for (i = 0; i < 20000; i++) {
		now += util_random(&seed) % 3000;
		who = (unsigned)(util_random(&seed) % 4);
		name[0] = (char)('a' + who);
		if (limit_tokens_charge(&l, str_of(name), 3,
		    LIMIT_MINUTES_MAX, now) == LIMIT_OK)
			sum[who] += 3;
		else
			lost++;
	}
	T_OK(lost > 0 && l.folded > 0, "%u lost, %lu folds", lost,
	    (unsigned long)l.folded);
	sound(&l, "failures");
	for (who = 0; who < 4; who++) {
		name[0] = (char)('a' + who);
		T_OK(sum_of(&l, name, LIMIT_MINUTES_MAX, now) == sum[who],
		    "%s: %lu", name, (unsigned long)sum[who]);
	}
	for (i = 0; i < 4; i++) {
		name[0] = (char)('a' + i);
		limit_tokens_peek(&l, str_of(name), 1, 1, now + MINUTE,
		    &wait);
		T_OK(wait == 0, "%s: %lu", name, (unsigned long)wait);
	}
	fail_rate = 0;
	sound(&l, "kept room");
	limit_free(&l);
}

int
main(void)
{
	tables();
	odd_names();
	edges();
	exactly();
	flood();
	short_of_runs();
	folding();
	week();
	each_failure();
	random_failures();
	return t_end();
}
