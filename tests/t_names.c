#include <stdio.h>
#include <string.h>

#include "dialect/names.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])

#define A DIALECT_ANTHROPIC
#define O DIALECT_OPENAI
#define G DIALECT_GEMINI
#define ANY DIALECT_ANY

#define N10 "nnnnnnnnnn"
#define N50 N10 N10 N10 N10 N10
#define X40 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG_MCP "mcp__a_very_long_server_name_for_testing__" \
	"and_an_even_longer_tool_name_x"

static int
is(struct str s, const char *want)
{
	return want == NULL ? s.p == NULL : s.p != NULL && str_is(s, want);
}

/* For "%.*s". */
#define SHOW(s) (int)(s).n, (s).n > 0 ? (s).p : ""

/* One name alone (N-1). */
static const struct {
	enum dialect d;
	const char *name, *sent;
} shapes[] = {
	{ A, "get_weather-2", "get_weather-2" },
	{ A, "a.b", "a_b" },
	{ A, "a b/c", "a_b_c" },
	{ A, "2x", "2x" },
	{ A, "", "_" },
	{ A, "\xc3\xa4", "_" },
	{ A, "\xc3\xa9x\xf0\x9f\x98\x80", "_x_" },
	{ A, "\xe2\x82", "_" },
	{ A, "\x80\x80", "__" },
	{ A, N50 N10 "nnnn", N50 N10 "nnnn" },
	{ A, N50 N10 "nnnnn", N50 "nnnnn_99070731" },
	{ O, LONG_MCP, "mcp__a_very_long_server_name_for_testing__"
	    "and_an_even_l_ef43b8f3" },
	{ O, "a.b:c", "a_b_c" },
	{ G, "a.b:c-d_e", "a.b:c-d_e" },
	{ G, "a b", "a_b" },
	{ G, "1x", "_1x" },
	{ G, "-x", "_-x" },
	{ G, ".x", "_.x" },
	{ G, "_x", "_x" },
	{ G, "\xc3\xa4x", "_x" },
	{ G, "", "_" },
	{ G, "1" N50 N10 "nn", "_1" N50 N10 "nn" },
	{ G, "1" N50 N10 "nnn", "_1" N50 "nnn_bec4341a" },
	{ ANY, "a b", "a b" },
	{ ANY, "", "" }
};

static void
test_shape(void)
{
	struct msg_request r;
	struct msg_tool *tool;
	struct arena a;
	struct names n;
	size_t i;

	for (i = 0; i < N(shapes); i++) {
		arena_init(&a, 1 << 20);
		memset(&r, 0, sizeof r);
		r.arena = &a;
		tool = msg_tool_add(&a, &r.tools);
		tool->name = str_of(shapes[i].name);
		T_OK(names_map(&n, &r, shapes[i].d) == 0, "%u", (unsigned)i);
		T_OK(is(tool->sent, shapes[i].sent), "%s: %.*s",
		    shapes[i].name, SHOW(tool->sent));
		arena_free(&a);
	}
}

static struct msg_part *
add_part(struct msg_request *r, enum msg_role role, enum msg_kind kind,
    const char *name)
{
	struct msg_turn *t = msg_turn_add(r->arena, &r->turns, role);
	struct msg_part *p = msg_part_add(r->arena, &t->parts, kind);

	p->name = str_of(name);
	return p;
}

