#include "dialect/message.h"

#include <stdarg.h>
#include <stdio.h>

#define NO_LIMIT (SIZE_MAX / 2)	/* the arena has one */
#define NOTE_NAME 64

struct msg_part *
msg_part_add(struct arena *a, struct msg_part **list, enum msg_kind kind)
{
	struct msg_part *p = arena_alloc(a, sizeof *p);

	if (p == NULL)
		return NULL;
	p->kind = kind;
	while (*list != NULL)
		list = &(*list)->next;
	return *list = p;
}

struct msg_turn *
msg_turn_add(struct arena *a, struct msg_turn **list, enum msg_role role)
{
	struct msg_turn *t = arena_alloc(a, sizeof *t);

	if (t == NULL)
		return NULL;
	t->role = role;
	while (*list != NULL)
		list = &(*list)->next;
	return *list = t;
}

struct msg_tool *
msg_tool_add(struct arena *a, struct msg_tool **list)
{
	struct msg_tool *t = arena_alloc(a, sizeof *t);

	if (t == NULL)
		return NULL;
	while (*list != NULL)
		list = &(*list)->next;
	return *list = t;
}

struct msg_string *
msg_string_add(struct arena *a, struct msg_string **list, struct str s)
{
	struct msg_string *n = arena_alloc(a, sizeof *n);

	if (n == NULL)
		return NULL;
	n->s = s;
	while (*list != NULL)
		list = &(*list)->next;
	return *list = n;
}

struct msg_part *
msg_text_add(struct arena *a, struct msg_part **list, struct str text)
{
	struct msg_part *p = msg_part_add(a, list, MSG_TEXT);

	if (p != NULL)
		p->text = text;
	return p;
}

void
msg_note(struct arena *a, struct msg_notes *n, const char *prefix,
    struct str name)
{
	struct msg_string *s;
	size_t first = strlen(prefix), count = 0, i;
	char p[2 * NOTE_NAME];
	struct str code;

	if (first > NOTE_NAME)
		first = NOTE_NAME;
	if (name.n > NOTE_NAME)
		name.n = NOTE_NAME;
	if (n == NULL)
		return;
	code = str_n(p, first + name.n);
	memcpy(p, prefix, first);
	for (i = 0; i < name.n; i++)
		p[first + i] = name.p[i] > ' ' && name.p[i] < 0x7f &&
		    name.p[i] != ',' ? name.p[i] : '_';
	for (s = n->first; s != NULL; s = s->next)
		if (str_eq(s->s, code) || ++count == MSG_NOTES_MAX)
			return;
	if ((code = arena_copy(a, code)).p != NULL)
		msg_string_add(a, &n->first, code);
}

int
msg_refuse(struct msg_fault *f, const char *param, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->why, sizeof f->why, fmt, ap);
	va_end(ap);
	snprintf(f->param, sizeof f->param, "%s", param);
	return -1;
}

/* What b holds, in the arena; b is done with. */
static struct str
made(struct arena *a, struct buf *b)
{
	struct str s = arena_take(a, b);

	buf_free(b);
	return s;
}

/* Adds the texts of the TEXT parts; sep is a text, too. */
static void
add_joined(struct buf *out, const struct msg_part *parts, struct str sep)
{
	int more = 0;

	for (; parts != NULL; parts = parts->next) {
		if (parts->kind != MSG_TEXT)
			continue;
		if (more)
			buf_addstr(out, sep);
		buf_addstr(out, parts->text);
		more = 1;
	}
}

struct str
msg_document(struct arena *a, struct str title, struct str context,
    const struct msg_part *texts)
{
	struct buf b, raw;

	buf_init(&b, NO_LIMIT);
	buf_init(&raw, NO_LIMIT);
	buf_adds(&b, "<document");
	if (title.p != NULL) {
		buf_addc(&raw, '"');
		buf_addstr(&raw, title);
		buf_addc(&raw, '"');
		buf_adds(&b, " title=");
		if (raw.bad || text_nest(&b, buf_str(&raw)) == -1)
			a->bad = 1;
	}
	buf_adds(&b, ">\\n");
	if (context.p != NULL) {
		buf_adds(&b, "Context: ");
		buf_addstr(&b, context);
		buf_adds(&b, "\\n");
	}
	add_joined(&b, texts, str_of("\\n"));
	buf_adds(&b, "\\n</document>");
	buf_free(&raw);
	return made(a, &b);
}

struct str
msg_join(struct arena *a, const struct msg_part *parts, const char *sep)
{
	const struct msg_part *p, *one = NULL;
	struct buf b;
	int count = 0;

	for (p = parts; p != NULL; p = p->next)
		if (p->kind == MSG_TEXT) {
			one = p;
			count++;
		}
	if (count == 0 || (count == 1 && one->text.n == 0))
		return str_of("");
	if (count == 1)
		return one->text;
	buf_init(&b, NO_LIMIT);
	add_joined(&b, parts, text_of(a, str_of(sep)));
	return made(a, &b);
}

