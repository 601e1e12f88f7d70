#include "base/util.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

static void
test_str(void)
{
	struct str none = str_of(NULL), abc = str_of("abc");
	char *p;

	T_OK(none.p == NULL && none.n == 0, "NULL");
	T_OK(str_eq(none, str_of("")) && str_is(none, ""), "empty");
	T_OK(str_eq(abc, str_n("abcd", 3)), "equal");
	T_OK(!str_is(abc, "ab") && !str_is(abc, "abcd") && !str_is(abc, "abd"),
	    "not equal");
	T_OK(!str_is(str_n("a\0b", 3), "a"), "a NUL is a byte");
	T_OK(str_caseis(abc, "AbC") && !str_caseis(abc, "abd"), "case");
	T_OK(!str_caseis(str_of("@["), "`{"), "only letters have case");
	T_OK(!str_caseis(str_of("\311"), "\351"), "only ASCII has case");
	T_OK(str_caseeq(none, none), "empty, case");
	T_OK(str_starts(abc, "ab") && str_starts(abc, "") &&
	    str_starts(none, "") && !str_starts(abc, "AB") &&
	    !str_starts(abc, "abcd"), "starts");
	T_OK(str_casestarts(abc, "AB") && !str_casestarts(abc, "abcd") &&
	    str_casestarts(none, ""), "casestarts");
	T_OK(str_ends(abc, "bc") && str_ends(abc, "") && str_ends(none, "") &&
	    !str_ends(abc, "ab") && !str_ends(abc, "xabc"), "ends");
	T_OK(str_casefind(abc, str_of("C")) == 2, "find");
	T_OK(str_casefind(str_of("aaab"), str_of("AAB")) == 1, "find");
	T_OK(str_casefind(abc, str_of("abcd")) == -1, "longer");
	T_OK(str_casefind(abc, none) == -1, "nothing");
	T_OK(str_casefind(none, abc) == -1, "in nothing");
	T_OK(str_is(str_trim(str_of(" \t a b\t ")), "a b"), "trim");
	T_OK(str_trim(str_of(" \t ")).n == 0, "trim all");
	T_OK(str_trim(none).n == 0, "trim nothing");
	T_OK(str_is(str_trim(str_of("\ra\n")), "\ra\n"), "trim is for blanks");
	p = str_dup(str_n("abcd", 3));
	T_OK(p != NULL && strcmp(p, "abc") == 0, "dup");
	free(p);
	p = str_dup(none);
	T_OK(p != NULL && *p == '\0', "dup of nothing");
	free(p);
}

static void
test_numbers(void)
{
	static const struct {
		const char *s;
		uint64_t max, v;
		int rc, hex;
	} t[] = {
		{ "0", 0, 0, 0, 0 }, { "00012", 99, 12, 0, 0 },
		{ "99", 99, 99, 0, 0 }, { "100", 99, 0, -1, 0 },
		{ "1", 0, 0, -1, 0 },
		{ "18446744073709551615", UINT64_MAX, UINT64_MAX, 0, 0 },
		{ "18446744073709551616", UINT64_MAX, 0, -1, 0 },
		{ "184467440737095516150", UINT64_MAX, 0, -1, 0 },
		{ "", 9, 0, -1, 0 }, { "+1", 9, 0, -1, 0 },
		{ "-1", 9, 0, -1, 0 }, { " 1", 9, 0, -1, 0 },
		{ "1 ", 9, 0, -1, 0 }, { "0x1", 9, 0, -1, 0 },
		{ "a", 99, 0, -1, 0 }, { "1_0", 99, 0, -1, 0 },
		{ "0", 0, 0, 0, 1 }, { "fF", 255, 255, 0, 1 },
		{ "100", 255, 0, -1, 1 }, { "0x1", 99, 0, -1, 1 },
		{ "g", 99, 0, -1, 1 }, { "", 99, 0, -1, 1 },
		{ "a", 9, 0, -1, 1 },
		{ "ffffffffffffffff", UINT64_MAX, UINT64_MAX, 0, 1 },
		{ "10000000000000000", UINT64_MAX, 0, -1, 1 }
	};
	uint64_t v;
	size_t i;
	int rc;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		v = 77;
		rc = t[i].hex ? util_hex64(str_of(t[i].s), t[i].max, &v) :
		    util_u64(str_of(t[i].s), t[i].max, &v);
		T_OK(rc == t[i].rc, "%s", t[i].s);
		T_OK(v == (rc == 0 ? t[i].v : 77), "%s", t[i].s);
	}
}

