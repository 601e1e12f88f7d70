#include "dialect/items.h"

#include "dialect/names.h"
#include "json.h"

#define WORK_MAX ((size_t)256 << 20)	/* of what is made of an answer */

/* ---- pieces of JSON ---- */

void
items_quoted(struct buf *out, const char *name, struct str plain)
{
	buf_adds(out, ",\"");
	buf_adds(out, name);
	buf_adds(out, "\":");
	json_write(out, plain);
}

void
items_text(struct buf *out, const char *name, struct str text)
{
	buf_adds(out, ",\"");
	buf_adds(out, name);
	buf_adds(out, "\":");
	text_write(out, text);
}

void
items_number(struct buf *out, const char *name, uint64_t n)
{
	buf_adds(out, ",\"");
	buf_adds(out, name);
	buf_adds(out, "\":");
	buf_addu(out, n);
}

/* The id of an item: only letters, digits, - and _ are in it. */
void
items_id(struct buf *out, const struct items *o, const char *prefix,
    unsigned n)
{
	buf_addc(out, '"');
	buf_adds(out, prefix);
	buf_addstr(out, buf_str(&o->id));
	buf_addc(out, '_');
	buf_addu(out, n);
	buf_addc(out, '"');
}

static uint64_t
count(int64_t tokens)
{
	return tokens > 0 ? (uint64_t)tokens : 0;
}

static void
put_usage(struct buf *out, const struct dialect_usage *u)
{
	uint64_t in, read, write;

	read = count(u->cache_read);
	write = count(u->cache_write);
	in = count(u->input) + read + write;
	buf_adds(out, "{\"input_tokens\":");
	buf_addu(out, in);
	buf_adds(out, ",\"input_tokens_details\":{\"cached_tokens\":");
	buf_addu(out, read);
	items_number(out, "cache_write_tokens", write);
	buf_addc(out, '}');
	items_number(out, "output_tokens", count(u->output));
	buf_adds(out, ",\"output_tokens_details\":{\"reasoning_tokens\":");
	buf_addu(out, count(u->reasoning));
	buf_addc(out, '}');
	items_number(out, "total_tokens", in + count(u->output));
	buf_addc(out, '}');
}

/* ---- items ---- */

