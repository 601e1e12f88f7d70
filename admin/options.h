#ifndef ADMIN_OPTIONS_H
#define ADMIN_OPTIONS_H

/*
 * The command line: every option in one table, from which --help comes too.
 */

#include "config.h"

struct options {
	const char *file;		/* -c; borrowed from argv */
	struct config_flags flags;	/* -p, --admin-port, -r */
	const char *model, *key;	/* with -t; NULL: not given */
	int test, probe, demo, reference, hash_key;
};

/*
 * Reads the command line.  -word is taken for --word, --word=value for
 * --word value.  Returns -1: go on; else the exit status, after a line was
 * printed: 0 for --help and --version, 2 for a wrong one.
 */
int options_parse(struct options *o, char **argv, const char *version);

#endif
