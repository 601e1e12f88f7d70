/*
 * load [-a API] [-x] [-c CONNECTIONS] [-b BYTES] [-e EVENTS [-p]] [-r MS]
 *      [-w MS] [-t MS] [-P PID] PORT
 *
 * A closed loop of POST /v1/messages (of /v1/chat/completions with -a openai)
 * against 127.0.0.1:PORT: each of the connections sends its next request of
 * BYTES body bytes (2048) as soon as the last is answered. With -e it asks for
 * streams and expects EVENTS events in each. With -x the upstream speaks the
 * other API, so an answer is right if all pieces of its text came, or if it is
 * as long as the first. All connections are opened within -r (0), then comes
 * -w (300) of warm-up, then -t (1000) of measuring; -t 0 only waits until PORT
 * is open. -P names the proxy whose CPU and memory are looked up.
 *
 * Prints one line of ten columns:
 *	1  requests, or with -e events, per second
 *	2  their latency, median, us: from the first byte of a request to the
 *	   last of its answer; with -p, from the sending of each event to its
 *	   arrival
 *	3  the same, 99th percentile
 *	4  CPU of the proxy, us for each request or event
 *	5  its resident memory before the first request, KiB
 *	6  the most it had, KiB
 *	7  percent of the time in which it wanted to run and could not
 *	8  answers since the start
 *	9  how many of them were wrong, or never came
 *	10 percent of one core that the proxy used
 */
#include "bench/kit.h"
#include "bench/proc.h"
#include "bench/reply.h"
#include "bench/talk.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MILLI		1000000u	/* ns */
#define BATCH		256
#define CHUNK		65536
#define MAX_WRONG	1000		/* then it is not worth going on */

struct conn {
	struct load *load;
	int fd;
	size_t sent;
	uint64_t began;
	struct reply reply;
};

struct load {
	int port, conns, paced, epoll, opened;
	enum talk_api api;
	int crossed;		/* the upstream speaks the other API */
	const char *last;	/* line of a right stream */
	size_t size;		/* of a request's body */
	unsigned events;	/* in an answer; 0: plain answers */
	uint64_t ramp, warm, span;	/* ns */
	long pid;
	char *request, *body;
	size_t request_length;
	size_t body_length;	/* of a right answer */
	struct conn *conn;
	uint64_t now;		/* of the latest read */
	int measuring;
	unsigned long answered, wrong;
	unsigned long units;	/* requests or events while measuring */
	uint64_t *sample;	/* their latencies, ns */
	size_t samples, room;
	struct proc proc;
	struct proc_use idle, begin, end;
};

static void
add_sample(struct load *l, uint64_t ns)
{
	uint64_t *p;

	if (l->samples == l->room) {
		l->room = l->room == 0 ? 65536 : 2 * l->room;
		p = realloc(l->sample, l->room * sizeof *p);
		if (p == NULL)
			kit_die("realloc");
		l->sample = p;
	}
	l->sample[l->samples++] = ns;
}

static void
on_event(void *arg, uint64_t sent)
{
	struct load *l = arg;

	if (l->measuring && l->paced)
		add_sample(l, l->now > sent ? l->now - sent : 0);
}

static void
watch(struct conn *c, int how)
{
	struct epoll_event ev;

	memset(&ev, 0, sizeof ev);
	ev.events = EPOLLIN;
	if (c->sent < c->load->request_length)
		ev.events |= EPOLLOUT;
	ev.data.ptr = c;
	if (epoll_ctl(c->load->epoll, how, c->fd, &ev) == -1)
		kit_die("epoll_ctl");
}

/* Sends what the socket takes of the rest. An error shows at the next read. */
static void
conn_send(struct conn *c)
{
	struct load *l = c->load;
	ssize_t put;

	put = send(c->fd, l->request + c->sent, l->request_length - c->sent,
	    MSG_NOSIGNAL);
	if (put > 0)
		c->sent += (size_t)put;
}

static void
conn_begin(struct conn *c)
{
	struct load *l = c->load;

	reply_begin(&c->reply, l->body, l->body_length, l->last, on_event, l);
	c->sent = 0;
	c->began = kit_now();
	conn_send(c);
}

