#include "admin/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/home_page.h"
#include "base/log.h"
#include "relay/door.h"
#include "tests/t.h"

/*
 * The page at `/`: what it shows, to whom, and that all text stays text.
 */

#define WALL INT64_C(1784635200000)	/* 2026-07-21 12:00:00 UTC */
#define KEY "client-key+0001"

static struct stats stats;
static struct buf page;

static int
holds(const char *what)
{
	return str_casefind(buf_str(&page), str_of(what)) != -1;
}

static unsigned
count(const char *what)
{
	struct str s = buf_str(&page);
	unsigned n = 0;
	long at;

	while ((at = str_casefind(s, str_of(what))) != -1) {
		s.p += (size_t)at + 1;
		s.n -= (size_t)at + 1;
		n++;
	}
	return n;
}

/* One request that has ended, after 1234 ms. */
static void
request(const char *path, const char *model, const char *reason, int status)
{
	struct stats_request r;
	struct stats_end end;
	struct dialect_watch w;
	struct stats_entry *e;

	memset(&r, 0, sizeof r);
	r.id = str_of("req_1");
	r.method = str_of("POST");
	r.path = str_of(path);
	r.wall_ms = WALL;
	r.began_us = 1000;
	e = stats_begin(&stats, &r);
	stats_model(e, str_of(model), 0);
	stats_try_begin(&stats, e, str_of("upstream"), 0, 2000);
	stats_try_end(&stats, e, status < 400 ? STATS_GOOD : STATS_RETURNED,
	    status, reason, 3000, WALL);
	dialect_watch_start(&w, DIALECT_OPENAI, OP_GENERATE);
	if (status < 400) {
		w.usage.input = 7;
		w.usage.cache_read = 2;
		w.usage.output = 17;
	}
	memset(&end, 0, sizeof end);
	end.status = status;
	end.outcome = status < 400 ? STATS_GOOD : STATS_RETURNED;
	end.backend = str_of("upstream");
	end.model_label = str_of("other");
	end.watch = &w;
	end.to = DIALECT_ANY;
	stats_end(&stats, e, &end, 1000 + 1234000, WALL + 1234);
}

static void
render(enum home_who who, const char *note)
{
	struct home_view v;

	v.stats = &stats;
	v.who = who;
	v.attempts = 3;
	v.now_ms = WALL + 3 * 3600000 + 60000;
	v.note = note;
	v.dashboard = str_of("http://127.0.0.1:8081/");
	buf_clear(&page);
	home_page(&page, &v);
	T_OK(!page.bad && str_ends(buf_str(&page), "</html>\n"), "whole");
	T_OK(!holds("<script") && !holds("<img") && count("http") <= 1,
	    "nothing from elsewhere, nothing that runs");
}

static void
test_empty(void)
{
	stats_init(&stats, WALL);
	render(HOME_STRANGER, "");
	T_OK(holds("None has ended yet") && !holds("<table"), "no table");
	T_OK(holds("Running for 3 h 1 min"), "uptime");
	T_OK(holds("3 attempts at most"), "attempts");
	T_OK(holds("<dt>Success rate</dt><dd>&ndash;"), "no rate of nothing");
	stats_free(&stats);
}

static void
test_figures(void)
{
	stats_init(&stats, WALL);
	request("/v1/chat/completions", "gpt-4o", "", 200);
	request("/v1/messages", "claude-x", "the reason", 500);
	request("/v1/messages", "claude-x", "", 200);
	render(HOME_STRANGER, "");
	T_OK(holds("<dt>Requests</dt><dd>3<"), "requests");
	T_OK(holds("<dt>Succeeded</dt><dd>2<"), "good");
	T_OK(holds("<dt>Failed</dt><dd>1<"), "failed");
	T_OK(holds("<dd>66.7 %<"), "rate");
	T_OK(holds("<dt>Tokens in</dt><dd>18<"), "tokens in");
	T_OK(holds("<dt>Tokens out</dt><dd>34<"), "tokens out");
	T_OK(count("<tr><td>") == 3, "%u rows", count("<tr><td>"));
	T_OK(holds("<time datetime=\"2026-07-21T12:00:00Z\">"
	    "<span class=\"d\">2026-07-21 </span>12:00:00</time>"), "time");
	T_OK(holds("class=\"g\">200</td><td class=\"n\">1.2 s</td>"
	    "<td class=\"n\">1</td><td class=\"n\">9</td>"
	    "<td class=\"n\">17</td></tr>"), "a good row");
	T_OK(holds("class=\"b\">500</td><td class=\"n\">1.2 s</td>"
	    "<td class=\"n\">1</td><td class=\"n\">&ndash;</td>"
	    "<td class=\"n\">&ndash;</td></tr>"), "a bad row");
	T_OK(!holds("gpt-4o") && !holds("claude-x") && !holds("reason") &&
	    !holds("POST /") && !holds("8081") && !holds(">Request<"),
	    "figures only");
	T_OK(holds("type=\"password\"") && !holds("Log out"), "the form");
	render(HOME_KNOWN, "");
	T_OK(holds("<bdi>POST /v1/chat/completions</bdi> <bdi>gpt-4o</bdi>"),
	    "path and model");
	T_OK(holds("the reason") && holds("http://127.0.0.1:8081/"), "all");
	T_OK(!holds("type=\"password\"") && holds("Log out"), "the way out");
	render(HOME_OPEN, "a note");
	T_OK(holds("gpt-4o") && !holds("password") && !holds("Log out"),
	    "nothing to log in to");
	T_OK(holds("role=\"alert\">a note<"), "the note");
	stats_free(&stats);
}

