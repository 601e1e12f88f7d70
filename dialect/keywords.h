#ifndef DIALECT_KEYWORDS_H
#define DIALECT_KEYWORDS_H

/*
 * The keywords of a JSON Schema: found, merged, and brought together from
 * where $ref and allOf point to (translation.md 2.1, S-M).  Everything lives
 * in the arena of the work; when that has no room left its bad is set and
 * what comes out is incomplete.  Work is bounded whatever a schema refers
 * to: beyond the bounds a $ref counts as one that leads nowhere.  Pure.
 */

#include "base/arena.h"
#include "wire/json_tree.h"

enum keyword {
	KW_REF, KW_ALL_OF, KW_ANY_OF, KW_ONE_OF, KW_CONST, KW_ENUM, KW_TYPE,
	KW_FORMAT, KW_DESCRIPTION, KW_NULLABLE, KW_PROPERTIES, KW_REQUIRED,
	KW_ADDITIONAL, KW_ITEMS, KW_PREFIX_ITEMS, KW_MIN_ITEMS, KW_MAX_ITEMS,
	KW_MIN_LENGTH, KW_MAX_LENGTH, KW_PATTERN, KW_MINIMUM, KW_MAXIMUM,
	KW_ABOVE, KW_BELOW, KW_MIN_PROPERTIES, KW_MAX_PROPERTIES, KW_NOT,
	KW_SCHEMA,
	KW_COUNT
};

/*
 * What stands at each keyword, the last of equal names; NULL if absent.
 * null counts as absent, but not for const.
 */
struct keywords {
	const struct node *at[KW_COUNT];
};

/* Names in the order of their first coming, each once. */
struct keywords_set {
	struct keywords_entry **slots;
	size_t nslots, n;
	struct keywords_entry *head, **tail;
};

struct keywords_entry {
	struct keywords_entry *next, *chain;
	struct str name;		/* plain */
	const struct node *first;	/* that it came with */
	const struct node *node;	/* that counts */
	unsigned rank;
	unsigned used:1;		/* for the user */
};

#define KEYWORDS_OPEN_MAX 128		/* targets inside one another */

/* Owned by the caller; the fields are for this module but where said. */
struct keywords_work {
	struct arena *arena;
	const struct node *root;	/* where pointers start */
	const struct node *open[KEYWORDS_OPEN_MAX];	/* being expanded */
	unsigned nopen;			/* the user may lower it again */
	unsigned mark;			/* set by the user: the nopen at which
					   the schema in hand began */
	unsigned depth;
	size_t expanded, steps;
	struct keywords_set *all;	/* set by the user, or NULL: gets each
					   member of what is loaded */
	unsigned rank;
};

void keywords_start(struct keywords_work *w, struct arena *a,
    const struct node *root);

/* "$ref", "allOf", .. */
const char *keywords_name(enum keyword k);

/* The keyword that a plain name is; KW_COUNT: none. */
enum keyword keywords_of(struct str name);

/*
 * Puts a name (text) with its node into a set.  If it is there already, the
 * node takes the place of the former one only if the rank is the same.
 * Returns the entry; NULL when out of memory.
 */
struct keywords_entry *keywords_put(struct arena *a, struct keywords_set *s,
    struct str text, const struct node *n, unsigned rank);

/* The entry of a name (text); NULL. */
struct keywords_entry *keywords_seek(struct arena *a,
    const struct keywords_set *s, struct str text);

/* Puts all members of an object; nothing if n is NULL or none. */
void keywords_members(struct arena *a, struct keywords_set *s,
    const struct node *n, unsigned rank);

/* The keywords of a schema; none if n is NULL or no object. */
void keywords_load(struct keywords_work *w, struct keywords *k,
    const struct node *n);

/* Gives k what it lacks and lower has. */
void keywords_under(struct keywords *k, const struct keywords *lower);

/*
 * Takes the $ref out of k and puts what it points to under the rest ("#" and
 * "#/.." only).  A target that is being expanded: k becomes an object with
 * the description "Recursive reference to <last name>".
 * Returns 0; -1 if it leads nowhere: the rest of k is as it was.
 */
int keywords_follow(struct keywords_work *w, struct keywords *k);

/*
 * Takes the list at the keyword out of k and unites the properties of its
 * schemas (their $ref and allOf resolved) with those of k: existing names
 * win.  With all set, S-M: required united too, other keywords put under.
 */
void keywords_unite(struct keywords_work *w, struct keywords *k,
    enum keyword list, int all);

#endif
