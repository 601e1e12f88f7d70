#ifndef RELAY_ACCOUNT_H
#define RELAY_ACCOUNT_H

/*
 * The account of one request: what happened, when, and what it cost; and
 * the lines of the log that tell it.  A plain value in the exchange.
 */

#include "config.h"
#include "dialect/dialect.h"
#include "failover.h"

struct account {
	const char *id;			/* borrowed, as all slices here */
	struct str method, path, model;
	struct str backend;		/* that answered; "": none did */
	struct str api;			/* that it was translated to; "" */
	struct str lost;		/* codes of what had no translation */
	unsigned stream:1;
	unsigned attempts;
	int status;			/* that the client got; 499: it left */
	uint64_t began_us;		/* loop_us() at the end of its head */
	uint64_t first_us;		/* of the first answer byte; 0: none */
	struct dialect_watch watch;	/* usage and stop reason */
	char cause[256];		/* of the last failure: safe to tell */
	char detail[160];		/* of it, with the provider's words */
};

/* A duration as people read it, at most 23 characters. */
const char *account_time(char at[24], uint64_t ms);

/*
 * The one line of a request that ended; how: "", or what was wrong with
 * its end.  types: logging.log_request_types (0 all, 1 failed, 2 success).
 * In the log's short look time, status, what was asked and who answered fit
 * into 80 columns, long names cut; the rest follows, the id last.
 */
void account_request(const struct account *a, int types, const char *how,
    uint64_t now_us);

/*
 * The line of an attempt that failed, with backend, URL and masked token;
 * sets a->cause.  why: what the network or the provider said, or "".
 */
void account_attempt(struct account *a, const struct config_backend *b,
    const struct fo_outcome *o, const char *why);

/* What an outcome changed in the health of a backend, or a model at it. */
void account_change(const struct fo_change *c, const char *reason);

/*
 * Why better placed backends were passed over for candidate `chosen` (-1:
 * there is none).
 */
void account_skips(const struct account *a, const struct fo_cand *c,
    size_t n, int chosen, uint64_t now);

#endif
