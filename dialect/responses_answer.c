#include "dialect/responses_answer.h"

#include <stdlib.h>

#include "dialect/items.h"

/* A stream. */
struct writer {
	struct items o;
	uint64_t seq;
	enum { NOTHING, REASONING, MESSAGE, CALL } open;
	enum { NO_PART, TEXT_PART, REFUSAL_PART } part;
	struct buf text;	/* escaped: of the part or item that is open */
	struct buf content;	/* finished parts of the open message */
	struct buf notes;	/* annotations of the open part */
	struct buf cites;	/* the ones without place, a LF after each */
	size_t from;		/* where in text the block began */
	unsigned parts, annotations;	/* of the message, of the part */
	struct str call_id, name;
	enum msg_stop stop;
	struct dialect_usage usage;
	unsigned custom:1, started:1, refused:1, ended:1;
};

/* ---- whole answers ---- */

/* Thoughts: each block that must come back by itself, else all as one. */
static void
whole_reasoning(struct items *o, const struct msg_gather_choice *ch)
{
	struct msg_part *plain = NULL;
	const struct msg_part *p;
	struct str envelope, text;
	unsigned genuine = 0;

	for (p = ch->parts; p != NULL; p = p->next) {
		if (p->kind == MSG_REDACTED) {
			text = str_n(NULL, 0);
			envelope = items_seal(o,
			    text_plain(&o->arena, p->data), 1);
		} else if (p->kind == MSG_THINK) {
			text = p->text;
			envelope = items_seal(o, p->signature, 0);
		} else
			continue;
		if (envelope.p == NULL) {
			if (text.n > 0)
				msg_text_add(&o->arena, &plain, text);
			continue;
		}
		items_comma(&o->list);
		items_reasoning(&o->list, o, o->n++, text, envelope);
		genuine++;
	}
	if (genuine == 0 && plain != NULL)
		items_reasoning(&o->list, o, o->n++,
		    msg_join(&o->arena, plain, "\n\n"), str_n(NULL, 0));
}

/* The annotations of one block of text, which has its place now. */
static void
whole_cites(struct buf *notes, const struct msg_gather_choice *ch,
    const struct msg_part *p, size_t from)
{
	const struct msg_cite *cite;

	for (cite = ch->cites; cite != NULL; cite = cite->next) {
		if (cite->part != p)
			continue;
		items_comma(notes);
		items_cite(notes, cite->url, cite->title);
		items_number(notes, "start_index", from);
		items_number(notes, "end_index", from + text_points(p->text));
		buf_addc(notes, '}');
	}
}

static void
whole_message(struct items *o, const struct msg_gather_choice *ch)
{
	struct buf text, refusal, notes, content;
	const struct msg_part *p;

	buf_init(&text, ITEMS_MAX);
	buf_init(&refusal, ITEMS_MAX);
	buf_init(&notes, ITEMS_MAX);
	buf_init(&content, ITEMS_MAX);
	for (p = ch->parts; p != NULL; p = p->next)
		if (p->kind == MSG_TEXT) {
			if (ch->cites != NULL)
				whole_cites(&notes, ch, p,
				    text_points(buf_str(&text)));
			buf_addstr(&text, p->text);
		} else if (p->kind == MSG_REFUSAL)
			buf_addstr(&refusal, p->text);
	if (refusal.len == 0)
		buf_addstr(&refusal, ch->finish.refusal);
	if (text.len > 0)
		items_part_text(&content, buf_str(&text), buf_str(&notes));
	if (refusal.len > 0) {
		items_comma(&content);
		items_part_refusal(&content, buf_str(&refusal));
	}
	if (content.len > 0) {
		items_comma(&o->list);
		items_message(&o->list, o, o->n++, "completed",
		    buf_str(&content));
	}
	o->list.bad |= text.bad | refusal.bad | notes.bad | content.bad;
	buf_free(&text);
	buf_free(&refusal);
	buf_free(&notes);
	buf_free(&content);
}

static void
whole_call(struct items *o, const struct msg_part *p)
{
	struct str id, input;

	id = items_call_id(o, p->id, p->signature);
	items_comma(&o->list);
	input = str_n(NULL, 0);
	if (p->custom)
		input = items_custom_input(&o->arena, p->args);
	if (input.p != NULL)
		items_custom(&o->list, o, o->n++, id, p->name, input);
	else
		items_function(&o->list, o, o->n++, "completed", id, p->name,
		    text_from_object(&o->arena, p->args));
}

