#ifndef CONF_DESCRIBE_H
#define CONF_DESCRIBE_H

/* What a config means, in words for a person. */

#include "base/buf.h"
#include "config.h"

/* Adds what will happen under the config.  Tokens are masked. */
void conf_describe(const struct config *c, struct buf *out);

#endif
