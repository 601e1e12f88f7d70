#include "dialect/openai_request.h"

#include <stdio.h>
#include <string.h>

#include "dialect/names.h"
#include "dialect/openai_parts.h"
#include "json.h"

#define ID_LONG 40		/* bytes of a call's id: ID-2 shortens more */
#define RESULT_ID "_call_id\""

struct read {
	struct msg_request *r;
	struct msg_fault *f;
	struct msg_part **system;	/* where the next one goes */
	struct msg_turn **turns;
	unsigned at;		/* the message being read */
	char where[48];		/* its content, for faults */
};

/* The meaning of a member that is a string; p NULL if it is none. */
static struct str
plain(struct read *rd, const struct node *n, const char *name)
{
	struct str text = tree_get_text(n, name);

	return text.p == NULL ? text : text_plain(rd->r->arena, text);
}

static void
note(struct read *rd, const char *prefix, struct str name)
{
	msg_note(rd->r->arena, rd->r->notes, prefix, name);
}

static struct msg_turn *
add_turn(struct read *rd, enum msg_role role)
{
	struct msg_turn *t = msg_turn_add(rd->r->arena, rd->turns, role);

	if (t != NULL)
		rd->turns = &t->next;
	return t;
}

static int
is_array(const struct node *n)
{
	return n != NULL && n->type == JSON_ARRAY;
}

/* ID-1; an id that is nothing but what it carries stays whole. */
static struct str
split(struct arena *a, struct str id, struct str *carried)
{
	struct str base = names_split(a, id, carried);

	if (base.n > 0)
		return base;
	*carried = str_n(NULL, 0);
	return id;
}

/* D-O2: in front of everything else, or in its place. */
static int
read_system(struct read *rd, const struct node *m)
{
	struct msg_part *list = NULL, **link = &list;
	struct msg_turn *t;
	struct str text;

	if (openai_parts_read(rd->r, &list, tree_get(m, "content"),
	    OPENAI_PARTS_TEXT, rd->where, rd->f) < 0)
		return -1;
	while (*link != NULL)
		if (text_blank((*link)->text))
			*link = (*link)->next;
		else
			link = &(*link)->next;
	if (list == NULL)
		return 0;
	if (rd->r->turns == NULL) {
		*rd->system = list;
		rd->system = link;
		return 0;
	}
	text = msg_join(rd->r->arena, list, "\n\n");
	if ((t = add_turn(rd, MSG_SYSTEM)) == NULL ||
	    msg_text_add(rd->r->arena, &t->parts, text) == NULL)
		return -1;
	return 0;
}

/* The end of a list of parts. */
static struct msg_part **
tail(struct msg_part **list)
{
	while (*list != NULL)
		list = &(*list)->next;
	return list;
}

/* The extension that carries Claude's own thinking. */
static int
read_thinking(struct read *rd, struct msg_part **list, const struct node *n)
{
	struct arena *a = rd->r->arena;
	const struct node *b;
	struct msg_part *p;

	if (!is_array(n))
		return 0;
	for (b = n->child; b != NULL; b = b->next) {
		if (tree_is(tree_get(b, "type"), "thinking")) {
			if ((p = msg_part_add(a, list, MSG_THINK)) == NULL)
				return -1;
			p->text = tree_get_text(b, "thinking");
			p->signature = plain(rd, b, "signature");
		} else if (tree_is(tree_get(b, "type"), "redacted_thinking")) {
			p = msg_part_add(a, list, MSG_REDACTED);
			if (p == NULL)
				return -1;
			p->data = tree_get_text(b, "data");
		} else
			continue;
		list = &p->next;
	}
	return 0;
}

/* {"input":"<text>"} */
static struct str
input_object(struct arena *a, struct str text)
{
	struct buf b;
	struct str s;

	buf_init(&b, text.n + 16);
	buf_adds(&b, "{\"input\":\"");
	buf_addstr(&b, text);
	buf_adds(&b, "\"}");
	s = arena_take(a, &b);
	buf_free(&b);
	return s;
}

