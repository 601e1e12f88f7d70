/*
 * A client that gathers the stream it gets has what it would have got
 * without one: random answers are written as each API writes them, as a
 * stream and whole, and brought to each client as a stream and whole; what
 * is read back from all four is the same, and is what was said.  Also: a
 * stream that was cut off never looks complete, and an answer that finds no
 * room is an error.
 *
 *	t_mixtures		many seeds
 *	t_mixtures SEED		one, with what was sent
 */

#include <stdio.h>
#include <stdlib.h>

#include "dialect/sse.h"
#include "dialect/translate.h"
#include "tests/script.h"

#define SEEDS 2000
#define ARENA ((size_t)64 << 20)

static const char letters[] = "AOGR";
static int loud;

/* What the clients ask for: thoughts, and these tools. */
static const char *const requests[] = {
	"{\"model\":\"m\",\"max_tokens\":9000,\"thinking\":{\"type\":"
	    "\"adaptive\"},\"tools\":[{\"name\":\"f\",\"input_schema\":{}},"
	    "{\"name\":\"g.h\",\"input_schema\":{}},{\"name\":\"9x\","
	    "\"input_schema\":{}},{\"name\":\"c\",\"input_schema\":{}}],"
	    "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
	"{\"model\":\"m\",\"stream_options\":{\"include_usage\":true},"
	    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
	    "{\"type\":\"function\",\"function\":{\"name\":\"g.h\"}},{\"type\":"
	    "\"function\",\"function\":{\"name\":\"9x\"}},{\"type\":\"custom\","
	    "\"custom\":{\"name\":\"c\"}}],\"messages\":[{\"role\":\"user\","
	    "\"content\":\"x\"}]}",
	"{\"contents\":[{\"parts\":[{\"text\":\"x\"}]}],\"tools\":"
	    "[{\"functionDeclarations\":[{\"name\":\"f\"},{\"name\":\"g.h\"},"
	    "{\"name\":\"9x\"},{\"name\":\"c\"}]}],\"generationConfig\":"
	    "{\"thinkingConfig\":{\"includeThoughts\":true}}}",
	"{\"model\":\"m\",\"input\":\"x\",\"tools\":[{\"type\":\"function\","
	    "\"name\":\"f\"},{\"type\":\"function\",\"name\":\"g.h\"},"
	    "{\"type\":\"function\",\"name\":\"9x\"},{\"type\":\"custom\","
	    "\"name\":\"c\"}]}"
};

/* ---- reading it as the client does ---- */

static void *(*const reader_new[])(const struct msg_sink *) = {
	anthropic_reader_new, openai_reader_new, gemini_reader_new
};
static void (*const reader_free[])(void *) = {
	anthropic_reader_free, openai_reader_free, gemini_reader_free
};
static void (*const read_event[])(void *, struct str, struct str) = {
	anthropic_read_event, openai_read_event, gemini_read_event
};
static void (*const read_end[])(void *) = {
	anthropic_read_end, openai_read_end, gemini_read_end
};
static void (*const read_answer[])(const struct msg_sink *, struct str) = {
	anthropic_read_answer, openai_read_answer, gemini_read_answer
};

/* What one client has in the end. */
struct got {
	struct arena *a;
	int client;
	struct msg_notes notes;
	struct msg_gather g;
	struct msg_gather second;	/* Responses: of the last object */
	struct buf seals;	/* what the client must give back (MARK) */
};

static void
got_seal(struct got *g, struct str text, struct str seal)
{
	gen_say(&g->seals, text);
	gen_say(&g->seals, seal);
	buf_addc(&g->seals, '\n');
}

/* The thinking_blocks of a message or a delta. */
static void
seals_openai(struct got *g, const struct node *blocks)
{
	const struct node *n;

	if (blocks == NULL)
		return;
	buf_clear(&g->seals);
	for (n = blocks->child; n != NULL; n = n->next)
		if (tree_is(tree_get(n, "type"), "thinking"))
			got_seal(g, tree_get_text(n, "thinking"),
			    tree_get_text(n, "signature"));
		else
			got_seal(g, str_of(""), tree_get_text(n, "data"));
}

