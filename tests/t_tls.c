#include "tls.h"

#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "tls_pair.h"
#include "wire/tls_why.h"

/* --- whom a client believes --- */

static const struct {
	const char *what, *root, *chain, *host;
	int64_t when;
	const char *why;	/* NULL: the handshake succeeds */
} beliefs[] = {
	{ "good", "root.pem", "server.pem", HOST, NOW, NULL },
	{ "dot", "root.pem", "server.pem", HOST ".", NOW, NULL },
	{ "case", "root.pem", "server.pem", "API.Example.Test", NOW, NULL },
	{ "other SAN", "root.pem", "server.pem", "localhost", NOW, NULL },
	{ "first second", "root.pem", "server.pem", HOST, 1577836800, NULL },
	{ "before it", "root.pem", "server.pem", HOST, 1577836799,
	    "not yet valid" },
	{ "last second", "root.pem", "server.pem", HOST, 4733510399, NULL },
	{ "after it", "root.pem", "server.pem", HOST, 4733510400,
	    "expired" },
	{ "early", "root.pem", "server.pem", HOST, EARLY, "not yet valid" },
	{ "late", "root.pem", "server.pem", HOST, LATE, "expired" },
	{ "time 0", "root.pem", "server.pem", HOST, 0, "not yet valid" },
	{ "year 0", "root.pem", "server.pem", HOST, -719528 * DAY,
	    "not yet valid" },
	{ "least time", "root.pem", "server.pem", HOST, INT64_MIN,
	    "not yet valid" },
	{ "greatest", "root.pem", "server.pem", HOST, INT64_MAX, "expired" },
	{ "old leaf", "root.pem", "expired.pem", HOST, NOW, "expired" },
	{ "wrong name", "root.pem", "server.pem", "www.example.test", NOW,
	    "another host" },
	{ "CN", "root.pem", "server.pem", "test", NOW, "another host" },
	{ "unknown CA", "other.pem", "server.pem", HOST, NOW,
	    "no trusted root" },
	{ "no roots", NULL, "server.pem", HOST, NOW, "no trusted root" },
	{ "no intermediate", "root.pem", "leaf.pem", HOST, NOW,
	    "intermediate is missing" },
	{ "anchored leaf", "leaf.pem", "leaf.pem", HOST, NOW, NULL },
	{ "leaf is no CA", "leaf.pem", "wildcard.pem", "a.wild.example.test",
	    NOW, "no trusted root" },
	{ "wildcard", "root.pem", "wildcard.pem", "a.wild.example.test", NOW,
	    NULL },
	{ "two labels", "root.pem", "wildcard.pem",
	    "a.b.wild.example.test", NOW, "another host" },
	{ "no label", "root.pem", "wildcard.pem", "wild.example.test", NOW,
	    "another host" },
};

static void
test_beliefs(void)
{
	struct tls_session session;
	struct pair p;
	size_t i;
	int good;

	for (i = 0; i < sizeof beliefs / sizeof beliefs[0]; i++) {
		memset(&session, 0, sizeof session);
		pair_open(&p, client(beliefs[i].root, beliefs[i].host,
		    beliefs[i].when, &session), server(beliefs[i].chain),
		    WIRE_MAX);
		T_OK(tls_state(p.c) == TLS_HANDSHAKE, "%s: begin",
		    beliefs[i].what);
		T_OK(tls_write(p.c, "x", 1) == 0, "%s: early write",
		    beliefs[i].what);
		T_OK(tls_suite(p.c)[0] == '\0', "%s: early suite",
		    beliefs[i].what);
		pump(&p);
		good = beliefs[i].why == NULL;
		T_OK(tls_state(p.c) == (good ? TLS_OPEN : TLS_FAILED),
		    "%s: state %d, %s", beliefs[i].what,
		    (int)tls_state(p.c), tls_why(p.c));
		T_OK(good ? tls_why(p.c)[0] == '\0' :
		    why_has(p.c, beliefs[i].why), "%s: %s",
		    beliefs[i].what, tls_why(p.c));
		T_OK((int)session.valid == good, "%s: session",
		    beliefs[i].what);
		T_OK((tls_state(p.s) == TLS_OPEN) == good, "%s: server",
		    beliefs[i].what);
		T_OK(tls_resumed(p.c) == 0, "%s: resumed",
		    beliefs[i].what);
		T_OK((strncmp(tls_suite(p.c), "TLS_ECDHE_ECDSA_WITH_", 21)
		    == 0) == good, "%s: suite %s", beliefs[i].what,
		    tls_suite(p.c));
		pair_close(&p);
	}
}

