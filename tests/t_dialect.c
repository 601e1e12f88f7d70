#include <stdio.h>
#include <string.h>

#include "dialect/dialect.h"
#include "json.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])

#define A DIALECT_ANTHROPIC
#define O DIALECT_OPENAI
#define G DIALECT_GEMINI
#define ANY DIALECT_ANY

static void
show_usage(char *at, size_t n, const struct dialect_usage *u)
{
	snprintf(at, n, "%ld %ld %ld %ld %ld", (long)u->input,
	    (long)u->output, (long)u->cache_read, (long)u->cache_write,
	    (long)u->reasoning);
}

#define NONE "-1 -1 -1 -1 -1"
#define NOISE SIGN_NOISE
#define CONTENT SIGN_CONTENT
#define ERROR SIGN_ERROR
#define END SIGN_END
#define INVALID SIGN_INVALID
#define GEN OP_GENERATE
#define RES OP_RESPONSES

#define CHOICE(x) "{\"id\":\"c\",\"choices\":[{\"index\":0," x "}]}"
#define DELTA(x) CHOICE("\"delta\":{" x "},\"finish_reason\":null")
#define CAND(x) "{\"candidates\":[{" x "}]}"
#define PARTS(x) CAND("\"content\":{\"role\":\"model\",\"parts\":[" x "]}")
#define BLOCK(x) "{\"type\":\"content_block_start\",\"index\":0," \
	"\"content_block\":{" x "}}"

