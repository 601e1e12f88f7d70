/* Requests of the Responses API, each told in one line. */

#include "dialect/responses_request.h"

#include <string.h>

#include "tests/t.h"

#define ROOM ((size_t)1 << 24)

static void
say(struct buf *b, const char *label, struct str s)
{
	if (s.p == NULL)
		return;
	buf_adds(b, label);
	buf_addstr(b, s);
}

static void
say_parts(struct buf *b, const struct msg_part *p)
{
	static const char *const kinds[] = {
		"text", "image", "doc", "audio", "call", "result", "think",
		"redacted", "refusal"
	};
	const char *sep = "";

	buf_addc(b, '[');
	for (; p != NULL; p = p->next) {
		buf_adds(b, sep);
		buf_adds(b, kinds[p->kind]);
		if (p->custom)
			buf_addc(b, '*');
		say(b, " ", p->text);
		say(b, " id=", p->id);
		say(b, " name=", p->name);
		say(b, " args=", p->args);
		say(b, " sig=", p->signature);
		say(b, " type=", p->type);
		say(b, " data=", p->data);
		say(b, " url=", p->url);
		say(b, " title=", p->title);
		if (p->kind == MSG_RESULT)
			say_parts(b, p->parts);
		sep = "; ";
	}
	buf_addc(b, ']');
}

static void
say_tools(struct buf *b, const struct msg_request *r)
{
	static const char *const choices[] = {
		"", "auto", "any", "tool", "none"
	};
	const struct msg_tool *t;

	for (t = r->tools; t != NULL; t = t->next) {
		buf_adds(b, t->custom ? " custom " : " tool ");
		buf_addstr(b, t->name);
		say(b, ":", t->description);
		if (t->schema != NULL)
			say(b, " ", t->schema->raw);
		if (t->format != NULL)
			say(b, " ", t->format->raw);
	}
	if (r->choice != MSG_CHOICE_UNSET)
		say(b, " choice=", str_of(choices[r->choice]));
	say(b, " ", r->choice_name);
}

static void
say_rest(struct buf *b, const struct msg_request *r)
{
	static const char *const tiers[] = { "", "standard", "priority",
		"flex" };
	static const char *const formats[] = { "", "json", "schema" };
	const struct msg_string *s;

	if (r->thinking != MSG_THINK_UNSET)
		buf_fmt(b, " think=%d effort=%s%s", (int)r->thinking,
		    msg_effort_name(r->effort), r->thoughts ? " shown" : "");
	if (r->format != MSG_FORMAT_TEXT)
		say(b, " format=", str_of(formats[r->format]));
	say(b, " ", r->schema_name);
	if (r->schema != NULL)
		say(b, " ", r->schema->raw);
	say(b, " max=", r->max_tokens);
	say(b, " temp=", r->temperature);
	say(b, " top_p=", r->top_p);
	say(b, " user=", r->user);
	if (r->tier != MSG_TIER_UNSET)
		say(b, " tier=", str_of(tiers[r->tier]));
	if (r->stream)
		buf_adds(b, " stream");
	if (r->parallel_off)
		buf_adds(b, " serial");
	for (s = r->notes->first; s != NULL; s = s->next)
		say(b, " !", s->s);
}

static void
say_request(struct buf *b, const struct msg_request *r)
{
	const struct msg_turn *t;

	say(b, "", r->model);
	if (r->system != NULL) {
		buf_adds(b, " system");
		say_parts(b, r->system);
	}
	for (t = r->turns; t != NULL; t = t->next) {
		buf_adds(b, t->role == MSG_USER ? " U" :
		    t->role == MSG_ASSISTANT ? " A" : " S");
		say_parts(b, t->parts);
	}
	say_tools(b, r);
	say_rest(b, r);
}

static int
read_body(struct arena *a, struct msg_request *r, struct msg_notes *notes,
    struct msg_fault *f, const char *body)
{
	struct dialect_call call;

