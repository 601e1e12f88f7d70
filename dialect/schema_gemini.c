#include "dialect/schema_gemini.h"

#include <string.h>

#include "dialect/emit.h"
#include "dialect/keywords.h"
#include "dialect/text.h"
#include "json.h"

/* Deeper levels of output become strings: all stays within JSON_DEPTH_MAX. */
#define LEVEL_MAX 480

#define EXACT (9007199254740992.0)	/* 2^53 */

#define N(a) (sizeof (a) / sizeof (a)[0])

struct writer {
	struct emit e;
	struct arena *arena;
	struct keywords_work work;
	unsigned level;			/* open containers */
};

/* In the order in which they are told apart in a mask. */
enum type { STRING, NUMBER, INTEGER, BOOLEAN, OBJECT, ARRAY, TYPES, NONE };

static const char *const types[TYPES] = {
	"STRING", "NUMBER", "INTEGER", "BOOLEAN", "OBJECT", "ARRAY"
};

/* What passes as it is, if it is of that kind. */
static const struct {
	enum type type;
	enum keyword keyword;
	enum json_type kind;
} plain[] = {
	{ STRING, KW_MIN_LENGTH, JSON_NUMBER },
	{ STRING, KW_MAX_LENGTH, JSON_NUMBER },
	{ STRING, KW_PATTERN, JSON_STRING },
	{ NUMBER, KW_MINIMUM, JSON_NUMBER },
	{ NUMBER, KW_MAXIMUM, JSON_NUMBER },
	{ INTEGER, KW_MINIMUM, JSON_NUMBER },
	{ INTEGER, KW_MAXIMUM, JSON_NUMBER },
	{ ARRAY, KW_MIN_ITEMS, JSON_NUMBER },
	{ ARRAY, KW_MAX_ITEMS, JSON_NUMBER },
	{ OBJECT, KW_MIN_PROPERTIES, JSON_NUMBER },
	{ OBJECT, KW_MAX_PROPERTIES, JSON_NUMBER }
};

static const struct {
	enum type type;
	const char *format;
} formats[] = {
	{ STRING, "date-time" }, { INTEGER, "int32" }, { INTEGER, "int64" },
	{ NUMBER, "float" }, { NUMBER, "double" }
};

/* What a schema inherits from the union that it is a branch of. */
struct heritage {
	unsigned nullable:1;
	const struct node *description;	/* NULL: none */
};

static int convert(struct writer *w, const struct node *n,
    const struct heritage *h);

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

static int
has_text(const struct node *n)
{
	return tree_text(n).n > 0;
}

static int
is_null_branch(const struct node *n)
{
	return tree_is(tree_get(n, "type"), "null");
}

/* 1 if the word, in any case, is a type, which is noted; "null": nullable. */
static int
read_type(const struct node *n, enum type *type, unsigned *nullable)
{
	struct str s = tree_text(n);
	int i;

	if (str_caseis(s, "null")) {
		*nullable = 1;
		return 0;
	}
	for (i = 0; i < TYPES; i++)
		if (s.n > 0 && str_caseis(s, types[i])) {
			*type = (enum type)i;
			return 1;
		}
	return 0;
}

/* The types a schema names, each once; unknown ones are passed over. */
static size_t
read_types(const struct node *n, enum type list[TYPES], unsigned *nullable)
{
	unsigned seen = 0;
	size_t count = 0;
	enum type t;

	if (n == NULL)
		return 0;
	if (n->type != JSON_ARRAY) {
		if (read_type(n, &list[0], nullable))
			return 1;
		list[0] = STRING;
		return *nullable;	/* "null" alone is a string */
	}
	for (n = n->child; n != NULL; n = n->next)
		if (read_type(n, &t, nullable) && !(seen >> t & 1)) {
			seen |= 1u << t;
			list[count++] = t;
		}
	return count;
}

static int
is_whole(const struct node *n)
{
	double d;

	if (n->type != JSON_NUMBER || json_double(n->raw, &d) == -1)
		return 0;
	return d >= EXACT || d <= -EXACT || (double)(int64_t)d == d;
}

/* The type that all values of an enum have but null; STRING if mixed. */
static enum type
type_of_enum(const struct node *values)
{
	int whole = 1, numbers = 1, booleans = 1, any = 0;
	const struct node *v;

	for (v = values->child; v != NULL; v = v->next) {
		if (v->type == JSON_NULL)
			continue;
		any = 1;
		whole &= is_whole(v);
		numbers &= v->type == JSON_NUMBER;
		booleans &= v->type == JSON_TRUE || v->type == JSON_FALSE;
	}
	if (!any)
		return STRING;
	return whole ? INTEGER : numbers ? NUMBER : booleans ? BOOLEAN :
	    STRING;
}

