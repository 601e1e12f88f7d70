#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/scan.h"
#include "tests/t.h"

/* What the five runs mean, byte by byte. */

static int
ends(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

static size_t
slow_string(const unsigned char *p, size_t n, int ascii)
{
	size_t i;

	for (i = 0; i < n && !ends(p[i]) && !(ascii && p[i] >= 0x80); i++)
		;
	return i;
}

static size_t
slow_value(const unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && (p[i] >= 0x20 || p[i] == '\t') && p[i] != 0x7f;
	    i++)
		;
	return i;
}

static size_t
slow_pair(const char *p, size_t n, char a, char b)
{
	size_t i;

	for (i = 0; i + 1 < n; i++)
		if (p[i] == a && p[i + 1] == b)
			return i;
	return n;
}

static size_t
slow_line(const unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && p[i] != '\n' && p[i] != '\r'; i++)
		;
	return i;
}

static size_t
slow_quoted(const unsigned char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		if (!ends(p[i]))
			i++;
		else if (p[i] == '\\' && i + 1 < n &&
		    memchr("\"\\/bfnrt", p[i + 1], 8) != NULL)
			i += 2;
		else
			break;
	}
	return i;
}

/* Copies to the exact size, so that a sanitizer sees a read too far. */
static void
compare(const unsigned char *text, size_t n)
{
	char *p = malloc(n > 0 ? n : 1);
	const unsigned char *u = (const unsigned char *)p;

	if (p == NULL)
		exit(1);
	memcpy(p, text, n);
	T_OK(scan_string(p, n) == slow_string(u, n, 0), "string of %zu", n);
	T_OK(scan_ascii(p, n) == slow_string(u, n, 1), "ascii of %zu", n);
	T_OK(scan_value(p, n) == slow_value(u, n), "value of %zu", n);
	T_OK(scan_line(p, n) == slow_line(u, n), "line of %zu", n);
	T_OK(scan_pair(p, n, 'a', '"') == slow_pair(p, n, 'a', '"') &&
	    scan_pair(p, n, '"', '"') == slow_pair(p, n, '"', '"') &&
	    scan_pair(p, n, '\xff', 'a') == slow_pair(p, n, '\xff', 'a'),
	    "pair of %zu", n);
	T_OK(scan_quoted(p, n) == slow_quoted(u, n), "quoted of %zu", n);
	free(p);
}

static uint32_t
next(uint32_t *x)
{
	return *x = *x * 1664525u + 1013904223u;
}

/* Every byte at every place of a run; then dense random mixtures. */
int
main(void)
{
	static const char mix[] = "\\\\\\\"nu/x\tb\x7f\x80 \n\r0";
	unsigned char text[80];
	size_t n, at;
	uint32_t x = 1;
	unsigned c, k;

	for (c = 0; c < 256; c++)
		for (at = 0; at < 40; at++) {
			memset(text, 'a', sizeof text);
			text[at] = (unsigned char)c;
			compare(text, 40);
			text[at + 1] = '\\';
			compare(text, 42);
		}
	for (k = 0; k < 20000; k++) {
		n = (next(&x) >> 16) % sizeof text;
		for (at = 0; at < n; at++)
			text[at] = (next(&x) >> 20) % 8 == 0 ?
			    (unsigned char)mix[(next(&x) >> 16) %
			    (sizeof mix - 1)] : 'a';
		compare(text, n);
		for (at = 0; at < n; at++)
			text[at] = (unsigned char)mix[(next(&x) >> 16) % 6];
		compare(text, n);
	}
	return t_end();
}
