#include "net/link.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "net/socket.h"
#include "tests/t.h"

/*
 * Two links over a connection of the loopback interface, plain or TLS.
 * The certificates are those of tests/pki.
 */

#define NOW	INT64_C(1700000000)	/* the certificates: 2020-2119 */
#define HOST	"api.example.test"
#define OUT_MAX	((size_t)1 << 18)
#define MUCH	((size_t)3 << 20)	/* more than the kernel holds */
#define WAIT_MS	20000			/* for what must come at once */
#define STEPS	1000000

static uint64_t rng = 7;

struct pair {
	struct link c, s;
	struct buf c_in, s_in;
};

static struct str
file(const char *name)
{
	static char kept[4][8192];
	static int used;
	char path[64];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof path, "tests/pki/%s", name);
	used = (used + 1) % 4;
	if ((f = fopen(path, "rb")) != NULL) {
		n = fread(kept[used], 1, sizeof kept[used], f);
		fclose(f);
	}
	T_OK(n > 0, "%s cannot be read", path);
	return str_n(kept[used], n);
}

static const unsigned char *
seed(void)
{
	static unsigned char s[32];
	size_t i;

	for (i = 0; i < sizeof s; i++)
		s[i] = (unsigned char)util_random(&rng);
	return s;
}

/* Waits until the descriptor has something to say. */
static void
wait_for(int fd, short events)
{
	struct pollfd p;

	p.fd = fd;
	p.events = events;
	if (poll(&p, 1, WAIT_MS) != 1)
		T_OK(0, "nothing came in %d ms", WAIT_MS);
}

static void
small(int fd, int option)
{
	int n = 4096;

	setsockopt(fd, SOL_SOCKET, option, &n, sizeof n);
}

/* Connected, the kernel's buffers small so that writes are partial. */
static void
pair_connect(struct pair *p)
{
	struct dns_addr a;
	int l, c, s, done;

	memset(p, 0, sizeof *p);
	buf_init(&p->c_in, MUCH);
	buf_init(&p->s_in, MUCH);
	dns_literal(&a, str_of("127.0.0.1"));
	l = sock_listen(&a, 0);
	small(l, SO_RCVBUF);
	if ((c = sock_connect(&a, sock_port(l), &done)) < 0) {
		perror("connect");
		exit(1);
	}
	wait_for(l, POLLIN);
	s = sock_accept(l, &a);
	T_OK(s >= 0 && dns_loopback(&a), "accept");
	T_OK(sock_accept(l, NULL) == SOCK_AGAIN, "only one");
	wait_for(c, POLLOUT);
	T_OK(sock_error(c) == 0, "connected");
	small(c, SO_SNDBUF);
	small(s, SO_SNDBUF);
	small(c, SO_RCVBUF);
	sock_close(l, 0);
	link_open(&p->c, c, OUT_MAX);
	link_open(&p->s, s, OUT_MAX);
}

static void
pair_tls(struct pair *p, const char *root)
{
	struct tls_roots *r;
	unsigned found, skipped;

	r = tls_roots_new(file(root), &found, &skipped);
	link_tls(&p->c, tls_client(r, str_of(HOST), seed(), NOW, NULL));
	tls_roots_free(r);
	link_tls(&p->s, tls_server(file("server.pem"), file("key.pem"),
	    seed()));
	T_OK(p->c.tls != NULL && p->s.tls != NULL, "engines");
}

/* Lets both shake hands until one fails or both are done. */
static int
pair_shake(struct pair *p)
{
	int i, a, b;

	for (i = 0; i < STEPS && (!link_ready(&p->c) || !link_ready(&p->s));
	    i++) {
		a = link_handshake(&p->c);
		b = link_handshake(&p->s);
		if (a == -1 || b == -1)
			return -1;
	}
	return i < STEPS ? 0 : -1;
}

static void
pair_open(struct pair *p, int tls)
{
	pair_connect(p);
	if (!tls)
		return;
	pair_tls(p, "root.pem");
	T_OK(!link_ready(&p->c), "not yet");
	T_OK(pair_shake(p) == 0, "%s, %s", link_why(&p->c), link_why(&p->s));
	link_flush(&p->s);
}

