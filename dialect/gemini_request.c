#include "dialect/gemini_request.h"

#include <stddef.h>
#include <string.h>

#include "dialect/gemini_parts.h"
#include "dialect/names.h"
#include "dialect/schema.h"
#include "json.h"

#define SCRATCH_MAX ((size_t)256 << 20)

struct reading {
	struct msg_request *r;
	struct msg_fault *f;
	struct msg_tool **tools;	/* the end of each list */
	struct msg_string **stops;
};

typedef int reading_fn(struct reading *, const struct node *);

static struct node *
get(const struct node *n, const char *camel)
{
	return gemini_parts_get(n, camel);
}

static struct str
plain(const struct reading *g, const struct node *n, const char *camel)
{
	return gemini_parts_plain(g->r->arena, n, camel);
}

/* Each element of a list; what is none counts as its only element. */
static int
each(struct reading *g, const struct node *list, reading_fn *read)
{
	const struct node *n;

	if (list == NULL)
		return 0;
	if (list->type != JSON_ARRAY)
		return read(g, list);
	for (n = list->child; n != NULL; n = n->next)
		if (read(g, n) == -1)
			return -1;
	return 0;
}

/* ---- tools ---- */

/* S-J: one of Gemini's own schemas as JSON Schema. */
static int
json_schema(struct reading *g, const struct node *s, struct node **out)
{
	struct arena *a = g->r->arena;
	struct buf b;
	int rc;

	buf_init(&b, SCRATCH_MAX);
	rc = schema_json(&b, a, s);
	if (rc == 0)
		*out = tree_parse(a, arena_take(a, &b));
	buf_free(&b);
	if (rc == -1)
		a->bad = 1;
	return a->bad ? -1 : 0;
}

static int
read_function(struct reading *g, const struct node *n)
{
	struct msg_tool *t;
	struct node *schema;
	struct str name;

	if (n->type != JSON_OBJECT)
		return msg_refuse(g->f, "tools",
		    "tools: a function declaration is not an object");
	name = plain(g, n, "name");
	if (name.n == 0)
		return msg_refuse(g->f, "tools",
		    "tools: a function declaration has no name");
	if ((t = msg_tool_add(g->r->arena, g->tools)) == NULL)
		return -1;
	g->tools = &t->next;
	t->name = name;
	t->description = tree_get_text(n, "description");
	t->schema = get(n, "parametersJsonSchema");
	schema = tree_get(n, "parameters");
	if (t->schema == NULL && schema != NULL)
		return json_schema(g, schema, &t->schema);
	return 0;
}

static int
read_tool(struct reading *g, const struct node *n)
{
	const struct node *m;

	if (n->type != JSON_OBJECT)
		return msg_refuse(g->f, "tools",
		    "tools: an element is not an object");
	for (m = n->child; m != NULL; m = m->next) {
		if (m->type == JSON_NULL)
			continue;
		if (!gemini_parts_key_is(m, "functionDeclarations"))
			msg_note(g->r->arena, g->r->notes, "drop:tool.",
			    text_plain(g->r->arena, m->key));
		else if (each(g, m, read_function) == -1)
			return -1;
	}
	return 0;
}

static void
keep_tools(struct msg_request *r, const struct msg_string *names)
{
	struct msg_tool **t = &r->tools;
	const struct msg_string *s;

	while (*t != NULL) {
		for (s = names; s != NULL; s = s->next)
			if (str_eq(s->s, (*t)->name))
				break;
		if (s != NULL)
			t = &(*t)->next;
		else
			*t = (*t)->next;
	}
}

