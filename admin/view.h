#ifndef ADMIN_VIEW_H
#define ADMIN_VIEW_H

/*
 * What the admin API shows, as JSON (docs/api.md): status, backends,
 * requests.  Reads what others keep; the time is given.  Secrets are masked.
 */

#include "admin/host.h"

#define VIEW_PAGE	50	/* requests on a page */
#define VIEW_PAGE_MAX	500

/* What is looked at, and when. */
struct view {
	const struct admin_host *h;	/* borrowed */
	uint64_t now;			/* ms, monotonic */
	uint64_t us;			/* loop_us() */
	int64_t wall;			/* ms since 1970 */
};

/* Looks at h at this moment. */
void view_now(struct view *v, const struct admin_host *h);

/* The status as an object; minutes: with those of the last hour. */
void view_status(struct buf *out, const struct view *v, int minutes);

/* The members of a backend, at a place of the config, without its braces. */
void view_backend(struct buf *out, const struct view *v, size_t place);

/* {"backends":[..]} */
void view_backends(struct buf *out, const struct view *v);

/* The members of a request, without its braces. */
void view_request(struct buf *out, const struct view *v,
    const struct stats_entry *e);

/* Which requests are wanted; "" and 0: any. */
struct view_filter {
	unsigned limit;			/* 1 to VIEW_PAGE_MAX */
	uint64_t before;		/* smaller numbers only */
	struct str status;		/* an outcome, "529", "5xx" */
	struct str backend, model, text;
};

/* 1 if the status of a filter is one that can be. */
int view_filter_status(struct str s);

/* 1 if the request is wanted. */
int view_wanted(const struct view_filter *f, const struct stats_entry *e);

/*
 * {"running":[..],"requests":[..],"more":..}: begin adds those in memory
 * (the running ones on the first page only), then older ones may be added
 * from the records, and end.
 */
struct view_page {
	struct buf *out;
	const struct view *v;
	const struct view_filter *f;
	uint64_t oldest;		/* number of those in memory; 0: none */
	unsigned n;			/* on the page */
	unsigned more:1;
};

void view_page_begin(struct view_page *p, struct buf *out,
    const struct view *v, const struct view_filter *f);

/* Adds one of the records, if it is wanted; 1: the page is full. */
int view_page_add(struct view_page *p, const struct stats_entry *e);

void view_page_end(struct view_page *p);

/*
 * The p-th percentile of a histogram in ms, as near as its buckets tell;
 * -1: nothing is in it.
 */
int64_t view_percentile(const struct stats_histogram *h, unsigned p);

#endif
