/*
 * mock [-a API] [-e EVENTS] [-d MILLISECONDS] [-s STATUS] PORT: the upstream
 * server.
 *
 * Answers each POST on 127.0.0.1:PORT in the language of the API, anthropic
 * (which it is without -a) or openai: with a message, or, if the request's
 * body has "stream":true in it, with a stream of EVENTS (100) events, each
 * in a write of its own, MILLISECONDS (0) after the one before. With -s,
 * always an error of that STATUS. TERM ends it; it then prints how many
 * requests it has answered.
 */
#include "bench/kit.h"
#include "bench/talk.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MAX	16384
#define BODY_MAX	(4u << 20)
#define BATCH		256
#define FD_MAX		16384
#define STREAM_FLAG	"\"stream\":true"

struct conn {
	int fd;
	int close;		/* after this answer */
	int streaming, queued;
	char *in;		/* request bytes, `got` of `room` */
	size_t got, room;
	char *held;		/* what the socket did not take yet */
	size_t held_off, held_len;
	unsigned event;		/* the next of the stream */
	uint64_t due;		/* when it leaves */
	struct conn *next;	/* in the queue */
};

struct mock {
	int epoll, listener, status;
	enum talk_api api;
	unsigned events;	/* in a stream */
	uint64_t delay;		/* ns */
	char *answer;
	size_t answer_length;
	struct talk_stream talk;
	unsigned long answered;
	/*
	 * Streams by due time. Each is put at the end, one delay from now, so
	 * the queue is in order.
	 */
	struct conn *first, **last;
	struct conn *conn[FD_MAX];	/* by descriptor */
	sigset_t waiting;	/* signal mask of a wait: TERM only then */
};

static volatile sig_atomic_t ended;

static void
on_term(int sig)
{
	(void)sig;
	ended = 1;
}

static void
watch(struct mock *m, struct conn *c, int how)
{
	struct epoll_event ev;

	memset(&ev, 0, sizeof ev);
	ev.events = c->held == NULL ? EPOLLIN : EPOLLOUT;
	ev.data.ptr = c;
	if (epoll_ctl(m->epoll, how, c->fd, &ev) == -1)
		kit_die("epoll_ctl");
}

/* A connection in the queue is freed when its turn comes. */
static void
conn_close(struct mock *m, struct conn *c)
{
	if (c->fd != -1) {
		m->conn[c->fd] = NULL;
		close(c->fd);
	}
	c->fd = -1;
	if (c->queued)
		return;
	free(c->in);
	free(c->held);
	free(c);
}

/* Sends n bytes, or keeps what does not fit. -1: the connection is broken. */
static int
conn_send(struct mock *m, struct conn *c, const char *p, size_t n)
{
	ssize_t put;

	put = send(c->fd, p, n, MSG_NOSIGNAL);
	if (put == -1 && errno != EAGAIN && errno != EINTR)
		return -1;
	if (put == -1)
		put = 0;
	if ((size_t)put == n)
		return 0;
	c->held_len = n - (size_t)put;
	c->held_off = 0;
	if ((c->held = malloc(c->held_len)) == NULL)
		kit_die("malloc");
	memcpy(c->held, p + put, c->held_len);
	watch(m, c, EPOLL_CTL_MOD);
	return 0;
}

static void
queue_put(struct mock *m, struct conn *c)
{
	c->due = kit_now() + m->delay;
	c->next = NULL;
	c->queued = 1;
	*m->last = c;
	m->last = &c->next;
}

static struct conn *
queue_take(struct mock *m)
{
	struct conn *c = m->first;

	if ((m->first = c->next) == NULL)
		m->last = &m->first;
	c->queued = 0;
	return c;
}

static const char *
header(const char *head, const char *name)
{
	const char *p = head;
	size_t n = strlen(name);

	while ((p = strchr(p, '\n')) != NULL) {
		p++;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':')
			return p + n + 1 + strspn(p + n + 1, " \t");
	}
	return NULL;
}

/* The last byte of an answer is sent or held. */
static int
answer_end(struct mock *m, struct conn *c)
{
	m->answered++;
	c->streaming = 0;
	return c->close && c->held == NULL ? -1 : 0;
}

/* Answers the request that stands in c->in, if it is complete. -1: close. */
static int
conn_request(struct mock *m, struct conn *c)
{
	const char *v, *stream_head = talk_stream_head();
	size_t head, body;
	char *end;

	c->in[c->got] = '\0';
	if ((end = strstr(c->in, "\r\n\r\n")) == NULL)
		return c->got > HEAD_MAX ? -1 : 0;
	*end = '\0';
	head = (size_t)(end - c->in) + 4;
	v = header(c->in, "content-length");
	body = v == NULL ? 0 : (size_t)strtoul(v, NULL, 10);
	v = header(c->in, "connection");
	c->close = v != NULL && strncasecmp(v, "close", 5) == 0;
	*end = '\r';
	if (body > BODY_MAX || c->got > head + body)
		return -1;	/* too much, or a second request in the pipe */
	if (c->got < head + body)
		return 0;
	c->got = 0;
	c->streaming = m->status == 200 &&
	    strstr(c->in + head, STREAM_FLAG) != NULL;
	if (!c->streaming) {
		if (conn_send(m, c, m->answer, m->answer_length) == -1)
			return -1;
		return answer_end(m, c);
	}
	c->event = 0;
	queue_put(m, c);
	return conn_send(m, c, stream_head, strlen(stream_head));
}

