#include "admin/web.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "net/link.h"
#include "net/socket.h"
#include "tests/t.h"

/*
 * How long the small server waits for slow clients.  The loop is one of
 * this test's own, whose clock goes as it is told; the connections are real.
 */

#define WATCHES	16
#define TIMERS	16
#define TURNS_MAX 100000

struct loop {
	struct watch *watches[WATCHES];
	struct timer *timers[TIMERS];
	struct grave *graves;
	uint64_t now;
};

static struct loop the_loop, *lp = &the_loop;

/* ---- what the server knows as net/loop ---- */

void
loop_add(struct loop *l, struct watch *w)
{
	size_t i = 0;

	while (l->watches[i] != NULL)
		i++;
	l->watches[i] = w;
}

void
loop_remove(struct loop *l, struct watch *w)
{
	size_t i;

	for (i = 0; i < WATCHES; i++)
		if (l->watches[i] == w)
			l->watches[i] = NULL;
}

void
loop_again(struct loop *l, struct watch *w)
{
	(void)l;
	w->queued = 1;
}

int
timer_set(struct loop *l, struct timer *t, uint64_t at)
{
	size_t i;

	timer_clear(l, t);
	for (i = 0; l->timers[i] != NULL; i++)
		;
	l->timers[i] = t;
	t->at = at;
	return 0;
}

void
timer_clear(struct loop *l, struct timer *t)
{
	size_t i;

	for (i = 0; i < TIMERS; i++)
		if (l->timers[i] == t)
			l->timers[i] = NULL;
	t->at = 0;
}

void
loop_bury(struct loop *l, struct grave *g, void (*bury)(void *), void *arg)
{
	g->next = l->graves;
	g->bury = bury;
	g->arg = arg;
	l->graves = g;
}

uint64_t
loop_now(const struct loop *l)
{
	return l->now;
}

static void
turn(void)
{
	struct watch *w;
	struct timer *t;
	struct grave *g;
	unsigned bits;
	size_t i;

	for (i = 0; i < WATCHES; i++) {
		if ((w = lp->watches[i]) == NULL)
			continue;
		bits = w->events(w->arg);
		if (bits != 0 || w->queued) {
			w->queued = 0;
			w->ready(w->arg, bits, lp->now);
		}
	}
	for (i = 0; i < TIMERS; i++)
		if ((t = lp->timers[i]) != NULL && t->at <= lp->now) {
			timer_clear(lp, t);
			t->fire(t->arg, lp->now);
		}
	while ((g = lp->graves) != NULL) {
		lp->graves = g->next;
		g->bury(g->arg);
	}
}

/* ---- one client ---- */

static struct web *web;
static struct link client;
static struct buf got;

static void
call(void)
{
	struct dns_addr a = { 4, { 127, 0, 0, 1 }, 0 };
	int done;

	link_open(&client, sock_connect(&a, web_port(web), &done), 1u << 20);
	buf_init(&got, 32u << 20);
}

static void
say(const char *text)
{
	struct str s = str_of(text);

	link_write(&client, &s, 1);
}

static void
leave(void)
{
	link_close(&client, 0);
	buf_free(&got);
}

static int
over(void)
{
	return client.eof || client.failed;
}

static int
has(const char *text)
{
	return str_casefind(buf_str(&got), str_of(text)) >= 0;
}

static void
hear(void)
{
	if (client.fd < 0)
		return;
	link_flush(&client);
	link_read(&client, &got, 65536);
}

/* Turns, reading, until the condition holds. */
#define UNTIL(cond, what) do { \
	int turns_ = 0; \
	while (!(cond) && turns_++ < TURNS_MAX) { \
		turn(); \
		hear(); \
	} \
	T_OK(cond, "%s", what); \
} while (0)

/* Some turns in which nothing is to happen. */
static void
idle(void)
{
	int i;

	for (i = 0; i < 20; i++) {
		turn();
		hear();
	}
}

/* The end comes after ms, and not one before. */
static void
ends_after(uint64_t ms, const char *what)
{
	lp->now += ms - 1;
	idle();
	T_OK(!over() && got.len == 0, "%s: too early", what);
	lp->now += 1;
	UNTIL(over() || got.len > 0, what);
}

/* ---- the site ---- */

static char much[15 << 20];	/* more than the kernel holds */
static struct web_request *kept;
static int gone;

static void
on_gone(void *arg)
{
	(void)arg;
	gone++;
	kept = NULL;
}

