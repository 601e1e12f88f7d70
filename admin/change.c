#include "admin/change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/body.h"
#include "admin/mask.h"
#include "admin/say.h"
#include "admin/store.h"
#include "admin/view.h"
#include "conf/edit.h"
#include "net/socket.h"
#include "relay/account.h"

#define CHANGE_OUT	(1u << 20)	/* bytes of an answer */
#define CHANGE_TREE	(16u << 20)	/* of a body's tree */

/* What was deleted, as it stood in the file: with its secrets. */
struct ticket {
	char id[33];			/* "": free */
	uint64_t until;
	size_t place;
	struct buf text, name;
};

struct change {
	const struct admin_host *h;
	struct buf live;		/* the config, where there is no file */
	struct ticket tickets[CHANGE_UNDO_MAX];
	struct timer timer;
};

/* One change under way. */
struct work {
	struct change *c;
	struct web_request *r;
	struct arena arena;		/* of the body */
	struct buf text;		/* the config as it becomes */
	struct buf old;			/* as it was */
};

/* ---- tickets ---- */

static void
ticket_free(struct ticket *t)
{
	util_wipe(t->id, sizeof t->id);
	buf_wipe(&t->text);
	buf_wipe(&t->name);
	t->until = 0;
}

/* Those whose time is over go, and the timer is set for the next one. */
static void
tickets_tick(void *arg, uint64_t now)
{
	struct change *c = arg;
	uint64_t next = 0;
	size_t i;

	for (i = 0; i < CHANGE_UNDO_MAX; i++) {
		struct ticket *t = &c->tickets[i];

		if (t->id[0] == '\0')
			continue;
		if (t->until <= now)
			ticket_free(t);
		else if (next == 0 || t->until < next)
			next = t->until;
	}
	if (next != 0)
		timer_set(c->h->loop, &c->timer, next);
}

/* A new one; NULL: no randomness or memory, go on without. */
static struct ticket *
ticket_new(struct change *c, struct str name, struct str text, size_t place)
{
	struct ticket *t = c->tickets;
	unsigned char random[16];
	size_t i;

	for (i = 1; i < CHANGE_UNDO_MAX; i++)
		if (c->tickets[i].until < t->until)
			t = &c->tickets[i];
	ticket_free(t);
	if (sock_random(random, sizeof random) == -1 ||
	    buf_addstr(&t->text, text) == -1 ||
	    buf_addstr(&t->name, name) == -1) {
		ticket_free(t);
		return NULL;
	}
	util_hex(t->id, random, sizeof random);
	t->until = loop_now(c->h->loop) + CHANGE_UNDO_MS;
	t->place = place;
	tickets_tick(c, loop_now(c->h->loop));
	return t;
}

static struct ticket *
ticket_find(struct change *c, struct str id)
{
	size_t i;

	tickets_tick(c, loop_now(c->h->loop));
	for (i = 0; i < CHANGE_UNDO_MAX; i++)
		if (util_ct_eq(id, str_of(c->tickets[i].id)))
			return &c->tickets[i];
	return NULL;
}

/* ---- all of it ---- */

struct change *
change_new(const struct admin_host *h, struct str text)
{
	struct change *c;
	size_t i;

	if ((c = calloc(1, sizeof *c)) == NULL)
		return NULL;
	c->h = h;
	c->timer.fire = tickets_tick;
	c->timer.arg = c;
	buf_init(&c->live, CHANGE_TEXT_MAX);
	for (i = 0; i < CHANGE_UNDO_MAX; i++) {
		buf_init(&c->tickets[i].text, CHANGE_TEXT_MAX);
		buf_init(&c->tickets[i].name, CHANGE_TEXT_MAX);
	}
	if (text.n > 0 && buf_addstr(&c->live, text) == -1) {
		free(c);
		return NULL;
	}
	return c;
}

void
change_free(struct change *c)
{
	size_t i;

	if (c == NULL)
		return;
	timer_clear(c->h->loop, &c->timer);
	for (i = 0; i < CHANGE_UNDO_MAX; i++)
		ticket_free(&c->tickets[i]);
	buf_wipe(&c->live);
	free(c);
}

int
change_text(const struct change *c, struct buf *out)
{
	if (c->h->file != NULL)
		return store_read(c->h->file, out);
	errno = ENOENT;
	return c->live.len == 0 ? -1 : buf_addstr(out, buf_str(&c->live));
}

