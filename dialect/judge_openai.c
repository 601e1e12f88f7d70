#include "dialect/judge_openai.h"

#include <string.h>

#define N(a) (sizeof (a) / sizeof (a)[0])

static const char late[] = "an event after the end";

enum {
	O_ID, O_OBJECT, O_CREATED, O_MODEL, O_CHOICES, O_USAGE, O_ERROR,
	OE_MESSAGE, OE_TYPE, OE_PARAM, OE_CODE
};

enum { C_INDEX, C_DELTA, C_FINISH, C_ROLE, C_CONTENT, C_REFUSAL, C_TOOLS };

enum { T_INDEX, T_ID, T_TYPE, T_FUNCTION, T_NAME, T_ARGUMENTS };

static const char *const finishes[] = {
	"stop", "length", "tool_calls", "content_filter", "function_call"
};

static const struct judge_field openai_error[] = {
	{ "message", OE_MESSAGE, NULL, NULL }, { "type", OE_TYPE, NULL, NULL },
	{ "param", OE_PARAM, NULL, NULL }, { "code", OE_CODE, NULL, NULL },
	{ NULL, 0, NULL, NULL }
};

static const struct judge_field function_fields[] = {
	{ "name", T_NAME, NULL, NULL },
	{ "arguments", T_ARGUMENTS, NULL, NULL },
	{ "input", T_ARGUMENTS, NULL, NULL }, { NULL, 0, NULL, NULL }
};

static const struct judge_field tool_fields[] = {
	{ "index", T_INDEX, NULL, NULL }, { "id", T_ID, NULL, NULL },
	{ "type", T_TYPE, NULL, NULL },
	{ "function", T_FUNCTION, function_fields, NULL },
	{ "custom", T_FUNCTION, function_fields, NULL },
	{ NULL, 0, NULL, NULL }
};

static const struct judge_field piece_fields[] = {
	{ "content", C_CONTENT, NULL, NULL }, { "role", C_ROLE, NULL, NULL },
	{ "tool_calls", C_TOOLS, NULL, NULL },
	{ "refusal", C_REFUSAL, NULL, NULL }, { NULL, 0, NULL, NULL }
};

/* What both levels want of a call or of a piece of one. */
static const char *
check_call(const struct json_value *s)
{
	if (!judge_optional(&s[T_FUNCTION], JSON_OBJECT))
		return "a call whose function is not an object";
	if (!judge_optional(&s[T_NAME], JSON_STRING))
		return "a call whose name is not a string";
	if (!judge_optional(&s[T_ARGUMENTS], JSON_STRING))
		return "a call whose arguments are not a string";
	return NULL;
}

/* Of the choice in hand. */
static const char *
check_piece(struct validate *v, const struct json_value *s, unsigned members)
{
	unsigned short *known = &v->tools[v->kind];
	const char *fault;
	uint64_t index;

	(void)members;
	if ((fault = check_call(s)) != NULL)
		return fault;
	if (!v->strict)
		return judge_absent(&s[T_INDEX]) || judge_index(&s[T_INDEX],
		    &index) == 0 ? NULL : "a call with a wrong index";
	if (judge_index(&s[T_INDEX], &index) == -1 || index > *known)
		return "a call with a wrong index";
	if (index == *known) {
		if (judge_text(&s[T_ID]).n == 0 ||
		    judge_text(&s[T_TYPE]).n == 0 ||
		    judge_text(&s[T_NAME]).n == 0)
			return "a call that starts without id, type or name";
		if (++*known == 0)
			return "too many calls";
	} else if (!judge_absent(&s[T_ID]) || !judge_absent(&s[T_TYPE]) ||
	    s[T_NAME].type != JSON_END) {
		return "a call that tells its id, type or name again";
	}
	return NULL;
}

static const struct judge_list piece_list = {
	tool_fields, check_piece, "a call that is not an object"
};

/* What both levels want of the delta or the message of a choice. */
static const char *
check_content(const struct json_value *s)
{
	if (!judge_optional(&s[C_CONTENT], JSON_STRING) &&
	    s[C_CONTENT].type != JSON_ARRAY)
		return "content that is not a string";
	if (!judge_optional(&s[C_REFUSAL], JSON_STRING))
		return "a refusal that is not a string";
	if (!judge_optional(&s[C_TOOLS], JSON_ARRAY))
		return "tool_calls that are not a list";
	if (!judge_optional(&s[C_FINISH], JSON_STRING))
		return "a finish_reason that is not a string";
	return NULL;
}