static void
test_secrets(void)
{
	static const struct {
		const char *secret, *mask;
	} masks[] = {
		{ "", "****" }, { "short", "****" },
		{ "123456789012", "****" }, { "1234567890123", "1234...0123" },
		{ "sk-ant-abcdefghijkl", "sk-a...ijkl" }
	};
	struct str a = str_of("secret");
	char out[UTIL_MASK_SIZE], hex[9], p[4] = { 1, 2, 3, 4 };
	size_t i;

	T_OK(util_ct_eq(a, str_of("secret")), "equal");
	T_OK(!util_ct_eq(a, str_of("secreT")), "last byte");
	T_OK(!util_ct_eq(a, str_of("Secret")), "first byte");
	T_OK(!util_ct_eq(a, str_of("secre")), "shorter");
	T_OK(!util_ct_eq(a, str_of("secrets")), "longer");
	T_OK(!util_ct_eq(str_of("aaaa"), str_of("a")), "a run of the first");
	T_OK(!util_ct_eq(str_of(""), str_of("a")), "empty guess");
	T_OK(!util_ct_eq(a, str_of("")), "empty secret");
	T_OK(!util_ct_eq(str_of(""), str_of(NULL)), "both empty");
	for (i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		util_mask(out, str_of(masks[i].secret));
		T_OK(strcmp(out, masks[i].mask) == 0, "%s", out);
	}
	util_hex(hex, "\000\177\200\377", 4);
	T_OK(strcmp(hex, "007f80ff") == 0, "%s", hex);
	util_wipe(p + 1, 2);
	T_OK(p[0] == 1 && p[1] == 0 && p[2] == 0 && p[3] == 4, "wipe");
	util_wipe(NULL, 0);
}

static void
test_glob(void)
{
	static const struct {
		const char *pattern, *name;
		int match;
	} t[] = {
		{ "*", "", 1 }, { "*", "abc", 1 }, { "", "", 1 },
		{ "", "a", 0 }, { "a", "", 0 }, { "abc", "ABC", 1 },
		{ "abc", "abcd", 0 }, { "abcd", "abc", 0 },
		{ "claude-*", "claude-opus", 1 }, { "claude-*", "claude-", 1 },
		{ "claude-*", "xclaude-", 0 }, { "*-latest", "a-latest", 1 },
		{ "*-latest", "a-latest-b", 0 }, { "a*b*c", "aXbYc", 1 },
		{ "a*b*c", "abc", 1 }, { "a*b*c", "acb", 0 },
		{ "**a**", "a", 1 }, { "*ab*ab", "abab", 1 },
		{ "*ab*ab", "ab", 0 }, { "*aab", "aaaab", 1 },
		{ "a?c", "abc", 0 }, { "[a]", "[a]", 1 }, { "a*", "b", 0 }
	};
	char name[3000], pattern[3000];
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++)
		T_OK(util_glob(str_of(t[i].pattern), str_of(t[i].name)) ==
		    t[i].match, "%s %s", t[i].pattern, t[i].name);
	/* What takes a naive matcher longer than there is time. */
	memset(name, 'a', sizeof name);
	for (i = 0; i < sizeof pattern; i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	pattern[sizeof pattern - 1] = 'b';
	T_OK(!util_glob(str_n(pattern, sizeof pattern),
	    str_n(name, sizeof name)), "many stars");
}

