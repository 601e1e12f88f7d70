#include "dialect/judge_gemini.h"

#include <string.h>

static const char late[] = "an event after the end";

enum {
	G_CANDIDATES, G_FEEDBACK, G_BLOCK, G_USAGE, G_VERSION, G_ID, G_ERROR,
	E_CODE, E_MESSAGE, E_STATUS
};

enum { C_INDEX, C_CONTENT, C_ROLE, C_PARTS, C_FINISH, C_BLOCK };

enum { P_TEXT, P_CALL, P_NAME, P_ARGS };

static const struct judge_field call_fields[] = {
	{ "name", P_NAME, NULL, NULL }, { "args", P_ARGS, NULL, NULL },
	{ NULL, 0, NULL, NULL }
};

static const struct judge_field part_fields[] = {
	{ "text", P_TEXT, NULL, NULL },
	{ "functionCall", P_CALL, call_fields, NULL },
	{ NULL, 0, NULL, NULL }
};

static const char *
check_part(struct validate *v, const struct json_value *s, unsigned members)
{
	if (!judge_optional(&s[P_TEXT], JSON_STRING))
		return "a part whose text is not a string";
	if (!judge_optional(&s[P_CALL], JSON_OBJECT))
		return "a functionCall that is not an object";
	if (s[P_CALL].type == JSON_OBJECT && judge_text(&s[P_NAME]).n == 0)
		return "a functionCall without a name";
	if (!judge_optional(&s[P_ARGS], JSON_OBJECT))
		return "a functionCall whose args are not an object";
	return v->strict && members == 0 ? "an empty part" : NULL;
}

static const struct judge_list part_list = {
	part_fields, check_part, "a part that is not an object"
};

static const struct judge_field content_fields[] = {
	{ "role", C_ROLE, NULL, NULL },
	{ "parts", C_PARTS, NULL, &part_list }, { NULL, 0, NULL, NULL }
};

static const char *
check_candidate(struct validate *v, const struct json_value *s,
    unsigned members)
{
	int i = judge_choice(&s[C_INDEX]);

	(void)members;
	if (i == -1)
		return "a candidate with a wrong index";
	if (!judge_optional(&s[C_CONTENT], JSON_OBJECT))
		return "content that is not an object";
	if (!judge_optional(&s[C_PARTS], JSON_ARRAY))
		return "parts that are not a list";
	if (!judge_optional(&s[C_FINISH], JSON_STRING))
		return "a finishReason that is not a string";
	if (v->strict && judge_is(v->finished, i))
		return "a piece of a candidate that is finished";
	if (v->strict && (s[C_PARTS].type != JSON_ARRAY ||
	    s[C_PARTS].count == 0))
		return "a candidate without parts";
	if (v->strict && !str_is(judge_text(&s[C_ROLE]), "model"))
		return "content whose role is not model";
	judge_set(v->seen, i);
	v->quiet &= judge_text(&s[C_FINISH]).n == 0 &&
	    judge_absent(&s[C_BLOCK]);
	if (judge_text(&s[C_FINISH]).n > 0 && !str_is(judge_text(&s[C_FINISH]),
	    "FINISH_REASON_UNSPECIFIED"))
		judge_set(v->finished, i);
	return NULL;
}

static const struct judge_field candidate_fields[] = {
	{ "content", C_CONTENT, content_fields, NULL },
	{ "finishReason", C_FINISH, NULL, NULL },
	{ "index", C_INDEX, NULL, NULL },
	{ "blockReason", C_BLOCK, NULL, NULL }, { NULL, 0, NULL, NULL }
};

static const struct judge_list candidate_list = {
	candidate_fields, check_candidate, "a candidate that is not an object"
};

static const struct judge_field feedback_fields[] = {
	{ "blockReason", G_BLOCK, NULL, NULL }, { NULL, 0, NULL, NULL }
};

static const struct judge_field error_fields[] = {
	{ "code", E_CODE, NULL, NULL }, { "message", E_MESSAGE, NULL, NULL },
	{ "status", E_STATUS, NULL, NULL }, { NULL, 0, NULL, NULL }
};

static const struct judge_field chunk_fields[] = {
	{ "candidates", G_CANDIDATES, NULL, &candidate_list },
	{ "promptFeedback", G_FEEDBACK, feedback_fields, NULL },
	{ "usageMetadata", G_USAGE, NULL, NULL },
	{ "modelVersion", G_VERSION, NULL, NULL },
	{ "responseId", G_ID, NULL, NULL },
	{ "error", G_ERROR, error_fields, NULL }, { NULL, 0, NULL, NULL }
};

