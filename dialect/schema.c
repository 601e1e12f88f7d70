#include "dialect/schema.h"

#include <string.h>

#include "dialect/emit.h"
#include "dialect/keywords.h"
#include "json.h"

#define STRICT_MAX 5000		/* properties; OpenAI allows no more */

#define N(a) (sizeof (a) / sizeof (a)[0])

struct writer {
	struct emit e;
	struct arena *arena;
};

static void
start(struct writer *w, struct buf *out, struct arena *a)
{
	emit_start(&w->e, out);
	w->arena = a;
}

static int
finish(const struct writer *w)
{
	return w->e.out->bad || w->arena->bad ? -1 : 0;
}

static int
is_object(const struct node *n)
{
	return n != NULL && n->type == JSON_OBJECT;
}

static int
is_array(const struct node *n)
{
	return n != NULL && n->type == JSON_ARRAY;
}

/* The members of an object, each name once with its last value. */
static struct keywords_entry *
members(struct writer *w, const struct node *n)
{
	struct keywords_set set;

	memset(&set, 0, sizeof set);
	keywords_members(w->arena, &set, n, 0);
	return set.head;
}

/* 1 if the name is in the list. */
static int
is_among(struct str name, const char *const list[], size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_is(name, list[i]))
			return 1;
	return 0;
}

/* An object whose members are schemas; each writes one. */
static void
put_map(struct writer *w, const struct node *n,
    void (*each)(struct writer *, const struct node *))
{
	const struct keywords_entry *m;

	emit_open(&w->e, '{');
	for (m = members(w, n); m != NULL; m = m->next) {
		emit_name(&w->e, m->first->key);
		each(w, m->node);
	}
	emit_close(&w->e, '}');
}

/* A schema, or an array of them. */
static void
put_one_or_list(struct writer *w, const struct node *n,
    void (*each)(struct writer *, const struct node *))
{
	const struct node *c;

	if (n->type != JSON_ARRAY) {
		each(w, n);
		return;
	}
	emit_open(&w->e, '[');
	for (c = n->child; c != NULL; c = c->next) {
		emit_element(&w->e);
		each(w, c);
	}
	emit_close(&w->e, ']');
}

/*
 * ---- S-T ----
 */

/* A node as it is; also one that was made of others and has no raw text. */
static void
put_node(struct writer *w, const struct node *n)
{
	const struct node *c;
	int object = n->type == JSON_OBJECT;

	if (n->raw.p != NULL) {
		buf_addstr(w->e.out, n->raw);
		return;
	}
	emit_open(&w->e, object ? '{' : '[');
	for (c = n->child; c != NULL; c = c->next) {
		if (object)
			emit_name(&w->e, c->key);
		else
			emit_element(&w->e);
		put_node(w, c);
	}
	emit_close(&w->e, object ? '}' : ']');
}

static int
is_left_out(enum keyword k)
{
	return k == KW_NOT || k == KW_ENUM || k == KW_SCHEMA ||
	    k == KW_ALL_OF || k == KW_ANY_OF || k == KW_ONE_OF;
}

static void
put_tool_member(struct writer *w, const struct keywords *k,
    const struct keywords_entry *m)
{
	const struct node *n = m->node;
	enum keyword i = keywords_of(m->name);

	if (i != KW_COUNT)
		n = k->at[i];
	if (i == KW_TYPE)
		emit_member(&w->e, "type", str_of("\"object\""));
	if (n == NULL || i == KW_TYPE || is_left_out(i) ||
	    (i == KW_PROPERTIES && !is_object(n)))
		return;
	emit_name(&w->e, m->first->key);
	put_node(w, n);
}

int
schema_tool(struct buf *out, struct arena *a, const struct node *s)
{
	struct keywords_set all;
	struct keywords_entry *m;
	struct keywords_work work;
	struct keywords k;
	struct writer w;

	start(&w, out, a);
	keywords_start(&work, a, s);
	memset(&all, 0, sizeof all);
	work.all = &all;
	keywords_load(&work, &k, s);
	keywords_unite(&work, &k, KW_ALL_OF, 1);
	keywords_unite(&work, &k, KW_ANY_OF, 0);
	keywords_unite(&work, &k, KW_ONE_OF, 0);
	emit_open(&w.e, '{');
	if (keywords_seek(a, &all, str_of("type")) == NULL)
		emit_member(&w.e, "type", str_of("\"object\""));
	for (m = all.head; m != NULL; m = m->next)
		put_tool_member(&w, &k, m);
	if (!is_object(k.at[KW_PROPERTIES])) {
		emit_member(&w.e, "properties", str_of("{}"));
	} else if (keywords_seek(a, &all, str_of("properties")) == NULL) {
		emit_name(&w.e, str_of("properties"));
		put_node(&w, k.at[KW_PROPERTIES]);
	}
	emit_close(&w.e, '}');
	return finish(&w);
}

