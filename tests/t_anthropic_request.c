#include <stdio.h>
#include <string.h>

#include "dialect/anthropic_request.h"
#include "dialect/names.h"
#include "dialect/normal.h"
#include "json.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])

/* ---- what was read, in few letters ---- */

static void
show_str(struct buf *b, const char *before, struct str s)
{
	if (s.p == NULL)
		return;
	buf_adds(b, before);
	buf_addstr(b, s);
}

static void
show_parts(struct buf *b, const struct msg_part *part)
{
	static const char *const kinds[] = {
		"text", "image", "doc", "audio", "call", "result", "think",
		"redacted", "refusal"
	};

	for (; part != NULL; part = part->next) {
		buf_adds(b, kinds[part->kind]);
		show_str(b, " ", part->text);
		show_str(b, " id=", part->id);
		show_str(b, " name=", part->name);
		show_str(b, " args=", part->args);
		show_str(b, " type=", part->type);
		show_str(b, " data=", part->data);
		show_str(b, " url=", part->url);
		show_str(b, " title=", part->title);
		show_str(b, " sig=", part->signature);
		if (part->error)
			buf_adds(b, " error");
		if (part->parts != NULL) {
			buf_adds(b, " (");
			show_parts(b, part->parts);
			buf_adds(b, ")");
		}
		if (part->next != NULL)
			buf_adds(b, "; ");
	}
}

static void
show_options(struct buf *b, const struct msg_request *r)
{
	static const char *const choices[] = {
		"", "auto", "any", "tool", "none"
	};
	static const char *const thinking[] = { "", "off", "on", "adaptive" };
	const struct msg_string *s;

	if (r->choice != MSG_CHOICE_UNSET) {
		show_str(b, " choice=", str_of(choices[r->choice]));
		show_str(b, ":", r->choice_name);
	}
	if (r->parallel_off)
		buf_adds(b, " serial");
	if (r->stream)
		buf_adds(b, " stream");
	show_str(b, " max=", r->max_tokens);
	show_str(b, " temp=", r->temperature);
	show_str(b, " top_p=", r->top_p);
	show_str(b, " top_k=", r->top_k);
	for (s = r->stops; s != NULL; s = s->next)
		show_str(b, " stop=", s->s);
	if (r->thinking != MSG_THINK_UNSET)
		show_str(b, " think=", str_of(thinking[r->thinking]));
	if (r->budget >= 0)
		buf_fmt(b, " budget=%ld", (long)r->budget);
	if (r->thoughts)
		buf_adds(b, " shown");
	if (r->thoughts_off)
		buf_adds(b, " hidden");
	if (r->effort != MSG_EFFORT_UNSET)
		show_str(b, " effort=", str_of(msg_effort_name(r->effort)));
	if (r->format == MSG_FORMAT_SCHEMA) {
		show_str(b, " format=", r->schema_name);
		show_str(b, ":", r->schema->raw);
	}
	show_str(b, " user=", r->user);
	if (r->tier == MSG_TIER_STANDARD)
		buf_adds(b, " standard");
}

static void
show_request(struct buf *b, const struct msg_request *r)
{
	static const char *const roles[] = { "user", "assistant", "system" };
	const struct msg_turn *turn;
	const struct msg_tool *tool;

	show_str(b, "", r->model);
	if (r->system != NULL) {
		buf_adds(b, " [");
		show_parts(b, r->system);
		buf_adds(b, "]");
	}
	for (turn = r->turns; turn != NULL; turn = turn->next) {
		buf_fmt(b, " %s{", roles[turn->role]);
		show_parts(b, turn->parts);
		buf_adds(b, "}");
	}
	for (tool = r->tools; tool != NULL; tool = tool->next) {
		show_str(b, " tool=", tool->name);
		show_str(b, ":", tool->description);
		if (tool->schema != NULL)
			show_str(b, ":", tool->schema->raw);
	}
	show_options(b, r);
}

static void
show_notes(struct buf *b, const struct msg_notes *notes)
{
	const struct msg_string *s;

	for (s = notes->first; s != NULL; s = s->next)
		show_str(b, s == notes->first ? "" : " ", s->s);
}

/* ---- reading ---- */

#define USER(x) "{\"messages\":[{\"role\":\"user\",\"content\":[" x "]}]}"
#define CLAUDE(x) "{\"messages\":[{\"role\":\"assistant\",\"content\":[" x \
	"]}]}"
#define WITH(x) "{\"messages\":[]," x "}"
#define T(x) "{\"type\":\"text\",\"text\":\"" x "\"}"

