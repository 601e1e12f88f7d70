#include <stdlib.h>
#include <string.h>

#include "dialect/translate.h"
#include "json.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])
#define A DIALECT_ANTHROPIC
#define O DIALECT_OPENAI
#define G DIALECT_GEMINI
#define GEN OP_GENERATE
#define MIB ((size_t)1 << 20)

#define USER(t) "\"messages\":[{\"role\":\"user\",\"content\":\"" t "\"}]"
#define A_REQ "{\"model\":\"m\",\"max_tokens\":9," USER("hi") "}"
#define O_REQ "{\"model\":\"m\"," USER("hi") "}"
#define G_REQ "{\"contents\":[{\"parts\":[{\"text\":\"hi\"}]}]}"
#define R_REQ "{\"model\":\"m\",\"input\":\"hi\"}"

/* One client and one backend. */
struct pair {
	struct dialect_call call;
	struct translate_setup setup;
	uint64_t random;
};

static const struct translate_setup *
pair(struct pair *p, enum dialect client, enum dialect_op op,
    enum dialect upstream, const char *model, int stream)
{
	memset(p, 0, sizeof *p);
	p->call.dialect = client;
	p->call.op = op;
	p->call.model = str_of(client == G ? "asked" : "");
	p->call.stream = stream != 0 && client == G;
	p->random = 1;
	p->setup.call = &p->call;
	p->setup.model = str_of("asked");
	p->setup.stream = stream != 0;
	p->setup.target.dialect = upstream;
	p->setup.target.model = str_of(model);
	p->setup.target.stream = stream != 0;
	p->setup.target.count = op == OP_COUNT;
	p->setup.created = 1700000000;
	p->setup.random = &p->random;
	p->setup.request_id = str_of("req_1");
	p->setup.secret = str_of("the-secret-token");
	return &p->setup;
}

/* A translator for a request that must be fine. */
static struct translate *
must(struct pair *p, const char *body)
{
	struct msg_fault f;
	struct translate *t;

	t = translate_new(&p->setup, str_of(body), &f);
	T_OK(t != NULL, "%s: %s", body, f.why);
	if (t == NULL)
		exit(t_end());
	return t;
}

/* 1 if the value at a path in text is raw; "" raw: nothing is there. */
static int
at(struct str text, const char *path, const char *raw)
{
	struct json_value v;

	if (json_get(text, path, &v) == -1)
		return raw[0] == '\0';
	return str_is(v.raw, raw);
}

static int
has(struct str hay, const char *needle)
{
	return str_casefind(hay, str_of(needle)) >= 0;
}

/* ---- requests ---- */

static const struct {
	enum dialect client;
	enum dialect_op op;
	const char *body;
	enum dialect upstream;
	const char *model;
	int stream;
	const char *path, *where, *raw;
} requests[] = {
	{ A, GEN, A_REQ, O, "gpt-4o", 0, "/v1/chat/completions",
	    "messages.0.content", "\"hi\"" },
	{ A, GEN, A_REQ, O, "gpt-4o", 1, "/v1/chat/completions",
	    "stream_options.include_usage", "true" },
	{ A, GEN, A_REQ, G, "gemini-3-pro", 0,
	    "/v1beta/models/gemini-3-pro:generateContent",
	    "contents.0.parts.0.text", "\"hi\"" },
	{ A, GEN, A_REQ, G, "gemini-3-pro", 1, "/v1beta/models/"
	    "gemini-3-pro:streamGenerateContent?alt=sse", "model", "" },
	{ A, GEN, A_REQ, G, "a b?c#d%/\xc3\xa9", 0, "/v1beta/models/"
	    "a%20b%3Fc%23d%25/%C3%A9:generateContent", "model", "" },
	{ O, GEN, O_REQ, A, "claude-sonnet-4-5", 0, "/v1/messages",
	    "messages.0.content.0.text", "\"hi\"" },
	{ O, GEN, O_REQ, A, "claude-sonnet-4-5", 1, "/v1/messages",
	    "stream", "true" },
	{ O, GEN, O_REQ, G, "gemini-3-pro", 0,
	    "/v1beta/models/gemini-3-pro:generateContent",
	    "contents.0.role", "\"user\"" },
	{ G, GEN, G_REQ, A, "claude-sonnet-4-5", 0, "/v1/messages",
	    "model", "\"claude-sonnet-4-5\"" },
	{ G, GEN, G_REQ, O, "gpt-4o", 1, "/v1/chat/completions",
	    "stream", "true" },
	{ O, OP_RESPONSES, R_REQ, A, "claude-sonnet-4-5", 0,
	    "/v1/messages", "messages.0.content.0.text", "\"hi\"" },
	{ O, OP_RESPONSES, R_REQ, O, "gpt-4o", 0, "/v1/chat/completions",
	    "messages.0.content", "\"hi\"" },
	{ O, OP_RESPONSES, R_REQ, G, "gemini-3-pro", 0,
	    "/v1beta/models/gemini-3-pro:generateContent",
	    "contents.0.parts.0.text", "\"hi\"" },
	/* Counts. */
	{ A, OP_COUNT, A_REQ, G, "gemini-3-pro", 0,
	    "/v1beta/models/gemini-3-pro:countTokens",
	    "generateContentRequest.model", "\"models/gemini-3-pro\"" },
	{ A, OP_COUNT, A_REQ, G, "gemini-3-pro", 1,
	    "/v1beta/models/gemini-3-pro:countTokens",
	    "generateContentRequest.contents.0.parts.0.text", "\"hi\"" },
	{ G, OP_COUNT, G_REQ, A, "claude-sonnet-4-5", 0,
	    "/v1/messages/count_tokens", "max_tokens", "" },
	{ G, OP_COUNT, "{\"generateContentRequest\":" G_REQ "}", A,
	    "claude-sonnet-4-5", 0, "/v1/messages/count_tokens",
	    "messages.0.content.0.text", "\"hi\"" }
};