long
change_place(const struct admin_host *h, struct str name)
{
	const struct config *cfg = h->clients->gen->cfg;
	size_t i;

	for (i = 0; i < cfg->nbackends; i++)
		if (str_eq(cfg->backends[i].name, name))
			return (long)i;
	return -1;
}

/* ---- the text of the config ---- */

/* 0; -1: it cannot be changed, which was answered.  In any case work_end(). */
static int
work_begin(struct work *w, struct change *c, struct web_request *r)
{
	char why[300];

	w->c = c;
	w->r = r;
	arena_init(&w->arena, CHANGE_TREE);
	buf_init(&w->text, CHANGE_TEXT_MAX);
	buf_init(&w->old, CHANGE_TEXT_MAX);
	if (c->h->file == NULL && c->live.len == 0) {
		say_error(r, 409, "the config comes from environment "
		    "variables; a config file could be changed here", NULL);
		return -1;
	}
	if (change_text(c, &w->text) == -1 ||
	    buf_addstr(&w->old, buf_str(&w->text)) == -1) {
		snprintf(why, sizeof why, "the config file cannot be read: "
		    "%s", w->text.bad || w->old.bad ? "it is too large" :
		    strerror(errno));
		say_error(r, 500, why, NULL);
		return -1;
	}
	return 0;
}

static void
work_end(struct work *w)
{
	arena_free(&w->arena);
	buf_wipe(&w->text);
	buf_wipe(&w->old);
}

/* The config is what an edit made; 0, or -1 after an answer. */
static int
work_edited(struct work *w, struct buf *new, int rc, const char *why)
{
	if (rc == -1 || new->bad) {
		buf_wipe(new);
		say_error(w->r, 409, rc == -1 && why != NULL ? why :
		    "the config becomes too large", NULL);
		return -1;
	}
	buf_wipe(&w->text);
	w->text = *new;
	return 0;
}

/* The raw names of all backends of the text, malloc'd; NULL: no memory. */
static struct str *
names_read(const struct work *w, size_t *n)
{
	struct str *s = edit_list(buf_str(&w->text), n);
	size_t i;

	for (i = 0; i < *n; i++)
		s[i] = body_raw(s[i], str_of("name"));
	return s;
}

/*
 * The place of a backend in the text, by its raw names; -1: it is not there.
 * Names with ${VARIABLES} are told by their places in what is in service.
 */
static long
place_of(const struct work *w, const struct str *raw, size_t n,
    struct str name)
{
	size_t i;
	long live;

	for (i = 0; i < n; i++)
		if (raw[i].n >= 2 && raw[i].p[0] == '"' && json_text_is(
		    str_n(raw[i].p + 1, raw[i].n - 2), name))
			return (long)i;
	live = change_place(w->c->h, name);
	if (live == -1 || n != w->c->h->clients->gen->cfg->nbackends)
		return -1;
	return str_casefind(raw[live], str_of("${")) >= 0 ? live : -1;
}

static long
text_place(const struct work *w, struct str name)
{
	size_t n;
	struct str *raw = names_read(w, &n);
	long place = place_of(w, raw, n, name);

	free(raw);
	return place;
}

/* The same; -1 after an answer. */
static long
place_or_404(const struct work *w, struct str name)
{
	long place = text_place(w, name);

	if (place >= 0)
		return place;
	if (change_place(w->c->h, name) >= 0)
		say_error(w->r, 409, "this backend is in service, but not in "
		    "the config file any more; reload it", NULL);
	else
		say_error(w->r, 404, "there is no backend of that name",
		    NULL);
	return -1;
}

/* Checks, saves, puts in service.  0, or -1 after an answer. */
static int
work_commit(struct work *w)
{
	const struct admin_host *h = w->c->h;
	struct str text = buf_str(&w->text);
	struct buf faults;
	char why[400];
	int rc = -1;

	buf_init(&faults, 65536);
	if (h->check(h->arg, text, &faults) == -1) {
		say_faults(w->r, 400, buf_str(&faults));
	} else if (h->file != NULL && store_write(h->file, text, why,
	    sizeof why) == -1) {
		say_error(w->r, 500, why, NULL);
	} else if (h->apply(h->arg, text, &faults) == -1) {
		/* What is not in service must not be there at a restart. */
		if (h->file != NULL)
			store_write(h->file, buf_str(&w->old), why,
			    sizeof why);
		say_faults(w->r, 500, buf_str(&faults));
	} else {
		rc = 0;
		h->clients->ex.stats.changed++;	/* for those who look on */
	}
	if (rc == 0 && h->file == NULL) {
		buf_wipe(&w->c->live);
		w->c->live = w->text;
		buf_init(&w->text, CHANGE_TEXT_MAX);
	}
	buf_free(&faults);
	return rc;
}

