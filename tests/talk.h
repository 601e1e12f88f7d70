#ifndef TESTS_TALK_H
#define TESTS_TALK_H

/*
 * Random conversations in the neutral form, and each written as a client of
 * each API would.  What a client may say in several ways is said in a random
 * one of them.  TALK_R is the Responses API.
 */

#include <stdio.h>

#include "dialect/message.h"
#include "dialect/names.h"
#include "json.h"
#include "tests/gen.h"

enum { TALK_A, TALK_O, TALK_G, TALK_R };

/* For whom a conversation is made. */
struct talk {
	struct arena *a;
	struct msg_request *r;
	int client;
	int target;		/* what it takes is all that is said */
	unsigned ids;		/* calls so far */
	unsigned nameless:1;	/* a Gemini client that gives no ids: they
				   will be call_g0, call_g1 .. (ID-3) */
};

/* ---- making ---- */

static struct msg_part *
talk_part(struct talk *t, struct msg_part **list, enum msg_kind kind)
{
	struct msg_part *p = msg_part_add(t->a, list, kind);

	if (kind == MSG_TEXT || kind == MSG_THINK)
		p->text = gen_text(t->a, 5);
	return p;
}

static void
talk_media(struct talk *t, struct msg_part **list)
{
	static const char *const types[] = {
		"image/png", "image/jpeg", "image/gif", "image/webp"
	};
	static const char *const data[] = { "aGk=", "+/8=", "iVBORw0KGgo=" };
	struct msg_part *p;
	unsigned what = gen_below(4);

	if (what == 3 && t->client != TALK_A && t->target != TALK_A) {
		p = msg_part_add(t->a, list, MSG_AUDIO);
		p->type = str_of(gen_chance(50) ? "audio/wav" : "audio/mp3");
	} else if (what == 2) {
		p = msg_part_add(t->a, list, MSG_DOC);
		p->title = gen_text(t->a, 2);
		p->type = str_of("application/pdf");
		if (gen_chance(30) && t->target != TALK_O &&
		    (t->client == TALK_A || t->client == TALK_G))
			p->url = str_of("https://x.example/a%20b.pdf?c="
			    "1\\u0026d");
	} else {
		p = msg_part_add(t->a, list, MSG_IMAGE);
		p->type = str_of(types[gen_below(4)]);
		if (gen_chance(30))
			p->url = str_of("https:\\/\\/x.example/i.png#\xc3\xa9");
	}
	if (p->url.p == NULL)
		p->data = str_of(data[gen_below(3)]);
	else
		p->type = str_n(NULL, 0);
}

static void
talk_think(struct talk *t, struct msg_part **list)
{
	struct msg_part *p;

	if (gen_chance(25)) {
		p = talk_part(t, list, MSG_REDACTED);
		p->data = str_of("ZW5j\\/+==");
		return;
	}
	p = talk_part(t, list, MSG_THINK);
	if (t->client == TALK_G || t->client == TALK_R || gen_chance(75))
		p->signature = gen_word(t->a, "Sig", 7);
	else if (gen_chance(50))
		p->signature = str_of("xl1.o");
}

static void
talk_id(struct talk *t, struct msg_part *p)
{
	char given[24];

	snprintf(given, sizeof given, "call_g%u", t->ids);
	p->id = gen_word(t->a, "call", t->ids++);
	/* What looks like a signature there may become one on its way. */
	if (t->nameless || str_casefind(p->id, str_of("__ts_")) >= 0)
		p->id = arena_copy(t->a, str_of(given));
	if (gen_chance(20))
		p->signature = gen_word(t->a, "EsG", 5);
}

static void
talk_call(struct talk *t, struct msg_part **list)
{
	struct msg_part *p = talk_part(t, list, MSG_CALL);
	const struct msg_tool *tool = t->r->tools;
	unsigned n;
	struct buf b;

	talk_id(t, p);
	for (n = gen_below(4); tool != NULL && n > 0; n--)
		tool = tool->next;
	p->name = tool == NULL ? gen_word(t->a, "gone", 1) : tool->name;
	p->custom = tool != NULL && tool->custom;
	p->args = gen_object(t->a);
	buf_init(&b, GEN_MAX);
	if (p->custom) {
		buf_adds(&b, "{\"input\":");
		gen_quoted(&b, gen_text(t->a, 4));
		buf_addc(&b, '}');
		p->args = gen_made(t->a, &b);
	} else if ((t->client == TALK_O || t->client == TALK_R) &&
	    gen_chance(10)) {
		p->text = str_of("{\\\"a\\\": \\\"cut \\ud83d");
		p->args = str_of("{\"_raw\":\"{\\\"a\\\": \\\"cut \\ud83d\"}");
	}
	buf_free(&b);
}

