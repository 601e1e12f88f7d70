#include "admin/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/body.h"
#include "admin/change.h"
#include "admin/events.h"
#include "admin/guard.h"
#include "admin/journal.h"
#include "admin/journal_find.h"
#include "admin/login.h"
#include "admin/mask.h"
#include "admin/page.h"
#include "admin/say.h"
#include "admin/search.h"
#include "admin/tryout.h"
#include "admin/view.h"
#include "net/socket.h"
#include "wire/http_write.h"

#define API_OUT		(16u << 20)	/* bytes of an answer */

struct api {
	const struct admin_host *h;
	struct change *change;
	struct events *events;
	struct tryouts *tryouts;
	struct searches *searches;
	struct login login;
};

struct api *
api_new(const struct admin_host *h, struct str text)
{
	struct api *a;

	if ((a = calloc(1, sizeof *a)) == NULL)
		return NULL;
	a->h = h;
	a->change = change_new(h, text);
	a->events = events_new(h);
	a->tryouts = tryouts_new(h);
	a->searches = searches_new(h);
	if (a->change == NULL || a->events == NULL || a->tryouts == NULL ||
	    a->searches == NULL) {
		api_free(a);
		return NULL;
	}
	return a;
}

void
api_free(struct api *a)
{
	if (a == NULL)
		return;
	searches_free(a->searches);
	tryouts_free(a->tryouts);
	events_free(a->events);
	change_free(a->change);
	util_wipe(&a->login, sizeof a->login);
	free(a);
}

/* ---- who asks ---- */

/* Browsers share cookies between ports; the name keeps them apart. */
static const char *
cookie_name(const struct api *a, char at[32])
{
	snprintf(at, 32, "spillway_%u", (unsigned)a->h->admin_port);
	return at;
}

static struct str
cookie(const struct api *a, const struct http_head *h)
{
	struct str s, none = { NULL, 0 };
	char name[32];
	unsigned i;

	cookie_name(a, name);
	for (i = 0; i < h->nfields; i++) {
		if (h->fields[i].id != HTTP_COOKIE)
			continue;
		s = login_cookie(h->fields[i].value, name);
		if (s.p != NULL)
			return s;
	}
	return none;
}

/* 1 if the caller has shown the token, or has logged in. */
static int
is_known(struct api *a, const struct http_head *h)
{
	struct str token = a->h->clients->gen->cfg->web_admin.token;
	struct str auth = http_get(h, HTTP_AUTHORIZATION), id;

	login_token(&a->login, token);
	if (token.n == 0)
		return 1;
	if (str_casestarts(auth, "bearer ") &&
	    util_ct_eq(str_trim(str_n(auth.p + 7, auth.n - 7)), token))
		return 1;
	id = cookie(a, h);
	return id.n > 0 && login_check(&a->login, id, loop_now(a->h->loop));
}

/* Tells the browser what to keep; id "": nothing any more. */
static void
say_cookie(struct api *a, struct web_request *r, const char *id)
{
	char line[256], name[32];

	snprintf(line, sizeof line, "set-cookie: %s=%s; Path=/; HttpOnly; "
	    "SameSite=Strict%s\r\n", cookie_name(a, name), id, *id == '\0' ?
	    "; Max-Age=0" : "");
	say_nothing(r, str_of(line));
	util_wipe(line, sizeof line);
}

static void
log_in(struct api *a, const struct web_ask *ask)
{
	struct str token = a->h->clients->gen->cfg->web_admin.token;
	unsigned char random[32];
	const char *id = "";
	struct arena arena;
	struct node *m;

	arena_init(&arena, API_OUT);
	m = body_member(&arena, ask->r, ask->body, "token", JSON_STRING);
	if (m == NULL)
		goto out;
	login_token(&a->login, token);
	if (token.n == 0) {
		say_nothing(ask->r, str_of(""));
		goto out;
	}
	if (sock_random(random, sizeof random) == -1) {
		say_error(ask->r, 500, "no randomness", NULL);
		goto out;
	}
	switch (login_try(&a->login, body_text(&arena, m), token, random,
	    loop_now(a->h->loop), &id)) {
	case 1:
		say_cookie(a, ask->r, id);
		break;
	case 0:
		say_error(ask->r, 401, "this is not web_admin.token",
		    "token");
		break;
	default:
		say_error(ask->r, 429, "too many wrong tokens; try again in "
		    "a minute", NULL);
		break;
	}
	util_wipe(random, sizeof random);
out:
	arena_free(&arena);
}

