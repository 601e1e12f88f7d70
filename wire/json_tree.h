#ifndef WIRE_JSON_TREE_H
#define WIRE_JSON_TREE_H

/*
 * A JSON text as a tree of slices: nothing is copied, each node points into
 * the text, and lives in an arena.  For those who must look at a document
 * in another order than it is written in.  Pure.
 */

#include "base/arena.h"
#include "json.h"

struct node {
	enum json_type type;	/* JSON_OBJECT, JSON_ARRAY, JSON_STRING .. */
	struct str key;		/* raw name without quotes; p NULL if none */
	struct str raw;		/* the whole raw value; strings with quotes */
	struct node *next;	/* the next member or element */
	struct node *child;	/* the first one of a container */
};

/*
 * The tree of a text; NULL if it is not one valid JSON value (or deeper
 * than JSON_DEPTH_MAX), or out of memory (a->bad).
 */
struct node *tree_parse(struct arena *a, struct str text);

/*
 * The member of an object, the last of equal names; names are compared
 * unescaped.  NULL if it is absent, or n is NULL or no object.
 * tree_get() takes null for absent, tree_find() does not.
 */
struct node *tree_get(const struct node *n, const char *name);
struct node *tree_find(const struct node *n, const char *name);

/* The inside of a string, still escaped; p NULL if n is NULL or no string. */
struct str tree_text(const struct node *n);

/* tree_text(tree_get(n, name)) */
struct str tree_get_text(const struct node *n, const char *name);

/* The raw number, p NULL if the member is absent or no number. */
struct str tree_get_number(const struct node *n, const char *name);

/* 1 if the member is the literal true (or false: second function). */
int tree_is_true(const struct node *n, const char *name);
int tree_is_false(const struct node *n, const char *name);

/* 1 if the text of the string n means exactly s. */
int tree_is(const struct node *n, const char *s);

/* 1 if the name of the member n means exactly s. */
int tree_key_is(const struct node *n, const char *s);

#endif