static void
conn_open(struct conn *c)
{
	if ((c->fd = kit_connect(c->load->port)) == -1)
		kit_die("connect");
	conn_begin(c);
	watch(c, EPOLL_CTL_ADD);
}

static void
conn_reopen(struct conn *c)
{
	close(c->fd);
	conn_open(c);
}

static int
is_right(const struct conn *c)
{
	struct load *l = c->load;
	const struct reply *r = &c->reply;

	if (l->crossed && l->events > 0)
		return r->status == 200 && r->complete &&
		    r->texts == talk_texts(l->api == TALK_OPENAI ?
		    TALK_ANTHROPIC : TALK_OPENAI, l->events);
	if (l->crossed && l->body_length == 0 && r->body > TALK_ANSWER / 2)
		l->body_length = r->body;
	return c->sent == l->request_length && r->status == 200 &&
	    r->body == l->body_length && r->events == l->events &&
	    (l->events == 0 || r->complete);
}

static void
conn_answered(struct conn *c)
{
	struct load *l = c->load;

	l->answered++;
	if (!is_right(c)) {
		l->wrong++;
		conn_reopen(c);
		return;
	}
	if (l->measuring && !l->paced)
		add_sample(l, l->now - c->began);
	if (l->measuring && l->events == 0)
		l->units++;
	if (c->reply.close) {
		conn_reopen(c);
		return;
	}
	conn_begin(c);
	if (c->sent < l->request_length)
		watch(c, EPOLL_CTL_MOD);
}

