#ifndef WIRE_JSON_SCAN_H
#define WIRE_JSON_SCAN_H

/*
 * The tokens of JSON (RFC 8259) in a text of n bytes.  Each scanner takes
 * the place of a token in *pos, moves it past the token and returns NULL;
 * or moves it to the fault and says what it is.  Pure.
 */

#include "base/util.h"

#define JSON_DEPTH_MAX 512	/* deeper nesting is a fault */

/* At the opening quote. */
const char *json_scan_string(const char *p, size_t n, size_t *pos);

/* At the backslash of an escape. */
const char *json_scan_escape(const char *p, size_t n, size_t *pos);

/* At '-' or a digit. */
const char *json_scan_number(const char *p, size_t n, size_t *pos);

/* At the first letter of word ("true", "false", "null"). */
const char *json_scan_word(const char *p, size_t n, size_t *pos,
    const char *word);

/*
 * Behind the '{' (object) or '[' of a container that stands `depth` deep:
 * moves past its end.  0; -1 with *pos unmoved if it is not strictly JSON:
 * the tokenizer then finds out where and why.
 */
int json_scan_rest(const char *p, size_t n, size_t *pos, int object,
    unsigned depth);

/* The place behind the digits at i, if there are any. */
size_t json_scan_digits(const char *p, size_t n, size_t i);

/*
 * Bytes of the well-formed UTF-8 sequence at p, n > 0 (Unicode, table 3-7);
 * if there is none, minus the number of bytes that one U+FFFD stands for.
 */
int json_scan_utf8(const char *p, size_t n);

/* Writes a code point as UTF-8; returns its bytes. */
size_t json_scan_put(char t[4], unsigned long c);

/* The code unit of the four hex digits at p; -1 if they are not there. */
long json_scan_unit(const char *p, size_t n);

/* The value of a hex digit, -1 if it is none. */
int json_scan_hex(char c);

#endif
