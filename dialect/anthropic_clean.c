#include "dialect/anthropic_clean.h"

#include <string.h>

#include "base/scan.h"
#include "dialect/names.h"
#include "json.h"

/* A piece of the text that goes, and what comes instead. */
struct edit {
	struct edit *next;
	size_t at, end;
	struct str with;
};

struct edits {
	struct arena *a;
	const char *text;
	struct edit *first, **last;	/* last: where the next is hung */
	int claude;	/* the model is Claude: others sign as they like */
};

static void
edit(struct edits *e, const char *from, const char *to, struct str with)
{
	struct edit *x;

	x = arena_alloc(e->a, sizeof *x);
	if (x == NULL)
		return;
	x->at = (size_t)(from - e->text);
	x->end = (size_t)(to - e->text);
	x->with = with;
	*e->last = x;
	e->last = &x->next;
}

static const char *
end_of(const struct node *n)
{
	return n->raw.p + n->raw.n;
}

/*
 * Takes an element out of its array with one comma: the one before it, if
 * something stays before it, else the one behind.
 */
static void
cut(struct edits *e, const struct node *prev, const struct node *n, int stays)
{
	const char *from, *to;

	from = stays ? end_of(prev) : n->raw.p;
	to = stays || n->next == NULL ? end_of(n) : n->next->raw.p;
	edit(e, from, to, str_n("", 0));
}

/*
 * Thinking that the model did not sign: Claude takes none without a
 * signature, others may have given none.
 */
static int
foreign(const struct edits *e, const struct node *b)
{
	struct str signature;

	if (!tree_is(tree_get(b, "type"), "thinking"))
		return 0;
	signature = tree_get_text(b, "signature");
	return (signature.n == 0 && e->claude) ||
	    names_marked(text_plain(e->a, signature));
}

/* The id of a call as Anthropic takes it, without what it carries. */
static void
clean_id(struct edits *e, const struct node *b)
{
	struct str id, carried, clean;
	const struct node *n;
	struct buf raw;

	if (tree_is(tree_get(b, "type"), "tool_use"))
		n = tree_get(b, "id");
	else if (tree_is(tree_get(b, "type"), "tool_result"))
		n = tree_get(b, "tool_use_id");
	else
		return;
	if (n == NULL || n->type != JSON_STRING)
		return;
	id = text_plain(e->a, tree_text(n));
	clean = names_split(e->a, id, &carried);
	clean = names_id(e->a, clean, DIALECT_ANTHROPIC);
	if (clean.p == NULL || str_eq(id, clean))
		return;
	buf_init(&raw, e->a->max);
	json_write(&raw, clean);
	edit(e, n->raw.p, end_of(n), arena_take(e->a, &raw));
	buf_free(&raw);
}

/* 1 if nothing is left of the content. */
static int
clean_content(struct edits *e, const struct node *content)
{
	const struct node *b, *prev;
	int stays, gone;

	if (content == NULL || content->type != JSON_ARRAY)
		return 0;
	stays = 0;
	gone = 0;
	prev = NULL;
	for (b = content->child; b != NULL; prev = b, b = b->next) {
		if (foreign(e, b)) {
			cut(e, prev, b, stays);
			gone = 1;
		} else {
			clean_id(e, b);
			stays = 1;
		}
	}
	return gone && !stays;
}

static void
clean_messages(struct edits *e, const struct node *list)
{
	const struct node *m, *prev;
	struct edit **mark;
	int stays;

	stays = 0;
	prev = NULL;
	for (m = list->child; m != NULL; prev = m, m = m->next) {
		mark = e->last;
		if (clean_content(e, tree_get(m, "content"))) {
			*mark = NULL;
			e->last = mark;
			cut(e, prev, m, stays);
		} else {
			stays = 1;
		}
	}
}

/* 1 if a message is an answer of tools. */
static int
has_results(const struct node *m)
{
	const struct node *b = tree_get(m, "content");

	for (b = b == NULL ? NULL : b->child; b != NULL; b = b->next)
		if (tree_is(tree_get(b, "type"), "tool_result"))
			return 1;
	return 0;
}

/* 1 if a message calls a tool by an id that is not of Anthropic's making. */
static int
calls_foreign(const struct edits *e, const struct node *m)
{
	const struct node *b = tree_get(m, "content");

	for (b = b == NULL ? NULL : b->child; b != NULL; b = b->next)
		if (tree_is(tree_get(b, "type"), "tool_use") &&
		    !str_starts(text_plain(e->a, tree_get_text(b, "id")),
		    "toolu_"))
			return 1;
	return 0;
}