/* ---- answers ---- */

static void
put_saved(struct buf *b, const struct admin_host *h)
{
	buf_adds(b, h->file != NULL ? ",\"saved\":true}" :
	    ",\"saved\":false,\"warning\":\"there is no config file: this "
	    "ends with the process\"}");
}

/* The backend at a place of what is in service. */
static void
say_backend(struct change *c, struct web_request *r, int status,
    size_t place)
{
	struct view v;
	struct buf b;

	view_now(&v, c->h);
	buf_init(&b, CHANGE_OUT);
	buf_addc(&b, '{');
	view_backend(&b, &v, place);
	put_saved(&b, c->h);
	say_buf(r, status, &b);
}

/* ---- adding ---- */

static int
name_taken(struct work *w, struct str name, long besides)
{
	long live = change_place(w->c->h, name), place = text_place(w, name);

	if ((live == -1 || besides >= 0) && (place == -1 ||
	    place == besides))
		return 0;
	say_error(w->r, 409, "there is a backend of that name already",
	    "name");
	return 1;
}

/* Puts a raw backend in at a place; then it is answered with. */
static int
backend_add(struct work *w, int status, struct str raw, size_t place)
{
	size_t n = edit_count(buf_str(&w->text));
	const char *why = NULL;
	struct buf new;
	int rc;

	if (place > n)
		place = n;
	buf_init(&new, CHANGE_TEXT_MAX);
	rc = edit_add(&new, buf_str(&w->text), place, raw, &why);
	if (work_edited(w, &new, rc, why) == -1 || work_commit(w) == -1)
		return -1;
	say_backend(w->c, w->r, status, place);
	return 0;
}

void
change_add(struct change *c, struct web_request *r, struct str body)
{
	struct node *top;
	struct str name;
	struct work w;

	if (work_begin(&w, c, r) == -1)
		goto out;
	if ((top = body_object(&w.arena, r, body)) == NULL)
		goto out;
	name = body_text(&w.arena, tree_get(top, "name"));
	if (name.n == 0)
		say_error(r, 400, "the backend must have a name", "name");
	else if (mask_is(body_text(&w.arena, tree_get(top, "token"))))
		say_error(r, 400, "this is a masked token; the token itself "
		    "is needed", "token");
	else if (!name_taken(&w, name, -1))
		backend_add(&w, 201, top->raw, (size_t)-1);
out:
	work_end(&w);
}

void
change_undo(struct change *c, struct web_request *r, struct str body)
{
	struct ticket *t;
	struct node *m;
	struct work w;

	if (work_begin(&w, c, r) == -1)
		goto out;
	m = body_member(&w.arena, r, body, "undo", JSON_STRING);
	if (m == NULL)
		goto out;
	t = ticket_find(c, body_text(&w.arena, m));
	if (t == NULL)
		say_error(r, 404, "there is nothing to undo: the ticket is "
		    "used, or older than 10 minutes", "undo");
	else if (!name_taken(&w, buf_str(&t->name), -1) &&
	    backend_add(&w, 200, buf_str(&t->text), t->place) == 0)
		ticket_free(t);
out:
	work_end(&w);
}

/* ---- changing ---- */

/* Sets a member; value.p NULL takes it out.  0, or -1 after an answer. */
static int
member_set(struct work *w, size_t place, const char *name, struct str value)
{
	const char *why = NULL;
	struct buf new;
	int rc;

	buf_init(&new, CHANGE_TEXT_MAX);
	rc = edit_set(&new, buf_str(&w->text), place, name, value, &why);
	return work_edited(w, &new, rc, why);
}

/*
 * A masked value stands for the one that is there.  1: leave it; 0: it is
 * a new one; -1: it is the mask of another, which was answered.
 */
static int
masked(struct work *w, struct str value, struct str now, const char *field)
{
	if (!mask_is(value))
		return 0;
	if (mask_of(value, now))
		return 1;
	say_error(w->r, 409, "this is the masked form of another value than "
	    "the present one", field);
	return -1;
}

/*
 * Adds an object of headers with each masked value replaced by what stands
 * in the text.
 */
static int
headers_make(struct work *w, struct buf *out, const struct node *n,
    struct str old, const struct config_backend *b)
{
	const struct config_field *f;
	const struct node *m;
	struct str raw;
	size_t i;
	int keep;

