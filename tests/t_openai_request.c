/*
 * Requests of OpenAI's: what is read is shown in short words, what is written
 * is compared byte by byte, what is cleaned must differ nowhere else.
 */

#include <string.h>

#include "dialect/names.h"
#include "dialect/normal.h"
#include "dialect/openai_request.h"
#include "json.h"
#include "t.h"

#define ARENA_MAX (16u << 20)

struct made {
	struct arena arena;
	struct msg_notes notes;
	struct msg_request r;
	struct msg_fault f;
	int rc;
};

static void
make(struct made *m, const char *body)
{
	struct dialect_call call;

	memset(m, 0, sizeof *m);
	memset(&call, 0, sizeof call);
	arena_init(&m->arena, ARENA_MAX);
	m->r.arena = &m->arena;
	m->r.notes = &m->notes;
	m->rc = openai_read_request(&m->r, tree_parse(&m->arena,
	    str_of(body)), &call, &m->f);
}

static void
field(struct buf *b, const char *name, struct str s)
{
	if (s.p == NULL)
		return;
	buf_adds(b, name);
	buf_addc(b, '=');
	buf_addstr(b, s);
}

static void
show_parts(struct buf *b, const struct msg_part *p)
{
	static const char *const kinds[] = { "text", "image", "doc", "audio",
		"call", "result", "think", "redacted", "refusal" };

	for (; p != NULL; p = p->next) {
		buf_addc(b, '(');
		buf_adds(b, kinds[p->kind]);
		field(b, " text", p->text);
		field(b, " type", p->type);
		field(b, " data", p->data);
		field(b, " url", p->url);
		field(b, " title", p->title);
		field(b, " id", p->id);
		field(b, " name", p->name);
		field(b, " args", p->args);
		field(b, " sig", p->signature);
		field(b, " cache", p->cache);
		buf_adds(b, p->custom ? " custom" : "");
		show_parts(b, p->parts);
		buf_addc(b, ')');
	}
}

static void
show_notes(struct buf *b, const struct msg_notes *n)
{
	const struct msg_string *s;

	for (s = n->first; s != NULL; s = s->next) {
		buf_addc(b, '!');
		buf_addstr(b, s->s);
	}
}

static void
show(struct buf *b, const struct made *m)
{
	const struct msg_turn *t;

	if (m->rc < 0) {
		buf_adds(b, m->f.param);
		buf_adds(b, ": ");
		buf_adds(b, m->f.why);
		return;
	}
	if (m->r.system != NULL) {
		buf_addc(b, 'S');
		show_parts(b, m->r.system);
	}
	for (t = m->r.turns; t != NULL; t = t->next) {
		buf_addc(b, "uas"[t->role]);
		show_parts(b, t->parts);
	}
	show_notes(b, &m->notes);
}

