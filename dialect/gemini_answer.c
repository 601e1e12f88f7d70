#include "dialect/gemini_answer.h"

#include <stdlib.h>
#include <string.h>

#include "dialect/fault.h"
#include "json.h"

#define TREE_MAX	((size_t)256 << 20)	/* of one event, or an answer */
#define KEEP_MAX	((size_t)64 << 20)	/* of what is kept of a part */
#define WORK_MAX	((size_t)256 << 20)	/* of what is made of it */
#define CANDIDATES_MAX	64

static const char early[] = "Upstream stream ended before completion";

/* Families of finish reasons; the last one that came counts. */
enum ending { END_NONE, END_STOP, END_MAX, END_REFUSAL, END_BROKEN };

struct candidate {
	struct candidate *next;
	unsigned index;
	enum ending ending;
	const char *reason;	/* of END_BROKEN */
	enum msg_kind part;	/* that is open: TEXT or THINK */
	struct buf message;	/* text: why it was refused */
	struct node *logprobs;	/* of a whole answer */
	unsigned open:1;
	unsigned calls:1;
	unsigned content:1;	/* more than thoughts */
};

struct reader {
	struct msg_sink sink;
	struct arena arena;	/* of the event at hand, or a whole answer */
	struct candidate *candidates;	/* owned, in order of their index */
	unsigned count;
	struct dialect_usage usage;
	struct buf id;		/* plain */
	struct buf blocked;	/* text: why the prompt was */
	struct buf args;	/* of the call at hand */
	unsigned whole:1;	/* no stream: the tree stays until the end */
	unsigned started:1;
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

	if (r->over)
		return;
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

/* The first chunk begins the answer, whatever it holds (section 6). */
static void
give_start(struct reader *r)
{
	struct msg_event e = { 0 };

	if (r->started)
		return;
	r->started = 1;
	e.id = buf_str(&r->id);
	e.usage = r->usage;
	give(r, &e, MSG_START);
}

static struct str
plain_of(struct reader *r, const struct node *n, const char *name)
{
	struct str text = tree_get_text(n, name);

	return text.p == NULL ? text : text_plain(&r->arena, text);
}

/* ---- usage ---- */

static int64_t
tokens(const struct node *n, const char *name)
{
	uint64_t v;

	return json_u64(tree_get_number(n, name), &v) == -1 ||
	    v > INT64_MAX / 4 ? -1 : (int64_t)v;
}

static int64_t
sum(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 ? a : a + b;
}

/* Section 5: Gemini counts cached tokens as input, thoughts beside output. */
static void
read_usage(struct reader *r, const struct node *n)
{
	struct dialect_usage *u = &r->usage;
	int64_t cached;

	if (n == NULL || n->type != JSON_OBJECT)
		return;
	cached = tokens(n, "cachedContentTokenCount");
	u->reasoning = tokens(n, "thoughtsTokenCount");
	u->output = sum(tokens(n, "candidatesTokenCount"), u->reasoning);
	u->cache_read = cached < 0 ? 0 : cached;
	u->cache_write = 0;
	u->input = sum(tokens(n, "promptTokenCount"),
	    tokens(n, "toolUsePromptTokenCount"));
	if (u->input >= 0)
		u->input = u->input < u->cache_read ? 0
		    : u->input - u->cache_read;
}

/* ---- parts ---- */

static struct candidate *
candidate_at(struct reader *r, unsigned index)
{
	struct candidate **at = &r->candidates, *c;

	while (*at != NULL && (*at)->index < index)
		at = &(*at)->next;
	if (*at != NULL && (*at)->index == index)
		return *at;
	if (r->count == CANDIDATES_MAX) {
		fail(r, "Upstream answer has too many candidates");
		return NULL;
	}
	if ((c = calloc(1, sizeof *c)) == NULL) {
		fail(r, "Out of memory");
		return NULL;
	}
	r->count++;
	c->index = index;
	buf_init(&c->message, KEEP_MAX);
	c->next = *at;
	*at = c;
	return c;
}

static void
part_close(struct reader *r, struct candidate *c)
{
	struct msg_event e = { 0 };

	if (!c->open)
		return;
	c->open = 0;
	e.choice = c->index;
	e.part = c->part;
	/* Nobody but us can tell that these thoughts are not Claude's. */
	if (c->part == MSG_THINK)
		e.signature = str_of("xl1.g");
	give(r, &e, MSG_CLOSE);
}

/* A piece of text or thought; neighbours of one kind are one part. */
static void
read_piece(struct reader *r, struct candidate *c, enum msg_kind kind,
    struct str text)
{
	struct msg_event e = { 0 };