static int
read_arguments(struct read *rd, struct msg_part *p, const struct node *n)
{
	int repaired = 0;

	if (n == NULL)
		p->args = str_of("{}");
	else if (n->type == JSON_OBJECT)
		p->args = n->raw;
	else if (n->type == JSON_STRING)
		p->args = text_to_object(rd->r->arena, tree_text(n),
		    &repaired);
	else
		return msg_refuse(rd->f, "messages", "messages[%u].tool_calls:"
		    " function.arguments must be a string", rd->at);
	if (repaired)
		note(rd, "repair:", str_of("tool_arguments"));
	return 0;
}

/* D-O4: what Google's own OpenAI API calls a signature. */
static struct str
google_signature(struct read *rd, const struct node *call)
{
	return plain(rd, tree_get(tree_get(call, "extra_content"), "google"),
	    "thought_signature");
}

static int
read_call(struct read *rd, struct msg_part *p, const struct node *n)
{
	const struct node *type = tree_get(n, "type"), *body;
	struct str id = plain(rd, n, "id");

	p->custom = tree_is(type, "custom") ? 1 : 0;
	if (type != NULL && !p->custom && !tree_is(type, "function"))
		return msg_refuse(rd->f, "messages", "messages[%u].tool_calls:"
		    " only types function and custom are supported", rd->at);
	body = tree_get(n, p->custom ? "custom" : "function");
	p->name = plain(rd, body, "name");
	if (id.n == 0 || p->name.n == 0)
		return msg_refuse(rd->f, "messages", "messages[%u].tool_calls:"
		    " a call without %s", rd->at, id.n == 0 ? "id" : "name");
	p->id = split(rd->r->arena, id, &p->signature);
	if (p->signature.p == NULL)
		p->signature = google_signature(rd, n);
	if (!p->custom)
		return read_arguments(rd, p, tree_get(body, "arguments"));
	p->args = input_object(rd->r->arena, tree_get_text(body, "input"));
	return 0;
}

static int
read_assistant(struct read *rd, const struct node *m)
{
	struct arena *a = rd->r->arena;
	const struct node *calls = tree_get(m, "tool_calls"), *n;
	struct str refusal = tree_get_text(m, "refusal");
	struct msg_part **list, *p;
	struct msg_turn *t;

	if (tree_get(m, "function_call") != NULL)
		return msg_refuse(rd->f, "messages", "messages[%u].function_"
		    "call is not supported: use tool_calls", rd->at);
	if ((t = add_turn(rd, MSG_ASSISTANT)) == NULL)
		return -1;
	list = &t->parts;
	if (read_thinking(rd, list, tree_get(m, "thinking_blocks")) < 0)
		return -1;
	list = tail(list);
	if (openai_parts_read(rd->r, list, tree_get(m, "content"),
	    OPENAI_PARTS_REFUSAL, rd->where, rd->f) < 0)
		return -1;
	list = tail(list);
	if (refusal.n > 0 && msg_text_add(a, list, refusal) == NULL)
		return -1;
	if (tree_get(m, "audio") != NULL)
		note(rd, "drop:", str_of("audio"));
	if (!is_array(calls))
		return 0;
	for (n = calls->child; n != NULL; n = n->next) {
		list = tail(list);
		if ((p = msg_part_add(a, list, MSG_CALL)) == NULL ||
		    read_call(rd, p, n) < 0)
			return -1;
	}
	return 0;
}

static int
read_result(struct read *rd, const struct node *m)
{
	struct str id = plain(rd, m, "tool_call_id"), carried;
	struct msg_turn *t;
	struct msg_part *p;

	if (id.n == 0)
		return msg_refuse(rd->f, "messages",
		    "messages[%u].tool_call_id is missing", rd->at);
	if ((t = add_turn(rd, MSG_USER)) == NULL ||
	    (p = msg_part_add(rd->r->arena, &t->parts, MSG_RESULT)) == NULL)
		return -1;
	p->id = split(rd->r->arena, id, &carried);
	return openai_parts_read(rd->r, &p->parts, tree_get(m, "content"),
	    OPENAI_PARTS_MEDIA, rd->where, rd->f);
}

