#ifndef CONFIG_H
#define CONFIG_H

/*
 * One JSON file -> one checked, immutable, counted value.  Every key, its
 * type, range, default and sentence stand in one table (config_keys());
 * parsing, -t, the template and the README's reference come from it.
 * Reads files only through the callbacks in struct config_env.
 */

#include "base/buf.h"
#include "base/sha256.h"
#include "base/util.h"
#include "dialect/dialect.h"
#include "failover.h"

enum config_auth {
	AUTH_AUTO, AUTH_BEARER, AUTH_X_API_KEY, AUTH_X_GOOG_API_KEY,
	AUTH_BOTH, AUTH_PASSTHROUGH,
	AUTH_BY_PATH	/* x-api-key and anthropic-version on /v1/messages,
			   bearer elsewhere; in the variables' form alone */
};

/*
 * What a config was written as: Spillway's (and cc-proxy's) object,
 * auto-proxy's array, or llm-proxy's variables.  The last two keep the
 * statuses that those programs document (spec section 9, Forms).
 */
enum config_form { FORM_OWN, FORM_ARRAY, FORM_VARIABLES };

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
	unsigned char auth_auto;	/* 1: it was left to us */
	unsigned char enabled;		/* 0 or 1 */
	int priority;			/* under failover; config_priority() */
	unsigned weight;		/* 1 at least */
	unsigned requests_per_minute;	/* attempts; 0: no limit */
	unsigned max_concurrent;	/* 0: no limit */
	struct str model;		/* p NULL: none */
	struct config_model *models;	/* owned */
	size_t nmodels;
	struct str path_prefix;		/* p NULL: none; replaces /v1 */
	struct config_field *headers;	/* owned */
	size_t nheaders;
	struct str ca_file, address;	/* p NULL: none */
	unsigned char responses;	/* openai: 0: it has no /v1/responses */
	unsigned char old_max_tokens;	/* openai: 1: asked with max_tokens */
	unsigned char auto_cache;	/* claude: 1: cache_control is added to
					   translated requests */
	unsigned max_tokens;		/* of translated requests that name
					   none; 0: by the model */
	struct config_timeouts timeouts;
};

/* Which backends serve the models that fit a pattern. */
struct config_route {
	struct str model;		/* the pattern */
	size_t *backends;		/* owned; places in config.backends, in
					   the order of the route's list */
	size_t nbackends;		/* 1 at least, each once */
	enum fo_strategy strategy;	/* its own, else the config's */
};

/* What a client must show, and what it may then do. */
struct config_access_key {
	struct str name;		/* unique */
	unsigned char hash[SHA256_SIZE]; /* of the key, which is nowhere */
	size_t *backends;		/* owned; the only ones it may use */
	size_t nbackends;		/* 0: all */
	struct str *models;		/* owned; patterns: the only ones */
	size_t nmodels;			/* 0: all */
	unsigned requests_per_minute;	/* 0: no limit */
	struct {
		unsigned max;		/* in the window; 0: no limit */
		unsigned window_minutes;
	} tokens;
};

struct config_user_limits {
	unsigned char enabled;		/* 0 or 1 */
	struct str header;		/* that names the user */
	unsigned window_minutes, max_tokens;
};

struct config_health_check {
	unsigned char enabled;		/* 0 or 1 */
	uint64_t interval;		/* ms */
	struct str path;		/* begins with '/' */
};

/* cc-proxy's retry.timeout_seconds, if written: see spec section 9. */
struct config_retry {
	unsigned attempts;		/* 0: each backend */
	unsigned tries_per_backend;
	unsigned char no_pause;		/* 1: none before a second try */
	uint64_t timeout;		/* ms; 0: not written */
	unsigned budget_percent;	/* for struct failover */
};

struct config {
	struct str file;		/* where it came from, for messages */
	enum config_form form;
	struct str host;		/* a literal address, no brackets */
	uint16_t port;
	unsigned char port_given;	/* 1: by a flag, variable or the file */
	unsigned char open;		/* 0 or 1 */
	uint64_t drain_ms;
	struct str ca_file;		/* p NULL: the system's */
	struct str *allow_origins;
	size_t nallow_origins;
	enum fo_strategy strategy;
	struct config_backend *backends; /* in file order */
	size_t nbackends;
	int ranks;			/* the greatest priority written; 0 */
	struct config_route *routes;	/* the first that fits counts */
	size_t nroutes;
	struct config_access_key *access_keys;
	size_t naccess_keys;		/* 0: nobody is asked for one */
	struct config_user_limits user_limits;
	struct config_retry retry;
	struct config_timeouts timeouts;
	struct fo_policy failover;
	struct config_health_check health_check;
	struct {
		unsigned char strict;		/* 0 or 1, as the others */
		unsigned char streaming;
		unsigned char disconnect;
	} validation;
	struct {
		int level;		/* enum log_level */
		int types;		/* 0 all, 1 failed, 2 success */
		int color;		/* 0 auto, 1 always, 2 never */
		/* Of records: 0 none, 1 truncated, 2 full. */
		int request_body, response_body;
		struct str directory;	/* p NULL: no records */
		uint64_t max;		/* bytes of all record files */
	} logging;
	struct {
		unsigned char enabled;	/* 0 or 1 */
		struct str host;	/* a literal address, no brackets */
		uint16_t port;
		unsigned char port_given;	/* 1: by a flag or the file */
		struct str token;	/* p NULL: none */
		struct str *hosts;	/* owned: names it answers to; no
					   brackets */
		size_t nhosts;
	} web_admin;
	struct {
		unsigned char enabled;	/* 0 or 1 */
		struct str host;	/* as above */
		uint16_t port;
		unsigned char port_given;	/* ... or a variable */
	} metrics;
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
	int rate_limit;		/* requests_per_minute of every backend */
};

