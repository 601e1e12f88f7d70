#include "dialect/anthropic_answer.h"

#include <stdlib.h>

#include "dialect/fault.h"
#include "dialect/names.h"
#include "json.h"

#define TREE_MAX	((size_t)256 << 20)	/* of one event, or an answer */
#define KEEP_MAX	((size_t)64 << 20)	/* of what is kept of a block */
#define WORK_MAX	((size_t)1 << 20)	/* of ids on their way */

static const char early[] = "Upstream stream ended before completion";
static const char huge[] = "The upstream's answer is too large to translate";

/* ---- reading ---- */

struct reader {
	struct msg_sink sink;
	struct arena arena;	/* of the event at hand */
	struct dialect_usage usage;
	enum msg_stop stop;
	struct buf sequence, refusal;	/* texts that came with stop */
	struct buf keep;	/* of the open block: signature, raw input */
	enum msg_kind kind;	/* of the open block */
	uint64_t index;		/* its own number, upstream */
	unsigned numbered:1;	/* it had one */
	unsigned open:1;
	unsigned touched:1;	/* a CALL has had a DELTA */
	unsigned started:1;
	unsigned stopped:1;	/* a stop reason was seen */
	unsigned sequenced:1;	/* a stop sequence came */
	unsigned refused:1;	/* an explanation came */
	unsigned over:1;	/* END or ERROR was given */
};

static void
give(const struct reader *r, struct msg_event *e, enum msg_event_kind kind)
{
	e->kind = kind;
	r->sink.take(r->sink.arg, e);
}

static void
give_error(struct reader *r, enum msg_class class, struct str text)
{
	struct msg_event e = { 0 };

	r->over = 1;
	e.class = class;
	e.text = text;
	give(r, &e, MSG_ERROR);
}

static void
fail(struct reader *r, const char *why)
{
	give_error(r, MSG_SERVER, str_of(why));
}

static struct str
plain_of(struct reader *r, const struct node *n, const char *name)
{
	struct str text;

	text = tree_get_text(n, name);
	return text.p == NULL ? text : text_plain(&r->arena, text);
}

static void
count(int64_t *to, const struct node *n, const char *name)
{
	uint64_t v;

	if (json_u64(tree_get_number(n, name), &v) == 0 && v <= INT64_MAX)
		*to = (int64_t)v;
}

/* What is told overwrites what was known. */
static void
read_usage(struct reader *r, const struct node *n)
{
	count(&r->usage.input, n, "input_tokens");
	count(&r->usage.output, n, "output_tokens");
	count(&r->usage.cache_read, n, "cache_read_input_tokens");
	count(&r->usage.cache_write, n, "cache_creation_input_tokens");
	count(&r->usage.reasoning, tree_get(n, "output_tokens_details"),
	    "thinking_tokens");
}

static void
read_start(struct reader *r, const struct node *message)
{
	struct msg_event e = { 0 };

	if (r->started)
		return;
	r->started = 1;
	read_usage(r, tree_get(message, "usage"));
	e.id = plain_of(r, message, "id");
	e.usage = r->usage;
	give(r, &e, MSG_START);
}

static void
give_delta(struct reader *r, struct str text)
{
	struct msg_event e = { 0 };

	if (text.n == 0)
		return;
	r->touched = 1;
	e.part = r->kind;
	e.text = text;
	give(r, &e, MSG_DELTA);
}

/* Citations of files have no address: there is nothing to pass on. */
static void
give_cite(struct reader *r, const struct node *citation)
{
	struct msg_event e = { 0 };

	e.part = MSG_TEXT;
	e.url = tree_get_text(citation, "url");
	e.title = tree_get_text(citation, "title");
	if (e.url.n > 0)
		give(r, &e, MSG_CITE);
}

static void
keep(struct reader *r, struct str s)
{
	buf_clear(&r->keep);
	if (s.n > 0 && buf_addstr(&r->keep, s) < 0)
		r->arena.bad = 1;
}