static const struct node *
first_of(const struct node *n, const char *name)
{
	n = tree_get(n, name);
	return n == NULL ? NULL : n->child;
}

/* What the readers of answers have no use for: it is for requests. */
static void
got_seals(struct got *g, struct str body)
{
	const struct node *n = tree_parse(g->a, body), *choice, *p;

	if (n != NULL && n->type == JSON_ARRAY) {
		for (n = n->child; n != NULL; n = n->next)
			got_seals(g, n->raw);
		return;
	}
	if (g->client == O) {
		choice = first_of(n, "choices");
		seals_openai(g, tree_get(tree_get(choice, "message"),
		    "thinking_blocks"));
		seals_openai(g, tree_get(tree_get(choice, "delta"),
		    "thinking_blocks"));
		return;
	}
	p = first_of(tree_get(first_of(n, "candidates"), "content"), "parts");
	for (; p != NULL; p = p->next)
		if (tree_is_true(p, "thought") &&
		    tree_get_text(p, "thoughtSignature").n > 0)
			got_seal(g, str_of(""), tree_get_text(p,
			    "thoughtSignature"));
}

static void
give(struct msg_gather *g, enum msg_event_kind kind, enum msg_kind part,
    struct str text)
{
	struct msg_event e;

	memset(&e, 0, sizeof e);
	e.kind = kind;
	e.part = part;
	e.text = text;
	msg_gather_take(g, &e);
}

static struct str
plain(struct got *g, const struct node *n, const char *name)
{
	return text_plain(g->a, tree_get_text(n, name));
}

/* An item of the Responses API begins. */
static void
item_open(struct got *g, struct msg_gather *to, const struct node *item)
{
	struct msg_event e;

	memset(&e, 0, sizeof e);
	e.kind = MSG_OPEN;
	if (tree_is(tree_get(item, "type"), "reasoning"))
		e.part = MSG_THINK;
	else if (tree_is(tree_get(item, "type"), "message"))
		return;
	else {
		e.part = MSG_CALL;
		e.id = plain(g, item, "call_id");
		e.name = plain(g, item, "name");
	}
	msg_gather_take(to, &e);
	if (tree_is(tree_get(item, "type"), "custom_tool_call"))
		give(to, MSG_DELTA, MSG_CALL, str_of("{\\\"input\\\":"));
}

/* The input of a free-form call is the string of an object's member. */
static void
item_input(struct got *g, struct msg_gather *to, struct str text)
{
	struct buf b;
	struct str s;

	buf_init(&b, BIG);
	gen_quoted(&b, text);
	s = arena_take(g->a, &b);
	text_nest(&b, s);
	give(to, MSG_DELTA, MSG_CALL, buf_str(&b));
	give(to, MSG_DELTA, MSG_CALL, str_of("}"));
	buf_free(&b);
}

static void
item_close(struct got *g, struct msg_gather *to, const struct node *item)
{
	const struct node *n;
	struct msg_event e;

	memset(&e, 0, sizeof e);
	e.kind = MSG_CLOSE;
	if (tree_is(tree_get(item, "type"), "message"))
		return;
	e.part = MSG_CALL;
	if (tree_is(tree_get(item, "type"), "reasoning")) {
		e.part = MSG_THINK;
		e.signature = plain(g, item, "encrypted_content");
		n = first_of(item, "summary");
		if (to == &g->second && e.signature.n > 0)
			got_seal(g, tree_get_text(n, "text"), e.signature);
	}
	msg_gather_take(to, &e);
}

