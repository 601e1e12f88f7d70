#include "dialect/translate.h"

#include <stdlib.h>
#include <string.h>

#include "dialect/anthropic_answer.h"
#include "dialect/anthropic_request.h"
#include "dialect/gemini_answer.h"
#include "dialect/gemini_request.h"
#include "dialect/gemini_sign.h"
#include "dialect/names.h"
#include "dialect/normal.h"
#include "dialect/openai_answer.h"
#include "dialect/openai_request.h"
#include "dialect/profile.h"
#include "dialect/responses_answer.h"
#include "dialect/responses_clean.h"
#include "dialect/responses_request.h"
#include "dialect/sse.h"
#include "dialect/text.h"
#include "json.h"
#include "wire/json_tree.h"

#define EVENT_MAX	((size_t)32 << 20)	/* bytes of one event */
#define HELD_KEEP	((size_t)64 << 10)
#define NOTES_MAX	((size_t)64 << 10)
#define ERROR_ARENA	((size_t)1 << 20)

/*
 * A request is mostly long strings, which stay where they are; one that is
 * all brackets must not take memory many times its size.
 */
#define ARENA_MIN	((size_t)16 << 20)
#define ARENA_PER_BYTE	12

/* What can be done with an API. */
struct side {
	int (*read_request)(struct msg_request *, const struct node *,
	    const struct dialect_call *, struct msg_fault *);
	int (*write_request)(struct buf *, struct msg_request *,
	    const struct msg_target *, const struct profile *,
	    struct msg_fault *);
	int (*clean)(struct buf *, struct arena *, struct str, struct str);
	void *(*reader_new)(const struct msg_sink *);
	void (*reader_free)(void *);
	void (*read_event)(void *, struct str, struct str);
	void (*read_end)(void *);
	void (*read_answer)(const struct msg_sink *, struct str);
	void *(*writer_new)(const struct msg_context *);
	void (*writer_free)(void *);
	int (*write_event)(void *, const struct msg_event *, struct buf *);
	int (*write_answer)(struct buf *, const struct msg_context *,
	    const struct msg_gather *);
	int (*write_ping)(struct buf *);
};

/* In the order of enum dialect; Responses is an operation of OpenAI's. */
enum { RESPONSES = DIALECT_ANY };

static const struct side sides[] = {
	[DIALECT_ANTHROPIC] = {
		anthropic_read_request, anthropic_write_request,
		anthropic_clean, anthropic_reader_new,
		anthropic_reader_free, anthropic_read_event,
		anthropic_read_end, anthropic_read_answer,
		anthropic_writer_new, anthropic_writer_free,
		anthropic_write_event, anthropic_write_answer,
		anthropic_write_ping
	},
	[DIALECT_OPENAI] = {
		openai_read_request, openai_write_request,
		openai_clean, openai_reader_new,
		openai_reader_free, openai_read_event,
		openai_read_end, openai_read_answer,
		openai_writer_new, openai_writer_free,
		openai_write_event, openai_write_answer,
		openai_write_ping
	},
	[DIALECT_GEMINI] = {
		gemini_read_request, gemini_write_request,
		gemini_clean, gemini_reader_new,
		gemini_reader_free, gemini_read_event,
		gemini_read_end, gemini_read_answer,
		gemini_writer_new, gemini_writer_free,
		gemini_write_event, gemini_write_answer,
		gemini_write_ping
	},
	[RESPONSES] = {
		responses_read_request, NULL,
		responses_clean, NULL,
		NULL, NULL,
		NULL, NULL,
		responses_writer_new, responses_writer_free,
		responses_write_event, responses_write_answer,
		responses_write_ping
	}
};

struct translate {
	const struct side *client, *upstream;
	enum dialect client_dialect, upstream_dialect;
	struct str secret;
	struct arena arena;	/* names, what the context needs, a whole
				   answer */
	struct arena noted;	/* notes, apart: an answer may bring many */
	struct msg_notes notes;
	struct buf list;	/* notes as translate_notes() gave them */
	struct names names;
	struct buf body, path;
	struct msg_context context;
	struct msg_sink sink;
	struct sse sse;
	struct buf held;	/* an event that is not complete, or a whole
				   answer so far */
	struct buf lines;	/* data of an event of several lines */
	void *reader, *writer;	/* owned */
	struct msg_gather gather;	/* for a client without a stream */
	struct buf *out;	/* borrowed, while events are taken */
	enum msg_class class;	/* of the error */
	unsigned begun:1, plain:1, over:1;
	unsigned ended:1, failed:1, bad:1;
};

