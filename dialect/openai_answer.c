#include "dialect/openai_answer.h"

#include <stdlib.h>
#include <string.h>

#include "dialect/fault.h"
#include "dialect/names.h"
#include "json.h"

#define KEEP_MAX	((size_t)64 << 20)	/* of what is kept of a part */
#define WORK_MAX	((size_t)256 << 20)	/* of one event */
#define CITES_MAX	((size_t)16 << 20)	/* of the links of a part */
#define COUNT_MAX	((int64_t)1 << 60)	/* five of them still add up */

/* ---- pieces of both forms ---- */

static int64_t
count(int64_t n)
{
	return n < 0 ? 0 : n > COUNT_MAX ? COUNT_MAX : n;
}

static void
number(struct buf *out, const char *name, int64_t n)
{
	buf_adds(out, name);
	buf_addu(out, (uint64_t)n);
}

/* Section 5: prompt tokens are told with the cached ones in them. */
static void
write_usage(struct buf *out, const struct dialect_usage *u)
{
	int64_t in = count(u->input) + count(u->cache_read) +
	    count(u->cache_write);

	number(out, "{\"prompt_tokens\":", in);
	number(out, ",\"completion_tokens\":", count(u->output));
	number(out, ",\"total_tokens\":", in + count(u->output));
	number(out, ",\"prompt_tokens_details\":{\"cached_tokens\":",
	    count(u->cache_read));
	number(out, ",\"cache_write_tokens\":", count(u->cache_write));
	buf_addc(out, '}');
	if (u->reasoning >= 0) {
		number(out, ",\"completion_tokens_details\":"
		    "{\"reasoning_tokens\":", count(u->reasoning));
		buf_addc(out, '}');
	}
	buf_addc(out, '}');
}

static const char *
finish_name(enum msg_stop stop)
{
	switch (stop) {
	case MSG_STOP_MAX:
		return "\"length\"";
	case MSG_STOP_TOOL:
		return "\"tool_calls\"";
	case MSG_STOP_REFUSAL:
		return "\"content_filter\"";
	default:
		return "\"stop\"";
	}
}

/* One token of Gemini's. */
static void
write_token(struct buf *out, const struct node *n)
{
	struct str p = tree_get_number(n, "logProbability");
	struct str token = tree_get_text(n, "token");

	buf_adds(out, "{\"token\":");
	text_write(out, token.p != NULL ? token : str_of(""));
	buf_adds(out, ",\"logprob\":");
	buf_addstr(out, p.p != NULL ? p : str_of("0"));
	buf_adds(out, ",\"bytes\":null");
}

/* Gemini keeps what was chosen, and what else was likely, in two lists. */
static void
write_logprobs_result(struct buf *out, const struct node *n)
{
	const struct node *chosen = tree_get(n, "chosenCandidates");
	const struct node *top = tree_get(n, "topCandidates");
	const struct node *c, *other, *likely;
	const char *between;

	chosen = chosen == NULL ? NULL : chosen->child;
	top = top == NULL ? NULL : top->child;
	buf_adds(out, "{\"content\":[");
	for (c = chosen; c != NULL; c = c->next) {
		buf_adds(out, c == chosen ? "" : ",");
		write_token(out, c);
		buf_adds(out, ",\"top_logprobs\":[");
		likely = tree_get(top, "candidates");
		between = "";
		for (other = likely == NULL ? NULL : likely->child;
		    other != NULL; other = other->next) {
			buf_adds(out, between);
			write_token(out, other);
			buf_addc(out, '}');
			between = ",";
		}
		buf_adds(out, "]}");
		top = top == NULL ? NULL : top->next;
	}
	buf_adds(out, "],\"refusal\":null}");
}

static void
write_logprobs(struct buf *out, const struct msg_event *finish)
{
	if (finish->logprobs == NULL)
		buf_adds(out, "null");
	else if (finish->logprobs_of == DIALECT_GEMINI)
		write_logprobs_result(out, finish->logprobs);
	else
		buf_addstr(out, finish->logprobs->raw);
}