/* The result of a call; NULL: of none. */
static struct msg_part *
talk_result(struct talk *t, struct msg_part **list,
    const struct msg_part *call)
{
	struct msg_part *p = talk_part(t, list, MSG_RESULT);
	unsigned n;

	p->id = call == NULL ? str_of("nobody.s") : call->id;
	p->name = call == NULL ? str_of("orphan") : call->name;
	if (call != NULL)
		p->signature = call->signature;
	p->custom = call != NULL && call->custom;
	if (t->client == TALK_A || t->client == TALK_G)
		p->error = gen_chance(30) ? 1 : 0;
	for (n = t->client == TALK_G ? gen_below(2) : gen_below(3); n > 0;
	    n--)
		talk_part(t, &p->parts, MSG_TEXT);
	if (gen_chance(25))
		talk_media(t, &p->parts);
	if (gen_chance(10) && t->client != TALK_G)
		talk_part(t, &p->parts, MSG_TEXT);
	return p;
}

/* Swaps neighbours here and there. */
static void
talk_shuffle(struct msg_part **list)
{
	struct msg_part *p, *next;

	for (; (p = *list) != NULL && (next = p->next) != NULL;
	    list = &(*list)->next)
		if (gen_chance(30)) {
			p->next = next->next;
			next->next = p;
			*list = next;
		}
}

static void
talk_user(struct talk *t, const struct msg_part *calls)
{
	struct msg_turn *turn = msg_turn_add(t->a, &t->r->turns, MSG_USER);
	unsigned n;

	for (; calls != NULL; calls = calls->next) {
		if (calls->kind != MSG_CALL)
			continue;
		if (t->nameless || gen_chance(90))
			talk_result(t, &turn->parts, calls);
		if (!t->nameless && gen_chance(5))
			talk_result(t, &turn->parts, calls);
	}
	if (!t->nameless && gen_chance(4))
		talk_result(t, &turn->parts, NULL);
	if (!t->nameless)
		talk_shuffle(&turn->parts);
	for (n = gen_below(3); n > 0; n--)
		if (gen_chance(75))
			talk_part(t, &turn->parts, MSG_TEXT);
		else
			talk_media(t, &turn->parts);
	/* Items of the Responses API have nothing else between turns. */
	if (turn->parts == NULL && t->client == TALK_R)
		talk_part(t, &turn->parts, MSG_TEXT);
	if (!t->nameless && (t->client == TALK_A || t->client == TALK_G))
		talk_shuffle(&turn->parts);
}

static const struct msg_part *
talk_assistant(struct talk *t)
{
	struct msg_turn *turn = msg_turn_add(t->a, &t->r->turns,
	    MSG_ASSISTANT);
	unsigned n;

	for (n = gen_below(3); n > 0; n--)
		talk_think(t, &turn->parts);
	for (n = gen_below(3); n > 0; n--)
		talk_part(t, &turn->parts, MSG_TEXT);
	for (n = gen_chance(60) ? gen_below(4) : 0; n > 0; n--)
		talk_call(t, &turn->parts);
	if (t->client == TALK_A || (t->client == TALK_G && !t->nameless))
		talk_shuffle(&turn->parts);
	return turn->parts;
}

/* 1 if something was said that each API has in its list of turns. */
static int
talk_begun(const struct talk *t)
{
	const struct msg_turn *turn;
	const struct msg_part *p;

	for (turn = t->r->turns; turn != NULL; turn = turn->next)
		for (p = turn->parts; p != NULL; p = p->next)
			if (p->kind == MSG_CALL || p->kind == MSG_IMAGE ||
			    (p->kind == MSG_TEXT && p->text.n > 0))
				return 1;
	return 0;
}

static void
talk_turns(struct talk *t)
{
	const struct msg_part *calls = NULL;
	struct msg_turn *turn;
	unsigned n;

	for (n = gen_below(8); n > 0; n--) {
		if (t->client != TALK_G && gen_chance(12) &&
		    (t->client == TALK_A || talk_begun(t))) {
			turn = msg_turn_add(t->a, &t->r->turns, MSG_SYSTEM);
			talk_part(t, &turn->parts, MSG_TEXT);
		}
		if (calls != NULL || gen_chance(55)) {
			talk_user(t, calls);
			calls = NULL;
		} else
			calls = talk_assistant(t);
	}
	if (calls != NULL && t->nameless)
		talk_user(t, calls);
}

/* Schemas that each API can say. */
static void
talk_schema(struct talk *t, struct buf *b, unsigned depth)
{
	static const char *const types[] = {
		"{\"type\":\"string\"", "{\"type\":\"integer\",\"minimum\":1",
		"{\"type\":\"boolean\"", "{\"type\":[\"number\",\"null\"]",
		"{\"type\":\"string\",\"enum\":[\"x\",\"\xc3\xa9 y\"]",
		"{\"type\":\"array\",\"items\":",
		"{\"type\":\"object\",\"properties\":{\"$id\":"
	};
	unsigned n = depth == 0 ? 6 : gen_below(depth > 2 ? 5 : 7);

	buf_adds(b, types[n]);
	if (n >= 5)
		talk_schema(t, b, depth + 1);
	if (n == 6) {
		if (gen_chance(60)) {
			buf_adds(b, ",\"q\\\"\xc3\xa9\":");
			talk_schema(t, b, depth + 1);
		}
		buf_adds(b, "}");
		if (gen_chance(50))
			buf_adds(b, ",\"required\":[\"$id\"]");
	}
	if (depth > 0 && gen_chance(30)) {
		buf_adds(b, ",\"description\":");
		gen_quoted(b, str_of("d\\u00e9 \\\"q\\\""));
	}
	buf_addc(b, '}');
}

