#ifndef CONF_EDIT_H
#define CONF_EDIT_H

/*
 * Changes in the text of a config file: the backends are added, changed,
 * removed and put in order, and all that is not changed stays as it is, with
 * its comments, blanks, ${VARIABLES} and trailing commas.  Takes the object
 * form and auto-proxy's bare array.  Pure.
 *
 * Each adds the whole new text to out and returns 0; -1 with *why: a
 * sentence (static text).  A backend is told by its place in the list.
 */

#include "base/buf.h"
#include "base/util.h"

/*
 * The text of the backend at a place, as it stands there (with comments
 * inside); p NULL: no such place.
 */
struct str edit_backend(struct str text, size_t place);

/* The number of backends in the text; 0 if there is no list. */
size_t edit_count(struct str text);

/*
 * The texts of all backends, malloc'd, and how many in *n; NULL: there is no
 * list, or no memory.
 */
struct str *edit_list(struct str text, size_t *n);

/* Puts a backend (raw JSON object) in at a place; beyond the end: at it. */
int edit_add(struct buf *out, struct str text, size_t place,
    struct str backend, const char **why);

int edit_remove(struct buf *out, struct str text, size_t place,
    const char **why);

/*
 * Sets a member of a backend (value: raw JSON), added if it is not there;
 * value.p NULL: takes it out.  All members of that name are changed.
 */
int edit_set(struct buf *out, struct str text, size_t place,
    const char *name, struct str value, const char **why);

/*
 * order[i]: the present place of the one that is to stand at i; a
 * permutation of 0 .. n - 1.  Comments inside and directly before a backend
 * travel with it.
 */
int edit_order(struct buf *out, struct str text, const size_t *order,
    size_t n, const char **why);

#endif
