#include "net/resolve.h"

#include <sys/socket.h>
#include <netinet/in.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "tests/t.h"

/*
 * The resolver and a name server of ours in one loop.  What the server
 * does with the first, second ... question for a name and type is a word,
 * one letter each; the last letter stays.
 *
 *	+  answers		.  is silent
 *	n  NXDOMAIN		e  there is no such record
 *	f  SERVFAIL		z  an empty packet, then the answer
 *	i  a wrong id, then the answer
 *	q  an answer to another question, then the answer
 *	d  answers three times	m  twenty addresses
 *	k  NXDOMAIN for 30 s
 */

#define N(a) (sizeof(a) / sizeof *(a))
#define LIMIT_MS 30000		/* of a scene; the slowest takes 2 s */
#define TURNS_MAX 500		/* a scene needs some ten; more: it spins */

static struct loop *lp;

/* ---- the server ---- */

struct rule {
	const char *name, *a, *aaaa;
};

static struct {
	struct watch w;
	struct rule rules[4];
	unsigned asked[4][2];	/* how often, A and AAAA */
	unsigned questions, strange;
	uint16_t port;
} server;

static unsigned
server_events(void *arg)
{
	(void)arg;
	return LOOP_READ;
}

/* The question's name with dots; returns where its type stands. */
static size_t
question(const unsigned char *p, size_t n, char name[256])
{
	size_t at = 12, len = 0;

	while (at < n && p[at] != 0 && at + p[at] < n && len + p[at] < 255) {
		if (len > 0)
			name[len++] = '.';
		memcpy(name + len, p + at + 1, p[at]);
		len += p[at];
		at += 1u + p[at];
	}
	name[len] = '\0';
	return at + 1;
}

static void
send_to(const unsigned char *p, size_t n, const struct sockaddr_in *to)
{
	if (sendto(server.w.fd, p, n, 0, (const struct sockaddr *)to,
	    sizeof *to) != (ssize_t)n)
		T_OK(0, "sendto");
}

/* An answer: 192.0.2.7 or 2001:db8::7, `count` times with growing ends. */
static void
answer(unsigned char *p, size_t n, unsigned count, int aaaa,
    const struct sockaddr_in *to)
{
	static const unsigned char four[4] = { 192, 0, 2, 7 };
	static const unsigned char six[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 7 };
	size_t size = aaaa ? 16 : 4;
	unsigned i;

	p[7] = (unsigned char)count;
	for (i = 0; i < count; i++) {
		memcpy(p + n, "\300\14\0\1\0\1\0\0\0\144\0", 11);
		p[n + 3] = aaaa ? 28 : 1;
		p[n + 11] = (unsigned char)size;
		memcpy(p + n + 12, aaaa ? six : four, size);
		p[n + 11 + size] = (unsigned char)(7 + i);
		n += 12 + size;
	}
	send_to(p, n, to);
}

/* An SOA whose minimum is 30 s. */
static size_t
authority(unsigned char *p, size_t n)
{
	memcpy(p + n, "\300\14\0\6\0\1\0\0\0\144\0\26\0\0"
	    "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\36", 34);
	p[9] = 1;
	return n + 34;
}

static void
act(char what, unsigned char *p, size_t n, int aaaa,
    const struct sockaddr_in *to)
{
	p[2] = 0x81;
	p[3] = 0x80;
	p[11] = 0;			/* no EDNS0 in the answer */
	switch (what) {
	case 'n':
	case 'k':
		p[3] |= 3;
		send_to(p, what == 'k' ? authority(p, n) : n, to);
		break;
	case 'e':
		send_to(p, n, to);
		break;
	case 'f':
		p[3] |= 2;
		send_to(p, n, to);
		break;
	case 'd':
		answer(p, n, 1, aaaa, to);
		answer(p, n, 1, aaaa, to);
		answer(p, n, 1, aaaa, to);
		break;
	case 'i':
		p[0] ^= 1;
		answer(p, n, 2, aaaa, to);
		p[0] ^= 1;
		answer(p, n, 1, aaaa, to);
		break;
	case 'q':
		p[13] ^= 1;
		answer(p, n, 2, aaaa, to);
		p[13] ^= 1;
		answer(p, n, 1, aaaa, to);
		break;
	case 'z':
		send_to(p, 0, to);
		answer(p, n, 1, aaaa, to);
		break;
	case '+':
	case 'm':
		answer(p, n, what == 'm' ? 20 : 1, aaaa, to);
		break;
	default:
		break;
	}
}

