/*
 * relay LISTEN UPSTREAM: the floor for a proxy in user space. It copies bytes
 * between 127.0.0.1:LISTEN and 127.0.0.1:UPSTREAM with poll(), one upstream
 * connection for each client, and looks at none of them.
 */
#include "bench/kit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_ENDS	16384	/* also the slots of the poll table */
#define CHUNK		65536

/* One of the two sockets of a pair; `held` is what it could not take yet. */
struct end {
	struct end *other;
	int slot;
	char *held;
	size_t off, len;
};

static struct pollfd slots[MAX_ENDS];	/* slot 0 is the listener */
static struct end *ends[MAX_ENDS];
static int used;
static char chunk[CHUNK];

static struct end *
end_new(int fd)
{
	struct end *e;

	if ((e = calloc(1, sizeof *e)) == NULL)
		kit_die("calloc");
	e->slot = used;
	ends[used] = e;
	slots[used].fd = fd;
	slots[used].events = POLLIN;
	slots[used].revents = 0;
	used++;
	return e;
}

/* The last slot moves into the free one, so that the table has no holes. */
static void
end_free(struct end *e)
{
	close(slots[e->slot].fd);
	used--;
	slots[e->slot] = slots[used];
	ends[e->slot] = ends[used];
	ends[e->slot]->slot = e->slot;
	free(e->held);
	free(e);
}

static void
pair_close(struct end *e)
{
	struct end *other = e->other;

	end_free(e);
	end_free(other);
}

static void
pair_open(int client, int upstream)
{
	struct end *a, *b;
	int fd;

	if (used + 2 > MAX_ENDS || (fd = kit_connect(upstream)) == -1) {
		close(client);
		return;
	}
	a = end_new(client);
	b = end_new(fd);
	a->other = b;
	b->other = a;
}

/* Sends all that the socket takes; the count, or -1 if it is broken. */
static ssize_t
end_send(struct end *e, const char *p, size_t n)
{
	ssize_t r;

	r = send(slots[e->slot].fd, p, n, MSG_NOSIGNAL);
	if (r == -1 && (errno == EAGAIN || errno == EINTR))
		r = 0;
	return r;
}

static void
end_readable(struct end *e)
{
	struct end *to = e->other;
	ssize_t got, put;

	got = recv(slots[e->slot].fd, chunk, sizeof chunk, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0 || (put = end_send(to, chunk, (size_t)got)) == -1) {
		pair_close(e);
		return;
	}
	if (put == got)
		return;
	to->len = (size_t)(got - put);
	to->off = 0;
	if ((to->held = malloc(to->len)) == NULL)
		kit_die("malloc");
	memcpy(to->held, chunk + put, to->len);
	/* The source rests until this is gone: nothing piles up. */
	slots[to->slot].events |= POLLOUT;
	slots[e->slot].events &= (short)~POLLIN;
}

static void
end_writable(struct end *e)
{
	ssize_t put;

	if ((put = end_send(e, e->held + e->off, e->len - e->off)) == -1) {
		pair_close(e);
		return;
	}
	e->off += (size_t)put;
	if (e->off < e->len)
		return;
	free(e->held);
	e->held = NULL;
	slots[e->slot].events &= (short)~POLLOUT;
	slots[e->other->slot].events |= POLLIN;
}

int
main(int argc, char **argv)
{
	int upstream, fd, i;

	if (argc != 3) {
		fputs("usage: relay LISTEN UPSTREAM\n", stderr);
		return 2;
	}
	upstream = (int)kit_number(argv[2], 1, 65535);
	signal(SIGPIPE, SIG_IGN);
	slots[0].fd = kit_listen((int)kit_number(argv[1], 1, 65535));
	slots[0].events = POLLIN;
	used = 1;
	for (;;) {
		if (poll(slots, (nfds_t)used, -1) == -1 && errno != EINTR)
			kit_die("poll");
		/*
		 * Downwards, because a close moves the last slot, which has
		 * had its turn, into the free one. It can leave fewer slots
		 * than i.
		 */
		for (i = used - 1; i > 0; i--) {
			short got;

			if (i >= used || (got = slots[i].revents) == 0)
				continue;
			slots[i].revents = 0;
			if ((got & POLLOUT) != 0)
				end_writable(ends[i]);
			else if ((slots[i].events & POLLIN) != 0)
				end_readable(ends[i]);
			else
				pair_close(ends[i]);	/* broken at rest */
		}
		if ((slots[0].revents & POLLIN) == 0)
			continue;
		while ((fd = kit_accept(slots[0].fd)) != -1)
			pair_open(fd, upstream);
	}
}