/* Each text is the list of messages. */
static const struct {
	const char *messages, *shown;
} reads[] = {
	{ "{\"role\":\"user\",\"content\":\"hi\"}", "u(text text=hi)" },
	{ "{\"role\":\"user\",\"content\":\"\"}", "u" },
	{ "{\"role\":\"user\",\"content\":null}", "u" },
	{ "{\"role\":\"user\",\"content\":[\"a\",{\"type\":\"text\","
	    "\"text\":\"b\\n\"}]}", "u(text text=a)(text text=b\\n)" },
	{ "{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"developer\","
	    "\"content\":[{\"type\":\"text\",\"text\":\" \"},{\"type\":"
	    "\"text\",\"text\":\"D\",\"cache_control\":{\"type\":"
	    "\"ephemeral\"}}]},{\"role\":\"user\",\"content\":\"x\"},"
	    "{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":"
	    "\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}",
	    "S(text text=S)(text text=D cache={\"type\":\"ephemeral\"})"
	    "u(text text=x)s(text text=a\\n\\nb)" },
	{ "{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"system\","
	    "\"content\":\" \"}", "u(text text=x)" },
	/* pictures, sounds, files */
	{ "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
	    "\"image_url\":{\"url\":\"data:image\\/jpg;base64,iV\\/=\"}},"
	    "{\"type\":\"image_url\",\"image_url\":"
	    "\"https:\\/\\/e.org\\/a\"},"
	    "{\"type\":\"image_url\",\"image_url\":{\"url\":"
	    "\"data:application/pdf;base64,JV\"}}]}",
	    "u(image type=image/jpeg data=iV\\/=)"
	    "(image url=https:\\/\\/e.org\\/a)"
	    "(doc type=application/pdf data=JV)" },
	{ "{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\","
	    "\"input_audio\":{\"data\":\"AA==\",\"format\":\"mp3\"}},{\"type\":"
	    "\"input_audio\",\"input_audio\":{\"data\":\"BB==\"}}]}",
	    "u(audio type=audio/mp3 data=AA==)"
	    "(audio type=audio/wav data=BB==)" },
	{ "{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{"
	    "\"filename\":\"a.pdf\",\"file_data\":"
	    "\"data:application/pdf;base64,JVBE\"}},{\"type\":\"file\","
	    "\"file\":{\"filename\":\"n\",\"file_data\":"
	    "\"data:text/plain;base64,YSJi\"}}]}",
	    "u(doc type=application/pdf data=JVBE title=a.pdf)"
	    "(text text=<document title=\\\"n\\\">\\na\\\"b\\n</document>)" },
	/* a text file that is no UTF-8 is mended */
	{ "{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{"
	    "\"filename\":\"n\",\"file_data\":"
	    "\"data:text/plain;base64,/2E=\"}}]}",
	    "u(text text=<document title=\\\"n\\\">\\n\xef\xbf\xbd"
	    "a\\n</document>)" },
	/* the assistant's turns, in their order */
	{ "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c1__ts_QWJj\","
	    "\"type\":\"function\",\"function\":{\"name\":\"f\","
	    "\"arguments\":\"{\\\"a\\\":1}\"}}],\"refusal\":\"no\","
	    "\"content\":[{\"type\":\"text\",\"text\":\"t\"},{\"type\":"
	    "\"refusal\",\"refusal\":\"r\"}],\"thinking_blocks\":[{\"type\":"
	    "\"thinking\",\"thinking\":\"hm\",\"signature\":\"U0c=\"},"
	    "{\"type\":\"other\"},{\"type\":\"redacted_thinking\",\"data\":"
	    "\"UkQ=\"}],\"reasoning_content\":\"ignored\"}",
	    "a(think text=hm sig=U0c=)(redacted data=UkQ=)(text text=t)"
	    "(text text=r)(text text=no)(call id=c1 name=f args={\"a\":1} "
	    "sig=Abc)" },
	{ "{\"role\":\"assistant\",\"content\":null,\"function_call\":null,"
	    "\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\"},"
	    "\"extra_content\":{\"google\":{\"thought_signature\":\"S\"}}},"
	    "{\"id\":\"d\",\"type\":\"function\",\"function\":{\"name\":"
	    "\"g\",\"arguments\":{\"o\":[]}}},{\"id\":\"e\",\"type\":"
	    "\"function\",\"function\":{\"name\":\"h\",\"arguments\":"
	    "\"{\\\"a\"}}]}",
	    "a(call id=c name=f args={} sig=S)(call id=d name=g "
	    "args={\"o\":[]})(call id=e name=h args={\"_raw\":\"{\\\"a\"})"
	    "!repair:tool_arguments" },
	{ "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"type\":"
	    "\"custom\",\"custom\":{\"name\":\"p\",\"input\":\"a\\\"b\"}}],"
	    "\"audio\":{\"id\":\"x\"}}",
	    "a(call id=c name=p args={\"input\":\"a\\\"b\"} custom)"
	    "!drop:audio" },
	/* results */
	{ "{\"role\":\"tool\",\"tool_call_id\":\"c1__ts_QWJj\",\"content\":"
	    "\"r\"},{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":"
	    "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image_url\","
	    "\"image_url\":{\"url\":\"http://e/x\"}}]},{\"role\":\"tool\","
	    "\"tool_call_id\":\"c3\"}",
	    "u(result id=c1(text text=r))u(result id=c2(text text=a)"
	    "(image url=http://e/x))u(result id=c3)" },
	{ "{\"role\":\"tool\",\"tool_call_id\":\"__ts_QWJj\"}",
	    "u(result id=__ts_QWJj)" },
	/* what is refused, and the field that is named */
	{ "{\"role\":\"function\",\"name\":\"f\",\"content\":\"\"}",
	    "messages: messages[0].role must be system, developer, user, "
	    "assistant or tool" },
	{ "7", "messages: messages[0].role must be system, developer, user, "
	    "assistant or tool" },
	{ "{\"role\":\"user\",\"content\":7}", "messages[0].content: "
	    "messages[0].content: must be a string or a list of parts" },
	{ "{\"role\":\"user\",\"content\":[{\"type\":\"video\"}]}",
	    "messages[0].content: messages[0].content: a part of type "
	    "\"video\" is not supported here" },
	{ "{\"role\":\"user\",\"content\":[7]}",
	    "messages[0].content: messages[0].content: a part of type null "
	    "is not supported here" },
	{ "{\"role\":\"system\",\"content\":[{\"type\":\"image_url\"}]}",
	    "messages[0].content: messages[0].content: a part of type "
	    "\"image_url\" is not supported here" },
	{ "{\"role\":\"user\",\"content\":[{\"type\":\"refusal\"}]}",
	    "messages[0].content: messages[0].content: a part of type "
	    "\"refusal\" is not supported here" },
	{ "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
	    "\"image_url\":{\"url\":\"ftp://e/x\"}}]}",
	    "messages[0].content: messages[0].content: image_url must be an "
	    "http(s) or data URL" },
	{ "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
	    "\"image_url\":{\"url\":\"data:image/png,abc\"}}]}",
	    "messages[0].content: messages[0].content: only base64 data URLs "
	    "are supported" },
	{ "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
	    "\"image_url\":{\"url\":\"data:text/plain;base64,YQ==\"}}]}",
	    "messages[0].content: messages[0].content: media type text/plain "
	    "is not supported" },
	{ "{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":"
	    "{\"file_id\":\"f\"}}]}",
	    "messages[0].content: messages[0].content: file_id is not "
	    "supported: its file is known only to OpenAI" },
	{ "{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":"
	    "{\"file_data\":\"data:application/zip;base64,YQ==\"}}]}",
	    "messages[0].content: messages[0].content: media type "
	    "application/zip is not supported" },
	{ "{\"role\":\"assistant\",\"function_call\":{\"name\":\"f\"}}",
	    "messages: messages[0].function_call is not supported: use "
	    "tool_calls" },
	{ "{\"role\":\"assistant\",\"tool_calls\":[{\"type\":\"function\","
	    "\"function\":{\"name\":\"f\"}}]}",
	    "messages: messages[0].tool_calls: a call without id" },
	{ "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"type\":"
	    "\"mcp\"}]}", "messages: messages[0].tool_calls: only types "
	    "function and custom are supported" },
	{ "{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"tool\","
	    "\"content\":\"r\"}",
	    "messages: messages[1].tool_call_id is missing" }
};

