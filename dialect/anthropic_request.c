#include "dialect/anthropic_request.h"

#include <string.h>

#include "dialect/names.h"
#include "dialect/normal.h"
#include "dialect/schema.h"
#include "json.h"

enum {
	IN_USER = 1, IN_ASSISTANT = 2, IN_SYSTEM = 4, IN_RESULT = 8,
	IN_DOCUMENT = 16
};

/* Where the blocks of a list go. */
struct place {
	struct msg_request *r;
	struct msg_fault *f;
	struct msg_part **end;	/* of the list of parts */
	unsigned where;		/* one of IN_* */
};

static int read_blocks(struct place *p, const struct node *content);

static struct str
plain_of(const struct msg_request *r, const struct node *n, const char *name)
{
	struct str text;

	text = tree_get_text(n, name);
	return text.p == NULL ? text : text_plain(r->arena, text);
}

static struct msg_part *
add(struct place *p, enum msg_kind kind)
{
	struct msg_part *part;

	part = msg_part_add(p->r->arena, p->end, kind);
	if (part != NULL)
		p->end = &part->next;
	return part;
}

static int
add_text(struct place *p, struct str text)
{
	struct msg_part *part;

	if (text.n == 0)
		return 0;
	part = add(p, MSG_TEXT);
	if (part == NULL)
		return -1;
	part->text = text;
	return 0;
}

static int
read_text(struct place *p, const struct node *b)
{
	return add_text(p, tree_get_text(b, "text"));
}

/* A source by value or by address; the part has its place already. */
static int
read_source(struct place *p, const struct node *source, struct msg_part *part)
{
	const struct node *type;

	type = tree_get(source, "type");
	if (tree_is(type, "base64")) {
		part->type = plain_of(p->r, source, "media_type");
		part->data = tree_get_text(source, "data");
		if (part->data.p == NULL)
			return msg_refuse(p->f, "messages",
			    "messages: source.data: missing");
		return 0;
	}
	if (tree_is(type, "url")) {
		part->url = tree_get_text(source, "url");
		if (part->url.p == NULL)
			return msg_refuse(p->f, "messages",
			    "messages: source.url: missing");
		return 0;
	}
	if (tree_is(type, "file"))
		return msg_refuse(p->f, "messages", "messages: source.type "
		    "file: the backend does not know this file");
	return msg_refuse(p->f, "messages", "messages: source.type: unknown");
}

static int
read_image(struct place *p, const struct node *b)
{
	struct msg_part *part;

	part = add(p, MSG_IMAGE);
	if (part == NULL || read_source(p, tree_get(b, "source"), part) < 0)
		return -1;
	if (str_is(part->type, "image/jpg"))
		part->type = str_of("image/jpeg");
	return 0;
}

/* The pictures of a document's content stand behind its text. */
static int
read_inner(struct place *p, const struct node *b, const struct node *content)
{
	struct msg_part *parts, *part, *next;
	struct place inner;

	parts = NULL;
	inner = *p;
	inner.end = &parts;
	inner.where = IN_DOCUMENT;
	if (read_blocks(&inner, content) < 0 ||
	    add_text(p, msg_document(p->r->arena, tree_get_text(b, "title"),
	    tree_get_text(b, "context"), parts)) < 0)
		return -1;
	for (part = parts; part != NULL; part = next) {
		next = part->next;
		if (part->kind != MSG_IMAGE)
			continue;
		part->next = NULL;
		*p->end = part;
		p->end = &part->next;
	}
	return 0;
}

static int
read_document(struct place *p, const struct node *b)
{
	const struct node *source;
	struct msg_part *part;

	source = tree_get(b, "source");
	if (tree_is(tree_get(source, "type"), "text"))
		return read_inner(p, b, tree_get(source, "data"));
	if (tree_is(tree_get(source, "type"), "content"))
		return read_inner(p, b, tree_get(source, "content"));
	part = add(p, MSG_DOC);
	if (part == NULL || read_source(p, source, part) < 0)
		return -1;
	part->title = tree_get_text(b, "title");
	if (part->url.p == NULL && part->type.p == NULL)
		part->type = str_of("application/pdf");
	if (part->url.p == NULL && !str_is(part->type, "application/pdf"))
		return msg_refuse(p->f, "messages", "messages: document: "
		    "media_type must be application/pdf");
	return 0;
}

/* An attribute of a tag that stands in a text: a JSON string in a string. */
static void
add_attribute(struct buf *b, const struct node *n, const char *name)
{
	const struct node *v;

	v = tree_get(n, name);
	if (tree_text(v).p == NULL)
		return;
	buf_addc(b, ' ');
	buf_adds(b, name);
	buf_addc(b, '=');
	text_nest(b, v->raw);
}

