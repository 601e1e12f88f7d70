/*
 * Any JSON text as a schema: what comes out is JSON, and Gemini's has no key
 * but those of its Schema type, each with a value of the right kind.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/schema.h"
#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static const struct {
	const char *name;
	enum json_type type;
} keys[] = {
	{ "type", JSON_STRING }, { "format", JSON_STRING },
	{ "description", JSON_STRING }, { "nullable", JSON_TRUE },
	{ "enum", JSON_ARRAY }, { "minItems", JSON_NUMBER },
	{ "maxItems", JSON_NUMBER }, { "minLength", JSON_NUMBER },
	{ "maxLength", JSON_NUMBER }, { "pattern", JSON_STRING },
	{ "minimum", JSON_NUMBER }, { "maximum", JSON_NUMBER },
	{ "minProperties", JSON_NUMBER }, { "maxProperties", JSON_NUMBER },
	{ "properties", JSON_OBJECT }, { "required", JSON_ARRAY },
	{ "items", JSON_OBJECT }, { "anyOf", JSON_ARRAY }
};

static void
check_type(const struct node *type)
{
	static const char *const types[] = {
		"STRING", "NUMBER", "INTEGER", "BOOLEAN", "OBJECT", "ARRAY"
	};
	size_t i;
	int known = 0;

	for (i = 0; i < sizeof types / sizeof types[0]; i++)
		known |= tree_is(type, types[i]);
	must(known);
}

static void
check_gemini(const struct node *s)
{
	const struct node *n, *c, *p;
	size_t i;

	must(s->type == JSON_OBJECT);
	for (n = s->child; n != NULL; n = n->next) {
		for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
			if (tree_key_is(n, keys[i].name))
				break;
		must(i < sizeof keys / sizeof keys[0]);
		must(n->type == keys[i].type);
		for (c = n->next; c != NULL; c = c->next)
			must(!str_eq(c->key, n->key));
	}
	if ((n = tree_get(s, "anyOf")) != NULL) {
		must(s->child->next == NULL && n->child->next != NULL);
		for (c = n->child; c != NULL; c = c->next)
			check_gemini(c);
		return;
	}
	check_type(tree_get(s, "type"));
	if ((n = tree_get(s, "items")) != NULL)
		check_gemini(n);
	must((n != NULL) == tree_is(tree_get(s, "type"), "ARRAY"));
	n = tree_get(s, "properties");
	for (c = n == NULL ? NULL : n->child; c != NULL; c = c->next)
		check_gemini(c);
	n = tree_get(s, "enum");
	for (c = n == NULL ? NULL : n->child; c != NULL; c = c->next)
		must(c->type == JSON_STRING && tree_text(c).n > 0);
	n = tree_get(s, "required");
	for (c = n == NULL ? NULL : n->child; c != NULL; c = c->next) {
		must(c->type == JSON_STRING);
		for (p = c->next; p != NULL; p = p->next)
			must(!str_eq(p->raw, c->raw));
	}
}

/* JSON, but that a new list may stand one level deeper than the input did. */
static void
check_json(struct str text)
{
	const char *why = "";

	must(json_valid(text, &why, NULL) ||
	    strcmp(why, "nested too deeply") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct node *n, *g;
	struct arena a;
	struct buf out;
	size_t was;
	int rc, strict;

	arena_init(&a, 256 << 20);
	buf_init(&out, 64 << 20);
	n = tree_parse(&a, str_n((const char *)data, size));
	if (n == NULL)
		goto out0;
	must(schema_gemini(&out, &a, n) == 0);
	was = out.len;
	g = tree_parse(&a, arena_copy(&a, buf_str(&out)));
	must(g != NULL);
	check_gemini(g);
	rc = schema_gemini_tool(&out, &a, n);
	must(rc == (tree_get(g, "properties") == NULL));
	must(out.len == (rc == 1 ? was : 2 * was));
	buf_clear(&out);
	must(schema_tool(&out, &a, n) == 0);
	check_json(buf_str(&out));
	g = tree_parse(&a, buf_str(&out));
	must(g == NULL || tree_is(tree_get(g, "type"), "object"));
	must(g == NULL || tree_get(g, "properties")->type == JSON_OBJECT);
	buf_clear(&out);
	must(schema_json(&out, &a, n) == 0);
	check_json(buf_str(&out));
	buf_clear(&out);
	must(schema_output(&out, &a, n) == 0);
	check_json(buf_str(&out));
	strict = schema_strict(n);
	must(strict == 0 || strict == 1);
out0:
	buf_free(&out);
	arena_free(&a);
	return 0;
}
