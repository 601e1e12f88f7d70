#include "dialect/dialect.h"

#include <stdio.h>
#include <string.h>

#include "dialect/anthropic.h"
#include "dialect/gemini.h"
#include "dialect/openai.h"
#include "dialect/responses.h"
#include "json.h"

/* A sum of a few of these stays far below INT64_MAX. */
#define COUNT_MAX ((uint64_t)1 << 53)

/* The counters that a usage object may have. */
enum { COUNT_IN, COUNT_IN2, COUNT_OUT, COUNT_READ, COUNT_WRITE, COUNT_THINK,
	COUNTS };

/* Where one is: its name, and the object inside usage that it stands in. */
struct count {
	const char *group, *name;	/* group NULL: in usage itself */
};

/* An API: its functions, and the ways it differs in. */
struct api {
	const char *name;
	int (*error_body)(struct buf *, int, struct str, struct str);
	int (*error_event)(struct buf *, const struct dialect_call *, int,
	    struct str);
	enum dialect_sign (*event)(struct str, struct str, struct str *,
	    struct str *);
	enum dialect_sign (*answer)(struct str, struct str *, struct str *);
	struct count counts[COUNTS];	/* name NULL: it has none */
	unsigned in_has_cache:1;	/* input counts cached tokens too */
	unsigned out_lacks_think:1;	/* output leaves reasoning out */
	unsigned done:1;		/* [DONE] is the last event */
};

/* In the order of enum dialect; Responses is an operation of OpenAI's. */
enum { RESPONSES = DIALECT_ANY };

static const struct api apis[] = {
	[DIALECT_ANTHROPIC] = {
		"anthropic", anthropic_error_body, anthropic_error_event,
		anthropic_event, anthropic_answer,
		{
			[COUNT_IN] = { NULL, "input_tokens" },
			[COUNT_OUT] = { NULL, "output_tokens" },
			[COUNT_READ] = { NULL, "cache_read_input_tokens" },
			[COUNT_WRITE] = { NULL,
			    "cache_creation_input_tokens" },
			[COUNT_THINK] = { "output_tokens_details",
			    "thinking_tokens" }
		}, 0, 0, 0
	},
	[DIALECT_OPENAI] = {
		"openai", openai_error_body, openai_error_event,
		openai_event, openai_answer,
		{
			[COUNT_IN] = { NULL, "prompt_tokens" },
			[COUNT_OUT] = { NULL, "completion_tokens" },
			[COUNT_READ] = { "prompt_tokens_details",
			    "cached_tokens" },
			[COUNT_WRITE] = { "prompt_tokens_details",
			    "cache_write_tokens" },
			[COUNT_THINK] = { "completion_tokens_details",
			    "reasoning_tokens" }
		}, 1, 0, 1
	},
	[DIALECT_GEMINI] = {
		"gemini", gemini_error_body, gemini_error_event,
		gemini_event, gemini_answer,
		{
			[COUNT_IN] = { NULL, "promptTokenCount" },
			[COUNT_IN2] = { NULL, "toolUsePromptTokenCount" },
			[COUNT_OUT] = { NULL, "candidatesTokenCount" },
			[COUNT_READ] = { NULL, "cachedContentTokenCount" },
			[COUNT_THINK] = { NULL, "thoughtsTokenCount" }
		}, 1, 1, 0
	},
	[RESPONSES] = {
		"openai", responses_error_body, responses_error_event,
		responses_event, responses_answer,
		{
			[COUNT_IN] = { NULL, "input_tokens" },
			[COUNT_OUT] = { NULL, "output_tokens" },
			[COUNT_READ] = { "input_tokens_details",
			    "cached_tokens" },
			[COUNT_WRITE] = { "input_tokens_details",
			    "cache_write_tokens" },
			[COUNT_THINK] = { "output_tokens_details",
			    "reasoning_tokens" }
		}, 1, 0, 0
	}
};

/* Most speak OpenAI's language, so that is what an unknown API is taken for. */
static const struct api *
api_of(enum dialect d, enum dialect_op op)
{
	if (d == DIALECT_OPENAI && op == OP_RESPONSES)
		return &apis[RESPONSES];
	return &apis[d == DIALECT_ANY ? DIALECT_OPENAI : d];
}