/* One event, as the first of its stream. */
static const struct {
	enum dialect dialect;
	enum dialect_op op;
	const char *name, *data;
	enum dialect_sign sign;
	const char *usage;
	const char *stop;	/* NULL: not stopped */
	int ended;
} events[] = {
	/* Anthropic */
	{ A, GEN, "message_start", "{\"type\":\"message_start\",\"message\":"
	    "{\"id\":\"m\",\"content\":[],\"stop_reason\":null,\"usage\":"
	    "{\"input_tokens\":12,\"cache_creation_input_tokens\":3,"
	    "\"cache_read_input_tokens\":40,\"output_tokens\":1}}}",
	    NOISE, "12 1 40 3 -1", NULL, 0 },
	{ A, GEN, "message_start", "{\"type\":\"message_start\","
	    "\"message\":null}", NOISE, NONE, NULL, 0 },
	{ A, GEN, "message_start", "{\"type\":\"message_start\","
	    "\"message\":{\"usage\":null}}", NOISE, NONE, NULL, 0 },
	{ A, GEN, "", "{\"type\":\"message_start\",\"message\":{\"usage\":"
	    "[{\"input_tokens\":5}]}}", NOISE, NONE, NULL, 0 },
	{ A, GEN, "", "{\"type\":\"ping\"}", NOISE, NONE, NULL, 0 },
	{ A, GEN, "ping", "{}", NOISE, NONE, NULL, 0 },
	{ A, GEN, "", BLOCK("\"type\":\"text\",\"text\":\"\""),
	    NOISE, NONE, NULL, 0 },
	{ A, GEN, "", BLOCK("\"type\":\"text\""), NOISE, NONE, NULL, 0 },
	{ A, GEN, "", BLOCK("\"type\":\"text\",\"text\":\"x\""),
	    CONTENT, NONE, NULL, 0 },
	{ A, GEN, "", BLOCK("\"type\":\"thinking\",\"thinking\":\"\","
	    "\"signature\":\"\""), NOISE, NONE, NULL, 0 },
	{ A, GEN, "", BLOCK("\"type\":\"thinking\",\"thinking\":\"\","
	    "\"signature\":\"x\""), CONTENT, NONE, NULL, 0 },
	{ A, GEN, "", BLOCK("\"type\":\"thinking\",\"thinking\":\"h\""),
	    CONTENT, NONE, NULL, 0 },
	{ A, GEN, "", BLOCK("\"type\":\"redacted_thinking\",\"data\":\"x\""),
	    CONTENT, NONE, NULL, 0 },
	{ A, GEN, "", BLOCK("\"type\":\"tool_use\",\"id\":\"t\","
	    "\"name\":\"f\",\"input\":{}"), CONTENT, NONE, NULL, 0 },
	{ A, GEN, "", BLOCK("\"type\":\"server_tool_use\""),
	    CONTENT, NONE, NULL, 0 },
	{ A, GEN, "", BLOCK(""), NOISE, NONE, NULL, 0 },
	{ A, GEN, "", "{\"type\":\"content_block_start\",\"index\":0}",
	    NOISE, NONE, NULL, 0 },
	{ A, GEN, "content_block_delta", "{\"type\":\"content_block_delta\","
	    "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"H\"}}",
	    CONTENT, NONE, NULL, 0 },
	{ A, GEN, "", " { \"delta\" : { } ,\n\"type\"\t:"
	    " \"content_block_delta\" } ", CONTENT, NONE, NULL, 0 },
	{ A, GEN, "", "{\"ty\\u0070e\":\"content_block_delta\"}",
	    CONTENT, NONE, NULL, 0 },
	{ A, GEN, "content_block_delta", "{\"index\":0}",
	    CONTENT, NONE, NULL, 0 },
	{ A, GEN, "content_block_delta", "{\"type\":\"ping\"}",
	    NOISE, NONE, NULL, 0 },
	{ A, GEN, "", "{\"delta\":{\"type\":\"content_block_delta\"},"
	    "\"type\":\"ping\"}", NOISE, NONE, NULL, 0 },
	{ A, GEN, "", "{\"index\":0}", NOISE, NONE, NULL, 0 },
	{ A, GEN, "", "{\"type\":\"content_block_stop\",\"index\":0}",
	    NOISE, NONE, NULL, 0 },
	{ A, GEN, "", "{\"type\":\"brand_new\"}", NOISE, NONE, NULL, 0 },
	{ A, GEN, "", "{\"type\":7}", NOISE, NONE, NULL, 0 },
	{ A, GEN, "message_delta", "{\"type\":\"message_delta\",\"delta\":"
	    "{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},"
	    "\"usage\":{\"output_tokens\":9,\"output_tokens_details\":"
	    "{\"thinking_tokens\":4}}}", CONTENT, "-1 9 -1 -1 4",
	    "end_turn", 0 },
	{ A, GEN, "", "{\"type\":\"message_delta\",\"delta\":"
	    "{\"stop_reason\":null},\"usage\":{\"output_tokens\":2}}",
	    NOISE, "-1 2 -1 -1 -1", NULL, 0 },
	{ A, GEN, "", "{\"type\":\"message_delta\",\"delta\":"
	    "{\"stop_reason\":\"\"}}", NOISE, NONE, NULL, 0 },
	{ A, GEN, "", "{\"type\":\"message_delta\"}", NOISE, NONE, NULL, 0 },
	{ A, GEN, "message_stop", "{\"type\":\"message_stop\"}",
	    END, NONE, NULL, 1 },
	{ A, GEN, "message_stop", "{}", END, NONE, NULL, 1 },
	{ A, GEN, "error", "{\"type\":\"error\",\"error\":{\"type\":"
	    "\"overloaded_error\",\"message\":\"Overloaded\"}}",
	    ERROR, NONE, NULL, 0 },
	{ A, GEN, "error", "{}", ERROR, NONE, NULL, 0 },
	{ A, GEN, "", "{\"error\":{\"message\":\"x\"}}", ERROR, NONE, NULL,
	    0 },
	{ A, GEN, "", "{\"error\":\"x\"}", ERROR, NONE, NULL, 0 },
	{ A, GEN, "", "{\"type\":\"ping\",\"error\":null}",
	    NOISE, NONE, NULL, 0 },
	{ A, GEN, "", "[DONE]", NOISE, NONE, NULL, 0 },
	{ A, GEN, "error", "Overloaded", INVALID, NONE, NULL, 0 },
	{ A, GEN, "", "<html>", INVALID, NONE, NULL, 0 },
	{ A, GEN, "", "{\"type\":\"content_block_delta\",\"index\":0",
	    INVALID, NONE, NULL, 0 },
	{ A, GEN, "", "{\"type\":\"content_block_delta\"} x",
	    INVALID, NONE, NULL, 0 },
	{ A, GEN, "", "[1]", NOISE, NONE, NULL, 0 },
	{ A, GEN, "", "\"text\"", NOISE, NONE, NULL, 0 },
	{ A, GEN, "message_stop", "", NOISE, NONE, NULL, 0 },
	{ A, RES, "", "{\"type\":\"message_stop\"}", END, NONE, NULL, 1 },

	/* OpenAI */
	{ O, GEN, "", DELTA("\"role\":\"assistant\",\"content\":\"\","
	    "\"refusal\":null"), NOISE, NONE, NULL, 0 },
	{ O, GEN, "", DELTA("\"role\":\"assistant\",\"content\":null"),
	    NOISE, NONE, NULL, 0 },
	{ O, GEN, "", DELTA(""), NOISE, NONE, NULL, 0 },
	{ O, GEN, "", DELTA("\"content\":\"H\""), CONTENT, NONE, NULL, 0 },
	{ O, GEN, "", " { \"choices\" :\n[ { \"delta\" : { \"content\" :"
	    " \"H\" } } ] } ", CONTENT, NONE, NULL, 0 },
	{ O, GEN, "", CHOICE("\"delta\":{\"c\\u006fntent\":\"H\"}"),
	    CONTENT, NONE, NULL, 0 },
	{ O, GEN, "", DELTA("\"refusal\":\"no\""), CONTENT, NONE, NULL, 0 },
	{ O, GEN, "", DELTA("\"reasoning_content\":\"h\""),
	    CONTENT, NONE, NULL, 0 },
	{ O, GEN, "", DELTA("\"reasoning\":\"h\""), CONTENT, NONE, NULL, 0 },
	{ O, GEN, "", DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"x\"}]"),
	    CONTENT, NONE, NULL, 0 },
	{ O, GEN, "", DELTA("\"tool_calls\":[ \n]"), NOISE, NONE, NULL, 0 },
	{ O, GEN, "", DELTA("\"function_call\":{\"name\":\"f\"}"),
	    CONTENT, NONE, NULL, 0 },
	{ O, GEN, "", DELTA("\"function_call\":{}"), NOISE, NONE, NULL, 0 },
	{ O, GEN, "", DELTA("\"other\":\"x\""), NOISE, NONE, NULL, 0 },
	{ O, GEN, "", CHOICE("\"text\":\"x\""), CONTENT, NONE, NULL, 0 },
	{ O, GEN, "", CHOICE("\"message\":{\"content\":\"x\"}"),
	    CONTENT, NONE, NULL, 0 },
	{ O, GEN, "", CHOICE("\"delta\":{},\"finish_reason\":\"stop\""),
	    CONTENT, NONE, "stop", 0 },
	{ O, GEN, "", CHOICE("\"delta\":{},\"finish_reason\":\"\""),
	    NOISE, NONE, NULL, 0 },
	{ O, GEN, "", CHOICE("\"finish_reason\":\"tool_calls\""),
	    CONTENT, NONE, "tool_calls", 0 },
	{ O, GEN, "", "{\"choices\":[{\"delta\":{\"content\":\"\"}},"
	    "{\"index\":1,\"delta\":{\"content\":\"x\"}}]}",
	    CONTENT, NONE, NULL, 0 },
	{ O, GEN, "", "{\"choices\":[1,null,[{}],\"x\",{\"delta\":null}]}",
	    NOISE, NONE, NULL, 0 },
	{ O, GEN, "", "{\"choices\":{\"delta\":{\"content\":\"x\"}}}",
	    NOISE, NONE, NULL, 0 },
	{ O, GEN, "", "{\"x\":{\"choices\":[{\"delta\":{\"content\":"
	    "\"x\"}}]}}", NOISE, NONE, NULL, 0 },
	{ O, GEN, "", "{\"choices\":[],\"usage\":{\"prompt_tokens\":30,"
	    "\"completion_tokens\":9,\"total_tokens\":39,"
	    "\"prompt_tokens_details\":{\"cached_tokens\":10},"
	    "\"completion_tokens_details\":{\"reasoning_tokens\":5}}}",
	    NOISE, "20 9 10 -1 5", NULL, 0 },
	{ O, GEN, "", "{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\""
	    ":1,\"prompt_tokens_details\":{\"cached_tokens\":2,"
	    "\"cache_write_tokens\":4}}}", NOISE, "0 1 2 4 -1", NULL, 0 },
	{ O, GEN, "", "{\"usage\":{\"prompt_tokens\":3,"
	    "\"prompt_tokens_details\":null}}",
	    NOISE, "3 -1 -1 -1 -1", NULL, 0 },
	{ O, GEN, "", "{\"usage\":{\"x\":{\"prompt_tokens_details\":"
	    "{\"cached_tokens\":2},\"prompt_tokens\":9},\"cached_tokens\":"
	    "1,\"y\":[{\"prompt_tokens\":8}],\"prompt_tokens\":3}}",
	    NOISE, "3 -1 -1 -1 -1", NULL, 0 },
	{ O, GEN, "", "{\"usage\":null,\"choices\":[]}",
	    NOISE, NONE, NULL, 0 },
	{ O, GEN, "", "{\"usage\":{\"prompt_tokens\":-3,"
	    "\"completion_tokens\":\"5\"}}", NOISE, NONE, NULL, 0 },
	{ O, GEN, "", "{\"usage\":{\"completion_tokens\":"
	    "18446744073709551615}}", NOISE,
	    "-1 9007199254740992 -1 -1 -1", NULL, 0 },
	{ O, GEN, "", "[DONE]", END, NONE, NULL, 1 },
	{ O, GEN, "", "[DONE] ", END, NONE, NULL, 1 },
	{ O, GEN, "", "[done]", INVALID, NONE, NULL, 0 },
	{ O, GEN, "", "{\"error\":{\"message\":\"x\",\"type\":\"y\"}}",
	    ERROR, NONE, NULL, 0 },
	{ O, GEN, "", "{\"error\":{},\"choices\":[{\"finish_reason\":"
	    "\"error\",\"delta\":{\"content\":\"x\"}}]}",
	    ERROR, NONE, NULL, 0 },
	{ O, GEN, "", "{\"error\":\"broken\"}", ERROR, NONE, NULL, 0 },
	{ O, GEN, "", "{\"error\":\"\"}", NOISE, NONE, NULL, 0 },
	{ O, GEN, "", "{\"error\":null,\"choices\":[{\"delta\":"
	    "{\"content\":\"x\"}}]}", CONTENT, NONE, NULL, 0 },
	{ O, GEN, "", "<!doctype html>", INVALID, NONE, NULL, 0 },
	{ O, GEN, "", "{\"choices\":[{\"delta\":{\"content\":\"x",
	    INVALID, NONE, NULL, 0 },
	{ O, GEN, "", "{\"choices\":[{\"delta\":{\"content\":\"x\"}]}",
	    INVALID, NONE, NULL, 0 },
	{ O, GEN, "", "{\"choices\":[{\"finish_reason\":\"stop\"}]",
	    INVALID, NONE, NULL, 0 },
	{ O, GEN, "", "{\"choices\":[]}}", INVALID, NONE, NULL, 0 },
	{ O, GEN, "", "[{\"choices\":[{\"text\":\"x\"}]}]",
	    NOISE, NONE, NULL, 0 },
	{ O, GEN, "", "null", NOISE, NONE, NULL, 0 },

	/* Responses */
	{ O, RES, "", "{\"type\":\"response.created\",\"response\":"
	    "{\"status\":\"in_progress\",\"error\":null,\"usage\":null}}",
	    NOISE, NONE, NULL, 0 },
	{ O, RES, "response.in_progress", "{\"response\":{}}",
	    NOISE, NONE, NULL, 0 },
	{ O, RES, "", "{\"type\":\"response.queued\"}", NOISE, NONE, NULL,
	    0 },
	{ O, RES, "", "{\"type\":\"response.output_item.added\",\"item\":"
	    "{\"type\":\"message\",\"content\":[]}}", NOISE, NONE, NULL, 0 },
	{ O, RES, "", "{\"type\":\"response.output_item.added\",\"item\":"
	    "{\"type\":\"reasoning\",\"summary\":[]}}",
	    NOISE, NONE, NULL, 0 },
	{ O, RES, "", "{\"type\":\"response.output_item.added\",\"item\":"
	    "{\"id\":\"f\",\"type\":\"function_call\",\"name\":\"f\"}}",
	    CONTENT, NONE, NULL, 0 },
	{ O, RES, "", "{\"type\":\"response.output_item.added\",\"item\":"
	    "{\"type\":\"custom_tool_call\"}}", CONTENT, NONE, NULL, 0 },
	{ O, RES, "", "{\"type\":\"response.output_item.added\"}",
	    NOISE, NONE, NULL, 0 },
	{ O, RES, "", "{\"type\":\"response.output_text.delta\","
	    "\"delta\":\"H\"}", CONTENT, NONE, NULL, 0 },
	{ O, RES, "response.function_call_arguments.delta",
	    "{\"delta\":\"{\"}", CONTENT, NONE, NULL, 0 },
	{ O, RES, "", "{\"type\":\"response.output_text.done\"}",
	    NOISE, NONE, NULL, 0 },
	{ O, RES, "response.completed", "{\"type\":\"response.completed\","
	    "\"response\":{\"status\":\"completed\",\"error\":null,"
	    "\"incomplete_details\":null,\"usage\":{\"input_tokens\":10,"
	    "\"input_tokens_details\":{\"cached_tokens\":4},"
	    "\"output_tokens\":7,\"output_tokens_details\":"
	    "{\"reasoning_tokens\":2}}}}", CONTENT, "6 7 4 -1 2",
	    "completed", 1 },
	{ O, RES, "", "{\"type\":\"response.completed\"}",
	    CONTENT, NONE, "completed", 1 },
	{ O, RES, "", "{\"type\":\"response.incomplete\",\"response\":"
	    "{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":"
	    "\"max_output_tokens\"}}}", CONTENT, NONE,
	    "max_output_tokens", 1 },
	{ O, RES, "", "{\"type\":\"response.incomplete\",\"response\":{}}",
	    CONTENT, NONE, "incomplete", 1 },
	{ O, RES, "", "{\"type\":\"response.failed\",\"response\":"
	    "{\"error\":{\"code\":\"server_error\"}}}", ERROR, NONE, NULL,
	    0 },
	{ O, RES, "error", "{\"type\":\"error\",\"code\":\"x\","
	    "\"message\":\"y\"}", ERROR, NONE, NULL, 0 },
	{ O, RES, "error", "{}", ERROR, NONE, NULL, 0 },
	{ O, RES, "", "{\"error\":{\"message\":\"y\"}}", ERROR, NONE, NULL,
	    0 },
	{ O, RES, "", "{\"type\":\"keepalive\"}", NOISE, NONE, NULL, 0 },
	{ O, RES, "", "{}", NOISE, NONE, NULL, 0 },
	{ O, RES, "", "[DONE]", NOISE, NONE, NULL, 0 },
	{ O, RES, "", "{\"type\":", INVALID, NONE, NULL, 0 },

	/* Gemini */
	{ G, GEN, "", PARTS("{\"text\":\"H\"}"), CONTENT, NONE, NULL, 0 },
	{ G, GEN, "", PARTS("{\"text\":\"\"}"), CONTENT, NONE, NULL, 0 },
	{ G, GEN, "", PARTS(""), NOISE, NONE, NULL, 0 },
	{ G, GEN, "", CAND(""), NOISE, NONE, NULL, 0 },
	{ G, GEN, "", CAND("\"content\":{\"role\":\"model\"}"),
	    NOISE, NONE, NULL, 0 },
	{ G, GEN, "", CAND("\"finishReason\":\"STOP\",\"index\":0"),
	    CONTENT, NONE, "STOP", 0 },
	{ G, GEN, "", CAND("\"finishReason\":\"FINISH_REASON_UNSPECIFIED\""),
	    NOISE, NONE, NULL, 0 },
	{ G, GEN, "", "{\"candidates\":[{},{\"index\":1,\"finishReason\":"
	    "\"MAX_TOKENS\"},{}]}", CONTENT, NONE, "MAX_TOKENS", 0 },
	{ G, GEN, "", "{\"candidates\":[[{\"finishReason\":\"STOP\"}],1]}",
	    NOISE, NONE, NULL, 0 },
	{ G, GEN, "", "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"},"
	    "\"usageMetadata\":{\"promptTokenCount\":4}}",
	    CONTENT, "4 -1 -1 -1 -1", "SAFETY", 0 },
	{ G, GEN, "", "{\"promptFeedback\":{}}", NOISE, NONE, NULL, 0 },
	{ G, GEN, "", CAND("\"finishReason\":\"\""), NOISE, NONE, NULL, 0 },
	{ G, GEN, "", CAND("\"content\":{\"parts\":[{}]},\"finishReason\":"
	    "\"\""), CONTENT, NONE, NULL, 0 },
	{ G, GEN, "", "{\"error\":\"\"}", NOISE, NONE, NULL, 0 },
	{ G, GEN, "", "{\"error\":\"x\"}", ERROR, NONE, NULL, 0 },
	{ G, GEN, "", "[1,{\"error\":{}}," PARTS("{\"text\":\"x\"}") "]",
	    ERROR, NONE, NULL, 0 },
	{ G, GEN, "", "{\"usageMetadata\":{\"promptTokenCount\":40,"
	    "\"toolUsePromptTokenCount\":5,\"cachedContentTokenCount\":8,"
	    "\"candidatesTokenCount\":6,\"thoughtsTokenCount\":2,"
	    "\"totalTokenCount\":48}}", NOISE, "37 8 8 -1 2", NULL, 0 },
	{ G, GEN, "", "{\"usageMetadata\":{\"thoughtsTokenCount\":2}}",
	    NOISE, "-1 2 -1 -1 2", NULL, 0 },
	{ G, GEN, "", "{\"error\":{\"code\":503,\"message\":\"x\","
	    "\"status\":\"UNAVAILABLE\"}}", ERROR, NONE, NULL, 0 },
	{ G, GEN, "", "[{\"error\":{\"code\":503}}]", ERROR, NONE, NULL, 0 },
	{ G, GEN, "", "{}", NOISE, NONE, NULL, 0 },
	{ G, GEN, "", "[]", NOISE, NONE, NULL, 0 },
	{ G, GEN, "", "[DONE]", NOISE, NONE, NULL, 0 },
	{ G, GEN, "", "[{},", INVALID, NONE, NULL, 0 },
	{ G, GEN, "", "[{}] 1", INVALID, NONE, NULL, 0 },
	{ G, GEN, "", "{\"candidates\":[{\"content\"", INVALID, NONE, NULL,
	    0 },
	{ G, GEN, "", "upstream", INVALID, NONE, NULL, 0 },

	/* What is not judged */
	{ O, OP_OTHER, "", "x", CONTENT, NONE, NULL, 0 },
	{ O, OP_OTHER, "", "", CONTENT, NONE, NULL, 0 },
	{ A, OP_OTHER, "error", "{\"error\":{}}", CONTENT, NONE, NULL, 0 },
	{ O, OP_LEGACY, "", CHOICE("\"text\":\"\""), CONTENT, NONE, NULL,
	    0 },
	{ O, OP_LEGACY, "", "[DONE]", CONTENT, NONE, NULL, 1 },
	{ ANY, GEN, "", "{\"type\":\"ping\"}", CONTENT, NONE, NULL, 0 }
};

