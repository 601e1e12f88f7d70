#include "dialect/openai_queue.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"

/* How far the text of a call's arguments is one JSON object. */
enum whole { WHOLE_BEFORE, WHOLE_INSIDE, WHOLE_STRING, WHOLE_ESCAPE,
	WHOLE_DONE, WHOLE_NEVER };

struct openai_part {
	struct openai_part *next;
	enum msg_kind kind;
	struct openai_slot *slot;	/* of a call; it points back */
	struct buf waiting;	/* text that was not told yet */
	char *id, *name;	/* owned; NULL: not known */
	enum whole whole;
	size_t depth;
	unsigned open:1;
	unsigned custom:1;
	unsigned some:1;	/* a piece of arguments came */
};

struct openai_slot {
	struct openai_slot *next;
	uint64_t index;
	char *id;		/* owned: of the call it stands for now */
	struct openai_part *part;	/* NULL: told and gone */
	unsigned used:1;
};

void
openai_queue_start(struct openai_queue *q, const struct msg_sink *sink,
    struct arena *arena, unsigned choice)
{
	memset(q, 0, sizeof *q);
	q->sink = sink;
	q->arena = arena;
	q->choice = choice;
}

static void
part_free(struct openai_part *p)
{
	if (p->slot != NULL && p->slot->part == p)
		p->slot->part = NULL;
	buf_free(&p->waiting);
	free(p->id);
	free(p->name);
	free(p);
}

void
openai_queue_free(struct openai_queue *q)
{
	struct openai_part *p;
	struct openai_slot *s;

	while ((p = q->first) != NULL) {
		q->first = p->next;
		part_free(p);
	}
	while ((s = q->slots) != NULL) {
		q->slots = s->next;
		free(s->id);
		free(s);
	}
	q->last = NULL;
}

static struct openai_part *
add_part(struct openai_queue *q, enum msg_kind kind)
{
	struct openai_part *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->kind = kind;
	buf_init(&p->waiting, OPENAI_WAIT_MAX);
	if (q->last == NULL)
		q->first = p;
	else
		q->last->next = p;
	q->last = p;
	return p;
}

static void
tell(struct openai_queue *q, struct msg_event *e, enum msg_event_kind kind,
    const struct openai_part *p)
{
	e->kind = kind;
	e->choice = q->choice;
	e->part = p->kind;
	q->sink->take(q->sink->arg, e);
}

static void
tell_text(struct openai_queue *q, const struct openai_part *p,
    struct str text)
{
	struct msg_event e;

	if (text.n == 0)
		return;
	memset(&e, 0, sizeof e);
	e.text = text;
	tell(q, &e, MSG_DELTA, p);
}

/* The text of a free-form input as a piece of the text of {"input":".."}. */
static int
tell_input(struct openai_queue *q, const struct openai_part *p,
    struct str text)
{
	struct buf b;
	struct str s;

	if (text.n == 0)
		return 0;
	buf_init(&b, 7 * text.n + 8);
	buf_addc(&b, '"');
	buf_addstr(&b, text);
	buf_addc(&b, '"');
	s = arena_take(q->arena, &b);
	if (!q->arena->bad)
		text_nest(&b, s);
	s = arena_take(q->arena, &b);
	buf_free(&b);
	if (q->arena->bad || s.n < 4)
		return -1;
	/* Without the escaped quotes at both ends. */
	tell_text(q, p, str_n(s.p + 2, s.n - 4));
	return 0;
}

static int
tell_piece(struct openai_queue *q, const struct openai_part *p,
    struct str text)
{
	if (p->custom)
		return tell_input(q, p, text);
	tell_text(q, p, text);
	return 0;
}

/* Opens the first part, if it can be, and tells what waited. */
static int
open_first(struct openai_queue *q)
{
	struct openai_part *p = q->first;
	struct msg_event e;
	int r;

	if (p->open || (p->kind == MSG_CALL && p->name == NULL))
		return 0;
	memset(&e, 0, sizeof e);
	if (p->kind == MSG_CALL) {
		e.id = str_of(p->id);
		e.name = str_of(p->name);
		q->called = 1;
	}
	p->open = 1;
	tell(q, &e, MSG_OPEN, p);
	if (p->custom)
		tell_text(q, p, str_of("{\\\"input\\\":\\\""));
	r = tell_piece(q, p, buf_str(&p->waiting));
	q->waiting -= p->waiting.len;
	buf_free(&p->waiting);
	return r;
}

static void
close_first(struct openai_queue *q)
{
	struct openai_part *p = q->first;
	struct msg_event e;

	if (p->custom)
		tell_text(q, p, str_of("\\\"}"));
	memset(&e, 0, sizeof e);
	if (p->kind == MSG_THINK)
		e.signature = str_of("xl1.o");
	tell(q, &e, MSG_CLOSE, p);
	if ((q->first = p->next) == NULL)
		q->last = NULL;
	part_free(p);
}

/* Rule 4: opens and closes from the front, as far as it goes. */
static int
pump(struct openai_queue *q)
{
	struct openai_part *p;

	while ((p = q->first) != NULL) {
		if (open_first(q) < 0)
			return -1;
		if (!p->open || p->next == NULL)
			break;
		if (p->kind == MSG_CALL && p->whole != WHOLE_DONE)
			break;
		close_first(q);
	}
	return 0;
}

/* A piece for a part: told at once if it is the open one, else it waits. */
static int
add_piece(struct openai_queue *q, struct openai_part *p, struct str text)
{
	if (text.n == 0)
		return 0;
	if (p->open)
		return tell_piece(q, p, text);
	if (text.n > OPENAI_WAIT_MAX - q->waiting ||
	    buf_addstr(&p->waiting, text) < 0)
		return -1;
	q->waiting += text.n;
	return 0;
}

