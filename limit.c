#include "limit.h"

#include <stdlib.h>
#include <string.h>

#define SECOND 1000u
#define MINUTE ((uint64_t)60 * SECOND)
#define FEW 4			/* runs of a new subject; a power of 2 */
#define LIST_MIN 16

/*
 * `at` is the low half of a time.  That is enough: the last record is known
 * in full, and none was more than a week older when that was added.
 */
struct run {
	uint32_t at;
	uint32_t n;
};

struct limit_subject {
	struct limit_subject *older, *newer;	/* by last record */
	struct run *ring;		/* of cap, a power of 2 */
	size_t first, n, cap;
	uint64_t sum;			/* of all runs */
	uint64_t last;			/* time of the newest run */
	uint64_t window, unit;		/* ms */
	size_t len;
	char name[];
};

static struct run *
run_at(const struct limit_subject *s, size_t i)
{
	return &s->ring[(s->first + i) & (s->cap - 1)];
}

static uint32_t
add(uint32_t a, uint64_t b)
{
	return b > UINT32_MAX - a ? UINT32_MAX : (uint32_t)(a + b);
}

/* ---- the registry ---- */

void
limit_init(struct limit *l, size_t max_subjects, size_t max_runs)
{
	memset(l, 0, sizeof *l);
	l->max_subjects = max_subjects > 0 ? max_subjects : 1;
	l->max_runs = max_runs;
}

static void
subject_free(struct limit_subject *s)
{
	free(s->ring);
	free(s);
}

void
limit_free(struct limit *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		subject_free(l->list[i]);
	free(l->list);
	limit_init(l, l->max_subjects, l->max_runs);
}

static int
order(const struct limit_subject *s, struct str name)
{
	size_t n = s->len < name.n ? s->len : name.n;
	int c = n > 0 ? memcmp(s->name, name.p, n) : 0;

	return c != 0 ? c : (s->len > name.n) - (s->len < name.n);
}

