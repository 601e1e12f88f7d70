#ifndef RELAY_REPLY_H
#define RELAY_REPLY_H

/*
 * What the client is told: the head of an answer, made of the upstream's or
 * of our own; its bytes, as they are or translated; and how it ends.  Part
 * of one exchange.  Decides nothing: exchange says when.
 */

#include "base/buf.h"
#include "dialect/dialect.h"
#include "dialect/translate.h"
#include "http.h"
#include "net/loop.h"
#include "relay/answer.h"

#define REPLY_FIELDS_MAX (2 * HTTP_HEAD_MAX)
#define REPLY_OUT_MAX	(TRANSLATE_ANSWER_MAX + (1u << 20)) /* at once */
#define REPLY_PING_MS	15000	/* of silence in a translated stream */

/* How an answer reaches whoever asked.  All but backlog may end in end. */
struct reply_ops {
	/*
	 * The answer begins.  fields: complete lines, without framing and
	 * connection fields; length: of the body, -1: not known yet.
	 */
	void (*start)(void *arg, int status, struct str fields,
	    int64_t length);
	void (*data)(void *arg, struct str data);
	/* Before start: the connection ends with this answer. */
	void (*last)(void *arg);
	/* All that one wake-up brought was given: send it. */
	void (*flush)(void *arg);
	/*
	 * The answer is over and the exchange may be freed; cut: it broke
	 * off, and the client must see that.
	 */
	void (*end)(void *arg, int cut);
	/* Bytes given that the client has not taken. */
	size_t (*backlog)(void *arg);
};

/* What we add to every head. */
struct reply_own {
	struct str id;			/* of the request */
	struct str backend;		/* that answers; "": we do */
	unsigned attempts;
};

struct reply {
	const struct reply_ops *ops;
	void *arg;
	struct loop *loop;		/* borrowed */
	const struct dialect_call *call; /* borrowed: the client's */
	struct translate *tr;		/* owned; NULL: bytes pass as they
					   are */
	struct buf fields;		/* of the upstream's answer */
	struct buf type;		/* its Content-Type */
	struct buf retry;		/* its Retry-After */
	struct buf out;			/* translated, for the client */
	struct timer ping;
	uint64_t told_at;		/* ms: when data was last given */
	int64_t length;			/* of the body, -1: not known */
	int status;			/* that the client was told */
	unsigned stream:1;		/* the client wants one */
	unsigned plain:1;		/* ... and gets one made of a whole
					   answer, or a whole one */
	unsigned committed:1;
};

/* call must live as long as r, and may be filled later. */
void reply_init(struct reply *r, const struct reply_ops *ops, void *arg,
    struct loop *loop, const struct dialect_call *call);
void reply_free(struct reply *r);

/* No more timers: the exchange is over. */
void reply_stop(struct reply *r);

/*
 * A new attempt begins: what is left of the last one goes.  tr: ownership
 * passes; NULL: the upstream speaks the client's language.
 */
void reply_attempt(struct reply *r, struct translate *tr, int stream);

/*
 * Keeps what the client is to have of the upstream's head.  unpacked: its
 * coding is undone on the way; head_only: the request was a HEAD.
 */
void reply_head(struct reply *r, const struct http_head *h, int head_only,
    int unpacked);

/*
 * Makes the head, and translates what a holds back: the last step before the
 * answer is the client's.  Sends nothing.  0; -1: out of memory; 1: it
 * cannot be translated, as it is not what its API may send.
 */
int reply_make(struct reply *r, const struct answer *a,
    const struct reply_own *own);

/*
 * The answer is the client's from here on: sends the head that was made and
 * what a holds back.
 */
void reply_commit(struct reply *r, const struct answer *a);

/*
 * More of the answer, after the commit.  0; -1: translated, it turned out to
 * end in an error, and the client was told.
 */
int reply_data(struct reply *r, struct str data);

/*
 * All of the answer was given.  0; -1: translated, it turned out to end
 * before its time, or in an error, and the client was told.
 */
int reply_done(struct reply *r);

/*
 * After the commit: what tells the client that the answer broke off, as far
 * as its kind knows such a thing.
 */
void reply_broken(struct reply *r, const struct answer *a,
    const char *why);

/*
 * An answer of our own in place of one: an error with status and sentence.
 * retry_ms: for Retry-After, 0: none.
 */
void reply_error(struct reply *r, int status, const char *message,
    uint64_t retry_ms, const struct reply_own *own);

/* A 400 because the request cannot be translated. */
void reply_refuse(struct reply *r, const struct msg_fault *f,
    const struct reply_own *own);

/* A JSON document of our own, under 200. */
void reply_json(struct reply *r, struct str json,
    const struct reply_own *own);

/* Our estimate of a request's tokens, marked as one (spec section 6). */
void reply_estimate(struct reply *r, int64_t tokens,
    const struct reply_own *own);

#endif
