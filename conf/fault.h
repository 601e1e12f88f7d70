#ifndef CONF_FAULT_H
#define CONF_FAULT_H

/*
 * Collects what is wrong (or worth knowing) in a text, by place, and writes
 * it in the order of lines.
 */

#include <stdarg.h>

#include "base/buf.h"
#include "base/util.h"

#define CONF_FAULTS_MAX	50	/* kept; the rest is counted */
#define CONF_PATH_MAX	160	/* of a key path in messages, with its NUL */
#define CONF_SHOWN_MAX	72	/* of a foreign word in messages */

/* The place of something that is not in the file. */
#define CONF_NOWHERE	((size_t)-1)

struct conf_fault {
	size_t at;		/* offset in the text, or CONF_NOWHERE */
	size_t off, len;	/* of the words, in text */
};

struct conf_faults {
	struct str source;	/* borrowed: the file's text */
	const char *name;	/* borrowed: of the file */
	struct conf_fault list[CONF_FAULTS_MAX];
	unsigned n, more;
	struct buf text;
};

void conf_faults_init(struct conf_faults *f, struct str source,
    const char *name);
void conf_faults_free(struct conf_faults *f);

/*
 * Notes one: its place, its key path ("" : none), and its words.  Line ends
 * and other control characters must not stand in either.
 */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
void conf_fault(struct conf_faults *f, size_t at, const char *path,
    const char *fmt, ...);
void conf_vfault(struct conf_faults *f, size_t at, const char *path,
    const char *fmt, va_list ap);

/*
 * Adds "NAME:LINE: path: words\n" for each, by place; what has none comes
 * first, without name and line.
 */
void conf_faults_write(struct conf_faults *f, struct buf *out);

/*
 * A word from outside as messages may show it, in quotes: control and
 * other odd bytes as \xNN.  A long one may be a secret at the wrong place
 * and is not shown: its length is told instead.
 */
const char *conf_shown(char at[CONF_SHOWN_MAX], struct str word);

#endif
