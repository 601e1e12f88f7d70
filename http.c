#include "http.h"

#include <string.h>

#include "base/scan.h"

#define METHOD_MAX	32	/* no method that anybody serves is longer */
#define VERSION_SIZE	8	/* of "HTTP/1.1" */
#define OPTIONS_MAX	64	/* that Connection may name */
#define LENGTH_MAX	((uint64_t)1 << 62)

/* What a byte may be part of. */
enum { TOKEN = 1, VALUE = 2, TARGET = 4, HOST = 8 };

static const unsigned char class[256] = {
	 0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0,
	 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
	 2,  7,  6,  3,  7,  7,  7,  7,  6,  6,  7,  7,  6, 15, 15,  6,
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  6,  6,  6,  6,  6,
	 6, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  6,  6,  7, 15,
	 7, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  7,  6, 15,  0,
	 2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
	 2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
	 2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
	 2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
	 2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
	 2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
	 2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
	 2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
};

#define IS(p, set) ((class[(unsigned char)*(p)] & (set)) != 0)

/* hop: never forwarded.  stays: forwarded even if Connection names it. */
static const struct {
	const char *name;
	unsigned char hop, stays;
} known[HTTP_IDS] = {
	[HTTP_OTHER] = { "", 0, 0 },
	[HTTP_HOST] = { "host", 0, 1 },
	[HTTP_CONNECTION] = { "connection", 1, 0 },
	[HTTP_CONTENT_LENGTH] = { "content-length", 0, 1 },
	[HTTP_TRANSFER_ENCODING] = { "transfer-encoding", 1, 0 },
	[HTTP_CONTENT_TYPE] = { "content-type", 0, 1 },
	[HTTP_CONTENT_ENCODING] = { "content-encoding", 0, 1 },
	[HTTP_EXPECT] = { "expect", 0, 0 },
	[HTTP_AUTHORIZATION] = { "authorization", 0, 1 },
	[HTTP_X_API_KEY] = { "x-api-key", 0, 1 },
	[HTTP_X_GOOG_API_KEY] = { "x-goog-api-key", 0, 1 },
	[HTTP_ACCEPT_ENCODING] = { "accept-encoding", 0, 0 },
	[HTTP_KEEP_ALIVE] = { "keep-alive", 1, 0 },
	[HTTP_TE] = { "te", 1, 0 },
	[HTTP_TRAILER] = { "trailer", 1, 0 },
	[HTTP_UPGRADE] = { "upgrade", 1, 0 },
	[HTTP_PROXY_CONNECTION] = { "proxy-connection", 1, 0 },
	[HTTP_PROXY_AUTHORIZATION] = { "proxy-authorization", 1, 0 },
	[HTTP_PROXY_AUTHENTICATE] = { "proxy-authenticate", 1, 0 },
	[HTTP_ORIGIN] = { "origin", 0, 0 },
	[HTTP_SEC_FETCH_SITE] = { "sec-fetch-site", 0, 0 },
	[HTTP_X_REQUEST_ID] = { "x-request-id", 0, 0 },
	[HTTP_RETRY_AFTER] = { "retry-after", 0, 0 },
	[HTTP_RETRY_AFTER_MS] = { "retry-after-ms", 0, 0 },
	[HTTP_ANTHROPIC_VERSION] = { "anthropic-version", 0, 1 },
	[HTTP_COOKIE] = { "cookie", 0, 1 },
	[HTTP_DATE] = { "date", 0, 0 },
	[HTTP_LOCATION] = { "location", 0, 0 }
};

/* Length and first letter together single one known name out. */
#define KEY(n, c) ((n) << 8 | (unsigned)(c))