int
msg_has_media(const struct msg_part *parts)
{
	for (; parts != NULL; parts = parts->next)
		if (parts->kind == MSG_IMAGE || parts->kind == MSG_DOC ||
		    parts->kind == MSG_AUDIO)
			return 1;
	return 0;
}

struct msg_tool *
msg_tool_find(const struct msg_request *r, struct str name)
{
	struct msg_tool *t;

	for (t = r->tools; t != NULL; t = t->next)
		if (str_eq(t->name, name))
			return t;
	return NULL;
}

struct str
msg_custom_description(struct arena *a, const struct msg_tool *t)
{
	const struct node *grammar = tree_get(t->format, "grammar");
	struct str syntax, definition;
	struct buf b;

	/* Chat puts them into a member of their own, Responses does not. */
	if (grammar == NULL || grammar->type != JSON_OBJECT)
		grammar = t->format;
	syntax = tree_get_text(grammar, "syntax");
	definition = tree_get_text(grammar, "definition");
	if (definition.p == NULL)
		return t->description;
	buf_init(&b, NO_LIMIT);
	buf_addstr(&b, t->description);
	buf_adds(&b, "\\n\\nThe input must match this ");
	buf_addstr(&b, syntax);
	buf_adds(&b, " grammar:\\n");
	buf_addstr(&b, definition);
	return made(a, &b);
}

struct str
msg_format_hint(struct arena *a, const struct msg_request *r)
{
	struct buf b;

	if (r->format != MSG_FORMAT_SCHEMA || r->schema == NULL)
		return str_of("Respond only with a valid JSON object, without "
		    "any other text.");
	buf_init(&b, NO_LIMIT);
	buf_adds(&b, "Respond only with JSON that conforms to this JSON "
	    "Schema, without any other text:\\n");
	if (text_nest(&b, r->schema->raw) == -1)
		b.bad = 1;
	return made(a, &b);
}

static const char *const efforts[] = {
	"", "none", "minimal", "low", "medium", "high", "xhigh", "max"
};

enum msg_effort
msg_effort_of(struct str plain)
{
	enum msg_effort e;

	for (e = MSG_EFFORT_MAX; e > MSG_EFFORT_UNSET; e--)
		if (str_is(plain, efforts[e]))
			break;
	return e;
}

const char *
msg_effort_name(enum msg_effort e)
{
	return efforts[e];
}

int
msg_data_url(struct arena *a, struct str url, struct str *type,
    struct str *data)
{
	static const char end[] = ";base64";
	const char *comma;
	struct str head;
	char *p;
	size_t i;

	if (url.n == 0 || (comma = memchr(url.p, ',', url.n)) == NULL)
		return -1;
	head = text_plain(a, str_n(url.p, (size_t)(comma - url.p)));
	if (!str_casestarts(head, "data:") || head.n < 5 + sizeof end - 1)
		return -1;
	head = str_n(head.p + 5, head.n - 5 - (sizeof end - 1));
	if (!str_caseis(str_n(head.p + head.n, sizeof end - 1), end))
		return -1;
	/* Parameters such as a charset are nobody's business here. */
	for (i = 0; i < head.n && head.p[i] != ';'; i++)
		;
	head.n = i;
	if (head.n == 0)
		head = str_of("text/plain");	/* RFC 2397 2 */
	if ((p = arena_alloc(a, head.n)) == NULL)
		return -1;
	for (i = 0; i < head.n; i++)
		p[i] = head.p[i] >= 'A' && head.p[i] <= 'Z' ?
		    (char)(head.p[i] + 'a' - 'A') : head.p[i];
	*type = str_n(p, head.n);
	*data = str_n(comma + 1, url.n - (size_t)(comma + 1 - url.p));
	return 0;
}

void
msg_gather_start(struct msg_gather *g, struct arena *a,
    struct msg_notes *notes)
{
	memset(g, 0, sizeof *g);
	g->arena = a;
	g->notes = notes;
	g->usage.input = g->usage.output = -1;
	g->usage.cache_read = g->usage.cache_write = -1;
	g->usage.reasoning = -1;
	buf_init(&g->open, a->max);
}

void
msg_gather_free(struct msg_gather *g)
{
	buf_free(&g->open);
}

/* The choice of that index; made if there is none yet. */
static struct msg_gather_choice *
choice(struct msg_gather *g, unsigned index)
{
	struct msg_gather_choice **at = &g->choices, *c;

	while (*at != NULL && (*at)->index < index)
		at = &(*at)->next;
	if (*at != NULL && (*at)->index == index)
		return *at;
	if ((c = arena_alloc(g->arena, sizeof *c)) == NULL)
		return NULL;
	c->index = index;
	c->part_end = &c->parts;
	c->cite_end = &c->cites;
	c->held_end = &c->held;
	c->next = *at;
	return *at = c;
}

