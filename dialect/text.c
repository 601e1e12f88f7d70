#include "dialect/text.h"

#include "base/scan.h"
#include "json.h"
#include "wire/json_scan.h"

#define NO_LIMIT (SIZE_MAX / 2)	/* the arena has one */

static int
is_high(unsigned long c)
{
	return c >= 0xd800 && c <= 0xdbff;
}

static int
is_low(unsigned long c)
{
	return c >= 0xdc00 && c <= 0xdfff;
}

/*
 * Reads the escape at s.p[i], a backslash: what it means (a lone surrogate
 * as itself) and its bytes.  What is no escape stands for itself.
 */
static size_t
read_escape(struct str s, size_t i, unsigned long *c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p = s.p + i, *hit;
	size_t left = s.n - i;
	long u, low;

	*c = '\\';
	if (left < 2)
		return 1;
	if ((hit = memchr(from, p[1], sizeof from - 1)) != NULL) {
		*c = (unsigned char)to[hit - from];
		return 2;
	}
	if (p[1] != 'u' || (u = json_scan_unit(p + 2, left - 2)) == -1)
		return 1;
	*c = (unsigned long)u;
	if (!is_high(*c) || left < 12 || p[6] != '\\' || p[7] != 'u' ||
	    (low = json_scan_unit(p + 8, left - 8)) == -1 ||
	    !is_low((unsigned long)low))
		return 6;
	*c = 0x10000 + ((*c - 0xd800) << 10) + (unsigned long)low - 0xdc00;
	return 12;
}

/* The same for any character of a text; a byte that is none is U+FFFD. */
static size_t
read_point(struct str s, size_t i, unsigned long *c)
{
	static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	int len, k;

	if (s.p[i] == '\\')
		return read_escape(s, i, c);
	len = json_scan_utf8(s.p + i, s.n - i);
	if (len < 0) {
		*c = 0xfffd;
		return (size_t)-len;
	}
	*c = (unsigned char)s.p[i] & mask[len];
	for (k = 1; k < len; k++)
		*c = *c << 6 | ((unsigned char)s.p[i + (size_t)k] & 0x3f);
	return (size_t)len;
}

/*
 * What a text means.  A lone surrogate has no UTF-8: it is U+FFFD, or stays
 * escaped for those who read JSON out of the string (unless a backslash in
 * front of it would make another thing of it).
 */
static struct str
unescape(struct arena *a, struct str text, int keep)
{
	unsigned long c;
	size_t i = 0, n, len = 0;
	char *p;

	if (text.n == 0 || memchr(text.p, '\\', text.n) == NULL)
		return text;
	if ((p = arena_alloc(a, text.n)) == NULL)
		return str_n(NULL, 0);
	while (i < text.n) {
		n = scan_string(text.p + i, text.n - i);
		memcpy(p + len, text.p + i, n);
		len += n;
		if ((i += n) == text.n)
			break;
		if (text.p[i] != '\\') {
			p[len++] = text.p[i++];
			continue;
		}
		n = read_escape(text, i, &c);
		if ((is_high(c) || is_low(c)) && keep &&
		    (len == 0 || p[len - 1] != '\\')) {
			memcpy(p + len, text.p + i, n);
			len += n;
		} else {
			len += json_scan_put(p + len,
			    is_high(c) || is_low(c) ? 0xfffd : c);
		}
		i += n;
	}
	return str_n(p, len);
}

struct str
text_plain(struct arena *a, struct str text)
{
	return unescape(a, text, 0);
}

/* 1 if plain may stand between quotes as it is. */
static int
is_clean(struct str plain)
{
	size_t i = 0;
	int len;

	for (;; i += (size_t)len) {
		i += scan_ascii(plain.p + i, plain.n - i);
		if (i == plain.n)
			return 1;
		len = json_scan_utf8(plain.p + i, plain.n - i);
		if (len < 2)
			return 0;
	}
}

struct str
text_of(struct arena *a, struct str plain)
{
	struct buf b;
	struct str s;

	if (plain.n == 0 || is_clean(plain))
		return plain;
	buf_init(&b, NO_LIMIT);
	json_write(&b, plain);
	if (!b.bad) {
		buf_take(&b, 1);
		buf_cut(&b, b.len - 1);
	}
	s = arena_take(a, &b);
	buf_free(&b);
	return s;
}

/* White space and line ends of ECMA-262 12.2 and 12.3. */
static int
is_white(unsigned long c)
{
	if (c <= ' ')
		return c == ' ' || (c >= '\t' && c <= '\r');
	if (c < 0x1680)
		return c == 0xa0;
	return c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
	    c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000 ||
	    c == 0xfeff;
}