	buf_addc(out, '{');
	for (m = n->child; m != NULL; m = m->next) {
		for (f = NULL, i = 0; b != NULL && i < b->nheaders; i++)
			if (json_text_is(m->key, b->headers[i].name))
				f = &b->headers[i];
		keep = masked(w, body_text(&w->arena, m), f == NULL ?
		    str_of("") : f->value, "headers");
		if (keep == -1)
			return -1;
		raw = keep ? body_raw(old, f->name) : m->raw;
		buf_adds(out, m == n->child ? "\"" : ", \"");
		buf_addstr(out, m->key);
		buf_adds(out, "\": ");
		buf_addstr(out, raw.p != NULL ? raw : m->raw);
	}
	return buf_addc(out, '}');
}

static int
headers_set(struct work *w, size_t place, const struct node *n,
    const struct config_backend *b)
{
	struct str old = body_raw(edit_backend(buf_str(&w->text), place),
	    str_of("headers"));
	struct buf raw;
	int rc;

	buf_init(&raw, CHANGE_TEXT_MAX);
	rc = headers_make(w, &raw, n, old, b);
	if (rc == 0)
		rc = member_set(w, place, "headers", buf_str(&raw));
	buf_wipe(&raw);
	return rc;
}

/* 1 if it is spelt as the keys of a config are. */
static int
is_key(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((s.p[i] < 'a' || s.p[i] > 'z') && s.p[i] != '_' &&
		    (s.p[i] < '0' || s.p[i] > '9'))
			return 0;
	return s.n > 0 && s.n < 64;
}

/* One member of the body of a PUT.  0, or -1 after an answer. */
static int
member_put(struct work *w, size_t place, const struct node *m,
    const struct config_backend *b)
{
	struct str value = body_text(&w->arena, m), none = { NULL, 0 };
	struct str old;
	char name[64];
	int keep;

	if (!is_key(m->key)) {
		say_error(w->r, 400, "a member is no key of a backend", NULL);
		return -1;
	}
	memcpy(name, m->key.p, m->key.n);
	name[m->key.n] = '\0';
	if (strcmp(name, "name") == 0 && name_taken(w, value, (long)place))
		return -1;
	if (strcmp(name, "token") == 0 && (keep = masked(w, value,
	    b == NULL ? none : b->token, "token")) != 0)
		return keep == 1 ? 0 : -1;
	if (strcmp(name, "headers") == 0 && m->type == JSON_OBJECT)
		return headers_set(w, place, m, b);
	/* Both at once would be a fault. */
	old = body_raw(edit_backend(buf_str(&w->text), place),
	    str_of("platform"));
	if (strcmp(name, "api_type") == 0 && old.p != NULL &&
	    member_set(w, place, "platform", none) == -1)
		return -1;
	return member_set(w, place, name, m->type == JSON_NULL ? none :
	    m->raw);
}

void
change_put(struct change *c, struct web_request *r, struct str name,
    struct str body)
{
	const struct config_backend *b = NULL;
	struct node *top, *m;
	struct work w;
	long place, live;

	if (work_begin(&w, c, r) == -1)
		goto out;
	if ((top = body_object(&w.arena, r, body)) == NULL)
		goto out;
	if ((place = place_or_404(&w, name)) == -1)
		goto out;
	if ((live = change_place(c->h, name)) >= 0)
		b = &c->h->clients->gen->cfg->backends[live];
	for (m = top->child; m != NULL; m = m->next)
		if (member_put(&w, (size_t)place, m, b) == -1)
			goto out;
	if (work_commit(&w) == 0)
		say_backend(c, r, 200, (size_t)place);
out:
	work_end(&w);
}

void
change_switch(struct change *c, struct web_request *r, struct str name,
    int on)
{
	struct work w;
	long place;

	if (work_begin(&w, c, r) == 0 &&
	    (place = place_or_404(&w, name)) != -1 &&
	    member_set(&w, (size_t)place, "enabled", str_of(on ? "true" :
	    "false")) == 0 && work_commit(&w) == 0)
		say_backend(c, r, 200, (size_t)place);
	work_end(&w);
}

/* ---- removing ---- */

/* Adds {"deleted":.. while the backend is still in service. */
static void
put_deleted(struct buf *b, const struct admin_host *h, struct str name)
{
	long live = change_place(h, name);
	struct view v;

	view_now(&v, h);
	buf_adds(b, "{\"deleted\":{");
	if (live >= 0)
		view_backend(b, &v, (size_t)live);
	else {
		buf_adds(b, "\"name\":");
		json_write(b, name);
	}
	buf_addc(b, '}');
}