static void
log_out(struct api *a, const struct web_ask *ask)
{
	login_end(&a->login, cookie(a, ask->h));
	say_cookie(a, ask->r, "");
}

/* ---- reading ---- */

static void
get_status(struct api *a, const struct web_ask *ask)
{
	struct view v;
	struct buf b;

	view_now(&v, a->h);
	buf_init(&b, API_OUT);
	view_status(&b, &v, 1);
	say_buf(ask->r, 200, &b);
}

static void
get_backends(struct api *a, const struct web_ask *ask)
{
	struct view v;
	struct buf b;

	view_now(&v, a->h);
	buf_init(&b, API_OUT);
	view_backends(&b, &v);
	say_buf(ask->r, 200, &b);
}

/* A parameter of the query, without its escapes; p NULL: absent. */
static struct str
param(struct arena *arena, const struct http_head *h, const char *name)
{
	struct str raw = http_query_get(h->query, name), s;
	struct buf plain, out;
	size_t i;

	if (raw.p == NULL)
		return raw;
	buf_init(&plain, raw.n);
	buf_init(&out, raw.n);
	for (i = 0; i < raw.n; i++)
		buf_addc(&plain, raw.p[i] == '+' ? ' ' : raw.p[i]);
	http_unescape(&out, buf_str(&plain));
	s = arena_copy(arena, buf_str(&out));
	buf_free(&plain);
	buf_free(&out);
	return s;
}

/* Where the records are; NULL: there are none. */
static const char *
folder(const struct api *a)
{
	return a->h->journal == NULL ? NULL : journal_folder(a->h->journal);
}

static void
get_requests(struct api *a, const struct web_ask *ask)
{
	struct view_filter f;
	struct arena arena;
	uint64_t limit = VIEW_PAGE;
	struct str s;

	memset(&f, 0, sizeof f);
	arena_init(&arena, API_OUT);
	f.status = param(&arena, ask->h, "status");
	f.backend = param(&arena, ask->h, "backend");
	f.model = param(&arena, ask->h, "model");
	f.text = param(&arena, ask->h, "text");
	s = param(&arena, ask->h, "limit");
	if (s.n > 0 && (util_u64(s, VIEW_PAGE_MAX, &limit) == -1 ||
	    limit == 0)) {
		say_error(ask->r, 400, "must be a whole number from 1 to 500",
		    "limit");
		goto out;
	}
	s = param(&arena, ask->h, "before");
	if (s.n > 0 && (util_u64(s, INT64_MAX, &f.before) == -1 ||
	    f.before == 0)) {
		say_error(ask->r, 400, "must be the number of a request",
		    "before");
		goto out;
	}
	if (!view_filter_status(f.status)) {
		say_error(ask->r, 400, "must be good, failed, returned, "
		    "broken, left, limited, a status such as 529, or 4xx",
		    "status");
		goto out;
	}
	f.limit = (unsigned)limit;
	search_page(a->searches, ask->r, &f);
out:
	arena_free(&arena);
}

/* A request that is looked for in the records. */
struct sought {
	const struct view *v;
	struct buf *out;
};

static int
sought_see(void *arg, const struct stats_entry *e)
{
	struct sought *s = arg;

	view_request(s->out, s->v, e);
	return buf_adds(s->out, ",\"recorded\":true");
}

static void
get_request(struct api *a, const struct web_ask *ask, struct str id)
{
	const struct stats_entry *e = stats_find(&a->h->clients->ex.stats, id);
	struct sought sought;
	struct buf b, record;
	struct view v;
	int n = 0;

	view_now(&v, a->h);
	buf_init(&b, API_OUT);
	buf_init(&record, API_OUT);
	buf_addc(&b, '{');
	sought.v = &v;
	sought.out = &b;
	if (e != NULL)
		view_request(&b, &v, e);
	if (folder(a) != NULL)
		n = journal_find_id(folder(a), v.wall, id, &record, e == NULL ?
		    sought_see : NULL, &sought);
	if (n > 0) {
		buf_adds(&b, ",\"record\":");
		buf_addstr(&b, buf_str(&record));
	}
	buf_addc(&b, '}');
	if (e == NULL && n == 0)
		say_error(ask->r, 404, "this request is not in memory (any "
		    "more), nor in today's records", NULL);
	else
		say_buf(ask->r, 200, &b);
	buf_free(&b);
	buf_free(&record);
}

