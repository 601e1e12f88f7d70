#ifndef ADMIN_JOURNAL_H
#define ADMIN_JOURNAL_H

/*
 * The records: one JSON object a line for each attempt, in a file a day,
 * requests_YYYY-MM-DD.jsonl in logging.log_directory.  The day is the local
 * one of the attempt's end.  A file is opened with its first line, mode
 * 0600, and only ever appended to, by one write() a line.  One that would
 * grow beyond a quarter of logging.max_megabytes becomes
 * requests_YYYY-MM-DD.N.jsonl, N from 1, the greatest the newest; the
 * oldest files go before all together exceed that limit.  A line that is
 * longer than such a quarter shows of its bodies what "truncated" would.
 * What cannot be written is dropped: that is told once in the log, as is
 * when it works again.  Times are given (ms since 1970).
 */

#include "base/buf.h"
#include "config.h"
#include "relay/capture.h"

#define JOURNAL_PARTS	4	/* files that share the limit, at least */

struct journal;

/* NULL: out of memory.  Does nothing until journal_setup(). */
struct journal *journal_new(void);
void journal_free(struct journal *j);

/*
 * Where records go from now on, by that config; its strings are copied.
 * 0, or -1: out of memory, nothing changed.
 */
int journal_setup(struct journal *j, const struct config *cfg);

/* Opens its file anew with the next line: somebody may have moved it. */
void journal_reopen(struct journal *j);

/* Writes a record; arg: the struct journal (for exchange_env.record). */
void journal_record(void *arg, const struct record *r);

/* Their folder, for admin/journal_find; NULL: no records are kept. */
const char *journal_folder(const struct journal *j);

#endif
