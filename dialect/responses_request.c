#include "dialect/responses_request.h"

#include <stdlib.h>

#include "dialect/names.h"

/*
 * An assistant's items in a row, as the one message of a chat that they
 * would be: thinking, then content, then calls.
 */
struct group {
	struct msg_part *think, **think_end;
	struct msg_part *content, **content_end;
	struct msg_part *calls, **calls_end;
	unsigned text:1;	/* an assistant message is in it */
};

struct reader {
	struct msg_request *r;
	struct arena *a;
	struct msg_fault *f;
	struct msg_turn **end;	/* where the next turn goes */
	struct msg_part **system_end;
	struct msg_tool **tools_end;
	struct group group;
	unsigned at;		/* index of the item, for faults */
	unsigned begun:1;	/* something other than a system text came */
};

/* What may stand in a content. */
enum { MEDIA = 1, REFUSAL = 2 };

/* Each list is added to at its end: a walk per item would be quadratic. */
static struct msg_part *
part_add(struct reader *rd, struct msg_part ***end, enum msg_kind kind)
{
	struct msg_part *p;

	p = msg_part_add(rd->a, *end, kind);
	if (p != NULL)
		*end = &p->next;
	return p;
}

static int
text_put(struct reader *rd, struct msg_part ***end, struct str text)
{
	struct msg_part *p;

	p = part_add(rd, end, MSG_TEXT);
	if (p == NULL)
		return -1;
	p->text = text;
	return 0;
}

static struct msg_turn *
turn_add(struct reader *rd, enum msg_role role)
{
	struct msg_turn *t;

	t = msg_turn_add(rd->a, rd->end, role);
	if (t != NULL)
		rd->end = &t->next;
	return t;
}

static void
group_start(struct group *g)
{
	g->think = g->content = g->calls = NULL;
	g->think_end = &g->think;
	g->content_end = &g->content;
	g->calls_end = &g->calls;
	g->text = 0;
}

/* The assistant's message is over. */
static int
group_end(struct reader *rd)
{
	struct group *g = &rd->group;
	struct msg_turn *t;

	*g->content_end = g->calls;
	*g->think_end = g->content;
	if (g->think != NULL) {
		t = turn_add(rd, MSG_ASSISTANT);
		if (t == NULL)
			return -1;
		t->parts = g->think;
	}
	group_start(g);
	return 0;
}

static struct str
get_plain(struct reader *rd, const struct node *n, const char *name)
{
	return text_plain(rd->a, tree_get_text(n, name));
}

/* ---- parts of a content ---- */

static int
read_data(struct reader *rd, struct msg_part ***end, struct str url,
    struct str *type, struct msg_part **made)
{
	struct msg_part *p;
	struct str data;

	if (msg_data_url(rd->a, url, type, &data) == -1)
		return msg_refuse(rd->f, "input", "input[%u]: a data URL is "
		    "not in base64", rd->at);
	if (str_is(*type, "image/jpg"))
		*type = str_of("image/jpeg");
	*made = NULL;
	if (str_starts(*type, "text/"))
		return 0;
	p = part_add(rd, end, str_is(*type, "application/pdf") ? MSG_DOC :
	    MSG_IMAGE);
	if (p == NULL)
		return -1;
	p->data = data;
	p->type = *type;
	*made = p;
	return 0;
}

static int
read_image(struct reader *rd, struct msg_part ***end, const struct node *n)
{
	struct str url, type, plain;
	struct msg_part *p;

	url = tree_get_text(n, "image_url");
	if (url.n == 0)
		return msg_refuse(rd->f, "input", "input[%u]: input_image "
		    "needs image_url; file ids are not supported", rd->at);
	if (str_casestarts(url, "data:")) {
		if (read_data(rd, end, url, &type, &p) == -1)
			return -1;
		if (p == NULL)
			return msg_refuse(rd->f, "input", "input[%u]: "
			    "image_url holds no image", rd->at);
		return 0;
	}
	plain = text_plain(rd->a, url);
	if (!str_casestarts(plain, "http://") &&
	    !str_casestarts(plain, "https://"))
		return msg_refuse(rd->f, "input", "input[%u]: image_url must "
		    "be a data:, http: or https: URL", rd->at);
	p = part_add(rd, end, MSG_IMAGE);
	if (p == NULL)
		return -1;
	p->url = url;
	return 0;
}