/* Definitions come first, then the history; each name once. */
static void
test_map(void)
{
	static const char *const names[] = { "a_b", "a.b", "a_b_108bf50c",
	    "Read", "a.b" };
	static const char *const sent[] = { "a_b", "a_b_108bf50c",
	    "a_b_108bf50c_ff4fad91", "Read", "a_b_108bf50c" };
	struct msg_part *call, *result, *bare, *custom, *again;
	struct msg_tool *tool;
	struct msg_request r;
	struct arena a;
	struct names n;
	struct str back;
	size_t i;
	int c;

	arena_init(&a, 1 << 20);
	memset(&r, 0, sizeof r);
	r.arena = &a;
	call = add_part(&r, MSG_ASSISTANT, MSG_CALL, "Re.ad");
	result = add_part(&r, MSG_USER, MSG_RESULT, "Re.ad");
	bare = add_part(&r, MSG_USER, MSG_RESULT, NULL);
	custom = add_part(&r, MSG_ASSISTANT, MSG_CALL, "pa tch");
	custom->custom = 1;
	again = add_part(&r, MSG_ASSISTANT, MSG_CALL, "Re_ad");
	for (i = 0; i < N(names); i++) {
		tool = msg_tool_add(&a, &r.tools);
		tool->name = str_of(names[i]);
		tool->custom = i == 3;
	}
	r.choice = MSG_CHOICE_TOOL;
	r.choice_name = str_of("a.b");
	T_OK(names_map(&n, &r, A) == 0, "map");
	for (i = 0, tool = r.tools; tool != NULL; tool = tool->next, i++) {
		T_OK(is(tool->sent, sent[i]), "%s: %.*s", names[i],
		    SHOW(tool->sent));
		back = names_back(&n, tool->sent, &c);
		T_OK(is(back, names[i]) && c == (i == 3), "%s: %.*s %d",
		    names[i], SHOW(back), c);
	}
	T_OK(is(call->sent, "Re_ad"), "%.*s", SHOW(call->sent));
	T_OK(is(result->sent, "Re_ad"), "%.*s", SHOW(result->sent));
	T_OK(bare->sent.p == NULL, "a result whose name is not known");
	T_OK(is(again->sent, "Re_ad_d1293ad0"), "%.*s", SHOW(again->sent));
	T_OK(is(r.choice_sent, "a_b_108bf50c"), "%.*s", SHOW(r.choice_sent));
	back = names_back(&n, str_of("pa_tch"), &c);
	T_OK(is(back, "pa tch") && c, "custom: %.*s", SHOW(back));
	arena_free(&a);
}

static const struct {
	const char *sent, *name;
	int custom;
} backs[] = {
	{ "Read", "Read", 0 },
	{ "ns_edit", "ns.edit", 1 },
	{ "default_api:Read", "Read", 0 },
	{ "default_api.ns_edit", "ns.edit", 1 },
	{ "default_api:own", "default_api:own", 0 },
	{ "default_api:", "default_api:", 0 },
	{ "default_api", "default_api", 0 },
	{ "default_api-Read", "default_api-Read", 0 },
	{ "READ", "Read", 0 },
	{ "NS_Edit", "ns.edit", 1 },
	{ "default_api:read", "Read", 0 },
	{ "twin", "twin", 0 },
	{ "Twin", "Twin", 0 },
	{ "TWIN", "TWIN", 0 },
	{ "other", "other", 0 },
	{ "", "", 0 }
};

static void
test_back(void)
{
	static const char *const names[] = { "Read", "ns.edit", "twin",
	    "Twin", "default_api_x" };
	struct msg_request r;
	struct msg_tool *tool;
	struct arena a;
	struct names n;
	struct str got;
	size_t i;
	int custom;

	arena_init(&a, 1 << 20);
	memset(&r, 0, sizeof r);
	r.arena = &a;
	T_OK(names_map(&n, &r, A) == 0, "no names");
	got = names_back(&n, str_of("x"), &custom);
	T_OK(is(got, "x") && !custom, "%.*s", SHOW(got));
	for (i = 0; i < N(names); i++) {
		tool = msg_tool_add(&a, &r.tools);
		tool->name = str_of(names[i]);
		tool->custom = i == 1;
	}
	T_OK(names_map(&n, &r, A) == 0, "map");
	for (i = 0; i < N(backs); i++) {
		custom = -1;
		got = names_back(&n, str_of(backs[i].sent), &custom);
		T_OK(is(got, backs[i].name) && custom == backs[i].custom,
		    "%s: %.*s %d", backs[i].sent, SHOW(got), custom);
	}
	arena_free(&a);
}

/* Many names: each is found again, and none is sent as another's. */
static void
test_many(void)
{
	enum { MANY = 3000 };
	static char names[MANY][12];
	struct msg_request r;
	struct msg_tool *tool, **end;
	struct arena a;
	struct names n;
	struct str got;
	unsigned i;
	int custom;

	arena_init(&a, 8 << 20);
	memset(&r, 0, sizeof r);
	r.arena = &a;
	end = &r.tools;
	for (i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof names[i], "t%c%u",
		    ".:_"[i % 3], i / 3);
		tool = msg_tool_add(&a, end);
		tool->name = str_of(names[i]);
		end = &tool->next;
	}
	T_OK(names_map(&n, &r, A) == 0, "map");
	for (tool = r.tools, i = 0; tool != NULL; tool = tool->next, i++) {
		got = names_back(&n, tool->sent, &custom);
		T_OK(is(got, names[i]), "%s: %.*s", names[i], SHOW(got));
	}
	T_OK(i == MANY, "%u", i);
	arena_free(&a);
}

