/* In the tables ' stands for ". */

#include <stdio.h>
#include <string.h>

#include "dialect/gemini_request.h"
#include "dialect/names.h"
#include "dialect/normal.h"
#include "json.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])

static struct str
quoted(struct arena *a, const char *s)
{
	size_t n = strlen(s), i;
	char *p = arena_alloc(a, n + 1);

	for (i = 0; p != NULL && i < n; i++)
		p[i] = s[i] == '\'' ? '"' : s[i];
	return str_n(p, n);
}

/* ---- what was read, in few letters ---- */

static void
show_str(struct buf *b, const char *before, struct str s)
{
	size_t i;

	if (s.p == NULL)
		return;
	buf_adds(b, before);
	for (i = 0; i < s.n; i++)
		buf_addc(b, s.p[i] == '"' ? '\'' : s.p[i]);
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
		if (part->thought)
			buf_adds(b, " raw");
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
	static const char *const tiers[] = {
		"", " standard", " priority", " flex"
	};
	const struct msg_string *s;

	if (r->choice != MSG_CHOICE_UNSET) {
		show_str(b, " choice=", str_of(choices[r->choice]));
		show_str(b, ":", r->choice_name);
	}
	show_str(b, " max=", r->max_tokens);
	show_str(b, " temp=", r->temperature);
	show_str(b, " top_p=", r->top_p);
	show_str(b, " top_k=", r->top_k);
	show_str(b, " pres=", r->presence_penalty);
	show_str(b, " freq=", r->frequency_penalty);
	show_str(b, " seed=", r->seed);
	show_str(b, " n=", r->n);
	if (r->logprobs)
		buf_adds(b, " logprobs");
	show_str(b, " top=", r->top_logprobs);
	for (s = r->stops; s != NULL; s = s->next)
		show_str(b, " stop=", s->s);
	if (r->thinking != MSG_THINK_UNSET)
		show_str(b, " think=", str_of(thinking[r->thinking]));
	if (r->budget >= 0)
		buf_fmt(b, " budget=%ld", (long)r->budget);
	if (r->effort != MSG_EFFORT_UNSET)
		show_str(b, " effort=", str_of(msg_effort_name(r->effort)));
	if (r->thoughts)
		buf_adds(b, " shown");
	if (r->thoughts_off)
		buf_adds(b, " hidden");
	if (r->format == MSG_FORMAT_JSON)
		buf_adds(b, " json");
	if (r->format == MSG_FORMAT_SCHEMA)
		show_str(b, " schema=", r->schema->raw);
	buf_adds(b, tiers[r->tier]);
}

