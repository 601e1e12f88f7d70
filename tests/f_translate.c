/*
 * The first byte chooses the pair, the second what the rest is: a request of
 * the client's, an answer of the backend's (a stream, or whole), an error,
 * or a count.  Answers are fed whole, byte by byte and in random pieces; a
 * stream that comes out must be a sentence of the client's grammar.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/sse.h"
#include "dialect/translate.h"
#include "json.h"

#define OUT_MAX ((size_t)16 << 20)
#define N(a) (sizeof (a) / sizeof (a)[0])

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* Clients, each with a request that all backends can be asked. */
static const struct client {
	enum dialect dialect;
	enum dialect_op op;
	const char *request, *count;
} clients[] = {
	{ DIALECT_ANTHROPIC, OP_GENERATE, "{\"model\":\"m\",\"max_tokens\":"
	    "900,\"thinking\":{\"type\":\"adaptive\"},\"tools\":[{\"name\":"
	    "\"f\",\"input_schema\":{}},{\"name\":\"g.h\",\"input_schema\":"
	    "{}}],\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
	    "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}" },
	{ DIALECT_OPENAI, OP_GENERATE, "{\"model\":\"m\",\"stream_options\":"
	    "{\"include_usage\":true},\"tools\":[{\"type\":\"function\","
	    "\"function\":{\"name\":\"f\"}},{\"type\":\"custom\","
	    "\"custom\":{\"name\":\"g\"}}],\"messages\":[{\"role\":\"user\","
	    "\"content\":\"x\"}]}", NULL },
	{ DIALECT_GEMINI, OP_GENERATE, "{\"contents\":[{\"parts\":[{\"text\":"
	    "\"x\"}]}],\"tools\":[{\"functionDeclarations\":[{\"name\":"
	    "\"f\"},{\"name\":\"g.h\"}]}],\"generationConfig\":"
	    "{\"thinkingConfig\":{\"includeThoughts\":true}}}",
	    "{\"contents\":[{\"parts\":[{\"text\":\"x\"}]}]}" },
	{ DIALECT_OPENAI, OP_RESPONSES, "{\"model\":\"m\",\"input\":\"x\","
	    "\"tools\":[{\"type\":\"function\",\"name\":\"f\"},{\"type\":"
	    "\"custom\",\"name\":\"g\"}]}", NULL }
};

static const struct {
	enum dialect dialect;
	const char *model;
} backends[] = {
	{ DIALECT_ANTHROPIC, "claude-sonnet-4-5" },
	{ DIALECT_OPENAI, "gpt-4o" },
	{ DIALECT_GEMINI, "gemini-3-pro" },
	{ DIALECT_ANTHROPIC, "claude-opus-5" },
	{ DIALECT_OPENAI, "gpt-5.2" },
	{ DIALECT_GEMINI, "gemini-2.5-flash" }
};

/* Who talks to whom. */
struct talk {
	const struct client *client;
	struct dialect_call call;
	struct translate_setup setup;
	uint64_t random;
};

static struct translate *
start(struct talk *k, struct str body)
{
	struct translate *t;
	struct msg_fault f;

	k->random = 1;
	k->setup.call = &k->call;
	k->setup.random = &k->random;
	t = translate_new(&k->setup, body, &f);
	must(t != NULL || f.why[0] != '\0');
	return t;
}

static void
talk_start(struct talk *k, uint8_t byte, int stream)
{
	memset(k, 0, sizeof *k);
	k->client = &clients[byte % N(clients)];
	byte = (uint8_t)(byte / N(clients));
	k->call.dialect = k->client->dialect;
	k->call.op = k->client->op;
	k->call.model = str_of("m");
	k->call.stream = stream != 0;
	k->call.json_array = k->call.dialect == DIALECT_GEMINI && stream &&
	    byte / N(backends) % 2;
	k->setup.model = str_of("m");
	k->setup.stream = stream != 0;
	k->setup.target.dialect = backends[byte % N(backends)].dialect;
	k->setup.target.model =
	    str_of(backends[byte % N(backends)].model);
	k->setup.target.stream = stream != 0;
	k->setup.target.auto_cache = byte / N(backends) % 2;
	k->setup.request_id = str_of("req");
	k->setup.secret = str_of("sesame-sesame");
	k->setup.created = 1;
}

/* ---- requests ---- */

