#ifndef ADMIN_MASK_H
#define ADMIN_MASK_H

/* Config text as people may see it: the same, without its secrets.  Pure. */

#include "base/buf.h"

/*
 * Adds text (JSON with comments and trailing commas) as plain JSON with its
 * secrets masked: tokens, keys, headers that usually hold one, user names
 * and keys in URLs.  What is a "${VARIABLE}" or "@file" as a whole stays.
 * Adds nothing and returns -1 if text breaks, or out is full.
 */
int mask_json(struct buf *out, struct str text);

/* Adds s as a JSON string, registered secrets in it masked. */
int mask_text(struct buf *out, struct str s);

/* 1 if s looks like a masked secret. */
int mask_is(struct str s);

/* 1 if s is the masked form of the secret. */
int mask_of(struct str s, struct str secret);

#endif