static const struct {
	enum dialect d;
	const char *id, *to;
} ids[] = {
	{ A, "toolu_01-x", "toolu_01-x" },
	{ A, "call:1", "call_1_b1635388" },
	{ A, "call 1", "call_1_354a8b6e" },
	{ A, "\xc3\xa9x\xf0\x9f\x98\x80", "_x__1ea88c62" },
	{ A, X40 "x", X40 "x" },
	{ A, "", "" },
	{ O, "call:1", "call:1" },
	{ O, X40, X40 },
	{ O, X40 "x", "call_58410f4ba453b627" },
	{ O, "toolu_0123456789abcdefghijklmnopqrstuvwxyz_long",
	    "call_9cee7bae254166aa" },
	{ G, X40 ":" X40, X40 ":" X40 },
	{ ANY, "a b", "a b" }
};

static void
test_ids(void)
{
	struct msg_part *call, *result, *text;
	struct msg_request r;
	struct arena a;
	struct str got;
	size_t i;

	arena_init(&a, 1 << 20);
	memset(&r, 0, sizeof r);
	r.arena = &a;
	for (i = 0; i < N(ids); i++) {
		got = names_id(&a, str_of(ids[i].id), ids[i].d);
		T_OK(is(got, ids[i].to), "%s: %.*s", ids[i].id, SHOW(got));
		got = names_id(&a, got, ids[i].d);
		T_OK(is(got, ids[i].to), "%s twice: %.*s", ids[i].id,
		    SHOW(got));
	}
	call = add_part(&r, MSG_ASSISTANT, MSG_CALL, "f");
	result = add_part(&r, MSG_USER, MSG_RESULT, "f");
	text = add_part(&r, MSG_USER, MSG_TEXT, "f");
	call->id = result->id = text->id = str_of("call:1");
	T_OK(names_ids(&r, A) == 0, "ids");
	T_OK(is(call->id, "call_1_b1635388"), "%.*s", SHOW(call->id));
	T_OK(is(result->id, "call_1_b1635388"), "%.*s", SHOW(result->id));
	T_OK(is(text->id, "call:1"), "%.*s", SHOW(text->id));
	arena_free(&a);
}

static const struct {
	const char *id, *base, *signature;
} splits[] = {
	{ "call_7__ts_QWJjKw", "call_7", "Abc+" },
	{ "fc9__ts_VTBsSFBRPT0", "fc9", "U0lHPQ==" },
	{ "__ts_QQ", "__ts_QQ", NULL },	/* no base */
	{ "a__ts_QQ__ts_QWJj", "a__ts_QQ", "Abc" },
	/* the last one counts, even if it is none */
	{ "a__ts_QQ__ts_", "a__ts_QQ__ts_", NULL },
	{ "a__ts_QQ__ts_!", "a__ts_QQ__ts_!", NULL },
	{ "call_7", "call_7", NULL },
	{ "call_7__ts_", "call_7__ts_", NULL },
	{ "call_7__ts_Q", "call_7__ts_Q", NULL },	/* no whole byte */
	{ "call_7__ts_QR", "call_7__ts_QR", NULL },	/* a spare bit set */
	{ "call_7__ts_QQ==", "call_7__ts_QQ==", NULL },
	{ "call_7__ts_QW+j", "call_7__ts_QW+j", NULL },
	{ "call_7__ts_-_-_", "call_7", "\xfb\xff\xbf" },
	{ "__ts", "__ts", NULL },
	{ "x__ts_QW Jj", "x__ts_QW Jj", NULL },
	{ "", "", NULL }
};