static void
show_request(struct buf *b, const struct msg_request *r)
{
	static const char *const roles[] = { "user", "model", "system" };
	const struct msg_turn *turn;
	const struct msg_tool *tool;

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

#define USER(x) "{'contents':[{'role':'user','parts':[" x "]}]}"
#define MODEL(x) "{'contents':[{'role':'model','parts':[" x "]}]}"
#define WITH(x) "{'contents':[]," x "}"
#define CONFIG(x) "{'contents':[],'generationConfig':{" x "}}"
#define BLOB(t, d) "{'inlineData':{'mimeType':'" t "','data':'" d "'}}"
#define FILE_AT(t, u) "{'fileData':{'mimeType':'" t "','fileUri':'" u "'}}"
#define CALL(x) "{'functionCall':{" x "}}"
#define RESPONSE(x) "{'functionResponse':{" x "}}"
#define STORE "https://generativelanguage.googleapis.com/v1beta/files/x"

static const struct {
	const char *body;
	const char *request;	/* NULL: refused */
	const char *notes;	/* or what the refusal names */
} reads[] = {
	/* D-G1 */
	{ "{}", NULL, "contents" },
	{ "[]", NULL, "contents" },
	{ "{'contents':null}", NULL, "contents" },
	{ "{'contents':'x'}", NULL, "contents" },
	{ "{'contents':['x']}", NULL, "contents" },
	{ "{'contents':[]}", "", "" },
	{ "{'contents':{'parts':[{'text':'a\\nb'}]}}",
	    " user{text a\\nb}", "" },
	{ "{'contents':[{'role':'function','parts':{'text':'a'}},"
	    "{'role':'model'},{'role':'system','parts':[]}]}",
	    " user{text a} model{} user{}", "" },
	{ USER("'x'"), NULL, "contents" },
	{ WITH("'systemInstruction':'S'"), " [text S]", "" },
	{ WITH("'systemInstruction':' '"), "", "" },
	{ WITH("'systemInstruction':{'role':'system','parts':[{'text':'a'},"
	    "{'text':' \\n'},{'text':'b'},{'inlineData':{}}]}"),
	    " [text a; text b]", "" },
	{ WITH("'system_instruction':{'parts':{'text':'a'}}"), " [text a]",
	    "" },
	{ WITH("'systemInstruction':[{'text':'a'},'b']"),
	    " [text a; text b]", "" },
	{ WITH("'systemInstruction':null,'system_instruction':'x'"),
	    " [text x]", "" },
	/* D-G2: texts and thoughts */
	{ USER("{'text':''},{'text':' '},{'text':'x','thoughtSignature':"
	    "'QQ=='}"), " user{text  ; text x}", "" },
	{ MODEL("{'text':'t','thought':true},{'text':'','thought':true,"
	    "'thoughtSignature':'a\\/b'},{'thought':true,"
	    "'thought_signature':'c'},{'text':'x','thought':false}"),
	    " model{think raw t; think raw  sig=a/b; think raw  sig=c; "
	    "text x}", "" },
	{ USER("{'text':'t','thought':true}"), " user{}", "" },
	/* calls */
	{ MODEL("{'functionCall':{'id':'a__ts_QUJD','name':'f','args':"
	    "{ 'x':1.0 }}}"),
	    " model{call id=a name=f args={ 'x':1.0 } sig=ABC}", "" },
	{ MODEL("{'functionCall':{'id':'a__ts_QUJD','name':'f'},"
	    "'thoughtSignature':'S'},{'function_call':{'name':'\\u0067'},"
	    "'thought_signature':'T'}"),
	    " model{call id=a name=f args={} sig=S; "
	    "call id=call_g0 name=g args={} sig=T}", "" },
	{ MODEL(CALL("'name':'f','args':null") "," CALL("'name':'f',"
	    "'id':'x'") "," CALL("'id':'','name':'f'")),
	    " model{call id=call_g0 name=f args={}; call id=x name=f args={};"
	    " call id=call_g1 name=f args={}}", "" },
	{ MODEL("{'text':'t','thought':true,'functionCall':{'name':'f'}}"),
	    " model{call id=call_g0 name=f args={}}", "" },
	{ MODEL(CALL("'args':{}")), NULL, "contents" },
	{ MODEL(CALL("'name':'f','args':'{}'")), NULL, "contents" },
	{ USER(CALL("'name':'f'")), NULL, "contents" },
	/* responses: their value */
	{ USER(RESPONSE("'id':'a__ts_QUJD','name':'f','response':"
	    "{'output':'x\\n'}")), " user{result id=a name=f (text x\\n)}",
	    "" },
	{ USER("{'function_response':{'id':'a','name':'f','response':"
	    "{'result':[1, 'q']}}}"),
	    " user{result id=a name=f (text [1,\\'q\\'])}", "" },
	{ USER(RESPONSE("'id':'a','response':{'error':'e'}") ","
	    RESPONSE("'id':'b','response':{'error':{'c':1}}") ","
	    RESPONSE("'id':'c','response':{'error':'e','x':null}")),
	    " user{result id=a error (text e); "
	    "result id=b error (text {\\'c\\':1}); "
	    "result id=c (text {\\'error\\':\\'e\\',\\'x\\':null})}", "" },
	{ USER(RESPONSE("'id':'a','response':{}") ","
	    RESPONSE("'id':'b'") "," RESPONSE("'id':'c','response':"
	    "{'output':''}") "," RESPONSE("'id':'d','response':'s'") ","
	    RESPONSE("'id':'e','response':{'output':{}}")),
	    " user{result id=a; result id=b; result id=c; "
	    "result id=d (text s); result id=e (text {})}", "" },
	{ USER(RESPONSE("'id':'a','response':{'output':'x'},'parts':["
	    BLOB("image/png", "QQ==") ",{'x':1}," FILE_AT("image/png",
	    "http://e/i") "]")),
	    " user{result id=a (text x; image type=image/png data=QQ==; "
	    "image url=http://e/i)}", "drop:part.x" },
	{ USER(RESPONSE("'id':'a','parts':[7]")), NULL, "contents" },
	{ MODEL(RESPONSE("'name':'f'")), NULL, "contents" },
	/* responses: whose they are */
	{ "{'contents':[{'role':'model','parts':[" CALL("'name':'f'") ","
	    CALL("'name':'g'") "," CALL("'name':'f'") "]},{'parts':["
	    RESPONSE("'name':'g'") "," RESPONSE("'name':'f'") ","
	    RESPONSE("'name':'f'") "," RESPONSE("'name':'f'") "]}]}",
	    " model{call id=call_g0 name=f args={}; call id=call_g1 name=g "
	    "args={}; call id=call_g2 name=f args={}} user{"
	    "result id=call_g1 name=g; result id=call_g0 name=f; "
	    "result id=call_g2 name=f; result id=call_g3 name=f}", "" },
	{ "{'contents':[{'role':'model','parts':[" CALL("'name':'f',"
	    "'id':'a'") "," CALL("'name':'f','id':'b'") "]},{'parts':["
	    RESPONSE("'name':'f','id':'b'") "," RESPONSE("'name':'f',"
	    "'id':'b'") "," RESPONSE("'name':'f','id':'q'") "]}]}",
	    " model{call id=a name=f args={}; call id=b name=f args={}} "
	    "user{result id=b name=f; result id=b name=f; "
	    "result id=a name=f}", "" },
	/* one turn of the model may come in several contents */
	{ "{'contents':[{'role':'model','parts':[" CALL("'name':'f'") "]},"
	    "{'role':'model','parts':[" CALL("'name':'g'") "]},{'parts':["
	    RESPONSE("'name':'f'") "]},{'parts':[" RESPONSE("'name':'g'")
	    "]}]}", " model{call id=call_g0 name=f args={}} model{call "
	    "id=call_g1 name=g args={}} user{result id=call_g0 name=f} "
	    "user{result id=call_g1 name=g}", "" },
	/* a call that was left behind is not open any more */
	{ "{'contents':[{'role':'model','parts':[" CALL("'name':'f'") "]},"
	    "{'role':'model','parts':[" CALL("'name':'g'") "]},"
	    "{'parts':[{'text':'no'}]},{'role':'model','parts':["
	    CALL("'name':'f'") "]},{'parts':[" RESPONSE("'name':'f'") "]}]}",
	    " model{call id=call_g0 name=f args={}} model{call id=call_g1 "
	    "name=g args={}} user{text no} model{call id=call_g2 name=f "
	    "args={}} user{result id=call_g2 name=f}", "" },
	/* media */
	{ USER(BLOB("image/jpg", "QQ==") "," BLOB("IMAGE/PNG; q=1", "-_8=")
	    "," BLOB("application/pdf", "QQ==") "," BLOB("audio/mpeg", "AA==")
	    "," BLOB("audio/x-wav", "AA==")),
	    " user{image type=image/jpeg data=QQ==; image type=image/png "
	    "data=+/8=; doc type=application/pdf data=QQ==; audio "
	    "type=audio/mp3 data=AA==; audio type=audio/wav data=AA==}",
	    "" },
	{ USER(BLOB("image/png", "_w") "," BLOB("image/png", "-w==") ","
	    BLOB("image/png", "-*")), " user{image type=image/png "
	    "data=/w==; image type=image/png data=+w==; "
	    "image type=image/png data=-*}", "" },
	{ USER(BLOB("text/plain", "YQpi") ",{'inline_data':{'mime_type':"
	    "'application/json','data':'e30','display_name':'n'}}"),
	    " user{text <document>\\na\\nb\\n</document>; "
	    "text <document title=\\'n\\'>\\n{}\\n</document>}", "" },
	{ USER(BLOB("text/plain", "Y*")), NULL, "contents" },
	{ USER(BLOB("video/mp4", "AA==")), NULL, "contents" },
	{ USER("{'inlineData':{'data':'AA=='}}"), NULL, "contents" },
	{ USER("{'inlineData':{'mimeType':'image/png'}}"), NULL, "contents" },
	{ USER(FILE_AT("image/png", "HTTP://e/a") ","
	    FILE_AT("application/pdf", "https:\\/\\/e/b") ","
	    "{'file_data':{'file_uri':'https://e/c.JPeg?x#y'}},"
	    "{'fileData':{'fileUri':'https://e/d.pdf#1.png'}}"),
	    " user{image url=HTTP://e/a; doc url=https:\\/\\/e/b; "
	    "image url=https://e/c.JPeg?x#y; "
	    "doc url=https://e/d.pdf#1.png}", "" },
	{ USER(FILE_AT("image/png", STORE)), NULL, "contents" },
	{ USER(FILE_AT("image/png", "gs://b/o")), NULL, "contents" },
	{ USER(FILE_AT("video/mp4", "https://e/v")), NULL, "contents" },
	{ USER("{'fileData':{'fileUri':'https://youtu.be/x'}}"), NULL,
	    "contents" },
	{ USER("{'fileData':{}}"), NULL, "contents" },
	{ USER("{'thoughtSignature':'x','executableCode':{}},"
	    "{'video_metadata':{},'toolCall':{}},{},{'x':null},{'text':7}"),
	    " user{}",
	    "drop:part.executableCode drop:part.toolCall drop:part.text" },
	/* D-G3 */
	{ WITH("'tools':[{'functionDeclarations':[{'name':'f',"
	    "'description':'d','parameters':{'type':'OBJECT','properties':"
	    "{'a':{'type':'STRING','nullable':true}}}},{'name':'g',"
	    "'parametersJsonSchema':{'type':'object'},'parameters':{}}],"
	    "'googleSearch':{},'codeExecution':null},{'urlContext':{}}]"),
	    " tool=f:d:{'type':'object','properties':{'a':{'type':["
	    "'string','null']}}} tool=g:{'type':'object'}",
	    "drop:tool.googleSearch drop:tool.urlContext" },
	{ WITH("'tools':{'function_declarations':{'name':'f',"
	    "'parameters_json_schema':{'a':1}}}"), " tool=f:{'a':1}", "" },
	{ WITH("'tools':[7]"), NULL, "tools" },
	{ WITH("'tools':[{'functionDeclarations':[7]}]"), NULL, "tools" },
	{ WITH("'tools':[{'functionDeclarations':[{}]}]"), NULL, "tools" },
	{ WITH("'toolConfig':{'functionCallingConfig':{'mode':'AUTO'}}"),
	    " choice=auto", "" },
	{ WITH("'tool_config':{'function_calling_config':{'mode':"
	    "'validated'}}"), " choice=auto", "" },
	{ WITH("'toolConfig':{'functionCallingConfig':{'mode':'NONE'}}"),
	    " choice=none", "" },
	{ WITH("'toolConfig':{'functionCallingConfig':{'mode':"
	    "'MODE_UNSPECIFIED'}}"), "", "" },
	{ WITH("'toolConfig':{'functionCallingConfig':{'mode':'ANY'}}"),
	    " choice=any", "" },
	{ WITH("'toolConfig':{'functionCallingConfig':{'mode':'ANY',"
	    "'allowedFunctionNames':['f']}}"), " choice=tool:f", "" },
	{ WITH("'tools':[{'functionDeclarations':[{'name':'a'},{'name':'b'},"
	    "{'name':'c'}]}],'toolConfig':{'functionCallingConfig':{'mode':"
	    "'ANY','allowed_function_names':['c','\\u0061',7]}}"),
	    " tool=a tool=c choice=any", "" },
	/* D-G4 */
	{ CONFIG("'thinkingConfig':{'thinkingLevel':'HIGH',"
	    "'thinkingBudget':5}"), " think=adaptive effort=high", "" },
	{ CONFIG("'thinkingConfig':{'thinkingLevel':"
	    "'THINKING_LEVEL_UNSPECIFIED','thinkingBudget':0}"), " think=off",
	    "" },
	{ CONFIG("'thinkingConfig':{'thinkingBudget':-1,"
	    "'includeThoughts':false}"), " think=adaptive hidden", "" },
	{ CONFIG("'thinking_config':{'thinking_budget':2000,"
	    "'include_thoughts':true}"), " think=on budget=2000 shown", "" },
	{ CONFIG("'thinkingConfig':{'includeThoughts':true}"),
	    " think=adaptive shown", "" },
	{ CONFIG("'thinkingConfig':{'includeThoughts':false}"), " hidden",
	    "" },
	{ CONFIG("'thinkingConfig':{'thinkingBudget':1e99}"),
	    " think=on budget=1000000000", "" },
	{ CONFIG("'thinkingConfig':{'thinkingBudget':'9'}"), "", "" },
	/* D-G5 */
	{ CONFIG("'responseMimeType':'application/json'"), " json", "" },
	{ CONFIG("'responseMimeType':'text/plain','responseSchema':{}"), "",
	    "" },
	{ CONFIG("'responseSchema':{'type':'STRING'}"), "", "" },
	{ CONFIG("'responseMimeType':'application/json','responseSchema':"
	    "{'type':'OBJECT','propertyOrdering':['a']}"),
	    " schema={'type':'object'}", "" },
	{ CONFIG("'response_mime_type':'application/json',"
	    "'response_schema':{'type':'STRING'},'response_json_schema':"
	    "{'type':'x'}"), " schema={'type':'x'}", "" },
	{ CONFIG("'responseMimeType':'text/x.enum'"), "",
	    "drop:responseMimeType" },
	{ CONFIG("'responseModalities':['TEXT','text']"), "", "" },
	{ CONFIG("'responseModalities':['TEXT','IMAGE']"), NULL,
	    "generationConfig.responseModalities" },
	{ CONFIG("'response_modalities':['AUDIO']"), NULL,
	    "generationConfig.responseModalities" },
	{ WITH("'cachedContent':'c/1'"), NULL, "cachedContent" },
	{ WITH("'cached_content':'c/1'"), NULL, "cachedContent" },
	{ WITH("'cachedContent':null,'continuationToken':''"), "", "" },
	{ WITH("'continuationToken':'x'"), NULL, "continuationToken" },
	{ WITH("'safetySettings':[{}],'labels':{},'store':true,'x':1"), "",
	    "" },
	{ WITH("'generation_config':{'max_output_tokens':9,'temperature':"
	    "1.0,'top_p':0.5,'top_k':3,'presence_penalty':1,"
	    "'frequency_penalty':2,'seed':4,'candidate_count':2,"
	    "'response_logprobs':true,'logprobs':5,'stop_sequences':['a',7,"
	    "'\\n']},'service_tier':'FLEX'"),
	    " max=9 temp=1.0 top_p=0.5 top_k=3 pres=1 freq=2 seed=4 n=2 "
	    "logprobs top=5 stop=a stop=\\n flex", "" },
	{ CONFIG("'maxOutputTokens':null,'temperature':'x','stopSequences':"
	    "[],'responseLogprobs':false"), "", "" },
	{ WITH("'serviceTier':'standard'"), " standard", "" },
	{ WITH("'serviceTier':'priority'"), " priority", "" },
	{ WITH("'serviceTier':'unspecified'"), "", "" },
	/* J-2 */
	{ CONFIG("'topK':1,'topK':2,'top_k':3"), " top_k=2", "" }
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
		rc = gemini_read_request(&r, tree_parse(&a, quoted(&a,
		    reads[i].body)), &call, &f);
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

/* What the path tells, and the request inside a count. */
static void
test_path(void)
{
	struct dialect_call call;
	struct msg_notes notes = { NULL };
	struct msg_request r;
	struct msg_fault f;
	struct arena a;
	struct node *body;

	arena_init(&a, 1 << 20);
	memset(&r, 0, sizeof r);
	memset(&f, 0, sizeof f);
	memset(&call, 0, sizeof call);
	r.arena = &a;
	r.notes = &notes;
	call.op = OP_COUNT;
	call.stream = 1;
	call.model = str_of("gemini-x");
	body = tree_parse(&a, quoted(&a, "{'generateContentRequest':{"
	    "'model':'models/y','contents':[{'parts':[{'text':'t'}]}]}}"));
	T_OK(gemini_read_request(&r, body, &call, &f) == 0, "%s", f.why);
	T_OK(str_is(r.model, "gemini-x"), "model");
	T_OK(r.stream, "stream");
	T_OK(r.turns != NULL && str_is(r.turns->parts->text, "t"), "text");
	call.op = OP_GENERATE;
	r.turns = NULL;
	T_OK(gemini_read_request(&r, body, &call, &f) == -1, "no contents");
	arena_free(&a);
}

/* ---- writing ---- */

static struct arena tweak_arena;	/* of what the tweaks put in */

static void
tweak_system_turn(struct msg_request *r)
{
	r->turns->role = MSG_SYSTEM;
}

static void
tweak_custom(struct msg_request *r)
{
	r->tools->custom = 1;
	r->tools->format = tree_parse(&tweak_arena, quoted(&tweak_arena,
	    "{'type':'grammar','grammar':{'syntax':'lark','definition':'x'}}"));
}

static void
tweak_losses(struct msg_request *r)
{
	r->parallel_off = 1;
	r->logit_bias = str_of("{\"1\":2}");
	r->user = str_of("u");
}

static void
tweak_signed(struct msg_request *r)
{
	r->turns->next->parts->kind = MSG_REDACTED;
}

static void
tweak_refusal(struct msg_request *r)
{
	r->turns->next->parts->kind = MSG_REFUSAL;
}

static void
tweak_effort(struct msg_request *r)
{
	r->thinking = MSG_THINK_ADAPTIVE;
	r->effort = MSG_EFFORT_LOW;
}

static void
tweak_effort_alone(struct msg_request *r)
{
	r->effort = MSG_EFFORT_LOW;
}

static void
tweak_names(struct msg_request *r)
{
	r->tools->name = str_of("a b");
	r->choice_name = r->tools->name;
}

#define HI "'contents':[{'parts':[{'text':'x'}]}]"
#define HI_OUT "'contents':[{'role':'user','parts':[{'text':'x'}]}]"
#define TOOL_F "'tools':[{'functionDeclarations':[{'name':'f'}]}]"
#define LOOP(parts) "{'contents':[{'parts':[{'text':'x'}]},{'role':'model'," \
	"'parts':[" CALL("'id':'a','name':'f','args':{ 'q':1.0}") "," \
	CALL("'id':'b','name':'f'") "]},{'parts':[" RESPONSE("'id':'b'," \
	"'response':{'error':'e'}") "," RESPONSE("'id':'a','response':" \
	"{'output':'r'},'parts':[" parts "]") ",{'text':'y'}]}]}"
#define LOOP_OUT(signature, inside, beside) "{'contents':[{'role':'user'," \
	"'parts':[{'text':'x'}]},{'role':'model','parts':[{'functionCall':" \
	"{'id':'a','name':'f','args':{ 'q':1.0}}" signature "}," \
	"{'functionCall':{'id':'b','name':'f','args':{}}}]},{'role':'user'," \
	"'parts':[{'functionResponse':{'id':'a','name':'f','response':" \
	"{'output':'r'}" inside "}},{'functionResponse':{'id':'b','name':'f'," \
	"'response':{'error':'e'}}}," beside "{'text':'y'}]}]}"
#define SKIP ",'thoughtSignature':'skip_thought_signature_validator'"
#define THINK(x) "{" HI ",'generationConfig':{'thinkingConfig':{" x "}}}"
#define SCHEMA "'generationConfig':{'responseMimeType':'application/json'," \
	"'responseSchema':{'type':'OBJECT','properties':{'k':{'type':" \
	"'STRING'}}}}"

static const struct {
	const char *model;
	void (*tweak)(struct msg_request *);
	const char *body, *out, *notes;
} writes[] = {
	/* E-G1 */
	{ "gemini-2.5-flash", NULL, "{'contents':[]}",
	    "{'contents':[{'role':'user','parts':[{'text':'.'}]}]}",
	    "repair:empty_messages" },
	{ "gemini-2.5-flash", NULL, MODEL("{'text':'a'}"),
	    "{'contents':[{'role':'user','parts':[{'text':'.'}]},"
	    "{'role':'model','parts':[{'text':'a'}]}]}",
	    "repair:first_user prefill" },
	{ "gemini-2.5-flash", tweak_system_turn, "{" HI "}",
	    "{'contents':[{'role':'user','parts':[{'text':"
	    "'<system-reminder>\\nx\\n</system-reminder>'}]}]}", "" },
	{ "gemini-2.5-flash", tweak_signed, "{'contents':[{'parts':["
	    "{'text':'a'}]},{'role':'model','parts':[{'text':'t'}]},"
	    "{'parts':[{'text':'b'}]}]}",
	    "{'contents':[{'role':'user','parts':[{'text':'a'},"
	    "{'text':'b'}]}]}", "" },
	{ "gemini-2.5-flash", tweak_refusal, "{'contents':[{'parts':["
	    "{'text':'a'}]},{'role':'model','parts':[{'text':'t'}]}]}",
	    "{'contents':[{'role':'user','parts':[{'text':'a'}]},"
	    "{'role':'model','parts':[{'text':'t'}]}]}", "prefill" },
	/* E-G2, E-G3 */
	{ "gemini-2.5-flash", NULL, LOOP(""), LOOP_OUT("", "", ""), "" },
	{ "gemini-3-pro", NULL, LOOP(""), LOOP_OUT(SKIP, "", ""), "" },
	{ "gemini-2.5-flash", NULL, LOOP(BLOB("image/png", "QQ==")),
	    LOOP_OUT("", "", BLOB("image/png", "QQ==") ","), "" },
	{ "gemini-3-flash", NULL, LOOP(BLOB("image/png", "QQ==") ","
	    FILE_AT("image/gif", "http://e")), LOOP_OUT(SKIP, ",'parts':["
	    BLOB("image/png", "QQ==") "," FILE_AT("image/jpeg", "http://e")
	    "]", ""), "" },
	{ "gemini-2.5-flash", NULL, "{'contents':[{'parts':[{'text':'x'}]},"
	    "{'role':'model','parts':[{'functionCall':{'id':'a','name':'f'},"
	    "'thoughtSignature':'S'}]},{'parts':[" RESPONSE("'id':'a'")
	    "]}]}", "{'contents':[{'role':'user','parts':[{'text':'x'}]},"
	    "{'role':'model','parts':[{'functionCall':{'id':'a','name':'f',"
	    "'args':{}},'thoughtSignature':'S'}]},{'role':'user','parts':["
	    "{'functionResponse':{'id':'a','name':'f','response':{'output':"
	    "''}}}]}]}", "" },
	/* E-G4 */
	{ "gemini-2.5-flash", NULL, USER(FILE_AT("image/x",
	    "http:\\/\\/e/a.PNG?b.gif") "," FILE_AT("application/pdf",
	    "http://e/a.webp") "," FILE_AT("application/pdf", "http://e/a")
	    "," FILE_AT("image/x", "http://e/.jpeg#") ","
	    BLOB("audio/mpeg", "QQ==")),
	    "{'contents':[{'role':'user','parts':[" FILE_AT("image/png",
	    "http:\\/\\/e/a.PNG?b.gif") "," FILE_AT("image/webp",
	    "http://e/a.webp") "," FILE_AT("application/pdf", "http://e/a")
	    "," FILE_AT("image/jpeg", "http://e/.jpeg#") ","
	    BLOB("audio/mp3", "QQ==") "]}]}", "" },
	/* E-G5 */
	{ "gemini-2.5-flash", tweak_names, "{" HI ",'tools':[{"
	    "'functionDeclarations':[{'name':'f','description':'d\\n',"
	    "'parametersJsonSchema':{'type':'object','properties':{'a':"
	    "{'type':'string'}}}},{'name':'g','description':''}]}],"
	    "'toolConfig':{'functionCallingConfig':{'mode':'AUTO'}}}",
	    "{" HI_OUT ",'tools':[{'functionDeclarations':[{'name':'a_b',"
	    "'description':'d\\n','parameters':{'type':'OBJECT',"
	    "'properties':{'a':{'type':'STRING'}}}},{'name':'g'}]}],"
	    "'toolConfig':{'functionCallingConfig':{'mode':'AUTO'}}}", "" },
	{ "gemini-2.5-flash", tweak_names, "{" HI "," TOOL_F
	    ",'toolConfig':{'functionCallingConfig':{'mode':'ANY',"
	    "'allowedFunctionNames':['f']}}}", "{" HI_OUT ",'tools':[{"
	    "'functionDeclarations':[{'name':'a_b'}]}],'toolConfig':{"
	    "'functionCallingConfig':{'mode':'ANY','allowedFunctionNames':["
	    "'a_b']}}}", "" },
	{ "gemini-2.5-flash", tweak_custom, "{" HI "," TOOL_F
	    ",'toolConfig':{'functionCallingConfig':{'mode':'ANY',"
	    "'allowedFunctionNames':['f']}}}", "{" HI_OUT ",'tools':[{"
	    "'functionDeclarations':[{'name':'f','description':'\\n\\nThe "
	    "input must match this lark grammar:\\nx','parameters':{'type':"
	    "'OBJECT','properties':{'input':{'type':'STRING'}},'required':["
	    "'input']}}]}],'toolConfig':{'functionCallingConfig':{'mode':"
	    "'ANY','allowedFunctionNames':['f']}}}", "" },
	{ "gemini-2.5-flash", NULL, "{" HI "," TOOL_F ",'toolConfig':"
	    "{'functionCallingConfig':{'mode':'ANY'}}}", "{" HI_OUT ","
	    TOOL_F ",'toolConfig':{'functionCallingConfig':{'mode':'ANY'}}}",
	    "" },
	{ "gemini-2.5-flash", NULL, "{" HI ",'toolConfig':"
	    "{'functionCallingConfig':{'mode':'NONE'}}}", "{" HI_OUT "}",
	    "" },
	/* E-G5, E-G6 */
	{ "gemini-2.5-flash", tweak_losses, "{" HI "}", "{" HI_OUT "}",
	    "drop:parallel_tool_calls drop:logit_bias" },
	{ "gemini-2.5-flash", NULL, "{" HI ",'generationConfig':{"
	    "'temperature':1.50,'topP':0.1,'topK':2,'maxOutputTokens':7,"
	    "'stopSequences':['1','2','3','4','5','6'],'presencePenalty':1,"
	    "'frequencyPenalty':2,'seed':3,'candidateCount':2,"
	    "'responseLogprobs':true,'logprobs':4}}", "{" HI_OUT
	    ",'generationConfig':{'maxOutputTokens':7,'temperature':1.50,"
	    "'topP':0.1,'topK':2,'stopSequences':['1','2','3','4','5'],"
	    "'presencePenalty':1,'frequencyPenalty':2,'seed':3,"
	    "'candidateCount':2,'responseLogprobs':true,'logprobs':4}}",
	    "clamp:stop" },
	{ "gemini-2.5-flash", NULL, "{" HI ",'generationConfig':{"
	    "'candidateCount':1.0,'logprobs':4}}", "{" HI_OUT "}", "" },
	/* E-G7 */
	{ "gemini-2.5-flash", NULL, "{" HI "," SCHEMA "}", "{" HI_OUT ","
	    SCHEMA "}", "" },
	{ "gemini-2.5-flash", NULL, "{" HI ",'generationConfig':{"
	    "'responseMimeType':'application/json'}}", "{" HI_OUT
	    ",'generationConfig':{'responseMimeType':'application/json'}}",
	    "" },
	{ "gemini-3-pro", NULL, "{" HI "," TOOL_F "," SCHEMA "}", "{" HI_OUT
	    "," TOOL_F "," SCHEMA "}", "" },
	{ "gemini-2.5-pro", NULL, "{" HI ",'systemInstruction':'S'," TOOL_F
	    "," SCHEMA "}", "{" HI_OUT ",'systemInstruction':{'parts':["
	    "{'text':'S'},{'text':'Respond only with JSON that conforms to "
	    "this JSON Schema, without any other text:\\n{\\'type\\':"
	    "\\'object\\',\\'properties\\':{\\'k\\':{\\'type\\':"
	    "\\'string\\'}}}'}]}," TOOL_F "}", "drop:response_format" },
	/* E-G8 */
	{ "gemini-2.0-flash", NULL, THINK("'thinkingBudget':9"),
	    "{" HI_OUT "}", "drop:thinking" },
	{ "gemini-2.0-flash", NULL, THINK("'thinkingBudget':0"),
	    "{" HI_OUT "}", "" },
	{ "gemini-2.5-flash", NULL, THINK("'thinkingBudget':0,"
	    "'includeThoughts':true"), "{" HI_OUT ",'generationConfig':{"
	    "'thinkingConfig':{'thinkingBudget':0}}}", "" },
	{ "gemini-2.5-pro", NULL, THINK("'thinkingBudget':0"), "{" HI_OUT
	    ",'generationConfig':{'thinkingConfig':{'thinkingBudget':128}}}",
	    "clamp:thinking" },
	{ "gemini-2.5-pro", NULL, THINK("'thinkingBudget':1"), "{" HI_OUT
	    ",'generationConfig':{'thinkingConfig':{'thinkingBudget':128}}}",
	    "" },
	{ "gemini-2.5-flash", NULL, THINK("'thinkingBudget':99999,"
	    "'includeThoughts':true"), "{" HI_OUT ",'generationConfig':{"
	    "'thinkingConfig':{'thinkingBudget':24576,'includeThoughts':"
	    "true}}}", "" },
	{ "gemini-2.5-flash", NULL, THINK("'thinkingBudget':-1"), "{" HI_OUT
	    ",'generationConfig':{'thinkingConfig':{'thinkingBudget':-1}}}",
	    "" },
	{ "gemini-2.5-flash", tweak_effort, "{" HI "}", "{" HI_OUT
	    ",'generationConfig':{'thinkingConfig':{'thinkingBudget':1024}}}",
	    "" },
	{ "gemini-3-flash", NULL, THINK("'thinkingBudget':0"), "{" HI_OUT
	    ",'generationConfig':{'thinkingConfig':{'thinkingLevel':"
	    "'MINIMAL'}}}", "clamp:thinking" },
	{ "gemini-3-pro", NULL, THINK("'thinkingBudget':0"), "{" HI_OUT
	    ",'generationConfig':{'thinkingConfig':{'thinkingLevel':"
	    "'LOW'}}}", "clamp:thinking" },
	{ "gemini-3-pro", NULL, THINK("'thinkingBudget':9000,"
	    "'includeThoughts':true"), "{" HI_OUT ",'generationConfig':{"
	    "'thinkingConfig':{'thinkingLevel':'HIGH','includeThoughts':"
	    "true}}}", "" },
	{ "gemini-3-pro", tweak_effort, "{" HI "}", "{" HI_OUT
	    ",'generationConfig':{'thinkingConfig':{'thinkingLevel':"
	    "'LOW'}}}", "" },
	{ "gemini-3-pro", tweak_effort_alone, "{" HI "}", "{" HI_OUT "}",
	    "" },
	{ "gemini-3-pro", NULL, THINK("'thinkingBudget':-1"), "{" HI_OUT "}",
	    "" },
	{ "gemini-3-pro", NULL, THINK("'includeThoughts':true"), "{" HI_OUT
	    ",'generationConfig':{'thinkingConfig':{'includeThoughts':"
	    "true}}}", "" },
	/* E-G9 */
	{ "gemini-3-pro", NULL, "{" HI ",'systemInstruction':{'parts':["
	    "{'text':'A'},{'text':'B'}]},'serviceTier':'flex'}", "{" HI_OUT
	    ",'systemInstruction':{'parts':[{'text':'A'},{'text':'B'}]},"
	    "'serviceTier':'flex'}", "" }
};

static int
write_one(struct buf *out, const char *body, void (*tweak)(struct
    msg_request *), struct msg_request *r, const struct msg_target *t)
{
	static const struct dialect_call call;
	struct names names;
	struct profile p;
	struct msg_fault f;
	struct arena *a = r->arena;

	memset(&f, 0, sizeof f);
	if (gemini_read_request(r, tree_parse(a, quoted(a, body)), &call,
	    &f) == -1)
		return -1;
	if (tweak != NULL)
		tweak(r);
	normal_request(r, DIALECT_GEMINI);
	names_map(&names, r, DIALECT_GEMINI);
	names_ids(r, DIALECT_GEMINI);
	profile_of(&p, DIALECT_GEMINI, t->model);
	return gemini_write_request(out, r, t, &p, &f);
}

static void
test_writes(void)
{
	struct msg_notes notes;
	struct msg_request r;
	struct msg_target t;
	struct arena a;
	struct buf out, b, n;
	size_t i;
	int rc;

	buf_init(&out, 1 << 20);
	buf_init(&b, 1 << 20);
	buf_init(&n, 1 << 20);
	arena_init(&a, 1 << 20);
	arena_init(&tweak_arena, 1 << 20);
	for (i = 0; i < N(writes); i++) {
		memset(&r, 0, sizeof r);
		memset(&t, 0, sizeof t);
		notes.first = NULL;
		r.arena = &a;
		r.notes = &notes;
		t.dialect = DIALECT_GEMINI;
		t.model = str_of(writes[i].model);
		rc = write_one(&out, writes[i].body, writes[i].tweak, &r, &t);
		show_str(&b, "", buf_str(&out));
		show_notes(&n, &notes);
		T_OK(rc == 0, "%s", writes[i].body);
		T_OK(str_is(buf_str(&b), writes[i].out), "%s:\n%s\n%s",
		    writes[i].body, buf_cstr(&b), writes[i].out);
		T_OK(str_is(buf_str(&n), writes[i].notes), "%s: %s",
		    writes[i].body, buf_cstr(&n));
		buf_clear(&out);
		buf_clear(&b);
		buf_clear(&n);
		arena_reset(&a);
	}
	arena_free(&tweak_arena);
	arena_free(&a);
	buf_free(&n);
	buf_free(&b);
	buf_free(&out);
}

static void
test_target(void)
{
	struct msg_notes notes = { NULL };
	struct msg_request r;
	struct msg_target t;
	struct arena a;
	struct buf out, b;

	buf_init(&out, 1 << 20);
	buf_init(&b, 1 << 20);
	arena_init(&a, 1 << 20);
	memset(&r, 0, sizeof r);
	memset(&t, 0, sizeof t);
	r.arena = &a;
	r.notes = &notes;
	t.model = str_of("gemini-2.5-pro");
	t.max_tokens = 77;
	T_OK(write_one(&out, "{" HI "}", NULL, &r, &t) == 0, "default");
	show_str(&b, "", buf_str(&out));
	T_OK(str_is(buf_str(&b), "{" HI_OUT ",'generationConfig':{"
	    "'maxOutputTokens':77}}"), "%s", buf_cstr(&b));
	memset(&r, 0, sizeof r);
	r.arena = &a;
	r.notes = &notes;
	buf_clear(&out);
	buf_clear(&b);
	t.count = 1;
	T_OK(write_one(&out, "{" HI ",'systemInstruction':'S'," TOOL_F ","
	    SCHEMA ",'serviceTier':'flex'}", NULL, &r, &t) == 0, "count");
	show_str(&b, "", buf_str(&out));
	T_OK(str_is(buf_str(&b), "{'generateContentRequest':{'model':"
	    "'models/gemini-2.5-pro'," HI_OUT ",'systemInstruction':"
	    "{'parts':[{'text':'S'},{'text':'Respond only with JSON that "
	    "conforms to this JSON Schema, without any other text:\\n"
	    "{\\'type\\':\\'object\\',\\'properties\\':{\\'k\\':{"
	    "\\'type\\':\\'string\\'}}}'}]}," TOOL_F "}}"), "%s",
	    buf_cstr(&b));
	/* No room: an error, and nothing else. */
	memset(&r, 0, sizeof r);
	r.arena = &a;
	r.notes = &notes;
	buf_free(&out);
	buf_init(&out, 20);
	t.count = 0;
	T_OK(write_one(&out, "{" HI "}", NULL, &r, &t) == -1, "no room");
	arena_free(&a);
	buf_free(&b);
	buf_free(&out);
}

/* ---- 3.8 ---- */

#define OURS "'thoughtSignature':'eGwxLmEudC5VMGM9'"
#define REST "{ 'text':'x' , 'n':1.0 }"

static const struct {
	const char *in;
	const char *out;	/* NULL: nothing to do */
} cleans[] = {
	{ "{'contents':[{'parts':[{'text':'x'}]}]}", NULL },
	{ "", NULL },
	{ "eGwxLm", NULL },
	{ "{'contents':'eGwxLm'}", NULL },
	{ "{'x':'eGwxLm'}", NULL },
	/* only what is a signature of ours */
	{ MODEL("{'text':'eGwxLmEudC5VMGM9','thoughtSignature':'QQ=='}"),
	    NULL },
	{ MODEL("{'text':'xl1.a','thoughtSignature':'AeGwxLmEudC4='}"),
	    NULL },
	{ "{ 'contents' : [ " REST ", {'role':'model', 'parts' : [ " REST
	    " , {'text':'T','thought':true," OURS "} ], 'z':[] } ] , 'y' : 2"
	    " }", "{ 'contents' : [" REST ",{'role':'model', 'parts' : ["
	    REST ",{'text':'T','thought':true}], 'z':[] }] , 'y' : 2 }" },
	/* bare, url-safe, unpadded, snake case, on a call */
	{ MODEL("{" "'thoughtSignature':'xl1.g'" ",'functionCall':{}}"),
	    MODEL("{'functionCall':{}}") },
	{ MODEL("{'text':'a','thought_signature':'eGwxLmEudC4_Pz8'}"),
	    MODEL("{'text':'a'}") },
	/* a genuine one beside ours stays */
	{ MODEL("{'text':'a'," OURS "},{'text':'b','thoughtSignature':"
	    "'QQ=='}"), MODEL("{'text':'a'},{'text':'b','thoughtSignature':"
	    "'QQ=='}") },
	/* empty thoughts go, then empty contents */
	{ MODEL("{'text':'','thought':true," OURS "},{'text':'a'}"),
	    MODEL("{'text':'a'}") },
	{ MODEL("{'text':'a'},{'thought':true," OURS "}"),
	    MODEL("{'text':'a'}") },
	{ MODEL("{'text':'',"OURS "}"), MODEL("{'text':''}") },
	{ "{'contents':[" REST ",{'parts':[{'thought':true," OURS "}]},"
	    REST "]}", "{'contents':[" REST "," REST "]}" },
	{ "{'contents':[{'parts':[{'thought':true," OURS "}]}]}",
	    "{'contents':[]}" },
	{ "{'contents':{'parts':[{'thought':true," OURS "}]}}",
	    "{'contents':[]}" },
	{ "{'contents':{'parts':[{'text':'t','thought':true," OURS "}]}}",
	    "{'contents':{'parts':[{'text':'t','thought':true}]}}" },
	{ "{'generateContentRequest':{'contents':[{'parts':[{'text':'a',"
	    OURS "}]}]}}",
	    "{'generateContentRequest':{'contents':[{'parts':[{'text':'a'}"
	    "]}]}}" },
	{ "{'contents':[{'parts':[{'text':'a'," OURS "," OURS "}]}]",
	    NULL }
};

static void
test_cleans(void)
{
	struct arena a;
	struct buf out, b;
	struct str in;
	size_t i;
	int rc, k;

	buf_init(&out, 1 << 20);
	buf_init(&b, 1 << 20);
	arena_init(&a, 1 << 20);
	for (i = 0; i < N(cleans); i++)
		for (k = 0; k < 2; k++) {
			in = quoted(&a, cleans[i].in);
			buf_adds(&out, "[");	/* what is there stays */
			rc = gemini_clean(&out, &a, in,
			    str_of("gemini-x"));
			show_str(&b, "", buf_str(&out));
			T_OK(rc == (cleans[i].out != NULL), "%s: %d",
			    cleans[i].in, rc);
			T_OK(*buf_cstr(&b) == '[' && strcmp(buf_cstr(&b) + 1,
			    cleans[i].out == NULL ? "" : cleans[i].out) == 0,
			    "%s: %s", cleans[i].in, buf_cstr(&b));
			buf_clear(&b);
			buf_clear(&out);
			arena_reset(&a);
		}
	arena_free(&a);
	arena_init(&a, 100);
	in = str_of("{\"contents\":[{\"x\":\"xl1.\"}]}");
	T_OK(gemini_clean(&out, &a, in, str_of("gemini-x")) == -1,
	    "out of memory");
	arena_free(&a);
	buf_free(&b);
	buf_free(&out);
}

int
main(void)
{
	test_reads();
	test_path();
	test_writes();
	test_target();
	test_cleans();
	return t_end();
}
