#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define S(s) { (s), sizeof(s) - 1 }
#define N(a) (sizeof(a) / sizeof *(a))
#define BIG 1000000

static uint64_t seed = 1;

/* A number below n. */
static size_t
below(size_t n)
{
	return (size_t)(util_random(&seed) % n);
}

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

/*
 * The grammar once more, in the plainest way (RFC 8259, section by
 * section): a function for each rule, given a place, returning the place
 * after it or NULL.
 */
static const char *ref_value(const char *, const char *, int);

static const char *
ref_space(const char *p, const char *e)
{
	while (p < e && strchr(" \t\n\r", *p) != NULL && *p != '\0')
		p++;
	return p;
}

static const char *
ref_digits(const char *p, const char *e)
{
	if (p == NULL || p == e || *p < '0' || *p > '9')
		return NULL;
	while (p < e && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static const char *
ref_number(const char *p, const char *e)
{
	if (*p == '-')
		p++;
	if (p < e && *p == '0')
		p++;
	else
		p = ref_digits(p, e);
	if (p != NULL && p < e && *p == '.')
		p = ref_digits(p + 1, e);
	if (p != NULL && p < e && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < e && (*p == '+' || *p == '-'))
			p++;
		p = ref_digits(p, e);
	}
	return p;
}

static const char *
ref_string(const char *p, const char *e)
{
	int i;

	for (p++; p < e && *p != '"'; p++) {
		if ((unsigned char)*p < ' ')
			return NULL;
		if (*p != '\\')
			continue;
		if (++p == e || *p == '\0' || !strchr("\"\\/bfnrtu", *p))
			return NULL;
		for (i = 0; *p == 'u' && i < 4; i++)
			if (p + i + 1 == e || p[i + 1] == '\0' ||
			    !strchr("0123456789abcdefABCDEF", p[i + 1]))
				return NULL;
		if (*p == 'u')
			p += 4;
	}
	return p < e ? p + 1 : NULL;
}

static const char *
ref_members(const char *p, const char *e, int depth)
{
	char end = *p == '{' ? '}' : ']';

	p = ref_space(p + 1, e);
	if (p < e && *p == end)
		return p + 1;
	for (;; p++) {
		p = ref_space(p, e);
		if (end == '}') {
			if (p == e || *p != '"' ||
			    (p = ref_string(p, e)) == NULL)
				return NULL;
			p = ref_space(p, e);
			if (p == e || *p++ != ':')
				return NULL;
		}
		if ((p = ref_value(ref_space(p, e), e, depth)) == NULL)
			return NULL;
		p = ref_space(p, e);
		if (p < e && *p == end)
			return p + 1;
		if (p == e || *p != ',')
			return NULL;
	}
}

static const char *
ref_value(const char *p, const char *e, int depth)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t i;

	if (p == e)
		return NULL;
	if (*p == '{' || *p == '[')
		return depth == JSON_DEPTH_MAX ? NULL :
		    ref_members(p, e, depth + 1);
	if (*p == '"')
		return ref_string(p, e);
	if (*p == '-' || (*p >= '0' && *p <= '9'))
		return ref_number(p, e);
	for (i = 0; i < 3; i++)
		if ((size_t)(e - p) >= strlen(words[i]) &&
		    memcmp(p, words[i], strlen(words[i])) == 0)
			return p + strlen(words[i]);
	return NULL;
}

static int
ref_valid(struct str s)
{
	const char *e = s.p + s.n, *p = ref_value(ref_space(s.p, e), e, 0);

	return p != NULL && ref_space(p, e) == e;
}

