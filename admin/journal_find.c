#include "admin/journal_find.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/journal_file.h"
#include "base/arena.h"
#include "dialect/dialect.h"
#include "json.h"

#define FIND_MEMORY	((size_t)1 << 20)	/* of one request */
#define LINE_COST	256		/* bytes of a search */
#define FIND_LAST	((size_t)1 << 20)	/* where the last line is */

/* ---- lines ---- */

struct line {
	uint64_t number;	/* of its request */
	struct str text;	/* without its line end */
};

struct lines {
	struct buf text;	/* owned */
	struct line *line;	/* owned */
	size_t n;
};

/* 1 if a line begins as records do; the number stands in front. */
static int
number_read(struct str s, uint64_t *number)
{
	static const char front[] = "{\"number\":";
	size_t from = sizeof front - 1, to = from;

	if (!str_starts(s, front))
		return 0;
	while (to < s.n && s.p[to] >= '0' && s.p[to] <= '9')
		to++;
	return util_u64(str_n(s.p + from, to - from), UINT64_MAX,
	    number) == 0;
}

/* Takes the next line off the front of *s. */
static struct str
line_take(struct str *s)
{
	const char *end = memchr(s->p, '\n', s->n);
	struct str l = str_n(s->p, end == NULL ? s->n :
	    (size_t)(end - s->p));

	*s = str_n(s->p + l.n + (end != NULL), s->n - l.n - (end != NULL));
	return l;
}

static void
lines_free(struct lines *l)
{
	buf_free(&l->text);
	free(l->line);
}

static int
lines_read(struct lines *l, const char *dir, const char *day, size_t most)
{
	struct str s, one;
	uint64_t number;
	size_t n = 0;

	memset(l, 0, sizeof *l);
	buf_init(&l->text, 2 * JOURNAL_FIND_MAX);
	if (dir == NULL || journal_file_tail(dir, day, most, &l->text) == -1)
		goto fail;
	for (s = buf_str(&l->text); s.n > 0; n++)
		line_take(&s);
	if ((l->line = malloc((n + 1) * sizeof *l->line)) == NULL)
		goto fail;
	for (s = buf_str(&l->text); s.n > 0; ) {
		one = line_take(&s);
		if (number_read(one, &number)) {
			l->line[l->n].number = number;
			l->line[l->n++].text = one;
		}
	}
	return 0;
fail:
	buf_free(&l->text);
	return -1;
}

/* The greatest number first; of one, as they were written. */
static int
by_number(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? 1 : -1;
	return x->text.p < y->text.p ? -1 : x->text.p > y->text.p;
}

/* ---- one record ---- */

enum {
	TIMESTAMP, REQUEST_ID, ATTEMPT, BACKEND, METHOD, STATUS, DURATION,
	REASON, MODEL, STREAMING, USAGE, OUTCOME, KEY, CLIENT, CLIENT_PATH,
	FIRST_MEMBERS
};

static const char *const names[] = {
	"timestamp", "request_id", "attempt", "backend", "method", "status",
	"duration_ms", "error", "model", "is_streaming", "usage", "outcome",
	"key", "client", "client_path"
};

static const char *const sizes[] = {
	"request_body_size", "response_body_size"
};

/* A line, read; strings live in an arena. */
struct told {
	const char *text[FIRST_MEMBERS];	/* "" none */
	uint64_t status, duration_ms, attempt, request, answer;
	int64_t wall_ms;
	struct json_value usage;
	int stream;
};

static const char *
text_of(struct arena *a, const struct json_value *v)
{
	struct str s;
	struct buf b;

	if (v->type != JSON_STRING)
		return "";
	buf_init(&b, v->raw.n + 1);
	json_unescape(&b, v->raw);
	buf_cstr(&b);
	s = arena_copy(a, str_n(b.len == 0 ? "" : (const char *)b.p + b.off,
	    b.len + 1));
	buf_free(&b);
	return s.p == NULL ? "" : s.p;
}