static const struct side *
side_of(enum dialect d, enum dialect_op op)
{
	if (d == DIALECT_OPENAI && op == OP_RESPONSES)
		return &sides[RESPONSES];
	return &sides[d == DIALECT_ANY ? DIALECT_OPENAI : d];
}

static size_t
arena_max(struct str body)
{
	return body.n > (SIZE_MAX - ARENA_MIN) / ARENA_PER_BYTE ? SIZE_MAX :
	    ARENA_MIN + body.n * ARENA_PER_BYTE;
}

/* ---- the request ---- */

/* A name in a path: what would end or change the path is escaped. */
static void
path_add(struct buf *out, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char c;
	size_t i;

	for (i = 0; i < s.n; i++) {
		c = (unsigned char)s.p[i];
		if (c > ' ' && c < 0x7f && strchr("%?#\"<>\\^`{|}", c) == NULL)
			buf_addc(out, (char)c);
		else {
			buf_addc(out, '%');
			buf_addc(out, hex[c >> 4]);
			buf_addc(out, hex[c & 15]);
		}
	}
}

static void
path_write(struct buf *out, const struct msg_target *target)
{
	switch (target->dialect) {
	case DIALECT_ANTHROPIC:
		buf_adds(out, target->count ? "/v1/messages/count_tokens" :
		    "/v1/messages");
		break;
	case DIALECT_GEMINI:
		buf_adds(out, "/v1beta/models/");
		path_add(out, target->model);
		buf_adds(out, target->count ? ":countTokens" :
		    target->stream ? ":streamGenerateContent?alt=sse" :
		    ":generateContent");
		break;
	default:
		buf_adds(out, "/v1/chat/completions");
		break;
	}
}

/* The client's body as a tree of one request. */
static const struct node *
body_parse(struct arena *a, const struct dialect_call *call, struct str body,
    struct msg_fault *f)
{
	const struct node *n = tree_parse(a, body), *inner;

	if (n == NULL && !a->bad)
		msg_refuse(f, "", "The body is not valid JSON, or nested "
		    "deeper than %d levels", JSON_DEPTH_MAX);
	else if (n != NULL && n->type != JSON_OBJECT) {
		msg_refuse(f, "", "The body must be a JSON object");
		n = NULL;
	}
	if (n != NULL && call->op == OP_COUNT &&
	    call->dialect == DIALECT_GEMINI &&
	    (inner = tree_get(n, "generateContentRequest")) != NULL &&
	    inner->type == JSON_OBJECT)
		n = inner;
	return n;
}

/* From the client's tree to the backend's body.  -1: f, or out of memory. */
static int
request_write(struct translate *t, const struct translate_setup *setup,
    const struct node *body, struct msg_request *r, struct msg_fault *f)
{
	struct msg_target target = setup->target;
	struct profile p;

	target.count = setup->call->op == OP_COUNT;
	if (target.count)
		target.stream = 0;
	if (t->client->read_request(r, body, setup->call, f) == -1 ||
	    normal_request(r, t->client_dialect) == -1 ||
	    names_map(&t->names, r, target.dialect) == -1 ||
	    names_ids(r, target.dialect) == -1)
		return -1;
	profile_of(&p, target.dialect, target.model);
	if (normal_choice(r, f) == -1 ||
	    t->upstream->write_request(&t->body, r, &target, &p, f) == -1)
		return -1;
	path_write(&t->path, &target);
	return r->arena->bad || t->body.bad || t->path.bad ? -1 : 0;
}

/* What an answer of the Responses API repeats: all but the input. */
static int
echo_keep(struct translate *t, const struct node *body)
{
	struct node *root, *n, **at;
	const struct node *i;

	root = arena_alloc(&t->arena, sizeof *root);
	if (root == NULL)
		return -1;
	root->type = JSON_OBJECT;
	root->raw = body->raw;
	at = &root->child;
	for (i = body->child; i != NULL; i = i->next) {
		if (tree_key_is(i, "input"))
			continue;
		n = tree_parse(&t->arena, i->raw);
		if (n == NULL)
			return -1;
		n->key = i->key;
		*at = n;
		at = &n->next;
	}
	t->context.request = root;
	return 0;
}

