#include "dialect/gemini_chunk.h"

#include <stdlib.h>
#include <string.h>

#include "dialect/fault.h"
#include "dialect/names.h"
#include "json.h"

#define KEEP_MAX ((size_t)64 << 20)	/* of what is kept of a choice */
#define WORK_MAX ((size_t)256 << 20)	/* of what is made of an event */

/* What is gathered of a choice until it can be said. */
struct choice {
	struct choice *next;
	unsigned index;
	enum msg_stop stop;
	struct buf part;	/* the open call but for its arguments */
	struct buf args;	/* text: its arguments so far */
	struct buf refusal;	/* text */
	struct buf logprobs;	/* raw */
	unsigned thought:1;	/* the open thought has text */
};

struct writer {
	const struct msg_context *c;
	struct arena arena;	/* of the event at hand */
	struct choice *choices;	/* owned, in order of their index */
	struct dialect_usage usage;
	struct buf tail;	/* what ends each chunk */
	unsigned begun:1;	/* the array was */
};

/* ---- what both forms have ---- */

static void
write_text(struct buf *out, struct str text)
{
	buf_adds(out, "{\"text\":");
	text_write(out, text);
	buf_addc(out, '}');
}

/* A thought; seal: Claude's signature in its envelope, absent if none. */
static void
write_thought(struct buf *out, struct str text, struct str seal)
{
	buf_adds(out, "{\"text\":");
	text_write(out, text);
	buf_adds(out, ",\"thought\":true");
	if (seal.n > 0) {
		buf_adds(out, ",\"thoughtSignature\":");
		json_write(out, seal);
	}
	buf_addc(out, '}');
}

/* 1 if a thought bears a signature of Claude's own. */
static int
is_genuine(struct str signature)
{
	return signature.n > 0 && !names_marked(signature);
}

/* A call, up to its arguments. */
static void
write_call_head(struct buf *out, struct arena *a,
    const struct msg_context *c, struct str id, struct str name,
    struct str signature)
{
	if (id.n == 0)
		id = names_new_id(a, c->random, DIALECT_GEMINI);
	buf_addc(out, '{');
	if (is_genuine(signature)) {
		buf_adds(out, "\"thoughtSignature\":");
		json_write(out, signature);
		buf_addc(out, ',');
	}
	buf_adds(out, "\"functionCall\":{\"id\":");
	json_write(out, id);
	buf_adds(out, ",\"name\":");
	json_write(out, name);
	buf_adds(out, ",\"args\":");
}

/*
 * Arguments as one line: a model's own line ends would break the framing.
 */
static void
write_args(struct buf *out, struct str object)
{
	struct buf canon;

	buf_init(&canon, WORK_MAX);
	if (text_canon(&canon, object) == 0)
		text_add(out, buf_str(&canon));
	else if (!canon.bad)
		buf_adds(out, "{}");
	if (canon.bad)
		out->bad = 1;
	buf_free(&canon);
	buf_adds(out, "}}");
}

static uint64_t
known(int64_t tokens)
{
	return tokens < 0 ? 0 : (uint64_t)tokens;
}

static void
write_count(struct buf *out, const char *name, uint64_t n)
{
	buf_adds(out, name);
	buf_addu(out, n);
}

static void
write_usage(struct buf *out, const struct dialect_usage *u)
{
	uint64_t in = known(u->input) + known(u->cache_read) +
	    known(u->cache_write);
	uint64_t all = known(u->output), think = known(u->reasoning);

	write_count(out, ",\"usageMetadata\":{\"promptTokenCount\":", in);
	write_count(out, ",\"candidatesTokenCount\":",
	    all < think ? 0 : all - think);
	write_count(out, ",\"totalTokenCount\":", in + all);
	if (u->reasoning >= 0)
		write_count(out, ",\"thoughtsTokenCount\":", think);
	if (u->cache_read > 0)
		write_count(out, ",\"cachedContentTokenCount\":",
		    (uint64_t)u->cache_read);
	buf_addc(out, '}');
}

static void
write_tail(struct buf *out, const struct msg_context *c, struct arena *a,
    struct str id)
{
	buf_adds(out, ",\"modelVersion\":");
	json_write(out, c->model);
	buf_adds(out, ",\"responseId\":");
	json_write(out, names_answer_id(a, id, DIALECT_GEMINI, OP_GENERATE,
	    c->random));
	buf_addc(out, '}');
}

