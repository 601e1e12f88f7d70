#include "base/buf.h"

#include <string.h>

#include "tests/t.h"

static void
test_basics(void)
{
	struct buf b;

	buf_init(&b, 10);
	T_OK(buf_str(&b).n == 0 && buf_str(&b).p != NULL, "empty");
	T_OK(b.p == NULL && buf_live() == 0, "an empty queue has no memory");
	T_OK(buf_add(&b, NULL, 0) == 0 && b.p == NULL, "nothing");
	T_OK(buf_adds(&b, "abc") == 0 && buf_addc(&b, 'd') == 0 &&
	    buf_addstr(&b, str_of("ef")) == 0, "added");
	T_OK(str_is(buf_str(&b), "abcdef"), "bytes");
	T_OK(buf_live() == b.cap && b.cap > 0, "counted");
	buf_take(&b, 2);
	T_OK(str_is(buf_str(&b), "cdef"), "taken");
	buf_cut(&b, 3);
	T_OK(str_is(buf_str(&b), "cde"), "cut");
	T_OK(strcmp(buf_cstr(&b), "cde") == 0 && b.len == 3, "as C string");
	T_OK(buf_adds(&b, "1234567") == 0 && b.len == 10, "full");
	T_OK(buf_addc(&b, 'x') == -1 && b.bad, "over");
	T_OK(str_is(buf_str(&b), "cde1234567"), "unchanged");
	buf_take(&b, 5);
	T_OK(buf_addc(&b, 'x') == -1 && b.len == 5, "errors stick");
	T_OK(buf_add(&b, "", 0) == -1, "even for nothing");
	buf_clear(&b);
	T_OK(!b.bad && b.len == 0 && b.cap > 0, "cleared");
	T_OK(buf_adds(&b, "0123456789") == 0, "usable again");
	buf_take(&b, 10);
	T_OK(b.off == 0 && b.len == 0, "an empty queue starts at its start");
	buf_cut(&b, 0);
	buf_free(&b);
	T_OK(buf_live() == 0 && b.p == NULL, "freed");
	buf_adds(&b, "secret");
	buf_wipe(&b);
	T_OK(buf_live() == 0 && b.p == NULL && b.len == 0, "wiped");
	buf_wipe(&b);
	buf_free(&b);
}

static void
test_text(void)
{
	struct buf b;
	int i;

	buf_init(&b, 4000);
	buf_addu(&b, 0);
	buf_addc(&b, ' ');
	buf_addu(&b, UINT64_MAX);
	T_OK(buf_fmt(&b, " %d|%s|%5.2f", -3, "x", 1.5) == 0, "fmt");
	T_OK(str_is(buf_str(&b), "0 18446744073709551615 -3|x| 1.50"), "%s",
	    buf_cstr(&b));
	buf_clear(&b);
	for (i = 0; i < 999; i++)
		T_OK(buf_fmt(&b, "%04d", i) == 0, "%d", i);
	T_OK(b.len == 3996, "%zu", b.len);
	T_OK(buf_fmt(&b, "%s", "12345") == -1 && b.bad, "over");
	T_OK(b.len == 3996 && memcmp(buf_str(&b).p, "00000001", 8) == 0,
	    "unchanged");
	buf_free(&b);
	buf_init(&b, 4);
	T_OK(strcmp(buf_cstr(&b), "") == 0, "C string of nothing");
	T_OK(buf_adds(&b, "abcd") == 0 && strcmp(buf_cstr(&b), "abcd") == 0,
	    "C string of a full queue");
	buf_free(&b);
}

static void
test_room(void)
{
	struct buf b;
	unsigned char *p;
	size_t room;

	buf_init(&b, 1000);
	p = buf_room(&b, 10, &room);
	T_OK(p != NULL && room >= 10 && room <= 1000, "%zu", room);
	memset(p, 'a', room);
	buf_added(&b, room);
	T_OK(b.len == room, "added");
	p = buf_room(&b, 1000 - b.len, &room);
	T_OK(p != NULL && room == 1000 - b.len, "up to the maximum");
	buf_added(&b, room);
	T_OK(buf_room(&b, 1, &room) == NULL && b.bad, "no more");
	buf_clear(&b);
	T_OK(buf_room(&b, 1001, &room) == NULL && b.bad, "never so much");
	buf_clear(&b);
	T_OK(buf_room(&b, SIZE_MAX, &room) == NULL && b.bad, "nor that");
	buf_free(&b);
}

/* A queue against a plain count: what comes out is what went in. */
static void
test_queue(void)
{
	struct buf b;
	uint64_t seed = 42;
	size_t in = 0, out = 0, n, i, bad = 0;
	unsigned char t[300];
	struct str s;
	int round;

	buf_init(&b, 5000);
	for (round = 0; round < 20000; round++) {
		n = util_random(&seed) % sizeof t;
		for (i = 0; i < n; i++)
			t[i] = (unsigned char)((in + i) * 7);
		if (b.len + n <= 5000) {
			T_OK(buf_add(&b, t, n) == 0, "%d", round);
			in += n;
		}
		n = util_random(&seed) % sizeof t;
		if (n > b.len)
			n = b.len;
		s = buf_str(&b);
		for (i = 0; i < n; i++)
			bad += (unsigned char)s.p[i] !=
			    (unsigned char)((out + i) * 7);
		buf_take(&b, n);
		out += n;
		bad += b.len != in - out;
	}
	T_OK(bad == 0, "%zu", bad);
	T_OK(b.cap <= 8192, "grew to %zu", b.cap);
	buf_free(&b);
	T_OK(buf_live() == 0, "%zu left", buf_live());
}

int
main(void)
{
	test_basics();
	test_text();
	test_room();
	test_queue();
	return t_end();
}