static uint64_t
number_of(const struct json_value *v)
{
	uint64_t n;

	return v->type == JSON_NUMBER && json_u64(v->raw, &n) == 0 ? n : 0;
}

/* 0, or -1: it is no record. */
static int
told_read(struct told *t, struct arena *a, struct str line)
{
	struct json_value v[FIRST_MEMBERS], size[2];
	const char *why;
	size_t at;
	int i;

	memset(t, 0, sizeof *t);
	if (json_members(line, names, v, FIRST_MEMBERS, &why, &at) == -1 ||
	    json_members(line, sizes, size, 2, &why, &at) == -1)
		return -1;
	for (i = 0; i < FIRST_MEMBERS; i++)
		t->text[i] = text_of(a, &v[i]);
	if (t->text[REQUEST_ID][0] == '\0' ||
	    util_rfc3339(str_of(t->text[TIMESTAMP]), &t->wall_ms) == -1)
		return -1;
	t->attempt = number_of(&v[ATTEMPT]);
	t->status = number_of(&v[STATUS]);
	t->duration_ms = number_of(&v[DURATION]);
	t->stream = v[STREAMING].type == JSON_TRUE;
	t->usage = v[USAGE];
	t->request = number_of(&size[0]);
	t->answer = number_of(&size[1]);
	return a->bad ? -1 : 0;
}

static enum stats_outcome
outcome_of(const char *name)
{
	int o;

	for (o = STATS_GOOD; o <= STATS_SKIPPED; o++)
		if (strcmp(name, stats_outcome_name(
		    (enum stats_outcome)o)) == 0)
			return (enum stats_outcome)o;
	return STATS_FAILED;
}

static int64_t
usage_of(const struct told *t, const char *name)
{
	struct json_value v;
	uint64_t n;

	if (t->usage.type != JSON_OBJECT ||
	    json_get(t->usage.raw, name, &v) == -1 ||
	    v.type != JSON_NUMBER || json_u64(v.raw, &n) == -1 ||
	    n > INT64_MAX)
		return -1;
	return (int64_t)n;
}

/* ---- one request ---- */

static enum dialect
dialect_of(const char *name)
{
	int d;

	for (d = DIALECT_ANTHROPIC; d < DIALECT_ANY; d++)
		if (strcmp(name, dialect_name((enum dialect)d)) == 0)
			break;
	return (enum dialect)d;
}

static struct stats_backend *
backend_make(struct arena *a, const struct told *t)
{
	struct stats_backend *b = t->text[BACKEND][0] == '\0' ? NULL :
	    arena_alloc(a, sizeof *b);
	struct str name;

	if (b == NULL)
		return NULL;
	name = arena_copy(a, str_n(t->text[BACKEND],
	    strlen(t->text[BACKEND]) + 1));
	b->name = (char *)name.p;
	return name.p == NULL ? NULL : b;
}

/* Microseconds from the beginning of a request to a time. */
static uint64_t
since(const struct stats_entry *e, int64_t wall_ms)
{
	return wall_ms > e->wall_ms ? (uint64_t)(wall_ms - e->wall_ms) *
	    1000 : 0;
}

/* The first line of a request: what all of them say. */
static void
entry_begin(struct stats_entry *e, const struct told *t, uint64_t number)
{
	memset(e, 0, sizeof *e);
	e->number = number;
	e->wall_ms = t->wall_ms - (int64_t)t->duration_ms;
	e->id = t->text[REQUEST_ID];
	e->method = t->text[METHOD];
	e->path = t->text[CLIENT_PATH];
	e->model = t->text[MODEL];
	e->key = t->text[KEY];
	e->client = dialect_of(t->text[CLIENT]);
	e->phase = STATS_DONE;
	e->stream = t->stream != 0;
	e->done = 1;
	e->bytes_in = t->request;
}

