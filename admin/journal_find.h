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

/*
 * Tells each() of the requests, the greatest number first, each once, with
 * its attempts as tries, as stats would tell of it; what records do not tell
 * is 0 or "".  Status is what the client got, 0 where only we know: all
 * attempts failed.  before: smaller numbers only; 0: all.  Stops when each()
 * returns non-0, and returns that; else 0; -1: there is no file, or no
 * memory.  e is valid during the call; it is done, and not to be freed.
 */
int journal_find(const char *dir, int64_t wall_ms, uint64_t before,
    int (*each)(void *arg, const struct stats_entry *e), void *arg);

/*
 * Adds the records of the newest request of that id as a JSON array, in the
 * order of its attempts, as they were written: masked.  Returns how many;
 * 0: none, and nothing was added; -1: no memory, out is bad.
 */
int journal_find_id(const char *dir, int64_t wall_ms, struct str id,
    struct buf *out);

/*
 * The greatest number in the newest file, for requests after a restart to go
 * on from; 0: there is none.
 */
uint64_t journal_find_number(const char *dir);

#endif