int
text_blank(struct str text)
{
	unsigned long c;
	size_t i = 0;

	while (i < text.n) {
		i += read_point(text, i, &c);
		if (!is_white(c))
			return 0;
	}
	return 1;
}

struct str
text_rtrim(struct str text)
{
	unsigned long c;
	size_t i = 0, end = 0;

	/* Forwards: backwards a backslash does not tell what it is. */
	while (i < text.n) {
		i += read_point(text, i, &c);
		if (!is_white(c))
			end = i;
	}
	return str_n(text.p, end);
}

int
text_add(struct buf *out, struct str text)
{
	const char *p = text.p, *end, *hit;

	if (text.n == 0)
		return out->bad ? -1 : 0;
	end = p + text.n;
	hit = p;
	while ((hit = memchr(hit, 0xe2, (size_t)(end - hit))) != NULL) {
		if (end - hit < 3 || hit[1] != '\x80' ||
		    (hit[2] != '\xa8' && hit[2] != '\xa9')) {
			hit++;
			continue;
		}
		buf_add(out, p, (size_t)(hit - p));
		buf_adds(out, hit[2] == '\xa8' ? "\\u2028" : "\\u2029");
		p = hit += 3;
	}
	return buf_add(out, p, (size_t)(end - p));
}

int
text_write(struct buf *out, struct str text)
{
	buf_addc(out, '"');
	text_add(out, text);
	return buf_addc(out, '"');
}

/* One character that has to be escaped, with so many backslashes. */
static void
put_escaped(struct buf *out, unsigned long c, int nest)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	static const char digits[] = "0123456789abcdef";
	const char *hit = memchr(from, (int)c, sizeof from - 1);
	char t[5] = "u";
	int i;

	buf_adds(out, nest ? "\\\\" : "\\");
	if (hit != NULL && c < 0x80) {
		t[0] = to[hit - from];
		if (nest && c <= '\\' && c >= '"')
			buf_addc(out, '\\');
		buf_addc(out, t[0]);
		return;
	}
	for (i = 4; i > 0; i--, c >>= 4)
		t[i] = digits[c & 15];
	buf_add(out, t, 5);
}

/* The inside of a string in canonical form. */
static void
put_string(struct buf *out, struct str s, int nest)
{
	unsigned long c;
	size_t i = 0, n;
	char t[4];

	while (i < s.n) {
		n = scan_string(s.p + i, s.n - i);
		buf_add(out, s.p + i, n);
		if ((i += n) == s.n)
			break;
		i += read_escape(s, i, &c);
		if (c < ' ' || c == '"' || c == '\\' || is_high(c) ||
		    is_low(c))
			put_escaped(out, c, nest);
		else
			buf_add(out, t, json_scan_put(t, c));
	}
}

static void
put_quoted(struct buf *out, struct str s, int nest)
{
	const char *quote = nest ? "\\\"" : "\"";

	buf_adds(out, quote);
	put_string(out, s, nest);
	buf_adds(out, quote);
}

/* The canonical form of a value; with nest as the text that means it. */
static int
put_value(struct buf *out, struct str value, int nest)
{
	struct json j;
	enum json_type t;
	size_t was = out->len;
	int comma = 0;

	json_start(&j, value, 0);
	while ((t = json_next(&j)) > JSON_END) {
		if (comma && t != JSON_CLOSE)
			buf_addc(out, ',');
		if (j.key.p != NULL) {
			put_quoted(out, j.key, nest);
			buf_addc(out, ':');
		}
		if (t == JSON_STRING)
			put_quoted(out, str_n(j.raw.p + 1, j.raw.n - 2), nest);
		else
			buf_addstr(out, j.raw);
		comma = t != JSON_OBJECT && t != JSON_ARRAY;
	}
	if (t == JSON_END && !out->bad)
		return 0;
	buf_cut(out, was);
	return -1;
}

int
text_canon(struct buf *out, struct str value)
{
	return put_value(out, value, 0);
}

int
text_nest(struct buf *out, struct str value)
{
	return put_value(out, value, 1);
}

/* Without the white space of JSON at both ends. */
static struct str
json_trim(struct str s)
{
	static const char white[] = " \t\n\r";

	while (s.n > 0 && memchr(white, *s.p, 4) != NULL)
		s = str_n(s.p + 1, s.n - 1);
	while (s.n > 0 && memchr(white, s.p[s.n - 1], 4) != NULL)
		s.n--;
	return s;
}

int
text_is_object(struct str plain)
{
	plain = json_trim(plain);
	return plain.n > 0 && *plain.p == '{' &&
	    json_valid(plain, NULL, NULL);
}

