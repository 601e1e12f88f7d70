#include "conf/edit.h"

#include <stdlib.h>

#include "json.h"

/*
 * A container's text is taken apart into its entries, each with the comments
 * that belong to it, and the gaps between them.  A change is a new sequence
 * of both; nothing is written anew but what is new.
 *
 *	gap  head value tail , back  gap  head value tail , back  gap
 *
 * head: comments in the lines directly above, or before it in its own line.
 * tail, back: the comments behind it in its line, before and after the
 * comma.  A comment behind the opening bracket in its line is the list's.
 */

#define PARTS	4

struct entry {
	struct str head, value, tail, back;
};

/* Between two entries, or an entry and a bracket. */
struct gap {
	struct str before;		/* the comma */
	struct str after[PARTS];
	unsigned comma:1;
};

/* Where an entry stands: its name, if it is a member, and its value. */
struct span {
	struct str name;		/* raw, without quotes */
	size_t begin, from, to;		/* from: the value */
};

/* A container in the text. */
struct list {
	struct str text;
	const char *eol;
	size_t open, close;		/* behind the one bracket, at the
					   other */
	struct span *at;		/* owned */
	size_t n, room;
};

/* The pieces of the new text: n entries, n + 1 gaps. */
struct plan {
	struct entry *e;		/* owned */
	struct gap *g;			/* owned */
	size_t n;
};

static const char no_list[] = "there is no list of backends in the file";
static const char no_place[] = "there is no backend at that place";
static const char no_order[] = "the order does not name each backend once";
static const char no_memory[] = "out of memory";
static const char no_room[] = "the text would be too long";

/* ---- what stands between tokens ---- */

enum trivia { T_END, T_BLANK, T_LINE, T_COMMENT, T_OPEN, T_COMMA };

/*
 * What begins at *i, and moves past it.  T_LINE: one end of a line;
 * T_OPEN: a comment that ends with its line (the end of it comes next).
 */
static enum trivia
trivia(struct str s, size_t *i)
{
	size_t k = *i;

	if (k >= s.n)
		return T_END;
	if (s.p[k] == '\n' || s.p[k] == '\r') {
		*i = k + (s.p[k] == '\r' && k + 1 < s.n &&
		    s.p[k + 1] == '\n' ? 2 : 1);
		return T_LINE;
	}
	if (s.p[k] != '/') {
		*i = k + 1;
		return s.p[k] == ',' ? T_COMMA : T_BLANK;
	}
	if (k + 1 < s.n && s.p[k + 1] == '/') {
		while (k < s.n && s.p[k] != '\n' && s.p[k] != '\r')
			k++;
		*i = k;
		return T_OPEN;
	}
	for (k += 2; k + 1 < s.n && (s.p[k] != '*' || s.p[k + 1] != '/'); k++)
		;
	*i = k + 1 < s.n ? k + 2 : s.n;
	return T_COMMENT;
}

static struct str
cut(struct str s, size_t from, size_t to)
{
	return s.n == 0 ? s : str_n(s.p + from, to - from);
}

/* Where the comma is; s.n if there is none. */
static size_t
comma_in(struct str s)
{
	size_t i = 0, at = 0;
	enum trivia t;

	while ((t = trivia(s, &i)) != T_END && t != T_COMMA)
		at = i;
	return at;
}

static int
has(struct str s, enum trivia a, enum trivia b)
{
	enum trivia t;
	size_t i = 0;

	while ((t = trivia(s, &i)) != T_END)
		if (t == a || t == b)
			return 1;
	return 0;
}

static int
has_line(struct str s)
{
	return has(s, T_LINE, T_LINE);
}

static int
has_comment(struct str s)
{
	return has(s, T_COMMENT, T_OPEN);
}

