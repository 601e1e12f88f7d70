#ifndef ADMIN_STORE_H
#define ADMIN_STORE_H

/*
 * The config file on disk: read whole, and written so that a crash at any
 * moment leaves the old or the new one, never half of either.
 */

#include "base/buf.h"

/* Adds the file's bytes; 0, or -1 with errno set (ENOTSUP: no plain file). */
int store_read(const char *file, struct buf *out);

/*
 * Replaces the file: FILE.backup gets its last content, a new file beside it
 * is written, synced and renamed over it, and the folder synced.  Mode and,
 * where allowed, owner are kept; a symbolic link stays one, its target is
 * replaced.  0; -1 with a sentence in why (of n bytes).
 */
int store_write(const char *file, struct str text, char *why, size_t n);

#endif
