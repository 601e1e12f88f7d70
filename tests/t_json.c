#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define S(s) { (s), sizeof(s) - 1 }
#define N(a) (sizeof(a) / sizeof *(a))

/* A copy in an allocation of its size, so that a byte too far is caught. */
static struct str
exact(struct str s)
{
	char *p = malloc(s.n + (s.n == 0));

	if (p == NULL)
		exit(2);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return str_n(p, s.n);
}

static void
release(struct str s)
{
	free((char *)(uintptr_t)s.p);
}

static int
valid(struct str s)
{
	struct str t = exact(s);
	int ok = json_valid(t, NULL, NULL);

	release(t);
	return ok;
}

struct token {
	enum json_type type;
	unsigned depth;
	const char *key, *raw;
};

static void
walk(const char *text, unsigned flags, const struct token *want, size_t n)
{
	struct str s = exact(str_of(text));
	struct json j;
	enum json_type t;
	size_t i;

	json_start(&j, s, flags);
	for (i = 0; i < n; i++) {
		t = json_next(&j);
		T_OK(t == want[i].type, "%s: token %zu is %d", text, i, t);
		T_OK(j.depth == want[i].depth, "%s: token %zu depth %u", text,
		    i, j.depth);
		T_OK(str_is(j.raw, want[i].raw), "%s: token %zu raw %.*s",
		    text, i, (int)j.raw.n, j.raw.p);
		if (want[i].key == NULL)
			T_OK(j.key.p == NULL, "%s: token %zu key", text, i);
		else
			T_OK(j.key.p != NULL && str_is(j.key, want[i].key),
			    "%s: token %zu key %.*s", text, i, (int)j.key.n,
			    j.key.p);
	}
	release(s);
}

static void
t_tokens(void)
{
	static const struct token plain[] = {
		{ JSON_OBJECT, 1, NULL, "{" },
		{ JSON_STRING, 1, "a", "\"x\\n\"" },
		{ JSON_ARRAY, 2, "", "[" },
		{ JSON_NUMBER, 2, NULL, "-1.5e3" },
		{ JSON_OBJECT, 3, NULL, "{" },
		{ JSON_NULL, 3, "b\\u0041", "null" },
		{ JSON_CLOSE, 2, NULL, "}" },
		{ JSON_ARRAY, 3, NULL, "[" },
		{ JSON_CLOSE, 2, NULL, "]" },
		{ JSON_TRUE, 2, NULL, "true" },
		{ JSON_CLOSE, 1, NULL, "]" },
		{ JSON_FALSE, 1, "c", "false" },
		{ JSON_CLOSE, 0, NULL, "}" },
		{ JSON_END, 0, NULL, "" },
		{ JSON_END, 0, NULL, "" }
	};
	static const struct token comments[] = {
		{ JSON_OBJECT, 1, NULL, "{" },
		{ JSON_ARRAY, 2, "a", "[" },
		{ JSON_NUMBER, 2, NULL, "1" },
		{ JSON_NUMBER, 2, NULL, "2" },
		{ JSON_CLOSE, 1, NULL, "]" },
		{ JSON_STRING, 1, "b", "\"//\"" },
		{ JSON_CLOSE, 0, NULL, "}" },
		{ JSON_END, 0, NULL, "" }
	};
	static const struct token broken[] = {
		{ JSON_ARRAY, 1, NULL, "[" },
		{ JSON_NUMBER, 1, NULL, "1" },
		{ JSON_ERROR, 1, NULL, "" },
		{ JSON_ERROR, 1, NULL, "" }
	};

	walk(" {\"a\":\"x\\n\", \"\" : [-1.5e3,{\"b\\u0041\":null},[ ],true],"
	    "\"c\":false}\n", 0, plain, N(plain));
	walk("// one\r{/* two */\"a\"/**/:/***/[/*/*/1,//\n2,//three\n]//\n,"
	    "\"b\" : \"//\"/* four\n*/,}// five", JSON_COMMENTS, comments,
	    N(comments));
	walk("[1 2]", 0, broken, N(broken));
	walk("[1 /", JSON_COMMENTS, broken, N(broken));
}

