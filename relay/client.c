#include "relay/client.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "net/link.h"
#include "net/socket.h"
#include "relay/check.h"
#include "relay/door.h"
#include "wire/http_body.h"
#include "wire/http_write.h"

/* Time limits in ms; spec section 9, "HTTP". */
#define CL_SILENT_MS	15000	/* a new connection that says nothing */
#define CL_KEEP_MS	75000	/* between two requests */
#define CL_HEAD_MS	10000	/* a head, from its first byte */
#define CL_BODY_MS	30000	/* between two pieces of a body */
#define CL_RATE_MS	60000	/* over which a body must come ... */
#define CL_RATE_BYTES	61440	/* ... with at least 1 KiB/s */
#define CL_STUCK_MS	60000	/* output that the client does not take */
#define CL_LINGER_MS	5000	/* for the client to read the last answer */

#define CL_IN_MAX	(HTTP_HEAD_MAX + 2 * 65536)
#define CL_AHEAD_MAX	65536	/* pipelined bytes that are read ahead */
#define CL_OUT_MAX	(REPLY_OUT_MAX + (8u << 20))
#define CL_FLUSH	65536
#define CL_HOME_MAX	(1u << 20)	/* the page at / */
#define CL_BODY_READ	(256u << 10)	/* of one wake-up: fairness */
#define CL_RESERVE	(256u << 10)	/* of an announced body, at once */

enum client_state {
	CL_HEAD, CL_BODY, CL_BUSY, CL_CLOSING, CL_LINGER, CL_DEAD
};

struct client {
	struct client_env *env;		/* borrowed */
	enum client_state state;
	struct link link;
	struct watch watch;
	struct timer timer;
	struct grave grave;
	struct buf in;			/* arrived, not yet consumed */
	size_t seen;			/* of in, already scanned for a head */
	struct buf out;			/* of the answer, until the flush */
	struct exchange_request req;	/* while its body is read */
	struct http_body decoder;
	struct exchange *ex;		/* owned; while a request is served */
	uint64_t began, last_io, rate_at, rate_bytes;
	unsigned served;		/* requests on this connection */
	int minor;			/* of the request at hand */
	unsigned keep:1;		/* the connection may live on */
	unsigned head_only:1;		/* the method is HEAD */
	unsigned enters:1;		/* the request is a log-in at `/` */
	unsigned chunked:1;		/* the answer is */
	unsigned until_close:1;		/* the connection ends the answer */
	unsigned started:1;		/* an answer's head was written */
	unsigned gone:1;		/* sending failed: nobody is there */
	unsigned torn:1;		/* bytes of an answer were lost */
	struct client *next, *prev;
};

static void client_step(struct client *, uint64_t);

/* ---- the end of a connection ---- */

static void
request_free(struct client *c)
{
	generation_free(c->req.gen);
	c->req.gen = NULL;
	free(c->req.head);
	free(c->req.h);
	c->req.head = NULL;
	c->req.h = NULL;
	buf_free(&c->req.body);
}

static void
client_bury(void *arg)
{
	free(arg);
}

static void
client_close(struct client *c, int rst, const char *why)
{
	struct client_env *env = c->env;

	if (c->state == CL_DEAD)
		return;
	c->state = CL_DEAD;
	/* A plain end would make a torn answer look whole. */
	if (c->torn || (c->ex != NULL && c->until_close))
		rst = 1;
	if (c->ex != NULL) {
		exchange_abandon(c->ex, why);
		exchange_free(c->ex);
		c->ex = NULL;
		env->busy--;
	}
	timer_clear(env->loop, &c->timer);
	loop_remove(env->loop, &c->watch);
	link_close(&c->link, rst);
	request_free(c);
	buf_free(&c->in);
	buf_free(&c->out);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		env->list = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	env->count--;
	loop_bury(env->loop, &c->grave, client_bury, c);
}

/* ---- time ---- */

static uint64_t
client_due(const struct client *c)
{
	switch (c->state) {
	case CL_HEAD:
		if (link_pending(&c->link) > 0)
			return c->last_io + CL_STUCK_MS;
		if (c->in.len > 0)
			return c->began + CL_HEAD_MS;
		return c->last_io + (c->served == 0 ? CL_SILENT_MS :
		    CL_KEEP_MS);
	case CL_BODY:
		return c->last_io + CL_BODY_MS < c->rate_at + CL_RATE_MS ?
		    c->last_io + CL_BODY_MS : c->rate_at + CL_RATE_MS;
	case CL_BUSY:
	case CL_CLOSING:
		return link_pending(&c->link) > 0 ? c->last_io + CL_STUCK_MS :
		    0;
	default:
		return c->last_io + CL_LINGER_MS;
	}
}