int
responses_write_answer(struct buf *out, const struct msg_context *c,
    const struct msg_gather *g)
{
	const struct msg_gather_choice *ch = g->choices;
	const struct msg_part *p;
	enum msg_stop stop = MSG_STOP_END;
	struct items o;
	int bad;

	items_init(&o, c);
	items_name(&o, g->id);
	if (ch != NULL) {
		whole_reasoning(&o, ch);
		whole_message(&o, ch);
		for (p = ch->parts; p != NULL; p = p->next)
			if (p->kind == MSG_CALL)
				whole_call(&o, p);
		stop = ch->finish.stop;
	}
	items_final(out, &o, stop, &g->usage);
	bad = items_bad(&o) || out->bad || g->arena->bad;
	items_free(&o);
	return bad ? -1 : 0;
}

/* ---- streams ---- */

void *
responses_writer_new(const struct msg_context *c)
{
	struct writer *w;

	w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	items_init(&w->o, c);
	buf_init(&w->text, ITEMS_MAX);
	buf_init(&w->content, ITEMS_MAX);
	buf_init(&w->notes, ITEMS_MAX);
	buf_init(&w->cites, ITEMS_MAX);
	w->stop = MSG_STOP_END;
	w->usage.input = w->usage.output = w->usage.reasoning = -1;
	w->usage.cache_read = w->usage.cache_write = -1;
	return w;
}

void
responses_writer_free(void *writer)
{
	struct writer *w = writer;

	if (w == NULL)
		return;
	items_free(&w->o);
	buf_free(&w->text);
	buf_free(&w->content);
	buf_free(&w->notes);
	buf_free(&w->cites);
	free(w);
}

/* An event up to its own members; end() closes it. */
static void
begin(struct writer *w, struct buf *out, const char *type)
{
	buf_adds(out, "event: response.");
	buf_adds(out, type);
	buf_adds(out, "\ndata: {\"type\":\"response.");
	buf_adds(out, type);
	buf_addc(out, '"');
	items_number(out, "sequence_number", w->seq++);
}

static void
end(struct buf *out)
{
	buf_adds(out, "}\n\n");
}

/* begin() for what belongs to the open item. */
static void
begin_in(struct writer *w, struct buf *out, const char *type)
{
	static const char *const prefixes[] = { "", "rs_", "msg_", "fc_" };

	begin(w, out, type);
	buf_adds(out, ",\"item_id\":");
	items_id(out, &w->o, w->open == CALL && w->custom ? "ctc_" :
	    prefixes[w->open], w->o.n - 1);
	items_number(out, "output_index", w->o.n - 1);
	if (w->open == REASONING)
		items_number(out, "summary_index", 0);
	else if (w->open == MESSAGE)
		items_number(out, "content_index", w->parts);
}

/* begin() for an item itself, whose JSON follows. */
static void
begin_item(struct writer *w, struct buf *out, const char *type)
{
	begin(w, out, type);
	items_number(out, "output_index", w->o.n - 1);
	buf_adds(out, ",\"item\":");
}

/* The item that was just added to the finished ones is told as done. */
static void
item_done(struct writer *w, struct buf *out, size_t at)
{
	struct str items;

	items = buf_str(&w->o.list);
	begin_item(w, out, "output_item.done");
	if (!w->o.list.bad)
		buf_add(out, items.p + at, items.n - at);
	end(out);
	w->open = NOTHING;
	buf_clear(&w->text);
	/* Bad is not to be forgotten. */
	if (!w->o.arena.bad)
		arena_reset(&w->o.arena);
}

/* Where the next finished item begins. */
static size_t
item_place(struct writer *w)
{
	items_comma(&w->o.list);
	return w->o.list.len;
}

static void
start(struct writer *w, struct str id, struct buf *out)
{
	static const char *const types[] = { "created", "in_progress" };
	size_t i;

	if (w->started)
		return;
	w->started = 1;
	items_name(&w->o, id);
	for (i = 0; i < 2; i++) {
		begin(w, out, types[i]);
		buf_adds(out, ",\"response\":");
		items_object(out, &w->o, "in_progress", str_of("null"), "null",
		    NULL);
		end(out);
	}
}