static int
read_message(struct read *rd, const struct node *m)
{
	const struct node *role = tree_get(m, "role");
	struct msg_turn *t;

	snprintf(rd->where, sizeof rd->where, "messages[%u].content",
	    rd->at);
	if (tree_is(role, "system") || tree_is(role, "developer"))
		return read_system(rd, m);
	if (tree_is(role, "assistant"))
		return read_assistant(rd, m);
	if (tree_is(role, "tool"))
		return read_result(rd, m);
	if (!tree_is(role, "user"))
		return msg_refuse(rd->f, "messages", "messages[%u].role must "
		    "be system, developer, user, assistant or tool", rd->at);
	if ((t = add_turn(rd, MSG_USER)) == NULL)
		return -1;
	return openai_parts_read(rd->r, &t->parts, tree_get(m, "content"),
	    OPENAI_PARTS_MEDIA, rd->where, rd->f);
}

static int
read_messages(struct read *rd, const struct node *body)
{
	const struct node *list = tree_get(body, "messages"), *m;

	if (!is_array(list))
		return msg_refuse(rd->f, "messages",
		    "messages: a list of messages is required");
	rd->system = &rd->r->system;
	rd->turns = &rd->r->turns;
	for (m = list->child; m != NULL; m = m->next, rd->at++)
		if (read_message(rd, m) < 0)
			return -1;
	return 0;
}

/* D-O5 */
static int
read_tools(struct read *rd, const struct node *list)
{
	struct msg_tool **end = &rd->r->tools, *t;
	const struct node *n, *type, *body, *cache;
	int custom;

	for (n = is_array(list) ? list->child : NULL; n != NULL; n = n->next) {
		type = tree_get(n, "type");
		custom = tree_is(type, "custom");
		if (!custom && type != NULL && !tree_is(type, "function")) {
			note(rd, "drop:tool.", plain(rd, n, "type"));
			continue;
		}
		body = tree_get(n, custom ? "custom" : "function");
		if (tree_get_text(body, "name").n == 0)
			return msg_refuse(rd->f, "tools",
			    "tools: a tool without a name");
		if ((t = msg_tool_add(rd->r->arena, end)) == NULL)
			return -1;
		end = &t->next;
		t->custom = custom ? 1 : 0;
		t->name = plain(rd, body, "name");
		t->description = tree_get_text(body, "description");
		if (!custom)
			t->schema = tree_get(body, "parameters");
		else if (tree_is(tree_get(tree_get(body, "format"), "type"),
		    "grammar"))
			t->format = tree_get(body, "format");
		if ((cache = tree_get(n, "cache_control")) != NULL &&
		    cache->type == JSON_OBJECT)
			t->cache = cache->raw;
	}
	return 0;
}

/* The name that a choice, or an element of allowed_tools, tells. */
static struct str
chosen(struct read *rd, const struct node *n)
{
	struct str none = { NULL, 0 };

	if (tree_is(tree_get(n, "type"), "function"))
		return plain(rd, tree_get(n, "function"), "name");
	if (tree_is(tree_get(n, "type"), "custom"))
		return plain(rd, tree_get(n, "custom"), "name");
	return none;
}

/* D-O6: only the tools that are named stay. */
static int
read_allowed(struct read *rd, const struct node *allowed)
{
	const struct node *list = tree_get(allowed, "tools"), *n;
	struct msg_tool **t = &rd->r->tools;

	if (!is_array(list))
		return msg_refuse(rd->f, "tool_choice",
		    "tool_choice: allowed_tools without tools");
	while (*t != NULL) {
		for (n = list->child; n != NULL; n = n->next)
			if (str_eq(chosen(rd, n), (*t)->name))
				break;
		if (n == NULL)
			*t = (*t)->next;
		else
			t = &(*t)->next;
	}
	rd->r->choice = tree_is(tree_get(allowed, "mode"), "required")
	    ? MSG_CHOICE_ANY : MSG_CHOICE_AUTO;
	return 0;
}

