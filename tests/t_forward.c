#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/forward.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])
#define TOKEN "tok-0123456789abcdef"

static const char *
get_env(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return NULL;
}

/* A config of one backend: its base URL, and members that follow it. */
static struct config *
config_make(const char *base, const char *more)
{
	static const struct config_env env = { get_env, NULL, NULL };
	static const struct config_flags flags = { -1, -1, 0 };
	struct buf text, faults, notes;
	struct config *c;

	buf_init(&text, 8192);
	buf_init(&faults, 8192);
	buf_init(&notes, 8192);
	buf_fmt(&text, "{\"backends\":[{\"name\":\"a\",\"base_url\":\"%s\","
	    "\"token\":\"" TOKEN "\"%s}]}", base, more);
	c = config_parse(buf_str(&text), "f.json", &env, &flags, &faults,
	    &notes);
	T_OK(c != NULL, "%s", buf_cstr(&faults));
	if (c == NULL)
		exit(t_end());
	buf_free(&text);
	buf_free(&faults);
	buf_free(&notes);
	return c;
}

static void
request_parse(struct http_head *h, const char *text)
{
	T_OK(http_request(h, text, strlen(text), 0) == HTTP_OK, "%s", text);
}

/* ---- paths ---- */

static const struct {
	const char *base, *more, *target, *wanted;
} paths[] = {
	/* a base with or without a path, with or without a version */
	{ "https://h", "", "/v1/messages", "/v1/messages" },
	{ "https://h/", "", "/v1/messages", "/v1/messages" },
	{ "https://h/v1", "", "/v1/messages", "/v1/messages" },
	{ "https://h/v1/", "", "/v1/messages", "/v1/messages" },
	{ "https://h/api", "", "/v1/messages", "/api/v1/messages" },
	{ "https://h/api/v1", "", "/v1/messages", "/api/v1/messages" },
	{ "https://h/v1/api", "", "/v1/messages", "/v1/api/v1/messages" },
	{ "https://h/xv1", "", "/v1/messages", "/xv1/v1/messages" },
	{ "https://h/v12", "", "/v1/messages", "/v12/v1/messages" },
	{ "https://h/v1", "", "/v1", "/v1" },
	{ "https://h/v1", "", "/v1/", "/v1/" },
	{ "https://h/v1", "", "/v12/x", "/v1/v12/x" },
	{ "https://h/v1", "", "/v1x", "/v1/v1x" },
	{ "https://h/v1", "", "/other", "/v1/other" },
	{ "https://h/api", "", "/", "/api/" },
	{ "https://h", "", "/", "/" },
	/* a client whose base URL ends in /v1 */
	{ "https://h", "", "/v1/v1/messages", "/v1/messages" },
	{ "https://h/v1", "", "/v1/v1/messages", "/v1/messages" },
	{ "https://h/a/v1", "", "/v1/v1/v1/messages", "/a/v1/messages" },
	{ "https://h", "", "/v1/v1", "/v1/v1" },
	{ "https://h", "", "/v1/v1x/y", "/v1/v1x/y" },
	{ "https://h", "", "/a/v1/v1/y", "/a/v1/v1/y" },
	/* path_prefix instead of /v1 */
	{ "https://h", ",\"path_prefix\":\"/v1\"", "/v1/messages",
	    "/v1/messages" },
	{ "https://h/v1", ",\"path_prefix\":\"/v1\"", "/v1/messages",
	    "/v1/messages" },
	{ "https://h", ",\"path_prefix\":\"/api/coding\"", "/v1/messages",
	    "/api/coding/messages" },
	{ "https://h/b", ",\"path_prefix\":\"/v4/\"", "/v1/v1/messages",
	    "/b/v4/messages" },
	{ "https://h/v1", ",\"path_prefix\":\"/v4\"", "/v1/x", "/v1/v4/x" },
	{ "https://h/b", ",\"path_prefix\":\"\"", "/v1/messages",
	    "/b/messages" },
	{ "https://h/b", ",\"path_prefix\":\"/\"", "/v1/messages",
	    "/b/messages" },
	{ "https://h/b", ",\"path_prefix\":\"/p\"", "/v1", "/b/p" },
	{ "https://h/b", ",\"path_prefix\":\"/p\"", "/v1beta/x",
	    "/b/v1beta/x" },
	{ "https://h/b", ",\"path_prefix\":\"/p\"", "/v2/x", "/b/v2/x" },
	{ "https://h/v1beta", ",\"path_prefix\":\"/v1beta/openai\"",
	    "/v1/chat/completions", "/v1beta/openai/chat/completions" },
	/* Gemini's versions */
	{ "https://h/v1beta", "", "/v1beta/models", "/v1beta/models" },
	{ "https://h/v1alpha", "", "/v1alpha/models", "/v1alpha/models" },
	{ "https://h/g/v1beta", "", "/v1beta/models", "/g/v1beta/models" },
	{ "https://h/v1", "", "/v1beta/models", "/v1/v1beta/models" },
	{ "https://h/v1beta", "", "/v1/models", "/v1beta/v1/models" },
	{ "https://h/v1beta", "", "/v1betax", "/v1beta/v1betax" },
	/* the query, but for the key */
	{ "https://h", "", "/v1/x?beta=true", "/v1/x?beta=true" },
	{ "https://h", "", "/v1/x?key=k", "/v1/x" },
	{ "https://h", "", "/v1/x?key=k&alt=sse", "/v1/x?alt=sse" },
	{ "https://h", "", "/v1/x?a=%20b&key=k&&c", "/v1/x?a=%20b&&c" },
	{ "https://h", "", "/v1/x?keys=k&xkey=1", "/v1/x?keys=k&xkey=1" },
	{ "https://h", "", "/v1/x?key=a&key=b", "/v1/x" },
	{ "https://h", "", "/v1/x?key", "/v1/x" },
	{ "https://h", "", "/v1/x?", "/v1/x" },
	{ "https://h/v1", "", "http://other/v1/x?q", "/v1/x?q" },
	/* the model in Gemini's path */
	{ "https://h", ",\"model\":\"new\"", "/v1beta/models/old:"
	    "generateContent", "/v1beta/models/new:generateContent" },
	{ "https://h/v1beta", ",\"model\":\"n/w\"", "/v1beta/models/old:"
	    "streamGenerateContent?alt=sse&key=k",
	    "/v1beta/models/n/w:streamGenerateContent?alt=sse" },
	{ "https://h", ",\"models\":{\"o*\":\"much-longer-name\"}",
	    "/v1/v1/models/old:generateContent",
	    "/v1/models/much-longer-name:generateContent" },
	{ "https://h", ",\"models\":{\"o*\":\"x\"},\"path_prefix\":\"/p\"",
	    "/v1/models/old:countTokens", "/p/models/x:countTokens" },
	{ "https://h", ",\"models\":{\"o*\":\"x\"}",
	    "/v1beta/models/a:generateContent",
	    "/v1beta/models/a:generateContent" },
	{ "https://h", ",\"models\":{\"models\":\"x\"}",
	    "/v1beta/models/models:generateContent",
	    "/v1beta/models/x:generateContent" },
	{ "https://h", ",\"model\":\"new\"", "/v1beta/models",
	    "/v1beta/models" },
	{ "https://h", ",\"model\":\"new\"", "/v1/messages", "/v1/messages" }
};