/* ---- reasoning ---- */

static void
reasoning_open(struct writer *w, struct buf *out)
{
	w->open = REASONING;
	w->o.n++;
	begin_item(w, out, "output_item.added");
	items_reasoning(out, &w->o, w->o.n - 1, str_n(NULL, 0),
	    str_n(NULL, 0));
	end(out);
}

static void
reasoning_delta(struct writer *w, struct str text, struct buf *out)
{
	if (w->open != REASONING)
		reasoning_open(w, out);
	if (w->text.len == 0) {
		begin_in(w, out, "reasoning_summary_part.added");
		buf_adds(out,
		    ",\"part\":{\"type\":\"summary_text\",\"text\":\"\"}");
		end(out);
	}
	buf_addstr(&w->text, text);
	begin_in(w, out, "reasoning_summary_text.delta");
	items_text(out, "delta", text);
	end(out);
}

/* A thought without text is there only if it must come back. */
static void
reasoning_close(struct writer *w, struct str envelope, struct buf *out)
{
	struct str text;
	size_t at;

	if (w->open != REASONING) {
		if (envelope.p == NULL)
			return;
		reasoning_open(w, out);
	}
	text = buf_str(&w->text);
	if (text.n > 0) {
		begin_in(w, out, "reasoning_summary_text.done");
		items_text(out, "text", text);
		end(out);
		begin_in(w, out, "reasoning_summary_part.done");
		buf_adds(out, ",\"part\":{\"type\":\"summary_text\"");
		items_text(out, "text", text);
		buf_addc(out, '}');
		end(out);
	}
	at = item_place(w);
	items_reasoning(&w->o.list, &w->o, w->o.n - 1, text, envelope);
	item_done(w, out, at);
}

/* ---- message ---- */

/* The open part of the message is over. */
static void
part_close(struct writer *w, struct buf *out)
{
	struct str text, content;
	size_t at;

	if (w->part == NO_PART)
		return;
	text = buf_str(&w->text);
	items_comma(&w->content);
	at = w->content.len;
	if (w->part == TEXT_PART) {
		begin_in(w, out, "output_text.done");
		items_text(out, "text", text);
		buf_adds(out, ",\"logprobs\":[]");
		items_part_text(&w->content, text, buf_str(&w->notes));
	} else {
		begin_in(w, out, "refusal.done");
		items_text(out, "refusal", text);
		items_part_refusal(&w->content, text);
	}
	end(out);
	begin_in(w, out, "content_part.done");
	buf_adds(out, ",\"part\":");
	content = buf_str(&w->content);
	if (!w->content.bad)
		buf_add(out, content.p + at, content.n - at);
	end(out);
	w->part = NO_PART;
	w->parts++;
	w->annotations = 0;
	w->from = 0;
	buf_clear(&w->text);
	buf_clear(&w->notes);
}

static void
message_close(struct writer *w, struct buf *out)
{
	size_t at;

	if (w->open != MESSAGE)
		return;
	part_close(w, out);
	at = item_place(w);
	items_message(&w->o.list, &w->o, w->o.n - 1, "completed",
	    buf_str(&w->content));
	buf_clear(&w->content);
	item_done(w, out, at);
	w->parts = 0;
}

/*
 * Blocks of text that follow each other are one message, and one text: a
 * client shows each message by itself.
 */
static void
message_delta(struct writer *w, enum msg_kind kind, struct str text,
    struct buf *out)
{
	struct str none = str_n("", 0);
	int refusal = kind == MSG_REFUSAL;

	if (w->open != MESSAGE) {
		w->open = MESSAGE;
		w->o.n++;
		begin_item(w, out, "output_item.added");
		items_message(out, &w->o, w->o.n - 1, "in_progress", none);
		end(out);
	}
	if (w->part != (refusal ? REFUSAL_PART : TEXT_PART)) {
		part_close(w, out);
		w->part = refusal ? REFUSAL_PART : TEXT_PART;
		begin_in(w, out, "content_part.added");
		buf_adds(out, ",\"part\":");
		if (refusal)
			items_part_refusal(out, none);
		else
			items_part_text(out, none, none);
		end(out);
	}
	buf_addstr(&w->text, text);
	begin_in(w, out, refusal ? "refusal.delta" : "output_text.delta");
	items_text(out, "delta", text);
	if (!refusal)
		buf_adds(out, ",\"logprobs\":[]");
	end(out);
}

