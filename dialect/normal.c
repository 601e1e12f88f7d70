#include "dialect/normal.h"

#include <stdlib.h>
#include <string.h>

#include "dialect/names.h"

/* Parts on their way into a turn. */
struct list {
	struct msg_part *first, **end;
};

static void
list_init(struct list *l)
{
	l->first = NULL;
	l->end = &l->first;
}

static void
list_add(struct list *l, struct msg_part *p)
{
	p->next = NULL;
	*l->end = p;
	l->end = &p->next;
}

/* Puts the parts of another list, which is done with, at the end. */
static void
list_join(struct list *l, struct list *more)
{
	if (more->first == NULL)
		return;
	*l->end = more->first;
	l->end = more->end;
}

/* A part at the end of a list; NULL: out of memory. */
static struct msg_part *
list_make(struct arena *a, struct list *l, enum msg_kind kind)
{
	struct msg_part *p = arena_alloc(a, sizeof *p);

	if (p == NULL)
		return NULL;
	p->kind = kind;
	list_add(l, p);
	return p;
}

/* The texts of the parts from first up to end, without anything between. */
static struct str
glue(struct arena *a, const struct msg_part *first,
    const struct msg_part *end)
{
	const struct msg_part *p;
	size_t n = 0;
	char *to, *at;

	for (p = first; p != end; p = p->next)
		n += p->text.n;
	to = arena_alloc(a, n + 1);
	if (to == NULL)
		return str_n(NULL, 0);
	at = to;
	for (p = first; p != end; p = p->next)
		if (p->text.n > 0) {
			memcpy(at, p->text.p, p->text.n);
			at += p->text.n;
		}
	return str_n(to, n);
}

/* Several texts as one. */
static struct str
concat(struct arena *a, const struct str *s, size_t n)
{
	size_t i, all = 0;
	char *to, *at;

	for (i = 0; i < n; i++)
		all += s[i].n;
	to = arena_alloc(a, all + 1);
	if (to == NULL)
		return str_n(NULL, 0);
	at = to;
	for (i = 0; i < n; i++)
		if (s[i].n > 0) {
			memcpy(at, s[i].p, s[i].n);
			at += s[i].n;
		}
	return str_n(to, all);
}

static struct msg_turn *
turn_make(struct arena *a, enum msg_role role, struct msg_turn *next)
{
	struct msg_turn *t = arena_alloc(a, sizeof *t);

	if (t == NULL)
		return NULL;
	t->role = role;
	t->next = next;
	return t;
}

/* ---- thoughts (N-2, N-3) ---- */

/*
 * A run of raw thoughts, of which the last one has a signature: if that is
 * an envelope of ours, the last part becomes what is in it; 0 if not.
 */
static int
open_thoughts(struct arena *a, struct list *run, struct msg_part *last)
{
	struct str inside;

	switch (names_open(a, last->signature, &inside)) {
	case 1:
		last->text = glue(a, run->first, NULL);
		last->signature = inside;
		last->thought = 0;
		return 1;
	case 2:
		last->kind = MSG_REDACTED;
		last->data = text_of(a, inside);
		last->text = str_n(NULL, 0);
		last->signature = str_n(NULL, 0);
		last->thought = 0;
		return 1;
	default:
		return 0;
	}
}

/* 1 if nobody but another vendor, or nobody at all, signed a thought. */
static int
is_foreign(const struct msg_part *p)
{
	return p->kind == MSG_THINK &&
	    (p->signature.n == 0 || names_marked(p->signature));
}

/* Raw thoughts opened, foreign ones dropped, and all but an assistant's. */
static void
settle_thoughts(struct arena *a, struct msg_turn *t)
{
	struct list out, run;
	struct msg_part *p, *next;
	int opened;

	list_init(&out);
	list_init(&run);
	for (p = t->parts; p != NULL; p = next) {
		next = p->next;
		opened = 1;
		if (p->kind == MSG_THINK && p->thought) {
			list_add(&run, p);
			if (p->signature.n == 0)
				continue;
			opened = open_thoughts(a, &run, p);
		}
		list_init(&run);
		if (!opened)
			continue;
		if (is_foreign(p) || (t->role != MSG_ASSISTANT &&
		    (p->kind == MSG_THINK || p->kind == MSG_REDACTED)))
			continue;
		list_add(&out, p);
	}
	t->parts = out.first;
}

