#ifndef CONF_LIST_H
#define CONF_LIST_H

/* Values that are lists or maps: of statuses, phrases, models, names ... */

#include "conf/value.h"

/*
 * Reads the value of a key of such a kind into its struct.  0; -1 if the
 * text breaks or memory is out.
 */
int conf_list(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k, void *base);

#endif