static void
pair_close(struct pair *p)
{
	link_close(&p->c, 0);
	link_close(&p->s, 0);
	T_OK(p->c.fd == -1 && p->c.tls == NULL && p->c.out.p == NULL,
	    "closed");
	link_close(&p->c, 1);		/* twice is harmless */
	buf_free(&p->c_in);
	buf_free(&p->s_in);
}

/* Reads once something is there. */
static size_t
read_soon(struct link *l, struct buf *in, size_t max)
{
	size_t n;

	while ((n = link_read(l, in, max)) == 0 && !l->eof && !l->failed)
		wait_for(l->fd, POLLIN);
	return n;
}

static int
say(struct link *l, const char *s)
{
	struct str v = str_of(s);

	return link_write(l, &v, 1);
}

static int
holds(const struct buf *b, const char *s)
{
	return str_is(buf_str(b), s);
}

/* ---- much, to a slow reader ---- */

static unsigned char
byte_at(size_t i)
{
	return (unsigned char)(i * 2654435761u >> 13);
}

/* Writes a run of the sequence from *at; in one to nine parts. */
static int
write_some(struct link *l, size_t *at)
{
	static unsigned char bytes[60000];
	struct str v[9];
	size_t n = 1 + (size_t)(util_random(&rng) % sizeof bytes), i, k;
	size_t used = 0, parts = 1 + (size_t)(util_random(&rng) % 9);

	if (n > MUCH - *at)
		n = MUCH - *at;
	for (i = 0; i < n; i++)
		bytes[i] = byte_at(*at + i);
	for (k = 0; k < parts; k++) {
		i = k == parts - 1 ? n - used :
		    (size_t)(util_random(&rng) % (n - used + 1));
		v[k] = str_n((const char *)bytes + used, i);
		used += i;
	}
	*at += n;
	return link_write(l, v, parts);
}

static size_t
wrong_bytes(struct buf *in, size_t *at)
{
	struct str s = buf_str(in);
	size_t i, wrong = 0;

	for (i = 0; i < s.n; i++)
		wrong += (unsigned char)s.p[i] != byte_at(*at + i);
	*at += s.n;
	buf_take(in, s.n);
	return wrong;
}

static void
check_much(int tls)
{
	size_t sent = 0, got = 0, wrong = 0, most, pending = 0, n;
	unsigned waited = 0, steps;
	struct pair p;

	pair_open(&p, tls);
	for (steps = 0; got < MUCH && steps < STEPS; steps++) {
		/* Above its mark the writer holds back. */
		if (sent < MUCH && link_pending(&p.c) < 65536 &&
		    write_some(&p.c, &sent) == -1)
			break;
		if (link_flush(&p.c) == -1)
			break;
		if (link_pending(&p.c) > pending)
			pending = link_pending(&p.c);
		waited += link_wants_out(&p.c) != 0;
		T_OK(((link_events(&p.c, 0) & LOOP_WRITE) != 0) ==
		    link_wants_out(&p.c), "events");
		most = 1 + (size_t)(util_random(&rng) % 20000);
		n = link_read(&p.s, &p.s_in, most);
		T_OK(n <= most && n == p.s_in.len, "%zu of %zu", n, most);
		wrong += wrong_bytes(&p.s_in, &got);
	}
	T_OK(got == MUCH && wrong == 0, "%zu bytes, %zu wrong: %s", got,
	    wrong, link_why(&p.c));
	T_OK(pending > 0 && pending <= OUT_MAX && waited > 0,
	    "it never had to wait: %zu", pending);
	T_OK(link_pending(&p.c) == 0 && !link_wants_out(&p.c) &&
	    p.c.out.p == NULL, "out is empty and holds nothing");
	pair_close(&p);
}