static void
test_messages(void)
{
	struct made m;
	struct buf b, body;
	size_t i;

	buf_init(&b, ARENA_MAX);
	buf_init(&body, ARENA_MAX);
	for (i = 0; i < sizeof reads / sizeof reads[0]; i++) {
		buf_clear(&b);
		buf_clear(&body);
		buf_adds(&body, "{\"messages\":[");
		buf_adds(&body, reads[i].messages);
		buf_adds(&body, "]}");
		make(&m, buf_cstr(&body));
		show(&b, &m);
		T_OK(str_is(buf_str(&b), reads[i].shown), "%s\n got %s\nwant %s",
		    reads[i].messages, buf_cstr(&b), reads[i].shown);
		arena_free(&m.arena);
	}
	buf_free(&b);
	buf_free(&body);
}

static void
test_options(void)
{
	struct made m;
	struct msg_request *r = &m.r;

	make(&m, "{\"messages\":[],\"model\":\"a\\/b\",\"temperature\":1.0,"
	    "\"top_p\":0.5,\"top_k\":3,\"max_tokens\":5,"
	    "\"presence_penalty\":0,\"frequency_penalty\":1,\"seed\":7,"
	    "\"n\":2,\"logprobs\":true,\"top_logprobs\":4,\"logit_bias\":"
	    "{\"1\":2},\"stop\":\"E\\n\",\"stream\":true,\"stream_options\":"
	    "{\"include_usage\":true},\"parallel_tool_calls\":false,"
	    "\"reasoning_effort\":\"minimal\",\"user\":\"u\","
	    "\"safety_identifier\":\"s\",\"service_tier\":\"fast\","
	    "\"web_search_options\":{},\"response_format\":{\"type\":"
	    "\"json_schema\",\"json_schema\":{\"name\":\"N\",\"schema\":"
	    "{\"type\":\"object\"}}}}");
	T_OK(m.rc == 0, "%s", m.f.why);
	T_OK(str_is(r->model, "a/b"), "model");
	T_OK(str_is(r->temperature, "1.0"), "numbers keep their text");
	T_OK(str_is(r->top_p, "0.5") && str_is(r->top_k, "3"), "top");
	T_OK(str_is(r->max_tokens, "5"), "max_tokens");
	T_OK(str_is(r->seed, "7") && str_is(r->n, "2"), "seed, n");
	T_OK(str_is(r->presence_penalty, "0"), "penalty");
	T_OK(str_is(r->frequency_penalty, "1"), "penalty");
	T_OK(r->logprobs && str_is(r->top_logprobs, "4"), "logprobs");
	T_OK(str_is(r->logit_bias, "{\"1\":2}"), "logit_bias");
	T_OK(r->stops != NULL && str_is(r->stops->s, "E\\n") &&
	    r->stops->next == NULL, "stop");
	T_OK(r->stream && r->include_usage && r->parallel_off, "flags");
	T_OK(r->thinking == MSG_THINK_ADAPTIVE && r->thoughts &&
	    r->effort == MSG_EFFORT_MINIMAL && r->budget == -1, "effort");
	T_OK(str_is(r->user, "s"), "user");
	T_OK(r->tier == MSG_TIER_PRIORITY, "tier");
	T_OK(r->format == MSG_FORMAT_SCHEMA && r->schema != NULL &&
	    str_is(r->schema_name, "N"), "format");
	T_OK(m.notes.first != NULL && str_is(m.notes.first->s,
	    "drop:web_search_options") && m.notes.first->next == NULL,
	    "notes");
	arena_free(&m.arena);

	make(&m, "{\"messages\":[],\"max_tokens\":5,"
	    "\"max_completion_tokens\":6,\"stop\":[\"a\",7,\"b\"],"
	    "\"reasoning_effort\":\"none\",\"user\":null,\"logit_bias\":{},"
	    "\"response_format\":{\"type\":\"json_object\"},"
	    "\"service_tier\":\"auto\",\"functions\":null,"
	    "\"modalities\":[\"text\"]}");
	T_OK(m.rc == 0, "%s", m.f.why);
	T_OK(str_is(r->max_tokens, "6"), "the newer name wins");
	T_OK(r->stops != NULL && r->stops->next != NULL &&
	    str_is(r->stops->next->s, "b"), "stops");
	T_OK(r->thinking == MSG_THINK_OFF && !r->thoughts &&
	    r->effort == MSG_EFFORT_UNSET, "no effort");
	T_OK(r->format == MSG_FORMAT_JSON && r->user.p == NULL &&
	    r->logit_bias.p == NULL && r->tier == MSG_TIER_UNSET, "absent");
	T_OK(!r->stream && !r->include_usage && !r->parallel_off, "flags");
	T_OK(m.notes.first == NULL, "nothing is lost");
	arena_free(&m.arena);
}

