#include "admin/demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/dialect.h"
#include "dialect/models.h"
#include "http.h"
#include "json.h"
#include "net/link.h"
#include "net/socket.h"
#include "wire/http_body.h"
#include "wire/http_write.h"

#define DEMO_PROVIDERS	6	/* overloaded and healthy, for each API */
#define DEMO_WORD_MS	40	/* between two words of a stream */
#define DEMO_BODY_MAX	(64u << 20)
#define DEMO_LIST_MAX	(64u << 10)
#define DEMO_MODEL	100	/* bytes of a model's name that is kept */

struct provider {
	struct watch watch;
	struct demo *demo;
	enum dialect api;
	int healthy;
	uint16_t port;
};

struct demo {
	struct loop *loop;		/* borrowed */
	struct provider providers[DEMO_PROVIDERS];
	struct visitor *visitors;	/* owned */
};

/* One connection of the proxy to a provider. */
struct visitor {
	struct provider *provider;
	struct link link;
	struct watch watch;
	struct timer timer;
	struct grave grave;
	struct buf in, body;
	struct http_body decoder;
	struct dialect_call call;
	struct buf out;
	char model[DEMO_MODEL + 1];	/* asked for, as JSON has it */
	int reading_body, stream;
	int usage;			/* OpenAI: asked to be told */
	unsigned word;			/* of the answer, next to be sent */
	struct visitor *next, *prev;
};

static const char *const words[] = {
	"Hello", " from", " Spillway's", " demo!", " No", " model", " was",
	" asked:", " the", " first", " provider", " said", " 529,", " so",
	" this", " answer", " comes", " from", " the", " second", " one.",
	" With", " your", " own", " keys", " a", " real", " one", " would",
	" speak", " here."
};
#define WORDS (sizeof words / sizeof *words)
#define PROMPT 9	/* tokens of each prompt, as the providers count */

/* What a provider of each API has; the patterns of the config fit them. */
static const char *const served[][3] = {
	{ "claude-opus-4-1", "claude-sonnet-4-5", "claude-haiku-4-5" },
	{ "gpt-4o", "gpt-4o-mini", "gpt-4.1" },
	{ "gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite" }
};
#define SERVED (sizeof served[0] / sizeof *served[0])

/* ---- the texts of the three APIs ---- */

static void
openai_usage(struct buf *out)
{
	buf_fmt(out, "\"usage\":{\"prompt_tokens\":%d,"
	    "\"completion_tokens\":%d,\"total_tokens\":%d}", PROMPT,
	    (int)WORDS, PROMPT + (int)WORDS);
}

static void
gemini_usage(struct buf *out)
{
	buf_fmt(out, "\"usageMetadata\":{\"promptTokenCount\":%d,"
	    "\"candidatesTokenCount\":%d,\"totalTokenCount\":%d}", PROMPT,
	    (int)WORDS, PROMPT + (int)WORDS);
}

static void
words_join(struct buf *out)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		buf_adds(out, words[i]);
}

static void
plain_write(struct buf *out, enum dialect api, const char *model)
{
	if (api == DIALECT_ANTHROPIC)
		buf_fmt(out, "{\"id\":\"msg_demo\",\"type\":\"message\","
		    "\"role\":\"assistant\",\"model\":\"%s\",\"content\":"
		    "[{\"type\":\"text\",\"text\":\"", model);
	else if (api == DIALECT_OPENAI)
		buf_fmt(out, "{\"id\":\"chatcmpl-demo\",\"object\":"
		    "\"chat.completion\",\"created\":0,\"model\":\"%s\","
		    "\"choices\":[{\"index\":0,\"message\":{\"role\":"
		    "\"assistant\",\"content\":\"", model);
	else
		buf_adds(out, "{\"candidates\":[{\"index\":0,\"content\":"
		    "{\"role\":\"model\",\"parts\":[{\"text\":\"");
	words_join(out);
	if (api == DIALECT_ANTHROPIC)
		buf_fmt(out, "\"}],\"stop_reason\":\"end_turn\","
		    "\"stop_sequence\":null,\"usage\":{\"input_tokens\":%d,"
		    "\"output_tokens\":%d}}\n", PROMPT, (int)WORDS);
	else if (api == DIALECT_OPENAI) {
		buf_adds(out, "\"},\"finish_reason\":\"stop\"}],");
		openai_usage(out);
		buf_adds(out, "}\n");
	} else {
		buf_adds(out, "\"}]},\"finishReason\":\"STOP\"}],");
		gemini_usage(out);
		buf_adds(out, "}\n");
	}
}

