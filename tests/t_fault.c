#include <stdlib.h>
#include <string.h>

#include "dialect/fault.h"
#include "json.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])
#define A DIALECT_ANTHROPIC
#define O DIALECT_OPENAI
#define G DIALECT_GEMINI

#define SECRET "mytoken-0123456789"
#define ERR(x) "{\"error\":{" x "}}"
#define TOO_LONG "Prompt is too long: 2 > 1"

/* An answer with that status (0: an event of a stream), and what it says. */
static const struct {
	enum dialect upstream;
	int status;
	const char *body;
	enum msg_class class;
	const char *message;
} reads[] = {
	/* Anthropic: by type, else by status. */
	{ A, 400, ERR("\"type\":\"overloaded_error\",\"message\":\"m\""),
	    MSG_OVERLOADED, "m" },
	{ A, 500, ERR("\"type\":\"billing_error\",\"message\":\"m\""),
	    MSG_BILLING, "m" },
	{ A, 429, ERR("\"type\":\"news\",\"message\":\"m\""), MSG_RATE,
	    "m" },
	{ A, 413, ERR("\"type\":\"request_too_large\",\"message\":\""
	    TOO_LONG "\""), MSG_TOO_LARGE, TOO_LONG },
	{ A, 400, ERR("\"type\":\"invalid_request_error\",\"message\":\""
	    TOO_LONG "\""), MSG_CONTEXT, TOO_LONG },
	{ A, 0, ERR("\"type\":\"timeout_error\",\"message\":\"m\""),
	    MSG_TIMEOUT, "m" },
	{ A, 0, ERR("\"message\":\"m\""), MSG_SERVER, "m" },
	/* OpenAI: three codes, else by status. */
	{ O, 429, ERR("\"code\":\"insufficient_quota\",\"message\":\"m\""),
	    MSG_BILLING, "m" },
	{ O, 429, ERR("\"type\":\"insufficient_quota\",\"message\":\"m\""),
	    MSG_BILLING, "m" },
	{ O, 400, ERR("\"code\":\"invalid_api_key\",\"message\":\"m\""),
	    MSG_AUTH, "m" },
	{ O, 400, ERR("\"code\":\"model_not_found\",\"message\":\"m\""),
	    MSG_NOT_FOUND, "m" },
	{ O, 500, ERR("\"code\":\"rate_limit_exceeded\",\"message\":\"m\""),
	    MSG_SERVER, "m" },
	{ O, 500, ERR("\"type\":\"invalid_request_error\","
	    "\"message\":\"m\""), MSG_SERVER, "m" },
	{ O, 400, ERR("\"code\":\"context_length_exceeded\","
	    "\"message\":\"m\""), MSG_CONTEXT, "m" },
	{ O, 0, ERR("\"code\":\"rate_limit_exceeded\",\"message\":\"m\""),
	    MSG_RATE, "m" },
	{ O, 200, ERR("\"code\":\"rate_limit_exceeded\",\"message\":\"m\""),
	    MSG_RATE, "m" },
	{ O, 0, ERR("\"code\":429,\"message\":\"m\""), MSG_RATE, "m" },
	{ O, 0, ERR("\"code\":\"503\",\"message\":\"m\""), MSG_OVERLOADED,
	    "m" },
	{ O, 0, ERR("\"code\":7,\"message\":\"m\""), MSG_SERVER, "m" },
	{ O, 0, ERR("\"type\":\"invalid_request_error\","
	    "\"message\":\"m\""), MSG_INVALID, "m" },
	{ O, 0, ERR("\"type\":\"what\",\"message\":\"m\""), MSG_SERVER,
	    "m" },
	/* Gemini: by status word, then the key, then by status. */
	{ G, 400, ERR("\"status\":\"RESOURCE_EXHAUSTED\","
	    "\"message\":\"m\""), MSG_RATE, "m" },
	{ G, 500, ERR("\"status\":\"FAILED_PRECONDITION\","
	    "\"message\":\"m\""), MSG_INVALID, "m" },
	{ G, 400, ERR("\"status\":\"INVALID_ARGUMENT\",\"message\":"
	    "\"API Key not valid.\""), MSG_AUTH, "API Key not valid." },
	{ G, 400, ERR("\"status\":\"INVALID_ARGUMENT\",\"message\":\"m\","
	    "\"details\":[1,{\"reason\":\"API_KEY_INVALID\"}]"), MSG_AUTH,
	    "m" },
	{ G, 400, "[" ERR("\"status\":\"UNAVAILABLE\",\"message\":\"m\"")
	    "]", MSG_OVERLOADED, "m" },
	{ G, 0, ERR("\"code\":504,\"message\":\"m\""), MSG_TIMEOUT, "m" },
	{ G, 400, ERR("\"status\":\"INVALID_ARGUMENT\",\"message\":\"The "
	    "input exceeds the maximum number of tokens allowed\""),
	    MSG_CONTEXT, "The input exceeds the maximum number of tokens "
	    "allowed" },
	/* By status alone, with any body. */
	{ A, 400, "", MSG_INVALID, "Upstream returned HTTP 400" },
	{ A, 401, "{}", MSG_AUTH, "Upstream returned HTTP 401" },
	{ O, 402, "[]", MSG_BILLING, "Upstream returned HTTP 402" },
	{ O, 403, "null", MSG_PERMISSION, "Upstream returned HTTP 403" },
	{ O, 404, " \r\n", MSG_NOT_FOUND, "Upstream returned HTTP 404" },
	{ G, 408, "no\n", MSG_TIMEOUT, "no" },
	{ G, 409, "<b>", MSG_CONFLICT, "<b>" },
	{ G, 413, "{", MSG_TOO_LARGE, "{" },
	{ A, 418, "x", MSG_INVALID, "x" },
	{ A, 422, "x", MSG_INVALID, "x" },
	{ A, 429, "x", MSG_RATE, "x" },
	{ A, 502, "x", MSG_SERVER, "x" },
	{ A, 503, "x", MSG_OVERLOADED, "x" },
	{ A, 504, "x", MSG_TIMEOUT, "x" },
	{ A, 529, "x", MSG_OVERLOADED, "x" },
	{ A, 300, "x", MSG_SERVER, "x" },
	{ O, 400, "Maximum Context Length!", MSG_CONTEXT,
	    "Maximum Context Length!" },
	/* Other shapes. */
	{ O, 500, "{\"error\":\"e\"}", MSG_SERVER, "e" },
	{ O, 500, "{\"message\":\"e\"}", MSG_SERVER, "e" },
	{ O, 500, "{\"detail\":\"e\"}", MSG_SERVER, "e" },
	{ O, 500, "{\"error\":{\"message\":7}}", MSG_SERVER,
	    "Upstream returned HTTP 500" },
	{ O, 500, "{\"error\":{\"message\":\" \\n\"}}", MSG_SERVER,
	    "Upstream returned HTTP 500" },
	{ O, 200, "{\"error\":{}}", MSG_SERVER,
	    "Upstream returned an error" },
	{ A, 0, "{}", MSG_SERVER, "Upstream returned an error" },
	/* What is private does not pass; what only looks like it does. */
	{ O, 401, ERR("\"message\":\"Bad sk-proj-abcdefgh*_1: see "
	    "https://x.com/a?b, (HTTP://y.org).\""), MSG_AUTH,
	    "Bad [removed]: see [removed], ([removed])." },
	{ O, 401, ERR("\"message\":\"AIzaSyA1234567 a" SECRET "b\""),
	    MSG_AUTH, "[removed] a[removed]b" },
	{ O, 401, ERR("\"message\":\"" SECRET "\""), MSG_AUTH,
	    "[removed]" },
	{ O, 401, ERR("\"message\":\"m\\u0079token-0123456789\""), MSG_AUTH,
	    "[removed]" },
	{ O, 401, ERR("\"message\":\"task-abcdefghij sk-short AIza\""),
	    MSG_AUTH, "task-abcdefghij sk-short AIza" },
	{ O, 401, SECRET " <html>", MSG_AUTH, "[removed] <html>" },
	{ O, 400, ERR("\"message\":\"a\\\"b\\\\ \\u00e9\\n\""), MSG_INVALID,
	    "a\\\"b\\\\ \xc3\xa9\\n" }
};

