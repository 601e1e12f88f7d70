#include "dialect/judge_anthropic.h"

#include <string.h>

#define N(a) (sizeof (a) / sizeof (a)[0])

static const char late[] = "an event after the end";

enum { K_OTHER, K_TEXT, K_THINKING, K_REDACTED, K_TOOL, KINDS };

static const char *const kinds[KINDS] = {
	NULL, "text", "thinking", "redacted_thinking", "tool_use"
};

enum {
	A_TYPE, A_INDEX, A_ERROR, A_ERROR_MESSAGE, A_DELTA, A_MESSAGE, A_USAGE,
	A_BLOCK, D_TYPE, D_TEXT, D_THINKING, D_SIGNATURE, D_JSON, D_STOP,
	D_SEQUENCE, B_TYPE, B_ID, B_NAME, B_INPUT, B_TEXT, B_THINKING,
	B_SIGNATURE, B_DATA, M_ID, M_TYPE, M_ROLE, M_MODEL, M_CONTENT, M_STOP,
	U_IN, U_OUT
};

static const struct judge_field usage_fields[] = {
	{ "input_tokens", U_IN, NULL, NULL },
	{ "output_tokens", U_OUT, NULL, NULL },
	{ NULL, 0, NULL, NULL }
};

static const struct judge_field block_fields[] = {
	{ "type", B_TYPE, NULL, NULL }, { "text", B_TEXT, NULL, NULL },
	{ "id", B_ID, NULL, NULL }, { "name", B_NAME, NULL, NULL },
	{ "input", B_INPUT, NULL, NULL },
	{ "thinking", B_THINKING, NULL, NULL },
	{ "signature", B_SIGNATURE, NULL, NULL },
	{ "data", B_DATA, NULL, NULL }, { NULL, 0, NULL, NULL }
};

static const struct judge_field error_fields[] = {
	{ "message", A_ERROR_MESSAGE, NULL, NULL }, { NULL, 0, NULL, NULL }
};

static const struct judge_field delta_fields[] = {
	{ "type", D_TYPE, NULL, NULL }, { "text", D_TEXT, NULL, NULL },
	{ "partial_json", D_JSON, NULL, NULL },
	{ "thinking", D_THINKING, NULL, NULL },
	{ "signature", D_SIGNATURE, NULL, NULL },
	{ "stop_reason", D_STOP, NULL, NULL },
	{ "stop_sequence", D_SEQUENCE, NULL, NULL }, { NULL, 0, NULL, NULL }
};

static const struct judge_field start_fields[] = {
	{ "id", M_ID, NULL, NULL }, { "type", M_TYPE, NULL, NULL },
	{ "role", M_ROLE, NULL, NULL }, { "model", M_MODEL, NULL, NULL },
	{ "content", M_CONTENT, NULL, NULL },
	{ "stop_reason", M_STOP, NULL, NULL },
	{ "usage", A_USAGE, usage_fields, NULL }, { NULL, 0, NULL, NULL }
};

static const struct judge_field event_fields[] = {
	{ "type", A_TYPE, NULL, NULL }, { "index", A_INDEX, NULL, NULL },
	{ "delta", A_DELTA, delta_fields, NULL },
	{ "content_block", A_BLOCK, block_fields, NULL },
	{ "message", A_MESSAGE, start_fields, NULL },
	{ "usage", A_USAGE, usage_fields, NULL },
	{ "error", A_ERROR, error_fields, NULL }, { NULL, 0, NULL, NULL }
};

/* Deltas, the blocks they belong to and the member they bring. */
static const struct {
	const char *type;
	unsigned kind, slot;
} deltas[] = {
	{ "text_delta", K_TEXT, D_TEXT },
	{ "input_json_delta", K_TOOL, D_JSON },
	{ "thinking_delta", K_THINKING, D_THINKING },
	{ "signature_delta", K_THINKING, D_SIGNATURE },
	{ "citations_delta", K_TEXT, JUDGE_SLOTS }
};

static const char *const stops[] = {
	"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn",
	"refusal", "model_context_window_exceeded"
};

static unsigned
kind_of(struct str type)
{
	unsigned k;

	for (k = K_TEXT; k < KINDS; k++)
		if (str_is(type, kinds[k]))
			return k;
	return K_OTHER;
}

static int
is_id(struct str s)
{
	size_t i;
	char c;

	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || c == '_' || c == '-'))
			return 0;
	}
	return s.n > 0;
}

