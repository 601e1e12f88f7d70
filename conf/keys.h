#ifndef CONF_KEYS_H
#define CONF_KEYS_H

/*
 * The table of all keys: what they are called, take and mean, and where
 * their values go.  Parser, template and reference read it.
 */

#include "base/util.h"
#include "config.h"

#define CONF_KEYS_MAX	160	/* rows; keys.c checks it */

/*
 * What a key takes, and as what it is stored `off` bytes into its struct:
 * struct config_backend for "backends[].", config_route for "routes[].",
 * config_access_key for "access_keys[].", else struct config.  The number
 * of a choice is its place in `range`, and the enum's value.
 */
enum conf_kind {
	CONF_BACKENDS,	/* lists of objects, whose keys are rows of their */
	CONF_ROUTES,	/* own with "[]." in their paths */
	CONF_KEYS,
	CONF_SECTION,	/* object whose keys are rows of their own */
	CONF_SWITCH,	/* true or false: unsigned char */
	CONF_PORT,	/* uint16_t */
	CONF_WHOLE,	/* unsigned */
	CONF_ORDER,	/* int; null: -1 */
	CONF_SECONDS,	/* with decimals: uint64_t ms; null: UINT64_MAX */
	CONF_MEGABYTES,	/* uint64_t bytes */
	CONF_CHOICE,	/* an enum or int; null: -1 */
	CONF_DIALECT,	/* enum dialect; "anthropic" is "claude" */
	CONF_TEXT,	/* struct str; null: p NULL */
	CONF_SECRET,	/* the same; "@path" reads a file */
	CONF_STATUSES,	/* bits of fo_policy.on */
	CONF_PHRASES,	/* FO_TEXTS_MAX times struct str */
	CONF_ORIGINS,	/* allow_origins */
	CONF_MODELS,	/* list of patterns, or map of renames */
	CONF_HEADERS,	/* map of names to values */
	CONF_HEALTH,	/* a choice or a list of choices: bits of unsigned */
	CONF_DIGEST,	/* a secret of which only the SHA-256 is kept */
	CONF_NAMES,	/* names of backends; resolved at the end */
	CONF_PATTERNS,	/* models of an access key */
	CONF_HOSTS	/* web_admin.hosts */
};
#define CONF_LISTS 3	/* kinds of lists of objects; the first ones */

enum {
	CONF_ZERO = 1,		/* 0 (or "") means the default: cc-proxy */
	CONF_HIDE = 2,		/* not in the template */
	CONF_UNUSED = 4,	/* taken, checked, not stored; a note says so */
	CONF_EMPTY = 8,		/* a text that may be empty */
	CONF_MOOT = 32,		/* taken, checked, not stored, silently */
	CONF_FILL = 16		/* the template's sample is in force; those
				   of other optional keys are comments */
};

const struct config_key *conf_keys(size_t *n);

/*
 * The key called name in the object whose keys' paths begin with prefix
 * ("", "retry.", "backends[].timeouts."); NULL: none.
 */
const struct config_key *conf_key_find(const char *prefix, struct str name);

/* 1 if the key stands directly in the object with that prefix. */
int conf_key_in(const struct config_key *k, const char *prefix);

/* The last part of a key's path. */
const char *conf_key_name(const struct config_key *k);

/*
 * What an unknown name may have meant: a key of the same object spelt
 * nearly so, else a key of that very name elsewhere; NULL: no idea.
 */
const struct config_key *conf_key_near(const char *prefix, struct str name);

/* The number of a word in "a | b | c"; -1 if it is not there. */
int conf_choice(const char *range, struct str word);

/* The word of a number; an empty slice if there is none. */
struct str conf_choice_name(const char *range, int number);

/* The word spelt nearly so; an empty slice if none is near. */
struct str conf_choice_near(const char *range, struct str word);

/* The bounds of "1..65535"; -1 if the range is none of numbers. */
int conf_bounds(const char *range, double *low, double *high);

#endif