static void
test_tools(void)
{
	static const char tools[] = "\"messages\":[],\"tools\":[{\"type\":"
	    "\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\","
	    "\"parameters\":{\"type\":\"object\"}},\"cache_control\":{}},"
	    "{\"type\":\"custom\",\"custom\":{\"name\":\"p\",\"format\":"
	    "{\"type\":\"grammar\",\"grammar\":{}}}},{\"type\":\"custom\","
	    "\"custom\":{\"name\":\"q\",\"format\":{\"type\":\"text\"}}},"
	    "{\"type\":\"web_search\"}]";
	static const struct {
		const char *choice;
		int rc;
		enum msg_choice is;
		const char *name;
		unsigned tools;
	} rows[] = {
		{ "null", 0, MSG_CHOICE_UNSET, NULL, 3 },
		{ "\"auto\"", 0, MSG_CHOICE_AUTO, NULL, 3 },
		{ "\"none\"", 0, MSG_CHOICE_NONE, NULL, 3 },
		{ "\"required\"", 0, MSG_CHOICE_ANY, NULL, 3 },
		{ "\"whatever\"", -1, MSG_CHOICE_UNSET, NULL, 3 },
		{ "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}", 0,
		    MSG_CHOICE_TOOL, "f", 3 },
		{ "{\"type\":\"custom\",\"custom\":{\"name\":\"p\"}}", 0,
		    MSG_CHOICE_TOOL, "p", 3 },
		{ "{\"type\":\"web_search\"}", -1, MSG_CHOICE_UNSET, NULL, 3 },
		{ "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":"
		    "\"required\",\"tools\":[{\"type\":\"custom\",\"custom\":"
		    "{\"name\":\"q\"}},{\"type\":\"function\",\"function\":"
		    "{\"name\":\"f\"}}]}}", 0, MSG_CHOICE_ANY, NULL, 2 },
		{ "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":"
		    "\"auto\",\"tools\":[]}}", 0, MSG_CHOICE_AUTO, NULL, 0 },
		{ "{\"type\":\"allowed_tools\"}", -1, MSG_CHOICE_UNSET, NULL,
		    3 }
	};
	const struct msg_tool *t;
	struct made m;
	struct buf b;
	unsigned n;
	size_t i;

	buf_init(&b, ARENA_MAX);
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&b);
		buf_fmt(&b, "{%s,\"tool_choice\":%s}", tools, rows[i].choice);
		make(&m, buf_cstr(&b));
		for (n = 0, t = m.r.tools; t != NULL; t = t->next)
			n++;
		T_OK(m.rc == rows[i].rc && n == rows[i].tools, "%s: %d %u %s",
		    rows[i].choice, m.rc, n, m.f.why);
		T_OK(m.rc < 0 || m.r.choice == rows[i].is, "%s",
		    rows[i].choice);
		T_OK(rows[i].name == NULL || str_is(m.r.choice_name,
		    rows[i].name), "%s", rows[i].choice);
		if (i == 0) {
			t = m.r.tools;
			T_OK(str_is(t->name, "f") && !t->custom &&
			    t->schema != NULL && str_is(t->cache, "{}") &&
			    str_is(t->description, "d"), "the first tool");
			t = t->next;
			T_OK(str_is(t->name, "p") && t->custom &&
			    t->format != NULL, "the second");
			T_OK(t->next->custom && t->next->format == NULL,
			    "the third");
			T_OK(m.notes.first != NULL && str_is(
			    m.notes.first->s, "drop:tool.web_search"), "note");
		}
		arena_free(&m.arena);
	}
	buf_free(&b);
}