	memset(r, 0, sizeof *r);
	memset(notes, 0, sizeof *notes);
	memset(f, 0, sizeof *f);
	memset(&call, 0, sizeof call);
	call.dialect = DIALECT_OPENAI;
	call.op = OP_RESPONSES;
	r->arena = a;
	r->notes = notes;
	return responses_read_request(r, tree_parse(a, str_of(body)), &call,
	    f);
}

#define IN(items) "{\"input\":[" items "]}"
#define FUNCTION "{\"type\":\"function\",\"name\":\"f\"}"
#define USER "{\"role\":\"user\",\"content\":\"u\"}"
#define SAY(text) "{\"type\":\"message\",\"role\":\"assistant\"," \
	"\"content\":[{\"type\":\"output_text\",\"text\":\"" text "\"}]}"
#define CALL(id) "{\"type\":\"function_call\",\"call_id\":\"" id "\"," \
	"\"name\":\"f\",\"arguments\":\"{}\"}"
#define OUT(id, text) "{\"type\":\"function_call_output\"," \
	"\"call_id\":\"" id "\",\"output\":" text "}"
/* The envelopes of thinking with signature U0c=, and of redacted data R. */
#define THOUGHT "\"encrypted_content\":\"eGwxLmEudC5VMGM9\""
#define HIDDEN "\"encrypted_content\":\"eGwxLmEuci5S\""