/* N-2: texts that stand next to each other become one. */
static void
glue_texts(struct arena *a, struct msg_turn *t)
{
	struct msg_part *p, *end;

	for (p = t->parts; p != NULL; p = p->next) {
		if (p->kind != MSG_TEXT || p->next == NULL ||
		    p->next->kind != MSG_TEXT)
			continue;
		end = p->next;
		while (end != NULL && end->kind == MSG_TEXT)
			end = end->next;
		p->text = glue(a, p, end);
		p->next = end;
	}
}

/* ---- calls and their results (N-4) ---- */

/* A call that waits for its result. */
struct slot {
	struct msg_part *call, *result;
	size_t taken;	/* of the first of an id: slots that are filled */
};

/* The calls of one turn: in order, and by their ids. */
struct calls {
	struct slot *slots, **sorted;
	size_t n;
};

static int
compare(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

/* For qsort(): by id, equal ones in the order of the calls. */
static int
by_id(const void *x, const void *y)
{
	const struct slot *a = *(struct slot *const *)x;
	const struct slot *b = *(struct slot *const *)y;
	int c = compare(a->call->id, b->call->id);

	return c != 0 ? c : (a > b) - (a < b);
}

/* -1: out of memory. */
static int
calls_of(struct calls *c, struct arena *a, const struct msg_turn *t)
{
	struct msg_part *p;
	size_t i = 0;

	memset(c, 0, sizeof *c);
	for (p = t->parts; p != NULL; p = p->next)
		c->n += p->kind == MSG_CALL;
	if (c->n == 0)
		return 0;
	c->slots = arena_alloc(a, c->n * sizeof c->slots[0]);
	c->sorted = arena_alloc(a, c->n * sizeof c->sorted[0]);
	if (c->slots == NULL || c->sorted == NULL)
		return -1;
	for (p = t->parts; p != NULL; p = p->next)
		if (p->kind == MSG_CALL) {
			c->slots[i].call = p;
			c->sorted[i] = &c->slots[i];
			i++;
		}
	qsort(c->sorted, c->n, sizeof c->sorted[0], by_id);
	return 0;
}

/*
 * The next call of an id that has no result yet: calls that share an id get
 * theirs in turn.  NULL if there is none; *known: whether there was one.
 */
static struct slot *
calls_find(struct calls *c, struct str id, int *known)
{
	size_t low = 0, high = c->n, middle, at;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare(c->sorted[middle]->call->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*known = low < c->n && str_eq(c->sorted[low]->call->id, id);
	if (!*known)
		return NULL;
	at = low + c->sorted[low]->taken;
	if (at == c->n || !str_eq(c->sorted[at]->call->id, id))
		return NULL;
	c->sorted[low]->taken++;
	return c->sorted[at];
}

/* A result without its call: a text that tells of it, and its media. */
static void
add_orphan(struct msg_request *r, struct list *l, struct msg_part *result)
{
	struct msg_part *p, *next, *made;
	struct str piece[4];

	piece[0] = str_of("[tool result ");
	piece[1] = text_of(r->arena, result->id);
	piece[2] = str_of("]\\n");
	piece[3] = msg_join(r->arena, result->parts, "\n");
	made = list_make(r->arena, l, MSG_TEXT);
	if (made == NULL)
		return;
	made->text = concat(r->arena, piece, 4);
	for (p = result->parts; p != NULL; p = next) {
		next = p->next;
		if (p->kind != MSG_TEXT)
			list_add(l, p);
	}
	msg_note(r->arena, r->notes, "repair:",
	    str_of("tool_result_orphan"));
}

/* The results of all calls in their order; a missing one is made up. */
static void
add_results(struct msg_request *r, struct list *l, const struct calls *c)
{
	struct msg_part *p;
	size_t i;

	for (i = 0; i < c->n; i++) {
		p = c->slots[i].result;
		if (p != NULL)
			list_add(l, p);
		else {
			p = list_make(r->arena, l, MSG_RESULT);
			if (p == NULL)
				return;
			p->id = c->slots[i].call->id;
			p->error = 1;
			msg_text_add(r->arena, &p->parts,
			    str_of("No tool result was provided."));
			msg_note(r->arena, r->notes, "repair:",
			    str_of("tool_result_missing"));
		}
		p->name = c->slots[i].call->name;
		p->custom = c->slots[i].call->custom;
	}
}

/*
 * A turn that follows those calls: their results, then results that belong
 * to no call, then everything else.  Results that stray into another turn
 * than a user's keep their place as texts.
 */
static void
settle_results(struct msg_request *r, struct msg_turn *t, struct calls *c)
{
	struct list results, orphans, others;
	struct msg_part *p, *next;
	struct slot *slot;
	int known;

	list_init(&results);
	list_init(&orphans);
	list_init(&others);
	for (p = t->parts; p != NULL; p = next) {
		next = p->next;
		if (p->kind != MSG_RESULT) {
			list_add(&others, p);
			continue;
		}
		slot = calls_find(c, p->id, &known);
		if (slot != NULL)
			slot->result = p;
		else if (known)
			msg_note(r->arena, r->notes, "repair:",
			    str_of("tool_result_duplicate"));
		else
			add_orphan(r, t->role == MSG_USER ? &orphans :
			    &others, p);
	}
	add_results(r, &results, c);
	list_join(&results, &orphans);
	list_join(&results, &others);
	t->parts = results.first;
}

/* A user turn after each turn with calls, and in it the results. */
static int
pair(struct msg_request *r)
{
	struct msg_turn *t;
	struct calls c;

	memset(&c, 0, sizeof c);
	for (t = r->turns; t != NULL; t = t->next) {
		settle_results(r, t, &c);
		memset(&c, 0, sizeof c);
		if (t->role != MSG_ASSISTANT)
			continue;
		if (calls_of(&c, r->arena, t) == -1)
			return -1;
		if (c.n > 0 && (t->next == NULL ||
		    t->next->role != MSG_USER)) {
			t->next = turn_make(r->arena, MSG_USER, t->next);
			if (t->next == NULL)
				return -1;
		}
	}
	return 0;
}

/* ---- turns ---- */

static void
drop_empty(struct msg_request *r)
{
	struct msg_turn **at = &r->turns;

	while (*at != NULL)
		if ((*at)->parts == NULL)
			*at = (*at)->next;
		else
			at = &(*at)->next;
}

int
normal_join(struct msg_request *r)
{
	struct msg_turn *t, *next;
	struct msg_part **end;

	for (t = r->turns; t != NULL; t = t->next) {
		if (t->role == MSG_SYSTEM)
			continue;
		end = &t->parts;
		while ((next = t->next) != NULL && next->role == t->role) {
			while (*end != NULL)
				end = &(*end)->next;
			*end = next->parts;
			t->next = next->next;
		}
	}
	return 0;
}

static int
turn_calls(const struct msg_turn *t, struct str id)
{
	const struct msg_part *p = t->parts;

	while (p != NULL && (p->kind != MSG_CALL || !str_eq(p->id, id)))
		p = p->next;
	return p != NULL;
}

/* Moves the results of calls of one turn from another's parts to *to. */
static void
results_take(const struct msg_turn *calls, struct msg_turn *from,
    struct msg_part **to)
{
	struct msg_part **at = &from->parts, *p;

	while ((p = *at) != NULL) {
		if (p->kind != MSG_RESULT || !turn_calls(calls, p->id)) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		p->next = NULL;
		*to = p;
		to = &p->next;
	}
}

/*
 * Results that a system turn keeps away from their calls come before it:
 * clients of OpenAI's may put one there, and no backend takes it.
 */
static int
results_forward(struct msg_request *r)
{
	struct msg_turn *t, *user, *own;
	struct msg_part *results;

	for (t = r->turns; t != NULL; t = t->next) {
		if (t->role != MSG_ASSISTANT || t->next == NULL ||
		    t->next->role != MSG_SYSTEM)
			continue;
		for (user = t->next; user != NULL &&
		    user->role == MSG_SYSTEM; user = user->next)
			;
		if (user == NULL || user->role != MSG_USER)
			continue;
		results = NULL;
		results_take(t, user, &results);
		if (results == NULL)
			continue;
		if ((own = turn_make(r->arena, MSG_USER, t->next)) == NULL)
			return -1;
		own->parts = results;
		t->next = own;
	}
	return 0;
}

int
normal_request(struct msg_request *r, enum dialect client)
{
	struct msg_turn *t;

	normal_join(r);
	for (t = r->turns; t != NULL; t = t->next) {
		settle_thoughts(r->arena, t);
		if (client == DIALECT_GEMINI && t->role == MSG_ASSISTANT)
			glue_texts(r->arena, t);
	}
	if (results_forward(r) == -1 || pair(r) == -1)
		return -1;
	drop_empty(r);
	normal_join(r);
	return r->arena->bad ? -1 : 0;
}

/* ---- steps of several backends ---- */

int
normal_remind(struct msg_request *r)
{
	struct msg_turn *t;
	struct msg_part *p, *last;
	struct str piece[3];

	for (t = r->turns; t != NULL; t = t->next) {
		if (t->role != MSG_SYSTEM)
			continue;
		t->role = MSG_USER;
		piece[0] = str_of("<system-reminder>\\n");
		piece[1] = msg_join(r->arena, t->parts, "\n\n");
		piece[2] = str_of("\\n</system-reminder>");
		for (last = t->parts; last != NULL && last->next != NULL; )
			last = last->next;
		p = arena_alloc(r->arena, sizeof *p);
		if (p == NULL)
			return -1;
		p->kind = MSG_TEXT;
		p->text = concat(r->arena, piece, 3);
		if (last != NULL)
			p->cache = last->cache;
		t->parts = text_blank(piece[1]) ? NULL : p;
	}
	drop_empty(r);
	return r->arena->bad ? -1 : 0;
}

static void
drop_blank(struct msg_part **at)
{
	while (*at != NULL)
		if ((*at)->kind == MSG_TEXT && text_blank((*at)->text))
			*at = (*at)->next;
		else
			at = &(*at)->next;
}

int
normal_blank(struct msg_request *r)
{
	struct msg_turn *t;
	struct msg_part *p;

	drop_blank(&r->system);
	for (t = r->turns; t != NULL; t = t->next) {
		drop_blank(&t->parts);
		/* A result's only text is a string, not a block. */
		for (p = t->parts; p != NULL; p = p->next)
			if (p->kind == MSG_RESULT && p->parts != NULL &&
			    p->parts->next != NULL)
				drop_blank(&p->parts);
	}
	drop_empty(r);
	return 0;
}

int
normal_first(struct msg_request *r)
{
	struct msg_turn *t;

	if (r->turns != NULL && r->turns->role != MSG_ASSISTANT)
		return 0;
	msg_note(r->arena, r->notes, "repair:",
	    str_of(r->turns == NULL ? "empty_messages" : "first_user"));
	t = turn_make(r->arena, MSG_USER, r->turns);
	if (t == NULL)
		return -1;
	r->turns = t;
	return msg_text_add(r->arena, &t->parts, str_of(".")) == NULL ? -1 :
	    0;
}

struct msg_turn *
normal_last(const struct msg_request *r)
{
	struct msg_turn *t = r->turns;

	while (t != NULL && t->next != NULL)
		t = t->next;
	return t;
}

int
normal_choice(const struct msg_request *r, struct msg_fault *f)
{
	struct str name = r->choice_name;

	if (r->choice == MSG_CHOICE_ANY && r->tools == NULL)
		return msg_refuse(f, "tool_choice",
		    "tool_choice: a tool is demanded, but there are no tools");
	if (r->choice == MSG_CHOICE_TOOL && msg_tool_find(r, name) == NULL)
		return msg_refuse(f, "tool_choice",
		    "tool_choice: there is no tool \"%.*s\"",
		    name.n > 100 ? 100 : (int)name.n,
		    name.n > 0 ? name.p : "");
	return 0;
}