static void
make_event(struct sse_event *e, const char *name, const char *data)
{
	e->raw = str_of(data);
	e->name = str_of(name);
	e->data = str_of(data);
	e->lines = 1;
}

static void
test_events(void)
{
	struct dialect_watch w;
	struct sse_event e;
	enum dialect_sign sign;
	char usage[128];
	size_t i;

	for (i = 0; i < N(events); i++) {
		dialect_watch_start(&w, events[i].dialect, events[i].op);
		make_event(&e, events[i].name, events[i].data);
		sign = dialect_event(&w, &e);
		T_OK(sign == events[i].sign, "%d for %s %s", sign,
		    events[i].name, events[i].data);
		show_usage(usage, sizeof usage, &w.usage);
		T_OK(strcmp(usage, events[i].usage) == 0, "%s for %s", usage,
		    events[i].data);
		T_OK(w.stopped == (events[i].stop != NULL), "%s",
		    events[i].data);
		T_OK(strcmp(w.stop_reason, events[i].stop != NULL ?
		    events[i].stop : "") == 0, "%s for %s", w.stop_reason,
		    events[i].data);
		T_OK((int)w.ended == events[i].ended, "%s", events[i].data);
		T_OK(w.content == (events[i].sign == CONTENT), "%s",
		    events[i].data);
	}
}

