/* The clients' part of a plan: their connections and requests. */
#include "tests/sim/plan.h"

#include <stdio.h>
#include <string.h>

/* ---- requests ---- */

/* Filler that is JSON text, and different in each request. */
static void
filler(struct bytes *b, unsigned id, size_t n)
{
	char line[64];
	size_t k;

	while (n > 0) {
		k = (size_t)snprintf(line, sizeof line,
		    "%u words of request %u. ", dice(1000), id);
		bytes_add(b, line, k < n ? k : n);
		n -= k < n ? k : n;
	}
}

static void
body_make(struct request *r)
{
	size_t n = dice(600);

	if (chance(3))
		n = between(20000, 200000);
	bytes_fmt(&r->before, "{ \"max_tokens\": 9,");
	if (chance(50))
		bytes_fmt(&r->before, "\"stream\" :%s,\n",
		    r->kind == KIND_STREAM ? "true" : "false");
	else if (r->kind == KIND_STREAM)
		bytes_fmt(&r->before, "\"stream\":true,");
	bytes_fmt(&r->before, "\"model\":\"");
	bytes_fmt(&r->after, "\",\"messages\":[{\"role\":\"user\","
	    "\"content\":\"");
	filler(&r->after, r->id, n);
	bytes_fmt(&r->after, "\"}]}%s", chance(10) ? "\r\n" : "");
}

/* A line of the head; it goes on to the backends if goes is set. */
static void
line(struct request *r, int goes, const char *text)
{
	bytes_fmt(&r->wire, "%s\r\n", text);
	if (goes)
		bytes_fmt(&r->lines, "%s\r\n", text);
}

static void
head_lines(struct request *r)
{
	int reads = r->kind == KIND_PLAIN || r->kind == KIND_STREAM;
	char text[64];

	line(r, 0, "Host: 127.0.0.1:3456");
	snprintf(text, sizeof text, "x-request-id: %s", r->name);
	if (chance(50))
		line(r, !reads, "Accept-Encoding: gzip");
	line(r, 1, text);
	if (!plan.openai)
		line(r, 1, "anthropic-version: 2023-06-01");
	r->key = (int)(chance(15) ? KEYS : dice(KEYS));
	if (plan.keyed) {
		snprintf(text, sizeof text, "%sclient-key-%d", plan.openai ?
		    "Authorization: Bearer " : "x-api-key: ", r->key);
		line(r, 0, text);
	} else if (chance(50))
		line(r, 0, plan.openai ? "Authorization: Bearer mine" :
		    "x-api-key: mine");
	if (chance(20))
		line(r, 0, "Connection: keep-alive, X-Hop");
	if (chance(20))
		line(r, 1, "X-Custom: a, b;  c");
	r->minor = !chance(10);
	if (!r->minor && chance(50))
		line(r, 0, "Connection: keep-alive");
	else if (!r->minor)
		r->close = 1;
	else if ((r->close = chance(5)) != 0)
		line(r, 0, "Connection: close");
}

/* The body in chunks of any size. */
static void
chunks_add(struct request *r, const struct bytes *body)
{
	size_t at = 0, n;

	while (at < body->n) {
		n = 1 + dice((unsigned)(body->n - at));
		bytes_fmt(&r->wire, "%lx%s\r\n", (unsigned long)n,
		    chance(10) ? ";x=y" : "");
		bytes_add(&r->wire, body->p + at, n);
		bytes_fmt(&r->wire, "\r\n");
		at += n;
	}
	bytes_fmt(&r->wire, "0\r\n%s\r\n", chance(10) ? "X-T: 1\r\n" : "");
}

static void
request_finish(struct request *r)
{
	struct bytes body = { NULL, 0, 0 };

	if (r->before.n == 0) {
		bytes_fmt(&r->wire, "\r\n");
		r->head_n = r->wire.n;
		return;
	}
	bytes_add(&body, r->before.p, r->before.n);
	bytes_fmt(&body, "%s", r->model);
	bytes_add(&body, r->after.p, r->after.n);
	r->chunked = r->minor && chance(20);
	if ((r->expect = r->minor && chance(10)) != 0)
		line(r, 0, "Expect: 100-continue");
	if (r->chunked)
		bytes_fmt(&r->wire, "Transfer-Encoding: chunked\r\n\r\n");
	else
		bytes_fmt(&r->wire, "Content-Length: %lu\r\n\r\n",
		    (unsigned long)body.n);
	r->head_n = r->wire.n;
	if (r->chunked)
		chunks_add(r, &body);
	else
		bytes_add(&r->wire, body.p, body.n);
}