/* --- hosts that cannot be verified --- */

static const struct {
	const char *host;
	const char *why;
} hosts[] = {
	{ "127.0.0.1", "IP address" },
	{ "127.0.0.1.", "IP address" },
	{ "127.1", "IP address" },
	{ "::1", "IP address" },
	{ "[2001:db8::1]", "not a DNS name" },
	{ "2001:db8::1", "IP address" },
	{ "", "not a DNS name" },
	{ ".", "not a DNS name" },
	{ "a..b", "not a DNS name" },
	{ ".a", "not a DNS name" },
	{ "a..", "not a DNS name" },
	{ "a b", "not a DNS name" },
	{ "*.example.test", "not a DNS name" },
	{ "b\xc3\xbc" "cher.test", "not a DNS name" },
};

static void
refused(struct str host, const char *why)
{
	struct tls_roots *r = roots("root.pem");
	struct tls *t = tls_client(r, host, seed(), NOW, NULL);
	size_t n;

	tls_roots_free(r);
	T_OK(tls_state(t) == TLS_FAILED, "%.*s", (int)host.n, host.p);
	T_OK(why_has(t, why), "%.*s: %s", (int)host.n, host.p, tls_why(t));
	T_OK(tls_out(t, &n) == NULL && tls_in(t, &n) == NULL &&
	    tls_read(t, &n) == NULL && !tls_wants_in(t) &&
	    tls_write(t, "x", 1) == 0, "%.*s: moves", (int)host.n, host.p);
	tls_flush(t);
	tls_close(t);
	T_OK(tls_state(t) == TLS_FAILED, "%.*s: closed", (int)host.n, host.p);
	tls_free(t);
}