/* The end of the last comment in s, or in its first line alone. */
static size_t
comments_end(struct str s, int first_line)
{
	size_t i = 0, end = 0;
	enum trivia t;

	while ((t = trivia(s, &i)) != T_END && !(first_line && t == T_LINE))
		if (t == T_COMMENT || t == T_OPEN)
			end = i;
	return end;
}

/* Where the comments begin that no empty line parts from the end of s. */
static size_t
head_in(struct str s)
{
	size_t i = 0, at = 0, head = s.n;
	unsigned lines = 0;
	enum trivia t;

	for (; (t = trivia(s, &i)) != T_END; at = i) {
		if (t == T_COMMENT || t == T_OPEN) {
			if (head == s.n)
				head = at;
			lines = 0;
		} else if (t == T_LINE && ++lines > 1) {
			head = s.n;
		}
	}
	return head;
}

/* What stands behind the last end of a line in s. */
static struct str
last_line(struct str s)
{
	size_t i = s.n;

	while (i > 0 && s.p[i - 1] != '\n' && s.p[i - 1] != '\r')
		i--;
	return cut(s, i, s.n);
}

/* ---- finding ---- */

static void
list_free(struct list *l)
{
	free(l->at);
	l->at = NULL;
}

static int
list_grow(struct list *l)
{
	size_t room = l->room == 0 ? 16 : 2 * l->room;
	struct span *at = realloc(l->at, room * sizeof *at);

	if (at == NULL)
		return -1;
	l->at = at;
	l->room = room;
	return 0;
}

/* The container that j has just opened, to its end; NULL or what is wrong. */
static const char *
list_read(struct list *l, struct json *j)
{
	enum json_type t;
	struct span *s;

	l->n = 0;
	l->open = (size_t)(j->raw.p - l->text.p) + 1;
	while ((t = json_next(j)) != JSON_CLOSE) {
		if (t <= JSON_END)
			return "the file is not valid JSON";
		if (l->n == l->room && list_grow(l) == -1)
			return no_memory;
		s = &l->at[l->n++];
		s->name = j->key;
		s->from = (size_t)(j->raw.p - l->text.p);
		s->begin = j->key.p == NULL ? s->from :
		    (size_t)(j->key.p - l->text.p) - 1;
		if (json_skip(j) == -1)
			return "the file is not valid JSON";
		s->to = (size_t)(j->raw.p + j->raw.n - l->text.p);
	}
	l->close = (size_t)(j->raw.p - l->text.p);
	return NULL;
}

static void
list_init(struct list *l, struct str text)
{
	const char *line = text.n == 0 ? NULL : memchr(text.p, '\n', text.n);

	l->text = text;
	l->eol = line != NULL && line > text.p && line[-1] == '\r' ?
	    "\r\n" : "\n";
	l->at = NULL;
	l->n = l->room = l->open = l->close = 0;
}

/*
 * The list of backends: the top array, or the member of the top object.
 * NULL or what is wrong; the list is to be freed in both cases.
 */
static const char *
list_find(struct list *l, struct str text)
{
	const char *why = no_list;
	enum json_type t;
	struct json j;

	list_init(l, text);
	json_start(&j, text, JSON_COMMENTS);
	t = json_next(&j);
	if (t == JSON_ARRAY) {
		if ((why = list_read(l, &j)) != NULL)
			return why;
	} else if (t == JSON_OBJECT) {
		while ((t = json_next(&j)) > JSON_END && t != JSON_CLOSE) {
			if (t == JSON_ARRAY &&
			    json_text_is(j.key, str_of("backends"))) {
				if (why == NULL)
					return "\"backends\" is set twice";
				if ((why = list_read(l, &j)) != NULL)
					return why;
			} else if (json_skip(&j) == -1) {
				break;
			}
		}
	}
	return json_next(&j) == JSON_END ? why : "the file is not valid JSON";
}