static void
test_text(void)
{
	char path[5000];

	stats_init(&stats, WALL);
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	log_secret(str_of("sk-a-secret-of-the-config"));
	request("/<script>alert(1)</script>", "\"'&amp;</td>\001\177", "", 200);
	request("/v1/messages", "m", "</span><img src=x onerror=\"a\">", 500);
	request("/sk-a-secret-of-the-config/x", "\303\251\342\202\254", "",
	    200);
	request(path, "long", "", 200);
	render(HOME_KNOWN, "");
	T_OK(holds("POST /&lt;script&gt;alert(1)&lt;/script&gt;<"), "tags");
	T_OK(holds(">&quot;&#39;&amp;amp;&lt;/td&gt;&#65533;&#65533;<"),
	    "quotes and controls");
	T_OK(holds("&lt;/span&gt;&lt;img src=x onerror=&quot;a&quot;&gt;"),
	    "a reason");
	T_OK(holds("/sk-a...nfig/x") && !holds("secret-of"), "masked");
	T_OK(holds("\303\251\342\202\254"), "other letters stay");
	T_OK(holds("xxx</bdi> <bdi>long") && page.len < 12000, "bounded");
	log_forget();
	stats_free(&stats);
}

static void
test_fifty(void)
{
	struct home_view v = { &stats, HOME_KNOWN, 3, WALL, "", { "", 0 } };
	char model[16];
	int i;

	stats_init(&stats, WALL);
	for (i = 0; i < 51; i++) {
		snprintf(model, sizeof model, "model-%03d", i);
		request("/v1/messages", model, "", 200);
	}
	render(HOME_KNOWN, "");
	T_OK(count("<tr><td>") == HOME_ROWS, "%u", count("<tr><td>"));
	T_OK(!holds("model-000") && holds("model-001") && holds("model-050"),
	    "the oldest is gone");
	T_OK(str_casefind(buf_str(&page), str_of("model-050")) <
	    str_casefind(buf_str(&page), str_of("model-001")), "newest first");
	buf_free(&page);
	buf_init(&page, 6000);
	home_page(&page, &v);
	T_OK(page.bad, "told when it does not fit");
	buf_free(&page);
	buf_init(&page, 1u << 20);
	stats_free(&stats);
}

/* ---- who is let in ---- */

static const char *
env_get(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "PROXY_URL") == 0 ? "http://127.0.0.1:9" :
	    strcmp(name, "MY_ACCESS_KEY") == 0 ? KEY : NULL;
}

static struct generation generation;
static struct client_env clients;
static struct admin_host host;
static struct buf fields;

static int
answer(struct home *m, const char *head, const char *body)
{
	struct http_head h;

	T_OK(http_request(&h, head, strlen(head), 0) == HTTP_OK, "%s", head);
	buf_clear(&page);
	buf_clear(&fields);
	return home_answer(m, &h, str_of(body), &fields, &page);
}

static int
says(const char *what)
{
	return str_casefind(buf_str(&fields), str_of(what)) != -1;
}

#define ENTER "POST / HTTP/1.1\r\nhost: x\r\n" \
    "content-type: application/x-www-form-urlencoded\r\n\r\n"