/* What each chunk of a stream of OpenAI begins with. */
static void
chunk_write(struct buf *out, const char *model)
{
	buf_fmt(out, "data: {\"id\":\"chatcmpl-demo\",\"object\":"
	    "\"chat.completion.chunk\",\"created\":0,\"model\":\"%s\",",
	    model);
}

static void
stream_begin(struct buf *out, enum dialect api, const char *model)
{
	if (api == DIALECT_ANTHROPIC)
		buf_fmt(out, "event: message_start\ndata: {\"type\":"
		    "\"message_start\",\"message\":{\"id\":\"msg_demo\","
		    "\"type\":\"message\",\"role\":\"assistant\",\"model\":"
		    "\"%s\",\"content\":[],\"stop_reason\":null,"
		    "\"stop_sequence\":null,\"usage\":{\"input_tokens\":%d,"
		    "\"output_tokens\":1}}}\n\nevent: content_block_start\n"
		    "data: {\"type\":\"content_block_start\",\"index\":0,"
		    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}"
		    "\n\n", model, PROMPT);
	else if (api == DIALECT_OPENAI) {
		chunk_write(out, model);
		buf_adds(out, "\"choices\":[{\"index\":0,\"delta\":{\"role\":"
		    "\"assistant\",\"content\":\"\"},\"finish_reason\":null}"
		    "]}\n\n");
	}
}

static void
stream_word(struct buf *out, enum dialect api, const char *model,
    const char *word)
{
	if (api == DIALECT_ANTHROPIC)
		buf_fmt(out, "event: content_block_delta\ndata: {\"type\":"
		    "\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
		    "\"text_delta\",\"text\":\"%s\"}}\n\n", word);
	else if (api == DIALECT_OPENAI) {
		chunk_write(out, model);
		buf_fmt(out, "\"choices\":[{\"index\":0,\"delta\":{"
		    "\"content\":\"%s\"},\"finish_reason\":null}]}\n\n",
		    word);
	} else
		buf_fmt(out, "data: {\"candidates\":[{\"index\":0,"
		    "\"content\":{\"role\":\"model\",\"parts\":[{\"text\":"
		    "\"%s\"}]}}]}\n\n", word);
}

static void
stream_end(struct buf *out, enum dialect api, const char *model, int usage)
{
	if (api == DIALECT_ANTHROPIC) {
		buf_fmt(out, "event: content_block_stop\ndata: {\"type\":"
		    "\"content_block_stop\",\"index\":0}\n\nevent: "
		    "message_delta\ndata: {\"type\":\"message_delta\","
		    "\"delta\":{\"stop_reason\":\"end_turn\","
		    "\"stop_sequence\":null},\"usage\":{\"output_tokens\":%d}"
		    "}\n\nevent: message_stop\ndata: {\"type\":"
		    "\"message_stop\"}\n\n", (int)WORDS);
	} else if (api == DIALECT_OPENAI) {
		chunk_write(out, model);
		buf_adds(out, "\"choices\":[{\"index\":0,\"delta\":{},"
		    "\"finish_reason\":\"stop\"}]}\n\n");
		if (usage) {
			chunk_write(out, model);
			buf_adds(out, "\"choices\":[],");
			openai_usage(out);
			buf_adds(out, "}\n\n");
		}
		buf_adds(out, "data: [DONE]\n\n");
	} else {
		buf_adds(out, "data: {\"candidates\":[{\"index\":0,"
		    "\"content\":{\"role\":\"model\",\"parts\":[{\"text\":"
		    "\"\"}]},\"finishReason\":\"STOP\"}],");
		gemini_usage(out);
		buf_adds(out, "}\n\n");
	}
}

