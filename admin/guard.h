#ifndef ADMIN_GUARD_H
#define ADMIN_GUARD_H

/*
 * Which callers are none: a web page of somebody else's, also one whose
 * name was made to point here (DNS rebinding).  Pure.
 */

#include "config.h"
#include "http.h"

/*
 * NULL if Host and Origin are such as docs/api.md wants them; else what is
 * wrong: 403.  api: the path is not one that people may follow a link to.
 */
const char *guard_judge(const struct config *c, const struct http_head *h,
    int api);

#endif