static const struct {
	const char *body;
	const char *request;	/* NULL: refused */
	const char *notes;	/* or what the refusal names */
} reads[] = {
	/* D-A1 */
	{ "{}", NULL, "messages" },
	{ "[]", NULL, "messages" },
	{ "{\"messages\":{}}", NULL, "messages" },
	{ "{\"messages\":null}", NULL, "messages" },
	{ "{\"messages\":[]}", "", "" },
	{ "{\"messages\":[7]}", NULL, "messages" },
	{ "{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}", NULL,
	    "messages" },
	{ "{\"messages\":[{\"content\":\"x\"}]}", NULL, "messages" },
	{ "{\"model\":\"m\\u0065\",\"messages\":[{\"role\":\"user\","
	    "\"content\":\"a\\nb\"},{\"role\":\"assistant\",\"content\":"
	    "\"\"}]}", "me user{text a\\nb} assistant{}", "" },
	{ "{\"messages\":[{\"role\":\"user\",\"content\":null}]}",
	    " user{}", "" },
	{ "{\"messages\":[{\"role\":\"user\",\"content\":7}]}", NULL,
	    "messages" },
	{ USER("\"x\""), NULL, "messages" },
	{ USER("{\"text\":\"x\"}"), NULL, "messages" },
	/* D-A2 */
	{ WITH("\"system\":\"S\""), " [text S]", "" },
	{ WITH("\"system\":\" \\n\""), "", "" },
	{ WITH("\"system\":null"), "", "" },
	{ WITH("\"system\":[" T(" \\n x-anthropic-billing-header: a") ","
	    T("A") "," T(" ") ",{\"type\":\"text\",\"text\":\"B\","
	    "\"cache_control\":{\"type\":\"ephemeral\"}}]"),
	    " [text A; text B]", "" },
	{ WITH("\"system\":[" T("see x-anthropic-billing-header:") ","
	    "{\"type\":\"image\"}]"),
	    " [text see x-anthropic-billing-header:]",
	    "drop:content.image" },
	/* D-A3 */
	{ "{\"messages\":[{\"role\":\"system\",\"content\":["
	    T("a") "," T("") "," T("b") "]}]}", " system{text a\\n\\nb}",
	    "" },
	{ "{\"messages\":[{\"role\":\"system\",\"content\":\"\"}]}",
	    " system{}", "" },
	/* D-A4 */
	{ USER(T("") "," T(" ") "," T("x")), " user{text  ; text x}", "" },
	{ USER("{\"type\":\"image\",\"source\":{\"type\":\"base64\","
	    "\"media_type\":\"image/jpg\",\"data\":\"QQ==\"}},"
	    "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":"
	    "\"http:\\/\\/e\"}}"), " user{image type=image/jpeg data=QQ==; "
	    "image url=http:\\/\\/e}", "" },
	{ USER("{\"type\":\"image\",\"source\":{\"type\":\"file\","
	    "\"file_id\":\"f\"}}"), NULL, "messages" },
	{ USER("{\"type\":\"image\",\"source\":{\"type\":\"base64\"}}"),
	    NULL, "messages" },
	{ USER("{\"type\":\"image\",\"source\":{\"type\":\"url\"}}"), NULL,
	    "messages" },
	{ USER("{\"type\":\"image\"}"), NULL, "messages" },
	{ USER("{\"type\":\"document\",\"title\":\"T\\\"\",\"context\":"
	    "\"C\",\"source\":{\"type\":\"text\",\"data\":\"d\"}}"),
	    " user{text <document title=\\\"T\\\\\\\"\\\">\\nContext: C\\n"
	    "d\\n</document>}", "" },
	{ USER("{\"type\":\"document\",\"source\":{\"type\":\"text\","
	    "\"data\":\"d\"}}"),
	    " user{text <document>\\nd\\n</document>}", "" },
	{ USER("{\"type\":\"document\",\"source\":{\"type\":\"content\","
	    "\"content\":[" T("a") ",{\"type\":\"image\",\"source\":{\"type\""
	    ":\"url\",\"url\":\"u\"}}," T("b") "]}}," T("c")),
	    " user{text <document>\\na\\nb\\n</document>; image url=u; "
	    "text c}", "" },
	{ USER("{\"type\":\"document\",\"source\":{\"type\":\"content\","
	    "\"content\":\"s\"}}"),
	    " user{text <document>\\ns\\n</document>}", "" },
	{ USER("{\"type\":\"document\",\"title\":\"T\",\"source\":{\"type\":"
	    "\"base64\",\"media_type\":\"application/pdf\",\"data\":\"QQ==\""
	    "}},{\"type\":\"document\",\"source\":{\"type\":\"url\",\"url\":"
	    "\"u\"}}"), " user{doc type=application/pdf data=QQ== title=T; "
	    "doc url=u}", "" },
	{ USER("{\"type\":\"document\",\"source\":{\"type\":\"base64\","
	    "\"media_type\":\"text/csv\",\"data\":\"QQ==\"}}"), NULL,
	    "messages" },
	{ USER("{\"type\":\"document\",\"source\":{\"type\":\"file\"}}"),
	    NULL, "messages" },
	{ USER("{\"type\":\"search_result\",\"source\":\"http://e\","
	    "\"title\":\"T\",\"content\":[" T("a") "," T("b") "]}"),
	    " user{text <search_result source=\\\"http://e\\\" "
	    "title=\\\"T\\\">\\na\\nb\\n</search_result>}", "" },
	{ USER("{\"type\":\"tool_reference\",\"tool_name\":\"t\"}"),
	    " user{text [tool: t]}", "" },
	{ CLAUDE("{\"type\":\"thinking\",\"thinking\":\"h\",\"signature\":"
	    "\"s\\/\"},{\"type\":\"redacted_thinking\",\"data\":\"d\"}"),
	    " assistant{think h sig=s/; redacted data=d}", "" },
	{ USER("{\"type\":\"thinking\",\"thinking\":\"h\"}," T("x")),
	    " user{text x}", "drop:content.thinking" },
	{ CLAUDE("{\"type\":\"server_tool_use\",\"id\":\"s\"}," T("x") ","
	    "{\"type\":\"server_tool_use\"}"), " assistant{text x}",
	    "drop:content.server_tool_use" },
	/* D-A5 */
	{ CLAUDE("{\"type\":\"tool_use\",\"id\":\"a__ts_QUJD\",\"name\":"
	    "\"f\",\"input\":{ \"x\":1.0 }}"),
	    " assistant{call id=a name=f args={ \"x\":1.0 } sig=ABC}", "" },
	{ CLAUDE("{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\"}"),
	    " assistant{call id=a name=f args={}}", "" },
	{ CLAUDE("{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\","
	    "\"input\":\"{\\\"x\\\":1}\"}"),
	    " assistant{call id=a name=f args={\"x\":1}}", "" },
	{ CLAUDE("{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\","
	    "\"input\":\"{\"}"),
	    " assistant{call id=a name=f args={\"_raw\":\"{\"}}",
	    "repair:tool_arguments" },
	{ CLAUDE("{\"type\":\"tool_use\",\"id\":\"\",\"name\":\"f\"}"),
	    NULL, "messages" },
	{ CLAUDE("{\"type\":\"tool_use\",\"id\":\"a\"}"), NULL, "messages" },
	{ USER("{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\"}"),
	    " user{}", "drop:content.tool_use" },
	{ USER("{\"type\":\"tool_result\",\"tool_use_id\":\"a__ts_QUJD\","
	    "\"content\":\"r\",\"is_error\":true},{\"type\":\"tool_result\","
	    "\"tool_use_id\":\"b\",\"is_error\":false}"),
	    " user{result id=a error (text r); result id=b}", "" },
	{ USER("{\"type\":\"tool_result\",\"tool_use_id\":\"a\",\"content\":"
	    "[" T("x") ",{\"type\":\"image\",\"source\":{\"type\":\"url\","
	    "\"url\":\"u\"}},{\"type\":\"tool_result\"},{\"type\":"
	    "\"tool_reference\",\"tool_name\":\"t\"}]}"),
	    " user{result id=a (text x; image url=u; text [tool: t])}",
	    "drop:content.tool_result" },
	{ USER("{\"type\":\"tool_result\",\"content\":\"r\"}"), NULL,
	    "messages" },
	/* D-A6 */
	{ WITH("\"tools\":[{\"name\":\"f\",\"description\":\"d\","
	    "\"input_schema\":{\"type\":\"object\"},\"strict\":true},{\"type\""
	    ":\"custom\",\"name\":\"g\"},{\"type\":\"bash_20250124\","
	    "\"name\":\"bash\"}]"),
	    " tool=f:d:{\"type\":\"object\"} tool=g",
	    "drop:tool.bash_20250124" },
	{ WITH("\"tools\":null"), "", "" },
	{ WITH("\"tools\":{}"), NULL, "tools" },
	{ WITH("\"tools\":[{}]"), NULL, "tools" },
	/* D-A7 */
	{ WITH("\"tool_choice\":{\"type\":\"auto\"}"), " choice=auto", "" },
	{ WITH("\"tool_choice\":{\"type\":\"any\","
	    "\"disable_parallel_tool_use\":true}"), " choice=any serial",
	    "" },
	{ WITH("\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"}"),
	    " choice=tool:f", "" },
	{ WITH("\"tool_choice\":{\"type\":\"none\"}"), " choice=none", "" },
	{ WITH("\"tool_choice\":{\"type\":\"tool\"}"), NULL, "tool_choice" },
	{ WITH("\"tool_choice\":{\"type\":\"x\"}"), NULL, "tool_choice" },
	{ WITH("\"tool_choice\":\"auto\""), NULL, "tool_choice" },
	{ WITH("\"max_tokens\":0"), " max=1", "clamp:max_tokens" },
	{ WITH("\"max_tokens\":12,\"temperature\":1.0,\"top_p\":0.50,"
	    "\"top_k\":3,\"stop_sequences\":[\"a\",\"\\n\",7]"),
	    " max=12 temp=1.0 top_p=0.50 top_k=3 stop=a stop=\\n", "" },
	{ WITH("\"max_tokens\":null,\"temperature\":null,\"top_p\":\"x\","
	    "\"stop_sequences\":null"), "", "" },
	/* D-A8 */
	{ WITH("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000}"),
	    " think=on budget=2000 shown", "" },
	{ WITH("\"thinking\":{\"type\":\"adaptive\",\"display\":"
	    "\"omitted\"}"), " think=adaptive hidden", "" },
	{ WITH("\"thinking\":{\"type\":\"disabled\"}"), " think=off", "" },
	{ WITH("\"thinking\":{\"type\":\"between_tools\"}"), " think=off",
	    "" },
	{ WITH("\"thinking\":null"), "", "" },
	{ WITH("\"output_config\":{\"effort\":\"xhigh\",\"format\":null}"),
	    " effort=xhigh", "" },
	{ WITH("\"output_config\":{\"format\":{\"type\":\"json_schema\","
	    "\"schema\":{\"a\":1}}}"), " format=response:{\"a\":1}", "" },
	{ WITH("\"output_format\":{\"type\":\"json_schema\",\"schema\":{}}"),
	    " format=response:{}", "" },
	/* D-A9 */
	{ WITH("\"metadata\":{\"user_id\":\"u\"},\"service_tier\":"
	    "\"standard_only\",\"stream\":true,\"container\":\"c\","
	    "\"mcp_servers\":[{}],\"context_management\":{}"),
	    " stream user=u standard",
	    "drop:container drop:mcp_servers drop:context_management" },
	{ WITH("\"metadata\":{\"user_id\":null},\"service_tier\":\"auto\","
	    "\"stream\":false,\"container\":null,\"x\":1"), "", "" },
	/* J-2 */
	{ WITH("\"max_tokens\":1,\"max_tokens\":2"), " max=2", "" }
};