/* A file of text: its bytes go into the conversation itself. */
static int
read_text_file(struct reader *rd, struct msg_part ***end, struct str url,
    struct str title)
{
	struct str type, data, bytes;
	struct msg_part inside;

	if (msg_data_url(rd->a, url, &type, &data) == -1)
		return -1;
	bytes = text_base64_decode(rd->a, text_plain(rd->a, data));
	if (bytes.p == NULL)
		return msg_refuse(rd->f, "input", "input[%u]: file_data is "
		    "not in base64", rd->at);
	memset(&inside, 0, sizeof inside);
	inside.kind = MSG_TEXT;
	inside.text = text_of(rd->a, bytes);
	return text_put(rd, end, msg_document(rd->a, title, str_n(NULL, 0),
	    &inside));
}

static int
read_file(struct reader *rd, struct msg_part ***end, const struct node *n)
{
	struct str url, type, title;
	struct msg_part *p;

	url = tree_get_text(n, "file_data");
	title = tree_get_text(n, "filename");
	if (title.n == 0)
		title.p = NULL;
	if (!str_casestarts(url, "data:"))
		return msg_refuse(rd->f, "input", "input[%u]: input_file "
		    "needs file_data with a data URL; file ids and URLs are "
		    "not supported", rd->at);
	if (read_data(rd, end, url, &type, &p) == -1)
		return -1;
	if (p == NULL)
		return read_text_file(rd, end, url, title);
	if (p->kind == MSG_DOC)
		p->title = title;
	else if (!str_starts(type, "image/"))
		return msg_refuse(rd->f, "input", "input[%u]: files of that "
		    "type are not supported", rd->at);
	return 0;
}

static int
read_audio(struct reader *rd, struct msg_part ***end, const struct node *n)
{
	const struct node *audio;
	struct msg_part *p;
	struct str data;

	audio = tree_get(n, "input_audio");
	data = tree_get_text(audio, "data");
	if (data.n == 0)
		return msg_refuse(rd->f, "input", "input[%u]: input_audio "
		    "has no data", rd->at);
	p = part_add(rd, end, MSG_AUDIO);
	if (p == NULL)
		return -1;
	p->data = data;
	p->type = str_of(tree_is(tree_get(audio, "format"), "mp3") ?
	    "audio/mp3" : "audio/wav");
	return 0;
}

static int
read_part(struct reader *rd, struct msg_part ***end, const struct node *n,
    unsigned may)
{
	const struct node *type;
	struct str text;

	type = tree_get(n, "type");
	if (tree_is(type, "input_text") || tree_is(type, "output_text") ||
	    tree_is(type, "text"))
		text = tree_get_text(n, "text");
	else if ((may & REFUSAL) && tree_is(type, "refusal"))
		text = tree_get_text(n, "refusal");
	else if ((may & MEDIA) && tree_is(type, "input_image"))
		return read_image(rd, end, n);
	else if ((may & MEDIA) && tree_is(type, "input_file"))
		return read_file(rd, end, n);
	else if ((may & MEDIA) && tree_is(type, "input_audio"))
		return read_audio(rd, end, n);
	else
		return msg_refuse(rd->f, "input", "input[%u]: content of "
		    "that type is not supported here", rd->at);
	return text.n == 0 ? 0 : text_put(rd, end, text);
}

/* A string, or an array of parts; null is nothing. */
static int
read_content(struct reader *rd, struct msg_part ***end, const struct node *n,
    unsigned may)
{
	const struct node *e;
	struct str text;

	if (n == NULL)
		return 0;
	if (n->type == JSON_STRING) {
		text = tree_text(n);
		return text.n == 0 ? 0 : text_put(rd, end, text);
	}
	if (n->type != JSON_ARRAY)
		return msg_refuse(rd->f, "input", "input[%u]: content must "
		    "be a string or an array", rd->at);
	for (e = n->child; e != NULL; e = e->next)
		if (read_part(rd, end, e, may) == -1)
			return -1;
	return 0;
}

/* ---- items ---- */