/* A link in the content, from one code point up to another. */
static void
write_annotation(struct buf *out, struct str url, struct str title,
    size_t start, size_t end)
{
	buf_adds(out, "{\"type\":\"url_citation\",\"url_citation\":"
	    "{\"start_index\":");
	buf_addu(out, start);
	buf_adds(out, ",\"end_index\":");
	buf_addu(out, end);
	buf_adds(out, ",\"title\":");
	text_write(out, title);
	buf_adds(out, ",\"url\":");
	text_write(out, url);
	buf_adds(out, "}}");
}

/* 1 if a thinking block is Claude's own, to be given back to it. */
static int
is_genuine(struct str signature)
{
	return signature.n > 0 && !names_marked(signature);
}

static void
write_thinking(struct buf *out, struct str text, struct str signature)
{
	buf_adds(out, "{\"type\":\"thinking\",\"thinking\":");
	text_write(out, text);
	buf_adds(out, ",\"signature\":");
	json_write(out, signature);
	buf_addc(out, '}');
}

static void
write_redacted(struct buf *out, struct str data)
{
	buf_adds(out, "{\"type\":\"redacted_thinking\",\"data\":");
	text_write(out, data);
	buf_addc(out, '}');
}

/* ID-1 and ID-3: the id of a call as this client gets it. */
static struct str
call_id(struct arena *a, uint64_t *random, struct str id,
    struct str signature)
{
	if (id.n == 0)
		id = names_new_id(a, random, DIALECT_OPENAI);
	return names_carry(a, id, signature);
}

/*
 * What follows a call's id: all of it at once.  args: the raw object, p NULL
 * if it is none; text: its text.  A free-form call whose input is no string
 * can only be shown as a function.
 */
static void
write_call(struct buf *out, struct arena *a, struct str name, int custom,
    struct str args, struct str text)
{
	struct str input = { NULL, 0 };

	if (custom && args.p != NULL)
		input = tree_get_text(tree_parse(a, args), "input");
	buf_adds(out, input.p != NULL
	    ? ",\"type\":\"custom\",\"custom\":{\"name\":"
	    : ",\"type\":\"function\",\"function\":{\"name\":");
	json_write(out, name);
	buf_adds(out, input.p != NULL ? ",\"input\":" : ",\"arguments\":");
	text_write(out, input.p != NULL ? input : text);
	buf_adds(out, "}}");
}

/* ---- streams ---- */

struct cite {
	struct cite *next;
	struct str url, title;	/* texts */
};

struct choice {
	struct choice *next;
	unsigned index;
	unsigned calls;		/* that were begun */
	size_t points;		/* of the content so far */
	size_t start;		/* of the open text in it */
	struct buf keep;	/* of the open part: thinking, arguments */
	struct buf call;	/* of a custom call: {"index":..,"id":.. */
	struct buf name;	/* ... its name, plain */
	struct buf blocks;	/* thinking_blocks so far */
	struct arena cites_room;
	struct cite *cites, **cites_end;	/* of the open text */
	unsigned custom:1;	/* the open call is */
	unsigned some:1;	/* the open call, or thought, had a piece */
	unsigned thought:1;	/* a thought with text was sent */
	unsigned refused:1;	/* text of a refusal was sent */
};

struct writer {
	const struct msg_context *c;	/* borrowed */
	struct buf head;	/* how every chunk begins, up to the index */
	size_t common;		/* bytes of it up to the choices */
	struct choice *choices;	/* owned */
	unsigned choices_n;
	struct arena arena;	/* of the event at hand */
	struct dialect_usage usage;
	unsigned over:1;
};

void *
openai_writer_new(const struct msg_context *c)
{
	struct writer *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->c = c;
	buf_init(&w->head, KEEP_MAX);
	arena_init(&w->arena, WORK_MAX);
	return w;
}

void
openai_writer_free(void *writer)
{
	struct writer *w = writer;
	struct choice *c;

	if (w == NULL)
		return;
	while ((c = w->choices) != NULL) {
		w->choices = c->next;
		buf_free(&c->keep);
		buf_free(&c->call);
		buf_free(&c->name);
		buf_free(&c->blocks);
		arena_free(&c->cites_room);
		free(c);
	}
	buf_free(&w->head);
	arena_free(&w->arena);
	free(w);
}

