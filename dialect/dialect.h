#ifndef DIALECT_DIALECT_H
#define DIALECT_DIALECT_H

/*
 * What the bytes mean: which API a request speaks, what an answer and each
 * of its events say (content, error, end, usage), and how Spillway's own
 * errors look in that API.  Pure.  One file and one row of the table for
 * each API: anthropic, openai (chat), responses (OpenAI's), gemini.
 */

#include "base/buf.h"
#include "base/util.h"
#include "dialect/sse.h"
#include "http.h"

/* The API, and also a backend's api_type ("claude" is DIALECT_ANTHROPIC). */
enum dialect {
	DIALECT_ANTHROPIC, DIALECT_OPENAI, DIALECT_GEMINI, DIALECT_ANY
};

/* What a request asks for. */
enum dialect_op {
	OP_OTHER,	/* forwarded as it is, body not read */
	OP_GENERATE,	/* messages, chat completions, generateContent */
	OP_RESPONSES,	/* /v1/responses */
	OP_COUNT,	/* count_tokens, countTokens */
	OP_MODELS,	/* the list of models */
	OP_MODEL,	/* one of them */
	OP_LEGACY	/* /v1/completions, embeddings: a body with a model */
};

struct dialect_call {
	enum dialect dialect;
	enum dialect_op op;
	unsigned stream:1;	/* as far as the path tells (Gemini) */
	unsigned json_array:1;	/* Gemini stream without alt=sse */
	struct str model;	/* in the path (Gemini); "" if in the body */
};

/*
 * Tells what a request is (spec 4.1): path first, then headers.
 * /v1/messages[...]: Anthropic; /v1/chat/completions, /v1/responses and
 * other /v1/ paths: OpenAI, but Anthropic if anthropic-version is there,
 * and Gemini for /v1/models when x-goog-api-key or ?key= is; /v1beta/ and
 * /v1alpha/ and ":generateContent", ":streamGenerateContent", ":countTokens"
 * anywhere: Gemini.  /v1/v1/x is taken as /v1/x.  The paths that have a
 * meaning here have it behind any prefix, and without their version too.
 * Other paths: by headers (anthropic-version or x-api-key: Anthropic;
 * x-goog-api-key: Gemini; else OpenAI), OP_OTHER.
 * Only POST generates; c->model points into h.
 */
void dialect_detect(struct dialect_call *c, const struct http_head *h);

/* "anthropic", "openai", "gemini", "any" */
const char *dialect_name(enum dialect d);

/* The classes of errors that we make ourselves. */
enum dialect_error {
	DE_INVALID,		/* 400 413 414 431 501 505 */
	DE_AUTH,		/* 401 */
	DE_PERMISSION,		/* 403 */
	DE_NOT_FOUND,		/* 404 */
	DE_RATE_LIMIT,		/* 429 */
	DE_OVERLOADED,		/* 503, 529 */
	DE_API			/* 500 502 504 */
};

/* The class that belongs to a status of ours. */
enum dialect_error dialect_error_of(int status);

/*
 * Adds the JSON body of an error with that status and message, as the API
 * would write it.  op matters for nothing but streams of the Responses API.
 */
int dialect_error_body(struct buf *out, enum dialect d, int status,
    struct str message, struct str request_id);

/*
 * Adds what tells a client in the midst of a stream that it broke: an
 * `event: error` block (Anthropic), a data: chunk with an error (OpenAI,
 * Gemini), an error event (Responses).
 */
int dialect_error_event(struct buf *out, const struct dialect_call *c,
    int status, struct str message);

/* Tokens as the provider counted them; -1: not told. */
struct dialect_usage {
	int64_t input;		/* without cached ones */
	int64_t output;		/* with reasoning */
	int64_t cache_read, cache_write, reasoning;
};

/* What one event, or a whole plain answer, says. */
enum dialect_sign {
	SIGN_NOISE,	/* ping, comment, start, role: nothing yet */
	SIGN_CONTENT,	/* the first or a further piece of an answer */
	SIGN_ERROR,	/* the provider reports a failure */
	SIGN_END,	/* the last event: message_stop, [DONE], ... */
	SIGN_INVALID	/* not what this API can send */
};

/*
 * What is known of one answer so far.  Owned by the caller, a plain value.
 * stop_reason is copied (cut to fit).
 */
struct dialect_watch {
	enum dialect dialect;
	enum dialect_op op;
	struct dialect_usage usage;
	char stop_reason[32];
	unsigned content:1;	/* some content was seen */
	unsigned stopped:1;	/* a stop reason was seen */
	unsigned ended:1;	/* the terminal event was seen */
};

/* Starts for an answer of an API (a backend's own) to an operation. */
void dialect_watch_start(struct dialect_watch *w, enum dialect d,
    enum dialect_op op);

/*
 * Judges one event and notes usage and stop reason.  Rules:
 * Anthropic: by the data's "type" (the event: line if data has none);
 * message_start, ping and empty content_block_start: noise;
 * content_block_start of a tool_use or any block that carries something,
 * and each delta: content; a message_delta with a stop_reason: content (a
 * complete answer without content is good); error: error; message_stop: end.
 * OpenAI chat: a chunk whose deltas hold only a role or nothing: noise;
 * content, refusal, reasoning, tool_calls, function_call or a finish_reason:
 * content; top-level "error": error; [DONE]: end.
 * Responses: response.created/in_progress/queued: noise; *.delta,
 * output_item.added of a function call, response.completed/incomplete:
 * content (the last two also stop and end); response.failed, error: error.
 * Gemini: a candidate with parts or finishReason, or promptFeedback with a
 * blockReason: content; "error": error; the stream ends by its end.
 * Data that is not JSON (but [DONE]) is SIGN_INVALID; unknown types: noise.
 * For OP_OTHER and OP_LEGACY every event with data is content.
 */
enum dialect_sign dialect_event(struct dialect_watch *w,
    const struct sse_event *e);

/*
 * Instead of dialect_event(), for what is known to be a further piece of
 * content: notes its usage, an object or "".
 */
void dialect_piece(struct dialect_watch *w, struct str usage);

/*
 * Judges a complete plain 2xx body of a generating call: SIGN_CONTENT,
 * SIGN_ERROR (an error object under status 200) or SIGN_INVALID (empty, not
 * JSON: HTML above all).  Notes usage and stop reason.
 */
enum dialect_sign dialect_answer(struct dialect_watch *w, struct str body);

/*
 * 1 if a stream that ended here is complete: a terminal event, or a stop
 * reason (clients.md: providers leave the terminal event out).
 */
int dialect_complete(const struct dialect_watch *w);

/*
 * Finds in an error body (or error event data) of any API the message, the
 * type or status word, and Google's reason; "" where absent.  Slices are
 * raw JSON strings without quotes, still escaped.
 */
struct dialect_fault {
	struct str type, message, reason;
};
void dialect_fault(struct dialect_fault *f, struct str body);

#endif