/* The models that a provider has. */
static void
list_write(struct buf *out, enum dialect api)
{
	struct arena arena;
	struct models m = { NULL, NULL, 0 };
	size_t i;

	arena_init(&arena, DEMO_LIST_MAX);
	m.arena = &arena;
	for (i = 0; i < SERVED; i++)
		models_add(&m, str_of(served[api][i]), "demo");
	models_write(out, &m, api);
	arena_free(&arena);
}

/* ---- one visitor ---- */

static void
visitor_bury(void *arg)
{
	free(arg);
}

static void
visitor_close(struct visitor *v)
{
	struct demo *d = v->provider->demo;

	if (v->link.fd < 0)
		return;
	timer_clear(d->loop, &v->timer);
	loop_remove(d->loop, &v->watch);
	link_close(&v->link, 0);
	buf_free(&v->in);
	buf_free(&v->body);
	buf_free(&v->out);
	if (v->prev != NULL)
		v->prev->next = v->next;
	else
		d->visitors = v->next;
	if (v->next != NULL)
		v->next->prev = v->prev;
	loop_bury(d->loop, &v->grave, visitor_bury, v);
}

static void
visitor_send(struct visitor *v)
{
	struct str s = buf_str(&v->out);

	if (link_write(&v->link, &s, 1) == -1) {
		visitor_close(v);
		return;
	}
	buf_free(&v->out);
}

static void
reply(struct visitor *v, int status, struct str body)
{
	http_write_status(&v->out, status);
	http_write_field(&v->out, "content-type", str_of("application/json"));
	http_write_fieldu(&v->out, "content-length", body.n);
	buf_adds(&v->out, "\r\n");
	buf_addstr(&v->out, body);
	visitor_send(v);
}

/* One chunk of the stream in the making at v->body. */
static void
chunk_send(struct visitor *v)
{
	char head[HTTP_CHUNK_HEAD];

	if (v->body.len > 0) {
		buf_add(&v->out, head, http_chunk_head(head, v->body.len));
		buf_addstr(&v->out, buf_str(&v->body));
		buf_adds(&v->out, "\r\n");
		buf_free(&v->body);
	}
	visitor_send(v);
}

static void
visitor_word(void *arg, uint64_t now)
{
	struct visitor *v = arg;
	enum dialect api = v->provider->api;

	if (v->word < WORDS) {
		stream_word(&v->body, api, v->model, words[v->word++]);
		chunk_send(v);
		if (v->link.fd >= 0)
			timer_set(v->provider->demo->loop, &v->timer,
			    now + DEMO_WORD_MS);
		return;
	}
	stream_end(&v->body, api, v->model, v->usage);
	chunk_send(v);
	if (v->link.fd < 0)
		return;
	buf_adds(&v->out, "0\r\n\r\n");
	visitor_send(v);
}

static void
answer_good(struct visitor *v, uint64_t now)
{
	struct buf body;

	if (v->stream) {
		buf_adds(&v->out, "HTTP/1.1 200 OK\r\ncontent-type: "
		    "text/event-stream\r\ntransfer-encoding: chunked\r\n"
		    "\r\n");
		stream_begin(&v->body, v->provider->api, v->model);
		chunk_send(v);
		v->word = 0;
		if (v->link.fd >= 0)
			timer_set(v->provider->demo->loop, &v->timer,
			    now + DEMO_WORD_MS);
		return;
	}
	buf_init(&body, 4096);
	plain_write(&body, v->provider->api, v->model);
	reply(v, 200, buf_str(&body));
	buf_free(&body);
}

