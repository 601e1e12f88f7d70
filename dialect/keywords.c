#include "dialect/keywords.h"

#include <string.h>

#include "dialect/text.h"
#include "json.h"

#define DEPTH_MAX 200		/* schemas of allOf inside one another */
#define EXPANDED_MAX 20000	/* nodes seen inside of targets */
#define STEPS_MAX 10000000	/* members passed on the way to them */

static const char *const names[KW_COUNT] = {
	[KW_REF] = "$ref", [KW_ALL_OF] = "allOf", [KW_ANY_OF] = "anyOf",
	[KW_ONE_OF] = "oneOf", [KW_CONST] = "const", [KW_ENUM] = "enum",
	[KW_TYPE] = "type", [KW_FORMAT] = "format",
	[KW_DESCRIPTION] = "description", [KW_NULLABLE] = "nullable",
	[KW_PROPERTIES] = "properties", [KW_REQUIRED] = "required",
	[KW_ADDITIONAL] = "additionalProperties", [KW_ITEMS] = "items",
	[KW_PREFIX_ITEMS] = "prefixItems", [KW_MIN_ITEMS] = "minItems",
	[KW_MAX_ITEMS] = "maxItems", [KW_MIN_LENGTH] = "minLength",
	[KW_MAX_LENGTH] = "maxLength", [KW_PATTERN] = "pattern",
	[KW_MINIMUM] = "minimum", [KW_MAXIMUM] = "maximum",
	[KW_ABOVE] = "exclusiveMinimum", [KW_BELOW] = "exclusiveMaximum",
	[KW_MIN_PROPERTIES] = "minProperties",
	[KW_MAX_PROPERTIES] = "maxProperties", [KW_NOT] = "not",
	[KW_SCHEMA] = "$schema"
};

static const struct node object_type = {
	JSON_STRING, { NULL, 0 }, { "\"object\"", 8 }, NULL, NULL
};

void
keywords_start(struct keywords_work *w, struct arena *a,
    const struct node *root)
{
	memset(w, 0, sizeof *w);
	w->arena = a;
	w->root = root;
}

const char *
keywords_name(enum keyword k)
{
	return names[k];
}

enum keyword
keywords_of(struct str name)
{
	int k;

	for (k = 0; k < KW_COUNT; k++)
		if (str_is(name, names[k]))
			break;
	return (enum keyword)k;
}

/*
 * ---- Sets of names ----
 */

static struct keywords_entry **
slot_of(const struct keywords_set *s, struct str name)
{
	return &s->slots[util_hash(name.p, name.n) & (s->nslots - 1)];
}

/* Twice as many slots.  -1 when out of memory. */
static int
grow(struct arena *a, struct keywords_set *s)
{
	size_t n = s->nslots == 0 ? 16 : s->nslots * 2;
	struct keywords_entry *e, **slots, **slot;

	if ((slots = arena_alloc(a, n * sizeof *slots)) == NULL)
		return -1;
	s->slots = slots;
	s->nslots = n;
	for (e = s->head; e != NULL; e = e->next) {
		slot = slot_of(s, e->name);
		e->chain = *slot;
		*slot = e;
	}
	return 0;
}

static struct keywords_entry *
find(const struct keywords_set *s, struct str name)
{
	struct keywords_entry *e;

	if (s->nslots == 0)
		return NULL;
	for (e = *slot_of(s, name); e != NULL; e = e->chain)
		if (str_eq(e->name, name))
			break;
	return e;
}

struct keywords_entry *
keywords_seek(struct arena *a, const struct keywords_set *s, struct str text)
{
	return find(s, text_plain(a, text));
}

struct keywords_entry *
keywords_put(struct arena *a, struct keywords_set *s, struct str text,
    const struct node *n, unsigned rank)
{
	struct keywords_entry *e, **slot;
	struct str name = text_plain(a, text);

	if (a->bad)
		return NULL;
	if ((e = find(s, name)) != NULL) {
		if (e->rank == rank)
			e->node = n;
		return e;
	}
	if (s->n == s->nslots && grow(a, s) == -1)
		return NULL;
	if ((e = arena_alloc(a, sizeof *e)) == NULL)
		return NULL;
	e->name = name;
	e->first = e->node = n;
	e->rank = rank;
	slot = slot_of(s, name);
	e->chain = *slot;
	*slot = e;
	if (s->head == NULL)
		s->tail = &s->head;
	*s->tail = e;
	s->tail = &e->next;
	s->n++;
	return e;
}

void
keywords_members(struct arena *a, struct keywords_set *s,
    const struct node *n, unsigned rank)
{
	const struct node *c;

	if (n == NULL || n->type != JSON_OBJECT)
		return;
	for (c = n->child; c != NULL; c = c->next)
		keywords_put(a, s, c->key, c, rank);
}