const char *
dialect_name(enum dialect d)
{
	return d == DIALECT_ANY ? "any" : apis[d].name;
}

/*
 * ---- What a request is ----
 */

/* Paths below /v1/ whose form is known: one or two segments. */
static const struct {
	const char *first, *second;
	enum dialect dialect;
	enum dialect_op op;		/* of a POST */
} paths[] = {
	{ "messages", "", DIALECT_ANTHROPIC, OP_GENERATE },
	{ "messages", "count_tokens", DIALECT_ANTHROPIC, OP_COUNT },
	{ "chat", "completions", DIALECT_OPENAI, OP_GENERATE },
	{ "responses", "", DIALECT_OPENAI, OP_RESPONSES },
	{ "completions", "", DIALECT_OPENAI, OP_LEGACY },
	{ "embeddings", "", DIALECT_OPENAI, OP_LEGACY }
};

/* Methods of Gemini's, which stand behind the model. */
static const struct {
	const char *suffix;
	enum dialect_op op;
	unsigned stream;
} methods[] = {
	{ ":generateContent", OP_GENERATE, 0 },
	{ ":streamGenerateContent", OP_GENERATE, 1 },
	{ ":countTokens", OP_COUNT, 0 }
};

#define SEGMENTS 4

/* A path in its segments; those that are not there are empty. */
struct route {
	struct str seg[SEGMENTS];
	struct str last;
	unsigned n;			/* may exceed SEGMENTS */
};

/* Empty segments do not count, nor does a repeated v1 at the start. */
static void
split(struct route *r, struct str path)
{
	const char *slash;
	struct str s;

	memset(r, 0, sizeof *r);
	while (path.n > 0) {
		slash = memchr(path.p, '/', path.n);
		s = str_n(path.p, slash ? (size_t)(slash - path.p) : path.n);
		path.p += s.n + (slash != NULL);
		path.n -= s.n + (slash != NULL);
		if (s.n == 0 || (r->n == 1 && str_is(s, "v1") &&
		    str_is(r->seg[0], "v1")))
			continue;
		if (r->n < SEGMENTS)
			r->seg[r->n] = s;
		r->last = s;
		r->n++;
	}
}

static int
is_version(struct str segment)
{
	return str_is(segment, "v1") || str_is(segment, "v1beta") ||
	    str_is(segment, "v1alpha");
}

static int
has(const struct http_head *h, enum http_id id)
{
	return http_get(h, id).p != NULL;
}

/* The model in models/M or models/M:method; empty if the path has none. */
static struct str
path_model(const struct route *r, int suffixed)
{
	size_t n = r->last.n;

	if (!suffixed && (r->n != 3 || !str_is(r->seg[1], "models")))
		return str_n("", 0);
	while (n > 0 && r->last.p[n - 1] != ':')
		n--;
	return n > 0 ? str_n(r->last.p, n - 1) : r->last;
}

/* Gemini: by the version in the path, or by the method at its end. */
static int
detect_gemini(struct dialect_call *c, const struct http_head *h,
    const struct route *r, int post)
{
	int suffixed = 0;
	size_t i;

	for (i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		if (!str_ends(r->last, methods[i].suffix))
			continue;
		suffixed = 1;
		if (!post) {
			c->op = OP_OTHER;
			break;
		}
		c->op = methods[i].op;
		c->stream = methods[i].stream & 1;
		c->json_array = c->stream &&
		    !str_is(http_query_get(h->query, "alt"), "sse");
	}
	if (!suffixed && (!is_version(r->seg[0]) || str_is(r->seg[0], "v1")))
		return 0;
	c->dialect = DIALECT_GEMINI;
	c->model = path_model(r, suffixed);
	return 1;
}

/* The list that three APIs keep at one address. */
static void
detect_models(struct dialect_call *c, const struct http_head *h,
    const struct route *r)
{
	if (has(h, HTTP_X_GOOG_API_KEY) ||
	    http_query_get(h->query, "key").p != NULL)
		c->dialect = DIALECT_GEMINI;
	else if (has(h, HTTP_ANTHROPIC_VERSION) || has(h, HTTP_X_API_KEY))
		c->dialect = DIALECT_ANTHROPIC;
	if (c->op == OP_MODEL)
		c->model = r->last;
	else if (c->dialect == DIALECT_GEMINI)
		c->model = path_model(r, 0);
}

