#include "relay/upstream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/socket.h"
#include "wire/http_body.h"

#define UP_IN_MAX	(HTTP_HEAD_MAX + 65536)
#define UP_READ		65536		/* bytes of one wake-up: fairness */
#define UP_POOL_MAX	128		/* idle connections of one target */
#define UP_POOL_MS	60000		/* the longest that one stays idle */
#define UP_ADDR_MS	300		/* least time for one of many */
#define UP_HANDSHAKES	16		/* at a time: streams must not wait */
#define UP_INTERIM_MAX	50

static void upstream_fail(struct upstream *, enum fo_fault, const char *,
    uint64_t);
static void connect_next(struct upstream *, uint64_t);

/* ---- the pool and the end ---- */

static void
list_remove(struct upstream **list, struct upstream *u)
{
	if (u->prev != NULL)
		u->prev->next = u->next;
	else
		*list = u->next;
	if (u->next != NULL)
		u->next->prev = u->prev;
	u->next = u->prev = NULL;
}

static void
list_push(struct upstream **list, struct upstream *u)
{
	u->prev = NULL;
	if ((u->next = *list) != NULL)
		u->next->prev = u;
	*list = u;
}

static void
upstream_bury(void *arg)
{
	struct upstream *u = arg;

	free(u);
}

static void handshake_leave(struct upstream *);

static void
upstream_close(struct upstream *u)
{
	if (u->state == UP_DEAD)
		return;
	if (u->state == UP_TLS || u->state == UP_TLS_QUEUE)
		handshake_leave(u);
	if (u->state == UP_IDLE) {
		list_remove(&u->target->idle, u);
		u->target->nidle--;
	}
	/* An engine that goes on after a failure must not be resumed. */
	if (u->state == UP_TLS)
		tls_session_forget(&u->target->session);
	u->state = UP_DEAD;
	resolve_cancel(&u->resolve);
	timer_clear(u->env->loop, &u->timer);
	loop_remove(u->env->loop, &u->watch);
	if (u->link.fd >= 0) {
		link_bye(&u->link);
		link_close(&u->link, 0);
	}
	buf_wipe(&u->req.head);
	buf_free(&u->in);
	loop_bury(u->env->loop, &u->grave, upstream_bury, u);
}

void
upstream_abort(struct upstream *u)
{
	u->told = 1;
	upstream_close(u);
}

void
upstream_drop_idle(struct target *t)
{
	while (t->idle != NULL)
		upstream_close(t->idle);
}

static int upstream_arm(struct upstream *);

/* The answer is complete and the connection is clean: keep it. */
static void
pool_put(struct upstream *u, uint64_t now)
{
	struct target *t = u->target;

	if (!u->keep || t->gen->retired || t->nidle >= UP_POOL_MAX ||
	    u->link.eof || u->link.failed || u->in.len > 0 ||
	    link_has_more(&u->link) ||
	    u->out_done < u->req.head.len + u->req.body.n) {
		upstream_close(u);
		return;
	}
	buf_wipe(&u->req.head);
	buf_free(&u->in);
	u->state = UP_IDLE;
	u->ops = NULL;
	u->last_io = now;
	list_push(&t->idle, u);
	t->nidle++;
	if (upstream_arm(u) == -1)
		upstream_close(u);
}

/* What came unasked since must not be taken for the answer. */
static struct upstream *
pool_take(struct target *t)
{
	struct upstream *u;

	while ((u = t->idle) != NULL && !sock_idle(u->link.fd))
		upstream_close(u);
	if (u == NULL)
		return NULL;
	list_remove(&t->idle, u);
	t->nidle--;
	return u;
}

/* ---- telling the borrower ---- */

static void
upstream_fail(struct upstream *u, enum fo_fault fault, const char *why,
    uint64_t now)
{
	const struct upstream_ops *ops = u->ops;

	if (u->told || u->state == UP_DEAD || u->pending != FO_NONE_FAULT)
		return;
	if (why != u->why)
		snprintf(u->why, sizeof u->why, "%s", why);
	if (u->starting) {
		u->pending = fault;
		return;
	}
	u->told = 1;
	upstream_close(u);
	if (ops != NULL)
		ops->fail(u->arg, fault, u->why, now);
}