static const struct {
	const char *body, *want;
} good[] = {
	/* texts and roles */
	{ "{\"model\":\"m\",\"input\":\"a\\nb\"}", "m U[text a\\nb]" },
	{ "{\"model\":\"m\",\"input\":[],\"instructions\":\"I\"}",
	    "m system[text I]" },
	{ "{\"instructions\":\" \",\"input\":\"x\",\"tools\":null,"
	    "\"previous_response_id\":null,\"prompt\":null,"
	    "\"background\":false,\"conversation\":\"\"}", " U[text x]" },
	{ "{\"instructions\":\"I\",\"input\":["
	    "{\"role\":\"developer\",\"content\":[{\"type\":\"input_text\","
	    "\"text\":\"D\"},{\"type\":\"input_text\",\"text\":\"\"},"
	    "{\"type\":\"input_text\",\"text\":\"E\"}]},"
	    "{\"type\":\"message\",\"role\":\"system\",\"content\":\"S\"},"
	    USER ",{\"role\":\"developer\",\"content\":[{\"type\":"
	    "\"input_text\",\"text\":\"P\"},{\"type\":\"input_text\","
	    "\"text\":\"Q\"}]}]}",
	    " system[text I; text D; text E; text S] U[text u]"
	    " S[text P\\n\\nQ]" },
	{ IN(USER ",{\"role\":\"system\",\"content\":\"  \"}"),
	    " U[text u]" },
	{ IN(USER "," SAY("a") "," USER), " U[text u] A[text a] U[text u]" },
	{ IN("{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\","
	    "\"refusal\":\"no\"},{\"type\":\"output_text\",\"text\":\"t\","
	    "\"annotations\":[]}]}"), " A[text no; text t]" },
	/* calls, outputs, and what shares a message with them */
	{ IN(USER "," CALL("c1") "," CALL("c2") "," OUT("c1", "\"1\"") ","
	    OUT("c2", "[{\"type\":\"input_text\",\"text\":\"2\"}]")),
	    " U[text u] A[call id=c1 name=f args={}; call id=c2 name=f "
	    "args={}] U[result id=c1[text 1]] U[result id=c2[text 2]]" },
	{ IN(CALL("c1") "," SAY("a") "," SAY("b") "," CALL("c2")),
	    " A[text a; call id=c1 name=f args={}]"
	    " A[text b; call id=c2 name=f args={}]" },
	{ IN(CALL("k__ts_VVE9PQ") "," OUT("k__ts_VVE9PQ", "null")),
	    " A[call id=k name=f args={} sig=UQ==] U[result id=k[]]" },
	{ IN("{\"type\":\"function_call\",\"id\":\"fc_1\",\"name\":\"f\","
	    "\"arguments\":\"{bad\"}"), " A[call id=fc_1 name=f "
	    "args={\"_raw\":\"{bad\"}] !repair:tool_arguments" },
	{ IN("{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\","
	    "\"arguments\":\"{\\\"a\\\":[1,\\\"\\u00e9\\\"]}\"}"),
	    " A[call id=c name=f args={\"a\":[1,\"\xc3\xa9\"]}]" },
	{ IN("{\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":"
	    "\"apply_patch\",\"input\":\"*** \\\"X\\\"\\n\"},"
	    "{\"type\":\"custom_tool_call_output\",\"call_id\":\"c\","
	    "\"output\":\"done\"}"), " A[call* id=c name=apply_patch "
	    "args={\"input\":\"*** \\\"X\\\"\\n\"}]"
	    " U[result* id=c[text done]]" },
	{ IN(OUT("c", "{\"a\": 1}")), " U[result id=c[text {\\\"a\\\":1}]]" },
	{ IN(OUT("c", "[{\"type\":\"input_image\",\"image_url\":"
	    "\"data:image/png;base64,AA==\"}]")),
	    " U[result id=c[image type=image/png data=AA==]]" },
	/* reasoning */
	{ IN("{\"type\":\"reasoning\",\"id\":\"r\",\"summary\":[{\"type\":"
	    "\"summary_text\",\"text\":\"p\"},{\"type\":\"summary_text\","
	    "\"text\":\"q\"}],\"content\":null," THOUGHT "}," CALL("c")),
	    " A[think p\\n\\nq sig=U0c=; call id=c name=f args={}]" },
	{ IN("{\"type\":\"reasoning\",\"summary\":[]," HIDDEN "}," SAY("a")
	    ",{\"type\":\"reasoning\",\"summary\":[]," THOUGHT "},"
	    CALL("c")), " A[redacted data=R; text a]"
	    " A[think  sig=U0c=; call id=c name=f args={}]" },
	{ IN("{\"type\":\"reasoning\",\"summary\":[{\"text\":\"x\"}],"
	    "\"encrypted_content\":\"gAAAA\"}," SAY("a")), " A[text a]" },
	{ IN("{\"type\":\"reasoning\",\"summary\":[]}," USER),
	    " U[text u]" },
	/* what is not known */
	{ IN(USER ",{\"type\":\"local_shell_call\",\"call_id\":\"c\"},"
	    "{\"type\":\"local_shell_call_output\",\"id\":\"c\"},"
	    "{\"type\":\"additional_tools\",\"role\":\"developer\","
	    "\"tools\":[]}"), " U[text u] !drop:input.local_shell_call"
	    " !drop:input.local_shell_call_output"
	    " !drop:input.additional_tools" },
	/* media */
	{ IN("{\"role\":\"user\",\"content\":[{\"type\":\"input_image\","
	    "\"image_url\":\"https:\\/\\/e.org\\/a.png\",\"detail\":"
	    "\"high\"},{\"type\":\"input_image\",\"image_url\":"
	    "\"data:image/JPG;base64,AA==\"},{\"type\":\"input_image\","
	    "\"image_url\":\"data:application/pdf;base64,AA==\"}]}"),
	    " U[image url=https:\\/\\/e.org\\/a.png; image type=image/jpeg "
	    "data=AA==; doc type=application/pdf data=AA==]" },
	{ IN("{\"role\":\"user\",\"content\":[{\"type\":\"input_file\","
	    "\"filename\":\"a.pdf\",\"file_data\":"
	    "\"data:application/pdf;base64,AA==\"},{\"type\":\"input_file\","
	    "\"filename\":\"n\",\"file_data\":"
	    "\"data:text/plain;base64,aGkiCg==\"},{\"type\":\"input_file\","
	    "\"filename\":\"\",\"file_data\":\"data:image/png;base64,AA==\"}"
	    "]}"), " U[doc type=application/pdf data=AA== title=a.pdf; text "
	    "<document title=\\\"n\\\">\\nhi\\\"\\n\\n</document>; image "
	    "type=image/png data=AA==]" },
	{ IN("{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\","
	    "\"input_audio\":{\"data\":\"AA==\",\"format\":\"mp3\"}},"
	    "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"BB==\","
	    "\"format\":\"wav\"}}]}"), " U[audio type=audio/mp3 data=AA==; "
	    "audio type=audio/wav data=BB==]" },
	/* tools */
	{ "{\"input\":\"x\",\"tools\":[{\"type\":\"function\",\"name\":\"f\","
	    "\"description\":\"d\\n\",\"strict\":true,\"parameters\":"
	    "{\"type\":\"object\"}},{\"type\":\"custom\",\"name\":\"p\","
	    "\"description\":\"e\",\"format\":{\"type\":\"grammar\","
	    "\"syntax\":\"lark\",\"definition\":\"start: x\"}},"
	    "{\"type\":\"custom\",\"name\":\"q\",\"format\":{\"type\":"
	    "\"text\"}},{\"type\":\"local_shell\"},{\"type\":\"web_search\"},"
	    "{\"type\":\"namespace\",\"name\":\"n\",\"tools\":[]}],"
	    "\"tool_choice\":\"required\",\"parallel_tool_calls\":false}",
	    " U[text x] tool f:d\\n {\"type\":\"object\"} custom p:e "
	    "{\"type\":\"grammar\",\"grammar\":{\"syntax\":\"lark\","
	    "\"definition\":\"start: x\"}} custom q choice=any serial "
	    "!drop:tool.local_shell !drop:tool.web_search "
	    "!drop:tool.namespace" },
	{ "{\"input\":\"x\",\"tools\":[{\"type\":\"web_search\"}],"
	    "\"tool_choice\":\"auto\",\"parallel_tool_calls\":false}",
	    " U[text x] !drop:tool.web_search" },
	{ "{\"input\":\"x\",\"tools\":[" FUNCTION "],\"tool_choice\":"
	    "{\"type\":\"function\",\"name\":\"f\"}}",
	    " U[text x] tool f choice=tool f" },
	{ "{\"input\":\"x\",\"tools\":[" FUNCTION ",{\"type\":\"custom\","
	    "\"name\":\"p\"},{\"type\":\"function\",\"name\":\"g\"}],"
	    "\"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":"
	    "\"required\",\"tools\":[{\"type\":\"custom\",\"name\":\"p\"},"
	    "{\"type\":\"mcp\"},{\"type\":\"function\",\"name\":\"g\"}]}}",
	    " U[text x] custom p tool g choice=any" },
	{ "{\"input\":\"x\",\"tools\":[" FUNCTION "],\"tool_choice\":"
	    "{\"type\":\"allowed_tools\",\"mode\":\"auto\",\"tools\":"
	    "[{\"type\":\"function\",\"name\":\"ff\"},{}]}}", " U[text x]" },
	{ "{\"input\":\"x\",\"tools\":[" FUNCTION "],\"tool_choice\":"
	    "\"none\"}", " U[text x] tool f choice=none" },
	/* the rest */
	{ "{\"model\":\"m\",\"input\":\"x\",\"max_output_tokens\":12,"
	    "\"temperature\":1.0,\"top_p\":5e-1,\"user\":\"u\","
	    "\"service_tier\":\"default\",\"stream\":true,"
	    "\"store\":false,\"include\":[\"reasoning.encrypted_content\"],"
	    "\"prompt_cache_key\":\"k\",\"client_metadata\":{},"
	    "\"text\":{\"verbosity\":\"low\"},\"reasoning\":"
	    "{\"effort\":\"high\",\"summary\":\"auto\"}}",
	    "m U[text x] think=3 effort=high shown max=12 temp=1.0 "
	    "top_p=5e-1 user=u tier=standard stream" },
	{ "{\"input\":\"x\",\"reasoning\":{\"effort\":\"none\"},"
	    "\"service_tier\":\"fast\",\"user\":\"u\","
	    "\"safety_identifier\":\"s\",\"text\":{\"format\":{\"type\":"
	    "\"json_object\"}}}",
	    " U[text x] think=1 effort=none format=json user=s "
	    "tier=priority" },
	{ "{\"input\":\"x\",\"reasoning\":{\"summary\":\"auto\"},"
	    "\"service_tier\":\"auto\",\"text\":{\"format\":{\"type\":"
	    "\"json_schema\",\"name\":\"o\",\"schema\":{\"type\":"
	    "\"object\"}}}}",
	    " U[text x] format=schema o {\"type\":\"object\"}" },
	{ "{\"input\":\"x\",\"text\":{\"format\":{\"type\":\"text\"}},"
	    "\"service_tier\":\"flex\"}", " U[text x] tier=flex" }
};