/* GET / with the session that the last answer gave. */
static int
with_session(struct home *m, const char *more)
{
	char head[512];
	long at = str_casefind(buf_str(&fields), str_of("spillway_home_"));
	const char *p = buf_cstr(&fields) + (at < 0 ? 0 : at);

	snprintf(head, sizeof head, "GET / HTTP/1.1\r\nhost: x\r\n"
	    "cookie: a=b; %.*s%s\r\n\r\n", (int)strcspn(p, ";"), p, more);
	return answer(m, head, "");
}

static struct config *
config_make(int form)
{
	static const struct config_flags none = { -1, -1, 0 };
	struct config_env env = { env_get, NULL, NULL };
	struct buf faults, notes;
	struct config *c;

	buf_init(&faults, 65536);
	buf_init(&notes, 65536);
	c = form ? config_from_env(&env, &none, &faults, &notes) :
	    config_parse(str_of("{\"backends\":[{\"name\":\"a\","
	    "\"base_url\":\"http://127.0.0.1:9\"}]}"), "f", &env, &none,
	    &faults, &notes);
	T_OK(c != NULL, "%s", buf_cstr(&faults));
	buf_free(&faults);
	buf_free(&notes);
	return c;
}

static void
test_line(void)
{
	struct home *m = home_new(&host);

	generation.cfg = config_make(0);
	host.admin_port = 0;
	T_OK(answer(m, "GET / HTTP/1.1\r\nhost: x\r\n\r\n", "") == 200 &&
	    holds("Spillway is running.") && !holds("Dashboard"), "none");
	T_OK(says("text/plain"), "its type");
	host.admin_port = 8081;
	answer(m, "GET / HTTP/1.1\r\nhost: x\r\n\r\n", "");
	T_OK(str_is(buf_str(&page), "Spillway is running. Dashboard: "
	    "http://127.0.0.1:8081/\n"), "%s", buf_cstr(&page));
	generation.cfg->web_admin.host = str_of("::");
	answer(m, "GET / HTTP/1.1\r\nhost: x\r\n\r\n", "");
	T_OK(holds(" http://[::1]:8081/\n"), "%s", buf_cstr(&page));
	generation.cfg->web_admin.host = str_of("0.0.0.0");
	answer(m, "GET / HTTP/1.1\r\nhost: x\r\n\r\n", "");
	T_OK(holds(" http://127.0.0.1:8081/\n"), "%s", buf_cstr(&page));
	config_free(generation.cfg);
	home_free(m);
}

static void
test_enter(void)
{
	struct home *m = home_new(&host);
	int i;

	generation.cfg = config_make(1);
	stats_init(&clients.ex.stats, WALL);
	T_OK(answer(m, "GET / HTTP/1.1\r\nhost: x\r\n\r\n", "") == 200 &&
	    says("text/html") && says("default-src 'none'") &&
	    holds("type=\"password\""), "a stranger");
	T_OK(answer(m, ENTER, "key=client-key+0001") == 403 &&
	    holds("not an access key") && !says("set-cookie"),
	    "a plus is a blank");
	T_OK(answer(m, ENTER, "a=1&key=client-key%2b0001") == 303 &&
	    says("location: /\r\n") && says("; HttpOnly; SameSite=Strict") &&
	    page.len == 0, "let in");
	T_OK(!says(KEY), "the key is not in it");
	T_OK(with_session(m, "") == 200 && holds("Log out"), "known");
	T_OK(answer(m, ENTER, "key=client-key%2B0001") == 303 &&
	    with_session(m, "0") == 200 && !holds("Log out"),
	    "a session that is none");
	T_OK(answer(m, ENTER, "") == 403 && answer(m, ENTER, "key=") == 403 &&
	    answer(m, ENTER, "key=x") == 403, "nothing is no key");
	T_OK(answer(m, ENTER, "key=y") == 403, "the fifth");
	T_OK(answer(m, ENTER, "key=client-key%2b0001") == 429 &&
	    holds("Too many") && says("retry-after: 60"), "too many");
	config_free(generation.cfg);
	stats_free(&clients.ex.stats);
	home_free(m);
	m = home_new(&host);
	generation.cfg = config_make(1);
	stats_init(&clients.ex.stats, WALL);
	for (i = 0; i < 40; i++)
		T_OK(answer(m, ENTER, "key=client-key%2b0001") == 303, "%d",
		    i);
	T_OK(with_session(m, "") == 200 && holds("Log out"), "the last one");
	answer(m, ENTER, "key=client-key%2b0001");
	generation.cfg->access_keys[0].hash[0] ^= 1;
	T_OK(with_session(m, "") == 200 && !holds("Log out"),
	    "another key ends it");
	generation.cfg->naccess_keys = 0;
	T_OK(answer(m, "GET / HTTP/1.1\r\nhost: x\r\n\r\n", "") == 200 &&
	    !holds("password"), "nobody is asked");
	config_free(generation.cfg);
	stats_free(&clients.ex.stats);
	home_free(m);
	home_free(NULL);
}

