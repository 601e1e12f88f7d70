
#include <stdio.h>
#include <string.h>

#include "dialect/validate.h"
#include "json.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])

#define A DIALECT_ANTHROPIC
#define O DIALECT_OPENAI
#define G DIALECT_GEMINI

/* The whole stream; with its end. */
static const char *
judge(enum dialect d, enum dialect_op op, int strict, struct str text)
{
	struct validate v;
	struct sse_event e;
	struct sse s;
	size_t n;

	validate_start(&v, d, op, strict);
	sse_start(&s);
	while ((n = sse_next(&s, text.p, text.n, &e)) > 0 ||
	    (n = sse_last(&s, text.p, text.n, &e)) > 0) {
		validate_event(&v, &e);
		text = str_n(text.p + n, text.n - n);
	}
	return validate_end(&v);
}

#define T(s) ((s) == NULL ? "good" : (s))

/*
 * ---- The worked cases of translation ----
 */

static const struct {
	const char *name;
	enum dialect client, upstream;
	int responses;		/* the client's, of OpenAI */
	const char *end;	/* of what came from upstream */
} streams[] = {
	{ "a2g-st-full", G, A, 0, NULL },
	{ "a2g-st-thoughts", G, A, 0, NULL },
	{ "a2o-st-error", O, A, 0, NULL },
	{ "a2o-st-full", O, A, 0, NULL },
	{ "a2o-st-nousage", O, A, 0, NULL },
	{ "a2r-st-full", O, A, 1, NULL },
	{ "g2a-st-error", A, G, 0, NULL },
	{ "g2a-st-full", A, G, 0, NULL },
	{ "g2a-st-multi", A, G, 0, NULL },
	{ "g2o-st-full", O, G, 0, NULL },
	{ "g2r-st-custom", O, G, 1, NULL },
	{ "o2a-st-error", A, O, 0, NULL },
	{ "o2a-st-parallel", A, O, 0, NULL },
	{ "o2a-st-reasoning", A, O, 0, NULL },
	{ "o2a-st-text", A, O, 0, NULL },
	{ "o2a-st-truncated", A, O, 0,
	    "a stream that ends without a finish_reason" },
	{ "o2a-st-usage-each", A, O, 0, NULL },
	{ "o2g-st-tools", G, O, 0, NULL }
};

static const struct {
	const char *name;
	enum dialect client, upstream;
} plains[] = {
	{ "a2g-res-think-tool", G, A }, { "a2o-res-cite", O, A },
	{ "a2o-res-think-tool", O, A },
	{ "g2a-res-blocked", A, G },
	{ "g2a-res-malformed", A, G }, { "g2a-res-noid", A, G },
	{ "g2a-res-tool", A, G }, { "g2o-res-multi", O, G },
	{ "o2a-res-reasoning", A, O }, { "o2a-res-text", A, O },
	{ "o2a-res-tools", A, O }, { "o2g-res-n2", G, O }
};

/* A file with its wildcards, such as "<any-int>", filled in. */
static struct str
read_vector(const char *name, const char *file)
{
	static char in[1 << 16], out[1 << 16];
	char path[128];
	size_t n = 0, i = 0, k = 0;
	FILE *f;

	snprintf(path, sizeof path, "tests/vectors/%s/%s", name, file);
	if ((f = fopen(path, "rb")) != NULL) {
		n = fread(in, 1, sizeof in, f);
		fclose(f);
	}
	while (i < n) {
		if (n - i < 2 || in[i] != '"' || in[i + 1] != '<') {
			out[k++] = in[i++];
			continue;
		}
		if (str_starts(str_n(in + i, n - i), "\"<any-int>"))
			out[k++] = '1';
		else {
			memcpy(out + k, "\"x\"", 3);
			k += 3;
		}
		while (in[++i] != '"')
			;
		i++;
	}
	return str_n(out, k);
}

static void
test_vectors(void)
{
	const char *fault, *name;
	enum dialect_op op;
	struct str text;
	size_t i;

	for (i = 0; i < N(streams); i++) {
		name = streams[i].name;
		text = read_vector(name, "in.sse");
		T_OK(text.n > 0, "%s: no in.sse", name);
		fault = judge(streams[i].upstream, OP_GENERATE, 0, text);
		T_OK(str_eq(str_of(fault), str_of(streams[i].end)), "%s: %s",
		    name, T(fault));
		op = streams[i].responses ? OP_RESPONSES : OP_GENERATE;
		text = read_vector(name, "out.sse");
		T_OK(text.n > 0, "%s: no out.sse", name);
		fault = judge(streams[i].client, op, 1, text);
		T_OK(fault == NULL, "%s: %s", name, T(fault));
		fault = judge(streams[i].client, op, 0, text);
		T_OK(fault == NULL, "%s: %s", name, T(fault));
	}
}

static void
test_plain_vectors(void)
{
	const char *fault, *name;
	struct str text;
	size_t i;

	for (i = 0; i < N(plains); i++) {
		name = plains[i].name;
		text = read_vector(name, "in.json");
		T_OK(text.n > 0, "%s: no in.json", name);
		fault = validate_answer(plains[i].upstream, OP_GENERATE, 0,
		    text);
		T_OK(fault == NULL, "%s: %s", name, T(fault));
		text = read_vector(name, "out.json");
		T_OK(text.n > 0, "%s: no out.json", name);
		fault = validate_answer(plains[i].client, OP_GENERATE, 1,
		    text);
		T_OK(fault == NULL, "%s: %s", name, T(fault));
	}
}