/* A block of text is over: what it cites has its place now. */
static void
text_close(struct writer *w, struct buf *out)
{
	struct str cites, text;
	size_t first, last, n, at;

	text = buf_str(&w->text);
	if (w->part == TEXT_PART && !w->text.bad && !w->cites.bad) {
		first = text_points(str_n(text.p, w->from));
		last = first + text_points(str_n(text.p + w->from,
		    text.n - w->from));
		for (cites = buf_str(&w->cites); cites.n > 0;
		    cites = str_n(cites.p + n, cites.n - n)) {
			n = (size_t)((const char *)memchr(cites.p, '\n',
			    cites.n) - cites.p) + 1;
			items_comma(&w->notes);
			at = w->notes.len;
			buf_add(&w->notes, cites.p, n - 1);
			items_number(&w->notes, "start_index", first);
			items_number(&w->notes, "end_index", last);
			buf_addc(&w->notes, '}');
			begin_in(w, out, "output_text.annotation.added");
			items_number(out, "annotation_index", w->annotations++);
			buf_adds(out, ",\"annotation\":");
			if (!w->notes.bad)
				buf_add(out, buf_str(&w->notes).p + at,
				    w->notes.len - at);
			end(out);
		}
	}
	buf_clear(&w->cites);
}

/* ---- calls ---- */

static void
call_open(struct writer *w, const struct msg_event *e, struct buf *out)
{
	struct arena *a = &w->o.arena;

	w->call_id = items_call_id(&w->o, e->id, e->signature);
	if (w->call_id.p == e->id.p)
		w->call_id = arena_copy(a, e->id);
	w->name = arena_copy(a, e->name);
	w->custom = e->custom;
	w->open = CALL;
	/* Whether the model kept to the form of a custom call shows later. */
	if (w->custom)
		return;
	w->o.n++;
	begin_item(w, out, "output_item.added");
	items_function(out, &w->o, w->o.n - 1, "in_progress", w->call_id,
	    w->name, str_n("", 0));
	end(out);
}

static void
call_delta(struct writer *w, struct str text, struct buf *out)
{
	buf_addstr(&w->text, text);
	if (w->custom)
		return;
	begin_in(w, out, "function_call_arguments.delta");
	items_text(out, "delta", text);
	end(out);
}

static void
custom_close(struct writer *w, struct str input, struct buf *out)
{
	size_t at;

	w->o.n++;
	begin_item(w, out, "output_item.added");
	items_custom(out, &w->o, w->o.n - 1, w->call_id, w->name,
	    str_n("", 0));
	end(out);
	begin_in(w, out, "custom_tool_call_input.delta");
	items_text(out, "delta", input);
	end(out);
	begin_in(w, out, "custom_tool_call_input.done");
	items_text(out, "input", input);
	end(out);
	at = item_place(w);
	items_custom(&w->o.list, &w->o, w->o.n - 1, w->call_id, w->name,
	    input);
	item_done(w, out, at);
}

/* What was taken for a custom call is told as a function's after all. */
static void
custom_back(struct writer *w, struct buf *out)
{
	struct msg_event e;
	struct str text;

	memset(&e, 0, sizeof e);
	e.id = w->call_id;
	e.name = w->name;
	text = arena_take(&w->o.arena, &w->text);
	call_open(w, &e, out);
	if (text.n > 0)
		call_delta(w, text, out);
}

static void
call_close(struct writer *w, struct buf *out)
{
	struct arena *a = &w->o.arena;
	struct str input;
	size_t at;

	if (w->open != CALL)
		return;
	if (w->custom) {
		input = items_custom_input(a, text_plain(a, buf_str(&w->text)));
		if (input.p != NULL) {
			custom_close(w, input, out);
			return;
		}
		custom_back(w, out);
	}
	if (w->text.len == 0)
		call_delta(w, str_of("{}"), out);
	begin_in(w, out, "function_call_arguments.done");
	items_text(out, "arguments", buf_str(&w->text));
	end(out);
	at = item_place(w);
	items_function(&w->o.list, &w->o, w->o.n - 1, "completed",
	    w->call_id, w->name, buf_str(&w->text));
	item_done(w, out, at);
}

/* ---- events ---- */