static void
test_requests(void)
{
	struct translate *t;
	struct pair p;
	size_t i;

	for (i = 0; i < N(requests); i++) {
		pair(&p, requests[i].client, requests[i].op,
		    requests[i].upstream, requests[i].model,
		    requests[i].stream);
		t = must(&p, requests[i].body);
		T_OK(str_is(translate_path(t), requests[i].path),
		    "%lu: %.*s", (unsigned long)i,
		    (int)translate_path(t).n, translate_path(t).p);
		T_OK(at(translate_body(t), requests[i].where,
		    requests[i].raw), "%lu: %.*s", (unsigned long)i,
		    (int)translate_body(t).n, translate_body(t).p);
		T_OK(translate_notes(t).n == 0, "%lu: %.*s",
		    (unsigned long)i, (int)translate_notes(t).n,
		    translate_notes(t).p);
		translate_sent(t);
		T_OK(translate_body(t).n == 0, "%lu", (unsigned long)i);
		translate_free(t);
	}
}

static const struct {
	enum dialect client;
	enum dialect_op op;
	const char *body;
	enum dialect upstream;
	const char *param;
} refusals[] = {
	{ A, GEN, "", O, "" },
	{ A, GEN, "[]", O, "" },
	{ A, GEN, "\"x\"", O, "" },
	{ A, GEN, "{\"messages\":}", O, "" },
	{ A, GEN, "{}", O, "messages" },
	{ O, GEN, "{\"messages\":3}", A, "messages" },
	{ O, GEN, "{\"n\":2," USER("x") "}", A, "n" },
	{ G, GEN, "{}", O, "contents" },
	{ G, GEN, "null", O, "" },
	{ O, OP_RESPONSES, "{\"input\":\"x\",\"previous_response_id\":"
	    "\"r\"}", A, "previous_response_id" },
	{ O, GEN, "{" USER("x") ",\"tool_choice\":\"required\"}", A,
	    "tool_choice" },
	{ A, OP_COUNT, A_REQ, O, "" },
	{ A, OP_COUNT, "{}", G, "messages" }
};

static void
test_refusals(void)
{
	struct translate *t;
	struct msg_fault f;
	struct pair p;
	size_t i;

	for (i = 0; i < N(refusals); i++) {
		pair(&p, refusals[i].client, refusals[i].op,
		    refusals[i].upstream, "m", 0);
		t = translate_new(&p.setup, str_of(refusals[i].body), &f);
		T_OK(t == NULL && f.why[0] != '\0', "%s", refusals[i].body);
		T_OK(strcmp(f.param, refusals[i].param) == 0, "%s: %s",
		    refusals[i].body, f.param);
		translate_free(t);
	}
}

/* Nesting is taken up to its limit (J-2), and not beyond. */
static void
test_depth(void)
{
	struct translate *t;
	struct msg_fault f;
	struct pair p;
	struct buf b;
	int i, deep;

	for (deep = 500; deep <= 520; deep += 20) {
		buf_init(&b, MIB);
		buf_adds(&b, "{" USER("x") ",\"x\":");
		for (i = 0; i < deep; i++)
			buf_adds(&b, "[");
		for (i = 0; i < deep; i++)
			buf_adds(&b, "]");
		buf_adds(&b, "}");
		pair(&p, O, GEN, A, "m", 0);
		t = translate_new(&p.setup, buf_str(&b), &f);
		T_OK((t != NULL) == (deep == 500), "%d: %s", deep, f.why);
		translate_free(t);
		buf_free(&b);
	}
}