static void
test_hosts(void)
{
	char name[256];
	struct tls *t;
	size_t i;

	for (i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
		refused(str_of(hosts[i].host), hosts[i].why);
	refused(str_n(HOST "\0.x", sizeof HOST + 2), "not a DNS name");
	memset(name, 'a', sizeof name);
	for (i = 60; i < sizeof name; i += 60)
		name[i] = '.';
	refused(str_n(name, 254), "too long");
	t = tls_client(NULL, str_n(name, 253), seed(), NOW, NULL);
	T_OK(tls_state(t) == TLS_HANDSHAKE, "253 characters");
	tls_free(t);
	t = tls_client(NULL, str_of("1.2.3.4a"), seed(), NOW, NULL);
	T_OK(tls_state(t) == TLS_HANDSHAKE, "digits, then a letter");
	tls_free(t);
}

/* --- what the first flight says --- */

static unsigned
u16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void
check_extension(unsigned type, const unsigned char *p, size_t n)
{
	static const unsigned char name[] = "\0\x13\0\0\x10" HOST;
	static const unsigned char proto[] = "\0\x09\x08http/1.1";
	size_t i;

	if (type == 0)
		T_OK(n == sizeof name - 1 && memcmp(p, name, n) == 0, "SNI");
	if (type == 16)
		T_OK(n == sizeof proto - 1 && memcmp(p, proto, n) == 0,
		    "ALPN");
	if (type == 13)
		for (i = 2; i + 1 < n; i += 2)
			T_OK(p[i] >= 3, "signature with hash %d", p[i]);
	T_OK(type != 1, "max_fragment_length is sent");
}

static void
test_hello(void)
{
	struct tls *t = client("root.pem", HOST ".", NOW, NULL);
	const unsigned char *p, *end;
	unsigned seen = 0, suite, aes_first = 0;
	size_t n, i, k;

	p = tls_out(t, &n);
	T_OK(p != NULL && n > 50 && p[0] == 22 && p[5] == 1, "ClientHello");
	if (p == NULL) {
		tls_free(t);
		return;
	}
	end = p + n;
	T_OK(u16(p + 9) == 0x0303, "version %04x", u16(p + 9));
	p += 5 + 4 + 2 + 32;
	p += 1 + p[0];
	k = u16(p);
	/* 0x00ff: RFC 5746 3.3, not a suite. */
	for (i = 0; i < k; i += 2) {
		suite = u16(p + 2 + i);
		if (suite == 0x00ff)
			continue;
		T_OK((suite >= 0xc02b && suite <= 0xc030 && suite != 0xc02d &&
		    suite != 0xc02e) || suite == 0xcca8 || suite == 0xcca9,
		    "suite %04x", suite);
		if (seen++ == 0)
			aes_first = suite < 0xcca8;
	}
	T_OK(seen == 6, "%u suites", seen);
	printf("# AES first: %u\n", aes_first);
	p += 2 + k;
	p += 1 + p[0] + 2;
	for (seen = 0; p + 4 <= end; p += 4 + k) {
		k = u16(p + 2);
		check_extension(u16(p), p + 4, k);
		seen |= u16(p) < 32 ? 1u << u16(p) : 0;
	}
	T_OK(p == end && (seen & 0x12001) == 0x12001, "extensions %x", seen);
	tls_free(t);
}

/* --- how it ends --- */

static void
test_close(void)
{
	struct pair p;
	size_t n;

	/* The server says the last word and good-bye in one go. */
	pair_open(&p, client("root.pem", HOST, NOW, NULL),
	    server("server.pem"), 100);
	pump(&p);
	say(p.c, "question");
	pump(&p);
	T_OK(str_is(buf_str(&p.got_s), "question"), "question");
	T_OK(tls_write(p.s, "answer", 6) == 6, "answer");
	tls_close(p.s);
	T_OK(tls_state(p.s) == TLS_CLOSED, "closed by itself");
	T_OK(tls_write(p.s, "x", 1) == 0 && tls_in(p.s, &n) == NULL &&
	    !tls_wants_in(p.s), "moves after its close");
	while (step_out(&p, p.s, &p.down) |
	    step_in(&p, p.c, &p.down, &p.got_c))
		;
	T_OK(str_is(buf_str(&p.got_c), "answer"), "answer");
	T_OK(tls_state(p.c) == TLS_CLOSED && tls_why(p.c)[0] == '\0',
	    "closed by the peer");
	T_OK(tls_out(p.c, &n) != NULL, "close_notify is answered");
	T_OK(tls_in(p.c, &n) == NULL && tls_write(p.c, "x", 1) == 0,
	    "moves after the peer's close");
	pump(&p);
	T_OK(tls_state(p.c) == TLS_CLOSED, "stays closed");
	tls_close(p.c);
	T_OK(tls_state(p.c) == TLS_CLOSED, "closed twice");
	pair_close(&p);

	/* The client goes, with an unread answer, unflushed words. */
	pair_open(&p, client("root.pem", HOST, NOW, NULL),
	    server("server.pem"), WIRE_MAX);
	pump(&p);
	say(p.s, "never read");
	while (step_out(&p, p.s, &p.down))
		;
	feed(p.c, buf_str(&p.down).p, p.down.len);
	T_OK(tls_read(p.c, &n) != NULL && n == 10, "something to read");
	T_OK(tls_write(p.c, "bye", 3) == 3, "bye");
	tls_close(p.c);
	tls_close(p.c);
	T_OK(tls_state(p.c) == TLS_CLOSED && tls_read(p.c, &n) == NULL,
	    "closed");
	while (step_out(&p, p.c, &p.up) | step_in(&p, p.s, &p.up, &p.got_s))
		;
	T_OK(str_is(buf_str(&p.got_s), "bye"), "last words");
	T_OK(tls_state(p.s) == TLS_CLOSED, "server heard it");
	pair_close(&p);

	/* Before the handshake is over. */
	pair_open(&p, client("root.pem", HOST, NOW, NULL), NULL, WIRE_MAX);
	tls_close(p.c);
	T_OK(tls_state(p.c) == TLS_CLOSED, "closed early");
	pair_close(&p);
}

/* A transport that ends is no close. */
static void
test_cut(void)
{
	struct tls_session session = { { 0 }, 0 };
	struct pair p;
	size_t n;

	pair_open(&p, client("root.pem", HOST, NOW, &session),
	    server("server.pem"), WIRE_MAX);
	pump(&p);
	say(p.s, "half");
	tls_close(p.s);
	while (step_out(&p, p.s, &p.down))
		;
	buf_cut(&p.down, p.down.len - 1);
	pump(&p);
	T_OK(str_is(buf_str(&p.got_c), "half"), "half");
	T_OK(tls_state(p.c) == TLS_OPEN, "cut: state %d",
	    (int)tls_state(p.c));
	T_OK(tls_read(p.c, &n) == NULL && session.valid, "cut");
	pair_close(&p);
	T_OK(session.valid, "a session outlives a cut stream");
	tls_session_forget(&session);

	pair_open(&p, client("root.pem", HOST, NOW, NULL),
	    server("server.pem"), WIRE_MAX);
	step_out(&p, p.c, &p.up);
	T_OK(tls_state(p.c) == TLS_HANDSHAKE, "cut in the handshake");
	pair_close(&p);
}

/* --- bytes that are not what a server says --- */

#define ZEROS8	"\0\0\0\0\0\0\0\0"
#define HELLO(suite, extensions) "\x16\3\3\0\x35\2\0\0\x31\3\3" \
	ZEROS8 ZEROS8 ZEROS8 ZEROS8 "\0" suite "\0\0\x09" extensions
#define ALERT(level, n) "\x15\3\3\0\2" level n

static const struct {
	const char *bytes;
	size_t n;
	const char *why;	/* NULL: goes on */
} answers[] = {
	{ "HTTP/1.1 400 Bad Request\r\n\r\n", 28, "plain HTTP" },
	{ "SSH-2.0-x\r\n", 11, "TLS 1.2" },
	{ ALERT("\2", "\x46"), 7, "server requires TLS 1.3, which this build "
	    "does not speak" },
	{ ALERT("\2", "\x28"), 7, "handshake_failure" },
	{ ALERT("\2", "\x2a"), 7, "bad_certificate: " },
	{ ALERT("\2", "\x30"), 7, "unknown_ca" },
	{ ALERT("\2", "\x70"), 7, "unrecognized_name" },
	{ ALERT("\2", "\x78"), 7, "no_application_protocol" },
	{ ALERT("\2", "\xc8"), 7, "unregistered" },
	{ ALERT("\1", "\x70"), 7, NULL },
	{ ALERT("\1", "\0"), 7, "closed the connection within" },
	{ "\x16\3\3\x7f\xff", 5, "impossible length" },
	{ "\x16\3\3\0\4\x0e\0\0\0", 9, "out of turn" },
	{ "\x17\3\3\0\1x", 6, "out of turn" },
	{ "\x63\3\3\0\1x", 6, "out of turn" },
	{ "\x16\3\1\0\x2e\2\0\0\x2a\3\1", 11, "TLS 1.2" },
	{ HELLO("\xc0\x2b", "\0\x10\0\5\0\3\2h2"), 58, "out of turn" },
	{ HELLO("\xc0\x2b", "\0\x11\0\5\0\3\2h2"), 58, "was not sent" },
	{ HELLO("\xc0\x2b", "\0\0\0\0\xff\1\0\1\0"), 58, NULL },
	{ HELLO("\xc0\x2b", "\0\0\0\5\0\3\2h2"), 58, "not empty" },
	{ HELLO("\0\x9c", "\0\0\0\0\xff\1\0\1\0"), 58, "not offered" },
	{ "\x16\3\3\0\x2e\2\0\0\x2a\3\3", 11, NULL },
};

static void
test_answers(void)
{
	struct tls_session session;
	struct tls *t;
	size_t i, n;

	for (i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		memset(&session, 0, sizeof session);
		t = client("root.pem", HOST, NOW, &session);
		if (tls_out(t, &n) != NULL)
			tls_out_done(t, n);
		feed(t, answers[i].bytes, answers[i].n);
		T_OK(tls_state(t) == (answers[i].why == NULL ?
		    TLS_HANDSHAKE : TLS_FAILED), "answer %lu: state %d: %s",
		    (unsigned long)i, (int)tls_state(t), tls_why(t));
		T_OK(answers[i].why == NULL ? tls_why(t)[0] == '\0' :
		    why_has(t, answers[i].why), "answer %lu: %s",
		    (unsigned long)i, tls_why(t));
		tls_free(t);
	}
}

/* A bit that flips in a record of data. */
static void
test_damage(void)
{
	struct tls_session session = { { 0 }, 0 };
	struct pair p;
	size_t n;

	pair_open(&p, client("root.pem", HOST, NOW, &session),
	    server("server.pem"), WIRE_MAX);
	pump(&p);
	T_OK(session.valid, "session");
	say(p.s, "damaged");
	while (step_out(&p, p.s, &p.down))
		;
	p.down.p[p.down.off + p.down.len - 1] ^= 1;
	pump(&p);
	T_OK(tls_state(p.c) == TLS_FAILED && why_has(p.c, "damaged"), "%s",
	    tls_why(p.c));
	T_OK(p.got_c.len == 0 && tls_read(p.c, &n) == NULL, "data");
	T_OK(!session.valid, "the session of a failed engine");
	tls_close(p.c);
	T_OK(tls_state(p.c) == TLS_FAILED, "a failure is not closed");
	pair_close(&p);
}

/* --- sessions --- */

/* One connection to s; returns 1 if resumed, 0 if not, -1 if not open. */
static int
visit(struct tls *s, struct tls_session *session, int64_t when)
{
	struct pair p;
	int rc;

	tls_server_again(s, seed());
	pair_open(&p, client("root.pem", HOST, when, session), s, 7);
	pump(&p);
	rc = tls_state(p.c) == TLS_OPEN && tls_state(p.s) == TLS_OPEN ?
	    tls_resumed(p.c) : -1;
	if (rc != -1) {
		say(p.c, "ping");
		say(p.s, "pong");
		pump(&p);
		T_OK(str_is(buf_str(&p.got_s), "ping") &&
		    str_is(buf_str(&p.got_c), "pong"), "ping, pong");
		T_OK(tls_suite(p.c)[0] == 'T' && tls_suite(p.s)[0] == 'T',
		    "suite");
		T_OK(tls_resumed(p.s) == 0, "a server does not tell");
	}
	p.s = NULL;
	pair_close(&p);
	return rc;
}

static void
test_sessions(void)
{
	struct tls *s = server("server.pem"), *other = server("server.pem");
	struct tls_session a = { { 0 }, 0 }, b;
	size_t i;

	T_OK(visit(s, &a, NOW) == 0 && a.valid, "first");
	b = a;
	T_OK(visit(s, &a, NOW) == 1 && a.valid, "second");
	T_OK(visit(s, &a, NOW + DAY - 1) == 1, "within a day");
	T_OK(visit(s, &a, NOW + DAY) == 0 && a.valid, "resumed is not new");
	T_OK(visit(s, &a, NOW + DAY + 1) == 1, "verified again");
	T_OK(visit(s, &b, NOW - 1) == 0, "from the future");
	T_OK(visit(s, &a, NOW + DAY) == 1, "at the second it was made");
	T_OK(visit(other, &a, NOW + DAY) == 0 && a.valid, "another server");
	T_OK(visit(other, &a, NOW + DAY) == 1, "its own");
	T_OK(visit(s, NULL, NOW) == 0, "none");

	/* A resumed session is not verified, so not dated again either. */
	T_OK(visit(other, &a, LATE) == -1 && !a.valid, "expired since");

	tls_session_forget(&a);
	for (i = 0; i < sizeof a.bytes && a.bytes[i] == 0; i++)
		;
	T_OK(i == sizeof a.bytes && !a.valid, "forgotten");
	tls_free(s);
	tls_free(other);
}

static void
test_session_loss(void)
{
	struct tls *s = server("server.pem"), *t;
	struct tls_session a = { { 0 }, 0 }, b;

	T_OK(visit(s, &a, NOW) == 0 && a.valid, "made");
	b = a;
	tls_free(client("root.pem", HOST, NOW, &b));
	T_OK(!b.valid, "given up in the handshake");

	b = a;
	t = client("root.pem", HOST, NOW, &b);
	tls_session_detach(t);
	tls_free(t);
	T_OK(b.valid, "detached");

	t = client("root.pem", HOST, NOW, &b);
	feed(t, ALERT("\2", "\x28"), 7);
	T_OK(tls_state(t) == TLS_FAILED && !b.valid, "refused");
	tls_free(t);

	/* Another engine's session, made in the meantime, is let live. */
	tls_session_forget(&b);
	t = client("root.pem", HOST, NOW, &b);
	b = a;
	tls_free(t);
	T_OK(b.valid, "not offered");
	tls_session_forget(&a);
	tls_session_forget(&b);
	tls_free(s);
}

/* --- many bytes both ways at once --- */

static unsigned char
pattern(size_t i, unsigned way)
{
	return (unsigned char)(i * 31 + i / 251 + way);
}

static size_t
send_some(struct tls *t, size_t from, size_t all, unsigned way)
{
	unsigned char b[5000];
	size_t i, n = all - from, done;

	if (n > sizeof b)
		n = sizeof b;
	n = n == 0 ? 0 : 1 + (size_t)(util_random(&rng) % n);
	for (i = 0; i < n; i++)
		b[i] = pattern(from + i, way);
	done = tls_write(t, b, n);
	if (util_random(&rng) % 4 == 0)
		tls_flush(t);
	return done;
}

static int
is_pattern(const struct buf *b, size_t n, unsigned way)
{
	size_t i;

	if (b->len != n)
		return 0;
	for (i = 0; i < n; i++)
		if (b->p[b->off + i] != pattern(i, way))
			return 0;
	return 1;
}

static void
test_bulk(size_t split, size_t bytes)
{
	struct pair p;
	size_t up = 0, down = 0;

	pair_open(&p, client("root.pem", HOST, NOW, NULL),
	    server("server.pem"), split);
	pump(&p);
	T_OK(tls_state(p.c) == TLS_OPEN, "%s", tls_why(p.c));
	while (up < bytes || down < bytes) {
		up += send_some(p.c, up, bytes, 1);
		down += send_some(p.s, down, bytes, 2);
		if (!step(&p)) {
			tls_flush(p.c);
			tls_flush(p.s);
		}
	}
	tls_flush(p.c);
	tls_flush(p.s);
	pump(&p);
	tls_flush(p.c);
	tls_flush(p.s);
	pump(&p);
	T_OK(is_pattern(&p.got_s, bytes, 1), "up: %lu bytes of %lu",
	    (unsigned long)p.got_s.len, (unsigned long)bytes);
	T_OK(is_pattern(&p.got_c, bytes, 2), "down: %lu bytes of %lu",
	    (unsigned long)p.got_c.len, (unsigned long)bytes);
	T_OK(tls_state(p.c) == TLS_OPEN && tls_state(p.s) == TLS_OPEN,
	    "open");
	pair_close(&p);
}

/* An engine that nobody empties takes a record and no more. */
static void
test_full(void)
{
	static unsigned char big[40000];
	struct pair p;
	size_t n;

	pair_open(&p, client("root.pem", HOST, NOW, NULL),
	    server("server.pem"), WIRE_MAX);
	pump(&p);
	n = tls_write(p.c, big, sizeof big);
	T_OK(n > 0 && n <= 16384, "took %lu", (unsigned long)n);
	T_OK(tls_write(p.c, big, 1) == 0, "took more");
	/* Both directions at once: reading goes on. */
	say(p.s, "early answer");
	while (step_out(&p, p.s, &p.down) |
	    step_in(&p, p.c, &p.down, &p.got_c))
		;
	T_OK(str_is(buf_str(&p.got_c), "early answer"), "full duplex");
	pump(&p);
	T_OK(p.got_s.len == n, "%lu", (unsigned long)p.got_s.len);
	pair_close(&p);
}

/* --- trust anchors --- */

static void
add_crlf(struct buf *b, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			buf_addc(b, '\r');
		buf_addc(b, s.p[i]);
	}
}