/* Before the conversation begins a system text, later a turn in place. */
static int
read_system(struct reader *rd, const struct node *content)
{
	struct msg_part *list = NULL, **end = &list, *p, **from;
	struct msg_turn *t;

	if (group_end(rd) == -1 || read_content(rd, &end, content, 0) == -1)
		return -1;
	for (from = &list; (p = *from) != NULL; ) {
		if (text_blank(p->text))
			*from = p->next;
		else
			from = &p->next;
	}
	if (list == NULL)
		return 0;
	if (!rd->begun) {
		*rd->system_end = list;
		rd->system_end = from;
		return 0;
	}
	t = turn_add(rd, MSG_SYSTEM);
	return t != NULL && msg_text_add(rd->a, &t->parts,
	    msg_join(rd->a, list, "\n\n")) != NULL ? 0 : -1;
}

static int
read_user(struct reader *rd, const struct node *content)
{
	struct msg_part **end;
	struct msg_turn *t;

	rd->begun = 1;
	if (group_end(rd) == -1)
		return -1;
	t = turn_add(rd, MSG_USER);
	if (t == NULL)
		return -1;
	end = &t->parts;
	return read_content(rd, &end, content, MEDIA);
}

static int
read_message(struct reader *rd, const struct node *item)
{
	const struct node *role, *content;

	role = tree_get(item, "role");
	content = tree_get(item, "content");
	if (tree_is(role, "user"))
		return read_user(rd, content);
	if (tree_is(role, "system") || tree_is(role, "developer"))
		return read_system(rd, content);
	if (!tree_is(role, "assistant"))
		return msg_refuse(rd->f, "input", "input[%u]: role must be "
		    "user, assistant, system or developer", rd->at);
	rd->begun = 1;
	if (rd->group.text && group_end(rd) == -1)
		return -1;
	rd->group.text = 1;
	return read_content(rd, &rd->group.content_end, content, REFUSAL);
}

/* A call, or the output of one: its id without what it carries. */
static int
read_id(struct reader *rd, struct msg_part *p, const struct node *item)
{
	struct str id;

	id = get_plain(rd, item, "call_id");
	if (id.n == 0)
		id = get_plain(rd, item, "id");
	if (id.n == 0)
		return msg_refuse(rd->f, "input", "input[%u] has no call_id",
		    rd->at);
	p->id = names_split(rd->a, id, &p->signature);
	return 0;
}

static struct str
custom_args(struct reader *rd, const struct node *item)
{
	struct buf b;
	struct str s;

	s = tree_get_text(item, "input");
	buf_init(&b, s.n + 16);
	buf_adds(&b, "{\"input\":\"");
	buf_addstr(&b, s);
	buf_adds(&b, "\"}");
	s = arena_take(rd->a, &b);
	buf_free(&b);
	return s;
}

static int
read_call(struct reader *rd, const struct node *item, int custom)
{
	struct msg_part *p;
	int repaired = 0;

	rd->begun = 1;
	p = part_add(rd, &rd->group.calls_end, MSG_CALL);
	if (p == NULL || read_id(rd, p, item) == -1)
		return -1;
	p->name = get_plain(rd, item, "name");
	if (p->name.n == 0)
		return msg_refuse(rd->f, "input", "input[%u] has no name",
		    rd->at);
	if (custom) {
		p->custom = 1;
		p->args = custom_args(rd, item);
		return 0;
	}
	p->args = text_to_object(rd->a, tree_get_text(item, "arguments"),
	    &repaired);
	if (repaired)
		msg_note(rd->a, rd->r->notes, "repair:",
		    str_of("tool_arguments"));
	return 0;
}

static int
read_function(struct reader *rd, const struct node *item)
{
	return read_call(rd, item, 0);
}

static int
read_custom(struct reader *rd, const struct node *item)
{
	return read_call(rd, item, 1);
}

static int
read_output(struct reader *rd, const struct node *item)
{
	const struct node *output;
	struct msg_part *p, **end;
	struct msg_turn *t;
	struct buf b;

	rd->begun = 1;
	if (group_end(rd) == -1)
		return -1;
	t = turn_add(rd, MSG_USER);
	if (t == NULL)
		return -1;
	p = msg_part_add(rd->a, &t->parts, MSG_RESULT);
	if (p == NULL || read_id(rd, p, item) == -1)
		return -1;
	p->signature = str_n(NULL, 0);
	p->custom = tree_is(tree_get(item, "type"),
	    "custom_tool_call_output") != 0;
	end = &p->parts;
	output = tree_get(item, "output");
	if (output == NULL || output->type == JSON_STRING ||
	    output->type == JSON_ARRAY)
		return read_content(rd, &end, output, MEDIA);
	/* Not of the API, but its meaning is plain. */
	buf_init(&b, 6 * output->raw.n + 16);
	text_nest(&b, output->raw);
	text_put(rd, &end, arena_take(rd->a, &b));
	buf_free(&b);
	return 0;
}

