#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/route.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])
#define MSG "POST /v1/messages"
#define CHAT "POST /v1/chat/completions"
#define GEM "POST /v1beta/models/"
#define COUNT "POST /v1/messages/count_tokens"
#define LAST 2000000	/* of those who count for another API */

/* A config made live as far as routes need it. */
struct world {
	struct generation gen;
	struct failover registry;
	struct target *targets;
};

static const char *
get_env(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return NULL;
}

/* backends: the members of each but url, named a, b, c ... */
static void
world_make(struct world *w, const char *const *backends, size_t n)
{
	static const struct config_env env = { get_env, NULL, NULL };
	static const struct config_flags flags = { -1, -1, 0 };
	struct buf text, faults, notes;
	size_t i;

	buf_init(&text, 65536);
	buf_init(&faults, 8192);
	buf_init(&notes, 65536);
	buf_adds(&text, "{\"backends\":[");
	for (i = 0; i < n; i++)
		buf_fmt(&text, "%s{\"name\":\"%c\",\"base_url\":"
		    "\"http://[::1]\"%s}", i > 0 ? "," : "", (int)('a' + i),
		    backends[i]);
	buf_adds(&text, "]}");
	memset(w, 0, sizeof *w);
	w->gen.cfg = config_parse(buf_str(&text), "f.json", &env, &flags,
	    &faults, &notes);
	T_OK(w->gen.cfg != NULL, "%s", buf_cstr(&faults));
	w->targets = calloc(n, sizeof *w->targets);
	if (w->gen.cfg == NULL || w->targets == NULL)
		exit(t_end());
	failover_init(&w->registry);
	for (i = 0; i < n; i++) {
		w->targets[i].cfg = &w->gen.cfg->backends[i];
		w->targets[i].health = failover_get(&w->registry,
		    w->targets[i].cfg->name);
	}
	w->gen.targets = w->targets;
	w->gen.registry = &w->registry;
	buf_free(&text);
	buf_free(&faults);
	buf_free(&notes);
}

static void
world_free(struct world *w)
{
	size_t i;

	for (i = 0; i < w->gen.cfg->nbackends; i++)
		failover_put(&w->registry, w->targets[i].health);
	failover_free(&w->registry);
	config_free(w->gen.cfg);
	free(w->targets);
}

/* line: "METHOD TARGET"; fields: whole lines.  text: what h points into. */
static void
head_make(struct http_head *h, struct buf *text, const char *line,
    const char *fields)
{
	buf_init(text, 8192);
	buf_fmt(text, "%s HTTP/1.1\r\nHost: p\r\n%s\r\n", line, fields);
	T_OK(http_request(h, buf_cstr(text), text->len, 0) == HTTP_OK, "%s",
	    line);
}

/* ---- what a request says ---- */