static const struct str good[] = {
	S("0"), S("-0"), S("-1"), S("10"), S("1.5"), S("-0.0"), S("0e1"),
	S("0E+1"), S("1e-2"), S("123.456e78"), S("1E22"), S("0.4e001"),
	S("123456789012345678901234567890"), S("1e99999"), S("1e-99999"),
	S("-0.000000000000000000000000000000000000000000000000001"),
	S("true"), S("false"), S("null"), S("\"\""), S("\"a\""), S(" \"\" "),
	S("\t\r\n 1 \t\r\n"), S("[]"), S("{}"), S("[ ]"), S("{ }"),
	S("[[]   ]"), S("[1]"), S("[1,2]"), S("[1\n, 2]"), S("[null,1,\"\"]"),
	S("[ 4]"), S("[true, false]"), S("[[[]]]"), S("[{},{}]"),
	S("{\"a\":1}"), S("{\"a\":1,\"a\":1}"), S("{\"a\":[],\"b\":{}}"),
	S("{\"\":0}"), S("{\n\"a\": \"b\"\n}"), S("{ \"a\" : 1 , \"b\":2 }"),
	S("{\"a\\u0000b\":1}"), S("{\"\\\"\":1}"),
	S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), S("\"\\u0000\""),
	S("\"\\uD83d\\uDe00\""), S("\"\\uABCD\\uabcd\""),
	S("\"\\ud800\""), S("\"\\udc00\""), S("\"\\udc00\\ud800\""),
	S("\"\\ud800\\n\""), S("\"\\ud800\\ud800\\udc00\""),
	S("\"\x7f\""), S("\"/\""), S("\"/* */ //\""), S("\"\xc3\xa9\""),
	S("\"\xf0\x9f\x98\x80\""), S("\"\xe2\x80\xa8\xe2\x80\xa9\""),
	S("\"\xff\""), S("\"\x80\x81\""), S("\"\xc0\xaf\""),
	S("\"\xed\xa0\x80\""), S("\"\xf8\x88\x80\x80\x80\""),
	S("\"\xef\xbb\xbf\""), S("\"\xc3\""),
	S("\"0123456 89abcde 0123456 89abcde 0123456 89abcde 0123456 \""),
	S("[\"0123456789abcdef\\n0123456789abcdef\\\"0123456789abcdef\"]")
};

static const struct str bad[] = {
	S(""), S(" "), S("\n"), S("\0"), S("1\0"), S("[1]\0"), S("[\0]"),
	S("\xef\xbb\xbf{}"), S("\xef\xbb\xbf"), S("\xfe\xff"), S("\xff"),
	S("-"), S("+1"), S(".5"), S("-.5"), S("1."), S("1.e1"), S("1.5e"),
	S("1e"), S("1e+"), S("1E-"), S("0e"), S("01"), S("-01"), S("00"),
	S("1.2.3"), S("1 2"), S("0x1"), S("1a"), S("1e1.5"), S("--1"),
	S("- 1"), S("1+2"), S("NaN"), S("nan"), S("Infinity"), S("-Infinity"),
	S("-inf"), S("1e\xe5"), S("\xef\xbc\x91"), S("1_000"), S("[-]"),
	S("[0,01]"), S("t"), S("tru"), S("truE"), S("True"), S("truee"),
	S("fals"), S("nul"), S("nulll"), S("undefined"), S("a"), S("'a'"),
	S("\""), S("\"a"), S("\"\\"), S("\"\\\""), S("\"\\\"a"), S("\"\"\""),
	S("\"\\a\""), S("\"\\x41\""), S("\"\\'\""), S("\"\\0\""),
	S("\"\\U0041\""), S("\"\\u\""), S("\"\\u1\""), S("\"\\u12\""),
	S("\"\\u123\""), S("\"\\u123g\""), S("\"\\u 123\""), S("\"\\u12"),
	S("\"\\ud83d\\u\""), S("\"\\ud83d\\u12\""), S("\"\\\xe5\""),
	S("\"\\\0\""), S("\"\\u00\x00""1\""),
	S("\"a\tb\""), S("\"a\nb\""), S("\"a\rb\""), S("\"\0\""),
	S("\"\x1f\""), S("\"0123456789abcdef0123456789abc\x01\""),
	S("["), S("]"), S("[1"), S("[1,"), S("[,"), S("[,]"), S("[,1]"),
	S("[1,]"), S("[1,,]"), S("[1,,2]"), S("[1 2]"), S("[\"a\" \"b\"]"),
	S("[1:2]"), S("[1}"), S("[1]]"), S("[][]"), S("[]1"), S("[1],"),
	S("[1;2]"), S("[[]"), S("[{]}"), S("(1)"), S("[\"\",]"),
	S("{"), S("}"), S("{\"a\""), S("{\"a\":"), S("{\"a\":1"),
	S("{\"a\":1,"), S("{\"a\":1,}"), S("{\"a\":1,,}"), S("{,}"),
	S("{,\"a\":1}"), S("{\"a\"}"), S("{\"a\":}"), S("{\"a\" 1}"),
	S("{\"a\"::1}"), S("{\"a\":1 \"b\":2}"), S("{\"a\",1}"),
	S("{\"a\":1]"), S("{\"a\":1}}"), S("{\"a\":1}{}"), S("{}x"),
	S("{a:1}"), S("{'a':1}"), S("{1:1}"), S("{null:1}"), S("{[]:1}"),
	S("{\"a\":1:2}"), S("{\"\\u00g0\":1}"), S("{\"a\n\":1}"),
	S("{\"a\":1}#"), S("{\"a\":1}//"), S("{\"a\":1}/**/"), S("//\n1"),
	S("/**/1"), S("[1/**/]"), S("[1,//\n2]"), S("[1\v]"), S("\f1"),
	S("[1\xc2\xa0]"), S("[1]\xe2\x80\xa8"), S("\xc2\x85""1")
};