/*
 * ---- S-J ----
 */

/* A type (text) in lower case. */
static void
put_lower(struct writer *w, struct str text)
{
	size_t i;
	char c;

	buf_addc(w->e.out, '"');
	for (i = 0; i < text.n; i++) {
		c = text.p[i];
		buf_addc(w->e.out, c >= 'A' && c <= 'Z' ?
		    (char)(c - 'A' + 'a') : c);
	}
	buf_addc(w->e.out, '"');
}

/* The value of type; Google's word for "none given" is no type. */
static void
put_json_type(struct writer *w, const struct node *n, int nullable)
{
	const struct node *c = is_array(n) ? n->child : n;
	int null = 0;

	if (c == n && (!tree_text(n).n ||
	    str_is(tree_text(n), "TYPE_UNSPECIFIED")))
		return;
	emit_name(&w->e, str_of("type"));
	if (c == n && !nullable) {
		put_lower(w, tree_text(n));
		return;
	}
	emit_open(&w->e, '[');
	for (; c != NULL; c = c == n ? NULL : c->next) {
		if (c->type != JSON_STRING)
			continue;
		emit_element(&w->e);
		put_lower(w, tree_text(c));
		null |= str_caseis(tree_text(c), "null");
	}
	if (nullable && !null) {
		emit_element(&w->e);
		buf_adds(w->e.out, "\"null\"");
	}
	emit_close(&w->e, ']');
}

/* The number in a string of a bound, as Google writes 64-bit ones. */
static struct str
bound(struct str name, const struct node *n)
{
	struct str text = tree_text(n);
	double d;

	if ((str_starts(name, "min") || str_starts(name, "max")) &&
	    json_double(text, &d) == 0)
		return text;
	return n->raw;
}

static void
to_json(struct writer *w, const struct node *n)
{
	static const char *const dropped[] = {
		"nullable", "propertyOrdering", "example"
	};
	const struct keywords_entry *m;
	int nullable = tree_is_true(n, "nullable");

	if (n->type != JSON_OBJECT) {
		buf_addstr(w->e.out, n->raw);
		return;
	}
	emit_open(&w->e, '{');
	for (m = members(w, n); m != NULL; m = m->next) {
		if (is_among(m->name, dropped, N(dropped)) ||
		    (str_is(m->name, "format") && tree_is(m->node, "enum")))
			continue;
		if (str_is(m->name, "type")) {
			put_json_type(w, m->node, nullable);
			continue;
		}
		emit_name(&w->e, m->first->key);
		if (str_is(m->name, "properties") && is_object(m->node))
			put_map(w, m->node, to_json);
		else if (str_is(m->name, "items") ||
		    str_is(m->name, "anyOf"))
			put_one_or_list(w, m->node, to_json);
		else
			buf_addstr(w->e.out, bound(m->name, m->node));
	}
	emit_close(&w->e, '}');
}

int
schema_json(struct buf *out, struct arena *a, const struct node *s)
{
	struct writer w;

	start(&w, out, a);
	if (s == NULL)
		buf_adds(out, "{}");
	else
		to_json(&w, s);
	return finish(&w);
}

/*
 * ---- S-A ----
 */

/* 1 if the schema is one of an object: it says so, or it has properties. */
static int
is_object_schema(const struct node *n)
{
	const struct node *type = tree_get(n, "type"), *c;

	if (type == NULL)
		return is_object(tree_get(n, "properties")) ||
		    is_object(tree_get(n, "additionalProperties"));
	if (type->type != JSON_ARRAY)
		return tree_is(type, "object");
	for (c = type->child; c != NULL; c = c->next)
		if (tree_is(c, "object"))
			return 1;
	return 0;
}

/* What Anthropic does not take; names that begin so in the second list. */
static int
is_refused(struct str name)
{
	static const char *const whole[] = {
		"$schema", "$id", "$comment", "default", "examples",
		"minimum", "maximum", "multipleOf", "minLength", "maxLength",
		"pattern", "maxItems", "uniqueItems", "minProperties",
		"maxProperties", "patternProperties", "propertyNames", "if",
		"then", "else", "not", "nullable"
	};

	return is_among(name, whole, N(whole)) ||
	    str_starts(name, "exclusive") || str_starts(name, "dependent");
}