/* Each line: as far as we know, it is the last one. */
static void
entry_end(struct stats_entry *e, const struct told *t)
{
	e->outcome = outcome_of(t->text[OUTCOME]);
	e->attempts = (unsigned)t->attempt;
	e->ended_us = since(e, t->wall_ms);
	e->usage.input = usage_of(t, "input");
	e->usage.output = usage_of(t, "output");
	e->usage.cache_read = usage_of(t, "cache_read");
	e->usage.cache_write = usage_of(t, "cache_write");
	e->usage.reasoning = usage_of(t, "reasoning");
	e->status = 0;
	e->backend = NULL;
	e->bytes_out = 0;
	if (t->attempt == 0 || (e->outcome != STATS_FAILED &&
	    e->outcome != STATS_LIMITED))
		e->status = (int)t->status;
}

static void
try_add(struct stats_entry *e, struct arena *a, const struct told *t)
{
	struct stats_try **at = &e->tries, *y;
	unsigned n;

	for (n = 0; *at != NULL; at = &(*at)->next)
		n++;
	if (t->attempt == 0 || n >= STATS_TRIES ||
	    (y = arena_alloc(a, sizeof *y)) == NULL)
		return;
	*at = y;
	y->backend = backend_make(a, t);
	y->outcome = e->outcome;
	y->status = (int)t->status;
	y->ended_us = since(e, t->wall_ms);
	y->began_us = since(e, t->wall_ms - (int64_t)t->duration_ms);
	snprintf(y->reason, sizeof y->reason, "%s", t->text[REASON]);
	if (e->status != 0) {
		e->backend = y->backend;
		e->bytes_out = t->answer;
	}
}

/*
 * Makes a request of its lines, of which there are n at most: those of one
 * number and id.  Returns how many these are; e->id NULL: none was a record.
 */
static size_t
entry_make(struct stats_entry *e, struct arena *a, const struct line *l,
    size_t n)
{
	struct told t;
	size_t i;

	memset(e, 0, sizeof *e);
	for (i = 0; i < n && l[i].number == l[0].number; i++) {
		if (told_read(&t, a, l[i].text) == -1)
			continue;
		if (e->id == NULL)
			entry_begin(e, &t, l[i].number);
		else if (strcmp(e->id, t.text[REQUEST_ID]) != 0)
			break;
		entry_end(e, &t);
		try_add(e, a, &t);
	}
	return i;
}

/* ---- looking ---- */

struct journal_search {
	struct lines lines;
	struct arena arena;	/* of the request at hand */
	size_t at;		/* the next line */
};

struct journal_search *
journal_search_new(const char *dir, int64_t wall_ms, uint64_t before)
{
	struct journal_search *s = malloc(sizeof *s);
	char day[RECORD_DAY];

	if (s == NULL)
		return NULL;
	record_day(day, wall_ms);
	if (lines_read(&s->lines, dir, day, JOURNAL_FIND_MAX) == -1) {
		free(s);
		return NULL;
	}
	if (s->lines.n > 0)
		qsort(s->lines.line, s->lines.n, sizeof *s->lines.line,
		    by_number);
	arena_init(&s->arena, FIND_MEMORY);
	for (s->at = 0; before != 0 && s->at < s->lines.n &&
	    s->lines.line[s->at].number >= before; s->at++)
		;
	return s;
}

int
journal_search_step(struct journal_search *s, size_t bytes,
    int (*each)(void *arg, const struct stats_entry *e), void *arg)
{
	const struct line *l = s->lines.line;
	struct stats_entry e;
	size_t n, done = 0;
	int rc = 0;

	while (s->at < s->lines.n && rc == 0 && done < bytes) {
		n = entry_make(&e, &s->arena, l + s->at, s->lines.n - s->at);
		if (e.id != NULL && !s->arena.bad)
			rc = each(arg, &e);
		arena_reset(&s->arena);
		/* A short one takes its time as well. */
		for (; n > 0; n--)
			done += l[s->at++].text.n + LINE_COST;
	}
	if (rc != 0)
		s->at = s->lines.n;
	return s->at < s->lines.n;
}