/* A whole item. */
static void
item_whole(struct got *g, struct msg_gather *to, const struct node *item)
{
	const struct node *n;
	enum msg_kind kind;

	item_open(g, to, item);
	for (n = first_of(item, "summary"); n != NULL; n = n->next)
		give(to, MSG_DELTA, MSG_THINK, tree_get_text(n, "text"));
	for (n = first_of(item, "content"); n != NULL; n = n->next) {
		kind = tree_is(tree_get(n, "type"), "refusal") ? MSG_REFUSAL :
		    MSG_TEXT;
		give(to, MSG_OPEN, kind, str_n(NULL, 0));
		give(to, MSG_DELTA, kind, tree_get_text(n,
		    kind == MSG_REFUSAL ? "refusal" : "text"));
		give(to, MSG_CLOSE, kind, str_n(NULL, 0));
	}
	if (tree_is(tree_get(item, "type"), "custom_tool_call"))
		item_input(g, to, tree_get_text(item, "input"));
	else
		give(to, MSG_DELTA, MSG_CALL, tree_get_text(item,
		    "arguments"));
	item_close(g, to, item);
}

static int64_t
number(const struct node *n, const char *name)
{
	uint64_t v;

	return json_u64(tree_get_number(n, name), &v) == 0 ? (int64_t)v : -1;
}

/* The end of an answer: why, and what it took. */
static void
response_end(struct got *g, struct msg_gather *to, const struct node *n)
{
	const struct node *u = tree_get(n, "usage"), *in, *why;
	struct msg_event e;

	memset(&e, 0, sizeof e);
	e.kind = MSG_FINISH;
	why = tree_get(tree_get(n, "incomplete_details"), "reason");
	e.stop = tree_is(why, "max_output_tokens") ? MSG_STOP_MAX :
	    tree_is(why, "content_filter") ? MSG_STOP_REFUSAL : MSG_STOP_END;
	MUST((why == NULL) == tree_is(tree_get(n, "status"), "completed"));
	msg_gather_take(to, &e);
	e.kind = MSG_USAGE;
	in = tree_get(u, "input_tokens_details");
	e.usage.cache_read = number(in, "cached_tokens");
	e.usage.cache_write = number(in, "cache_write_tokens");
	e.usage.input = number(u, "input_tokens") - e.usage.cache_read -
	    e.usage.cache_write;
	e.usage.output = number(u, "output_tokens");
	e.usage.reasoning = number(tree_get(u, "output_tokens_details"),
	    "reasoning_tokens");
	msg_gather_take(to, &e);
	e.kind = MSG_END;
	msg_gather_take(to, &e);
	to->id = plain(g, n, "id");
}

static void
response_whole(struct got *g, struct msg_gather *to, const struct node *n)
{
	const struct node *item;

	for (item = first_of(n, "output"); item != NULL; item = item->next)
		item_whole(g, to, item);
	response_end(g, to, n);
}

/* An event of the Responses API. */
static void
response_event(struct got *g, struct str data)
{
	const struct node *n = tree_parse(g->a, data);
	const struct node *item = tree_get(n, "item"), *part, *type;
	struct str delta = tree_get_text(n, "delta");
	struct msg_gather *to = &g->g;
	enum msg_kind kind;

	type = tree_get(n, "type");
	part = tree_get(tree_get(n, "part"), "type");
	kind = tree_is(part, "refusal") ? MSG_REFUSAL : MSG_TEXT;
	if (tree_is(type, "response.output_item.added"))
		item_open(g, to, item);
	else if (tree_is(type, "response.output_item.done"))
		item_close(g, to, item);
	else if (tree_is(type, "response.content_part.added"))
		give(to, MSG_OPEN, kind, str_n(NULL, 0));
	else if (tree_is(type, "response.content_part.done"))
		give(to, MSG_CLOSE, kind, str_n(NULL, 0));
	else if (tree_is(type, "response.output_text.delta"))
		give(to, MSG_DELTA, MSG_TEXT, delta);
	else if (tree_is(type, "response.refusal.delta"))
		give(to, MSG_DELTA, MSG_REFUSAL, delta);
	else if (tree_is(type, "response.reasoning_summary_text.delta"))
		give(to, MSG_DELTA, MSG_THINK, delta);
	else if (tree_is(type, "response.function_call_arguments.delta"))
		give(to, MSG_DELTA, MSG_CALL, delta);
	else if (tree_is(type, "response.custom_tool_call_input.delta"))
		item_input(g, to, delta);
	else if (tree_is(type, "response.failed"))
		to->failed = 1;
	else if (tree_is(type, "response.completed") ||
	    tree_is(type, "response.incomplete")) {
		response_end(g, to, tree_get(n, "response"));
		response_whole(g, &g->second, tree_get(n, "response"));
	}
}