/* The whole input of a call that had no pieces. */
static void
give_input(struct reader *r)
{
	struct str input;
	struct buf text;

	input = buf_str(&r->keep);
	if (r->touched || input.n == 0)
		return;
	buf_init(&text, KEEP_MAX);
	text_nest(&text, input);
	give_delta(r, arena_take(&r->arena, &text));
	buf_free(&text);
}

static void
close_block(struct reader *r)
{
	struct msg_event e = { 0 };

	if (!r->open)
		return;
	if (r->kind == MSG_CALL)
		give_input(r);
	r->open = 0;
	e.part = r->kind;
	if (r->kind == MSG_THINK && r->keep.len > 0)
		e.signature = buf_str(&r->keep);
	give(r, &e, MSG_CLOSE);
}

static void
open_block(struct reader *r, enum msg_kind kind, const struct node *block)
{
	struct msg_event e = { 0 };

	r->open = 1;
	r->kind = kind;
	r->touched = 0;
	buf_clear(&r->keep);
	e.part = kind;
	if (kind == MSG_CALL) {
		e.id = plain_of(r, block, "id");
		e.name = plain_of(r, block, "name");
	}
	if (kind == MSG_REDACTED)
		e.data = tree_get_text(block, "data");
	give(r, &e, MSG_OPEN);
}

/* What a block brings at its start: in a whole answer, everything. */
static void
read_block(struct reader *r, const struct node *block)
{
	static const struct {
		const char *type;
		enum msg_kind kind;
	} kinds[] = {
		{ "text", MSG_TEXT }, { "thinking", MSG_THINK },
		{ "tool_use", MSG_CALL },
		{ "redacted_thinking", MSG_REDACTED }
	};
	const struct node *n;
	struct str type;
	size_t i;

	type = plain_of(r, block, "type");
	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (str_is(type, kinds[i].type))
			break;
	if (i == sizeof kinds / sizeof kinds[0]) {
		msg_note(r->sink.arena, r->sink.notes, "drop:content.", type);
		return;
	}
	open_block(r, kinds[i].kind, block);
	if (r->kind == MSG_TEXT) {
		give_delta(r, tree_get_text(block, "text"));
		n = tree_get(block, "citations");
		if (n == NULL || n->type != JSON_ARRAY)
			return;
		for (n = n->child; n != NULL; n = n->next)
			give_cite(r, n);
	}
	if (r->kind == MSG_THINK) {
		give_delta(r, tree_get_text(block, "thinking"));
		keep(r, plain_of(r, block, "signature"));
	}
	if (r->kind == MSG_CALL) {
		n = tree_get(block, "input");
		if (n != NULL && n->type == JSON_OBJECT && n->child != NULL)
			keep(r, n->raw);
	}
}

static void
read_block_start(struct reader *r, const struct node *e)
{
	close_block(r);
	r->numbered = json_u64(tree_get_number(e, "index"), &r->index) == 0;
	read_block(r, tree_get(e, "content_block"));
}

static void
read_delta(struct reader *r, const struct node *e)
{
	const struct node *delta, *type;
	uint64_t index;

	if (!r->open)
		return;
	/* Into the wrong block it would be a wrong answer. */
	if (r->numbered && json_u64(tree_get_number(e, "index"), &index) == 0
	    && index != r->index) {
		fail(r, "Upstream stream mixed its content blocks");
		return;
	}
	delta = tree_get(e, "delta");
	type = tree_get(delta, "type");
	switch (r->kind) {
	case MSG_TEXT:
		if (tree_is(type, "text_delta"))
			give_delta(r, tree_get_text(delta, "text"));
		else if (tree_is(type, "citations_delta"))
			give_cite(r, tree_get(delta, "citation"));
		break;
	case MSG_THINK:
		if (tree_is(type, "thinking_delta"))
			give_delta(r, tree_get_text(delta, "thinking"));
		else if (tree_is(type, "signature_delta"))
			keep(r, plain_of(r, delta, "signature"));
		break;
	case MSG_CALL:
		if (tree_is(type, "input_json_delta"))
			give_delta(r, tree_get_text(delta, "partial_json"));
		break;
	default:
		break;
	}
}