#define LONG "mcp__a_very_long_server_name_for_testing__and_an_even_" \
	"longer_tool_name_x"
#define RICH "{\"model\":\"m\",\"max_tokens\":900,\"top_k\":3," \
	"\"system\":\"be\",\"tools\":[{\"name\":\"" LONG "\"," \
	"\"input_schema\":{\"type\":\"object\",\"properties\":{}}}]," \
	"\"messages\":[{\"role\":\"user\",\"content\":\"q\"}," \
	"{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\"," \
	"\"id\":\"a__ts_UTE\",\"name\":\"" LONG "\",\"input\":{\"a\":1}}]}," \
	"{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\"," \
	"\"tool_use_id\":\"a__ts_UTE\",\"content\":\"r\"}]}]}"

/* Every attempt starts from the original, whatever went before. */
static void
test_failover(void)
{
	static const struct {
		enum dialect upstream;
		const char *model;
	} tries[] = {
		{ O, "gpt-4o" }, { G, "gemini-3-pro" }, { O, "gpt-5" },
		{ G, "gemini-2.5-pro" }, { O, "gpt-4o" },
		{ G, "gemini-3-pro" }
	};
	char original[] = RICH;
	struct translate *t[N(tries)];
	struct str gone = str_of("a__ts_UTE");
	struct pair p[N(tries)];
	size_t i;

	for (i = 0; i < N(tries); i++) {
		pair(&p[i], A, GEN, tries[i].upstream, tries[i].model, 0);
		t[i] = must(&p[i], original);
		T_OK(str_casefind(translate_body(t[i]), gone) < 0, "%lu",
		    (unsigned long)i);
		T_OK(has(translate_body(t[i]), "UTE") ==
		    0, "%lu", (unsigned long)i);
		T_OK(!has(translate_body(t[i]), LONG), "%lu",
		    (unsigned long)i);
	}
	T_OK(strcmp(original, RICH) == 0, "the original was changed");
	T_OK(str_eq(translate_body(t[0]), translate_body(t[4])), "openai");
	T_OK(str_eq(translate_body(t[1]), translate_body(t[5])), "gemini");
	T_OK(at(translate_body(t[1]),
	    "contents.1.parts.0.thoughtSignature", "\"Q1\""), "%.*s",
	    (int)translate_body(t[1]).n, translate_body(t[1]).p);
	T_OK(str_is(translate_notes(t[0]), "drop:top_k"), "%.*s",
	    (int)translate_notes(t[0]).n, translate_notes(t[0]).p);
	T_OK(translate_losses(t[0]) == 1 && translate_losses(t[1]) == 0,
	    "losses");
	for (i = 0; i < N(tries); i++)
		translate_free(t[i]);
	translate_free(NULL);
}

/* ---- answers ---- */

#define CHUNK(x) "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\"," \
	"\"choices\":[{\"index\":0," x "}]}\n\n"
#define TEXT(s) CHUNK("\"delta\":{\"content\":\"" s "\"},\"finish_reason\":" \
	"null")
#define STOP CHUNK("\"delta\":{},\"finish_reason\":\"stop\"")
#define DONE "data: [DONE]\n\n"
#define O_ERROR "data: {\"error\":{\"message\":\"bad the-secret-token at " \
	"https://x.com/y\",\"code\":429}}\n\n"
#define O_PLAIN "{\"id\":\"c\",\"choices\":[{\"index\":0,\"message\":" \
	"{\"role\":\"assistant\",\"content\":\"Hi\"},\"finish_reason\":" \
	"\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}"
#define G_CHUNK "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":" \
	"\"Hi\"}]},\"finishReason\":\"STOP\"}]}\n\n"

/* Feeds a C string; what the client got is in b. */
static int
feed(struct translate *t, const char *s, int plain, struct buf *b)
{
	return translate_feed(t, str_of(s), plain, b);
}

static unsigned
count(struct str hay, const char *needle)
{
	unsigned n = 0;
	long i;

	while ((i = str_casefind(hay, str_of(needle))) >= 0) {
		n++;
		hay = str_n(hay.p + i + 1, hay.n - (size_t)i - 1);
	}
	return n;
}

