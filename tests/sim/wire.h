#ifndef TESTS_SIM_WIRE_H
#define TESTS_SIM_WIRE_H

/*
 * The virtual network: connections of two pipes each, seen by the proxy
 * through descriptors (the near side) and by scripted peers directly (the
 * far side).  Bytes arrive at once; time passes by what the peers do.
 */

#include "tests/sim/world.h"

/* One direction.  Bytes that were taken leave room for others. */
struct pipe {
	unsigned char *p;
	size_t off, len, cap;
	size_t window;		/* len never exceeds this */
	uint64_t total;		/* bytes that ever went in */
	int fin;		/* nothing more will come */
};

struct wire {
	unsigned id;		/* for the trace */
	char name[24];
	struct pipe in, out;	/* to the proxy, from it */
	int connected;
	int err;		/* what the near side is told next */
	int far_closed;		/* the peer is gone: writing resets */
	int near_closed;	/* the proxy has closed */
	int near_reset;		/* ... abnormally: out is lost */
	uint64_t told;		/* turn in which the proxy learned that the
				   peer ended, 0: not yet */
	uint64_t took, took_at;	/* turn, and ms, in which the proxy last took
				   something: bytes, or the connection */
	unsigned shy;		/* percent of calls that move less */
	struct actor *actor;	/* of the peer: acts when something moves */
	struct wire *queue;	/* next that waits to be accepted */
};

/* A descriptor of the proxy. */
enum { FD_FREE, FD_WIRE, FD_LISTENER, FD_UDP };
struct datagram {
	unsigned char p[1400];
	size_t n;
	int has;		/* a reply is there, or will be ... */
	struct actor actor;	/* ... when this one has acted */
};
struct fd {
	int kind;
	struct wire *wire;
	struct datagram *udp;
};
#define FD_FIRST	3
#define FD_MAX		2048

void wire_start(void);

/* A new connection; name for the trace. */
struct wire *wire_new(struct actor *a, const char *name, unsigned number);

/* Descriptors: -1 when there are too many; NULL: no such one. */
int fd_new(int kind);
struct fd *fd_get(int fd);
void fd_free(int fd);
unsigned fd_count(void);

/* How many may be open; 0: as many as there are. */
void fd_limit(unsigned most);

/* The listener's queue. */
void wire_offer(struct wire *w);
struct wire *wire_accept(void);
int wire_waiting(void);

/* ---- the far side ---- */

/* Sends; returns how much the window took. */
size_t far_send(struct wire *w, const void *p, size_t n);
/* Takes at most n bytes of what the proxy sent. */
size_t far_take(struct wire *w, void *p, size_t n);
void far_fin(struct wire *w);
/* Gone: what the proxy sends from now on is answered by a reset. */
void far_close(struct wire *w);
/* Reset, with what the proxy has not read yet lost if drop is set. */
void far_reset(struct wire *w, int drop);

/* ---- the near side ---- */

/* Puts bytes into a pipe as far as its window goes. */
size_t wire_put(struct pipe *p, const void *from, size_t n);

int near_readable(const struct wire *w);
int near_writable(const struct wire *w);
int near_hung(const struct wire *w);

#endif
