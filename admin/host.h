#ifndef ADMIN_HOST_H
#define ADMIN_HOST_H

/*
 * What the rooms of admin/ see of the process: the live config, health,
 * figures, and the few things that they may do to it.  Filled by proxy.c,
 * borrowed by all.
 */

#include "base/buf.h"
#include "relay/client.h"

struct journal;

struct admin_host {
	struct loop *loop;
	struct client_env *clients;	/* gen, connections, ex.stats .. */
	struct failover *health;
	struct journal *journal;	/* NULL: none */
	const char *version;
	const char *file;		/* the config's; NULL: there is none */
	unsigned demo:1;
	uint16_t admin_port, metrics_port;	/* 0: off */
	/*
	 * Reads text as the config (messages call it `file`) and puts it in
	 * service.  0; -1: faults has lines "FILE:LINE: ...", nothing
	 * changed.
	 */
	int (*apply)(void *arg, struct str text, struct buf *faults);
	/* Reads the file again, as SIGHUP does.  As above. */
	int (*reload)(void *arg, struct buf *faults);
	/* Checks text as apply would, without putting it in service. */
	int (*check)(void *arg, struct str text, struct buf *faults);
	void *arg;
};

#endif