/* A path that begins with its version, or with anything. */
static void
detect_path(struct dialect_call *c, const struct http_head *h,
    const struct route *r)
{
	int post = str_is(h->method, "POST");
	size_t i;

	memset(c, 0, sizeof *c);
	c->dialect = DIALECT_OPENAI;
	c->op = OP_OTHER;
	c->model = str_n("", 0);
	if (str_is(r->seg[1], "models") && str_starts(r->seg[0], "v1") &&
	    str_is(h->method, "GET"))
		c->op = r->n == 2 ? OP_MODELS : r->n == 3 ? OP_MODEL :
		    OP_OTHER;
	if (detect_gemini(c, h, r, post))
		return;
	if (!str_is(r->seg[0], "v1")) {
		c->op = OP_OTHER;
		if (has(h, HTTP_ANTHROPIC_VERSION) || has(h, HTTP_X_API_KEY))
			c->dialect = DIALECT_ANTHROPIC;
		else if (has(h, HTTP_X_GOOG_API_KEY))
			c->dialect = DIALECT_GEMINI;
		return;
	}
	if (str_is(r->seg[1], "models")) {
		detect_models(c, h, r);
		return;
	}
	for (i = 0; i < sizeof paths / sizeof paths[0]; i++)
		if (r->n <= 3 && str_is(r->seg[1], paths[i].first) &&
		    str_is(r->seg[2], paths[i].second)) {
			c->dialect = paths[i].dialect;
			c->op = post ? paths[i].op : OP_OTHER;
			return;
		}
	if (str_is(r->seg[1], "messages") || has(h, HTTP_ANTHROPIC_VERSION))
		c->dialect = DIALECT_ANTHROPIC;
}

/*
 * 1, and *c, if a path has a meaning when it is read from here on: from its
 * version, or as if that stood before it.  -1: it has none from a version on.
 */
static int
detect_tail(struct dialect_call *c, const struct http_head *h,
    struct str path)
{
	struct dialect_call found;
	struct route r;
	int versioned;
	size_t i;

	split(&r, path);
	versioned = is_version(r.seg[0]);
	if (!versioned) {
		for (i = SEGMENTS - 1; i > 0; i--)
			r.seg[i] = r.seg[i - 1];
		r.seg[0] = str_of("v1");
		r.n++;
	}
	detect_path(&found, h, &r);
	if (found.op == OP_OTHER || found.op == OP_LEGACY)
		return versioned ? -1 : 0;
	*c = found;
	return 1;
}

void
dialect_detect(struct dialect_call *c, const struct http_head *h)
{
	struct str path = h->path;
	struct route r;

	split(&r, path);
	detect_path(c, h, &r);
	/* Dots and escapes may hide what a path is: no guesses then. */
	if (c->op != OP_OTHER || path.n == 0 || is_version(r.seg[0]) ||
	    str_casefind(path, str_of("/.")) != -1 ||
	    memchr(path.p, '%', path.n) != NULL)
		return;
	/* Whatever a client puts before the path: the end tells. */
	while (path.n > 0 && detect_tail(c, h, path) == 0)
		do
			path = str_n(path.p + 1, path.n - 1);
		while (path.n > 0 && path.p[0] != '/');
}

/*
 * ---- Errors of ours ----
 */

enum dialect_error
dialect_error_of(int status)
{
	switch (status) {
	case 401:
		return DE_AUTH;
	case 402:
	case 403:
		return DE_PERMISSION;
	case 404:
		return DE_NOT_FOUND;
	case 429:
		return DE_RATE_LIMIT;
	case 503:
	case 529:
		return DE_OVERLOADED;
	case 501:
	case 505:
		return DE_INVALID;
	default:
		return status >= 400 && status < 500 ? DE_INVALID : DE_API;
	}
}

int
dialect_error_body(struct buf *out, enum dialect d, int status,
    struct str message, struct str request_id)
{
	return api_of(d, OP_GENERATE)->error_body(out, status, message,
	    request_id);
}

int
dialect_error_event(struct buf *out, const struct dialect_call *c,
    int status, struct str message)
{
	return api_of(c->dialect, c->op)->error_event(out, c, status,
	    message);
}

