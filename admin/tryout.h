#ifndef ADMIN_TRYOUT_H
#define ADMIN_TRYOUT_H

/*
 * "Test this backend": one call that costs nothing, GET of its list of
 * models, with its own credential.  Says whether it can be reached, whether
 * its key is good, and what it serves.  Health is not touched.
 */

#include "admin/host.h"
#include "admin/web.h"

#define TRYOUT_MAX	8	/* at a time; more are answered with 503 */
#define TRYOUT_MS	20000	/* for the whole call */

struct tryouts;

/* h is borrowed.  NULL: out of memory. */
struct tryouts *tryouts_new(const struct admin_host *h);

/* After web_close(): no answer is due any more. */
void tryouts_free(struct tryouts *t);

/* Tests the backend at a place of the config in service. */
void tryout_place(struct tryouts *t, struct web_request *r, size_t place);

/*
 * Tests the backend that a body is, which is in no config.  A masked token
 * means that of the backend in service of the same name.
 */
void tryout_body(struct tryouts *t, struct web_request *r, struct str body);

#endif
