#ifndef RELAY_CATALOG_H
#define RELAY_CATALOG_H

/*
 * The list of models that a client may ask for: the lists of all backends
 * that it may use, asked at once, merged, and filtered by what would really
 * be served (spec section 9, Models).  A backend's list is kept for a
 * minute.
 */

#include "base/buf.h"
#include "dialect/dialect.h"
#include "http.h"
#include "relay/target.h"
#include "relay/upstream.h"

struct catalog;

/* Who asks; all borrowed for as long as the catalog lives. */
struct catalog_ask {
	struct generation *gen;
	struct upstream_env *env;
	const struct config_access_key *key;	/* NULL: nobody is limited */
	const struct http_head *h;	/* for passthrough's credentials */
	enum dialect client;
	/* All lists that will come are there; may call catalog_free(). */
	void (*done)(void *arg);
	void *arg;
};

/*
 * 1 if the list has to be made here: unless one single enabled backend of
 * the client's API is all that the key may use, and the key names no models;
 * that one's answer passes untouched.
 */
int catalog_needed(const struct generation *gen,
    const struct config_access_key *key, enum dialect client);

/*
 * Asks for what is not known.  Calls done() later, never before it returns.
 * NULL: out of memory.
 */
struct catalog *catalog_start(const struct catalog_ask *ask);

/*
 * Adds the list in the client's shape, or of one model (name not empty) its
 * entry.  0; 1: no such model; -1: out of memory.
 */
int catalog_write(const struct catalog *c, struct str name, struct buf *out);

/* Gives up what still runs. */
void catalog_free(struct catalog *c);

#endif
