#include <stdio.h>
#include <string.h>

#include "dialect/dialect.h"
#include "http.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])

#define A DIALECT_ANTHROPIC
#define O DIALECT_OPENAI
#define G DIALECT_GEMINI

#define VERSION "anthropic-version: 2023-06-01\r\n"
#define XKEY "x-api-key: k\r\n"
#define GOOG "x-goog-api-key: k\r\n"
#define BEARER "authorization: Bearer k\r\n"

static const struct {
	const char *method, *target, *fields;
	enum dialect dialect;
	enum dialect_op op;
	int stream, array;
	const char *model;
} detects[] = {
	{ "POST", "/v1/messages?beta=true", VERSION, A, OP_GENERATE, 0, 0, "" },
	{ "POST", "/v1/messages", "", A, OP_GENERATE, 0, 0, "" },
	{ "POST", "/v1/messages", GOOG, A, OP_GENERATE, 0, 0, "" },
	{ "POST", "/v1/messages/", "", A, OP_GENERATE, 0, 0, "" },
	{ "POST", "//v1//messages", "", A, OP_GENERATE, 0, 0, "" },
	{ "POST", "/v1/v1/messages", "", A, OP_GENERATE, 0, 0, "" },
	{ "POST", "/v1/v1/v1/messages", "", A, OP_GENERATE, 0, 0, "" },
	{ "POST", "http://h/v1/messages", "", A, OP_GENERATE, 0, 0, "" },
	{ "GET", "/v1/messages", "", A, OP_OTHER, 0, 0, "" },
	{ "HEAD", "/v1/messages", "", A, OP_OTHER, 0, 0, "" },
	{ "post", "/v1/messages", "", A, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/Messages", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/messages/count_tokens?beta=true", "", A, OP_COUNT,
	    0, 0, "" },
	{ "POST", "/v1/v1/messages/count_tokens", "", A, OP_COUNT, 0, 0, "" },
	{ "GET", "/v1/messages/count_tokens", "", A, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/messages/count_tokens/x", "", A, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/messages/batches", "", A, OP_OTHER, 0, 0, "" },
	{ "GET", "/v1/messages/batches/b1/results", "", A, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/messagesx", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/chat/completions", BEARER, O, OP_GENERATE, 0, 0, "" },
	{ "POST", "/v1/chat/completions", VERSION, O, OP_GENERATE, 0, 0, "" },
	{ "POST", "/v1/chat/completions/", "", O, OP_GENERATE, 0, 0, "" },
	{ "GET", "/v1/chat/completions", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/chat/completions/c1", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/chat", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/responses", "", O, OP_RESPONSES, 0, 0, "" },
	{ "GET", "/v1/responses/r1", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/responses/r1/cancel", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/completions", "", O, OP_LEGACY, 0, 0, "" },
	{ "POST", "/v1/embeddings", "", O, OP_LEGACY, 0, 0, "" },
	{ "GET", "/v1/embeddings", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/files", BEARER, O, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/files", XKEY, O, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/files", VERSION, A, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/files", GOOG, O, OP_OTHER, 0, 0, "" },
	{ "GET", "/v1", "", O, OP_OTHER, 0, 0, "" },

	{ "GET", "/v1/models", "", O, OP_MODELS, 0, 0, "" },
	{ "GET", "/v1/models", BEARER, O, OP_MODELS, 0, 0, "" },
	{ "GET", "/v1/models/", BEARER, O, OP_MODELS, 0, 0, "" },
	{ "GET", "/v1/models", XKEY, A, OP_MODELS, 0, 0, "" },
	{ "GET", "/v1/models", BEARER VERSION, A, OP_MODELS, 0, 0, "" },
	{ "GET", "/v1/models?limit=9", VERSION, A, OP_MODELS, 0, 0, "" },
	{ "GET", "/v1/models", GOOG, G, OP_MODELS, 0, 0, "" },
	{ "GET", "/v1/models", GOOG VERSION, G, OP_MODELS, 0, 0, "" },
	{ "GET", "/v1/models", GOOG XKEY, G, OP_MODELS, 0, 0, "" },
	{ "GET", "/v1/models?key=k", "", G, OP_MODELS, 0, 0, "" },
	{ "POST", "/v1/models", "", O, OP_OTHER, 0, 0, "" },
	{ "GET", "/v1/models/gpt-x", "", O, OP_MODEL, 0, 0, "gpt-x" },
	{ "GET", "/v1/models/ft:gpt-x:o::i", "", O, OP_MODEL, 0, 0,
	    "ft:gpt-x:o::i" },
	{ "GET", "/v1/models/claude-x", VERSION, A, OP_MODEL, 0, 0,
	    "claude-x" },
	{ "GET", "/v1/models/gemini-x", GOOG, G, OP_MODEL, 0, 0, "gemini-x" },
	{ "DELETE", "/v1/models/ft:x", "", O, OP_OTHER, 0, 0, "" },
	/* what stands before a path does not matter, but dots may hide it */
	{ "POST", "/p/../messages", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/p/%6dessages", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/v1/models/g-x:embedContent", GOOG, G, OP_OTHER,
	    0, 0, "g-x" },
	{ "GET", "/v1beta/models?key=abc", "", G, OP_MODELS, 0, 0, "" },
	{ "GET", "/v1alpha/models", "", G, OP_MODELS, 0, 0, "" },
	{ "GET", "/v1beta/models/gemini-x", "", G, OP_MODEL, 0, 0,
	    "gemini-x" },
	{ "HEAD", "/v1beta/models", "", G, OP_OTHER, 0, 0, "" },
	{ "GET", "/v1x/models", "", O, OP_MODELS, 0, 0, "" },
	{ "GET", "/models", "", O, OP_MODELS, 0, 0, "" },
	{ "GET", "/p/models/m", XKEY, A, OP_MODEL, 0, 0, "m" },
	{ "GET", "/p/v1beta/models/m", "", G, OP_MODEL, 0, 0, "m" },
	{ "GET", "/p/v1/files", XKEY, A, OP_OTHER, 0, 0, "" },

	{ "POST", "/v1beta/models/gemini-2.5-pro:generateContent", "",
	    G, OP_GENERATE, 0, 0, "gemini-2.5-pro" },
	{ "POST", "/v1beta/models/gemini-2.5-pro:streamGenerateContent"
	    "?alt=sse", "", G, OP_GENERATE, 1, 0, "gemini-2.5-pro" },
	{ "POST", "/v1beta/models/gemini-2.5-pro:streamGenerateContent"
	    "?key=a&alt=sse", "", G, OP_GENERATE, 1, 0, "gemini-2.5-pro" },
	{ "POST", "/v1beta/models/g:streamGenerateContent", "",
	    G, OP_GENERATE, 1, 1, "g" },
	{ "POST", "/v1beta/models/g:streamGenerateContent?alt=json", "",
	    G, OP_GENERATE, 1, 1, "g" },
	{ "POST", "/v1beta/models/g:generateContent?alt=sse", "",
	    G, OP_GENERATE, 0, 0, "g" },
	{ "POST", "/v1/models/g:generateContent", "",
	    G, OP_GENERATE, 0, 0, "g" },
	{ "POST", "/v1/models/g:generateContent", VERSION,
	    G, OP_GENERATE, 0, 0, "g" },
	{ "POST", "/v1alpha/models/g:streamGenerateContent?alt=sse", "",
	    G, OP_GENERATE, 1, 0, "g" },
	{ "POST", "/v1beta1/projects/p/models/g:generateContent", "",
	    G, OP_GENERATE, 0, 0, "g" },
	{ "POST", "/v1beta/tunedModels/t:generateContent", "",
	    G, OP_GENERATE, 0, 0, "t" },
	{ "POST", "/v1beta/models/a:b:generateContent", "",
	    G, OP_GENERATE, 0, 0, "a:b" },
	{ "POST", "/v1beta/models/g:countTokens", "",
	    G, OP_COUNT, 0, 0, "g" },
	{ "POST", "/v1beta/models/g:embedContent", "",
	    G, OP_OTHER, 0, 0, "g" },
	{ "GET", "/v1beta/models/g:generateContent", "",
	    G, OP_OTHER, 0, 0, "g" },
	{ "GET", "/v1beta/models/g:streamGenerateContent", "",
	    G, OP_OTHER, 0, 0, "g" },
	{ "POST", "/v1beta/models/g:generateContentX", "",
	    G, OP_OTHER, 0, 0, "g" },
	{ "POST", "/v1beta/models/:generateContent", "",
	    G, OP_GENERATE, 0, 0, "" },
	{ "POST", "/v1beta/openai/chat/completions", "",
	    G, OP_OTHER, 0, 0, "" },
	{ "GET", "/v1beta/files/f", VERSION, G, OP_OTHER, 0, 0, "" },

	{ "HEAD", "/", "", O, OP_OTHER, 0, 0, "" },
	{ "HEAD", "/api/hello", VERSION, A, OP_OTHER, 0, 0, "" },
	{ "GET", "/x", XKEY, A, OP_OTHER, 0, 0, "" },
	{ "GET", "/x", GOOG, G, OP_OTHER, 0, 0, "" },
	{ "GET", "/x", XKEY GOOG, A, OP_OTHER, 0, 0, "" },
	{ "POST", "/chat/completions", "", O, OP_GENERATE, 0, 0, "" },
	{ "POST", "/p/q/v1/messages", BEARER, A, OP_GENERATE, 0, 0, "" },
	{ "POST", "/p//v1/messages/count_tokens/", "", A, OP_COUNT,
	    0, 0, "" },
	{ "POST", "/a/b/c/d/e/responses", XKEY, O, OP_RESPONSES, 0, 0, "" },
	{ "POST", "/v1/threads/t/messages", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/p/v1/threads/t/messages", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/p/completions", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/p/messages/x", "", O, OP_OTHER, 0, 0, "" },
	{ "POST", "/a/b/c/d/e/f/g/h", "", O, OP_OTHER, 0, 0, "" },
	{ "OPTIONS", "*", "", O, OP_OTHER, 0, 0, "" }
};

static void
test_detect(void)
{
	static struct http_head h;
	struct dialect_call c;
	char text[512];
	size_t i;
	int n;

	for (i = 0; i < N(detects); i++) {
		n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: h"
		    "\r\n%s\r\n", detects[i].method, detects[i].target,
		    detects[i].fields);
		T_OK(http_request(&h, text, (size_t)n, 0) == HTTP_OK,
		    "%s", text);
		dialect_detect(&c, &h);
		T_OK(c.dialect == detects[i].dialect, "%d: %s", c.dialect,
		    text);
		T_OK(c.op == detects[i].op, "%d: %s", c.op, text);
		T_OK((int)c.stream == detects[i].stream, "%s", text);
		T_OK((int)c.json_array == detects[i].array, "%s", text);
		T_OK(str_is(c.model, detects[i].model), "%.*s: %s",
		    (int)c.model.n, c.model.p, text);
		T_OK(c.model.n == 0 || (c.model.p > text &&
		    c.model.p < text + n), "model is not in the head");
	}
}

static void
test_names(void)
{
	T_OK(strcmp(dialect_name(A), "anthropic") == 0, "A");
	T_OK(strcmp(dialect_name(O), "openai") == 0, "O");
	T_OK(strcmp(dialect_name(G), "gemini") == 0, "G");
	T_OK(strcmp(dialect_name(DIALECT_ANY), "any") == 0, "any");
}

int
main(void)
{
	test_detect();
	test_names();
	return t_end();
}