/* Whole streams: n noise, c content, e error, . end, ! invalid. */
static const struct {
	enum dialect dialect;
	enum dialect_op op;
	const char *text, *signs, *usage, *stop;
	int complete;
} streams[] = {
	{ A, GEN, "event: message_start\ndata: {\"type\":\"message_start\","
	    "\"message\":{\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}"
	    "\n\n: hello\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n"
	    "data: {\"type\":\"content_block_delta\"}\n\n"
	    "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
	    "\"tool_use\"},\"usage\":{\"output_tokens\":7}}\n\n"
	    "data: {\"type\":\"message_stop\"}\n\n",
	    "nnncc.", "9 7 -1 -1 -1", "tool_use", 1 },
	{ A, GEN, "data: {\"type\":\"message_delta\",\"usage\":"
	    "{\"input_tokens\":1,\"output_tokens\":2}}\n\n"
	    "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
	    "\"end_turn\"},\"usage\":{\"input_tokens\":0,\"output_tokens\":"
	    "5}}\n\n", "nc", "0 5 -1 -1 -1", "end_turn", 1 },
	{ A, GEN, "data: {\"type\":\"message_delta\",\"usage\":"
	    "{\"output_tokens\":2}}\n\ndata: {\"type\":\"message_delta\","
	    "\"usage\":{\"input_tokens\":4,\"output_tokens\":null}}\n\n",
	    "nn", "4 2 -1 -1 -1", "", 0 },
	{ A, GEN, "data: {\"type\":\"content_block_delta\"}\r\n\r\n"
	    "event: error\r\ndata: {\"type\":\"error\"}\r\n\r\n",
	    "ce", NONE, "", 0 },
	{ A, GEN, "data: {\"type\":\ndata: \"content_block_delta\"}\n\n",
	    "c", NONE, "", 0 },
	{ A, GEN, "data: {\"type\":\"message_delta\",\"delta\":\ndata:\n"
	    "data: {\"stop_reason\":\"pause_turn\"}}\n\n",
	    "c", NONE, "pause_turn", 1 },
	{ A, GEN, "data:\ndata:\n\nevent: message_stop\n\n",
	    "!n", NONE, "", 0 },
	{ O, GEN, "data: " DELTA("\"role\":\"assistant\"") "\n\n"
	    "data: " DELTA("\"content\":\"a\"") "\n\n"
	    "data: " CHOICE("\"delta\":{},\"finish_reason\":\"length\"")
	    "\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":2,"
	    "\"completion_tokens\":3}}\n\ndata: [DONE]\n\n",
	    "nccn.", "2 3 -1 -1 -1", "length", 1 },
	{ O, GEN, "data: " CHOICE("\"finish_reason\":\"stop\"") "\n\n",
	    "c", NONE, "stop", 1 },
	{ O, GEN, "data: " DELTA("\"content\":\"a\"") "\n\n",
	    "c", NONE, "", 0 },
	{ O, GEN, "data: [DONE]\n\n", ".", NONE, "", 1 },
	{ O, GEN, ": OPENROUTER PROCESSING\n\n", "n", NONE, "", 0 },
	{ O, RES, "event: response.created\ndata: {}\n\n"
	    "event: response.output_text.delta\ndata: {}\n\n"
	    "event: response.completed\ndata: {}\n\n",
	    "ncc", NONE, "completed", 1 },
	{ O, RES, "event: response.output_text.delta\ndata: {}\n\n"
	    "event: response.output_item.done\ndata: {}\n\n",
	    "cn", NONE, "", 0 },
	{ G, GEN, "data: " PARTS("{\"text\":\"a\"}") "\r\n\r\n"
	    "data: " CAND("\"finishReason\":\"STOP\"") "\r\n\r\n",
	    "cc", NONE, "STOP", 1 },
	{ G, GEN, "data: " PARTS("{\"text\":\"a\"}") "\n\n",
	    "c", NONE, "", 0 },
	{ O, OP_LEGACY, "data: {}\n\n", "c", NONE, "", 1 },
	{ O, OP_OTHER, "", "", NONE, "", 1 },
	{ A, GEN, "", "", NONE, "", 0 }
};