static int
read_choice(struct read *rd, const struct node *n)
{
	struct msg_request *r = rd->r;

	if (n == NULL)
		return 0;
	if (tree_is(n, "auto"))
		r->choice = MSG_CHOICE_AUTO;
	else if (tree_is(n, "none"))
		r->choice = MSG_CHOICE_NONE;
	else if (tree_is(n, "required"))
		r->choice = MSG_CHOICE_ANY;
	else if (tree_is(tree_get(n, "type"), "allowed_tools"))
		return read_allowed(rd, tree_get(n, "allowed_tools"));
	else if ((r->choice_name = chosen(rd, n)).n > 0)
		r->choice = MSG_CHOICE_TOOL;
	else
		return msg_refuse(rd->f, "tool_choice", "tool_choice must be "
		    "auto, none, required, or name a function");
	return 0;
}

static void
read_format(struct read *rd, const struct node *n)
{
	const struct node *type = tree_get(n, "type"), *schema;
	struct msg_request *r = rd->r;

	if (n == NULL || tree_is(type, "text"))
		return;
	if (tree_is(type, "json_object")) {
		r->format = MSG_FORMAT_JSON;
		return;
	}
	if (!tree_is(type, "json_schema")) {
		note(rd, "drop:", str_of("response_format"));
		return;
	}
	schema = tree_get(n, "json_schema");
	r->schema = tree_get(schema, "schema");
	r->format = r->schema != NULL ? MSG_FORMAT_SCHEMA : MSG_FORMAT_JSON;
	if (tree_get_text(schema, "name").n > 0)
		r->schema_name = tree_get_text(schema, "name");
}

static int
read_stops(struct read *rd, const struct node *n)
{
	struct msg_string **list = &rd->r->stops, *s;
	const struct node *e = n;

	if (n != NULL && n->type == JSON_ARRAY)
		e = n->child;
	for (; e != NULL; e = e->next) {
		if (e->type == JSON_STRING) {
			s = msg_string_add(rd->r->arena, list, tree_text(e));
			if (s == NULL)
				return -1;
			list = &s->next;
		}
		if (e == n)
			break;
	}
	return 0;
}

/* D-O7 */
static void
read_numbers(struct msg_request *r, const struct node *body)
{
	const struct node *bias = tree_get(body, "logit_bias");

	r->max_tokens = tree_get_number(body, "max_completion_tokens");
	if (r->max_tokens.p == NULL)
		r->max_tokens = tree_get_number(body, "max_tokens");
	r->temperature = tree_get_number(body, "temperature");
	r->top_p = tree_get_number(body, "top_p");
	r->top_k = tree_get_number(body, "top_k");
	r->presence_penalty = tree_get_number(body, "presence_penalty");
	r->frequency_penalty = tree_get_number(body, "frequency_penalty");
	r->seed = tree_get_number(body, "seed");
	r->n = tree_get_number(body, "n");
	r->logprobs = tree_is_true(body, "logprobs") ? 1 : 0;
	r->top_logprobs = tree_get_number(body, "top_logprobs");
	if (bias != NULL && bias->type == JSON_OBJECT && bias->child != NULL)
		r->logit_bias = bias->raw;
}