static void
test_stream(void)
{
	struct translate *t;
	struct pair p;
	struct buf b;
	int status = 0;

	buf_init(&b, MIB);
	pair(&p, A, GEN, O, "gpt-4o", 1);
	t = must(&p, A_REQ);
	translate_sent(t);
	T_OK(feed(t, ": hello\n\n", 0, &b) == 0 && b.len == 0, "comment");
	T_OK(feed(t, TEXT("H"), 0, &b) == 0, "text");
	T_OK(has(buf_str(&b), "event: message_start") &&
	    has(buf_str(&b), "\"text\":\"H\"") &&
	    has(buf_str(&b), "\"model\":\"asked\""), "%.*s", (int)b.len,
	    buf_str(&b).p);
	T_OK(!translate_ended(t), "ended");
	buf_clear(&b);
	T_OK(translate_ping(t, &b) == 0 && has(buf_str(&b), "event: ping"),
	    "ping");
	buf_clear(&b);
	T_OK(feed(t, TEXT("i") STOP DONE, 0, &b) == 0, "end");
	T_OK(translate_ended(t) && !translate_failed(t, &status), "ended");
	T_OK(str_ends(buf_str(&b), "{\"type\":\"message_stop\"}\n\n"),
	    "%.*s", (int)b.len, buf_str(&b).p);
	/* What comes after the end is not for the client. */
	buf_clear(&b);
	T_OK(feed(t, TEXT("x") O_ERROR, 0, &b) == 0, "after");
	T_OK(translate_end(t, &b) == 0 && translate_end(t, &b) == 0, "end");
	T_OK(feed(t, TEXT("x"), 0, &b) == 0, "after");
	T_OK(translate_ping(t, &b) == 0, "ping");
	T_OK(b.len == 0 && !translate_failed(t, &status), "%.*s",
	    (int)b.len, buf_str(&b).p);
	translate_free(t);
	buf_free(&b);
}

/* An answer that breaks ends in one error and nothing else. */
static void
test_broken(void)
{
	static const struct {
		const char *input, *want;
		int status;
	} cases[] = {
		{ "", "Upstream stream ended before completion", 500 },
		{ ": x\n\n", "Upstream stream ended before completion", 500 },
		{ TEXT("a"), "Upstream stream ended before completion",
		    500 },
		{ TEXT("a") O_ERROR, "rate_limit_error", 429 },
		{ O_ERROR, "bad [removed] at [removed]", 429 },
		{ TEXT("a") "data: <html>\n\n", "api_error", 500 },
		{ TEXT("a") "data: {\"choices\":\n\n" STOP DONE,
		    "api_error", 500 }
	};
	struct translate *t;
	struct pair p;
	struct buf b;
	size_t i;
	int status;

	for (i = 0; i < N(cases); i++) {
		buf_init(&b, MIB);
		pair(&p, A, GEN, O, "gpt-4o", 1);
		t = must(&p, A_REQ);
		T_OK(feed(t, cases[i].input, 0, &b) == 0, "%s",
		    cases[i].input);
		T_OK(translate_end(t, &b) == 0, "%s", cases[i].input);
		T_OK(feed(t, TEXT("more"), 0, &b) == 0, "more");
		T_OK(translate_end(t, &b) == 0, "again");
		T_OK(translate_failed(t, &status) &&
		    status == cases[i].status, "%s: %d", cases[i].input,
		    status);
		T_OK(!translate_ended(t), "%s", cases[i].input);
		T_OK(count(buf_str(&b), "event: error") == 1 &&
		    has(buf_str(&b), cases[i].want) &&
		    !has(buf_str(&b), "more") &&
		    !has(buf_str(&b), "message_stop"), "%s: %.*s",
		    cases[i].input, (int)b.len, buf_str(&b).p);
		translate_free(t);
		buf_free(&b);
	}
}

/* Whole answers, and both mixtures of whole and stream. */
static void
test_plain(void)
{
	struct translate *t;
	struct pair p;
	struct buf b;
	int status = 0;

	buf_init(&b, MIB);
	pair(&p, A, GEN, O, "gpt-4o", 0);
	t = must(&p, A_REQ);
	T_OK(translate_ping(t, &b) == 0, "ping");
	T_OK(feed(t, "{\"id\":", 1, &b) == 0 && feed(t, &O_PLAIN[6], 1,
	    &b) == 0 && b.len == 0, "feed");
	T_OK(translate_end(t, &b) == 0 && !translate_failed(t, &status) &&
	    translate_ended(t), "end");
	T_OK(at(buf_str(&b), "content.0.text", "\"Hi\"") &&
	    at(buf_str(&b), "usage.input_tokens", "3"), "%.*s", (int)b.len,
	    buf_str(&b).p);
	T_OK(translate_end(t, &b) == 0 && json_valid(buf_str(&b), NULL,
	    NULL), "again");
	translate_free(t);
	/* The client wants a stream, the upstream gave none. */
	buf_clear(&b);
	pair(&p, O, GEN, G, "gemini-3-pro", 1);
	t = must(&p, O_REQ);
	T_OK(feed(t, "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
	    "\"Hi\"}]},\"finishReason\":\"STOP\"}]}", 1, &b) == 0 &&
	    b.len == 0 && translate_end(t, &b) == 0, "stream");
	T_OK(has(buf_str(&b), "{\"content\":\"Hi\"}") &&
	    str_ends(buf_str(&b), DONE), "%.*s", (int)b.len,
	    buf_str(&b).p);
	translate_free(t);
	/* The reverse. */
	buf_clear(&b);
	pair(&p, O, GEN, G, "gemini-3-pro", 0);
	t = must(&p, O_REQ);
	T_OK(feed(t, G_CHUNK, 0, &b) == 0 && b.len == 0 &&
	    translate_end(t, &b) == 0, "whole");
	T_OK(at(buf_str(&b), "choices.0.message.content", "\"Hi\""), "%.*s",
	    (int)b.len, buf_str(&b).p);
	translate_free(t);
	buf_free(&b);
}

