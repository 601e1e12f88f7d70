#ifndef DIALECT_EMIT_H
#define DIALECT_EMIT_H

/*
 * JSON written piece by piece, with the commas where they belong.  The
 * caller closes what it opens; the names of members are texts, still
 * escaped, or C strings that need no escaping.
 */

#include "base/buf.h"

struct emit {
	struct buf *out;		/* borrowed */
	unsigned comma:1;		/* what comes next needs one */
};

static inline void
emit_start(struct emit *e, struct buf *out)
{
	e->out = out;
	e->comma = 0;
}

/* '{' or '[', behind a name or an element's comma. */
static inline void
emit_open(struct emit *e, char c)
{
	buf_addc(e->out, c);
	e->comma = 0;
}

static inline void
emit_close(struct emit *e, char c)
{
	buf_addc(e->out, c);
	e->comma = 1;
}

/* Before each element of an array. */
static inline void
emit_element(struct emit *e)
{
	if (e->comma)
		buf_addc(e->out, ',');
	e->comma = 1;
}

/* The name of a member; its value must follow. */
static inline void
emit_name(struct emit *e, struct str text)
{
	emit_element(e);
	buf_addc(e->out, '"');
	buf_addstr(e->out, text);
	buf_adds(e->out, "\":");
}

/* A member with a raw value. */
static inline void
emit_member(struct emit *e, const char *name, struct str raw)
{
	emit_name(e, str_of(name));
	buf_addstr(e->out, raw);
}

#endif