/* Nobody reads: out fills up, then the link has failed. */
static void
check_full(int tls)
{
	size_t sent = 0;
	unsigned n = 0;
	struct pair p;

	pair_open(&p, tls);
	while (n < 10000 && sent < MUCH && write_some(&p.c, &sent) == 0)
		n++;
	T_OK(sent < MUCH && p.c.failed, "%zu were taken", sent);
	T_OK(link_pending(&p.c) <= OUT_MAX, "%zu", link_pending(&p.c));
	T_OK(p.c.error == ENOBUFS && link_events(&p.c, 1) == 0, "%s",
	    link_why(&p.c));
	T_OK(link_write(&p.c, NULL, 0) == -1 && link_flush(&p.c) == -1,
	    "it stays");
	pair_close(&p);
}

static void
check_offer(int tls)
{
	static char bytes[MUCH];
	size_t sent = 0, got = 0, n, i;
	struct str v[2];
	struct pair p;

	for (i = 0; i < MUCH; i++)
		bytes[i] = (char)byte_at(i);
	pair_open(&p, tls);
	v[0] = str_n(bytes, 100);
	v[1] = str_n(bytes + 100, MUCH - 100);
	sent = link_offer(&p.c, v, 2);
	T_OK(sent > 100 && sent < MUCH, "%zu were taken", sent);
	T_OK(link_pending(&p.c) == 0, "nothing is kept");
	for (n = 0; n < 100 && sent < MUCH; n++) {
		v[0] = str_n(bytes + sent, MUCH - sent);
		if ((i = link_offer(&p.c, v, 1)) == 0)
			break;
		sent += i;
	}
	T_OK(sent < MUCH && !p.c.failed && !p.c.out_failed,
	    "it stands still: %zu", sent);
	for (n = 0; got < MUCH && n < STEPS; n++) {
		v[0] = str_n(bytes + sent, MUCH - sent);
		if (sent < MUCH)
			sent += link_offer(&p.c, v, 1);
		else
			link_flush(&p.c);
		got += link_read(&p.s, &p.s_in, MUCH);
	}
	T_OK(got == MUCH && sent == MUCH, "%zu of %zu", got, sent);
	T_OK(got == p.s_in.len && memcmp(buf_str(&p.s_in).p, bytes, got) ==
	    0, "the same");
	pair_close(&p);
}

/* ---- reading ---- */

static void
check_read(int tls)
{
	unsigned events;
	struct pair p;
	struct buf in;

	pair_open(&p, tls);
	T_OK(link_read(&p.s, &p.s_in, 100) == 0 && !p.s.eof && !p.s.failed,
	    "nothing yet");
	T_OK(link_events(&p.s, 1) == LOOP_READ && link_events(&p.s, 0) == 0,
	    "events");
	T_OK(say(&p.c, "hello, world") == 0, "write");
	T_OK(read_soon(&p.s, &p.s_in, 5) == 5 && holds(&p.s_in, "hello"),
	    "five");
	T_OK(link_has_more(&p.s) == tls, "more");
	events = link_events(&p.s, 1);
	T_OK(events == (tls ? 0 : LOOP_READ), "events %u", events);
	T_OK(link_read(&p.s, &p.s_in, 0) == 0 && !p.s.failed, "none wanted");
	/* What does not fit waits; only a full queue is a fault. */
	buf_init(&in, 4);
	T_OK(read_soon(&p.s, &in, 100) == 4 && holds(&in, ", wo"), "four");
	T_OK(!p.s.failed, "%s", link_why(&p.s));
	buf_clear(&in);
	T_OK(read_soon(&p.s, &in, 100) == 3 && holds(&in, "rld"), "three");
	T_OK(link_read(&p.s, &in, 100) == 0 && !link_has_more(&p.s), "all");
	T_OK(say(&p.c, "12") == 0, "write");
	T_OK(read_soon(&p.s, &in, 100) == 1 && holds(&in, "rld1"), "one");
	T_OK(link_read(&p.s, &in, 100) == 0 && p.s.failed &&
	    p.s.error == ENOBUFS, "full: %s", link_why(&p.s));
	buf_free(&in);
	pair_close(&p);
}

