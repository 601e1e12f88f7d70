#ifndef ADMIN_HOME_PAGE_H
#define ADMIN_HOME_PAGE_H

/*
 * The page of figures that the variables' form has at `/`: totals and the
 * last requests, as HTML that needs nothing else.  Pure but for the local
 * time zone, and the registered secrets, which are masked.
 */

#include "relay/stats.h"

#define HOME_ROWS	50	/* requests that are shown */

/* For whom it is. */
enum home_who {
	HOME_STRANGER,		/* sees figures, and may log in */
	HOME_KNOWN,		/* has logged in */
	HOME_OPEN		/* there is no key: everybody sees all */
};

/* What it shows; all borrowed. */
struct home_view {
	const struct stats *stats;
	enum home_who who;
	unsigned attempts;	/* of a request, at most */
	int64_t now_ms;		/* wall clock */
	const char *note;	/* what became of a log-in; "" */
	struct str dashboard;	/* its address, not for strangers; "" none */
};

/* Adds the page; out is bad when it did not fit. */
void home_page(struct buf *out, const struct home_view *v);

#endif