static const struct {
	const char *line, *body, *model;
	int stream, json;
	int status;		/* of the fault; 0: none */
	const char *why;	/* a part of it */
} bodies[] = {
	{ MSG, "{\"model\":\"m\",\"stream\":true}", "m", 1, 1, 0, NULL },
	{ MSG, "{\"stream\":false,\"model\":\"m\"}", "m", 0, 1, 0, NULL },
	{ MSG, " {\r\n\"messages\":[{\"model\":\"x\",\"stream\":true}],"
	    "\"model\" : \"m\" }\n", "m", 0, 1, 0, NULL },
	{ MSG, "{\"model\":\"a\",\"model\":\"b\",\"stream\":true,"
	    "\"stream\":false}", "b", 0, 1, 0, NULL },
	{ MSG, "{\"mod\\u0065l\":\"a\\/b\\u00e9\",\"strea\\u006d\":true}",
	    "a/b\xc3\xa9", 1, 1, 0, NULL },
	{ MSG, "{\"model\":null,\"stream\":\"true\"}", "", 0, 1, 0, NULL },
	{ MSG, "{\"model\":7,\"stream\":1}", "", 0, 1, 0, NULL },
	{ MSG, "{\"model\":\"\"}", "", 0, 1, 0, NULL },
	{ MSG, "{}", "", 0, 1, 0, NULL },
	{ CHAT, "{\"model\":\"gpt-4\",\"stream\":true}", "gpt-4", 1, 1, 0,
	    NULL },
	{ "POST /v1/responses", "{\"model\":\"o3\",\"stream\":true}", "o3", 1,
	    1, 0, NULL },
	{ "POST /v1/messages/count_tokens", "{\"model\":\"m\"}", "m", 0, 1, 0,
	    NULL },
	{ "POST /v1/v1/messages?beta=true", "{\"model\":\"m\"}", "m", 0, 1, 0,
	    NULL },
	/* bodies that had to be JSON */
	{ MSG, "", "", 0, 0, 400, "line 1, column 1)" },
	{ MSG, "{\"model\":\"m\",\n\n \"stream\":yes}", "", 0, 0, 400,
	    "(line 3, column 11)" },
	{ MSG, "{\"model\":\"m\"}\n}", "", 0, 0, 400, "(line 2, column 1)" },
	{ MSG, "[1]", "", 0, 0, 400, "not a JSON object" },
	{ MSG, "{\"model\":\"m\"", "", 0, 0, 400, "line 1" },
	{ CHAT, "model=m", "", 0, 0, 400, "line 1, column 1)" },
	{ "POST /v1/responses", "\xef\xbb\xbf{}", "", 0, 0, 400, "line 1" },
	{ "POST /v1/messages/count_tokens", "x", "", 0, 0, 400, "line 1" },
	{ GEM "g:generateContent", "{", "g", 0, 0, 400, "line 1" },
	/* others may be what they like */
	{ "POST /v1/completions", "{\"model\":\"m\",\"stream\":true}", "m", 1,
	    1, 0, NULL },
	{ "POST /v1/embeddings", "--form\r\n", "", 0, 0, 0, NULL },
	{ "POST /v1/audio/speech", "{\"model\":", "", 0, 0, 0, NULL },
	{ "POST /v1/files", "{\"model\":\"m\"}", "", 0, 0, 0, NULL },
	{ "GET /v1/messages", "", "", 0, 0, 0, NULL },
	{ "GET /v1/models", "", "", 0, 0, 0, NULL },
	/* paths that many a server reads as known ones */
	{ "POST /v1/x/../messages", "{\"model\":\"m\"}", "", 0, 0, 400,
	    "plainly" },
	{ "POST /v1/%6dessages", "{\"model\":\"m\"}", "", 0, 0, 400,
	    "plainly" },
	{ "POST /a/%2E%2e/./v1/chat%2Fcompletions", "", "", 0, 0, 400,
	    "plainly" },
	{ "POST /../../v1/responses", "", "", 0, 0, 400, "plainly" },
	{ "POST /%76%31beta/models/g%3AgenerateContent", "", "", 0, 0, 400,
	    "plainly" },
	{ "GET /v1//x/../models", "", "", 0, 0, 400, "plainly" },
	{ "POST /v1/x//../messages", "", "", 0, 0, 400, "plainly" },
	{ "POST /v1/messages/%2e", "", "", 0, 0, 400, "plainly" },
	{ "POST /v1/files/%2e%2e/x%", "", "", 0, 0, 0, NULL },
	{ "POST /v1/messages/../files/a%20b", "", "", 0, 0, 0, NULL },
	{ "GET /v1/.messages/.../%6", "", "", 0, 0, 0, NULL },
	{ "GET /a%2fv1//", "", "", 0, 0, 0, NULL },
	/* Gemini: both stand in the path */
	{ GEM "g:generateContent", "{\"model\":\"x\",\"stream\":true}", "g",
	    0, 1, 0, NULL },
	{ GEM "g:streamGenerateContent?alt=sse", "{}", "g", 1, 1, 0, NULL },
	{ GEM "g:streamGenerateContent", "{}", "g", 1, 1, 0, NULL },
	{ GEM "g:countTokens", "{}", "g", 0, 1, 0, NULL },
	{ GEM "a%2Fb:generateContent", "{}", "a/b", 0, 1, 0, NULL }
};