static enum msg_stop
stop_of(const struct node *reason)
{
	static const struct {
		const char *reason;
		enum msg_stop stop;
	} stops[] = {
		{ "max_tokens", MSG_STOP_MAX },
		{ "model_context_window_exceeded", MSG_STOP_MAX },
		{ "tool_use", MSG_STOP_TOOL },
		{ "stop_sequence", MSG_STOP_SEQUENCE },
		{ "refusal", MSG_STOP_REFUSAL },
		{ "pause_turn", MSG_STOP_PAUSE }
	};
	size_t i;

	for (i = 0; i < sizeof stops / sizeof stops[0]; i++)
		if (tree_is(reason, stops[i].reason))
			return stops[i].stop;
	return MSG_STOP_END;
}

/* from: where the stop reason stands, in a stream and in an answer. */
static void
read_stop(struct reader *r, const struct node *from)
{
	struct str text;

	text = tree_get_text(from, "stop_reason");
	if (text.n > 0) {
		r->stopped = 1;
		r->stop = stop_of(tree_get(from, "stop_reason"));
	}
	text = tree_get_text(from, "stop_sequence");
	if (text.p != NULL) {
		r->sequenced = 1;
		buf_clear(&r->sequence);
		buf_addstr(&r->sequence, text);
	}
	text = tree_get_text(tree_get(from, "stop_details"), "explanation");
	if (text.n > 0) {
		r->refused = 1;
		buf_clear(&r->refusal);
		buf_addstr(&r->refusal, text);
	}
}

/* Before more is told: whether something was lost on the way. */
static void
check_memory(struct reader *r)
{
	if (!r->over && (r->arena.bad || r->sequence.bad || r->refusal.bad))
		fail(r, huge);
}

/* The answer is complete. */
static void
finish(struct reader *r)
{
	struct msg_event e = { 0 }, usage = { 0 }, end = { 0 };

	close_block(r);
	check_memory(r);
	if (r->over)
		return;
	e.stop = r->stop;
	if (r->stop == MSG_STOP_SEQUENCE && r->sequenced)
		e.sequence = buf_str(&r->sequence);
	if (r->stop == MSG_STOP_REFUSAL && r->refused)
		e.refusal = buf_str(&r->refusal);
	give(r, &e, MSG_FINISH);
	usage.usage = r->usage;
	give(r, &usage, MSG_USAGE);
	r->over = 1;
	give(r, &end, MSG_END);
}

static void
reader_init(struct reader *r, const struct msg_sink *sink)
{
	static const struct reader zero;
	static const struct dialect_usage none = { -1, -1, -1, -1, -1 };

	*r = zero;
	r->sink = *sink;
	r->usage = none;
	r->stop = MSG_STOP_END;
	arena_init(&r->arena, TREE_MAX);
	buf_init(&r->sequence, KEEP_MAX);
	buf_init(&r->refusal, KEEP_MAX);
	buf_init(&r->keep, KEEP_MAX);
}

static void
reader_clear(struct reader *r)
{
	buf_free(&r->keep);
	buf_free(&r->refusal);
	buf_free(&r->sequence);
	arena_free(&r->arena);
}

void *
anthropic_reader_new(const struct msg_sink *sink)
{
	struct reader *r;

	r = malloc(sizeof *r);
	if (r != NULL)
		reader_init(r, sink);
	return r;
}

void
anthropic_reader_free(void *reader)
{
	if (reader == NULL)
		return;
	reader_clear(reader);
	free(reader);
}

