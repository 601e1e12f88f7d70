#include "dialect/text.h"

#include <string.h>

#include "tests/t.h"

#define N(a) (sizeof(a) / sizeof *(a))
#define LS "\xe2\x80\xa8"	/* U+2028 */
#define PS "\xe2\x80\xa9"
#define EMOJI "\xf0\x9f\x98\x80"
#define BAD "\xef\xbf\xbd"	/* U+FFFD */

#define LONG "long enough for several steps of sixteen bytes each " \
	"with \xe4\xb8\xad\xe6\x96\x87 in the middle of it all"

static struct arena a;

static void
t_plain(void)
{
	static const struct {
		const char *text, *plain;
	} cases[] = {
		{ "a\\\"b\\\\c\\/d", "a\"b\\c/d" },
		{ "\\b\\f\\n\\r\\t", "\b\f\n\r\t" },
		{ "\\u0041\\u00e9\\u20ac", "A\xc3\xa9\xe2\x82\xac" },
		{ "x\\ud83d\\ude00y", "x" EMOJI "y" },
		{ "\\ud83dx", BAD "x" },
		{ "\\ude00\\ud83d", BAD BAD },
		{ "\\ud83d\\u0041", BAD "A" },
		{ "\\ud83d\\ud83d\\ude00", BAD EMOJI },
		{ EMOJI "\\n", EMOJI "\n" }
	};
	struct str s, raw = str_of("plain " EMOJI);
	size_t i;

	for (i = 0; i < N(cases); i++) {
		s = text_plain(&a, str_of(cases[i].text));
		T_OK(str_is(s, cases[i].plain), "%s: %.*s", cases[i].text,
		    (int)s.n, s.p);
	}
	s = text_plain(&a, raw);
	T_OK(s.p == raw.p && s.n == raw.n, "no copy");
	s = text_plain(&a, str_of("a\\u0000b"));
	T_OK(s.n == 3 && memcmp(s.p, "a\0b", 3) == 0, "NUL");
	s = text_plain(&a, str_n(NULL, 0));
	T_OK(s.p == NULL, "absent");
	s = text_plain(&a, str_of(""));
	T_OK(s.p != NULL && s.n == 0, "empty");
}

static void
t_of(void)
{
	static const struct {
		const char *plain, *text;
	} cases[] = {
		{ "a\"b\\c", "a\\\"b\\\\c" },
		{ "1\n2\t\x01", "1\\n2\\t\\u0001" },
		{ "\xff", BAD },
		{ "a\xe2\x80", "a" BAD },
		{ "\"", "\\\"" }
	};
	static const char *const same[] = { "", "a/b", EMOJI "\xc3\xa9",
		"\x7f", LONG };
	struct str s, t;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		s = text_of(&a, str_of(cases[i].plain));
		T_OK(str_is(s, cases[i].text), "%.*s", (int)s.n, s.p);
	}
	for (i = 0; i < N(same); i++) {
		t = str_of(same[i]);
		s = text_of(&a, t);
		T_OK(s.p == t.p && s.n == t.n, "%s: no copy", same[i]);
	}
	s = text_of(&a, str_n("a\0b", 3));
	T_OK(str_is(s, "a\\u0000b"), "NUL");
	s = text_of(&a, str_n(NULL, 0));
	T_OK(s.p == NULL, "absent");
}

static void
t_blank(void)
{
	static const struct {
		const char *text;
		size_t left;	/* after rtrim */
	} cases[] = {
		{ "", 0 }, { " ", 0 }, { "\\n\\t\\r ", 0 }, { "\\u0020", 0 },
		{ "\\u00a0\\ufeff", 0 }, { "\xc2\xa0", 0 },
		{ "\xef\xbb\xbf" LS "\xe3\x80\x80", 0 },
		{ "\\u000b\\f", 0 }, { "\xe1\x9a\x80", 0 },
		{ "a", 1 }, { "a ", 1 }, { " a\\n", 2 }, { "\\\\n", 3 },
		{ "a\\\\\\n", 3 }, { "\\b", 2 }, { "\\u0000", 6 },
		{ "\xe2\x80\x8b ", 3 },	/* zero width: no white space */
		{ "\xc2\x85", 2 }, { EMOJI "\\u2003", 4 },
		{ "\\ud83d\\ude00 ", 12 }, { "\\u180e", 6 }, { "a b", 3 }
	};
	struct str s, t;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		s = str_of(cases[i].text);
		T_OK(text_blank(s) == (cases[i].left == 0), "%s", s.p);
		t = text_rtrim(s);
		T_OK(t.p == s.p && t.n == cases[i].left, "%s: %zu", s.p, t.n);
	}
	T_OK(text_blank(str_n(NULL, 0)), "absent");
}

