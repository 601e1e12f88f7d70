#include "dialect/responses.h"

#include <stddef.h>

#include "dialect/openai.h"
#include "json.h"

int
responses_error_body(struct buf *out, int status, struct str message,
    struct str request_id)
{
	return openai_error_body(out, status, message, request_id);
}

int
responses_error_event(struct buf *out, const struct dialect_call *c,
    int status, struct str message)
{
	const char *code;

	(void)c;
	code = status == 429 ? "rate_limit_exceeded"
	    : status >= 400 && status < 500 ? "invalid_prompt"
	    : "server_error";
	buf_adds(out, "event: error\ndata: {\"type\":\"error\",\"code\":\"");
	buf_adds(out, code);
	buf_adds(out, "\",\"message\":");
	json_write(out, message);
	buf_adds(out, ",\"param\":null,\"sequence_number\":0,"
	    "\"error\":{\"type\":\"");
	buf_adds(out, code);
	buf_adds(out, "\",\"code\":\"");
	buf_adds(out, code);
	buf_adds(out, "\",\"message\":");
	json_write(out, message);
	return buf_adds(out, ",\"param\":null}}\n\n");
}

/* The inside of a raw string; empty if v is none. */
static struct str
inside(const struct json_value *v)
{
	if (v->type != JSON_STRING)
		return str_n("", 0);
	return str_n(v->raw.p + 1, v->raw.n - 2);
}

/* Reads a response object.  -1 if it is none, 1 if it failed, else 0. */
static int
read_response(struct str raw, struct str *stop, struct str *usage)
{
	static const char *const names[] = {
		"error", "status", "incomplete_details", "usage"
	};
	enum { ERROR, STATUS, DETAILS, USAGE, NAMES };
	struct json_value v[NAMES], reason;

	if (json_members(raw, names, v, NAMES, NULL, NULL) < 0)
		return -1;
	if (v[USAGE].type == JSON_OBJECT)
		*usage = v[USAGE].raw;
	if (v[ERROR].type == JSON_OBJECT || inside(&v[ERROR]).n > 0 ||
	    str_is(inside(&v[STATUS]), "failed"))
		return 1;
	if (inside(&v[STATUS]).n > 0)
		*stop = v[STATUS].raw;
	if (v[DETAILS].type == JSON_OBJECT &&
	    json_get(v[DETAILS].raw, "reason", &reason) == 0 &&
	    inside(&reason).n > 0)
		*stop = reason.raw;
	return 0;
}

/* An item that is a call says by its coming what will be called. */
static int
item_is_call(struct str data)
{
	struct json_value type;

	return json_get(data, "item.type", &type) == 0 &&
	    str_ends(inside(&type), "_call");
}

enum dialect_sign
responses_event(struct str name, struct str data, struct str *stop,
    struct str *usage)
{
	static const char *const names[] = { "type", "error" };
	enum { TYPE, ERROR, NAMES };
	struct json_value v[NAMES], response;
	struct str type;

	if (json_members(data, names, v, NAMES, NULL, NULL) < 0)
		return SIGN_INVALID;
	type = v[TYPE].type == JSON_STRING ? inside(&v[TYPE]) : name;
	if (v[ERROR].type == JSON_OBJECT || inside(&v[ERROR]).n > 0 ||
	    str_is(type, "error") || str_is(type, "response.error") ||
	    str_is(type, "response.failed"))
		return SIGN_ERROR;
	if (str_ends(type, ".delta"))
		return SIGN_CONTENT;
	if (str_is(type, "response.output_item.added"))
		return item_is_call(data) ? SIGN_CONTENT : SIGN_NOISE;
	if (str_is(type, "response.completed"))
		*stop = str_of("\"completed\"");
	else if (str_is(type, "response.incomplete"))
		*stop = str_of("\"incomplete\"");
	else
		return SIGN_NOISE;
	if (json_get(data, "response", &response) == 0)
		read_response(response.raw, stop, usage);
	return SIGN_END;
}

enum dialect_sign
responses_answer(struct str body, struct str *stop, struct str *usage)
{
	switch (read_response(body, stop, usage)) {
	case 0:
		return SIGN_CONTENT;
	case 1:
		return SIGN_ERROR;
	default:
		return SIGN_INVALID;
	}
}