static void
write_head(struct writer *w, struct str id)
{
	struct buf *b = &w->head;

	buf_clear(b);
	buf_adds(b, "data: {\"id\":");
	json_write(b, names_answer_id(&w->arena, id, DIALECT_OPENAI,
	    OP_GENERATE, w->c->random));
	buf_adds(b, ",\"object\":\"chat.completion.chunk\",\"created\":");
	buf_addu(b, (uint64_t)count(w->c->created));
	buf_adds(b, ",\"model\":");
	json_write(b, w->c->model);
	buf_adds(b, ",\"choices\":[");
	w->common = b->len;
	buf_adds(b, "{\"index\":");
}

static void
chunk_start(struct writer *w, const struct choice *c, struct buf *out)
{
	buf_addstr(out, buf_str(&w->head));
	buf_addu(out, c->index);
	buf_adds(out, ",\"delta\":{");
}

static void
chunk_end(struct writer *w, struct buf *out, const char *finish)
{
	buf_adds(out, "},\"logprobs\":null,\"finish_reason\":");
	buf_adds(out, finish);
	buf_adds(out, w->c->include_usage ? "}],\"usage\":null}\n\n"
	    : "}]}\n\n");
}

/* A chunk of one string: name is the delta's member, with its colon. */
static void
chunk_text(struct writer *w, const struct choice *c, const char *name,
    struct str text, struct buf *out)
{
	chunk_start(w, c, out);
	buf_adds(out, name);
	text_write(out, text);
	chunk_end(w, out, "null");
}

/* The choice of an event; at its first event the role is told. */
static struct choice *
choice_of(struct writer *w, unsigned index, struct buf *out)
{
	struct choice *c;

	for (c = w->choices; c != NULL; c = c->next)
		if (c->index == index)
			return c;
	if (w->choices_n == OPENAI_CHOICES_MAX ||
	    (c = calloc(1, sizeof *c)) == NULL)
		return NULL;
	c->index = index;
	buf_init(&c->keep, KEEP_MAX);
	buf_init(&c->call, KEEP_MAX);
	buf_init(&c->name, KEEP_MAX);
	buf_init(&c->blocks, KEEP_MAX);
	arena_init(&c->cites_room, CITES_MAX);
	c->cites_end = &c->cites;
	c->next = w->choices;
	w->choices = c;
	w->choices_n++;
	chunk_start(w, c, out);
	buf_adds(out, "\"role\":\"assistant\",\"content\":\"\","
	    "\"refusal\":null");
	chunk_end(w, out, "null");
	return c;
}

/* The element of tool_calls of the open call, up to its index. */
static void
call_start(const struct choice *c, struct buf *out)
{
	buf_adds(out, "{\"index\":");
	buf_addu(out, c->calls - 1);
}

static void
call_piece(struct writer *w, const struct choice *c, struct str text,
    struct buf *out)
{
	chunk_start(w, c, out);
	buf_adds(out, "\"tool_calls\":[");
	call_start(c, out);
	buf_adds(out, ",\"function\":{\"arguments\":");
	text_write(out, text);
	buf_adds(out, "}}]");
	chunk_end(w, out, "null");
}

static void
open_call(struct writer *w, struct choice *c, const struct msg_event *e,
    struct buf *out)
{
	struct str id = call_id(&w->arena, w->c->random, e->id, e->signature);

	c->calls++;
	c->custom = e->custom;
	if (c->custom) {
		call_start(c, &c->call);
		buf_adds(&c->call, ",\"id\":");
		json_write(&c->call, id);
		buf_addstr(&c->name, e->name);
		return;
	}
	chunk_start(w, c, out);
	buf_adds(out, "\"tool_calls\":[");
	call_start(c, out);
	buf_adds(out, ",\"id\":");
	json_write(out, id);
	buf_adds(out, ",\"type\":\"function\",\"function\":{\"name\":");
	json_write(out, e->name);
	buf_adds(out, ",\"arguments\":\"\"}}]");
	chunk_end(w, out, "null");
}