/* Puts aside what is open, so that c can go on. */
static void
switch_to(struct msg_gather *g, struct msg_gather_choice *c)
{
	struct msg_gather_choice *was = g->opener;
	struct msg_string *s;

	if (was != NULL && was != c && g->open.len > 0) {
		s = msg_string_add(g->arena, was->held_end,
		    arena_take(g->arena, &g->open));
		if (s != NULL)
			was->held_end = &s->next;
	}
	g->opener = c;
}

/* All text of the part of c that is open; nothing of it is open any more. */
static struct str
take_text(struct msg_gather *g, struct msg_gather_choice *c)
{
	const struct msg_string *s;
	struct str text;
	struct buf b;

	if (c->held == NULL) {
		if (g->opener == c)
			return arena_take(g->arena, &g->open);
		return str_of("");
	}
	buf_init(&b, g->arena->max);
	for (s = c->held; s != NULL; s = s->next)
		buf_addstr(&b, s->s);
	if (g->opener == c) {
		buf_addstr(&b, buf_str(&g->open));
		buf_clear(&g->open);
	}
	text = made(g->arena, &b);
	c->held = NULL;
	c->held_end = &c->held;
	return text;
}

static void
part_open(struct msg_gather *g, struct msg_gather_choice *c,
    const struct msg_event *e)
{
	struct msg_part *p;

	p = msg_part_add(g->arena, c->part_end, e->part);
	if (p == NULL)
		return;
	c->part_end = &p->next;
	c->part = p;
	p->text = str_of("");
	p->id = arena_copy(g->arena, e->id);
	p->name = arena_copy(g->arena, e->name);
	p->signature = arena_copy(g->arena, e->signature);
	p->data = arena_copy(g->arena, e->data);
	p->custom = e->custom;
}

static void
part_close(struct msg_gather *g, struct msg_gather_choice *c,
    const struct msg_event *e)
{
	struct msg_part *p = c->part;
	int repaired;

	p->text = take_text(g, c);
	c->part = NULL;
	if (p->kind == MSG_THINK)
		p->signature = arena_copy(g->arena, e->signature);
	if (p->kind != MSG_CALL)
		return;
	p->args = text_to_object(g->arena, p->text, &repaired);
	if (repaired)
		msg_note(g->arena, g->notes, "repair:",
		    str_of("tool_arguments"));
}

static void
part_cite(struct msg_gather *g, struct msg_gather_choice *c,
    const struct msg_event *e)
{
	struct msg_cite *cite = arena_alloc(g->arena, sizeof *cite);

	if (cite == NULL)
		return;
	cite->part = c->part;
	cite->url = arena_copy(g->arena, e->url);
	cite->title = arena_copy(g->arena, e->title);
	*c->cite_end = cite;
	c->cite_end = &cite->next;
}

static void
choice_finish(struct msg_gather *g, struct msg_gather_choice *c,
    const struct msg_event *e)
{
	struct arena *a = g->arena;
	struct msg_event *f = &c->finish;

	memset(f, 0, sizeof *f);
	f->kind = MSG_FINISH;
	f->choice = e->choice;
	f->stop = e->stop;
	f->sequence = arena_copy(a, e->sequence);
	f->refusal = arena_copy(a, e->refusal);
	f->logprobs_of = e->logprobs_of;
	if (e->logprobs != NULL)
		f->logprobs = tree_parse(a, arena_copy(a, e->logprobs->raw));
	f->usage = g->usage;
	c->finished = 1;
}

/* Events that are of one choice. */
static void
take_choice(struct msg_gather *g, const struct msg_event *e)
{
	struct msg_gather_choice *c = choice(g, e->choice);

	if (c == NULL)
		return;
	if (e->kind == MSG_FINISH) {
		choice_finish(g, c, e);
	} else if (e->kind == MSG_OPEN) {
		part_open(g, c, e);
	} else if (c->part == NULL) {
		return;
	} else if (e->kind == MSG_DELTA) {
		switch_to(g, c);
		if (buf_addstr(&g->open, e->text) == -1)
			g->arena->bad = 1;
	} else if (e->kind == MSG_CITE) {
		part_cite(g, c, e);
	} else {
		part_close(g, c, e);
	}
}

void
msg_gather_take(void *arg, const struct msg_event *e)
{
	struct msg_gather *g = arg;

	if (g->ended || g->failed)
		return;
	switch (e->kind) {
	case MSG_START:
		g->id = arena_copy(g->arena, e->id);
		g->usage = e->usage;
		break;
	case MSG_USAGE:
		g->usage = e->usage;
		break;
	case MSG_END:
		g->ended = 1;
		break;
	case MSG_ERROR:
		g->failed = 1;
		g->class = e->class;
		g->message = arena_copy(g->arena, e->text);
		break;
	default:
		take_choice(g, e);
	}
}
