#ifndef CONF_POOL_H
#define CONF_POOL_H

/*
 * The one place where the strings of a config live.  They are added, never
 * changed, and all overwritten before the memory is given back.
 */

#include "base/util.h"

struct config_pool;

/* An empty pool; NULL when out of memory. */
struct config_pool *conf_pool_new(void);

/*
 * A copy of s, NUL-terminated after its n bytes, that lives as long as the
 * pool.  p is NULL when out of memory.
 */
struct str conf_pool_add(struct config_pool *pool, struct str s);

/* Wipes every string and frees all; pool may be NULL. */
void conf_pool_free(struct config_pool *pool);

#endif