static void
test_reads(void)
{
	static const struct dialect_call call;
	struct msg_notes notes;
	struct msg_request r;
	struct msg_fault f;
	struct arena a;
	struct buf b, n;
	size_t i;
	int rc;

	buf_init(&b, 1 << 20);
	buf_init(&n, 1 << 20);
	arena_init(&a, 1 << 20);
	for (i = 0; i < N(reads); i++) {
		memset(&r, 0, sizeof r);
		memset(&f, 0, sizeof f);
		notes.first = NULL;
		r.arena = &a;
		r.notes = &notes;
		rc = anthropic_read_request(&r, tree_parse(&a,
		    str_of(reads[i].body)), &call, &f);
		if (reads[i].request == NULL) {
			T_OK(rc == -1, "%s", reads[i].body);
			T_OK(strcmp(f.param, reads[i].notes) == 0 &&
			    strstr(f.why, f.param) != NULL, "%s: %s: %s",
			    reads[i].body, f.param, f.why);
		} else {
			show_request(&b, &r);
			show_notes(&n, &notes);
			T_OK(rc == 0, "%s: %s", reads[i].body, f.why);
			T_OK(str_is(buf_str(&b), reads[i].request),
			    "%s: %s", reads[i].body, buf_cstr(&b));
			T_OK(str_is(buf_str(&n), reads[i].notes), "%s: %s",
			    reads[i].body, buf_cstr(&n));
		}
		buf_clear(&b);
		buf_clear(&n);
		arena_reset(&a);
	}
	arena_free(&a);
	buf_free(&n);
	buf_free(&b);
}

/* ---- writing ---- */

static struct arena tweak_arena;	/* of what the tweaks put in */

static void
tweak_n(struct msg_request *r)
{
	r->n = str_of("2");
}

static void
tweak_n_one(struct msg_request *r)
{
	r->n = str_of("1");
}

static void
tweak_losses(struct msg_request *r)
{
	r->presence_penalty = str_of("0.0");
	r->frequency_penalty = str_of("-1");
	r->seed = str_of("0");
	r->logprobs = 1;
	r->logit_bias = str_of("{}");
	r->tier = MSG_TIER_FLEX;
}

static void
tweak_priority(struct msg_request *r)
{
	r->tier = MSG_TIER_PRIORITY;
}

static void
tweak_audio(struct msg_request *r)
{
	r->turns->parts->kind = MSG_AUDIO;
}

static void
tweak_bmp(struct msg_request *r)
{
	r->turns->parts->type = str_of("image/bmp");
}

static void
tweak_upper(struct msg_request *r)
{
	r->turns->parts->type = str_of("IMAGE/JPG");
}

static void
tweak_json(struct msg_request *r)
{
	r->format = MSG_FORMAT_JSON;
}

static void
tweak_cache(struct msg_request *r)
{
	struct msg_turn *turn;
	struct msg_part *part;

	r->system->cache = str_of("{\"s\":1}");
	r->tools->cache = str_of("{\"t\":1}");
	for (turn = r->turns; turn != NULL; turn = turn->next)
		for (part = turn->parts; part != NULL; part = part->next)
			part->cache = str_of("{\"p\":1}");
}

static void
tweak_custom(struct msg_request *r)
{
	r->tools->custom = 1;
	r->tools->format = tree_parse(&tweak_arena,
	    str_of("{\"syntax\":\"lark\",\"definition\":\"s\"}"));
}

static void
tweak_refusal(struct msg_request *r)
{
	r->turns->parts->kind = MSG_REFUSAL;
}

#define OLD "claude-3-5-sonnet"		/* no thinking */
#define MAN "claude-sonnet-4-5"		/* manual */
#define DUAL "claude-opus-4-6"
#define ADA "claude-opus-4-8"
#define ALW "claude-opus-5-5"
#define THIRD "some-model"
#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define HI_OUT "\"messages\":[{\"role\":\"user\",\"content\":[" T("hi") "]}]"
#define CALL "{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\"," \
	"\"id\":\"c\",\"name\":\"f\",\"input\":{}}]}"
#define CALL_RES "{\"type\":\"tool_result\",\"tool_use_id\":\"c\""
#define TOOL "{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}"
#define TOOL_OUT "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":" \
	"\"object\",\"properties\":{}}}]"
#define SCHEMA "{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"," \
	"\"properties\":{}}}"