/* Sets the timer if it would fire too late. */
static void
client_arm(struct client *c)
{
	uint64_t due;

	if (c->state == CL_DEAD || (due = client_due(c)) == 0 ||
	    (c->timer.at != 0 && c->timer.at <= due))
		return;
	if (timer_set(c->env->loop, &c->timer, due) == -1) {
		c->gone = 1;	/* not closed here: an exchange may call us */
		loop_again(c->env->loop, &c->watch);
	}
}

/* ---- output ---- */

static void
client_flush(struct client *c)
{
	struct str s = buf_str(&c->out);
	size_t before = link_pending(&c->link);

	if (s.n == 0 && !c->out.bad)
		return;
	/* Once bytes are lost none may follow them. */
	if (c->gone || c->out.bad || link_write(&c->link, &s, 1) == -1) {
		c->gone = 1;	/* told in the next turn: nobody below us */
		c->torn = 1;
		loop_again(c->env->loop, &c->watch);
	}
	if (before == 0)
		c->last_io = loop_now(c->env->loop);
	buf_free(&c->out);
	client_arm(c);
}

static void
head_write(struct client *c, int status, struct str fields, int64_t length)
{
	int body = !c->head_only && status != 204 && status != 304;

	if (c->env->draining)
		c->keep = 0;
	http_write_status(&c->out, status);
	buf_addstr(&c->out, fields);
	c->chunked = body && length < 0 && c->minor == 1;
	c->until_close = body && length < 0 && c->minor == 0;
	if (c->until_close)
		c->keep = 0;
	if (length >= 0 && status != 204)
		http_write_fieldu(&c->out, "content-length",
		    (uint64_t)length);
	else if (c->chunked)
		buf_adds(&c->out, "transfer-encoding: chunked\r\n");
	if (!c->keep)
		buf_adds(&c->out, "connection: close\r\n");
	else if (c->minor == 0)
		buf_adds(&c->out, "connection: keep-alive\r\n");
	buf_add(&c->out, "\r\n", 2);
	c->started = 1;
}

static void
data_write(struct client *c, struct str data)
{
	char head[HTTP_CHUNK_HEAD];

	if (c->head_only || data.n == 0)
		return;
	if (c->chunked)
		buf_add(&c->out, head, http_chunk_head(head, data.n));
	buf_addstr(&c->out, data);
	if (c->chunked)
		buf_add(&c->out, "\r\n", 2);
	if (c->out.len >= CL_FLUSH)
		client_flush(c);
}

/* The answer is all written: the next request, or the end. */
static void
answer_over(struct client *c, int cut)
{
	if (c->chunked && !cut)
		buf_adds(&c->out, "0\r\n\r\n");
	client_flush(c);
	if (cut && c->until_close) {
		/* A plain end would look like a whole answer. */
		client_close(c, 1, "");
		return;
	}
	if (cut || c->env->draining)
		c->keep = 0;
	c->state = c->keep ? CL_HEAD : CL_CLOSING;
	c->served++;
	c->seen = 0;
	c->started = 0;
	c->last_io = c->began = loop_now(c->env->loop);
	client_arm(c);
	if (c->in.len > 0 || !c->keep)
		loop_again(c->env->loop, &c->watch);
}

/*
 * An answer of the connection's own.  fields: complete ones.  close: nothing
 * more is read from the client, whose request may be half read or not to be
 * trusted.
 */
static void
reply_write(struct client *c, int status, struct str fields, struct str body,
    int close)
{
	char id[DOOR_ID_MAX + 1];
	static const struct http_head none;
	struct buf f;

	if (c->req.id[0] == '\0')
		door_id(&c->env->ex.random, &none, id);
	else
		memcpy(id, c->req.id, sizeof id);
	if (close)
		c->keep = 0;
	buf_init(&f, 16384);
	buf_addstr(&f, fields);
	http_write_field(&f, "x-spillway-attempts", str_of("0"));
	http_write_field(&f, "x-request-id", str_of(id));
	if (status == 503)
		http_write_field(&f, "retry-after", str_of("1"));
	head_write(c, status, buf_str(&f), (int64_t)body.n);
	c->chunked = c->until_close = 0;
	data_write(c, body);
	buf_free(&f);
	request_free(c);
	answer_over(c, 0);
}

