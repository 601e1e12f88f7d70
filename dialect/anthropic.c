#include "dialect/anthropic.h"

#include <stddef.h>

#include "json.h"

static const struct {
	int status;
	const char *type;
} types[] = {
	{ 401, "authentication_error" }, { 402, "billing_error" },
	{ 403, "permission_error" }, { 404, "not_found_error" },
	{ 408, "timeout_error" }, { 409, "conflict_error" },
	{ 413, "request_too_large" }, { 429, "rate_limit_error" },
	{ 501, "invalid_request_error" }, { 503, "overloaded_error" },
	{ 504, "timeout_error" }, { 505, "invalid_request_error" },
	{ 529, "overloaded_error" }
};

static const char *
error_type(int status)
{
	size_t i;

	for (i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].status == status)
			return types[i].type;
	return status >= 400 && status < 500 ? "invalid_request_error"
	    : "api_error";
}

/* The object up to where request_id may follow. */
static void
write_error(struct buf *out, int status, struct str message)
{
	buf_adds(out, "{\"type\":\"error\",\"error\":{\"type\":\"");
	buf_adds(out, error_type(status));
	buf_adds(out, "\",\"message\":");
	json_write(out, message);
	buf_adds(out, "}");
}

int
anthropic_error_body(struct buf *out, int status, struct str message,
    struct str request_id)
{
	write_error(out, status, message);
	buf_adds(out, ",\"request_id\":");
	if (request_id.n > 0)
		json_write(out, request_id);
	else
		buf_adds(out, "null");
	return buf_adds(out, "}");
}

int
anthropic_error_event(struct buf *out, const struct dialect_call *c,
    int status, struct str message)
{
	(void)c;
	buf_adds(out, "event: error\ndata: ");
	write_error(out, status, message);
	return buf_adds(out, "}\n\n");
}

/* The inside of a raw string; empty if v is none. */
static struct str
inside(const struct json_value *v)
{
	if (v->type != JSON_STRING)
		return str_n("", 0);
	return str_n(v->raw.p + 1, v->raw.n - 2);
}

/*
 * A text or thinking block begins empty and grows by deltas; every other
 * kind says something by being there.
 */
static int
block_carries(const struct json_value *block)
{
	static const char *const names[] = {
		"type", "text", "thinking", "signature"
	};
	struct json_value v[4];
	struct str type;

	if (block->type != JSON_OBJECT ||
	    json_members(block->raw, names, v, 4, NULL, NULL) < 0)
		return 0;
	type = inside(&v[0]);
	if (str_is(type, "text"))
		return inside(&v[1]).n > 0;
	if (str_is(type, "thinking"))
		return inside(&v[2]).n > 0 || inside(&v[3]).n > 0;
	return type.n > 0;
}

/* Any event but the frequent one; data is known to be an object. */
static enum dialect_sign
read_event(struct str type, struct str data, struct str *stop,
    struct str *usage)
{
	static const char *const names[] = {
		"delta", "content_block", "message", "usage"
	};
	enum { DELTA, BLOCK, MESSAGE, USAGE, NAMES };
	struct json_value v[NAMES], in;

	json_members(data, names, v, NAMES, NULL, NULL);
	if (v[USAGE].type == JSON_OBJECT)
		*usage = v[USAGE].raw;
	if (str_is(type, "content_block_start"))
		return block_carries(&v[BLOCK]) ? SIGN_CONTENT : SIGN_NOISE;
	if (str_is(type, "message_start")) {
		if (v[MESSAGE].type == JSON_OBJECT &&
		    json_get(v[MESSAGE].raw, "usage", &in) == 0 &&
		    in.type == JSON_OBJECT)
			*usage = in.raw;
		return SIGN_NOISE;
	}
	if (str_is(type, "message_delta")) {
		if (v[DELTA].type != JSON_OBJECT ||
		    json_get(v[DELTA].raw, "stop_reason", &in) < 0 ||
		    inside(&in).n == 0)
			return SIGN_NOISE;
		*stop = in.raw;
		return SIGN_CONTENT;
	}
	return str_is(type, "message_stop") ? SIGN_END : SIGN_NOISE;
}

/*
 * 1 if the data says at its very start that it is a delta, as the API
 * writes it.  Nearly every event of a stream is one: it need only be JSON.
 */
static int
plain_delta(struct str data)
{
	return str_starts(data, "{\"type\":\"content_block_delta\",");
}

enum dialect_sign
anthropic_event(struct str name, struct str data, struct str *stop,
    struct str *usage)
{
	static const char *const names[] = { "type", "error" };
	enum { TYPE, ERROR, NAMES };
	struct json_value v[NAMES];
	struct str type;

	if (plain_delta(data))
		return json_valid(data, NULL, NULL) ? SIGN_CONTENT :
		    SIGN_INVALID;
	if (json_members(data, names, v, NAMES, NULL, NULL) < 0)
		return SIGN_INVALID;
	type = v[TYPE].type == JSON_STRING ? inside(&v[TYPE]) : name;
	if (str_is(type, "error") || v[ERROR].type == JSON_OBJECT ||
	    inside(&v[ERROR]).n > 0)
		return SIGN_ERROR;
	if (str_is(type, "content_block_delta"))
		return SIGN_CONTENT;
	return read_event(type, data, stop, usage);
}

enum dialect_sign
anthropic_answer(struct str body, struct str *stop, struct str *usage)
{
	static const char *const names[] = {
		"type", "stop_reason", "usage", "error"
	};
	struct json_value v[4];

	if (json_members(body, names, v, 4, NULL, NULL) < 0)
		return SIGN_INVALID;
	if (str_is(inside(&v[0]), "error") || v[3].type == JSON_OBJECT ||
	    inside(&v[3]).n > 0)
		return SIGN_ERROR;
	if (inside(&v[1]).n > 0)
		*stop = v[1].raw;
	if (v[2].type == JSON_OBJECT)
		*usage = v[2].raw;
	return SIGN_CONTENT;
}