/* What comes between the model and the messages, or (msgs) behind it. */
static const struct {
	const char *model, *body;
	void (*tweak)(struct msg_request *);
	const char *out;	/* NULL: refused */
	const char *notes;	/* or the field that the refusal names */
} writes[] = {
	/* E-A1 */
	{ MAN, "{" HI "}", tweak_n, NULL, "n" },
	{ MAN, "{" HI "}", tweak_n_one, "\"max_tokens\":32000," HI_OUT, "" },
	/* E-A2 */
	{ MAN, "{\"system\":\"S\"," HI "}", NULL, "\"max_tokens\":32000,"
	    "\"system\":[" T("S") "]," HI_OUT, "" },
	{ MAN, "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role"
	    "\":\"system\",\"content\":\"b\"},{\"role\":\"user\",\"content\":"
	    "\"c\"}]}", NULL, "\"max_tokens\":32000,\"messages\":[{\"role\":"
	    "\"user\",\"content\":[" T("a") ","
	    T("<system-reminder>\\nb\\n</system-reminder>") "," T("c")
	    "]}]", "" },
	/* E-A3 */
	{ MAN, USER(T(" ") "," T("x") "," T("\\n")), NULL,
	    "\"max_tokens\":32000,\"messages\":[{\"role\":\"user\","
	    "\"content\":[" T("x") "]}]", "" },
	/* E-A4 */
	{ MAN, "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}," CALL
	    ",{\"role\":\"user\",\"content\":[" CALL_RES ",\"content\":\"r\","
	    "\"is_error\":true}]}],\"tools\":[" TOOL "]}", NULL,
	    "\"max_tokens\":32000," TOOL_OUT ",\"messages\":[{\"role\":"
	    "\"user\",\"content\":[" T("hi") "]}," CALL ",{\"role\":\"user\","
	    "\"content\":[" CALL_RES ",\"content\":\"r\",\"is_error\":true}]}"
	    "]", "" },
	{ MAN, "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}," CALL
	    ",{\"role\":\"user\",\"content\":[" CALL_RES ",\"content\":["
	    T("a") "," T(" ") "," T("b") ",{\"type\":\"image\",\"source\":{"
	    "\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"Q\""
	    "}}]}]}],\"tools\":[" TOOL "]}", NULL,
	    "\"max_tokens\":32000," TOOL_OUT ",\"messages\":[{\"role\":"
	    "\"user\",\"content\":[" T("hi") "]}," CALL ",{\"role\":\"user\","
	    "\"content\":[" CALL_RES ",\"content\":[" T("a") "," T("b")
	    ",{\"type\":\"image\",\"source\":{\"type\":\"base64\","
	    "\"media_type\":\"image/png\",\"data\":\"Q\"}}]}]}]", "" },
	{ MAN, "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}," CALL
	    ",{\"role\":\"user\",\"content\":[" CALL_RES "}]}],\"tools\":["
	    TOOL "]}", NULL, "\"max_tokens\":32000," TOOL_OUT
	    ",\"messages\":[{\"role\":\"user\",\"content\":[" T("hi") "]},"
	    CALL ",{\"role\":\"user\",\"content\":[" CALL_RES "}]}]", "" },
	{ MAN, USER("{\"type\":\"image\",\"source\":{\"type\":\"url\","
	    "\"url\":\"u\"}},{\"type\":\"document\",\"title\":\"T\","
	    "\"source\":{\"type\":\"base64\",\"data\":\"Q\"}},{\"type\":"
	    "\"document\",\"source\":{\"type\":\"url\",\"url\":\"v\"}}"),
	    NULL, "\"max_tokens\":32000,\"messages\":[{\"role\":\"user\","
	    "\"content\":[{\"type\":\"image\",\"source\":{\"type\":\"url\","
	    "\"url\":\"u\"}},{\"type\":\"document\",\"source\":{\"type\":"
	    "\"base64\",\"media_type\":\"application/pdf\",\"data\":\"Q\"},"
	    "\"title\":\"T\"},{\"type\":\"document\",\"source\":{\"type\":"
	    "\"url\",\"url\":\"v\"}}]}]", "" },
	{ MAN, "{" HI "}", tweak_audio, NULL, "messages" },
	{ MAN, USER("{\"type\":\"image\",\"source\":{\"type\":\"base64\","
	    "\"data\":\"Q\"}}"), tweak_bmp, NULL, "messages" },
	{ MAN, USER("{\"type\":\"image\",\"source\":{\"type\":\"base64\","
	    "\"data\":\"Q\"}}"), tweak_upper, "\"max_tokens\":32000,"
	    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
	    "\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
	    "\"image/jpeg\",\"data\":\"Q\"}}]}]", "" },
	{ MAN, "{" HI "}", tweak_refusal, "\"max_tokens\":32000," HI_OUT,
	    "" },
	/* E-A5 */
	{ MAN, "{\"messages\":[]}", NULL, "\"max_tokens\":32000,"
	    "\"messages\":[{\"role\":\"user\",\"content\":[" T(".") "]}]",
	    "repair:empty_messages" },
	{ MAN, CLAUDE(T("a")), NULL, "\"max_tokens\":32000,\"messages\":["
	    "{\"role\":\"user\",\"content\":[" T(".") "]},{\"role\":"
	    "\"assistant\",\"content\":[" T("a") "]}]", "repair:first_user" },
	/* E-A6 */
	{ MAN, "{" HI ",\"tools\":[{\"name\":\"f\",\"description\":\"\"},{"
	    "\"name\":\"g\",\"description\":\"d\",\"input_schema\":{\"type\":"
	    "\"object\",\"properties\":{\"a\":{}}}}]}", NULL,
	    "\"max_tokens\":32000,\"tools\":[{\"name\":\"f\","
	    "\"input_schema\":{\"type\":\"object\",\"properties\":{}}},{"
	    "\"name\":\"g\",\"description\":\"d\",\"input_schema\":{\"type\":"
	    "\"object\",\"properties\":{\"a\":{}}}}]," HI_OUT, "" },
	{ MAN, "{" HI ",\"tools\":[" TOOL "]}", tweak_custom,
	    "\"max_tokens\":32000,\"tools\":[{\"name\":\"f\",\"description\":"
	    "\"\\n\\nThe input must match this lark grammar:\\ns\","
	    "\"input_schema\":{\"type\":\"object\",\"properties\":{\"input\":"
	    "{\"type\":\"string\"}},\"required\":[\"input\"]}}]," HI_OUT,
	    "" },
	{ MAN, "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}," CALL
	    ",{\"role\":\"user\",\"content\":[" CALL_RES "}]}," CALL
	    ",{\"role\":\"user\",\"content\":[" CALL_RES "}]}]}", NULL,
	    "\"max_tokens\":32000," TOOL_OUT ",\"tool_choice\":{\"type\":"
	    "\"none\"},\"messages\":[{\"role\":\"user\",\"content\":["
	    T("hi") "]}," CALL ",{\"role\":\"user\",\"content\":[" CALL_RES
	    "}]}," CALL ",{\"role\":\"user\",\"content\":[" CALL_RES "}]}]",
	    "" },
	/* E-A7 */
	{ MAN, "{" HI ",\"tools\":[" TOOL "],\"tool_choice\":{\"type\":"
	    "\"tool\",\"name\":\"f\",\"disable_parallel_tool_use\":true}}",
	    NULL, "\"max_tokens\":32000," TOOL_OUT ",\"tool_choice\":{"
	    "\"type\":\"tool\",\"name\":\"f\",\"disable_parallel_tool_use\":"
	    "true}," HI_OUT, "" },
	{ MAN, "{" HI ",\"tools\":[" TOOL "],\"tool_choice\":{\"type\":"
	    "\"none\",\"disable_parallel_tool_use\":true}}", NULL,
	    "\"max_tokens\":32000," TOOL_OUT ",\"tool_choice\":{\"type\":"
	    "\"none\"}," HI_OUT, "" },
	{ MAN, "{" HI ",\"tool_choice\":{\"type\":\"auto\"}}", NULL,
	    "\"max_tokens\":32000," HI_OUT, "" },
	/* E-A8 */
	{ OLD, "{" HI ",\"max_tokens\":7}", NULL, "\"max_tokens\":7," HI_OUT,
	    "" },
	{ OLD, "{" HI "}", NULL, "\"max_tokens\":8192," HI_OUT, "" },
	/* E-A9 */
	{ OLD, "{" HI ",\"temperature\":1.5,\"top_p\":0.5,\"top_k\":1}",
	    NULL, "\"max_tokens\":8192,\"temperature\":1,\"top_p\":0.5,"
	    "\"top_k\":1," HI_OUT, "clamp:temperature" },
	{ MAN, "{" HI ",\"temperature\":1.0,\"top_p\":0.5}", NULL,
	    "\"max_tokens\":32000,\"temperature\":1.0," HI_OUT,
	    "drop:top_p" },
	{ ADA, "{" HI ",\"temperature\":1,\"top_p\":0.5,\"top_k\":1}", NULL,
	    "\"max_tokens\":32000," HI_OUT,
	    "drop:temperature drop:top_p drop:top_k" },
	{ THIRD, "{" HI ",\"temperature\":0.1,\"top_p\":0.5}", NULL,
	    "\"max_tokens\":32000,\"temperature\":0.1,\"top_p\":0.5," HI_OUT,
	    "" },
	/* E-A10 */
	{ MAN, "{" HI ",\"stop_sequences\":[\" \",\"a\",\"\",\"b\"]}",
	    tweak_losses, "\"max_tokens\":32000,\"stop_sequences\":[\"a\","
	    "\"b\"]," HI_OUT, "drop:frequency_penalty drop:seed "
	    "drop:logprobs drop:logit_bias drop:service_tier drop:stop" },
	{ MAN, "{" HI ",\"stop_sequences\":[\" \"]}", NULL,
	    "\"max_tokens\":32000," HI_OUT, "drop:stop" },
	/* E-A11 */
	{ OLD, "{" HI ",\"thinking\":{\"type\":\"adaptive\"}}", NULL,
	    "\"max_tokens\":8192," HI_OUT, "drop:thinking" },
	{ OLD, "{" HI ",\"thinking\":{\"type\":\"disabled\"}}", NULL,
	    "\"max_tokens\":8192," HI_OUT, "" },
	{ MAN, "{" HI ",\"thinking\":{\"type\":\"disabled\"}}", NULL,
	    "\"max_tokens\":32000,\"thinking\":{\"type\":\"disabled\"},"
	    HI_OUT, "" },
	{ ALW, "{" HI ",\"thinking\":{\"type\":\"disabled\"}}", NULL,
	    "\"max_tokens\":32000,\"output_config\":{\"effort\":\"low\"},"
	    HI_OUT, "clamp:thinking" },
	{ MAN, "{" HI ",\"thinking\":{\"type\":\"enabled\","
	    "\"budget_tokens\":5}}", NULL, "\"max_tokens\":32000,"
	    "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024},"
	    HI_OUT, "" },
	{ MAN, "{" HI ",\"max_tokens\":2003,\"thinking\":{\"type\":"
	    "\"adaptive\"}}", NULL, "\"max_tokens\":2003,\"thinking\":{"
	    "\"type\":\"enabled\",\"budget_tokens\":1502}," HI_OUT, "" },
	{ MAN, "{" HI ",\"max_tokens\":1364,\"thinking\":{\"type\":"
	    "\"enabled\",\"budget_tokens\":1024}}", NULL,
	    "\"max_tokens\":1364," HI_OUT, "drop:thinking" },
	{ MAN, "{" HI ",\"thinking\":{\"type\":\"adaptive\"}}", NULL,
	    "\"max_tokens\":32000,\"thinking\":{\"type\":\"enabled\","
	    "\"budget_tokens\":8192}," HI_OUT, "" },
	{ MAN, "{" HI ",\"thinking\":{\"type\":\"adaptive\"},"
	    "\"output_config\":{\"effort\":\"low\"},\"temperature\":1,"
	    "\"top_k\":4}", NULL, "\"max_tokens\":32000,\"thinking\":{"
	    "\"type\":\"enabled\",\"budget_tokens\":1024}," HI_OUT,
	    "drop:top_k" },
	{ MAN, "{" HI ",\"thinking\":{\"type\":\"adaptive\"},\"tools\":["
	    TOOL "],\"tool_choice\":{\"type\":\"any\"}}", NULL,
	    "\"max_tokens\":32000," TOOL_OUT ",\"tool_choice\":{\"type\":"
	    "\"any\"}," HI_OUT, "drop:thinking" },
	{ ALW, "{" HI ",\"thinking\":{\"type\":\"adaptive\",\"display\":"
	    "\"omitted\"},\"tools\":[" TOOL "],\"tool_choice\":{\"type\":"
	    "\"any\"}}", NULL, "\"max_tokens\":32000,\"thinking\":{\"type\":"
	    "\"adaptive\",\"display\":\"omitted\"}," TOOL_OUT
	    ",\"tool_choice\":{\"type\":\"any\"}," HI_OUT, "" },
	{ DUAL, "{" HI ",\"thinking\":{\"type\":\"adaptive\"},"
	    "\"output_config\":{\"effort\":\"xhigh\"},\"top_p\":0.95,"
	    "\"temperature\":1.0}", NULL, "\"max_tokens\":32000,"
	    "\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
	    "\"output_config\":{\"effort\":\"high\"}," HI_OUT,
	    "drop:top_p" },
	{ DUAL, "{" HI ",\"thinking\":{\"type\":\"adaptive\"},"
	    "\"top_p\":0.95}", NULL, "\"max_tokens\":32000,\"top_p\":0.95,"
	    "\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
	    HI_OUT, "" },
	{ DUAL, "{" HI ",\"thinking\":{\"type\":\"adaptive\"},"
	    "\"top_p\":0.9}", NULL, "\"max_tokens\":32000,"
	    "\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
	    HI_OUT, "drop:top_p" },
	{ ADA, "{" HI ",\"thinking\":{\"type\":\"enabled\","
	    "\"budget_tokens\":30000}}", NULL, "\"max_tokens\":32000,"
	    "\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
	    "\"output_config\":{\"effort\":\"xhigh\"}," HI_OUT, "" },
	{ ADA, "{" HI ",\"thinking\":{\"type\":\"enabled\","
	    "\"budget_tokens\":0}}", NULL, "\"max_tokens\":32000,"
	    "\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
	    HI_OUT, "" },
	{ MAN, "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{"
	    "\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\","
	    "\"thinking\":\"t\",\"signature\":\"QQ==\"},{\"type\":"
	    "\"redacted_thinking\",\"data\":\"d\"},{\"type\":\"tool_use\","
	    "\"id\":\"c\",\"name\":\"f\",\"input\":{}}]},{\"role\":\"user\","
	    "\"content\":[" CALL_RES "}]}],\"tools\":[" TOOL "],\"thinking\":"
	    "{\"type\":\"enabled\",\"budget_tokens\":2000}}", NULL,
	    "\"max_tokens\":32000,\"thinking\":{\"type\":\"enabled\","
	    "\"budget_tokens\":2000}," TOOL_OUT ",\"messages\":[{\"role\":"
	    "\"user\",\"content\":[" T("hi") "]},{\"role\":\"assistant\","
	    "\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\","
	    "\"signature\":\"QQ==\"},{\"type\":\"redacted_thinking\","
	    "\"data\":\"d\"},{\"type\":\"tool_use\",\"id\":\"c\",\"name\":"
	    "\"f\",\"input\":{}}]},{\"role\":\"user\",\"content\":[" CALL_RES
	    "}]}]", "" },
	{ MAN, "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}," CALL
	    ",{\"role\":\"user\",\"content\":[" CALL_RES "}]}],\"tools\":["
	    TOOL "],\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":"
	    "2000},\"temperature\":0.5}", NULL, "\"max_tokens\":32000,"
	    "\"temperature\":0.5," TOOL_OUT ",\"messages\":[{\"role\":"
	    "\"user\",\"content\":[" T("hi") "]}," CALL ",{\"role\":\"user\","
	    "\"content\":[" CALL_RES "}]}]", "drop:thinking" },
	/* E-A12 */
	{ MAN, "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{"
	    "\"role\":\"assistant\",\"content\":\"a \\n\"}]}", NULL,
	    "\"max_tokens\":32000,\"messages\":[{\"role\":\"user\","
	    "\"content\":[" T("hi") "]},{\"role\":\"assistant\",\"content\":["
	    T("a") "]}]", "" },
	{ DUAL, "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{"
	    "\"role\":\"assistant\",\"content\":\"a \"}]}", NULL,
	    "\"max_tokens\":32000,\"messages\":[{\"role\":\"user\","
	    "\"content\":[" T("hi") "]},{\"role\":\"assistant\",\"content\":["
	    T("a ") "]},{\"role\":\"user\",\"content\":[" T("Continue.")
	    "]}]", "repair:prefill" },
	{ MAN, "{\"thinking\":{\"type\":\"adaptive\"},\"messages\":[{"
	    "\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\","
	    "\"content\":\"a\"}]}", NULL, "\"max_tokens\":32000,\"thinking\":"
	    "{\"type\":\"enabled\",\"budget_tokens\":8192},\"messages\":[{"
	    "\"role\":\"user\",\"content\":[" T("hi") "]},{\"role\":"
	    "\"assistant\",\"content\":[" T("a") "]},{\"role\":\"user\","
	    "\"content\":[" T("Continue.") "]}]", "repair:prefill" },
	/* E-A13 */
	{ MAN, "{" HI ",\"output_config\":{\"format\":" SCHEMA "}}", NULL,
	    "\"max_tokens\":32000,\"output_config\":{\"format\":{\"type\":"
	    "\"json_schema\",\"schema\":{\"type\":\"object\",\"properties\":"
	    "{},\"additionalProperties\":false}}}," HI_OUT, "" },
	{ ADA, "{" HI ",\"thinking\":{\"type\":\"adaptive\"},"
	    "\"output_config\":{\"effort\":\"low\",\"format\":" SCHEMA "}}",
	    NULL, "\"max_tokens\":32000,\"thinking\":{\"type\":\"adaptive\","
	    "\"display\":\"summarized\"},\"output_config\":{\"effort\":"
	    "\"low\",\"format\":{\"type\":\"json_schema\",\"schema\":{"
	    "\"type\":\"object\",\"properties\":{},\"additionalProperties\":"
	    "false}}}," HI_OUT, "" },
	{ OLD, "{\"system\":\"S\"," HI ",\"output_config\":{\"format\":"
	    SCHEMA "}}", NULL, "\"max_tokens\":8192,\"system\":[" T("S") ","
	    T("Respond only with JSON that conforms to this JSON Schema, "
	    "without any other text:\\n{\\\"type\\\":\\\"object\\\","
	    "\\\"properties\\\":{}}") "]," HI_OUT, "" },
	{ MAN, "{" HI "}", tweak_json, "\"max_tokens\":32000,\"system\":["
	    T("Respond only with a valid JSON object, without any other "
	    "text.") "]," HI_OUT, "" },
	/* E-A14 */
	{ MAN, "{" HI ",\"metadata\":{\"user_id\":\"u\\n\"},"
	    "\"service_tier\":\"standard_only\",\"stream\":true}", NULL,
	    "\"max_tokens\":32000,\"metadata\":{\"user_id\":\"u\\n\"},"
	    "\"service_tier\":\"standard_only\",\"stream\":true," HI_OUT,
	    "" },
	{ MAN, "{" HI "}", tweak_priority, "\"max_tokens\":32000,"
	    "\"service_tier\":\"auto\"," HI_OUT, "" },
	/* D-O3: what an OpenAI client may say for Claude. */
	{ MAN, "{\"system\":\"S\"," HI ",\"tools\":[" TOOL "]}", tweak_cache,
	    "\"max_tokens\":32000,\"system\":[{\"type\":\"text\",\"text\":"
	    "\"S\",\"cache_control\":{\"s\":1}}],\"tools\":[{\"name\":\"f\","
	    "\"input_schema\":{\"type\":\"object\",\"properties\":{}},"
	    "\"cache_control\":{\"t\":1}}],\"messages\":[{\"role\":\"user\","
	    "\"content\":[{\"type\":\"text\",\"text\":\"hi\","
	    "\"cache_control\":{\"p\":1}}]}]", "" }
};