/* A free-form call can only be told when its input is whole. */
static void
close_call(struct writer *w, struct choice *c, struct buf *out)
{
	struct str text = buf_str(&c->keep), plain, none = { NULL, 0 };

	if (!c->custom) {
		if (!c->some)
			call_piece(w, c, str_of("{}"), out);
		return;
	}
	if (text.n == 0)
		text = str_of("{}");
	plain = text_plain(&w->arena, text);
	chunk_start(w, c, out);
	buf_adds(out, "\"tool_calls\":[");
	buf_addstr(out, buf_str(&c->call));
	write_call(out, &w->arena, buf_str(&c->name), 1,
	    text_is_object(plain) ? plain : none, text);
	buf_addc(out, ']');
	chunk_end(w, out, "null");
}

/* All blocks so far: who reads this keeps only the last delta's. */
static void
tell_blocks(struct writer *w, const struct choice *c, struct buf *out)
{
	chunk_start(w, c, out);
	buf_adds(out, "\"thinking_blocks\":[");
	buf_addstr(out, buf_str(&c->blocks));
	buf_addc(out, ']');
	chunk_end(w, out, "null");
}

static void
tell_cites(struct writer *w, const struct choice *c, struct buf *out)
{
	const struct cite *cite;

	chunk_start(w, c, out);
	buf_adds(out, "\"annotations\":");
	for (cite = c->cites; cite != NULL; cite = cite->next) {
		buf_addc(out, cite == c->cites ? '[' : ',');
		write_annotation(out, cite->url, cite->title, c->start,
		    c->points);
	}
	buf_addc(out, ']');
	chunk_end(w, out, "null");
}

static void
take_open(struct writer *w, struct choice *c, const struct msg_event *e,
    struct buf *out)
{
	buf_clear(&c->keep);
	buf_clear(&c->call);
	buf_clear(&c->name);
	c->start = c->points;
	c->some = 0;
	if (e->part == MSG_CALL)
		open_call(w, c, e, out);
	else if (e->part == MSG_REDACTED)
		buf_addstr(&c->keep, e->data);
}

static void
take_delta(struct writer *w, struct choice *c, const struct msg_event *e,
    struct buf *out)
{
	if (e->text.n == 0)
		return;
	switch (e->part) {
	case MSG_TEXT:
		/* Only Anthropic's answers have places to count for. */
		if (w->c->upstream == DIALECT_ANTHROPIC)
			c->points += text_points(e->text);
		chunk_text(w, c, "\"content\":", e->text, out);
		break;
	case MSG_THINK:
		/* Apart from the one before, as in a whole answer. */
		if (!c->some && c->thought)
			chunk_text(w, c, "\"reasoning_content\":",
			    str_of("\\n\\n"), out);
		c->some = c->thought = 1;
		if (w->c->upstream == DIALECT_ANTHROPIC)
			buf_addstr(&c->keep, e->text);
		chunk_text(w, c, "\"reasoning_content\":", e->text, out);
		break;
	case MSG_REFUSAL:
		c->refused = 1;
		chunk_text(w, c, "\"refusal\":", e->text, out);
		break;
	case MSG_CALL:
		c->some = 1;
		if (c->custom)
			buf_addstr(&c->keep, e->text);
		else
			call_piece(w, c, e->text, out);
		break;
	default:
		break;
	}
}

static void
take_cite(struct choice *c, const struct msg_event *e)
{
	struct cite *cite = arena_alloc(&c->cites_room, sizeof *cite);

	if (cite == NULL)
		return;
	cite->url = arena_copy(&c->cites_room, e->url);
	cite->title = arena_copy(&c->cites_room, e->title);
	*c->cites_end = cite;
	c->cites_end = &cite->next;
}

static int
take_close(struct writer *w, struct choice *c, const struct msg_event *e,
    struct buf *out)
{
	int bad;