static void
test_read(void)
{
	struct arena a;
	struct fault f;
	size_t i;

	for (i = 0; i < N(reads); i++) {
		arena_init(&a, 1 << 20);
		if (reads[i].status == 0)
			fault_event(&f, &a, reads[i].upstream,
			    tree_parse(&a, str_of(reads[i].body)),
			    str_of(SECRET));
		else
			fault_read(&f, &a, reads[i].upstream,
			    reads[i].status, str_of(""),
			    str_of(reads[i].body), str_of(SECRET));
		T_OK(f.class == reads[i].class, "%s: %d",
		    reads[i].body, (int)f.class);
		T_OK(str_is(f.message, reads[i].message), "%s: %.*s",
		    reads[i].body, (int)f.message.n, f.message.p);
		T_OK(f.retry_s == 0, "%s", reads[i].body);
		arena_free(&a);
	}
}

#define DELAY(x) ERR("\"details\":[{\"@type\":\"t\"},{\"retryDelay\":" x \
	"}]")

static const struct {
	const char *header, *body;
	uint64_t seconds;
} retries[] = {
	{ "7", "", 7 },
	{ " 7 ", DELAY("\"9s\""), 7 },
	{ "", DELAY("\"33.2s\""), 34 },
	{ "", DELAY("\"33s\""), 33 },
	{ "", DELAY("\"0.001s\""), 1 },
	{ "", DELAY("33"), 0 },
	{ "", DELAY("\"soon\""), 0 },
	{ "soon", DELAY("\"2s\""), 2 },
	{ "-1", "", 0 },
	{ "1.5", "", 0 },
	{ "99999999999999999999", "", 0 },
	{ "0", "", 0 },
	{ "Wed, 21 Oct 2015 07:28:00 GMT", "", 0 }
};