static void
read_type(struct reader *r, struct str type, const struct node *e)
{
	if (str_is(type, "message_start")) {
		read_start(r, tree_get(e, "message"));
		return;
	}
	if (str_is(type, "content_block_delta")) {
		read_delta(r, e);
	} else if (str_is(type, "content_block_start")) {
		read_start(r, NULL);
		read_block_start(r, e);
	} else if (str_is(type, "content_block_stop")) {
		close_block(r);
	} else if (str_is(type, "message_delta")) {
		read_start(r, NULL);
		read_stop(r, tree_get(e, "delta"));
		read_usage(r, tree_get(e, "usage"));
	} else if (str_is(type, "message_stop")) {
		/* A server that tells no reason has ended all the same. */
		if (r->started)
			finish(r);
		else
			fail(r, early);
	}
}

static void
read_fault(struct reader *r, const struct node *e)
{
	struct fault f;

	fault_event(&f, &r->arena, DIALECT_ANTHROPIC, e, str_n("", 0));
	give_error(r, f.class, f.message);
}

void
anthropic_read_event(void *reader, struct str name, struct str data)
{
	struct reader *r = reader;
	const struct node *e;
	struct str type;

	if (r->over)
		return;
	arena_reset(&r->arena);
	e = tree_parse(&r->arena, data);
	if (e == NULL || e->type != JSON_OBJECT) {
		/* Behind the stop reason only the end can be cut off. */
		if (r->stopped && !r->arena.bad)
			finish(r);
		else
			fail(r, r->arena.bad ? huge :
			    "Upstream stream sent malformed data");
		return;
	}
	type = tree_get(e, "type") == NULL ? name : plain_of(r, e, "type");
	if (str_is(type, "error") || tree_get(e, "error") != NULL)
		read_fault(r, e);
	else
		read_type(r, type, e);
	check_memory(r);
}

void
anthropic_read_end(void *reader)
{
	struct reader *r = reader;

	if (r->over)
		return;
	arena_reset(&r->arena);
	if (r->stopped)
		finish(r);
	else
		fail(r, early);
}

static void
read_whole(struct reader *r, const struct node *body)
{
	const struct node *b;

	b = tree_get(body, "content");
	if (tree_is(tree_get(body, "type"), "error") ||
	    tree_get(body, "error") != NULL) {
		read_fault(r, body);
		return;
	}
	if (b == NULL || b->type != JSON_ARRAY) {
		fail(r, r->arena.bad ? huge :
		    "The upstream's answer is no message");
		return;
	}
	read_start(r, body);
	for (b = b->child; b != NULL; b = b->next) {
		read_block(r, b);
		close_block(r);
	}
	read_stop(r, body);
	finish(r);
}

void
anthropic_read_answer(const struct msg_sink *sink, struct str body)
{
	struct reader r;

	reader_init(&r, sink);
	read_whole(&r, tree_parse(&r.arena, body));
	reader_clear(&r);
}

/* ---- writing ---- */

struct writer {
	const struct msg_context *c;
	struct arena arena;	/* of the event at hand */
	uint64_t index;		/* of the next block */
	unsigned touched:1;	/* the open CALL has had a DELTA */
	enum msg_stop stop;
	struct buf sequence, refusal;	/* texts */
	unsigned sequenced:1;
	unsigned refused:1;	/* refusal came in pieces */
	struct dialect_usage usage;
};

static void
write_count(struct buf *out, const char *name, int64_t n)
{
	buf_adds(out, name);
	buf_addu(out, n < 0 ? 0 : (uint64_t)n);
}

static void
write_usage(struct buf *out, const struct dialect_usage *u)
{
	buf_adds(out, "\"usage\":{");
	write_count(out, "\"input_tokens\":", u->input);
	write_count(out, ",\"cache_creation_input_tokens\":",
	    u->cache_write);
	write_count(out, ",\"cache_read_input_tokens\":", u->cache_read);
	write_count(out, ",\"output_tokens\":", u->output);
	if (u->reasoning >= 0) {
		write_count(out, ",\"output_tokens_details\":{"
		    "\"thinking_tokens\":", u->reasoning);
		buf_adds(out, "}");
	}
	buf_adds(out, "}");
}