/* The whole way of a request to an Anthropic backend. */
static int
write_way(struct buf *out, struct msg_request *r, struct msg_target *t,
    const char *body, void (*tweak)(struct msg_request *),
    struct msg_fault *f)
{
	static const struct dialect_call call;
	struct profile p;
	struct names n;

	memset(&n, 0, sizeof n);
	if (anthropic_read_request(r, tree_parse(r->arena, str_of(body)),
	    &call, f) < 0)
		return -1;
	if (tweak != NULL)
		tweak(r);
	t->stream = r->stream;
	profile_of(&p, DIALECT_ANTHROPIC, t->model);
	if (normal_request(r, DIALECT_ANTHROPIC) < 0 ||
	    names_map(&n, r, DIALECT_ANTHROPIC) < 0 ||
	    names_ids(r, DIALECT_ANTHROPIC) < 0)
		return -1;
	return anthropic_write_request(out, r, t, &p, f);
}

static void
check_write(size_t i, struct arena *a, struct buf *out)
{
	struct msg_notes notes = { NULL };
	struct msg_request r;
	struct msg_target t;
	struct msg_fault f;
	struct buf want, n;
	int rc;

	memset(&r, 0, sizeof r);
	memset(&t, 0, sizeof t);
	memset(&f, 0, sizeof f);
	buf_init(&want, 1 << 16);
	buf_init(&n, 1 << 16);
	r.arena = a;
	r.notes = &notes;
	t.dialect = DIALECT_ANTHROPIC;
	t.model = str_of(writes[i].model);
	rc = write_way(out, &r, &t, writes[i].body, writes[i].tweak, &f);
	if (writes[i].out == NULL) {
		T_OK(rc == -1 && strcmp(f.param, writes[i].notes) == 0,
		    "%s: %s: %s", writes[i].body, f.param, f.why);
	} else {
		buf_fmt(&want, "{\"model\":\"%s\",%s}", writes[i].model,
		    writes[i].out);
		show_notes(&n, &notes);
		T_OK(rc == 0, "%s: %s", writes[i].body, f.why);
		T_OK(str_eq(buf_str(out), buf_str(&want)),
		    "%s\n\tis  %s\n\tnot %s", writes[i].body, buf_cstr(out),
		    buf_cstr(&want));
		T_OK(str_is(buf_str(&n), writes[i].notes), "%s: %s",
		    writes[i].body, buf_cstr(&n));
	}
	buf_free(&n);
	buf_free(&want);
}

