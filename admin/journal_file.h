#ifndef ADMIN_JOURNAL_FILE_H
#define ADMIN_JOURNAL_FILE_H

/*
 * The files of a folder of records: requests_DAY.jsonl, and what it has been
 * before it grew too large: requests_DAY.N.jsonl, N from 1, the greatest the
 * newest.  Whatever else is in the folder stays untouched.
 */

#include <stddef.h>
#include <stdint.h>

#include "admin/record.h"
#include "base/buf.h"

/*
 * Puts the path of a file (part 0: without a number) in path, of PATH_MAX
 * bytes.  0, or -1: it is too long.
 */
int journal_file_path(char *path, const char *dir, const char *day,
    unsigned part);

/* Bytes of all files but that day's of today. */
uint64_t journal_file_others(const char *dir, const char *day);

/* Gives the day's file the next number.  0, or -1 with errno. */
int journal_file_turn(const char *dir, const char *day);

/*
 * Removes the oldest files, but never the day's of today, until the others
 * have at most room bytes.  Returns how many they have.
 */
uint64_t journal_file_prune(const char *dir, const char *day,
    uint64_t room);

/*
 * Adds whole lines from the end of the day's file, at most `most` bytes; if
 * it has fewer, in front of them those of the file that it was before.
 * 0, or -1: there is none, or no memory.
 */
int journal_file_tail(const char *dir, const char *day, size_t most,
    struct buf *out);

/* The newest day that has a file; 0, or -1: there is none. */
int journal_file_newest(const char *dir, char day[RECORD_DAY]);

#endif