static int
read_choice(struct reading *g, const struct node *config)
{
	const struct node *n;
	struct msg_request *r = g->r;
	struct msg_string *names = NULL, **end = &names;
	struct str mode = tree_get_text(config, "mode");

	if (str_caseis(mode, "AUTO") || str_caseis(mode, "VALIDATED"))
		r->choice = MSG_CHOICE_AUTO;
	else if (str_caseis(mode, "NONE"))
		r->choice = MSG_CHOICE_NONE;
	if (!str_caseis(mode, "ANY"))
		return 0;
	r->choice = MSG_CHOICE_ANY;
	n = get(config, "allowedFunctionNames");
	for (n = n == NULL || n->type != JSON_ARRAY ? NULL : n->child;
	    n != NULL; n = n->next) {
		if (n->type != JSON_STRING)
			continue;
		if (msg_string_add(r->arena, end,
		    text_plain(r->arena, tree_text(n))) == NULL)
			return -1;
		end = &(*end)->next;
	}
	if (names != NULL && names->next == NULL) {
		r->choice = MSG_CHOICE_TOOL;
		r->choice_name = names->s;
	} else if (names != NULL)
		keep_tools(r, names);
	return 0;
}

/* ---- generationConfig and the rest ---- */

static int
read_stop(struct reading *g, const struct node *n)
{
	struct msg_string *s;

	if (n->type != JSON_STRING)
		return 0;
	s = msg_string_add(g->r->arena, g->stops, tree_text(n));
	if (s == NULL)
		return -1;
	g->stops = &s->next;
	return 0;
}

static int
read_modality(struct reading *g, const struct node *n)
{
	struct str s = tree_text(n);

	if (str_caseis(s, "TEXT") || str_caseis(s, "MODALITY_UNSPECIFIED"))
		return 0;
	return msg_refuse(g->f, "generationConfig.responseModalities",
	    "generationConfig.responseModalities: only TEXT is supported "
	    "for this model");
}

static int
read_format(struct reading *g, const struct node *config)
{
	struct msg_request *r = g->r;
	struct str type = plain(g, config, "responseMimeType");
	struct node *schema;

	if (type.n == 0 || str_caseis(type, "text/plain"))
		return 0;
	if (!str_caseis(type, "application/json")) {
		msg_note(r->arena, r->notes, "drop:responseMimeType",
		    str_n("", 0));
		return 0;
	}
	r->format = MSG_FORMAT_JSON;
	r->schema = get(config, "responseJsonSchema");
	schema = get(config, "responseSchema");
	if (r->schema == NULL && schema != NULL &&
	    json_schema(g, schema, &r->schema) == -1)
		return -1;
	if (r->schema != NULL)
		r->format = MSG_FORMAT_SCHEMA;
	return 0;
}

static void
read_thinking(struct reading *g, const struct node *config)
{
	struct msg_request *r = g->r;
	const struct node *budget = get(config, "thinkingBudget");
	struct str level = plain(g, config, "thinkingLevel");
	double tokens;

	r->thoughts = tree_is_true(config, "includeThoughts") ||
	    tree_is_true(config, "include_thoughts") ? 1 : 0;
	r->thoughts_off = tree_is_false(config, "includeThoughts") ||
	    tree_is_false(config, "include_thoughts") ? 1 : 0;
	if (level.n > 0)
		r->effort = msg_effort_of(gemini_parts_lower(r->arena, level));
	if (r->effort != MSG_EFFORT_UNSET)
		r->thinking = MSG_THINK_ADAPTIVE;
	else if (budget != NULL && json_double(budget->raw, &tokens) == 0) {
		r->thinking = tokens < 0 ? MSG_THINK_ADAPTIVE
		    : tokens < 1 ? MSG_THINK_OFF : MSG_THINK_ON;
		if (r->thinking == MSG_THINK_ON)
			r->budget = tokens > 1e9 ? 1000000000
			    : (int64_t)tokens;
	} else if (r->thoughts)
		r->thinking = MSG_THINK_ADAPTIVE;
}