static void
t_write(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "\"\"" }, { "a\\n", "\"a\\n\"" },
		{ LS, "\"\\u2028\"" }, { "a" PS "b" LS LS,
		    "\"a\\u2029b\\u2028\\u2028\"" },
		{ "\xe2", "\"\xe2\"" }, { "x\xe2\x80", "\"x\xe2\x80\"" },
		{ "\xe2\xe2\x80\xa8", "\"\xe2\\u2028\"" },
		{ "\xe2\x80\x9cquoted\xe2\x80\x9d",
		    "\"\xe2\x80\x9cquoted\xe2\x80\x9d\"" }
	};
	struct buf b;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		buf_init(&b, 100);
		T_OK(text_write(&b, str_of(cases[i].text)) == 0, "written");
		T_OK(str_is(buf_str(&b), cases[i].want), "%s: %s",
		    cases[i].want, buf_cstr(&b));
		buf_free(&b);
	}
	buf_init(&b, 7);
	T_OK(text_write(&b, str_n(NULL, 0)) == 0 && b.len == 2, "absent");
	T_OK(text_add(&b, str_of("abcde")) == 0, "full");
	T_OK(text_add(&b, str_n(NULL, 0)) == 0, "nothing fits");
	T_OK(text_add(&b, str_of(LS)) == -1 && b.bad, "over");
	T_OK(text_add(&b, str_n(NULL, 0)) == -1, "sticks");
	buf_free(&b);
}

static void
t_canon(void)
{
	static const struct {
		const char *value, *canon, *nest;
	} cases[] = {
		{ "1.0", "1.0", "1.0" },
		{ " [ 1 , 2 ] ", "[1,2]", "[1,2]" },
		{ "{ \"b\" : 1,\n\t\"a\" : [ ] , \"c\":{ } }",
		    "{\"b\":1,\"a\":[],\"c\":{}}",
		    "{\\\"b\\\":1,\\\"a\\\":[],\\\"c\\\":{}}" },
		{ "[true, false, null, -1e+5]", "[true,false,null,-1e+5]",
		    "[true,false,null,-1e+5]" },
		{ "\"\\/\\u0041\\u00E9\"", "\"/A\xc3\xa9\"",
		    "\\\"/A\xc3\xa9\\\"" },
		{ "\"\\u0022\\u005C\"", "\"\\\"\\\\\"",
		    "\\\"\\\\\\\"\\\\\\\\\\\"" },
		{ "\"\\u000A\\u0001\\u001F\\b\"", "\"\\n\\u0001\\u001f\\b\"",
		    "\\\"\\\\n\\\\u0001\\\\u001f\\\\b\\\"" },
		{ "\"\\uD83D\\uDE00\"", "\"" EMOJI "\"",
		    "\\\"" EMOJI "\\\"" },
		{ "\"\\uD83Dx\\uDE00\"", "\"\\ud83dx\\ude00\"",
		    "\\\"\\\\ud83dx\\\\ude00\\\"" },
		{ "\"\\u2028\x7f\"", "\"" LS "\x7f\"", "\\\"" LS "\x7f\\\"" },
		{ "{\"\\u0061\":{\"b\":[{}, {}]}}",
		    "{\"a\":{\"b\":[{},{}]}}",
		    "{\\\"a\\\":{\\\"b\\\":[{},{}]}}" },
		{ "\"\\u0000\"", "\"\\u0000\"", "\\\"\\\\u0000\\\"" },
		{ "\"\\uD822 \\uD85C\"", "\"\\ud822 \\ud85c\"",
		    "\\\"\\\\ud822 \\\\ud85c\\\"" },
		{ "{", NULL, NULL }, { "", NULL, NULL },
		{ "{\"a\":1}}", NULL, NULL }, { "[1 2]", NULL, NULL }
	};
	struct buf b;
	size_t i;
	int rc;

	for (i = 0; i < N(cases); i++) {
		buf_init(&b, 200);
		buf_adds(&b, "x");
		rc = text_canon(&b, str_of(cases[i].value));
		T_OK(rc == (cases[i].canon == NULL ? -1 : 0), "%s",
		    cases[i].value);
		T_OK(strcmp(buf_cstr(&b) + 1, rc == 0 ? cases[i].canon : "")
		    == 0, "%s: %s", cases[i].value, buf_cstr(&b));
		buf_cut(&b, 1);
		rc = text_nest(&b, str_of(cases[i].value));
		T_OK(strcmp(buf_cstr(&b) + 1, rc == 0 ? cases[i].nest : "")
		    == 0, "%s: %s", cases[i].value, buf_cstr(&b));
		buf_free(&b);
	}
	buf_init(&b, 8);
	T_OK(text_canon(&b, str_of("[1, 2, 3, 4]")) == -1 && b.bad, "full");
	buf_free(&b);
}

