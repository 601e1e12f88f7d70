#ifndef DIALECT_JUDGE_H
#define DIALECT_JUDGE_H

/*
 * How the judges of answers (judge_anthropic, judge_openai, judge_gemini)
 * read an event: in one pass, by tables that name the members they look at.
 * Functions that judge return NULL, or in a few words what is wrong.  Pure;
 * no memory is taken.
 */

#include "base/util.h"
#include "dialect/dialect.h"
#include "json.h"

#define JUDGE_CHOICES 128	/* OpenAI's maximum of n */
#define JUDGE_SLOTS 32		/* values that one table can ask for */

/* What is known of one answer; see dialect/validate.h. */
struct validate {
	enum dialect dialect;
	enum dialect_op op;
	const char *fault;	/* the first violation; NULL: none so far */
	unsigned strict:1;
	unsigned started:1;	/* message_start, or the first chunk, came */
	unsigned stopped:1;	/* a stop reason came */
	unsigned ended:1;	/* the terminal event came */
	unsigned failed:1;	/* the provider reported an error */
	unsigned open:1;	/* a block is open */
	unsigned sealed:1;	/* its signature came */
	unsigned grown:1;	/* it had a delta */
	unsigned blocked:1;	/* the prompt was */
	unsigned counted:1;	/* a chunk with nothing but usage came */
	unsigned quiet:1;	/* see validate_event() */
	struct str usage;	/* of a quiet event; "" if it has none */
	unsigned kind;		/* of the block; OpenAI: choice in hand */
	uint64_t next;		/* the least index of the next block */
	unsigned calls;		/* blocks that are calls */
	uint64_t id, created;	/* hashes of what all chunks share */
	uint64_t seen[JUDGE_CHOICES / 64];	/* choices, candidates */
	uint64_t finished[JUDGE_CHOICES / 64];
	unsigned short tools[JUDGE_CHOICES];	/* calls of a choice */
};

/* The elements of an array, which all have to be objects. */
struct judge_list {
	const struct judge_field *fields;
	const char *(*check)(struct validate *v,
	    const struct json_value *values, unsigned members);
	const char *other;	/* what an element of another type is */
};

/*
 * A member that is looked at.  Its value goes into a slot (JSON_END: it is
 * absent); count says how many members or elements it has where they are
 * looked at too, and raw is set where not.  A name of NULL ends a table.
 */
struct judge_field {
	const char *name;
	unsigned slot;
	const struct judge_field *inside;	/* if it is an object */
	const struct judge_list *each;		/* if it is an array */
};

/* A text that has to be one object, into JUDGE_SLOTS values. */
const char *judge_object(struct validate *v, struct str text,
    const struct judge_field *f, struct json_value *values);

/* A text that has to be one array; *count: its elements. */
const char *judge_list(struct validate *v, struct str text,
    const struct judge_list *l, unsigned *count);

/* The inside of a string, still escaped; "" if it is none. */
struct str judge_text(const struct json_value *v);

/* 1 if it is absent or null; the second: or of that type. */
int judge_absent(const struct json_value *v);
int judge_optional(const struct json_value *v, enum json_type type);

/* An index: a whole number.  -1 if it is none. */
int judge_index(const struct json_value *v, uint64_t *index);

/* 1 if a container that was not looked into is empty. */
int judge_empty(const struct json_value *v);

/* 1 if it reports an error: an object or some words. */
int judge_error(const struct json_value *v);

/* 1 if s is one of the n words. */
int judge_among(struct str s, const char *const *words, size_t n);

/* The choice of an index, 0 if it has none; -1: out of range. */
int judge_choice(const struct json_value *index);

/* Sets of choices. */
int judge_is(const uint64_t *set, int choice);
void judge_set(uint64_t *set, int choice);

/* 1 if there were choices, and all are finished. */
int judge_finished(const struct validate *v);

#endif