static void
conn_readable(struct conn *c)
{
	static char chunk[CHUNK];
	struct load *l = c->load;
	unsigned before = c->reply.events;
	ssize_t got;
	int r;

	got = recv(c->fd, chunk, sizeof chunk, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	l->now = kit_now();
	r = got <= 0 ? -1 : reply_take(&c->reply, chunk, (size_t)got);
	if (l->measuring && l->events > 0)
		l->units += c->reply.events - before;
	if (r == 1) {
		conn_answered(c);
	} else if (r == -1) {
		l->answered++;
		l->wrong++;
		conn_reopen(c);
	}
}

/* Opens those whose turn has come, evenly over the ramp. */
static void
open_some(struct load *l, uint64_t since)
{
	uint64_t due;

	while (l->opened < l->conns) {
		due = l->ramp * (uint64_t)l->opened / (uint64_t)l->conns;
		if (since < due)
			return;
		conn_open(&l->conn[l->opened++]);
	}
}

static void
turn(struct load *l, int ms)
{
	struct epoll_event ev[BATCH];
	struct conn *c;
	int i, n;

	n = epoll_wait(l->epoll, ev, BATCH, ms);
	for (i = 0; i < n; i++) {
		c = ev[i].data.ptr;
		if ((ev[i].events & EPOLLOUT) != 0) {
			conn_send(c);
			if (c->sent == l->request_length)
				watch(c, EPOLL_CTL_MOD);
		}
		if ((ev[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
			conn_readable(c);
	}
}

/* A request that saw no answer in all the measured time is a wrong one. */
static void
count_silent(struct load *l, uint64_t begin)
{
	int i;

	for (i = 0; i < l->opened; i++)
		if (l->conn[i].began < begin && l->conn[i].reply.status == 0)
			l->wrong++;
}

/* The whole run; returns the measured time in ns. */
static uint64_t
drive(struct load *l)
{
	uint64_t start = kit_now(), since, begin = 0;

	do {
		since = kit_now() - start;
		open_some(l, since);
		if (!l->measuring && since >= l->ramp + l->warm) {
			proc_find(&l->proc, l->pid);
			proc_read(&l->proc, &l->begin);
			begin = kit_now();
			l->measuring = 1;
		}
		turn(l, l->opened < l->conns ? 1 : 10);
	} while (l->wrong < MAX_WRONG &&
	    (!l->measuring || kit_now() - begin < l->span));
	l->measuring = 0;
	since = kit_now() - begin;
	proc_read(&l->proc, &l->end);
	count_silent(l, begin);
	return begin == 0 ? 0 : since;
}

static int
by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double
percentile(const struct load *l, double q)
{
	if (l->samples == 0)
		return 0;
	return (double)l->sample[(size_t)(q * (double)(l->samples - 1))] / 1e3;
}

static void
print(struct load *l, uint64_t took)
{
	double ns = took == 0 ? 1 : (double)took;
	double cpu = (double)(l->end.cpu - l->begin.cpu);

	if (l->samples > 0)
		qsort(l->sample, l->samples, sizeof *l->sample, by_size);
	printf("%.1f %.2f %.2f %.3f %ld %ld %.1f %lu %lu %.1f\n",
	    (double)l->units * 1e9 / ns, percentile(l, 0.50),
	    percentile(l, 0.99),
	    l->units == 0 ? 0 : cpu / 1e3 / (double)l->units,
	    l->idle.rss, l->end.peak,
	    (double)(l->end.wait - l->begin.wait) * 100 / ns,
	    l->answered, l->wrong, cpu * 100 / ns);
}

static uint64_t
milliseconds(const char *text)
{
	return MILLI * (uint64_t)kit_number(text, 0, 60000);
}

/* Options into l; -1: usage. */
static int
options(struct load *l, int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "a:xc:b:e:pr:w:t:P:")) != -1) {
		if (opt == 'a')
			l->api = talk_api(optarg);
		else if (opt == 'x')
			l->crossed = 1;
		else if (opt == 'c')
			l->conns = (int)kit_number(optarg, 1, 10000);
		else if (opt == 'b')
			l->size = (size_t)kit_number(optarg, 1024, 4 << 20);
		else if (opt == 'e')
			l->events = (unsigned)kit_number(optarg,
			    TALK_MIN_EVENTS, 1000000);
		else if (opt == 'p')
			l->paced = 1;
		else if (opt == 'r')
			l->ramp = milliseconds(optarg);
		else if (opt == 'w')
			l->warm = milliseconds(optarg);
		else if (opt == 't')
			l->span = milliseconds(optarg);
		else if (opt == 'P')
			l->pid = kit_number(optarg, 0, 1L << 30);
		else
			return -1;
	}
	if (optind + 1 != argc || (l->paced && l->events == 0))
		return -1;
	l->port = (int)kit_number(argv[optind], 1, 65535);
	return 0;
}

static void
prepare(struct load *l)
{
	struct talk_stream talk;
	int i;

	if ((l->epoll = epoll_create1(0)) == -1)
		kit_die("epoll_create1");
	if ((l->conn = calloc((size_t)l->conns, sizeof *l->conn)) == NULL)
		kit_die("calloc");
	for (i = 0; i < l->conns; i++)
		l->conn[i].load = l;
	l->request = talk_request(l->api, l->port, l->size, l->events > 0,
	    &l->request_length);
	talk_stream_init(&talk, l->api);
	if (l->events > 0) {
		l->last = talk_last(l->api);
		l->body_length = talk_stream_length(&talk, l->events);
	} else if (!l->crossed) {
		l->body = talk_body(l->api);
		l->body_length = TALK_ANSWER;
	}
}

static void
load_free(struct load *l)
{
	int i;

	for (i = 0; i < l->opened; i++)
		close(l->conn[i].fd);
	close(l->epoll);
	free(l->conn);
	free(l->request);
	free(l->body);
	free(l->sample);
}

int
main(int argc, char **argv)
{
	const struct timespec settle = { 0, 200 * (long)MILLI };
	struct load l;

	memset(&l, 0, sizeof l);
	l.conns = 1;
	l.size = 2048;
	l.warm = 300 * (uint64_t)MILLI;
	l.span = 1000 * (uint64_t)MILLI;
	if (options(&l, argc, argv) == -1) {
		fputs("usage: load [-a API] [-x] [-c CONNECTIONS] "
		    "[-b BYTES] [-e EVENTS [-p]] [-r MS] [-w MS] [-t MS] "
		    "[-P PID] PORT\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	kit_wait(l.port);
	if (l.span == 0)
		return 0;
	prepare(&l);
	/* A proxy may open its port before it has started its worker. */
	nanosleep(&settle, NULL);
	proc_find(&l.proc, l.pid);
	proc_read(&l.proc, &l.idle);
	print(&l, drive(&l));
	load_free(&l);
	return 0;
}
