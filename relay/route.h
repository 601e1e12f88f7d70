#ifndef RELAY_ROUTE_H
#define RELAY_ROUTE_H

/*
 * What a request is, and who may serve it: its dialect and operation, the
 * model and whether it wants a stream, and the backends that fit, in config
 * order.  Pure: reads the request and a generation.
 */

#include "base/buf.h"
#include "dialect/dialect.h"
#include "failover.h"
#include "http.h"
#include "relay/target.h"

struct route {
	struct dialect_call call;
	struct str model;	/* as the client named it; "" if it did not */
	struct buf text;	/* owned: where model lies if the body had it */
	unsigned stream:1;	/* the answer is to be a stream */
	unsigned json:1;	/* the body is a JSON object with a model */
	unsigned repeated:1;	/* it names a model more than once */
	enum fo_strategy strategy;	/* inside one priority */
	uint64_t sticky;	/* of the conversation, for FO_STICKY */
	/* The candidates; three arrays of n, owned. */
	struct fo_cand *cands;
	size_t *index;		/* of the target of each candidate */
	unsigned char *limited;	/* it answered 429 to this request */
	size_t n;
	struct failover *registry;	/* borrowed: where the models' records
					   are given back */
};

/* Why a request cannot be served: an HTTP status and a sentence. */
struct route_fault {
	int status;
	char why[300];
};

/*
 * Reads head and body; key: what the client may use, NULL: everything.
 * Returns 0; -1 with f: 400 for a body that had to be JSON and is not, and
 * for an unknown path that is a known one once it is normalized; 403 for a
 * model that the key may not use; 404 for a model that no backend could
 * ever serve, 503 if only disabled ones could, 500 when out of memory.
 * r is to be freed in both cases.
 */
int route_make(struct route *r, const struct http_head *h, struct str body,
    const struct generation *gen, const struct config_access_key *key,
    struct route_fault *f);

void route_free(struct route *r);

/*
 * 1 if a model's name, put into a path, would lead elsewhere: it is empty or
 * has a segment "." or "..".
 */
int route_strays(struct str model);

/*
 * Adds the body as the backend of a target is to see it; returns 1 if it is
 * another than the client's, 0 if the original serves (nothing is added),
 * -1 when out of memory.
 */
int route_body(const struct route *r, const struct config_backend *b,
    struct str body, struct buf *out);

#endif