static void
test_refused(void)
{
	static const struct {
		const char *body, *param;
	} rows[] = {
		{ "[]", "" },
		{ "{}", "messages" },
		{ "{\"messages\":{}}", "messages" },
		{ "{\"messages\":[],\"functions\":[]}", "functions" },
		{ "{\"messages\":[],\"function_call\":\"auto\"}",
		    "function_call" },
		{ "{\"messages\":[],\"modalities\":[\"text\",\"audio\"]}",
		    "modalities" },
		{ "{\"messages\":[],\"tools\":[{\"type\":\"function\"}]}",
		    "tools" },
		{ "{\"messages\":[],\"tool_choice\":7}", "tool_choice" }
	};
	struct made m;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		make(&m, rows[i].body);
		T_OK(m.rc < 0 && strcmp(m.f.param, rows[i].param) == 0 &&
		    m.f.why[0] != '\0', "%s: %d %s", rows[i].body, m.rc,
		    m.f.param);
		arena_free(&m.arena);
	}
}

/* Reads body, writes it for a model; shows the notes behind it. */
static void
rewrite(struct buf *out, const char *body, const char *model,
    struct msg_target *t)
{
	struct profile p;
	struct names names;
	struct made m;

	memset(&names, 0, sizeof names);
	buf_clear(out);
	t->dialect = DIALECT_OPENAI;
	t->model = str_of(model);
	make(&m, body);
	if (m.rc == 0 && normal_request(&m.r, DIALECT_OPENAI) == 0 &&
	    names_map(&names, &m.r, DIALECT_OPENAI) == 0 &&
	    names_ids(&m.r, DIALECT_OPENAI) == 0) {
		profile_of(&p, DIALECT_OPENAI, str_of(model));
		m.rc = openai_write_request(out, &m.r, t, &p, &m.f);
	}
	if (m.rc < 0) {
		buf_clear(out);
		buf_adds(out, m.f.why);
	}
	show_notes(out, &m.notes);
	arena_free(&m.arena);
}

#define USER "{\"role\":\"user\",\"content\":\"x\"}"
#define HEAD "{\"model\":\"m\",\"messages\":[" USER "]"