void
change_delete(struct change *c, struct web_request *r, struct str name)
{
	const char *why = NULL;
	struct ticket *t;
	struct buf new, out;
	struct work w;
	long place;
	int rc;

	buf_init(&out, CHANGE_OUT);
	if (work_begin(&w, c, r) == -1 ||
	    (place = place_or_404(&w, name)) == -1)
		goto end;
	put_deleted(&out, c->h, name);
	buf_init(&new, CHANGE_TEXT_MAX);
	rc = edit_remove(&new, buf_str(&w.text), (size_t)place, &why);
	if (work_edited(&w, &new, rc, why) == -1 || work_commit(&w) == -1)
		goto end;
	t = ticket_new(c, name, edit_backend(buf_str(&w.old), (size_t)place),
	    (size_t)place);
	buf_fmt(&out, ",\"position\":%ld,\"undo\":", place);
	if (t != NULL)
		buf_fmt(&out, "\"%s\"", t->id);
	else
		buf_adds(&out, "null");
	put_saved(&out, c->h);
	say_buf(r, 200, &out);
end:
	buf_wipe(&out);
	work_end(&w);
}

/* ---- order ---- */

/* order[i]: where the i-th name stands now.  0, or -1 after an answer. */
static int
order_read(struct work *w, const struct node *names, size_t *order, size_t n)
{
	struct str *raw = names_read(w, &n);
	char *seen = calloc(n + 1, 1);
	const struct node *m;
	size_t i = 0;
	long place;

	for (m = names->child; m != NULL && seen != NULL; m = m->next, i++) {
		place = m->type != JSON_STRING ? -1 :
		    place_of(w, raw, n, body_text(&w->arena, m));
		if (place == -1 || i >= n || seen[place]++)
			break;
		order[i] = (size_t)place;
	}
	free(raw);
	free(seen);
	if (m == NULL && i == n)
		return 0;
	say_error(w->r, 400, "names must be the names of all backends, each "
	    "once", "names");
	return -1;
}

void
change_order(struct change *c, struct web_request *r, struct str body)
{
	const char *why = NULL;
	size_t *order = NULL, n;
	struct node *names;
	struct view v;
	struct work w;
	struct buf b;
	int rc;

	if (work_begin(&w, c, r) == -1 || (names = body_member(&w.arena, r,
	    body, "names", JSON_ARRAY)) == NULL)
		goto out;
	n = edit_count(buf_str(&w.text));
	if ((order = calloc(n + 1, sizeof *order)) == NULL) {
		say_error(r, 500, "out of memory", NULL);
		goto out;
	}
	if (order_read(&w, names, order, n) == -1)
		goto out;
	buf_init(&b, CHANGE_TEXT_MAX);
	rc = edit_order(&b, buf_str(&w.text), order, n, &why);
	if (work_edited(&w, &b, rc, why) == -1 || work_commit(&w) == -1)
		goto out;
	view_now(&v, c->h);
	buf_init(&b, CHANGE_TEXT_MAX);
	view_backends(&b, &v);
	buf_cut(&b, b.len > 0 ? b.len - 1 : 0);
	put_saved(&b, c->h);
	say_buf(r, 200, &b);
out:
	free(order);
	work_end(&w);
}

/* ---- what is not saved ---- */

void
change_clear(struct change *c, struct web_request *r, struct str name)
{
	const struct generation *g = c->h->clients->gen;
	long place = change_place(c->h, name);
	struct fo_change change;
	struct view v;
	struct buf b;

	if (place == -1) {
		say_error(r, 404, "there is no backend of that name", NULL);
		return;
	}
	failover_clear(g->targets[place].health, &g->cfg->failover,
	    loop_now(c->h->loop), &change);
	account_change(&change, "cleared by hand");
	c->h->clients->ex.stats.changed++;
	view_now(&v, c->h);
	buf_init(&b, CHANGE_OUT);
	buf_addc(&b, '{');
	view_backend(&b, &v, (size_t)place);
	buf_adds(&b, ",\"saved\":false}");
	say_buf(r, 200, &b);
}

void
change_reload(struct change *c, struct web_request *r)
{
	const struct admin_host *h = c->h;
	struct buf faults;

	if (h->file == NULL) {
		say_error(r, 400, "there is no config file to read", NULL);
		return;
	}
	buf_init(&faults, 65536);
	if (h->reload(h->arg, &faults) == -1)
		say_faults(r, 400, buf_str(&faults));
	else
		say_json(r, 200, str_of("{\"ok\":true}\n"));
	buf_free(&faults);
}