/* The names outlive the request's arena. */
static int
names_keep(struct translate *t)
{
	struct name *n, **at = &t->names.first;

	for (; *at != NULL; at = &n->next) {
		n = arena_alloc(&t->arena, sizeof *n);
		if (n == NULL)
			return -1;
		*n = **at;
		n->name = arena_copy(&t->arena, n->name);
		n->sent = arena_copy(&t->arena, n->sent);
		*at = n;
	}
	return t->arena.bad ? -1 : 0;
}

static void
context_fill(struct translate *t, const struct translate_setup *setup)
{
	struct msg_context *c = &t->context;

	c->model = setup->model;
	c->stream = setup->stream;
	c->json_array = setup->call->json_array;
	c->upstream = setup->target.dialect;
	c->created = setup->created;
	c->random = setup->random;
	c->request_id = setup->request_id;
	c->arena = &t->noted;
	c->notes = &t->notes;
}

/* Translates, and keeps what the answer needs.  -1: f, or out of memory. */
static int
request_make(struct translate *t, const struct translate_setup *setup,
    struct str body, struct msg_fault *f)
{
	struct msg_notes notes = { NULL };
	const struct msg_string *s;
	struct msg_request r;
	const struct node *tree;
	struct arena a;
	int rc = -1;

	arena_init(&a, arena_max(body));
	memset(&r, 0, sizeof r);
	r.arena = &a;
	r.notes = &notes;
	tree = body_parse(&a, setup->call, body, f);
	if (tree == NULL || request_write(t, setup, tree, &r, f) == -1)
		goto out;
	if (t->client == &sides[RESPONSES] && echo_keep(t, tree) == -1)
		goto out;
	if (names_keep(t) == -1)
		goto out;
	t->context.thoughts = r.thoughts;
	t->context.include_usage = r.include_usage;
	for (s = notes.first; s != NULL; s = s->next)
		msg_note(&t->noted, &t->notes, "", s->s);
	rc = 0;
out:
	/* What there was no room for may look like a fault of the client's. */
	if (a.bad || t->arena.bad || t->body.bad)
		f->why[0] = '\0';
	arena_free(&a);
	return rc;
}

static void take(void *arg, const struct msg_event *e);

struct translate *
translate_new(const struct translate_setup *setup, struct str body,
    struct msg_fault *f)
{
	struct translate *t;

	memset(f, 0, sizeof *f);
	if (setup->call->op == OP_COUNT &&
	    (setup->call->dialect == DIALECT_OPENAI ||
	    setup->target.dialect == DIALECT_OPENAI)) {
		msg_refuse(f, "", "This backend cannot count tokens");
		return NULL;
	}
	if ((t = calloc(1, sizeof *t)) == NULL)
		return NULL;
	t->client = side_of(setup->call->dialect, setup->call->op);
	t->upstream = side_of(setup->target.dialect, OP_GENERATE);
	t->client_dialect = setup->call->dialect;
	t->upstream_dialect = setup->target.dialect;
	t->secret = setup->secret;
	t->plain = !setup->target.stream;
	arena_init(&t->arena, arena_max(body) + 2 * TRANSLATE_ANSWER_MAX);
	arena_init(&t->noted, NOTES_MAX);
	buf_init(&t->list, 2 * NOTES_MAX);
	buf_init(&t->body, TRANSLATE_BODY_MAX);
	buf_init(&t->path, 3 * setup->target.model.n + 64);
	buf_init(&t->held, EVENT_MAX);
	buf_init(&t->lines, EVENT_MAX);
	sse_start(&t->sse);
	context_fill(t, setup);
	t->sink.take = take;
	t->sink.arg = t;
	t->sink.notes = &t->notes;
	t->sink.arena = &t->noted;
	if (request_make(t, setup, body, f) == -1) {
		translate_free(t);
		return NULL;
	}
	return t;
}

void
translate_free(struct translate *t)
{
	if (t == NULL)
		return;
	if (t->reader != NULL)
		t->upstream->reader_free(t->reader);
	if (t->writer != NULL)
		t->client->writer_free(t->writer);
	if (t->begun && !t->context.stream)
		msg_gather_free(&t->gather);
	buf_free(&t->list);
	buf_free(&t->body);
	buf_free(&t->path);
	buf_free(&t->held);
	buf_free(&t->lines);
	arena_free(&t->arena);
	arena_free(&t->noted);
	free(t);
}

struct str
translate_body(const struct translate *t)
{
	return buf_str(&t->body);
}