static void
test_bodies(void)
{
	static const char *const backends[] = {
		"", ",\"api_type\":\"openai\"", ",\"api_type\":\"gemini\""
	};
	struct route_fault f;
	struct http_head h;
	struct world w;
	struct route r;
	struct buf text;
	char *body;
	size_t i;
	int rc;

	world_make(&w, backends, N(backends));
	for (i = 0; i < N(bodies); i++) {
		head_make(&h, &text, bodies[i].line, "");
		memset(&f, 0, sizeof f);
		body = str_dup(str_of(bodies[i].body));
		rc = route_make(&r, &h, str_of(body), &w.gen, NULL, &f);
		/* A name out of the body must outlive it. */
		free(body);
		T_OK(rc == (bodies[i].status ? -1 : 0) &&
		    f.status == bodies[i].status, "%s %s: %d %s",
		    bodies[i].line, bodies[i].body, f.status, f.why);
		if (bodies[i].why != NULL)
			T_OK(strstr(f.why, bodies[i].why) != NULL, "%s: %s",
			    bodies[i].body, f.why);
		T_OK(r.json == bodies[i].json && (rc == -1 ||
		    (r.stream == bodies[i].stream &&
		    str_is(r.model, bodies[i].model))), "%s %s: %.*s %d %d",
		    bodies[i].line, bodies[i].body, (int)r.model.n, r.model.p,
		    (int)r.stream, (int)r.json);
		route_free(&r);
		buf_free(&text);
	}
	world_free(&w);
}

static void
test_long_name(void)
{
	static const char *const backends[] = { "" };
	struct route_fault f;
	struct http_head h;
	struct world w;
	struct route r;
	struct buf text, body;
	size_t n;

	world_make(&w, backends, 1);
	head_make(&h, &text, MSG, "");
	buf_init(&body, 8192);
	for (n = 1023; n <= 1026; n++) {
		buf_clear(&body);
		buf_adds(&body, "{\"model\":\"");
		while (body.len < n + 10)
			buf_addc(&body, 'x');
		buf_adds(&body, "\"}");
		memset(&f, 0, sizeof f);
		T_OK(route_make(&r, &h, buf_str(&body), &w.gen, NULL, &f) ==
		    (n <= 1024 ? 0 : -1) && f.status == (n <= 1024 ? 0 : 400),
		    "%lu: %d", (unsigned long)n, f.status);
		T_OK(n > 1024 ? strstr(f.why, "too long") != NULL :
		    r.model.n == n, "%lu: %s", (unsigned long)n, f.why);
		route_free(&r);
	}
	buf_free(&body);
	buf_free(&text);
	world_free(&w);
}

/* ---- who may serve it ---- */

#define CL ""
#define OA ",\"api_type\":\"openai\""
#define GE ",\"api_type\":\"gemini\""
#define OFF ",\"enabled\":false"
#define M(x) "{\"model\":\"" x "\"}"

