/* In the tables ' stands for ". */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/gemini_answer.h"
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

/* ---- events in few letters ---- */

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
show_usage(struct buf *b, const struct dialect_usage *u)
{
	buf_fmt(b, " %ld/%ld/%ld/%ld/%ld", (long)u->input, (long)u->output,
	    (long)u->cache_read, (long)u->cache_write, (long)u->reasoning);
}

static void
show_event(void *arg, const struct msg_event *e)
{
	static const char *const kinds[] = {
		"start", "open", "+", "cite", "close", "finish", "usage",
		"end", "error"
	};
	static const char *const parts[] = {
		" text", " image", " doc", " audio", " call", " result",
		" think", " redacted", " refusal"
	};
	static const char *const stops[] = {
		" end", " max", " tool", " sequence", " refusal", " pause"
	};
	struct buf *b = arg;

	if (b->len > 0)
		buf_adds(b, " | ");
	buf_adds(b, kinds[e->kind]);
	if (e->choice > 0)
		buf_fmt(b, "#%u", e->choice);
	if (e->kind == MSG_OPEN || e->kind == MSG_CLOSE)
		buf_adds(b, parts[e->part]);
	show_str(b, " id=", e->id);
	show_str(b, " name=", e->name);
	show_str(b, " sig=", e->signature);
	if (e->kind == MSG_FINISH)
		buf_adds(b, stops[e->stop]);
	show_str(b, " why=", e->refusal);
	if (e->logprobs != NULL)
		show_str(b, " probs=", e->logprobs->raw);
	if (e->kind == MSG_ERROR)
		buf_fmt(b, " %d", (int)e->class);
	show_str(b, e->kind == MSG_ERROR ? " " : "", e->text);
	if (e->kind == MSG_START || e->kind == MSG_USAGE)
		show_usage(b, &e->usage);
}

static void
show_notes(struct buf *b, const struct msg_notes *notes)
{
	const struct msg_string *s;

	for (s = notes->first; s != NULL; s = s->next)
		show_str(b, " !", s->s);
}

/* ---- reading ---- */

#define NONE " -1/-1/-1/-1/-1"
#define S "start id=r" NONE
#define NOBODY "start id=" NONE
#define TAIL(stop) " | finish " stop " | usage" NONE " | end"
#define CUT "error 11 Upstream stream ended before completion"
#define BAD "error 11 Upstream sent malformed data"

/* A chunk; a stream is one chunk in a line. */
#define C(parts, more) "{'candidates':[{'content':{'parts':[" parts "]," \
	"'role':'model'},'index':0" more "}],'responseId':'r'}\n"
#define STOP ",'finishReason':'STOP'"
#define END(reason) "{'candidates':[{'finishReason':'" reason "'}]," \
	"'responseId':'r'}\n"
#define T(x) "{'text':'" x "'}"
#define TH(x) "{'text':'" x "','thought':true}"

