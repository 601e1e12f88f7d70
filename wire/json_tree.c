#include "wire/json_tree.h"

#include <string.h>

struct level {
	struct node *node;
	struct node **tail;	/* where its next child goes */
};

struct node *
tree_parse(struct arena *a, struct str text)
{
	struct level open[JSON_DEPTH_MAX];
	struct node *top = NULL, **tail = &top, *n;
	enum json_type t;
	struct json j;

	json_start(&j, text, 0);
	while ((t = json_next(&j)) > JSON_END) {
		if (t == JSON_CLOSE) {
			n = open[j.depth].node;
			n->raw.n = (size_t)(j.p + j.pos - n->raw.p);
			tail = j.depth == 0 ? NULL : open[j.depth - 1].tail;
			continue;
		}
		if ((n = arena_alloc(a, sizeof *n)) == NULL)
			return NULL;
		n->type = t;
		n->key = j.key;
		n->raw = j.raw;
		*tail = n;
		tail = &n->next;
		if (t != JSON_OBJECT && t != JSON_ARRAY)
			continue;
		if (j.depth > 1)
			open[j.depth - 2].tail = tail;
		open[j.depth - 1].node = n;
		tail = &n->child;
	}
	return t == JSON_END ? top : NULL;
}

/* json_text_is(), which most names need not be asked. */
static int
is_name(struct str key, struct str want)
{
	if (key.n == want.n)
		return memcmp(key.p, want.p, want.n) == 0;
	return key.n > want.n && (*key.p == *want.p || *key.p == '\\') &&
	    json_text_is(key, want);
}

struct node *
tree_find(const struct node *n, const char *name)
{
	struct node *m, *found = NULL;
	struct str want = str_of(name);

	if (n == NULL || n->type != JSON_OBJECT)
		return NULL;
	for (m = n->child; m != NULL; m = m->next)
		if (is_name(m->key, want))
			found = m;
	return found;
}

struct node *
tree_get(const struct node *n, const char *name)
{
	struct node *m = tree_find(n, name);

	return m == NULL || m->type == JSON_NULL ? NULL : m;
}

struct str
tree_text(const struct node *n)
{
	if (n == NULL || n->type != JSON_STRING)
		return str_n(NULL, 0);
	return str_n(n->raw.p + 1, n->raw.n - 2);
}

struct str
tree_get_text(const struct node *n, const char *name)
{
	return tree_text(tree_get(n, name));
}

struct str
tree_get_number(const struct node *n, const char *name)
{
	const struct node *m = tree_get(n, name);

	return m == NULL || m->type != JSON_NUMBER ? str_n(NULL, 0) : m->raw;
}

int
tree_is_true(const struct node *n, const char *name)
{
	const struct node *m = tree_find(n, name);

	return m != NULL && m->type == JSON_TRUE;
}

int
tree_is_false(const struct node *n, const char *name)
{
	const struct node *m = tree_find(n, name);

	return m != NULL && m->type == JSON_FALSE;
}

int
tree_is(const struct node *n, const char *s)
{
	struct str text = tree_text(n);

	return text.p != NULL && json_text_is(text, str_of(s));
}

int
tree_key_is(const struct node *n, const char *s)
{
	return n != NULL && n->key.p != NULL &&
	    json_text_is(n->key, str_of(s));
}