static void
t_skip(void)
{
	static const char text[] =
	    "{\"a\":[1,{\"b\":[]}, 2 ],\"c\":{},\"d\":1}";
	struct json j;

	json_start(&j, str_of(text), 0);
	json_next(&j);
	json_next(&j);
	T_OK(json_skip(&j) == 0 && str_is(j.raw, "[1,{\"b\":[]}, 2 ]") &&
	    str_is(j.key, "a") && j.depth == 1, "array");
	T_OK(json_skip(&j) == 0 && str_is(j.raw, "[1,{\"b\":[]}, 2 ]"),
	    "again");
	T_OK(json_next(&j) == JSON_OBJECT && json_skip(&j) == 0 &&
	    str_is(j.raw, "{}") && str_is(j.key, "c"), "object");
	T_OK(json_next(&j) == JSON_NUMBER && json_skip(&j) == 0 &&
	    str_is(j.raw, "1"), "number");
	T_OK(json_next(&j) == JSON_CLOSE && json_skip(&j) == 0 &&
	    str_is(j.raw, "}"), "close");
	T_OK(json_next(&j) == JSON_END && json_skip(&j) == 0, "end");
	json_start(&j, str_of(text), 0);
	json_next(&j);
	T_OK(json_skip(&j) == 0 && str_is(j.raw, text) && j.depth == 0 &&
	    json_next(&j) == JSON_END, "all");
	json_start(&j, str_of("[[1,]"), 0);
	json_next(&j);
	T_OK(json_skip(&j) == -1 && json_skip(&j) == -1 &&
	    json_next(&j) == JSON_ERROR, "broken");
}

static void
t_comments(void)
{
	static const char *const ok[] = {
		"//\n1", "1//", "1 // x", "/**/1/**/", "[1,]", "{\"a\":1,}",
		"[1,/**/]", "[1/**/,]", "/***/1", "[//]\n]", "{//}\r\n}",
		"{\"a\"//\n://\n1}", "//\r1", "/* // */1", "[// /*\n]"
	};
	static const char *const no[] = {
		"/", "1/", "1 /*", "1 /**", "1 /*/", "/*/ 1", "/* /* */ */ 1",
		"//1", "[,]", "{,}", "[1,,]", "{\"a\":1,,}", "1,", "/ /\n1",
		"#\n1", "[1//]", "{\"a\"/*:1}", "tr/**/ue", "1/**/2", "/1"
	};
	struct json j;
	struct str s;
	enum json_type t;
	size_t i;

	for (i = 0; i < N(ok) + N(no); i++) {
		s = exact(str_of(i < N(ok) ? ok[i] : no[i - N(ok)]));
		json_start(&j, s, JSON_COMMENTS);
		while ((t = json_next(&j)) > JSON_END)
			;
		T_OK((t == JSON_END) == (i < N(ok)), "%.*s", (int)s.n, s.p);
		T_OK(!valid(s), "%.*s", (int)s.n, s.p);
		release(s);
	}
}

static void
t_faults(void)
{
	static const struct {
		const char *text;
		unsigned flags, line, column;
		const char *why;
	} row[] = {
		{ "", 0, 1, 1, "end" },
		{ "{\"a\":1", 0, 1, 7, "end" },
		{ "{\n  \"a\": 01\n}", 0, 2, 8, "leading zero" },
		{ "{\n  \"a\": 1\n  \"b\": 2\n}", 0, 3, 3, "','" },
		{ "{\r\n\"a\" 1}", 0, 2, 5, "':'" },
		{ "[1,\n]", 0, 2, 1, "comma" },
		{ "[\"\xc3\xa9\xe2\x82\xac\", x]", 0, 1, 8, "value" },
		{ "{\"a\":1,b:2}", 0, 1, 8, "name" },
		{ "\xef\xbb\xbf{}", 0, 1, 1, "byte order mark" },
		{ "[1 /* a", 0, 1, 4, "','" },
		{ "[1 /* a", JSON_COMMENTS, 1, 4, "without an end" },
		{ "[1 / 2]", JSON_COMMENTS, 1, 4, "','" },
		{ "[\"a\nb\"]", 0, 1, 4, "control" },
		{ "[\"a\\qb\"]", 0, 1, 5, "escape" },
		{ "[\"\\u12g4\"]", 0, 1, 7, "hex" },
		{ "[1.x]", 0, 1, 4, "point" },
		{ "[1ex]", 0, 1, 4, "exponent" },
		{ "[-x]", 0, 1, 3, "digit" },
		{ "[nulL]", 0, 1, 5, "word" },
		{ "{} x", 0, 1, 4, "after" }
	};
	unsigned line, column;
	struct json j;
	size_t i;

	for (i = 0; i < N(row); i++) {
		json_start(&j, str_of(row[i].text), row[i].flags);
		while (json_next(&j) > JSON_END)
			;
		json_line(str_of(row[i].text), j.pos, &line, &column);
		T_OK(line == row[i].line && column == row[i].column,
		    "%s: %u:%u", row[i].text, line, column);
		T_OK(j.why != NULL && strstr(j.why, row[i].why) != NULL,
		    "%s: %s", row[i].text, j.why);
	}
	json_line(str_of("a\nb"), 100, &line, &column);
	T_OK(line == 2 && column == 2, "beyond the end: %u:%u", line, column);
}

