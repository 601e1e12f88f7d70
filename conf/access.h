#ifndef CONF_ACCESS_H
#define CONF_ACCESS_H

/* Access keys and routes, and the backends that they name. */

#include "conf/value.h"

/* NULL if the text can be an access key; else what is wrong with it. */
const char *conf_key_wrong(struct str key);

/*
 * Reads the key of an access key, of which the digest is kept.  Notes
 * faults.
 */
void conf_read_key(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k, struct config_access_key *g);

/* Checks the last one of its list, read from the object at that place. */
void conf_check_key(struct conf_read *r, const struct config_access_key *g,
    size_t at);
void conf_check_route(struct conf_read *r, const struct config_route *w,
    size_t at);

/*
 * Puts places in config.backends where names were, and strategies where
 * routes have none; then looks for routes that nothing reaches and for what
 * they never reach.
 */
void conf_check_access(struct conf_read *r);

#endif
