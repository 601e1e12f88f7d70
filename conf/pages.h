#ifndef CONF_PAGES_H
#define CONF_PAGES_H

/* What is made from the key table for people to read. */

#include "base/buf.h"

/* Adds a commented config that works once its variable is set. */
void conf_template(struct buf *out);

/* Adds the table of all keys as Markdown. */
void conf_reference(struct buf *out);

#endif