static void
got_stream(struct got *g, const struct msg_sink *sink, struct str s)
{
	void *reader = g->client == R ? NULL : reader_new[g->client](sink);
	struct sse_event e;
	struct sse sse;
	size_t n;

	sse_start(&sse);
	for (; (n = sse_next(&sse, s.p, s.n, &e)) > 0;
	    s = str_n(s.p + n, s.n - n)) {
		MUST(e.lines == 1);
		if (g->client == R) {
			response_event(g, e.data);
			continue;
		}
		read_event[g->client](reader, e.name, e.data);
		if (g->client != A && !str_is(e.data, "[DONE]"))
			got_seals(g, e.data);
	}
	MUST(s.n == 0);
	if (g->client == R)
		return;
	read_end[g->client](reader);
	reader_free[g->client](reader);
}

/* Reads what the client was sent. */
static void
got_read(struct got *g, struct arena *a, int client, int stream, struct str s)
{
	struct msg_sink sink;

	memset(g, 0, sizeof *g);
	g->a = a;
	g->client = client;
	buf_init(&g->seals, BIG);
	msg_gather_start(&g->g, a, &g->notes);
	msg_gather_start(&g->second, a, &g->notes);
	sink.take = msg_gather_take;
	sink.arg = &g->g;
	sink.notes = &g->notes;
	sink.arena = a;
	if (stream) {
		got_stream(g, &sink, s);
		return;
	}
	MUST(json_valid(s, NULL, NULL));
	if (client == R) {
		response_whole(g, &g->g, tree_parse(a, s));
		response_whole(g, &g->second, tree_parse(a, s));
		return;
	}
	read_answer[client](&sink, s);
	if (client != A)
		got_seals(g, s);
}

static void
got_free(struct got *g)
{
	buf_free(&g->seals);
	msg_gather_free(&g->g);
	msg_gather_free(&g->second);
}

/* ---- an answer in words ---- */

enum side { WANTED, GOT };

struct words {
	struct buf *b;
	struct arena *a;
	const struct script *s;
	int client;
	enum side side;
	int usage;		/* counts too */
};

/*
 * Texts of one kind; a blank line stands between thoughts, but those that
 * Gemini told one after the other are one.
 */
static struct str
joined(struct words *w, const struct msg_part *p, enum msg_kind kind)
{
	enum msg_kind last = MSG_IMAGE;
	struct buf b;

	buf_init(&b, BIG);
	for (; p != NULL; p = p->next) {
		if (p->kind != MSG_CALL && p->text.n == 0)
			continue;
		if (p->kind == kind) {
			if (kind == MSG_THINK && b.len > 0 && (w->side == GOT ?
			    w->client == R : w->s->up != G ||
			    last != MSG_THINK))
				buf_adds(&b, "\\n\\n");
			buf_addstr(&b, p->text);
		}
		last = p->kind;
	}
	return b.len == 0 ? str_of("") : gen_made(w->a, &b);
}

static void
word(struct words *w, const char *what, struct str text)
{
	buf_fmt(w->b, " %s ", what);
	gen_say(w->b, text);
	buf_addc(w->b, '\n');
}

/* A call's id: as it was made of the backend's, or that it is a new one. */
static struct str
call_id(struct words *w, const struct msg_part *p)
{
	size_t fresh = w->client == A ? 30 : 29;
	struct str id = p->id, carried;

	if (w->side == GOT) {
		if (!w->s->no_ids)
			return id;
		id = names_split(w->a, id, &carried);
		MUST(id.n == fresh && str_starts(id, w->client == A ?
		    "toolu_" : "call_"));
		return names_carry(w->a, str_of("new"), carried);
	}
	if (w->s->no_ids)
		id = str_of("new");
	else if (w->s->up == A || w->client == A)
		id = names_id(w->a, id, DIALECT_ANTHROPIC);
	return w->client == G ? id : names_carry(w->a, id, p->signature);
}