static int
read_search_result(struct place *p, const struct node *b)
{
	struct msg_part *texts;
	struct place inner;
	struct str text;
	struct buf tag;

	texts = NULL;
	inner = *p;
	inner.end = &texts;
	inner.where = IN_SYSTEM;
	if (read_blocks(&inner, tree_get(b, "content")) < 0)
		return -1;
	buf_init(&tag, p->r->arena->max);
	buf_adds(&tag, "<search_result");
	add_attribute(&tag, b, "source");
	add_attribute(&tag, b, "title");
	buf_adds(&tag, ">\\n");
	buf_addstr(&tag, msg_join(p->r->arena, texts, "\n"));
	buf_adds(&tag, "\\n</search_result>");
	text = arena_take(p->r->arena, &tag);
	buf_free(&tag);
	return text.p == NULL ? -1 : add_text(p, text);
}

static int
read_tool_reference(struct place *p, const struct node *b)
{
	struct buf tag;
	struct str text;

	buf_init(&tag, p->r->arena->max);
	buf_adds(&tag, "[tool: ");
	buf_addstr(&tag, tree_get_text(b, "tool_name"));
	buf_adds(&tag, "]");
	text = arena_take(p->r->arena, &tag);
	buf_free(&tag);
	return text.p == NULL ? -1 : add_text(p, text);
}

static int
read_thinking(struct place *p, const struct node *b)
{
	struct msg_part *part;

	part = add(p, MSG_THINK);
	if (part == NULL)
		return -1;
	part->text = tree_get_text(b, "thinking");
	part->signature = plain_of(p->r, b, "signature");
	return 0;
}

static int
read_redacted(struct place *p, const struct node *b)
{
	struct msg_part *part;

	part = add(p, MSG_REDACTED);
	if (part == NULL)
		return -1;
	part->data = tree_get_text(b, "data");
	return 0;
}

static int
read_tool_use(struct place *p, const struct node *b)
{
	const struct node *input;
	struct msg_part *part;
	struct str id;
	int repaired;

	part = add(p, MSG_CALL);
	if (part == NULL)
		return -1;
	id = plain_of(p->r, b, "id");
	part->name = plain_of(p->r, b, "name");
	if (id.n == 0 || part->name.n == 0)
		return msg_refuse(p->f, "messages",
		    "messages: tool_use: needs id and name");
	part->id = names_split(p->r->arena, id, &part->signature);
	input = tree_get(b, "input");
	part->args = str_of("{}");
	if (input != NULL && input->type == JSON_OBJECT)
		part->args = input->raw;
	if (input != NULL && input->type == JSON_STRING) {
		repaired = 0;
		part->args = text_to_object(p->r->arena, tree_text(input),
		    &repaired);
		if (repaired)
			msg_note(p->r->arena, p->r->notes,
			    "repair:tool_arguments", str_n("", 0));
	}
	return 0;
}

static int
read_tool_result(struct place *p, const struct node *b)
{
	struct msg_part *part;
	struct place inner;
	struct str id, carried;

	part = add(p, MSG_RESULT);
	if (part == NULL)
		return -1;
	id = plain_of(p->r, b, "tool_use_id");
	if (id.n == 0)
		return msg_refuse(p->f, "messages",
		    "messages: tool_result: needs tool_use_id");
	part->id = names_split(p->r->arena, id, &carried);
	part->error = tree_is_true(b, "is_error") != 0;
	inner = *p;
	inner.end = &part->parts;
	inner.where = IN_RESULT;
	return read_blocks(&inner, tree_get(b, "content"));
}

static const struct {
	const char *type;
	int (*read)(struct place *, const struct node *);
	unsigned where;		/* elsewhere it is dropped */
} blocks[] = {
	{ "text", read_text,
	    IN_USER | IN_ASSISTANT | IN_SYSTEM | IN_RESULT | IN_DOCUMENT },
	{ "tool_use", read_tool_use, IN_ASSISTANT },
	{ "tool_result", read_tool_result, IN_USER },
	{ "thinking", read_thinking, IN_ASSISTANT },
	{ "redacted_thinking", read_redacted, IN_ASSISTANT },
	{ "image", read_image,
	    IN_USER | IN_ASSISTANT | IN_RESULT | IN_DOCUMENT },
	{ "document", read_document, IN_USER | IN_ASSISTANT | IN_RESULT },
	{ "search_result", read_search_result,
	    IN_USER | IN_ASSISTANT | IN_RESULT },
	{ "tool_reference", read_tool_reference,
	    IN_USER | IN_ASSISTANT | IN_RESULT }
};

