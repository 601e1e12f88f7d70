#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

/*
 * Looks names up without blocking: literals, the hosts file, the cache,
 * else A and AAAA queries by UDP to the servers of resolv.conf.  Each
 * question has its own socket (random port) and random id.
 */

#include "net/dns.h"
#include "net/loop.h"

struct resolver;

/*
 * hosts and resolv_conf: paths, NULL: /etc/hosts and /etc/resolv.conf; read
 * again when they are 5 s old.  port: of the servers, 0: 53.
 */
struct resolver *resolver_new(struct loop *lp, const char *hosts,
    const char *resolv_conf, uint16_t port);
void resolver_free(struct resolver *r);

/* One who waits for a name; embedded.  Not waiting: list is NULL. */
struct resolve_wait {
	void (*done)(void *arg, const struct dns_answer *ans, const char *why,
	    uint64_t now);
	void *arg;
	struct resolve_query *query;	/* the resolver's own */
	struct resolve_wait *next;
};

/*
 * Asks for a name.  Returns 1 with *ans filled if the answer is at hand;
 * 0 if w->done will be called later, exactly once (ans->n is 0 with a
 * sentence in why if there is no address); -1 if it cannot be asked, with
 * *why set.  IPv4 addresses stand before IPv6 ones only if the host has no
 * IPv6 route; else AAAA first.  Equal questions share their packets.
 */
int resolve(struct resolver *r, struct resolve_wait *w, struct str name,
    struct dns_answer *ans, const char **why);

/* Stops waiting; harmless if it does not wait. */
void resolve_cancel(struct resolve_wait *w);

#endif
