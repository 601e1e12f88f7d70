#include "wire/json_tree.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define N(a) (sizeof(a) / sizeof *(a))

static struct arena a;

/* An outline of a tree: types as letters, keys, strings and numbers. */
static void
outline(struct buf *out, const struct node *n)
{
	static const char letters[] = "?oa?snTFN";

	for (; n != NULL; n = n->next) {
		if (n->key.p != NULL) {
			buf_addstr(out, n->key);
			buf_addc(out, '=');
		}
		buf_addc(out, letters[n->type]);
		if (n->type == JSON_STRING)
			buf_addstr(out, tree_text(n));
		if (n->type == JSON_NUMBER)
			buf_addstr(out, n->raw);
		if (n->type == JSON_OBJECT || n->type == JSON_ARRAY) {
			buf_addc(out, '(');
			outline(out, n->child);
			buf_addc(out, ')');
		}
		if (n->next != NULL)
			buf_addc(out, ',');
	}
}

static void
t_shapes(void)
{
	static const struct {
		const char *text, *want;	/* NULL: no tree */
	} cases[] = {
		{ "1", "n1" },
		{ " \"a\\n\" ", "sa\\n" },
		{ "null", "N" },
		{ "[]", "a()" },
		{ "{}", "o()" },
		{ "[true,false,null]", "a(T,F,N)" },
		{ "{\"a\":1,\"b\":[2,{\"c\":\"d\"}],\"e\":{}}",
		    "o(a=n1,b=a(n2,o(c=sd)),e=o())" },
		{ "[[[]],[],{\"\":[[]]}]", "a(a(a()),a(),o(=a(a())))" },
		{ " { \"a\" : [ 1 , 2 ] , \"b\" : 3 } ",
		    "o(a=a(n1,n2),b=n3)" },
		{ "{\"a\":1,\"a\":2}", "o(a=n1,a=n2)" },
		{ "[1.0,12345678901234567890]",
		    "a(n1.0,n12345678901234567890)" },
		{ "", NULL },
		{ " ", NULL },
		{ "[", NULL },
		{ "[1", NULL },
		{ "[1,]", NULL },
		{ "{\"a\":1", NULL },
		{ "{\"a\"}", NULL },
		{ "[]]", NULL },
		{ "{} x", NULL },
		{ "[1}", NULL },
		{ "\"a", NULL },
		{ "1 2", NULL },
		{ "// c\n1", NULL }
	};
	struct buf b;
	struct node *n;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		n = tree_parse(&a, str_of(cases[i].text));
		T_OK((n != NULL) == (cases[i].want != NULL) && !a.bad, "%s",
		    cases[i].text);
		if (n == NULL || cases[i].want == NULL)
			continue;
		buf_init(&b, 4096);
		outline(&b, n);
		T_OK(str_is(buf_str(&b), cases[i].want), "%s: %s",
		    cases[i].text, buf_cstr(&b));
		buf_free(&b);
		arena_reset(&a);
	}
}

/* The raw text of a container is the whole of it. */
static void
t_raw(void)
{
	static const char text[] =
	    " {\"a\" : [ 1, {\"b\":2 } ] ,\"c\":{ },\"s\":\"x\"} ";
	const struct node *n = tree_parse(&a, str_of(text)), *m;

	T_OK(n != NULL && n->raw.n == sizeof text - 3 && n->raw.p[0] == '{' &&
	    n->raw.p == text + 1, "top");
	m = tree_get(n, "a");
	T_OK(m != NULL && str_is(m->raw, "[ 1, {\"b\":2 } ]"), "array");
	T_OK(m != NULL && m->key.p != NULL && str_is(m->key, "a"), "key");
	m = m == NULL ? NULL : m->child->next;
	T_OK(m != NULL && str_is(m->raw, "{\"b\":2 }"), "in an array");
	T_OK(m != NULL && m->key.p == NULL && m->next == NULL, "no key");
	T_OK(m != NULL && m->child->key.n == 1, "a member");
	m = tree_get(n, "c");
	T_OK(m != NULL && str_is(m->raw, "{ }") && m->child == NULL, "empty");
	m = tree_get(n, "s");
	T_OK(m != NULL && str_is(m->raw, "\"x\""), "with quotes");
}