static void
test_retry(void)
{
	struct arena a;
	struct fault f;
	size_t i;

	for (i = 0; i < N(retries); i++) {
		arena_init(&a, 1 << 20);
		fault_read(&f, &a, G, 429, str_of(retries[i].header),
		    str_of(retries[i].body), str_of(""));
		T_OK(f.retry_s == retries[i].seconds, "%s %s: %lu",
		    retries[i].header, retries[i].body,
		    (unsigned long)f.retry_s);
		arena_free(&a);
	}
}

/* A long body that is no JSON is cut between characters. */
static void
test_excerpt(void)
{
	char body[2001];
	struct arena a;
	struct fault f;
	size_t i;

	for (i = 0; i < 2000; i += 2)
		memcpy(body + i, "\xc3\xa9", 2);
	body[2000] = '\0';
	arena_init(&a, 1 << 20);
	fault_read(&f, &a, O, 500, str_of(""), str_of(body), str_of(""));
	T_OK(f.message.n == 1000, "%lu", (unsigned long)f.message.n);
	arena_free(&a);
}

#define AB(t) "{\"type\":\"error\",\"error\":{\"type\":\"" t "\"," \
	"\"message\":\"m\"},\"request_id\":\"r\"}"
#define OB(t, c) "{\"error\":{\"message\":\"m\",\"type\":\"" t "\"," \
	"\"param\":null,\"code\":" c "}}"
#define GB(n, s) "{\"error\":{\"code\":" n ",\"message\":\"m\"," \
	"\"status\":\"" s "\"}}"
#define INV "invalid_request_error"

static const struct {
	enum msg_class class;
	int a, o;
	const char *ab, *ob, *gb;
	int final;
} writes[] = {
	{ MSG_INVALID, 400, 400, AB(INV), OB(INV, "null"),
	    GB("400", "INVALID_ARGUMENT"), 0 },
	{ MSG_AUTH, 401, 401, AB("authentication_error"),
	    OB(INV, "\"invalid_api_key\""), GB("401", "UNAUTHENTICATED"),
	    0 },
	{ MSG_BILLING, 402, 429, AB("billing_error"),
	    OB("insufficient_quota", "\"insufficient_quota\""),
	    GB("429", "RESOURCE_EXHAUSTED"), 1 },
	{ MSG_PERMISSION, 403, 403, AB("permission_error"),
	    OB(INV, "\"permission_denied\""),
	    GB("403", "PERMISSION_DENIED"), 0 },
	{ MSG_NOT_FOUND, 404, 404, AB("not_found_error"),
	    OB(INV, "\"not_found\""), GB("404", "NOT_FOUND"), 0 },
	{ MSG_CONFLICT, 409, 409, AB("conflict_error"),
	    OB(INV, "\"conflict\""), GB("409", "ABORTED"), 0 },
	{ MSG_TOO_LARGE, 413, 413, AB("request_too_large"),
	    OB(INV, "\"request_too_large\""),
	    GB("413", "INVALID_ARGUMENT"), 0 },
	{ MSG_RATE, 429, 429, AB("rate_limit_error"),
	    OB("rate_limit_error", "\"rate_limit_exceeded\""),
	    GB("429", "RESOURCE_EXHAUSTED"), 0 },
	{ MSG_OVERLOADED, 529, 503, AB("overloaded_error"),
	    OB("server_error", "\"overloaded\""),
	    GB("503", "UNAVAILABLE"), 0 },
	{ MSG_TIMEOUT, 504, 504, AB("timeout_error"),
	    OB("server_error", "\"timeout\""),
	    GB("504", "DEADLINE_EXCEEDED"), 0 },
	{ MSG_SERVER, 500, 500, AB("api_error"),
	    OB("server_error", "null"), GB("500", "INTERNAL"), 0 },
	{ MSG_GATEWAY, 502, 502, AB("api_error"),
	    OB("server_error", "null"), GB("502", "INTERNAL"), 0 }
};

static void
body_is(enum dialect d, const struct fault *f, const char *param,
    const char *id, const char *want)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	T_OK(fault_body(&b, d, f, str_of(param), str_of(id)) == 0, "%s",
	    want);
	T_OK(str_is(buf_str(&b), want), "%.*s, want %s", (int)b.len,
	    buf_str(&b).p, want);
	T_OK(json_valid(buf_str(&b), NULL, NULL), "%s", want);
	buf_free(&b);
}