static const char *const names[] = { "model", "stream", "x\ny" };
static const struct {
	const char *text;
	struct { enum json_type type; const char *raw; } want[3];
} objects[] = {
	{ "{}", { { JSON_END, "" }, { JSON_END, "" },
	    { JSON_END, "" } } },
	{ "{\"model\":\"m\",\"stream\":true}", { { JSON_STRING,
	    "\"m\"" }, { JSON_TRUE, "true" }, { JSON_END, "" } } },
	{ "{\"mod\\u0065l\" : [1, {\"stream\":1} ] }", { { JSON_ARRAY,
	    "[1, {\"stream\":1} ]" }, { JSON_END, "" },
	    { JSON_END, "" } } },
	{ "{\"model\":1,\"\\u006dodel\":{} ,\"x\\u000ay\":null}",
	    { { JSON_OBJECT, "{}" }, { JSON_END, "" },
	    { JSON_NULL, "null" } } },
	{ "{\"Model\":1,\"model\\u0000\":2,\"mode\":3,\"\":4,"
	    "\"modell\":5,\"x\\ny\":-0}", { { JSON_END, "" },
	    { JSON_END, "" }, { JSON_NUMBER, "-0" } } },
	{ "{\"a\":{\"model\":1},\"b\":[{\"model\":2}]}", { { JSON_END,
	    "" }, { JSON_END, "" }, { JSON_END, "" } } }
};
static const char *const no_objects[] = {
	"", "[]", "1", "\"model\"", "null", "{\"model\":1", "{} {}",
	"{\"model\":1}x", "{\"model\":[}", "{\"model\":1,}", "[1"
};

static void
t_members(void)
{
	struct json_value v[3];
	const char *why;
	struct str s, cut;
	size_t i, k, at;

	for (i = 0; i < N(objects); i++) {
		s = exact(str_of(objects[i].text));
		T_OK(json_members(s, names, v, 3, &why, &at) == 0, "%s",
		    objects[i].text);
		for (k = 0; k < 3; k++)
			T_OK(v[k].type == objects[i].want[k].type &&
			    str_is(v[k].raw, objects[i].want[k].raw),
			    "%s: %s is %d %.*s", objects[i].text, names[k],
			    v[k].type, (int)v[k].raw.n, v[k].raw.p);
		for (cut = s; cut.n-- > 0;) {
			struct str t = exact(cut);

			T_OK(json_members(t, names, v, 3, NULL, NULL) == -1,
			    "%.*s", (int)cut.n, cut.p);
			release(t);
		}
		release(s);
	}
	for (i = 0; i < N(no_objects); i++) {
		why = NULL;
		at = 99;
		s = str_of(no_objects[i]);
		T_OK(json_members(s, names, v, 3, &why, &at) == -1, "%s",
		    no_objects[i]);
		T_OK(why != NULL && at <= s.n, "%s: %zu", no_objects[i], at);
	}
	T_OK(json_members(str_of(" [1]"), names, v, 0, &why, &at) == -1 &&
	    at == 1 && strstr(why, "object") != NULL, "%s", why);
}