static void
upstream_done(struct upstream *u, uint64_t now)
{
	const struct upstream_ops *ops = u->ops;
	void *arg = u->arg;

	if (u->told || u->state == UP_DEAD)
		return;
	u->told = 1;
	pool_put(u, now);
	ops->done(arg, now);
}

/* ---- time ---- */

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return b != 0 && (a == 0 || b < a) ? b : a;
}

/* When what we wait for now must have happened. */
static uint64_t
upstream_due(const struct upstream *u)
{
	const struct config_timeouts *t = &u->target->cfg->timeouts;
	uint64_t at;

	if (u->state == UP_IDLE)
		return u->last_io + UP_POOL_MS;
	if (u->state != UP_EXCHANGE)
		at = sooner(u->started + t->connect, u->addr_at);
	else if (u->got_head || u->sent == 0) {
		at = u->last_io + t->idle;
		if (!u->got_head && !u->req.stream)
			at = sooner(at, u->connected + t->response);
	} else if (u->req.timeout != 0)
		at = u->started + u->req.timeout;
	else if (u->req.stream)
		at = u->sent + t->first_byte;
	else
		at = u->connected + t->response;
	/* cc-proxy's limit: a whole plain attempt, a stream's head. */
	if (u->req.timeout != 0 && !(u->got_head && u->req.stream))
		at = sooner(at, u->started + u->req.timeout);
	if (t->total != 0)
		at = sooner(at, u->started + t->total);
	return sooner(at, u->hurry_at);
}

/* Sets the timer if it would fire too late. */
static int
upstream_arm(struct upstream *u)
{
	uint64_t due = upstream_due(u);

	if (u->timer.at != 0 && u->timer.at <= due)
		return 0;
	return timer_set(u->env->loop, &u->timer, due);
}

static void
upstream_late(struct upstream *u, uint64_t now)
{
	const char *what = u->state == UP_RESOLVE ? "to resolve the name" :
	    u->state == UP_CONNECT ? "to connect" :
	    u->state != UP_EXCHANGE ? "for the TLS handshake" :
	    u->sent == 0 ? "to send the request" :
	    !u->got_head ? "for an answer" : "for more of the answer";

	snprintf(u->why, sizeof u->why, "waited %.1f s %s",
	    (double)(now - (u->got_head ? u->last_io : u->started)) / 1000,
	    what);
	/* The queue for handshakes is ours, and no fault of the backend. */
	upstream_fail(u, u->state == UP_TLS_QUEUE ? FO_LOCAL_FAULT :
	    FO_TIMEOUT_FAULT, u->why, now);
}

static void
upstream_tick(void *arg, uint64_t now)
{
	struct upstream *u = arg;
	enum fo_fault fault = u->pending;

	if (fault != FO_NONE_FAULT) {
		u->pending = FO_NONE_FAULT;
		upstream_fail(u, fault, u->why, now);
		return;
	}
	if (u->state == UP_EXCHANGE && u->got_head && !u->ops->wants(u->arg))
		u->last_io = now;	/* we hold it up, not the backend */
	if (upstream_due(u) > now && upstream_arm(u) == 0)
		return;
	if (u->state == UP_IDLE)
		upstream_close(u);
	else if (upstream_due(u) > now)
		upstream_fail(u, FO_LOCAL_FAULT, "out of memory", now);
	else if (u->state == UP_CONNECT && u->addr_at != 0 &&
	    u->addr_at <= now && upstream_due(u) == u->addr_at)
		connect_next(u, now);
	else
		upstream_late(u, now);
}

void
upstream_hurry(struct upstream *u, uint64_t at)
{
	u->hurry_at = sooner(u->hurry_at, at);
	upstream_arm(u);
}

/* ---- the exchange of bytes ---- */

static int
unsent(const struct upstream *u)
{
	return u->state == UP_EXCHANGE && u->sent == 0 &&
	    u->out_done < u->req.head.len + u->req.body.n;
}