static void
word_call(struct words *w, const struct msg_part *p)
{
	struct str name = p->name;
	unsigned i;

	for (i = 0; w->side == WANTED && i < 4; i++)
		if (str_is(p->name, sent[w->s->up][i]))
			name = str_of(names[i]);
	word(w, "call", text_of(w->a, name));
	word(w, "id", text_of(w->a, call_id(w, p)));
	if (text_canon(w->b, p->args) == -1)
		w->b->bad = 1;
	buf_addc(w->b, '\n');
}

/* Texts, thoughts and calls as they come; neighbours of a kind are one. */
static void
word_ordered(struct words *w, const struct msg_part *p)
{
	enum msg_kind kind = MSG_IMAGE;
	struct buf run;

	buf_init(&run, BIG);
	for (;; p = p->next) {
		if (run.len > 0 && (p == NULL || p->kind == MSG_CALL ||
		    (p->kind != kind && p->text.n > 0))) {
			word(w, kind == MSG_TEXT ? "text" : "thought",
			    buf_str(&run));
			buf_clear(&run);
		}
		if (p == NULL)
			break;
		if (p->kind == MSG_CALL)
			word_call(w, p);
		else if (p->text.n > 0 && (p->kind == MSG_TEXT ||
		    p->kind == MSG_THINK)) {
			kind = p->kind;
			buf_addstr(&run, p->text);
		}
	}
	buf_free(&run);
}

static void
word_parts(struct words *w, const struct msg_part *p)
{
	if (w->s->up != O && w->client != O && w->client != R) {
		word_ordered(w, p);
		return;
	}
	/* These have no order among them, or one of kinds. */
	word(w, "thought", joined(w, p, MSG_THINK));
	word(w, "text", joined(w, p, MSG_TEXT));
	for (; p != NULL; p = p->next)
		if (p->kind == MSG_CALL)
			word_call(w, p);
}

/* What an API makes of a reason to stop. */
static enum msg_stop
seen(int api, enum msg_stop stop, int calls, int refusal)
{
	if (api == A || stop == MSG_STOP_MAX)
		return stop;
	if (stop == MSG_STOP_REFUSAL || (refusal && api == O))
		return MSG_STOP_REFUSAL;
	return calls && api != R ? MSG_STOP_TOOL : MSG_STOP_END;
}

static void
word_stop(struct words *w, const struct msg_gather_choice *c)
{
	struct str refusal = joined(w, c->parts, MSG_REFUSAL);
	enum msg_stop stop = c->finish.stop;
	const struct msg_part *p;
	int calls = 0;

	if (refusal.n == 0)
		refusal = c->finish.refusal;
	for (p = c->parts; p != NULL; p = p->next)
		calls |= p->kind == MSG_CALL;
	if (w->side == WANTED) {
		stop = seen(w->s->up, stop, calls, refusal.n > 0);
		if (w->s->up != O && stop != MSG_STOP_REFUSAL)
			refusal.n = 0;
		stop = seen(w->client, stop, calls, refusal.n > 0);
		if ((w->client == A || w->client == G) &&
		    stop != MSG_STOP_REFUSAL)
			refusal.n = 0;
	}
	buf_fmt(w->b, " stop %d\n", (int)stop);
	word(w, "refusal", refusal.n == 0 ? str_of("") : refusal);
}

static int64_t
least0(int64_t n)
{
	return n < 0 ? 0 : n;
}

static void
told(struct dialect_usage *u, int api)
{
	u->input = least0(u->input);
	u->output = least0(u->output);
	u->cache_read = least0(u->cache_read);
	u->cache_write = least0(u->cache_write);
	if (api == G) {
		u->input += u->cache_write;
		u->cache_write = 0;
	}
	if (api == R)
		u->reasoning = least0(u->reasoning);
}