/*
 * ---- What an answer says ----
 */

void
dialect_watch_start(struct dialect_watch *w, enum dialect d,
    enum dialect_op op)
{
	memset(w, 0, sizeof *w);
	w->dialect = d;
	w->op = op;
	w->usage.input = w->usage.output = w->usage.reasoning = -1;
	w->usage.cache_read = w->usage.cache_write = -1;
}

/* 1 if the raw member name key, without its quotes, is name. */
static int
is_name(struct str key, const char *name)
{
	return name == NULL ? key.p == NULL : key.p != NULL &&
	    json_string_is(str_n(key.p - 1, key.n + 2), name);
}

/* Reads the counters at their places in one pass; -1 where none is. */
static void
read_counts(int64_t n[COUNTS], const struct count *counts, struct str usage)
{
	struct str group = str_n(NULL, 0);
	enum json_type t;
	struct json j;
	uint64_t x;
	size_t i;

	for (i = 0; i < COUNTS; i++)
		n[i] = -1;
	json_start(&j, usage, 0);
	json_next(&j);
	while ((t = json_next(&j)) > JSON_END) {
		if (t == JSON_CLOSE)
			group = str_n(NULL, 0);
		else if (t == JSON_OBJECT && j.depth == 2)
			group = j.key;
		else if (t != JSON_NUMBER)
			json_skip(&j);
		else if (json_u64(j.raw, &x) == 0)
			for (i = 0; i < COUNTS; i++)
				if (counts[i].name != NULL &&
				    is_name(j.key, counts[i].name) &&
				    is_name(group, counts[i].group))
					n[i] = (int64_t)(x < COUNT_MAX ? x
					    : COUNT_MAX);
	}
}

/* Counters that usage has replace those that are known. */
static void
note_usage(struct dialect_usage *u, const struct api *a, struct str usage)
{
	int64_t n[COUNTS];

	read_counts(n, a->counts, usage);
	if (n[COUNT_IN] >= 0) {
		u->input = n[COUNT_IN];
		if (n[COUNT_IN2] > 0)
			u->input += n[COUNT_IN2];
		if (a->in_has_cache && n[COUNT_READ] > 0)
			u->input -= n[COUNT_READ];
		if (a->in_has_cache && n[COUNT_WRITE] > 0)
			u->input -= n[COUNT_WRITE];
		if (u->input < 0)
			u->input = 0;
	}
	if (a->out_lacks_think && n[COUNT_THINK] >= 0)
		n[COUNT_OUT] = n[COUNT_THINK] +
		    (n[COUNT_OUT] > 0 ? n[COUNT_OUT] : 0);
	if (n[COUNT_OUT] >= 0)
		u->output = n[COUNT_OUT];
	if (n[COUNT_READ] >= 0)
		u->cache_read = n[COUNT_READ];
	if (n[COUNT_WRITE] >= 0)
		u->cache_write = n[COUNT_WRITE];
	if (n[COUNT_THINK] >= 0)
		u->reasoning = n[COUNT_THINK];
}

/* Stop reasons are words: what is not plain ASCII, or escaped, ends one. */
static void
note_stop(struct dialect_watch *w, struct str raw)
{
	size_t i;

	w->stopped = 1;
	for (i = 0; i + 1 < sizeof w->stop_reason && i + 2 < raw.n; i++) {
		if (raw.p[i + 1] == '\\' || (unsigned char)raw.p[i + 1] > 126)
			break;
		w->stop_reason[i] = raw.p[i + 1];
	}
	w->stop_reason[i] = '\0';
}

/* Keeps what an event or answer brought, and the sign of it. */
static enum dialect_sign
note(struct dialect_watch *w, const struct api *a, enum dialect_sign sign,
    struct str stop, struct str usage)
{
	if (usage.n > 0)
		note_usage(&w->usage, a, usage);
	/* What fails has not stopped well, whatever reason it names. */
	if (stop.n > 0 && sign != SIGN_ERROR)
		note_stop(w, stop);
	if (sign == SIGN_END) {
		w->ended = 1;
		/* A last event with the reason in it is the answer as well. */
		if (stop.n > 0)
			sign = SIGN_CONTENT;
	}
	if (sign == SIGN_CONTENT)
		w->content = 1;
	return sign;
}