static void
client_reply(struct client *c, int status, const char *type, struct str body,
    int close)
{
	struct buf f;

	buf_init(&f, 4096);
	http_write_field(&f, "content-type", str_of(type));
	reply_write(c, status, buf_str(&f), body, close);
	buf_free(&f);
}

static void
client_refuse(struct client *c, const struct http_head *h, int status,
    const char *why, int close)
{
	struct dialect_call call;
	struct buf body;

	memset(&call, 0, sizeof call);
	if (h != NULL)
		dialect_detect(&call, h);
	buf_init(&body, 8192);
	dialect_error_body(&body, call.dialect, status, str_of(why),
	    str_of(c->req.id));
	log_status(LOG_INFO, status, "%s%srefused with %d: %s", c->req.id,
	    c->req.id[0] != '\0' ? " " : "", status, why);
	stats_turn(&c->env->ex.stats, status, h != NULL ? loop_us() -
	    c->req.began_us : 0, loop_wall(c->env->loop));
	client_reply(c, status, "application/json", buf_str(&body), close);
	buf_free(&body);
}

/* ---- what the exchange gives ---- */

static void
ex_start(void *arg, int status, struct str fields, int64_t length)
{
	head_write(arg, status, fields, length);
}

static void
ex_data(void *arg, struct str data)
{
	data_write(arg, data);
}

static void
ex_flush(void *arg)
{
	client_flush(arg);
}

static void
ex_end(void *arg, int cut)
{
	struct client *c = arg;

	exchange_free(c->ex);
	c->ex = NULL;
	c->env->busy--;
	c->req.id[0] = '\0';
	answer_over(c, cut);
}

static void
ex_last(void *arg)
{
	struct client *c = arg;

	c->keep = 0;
}

static size_t
ex_backlog(void *arg)
{
	struct client *c = arg;

	return link_pending(&c->link) + c->out.len;
}

static const struct reply_ops ex_ops = {
	ex_start, ex_data, ex_last, ex_flush, ex_end, ex_backlog
};

/* What is at `/`; body: of a log-in, else "". */
static void
home_reply(struct client *c, const struct http_head *h, struct str body)
{
	struct client_env *env = c->env;
	struct buf fields, out;
	int status;

	buf_init(&fields, 8192);
	buf_init(&out, CL_HOME_MAX);
	status = env->home(env->home_arg, h, body, &fields, &out);
	if (fields.bad || out.bad)
		client_refuse(c, NULL, 503, "out of memory", 1);
	else
		reply_write(c, status, buf_str(&fields), buf_str(&out), 0);
	buf_wipe(&fields);
	buf_free(&out);
}

/* The request is whole: it is the exchange's from here on. */
static void
request_serve(struct client *c)
{
	struct buf body;

	if (c->enters) {
		body = c->req.body;
		buf_init(&c->req.body, 0);
		home_reply(c, c->req.h, buf_str(&body));
		buf_wipe(&body);
		return;
	}
	c->state = CL_BUSY;
	c->ex = exchange_new(&c->env->ex, &c->req, &ex_ops, c);
	c->req.gen = NULL;
	c->req.head = NULL;
	c->req.h = NULL;
	buf_init(&c->req.body, c->env->gen->cfg->limits.body);
	if (c->ex == NULL) {
		client_refuse(c, NULL, 503, "out of memory", 1);
		return;
	}
	c->env->busy++;
	exchange_go(c->ex);
}

/* ---- requests ---- */

/* Copies the head out of the input, its fields no more than there are. */
static int
head_keep(struct client *c, const struct http_head *h)
{
	size_t n = offsetof(struct http_head, fields) +
	    h->nfields * sizeof h->fields[0];
	struct str s = buf_str(&c->in);

	c->req.head = malloc(h->size);
	c->req.h = malloc(n);
	if (c->req.head == NULL || c->req.h == NULL)
		return -1;
	memcpy(c->req.head, s.p, h->size);
	memcpy(c->req.h, h, n);
	http_head_move(c->req.h, s.p, c->req.head);
	return 0;
}