static void
server_ready(void *arg, unsigned bits, uint64_t now)
{
	unsigned char p[4096];
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	char name[256];
	const char *word;
	ssize_t r;
	size_t n, i, k;
	int aaaa;

	(void)arg;
	(void)bits;
	(void)now;
	r = recvfrom(server.w.fd, p, 1024, 0, (struct sockaddr *)&from,
	    &size);
	if (r < 17)
		return;
	server.questions++;
	n = question(p, (size_t)r, name);
	aaaa = p[n + 1] == 28;
	for (i = 0; i < N(server.rules); i++) {
		if (server.rules[i].name == NULL ||
		    strcmp(server.rules[i].name, name) != 0)
			continue;
		word = aaaa ? server.rules[i].aaaa : server.rules[i].a;
		k = server.asked[i][aaaa]++;
		act(word[k < strlen(word) ? k : strlen(word) - 1], p, n + 4,
		    aaaa, &from);
		return;
	}
	server.strange++;
}

static void
server_open(void)
{
	struct sockaddr_in sa;

	memset(&sa, 0, sizeof sa);
	sa.sin_family = AF_INET;
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.w.fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (server.w.fd == -1 || bind(server.w.fd,
	    (struct sockaddr *)&sa, sizeof sa) == -1) {
		perror("the server");
		exit(1);
	}
	fcntl(server.w.fd, F_SETFL, O_NONBLOCK);
	server.port = sock_port(server.w.fd);
	server.w.events = server_events;
	server.w.ready = server_ready;
	loop_add(lp, &server.w);
}

static void
server_set(const struct rule *rules, size_t n)
{
	memset(server.rules, 0, sizeof server.rules);
	memset(server.asked, 0, sizeof server.asked);
	server.questions = server.strange = 0;
	memcpy(server.rules, rules, n * sizeof *rules);
}

/* ---- files ---- */

static char hosts_path[64], conf_path[64];

static void
file_make(char path[64], const char *text)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	if (path[0] == '\0') {
		snprintf(path, 64, "%s/t_resolve.XXXXXX",
		    dir != NULL && strlen(dir) < 40 ? dir : "/tmp");
		fd = mkstemp(path);
	} else {
		fd = open(path, O_WRONLY | O_TRUNC);
	}
	if (fd == -1 || write(fd, text, strlen(text)) !=
	    (ssize_t)strlen(text)) {
		perror(path);
		exit(1);
	}
	close(fd);
}

/* ---- those who wait ---- */

struct waiter {
	struct resolve_wait w;
	unsigned told;
	struct dns_answer ans;
	char why[100];
	struct resolver *r;
	struct waiter *cancels;
	const char *asks;		/* in its turn, when it is told */
};

static void
told(void *arg, const struct dns_answer *ans, const char *why, uint64_t now)
{
	struct waiter *w = arg;
	struct dns_answer at_once;
	const char *reason;

	T_OK(now == loop_now(lp), "now");
	T_OK(w->w.query == NULL, "it still waits");
	w->told++;
	w->ans = *ans;
	snprintf(w->why, sizeof w->why, "%s", why);
	resolve_cancel(&w->w);			/* harmless */
	if (w->cancels != NULL)
		resolve_cancel(&w->cancels->w);
	if (w->asks != NULL) {
		w->asks = NULL;
		w->told = 0;
		T_OK(resolve(w->r, &w->w, str_of("next.test"), &at_once,
		    &reason) == 0, "asks again");
	}
}

/* What resolve() said; an answer at hand counts as told. */
static int
ask(struct resolver *r, struct waiter *w, const char *name)
{
	const char *why = "";
	int rc;

	memset(w, 0, sizeof *w);
	w->r = r;
	w->w.done = told;
	w->w.arg = w;
	rc = resolve(r, &w->w, str_of(name), &w->ans, &why);
	if (rc != 0) {
		w->told = 1;
		snprintf(w->why, sizeof w->why, "%s", why);
	}
	return rc;
}

static void
too_late(void *arg, uint64_t now)
{
	(void)now;
	*(int *)arg = 1;
}

/* A turn that waits 50 ms at most. */
static void
turn(void)
{
	static struct timer soon;
	int late;

	soon.fire = too_late;
	soon.arg = &late;
	timer_set(lp, &soon, loop_now(lp) + 50);
	loop_turn(lp);
	timer_clear(lp, &soon);
}

