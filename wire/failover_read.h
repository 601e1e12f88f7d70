#ifndef WIRE_FAILOVER_READ_H
#define WIRE_FAILOVER_READ_H

/*
 * What providers say about their limits: Retry-After and its like, reset
 * headers, texts.  A room beside failover.h.  Pure.
 */

#include "failover.h"
#include "http.h"

/*
 * The cool-down in ms that an answer asks for; the first of these that
 * names a time above zero:
 *  1. retry-after-ms: milliseconds, decimals allowed
 *  2. retry-after: seconds, decimals allowed, or HTTP-date (RFC 9110
 *     10.2.3)
 *  3. reset headers: anthropic-ratelimit-*-reset and x-ratelimit-reset[-*],
 *     each with its twin that has "remaining" in place of "reset", and the
 *     unified ones with one that has "status".  Of those that are exhausted
 *     (remaining 0, status "rejected") the latest counts; if there is none,
 *     the soonest of all.  A value is an RFC 3339 time, a duration
 *     ("1m2.5s", "20ms"), or a number: seconds, but from 10^9 on seconds
 *     since 1970, and from 10^11 on milliseconds since 1970
 *  4. "retryDelay": "12s" in body (google.rpc.RetryInfo as JSON), also where
 *     that JSON stands escaped in a string of another
 *  5. the policy's default
 * Zero, negative, past and garbage count as absent; what is too large is
 * capped.  body: the error body or first error event of a limit.  For an
 * answer with status 2xx and without body, a good one, only reset headers
 * that are exhausted count; if there is none the result is 0.
 *
 * anthropic-ratelimit-unified-[CLAIM-]reset tells of one window of a
 * subscription (5h, 7d ...), without a claim of the one that matters.  A
 * claim that is rejected while the whole is not keeps nobody out.  -overage-
 * is about buying more and never counts itself: healthy answers call it
 * rejected; but where it is allowed, a good answer is from what was bought,
 * and exhausts nothing.
 *
 * wall_ms: the wall clock, ms since 1970.  *source is FO_FROM_NONE if the
 * result is 0.
 */
uint64_t failover_cooldown(const struct fo_policy *p,
    const struct http_head *h, struct str body, int64_t wall_ms,
    enum fo_source *source);

/*
 * Looks for the policy's texts in the first 8 KiB of an error body or first
 * error event, case ignored; stop_text first.  A text must lie within them
 * as a whole; an empty one is never found.
 * Returns FO_STOP_TEXT_FAULT, FO_RATE_TEXT_FAULT or FO_NONE_FAULT.
 */
enum fo_fault failover_text(const struct fo_policy *p, struct str body);

#endif