/* The end of a candidate, behind its parts. */
static void
write_finish(struct buf *out, unsigned index, enum msg_stop stop,
    struct str refusal, struct str logprobs)
{
	buf_adds(out, "]},\"finishReason\":\"");
	buf_adds(out, stop == MSG_STOP_MAX ? "MAX_TOKENS\""
	    : stop == MSG_STOP_REFUSAL ? "SAFETY\"" : "STOP\"");
	if (refusal.n > 0) {
		buf_adds(out, ",\"finishMessage\":");
		text_write(out, refusal);
	}
	write_count(out, ",\"index\":", index);
	if (logprobs.n > 0) {
		buf_adds(out, ",\"logprobsResult\":");
		buf_addstr(out, logprobs);
	}
	buf_addc(out, '}');
}

static void
write_token(struct buf *out, const struct node *token)
{
	struct str n = tree_get_number(token, "logprob");

	buf_adds(out, "{\"token\":");
	text_write(out, tree_get_text(token, "token"));
	buf_adds(out, ",\"logProbability\":");
	buf_addstr(out, n.p == NULL ? str_of("0") : n);
	buf_addc(out, '}');
}

/* The elements of a list of OpenAI's tokens; NULL: none. */
static void
write_tokens(struct buf *out, const struct node *list)
{
	const struct node *n;

	if (list == NULL || list->type != JSON_ARRAY)
		return;
	for (n = list->child; n != NULL; n = n->next) {
		if (n != list->child)
			buf_addc(out, ',');
		write_token(out, n);
	}
}

/* OpenAI's log probabilities as Gemini's; nothing if there are none. */
static void
write_logprobs(struct buf *out, const struct msg_event *finish)
{
	const struct node *list, *n;

	list = tree_get(finish->logprobs, "content");
	if (finish->logprobs_of != DIALECT_OPENAI || list == NULL ||
	    list->type != JSON_ARRAY)
		return;
	buf_adds(out, "{\"chosenCandidates\":[");
	write_tokens(out, list);
	buf_adds(out, "],\"topCandidates\":[");
	for (n = list->child; n != NULL; n = n->next) {
		buf_adds(out, n == list->child ? "{\"candidates\":["
		    : ",{\"candidates\":[");
		write_tokens(out, tree_get(n, "top_logprobs"));
		buf_adds(out, "]}");
	}
	buf_adds(out, "]}");
}

/* ---- chunks ---- */

static struct choice *
choice_at(struct writer *w, unsigned index)
{
	struct choice **at = &w->choices, *c;

	while (*at != NULL && (*at)->index < index)
		at = &(*at)->next;
	if (*at != NULL && (*at)->index == index)
		return *at;
	if ((c = calloc(1, sizeof *c)) == NULL)
		return NULL;
	c->index = index;
	buf_init(&c->part, KEEP_MAX);
	buf_init(&c->args, KEEP_MAX);
	buf_init(&c->refusal, KEEP_MAX);
	buf_init(&c->logprobs, KEEP_MAX);
	c->next = *at;
	*at = c;
	return c;
}

static void
chunk_frame(struct writer *w, struct buf *out)
{
	if (w->c->json_array)
		buf_adds(out, w->begun ? ",\n" : "[");
	else
		buf_adds(out, "data: ");
	w->begun = 1;
}

/* A chunk with one part of a candidate, up to the part. */
static void
chunk_open(struct writer *w, struct buf *out)
{
	chunk_frame(w, out);
	buf_adds(out, "{\"candidates\":[{\"content\":{\"role\":\"model\","
	    "\"parts\":[");
}

static void
chunk_end(struct writer *w, struct buf *out)
{
	buf_addstr(out, buf_str(&w->tail));
	if (!w->c->json_array)
		buf_adds(out, "\n\n");
}

static void
chunk_close(struct writer *w, struct buf *out, unsigned index)
{
	write_count(out, "]},\"index\":", index);
	buf_adds(out, "}]");
	chunk_end(w, out);
}

static void
thought_chunk(struct writer *w, struct buf *out, unsigned index,
    struct str text, struct str seal)
{
	chunk_open(w, out);
	write_thought(out, text, seal);
	chunk_close(w, out, index);
}

static int
part_open(struct writer *w, struct choice *c, const struct msg_event *e,
    struct buf *out)
{
	c->thought = 0;
	if (e->part == MSG_CALL) {
		buf_clear(&c->part);
		buf_clear(&c->args);
		write_call_head(&c->part, &w->arena, w->c, e->id, e->name,
		    e->signature);
		return c->part.bad ? -1 : 0;
	}
	if (e->part == MSG_REDACTED)
		thought_chunk(w, out, c->index, str_n("", 0),
		    names_seal(&w->arena, text_plain(&w->arena, e->data), 1));
	return 0;
}