/* Adds a PEM text with one character within its base64 damaged. */
static void
add_damaged(struct buf *b, struct str s, size_t at, char c)
{
	size_t from = b->len;

	buf_addstr(b, s);
	b->p[b->off + from + at] = (unsigned char)c;
}

static void
expect_roots(const char *what, const struct buf *b, unsigned found,
    unsigned skipped, int works)
{
	struct tls_roots *r;
	unsigned f = 99, s = 99;
	struct pair p;

	r = tls_roots_new(buf_str(b), &f, &s);
	T_OK((r != NULL) == (found > 0), "%s", what);
	T_OK(f == found && s == skipped, "%s: found %u, skipped %u", what, f,
	    s);
	pair_open(&p, tls_client(tls_roots_ref(r), str_of(HOST), seed(), NOW,
	    NULL), server("server.pem"), WIRE_MAX);
	tls_roots_free(r);
	pump(&p);
	T_OK((tls_state(p.c) == TLS_OPEN) == works, "%s: %s", what,
	    tls_why(p.c));
	pair_close(&p);
	tls_roots_free(r);
}

static void
test_roots(void)
{
	struct str root = pki("root.pem");
	struct buf b;

	buf_init(&b, 65536);
	expect_roots("empty", &b, 0, 0, 0);
	buf_adds(&b, "no certificate here\n-----BEGIN nothing");
	expect_roots("prose", &b, 0, 0, 0);
	buf_clear(&b);
	buf_addstr(&b, root);
	expect_roots("one", &b, 1, 0, 1);
	buf_cut(&b, b.len - 1);
	expect_roots("no last line end", &b, 1, 0, 1);
	buf_cut(&b, b.len - 40);
	expect_roots("cut short", &b, 0, 1, 0);
	buf_clear(&b);
	buf_addstr(&b, str_n(root.p, 28 + 65));
	expect_roots("cut at a line end", &b, 0, 1, 0);
	buf_clear(&b);
	add_crlf(&b, pki("other.pem"));
	add_crlf(&b, root);
	expect_roots("CRLF", &b, 2, 0, 1);

	buf_clear(&b);
	buf_adds(&b, "# comment\n\nIssuer: somebody\n");
	buf_addstr(&b, pki("key.pem"));
	buf_addstr(&b, pki("ed25519.pem"));
	buf_addstr(&b, pki("other.pem"));
	expect_roots("Ed25519, key, other", &b, 1, 1, 0);
	buf_addstr(&b, root);
	expect_roots("and the root", &b, 2, 1, 1);

	buf_clear(&b);
	add_damaged(&b, pki("other.pem"), 100, '!');
	buf_addstr(&b, root);
	expect_roots("bad base64", &b, 1, 1, 1);
	buf_clear(&b);
	add_damaged(&b, pki("other.pem"), 28, 'A');
	add_damaged(&b, pki("other.pem"), 40, 'z');
	buf_addstr(&b, root);
	expect_roots("bad DER", &b, 1, 2, 1);
	buf_clear(&b);
	buf_adds(&b, "-----BEGIN CERTIFICATE-----\n");
	buf_adds(&b, "-----END CERTIFICATE-----\n");
	buf_addstr(&b, root);
	expect_roots("no DER", &b, 1, 1, 1);
	buf_free(&b);

	T_OK(tls_roots_ref(NULL) == NULL, "none");
	tls_roots_free(NULL);
	tls_free(NULL);
}