/* Before the calls of a piece of a choice are read. */
static const char *
check_turn(const struct validate *v, const struct json_value *s, int i)
{
	if (s[C_INDEX].type != JSON_NUMBER || s[C_DELTA].type != JSON_OBJECT ||
	    s[C_FINISH].type == JSON_END)
		return "a choice without index, delta or finish_reason";
	if (judge_is(v->finished, i))
		return "a piece of a choice that is finished";
	if (!judge_is(v->seen, i) &&
	    !str_is(judge_text(&s[C_ROLE]), "assistant"))
		return "a choice that starts without a role";
	if (judge_is(v->seen, i) && !judge_absent(&s[C_ROLE]))
		return "a choice that tells its role again";
	if (s[C_FINISH].type != JSON_STRING)
		return NULL;
	if (!judge_among(judge_text(&s[C_FINISH]), finishes, N(finishes)))
		return "an unknown finish_reason";
	if (s[C_DELTA].count > 0)
		return "content beside a finish_reason";
	if (str_is(judge_text(&s[C_FINISH]), "tool_calls") && v->tools[i] == 0)
		return "a finish_reason for calls that did not come";
	return NULL;
}

static const char *
check_choice(struct validate *v, const struct json_value *s, unsigned members)
{
	const char *fault;
	unsigned count;
	int i = judge_choice(&s[C_INDEX]);

	(void)members;
	if (i == -1)
		return "a choice with a wrong index";
	if (!judge_optional(&s[C_DELTA], JSON_OBJECT))
		return "a delta that is not an object";
	if ((fault = check_content(s)) != NULL)
		return fault;
	if (v->strict && (fault = check_turn(v, s, i)) != NULL)
		return fault;
	judge_set(v->seen, i);
	v->kind = (unsigned)i;
	if (s[C_TOOLS].type == JSON_ARRAY &&
	    (fault = judge_list(v, s[C_TOOLS].raw, &piece_list,
	    &count)) != NULL)
		return fault;
	if (judge_text(&s[C_FINISH]).n > 0) {
		judge_set(v->finished, i);
		v->quiet = 0;
	}
	return NULL;
}

static const struct judge_field choice_fields[] = {
	{ "index", C_INDEX, NULL, NULL },
	{ "delta", C_DELTA, piece_fields, NULL },
	{ "finish_reason", C_FINISH, NULL, NULL }, { NULL, 0, NULL, NULL }
};

static const struct judge_list choice_list = {
	choice_fields, check_choice, "a choice that is not an object"
};

static const struct judge_field chunk_fields[] = {
	{ "id", O_ID, NULL, NULL }, { "object", O_OBJECT, NULL, NULL },
	{ "created", O_CREATED, NULL, NULL }, { "model", O_MODEL, NULL, NULL },
	{ "choices", O_CHOICES, NULL, &choice_list },
	{ "usage", O_USAGE, NULL, NULL },
	{ "error", O_ERROR, openai_error, NULL }, { NULL, 0, NULL, NULL }
};

/* What all chunks have in common. */
static const char *
check_chunk(struct validate *v, const struct json_value *s, unsigned was)
{
	uint64_t id = util_hash(s[O_ID].raw.p, s[O_ID].raw.n);
	uint64_t created = util_hash(s[O_CREATED].raw.p, s[O_CREATED].raw.n);

	if (v->counted)
		return "a chunk after the one with the usage";
	if (s[O_ID].type != JSON_STRING || s[O_MODEL].type != JSON_STRING ||
	    s[O_CREATED].type != JSON_NUMBER ||
	    !str_is(judge_text(&s[O_OBJECT]), "chat.completion.chunk"))
		return "a chunk without id, object, created or model";
	if (was && (id != v->id || created != v->created))
		return "a chunk of another id or time than the first";
	v->id = id;
	v->created = created;
	if (s[O_CHOICES].type != JSON_ARRAY)
		return "a chunk without choices";
	if (s[O_CHOICES].count > 0)
		return NULL;
	v->counted = 1;
	return s[O_USAGE].type == JSON_OBJECT ? NULL : "an empty chunk";
}