/* Nothing is told before upstream_start() returns. */
static void
moved(struct upstream *u, uint64_t now)
{
	if (!u->starting && u->ops->moved != NULL)
		u->ops->moved(u->arg, now);
}

/* Sends what the peer takes.  The head is wiped when it is all out. */
static void
upstream_send(struct upstream *u, uint64_t now)
{
	struct str v[2], head = buf_str(&u->req.head);
	size_t k, n;

	while (unsent(u) && !u->link.out_failed && !u->link.failed) {
		n = 0;
		if (u->out_done < head.n) {
			v[n++] = str_n(head.p + u->out_done,
			    head.n - u->out_done);
			if (u->req.body.n > 0)
				v[n++] = u->req.body;
		} else {
			k = u->out_done - head.n;
			v[n++] = str_n(u->req.body.p + k,
			    u->req.body.n - k);
		}
		if ((k = link_offer(&u->link, v, n)) == 0)
			break;
		u->out_done += k;
		u->last_io = now;
		if (u->phase == FO_SEND && !unsent(u))
			u->phase = FO_WAIT;
	}
	if (!unsent(u) && u->sent == 0) {
		u->sent = now;
		moved(u, now);
	}
}

static void
head_told(struct upstream *u, const struct http_head *h, uint64_t now)
{
	u->got_head = 1;
	u->phase = FO_HEAD;
	u->keep = h->keep_alive && h->framing != HTTP_UNTIL_CLOSE &&
	    !unsent(u);
	http_body_start(&u->body, h);
	upstream_arm(u);
	u->ops->head(u->arg, h, now);
}

/* Reads heads until the one that counts.  0: go on with the body. */
static int
read_head(struct upstream *u, uint64_t now)
{
	struct http_head h;
	struct str s = buf_str(&u->in);

	switch (http_response(&h, s.p, s.n, u->seen, u->req.head_only)) {
	case HTTP_MORE:
		u->seen = s.n;
		return -1;
	case HTTP_BAD:
		upstream_fail(u, FO_FRAMING_FAULT, h.why, now);
		return -1;
	case HTTP_OK:
		break;
	}
	u->seen = 0;
	if (h.status >= 200) {
		head_told(u, &h, now);
		if (u->state == UP_DEAD)
			return -1;
		buf_take(&u->in, h.size);
		return 0;
	}
	if (h.status == 101)
		upstream_fail(u, FO_FRAMING_FAULT,
		    "status 101 although no upgrade was asked for", now);
	else if (http_get(&h, HTTP_TRANSFER_ENCODING).p != NULL ||
	    (http_get(&h, HTTP_CONTENT_LENGTH).p != NULL &&
	    !str_is(http_get(&h, HTTP_CONTENT_LENGTH), "0")))
		upstream_fail(u, FO_FRAMING_FAULT,
		    "an interim answer with a body", now);
	else if (++u->interim > UP_INTERIM_MAX)
		upstream_fail(u, FO_FRAMING_FAULT,
		    "more than 50 interim answers", now);
	else {
		buf_take(&u->in, h.size);
		return read_head(u, now);	/* 50 deep at most */
	}
	return -1;
}

static void
read_body(struct upstream *u, uint64_t now)
{
	struct str data, s;
	enum http_rc rc;
	size_t used;

	do {
		s = buf_str(&u->in);
		rc = http_body_feed(&u->body, s.p, s.n, &used, &data);
		if (rc == HTTP_BAD) {
			upstream_fail(u, FO_FRAMING_FAULT, u->body.why, now);
			return;
		}
		if (data.n > 0)
			u->ops->body(u->arg, data, now);
		if (u->state == UP_DEAD)
			return;
		buf_take(&u->in, used);
	} while (rc == HTTP_MORE && u->in.len > 0);
	if (rc == HTTP_OK)
		upstream_done(u, now);
}