/* Turns the loop until w is told. */
static void
wait_until_told(struct waiter *w)
{
	static struct timer limit;
	unsigned turns = 0;
	int late = 0;

	limit.fire = too_late;
	limit.arg = &late;
	timer_set(lp, &limit, loop_now(lp) + LIMIT_MS);
	while (w->told == 0 && !late && turns++ < TURNS_MAX)
		loop_turn(lp);
	timer_clear(lp, &limit);
	T_OK(w->told == 1, "told %u times, %u turns%s", w->told, turns,
	    late ? ", too late" : "");
}

/* Addresses in one line; IPv6 ones first, whatever this host prefers. */
static const char *
addrs(const struct dns_answer *a)
{
	static char out[DNS_ADDRS_MAX * 64];
	char at[64];
	size_t i;
	int four;

	out[0] = '\0';
	for (four = 0; four < 2; four++)
		for (i = 0; i < a->n; i++) {
			if ((a->addrs[i].len == 4) != four)
				continue;
			dns_text(at, &a->addrs[i]);
			strcat(out, out[0] != '\0' ? " " : "");
			strcat(out, at);
		}
	return out;
}

/* The lowest free descriptor tells if one leaks. */
static int
lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* ---- scenes: one question each ---- */

#define SERVER "nameserver 127.0.0.1\n"
#define QUICK SERVER "options timeout:1 attempts:1\n"
#define TWICE SERVER "options timeout:1 attempts:2\n"
#define SEARCH "search a.test b.test\n"
#define FOUR "192.0.2.7"
#define SIX "2001:db8::7"
#define MUTE "no answer from the name servers"
#define NONE "the name does not exist"