/* What no backend gets to see: text after the fields that all have. */
static void
wrong_make(struct request *r)
{
	static const struct {
		int status;
		const char *text;
	} list[] = {
		{ 400, "Bad Field : x\r\n\r\n" },
		{ 400, "X-Bad: \001\r\n\r\n" },
		{ 400, "Content-Length: 9\r\n\r\n{\"model\":" },
		{ 400, "Content-Length: 3\r\nContent-Length: 3\r\n\r\n{ }" },
		{ 400, "Transfer-Encoding: chunked\r\n\r\n4\r\n{ \"a}\r\n" },
		{ 413, "Content-Length: 99999999999\r\n\r\n" },
		{ 501, "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n" }
	};
	unsigned i = dice(sizeof list / sizeof *list);

	r->refused = list[i].status;
	r->minor = 1;
	bytes_fmt(&r->wire, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:3456\r\n"
	    "x-request-id: %s\r\n%s%s", plan.openai ?
	    "/v1/chat/completions" : "/v1/messages", r->name,
	    plan.openai ? "" : "anthropic-version: 2023-06-01\r\n",
	    list[i].text);
	r->head_n = r->wire.n;
}

static void
request_make(struct request *r, unsigned id)
{
	struct bytes rest;
	unsigned what = dice(100);

	r->id = id;
	r->kind = what < 40 ? KIND_PLAIN : what < 85 ? KIND_STREAM :
	    what < 90 ? KIND_OTHER : what < 93 ? KIND_HEAD : what < 97 ?
	    KIND_LOCAL : KIND_WRONG;
	r->model = plan.openai ? "gpt-4o" : "claude-x-1";
	snprintf(r->name, sizeof r->name, "q%u", id);
	if (r->kind == KIND_WRONG) {
		wrong_make(r);
		return;
	}
	if (r->kind == KIND_PLAIN || r->kind == KIND_STREAM)
		body_make(r);
	head_lines(r);
	rest = r->wire;
	memset(&r->wire, 0, sizeof r->wire);
	bytes_fmt(&r->wire, "%s HTTP/1.%d\r\n",
	    r->kind == KIND_LOCAL ? "GET /health" :
	    r->kind == KIND_OTHER ? "GET /v1/files/7?limit=1" :
	    r->kind == KIND_HEAD ? "HEAD /v1/files/7?limit=1" :
	    plan.openai ? "POST /v1/chat/completions" : "POST /v1/messages",
	    r->minor);
	bytes_add(&r->wire, rest.p, rest.n);
	request_finish(r);
}

/* ---- connections ---- */

static void
conn_leave(struct conn *c)
{
	unsigned i;
	size_t all = 0;

	for (i = 0; i < c->n; i++)
		all += plan.requests[c->first + i].wire.n;
	switch (dice(10)) {
	case 0:
		c->leave = LEAVE_AT;
		c->leave_n = dice(2500);
		break;
	case 1:
		c->leave = LEAVE_SENT;
		c->leave_n = dice((unsigned)all + 1);
		break;
	case 2:
		c->leave = LEAVE_GOT;
		c->leave_n = dice(chance(50) ? 400 : 4000);
		break;
	default:
		break;
	}
	c->leave_how = (int)dice(3);
}

static void
conn_make(struct conn *c, unsigned index, unsigned first, unsigned n)
{
	static const unsigned sizes[] = { 1, 7, 100, 1500, 16384, 1u << 20 };
	static const size_t windows[] = { 512, 4096, 65536, 1u << 20 };

	c->index = index;
	c->first = first;
	c->n = n;
	c->start = chance(30) ? 0 : dice(3000);
	c->pipelined = chance(30);
	c->piece = sizes[chance(60) ? 5 : 1 + dice(5)];
	c->gap = chance(70) ? 0 : dice(20);
	c->take = sizes[chance(70) ? 5 : 2 + dice(4)];
	c->take_gap = chance(70) ? 0 : dice(40);
	if (chance(3))
		c->stuck = 1 + dice(3000);
	c->silent = chance(2);
	c->stays = chance(5);
	c->window_in = windows[dice(4)];
	c->window_out = windows[dice(4)];
	c->shy = chance(30) ? between(1, 60) : 0;
	conn_leave(c);
}

void
plan_users(void)
{
	unsigned i, n, done = 0;

	for (i = 0; i < plan.nrequests; i++)
		request_make(&plan.requests[i], i);
	while (done < plan.nrequests) {
		n = chance(50) ? 1 : between(1, 6);
		if (n > plan.nrequests - done ||
		    plan.nconns + 1 == CONNS_MAX)
			n = plan.nrequests - done;
		conn_make(&plan.conns[plan.nconns], plan.nconns, done, n);
		plan.nconns++;
		done += n;
	}
}
