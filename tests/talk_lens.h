#ifndef TESTS_TALK_LENS_H
#define TESTS_TALK_LENS_H

/*
 * What a backend must get of a conversation of tests/talk.h: the rules of
 * docs/translation.md (3.4 to 3.7), written once more and from the other
 * end, over the neutral form.  For the models in the test that uses it.
 */

#include "tests/talk_write.h"

/* ---- what is expected: 3.4 ---- */

static int
gone(const struct msg_part *p, int assistant)
{
	if (p->kind == MSG_TEXT)
		return p->text.n == 0;
	if (p->kind != MSG_THINK)
		return 0;
	return !assistant || p->signature.n == 0 ||
	    names_marked(p->signature);
}

static void
drop_gone(struct msg_part **at, int assistant)
{
	while (*at != NULL) {
		drop_gone(&(*at)->parts, 0);
		if (gone(*at, assistant))
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
}

/* Neighbours of one role are one turn; empties: which are dropped. */
static void
join(struct msg_request *r, int empties)
{
	struct msg_turn **at = &r->turns, *t;
	struct msg_part **end;

	while ((t = *at) != NULL) {
		if (empties && t->parts == NULL) {
			*at = t->next;
			continue;
		}
		if (t->role == MSG_SYSTEM || t->next == NULL ||
		    t->next->role != t->role) {
			at = &t->next;
			continue;
		}
		for (end = &t->parts; *end != NULL; end = &(*end)->next)
			;
		*end = t->next->parts;
		t->next = t->next->next;
	}
}

/* Takes the first result of that id out of a list. */
static struct msg_part *
take_result(struct msg_part **at, struct str id)
{
	struct msg_part *p;

	for (; (p = *at) != NULL; at = &p->next)
		if (p->kind == MSG_RESULT && str_eq(p->id, id)) {
			*at = p->next;
			p->next = NULL;
			return p;
		}
	return NULL;
}

static struct str
texts_of(struct arena *a, const struct msg_part *p, const char *between,
    const char *media)
{
	const char *sep = "";
	struct buf b;

	buf_init(&b, GEN_MAX);
	for (; p != NULL; p = p->next) {
		if (p->kind != MSG_TEXT && (media == NULL || !is_media(p)))
			continue;
		buf_adds(&b, sep);
		if (p->kind == MSG_TEXT)
			buf_addstr(&b, p->text);
		else
			buf_adds(&b, media);
		sep = between;
	}
	return b.len == 0 ? str_of("") : gen_made(a, &b);
}

/* Copies the media of a list to the end of another. */
static void
add_media(struct arena *a, struct msg_part **to, const struct msg_part *p)
{
	struct msg_part *copy;

	for (; p != NULL; p = p->next)
		if (is_media(p)) {
			copy = msg_part_add(a, to, p->kind);
			*copy = *p;
			copy->next = NULL;
		}
}

/* Results in the order of their calls, orphans as texts, then the rest. */
static void
pair_turn(struct arena *a, const struct msg_part *call, struct msg_turn *t)
{
	struct msg_part *out = NULL, **end = &out, *p, *old = t->parts;
	struct buf b;

	for (; call != NULL; call = call->next) {
		if (call->kind != MSG_CALL)
			continue;
		*end = take_result(&old, call->id);
		if (*end == NULL) {
			p = msg_part_add(a, end, MSG_RESULT);
			p->id = call->id;
			p->error = 1;
			msg_text_add(a, &p->parts,
			    str_of("No tool result was provided."));
		}
		(*end)->name = call->name;
		(*end)->custom = call->custom;
		end = &(*end)->next;
	}
	/* What is left of results: twice told, or nobody's. */
	for (p = old; p != NULL; p = p->next) {
		if (p->kind != MSG_RESULT || !str_is(p->name, "orphan"))
			continue;
		buf_init(&b, GEN_MAX);
		buf_adds(&b, "[tool result ");
		buf_addstr(&b, p->id);
		buf_adds(&b, "]\\n");
		buf_addstr(&b, texts_of(a, p->parts, "\\n", NULL));
		msg_text_add(a, end, gen_made(a, &b));
		add_media(a, end, p->parts);
	}
	for (; *end != NULL; end = &(*end)->next)
		;
	for (p = old; p != NULL; p = p->next)
		if (p->kind != MSG_RESULT) {
			*end = arena_alloc(a, sizeof *p);
			**end = *p;
			(*end)->next = NULL;
			end = &(*end)->next;
		}
	t->parts = out;
}

static int
has_kind(const struct msg_part *p, enum msg_kind kind)
{
	while (p != NULL && p->kind != kind)
		p = p->next;
	return p != NULL;
}

static struct msg_turn *
turn_before(struct arena *a, struct msg_turn *next)
{
	struct msg_turn *t = arena_alloc(a, sizeof *t);

	t->next = next;
	return t;
}

/* Results that system turns keep from their calls come before these. */
static void
forward(struct arena *a, struct msg_turn *t)
{
	struct msg_turn *user = t->next, *own;
	const struct msg_part *call;
	struct msg_part *p, **end;

	while (user != NULL && user->role == MSG_SYSTEM)
		user = user->next;
	if (user == t->next || user == NULL || user->role != MSG_USER)
		return;
	own = turn_before(a, t->next);
	end = &own->parts;
	for (call = t->parts; call != NULL; call = call->next)
		while (call->kind == MSG_CALL &&
		    (p = take_result(&user->parts, call->id)) != NULL) {
			*end = p;
			end = &p->next;
		}
	if (own->parts != NULL)
		t->next = own;
}

static void
drop_silent(struct msg_request *r, enum msg_role role)
{
	struct msg_turn **at = &r->turns;

	while (*at != NULL)
		if ((*at)->role == role && (*at)->parts == NULL)
			*at = (*at)->next;
		else
			at = &(*at)->next;
}

/* 3.4-2: a Gemini client's texts side by side are one. */
static void
glue(struct arena *a, struct msg_turn *t)
{
	struct msg_part *p, *after;

	for (p = t->parts; p != NULL; p = p->next)
		while (p->kind == MSG_TEXT && p->next != NULL &&
		    p->next->kind == MSG_TEXT) {
			after = p->next->next;
			p->next->next = NULL;
			p->text = texts_of(a, p, "", NULL);
			p->next = after;
		}
}

static void
settle(struct msg_request *r, int client)
{
	struct msg_part **at, *p;
	struct msg_turn *t, *last = NULL;

	for (at = &r->system; (p = *at) != NULL; )
		if (text_blank(p->text))
			*at = p->next;
		else
			at = &p->next;
	/* What these clients do not even send. */
	if (client == TALK_O || client == TALK_R)
		drop_silent(r, MSG_USER);
	for (t = r->turns; t != NULL; t = t->next) {
		drop_gone(&t->parts, t->role == MSG_ASSISTANT);
		if (t->role == MSG_SYSTEM && client != TALK_A &&
		    t->parts != NULL && text_blank(t->parts->text))
			t->parts = NULL;
	}
	if (client != TALK_A)
		drop_silent(r, MSG_SYSTEM);
	if (client == TALK_R)
		drop_silent(r, MSG_ASSISTANT);
	join(r, 0);
	for (t = r->turns; t != NULL; last = t, t = t->next) {
		if (client == TALK_G && t->role == MSG_ASSISTANT)
			glue(r->arena, t);
		if (t->role == MSG_ASSISTANT &&
		    has_kind(t->parts, MSG_CALL)) {
			forward(r->arena, t);
			if (t->next == NULL || t->next->role != MSG_USER)
				t->next = turn_before(r->arena, t->next);
		}
		if (t->role == MSG_USER)
			pair_turn(r->arena, last != NULL && last->role ==
			    MSG_ASSISTANT ? last->parts : NULL, t);
	}
	join(r, 1);
}

/* ---- what a backend can be told ---- */

static void
drop_kinds(struct msg_request *r, unsigned kinds)
{
	struct msg_part **at;
	struct msg_turn *t;

	for (t = r->turns; t != NULL; t = t->next)
		for (at = &t->parts; *at != NULL; )
			if (kinds >> (*at)->kind & 1)
				*at = (*at)->next;
			else
				at = &(*at)->next;
	join(r, 1);
}

/* E-A2, E-G1 and what A5 says of the first turn. */
static void
remind(struct msg_request *r)
{
	struct msg_turn *t;
	struct buf b;
	struct str s;

	for (t = r->turns; t != NULL; t = t->next) {
		if (t->role != MSG_SYSTEM)
			continue;
		t->role = MSG_USER;
		s = texts_of(r->arena, t->parts, "\\n\\n", NULL);
		t->parts = NULL;
		if (text_blank(s))
			continue;
		buf_init(&b, GEN_MAX);
		buf_adds(&b, "<system-reminder>\\n");
		buf_addstr(&b, s);
		buf_adds(&b, "\\n</system-reminder>");
		msg_text_add(r->arena, &t->parts, gen_made(r->arena, &b));
	}
	join(r, 1);
}

static void
user_first(struct msg_request *r)
{
	if (r->turns != NULL && r->turns->role == MSG_USER)
		return;
	r->turns = turn_before(r->arena, r->turns);
	msg_text_add(r->arena, &r->turns->parts, str_of("."));
}

static void
drop_blank(struct msg_part **at)
{
	while (*at != NULL) {
		if ((*at)->parts != NULL && (*at)->parts->next != NULL)
			drop_blank(&(*at)->parts);
		if ((*at)->kind == MSG_TEXT && text_blank((*at)->text))
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
}

/* E-A6 */
static void
history_tools(struct msg_request *r)
{
	const struct msg_part *p;
	struct msg_turn *t;
	struct msg_tool *tool;

	r->choice = MSG_CHOICE_UNSET;
	r->parallel_off = 0;
	for (t = r->turns; t != NULL; t = t->next)
		for (p = t->parts; p != NULL; p = p->next) {
			if (p->kind != MSG_CALL ||
			    msg_tool_find(r, p->name) != NULL)
				continue;
			tool = msg_tool_add(r->arena, &r->tools);
			tool->name = p->name;
			tool->schema = tree_parse(r->arena, str_of("{\"type\":"
			    "\"object\",\"properties\":{}}"));
			r->choice = MSG_CHOICE_NONE;
		}
}

/* Free-form tools are functions to those who have none. */
static void
plain_tools(struct msg_request *r)
{
	struct msg_turn *t;
	struct msg_part *p;
	struct msg_tool *tool;

	for (tool = r->tools; tool != NULL; tool = tool->next) {
		if (!tool->custom)
			continue;
		tool->description = msg_custom_description(r->arena, tool);
		tool->schema = tree_parse(r->arena, str_of(MSG_CUSTOM_SCHEMA));
		tool->format = NULL;
		tool->custom = 0;
	}
	for (t = r->turns; t != NULL; t = t->next)
		for (p = t->parts; p != NULL; p = p->next)
			p->custom = 0;
}

static void
limit_stops(struct msg_request *r, unsigned max, int blank)
{
	struct msg_string **at = &r->stops;

	while (*at != NULL)
		if (max == 0 || (!blank && text_blank((*at)->s)))
			*at = (*at)->next;
		else {
			at = &(*at)->next;
			max--;
		}
}

static void
lens_a(struct msg_request *r)
{
	struct str none = str_n(NULL, 0);
	struct msg_turn *t;
	struct msg_part *p;

	remind(r);
	drop_blank(&r->system);
	for (t = r->turns; t != NULL; t = t->next)
		drop_blank(&t->parts);
	join(r, 1);
	user_first(r);
	for (t = r->turns; t->next != NULL; t = t->next)
		;
	for (p = t->parts; p->next != NULL; p = p->next)
		;
	if (t->role == MSG_ASSISTANT && p->kind == MSG_TEXT)
		p->text = text_rtrim(p->text);
	plain_tools(r);
	if (r->tools == NULL)
		history_tools(r);
	if (r->choice == MSG_CHOICE_NONE)
		r->parallel_off = 0;
	else if (r->parallel_off && r->choice == MSG_CHOICE_UNSET)
		r->choice = MSG_CHOICE_AUTO;
	if (r->max_tokens.p == NULL)
		r->max_tokens = str_of("8192");
	if (str_is(r->temperature, "1.5"))
		r->temperature = str_of("1");
	r->presence_penalty = r->frequency_penalty = r->seed = none;
	r->top_logprobs = r->n = none;
	r->logprobs = 0;
	limit_stops(r, 1000, 0);
	if (r->tier != MSG_TIER_STANDARD)
		r->tier = MSG_TIER_UNSET;
	if (r->format != MSG_FORMAT_TEXT)
		msg_text_add(r->arena, &r->system,
		    msg_format_hint(r->arena, r));
	r->format = MSG_FORMAT_TEXT;
}

/* E-O2: a result is one text; its media come with what the user says. */
static void
apart(struct msg_request *r, struct msg_turn *t)
{
	struct msg_part *first = NULL, **media = &first, *p, **at, *only;
	struct buf b;
	struct str s;

	for (at = &t->parts; (p = *at) != NULL && p->kind == MSG_RESULT;
	    at = &p->next) {
		if (msg_has_media(p->parts)) {
			buf_init(&b, GEN_MAX);
			buf_adds(&b, "Attachments of tool result ");
			buf_addstr(&b, names_id(r->arena, p->id,
			    DIALECT_OPENAI));
			buf_addc(&b, ':');
			s = gen_made(r->arena, &b);
			msg_text_add(r->arena, media, text_of(r->arena, s));
			add_media(r->arena, media, p->parts);
			while (*media != NULL)
				media = &(*media)->next;
		}
		buf_init(&b, GEN_MAX);
		buf_adds(&b, p->error ? "[error] " : "");
		buf_addstr(&b, texts_of(r->arena, p->parts, "\\n",
		    "[attachment: see the next user message]"));
		p->parts = NULL;
		p->error = 0;
		only = b.len == 0 ? NULL : msg_text_add(r->arena, &p->parts,
		    str_of(""));
		if (only != NULL)
			only->text = arena_take(r->arena, &b);
		buf_free(&b);
	}
	*media = *at;
	*at = first;
}

/* One text, then the calls. */
static void
one_text(struct arena *a, struct msg_turn *t)
{
	struct msg_part *calls = NULL, **end = &calls, *p, *next;
	struct str text = texts_of(a, t->parts, "", NULL);

	for (p = t->parts; p != NULL; p = next) {
		next = p->next;
		if (p->kind == MSG_CALL) {
			*end = p;
			end = &p->next;
		}
	}
	*end = NULL;
	t->parts = NULL;
	if (text.n > 0)
		msg_text_add(a, &t->parts, text)->next = calls;
	else
		t->parts = calls;
}

static int
says_json(const struct msg_part *p)
{
	for (; p != NULL; p = p->next)
		if (str_casefind(p->text, str_of("json")) >= 0 ||
		    says_json(p->parts))
			return 1;
	return 0;
}

static void
lens_o(struct msg_request *r)
{
	struct msg_turn *t;
	struct msg_part *p;
	int json = 0, system;

	drop_kinds(r, 1u << MSG_THINK | 1u << MSG_REDACTED);
	for (t = r->turns; t != NULL; t = t->next) {
		if (t->role == MSG_ASSISTANT)
			one_text(r->arena, t);
		else if (t->role == MSG_USER)
			apart(r, t);
		else if (text_blank(texts_of(r->arena, t->parts, "", NULL)))
			t->parts = NULL;
		json |= says_json(t->parts);
		for (p = t->parts; p != NULL; p = p->next)
			if (p->kind == MSG_DOC && p->title.n == 0)
				p->title = str_of("document.pdf");
	}
	json |= says_json(r->system);
	system = r->system != NULL;
	if (system) {
		r->system->text = texts_of(r->arena, r->system, "\\n\\n",
		    NULL);
		r->system->next = NULL;
	}
	if (r->format == MSG_FORMAT_JSON && !json) {
		p = arena_alloc(r->arena, sizeof *p);
		p->text = str_of("Respond with valid JSON.");
		p->next = r->system;
		r->system = p;
	}
	join(r, 1);
	/* System turns in front of all others are not in their midst. */
	while (r->turns != NULL && r->turns->role == MSG_SYSTEM) {
		msg_text_add(r->arena, &r->system,
		    texts_of(r->arena, r->turns->parts, "", NULL));
		r->turns = r->turns->next;
	}
	if (r->tools == NULL) {
		r->choice = MSG_CHOICE_UNSET;
		r->parallel_off = 0;
	}
	r->top_k = str_n(NULL, 0);
	limit_stops(r, 4, 1);
}

/* E-G2: a result is one text, and media without names. */
static void
text_and_media(struct arena *a, struct msg_part *result)
{
	struct str s = texts_of(a, result->parts, "\\n", NULL);
	struct msg_part *list = NULL, *p;

	if (s.n > 0)
		msg_text_add(a, &list, s);
	add_media(a, &list, result->parts);
	for (p = list; p != NULL; p = p->next)
		p->title = str_n(NULL, 0);
	result->parts = list;
}

static void
lens_g(struct msg_request *r)
{
	struct msg_turn *t;
	struct msg_part *p;
	int calls;

	drop_kinds(r, 1u << MSG_THINK | 1u << MSG_REDACTED);
	remind(r);
	user_first(r);
	for (t = r->turns; t != NULL; t = t->next)
		for (p = t->parts, calls = 0; p != NULL; p = p->next) {
			p->title = str_n(NULL, 0);
			if (p->kind == MSG_RESULT)
				text_and_media(r->arena, p);
			if (p->kind == MSG_CALL && calls++ == 0 &&
			    p->signature.n == 0)
				p->signature = str_of("skip_thought_"
				    "signature_validator");
		}
	plain_tools(r);
	if (r->tools == NULL)
		r->choice = MSG_CHOICE_UNSET;
	r->parallel_off = 0;
	r->user = str_n(NULL, 0);
	limit_stops(r, 5, 1);
}

/* What is left of a request that a client's API made for another one. */
static void
lens(struct msg_request *r, int client, int target)
{
	static void (*const lenses[])(struct msg_request *) = {
		lens_a, lens_o, lens_g
	};
	struct msg_turn *t;
	struct msg_part *p;
	char hash[17];
	struct buf b;

	settle(r, client);
	lenses[target](r);
	for (t = r->turns; t != NULL; t = t->next)
		for (p = t->parts; p != NULL; p = p->next) {
			if (p->id.p != NULL)
				p->id = names_id(r->arena, p->id,
				    (enum dialect)target);
			if (p->kind == MSG_CALL && target != TALK_G)
				p->signature = str_n(NULL, 0);
		}
	if (target == TALK_O && text_plain(r->arena, r->user).n > 64) {
		text_fnv64(hash, text_plain(r->arena, r->user));
		buf_init(&b, 20);
		buf_adds(&b, "u_");
		buf_adds(&b, hash);
		r->user = gen_made(r->arena, &b);
	}
}

#endif
