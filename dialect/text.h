#ifndef DIALECT_TEXT_H
#define DIALECT_TEXT_H

/*
 * Strings on their way from one JSON text to another.  Two forms:
 *	text	the inside of a JSON string, still escaped: it may be written
 *		between quotes as it is
 *	plain	what it means, UTF-8
 * Pure.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/util.h"

/*
 * What a text means; the text itself if nothing in it is escaped.  A lone
 * surrogate becomes U+FFFD.
 */
struct str text_plain(struct arena *a, struct str text);

/*
 * The text of a plain string: text_plain() backwards.  Bytes that are no
 * UTF-8 become U+FFFD.
 */
struct str text_of(struct arena *a, struct str plain);

/* 1 if a text is empty, or only white space (as JavaScript's trim()). */
int text_blank(struct str text);

/* A text without the white space at its end. */
struct str text_rtrim(struct str text);

/*
 * Adds a text between quotes, with U+2028 and U+2029 escaped (clients that
 * split lines there exist); nothing else changes.
 */
int text_write(struct buf *out, struct str text);

/* The same without the quotes, for a string made of several texts. */
int text_add(struct buf *out, struct str text);

/*
 * Adds a raw JSON value in canonical form (translation.md J-3): no white
 * space; in strings only ", \, controls (\b \f \n \r \t, others \u00xx) and
 * lone surrogates (\udxxx) escaped, lower case; numbers and the order of
 * keys kept.  -1: value is no JSON, or out is full.
 */
int text_canon(struct buf *out, struct str value);

/*
 * Adds the TEXT of that canonical form: a JSON value made into what stands
 * between the quotes of a string that holds it.
 */
int text_nest(struct buf *out, struct str value);

/*
 * ARG-1: a text that should hold a JSON object, as the raw object: "{}" if
 * blank, {"_raw":"<the string>"} if it is none: *repaired says which (1, 0).
 */
struct str text_to_object(struct arena *a, struct str text, int *repaired);

/*
 * ARG-2: a raw object as the text of a string: if its only key is _raw and
 * holds a string that is no JSON object, that string; else text_nest().
 * p NULL if it is no JSON.
 */
struct str text_from_object(struct arena *a, struct str object);

/* 1 if the plain bytes are one complete JSON object. */
int text_is_object(struct str plain);

/* Code points of a text (an escaped pair of surrogates is one). */
size_t text_points(struct str text);

/*
 * Base64 (RFC 4648).  decode takes both alphabets, padding optional;
 * p NULL if s is none.  encode: standard with padding; encode_url: url-safe
 * without.
 */
struct str text_base64_decode(struct arena *a, struct str s);
struct str text_base64_encode(struct arena *a, struct str bytes);
struct str text_base64_encode_url(struct arena *a, struct str bytes);

/* FNV-1a of 32 and 64 bits, in lower-case hex (8, 16 digits) and a NUL. */
void text_fnv32(char out[9], struct str s);
void text_fnv64(char out[17], struct str s);

#endif