static void
test_paths(void)
{
	struct dialect_call call;
	struct http_head h;
	struct config *c;
	struct buf text, out;
	size_t i;

	for (i = 0; i < N(paths); i++) {
		c = config_make(paths[i].base, paths[i].more);
		buf_init(&text, 4096);
		buf_init(&out, 4096);
		buf_fmt(&text, "POST %s HTTP/1.1\r\nHost: p\r\n\r\n",
		    paths[i].target);
		request_parse(&h, buf_cstr(&text));
		dialect_detect(&call, &h);
		T_OK(forward_target(&out, &h, &c->backends[0], &call) == 0 &&
		    str_is(buf_str(&out), paths[i].wanted),
		    "%s %s %s: %s, not %s", paths[i].base, paths[i].more,
		    paths[i].target, buf_cstr(&out), paths[i].wanted);
		buf_free(&text);
		buf_free(&out);
		config_free(c);
	}
}

/* ---- requests ---- */

#define LINE "POST /v1/messages HTTP/1.1\r\n"
#define HOST "Host: proxy\r\n"
#define TO "host: up.example\r\n"
#define BOTH "authorization: Bearer " TOKEN "\r\nx-api-key: " TOKEN "\r\n"
#define PLAIN "accept-encoding: identity\r\n"
#define BEARER ",\"auth\":\"bearer\""
#define AUTH "authorization: Bearer " TOKEN "\r\n"
#define KEYS "Authorization: Bearer mine\r\nX-API-Key: mine\r\n" \
	"x-Goog-api-key: mine\r\n"

