#include "admin/web.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "net/link.h"
#include "net/socket.h"
#include "wire/http_body.h"
#include "wire/http_write.h"

/* Time limits in ms. */
#define WEB_HEAD_MS	10000	/* a head, from its first byte */
#define WEB_BODY_MS	30000	/* a whole body */
#define WEB_IDLE_MS	60000	/* without a request */
#define WEB_STUCK_MS	60000	/* output that nobody takes */
#define WEB_LINGER_MS	5000	/* for the last answer to be read */
#define WEB_PAUSE_MS	1000	/* when descriptors run out */

#define WEB_IN_MAX	(HTTP_HEAD_MAX + 2 * 65536)
#define WEB_READ	65536	/* of one wake-up */
#define WEB_AHEAD_MAX	65536	/* of requests after the one at hand */
#define WEB_OUT_MAX	(16u << 20)
#define WEB_BEHIND_MAX	(256u << 10)	/* of a stream */

enum web_state {
	WEB_HEAD, WEB_BODY,
	WEB_ASKED,		/* the site has it */
	WEB_STREAM, WEB_CLOSING, WEB_LINGER, WEB_DEAD
};

struct web {
	struct loop *loop;		/* borrowed */
	struct watch watch;
	struct timer pause;		/* set: no accept before */
	web_site *site;
	void *arg;
	struct web_request *list;	/* owned: all connections */
	unsigned count;
	struct grave grave;
};

/* A connection, with the one request that it is at. */
struct web_request {
	struct web *web;
	enum web_state state;
	struct link link;
	struct watch watch;
	struct timer timer;
	struct grave grave;
	struct buf in;			/* arrived, not yet consumed */
	size_t seen;			/* of in, already scanned for a head */
	char *head;			/* owned: the bytes of h */
	struct http_head *h;		/* owned; NULL: no request at hand */
	struct buf body;
	struct http_body decoder;
	uint64_t began, last_io;
	int minor;
	unsigned keep:1;		/* the connection may live on */
	unsigned head_only:1;		/* the method is HEAD */
	unsigned doomed:1;		/* to be closed in the next turn */
	void (*gone)(void *arg);	/* NULL: nobody wants to know */
	void *gone_arg;
	struct web_request *next, *prev;
};

/* ---- the end of a connection ---- */

static void
request_free(struct web_request *r)
{
	free(r->head);
	free(r->h);
	r->head = NULL;
	r->h = NULL;
	buf_wipe(&r->body);	/* keys may have come in it */
}

static void
conn_bury(void *arg)
{
	free(arg);
}

static void
conn_close(struct web_request *r, int rst)
{
	struct web *w = r->web;

	if (r->state == WEB_DEAD)
		return;
	r->state = WEB_DEAD;
	timer_clear(w->loop, &r->timer);
	loop_remove(w->loop, &r->watch);
	link_close(&r->link, rst);
	request_free(r);
	buf_wipe(&r->in);
	if (r->prev != NULL)
		r->prev->next = r->next;
	else
		w->list = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	w->count--;
	loop_bury(w->loop, &r->grave, conn_bury, r);
	if (r->gone != NULL)
		r->gone(r->gone_arg);
}

/* Not at once: whoever calls us still holds it. */
static void
conn_doom(struct web_request *r)
{
	r->doomed = 1;
	loop_again(r->web->loop, &r->watch);
}

/* ---- time ---- */

/* When what it is at must be over; 0: whenever it likes. */
static uint64_t
conn_due(const struct web_request *r)
{
	if (r->state == WEB_LINGER)
		return r->last_io + WEB_LINGER_MS;
	if (link_pending(&r->link) > 0)
		return r->last_io + WEB_STUCK_MS;
	switch (r->state) {
	case WEB_HEAD:
		return r->in.len > 0 ? r->began + WEB_HEAD_MS :
		    r->last_io + WEB_IDLE_MS;
	case WEB_BODY:
		return r->began + WEB_BODY_MS;
	default:
		return 0;
	}
}