static void
take_open(struct writer *w, const struct msg_event *e, struct buf *out)
{
	struct arena *a = &w->o.arena;

	if (e->part == MSG_TEXT) {
		w->from = w->part == TEXT_PART ? w->text.len : 0;
		return;
	}
	if (e->part == MSG_REFUSAL)
		return;
	message_close(w, out);
	if (e->part == MSG_CALL)
		call_open(w, e, out);
	else if (e->part == MSG_REDACTED)
		reasoning_close(w, items_seal(&w->o, text_plain(a, e->data), 1),
		    out);
}

static void
take_delta(struct writer *w, const struct msg_event *e, struct buf *out)
{
	if (e->text.n == 0)
		return;
	if (e->part == MSG_THINK)
		reasoning_delta(w, e->text, out);
	else if (e->part == MSG_CALL)
		call_delta(w, e->text, out);
	else
		message_delta(w, e->part, e->text, out);
	if (e->part == MSG_REFUSAL)
		w->refused = 1;
}

static void
take_close(struct writer *w, const struct msg_event *e, struct buf *out)
{
	if (e->part == MSG_TEXT)
		text_close(w, out);
	else if (e->part == MSG_THINK)
		reasoning_close(w, items_seal(&w->o, e->signature, 0), out);
	else if (e->part == MSG_CALL)
		call_close(w, out);
}

static void
take_finish(struct writer *w, const struct msg_event *e, struct buf *out)
{
	if (e->refusal.n > 0 && !w->refused)
		message_delta(w, MSG_REFUSAL, e->refusal, out);
	message_close(w, out);
	w->stop = e->stop;
}

static void
take_end(struct writer *w, struct buf *out)
{
	message_close(w, out);
	begin(w, out, w->stop == MSG_STOP_MAX || w->stop == MSG_STOP_REFUSAL ?
	    "incomplete" : "completed");
	buf_adds(out, ",\"response\":");
	items_final(out, &w->o, w->stop, &w->usage);
	end(out);
	w->ended = 1;
}

static const char *
code_of(enum msg_class class)
{
	switch (class) {
	case MSG_RATE:
	case MSG_BILLING:
		return "rate_limit_exceeded";
	case MSG_OVERLOADED:
	case MSG_TIMEOUT:
	case MSG_SERVER:
	case MSG_GATEWAY:
		return "server_error";
	default:
		return "invalid_prompt";
	}
}

static void
take_error(struct writer *w, const struct msg_event *e, struct buf *out)
{
	struct buf error;

	start(w, str_n("", 0), out);
	buf_init(&error, 6 * e->text.n + 100);
	buf_adds(&error, "{\"code\":\"");
	buf_adds(&error, code_of(e->class));
	buf_addc(&error, '"');
	items_text(&error, "message", e->text);
	buf_addc(&error, '}');
	begin(w, out, "failed");
	buf_adds(out, ",\"response\":");
	items_object(out, &w->o, "failed", buf_str(&error), "null", NULL);
	end(out);
	out->bad |= error.bad;
	buf_free(&error);
	w->ended = 1;
}

int
responses_write_event(void *writer, const struct msg_event *e,
    struct buf *out)
{
	struct writer *w = writer;

	if (w->ended || e->choice != 0)
		return 0;
	if (e->kind == MSG_ERROR) {
		take_error(w, e, out);
	} else {
		start(w, e->kind == MSG_START ? e->id : str_n("", 0), out);
		if (e->kind == MSG_OPEN)
			take_open(w, e, out);
		else if (e->kind == MSG_DELTA)
			take_delta(w, e, out);
		else if (e->kind == MSG_CITE && e->url.n > 0) {
			items_cite(&w->cites, e->url, e->title);
			buf_addc(&w->cites, '\n');
		} else if (e->kind == MSG_CLOSE)
			take_close(w, e, out);
		else if (e->kind == MSG_FINISH)
			take_finish(w, e, out);
		else if (e->kind == MSG_USAGE)
			w->usage = e->usage;
		else if (e->kind == MSG_END)
			take_end(w, out);
	}
	return out->bad || items_bad(&w->o) || w->text.bad ||
	    w->content.bad || w->notes.bad || w->cites.bad ? -1 : 0;
}

int
responses_write_ping(struct buf *out)
{
	return buf_adds(out, ": ping\n\n");
}