#define PART(part) IN("{\"role\":\"user\",\"content\":[" part "]}")

static const struct {
	const char *body, *param;
} bad[] = {
	{ "[]", "" },
	{ "{}", "input" },
	{ "{\"input\":null}", "input" },
	{ "{\"input\":3}", "input" },
	{ "{\"input\":\"x\",\"previous_response_id\":\"r\"}",
	    "previous_response_id" },
	{ "{\"input\":\"x\",\"conversation\":{\"id\":\"c\"}}",
	    "conversation" },
	{ "{\"input\":\"x\",\"prompt\":{\"id\":\"c\"}}", "prompt" },
	{ "{\"input\":\"x\",\"background\":true}", "background" },
	{ IN("{\"type\":\"item_reference\",\"id\":\"i\"}"), "input" },
	{ IN("3"), "input" },
	{ IN("{}"), "input" },
	{ IN("{\"type\":7}"), "input" },
	{ IN("{\"role\":\"tool\",\"content\":\"x\"}"), "input" },
	{ IN("{\"role\":\"user\",\"content\":{}}"), "input" },
	{ IN("{\"role\":\"assistant\",\"content\":[{\"type\":"
	    "\"input_image\",\"image_url\":\"http://e\"}]}"), "input" },
	{ IN("{\"role\":\"system\",\"content\":[{\"type\":"
	    "\"input_image\",\"image_url\":\"http://e\"}]}"), "input" },
	{ PART("{\"type\":\"input_image\",\"file_id\":\"f\"}"), "input" },
	{ PART("{\"type\":\"input_image\",\"image_url\":\"ftp://e\"}"),
	    "input" },
	{ PART("{\"type\":\"input_image\",\"image_url\":\"data:image/png,"
	    "a\"}"), "input" },
	{ PART("{\"type\":\"input_image\",\"image_url\":"
	    "\"data:text/plain;base64,AA==\"}"), "input" },
	{ PART("{\"type\":\"input_file\",\"file_id\":\"f\"}"), "input" },
	{ PART("{\"type\":\"input_file\",\"file_url\":\"http://e\"}"),
	    "input" },
	{ PART("{\"type\":\"input_file\",\"file_data\":"
	    "\"data:application/zip;base64,AA==\"}"), "input" },
	{ PART("{\"type\":\"input_file\",\"file_data\":"
	    "\"data:text/plain;base64,A\"}"), "input" },
	{ PART("{\"type\":\"input_audio\"}"), "input" },
	{ PART("{\"type\":\"input_video\"}"), "input" },
	{ IN("{\"type\":\"function_call\",\"name\":\"f\"}"), "input" },
	{ IN("{\"type\":\"function_call\",\"call_id\":\"c\"}"), "input" },
	{ IN("{\"type\":\"function_call_output\",\"output\":\"x\"}"),
	    "input" },
	{ "{\"input\":\"x\",\"tools\":{}}", "tools" },
	{ "{\"input\":\"x\",\"tools\":[{\"type\":\"function\"}]}", "tools" },
	{ "{\"input\":\"x\",\"tool_choice\":\"any\"}", "tool_choice" },
	{ "{\"input\":\"x\",\"tool_choice\":{\"type\":\"web_search\"}}",
	    "tool_choice" },
	{ "{\"input\":\"x\",\"tool_choice\":{\"type\":\"allowed_tools\"}}",
	    "tool_choice" },
	{ "{\"input\":\"x\",\"text\":{\"format\":{\"type\":\"grammar\"}}}",
	    "text.format" },
	{ "{\"input\":\"x\",\"text\":{\"format\":{\"type\":"
	    "\"json_schema\"}}}", "text.format" }
};

