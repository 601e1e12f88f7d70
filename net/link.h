#ifndef NET_LINK_H
#define NET_LINK_H

/*
 * A connected socket, plain or TLS, as one stream of bytes in each
 * direction.  What the kernel or the engine does not take at once waits in
 * `out`.  The owner decides when to read: not reading is back-pressure.
 */

#include "base/buf.h"
#include "net/loop.h"
#include "tls.h"

struct link {
	int fd;			/* owned; -1: closed */
	int error;		/* errno of the first failure, or 0 */
	struct tls *tls;	/* owned or NULL */
	struct buf out;		/* plaintext not yet taken */
	unsigned eof:1;		/* the peer has ended its direction */
	unsigned failed:1;	/* the connection is broken */
	unsigned cut:1;		/* TLS ended without close_notify */
	unsigned out_failed:1;	/* nothing can be sent; reading may go on */
};

/* Takes the descriptor; out holds at most out_max bytes. */
void link_open(struct link *l, int fd, size_t out_max);

/* From now on through a TLS engine, whose ownership passes. */
void link_tls(struct link *l, struct tls *t);

/* Closes and frees what is held; rst: with an abnormal end. */
void link_close(struct link *l, int rst);

/* TLS: 1 when the handshake is done; plain: 1. */
int link_ready(const struct link *l);

/*
 * Moves handshake records.  0: go on waiting, or done (link_ready); -1:
 * failed, link_why() tells.
 */
int link_handshake(struct link *l);

/*
 * Reads up to max bytes to the end of dst.  Returns how many came; 0:
 * nothing now, or the end (eof), or failed.  A dst that is full or bad
 * counts as failed.
 */
size_t link_read(struct link *l, struct buf *dst, size_t max);

/* 1 if bytes wait in the engine that no event will announce. */
int link_has_more(const struct link *l);

/*
 * Sends the n runs of v in order, as much as the peer takes now, and
 * returns how many bytes that were.  Keeps nothing: the caller offers the
 * rest again.  Only with an empty out.
 */
size_t link_offer(struct link *l, const struct str *v, size_t n);

/*
 * The same, but the rest waits in out.  0; -1 if sending failed or out
 * would pass its maximum.
 */
int link_write(struct link *l, const struct str *v, size_t n);

/* Sends what waits.  0 or -1 (failed). */
int link_flush(struct link *l);

/* Bytes that wait, records not counted. */
size_t link_pending(const struct link *l);

/* 1 if something waits for the peer to take it. */
int link_wants_out(const struct link *l);

/* Starts a clean end of our direction: close_notify, if TLS. */
void link_bye(struct link *l);

/* Interest as loop bits; want: the owner wants to read. */
unsigned link_events(const struct link *l, int want);

/* Why it failed, a sentence. */
const char *link_why(const struct link *l);

#endif