static int
conn_readable(struct mock *m, struct conn *c)
{
	ssize_t got;
	char *p;

	if (c->room - c->got < HEAD_MAX) {
		c->room = c->room == 0 ? 2 * HEAD_MAX : 2 * c->room;
		if ((p = realloc(c->in, c->room + 1)) == NULL)
			kit_die("realloc");
		c->in = p;
	}
	got = recv(c->fd, c->in + c->got, c->room - c->got, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0 || c->streaming)
		return -1;
	c->got += (size_t)got;
	return conn_request(m, c);
}

static int
conn_writable(struct mock *m, struct conn *c)
{
	char *held = c->held;
	int r;

	c->held = NULL;
	r = conn_send(m, c, held + c->held_off, c->held_len - c->held_off);
	free(held);
	if (r == -1 || c->held != NULL)
		return r;
	watch(m, c, EPOLL_CTL_MOD);
	if (c->streaming && !c->queued)
		queue_put(m, c);
	return c->close && !c->streaming ? -1 : 0;
}

/* Sends the event whose time has come, unless the one before is still held. */
static int
conn_event(struct mock *m, struct conn *c)
{
	const char *p;
	size_t n;

	if (c->fd == -1)
		return -1;
	if (c->held != NULL)
		return 0;
	p = talk_event(&m->talk, c->event++, m->events, kit_now(), &n);
	if (conn_send(m, c, p, n) == -1)
		return -1;
	if (c->event == m->events)
		return answer_end(m, c);
	if (c->held == NULL)
		queue_put(m, c);
	return 0;
}

/* One pass over the queue: with no delay, one event of each stream. */
static void
run_queue(struct mock *m)
{
	uint64_t now = kit_now();
	struct conn *c;

	while (m->first != NULL && m->first->due <= now) {
		c = queue_take(m);
		if (conn_event(m, c) == -1)
			conn_close(m, c);
	}
}

static void
accept_all(struct mock *m)
{
	struct conn *c;
	int fd;

	while ((fd = kit_accept(m->listener)) != -1) {
		if (fd >= FD_MAX) {
			close(fd);
			continue;
		}
		if ((c = calloc(1, sizeof *c)) == NULL)
			kit_die("calloc");
		c->fd = fd;
		m->conn[fd] = c;
		watch(m, c, EPOLL_CTL_ADD);
	}
}

/* Waits for a socket or the next event's time; how many sockets. */
static int
wait_for_work(struct mock *m, struct epoll_event *ev)
{
	uint64_t now = kit_now();
	struct timespec t;
	fd_set set;
	int ms = 0;

	if (m->first == NULL) {
		ms = -1;
	} else if (m->first->due > now) {
		/* Milliseconds would send the paced events in bunches. */
		t.tv_sec = (time_t)((m->first->due - now) / 1000000000u);
		t.tv_nsec = (long)((m->first->due - now) % 1000000000u);
		FD_ZERO(&set);
		FD_SET(m->epoll, &set);
		pselect(m->epoll + 1, &set, NULL, NULL, &t, &m->waiting);
	}
	return epoll_pwait(m->epoll, ev, BATCH, ms, &m->waiting);
}

static void
serve(struct mock *m)
{
	struct epoll_event ev[BATCH];
	struct conn *c;
	int i, n, r;

	while (!ended) {
		n = wait_for_work(m, ev);
		for (i = 0; i < n; i++) {
			if ((c = ev[i].data.ptr) == NULL) {
				accept_all(m);
				continue;
			}
			r = c->held != NULL ? conn_writable(m, c) :
			    conn_readable(m, c);
			if (r == -1)
				conn_close(m, c);
		}
		run_queue(m);
	}
}

static void
mock_init(struct mock *m, int port)
{
	struct epoll_event ev;
	struct sigaction sa;
	sigset_t term;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = on_term;
	sigaction(SIGTERM, &sa, NULL);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &m->waiting);
	sigdelset(&m->waiting, SIGTERM);
	m->answer = talk_answer(m->api, m->status, &m->answer_length);
	talk_stream_init(&m->talk, m->api);
	m->first = NULL;
	m->last = &m->first;
	m->listener = kit_listen(port);
	if ((m->epoll = epoll_create1(0)) == -1)
		kit_die("epoll_create1");
	memset(&ev, 0, sizeof ev);
	ev.events = EPOLLIN;
	if (epoll_ctl(m->epoll, EPOLL_CTL_ADD, m->listener, &ev) == -1)
		kit_die("epoll_ctl");
}

static void
mock_free(struct mock *m)
{
	struct conn *c;
	int fd;

	while (m->first != NULL) {
		c = queue_take(m);
		if (c->fd == -1)
			conn_close(m, c);
	}
	for (fd = 0; fd < FD_MAX; fd++)
		if (m->conn[fd] != NULL)
			conn_close(m, m->conn[fd]);
	close(m->epoll);
	close(m->listener);
	free(m->answer);
}

int
main(int argc, char **argv)
{
	static struct mock m;
	int opt;

	m.events = 100;
	m.status = 200;
	while ((opt = getopt(argc, argv, "a:e:d:s:")) != -1) {
		if (opt == 'a')
			m.api = talk_api(optarg);
		else if (opt == 'e')
			m.events = (unsigned)kit_number(optarg,
			    TALK_MIN_EVENTS, 1000000);
		else if (opt == 'd')
			m.delay = 1000000u *
			    (uint64_t)kit_number(optarg, 0, 60000);
		else if (opt == 's')
			m.status = (int)kit_number(optarg, 200, 599);
		else
			return 2;
	}
	if (optind + 1 != argc) {
		fputs("usage: mock [-a API] [-e EVENTS] [-d MS] [-s STATUS] "
		    "PORT\n", stderr);
		return 2;
	}
	mock_init(&m, (int)kit_number(argv[optind], 1, 65535));
	serve(&m);
	printf("%lu\n", m.answered);
	mock_free(&m);
	return 0;
}
