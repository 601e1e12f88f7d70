#include "dialect/models.h"

#include <string.h>

#include "dialect/text.h"
#include "json.h"
#include "wire/json_tree.h"

#define PREFIX "models/"	/* of Gemini's names */

/* A name without Gemini's prefix. */
static struct str
bare(struct str name)
{
	return str_starts(name, PREFIX) ? str_n(name.p + sizeof PREFIX - 1,
	    name.n - (sizeof PREFIX - 1)) : name;
}

static const struct model *
find(const struct models *m, struct str name)
{
	const struct model *i;

	name = bare(name);
	for (i = m->first; i != NULL; i = i->next)
		if (str_eq(i->name, name))
			return i;
	return NULL;
}

/* A new model at the end; NULL if it is there already, or memory ran out. */
static struct model *
add(struct models *m, struct str name)
{
	struct model *new, **at = &m->first;

	name = bare(name);
	if (name.n == 0 || m->n == MODELS_MAX)
		return NULL;
	for (; *at != NULL; at = &(*at)->next)
		if (str_eq((*at)->name, name))
			return NULL;
	if ((new = arena_alloc(m->arena, sizeof *new)) == NULL)
		return NULL;
	new->name = arena_copy(m->arena, name);
	if (new->name.p == NULL)
		return NULL;
	*at = new;
	m->n++;
	return new;
}

/* A copy of a string member, plain; p NULL if it is absent or empty. */
static struct str
member(struct arena *a, const struct node *n, const char *name)
{
	struct str s = tree_get_text(n, name);

	if (s.n == 0)
		return str_n(NULL, 0);
	s = text_plain(a, s);
	return s.p == NULL ? s : arena_copy(a, s);
}

static uint64_t
number(const struct node *n, const char *name)
{
	struct str s = tree_get_number(n, name);
	uint64_t x;

	return s.p != NULL && json_u64(s, &x) == 0 && x < INT64_MAX ? x : 0;
}

/* One entry of a list.  1 if it was new. */
static int
read_one(struct models *m, enum dialect d, const struct node *n)
{
	struct model *new;
	struct str s;
	int64_t ms;

	s = member(m->arena, n, d == DIALECT_GEMINI ? "name" : "id");
	if (s.p == NULL || (new = add(m, s)) == NULL)
		return 0;
	switch (d) {
	case DIALECT_ANTHROPIC:
		new->title = member(m->arena, n, "display_name");
		new->owner = str_of("anthropic");
		s = member(m->arena, n, "created_at");
		if (s.p != NULL && util_rfc3339(s, &ms) == 0 && ms > 0)
			new->created = ms / 1000;
		new->input_limit = number(n, "max_input_tokens");
		new->output_limit = number(n, "max_tokens");
		break;
	case DIALECT_GEMINI:
		new->title = member(m->arena, n, "displayName");
		new->owner = str_of("google");
		new->input_limit = number(n, "inputTokenLimit");
		new->output_limit = number(n, "outputTokenLimit");
		break;
	default:
		new->owner = member(m->arena, n, "owned_by");
		new->created = (int64_t)number(n, "created");
		break;
	}
	return 1;
}

int
models_read(struct models *m, enum dialect d, struct str body)
{
	struct arena a;
	const struct node *n;
	int count = 0;

	arena_init(&a, m->arena->max);
	n = tree_get(tree_parse(&a, body),
	    d == DIALECT_GEMINI ? "models" : "data");
	if (n == NULL || n->type != JSON_ARRAY)
		count = -1;
	else
		for (n = n->child; n != NULL; n = n->next)
			count += read_one(m, d, n);
	arena_free(&a);
	return count;
}

int
models_add(struct models *m, struct str name, const char *owner)
{
	struct model *new = add(m, name);

	if (new == NULL)
		return 0;
	if (owner != NULL)
		new->owner = arena_copy(m->arena, str_of(owner));
	return 1;
}

/* ---- writing ---- */