static void
test_days(void)
{
	static const struct {
		int64_t year;
		unsigned month, day;
		int64_t days;
	} t[] = {
		{ 1970, 1, 1, 0 }, { 1970, 12, 31, 364 }, { 1969, 12, 31, -1 },
		{ 1972, 2, 29, 789 }, { 1972, 3, 1, 790 },
		{ 2000, 2, 29, 11016 }, { 2000, 3, 1, 11017 },
		{ 2024, 2, 29, 19782 }, { 2026, 7, 21, 20655 },
		{ 1900, 3, 1, -25508 }, { 2100, 3, 1, 47541 },
		{ 9999, 12, 31, 2932896 }, { 1, 1, 1, -719162 },
		{ 0, 3, 1, -719468 }, { -1, 12, 31, -719529 }
	};
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++)
		T_OK(util_days(t[i].year, t[i].month, t[i].day) == t[i].days,
		    "%lld-%u-%u: %lld", (long long)t[i].year, t[i].month,
		    t[i].day, (long long)util_days(t[i].year, t[i].month,
		    t[i].day));
}

static void
test_http_date(void)
{
	static const struct {
		const char *s;
		int64_t v;
	} t[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "Sun Nov 16 08:49:37 1994", 784975777 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
		{ "Thu, 29 Feb 2024 00:00:00 GMT", 1709164800 },
		/* a leap second, taken as the next one */
		{ "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
		{ "Monday, 01-Jan-26 00:00:00 GMT", 1767225600 },
		{ "Monday, 01-Jan-74 00:00:00 GMT", 3281990400 },
		{ "Monday, 01-Jan-77 00:00:00 GMT", 220924800 },
		{ "Monday, 01-Jan-00 00:00:00 GMT", 946684800 }
	};
	static const char *const faults[] = {
		"", "0", "now", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		" Sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT", "Sux, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nox 1994 08:49:37 GMT",
		"Sun, 31 Apr 1994 08:49:37 GMT",
		"Sun, 29 Feb 2023 08:49:37 GMT",
		"Sun, 29 Feb 2100 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT",
		"Sun, 06 Nov 1994 +8:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94",
		"Sun, 06 Nov 1994", "Sun,"
	};
	const int64_t now = 1784635200;		/* July 2026 */
	int64_t v;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++)
		T_OK(util_http_date(str_of(t[i].s), now, &v) == 0 &&
		    v == t[i].v, "%s: %lld", t[i].s, (long long)v);
	for (i = 0; i < sizeof faults / sizeof faults[0]; i++)
		T_OK(util_http_date(str_of(faults[i]), now, &v) == -1, "%s",
		    faults[i]);
	T_OK(util_http_date(str_of("Sunday, 06-Nov-94 08:49:37 GMT"),
	    (int64_t)120 * 31556952, &v) == 0 &&
	    v == 784111777 + (int64_t)36525 * 86400, "seen from 2090: %lld",
	    (long long)v);
}

static void
test_rfc3339(void)
{
	static const struct {
		const char *s;
		int64_t v;
	} t[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01t00:00:01z", 1000 },
		{ "1970-01-01 00:00:00.001Z", 1 },
		{ "1970-01-01T00:00:00.1Z", 100 },
		{ "1970-01-01T00:00:00.123456789Z", 123 },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1969-12-31T18:30:00-05:30", 0 },
		{ "1969-12-31T23:59:59.5Z", -500 },
		{ "2026-07-21T12:00:00Z", 1784635200000 },
		{ "2016-12-31T23:59:60Z", 1483228800000 }
	};
	static const char *const faults[] = {
		"", "2026-07-21", "2026-07-21T12:00:00", "2026-07-21T12:00Z",
		"2026-07-21T12:00:00.Z", "2026-07-21T12:00:00Zx",
		"2026-07-21T12:00:00+1:00", "2026-07-21T12:00:00+0100",
		"2026-07-21T12:00:00+24:00", "2026-07-21T12:00:00+01:60",
		"2026-13-21T12:00:00Z", "2026-00-21T12:00:00Z",
		"2026-02-29T12:00:00Z", "2026-07-21T25:00:00Z",
		"26-07-21T12:00:00Z", "2026-7-21T12:00:00Z",
		"2026-07-21X12:00:00Z", "2026-07-21T12:00:00*00:00",
		"2026-07-21T"
	};
	int64_t v;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++)
		T_OK(util_rfc3339(str_of(t[i].s), &v) == 0 && v == t[i].v,
		    "%s: %lld", t[i].s, (long long)v);
	for (i = 0; i < sizeof faults / sizeof faults[0]; i++)
		T_OK(util_rfc3339(str_of(faults[i]), &v) == -1, "%s",
		    faults[i]);
}