static void
conn_arm(struct web_request *r)
{
	uint64_t due;

	if (r->state == WEB_DEAD || (due = conn_due(r)) == 0 ||
	    (r->timer.at != 0 && r->timer.at <= due))
		return;
	if (timer_set(r->web->loop, &r->timer, due) == -1)
		conn_doom(r);
}

/* ---- answers ---- */

static void
put(struct web_request *r, const struct str *v, size_t n)
{
	size_t before = link_pending(&r->link);

	if (r->doomed || r->state == WEB_DEAD)
		return;
	if (link_write(&r->link, v, n) == -1)
		conn_doom(r);
	if (before == 0)
		r->last_io = loop_now(r->web->loop);
	conn_arm(r);
}

/* The status line, the fields, and what says how the body is framed. */
static void
head_write(struct web_request *r, struct buf *out, int status,
    struct str fields)
{
	http_write_status(out, status);
	buf_addstr(out, fields);
	if (!r->keep)
		buf_adds(out, "connection: close\r\n");
	else if (r->minor == 0)
		buf_adds(out, "connection: keep-alive\r\n");
}

/* The next request, or the end. */
static void
answer_over(struct web_request *r)
{
	struct web *w = r->web;

	r->gone = NULL;
	request_free(r);
	r->seen = 0;
	r->began = loop_now(w->loop);
	if (link_pending(&r->link) == 0)
		r->last_io = r->began;
	r->state = r->keep ? WEB_HEAD : WEB_CLOSING;
	conn_arm(r);
	if (r->in.len > 0 || !r->keep)
		loop_again(w->loop, &r->watch);
}

/* Bytes that all connections hold for those who do not read. */
static size_t
due_bytes(const struct web *w)
{
	const struct web_request *r;
	size_t n = 0;

	for (r = w->list; r != NULL; r = r->next)
		n += link_pending(&r->link);
	return n;
}

void
web_answer(struct web_request *r, int status, struct str fields,
    struct str body)
{
	struct str v[2];
	struct buf out;

	if (r->state == WEB_DEAD)
		return;
	buf_init(&out, WEB_OUT_MAX);
	head_write(r, &out, status, fields);
	if (status != 204 && status != 304)
		http_write_fieldu(&out, "content-length", body.n);
	buf_adds(&out, "\r\n");
	v[0] = buf_str(&out);
	v[1] = body;
	if (out.bad || due_bytes(r->web) + body.n > WEB_DUE_MAX)
		conn_doom(r);
	else
		put(r, v, r->head_only || status == 204 || status == 304 ||
		    body.n == 0 ? 1 : 2);
	buf_free(&out);
	answer_over(r);
}

/* An answer of the server's own, after which the connection ends. */
static void
refuse(struct web_request *r, int status, const char *why)
{
	static const char fields[] = "content-type: application/json\r\n"
	    "x-content-type-options: nosniff\r\ncache-control: no-store\r\n";
	struct buf b;

	buf_init(&b, 4096);
	buf_adds(&b, "{\"error\":{\"message\":");
	json_write(&b, str_of(why));
	buf_adds(&b, ",\"field\":null}}\n");
	r->keep = 0;
	web_answer(r, status, str_n(fields, sizeof fields - 1), buf_str(&b));
	buf_free(&b);
}

void
web_stream(struct web_request *r, struct str fields, void (*gone)(void *arg),
    void *arg)
{
	struct str head;
	struct buf out;

	if (r->state == WEB_DEAD) {
		gone(arg);
		return;
	}
	buf_init(&out, 65536);
	if (r->minor == 0)
		r->keep = 0;
	head_write(r, &out, 200, fields);
	buf_adds(&out, "content-type: text/event-stream\r\n");
	if (r->minor == 1)
		buf_adds(&out, "transfer-encoding: chunked\r\n");
	buf_adds(&out, "\r\n");
	head = buf_str(&out);
	r->gone = gone;
	r->gone_arg = arg;
	r->state = WEB_STREAM;
	request_free(r);
	if (out.bad)
		conn_doom(r);
	else
		put(r, &head, 1);
	buf_free(&out);
}

