#ifndef RELAY_EXCHANGE_RECORD_H
#define RELAY_EXCHANGE_RECORD_H

/*
 * The third room of an exchange: the records of its attempts.  All of it
 * costs nothing where records are off.  For exchange*.c alone.
 */

#include "relay/exchange_attempt.h"

/* An attempt begins, or begins again: the head and body it sends. */
void exchange_record_start(struct exchange *ex, struct str head,
    struct str body);

/*
 * It is over: tells its record, if it was begun, and forgets it.  why: "",
 * or what was wrong.
 */
void exchange_record_end(struct exchange *ex, enum stats_outcome outcome,
    const char *why);

/*
 * The request is over: tells its record if it never had an attempt.
 * status: that the client got.
 */
void exchange_record_own(struct exchange *ex, int status, const char *why);

/* Forgets what was begun. */
void exchange_record_free(struct exchange *ex);

#endif