/* What arrived is looked at; may end in any state. */
static void
upstream_parse(struct upstream *u, uint64_t now)
{
	if (!u->got_head && u->in.len > 0 && read_head(u, now) == -1)
		return;
	if (u->got_head && (u->in.len > 0 || u->body.done ||
	    u->body.framing == HTTP_NO_BODY))
		read_body(u, now);
}

static void
upstream_ended(struct upstream *u, uint64_t now)
{
	const char *how = u->link.failed || u->link.out_failed ?
	    link_why(&u->link) : "the connection was closed";

	if (u->got_head) {
		if (!u->link.failed && !u->link.cut &&
		    http_body_eof(&u->body) == HTTP_OK)
			upstream_done(u, now);
		else
			upstream_fail(u, FO_TRUNCATED_FAULT, u->link.cut ?
			    "TLS ended without close_notify" : how, now);
		return;
	}
	snprintf(u->why, sizeof u->why, "%s %s", how, u->any_bytes ?
	    "within the head of the answer" : "before any answer");
	upstream_fail(u, u->any_bytes ? FO_TRUNCATED_FAULT : FO_CLOSED_FAULT,
	    u->why, now);
}

static void
upstream_read(struct upstream *u, uint64_t now)
{
	size_t got, total = 0;

	while (u->state == UP_EXCHANGE && total < UP_READ) {
		if (u->got_head && !u->ops->wants(u->arg))
			break;
		got = link_read(&u->link, &u->in, UP_READ - total);
		if (got > 0) {
			total += got;
			u->last_io = now;
			u->any_bytes = 1;
			upstream_parse(u, now);
		}
		if (u->state != UP_EXCHANGE)
			return;
		if (u->link.eof || u->link.failed) {
			upstream_ended(u, now);
			return;
		}
		if (got == 0 || !link_has_more(&u->link))
			break;
	}
	if (u->in.len == 0)
		buf_free(&u->in);
	if (link_has_more(&u->link) && (!u->got_head || u->ops->wants(u->arg)))
		loop_again(u->env->loop, &u->watch);
	if (u->got_head && total > 0)
		u->ops->pause(u->arg, now);
}

static void
exchange_begin(struct upstream *u, uint64_t now)
{
	u->state = UP_EXCHANGE;
	u->phase = FO_SEND;
	u->connected = u->last_io = now;
	moved(u, now);
	upstream_send(u, now);
	if (u->link.out_failed || u->link.failed)
		loop_again(u->env->loop, &u->watch);
	if (upstream_arm(u) == -1)
		upstream_fail(u, FO_LOCAL_FAULT, "out of memory", now);
}

/* ---- TLS ---- */

static void
handshake_step(struct upstream *u, uint64_t now)
{
	if (link_handshake(&u->link) == -1) {
		snprintf(u->why, sizeof u->why, "%s", link_why(&u->link));
		upstream_fail(u, FO_TLS_FAULT, u->why, now);
		return;
	}
	if (!link_ready(&u->link))
		return;
	handshake_leave(u);
	exchange_begin(u, now);
}

static void
handshake_begin(struct upstream *u, uint64_t now)
{
	unsigned char seed[32];
	struct tls *t = NULL;

	u->state = UP_TLS;
	u->env->handshakes++;
	u->phase = FO_TLS;
	if (sock_random(seed, sizeof seed) == 0)
		t = tls_client(u->target->roots, u->target->cfg->url.host,
		    seed, loop_wall(u->env->loop) / 1000,
		    &u->target->session);
	util_wipe(seed, sizeof seed);
	if (t == NULL) {
		upstream_fail(u, FO_LOCAL_FAULT,
		    "no memory or randomness for TLS", now);
		return;
	}
	link_tls(&u->link, t);
	handshake_step(u, now);
}

/* The next one in the queue may shake hands, if there is a place. */
static void
handshake_next(struct upstream_env *env)
{
	struct upstream *w = env->waiting;

	if (w == NULL || env->handshakes >= UP_HANDSHAKES)
		return;
	while (w->next != NULL)
		w = w->next;		/* the longest waiting is last */
	loop_again(env->loop, &w->watch);
}