/* The members of the backend at a place, as list_find(). */
static const char *
members_find(struct list *l, struct str text, size_t place)
{
	struct list all;
	const char *why = list_find(&all, text);
	struct json j;

	list_init(l, text);
	if (why == NULL && place >= all.n)
		why = no_place;
	if (why == NULL) {
		json_start(&j, cut(text, all.at[place].from,
		    all.at[place].to), JSON_COMMENTS);
		why = json_next(&j) == JSON_OBJECT ? list_read(l, &j) :
		    "that backend is no object";
	}
	list_free(&all);
	return why;
}

/* ---- taking apart ---- */

/*
 * From behind the comma or bracket to the next entry: what belongs to the
 * one before, nobody, and the next.
 */
static void
part(struct str s, int last, struct str *back, struct str *gap,
    struct str *head)
{
	size_t end = last || has_line(s) ? comments_end(s, 1) : 0;
	struct str rest = cut(s, end, s.n);
	size_t h = last ? rest.n : head_in(rest);

	*back = cut(s, 0, end);
	*gap = cut(rest, 0, h);
	*head = cut(rest, h, rest.n);
}

static void
plan_free(struct plan *p)
{
	free(p->e);
	free(p->g);
}

/* With room for one more entry.  0 or -1: out of memory. */
static int
plan_make(struct plan *p, const struct list *l)
{
	struct str s, none = str_n("", 0), head;
	struct gap *g;
	size_t i, c;

	p->n = l->n;
	p->e = calloc(l->n + 1, sizeof *p->e);
	p->g = calloc(l->n + 2, sizeof *p->g);
	if (p->e == NULL || p->g == NULL)
		return -1;
	s = cut(l->text, l->open, l->n > 0 ? l->at[0].begin : l->close);
	part(s, l->n == 0, &p->g[0].after[0], &p->g[0].after[1], &head);
	for (i = 0; i < l->n; i++) {
		p->e[i].head = head;
		p->e[i].value = cut(l->text, l->at[i].begin, l->at[i].to);
		s = cut(l->text, l->at[i].to, i + 1 < l->n ?
		    l->at[i + 1].begin : l->close);
		c = comma_in(s);
		g = &p->g[i + 1];
		p->e[i].tail = g->before = none;
		if (c < s.n) {
			g->comma = 1;
			g->before = cut(s, 0, c);
			p->e[i].tail = cut(s, 0, comments_end(g->before, 1));
			g->before = cut(g->before, p->e[i].tail.n, c);
			s = cut(s, c + 1, s.n);
		}
		part(s, i + 1 == l->n, &p->e[i].back, &g->after[0], &head);
	}
	return 0;
}

/* ---- putting together ---- */

struct writer {
	struct buf *out;
	const char *eol;
	unsigned open:1;		/* in a comment that ends with a line */
};

static void
put(struct writer *w, struct str s)
{
	if (s.n == 0)
		return;
	if (w->open && s.p[0] != '\n' && s.p[0] != '\r')
		buf_adds(w->out, w->eol);
	buf_addstr(w->out, s);
	w->open = 0;
}

/* Blanks and comments. */
static void
put_trivia(struct writer *w, struct str s)
{
	enum trivia t, last = T_END;
	size_t i = 0;

	if (s.n == 0)
		return;
	put(w, s);
	while ((t = trivia(s, &i)) != T_END)
		last = t;
	w->open = last == T_OPEN;
}

static void
put_gap(struct writer *w, const struct gap *g)
{
	size_t i;

	for (i = 0; i < PARTS; i++)
		put_trivia(w, g->after[i]);
}

static int
gap_has_line(const struct gap *g)
{
	size_t i;

	for (i = 0; i < PARTS; i++)
		if (has_line(g->after[i]))
			return 1;
	return 0;
}

/* Comments that had a line of their own must get one again. */
static void
put_head(struct writer *w, struct str head)
{
	struct str indent;

	if (head.n == 0)
		return;
	indent = last_line(head);
	if (has_line(head) && !w->open &&
	    str_trim(last_line(buf_str(w->out))).n > 0) {
		buf_adds(w->out, w->eol);
		if (!has_comment(indent))
			buf_addstr(w->out, indent);
	}
	put_trivia(w, head);
}