static void
test_write(void)
{
	struct arena a;
	struct fault f;
	size_t i;

	arena_init(&a, 1 << 20);
	for (i = 0; i < N(writes); i++) {
		fault_own(&f, &a, writes[i].class, str_of("m"));
		body_is(A, &f, "", "r", writes[i].ab);
		body_is(O, &f, "", "r", writes[i].ob);
		body_is(G, &f, "", "r", writes[i].gb);
		T_OK(fault_status(f.class, A) == writes[i].a, "%lu",
		    (unsigned long)i);
		T_OK(fault_status(f.class, O) == writes[i].o, "%lu",
		    (unsigned long)i);
		T_OK(fault_status(f.class, G) == writes[i].o, "%lu",
		    (unsigned long)i);
		T_OK(fault_final(f.class, O) == writes[i].final, "%lu",
		    (unsigned long)i);
		T_OK(!fault_final(f.class, A) && !fault_final(f.class, G),
		    "%lu", (unsigned long)i);
	}
	fault_own(&f, &a, MSG_INVALID, str_of("a \"b\""));
	body_is(O, &f, "n", "", "{\"error\":{\"message\":\"a \\\"b\\\"\","
	    "\"type\":\"" INV "\",\"param\":\"n\",\"code\":null}}");
	body_is(A, &f, "n", "", "{\"type\":\"error\",\"error\":{\"type\":\""
	    INV "\",\"message\":\"a \\\"b\\\"\"}}");
	fault_own(&f, &a, MSG_INVALID, str_of(""));
	T_OK(f.message.n > 0, "empty");
	arena_free(&a);
}

/* Claude Code looks for these words. */
static void
test_context(void)
{
	struct arena a;
	struct fault f;

	arena_init(&a, 1 << 20);
	fault_own(&f, &a, MSG_CONTEXT, str_of("m"));
	body_is(A, &f, "", "", "{\"type\":\"error\",\"error\":{\"type\":\""
	    INV "\",\"message\":\"prompt is too long: m\"}}");
	body_is(O, &f, "", "", OB(INV, "\"context_length_exceeded\""));
	body_is(G, &f, "", "", GB("400", "INVALID_ARGUMENT"));
	fault_own(&f, &a, MSG_CONTEXT, str_of(TOO_LONG));
	body_is(A, &f, "", "", "{\"type\":\"error\",\"error\":{\"type\":\""
	    INV "\",\"message\":\"" TOO_LONG "\"}}");
	arena_free(&a);
}

static void
test_stream(void)
{
	static const struct {
		enum dialect d;
		const char *text;
	} want[] = {
		{ A, "event: error\ndata: {\"type\":\"error\",\"error\":"
		    "{\"type\":\"rate_limit_error\",\"message\":\"m\"}}\n\n" },
		{ O, "data: " OB("rate_limit_error",
		    "\"rate_limit_exceeded\"") "\n\n" },
		{ G, "data: " GB("429", "RESOURCE_EXHAUSTED") "\n\n" }
	};
	struct arena a;
	struct fault f;
	struct buf b;
	size_t i;

	arena_init(&a, 1 << 20);
	fault_own(&f, &a, MSG_RATE, str_of("m"));
	for (i = 0; i < N(want); i++) {
		buf_init(&b, 1 << 20);
		T_OK(fault_stream(&b, want[i].d, &f) == 0, "%lu",
		    (unsigned long)i);
		T_OK(str_is(buf_str(&b), want[i].text), "%.*s", (int)b.len,
		    buf_str(&b).p);
		buf_free(&b);
		buf_init(&b, 20);
		T_OK(fault_stream(&b, want[i].d, &f) == -1, "%lu",
		    (unsigned long)i);
		buf_free(&b);
	}
	arena_free(&a);
}

/* Out of memory: still a message, still a class. */
static void
test_memory(void)
{
	const char *body = ERR("\"type\":\"rate_limit_error\","
	    "\"message\":\"a\\u0062c\"");
	struct arena a;
	struct fault f;
	size_t max;

	for (max = 0; max < 2000; max += 8) {
		arena_init(&a, max);
		fault_read(&f, &a, A, 429, str_of("3"), str_of(body),
		    str_of(SECRET));
		T_OK(f.message.n > 0 && f.class == MSG_RATE &&
		    f.retry_s == 3, "%lu", (unsigned long)max);
		arena_free(&a);
	}
}

int
main(void)
{
	test_read();
	test_retry();
	test_excerpt();
	test_write();
	test_context();
	test_stream();
	test_memory();
	return t_end();
}