static enum http_id
candidate(size_t n, char first)
{
	if (n > 19)
		return HTTP_OTHER;
	switch (KEY((unsigned)n, (unsigned char)first | 0x20)) {
	case KEY(2, 't'): return HTTP_TE;
	case KEY(4, 'd'): return HTTP_DATE;
	case KEY(4, 'h'): return HTTP_HOST;
	case KEY(6, 'c'): return HTTP_COOKIE;
	case KEY(6, 'e'): return HTTP_EXPECT;
	case KEY(6, 'o'): return HTTP_ORIGIN;
	case KEY(7, 't'): return HTTP_TRAILER;
	case KEY(7, 'u'): return HTTP_UPGRADE;
	case KEY(8, 'l'): return HTTP_LOCATION;
	case KEY(9, 'x'): return HTTP_X_API_KEY;
	case KEY(10, 'c'): return HTTP_CONNECTION;
	case KEY(10, 'k'): return HTTP_KEEP_ALIVE;
	case KEY(11, 'r'): return HTTP_RETRY_AFTER;
	case KEY(12, 'c'): return HTTP_CONTENT_TYPE;
	case KEY(12, 'x'): return HTTP_X_REQUEST_ID;
	case KEY(13, 'a'): return HTTP_AUTHORIZATION;
	case KEY(14, 'c'): return HTTP_CONTENT_LENGTH;
	case KEY(14, 'r'): return HTTP_RETRY_AFTER_MS;
	case KEY(14, 's'): return HTTP_SEC_FETCH_SITE;
	case KEY(14, 'x'): return HTTP_X_GOOG_API_KEY;
	case KEY(15, 'a'): return HTTP_ACCEPT_ENCODING;
	case KEY(16, 'c'): return HTTP_CONTENT_ENCODING;
	case KEY(16, 'p'): return HTTP_PROXY_CONNECTION;
	case KEY(17, 'a'): return HTTP_ANTHROPIC_VERSION;
	case KEY(17, 't'): return HTTP_TRANSFER_ENCODING;
	case KEY(18, 'p'): return HTTP_PROXY_AUTHENTICATE;
	case KEY(19, 'p'): return HTTP_PROXY_AUTHORIZATION;
	default: return HTTP_OTHER;
	}
}

/* Of a token no byte but a letter changes its meaning by setting 0x20. */
static enum http_id
identify(const char *p, size_t n)
{
	enum http_id id = candidate(n, *p);
	const char *name = known[id].name;
	size_t i;

	for (i = 0; i < n && *name != '\0'; i++)
		if ((p[i] | 0x20) != *name++)
			return HTTP_OTHER;
	return id;
}

static enum http_rc
bad(struct http_head *h, int status, const char *why)
{
	h->bad_status = status;
	h->why = why;
	return HTTP_BAD;
}

static void
head_init(struct http_head *h)
{
	/* The fields themselves are many and need no start value. */
	memset(h, 0, offsetof(struct http_head, fields));
	memset(h->first, 0xff, sizeof h->first);
	h->bad_status = 0;
	h->why = NULL;
}

/*
 * Reads s as host [":" port].  *host_n: bytes of the host, brackets of an
 * IPv6 address included.  *port: 0 if there is none.
 */
static int
authority(struct str s, size_t *host_n, unsigned *port)
{
	const char *colon;
	uint64_t v;
	size_t i = 0;

	if (s.n > 0 && *s.p == '[') {
		for (i = 1; i < s.n && s.p[i] != ']'; i++)
			if (s.p[i] != ':' && s.p[i] != '.' &&
			    util_hex64(str_n(s.p + i, 1), 15, &v) == -1)
				return -1;
		colon = memchr(s.p, ':', i);
		if (i == s.n || i < 3 || i > 46 || colon == NULL)
			return -1;
		i++;
	} else {
		while (i < s.n && IS(s.p + i, HOST))
			i++;
	}
	*host_n = i;
	*port = 0;
	if (i == 0 || i > 255)
		return -1;
	if (i == s.n)
		return 0;
	if (s.p[i] != ':' ||
	    util_u64(str_n(s.p + i + 1, s.n - i - 1), 65535, &v) == -1 ||
	    v == 0)
		return -1;
	*port = (unsigned)v;
	return 0;
}