static const struct {
	const char *model, *body, *written;
} writes[] = {
	{ "m", "{\"messages\":[" USER "]}", HEAD "}" },
	{ "m", "{\"messages\":[{\"role\":\"system\",\"content\":\"a\"},"
	    "{\"role\":\"developer\",\"content\":\"b\"}," USER ",{\"role\":"
	    "\"system\",\"content\":\"c\"}]}",
	    "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":"
	    "\"a\\n\\nb\"}," USER ",{\"role\":\"system\",\"content\":"
	    "\"c\"}]}" },
	/* calls, results, media behind them */
	{ "m", "{\"messages\":[" USER ",{\"role\":\"assistant\",\"content\":"
	    "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":"
	    "\"b\"}],\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\","
	    "\"function\":{\"name\":\"f\",\"arguments\":"
	    "\"{ \\\"a\\\" : 1.0 }\"}},{\"id\":\"d\",\"type\":\"custom\","
	    "\"custom\":{\"name\":\"p\",\"input\":\"i\\n\"}}]},{\"role\":"
	    "\"tool\",\"tool_call_id\":\"d\",\"content\":[{\"type\":\"text\","
	    "\"text\":\"t\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
	    "\"https://e/i\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c\","
	    "\"content\":\"r\"},{\"role\":\"user\",\"content\":\"go\"}]}",
	    "{\"model\":\"m\",\"messages\":[" USER ",{\"role\":\"assistant\","
	    "\"content\":\"ab\",\"tool_calls\":[{\"id\":\"c\",\"type\":"
	    "\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
	    "\"{\\\"a\\\":1.0}\"}},{\"id\":\"d\",\"type\":\"custom\","
	    "\"custom\":{\"name\":\"p\",\"input\":\"i\\n\"}}]},"
	    "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"r\"},"
	    "{\"role\":\"tool\",\"tool_call_id\":\"d\",\"content\":"
	    "\"t\\n[attachment: see the next user message]\"},"
	    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
	    "\"Attachments of tool result d:\"},{\"type\":\"image_url\","
	    "\"image_url\":{\"url\":\"https://e/i\"}},{\"type\":\"text\","
	    "\"text\":\"go\"}]}]}" },
	{ "m", "{\"messages\":[" USER ",{\"role\":\"assistant\",\"content\":"
	    "\"\"},{\"role\":\"assistant\",\"content\":\"pre\"}]}",
	    "{\"model\":\"m\",\"messages\":[" USER ",{\"role\":\"assistant\","
	    "\"content\":\"pre\"}]}!prefill" },
	{ "m", "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
	    "\"file\",\"file\":{\"file_data\":"
	    "\"data:application/pdf;base64,JV\"}},{\"type\":\"input_audio\","
	    "\"input_audio\":{\"data\":\"AA\",\"format\":\"wav\"}},{\"type\":"
	    "\"image_url\",\"image_url\":{\"url\":"
	    "\"data:image/png;base64,iV\"}}]}]}",
	    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
	    "[{\"type\":\"file\",\"file\":{\"filename\":\"document.pdf\","
	    "\"file_data\":\"data:application/pdf;base64,JV\"}},{\"type\":"
	    "\"input_audio\",\"input_audio\":{\"data\":\"AA\",\"format\":"
	    "\"wav\"}},{\"type\":\"image_url\",\"image_url\":{\"url\":"
	    "\"data:image/png;base64,iV\"}}]}]}" },
	/* tools */
	{ "m", "{\"messages\":[" USER "],\"tools\":[{\"type\":\"function\","
	    "\"function\":{\"name\":\"a b\",\"strict\":true}},{\"type\":"
	    "\"custom\",\"custom\":{\"name\":\"p\",\"description\":\"d\","
	    "\"format\":{\"type\":\"grammar\",\"grammar\":{\"syntax\":"
	    "\"lark\"}}}}],\"tool_choice\":{\"type\":\"custom\",\"custom\":"
	    "{\"name\":\"p\"}},\"parallel_tool_calls\":false}",
	    HEAD ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
	    "\"a_b\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}}"
	    ",{\"type\":\"custom\",\"custom\":{\"name\":\"p\","
	    "\"description\":\"d\",\"format\":{\"type\":\"grammar\","
	    "\"grammar\":{\"syntax\":\"lark\"}}}}],\"tool_choice\":{\"type\":"
	    "\"custom\",\"custom\":{\"name\":\"p\"}},"
	    "\"parallel_tool_calls\":false}" },
	{ "m", "{\"messages\":[" USER "],\"tool_choice\":\"auto\","
	    "\"parallel_tool_calls\":false}", HEAD "}" },
	/* a model that does not reason */
	{ "m", "{\"messages\":[" USER "],\"temperature\":1.50,\"top_p\":1,"
	    "\"top_k\":4,\"presence_penalty\":1,\"logprobs\":true,"
	    "\"top_logprobs\":2,\"logit_bias\":{\"1\":1},\"seed\":3,\"n\":1,"
	    "\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\"],"
	    "\"reasoning_effort\":\"high\"}",
	    HEAD ",\"temperature\":1.50,\"top_p\":1,\"presence_penalty\":1,"
	    "\"logprobs\":true,\"top_logprobs\":2,\"logit_bias\":{\"1\":1},"
	    "\"seed\":3,\"stop\":[\"1\",\"2\",\"3\",\"4\"]}"
	    "!drop:reasoning_effort!drop:top_k!clamp:stop" },
	{ "m", "{\"messages\":[" USER "],\"reasoning_effort\":\"none\","
	    "\"n\":2}", HEAD ",\"n\":2}" },
	/* models that do */
	{ "o3", "{\"messages\":[" USER "],\"temperature\":1.0,\"top_p\":1,"
	    "\"stop\":\"E\",\"frequency_penalty\":1,\"logprobs\":true,"
	    "\"top_logprobs\":1,\"reasoning_effort\":\"minimal\"}",
	    "{\"model\":\"o3\",\"messages\":[" USER "],"
	    "\"reasoning_effort\":\"low\"}!drop:top_p"
	    "!drop:frequency_penalty!drop:logprobs!drop:stop" },
	{ "gpt-5.1", "{\"messages\":[" USER "],\"temperature\":0.5,"
	    "\"reasoning_effort\":\"none\",\"stop\":\"E\"}",
	    "{\"model\":\"gpt-5.1\",\"messages\":[" USER "],"
	    "\"reasoning_effort\":\"none\",\"temperature\":0.5}!drop:stop" },
	{ "gpt-5.1", "{\"messages\":[" USER "],\"temperature\":0.5}",
	    "{\"model\":\"gpt-5.1\",\"messages\":[" USER "]}"
	    "!drop:temperature" },
	/* formats */
	{ "m", "{\"messages\":[" USER "],\"response_format\":{\"type\":"
	    "\"json_object\"}}",
	    "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":"
	    "\"Respond with valid JSON.\"}," USER "],\"response_format\":"
	    "{\"type\":\"json_object\"}}" },
	{ "m", "{\"messages\":[{\"role\":\"user\",\"content\":\"as Json\"}],"
	    "\"response_format\":{\"type\":\"json_object\"}}",
	    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
	    "\"as Json\"}],\"response_format\":{\"type\":\"json_object\"}}" },
	{ "m", "{\"messages\":[" USER "],\"response_format\":{\"type\":"
	    "\"json_schema\",\"json_schema\":{\"schema\":{\"type\":"
	    "\"object\",\"properties\":{\"a\":{}}}}}}",
	    HEAD ",\"response_format\":{\"type\":\"json_schema\","
	    "\"json_schema\":{\"name\":\"response\",\"schema\":{\"type\":"
	    "\"object\",\"properties\":{\"a\":{}}},\"strict\":false}}}" },
	/* the rest */
	{ "m", "{\"messages\":[" USER "],\"service_tier\":\"default\","
	    "\"user\":\"a\\\"b\"}",
	    HEAD ",\"user\":\"a\\\"b\",\"service_tier\":\"default\"}" },
	{ "m", "{\"messages\":[" USER "],\"service_tier\":\"flex\"}",
	    HEAD ",\"service_tier\":\"flex\"}" }
};