static void
t_get(void)
{
	static const char text[] = "{\"error\":{\"message\":\"m\",\"code\":[1,"
	    "[2,{\"x\":3}]]},\"choices\":[{\"delta\":{}},7],"
	    "\"0\":{\"1\":\"z\"},\"\":{\"\":4},"
	    "\"d\\u0075p\":1,\"dup\":2,\"late\":[1}";
	static const struct {
		const char *path;
		enum json_type type;
		const char *raw;
	} row[] = {
		{ "error.message", JSON_STRING, "\"m\"" },
		{ "error.code", JSON_ARRAY, "[1,[2,{\"x\":3}]]" },
		{ "error.code.1.1.x", JSON_NUMBER, "3" },
		{ "error.code.01", JSON_ARRAY, "[2,{\"x\":3}]" },
		{ "choices.0.delta", JSON_OBJECT, "{}" },
		{ "choices.1", JSON_NUMBER, "7" },
		{ "0.1", JSON_STRING, "\"z\"" },
		{ "dup", JSON_NUMBER, "1" },
		{ "late.0", JSON_NUMBER, "1" }
	};
	static const char *const no[] = {
		"error.messag", "error.message.x", "error.code.2",
		"error.code.x", "error.code.-1", "error.code.1.1.y",
		"choices.0.delta.x", "choices.1.0", "1", "late",
		"late.1", "none", "", "choices.99999999999999999999",
		"Error.message"
	};
	struct json_value v;
	struct str s;
	size_t i;

	s = exact(str_of(text));
	for (i = 0; i < N(row); i++)
		T_OK(json_get(s, row[i].path, &v) == 0 &&
		    v.type == row[i].type && str_is(v.raw, row[i].raw),
		    "%s: %d %.*s", row[i].path, v.type, (int)v.raw.n, v.raw.p);
	for (i = 0; i < N(no); i++)
		T_OK(json_get(s, no[i], &v) == -1 && v.type == JSON_END,
		    "%s", no[i]);
	release(s);
	T_OK(json_get(str_of("[1]"), "", &v) == 0 && v.type == JSON_ARRAY &&
	    str_is(v.raw, "[1]"), "the empty path is the whole");
	T_OK(json_get(str_of("[1]"), "0", &v) == 0 && str_is(v.raw, "1"),
	    "top array");
	T_OK(json_get(str_of(""), "", &v) == -1, "nothing");
}

static const struct { struct str raw, want; } strings[] = {
	{ S("\"\""), S("") },
	{ S("\"abc\""), S("abc") },
	{ S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), S("\"\\/\b\f\n\r\t") },
	{ S("\"\\u0041\\u00e9\\u20AC\""), S("A\xc3\xa9\xe2\x82\xac") },
	{ S("\"\\u0000x\""), S("\0x") },
	{ S("\"\\u007f\\u0080\\u07ff\\u0800\\uffff\""),
	    S("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf") },
	{ S("\"\\ud83d\\ude00!\""), S("\xf0\x9f\x98\x80!") },
	{ S("\"\\uD800\\uDC00\\uDBFF\\uDFFF\""),
	    S("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf") },
	{ S("\"\\ud800\""), S("\xef\xbf\xbd") },
	{ S("\"\\udfff!\""), S("\xef\xbf\xbd!") },
	{ S("\"\\ud83dx\""), S("\xef\xbf\xbdx") },
	{ S("\"\\ud83d\\n\""), S("\xef\xbf\xbd\n") },
	{ S("\"\\ud83d\\u0041\""), S("\xef\xbf\xbd""A") },
	{ S("\"\\ud83d\\ud83d\\ude00\""),
	    S("\xef\xbf\xbd\xf0\x9f\x98\x80") },
	{ S("\"\\ude00\\ud83d\""), S("\xef\xbf\xbd\xef\xbf\xbd") },
	{ S("\"\xff\xc3\\n\x80\""), S("\xff\xc3\n\x80") },
	{ S("\"0123456789abcdef0123456789abcdef\\t0123456789\""),
	    S("0123456789abcdef0123456789abcdef\t0123456789") }
};
static const struct str no_strings[] = {
	S(""), S("\""), S("a"), S("1"), S("\"a"), S("a\""), S("\"\\\""),
	S("\"\\x\""), S("\"\\u12\""), S("\"\\u12g4\""), S("\"\\ud83d\\"),
	S("\"a\"b\""), S("\"a\nb\""), S("\"a\\\""), S("\"\\u004\"")
};