/* After "http://": the authority, up to the path or what is in its place. */
static struct str
authority_of(struct str rest)
{
	size_t n = 0;

	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?' &&
	    rest.p[n] != '#')
		n++;
	return str_n(rest.p, n);
}

static void
split_path(struct http_head *h, struct str s)
{
	const char *mark = memchr(s.p, '?', s.n);

	h->path = s;
	if (mark == NULL)
		return;
	h->path.n = (size_t)(mark - s.p);
	h->query = str_n(mark + 1, s.n - h->path.n - 1);
}

/* The four forms of a target (RFC 9112 3.2). */
static enum http_rc
split_target(struct http_head *h)
{
	struct str t = h->target, at;
	size_t scheme, n;
	unsigned port;

	if (str_is(h->method, "CONNECT")) {
		h->upgrade = 1;
		if (authority(t, &n, &port) == -1)
			return bad(h, 400, "CONNECT wants a host");
		return HTTP_OK;
	}
	if (*t.p == '/') {
		split_path(h, t);
		return HTTP_OK;
	}
	if (str_is(t, "*") && str_is(h->method, "OPTIONS")) {
		h->path = t;
		return HTTP_OK;
	}
	scheme = str_casestarts(t, "http://") ? 7 :
	    str_casestarts(t, "https://") ? 8 : 0;
	at = authority_of(str_n(t.p + scheme, t.n - scheme));
	if (scheme == 0 || authority(at, &n, &port) == -1)
		return bad(h, 400, "the request target is malformed");
	n = scheme + at.n;
	split_path(h, str_n(t.p + n, t.n - n));
	/* An empty path means "/"; the scheme has one to point at. */
	if (h->path.n == 0)
		h->path = str_n(t.p + scheme - 1, 1);
	return HTTP_OK;
}

/* Reads the version at p, where at least one line end follows somewhere. */
static enum http_rc
version(struct http_head *h, const char *p, const char *end)
{
	if (end - p < VERSION_SIZE || memcmp(p, "HTTP/", 5) != 0 ||
	    p[5] < '0' || p[5] > '9' || p[6] != '.' ||
	    p[7] < '0' || p[7] > '9')
		return bad(h, 400, "the start line has no HTTP version");
	if (p[5] != '1' || p[7] > '1')
		return bad(h, 505, "only HTTP/1.0 and HTTP/1.1 are spoken");
	h->minor = p[7] - '0';
	return HTTP_OK;
}

/*
 * Both readers of a start line are given bytes that hold a whole line, set
 * *next to what follows it, and stop at its end because no class has CR or
 * LF in it.
 */
static enum http_rc
request_line(struct http_head *h, const char *p, const char *end,
    const char **next)
{
	const char *q = p;

	while (IS(q, TOKEN))
		q++;
	h->method = str_n(p, (size_t)(q - p));
	if (h->method.n > METHOD_MAX)
		return bad(h, 501, "the method is too long");
	if (h->method.n == 0 || *q != ' ')
		return bad(h, 400, "the request line is malformed");
	for (p = ++q; IS(q, TARGET); q++)
		;
	h->target = str_n(p, (size_t)(q - p));
	if (h->target.n > HTTP_TARGET_MAX)
		return bad(h, 414, "the request target is too long");
	if (h->target.n == 0 || *q != ' ')
		return bad(h, 400, "the request line is malformed");
	q++;
	if (version(h, q, end) == HTTP_BAD)
		return HTTP_BAD;
	q += VERSION_SIZE;
	if (end - q < 2 || q[0] != '\r' || q[1] != '\n')
		return bad(h, 400, "the request line is malformed");
	*next = q + 2;
	return split_target(h);
}