void
journal_search_free(struct journal_search *s)
{
	if (s == NULL)
		return;
	arena_free(&s->arena);
	lines_free(&s->lines);
	free(s);
}

/* ---- one request's lines ---- */

static int
is_of(struct str line, struct str id)
{
	static const char *const name[] = { "request_id" };
	struct json_value v;
	const char *why;
	struct buf b;
	size_t at;
	int is;

	if (json_members(line, name, &v, 1, &why, &at) == -1 ||
	    v.type != JSON_STRING)
		return 0;
	buf_init(&b, v.raw.n);
	is = json_unescape(&b, v.raw) == 0 && str_eq(buf_str(&b), id);
	buf_free(&b);
	return is;
}

/*
 * 1 if the bytes of id are somewhere in the line: reading it is dear.  An id
 * that is written in another way is looked for in each.
 */
static int
may_hold(struct str line, struct str id)
{
	const char *p = line.p, *end = line.p + line.n;

	if (id.n == 0 || memchr(id.p, '"', id.n) != NULL ||
	    memchr(id.p, '\\', id.n) != NULL ||
	    memchr(id.p, '/', id.n) != NULL)
		return 1;
	while ((size_t)(end - p) >= id.n && (p = memchr(p, *id.p,
	    (size_t)(end - p) - id.n + 1)) != NULL) {
		if (memcmp(p, id.p, id.n) == 0)
			return 1;
		p++;
	}
	return 0;
}

/* Moves the lines of the newest request of that id to the front; how many. */
static size_t
lines_pick(struct lines *l, struct str id)
{
	size_t i, n = 0;
	uint64_t number;

	for (i = l->n; i > 0; i--)
		if (may_hold(l->line[i - 1].text, id) &&
		    is_of(l->line[i - 1].text, id))
			break;
	if (i == 0)
		return 0;
	number = l->line[i - 1].number;
	for (i = 0; i < l->n; i++)
		if (l->line[i].number == number &&
		    is_of(l->line[i].text, id))
			l->line[n++] = l->line[i];
	return n;
}

int
journal_find_id(const char *dir, int64_t wall_ms, struct str id,
    struct buf *out, int (*each)(void *arg, const struct stats_entry *e),
    void *arg)
{
	char day[RECORD_DAY];
	struct stats_entry e;
	struct lines l;
	struct arena a;
	size_t i, n;

	record_day(day, wall_ms);
	if (lines_read(&l, dir, day, JOURNAL_FIND_MAX) == -1)
		return 0;
	n = lines_pick(&l, id);
	for (i = 0; i < n; i++) {
		buf_addc(out, i == 0 ? '[' : ',');
		buf_addstr(out, l.line[i].text);
	}
	if (n > 0)
		buf_addc(out, ']');
	if (n > 0 && each != NULL) {
		arena_init(&a, FIND_MEMORY);
		entry_make(&e, &a, l.line, n);
		if (e.id != NULL && !a.bad)
			each(arg, &e);
		arena_free(&a);
	}
	lines_free(&l);
	return out->bad ? -1 : (int)n;
}

static uint64_t
number_last(const char *dir, const char *day, size_t most)
{
	uint64_t number = 0;
	struct lines l;
	size_t i;

	if (lines_read(&l, dir, day, most) == -1)
		return 0;
	for (i = 0; i < l.n; i++)
		if (l.line[i].number > number)
			number = l.line[i].number;
	lines_free(&l);
	return number;
}

uint64_t
journal_find_number(const char *dir)
{
	char day[RECORD_DAY];
	uint64_t number;

	if (dir == NULL || journal_file_newest(dir, day) == -1)
		return 0;
	/* All of it only where the last lines are long ones. */
	number = number_last(dir, day, FIND_LAST);
	return number != 0 ? number : number_last(dir, day, JOURNAL_FIND_MAX);
}