/* Why the head alone is enough to refuse; 0: it is not. */
static int
head_judge(struct client *c, const struct http_head *h, const char **why)
{
	const struct config *cfg = c->env->gen->cfg;
	int status = door_judge(cfg, h, why);

	if (status != 0)
		return status;
	if (buf_live() + (h->framing == HTTP_LENGTH ? h->length : 0) >
	    cfg->limits.memory) {
		*why = "out of the memory that limits.memory_megabytes "
		    "allows";
		return 503;
	}
	return 0;
}

static void
body_begin(struct client *c, const struct http_head *h, uint64_t now)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct str s = str_n(go_on, sizeof go_on - 1);
	size_t room;

	c->state = CL_BODY;
	c->rate_at = now;
	c->rate_bytes = 0;
	http_body_start(&c->decoder, h);
	if (h->framing == HTTP_LENGTH && h->length > 0)
		buf_room(&c->req.body, h->length < CL_RESERVE ?
		    (size_t)h->length : CL_RESERVE, &room);
	if (h->expect && h->minor == 1 && c->in.len == 0 &&
	    h->framing != HTTP_NO_BODY && link_write(&c->link, &s, 1) == -1)
		c->gone = 1;
	client_arm(c);
}

/* 1 if the request, which has no body, was answered here. */
static int
head_local(struct client *c, const struct http_head *h)
{
	struct door_answer local;

	if (!door_local(h, &local))
		return 0;
	if (c->env->home != NULL && str_is(h->path, "/"))
		home_reply(c, h, str_of(""));
	else
		client_reply(c, 200, local.type, str_of(local.body), 0);
	if (c->state != CL_DEAD)
		buf_take(&c->in, h->size);
	return 1;
}

static void
head_take(struct client *c, const struct http_head *h, uint64_t now)
{
	const struct config *cfg = c->env->gen->cfg;
	const char *why;
	int status;

	c->minor = h->minor;
	c->keep = h->keep_alive;
	c->head_only = str_is(h->method, "HEAD") != 0;
	c->req.began_us = loop_us();
	door_id(&c->env->ex.random, h, c->req.id);
	c->enters = c->env->home != NULL && door_enters(cfg, h);
	buf_init(&c->req.body, c->enters ? DOOR_FORM_MAX : cfg->limits.body);
	if ((status = head_judge(c, h, &why)) != 0) {
		client_refuse(c, h, status, why, 1);
		return;
	}
	if ((h->framing == HTTP_NO_BODY ||
	    (h->framing == HTTP_LENGTH && h->length == 0)) &&
	    head_local(c, h))
		return;
	/* Who logs in shows the key in the body. */
	if (!c->enters && access_key(cfg, h, &c->req.key, &why) == -1) {
		client_refuse(c, h, 401, why, 1);
		return;
	}
	c->req.gen = generation_ref(c->env->gen);
	if (head_keep(c, h) == -1) {
		client_refuse(c, h, 503, "out of memory", 1);
		return;
	}
	buf_take(&c->in, h->size);
	if (c->req.h->framing == HTTP_NO_BODY)
		request_serve(c);
	else
		body_begin(c, c->req.h, now);
}

static void
head_read(struct client *c, uint64_t now)
{
	struct http_head h;
	struct str s = buf_str(&c->in);

	switch (http_request(&h, s.p, s.n, c->seen)) {
	case HTTP_MORE:
		if (c->seen == 0) {
			c->began = now;
			client_arm(c);
		}
		c->seen = s.n;
		break;
	case HTTP_BAD:
		c->minor = 1;
		c->head_only = 0;
		c->req.id[0] = '\0';
		client_refuse(c, NULL, h.bad_status, h.why, 1);
		break;
	case HTTP_OK:
		head_take(c, &h, now);
		break;
	}
}

/* n more bytes did not fit into the body. */
static void
body_full(struct client *c, size_t n)
{
	if (n > c->req.body.max - c->req.body.len)
		client_refuse(c, c->req.h, 413, "the request body is "
		    "larger than limits.max_body_megabytes", 1);
	else
		client_refuse(c, c->req.h, 503, "out of memory", 1);
}