static void
t_to_object(void)
{
	static const struct {
		const char *text, *object;
		int repaired;
	} cases[] = {
		{ "", "{}", 0 }, { " \\n", "{}", 0 }, { "{}", "{}", 0 },
		{ "{\\\"a\\\": 1.0}", "{\"a\": 1.0}", 0 },
		{ " {\\\"a\\\":\\\"\\\\n\\\"} ", "{\"a\":\"\\n\"}", 0 },
		{ "{\\\"a\\\":\\\"\\ud83d\\\"}", "{\"a\":\"\\ud83d\"}", 0 },
		{ "{\\\"a\\\":\\\"\\ud83d\\ude00\\\"}",
		    "{\"a\":\"" EMOJI "\"}", 0 },
		{ "{\\\"a\\\":", "{\"_raw\":\"{\\\"a\\\":\"}", 1 },
		{ "[]", "{\"_raw\":\"[]\"}", 1 },
		{ "null", "{\"_raw\":\"null\"}", 1 },
		{ "ls -l\\n", "{\"_raw\":\"ls -l\\n\"}", 1 },
		{ "{} {}", "{\"_raw\":\"{} {}\"}", 1 },
		{ "{\\\"a\\\":\\\"\\n\\\"}",
		    "{\"_raw\":\"{\\\"a\\\":\\\"\\n\\\"}\"}", 1 }
	};
	struct str s, raw = str_of("{}");
	size_t i;
	int repaired;

	for (i = 0; i < N(cases); i++) {
		repaired = 9;
		s = text_to_object(&a, str_of(cases[i].text), &repaired);
		T_OK(str_is(s, cases[i].object), "%s: %.*s", cases[i].text,
		    (int)s.n, s.p);
		T_OK(repaired == cases[i].repaired, "%s", cases[i].text);
		T_OK(text_is_object(s), "%s", cases[i].text);
	}
	s = text_to_object(&a, raw, &repaired);
	T_OK(s.p == raw.p, "no copy");
	s = text_to_object(&a, str_n(NULL, 0), &repaired);
	T_OK(str_is(s, "{}") && !repaired, "absent");
}

static void
t_from_object(void)
{
	static const struct {
		const char *object, *text;
	} cases[] = {
		{ "{}", "{}" }, { "{ \"a\" : 1 }", "{\\\"a\\\":1}" },
		{ "{\"_raw\":\"ls\\n\"}", "ls\\n" },
		{ " { \"_raw\" : \"\" } ", "" },
		{ "{\"\\u005fraw\":\"x\"}", "x" },
		{ "{\"_raw\":\"{}\"}", "{\\\"_raw\\\":\\\"{}\\\"}" },
		{ "{\"_raw\":\"[]\"}", "[]" },
		{ "{\"_raw\":1}", "{\\\"_raw\\\":1}" },
		{ "{\"_raw\":\"x\",\"b\":1}",
		    "{\\\"_raw\\\":\\\"x\\\",\\\"b\\\":1}" },
		{ "{\"b\":1,\"_raw\":\"x\"}",
		    "{\\\"b\\\":1,\\\"_raw\\\":\\\"x\\\"}" }
	};
	struct str s;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		s = text_from_object(&a, str_of(cases[i].object));
		T_OK(str_is(s, cases[i].text), "%s: %.*s", cases[i].object,
		    (int)s.n, s.p);
	}
	s = text_from_object(&a, str_of("{\"a\""));
	T_OK(s.p == NULL && !a.bad, "no JSON");
	T_OK(text_is_object(str_of(" {\"a\":[]}\n")) &&
	    !text_is_object(str_of("")) && !text_is_object(str_of("[{}]")) &&
	    !text_is_object(str_of("{}{")) && !text_is_object(str_of("{")) &&
	    !text_is_object(str_n(NULL, 0)), "objects");
}