static void
test_writes(void)
{
	struct arena a;
	struct buf out;
	size_t i;

	arena_init(&a, 1 << 20);
	arena_init(&tweak_arena, 1 << 20);
	buf_init(&out, 1 << 20);
	for (i = 0; i < N(writes); i++) {
		check_write(i, &a, &out);
		buf_clear(&out);
		arena_reset(&a);
	}
	buf_free(&out);
	arena_free(&tweak_arena);
	arena_free(&a);
}

/* The target's own wishes: default limit, caching, only a count. */
static void
test_target(void)
{
	struct msg_notes notes = { NULL };
	struct msg_request r;
	struct msg_target t;
	struct msg_fault f;
	struct arena a;
	struct buf out;
	int count;

	arena_init(&a, 1 << 20);
	buf_init(&out, 1 << 20);
	for (count = 0; count < 2; count++) {
		memset(&r, 0, sizeof r);
		memset(&t, 0, sizeof t);
		memset(&f, 0, sizeof f);
		r.arena = &a;
		r.notes = &notes;
		t.model = str_of(MAN);
		t.max_tokens = 5000;
		t.auto_cache = 1;
		t.count = count != 0;
		T_OK(write_way(&out, &r, &t, "{" HI ",\"temperature\":0.5,"
		    "\"stop_sequences\":[\"a\"],\"metadata\":{\"user_id\":"
		    "\"u\"},\"stream\":true,\"system\":\"S\"}", NULL, &f) ==
		    0, "%s", f.why);
		T_OK(str_is(buf_str(&out), count ? "{\"model\":\"" MAN "\","
		    "\"cache_control\":{\"type\":\"ephemeral\"},"
		    "\"system\":[" T("S") "]," HI_OUT "}" :
		    "{\"model\":\"" MAN "\",\"cache_control\":{\"type\":"
		    "\"ephemeral\"},\"max_tokens\":5000,\"temperature\":0.5,"
		    "\"stop_sequences\":[\"a\"],\"metadata\":{\"user_id\":"
		    "\"u\"},\"stream\":true,\"system\":[" T("S") "]," HI_OUT
		    "}"), "%s", buf_cstr(&out));
		buf_clear(&out);
	}
	buf_free(&out);
	arena_free(&a);
}