/* The same bytes give the same request, and a valid one. */
static void
check_request(struct talk *k, struct str body)
{
	struct translate *t = start(k, body), *again = start(k, body);
	struct json_value v;

	must((t == NULL) == (again == NULL));
	if (t != NULL) {
		must(str_eq(translate_body(t), translate_body(again)));
		must(str_eq(translate_notes(t), translate_notes(again)));
		must(json_get(translate_body(t),
		    k->setup.target.dialect == DIALECT_GEMINI ?
		    "contents" : "messages", &v) == 0);
		must(json_valid(translate_body(t), NULL, NULL));
		must(translate_path(t).n > 0);
		must((translate_notes(t).n > 0) ==
		    (translate_losses(t) > 0));
	}
	translate_free(t);
	translate_free(again);
}

static void
check_clean(const struct talk *k, struct str body)
{
	struct buf b;
	int rc;

	buf_init(&b, OUT_MAX);
	rc = translate_clean(&b, &k->call, str_of("gemini-3-pro"), body);
	must(rc == 0 || rc == 1);
	must(rc == 1 ? json_valid(buf_str(&b), NULL, NULL) : b.len == 0);
	buf_free(&b);
}

/* ---- streams ---- */

/* What is known of a stream so far. */
struct watch {
	unsigned started, ended, open, next;
};

static int
is(struct str data, const char *path, const char *s)
{
	struct json_value v;

	return json_get(data, path, &v) == 0 && json_string_is(v.raw, s);
}

static void
watch_anthropic(struct watch *w, const struct sse_event *e)
{
	struct json_value v;
	uint64_t index = 0;

	must(is(e->data, "type", "ping") || !w->ended);
	if (json_get(e->data, "index", &v) == 0)
		must(json_u64(v.raw, &index) == 0);
	if (is(e->data, "type", "message_start")) {
		must(!w->started);
		w->started = 1;
	} else if (is(e->data, "type", "content_block_start")) {
		must(w->started == 1 && !w->open && index == w->next);
		w->open = 1;
	} else if (is(e->data, "type", "content_block_delta"))
		must(w->open && index == w->next);
	else if (is(e->data, "type", "content_block_stop")) {
		must(w->open && index == w->next);
		w->open = 0;
		w->next++;
	} else if (is(e->data, "type", "message_delta")) {
		must(w->started == 1 && !w->open);
		w->started = 2;
	} else if (is(e->data, "type", "message_stop")) {
		must(w->started == 2);
		w->ended = 1;
	} else {
		must(is(e->data, "type", "error"));
		w->ended = 1;
	}
}

static void
watch_openai(struct watch *w, const struct sse_event *e)
{
	struct json_value v;

	must(!w->ended && e->name.n == 0);
	if (str_is(e->data, "[DONE]") ||
	    json_get(e->data, "error", &v) == 0)
		w->ended = 1;
	else
		must(json_get(e->data, "choices", &v) == 0);
}

static void
watch_gemini(struct watch *w, const struct sse_event *e)
{
	struct json_value v;

	must(!w->ended && e->name.n == 0);
	if (json_get(e->data, "candidates.0.finishReason", &v) == 0 ||
	    json_get(e->data, "error", &v) == 0)
		w->ended = 1;
	else
		must(json_get(e->data, "candidates.0.content.parts.0",
		    &v) == 0);
}

static void
watch_responses(struct watch *w, const struct sse_event *e)
{
	struct json_value v;
	uint64_t n;

	must(!w->ended && json_get(e->data, "sequence_number", &v) == 0);
	must(json_u64(v.raw, &n) == 0 && n == w->next++);
	must(json_get(e->data, "type", &v) == 0 &&
	    v.raw.n == e->name.n + 2 &&
	    memcmp(v.raw.p + 1, e->name.p, e->name.n) == 0);
	if (is(e->data, "type", "response.output_item.added")) {
		must(!w->open);
		w->open = 1;
	} else if (is(e->data, "type", "response.output_item.done")) {
		must(w->open != 0);
		w->open = 0;
	} else if (is(e->data, "type", "response.failed"))
		w->ended = 1;
	else if (is(e->data, "type", "response.completed") ||
	    is(e->data, "type", "response.incomplete")) {
		must(!w->open);
		w->ended = 1;
	}
}

