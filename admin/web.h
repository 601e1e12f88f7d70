#ifndef ADMIN_WEB_H
#define ADMIN_WEB_H

/*
 * A small HTTP server for people and their tools: the dashboard, its API,
 * the metrics.  Reads requests, writes answers and event streams; keeps
 * connections alive; bounds everything.  Knows nothing of what is asked: a
 * site says that.
 */

#include "base/buf.h"
#include "http.h"
#include "net/loop.h"

#define WEB_BODY_MAX	(1u << 20)	/* of a request: 413 above it */

/*
 * Connections of one server.  For a further one the one goes that has been
 * without a request for the longest time.
 */
#define WEB_CONNECTIONS	64

/* Bytes of answers that nobody has taken; who asks for more is cut. */
#define WEB_DUE_MAX	(64u << 20)

struct web;
struct web_request;

/* What is asked: the head, and the whole body; valid during the call. */
struct web_ask {
	const struct http_head *h;
	struct str body;
	struct web_request *r;		/* for the answer */
};

/*
 * Answers a request: calls web_answer() or web_stream(), now or later,
 * exactly once.
 */
typedef void web_site(void *arg, const struct web_ask *ask);

/*
 * Listens.  host: a literal address or "localhost".  NULL with errno set
 * (EADDRINUSE ..).
 */
struct web *web_open(struct loop *lp, struct str host, uint16_t port,
    web_site *site, void *arg);

/* Closes the listener and all connections; answers that are due go away. */
void web_close(struct web *w);

/* The port that it listens on. */
uint16_t web_port(const struct web *w);

/*
 * Answers.  fields: complete lines ("name: value\r\n"), without framing and
 * Connection; body is copied.  HEAD sends no body.
 */
void web_answer(struct web_request *r, int status, struct str fields,
    struct str body);

/*
 * Answers 200 with an event stream that stays open; gone(arg) is called once
 * when the client has left or fell 256 KiB behind (then it is cut); r is not
 * used after that.
 */
void web_stream(struct web_request *r, struct str fields,
    void (*gone)(void *arg), void *arg);

/* Adds bytes to a stream that was begun. */
void web_send(struct web_request *r, struct str data);

/* Ends a stream; gone(arg) is called in the next turn. */
void web_cut(struct web_request *r);

/* For an answer that comes later: told once if the client leaves before. */
void web_wait(struct web_request *r, void (*gone)(void *arg), void *arg);

#endif