static void
answer_error(struct visitor *v, int status, const char *why)
{
	struct buf error;

	buf_init(&error, 1024);
	dialect_error_body(&error, v->provider->api, status, str_of(why),
	    str_of(""));
	reply(v, status, buf_str(&error));
	buf_free(&error);
}

static void
answer_list(struct visitor *v)
{
	struct buf body;

	buf_init(&body, DEMO_LIST_MAX);
	list_write(&body, v->provider->api);
	reply(v, 200, buf_str(&body));
	buf_free(&body);
}

static void
model_keep(struct visitor *v, struct str name)
{
	if (name.n == 0 || name.n > DEMO_MODEL)
		name = str_of("demo");
	memcpy(v->model, name.p, name.n);
	v->model[name.n] = '\0';
}

/* Reads what the answer depends on; the body has done its duty. */
static void
body_look(struct visitor *v)
{
	static const char *const names[] = {
		"model", "stream", "stream_options"
	};
	static const char *const option[] = { "include_usage" };
	struct json_value value[3], usage;

	memset(value, 0, sizeof value);
	memset(&usage, 0, sizeof usage);
	json_members(buf_str(&v->body), names, value, 3, NULL, NULL);
	if (value[0].type == JSON_STRING)
		model_keep(v, str_n(value[0].raw.p + 1,
		    value[0].raw.n - 2));
	v->stream = v->call.stream || value[1].type == JSON_TRUE;
	if (value[2].type == JSON_OBJECT)
		json_members(value[2].raw, option, &usage, 1, NULL, NULL);
	v->usage = usage.type == JSON_TRUE;
	buf_free(&v->body);
}

/* The request is whole. */
static void
visitor_answer(struct visitor *v, uint64_t now)
{
	body_look(v);
	if (v->call.op == OP_MODELS)
		answer_list(v);
	else if (!v->provider->healthy)
		answer_error(v, 529, "Overloaded (the demo's first provider "
		    "always is)");
	else if (v->call.op == OP_COUNT)
		reply(v, 200, str_of(v->provider->api == DIALECT_GEMINI ?
		    "{\"totalTokens\":9}\n" : "{\"input_tokens\":9}\n"));
	else if (v->call.op == OP_GENERATE)
		answer_good(v, now);
	else
		answer_error(v, 404, "the demo's providers do not have this");
}

static void
visitor_parse(struct visitor *v, uint64_t now)
{
	struct http_head h;
	struct str data, s = buf_str(&v->in);
	enum http_rc rc;
	size_t used;

	if (!v->reading_body) {
		rc = http_request(&h, s.p, s.n, 0);
		if (rc == HTTP_BAD)
			visitor_close(v);
		if (rc != HTTP_OK)
			return;
		dialect_detect(&v->call, &h);
		model_keep(v, v->call.model);	/* it points into the head */
		http_body_start(&v->decoder, &h);
		buf_take(&v->in, h.size);
		v->reading_body = 1;
	}
	do {
		s = buf_str(&v->in);
		rc = http_body_feed(&v->decoder, s.p, s.n, &used, &data);
		buf_addstr(&v->body, data);
		buf_take(&v->in, used);
	} while (rc == HTTP_MORE && v->in.len > 0);
	if (rc == HTTP_MORE)
		return;
	v->reading_body = 0;
	if (rc == HTTP_BAD || v->body.bad)
		visitor_close(v);
	else
		visitor_answer(v, now);
}

static unsigned
visitor_events(void *arg)
{
	struct visitor *v = arg;

	return link_events(&v->link, 1);
}

static void
visitor_ready(void *arg, unsigned bits, uint64_t now)
{
	struct visitor *v = arg;

	if (link_flush(&v->link) == -1) {
		visitor_close(v);
		return;
	}
	if ((bits & LOOP_READ) &&
	    link_read(&v->link, &v->in, 65536) > 0)
		visitor_parse(v, now);
	if (v->link.fd >= 0 && (v->link.eof || v->link.failed))
		visitor_close(v);
}

/* ---- the providers ---- */

static unsigned
provider_events(void *arg)
{
	(void)arg;
	return LOOP_READ;
}

