#ifndef RELAY_CAPTURE_H
#define RELAY_CAPTURE_H

/*
 * What is kept of an attempt for its record while it runs, and the record
 * that is made of it at its end.  Bodies are copied, as far as the config
 * wants them; sizes are counted in full.  Pure.
 */

#include "base/buf.h"
#include "config.h"
#include "dialect/dialect.h"
#include "http.h"
#include "relay/stats.h"

#define CAPTURE_SHORT	1024		/* bytes of a "truncated" body */
#define CAPTURE_STREAM	(1u << 20)	/* of a stream's */
#define CAPTURE_PLAIN	(16u << 20)	/* of any other answer's */
#define CAPTURE_SHARE	8		/* of logging.max: no body is more */
#define CAPTURE_BEHIND	16384	/* kept behind a cut, so that a secret that
				   the cut parts is still found */

/* A body, or what is kept of it. */
struct capture_body {
	struct buf kept;	/* owned */
	size_t show;		/* bytes for the record; 0: none */
	uint64_t size;		/* bytes that there were */
};

struct capture {
	uint64_t began_us;	/* of the attempt */
	struct buf head;	/* the request head as it was sent */
	struct buf fields;	/* of the answer, as lines */
	struct capture_body request, answer;
	int status;		/* 0: no head came */
};

/*
 * One attempt, or a request that never had one.  All is borrowed for the
 * call that tells it, and nothing is masked yet.
 */
struct record {
	int64_t wall_ms;		/* of its end, since 1970 */
	uint64_t duration_us;
	uint64_t number;		/* as in stats; 0: none */
	struct str id;			/* of the request */
	unsigned attempt;		/* 1, 2 ..; 0: none was made */
	enum stats_outcome outcome;
	struct str backend;		/* "": none */
	struct str head;		/* of the request as it was sent; ""
					   of attempt 0 */
	const struct http_head *client;	/* as it came */
	enum dialect api;		/* that the client speaks */
	struct str key, model;		/* access key's name; "" */
	unsigned stream:1;
	int status;			/* of the answer; 0: none came */
	struct str error;		/* "": none */
	struct str fields;		/* of the answer, as lines */
	const struct capture_body *request, *answer;	/* NULL: none */
	const struct dialect_usage *usage;	/* NULL: none */
	const struct config *cfg;	/* that the request was served under */
};

/* Begins an attempt; c may hold a former one.  Keeps as cfg wants it. */
void capture_start(struct capture *c, const struct config *cfg, int stream,
    struct str head, struct str body, uint64_t now_us);

/* The head of its answer. */
void capture_head(struct capture *c, const struct http_head *h);

/* More of its answer, as the upstream sent it, unpacked. */
void capture_data(struct capture *c, struct str data);

/* Fills in what a capture knows of its attempt. */
void capture_tell(const struct capture *c, struct record *r,
    uint64_t now_us);

/* Puts a body in cb as cfg wants requests' bodies. */
void capture_request(struct capture_body *cb, const struct config *cfg,
    struct str body);

void capture_body_free(struct capture_body *cb);

/* What was kept is overwritten: it holds credentials. */
void capture_free(struct capture *c);

#endif