static const struct scene {
	const char *what, *conf, *name;
	struct rule rules[4];
	const char *addrs, *why;
	unsigned questions;		/* 0: not counted */
} scenes[] = {
	{ "both", QUICK, "www.test", { { "www.test", "+", "+" } },
	    SIX " " FOUR, "", 2 },
	{ "capitals", QUICK, "WWW.test", { { "WWW.test", "+", "+" } },
	    SIX " " FOUR, "", 2 },
	{ "only A is there", QUICK, "www.test",
	    { { "www.test", "+", "e" } }, FOUR, "", 2 },
	{ "only AAAA is there", QUICK, "www.test",
	    { { "www.test", "e", "+" } }, SIX, "", 2 },
	{ "AAAA: NXDOMAIN", QUICK, "www.test",
	    { { "www.test", "+", "n" } }, FOUR, "", 2 },
	{ "silent on AAAA", QUICK, "www.test",
	    { { "www.test", "+", "." } }, FOUR, "", 2 },
	{ "silent on A", QUICK, "www.test",
	    { { "www.test", ".", "+" } }, SIX, "", 2 },
	{ "SERVFAIL for AAAA", QUICK, "www.test",
	    { { "www.test", "+", "f" } }, FOUR, "", 2 },
	{ "a wrong id first", QUICK, "www.test",
	    { { "www.test", "i", "i" } }, SIX " " FOUR, "", 2 },
	{ "another name first", QUICK, "www.test",
	    { { "www.test", "q", "q" } }, SIX " " FOUR, "", 2 },
	{ "an empty packet first", QUICK, "www.test",
	    { { "www.test", "z", "z" } }, SIX " " FOUR, "", 2 },
	{ "answers thrice, other silent", QUICK, "www.test",
	    { { "www.test", "d", "." } }, FOUR, "", 2 },
	{ "twenty of each", QUICK, "www.test",
	    { { "www.test", "m", "m" } },
	    "2001:db8::7 2001:db8::8 2001:db8::9 2001:db8::a 2001:db8::b "
	    "2001:db8::c 2001:db8::d 2001:db8::e "
	    "192.0.2.7 192.0.2.8 192.0.2.9 192.0.2.10 192.0.2.11 "
	    "192.0.2.12 192.0.2.13 192.0.2.14", "", 2 },
	{ "SERVFAIL, then an answer", TWICE, "www.test",
	    { { "www.test", "f+", "f+" } }, SIX " " FOUR, "", 4 },
	{ "SERVFAIL of one, then an answer", TWICE, "www.test",
	    { { "www.test", "e", "f+" } }, SIX, "", 3 },
	{ "silence, then an answer", TWICE, "www.test",
	    { { "www.test", ".+", ".+" } }, SIX " " FOUR, "", 4 },
	{ "two servers, one fails", QUICK SERVER, "www.test",
	    { { "www.test", "f+", "f+" } }, SIX " " FOUR, "", 4 },
	{ "SERVFAIL", QUICK, "www.test", { { "www.test", "f", "f" } },
	    "", MUTE, 2 },
	{ "SERVFAIL and again", TWICE, "www.test",
	    { { "www.test", "f", "f" } }, "", MUTE, 4 },
	{ "silence", QUICK, "www.test", { { "www.test", ".", "." } },
	    "", MUTE, 2 },
	{ "none of A, silent on AAAA", QUICK, "www.test",
	    { { "www.test", "e", "." } }, "", MUTE, 2 },
	{ "NXDOMAIN", QUICK, "www.test", { { "www.test", "n", "n" } },
	    "", NONE, 2 },
	{ "no data", QUICK, "www.test", { { "www.test", "e", "e" } },
	    "", NONE, 2 },
	{ "search: the first", QUICK SEARCH, "www",
	    { { "www.a.test", "+", "+" } }, SIX " " FOUR, "", 2 },
	{ "search: the second", QUICK SEARCH, "www",
	    { { "www.a.test", "n", "n" }, { "www.b.test", "+", "e" } },
	    FOUR, "", 4 },
	{ "search: itself at last", QUICK SEARCH, "www",
	    { { "www.a.test", "n", "e" }, { "www.b.test", "e", "n" },
	    { "www", "+", "+" } }, SIX " " FOUR, "", 6 },
	{ "search: nowhere", QUICK SEARCH, "www",
	    { { "www.a.test", "n", "n" }, { "www.b.test", "n", "n" },
	    { "www", "n", "n" } }, "", NONE, 6 },
	{ "search: a domain fails", QUICK SEARCH, "www",
	    { { "www.a.test", "n", "f" }, { "www.b.test", "+", "+" } },
	    SIX " " FOUR, "", 4 },
	{ "search: a domain fails, then none", QUICK SEARCH, "www",
	    { { "www.a.test", "f", "f" }, { "www.b.test", "n", "n" },
	    { "www", "n", "n" } }, "", MUTE, 6 },
	{ "search: not with a dot", QUICK SEARCH, "www.",
	    { { "www", "+", "+" } }, SIX " " FOUR, "", 2 },
	{ "search: after a name with dots", QUICK SEARCH, "www.x",
	    { { "www.x", "n", "n" }, { "www.x.a.test", "+", "+" } },
	    SIX " " FOUR, "", 4 },
	{ "ndots", QUICK SEARCH "options ndots:2\n", "www.x",
	    { { "www.x.a.test", "+", "+" } }, SIX " " FOUR, "", 2 },
	{ "nobody at that address", "nameserver 127.0.0.9\n"
	    "options timeout:1 attempts:1\n" SERVER, "www.test",
	    { { "www.test", "+", "+" } }, SIX " " FOUR, "", 2 },
};

static void
check_scene(const struct scene *s)
{
	struct resolver *r;
	struct waiter w;
	int fd = lowest_fd();

	file_make(conf_path, s->conf);
	server_set(s->rules, N(s->rules));
	r = resolver_new(lp, hosts_path, conf_path, server.port);
	T_OK(ask(r, &w, s->name) == 0, "%s: at once", s->what);
	wait_until_told(&w);
	T_OK(strcmp(addrs(&w.ans), s->addrs) == 0, "%s: %s", s->what,
	    addrs(&w.ans));
	T_OK(strcmp(w.why, s->why) == 0, "%s: %s", s->what, w.why);
	T_OK(s->questions == 0 || (server.questions == s->questions &&
	    server.strange == 0), "%s: %u questions, %u strange", s->what,
	    server.questions, server.strange);
	/* What was found is remembered, and what is not there as well. */
	if (strcmp(s->why, MUTE) != 0)
		T_OK(ask(r, &w, s->name) == (s->addrs[0] != '\0' ? 1 : -1) &&
		    strcmp(addrs(&w.ans), s->addrs) == 0, "%s: %s again",
		    s->what, addrs(&w.ans));
	else
		T_OK(ask(r, &w, s->name) == 0, "%s: asks anew", s->what);
	resolve_cancel(&w.w);
	resolver_free(r);
	T_OK(lowest_fd() == fd, "%s: a descriptor is left", s->what);
}

