#ifndef ADMIN_API_H
#define ADMIN_API_H

/*
 * The dashboard's listener: its page, and the API under /api/ that
 * docs/api.md describes.  Decides who may ask, and what; others do it.
 */

#include "admin/host.h"
#include "admin/web.h"

struct api;

/*
 * h is borrowed.  text: the config in service where h has no file (it is
 * copied); p NULL: there is none, and the backends cannot be changed.
 * NULL: out of memory.
 */
struct api *api_new(const struct admin_host *h, struct str text);

/* After web_close() of the server whose site it is. */
void api_free(struct api *a);

/* A web_site; arg: the struct api. */
void api_site(void *arg, const struct web_ask *ask);

#endif
