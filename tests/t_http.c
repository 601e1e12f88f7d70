#include "http.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"
#include "wire/http_body.h"
#include "wire/http_write.h"

#define S(text) text, sizeof text - 1

/* Bytes of exactly the size they have, so that a checker sees one over. */
static char *
exact(const char *p, size_t n)
{
	char *q = malloc(n > 0 ? n : 1);

	if (q == NULL)
		exit(2);
	memcpy(q, p, n);
	return q;
}

static enum http_rc
parse(struct http_head *h, int request, const char *p, size_t n, size_t seen)
{
	return request ? http_request(h, p, n, seen) :
	    http_response(h, p, n, seen, 0);
}

/* A byte at a time; *at: how many had come when it was decided. */
static enum http_rc
drip(struct http_head *h, int request, const char *p, size_t n, size_t *at)
{
	enum http_rc rc = HTTP_MORE;
	char *q;

	for (*at = 0; rc == HTTP_MORE && *at < n;) {
		q = exact(p, *at + 1);
		rc = parse(h, request, q, *at + 1, *at);
		if (rc == HTTP_OK)
			http_head_move(h, q, p);
		free(q);
		++*at;
	}
	return rc;
}

/* One head with one outcome, however it arrives. */
static void
expect(struct http_head *h, int request, const char *p, size_t n,
    enum http_rc rc, int status)
{
	static struct http_head slow;
	enum http_rc got;
	size_t at, half;
	char *q = exact(p, n);

	got = parse(h, request, q, n, 0);
	T_OK(got == rc, "%d for %.70s", (int)got, p);
	if (got == HTTP_OK)
		http_head_move(h, q, p);
	if (got == HTTP_BAD && request)
		T_OK(h->bad_status == status, "%d (%s) for %.70s",
		    h->bad_status, h->why, p);
	if (got == HTTP_BAD)
		T_OK(h->why != NULL, "no reason for %.70s", p);
	got = drip(&slow, request, q, n, &at);
	T_OK(got == rc, "dripped: %d for %.70s", (int)got, p);
	if (got == HTTP_OK)
		T_OK(at == h->size && slow.nfields == h->nfields &&
		    slow.framing == h->framing && slow.length == h->length,
		    "dripped otherwise: %.70s", p);
	for (half = 1; half < n; half++) {
		got = parse(&slow, request, q, half, 0);
		if (got == HTTP_MORE)
			got = parse(&slow, request, q, n, half);
		T_OK(got == rc, "cut at %zu: %d for %.70s", half, (int)got, p);
	}
	free(q);
}