static enum http_rc
status_line(struct http_head *h, const char *p, const char *end,
    const char **next)
{
	const char *q;
	uint64_t status;

	if (version(h, p, end) == HTTP_BAD)
		return HTTP_BAD;
	q = p + VERSION_SIZE;
	if (end - q < 6 || *q != ' ' ||
	    util_u64(str_n(q + 1, 3), 999, &status) == -1 || status < 100)
		return bad(h, 400, "the status line is malformed");
	h->status = (int)status;
	q += 4;
	/* Some leave the blank out together with the reason. */
	if (*q == ' ')
		q++;
	else if (*q != '\r')
		return bad(h, 400, "the status line is malformed");
	for (p = q; IS(q, VALUE); q++)
		;
	h->reason = str_n(p, (size_t)(q - p));
	if (end - q < 2 || q[0] != '\r' || q[1] != '\n')
		return bad(h, 400, "the status line is malformed");
	*next = q + 2;
	return HTTP_OK;
}

static const char *
why_no_name(const char *p)
{
	if (*p == ' ' || *p == '\t')
		return "a field line is folded";
	return *p == ':' ? "a field has no name" :
	    "a field name is malformed";
}

/* Reads the field lines; the empty line ends them and is surely there. */
static enum http_rc
fields(struct http_head *h, const char *p, const char *end)
{
	struct http_field *f;
	const char *q, *value;

	while (*p != '\r') {
		if (h->nfields == HTTP_FIELDS_MAX)
			return bad(h, 431, "there are too many fields");
		f = &h->fields[h->nfields];
		for (q = p; IS(q, TOKEN); q++)
			;
		if (q == p || *q != ':')
			return bad(h, 400, why_no_name(p));
		f->name = str_n(p, (size_t)(q - p));
		for (q++; *q == ' ' || *q == '\t'; q++)
			;
		value = q;
		q += scan_value(q, (size_t)(end - q));
		if (q[0] != '\r' || q[1] != '\n')
			return bad(h, 400, "a field value is malformed");
		p = q + 2;
		while (q > value && (q[-1] == ' ' || q[-1] == '\t'))
			q--;
		f->value = str_n(value, (size_t)(q - value));
		f->id = (unsigned char)identify(f->name.p, f->name.n);
		f->hop = known[f->id].hop;
		if (h->first[f->id] < 0)
			h->first[f->id] = (short)h->nfields;
		h->nfields++;
	}
	if (p[1] != '\n')
		return bad(h, 400, "a CR stands alone");
	return HTTP_OK;
}

/* Cuts the next element off a comma-separated list; 0 at its end. */
static int
list_next(struct str *list, struct str *element)
{
	const char *comma;
	size_t n;

	if (list->p == NULL)
		return 0;
	comma = list->n > 0 ? memchr(list->p, ',', list->n) : NULL;
	n = comma == NULL ? list->n : (size_t)(comma - list->p);
	*element = str_trim(str_n(list->p, n));
	*list = comma == NULL ? str_n(NULL, 0) :
	    str_n(comma + 1, list->n - n - 1);
	return 1;
}

/* Marks what Connection names, but nothing that the far end needs. */
static void
hop_by_name(struct http_head *h, struct str name)
{
	struct http_field *f;
	unsigned i;

	if (str_caseis(name, "cache-control") ||
	    str_casestarts(name, "anthropic-"))
		return;
	for (i = 0; i < h->nfields; i++) {
		f = &h->fields[i];
		if (!known[f->id].stays && str_caseeq(f->name, name))
			f->hop = 1;
	}
}

/* Reads every Connection field (RFC 9110 7.6.1); sets keep_alive. */
static enum http_rc
connection(struct http_head *h)
{
	struct str list, option;
	unsigned i, options = 0, closes = 0, keeps = h->minor == 1;

	for (i = (unsigned)h->first[HTTP_CONNECTION]; i < h->nfields; i++) {
		if (h->fields[i].id != HTTP_CONNECTION)
			continue;
		list = h->fields[i].value;
		while (list_next(&list, &option)) {
			/* Each option is looked for among all fields. */
			if (++options > OPTIONS_MAX)
				return bad(h, 400, "Connection is too long");
			if (str_caseis(option, "close"))
				closes = 1;
			else if (str_caseis(option, "keep-alive"))
				keeps = 1;
			else if (option.n > 0)
				hop_by_name(h, option);
		}
	}
	h->keep_alive = keeps && !closes;
	return HTTP_OK;
}