/* stop_reason and what belongs to it; slices with p NULL are not known. */
static void
write_stop(struct buf *out, enum msg_stop stop, struct str sequence,
    struct str refusal)
{
	static const char *const reasons[] = {
		"end_turn", "max_tokens", "tool_use", "stop_sequence",
		"refusal", "pause_turn"
	};

	buf_adds(out, "\"stop_reason\":\"");
	buf_adds(out, reasons[stop]);
	buf_adds(out, "\",\"stop_sequence\":");
	if (stop == MSG_STOP_SEQUENCE && sequence.p != NULL)
		text_write(out, sequence);
	else
		buf_adds(out, "null");
	if (stop != MSG_STOP_REFUSAL)
		return;
	buf_adds(out, ",\"stop_details\":{\"type\":\"refusal\","
	    "\"category\":null,\"explanation\":");
	if (refusal.n > 0)
		text_write(out, refusal);
	else
		buf_adds(out, "null");
	buf_adds(out, "}");
}

/* The message up to its content. */
static void
write_head(struct buf *out, const struct msg_context *c, struct arena *a,
    struct str id)
{
	buf_adds(out, "{\"id\":");
	json_write(out, names_answer_id(a, id, DIALECT_ANTHROPIC,
	    OP_GENERATE, c->random));
	buf_adds(out, ",\"type\":\"message\",\"role\":\"assistant\","
	    "\"model\":");
	json_write(out, c->model);
	buf_adds(out, ",\"content\":[");
}

/* ID-2, ID-3 and ID-1, and the name. */
static void
write_call(struct buf *out, const struct msg_context *c, struct arena *a,
    struct str id, struct str name, struct str signature)
{
	id = id.n == 0 ? names_new_id(a, c->random, DIALECT_ANTHROPIC) :
	    names_id(a, id, DIALECT_ANTHROPIC);
	buf_adds(out, "{\"type\":\"tool_use\",\"id\":");
	json_write(out, names_carry(a, id, signature));
	buf_adds(out, ",\"name\":");
	json_write(out, name);
	buf_adds(out, ",\"input\":");
}

/* MARK: what is not Claude's says whose it is. */
static struct str
signature_of(const struct msg_context *c, struct str signature)
{
	if (signature.n > 0)
		return signature;
	return str_of(c->upstream == DIALECT_GEMINI ? "xl1.g" : "xl1.o");
}

void *
anthropic_writer_new(const struct msg_context *c)
{
	static const struct dialect_usage none = { -1, -1, -1, -1, -1 };
	struct writer *w;

	w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	w->c = c;
	w->stop = MSG_STOP_END;
	w->usage = none;
	arena_init(&w->arena, WORK_MAX);
	buf_init(&w->sequence, KEEP_MAX);
	buf_init(&w->refusal, KEEP_MAX);
	return w;
}

void
anthropic_writer_free(void *writer)
{
	struct writer *w = writer;

	if (w == NULL)
		return;
	buf_free(&w->refusal);
	buf_free(&w->sequence);
	arena_free(&w->arena);
	free(w);
}

static void
write_start(struct writer *w, const struct msg_event *e, struct buf *out)
{
	struct dialect_usage usage;

	/* Clients add this count to the last one: it is told there. */
	usage = e->usage;
	usage.output = 0;
	usage.reasoning = -1;
	buf_adds(out, "event: message_start\n"
	    "data: {\"type\":\"message_start\",\"message\":");
	write_head(out, w->c, &w->arena, e->id);
	buf_adds(out, "],\"stop_reason\":null,\"stop_sequence\":null,");
	write_usage(out, &usage);
	buf_adds(out, "}}\n\n");
}