static const struct {
	const char *in, *events;
} streams[] = {
	{ C(T("a\\n"), "") C(T("b"), "") C(T(""), STOP),
	    S " | open text | +a\\n | +b | close text" TAIL("end") },
	/* Thoughts and texts: neighbours are one part, empty ones nothing. */
	{ C(TH("a"), "") C(TH("b") "," TH("") "," T("c"), "")
	    C("{'text':'','thoughtSignature':'QQ=='}", STOP),
	    S " | open think | +a | +b | close think sig=xl1.g | open text |"
	    " +c | close text" TAIL("end") },
	{ C(TH("a") "," T("b") "," TH("c"), STOP),
	    S " | open think | +a | close think sig=xl1.g | open text | +b |"
	    " close text | open think | +c | close think sig=xl1.g"
	    TAIL("end") },
	/* Calls come whole; STOP with one is a stop for tools. */
	{ C(T("a") ",{'functionCall':{'id':'q','name':'\\u0066','args':"
	    "{ 'a' : '\\u00e9' }},'thoughtSignature':'Q\\/=='}"
	    ",{'functionCall':{'name':'g'}}," T("b"), STOP),
	    S " | open text | +a | close text | open call id=q name=f "
	    "sig=Q/== | +{\\'a\\':\\'\xc3\xa9\\'} | close call | open call "
	    "name=g | +{} | close call | open text | +b | close text"
	    TAIL("tool") },
	{ C("{'functionCall':{'name':'f','args':null}}", "") END("STOP"),
	    S " | open call name=f | +{} | close call" TAIL("tool") },
	{ C("{'functionCall':{'name':'f'}}", "") END("MAX_TOKENS"),
	    S " | open call name=f | +{} | close call" TAIL("max") },
	/* Reasons; the last one counts. */
	{ END("STOP"), S TAIL("end") },
	{ END("MAX_TOKENS"), S TAIL("max") },
	{ END("CONTINUATION"), S TAIL("max") },
	{ END("MAX_TOKENS") END("STOP"), S TAIL("end") },
	{ END("STOP") END("FINISH_REASON_UNSPECIFIED") END(""),
	    S TAIL("end") },
	{ END("SAFETY"), S TAIL("refusal") },
	{ END("IMAGE_RECITATION"), S TAIL("refusal") },
	{ C("", ",'finishReason':'SPII','finishMessage':'w\\n'"),
	    S " | finish refusal why=w\\n | usage" NONE " | end" },
	{ C("", ",'finishReason':'STOP','finishMessage':'w'"),
	    S TAIL("end") },
	{ END("NEW_REASON"), S TAIL("end") },
	{ C(T("a"), "") END("MALFORMED_FUNCTION_CALL"),
	    S " | open text | +a | close text" TAIL("end") },
	{ C("{'functionCall':{'name':'f'}}", "") END("OTHER"),
	    S " | open call name=f | +{} | close call" TAIL("tool") },
	/* ... and without anything to show it is a failure. */
	{ END("MALFORMED_FUNCTION_CALL"),
	    S " | error 11 Upstream ended its answer with "
	    "MALFORMED_FUNCTION_CALL" },
	{ C("", "") C("", ",'finishReason':'OTHER'"),
	    S " | error 11 Upstream ended its answer with OTHER" },
	{ C(TH("a"), "") END("MALFORMED_FUNCTION_CALL"),
	    S " | open think | +a | error 11 Upstream ended its answer with "
	    "MALFORMED_FUNCTION_CALL" },
	{ "{'candidates':[{'finishReason':'OTHER','index':1},"
	    "{'content':{'parts':[" T("a") "]},'finishReason':'STOP'"
	    ",'index':0}]}\n",
	    "start id=" NONE " | open text | +a | close text | finish end | "
	    "finish#1 end | usage" NONE " | end" },
	/* Usage: the last one; cached tokens are part of the prompt. */
	{ "{'usageMetadata':{'promptTokenCount':40,"
	    "'cachedContentTokenCount':8,'totalTokenCount':40}}\n"
	    C(T("a"), "") "{'candidates':[{'finishReason':'STOP'}],"
	    "'usageMetadata':{'promptTokenCount':40,'candidatesTokenCount':"
	    "6,'thoughtsTokenCount':2,'toolUsePromptTokenCount':5}}",
	    "start id= 32/-1/8/0/-1 | open text | +a | close text | finish "
	    "end | usage 45/8/0/0/2 | end" },
	{ "{'candidates':[{'finishReason':'STOP'}],'usageMetadata':{"
	    "'promptTokenCount':4,'cachedContentTokenCount':8,"
	    "'candidatesTokenCount':99999999999999999999}}",
	    "start id= 0/-1/8/0/-1 | finish end | usage 0/-1/8/0/-1 | end" },
	{ "{'candidates':[{'finishReason':'STOP'}],'usageMetadata':null}",
	    "start id=" NONE TAIL("end") },
	/* Several candidates, in any order. */
	{ "{'candidates':[{'index':1,'content':{'parts':[" T("b") "]}},"
	    "{'index':0,'content':{'parts':[" T("a") "]}}]}\n"
	    "{'candidates':[{'index':0,'finishReason':'STOP'}]}\n"
	    "{'candidates':[{'index':1,'content':{'parts':[" T("c") "]},"
	    "'finishReason':'MAX_TOKENS'}]}",
	    "start id=" NONE " | open#1 text | +#1b | open text | +a | "
	    "+#1c | close text | close#1 text | finish end | finish#1 max | "
	    "usage" NONE " | end" },
	{ "{'candidates':[{'finishReason':'STOP'},{'content':{'parts':["
	    T("b") "]},'finishReason':'STOP'}]}",
	    "start id=" NONE " | open#1 text | +#1b | close#1 text | finish "
	    "end | finish#1 end | usage" NONE " | end" },
	/* The prompt was blocked. */
	{ "{'promptFeedback':{'blockReason':'OTHER'},'responseId':'r'}",
	    S " | finish refusal why=Prompt blocked by the upstream (OTHER) "
	    "| usage" NONE " | end" },
	{ "{'promptFeedback':{'blockReason':'X','blockReasonMessage':"
	    "'no\\n'}}", "start id=" NONE " | finish refusal why=no\\n | "
	    "usage" NONE " | end" },
	{ "{'promptFeedback':{'safetyRatings':[]}}\n" END("STOP"),
	    NOBODY TAIL("end") },
	/* Parts that have no form elsewhere. */
	{ C("{'inlineData':{'data':'x'}},{},{'executableCode':{},"
	    "'thoughtSignature':'s'},7,{'x':null},{'thought':true,"
	    "'thoughtSignature':'s'}", STOP),
	    S TAIL("end") " !drop:part.inlineData !drop:part.executableCode"
	    },
	/* Cut off. */
	{ "", CUT },
	{ "{}", NOBODY " | " CUT },
	{ "{'usageMetadata':{}}", "start id= -1/-1/0/0/-1 | " CUT },
	{ "{'candidates':[]}", NOBODY " | " CUT },
	{ C(T("a"), ""), S " | open text | +a | " CUT },
	{ "{'candidates':[{'index':0,'finishReason':'STOP'},{'index':1}]}",
	    NOBODY " | " CUT },
	/* Faults */
	{ "{'error':{'code':503,'message':'m','status':'UNAVAILABLE'}}",
	    "error 9 m" },
	{ "[{'error':{'code':429,'message':'m','status':"
	    "'RESOURCE_EXHAUSTED'}}]", "error 8 m" },
	{ C(T("a"), "") "{'error':{'code':503,'message':'m','status':"
	    "'UNAVAILABLE'}}\n" C(T("b"), STOP),
	    S " | open text | +a | error 9 m" },
	{ C(T("a"), "") "{'candidates':", S " | open text | +a | " BAD },
	{ "7", BAD },
	{ "[7]", BAD },
	{ "x", BAD },
	/* Not Google's, but harmless. */
	{ C(T("a"), STOP) "[DONE]\n",
	    S " | open text | +a | close text" TAIL("end") },
	{ "{'candidates':[7,null,{'content':null,'finishReason':'STOP'}]}",
	    "start id=" NONE " | finish#2 end | usage" NONE " | end" },
	{ "{'candidates':[{'content':{'parts':{}},'index':-1,"
	    "'finishReason':'STOP'}]}", "start id=" NONE TAIL("end") }
};

