#include "dialect/openai.h"

#include <stddef.h>

#include "json.h"

static const struct {
	int status;
	const char *type, *code;	/* code NULL: null */
} types[] = {
	{ 401, "invalid_request_error", "invalid_api_key" },
	{ 402, "insufficient_quota", "insufficient_quota" },
	{ 403, "invalid_request_error", "permission_denied" },
	{ 404, "invalid_request_error", "not_found" },
	{ 408, "server_error", "timeout" },
	{ 409, "invalid_request_error", "conflict" },
	{ 413, "invalid_request_error", "request_too_large" },
	{ 429, "rate_limit_error", "rate_limit_exceeded" },
	{ 501, "invalid_request_error", NULL },
	{ 503, "server_error", "overloaded" },
	{ 504, "server_error", "timeout" },
	{ 505, "invalid_request_error", NULL },
	{ 529, "server_error", "overloaded" }
};

/* Members of a delta that are, or announce, a piece of the answer. */
static const char *const pieces[] = {
	"content", "tool_calls", "reasoning_content", "reasoning", "refusal",
	"reasoning_details", "function_call", "audio"
};

int
openai_error_body(struct buf *out, int status, struct str message,
    struct str request_id)
{
	const char *type, *code = NULL;
	size_t i;

	(void)request_id;
	type = status >= 400 && status < 500 ? "invalid_request_error"
	    : "server_error";
	for (i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].status == status) {
			type = types[i].type;
			code = types[i].code;
		}
	buf_adds(out, "{\"error\":{\"message\":");
	json_write(out, message);
	buf_adds(out, ",\"type\":");
	json_write(out, str_of(type));
	buf_adds(out, ",\"param\":null,\"code\":");
	if (code != NULL)
		json_write(out, str_of(code));
	else
		buf_adds(out, "null");
	return buf_adds(out, "}}");
}

int
openai_error_event(struct buf *out, const struct dialect_call *c, int status,
    struct str message)
{
	(void)c;
	buf_adds(out, "data: ");
	openai_error_body(out, status, message, str_n("", 0));
	return buf_adds(out, "\n\n");
}

/* 1 if the member just read is called name. */
static int
is(const struct json *j, const char *name)
{
	return json_string_is(str_n(j->key.p - 1, j->key.n + 2), name);
}

/*
 * Moves past the value that token t begins.  1 if it is more than an empty
 * string or container, 0 if not, -1 if the text is broken.
 */
static int
carries(struct json *j, enum json_type t)
{
	size_t i;

	if (t <= JSON_END || json_skip(j) < 0)
		return -1;
	if (t == JSON_STRING)
		return j->raw.n > 2;
	if (t != JSON_OBJECT && t != JSON_ARRAY)
		return 0;
	for (i = 1; i + 1 < j->raw.n; i++)
		if ((unsigned char)j->raw.p[i] > ' ')
			return 1;
	return 0;
}

/* Inside a delta (or message): 1 if it holds a piece, 0, or -1. */
static int
read_delta(struct json *j)
{
	enum json_type t;
	int c, found = 0, known;
	size_t i;

	while ((t = json_next(j)) != JSON_CLOSE) {
		known = 0;
		for (i = 0; t > JSON_END && !known &&
		    i < sizeof pieces / sizeof pieces[0]; i++)
			known = is(j, pieces[i]);
		if ((c = carries(j, t)) < 0)
			return -1;
		found |= known & c;
	}
	return found;
}

/* Inside a choice: as above. */
static int
read_choice(struct json *j, struct str *stop)
{
	enum { DELTA, FINISH, TEXT, UNKNOWN } member;
	enum json_type t;
	int c, found = 0;

	while ((t = json_next(j)) != JSON_CLOSE) {
		if (t == JSON_OBJECT)
			member = is(j, "delta") || is(j, "message") ? DELTA
			    : UNKNOWN;
		else if (t == JSON_STRING)
			member = is(j, "finish_reason") ? FINISH
			    : is(j, "text") ? TEXT : UNKNOWN;
		else
			member = UNKNOWN;
		c = member == DELTA ? read_delta(j) : carries(j, t);
		if (c < 0)
			return -1;
		if (member == FINISH && c)
			*stop = j->raw;
		found |= member != UNKNOWN && c;
	}
	return found;
}

/* Inside the array of choices: as above. */
static int
read_choices(struct json *j, struct str *stop)
{
	enum json_type t;
	int c, found = 0;

	while ((t = json_next(j)) != JSON_CLOSE) {
		if (t == JSON_OBJECT) {
			if ((c = read_choice(j, stop)) < 0)
				return -1;
			found |= c;
		} else if (carries(j, t) < 0)
			return -1;
	}
	return found;
}

enum dialect_sign
openai_event(struct str name, struct str data, struct str *stop,
    struct str *usage)
{
	enum { CHOICES, USAGE, ERROR, UNKNOWN } member;
	struct json j;
	enum json_type t;
	int c, content = 0, error = 0;

	(void)name;
	json_start(&j, data, 0);
	if (json_next(&j) != JSON_OBJECT)
		return SIGN_INVALID;
	while ((t = json_next(&j)) != JSON_CLOSE) {
		member = UNKNOWN;
		if (t == JSON_ARRAY && is(&j, "choices"))
			member = CHOICES;
		else if (t == JSON_OBJECT && is(&j, "usage"))
			member = USAGE;
		else if ((t == JSON_OBJECT || t == JSON_STRING) &&
		    is(&j, "error"))
			member = ERROR;
		c = member == CHOICES ? read_choices(&j, stop)
		    : carries(&j, t);
		if (c < 0)
			return SIGN_INVALID;
		if (member == CHOICES)
			content |= c;
		else if (member == USAGE)
			*usage = j.raw;
		else if (member == ERROR)
			error |= c || t == JSON_OBJECT;
	}
	if (json_next(&j) != JSON_END)
		return SIGN_INVALID;
	return error ? SIGN_ERROR : content ? SIGN_CONTENT : SIGN_NOISE;
}

enum dialect_sign
openai_answer(struct str body, struct str *stop, struct str *usage)
{
	enum dialect_sign sign;

	/* A whole completion differs from a chunk only in what it is for. */
	sign = openai_event(str_n("", 0), body, stop, usage);
	return sign == SIGN_NOISE ? SIGN_CONTENT : sign;
}
