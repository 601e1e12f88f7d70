#include "admin/web.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "net/link.h"
#include "net/socket.h"
#include "tests/t.h"

/*
 * The small server over connections of the loopback interface: clients and
 * server turn on one loop.
 */

#define TURNS_MAX 200000
#define WAIT_MS 20000		/* for what must come at once */

static struct loop *lp;
static struct web *web;

/* ---- clients ---- */

struct caller {
	struct link link;
	struct watch watch;
	struct buf got;
	int deaf;		/* does not read */
};

static unsigned
caller_events(void *arg)
{
	struct caller *c = arg;

	return link_events(&c->link, !c->deaf);
}

static void
caller_ready(void *arg, unsigned bits, uint64_t now)
{
	struct caller *c = arg;

	(void)now;
	if (bits & LOOP_WRITE)
		link_flush(&c->link);
	if ((bits & LOOP_READ) && !c->deaf)
		link_read(&c->link, &c->got, 65536);
}

static void
call(struct caller *c)
{
	struct dns_addr a = { 4, { 127, 0, 0, 1 }, 0 };
	int done;

	memset(c, 0, sizeof *c);
	link_open(&c->link, sock_connect(&a, web_port(web), &done), 8u << 20);
	buf_init(&c->got, 16u << 20);
	c->watch.fd = c->link.fd;
	c->watch.events = caller_events;
	c->watch.ready = caller_ready;
	c->watch.arg = c;
	loop_add(lp, &c->watch);
}

static void
say_n(struct caller *c, const char *p, size_t n)
{
	struct str s = str_n(p, n);

	link_write(&c->link, &s, 1);
}

static void
say(struct caller *c, const char *text)
{
	say_n(c, text, strlen(text));
}

static void
leave(struct caller *c)
{
	loop_remove(lp, &c->watch);
	link_close(&c->link, 0);
	buf_free(&c->got);
}

/* ---- turning ---- */

static int late;

static void
late_fire(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
	late = 1;
}

/* Turns until the condition holds; fails when it never does. */
#define UNTIL(cond, what) do { \
	struct timer guard_; \
	int turns_ = 0; \
	memset(&guard_, 0, sizeof guard_); \
	guard_.fire = late_fire; \
	late = 0; \
	timer_set(lp, &guard_, loop_now(lp) + WAIT_MS); \
	while (!(cond) && !late && turns_++ < TURNS_MAX) \
		loop_turn(lp); \
	timer_clear(lp, &guard_); \
	T_OK(cond, "%s", what); \
} while (0)

static int
has(const struct caller *c, const char *text)
{
	return str_casefind(buf_str(&c->got), str_of(text)) >= 0;
}

static unsigned
count(const struct caller *c, const char *text)
{
	struct str s = buf_str(&c->got);
	unsigned n = 0;
	long at;

	while ((at = str_casefind(s, str_of(text))) >= 0) {
		n++;
		s = str_n(s.p + at + 1, s.n - (size_t)at - 1);
	}
	return n;
}

static int
over(const struct caller *c)
{
	return c->link.eof || c->link.failed;
}

/* ---- the site ---- */

static struct web_request *kept;
static int gone;

static void
on_gone(void *arg)
{
	*(int *)arg += 1;
	kept = NULL;
}

/* Answers with what was asked; "/late" and "/stream" do it later. */
static void
site(void *arg, const struct web_ask *ask)
{
	struct buf b;

	T_OK(arg == &lp, "the site's own argument");
	if (str_is(ask->h->path, "/late")) {
		kept = ask->r;
		web_wait(ask->r, on_gone, &gone);
		return;
	}
	if (str_is(ask->h->path, "/stream")) {
		kept = ask->r;
		web_stream(ask->r, str_of("x-own: 1\r\n"), on_gone, &gone);
		return;
	}
	if (str_is(ask->h->path, "/nothing")) {
		web_answer(ask->r, 204, str_of(""), str_of("unseen"));
		return;
	}
	buf_init(&b, 4u << 20);
	buf_addstr(&b, ask->h->method);
	buf_addc(&b, ' ');
	buf_addstr(&b, ask->h->target);
	buf_fmt(&b, " [%lu:", (unsigned long)ask->body.n);
	buf_addstr(&b, str_n(ask->body.p, ask->body.n < 40 ? ask->body.n :
	    40));
	buf_adds(&b, "]");
	web_answer(ask->r, 200, str_of("x-own: 1\r\n"), buf_str(&b));
	buf_free(&b);
}