/* It shakes hands no more, or waits no more for its turn. */
static void
handshake_leave(struct upstream *u)
{
	if (u->state == UP_TLS_QUEUE)
		list_remove(&u->env->waiting, u);
	else
		u->env->handshakes--;
	handshake_next(u->env);
}

static void
connect_done(struct upstream *u, uint64_t now)
{
	u->target->good = u->addrs.addrs[u->next_addr - 1];
	u->addr_at = 0;
	if (u->target->roots == NULL) {
		exchange_begin(u, now);
		return;
	}
	if (u->env->handshakes < UP_HANDSHAKES) {
		handshake_begin(u, now);
		return;
	}
	u->state = UP_TLS_QUEUE;
	list_push(&u->env->waiting, u);
}

/* ---- connecting ---- */

static void
connect_failed(struct upstream *u, int err, uint64_t now)
{
	char at[64];

	dns_text(at, &u->addrs.addrs[u->next_addr - 1]);
	snprintf(u->why, sizeof u->why, "%s (%s port %u)", sock_why(err), at,
	    (unsigned)u->target->cfg->url.port);
	if (err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM)
		upstream_fail(u, FO_LOCAL_FAULT, u->why, now);
	else if (u->next_addr < u->addrs.n)
		connect_next(u, now);
	else
		upstream_fail(u, FO_CONNECT_FAULT, u->why, now);
}

/* Tries the next address; each but the last gets a share of the time. */
static void
connect_next(struct upstream *u, uint64_t now)
{
	const struct config_backend *b = u->target->cfg;
	uint64_t end = u->started + b->timeouts.connect, share;
	int fd, done = 0;

	loop_remove(u->env->loop, &u->watch);
	if (u->link.fd >= 0)
		link_close(&u->link, 0);
	u->state = UP_CONNECT;
	u->phase = FO_CONNECT;
	fd = sock_connect(&u->addrs.addrs[u->next_addr++], b->url.port, &done);
	if (fd < 0) {
		connect_failed(u, errno, now);
		return;
	}
	share = end > now ? (end - now) / (u->addrs.n - u->next_addr + 1) : 0;
	u->addr_at = u->next_addr == u->addrs.n ? 0 :
	    now + (share < UP_ADDR_MS ? UP_ADDR_MS : share);
	link_open(&u->link, fd, UP_READ);
	u->watch.fd = fd;
	loop_add(u->env->loop, &u->watch);
	if (upstream_arm(u) == -1)
		upstream_fail(u, FO_LOCAL_FAULT, "out of memory", now);
	else if (done)
		connect_done(u, now);
}

/* The address that worked last goes first. */
static void
addrs_prefer(struct dns_answer *a, const struct dns_addr *good)
{
	struct dns_addr first;
	size_t i;

	for (i = 1; good->len != 0 && i < a->n; i++)
		if (a->addrs[i].len == good->len &&
		    memcmp(a->addrs[i].b, good->b, good->len) == 0) {
			first = a->addrs[i];
			memmove(a->addrs + 1, a->addrs, i * sizeof first);
			a->addrs[0] = first;
			return;
		}
}

static void
resolved(void *arg, const struct dns_answer *ans, const char *why,
    uint64_t now)
{
	struct upstream *u = arg;

	if (ans->n == 0) {
		upstream_fail(u, FO_DNS_FAULT, why, now);
		return;
	}
	u->addrs = *ans;
	addrs_prefer(&u->addrs, &u->target->good);
	connect_next(u, now);
}

/* ---- events ---- */

static unsigned
upstream_events(void *arg)
{
	struct upstream *u = arg;

	if (u->pending != FO_NONE_FAULT)
		return 0;	/* the timer tells it */
	switch (u->state) {
	case UP_CONNECT:
		return LOOP_WRITE;
	case UP_TLS_QUEUE:
		return 0;
	case UP_TLS:
		return link_events(&u->link, 1);
	case UP_EXCHANGE:
		return link_events(&u->link, !u->got_head ||
		    u->ops->wants(u->arg)) |
		    (unsent(u) && !u->link.out_failed ? LOOP_WRITE : 0u);
	case UP_IDLE:
		return LOOP_READ | LOOP_LAZY;
	default:
		return 0;
	}
}