static void
check_stream(const struct talk *k, struct str s)
{
	struct sse_event e;
	struct watch w;
	struct sse sse;
	size_t n;

	if (k->call.json_array) {
		must(json_valid(s, NULL, NULL));
		return;
	}
	memset(&w, 0, sizeof w);
	sse_start(&sse);
	for (; (n = sse_next(&sse, s.p, s.n, &e)) > 0;
	    s = str_n(s.p + n, s.n - n)) {
		must(e.lines == 1);
		must(str_is(e.data, "[DONE]") ||
		    json_valid(e.data, NULL, NULL));
		if (k->client->dialect == DIALECT_ANTHROPIC)
			watch_anthropic(&w, &e);
		else if (k->client->dialect == DIALECT_GEMINI)
			watch_gemini(&w, &e);
		else if (k->client->op == OP_RESPONSES)
			watch_responses(&w, &e);
		else
			watch_openai(&w, &e);
	}
	must(s.n == 0 && w.ended);
}

/* Feeds in one way; 0: whole, 1: bytes, else random pieces. */
static void
answer(struct talk *k, struct str s, int plain, uint64_t way,
    struct buf *out, unsigned *losses, int *status)
{
	struct translate *t = start(k, str_of(k->client->request));
	size_t n;

	must(t != NULL);
	translate_sent(t);
	while (s.n > 0) {
		n = way == 0 ? s.n : way == 1 ? 1 :
		    1 + (size_t)(util_random(&way) % 40);
		if (n > s.n)
			n = s.n;
		must(translate_feed(t, str_n(s.p, n), plain, out) == 0);
		s = str_n(s.p + n, s.n - n);
	}
	must(translate_end(t, out) == 0);
	must(translate_ended(t) != translate_failed(t, status));
	*losses = translate_losses(t);
	translate_free(t);
}

static void
check_answer(struct talk *k, struct str s, int plain, uint64_t seed)
{
	struct buf first, other;
	unsigned lost, lost2;
	int status = 0, status2 = 0;
	uint64_t way;

	buf_init(&first, OUT_MAX);
	buf_init(&other, OUT_MAX);
	answer(k, s, plain, 0, &first, &lost, &status);
	if (k->setup.stream)
		check_stream(k, buf_str(&first));
	else
		must(json_valid(buf_str(&first), NULL, NULL));
	for (way = 1; way < 4; way++) {
		buf_clear(&other);
		status2 = 0;
		answer(k, s, plain, way == 1 ? 1 : way + seed, &other,
		    &lost2, &status2);
		must(str_eq(buf_str(&first), buf_str(&other)));
		must(lost == lost2 && status == status2);
	}
	buf_free(&first);
	buf_free(&other);
}

/* ---- the rest ---- */

static void
check_error(struct talk *k, struct str body, uint8_t status)
{
	struct translate *t = start(k, str_of(k->client->request));
	struct buf b;
	uint64_t retry;
	int got, final;

	must(t != NULL);
	buf_init(&b, OUT_MAX);
	must(translate_error(t, 400 + status % 200, body, body, &b, &got,
	    &retry, &final) == 0);
	must(json_valid(buf_str(&b), NULL, NULL));
	must(got >= 400 && got < 600);
	must(str_casefind(buf_str(&b), str_of("sesame-sesame")) < 0 ||
	    str_casefind(body, str_of("sesame-sesame")) >= 0);
	buf_free(&b);
	translate_free(t);
}

static void
check_count(struct talk *k, struct str body)
{
	struct translate *t;
	struct buf b;

	if (k->client->count == NULL ||
	    k->setup.target.dialect == DIALECT_OPENAI)
		return;
	k->call.op = OP_COUNT;
	t = start(k, str_of(k->client->count));
	must(t != NULL);
	buf_init(&b, OUT_MAX);
	if (translate_count(t, body, &b) == 0)
		must(json_valid(buf_str(&b), NULL, NULL));
	else
		must(b.len == 0);
	buf_free(&b);
	translate_free(t);
	t = start(k, body);
	if (t != NULL)
		must(json_valid(translate_body(t), NULL, NULL));
	translate_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct talk k;
	struct str rest;
	int what, mixed;

	if (size < 2 || size > 100000)
		return 0;
	what = data[1] % 8;
	mixed = data[1] / 8 % 2;
	rest = str_n((const char *)data + 2, size - 2);
	talk_start(&k, data[0], what % 2);
	switch (what) {
	case 0:
	case 1:
		check_request(&k, rest);
		check_clean(&k, rest);
		must(translate_estimate(&k.call, rest) >= -1);
		break;
	case 2:
	case 3:
	case 4:
	case 5:
		check_answer(&k, rest, (what % 2 == 0) ^ mixed, data[0]);
		break;
	case 6:
		check_error(&k, rest, data[0]);
		break;
	default:
		k.setup.stream = k.setup.target.stream = 0;
		check_count(&k, rest);
		break;
	}
	return 0;
}
