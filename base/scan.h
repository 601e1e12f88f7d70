#ifndef BASE_SCAN_H
#define BASE_SCAN_H

/*
 * Runs of plain bytes, sixteen at a time where the machine can, eight
 * elsewhere.  Nearly all bytes of a request lie in such runs.
 */

#include <stddef.h>

/* Bytes at p before the first '"', '\' or control (below 0x20). */
size_t scan_string(const char *p, size_t n);

/*
 * The same, but goes on over the escapes of two bytes: it stops at a quote,
 * a control, an escape that is longer or none, or the end.
 */
size_t scan_quoted(const char *p, size_t n);

/* As scan_string(), but a byte of 0x80 or above ends it too. */
size_t scan_ascii(const char *p, size_t n);

/* Bytes at p before the first CR or LF. */
size_t scan_line(const char *p, size_t n);

/* Bytes at p before the first place where b follows a; n if there is none. */
size_t scan_pair(const char *p, size_t n, char a, char b);

/*
 * Bytes at p before the first that a field value may not hold: controls
 * but the tab, and 0x7f (RFC 9110 5.5).
 */
size_t scan_value(const char *p, size_t n);

#endif