static void
test_streams(void)
{
	static const char signs[] = "nce.!";
	struct dialect_watch w;
	struct sse s;
	struct sse_event e;
	struct str t;
	char got[64], usage[128];
	size_t i, n, len;

	for (i = 0; i < N(streams); i++) {
		dialect_watch_start(&w, streams[i].dialect, streams[i].op);
		sse_start(&s);
		t = str_of(streams[i].text);
		for (n = 0; n + 1 < sizeof got &&
		    (len = sse_next(&s, t.p, t.n, &e)) > 0; n++) {
			got[n] = signs[dialect_event(&w, &e)];
			t = str_n(t.p + len, t.n - len);
		}
		got[n] = '\0';
		T_OK(strcmp(got, streams[i].signs) == 0, "%s for %s", got,
		    streams[i].text);
		show_usage(usage, sizeof usage, &w.usage);
		T_OK(strcmp(usage, streams[i].usage) == 0, "%s for %s",
		    usage, streams[i].text);
		T_OK(strcmp(w.stop_reason, streams[i].stop) == 0, "%s for %s",
		    w.stop_reason, streams[i].text);
		T_OK(dialect_complete(&w) == streams[i].complete, "%s",
		    streams[i].text);
	}
}

static void
test_stop_reasons(void)
{
	static const char *const cases[][2] = {
		{ "abcdefghijklmnopqrstuvwxyz0123456789",
		    "abcdefghijklmnopqrstuvwxyz01234" },
		{ "abcdefghijklmnopqrstuvwxyz01234",
		    "abcdefghijklmnopqrstuvwxyz01234" },
		{ "a\\nb", "a" }, { "\\u0061", "" }, { "a\303\244", "a" }
	};
	struct dialect_watch w;
	struct sse_event e;
	char data[128];
	size_t i;

	for (i = 0; i < N(cases); i++) {
		snprintf(data, sizeof data, "{\"type\":\"message_delta\","
		    "\"delta\":{\"stop_reason\":\"%s\"}}", cases[i][0]);
		dialect_watch_start(&w, A, GEN);
		make_event(&e, "", data);
		T_OK(dialect_event(&w, &e) == CONTENT, "%s", data);
		T_OK(w.stopped && strcmp(w.stop_reason, cases[i][1]) == 0,
		    "%s", w.stop_reason);
	}
}

