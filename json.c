#include "json.h"

#include <assert.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/scan.h"
#include "wire/json_scan.h"

/* Before the top value, in a container just opened, after a value. */
enum { S_TOP, S_OPEN, S_AFTER, S_BAD };

static int
is_space(char c)
{
	return (unsigned char)c <= ' ' &&
	    (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void
json_start(struct json *j, struct str text, unsigned flags)
{
	/* Not kind: a level is written when it is opened. */
	j->p = text.n == 0 ? "" : text.p;
	j->n = text.n;
	j->pos = 0;
	j->flags = flags;
	j->depth = 0;
	j->state = S_TOP;
	j->key = str_n(NULL, 0);
	j->raw = str_n(j->p, 0);
	j->why = NULL;
}

static enum json_type
fail(struct json *j, const char *why)
{
	j->state = S_BAD;
	j->why = j->pos < j->n ? why : "unexpected end";
	j->raw = str_n(j->p + j->pos, 0);
	return JSON_ERROR;
}

/* The same for a byte that has no business between two tokens. */
static enum json_type
fail_here(struct json *j, const char *why)
{
	const char *p = j->p + j->pos;
	size_t left = j->n - j->pos;

	if (j->pos == 0 && left >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		why = "a byte order mark";
	else if ((j->flags & JSON_COMMENTS) != 0 && left >= 2 &&
	    memcmp(p, "/*", 2) == 0)
		why = "a comment without an end";
	return fail(j, why);
}

/* At a slash: moves past a comment.  -1 if there is none or no end of it. */
static int
skip_comment(struct json *j)
{
	const char *p = j->p;
	size_t i = j->pos + 2, n = j->n;

	if (n - j->pos < 2)
		return -1;
	if (p[i - 1] == '/') {
		while (i < n && p[i] != '\n' && p[i] != '\r')
			i++;
		j->pos = i;
		return 0;
	}
	if (p[i - 1] != '*')
		return -1;
	for (; n - i >= 2; i++)
		if (p[i] == '*' && p[i + 1] == '/') {
			j->pos = i + 2;
			return 0;
		}
	return -1;
}

/* next_byte() where there is something to move past. */
static char
next_far(struct json *j)
{
	size_t i;

	do {
		for (i = j->pos; i < j->n && is_space(j->p[i]); i++)
			;
		j->pos = i;
		if (i == j->n)
			return '\0';
	} while (j->p[i] == '/' && (j->flags & JSON_COMMENTS) != 0 &&
	    skip_comment(j) == 0);
	return j->p[i];
}

/*
 * Moves to the next byte that counts.  That is NUL at the end, too.  Between
 * the tokens of an API's text it is nearly always the one at hand.
 */
static inline char
next_byte(struct json *j)
{
	char c = j->pos < j->n ? j->p[j->pos] : ' ';

	return (unsigned char)c > ' ' && c != '/' ? c : next_far(j);
}

/* 1 if the innermost open container is an object. */
static int
in_object(const struct json *j)
{
	return j->kind[j->depth - 1];
}

static enum json_type
open_container(struct json *j, int object)
{
	if (j->depth == JSON_DEPTH_MAX)
		return fail(j, "nested too deeply");
	j->kind[j->depth++] = (unsigned char)object;
	j->raw = str_n(j->p + j->pos++, 1);
	j->state = S_OPEN;
	return object ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_type
close_container(struct json *j)
{
	j->depth--;
	j->key = str_n(NULL, 0);
	j->raw = str_n(j->p + j->pos++, 1);
	j->state = S_AFTER;
	return JSON_CLOSE;
}

/* The token at pos, where a value has to be; c is its first byte. */
static enum json_type
value(struct json *j, char c)
{
	enum json_type type;
	const char *why;
	size_t start = j->pos;

	switch (c) {
	case '{':
		return open_container(j, 1);
	case '[':
		return open_container(j, 0);
	case '"':
		type = JSON_STRING;
		why = json_scan_string(j->p, j->n, &j->pos);
		break;
	case 't':
	case 'f':
	case 'n':
		type = c == 't' ? JSON_TRUE : c == 'f' ? JSON_FALSE : JSON_NULL;
		why = json_scan_word(j->p, j->n, &j->pos, c == 't' ? "true" :
		    c == 'f' ? "false" : "null");
		break;
	default:
		if (c != '-' && !is_digit(c))
			return fail_here(j, "a value is missing");
		type = JSON_NUMBER;
		why = json_scan_number(j->p, j->n, &j->pos);
	}
	if (why != NULL)
		return fail(j, why);
	j->raw = str_n(j->p + start, j->pos - start);
	j->state = S_AFTER;
	return type;
}

/* At the name of a member: the name, the colon and the value. */
static enum json_type
member(struct json *j, char c)
{
	const char *why;
	size_t start = j->pos;

	if (c != '"')
		return fail_here(j, "a member name is missing");
	if ((why = json_scan_string(j->p, j->n, &j->pos)) != NULL)
		return fail(j, why);
	j->key = str_n(j->p + start + 1, j->pos - start - 2);
	if (next_byte(j) != ':')
		return fail_here(j, "':' is missing after a member name");
	j->pos++;
	return value(j, next_byte(j));
}

enum json_type
json_next(struct json *j)
{
	int object;
	char c, end;

	if (j->state == S_BAD)
		return JSON_ERROR;
	c = next_byte(j);
	if (j->state == S_TOP)
		return value(j, c);
	j->key = str_n(NULL, 0);
	if (j->depth == 0) {
		if (j->pos < j->n)
			return fail_here(j, "text after the value");
		j->raw = str_n(j->p + j->pos, 0);
		return JSON_END;
	}
	object = in_object(j);
	end = object ? '}' : ']';
	if (j->state == S_AFTER && c != end) {
		if (c != ',')
			return fail_here(j, object ? "',' or '}' is missing" :
			    "',' or ']' is missing");
		j->pos++;
		c = next_byte(j);
		if (c == end && (j->flags & JSON_COMMENTS) == 0)
			return fail(j, "a comma before the end");
	}
	if (c == end)
		return close_container(j);
	return object ? member(j, c) : value(j, c);
}

int
json_skip(struct json *j)
{
	struct str key = j->key;
	const char *start = j->raw.p;
	unsigned depth = j->depth;

	if (j->state == S_BAD)
		return -1;
	if (j->state != S_OPEN)
		return 0;
	if ((j->flags & JSON_COMMENTS) == 0 && json_scan_rest(j->p, j->n,
	    &j->pos, *start == '{', depth) == 0) {
		j->depth--;
		j->state = S_AFTER;
		j->raw = str_n(start, (size_t)(j->p + j->pos - start));
		return 0;
	}
	do
		if (json_next(j) == JSON_ERROR)
			return -1;
	while (j->depth >= depth);
	j->key = key;
	j->raw = str_n(start, (size_t)(j->p + j->pos - start));
	return 0;
}

/* Hands over what stopped j.  Always -1. */
static int
told(const struct json *j, const char **why, size_t *at)
{
	if (why != NULL)
		*why = j->why;
	if (at != NULL)
		*at = j->pos;
	return -1;
}

int
json_valid(struct str text, const char **why, size_t *at)
{
	enum json_type t;
	struct json j;
	size_t end = 1;

	/* Mostly it is one object, from the first byte to the last. */
	if (text.n > 1 && *text.p == '{' && json_scan_rest(text.p, text.n,
	    &end, 1, 1) == 0 && end == text.n)
		return 1;
	json_start(&j, text, 0);
	do
		t = json_next(&j);
	while (t > JSON_END);
	if (t == JSON_END)
		return 1;
	told(&j, why, at);
	return 0;
}

/*
 * Reads the escape at s.p[*i], a backslash, moves *i past it and writes
 * what it means to t.  Returns the bytes written; 0 if it is no escape.
 */
static size_t
unescape(char t[4], struct str s, size_t *i)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p = s.p + *i, *hit;
	size_t left = s.n - *i;
	long u, low;

	if (left < 2)
		return 0;
	if (p[1] != 'u') {
		if ((hit = memchr(from, p[1], sizeof from - 1)) == NULL)
			return 0;
		t[0] = to[hit - from];
		*i += 2;
		return 1;
	}
	if ((u = json_scan_unit(p + 2, left - 2)) == -1)
		return 0;
	*i += 6;
	if (u < 0xd800 || u > 0xdfff)
		return json_scan_put(t, (unsigned long)u);
	if (u < 0xdc00 && left >= 12 && p[6] == '\\' && p[7] == 'u') {
		low = json_scan_unit(p + 8, left - 8);
		if (low >= 0xdc00 && low <= 0xdfff) {
			*i += 6;
			return json_scan_put(t, 0x10000UL + ((unsigned long)(u -
			    0xd800) << 10) + (unsigned long)(low - 0xdc00));
		}
	}
	return json_scan_put(t, 0xfffd);
}

int
json_text_is(struct str in, struct str s)
{
	char t[4];
	size_t i, k, n;

	if (in.n < s.n)
		return 0;		/* escapes only make it longer */
	if (in.n == s.n)
		return memcmp(in.p, s.p, s.n) == 0;
	for (i = 0; i < s.n && in.p[i] == s.p[i] && in.p[i] != '\\'; i++)
		;
	if (i == s.n || in.p[i] != '\\')
		return 0;
	for (k = i; i < in.n; k += n) {
		t[0] = in.p[i];
		n = 1;
		if (t[0] != '\\')
			i++;
		else if ((n = unescape(t, in, &i)) == 0)
			return 0;
		if (n > s.n - k || memcmp(s.p + k, t, n) != 0)
			return 0;
	}
	return k == s.n;
}

/* Goes to the first member of an object.  -1 and j->why if it is none. */
static int
enter_object(struct json *j, struct str text)
{
	enum json_type t;

	json_start(j, text, 0);
	t = json_next(j);
	if (t == JSON_OBJECT)
		return 0;
	if (t != JSON_ERROR) {
		j->pos = (size_t)(j->raw.p - j->p);
		fail(j, "an object is expected");
	}
	return -1;
}

/*
 * The next member of the top object, its value whole in j->raw.  JSON_END
 * once the object and with it the text is over.
 */
static enum json_type
next_member(struct json *j)
{
	enum json_type t = json_next(j);

	if (t == JSON_CLOSE)
		return json_next(j);
	return json_skip(j) == -1 ? JSON_ERROR : t;
}

int
json_members(struct str text, const char *const names[],
    struct json_value vals[], size_t n, const char **why, size_t *at)
{
	size_t length[JSON_MEMBERS_MAX], i;
	enum json_type t;
	struct json j;

	assert(n <= JSON_MEMBERS_MAX);
	for (i = 0; i < n; i++) {
		length[i] = strlen(names[i]);
		vals[i].type = JSON_END;
		vals[i].raw = str_n("", 0);
		vals[i].count = 0;
	}
	if (enter_object(&j, text) == -1)
		return told(&j, why, at);
	while ((t = next_member(&j)) > JSON_END)
		for (i = 0; i < n; i++)
			if (j.key.n >= length[i] &&
			    json_text_is(j.key, str_n(names[i], length[i]))) {
				vals[i].type = t;
				vals[i].raw = j.raw;
				vals[i].count++;
			}
	return t == JSON_END ? 0 : told(&j, why, at);
}

/*
 * In the container of type t that was just opened: moves to the child that
 * is named so.  Returns its type; JSON_ERROR if there is none.
 */
static enum json_type
find_child(struct json *j, enum json_type t, struct str name)
{
	enum json_type child;
	uint64_t want = 0, i;

	if (t != JSON_OBJECT && t != JSON_ARRAY)
		return JSON_ERROR;
	if (t == JSON_ARRAY && util_u64(name, SIZE_MAX, &want) == -1)
		return JSON_ERROR;
	for (i = 0;; i++) {
		child = json_next(j);
		if (child == JSON_CLOSE || child == JSON_ERROR)
			return JSON_ERROR;
		if (t == JSON_ARRAY ? i == want : json_text_is(j->key, name))
			return child;
		if (json_skip(j) == -1)
			return JSON_ERROR;
	}
}

int
json_get(struct str text, const char *path, struct json_value *v)
{
	enum json_type t;
	struct json j;
	size_t n;

	v->type = JSON_END;
	v->raw = str_n("", 0);
	json_start(&j, text, 0);
	t = json_next(&j);
	while (t != JSON_ERROR && *path != '\0') {
		n = strcspn(path, ".");
		t = find_child(&j, t, str_n(path, n));
		path += path[n] == '.' ? n + 1 : n;
	}
	if (t == JSON_ERROR || json_skip(&j) == -1)
		return -1;
	v->type = t;
	v->raw = j.raw;
	return 0;
}

/* Takes the quotes off; -1 if there are none. */
static int
inside(struct str raw, struct str *in)
{
	if (raw.n < 2 || raw.p[0] != '"' || raw.p[raw.n - 1] != '"')
		return -1;
	*in = str_n(raw.p + 1, raw.n - 2);
	return 0;
}

int
json_unescape(struct buf *out, struct str raw)
{
	struct str in;
	size_t i = 0, n, was = out->len;
	char t[4];

	if (inside(raw, &in) == -1)
		return -1;
	while (i < in.n) {
		n = scan_string(in.p + i, in.n - i);
		buf_add(out, in.p + i, n);
		if ((i += n) == in.n)
			break;
		if (in.p[i] != '\\' || (n = unescape(t, in, &i)) == 0)
			goto err0;
		buf_add(out, t, n);
	}
	if (out->bad)
		goto err0;
	return 0;
err0:
	buf_cut(out, was);
	return -1;
}

int
json_string_is(struct str raw, const char *s)
{
	struct str in;

	return inside(raw, &in) == 0 && json_text_is(in, str_of(s));
}

/* 1 if raw is one number and nothing else. */
static int
is_number(struct str raw)
{
	size_t pos = 0;

	return raw.n > 0 && json_scan_number(raw.p, raw.n, &pos) == NULL &&
	    pos == raw.n;
}

/* The exponent of a number, from its letter on; held within +-limit. */
static int64_t
exponent(struct str s, int64_t limit)
{
	int64_t e = 0;
	size_t i = 1;

	if (s.n == 0)
		return 0;
	if (s.p[i] == '+' || s.p[i] == '-')
		i++;
	for (; i < s.n; i++)
		if ((e = e * 10 + (s.p[i] - '0')) > limit)
			e = limit;
	return s.p[1] == '-' ? -e : e;
}

int
json_u64(struct str raw, uint64_t *out)
{
	int minus, any = 0;
	size_t i, end;
	int64_t whole;		/* digits in front of the true point */
	uint64_t v = 0;
	unsigned d;

	if (!is_number(raw))
		return -1;
	minus = raw.p[0] == '-';
	end = (size_t)minus;
	while (end < raw.n && raw.p[end] != 'e' && raw.p[end] != 'E')
		end++;
	i = json_scan_digits(raw.p, end, (size_t)minus);
	/* An exponent beyond the digits there are only shifts zeros. */
	whole = (int64_t)(i - (size_t)minus) + exponent(str_n(raw.p + end,
	    raw.n - end), (int64_t)raw.n + 100);
	for (i = (size_t)minus; i < end || (whole > 0 && v != 0); i++) {
		if (i < end && raw.p[i] == '.')
			continue;
		d = i < end ? (unsigned)(raw.p[i] - '0') : 0;
		any |= d != 0;
		if (whole-- <= 0)
			continue;
		if (v > UINT64_MAX / 10 || v * 10 > UINT64_MAX - d)
			return -1;
		v = v * 10 + d;
	}
	if (minus && any)
		return -1;
	*out = v;
	return 0;
}

/* strtod() reads JSON's numbers as long as nobody sets a locale. */
int
json_double(struct str raw, double *out)
{
	struct buf b;
	double d;
	int rc = -1;

	if (!is_number(raw))
		return -1;
	buf_init(&b, raw.n + 1);
	buf_addstr(&b, raw);
	if (buf_addc(&b, '\0') == 0) {
		d = strtod(buf_str(&b).p, NULL);
		if (d <= DBL_MAX && d >= -DBL_MAX) {
			*out = d;
			rc = 0;
		}
	}
	buf_free(&b);
	return rc;
}

static void
write_escape(struct buf *out, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *hit = memchr(from, c, sizeof from - 1);
	char t[7] = "\\u00";

	if (hit != NULL) {
		t[1] = to[hit - from];
		buf_add(out, t, 2);
		return;
	}
	util_hex(t + 4, &c, 1);
	buf_add(out, t, 6);
}

int
json_write(struct buf *out, struct str s)
{
	size_t i = 0, n;
	int len;

	buf_addc(out, '"');
	while (i < s.n) {
		n = scan_ascii(s.p + i, s.n - i);
		buf_add(out, s.p + i, n);
		if ((i += n) == s.n)
			break;
		len = json_scan_utf8(s.p + i, s.n - i);
		if (len == 1)
			write_escape(out, s.p[i]);
		else if (len < 0)
			buf_adds(out, "\xef\xbf\xbd");
		else if (len == 3 && memcmp(s.p + i, "\xe2\x80\xa8", 3) == 0)
			buf_adds(out, "\\u2028");
		else if (len == 3 && memcmp(s.p + i, "\xe2\x80\xa9", 3) == 0)
			buf_adds(out, "\\u2029");
		else
			buf_add(out, s.p + i, (size_t)len);
		i += (size_t)(len < 0 ? -len : len);
	}
	return buf_addc(out, '"');
}

int
json_replace(struct buf *out, struct str text, const char *name,
    struct str raw, int insert)
{
	struct str want = str_of(name);
	size_t done = 0, first, was = out->len;
	enum json_type t;
	struct json j;
	int count = 0, members = 0;

	if (enter_object(&j, text) == -1)
		return -1;
	first = j.pos;
	for (; (t = next_member(&j)) > JSON_END; members = 1) {
		if (!json_text_is(j.key, want))
			continue;
		buf_add(out, j.p + done, (size_t)(j.raw.p - j.p) - done);
		buf_addstr(out, raw);
		done = j.pos;
		count++;
	}
	if (insert && count == 0) {
		buf_add(out, j.p, first);
		json_write(out, want);
		buf_addc(out, ':');
		buf_addstr(out, raw);
		if (members)
			buf_addc(out, ',');
		done = first;
	}
	buf_add(out, j.p + done, j.n - done);
	if (t == JSON_END && !out->bad)
		return count;
	buf_cut(out, was);
	return -1;
}

void
json_line(struct str text, size_t pos, unsigned *line, unsigned *column)
{
	size_t i;

	*line = *column = 1;
	for (i = 0; i < pos && i < text.n; i++)
		if (text.p[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)text.p[i] & 0xc0) != 0x80) {
			++*column;
		}
}