/* What follows the start line: in, and out. */
static const struct {
	const char *more, *fields, *wanted;
	int read;
	int length;
} requests[] = {
	{ "", HOST, TO BOTH, 0, -1 },
	{ "", HOST, TO BOTH "content-length: 0\r\n", 0, 0 },
	{ "", HOST "Content-Length: 3\r\n", TO BOTH PLAIN
	    "content-length: 12\r\n", 1, 12 },
	/* hop-by-hop fields, and those that Connection names */
	{ BEARER, HOST "Connection: keep-alive, X-Mine , te\r\nx-mine: 1\r\n"
	    "X-MINE: 2\r\nx-min: 3\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
	    "Trailer: x\r\nProxy-Connection: close\r\n"
	    "Proxy-Authorization: Basic eA==\r\nTransfer-Encoding: chunked\r\n"
	    "Upgrade-Insecure-Requests: 1\r\n", TO AUTH "x-min: 3\r\n"
	    "Upgrade-Insecure-Requests: 1\r\ncontent-length: 5\r\n", 0, 5 },
	/* but nothing that the far end needs */
	{ BEARER, HOST "Connection: content-type, anthropic-version, host, "
	    "cookie\r\nContent-Type: a/b\r\nanthropic-version: 1\r\n"
	    "Cookie: c\r\n", TO AUTH "Content-Type: a/b\r\n"
	    "anthropic-version: 1\r\nCookie: c\r\n", 0, -1 },
	{ BEARER, "Expect: 100-continue\r\n" HOST, TO AUTH, 0, -1 },
	/* the client's credentials never travel; each kind of ours */
	{ "", KEYS HOST, TO BOTH, 0, -1 },
	{ BEARER, KEYS HOST, TO AUTH, 0, -1 },
	{ ",\"auth\":\"x-api-key\"", KEYS HOST, TO "x-api-key: " TOKEN "\r\n",
	    0, -1 },
	{ ",\"auth\":\"x-goog-api-key\"", KEYS HOST, TO "x-goog-api-key: "
	    TOKEN "\r\n", 0, -1 },
	{ ",\"auth\":\"both\"", KEYS HOST, TO BOTH, 0, -1 },
	{ ",\"api_type\":\"openai\"", KEYS HOST, TO AUTH, 0, -1 },
	{ ",\"api_type\":\"gemini\"", KEYS HOST, TO "x-goog-api-key: " TOKEN
	    "\r\n", 0, -1 },
	{ BEARER, HOST "Connection: authorization\r\n" KEYS, TO AUTH, 0, -1 },
	{ ",\"auth\":\"passthrough\"", KEYS HOST, TO "authorization: Bearer "
	    "mine\r\nx-api-key: mine\r\nx-goog-api-key: mine\r\n", 0, -1 },
	{ ",\"auth\":\"passthrough\"", HOST "X-Api-Key: mine\r\nx: y\r\n", TO
	    "x-api-key: mine\r\nx: y\r\n", 0, -1 },
	{ ",\"auth\":\"passthrough\"", HOST, TO, 0, -1 },
	/* `headers` */
	{ BEARER ",\"headers\":{\"X-Team\":\"a b\"}", HOST "x-team: mine\r\n"
	    "x-teams: 1\r\nX-TEAM: 2\r\n", TO AUTH "x-teams: 1\r\n"
	    "X-Team: a b\r\n", 0, -1 },
	{ BEARER ",\"headers\":{\"x-gone\":\"\",\"user-agent\":\"u\"}", HOST
	    "X-Gone: 1\r\na: 1\r\nUser-Agent: mine\r\nb: 2\r\n", TO AUTH
	    "a: 1\r\nb: 2\r\n" PLAIN "user-agent: u\r\n"
	    "content-length: 9\r\n", 1, 9 },
	{ BEARER ",\"headers\":{\"Authorization\":\"Basic eA==\"}", KEYS HOST,
	    TO "Authorization: Basic eA==\r\n", 0, -1 },
	{ ",\"headers\":{\"authorization\":\"\"}", KEYS HOST,
	    TO "x-api-key: " TOKEN "\r\n", 0, -1 },
	{ ",\"headers\":{\"x-api-key\":\"other\"}", KEYS HOST, TO AUTH
	    "x-api-key: other\r\n", 0, -1 },
	{ ",\"auth\":\"passthrough\",\"headers\":{\"x-api-key\":\"other\","
	    "\"AUTHORIZATION\":\"\"}", KEYS HOST, TO "x-goog-api-key: mine\r\n"
	    "x-api-key: other\r\n", 0, -1 },
	/* what we read must not be packed */
	{ BEARER, HOST "Accept-Encoding: gzip, br\r\nx: y\r\n", TO AUTH
	    "x: y\r\n" PLAIN, 1, -1 },
	{ BEARER, HOST "Accept-Encoding: gzip, br\r\nx: y\r\n", TO AUTH
	    "Accept-Encoding: gzip, br\r\nx: y\r\n", 0, -1 },
	/* lines that are as we write them, and others; their order stays */
	{ BEARER, HOST "A: 1\r\nb:2\r\nC:  3\r\nd: 4\t \r\nE:\t5\r\nf:\r\n"
	    "g: \r\nH: 7  8\r\ni: 9\r\n", TO AUTH "A: 1\r\nb: 2\r\nC: 3\r\n"
	    "d: 4\r\nE: 5\r\nf: \r\ng: \r\nH: 7  8\r\ni: 9\r\n", 0, -1 },
	{ BEARER, "a: 1\r\nb: 2\r\n" HOST "c: 3\r\nx-api-key: k\r\nd: 4\r\n"
	    "e: 5\r\nExpect: 100-continue\r\nTE: x\r\nf:6\r\ng: 7\r\n"
	    "Content-Length: 1\r\n", TO AUTH "a: 1\r\nb: 2\r\nc: 3\r\n"
	    "d: 4\r\ne: 5\r\nf: 6\r\ng: 7\r\ncontent-length: 1\r\n", 0, 1 },
	{ BEARER, HOST "x_y: \xe4\xb8\xad\xff\r\nx: a\tb\r\nx: a\tb\r\n", TO
	    AUTH "x_y: \xe4\xb8\xad\xff\r\nx: a\tb\r\nx: a\tb\r\n", 0, -1 }
};

