#ifndef RELAY_TARGET_H
#define RELAY_TARGET_H

/*
 * One config made live: for each backend its health record, its idle
 * connections and what connecting to it needs.  A reload makes a new
 * generation; requests end under the one that they began with.
 */

#include "base/buf.h"
#include "config.h"
#include "failover.h"
#include "net/dns.h"
#include "net/loop.h"
#include "tls.h"

struct upstream;
struct resolver;

/* A backend as requests meet it. */
struct target {
	const struct config_backend *cfg;	/* of the generation's config */
	struct fo_backend *health;	/* a reference in the registry */
	struct tls_roots *roots;		/* a reference; NULL: http */
	struct tls_session session;
	struct upstream *idle;			/* owned: pooled connections */
	unsigned nidle;
	struct dns_addr good;		/* connected last; len 0: none */
	struct generation *gen;
	struct buf list;		/* owned: its list of models, as it
					   answered; empty: none came */
	uint64_t list_at;		/* ms: when it was asked; 0: never */
};

struct generation {
	struct config *cfg;			/* a reference */
	struct target *targets;			/* owned; one a backend */
	struct failover *registry;		/* borrowed: the process's */
	unsigned refs;
	unsigned retired:1;			/* a newer one is in service */
};

/*
 * Makes a generation with one reference; takes over the caller's reference
 * of cfg on success.  roots[i]: the anchors of backend i or NULL, referenced
 * anew.  NULL: out of memory.
 */
struct generation *generation_new(struct config *cfg,
    struct failover *registry, struct tls_roots *const *roots);

struct generation *generation_ref(struct generation *g);

/* Drops a reference; the last one closes idle connections and frees all. */
void generation_free(struct generation *g);

/* Takes it out of service: idle connections close now, none come back. */
void generation_retire(struct generation *g);

#endif
