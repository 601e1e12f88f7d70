#ifndef CONF_VALUE_H
#define CONF_VALUE_H

/*
 * Single values: from JSON tokens to checked numbers, choices and texts.
 * What is wrong goes to the faults; the caller goes on.
 */

#include "conf/fault.h"
#include "conf/keys.h"
#include "json.h"

/* A backend's name in the list of a route or an access key. */
struct conf_name {
	enum conf_kind of;		/* CONF_ROUTES or CONF_KEYS */
	unsigned index;			/* in the text */
	size_t owner;			/* in config.routes or access_keys */
	struct str name;		/* in the config's pool */
	size_t at;
};

/* What all parts of the parser share during one run. */
struct conf_read {
	struct config *c;		/* being filled */
	const struct config_env *env;	/* borrowed */
	struct conf_faults *faults, *notes;
	/* Places of values in the text, plus 1; by row; 0: not written. */
	size_t seen[CONF_KEYS_MAX];
	/* Owned, by kind of list: of each backend's and access key's name,
	   and of each route. */
	size_t *places[CONF_LISTS];
	struct conf_name *names;	/* owned */
	size_t nnames;
	unsigned index;			/* of the item that is being read */
	struct buf word, work;		/* scratch; wiped at the end */
	unsigned nomem:1;
};

/* A scalar.  What is meant depends on the key's kind. */
struct conf_value {
	unsigned null:1;
	double n;		/* numbers as written; switches: 0 or 1 */
	int choice;
	struct str s;		/* in the config's pool */
};

/* The key's path in messages: "backends[2].token". */
const char *conf_path(char at[CONF_PATH_MAX], const struct conf_read *r,
    const struct config_key *k);

/* The place of the token that j just returned. */
size_t conf_at(const struct json *j);

/* Notes a fault of the value at the token that j just returned. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
void conf_wrong(struct conf_read *r, const struct json *j,
    const struct config_key *k, const char *fmt, ...);

/*
 * 1 if the token is of that type; else 0 after a fault, and the token's
 * whole value is skipped (what breaks there shows at the next token).
 */
int conf_expect(struct conf_read *r, struct json *j, enum json_type t,
    enum json_type want, const struct config_key *k, const char *right);

/*
 * Reads a scalar value into v.  0; -1 after a fault (or with nomem set),
 * the value having been skipped.
 */
int conf_scalar(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k, struct conf_value *v);

/*
 * The text of the raw string in j->raw with ${NAME} put in, and, if secret
 * is set, a file's text for "@path"; in the config's pool.  Empty only if
 * may_be_empty is set.  0 or -1 as above.
 */
int conf_string(struct conf_read *r, const struct json *j,
    const struct config_key *k, int secret, int may_be_empty,
    struct str *out);

/*
 * The same, left in r->word, which is wiped in the end, and nowhere else.
 */
int conf_text(struct conf_read *r, const struct json *j,
    const struct config_key *k, int secret, int may_be_empty);

/* Room for one more of size bytes in an array of n; NULL: no memory. */
void *conf_grow(struct conf_read *r, void *list, size_t n, size_t size);

/*
 * The next item of a list or map that was opened: 1; at its end 0; -1 if
 * the text breaks.  n are there already; what is above max is skipped.
 */
int conf_next(struct conf_read *r, struct json *j, enum json_type *t,
    const struct config_key *k, size_t n, size_t max);

/* 1 if a word is "NNN" or "Nxx" with N from 3 to 5; then its bounds. */
int conf_statuses(struct str word, int *low, int *high);

/* 1 if that header field usually carries a secret. */
int conf_secret_field(struct str name);

#endif