static void
test_requests(void)
{
	struct dialect_call call;
	struct http_head h;
	struct config *c;
	struct buf text, out, wanted;
	char *moved;
	size_t i;

	for (i = 0; i < N(requests); i++) {
		c = config_make("https://up.example", requests[i].more);
		buf_init(&text, 4096);
		buf_init(&out, 4096);
		buf_init(&wanted, 4096);
		buf_fmt(&text, LINE "%s\r\n", requests[i].fields);
		buf_fmt(&wanted, LINE "%s\r\n", requests[i].wanted);
		request_parse(&h, buf_cstr(&text));
		/* Where the bytes lie must not matter. */
		moved = str_dup(buf_str(&text));
		if (moved != NULL) {
			http_head_move(&h, buf_cstr(&text), moved);
			buf_clear(&text);
		}
		dialect_detect(&call, &h);
		T_OK(forward_request(&out, &h, &c->backends[0], &call,
		    requests[i].read, requests[i].length) == 0 &&
		    str_eq(buf_str(&out), buf_str(&wanted)),
		    "row %lu:\n%s\nnot\n%s", (unsigned long)i, buf_cstr(&out),
		    buf_cstr(&wanted));
		free(moved);
		buf_free(&text);
		buf_free(&out);
		buf_free(&wanted);
		config_free(c);
	}
}