static const struct {
	enum dialect dialect;
	enum dialect_op op;
	const char *body;
	enum dialect_sign sign;
	const char *usage, *stop;
} answers[] = {
	{ A, GEN, "{\"id\":\"m\",\"type\":\"message\",\"content\":[{\"type\":"
	    "\"text\",\"text\":\"x\"}],\"stop_reason\":\"end_turn\",\"usage\":"
	    "{\"input_tokens\":5,\"output_tokens\":6,"
	    "\"cache_read_input_tokens\":7,\"cache_creation_input_tokens\":8}"
	    "}\n", CONTENT, "5 6 7 8 -1", "end_turn" },
	{ A, GEN, "{\"type\":\"message\",\"content\":[]}", CONTENT, NONE, "" },
	{ A, GEN, "{\"type\":\"error\",\"error\":{\"type\":"
	    "\"overloaded_error\"}}", ERROR, NONE, "" },
	{ A, GEN, "{\"type\":\"error\"}", ERROR, NONE, "" },
	{ A, GEN, "{\"error\":\"quota\"}", ERROR, NONE, "" },
	{ A, GEN, "{\"error\":null}", CONTENT, NONE, "" },
	{ A, GEN, "{\"ok\":true}", CONTENT, NONE, "" },
	{ A, GEN, "", INVALID, NONE, "" },
	{ A, GEN, " \r\n", INVALID, NONE, "" },
	{ A, GEN, "<html><body>502</body></html>", INVALID, NONE, "" },
	{ A, GEN, "{\"type\":\"message\",\"stop_reason\":\"end_turn\"",
	    INVALID, NONE, "" },
	{ A, GEN, "event: ping\ndata: {}\n\n", INVALID, NONE, "" },
	{ A, OP_COUNT, "{\"input_tokens\":5}", CONTENT, NONE, "" },
	{ A, OP_COUNT, "<html>", INVALID, NONE, "" },
	{ A, OP_OTHER, "<html>", CONTENT, NONE, "" },
	{ A, OP_OTHER, "", CONTENT, NONE, "" },

	{ O, GEN, "{\"choices\":[{\"message\":{\"role\":\"assistant\","
	    "\"content\":\"x\"},\"finish_reason\":\"stop\"}],\"usage\":"
	    "{\"prompt_tokens\":4,\"completion_tokens\":5}}",
	    CONTENT, "4 5 -1 -1 -1", "stop" },
	{ O, GEN, "{\"choices\":[{\"message\":{\"content\":null}}]}",
	    CONTENT, NONE, "" },
	{ O, GEN, "{\"error\":{\"message\":\"x\"}}", ERROR, NONE, "" },
	{ O, GEN, "[]", CONTENT, NONE, "" },
	{ O, GEN, "{", INVALID, NONE, "" },
	{ O, OP_LEGACY, "{\"data\":[{\"embedding\":[0.1,-2e-3]}],\"usage\":"
	    "{\"prompt_tokens\":4,\"total_tokens\":4}}",
	    CONTENT, "4 -1 -1 -1 -1", "" },
	{ O, OP_MODELS, "{\"object\":\"list\",\"data\":[]}",
	    CONTENT, NONE, "" },

	{ O, RES, "{\"object\":\"response\",\"status\":\"completed\","
	    "\"error\":null,\"incomplete_details\":null,\"output\":[],"
	    "\"usage\":{\"input_tokens\":3,\"output_tokens\":2}}",
	    CONTENT, "3 2 -1 -1 -1", "completed" },
	{ O, RES, "{\"status\":\"incomplete\",\"incomplete_details\":"
	    "{\"reason\":\"content_filter\"}}", CONTENT, NONE,
	    "content_filter" },
	{ O, RES, "{\"status\":\"failed\"}", ERROR, NONE, "" },
	{ O, RES, "{\"status\":\"failed\",\"error\":{\"code\":\"x\"}}",
	    ERROR, NONE, "" },
	{ O, RES, "", INVALID, NONE, "" },

	{ G, GEN, PARTS("{\"text\":\"x\"}"), CONTENT, NONE, "" },
	{ G, GEN, "{\"candidates\":[{\"finishReason\":\"STOP\"}],"
	    "\"usageMetadata\":{\"promptTokenCount\":3,"
	    "\"candidatesTokenCount\":2}}",
	    CONTENT, "3 2 -1 -1 -1", "STOP" },
	{ G, GEN, "[" PARTS("{\"text\":\"x\"}") ",\r\n{\"candidates\":"
	    "[{\"finishReason\":\"STOP\"}],\"usageMetadata\":"
	    "{\"promptTokenCount\":3}}]", CONTENT, "3 -1 -1 -1 -1", "STOP" },
	{ G, GEN, "[" PARTS("{\"text\":\"x\"}") ",{\"error\":{}},{}]",
	    ERROR, NONE, "" },
	{ G, GEN, "{\"error\":{\"code\":500}}", ERROR, NONE, "" },
	{ G, GEN, "{}", CONTENT, NONE, "" },
	{ G, GEN, "[" PARTS("{\"text\":\"x\"}"), INVALID, NONE, "" },
	{ G, OP_COUNT, "{\"totalTokens\":7}", CONTENT, NONE, "" },

	{ ANY, GEN, "{\"type\":\"message\"}", CONTENT, NONE, "" },
	{ ANY, GEN, "<html>", INVALID, NONE, "" },
	{ ANY, GEN, "{\"error\":{\"message\":\"x\"}}", ERROR, NONE, "" }
};

