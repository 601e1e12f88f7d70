#include "base/util.h"

#include <stdlib.h>
#include <string.h>

#define DISTANCE_MAX 64

static unsigned char
lower(char ch)
{
	unsigned char c = (unsigned char)ch;

	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

/* memcmp() may not see NULL, not even for no bytes. */
static int
same(const char *a, const char *b, size_t n)
{
	return n == 0 || memcmp(a, b, n) == 0;
}

static int
casesame(const char *a, const char *b, size_t n)
{
	while (n-- > 0)
		if (lower(a[n]) != lower(b[n]))
			return 0;
	return 1;
}

int
str_eq(struct str a, struct str b)
{
	return a.n == b.n && same(a.p, b.p, a.n);
}

int
str_is(struct str a, const char *b)
{
	return str_eq(a, str_of(b));
}

int
str_caseeq(struct str a, struct str b)
{
	return a.n == b.n && casesame(a.p, b.p, a.n);
}

int
str_caseis(struct str a, const char *b)
{
	return str_caseeq(a, str_of(b));
}

int
str_starts(struct str a, const char *b)
{
	size_t n = strlen(b);

	return a.n >= n && same(a.p, b, n);
}

int
str_casestarts(struct str a, const char *b)
{
	size_t n = strlen(b);

	return a.n >= n && casesame(a.p, b, n);
}

int
str_ends(struct str a, const char *b)
{
	size_t n = strlen(b);

	return n == 0 || (a.n >= n && same(a.p + a.n - n, b, n));
}

long
str_casefind(struct str hay, struct str needle)
{
	size_t i;

	if (needle.n == 0 || needle.n > hay.n)
		return -1;
	for (i = 0; i <= hay.n - needle.n; i++)
		if (lower(hay.p[i]) == lower(needle.p[0]) &&
		    casesame(hay.p + i, needle.p, needle.n))
			return (long)i;
	return -1;
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	while (s.n > 0 && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	return s;
}

char *
str_dup(struct str s)
{
	char *p;

	if ((p = malloc(s.n + 1)) == NULL)
		return NULL;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

/* The value of a digit in any base up to 16; 16 if it is none. */
static unsigned
digit(char ch)
{
	unsigned char c = lower(ch);

	if (c >= '0' && c <= '9')
		return (unsigned)c - '0';
	if (c >= 'a' && c <= 'f')
		return (unsigned)c - 'a' + 10;
	return 16;
}

static int
number(struct str s, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;
	unsigned d;

	if (s.n == 0)
		return -1;
	for (i = 0; i < s.n; i++) {
		if ((d = digit(s.p[i])) >= base)
			return -1;
		if (d > max || v > (max - d) / base)
			return -1;
		v = v * base + d;
	}
	*out = v;
	return 0;
}

int
util_u64(struct str s, uint64_t max, uint64_t *out)
{
	return number(s, 10, max, out);
}

int
util_hex64(struct str s, uint64_t max, uint64_t *out)
{
	return number(s, 16, max, out);
}

void
util_hex(char *out, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = p;
	size_t i;

	for (i = 0; i < n; i++) {
		*out++ = digits[b[i] >> 4];
		*out++ = digits[b[i] & 15];
	}
	*out = '\0';
}

int
util_ct_eq(struct str a, struct str b)
{
	size_t i, differ = a.n ^ b.n;

	if (b.n == 0)
		return 0;
	/* Past the secret's end its first byte stands in. */
	for (i = 0; i < a.n; i++)
		differ |= (size_t)(unsigned char)
		    (a.p[i] ^ b.p[i < b.n ? i : 0]);
	return differ == 0;
}

void
util_wipe(void *p, size_t n)
{
	/* Through a volatile pointer the compiler cannot know the callee. */
	static void *(*const volatile set)(void *, int, size_t) = memset;

	if (n > 0)
		set(p, 0, n);
}

void
util_mask(char out[UTIL_MASK_SIZE], struct str secret)
{
	if (secret.n < 13) {
		memcpy(out, "****", 5);
		return;
	}
	memcpy(out, secret.p, 4);
	memcpy(out + 4, "...", 3);
	memcpy(out + 7, secret.p + secret.n - 4, 4);
	out[11] = '\0';
}

int
util_glob(struct str pattern, struct str name)
{
	size_t p = 0, n = 0, star = pattern.n, from = 0;

	/* Only the last '*' is ever tried again: time is at most a product. */
	while (n < name.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			from = n;
		} else if (p < pattern.n &&
		    lower(pattern.p[p]) == lower(name.p[n])) {
			p++;
			n++;
		} else if (star < pattern.n) {
			p = star + 1;
			n = ++from;
		} else {
			return 0;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static int64_t
floordiv(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t
util_days(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	unsigned m = (month + 9) % 12;

	/* Years that start in March have the leap day at their end. */
	return 365 * y + floordiv(y, 4) - floordiv(y, 100) +
	    floordiv(y, 400) + (153 * m + 2) / 5 + day - 1 - 719468;
}

struct civil {
	int64_t year;
	unsigned month, day, hour, minute, second;
};

/* The index of the word at the front of s, which is cut off; or -1. */
static int
word(struct str *s, const char *const *words, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (str_starts(*s, words[i])) {
			s->p += strlen(words[i]);
			s->n -= strlen(words[i]);
			return i;
		}
	}
	return -1;
}

/* Cuts exactly n digits off. */
static int
digits(struct str *s, size_t n, unsigned *out)
{
	uint64_t v;

	if (s->n < n || util_u64(str_n(s->p, n), 9999, &v) == -1)
		return -1;
	s->p += n;
	s->n -= n;
	*out = (unsigned)v;
	return 0;
}

/* One conversion of civil_scan(). */
static int
civil_field(char what, struct str *s, struct civil *c)
{
	static const char *const days[] = {
		"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
		"Friday", "Saturday",
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
	};
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
	};
	unsigned v;
	int i;

	switch (what) {
	case 'A':
		return word(s, days, 7) == -1 ? -1 : 0;
	case 'a':
		return word(s, days + 7, 7) == -1 ? -1 : 0;
	case 'b':
		i = word(s, months, 12);
		c->month = (unsigned)(i + 1);
		return i == -1 ? -1 : 0;
	case 'Y':
	case 'y':
		if (digits(s, what == 'Y' ? 4 : 2, &v) == -1)
			return -1;
		c->year = v;
		return 0;
	case 'e':
		if (s->n == 0 || *s->p != ' ')
			return digits(s, 2, &c->day);
		s->p++;
		s->n--;
		return digits(s, 1, &c->day);
	case 'm':
		return digits(s, 2, &c->month);
	case 'd':
		return digits(s, 2, &c->day);
	case 'H':
		return digits(s, 2, &c->hour);
	case 'M':
		return digits(s, 2, &c->minute);
	default:
		return digits(s, 2, &c->second);
	}
}

/* Cuts a time off s; format as for strptime(), of what is above. */
static int
civil_scan(struct str *s, const char *format, struct civil *c)
{
	for (; *format != '\0'; format++) {
		if (*format == '%') {
			if (civil_field(*++format, s, c) == -1)
				return -1;
		} else {
			if (s->n == 0 || *s->p != *format)
				return -1;
			s->p++;
			s->n--;
		}
	}
	return 0;
}

/* Seconds since 1970.  A leap second is taken as the one after it. */
static int
civil_seconds(const struct civil *c, int64_t *out)
{
	static const unsigned char length[] = {
		31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	int leap = c->year % 4 == 0 &&
	    (c->year % 100 != 0 || c->year % 400 == 0);

	if (c->month < 1 || c->month > 12 || c->day < 1 ||
	    c->day > length[c->month - 1] ||
	    (c->month == 2 && c->day == 29 && !leap) ||
	    c->hour > 23 || c->minute > 59 || c->second > 60)
		return -1;
	*out = util_days(c->year, c->month, c->day) * 86400 +
	    (int64_t)c->hour * 3600 + (int64_t)c->minute * 60 + c->second;
	return 0;
}

/* The year 20yy, 19yy, 21yy ... less than 50 years away from now. */
static int64_t
whole_year(int64_t yy, int64_t now_s)
{
	int64_t now = 1970 + floordiv(now_s, 31556952);
	int64_t year = now - now % 100 + yy;

	if (year > now + 50)
		return year - 100;
	return year < now - 50 ? year + 100 : year;
}

int
util_http_date(struct str s, int64_t now_s, int64_t *out)
{
	static const char *const forms[] = {
		"%a, %d %b %Y %H:%M:%S GMT",
		"%A, %d-%b-%y %H:%M:%S GMT",
		"%a %b %e %H:%M:%S %Y"
	};
	struct civil c;
	struct str rest;
	int i;

	for (i = 0; i < 3; i++) {
		rest = s;
		if (civil_scan(&rest, forms[i], &c) == 0 && rest.n == 0)
			break;
	}
	if (i == 3)
		return -1;
	if (i == 1)
		c.year = whole_year(c.year, now_s);
	return civil_seconds(&c, out);
}

/* Cuts "Z" or "+hh:mm" off; in seconds. */
static int
offset(struct str *s, int64_t *out)
{
	struct civil c;
	char sign;

	if (s->n == 0)
		return -1;
	sign = *s->p;
	s->p++;
	s->n--;
	*out = 0;
	if (sign == 'Z' || sign == 'z')
		return 0;
	if ((sign != '+' && sign != '-') ||
	    civil_scan(s, "%H:%M", &c) == -1 || c.hour > 23 || c.minute > 59)
		return -1;
	*out = (int64_t)c.hour * 3600 + (int64_t)c.minute * 60;
	if (sign == '-')
		*out = -*out;
	return 0;
}

int
util_rfc3339(struct str s, int64_t *out_ms)
{
	struct civil c;
	int64_t seconds, shift, ms = 0, scale = 100;

	if (civil_scan(&s, "%Y-%m-%d", &c) == -1 || s.n == 0 ||
	    (*s.p != 'T' && *s.p != 't' && *s.p != ' '))
		return -1;
	s.p++;
	s.n--;
	if (civil_scan(&s, "%H:%M:%S", &c) == -1 ||
	    civil_seconds(&c, &seconds) == -1)
		return -1;
	if (s.n > 0 && *s.p == '.') {
		if (s.n < 2 || digit(s.p[1]) > 9)
			return -1;
		for (s.p++, s.n--; s.n > 0 && digit(*s.p) <= 9; s.p++, s.n--) {
			ms += scale * digit(*s.p);
			scale /= 10;
		}
	}
	if (offset(&s, &shift) == -1 || s.n > 0)
		return -1;
	*out_ms = (seconds - shift) * 1000 + ms;
	return 0;
}

/* Cuts a unit off; its length in nanoseconds, 0 if there is none. */
static uint64_t
unit(struct str *s)
{
	/* "m" comes after the longer word that it starts. */
	static const char *const names[] = {
		"ms", "us", "\302\265s", "\316\274s", "ns", "s", "m", "h", "d"
	};
	static const uint64_t ns[] = {
		1000000, 1000, 1000, 1000, 1, 1000000000, 60000000000,
		3600000000000, 86400000000000
	};
	int i = word(s, names, 9);

	return i == -1 ? 0 : ns[i];
}

/*
 * Cuts a number with its unit off and adds it to *sum, in nanoseconds.  A
 * number without a unit is in seconds and must be alone.
 */
static int
duration_part(struct str *s, int alone, uint64_t *sum)
{
	struct str fraction = { NULL, 0 };
	uint64_t whole, one, left;
	size_t n;

	for (n = 0; n < s->n && digit(s->p[n]) <= 9; n++)
		;
	if (util_u64(str_n(s->p, n), UINT64_MAX, &whole) == -1)
		return -1;
	s->p += n;
	s->n -= n;
	if (s->n > 0 && *s->p == '.') {
		for (n = 1; n < s->n && digit(s->p[n]) <= 9; n++)
			;
		if (n == 1)
			return -1;
		fraction = str_n(s->p + 1, n - 1);
		s->p += n;
		s->n -= n;
	}
	if (s->n == 0 && alone)
		one = 1000000000;
	else if ((one = unit(s)) == 0)
		return -1;
	/* Half the range, so that the fraction still fits. */
	left = UINT64_MAX / 2 - *sum;
	if (whole > left / one)
		return -1;
	*sum += whole * one;
	for (n = 0; n < fraction.n; n++) {
		/* What is below a nanosecond still rounds up. */
		if ((one == 0 || one % 10 != 0) &&
		    digit(fraction.p[n]) != 0) {
			*sum += one * digit(fraction.p[n]) / 10 + 1;
			break;
		}
		one /= 10;
		*sum += one * digit(fraction.p[n]);
	}
	return 0;
}

int
util_duration(struct str s, uint64_t *out_ms)
{
	uint64_t ns = 0;
	int alone = 1;

	if (s.n == 0)
		return -1;
	for (; s.n > 0; alone = 0)
		if (duration_part(&s, alone, &ns) == -1)
			return -1;
	*out_ms = ns / 1000000 + (ns % 1000000 != 0);
	return 0;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned
util_distance(struct str a, struct str b)
{
	unsigned row[DISTANCE_MAX + 1], i, j, diagonal, up;

	if (a.n > DISTANCE_MAX || b.n > DISTANCE_MAX)
		return 99;
	for (j = 0; j <= b.n; j++)
		row[j] = j;
	for (i = 1; i <= a.n; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= b.n; j++) {
			up = row[j];
			diagonal += a.p[i - 1] != b.p[j - 1];
			row[j] = least(diagonal,
			    least(up, row[j - 1]) + 1);
			diagonal = up;
		}
	}
	return row[b.n];
}

uint64_t
util_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t
util_hash(const void *p, size_t n)
{
	const unsigned char *b = p;
	uint64_t h = 0xcbf29ce484222325u;
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3u;
	return h;
}