/* A whole answer that is none becomes an error with its status. */
static void
test_plain_broken(void)
{
	static const struct {
		const char *body;
		int status;
		const char *type;
	} cases[] = {
		{ "", 500, "\"api_error\"" },
		{ "<html>", 500, "\"api_error\"" },
		{ "{}", 500, "\"api_error\"" },
		{ "{\"choices\":[]}", 500, "\"api_error\"" },
		{ "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":"
		    "\"the-secret-token\"}}", 429, "\"rate_limit_error\"" }
	};
	struct translate *t;
	struct pair p;
	struct buf b;
	size_t i;
	int status;

	for (i = 0; i < N(cases); i++) {
		buf_init(&b, MIB);
		pair(&p, A, GEN, O, "gpt-4o", 0);
		t = must(&p, A_REQ);
		T_OK(feed(t, cases[i].body, 1, &b) == 0 &&
		    translate_end(t, &b) == 0, "%s", cases[i].body);
		T_OK(translate_failed(t, &status) &&
		    status == cases[i].status, "%s: %d", cases[i].body,
		    status);
		T_OK(at(buf_str(&b), "error.type", cases[i].type) &&
		    at(buf_str(&b), "request_id", "\"req_1\"") &&
		    !has(buf_str(&b), "secret"), "%s: %.*s",
		    cases[i].body, (int)b.len, buf_str(&b).p);
		translate_free(t);
		buf_free(&b);
	}
}

static void
test_ping(void)
{
	static const struct {
		enum dialect client;
		enum dialect_op op;
		const char *body;
		int array;
		const char *want;
	} cases[] = {
		{ A, GEN, A_REQ, 0, "event: ping\n"
		    "data: {\"type\":\"ping\"}\n\n" },
		{ O, GEN, O_REQ, 0, ":" },
		{ O, OP_RESPONSES, R_REQ, 0, ":" },
		{ G, GEN, G_REQ, 0, "" },
		{ G, GEN, G_REQ, 1, "" }
	};
	struct translate *t;
	struct pair p;
	struct buf b;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		buf_init(&b, MIB);
		pair(&p, cases[i].client, cases[i].op,
		    cases[i].client == A ? O : A, "claude-opus-5", 1);
		p.call.json_array = cases[i].array != 0;
		t = must(&p, cases[i].body);
		T_OK(translate_ping(t, &b) == 0, "%lu", (unsigned long)i);
		T_OK(cases[i].want[0] == ':' ? str_starts(buf_str(&b), ":")
		    && str_ends(buf_str(&b), "\n") :
		    str_is(buf_str(&b), cases[i].want), "%lu: %.*s",
		    (unsigned long)i, (int)b.len, buf_str(&b).p);
		translate_free(t);
		buf_free(&b);
	}
}