struct str
translate_path(const struct translate *t)
{
	return buf_str(&t->path);
}

void
translate_sent(struct translate *t)
{
	buf_free(&t->body);
}

struct str
translate_notes(struct translate *t)
{
	const struct msg_string *s;

	buf_clear(&t->list);
	for (s = t->notes.first; s != NULL; s = s->next) {
		if (s != t->notes.first)
			buf_adds(&t->list, ", ");
		buf_addstr(&t->list, s->s);
	}
	return buf_str(&t->list);
}

unsigned
translate_losses(const struct translate *t)
{
	const struct msg_string *s;
	unsigned n = 0;

	for (s = t->notes.first; s != NULL; s = s->next)
		n++;
	return n;
}

/* ---- the answer ---- */

/* One event on its way from the reader to the client. */
static void
take(void *arg, const struct msg_event *e)
{
	struct translate *t = arg;
	struct msg_event known = *e;
	struct arena a;
	int custom = 0;

	if (t->ended || t->failed || t->bad)
		return;
	arena_init(&a, e->text.n * 16 + ERROR_ARENA);
	if (e->kind == MSG_OPEN && e->part == MSG_CALL) {
		known.name = names_back(&t->names, e->name, &custom);
		known.custom = custom != 0;
	} else if (e->kind == MSG_ERROR) {
		t->failed = 1;
		t->class = e->class;
		known.text = fault_clean(&a, e->text, t->secret);
	} else if (e->kind == MSG_END)
		t->ended = 1;
	if (!t->context.stream)
		msg_gather_take(&t->gather, &known);
	else if (t->client->write_event(t->writer, &known, t->out) == -1)
		t->bad = 1;
	arena_free(&a);
}

/* An error of our own ends the answer. */
static void
fail(struct translate *t, const char *message)
{
	struct msg_event e;

	memset(&e, 0, sizeof e);
	e.kind = MSG_ERROR;
	e.class = MSG_SERVER;
	e.text = str_of(message);
	take(t, &e);
}

static int
begin(struct translate *t)
{
	if (t->begun || t->bad)
		return t->bad ? -1 : 0;
	if (t->context.stream)
		t->writer = t->client->writer_new(&t->context);
	else
		msg_gather_start(&t->gather, &t->arena, &t->notes);
	t->begun = 1;
	if (!t->plain)
		t->reader = t->upstream->reader_new(&t->sink);
	if ((t->context.stream && t->writer == NULL) ||
	    (!t->plain && t->reader == NULL))
		t->bad = 1;
	return t->bad ? -1 : 0;
}

static void
event_read(struct translate *t, const struct sse_event *e)
{
	if (e->lines > 1) {
		buf_clear(&t->lines);
		if (sse_data(&t->lines, e) == -1)
			t->bad = 1;
		else if (t->lines.len > 0)
			t->upstream->read_event(t->reader, e->name,
			    buf_str(&t->lines));
	} else if (e->data.n > 0)
		t->upstream->read_event(t->reader, e->name, e->data);
}

static int
is_over(const struct translate *t)
{
	return t->ended || t->failed || t->bad;
}

/* Reads the complete events of s; how many bytes are done with. */
static size_t
events_read(struct translate *t, struct str s)
{
	struct sse_event e;
	size_t at = 0, n;

	while (!is_over(t) &&
	    (n = sse_next(&t->sse, s.p + at, s.n - at, &e)) > 0) {
		event_read(t, &e);
		at += n;
	}
	return at;
}

/* Bytes of an event stream. */
static void
stream_read(struct translate *t, struct str data)
{
	size_t n;

	if (t->held.len == 0) {
		n = events_read(t, data);
		if (!is_over(t) && data.n > n && buf_add(&t->held,
		    data.p + n, data.n - n) == -1)
			fail(t, "Upstream sent an event that is too large");
		return;
	}
	if (buf_addstr(&t->held, data) == -1) {
		fail(t, "Upstream sent an event that is too large");
		return;
	}
	buf_take(&t->held, events_read(t, buf_str(&t->held)));
	/* One long event is no reason to hold its memory to the end. */
	if (t->held.len == 0 && t->held.cap > HELD_KEEP)
		buf_free(&t->held);
}