static void
test_leave(void)
{
	struct home *m = home_new(&host);
	char head[512], id[200];
	long at;

	generation.cfg = config_make(1);
	stats_init(&clients.ex.stats, WALL);
	answer(m, ENTER, "key=client-key%2b0001");
	at = str_casefind(buf_str(&fields), str_of("spillway_home_"));
	T_OK(at > 0, "a session");
	snprintf(id, sizeof id, "%.*s",
	    (int)strcspn(buf_cstr(&fields) + at, ";"),
	    buf_cstr(&fields) + at);
	snprintf(head, sizeof head, "POST / HTTP/1.1\r\nhost: x\r\n"
	    "cookie: %s\r\n"
	    "content-type: application/x-www-form-urlencoded\r\n\r\n", id);
	T_OK(answer(m, head, "leave=1") == 303 && says("Max-Age=0"), "left");
	snprintf(head, sizeof head, "GET / HTTP/1.1\r\nhost: x\r\n"
	    "cookie: %s\r\n\r\n", id);
	T_OK(answer(m, head, "") == 200 && !holds("Log out"), "over");
	config_free(generation.cfg);
	stats_free(&clients.ex.stats);
	home_free(m);
}

/* ---- the door before it ---- */

static void
test_door(void)
{
	static const struct {
		const char *head;
		int enters, status;
	} t[] = {
#define FORM "content-type: application/x-www-form-urlencoded\r\n"
#define TO(what, more) what " / HTTP/1.1\r\nhost: p.test:8000\r\n" more "\r\n"
		{ TO("POST", FORM), 1, 0 },
		{ TO("POST", FORM "origin: http://p.test:8000\r\n"), 1, 0 },
		{ TO("POST", FORM "origin: https://p.test:8000\r\n"), 1, 0 },
		{ TO("POST", FORM "origin: http://p.test\r\n"), 1, 403 },
		{ TO("POST", FORM "origin: http://p.test:80\r\n"), 1, 403 },
		{ TO("POST", FORM "origin: http://evil.test\r\n"), 1, 403 },
		{ TO("POST", FORM "origin: null\r\n"), 1, 403 },
		{ TO("POST", FORM "sec-fetch-site: cross-site\r\n"), 1, 403 },
		{ TO("POST", FORM "content-length: 16384\r\n"), 1, 0 },
		{ TO("POST", FORM "content-length: 16385\r\n"), 1, 413 },
		{ TO("POST", "content-type: text/plain\r\n"), 0, 0 },
		{ TO("POST", ""), 0, 0 },
		{ TO("POST", "origin: http://p.test:8000\r\n"), 0, 403 },
		{ TO("GET", ""), 0, 0 },
		{ TO("GET", "origin: http://p.test:8000\r\n"), 0, 403 },
		{ "POST /x HTTP/1.1\r\nhost: p.test:8000\r\n" FORM
		  "origin: http://p.test:8000\r\n\r\n", 0, 403 }
	};
	struct config *c = config_make(1), *own = config_make(0);
	struct http_head h;
	const char *why;
	size_t i;
	int rc;

	for (i = 0; i < sizeof t / sizeof *t; i++) {
		T_OK(http_request(&h, t[i].head, strlen(t[i].head), 0) ==
		    HTTP_OK, "%s", t[i].head);
		T_OK(door_enters(c, &h) == t[i].enters, "%s", t[i].head);
		rc = door_judge(c, &h, &why);
		T_OK(rc == t[i].status, "%d: %s", rc, t[i].head);
		T_OK(!door_enters(own, &h), "only there: %s", t[i].head);
	}
	config_free(c);
	config_free(own);
}

int
main(void)
{
	setenv("TZ", "UTC0", 1);
	log_setup(-1, LOG_INFO, 0);
	buf_init(&page, 1u << 20);
	buf_init(&fields, 8192);
	host.loop = loop_new();
	host.clients = &clients;
	clients.gen = &generation;
	T_OK(host.loop != NULL, "a loop");
	test_empty();
	test_figures();
	test_text();
	test_fifty();
	test_line();
	test_enter();
	test_leave();
	test_door();
	loop_free(host.loop);
	buf_free(&page);
	buf_free(&fields);
	return t_end();
}
