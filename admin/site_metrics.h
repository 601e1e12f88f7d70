#ifndef ADMIN_SITE_METRICS_H
#define ADMIN_SITE_METRICS_H

/* The metrics' listener: GET /metrics, and a hint at /. */

#include "admin/host.h"
#include "admin/web.h"

/* A web_site; arg: the struct admin_host. */
void site_metrics(void *arg, const struct web_ask *ask);

#endif
