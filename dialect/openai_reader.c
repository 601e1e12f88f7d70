#include "dialect/openai_reader.h"

#include <stdlib.h>
#include <string.h>

#include "dialect/fault.h"
#include "dialect/openai_queue.h"
#include "json.h"

#define TREE_MAX ((size_t)256 << 20)	/* of one event, or an answer */

static const struct dialect_usage untold = { -1, -1, -1, -1, -1 };

static const char early[] = "Upstream stream ended before completion";
static const char malformed[] = "The upstream sent malformed data";
static const char huge[] = "The upstream's answer is too large to translate";

enum reason { REASON_STOP, REASON_LENGTH, REASON_FILTER };

struct choice {
	struct openai_queue queue;
	enum reason reason;
	struct node *logprobs;	/* of a whole answer */
};

struct reader {
	struct msg_sink sink;
	struct arena arena;	/* of the event at hand */
	struct dialect_usage usage;
	struct choice *choices[OPENAI_CHOICES_MAX];	/* owned */
	unsigned whole:1;	/* no stream: all is in one object */
	unsigned started:1;
	unsigned over:1;	/* END or ERROR was given */
};

static void
give(struct reader *r, struct msg_event *e, enum msg_event_kind kind)
{
	e->kind = kind;
	r->sink.take(r->sink.arg, e);
}

static void
give_error(struct reader *r, enum msg_class class, struct str text)
{
	struct msg_event e;

	memset(&e, 0, sizeof e);
	r->over = 1;
	e.class = class;
	e.text = text;
	give(r, &e, MSG_ERROR);
}

static int
fail(struct reader *r, const char *why)
{
	give_error(r, MSG_SERVER, str_of(why));
	return -1;
}

/* Up to a NUL, which no id or name has: they are kept as C strings. */
static struct str
plain_of(struct reader *r, const struct node *n, const char *name)
{
	struct str s = tree_get_text(n, name);
	const char *nul;

	if (s.p != NULL)
		s = text_plain(&r->arena, s);
	if (s.n > 0 && (nul = memchr(s.p, '\0', s.n)) != NULL)
		s.n = (size_t)(nul - s.p);
	return s;
}

static int64_t
count(const struct node *n, const char *name)
{
	uint64_t v;

	return json_u64(tree_get_number(n, name), &v) < 0 || v > INT64_MAX
	    ? -1 : (int64_t)v;
}

/* Section 5: prompt tokens are told with the cached ones in them. */
static void
read_usage(struct reader *r, const struct node *n)
{
	const struct node *in = tree_get(n, "prompt_tokens_details");
	const struct node *out = tree_get(n, "completion_tokens_details");
	struct dialect_usage *u = &r->usage;

	u->cache_read = count(in, "cached_tokens");
	u->cache_write = count(in, "cache_write_tokens");
	u->output = count(n, "completion_tokens");
	u->reasoning = count(out, "reasoning_tokens");
	u->input = count(n, "prompt_tokens");
	if (u->input < 0)
		return;
	if (u->cache_read > 0)
		u->input -= u->cache_read;
	if (u->input > 0 && u->cache_write > 0)
		u->input -= u->cache_write;
	if (u->input < 0)
		u->input = 0;
}

static struct choice *
choice_of(struct reader *r, uint64_t index)
{
	struct choice *c;

	if (index >= OPENAI_CHOICES_MAX)
		return NULL;
	if ((c = r->choices[index]) != NULL)
		return c;
	if ((c = calloc(1, sizeof *c)) == NULL)
		return NULL;
	openai_queue_start(&c->queue, &r->sink, &r->arena, (unsigned)index);
	return r->choices[index] = c;
}

static int
read_call(struct reader *r, struct choice *c, const struct node *n,
    unsigned position)
{
	const struct node *body, *args;
	struct openai_piece p;
	struct buf b;

	memset(&p, 0, sizeof p);
	if (json_u64(tree_get_number(n, "index"), &p.index) < 0)
		p.index = position;
	p.custom = tree_get(n, "custom") != NULL;
	body = tree_get(n, p.custom ? "custom" : "function");
	p.id = plain_of(r, n, "id");
	p.name = plain_of(r, body, "name");
	args = tree_get(body, p.custom ? "input" : "arguments");
	p.args = tree_text(args);
	/* Some servers forget that this should be a string. */
	if (args != NULL && args->type == JSON_OBJECT) {
		buf_init(&b, 7 * args->raw.n);
		text_nest(&b, args->raw);
		p.args = arena_take(&r->arena, &b);
		buf_free(&b);
	}
	return openai_queue_call(&c->queue, &p);
}

