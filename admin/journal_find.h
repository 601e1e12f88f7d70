#ifndef ADMIN_JOURNAL_FIND_H
#define ADMIN_JOURNAL_FIND_H

/*
 * Records read back, of the local day of wall_ms (ms since 1970): at most the
 * last JOURNAL_FIND_MAX bytes of it.  Lines that are no records are passed
 * over.  dir: journal_folder(); NULL finds nothing.
 */

#include "base/buf.h"
#include "relay/stats.h"

#define JOURNAL_FIND_MAX	((size_t)8 << 20)

/* A search in pieces, as it takes its time. */
struct journal_search;

/*
 * Reads the records.  before: only requests with smaller numbers are looked
 * at; 0: all.  NULL: there is no file, or no memory.
 */
struct journal_search *journal_search_new(const char *dir, int64_t wall_ms,
    uint64_t before);

/*
 * Tells each() of the requests, the greatest number first, each once, with
 * its attempts as tries, as stats would tell of it; what records do not tell
 * is 0 or "".  Status is what the client got, 0 where only we know: all
 * attempts failed.  Ends when each() returns non-0.  e is valid during the
 * call; it is done, and not to be freed.  Stops after about so many bytes of
 * records: 1, and the next call goes on; 0: that was all.
 */
int journal_search_step(struct journal_search *s, size_t bytes,
    int (*each)(void *arg, const struct stats_entry *e), void *arg);

void journal_search_free(struct journal_search *s);

/*
 * Adds the records of the newest request of that id as a JSON array, in the
 * order of its attempts, as they were written: masked.  Tells each() of the
 * request as above, unless it is NULL.  Returns how many; 0: none, and
 * nothing was added; -1: no memory, out is bad.
 */
int journal_find_id(const char *dir, int64_t wall_ms, struct str id,
    struct buf *out, int (*each)(void *arg, const struct stats_entry *e),
    void *arg);

/*
 * The greatest number in the newest file, for requests after a restart to go
 * on from; 0: there is none.
 */
uint64_t journal_find_number(const char *dir);

#endif
