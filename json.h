#ifndef JSON_H
#define JSON_H

/*
 * JSON (RFC 8259) in the byte stream: a pull tokenizer over a slice, look-up
 * by path, escape and unescape, a small writer, and the exchange of single
 * values in place.  No tree; nothing that is not changed is re-encoded.
 * Pure; allocates only through buf.
 */

#include "base/buf.h"
#include "base/util.h"
#include "wire/json_scan.h"

enum json_type {
	JSON_ERROR = -1, JSON_END = 0,
	JSON_OBJECT, JSON_ARRAY,	/* '{', '[' seen */
	JSON_CLOSE,			/* '}' or ']' */
	JSON_STRING, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL
};

enum {
	JSON_COMMENTS = 1	/* line and block comments, trailing commas */
};

/* A place in a text.  Fields are the tokenizer's own but for those named. */
struct json {
	const char *p;
	size_t n, pos;
	unsigned flags;
	unsigned depth;		/* readable: open containers after a token */
	unsigned char state;
	struct str key;		/* readable: raw member name, in quotes-less,
				   still escaped form; p NULL in an array */
	struct str raw;		/* readable: raw text of the token; a string
				   with its quotes */
	const char *why;	/* after JSON_ERROR: what is wrong at pos */
	unsigned char kind[JSON_DEPTH_MAX];	/* set up to depth */
};

/* Starts at the beginning of text. */
void json_start(struct json *j, struct str text, unsigned flags);

/*
 * The next token; j->key and j->raw describe it.  JSON_END after the one
 * top value; anything but white space after it is JSON_ERROR, as is every
 * departure from the grammar, a control character in a string, depth above
 * JSON_DEPTH_MAX.  Bytes of 0x80 and above pass in strings unjudged (the
 * provider is the judge of its own text); a byte order mark is an error.
 */
enum json_type json_next(struct json *j);

/*
 * The token just returned opened a container: moves past its end, so that
 * j->raw is the whole raw value.  Other tokens: nothing.  0 or -1 (error).
 */
int json_skip(struct json *j);

/* A value found: its type and its raw text (containers whole). */
struct json_value {
	enum json_type type;
	struct str raw;
	unsigned count;		/* members of that name: json_members() */
};

/* 1 if text is one complete valid JSON value. */
int json_valid(struct str text, const char **why, size_t *at);

#define JSON_MEMBERS_MAX 16	/* names that json_members() takes */

/*
 * Looks up members of the top object of text in one pass over all of it:
 * names[i] -> vals[i] (type JSON_END if absent; the last of equal names
 * counts).  Member names are compared unescaped, so "mod\u0065l" is model.
 * Returns 0; -1 if text is not one valid JSON object, *why and *at say.
 */
int json_members(struct str text, const char *const names[],
    struct json_value vals[], size_t n, const char **why, size_t *at);

/*
 * The value at a path such as "error.message" or "choices.0.delta" in text.
 * Returns 0; -1 if it is absent (or text breaks before it is found).
 */
int json_get(struct str text, const char *path, struct json_value *v);

/*
 * Adds the text of a raw string (with quotes) to out, unescaped, as UTF-8.
 * A lone surrogate becomes U+FFFD; invalid UTF-8 passes as it is.  \u0000
 * becomes a NUL byte.  Returns 0; -1 if raw is no string or out is full.
 */
int json_unescape(struct buf *out, struct str raw);

/* 1 if the raw string (with quotes) means exactly s. */
int json_string_is(struct str raw, const char *s);

/* The same of the inside of a string, without quotes. */
int json_text_is(struct str text, struct str s);

/* Whole number >= 0 of a raw number; fractions are cut; -1 if none. */
int json_u64(struct str raw, uint64_t *out);

/* A raw number as a double; -1 if it is none. */
int json_double(struct str raw, double *out);

/*
 * Adds s as a string with quotes, escaped: ", \, control characters,
 * U+2028 and U+2029.  Invalid UTF-8 becomes U+FFFD, so that what is written
 * is always valid.
 */
int json_write(struct buf *out, struct str s);

/*
 * Adds text to out with the value of EVERY top-level member called name
 * replaced by raw, all other bytes untouched.  No such member: it is put in
 * as the first one if insert is set, else nothing changes.
 * Returns the number of values replaced; -1 if text is no object or out is
 * full.
 */
int json_replace(struct buf *out, struct str text, const char *name,
    struct str raw, int insert);

/* Line and column (from 1) of a position, for messages. */
void json_line(struct str text, size_t pos, unsigned *line, unsigned *column);

#endif