static void
write_open(struct writer *w, const struct msg_event *e, struct buf *out)
{
	w->touched = 0;
	buf_adds(out, "event: content_block_start\n"
	    "data: {\"type\":\"content_block_start\",\"index\":");
	buf_addu(out, w->index);
	buf_adds(out, ",\"content_block\":");
	if (e->part == MSG_CALL) {
		write_call(out, w->c, &w->arena, e->id, e->name,
		    e->signature);
		buf_adds(out, "{}");
	} else if (e->part == MSG_THINK) {
		buf_adds(out, "{\"type\":\"thinking\",\"thinking\":\"\","
		    "\"signature\":\"\"");
	} else if (e->part == MSG_REDACTED) {
		buf_adds(out, "{\"type\":\"redacted_thinking\",\"data\":");
		text_write(out, e->data);
	} else {
		buf_adds(out, "{\"type\":\"text\",\"text\":\"\"");
	}
	buf_adds(out, "}}\n\n");
}

/* An event up to the value of its delta. */
static void
delta_head(const struct writer *w, const char *type, struct buf *out)
{
	buf_adds(out, "event: content_block_delta\n"
	    "data: {\"type\":\"content_block_delta\",\"index\":");
	buf_addu(out, w->index);
	buf_adds(out, ",\"delta\":{\"type\":");
	buf_adds(out, type);
}

static void
write_delta(struct writer *w, const struct msg_event *e, struct buf *out)
{
	if (e->text.n == 0)
		return;
	w->touched = 1;
	delta_head(w, e->part == MSG_CALL ?
	    "\"input_json_delta\",\"partial_json\":" :
	    e->part == MSG_THINK ? "\"thinking_delta\",\"thinking\":" :
	    "\"text_delta\",\"text\":", out);
	text_write(out, e->text);
	buf_adds(out, "}}\n\n");
}

static void
write_close(struct writer *w, const struct msg_event *e, struct buf *out)
{
	if (e->part == MSG_THINK) {
		delta_head(w, "\"signature_delta\",\"signature\":", out);
		json_write(out, signature_of(w->c, e->signature));
		buf_adds(out, "}}\n\n");
	}
	if (e->part == MSG_CALL && !w->touched) {
		delta_head(w, "\"input_json_delta\",\"partial_json\":\"{}\"",
		    out);
		buf_adds(out, "}}\n\n");
	}
	buf_adds(out, "event: content_block_stop\n"
	    "data: {\"type\":\"content_block_stop\",\"index\":");
	buf_addu(out, w->index);
	buf_adds(out, "}\n\n");
	w->index++;
}

/* Kept for the end; the pieces of a refusal count before its summary. */
static void
keep_finish(struct writer *w, const struct msg_event *e)
{
	w->stop = e->stop;
	if (e->sequence.p != NULL) {
		w->sequenced = 1;
		buf_clear(&w->sequence);
		buf_addstr(&w->sequence, e->sequence);
	}
	if (!w->refused)
		buf_addstr(&w->refusal, e->refusal);
}

static void
write_end(const struct writer *w, struct buf *out)
{
	buf_adds(out, "event: message_delta\n"
	    "data: {\"type\":\"message_delta\",\"delta\":{");
	write_stop(out, w->stop, w->sequenced ? buf_str(&w->sequence) :
	    str_n(NULL, 0), buf_str(&w->refusal));
	buf_adds(out, "},");
	write_usage(out, &w->usage);
	buf_adds(out, "}\n\nevent: message_stop\n"
	    "data: {\"type\":\"message_stop\"}\n\n");
}

/* Events of a part that the stream shows. */
static void
write_piece(struct writer *w, const struct msg_event *e, struct buf *out)
{
	if (e->part == MSG_REFUSAL) {
		if (e->kind == MSG_DELTA) {
			w->refused = 1;
			buf_addstr(&w->refusal, e->text);
		}
		return;
	}
	if (e->kind == MSG_OPEN)
		write_open(w, e, out);
	else if (e->kind == MSG_DELTA)
		write_delta(w, e, out);
	else
		write_close(w, e, out);
}