/* Of up to five backends, those that are candidates, in config order. */
static const struct {
	const char *backends[5];
	const char *line, *fields, *body;
	const char *wanted;	/* their names; NULL: a fault */
	int status;
	const char *why;
} routes[] = {
	{ { CL, CL, CL }, MSG, "", M("claude-x"), "abc", 0, NULL },
	{ { CL ",\"priority\":9", CL ",\"priority\":1", CL }, MSG, "",
	    M("claude-x"), "abc", 0, NULL },
	{ { CL, CL OFF, CL }, MSG, "", M("claude-x"), "ac", 0, NULL },
	{ { CL, OA, GE }, MSG, "", M("claude-x"), "a", 0, NULL },
	{ { CL, OA, GE }, CHAT, "", M("gpt-4"), "b", 0, NULL },
	{ { CL, OA, GE }, GEM "gemini-2:generateContent", "", "{}", "c", 0,
	    NULL },
	/* what generates is translated; the vendor of a known name decides */
	{ { CL, OA, GE, CL }, MSG, "", M("unknown"), "abcd", 0, NULL },
	{ { CL, OA, GE OFF }, CHAT, "", M("unknown"), "ab", 0, NULL },
	{ { OA, CL, GE }, GEM "g:generateContent", "", "{}", "abc", 0, NULL },
	{ { OA, CL, GE }, GEM "claude-x:streamGenerateContent", "", "{}", "b",
	    0, NULL },
	{ { CL, OA, GE }, MSG, "", M("gpt-4"), "b", 0, NULL },
	{ { OA ",\"model\":\"m\"", GE, CL }, MSG, "", M("claude-x"), "ac", 0,
	    NULL },
	{ { OA, CL, GE }, "POST /v1/responses", "", M("unknown"), "abc", 0,
	    NULL },
	{ { OA ",\"responses\":false", CL }, "POST /v1/responses", "",
	    M("o3"), "a", 0, NULL },
	/* so is counting, but not into or from OpenAI's API */
	{ { GE, OA, CL }, COUNT, "", M("unknown"), "ac", 0, NULL },
	{ { CL, OA, GE, CL }, GEM "g:countTokens", "", "{}", "acd", 0, NULL },
	{ { OA, CL OFF }, COUNT, "", M("unknown"), NULL, 503, "disabled" },
	{ { OA }, COUNT, "", M("unknown"), NULL, 404, "speaks the OpenAI API, "
	    "into which this path cannot be translated" },
	/* embeddings and other paths never are */
	{ { CL, OA, GE }, "POST /v1/embeddings", "", M("e"), "b", 0, NULL },
	{ { GE, CL }, "POST /v1/embeddings", "", M("e"), NULL, 404, "speaks "
	    "the Anthropic API, into which this path cannot be translated" },
	{ { OA, GE, CL }, "POST /v1/messages/batches", "", "{}", "c", 0,
	    NULL },
	{ { CL, CL }, MSG, "", "{}", "ab", 0, NULL },
	/* patterns, and models of another vendor */
	{ { CL ",\"models\":[\"claude-*\"]", CL, CL ",\"models\":[\"z\"]" },
	    MSG, "", M("Claude-X"), "ab", 0, NULL },
	{ { CL ",\"models\":[\"claude-*\"]", CL }, MSG, "", "{}", "b", 0,
	    NULL },
	{ { CL, CL ",\"model\":\"m\"", CL ",\"models\":[\"gpt-*\"]" }, MSG,
	    "", M("gpt-4"), "bc", 0, NULL },
	/* nobody ever could */
	{ { CL, CL }, MSG, "", M("gpt-4"), NULL, 404,
	    "no backend serves the model \"gpt-4\" to anthropic clients (" },
	{ { OA, GE, OA OFF }, MSG, "", M("claude-x"), NULL, 404, "the model is "
	    "another vendor's, and it has neither model nor models" },
	{ { CL, GE }, CHAT, "", M("gpt-4"), NULL, 404, "openai clients" },
	{ { OA ",\"models\":[\"a\"]" }, CHAT, "", M("b"), NULL, 404,
	    "not among its models" },
	{ { CL }, "POST /v1/embeddings", "", M("e"), NULL, 404, "\"e\"" },
	{ { OA }, MSG, "", "{}", "a", 0, NULL },
	{ { CL }, "POST /v1/embeddings", "", "{}", NULL, 404,
	    "the model \"\" to" },
	{ { CL, CL }, GEM "gemini-2:generateContent", "", "{}", NULL, 404,
	    "gemini clients" },
	/* one could, but it is switched off */
	{ { OA, CL OFF }, MSG, "", M("claude-x"), NULL, 503,
	    "no enabled backend serves the model \"claude-x\" to anthropic "
	    "clients (those that could are disabled)" },
	{ { CL ",\"models\":[\"x\"]", CL OFF }, MSG, "", M("y"), NULL, 503,
	    "disabled" },
	/* other paths: the dialect's, else the first of any */
	{ { CL, OA, OA }, "GET /v1/files", "", "", "bc", 0, NULL },
	{ { CL, OA, CL }, "GET /v1/files", "anthropic-version: 1\r\n", "",
	    "ac", 0, NULL },
	{ { CL, CL OFF, GE }, "GET /v1/files", "", "", "ac", 0, NULL },
	{ { CL, OA OFF }, "GET /else", "", "", "a", 0, NULL },
	{ { GE, CL }, "PUT /else", "x-api-key: k\r\n", "junk", "b", 0, NULL },
	{ { OA }, "GET /v1/messages", "", "", "a", 0, NULL },
	{ { GE, OA }, "GET /v1/models", "", "", "b", 0, NULL },
	{ { CL, CL }, "GET /v1/models", "", "", NULL, 404, "openai" }
};

