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

/* Checks the whole, and resolves host, port, priorities and time-outs. */
void conf_check_all(struct conf_read *r, const struct config_flags *flags);

/* NULL if the backend may set that header field; else what is wrong. */
const char *conf_field(const struct config_backend *b, struct str name);

/* 1 if s is an origin as browsers send it: scheme://host[:port]. */
int conf_origin(struct str s);

/* 4 or 6 if s is a literal address of IPv4 or IPv6, else 0. */
int conf_address(struct str s);

/* 1 if a host name or literal address means this very machine. */
int conf_loopback(struct str host);

#endif