static struct str
summary(struct reader *rd, const struct node *item)
{
	struct msg_part *list = NULL, **end = &list;
	const struct node *n;

	n = tree_get(item, "summary");
	if (n == NULL || n->type != JSON_ARRAY)
		return str_n("", 0);
	for (n = n->child; n != NULL; n = n->next)
		if (tree_get_text(n, "text").n > 0)
			text_put(rd, &end, tree_get_text(n, "text"));
	return list == NULL ? str_n("", 0) : msg_join(rd->a, list, "\n\n");
}

/* Only Claude's own thoughts, which it must have back, mean something. */
static int
read_reasoning(struct reader *rd, const struct node *item)
{
	struct str envelope, inside;
	struct msg_part *p;
	int what;

	if ((rd->group.content != NULL || rd->group.calls != NULL) &&
	    group_end(rd) == -1)
		return -1;
	envelope = get_plain(rd, item, "encrypted_content");
	what = envelope.n == 0 ? 0 : names_open(rd->a, envelope, &inside);
	if (what == 0)
		return 0;
	rd->begun = 1;
	p = part_add(rd, &rd->group.think_end, what == 1 ? MSG_THINK :
	    MSG_REDACTED);
	if (p == NULL)
		return -1;
	if (what == 1) {
		p->text = summary(rd, item);
		p->signature = inside;
	} else
		p->data = text_of(rd->a, inside);
	return 0;
}

static int
read_reference(struct reader *rd, const struct node *item)
{
	(void)item;
	return msg_refuse(rd->f, "input", "input[%u]: item_reference is not "
	    "supported, as nothing is stored; send the item itself", rd->at);
}

static int
read_item(struct reader *rd, const struct node *item)
{
	static const struct {
		const char *type;
		int (*read)(struct reader *, const struct node *);
	} kinds[] = {
		{ "message", read_message },
		{ "function_call", read_function },
		{ "function_call_output", read_output },
		{ "custom_tool_call", read_custom },
		{ "custom_tool_call_output", read_output },
		{ "reasoning", read_reasoning },
		{ "item_reference", read_reference }
	};
	const struct node *type;
	size_t i;

	type = tree_get(item, "type");
	if (type == NULL && tree_get(item, "role") != NULL)
		return read_message(rd, item);
	if (type == NULL || type->type != JSON_STRING)
		return msg_refuse(rd->f, "input", "input[%u] has no type",
		    rd->at);
	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (tree_is(type, kinds[i].type))
			return kinds[i].read(rd, item);
	msg_note(rd->a, rd->r->notes, "drop:input.",
	    text_plain(rd->a, tree_text(type)));
	return 0;
}

static int
read_input(struct reader *rd, const struct node *input)
{
	const struct node *item;

	if (input == NULL)
		return msg_refuse(rd->f, "input", "input is missing");
	if (input->type == JSON_STRING)
		return read_user(rd, input);
	if (input->type != JSON_ARRAY)
		return msg_refuse(rd->f, "input",
		    "input must be a string or an array");
	for (item = input->child; item != NULL; item = item->next) {
		if (read_item(rd, item) == -1)
			return -1;
		rd->at++;
	}
	return group_end(rd);
}

/* ---- tools ---- */

/* The format of a custom tool as a chat has it: one object deeper. */
static struct node *
custom_format(struct reader *rd, const struct node *format)
{
	const struct node *syntax, *definition;
	struct buf b;
	struct str s;

	if (!tree_is(tree_get(format, "type"), "grammar"))
		return NULL;
	syntax = tree_get(format, "syntax");
	definition = tree_get(format, "definition");
	if (syntax == NULL || definition == NULL)
		return NULL;
	buf_init(&b, syntax->raw.n + definition->raw.n + 80);
	buf_adds(&b, "{\"type\":\"grammar\",\"grammar\":{\"syntax\":");
	buf_addstr(&b, syntax->raw);
	buf_adds(&b, ",\"definition\":");
	buf_addstr(&b, definition->raw);
	buf_adds(&b, "}}");
	s = arena_take(rd->a, &b);
	buf_free(&b);
	return rd->a->bad ? NULL : tree_parse(rd->a, s);
}