/*
 * ---- Single changes of a good stream ----
 */

#define EVENT(t, x) "event: " t "\ndata: {\"type\":\"" t "\"" x "}\n\n"
#define DATA(x) "data: " x "\n\n"

static const char *const anthropic[] = {
/* 0 */	EVENT("message_start", ",\"message\":{\"id\":\"m\",\"type\":"
	    "\"message\",\"role\":\"assistant\",\"model\":\"x\",\"content\":"
	    "[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{"
	    "\"input_tokens\":1,\"output_tokens\":1}}"),
/* 1 */	EVENT("ping", ""),
/* 2 */	EVENT("content_block_start", ",\"index\":0,\"content_block\":{"
	    "\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}"),
/* 3 */	EVENT("content_block_delta", ",\"index\":0,\"delta\":{\"type\":"
	    "\"thinking_delta\",\"thinking\":\"hm\"}"),
/* 4 */	EVENT("content_block_delta", ",\"index\":0,\"delta\":{\"type\":"
	    "\"signature_delta\",\"signature\":\"sig\"}"),
/* 5 */	EVENT("content_block_stop", ",\"index\":0"),
/* 6 */	EVENT("content_block_start", ",\"index\":1,\"content_block\":{"
	    "\"type\":\"text\",\"text\":\"\"}"),
/* 7 */	EVENT("content_block_delta", ",\"index\":1,\"delta\":{\"type\":"
	    "\"text_delta\",\"text\":\"hi\"}"),
/* 8 */	EVENT("content_block_stop", ",\"index\":1"),
/* 9 */	EVENT("content_block_start", ",\"index\":2,\"content_block\":{"
	    "\"type\":\"tool_use\",\"id\":\"t_1\",\"name\":\"f\",\"input\":"
	    "{}}"),
/* 10 */ EVENT("content_block_delta", ",\"index\":2,\"delta\":{\"type\":"
	    "\"input_json_delta\",\"partial_json\":\"{}\"}"),
/* 11 */ EVENT("content_block_stop", ",\"index\":2"),
/* 12 */ EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"tool_use\","
	    "\"stop_sequence\":null},\"usage\":{\"output_tokens\":5}"),
/* 13 */ EVENT("message_stop", "")
};

#define HEAD "{\"id\":\"c\",\"object\":\"chat.completion.chunk\"," \
	"\"created\":1,\"model\":\"m\",\"choices\":["
#define CHUNK(d, f) DATA(HEAD "{\"index\":0,\"delta\":{" d \
	"},\"finish_reason\":" f "}]}")

static const char *const openai[] = {
/* 0 */	CHUNK("\"role\":\"assistant\",\"content\":\"\"", "null"),
/* 1 */	CHUNK("\"content\":\"hi\"", "null"),
/* 2 */	CHUNK("\"tool_calls\":[{\"index\":0,\"id\":\"t\",\"type\":"
	    "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]",
	    "null"),
/* 3 */	CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
	    "\"{}\"}}]", "null"),
/* 4 */	CHUNK("\"tool_calls\":[{\"index\":1,\"id\":\"u\",\"type\":"
	    "\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\""
	    "}}]", "null"),
/* 5 */	CHUNK("", "\"tool_calls\""),
/* 6 */	DATA(HEAD "],\"usage\":{\"prompt_tokens\":1}}"),
/* 7 */	DATA("[DONE]")
};

#define PIECE(p, x) DATA("{\"candidates\":[{\"content\":{\"role\":" \
	"\"model\",\"parts\":[" p "]},\"index\":0" x)

static const char *const gemini[] = {
/* 0 */	PIECE("{\"text\":\"hi\"}", "}]}"),
/* 1 */	PIECE("{\"functionCall\":{\"name\":\"f\",\"args\":{}}}", "}]}"),
/* 2 */	PIECE("{\"text\":\"\"}", ",\"finishReason\":\"STOP\"}],"
	    "\"usageMetadata\":{\"promptTokenCount\":1}}")
};

static const char *const responses[] = {
/* 0 */	EVENT("response.created", ",\"response\":{}"),
/* 1 */	EVENT("response.completed", ",\"response\":{}")
};

enum stream { SA, SO, SG, SR };

static const struct {
	const char *const *events;
	size_t n;
	enum dialect dialect;
	enum dialect_op op;
} goods[] = {
	{ anthropic, N(anthropic), A, OP_GENERATE },
	{ openai, N(openai), O, OP_GENERATE },
	{ gemini, N(gemini), G, OP_GENERATE },
	{ responses, N(responses), O, OP_RESPONSES }
};

/* Which level catches it: both, the strict one, none. */
enum level { BOTH, STRICT, NONE };

/*
 * Of event number `at`: from becomes to; or, without from: to stands in
 * front of the event; without both: the event is left out.
 */