void
web_send(struct web_request *r, struct str data)
{
	char head[HTTP_CHUNK_HEAD];
	struct str v[3];

	if (r->state != WEB_STREAM || r->doomed || data.n == 0)
		return;
	if (link_pending(&r->link) + data.n > WEB_BEHIND_MAX) {
		conn_doom(r);
		return;
	}
	v[0] = str_n(head, http_chunk_head(head, data.n));
	v[1] = data;
	v[2] = str_of("\r\n");
	if (r->minor == 1)
		put(r, v, 3);
	else
		put(r, v + 1, 1);
}

void
web_cut(struct web_request *r)
{
	if (r->state == WEB_STREAM)
		conn_doom(r);
}

void
web_wait(struct web_request *r, void (*gone)(void *arg), void *arg)
{
	r->gone = gone;
	r->gone_arg = arg;
}

/* ---- requests ---- */

/* The request is whole. */
static void
request_ask(struct web_request *r)
{
	struct web_ask ask;

	r->state = WEB_ASKED;
	ask.h = r->h;
	ask.body = buf_str(&r->body);
	ask.r = r;
	r->web->site(r->web->arg, &ask);
}

/* Copies the head out of the input, its fields no more than there are. */
static int
head_keep(struct web_request *r, const struct http_head *h)
{
	size_t n = offsetof(struct http_head, fields) +
	    h->nfields * sizeof h->fields[0];
	struct str s = buf_str(&r->in);

	r->head = malloc(h->size);
	r->h = malloc(n);
	if (r->head == NULL || r->h == NULL)
		return -1;
	memcpy(r->head, s.p, h->size);
	memcpy(r->h, h, n);
	http_head_move(r->h, s.p, r->head);
	return 0;
}

static void
body_begin(struct web_request *r)
{
	struct str go_on = str_of("HTTP/1.1 100 Continue\r\n\r\n");

	r->state = WEB_BODY;
	r->began = loop_now(r->web->loop);
	http_body_start(&r->decoder, r->h);
	if (r->h->expect && r->minor == 1 && r->in.len == 0)
		put(r, &go_on, 1);
	conn_arm(r);
}

static void
head_take(struct web_request *r, const struct http_head *h)
{
	r->minor = h->minor;
	r->keep = h->keep_alive;
	r->head_only = str_is(h->method, "HEAD") != 0;
	if (str_is(h->method, "CONNECT")) {
		refuse(r, 501, "this is no proxy for CONNECT");
		return;
	}
	if (h->framing == HTTP_LENGTH && h->length > WEB_BODY_MAX) {
		refuse(r, 413, "the body is larger than 1 MiB");
		return;
	}
	if (head_keep(r, h) == -1) {
		refuse(r, 503, "out of memory");
		return;
	}
	buf_take(&r->in, h->size);
	if (r->h->framing == HTTP_NO_BODY ||
	    (r->h->framing == HTTP_LENGTH && r->h->length == 0))
		request_ask(r);
	else
		body_begin(r);
}

static void
head_read(struct web_request *r, uint64_t now)
{
	struct http_head h;
	struct str s = buf_str(&r->in);

	switch (http_request(&h, s.p, s.n, r->seen)) {
	case HTTP_MORE:
		if (r->seen == 0)
			r->began = now;
		r->seen = s.n;
		conn_arm(r);
		break;
	case HTTP_BAD:
		r->minor = 1;
		r->head_only = 0;
		refuse(r, h.bad_status, h.why);
		break;
	case HTTP_OK:
		head_take(r, &h);
		break;
	}
}

static void
body_read(struct web_request *r)
{
	struct str data, s;
	enum http_rc rc;
	size_t used;

	do {
		s = buf_str(&r->in);
		rc = http_body_feed(&r->decoder, s.p, s.n, &used, &data);
		if (rc == HTTP_BAD) {
			refuse(r, 400, r->decoder.why);
			return;
		}
		if (data.n > r->body.max - r->body.len) {
			refuse(r, 413, "the body is larger than 1 MiB");
			return;
		}
		if (buf_addstr(&r->body, data) == -1) {
			refuse(r, 503, "out of memory");
			return;
		}
		buf_take(&r->in, used);
	} while (rc == HTTP_MORE && r->in.len > 0);
	if (rc == HTTP_OK)
		request_ask(r);
}

