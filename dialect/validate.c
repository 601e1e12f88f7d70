#include "dialect/validate.h"

#include <string.h>

#include "base/buf.h"
#include "dialect/judge_anthropic.h"
#include "dialect/judge_gemini.h"
#include "dialect/judge_openai.h"

/*
 * ---- Responses ----
 */

enum { R_TYPE, R_ERROR, R_OBJECT, R_OUTPUT, R_STATUS };

static const struct judge_field response_fields[] = {
	{ "type", R_TYPE, NULL, NULL }, { "error", R_ERROR, NULL, NULL },
	{ "object", R_OBJECT, NULL, NULL },
	{ "output", R_OUTPUT, NULL, NULL },
	{ "status", R_STATUS, NULL, NULL }, { NULL, 0, NULL, NULL }
};

static const char *
responses_event(struct validate *v, struct str name, struct str data)
{
	struct json_value s[JUDGE_SLOTS];
	const char *fault;
	struct str type;

	if (!v->strict && str_is(str_trim(data), "[DONE]"))
		return NULL;
	if ((fault = judge_object(v, data, response_fields, s)) != NULL)
		return fault;
	type = judge_text(&s[R_TYPE]);
	if (type.n == 0 && !v->strict)
		type = name;
	if (str_is(type, "error") || str_is(type, "response.failed") ||
	    judge_error(&s[R_ERROR]))
		v->failed = 1;
	else if (type.n == 0)
		return "an event without a type";
	if (str_is(type, "response.completed") ||
	    str_is(type, "response.incomplete"))
		v->ended = 1;
	v->quiet = !v->failed && str_ends(type, ".delta");
	return NULL;
}

static const char *
responses_end(const struct validate *v)
{
	return v->ended || v->failed ? NULL :
	    "a stream without response.completed";
}

static const char *
responses_answer(struct validate *v, struct str body)
{
	struct json_value s[JUDGE_SLOTS];
	const char *fault;

	if ((fault = judge_object(v, body, response_fields, s)) != NULL)
		return fault;
	if (judge_error(&s[R_ERROR]))
		return NULL;
	if (s[R_OUTPUT].type != JSON_ARRAY && judge_text(&s[R_STATUS]).n == 0)
		return "a response without output or status";
	if (v->strict && !str_is(judge_text(&s[R_OBJECT]), "response"))
		return "an answer whose object is not response";
	return NULL;
}

/*
 * ---- All ----
 */

enum { RESPONSES = DIALECT_ANY };

static const struct {
	const char *(*event)(struct validate *, struct str, struct str);
	const char *(*end)(const struct validate *);
	const char *(*answer)(struct validate *, struct str);
} apis[] = {
	[DIALECT_ANTHROPIC] = { judge_anthropic_event, judge_anthropic_end,
	    judge_anthropic_answer },
	[DIALECT_OPENAI] = { judge_openai_event, judge_openai_end,
	    judge_openai_answer },
	[DIALECT_GEMINI] = { judge_gemini_event, judge_gemini_end,
	    judge_gemini_answer },
	[RESPONSES] = { responses_event, responses_end, responses_answer }
};

/* The row of an answer; -1 if it is not judged at all. */
static int
api_of(const struct validate *v)
{
	if (v->dialect == DIALECT_ANY ||
	    (v->op != OP_GENERATE && v->op != OP_RESPONSES))
		return -1;
	return v->dialect == DIALECT_OPENAI && v->op == OP_RESPONSES ?
	    RESPONSES : (int)v->dialect;
}

void
validate_start(struct validate *v, enum dialect d, enum dialect_op op,
    int strict)
{
	memset(v, 0, sizeof *v);
	v->dialect = d;
	v->op = op;
	v->strict = strict != 0;
}

const char *
validate_data(struct validate *v, struct str name, struct str data)
{
	int api = api_of(v);

	v->quiet = 0;
	v->usage = str_n("", 0);
	if (v->fault != NULL || api == -1)
		return v->fault;
	if (data.n > 0)
		v->fault = apis[api].event(v, name, data);
	else if (v->strict && name.n > 0)
		v->fault = "an event without data";
	v->quiet &= v->fault == NULL;
	return v->fault;
}

const char *
validate_event(struct validate *v, const struct sse_event *e)
{
	struct buf all;

	if (e->lines <= 1)
		return validate_data(v, e->name, e->data);
	buf_init(&all, e->raw.n);
	if (sse_data(&all, e) == 0)
		validate_data(v, e->name, buf_str(&all));
	buf_free(&all);
	v->quiet = 0;		/* usage went with it */
	return v->fault;
}

const char *
validate_end(const struct validate *v)
{
	int api = api_of(v);

	return v->fault != NULL || api == -1 ? v->fault : apis[api].end(v);
}

const char *
validate_answer(enum dialect d, enum dialect_op op, int strict,
    struct str body)
{
	struct validate v;
	int api;

	validate_start(&v, d, op, strict);
	api = api_of(&v);
	return api == -1 ? NULL : apis[api].answer(&v, body);
}
