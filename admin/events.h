#ifndef ADMIN_EVENTS_H
#define ADMIN_EVENTS_H

/*
 * What happens, as an event stream for those who look on: status, backends,
 * requests.  Costs nothing while nobody does.
 */

#include "admin/host.h"
#include "admin/web.h"

#define EVENTS_MAX	32	/* listeners; more are answered with 503 */
#define EVENTS_TICK_MS	250	/* at most four of a kind in a second */

struct events;

/* h is borrowed.  NULL: out of memory. */
struct events *events_new(const struct admin_host *h);

/* After web_close(): nobody listens any more. */
void events_free(struct events *e);

/* Answers with the stream; it begins with what is now. */
void events_join(struct events *e, struct web_request *r);

#endif