static struct node *
talk_any_schema(struct talk *t)
{
	struct buf b;
	struct str s;

	buf_init(&b, GEN_MAX);
	talk_schema(t, &b, 0);
	s = gen_made(t->a, &b);
	return tree_parse(t->a, s);
}

static void
talk_tools(struct talk *t)
{
	struct msg_tool *tool;
	unsigned n, i;

	for (n = gen_below(4), i = 0; i < n; i++) {
		tool = msg_tool_add(t->a, &t->r->tools);
		tool->name = gen_word(t->a, gen_chance(70) ? "f" : "9", i);
		if (gen_chance(60))
			tool->description = gen_text(t->a, 4);
		tool->custom = (t->client == TALK_O || t->client == TALK_R) &&
		    gen_chance(30);
		if (tool->custom && gen_chance(50))
			tool->format = tree_parse(t->a, str_of("{\"type\":"
			    "\"grammar\",\"grammar\":{\"syntax\":\"lark\","
			    "\"definition\":\"a: \\\"\\ud83d\\ude00\\\"\"}}"));
		if (!tool->custom)
			tool->schema = talk_any_schema(t);
	}
	if (n == 0)
		return;
	t->r->choice = (enum msg_choice)gen_below(5);
	for (tool = t->r->tools, n = gen_below(n); n > 0; n--)
		tool = tool->next;
	if (t->r->choice == MSG_CHOICE_TOOL)
		t->r->choice_name = tool->name;
	t->r->parallel_off = t->client == TALK_A ? t->r->choice !=
	    MSG_CHOICE_UNSET && gen_chance(30) :
	    t->client != TALK_G && gen_chance(30);
}

static struct str
talk_number(const char *const *from, unsigned n)
{
	unsigned i = gen_below(n + 1);

	return i == n ? str_n(NULL, 0) : str_of(from[i]);
}

static void
talk_limits(struct talk *t)
{
	static const char *const tokens[] = { "1", "4096", "100000" };
	static const char *const heat[] = { "0", "0.70", "1.0", "1.5" };
	static const char *const share[] = { "0.5", "1", "0.950" };
	static const char *const top[] = { "40", "1" };
	static const char *const penalty[] = { "0", "-0.5", "1.0" };
	struct msg_string *s, **end = &t->r->stops;
	struct msg_request *r = t->r;
	unsigned n;

	r->max_tokens = talk_number(tokens, 3);
	r->temperature = talk_number(heat, t->client == TALK_A ? 3 : 4);
	r->top_p = talk_number(share, 3);
	for (n = gen_below(7); n > 0; n--) {
		s = msg_string_add(t->a, end, gen_text(t->a, 2));
		end = &s->next;
	}
	if (t->client != TALK_R && t->client != TALK_O)
		r->top_k = talk_number(top, 2);
	if (t->client == TALK_R)
		r->stops = NULL;
	if (t->client == TALK_O || t->client == TALK_G) {
		r->presence_penalty = talk_number(penalty, 3);
		r->frequency_penalty = talk_number(penalty, 3);
		r->seed = talk_number(tokens, 3);
		r->logprobs = gen_chance(20) ? 1 : 0;
		if (r->logprobs)
			r->top_logprobs = talk_number(tokens, 1);
		if (t->target != TALK_A && gen_chance(20))
			r->n = str_of("2");
	}
	if (t->client != TALK_G)
		r->user = gen_text(t->a, gen_chance(20) ? 40 : 4);
	r->tier = t->client == TALK_A ? (enum msg_tier)gen_below(2) :
	    (enum msg_tier)gen_below(4);
	if (t->client != TALK_A && gen_chance(15))
		r->format = MSG_FORMAT_JSON;
	else if (gen_chance(20)) {
		r->format = MSG_FORMAT_SCHEMA;
		r->schema = talk_any_schema(t);
		r->schema_name = str_of(t->client == TALK_O ||
		    t->client == TALK_R ? "n_1" : "response");
	}
}

/* Fills r (zeroed but for its arena); 1 if the client gives no ids. */
static int
talk_make(struct msg_request *r, int client, int target)
{
	struct talk t;
	unsigned n;

	memset(&t, 0, sizeof t);
	t.a = r->arena;
	t.r = r;
	t.client = client;
	t.target = target;
	t.nameless = client == TALK_G && gen_chance(30);
	r->budget = -1;
	for (n = gen_below(3); n > 0; n--)
		talk_part(&t, &r->system, MSG_TEXT);
	talk_tools(&t);
	talk_turns(&t);
	talk_limits(&t);
	return t.nameless;
}

#endif