static void
run_stream(const struct msg_sink *sink, const char *in)
{
	void *r = gemini_reader_new(sink);
	const char *end;
	struct arena a;
	struct str s;

	arena_init(&a, 1 << 20);
	s = quoted(&a, in);
	while (s.n > 0) {
		end = memchr(s.p, '\n', s.n);
		end = end == NULL ? s.p + s.n : end;
		gemini_read_event(r, str_of(""),
		    str_n(s.p, (size_t)(end - s.p)));
		s.n -= (size_t)(end - s.p);
		s.p = end;
		if (s.n > 0) {
			s.p++;
			s.n--;
		}
	}
	gemini_read_end(r);
	gemini_read_end(r);	/* once is enough */
	gemini_read_event(r, str_of(""), str_of("{\"error\":{}}"));
	gemini_reader_free(r);
	arena_free(&a);
}

static void
test_streams(void)
{
	struct msg_notes notes;
	struct msg_sink sink;
	struct arena a;
	struct buf b;
	size_t i;

	buf_init(&b, 1 << 20);
	arena_init(&a, 1 << 20);
	for (i = 0; i < N(streams); i++) {
		notes.first = NULL;
		sink.take = show_event;
		sink.arg = &b;
		sink.notes = &notes;
		sink.arena = &a;
		run_stream(&sink, streams[i].in);
		show_notes(&b, &notes);
		T_OK(str_is(buf_str(&b), streams[i].events), "%s:\n%s\n%s",
		    streams[i].in, buf_cstr(&b), streams[i].events);
		buf_clear(&b);
		arena_reset(&a);
	}
	arena_free(&a);
	buf_free(&b);
	gemini_reader_free(NULL);
}

static const struct {
	const char *in, *events;
} answers[] = {
	{ C(T("a") "," T("b"), STOP), S " | open text | +a | +b | close text"
	    TAIL("end") },
	/* A whole answer needs no reason to be whole. */
	{ C(T("a"), ""), S " | open text | +a | close text" TAIL("end") },
	{ C("", ",'logprobsResult':{ 'x':1 }"),
	    S " | finish end probs={ 'x':1 } | usage" NONE " | end" },
	/* A stream without alt=sse */
	{ "[" C(T("a"), "") "," C(T("b"), STOP) "]",
	    S " | open text | +a | +b | close text" TAIL("end") },
	{ "[{'error':{'code':400,'message':'m','status':'INVALID_ARGUMENT'}}"
	    "]", "error 0 m" },
	{ "{'promptFeedback':{'blockReason':'X'}}", "start id=" NONE
	    " | finish refusal why=Prompt blocked by the upstream (X) | "
	    "usage" NONE " | end" },
	{ END("MALFORMED_RESPONSE"), S " | error 11 Upstream ended its "
	    "answer with MALFORMED_RESPONSE" },
	{ "{}", NOBODY " | error 11 Upstream answer has no candidates" },
	{ "[]", "error 11 Upstream answer has no candidates" },
	{ "", BAD },
	{ "<html>", BAD }
};

static void
test_answers(void)
{
	struct msg_notes notes = { NULL };
	struct msg_sink sink;
	struct arena a;
	struct buf b;
	size_t i;

	buf_init(&b, 1 << 20);
	arena_init(&a, 1 << 20);
	sink.take = show_event;
	sink.arg = &b;
	sink.notes = &notes;
	sink.arena = &a;
	for (i = 0; i < N(answers); i++) {
		gemini_read_answer(&sink, quoted(&a, answers[i].in));
		T_OK(str_is(buf_str(&b), answers[i].events), "%s:\n%s\n%s",
		    answers[i].in, buf_cstr(&b), answers[i].events);
		buf_clear(&b);
		arena_reset(&a);
	}
	arena_free(&a);
	buf_free(&b);
}

