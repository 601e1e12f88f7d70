#include "dialect/judge.h"

#include <string.h>

static const char not_json[] = "data that is not JSON";
static const char not_object[] = "data that is not a JSON object";

/* One object on its way through the tokenizer. */
struct reading {
	struct validate *v;
	struct json j;
};

static const char *read_members(struct reading *r,
    const struct judge_field *fields, struct json_value *values,
    unsigned *count);

/* Behind the '[' of an array: judges its elements. */
static const char *
read_list(struct reading *r, const struct judge_list *l, unsigned *count)
{
	struct json_value values[JUDGE_SLOTS];
	enum json_type t;
	const char *fault;
	unsigned members;

	for (*count = 0; (t = json_next(&r->j)) != JSON_CLOSE; ++*count) {
		if (t <= JSON_END)
			return not_json;
		if (t != JSON_OBJECT)
			return l->other;
		memset(values, 0, sizeof values);
		fault = read_members(r, l->fields, values, &members);
		if (fault == NULL)
			fault = l->check(r->v, values, members);
		if (fault != NULL)
			return fault;
	}
	return NULL;
}

static const struct judge_field *
find_field(const struct judge_field *f, struct str key)
{
	size_t i;

	for (; f->name != NULL; f++) {
		for (i = 0; i < key.n && key.p[i] == f->name[i]; i++)
			;
		if (i == key.n ? f->name[i] == '\0' : key.p[i] == '\\' &&
		    json_text_is(key, str_of(f->name)))
			return f;
	}
	return NULL;
}

/* Moves past the value that t begins.  -1: it is broken. */
static int
skip(struct json *j, enum json_type t)
{
	return t == JSON_OBJECT || t == JSON_ARRAY ? json_skip(j) : 0;
}

/* Behind the '{' of an object: takes the values that are asked for. */
static const char *
read_members(struct reading *r, const struct judge_field *fields,
    struct json_value *values, unsigned *count)
{
	const struct judge_field *f;
	const char *fault = NULL;
	struct json_value *v;
	enum json_type t;

	for (*count = 0; (t = json_next(&r->j)) != JSON_CLOSE; ++*count) {
		if (t <= JSON_END)
			return not_json;
		f = find_field(fields, r->j.key);
		if (f == NULL) {
			if (skip(&r->j, t) == -1)
				return not_json;
			continue;
		}
		v = &values[f->slot];
		/* Of two of a name others may believe the first. */
		r->v->quiet &= v->type == JSON_END;
		v->type = t;
		v->count = 0;
		if (t == JSON_OBJECT && f->inside != NULL)
			fault = read_members(r, f->inside, values, &v->count);
		else if (t == JSON_ARRAY && f->each != NULL)
			fault = read_list(r, f->each, &v->count);
		else if (skip(&r->j, t) == -1)
			return not_json;
		else
			v->raw = r->j.raw;
		if (fault != NULL)
			return fault;
	}
	return NULL;
}

const char *
judge_object(struct validate *v, struct str text, const struct judge_field *f,
    struct json_value *values)
{
	struct reading r;
	const char *fault;
	enum json_type t;
	unsigned count;

	r.v = v;
	memset(values, 0, JUDGE_SLOTS * sizeof *values);
	json_start(&r.j, text, 0);
	if ((t = json_next(&r.j)) != JSON_OBJECT)
		return t == JSON_ERROR ? not_json : not_object;
	fault = read_members(&r, f, values, &count);
	if (fault == NULL && json_next(&r.j) != JSON_END)
		fault = not_json;
	return fault;
}

const char *
judge_list(struct validate *v, struct str text, const struct judge_list *l,
    unsigned *count)
{
	struct reading r;
	const char *fault;

	r.v = v;
	*count = 0;
	json_start(&r.j, text, 0);
	if (json_next(&r.j) != JSON_ARRAY)
		return not_json;
	fault = read_list(&r, l, count);
	if (fault == NULL && json_next(&r.j) != JSON_END)
		fault = not_json;
	return fault;
}

struct str
judge_text(const struct json_value *v)
{
	if (v->type != JSON_STRING)
		return str_n("", 0);
	return str_n(v->raw.p + 1, v->raw.n - 2);
}

int
judge_absent(const struct json_value *v)
{
	return v->type == JSON_END || v->type == JSON_NULL;
}

int
judge_optional(const struct json_value *v, enum json_type type)
{
	return judge_absent(v) || v->type == type;
}

int
judge_index(const struct json_value *v, uint64_t *index)
{
	return v->type == JSON_NUMBER ? util_u64(v->raw, UINT32_MAX, index) :
	    -1;
}

int
judge_among(struct str s, const char *const *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_is(s, words[i]))
			return 1;
	return 0;
}

int
judge_empty(const struct json_value *v)
{
	size_t i;

	for (i = 1; i + 1 < v->raw.n; i++)
		if ((unsigned char)v->raw.p[i] > ' ')
			return 0;
	return 1;
}

int
judge_error(const struct json_value *v)
{
	return v->type == JSON_OBJECT || judge_text(v).n > 0;
}

int
judge_choice(const struct json_value *index)
{
	uint64_t i = 0;

	if (judge_absent(index))
		return 0;
	if (judge_index(index, &i) == -1 || i >= JUDGE_CHOICES)
		return -1;
	return (int)i;
}

int
judge_is(const uint64_t *set, int choice)
{
	return (int)(set[choice / 64] >> choice % 64 & 1);
}

void
judge_set(uint64_t *set, int choice)
{
	set[choice / 64] |= (uint64_t)1 << choice % 64;
}

int
judge_finished(const struct validate *v)
{
	uint64_t any = 0;
	size_t i;

	for (i = 0; i < JUDGE_CHOICES / 64; i++) {
		if (v->seen[i] != v->finished[i])
			return 0;
		any |= v->seen[i];
	}
	return any != 0;
}