int
openai_queue_text(struct openai_queue *q, enum msg_kind kind,
    struct str text)
{
	struct openai_part *p = q->last;

	if (q->finished || text.n == 0)
		return 0;
	if (kind == MSG_REFUSAL)
		q->refused = 1;
	if ((p == NULL || p->kind != kind) &&
	    (p = add_part(q, kind)) == NULL)
		return -1;
	/* First of all make way, so that nothing is copied in vain. */
	return pump(q) < 0 ? -1 : add_piece(q, p, text);
}

/* One byte of what the arguments mean. */
static void
watch_byte(struct openai_part *p, char c)
{
	int space = c == ' ' || c == '\n' || c == '\r' || c == '\t';

	switch (p->whole) {
	case WHOLE_BEFORE:
		if (c == '{') {
			p->whole = WHOLE_INSIDE;
			p->depth = 1;
		} else if (!space)
			p->whole = WHOLE_NEVER;
		break;
	case WHOLE_INSIDE:
		if (c == '"')
			p->whole = WHOLE_STRING;
		else if (c == '{' || c == '[')
			p->depth++;
		else if ((c == '}' || c == ']') && --p->depth == 0)
			p->whole = WHOLE_DONE;
		break;
	case WHOLE_STRING:
		if (c == '"')
			p->whole = WHOLE_INSIDE;
		else if (c == '\\')
			p->whole = WHOLE_ESCAPE;
		break;
	case WHOLE_ESCAPE:
		p->whole = WHOLE_STRING;
		break;
	case WHOLE_DONE:
		if (!space)
			p->whole = WHOLE_NEVER;
		break;
	case WHOLE_NEVER:
		break;
	}
}

/* The byte that an escape of the text stands for ('x' for many). */
static char
escaped(struct str text, size_t *i)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	unsigned code = 0, k;
	const char *p;
	char c;

	if (++*i >= text.n)
		return 'x';
	c = text.p[*i];
	if ((p = memchr(from, c, 5)) != NULL)
		return to[p - from];
	if (c != 'u' || text.n - *i < 5)
		return c;
	for (k = 0; k < 4; k++)
		code = code << 4 | ((unsigned)json_scan_hex(text.p[++*i]) & 15);
	return code < 0x80 ? (char)code : 'x';
}

/* Follows the nesting of the arguments over their pieces. */
static void
watch(struct openai_part *p, struct str text)
{
	size_t i;

	for (i = 0; i < text.n && p->whole != WHOLE_NEVER; i++)
		watch_byte(p, text.p[i] == '\\' ? escaped(text, &i)
		    : text.p[i]);
}

static struct openai_slot *
slot_of(struct openai_queue *q, uint64_t index)
{
	struct openai_slot *s;

	for (s = q->slots; s != NULL; s = s->next)
		if (s->index == index)
			return s;
	if (q->slots_n == OPENAI_CALLS_MAX ||
	    (s = calloc(1, sizeof *s)) == NULL)
		return NULL;
	q->slots_n++;
	s->index = index;
	s->next = q->slots;
	q->slots = s;
	return s;
}

/* A new call in a slot; what it stood for before stays in the queue. */
static int
begin_call(struct openai_queue *q, struct openai_slot *s, int custom)
{
	struct openai_part *p;

	if (q->calls_n == OPENAI_CALLS_MAX ||
	    (p = add_part(q, MSG_CALL)) == NULL)
		return -1;
	q->calls_n++;
	if (s->part != NULL)
		s->part->slot = NULL;
	free(s->id);
	s->id = NULL;
	s->part = p;
	s->used = 1;
	p->slot = s;
	if (custom) {
		/* Its end is not in its text: the finish tells it. */
		p->custom = 1;
		p->whole = WHOLE_NEVER;
	}
	return 0;
}

/* Rule 3: the first that is not empty stays. */
static int
keep(char **where, struct str s)
{
	if (s.n == 0 || *where != NULL)
		return 0;
	return (*where = str_dup(s)) == NULL ? -1 : 0;
}

int
openai_queue_call(struct openai_queue *q, const struct openai_piece *piece)
{
	struct openai_slot *s;
	struct openai_part *p;
	int fresh;

	if (q->finished)
		return 0;
	if ((s = slot_of(q, piece->index)) == NULL)
		return -1;
	fresh = !s->used;
	if (piece->id.n > 0 && s->id != NULL &&
	    !str_eq(piece->id, str_of(s->id)))
		fresh = 1;
	if (fresh && begin_call(q, s, piece->custom) < 0)
		return -1;
	if (keep(&s->id, piece->id) < 0)
		return -1;
	/* A piece that comes after its call was whole has no place. */
	if ((p = s->part) == NULL)
		return 0;
	if (keep(&p->id, piece->id) < 0 || keep(&p->name, piece->name) < 0)
		return -1;
	p->some |= piece->args.n > 0;
	watch(p, piece->args);
	/* The last one outlives this: only those before it are closed. */
	if (p == q->last && pump(q) < 0)
		return -1;
	return add_piece(q, p, piece->args) < 0 ? -1 : pump(q);
}

int
openai_queue_finish(struct openai_queue *q)
{
	struct openai_part *p;

	if (q->finished)
		return 0;
	q->finished = 1;
	while ((p = q->first) != NULL) {
		if (p->kind == MSG_CALL && p->name == NULL) {
			if (p->id == NULL && !p->some) {
				if ((q->first = p->next) == NULL)
					q->last = NULL;
				part_free(p);
				continue;
			}
			if ((p->name = str_dup(str_of("unknown"))) == NULL)
				return -1;
		}
		if (open_first(q) < 0)
			return -1;
		close_first(q);
	}
	return 0;
}
