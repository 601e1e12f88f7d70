#include "bench/talk.h"
#include "bench/kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_MAX	2048
#define TOOL_EVERY	12500	/* body bytes for each tool that is offered */
/* What an agent's conversation is made of: prose, code and its escapes. */
#define PART "I read the log of the last run and found where it stops: the " \
	"upstream closes while half of the body is still on its way.\\n\\n" \
	"    if (u->state == UP_BODY && n == 0)\\n\\treturn upstream_fail(u, " \
	"\\\"closed\\\");\\n\\nThe same happens when a provider answers " \
	"early, so the error of a write must not hide an answer that is " \
	"already there to be read: 3 \\u00b5s of work.\\n"
#define PARTS_BIG 9	/* of a turn in a request of TOOL_EVERY and more */

/* Text of a known greatest length. */
struct text {
	char *p;
	size_t n, max;
};

static struct text
text_new(size_t max)
{
	struct text t = { NULL, 0, max };

	if ((t.p = malloc(max + 1)) == NULL)
		kit_die("malloc");
	return t;
}

static void
text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p + t->n, t->max + 1 - t->n, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n > t->max - t->n) {
		fprintf(stderr, "bench: text too long\n");
		exit(1);
	}
	t->n += (size_t)n;
}

/* Plain words until the text has `length` bytes. */
static void
text_fill(struct text *t, size_t length)
{
	static const char words[] = "water finds its way past the closed gate ";
	size_t i;

	for (i = 0; t->n < length && t->n < t->max; i++)
		t->p[t->n++] = words[i % (sizeof words - 1)];
	t->p[t->n] = '\0';
}

static void
request_tools(struct text *t, enum talk_api api, size_t count)
{
	int openai = api == TALK_OPENAI;
	size_t i;

	text_add(t, "\"tools\":[");
	for (i = 0; i < count; i++) {
		text_add(t, "%s{%s\"name\":\"tool_%02zu\",\"description\":"
		    "\"Reads a file.\\n\\nUse it before \\\"edit\\\".\","
		    "\"%s\":{\"type\":\"object\",\"properties\":{"
		    "\"path\":{\"type\":\"string\",\"description\":\"where\"},"
		    "\"offset\":{\"type\":\"integer\",\"minimum\":0},"
		    "\"kind\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}},"
		    "\"required\":[\"path\"],\"additionalProperties\":false}}%s",
		    i == 0 ? "" : ",",
		    openai ? "\"type\":\"function\",\"function\":{" : "", i,
		    openai ? "parameters" : "input_schema", openai ? "}" : "");
	}
	text_add(t, "],");
}

static void
request_turn(struct text *t, const char *role, size_t parts)
{
	text_add(t, "{\"role\":\"%s\",\"content\":\"", role);
	while (parts-- > 0)
		text_add(t, "%s", PART);
	text_add(t, "\"},");
}

