#include "dialect/gemini.h"

#include <stddef.h>

#include "json.h"

static const struct {
	int status;
	const char *word;
} words[] = {
	{ 401, "UNAUTHENTICATED" }, { 402, "RESOURCE_EXHAUSTED" },
	{ 403, "PERMISSION_DENIED" }, { 404, "NOT_FOUND" },
	{ 408, "DEADLINE_EXCEEDED" }, { 409, "ABORTED" },
	{ 429, "RESOURCE_EXHAUSTED" }, { 501, "UNIMPLEMENTED" },
	{ 503, "UNAVAILABLE" }, { 504, "DEADLINE_EXCEEDED" },
	{ 505, "INVALID_ARGUMENT" }, { 529, "UNAVAILABLE" }
};

int
gemini_error_body(struct buf *out, int status, struct str message,
    struct str request_id)
{
	const char *word;
	size_t i;

	(void)request_id;
	word = status >= 400 && status < 500 ? "INVALID_ARGUMENT"
	    : "INTERNAL";
	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		if (words[i].status == status)
			word = words[i].word;
	buf_adds(out, "{\"error\":{\"code\":");
	buf_addu(out, status > 0 ? (uint64_t)status : 0);
	buf_adds(out, ",\"message\":");
	json_write(out, message);
	buf_adds(out, ",\"status\":\"");
	buf_adds(out, word);
	return buf_adds(out, "\"}}");
}

int
gemini_error_event(struct buf *out, const struct dialect_call *c, int status,
    struct str message)
{
	buf_adds(out, c->json_array ? "," : "data: ");
	gemini_error_body(out, status, message, str_n("", 0));
	return buf_adds(out, c->json_array ? "]" : "\n\n");
}

/* 1 if the member just read is called name. */
static int
is(const struct json *j, const char *name)
{
	return json_string_is(str_n(j->key.p - 1, j->key.n + 2), name);
}

/* The raw string as a stop reason; 0 if it is none. */
static int
take_stop(struct str raw, struct str *stop)
{
	if (raw.n == 2 || str_starts(raw, "\"FINISH_REASON_UNSPECIFIED") ||
	    str_starts(raw, "\"BLOCK_REASON_UNSPECIFIED"))
		return 0;
	*stop = raw;
	return 1;
}

/*
 * Inside a candidate, or the feedback on the prompt: 1 if it has parts or a
 * reason to stop, 0 if not, -1 if the text is broken.
 */
static int
read_candidate(struct json *j, struct str *stop)
{
	enum { CONTENT, REASON, UNKNOWN } member;
	struct json_value part;
	enum json_type t;
	int found = 0;

	while ((t = json_next(j)) != JSON_CLOSE) {
		member = UNKNOWN;
		if (t == JSON_OBJECT && is(j, "content"))
			member = CONTENT;
		else if (t == JSON_STRING &&
		    (is(j, "finishReason") || is(j, "blockReason")))
			member = REASON;
		if (t <= JSON_END || json_skip(j) < 0)
			return -1;
		if (member == CONTENT)
			found |= json_get(j->raw, "parts.0", &part) == 0;
		else if (member == REASON)
			found |= take_stop(j->raw, stop);
	}
	return found;
}

/* Inside the array of candidates: as above. */
static int
read_candidates(struct json *j, struct str *stop)
{
	enum json_type t;
	int c, found = 0;

	while ((t = json_next(j)) != JSON_CLOSE) {
		if (t <= JSON_END)
			return -1;
		c = t == JSON_OBJECT ? read_candidate(j, stop) : json_skip(j);
		if (c < 0)
			return -1;
		found |= c;
	}
	return found;
}

/* Inside a response: what it says, SIGN_INVALID if the text is broken. */
static enum dialect_sign
read_response(struct json *j, struct str *stop, struct str *usage)
{
	enum { CANDIDATES, FEEDBACK, USAGE, ERROR, UNKNOWN } member;
	enum json_type t;
	int c, content = 0, error = 0;

	while ((t = json_next(j)) != JSON_CLOSE) {
		member = UNKNOWN;
		if (t == JSON_ARRAY && is(j, "candidates"))
			member = CANDIDATES;
		else if (t == JSON_OBJECT)
			member = is(j, "usageMetadata") ? USAGE
			    : is(j, "promptFeedback") ? FEEDBACK
			    : is(j, "error") ? ERROR : UNKNOWN;
		else if (t == JSON_STRING && is(j, "error"))
			member = ERROR;
		c = t <= JSON_END ? -1
		    : member == CANDIDATES ? read_candidates(j, stop)
		    : member == FEEDBACK ? read_candidate(j, stop)
		    : json_skip(j);
		if (c < 0)
			return SIGN_INVALID;
		content |= c;
		if (member == USAGE)
			*usage = j->raw;
		else if (member == ERROR)
			error |= t == JSON_OBJECT || j->raw.n > 2;
	}
	return error ? SIGN_ERROR : content ? SIGN_CONTENT : SIGN_NOISE;
}

enum dialect_sign
gemini_event(struct str name, struct str data, struct str *stop,
    struct str *usage)
{
	enum dialect_sign sign = SIGN_NOISE, one;
	enum json_type t;
	struct json j;

	(void)name;
	json_start(&j, data, 0);
	t = json_next(&j);
	if (t == JSON_OBJECT) {
		sign = read_response(&j, stop, usage);
	} else if (t == JSON_ARRAY) {
		while ((t = json_next(&j)) > JSON_END && t != JSON_CLOSE) {
			one = SIGN_NOISE;
			if (t == JSON_OBJECT)
				one = read_response(&j, stop, usage);
			else
				json_skip(&j);
			if (sign != SIGN_ERROR && one != SIGN_NOISE)
				sign = one;
		}
	}
	return json_next(&j) == JSON_END ? sign : SIGN_INVALID;
}

enum dialect_sign
gemini_answer(struct str body, struct str *stop, struct str *usage)
{
	enum dialect_sign sign;

	sign = gemini_event(str_n("", 0), body, stop, usage);
	return sign == SIGN_NOISE ? SIGN_CONTENT : sign;
}
