#ifndef BASE_UTIL_H
#define BASE_UTIL_H

/*
 * Ground floor: slices, numbers, time text, hex, constant-time compare,
 * wiping and masking of secrets.  Pure.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed run of bytes; p may be NULL when n is 0.  Never freed. */
struct str {
	const char *p;
	size_t n;
};

/* The slice of n bytes at p. */
static inline struct str
str_n(const char *p, size_t n)
{
	struct str s;

	s.p = p;
	s.n = n;
	return s;
}

/* The slice of a C string; s may be NULL. */
static inline struct str
str_of(const char *s)
{
	return str_n(s, s == NULL ? 0 : strlen(s));
}

/* 1 if both hold the same bytes. */
int str_eq(struct str a, struct str b);

/* 1 if a holds exactly the bytes of the C string b. */
int str_is(struct str a, const char *b);

/* The same two, letters A-Z and a-z taken as equal. */
int str_caseeq(struct str a, struct str b);
int str_caseis(struct str a, const char *b);

/* 1 if a starts with b; case counts in the first, not in the second. */
int str_starts(struct str a, const char *b);
int str_casestarts(struct str a, const char *b);

/* 1 if a ends with b. */
int str_ends(struct str a, const char *b);

/* Offset of needle in hay, ASCII case ignored; -1 if absent or empty. */
long str_casefind(struct str hay, struct str needle);

/* Without blanks and tabs at both ends (RFC 9110 5.6.3, OWS). */
struct str str_trim(struct str s);

/* A malloc'd NUL-terminated copy; NULL when out of memory. */
char *str_dup(struct str s);

/*
 * Reads s as a whole decimal number without sign, 0 to max.
 * Returns 0, or -1 if s is empty, has another character, or is above max.
 */
int util_u64(struct str s, uint64_t max, uint64_t *out);

/* The same in hexadecimal, either case. */
int util_hex64(struct str s, uint64_t max, uint64_t *out);

/* Writes 2 * n lower-case hex digits and a NUL to out. */
void util_hex(char *out, const void *p, size_t n);

/*
 * 1 if a and b are equal.  The time taken depends on a (the guess) and not
 * on b (the secret).  An empty secret equals nothing.
 */
int util_ct_eq(struct str a, struct str b);

/* Overwrites n bytes in a way that the compiler keeps. */
void util_wipe(void *p, size_t n);

/*
 * Writes the masked form of a secret and a NUL: the first and last four
 * characters around "..."; of fewer than 13 characters: "****".
 */
#define UTIL_MASK_SIZE 12
void util_mask(char out[UTIL_MASK_SIZE], struct str secret);

/*
 * Glob: '*' stands for any run of characters, everything else for itself,
 * ASCII case ignored, the whole name must match.
 */
int util_glob(struct str pattern, struct str name);

/* Days since 1970-01-01 of a civil date in the Gregorian calendar. */
int64_t util_days(int64_t year, unsigned month, unsigned day);

/*
 * Reads an HTTP-date in its three forms (RFC 9110 5.6.7) as seconds since
 * 1970.  A two-digit year is taken into the 50 years around now_s.
 * Returns 0, or -1 if s is none of them.
 */
int util_http_date(struct str s, int64_t now_s, int64_t *out);

/* Reads an RFC 3339 time, with fraction and offset, as ms since 1970. */
int util_rfc3339(struct str s, int64_t *out_ms);

/*
 * Reads a duration as milliseconds: "1h2m3.5s", "6m0s", "20ms", "1.5s",
 * "12" (seconds).  Rounds up.  Returns 0, or -1 if s is no duration.
 */
int util_duration(struct str s, uint64_t *out_ms);

/* Edit distance of two short words (64 bytes at most, else 99). */
unsigned util_distance(struct str a, struct str b);

/* A step of SplitMix64: a fixed sequence for each seed. */
uint64_t util_random(uint64_t *state);

/* Not for adversaries: FNV-1a, 64 bits. */
uint64_t util_hash(const void *p, size_t n);

#endif