static const struct {
	enum stream stream;
	size_t at;
	const char *from, *to;
	enum level level;
} changes[] = {
	/* Anthropic: what is left out */
	{ SA, 0, NULL, NULL, BOTH }, { SA, 1, NULL, NULL, NONE },
	{ SA, 2, NULL, NULL, BOTH }, { SA, 3, NULL, NULL, NONE },
	{ SA, 4, NULL, NULL, STRICT }, { SA, 5, NULL, NULL, BOTH },
	{ SA, 6, NULL, NULL, BOTH }, { SA, 7, NULL, NULL, NONE },
	{ SA, 8, NULL, NULL, BOTH }, { SA, 9, NULL, NULL, BOTH },
	{ SA, 10, NULL, NULL, STRICT }, { SA, 11, NULL, NULL, STRICT },
	{ SA, 12, NULL, NULL, STRICT }, { SA, 13, NULL, NULL, STRICT },
	/* what is put in between */
	{ SA, 6, NULL, "event: later\ndata: {\"type\":\"later\"}\n\n",
	    STRICT },
	{ SA, 0, NULL, "event: ping\ndata: {\"type\":\"ping\"}\n\n", NONE },
	{ SA, 7, NULL, ": comment\n\n", NONE },
	{ SA, 7, NULL, "event: ping\n\n", STRICT },
	{ SA, 7, NULL, "data\n\n", NONE },
	{ SA, 7, NULL, "data: {\"type\":\n\n", BOTH },
	{ SA, 7, NULL, "data: <html>\n\n", BOTH },
	{ SA, 7, NULL, "data: []\n\n", BOTH },
	{ SA, 7, NULL, "data: {}\n\n", BOTH },
	{ SA, 7, NULL, "data: [DONE]\n\n", STRICT },
	{ SA, 7, NULL, "event: error\ndata: {\"type\":\"error\",\"error\":"
	    "{\"type\":\"api_error\",\"message\":\"m\"}}\n\n", STRICT },
	{ SA, 6, NULL, EVENT("message_start", ",\"message\":{}"), BOTH },
	{ SA, 6, NULL, EVENT("content_block_stop", ",\"index\":0"), BOTH },
	{ SA, 6, NULL, EVENT("content_block_delta", ",\"index\":0,\"delta\":"
	    "{\"type\":\"text_delta\",\"text\":\"x\"}"), BOTH },
	{ SA, 13, NULL, EVENT("content_block_start", ",\"index\":3,"
	    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}"), BOTH },
	{ SA, 12, NULL, EVENT("message_stop", ""), BOTH },
	{ SA, 13, NULL, EVENT("message_stop", ""), BOTH },
	{ SA, 13, NULL, EVENT("message_delta", ",\"delta\":{\"stop_reason\":"
	    "\"end_turn\",\"stop_sequence\":null},\"usage\":{"
	    "\"output_tokens\":5}"), STRICT },
	{ SA, 4, NULL, EVENT("content_block_delta", ",\"index\":0,\"delta\":"
	    "{\"type\":\"signature_delta\",\"signature\":\"a\"}"), NONE },
	{ SA, 5, NULL, EVENT("content_block_delta", ",\"index\":0,\"delta\":"
	    "{\"type\":\"thinking_delta\",\"thinking\":\"a\"}"), STRICT },
	/* what is changed */
	{ SA, 0, "event: message_start\n", "", STRICT },
	{ SA, 7, "event: content_block_delta", "event: x", STRICT },
	{ SA, 7, "\"type\":\"content_block_delta\",", "", STRICT },
	{ SA, 0, "\"message\":{", "\"massage\":{", BOTH },
	{ SA, 0, "\"id\":\"m\"", "\"id\":1", STRICT },
	{ SA, 0, "\"model\":\"x\",", "", STRICT },
	{ SA, 0, "\"type\":\"message\",", "", STRICT },
	{ SA, 0, "\"role\":\"assistant\"", "\"role\":\"user\"", STRICT },
	{ SA, 0, "\"content\":[]", "\"content\":[{}]", STRICT },
	{ SA, 0, "\"content\":[],", "", STRICT },
	{ SA, 0, "\"stop_reason\":null,", "", STRICT },
	{ SA, 0, "\"usage\"", "\"x\"", STRICT },
	{ SA, 0, "\"input_tokens\":1", "\"input_tokens\":\"1\"", STRICT },
	{ SA, 2, "\"index\":0,", "", BOTH },
	{ SA, 2, "\"index\":0", "\"index\":\"0\"", BOTH },
	{ SA, 2, "\"index\":0", "\"index\":-1", BOTH },
	{ SA, 6, "\"index\":1", "\"index\":0", BOTH },
	{ SA, 6, "\"content_block\":{", "\"x\":{", BOTH },
	{ SA, 6, "\"type\":\"text\",", "", BOTH },
	{ SA, 6, "\"type\":\"text\"", "\"type\":\"later\"", STRICT },
	{ SA, 6, ",\"text\":\"\"", "", STRICT },
	{ SA, 6, "\"text\":\"\"", "\"text\":\"x\"", STRICT },
	{ SA, 2, "\"thinking\":\"\"", "\"x\":1", STRICT },
	{ SA, 9, "\"id\":\"t_1\",", "", BOTH },
	{ SA, 9, "\"id\":\"t_1\"", "\"id\":\"\"", BOTH },
	{ SA, 9, "\"id\":\"t_1\"", "\"id\":\"t.1\"", STRICT },
	{ SA, 9, "\"name\":\"f\"", "\"name\":null", BOTH },
	{ SA, 9, "\"input\":{}", "\"input\":{\"a\":1}", STRICT },
	{ SA, 9, "\"input\":{}", "\"input\":\"\"", STRICT },
	{ SA, 9, "\"type\":\"tool_use\"", "\"type\":\"server_tool_use\"",
	    STRICT },
	{ SA, 7, "\"index\":1,", "", BOTH },
	{ SA, 7, "\"index\":1", "\"index\":0", BOTH },
	{ SA, 7, "\"index\":1", "\"index\":2", BOTH },
	{ SA, 7, "\"delta\":{", "\"x\":{", BOTH },
	{ SA, 7, "\"type\":\"text_delta\",", "", BOTH },
	{ SA, 7, "\"type\":\"text_delta\"", "\"type\":\"later\"", STRICT },
	{ SA, 7, "\"text\":\"hi\"", "\"text\":null", BOTH },
	{ SA, 7, "text_delta", "thinking_delta", BOTH },
	{ SA, 10, "\"type\":\"input_json_delta\",\"partial_json\":\"{}\"",
	    "\"type\":\"text_delta\",\"text\":\"{}\"", BOTH },
	{ SA, 10, "\"partial_json\":\"{}\"", "\"partial_json\":{}", BOTH },
	{ SA, 3, "\"thinking\":\"hm\"", "\"text\":\"hm\"", BOTH },
	{ SA, 4, "\"signature\":\"sig\"", "\"signature\":1", BOTH },
	{ SA, 8, ",\"index\":1", "", BOTH },
	{ SA, 8, "\"index\":1", "\"index\":2", BOTH },
	{ SA, 12, "\"delta\":{", "\"x\":{", BOTH },
	{ SA, 12, "\"stop_reason\":\"tool_use\"", "\"stop_reason\":\"odd\"",
	    STRICT },
	{ SA, 12, "\"stop_reason\":\"tool_use\"", "\"stop_reason\":null",
	    STRICT },
	{ SA, 12, ",\"stop_sequence\":null", "", STRICT },
	{ SA, 12, "\"usage\":{", "\"x\":{", STRICT },
	{ SA, 12, "data: {", "data: {\"new\":[1,{\"a\":2}],", NONE },
	{ SA, 12, "\"type\"", "\"t\\u0079pe\"", NONE },
	/* OpenAI: left out */
	{ SO, 0, NULL, NULL, STRICT }, { SO, 1, NULL, NULL, NONE },
	{ SO, 2, NULL, NULL, STRICT }, { SO, 3, NULL, NULL, NONE },
	{ SO, 4, NULL, NULL, NONE }, { SO, 5, NULL, NULL, STRICT },
	{ SO, 6, NULL, NULL, NONE }, { SO, 7, NULL, NULL, STRICT },
	/* in between */
	{ SO, 1, NULL, ": comment\n\n", NONE },
	{ SO, 1, NULL, "data:\n\n", NONE },
	{ SO, 1, NULL, "data: {\"choices\":\n\n", BOTH },
	{ SO, 1, NULL, "data: OK\n\n", BOTH },
	{ SO, 1, NULL, "data: 1\n\n", BOTH },
	{ SO, 1, NULL, "data: {}\n\n", BOTH },
	{ SO, 1, NULL, "data: {\"type\":\"message_start\"}\n\n", BOTH },
	{ SO, 1, NULL, "data: {\"choices\":{}}\n\n", BOTH },
	{ SO, 1, NULL, "data: {\"choices\":[1]}\n\n", BOTH },
	{ SO, 1, NULL, "data: {\"choices\":[]}\n\n", STRICT },
	{ SO, 1, NULL, "data: {\"usage\":{}}\n\n", STRICT },
	{ SO, 0, NULL, "data: [DONE]\n\n", BOTH },
	{ SO, 1, NULL, "data: [DONE]\n\n", STRICT },
	{ SO, 1, NULL, "data: {\"error\":{\"message\":\"m\"}}\n\n", STRICT },
	{ SO, 6, NULL, CHUNK("\"content\":\"late\"", "null"), STRICT },
	{ SO, 7, NULL, CHUNK("\"content\":\"late\"", "null"), STRICT },
	{ SO, 1, "data: ", "event: x\ndata: ", STRICT },
	{ SO, 1, "data: ", "data:", NONE },
	{ SO, 7, "[DONE]", " [DONE] ", NONE },
	/* changed */
	{ SO, 0, "\"role\":\"assistant\",", "", STRICT },
	{ SO, 1, "\"content\"", "\"role\":\"assistant\",\"content\"",
	    STRICT },
	{ SO, 1, "\"id\":\"c\"", "\"id\":\"d\"", STRICT },
	{ SO, 1, "\"created\":1", "\"created\":2", STRICT },
	{ SO, 1, "\"created\":1", "\"created\":\"1\"", STRICT },
	{ SO, 1, "\"model\":\"m\",", "", STRICT },
	{ SO, 1, "chat.completion.chunk", "chunk", STRICT },
	{ SO, 1, "\"index\":0,", "", STRICT },
	{ SO, 1, "\"index\":0", "\"index\":-1", BOTH },
	{ SO, 1, "\"index\":0", "\"index\":128", BOTH },
	{ SO, 1, "\"index\":0", "\"index\":\"0\"", BOTH },
	{ SO, 1, "\"delta\":{\"content\":\"hi\"}", "\"delta\":null", STRICT },
	{ SO, 1, "\"delta\":{\"content\":\"hi\"}", "\"delta\":\"hi\"", BOTH },
	{ SO, 1, "\"content\":\"hi\"", "\"content\":null", NONE },
	{ SO, 1, "\"content\":\"hi\"", "\"content\":7", BOTH },
	{ SO, 1, "\"content\":\"hi\"", "\"content\":{}", BOTH },
	{ SO, 1, "\"content\":\"hi\"", "\"refusal\":{}", BOTH },
	{ SO, 1, "\"content\":\"hi\"", "\"reasoning_content\":\"x\"", NONE },
	{ SO, 1, ",\"finish_reason\":null", "", STRICT },
	{ SO, 1, "\"finish_reason\":null", "\"finish_reason\":\"\"",
	    STRICT },
	{ SO, 1, "\"finish_reason\":null", "\"finish_reason\":true", BOTH },
	{ SO, 1, "]}", "],\"usage\":{\"prompt_tokens\":1}}", NONE },
	{ SO, 5, "\"tool_calls\"}", "\"odd\"}", STRICT },
	{ SO, 5, "\"delta\":{}", "\"delta\":{\"content\":\"x\"}", STRICT },
	{ SO, 2, "\"tool_calls\":[", "\"tool_calls\":[1,", BOTH },
	{ SO, 2, "\"tool_calls\":[{\"index\":0,", "\"tool_calls\":[{",
	    STRICT },
	{ SO, 2, "[{\"index\":0,\"id\"", "[{\"index\":\"0\",\"id\"", BOTH },
	{ SO, 2, "[{\"index\":0,\"id\"", "[{\"index\":1,\"id\"", STRICT },
	{ SO, 2, "\"id\":\"t\",", "", STRICT },
	{ SO, 2, "\"type\":\"function\",", "", STRICT },
	{ SO, 2, "\"name\":\"f\",", "", STRICT },
	{ SO, 2, "\"name\":\"f\"", "\"name\":{}", BOTH },
	{ SO, 2, "\"arguments\":\"\"", "\"arguments\":null", NONE },
	{ SO, 3, "\"arguments\":\"{}\"", "\"arguments\":{}", BOTH },
	{ SO, 3, "\"function\":{\"arguments\":\"{}\"}", "\"function\":1",
	    BOTH },
	{ SO, 3, "\"arguments\"", "\"name\":\"\",\"arguments\"", STRICT },
	{ SO, 3, "\"index\":0,\"function\"", "\"index\":0,\"id\":\"t\","
	    "\"function\"", STRICT },
	/* Gemini */
	{ SG, 0, NULL, NULL, NONE }, { SG, 1, NULL, NULL, NONE },
	{ SG, 2, NULL, NULL, BOTH },
	{ SG, 1, NULL, "data: x\n\n", BOTH },
	{ SG, 1, NULL, "data: [DONE]\n\n", BOTH },
	{ SG, 1, NULL, "data: {}\n\n", BOTH },
	{ SG, 1, NULL, "data: [1]\n\n", BOTH },
	{ SG, 1, NULL, "data: {\"choices\":[]}\n\n", BOTH },
	{ SG, 1, NULL, "data: {\"candidates\":{}}\n\n", BOTH },
	{ SG, 1, NULL, "data: {\"candidates\":[null]}\n\n", BOTH },
	{ SG, 1, NULL, "data: {\"promptFeedback\":1}\n\n", BOTH },
	{ SG, 1, NULL, "data: {\"usageMetadata\":{}}\n\n", STRICT },
	{ SG, 1, NULL, "data: {\"error\":{\"code\":503,\"message\":\"m\","
	    "\"status\":\"UNAVAILABLE\"}}\n\n", STRICT },
	{ SG, 2, NULL, "data: [{\"error\":{\"code\":503}}]\n\n", STRICT },
	{ SG, 0, "data: ", "event: x\ndata: ", STRICT },
	{ SG, 0, "\"parts\":[{\"text\":\"hi\"}]", "\"parts\":[]", STRICT },
	{ SG, 0, "\"parts\":[{\"text\":\"hi\"}]", "\"parts\":[{}]", STRICT },
	{ SG, 0, "\"parts\":[{\"text\":\"hi\"}]", "\"parts\":{}", BOTH },
	{ SG, 0, "\"parts\":[{\"text\":\"hi\"}]", "\"parts\":[\"hi\"]",
	    BOTH },
	{ SG, 0, "\"text\":\"hi\"", "\"text\":1", BOTH },
	{ SG, 0, "\"role\":\"model\",", "", STRICT },
	{ SG, 0, "\"index\":0", "\"index\":999", BOTH },
	{ SG, 0, ",\"index\":0", "", NONE },
	{ SG, 0, "\"index\":0", "\"index\":0,\"finishReason\":\"STOP\"",
	    STRICT },
	{ SG, 0, "\"index\":0", "\"index\":0,\"finishReason\":1", BOTH },
	{ SG, 1, "\"name\":\"f\",", "", BOTH },
	{ SG, 1, "\"args\":{}", "\"args\":\"{}\"", BOTH },
	{ SG, 1, ",\"args\":{}", "", NONE },
	{ SG, 1, "{\"name\":\"f\",\"args\":{}}", "1", BOTH },
	{ SG, 2, "\"finishReason\":\"STOP\"",
	    "\"finishReason\":\"FINISH_REASON_UNSPECIFIED\"", BOTH },
	{ SG, 2, ",\"usageMetadata\":{\"promptTokenCount\":1}", "", STRICT },
	/* Responses */
	{ SR, 0, NULL, NULL, NONE }, { SR, 1, NULL, NULL, BOTH },
	{ SR, 1, NULL, "data: x\n\n", BOTH },
	{ SR, 1, NULL, "data: {}\n\n", BOTH },
	{ SR, 1, NULL, "data: {\"type\":1}\n\n", BOTH },
	{ SR, 1, NULL, EVENT("response.new", ""), NONE },
	{ SR, 1, "response.completed", "response.incomplete", NONE },
	{ SR, 1, NULL, EVENT("response.failed", ""), NONE }
};

/* Writes s with the first from in it replaced; 0 if it is not there. */
static int
put_changed(struct buf *out, const char *s, const char *from, const char *to)
{
	const char *at = strstr(s, from);

	if (at == NULL)
		return 0;
	buf_add(out, s, (size_t)(at - s));
	buf_adds(out, to);
	buf_adds(out, at + strlen(from));
	return 1;
}

static void
put_stream(struct buf *out, enum stream stream, size_t change)
{
	size_t i;
	int there = 1;

	buf_clear(out);
	for (i = 0; i < goods[stream].n; i++) {
		if (change == N(changes) || i != changes[change].at) {
			buf_adds(out, goods[stream].events[i]);
		} else if (changes[change].from != NULL) {
			there = put_changed(out, goods[stream].events[i],
			    changes[change].from, changes[change].to);
		} else if (changes[change].to != NULL) {
			buf_adds(out, changes[change].to);
			buf_adds(out, goods[stream].events[i]);
		}
	}
	T_OK(there, "change %zu: nothing to change", change);
}

static void
test_changes(void)
{
	const char *normal, *strict;
	enum stream s;
	struct buf b;
	size_t i;

	buf_init(&b, 1 << 16);
	for (i = 0; i < N(goods); i++) {
		put_stream(&b, (enum stream)i, N(changes));
		normal = judge(goods[i].dialect, goods[i].op, 0, buf_str(&b));
		strict = judge(goods[i].dialect, goods[i].op, 1, buf_str(&b));
		T_OK(normal == NULL && strict == NULL, "%zu: %s, %s", i,
		    T(normal), T(strict));
	}
	for (i = 0; i < N(changes); i++) {
		s = changes[i].stream;
		put_stream(&b, s, i);
		normal = judge(goods[s].dialect, goods[s].op, 0, buf_str(&b));
		strict = judge(goods[s].dialect, goods[s].op, 1, buf_str(&b));
		T_OK((normal != NULL) == (changes[i].level == BOTH) &&
		    (strict != NULL) == (changes[i].level != NONE),
		    "change %zu (stream %d, event %zu): %s, %s", i, (int)s,
		    changes[i].at, T(normal), T(strict));
	}
	buf_free(&b);
}

/*
 * ---- Plain answers ----
 */

#define MESSAGE(c, x) "{\"id\":\"m\",\"type\":\"message\",\"role\":" \
	"\"assistant\",\"model\":\"x\",\"content\":[" c "],\"stop_reason\":" \
	"\"end_turn\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":1," \
	"\"output_tokens\":1}" x "}"
#define COMPLETION(m) "{\"id\":\"c\",\"object\":\"chat.completion\"," \
	"\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":" \
	"{\"role\":\"assistant\"," m "},\"finish_reason\":\"stop\"}]}"
#define CANDIDATE(p) "{\"candidates\":[{\"content\":{\"role\":\"model\"," \
	"\"parts\":[" p "]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{}}"
#define CALL(f) "\"content\":null,\"tool_calls\":[{\"id\":\"i\",\"type\":" \
	"\"function\",\"function\":{" f "}}]"

static const struct {
	enum dialect dialect;
	enum dialect_op op;
	const char *body;
	enum level level;
} answers[] = {
	{ A, OP_GENERATE, MESSAGE("", ""), NONE },
	{ A, OP_GENERATE, MESSAGE("{\"type\":\"text\",\"text\":\"x\"},"
	    "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"s\"},"
	    "{\"type\":\"redacted_thinking\",\"data\":\"d\"},{\"type\":"
	    "\"tool_use\",\"id\":\"i\",\"name\":\"n\",\"input\":{}}", ""),
	    NONE },
	{ A, OP_GENERATE, MESSAGE("{\"type\":\"later\"}", ""), STRICT },
	{ A, OP_GENERATE, MESSAGE("{\"type\":\"web_search_tool_result\"}",
	    ""), NONE },
	{ A, OP_GENERATE, MESSAGE("{\"type\":\"text\"}", ""), STRICT },
	{ A, OP_GENERATE, MESSAGE("{\"type\":\"thinking\"}", ""), STRICT },
	{ A, OP_GENERATE, MESSAGE("{\"type\":\"redacted_thinking\"}", ""),
	    STRICT },
	{ A, OP_GENERATE, MESSAGE("{\"type\":\"tool_use\",\"id\":\"i\","
	    "\"name\":\"n\"}", ""), STRICT },
	{ A, OP_GENERATE, MESSAGE("{\"type\":\"tool_use\",\"id\":\"i\"}",
	    ""), BOTH },
	{ A, OP_GENERATE, MESSAGE("{}", ""), BOTH },
	{ A, OP_GENERATE, MESSAGE("1", ""), BOTH },
	{ A, OP_GENERATE, "{\"type\":\"error\",\"error\":{}}", NONE },
	{ A, OP_GENERATE, "{\"id\":\"m\",\"type\":\"message\"}", BOTH },
	{ A, OP_GENERATE, "{\"content\":[]}", STRICT },
	{ A, OP_GENERATE, MESSAGE("", ",\"id\":1"), STRICT },
	{ A, OP_GENERATE, MESSAGE("", ",\"model\":1"), STRICT },
	{ A, OP_GENERATE, MESSAGE("", ",\"type\":\"x\""), STRICT },
	{ A, OP_GENERATE, MESSAGE("", ",\"role\":\"user\""), STRICT },
	{ A, OP_GENERATE, MESSAGE("", ",\"stop_reason\":null"), STRICT },
	{ A, OP_GENERATE, MESSAGE("", ",\"usage\":{\"input_tokens\":\"1\"}"),
	    STRICT },
	{ A, OP_GENERATE, MESSAGE("", ",\"content\":\"x\""), BOTH },
	{ A, OP_GENERATE, "", BOTH }, { A, OP_GENERATE, "<html>", BOTH },
	{ A, OP_GENERATE, MESSAGE("", "") "}", BOTH },
	{ A, OP_COUNT, "{\"input_tokens\":1}", NONE },
	{ A, OP_MODELS, "x", NONE }, { O, OP_LEGACY, "x", NONE },
	{ DIALECT_ANY, OP_GENERATE, "x", NONE },
	{ O, OP_GENERATE, COMPLETION("\"content\":\"x\""), NONE },
	{ O, OP_GENERATE, COMPLETION("\"content\":1"), BOTH },
	{ O, OP_GENERATE, COMPLETION("\"refusal\":\"no\""), STRICT },
	{ O, OP_GENERATE, COMPLETION(CALL("\"name\":\"f\",\"arguments\":"
	    "\"{}\"")), NONE },
	{ O, OP_GENERATE, COMPLETION(CALL("\"name\":\"f\",\"arguments\":{}")),
	    BOTH },
	{ O, OP_GENERATE, COMPLETION(CALL("\"arguments\":\"{}\"")), BOTH },
	{ O, OP_GENERATE, COMPLETION(CALL("\"name\":\"f\"")), STRICT },
	{ O, OP_GENERATE, COMPLETION("\"content\":null,\"tool_calls\":[1]"),
	    BOTH },
	{ O, OP_GENERATE, "{\"choices\":[]}", BOTH },
	{ O, OP_GENERATE, "{\"id\":\"c\"}", BOTH },
	{ O, OP_GENERATE, "{\"choices\":[{}]}", BOTH },
	{ O, OP_GENERATE, "{\"choices\":[{\"message\":{}}]}", STRICT },
	{ O, OP_GENERATE, "{\"error\":\"x\"}", NONE },
	{ O, OP_GENERATE, "[]", BOTH },
	{ G, OP_GENERATE, CANDIDATE("{\"text\":\"x\"}"), NONE },
	{ G, OP_GENERATE, CANDIDATE(""), STRICT },
	{ G, OP_GENERATE, CANDIDATE("{\"text\":[]}"), BOTH },
	{ G, OP_GENERATE, "[" CANDIDATE("{\"text\":\"x\"}") "]", NONE },
	{ G, OP_GENERATE, "[" CANDIDATE("{\"text\":\"x\"}") "}", BOTH },
	{ G, OP_GENERATE, "[]", BOTH }, { G, OP_GENERATE, "{}", BOTH },
	{ G, OP_GENERATE, "{\"usageMetadata\":{}}", BOTH },
	{ G, OP_GENERATE, "{\"candidates\":[{\"content\":{\"role\":\"model\""
	    ",\"parts\":[{\"text\":\"\"}]}}]}", STRICT },
	{ G, OP_GENERATE, "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"},"
	    "\"usageMetadata\":{}}", NONE },
	{ G, OP_GENERATE, "[{\"error\":{\"code\":1,\"message\":\"\","
	    "\"status\":\"X\"}}]", NONE },
	{ O, OP_RESPONSES, "{\"object\":\"response\",\"output\":[]}", NONE },
	{ O, OP_RESPONSES, "{\"status\":\"completed\"}", STRICT },
	{ O, OP_RESPONSES, "{\"error\":{}}", NONE },
	{ O, OP_RESPONSES, "{}", BOTH }, { O, OP_RESPONSES, "[]", BOTH }
};

static void
test_answers(void)
{
	const char *normal, *strict;
	struct str body;
	size_t i;

	for (i = 0; i < N(answers); i++) {
		body = str_of(answers[i].body);
		normal = validate_answer(answers[i].dialect, answers[i].op, 0,
		    body);
		strict = validate_answer(answers[i].dialect, answers[i].op, 1,
		    body);
		T_OK((normal != NULL) == (answers[i].level == BOTH) &&
		    (strict != NULL) == (answers[i].level != NONE),
		    "%s: %s, %s", answers[i].body, T(normal), T(strict));
	}
}

/* What the watch need not read, once the stream has begun. */
static void
test_quiet(void)
{
	static const struct {
		enum dialect dialect;
		enum dialect_op op;
		const char *begin, *data;
		int quiet;
		const char *usage;
	} events[] = {
#define A_OPEN "{\"type\":\"message_start\",\"message\":{}}\n\n" \
	"data: {\"type\":\"content_block_start\",\"index\":0," \
	"\"content_block\":{\"type\":\"text\",\"text\":\"\"}}"
		{ A, OP_GENERATE, A_OPEN, "{\"type\":\"content_block_delta\","
		    "\"index\":0,\"delta\":{\"type\":\"text_delta\","
		    "\"text\":\"a\\\"b\"}}", 1, "" },
		{ A, OP_GENERATE, A_OPEN, "{\"index\":0,\"type\":"
		    "\"content_block_delta\", \"delta\":{\"text\":\"x\","
		    "\"type\":\"text_delta\"}}", 1, "" },
		{ A, OP_GENERATE, A_OPEN, "{\"type\":\"content_block_delta\","
		    "\"index\":0,\"delta\":{\"type\":\"text_delta\","
		    "\"text\":\"x\"},\"error\":{}}", 0, "" },
		{ A, OP_GENERATE, A_OPEN, "{\"type\":\"message_delta\","
		    "\"delta\":{\"stop_reason\":null}}", 0, "" },
		{ O, OP_GENERATE, "{\"choices\":[]}", "{\"choices\":[{"
		    "\"index\":0,\"delta\":{\"content\":\"x\"},"
		    "\"finish_reason\":null}],\"usage\":null}", 1, "" },
		{ O, OP_GENERATE, "{\"choices\":[]}", "{\"choices\":[],"
		    "\"usage\":{\"prompt_tokens\":1}}", 1,
		    "{\"prompt_tokens\":1}" },
		{ O, OP_GENERATE, "{\"choices\":[]}", "{\"choices\":[{"
		    "\"delta\":{},\"finish_reason\":\"stop\"}]}", 0, "" },
		{ O, OP_GENERATE, "{\"choices\":[]}", "{\"choices\":[{"
		    "\"finish_reason\":\"stop\",\"finish_reason\":null}]}",
		    0, "" },
		{ O, OP_GENERATE, "{\"choices\":[]}", "{\"error\":\"x\"}", 0,
		    "" },
		{ O, OP_GENERATE, "{\"choices\":[]}", "[DONE]", 0, "" },
		{ G, OP_GENERATE, "{\"candidates\":[]}", "{\"candidates\":[{"
		    "\"content\":{\"parts\":[{\"text\":\"x\"}]}}],"
		    "\"usageMetadata\":{\"promptTokenCount\":2}}", 1,
		    "{\"promptTokenCount\":2}" },
		{ G, OP_GENERATE, "{\"candidates\":[]}", "{\"candidates\":[{"
		    "\"finishReason\":\"STOP\"}]}", 0, "" },
		{ G, OP_GENERATE, "{\"candidates\":[]}", "{\"promptFeedback\":"
		    "{\"blockReason\":\"SAFETY\"}}", 0, "" },
		{ G, OP_GENERATE, "{\"candidates\":[]}", "[{\"candidates\":["
		    "]}]", 0, "" },
		{ O, OP_RESPONSES, "{\"type\":\"response.created\"}",
		    "{\"type\":\"response.output_text.delta\"}", 1, "" },
		{ O, OP_RESPONSES, "{\"type\":\"response.created\"}",
		    "{\"type\":\"response.completed\"}", 0, "" }
	};
	struct validate v;
	struct sse_event e;
	struct sse s;
	struct str text;
	struct buf b;
	size_t i, n;

	for (i = 0; i < N(events); i++) {
		buf_init(&b, 4096);
		buf_adds(&b, "data: ");
		buf_adds(&b, events[i].begin);
		buf_adds(&b, "\n\ndata: ");
		buf_adds(&b, events[i].data);
		buf_adds(&b, "\n\n");
		text = buf_str(&b);
		validate_start(&v, events[i].dialect, events[i].op, 0);
		sse_start(&s);
		while ((n = sse_next(&s, text.p, text.n, &e)) > 0) {
			validate_event(&v, &e);
			text = str_n(text.p + n, text.n - n);
		}
		T_OK(v.fault == NULL && v.quiet == (unsigned)events[i].quiet &&
		    (!v.quiet || str_is(v.usage, events[i].usage)),
		    "%s: %s, %u", events[i].data, T(v.fault), v.quiet);
		buf_free(&b);
	}
}

/* The first fault stays; joined data counts as one text. */
static void
test_rest(void)
{
	struct validate v;
	const char *fault;

	validate_start(&v, O, OP_GENERATE, 0);
	T_OK(validate_end(&v) != NULL, "an empty stream is complete");
	fault = validate_data(&v, str_n("", 0), str_of("x"));
	T_OK(fault != NULL && v.fault == fault, "x is good");
	T_OK(validate_data(&v, str_n("", 0), str_of("[DONE]")) == fault &&
	    validate_end(&v) == fault, "the fault went away");
	fault = judge(O, OP_GENERATE, 1, str_of("data: {\"error\":{\n"
	    "data: \"message\":\"m\",\"type\":null,\"param\":null,\n"
	    "data: \"code\":null}}\n\n"));
	T_OK(fault == NULL, "%s", T(fault));
	fault = judge(A, OP_OTHER, 1, str_of("data: x\n\n"));
	T_OK(fault == NULL, "%s", T(fault));
}

int
main(void)
{
	test_vectors();
	test_plain_vectors();
	test_changes();
	test_answers();
	test_quiet();
	test_rest();
	return t_end();
}