static void
t_grammar(void)
{
	struct str cut;
	size_t i;

	for (i = 0; i < N(good); i++) {
		T_OK(valid(good[i]), "%s", good[i].p);
		T_OK(ref_valid(good[i]), "%s", good[i].p);
		for (cut = good[i]; cut.n-- > 0;)
			T_OK(valid(cut) == ref_valid(cut), "%.*s", (int)cut.n,
			    cut.p);
	}
	for (i = 0; i < N(bad); i++) {
		T_OK(!valid(bad[i]), "%s", bad[i].p);
		T_OK(!ref_valid(bad[i]), "%s", bad[i].p);
	}
	T_OK(!json_valid(str_n(NULL, 0), NULL, NULL), "no bytes at all");
}

/* One byte more or less at every place of a word of the string scanner. */
static void
t_blocks(void)
{
	static const char stop[] = "\"\\\n\x1f ~!#[]\x80\xff\xa2\xdc\x7f\x02";
	char t[100];
	size_t n, i, k;

	for (n = 2; n <= sizeof t; n++)
		for (i = 1; i < n - 1; i++)
			for (k = 0; k < sizeof stop; k++) {
				struct str s = str_n(t, n);

				memset(t, 'a', n);
				t[0] = t[n - 1] = '"';
				t[i] = stop[k];
				if (valid(s) == ref_valid(s))
					continue;
				T_OK(0, "size %zu, 0x%02x at %zu", n,
				    (unsigned)(unsigned char)stop[k], i);
			}
	T_OK(1, "blocks");
}

static struct str
nest(char *p, const char *head, const char *tail, size_t n)
{
	size_t i;

	*p = '\0';
	for (i = 0; i < n; i++)
		memcpy(p + i * strlen(head), head, strlen(head));
	p += n * strlen(head);
	for (i = 0; i < n; i++)
		memcpy(p + i * strlen(tail), tail, strlen(tail));
	return str_n(p - n * strlen(head), n * (strlen(head) + strlen(tail)));
}

static void
t_depth(void)
{
	char *p = malloc(BIG);
	const char *why = "";
	size_t at = 0;
	struct str s;

	if (p == NULL)
		exit(2);
	T_OK(valid(nest(p, "[", "]", JSON_DEPTH_MAX)), "arrays at the limit");
	s = nest(p, "[", "]", JSON_DEPTH_MAX + 1);
	T_OK(!json_valid(s, &why, &at), "arrays above the limit");
	T_OK(at == JSON_DEPTH_MAX && strstr(why, "deep") != NULL, "%zu %s", at,
	    why);
	s = nest(p, "{\"a\":", "}", JSON_DEPTH_MAX);
	T_OK(!valid(s), "innermost value is missing");
	s = nest(p, "{\"a\":[", "]}", JSON_DEPTH_MAX / 2);
	T_OK(valid(s), "both kinds at the limit");
	s = nest(p, "[{\"a\":", "}]", JSON_DEPTH_MAX / 2);
	T_OK(!valid(s), "innermost value is missing");
	T_OK(!valid(nest(p, "{\"a\":[", "]}", JSON_DEPTH_MAX / 2 + 1)),
	    "both kinds above the limit");
	T_OK(!valid(nest(p, "[{\"a\":", "", JSON_DEPTH_MAX / 2)), "open");
	T_OK(!valid(nest(p, "[", "", BIG)), "a million open arrays");
	T_OK(!valid(nest(p, "", "]", BIG)), "a million closed arrays");
	s = nest(p, "[],", "", BIG / 3);
	p[0] = '[';
	p[1] = '0';
	p[s.n - 1] = ']';
	T_OK(valid(s), "many side by side");
	free(p);
}

static const char *
any(const char *const words[], size_t n)
{
	return words[below(n)];
}

static void
add_space(struct buf *b)
{
	static const char *const words[] = { "", "", "", " ", "\n", "\t \r\n" };

	buf_adds(b, any(words, N(words)));
}