static int
is_token(struct str s)
{
	while (s.n > 0 && IS(s.p + s.n - 1, TOKEN))
		s.n--;
	return s.n == 0;
}

/*
 * Transfer-Encoding may say "chunked", once, and nothing else (RFC 9112
 * 6.1): we could not undo any other coding.
 */
static enum http_rc
transfer_encoding(struct http_head *h)
{
	struct str list, coding;
	unsigned i, chunked = 0, unknown = 0;

	if (h->minor == 0)
		return bad(h, 400, "Transfer-Encoding in HTTP/1.0");
	if (h->first[HTTP_CONTENT_LENGTH] >= 0)
		return bad(h, 400,
		    "Transfer-Encoding together with Content-Length");
	for (i = (unsigned)h->first[HTTP_TRANSFER_ENCODING]; i < h->nfields;
	    i++) {
		if (h->fields[i].id != HTTP_TRANSFER_ENCODING)
			continue;
		list = h->fields[i].value;
		while (list_next(&list, &coding)) {
			if (coding.n == 0 || !is_token(coding))
				return bad(h, 400,
				    "Transfer-Encoding is malformed");
			if (str_caseis(coding, "chunked"))
				chunked++;
			else
				unknown = 1;
		}
	}
	if (unknown)
		return bad(h, 501, "the transfer coding is not known");
	if (chunked != 1)
		return bad(h, 400, "Transfer-Encoding is malformed");
	h->framing = HTTP_CHUNKED;
	return HTTP_OK;
}

/*
 * Content-Length.  With repeats, equal values count as one, and only one is
 * left to be forwarded.
 */
static enum http_rc
content_length(struct http_head *h, int repeats)
{
	struct http_field *f;
	struct str list, element;
	unsigned i, found = 0;
	uint64_t v;

	h->framing = HTTP_LENGTH;
	for (i = (unsigned)h->first[HTTP_CONTENT_LENGTH]; i < h->nfields;
	    i++) {
		f = &h->fields[i];
		if (f->id != HTTP_CONTENT_LENGTH)
			continue;
		f->hop = found > 0;
		list = f->value;
		while (list_next(&list, &element)) {
			if (util_u64(element, LENGTH_MAX, &v) == -1)
				return bad(h, 400,
				    "Content-Length is malformed");
			if (found++ == 0) {
				h->length = v;
				f->value = element;
			} else if (!repeats || v != h->length) {
				return bad(h, 400,
				    "Content-Length is there twice");
			}
		}
	}
	return HTTP_OK;
}

/* Exactly one Host, which may be missing before HTTP/1.1 (RFC 9112 3.2). */
static enum http_rc
host(struct http_head *h)
{
	struct http_field *f;
	struct str rest;
	size_t n;
	unsigned i, port;

	if (h->first[HTTP_HOST] < 0)
		return h->minor == 0 ? HTTP_OK :
		    bad(h, 400, "Host is missing");
	f = &h->fields[h->first[HTTP_HOST]];
	for (i = (unsigned)h->first[HTTP_HOST] + 1; i < h->nfields; i++)
		if (h->fields[i].id == HTTP_HOST)
			return bad(h, 400, "Host is there twice");
	if (authority(f->value, &n, &port) == -1)
		return bad(h, 400, "Host is malformed");
	/* In absolute form the target's authority counts (3.2.2). */
	if (*h->target.p != '/' && h->path.n > 0 && *h->path.p == '/') {
		n = str_casestarts(h->target, "https") ? 8 : 7;
		rest = str_n(h->target.p + n, h->target.n - n);
		f->value = authority_of(rest);
	}
	return HTTP_OK;
}