static int
part_delta(struct writer *w, struct choice *c, const struct msg_event *e,
    struct buf *out)
{
	if (e->text.n == 0)
		return 0;
	if (e->part == MSG_CALL)
		return buf_addstr(&c->args, e->text);
	if (e->part == MSG_REFUSAL)
		return buf_addstr(&c->refusal, e->text);
	if (e->part == MSG_TEXT) {
		chunk_open(w, out);
		write_text(out, e->text);
		chunk_close(w, out, c->index);
	} else if (e->part == MSG_THINK) {
		c->thought = 1;
		if (w->c->thoughts)
			thought_chunk(w, out, c->index, e->text,
			    str_n(NULL, 0));
	}
	return 0;
}

static void
call_close(struct writer *w, struct choice *c, struct buf *out)
{
	struct str object;
	int repaired;

	object = text_to_object(&w->arena, buf_str(&c->args), &repaired);
	if (repaired)
		msg_note(w->c->arena, w->c->notes, "repair:tool_arguments",
		    str_n("", 0));
	chunk_open(w, out);
	buf_addstr(out, buf_str(&c->part));
	write_args(out, object);
	chunk_close(w, out, c->index);
	buf_clear(&c->part);
	buf_clear(&c->args);
}

static void
part_close(struct writer *w, struct choice *c, const struct msg_event *e,
    struct buf *out)
{
	if (e->part == MSG_CALL)
		call_close(w, c, out);
	/* Without its text a thought is worth nothing, unless it has none. */
	else if (e->part == MSG_THINK && is_genuine(e->signature) &&
	    (w->c->thoughts || !c->thought))
		thought_chunk(w, out, c->index, str_n("", 0),
		    names_seal(&w->arena, e->signature, 0));
}

static int
finish(struct choice *c, const struct msg_event *e)
{
	c->stop = e->stop;
	if (c->refusal.len == 0)
		buf_addstr(&c->refusal, e->refusal);
	if (e->logprobs != NULL) {
		buf_clear(&c->logprobs);
		write_logprobs(&c->logprobs, e);
	}
	return c->refusal.bad || c->logprobs.bad ? -1 : 0;
}

static int
choice_event(struct writer *w, const struct msg_event *e, struct buf *out)
{
	struct choice *c = choice_at(w, e->choice);

	if (c == NULL)
		return -1;
	switch (e->kind) {
	case MSG_OPEN:
		return part_open(w, c, e, out);
	case MSG_DELTA:
		return part_delta(w, c, e, out);
	case MSG_CLOSE:
		part_close(w, c, e, out);
		return 0;
	default:
		return finish(c, e);
	}
}

/* Google's helper for chats wants a part in the last chunk too. */
static void
last_chunk(struct writer *w, struct buf *out)
{
	const struct choice *c;

	chunk_frame(w, out);
	buf_adds(out, "{\"candidates\":[");
	for (c = w->choices; c != NULL; c = c->next) {
		if (c != w->choices)
			buf_addc(out, ',');
		buf_adds(out, "{\"content\":{\"role\":\"model\",\"parts\":[");
		write_text(out, str_n("", 0));
		write_finish(out, c->index, c->stop, buf_str(&c->refusal),
		    buf_str(&c->logprobs));
	}
	buf_addc(out, ']');
	write_usage(out, &w->usage);
	chunk_end(w, out);
	if (w->c->json_array)
		buf_addc(out, ']');
}

static void
write_error(struct writer *w, const struct msg_event *e, struct buf *out)
{
	struct str none = str_n("", 0);
	struct fault f;

	memset(&f, 0, sizeof f);
	f.class = e->class;
	f.message = e->text;
	if (!w->c->json_array) {
		fault_stream(out, DIALECT_GEMINI, &f);
		return;
	}
	chunk_frame(w, out);
	fault_body(out, DIALECT_GEMINI, &f, none, none);
	buf_addc(out, ']');
}

void *
gemini_writer_new(const struct msg_context *c)
{
	struct writer *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->c = c;
	arena_init(&w->arena, WORK_MAX);
	buf_init(&w->tail, KEEP_MAX);
	return w;
}