static void
t_get(void)
{
	const struct node *n = tree_parse(&a, str_of("{\"one\":1,\"nul\":null,"
	    "\"s\":\"a\\u0062\\\"\",\"mod\\u0065l\":\"m\",\"twice\":1,"
	    "\"twice\":2,\"yes\":true,\"no\":false,\"\":\"empty\","
	    "\"gone\":3,\"gone\":null,\"e\":\"\"}"));
	const struct node *m;
	struct str s;

	T_OK(n != NULL, "parsed");
	m = tree_get(n, "one");
	T_OK(m != NULL && m->type == JSON_NUMBER, "one");
	T_OK(tree_get(n, "On") == NULL && tree_get(n, "on") == NULL &&
	    tree_get(n, "onee") == NULL, "exact names");
	T_OK(tree_get(n, "nul") == NULL, "null is absent");
	T_OK(tree_find(n, "nul") != NULL, "unless it is looked for");
	T_OK(str_is(tree_get_text(n, "model"), "m"), "an escaped name");
	T_OK(str_is(tree_get_number(n, "twice"), "2"), "the last one counts");
	T_OK(tree_get(n, "gone") == NULL, "even if it is null");
	T_OK(str_is(tree_get_text(n, ""), "empty"), "an empty name");
	s = tree_get_text(n, "e");
	T_OK(s.p != NULL && s.n == 0, "an empty string is there");
	T_OK(str_is(tree_get_text(n, "s"), "a\\u0062\\\""), "still escaped");
	T_OK(tree_is(tree_get(n, "s"), "ab\"") && !tree_is(tree_get(n, "s"),
	    "ab"), "compared by what it means");
	s = tree_get_text(n, "one");
	T_OK(s.p == NULL, "no string");
	s = tree_get_text(n, "absent");
	T_OK(s.p == NULL, "no member");
	s = tree_get_number(n, "s");
	T_OK(s.p == NULL, "no number");
	T_OK(tree_is_true(n, "yes") && !tree_is_true(n, "no") &&
	    !tree_is_true(n, "one") && !tree_is_true(n, "absent"), "true");
	T_OK(tree_is_false(n, "no") && !tree_is_false(n, "yes") &&
	    !tree_is_false(n, "nul") && !tree_is_false(n, "absent"), "false");
	T_OK(tree_key_is(tree_get(n, "model"), "model") &&
	    !tree_key_is(tree_get(n, "one"), "model") &&
	    !tree_key_is(n, "") && !tree_key_is(NULL, ""), "keys");
	m = tree_get(n, "one");
	T_OK(tree_get(m, "x") == NULL && tree_find(NULL, "x") == NULL,
	    "no object");
	s = tree_text(NULL);
	T_OK(s.p == NULL && !tree_is(NULL, "") && !tree_is(n, ""), "nothing");
}

static struct str
nest(char *p, const char *head, const char *tail, size_t n)
{
	size_t h = strlen(head), t = strlen(tail), i;

	for (i = 0; i < n; i++)
		memcpy(p + i * h, head, h);
	for (i = 0; i < n; i++)
		memcpy(p + n * h + i * t, tail, t);
	return str_n(p, n * (h + t));
}

static void
t_depth(void)
{
	static char p[200000];
	const struct node *n;
	unsigned depth = 0;

	n = tree_parse(&a, nest(p, "[", "]", JSON_DEPTH_MAX));
	T_OK(n != NULL, "at the limit");
	for (; n != NULL; n = n->child, depth++)
		T_OK(n->raw.n == 2 * (size_t)(JSON_DEPTH_MAX - depth) &&
		    n->next == NULL, "depth %u", depth);
	T_OK(depth == JSON_DEPTH_MAX, "%u deep", depth);
	T_OK(tree_parse(&a, nest(p, "[", "]", JSON_DEPTH_MAX + 1)) == NULL,
	    "above the limit");
	T_OK(tree_parse(&a, nest(p, "{\"a\":[", "]}", JSON_DEPTH_MAX / 2)) !=
	    NULL, "both kinds");
	T_OK(tree_parse(&a, nest(p, "{\"a\":[", "]}", JSON_DEPTH_MAX / 2 + 1))
	    == NULL, "both kinds above it");
	T_OK(tree_parse(&a, nest(p, "[", "", 100000)) == NULL, "open");
	T_OK(!a.bad, "no memory was short");
}

static void
t_memory(void)
{
	static const char text[] = "{\"a\":[1,2,{\"b\":\"c\"}],\"d\":null}";
	struct arena tight;
	size_t max;
	struct node *n = NULL;

	for (max = 0; max < 4096 && n == NULL; max++) {
		arena_init(&tight, max);
		n = tree_parse(&tight, str_of(text));
		if (n == NULL)
			T_OK(tight.bad, "%zu bytes", max);
		arena_free(&tight);
	}
	T_OK(n != NULL && max > 7 * sizeof *n, "at last: %zu", max);
}

int
main(void)
{
	arena_init(&a, (size_t)1 << 24);
	t_shapes();
	t_raw();
	t_get();
	t_depth();
	arena_free(&a);
	t_memory();
	T_OK(buf_live() == 0, "leaked");
	return t_end();
}
