#ifndef CONFIG_H
#define CONFIG_H

/*
 * One JSON file -> one checked, immutable, counted value.  Every key, its
 * type, range, default and sentence stand in one table (config_keys());
 * parsing, -t, the template and the README's reference come from it.
 * Reads files only through the callbacks in struct config_env.
 */

#include "base/buf.h"
#include "base/util.h"
#include "dialect/dialect.h"
#include "failover.h"

enum config_strategy {
	STRATEGY_FAILOVER, STRATEGY_ROUND_ROBIN, STRATEGY_WEIGHTED_RANDOM,
	STRATEGY_LEAST_CONNECTIONS, STRATEGY_STICKY
};

enum config_auth {
	AUTH_AUTO, AUTH_BEARER, AUTH_X_API_KEY, AUTH_X_GOOG_API_KEY,
	AUTH_BOTH, AUTH_PASSTHROUGH
};

/* Milliseconds; 0 where it says so means none. */
struct config_timeouts {
	uint64_t connect;	/* resolve + TCP + TLS */
	uint64_t first_byte;	/* streams: request sent to end of head */
	uint64_t response;	/* plain: connect to end of head */
	uint64_t idle;		/* between bytes, and head to commit */
	uint64_t total;		/* 0: none */
};

struct config_field {
	struct str name, value;
};

/* A pattern of `models`, and what it becomes ("" p NULL: unchanged). */
struct config_model {
	struct str pattern, to;
};

struct config_backend {
	struct str name;
	struct str base_url;
	struct http_url url;		/* of base_url; slices into it */
	struct str token;
	enum dialect api;		/* claude, openai, gemini, any */
	enum config_auth auth;		/* never AUTH_AUTO: resolved */
	unsigned char enabled;		/* 0 or 1 */
	int priority;			/* resolved: list order if none given */
	unsigned weight;
	struct str model;		/* p NULL: none */
	struct config_model *models;	/* owned */
	size_t nmodels;
	struct str path_prefix;		/* p NULL: none; replaces /v1 */
	struct config_field *headers;	/* owned */
	size_t nheaders;
	struct str ca_file, address;	/* p NULL: none */
	struct config_timeouts timeouts;
};

/* cc-proxy's retry.timeout_seconds, if written: see spec section 9. */
struct config_retry {
	unsigned attempts;		/* 0: each backend */
	unsigned tries_per_backend;
	uint64_t timeout;		/* ms; 0: not written */
};

struct config {
	struct str file;		/* where it came from, for messages */
	struct str host;		/* a literal address, no brackets */
	uint16_t port;
	unsigned char port_given;	/* 1: by a flag, variable or the file */
	unsigned char open;		/* 0 or 1 */
	uint64_t drain_ms;
	struct str ca_file;		/* p NULL: the system's */
	struct str *allow_origins;
	size_t nallow_origins;
	enum config_strategy strategy;
	struct config_backend *backends; /* in file order */
	size_t nbackends;
	struct config_retry retry;
	struct config_timeouts timeouts;
	struct fo_policy failover;
	struct {
		int level;		/* enum log_level */
		int types;		/* 0 all, 1 failed, 2 success */
		int color;		/* 0 auto, 1 always, 2 never */
	} logging;
	struct {
		uint64_t body;		/* bytes */
		unsigned connections;
		uint64_t memory;	/* bytes */
	} limits;
	unsigned refs;
	struct config_pool *pool;	/* owned: every string lives there */
};

/* What the world gives to the parser; all borrowed. */
struct config_env {
	const char *(*getenv)(void *arg, const char *name);
	/* Adds a file's bytes to out; 0, or -1 with a sentence in *why. */
	int (*read_file)(void *arg, const char *path, struct buf *out,
	    const char **why);
	void *arg;
};

/* What command-line flags say; -1 / 0: not given. */
struct config_flags {
	int port, admin_port;
};

/*
 * Parses text (of the file called name in messages) with all of spec.md
 * section 3: JSON with comments and trailing commas, ${ENV} anywhere in a
 * string (unset: a fault; "$${" is a literal "${"), a whole-string "@path"
 * where a secret is expected (one trailing newline dropped), the bare array
 * and cc-proxy's object.  Flag > PROXY_PORT > file > default.
 * All faults at once: each adds one line to faults,
 * "NAME:LINE: key.path: what is wrong; what would be right\n", in the order
 * of lines, the path left out where the text itself is broken, NAME:LINE
 * where it is a variable or flag; after 50 of them "NAME: and N more\n".
 * Unknown keys with "did you mean".  A key whose feature this version
 * lacks and that is set to something else than its default is a fault that
 * ends in "not in this version yet".  Things worth knowing that are no fault
 * (retry.max_attempts is unused ...) add lines to notes.
 * Returns the config with one reference, or NULL if there was a fault.
 */
struct config *config_parse(struct str text, const char *name,
    const struct config_env *env, const struct config_flags *flags,
    struct buf *faults, struct buf *notes);

struct config *config_ref(struct config *c);
void config_free(struct config *c);	/* drops one; secrets are wiped */

/* Calls each(arg, secret) for every token, key and secret header value. */
void config_secrets(const struct config *c,
    void (*each)(void *arg, struct str secret), void *arg);

/*
 * Adds the resolved config as -t prints it: what will happen; no secret.
 * Tokens are masked; one of 8 bytes or more is masked even where it stands
 * in another key.
 */
void config_describe(const struct config *c, struct buf *out);

/* Adds the commented template that is written when there is no file. */
void config_template(struct buf *out);

/* One row of the key table. */
struct config_key {
	const char *path;	/* "backends[].token" */
	const char *type;	/* as the reference names it */
	const char *range;	/* "1..65535", "claude | openai | gemini" */
	const char *def;	/* the default as JSON text */
	const char *about;	/* one sentence */
	unsigned later:1;	/* accepted at its default only */
	/* What reads and writes it; conf/keys.h explains. */
	unsigned kind, flags;
	size_t off;
	const char *sample;
};
const struct config_key *config_keys(size_t *n);

/* Adds the key table as Markdown, for the README. */
void config_reference(struct buf *out);

/* ---- which backends fit a request (spec 4.4) ---- */

/*
 * 1 if the backend may serve that model name to that dialect: enabled is
 * not looked at.  Its `models` must match, if any; without `model` or
 * `models`, claude* only on claude, gpt-*, chatgpt-*, o<digit>* only on
 * openai, gemini* only on gemini; "any" serves everything.  Another dialect
 * than the client's: 0 with a reason ("speaks openai ..., not in this
 * version yet").  *why: static text, when 0.
 */
int config_fits(const struct config_backend *b, enum dialect client,
    struct str model, const char **why);

/*
 * The name that the backend is to see for that model: `model`, or what
 * `models` maps it to, else model itself.
 */
struct str config_model_for(const struct config_backend *b,
    struct str model);

#endif