static void
check_both_ways(int tls)
{
	struct pair p;

	pair_open(&p, tls);
	T_OK(say(&p.c, "ping") == 0 && say(&p.s, "pong") == 0, "write");
	T_OK(read_soon(&p.c, &p.c_in, 100) == 4 && holds(&p.c_in, "pong"),
	    "pong");
	T_OK(read_soon(&p.s, &p.s_in, 100) == 4 && holds(&p.s_in, "ping"),
	    "ping");
	T_OK(sock_idle(p.s.fd), "idle");
	T_OK(say(&p.c, "") == 0 && link_flush(&p.c) == 0, "nothing");
	T_OK(say(&p.c, "more") == 0, "write");
	wait_for(p.s.fd, POLLIN);
	T_OK(!sock_idle(p.s.fd), "not idle");
	pair_close(&p);
}

/* ---- ends ---- */

/* How a connection ends, after some bytes that must still be read. */
enum way { WAY_BYE, WAY_CUT, WAY_RST };

static const struct {
	const char *what;
	enum way way;
	int tls;
	unsigned eof, cut, failed;
} ends[] = {
	{ "plain, end", WAY_BYE, 0, 1, 0, 0 },
	{ "plain, closed", WAY_CUT, 0, 1, 0, 0 },
	{ "plain, RST", WAY_RST, 0, 0, 0, 1 },
	{ "TLS, close_notify", WAY_BYE, 1, 1, 0, 0 },
	{ "TLS, cut", WAY_CUT, 1, 1, 1, 0 },
	{ "TLS, RST", WAY_RST, 1, 0, 0, 1 },
};

static void
check_ends(void)
{
	struct pair p;
	size_t i;

	for (i = 0; i < sizeof ends / sizeof *ends; i++) {
		pair_open(&p, ends[i].tls);
		T_OK(say(&p.s, "last words") == 0, "%s", ends[i].what);
		/* After an RST they need not be there any more. */
		if (ends[i].way == WAY_RST)
			read_soon(&p.c, &p.c_in, 100);
		if (ends[i].way == WAY_BYE)
			link_bye(&p.s);
		link_close(&p.s, ends[i].way == WAY_RST);
		while (!p.c.eof && !p.c.failed)
			read_soon(&p.c, &p.c_in, 100);
		T_OK(holds(&p.c_in, "last words"), "%s: %zu bytes",
		    ends[i].what, p.c_in.len);
		T_OK(p.c.eof == ends[i].eof && p.c.cut == ends[i].cut &&
		    p.c.failed == ends[i].failed, "%s: eof %u cut %u "
		    "failed %u", ends[i].what, p.c.eof, p.c.cut, p.c.failed);
		T_OK((link_events(&p.c, 1) & LOOP_READ) == 0,
		    "%s: no more to read", ends[i].what);
		T_OK(link_read(&p.c, &p.c_in, 100) == 0, "%s: again",
		    ends[i].what);
		T_OK(ends[i].way != WAY_RST || (p.c.error == ECONNRESET &&
		    strcmp(link_why(&p.c), "connection reset by peer") == 0),
		    "%s: %s", ends[i].what, link_why(&p.c));
		T_OK(strstr(link_why(&p.c), "handshake") == NULL,
		    "%s: %s", ends[i].what, link_why(&p.c));
		pair_close(&p);
	}
}

/* Our direction is broken; the other one goes on. */
static void
check_half(int tls)
{
	struct pair p;

	pair_open(&p, tls);
	T_OK(say(&p.s, "still here") == 0, "write");
	sock_shutdown(p.c.fd);
	T_OK(say(&p.c, "into the void") == -1 && p.c.out_failed &&
	    !p.c.failed && p.c.error == EPIPE, "%s", link_why(&p.c));
	T_OK(link_events(&p.c, 1) == LOOP_READ, "only reading");
	T_OK(read_soon(&p.c, &p.c_in, 100) == 10 &&
	    holds(&p.c_in, "still here"), "%zu", p.c_in.len);
	T_OK(link_flush(&p.c) == -1 && !link_wants_out(&p.c), "it stays");
	pair_close(&p);
}