/* What the fields of a request mean together. */
static enum http_rc
request_sense(struct http_head *h)
{
	enum http_rc rc;

	if ((rc = host(h)) != HTTP_OK)
		return rc;
	h->keep_alive = h->minor == 1;
	if (h->first[HTTP_CONNECTION] >= 0 &&
	    (rc = connection(h)) != HTTP_OK)
		return rc;
	h->expect = h->minor == 1 &&
	    str_caseis(http_get(h, HTTP_EXPECT), "100-continue");
	if (h->first[HTTP_UPGRADE] >= 0)
		h->upgrade = 1;
	if (h->first[HTTP_TRANSFER_ENCODING] >= 0)
		return transfer_encoding(h);
	if (h->first[HTTP_CONTENT_LENGTH] >= 0)
		return content_length(h, 0);
	h->framing = HTTP_NO_BODY;
	return HTTP_OK;
}

/* The same for an answer; the order is that of RFC 9112 6.3. */
static enum http_rc
response_sense(struct http_head *h, int head_only)
{
	enum http_rc rc;

	h->keep_alive = h->minor == 1;
	if (h->first[HTTP_CONNECTION] >= 0 &&
	    (rc = connection(h)) != HTTP_OK)
		return rc;
	h->framing = HTTP_UNTIL_CLOSE;
	if (h->first[HTTP_TRANSFER_ENCODING] >= 0)
		rc = transfer_encoding(h);
	else if (h->first[HTTP_CONTENT_LENGTH] >= 0)
		rc = content_length(h, 1);
	else
		rc = HTTP_OK;
	if (rc != HTTP_OK)
		return rc;
	if (h->status < 200 && (h->framing == HTTP_CHUNKED || h->length > 0))
		return bad(h, 400, "an interim answer announces a body");
	if (h->status < 200 || h->status == 204 || h->status == 304 ||
	    head_only) {
		/* What a 204 may send after all would look like an answer. */
		if (h->status == 204 &&
		    (h->framing == HTTP_CHUNKED || h->length > 0))
			h->keep_alive = 0;
		h->framing = HTTP_NO_BODY;
		h->length = 0;
	} else if (h->framing == HTTP_UNTIL_CLOSE) {
		h->keep_alive = 0;
	}
	return HTTP_OK;
}

/* Bytes up to and including the first empty line; 0: there is none yet. */
static size_t
head_size(const char *p, size_t n, size_t from)
{
	const char *q = p + from, *end = p + n;

	while (q < end && (q = memchr(q, '\n', (size_t)(end - q))) != NULL) {
		if (end - q > 2 && q[1] == '\r' && q[2] == '\n')
			return (size_t)(q + 3 - p);
		q++;
	}
	return 0;
}

/* Offset of the start line; n: not here yet. */
static size_t
skip_empty_line(const char *p, size_t n)
{
	if (n == 0 || *p != '\r')
		return 0;
	return n == 1 ? 1 : p[1] == '\n' ? 2 : 0;
}

/* 1 if the new bytes of an unfinished head can never be in a good one. */
static int
has_bad_byte(const char *p, size_t n, size_t from)
{
	size_t i;

	for (i = from; i < n; i++) {
		if (IS(p + i, VALUE))
			continue;
		if (p[i] == '\r' && (i + 1 == n || p[i + 1] == '\n'))
			continue;
		if (p[i] != '\n' || i == 0 || p[i - 1] != '\r')
			return 1;
	}
	return 0;
}