const char *
judge_openai_event(struct validate *v, struct str name, struct str data)
{
	struct json_value s[JUDGE_SLOTS];
	const char *fault;
	unsigned was = v->started;

	if (v->strict && name.n > 0)
		return "an event with a name";
	if (v->ended || v->failed)
		return v->strict ? late : NULL;
	if (str_is(str_trim(data), "[DONE]")) {
		v->ended = 1;
		return NULL;
	}
	v->quiet = 1;
	if ((fault = judge_object(v, data, chunk_fields, s)) != NULL)
		return fault;
	if (s[O_USAGE].type == JSON_OBJECT)
		v->usage = s[O_USAGE].raw;
	if (judge_error(&s[O_ERROR])) {
		v->failed = 1;
		v->quiet = 0;
		return v->strict && (s[OE_MESSAGE].type != JSON_STRING ||
		    s[OE_TYPE].type == JSON_END ||
		    s[OE_PARAM].type == JSON_END ||
		    s[OE_CODE].type == JSON_END) ?
		    "an error without message, type, param or code" : NULL;
	}
	v->started = 1;
	if (v->strict)
		return check_chunk(v, s, was);
	if (!judge_optional(&s[O_CHOICES], JSON_ARRAY))
		return "choices that are not a list";
	if (judge_absent(&s[O_CHOICES]) && s[O_USAGE].type != JSON_OBJECT)
		return "a chunk without choices";
	return NULL;
}

static const char *
check_whole_call(struct validate *v, const struct json_value *s,
    unsigned members)
{
	const char *fault;

	(void)members;
	if ((fault = check_call(s)) != NULL)
		return fault;
	if (judge_text(&s[T_NAME]).n == 0)
		return "a call without a name";
	if (v->strict && (judge_text(&s[T_ID]).n == 0 ||
	    judge_text(&s[T_TYPE]).n == 0 ||
	    s[T_ARGUMENTS].type != JSON_STRING))
		return "a call without id, type or arguments";
	return NULL;
}

static const struct judge_list call_list = {
	tool_fields, check_whole_call, "a call that is not an object"
};

static const char *
check_whole_choice(struct validate *v, const struct json_value *s,
    unsigned members)
{
	const char *fault;
	unsigned count;

	(void)members;
	if (s[C_DELTA].type != JSON_OBJECT)
		return "a choice without a message";
	if ((fault = check_content(s)) != NULL)
		return fault;
	if (s[C_TOOLS].type == JSON_ARRAY &&
	    (fault = judge_list(v, s[C_TOOLS].raw, &call_list,
	    &count)) != NULL)
		return fault;
	if (!v->strict)
		return NULL;
	if (s[C_INDEX].type != JSON_NUMBER ||
	    !str_is(judge_text(&s[C_ROLE]), "assistant") ||
	    s[C_CONTENT].type == JSON_END)
		return "a choice without index, role or content";
	if (!judge_among(judge_text(&s[C_FINISH]), finishes, N(finishes)))
		return "a choice without a known finish_reason";
	return NULL;
}

static const struct judge_field whole_choice_fields[] = {
	{ "index", C_INDEX, NULL, NULL },
	{ "message", C_DELTA, piece_fields, NULL },
	{ "finish_reason", C_FINISH, NULL, NULL }, { NULL, 0, NULL, NULL }
};

static const struct judge_list whole_choice_list = {
	whole_choice_fields, check_whole_choice,
	"a choice that is not an object"
};

static const struct judge_field completion_fields[] = {
	{ "id", O_ID, NULL, NULL }, { "object", O_OBJECT, NULL, NULL },
	{ "created", O_CREATED, NULL, NULL }, { "model", O_MODEL, NULL, NULL },
	{ "choices", O_CHOICES, NULL, &whole_choice_list },
	{ "error", O_ERROR, openai_error, NULL }, { NULL, 0, NULL, NULL }
};

const char *
judge_openai_answer(struct validate *v, struct str body)
{
	struct json_value s[JUDGE_SLOTS];
	const char *fault;

	if ((fault = judge_object(v, body, completion_fields, s)) != NULL)
		return fault;
	if (judge_error(&s[O_ERROR]))
		return NULL;
	if (s[O_CHOICES].type != JSON_ARRAY || s[O_CHOICES].count == 0)
		return "an answer without choices";
	if (v->strict && (s[O_ID].type != JSON_STRING ||
	    s[O_MODEL].type != JSON_STRING ||
	    s[O_CREATED].type != JSON_NUMBER ||
	    !str_is(judge_text(&s[O_OBJECT]), "chat.completion")))
		return "an answer without id, object, created or model";
	return NULL;
}

const char *
judge_openai_end(const struct validate *v)
{
	int finished = judge_finished(v), any = 0;
	size_t i;

	for (i = 0; i < JUDGE_CHOICES / 64; i++)
		any |= v->seen[i] != 0;
	if (v->failed || (finished && (v->ended || !v->strict)) ||
	    (any && v->ended && !v->strict))
		return NULL;
	return !any ? "a stream without choices" :
	    !finished ? "a stream that ends without a finish_reason" :
	    "a stream without [DONE]";
}