int
translate_feed(struct translate *t, struct str data, int plain,
    struct buf *out)
{
	if (!t->begun) {
		t->plain = plain != 0;
		t->held.max = plain ? TRANSLATE_ANSWER_MAX : EVENT_MAX;
	}
	if (begin(t) == -1)
		return -1;
	t->out = out;
	if (!t->over && !is_over(t)) {
		if (!t->plain)
			stream_read(t, data);
		else if (buf_addstr(&t->held, data) == -1)
			t->bad = 1;
	}
	t->out = NULL;
	return t->bad ? -1 : 0;
}

/* What the end of the input means to the reader. */
static void
rest_read(struct translate *t)
{
	struct sse_event e;
	struct str s = buf_str(&t->held);
	size_t n;

	if (t->plain) {
		t->upstream->read_answer(&t->sink, s);
		return;
	}
	while (!is_over(t) && (n = sse_last(&t->sse, s.p, s.n, &e)) > 0) {
		event_read(t, &e);
		s = str_n(s.p + n, s.n - n);
	}
	if (!is_over(t))
		t->upstream->read_end(t->reader);
}

static void
whole_write(struct translate *t, struct buf *out)
{
	struct fault f;
	int rc;

	if (t->failed) {
		memset(&f, 0, sizeof f);
		f.class = t->class;
		f.message = t->gather.message;
		rc = fault_body(out, t->client_dialect, &f, str_n("", 0),
		    t->context.request_id);
	} else
		rc = t->client->write_answer(out, &t->context, &t->gather);
	if (rc == -1 || out->bad || t->arena.bad)
		t->bad = 1;
}

int
translate_end(struct translate *t, struct buf *out)
{
	if (begin(t) == -1)
		return -1;
	if (t->over)
		return t->bad ? -1 : 0;
	t->over = 1;
	t->out = out;
	if (!is_over(t))
		rest_read(t);
	if (!is_over(t))
		fail(t, "Upstream stream ended before completion");
	t->out = NULL;
	buf_free(&t->held);
	if (!t->context.stream && !t->bad)
		whole_write(t, out);
	return t->bad ? -1 : 0;
}

int
translate_break(struct translate *t, const char *why, struct buf *out)
{
	if (begin(t) == -1)
		return -1;
	t->out = out;
	fail(t, why);
	t->out = NULL;
	t->over = 1;
	buf_free(&t->held);
	return t->bad ? -1 : 0;
}

int
translate_failed(const struct translate *t, int *status)
{
	if (t->failed)
		*status = fault_status(t->class, t->client_dialect);
	return t->failed;
}

int
translate_ended(const struct translate *t)
{
	return t->ended;
}

int
translate_ping(struct translate *t, struct buf *out)
{
	if (!t->context.stream || t->over || is_over(t))
		return 0;
	return t->client->write_ping(out);
}

int
translate_error(struct translate *t, int status, struct str retry_after,
    struct str body, struct buf *out, int *client_status,
    uint64_t *retry_s, int *final)
{
	struct fault f;
	struct arena a;
	int rc;

	arena_init(&a, arena_max(body));
	fault_read(&f, &a, t->upstream_dialect, status, retry_after, body,
	    t->secret);
	*client_status = fault_status(f.class, t->client_dialect);
	*retry_s = f.retry_s;
	*final = fault_final(f.class, t->client_dialect);
	rc = fault_body(out, t->client_dialect, &f, str_n("", 0),
	    t->context.request_id);
	arena_free(&a);
	return rc;
}

/* ---- requests that stay in their API ---- */

/* 1 if calls without a signature are refused. */
static int
signs(const struct dialect_call *call, struct str model)
{
	struct profile p;

	if (call->dialect != DIALECT_GEMINI)
		return 0;
	profile_of(&p, DIALECT_GEMINI, model);
	return p.thinking == PROFILE_LEVEL;
}

int
translate_clean(struct buf *out, const struct dialect_call *call,
    struct str model, struct str body)
{
	const struct side *side = side_of(call->dialect, call->op);
	struct arena a;
	struct buf clean;
	int rc, signed_rc;

	arena_init(&a, arena_max(body));
	if (!signs(call, model)) {
		rc = side->clean(out, &a, body, model);
		arena_free(&a);
		return rc;
	}
	buf_init(&clean, TRANSLATE_BODY_MAX);
	rc = side->clean(&clean, &a, body, model);
	arena_reset(&a);
	if (rc == 1)
		body = buf_str(&clean);
	if (rc != -1) {
		signed_rc = gemini_sign(out, &a, body);
		if (signed_rc != 0)
			rc = signed_rc;
		else if (rc == 1 && buf_addstr(out, body) == -1)
			rc = -1;
	}
	buf_free(&clean);
	arena_free(&a);
	return rc;
}

