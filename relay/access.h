#ifndef RELAY_ACCESS_H
#define RELAY_ACCESS_H

/*
 * Access keys at work: who is asking, how much they may ask, and what they
 * have used.  The counts are the process's and survive reloads.
 */

#include "config.h"
#include "dialect/dialect.h"
#include "http.h"
#include "limit.h"

struct access {
	struct limit requests;	/* of access keys */
	struct limit tokens;	/* of access keys */
	struct limit users;	/* tokens of users that a header names */
	struct limit backends;	/* attempts at backends */
};

void access_init(struct access *a);
void access_free(struct access *a);

/*
 * Looks for one of the config's access keys in Authorization: Bearer,
 * x-api-key, x-goog-api-key and ?key=; a wrong one hides no right one.
 * Returns 0 with *key (NULL if nobody is asked for one); -1 with *why.
 */
int access_key(const struct config *c, const struct http_head *h,
    const struct config_access_key **key, const char **why);

/*
 * The subject of user_limits: what the header says, else the key's name,
 * else "" for all others together.  Points into h or the config.
 */
struct str access_user(const struct config *c,
    const struct config_access_key *key, const struct http_head *h);

/*
 * Asks for one request.  0: allowed, and counted; -1: over a limit, *wait
 * is the time in ms until one may be allowed, *why a sentence.  key may be
 * NULL.  Nothing is counted unless all limits agree.
 */
int access_admit(struct access *a, const struct config *c,
    const struct config_access_key *key, struct str user, uint64_t now,
    uint64_t *wait, const char **why);

/*
 * Charges what a request has used, as far as the provider told: input,
 * cache writes and output; cache reads are free.
 */
void access_charge(struct access *a, const struct config *c,
    const struct config_access_key *key, struct str user,
    const struct dialect_usage *used, uint64_t now);

/* Ms until a backend may be asked once more by its own limit; 0: now. */
uint64_t access_backend_wait(struct access *a,
    const struct config_backend *b, uint64_t now);

/* Counts one attempt at it. */
void access_backend_take(struct access *a, const struct config_backend *b,
    uint64_t now);

#endif
