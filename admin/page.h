#ifndef ADMIN_PAGE_H
#define ADMIN_PAGE_H

/* The dashboard's page, which is part of the program. */

#include "base/util.h"

/*
 * The file of the page at a path without query: its content-type and its
 * bytes, which stay.  0; -1: there is none.
 */
int page_get(struct str path, struct str *type, struct str *body);

#endif
