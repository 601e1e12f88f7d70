#ifndef CONF_READ_H
#define CONF_READ_H

/*
 * From the text to struct config, key by key.  Each backend, route
 * and access key is checked as soon as it has been read (conf/check.h,
 * conf/access.h).
 */

#include "conf/value.h"

/* Fills r->c with the defaults of the table. */
void conf_defaults(struct conf_read *r);

/* A further backend with the defaults of the table; NULL: no memory. */
struct config_backend *conf_backend(struct conf_read *r);

/*
 * Fills r->c with the defaults and then with what stands in text; notes
 * faults.  Returns 0 if the text could be read to its end, else -1.
 */
int conf_read(struct conf_read *r, struct str text);

#endif