static void
upstream_ready(void *arg, unsigned bits, uint64_t now)
{
	struct upstream *u = arg;
	int err;

	switch (u->state) {
	case UP_CONNECT:
		if ((err = sock_error(u->link.fd)) != 0)
			connect_failed(u, err, now);
		else if (bits & LOOP_WRITE)
			connect_done(u, now);
		break;
	case UP_TLS_QUEUE:
		if (u->env->handshakes < UP_HANDSHAKES) {
			list_remove(&u->env->waiting, u);
			u->started = now;	/* the wait was our own */
			handshake_begin(u, now);
			handshake_next(u->env);	/* two may have left */
		}
		break;
	case UP_TLS:
		handshake_step(u, now);
		break;
	case UP_EXCHANGE:
		upstream_send(u, now);
		upstream_read(u, now);
		break;
	case UP_IDLE:		/* an end, or bytes that nobody asked for */
		upstream_close(u);
		break;
	default:
		break;
	}
}

void
upstream_resume(struct upstream *u)
{
	if (u->state != UP_EXCHANGE)
		return;
	u->last_io = loop_now(u->env->loop);	/* it was we who waited */
	loop_again(u->env->loop, &u->watch);
}

static void
request_set(struct upstream *u, const struct upstream_request *req,
    const struct upstream_ops *ops, void *arg, uint64_t now)
{
	u->req = *req;
	u->ops = ops;
	u->arg = arg;
	u->out_done = 0;
	u->started = u->last_io = now;
	u->connected = u->sent = u->hurry_at = 0;
	u->interim = 0;
	u->seen = 0;
	u->any_bytes = u->got_head = u->keep = u->told = 0;
}

static struct upstream *
upstream_new(struct target *t, struct upstream_env *env)
{
	struct upstream *u;

	if ((u = calloc(1, sizeof *u)) == NULL)
		return NULL;
	u->target = t;
	u->env = env;
	u->link.fd = u->watch.fd = -1;
	buf_init(&u->in, UP_IN_MAX);
	u->watch.events = upstream_events;
	u->watch.ready = upstream_ready;
	u->watch.arg = u->timer.arg = u->resolve.arg = u;
	u->timer.fire = upstream_tick;
	u->resolve.done = resolved;
	return u;
}

/* A failure before upstream_start() returns is told in the next turn. */
static void
start_fresh(struct upstream *u, uint64_t now)
{
	const struct config_backend *b = u->target->cfg;
	struct str name = b->address.p != NULL ? b->address : b->url.host;
	struct dns_answer ans;
	const char *why = "";

	u->phase = FO_RESOLVE;
	u->state = UP_RESOLVE;
	switch (resolve(u->env->dns, &u->resolve, name, &ans, &why)) {
	case 1:
		resolved(u, &ans, "", now);
		break;
	case -1:
		upstream_fail(u, FO_DNS_FAULT, why, now);
		break;
	default:
		if (upstream_arm(u) == -1)
			upstream_fail(u, FO_LOCAL_FAULT, "out of memory",
			    now);
	}
}

struct upstream *
upstream_start(struct target *t, struct upstream_env *env,
    const struct upstream_request *req, int fresh,
    const struct upstream_ops *ops, void *arg)
{
	uint64_t now = loop_now(env->loop);
	struct upstream *u = fresh ? NULL : pool_take(t);
	struct buf head = req->head;
	int pooled = u != NULL;

	if (u == NULL && (u = upstream_new(t, env)) == NULL) {
		buf_wipe(&head);
		return NULL;
	}
	request_set(u, req, ops, arg, now);
	u->reused = pooled != 0;
	u->starting = 1;
	if (pooled)
		exchange_begin(u, now);
	else
		start_fresh(u, now);
	u->starting = 0;
	if (u->pending != FO_NONE_FAULT &&
	    timer_set(env->loop, &u->timer, now) == -1) {
		upstream_abort(u);
		return NULL;
	}
	return u;
}