	if (e->part == MSG_CALL)
		close_call(w, c, out);
	if (e->part == MSG_REDACTED ||
	    (e->part == MSG_THINK && is_genuine(e->signature))) {
		if (c->blocks.len > 0)
			buf_addc(&c->blocks, ',');
		if (e->part == MSG_REDACTED)
			write_redacted(&c->blocks, buf_str(&c->keep));
		else
			write_thinking(&c->blocks, buf_str(&c->keep),
			    e->signature);
		tell_blocks(w, c, out);
	}
	if (e->part == MSG_TEXT && c->cites != NULL) {
		tell_cites(w, c, out);
		arena_reset(&c->cites_room);
		c->cites = NULL;
		c->cites_end = &c->cites;
	}
	bad = c->keep.bad || c->call.bad || c->name.bad || c->blocks.bad;
	buf_free(&c->keep);
	return bad ? -1 : 0;
}

static void
take_finish(struct writer *w, const struct choice *c,
    const struct msg_event *e, struct buf *out)
{
	if (e->refusal.n > 0 && !c->refused)
		chunk_text(w, c, "\"refusal\":", e->refusal, out);
	chunk_start(w, c, out);
	chunk_end(w, out, finish_name(e->stop));
}

static void
take_end(struct writer *w, struct buf *out)
{
	w->over = 1;
	if (w->c->include_usage) {
		buf_add(out, buf_str(&w->head).p, w->common);
		buf_adds(out, "],\"usage\":");
		write_usage(out, &w->usage);
		buf_adds(out, "}\n\n");
	}
	buf_adds(out, "data: [DONE]\n\n");
}

static void
take_error(struct writer *w, const struct msg_event *e, struct buf *out)
{
	struct fault f;

	w->over = 1;
	memset(&f, 0, sizeof f);
	f.class = e->class;
	f.message = e->text;
	fault_stream(out, DIALECT_OPENAI, &f);
}

/* Events of one choice. */
static int
take(struct writer *w, const struct msg_event *e, struct buf *out)
{
	struct choice *c = choice_of(w, e->choice, out);

	if (c == NULL)
		return -1;
	if (e->kind == MSG_OPEN)
		take_open(w, c, e, out);
	else if (e->kind == MSG_DELTA)
		take_delta(w, c, e, out);
	else if (e->kind == MSG_CITE)
		take_cite(c, e);
	else if (e->kind == MSG_CLOSE)
		return take_close(w, c, e, out);
	else
		take_finish(w, c, e, out);
	return c->cites_room.bad ? -1 : 0;
}

int
openai_write_event(void *writer, const struct msg_event *e, struct buf *out)
{
	struct writer *w = writer;
	int rc = 0;

	if (w->over)
		return 0;
	arena_reset(&w->arena);
	switch (e->kind) {
	case MSG_START:
		w->usage = e->usage;
		write_head(w, e->id);
		rc = choice_of(w, 0, out) == NULL ? -1 : 0;
		break;
	case MSG_USAGE:
		w->usage = e->usage;
		break;
	case MSG_END:
		take_end(w, out);
		break;
	case MSG_ERROR:
		take_error(w, e, out);
		break;
	default:
		rc = take(w, e, out);
	}
	return rc < 0 || out->bad || w->head.bad || w->arena.bad ? -1 : 0;
}

int
openai_write_ping(struct buf *out)
{
	return buf_adds(out, ": ping\n\n");
}

/* ---- whole answers ---- */

/* All texts of one kind as one string; 0: there is none, nothing added. */
static int
write_texts(struct buf *out, const char *name, const struct msg_part *p,
    enum msg_kind kind, const char *sep)
{
	int some = 0;

	for (; p != NULL; p = p->next) {
		if (p->kind != kind || p->text.n == 0)
			continue;
		buf_adds(out, some ? sep : name);
		if (!some)
			buf_addc(out, '"');
		text_add(out, p->text);
		some = 1;
	}
	if (some)
		buf_addc(out, '"');
	return some;
}

static int
has(const struct msg_part *p, enum msg_kind kind)
{
	for (; p != NULL; p = p->next)
		if (p->kind == kind &&
		    (kind != MSG_REFUSAL || p->text.n > 0))
			return 1;
	return 0;
}

