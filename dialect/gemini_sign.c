#include "dialect/gemini_sign.h"

#include <string.h>

#include "dialect/gemini_parts.h"
#include "wire/json_tree.h"

#define SIGNED	"\"thoughtSignature\":\"skip_thought_signature_validator\","

/* The request while it is copied, as far as pos. */
struct copy {
	struct buf *out;
	struct str text;
	size_t pos;
	unsigned changed:1;
};

static const struct node *
member(const struct node *n, const char *name)
{
	const struct node *m, *found = NULL;

	if (n == NULL || n->type != JSON_OBJECT)
		return NULL;
	for (m = n->child; m != NULL; m = m->next)
		if (gemini_parts_key_is(m, name))
			found = m;
	return found;
}

static void
sign(struct copy *c, const struct node *part)
{
	size_t at = (size_t)(part->raw.p - c->text.p) + 1;

	buf_add(c->out, c->text.p + c->pos, at - c->pos);
	buf_adds(c->out, SIGNED);
	c->pos = at;
	c->changed = 1;
}

/* Signs the first call of a content; 1 if it has one. */
static int
sign_content(struct copy *c, const struct node *content)
{
	const struct node *parts = member(content, "parts"), *p;

	for (p = parts != NULL && parts->type == JSON_ARRAY ? parts->child :
	    NULL; p != NULL; p = p->next)
		if (member(p, "functionCall") != NULL) {
			if (member(p, "thoughtSignature") == NULL)
				sign(c, p);
			return 1;
		}
	return 0;
}

/* 1 if the text may have a call, in either way to name it. */
static int
suspect(struct str text)
{
	const char *p = text.p, *end = text.p + text.n;

	for (; p < end && (p = memchr(p, 'C', (size_t)(end - p))) != NULL; p++)
		if (p - text.p >= 8 && end - p >= 4 &&
		    memcmp(p - 8, "functionCall", 12) == 0)
			return 1;
	for (p = text.p; p < end &&
	    (p = memchr(p, '_', (size_t)(end - p))) != NULL; p++)
		if (p - text.p >= 8 && end - p >= 5 &&
		    memcmp(p - 8, "function_call", 13) == 0)
			return 1;
	return 0;
}

int
gemini_sign(struct buf *out, struct arena *a, struct str text)
{
	const struct node *body, *inner, *contents, *n;
	struct copy c;
	int called = 0;

	if (text.n == 0 || !suspect(text))
		return 0;
	body = tree_parse(a, text);
	inner = member(body, "generateContentRequest");
	contents = tree_get(inner != NULL ? inner : body, "contents");
	if (contents == NULL || contents->type != JSON_ARRAY)
		return a->bad ? -1 : 0;
	memset(&c, 0, sizeof c);
	c.out = out;
	c.text = text;
	for (n = contents->child; n != NULL; n = n->next)
		/* Google's chat keeps a content for each chunk of a turn. */
		if (!tree_is(tree_get(n, "role"), "model"))
			called = 0;
		else if (!called)
			called = sign_content(&c, n);
	if (c.changed)
		buf_add(out, text.p + c.pos, text.n - c.pos);
	return a->bad || out->bad ? -1 : (int)c.changed;
}
