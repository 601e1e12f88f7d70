#ifndef ADMIN_SEARCH_H
#define ADMIN_SEARCH_H

/*
 * Pages of requests.  What is not in memory is looked for in the records:
 * one search after the other, each in pieces with pauses between them, so
 * that nobody else has to wait for it.
 */

#include "admin/host.h"
#include "admin/view.h"
#include "admin/web.h"

#define SEARCH_MAX	16	/* that wait for their turn */
#define SEARCH_PIECE	(256u << 10)	/* bytes of records at a time */
#define SEARCH_PAUSE_MS	2	/* between two pieces */

struct searches;

/* NULL: out of memory.  h is borrowed. */
struct searches *searches_new(const struct admin_host *h);
void searches_free(struct searches *all);

/* Answers with the page that f tells of, now or later; f is copied. */
void search_page(struct searches *all, struct web_request *r,
    const struct view_filter *f);

#endif