static void
test_answers(void)
{
	struct dialect_watch w;
	enum dialect_sign sign;
	char usage[128];
	size_t i;

	for (i = 0; i < N(answers); i++) {
		dialect_watch_start(&w, answers[i].dialect, answers[i].op);
		sign = dialect_answer(&w, str_of(answers[i].body));
		T_OK(sign == answers[i].sign, "%d for %s", sign,
		    answers[i].body);
		show_usage(usage, sizeof usage, &w.usage);
		T_OK(strcmp(usage, answers[i].usage) == 0, "%s for %s",
		    usage, answers[i].body);
		T_OK(strcmp(w.stop_reason, answers[i].stop) == 0, "%s for %s",
		    w.stop_reason, answers[i].body);
		T_OK(w.content == (sign == CONTENT), "%s", answers[i].body);
	}
}

/* Status, class, and how each API calls it. */
static const struct {
	int status;
	enum dialect_error class;
	const char *anthropic, *type, *code, *google;
} errors[] = {
	{ 400, DE_INVALID, "invalid_request_error", "invalid_request_error",
	    NULL, "INVALID_ARGUMENT" },
	{ 401, DE_AUTH, "authentication_error", "invalid_request_error",
	    "invalid_api_key", "UNAUTHENTICATED" },
	{ 403, DE_PERMISSION, "permission_error", "invalid_request_error",
	    "permission_denied", "PERMISSION_DENIED" },
	{ 404, DE_NOT_FOUND, "not_found_error", "invalid_request_error",
	    "not_found", "NOT_FOUND" },
	{ 413, DE_INVALID, "request_too_large", "invalid_request_error",
	    "request_too_large", "INVALID_ARGUMENT" },
	{ 414, DE_INVALID, "invalid_request_error", "invalid_request_error",
	    NULL, "INVALID_ARGUMENT" },
	{ 429, DE_RATE_LIMIT, "rate_limit_error", "rate_limit_error",
	    "rate_limit_exceeded", "RESOURCE_EXHAUSTED" },
	{ 431, DE_INVALID, "invalid_request_error", "invalid_request_error",
	    NULL, "INVALID_ARGUMENT" },
	{ 500, DE_API, "api_error", "server_error", NULL, "INTERNAL" },
	{ 501, DE_INVALID, "invalid_request_error", "invalid_request_error",
	    NULL, "UNIMPLEMENTED" },
	{ 502, DE_API, "api_error", "server_error", NULL, "INTERNAL" },
	{ 503, DE_OVERLOADED, "overloaded_error", "server_error",
	    "overloaded", "UNAVAILABLE" },
	{ 504, DE_API, "timeout_error", "server_error", "timeout",
	    "DEADLINE_EXCEEDED" },
	{ 505, DE_INVALID, "invalid_request_error", "invalid_request_error",
	    NULL, "INVALID_ARGUMENT" },
	{ 529, DE_OVERLOADED, "overloaded_error", "server_error",
	    "overloaded", "UNAVAILABLE" }
};

/* Writes an error body and compares it with the text. */
static void
check_body(enum dialect d, int status, const char *message, const char *id,
    const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	T_OK(dialect_error_body(&b, d, status, str_of(message),
	    str_of(id)) == 0, "%d", status);
	T_OK(str_is(buf_str(&b), want), "%.*s", (int)b.len, buf_str(&b).p);
	T_OK(json_valid(buf_str(&b), NULL, NULL), "%s", want);
	buf_free(&b);
}

static void
test_error_bodies(void)
{
	char want[512], code[64];
	size_t i;
	int s;

	for (i = 0; i < N(errors); i++) {
		s = errors[i].status;
		T_OK(dialect_error_of(s) == errors[i].class, "%d", s);
		snprintf(want, sizeof want, "{\"type\":\"error\",\"error\":"
		    "{\"type\":\"%s\",\"message\":\"m\"},\"request_id\":"
		    "\"r\"}", errors[i].anthropic);
		check_body(A, s, "m", "r", want);
		snprintf(code, sizeof code, errors[i].code == NULL ? "null"
		    : "\"%s\"", errors[i].code);
		snprintf(want, sizeof want, "{\"error\":{\"message\":\"m\","
		    "\"type\":\"%s\",\"param\":null,\"code\":%s}}",
		    errors[i].type, code);
		check_body(O, s, "m", "r", want);
		check_body(ANY, s, "m", "r", want);
		snprintf(want, sizeof want, "{\"error\":{\"code\":%d,"
		    "\"message\":\"m\",\"status\":\"%s\"}}", s,
		    errors[i].google);
		check_body(G, s, "m", "r", want);
	}
	check_body(A, 500, "a\"b\\\n\t\x01", "", "{\"type\":\"error\","
	    "\"error\":{\"type\":\"api_error\",\"message\":"
	    "\"a\\\"b\\\\\\n\\t\\u0001\"},\"request_id\":null}");
	T_OK(dialect_error_of(402) == DE_PERMISSION, "402");
	T_OK(dialect_error_of(418) == DE_INVALID, "418");
	T_OK(dialect_error_of(599) == DE_API, "599");
}