static void
read_options(struct read *rd, const struct node *body)
{
	const struct node *tier = tree_get(body, "service_tier");
	struct str effort = plain(rd, body, "reasoning_effort");
	struct msg_request *r = rd->r;

	r->budget = -1;
	if (effort.p != NULL) {
		r->effort = msg_effort_of(effort);
		if (r->effort == MSG_EFFORT_UNSET)
			note(rd, "drop:", str_of("reasoning_effort"));
		else if (r->effort == MSG_EFFORT_NONE) {
			r->effort = MSG_EFFORT_UNSET;
			r->thinking = MSG_THINK_OFF;
		} else {
			r->thinking = MSG_THINK_ADAPTIVE;
			r->thoughts = 1;
		}
	}
	r->user = tree_get_text(body, "safety_identifier");
	if (r->user.p == NULL)
		r->user = tree_get_text(body, "user");
	if (tree_is(tier, "default"))
		r->tier = MSG_TIER_STANDARD;
	else if (tree_is(tier, "priority") || tree_is(tier, "fast"))
		r->tier = MSG_TIER_PRIORITY;
	else if (tree_is(tier, "flex"))
		r->tier = MSG_TIER_FLEX;
	if (tree_get(body, "web_search_options") != NULL)
		note(rd, "drop:", str_of("web_search_options"));
	r->parallel_off = tree_is_false(body, "parallel_tool_calls") ? 1 : 0;
	r->stream = tree_is_true(body, "stream") ? 1 : 0;
	r->include_usage = tree_is_true(tree_get(body, "stream_options"),
	    "include_usage") ? 1 : 0;
}

/* D-O1: what has no equivalent anywhere. */
static int
refuse(const struct node *body, struct msg_fault *f)
{
	const struct node *modes = tree_get(body, "modalities"), *n;

	if (body == NULL || body->type != JSON_OBJECT)
		return msg_refuse(f, "", "the body must be a JSON object");
	if (tree_get(body, "functions") != NULL)
		return msg_refuse(f, "functions",
		    "functions is not supported: use tools");
	if (tree_get(body, "function_call") != NULL)
		return msg_refuse(f, "function_call",
		    "function_call is not supported: use tool_choice");
	for (n = is_array(modes) ? modes->child : NULL; n != NULL; n = n->next)
		if (!tree_is(n, "text"))
			return msg_refuse(f, "modalities",
			    "modalities: only text is supported");
	return 0;
}

int
openai_read_request(struct msg_request *r, const struct node *body,
    const struct dialect_call *call, struct msg_fault *f)
{
	struct read rd;

	(void)call;
	memset(&rd, 0, sizeof rd);
	rd.r = r;
	rd.f = f;
	if (refuse(body, f) < 0 || read_messages(&rd, body) < 0 ||
	    read_tools(&rd, tree_get(body, "tools")) < 0 ||
	    read_choice(&rd, tree_get(body, "tool_choice")) < 0 ||
	    read_stops(&rd, tree_get(body, "stop")) < 0)
		return -1;
	r->model = plain(&rd, body, "model");
	read_numbers(r, body);
	read_options(&rd, body);
	read_format(&rd, tree_get(body, "response_format"));
	return r->arena->bad ? -1 : 0;
}

/* A text with pieces cut out or put in, written as far as pos. */
struct edit {
	struct buf *out;
	struct arena *arena;
	struct str text;
	size_t pos;
	unsigned changed:1;
};

/* Puts s in the place of the bytes from a up to b. */
static void
put(struct edit *e, const char *a, const char *b, struct str s)
{
	size_t from = (size_t)(a - e->text.p);

	buf_add(e->out, e->text.p + e->pos, from - e->pos);
	buf_addstr(e->out, s);
	e->pos = (size_t)(b - e->text.p);
	e->changed = 1;
}

static const char *
end_of(const struct node *n)
{
	return n->raw.p + n->raw.n;
}

/* A call's id without what it carries, in OpenAI's shape. */
static void
clean_id(struct edit *e, const struct node *id)
{
	struct str was, now, carried;
	struct buf b;

	if (id->type != JSON_STRING)
		return;
	was = text_plain(e->arena, tree_text(id));
	now = names_id(e->arena, split(e->arena, was, &carried),
	    DIALECT_OPENAI);
	if (str_eq(was, now))
		return;
	buf_init(&b, 6 * now.n + 2);
	json_write(&b, now);
	put(e, id->raw.p, end_of(id), arena_take(e->arena, &b));
	buf_free(&b);
}