/* What both levels want of a block, in a stream or in a plain answer. */
static const char *
check_kind(struct validate *v, const struct json_value *s)
{
	struct str type = judge_text(&s[B_TYPE]);

	if (type.n == 0)
		return "a content block without a type";
	v->kind = kind_of(type);
	if (v->kind == K_TOOL) {
		v->calls++;
		if (judge_text(&s[B_ID]).n == 0)
			return "a tool_use block without an id";
		if (judge_text(&s[B_NAME]).n == 0)
			return "a tool_use block without a name";
		if (v->strict && !is_id(judge_text(&s[B_ID])))
			return "a tool_use block with an id of a wrong form";
	}
	if (v->strict && v->kind == K_OTHER && !str_ends(type, "_tool_use") &&
	    !str_ends(type, "_tool_result") &&
	    !str_is(type, "container_upload"))
		return "a content block of an unknown type";
	return NULL;
}

static const char *
message_start(struct validate *v, const struct json_value *s)
{
	if (v->started)
		return "a second message_start";
	v->started = 1;
	if (s[A_MESSAGE].type != JSON_OBJECT)
		return "a message_start without a message";
	if (!v->strict)
		return NULL;
	if (s[M_ID].type != JSON_STRING || s[M_MODEL].type != JSON_STRING ||
	    !str_is(judge_text(&s[M_TYPE]), "message") ||
	    !str_is(judge_text(&s[M_ROLE]), "assistant"))
		return "a message_start without id, type, role or model";
	if (s[M_CONTENT].type != JSON_ARRAY || !judge_empty(&s[M_CONTENT]) ||
	    s[M_STOP].type != JSON_NULL)
		return "a message_start whose message is not empty";
	if (s[U_IN].type != JSON_NUMBER)
		return "a message_start without usage";
	return NULL;
}

static const char *
block_start(struct validate *v, const struct json_value *s)
{
	const char *fault;
	uint64_t index;

	if (v->open)
		return "a content_block_start inside another block";
	if (judge_index(&s[A_INDEX], &index) == -1)
		return "a content_block_start without an index";
	if (index < v->next)
		return "a content_block_start with an index used before";
	if (v->strict && index != v->next)
		return "a content_block_start that leaves out an index";
	v->next = index + 1;
	v->open = 1;
	v->sealed = v->grown = 0;
	if (s[A_BLOCK].type != JSON_OBJECT)
		return "a content_block_start without a block";
	if ((fault = check_kind(v, s)) != NULL || !v->strict)
		return fault;
	if (v->kind == K_TEXT && (s[B_TEXT].type != JSON_STRING ||
	    judge_text(&s[B_TEXT]).n > 0))
		return "a text block that does not start empty";
	if (v->kind == K_TOOL && (s[B_INPUT].type != JSON_OBJECT ||
	    !judge_empty(&s[B_INPUT])))
		return "a tool_use block that does not start empty";
	if (v->kind == K_THINKING && s[B_THINKING].type != JSON_STRING)
		return "a thinking block without its text";
	if (v->kind == K_REDACTED && s[B_DATA].type != JSON_STRING)
		return "a redacted_thinking block without data";
	return NULL;
}

/* The index of what belongs to the open block. */
static const char *
check_open(const struct validate *v, const struct json_value *s,
    const char *missing, const char *wrong)
{
	uint64_t index;

	if (judge_index(&s[A_INDEX], &index) == -1)
		return missing;
	return !v->open || index + 1 != v->next ? wrong : NULL;
}

static const char *
block_delta(struct validate *v, const struct json_value *s)
{
	const char *fault;
	size_t i;

	fault = check_open(v, s, "a content_block_delta without an index",
	    "a content_block_delta for a block that is not open");
	if (fault != NULL)
		return fault;
	if (s[A_DELTA].type != JSON_OBJECT || judge_text(&s[D_TYPE]).n == 0)
		return "a content_block_delta without a delta or its type";
	v->grown = 1;
	for (i = 0; i < N(deltas); i++)
		if (str_is(judge_text(&s[D_TYPE]), deltas[i].type))
			break;
	if (i == N(deltas))
		return v->strict ? "a delta of an unknown type" : NULL;
	if (v->kind != deltas[i].kind && v->kind != K_OTHER)
		return "a delta of another kind than its block";
	if (deltas[i].slot < JUDGE_SLOTS &&
	    s[deltas[i].slot].type != JSON_STRING)
		return "a delta that brings nothing";
	if (v->strict && v->sealed && deltas[i].slot == D_THINKING)
		return "a thinking_delta after the signature";
	v->sealed |= deltas[i].slot == D_SIGNATURE;
	return NULL;
}