static void
test_carrier(void)
{
	struct str base, signature, again;
	struct arena a;
	uint64_t random = 7;
	unsigned i, k, n;
	char bytes[40];

	arena_init(&a, 8 << 20);
	for (i = 0; i < N(splits); i++) {
		base = names_split(&a, str_of(splits[i].id), &signature);
		T_OK(is(base, splits[i].base) &&
		    is(signature, splits[i].signature), "%s: %.*s, %.*s",
		    splits[i].id, SHOW(base), SHOW(signature));
		again = names_carry(&a, base, signature);
		T_OK(is(again, splits[i].id), "%s: %.*s", splits[i].id,
		    SHOW(again));
	}
	again = names_carry(&a, str_of("c"), str_n("", 0));
	T_OK(is(again, "c"), "an empty signature is none");
	for (i = 0; i < 2000; i++) {
		n = 1 + (unsigned)(util_random(&random) % sizeof bytes);
		for (k = 0; k < n; k++)
			bytes[k] = (char)util_random(&random);
		again = names_carry(&a, str_of("x"), str_n(bytes, n));
		base = names_split(&a, again, &signature);
		T_OK(is(base, "x") && str_eq(signature, str_n(bytes, n)),
		    "%.*s", SHOW(again));
	}
	arena_free(&a);
}

/* 1 if s is a prefix and 24 letters and digits. */
static int
is_random(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (!str_starts(s, prefix) || s.n != n + 24)
		return 0;
	for (; n < s.n; n++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz0123456789", s.p[n]) == NULL ||
		    s.p[n] == '\0')
			return 0;
	return 1;
}

static const struct {
	enum dialect d;
	enum dialect_op op;
	const char *id, *to;	/* to ends in '*': random after it */
} answers[] = {
	{ A, OP_GENERATE, "chatcmpl-AbC1", "msg_AbC1" },
	{ A, OP_GENERATE, "msg_01Xy", "msg_01Xy" },
	{ A, OP_GENERATE, "chatcmpl-msg_1", "msg_msg_1" },
	{ A, OP_GENERATE, "g-resp-1", "msg_g-resp-1" },
	{ A, OP_GENERATE, "gen.1/\xc3\xa4 2", "msg_gen12" },
	{ A, OP_GENERATE, "", "msg_*" },
	{ A, OP_GENERATE, "msg_", "msg_*" },
	{ A, OP_GENERATE, "chatcmpl-...", "msg_*" },
	{ O, OP_GENERATE, "chatcmpl-AbC1", "chatcmpl-AbC1" },
	{ O, OP_GENERATE, "msg_01Xy", "chatcmpl-msg_01Xy" },
	{ O, OP_GENERATE, "gR1", "chatcmpl-gR1" },
	{ O, OP_GENERATE, "", "chatcmpl-*" },
	{ O, OP_RESPONSES, "msg_01", "resp_msg_01" },
	{ O, OP_RESPONSES, "chatcmpl-9", "resp_9" },
	{ O, OP_RESPONSES, "", "resp_*" },
	{ G, OP_GENERATE, "chatcmpl-AbC1", "chatcmpl-AbC1" },
	{ G, OP_GENERATE, "msg_01", "msg_01" },
	{ G, OP_GENERATE, "a:b", "ab" },
	{ G, OP_GENERATE, "", "*" }
};

static void
test_answers(void)
{
	struct str got, second;
	struct arena a;
	uint64_t random = 1;
	char prefix[32];
	size_t i, n;

	arena_init(&a, 1 << 20);
	for (i = 0; i < N(answers); i++) {
		got = names_answer_id(&a, str_of(answers[i].id), answers[i].d,
		    answers[i].op, &random);
		n = strlen(answers[i].to);
		memcpy(prefix, answers[i].to, n);
		prefix[n - (n > 0 && prefix[n - 1] == '*')] = '\0';
		T_OK(answers[i].to[n - 1] == '*' ? is_random(got, prefix) :
		    is(got, answers[i].to), "%s: %.*s", answers[i].id,
		    SHOW(got));
	}
	got = names_new_id(&a, &random, A);
	T_OK(is_random(got, "toolu_"), "%.*s", SHOW(got));
	got = names_new_id(&a, &random, O);
	T_OK(is_random(got, "call_"), "%.*s", SHOW(got));
	second = names_new_id(&a, &random, G);
	T_OK(is_random(second, "call_") && !str_eq(got, second), "%.*s",
	    SHOW(second));
	arena_free(&a);
}