static int
read_config(struct reading *g, const struct node *config)
{
	static const struct {
		const char *name;
		size_t at;
	} numbers[] = {
		{ "maxOutputTokens", offsetof(struct msg_request, max_tokens) },
		{ "temperature", offsetof(struct msg_request, temperature) },
		{ "topP", offsetof(struct msg_request, top_p) },
		{ "topK", offsetof(struct msg_request, top_k) },
		{ "presencePenalty",
		    offsetof(struct msg_request, presence_penalty) },
		{ "frequencyPenalty",
		    offsetof(struct msg_request, frequency_penalty) },
		{ "seed", offsetof(struct msg_request, seed) },
		{ "candidateCount", offsetof(struct msg_request, n) },
		{ "logprobs", offsetof(struct msg_request, top_logprobs) }
	};
	const struct node *n;
	size_t i;

	for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		n = get(config, numbers[i].name);
		if (n != NULL && n->type == JSON_NUMBER)
			*(struct str *)(void *)((char *)g->r + numbers[i].at) =
			    n->raw;
	}
	n = get(config, "responseLogprobs");
	g->r->logprobs = n != NULL && n->type == JSON_TRUE ? 1 : 0;
	read_thinking(g, get(config, "thinkingConfig"));
	if (each(g, get(config, "stopSequences"), read_stop) == -1 ||
	    each(g, get(config, "responseModalities"), read_modality) == -1)
		return -1;
	return read_format(g, config);
}

/* What only the server that keeps it knows. */
static int
refuse_state(struct reading *g, const struct node *body)
{
	static const char *const names[] = {
		"cachedContent", "continuationToken"
	};
	const struct node *n;
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		n = get(body, names[i]);
		if (n != NULL && !tree_is(n, ""))
			return msg_refuse(g->f, names[i],
			    "%s is not supported for this model", names[i]);
	}
	return 0;
}

static void
read_tier(struct msg_request *r, struct str tier)
{
	if (str_caseis(tier, "standard"))
		r->tier = MSG_TIER_STANDARD;
	else if (str_caseis(tier, "priority"))
		r->tier = MSG_TIER_PRIORITY;
	else if (str_caseis(tier, "flex"))
		r->tier = MSG_TIER_FLEX;
}

int
gemini_read_request(struct msg_request *r, const struct node *body,
    const struct dialect_call *call, struct msg_fault *f)
{
	const struct node *contents;
	struct reading g;

	memset(&g, 0, sizeof g);
	g.r = r;
	g.f = f;
	g.tools = &r->tools;
	g.stops = &r->stops;
	if (call->op == OP_COUNT && get(body, "generateContentRequest") != NULL)
		body = get(body, "generateContentRequest");
	r->model = call->model;
	r->stream = call->stream;
	r->budget = -1;
	contents = tree_get(body, "contents");
	if (contents == NULL || (contents->type != JSON_ARRAY &&
	    contents->type != JSON_OBJECT))
		return msg_refuse(f, "contents", "contents is missing");
	if (refuse_state(&g, body) == -1 ||
	    gemini_parts_system(r, get(body, "systemInstruction")) == -1 ||
	    gemini_parts_contents(r, contents, f) == -1 ||
	    each(&g, tree_get(body, "tools"), read_tool) == -1 ||
	    read_choice(&g, get(get(body, "toolConfig"),
	    "functionCallingConfig")) == -1 ||
	    read_config(&g, get(body, "generationConfig")) == -1)
		return -1;
	read_tier(r, tree_text(get(body, "serviceTier")));
	return r->arena->bad ? -1 : 0;
}

/* ---- 3.8 ---- */

/* A thoughtSignature that we minted, in its envelope or without. */
static int
foreign(struct arena *a, const struct node *m)
{
	struct str text = tree_text(m);

	if (text.p == NULL || !gemini_parts_key_is(m, "thoughtSignature"))
		return 0;
	text = text_plain(a, text);
	if (names_marked(text))
		return 1;
	text = text_base64_decode(a, text);
	return text.p != NULL && names_marked(text);
}

static int
part_foreign(struct arena *a, const struct node *part)
{
	const struct node *m;

	for (m = part->type == JSON_OBJECT ? part->child : NULL; m != NULL;
	    m = m->next)
		if (foreign(a, m))
			return 1;
	return 0;
}

static int
content_foreign(struct arena *a, const struct node *content)
{
	const struct node *parts = get(content, "parts"), *p;

	if (parts == NULL || parts->type != JSON_ARRAY)
		return 0;
	for (p = parts->child; p != NULL; p = p->next)
		if (part_foreign(a, p))
			return 1;
	return 0;
}