/*
 * 1 if manual thinking would be refused: in the midst of a tool loop the
 * assistant's turn must begin with a thinking block, and what it began with
 * was another vendor's, which went or never was.  Claude's own later steps
 * of a loop may be without.
 */
static int
thinking_lost(const struct edits *e, const struct node *body,
    const struct node *list)
{
	const struct node *m, *b, *said = NULL, *last = NULL;

	if (!e->claude ||
	    !tree_is(tree_get(tree_get(body, "thinking"), "type"), "enabled"))
		return 0;
	for (m = list->child; m != NULL; m = m->next) {
		last = m;
		if (tree_is(tree_get(m, "role"), "assistant"))
			said = m;
	}
	if (said == NULL || said == last || !has_results(last) ||
	    (e->first == NULL && !calls_foreign(e, said)))
		return 0;
	b = tree_get(said, "content");
	for (b = b == NULL ? NULL : b->child; b != NULL && foreign(e, b);
	    b = b->next)
		;
	return b == NULL || (!tree_is(tree_get(b, "type"), "thinking") &&
	    !tree_is(tree_get(b, "type"), "redacted_thinking"));
}

/*
 * The edits of a request in the order of its text, which has thinking on
 * either side of the messages.
 */
static void
clean_thinking(struct edits *e, const struct node *body)
{
	const struct node *n = tree_get(body, "thinking");
	struct edit **at, **last = e->last;

	edit(e, n->raw.p, end_of(n), str_of("{\"type\":\"disabled\"}"));
	if (e->a->bad)
		return;
	for (at = &e->first; *at != *last && (*at)->at < (*last)->at;
	    at = &(*at)->next)
		;
	if (*at == *last)
		return;
	(*last)->next = *at;
	*at = *last;
	*last = NULL;
	e->last = last;
}

/*
 * The first place of word in text; rare: where its rarest pair of letters
 * stands in it.
 */
static const char *
find(struct str text, const char *word, size_t rare)
{
	size_t i, n = strlen(word);

	for (i = rare; i < text.n; i++) {
		i += scan_pair(text.p + i, text.n - i, word[rare],
		    word[rare + 1]);
		if (i - rare + n <= text.n &&
		    memcmp(text.p + i - rare, word, n) == 0)
			return text.p + i - rare;
	}
	return NULL;
}

/*
 * 1 if there may be something to clean: signatures stand in blocks of type
 * "thinking", ids behind "tool_use" or "tool_use_id".  As a name "thinking"
 * is an option of the request.
 */
static int
suspect(struct str text)
{
	static const char word[] = "\"thinking\"";
	const char *p;
	size_t i;

	if (find(text, "tool_use", 4) != NULL)
		return 1;
	while ((p = find(text, word, 5)) != NULL) {
		i = (size_t)(p - text.p) + sizeof word - 1;
		while (i < text.n && memchr(" \t\r\n", text.p[i], 4) != NULL)
			i++;
		if (i == text.n || text.p[i] != ':')
			return 1;
		text = str_n(text.p + i, text.n - i);
	}
	return 0;
}

int
anthropic_clean(struct buf *out, struct arena *a, struct str text,
    struct str model)
{
	const struct node *body, *list;
	struct edits e;
	struct edit *x;
	size_t at;

	if (!suspect(text))
		return 0;
	body = tree_parse(a, text);
	list = tree_get(body, "messages");
	if (list == NULL || list->type != JSON_ARRAY)
		return a->bad ? -1 : 0;
	e.a = a;
	e.text = text.p;
	e.first = NULL;
	e.last = &e.first;
	e.claude = str_casefind(model, str_of("claude")) != -1;
	clean_messages(&e, list);
	if (!a->bad && thinking_lost(&e, body, list))
		clean_thinking(&e, body);
	if (a->bad)
		return -1;
	if (e.first == NULL)
		return 0;
	at = 0;
	for (x = e.first; x != NULL; x = x->next) {
		buf_add(out, text.p + at, x->at - at);
		buf_addstr(out, x->with);
		at = x->end;
	}
	return buf_add(out, text.p + at, text.n - at) < 0 ? -1 : 1;
}