/* A further request waits until the answer before it was taken. */
static int
head_welcome(const struct web_request *r)
{
	return r->state == WEB_HEAD && !r->doomed && r->in.len > 0 &&
	    link_pending(&r->link) == 0;
}

/* Works on what has arrived until it needs more. */
static void
conn_step(struct web_request *r, uint64_t now)
{
	size_t before;

	do {
		before = r->in.len;
		if (head_welcome(r))
			head_read(r, now);
		if (r->state == WEB_BODY && r->in.len > 0)
			body_read(r);
	} while (r->in.len > 0 && r->in.len < before);
	if (r->in.len == 0 && r->state != WEB_DEAD)
		buf_wipe(&r->in);
}

/* ---- events ---- */

static unsigned
conn_events(void *arg)
{
	struct web_request *r = arg;
	unsigned bits = link_wants_out(&r->link) ? LOOP_WRITE : 0;

	if (r->doomed || r->state == WEB_CLOSING)
		return bits;
	return r->state == WEB_LINGER || r->in.len < WEB_AHEAD_MAX ||
	    r->state == WEB_BODY || head_welcome(r) ? bits | LOOP_READ : bits;
}

/*
 * The last answer is out: the client must get to read it before the RST
 * that unread input would cause.
 */
static void
closing_step(struct web_request *r, uint64_t now)
{
	if (link_pending(&r->link) > 0)
		return;
	sock_shutdown(r->link.fd);
	r->state = WEB_LINGER;
	r->last_io = now;
	conn_arm(r);
}

/* What came is of no interest any more, but that it ends. */
static void
linger_step(struct web_request *r)
{
	buf_clear(&r->in);
	link_read(&r->link, &r->in, WEB_READ);
	buf_wipe(&r->in);
	if (r->link.eof || r->link.failed)
		conn_close(r, 0);
}

static void
conn_read(struct web_request *r, uint64_t now)
{
	size_t got;

	if (r->in.len >= WEB_IN_MAX - WEB_READ)
		return;
	if ((got = link_read(&r->link, &r->in, WEB_READ)) > 0) {
		if (r->state == WEB_HEAD && link_pending(&r->link) == 0)
			r->last_io = now;
		if (r->state == WEB_STREAM)
			buf_wipe(&r->in);
		conn_step(r, now);
	}
	if (r->state == WEB_DEAD)
		return;
	if (r->link.failed)
		conn_close(r, 0);
	else if (r->link.eof) {
		/* Who only shut its own side down still gets its answer. */
		if (link_pending(&r->link) == 0 || r->state != WEB_HEAD)
			conn_close(r, 0);
		else
			r->state = WEB_CLOSING;
	} else if (got == WEB_READ)
		loop_again(r->web->loop, &r->watch);
}

static void
conn_ready(void *arg, unsigned bits, uint64_t now)
{
	struct web_request *r = arg;
	size_t before = link_pending(&r->link);

	if (before > 0 && !r->doomed) {
		if (link_flush(&r->link) == -1)
			r->doomed = 1;
		else if (link_pending(&r->link) < before)
			r->last_io = now;
	}
	if (r->doomed) {
		conn_close(r, 1);
		return;
	}
	if (r->state == WEB_CLOSING)
		closing_step(r, now);
	if (r->state == WEB_LINGER) {
		linger_step(r);
		return;
	}
	if (r->state == WEB_CLOSING)
		return;
	conn_step(r, now);
	if (r->state != WEB_DEAD && r->state != WEB_CLOSING &&
	    (bits & LOOP_READ))
		conn_read(r, now);
	conn_arm(r);
}