/* Adds the whole text with the plan's pieces in it.  0 or -1 and *why. */
static int
plan_write(struct buf *out, const struct list *l, const struct plan *p,
    const char **why)
{
	struct writer w;
	const struct entry *e;
	size_t i, was = out->len;

	w.out = out;
	w.eol = l->eol;
	w.open = 0;
	buf_addstr(out, cut(l->text, 0, l->open));
	put_gap(&w, &p->g[0]);
	for (i = 0; i < p->n; i++) {
		e = &p->e[i];
		put_head(&w, e->head);
		put(&w, e->value);
		put_trivia(&w, e->tail);
		put_trivia(&w, p->g[i + 1].before);
		if (p->g[i + 1].comma)
			put(&w, str_of(","));
		put_trivia(&w, e->back);
		/* Else it would be taken for one before the next entry. */
		if (e->back.n > 0 && i + 1 < p->n &&
		    !gap_has_line(&p->g[i + 1])) {
			buf_adds(out, w.eol);
			w.open = 0;
		}
		put_gap(&w, &p->g[i + 1]);
	}
	put(&w, cut(l->text, l->close, l->text.n));
	if (!out->bad)
		return 0;
	buf_cut(out, was);
	*why = no_room;
	return -1;
}

/* ---- changing ---- */

/* Between a new entry and its neighbour: as it is between others. */
static void
gap_like(struct gap *g, const struct list *l, const struct plan *p, size_t at)
{
	struct gap is = p->g[at];
	size_t from = is.after[1].n > 0 ? 1 : 0;

	memset(g, 0, sizeof *g);
	g->comma = 1;
	if (gap_has_line(&is)) {
		g->after[0] = str_of(l->eol);
		g->after[1] = last_line(is.after[from]);
	} else if (p->n > 1 && !has_comment(p->g[1].after[0]) &&
	    !has_line(p->g[1].after[0])) {
		g->after[0] = p->g[1].after[0];
	} else {
		g->after[0] = str_of(" ");
	}
}

/* The gaps around the first entry of a container that is empty. */
static void
gaps_first(struct plan *p, const struct list *l)
{
	struct gap *g = p->g;

	g[1].after[0] = g[0].after[1];
	g[0].after[1] = str_n("", 0);
	if (!has_line(g[1].after[0]))
		return;
	g[0].after[1] = str_of(l->eol);
	g[0].after[2] = last_line(cut(l->text, 0, l->close));
	if (str_trim(g[0].after[2]).n > 0)
		g[0].after[2] = str_n("", 0);
	g[0].after[3] = str_of(str_starts(g[0].after[2], "\t") ? "\t" : "  ");
}

static int
insert(struct buf *out, const struct list *l, size_t at, struct str value,
    const char **why)
{
	struct gap between;
	struct plan p;
	size_t i, g;
	int rc = -1;

	*why = no_memory;
	if (plan_make(&p, l) == -1)
		goto out;
	if (at > p.n)
		at = p.n;
	if (p.n == 0) {
		gaps_first(&p, l);
	} else {
		/* The new gap stands behind the new entry; at the end,
		   before it, and what was last keeps the end as it is. */
		g = at < p.n ? at + 1 : p.n;
		gap_like(&between, l, &p, at < p.n ? at : p.n - 1);
		for (i = p.n + 1; i > g; i--)
			p.g[i] = p.g[i - 1];
		if (at == p.n) {
			between.before = p.g[g].before;
			p.g[g + 1].before = str_n("", 0);
		}
		p.g[g] = between;
	}
	for (i = p.n; i > at; i--)
		p.e[i] = p.e[i - 1];
	memset(&p.e[at], 0, sizeof p.e[at]);
	p.e[at].value = value;
	p.n++;
	rc = plan_write(out, l, &p, why);
out:
	plan_free(&p);
	return rc;
}