/* Where a name stands or would stand. */
static size_t
place(const struct limit *l, struct str name)
{
	size_t low = 0, high = l->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (order(l->list[mid], name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/*
 * Halving a sorted list and not hashing: names come from strangers, who
 * could choose them to collide.
 */
static struct limit_subject *
find(const struct limit *l, struct str name)
{
	size_t at = place(l, name);

	return at < l->n && order(l->list[at], name) == 0 ? l->list[at] : NULL;
}

static void
unlink_subject(struct limit *l, struct limit_subject *s)
{
	*(s->older != NULL ? &s->older->newer : &l->oldest) = s->newer;
	*(s->newer != NULL ? &s->newer->older : &l->newest) = s->older;
}

static void
link_newest(struct limit *l, struct limit_subject *s)
{
	s->older = l->newest;
	s->newer = NULL;
	*(l->newest != NULL ? &l->newest->newer : &l->oldest) = s;
	l->newest = s;
}

/* What a ring takes of max_runs. */
static size_t
cost(size_t cap)
{
	return cap > FEW ? cap : 0;
}

static void
drop(struct limit *l, struct limit_subject *s)
{
	size_t at = place(l, str_n(s->name, s->len));

	unlink_subject(l, s);
	l->n--;
	memmove(&l->list[at], &l->list[at + 1],
	    (l->n - at) * sizeof *l->list);
	l->runs -= cost(s->cap);
	subject_free(s);
}

static int
is_empty(const struct limit_subject *s, uint64_t now)
{
	return now >= s->last && now - s->last >= s->window;
}

/* Two for each one that may be added: idle ones cannot pile up. */
static void
sweep(struct limit *l, uint64_t now)
{
	int i;

	for (i = 0; i < 2 && l->oldest != NULL; i++)
		if (is_empty(l->oldest, now))
			drop(l, l->oldest);
}

static int
list_grow(struct limit *l)
{
	size_t cap = l->cap > 0 ? l->cap * 2 : LIST_MIN;
	struct limit_subject **p;

	if (l->n < l->cap)
		return 0;
	if ((p = realloc(l->list, cap * sizeof *p)) == NULL)
		return -1;
	l->list = p;
	l->cap = cap;
	return 0;
}

/*
 * A new subject, which must get a window and a record; NULL: out of memory.
 * After sweep() a full registry's oldest is still in its window.
 */
static struct limit_subject *
make(struct limit *l, struct str name, uint64_t now)
{
	struct limit_subject *s;
	size_t at;

	if (list_grow(l) == -1)
		goto err0;
	if ((s = calloc(1, sizeof *s + name.n)) == NULL)
		goto err0;
	if ((s->ring = malloc(FEW * sizeof *s->ring)) == NULL)
		goto err1;
	s->cap = FEW;
	s->last = now;
	s->len = name.n;
	if (name.n > 0)
		memcpy(s->name, name.p, name.n);
	if (l->n == l->max_subjects) {
		drop(l, l->oldest);
		l->forgotten++;
	}
	at = place(l, name);
	memmove(&l->list[at + 1], &l->list[at],
	    (l->n - at) * sizeof *l->list);
	l->list[at] = s;
	l->n++;
	link_newest(l, s);
	return s;
err1:	free(s);
err0:	return NULL;
}

/* ---- the history of a subject ---- */

/* cap: a power of 2 that has room for the runs that are there. */
static int
resize(struct limit *l, struct limit_subject *s, size_t cap)
{
	size_t others = l->runs - cost(s->cap), i;
	struct run *p;

	if (cap > s->cap && (others > l->max_runs ||
	    cost(cap) > l->max_runs - others))
		return -1;
	if ((p = malloc(cap * sizeof *p)) == NULL)
		return -1;
	for (i = 0; i < s->n; i++)
		p[i] = *run_at(s, i);
	free(s->ring);
	s->ring = p;
	s->first = 0;
	s->cap = cap;
	l->runs = others + cost(cap);
	return 0;
}

/* Drops what has left the window, and the room that it had. */
static void
age(struct limit *l, struct limit_subject *s, uint64_t now)
{
	size_t cap = s->cap;

	if (is_empty(s, now)) {
		s->n = 0;
		s->sum = 0;
	}
	while (s->n > 0 && (uint32_t)now - run_at(s, 0)->at >= s->window) {
		s->sum -= run_at(s, 0)->n;
		s->first++;
		s->n--;
	}
	while (cap > FEW && s->n <= cap / 8)
		cap /= 2;
	/* If there is no memory to give some back, it is kept. */
	if (cap < s->cap)
		(void)resize(l, s, cap);
}

/* The time of a run, in full. */
static uint64_t
time_of(const struct limit_subject *s, const struct run *r)
{
	return s->last - ((uint32_t)s->last - r->at);
}

/*
 * Doubles the unit.  Runs of one unit become one, at the time of the last.
 * It is the unit that doubles, and not neighbours that marry: or else, if
 * room stayed short, the oldest run would swallow the next for ever, and
 * never leave.
 */
static void
fold(struct limit *l, struct limit_subject *s)
{
	struct run *r, *into = run_at(s, 0);
	size_t i, n = 1;

	s->unit *= 2;
	s->sum = 0;
	for (i = 1; i < s->n; i++) {
		r = run_at(s, i);
		if (time_of(s, r) / s->unit == time_of(s, into) / s->unit) {
			into->n = add(into->n, r->n);
			into->at = r->at;
		} else {
			s->sum += into->n;
			into = run_at(s, n++);
			*into = *r;
		}
	}
	s->sum += into->n;
	s->n = n;
	l->folded++;
}

/*
 * Adds to the newest run if that is of the same unit of time, else makes
 * one.  -1: no room, and no way to make some.  Folding ends: a window meets
 * three units at most if they are half as long as it, and room is for four.
 */
static int
record(struct limit *l, struct limit_subject *s, uint64_t amount,
    int may_fold, uint64_t now)
{
	struct run *r;

	while (s->n == s->cap && s->last / s->unit != now / s->unit &&
	    resize(l, s, s->cap * 2) == -1) {
		if (!may_fold)
			return -1;
		fold(l, s);
	}
	if (s->n == 0 || s->last / s->unit != now / s->unit)
		run_at(s, s->n++)->n = 0;
	r = run_at(s, s->n - 1);
	s->sum -= r->n;
	r->n = add(r->n, amount);
	r->at = (uint32_t)now;
	s->sum += r->n;
	s->last = now;
	unlink_subject(l, s);
	link_newest(l, s);
	return 0;
}

/* ---- the limits ---- */

static struct str
cut(struct str name)
{
	return str_n(name.p, name.n < LIMIT_NAME_MAX ? name.n : LIMIT_NAME_MAX);
}

static uint64_t
window_of(unsigned minutes)
{
	return (minutes < LIMIT_MINUTES_MAX ? minutes : LIMIT_MINUTES_MAX) *
	    MINUTE;
}

/* No clock of ours goes back; if one did, runs would seem to be ages old. */
static uint64_t
forward(const struct limit_subject *s, uint64_t now)
{
	return now > s->last ? now : s->last;
}

static enum limit_rc
peek(struct limit *l, struct str name, uint32_t max, uint64_t window,
    uint64_t now, uint64_t *wait)
{
	struct limit_subject *s;
	uint64_t left;
	size_t i = 0;

	*wait = 0;
	if (max == 0 || window == 0 || (s = find(l, cut(name))) == NULL)
		return LIMIT_OK;
	now = forward(s, now);
	age(l, s, now);
	if (s->window != window) {
		/* Of tokens; what was coarse for it may not be for this. */
		s->window = window;
		s->unit = SECOND;
		age(l, s, now);
	}
	if (s->sum < max)
		return LIMIT_OK;
	/* The run whose leaving brings the sum below max. */
	left = s->sum - run_at(s, 0)->n;
	while (left >= max)
		left -= run_at(s, ++i)->n;
	*wait = window - ((uint32_t)now - run_at(s, i)->at);
	return LIMIT_OVER;
}

static enum limit_rc
book(struct limit *l, struct str name, uint64_t amount, unsigned unit,
    uint64_t window, uint64_t now)
{
	struct limit_subject *s;

	sweep(l, now);
	name = cut(name);
	if ((s = find(l, name)) == NULL &&
	    (s = make(l, name, now)) == NULL)
		return LIMIT_NOMEM;
	now = forward(s, now);
	age(l, s, now);
	if (s->n == 0) {
		s->window = window;
		s->unit = unit;
	}
	if (record(l, s, amount, unit > 1, now) == -1)
		return LIMIT_NOMEM;
	return LIMIT_OK;
}

enum limit_rc
limit_requests_peek(struct limit *l, struct str name, uint32_t n,
    uint64_t now, uint64_t *wait)
{
	return peek(l, name, n, MINUTE, now, wait);
}

enum limit_rc
limit_requests_take(struct limit *l, struct str name, uint32_t n,
    uint64_t now, uint64_t *wait)
{
	if (peek(l, name, n, MINUTE, now, wait) == LIMIT_OVER)
		return LIMIT_OVER;
	if (n == 0)
		return LIMIT_OK;
	return book(l, name, 1, 1, MINUTE, now);
}

enum limit_rc
limit_tokens_peek(struct limit *l, struct str name, uint32_t max,
    unsigned minutes, uint64_t now, uint64_t *wait)
{
	return peek(l, name, max, window_of(minutes), now, wait);
}

enum limit_rc
limit_tokens_charge(struct limit *l, struct str name, uint64_t tokens,
    unsigned minutes, uint64_t now)
{
	if (tokens == 0 || minutes == 0)
		return LIMIT_OK;
	return book(l, name, tokens, SECOND, window_of(minutes), now);
}