/* IPv6 first if there is a route for it. */
static void
check_order(void)
{
	static const struct rule rule = { "www.test", "+", "+" };
	struct resolver *r;
	struct dns_addr far;
	struct waiter w;
	int fd;

	dns_literal(&far, str_of("2001:db8::1"));
	fd = sock_udp(&far, 9);
	file_make(conf_path, QUICK);
	server_set(&rule, 1);
	r = resolver_new(lp, hosts_path, conf_path, server.port);
	T_OK(ask(r, &w, "www.test") == 0, "at once");
	wait_until_told(&w);
	T_OK(w.ans.n == 2 && w.ans.addrs[0].len == (fd >= 0 ? 16 : 4),
	    "%zu addresses", w.ans.n);
	T_OK(w.ans.ttl == 100, "ttl %u", (unsigned)w.ans.ttl);
	sock_close(fd, 0);
	resolver_free(r);
}

/* ---- without a question ---- */

static const struct {
	const char *name;
	int rc;
	const char *addrs;
} at_once[] = {
	{ "192.0.2.1", 1, "192.0.2.1" },
	{ "2001:DB8::1", 1, "2001:db8::1" },
	{ "::ffff:192.0.2.1", 1, "::ffff:192.0.2.1" },
	{ "localhost", 1, "::1 127.0.0.1" },
	{ "x.localhost.", 1, "::1 127.0.0.1" },
	{ "in.hosts", 1, "2001:db8::5 192.0.2.5" },
	{ "IN.hosts.", 1, "2001:db8::5 192.0.2.5" },
	{ "", -1, "" },
	{ ".", -1, "" },
	{ "a..b", -1, "" },
	{ "a b", -1, "" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    -1, "" },
};

static void
check_at_once(void)
{
	static const struct rule none[1];
	struct resolver *r;
	struct waiter w;
	size_t i;
	int rc;

	file_make(conf_path, QUICK);
	server_set(none, 1);
	r = resolver_new(lp, hosts_path, conf_path, server.port);
	for (i = 0; i < N(at_once); i++) {
		rc = ask(r, &w, at_once[i].name);
		T_OK(rc == at_once[i].rc, "%s: %d", at_once[i].name, rc);
		T_OK(strcmp(addrs(&w.ans), at_once[i].addrs) == 0, "%s: %s",
		    at_once[i].name, addrs(&w.ans));
		T_OK((rc == -1) == (w.why[0] != '\0'), "%s: %s",
		    at_once[i].name, w.why);
		T_OK(w.w.query == NULL, "%s waits", at_once[i].name);
	}
	turn();
	T_OK(server.questions == 0, "%u questions", server.questions);
	resolver_free(r);
	/* Files that are not there are empty ones. */
	r = resolver_new(lp, "/nonexistent/hosts", "/nonexistent/conf",
	    server.port);
	T_OK(ask(r, &w, "localhost") == 1, "localhost");
	T_OK(ask(r, &w, "in.hosts") == 0, "in.hosts");
	resolve_cancel(&w.w);
	resolver_free(r);
	resolver_free(NULL);
}

/* ---- several who wait ---- */

static const struct rule crowd[] = {
	{ "www.test", "+", "+" }, { "next.test", "+", "e" },
	{ "mute.test", ".", "." },
};

static struct resolver *
crowd_open(void)
{
	file_make(conf_path, QUICK);
	server_set(crowd, N(crowd));
	return resolver_new(lp, hosts_path, conf_path, server.port);
}

static void
check_shared(void)
{
	struct resolver *r = crowd_open();
	struct waiter a, b, c;

	T_OK(ask(r, &a, "www.test") == 0 && ask(r, &b, "WWW.TEST") == 0 &&
	    ask(r, &c, "next.test") == 0, "three");
	wait_until_told(&a);
	wait_until_told(&b);
	wait_until_told(&c);
	T_OK(server.questions == 4 && server.asked[0][0] == 1,
	    "%u questions", server.questions);
	T_OK(a.ans.n == 2 && b.ans.n == 2 && c.ans.n == 1, "%zu %zu %zu",
	    a.ans.n, b.ans.n, c.ans.n);
	T_OK(ask(r, &a, "WWW.test") == 1 && server.questions == 4,
	    "remembered");
	resolver_free(r);
}