/* The key of a query, for Gemini's backends alone, and only if it counts. */
static void
test_query_key(void)
{
	static const struct {
		const char *more, *query, *fields, *wanted;
	} rows[] = {
		{ ",\"api_type\":\"gemini\"", "key=q", "",
		    "x-goog-api-key: q" },
		{ ",\"api_type\":\"gemini\"", "key=q", "x-goog-api-key: f\r\n",
		    "x-goog-api-key: f" },
		{ ",\"api_type\":\"gemini\",\"headers\":{\"X-Goog-Api-Key\":"
		    "\"c\"}", "key=q", "", "X-Goog-Api-Key: c" },
		{ ",\"api_type\":\"openai\"", "key=q", "", NULL },
		{ ",\"api_type\":\"gemini\"", "a=q", "", NULL }
	};
	struct dialect_call call;
	struct http_head h;
	struct config *c;
	struct buf text, out;
	const char *at;
	size_t i, n;

	for (i = 0; i < N(rows); i++) {
		buf_init(&text, 4096);
		buf_init(&out, 4096);
		buf_fmt(&text, ",\"auth\":\"passthrough\"%s", rows[i].more);
		c = config_make("https://up.example", buf_cstr(&text));
		buf_clear(&text);
		buf_fmt(&text, "GET /v1/x?%s HTTP/1.1\r\n" HOST "%s\r\n",
		    rows[i].query, rows[i].fields);
		request_parse(&h, buf_cstr(&text));
		dialect_detect(&call, &h);
		forward_request(&out, &h, &c->backends[0], &call, 0, -1);
		T_OK(strstr(buf_cstr(&out), "key=q") == NULL, "%s",
		    buf_cstr(&out));
		n = 0;
		for (at = buf_cstr(&out); *at != '\0'; at++)
			n += str_casestarts(str_of(at), "x-goog-api-key:") != 0;
		T_OK(n == (rows[i].wanted != NULL) && (n == 0 ||
		    strstr(buf_cstr(&out), rows[i].wanted) != NULL), "%s",
		    buf_cstr(&out));
		buf_free(&text);
		buf_free(&out);
		config_free(c);
	}
}

static void
test_host(void)
{
	static const char *const rows[][2] = {
		{ "https://up.example:443/x", "host: up.example\r\n" },
		{ "http://up.example:8080", "host: up.example:8080\r\n" },
		{ "http://[::1]:81/v1", "host: [::1]:81\r\n" }
	};
	struct dialect_call call;
	struct http_head h;
	struct config *c;
	struct buf out;
	size_t i;

	request_parse(&h, "DELETE /v1/x HTTP/1.0\r\nHost: p\r\n\r\n");
	dialect_detect(&call, &h);
	for (i = 0; i < N(rows); i++) {
		c = config_make(rows[i][0], "");
		buf_init(&out, 4096);
		T_OK(forward_request(&out, &h, &c->backends[0], &call, 0,
		    -1) == 0 && strstr(buf_cstr(&out), rows[i][1]) != NULL &&
		    str_starts(buf_str(&out), "DELETE ") &&
		    strstr(buf_cstr(&out), " HTTP/1.1\r\n") != NULL, "%s",
		    buf_cstr(&out));
		buf_free(&out);
		config_free(c);
	}
}