/* Rule 6. */
static enum type
infer(const struct keywords *k)
{
	if (is_object(k->at[KW_PROPERTIES]) ||
	    is_object(k->at[KW_ADDITIONAL]))
		return OBJECT;
	if (k->at[KW_ITEMS] != NULL || k->at[KW_PREFIX_ITEMS] != NULL)
		return ARRAY;
	if (is_array(k->at[KW_ENUM]))
		return type_of_enum(k->at[KW_ENUM]);
	return STRING;
}

/* A value as the text of a string. */
static void
put_value_text(struct buf *out, const struct node *v)
{
	if (v->type == JSON_STRING)
		buf_addstr(out, tree_text(v));
	else
		text_nest(out, v->raw);
}

/* Rule 7 for strings. */
static void
put_enum(struct writer *w, const struct node *values)
{
	struct keywords_set seen;
	struct keywords_entry *e;
	const struct node *v;
	struct str text;
	struct buf b;
	unsigned n = 0, written = 0;

	memset(&seen, 0, sizeof seen);
	buf_init(&b, w->e.out->max);
	for (v = values->child; v != NULL; v = v->next) {
		if (v->type == JSON_NULL)
			continue;
		text = tree_text(v);
		if (v->type != JSON_STRING) {
			text_nest(&b, v->raw);
			text = arena_take(w->arena, &b);
		}
		if (text.n == 0)
			continue;
		e = keywords_put(w->arena, &seen, text, v, n++);
		if (e == NULL || e->first != v)
			continue;
		if (written++ == 0) {
			emit_name(&w->e, str_of("enum"));
			emit_open(&w->e, '[');
		}
		emit_element(&w->e);
		buf_addc(w->e.out, '"');
		buf_addstr(w->e.out, text);
		buf_addc(w->e.out, '"');
	}
	if (written > 0)
		emit_close(&w->e, ']');
	buf_free(&b);
}

/* Rules 7 (of numbers) and 11. */
static void
put_description(struct writer *w, const struct keywords *k,
    const struct node *values, const struct heritage *h)
{
	const struct node *d = k->at[KW_DESCRIPTION], *v = NULL;
	const char *sep;

	if (values != NULL)
		for (v = values->child; v != NULL && v->type == JSON_NULL;)
			v = v->next;
	if (!has_text(d))
		d = v == NULL ? h->description : NULL;
	if (!has_text(d) && v == NULL)
		return;
	emit_name(&w->e, str_of("description"));
	buf_addc(w->e.out, '"');
	if (has_text(d))
		buf_addstr(w->e.out, tree_text(d));
	sep = has_text(d) ? " Allowed values: " : "Allowed values: ";
	for (; v != NULL; v = v->next)
		if (v->type != JSON_NULL) {
			buf_adds(w->e.out, sep);
			put_value_text(w->e.out, v);
			sep = ", ";
		}
	buf_addc(w->e.out, '"');
}

/*
 * Rule 8: a bound that is itself excluded.  up: a lower one.  Beyond what a
 * double counts exactly one more or less is nothing.
 */
static void
put_bound(struct writer *w, const struct keywords *k, enum type type, int up)
{
	const struct node *n = k->at[up ? KW_ABOVE : KW_BELOW];
	const struct node *plainly = k->at[up ? KW_MINIMUM : KW_MAXIMUM];
	int64_t i;
	double d;

	if (n == NULL || n->type != JSON_NUMBER ||
	    (plainly != NULL && plainly->type == JSON_NUMBER))
		return;
	emit_name(&w->e, str_of(up ? "minimum" : "maximum"));
	if (type != INTEGER || json_double(n->raw, &d) == -1 ||
	    d >= EXACT || d <= -EXACT) {
		buf_addstr(w->e.out, n->raw);
		return;
	}
	i = (int64_t)d;
	if (up)
		i = (double)i <= d ? i + 1 : i;
	else
		i = (double)i >= d ? i - 1 : i;
	if (i < 0)
		buf_addc(w->e.out, '-');
	buf_addu(w->e.out, (uint64_t)(i < 0 ? -i : i));
}

/* Rule 9: one schema; of several in a tuple any may come. */
static void
put_items(struct writer *w, const struct keywords *k)
{
	static const struct heritage none = { 0, NULL };
	const struct node *n = k->at[KW_PREFIX_ITEMS];
	int list, several;

	if (!is_array(n) || n->child == NULL)
		n = k->at[KW_ITEMS];
	list = is_array(n);
	if (list)
		n = n->child;
	several = list && n != NULL && n->next != NULL;
	emit_name(&w->e, str_of("items"));
	w->level += several ? 3 : 1;
	if (several) {
		emit_open(&w->e, '{');
		emit_name(&w->e, str_of("anyOf"));
		emit_open(&w->e, '[');
		for (; n != NULL; n = n->next) {
			emit_element(&w->e);
			convert(w, n, &none);
		}
		emit_close(&w->e, ']');
		emit_close(&w->e, '}');
	} else {
		convert(w, n, &none);
	}
	w->level -= several ? 3 : 1;
}

