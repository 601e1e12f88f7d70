#include "admin/options.h"

#include <stdio.h>
#include <string.h>

enum option_id {
	OPT_CONFIG, OPT_PORT, OPT_TEST, OPT_PROBE, OPT_DEMO, OPT_REFERENCE,
	OPT_VERSION, OPT_HELP, OPT_RATE, OPT_MODEL, OPT_KEY, OPT_HASH_KEY,
	OPT_ADMIN
};

/* What --help shows. */
static const struct option {
	enum option_id id;
	char brief;		/* -b, or '\0' */
	const char *name, *value, *about;
} options[] = {
	{ OPT_CONFIG, 'c', "config", "FILE", "the config (else "
	    "$SPILLWAY_CONFIG, ./config.json,\n"
	    "                        ~/.config/spillway/config.json)" },
	{ OPT_PORT, 'p', "port", "N", "listen on this port, whatever the "
	    "file says" },
	{ OPT_ADMIN, '\0', "admin-port", "N", "the dashboard's port, whatever "
	    "the file says" },
	{ OPT_RATE, 'r', "rate-limit", "N", "requests per minute for every "
	    "backend, whatever the file says" },
	{ OPT_TEST, 't', "test", NULL, "check the config, print what will "
	    "happen, and exit" },
	{ OPT_PROBE, '\0', "probe", NULL, "with -t: also connect to each "
	    "backend (no paid call)" },
	{ OPT_MODEL, '\0', "model", "M", "with -t: who would be tried for "
	    "this model, in order, and why" },
	{ OPT_KEY, '\0', "key", "NAME", "with -t: for a client with the "
	    "access key of this name" },
	{ OPT_HASH_KEY, '\0', "hash-key", NULL, "read a key on stdin, print "
	    "what may stand for it in the config" },
	{ OPT_DEMO, '\0', "demo", NULL, "no config, no key, no network: see "
	    "a failover now" },
	{ OPT_REFERENCE, '\0', "reference", NULL, "print the table of all "
	    "config keys (Markdown)" },
	{ OPT_VERSION, 'V', "version", NULL, "print the version" },
	{ OPT_HELP, 'h', "help", NULL, "print this" }
};
#define OPTIONS (sizeof options / sizeof *options)

static void
usage(void)
{
	const struct option *o;
	char word[40];
	size_t i;

	puts("usage: spillway [-c FILE] [-p PORT] [-t [--probe]] [--demo]\n\n"
	    "Stands between LLM clients and several providers and keeps "
	    "answers flowing.\n");
	for (i = 0; i < OPTIONS; i++) {
		o = &options[i];
		snprintf(word, sizeof word, "--%s%s%s", o->name,
		    o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "");
		if (o->brief != '\0')
			printf("  -%c, %-17s %s\n", o->brief, word, o->about);
		else
			printf("      %-17s %s\n", word, o->about);
	}
	puts("\nSignals: TERM, INT drain and end; HUP, USR2 reload the "
	    "config.");
}

static int
wrong(const char *what, const char *word)
{
	fprintf(stderr, "spillway: %s %s; see spillway --help\n", what, word);
	return 2;
}

/* The option that a word names; *value: what stands behind its '='. */
static const struct option *
option_find(const char *word, const char **value)
{
	const char *name = word + 1;
	size_t i, n;

	*value = NULL;
	if (*word != '-')
		return NULL;
	for (i = 0; i < OPTIONS; i++)
		if (options[i].brief != '\0' && name[0] == options[i].brief &&
		    name[1] == '\0')
			return &options[i];
	if (*name == '-')
		name++;
	n = strcspn(name, "=");
	for (i = 0; i < OPTIONS; i++)
		if (strlen(options[i].name) == n &&
		    memcmp(options[i].name, name, n) == 0) {
			*value = name[n] == '=' ? name + n + 1 : NULL;
			return &options[i];
		}
	return NULL;
}

static int
port_take(int *port, const char *value)
{
	uint64_t n;

	if (util_u64(str_of(value), 65535, &n) == -1 || n == 0)
		return wrong("a port is a number of 1 to 65535, not", value);
	*port = (int)n;
	return -1;
}

static int
rate_take(struct options *o, const char *value)
{
	uint64_t n;

	if (util_u64(str_of(value), 1000000, &n) == -1 || n == 0)
		return wrong("a rate limit is a number of 1 to 1000000, not",
		    value);
	o->flags.rate_limit = (int)n;
	return -1;
}

static int
option_take(struct options *o, const struct option *opt, const char *value,
    const char *version)
{
	switch (opt->id) {
	case OPT_CONFIG:
		o->file = value;
		return -1;
	case OPT_PORT:
		return port_take(&o->flags.port, value);
	case OPT_ADMIN:
		return port_take(&o->flags.admin_port, value);
	case OPT_RATE:
		return rate_take(o, value);
	case OPT_MODEL:
		o->model = value;
		return -1;
	case OPT_KEY:
		o->key = value;
		return -1;
	case OPT_HASH_KEY:
		o->hash_key = 1;
		return -1;
	case OPT_TEST:
		o->test = 1;
		return -1;
	case OPT_PROBE:
		o->probe = 1;
		return -1;
	case OPT_DEMO:
		o->demo = 1;
		return -1;
	case OPT_REFERENCE:
		o->reference = 1;
		return -1;
	case OPT_VERSION:
		printf("spillway %s\n", version);
		return 0;
	default:
		usage();
		return 0;
	}
}

int
options_parse(struct options *o, char **argv, const char *version)
{
	const struct option *opt;
	const char *value, *word;
	int i, rc;

	memset(o, 0, sizeof *o);
	o->flags.port = o->flags.admin_port = o->flags.rate_limit = -1;
	for (i = 1; (word = argv[i]) != NULL; i++) {
		if ((opt = option_find(word, &value)) == NULL)
			return wrong("unknown option", word);
		if (opt->value == NULL && value != NULL)
			return wrong("no value belongs to", word);
		if (opt->value != NULL && value == NULL &&
		    (value = argv[++i]) == NULL)
			return wrong("a value is missing after", word);
		rc = option_take(o, opt, value, version);
		if (rc != -1)
			return rc;
	}
	if ((o->model != NULL || o->key != NULL) && !o->test)
		return wrong("only with -t:", o->model != NULL ? "--model" :
		    "--key");
	return -1;
}