static void
clean_calls(struct edit *e, const struct node *calls)
{
	const struct node *call, *n;

	if (calls->type != JSON_ARRAY)
		return;
	for (call = calls->child; call != NULL; call = call->next) {
		if (call->type != JSON_OBJECT)
			continue;
		for (n = call->child; n != NULL; n = n->next)
			if (tree_key_is(n, "id"))
				clean_id(e, n);
	}
}

/* Foreign members go, together with one comma each. */
static void
clean_message(struct edit *e, const struct node *m)
{
	const struct node *n, *kept = NULL;
	struct str none = { "", 0 };

	if (m->type != JSON_OBJECT)
		return;
	for (n = m->child; n != NULL; n = n->next) {
		if (!tree_key_is(n, "thinking_blocks") &&
		    !tree_key_is(n, "reasoning_content")) {
			if (tree_key_is(n, "tool_call_id"))
				clean_id(e, n);
			else if (tree_key_is(n, "tool_calls"))
				clean_calls(e, n);
			kept = n;
		} else if (kept != NULL) {
			/* With the comma before it, and any gap. */
			put(e, e->text.p + e->pos > end_of(kept) ?
			    e->text.p + e->pos : end_of(kept), end_of(n),
			    none);
		} else
			put(e, n->key.p - 1, n->next != NULL ?
			    n->next->key.p - 1 : end_of(n), none);
	}
}

/* 1 if what stands around the byte at i is before (without it) and after. */
static int
stands(struct str text, size_t i, const char *before, const char *after)
{
	size_t b = strlen(before), n = strlen(after);

	return i >= b && text.n - i >= n &&
	    memcmp(text.p + i - b, before, b) == 0 &&
	    memcmp(text.p + i, after, n) == 0;
}

/* 1 if a string that is longer than a call's id may be follows a name. */
static int
is_long(struct str text, size_t i)
{
	while (i < text.n && memchr(" \t\r\n:", text.p[i], 5) != NULL)
		i++;
	return i < text.n && text.p[i] == '"' &&
	    text.n - i > ID_LONG + 1 &&
	    memchr(text.p + i + 1, '"', ID_LONG + 1) == NULL;
}

/*
 * 1 if there may be something to clean.  One fast pass: all that is sought
 * has an underscore in it, and a call's id stands in its result as well.
 */
static int
suspect(struct str text)
{
	const char *p = text.p, *end = text.p + text.n;
	size_t i;

	while (p < end && (p = memchr(p, '_', (size_t)(end - p))) != NULL) {
		i = (size_t)(p++ - text.p);
		if (stands(text, i, "", "__ts_") ||
		    stands(text, i, "thinking", "_blocks") ||
		    stands(text, i, "reasoning", "_content") ||
		    (stands(text, i, "\"tool", RESULT_ID) &&
		    is_long(text, i + sizeof RESULT_ID - 1)))
			return 1;
	}
	return 0;
}

int
openai_clean(struct buf *out, struct arena *a, struct str text,
    struct str model)
{
	const struct node *body, *n, *m;
	struct edit e;

	(void)model;
	if (!suspect(text))
		return 0;
	if ((body = tree_parse(a, text)) == NULL)
		return a->bad ? -1 : 0;
	if (body->type != JSON_OBJECT)
		return 0;
	memset(&e, 0, sizeof e);
	e.out = out;
	e.arena = a;
	e.text = text;
	for (n = body->child; n != NULL; n = n->next)
		if (n->type == JSON_ARRAY && tree_key_is(n, "messages"))
			for (m = n->child; m != NULL; m = m->next)
				clean_message(&e, m);
	if (e.changed)
		buf_add(out, text.p + e.pos, text.n - e.pos);
	return out->bad || a->bad ? -1 : (int)e.changed;
}