static void
test_server(void)
{
	T_OK(tls_server(str_of(""), pki("key.pem"), seed()) == NULL,
	    "no chain");
	T_OK(tls_server(pki("server.pem"), str_of(""), seed()) == NULL,
	    "no key");
	T_OK(tls_server(pki("server.pem"), pki("leaf.pem"), seed()) == NULL,
	    "a certificate for a key");
	T_OK(tls_server(pki("ed25519.pem"), pki("key.pem"), seed()) == NULL,
	    "a leaf that cannot be read");
}

/* --- words --- */

static void
test_words(void)
{
#define X(code, text) text,
	static const char *const words[] = { TLS_REASONS(X) };
#undef X
#define X(n, name, text) name, text,
	static const char *const alerts[] = { TLS_ALERTS(X) };
#undef X
	size_t n = sizeof words / sizeof words[0], i, k;

	T_OK(n == 59, "%lu codes", (unsigned long)n);
	for (i = 0; i < n; i++) {
		T_OK(strlen(words[i]) > 20 && words[i][strlen(words[i]) - 1]
		    != '.' && strstr(words[i], "  ") == NULL, "%s", words[i]);
		for (k = 0; k < i; k++)
			T_OK(strcmp(words[i], words[k]) != 0, "%s twice",
			    words[i]);
	}
	n = sizeof alerts / sizeof alerts[0];
	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			T_OK(strcmp(alerts[i], alerts[k]) != 0, "%s twice",
			    alerts[i]);
}