static int
read_block(struct place *p, const struct node *b)
{
	struct str type;
	size_t i;

	type = plain_of(p->r, b, "type");
	if (type.n == 0)
		return msg_refuse(p->f, "messages",
		    "messages: content: a block has no type");
	for (i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
		if (str_is(type, blocks[i].type) &&
		    (blocks[i].where & p->where) != 0)
			return blocks[i].read(p, b);
	msg_note(p->r->arena, p->r->notes, "drop:content.", type);
	return 0;
}

/* Content: a string, a list of blocks, or nothing. */
static int
read_blocks(struct place *p, const struct node *content)
{
	const struct node *b;

	if (content == NULL)
		return 0;
	if (content->type == JSON_STRING)
		return add_text(p, tree_text(content));
	if (content->type != JSON_ARRAY)
		return msg_refuse(p->f, "messages",
		    "messages: content: must be a string or an array");
	for (b = content->child; b != NULL; b = b->next)
		if (read_block(p, b) < 0)
			return -1;
	return 0;
}

/*
 * Claude Code's line of attribution changes with every request: it would
 * spoil the prompt cache of every backend (D-A2).
 */
static int
attribution(struct str text)
{
	size_t i;

	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '\\' && i + 1 < text.n &&
		    memchr("nrt", text.p[i + 1], 3) != NULL)
			i++;
		else if (text.p[i] != ' ')
			break;
	}
	return str_starts(str_n(text.p + i, text.n - i),
	    "x-anthropic-billing-header:");
}

static int
read_system(struct msg_request *r, const struct node *body,
    struct msg_fault *f)
{
	struct msg_part *parts, *part, *next, **end;
	struct place p;

	parts = NULL;
	p.r = r;
	p.f = f;
	p.end = &parts;
	p.where = IN_SYSTEM;
	if (read_blocks(&p, tree_get(body, "system")) < 0)
		return -1;
	end = &r->system;
	for (part = parts; part != NULL; part = next) {
		next = part->next;
		if (text_blank(part->text) || attribution(part->text))
			continue;
		part->next = NULL;
		*end = part;
		end = &part->next;
	}
	return 0;
}

static int
read_message(struct msg_request *r, const struct node *m,
    struct msg_turn ***end, struct msg_fault *f)
{
	const struct node *role;
	struct msg_part *parts;
	struct msg_turn *turn;
	struct place p;

	role = tree_get(m, "role");
	p.r = r;
	p.f = f;
	if (tree_is(role, "user"))
		p.where = IN_USER;
	else if (tree_is(role, "assistant"))
		p.where = IN_ASSISTANT;
	else if (tree_is(role, "system"))
		p.where = IN_SYSTEM;
	else
		return msg_refuse(f, "messages", "messages: role: must be "
		    "user, assistant or system");
	turn = msg_turn_add(r->arena, *end, p.where == IN_USER ? MSG_USER :
	    p.where == IN_ASSISTANT ? MSG_ASSISTANT : MSG_SYSTEM);
	if (turn == NULL)
		return -1;
	*end = &turn->next;
	parts = NULL;
	p.end = p.where == IN_SYSTEM ? &parts : &turn->parts;
	if (read_blocks(&p, tree_get(m, "content")) < 0)
		return -1;
	if (parts == NULL)
		return 0;
	p.end = &turn->parts;
	return add_text(&p, msg_join(r->arena, parts, "\n\n"));
}

static int
read_messages(struct msg_request *r, const struct node *body,
    struct msg_fault *f)
{
	const struct node *list, *m;
	struct msg_turn **end;

	list = tree_get(body, "messages");
	if (list == NULL || list->type != JSON_ARRAY)
		return msg_refuse(f, "messages",
		    "messages: must be an array");
	end = &r->turns;
	for (m = list->child; m != NULL; m = m->next)
		if (read_message(r, m, &end, f) < 0)
			return -1;
	return 0;
}

static int
read_tools(struct msg_request *r, const struct node *body,
    struct msg_fault *f)
{
	const struct node *list, *t;
	struct msg_tool *tool, **end;
	struct str type;

	list = tree_get(body, "tools");
	if (list != NULL && list->type != JSON_ARRAY)
		return msg_refuse(f, "tools", "tools: must be an array");
	end = &r->tools;
	for (t = list == NULL ? NULL : list->child; t != NULL; t = t->next) {
		type = plain_of(r, t, "type");
		if (type.p != NULL && !str_is(type, "custom")) {
			msg_note(r->arena, r->notes, "drop:tool.", type);
			continue;
		}
		tool = msg_tool_add(r->arena, end);
		if (tool == NULL)
			return -1;
		end = &tool->next;
		tool->name = plain_of(r, t, "name");
		tool->description = tree_get_text(t, "description");
		tool->schema = tree_get(t, "input_schema");
		if (tool->name.n == 0)
			return msg_refuse(f, "tools", "tools: name: missing");
	}
	return 0;
}

static int
read_choice(struct msg_request *r, const struct node *body,
    struct msg_fault *f)
{
	static const struct {
		const char *type;
		enum msg_choice choice;
	} choices[] = {
		{ "auto", MSG_CHOICE_AUTO }, { "any", MSG_CHOICE_ANY },
		{ "tool", MSG_CHOICE_TOOL }, { "none", MSG_CHOICE_NONE }
	};
	const struct node *choice, *type;
	size_t i;