static void
test_good(void)
{
	struct msg_request r;
	struct msg_notes notes;
	struct msg_fault f;
	struct arena a;
	struct buf b;
	size_t i;
	int rc;

	buf_init(&b, ROOM);
	arena_init(&a, ROOM);
	for (i = 0; i < sizeof good / sizeof good[0]; i++) {
		arena_reset(&a);
		buf_clear(&b);
		rc = read_body(&a, &r, &notes, &f, good[i].body);
		T_OK(rc == 0, "%s: %s", good[i].body, f.why);
		if (rc == -1)
			continue;
		say_request(&b, &r);
		T_OK(str_is(buf_str(&b), good[i].want), "%s:\n  %s\nnot\n  %s",
		    good[i].body, buf_cstr(&b), good[i].want);
		T_OK(r.budget == -1, "%s", good[i].body);
	}
	arena_free(&a);
	buf_free(&b);
}

static void
test_bad(void)
{
	struct msg_request r;
	struct msg_notes notes;
	struct msg_fault f;
	struct arena a;
	size_t i;
	int rc;

	arena_init(&a, ROOM);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		arena_reset(&a);
		rc = read_body(&a, &r, &notes, &f, bad[i].body);
		T_OK(rc == -1, "%s", bad[i].body);
		T_OK(f.why[0] != '\0', "%s", bad[i].body);
		T_OK(strcmp(f.param, bad[i].param) == 0, "%s: %s",
		    bad[i].body, f.param);
	}
	arena_free(&a);
}