static const char *
check_error(struct validate *v, const struct json_value *s)
{
	v->failed = 1;
	v->quiet = 0;
	return v->strict && (s[E_CODE].type != JSON_NUMBER ||
	    s[E_MESSAGE].type != JSON_STRING ||
	    s[E_STATUS].type != JSON_STRING) ?
	    "an error without code, message or status" : NULL;
}

/* A whole response object, which is an event, an answer, or in an array. */
static const char *
check_chunk(struct validate *v, const struct json_value *s, unsigned members)
{
	(void)members;
	if (v->failed || (v->ended && v->strict))
		return v->strict ? late : NULL;
	if (judge_error(&s[G_ERROR]))
		return check_error(v, s);
	if (!judge_optional(&s[G_CANDIDATES], JSON_ARRAY))
		return "candidates that are not a list";
	if (!judge_optional(&s[G_FEEDBACK], JSON_OBJECT))
		return "promptFeedback that is not an object";
	v->started = 1;
	if (!judge_absent(&s[G_FEEDBACK]))
		v->quiet = 0;
	if (s[G_USAGE].type == JSON_OBJECT)
		v->usage = s[G_USAGE].raw;
	if (judge_text(&s[G_BLOCK]).n > 0 && !str_is(judge_text(&s[G_BLOCK]),
	    "BLOCK_REASON_UNSPECIFIED"))
		v->blocked = 1;
	if (!v->strict)
		return judge_absent(&s[G_CANDIDATES]) &&
		    judge_absent(&s[G_FEEDBACK]) &&
		    judge_absent(&s[G_USAGE]) && judge_absent(&s[G_VERSION]) &&
		    judge_absent(&s[G_ID]) ? "a chunk without candidates" :
		    NULL;
	if (!v->blocked && s[G_CANDIDATES].count == 0)
		return "a chunk without candidates";
	v->ended = v->blocked || judge_finished(v);
	return v->ended && s[G_USAGE].type != JSON_OBJECT ?
	    "a last chunk without usageMetadata" : NULL;
}

static const struct judge_list chunk_list = {
	chunk_fields, check_chunk, "a chunk that is not an object"
};

/* 1 if the text is an array, whatever is in it. */
static int
is_array(struct str text)
{
	size_t i;

	for (i = 0; i < text.n && (unsigned char)text.p[i] <= ' '; i++)
		;
	return i < text.n && text.p[i] == '[';
}

static const char *
read_chunk(struct validate *v, struct str text)
{
	struct json_value s[JUDGE_SLOTS];
	const char *fault;

	fault = judge_object(v, text, chunk_fields, s);
	return fault != NULL ? fault : check_chunk(v, s, 0);
}

const char *
judge_gemini_event(struct validate *v, struct str name, struct str data)
{
	unsigned count;

	if (v->strict && name.n > 0)
		return "an event with a name";
	if (v->failed)
		return v->strict ? late : NULL;
	/* Errors come wrapped in an array at times. */
	if (!v->strict && is_array(data))
		return judge_list(v, data, &chunk_list, &count);
	v->quiet = 1;
	return read_chunk(v, data);
}

const char *
judge_gemini_end(const struct validate *v)
{
	size_t i;
	int any = 0;

	for (i = 0; i < JUDGE_CHOICES / 64; i++)
		any |= v->seen[i] != 0;
	if (v->failed || judge_finished(v) || (v->blocked && !any))
		return NULL;
	return any ? "a stream that ends without a finishReason" :
	    "a stream without candidates";
}

const char *
judge_gemini_answer(struct validate *v, struct str body)
{
	const char *fault;
	unsigned count;
	size_t i;

	if (is_array(body)) {
		fault = judge_list(v, body, &chunk_list, &count);
		return fault != NULL ? fault : judge_gemini_end(v);
	}
	fault = read_chunk(v, body);
	if (fault != NULL || v->failed || v->blocked)
		return fault;
	for (i = 0; i < JUDGE_CHOICES / 64; i++)
		if (v->seen[i] != 0)
			return v->strict ? judge_gemini_end(v) : NULL;
	return "an answer without candidates";
}