int
anthropic_write_event(void *writer, const struct msg_event *e,
    struct buf *out)
{
	struct writer *w = writer;
	struct fault f = { 0 };

	arena_reset(&w->arena);
	switch (e->kind) {
	case MSG_START:
		write_start(w, e, out);
		break;
	case MSG_OPEN:
	case MSG_DELTA:
	case MSG_CLOSE:
		if (e->choice == 0)
			write_piece(w, e, out);
		break;
	case MSG_CITE:
		break;
	case MSG_FINISH:
		if (e->choice == 0)
			keep_finish(w, e);
		break;
	case MSG_USAGE:
		w->usage = e->usage;
		break;
	case MSG_END:
		write_end(w, out);
		break;
	case MSG_ERROR:
		f.class = e->class;
		f.message = e->text;
		fault_stream(out, DIALECT_ANTHROPIC, &f);
		break;
	}
	return out->bad || w->arena.bad || w->sequence.bad || w->refusal.bad ?
	    -1 : 0;
}

static void
write_block(struct buf *out, const struct msg_context *c, struct arena *a,
    const struct msg_part *part)
{
	if (part->kind == MSG_TEXT) {
		buf_adds(out, "{\"type\":\"text\",\"text\":");
		text_write(out, part->text);
	} else if (part->kind == MSG_THINK) {
		buf_adds(out, "{\"type\":\"thinking\",\"thinking\":");
		text_write(out, part->text);
		buf_adds(out, ",\"signature\":");
		json_write(out, signature_of(c, part->signature));
	} else if (part->kind == MSG_REDACTED) {
		buf_adds(out, "{\"type\":\"redacted_thinking\",\"data\":");
		text_write(out, part->data);
	} else {
		write_call(out, c, a, part->id, part->name, part->signature);
		text_add(out, part->args);
	}
	buf_adds(out, "}");
}

/* Clients send an empty text back, and Anthropic then refuses it. */
static int
shown(const struct msg_part *part)
{
	return part->kind == MSG_CALL || part->kind == MSG_THINK ||
	    part->kind == MSG_REDACTED ||
	    (part->kind == MSG_TEXT && part->text.n > 0);
}

int
anthropic_write_answer(struct buf *out, const struct msg_context *c,
    const struct msg_gather *g)
{
	static const struct msg_event none;
	const struct msg_gather_choice *choice;
	const struct msg_event *finish;
	const struct msg_part *part;
	struct buf refusal;
	const char *comma;

	choice = g->choices;
	if (choice != NULL && choice->index != 0)
		choice = NULL;
	finish = choice != NULL && choice->finished ? &choice->finish : &none;
	buf_init(&refusal, KEEP_MAX);
	write_head(out, c, g->arena, g->id);
	comma = "";
	for (part = choice == NULL ? NULL : choice->parts; part != NULL;
	    part = part->next) {
		if (part->kind == MSG_REFUSAL)
			buf_addstr(&refusal, part->text);
		if (!shown(part))
			continue;
		buf_adds(out, comma);
		write_block(out, c, g->arena, part);
		comma = ",";
	}
	buf_adds(out, "],");
	write_stop(out, finish->stop, finish->sequence, refusal.len > 0 ?
	    buf_str(&refusal) : finish->refusal);
	buf_adds(out, ",");
	write_usage(out, &g->usage);
	buf_adds(out, "}");
	if (refusal.bad)
		out->bad = 1;
	buf_free(&refusal);
	return out->bad || g->arena->bad ? -1 : 0;
}

int
anthropic_write_ping(struct buf *out)
{
	return buf_adds(out, "event: ping\ndata: {\"type\":\"ping\"}\n\n");
}