/* More candidates than anyone asks for are not kept. */
static void
test_many(void)
{
	struct msg_notes notes = { NULL };
	struct msg_sink sink;
	struct arena a;
	struct buf b, in;
	int i;

	buf_init(&b, 1 << 20);
	buf_init(&in, 1 << 20);
	arena_init(&a, 1 << 20);
	sink.take = show_event;
	sink.arg = &b;
	sink.notes = &notes;
	sink.arena = &a;
	buf_adds(&in, "{\"candidates\":[");
	for (i = 0; i < 65; i++)
		buf_fmt(&in, "%s{\"index\":%d}", i > 0 ? "," : "", i * 9);
	buf_adds(&in, "]}");
	gemini_read_answer(&sink, buf_str(&in));
	T_OK(str_is(buf_str(&b), NOBODY
	    " | error 11 Upstream answer has too many candidates"), "%s",
	    buf_cstr(&b));
	arena_free(&a);
	buf_free(&in);
	buf_free(&b);
}

/* ---- writing ---- */

enum { SHOW = 1, ARRAY = 2 };

/* Events to write: what the fields are is told by the kind. */
struct step {
	enum msg_event_kind kind;
	enum msg_kind part;
	unsigned choice;
	const char *text;	/* text; FINISH: refusal; OPEN: data */
	const char *id, *name, *signature;
	int stop;		/* FINISH: stop, ERROR: class */
};

#define START { MSG_START, MSG_TEXT, 0, NULL, "id1", NULL, NULL, 0 }
#define OPEN(p) { MSG_OPEN, p, 0, NULL, NULL, NULL, NULL, 0 }
#define CALL(i, n, s) { MSG_OPEN, MSG_CALL, 0, NULL, i, n, s, 0 }
#define REDACTED(d) { MSG_OPEN, MSG_REDACTED, 0, d, NULL, NULL, NULL, 0 }
#define DELTA(p, t) { MSG_DELTA, p, 0, t, NULL, NULL, NULL, 0 }
#define CLOSE(p) { MSG_CLOSE, p, 0, NULL, NULL, NULL, NULL, 0 }
#define SIGNED(s) { MSG_CLOSE, MSG_THINK, 0, NULL, NULL, NULL, s, 0 }
#define FINISH(s, t) { MSG_FINISH, MSG_TEXT, 0, t, NULL, NULL, NULL, s }
#define OVER { MSG_USAGE, MSG_TEXT, 0, NULL, NULL, NULL, NULL, 0 }, \
	{ MSG_END, MSG_TEXT, 0, NULL, NULL, NULL, NULL, 0 }
#define ERROR(c, t) { MSG_ERROR, MSG_TEXT, 0, t, NULL, NULL, NULL, c }

#define ONE(part) "data: {'candidates':[{'content':{'role':'model'," \
	"'parts':[" part "]},'index':0}]" ENDING "\n\n"
#define ENDING ",'modelVersion':'M','responseId':'id1'}"
#define ZERO ",'usageMetadata':{'promptTokenCount':0," \
	"'candidatesTokenCount':0,'totalTokenCount':0}"
#define LAST(reason, more) "data: {'candidates':[{'content':{'role':" \
	"'model','parts':[{'text':''}]},'finishReason':'" reason "'" more \
	",'index':0}]" ZERO ENDING "\n\n"
#define ENV_T "eGwxLmEudC5VMGM9"	/* of U0c= */
#define ENV_R "eGwxLmEuci5Va1E9"	/* of UkQ= */