/* ---- tests ---- */

static void
check_plain(void)
{
	struct caller c;

	call(&c);
	say(&c, "GET /a?b=1 HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(has(&c, "GET /a?b=1 [0:]"), "an answer");
	T_OK(has(&c, "HTTP/1.1 200 OK\r\nx-own: 1\r\ncontent-length: 15\r\n"
	    "\r\n"), "its head");
	say(&c, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(has(&c, "GET /b [0:]"), "a second on the same connection");
	say(&c, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(has(&c, "HTTP/1.1 204 No Content\r\n\r\n"), "204");
	T_OK(!has(&c, "unseen"), "a 204 has no body");
	say(&c, "HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(count(&c, "content-length:") == 3, "HEAD");
	T_OK(!has(&c, "HEAD /h"), "HEAD has no body");
	say(&c, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\n"
	    "Host: x\r\n\r\nPOST /3 HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 3\r\n\r\nabcGET /4 HTTP/1.1\r\nHost: x\r\n"
	    "Connection: close\r\n\r\n");
	UNTIL(over(&c), "the end that was asked for");
	T_OK(has(&c, "GET /1 [0:]") && has(&c, "GET /2 [0:]") &&
	    has(&c, "POST /3 [3:abc]") && has(&c, "GET /4 [0:]"),
	    "pipelined ones: %.*s", (int)c.got.len, (char *)c.got.p);
	T_OK(count(&c, "connection: close") == 1, "the last one says so");
	leave(&c);
	call(&c);
	say(&c, "GET / HTTP/1.0\r\n\r\n");
	UNTIL(over(&c), "HTTP/1.0 ends");
	T_OK(has(&c, "GET / [0:]"), "after its answer");
	leave(&c);
	call(&c);
	say(&c, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	UNTIL(has(&c, "GET / [0:]"), "HTTP/1.0 that goes on");
	T_OK(has(&c, "connection: keep-alive"), "is told so");
	leave(&c);
}

/* A request cut at each place is the same request. */
static void
check_cuts(void)
{
	static const char *const asks[] = {
		"GET /cut HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /cut HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
		    "12345",
		"POST /cut HTTP/1.1\r\nHost: x\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n"
		    "2\r\n12\r\n3;x=y\r\n345\r\n0\r\nA: b\r\n\r\n"
	};
	static const char *const answers[] = {
		"GET /cut [0:]", "POST /cut [5:12345]", "POST /cut [5:12345]"
	};
	struct caller c;
	size_t i, at, n;

	for (i = 0; i < 3; i++) {
		call(&c);
		n = strlen(asks[i]);
		for (at = 1; at < n; at++) {
			buf_clear(&c.got);
			say_n(&c, asks[i], at);
			loop_turn(lp);
			say_n(&c, asks[i] + at, n - at);
			UNTIL(has(&c, answers[i]), asks[i]);
		}
		leave(&c);
	}
}

static void
check_bodies(void)
{
	struct caller c;
	char *much = malloc(WEB_BODY_MAX + 1);
	char head[128];

	if (much == NULL)
		exit(1);
	memset(much, 'a', WEB_BODY_MAX + 1);
	call(&c);
	snprintf(head, sizeof head, "PUT /big HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: %u\r\n\r\n", WEB_BODY_MAX);
	say(&c, head);
	say_n(&c, much, WEB_BODY_MAX);
	UNTIL(has(&c, "PUT /big [1048576:aaa"), "the largest body");
	snprintf(head, sizeof head, "PUT /big HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: %u\r\n\r\n", WEB_BODY_MAX + 1);
	say(&c, head);
	UNTIL(over(&c), "one byte more");
	T_OK(has(&c, "HTTP/1.1 413") && has(&c, "1 MiB"), "413");
	leave(&c);
	call(&c);
	say(&c, "PUT /big HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n100001\r\n");
	say_n(&c, much, WEB_BODY_MAX + 1);
	UNTIL(has(&c, "HTTP/1.1 413"), "the same in chunks");
	leave(&c);
	call(&c);
	say(&c, "POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
	    "Expect: 100-continue\r\n\r\n");
	UNTIL(has(&c, "HTTP/1.1 100 Continue\r\n\r\n"), "100");
	say(&c, "ab");
	UNTIL(has(&c, "POST /e [2:ab]"), "then the answer");
	leave(&c);
	call(&c);
	say(&c, "POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n"
	    "Expect: 100-continue\r\n\r\n");
	UNTIL(over(&c), "too large, expecting");
	T_OK(!has(&c, "100 Continue") && has(&c, " 413 "), "no 100");
	leave(&c);
	free(much);
}

static void
check_bad(void)
{
	static const struct {
		const char *ask, *answer;
	} list[] = {
		{ "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400" },
		{ "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		    "HTTP/1.1 400" },
		{ "GET / HTTP/1.1\nHost: x\n\n", "HTTP/1.1 400" },
		{ "nonsense\r\n\r\n", "HTTP/1.1 400" },
		{ "GET / HTTP/9.9\r\nHost: x\r\n\r\n", "HTTP/1.1 505" },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400" },
		{ "POST / HTTP/1.1\r\nHost: x\r\n"
		    "Transfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501" },
		{ "POST / HTTP/1.1\r\nHost: x\r\n"
		    "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		    "HTTP/1.1 400" },
		{ "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
		    "HTTP/1.1 501" }
	};
	struct caller c;
	size_t i;
	char *long_head;

	for (i = 0; i < sizeof list / sizeof *list; i++) {
		call(&c);
		say(&c, list[i].ask);
		UNTIL(over(&c), list[i].ask);
		T_OK(has(&c, list[i].answer) && has(&c, "connection: close") &&
		    has(&c, "{\"error\":{\"message\":\"") &&
		    has(&c, "\"field\":null}}"), "%s -> %.*s", list[i].ask,
		    (int)c.got.len, (char *)c.got.p);
		leave(&c);
	}
	if ((long_head = malloc(70000)) == NULL)
		exit(1);
	memset(long_head, 'a', 70000);
	call(&c);
	say(&c, "GET / HTTP/1.1\r\nx-long: ");
	say_n(&c, long_head, 70000);
	UNTIL(has(&c, "HTTP/1.1 431"), "a head that is too long");
	leave(&c);
	free(long_head);
}

static void
check_streams(void)
{
	static char block[32768];
	struct caller c;
	int i;

	gone = 0;
	call(&c);
	say(&c, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(has(&c, "\r\n\r\n") && kept != NULL, "a stream's head");
	T_OK(has(&c, "200 OK") && has(&c, "x-own: 1") &&
	    has(&c, "content-type: text/event-stream") &&
	    has(&c, "transfer-encoding: chunked"), "its fields");
	web_send(kept, str_of("data: 1\n\n"));
	web_send(kept, str_of(""));
	web_send(kept, str_of("data: 2\n\n"));
	UNTIL(has(&c, "9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n"), "chunks");
	T_OK(gone == 0, "still there");
	leave(&c);
	UNTIL(gone == 1, "it left");

	call(&c);
	say(&c, "GET /stream HTTP/1.0\r\n\r\n");
	UNTIL(has(&c, "\r\n\r\n") && kept != NULL, "in HTTP/1.0");
	web_send(kept, str_of("data: 1\n\n"));
	UNTIL(has(&c, "\r\n\r\ndata: 1\n\n"), "without chunks");
	T_OK(!has(&c, "chunked"), "and not called so");
	leave(&c);
	UNTIL(gone == 2, "it left, too");

	call(&c);
	say(&c, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(has(&c, "\r\n\r\n") && kept != NULL, "one that will not read");
	c.deaf = 1;
	memset(block, 'x', sizeof block);
	for (i = 0; i < 10000 && kept != NULL; i++) {
		web_send(kept, str_n(block, sizeof block));
		if (i % 8 == 7)
			say(&c, "x");	/* so that a turn has an end */
		if (i % 8 == 7)
			loop_turn(lp);
	}
	T_OK(gone == 3 && i < 10000, "cut after %d blocks", i);
	leave(&c);
}

static void
check_late(void)
{
	struct caller c;

	gone = 0;
	call(&c);
	say(&c, "GET /late HTTP/1.1\r\nHost: x\r\n\r\n"
	    "GET /after HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(kept != NULL, "asked");
	T_OK(c.got.len == 0, "no answer yet");
	web_answer(kept, 200, str_of(""), str_of("<late>"));
	UNTIL(has(&c, "GET /after [0:]"), "the one behind it");
	T_OK(has(&c, "<late>HTTP/1.1 200"), "in order");
	leave(&c);
	kept = NULL;
	call(&c);
	say(&c, "GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(kept != NULL, "asked again");
	T_OK(gone == 0, "nobody went");
	leave(&c);
	UNTIL(gone == 1, "it left before its answer");
}

static void
check_many(void)
{
	static struct caller all[WEB_CONNECTIONS], more;
	int i;

	for (i = 0; i < WEB_CONNECTIONS; i++) {
		call(&all[i]);
		say(&all[i], "GET /many HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	for (i = 0; i < WEB_CONNECTIONS; i++)
		UNTIL(has(&all[i], "GET /many"), "each is served");
	/* Who waits for an answer or listens is not the one that goes. */
	gone = 0;
	kept = NULL;
	say(&all[0], "GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(kept != NULL, "the first waits");
	kept = NULL;
	say(&all[1], "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(kept != NULL, "the second listens");
	call(&more);
	say(&more, "GET /more HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(has(&more, "GET /more"), "one more is served");
	UNTIL(over(&all[2]), "the one that idles for longest goes");
	T_OK(!over(&all[0]) && !over(&all[1]) && !over(&all[3]),
	    "and nobody else");
	leave(&more);
	leave(&all[0]);
	call(&all[0]);
	say(&all[0], "GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(has(&all[0], "GET /again") || over(&all[0]), "room again");
	for (i = 0; i < WEB_CONNECTIONS; i++)
		leave(&all[i]);
	UNTIL(gone == 2, "both have left");
}

static void
check_close(void)
{
	struct caller c, d;

	gone = 0;
	kept = NULL;
	call(&c);
	say(&c, "GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(kept != NULL, "asked");
	kept = NULL;
	call(&d);
	say(&d, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(kept != NULL, "streaming");
	web_close(web);
	T_OK(gone == 2, "both are told: %d", gone);
	UNTIL(over(&c) && over(&d), "both connections end");
	leave(&c);
	leave(&d);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if ((lp = loop_new()) == NULL)
		return 1;
	T_OK(web_open(lp, str_of("no address"), 0, site, &lp) == NULL,
	    "a name is no address");
	web = web_open(lp, str_of("localhost"), 0, site, &lp);
	if (web == NULL)
		return 1;
	T_OK(web_open(lp, str_of("127.0.0.1"), web_port(web), site, &lp) ==
	    NULL, "the port is taken");
	check_plain();
	check_cuts();
	check_bodies();
	check_bad();
	check_streams();
	check_late();
	check_many();
	check_close();
	loop_free(lp);
	return t_end();
}