/* Takes what arrived of the body. */
static void
body_read(struct client *c)
{
	struct str data, s;
	enum http_rc rc;
	size_t used;

	do {
		s = buf_str(&c->in);
		rc = http_body_feed(&c->decoder, s.p, s.n, &used, &data);
		if (rc == HTTP_BAD) {
			client_refuse(c, c->req.h, 400, c->decoder.why, 1);
			return;
		}
		c->rate_bytes += data.n;
		if (buf_addstr(&c->req.body, data) == -1) {
			body_full(c, data.n);
			return;
		}
		buf_take(&c->in, used);
	} while (rc == HTTP_MORE && c->in.len > 0);
	if (rc == HTTP_OK)
		request_serve(c);
}

/* Pipelined requests wait until the answers before them are taken. */
static int
head_welcome(const struct client *c)
{
	return c->state == CL_HEAD && c->in.len > 0 &&
	    link_pending(&c->link) < EXCHANGE_LOW;
}

/* Works on what has arrived until it needs more. */
static void
client_step(struct client *c, uint64_t now)
{
	size_t before;

	do {
		before = c->in.len;
		if (head_welcome(c))
			head_read(c, now);
		if (c->state == CL_BODY)
			body_read(c);
	} while (c->in.len > 0 && c->in.len < before);
	if (c->in.len == 0 && c->state != CL_DEAD)
		buf_free(&c->in);
}

/* ---- events ---- */

static unsigned
client_events(void *arg)
{
	struct client *c = arg;
	unsigned bits = link_wants_out(&c->link) ? LOOP_WRITE : 0;

	switch (c->state) {
	case CL_HEAD:
		if (c->in.len > 0 && !head_welcome(c))
			return bits;
		return bits | LOOP_READ;
	case CL_BODY:
	case CL_LINGER:
		return bits | LOOP_READ;
	case CL_BUSY:
		/* Only to learn that it has left, or what it sends ahead. */
		return bits | (c->in.len < CL_AHEAD_MAX ? LOOP_LAZY : 0u);
	default:
		return bits;
	}
}

/* The last answer is out: the client must get to read it before the RST
 * that unread input would cause. */
static void
closing_step(struct client *c, uint64_t now)
{
	if (link_pending(&c->link) > 0)
		return;
	sock_shutdown(c->link.fd);
	c->state = CL_LINGER;
	c->last_io = now;
	client_arm(c);
}

static void
linger_step(struct client *c)
{
	buf_clear(&c->in);
	link_read(&c->link, &c->in, CL_AHEAD_MAX);
	buf_free(&c->in);
	if (c->link.eof || c->link.failed)
		client_close(c, 0, "");
}

/*
 * Reads a body of known length to where it stays.  Returns how much came.
 */
static size_t
body_read_direct(struct client *c, size_t want)
{
	struct str data;
	size_t got, used;

	if (want > c->decoder.left)
		want = (size_t)c->decoder.left;
	got = link_read(&c->link, &c->req.body, want);
	if (got == 0)
		return 0;
	c->rate_bytes += got;
	data = buf_str(&c->req.body);
	if (http_body_feed(&c->decoder, data.p + data.n - got, got, &used,
	    &data) == HTTP_OK)
		request_serve(c);
	return got;
}

static void
client_read(struct client *c, uint64_t now)
{
	size_t want = c->state == CL_BUSY ? CL_AHEAD_MAX : CL_FLUSH, got;

	if (c->in.len >= CL_IN_MAX - CL_FLUSH)
		return;
	if (c->state != CL_BUSY)
		c->last_io = now;
	if (c->state == CL_BODY && c->in.len == 0 &&
	    c->decoder.framing == HTTP_LENGTH)
		got = body_read_direct(c, want = CL_BODY_READ);
	else if ((got = link_read(&c->link, &c->in, want)) > 0)
		client_step(c, now);
	if (c->state == CL_DEAD)
		return;
	if (c->state == CL_BODY && buf_live() >
	    c->env->gen->cfg->limits.memory)
		client_refuse(c, c->req.h, 503, "out of the memory that "
		    "limits.memory_megabytes allows", 1);
	if (c->link.failed || (c->link.eof && c->state != CL_CLOSING &&
	    c->state != CL_LINGER))
		client_close(c, 0, "client left");
	else if (got == want)
		loop_again(c->env->loop, &c->watch);
}