/* --- noise --- */

/* The server's first flight, recorded. */
static void
record(struct buf *flight)
{
	struct pair p;

	pair_open(&p, client("root.pem", HOST, NOW, NULL),
	    server("server.pem"), WIRE_MAX);
	while (step_out(&p, p.c, &p.up) | step_in(&p, p.s, &p.up, &p.got_s) |
	    step_out(&p, p.s, &p.down))
		;
	buf_addstr(flight, buf_str(&p.down));
	pair_close(&p);
}

/* Some bytes changed, dropped or doubled. */
static void
mutate(struct buf *to, struct str from)
{
	size_t i, rate = 1 + (size_t)(util_random(&rng) % from.n);

	buf_clear(to);
	for (i = 0; i < from.n; i++) {
		if (util_random(&rng) % (2 * rate) != 0) {
			buf_addc(to, from.p[i]);
			continue;
		}
		switch (util_random(&rng) % 4) {
		case 0:
			break;
		case 1:
			buf_addc(to, from.p[i]);
			buf_addc(to, from.p[i]);
			break;
		default:
			buf_addc(to, (char)(util_random(&rng) & 0xff));
		}
	}
}

static void
test_noise(unsigned rounds)
{
	struct buf flight, bad;
	struct pair p;
	unsigned i;
	size_t n;

	buf_init(&flight, WIRE_MAX);
	buf_init(&bad, WIRE_MAX);
	record(&flight);
	T_OK(flight.len > 1000, "flight of %lu", (unsigned long)flight.len);
	for (i = 0; i < rounds; i++) {
		mutate(&bad, buf_str(&flight));
		p.c = client("root.pem", HOST, NOW, NULL);
		feed(p.c, buf_str(&bad).p, bad.len);
		T_OK(tls_state(p.c) == TLS_HANDSHAKE ||
		    tls_state(p.c) == TLS_FAILED, "round %u", i);
		T_OK((tls_state(p.c) == TLS_FAILED) ==
		    (tls_why(p.c)[0] != '\0'), "round %u", i);
		T_OK(tls_read(p.c, &n) == NULL, "round %u: data", i);
		tls_free(p.c);
	}
	buf_free(&flight);
	buf_free(&bad);
}