static void
check_cancel(void)
{
	struct resolver *r = crowd_open();
	struct waiter a, b;
	unsigned i;

	/* One of two leaves, at once or after the question went out. */
	for (i = 0; i < 2; i++) {
		T_OK(ask(r, &a, "www.test") == 0, "a");
		T_OK(ask(r, &b, "www.test") == 0, "b");
		if (i == 1)
			turn();
		resolve_cancel(i == 0 ? &a.w : &b.w);
		resolve_cancel(i == 0 ? &a.w : &b.w);
		wait_until_told(i == 0 ? &b : &a);
		T_OK(a.told + b.told == 1, "%u, %u", a.told, b.told);
		resolver_free(r);
		r = crowd_open();
	}
	/* All leave: the answer is remembered nevertheless. */
	T_OK(ask(r, &a, "www.test") == 0, "a");
	resolve_cancel(&a.w);
	T_OK(ask(r, &b, "next.test") == 0, "b");
	wait_until_told(&b);
	for (i = 0; i < 20 && ask(r, &b, "www.test") != 1; i++) {
		resolve_cancel(&b.w);
		T_OK(ask(r, &b, "next.test") == 1, "next.test");
		turn();
	}
	T_OK(a.told == 0 && i < 20 && b.ans.n == 2, "remembered: %zu",
	    b.ans.n);
	resolver_free(r);
}

static void
check_cancel_in_done(void)
{
	struct resolver *r = crowd_open();
	struct waiter a, b, c;

	T_OK(ask(r, &a, "www.test") == 0 && ask(r, &b, "www.test") == 0 &&
	    ask(r, &c, "www.test") == 0, "three");
	/* Whoever is told first of a and b stops the other. */
	a.cancels = &b;
	b.cancels = &a;
	wait_until_told(&c);
	while (a.told + b.told == 0)
		turn();
	T_OK(a.told + b.told == 1 && c.told == 1, "%u %u %u", a.told, b.told,
	    c.told);
	/* Told of one name it asks for the next. */
	T_OK(ask(r, &a, "fail.test") == 0, "fail.test");
	resolve_cancel(&a.w);
	resolver_free(r);
	r = crowd_open();
	T_OK(ask(r, &a, "www.test") == 0, "www.test");
	a.asks = "next.test";
	while (a.asks != NULL)
		turn();
	wait_until_told(&a);
	T_OK(strcmp(addrs(&a.ans), FOUR) == 0, "next: %s", addrs(&a.ans));
	resolver_free(r);
}

static void
free_in_done(void *arg, const struct dns_answer *ans, const char *why,
    uint64_t now)
{
	struct waiter *w = arg;

	(void)ans;
	(void)why;
	(void)now;
	w->told++;
	resolver_free(w->r);
}

/* The resolver goes while somebody waits, or because one was told. */
static void
check_free(void)
{
	struct resolver *r = crowd_open();
	int fd = lowest_fd();
	struct waiter a, b;

	T_OK(ask(r, &a, "www.test") == 0 && ask(r, &b, "mute.test") == 0,
	    "two");
	turn();
	resolver_free(r);
	turn();			/* an answer or the burial */
	resolve_cancel(&a.w);
	resolve_cancel(&b.w);
	T_OK(a.told == 0 && b.told == 0, "%u, %u", a.told, b.told);
	T_OK(lowest_fd() == fd, "a descriptor is left");
	r = crowd_open();
	T_OK(ask(r, &b, "mute.test") == 0, "mute.test");
	T_OK(ask(r, &a, "www.test") == 0, "www.test");
	a.w.done = free_in_done;
	wait_until_told(&a);
	T_OK(b.told == 0 && b.w.query == NULL, "nobody else");
	T_OK(lowest_fd() == fd, "a descriptor is left");
}

int
main(void)
{
	size_t i;

	if ((lp = loop_new()) == NULL)
		return 1;
	server_open();
	file_make(hosts_path, "192.0.2.5 in.hosts\n2001:db8::5 in.hosts\n");
	for (i = 0; i < N(scenes); i++)
		check_scene(&scenes[i]);
	check_order();
	check_at_once();
	check_shared();
	check_cancel();
	check_cancel_in_done();
	check_free();
	unlink(hosts_path);
	unlink(conf_path);
	loop_remove(lp, &server.w);
	close(server.w.fd);
	loop_free(lp);
	return t_end();
}
