#ifndef ADMIN_BODY_H
#define ADMIN_BODY_H

/* JSON bodies of requests, and objects inside a config's text. */

#include "admin/web.h"
#include "wire/json_tree.h"

#define BODY_MEMBERS	64	/* of the top object */

/*
 * The object that a request's body is, members each once.  NULL: it is
 * none, and the request was answered with 400.
 */
struct node *body_object(struct arena *a, struct web_request *r,
    struct str body);

/*
 * The same of a body that has just one member, of that name and type, which
 * is returned.
 */
struct node *body_member(struct arena *a, struct web_request *r,
    struct str body, const char *name, enum json_type type);

/* The plain text of a string node, in the arena; p NULL: it is none. */
struct str body_text(struct arena *a, const struct node *n);

/*
 * The raw value of a member of an object that may have comments in it, the
 * last of equal names; p NULL: it is absent, or text is no object.
 */
struct str body_raw(struct str object, struct str name);

#endif
