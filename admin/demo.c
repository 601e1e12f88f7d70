#include "admin/demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/dialect.h"
#include "http.h"
#include "json.h"
#include "net/link.h"
#include "net/socket.h"
#include "wire/http_body.h"
#include "wire/http_write.h"

#define DEMO_PROVIDERS	6	/* overloaded and healthy, for each API */
#define DEMO_WORD_MS	60	/* between two words of a stream */
#define DEMO_BODY_MAX	(64u << 20)

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
	int reading_body, stream;
	unsigned word;			/* of the answer, next to be sent */
	struct visitor *next, *prev;
};

static const char *const words[] = {
	"Hello", " from", " Spillway's", " demo", " provider.", " The",
	" first", " one", " said", " 529,", " so", " this", " answer",
	" came", " from", " the", " second."
};
#define WORDS (sizeof words / sizeof *words)

/* ---- the texts of the three APIs ---- */

static void
words_join(struct buf *out)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		buf_adds(out, words[i]);
}

static void
plain_write(struct buf *out, enum dialect api)
{
	if (api == DIALECT_ANTHROPIC)
		buf_adds(out, "{\"id\":\"msg_demo\",\"type\":\"message\","
		    "\"role\":\"assistant\",\"model\":\"demo\",\"content\":"
		    "[{\"type\":\"text\",\"text\":\"");
	else if (api == DIALECT_OPENAI)
		buf_adds(out, "{\"id\":\"chatcmpl-demo\",\"object\":"
		    "\"chat.completion\",\"created\":0,\"model\":\"demo\","
		    "\"choices\":[{\"index\":0,\"message\":{\"role\":"
		    "\"assistant\",\"content\":\"");
	else
		buf_adds(out, "{\"candidates\":[{\"index\":0,\"content\":"
		    "{\"role\":\"model\",\"parts\":[{\"text\":\"");
	words_join(out);
	if (api == DIALECT_ANTHROPIC)
		buf_adds(out, "\"}],\"stop_reason\":\"end_turn\","
		    "\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,"
		    "\"output_tokens\":17}}\n");
	else if (api == DIALECT_OPENAI)
		buf_adds(out, "\"},\"finish_reason\":\"stop\"}],\"usage\":{"
		    "\"prompt_tokens\":9,\"completion_tokens\":17,"
		    "\"total_tokens\":26}}\n");
	else
		buf_adds(out, "\"}]},\"finishReason\":\"STOP\"}],"
		    "\"usageMetadata\":{\"promptTokenCount\":9,"
		    "\"candidatesTokenCount\":17,\"totalTokenCount\":26}}\n");
}

static void
stream_begin(struct buf *out, enum dialect api)
{
	if (api == DIALECT_ANTHROPIC)
		buf_adds(out, "event: message_start\ndata: {\"type\":"
		    "\"message_start\",\"message\":{\"id\":\"msg_demo\","
		    "\"type\":\"message\",\"role\":\"assistant\",\"model\":"
		    "\"demo\",\"content\":[],\"stop_reason\":null,"
		    "\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,"
		    "\"output_tokens\":1}}}\n\nevent: content_block_start\n"
		    "data: {\"type\":\"content_block_start\",\"index\":0,"
		    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}"
		    "\n\n");
	else if (api == DIALECT_OPENAI)
		buf_adds(out, "data: {\"id\":\"chatcmpl-demo\",\"object\":"
		    "\"chat.completion.chunk\",\"created\":0,\"model\":"
		    "\"demo\",\"choices\":[{\"index\":0,\"delta\":{\"role\":"
		    "\"assistant\",\"content\":\"\"},\"finish_reason\":null}"
		    "]}\n\n");
}

static void
stream_word(struct buf *out, enum dialect api, const char *word)
{
	if (api == DIALECT_ANTHROPIC)
		buf_fmt(out, "event: content_block_delta\ndata: {\"type\":"
		    "\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
		    "\"text_delta\",\"text\":\"%s\"}}\n\n", word);
	else if (api == DIALECT_OPENAI)
		buf_fmt(out, "data: {\"id\":\"chatcmpl-demo\",\"object\":"
		    "\"chat.completion.chunk\",\"created\":0,\"model\":"
		    "\"demo\",\"choices\":[{\"index\":0,\"delta\":{"
		    "\"content\":\"%s\"},\"finish_reason\":null}]}\n\n",
		    word);
	else
		buf_fmt(out, "data: {\"candidates\":[{\"index\":0,"
		    "\"content\":{\"role\":\"model\",\"parts\":[{\"text\":"
		    "\"%s\"}]}}]}\n\n", word);
}

static void
stream_end(struct buf *out, enum dialect api)
{
	if (api == DIALECT_ANTHROPIC)
		buf_adds(out, "event: content_block_stop\ndata: {\"type\":"
		    "\"content_block_stop\",\"index\":0}\n\nevent: "
		    "message_delta\ndata: {\"type\":\"message_delta\","
		    "\"delta\":{\"stop_reason\":\"end_turn\","
		    "\"stop_sequence\":null},\"usage\":{\"output_tokens\":17}"
		    "}\n\nevent: message_stop\ndata: {\"type\":"
		    "\"message_stop\"}\n\n");
	else if (api == DIALECT_OPENAI)
		buf_adds(out, "data: {\"id\":\"chatcmpl-demo\",\"object\":"
		    "\"chat.completion.chunk\",\"created\":0,\"model\":"
		    "\"demo\",\"choices\":[{\"index\":0,\"delta\":{},"
		    "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
	else
		buf_adds(out, "data: {\"candidates\":[{\"index\":0,"
		    "\"content\":{\"role\":\"model\",\"parts\":[{\"text\":"
		    "\"\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{"
		    "\"promptTokenCount\":9,\"candidatesTokenCount\":17,"
		    "\"totalTokenCount\":26}}\n\n");
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
		stream_word(&v->body, api, words[v->word++]);
		chunk_send(v);
		if (v->link.fd >= 0)
			timer_set(v->provider->demo->loop, &v->timer,
			    now + DEMO_WORD_MS);
		return;
	}
	stream_end(&v->body, api);
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
		stream_begin(&v->body, v->provider->api);
		chunk_send(v);
		v->word = 0;
		if (v->link.fd >= 0)
			timer_set(v->provider->demo->loop, &v->timer,
			    now + DEMO_WORD_MS);
		return;
	}
	buf_init(&body, 4096);
	plain_write(&body, v->provider->api);
	reply(v, 200, buf_str(&body));
	buf_free(&body);
}

/* The request is whole. */
static void
visitor_answer(struct visitor *v, uint64_t now)
{
	static const char *const names[] = { "stream" };
	struct json_value value = { JSON_END, { NULL, 0 }, 0 };
	struct buf error;

	if (!v->provider->healthy) {
		buf_init(&error, 1024);
		dialect_error_body(&error, v->provider->api, 529,
		    str_of("Overloaded (the demo's first provider always "
		    "is)"), str_of(""));
		buf_free(&v->body);
		reply(v, 529, buf_str(&error));
		buf_free(&error);
		return;
	}
	json_members(buf_str(&v->body), names, &value, 1, NULL, NULL);
	v->stream = v->call.stream || value.type == JSON_TRUE;
	buf_free(&v->body);
	answer_good(v, now);
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
		    "\"token\": \"demo-needs-no-key\", \"models\": [%s], "
		    "\"priority\": %d }", i > 0 ? ", " : "", names[i / 2],
		    p->healthy ? "healthy" : "overloaded", (unsigned)p->port,
		    names[i / 2], models[i / 2], p->healthy ? 2 : 1);
	}
	buf_adds(out, "] }");
}