static struct text
request_body(enum talk_api api, size_t size, int stream)
{
	const char *end = stream ? "\"}],\"stream\":true}" : "\"}]}";
	size_t parts = size >= TOOL_EVERY ? PARTS_BIG : 1;
	struct text t = text_new(size);

	text_add(&t, "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":4096,");
	if (api == TALK_ANTHROPIC)
		text_add(&t, "\"system\":\"" PART "\",");
	if (size >= TOOL_EVERY)
		request_tools(&t, api, size / TOOL_EVERY);
	text_add(&t, "\"messages\":[");
	if (api == TALK_OPENAI)
		request_turn(&t, "system", 1);
	while (size - t.n > 2 * (parts * sizeof PART + 64)) {
		request_turn(&t, "user", parts);
		request_turn(&t, "assistant", parts);
	}
	text_add(&t, "{\"role\":\"user\",\"content\":\"");
	text_fill(&t, size - strlen(end));
	text_add(&t, "%s", end);
	return t;
}

enum talk_api
talk_api(const char *name)
{
	if (strcmp(name, "openai") == 0)
		return TALK_OPENAI;
	if (strcmp(name, "anthropic") != 0) {
		fprintf(stderr, "bench: no API %s\n", name);
		exit(2);
	}
	return TALK_ANTHROPIC;
}

char *
talk_request(enum talk_api api, int port, size_t size, int stream,
    size_t *len)
{
	struct text body = request_body(api, size, stream);
	struct text t = text_new(HEAD_MAX + size);

	text_add(&t, "POST %s HTTP/1.1\r\n"
	    "Host: 127.0.0.1:%d\r\n"
	    "Connection: keep-alive\r\n"
	    "Accept: application/json\r\n"
	    "Accept-Encoding: gzip, deflate\r\n"
	    "Content-Type: application/json\r\n"
	    "User-Agent: claude-cli/2.0.0 (external, cli)\r\n"
	    "%s"
	    "x-app: cli\r\n"
	    "X-Stainless-Arch: x64\r\n"
	    "X-Stainless-Lang: js\r\n"
	    "X-Stainless-OS: Linux\r\n"
	    "X-Stainless-Retry-Count: 0\r\n"
	    "X-Stainless-Timeout: 600\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    api == TALK_OPENAI ? "/v1/chat/completions" : "/v1/messages", port,
	    api == TALK_OPENAI ? "Authorization: Bearer key-of-the-client\r\n" :
	    "x-api-key: key-of-the-client\r\n"
	    "anthropic-version: 2023-06-01\r\n"
	    "anthropic-beta: fine-grained-tool-streaming-2025-05-14\r\n",
	    body.n);
	text_add(&t, "%s", body.p);
	free(body.p);
	*len = t.n;
	return t.p;
}

/* What stands around the text of a plain answer. */
static const struct { const char *begin, *end; } answers[] = {
	[TALK_ANTHROPIC] = {
		"{\"id\":\"msg_01bench\",\"type\":\"message\","
		"\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\","
		"\"content\":[{\"type\":\"text\",\"text\":\"",
		"\"}],\"stop_reason\":\"end_turn\","
		"\"stop_sequence\":null,\"usage\":{\"input_tokens\":420,"
		"\"cache_creation_input_tokens\":0,"
		"\"cache_read_input_tokens\":0,"
		"\"output_tokens\":230,\"service_tier\":\"standard\"}}"
	},
	[TALK_OPENAI] = {
		"{\"id\":\"chatcmpl-01bench\",\"object\":\"chat.completion\","
		"\"created\":1767225600,\"model\":\"claude-sonnet-4-5\","
		"\"choices\":[{\"index\":0,\"message\":{"
		"\"role\":\"assistant\",\"content\":\"",
		"\",\"refusal\":null},\"logprobs\":null,"
		"\"finish_reason\":\"stop\"}],\"usage\":{"
		"\"prompt_tokens\":420,\"completion_tokens\":230,"
		"\"total_tokens\":650},\"service_tier\":\"default\"}"
	}
};

char *
talk_body(enum talk_api api)
{
	struct text t = text_new(TALK_ANSWER);

	text_add(&t, "%s", answers[api].begin);
	text_fill(&t, TALK_ANSWER - strlen(answers[api].end));
	text_add(&t, "%s", answers[api].end);
	return t.p;
}

#define COMMON_HEADERS \
	"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n" \
	"Server: cloudflare\r\n" \
	"CF-RAY: 0123456789abcdef-TXL\r\n" \
	"cf-cache-status: DYNAMIC\r\n" \
	"request-id: req_01bench\r\n" \
	"anthropic-organization-id: 00000000-0000-0000-0000-000000000000\r\n" \
	"strict-transport-security: max-age=31536000\r\n" \
	"X-Robots-Tag: none\r\n" \
	"Connection: keep-alive\r\n"

char *
talk_answer(enum talk_api api, int status, size_t *len)
{
	static const char error[] = "{\"type\":\"error\",\"error\":{\"type\":"
	    "\"overloaded_error\",\"message\":\"Overloaded\"}}";
	struct text t = text_new(HEAD_MAX + TALK_ANSWER);
	char *message = talk_body(api);
	const char *body = status == 200 ? message : error;

	text_add(&t, "HTTP/1.1 %d %s\r\n" COMMON_HEADERS
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    status, status == 200 ? "OK" : "Overloaded", strlen(body), body);
	free(message);
	*len = t.n;
	return t.p;
}

const char *
talk_stream_head(void)
{
	return "HTTP/1.1 200 OK\r\n" COMMON_HEADERS
	    "Content-Type: text/event-stream; charset=utf-8\r\n"
	    "Cache-Control: no-cache\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n";
}

enum { START, BLOCK, TEXT, BLOCK_END, DELTA, STOP };

#define CHUNK "data: {\"id\":\"chatcmpl-01bench\"," \
	"\"object\":\"chat.completion.chunk\",\"created\":1767225600," \
	"\"model\":\"claude-sonnet-4-5\",\"system_fingerprint\":\"fp_01bench\","
#define CHOICE(delta, finish) CHUNK "\"choices\":[{\"index\":0,\"delta\":{" \
	delta "},\"logprobs\":null,\"finish_reason\":" finish "}]}\n\n"

/* OpenAI's have no BLOCK; its three last end the text, count, and end. */
static const char *const events[][TALK_KINDS] = {
	[TALK_ANTHROPIC] = {
		"event: message_start\ndata: {\"type\":\"message_start\","
		"\"message\":{\"id\":\"msg_01bench\",\"type\":\"message\","
		"\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\","
		"\"content\":[],\"stop_reason\":null,"
		"\"stop_sequence\":null,\"usage\":{\"input_tokens\":420,"
		"\"output_tokens\":1}}}\n\n",
		"event: content_block_start\ndata: {"
		"\"type\":\"content_block_start\",\"index\":0,"
		"\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
		"event: content_block_delta\ndata: {"
		"\"type\":\"content_block_delta\",\"index\":0,\"delta\":{"
		"\"type\":\"text_delta\",\"text\":"
		"\"water finds its way 0000000000000000000~\"}}\n\n",
		"event: content_block_stop\ndata: {"
		"\"type\":\"content_block_stop\",\"index\":0}\n\n",
		"event: message_delta\ndata: {\"type\":\"message_delta\","
		"\"delta\":{\"stop_reason\":\"end_turn\","
		"\"stop_sequence\":null},\"usage\":{"
		"\"output_tokens\":230}}\n\n",
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	},
	[TALK_OPENAI] = {
		CHOICE("\"role\":\"assistant\",\"content\":\"\","
		    "\"refusal\":null", "null"),
		NULL,
		CHOICE("\"content\":"
		    "\"water finds its way 0000000000000000000~\"", "null"),
		CHOICE("", "\"stop\""),
		CHUNK "\"choices\":[],\"usage\":{\"prompt_tokens\":420,"
		    "\"completion_tokens\":230,\"total_tokens\":650}}\n\n",
		"data: [DONE]\n\n"
	}
};

const char *
talk_last(enum talk_api api)
{
	return api == TALK_OPENAI ? "data: [DONE]" :
	    "data: {\"type\":\"message_stop\"}";
}

void
talk_stream_init(struct talk_stream *t, enum talk_api api)
{
	const char *event;
	int kind;

	t->api = api;
	for (kind = 0; kind < TALK_KINDS; kind++) {
		if ((event = events[api][kind]) == NULL)
			continue;
		t->body[kind] = strlen(event);
		t->length[kind] = (size_t)snprintf(t->frame[kind], TALK_FRAME,
		    "%zx\r\n%s\r\n%s", t->body[kind], event,
		    kind == STOP ? "0\r\n\r\n" : "");
	}
	t->stamp = (size_t)(strchr(t->frame[TEXT], '~') - t->frame[TEXT]) -
	    TALK_STAMP;
}

static int
kind_of(enum talk_api api, unsigned i, unsigned n)
{
	if (i == 0)
		return START;
	if (i == 1 && api == TALK_ANTHROPIC)
		return BLOCK;
	if (n - i > 3)
		return TEXT;
	return n - i == 3 ? BLOCK_END : n - i == 2 ? DELTA : STOP;
}

unsigned
talk_texts(enum talk_api api, unsigned n)
{
	return n - (api == TALK_ANTHROPIC ? 5 : 4);
}

const char *
talk_event(struct talk_stream *t, unsigned i, unsigned n, uint64_t now,
    size_t *len)
{
	int kind = kind_of(t->api, i, n), d;

	if (kind == TEXT) {
		for (d = TALK_STAMP; d-- > 0; now /= 10)
			t->frame[TEXT][t->stamp + (size_t)d] =
			    (char)('0' + now % 10);
	}
	*len = t->length[kind];
	return t->frame[kind];
}

size_t
talk_stream_length(const struct talk_stream *t, unsigned n)
{
	size_t sum = 0;
	unsigned i;

	for (i = 0; i < n; i++)
		sum += t->body[kind_of(t->api, i, n)];
	return sum;
}