/* What is left of two gaps without the entry between them. */
static void
gap_join(struct gap *to, const struct gap *a, const struct gap *b, int last)
{
	struct gap g = *a;
	struct str *text = &g.after[a->after[1].n > 0 ? 1 : 0];

	if (last || has_comment(b->before) || has_comment(b->after[0])) {
		*text = cut(*text, 0, comments_end(*text, 0));
		g.after[2] = has_comment(b->before) ? b->before :
		    str_n("", 0);
		g.after[3] = b->after[0];
		if (last)
			g.before = cut(g.before, 0, comments_end(g.before, 0));
	}
	*to = g;
}

static int
take_out(struct buf *out, const struct list *l, size_t at, const char **why)
{
	struct plan p;
	struct gap g;
	size_t i;
	int rc = -1;

	*why = no_memory;
	if (plan_make(&p, l) == -1)
		goto out;
	gap_join(&g, &p.g[at], &p.g[at + 1], at + 1 == p.n);
	if (at + 1 == p.n)
		g.comma = at > 0 && p.g[at + 1].comma;
	p.g[at] = g;
	p.n--;
	for (i = at; i < p.n; i++) {
		p.e[i] = p.e[i + 1];
		p.g[i + 1] = p.g[i + 2];
	}
	rc = plan_write(out, l, &p, why);
out:
	plan_free(&p);
	return rc;
}

/* The one JSON value that text is, without what stands around it. */
static int
whole(struct str text, int object, struct str *value, const char **why)
{
	enum json_type t;
	struct json j;

	json_start(&j, text, JSON_COMMENTS);
	t = json_next(&j);
	*why = object ? "that is no JSON object" : "that is no JSON value";
	if (t == JSON_ERROR || (object && t != JSON_OBJECT) ||
	    json_skip(&j) == -1)
		return -1;
	*value = j.raw;
	return json_next(&j) == JSON_END ? 0 : -1;
}

/* The i-th or a later member of that name; l->n: there is none. */
static size_t
member_from(const struct list *l, size_t i, const char *name)
{
	while (i < l->n && !json_text_is(l->at[i].name, str_of(name)))
		i++;
	return i;
}

/* Takes all members of that name out, one by one. */
static int
unset(struct buf *out, struct str text, size_t place, const char *name,
    const char **why)
{
	struct buf now, next;
	struct list l;
	size_t at;
	int rc = 0, found = 1;

	buf_init(&now, out->max);
	buf_init(&next, out->max);
	for (;;) {
		if ((*why = members_find(&l, text, place)) != NULL) {
			rc = -1;
		} else {
			at = member_from(&l, 0, name);
			found = at < l.n;
			if (found)
				rc = take_out(&next, &l, at, why);
		}
		list_free(&l);
		if (rc == -1 || !found)
			break;
		buf_wipe(&now);
		now = next;
		buf_init(&next, out->max);
		text = buf_str(&now);
	}
	if (rc == 0 && (rc = buf_addstr(out, text)) == -1)
		*why = no_room;
	buf_wipe(&now);
	buf_wipe(&next);
	return rc;
}

/* Adds "name": value at the end of the members. */
static int
add_member(struct buf *out, const struct list *l, const char *name,
    struct str value, const char **why)
{
	struct buf b;
	int rc = -1;

	buf_init(&b, out->max);
	json_write(&b, str_of(name));
	buf_adds(&b, ": ");
	buf_addstr(&b, value);
	*why = no_room;
	if (!b.bad)
		rc = insert(out, l, l->n, buf_str(&b), why);
	buf_wipe(&b);
	return rc;
}

/* The text with another value for each member of that name. */
static int
replace(struct buf *out, const struct list *l, const char *name,
    struct str value, const char **why)
{
	size_t i, from = 0, was = out->len;