static void
test_write(void)
{
	struct msg_target t;
	struct buf b;
	size_t i;

	buf_init(&b, ARENA_MAX);
	memset(&t, 0, sizeof t);
	for (i = 0; i < sizeof writes / sizeof writes[0]; i++) {
		rewrite(&b, writes[i].body, writes[i].model, &t);
		T_OK(str_is(buf_str(&b), writes[i].written),
		    "%s\n got %s\nwant %s", writes[i].body, buf_cstr(&b),
		    writes[i].written);
	}
	t.stream = 1;
	rewrite(&b, "{\"messages\":[" USER "],\"max_tokens\":9}", "m", &t);
	T_OK(str_is(buf_str(&b), HEAD ",\"max_completion_tokens\":9,"
	    "\"stream\":true,\"stream_options\":{\"include_usage\":true}}"),
	    "%s", buf_cstr(&b));
	t.stream = 0;
	t.max_tokens_old = 1;
	t.max_tokens = 77;
	rewrite(&b, "{\"messages\":[" USER "]}", "m", &t);
	T_OK(str_is(buf_str(&b), HEAD ",\"max_tokens\":77}"), "%s",
	    buf_cstr(&b));
	buf_free(&b);
}

/* What no client of OpenAI's can say, but others can. */
static void
test_foreign(void)
{
	struct msg_turn user, assistant;
	struct msg_part doc, image;
	struct msg_target t;
	struct profile p;
	struct made m;
	struct buf b;

	buf_init(&b, ARENA_MAX);
	memset(&t, 0, sizeof t);
	memset(&user, 0, sizeof user);
	memset(&assistant, 0, sizeof assistant);
	memset(&doc, 0, sizeof doc);
	memset(&image, 0, sizeof image);
	t.model = str_of("m");
	profile_of(&p, DIALECT_OPENAI, t.model);
	make(&m, "{\"messages\":[]}");
	m.r.turns = &user;
	user.parts = &doc;
	doc.kind = MSG_DOC;
	doc.url = str_of("https://e/d");
	T_OK(openai_write_request(&b, &m.r, &t, &p, &m.f) == -1 &&
	    m.f.why[0] != '\0', "a document by URL");
	doc.kind = MSG_AUDIO;
	doc.type = str_of("audio/ogg");
	doc.data = str_of("AA");
	m.f.why[0] = '\0';
	T_OK(openai_write_request(&b, &m.r, &t, &p, &m.f) == -1 &&
	    m.f.why[0] != '\0', "a sound that OpenAI does not know");

	/* Media and errors in results, a picture that the model made. */
	buf_clear(&b);
	doc.kind = MSG_RESULT;
	doc.id = str_of("r\"1");
	doc.error = 1;
	doc.parts = &image;
	image.kind = MSG_IMAGE;
	image.type = str_of("image/png");
	image.data = str_of("iV");
	assistant.role = MSG_ASSISTANT;
	assistant.parts = &image;
	user.next = &assistant;
	T_OK(openai_write_request(&b, &m.r, &t, &p, &m.f) == 0, "%s",
	    m.f.why);
	show_notes(&b, &m.notes);
	T_OK(str_is(buf_str(&b), "{\"model\":\"m\",\"messages\":[{\"role\":"
	    "\"tool\",\"tool_call_id\":\"r\\\"1\",\"content\":\"[error] "
	    "[attachment: see the next user message]\"},{\"role\":\"user\","
	    "\"content\":[{\"type\":\"text\",\"text\":\"Attachments of tool "
	    "result r\\\"1:\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
	    "\"data:image/png;base64,iV\"}}]}]}"
	    "!drop:content.image!prefill"), "%s", buf_cstr(&b));

	/* A budget becomes an effort; a long name of a user is hashed. */
	buf_clear(&b);
	m.notes.first = NULL;
	m.r.turns = NULL;
	m.r.thinking = MSG_THINK_ON;
	m.r.budget = 9000;
	m.r.user = str_of("user_ffffffffffffffffffffffffffffffffffffffffffff"
	    "ffffffffffffffffffff_account__session_12345678");
	profile_of(&p, DIALECT_OPENAI, str_of("gpt-5"));
	T_OK(openai_write_request(&b, &m.r, &t, &p, &m.f) == 0, "%s",
	    m.f.why);
	T_OK(str_is(buf_str(&b), "{\"model\":\"m\",\"messages\":[],"
	    "\"reasoning_effort\":\"high\",\"user\":\"u_2551d034eaa46ba0\"}"),
	    "%s", buf_cstr(&b));

	/* A buffer that is full is told. */
	buf_free(&b);
	buf_init(&b, 20);
	T_OK(openai_write_request(&b, &m.r, &t, &p, &m.f) == -1, "full");
	arena_free(&m.arena);
	buf_free(&b);
}

