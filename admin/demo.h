#ifndef ADMIN_DEMO_H
#define ADMIN_DEMO_H

/*
 * `--demo`: providers built into the binary, on loopback.  For each of the
 * three APIs one that always answers 529 and one that answers in a friendly
 * way, streaming if asked to.  No key, no network.
 */

#include "base/buf.h"
#include "net/loop.h"

struct demo;

/* Starts the providers on free ports.  NULL: no sockets or memory. */
struct demo *demo_start(struct loop *lp);
void demo_stop(struct demo *d);

/*
 * Adds the config (JSON) of a proxy on `port` in front of them, with its
 * dashboard and metrics.
 */
void demo_config(const struct demo *d, uint16_t port, uint16_t admin,
    uint16_t metrics, struct buf *out);

#endif