/* A history of very many tools must not take very long. */
static void
test_many_names(void)
{
	struct msg_notes notes = { NULL };
	struct buf body, out;
	struct msg_request r;
	struct msg_target t;
	struct msg_fault f;
	struct arena a;
	int i;

	arena_init(&a, (size_t)1 << 30);
	buf_init(&body, 1 << 26);
	buf_init(&out, 1 << 26);
	buf_adds(&body, "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}"
	    ",{\"role\":\"assistant\",\"content\":[");
	for (i = 0; i < 50000; i++)
		buf_fmt(&body, "%s{\"type\":\"tool_use\",\"id\":\"i%d\","
		    "\"name\":\"f%d\",\"input\":{}}", i == 0 ? "" : ",", i,
		    i / 2);
	buf_adds(&body, "]}]}");
	memset(&r, 0, sizeof r);
	memset(&t, 0, sizeof t);
	memset(&f, 0, sizeof f);
	r.arena = &a;
	r.notes = &notes;
	t.model = str_of(MAN);
	T_OK(write_way(&out, &r, &t, buf_cstr(&body), NULL, &f) == 0, "%s",
	    f.why);
	T_OK(json_valid(buf_str(&out), NULL, NULL), "not JSON");
	T_OK(str_casefind(buf_str(&out), str_of("{\"name\":\"f24999\","
	    "\"input_schema\"")) > 0, "the last name is missing");
	buf_free(&out);
	buf_free(&body);
	arena_free(&a);
}

/* Whatever there is no room for: no result, and nobody's fault. */
static void
test_memory(void)
{
	static const char body[] = "{\"system\":[" T("a\\u0041") "],"
	    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
	    "\"d\\u006fcument\",\"title\":\"T\",\"source\":{\"type\":\"text\","
	    "\"data\":\"d\"}},{\"type\":\"search_result\",\"title\":\"T\","
	    "\"content\":[" T("x") "]}]}," CALL ",{\"role\":\"system\","
	    "\"content\":[" T("a") "," T("b") "]},{\"role\":\"assistant\","
	    "\"content\":[{\"type\":\"tool_use\",\"id\":\"\\u0061.b__ts_QUJD\""
	    ",\"name\":\"g\",\"input\":\"{\"}]}],\"tool_choice\":{\"type\":"
	    "\"none\"},\"output_config\":{\"format\":" SCHEMA "},"
	    "\"stop_sequences\":[\" \",\"a\"],\"container\":1,\"thinking\":{"
	    "\"type\":\"adaptive\"},\"temperature\":0.5}";
	struct msg_notes notes;
	struct msg_request r;
	struct msg_target t;
	struct msg_fault f;
	struct arena a;
	struct buf out;
	size_t max;
	int rc;

	buf_init(&out, 1 << 20);
	rc = -1;
	for (max = 0; rc < 0 && max < 100000; max += 8) {
		arena_init(&a, max);
		memset(&r, 0, sizeof r);
		memset(&t, 0, sizeof t);
		memset(&f, 0, sizeof f);
		notes.first = NULL;
		r.arena = &a;
		r.notes = &notes;
		t.model = str_of(OLD);
		if (tree_parse(&a, str_of(body)) != NULL) {
			rc = write_way(&out, &r, &t, body, NULL, &f);
			T_OK(rc == 0 || (a.bad && f.why[0] == '\0'),
			    "%lu: %s", (unsigned long)max, f.why);
			T_OK(rc < 0 || json_valid(buf_str(&out), NULL, NULL),
			    "%s", buf_cstr(&out));
		}
		buf_clear(&out);
		arena_free(&a);
	}
	T_OK(rc == 0 && max > 3000, "%lu", (unsigned long)max);
	buf_free(&out);
}

/* ---- cleaning ---- */

#define MSGS(x) "{ \"a\" : 1.0,\"messages\":[" x "] }"
#define SAYS(x) "{\"role\":\"assistant\",\"content\":[" x "]}"
#define OURS "{\"type\":\"thinking\",\"thinking\":\"g\"," \
	"\"signature\":\"xl1.g\"}"
#define BARE "{ \"type\" : \"thinking\" , \"thinking\":\"g\"}"
#define REAL "{\"type\":\"thinking\",\"thinking\":\"g\"," \
	"\"signature\":\"QQ==\"}"
