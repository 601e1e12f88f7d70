#ifndef ADMIN_METRICS_H
#define ADMIN_METRICS_H

/* The figures as Prometheus reads them (text format 0.0.4).  No I/O. */

#include "admin/host.h"

/*
 * Adds the whole exposition: every family of spec section 7 with HELP and
 * TYPE, labels escaped, also those that are 0 where their labels are known.
 */
int metrics_write(struct buf *out, const struct admin_host *h);

#endif
