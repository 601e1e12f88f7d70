#ifndef RELAY_EXCHANGE_ATTEMPT_H
#define RELAY_EXCHANGE_ATTEMPT_H

/*
 * The inside of an exchange, in rooms: exchange.c has its life (who is next,
 * what we answer ourselves, its end), exchange_attempt.c one attempt (sent,
 * judged, given to the client or given up), exchange_record.c what is told
 * of it.  For these alone.
 */

#include "relay/account.h"
#include "relay/catalog.h"
#include "relay/exchange.h"
#include "relay/outbound.h"
#include "relay/route.h"
#include "relay/unpack.h"

#define EX_UNFIT	(1u << 20)	/* tried: not (again) by this request */

struct exchange {
	unsigned stalled:1;		/* the client is slow */
	struct exchange_env *env;	/* borrowed */
	struct generation *gen;		/* a reference */
	struct exchange_request req;
	struct route route;		/* owned: model, candidates */
	struct str user;		/* subject of user_limits; in req.h */
	struct fo_ticket ticket;
	struct target *target;		/* of the attempt that runs */
	size_t cur;			/* its candidate */
	struct upstream *up;		/* borrowed; NULL: none runs */
	struct outbound outbound;	/* owned: what the attempt sends */
	struct answer answer;
	struct unpack unpack;		/* owned: of a compressed answer */
	struct reply reply;		/* to the client */
	struct catalog *catalog;	/* owned; NULL: no list is made */
	uint64_t cool_ms;
	enum fo_source cool_source;
	struct account account;
	struct capture *capture;	/* owned; NULL: no record is made */
	struct stats_entry *seen;	/* borrowed of stats; NULL: no memory,
					   or it is over */
	struct msg_fault refused;	/* why one could not be translated */
	struct timer again;
	struct grave grave;
	unsigned moves_on:1;		/* the status at hand is in `on` */
	unsigned ended:1;
	unsigned failed:1;		/* an attempt did, not by a limit */
	unsigned resort:1;		/* the last resort was used */
	unsigned refused_here:1;	/* by one of our own limits */
	unsigned broken:1;		/* its answer broke off */
	unsigned invalid:1;		/* the last failure: a wrong form */
	unsigned left:1;		/* the client did, before the end */
};

/* ---- exchange.c ---- */

const struct config *exchange_config(const struct exchange *ex);
const struct fo_policy *exchange_policy(const struct exchange *ex);

/* Starts the next attempt, or answers that there is none. */
void exchange_next(struct exchange *ex, uint64_t now);

/* What the client is told of us, beside an answer of backend ("": ours). */
struct reply_own exchange_own(const struct exchange *ex,
    struct str backend);

/* Answers with an error of our own, and ends. */
void exchange_error(struct exchange *ex, int status, const char *message,
    uint64_t retry_ms);

/* The one line of the log; how: "", or what was wrong with its end. */
void exchange_log(struct exchange *ex, int status, const char *how);

/* It is over; cut: the client must see that the answer broke off. */
void exchange_end(struct exchange *ex, int cut);

/* ---- exchange_attempt.c ---- */

/*
 * Makes what the backend at hand is to be asked; as outbound_make(): 1 if
 * its API cannot say this.
 */
int attempt_make(struct exchange *ex);

/*
 * Starts the attempt that the ticket allows; fresh: over a new connection.
 * May end the exchange before it returns.
 */
void attempt_start(struct exchange *ex, int fresh, uint64_t now);

/* An outcome with what is known of the answer at hand. */
void attempt_outcome(struct fo_outcome *o, const struct exchange *ex,
    enum fo_phase phase, enum fo_fault fault);

/* Ends the ticket with that outcome; reason: for the log. */
void attempt_book(struct exchange *ex, const struct fo_outcome *o,
    const char *reason, uint64_t now);

#endif