static int
read_tool(struct reader *rd, const struct node *n)
{
	const struct node *type;
	struct msg_tool *t;
	struct str name;
	int custom;

	type = tree_get(n, "type");
	custom = tree_is(type, "custom");
	if (!custom && !tree_is(type, "function")) {
		msg_note(rd->a, rd->r->notes, "drop:tool.",
		    text_plain(rd->a, tree_text(type)));
		return 0;
	}
	name = get_plain(rd, n, "name");
	if (name.n == 0)
		return msg_refuse(rd->f, "tools", "a tool has no name");
	t = msg_tool_add(rd->a, rd->tools_end);
	if (t == NULL)
		return -1;
	rd->tools_end = &t->next;
	t->name = name;
	t->description = tree_get_text(n, "description");
	t->custom = custom != 0;
	if (custom)
		t->format = custom_format(rd, tree_get(n, "format"));
	else
		t->schema = tree_get(n, "parameters");
	return 0;
}

static int
read_tools(struct reader *rd, const struct node *tools)
{
	const struct node *n;

	if (tools == NULL)
		return 0;
	if (tools->type != JSON_ARRAY)
		return msg_refuse(rd->f, "tools", "tools must be an array");
	for (n = tools->child; n != NULL; n = n->next)
		if (read_tool(rd, n) == -1)
			return -1;
	return 0;
}

static int
read_mode(struct reader *rd, const struct node *mode)
{
	struct msg_request *r = rd->r;

	if (tree_is(mode, "auto"))
		r->choice = MSG_CHOICE_AUTO;
	else if (tree_is(mode, "none"))
		r->choice = MSG_CHOICE_NONE;
	else if (tree_is(mode, "required"))
		r->choice = MSG_CHOICE_ANY;
	else
		return msg_refuse(rd->f, "tool_choice",
		    "tool_choice is not supported");
	return 0;
}

static int
name_order(const void *a, const void *b)
{
	const struct str *x = a, *y = b;
	int order;

	order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
	return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

/* D-O6: only the tools that are named stay. */
static int
read_allowed(struct reader *rd, const struct node *choice)
{
	const struct node *tools, *n;
	struct msg_tool **from, *t;
	struct str *names;
	size_t count = 0;

	tools = tree_get(choice, "tools");
	if (tools == NULL || tools->type != JSON_ARRAY)
		return msg_refuse(rd->f, "tool_choice",
		    "tool_choice: allowed_tools needs tools");
	for (n = tools->child; n != NULL; n = n->next)
		count++;
	names = arena_alloc(rd->a, (count + 1) * sizeof *names);
	if (names == NULL)
		return -1;
	count = 0;
	for (n = tools->child; n != NULL; n = n->next) {
		names[count] = get_plain(rd, n, "name");
		if (names[count].n > 0)
			count++;
	}
	qsort(names, count, sizeof *names, name_order);
	for (from = &rd->r->tools; (t = *from) != NULL; ) {
		if (bsearch(&t->name, names, count, sizeof *names,
		    name_order) == NULL)
			*from = t->next;
		else
			from = &t->next;
	}
	return read_mode(rd, tree_get(choice, "mode"));
}

static int
read_choice(struct reader *rd, const struct node *choice)
{
	struct msg_request *r = rd->r;
	const struct node *type;
	int rc = 0;

	if (choice == NULL)
		return 0;
	type = tree_get(choice, "type");
	if (choice->type == JSON_STRING)
		rc = read_mode(rd, choice);
	else if (tree_is(type, "allowed_tools"))
		rc = read_allowed(rd, choice);
	else if (tree_is(type, "function") || tree_is(type, "custom")) {
		r->choice = MSG_CHOICE_TOOL;
		r->choice_name = get_plain(rd, choice, "name");
	} else
		rc = msg_refuse(rd->f, "tool_choice",
		    "tool_choice of that type is not supported");
	return rc;
}

/* ---- the rest of the body ---- */

/* What would need a server that remembers. */
static int
read_state(struct reader *rd, const struct node *body)
{
	static const char *const names[] = {
		"previous_response_id", "conversation", "prompt"
	};
	const struct node *n;
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		n = tree_get(body, names[i]);
		if (n != NULL && !tree_is(n, ""))
			return msg_refuse(rd->f, names[i], "%s is not "
			    "supported, as nothing is stored; send the whole "
			    "input", names[i]);
	}
	if (tree_is_true(body, "background"))
		return msg_refuse(rd->f, "background",
		    "background is not supported");
	return 0;
}