static const struct {
	int how;
	struct step steps[16];
	const char *out, *notes;
} writes[] = {
	{ 0, { START, OPEN(MSG_TEXT), DELTA(MSG_TEXT, "a\\n"),
	    DELTA(MSG_TEXT, ""), DELTA(MSG_TEXT, "\xe2\x80\xa8"),
	    CLOSE(MSG_TEXT), FINISH(MSG_STOP_END, NULL), OVER },
	    ONE("{'text':'a\\n'}") ONE("{'text':'\\u2028'}")
	    LAST("STOP", ""), "" },
	{ 0, { START, FINISH(MSG_STOP_MAX, NULL), OVER },
	    LAST("MAX_TOKENS", ""), "" },
	{ 0, { START, FINISH(MSG_STOP_TOOL, NULL), OVER }, LAST("STOP", ""),
	    "" },
	{ 0, { START, FINISH(MSG_STOP_SEQUENCE, NULL), OVER },
	    LAST("STOP", ""), "" },
	{ 0, { START, FINISH(MSG_STOP_PAUSE, NULL), OVER },
	    LAST("STOP", ""), "" },
	{ 0, { START, FINISH(MSG_STOP_REFUSAL, "w\\n"), OVER },
	    LAST("SAFETY", ",'finishMessage':'w\\n'"), "" },
	/* A refusal is told once. */
	{ 0, { START, OPEN(MSG_REFUSAL), DELTA(MSG_REFUSAL, "I "),
	    DELTA(MSG_REFUSAL, "won't"), CLOSE(MSG_REFUSAL),
	    FINISH(MSG_STOP_REFUSAL, "I won't"), OVER },
	    LAST("SAFETY", ",'finishMessage':'I won't'"), "" },
	/* Thoughts, asked for or not, signed or not. */
	{ SHOW, { START, OPEN(MSG_THINK), DELTA(MSG_THINK, "hm"),
	    SIGNED("U0c="), FINISH(MSG_STOP_END, NULL), OVER },
	    ONE("{'text':'hm','thought':true}")
	    ONE("{'text':'','thought':true,'thoughtSignature':'" ENV_T "'}")
	    LAST("STOP", ""), "" },
	{ 0, { START, OPEN(MSG_THINK), DELTA(MSG_THINK, "hm"),
	    SIGNED("U0c="), FINISH(MSG_STOP_END, NULL), OVER },
	    LAST("STOP", ""), "" },
	{ 0, { START, OPEN(MSG_THINK), SIGNED("U0c="),
	    FINISH(MSG_STOP_END, NULL), OVER },
	    ONE("{'text':'','thought':true,'thoughtSignature':'" ENV_T "'}")
	    LAST("STOP", ""), "" },
	{ 0, { START, OPEN(MSG_THINK), DELTA(MSG_THINK, "x"),
	    SIGNED("U0c="), OPEN(MSG_THINK), SIGNED("U0c="),
	    FINISH(MSG_STOP_END, NULL), OVER },
	    ONE("{'text':'','thought':true,'thoughtSignature':'" ENV_T "'}")
	    LAST("STOP", ""), "" },
	{ SHOW, { START, OPEN(MSG_THINK), DELTA(MSG_THINK, "hm"),
	    SIGNED("xl1.o"), OPEN(MSG_THINK), SIGNED("xl1.o"),
	    OPEN(MSG_THINK), CLOSE(MSG_THINK), FINISH(MSG_STOP_END, NULL),
	    OVER }, ONE("{'text':'hm','thought':true}") LAST("STOP", ""),
	    "" },
	{ 0, { START, REDACTED("UkQ="), CLOSE(MSG_REDACTED),
	    FINISH(MSG_STOP_END, NULL), OVER },
	    ONE("{'text':'','thought':true,'thoughtSignature':'" ENV_R "'}")
	    LAST("STOP", ""), "" },
	/* Calls in one piece, on one line. */
	{ 0, { START, CALL("c", "f", NULL), DELTA(MSG_CALL, "{\\\"a\\\":"),
	    DELTA(MSG_CALL, "\\n1.0, \\\"b\\\":\\\"\\\\u2028\\\"}"),
	    CLOSE(MSG_CALL), CALL("d", "g", "S=="), CLOSE(MSG_CALL),
	    FINISH(MSG_STOP_TOOL, NULL), OVER },
	    ONE("{'functionCall':{'id':'c','name':'f','args':{'a':1.0,"
	    "'b':'\\u2028'}}}") ONE("{'thoughtSignature':'S==',"
	    "'functionCall':{'id':'d','name':'g','args':{}}}")
	    LAST("STOP", ""), "" },
	{ 0, { START, CALL("c", "f", NULL), DELTA(MSG_CALL, "bad"),
	    CLOSE(MSG_CALL), FINISH(MSG_STOP_TOOL, NULL), OVER },
	    ONE("{'functionCall':{'id':'c','name':'f','args':{'_raw':"
	    "'bad'}}}") LAST("STOP", ""), " !repair:tool_arguments" },
	/* As an array. */
	{ ARRAY, { START, DELTA(MSG_TEXT, "a"), FINISH(MSG_STOP_END, NULL),
	    OVER }, "[{'candidates':[{'content':{'role':'model','parts':["
	    "{'text':'a'}]},'index':0}]" ENDING ",\n{'candidates':[{"
	    "'content':{'role':'model','parts':[{'text':''}]},"
	    "'finishReason':'STOP','index':0}]" ZERO ENDING "]", "" },
	{ ARRAY, { START, FINISH(MSG_STOP_END, NULL), OVER },
	    "[{'candidates':[{'content':{'role':'model','parts':[{'text':''}"
	    "]},'finishReason':'STOP','index':0}]" ZERO ENDING "]", "" },
	{ ARRAY, { START, ERROR(MSG_OVERLOADED, "m") },
	    "[{'error':{'code':503,'message':'m','status':'UNAVAILABLE'}}]",
	    "" },
	{ ARRAY, { START, DELTA(MSG_TEXT, "a"), ERROR(MSG_RATE, "m") },
	    "[{'candidates':[{'content':{'role':'model','parts':[{'text':"
	    "'a'}]},'index':0}]" ENDING ",\n{'error':{'code':429,'message':"
	    "'m','status':'RESOURCE_EXHAUSTED'}}]", "" },
	{ 0, { START, DELTA(MSG_TEXT, "a"), ERROR(MSG_SERVER, "m\\n") },
	    ONE("{'text':'a'}") "data: {'error':{'code':500,'message':"
	    "'m\\n','status':'INTERNAL'}}\n\n", "" },
	/* Several choices at once. */
	{ 0, { START, { MSG_OPEN, MSG_CALL, 1, NULL, "c", "f", NULL, 0 },
	    { MSG_OPEN, MSG_CALL, 0, NULL, "d", "g", NULL, 0 },
	    { MSG_DELTA, MSG_CALL, 1, "{}", NULL, NULL, NULL, 0 },
	    { MSG_CLOSE, MSG_CALL, 1, NULL, NULL, NULL, NULL, 0 },
	    { MSG_CLOSE, MSG_CALL, 0, NULL, NULL, NULL, NULL, 0 },
	    FINISH(MSG_STOP_MAX, NULL),
	    { MSG_FINISH, MSG_TEXT, 1, NULL, NULL, NULL, NULL,
	    MSG_STOP_END }, OVER },
	    "data: {'candidates':[{'content':{'role':'model','parts':["
	    "{'functionCall':{'id':'c','name':'f','args':{}}}]},'index':1}]"
	    ENDING "\n\n"
	    ONE("{'functionCall':{'id':'d','name':'g','args':{}}}")
	    "data: {'candidates':[{'content':{'role':'model','parts':["
	    "{'text':''}]},'finishReason':'MAX_TOKENS','index':0},"
	    "{'content':{'role':'model','parts':[{'text':''}]},"
	    "'finishReason':'STOP','index':1}]" ZERO ENDING "\n\n", "" }
};