/* The same on a live wire: nothing false ever arrives. */
static void
test_noisy_wire(unsigned rounds)
{
	struct pair p;
	unsigned i, open = 0;

	for (i = 0; i < rounds; i++) {
		pair_open(&p, client("root.pem", HOST, NOW, NULL),
		    server("server.pem"), 64);
		p.flip = 3000;
		pump(&p);
		if (tls_write(p.c, "question", 8) == 8 &&
		    tls_write(p.s, "answer", 6) == 6)
			open++;
		tls_flush(p.c);
		tls_flush(p.s);
		pump(&p);
		T_OK(p.got_s.len == 0 || str_is(buf_str(&p.got_s),
		    "question"), "round %u", i);
		T_OK(p.got_c.len == 0 || str_is(buf_str(&p.got_c), "answer"),
		    "round %u", i);
		pair_close(&p);
	}
	T_OK(open > 0 && open < rounds, "%u of %u opened", open, rounds);
}

int
main(void)
{
	test_beliefs();
	test_hosts();
	test_hello();
	test_close();
	test_cut();
	test_answers();
	test_damage();
	test_sessions();
	test_session_loss();
	test_bulk(1, 3000);
	test_bulk(700, 200000);
	test_bulk(WIRE_MAX, 2000000);
	test_full();
	test_roots();
	test_server();
	test_words();
	test_noise(200);
	test_noisy_wire(40);
	T_OK(undecided == 0, "%u steps", undecided);
	return t_end();
}