/* N-2, and the flag of free-form tools. */
static void
test_names(void)
{
	static const char body[] = "{\"model\":\"m\"," USER("q") ",\"tools\":"
	    "[{\"type\":\"function\",\"function\":{\"name\":\"" LONG "\"}},"
	    "{\"type\":\"custom\",\"custom\":{\"name\":\"patch\"}}]}";
	struct translate *t;
	struct json_value v;
	struct pair p;
	struct buf in, out;

	buf_init(&in, MIB);
	buf_init(&out, MIB);
	pair(&p, O, GEN, A, "claude-sonnet-4-5", 0);
	t = must(&p, body);
	T_OK(json_get(translate_body(t), "tools.0.name", &v) == 0 &&
	    v.raw.n == 66, "%.*s", (int)v.raw.n, v.raw.p);
	buf_adds(&in, "{\"id\":\"msg_1\",\"type\":\"message\",\"content\":"
	    "[{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":");
	buf_addstr(&in, v.raw);
	buf_adds(&in, ",\"input\":{\"a\":1}},{\"type\":\"tool_use\","
	    "\"id\":\"t2\",\"name\":\"PATCH\",\"input\":{\"input\":\"x\"}}"
	    "],\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":1,"
	    "\"output_tokens\":2}}");
	translate_sent(t);
	T_OK(translate_feed(t, buf_str(&in), 1, &out) == 0 &&
	    translate_end(t, &out) == 0, "answer");
#define CALLS "choices.0.message.tool_calls"
	T_OK(at(buf_str(&out), CALLS ".0.function.name", "\"" LONG "\"") &&
	    at(buf_str(&out), CALLS ".1.custom.name", "\"patch\"") &&
	    at(buf_str(&out), CALLS ".1.custom.input", "\"x\""), "%.*s",
	    (int)out.len, buf_str(&out).p);
	translate_free(t);
	buf_free(&in);
	buf_free(&out);
}

/* A Responses answer repeats the request, without what was said. */
static void
test_echo(void)
{
	struct translate *t;
	struct pair p;
	struct buf b;

	buf_init(&b, MIB);
	pair(&p, O, OP_RESPONSES, O, "gpt-4o", 0);
	t = must(&p, "{\"model\":\"m\",\"input\":\"secret words\","
	    "\"instructions\":\"be \\u0062rief\",\"temperature\":0.50}");
	translate_sent(t);
	T_OK(feed(t, O_PLAIN, 1, &b) == 0 && translate_end(t, &b) == 0,
	    "echo");
	T_OK(at(buf_str(&b), "instructions", "\"be brief\"") &&
	    at(buf_str(&b), "temperature", "0.50") &&
	    at(buf_str(&b), "status", "\"completed\"") &&
	    !has(buf_str(&b), "secret words"), "%.*s", (int)b.len,
	    buf_str(&b).p);
	translate_free(t);
	buf_free(&b);
}

/* ---- limits ---- */

static void
test_limits(void)
{
	static char big[MIB];
	struct translate *t;
	struct pair p;
	struct buf b;
	int i, rc = 0, status = 0;

	memset(big, 'x', sizeof big);
	/* An event without end. */
	buf_init(&b, MIB);
	pair(&p, A, GEN, O, "gpt-4o", 1);
	t = must(&p, A_REQ);
	T_OK(feed(t, TEXT("a") "data: ", 0, &b) == 0, "start");
	for (i = 0; i < 40 && rc == 0; i++)
		rc = translate_feed(t, str_n(big, sizeof big), 0, &b);
	T_OK(rc == 0 && translate_failed(t, &status) && status == 500,
	    "%d", rc);
	T_OK(has(buf_str(&b), "event that is too large"), "%.*s",
	    (int)b.len, buf_str(&b).p);
	translate_free(t);
	/* A whole answer without end. */
	buf_clear(&b);
	pair(&p, A, GEN, O, "gpt-4o", 0);
	t = must(&p, A_REQ);
	for (i = 0; i < 70 && rc == 0; i++)
		rc = translate_feed(t, str_n(big, sizeof big), 1, &b);
	T_OK(rc == -1 && i == 65, "%d %d", rc, i);
	T_OK(translate_end(t, &b) == -1 && b.len == 0, "end");
	translate_free(t);
	buf_free(&b);
	/* No room for the client's bytes. */
	for (i = 0; i < 900; i += 7) {
		buf_init(&b, (size_t)i);
		pair(&p, A, GEN, O, "gpt-4o", 1);
		t = must(&p, A_REQ);
		rc = feed(t, TEXT("abc") STOP DONE, 0, &b);
		T_OK(b.bad == (rc == -1), "%d %d", i, rc);
		T_OK(translate_end(t, &b) == rc, "%d", i);
		translate_free(t);
		buf_free(&b);
		buf_init(&b, (size_t)i / 10);
		pair(&p, A, GEN, O, "gpt-4o", 0);
		t = must(&p, A_REQ);
		T_OK(feed(t, O_PLAIN, 1, &b) == 0, "%d", i);
		T_OK(translate_end(t, &b) == -1, "%d", i);
		translate_free(t);
		buf_free(&b);
	}
}

/* Notes of an answer are told once each, after those of the request. */
static void
test_notes(void)
{
	struct translate *t;
	struct pair p;
	struct buf b;
	int i;

	buf_init(&b, MIB);
	pair(&p, O, GEN, A, "claude-sonnet-4-5", 0);
	t = must(&p, "{\"model\":\"m\",\"seed\":3," USER("q") "}");
	T_OK(str_is(translate_notes(t), "drop:seed"), "%.*s",
	    (int)translate_notes(t).n, translate_notes(t).p);
	T_OK(feed(t, "{\"id\":\"m\",\"type\":\"message\",\"role\":"
	    "\"assistant\",\"content\":[{\"type\":\"odd\"},{\"type\":"
	    "\"odd\"},{\"type\":\"text\",\"text\":\"x\"}],\"stop_reason\":"
	    "\"end_turn\",\"usage\":{\"input_tokens\":1,"
	    "\"output_tokens\":1}}", 1, &b) == 0 &&
	    translate_end(t, &b) == 0, "answer");
	for (i = 0; i < 2; i++)
		T_OK(str_is(translate_notes(t),
		    "drop:seed, drop:content.odd"), "%.*s",
		    (int)translate_notes(t).n, translate_notes(t).p);
	T_OK(translate_losses(t) == 2, "%u", translate_losses(t));
	translate_free(t);
	buf_free(&b);
}

/* A stream that drops something in each event goes on. */
static void
test_many_notes(void)
{
	struct translate *t;
	struct pair p;
	struct buf b;
	int i, status = 0;

	buf_init(&b, MIB);
	pair(&p, O, GEN, A, "claude-sonnet-4-5", 1);
	t = must(&p, O_REQ);
	T_OK(feed(t, "data: {\"type\":\"message_start\",\"message\":"
	    "{\"id\":\"m\",\"usage\":{\"input_tokens\":1}}}\n\n", 0,
	    &b) == 0, "start");
	for (i = 0; i < 20000; i++)
		if (feed(t, "data: {\"type\":\"content_block_start\","
		    "\"index\":0,\"content_block\":{\"type\":\"odd\"}}"
		    "\n\ndata: {\"type\":\"content_block_stop\",\"index\":"
		    "0}\n\n", 0, &b) == -1)
			break;
	T_OK(i == 20000 && !translate_failed(t, &status), "%d: %.*s", i,
	    (int)b.len, buf_str(&b).p);
	T_OK(feed(t, "data: {\"type\":\"message_delta\",\"delta\":"
	    "{\"stop_reason\":\"end_turn\"},\"usage\":"
	    "{\"output_tokens\":1}}\n\ndata: {\"type\":"
	    "\"message_stop\"}\n\n", 0, &b) == 0 && translate_ended(t),
	    "end");
	T_OK(str_is(translate_notes(t), "drop:content.odd"), "%.*s",
	    (int)translate_notes(t).n, translate_notes(t).p);
	translate_free(t);
	buf_free(&b);
}

/* ---- the rest ---- */

static void
test_errors(void)
{
	struct translate *t;
	struct pair p;
	struct buf b;
	uint64_t retry;
	int status, final;

	buf_init(&b, MIB);
	pair(&p, O, GEN, A, "claude-opus-5", 0);
	t = must(&p, O_REQ);
	T_OK(translate_error(t, 402, str_of("5"), str_of("{\"error\":"
	    "{\"type\":\"billing_error\",\"message\":\"no the-secret-token"
	    "\"}}"), &b, &status, &retry, &final) == 0, "error");
	T_OK(status == 429 && retry == 5 && final == 1 &&
	    at(buf_str(&b), "error.code", "\"insufficient_quota\"") &&
	    at(buf_str(&b), "error.message", "\"no [removed]\""), "%d %.*s",
	    status, (int)b.len, buf_str(&b).p);
	translate_free(t);
	buf_clear(&b);
	pair(&p, A, GEN, G, "gemini-3-pro", 0);
	t = must(&p, A_REQ);
	T_OK(translate_error(t, 529, str_of(""), str_of(""), &b, &status,
	    &retry, &final) == 0, "error");
	T_OK(status == 529 && retry == 0 && final == 0 &&
	    at(buf_str(&b), "error.message",
	    "\"Upstream returned HTTP 529\"") &&
	    at(buf_str(&b), "request_id", "\"req_1\""), "%d %.*s", status,
	    (int)b.len, buf_str(&b).p);
	translate_free(t);
	buf_free(&b);
}

static void
test_counts(void)
{
	static const char *const none[] = {
		"", "{}", "[]", "{\"totalTokens\":\"x\"}", "<html>"
	};
	struct translate *t;
	struct pair p;
	struct buf b;
	size_t i;

	buf_init(&b, MIB);
	pair(&p, A, OP_COUNT, G, "gemini-3-pro", 0);
	t = must(&p, A_REQ);
	for (i = 0; i < N(none); i++)
		T_OK(translate_count(t, str_of(none[i]), &b) == -1 &&
		    b.len == 0 && !b.bad, "%s", none[i]);
	T_OK(translate_count(t, str_of("{\"totalTokens\":31}"), &b) == 0 &&
	    str_is(buf_str(&b), "{\"input_tokens\":31}"), "%.*s",
	    (int)b.len, buf_str(&b).p);
	translate_free(t);
	buf_clear(&b);
	pair(&p, G, OP_COUNT, A, "claude-opus-5", 0);
	t = must(&p, G_REQ);
	T_OK(translate_count(t, str_of("{\"input_tokens\":7}"), &b) == 0 &&
	    str_is(buf_str(&b), "{\"totalTokens\":7}"), "%.*s",
	    (int)b.len, buf_str(&b).p);
	translate_free(t);
	buf_free(&b);
}

/* Bytes of texts, four to a token, and so much for each thing. */
static const struct {
	enum dialect d;
	enum dialect_op op;
	const char *body;
	int64_t tokens;
} estimates[] = {
	{ A, OP_COUNT, "{\"system\":\"abcdefgh\",\"messages\":[{\"role\":"
	    "\"user\",\"content\":\"\xc3\xa9\\u00e9\xc3\xa9\"},{\"role\":"
	    "\"assistant\",\"content\":\"ok\"}]}", 16 },
	{ A, OP_COUNT, "{\"messages\":[]}", 0 },
	{ A, OP_COUNT, A_REQ, 5 },
	{ O, GEN, O_REQ, 5 },
	{ G, OP_COUNT, G_REQ, 5 },
	{ G, OP_COUNT, "{\"generateContentRequest\":" G_REQ "}", 5 },
	{ O, OP_RESPONSES, R_REQ, 5 },
	/* 3 of the name, 4 + 13 of description and schema, 2 of the text */
	{ A, OP_COUNT, "{\"tools\":[{\"name\":\"abc\",\"description\":"
	    "\"\\u0064esc\",\"input_schema\":{ \"type\" : \"ob\" }}],"
	    "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", 18 },
	/* An image; a call with its name and arguments; a result. */
	{ A, OP_COUNT, "{\"messages\":[{\"role\":\"user\",\"content\":"
	    "[{\"type\":\"image\",\"source\":{\"type\":\"base64\","
	    "\"media_type\":\"image/png\",\"data\":\"QUFB\"}}]},{\"role\":"
	    "\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":"
	    "\"i\",\"name\":\"abc\",\"input\":{ \"a\":1}}]},{\"role\":"
	    "\"user\",\"content\":[{\"type\":\"tool_result\","
	    "\"tool_use_id\":\"i\",\"content\":\"12\"}]}]}", 1615 },
	{ A, OP_COUNT, "{}", -1 },
	{ A, OP_COUNT, "", -1 },
	{ A, OP_COUNT, "[1]", -1 }
};

static void
test_estimates(void)
{
	struct pair p;
	int64_t n;
	size_t i;

	for (i = 0; i < N(estimates); i++) {
		pair(&p, estimates[i].d, estimates[i].op, A, "m", 0);
		n = translate_estimate(&p.call, str_of(estimates[i].body));
		T_OK(n == estimates[i].tokens, "%s: %ld",
		    estimates[i].body, (long)n);
	}
}

static const struct {
	enum dialect d;
	enum dialect_op op;
	const char *body, *want;	/* NULL: nothing to do */
} cleans[] = {
	{ A, GEN, A_REQ, NULL },
	{ O, GEN, O_REQ, NULL },
	{ G, GEN, G_REQ, NULL },
	{ O, OP_RESPONSES, "{\"input\":[{\"reasoning_content\":\"x\"}]}",
	    NULL },
	{ A, GEN, "", NULL },
	{ A, GEN, "[", NULL },
	{ A, GEN, "[]", NULL },
	{ O, GEN, "{ \"messages\":[{\"role\":\"assistant\",\"content\":\"a\","
	    "\"reasoning_content\":\"x\"}], \"n\":1.0}",
	    "{ \"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}], "
	    "\"n\":1.0}" }
};

static void
test_cleans(void)
{
	struct pair p;
	struct buf b;
	size_t i;
	int rc;

	for (i = 0; i < N(cleans); i++) {
		buf_init(&b, MIB);
		pair(&p, cleans[i].d, cleans[i].op, A, "m", 0);
		rc = translate_clean(&b, &p.call, str_of("m"),
		    str_of(cleans[i].body));
		T_OK(rc == (cleans[i].want != NULL), "%s: %d",
		    cleans[i].body, rc);
		T_OK(cleans[i].want == NULL ? b.len == 0 :
		    str_is(buf_str(&b), cleans[i].want), "%s: %.*s",
		    cleans[i].body, (int)b.len, buf_str(&b).p);
		buf_free(&b);
	}
}

int
main(void)
{
	test_requests();
	test_refusals();
	test_depth();
	test_failover();
	test_stream();
	test_broken();
	test_plain();
	test_plain_broken();
	test_ping();
	test_names();
	test_echo();
	test_limits();
	test_notes();
	test_many_notes();
	test_errors();
	test_counts();
	test_estimates();
	test_cleans();
	return t_end();
}