/* Plain: a peer that has ended its direction can still be written to. */
static void
check_eof_then_write(void)
{
	struct pair p;

	pair_open(&p, 0);
	sock_shutdown(p.s.fd);
	T_OK(read_soon(&p.c, &p.c_in, 100) == 0 && p.c.eof, "end");
	T_OK(say(&p.c, "answer") == 0, "%s", link_why(&p.c));
	T_OK(read_soon(&p.s, &p.s_in, 100) == 6, "%zu", p.s_in.len);
	pair_close(&p);
}

/* ---- TLS only ---- */

/* After a close_notify nothing can be sent, and nobody must wait for it. */
static void
check_write_after_close(void)
{
	struct pair p;
	struct str s = str_of("late");

	pair_open(&p, 1);
	link_bye(&p.s);
	link_bye(&p.s);
	while (!p.c.eof && !p.c.failed)
		read_soon(&p.c, &p.c_in, 100);
	T_OK(p.c.eof && !p.c.cut && !p.c.failed, "close_notify");
	T_OK(link_offer(&p.c, &s, 1) == 0, "offer");
	T_OK(say(&p.c, "late") == -1 && p.c.out_failed, "write");
	T_OK(link_events(&p.c, 1) == 0, "events");
	T_OK(strstr(link_why(&p.c), "handshake") == NULL, "%s",
	    link_why(&p.c));
	T_OK(say(&p.s, "late") == -1, "after our own");
	pair_close(&p);
}

/* Bytes that wait when the peer closes cannot go out any more. */
static void
check_pending_at_close(void)
{
	size_t sent = 0;
	unsigned n = 0;
	struct pair p;

	pair_open(&p, 1);
	while (link_pending(&p.c) == 0 && write_some(&p.c, &sent) == 0)
		;
	T_OK(link_pending(&p.c) > 0 && link_wants_out(&p.c), "it waits");
	link_bye(&p.s);
	while (!p.c.eof && !p.c.failed && n++ < 1000)
		read_soon(&p.c, &p.c_in, 100);
	T_OK(p.c.eof && !p.c.cut, "close_notify");
	for (n = 0; link_wants_out(&p.c) && n < 1000; n++) {
		link_flush(&p.c);
		buf_clear(&p.s_in);
		link_read(&p.s, &p.s_in, MUCH);
		/* An engine that has closed takes no records any more. */
		while (sock_read(p.s.fd, p.s_in.p, p.s_in.cap) > 0)
			;
	}
	T_OK(!link_wants_out(&p.c) && n < 1000, "nobody waits for ever");
	T_OK(link_flush(&p.c) == -1, "told");
	pair_close(&p);
}

/* Plaintext for an engine that still shakes hands waits quietly. */
static void
check_early(void)
{
	struct pair p;
	int spins;

	pair_connect(&p);
	pair_tls(&p, "root.pem");
	T_OK(say(&p.c, "early") == 0 && link_pending(&p.c) == 5, "kept");
	T_OK(link_handshake(&p.c) == 0 && !link_ready(&p.c), "begun");
	spins = 0;
	while (link_events(&p.c, 1) & LOOP_WRITE && spins++ < 1000)
		link_handshake(&p.c);
	T_OK(spins < 1000, "it asks to write although it cannot");
	T_OK(link_events(&p.c, 1) == LOOP_READ, "it waits for the server");
	T_OK(pair_shake(&p) == 0, "%s", link_why(&p.c));
	T_OK(link_wants_out(&p.c) && link_flush(&p.c) == 0 &&
	    link_pending(&p.c) == 0, "sent");
	T_OK(read_soon(&p.s, &p.s_in, 100) == 5 && holds(&p.s_in, "early"),
	    "%zu", p.s_in.len);
	pair_close(&p);
}