/* ---- counting ---- */

int
translate_count(struct translate *t, struct str body, struct buf *out)
{
	const struct node *n;
	struct arena a;
	struct str s;
	uint64_t count;
	int rc = -1;

	arena_init(&a, arena_max(body));
	n = tree_parse(&a, body);
	s = tree_get_number(n, t->upstream_dialect == DIALECT_ANTHROPIC ?
	    "input_tokens" : "totalTokens");
	if (s.p != NULL && json_u64(s, &count) == 0) {
		buf_adds(out, t->client_dialect == DIALECT_GEMINI ?
		    "{\"totalTokens\":" : "{\"input_tokens\":");
		buf_addu(out, count);
		rc = buf_adds(out, "}");
	}
	arena_free(&a);
	return rc;
}

#define TOKENS_TURN		4
#define TOKENS_TOOL		8
#define TOKENS_ATTACHMENT	1600

/* What an estimate adds up. */
struct tally {
	uint64_t bytes, tokens;
	struct arena scratch;	/* for one text at a time */
	struct buf canon;
	unsigned bad:1;
};

/* The bytes that a text means. */
static void
tally_text(struct tally *y, struct str text)
{
	struct str plain = text_plain(&y->scratch, text);

	if (y->scratch.bad)
		y->bad = 1;
	y->bytes += plain.n;
	arena_reset(&y->scratch);
}

static void
tally_json(struct tally *y, struct str raw)
{
	if (raw.n == 0)
		return;
	buf_clear(&y->canon);
	if (text_canon(&y->canon, raw) == -1)
		y->bad = 1;
	y->bytes += y->canon.len;
}

static void
tally_parts(struct tally *y, const struct msg_part *p)
{
	for (; p != NULL; p = p->next)
		switch (p->kind) {
		case MSG_TEXT:
		case MSG_REFUSAL:
			tally_text(y, p->text);
			break;
		case MSG_IMAGE:
		case MSG_DOC:
		case MSG_AUDIO:
			y->tokens += TOKENS_ATTACHMENT;
			break;
		case MSG_CALL:
			y->bytes += p->name.n;
			tally_json(y, p->args);
			break;
		case MSG_RESULT:
			tally_parts(y, p->parts);
			break;
		default:
			break;
		}
}

static void
tally_tools(struct tally *y, const struct msg_tool *tool)
{
	for (; tool != NULL; tool = tool->next) {
		y->tokens += TOKENS_TOOL;
		y->bytes += tool->name.n;
		if (tool->custom) {
			tally_text(y, msg_custom_description(&y->scratch,
			    tool));
			tally_json(y, str_of(MSG_CUSTOM_SCHEMA));
		} else {
			tally_text(y, tool->description);
			if (tool->schema != NULL)
				tally_json(y, tool->schema->raw);
		}
	}
}

int64_t
translate_estimate(const struct dialect_call *call, struct str body)
{
	struct msg_notes notes = { NULL };
	struct msg_fault f;
	struct msg_request r;
	const struct msg_turn *turn;
	const struct node *n;
	struct tally y;
	struct arena a;
	int64_t count = -1;

	memset(&f, 0, sizeof f);
	memset(&y, 0, sizeof y);
	memset(&r, 0, sizeof r);
	arena_init(&a, arena_max(body));
	arena_init(&y.scratch, arena_max(body));
	buf_init(&y.canon, arena_max(body));
	r.arena = &a;
	r.notes = &notes;
	n = body_parse(&a, call, body, &f);
	if (n == NULL || side_of(call->dialect, call->op)->read_request(&r,
	    n, call, &f) == -1)
		goto out;
	tally_parts(&y, r.system);
	if (r.system != NULL)
		y.tokens += TOKENS_TURN;
	for (turn = r.turns; turn != NULL; turn = turn->next) {
		tally_parts(&y, turn->parts);
		y.tokens += TOKENS_TURN;
	}
	tally_tools(&y, r.tools);
	if (!y.bad && !a.bad)
		count = (int64_t)((y.bytes + 3) / 4 + y.tokens);
out:
	buf_free(&y.canon);
	arena_free(&y.scratch);
	arena_free(&a);
	return count;
}