static struct str
field(const char *s)
{
	return s == NULL ? str_n(NULL, 0) : str_of(s);
}

static void
step_event(struct msg_event *e, const struct step *s)
{
	memset(e, 0, sizeof *e);
	e->kind = s->kind;
	e->part = s->part;
	e->choice = s->choice;
	e->id = field(s->id);
	e->name = field(s->name);
	e->signature = field(s->signature);
	if (s->kind == MSG_FINISH) {
		e->stop = (enum msg_stop)s->stop;
		e->refusal = field(s->text);
	} else if (s->kind == MSG_OPEN)
		e->data = field(s->text);
	else
		e->text = field(s->text);
	if (s->kind == MSG_ERROR)
		e->class = (enum msg_class)s->stop;
	e->usage.input = e->usage.output = e->usage.reasoning = -1;
	e->usage.cache_read = e->usage.cache_write = -1;
}

static uint64_t seed;

static void
context(struct msg_context *c, struct arena *a, struct msg_notes *notes,
    int how)
{
	memset(c, 0, sizeof *c);
	notes->first = NULL;
	seed = 1;
	c->model = str_of("M");
	c->thoughts = (how & SHOW) != 0;
	c->json_array = (how & ARRAY) != 0;
	c->random = &seed;
	c->arena = a;
	c->notes = notes;
}

static void
test_writes(void)
{
	struct msg_notes notes;
	struct msg_context c;
	struct msg_event e;
	struct arena a;
	struct buf out, b, n;
	size_t i, k;
	void *w;

	buf_init(&out, 1 << 20);
	buf_init(&b, 1 << 20);
	buf_init(&n, 1 << 20);
	arena_init(&a, 1 << 20);
	for (i = 0; i < N(writes); i++) {
		context(&c, &a, &notes, writes[i].how);
		w = gemini_writer_new(&c);
		for (k = 0; k < N(writes[i].steps); k++) {
			if (k > 0 && writes[i].steps[k].kind == MSG_START)
				break;
			step_event(&e, &writes[i].steps[k]);
			T_OK(gemini_write_event(w, &e, &out) == 0, "%u/%u",
			    (unsigned)i, (unsigned)k);
		}
		gemini_writer_free(w);
		show_str(&b, "", buf_str(&out));
		show_notes(&n, &notes);
		T_OK(str_is(buf_str(&b), writes[i].out), "%u:\n%s\n%s",
		    (unsigned)i, buf_cstr(&b), writes[i].out);
		T_OK(str_is(buf_str(&n), writes[i].notes), "%u: %s",
		    (unsigned)i, buf_cstr(&n));
		buf_clear(&out);
		buf_clear(&b);
		buf_clear(&n);
		arena_reset(&a);
	}
	gemini_writer_free(NULL);
	T_OK(gemini_write_ping(&out) == 0 && out.len == 0, "ping");
	arena_free(&a);
	buf_free(&n);
	buf_free(&b);
	buf_free(&out);
}

