#ifndef HTTP_H
#define HTTP_H

/*
 * HTTP/1.1 messages (RFC 9112): heads, framing, queries and base URLs.
 * Pure: bytes in, slices out.  One strict judge for both sides: what is
 * ambiguous is refused, never repaired.  Bodies: wire/http_body; writing:
 * wire/http_write.
 */

#include "base/buf.h"
#include "base/util.h"

#define HTTP_HEAD_MAX	65536	/* bytes of a head, start line included */
#define HTTP_TARGET_MAX	16384
#define HTTP_FIELDS_MAX	128	/* fields of a head */

enum http_rc { HTTP_BAD = -1, HTTP_MORE = 0, HTTP_OK = 1 };

/* Fields that somebody asks for often; found while parsing. */
enum http_id {
	HTTP_OTHER, HTTP_HOST, HTTP_CONNECTION, HTTP_CONTENT_LENGTH,
	HTTP_TRANSFER_ENCODING, HTTP_CONTENT_TYPE, HTTP_CONTENT_ENCODING,
	HTTP_EXPECT, HTTP_AUTHORIZATION, HTTP_X_API_KEY, HTTP_X_GOOG_API_KEY,
	HTTP_ACCEPT_ENCODING, HTTP_KEEP_ALIVE, HTTP_TE, HTTP_TRAILER,
	HTTP_UPGRADE, HTTP_PROXY_CONNECTION, HTTP_PROXY_AUTHORIZATION,
	HTTP_PROXY_AUTHENTICATE, HTTP_ORIGIN, HTTP_SEC_FETCH_SITE,
	HTTP_X_REQUEST_ID, HTTP_RETRY_AFTER, HTTP_RETRY_AFTER_MS,
	HTTP_ANTHROPIC_VERSION, HTTP_COOKIE, HTTP_DATE, HTTP_LOCATION,
	HTTP_IDS
};

struct http_field {
	struct str name, value;		/* value without OWS at its ends */
	unsigned char id;		/* enum http_id */
	unsigned char hop;		/* 1: hop-by-hop, not to be forwarded */
};

enum http_framing {
	HTTP_NO_BODY, HTTP_LENGTH, HTTP_CHUNKED, HTTP_UNTIL_CLOSE
};

/* One head.  All slices point into the bytes that were parsed. */
struct http_head {
	struct str method, target;	/* of a request; target as received */
	struct str path, query;		/* of target: origin form; no '?' */
	int status;			/* of an answer */
	struct str reason;
	int minor;			/* HTTP/1.minor: 0 or 1 */
	size_t size;			/* of the head, its empty line too */
	enum http_framing framing;
	uint64_t length;		/* for HTTP_LENGTH */
	unsigned keep_alive:1;		/* the peer lets the connection live */
	unsigned expect:1;		/* Expect: 100-continue */
	unsigned upgrade:1;		/* asks for an upgrade, or CONNECT */
	unsigned nfields;
	short first[HTTP_IDS];		/* index of the first, -1: none */
	struct http_field fields[HTTP_FIELDS_MAX];
	/* after HTTP_BAD: what to answer (requests), and a sentence why */
	int bad_status;
	const char *why;
};

/*
 * Parses the request head at the start of the n bytes at p.  seen: how many
 * of them an earlier call that returned HTTP_MORE was given (0 at first),
 * so that no byte is scanned for the end twice.
 * HTTP_OK: h is filled, h->size bytes belong to the head.
 * HTTP_MORE: not complete, and nothing wrong that can be seen yet.
 * HTTP_BAD: h->bad_status is 400, 414 (target too long), 431 (head or field
 * count too large), 501 (transfer coding that we do not know, upgrade of a
 * kind we must not pass) or 505; the connection must be closed after it.
 * One empty line (CRLF) before the start line is skipped (RFC 9112 2.2).
 * Checked: CRLF line ends only, token names, no blank before the colon, no
 * obs-fold, no NUL or CTL in values, exactly one valid Host in HTTP/1.1,
 * Content-Length a single decimal (equal repeats refused too), never with
 * Transfer-Encoding, Transfer-Encoding exactly "chunked" and not in 1.0;
 * target in origin, absolute, or "*" form (CONNECT sets upgrade).
 */
enum http_rc http_request(struct http_head *h, const char *p, size_t n,
    size_t seen);

/*
 * The same for an answer to a request whose method was HEAD if head_only.
 * Sets framing by RFC 9112 6.3: none for HEAD, 1xx, 204, 304; chunked;
 * length; else until close.  Repeated equal Content-Length values are taken
 * as one.  Line ends of bare LF are refused.  HTTP/1.0 answers are taken.
 */
enum http_rc http_response(struct http_head *h, const char *p, size_t n,
    size_t seen, int head_only);

/* Repoints every slice after the head's bytes were copied to `to`. */
void http_head_move(struct http_head *h, const char *from, const char *to);

/* Value of the first field of that kind, or an empty slice with p NULL. */
struct str http_get(const struct http_head *h, enum http_id id);

/* The same by name, case ignored. */
struct str http_find(const struct http_head *h, const char *name);

/*
 * Value of the parameter `name` in a query without '?', still escaped;
 * p NULL if absent.
 */
struct str http_query_get(struct str query, const char *name);

/*
 * Adds s, of a path or query, without its escapes (RFC 3986 2.1); what is
 * no escape stays.
 */
int http_unescape(struct buf *out, struct str s);

/*
 * Adds the query without the parameter `name` (every one of that name);
 * all else keeps its bytes and order.
 */
int http_query_without(struct buf *out, struct str query, const char *name);

/*
 * A base URL in its parts.  http or https; userinfo, query and fragment
 * are refused; the path has no '/' at its end.  Slices point into url.
 */
struct http_url {
	int tls;
	struct str host;	/* a literal IPv6 address without brackets */
	struct str host_port;	/* as Host wants it: the port if not default */
	uint16_t port;
	struct str path;	/* "" or "/v1" ... */
};

/* Returns 0, or -1 with a sentence in *why. */
int http_url(struct http_url *u, struct str url, const char **why);

#endif