static void
conn_tick(void *arg, uint64_t now)
{
	struct web_request *r = arg;
	uint64_t due = conn_due(r);

	if (due == 0 || due > now) {
		conn_arm(r);
		return;
	}
	if (link_pending(&r->link) > 0)
		conn_close(r, 1);
	else if (r->state == WEB_BODY)
		refuse(r, 408, "the body took more than 30 s");
	else if (r->state == WEB_HEAD && r->in.len > 0) {
		r->minor = 1;
		r->head_only = 0;
		refuse(r, 408, "the head took more than 10 s");
	} else
		conn_close(r, 0);
}

/* Closes the one that has been without a request for the longest time. */
static void
room_make(struct web *w)
{
	struct web_request *r, *old = NULL;

	for (r = w->list; r != NULL; r = r->next)
		if (r->state != WEB_ASKED && r->state != WEB_STREAM &&
		    (old == NULL || r->began <= old->began))
			old = r;
	if (old != NULL)
		conn_close(old, 0);
}

static void
conn_open(struct web *w, int fd)
{
	struct web_request *r;

	if (w->count >= WEB_CONNECTIONS)
		room_make(w);
	if (w->count >= WEB_CONNECTIONS ||
	    (r = calloc(1, sizeof *r)) == NULL) {
		sock_close(fd, 0);
		return;
	}
	r->web = w;
	r->state = WEB_HEAD;
	link_open(&r->link, fd, WEB_OUT_MAX);
	buf_init(&r->in, WEB_IN_MAX);
	buf_init(&r->body, WEB_BODY_MAX);
	r->watch.fd = fd;
	r->watch.events = conn_events;
	r->watch.ready = conn_ready;
	r->watch.arg = r->timer.arg = r;
	r->timer.fire = conn_tick;
	r->began = r->last_io = loop_now(w->loop);
	if ((r->next = w->list) != NULL)
		r->next->prev = r;
	w->list = r;
	w->count++;
	loop_add(w->loop, &r->watch);
	conn_arm(r);
}

/* ---- the listener ---- */

static unsigned
listener_events(void *arg)
{
	struct web *w = arg;

	return w->pause.at != 0 ? 0 : LOOP_READ;
}

static void
pause_over(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
}

static void
listener_ready(void *arg, unsigned bits, uint64_t now)
{
	struct web *w = arg;
	int fd, i;

	(void)bits;
	for (i = 0; i < WEB_CONNECTIONS; i++) {
		fd = sock_accept(w->watch.fd, NULL);
		if (fd == SOCK_ERR)
			timer_set(w->loop, &w->pause, now + WEB_PAUSE_MS);
		if (fd < 0)
			return;
		conn_open(w, fd);
	}
}

struct web *
web_open(struct loop *lp, struct str host, uint16_t port, web_site *site,
    void *arg)
{
	struct dns_addr a;
	struct web *w;
	int err;

	if (str_caseis(host, "localhost"))
		host = str_of("127.0.0.1");
	if (dns_literal(&a, host) == -1) {
		errno = EADDRNOTAVAIL;
		return NULL;
	}
	if ((w = calloc(1, sizeof *w)) == NULL)
		return NULL;
	if ((w->watch.fd = sock_listen(&a, port)) == -1) {
		err = errno;
		free(w);
		errno = err;
		return NULL;
	}
	w->loop = lp;
	w->site = site;
	w->arg = arg;
	w->watch.events = listener_events;
	w->watch.ready = listener_ready;
	w->watch.arg = w->pause.arg = w;
	w->pause.fire = pause_over;
	loop_add(lp, &w->watch);
	return w;
}

void
web_close(struct web *w)
{
	if (w == NULL)
		return;
	while (w->list != NULL)
		conn_close(w->list, 0);
	timer_clear(w->loop, &w->pause);
	loop_remove(w->loop, &w->watch);
	sock_close(w->watch.fd, 0);
	w->watch.fd = -1;
	loop_bury(w->loop, &w->grave, conn_bury, w);
}

uint16_t
web_port(const struct web *w)
{
	return sock_port(w->watch.fd);
}