/* A set as an object, or (of strings) an array; NULL when out of memory. */
static const struct node *
set_node(struct arena *a, const struct keywords_set *s, enum json_type type)
{
	struct node *n, *c, **tail;
	const struct keywords_entry *e;

	if ((n = arena_alloc(a, sizeof *n)) == NULL)
		return NULL;
	n->type = type;
	tail = &n->child;
	for (e = s->head; e != NULL; e = e->next) {
		if ((c = arena_alloc(a, sizeof *c)) == NULL)
			return NULL;
		*c = *e->node;
		c->next = NULL;
		*tail = c;
		tail = &c->next;
	}
	return n;
}

/*
 * ---- Keywords ----
 */

void
keywords_load(struct keywords_work *w, struct keywords *k,
    const struct node *n)
{
	const struct node *c;
	enum keyword i;

	memset(k, 0, sizeof *k);
	if (n == NULL || n->type != JSON_OBJECT)
		return;
	w->rank++;
	for (c = n->child; c != NULL; c = c->next) {
		if (w->nopen > 0)
			w->expanded++;
		i = keywords_of(text_plain(w->arena, c->key));
		if (i != KW_COUNT)
			k->at[i] = c->type == JSON_NULL && i != KW_CONST ?
			    NULL : c;
		if (w->all != NULL)
			keywords_put(w->arena, w->all, c->key, c, w->rank);
	}
	if (w->nopen > 0)
		w->expanded++;
}

void
keywords_under(struct keywords *k, const struct keywords *lower)
{
	int i;

	for (i = 0; i < KW_COUNT; i++)
		if (k->at[i] == NULL)
			k->at[i] = lower->at[i];
}

/* The member of that plain name, the last of equal ones; NULL. */
static const struct node *
member(struct keywords_work *w, const struct node *n, struct str name)
{
	const struct node *c, *hit = NULL;

	for (c = n->child; c != NULL; c = c->next) {
		if (++w->steps > STEPS_MAX)
			return NULL;
		if (json_text_is(c->key, name))
			hit = c;
	}
	return hit;
}

static const struct node *
element(struct keywords_work *w, const struct node *n, struct str name)
{
	const struct node *c;
	uint64_t i;

	if (util_u64(name, SIZE_MAX, &i) == -1)
		return NULL;
	for (c = n->child; c != NULL && i > 0; c = c->next, i--)
		if (++w->steps > STEPS_MAX)
			return NULL;
	return c;
}

/* Undoes %xx (RFC 6901, 6) where the digits are there. */
static struct str
unpercent(struct arena *a, struct str s)
{
	struct str out;
	size_t i;
	uint64_t c;
	char *p;

	if (memchr(s.p, '%', s.n) == NULL)
		return s;
	out = arena_copy(a, s);
	if (out.p == NULL)
		return s;
	p = (char *)out.p;
	for (i = 0, out.n = 0; i < s.n; i++) {
		if (s.p[i] == '%' && s.n - i > 2 &&
		    util_hex64(str_n(s.p + i + 1, 2), 255, &c) == 0) {
			p[out.n++] = (char)c;
			i += 2;
		} else {
			p[out.n++] = s.p[i];
		}
	}
	return out;
}

/* Undoes ~1 and ~0 (RFC 6901, 4). */
static struct str
untilde(struct arena *a, struct str s)
{
	struct str out;
	size_t i;
	char *p;

	if (s.n == 0 || memchr(s.p, '~', s.n) == NULL)
		return s;
	out = arena_copy(a, s);
	if (out.p == NULL)
		return s;
	p = (char *)out.p;
	for (i = 0, out.n = 0; i < s.n; i++) {
		if (s.p[i] == '~' && s.n - i > 1 &&
		    (s.p[i + 1] == '0' || s.p[i + 1] == '1'))
			p[out.n++] = s.p[++i] == '0' ? '~' : '/';
		else
			p[out.n++] = s.p[i];
	}
	return out;
}

/* What a plain pointer such as "#/$defs/x" points to; NULL. */
static const struct node *
target(struct keywords_work *w, struct str ref)
{
	const struct node *n = w->root;
	const char *slash;
	struct str name;

	if (ref.n == 0 || ref.p[0] != '#')
		return NULL;
	ref = unpercent(w->arena, str_n(ref.p + 1, ref.n - 1));
	while (n != NULL && ref.n > 0) {
		if (ref.p[0] != '/')
			return NULL;
		ref = str_n(ref.p + 1, ref.n - 1);
		slash = ref.n == 0 ? NULL : memchr(ref.p, '/', ref.n);
		name = str_n(ref.p, slash == NULL ? ref.n :
		    (size_t)(slash - ref.p));
		ref = str_n(ref.p + name.n, ref.n - name.n);
		name = untilde(w->arena, name);
		n = n->type == JSON_OBJECT ? member(w, n, name) :
		    n->type == JSON_ARRAY ? element(w, n, name) : NULL;
	}
	return n;
}