static const char *
block_stop(struct validate *v, const struct json_value *s)
{
	const char *fault;

	fault = check_open(v, s, "a content_block_stop without an index",
	    "a content_block_stop for a block that is not open");
	if (fault != NULL)
		return fault;
	v->open = 0;
	if (!v->strict)
		return NULL;
	if (v->kind == K_THINKING && !v->sealed)
		return "a thinking block without a signature";
	if (v->kind == K_TOOL && !v->grown)
		return "a tool_use block without input";
	return NULL;
}

static const char *
message_delta(struct validate *v, const struct json_value *s)
{
	if (v->open && v->strict)
		return "a message_delta while a block is open";
	v->open = 0;
	if (s[A_DELTA].type != JSON_OBJECT)
		return "a message_delta without a delta";
	if (judge_text(&s[D_STOP]).n > 0)
		v->stopped = 1;
	if (!v->strict)
		return NULL;
	if (!judge_among(judge_text(&s[D_STOP]), stops, N(stops)))
		return "a message_delta without a known stop_reason";
	if (s[D_SEQUENCE].type != JSON_STRING &&
	    s[D_SEQUENCE].type != JSON_NULL)
		return "a message_delta without stop_sequence";
	if (s[U_OUT].type != JSON_NUMBER)
		return "a message_delta without usage";
	if (str_is(judge_text(&s[D_STOP]), "tool_use") && v->calls == 0)
		return "a stop for a tool_use that did not come";
	return NULL;
}

static const char *
message_stop(struct validate *v, const struct json_value *s)
{
	(void)s;
	/* After a message_delta: then it was opened too late. */
	if (v->open && (v->strict || v->stopped))
		return "a message_stop while a block is open";
	v->open = 0;
	if (v->strict && !v->stopped)
		return "a message_stop without a message_delta";
	v->ended = 1;
	return NULL;
}

static const struct {
	const char *type;
	const char *(*check)(struct validate *, const struct json_value *);
} events[] = {
	{ "content_block_delta", block_delta },
	{ "content_block_start", block_start },
	{ "content_block_stop", block_stop },
	{ "message_start", message_start },
	{ "message_delta", message_delta },
	{ "message_stop", message_stop }
};

/* Takes the text that stands at *at, if it does. */
static int
take_text(struct str data, size_t *at, const char *text)
{
	size_t n = strlen(text);

	if (data.n - *at < n || memcmp(data.p + *at, text, n) != 0)
		return 0;
	*at += n;
	return 1;
}

/* The same of a string, or of a number; v: where it goes. */
static int
take_value(struct str data, size_t *at, enum json_type type,
    struct json_value *v)
{
	const char *why;
	size_t from = *at;

	if (from == data.n || (data.p[from] == '"') != (type == JSON_STRING))
		return 0;
	why = type == JSON_STRING ? json_scan_string(data.p, data.n, at) :
	    json_scan_number(data.p, data.n, at);
	v->type = type;
	v->raw = str_n(data.p + from, *at - from);
	return why == NULL;
}

/*
 * Nearly every event is a delta with its members in the API's own order,
 * and no blanks.  If this is one, judge_object() is not needed.
 */
static int
plain_delta(struct json_value *s, struct str data)
{
	size_t at = sizeof "{\"type\":" - 1;
	const struct judge_field *f;

	if (!str_starts(data, "{\"type\":\"content_block_delta\","))
		return 0;
	memset(s, 0, JUDGE_SLOTS * sizeof *s);
	s[A_DELTA].type = JSON_OBJECT;
	if (!take_value(data, &at, JSON_STRING, &s[A_TYPE]) ||
	    !take_text(data, &at, ",\"index\":") ||
	    !take_value(data, &at, JSON_NUMBER, &s[A_INDEX]) ||
	    !take_text(data, &at, ",\"delta\":{\"type\":") ||
	    !take_value(data, &at, JSON_STRING, &s[D_TYPE]) ||
	    !take_text(data, &at, ",\""))
		return 0;
	for (f = delta_fields; f->name != NULL; f++)
		if (take_text(data, &at, f->name))
			break;
	return f->name != NULL && take_text(data, &at, "\":") &&
	    take_value(data, &at, JSON_STRING, &s[f->slot]) &&
	    take_text(data, &at, "}}") && at == data.n;
}