static const struct {
	const char *text, *clean;	/* NULL: nothing to do */
} cleans[] = {
	{ "{\"messages\":[]}", NULL },
	{ "no json reasoning_content", NULL },
	{ "[\"reasoning_content\"]", NULL },
	{ "{\"messages\":[{\"content\":\"thinking_blocks\"}],"
	    "\"reasoning_content\":1}", NULL },
	{ "{ \"messages\" : [ { \"reasoning_content\" : \"x\" , \"role\" : "
	    "\"assistant\" } ] , \"a\" : 1 }",
	    "{ \"messages\" : [ { \"role\" : \"assistant\" } ] , "
	    "\"a\" : 1 }" },
	{ "{\"messages\":[{\"role\":\"a\", \"reasoning_content\":\"x\", "
	    "\"thinking_blocks\":[{}] , \"content\" : \"c\"}]}",
	    "{\"messages\":[{\"role\":\"a\" , \"content\" : \"c\"}]}" },
	{ "{\"messages\":[{\"reasoning_content\":null,"
	    "\"thinking_blocks\":[]}]}", "{\"messages\":[{}]}" },
	{ "{\"messages\":[{\"role\":\"a\",\"tool_calls\":[{\"id\":"
	    "\"c__ts_QWJj\"}],\"reasoning_content\":\"\",\"x\":1.0},"
	    "{\"tool_call_id\": \"c__ts_QWJj\" }]}",
	    "{\"messages\":[{\"role\":\"a\",\"tool_calls\":[{\"id\":\"c\"}],"
	    "\"x\":1.0},{\"tool_call_id\": \"c\" }]}" },
	/* the id of a call that is too long, once there is a reason to look */
	{ "{\"messages\":[{\"tool_call_id\":\"c__ts_QWJj\"},"
	    "{\"tool_call_id\":"
	    "\"toolu_0123456789abcdefghijklmnopqrstuvwxyz_long\"}]}",
	    "{\"messages\":[{\"tool_call_id\":\"c\"},{\"tool_call_id\":"
	    "\"call_9cee7bae254166aa\"}]}" },
	{ "{\"messages\":[{\"tool_call_id\":\"c__ts_!\"}]}", NULL }
};

static void
test_clean(void)
{
	struct arena a;
	struct buf b;
	struct str text;
	size_t i;
	int rc, given;

	arena_init(&a, ARENA_MAX);
	buf_init(&b, ARENA_MAX);
	for (i = 0; i < sizeof cleans / sizeof cleans[0]; i++)
		for (given = 0; given < 2; given++) {
			buf_clear(&b);
			text = str_of(cleans[i].text);
			rc = openai_clean(&b, &a, text,
			    str_of("gpt-x"));
			T_OK(rc == (cleans[i].clean != NULL), "%s: %d",
			    cleans[i].text, rc);
			T_OK(str_is(buf_str(&b), cleans[i].clean == NULL ? ""
			    : cleans[i].clean), "%s\n got %s",
			    cleans[i].text, buf_cstr(&b));
			arena_reset(&a);
		}
	buf_free(&b);
	buf_init(&b, 4);
	T_OK(openai_clean(&b, &a, str_of(cleans[4].text), str_of("gpt-x"))
	    == -1, "full");
	buf_free(&b);
	arena_free(&a);
}

/* Every allocation that fails is told, and nothing breaks. */
static void
test_memory(void)
{
	static const char body[] = "{\"messages\":[{\"role\":\"user\","
	    "\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":"
	    "\"file\",\"file\":{\"filename\":\"\\u0041\",\"file_data\":"
	    "\"data:text/plain;base64,YSJi\"}}]},{\"role\":\"assistant\","
	    "\"tool_calls\":[{\"id\":\"c__ts_QWJj\",\"function\":{\"name\":"
	    "\"\\u0066\",\"arguments\":\"x\"}}]},{\"role\":\"tool\","
	    "\"tool_call_id\":\"c\",\"content\":\"r\"}],\"tools\":[{\"type\":"
	    "\"function\",\"function\":{\"name\":\"f\"}}],\"stop\":[\"a\"]}";
	struct dialect_call call;
	struct msg_target t;
	struct profile p;
	struct made m;
	struct buf b;
	size_t max;
	int done = 0;

	memset(&call, 0, sizeof call);
	memset(&t, 0, sizeof t);
	t.model = str_of("m");
	profile_of(&p, DIALECT_OPENAI, t.model);
	buf_init(&b, ARENA_MAX);
	for (max = 0; !done && max < 65536; max += 16) {
		memset(&m, 0, sizeof m);
		arena_init(&m.arena, max);
		m.r.arena = &m.arena;
		m.r.notes = &m.notes;
		buf_clear(&b);
		m.rc = openai_read_request(&m.r, tree_parse(&m.arena,
		    str_of(body)), &call, &m.f);
		if (m.rc == 0)
			m.rc = openai_write_request(&b, &m.r, &t, &p, &m.f);
		done = m.rc == 0;
		if (done != !m.arena.bad)
			break;
		arena_free(&m.arena);
	}
	T_OK(done && max > 1000, "at %u", (unsigned)max);
	buf_free(&b);
}

int
main(void)
{
	test_messages();
	test_options();
	test_tools();
	test_refused();
	test_write();
	test_foreign();
	test_clean();
	test_memory();
	return t_end();
}
