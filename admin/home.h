#ifndef ADMIN_HOME_H
#define ADMIN_HOME_H

/*
 * What is at `/` on the proxy's own port: a line that names the dashboard;
 * in the variables' form a page of figures (spec section 9, Forms), which
 * tells what was asked only to who has logged in with an access key.
 */

#include "admin/host.h"

struct home;

/* host is borrowed, its clock and config looked at when somebody asks. */
struct home *home_new(const struct admin_host *host);
void home_free(struct home *m);		/* NULL is fine */

/* The `home` of struct client_env; arg: a struct home. */
int home_answer(void *arg, const struct http_head *h, struct str body,
    struct buf *fields, struct buf *out);

#endif
