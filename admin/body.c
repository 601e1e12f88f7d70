#include "admin/body.h"

#include <stdio.h>

#include "admin/say.h"

static struct node *
bad(struct web_request *r, const char *message, const char *field)
{
	say_error(r, 400, message, field);
	return NULL;
}

struct str
body_text(struct arena *a, const struct node *n)
{
	struct str s = { NULL, 0 };
	struct buf b;

	if (n == NULL || n->type != JSON_STRING)
		return s;
	buf_init(&b, n->raw.n);
	if (json_unescape(&b, n->raw) == 0)
		s = arena_copy(a, buf_str(&b));
	buf_wipe(&b);
	return s;
}

/* 1 if two members have the same name. */
static int
same_name(const struct node *a, const struct node *b)
{
	struct buf name;
	int is = 0;

	buf_init(&name, a->key.n + 2);
	if (json_unescape(&name, str_n(a->key.p - 1, a->key.n + 2)) == 0)
		is = json_text_is(b->key, buf_str(&name));
	buf_free(&name);
	return is;
}

/* 1 if it is all well-formed. */
static int
is_utf8(struct str s)
{
	size_t i = 0;
	int n;

	while (i < s.n) {
		if ((n = json_scan_utf8(s.p + i, s.n - i)) < 0)
			return 0;
		i += (size_t)n;
	}
	return 1;
}

struct node *
body_object(struct arena *a, struct web_request *r, struct str body)
{
	struct node *top = tree_parse(a, body), *m, *o;
	const char *why = "";
	char message[200];
	unsigned n = 0, line, column;
	size_t at = 0;

	if (top == NULL && a->bad)
		return bad(r, "the body is too large, or out of memory", NULL);
	if (top == NULL) {
		json_valid(body, &why, &at);
		json_line(body, at, &line, &column);
		snprintf(message, sizeof message, "the body is not valid JSON: "
		    "%s (line %u, column %u)", why, line, column);
		return bad(r, message, NULL);
	}
	if (!is_utf8(body))
		return bad(r, "the body is not UTF-8", NULL);
	if (top->type != JSON_OBJECT)
		return bad(r, "the body must be a JSON object", NULL);
	for (m = top->child; m != NULL; m = m->next) {
		if (++n > BODY_MEMBERS)
			return bad(r, "the body has too many members", NULL);
		for (o = top->child; o != m; o = o->next)
			if (same_name(o, m))
				return bad(r, "the body has a member twice",
				    NULL);
	}
	return top;
}

struct node *
body_member(struct arena *a, struct web_request *r, struct str body,
    const char *name, enum json_type type)
{
	struct node *top = body_object(a, r, body), *m;
	char message[100];

	if (top == NULL)
		return NULL;
	m = top->child;
	if (m == NULL || m->next != NULL || !tree_key_is(m, name) ||
	    m->type != type) {
		snprintf(message, sizeof message, "the body must have \"%s\", "
		    "%s, and nothing else", name, type == JSON_ARRAY ?
		    "a list" : "a string");
		return bad(r, message, name);
	}
	return m;
}

struct str
body_raw(struct str object, struct str name)
{
	struct str found = { NULL, 0 };
	enum json_type t;
	struct json j;

	json_start(&j, object, JSON_COMMENTS);
	if (json_next(&j) != JSON_OBJECT)
		return found;
	while ((t = json_next(&j)) > JSON_END && t != JSON_CLOSE) {
		if (json_skip(&j) == -1)
			break;
		if (json_text_is(j.key, name))
			found = j.raw;
	}
	return found;
}