static void
provider_ready(void *arg, unsigned bits, uint64_t now)
{
	struct provider *p = arg;
	struct visitor *v;
	int fd;

	(void)bits;
	(void)now;
	if ((fd = sock_accept(p->watch.fd, NULL)) < 0)
		return;
	if ((v = calloc(1, sizeof *v)) == NULL) {
		sock_close(fd, 1);
		return;
	}
	v->provider = p;
	link_open(&v->link, fd, 1u << 20);
	buf_init(&v->in, HTTP_HEAD_MAX + 65536);
	buf_init(&v->body, DEMO_BODY_MAX);
	buf_init(&v->out, 1u << 20);
	v->watch.fd = fd;
	v->watch.events = visitor_events;
	v->watch.ready = visitor_ready;
	v->watch.arg = v->timer.arg = v;
	v->timer.fire = visitor_word;
	if ((v->next = p->demo->visitors) != NULL)
		v->next->prev = v;
	p->demo->visitors = v;
	loop_add(p->demo->loop, &v->watch);
}

static const enum dialect apis[] = {
	DIALECT_ANTHROPIC, DIALECT_OPENAI, DIALECT_GEMINI
};

struct demo *
demo_start(struct loop *lp)
{
	struct dns_addr any = { 4, { 127, 0, 0, 1 }, 0 };
	struct demo *d;
	struct provider *p;
	size_t i;

	if ((d = calloc(1, sizeof *d)) == NULL)
		return NULL;
	d->loop = lp;
	for (i = 0; i < DEMO_PROVIDERS; i++)
		d->providers[i].watch.fd = -1;
	for (i = 0; i < DEMO_PROVIDERS; i++) {
		p = &d->providers[i];
		p->demo = d;
		p->api = apis[i / 2];
		p->healthy = i % 2 == 1;
		if ((p->watch.fd = sock_listen(&any, 0)) < 0) {
			demo_stop(d);
			return NULL;
		}
		p->port = sock_port(p->watch.fd);
		p->watch.events = provider_events;
		p->watch.ready = provider_ready;
		p->watch.arg = p;
		loop_add(lp, &p->watch);
	}
	return d;
}

void
demo_stop(struct demo *d)
{
	size_t i;

	if (d == NULL)
		return;
	while (d->visitors != NULL)
		visitor_close(d->visitors);
	for (i = 0; i < DEMO_PROVIDERS; i++) {
		loop_remove(d->loop, &d->providers[i].watch);
		sock_close(d->providers[i].watch.fd, 0);
	}
	free(d);
}

void
demo_config(const struct demo *d, uint16_t port, uint16_t admin,
    uint16_t metrics, struct buf *out)
{
	static const char *const names[] = { "claude", "openai", "gemini" };
	static const char *const models[] = {
		"\"claude*\"", "\"gpt-*\", \"o*\", \"chatgpt-*\"", "\"gemini*\""
	};
	const struct provider *p;
	size_t i;

	buf_fmt(out, "{ \"port\": %u, \"web_admin\": { \"port\": %u }, "
	    "\"metrics\": { \"port\": %u }, \"backends\": [",
	    (unsigned)port, (unsigned)admin, (unsigned)metrics);
	for (i = 0; i < DEMO_PROVIDERS; i++) {
		p = &d->providers[i];
		buf_fmt(out, "%s{ \"name\": \"%s-%s\", \"base_url\": "
		    "\"http://127.0.0.1:%u\", \"api_type\": \"%s\", "
		    "%s\"token\": \"demo-needs-no-key\", \"models\": [%s], "
		    "\"priority\": %d }", i > 0 ? ", " : "", names[i / 2],
		    p->healthy ? "healthy" : "overloaded", (unsigned)p->port,
		    names[i / 2], p->api == DIALECT_OPENAI ?
		    "\"responses\": false, " : "", models[i / 2],
		    p->healthy ? 2 : 1);
	}
	buf_adds(out, "] }");
}