	if (text.n == 0)
		return;
	if (c->open && c->part != kind)
		part_close(r, c);
	e.choice = c->index;
	e.part = kind;
	if (!c->open) {
		c->open = 1;
		c->part = kind;
		give(r, &e, MSG_OPEN);
	}
	if (kind == MSG_TEXT)
		c->content = 1;
	e.text = text;
	give(r, &e, MSG_DELTA);
}

static void
read_call(struct reader *r, struct candidate *c, const struct node *part,
    const struct node *call)
{
	const struct node *args = tree_get(call, "args");
	struct msg_event e = { 0 };

	buf_clear(&r->args);
	if (args == NULL || args->type != JSON_OBJECT)
		buf_adds(&r->args, "{}");
	else
		text_nest(&r->args, args->raw);
	if (r->args.bad) {
		fail(r, "Upstream answer is too large to translate");
		return;
	}
	part_close(r, c);
	c->calls = c->content = 1;
	e.choice = c->index;
	e.part = MSG_CALL;
	e.id = plain_of(r, call, "id");
	e.name = plain_of(r, call, "name");
	if (e.name.p == NULL)
		e.name = str_n("", 0);
	e.signature = plain_of(r, part, "thoughtSignature");
	give(r, &e, MSG_OPEN);
	memset(&e, 0, sizeof e);
	e.choice = c->index;
	e.part = MSG_CALL;
	e.text = buf_str(&r->args);
	give(r, &e, MSG_DELTA);
	e.text = str_n(NULL, 0);
	give(r, &e, MSG_CLOSE);
}

/* What has no form elsewhere: images, code and its results. */
static void
drop_part(struct reader *r, const struct node *part)
{
	static const char *const about[] = {
		"thought", "thoughtSignature", "videoMetadata",
		"mediaResolution", "partMetadata"
	};
	const struct node *m;
	size_t i;

	for (m = part->child; m != NULL; m = m->next) {
		for (i = 0; i < sizeof about / sizeof about[0]; i++)
			if (tree_key_is(m, about[i]))
				break;
		if (i < sizeof about / sizeof about[0] ||
		    m->type == JSON_NULL)
			continue;
		msg_note(r->sink.arena, r->sink.notes, "drop:part.",
		    text_plain(&r->arena, m->key));
		return;
	}
}

static void
read_part(struct reader *r, struct candidate *c, const struct node *part)
{
	const struct node *call;
	struct str text;

	if (part->type != JSON_OBJECT)
		return;
	if ((call = tree_get(part, "functionCall")) != NULL) {
		read_call(r, c, part, call);
		return;
	}
	text = tree_get_text(part, "text");
	if (text.p == NULL)
		drop_part(r, part);
	else
		read_piece(r, c, tree_is_true(part, "thought") ? MSG_THINK
		    : MSG_TEXT, text);
}

/* ---- chunks ---- */

static const struct {
	const char *reason;
	enum ending ending;
} endings[] = {
	{ "STOP", END_STOP },
	{ "MAX_TOKENS", END_MAX },
	{ "CONTINUATION", END_MAX },
	{ "SAFETY", END_REFUSAL },
	{ "RECITATION", END_REFUSAL },
	{ "LANGUAGE", END_REFUSAL },
	{ "BLOCKLIST", END_REFUSAL },
	{ "PROHIBITED_CONTENT", END_REFUSAL },
	{ "SPII", END_REFUSAL },
	{ "IMAGE_SAFETY", END_REFUSAL },
	{ "IMAGE_PROHIBITED_CONTENT", END_REFUSAL },
	{ "IMAGE_RECITATION", END_REFUSAL },
	{ "MALFORMED_FUNCTION_CALL", END_BROKEN },
	{ "UNEXPECTED_TOOL_CALL", END_BROKEN },
	{ "TOO_MANY_TOOL_CALLS", END_BROKEN },
	{ "MALFORMED_RESPONSE", END_BROKEN },
	{ "OTHER", END_BROKEN },
	{ "NO_IMAGE", END_BROKEN },
	{ "IMAGE_OTHER", END_BROKEN }
};

static void
read_ending(struct candidate *c, const struct node *n)
{
	const struct node *reason = tree_get(n, "finishReason");
	struct str text = tree_text(reason);
	size_t i;

	if (text.n == 0 || tree_is(reason, "FINISH_REASON_UNSPECIFIED"))
		return;
	/* One that is not known yet is an end like any other. */
	c->ending = END_STOP;
	for (i = 0; i < sizeof endings / sizeof endings[0]; i++)
		if (tree_is(reason, endings[i].reason)) {
			c->ending = endings[i].ending;
			c->reason = endings[i].reason;
		}
	text = tree_get_text(n, "finishMessage");
	if (c->ending == END_REFUSAL && text.n > 0) {
		buf_clear(&c->message);
		buf_addstr(&c->message, text);
	}
}

static void
read_candidate(struct reader *r, const struct node *n, unsigned position)
{
	const struct node *parts;
	struct candidate *c;
	uint64_t index;

	if (n->type != JSON_OBJECT)
		return;
	if (json_u64(tree_get_number(n, "index"), &index) == -1 ||
	    index > UINT32_MAX)
		index = position;
	if ((c = candidate_at(r, (unsigned)index)) == NULL)
		return;
	parts = tree_get(tree_get(n, "content"), "parts");
	if (parts != NULL && parts->type == JSON_ARRAY)
		for (parts = parts->child; parts != NULL && !r->over;
		    parts = parts->next)
			read_part(r, c, parts);
	read_ending(c, n);
	if (r->whole)
		c->logprobs = tree_get(n, "logprobsResult");
}

/* A prompt that was blocked has no candidates. */
static void
read_feedback(struct reader *r, const struct node *n)
{
	struct str reason = tree_get_text(n, "blockReason");
	struct str why = tree_get_text(n, "blockReasonMessage");

	if (reason.n == 0)
		return;
	buf_clear(&r->blocked);
	if (why.n > 0) {
		buf_addstr(&r->blocked, why);
		return;
	}
	buf_adds(&r->blocked, "Prompt blocked by the upstream (");
	buf_addstr(&r->blocked, reason);
	buf_addc(&r->blocked, ')');
}

static void
read_chunk(struct reader *r, const struct node *n)
{
	const struct node *list;
	unsigned position = 0;
	struct fault f;

	if (n->type != JSON_OBJECT) {
		fail(r, "Upstream sent malformed data");
		return;
	}
	if (tree_get(n, "error") != NULL) {
		fault_event(&f, &r->arena, DIALECT_GEMINI, n, str_n("", 0));
		give_error(r, f.class, f.message);
		return;
	}
	read_usage(r, tree_get(n, "usageMetadata"));
	if (r->id.len == 0)
		buf_addstr(&r->id, plain_of(r, n, "responseId"));
	read_feedback(r, tree_get(n, "promptFeedback"));
	give_start(r);
	list = tree_get(n, "candidates");
	if (list == NULL || list->type != JSON_ARRAY)
		return;
	for (list = list->child; list != NULL && !r->over; list = list->next)
		read_candidate(r, list, position++);
}

/* A chunk, or a list of them (what comes without alt=sse). */
static void
read_text(struct reader *r, struct str data)
{
	const struct node *n = tree_parse(&r->arena, data);

	if (n == NULL)
		fail(r, r->arena.bad ? "Out of memory"
		    : "Upstream sent malformed data");
	else if (n->type != JSON_ARRAY)
		read_chunk(r, n);
	else
		for (n = n->child; n != NULL && !r->over; n = n->next)
			read_chunk(r, n);
	if (r->arena.bad)
		fail(r, "Out of memory");
}

/* ---- the end ---- */

static void
give_finish(struct reader *r, const struct candidate *c)
{
	struct msg_event e = { 0 };

	e.choice = c->index;
	e.stop = c->ending == END_MAX ? MSG_STOP_MAX
	    : c->ending == END_REFUSAL ? MSG_STOP_REFUSAL
	    : c->calls ? MSG_STOP_TOOL : MSG_STOP_END;
	if (c->message.len > 0 && c->ending == END_REFUSAL)
		e.refusal = buf_str(&c->message);
	e.logprobs = c->logprobs;
	e.logprobs_of = DIALECT_GEMINI;
	give(r, &e, MSG_FINISH);
}

static void
give_end(struct reader *r)
{
	struct msg_event e = { 0 };

	e.usage = r->usage;
	give(r, &e, MSG_USAGE);
	memset(&e, 0, sizeof e);
	r->over = 1;
	give(r, &e, MSG_END);
}

static void
end_blocked(struct reader *r)
{
	struct msg_event e = { 0 };

	e.stop = MSG_STOP_REFUSAL;
	e.refusal = buf_str(&r->blocked);
	give(r, &e, MSG_FINISH);
	give_end(r);
}

/* Nothing to show and a reason that calls for another try (section 5). */
static int
end_broken(struct reader *r)
{
	const struct candidate *c;
	const char *reason = NULL;
	struct buf why;

	for (c = r->candidates; c != NULL; c = c->next) {
		if (c->content || c->ending != END_BROKEN)
			return 0;
		if (reason == NULL)
			reason = c->reason;
	}
	buf_init(&why, 256);
	buf_adds(&why, "Upstream ended its answer with ");
	buf_adds(&why, reason == NULL ? "OTHER" : reason);
	give_error(r, MSG_SERVER, buf_str(&why));
	buf_free(&why);
	return 1;
}

static void
end(struct reader *r)
{
	struct candidate *c;

	if (r->over)
		return;
	if (r->candidates == NULL) {
		if (r->blocked.len > 0)
			end_blocked(r);
		else
			fail(r, r->whole ? "Upstream answer has no candidates"
			    : early);
		return;
	}
	for (c = r->candidates; c != NULL; c = c->next) {
		if (c->ending == END_NONE && !r->whole) {
			fail(r, early);
			return;
		}
	}
	if (end_broken(r))
		return;
	for (c = r->candidates; c != NULL; c = c->next)
		part_close(r, c);
	for (c = r->candidates; c != NULL; c = c->next)
		give_finish(r, c);
	give_end(r);
}

static void
reader_init(struct reader *r, const struct msg_sink *sink)
{
	memset(r, 0, sizeof *r);
	r->sink = *sink;
	arena_init(&r->arena, TREE_MAX);
	buf_init(&r->id, KEEP_MAX);
	buf_init(&r->blocked, KEEP_MAX);
	buf_init(&r->args, WORK_MAX);
	r->usage.input = r->usage.output = r->usage.reasoning = -1;
	r->usage.cache_read = r->usage.cache_write = -1;
}

static void
reader_clear(struct reader *r)
{
	struct candidate *c;

	while ((c = r->candidates) != NULL) {
		r->candidates = c->next;
		buf_free(&c->message);
		free(c);
	}
	arena_free(&r->arena);
	buf_free(&r->id);
	buf_free(&r->blocked);
	buf_free(&r->args);
}

void *
gemini_reader_new(const struct msg_sink *sink)
{
	struct reader *r = malloc(sizeof *r);

	if (r != NULL)
		reader_init(r, sink);
	return r;
}

void
gemini_reader_free(void *reader)
{
	if (reader == NULL)
		return;
	reader_clear(reader);
	free(reader);
}

void
gemini_read_event(void *reader, struct str name, struct str data)
{
	struct reader *r = reader;

	(void)name;
	/* Not Google's, but relays that speak for it end streams with this. */
	if (r->over || str_is(data, "[DONE]"))
		return;
	arena_reset(&r->arena);
	read_text(r, data);
}

void
gemini_read_end(void *reader)
{
	end(reader);
}

void
gemini_read_answer(const struct msg_sink *sink, struct str body)
{
	struct reader r;

	reader_init(&r, sink);
	r.whole = 1;
	read_text(&r, body);
	end(&r);
	reader_clear(&r);
}
