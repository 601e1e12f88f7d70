#ifndef TESTS_SIM_SAID_H
#define TESTS_SIM_SAID_H

/*
 * The answers of providers, good and bad, and what a client may see of
 * each: from how many sent bytes on it may be let through at all, and from
 * how many on it may end as if it were whole.
 */

#include "tests/sim/world.h"

#define NEVER ((size_t)-1)

enum said_kind {
	REPLY_GOOD,
	REPLY_ERROR_LATE,	/* an error event in the midst of a stream */
	REPLY_RETURNED,		/* 4xx: the client's own fault */
	REPLY_STOP,		/* 500 with a text that stops */
	/* those that must never reach a client */
	REPLY_BAD,
	REPLY_429 = REPLY_BAD, REPLY_5XX, REPLY_RATE_TEXT,
	REPLY_ERROR_FIRST, REPLY_EMPTY, REPLY_HTML, REPLY_NO_START,
	REPLY_GARBAGE, REPLY_401, REPLY_BAD_INTERIM,
	/* it may be begun and must not end cleanly */
	REPLY_NO_STOP,
	REPLY_KINDS
};

/* What the provider does after `cut` bytes. */
enum said_end {
	END_KEEP, END_FIN, END_RESET, END_RESET_DROP, END_STALL,
	END_NOISE		/* what is no chunk */
};

struct said {
	enum said_kind kind;
	int status;
	struct bytes wire;
	struct bytes payload;
	size_t head_n;		/* of wire */
	size_t commit_from;	/* sent bytes; NEVER */
	size_t clean_from;
	size_t cut;		/* sent at most so many */
	enum said_end end;
	int close;		/* says that it closes */
	int until_close;	/* its end is the connection's */
	size_t edge;		/* an end of a chunk, 0: none */
	char mark[80];		/* the value of its x-prov */
};

struct request;
struct backend;

/* Makes an answer of a backend to a request, whole. */
void said_make(struct said *a, enum said_kind kind,
    const struct request *r, const struct backend *b);

/* Cuts it at a random place in a random way. */
void said_break(struct said *a);

/* 1 if a client that gets it must get it whole. */
int said_whole(const struct said *a);

const char *said_text(const struct said *a);

#endif
