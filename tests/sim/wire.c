#include "tests/sim/wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct fd fds[FD_MAX];
static unsigned open_fds, most_fds, wires;
static struct wire *waiting;

void
wire_start(void)
{
	memset(fds, 0, sizeof fds);
	open_fds = most_fds = wires = 0;
	waiting = NULL;
}

struct wire *
wire_new(struct actor *a, const char *name, unsigned number)
{
	struct wire *w = world_alloc(sizeof *w);

	w->id = ++wires;
	snprintf(w->name, sizeof w->name, "%s%u/%u", name, number, w->id);
	w->actor = a;
	w->in.window = w->out.window = 65536;
	return w;
}

/* ---- descriptors ---- */

int
fd_new(int kind)
{
	int i;

	if (most_fds != 0 && open_fds >= most_fds) {
		errno = EMFILE;
		return -1;
	}
	for (i = FD_FIRST; i < FD_MAX; i++)
		if (fds[i].kind == FD_FREE) {
			fds[i].kind = kind;
			open_fds++;
			return i;
		}
	errno = EMFILE;
	return -1;
}

struct fd *
fd_get(int fd)
{
	if (fd < FD_FIRST || fd >= FD_MAX || fds[fd].kind == FD_FREE) {
		wrong("descriptor %d is not open", fd);
		return NULL;
	}
	return &fds[fd];
}

void
fd_free(int fd)
{
	memset(&fds[fd], 0, sizeof fds[fd]);
	open_fds--;
}

unsigned
fd_count(void)
{
	return open_fds;
}

void
fd_limit(unsigned most)
{
	most_fds = most == 0 ? 0 : open_fds + most;
}

/* ---- the listener ---- */

void
wire_offer(struct wire *w)
{
	struct wire **at = &waiting;

	while (*at != NULL)
		at = &(*at)->queue;
	*at = w;
}

struct wire *
wire_accept(void)
{
	struct wire *w = waiting;

	if (w != NULL)
		waiting = w->queue;
	return w;
}

int
wire_waiting(void)
{
	return waiting != NULL;
}

/* ---- pipes ---- */

size_t
wire_put(struct pipe *p, const void *from, size_t n)
{
	unsigned char *q;
	size_t room = p->window > p->len ? p->window - p->len : 0;

	if (n > room)
		n = room;
	if (p->off + p->len + n > p->cap) {
		if (p->len + n > p->cap / 2) {
			p->cap = 2 * (p->len + n) + 256;
			q = world_alloc(p->cap);
		} else
			q = p->p;
		if (p->len > 0)
			memmove(q, p->p + p->off, p->len);
		p->p = q;
		p->off = 0;
	}
	if (n > 0)
		memcpy(p->p + p->off + p->len, from, n);
	p->len += n;
	p->total += n;
	world.moves += n;
	return n;
}

size_t
far_send(struct wire *w, const void *p, size_t n)
{
	if (w->near_closed || w->in.fin || w->err != 0)
		return n;		/* into the void */
	return wire_put(&w->in, p, n);
}

size_t
far_take(struct wire *w, void *p, size_t n)
{
	if (n > w->out.len)
		n = w->out.len;
	if (n > 0)
		memcpy(p, w->out.p + w->out.off, n);
	w->out.off += n;
	w->out.len -= n;
	world.moves += n;
	return n;
}

void
far_fin(struct wire *w)
{
	w->in.fin = 1;
	world.moves++;
	say("  %s ends its direction", w->name);
}

void
far_close(struct wire *w)
{
	if (w->out.len > 0 && !w->near_closed) {
		far_reset(w, 0);	/* unread bytes: a reset at once */
		return;
	}
	w->in.fin = w->far_closed = 1;
	world.moves++;
	say("  %s closes", w->name);
}

void
far_reset(struct wire *w, int drop)
{
	w->far_closed = 1;
	if (w->err == 0)
		w->err = ECONNRESET;
	if (drop)
		w->in.len = 0;
	world.moves++;
	say("  %s resets%s", w->name, drop ? ", unread bytes are lost" : "");
}

/* ---- the near side ---- */

int
near_readable(const struct wire *w)
{
	return w->in.len > 0 || w->in.fin || w->err != 0;
}

int
near_writable(const struct wire *w)
{
	return (w->connected && w->out.len < w->out.window) || w->err != 0;
}

int
near_hung(const struct wire *w)
{
	return w->err != 0 || (w->in.fin && w->out.fin);
}