/* k becomes what stands for the thing that it is inside of. */
static void
recur(struct keywords_work *w, struct keywords *k, struct str ref)
{
	static const char words[] = "Recursive reference to ";
	struct node *n;
	struct str text;
	size_t i = ref.n;
	char *p;

	memset(k, 0, sizeof *k);
	k->at[KW_TYPE] = &object_type;
	while (i > 0 && ref.p[i - 1] != '/')
		i--;
	text = text_of(w->arena, str_n(ref.p + i, ref.n - i));
	n = arena_alloc(w->arena, sizeof *n);
	p = arena_alloc(w->arena, text.n + sizeof words + 1);
	if (n == NULL || p == NULL)
		return;
	p[0] = '"';
	memcpy(p + 1, words, sizeof words - 1);
	if (text.n > 0)
		memcpy(p + sizeof words, text.p, text.n);
	p[sizeof words + text.n] = '"';
	n->type = JSON_STRING;
	n->raw = str_n(p, text.n + sizeof words + 1);
	k->at[KW_DESCRIPTION] = n;
}

int
keywords_follow(struct keywords_work *w, struct keywords *k)
{
	const struct node *n = k->at[KW_REF];
	struct keywords lower;
	struct str ref;
	unsigned i;

	k->at[KW_REF] = NULL;
	if (n->type != JSON_STRING || w->expanded > EXPANDED_MAX ||
	    w->steps > STEPS_MAX)
		return -1;
	ref = text_plain(w->arena, tree_text(n));
	n = target(w, ref);
	if (n == NULL || n->type != JSON_OBJECT)
		return -1;
	for (i = 0; i < w->nopen; i++)
		if (w->open[i] == n) {
			recur(w, k, ref);
			return 0;
		}
	if (w->nopen == KEYWORDS_OPEN_MAX)
		return -1;
	w->open[w->nopen++] = n;
	keywords_load(w, &lower, n);
	keywords_under(k, &lower);
	return 0;
}

/* 1 if the $ref of k points to what the schema in hand already holds. */
static int
merged_already(struct keywords_work *w, const struct keywords *k)
{
	const struct node *n = k->at[KW_REF];
	unsigned i;

	if (n->type != JSON_STRING || w->expanded > EXPANDED_MAX ||
	    w->steps > STEPS_MAX)
		return 0;
	n = target(w, text_plain(w->arena, tree_text(n)));
	for (i = w->mark; n != NULL && i < w->nopen; i++)
		if (w->open[i] == n)
			return 1;
	return 0;
}

/* A schema of a list, with what its $ref and allOf bring. */
static void
load_branch(struct keywords_work *w, struct keywords *k, const struct node *n)
{
	memset(k, 0, sizeof *k);
	if (w->depth == DEPTH_MAX)
		return;
	w->depth++;
	keywords_load(w, k, n);
	while (k->at[KW_REF] != NULL)
		if (merged_already(w, k))
			k->at[KW_REF] = NULL;
		else
			keywords_follow(w, k);
	keywords_unite(w, k, KW_ALL_OF, 1);
	w->depth--;
}

static void
add_strings(struct arena *a, struct keywords_set *s, const struct node *n)
{
	const struct node *c;

	if (n == NULL || n->type != JSON_ARRAY)
		return;
	for (c = n->child; c != NULL; c = c->next)
		if (c->type == JSON_STRING)
			keywords_put(a, s, tree_text(c), c, 0);
}

void
keywords_unite(struct keywords_work *w, struct keywords *k,
    enum keyword list, int all)
{
	struct keywords_set properties, required, *was = w->all;
	const struct node *n = k->at[list], *c;
	struct keywords b;
	unsigned rank = 0;

	k->at[list] = NULL;
	if (n == NULL || n->type != JSON_ARRAY)
		return;
	memset(&properties, 0, sizeof properties);
	memset(&required, 0, sizeof required);
	keywords_members(w->arena, &properties, k->at[KW_PROPERTIES], rank);
	add_strings(w->arena, &required, k->at[KW_REQUIRED]);
	if (!all)
		w->all = NULL;
	for (c = n->child; c != NULL; c = c->next) {
		load_branch(w, &b, c);
		keywords_members(w->arena, &properties, b.at[KW_PROPERTIES],
		    ++rank);
		if (all) {
			add_strings(w->arena, &required, b.at[KW_REQUIRED]);
			keywords_under(k, &b);
		}
	}
	w->all = was;
	if (properties.n > 0)
		k->at[KW_PROPERTIES] = set_node(w->arena, &properties,
		    JSON_OBJECT);
	if (all && required.n > 0)
		k->at[KW_REQUIRED] = set_node(w->arena, &required,
		    JSON_ARRAY);
}