static const struct {
	const char *envelope;
	int what;
	const char *inside;
} envelopes[] = {
	{ "eGwxLmEudC5VMmxu", 1, "U2ln" },
	{ "eGwxLmEuci5Va1ZF", 2, "UkVE" },
	{ "eGwxLmEudC5VMGM9", 1, "U0c=" },
	{ "eGwxLmEudC4=", 1, "" },
	{ "eGwxLmEudC4", 1, "" },		/* padding left out */
	{ "eGwxLmEudC77_w==", 1, "\xfb\xff" },	/* url-safe */
	{ "eGwxLmEudC77/w==", 1, "\xfb\xff" },
	{ "eGwxLmEueC5VMmxu", 0, NULL },	/* xl1.a.x. */
	{ "eGwxLmEu", 0, NULL },		/* cut short */
	{ "eGwxLmEu!!!!", 0, NULL },
	{ "eGwxLmcudC5VMmxu", 0, NULL },	/* xl1.g.t. */
	{ "xl1.a.t.U2ln", 0, NULL },
	{ "QWJj", 0, NULL },
	{ "", 0, NULL }
};

static void
test_marks(void)
{
	struct str inside, sealed;
	struct arena a;
	size_t i;
	int what;

	arena_init(&a, 1 << 20);
	T_OK(names_marked(str_of("xl1.o")), "xl1.o");
	T_OK(names_marked(str_of("xl1.g")), "xl1.g");
	T_OK(!names_marked(str_of("xl1")), "xl1");
	T_OK(!names_marked(str_of("EqQBxl1.")), "EqQB");
	T_OK(!names_marked(str_n(NULL, 0)), "none");
	for (i = 0; i < N(envelopes); i++) {
		what = names_open(&a, str_of(envelopes[i].envelope), &inside);
		T_OK(what == envelopes[i].what &&
		    is(inside, envelopes[i].inside), "%s: %d %.*s",
		    envelopes[i].envelope, what, SHOW(inside));
	}
	for (i = 0; i < 2; i++) {
		sealed = names_seal(&a, str_of("EqQB+/c="), (int)i);
		what = names_open(&a, sealed, &inside);
		T_OK(what == (int)i + 1 && is(inside, "EqQB+/c="),
		    "%.*s: %d %.*s", SHOW(sealed), what, SHOW(inside));
	}
	sealed = names_seal(&a, str_of("U2ln"), 0);
	T_OK(is(sealed, "eGwxLmEudC5VMmxu"), "%.*s", SHOW(sealed));
	sealed = names_seal(&a, str_n(NULL, 0), 1);
	T_OK(is(sealed, "eGwxLmEuci4="), "%.*s", SHOW(sealed));
	arena_free(&a);
}

/* Every call with too little room ends in nothing, and in bad. */
static void
test_memory(void)
{
	struct msg_tool tool, other;
	struct msg_request r;
	struct names n;
	struct arena a;
	struct str got, signature;
	uint64_t random = 1;
	size_t max;
	int rc, done = 0;

	for (max = 0; !done && max < 4096; max++) {
		arena_init(&a, max);
		memset(&r, 0, sizeof r);
		memset(&tool, 0, sizeof tool);
		other = tool;
		tool.name = str_of("1" N50 N50);
		tool.next = &other;
		other.name = str_of("_1" N50 "nnn_b964d3b4");
		r.tools = &tool;
		r.arena = &a;
		rc = names_map(&n, &r, G);
		got = names_id(&a, str_of("a b"), A);
		T_OK(a.bad || is(got, "a_b_10a3f9f2"), "%.*s", SHOW(got));
		names_split(&a, str_of("x__ts_QWJj"), &signature);
		names_carry(&a, got, str_of("signature"));
		names_new_id(&a, &random, A);
		names_answer_id(&a, got, O, OP_GENERATE, &random);
		names_open(&a, names_seal(&a, got, 0), &signature);
		names_id(&a, str_of(X40 X40), O);
		T_OK(rc == 0 || a.bad, "%u", (unsigned)max);
		T_OK(rc == -1 || (tool.sent.n == 64 && other.sent.n == 64 &&
		    !str_eq(tool.sent, other.sent)), "%.*s",
		    SHOW(other.sent));
		done = !a.bad;
		arena_free(&a);
	}
	T_OK(done, "it never fits");
}

int
main(void)
{
	test_shape();
	test_map();
	test_back();
	test_many();
	test_ids();
	test_carrier();
	test_answers();
	test_marks();
	test_memory();
	return t_end();
}