static void
put_required(struct writer *w, const struct keywords_set *properties,
    const struct node *required)
{
	struct keywords_entry *e;
	const struct node *n;
	unsigned written = 0;

	if (!is_array(required))
		return;
	for (n = required->child; n != NULL; n = n->next) {
		if (n->type != JSON_STRING)
			continue;
		e = keywords_seek(w->arena, properties, tree_text(n));
		if (e == NULL || e->used)
			continue;
		e->used = 1;
		if (written++ == 0) {
			emit_name(&w->e, str_of("required"));
			emit_open(&w->e, '[');
		}
		emit_element(&w->e);
		buf_addstr(w->e.out, n->raw);
	}
	if (written > 0)
		emit_close(&w->e, ']');
}

/* Rule 10.  1 if there are any properties. */
static int
put_properties(struct writer *w, const struct keywords *k)
{
	static const struct heritage none = { 0, NULL };
	struct keywords_set set;
	struct keywords_entry *e;

	memset(&set, 0, sizeof set);
	keywords_members(w->arena, &set, k->at[KW_PROPERTIES], 0);
	if ((e = set.head) == NULL)
		return 0;
	emit_name(&w->e, str_of("properties"));
	emit_open(&w->e, '{');
	w->level += 2;
	for (; e != NULL; e = e->next) {
		emit_name(&w->e, e->first->key);
		convert(w, e->node, &none);
	}
	w->level -= 2;
	emit_close(&w->e, '}');
	put_required(w, &set, k->at[KW_REQUIRED]);
	return 1;
}

/* Rules 7 to 11.  1 if it is an object with properties. */
static int
put_typed(struct writer *w, const struct keywords *k, enum type type,
    const struct node *values, const struct heritage *h)
{
	const struct node *n;
	int rc = 0;
	size_t i;

	emit_open(&w->e, '{');
	emit_name(&w->e, str_of("type"));
	buf_addc(w->e.out, '"');
	buf_adds(w->e.out, types[type]);
	buf_addc(w->e.out, '"');
	for (i = 0; i < N(formats); i++)
		if (formats[i].type == type &&
		    tree_is(k->at[KW_FORMAT], formats[i].format)) {
			emit_name(&w->e, str_of("format"));
			buf_addstr(w->e.out, k->at[KW_FORMAT]->raw);
		}
	for (i = 0; i < N(plain); i++) {
		n = k->at[plain[i].keyword];
		if (plain[i].type == type && n != NULL &&
		    n->type == plain[i].kind) {
			emit_name(&w->e,
			    str_of(keywords_name(plain[i].keyword)));
			buf_addstr(w->e.out, n->raw);
		}
	}
	if (type == INTEGER || type == NUMBER) {
		put_bound(w, k, type, 1);
		put_bound(w, k, type, 0);
	} else if (type == STRING && values != NULL) {
		put_enum(w, values);
	} else if (type == ARRAY) {
		put_items(w, k);
	} else if (type == OBJECT) {
		rc = put_properties(w, k);
	}
	put_description(w, k, type == INTEGER || type == NUMBER ? values :
	    NULL, h);
	if (h->nullable) {
		emit_member(&w->e, "nullable", str_of("true"));
	}
	emit_close(&w->e, '}');
	return rc;
}

/*
 * Rule 5 and what follows it.  own: a union of the schema's own had a branch
 * of null.
 */
static int
put_schema(struct writer *w, const struct keywords *k,
    const struct heritage *from, unsigned own)
{
	const struct node *values = k->at[KW_ENUM], *v;
	struct heritage h = *from, one;
	enum type list[TYPES];
	unsigned nullable = 0;
	size_t n, i;

	if (!is_array(values))
		values = NULL;
	n = read_types(k->at[KW_TYPE], list, &nullable);
	if (k->at[KW_NULLABLE] != NULL &&
	    k->at[KW_NULLABLE]->type == JSON_TRUE)
		nullable = 1;
	if (n > 1) {
		one.nullable = (nullable | own) & 1;
		one.description = NULL;
		emit_open(&w->e, '{');
		emit_name(&w->e, str_of("anyOf"));
		emit_open(&w->e, '[');
		w->level += 2;
		for (i = 0; i < n; i++) {
			emit_element(&w->e);
			put_typed(w, k, list[i], NULL, &one);
		}
		w->level -= 2;
		emit_close(&w->e, ']');
		emit_close(&w->e, '}');
		return 0;
	}
	for (v = values == NULL ? NULL : values->child; v != NULL; v = v->next)
		if (v->type == JSON_NULL)
			nullable = 1;
	h.nullable |= (nullable | own) & 1;
	return put_typed(w, k, n == 1 ? list[0] : infer(k), values, &h);
}

