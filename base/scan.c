#include "base/scan.h"

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && defined(__GNUC__)
#include <emmintrin.h>
#define SCAN_SSE2 1
#endif

static int
ends_string(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

static int
ends_line(unsigned char c)
{
	return c == '\n' || c == '\r';
}

static int
ends_value(unsigned char c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

#ifdef SCAN_SSE2

#define STEP 16

/* A bit for each of the sixteen bytes that ends a string. */
static unsigned
marks_string(const char *p)
{
	__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
	__m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(low,
	    _mm_or_si128(quote, slash)));
}

static unsigned
marks_high(const char *p)
{
	return (unsigned)_mm_movemask_epi8(
	    _mm_loadu_si128((const __m128i *)(const void *)p));
}

static unsigned
marks_line(const char *p)
{
	__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i lf = _mm_cmpeq_epi8(x, _mm_set1_epi8('\n'));
	__m128i cr = _mm_cmpeq_epi8(x, _mm_set1_epi8('\r'));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(lf, cr));
}

static unsigned
marks_value(const char *p)
{
	__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
	__m128i tab = _mm_cmpeq_epi8(x, _mm_set1_epi8('\t'));
	__m128i del = _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(
	    _mm_andnot_si128(tab, low), del));
}

static size_t
first(unsigned marks)
{
	return (size_t)__builtin_ctz(marks);
}

#else

#define STEP 8
#define ONES (UINT64_MAX / 255)
#define HIGH (ONES * 0x80)

static uint64_t
word(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

/* Top bits of bytes below `limit` (at most 0x80), whatever the order. */
static uint64_t
below(uint64_t x, uint64_t limit)
{
	return HIGH & ~(((x & ~HIGH) + ONES * (0x80 - limit)) | x);
}

static uint64_t
equal(uint64_t x, uint64_t c)
{
	return below(x ^ ONES * c, 1);
}

static uint64_t
marks_string(const char *p)
{
	uint64_t x = word(p);

	return below(x, 0x20) | equal(x, '"') | equal(x, '\\');
}

static uint64_t
marks_high(const char *p)
{
	return word(p) & HIGH;
}

static uint64_t
marks_line(const char *p)
{
	uint64_t x = word(p);

	return equal(x, '\n') | equal(x, '\r');
}

static uint64_t
marks_value(const char *p)
{
	uint64_t x = word(p);

	return (below(x, 0x20) & ~equal(x, '\t')) | equal(x, 0x7f);
}

/* The byte order of the machine decides which mark is the first. */
static size_t
first(uint64_t marks)
{
	unsigned char b[8];
	size_t i = 0;

	memcpy(b, &marks, sizeof b);
	while (b[i] == 0)
		i++;
	return i;
}

#endif

size_t
scan_string(const char *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= STEP; i += STEP)
		if (marks_string(p + i) != 0)
			return i + first(marks_string(p + i));
	while (i < n && !ends_string((unsigned char)p[i]))
		i++;
	return i;
}

/* What may stand behind a backslash alone (RFC 8259 7). */
static int
simple_escape(char c)
{
	switch (c) {
	case '"': case '\\': case '/': case 'b':
	case 'f': case 'n': case 'r': case 't':
		return 1;
	default:
		return 0;
	}
}

/* The rest of a string, byte by byte. */
static size_t
quoted_tail(const char *p, size_t n, size_t i)
{
	for (;;) {
		while (i < n && !ends_string((unsigned char)p[i]))
			i++;
		if (n - i < 2 || p[i] != '\\' || !simple_escape(p[i + 1]))
			return i;
		i += 2;
	}
}

#ifdef SCAN_SSE2

/* Marks of what may stand behind a backslash alone. */
static unsigned
marks_simple(__m128i x)
{
	static const char letters[] = "\\/bfnrt";
	__m128i ok = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
	size_t i;

	for (i = 0; i < sizeof letters - 1; i++)
		ok = _mm_or_si128(ok, _mm_cmpeq_epi8(x,
		    _mm_set1_epi8(letters[i])));
	return (unsigned)_mm_movemask_epi8(ok);
}