/*
 * Parses text (of the file called name in messages) with all of spec.md
 * section 3: JSON with comments and trailing commas, ${ENV} anywhere in a
 * string (unset: a fault; "$${" is a literal "${"), a whole-string "@path"
 * where a secret is expected (one trailing newline dropped), the bare array
 * of auto-proxy and cc-proxy's object.  Of ports: flag > PROXY_PORT and
 * METRICS_PORT > file > default.
 * All faults at once: each adds one line to faults,
 * "NAME:LINE: key.path: what is wrong; what would be right\n", in the order
 * of lines, the path left out where the text itself is broken, NAME:LINE
 * where it is a variable or flag; after 50 of them "NAME: and N more\n".
 * Unknown keys with "did you mean".  Things worth knowing that are no fault
 * (retry.max_attempts is unused ...) add lines to notes.
 * Returns the config with one reference, or NULL if there was a fault.
 */
struct config *config_parse(struct str text, const char *name,
    const struct config_env *env, const struct config_flags *flags,
    struct buf *faults, struct buf *notes);

/*
 * The same from llm-proxy's variables PROXY_URL, API_KEY, MY_ACCESS_KEY and
 * MAX_RETRIES (spec section 9, Forms), and PROXY_PORT and METRICS_PORT: one
 * backend called "upstream", one access key called "client".  An empty
 * variable counts as one that is not set.  Faults and notes begin with the
 * variable's name.
 */
struct config *config_from_env(const struct config_env *env,
    const struct config_flags *flags, struct buf *faults,
    struct buf *notes);

/*
 * Adds what stands for an access key in a config: "sha256:" and 64 hex
 * digits.  One line end at the end of line is no part of the key.  Returns
 * NULL; else nothing was added and it is what is wrong with the key
 * ("is shorter than ...").
 */
const char *config_hash_key(struct buf *out, struct str line);

struct config *config_ref(struct config *c);
void config_free(struct config *c);	/* drops one; secrets are wiped */

/*
 * Calls each(arg, secret) for every token, the dashboard's too, and every
 * secret header value.  Access keys are known by their digests alone.
 */
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
	/* What reads and writes it; conf/keys.h explains. */
	unsigned kind, flags;
	size_t off;
	const char *sample;
};
const struct config_key *config_keys(size_t *n);

/* Adds the key table as Markdown, for the README. */
void config_reference(struct buf *out);

/* ---- who may use what: conf/route.c ---- */

/*
 * The access key that a client showed; NULL: it is none of ours.  Takes the
 * same time wherever it stands and however much of it is right.
 */
const struct config_access_key *config_key_find(const struct config *c,
    struct str presented);

/*
 * 1 if the key may use the backend at that place of config.backends, or ask
 * for that model.  A request that names no model has "", which fits no list
 * of patterns but "*".  k NULL: 1, as for who is not asked for a key.
 */
int config_key_allows_backend(const struct config_access_key *k,
    size_t backend);
int config_key_allows_model(const struct config_access_key *k,
    struct str model);

/* The first route whose pattern fits the model; NULL: none. */
const struct config_route *config_route(const struct config *c,
    struct str model);

/* 1 if the route sends requests to that backend; r NULL: 1. */
int config_route_has(const struct config_route *r, size_t backend);

/*
 * 1 if the backend may serve that model name to that dialect: enabled is
 * not looked at.  Its `models` must match, if any; without `model` or
 * `models`, claude* only on claude, gpt-*, chatgpt-*, o<digit>* only on
 * openai, gemini* only on gemini; "any" serves everything.  Another dialect
 * than the client's fits where the request can be translated: generating
 * calls, and counts between Anthropic and Gemini.  *why: static text, when
 * 0.
 */
int config_fits(const struct config_backend *b, enum dialect client,
    enum dialect_op op, struct str model, const char **why);

/*
 * 1 if a request of that API and operation is translated for the backend;
 * what has no translation is not.
 */
int config_translates(const struct config_backend *b, enum dialect client,
    enum dialect_op op);

/*
 * All of the above: 1 if a client with key k may be served by that backend
 * under route r.  Every way to a backend passes here; there is none around
 * a key's lists.  *why as above.
 */
int config_candidate(const struct config *c,
    const struct config_access_key *k, const struct config_route *r,
    size_t backend, enum dialect client, enum dialect_op op,
    struct str model, const char **why);

/*
 * The rank of a backend, lower first: under failover backends without
 * `priority` follow one by one in the order of the list, behind all others;
 * under the other strategies they are one group there.
 */
int config_priority(const struct config *c, const struct config_backend *b,
    enum fo_strategy strategy);

/*
 * The name of a model for figures, of which there must not be ever more: a
 * model that the config names is itself; else the first pattern of the
 * config that it fits, else "other"; "" is "none".
 */
struct str config_model_label(const struct config *c, struct str model);

/*
 * The name that the backend is to see for that model: `model`, or what
 * `models` maps it to, else model itself.
 */
struct str config_model_for(const struct config_backend *b,
    struct str model);

#endif