static void
t_strings(void)
{
	struct buf b;
	struct str s;
	size_t i, max;
	char t[64];

	for (i = 0; i < N(strings); i++) {
		s = exact(strings[i].raw);
		for (max = 1; max <= strings[i].want.n; max++) {
			buf_init(&b, max);
			buf_addc(&b, '<');
			T_OK(json_unescape(&b, s) == -1 && b.bad && b.len == 1,
			    "%s in %zu bytes", strings[i].raw.p, max);
			buf_free(&b);
		}
		buf_init(&b, max);
		buf_addc(&b, '<');
		T_OK(json_unescape(&b, s) == 0, "%s", strings[i].raw.p);
		buf_take(&b, 1);
		T_OK(str_eq(buf_str(&b), strings[i].want), "%s",
		    strings[i].raw.p);
		buf_free(&b);
		memcpy(t, strings[i].want.p, strings[i].want.n);
		t[strings[i].want.n] = '\0';
		T_OK(json_string_is(s, t) == (strlen(t) == strings[i].want.n),
		    "%s", strings[i].raw.p);
		t[strings[i].want.n] = 'x';
		t[strings[i].want.n + 1] = '\0';
		T_OK(!json_string_is(s, t), "%s", strings[i].raw.p);
		t[strings[i].want.n > 0 ? strings[i].want.n - 1 : 0] = '\0';
		T_OK(json_string_is(s, t) == (strings[i].want.n == 0), "%s",
		    strings[i].raw.p);
		release(s);
	}
	for (i = 0; i < N(no_strings); i++) {
		s = exact(no_strings[i]);
		buf_init(&b, 100);
		buf_addc(&b, '<');
		T_OK(json_unescape(&b, s) == -1 && b.len == 1 && !b.bad,
		    "%s", no_strings[i].p);
		T_OK(!json_string_is(s, "") && !json_string_is(s, "a"), "%s",
		    no_strings[i].p);
		buf_free(&b);
		release(s);
	}
	T_OK(json_string_is(str_of("\"mod\\u0065l\""), "model"), "escaped");
	T_OK(!json_string_is(str_of("\"mod\\u0065l\""), "modeL"), "escaped");
}

static const struct {
	const char *raw;
	int rc;
	uint64_t u;
	int drc;
	double d;
} numbers[] = {
	{ "0", 0, 0, 0, 0.0 }, { "-0", 0, 0, 0, 0.0 },
	{ "7", 0, 7, 0, 7.0 }, { "1.9", 0, 1, 0, 1.9 },
	{ "0.9", 0, 0, 0, 0.9 }, { "-1", -1, 0, 0, -1.0 },
	{ "-0.5", -1, 0, 0, -0.5 }, { "-0.0e5", 0, 0, 0, 0.0 },
	{ "1e3", 0, 1000, 0, 1000.0 }, { "1.5e3", 0, 1500, 0, 1500.0 },
	{ "1.2345e2", 0, 123, 0, 123.45 },
	{ "12345e-2", 0, 123, 0, 123.45 },
	{ "15e-1", 0, 1, 0, 1.5 }, { "15e-2", 0, 0, 0, 0.15 },
	{ "0.00012E+4", 0, 1, 0, 1.2 }, { "0e999", 0, 0, 0, 0.0 },
	{ "1e19", 0, UINT64_C(10000000000000000000), 0, 1e19 },
	{ "18446744073709551615", 0, UINT64_MAX, 0,
	    18446744073709551616.0 },
	{ "18446744073709551615.99", 0, UINT64_MAX, 0,
	    18446744073709551616.0 },
	{ "18446744073709551616", -1, 0, 0, 18446744073709551616.0 },
	{ "1.8446744073709551615e19", 0, UINT64_MAX, 0,
	    18446744073709551616.0 },
	{ "1e20", -1, 0, 0, 1e20 }, { "1e400", -1, 0, -1, 0.0 },
	{ "-1e400", -1, 0, -1, 0.0 }, { "1e-400", 0, 0, 0, 0.0 },
	{ "1e99999999999999999999999", -1, 0, -1, 0.0 },
	{ "1e-99999999999999999999999", 0, 0, 0, 0.0 },
	{ "0.1", 0, 0, 0, 0.1 }, { "1e-7", 0, 0, 0, 1e-7 },
	{ "", -1, 0, -1, 0.0 }, { "\"1\"", -1, 0, -1, 0.0 },
	{ "null", -1, 0, -1, 0.0 }, { "01", -1, 0, -1, 0.0 },
	{ "+1", -1, 0, -1, 0.0 }, { "1.", -1, 0, -1, 0.0 },
	{ ".5", -1, 0, -1, 0.0 }, { "1e", -1, 0, -1, 0.0 },
	{ "1 ", -1, 0, -1, 0.0 }, { " 1", -1, 0, -1, 0.0 },
	{ "0x10", -1, 0, -1, 0.0 }, { "-", -1, 0, -1, 0.0 },
	{ "inf", -1, 0, -1, 0.0 }, { "[1]", -1, 0, -1, 0.0 }
};