static void
client_ready(void *arg, unsigned bits, uint64_t now)
{
	struct client *c = arg;
	size_t before = link_pending(&c->link);

	if (c->gone) {
		client_close(c, 0, "client left");
		return;
	}
	if (before > 0) {
		if (link_flush(&c->link) == -1) {
			client_close(c, 0, "client left");
			return;
		}
		if (link_pending(&c->link) < before)
			c->last_io = now;
		if (c->ex != NULL && link_pending(&c->link) < EXCHANGE_LOW)
			exchange_drained(c->ex);
		if (c->state == CL_HEAD && link_pending(&c->link) == 0) {
			if (c->env->draining && c->in.len == 0) {
				client_close(c, 0, "");
				return;
			}
			c->began = now;		/* heads waited for this */
			client_arm(c);
		}
	}
	if (c->state == CL_CLOSING)
		closing_step(c, now);
	if (c->state == CL_LINGER)
		linger_step(c);
	else if (c->state != CL_DEAD && c->state != CL_CLOSING) {
		if (c->state == CL_HEAD && c->in.len > 0)
			client_step(c, now);
		if (c->state != CL_DEAD && (bits & LOOP_READ))
			client_read(c, now);
	}
}

static void
client_late(struct client *c)
{
	switch (c->state) {
	case CL_HEAD:
		if (c->in.len == 0 || link_pending(&c->link) > 0) {
			client_close(c, link_pending(&c->link) > 0, "");
			break;
		}
		c->req.id[0] = '\0';
		c->minor = 1;
		c->head_only = 0;
		client_refuse(c, NULL, 408,
		    "the request head took more than 10 s", 1);
		break;
	case CL_BODY:
		client_refuse(c, c->req.h, 408,
		    "the request body came too slowly", 1);
		break;
	case CL_BUSY:
	case CL_CLOSING:
		client_close(c, 1, "client stopped reading");
		break;
	default:
		client_close(c, 0, "");
	}
}

static void
client_tick(void *arg, uint64_t now)
{
	struct client *c = arg;
	uint64_t due;

	if (c->state == CL_BODY && c->rate_at + CL_RATE_MS <= now &&
	    c->rate_bytes >= CL_RATE_BYTES) {
		c->rate_at = now;
		c->rate_bytes = 0;
	}
	if ((due = client_due(c)) != 0 && due <= now)
		client_late(c);
	else
		client_arm(c);
}

/* ---- all of them ---- */

int
client_open(struct client_env *env, int fd)
{
	uint64_t now = loop_now(env->loop);
	struct client *c;

	if ((c = calloc(1, sizeof *c)) == NULL) {
		sock_close(fd, 1);
		return -1;
	}
	c->env = env;
	c->state = CL_HEAD;
	link_open(&c->link, fd, CL_OUT_MAX);
	buf_init(&c->in, CL_IN_MAX);
	buf_init(&c->out, CL_OUT_MAX);
	c->watch.fd = fd;
	c->watch.events = client_events;
	c->watch.ready = client_ready;
	c->watch.arg = c->timer.arg = c;
	c->timer.fire = client_tick;
	c->began = c->last_io = now;
	if ((c->next = env->list) != NULL)
		c->next->prev = c;
	env->list = c;
	env->count++;
	loop_add(env->loop, &c->watch);
	client_arm(c);
	if (c->gone) {
		client_close(c, 1, "");
		return -1;
	}
	/* The request is mostly there already. */
	client_read(c, now);
	return 0;
}

void
client_generation(struct client_env *env, struct generation *g)
{
	struct generation *old = env->gen;

	checks_stop(env->checks);
	env->checks = checks_start(g, &env->ex.up);
	g->registry->budget_percent = g->cfg->retry.budget_percent;
	env->gen = g;
	if (old != NULL) {
		generation_retire(old);
		generation_free(old);
	}
}

void
client_drain_all(struct client_env *env)
{
	struct client *c, *next;

	env->draining = 1;
	for (c = env->list; c != NULL; c = next) {
		next = c->next;
		if (c->state == CL_HEAD && c->in.len == 0 &&
		    link_pending(&c->link) == 0)
			client_close(c, 0, "");
	}
}

unsigned
client_close_all(struct client_env *env)
{
	struct client *c;
	unsigned cut = 0;

	while ((c = env->list) != NULL) {
		cut += c->ex != NULL || c->state == CL_BODY ||
		    link_pending(&c->link) > 0;
		client_close(c, 1, "shutting down");
	}
	return cut;
}