/* Adds seconds since 1970 as an RFC 3339 time, in quotes. */
static void
write_time(struct buf *out, int64_t s)
{
	int64_t days, day, year;
	unsigned month;

	/* What no year of four digits can hold is not known. */
	if (s < 0 || s >= util_days(10000, 1, 1) * 86400)
		s = 0;
	days = s / 86400;
	year = 1970 + days / 366;
	while (util_days(year + 1, 1, 1) <= days)
		year++;
	for (month = 12; util_days(year, month, 1) > days; month--)
		;
	day = days - util_days(year, month, 1) + 1;
	buf_fmt(out, "\"%04d-%02u-%02dT%02d:%02d:%02dZ\"", (int)year, month,
	    (int)day, (int)(s / 3600 % 24), (int)(s / 60 % 60),
	    (int)(s % 60));
}

/* Adds "models/NAME". */
static void
write_resource(struct buf *out, struct str name)
{
	struct buf quoted;
	struct str s;

	buf_init(&quoted, name.n * 6 + 2);
	json_write(&quoted, name);
	s = buf_str(&quoted);
	if (s.n == 0)
		out->bad = 1;
	else {
		buf_adds(out, "\"" PREFIX);
		buf_add(out, s.p + 1, s.n - 1);
	}
	buf_free(&quoted);
}

static void
write_gemini(struct buf *out, const struct model *m, struct str title)
{
	buf_adds(out, "{\"name\":");
	write_resource(out, m->name);
	buf_adds(out, ",\"displayName\":");
	json_write(out, title);
	if (m->input_limit > 0) {
		buf_adds(out, ",\"inputTokenLimit\":");
		buf_addu(out, m->input_limit);
	}
	if (m->output_limit > 0) {
		buf_adds(out, ",\"outputTokenLimit\":");
		buf_addu(out, m->output_limit);
	}
	buf_adds(out, ",\"supportedGenerationMethods\":[\"generateContent\","
	    "\"streamGenerateContent\",\"countTokens\"]}");
}

static void
write_model(struct buf *out, const struct model *m, enum dialect d)
{
	struct str title = m->title.n > 0 ? m->title : m->name;

	switch (d) {
	case DIALECT_ANTHROPIC:
		buf_adds(out, "{\"type\":\"model\",\"id\":");
		json_write(out, m->name);
		buf_adds(out, ",\"display_name\":");
		json_write(out, title);
		buf_adds(out, ",\"created_at\":");
		write_time(out, m->created);
		buf_adds(out, "}");
		break;
	case DIALECT_GEMINI:
		write_gemini(out, m, title);
		break;
	default:
		buf_adds(out, "{\"id\":");
		json_write(out, m->name);
		buf_adds(out, ",\"object\":\"model\",\"created\":");
		buf_addu(out, (uint64_t)m->created);
		buf_adds(out, ",\"owned_by\":");
		json_write(out, m->owner.n > 0 ? m->owner :
		    str_of("unknown"));
		buf_adds(out, "}");
		break;
	}
}

/* Adds the id that a page of Anthropic's begins or ends with. */
static void
write_edge(struct buf *out, const char *name, const struct model *m)
{
	buf_adds(out, name);
	if (m == NULL)
		buf_adds(out, "null");
	else
		json_write(out, m->name);
}

int
models_write(struct buf *out, const struct models *m, enum dialect d)
{
	const struct model *i, *last = NULL;

	if (d == DIALECT_GEMINI)
		buf_adds(out, "{\"models\":[");
	else if (d == DIALECT_ANTHROPIC)
		buf_adds(out, "{\"data\":[");
	else
		buf_adds(out, "{\"object\":\"list\",\"data\":[");
	for (i = m->first; i != NULL; i = i->next) {
		if (last != NULL)
			buf_adds(out, ",");
		write_model(out, i, d);
		last = i;
	}
	buf_adds(out, "]");
	if (d == DIALECT_ANTHROPIC) {
		buf_adds(out, ",\"has_more\":false");
		write_edge(out, ",\"first_id\":", m->first);
		write_edge(out, ",\"last_id\":", last);
	}
	buf_adds(out, "}");
	return out->bad ? -1 : 0;
}

int
models_write_one(struct buf *out, const struct models *m, enum dialect d,
    struct str name)
{
	const struct model *found = find(m, name);

	if (found == NULL)
		return -1;
	write_model(out, found, d);
	return out->bad ? -1 : 0;
}