/* Rule 4, when several branches are left. */
static void
put_union(struct writer *w, const struct keywords *k,
    const struct node *list, unsigned nullable)
{
	struct heritage h;
	const struct node *n;

	h.description = k->at[KW_DESCRIPTION];
	h.nullable = nullable & 1;
	if (k->at[KW_NULLABLE] != NULL &&
	    k->at[KW_NULLABLE]->type == JSON_TRUE)
		h.nullable = 1;
	emit_open(&w->e, '{');
	emit_name(&w->e, str_of("anyOf"));
	emit_open(&w->e, '[');
	w->level += 2;
	for (n = list->child; n != NULL; n = n->next)
		if (!is_null_branch(n)) {
			emit_element(&w->e);
			convert(w, n, &h);
		}
	w->level -= 2;
	emit_close(&w->e, ']');
	emit_close(&w->e, '}');
}

/* Rule 2: only the description is left of a $ref that leads nowhere. */
static void
lose(struct keywords *k)
{
	const struct node *d = k->at[KW_DESCRIPTION];

	memset(k, 0, sizeof *k);
	k->at[KW_DESCRIPTION] = d;
}

/*
 * Rules 2 to 4, until neither $ref, allOf nor a union of one is left.
 * Returns the list of a union of several, else NULL.
 */
static const struct node *
settle(struct writer *w, struct keywords *k, unsigned *nullable)
{
	const struct node *list, *n, *last;
	struct keywords branch;
	enum keyword which;
	size_t left;

	for (;;) {
		if (k->at[KW_REF] != NULL) {
			if (keywords_follow(&w->work, k) == -1)
				lose(k);
			continue;
		}
		keywords_unite(&w->work, k, KW_ALL_OF, 1);
		which = is_array(k->at[KW_ANY_OF]) ? KW_ANY_OF : KW_ONE_OF;
		list = k->at[which];
		if (!is_array(list))
			return NULL;
		last = NULL;
		left = 0;
		for (n = list->child; n != NULL; n = n->next)
			if (is_null_branch(n)) {
				*nullable = 1;
			} else {
				last = n;
				left++;
			}
		if (left > 1)
			return list;
		k->at[which] = NULL;
		keywords_load(&w->work, &branch, last);
		keywords_under(k, &branch);
	}
}

/* const: c is enum: [c]. */
static void
const_to_enum(struct writer *w, struct keywords *k)
{
	struct node *list, *value;

	if (k->at[KW_CONST] == NULL)
		return;
	list = arena_alloc(w->arena, sizeof *list);
	value = arena_alloc(w->arena, sizeof *value);
	if (list == NULL || value == NULL)
		return;
	*value = *k->at[KW_CONST];
	value->next = NULL;
	list->type = JSON_ARRAY;
	list->child = value;
	k->at[KW_ENUM] = list;
}

/* Writes one schema.  1 if it is an object with properties. */
static int
convert(struct writer *w, const struct node *n, const struct heritage *from)
{
	const struct node *list;
	struct keywords k;
	unsigned open = w->work.nopen, mark = w->work.mark, nullable = 0;
	int rc = 0;

	w->work.mark = open;
	keywords_load(&w->work, &k, w->level > LEVEL_MAX ? NULL : n);
	list = settle(w, &k, &nullable);
	if (list != NULL) {
		put_union(w, &k, list, nullable);
	} else {
		const_to_enum(w, &k);
		rc = put_schema(w, &k, from, nullable);
	}
	w->work.nopen = open;
	w->work.mark = mark;
	return rc;
}

static int
put_top(struct writer *w, struct buf *out, struct arena *a,
    const struct node *s)
{
	static const struct heritage none = { 0, NULL };

	emit_start(&w->e, out);
	w->arena = a;
	w->level = 0;
	keywords_start(&w->work, a, s);
	return convert(w, s, &none);
}

int
schema_gemini(struct buf *out, struct arena *a, const struct node *s)
{
	struct writer w;

	put_top(&w, out, a, s);
	return out->bad || a->bad ? -1 : 0;
}

int
schema_gemini_tool(struct buf *out, struct arena *a, const struct node *s)
{
	struct writer w;
	size_t was = out->len;
	int parameters = put_top(&w, out, a, s);

	if (out->bad || a->bad)
		return -1;
	if (!parameters)
		buf_cut(out, was);
	return !parameters;
}