static void
t_numbers(void)
{
	static char t[2100];
	struct str s;
	size_t i;
	uint64_t u;
	double d;

	for (i = 0; i < N(numbers); i++) {
		s = exact(str_of(numbers[i].raw));
		u = 0;
		d = 0.0;
		T_OK(json_u64(s, &u) == numbers[i].rc && u == numbers[i].u,
		    "%s: %ju", numbers[i].raw, (uintmax_t)u);
		T_OK(json_double(s, &d) == numbers[i].drc &&
		    !(d < numbers[i].d) && !(d > numbers[i].d), "%s: %g",
		    numbers[i].raw, d);
		release(s);
	}
	/* A thousand zeros on one side or the other, taken back by e. */
	memset(t, '0', 2000);
	t[0] = '5';
	memcpy(t + 1001, "e-1000", 6);
	s = exact(str_n(t, 1007));
	T_OK(json_u64(s, &u) == 0 && u == 5, "%ju", (uintmax_t)u);
	T_OK(json_double(s, &d) == 0 && d > 4.9 && d < 5.1, "%g", d);
	release(s);
	memset(t, '0', 2000);
	t[1] = '.';
	memcpy(t + 1002, "5e1001", 6);
	s = exact(str_n(t, 1008));
	T_OK(json_u64(s, &u) == 0 && u == 5, "%ju", (uintmax_t)u);
	release(s);
}

static void
t_write(void)
{
	static const struct { struct str s, want; } row[] = {
		{ S(""), S("\"\"") },
		{ S("a b/c"), S("\"a b/c\"") },
		{ S("\"\\\b\f\n\r\t"), S("\"\\\"\\\\\\b\\f\\n\\r\\t\"") },
		{ S("\0\x01\x1f\x7f"), S("\"\\u0000\\u0001\\u001f\x7f\"") },
		{ S("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		    S("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"") },
		{ S("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"),
		    S("\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\"") },
#define BAD "\xef\xbf\xbd"
		{ S("\xff"), S("\"" BAD "\"") },
		{ S("a\x80z"), S("\"a" BAD "z\"") },
		{ S("\xc0\xaf"), S("\"" BAD BAD "\"") },
		{ S("\xc3"), S("\"" BAD "\"") },
		{ S("\xc3\n"), S("\"" BAD "\\n\"") },
		{ S("\xe2\x82"), S("\"" BAD "\"") },
		{ S("\xe2\x82x"), S("\"" BAD "x\"") },
		{ S("\xe0\x80\x80"), S("\"" BAD BAD BAD "\"") },
		{ S("\xed\xa0\x80"), S("\"" BAD BAD BAD "\"") },
		{ S("\xed\x9f\xbf\xee\x80\x80"), S("\"\xed\x9f\xbf\xee\x80\x80"
		    "\"") },
		{ S("\xf0\x8f\xbf\xbf"), S("\"" BAD BAD BAD BAD "\"") },
		{ S("\xf0\x9f\x98"), S("\"" BAD "\"") },
		{ S("\xf4\x8f\xbf\xbf"), S("\"\xf4\x8f\xbf\xbf\"") },
		{ S("\xf4\x90\x80\x80"), S("\"" BAD BAD BAD BAD "\"") },
		{ S("\xf5\x80"), S("\"" BAD BAD "\"") },
		{ S("0123456789abcdef0123456789abcdef\xc3\xa9\n0123456789abc"),
		    S("\"0123456789abcdef0123456789abcdef\xc3\xa9\\n0123456789"
		    "abc\"") }
	};
	struct buf b;
	struct str s;
	size_t i, max;

	for (i = 0; i < N(row); i++) {
		s = exact(row[i].s);
		for (max = 0; max < row[i].want.n; max++) {
			buf_init(&b, max);
			T_OK(json_write(&b, s) == -1 && b.bad, "row %zu", i);
			buf_free(&b);
		}
		buf_init(&b, max);
		T_OK(json_write(&b, s) == 0, "row %zu", i);
		T_OK(str_eq(buf_str(&b), row[i].want), "row %zu: %.*s", i,
		    (int)b.len, buf_str(&b).p);
		T_OK(valid(buf_str(&b)), "row %zu", i);
		buf_free(&b);
		release(s);
	}
}