/* envelope: plain; p NULL: nothing that must come back */
void
items_reasoning(struct buf *out, const struct items *o, unsigned n,
    struct str text, struct str envelope)
{
	buf_adds(out, "{\"id\":");
	items_id(out, o, "rs_", n);
	buf_adds(out, ",\"type\":\"reasoning\",\"summary\":[");
	if (text.n > 0) {
		buf_adds(out, "{\"type\":\"summary_text\"");
		items_text(out, "text", text);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
	if (envelope.p != NULL)
		items_quoted(out, "encrypted_content", envelope);
	buf_addc(out, '}');
}

void
items_message(struct buf *out, const struct items *o, unsigned n,
    const char *status, struct str content)
{
	buf_adds(out, "{\"id\":");
	items_id(out, o, "msg_", n);
	buf_adds(out, ",\"type\":\"message\",\"status\":\"");
	buf_adds(out, status);
	buf_adds(out, "\",\"role\":\"assistant\",\"content\":[");
	buf_addstr(out, content);
	buf_adds(out, "]}");
}

void
items_function(struct buf *out, const struct items *o, unsigned n,
    const char *status, struct str call_id, struct str name, struct str args)
{
	buf_adds(out, "{\"id\":");
	items_id(out, o, "fc_", n);
	buf_adds(out, ",\"type\":\"function_call\",\"status\":\"");
	buf_adds(out, status);
	buf_addc(out, '"');
	items_quoted(out, "call_id", call_id);
	items_quoted(out, "name", name);
	items_text(out, "arguments", args);
	buf_addc(out, '}');
}

void
items_custom(struct buf *out, const struct items *o, unsigned n,
    struct str call_id, struct str name, struct str input)
{
	buf_adds(out, "{\"id\":");
	items_id(out, o, "ctc_", n);
	buf_adds(out, ",\"type\":\"custom_tool_call\"");
	items_quoted(out, "call_id", call_id);
	items_quoted(out, "name", name);
	items_text(out, "input", input);
	buf_addc(out, '}');
}

void
items_part_text(struct buf *out, struct str text, struct str annotations)
{
	buf_adds(out, "{\"type\":\"output_text\"");
	items_text(out, "text", text);
	buf_adds(out, ",\"annotations\":[");
	buf_addstr(out, annotations);
	buf_adds(out, "],\"logprobs\":[]}");
}

void
items_part_refusal(struct buf *out, struct str text)
{
	buf_adds(out, "{\"type\":\"refusal\"");
	items_text(out, "refusal", text);
	buf_addc(out, '}');
}

/* An annotation but for its place and the end. */
void
items_cite(struct buf *out, struct str url, struct str title)
{
	buf_adds(out, "{\"type\":\"url_citation\"");
	items_text(out, "url", url);
	items_text(out, "title", title);
}

/* The comma before a further element. */
void
items_comma(struct buf *list)
{
	if (list->len > 0)
		buf_addc(list, ',');
}

/* Claude's own signature, or redacted data, as the client is to keep it. */
struct str
items_seal(struct items *o, struct str signature, int redacted)
{
	if (signature.n == 0 || (!redacted && names_marked(signature)))
		return str_n(NULL, 0);
	return names_seal(&o->arena, signature, redacted);
}

struct str
items_call_id(struct items *o, struct str id, struct str signature)
{
	struct arena *a = &o->arena;

	if (id.n == 0)
		id = names_new_id(a, o->c->random, DIALECT_OPENAI);
	return names_carry(a, id, signature);
}

/*
 * The text of what a free-form tool is given; p NULL if the model wrote
 * something else than {"input":".."}.
 */
struct str
items_custom_input(struct arena *a, struct str args)
{
	return tree_get_text(tree_parse(a, args), "input");
}

/* ---- the response object ---- */

/*
 * A member of the request, or what stands for it.  White space goes: a line
 * feed would end the event's line.
 */
static void
echo(struct buf *out, const struct node *request, const char *name,
    const char *otherwise)
{
	const struct node *n;
	struct buf b;

	n = tree_get(request, name);
	if (n == NULL) {
		buf_adds(out, otherwise);
		return;
	}
	buf_init(&b, 6 * n->raw.n + 16);
	if (text_canon(&b, n->raw) == -1)
		buf_adds(out, otherwise);
	else
		text_add(out, buf_str(&b));
	buf_free(&b);
}

static void
echo_before(struct buf *b, const struct msg_context *c)
{
	buf_adds(b, ",\"instructions\":");
	echo(b, c->request, "instructions", "null");
	buf_adds(b, ",\"max_output_tokens\":");
	echo(b, c->request, "max_output_tokens", "null");
	items_quoted(b, "model", c->model);
}

static void
echo_after(struct buf *b, const struct msg_context *c)
{
	const struct node *reasoning;

	reasoning = tree_get(c->request, "reasoning");
	buf_adds(b, ",\"parallel_tool_calls\":");
	echo(b, c->request, "parallel_tool_calls", "true");
	buf_adds(b, ",\"previous_response_id\":null,"
	    "\"reasoning\":{\"effort\":");
	echo(b, reasoning, "effort", "null");
	buf_adds(b, ",\"summary\":");
	echo(b, reasoning, "summary", "null");
	buf_adds(b, "},\"temperature\":");
	echo(b, c->request, "temperature", "1");
	buf_adds(b, ",\"text\":");
	echo(b, c->request, "text", "{\"format\":{\"type\":\"text\"}}");
	buf_adds(b, ",\"tool_choice\":");
	echo(b, c->request, "tool_choice", "\"auto\"");
	buf_adds(b, ",\"tools\":");
	echo(b, c->request, "tools", "[]");
	buf_adds(b, ",\"top_p\":");
	echo(b, c->request, "top_p", "1");
	buf_adds(b, ",\"truncation\":");
	echo(b, c->request, "truncation", "\"disabled\"");
	buf_adds(b, ",\"user\":");
	echo(b, c->request, "user", "null");
	buf_adds(b, ",\"metadata\":");
	echo(b, c->request, "metadata", "{}");
}

void
items_init(struct items *o, const struct msg_context *c)
{
	memset(o, 0, sizeof *o);
	o->c = c;
	arena_init(&o->arena, WORK_MAX);
	buf_init(&o->id, ITEMS_MAX);
	buf_init(&o->before, ITEMS_MAX);
	buf_init(&o->after, ITEMS_MAX);
	buf_init(&o->list, ITEMS_MAX);
	echo_before(&o->before, c);
	echo_after(&o->after, c);
}

void
items_free(struct items *o)
{
	arena_free(&o->arena);
	buf_free(&o->id);
	buf_free(&o->before);
	buf_free(&o->after);
	buf_free(&o->list);
}

int
items_bad(const struct items *o)
{
	return o->arena.bad || o->id.bad || o->before.bad || o->after.bad ||
	    o->list.bad;
}

void
items_name(struct items *o, struct str upstream)
{
	struct str id;

	id = names_answer_id(&o->arena, upstream, DIALECT_OPENAI,
	    OP_RESPONSES, o->c->random);
	if (str_starts(id, "resp_"))
		id = str_n(id.p + 5, id.n - 5);
	buf_clear(&o->id);
	buf_addstr(&o->id, id);
}

/* error, incomplete: raw values; usage NULL: null */
void
items_object(struct buf *out, const struct items *o, const char *status,
    struct str error, const char *incomplete,
    const struct dialect_usage *usage)
{
	buf_adds(out, "{\"id\":\"resp_");
	buf_addstr(out, buf_str(&o->id));
	buf_adds(out, "\",\"object\":\"response\",\"created_at\":");
	buf_addu(out, count(o->c->created));
	buf_adds(out, ",\"status\":\"");
	buf_adds(out, status);
	buf_adds(out, "\",\"background\":false,\"error\":");
	buf_addstr(out, error);
	buf_adds(out, ",\"incomplete_details\":");
	buf_adds(out, incomplete);
	buf_addstr(out, buf_str(&o->before));
	buf_adds(out, ",\"output\":[");
	buf_addstr(out, buf_str(&o->list));
	buf_addc(out, ']');
	buf_addstr(out, buf_str(&o->after));
	buf_adds(out, ",\"usage\":");
	if (usage == NULL)
		buf_adds(out, "null");
	else
		put_usage(out, usage);
	buf_addc(out, '}');
}

/* The object of an answer that ended by itself. */
void
items_final(struct buf *out, const struct items *o, enum msg_stop stop,
    const struct dialect_usage *usage)
{
	struct str none = str_of("null");

	if (stop == MSG_STOP_MAX)
		items_object(out, o, "incomplete", none,
		    "{\"reason\":\"max_output_tokens\"}", usage);
	else if (stop == MSG_STOP_REFUSAL)
		items_object(out, o, "incomplete", none,
		    "{\"reason\":\"content_filter\"}", usage);
	else
		items_object(out, o, "completed", none, "null", usage);
}