static const struct {
	const char *p;
	size_t n;
	const char *method, *path, *query;
	enum http_framing framing;
	uint64_t length;
	int keep, upgrade;
} good[] = {
	{ S("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "GET", "/", NULL,
	    HTTP_NO_BODY, 0, 1, 0 },
	{ S("\r\nGET /x?a=b?c&d HTTP/1.1\r\nHost: a\r\n\r\n"), "GET",
	    "/x", "a=b?c&d", HTTP_NO_BODY, 0, 1, 0 },
	{ S("GET /? HTTP/1.1\r\nHost:\t a:80 \t\r\n\r\n"), "GET", "/",
	    "", HTTP_NO_BODY, 0, 1, 0 },
	{ S("POST /v1/messages HTTP/1.1\r\nhOST: [::1]:8080\r\n"
	    "content-LENGTH: 0012\r\n\r\n"), "POST", "/v1/messages",
	    NULL, HTTP_LENGTH, 12, 1, 0 },
	{ S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
	    "POST", "/", NULL, HTTP_LENGTH, 0, 1, 0 },
	{ S("POST / HTTP/1.1\r\nHost: a\r\n"
	    "Content-Length: 4611686018427387904\r\n\r\n"),
	    "POST", "/", NULL, HTTP_LENGTH, (uint64_t)1 << 62, 1, 0 },
	{ S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
	    "cHuNkEd\r\n\r\n"), "POST", "/", NULL, HTTP_CHUNKED, 0, 1,
	    0 },
	{ S("GET / HTTP/1.0\r\n\r\n"), "GET", "/", NULL,
	    HTTP_NO_BODY, 0, 0, 0 },
	{ S("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
	    "GET", "/", NULL, HTTP_NO_BODY, 0, 1, 0 },
	{ S("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"),
	    "GET", "/", NULL, HTTP_NO_BODY, 0, 0, 0 },
	{ S("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
	    "Connection: keep-alive\r\n\r\n"),
	    "GET", "/", NULL, HTTP_NO_BODY, 0, 0, 0 },
	{ S("GET / HTTP/1.1\r\nHost: a\r\nConnection: ,x, ,CLOSE,\r\n"
	    "\r\n"), "GET", "/", NULL, HTTP_NO_BODY, 0, 0, 0 },
	{ S("GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n"
	    "\r\n"), "GET", "/", NULL, HTTP_NO_BODY, 0, 1, 0 },
	{ S("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), "OPTIONS", "*",
	    NULL, HTTP_NO_BODY, 0, 1, 0 },
	{ S("GET http://B.c:81/p/q?r HTTP/1.1\r\nHost: a\r\n\r\n"),
	    "GET", "/p/q", "r", HTTP_NO_BODY, 0, 1, 0 },
	{ S("GET HTTPS://b?r HTTP/1.1\r\nHost: a\r\n\r\n"),
	    "GET", "/", "r", HTTP_NO_BODY, 0, 1, 0 },
	{ S("GET http://b HTTP/1.0\r\n\r\n"),
	    "GET", "/", NULL, HTTP_NO_BODY, 0, 0, 0 },
	{ S("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
	    "CONNECT", "", NULL, HTTP_NO_BODY, 0, 1, 1 },
	{ S("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
	    "Connection: upgrade\r\n\r\n"), "GET", "/", NULL,
	    HTTP_NO_BODY, 0, 1, 1 },
	{ S("GET /{a}|^\\\"<> HTTP/1.1\r\nHost: a\r\n\r\n"), "GET",
	    "/{a}|^\\\"<>", NULL, HTTP_NO_BODY, 0, 1, 0 },
	{ S("P~!#$%&'*+-.^_`| / HTTP/1.1\r\nHost: a_b\r\nx_y: 1\r\n"
	    "empty:\r\nlatin: \351\200\377\tz\r\n\r\nGET "),
	    "P~!#$%&'*+-.^_`|", "/", NULL, HTTP_NO_BODY, 0, 1, 0 }
};

static void
test_good(void)
{
	static struct http_head h;
	size_t i;

	for (i = 0; i < sizeof good / sizeof good[0]; i++) {
		expect(&h, 1, good[i].p, good[i].n, HTTP_OK, 0);
		T_OK(str_is(h.method, good[i].method), "%zu method", i);
		T_OK(str_is(h.path, good[i].path), "%zu path %.*s", i,
		    (int)h.path.n, h.path.p);
		T_OK((h.query.p != NULL) == (good[i].query != NULL) &&
		    str_eq(h.query, str_of(good[i].query)), "%zu query", i);
		T_OK(h.framing == good[i].framing, "%zu framing", i);
		T_OK(h.length == good[i].length, "%zu length", i);
		T_OK((int)h.keep_alive == good[i].keep, "%zu keep_alive", i);
		T_OK((int)h.upgrade == good[i].upgrade, "%zu upgrade", i);
	}
}

/* A request for / of HTTP/1.1 with Host and these lines. */
#define R(lines) S("POST / HTTP/1.1\r\nHost: a\r\n" lines "\r\n\r\n")
#define TE "Transfer-Encoding: "
#define CL "Content-Length: "

static const struct {
	int status;
	const char *p;
	size_t n;
} wrong[] = {
	/* two ways to tell the length, or a doubtful one */
	{ 400, R(CL "5\r\n" TE "chunked") },
	{ 400, R(TE "chunked\r\n" CL "5") },
	{ 400, R(TE "gzip, chunked\r\n" CL "5") },
	{ 400, R(CL "5\r\n" CL "6") },
	{ 400, R(CL "5\r\n" CL "5") },
	{ 400, R(CL "5\r\nx: y\r\ncontent-length: 5") },
	{ 400, R(CL "+5") }, { 400, R(CL "-5") },
	{ 400, R(CL "0x5") }, { 400, R(CL "5,5") },
	{ 400, R(CL "5, 5") }, { 400, R(CL "5,") },
	{ 400, R(CL ",5") }, { 400, R(CL "") }, { 400, R(CL " ") },
	{ 400, R(CL "5 5") }, { 400, R(CL "5_0") },
	{ 400, R(CL "5.0") }, { 400, R(CL "5e1") },
	{ 400, R(CL "\"5\"") }, { 400, R(CL "\2605") },
	{ 400, R(CL "4611686018427387905") },
	{ 400, R(CL "18446744073709551621") },
	{ 400, R(CL "99999999999999999999999999999999999999") },
	{ 501, R(TE "xchunked") }, { 501, R(TE "chunkedx") },
	{ 501, R(TE "gzip, chunked") }, { 501, R(TE "gzip") },
	{ 501, R(TE "identity") }, { 501, R(TE "chunked, gzip") },
	{ 501, R(TE "chunked, identity") },
	{ 501, R(TE "gzip\r\n" TE "chunked") },
	{ 400, R(TE "chunked, chunked") },
	{ 400, R(TE "chunked\r\n" TE "chunked") },
	{ 400, R(TE "chunked,") }, { 400, R(TE ",chunked") },
	{ 400, R(TE "") }, { 400, R(TE "\"chunked\"") },
	{ 400, R(TE "chunked;q=1") }, { 400, R(TE "chun ked") },
	{ 400, R(TE "\vchunked") }, { 400, R(TE "chunked\f") },
	{ 400, R(TE "chunk\351d") },
	{ 400, S("POST / HTTP/1.0\r\n" TE "chunked\r\n\r\n") },
	{ 400, S("POST / HTTP/1.0\r\n" TE "chunked\r\n" CL "5\r\n"
	    "\r\n") },
	/* line ends */
	{ 400, S("GET / HTTP/1.1\nHost: a\n\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: a\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: a\n\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: a\r\n\n") },
	{ 400, S("GET / HTTP/1.1\nHost: a\r\n\r\n") },
	{ 400, S("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: a\r\rx: y\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n") },
	{ 400, R("a: b\rc: d") }, { 400, R("a: b\r\r\nc: d") },
	{ 400, R("a: b\nc: d") }, { 400, R("a: b\ncc: d") },
	{ 400, R("a: b\0c") }, { 400, R("a: b\0\nc: d") },
	{ 400, R("a: b\177\nc: d") },
	{ 400, R("a: b\033[2J") }, { 400, R("a: b\177") },
	/* fields */
	{ 400, R("a: b\r\n c") }, { 400, R("a: b\r\n\tc") },
	{ 400, S("GET / HTTP/1.1\r\n Host: a\r\n\r\n") },
	{ 400, R("a : b") }, { 400, R("a\t: b") }, { 400, R(": b") },
	{ 400, R("a") }, { 400, R("a b: c") }, { 400, R("a(b): c") },
	{ 400, R("\351: c") }, { 400, R("a\0: c") },
	{ 400, R(CL "5\0") }, { 400, R("Content-Length : 5") },
	{ 400, R("Transfer-Encoding : chunked") },
	/* Host */
	{ 400, S("GET / HTTP/1.1\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nx: y\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost:\r\n\r\n") },
	{ 400, R("Host: a") }, { 400, R("host: b") },
	{ 400, S("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: a b\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: a:\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: a:0\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: a:+1\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: []\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: [12]\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: [::g]\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1\r\nHost: \351\r\n\r\n") },
	/* request lines */
	{ 400, S("GET /\r\n\r\n") }, { 400, S("GET /\r\n") },
	{ 400, S("GET / \r\n\r\n") }, { 400, S("GET\r\n\r\n") },
	{ 400, S("GET  / HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET /  HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET / HTTP/1.1 \r\nHost: a\r\n\r\n") },
	{ 400, S("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S(" GET / HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET / /b HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET a HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET * HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET /#f HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET /\351 HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("G(T / HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET http://u:p@b/ HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET http://b:x/ HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET http://b/ HTTP/1.1\r\n\r\n") },
	{ 400, S("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET / http/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET / HTTP/1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET / HTTP/1.\r\nHost: a\r\n\r\n") },
	{ 400, S("GET / HTTP/11\r\nHost: a\r\n\r\n") },
	{ 400, S("GET / HTTP/1.10\r\nHost: a\r\n\r\n") },
	{ 400, S("GET / HTTPS/1.1\r\nHost: a\r\n\r\n") },
	{ 400, S("GET / H\r\n") },
	{ 505, S("GET / HTTP/2.0\r\nHost: a\r\n\r\n") },
	{ 505, S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") },
	{ 505, S("GET / HTTP/1.2\r\nHost: a\r\n\r\n") },
	{ 505, S("GET / HTTP/0.9\r\nHost: a\r\n\r\n") },
	{ 501, S("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n"
	    "Host: a\r\n\r\n") }
};

static void
test_bad(void)
{
	static struct http_head h;
	size_t i;

	for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		expect(&h, 1, wrong[i].p, wrong[i].n, HTTP_BAD,
		    wrong[i].status);
}

/* What is hopeless is refused with its first bytes, not after a time-out. */
static void
test_early(void)
{
	static const struct {
		int request;
		size_t at;
		const char *p;
		size_t n;
	} t[] = {
		{ 1, 1, S("\026\003\001\002\000\001\000\001\374\003\003") },
		{ 1, 1, S("\200\056\001\000\002") }, { 1, 1, S("\0") },
		{ 1, 1, S("{\"a\":1}") }, { 1, 1, S("\n") },
		{ 1, 2, S("\rG") }, { 1, 7, S("GET /\r\n") },
		{ 1, 4, S("GET\0 / HTTP/1.1\r\n") },
		{ 1, 15, S("GET / HTTP/1.1\nHost: a\n\n") },
		{ 1, 24, S("GET / HTTP/1.1\r\nHost: a\nb: c\n\n") },
		{ 1, 25, S("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n") },
		{ 1, 16, S("GET / HTTP/1.9\r\nHost: a\r\n") },
		{ 0, 1, S("ICY 200 OK\r\n") },
		{ 0, 6, S("HTTP/2 200\r\n") }, { 0, 1, S("\r\n") },
		{ 0, 17, S("HTTP/1.1 099 OK\r\n") }
	};
	static struct http_head h;
	enum http_rc rc;
	size_t i, at;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		rc = drip(&h, t[i].request, t[i].p, t[i].n, &at);
		T_OK(rc == HTTP_BAD && at == t[i].at, "%zu: %d at %zu", i,
		    (int)rc, at);
	}
}

/* A head with a target of n bytes, m fields and a value of k bytes. */
static void
limit(size_t target, unsigned nfields, size_t value, int status)
{
	static struct http_head h;
	struct buf b;
	struct str s;
	enum http_rc rc;
	size_t i, seen;

	buf_init(&b, 1 << 20);
	buf_adds(&b, "GET /");
	for (i = 1; i < target; i++)
		buf_addc(&b, 'a');
	buf_adds(&b, " HTTP/1.1\r\nHost: a\r\n");
	for (i = 1; i < nfields; i++)
		buf_adds(&b, "a: b\r\n");
	if (value > 0) {
		buf_adds(&b, "long: ");
		/* so many that the head has this size in all */
		for (i = b.len + 4; i < value; i++)
			buf_addc(&b, 'v');
		buf_adds(&b, "\r\n");
	}
	buf_adds(&b, "\r\n");
	s = buf_str(&b);
	rc = http_request(&h, s.p, s.n, 0);
	T_OK(status == 0 ? rc == HTTP_OK && h.size == s.n :
	    rc == HTTP_BAD && h.bad_status == status,
	    "%zu %u %zu: %d %d", target, nfields, value, (int)rc,
	    h.bad_status);
	rc = HTTP_MORE;
	for (seen = 0; rc == HTTP_MORE && seen < s.n; seen++)
		rc = http_request(&h, s.p, seen + 1, seen);
	T_OK(rc == (status == 0 ? HTTP_OK : HTTP_BAD),
	    "dripped %zu %u %zu: %d", target, nfields, value, (int)rc);
	T_OK(status != 414 || seen < 16384 + 24, "414 at %zu", seen);
	buf_free(&b);
}

static void
test_limits(void)
{
	static struct http_head h;
	char text[512];
	enum http_rc rc;
	size_t i;

	limit(HTTP_TARGET_MAX, 1, 0, 0);
	limit(HTTP_TARGET_MAX + 1, 1, 0, 414);
	limit(100000, 1, 0, 414);
	limit(1, HTTP_FIELDS_MAX, 0, 0);
	limit(1, HTTP_FIELDS_MAX + 1, 0, 431);
	limit(1, 1, HTTP_HEAD_MAX, 0);
	limit(1, 1, HTTP_HEAD_MAX + 1, 431);
	limit(1, 1, 200000, 431);
	/* An end that never comes. */
	memset(text, 'A', sizeof text);
	rc = http_request(&h, text, 32, 0);
	T_OK(rc == HTTP_MORE, "%d", (int)rc);
	rc = http_request(&h, text, 33, 32);
	T_OK(rc == HTTP_BAD && h.bad_status == 501, "%d", (int)rc);
	/* So many options in Connection that reading them is an attack. */
	memcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nConnection: ", 38);
	for (i = 37; i < 37 + 2 * 65; i += 2)
		memcpy(text + i, "x,", 2);
	memcpy(text + i, "\r\n\r\n", 4);
	rc = http_request(&h, text, i + 4, 0);
	T_OK(rc == HTTP_BAD && h.bad_status == 400, "%d", (int)rc);
}

static void
test_ids(void)
{
	static const char *const names[HTTP_IDS] = {
		"X-Other", "Host", "Connection", "Content-Length",
		"Transfer-Encoding", "Content-Type", "Content-Encoding",
		"Expect", "Authorization", "X-Api-Key", "X-Goog-Api-Key",
		"Accept-Encoding", "Keep-Alive", "TE", "Trailer", "Upgrade",
		"Proxy-Connection", "Proxy-Authorization",
		"Proxy-Authenticate", "Origin", "Sec-Fetch-Site",
		"X-Request-Id", "Retry-After", "Retry-After-Ms",
		"Anthropic-Version", "Cookie", "Date", "Location"
	};
	static const char hops[] =
	    " 2 4 12 13 14 15 16 17 18 ";
	static struct http_head h;
	struct buf b;
	struct str s;
	char t[16];
	size_t i, k;
	int hop;

	for (i = 0; i < HTTP_IDS; i++) {
		buf_init(&b, 4096);
		buf_fmt(&b, "HTTP/1.1 200 OK\r\n%s: chunked\r\n\r\n", names[i]);
		if (i == HTTP_CONTENT_LENGTH) {
			buf_clear(&b);
			buf_adds(&b, "HTTP/1.1 200 OK\r\nContent-Length: 7"
			    "\r\n\r\n");
		}
		s = buf_str(&b);
		T_OK(http_response(&h, s.p, s.n, 0, 0) == HTTP_OK, "%s",
		    names[i]);
		T_OK(h.fields[0].id == i, "%s is %u", names[i],
		    h.fields[0].id);
		T_OK(h.first[i] == 0, "%s first", names[i]);
		T_OK(str_is(h.fields[0].name, names[i]), "%s", names[i]);
		T_OK(str_eq(http_find(&h, names[i]), h.fields[0].value), "%s",
		    names[i]);
		snprintf(t, sizeof t, " %zu ", i);
		hop = strstr(hops, t) != NULL;
		T_OK(h.fields[0].hop == hop, "%s hop", names[i]);
		/* One letter off is another field. */
		for (k = 0; k < strlen(names[i]) && i > 0; k++) {
			b.p[b.off + 17 + k] ^= 2;
			if (http_response(&h, s.p, s.n, 0, 0) == HTTP_OK)
				T_OK(h.fields[0].id == HTTP_OTHER,
				    "%s at %zu is %u", names[i], k,
				    h.fields[0].id);
			b.p[b.off + 17 + k] ^= 2;
		}
		buf_free(&b);
	}
	T_OK(http_get(&h, HTTP_DATE).p == NULL, "a field that is not there");
	T_OK(http_find(&h, "nope").p == NULL, "a field that is not there");
}

static void
test_hops(void)
{
	static const char text[] =
	    "GET / HTTP/1.1\r\nHost: a\r\n"
	    "Connection: X-Mine, close, host, content-type, content-length\r\n"
	    "connection: authorization,x-api-key,x-goog-api-key,cookie, "
	    "Anthropic-Beta\r\n"
	    "Connection: anthropic-version, content-encoding,cache-control\r\n"
	    "Connection: x-absent, \"odd\", accept-encoding\r\n"
	    "x-mine: 1\r\nX-MINE: 2\r\nX-Mine-Too: 3\r\nContent-Type: t\r\n"
	    "Content-Length: 0\r\nAuthorization: t\r\nX-Api-Key: t\r\n"
	    "X-Goog-Api-Key: t\r\nCookie: t\r\nanthropic-beta: t\r\n"
	    "Anthropic-Version: t\r\nContent-Encoding: t\r\n"
	    "Cache-Control: t\r\nAccept-Encoding: t\r\nTE: trailers\r\n\r\n";
	static const char hops[] = "0" "1111" "11" "00000000000" "11";
	static struct http_head h;
	unsigned i;

	T_OK(http_request(&h, S(text), 0) == HTTP_OK, "%s", h.why);
	T_OK(h.nfields == sizeof hops - 1, "%u", h.nfields);
	for (i = 0; i < h.nfields; i++)
		T_OK(h.fields[i].hop == hops[i] - '0',
		    "%.*s: %u", (int)h.fields[i].name.n, h.fields[i].name.p,
		    h.fields[i].hop);
}

static void
test_details(void)
{
	static struct http_head h;

	T_OK(http_request(&h, S("GET http://b:9/p HTTP/1.1\r\nHost: evil\r\n"
	    "Expect: 100-Continue\r\n\r\n"), 0) == HTTP_OK, "%s", h.why);
	T_OK(str_is(http_get(&h, HTTP_HOST), "b:9"), "absolute form wins");
	T_OK(str_is(h.target, "http://b:9/p"), "the target as it came");
	T_OK(h.expect, "expect");
	T_OK(http_request(&h, S("GET / HTTP/1.0\r\nExpect: 100-continue\r\n"
	    "\r\n"), 0) == HTTP_OK && !h.expect, "no interim in 1.0");
	T_OK(http_request(&h, S("GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n"
	    "\r\n"), 0) == HTTP_OK && !h.expect, "another expectation");
	T_OK(http_request(&h, S("GET / HTTP/1.1\r\nHost: a\r\nX: \t b \t c\t "
	    "\r\n\r\n"), 0) == HTTP_OK, "%s", h.why);
	T_OK(str_is(http_find(&h, "x"), "b \t c"), "trimmed at its ends");
	T_OK(http_request(&h, "", 0, 0) == HTTP_MORE, "nothing");
}

/* An answer with this status line and these lines. */
#define A(status, lines) S("HTTP/1.1 " status "\r\n" lines "\r\n")

static const struct {
	const char *p;
	size_t n;
	int head_only, status;
	const char *reason;
	enum http_framing framing;
	uint64_t length;
	int keep;
} answers[] = {
	{ A("200 OK", "Content-Length: 5\r\n"), 0, 200, "OK",
	    HTTP_LENGTH, 5, 1 },
	{ A("200 OK", "Content-Length: 5\r\n"), 1, 200, "OK",
	    HTTP_NO_BODY, 0, 1 },
	{ A("200 ", CL "5\r\n" CL "5\r\n"), 0, 200, "",
	    HTTP_LENGTH, 5, 1 },
	{ A("200", CL "5, 5\r\n"), 0, 200, "", HTTP_LENGTH, 5, 1 },
	{ A("200 OK", TE "chunked\r\n"), 0, 200, "OK", HTTP_CHUNKED,
	    0, 1 },
	{ A("200 OK", TE "chunked\r\n"), 1, 200, "OK", HTTP_NO_BODY,
	    0, 1 },
	{ A("200 OK", ""), 0, 200, "OK", HTTP_UNTIL_CLOSE, 0, 0 },
	{ A("200 OK", ""), 1, 200, "OK", HTTP_NO_BODY, 0, 1 },
	{ A("100 Continue", ""), 0, 100, "Continue", HTTP_NO_BODY, 0,
	    1 },
	{ A("103 Early", CL "0\r\n"), 0, 103, "Early", HTTP_NO_BODY,
	    0, 1 },
	{ A("204 No", ""), 0, 204, "No", HTTP_NO_BODY, 0, 1 },
	{ A("204 No", CL "3\r\n"), 0, 204, "No", HTTP_NO_BODY, 0, 0 },
	{ A("204 No", TE "chunked\r\n"), 0, 204, "No", HTTP_NO_BODY,
	    0, 0 },
	{ A("304 Same", CL "77\r\n"), 0, 304, "Same", HTTP_NO_BODY, 0,
	    1 },
	{ A("999 \351 \tx", CL "0\r\nConnection: close\r\n"), 0, 999,
	    "\351 \tx", HTTP_LENGTH, 0, 0 },
	{ S("HTTP/1.0 200 OK\r\n" CL "5\r\n\r\n"), 0, 200, "OK",
	    HTTP_LENGTH, 5, 0 },
	{ S("HTTP/1.0 200 OK\r\n" CL "5\r\nConnection: keep-alive\r\n"
	    "\r\n"), 0, 200, "OK", HTTP_LENGTH, 5, 1 },
	{ S("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"), 0,
	    200, "OK", HTTP_UNTIL_CLOSE, 0, 0 }
};

static const struct {
	const char *p;
	size_t n;
} wrong_answers[] = {
	{ A("200 OK", CL "5\r\n" CL "6\r\n") },
	{ A("200 OK", CL "5, 6\r\n") }, { A("200 OK", CL "\r\n") },
	{ A("200 OK", CL "+5\r\n") }, { A("200 OK", CL "5,\r\n") },
	{ A("200 OK", CL "5\r\n" TE "chunked\r\n") },
	{ A("200 OK", TE "gzip, chunked\r\n") },
	{ A("200 OK", TE "chunked\r\n" TE "chunked\r\n") },
	{ S("HTTP/1.0 200 OK\r\n" TE "chunked\r\n\r\n") },
	{ A("100 Go", CL "1\r\n") }, { A("103 x", TE "chunked\r\n") },
	{ A("20 OK", "") }, { A("2000 OK", "") }, { A("099 OK", "") },
	{ A("+20 OK", "") }, { A("200\tOK", "") }, { A(" 200 OK", "") },
	{ A("200 O\rK", "") }, { A("200 O\nK", "") },
	{ A("200 O\0K", "") }, { A("abc OK", "") }, { A("", "") },
	{ S("HTTP/1.2 200 OK\r\n\r\n") }, { S("HTTP/1.1\r\n\r\n") },
	{ S("HTTP/2.0 200 OK\r\n\r\n") }, { S("HTTP/1 200\r\n\r\n") },
	{ S("http/1.1 200 OK\r\n\r\n") }, { S("\r\nHTTP/1.1 200\r\n") },
	{ S("HTTP/1.1 200 OK\n\n") }, { S("HTTP/1.1 200 OK\r\n\n") },
	{ S("HTTP/1.1 200 OK\r\na: b\n\r\n") },
	{ A("200 OK", "a : b\r\n") }, { A("200 OK", ": b\r\n") },
	{ A("200 OK", "a: b\r\n c\r\n") }, { A("200 OK", "a: \0\r\n") }
};

static void
test_answers(void)
{
	static struct http_head h;
	size_t i;

	for (i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		expect(&h, 0, answers[i].p, answers[i].n, HTTP_OK, 0);
		T_OK(http_response(&h, answers[i].p, answers[i].n, 0,
		    answers[i].head_only) == HTTP_OK, "%zu", i);
		T_OK(h.status == answers[i].status, "%zu status", i);
		T_OK(str_is(h.reason, answers[i].reason), "%zu reason", i);
		T_OK(h.framing == answers[i].framing, "%zu framing", i);
		T_OK(h.length == answers[i].length, "%zu length", i);
		T_OK((int)h.keep_alive == answers[i].keep, "%zu keep_alive", i);
	}
	for (i = 0; i < sizeof wrong_answers / sizeof wrong_answers[0]; i++)
		expect(&h, 0, wrong_answers[i].p, wrong_answers[i].n, HTTP_BAD,
		    0);
	/* Of several equal lengths one is left to be forwarded. */
	(void)http_response(&h, answers[2].p, answers[2].n, 0, 0);
	T_OK(!h.fields[0].hop && h.fields[1].hop, "two fields");
	(void)http_response(&h, answers[3].p, answers[3].n, 0, 0);
	T_OK(str_is(h.fields[0].value, "5"), "a list");
}

/*
 * Reads a body in pieces of `piece` bytes and collects its data.  Returns
 * the last answer; *used: bytes of the message.
 */
static enum http_rc
collect(struct http_body *b, const char *p, size_t n, size_t piece,
    struct buf *out, size_t *used)
{
	enum http_rc rc = HTTP_MORE;
	struct str data;
	size_t m, k;
	char *q;

	*used = 0;
	do {
		m = n - *used < piece ? n - *used : piece;
		q = exact(p + *used, m);
		rc = http_body_feed(b, q, m, &k, &data);
		T_OK(k <= m, "consumed more than there was");
		T_OK(rc != HTTP_MORE || k == m || data.n > 0, "no progress");
		if (data.n > 0)
			T_OK(data.p >= q && data.p + data.n <= q + m,
			    "data outside");
		buf_addstr(out, data);
		*used += k;
		free(q);
	} while (rc == HTTP_MORE && *used < n);
	return rc;
}

static const struct {
	const char *p;
	size_t n;
	enum http_rc rc;
	const char *data;
	size_t rest;
} bodies[] = {
	{ S("0\r\n\r\n"), HTTP_OK, "", 0 },
	{ S("000\r\n\r\nGET"), HTTP_OK, "", 3 },
	{ S("5\r\nhello\r\n0\r\n\r\n"), HTTP_OK, "hello", 0 },
	{ S("3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\nX"), HTTP_OK, "hello", 1 },
	{ S("A\r\n0123456789\r\n0a\r\n0123456789\r\n0\r\n\r\n"),
	    HTTP_OK, "01234567890123456789", 0 },
	{ S("5;a=b;c=\"d;e\"\r\nhello\r\n0;z\r\n\r\n"), HTTP_OK,
	    "hello", 0 },
	{ S("5 \t;a\r\nhello\r\n0\r\n\r\n"), HTTP_OK, "hello", 0 },
	{ S("2\r\n\r\n\r\n0\r\n\r\n"), HTTP_OK, "\r\n", 0 },
	{ S("0\r\na: b\r\nc: d\r\n\r\nGET"), HTTP_OK, "", 3 },
	{ S("5\r\nhel"), HTTP_MORE, "hel", 0 },
	{ S("5\r\nhello\r\n"), HTTP_MORE, "hello", 0 },
	{ S("0\r\n\r"), HTTP_MORE, "", 0 },
	{ S("1000000000000000\r\nx"), HTTP_MORE, "x", 0 },
	{ S("1000000000000001\r\nx"), HTTP_BAD, "", 0 },
	{ S("ffffffffffffffff\r\n"), HTTP_BAD, "", 0 },
	{ S("10000000000000000\r\n"), HTTP_BAD, "", 0 },
	{ S("fffffffffffffffff5\r\nhello"), HTTP_BAD, "", 0 },
	{ S("+5\r\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S("-5\r\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S("0x5\r\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S("5h\r\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S(" 5\r\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S("5 \r\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S("5 5\r\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S("5_0\r\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S("\r\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S(";a\r\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S("5\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S("5\rhello\r\n"), HTTP_BAD, "", 0 },
	{ S("5\r\r\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S("5;a\nhello\r\n"), HTTP_BAD, "", 0 },
	{ S("5;a\0\r\n"), HTTP_BAD, "", 0 },
	{ S("5\r\nhelloX\r\n"), HTTP_BAD, "hello", 0 },
	{ S("5\r\nhelloX\n0\r\n\r\n"), HTTP_BAD, "hello", 0 },
	{ S("5\r\nhello0\n0\r\n\r\n"), HTTP_BAD, "hello", 0 },
	{ S("5\r\nhello\n0\r\n\r\n"), HTTP_BAD, "hello", 0 },
	{ S("5\r\nhello0\r\n\r\n"), HTTP_BAD, "hello", 0 },
	{ S("5\r\nhello\rX"), HTTP_BAD, "hello", 0 },
	{ S("5\r\nhello\r\n\r\n0\r\n\r\n"), HTTP_BAD, "hello", 0 },
	{ S("0\r\n\n"), HTTP_BAD, "", 0 },
	{ S("0\r\n\rX"), HTTP_BAD, "", 0 },
	{ S("0\r\na: b\n\r\n"), HTTP_BAD, "", 0 },
	{ S("0\r\na\0\r\n\r\n"), HTTP_BAD, "", 0 },
	{ S("0\r\n a\r\n\r\n"), HTTP_BAD, "", 0 },
	{ S("0\r\n: a\r\n\r\n"), HTTP_BAD, "", 0 }
};

static void
test_bodies(void)
{
	static struct http_head h;
	struct http_body b;
	struct buf out;
	struct str data;
	enum http_rc rc;
	size_t i, piece, used;

	for (i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		for (piece = 1; piece <= bodies[i].n; piece++) {
			h.framing = HTTP_CHUNKED;
			http_body_start(&b, &h);
			buf_init(&out, 1024);
			rc = collect(&b, bodies[i].p, bodies[i].n, piece, &out,
			    &used);
			T_OK(rc == bodies[i].rc, "%zu by %zu: %d", i, piece,
			    (int)rc);
			T_OK(str_is(buf_str(&out), bodies[i].data),
			    "%zu by %zu", i, piece);
			T_OK(b.data == out.len, "%zu by %zu", i, piece);
			T_OK(rc == HTTP_BAD ||
			    bodies[i].n - used == bodies[i].rest,
			    "%zu by %zu: %zu", i, piece, bodies[i].n - used);
			T_OK(b.done == (rc == HTTP_OK), "%zu done", i);
			T_OK((b.why != NULL) == (rc == HTTP_BAD), "%zu why", i);
			/* Both ends are final. */
			if (rc != HTTP_MORE)
				T_OK(http_body_feed(&b, "5\r\n", 3, &used,
				    &data) == rc && used == 0 && data.n == 0,
				    "%zu again", i);
			T_OK(http_body_eof(&b) ==
			    (rc == HTTP_OK ? HTTP_OK : HTTP_BAD), "%zu eof", i);
			T_OK(rc == HTTP_OK || b.why != NULL, "%zu why", i);
			buf_free(&out);
		}
	}
}

static void
test_plain_bodies(void)
{
	static struct http_head h;
	struct http_body b;
	struct str data;
	size_t used;

	h.framing = HTTP_NO_BODY;
	http_body_start(&b, &h);
	T_OK(b.done && http_body_feed(&b, "x", 1, &used, &data) == HTTP_OK &&
	    used == 0 && data.n == 0 && http_body_eof(&b) == HTTP_OK, "none");
	h.framing = HTTP_LENGTH;
	h.length = 0;
	http_body_start(&b, &h);
	T_OK(b.done && http_body_eof(&b) == HTTP_OK, "length 0");
	h.length = 5;
	http_body_start(&b, &h);
	T_OK(!b.done && http_body_feed(&b, "hel", 3, &used, &data) ==
	    HTTP_MORE && used == 3 && str_is(data, "hel"), "first part");
	T_OK(http_body_feed(&b, "loGET", 5, &used, &data) == HTTP_OK &&
	    used == 2 && str_is(data, "lo") && b.data == 5, "second part");
	http_body_start(&b, &h);
	(void)http_body_feed(&b, "hell", 4, &used, &data);
	T_OK(http_body_eof(&b) == HTTP_BAD && b.why != NULL, "cut short");
	T_OK(http_body_feed(&b, "o", 1, &used, &data) == HTTP_BAD, "too late");
	h.framing = HTTP_UNTIL_CLOSE;
	h.length = 0;
	http_body_start(&b, &h);
	T_OK(http_body_feed(&b, "hello", 5, &used, &data) == HTTP_MORE &&
	    used == 5 && str_is(data, "hello"), "until close");
	T_OK(http_body_eof(&b) == HTTP_OK && b.done, "closed");
}

/* Feeds head, then unit n times, then tail. */
static enum http_rc
flood(const char *head, const char *unit, size_t n, const char *tail,
    uint64_t *overhead)
{
	static struct http_head h;
	struct http_body b;
	struct buf in, out;
	struct str s;
	enum http_rc rc;
	size_t used;

	buf_init(&in, 1 << 22);
	buf_init(&out, 1 << 22);
	buf_adds(&in, head);
	while (n-- > 0)
		buf_adds(&in, unit);
	buf_adds(&in, tail);
	s = buf_str(&in);
	h.framing = HTTP_CHUNKED;
	http_body_start(&b, &h);
	rc = collect(&b, s.p, s.n, 1000, &out, &used);
	*overhead = b.overhead;
	buf_free(&in);
	buf_free(&out);
	return rc;
}

static void
test_body_limits(void)
{
	uint64_t n;

	T_OK(flood("5;", "a", 4092, "\r\nhello\r\n0\r\n\r\n", &n) == HTTP_OK,
	    "a line of 4096");
	T_OK(flood("5;", "a", 4093, "\r\nhello\r\n0\r\n\r\n", &n) == HTTP_BAD,
	    "a line of 4097");
	T_OK(flood("", "0", 4096, "", &n) == HTTP_MORE, "zeros");
	T_OK(flood("", "0", 4097, "", &n) == HTTP_BAD, "more zeros");
	T_OK(flood("0\r\n", "a: b\r\n", 2730, "\r\n", &n) == HTTP_OK,
	    "trailers of 16382");
	T_OK(flood("0\r\n", "a: b\r\n", 2731, "\r\n", &n) == HTTP_BAD,
	    "trailers of 16388");
	T_OK(flood("0\r\n", "a", 20000, "", &n) == HTTP_BAD, "a long trailer");
	/* One byte a chunk is a stream of tokens, and allowed. */
	T_OK(flood("", "1\r\na\r\n", 100000, "0\r\n\r\n", &n) == HTTP_OK &&
	    n == 500005, "single bytes");
	/* 14 bytes around each: 6 too many, until 64 KiB are used up. */
	T_OK(flood("", "1;23456789\r\na\r\n", 10921, "", &n) == HTTP_MORE,
	    "padding");
	T_OK(flood("", "1;23456789\r\na\r\n", 10940, "", &n) == HTTP_BAD &&
	    n > 65536, "too much padding");
}

static void
test_query(void)
{
	static const struct {
		const char *query, *name, *value, *without;
	} t[] = {
		{ "key=x", "key", "x", "" },
		{ "a=1&key=x&b=2", "key", "x", "a=1&b=2" },
		{ "key=x&a=1", "key", "x", "a=1" },
		{ "a=1&key=x", "key", "x", "a=1" },
		{ "key=x&key=y&a", "key", "x", "a" },
		{ "a=1&b=2", "key", NULL, "a=1&b=2" },
		{ "key", "key", "", "" }, { "key=", "key", "", "" },
		{ "key=a=b", "key", "a=b", "" },
		{ "xkey=1&keyx=2&KEY=3", "key", NULL, "xkey=1&keyx=2&KEY=3" },
		{ "k%65y=x&%6b%65%79=y&a=%6", "key", "x", "a=%6" },
		{ "key%00=x", "key", NULL, "key%00=x" },
		{ "k%00ey=x", "k", NULL, "k%00ey=x" },
		{ "k%=x&k%6=1&key%=2", "key", NULL, "k%=x&k%6=1&key%=2" },
		{ "&&a=%20+&", "key", NULL, "&&a=%20+&" },
		{ "", "key", NULL, "" },
		{ "alt=sse&key=AIza%2Fx", "key", "AIza%2Fx", "alt=sse" }
	};
	struct str none = { NULL, 0 }, v;
	struct buf b;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		v = http_query_get(str_of(t[i].query), t[i].name);
		T_OK((v.p != NULL) == (t[i].value != NULL) &&
		    str_eq(v, str_of(t[i].value)), "%s", t[i].query);
		buf_init(&b, 100);
		T_OK(http_query_without(&b, str_of(t[i].query), t[i].name) ==
		    0, "%s", t[i].query);
		T_OK(str_is(buf_str(&b), t[i].without), "%s", t[i].query);
		buf_free(&b);
	}
	buf_init(&b, 3);
	T_OK(http_query_get(none, "a").p == NULL, "no query");
	T_OK(http_query_without(&b, none, "a") == 0 && b.len == 0, "no query");
	T_OK(http_query_without(&b, str_of("abcd"), "x") == -1, "no room");
	buf_free(&b);
}

static void
test_write(void)
{
	static const struct {
		uint64_t n;
		const char *text;
	} t[] = {
		{ 0, "0\r\n" }, { 1, "1\r\n" }, { 15, "f\r\n" },
		{ 16, "10\r\n" }, { 26, "1a\r\n" }, { 65536, "10000\r\n" },
		{ UINT64_MAX, "ffffffffffffffff\r\n" }
	};
	static const struct {
		const char *name, *value;
	} faults[] = {
		{ "a", "b\r\nc: d" }, { "a", "b\n" }, { "a", "\033[1m" },
		{ "a\r\nb", "c" }, { "a:b", "c" }, { "", "c" }, { "a b", "c" },
		{ "\351", "c" }
	};
	char at[HTTP_CHUNK_HEAD];
	struct buf b;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++)
		T_OK(str_is(str_n(at, http_chunk_head(at, t[i].n)), t[i].text),
		    "%s", t[i].text);
	buf_init(&b, 200);
	http_write_status(&b, 200);
	http_write_field(&b, "a", str_of("b c\t\351"));
	http_write_field(&b, "e", str_of(NULL));
	T_OK(http_write_fieldu(&b, "n", UINT64_MAX) == 0, "written");
	T_OK(str_is(buf_str(&b), "HTTP/1.1 200 OK\r\na: b c\t\351\r\ne: \r\n"
	    "n: 18446744073709551615\r\n"), "%s", buf_cstr(&b));
	buf_clear(&b);
	http_write_status(&b, 599);
	T_OK(str_is(buf_str(&b), "HTTP/1.1 599 \r\n"), "%s", buf_cstr(&b));
	for (i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		buf_clear(&b);
		T_OK(http_write_field(&b, faults[i].name,
		    str_of(faults[i].value)) == -1 && b.bad && b.len == 0,
		    "%zu", i);
	}
	buf_free(&b);
	T_OK(strcmp(http_reason(429), "Too Many Requests") == 0, "429");
	T_OK(strcmp(http_reason(529), "Overloaded") == 0, "529");
	T_OK(strcmp(http_reason(7), "") == 0, "7");
}

static void
test_url(void)
{
	static const struct {
		const char *url;
		int tls;
		const char *host, *host_port;
		unsigned port;
		const char *path;
	} t[] = {
		{ "http://a", 0, "a", "a", 80, "" },
		{ "https://a", 1, "a", "a", 443, "" },
		{ "HTTPS://api.x.com/v1/", 1, "api.x.com", "api.x.com", 443,
		    "/v1" },
		{ "http://a:8080/v1/x//", 0, "a", "a:8080", 8080, "/v1/x" },
		{ "http://a:80/", 0, "a", "a", 80, "" },
		{ "https://a:443", 1, "a", "a", 443, "" },
		{ "https://a:80", 1, "a", "a:80", 80, "" },
		{ "http://[::1]", 0, "::1", "[::1]", 80, "" },
		{ "http://[::ffff:1.2.3.4]:65535/b%20c", 0, "::ffff:1.2.3.4",
		    "[::ffff:1.2.3.4]:65535", 65535, "/b%20c" },
		{ "http://127.0.0.1:1", 0, "127.0.0.1", "127.0.0.1:1", 1, "" }
	};
	static const char *const faults[] = {
		"", "a", "http:", "http:/", "http://", "http:///x", "ftp://a",
		"//a", " http://a", "http://a ", "http://a /", "http://a:",
		"http://a:0", "http://a:65536", "http://a:x", "http://a:-1",
		"http://u@a", "http://u:p@a/", "http://a?b", "http://a/?b",
		"http://a#b", "http://a/b#c", "http://a/b c", "http://a/\n",
		"http://a\r\nb", "http://[::1", "http://[]", "http://[a]",
		"http://[::1]x", "http://::1", "http://a_b,c", "http://a/\351"
	};
	struct http_url u;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		why = "";
		T_OK(http_url(&u, str_of(t[i].url), &why) == 0, "%s: %s",
		    t[i].url, why);
		T_OK(u.tls == t[i].tls && str_is(u.host, t[i].host) &&
		    str_is(u.host_port, t[i].host_port) &&
		    u.port == t[i].port && str_is(u.path, t[i].path),
		    "%s: %.*s %.*s %u %.*s", t[i].url, (int)u.host.n, u.host.p,
		    (int)u.host_port.n, u.host_port.p, (unsigned)u.port,
		    (int)u.path.n, u.path.p);
	}
	for (i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		why = NULL;
		T_OK(http_url(&u, str_of(faults[i]), &why) == -1, "%s",
		    faults[i]);
		T_OK(why != NULL, "%s", faults[i]);
	}
}

int
main(void)
{
	test_good();
	test_bad();
	test_early();
	test_limits();
	test_ids();
	test_hops();
	test_details();
	test_answers();
	test_bodies();
	test_plain_bodies();
	test_body_limits();
	test_query();
	test_write();
	test_url();
	return t_end();
}