static void
write_said(struct buf *out, const struct msg_gather_choice *c)
{
	const struct str why = c->finish.refusal;
	int refused = has(c->parts, MSG_REFUSAL) || why.n > 0;

	buf_adds(out, "{\"role\":\"assistant\"");
	if (!write_texts(out, ",\"content\":", c->parts, MSG_TEXT, ""))
		buf_adds(out, refused || has(c->parts, MSG_CALL)
		    ? ",\"content\":null" : ",\"content\":\"\"");
	if (!write_texts(out, ",\"refusal\":", c->parts, MSG_REFUSAL, "")) {
		buf_adds(out, ",\"refusal\":");
		if (why.n > 0)
			text_write(out, why);
		else
			buf_adds(out, "null");
	}
	write_texts(out, ",\"reasoning_content\":", c->parts, MSG_THINK,
	    "\\n\\n");
}

static void
write_blocks(struct buf *out, const struct msg_part *p)
{
	int some = 0;

	for (; p != NULL; p = p->next) {
		if (p->kind != MSG_REDACTED && (p->kind != MSG_THINK ||
		    !is_genuine(p->signature)))
			continue;
		buf_adds(out, some ? "," : ",\"thinking_blocks\":[");
		some = 1;
		if (p->kind == MSG_THINK)
			write_thinking(out, p->text, p->signature);
		else
			write_redacted(out, p->data);
	}
	if (some)
		buf_addc(out, ']');
}

static void
write_annotations(struct buf *out, const struct msg_gather_choice *c)
{
	const struct msg_cite *cite = c->cites;
	const struct msg_part *p;
	size_t start = 0, end;
	int some = 0;

	for (p = c->parts; p != NULL && cite != NULL; p = p->next) {
		if (p->kind != MSG_TEXT)
			continue;
		end = start + text_points(p->text);
		for (; cite != NULL && cite->part == p; cite = cite->next) {
			buf_adds(out, some ? "," : ",\"annotations\":[");
			write_annotation(out, cite->url, cite->title, start,
			    end);
			some = 1;
		}
		start = end;
	}
	if (some)
		buf_addc(out, ']');
}

static void
write_calls(struct buf *out, struct arena *a, const struct msg_context *ctx,
    const struct msg_part *p)
{
	int some = 0;

	for (; p != NULL; p = p->next) {
		if (p->kind != MSG_CALL)
			continue;
		buf_adds(out, some ? ",{\"id\":" : ",\"tool_calls\":"
		    "[{\"id\":");
		json_write(out, call_id(a, ctx->random, p->id, p->signature));
		write_call(out, a, p->name, p->custom, p->args,
		    text_from_object(a, p->args));
		some = 1;
	}
	if (some)
		buf_addc(out, ']');
}

int
openai_write_answer(struct buf *out, const struct msg_context *c,
    const struct msg_gather *g)
{
	const struct msg_gather_choice *i;
	struct arena a;
	int bad;

	arena_init(&a, WORK_MAX);
	buf_adds(out, "{\"id\":");
	json_write(out, names_answer_id(&a, g->id, DIALECT_OPENAI,
	    OP_GENERATE, c->random));
	buf_adds(out, ",\"object\":\"chat.completion\",\"created\":");
	buf_addu(out, (uint64_t)count(c->created));
	buf_adds(out, ",\"model\":");
	json_write(out, c->model);
	buf_adds(out, ",\"choices\":[");
	for (i = g->choices; i != NULL; i = i->next) {
		buf_adds(out, i == g->choices ? "{\"index\":"
		    : ",{\"index\":");
		buf_addu(out, i->index);
		buf_adds(out, ",\"message\":");
		write_said(out, i);
		write_blocks(out, i->parts);
		write_annotations(out, i);
		write_calls(out, &a, c, i->parts);
		buf_adds(out, "},\"logprobs\":");
		write_logprobs(out, &i->finish);
		buf_adds(out, ",\"finish_reason\":");
		buf_adds(out, finish_name(i->finish.stop));
		buf_addc(out, '}');
	}
	buf_adds(out, "],\"usage\":");
	write_usage(out, &g->usage);
	buf_addc(out, '}');
	bad = out->bad || a.bad;
	arena_free(&a);
	return bad ? -1 : 0;
}