static const struct {
	enum dialect dialect;
	enum dialect_op op;
	int array;
	const char *text;
} error_events[] = {
	{ A, GEN, 0, "event: error\ndata: {\"type\":\"error\",\"error\":"
	    "{\"type\":\"overloaded_error\",\"message\":\"a\\nb\"}}\n\n" },
	{ O, GEN, 0, "data: {\"error\":{\"message\":\"a\\nb\",\"type\":"
	    "\"server_error\",\"param\":null,\"code\":\"overloaded\"}}\n\n" },
	{ O, RES, 0, "event: error\ndata: {\"type\":\"error\",\"code\":"
	    "\"server_error\",\"message\":\"a\\nb\",\"param\":null,"
	    "\"sequence_number\":0,\"error\":{\"type\":\"server_error\","
	    "\"code\":\"server_error\",\"message\":\"a\\nb\",\"param\":null}}"
	    "\n\n" },
	{ G, GEN, 0, "data: {\"error\":{\"code\":503,\"message\":\"a\\nb\","
	    "\"status\":\"UNAVAILABLE\"}}\n\n" },
	{ G, GEN, 1, ",{\"error\":{\"code\":503,\"message\":\"a\\nb\","
	    "\"status\":\"UNAVAILABLE\"}}]" }
};

static void
test_error_events(void)
{
	struct dialect_call c;
	struct dialect_watch w;
	struct dialect_fault f;
	struct sse s;
	struct sse_event e;
	struct buf b;
	size_t i, n;

	memset(&c, 0, sizeof c);
	for (i = 0; i < N(error_events); i++) {
		c.dialect = error_events[i].dialect;
		c.op = error_events[i].op;
		c.json_array = error_events[i].array ? 1 : 0;
		buf_init(&b, 4096);
		T_OK(dialect_error_event(&b, &c, 503, str_of("a\nb")) == 0,
		    "%zu", i);
		T_OK(str_is(buf_str(&b), error_events[i].text), "%.*s",
		    (int)b.len, buf_str(&b).p);
		/* What we write, we read as what it is. */
		sse_start(&s);
		n = sse_next(&s, buf_str(&b).p, b.len, &e);
		T_OK(n == (error_events[i].array ? 0 : b.len), "%zu", n);
		if (n > 0) {
			dialect_watch_start(&w, c.dialect, c.op);
			T_OK(dialect_event(&w, &e) == ERROR, "%zu", i);
			dialect_fault(&f, e.data);
			T_OK(str_is(f.message, "a\\nb"), "%zu", i);
			T_OK(f.type.n > 0, "%zu", i);
		}
		buf_free(&b);
		buf_init(&b, 20);
		T_OK(dialect_error_event(&b, &c, 503, str_of("x")) == -1,
		    "%zu", i);
		T_OK(b.bad, "%zu", i);
		buf_free(&b);
	}
}

static const struct {
	const char *body, *type, *message, *reason;
} faults[] = {
	{ "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
	    "\"message\":\"Over\\nloaded\"},\"request_id\":\"r\"}",
	    "overloaded_error", "Over\\nloaded", "" },
	{ "{\"error\":{\"message\":\"No key\",\"type\":"
	    "\"invalid_request_error\",\"param\":null,\"code\":"
	    "\"invalid_api_key\"}}", "invalid_request_error", "No key", "" },
	{ "{\"error\":{\"message\":\"m\",\"type\":null,\"code\":\"c\"}}",
	    "c", "m", "" },
	{ "{\"error\":{\"code\":400,\"message\":\"API key not valid\","
	    "\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"@type\":\"t\"},"
	    "{\"@type\":\"e\",\"reason\":\"API_KEY_INVALID\"}]}}",
	    "INVALID_ARGUMENT", "API key not valid", "API_KEY_INVALID" },
	{ " [ {\"error\":{\"code\":503,\"message\":\"m\",\"status\":"
	    "\"UNAVAILABLE\"}}\n]", "UNAVAILABLE", "m", "" },
	{ "{\"type\":\"error\",\"code\":\"server_error\",\"message\":\"m\"}",
	    "server_error", "m", "" },
	{ "{\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":"
	    "\"rate_limit_exceeded\",\"message\":\"m\"}}}",
	    "rate_limit_exceeded", "m", "" },
	{ "{\"error\":\"model not loaded\"}", "", "model not loaded", "" },
	{ "{\"object\":\"error\",\"message\":\"m\",\"type\":\"t\"}",
	    "t", "m", "" },
	{ "{\"detail\":\"Not Found\"}", "", "Not Found", "" },
	{ "{\"error\":{\"type\":\"t\",\"message\":\"cut off he",
	    "t", "", "" },
	{ "{\"error\":{\"type\":\"t\",\"message\":\"m\",\"x\":\"cut",
	    "t", "m", "" },
	{ "{\"error\":{\"type\":\"\",\"message\":\"\"}}", "", "", "" },
	{ "{\"error\":{\"type\":7,\"message\":{\"a\":1}}}", "", "", "" },
	{ "<html>502</html>", "", "", "" },
	{ "\"x\"", "", "", "" },
	{ "[[[", "", "", "" },
	{ "{}", "", "", "" },
	{ "", "", "", "" }
};

static void
test_faults(void)
{
	struct dialect_fault f;
	size_t i;

	for (i = 0; i < N(faults); i++) {
		dialect_fault(&f, str_of(faults[i].body));
		T_OK(str_is(f.type, faults[i].type), "%.*s for %s",
		    (int)f.type.n, f.type.p, faults[i].body);
		T_OK(str_is(f.message, faults[i].message), "%.*s for %s",
		    (int)f.message.n, f.message.p, faults[i].body);
		T_OK(str_is(f.reason, faults[i].reason), "%.*s for %s",
		    (int)f.reason.n, f.reason.p, faults[i].body);
	}
	dialect_fault(&f, str_n("\0[", 2));
	T_OK(f.message.n == 0, "NUL");
	dialect_fault(&f, str_n(NULL, 0));
	T_OK(f.message.n == 0, "NULL");
}

int
main(void)
{
	test_events();
	test_streams();
	test_stop_reasons();
	test_answers();
	test_error_bodies();
	test_error_events();
	test_faults();
	return t_end();
}
