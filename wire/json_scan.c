#include "wire/json_scan.h"

#include <string.h>

#include "base/scan.h"

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int
json_scan_hex(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

long
json_scan_unit(const char *p, size_t n)
{
	long u = 0;
	int d, i;

	if (n < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		if ((d = json_scan_hex(p[i])) == -1)
			return -1;
		u = u * 16 + d;
	}
	return u;
}

size_t
json_scan_put(char t[4], unsigned long c)
{
	static const unsigned char lead[] = { 0, 0xc0, 0xe0, 0xf0 };
	size_t more = (size_t)(c >= 0x80) + (c >= 0x800) + (c >= 0x10000), i;

	for (i = more; i > 0; i--, c >>= 6)
		t[i] = (char)(0x80 | (c & 0x3f));
	t[0] = (char)(lead[more] | c);
	return more + 1;
}

int
json_scan_utf8(const char *p, size_t n)
{
	unsigned char first = (unsigned char)*p, c, low = 0x80, high = 0xbf;
	int len, i;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return -1;
	len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first == 0xe0 || first == 0xf0)
		low = first == 0xe0 ? 0xa0 : 0x90;
	if (first == 0xed || first == 0xf4)
		high = first == 0xed ? 0x9f : 0x8f;
	for (i = 1; i < len; i++) {
		if ((size_t)i == n)
			return -i;
		c = (unsigned char)p[i];
		if (c < low || c > high)
			return -i;
		low = 0x80;
		high = 0xbf;
	}
	return len;
}

const char *
json_scan_escape(const char *p, size_t n, size_t *pos)
{
	size_t i = *pos + 1, end;

	*pos = i;
	switch (i < n ? p[i] : '\0') {
	case '"': case '\\': case '/': case 'b':
	case 'f': case 'n': case 'r': case 't':
		++*pos;
		return NULL;
	case 'u':
		break;
	default:
		return "unknown escape in a string";
	}
	for (i++, end = i + 4; i < end; i++)
		if (i == n || json_scan_hex(p[i]) == -1) {
			*pos = i;
			return "four hex digits must follow \\u";
		}
	*pos = end;
	return NULL;
}

const char *
json_scan_string(const char *p, size_t n, size_t *pos)
{
	const char *why = NULL;
	size_t i = *pos + 1;

	do
		i += scan_quoted(p + i, n - i);
	while (i < n && p[i] == '\\' &&
	    (why = json_scan_escape(p, n, &i)) == NULL);
	if (why == NULL && i == n)
		why = "string without an end";
	else if (why == NULL && p[i] == '"')
		i++;
	else if (why == NULL)
		why = "control character in a string";
	*pos = i;
	return why;
}

size_t
json_scan_digits(const char *p, size_t n, size_t i)
{
	while (i < n && is_digit(p[i]))
		i++;
	return i;
}

const char *
json_scan_number(const char *p, size_t n, size_t *pos)
{
	const char *why = NULL;
	size_t i = *pos, from;

	if (p[i] == '-')
		i++;
	from = i;
	i = json_scan_digits(p, n, i);
	if (i == from) {
		why = "a digit is missing in a number";
	} else if (p[from] == '0' && i > from + 1) {
		i = from;
		why = "a number with a leading zero";
	}
	if (why == NULL && i < n && p[i] == '.') {
		from = ++i;
		if ((i = json_scan_digits(p, n, i)) == from)
			why = "a digit is missing after the point";
	}
	if (why == NULL && i < n && (p[i] == 'e' || p[i] == 'E')) {
		i++;
		if (i < n && (p[i] == '+' || p[i] == '-'))
			i++;
		from = i;
		if ((i = json_scan_digits(p, n, i)) == from)
			why = "a digit is missing in an exponent";
	}
	*pos = i;
	return why;
}

const char *
json_scan_word(const char *p, size_t n, size_t *pos, const char *word)
{
	for (; *word != '\0'; ++*pos, word++)
		if (*pos == n || p[*pos] != *word)
			return "unknown word";
	return NULL;
}

static size_t
blanks(const char *p, size_t n, size_t i)
{
	while (i < n && (p[i] == ' ' || p[i] == '\n' || p[i] == '\r' ||
	    p[i] == '\t'))
		i++;
	return i;
}

/* A value that is no container.  The place behind it; 0: none is there. */
static size_t
scalar(const char *p, size_t n, size_t i)
{
	const char *why;

	switch (p[i]) {
	case '"':
		why = json_scan_string(p, n, &i);
		break;
	case 't':
		why = json_scan_word(p, n, &i, "true");
		break;
	case 'f':
		why = json_scan_word(p, n, &i, "false");
		break;
	case 'n':
		why = json_scan_word(p, n, &i, "null");
		break;
	default:
		if (p[i] != '-' && !is_digit(p[i]))
			return 0;
		why = json_scan_number(p, n, &i);
	}
	return why == NULL ? i : 0;
}

/* A member's name and colon.  The place of its value; 0: malformed. */
static size_t
name(const char *p, size_t n, size_t i)
{
	if (p[i] != '"' || json_scan_string(p, n, &i) != NULL)
		return 0;
	if (i < n && p[i] == ':')
		i++;			/* the usual case, without blanks */
	else if ((i = blanks(p, n, i)) == n || p[i++] != ':')
		return 0;
	i = blanks(p, n, i);
	return i < n ? i : 0;
}

int
json_scan_rest(const char *p, size_t n, size_t *pos, int object,
    unsigned depth)
{
	unsigned char objects[JSON_DEPTH_MAX + 1];
	unsigned base = depth;
	size_t i = blanks(p, n, *pos);
	int fresh = 1;		/* nothing stands in the container yet */

	objects[depth] = (unsigned char)object;
	while (i < n) {
		if (fresh && p[i] == (objects[depth] ? '}' : ']'))
			goto closed;
		if (objects[depth] && (i = name(p, n, i)) == 0)
			return -1;
		if (p[i] == '{' || p[i] == '[') {
			if (depth == JSON_DEPTH_MAX)
				return -1;
			objects[++depth] = p[i] == '{';
			i = blanks(p, n, i + 1);
			fresh = 1;
			continue;
		}
		if ((i = scalar(p, n, i)) == 0)
			return -1;
after:
		i = blanks(p, n, i);
		if (i < n && p[i] == ',') {
			i = blanks(p, n, i + 1);
			fresh = 0;
			continue;
		}
		if (i == n || p[i] != (objects[depth] ? '}' : ']'))
			return -1;
closed:
		i++;
		if (depth == base) {
			*pos = i;
			return 0;
		}
		depth--;
		goto after;
	}
	return -1;
}