/* 1 if the member stays, as far as its value decides. */
static int
is_good_value(struct str name, const struct node *n)
{
	static const char *const formats[] = {
		"date-time", "time", "date", "duration", "email", "hostname",
		"uri", "ipv4", "ipv6", "uuid"
	};
	double d;
	size_t i;

	if (str_is(name, "minItems"))
		return json_double(n->raw, &d) == 0 && d >= 0 && d <= 1 &&
		    (d <= 0 || d >= 1);
	if (!str_is(name, "format"))
		return 1;
	for (i = 0; i < N(formats); i++)
		if (tree_is(n, formats[i]))
			return 1;
	return 0;
}

static void
to_output(struct writer *w, const struct node *n)
{
	static const char *const lists[] = {
		"items", "prefixItems", "anyOf", "allOf"
	};
	static const char *const maps[] = {
		"properties", "$defs", "definitions"
	};
	const struct keywords_entry *m;
	int closed = is_object_schema(n);
	int any_of = tree_get(n, "anyOf") != NULL;

	if (n->type != JSON_OBJECT) {
		buf_addstr(w->e.out, n->raw);
		return;
	}
	emit_open(&w->e, '{');
	for (m = members(w, n); m != NULL; m = m->next) {
		if (is_refused(m->name) || !is_good_value(m->name, m->node) ||
		    (closed && str_is(m->name, "additionalProperties")))
			continue;
		if (str_is(m->name, "oneOf")) {
			/* There is one anyOf only: a looser schema. */
			if (any_of)
				continue;
			emit_name(&w->e, str_of("anyOf"));
			put_one_or_list(w, m->node, to_output);
			continue;
		}
		emit_name(&w->e, m->first->key);
		if (is_among(m->name, lists, N(lists)))
			put_one_or_list(w, m->node, to_output);
		else if (is_object(m->node) &&
		    is_among(m->name, maps, N(maps)))
			put_map(w, m->node, to_output);
		else
			buf_addstr(w->e.out, m->node->raw);
	}
	if (closed)
		emit_member(&w->e, "additionalProperties", str_of("false"));
	emit_close(&w->e, '}');
}

int
schema_output(struct buf *out, struct arena *a, const struct node *s)
{
	struct writer w;

	start(&w, out, a);
	if (s == NULL)
		buf_adds(out, "{}");
	else
		to_output(&w, s);
	return finish(&w);
}

/*
 * ---- S-S ----
 */

/* 1 if the name of a member and a string mean the same. */
static int
is_named(const struct node *member, const struct node *string)
{
	struct str text = tree_text(string);
	struct buf a, b;
	int same;

	if (string->type != JSON_STRING)
		return 0;
	if (memchr(member->key.p, '\\', member->key.n) == NULL &&
	    memchr(text.p, '\\', text.n) == NULL)
		return str_eq(member->key, text);
	buf_init(&a, member->key.n);
	buf_init(&b, text.n);
	/* The quotes of a name stand around it. */
	same = json_unescape(&a, str_n(member->key.p - 1,
	    member->key.n + 2)) == 0 &&
	    json_unescape(&b, string->raw) == 0 &&
	    str_eq(buf_str(&a), buf_str(&b));
	buf_free(&a);
	buf_free(&b);
	return same;
}

/* 1 if each property is required; counts them in *seen. */
static int
all_required(const struct node *s, size_t *seen)
{
	const struct node *properties = tree_get(s, "properties"), *p, *r;
	const struct node *required = tree_get(s, "required");
	size_t n = 0;

	for (r = is_array(required) ? required->child : NULL; r != NULL;
	    r = r->next)
		if (++n > STRICT_MAX)
			return 0;
	if (!is_object(properties))
		return 1;
	for (p = properties->child; p != NULL; p = p->next) {
		if (++*seen > STRICT_MAX)
			return 0;
		for (r = is_array(required) ? required->child : NULL;
		    r != NULL && !is_named(p, r); r = r->next)
			;
		if (r == NULL)
			return 0;
	}
	return 1;
}

static int
is_strict(const struct node *s, size_t *seen)
{
	static const char *const inside[] = {
		"properties", "items", "anyOf", "oneOf", "allOf", "$defs",
		"definitions"
	};
	const struct node *n, *c;
	size_t i;
	int map;

	if (s->type != JSON_OBJECT)
		return 1;
	if (is_object_schema(s) && (!tree_is_false(s,
	    "additionalProperties") || !all_required(s, seen)))
		return 0;
	for (i = 0; i < N(inside); i++) {
		if ((n = tree_get(s, inside[i])) == NULL)
			continue;
		map = i == 0 || i >= 5;
		if (!map && is_object(n) && !is_strict(n, seen))
			return 0;
		if (!is_array(n) && !(map && is_object(n)))
			continue;
		for (c = n->child; c != NULL; c = c->next)
			if (!is_strict(c, seen))
				return 0;
	}
	return 1;
}

int
schema_strict(const struct node *s)
{
	size_t seen = 0;

	return s == NULL || is_strict(s, &seen);
}