static void
words(struct words *w, const struct msg_gather *g)
{
	const struct msg_gather_choice *c;
	struct dialect_usage u = g->usage;
	struct str id = g->id;
	uint64_t random = 1;

	for (c = g->choices; c != NULL; c = c->next) {
		if ((w->client == A || w->client == R) && c->index > 0)
			break;
		buf_fmt(w->b, "choice %u\n", c->index);
		word_parts(w, c->parts);
		word_stop(w, c);
	}
	if (w->side == WANTED) {
		if (w->s->no_usage)
			u = untold;
		else
			told(&u, w->s->up);
		told(&u, w->client);
		id = names_answer_id(w->a, id, (enum dialect)w->s->up,
		    OP_GENERATE, &random);
		id = names_answer_id(w->a, id, w->client == R ?
		    DIALECT_OPENAI : (enum dialect)w->client, w->client == R ?
		    OP_RESPONSES : OP_GENERATE, &random);
	}
	if (w->usage)
		buf_fmt(w->b, "usage %ld %ld %ld %ld %ld\n", (long)u.input,
		    (long)u.output, (long)u.cache_read, (long)u.cache_write,
		    (long)u.reasoning);
	if (w->s->whole.id.n > 0)
		word(w, "answer", text_of(w->a, id));
}

/* What the client must be given to keep. */
static void
wanted_seals(struct got *g, const struct script *s)
{
	const struct msg_part *p;
	struct str seal, text;

	for (p = s->up == A && g->client != A ? s->whole.choices == NULL ?
	    NULL : s->whole.choices->parts : NULL; p != NULL; p = p->next) {
		if (p->kind != MSG_THINK && p->kind != MSG_REDACTED)
			continue;
		seal = p->kind == MSG_THINK ? p->signature :
		    text_plain(g->a, p->data);
		if (g->client != O)
			seal = names_seal(g->a, seal,
			    p->kind == MSG_REDACTED);
		text = g->client == G || p->kind == MSG_REDACTED ?
		    str_of("") : p->text;
		got_seal(g, text, text_of(g->a, seal));
	}
}

static int
same(const struct buf *want, const struct buf *got)
{
	struct str a = buf_str(want), b = buf_str(got);

	if (str_eq(a, b) && !want->bad && !got->bad)
		return 1;
	printf("# wanted:\n%.*s# got:\n%.*s", (int)a.n, a.p, (int)b.n, b.p);
	return 0;
}

/* ---- from the backend to the client ---- */

struct way {
	int up, client;
	int up_stream, stream, array;
};

/*
 * What the client is sent of what the backend sends, in pieces; -1: an
 * error, 1: it ended in one that the client was told.
 */
static int
bring(const struct way *y, struct str s, struct buf *out)
{
	struct translate_setup setup;
	struct dialect_call call;
	struct translate *t;
	struct msg_fault f;
	uint64_t random = 5;
	int rc = 0, status, pieces = gen_chance(70);
	size_t n;

	memset(&setup, 0, sizeof setup);
	memset(&call, 0, sizeof call);
	call.dialect = y->client == R ? DIALECT_OPENAI :
	    (enum dialect)y->client;
	call.op = y->client == R ? OP_RESPONSES : OP_GENERATE;
	call.model = setup.model = str_of("asked");
	call.stream = y->stream != 0;
	call.json_array = y->array != 0;
	setup.call = &call;
	setup.stream = y->stream != 0;
	setup.target.dialect = (enum dialect)y->up;
	setup.target.model = str_of(models[y->up]);
	setup.target.stream = y->up_stream != 0;
	setup.random = &random;
	t = translate_new(&setup, str_of(requests[y->client]), &f);
	if (t == NULL)
		return -1;
	translate_sent(t);
	for (; rc == 0 && s.n > 0; s = str_n(s.p + n, s.n - n)) {
		n = pieces ? 1 + gen_below(gen_chance(50) ? 4 : 400) : s.n;
		if (n > s.n)
			n = s.n;
		rc = translate_feed(t, str_n(s.p, n), !y->up_stream, out);
	}
	if (rc == 0)
		rc = translate_end(t, out);
	if (rc == 0 && translate_failed(t, &status))
		rc = 1;
	else if (rc == 0)
		MUST(translate_ended(t));
	translate_free(t);
	return rc;
}