/* 1 if the events of this answer have a meaning that we know. */
static int
is_known(const struct dialect_watch *w)
{
	return w->dialect != DIALECT_ANY &&
	    (w->op == OP_GENERATE || w->op == OP_RESPONSES);
}

static enum dialect_sign
judge_event(struct dialect_watch *w, struct str name, struct str data)
{
	const struct api *a = api_of(w->dialect, w->op);
	struct str none = str_n("", 0), stop = none, usage = none;
	enum dialect_sign sign;

	if (str_is(str_trim(data), "[DONE]")) {
		if (!is_known(w)) {
			w->ended = 1;
			return note(w, a, SIGN_CONTENT, none, none);
		}
		/* Gateways add it to the streams of the others as well. */
		return note(w, a, a->done ? SIGN_END : SIGN_NOISE, none,
		    none);
	}
	if (!is_known(w))
		return note(w, a, SIGN_CONTENT, none, none);
	if (data.n == 0)
		return SIGN_NOISE;
	sign = a->event(name, data, &stop, &usage);
	if (sign == SIGN_INVALID) {
		stop = usage = none;
		if (json_valid(data, NULL, NULL))
			sign = SIGN_NOISE;
	}
	return note(w, a, sign, stop, usage);
}

enum dialect_sign
dialect_event(struct dialect_watch *w, const struct sse_event *e)
{
	enum dialect_sign sign = SIGN_INVALID;
	struct buf all;

	if (e->lines == 0)
		return SIGN_NOISE;
	if (e->lines == 1)
		return judge_event(w, e->name, e->data);
	buf_init(&all, e->raw.n);
	if (sse_data(&all, e) == 0)
		sign = judge_event(w, e->name, buf_str(&all));
	buf_free(&all);
	return sign;
}

void
dialect_piece(struct dialect_watch *w, struct str usage)
{
	if (usage.n > 0)
		note_usage(&w->usage, api_of(w->dialect, w->op), usage);
}

enum dialect_sign
dialect_answer(struct dialect_watch *w, struct str body)
{
	const struct api *a = api_of(w->dialect, w->op);
	struct str none = str_n("", 0), stop = none, usage = none;
	enum dialect_sign sign;

	if (w->op == OP_OTHER)
		return note(w, a, SIGN_CONTENT, none, none);
	sign = a->answer(body, &stop, &usage);
	if (sign == SIGN_INVALID) {
		stop = usage = none;
		if (json_valid(body, NULL, NULL))
			sign = SIGN_CONTENT;
	}
	return note(w, a, sign, stop, usage);
}

int
dialect_complete(const struct dialect_watch *w)
{
	return w->ended || w->stopped || !is_known(w);
}

/*
 * ---- What an error says ----
 */

/* The first of the paths where text has a string that is not empty. */
static struct str
first_string(struct str text, const char *const names[], size_t n)
{
	struct json_value v;
	size_t i;

	for (i = 0; i < n; i++)
		if (json_get(text, names[i], &v) == 0 &&
		    v.type == JSON_STRING && v.raw.n > 2)
			return str_n(v.raw.p + 1, v.raw.n - 2);
	return str_n("", 0);
}

void
dialect_fault(struct dialect_fault *f, struct str body)
{
	/* Of the four APIs, then of servers that only resemble them. */
	static const char *const types[] = {
		"error.type", "error.status", "error.code",
		"response.error.code", "code", "type"
	};
	static const char *const messages[] = {
		"error.message", "response.error.message", "message",
		"error", "detail"
	};
	char path[32];
	const char *name = path;
	unsigned i;

	/* Google's array of one error; a look-up needs no end of it. */
	while (body.n > 0 && memchr(" \t\r\n[", body.p[0], 5) != NULL) {
		body.p++;
		body.n--;
	}
	f->type = first_string(body, types, sizeof types / sizeof types[0]);
	f->message = first_string(body, messages,
	    sizeof messages / sizeof messages[0]);
	f->reason = str_n("", 0);
	for (i = 0; i < 8 && f->reason.n == 0; i++) {
		snprintf(path, sizeof path, "error.details.%u.reason", i);
		f->reason = first_string(body, &name, 1);
	}
}
