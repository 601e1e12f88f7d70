#include "base/arena.h"

#include <string.h>

#include "tests/t.h"

static int
zeroed(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != 0)
			return 0;
	return 1;
}

static void
t_basics(void)
{
	struct arena a;
	struct str s, t;
	char *p;

	arena_init(&a, 100000);
	T_OK(a.first == NULL && buf_live() == 0, "an empty one has no memory");
	p = arena_alloc(&a, 10);
	T_OK(p != NULL && zeroed(p, 10) && a.used == 10, "%zu", a.used);
	T_OK(buf_live() >= 10, "counted");
	memset(p, 'x', 10);
	s = arena_copy(&a, str_of("abc"));
	T_OK(str_is(s, "abc") && a.used == 13, "copied");
	t = arena_copy(&a, str_of(""));
	T_OK(t.p != NULL && t.n == 0, "an empty copy is there");
	t = arena_copy(&a, str_n(NULL, 0));
	T_OK(t.p == NULL && !a.bad, "an absent one stays absent");
	p = arena_alloc(&a, 8);
	T_OK(p != NULL && (uintptr_t)p % sizeof(void *) == 0 &&
	    (uintptr_t)p % sizeof(uint64_t) == 0, "aligned behind a copy");
	T_OK(arena_alloc(&a, 0) != NULL && !a.bad, "nothing is something");
	T_OK(str_is(s, "abc"), "unmoved");
	arena_free(&a);
	T_OK(buf_live() == 0 && a.used == 0 && a.first == NULL && !a.bad,
	    "all given back");
	T_OK(arena_alloc(&a, 100000) != NULL, "usable, with its maximum");
	arena_free(&a);
}

static void
t_max(void)
{
	struct arena a;
	struct str s;

	arena_init(&a, 100);
	T_OK(arena_alloc(&a, 60) != NULL, "fits");
	T_OK(arena_alloc(&a, 41) == NULL && a.bad, "too much");
	T_OK(arena_alloc(&a, 1) == NULL, "errors stick");
	s = arena_copy(&a, str_of("a"));
	T_OK(s.p == NULL && a.used == 60, "for copies, too");
	arena_reset(&a);
	T_OK(!a.bad && a.used == 0, "forgotten");
	T_OK(arena_alloc(&a, 100) != NULL && !a.bad, "exactly");
	s = arena_copy(&a, str_of("a"));
	T_OK(s.p == NULL && a.bad, "not one more");
	arena_free(&a);
	arena_init(&a, SIZE_MAX);
	T_OK(arena_alloc(&a, 1) != NULL, "no maximum");
	T_OK(arena_alloc(&a, SIZE_MAX - 1) == NULL && a.bad, "no overflow");
	arena_free(&a);
	arena_init(&a, 0);
	T_OK(arena_alloc(&a, 1) == NULL && a.bad, "no room at all");
	arena_free(&a);
	T_OK(buf_live() == 0, "%zu", buf_live());
}

/* Pieces of all sizes, each full of its own mark, must stay what they are. */
static void
t_many(void)
{
	static unsigned char *at[4000];
	static size_t len[4000];
	uint64_t seed = 7;
	struct arena a;
	size_t i, k, sum = 0;
	int ok = 1;

	arena_init(&a, (size_t)1 << 26);
	for (i = 0; i < 4000; i++) {
		len[i] = (size_t)(util_random(&seed) % (i % 50 == 0 ? 70000 :
		    200));
		at[i] = arena_alloc(&a, len[i]);
		if (at[i] == NULL || !zeroed((char *)at[i], len[i]) ||
		    (uintptr_t)at[i] % sizeof(void *) != 0) {
			ok = 0;
			break;
		}
		memset(at[i], (int)(i % 251), len[i]);
		sum += len[i];
	}
	T_OK(ok, "piece %zu", i);
	for (i = 0; ok && i < 4000; i++)
		for (k = 0; k < len[i]; k++)
			if (at[i][k] != i % 251)
				ok = 0;
	T_OK(ok, "a piece was written over");
	T_OK(a.used == sum, "%zu of %zu", a.used, sum);
	T_OK(buf_live() >= sum && buf_live() < sum + sum / 4 + 600000,
	    "%zu for %zu", buf_live(), sum);
	arena_reset(&a);
	T_OK(buf_live() > 0 && buf_live() <= 65536, "one is kept: %zu",
	    buf_live());
	arena_free(&a);
	T_OK(buf_live() == 0, "%zu", buf_live());
}

static void
t_reset(void)
{
	struct arena a;
	size_t live;
	char *p;
	int i, ok = 1;

	arena_init(&a, 1 << 20);
	p = arena_alloc(&a, 1000);
	memset(p, 'x', 1000);
	live = buf_live();
	for (i = 0; i < 1000; i++) {
		arena_reset(&a);
		p = arena_alloc(&a, 1000);
		ok = ok && p != NULL && zeroed(p, 1000);
		memset(p, 'x', 1000);
	}
	T_OK(ok && buf_live() == live, "%zu and %zu", buf_live(), live);
	arena_reset(&a);
	arena_alloc(&a, 500000);
	arena_reset(&a);
	T_OK(buf_live() == live, "a huge one is not kept: %zu", buf_live());
	arena_free(&a);
	arena_alloc(&a, 500000);
	arena_reset(&a);
	T_OK(buf_live() == 0 && a.first == NULL, "nor if it is alone");
	arena_reset(&a);
	T_OK(arena_alloc(&a, 5) != NULL, "usable");
	arena_free(&a);
}

static void
t_take(void)
{
	struct arena a;
	struct buf b;
	struct str s, t;

	arena_init(&a, 1000);
	buf_init(&b, 5);
	buf_adds(&b, "hello");
	s = arena_take(&a, &b);
	T_OK(str_is(s, "hello") && b.len == 0 && b.max == 5, "taken");
	T_OK(b.cap > 0, "its memory is kept");
	buf_adds(&b, "again");
	t = arena_take(&a, &b);
	T_OK(str_is(t, "again") && str_is(s, "hello"), "twice");
	t = arena_take(&a, &b);
	T_OK(t.p != NULL && t.n == 0 && !a.bad, "empty");
	buf_adds(&b, "too long");
	t = arena_take(&a, &b);
	T_OK(t.p == NULL && a.bad, "bad makes bad");
	T_OK(!b.bad && b.len == 0, "but is empty again");
	arena_free(&a);
	buf_free(&b);
}

int
main(void)
{
	t_basics();
	t_max();
	t_many();
	t_reset();
	t_take();
	return t_end();
}
