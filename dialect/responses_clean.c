#include "dialect/responses_clean.h"

#include <string.h>

#include "dialect/names.h"
#include "dialect/text.h"
#include "json.h"

/* A text with pieces cut out or put in, written as far as pos. */
struct edit {
	struct buf *out;
	struct arena *arena;
	struct str text;
	size_t pos;
	unsigned changed:1;
};

/* Puts s in the place of the bytes from a up to b. */
static void
put(struct edit *e, const char *a, const char *b, struct str s)
{
	size_t from = (size_t)(a - e->text.p);

	if (from < e->pos)
		from = e->pos;	/* a comma that has gone already */
	buf_add(e->out, e->text.p + e->pos, from - e->pos);
	buf_addstr(e->out, s);
	e->pos = (size_t)(b - e->text.p);
	e->changed = 1;
}

static const char *
end_of(const struct node *n)
{
	return n->raw.p + n->raw.n;
}

/* An id that we made: "rs_", the answer's, "_" and a number. */
static int
own_id(struct str id)
{
	size_t n = id.n;

	if (!str_starts(id, "rs_"))
		return 0;
	while (n > 0 && id.p[n - 1] >= '0' && id.p[n - 1] <= '9')
		n--;
	return n < id.n && n > 4 && id.p[n - 1] == '_';
}

/*
 * A reasoning item that OpenAI would refuse.  One without encrypted content
 * is the name of something that it stored, unless it is ours or nameless.
 */
static int
foreign(struct arena *a, const struct node *item)
{
	struct str sealed, id, inside;

	if (!tree_is(tree_get(item, "type"), "reasoning"))
		return 0;
	sealed = text_plain(a, tree_get_text(item, "encrypted_content"));
	if (sealed.n > 0)
		return names_marked(sealed) ||
		    names_open(a, sealed, &inside) != 0;
	id = text_plain(a, tree_get_text(item, "id"));
	return id.n == 0 || own_id(id);
}

/*
 * The id of a call without what it carries.  Others stay as they are: their
 * calls may be known to the service alone.
 */
static void
clean_id(struct edit *e, const struct node *item)
{
	const struct node *n = tree_get(item, "call_id");
	struct str id, carried;
	struct buf b;

	if (n == NULL || n->type != JSON_STRING)
		return;
	id = names_split(e->arena, text_plain(e->arena, tree_text(n)),
	    &carried);
	if (carried.p == NULL)
		return;
	id = names_id(e->arena, id, DIALECT_OPENAI);
	buf_init(&b, 6 * id.n + 2);
	json_write(&b, id);
	put(e, n->raw.p, end_of(n), arena_take(e->arena, &b));
	buf_free(&b);
}

static void
clean_items(struct edit *e, const struct node *list)
{
	const struct node *item, *kept = NULL;

	for (item = list->child; item != NULL; item = item->next) {
		if (!foreign(e->arena, item)) {
			clean_id(e, item);
			kept = item;
		} else if (kept != NULL) {
			/* With the comma before it, and any gap. */
			put(e, end_of(kept), end_of(item), str_n("", 0));
		} else {
			put(e, item->raw.p, item->next != NULL ?
			    item->next->raw.p : end_of(item), str_n("", 0));
		}
	}
}

/*
 * 1 if there may be something to clean: a carrier in an id, or "reasoning"
 * that is no name (as such it is an option of the request).
 */
static int
suspect(struct str text)
{
	static const char carrier[] = "__ts_", word[] = "\"reasoning\"";
	const char *p = text.p, *end = text.p + text.n;

	for (; p < end && (p = memchr(p, '_', (size_t)(end - p))) != NULL; p++)
		if ((size_t)(end - p) >= sizeof carrier - 1 &&
		    memcmp(p, carrier, sizeof carrier - 1) == 0)
			return 1;
	for (p = text.p; p < end &&
	    (p = memchr(p, '"', (size_t)(end - p))) != NULL; p++) {
		if ((size_t)(end - p) < sizeof word ||
		    memcmp(p, word, sizeof word - 1) != 0)
			continue;
		p += sizeof word - 1;
		while (p < end && memchr(" \t\r\n", *p, 4) != NULL)
			p++;
		if (p == end || *p != ':')
			return 1;
	}
	return 0;
}

int
responses_clean(struct buf *out, struct arena *a, struct str text,
    struct str model)
{
	const struct node *body, *list;
	struct edit e;

	(void)model;
	if (text.n == 0 || !suspect(text))
		return 0;
	body = tree_parse(a, text);
	list = tree_get(body, "input");
	if (list == NULL || list->type != JSON_ARRAY)
		return a->bad ? -1 : 0;
	memset(&e, 0, sizeof e);
	e.out = out;
	e.arena = a;
	e.text = text;
	clean_items(&e, list);
	if (e.changed)
		buf_add(out, text.p + e.pos, text.n - e.pos);
	return out->bad || a->bad ? -1 : (int)e.changed;
}