static void
site(void *arg, const struct web_ask *ask)
{
	(void)arg;
	if (str_is(ask->h->path, "/much"))
		web_answer(ask->r, 200, str_of(""), str_n(much,
		    sizeof much));
	else if (str_is(ask->h->path, "/stream")) {
		kept = ask->r;
		web_stream(ask->r, str_of(""), on_gone, NULL);
	} else if (str_is(ask->h->path, "/late")) {
		kept = ask->r;
		web_wait(ask->r, on_gone, NULL);
	} else
		web_answer(ask->r, 200, str_of(""), str_of("<ok>"));
}

/* ---- tests ---- */

static void
check_silence(void)
{
	call();
	idle();
	ends_after(60000, "it says nothing");
	T_OK(got.len == 0, "and is told nothing");
	leave();
	call();
	say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(has("<ok>"), "an answer");
	buf_clear(&got);
	ends_after(60000, "nothing more comes");
	leave();
}

static void
check_head(void)
{
	int i;

	call();
	say("GET / HT");
	idle();
	ends_after(10000, "half a head");
	UNTIL(over(), "the end of it");
	T_OK(has("HTTP/1.1 408") && has("10 s"), "408");
	leave();
	call();
	say("GET / HTTP/1.1\r\n");
	idle();
	for (i = 0; i < 9; i++) {
		lp->now += 1000;
		say("a: b\r\n");
		idle();
		T_OK(got.len == 0, "after %d s", i + 1);
	}
	ends_after(1000, "a head in drops");
	T_OK(has("HTTP/1.1 408"), "408, too");
	leave();
	call();
	say("GET / HTTP/1.1\r\n");
	idle();
	lp->now += 9999;
	say("Host: x\r\n\r\n");
	UNTIL(has("<ok>"), "in time");
	leave();
}

static void
check_body(void)
{
	int i;

	call();
	say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n");
	idle();
	for (i = 0; i < 29; i++) {
		lp->now += 1000;
		say("a");
		idle();
		T_OK(got.len == 0, "after %d s", i + 1);
	}
	ends_after(1000, "a body in drops");
	UNTIL(over(), "the end of it");
	T_OK(has("HTTP/1.1 408") && has("30 s"), "408");
	leave();
}

static void
check_output(void)
{
	int i;

	call();
	say("GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
	/* What the kernel takes at first counts as taken. */
	for (i = 0; i < 120; i++) {
		lp->now += 1000;
		turn();
	}
	UNTIL(over(), "an answer that nobody takes");
	T_OK(got.len < sizeof much, "it did not come whole");
	leave();
	/* Who takes it slowly gets it. */
	call();
	say("GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
	for (i = 0; i < 2000 && got.len < sizeof much; i++) {
		lp->now += 5000;
		turn();
		hear();
	}
	T_OK(got.len > sizeof much, "slowly: %lu", (unsigned long)got.len);
	leave();
}

static void
check_linger(void)
{
	call();
	say("nonsense\r\n\r\n");
	UNTIL(client.eof, "refused");
	T_OK(has("HTTP/1.1 400"), "400");
	lp->now += 4000;
	say("more");
	idle();
	lp->now += 2000;
	idle();
	say("more");
	idle();
	say("more");
	UNTIL(client.out_failed || client.failed || link_flush(&client) == -1,
	    "it does not linger for ever");
	leave();
}

static void
check_patience(void)
{
	gone = 0;
	call();
	say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(has("\r\n\r\n"), "a stream");
	lp->now += 3600000;
	idle();
	T_OK(!over() && gone == 0, "an hour of silence is fine");
	web_send(kept, str_of("data: x\n\n"));
	UNTIL(has("data: x"), "it goes on");
	leave();
	UNTIL(gone == 1, "it left");
	call();
	say("GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
	UNTIL(kept != NULL, "asked");
	lp->now += 3600000;
	idle();
	T_OK(!over() && gone == 1, "the site has time");
	web_answer(kept, 200, str_of(""), str_of("<late>"));
	UNTIL(has("<late>"), "an hour later");
	leave();
	idle();
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	lp->now = 1000000;
	web = web_open(lp, str_of("127.0.0.1"), 0, site, NULL);
	if (web == NULL)
		return 1;
	check_silence();
	check_head();
	check_body();
	check_output();
	check_linger();
	check_patience();
	web_close(web);
	turn();
	return t_end();
}