/* A content in parts, which other makers of this API send. */
static int
read_parts(struct reader *r, struct choice *c, const struct node *list)
{
	const struct node *n;

	for (n = list->child; n != NULL; n = n->next) {
		if (!tree_is(tree_get(n, "type"), "text")) {
			msg_note(r->sink.arena, r->sink.notes,
			    "drop:content.", plain_of(r, n, "type"));
			continue;
		}
		if (openai_queue_text(&c->queue, MSG_TEXT,
		    tree_get_text(n, "text")) < 0)
			return -1;
	}
	return 0;
}

/* Rules 2 and 3: what a delta, or a message, holds. */
static int
read_delta(struct reader *r, struct choice *c, const struct node *n)
{
	const struct node *content = tree_get(n, "content");
	const struct node *calls = tree_get(n, "tool_calls"), *call;
	struct str thought = tree_get_text(n, "reasoning_content");
	unsigned position = 0;

	if (thought.n == 0)
		thought = tree_get_text(n, "reasoning");
	if (openai_queue_text(&c->queue, MSG_THINK, thought) < 0)
		return -1;
	if (content != NULL && content->type == JSON_ARRAY) {
		if (read_parts(r, c, content) < 0)
			return -1;
	} else if (openai_queue_text(&c->queue, MSG_TEXT,
	    tree_text(content)) < 0)
		return -1;
	if (openai_queue_text(&c->queue, MSG_REFUSAL,
	    tree_get_text(n, "refusal")) < 0)
		return -1;
	if (calls == NULL || calls->type != JSON_ARRAY)
		return 0;
	for (call = calls->child; call != NULL; call = call->next)
		if (read_call(r, c, call, position++) < 0)
			return -1;
	return 0;
}

static int
read_choice(struct reader *r, const struct node *n, unsigned position)
{
	const struct node *finish = tree_get(n, "finish_reason");
	struct node *logprobs = tree_get(n, "logprobs");
	struct choice *c;
	uint64_t index;

	if (n->type != JSON_OBJECT)
		return fail(r, malformed);
	if (json_u64(tree_get_number(n, "index"), &index) < 0)
		index = position;
	if ((c = choice_of(r, index)) == NULL)
		return fail(r, huge);
	if (c->queue.finished)
		return 0;
	if (read_delta(r, c, tree_get(n, r->whole ? "message" : "delta")) < 0)
		return fail(r, huge);
	if (tree_text(finish).n == 0 && !r->whole)
		return 0;
	c->reason = tree_is(finish, "length") ? REASON_LENGTH
	    : tree_is(finish, "content_filter") ? REASON_FILTER
	    : REASON_STOP;
	if (r->whole && logprobs != NULL && logprobs->type == JSON_OBJECT)
		c->logprobs = logprobs;
	return openai_queue_finish(&c->queue) < 0 ? fail(r, huge) : 0;
}

/* One object: a chunk, or a whole answer.  -1: an error was told. */
static int
read_object(struct reader *r, const struct node *n)
{
	const struct node *choices = tree_get(n, "choices"), *c;
	const struct node *usage = tree_get(n, "usage");
	struct str none = { "", 0 };
	struct msg_event e;
	struct fault f;
	unsigned position = 0;

	if (tree_get(n, "error") != NULL) {
		fault_event(&f, &r->arena, DIALECT_OPENAI, n, none);
		give_error(r, f.class, f.message);
		return -1;
	}
	if (choices != NULL && choices->type != JSON_ARRAY)
		return fail(r, malformed);
	if (r->whole && (choices == NULL || choices->child == NULL))
		return fail(r, "The upstream's answer has no choices");
	if (!r->started) {
		memset(&e, 0, sizeof e);
		e.usage = untold;
		e.id = plain_of(r, n, "id");
		r->started = 1;
		give(r, &e, MSG_START);
	}
	if (usage != NULL && usage->type == JSON_OBJECT)
		read_usage(r, usage);
	for (c = choices == NULL ? NULL : choices->child; c != NULL;
	    c = c->next)
		if (read_choice(r, c, position++) < 0)
			return -1;
	return 0;
}