static void
add_value(struct buf *b, int depth)
{
	static const char *const words[] = { "null", "true", "-1.50e+07",
		"9007199254740993", "\"model\"", "\"\\\"model\\\":1\"",
		"\"\\\\\"", "\"}\"",
		"\"\\ud83d\\ude00 \xff long enough for some words\"",
		"\"\"", "0.10" };
	static const char *const names[] = { "\"model\"", "\"a\"", "\"\"" };
	size_t kind = below(depth < 4 ? 4 : 2), n = below(4);

	if (kind < 2) {
		buf_adds(b, any(words, N(words)));
		return;
	}
	buf_addc(b, kind == 2 ? '[' : '{');
	add_space(b);
	while (n-- > 0) {
		if (kind == 3) {
			buf_adds(b, any(names, N(names)));
			buf_addc(b, ':');
		}
		add_value(b, depth + 1);
		add_space(b);
		if (n > 0)
			buf_addc(b, ',');
	}
	buf_addc(b, kind == 2 ? ']' : '}');
}

/*
 * Writes a random object to in, and to want the same with each value of
 * model (and only those bytes) replaced; returns how many there are.
 */
static int
add_object(struct buf *in, struct buf *want, const char *new)
{
	static const char *const names[] = { "\"model\"", "\"mod\\u0065l\"",
		"\"\\u006D\\u006f\\u0064\\u0065\\u006C\"", "\"Model\"",
		"\"models\"", "\"mode\"", "\"\"", "\"model\\u0000\"",
		"\"messages\"", "\"model.x\"", "\"mod\\\\u0065l\"" };
	size_t n = below(6), k, mark;
	int count = 0;

	add_space(in);
	buf_addc(in, '{');
	add_space(in);
	buf_addstr(want, buf_str(in));
	while (n-- > 0) {
		mark = in->len;
		k = below(N(names));
		buf_adds(in, names[k]);
		add_space(in);
		buf_addc(in, ':');
		add_space(in);
		buf_add(want, buf_str(in).p + mark, in->len - mark);
		mark = in->len;
		add_value(in, 1);
		if (k < 3)
			buf_adds(want, new);
		else
			buf_add(want, buf_str(in).p + mark, in->len - mark);
		count += k < 3;
		mark = in->len;
		add_space(in);
		if (n > 0)
			buf_addc(in, ',');
		add_space(in);
		buf_add(want, buf_str(in).p + mark, in->len - mark);
	}
	mark = in->len;
	buf_addc(in, '}');
	add_space(in);
	buf_add(want, buf_str(in).p + mark, in->len - mark);
	return count;
}

/* Damages one place of a text. */
static void
damage(char *p, size_t *n)
{
	static const char bytes[] =
	    "{}[],:\"\\ \n0123456789-+.eEtrufalsn/*bu\x01\x80";
	size_t i = below(*n), k = below(*n);

	switch (below(4)) {
	case 0:
		memmove(p + i, p + i + 1, --*n - i);
		return;
	case 1:
		p[i] = p[k];
		return;
	default:
		p[i] = bytes[below(sizeof bytes)];
	}
}

/*
 * Random objects: the exchange hits what it should and nothing else; and
 * damaged ones are judged as the plain grammar judges them.
 */
static void
t_random(void)
{
	struct buf in, want, out;
	struct str s;
	int round, count, good_ones = 0;
	size_t n, i;
	char t[4000];

	buf_init(&in, BIG);
	buf_init(&want, BIG);
	buf_init(&out, BIG);
	for (round = 0; round < 20000; round++) {
		buf_clear(&in);
		buf_clear(&want);
		buf_clear(&out);
		count = add_object(&in, &want, round % 2 ? "\"new\"" : "");
		s = exact(buf_str(&in));
		if (json_replace(&out, s, "model", str_of(round % 2 ?
		    "\"new\"" : ""), 0) != count ||
		    !str_eq(buf_str(&out), buf_str(&want)))
			T_OK(0, "replace in %.*s", (int)s.n, s.p);
		n = s.n < sizeof t ? s.n : sizeof t;
		memcpy(t, s.p, n);
		release(s);
		for (i = 0; i < 4 && n > 0; i++) {
			damage(t, &n);
			good_ones += ref_valid(str_n(t, n));
			if (valid(str_n(t, n)) != ref_valid(str_n(t, n)))
				T_OK(0, "judgement of %.*s", (int)n, t);
		}
	}
	T_OK(good_ones > 1000, "only %d survived", good_ones);
	buf_free(&in);
	buf_free(&want);
	buf_free(&out);
}

int
main(void)
{
	t_grammar();
	t_blocks();
	t_depth();
	t_random();
	return t_end();
}