struct str
text_to_object(struct arena *a, struct str text, int *repaired)
{
	struct str plain;
	struct buf b;

	*repaired = 0;
	if (text_blank(text))
		return str_of("{}");
	plain = unescape(a, text, 1);
	if (plain.p == NULL || text_is_object(plain))
		return json_trim(plain);
	*repaired = 1;
	buf_init(&b, NO_LIMIT);
	buf_adds(&b, "{\"_raw\":\"");
	buf_addstr(&b, text);
	buf_adds(&b, "\"}");
	plain = arena_take(a, &b);
	buf_free(&b);
	return plain;
}

/* The raw string of an object whose only member is _raw. */
static int
only_raw(struct str object, struct str *raw)
{
	struct json j;

	json_start(&j, object, 0);
	if (json_next(&j) != JSON_OBJECT || json_next(&j) != JSON_STRING ||
	    !json_text_is(j.key, str_of("_raw")))
		return 0;
	*raw = str_n(j.raw.p + 1, j.raw.n - 2);
	return json_next(&j) == JSON_CLOSE && json_next(&j) == JSON_END;
}

struct str
text_from_object(struct arena *a, struct str object)
{
	struct str raw, plain;
	struct buf b;
	int rc;

	if (only_raw(object, &raw)) {
		plain = text_plain(a, raw);
		if (plain.p == NULL || !text_is_object(plain))
			return plain.p == NULL ? plain : raw;
	}
	buf_init(&b, NO_LIMIT);
	rc = text_nest(&b, object);
	plain = rc == 0 || b.bad ? arena_take(a, &b) : str_n(NULL, 0);
	buf_free(&b);
	return plain;
}

size_t
text_points(struct str text)
{
	unsigned long c;
	size_t i = 0, n = 0, end;

	while (i < text.n) {
		if (text.p[i] == '\\') {
			i += read_escape(text, i, &c);
			n++;
			continue;
		}
		end = i + scan_string(text.p + i, text.n - i);
		end += end == i;
		for (; i < end; i++)
			n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	}
	return n;
}

/* The six bits of a digit of either alphabet; -1 if it is none. */
static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

struct str
text_base64_decode(struct arena *a, struct str s)
{
	unsigned long bits = 0;
	size_t i, n = s.n, len = 0;
	char *p;
	int d;

	/* Where there is padding it has to fill up the last four. */
	while (n > 0 && s.n - n < 2 && s.p[n - 1] == '=')
		n--;
	if (n % 4 == 1 || (n != s.n && s.n % 4 != 0))
		return str_n(NULL, 0);
	if ((p = arena_alloc(a, n / 4 * 3 + 3)) == NULL)
		return str_n(NULL, 0);
	for (i = 0; i < n; i++) {
		if ((d = base64_digit(s.p[i])) == -1)
			return str_n(NULL, 0);
		bits = (bits << 6 | (unsigned long)d) & 0xffffff;
		if (i % 4 == 0)
			continue;
		p[len++] = (char)(bits >> (6 - i % 4 * 2) & 0xff);
	}
	return str_n(p, len);
}

static struct str
base64_encode(struct arena *a, struct str s, const char *last, int pad)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	unsigned long bits, d;
	size_t i, k, have, len = 0;
	char *p;

	if (s.n > SIZE_MAX / 2 || (p = arena_alloc(a, s.n / 3 * 4 + 4)) == NULL)
		return str_n(NULL, 0);
	for (i = 0; i < s.n; i += 3) {
		have = s.n - i < 3 ? s.n - i : 3;
		for (bits = 0, k = 0; k < 3; k++)
			bits = bits << 8 |
			    (k < have ? (unsigned char)s.p[i + k] : 0u);
		for (k = 0; k < 4; k++) {
			d = bits >> (18 - 6 * k) & 63;
			if (k <= have)
				p[len++] = d < 62 ? digits[d] : last[d - 62];
			else if (pad)
				p[len++] = '=';
		}
	}
	return str_n(p, len);
}

struct str
text_base64_encode(struct arena *a, struct str bytes)
{
	return base64_encode(a, bytes, "+/", 1);
}

struct str
text_base64_encode_url(struct arena *a, struct str bytes)
{
	return base64_encode(a, bytes, "-_", 0);
}

/* The digits of h, most significant first, and a NUL. */
static void
put_hex(char *out, uint64_t h, unsigned digits)
{
	unsigned i;

	for (i = digits; i > 0; i--, h >>= 4)
		out[i - 1] = "0123456789abcdef"[h & 15];
	out[digits] = '\0';
}

void
text_fnv32(char out[9], struct str s)
{
	uint32_t h = 0x811c9dc5u;
	size_t i;

	for (i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x01000193u;
	put_hex(out, h, 8);
}

void
text_fnv64(char out[17], struct str s)
{
	put_hex(out, util_hash(s.p, s.n), 16);
}
