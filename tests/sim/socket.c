/*
 * net/socket.h over the virtual network.  Errors, short reads and writes
 * and full buffers are what the peers and the seed make of it.
 */
#include "net/socket.h"

#include <errno.h>
#include <string.h>

#include "tests/sim/names.h"
#include "tests/sim/provider.h"
#include "tests/sim/wire.h"

#define AT_ONCE	15	/* percent: the peer acts before the call is over */

int
sock_listen(const struct dns_addr *a, uint16_t port)
{
	(void)a;
	(void)port;
	return fd_new(FD_LISTENER);
}

uint16_t
sock_port(int fd)
{
	(void)fd;
	return 1;
}

int
sock_accept(int listener, struct dns_addr *peer)
{
	struct wire *w;
	int fd;

	(void)listener;
	(void)peer;
	if (!wire_waiting())
		return SOCK_AGAIN;
	if ((fd = fd_new(FD_WIRE)) == -1)
		return SOCK_ERR;
	w = wire_accept();
	w->took = world.turns;
	w->took_at = world.now;
	fd_get(fd)->wire = w;
	world.moves++;
	return fd;
}

int
sock_connect(const struct dns_addr *a, uint16_t port, int *done)
{
	struct wire *w;
	int fd, err;

	(void)port;
	if ((fd = fd_new(FD_WIRE)) == -1)
		return -1;
	world.moves++;
	if ((err = provider_connect(a, &w)) != 0) {
		fd_free(fd);
		errno = err;
		return -1;
	}
	fd_get(fd)->wire = w;
	*done = w->connected;
	return fd;
}

int
sock_error(int fd)
{
	struct fd *f = fd_get(fd);

	return f == NULL ? EBADF : f->wire->err;
}

static long
failed(int err)
{
	errno = err;
	return SOCK_ERR;
}

/* Somebody moved: the peer may act, at times before we go on. */
static void
moved(struct wire *w)
{
	if (w->actor == NULL)
		return;
	actor_wake(w->actor);
	if (chance(AT_ONCE)) {
		w->actor->dirty = 0;
		if (!w->actor->gone)
			w->actor->step(w->actor->arg);
	}
}

static long
datagram_read(struct datagram *d, void *p, size_t n)
{
	if (d->has != 2)
		return failed(EAGAIN), SOCK_AGAIN;
	d->has = 0;
	world.moves++;
	if (d->n < n)
		n = d->n;
	memcpy(p, d->p, n);
	return n == 0 ? SOCK_EOF : (long)n;
}

static void
told(struct wire *w)
{
	if (w->told == 0)
		w->told = world.turns;
}

long
sock_read(int fd, void *p, size_t n)
{
	struct fd *f = fd_get(fd);
	struct wire *w;
	size_t k;

	if (f == NULL)
		return failed(EBADF);
	if (f->kind == FD_UDP)
		return datagram_read(f->udp, p, n);
	w = f->wire;
	k = n < w->in.len ? n : w->in.len;
	if (k > 0) {
		if (w->shy > 0 && chance(w->shy))
			k = 1 + dice((unsigned)k);
		memcpy(p, w->in.p + w->in.off, k);
		w->in.off += k;
		w->in.len -= k;
		world.moves += k;
		w->took = world.turns;
		w->took_at = world.now;
		moved(w);
		return (long)k;
	}
	if (w->err != 0) {
		told(w);
		return failed(w->err);
	}
	if (!w->in.fin)
		return failed(EAGAIN), SOCK_AGAIN;
	told(w);
	return SOCK_EOF;
}

/* How much of n the connection takes now; -1: nothing ever. */
static long
take(struct wire *w, size_t n)
{
	size_t room;

	if (w->err != 0 || w->out.fin) {
		/* Learnt by writing, and acted upon in the next turn. */
		if (w->told == 0 && w->err != 0)
			w->told = world.turns + 1;
		return failed(w->err != 0 ? w->err : EPIPE);
	}
	room = w->connected && w->out.window > w->out.len ?
	    w->out.window - w->out.len : 0;
	if (n > room)
		n = room;
	if (n == 0)
		return failed(EAGAIN), SOCK_AGAIN;
	if (w->shy > 0 && chance(w->shy))
		n = 1 + dice((unsigned)n);
	return (long)n;
}

long
sock_writev(int fd, const struct str *v, size_t n)
{
	struct fd *f = fd_get(fd);
	struct pipe *out;
	size_t i, k, all = 0;
	long r;

	if (f == NULL)
		return failed(EBADF);
	if (f->kind == FD_UDP) {
		names_ask(f->udp, v[0].p, v[0].n);
		return (long)v[0].n;
	}
	for (i = 0; i < n; i++)
		all += v[i].n;
	if (all == 0)
		return 0;
	if ((r = take(f->wire, all)) < 0)
		return r;
	out = &f->wire->out;
	for (i = 0, all = (size_t)r; i < n && all > 0; i++) {
		k = v[i].n < all ? v[i].n : all;
		if (f->wire->far_closed)
			out->total += k;
		else
			wire_put(out, v[i].p, k);
		all -= k;
	}
	if (f->wire->far_closed)
		f->wire->err = ECONNRESET;
	world.moves++;
	moved(f->wire);
	return r;
}

long
sock_write(int fd, const void *p, size_t n)
{
	struct str s = str_n(p, n);

	return sock_writev(fd, &s, 1);
}

int
sock_idle(int fd)
{
	struct fd *f = fd_get(fd);

	return f != NULL && !near_readable(f->wire);
}

int
sock_udp(const struct dns_addr *a, uint16_t port)
{
	struct fd *f;
	int fd;

	(void)port;
	if (a->len != 4) {
		errno = ENETUNREACH;
		return -1;
	}
	if ((fd = fd_new(FD_UDP)) == -1)
		return -1;
	f = fd_get(fd);
	f->udp = world_alloc(sizeof *f->udp);
	return fd;
}

const char *
sock_why(int err)
{
	return strerror(err);
}

void
sock_shutdown(int fd)
{
	struct fd *f = fd_get(fd);

	if (f == NULL || f->wire->out.fin)
		return;
	f->wire->out.fin = 1;
	world.moves++;
	actor_wake(f->wire->actor);
}

/* Unread input makes an abnormal end of it, as in any kernel. */
static void
wire_close(struct wire *w, int rst)
{
	w->near_closed = 1;
	w->out.fin = 1;
	if (rst || w->in.len > 0 || w->err != 0) {
		w->near_reset = 1;
		if (!w->far_closed)
			say("  the proxy resets %s%s", w->name, w->out.len > 0 ?
			    ", unread bytes are lost" : "");
		w->out.len = 0;
	} else
		say("  the proxy closes %s", w->name);
	actor_wake(w->actor);
}

void
sock_close(int fd, int rst)
{
	struct fd *f;

	if (fd < 0 || (f = fd_get(fd)) == NULL)
		return;
	if (f->kind == FD_WIRE)
		wire_close(f->wire, rst);
	if (f->kind == FD_UDP)
		f->udp->actor.gone = 1;
	world.moves++;
	fd_free(fd);
}

int
sock_random(void *p, size_t n)
{
	unsigned char *at = p;

	while (n-- > 0)
		*at++ = (unsigned char)dice(256);
	return 0;
}