/* A head that does not fit is an error, whatever was the last to fit. */
static void
test_full(void)
{
	struct dialect_call call;
	struct http_head h;
	struct config *c;
	struct buf out;
	size_t max, size;

	c = config_make("https://up.example/b", ",\"path_prefix\":\"/p\","
	    "\"model\":\"new\",\"headers\":{\"a\":\"b\"}");
	request_parse(&h, "POST /v1/models/m:generateContent?a=b&key=c "
	    "HTTP/1.1\r\nHost: p\r\nx: y\r\nz:q\r\n\r\n");
	dialect_detect(&call, &h);
	buf_init(&out, 4096);
	T_OK(forward_request(&out, &h, &c->backends[0], &call, 1, 5) == 0,
	    "all");
	size = out.len;
	buf_free(&out);
	for (max = 0; max <= size; max++) {
		buf_init(&out, max);
		T_OK(forward_request(&out, &h, &c->backends[0], &call, 1,
		    5) == (max == size ? 0 : -1) && out.bad == (max < size),
		    "%lu of %lu", (unsigned long)max, (unsigned long)size);
		buf_free(&out);
	}
	config_free(c);
}

/* ---- answers ---- */

static const char *const answers[][2] = {
	{ "", "" },
	{ "Content-Length: 3\r\n", "" },
	{ "content-type: text/plain\r\nServer: s\r\nDate: d\r\n"
	    "Transfer-Encoding: chunked\r\nretry-after: 3\r\n",
	    "Server: s\r\nDate: d\r\nretry-after: 3\r\n" },
	{ "Connection: close, x-hop\r\nX-Hop: 1\r\nx: 1\r\n"
	    "Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n",
	    "x: 1\r\n" },
	{ "X-Request-ID: r\r\nrequest-id: q\r\nX-Spillway-Backend: other\r\n"
	    "x-spillway-attempts: 9\r\nX-Spillwa: 1\r\nx-spillways: 2\r\n",
	    "request-id: q\r\nX-Spillwa: 1\r\nx-spillways: 2\r\n" },
	{ "Set-Cookie: a\r\nset-cookie:b\r\nSet-Cookie:  c \r\nx:\r\n"
	    "content-encoding: br\r\nVary: v\r\n",
	    "Set-Cookie: a\r\nset-cookie: b\r\nSet-Cookie: c\r\nx: \r\n"
	    "content-encoding: br\r\nVary: v\r\n" }
};

static void
test_answers(void)
{
	struct http_head h;
	struct buf text, out;
	size_t i;

	for (i = 0; i < N(answers); i++) {
		buf_init(&text, 4096);
		buf_init(&out, 4096);
		buf_fmt(&text, "HTTP/1.1 200 OK\r\n%s\r\n", answers[i][0]);
		T_OK(http_response(&h, buf_cstr(&text), text.len, 0, 0) ==
		    HTTP_OK, "%s", answers[i][0]);
		T_OK(forward_answer(&out, &h, 0) == 0 &&
		    str_is(buf_str(&out), answers[i][1]), "%s: %s",
		    answers[i][0], buf_cstr(&out));
		buf_free(&out);
		buf_init(&out, 5);
		T_OK((forward_answer(&out, &h, 0) == 0) ==
		    (strlen(answers[i][1]) <= 5), "%s", answers[i][0]);
		buf_free(&out);
		buf_free(&text);
	}
}

static void
test_label(void)
{
	static const char *const rows[][2] = {
		{ "", "n: \r\n" },
		{ "official-2_(b)", "n: official-2_(b)\r\n" },
		{ "a b%", "n: a%20b%25\r\n" },
		{ "\r\nx: y\t\x7f", "n: %0d%0ax:%20y%09%7f\r\n" },
		{ "\xe4\xb8\xad~!", "n: %e4%b8%ad~!\r\n" }
	};
	struct buf out;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		buf_init(&out, 256);
		T_OK(forward_label(&out, "n", str_of(rows[i][0])) == 0 &&
		    str_is(buf_str(&out), rows[i][1]), "%s", buf_cstr(&out));
		buf_free(&out);
	}
	buf_init(&out, 6);
	T_OK(forward_label(&out, "n", str_of("  ")) == -1, "full");
	buf_free(&out);
}

int
main(void)
{
	test_paths();
	test_requests();
	test_query_key();
	test_host();
	test_full();
	test_answers();
	test_label();
	return t_end();
}