/* With less and less memory: an error each time, never a wrong answer. */
static void
test_memory(void)
{
	struct msg_request r;
	struct msg_notes notes;
	struct msg_fault f;
	struct arena a;
	size_t i, room;
	int rc;

	for (i = 0; i < sizeof good / sizeof good[0]; i++)
		for (room = 0; room < 6000; room += 97) {
			arena_init(&a, room);
			rc = read_body(&a, &r, &notes, &f, good[i].body);
			T_OK(rc == -1 || !a.bad, "%s: %u", good[i].body,
			    (unsigned)room);
			arena_free(&a);
		}
}

/* A long history must not cost more than its length. */
static void
test_long(void)
{
	const unsigned items = 100000;
	struct msg_request r;
	struct msg_notes notes;
	struct msg_fault f;
	struct msg_turn *t;
	struct arena a;
	struct buf b;
	unsigned i, n = 0;

	buf_init(&b, ROOM);
	arena_init(&a, (size_t)1 << 28);
	buf_adds(&b, "{\"input\":[");
	for (i = 0; i < items; i++)
		buf_adds(&b, i == 0 ? USER : "," USER);
	buf_adds(&b, "]}");
	T_OK(read_body(&a, &r, &notes, &f, buf_cstr(&b)) == 0, "%s", f.why);
	for (t = r.turns; t != NULL; t = t->next)
		n++;
	T_OK(n == items, "%u", n);
	arena_free(&a);
	buf_free(&b);
}

int
main(void)
{
	test_good();
	test_bad();
	test_memory();
	test_long();
	return t_end();
}