static void
check_route(const struct world *w, const struct route *r, size_t i)
{
	const struct target *t;
	char names[6];
	size_t k;

	for (k = 0; k < r->n && k < 5; k++) {
		t = &w->targets[r->index[k]];
		names[k] = *t->cfg->name.p;
		T_OK(r->cands[k].b == t->health &&
		    r->cands[k].priority == t->cfg->priority +
		    (r->call.op == OP_COUNT && t->cfg->api !=
		    r->call.dialect ? LAST : 0) &&
		    r->cands[k].tried == 0 && !r->limited[k],
		    "row %lu: %d", (unsigned long)i, r->cands[k].priority);
	}
	names[k] = '\0';
	T_OK(strcmp(names, routes[i].wanted) == 0, "row %lu: %s, not %s",
	    (unsigned long)i, names, routes[i].wanted);
}

static void
test_routes(void)
{
	struct route_fault f;
	struct http_head h;
	struct world w;
	struct route r;
	struct buf text;
	size_t i, n;
	int rc;

	for (i = 0; i < N(routes); i++) {
		for (n = 0; n < 5 && routes[i].backends[n] != NULL; n++)
			;
		world_make(&w, routes[i].backends, n);
		head_make(&h, &text, routes[i].line, routes[i].fields);
		memset(&f, 0, sizeof f);
		rc = route_make(&r, &h, str_of(routes[i].body), &w.gen, NULL,
		    &f);
		T_OK((rc == 0) == (routes[i].wanted != NULL) &&
		    f.status == routes[i].status, "row %lu: %d %s",
		    (unsigned long)i, f.status, f.why);
		if (rc == 0 && routes[i].wanted != NULL)
			check_route(&w, &r, i);
		else if (rc == -1 && routes[i].why != NULL)
			T_OK(strstr(f.why, routes[i].why) != NULL,
			    "row %lu: %s", (unsigned long)i, f.why);
		route_free(&r);
		buf_free(&text);
		world_free(&w);
	}
}

/* A name that is shown is cut, and the sentence stays one. */
static void
test_shown(void)
{
	static const char *const backends[] = { CL };
	struct route_fault f;
	struct http_head h;
	struct world w;
	struct route r;
	struct buf text, body;
	size_t i;

	world_make(&w, backends, 1);
	head_make(&h, &text, MSG, "");
	buf_init(&body, 8192);
	buf_adds(&body, "{\"model\":\"");
	buf_adds(&body, "gpt-");
	for (i = 0; i < 996; i++)
		buf_addc(&body, 'y');
	buf_adds(&body, "\"}");
	T_OK(route_make(&r, &h, buf_str(&body), &w.gen, NULL, &f) == -1 &&
	    f.status == 404, "%d", f.status);
	T_OK(strspn(strchr(f.why, '"') + 1, "gpt-y") == 100 &&
	    str_ends(str_of(f.why), "nor models)"), "%s", f.why);
	route_free(&r);
	buf_free(&body);
	buf_free(&text);
	world_free(&w);
}

/* ---- what a backend is to see ---- */

#define TO ",\"model\":\"new\""