/* Whatever of text stands between two of its places. */
static void
add_between(struct buf *out, const char *from, const char *to)
{
	buf_add(out, from, (size_t)(to - from));
}

/* The part without the signature; nothing if it was an empty thought. */
static void
clean_part(struct buf *out, struct arena *a, const struct node *part)
{
	const struct node *m;
	size_t start;

	if (tree_is_true(part, "thought") &&
	    tree_get_text(part, "text").n == 0)
		return;
	buf_addc(out, '{');
	start = out->len;
	for (m = part->child; m != NULL; m = m->next) {
		if (foreign(a, m))
			continue;
		if (out->len > start)
			buf_addc(out, ',');
		buf_addc(out, '"');
		buf_addstr(out, m->key);
		buf_adds(out, "\":");
		buf_addstr(out, m->raw);
	}
	buf_addc(out, '}');
}

/* A list with those elements cleaned that need it; how many are left. */
static unsigned
clean_list(struct buf *out, struct arena *a, const struct node *list,
    int (*dirty)(struct arena *, const struct node *),
    void (*clean)(struct buf *, struct arena *, const struct node *))
{
	const struct node *n;
	size_t before, start;
	unsigned left = 0;

	buf_addc(out, '[');
	for (n = list->child; n != NULL; n = n->next) {
		before = out->len;
		if (left > 0)
			buf_addc(out, ',');
		start = out->len;
		if (dirty(a, n))
			clean(out, a, n);
		else
			buf_addstr(out, n->raw);
		if (out->len > start)
			left++;
		else
			buf_cut(out, before);
	}
	buf_addc(out, ']');
	return left;
}

/* The content with its parts cleaned; nothing if none is left. */
static void
clean_content(struct buf *out, struct arena *a, const struct node *content)
{
	const struct node *parts = get(content, "parts");
	size_t before = out->len;

	add_between(out, content->raw.p, parts->raw.p);
	if (clean_list(out, a, parts, part_foreign, clean_part) == 0)
		buf_cut(out, before);
	else
		add_between(out, parts->raw.p + parts->raw.n,
		    content->raw.p + content->raw.n);
}

static int
any_foreign(struct arena *a, const struct node *contents)
{
	const struct node *n;

	if (contents->type != JSON_ARRAY)
		return content_foreign(a, contents);
	for (n = contents->child; n != NULL; n = n->next)
		if (content_foreign(a, n))
			return 1;
	return 0;
}

/* 1 if what we mint could be in the text: as it is, or in base64. */
static int
suspicious(struct str text)
{
	const char *p = text.p, *end = text.p + text.n;

	for (; (p = memchr(p, 'x', (size_t)(end - p))) != NULL; p++) {
		if (end - p >= 4 && memcmp(p, "xl1.", 4) == 0)
			return 1;
		if (p - text.p >= 3 && end - p >= 3 &&
		    memcmp(p - 3, "eGwxLm", 6) == 0)
			return 1;
	}
	return 0;
}

int
gemini_clean(struct buf *out, struct arena *a, struct str text,
    struct str model)
{
	const struct node *body, *contents, *inner;
	size_t before;

	(void)model;
	if (text.n == 0 || !suspicious(text))
		return 0;
	if ((body = tree_parse(a, text)) == NULL)
		return a->bad ? -1 : 0;
	inner = get(body, "generateContentRequest");
	contents = tree_get(inner != NULL ? inner : body, "contents");
	if (contents == NULL || !any_foreign(a, contents))
		return a->bad ? -1 : 0;
	add_between(out, text.p, contents->raw.p);
	before = out->len;
	if (contents->type == JSON_ARRAY)
		clean_list(out, a, contents, content_foreign, clean_content);
	else
		clean_content(out, a, contents);
	if (out->len == before)
		buf_adds(out, "[]");
	add_between(out, contents->raw.p + contents->raw.n,
	    text.p + text.n);
	return a->bad || out->bad ? -1 : 1;
}