static enum msg_stop
stop_of(const struct choice *c)
{
	if (c->reason == REASON_LENGTH)
		return MSG_STOP_MAX;
	if (c->reason == REASON_FILTER || c->queue.refused)
		return MSG_STOP_REFUSAL;
	return c->queue.called ? MSG_STOP_TOOL : MSG_STOP_END;
}

/* Rule 6.  done: "[DONE]" was read, which finishes what has no reason. */
static void
end(struct reader *r, int done)
{
	struct choice *c;
	struct msg_event e;
	unsigned i, some = 0;

	for (i = 0; i < OPENAI_CHOICES_MAX; i++) {
		if ((c = r->choices[i]) == NULL)
			continue;
		some = 1;
		if (!c->queue.finished && !done) {
			fail(r, early);
			return;
		}
	}
	if (!some) {
		fail(r, early);
		return;
	}
	for (i = 0; i < OPENAI_CHOICES_MAX; i++)
		if ((c = r->choices[i]) != NULL &&
		    openai_queue_finish(&c->queue) < 0) {
			fail(r, huge);
			return;
		}
	for (i = 0; i < OPENAI_CHOICES_MAX; i++) {
		if ((c = r->choices[i]) == NULL)
			continue;
		memset(&e, 0, sizeof e);
		e.choice = i;
		e.stop = stop_of(c);
		e.logprobs = c->logprobs;
		e.logprobs_of = DIALECT_OPENAI;
		give(r, &e, MSG_FINISH);
	}
	memset(&e, 0, sizeof e);
	e.usage = r->usage;
	give(r, &e, MSG_USAGE);
	memset(&e, 0, sizeof e);
	r->over = 1;
	give(r, &e, MSG_END);
}

void *
openai_reader_new(const struct msg_sink *sink)
{
	struct reader *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->sink = *sink;
	arena_init(&r->arena, TREE_MAX);
	r->usage = untold;
	return r;
}

void
openai_reader_free(void *reader)
{
	struct reader *r = reader;
	unsigned i;

	if (r == NULL)
		return;
	for (i = 0; i < OPENAI_CHOICES_MAX; i++)
		if (r->choices[i] != NULL) {
			openai_queue_free(&r->choices[i]->queue);
			free(r->choices[i]);
		}
	arena_free(&r->arena);
	free(r);
}

void
openai_read_event(void *reader, struct str name, struct str data)
{
	struct reader *r = reader;
	const struct node *n;

	(void)name;
	if (r->over)
		return;
	arena_reset(&r->arena);
	if (str_is(str_trim(data), "[DONE]")) {
		end(r, 1);
		return;
	}
	n = tree_parse(&r->arena, data);
	if (n == NULL || n->type != JSON_OBJECT)
		fail(r, r->arena.bad ? huge : malformed);
	else
		read_object(r, n);
}

void
openai_read_end(void *reader)
{
	struct reader *r = reader;

	if (r->over)
		return;
	arena_reset(&r->arena);
	end(r, 0);
}

void
openai_read_answer(const struct msg_sink *sink, struct str body)
{
	struct reader *r = openai_reader_new(sink);
	struct msg_event e;
	const struct node *n;

	if (r == NULL) {
		memset(&e, 0, sizeof e);
		e.kind = MSG_ERROR;
		e.class = MSG_SERVER;
		e.text = str_of("Out of memory");
		sink->take(sink->arg, &e);
		return;
	}
	r->whole = 1;
	n = tree_parse(&r->arena, body);
	if (n == NULL || n->type != JSON_OBJECT)
		fail(r, r->arena.bad ? huge : malformed);
	else if (read_object(r, n) == 0)
		end(r, 1);
	openai_reader_free(r);
}