void
gemini_writer_free(void *writer)
{
	struct writer *w = writer;
	struct choice *c;

	if (w == NULL)
		return;
	while ((c = w->choices) != NULL) {
		w->choices = c->next;
		buf_free(&c->part);
		buf_free(&c->args);
		buf_free(&c->refusal);
		buf_free(&c->logprobs);
		free(c);
	}
	arena_free(&w->arena);
	buf_free(&w->tail);
	free(w);
}

int
gemini_write_event(void *writer, const struct msg_event *e, struct buf *out)
{
	struct writer *w = writer;
	int rc = 0;

	arena_reset(&w->arena);
	switch (e->kind) {
	case MSG_START:
		buf_clear(&w->tail);
		write_tail(&w->tail, w->c, &w->arena, e->id);
		break;
	case MSG_OPEN:
	case MSG_DELTA:
	case MSG_CLOSE:
	case MSG_FINISH:
		rc = choice_event(w, e, out);
		break;
	case MSG_USAGE:
		w->usage = e->usage;
		break;
	case MSG_END:
		last_chunk(w, out);
		break;
	case MSG_ERROR:
		write_error(w, e, out);
		break;
	case MSG_CITE:	/* there is nothing that fits */
		break;
	}
	return rc == -1 || w->arena.bad || w->tail.bad || out->bad ? -1 : 0;
}

/* ---- whole answers ---- */

/* 1 if the part was written. */
static int
answer_part(struct buf *out, const struct msg_context *c, struct arena *a,
    const struct msg_part *p)
{
	struct str none = str_n(NULL, 0);

	switch (p->kind) {
	case MSG_TEXT:
		if (p->text.n == 0)
			return 0;
		write_text(out, p->text);
		return 1;
	case MSG_THINK:
		if (p->text.n == 0 ? !is_genuine(p->signature) : !c->thoughts)
			return 0;
		write_thought(out, p->text, is_genuine(p->signature)
		    ? names_seal(a, p->signature, 0) : none);
		return 1;
	case MSG_REDACTED:
		write_thought(out, str_n("", 0),
		    names_seal(a, text_plain(a, p->data), 1));
		return 1;
	case MSG_CALL:
		write_call_head(out, a, c, p->id, p->name, p->signature);
		write_args(out, p->args);
		return 1;
	default:
		return 0;
	}
}

/* What explains a refusal: its parts, else what came with the end. */
static struct str
answer_refusal(struct arena *a, const struct msg_gather_choice *c)
{
	const struct msg_part *p;
	struct str s;
	struct buf b;

	buf_init(&b, KEEP_MAX);
	for (p = c->parts; p != NULL; p = p->next)
		if (p->kind == MSG_REFUSAL)
			buf_addstr(&b, p->text);
	s = b.len > 0 || b.bad ? arena_take(a, &b) : c->finish.refusal;
	buf_free(&b);
	return s;
}

static void
answer_candidate(struct buf *out, const struct msg_context *c,
    struct arena *a, const struct msg_gather_choice *choice)
{
	const struct msg_part *p;
	struct buf logprobs;
	size_t before;
	int parts = 0;

	buf_adds(out, "{\"content\":{\"role\":\"model\",\"parts\":[");
	for (p = choice->parts; p != NULL; p = p->next) {
		before = out->len;
		if (parts > 0)
			buf_addc(out, ',');
		if (answer_part(out, c, a, p))
			parts++;
		else
			buf_cut(out, before);
	}
	if (parts == 0)
		write_text(out, str_n("", 0));
	buf_init(&logprobs, WORK_MAX);
	if (choice->finish.logprobs != NULL)
		write_logprobs(&logprobs, &choice->finish);
	write_finish(out, choice->index, choice->finish.stop,
	    answer_refusal(a, choice), buf_str(&logprobs));
	if (logprobs.bad)
		out->bad = 1;
	buf_free(&logprobs);
}

int
gemini_write_answer(struct buf *out, const struct msg_context *c,
    const struct msg_gather *g)
{
	const struct msg_gather_choice *choice;

	buf_adds(out, "{\"candidates\":[");
	for (choice = g->choices; choice != NULL; choice = choice->next) {
		if (choice != g->choices)
			buf_addc(out, ',');
		answer_candidate(out, c, g->arena, choice);
	}
	buf_addc(out, ']');
	write_usage(out, &g->usage);
	write_tail(out, c, g->arena, g->id);
	return out->bad || g->arena->bad ? -1 : 0;
}

int
gemini_write_ping(struct buf *out)
{
	(void)out;
	return 0;
}