static void
get_config(struct api *a, const struct web_ask *ask)
{
	struct buf b, text, part;

	buf_init(&b, API_OUT);
	buf_init(&text, CHANGE_TEXT_MAX);
	buf_init(&part, CHANGE_TEXT_MAX);
	buf_adds(&b, "{\"config\":");
	/* Only where all keys are known we know which are secret. */
	if (change_text(a->change, &text) == -1 ||
	    a->h->check(a->h->arg, buf_str(&text), &part) == -1 ||
	    mask_json(&b, buf_str(&text)) == -1)
		buf_adds(&b, "null");
	buf_clear(&part);
	buf_adds(&b, ",\"effective\":");
	config_describe(a->h->clients->gen->cfg, &part);
	mask_text(&b, buf_str(&part));
	buf_clear(&part);
	config_template(&part);
	buf_adds(&b, ",\"template\":");
	json_write(&b, buf_str(&part));
	buf_addc(&b, '}');
	buf_wipe(&text);
	buf_free(&part);
	say_buf(ask->r, 200, &b);
}

static void
get_events(struct api *a, const struct web_ask *ask)
{
	struct buf f;

	if (!str_is(ask->h->method, "HEAD")) {
		events_join(a->events, ask->r);
		return;
	}
	buf_init(&f, 4096);
	buf_adds(&f, "content-type: text/event-stream\r\n");
	buf_adds(&f, say_guard);
	web_answer(ask->r, 200, buf_str(&f), str_of(""));
	buf_free(&f);
}

/* ---- the paths ---- */

/* What a path and a method ask for. */
enum api_do {
	DO_STATUS, DO_BACKENDS, DO_REQUESTS, DO_REQUEST, DO_CONFIG, DO_EVENTS,
	DO_ADD, DO_PUT, DO_DELETE, DO_ENABLE, DO_DISABLE, DO_CLEAR, DO_TEST,
	DO_TEST_BODY, DO_ORDER, DO_UNDO, DO_RELOAD, DO_LOGIN, DO_LOGOUT
};

/* '*' stands for one segment, which is a name.  The first that fits. */
static const struct {
	const char *method, *path;
	enum api_do what;
} routes[] = {
	{ "GET", "status", DO_STATUS },
	{ "GET", "backends", DO_BACKENDS },
	{ "GET", "requests", DO_REQUESTS },
	{ "GET", "requests/*", DO_REQUEST },
	{ "GET", "config", DO_CONFIG },
	{ "GET", "events", DO_EVENTS },
	{ "POST", "backends", DO_ADD },
	{ "PUT", "backends/order", DO_ORDER },
	{ "PUT", "backends/*", DO_PUT },
	{ "DELETE", "backends/*", DO_DELETE },
	{ "POST", "backends/*/enable", DO_ENABLE },
	{ "POST", "backends/*/disable", DO_DISABLE },
	{ "POST", "backends/*/clear", DO_CLEAR },
	{ "POST", "backends/*/test", DO_TEST },
	{ "POST", "test", DO_TEST_BODY },
	{ "POST", "undo", DO_UNDO },
	{ "POST", "reload", DO_RELOAD },
	{ "POST", "login", DO_LOGIN },
	{ "POST", "logout", DO_LOGOUT }
};
#define ROUTES (sizeof routes / sizeof *routes)

/* 1 if the path is of that pattern; *name: the segment of its '*'. */
static int
path_fits(const char *pattern, struct str path, struct str *name)
{
	size_t i = 0, n;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '*') {
			if (i >= path.n || path.p[i++] != *pattern)
				return 0;
			continue;
		}
		for (n = i; n < path.n && path.p[n] != '/'; n++)
			;
		*name = str_n(path.p + i, n - i);
		if (name->n == 0)
			return 0;
		i = n;
	}
	return i == path.n;
}

/* HEAD asks as GET does. */
static int
method_fits(const char *want, struct str method)
{
	return str_is(method, want) ||
	    (strcmp(want, "GET") == 0 && str_is(method, "HEAD"));
}

/* The route of a request; ROUTES: there is none, which was answered. */
static size_t
route_find(const struct web_ask *ask, struct str path, struct str *name)
{
	char allow[64] = "";
	size_t i, n;

	for (i = 0; i < ROUTES; i++) {
		if (!path_fits(routes[i].path, path, name))
			continue;
		if (method_fits(routes[i].method, ask->h->method))
			return i;
		n = strlen(allow);
		snprintf(allow + n, sizeof allow - n, "%s%s", n > 0 ? ", " :
		    "", strcmp(routes[i].method, "GET") == 0 ? "GET, HEAD" :
		    routes[i].method);
	}
	if (allow[0] != '\0')
		say_method(ask->r, allow);
	else
		say_error(ask->r, 404, "there is no such path", NULL);
	return ROUTES;
}

