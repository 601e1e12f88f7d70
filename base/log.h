#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * Lines for a person, on one descriptor.  One write a line; never blocks:
 * a line that cannot be written at once is dropped and counted, and the
 * count is told with the next line that gets through.  The log refuses a
 * line that holds a registered secret.  The only module beside the loop
 * with state of its own, because a log is one per process.
 */

#include "base/util.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* How lines look: none of these, or some. */
#define LOG_COLOUR	1
#define LOG_SHORT	2	/* for a terminal: the time without the date */

/* Lines below level are dropped.  fd is borrowed. */
void log_setup(int fd, enum log_level level, int look);

/* 1 if lines are LOG_SHORT: for those who then say less. */
int log_short(void);

/* The wall clock for the time at the head of lines, ms since 1970. */
void log_time(int64_t wall_ms);

/* 1 if lines of this level are written: spares the work of making them. */
int log_wants(enum log_level level);

/* Writes one line; control characters are shown as \xNN. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void log_debug(const char *fmt, ...);
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void log_info(const char *fmt, ...);
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void log_warn(const char *fmt, ...);
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void log_error(const char *fmt, ...);

/*
 * The same for an answer to a client.  The short look has its status in
 * place of the level, coloured by its class.
 */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void log_status(enum log_level level, int status, const char *fmt, ...);

/*
 * Lines that contain this secret (8 bytes or more; shorter ones are not
 * kept) are written with the secret masked.  The bytes are copied; at most
 * 2048 secrets are kept.  log_forget() wipes them all, before a reload.
 */
void log_secret(struct str secret);
void log_forget(void);

/*
 * Replaces each registered secret in the n bytes at p, in place, by its
 * mask, and returns the new length (never more than n).
 */
size_t log_mask(char *p, size_t n);

/* Lines dropped since the start. */
uint64_t log_dropped(void);

#endif