static int
read_format(struct reader *rd, const struct node *format)
{
	struct msg_request *r = rd->r;
	const struct node *type;

	type = tree_get(format, "type");
	if (format == NULL || tree_is(type, "text"))
		return 0;
	if (tree_is(type, "json_object")) {
		r->format = MSG_FORMAT_JSON;
		return 0;
	}
	r->format = MSG_FORMAT_SCHEMA;
	r->schema = tree_get(format, "schema");
	r->schema_name = tree_get_text(format, "name");
	if (r->schema_name.n == 0)
		r->schema_name.p = NULL;
	if (!tree_is(type, "json_schema") || r->schema == NULL)
		return msg_refuse(rd->f, "text.format", "text.format must be "
		    "text, json_object, or json_schema with a schema");
	return 0;
}

/* D-O7 */
static void
read_effort(struct reader *rd, const struct node *reasoning)
{
	struct msg_request *r = rd->r;
	struct str effort;

	effort = get_plain(rd, reasoning, "effort");
	if (effort.n == 0)
		return;
	r->effort = msg_effort_of(effort);
	if (r->effort == MSG_EFFORT_NONE)
		r->thinking = MSG_THINK_OFF;
	else {
		r->thinking = MSG_THINK_ADAPTIVE;
		r->thoughts = 1;
	}
}

static void
read_options(struct reader *rd, const struct node *body)
{
	struct msg_request *r = rd->r;
	const struct node *tier;

	r->model = get_plain(rd, body, "model");
	r->budget = -1;
	r->stream = tree_is_true(body, "stream") != 0;
	r->parallel_off = tree_is_false(body, "parallel_tool_calls") != 0;
	r->max_tokens = tree_get_number(body, "max_output_tokens");
	r->temperature = tree_get_number(body, "temperature");
	r->top_p = tree_get_number(body, "top_p");
	r->user = tree_get_text(body, "safety_identifier");
	if (r->user.n == 0)
		r->user = tree_get_text(body, "user");
	if (r->user.n == 0)
		r->user.p = NULL;
	tier = tree_get(body, "service_tier");
	if (tree_is(tier, "default"))
		r->tier = MSG_TIER_STANDARD;
	else if (tree_is(tier, "priority") || tree_is(tier, "fast"))
		r->tier = MSG_TIER_PRIORITY;
	else if (tree_is(tier, "flex"))
		r->tier = MSG_TIER_FLEX;
	read_effort(rd, tree_get(body, "reasoning"));
}

int
responses_read_request(struct msg_request *r, const struct node *body,
    const struct dialect_call *call, struct msg_fault *f)
{
	const struct node *instructions;
	struct reader rd;

	(void)call;
	memset(&rd, 0, sizeof rd);
	rd.r = r;
	rd.a = r->arena;
	rd.f = f;
	rd.end = &r->turns;
	rd.system_end = &r->system;
	rd.tools_end = &r->tools;
	group_start(&rd.group);
	if (body == NULL || body->type != JSON_OBJECT)
		return msg_refuse(f, "", "the body is not a JSON object");
	instructions = tree_get(body, "instructions");
	if (read_state(&rd, body) == -1 ||
	    (instructions != NULL && read_system(&rd, instructions) == -1) ||
	    read_input(&rd, tree_get(body, "input")) == -1 ||
	    read_tools(&rd, tree_get(body, "tools")) == -1 ||
	    read_choice(&rd, tree_get(body, "tool_choice")) == -1 ||
	    read_format(&rd, tree_get(tree_get(body, "text"), "format")) == -1)
		return -1;
	read_options(&rd, body);
	/* Without tools there is nothing to choose, and APIs refuse it. */
	if (r->tools == NULL) {
		r->choice = MSG_CHOICE_UNSET;
		r->choice_name = str_n(NULL, 0);
		r->parallel_off = 0;
	}
	return r->arena->bad ? -1 : 0;
}