static const struct {
	const char *backend, *line, *body;
	const char *wanted;	/* NULL: the original */
} rewrites[] = {
	{ "", MSG, M("old"), NULL },
	{ TO, MSG, M("new"), NULL },
	{ TO, MSG, "{\"model\":\"n\\u0065w\"}", NULL },
	{ TO, MSG, "{}", NULL },
	{ TO, MSG, "{\"metadata\":{\"model\":\"old\"}}", NULL },
	{ TO, MSG, M("old"), M("new") },
	{ TO, MSG, " { \"a\" : [ 1.50, \"\\u00e9\\/\" ] ,\r\n\t\"model\"\t:"
	    "\n\"old\" , \"x\":{\"model\":\"old\"} } \n", " { \"a\" : [ 1.50, "
	    "\"\\u00e9\\/\" ] ,\r\n\t\"model\"\t:\n\"new\" , \"x\":{\"model\":"
	    "\"old\"} } \n" },
	{ TO, MSG, "{\"model\":\"a\",\"model\":\"b\",\"z\":0,\"model\":1}",
	    "{\"model\":\"new\",\"model\":\"new\",\"z\":0,\"model\":\"new\"}" },
	{ TO, MSG, "{\"mod\\u0065l\":\"a\",\"Model\":\"b\"}",
	    "{\"mod\\u0065l\":\"new\",\"Model\":\"b\"}" },
	{ TO, MSG, "{\"model\":null,\"n\":12345678901234567890}",
	    "{\"model\":\"new\",\"n\":12345678901234567890}" },
	{ TO, MSG, "{\"model\":{\"a\":[1]}}", M("new") },
	{ ",\"model\":\"q\\\"\\\\\\u00e9\"", MSG, M("old"),
	    M("q\\\"\\\\\xc3\xa9") },
	{ ",\"models\":{\"claude-*\":\"glm\",\"x\":\"y\"}", MSG,
	    M("Claude-3"), M("glm") },
	{ ",\"models\":{\"claude-*\":\"glm\",\"x\":\"y\"}", MSG, M("x"),
	    M("y") },
	{ ",\"models\":[\"claude-*\"]", MSG, M("claude-3"), NULL },
	{ OA TO, CHAT, M("gpt-4"), M("new") },
	{ OA TO, "POST /v1/embeddings", M("old"), M("new") },
	{ OA TO, "POST /v1/embeddings", "form", NULL },
	{ OA TO, "POST /v1/files", M("old"), NULL },
	{ GE TO, GEM "gemini-2:generateContent", M("old"), NULL }
};

static void
test_rewrites(void)
{
	struct route_fault f;
	struct http_head h;
	struct world w;
	struct route r;
	struct buf text, out;
	struct str body;
	size_t i;
	int n;

	for (i = 0; i < N(rewrites); i++) {
		world_make(&w, &rewrites[i].backend, 1);
		head_make(&h, &text, rewrites[i].line, "");
		body = str_of(rewrites[i].body);
		memset(&f, 0, sizeof f);
		memset(&out, 0, sizeof out);
		T_OK(route_make(&r, &h, body, &w.gen, NULL, &f) == 0, "%s: %s",
		    body.p, f.why);
		n = route_body(&r, w.targets[0].cfg, body, &out);
		T_OK(n == (rewrites[i].wanted != NULL), "%s: %d", body.p, n);
		if (rewrites[i].wanted != NULL)
			T_OK(str_is(buf_str(&out), rewrites[i].wanted),
			    "%s: %s", body.p, buf_cstr(&out));
		else
			T_OK(out.len == 0 && out.p == NULL, "%s: added",
			    body.p);
		buf_free(&out);
		route_free(&r);
		buf_free(&text);
		world_free(&w);
	}
}

/* Each of several backends sees its own name for the same request. */
static void
test_each(void)
{
	static const char *const backends[] = {
		",\"model\":\"one\"", "",
		",\"models\":{\"*\":\"a-longer-name\"}"
	};
	static const char *const wanted[] = {
		M("one"), NULL, M("a-longer-name")
	};
	struct route_fault f;
	struct http_head h;
	struct world w;
	struct route r;
	struct buf text, out;
	struct str body = str_of(M("claude-x"));
	size_t i, k;

	world_make(&w, backends, N(backends));
	head_make(&h, &text, MSG, "");
	T_OK(route_make(&r, &h, body, &w.gen, NULL, &f) == 0 && r.n == 3, "%s",
	    f.why);
	for (i = 0; i < 2 * r.n; i++) {
		k = i % r.n;
		memset(&out, 0, sizeof out);
		T_OK(route_body(&r, w.targets[r.index[k]].cfg, body, &out) ==
		    (wanted[k] != NULL), "%lu", (unsigned long)k);
		T_OK(wanted[k] == NULL || str_is(buf_str(&out), wanted[k]),
		    "%s", buf_cstr(&out));
		buf_free(&out);
	}
	route_free(&r);
	buf_free(&text);
	world_free(&w);
}

int
main(void)
{
	test_bodies();
	test_long_name();
	test_routes();
	test_shown();
	test_rewrites();
	test_each();
	return t_end();
}
