#ifndef DIALECT_MODELS_H
#define DIALECT_MODELS_H

/*
 * Lists of models (translation.md 1 and 11): read from an answer of any API,
 * merged, written as another says it.  Pure.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/dialect.h"

#define MODELS_MAX	5000	/* of a list; further ones are left out */

struct model {
	struct model *next;
	struct str name;	/* plain: without "models/" */
	struct str title;	/* plain: display name; absent: none */
	struct str owner;	/* plain: absent: none */
	int64_t created;	/* seconds since 1970; 0: not known */
	uint64_t input_limit, output_limit;	/* tokens; 0: not known */
};

struct models {
	struct arena *arena;	/* borrowed */
	struct model *first;
	unsigned n;
};

/*
 * Adds the models of a list that an API answered with; of equal names the
 * first stays.  Returns how many were new; -1 if body is no such list.
 */
int models_read(struct models *m, enum dialect d, struct str body);

/* Adds one by name, as models_read() would.  1 if it was new. */
int models_add(struct models *m, struct str name, const char *owner);

/* Adds the whole list in an API's shape (one page: there is no next). */
int models_write(struct buf *out, const struct models *m, enum dialect d);

/* Adds one model, as GET .../models/NAME answers; -1 if it is not there. */
int models_write_one(struct buf *out, const struct models *m,
    enum dialect d, struct str name);

#endif