static void
test_duration(void)
{
	static const struct {
		const char *s;
		uint64_t v;
	} t[] = {
		{ "0", 0 }, { "12", 12000 }, { "1.5", 1500 }, { "1s", 1000 },
		{ "1.5s", 1500 }, { "20ms", 20 }, { "6m0s", 360000 },
		{ "1h2m3.5s", 3723500 }, { "1m", 60000 }, { "1h", 3600000 },
		{ "1d", 86400000 }, { "1.0001s", 1001 }, { "1ns", 1 },
		{ "0ns", 0 }, { "1us", 1 }, { "1000us", 1 },
		{ "1001\302\265s", 2 }, { "1001\316\274s", 2 },
		{ "0.5ms", 1 }, { "34.074824224s", 34075 },
		{ "0.00000000000000000001s", 1 }, { "0.50000000000000h",
		    1800000 }, { "1ms1m", 60001 },
		{ "106751d", 9223286400000 }
	};
	static const char *const faults[] = {
		"", "s", "1x", "-1s", "+1s", " 1s", "1s ", "1 s", "1m30", "1.",
		"1.s", ".5s", "1..5s", "1h2", "1S", "1,5s", "1e3s",
		"99999999999999999999s", "999999999999999999d", "106752d",
		"9223372036s9223372036s", "1m2", "mm", "garbage"
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		v = 77;
		T_OK(util_duration(str_of(t[i].s), &v) == 0 && v == t[i].v,
		    "%s: %llu", t[i].s, (unsigned long long)v);
	}
	for (i = 0; i < sizeof faults / sizeof faults[0]; i++)
		T_OK(util_duration(str_of(faults[i]), &v) == -1, "%s",
		    faults[i]);
}

static void
test_rest(void)
{
	static const struct {
		const char *a, *b;
		unsigned n;
	} t[] = {
		{ "", "", 0 }, { "abc", "abc", 0 }, { "abc", "", 3 },
		{ "", "abc", 3 }, { "kitten", "sitting", 3 },
		{ "timeout", "timeouts", 1 }, { "ab", "ba", 2 },
		{ "flaw", "lawn", 2 }
	};
	uint64_t state = 1234567, again = 1234567;
	char word[65];
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++)
		T_OK(util_distance(str_of(t[i].a), str_of(t[i].b)) == t[i].n,
		    "%s %s", t[i].a, t[i].b);
	memset(word, 'a', sizeof word);
	T_OK(util_distance(str_n(word, 64), str_of("a")) == 63, "64 bytes");
	T_OK(util_distance(str_of("a"), str_n(word, 64)) == 63, "64 bytes");
	T_OK(util_distance(str_n(word, 65), str_of("a")) == 99, "65 bytes");
	T_OK(util_distance(str_of("a"), str_n(word, 65)) == 99, "65 bytes");
	/* The first numbers that the published generator gives. */
	T_OK(util_random(&state) == 6457827717110365317u, "first");
	T_OK(util_random(&state) == 3203168211198807973u, "second");
	T_OK(util_random(&again) == 6457827717110365317u, "same seed");
	/* The published examples of FNV-1a. */
	T_OK(util_hash("", 0) == 0xcbf29ce484222325u, "empty");
	T_OK(util_hash("a", 1) == 0xaf63dc4c8601ec8cu, "a");
	T_OK(util_hash("foobar", 6) == 0x85944171f73967e8u, "foobar");
}

int
main(void)
{
	test_str();
	test_numbers();
	test_secrets();
	test_glob();
	test_days();
	test_http_date();
	test_rfc3339();
	test_duration();
	test_rest();
	return t_end();
}