static void
serve_get(struct api *a, const struct web_ask *ask, enum api_do what,
    struct str name)
{
	switch (what) {
	case DO_STATUS:
		get_status(a, ask);
		break;
	case DO_BACKENDS:
		get_backends(a, ask);
		break;
	case DO_REQUESTS:
		get_requests(a, ask);
		break;
	case DO_REQUEST:
		get_request(a, ask, name);
		break;
	case DO_CONFIG:
		get_config(a, ask);
		break;
	default:
		get_events(a, ask);
		break;
	}
}

static void
serve_test(struct api *a, const struct web_ask *ask, struct str name)
{
	long place = change_place(a->h, name);

	if (place == -1)
		say_error(ask->r, 404, "there is no backend of that name",
		    NULL);
	else
		tryout_place(a->tryouts, ask->r, (size_t)place);
}

static void
serve_change(struct api *a, const struct web_ask *ask, enum api_do what,
    struct str name)
{
	struct web_request *r = ask->r;

	switch (what) {
	case DO_ADD:
		change_add(a->change, r, ask->body);
		break;
	case DO_PUT:
		change_put(a->change, r, name, ask->body);
		break;
	case DO_DELETE:
		change_delete(a->change, r, name);
		break;
	case DO_ENABLE:
	case DO_DISABLE:
		change_switch(a->change, r, name, what == DO_ENABLE);
		break;
	case DO_CLEAR:
		change_clear(a->change, r, name);
		break;
	case DO_TEST:
		serve_test(a, ask, name);
		break;
	case DO_TEST_BODY:
		tryout_body(a->tryouts, r, ask->body);
		break;
	case DO_ORDER:
		change_order(a->change, r, ask->body);
		break;
	case DO_UNDO:
		change_undo(a->change, r, ask->body);
		break;
	case DO_RELOAD:
		change_reload(a->change, r);
		break;
	case DO_LOGIN:
		log_in(a, ask);
		break;
	default:
		log_out(a, ask);
		break;
	}
}

/* 1 if the content is JSON: no form of a web page can say that. */
static int
is_json(const struct http_head *h)
{
	struct str type = http_get(h, HTTP_CONTENT_TYPE);
	const char *end = type.n == 0 ? NULL : memchr(type.p, ';', type.n);

	if (end != NULL)
		type.n = (size_t)(end - type.p);
	return str_caseis(str_trim(type), "application/json");
}

static void
serve_api(struct api *a, const struct web_ask *ask)
{
	struct str path = str_n(ask->h->path.p + 5, ask->h->path.n - 5);
	struct str raw = str_of("");
	size_t i = route_find(ask, path, &raw);
	enum api_do what;
	struct buf name;

	if (i == ROUTES)
		return;
	what = routes[i].what;
	if (what != DO_LOGIN && !is_known(a, ask->h)) {
		say_error(ask->r, 401, "web_admin.token is needed: log in, "
		    "or send it as Authorization: Bearer", NULL);
		return;
	}
	buf_init(&name, raw.n);
	http_unescape(&name, raw);
	if (what <= DO_EVENTS)
		serve_get(a, ask, what, buf_str(&name));
	else if (!is_json(ask->h))
		say_error(ask->r, 415, "changes need content-type: "
		    "application/json", NULL);
	else
		serve_change(a, ask, what, buf_str(&name));
	buf_free(&name);
}

static void
serve_page(const struct web_ask *ask)
{
	struct str type, body;
	struct buf f;

	if (page_get(ask->h->path, &type, &body) == -1) {
		say_error(ask->r, 404, "there is no such page", NULL);
		return;
	}
	if (!str_is(ask->h->method, "GET") &&
	    !str_is(ask->h->method, "HEAD")) {
		say_method(ask->r, "GET, HEAD");
		return;
	}
	buf_init(&f, 4096);
	http_write_field(&f, "content-type", type);
	buf_adds(&f, say_guard);
	web_answer(ask->r, 200, buf_str(&f), body);
	buf_free(&f);
}

void
api_site(void *arg, const struct web_ask *ask)
{
	struct api *a = arg;
	int api = str_starts(ask->h->path, "/api/");
	const char *why = guard_judge(a->h->clients->gen->cfg, ask->h, api);

	if (why != NULL)
		say_error(ask->r, 403, why, NULL);
	else if (api)
		serve_api(a, ask);
	else
		serve_page(ask);
}