const char *
judge_anthropic_event(struct validate *v, struct str name, struct str data)
{
	struct json_value s[JUDGE_SLOTS];
	const char *fault;
	struct str type;
	size_t i;

	/* Said by some in OpenAI's manner; no client minds. */
	if (!v->strict && str_is(str_trim(data), "[DONE]"))
		return NULL;
	if (!plain_delta(s, data) &&
	    (fault = judge_object(v, data, event_fields, s)) != NULL)
		return fault;
	type = s[A_TYPE].type == JSON_STRING ? judge_text(&s[A_TYPE]) : name;
	if (type.n == 0 && !judge_error(&s[A_ERROR]))
		return "an event without a type";
	if (v->strict && (s[A_TYPE].type != JSON_STRING || !str_eq(type, name)))
		return "an event whose name and type differ";
	if (str_is(type, "ping"))
		return NULL;
	if (v->failed || (v->ended && v->strict))
		return v->strict ? late : NULL;
	if (str_is(type, "error") || judge_error(&s[A_ERROR])) {
		v->failed = 1;
		return v->strict && s[A_ERROR_MESSAGE].type != JSON_STRING ?
		    "an error without a message" : NULL;
	}
	for (i = 0; i < N(events); i++)
		if (str_is(type, events[i].type))
			break;
	if (i == N(events))
		return v->strict ? "an event of an unknown type" : NULL;
	if (v->ended)
		return late;
	if (!v->started && events[i].check != message_start)
		return "an event before message_start";
	if (v->stopped && v->strict && events[i].check != message_stop)
		return "an event between message_delta and message_stop";
	v->quiet = events[i].check == block_delta;
	return events[i].check(v, s);
}

static const char *
check_block(struct validate *v, const struct json_value *s, unsigned members)
{
	const char *fault;

	(void)members;
	if ((fault = check_kind(v, s)) != NULL || !v->strict)
		return fault;
	if (v->kind == K_TEXT && s[B_TEXT].type != JSON_STRING)
		return "a text block without text";
	if (v->kind == K_TOOL && s[B_INPUT].type != JSON_OBJECT)
		return "a tool_use block without input";
	if (v->kind == K_THINKING && (s[B_THINKING].type != JSON_STRING ||
	    s[B_SIGNATURE].type != JSON_STRING))
		return "a thinking block without text or signature";
	if (v->kind == K_REDACTED && s[B_DATA].type != JSON_STRING)
		return "a redacted_thinking block without data";
	return NULL;
}

static const struct judge_list block_list = {
	block_fields, check_block, "a content block that is not an object"
};

static const struct judge_field message_fields[] = {
	{ "id", M_ID, NULL, NULL }, { "type", M_TYPE, NULL, NULL },
	{ "role", M_ROLE, NULL, NULL }, { "model", M_MODEL, NULL, NULL },
	{ "content", M_CONTENT, NULL, &block_list },
	{ "stop_reason", M_STOP, NULL, NULL },
	{ "usage", A_USAGE, usage_fields, NULL },
	{ "error", A_ERROR, NULL, NULL }, { NULL, 0, NULL, NULL }
};

const char *
judge_anthropic_answer(struct validate *v, struct str body)
{
	struct json_value s[JUDGE_SLOTS];
	const char *fault;

	if ((fault = judge_object(v, body, message_fields, s)) != NULL)
		return fault;
	if (judge_error(&s[A_ERROR]))
		return NULL;
	if (s[M_CONTENT].type != JSON_ARRAY)
		return "a message without content";
	if (!v->strict)
		return NULL;
	if (s[M_ID].type != JSON_STRING || s[M_MODEL].type != JSON_STRING)
		return "a message without id or model";
	if (!str_is(judge_text(&s[M_TYPE]), "message"))
		return "an answer whose type is not message";
	if (!str_is(judge_text(&s[M_ROLE]), "assistant"))
		return "a message whose role is not assistant";
	if (!judge_among(judge_text(&s[M_STOP]), stops, N(stops)))
		return "a message without a known stop_reason";
	if (s[U_IN].type != JSON_NUMBER || s[U_OUT].type != JSON_NUMBER)
		return "a message without usage";
	return NULL;
}

const char *
judge_anthropic_end(const struct validate *v)
{
	if (v->failed || v->ended || (v->stopped && !v->strict))
		return NULL;
	return !v->started ? "a stream without message_start" :
	    v->open ? "a stream that ends inside a block" :
	    v->stopped ? "a stream without message_stop" :
	    "a stream that ends without a stop_reason";
}