/* An unfinished request line at p; says early what cannot end well. */
static enum http_rc
early_line(struct http_head *h, const char *p, size_t n)
{
	const char *space = memchr(p, ' ', n);

	if (!IS(p, TOKEN))
		return bad(h, 400, "this is not HTTP");
	if ((space != NULL ? (size_t)(space - p) : n) > METHOD_MAX)
		return bad(h, 501, "the method is too long");
	/* After the target: a blank, the version and a CR. */
	if (space != NULL && n - (size_t)(space + 1 - p) >
	    HTTP_TARGET_MAX + VERSION_SIZE + 2)
		return bad(h, 414, "the request target is too long");
	return HTTP_MORE;
}

/* Judges a head that has no end yet, so that nobody waits for it in vain. */
static enum http_rc
early(struct http_head *h, const char *p, size_t n, size_t seen, int request)
{
	size_t skip = request ? skip_empty_line(p, n) : 0;
	const char *lf, *next;

	if (n > HTTP_HEAD_MAX)
		return bad(h, 431, "the head is too large");
	if (n == skip)
		return HTTP_MORE;
	lf = memchr(p + skip, '\n', n - skip);
	if (lf == NULL && request &&
	    early_line(h, p + skip, n - skip) == HTTP_BAD)
		return HTTP_BAD;
	if (lf == NULL && !request &&
	    memcmp(p, "HTTP/1.", n < 7 ? n : 7) != 0)
		return bad(h, 400, "this is not HTTP/1");
	/* The start line is judged once, when its end has just come. */
	if (lf != NULL && (size_t)(lf - p) >= seen &&
	    (request ? request_line(h, p + skip, lf + 1, &next) :
	    status_line(h, p, lf + 1, &next)) == HTTP_BAD)
		return HTTP_BAD;
	if (has_bad_byte(p, n, seen > 0 ? seen - 1 : 0))
		return bad(h, 400, "a byte that no head may have");
	return HTTP_MORE;
}

enum http_rc
http_request(struct http_head *h, const char *p, size_t n, size_t seen)
{
	const char *next;

	head_init(h);
	h->size = head_size(p, n, seen > 2 ? seen - 2 : 0);
	if (h->size == 0)
		return early(h, p, n, seen, 1);
	if (request_line(h, p + skip_empty_line(p, n), p + h->size, &next) ==
	    HTTP_BAD)
		return HTTP_BAD;
	if (h->size > HTTP_HEAD_MAX)
		return bad(h, 431, "the head is too large");
	if (fields(h, next, p + h->size) == HTTP_BAD)
		return HTTP_BAD;
	return request_sense(h);
}

enum http_rc
http_response(struct http_head *h, const char *p, size_t n, size_t seen,
    int head_only)
{
	const char *next;

	head_init(h);
	h->size = head_size(p, n, seen > 2 ? seen - 2 : 0);
	if (h->size == 0)
		return early(h, p, n, seen, 0);
	if (status_line(h, p, p + h->size, &next) == HTTP_BAD)
		return HTTP_BAD;
	if (h->size > HTTP_HEAD_MAX)
		return bad(h, 431, "the head is too large");
	if (fields(h, next, p + h->size) == HTTP_BAD)
		return HTTP_BAD;
	return response_sense(h, head_only);
}

/* p keeps its distance from the start of the head. */
static void
move(struct str *s, const char *from, const char *to)
{
	if (s->p != NULL)
		s->p = to + (s->p - from);
}

void
http_head_move(struct http_head *h, const char *from, const char *to)
{
	unsigned i;

	move(&h->method, from, to);
	move(&h->target, from, to);
	move(&h->path, from, to);
	move(&h->query, from, to);
	move(&h->reason, from, to);
	for (i = 0; i < h->nfields; i++) {
		move(&h->fields[i].name, from, to);
		move(&h->fields[i].value, from, to);
	}
}

struct str
http_get(const struct http_head *h, enum http_id id)
{
	if (h->first[id] < 0)
		return str_n(NULL, 0);
	return h->fields[h->first[id]].value;
}

struct str
http_find(const struct http_head *h, const char *name)
{
	unsigned i;

	for (i = 0; i < h->nfields; i++)
		if (str_caseis(h->fields[i].name, name))
			return h->fields[i].value;
	return str_n(NULL, 0);
}