	for (i = 0; (i = member_from(l, i, name)) < l->n; i++) {
		buf_addstr(out, cut(l->text, from, l->at[i].from));
		buf_addstr(out, value);
		from = l->at[i].to;
	}
	buf_addstr(out, cut(l->text, from, l->text.n));
	if (!out->bad)
		return 0;
	buf_cut(out, was);
	*why = no_room;
	return -1;
}

/* ---- for others ---- */

struct str
edit_backend(struct str text, size_t place)
{
	struct str s = str_n(NULL, 0);
	struct list l;

	if (list_find(&l, text) == NULL && place < l.n)
		s = cut(text, l.at[place].from, l.at[place].to);
	list_free(&l);
	return s;
}

size_t
edit_count(struct str text)
{
	struct list l;
	size_t n = list_find(&l, text) == NULL ? l.n : 0;

	list_free(&l);
	return n;
}

struct str *
edit_list(struct str text, size_t *n)
{
	struct str *s = NULL;
	struct list l;
	size_t i;

	*n = 0;
	if (list_find(&l, text) == NULL &&
	    (s = malloc((l.n + 1) * sizeof *s)) != NULL)
		for (i = 0; i < l.n; i++)
			s[(*n)++] = cut(text, l.at[i].from, l.at[i].to);
	list_free(&l);
	return s;
}

int
edit_add(struct buf *out, struct str text, size_t place, struct str backend,
    const char **why)
{
	struct list l;
	int rc = -1;

	if (whole(backend, 1, &backend, why) == -1)
		return -1;
	if ((*why = list_find(&l, text)) == NULL)
		rc = insert(out, &l, place, backend, why);
	list_free(&l);
	return rc;
}

int
edit_remove(struct buf *out, struct str text, size_t place, const char **why)
{
	struct list l;
	int rc = -1;

	*why = list_find(&l, text);
	if (*why == NULL && place >= l.n)
		*why = no_place;
	if (*why == NULL)
		rc = take_out(out, &l, place, why);
	list_free(&l);
	return rc;
}

int
edit_set(struct buf *out, struct str text, size_t place, const char *name,
    struct str value, const char **why)
{
	struct list l;
	int rc = -1;

	if (value.p == NULL)
		return unset(out, text, place, name, why);
	if (whole(value, 0, &value, why) == -1)
		return -1;
	if ((*why = members_find(&l, text, place)) != NULL)
		rc = -1;
	else if (member_from(&l, 0, name) < l.n)
		rc = replace(out, &l, name, value, why);
	else
		rc = add_member(out, &l, name, value, why);
	list_free(&l);
	return rc;
}

/* NULL if order holds each of 0 .. n - 1 once. */
static const char *
permutation(const size_t *order, size_t n)
{
	unsigned char *seen = calloc(n + 1, 1);
	size_t i;

	if (seen == NULL)
		return no_memory;
	for (i = 0; i < n && order[i] < n && !seen[order[i]]; i++)
		seen[order[i]] = 1;
	free(seen);
	return i == n ? NULL : no_order;
}

int
edit_order(struct buf *out, struct str text, const size_t *order, size_t n,
    const char **why)
{
	struct entry *e = NULL, *was;
	struct plan p;
	struct list l;
	size_t i;
	int rc = -1;

	p.e = NULL;
	p.g = NULL;
	if ((*why = list_find(&l, text)) != NULL)
		goto out;
	*why = n == l.n ? permutation(order, n) : no_order;
	if (*why != NULL)
		goto out;
	*why = no_memory;
	if ((e = calloc(n + 1, sizeof *e)) == NULL || plan_make(&p, &l) == -1)
		goto out;
	for (i = 0; i < n; i++)
		e[i] = p.e[order[i]];
	was = p.e;
	p.e = e;
	e = was;
	rc = plan_write(out, &l, &p, why);
out:
	free(e);
	plan_free(&p);
	list_free(&l);
	return rc;
}