	choice = tree_get(body, "tool_choice");
	if (choice == NULL)
		return 0;
	type = tree_get(choice, "type");
	for (i = 0; i < sizeof choices / sizeof choices[0]; i++)
		if (tree_is(type, choices[i].type))
			r->choice = choices[i].choice;
	if (r->choice == MSG_CHOICE_UNSET)
		return msg_refuse(f, "tool_choice", "tool_choice: type: must "
		    "be auto, any, tool or none");
	r->parallel_off =
	    tree_is_true(choice, "disable_parallel_tool_use") != 0;
	if (r->choice != MSG_CHOICE_TOOL)
		return 0;
	r->choice_name = plain_of(r, choice, "name");
	if (r->choice_name.n == 0)
		return msg_refuse(f, "tool_choice",
		    "tool_choice: name: missing");
	return 0;
}

static void
read_thinking_mode(struct msg_request *r, const struct node *body)
{
	const struct node *thinking;
	uint64_t n;

	thinking = tree_get(body, "thinking");
	if (thinking == NULL)
		return;
	r->thinking = MSG_THINK_OFF;
	if (tree_is(tree_get(thinking, "type"), "adaptive"))
		r->thinking = MSG_THINK_ADAPTIVE;
	if (tree_is(tree_get(thinking, "type"), "enabled")) {
		r->thinking = MSG_THINK_ON;
		if (json_u64(tree_get_number(thinking, "budget_tokens"),
		    &n) == 0 && n <= INT64_MAX)
			r->budget = (int64_t)n;
	}
	if (r->thinking == MSG_THINK_OFF)
		return;
	if (tree_is(tree_get(thinking, "display"), "omitted"))
		r->thoughts_off = 1;
	else
		r->thoughts = 1;
}

static void
read_output(struct msg_request *r, const struct node *body)
{
	const struct node *config, *format;

	config = tree_get(body, "output_config");
	r->effort = msg_effort_of(plain_of(r, config, "effort"));
	format = tree_get(config, "format");
	if (format == NULL)
		format = tree_get(body, "output_format");
	if (!tree_is(tree_get(format, "type"), "json_schema"))
		return;
	r->schema = tree_get(format, "schema");
	if (r->schema == NULL)
		return;
	r->format = MSG_FORMAT_SCHEMA;
	r->schema_name = str_of("response");
}

static int
read_limits(struct msg_request *r, const struct node *body)
{
	const struct node *list, *s;
	struct msg_string *stop, **end;
	uint64_t n;

	r->max_tokens = tree_get_number(body, "max_tokens");
	r->temperature = tree_get_number(body, "temperature");
	r->top_p = tree_get_number(body, "top_p");
	r->top_k = tree_get_number(body, "top_k");
	if (json_u64(r->max_tokens, &n) == 0 && n == 0) {
		r->max_tokens = str_of("1");
		msg_note(r->arena, r->notes, "clamp:", str_of("max_tokens"));
	}
	list = tree_get(body, "stop_sequences");
	if (list == NULL || list->type != JSON_ARRAY)
		return 0;
	end = &r->stops;
	for (s = list->child; s != NULL; s = s->next) {
		if (s->type != JSON_STRING)
			continue;
		stop = msg_string_add(r->arena, end, tree_text(s));
		if (stop == NULL)
			return -1;
		end = &stop->next;
	}
	return 0;
}

int
anthropic_read_request(struct msg_request *r, const struct node *body,
    const struct dialect_call *call, struct msg_fault *f)
{
	static const char *const lost[] = {
		"container", "mcp_servers", "context_management"
	};
	size_t i;

	r->budget = -1;
	r->model = plain_of(r, body, "model");
	r->stream = call->stream || tree_is_true(body, "stream");
	if (read_system(r, body, f) < 0 || read_messages(r, body, f) < 0 ||
	    read_tools(r, body, f) < 0 || read_choice(r, body, f) < 0 ||
	    read_limits(r, body) < 0) {
		/* What there was no room for may look like a fault. */
		if (r->arena->bad)
			f->why[0] = '\0';
		return -1;
	}
	read_thinking_mode(r, body);
	read_output(r, body);
	r->user = tree_get_text(tree_get(body, "metadata"), "user_id");
	if (tree_is(tree_get(body, "service_tier"), "standard_only"))
		r->tier = MSG_TIER_STANDARD;
	for (i = 0; i < sizeof lost / sizeof lost[0]; i++)
		if (tree_get(body, lost[i]) != NULL)
			msg_note(r->arena, r->notes, "drop:",
			    str_of(lost[i]));
	return r->arena->bad ? -1 : 0;
}