/* Compares what a client has with what was said. */
static void
check(const struct script *s, const struct way *y, const struct buf *out,
    int usage)
{
	struct words want, have;
	struct got g, seals;
	struct buf x, z;

	got_read(&g, s->a, y->client, y->stream && !y->array, buf_str(out));
	memset(&seals, 0, sizeof seals);
	seals.a = s->a;
	seals.client = y->client;
	buf_init(&seals.seals, BIG);
	buf_init(&x, BIG);
	buf_init(&z, BIG);
	want.a = s->a;
	want.s = s;
	want.client = y->client;
	want.usage = usage;
	have = want;
	want.b = &x;
	want.side = WANTED;
	have.b = &z;
	have.side = GOT;
	words(&want, &s->whole);
	words(&have, &g.g);
	MUST(g.g.ended && !g.g.failed && same(&x, &z));
	wanted_seals(&seals, s);
	MUST(same(&seals.seals, &g.seals));
	if (y->client == R) {
		buf_clear(&z);
		words(&have, &g.second);
		MUST(same(&x, &z));
	}
	got_free(&g);
	buf_free(&seals.seals);
	buf_free(&x);
	buf_free(&z);
}

/* A stream that was cut anywhere, and an answer without the room for it. */
static void
test_short(const struct script *s, const struct way *y, struct str said,
    size_t room)
{
	struct buf out;
	int rc;

	if (y->up_stream) {
		buf_init(&out, BIG);
		rc = bring(y, str_n(said.p, gen_below((unsigned)said.n)),
		    &out);
		MUST(rc >= 0);
		if (rc == 0)
			check(s, y, &out, 0);
		buf_free(&out);
	}
	buf_init(&out, gen_below((unsigned)room));
	MUST(bring(y, said, &out) == -1);
	buf_free(&out);
}

static void
test_script(const struct script *s, int client)
{
	struct str said[2];
	struct buf out;
	struct way y;
	int i;

	said[0] = written(s, 0);
	said[1] = written(s, 1);
	for (i = 0; i < (client == G ? 6 : 4); i++) {
		y.up = s->up;
		y.client = client;
		y.up_stream = i % 2;
		y.stream = i / 2 > 0;
		y.array = i / 2 > 1;
		snprintf(where, sizeof where, "%c>%c %s to %s",
		    letters[s->up], letters[client], y.up_stream ? "stream" :
		    "whole", y.array ? "array" : y.stream ? "stream" :
		    "whole");
		buf_init(&out, BIG);
		MUST(bring(&y, said[i % 2], &out) == 0);
		if (loud)
			printf("%s\n%.*s\n-->\n%.*s\n", where,
			    (int)said[i % 2].n, said[i % 2].p,
			    (int)out.len, buf_str(&out).p);
		check(s, &y, &out, 1);
		if (out.len > 0)
			test_short(s, &y, said[i % 2], out.len);
		buf_free(&out);
	}
}

int
main(int argc, char **argv)
{
	static const int ups[] = { A, A, A, O, O, O, G, G, G };
	static const int clients[] = { O, G, R, A, G, R, A, O, R };
	uint64_t first = 1, last = SEEDS;
	struct script s;
	struct arena a;

	if (argc > 1) {
		first = last = strtoul(argv[1], NULL, 10);
		loud = 1;
	}
	for (seed_now = first; seed_now <= last; seed_now++) {
		arena_init(&a, ARENA);
		gen_state = seed_now;
		make_script(&s, &a, ups[seed_now % 9], seed_now % 61 == 0);
		test_script(&s, clients[seed_now % 9]);
		msg_gather_free(&s.whole);
		MUST(!a.bad);
		arena_free(&a);
	}
	return t_end();
}