static const struct {
	const char *text;
	int insert, count;
	const char *want;
} exchanges[] = {
	{ "{\"model\":\"a\"}", 0, 1, "{\"model\":\"N\"}" },
	{ " { \"model\" :\t\"a\" , \"x\":1.0 } \n", 1, 1,
	    " { \"model\" :\t\"N\" , \"x\":1.0 } \n" },
	{ "{\"model\":1,\"mod\\u0065l\":{\"model\":2},\"model\":[3]}",
	    0, 3,
	    "{\"model\":\"N\",\"mod\\u0065l\":\"N\",\"model\":\"N\"}" },
	{ "{\"a\":{\"model\":1},\"b\":[{\"model\":1}]}", 0, 0,
	    "{\"a\":{\"model\":1},\"b\":[{\"model\":1}]}" },
	{ "{\"a\":{\"model\":1}}", 1, 0,
	    "{\"model\":\"N\",\"a\":{\"model\":1}}" },
	{ " {\n\"a\":1}", 1, 0, " {\"model\":\"N\",\n\"a\":1}" },
	{ "{}", 0, 0, "{}" }, { "{}", 1, 0, "{\"model\":\"N\"}" },
	{ "{ }", 1, 0, "{\"model\":\"N\" }" },
	{ "{\"model\":null,\"a\":\"\xff\\u00e9\",\"model\":false}", 0,
	    2, "{\"model\":\"N\",\"a\":\"\xff\\u00e9\",\"model\":\"N\"}"
	    },
	{ "{\"a\":\"model\",\"Model\":1,\"models\":2}", 0, 0,
	    "{\"a\":\"model\",\"Model\":1,\"models\":2}" },
	{ "[]", 0, -1, "" }, { "[]", 1, -1, "" }, { "", 1, -1, "" },
	{ "\"model\"", 1, -1, "" }, { "{\"model\":1", 0, -1, "" },
	{ "{\"model\":1}}", 0, -1, "" }, { "{\"model\":}", 0, -1, "" },
	{ "{\"model\":1,\"x\":[1,]}", 0, -1, "" }
};

static void
t_replace(void)
{
	struct buf b;
	struct str s, cut;
	size_t i, max;

	for (i = 0; i < N(exchanges); i++) {
		s = exact(str_of(exchanges[i].text));
		max = strlen(exchanges[i].want) + 1;
		buf_init(&b, max);
		buf_addc(&b, '<');
		T_OK(json_replace(&b, s, "model", str_of("\"N\""),
		    exchanges[i].insert) == exchanges[i].count, "%s",
		    exchanges[i].text);
		T_OK(buf_str(&b).p[0] == '<', "%s", exchanges[i].text);
		buf_take(&b, 1);
		T_OK(str_is(buf_str(&b), exchanges[i].want), "%s: %.*s",
		    exchanges[i].text, (int)b.len, buf_str(&b).p);
		buf_free(&b);
		while (exchanges[i].count >= 0 && --max >= 1) {
			buf_init(&b, max);
			buf_addc(&b, '<');
			T_OK(json_replace(&b, s, "model", str_of("\"N\""),
			    exchanges[i].insert) == -1 && b.bad && b.len == 1,
			    "%s in %zu bytes", exchanges[i].text, max);
			buf_free(&b);
		}
		for (cut = s; cut.n-- > 0 && !valid(cut);) {
			struct str t = exact(cut);

			buf_init(&b, 1000);
			T_OK(json_replace(&b, t, "model", str_of("1"), 1) ==
			    -1 && b.len == 0 && !b.bad, "%.*s", (int)cut.n,
			    cut.p);
			buf_free(&b);
			release(t);
		}
		release(s);
	}
}

int
main(void)
{
	t_tokens();
	t_skip();
	t_comments();
	t_faults();
	t_members();
	t_get();
	t_strings();
	t_numbers();
	t_write();
	t_replace();
	return t_end();
}