static void
check_handshakes(void)
{
	struct pair p;
	struct str v;
	int i;

	/* Nobody vouches for the server. */
	pair_connect(&p);
	pair_tls(&p, "other.pem");
	T_OK(pair_shake(&p) == -1, "not trusted");
	T_OK(p.c.failed && strstr(link_why(&p.c), "trusted root") != NULL,
	    "%s", link_why(&p.c));
	T_OK(link_events(&p.c, 1) == 0, "no events");
	pair_close(&p);

	for (i = 0; i < 2; i++) {
		pair_connect(&p);
		pair_tls(&p, "root.pem");
		link_handshake(&p.c);
		wait_for(p.s.fd, POLLIN);
		if (i == 0)		/* an RST if it had not read */
			link_handshake(&p.s);
		link_close(&p.s, i);
		while (link_handshake(&p.c) == 0)
			wait_for(p.c.fd, POLLIN);
		T_OK(p.c.failed && strcmp(link_why(&p.c), i == 0 ?
		    "closed in the midst of the TLS handshake" :
		    "connection reset by peer") == 0, "%s", link_why(&p.c));
		pair_close(&p);
	}

	/* The server says what is wrong, or speaks no TLS. */
	for (i = 0; i < 3; i++) {
		pair_connect(&p);
		pair_tls(&p, "root.pem");
		tls_free(p.s.tls);
		p.s.tls = NULL;
		/* That nothing can be sent is not the reason. */
		if (i == 2)
			sock_shutdown(p.c.fd);
		link_handshake(&p.c);
		read_soon(&p.s, &p.s_in, 4096);
		v = i == 0 ? str_of("HTTP/1.1 400 Bad Request\r\n\r\n") :
		    str_n("\x15\3\3\0\2\2\x28", 7);
		link_write(&p.s, &v, 1);
		while (link_handshake(&p.c) == 0)
			wait_for(p.c.fd, POLLIN);
		T_OK(p.c.failed && strstr(link_why(&p.c), i == 0 ?
		    "plain HTTP" : "alert handshake_failure") != NULL, "%s",
		    link_why(&p.c));
		pair_close(&p);
	}
}

/* ---- sockets ---- */

static void
check_sockets(void)
{
	unsigned char r[64] = { 0 }, z[64] = { 0 };
	struct dns_addr a, six;
	int l, c, done, port;

	dns_literal(&a, str_of("127.0.0.1"));
	l = sock_listen(&a, 0);
	port = sock_port(l);
	T_OK(l >= 0 && port != 0, "listen");
	T_OK(sock_listen(&a, (uint16_t)port) == -1 && errno == EADDRINUSE,
	    "twice: %s", sock_why(errno));
	T_OK(sock_port(-1) == 0, "no socket");
	sock_close(l, 0);
	c = sock_connect(&a, (uint16_t)port, &done);
	if (c >= 0) {
		wait_for(c, POLLOUT);
		T_OK(sock_error(c) == ECONNREFUSED, "refused");
		sock_close(c, 0);
	} else {
		T_OK(errno == ECONNREFUSED, "%s", sock_why(errno));
	}
	dns_literal(&six, str_of("::1"));
	if ((l = sock_listen(&six, 0)) >= 0) {
		T_OK(sock_port(l) != 0, "IPv6");
		sock_close(l, 0);
	}
	T_OK((l = sock_udp(&a, 9)) >= 0 && sock_port(l) != 0, "UDP");
	sock_close(l, 0);
	sock_close(-1, 1);
	T_OK(sock_random(r, sizeof r) == 0 && memcmp(r, z, sizeof r) != 0,
	    "random");
	T_OK(strcmp(sock_why(EMFILE), "out of file descriptors") == 0 &&
	    *sock_why(EDOM) != '\0', "why");
}

int
main(void)
{
	int tls;

	signal(SIGPIPE, SIG_DFL);	/* nothing here may raise it */
	check_sockets();
	for (tls = 0; tls < 2; tls++) {
		check_much(tls);
		check_full(tls);
		check_offer(tls);
		check_read(tls);
		check_both_ways(tls);
		check_half(tls);
	}
	check_ends();
	check_eof_then_write();
	check_write_after_close();
	check_pending_at_close();
	check_early();
	check_handshakes();
	return t_end();
}