#define HEARS(x) "{\"role\":\"user\",\"content\":[" x "]}"
#define ON "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000}"
#define OFF "\"thinking\":{\"type\":\"disabled\"}"
#define USE(id) "{\"type\":\"tool_use\",\"id\":\"" id "\"}"
#define GOT(id) "{\"type\":\"tool_result\",\"tool_use_id\":\"" id "\"}"

static const struct {
	const char *in, *out;	/* out NULL: nothing to do */
} cleans[] = {
	{ "", NULL },
	{ "{", NULL },
	{ "\"thinking\"", NULL },
	{ "{\"messages\":[],\"thinking\":{\"type\":\"enabled\"}}", NULL },
	{ "{\"thinking\" : 1,\"messages\":[{\"content\":[" OURS "]}]}",
	    "{\"thinking\" : 1,\"messages\":[]}" },
	{ "{\"tool_use\":1}", NULL },
	{ "{\"messages\":{\"tool_use\":1}}", NULL },
	{ "{\"messages\":[{\"content\":\"tool_use \\\"thinking\\\"\"},7,{}]}",
	    NULL },
	{ MSGS(SAYS(REAL)), NULL },
	{ MSGS(SAYS(USE("a-b_C9"))), NULL },
	{ MSGS(SAYS("{\"type\":\"tool_use\"},{\"type\":\"tool_use\",\"id\":"
	    "7}")), NULL },
	{ MSGS(SAYS(OURS "," T("x"))), MSGS(SAYS(T("x"))) },
	{ MSGS(SAYS(T("x") " , " BARE)), MSGS(SAYS(T("x"))) },
	{ MSGS(SAYS(T("x") "," OURS "," BARE " , " T("y"))),
	    MSGS(SAYS(T("x") " , " T("y"))) },
	{ MSGS(SAYS(OURS "," REAL "," BARE)), MSGS(SAYS(REAL)) },
	{ MSGS(SAYS(OURS) "," SAYS(T("x"))), MSGS(SAYS(T("x"))) },
	{ MSGS(SAYS(T("x")) "," SAYS(OURS "," BARE)), MSGS(SAYS(T("x"))) },
	{ MSGS(SAYS(OURS) "," SAYS(BARE)), MSGS("") },
	{ MSGS(SAYS("") "," SAYS(BARE)), MSGS(SAYS("")) },
	{ MSGS(SAYS(USE("a__ts_QUJD")) "," SAYS(GOT("a__ts_QUJD"))),
	    MSGS(SAYS(USE("a")) "," SAYS(GOT("a"))) },
	{ MSGS(SAYS(USE("a__ts_")) "," SAYS(GOT("a__ts_QUJ"))), NULL },
	{ MSGS(SAYS(USE("a.b") "," USE("\\u0061"))),
	    MSGS(SAYS(USE("a_b_108bf50c") "," USE("\\u0061"))) },
	{ MSGS(SAYS(OURS "," USE("a__ts_QUJD") "," BARE)),
	    MSGS(SAYS(USE("a"))) },
	/* manual thinking, in the midst of a loop that another began */
	{ "{" ON ",\"messages\":[" SAYS(OURS "," USE("a")) ","
	    HEARS(GOT("a")) "]}", "{" OFF ",\"messages\":[" SAYS(USE("a"))
	    "," HEARS(GOT("a")) "]}" },
	{ "{\"messages\":[" SAYS(OURS "," USE("a")) "," HEARS(GOT("a"))
	    "]," ON "}", "{\"messages\":[" SAYS(USE("a")) ","
	    HEARS(GOT("a")) "]," OFF "}" },
	{ "{" ON ",\"messages\":[" SAYS(OURS "," REAL "," USE("a")) ","
	    HEARS(GOT("a")) "]}", "{" ON ",\"messages\":[" SAYS(REAL ","
	    USE("a")) "," HEARS(GOT("a")) "]}" },
	{ "{" ON ",\"messages\":[" SAYS(OURS "," USE("a")) ","
	    HEARS(GOT("a")) "," SAYS(T("b")) "," HEARS(T("c")) "]}",
	    "{" ON ",\"messages\":[" SAYS(USE("a")) "," HEARS(GOT("a")) ","
	    SAYS(T("b")) "," HEARS(T("c")) "]}" },
	{ "{" ON ",\"messages\":[" SAYS(USE("call_1")) ","
	    HEARS(GOT("call_1")) "]}", "{" OFF ",\"messages\":["
	    SAYS(USE("call_1")) "," HEARS(GOT("call_1")) "]}" },
	{ "{" ON ",\"messages\":[" SAYS(REAL "," USE("call_1")) ","
	    HEARS(GOT("call_1")) "]}", NULL },
	{ "{" ON ",\"messages\":[" SAYS(REAL "," USE("toolu_1")) ","
	    HEARS(GOT("toolu_1")) "," SAYS(USE("toolu_2")) ","
	    HEARS(GOT("toolu_2")) "]}", NULL },
	{ "{\"messages\":[" SAYS(OURS) "],\"messages\":[" SAYS(BARE ","
	    T("x")) "]}", "{\"messages\":[" SAYS(OURS) "],\"messages\":["
	    SAYS(T("x")) "]}" }
};

static void
test_cleans(void)
{
	struct arena a;
	struct buf out;
	size_t i;
	int rc;

	arena_init(&a, 1 << 20);
	buf_init(&out, 1 << 20);
	for (i = 0; i < N(cleans); i++) {
		const char *in = cleans[i].in, *want = cleans[i].out;

		rc = anthropic_clean(&out, &a, str_of(in),
		    str_of("vendor/Claude-opus-5"));
		T_OK(rc == (want != NULL), "%s: %d", in, rc);
		T_OK(str_is(buf_str(&out), want == NULL ? "" : want),
		    "%s: %s", in, buf_cstr(&out));
		buf_clear(&out);
		arena_reset(&a);
	}
	/* Others than Claude sign as they like, and think as they like. */
	T_OK(anthropic_clean(&out, &a, str_of(MSGS(SAYS(BARE))),
	    str_of("glm-5")) == 0, "unsigned");
	T_OK(anthropic_clean(&out, &a, str_of("{" ON ",\"messages\":["
	    SAYS(OURS "," USE("a")) "," HEARS(GOT("a")) "]}"),
	    str_of("glm-5")) == 1 && str_is(buf_str(&out), "{" ON
	    ",\"messages\":[" SAYS(USE("a")) "," HEARS(GOT("a")) "]}"),
	    "thinking stays on");
	buf_clear(&out);
	/* What was cleaned is clean. */
	T_OK(anthropic_clean(&out, &a, str_of(MSGS(SAYS(USE("a_b_108bf50c")))),
	    str_of("claude-x")) == 0, "not the same twice");
	arena_free(&a);
	arena_init(&a, 64);
	T_OK(anthropic_clean(&out, &a, str_of(MSGS(SAYS(OURS))),
	    str_of("claude-x")) == -1, "memory");
	arena_free(&a);
	buf_free(&out);
}

int
main(void)
{
	test_reads();
	test_writes();
	test_target();
	test_many_names();
	test_memory();
	test_cleans();
	return t_end();
}
