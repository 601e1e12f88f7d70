#ifndef CONF_CHECK_H
#define CONF_CHECK_H

/*
 * What no single value can tell: rules between keys, and what follows from
 * them.
 */

#include "conf/value.h"

/*
 * Checks a backend that was just read from the object at that place, and
 * resolves its URL and auth.
 */
void conf_check_backend(struct conf_read *r, struct config_backend *b,
    size_t at);

/*
 * Checks that the last item of a list of that kind has a name, and a good
 * one.
 */
void conf_check_name(struct conf_read *r, enum conf_kind kind, size_t at);

/* Checks the whole, and resolves host, port, priorities and time-outs. */
void conf_check_all(struct conf_read *r, const struct config_flags *flags);

/*
 * A fault, or a note, about a key: at the place where it was written in the
 * item that is being read, else at the other place.
 */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
void conf_blame(const struct conf_read *r, const char *path, size_t at,
    const char *fmt, ...);
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
void conf_remark(const struct conf_read *r, const char *path, size_t at,
    const char *fmt, ...);

/* That place; whether there is one. */
size_t conf_seen_at(const struct conf_read *r, const char *path,
    size_t other);
int conf_seen(const struct conf_read *r, const char *path);

/* 1 if a fault at the key's value explains already why there is none. */
int conf_told(const struct conf_read *r, const char *path);

/* 1 if every byte of s is above low and below 0x7f. */
int conf_ascii(struct str s, int low);

/* NULL if the backend may set that header field; else what is wrong. */
const char *conf_field(const struct config_backend *b, struct str name);

/* 1 if s is an origin as browsers send it: scheme://host[:port]. */
int conf_origin(struct str s);

/* 4 or 6 if s is a literal address of IPv4 or IPv6, else 0. */
int conf_address(struct str s);

/* 1 if a host name or literal address means this very machine. */
int conf_loopback(struct str host);

/* 1 if a literal address stands for all: 0.0.0.0, :: and the like. */
int conf_wildcard(struct str host);

/* The inside of "[...]"; anything else as it is. */
struct str conf_unbracket(struct str s);

/* 1 if s may be a host name (letters, digits, - . _) or is an address. */
int conf_host(struct str s);

#endif