/*
 * Which of sixteen bytes are escaped, given the marks of the backslashes;
 * *carry: whether the first is, and on return whether the next one after
 * them.  Adding the starts of runs that begin at an odd place to all marks
 * carries to the end of each run, so its length shows in its parity: text
 * full of escapes costs no branch for each.
 */
static unsigned
marks_escaped(unsigned slashes, unsigned *carry)
{
	unsigned even = 0x5555, follows, sum;

	slashes &= ~*carry;
	follows = (slashes << 1 | *carry) & 0xffff;
	sum = (slashes & ~even & ~follows) + slashes;
	*carry = sum >> 16 & 1;
	return (even ^ sum << 1) & follows;
}

size_t
scan_quoted(const char *p, size_t n)
{
	unsigned carry = 0, slashes, escaped, stop;
	__m128i x;
	size_t i;

	for (i = 0; n - i >= STEP; i += STEP) {
		stop = marks_string(p + i);
		if ((stop | carry) == 0)
			continue;
		x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		slashes = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x,
		    _mm_set1_epi8('\\')));
		if ((slashes | carry) == 0)
			return i + first(stop);
		escaped = marks_escaped(slashes, &carry);
		stop &= ~slashes & ~escaped;
		stop |= escaped & ~marks_simple(x);
		if (stop != 0)
			return i + first(stop) - (escaped >> first(stop) & 1);
	}
	return quoted_tail(p, n, i - carry);
}

#else

size_t
scan_quoted(const char *p, size_t n)
{
	size_t i = 0;

	for (;;) {
		for (; n - i >= STEP && marks_string(p + i) == 0; i += STEP)
			;
		if (n - i < STEP)
			return quoted_tail(p, n, i);
		i += first(marks_string(p + i));
		if (n - i < 2 || p[i] != '\\' || !simple_escape(p[i + 1]))
			return i;
		i += 2;
	}
}

#endif

size_t
scan_ascii(const char *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= STEP; i += STEP)
		if ((marks_string(p + i) | marks_high(p + i)) != 0)
			return i + first(marks_string(p + i) |
			    marks_high(p + i));
	while (i < n && !ends_string((unsigned char)p[i]) &&
	    (unsigned char)p[i] < 0x80)
		i++;
	return i;
}

size_t
scan_line(const char *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= STEP; i += STEP)
		if (marks_line(p + i) != 0)
			return i + first(marks_line(p + i));
	while (i < n && !ends_line((unsigned char)p[i]))
		i++;
	return i;
}

size_t
scan_value(const char *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= STEP; i += STEP)
		if (marks_value(p + i) != 0)
			return i + first(marks_value(p + i));
	while (i < n && !ends_value((unsigned char)p[i]))
		i++;
	return i;
}

size_t
scan_pair(const char *p, size_t n, char a, char b)
{
	const char *at;
	size_t i = 0;

#ifdef SCAN_SSE2
	const __m128i first = _mm_set1_epi8(a), second = _mm_set1_epi8(b);
	unsigned marks;

	for (; n - i > STEP; i += STEP) {
		marks = (unsigned)_mm_movemask_epi8(_mm_and_si128(
		    _mm_cmpeq_epi8(first, _mm_loadu_si128(
		    (const __m128i *)(const void *)(p + i))),
		    _mm_cmpeq_epi8(second, _mm_loadu_si128(
		    (const __m128i *)(const void *)(p + i + 1)))));
		if (marks != 0)
			return i + (size_t)__builtin_ctz(marks);
	}
#endif
	for (; n - i > 1; i = (size_t)(at - p) + 1) {
		at = memchr(p + i, (unsigned char)a, n - i - 1);
		if (at == NULL)
			return n;
		if (at[1] == b)
			return (size_t)(at - p);
	}
	return n;
}
