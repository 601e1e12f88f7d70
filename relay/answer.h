#ifndef RELAY_ANSWER_H
#define RELAY_ANSWER_H

/*
 * What came back from one attempt: held back until it is known to be good,
 * judged, and watched after the commit for usage and completeness.  Does no
 * I/O; exchange feeds it and does what it says.
 */

#include "base/buf.h"
#include "dialect/dialect.h"
#include "dialect/validate.h"
#include "failover.h"
#include "http.h"

#define ANSWER_HELD_MAX (1u << 20)	/* bytes held before the commit */
#define ANSWER_PIECE_MAX (128u << 10)	/* one call of answer_body() */
#define ANSWER_TAIL_MAX (4u << 20)	/* of one event after it */

enum answer_kind {
	ANSWER_OPAQUE,		/* nothing in it is read */
	ANSWER_PLAIN,		/* one JSON document */
	ANSWER_STREAM,		/* server-sent events */
	ANSWER_ARRAY,		/* Gemini's JSON array of events */
	ANSWER_ERROR		/* an error: its body decides too */
};

enum answer_step {
	ANSWER_HOLD,		/* not decided: more is needed */
	ANSWER_GOOD,		/* commit: what is held, then all that comes */
	ANSWER_BAD,		/* fault tells; before the commit */
	ANSWER_JUDGE		/* an error answer, as far as needed */
};

struct answer {
	enum answer_kind kind;
	int status;
	enum dialect_op op;
	unsigned wanted_stream:1;	/* the request asked for a stream */
	unsigned unpacked:1;		/* the owner undoes its coding */
	unsigned sealed:1;		/* in a coding that nobody undoes */
	unsigned whole:1;		/* held back until it is complete */
	unsigned wary:1;		/* ... if it stops as it begins */
	unsigned committed:1;
	unsigned sniffed:1;		/* the first bytes were looked at */
	unsigned blind:1;		/* too large to be read on */
	unsigned complete:1;		/* all of the body is there */
	unsigned error_seen:1;		/* an error event after the commit */
	unsigned quoted:1;		/* in a JSON string ... */
	unsigned escaped:1;		/* ... after a backslash */
	uint64_t depth;		/* of JSON that is let through unread */
	size_t most;		/* bytes that are held back */
	struct buf held;	/* before the commit all, later one event */
	size_t scanned;		/* bytes of held in events already judged;
				   blanks, until its kind is known */
	struct sse sse;
	struct dialect_watch watch;
	struct validate valid;	/* of a stream */
	unsigned checks:1;	/* its events are validated */
	unsigned strict:1;	/* in full form, plain answers too */
	unsigned lax:1;		/* what is wrong is only told */
	unsigned invalid:1;	/* a fault was found; note tells */
	size_t good;		/* of the last piece after the commit: bytes
				   before the fault */
	size_t error, error_n;	/* where in held an error event's data is */
	enum fo_fault fault;
	char note[200];		/* what the provider said of a fault */
	uint64_t bytes;		/* payload so far */
};

/* For an answer of an API (the backend's) to a call. */
void answer_start(struct answer *a, const struct dialect_call *call,
    enum dialect api, int stream);

/*
 * After answer_start(): nothing is decided before the answer is complete,
 * and one of more than most bytes is a fault.
 */
void answer_hold(struct answer *a, size_t most);

/*
 * The same for a stream whose content begins with its stop reason: its end
 * may tell that it is no answer (Gemini's MALFORMED_FUNCTION_CALL).
 */
void answer_doubt(struct answer *a);
void answer_free(struct answer *a);

/*
 * After answer_start(): the answer is validated as dialect/validate.h says.
 * A fault before the commit is FO_INVALID_FAULT; after it sets invalid.
 * strict: plain answers too; streams: those; lax: faults are only told.
 */
void answer_check(struct answer *a, int strict, int streams, int lax);

/* 1 if a fault was found that ends the answer. */
int answer_is_invalid(const struct answer *a);

/*
 * 1 if the body of that answer has to be read: before answer_head(), to
 * know whether it must be unpacked.
 */
int answer_reads(const struct answer *a, const struct http_head *h,
    int moves_on, int head_only);

/*
 * The head came.  moves_on: the status alone is a failure by the policy.
 * GOOD (nothing needs to be read) or HOLD.
 */
enum answer_step answer_head(struct answer *a, const struct http_head *h,
    int moves_on, int head_only);

/*
 * More payload.  Before the commit it is held.  After it only looked at,
 * and the result means nothing.
 */
enum answer_step answer_body(struct answer *a, struct str data);

/* The body is complete.  After the commit: BAD if it ended too early. */
enum answer_step answer_done(struct answer *a);

/*
 * After BAD with FO_ERROR_EVENT_FAULT: it is an error answer from now on,
 * and what is held is the body of it.
 */
void answer_to_error(struct answer *a);

/* The bytes to be sent at the commit; answer_committed() then lets go. */
struct str answer_held(const struct answer *a);
void answer_committed(struct answer *a);

/*
 * Notes the message of an error body or event for the log: one line, cut,
 * unescaped where it is plain.
 */
void answer_note(struct answer *a, struct str body);

#endif
