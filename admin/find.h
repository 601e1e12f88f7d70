#ifndef ADMIN_FIND_H
#define ADMIN_FIND_H

/* Where the config file is; and a template where there is none at all. */

#include "admin/options.h"

/*
 * The file to be used, malloc'd: the flag's, SPILLWAY_CONFIG's,
 * ./config.json, or ~/.config/spillway/config.json.  NULL: there is none;
 * unless the variables are the config, it was told, and a template written.
 */
char *find_config(const struct options *o);

/* 1 if llm-proxy's variables make a config where no file does. */
int find_variables(void);

#endif