static void
t_points(void)
{
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		{ "", 0 }, { "abc", 3 }, { "\\n\\\"", 2 }, { "\xc3\xa9", 1 },
		{ EMOJI "x", 2 }, { "\\ud83d\\ude00", 1 },
		{ "\\ud83d\\u0041", 2 }, { "\\u00e9" EMOJI "\\\\", 3 },
		{ "a longer one than sixteen \xe4\xb8\xad bytes", 33 }
	};
	size_t i;

	for (i = 0; i < N(cases); i++)
		T_OK(text_points(str_of(cases[i].text)) == cases[i].n,
		    "%s: %zu", cases[i].text,
		    text_points(str_of(cases[i].text)));
}

static void
t_base64(void)
{
	static const struct {
		const char *bytes, *std, *url;
	} cases[] = {
		{ "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" }, { "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xff\xfe\xfb\xf0", "//778A==", "__778A" },
		{ "xl1.a.t.\xfa", "eGwxLmEudC76", "eGwxLmEudC76" }
	};
	static const char *const none[] = { "A", "=", "==", "AA=", "A===",
		"AAA==", "AA\n==", "A A=", "AAAA=", "AAAAA", "A=AA", "AA*A",
		"AAAA====", "\xc3\xa9==" };
	struct str s;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		s = text_base64_encode(&a, str_of(cases[i].bytes));
		T_OK(str_is(s, cases[i].std), "%s: %.*s", cases[i].std,
		    (int)s.n, s.p);
		s = text_base64_encode_url(&a, str_of(cases[i].bytes));
		T_OK(str_is(s, cases[i].url), "%s: %.*s", cases[i].url,
		    (int)s.n, s.p);
		s = text_base64_decode(&a, str_of(cases[i].std));
		T_OK(s.p != NULL && str_is(s, cases[i].bytes), "%s",
		    cases[i].std);
		s = text_base64_decode(&a, str_of(cases[i].url));
		T_OK(s.p != NULL && str_is(s, cases[i].bytes), "%s",
		    cases[i].url);
	}
	for (i = 0; i < N(none); i++) {
		s = text_base64_decode(&a, str_of(none[i]));
		T_OK(s.p == NULL, "%s", none[i]);
	}
}

static void
t_fnv(void)
{
	char h32[9], h64[17];

	text_fnv32(h32, str_of(""));
	text_fnv64(h64, str_of(""));
	T_OK(strcmp(h32, "811c9dc5") == 0, "%s", h32);
	T_OK(strcmp(h64, "cbf29ce484222325") == 0, "%s", h64);
	text_fnv32(h32, str_of("foobar"));
	text_fnv64(h64, str_of("foobar"));
	T_OK(strcmp(h32, "bf9cf968") == 0, "%s", h32);
	T_OK(strcmp(h64, "85944171f73967e8") == 0, "%s", h64);
}

/* Where memory is short there is no string, and the arena says so. */
static void
t_memory(void)
{
	struct arena tight;
	struct str s[6];
	size_t i;
	int repaired;

	for (i = 0; i < N(s); i++) {
		arena_init(&tight, 2);
		s[0] = text_plain(&tight, str_of("\\n\\n"));
		T_OK(i != 0 || tight.bad, "plain");
		arena_reset(&tight);
		s[1] = text_of(&tight, str_of("\n\n"));
		T_OK(i != 1 || tight.bad, "of");
		arena_reset(&tight);
		s[2] = text_to_object(&tight, str_of("x"), &repaired);
		T_OK(i != 2 || tight.bad, "to object");
		arena_reset(&tight);
		s[3] = text_from_object(&tight, str_of("{\"a\":1}"));
		T_OK(i != 3 || tight.bad, "from object");
		arena_reset(&tight);
		s[4] = text_base64_encode(&tight, str_of("abc"));
		T_OK(i != 4 || tight.bad, "encode");
		arena_reset(&tight);
		s[5] = text_base64_decode(&tight, str_of("AAAA"));
		T_OK(i != 5 || tight.bad, "decode");
		T_OK(s[i].p == NULL, "string %zu", i);
		arena_free(&tight);
	}
}

int
main(void)
{
	arena_init(&a, 1 << 20);
	t_plain();
	t_of();
	t_blank();
	t_write();
	t_canon();
	t_to_object();
	t_from_object();
	t_points();
	t_base64();
	t_fnv();
	T_OK(!a.bad, "no memory was short");
	arena_free(&a);
	t_memory();
	T_OK(buf_live() == 0, "leaked");
	return t_end();
}