/* Cuts the next parameter off a query; 0 at its end. */
static int
query_next(struct str *query, struct str *part)
{
	const char *end;

	if (query->p == NULL)
		return 0;
	end = query->n > 0 ? memchr(query->p, '&', query->n) : NULL;
	*part = *query;
	*query = str_n(NULL, 0);
	if (end != NULL) {
		*query = str_n(end + 1, part->n - 1 - (size_t)(end - part->p));
		part->n = (size_t)(end - part->p);
	}
	return 1;
}

/*
 * 1 if the parameter has that name, also in an escaped spelling: a key that
 * must not travel on is not hidden by writing "k%65y".  *value: after '='.
 */
static int
query_is(struct str part, const char *name, struct str *value)
{
	size_t i = 0;
	uint64_t c;

	for (; i < part.n && part.p[i] != '='; name++, i++) {
		c = (unsigned char)part.p[i];
		if (c == '%' && part.n - i > 2 &&
		    util_hex64(str_n(part.p + i + 1, 2), 255, &c) == 0)
			i += 2;
		if (c == 0 || c != (unsigned char)*name)
			return 0;
	}
	if (*name != '\0')
		return 0;
	i += i < part.n;
	*value = str_n(part.p + i, part.n - i);
	return 1;
}

struct str
http_query_get(struct str query, const char *name)
{
	struct str part, value;

	while (query_next(&query, &part))
		if (query_is(part, name, &value))
			return value;
	return str_n(NULL, 0);
}

int
http_unescape(struct buf *out, struct str s)
{
	uint64_t c;
	size_t i;

	for (i = 0; i < s.n; i++) {
		c = (unsigned char)s.p[i];
		if (c == '%' && s.n - i > 2 &&
		    util_hex64(str_n(s.p + i + 1, 2), 0xff, &c) == 0)
			i += 2;
		buf_addc(out, (char)c);
	}
	return out->bad ? -1 : 0;
}

int
http_query_without(struct buf *out, struct str query, const char *name)
{
	struct str part, value;
	int rest = 0;

	while (query_next(&query, &part)) {
		if (query_is(part, name, &value))
			continue;
		if (rest)
			buf_addc(out, '&');
		buf_addstr(out, part);
		rest = 1;
	}
	return out->bad ? -1 : 0;
}

static int
url_bad(const char **why, const char *what)
{
	*why = what;
	return -1;
}

int
http_url(struct http_url *u, struct str url, const char **why)
{
	struct str at;
	size_t i, n;
	unsigned port;

	memset(u, 0, sizeof *u);
	u->tls = str_casestarts(url, "https://");
	if (!u->tls && !str_casestarts(url, "http://"))
		return url_bad(why, "it must start with http:// or https://");
	n = u->tls ? 8 : 7;
	at = authority_of(str_n(url.p + n, url.n - n));
	if (at.n > 0 && memchr(at.p, '@', at.n) != NULL)
		return url_bad(why, "it may not hold a user or password");
	if (authority(at, &n, &port) == -1)
		return url_bad(why, "its host or port is malformed");
	u->host = u->host_port = str_n(at.p, n);
	if (*at.p == '[')
		u->host = str_n(at.p + 1, n - 2);
	u->port = u->tls ? 443 : 80;
	if (port != 0 && port != u->port) {
		u->port = (uint16_t)port;
		u->host_port = at;
	}
	u->path = str_n(at.p + at.n, (size_t)(url.p + url.n - at.p) - at.n);
	for (i = 0; i < u->path.n; i++)
		if (!IS(u->path.p + i, TARGET) || u->path.p[i] == '?')
			return url_bad(why, "it may have a path, but no "
			    "query, fragment or blank");
	while (u->path.n > 0 && u->path.p[u->path.n - 1] == '/')
		u->path.n--;
	return 0;
}