/* Usage, log probabilities, ids that are missing. */
static void
test_details(void)
{
	static const struct step start = { MSG_START, MSG_TEXT, 0, NULL, "",
	    NULL, NULL, 0 }, call = CALL(NULL, "f", NULL),
	    close = CLOSE(MSG_CALL), over[] = { OVER };
	struct msg_notes notes;
	struct msg_context c;
	struct msg_event e;
	struct arena a;
	struct buf out;
	struct json_value v;
	const char *s;
	void *w;

	buf_init(&out, 1 << 20);
	arena_init(&a, 1 << 20);
	context(&c, &a, &notes, 0);
	c.json_array = 1;
	w = gemini_writer_new(&c);
	step_event(&e, &start);
	T_OK(gemini_write_event(w, &e, &out) == 0, "start");
	step_event(&e, &call);
	T_OK(gemini_write_event(w, &e, &out) == 0, "call");
	step_event(&e, &close);
	T_OK(gemini_write_event(w, &e, &out) == 0, "close");
	memset(&e, 0, sizeof e);
	e.kind = MSG_FINISH;
	e.logprobs_of = DIALECT_OPENAI;
	e.logprobs = tree_parse(&a, quoted(&a, "{'content':[{'token':'a\\n',"
	    "'logprob':-0.50,'bytes':[1],'top_logprobs':[{'token':'b',"
	    "'logprob':-1},{'token':'c'}]},{'token':'d','logprob':-2}]}"));
	T_OK(gemini_write_event(w, &e, &out) == 0, "finish");
	step_event(&e, &over[0]);
	e.usage.input = 10;
	e.usage.cache_read = 5;
	e.usage.cache_write = 2;
	e.usage.output = 7;
	e.usage.reasoning = 3;
	T_OK(gemini_write_event(w, &e, &out) == 0, "usage");
	step_event(&e, &over[1]);
	T_OK(gemini_write_event(w, &e, &out) == 0, "end");
	gemini_writer_free(w);
	T_OK(json_valid(buf_str(&out), NULL, NULL), "%s", buf_cstr(&out));
	s = strstr(buf_cstr(&out), "\"id\":\"call_");
	T_OK(s != NULL && strspn(s + 11, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == 24, "%s",
	    buf_cstr(&out));
	T_OK(json_get(buf_str(&out), "1.responseId", &v) == 0 &&
	    v.raw.n > 10, "an id of its own");
	T_OK(json_get(buf_str(&out), "1.usageMetadata", &v) == 0 &&
	    str_is(v.raw, "{\"promptTokenCount\":17,"
	    "\"candidatesTokenCount\":4,\"totalTokenCount\":24,"
	    "\"thoughtsTokenCount\":3,\"cachedContentTokenCount\":5}"),
	    "%s", buf_cstr(&out));
	T_OK(json_get(buf_str(&out), "1.candidates.0.logprobsResult", &v) ==
	    0 && str_eq(v.raw, quoted(&a, "{'chosenCandidates':[{'token':"
	    "'a\\n','logProbability':-0.50},{'token':'d','logProbability':"
	    "-2}],'topCandidates':[{'candidates':[{'token':'b',"
	    "'logProbability':-1},{'token':'c','logProbability':0}]},"
	    "{'candidates':[]}]}")), "%s", buf_cstr(&out));
	arena_free(&a);
	buf_free(&out);
}

/* No room: -1, however far it came. */
static void
test_room(void)
{
	static const struct step steps[] = {
		START, OPEN(MSG_TEXT), DELTA(MSG_TEXT, "a"), CLOSE(MSG_TEXT),
		CALL("c", "f", NULL), CLOSE(MSG_CALL),
		FINISH(MSG_STOP_TOOL, NULL), OVER
	};
	struct msg_notes notes;
	struct msg_context c;
	struct msg_event e;
	struct arena a;
	struct buf out;
	size_t room, k;
	int rc;
	void *w;

	arena_init(&a, 1 << 20);
	for (room = 0; room < 400; room += 7) {
		context(&c, &a, &notes, 0);
		buf_init(&out, room);
		w = gemini_writer_new(&c);
		rc = 0;
		for (k = 0; k < N(steps) && rc == 0; k++) {
			step_event(&e, &steps[k]);
			rc = gemini_write_event(w, &e, &out);
		}
		T_OK(rc == -1, "%u", (unsigned)room);
		gemini_writer_free(w);
		buf_free(&out);
	}
	arena_free(&a);
}

/* ---- whole answers ---- */

static const struct {
	int how;
	struct step steps[16];
	const char *candidates;	/* without their brackets */
} wholes[] = {
	{ 0, { START, FINISH(MSG_STOP_END, NULL), OVER },
	    "{'content':{'role':'model','parts':[{'text':''}]},"
	    "'finishReason':'STOP','index':0}" },
	{ 0, { START, OPEN(MSG_TEXT), DELTA(MSG_TEXT, "a"),
	    DELTA(MSG_TEXT, "b"), CLOSE(MSG_TEXT), OPEN(MSG_TEXT),
	    CLOSE(MSG_TEXT), CALL("c", "f", NULL), DELTA(MSG_CALL,
	    "{ \\\"a\\\" : 1}"), CLOSE(MSG_CALL),
	    FINISH(MSG_STOP_TOOL, NULL), OVER },
	    "{'content':{'role':'model','parts':[{'text':'ab'},"
	    "{'functionCall':{'id':'c','name':'f','args':{'a':1}}}]},"
	    "'finishReason':'STOP','index':0}" },
	{ SHOW, { START, OPEN(MSG_THINK), DELTA(MSG_THINK, "hm"),
	    SIGNED("U0c="), REDACTED("UkQ="), CLOSE(MSG_REDACTED),
	    OPEN(MSG_THINK), DELTA(MSG_THINK, "x"), SIGNED("xl1.o"),
	    FINISH(MSG_STOP_END, NULL), OVER },
	    "{'content':{'role':'model','parts':[{'text':'hm','thought':"
	    "true,'thoughtSignature':'" ENV_T "'},{'text':'','thought':true,"
	    "'thoughtSignature':'" ENV_R "'},{'text':'x','thought':true}]},"
	    "'finishReason':'STOP','index':0}" },
	{ 0, { START, OPEN(MSG_THINK), DELTA(MSG_THINK, "hm"),
	    SIGNED("U0c="), OPEN(MSG_THINK), SIGNED("U0c="),
	    REDACTED("UkQ="), CLOSE(MSG_REDACTED), OPEN(MSG_THINK),
	    SIGNED("xl1.o"), FINISH(MSG_STOP_END, NULL), OVER },
	    "{'content':{'role':'model','parts':[{'text':'','thought':true,"
	    "'thoughtSignature':'" ENV_T "'},{'text':'','thought':true,"
	    "'thoughtSignature':'" ENV_R "'}]},'finishReason':'STOP',"
	    "'index':0}" },
	{ 0, { START, OPEN(MSG_REFUSAL), DELTA(MSG_REFUSAL, "no"),
	    CLOSE(MSG_REFUSAL), FINISH(MSG_STOP_REFUSAL, "no"), OVER },
	    "{'content':{'role':'model','parts':[{'text':''}]},"
	    "'finishReason':'SAFETY','finishMessage':'no','index':0}" },
	{ 0, { START, FINISH(MSG_STOP_REFUSAL, "w"), OVER },
	    "{'content':{'role':'model','parts':[{'text':''}]},"
	    "'finishReason':'SAFETY','finishMessage':'w','index':0}" },
	{ 0, { START, { MSG_OPEN, MSG_TEXT, 1, NULL, NULL, NULL, NULL, 0 },
	    { MSG_DELTA, MSG_TEXT, 1, "b", NULL, NULL, NULL, 0 },
	    { MSG_CLOSE, MSG_TEXT, 1, NULL, NULL, NULL, NULL, 0 },
	    FINISH(MSG_STOP_MAX, NULL), { MSG_FINISH, MSG_TEXT, 1, NULL,
	    NULL, NULL, NULL, MSG_STOP_END }, OVER },
	    "{'content':{'role':'model','parts':[{'text':''}]},"
	    "'finishReason':'MAX_TOKENS','index':0},{'content':{'role':"
	    "'model','parts':[{'text':'b'}]},'finishReason':'STOP',"
	    "'index':1}" }
};

static void
test_wholes(void)
{
	struct msg_notes notes;
	struct msg_context c;
	struct msg_gather g;
	struct msg_event e;
	struct arena a;
	struct buf out, want, b;
	size_t i, k;

	buf_init(&out, 1 << 20);
	buf_init(&want, 1 << 20);
	buf_init(&b, 1 << 20);
	arena_init(&a, 1 << 20);
	for (i = 0; i < N(wholes); i++) {
		context(&c, &a, &notes, wholes[i].how);
		msg_gather_start(&g, &a, &notes);
		for (k = 0; k < N(wholes[i].steps); k++) {
			if (k > 0 && wholes[i].steps[k].kind == MSG_START)
				break;
			step_event(&e, &wholes[i].steps[k]);
			msg_gather_take(&g, &e);
		}
		T_OK(gemini_write_answer(&out, &c, &g) == 0, "%u",
		    (unsigned)i);
		msg_gather_free(&g);
		show_str(&b, "", buf_str(&out));
		buf_adds(&want, "{'candidates':[");
		buf_adds(&want, wholes[i].candidates);
		buf_adds(&want, "]" ZERO ENDING);
		T_OK(str_eq(buf_str(&b), buf_str(&want)), "%u:\n%s\n%s",
		    (unsigned)i, buf_cstr(&b), buf_cstr(&want));
		buf_clear(&out);
		buf_clear(&want);
		buf_clear(&b);
		arena_reset(&a);
	}
	arena_free(&a);
	buf_free(&b);
	buf_free(&want);
	buf_free(&out);
}

int
main(void)
{
	test_streams();
	test_answers();
	test_many();
	test_writes();
	test_details();
	test_room();
	test_wholes();
	return t_end();
}
