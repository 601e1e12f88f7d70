#include <stdio.h>
#include <string.h>

#include "dialect/profile.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])

static const char *const words[] = { "none", "manual", "dual", "adaptive",
	"always", "budget", "level", "effort" };

/* What a profile says, in words. */
static void
show(char *at, size_t n, const struct profile *p)
{
	static const char letters[] = "?nmlMhxX";
	char efforts[9];
	size_t i, k = 0;

	for (i = 0; i < 8; i++)
		if (p->efforts & 1u << i)
			efforts[k++] = letters[i];
	efforts[k] = '\0';
	snprintf(at, n, "%s%s%s%s%s%s%s%s %ld..%ld [%s] %lu",
	    words[p->thinking], p->sampling ? " sampling" : "",
	    p->both ? " both" : "", p->prefill ? " prefill" : "",
	    p->schema ? " schema" : "", p->json_tools ? " json_tools" : "",
	    p->result_media ? " media" : "", p->cannot_off ? " on" : "",
	    (long)p->budget_min, (long)p->budget_max, efforts,
	    (unsigned long)p->max_tokens);
}

#define A DIALECT_ANTHROPIC
#define O DIALECT_OPENAI
#define G DIALECT_GEMINI

#define OLD "none sampling both prefill 0..0 [] "
#define C37 "manual sampling both prefill 0..0 [] 32000"
#define C41 "manual sampling prefill 0..0 [] 32000"
#define OPUS41 "manual sampling prefill schema 0..0 [] 32000"
#define C45 OPUS41
#define C46 "dual sampling schema 0..0 [lMhX] 32000"
#define NEWER "adaptive schema 0..0 [lMhxX] 32000"
#define ALWAYS "always schema 0..0 [lMhxX] 32000"
#define PLAIN "none sampling both prefill schema 0..0 [] 0"
#define REASON(x) "effort both prefill schema 0..0 [" x "] 0"
#define G2(x) "budget sampling both prefill schema " x " [] 0"
#define G3(x) "level sampling both prefill schema json_tools media 0..0 [" \
	x "] 0"

static const struct {
	enum dialect dialect;
	const char *model, *says;
} models[] = {
	/* below 3.7 */
	{ A, "claude-2.1", OLD "4096" },
	{ A, "claude-instant-1.2", OLD "4096" },
	{ A, "claude-3-haiku-20240307", OLD "4096" },
	{ A, "claude-3-opus-20240229", OLD "4096" },
	{ A, "claude-3-5-sonnet-20241022", OLD "8192" },
	{ A, "claude-3.5-haiku", OLD "8192" },
	{ A, "anthropic/claude-3.5-sonnet:beta", OLD "8192" },
	/* 3.7 to 4.5 */
	{ A, "claude-3-7-sonnet-20250219", C37 },
	{ A, "claude-3-7-sonnet-latest", C37 },
	{ A, "claude-opus-4-20250514", C37 },
	{ A, "claude-sonnet-4@20250514", C37 },
	{ A, "claude-sonnet-4-0", C37 },
	{ A, "claude-4-sonnet-20250514", C37 },
	{ A, "claude-opus-4-1-20250805", OPUS41 },
	{ A, "claude-sonnet-4-1", C41 },
	{ A, "claude-sonnet-4-5", C45 },
	{ A, "claude-haiku-4-5", C45 },
	{ A, "Claude-Sonnet-4.5", C45 },
	{ A, "us.anthropic.claude-sonnet-4-5-20250929-v1:0", C45 },
	{ A, "arn:aws:bedrock:us-east-1::foundation-model/"
	    "anthropic.claude-sonnet-4-5-20250929-v1:0", C45 },
	{ A, "projects/9-9/claude-opus-4-5@20251101", C45 },
	/* 4.6 and later */
	{ A, "claude-opus-4-6", C46 },
	{ A, "claude-sonnet-4.6", C46 },
	{ A, "claude-opus-4-7", NEWER },
	{ A, "claude-opus-4-8", NEWER },
	{ A, "claude-opus-4-10", NEWER },
	{ A, "claude-opus-5", NEWER },
	{ A, "claude-opus-5-4", NEWER },
	{ A, "claude-sonnet-5-5", NEWER },
	{ A, "claude-opus-latest", NEWER },
	{ A, "claude-fable", NEWER },
	{ A, "claude", NEWER },
	{ A, "claude-opus-5-5", ALWAYS },
	{ A, "claude-opus-6-20270101", ALWAYS },
	{ A, "claude-fable-5", ALWAYS },
	{ A, "Claude-Mythos-5-1", ALWAYS },
	{ A, "claude-mythos-4-9", NEWER },
	/* somebody else's */
	{ A, "glm-4.6", C37 },
	{ A, "qwen3-max", C37 },
	{ A, "claude-proxy/kimi-2", C37 },
	{ A, "", C37 },

	{ O, "gpt-4o", PLAIN },
	{ O, "gpt-4.5-preview", PLAIN },
	{ O, "gpt-oss-120b", PLAIN },
	{ O, "gpt-", PLAIN },
	{ O, "qwen3-max", PLAIN },
	{ O, "olmo-2", PLAIN },
	{ O, "o", PLAIN },
	{ O, "", PLAIN },
	{ O, "gpt-5-chat-latest", PLAIN },
	{ O, "chatgpt-4o-latest", PLAIN },
	{ O, "ft:gpt-4o:me::1", PLAIN },
	{ O, "o1", REASON("lMh") },
	{ O, "o3-mini", REASON("lMh") },
	{ O, "O4-mini-2025-04-16", REASON("lMh") },
	{ O, "ft:o4-mini:me::1", REASON("lMh") },
	{ O, "openai/o3", REASON("lMh") },
	{ O, "gpt-5", REASON("mlMh") },
	{ O, "gpt-5-mini-2025-08-07", REASON("mlMh") },
	{ O, "GPT-5-codex", REASON("mlMh") },
	{ O, "gpt-5.1", REASON("nlMh") },
	{ O, "openai/gpt-5.1-codex", REASON("nlMh") },
	{ O, "gpt-5.2", REASON("nlMhx") },
	{ O, "gpt-5.10", REASON("nlMhx") },
	{ O, "gpt-5.4-pro", REASON("nlMhx") },
	{ O, "gpt-6", REASON("nlMhx") },
	{ O, "gpt-10.1", REASON("nlMhx") },
	{ O, "gpt-99999999999999999999", REASON("nlMhx") },

	{ G, "gemini-1.5-pro", PLAIN },
	{ G, "gemini-2.0-flash-lite", PLAIN },
	{ G, "gemini-2.5-pro", "budget sampling both prefill schema on "
	    "128..32768 [] 0" },
	{ G, "gemini-2.5-flash-lite", G2("512..24576") },
	{ G, "gemini-2.5-flash-preview-09-2025", G2("0..24576") },
	{ G, "projects/x/models/gemini-2.5-flash", G2("0..24576") },
	{ G, "Gemini-2.5-Flash", G2("0..24576") },
	{ G, "gemini-3-pro-preview", G3("lMh") },
	{ G, "gemini-3.1-pro", G3("lMh") },
	{ G, "gemini-3.8-flash", G3("mlMh") },
	{ G, "gemini-flash-latest", G3("mlMh") },
	{ G, "gemini-", G3("mlMh") },

	{ DIALECT_ANY, "claude-opus-5", "none 0..0 [] 0" }
};

static void
test_models(void)
{
	struct profile p;
	char got[200];
	size_t i;

	for (i = 0; i < N(models); i++) {
		memset(&p, 0xff, sizeof p);
		profile_of(&p, models[i].dialect, str_of(models[i].model));
		show(got, sizeof got, &p);
		T_OK(strcmp(got, models[i].says) == 0, "%s: %s, not %s",
		    models[i].model, got, models[i].says);
	}
}

static const struct {
	int64_t budget;
	enum msg_effort effort;
} budgets[] = {
	{ INT64_MIN, MSG_EFFORT_NONE }, { -1, MSG_EFFORT_NONE },
	{ 0, MSG_EFFORT_NONE },
	{ 1, MSG_EFFORT_MINIMAL }, { 512, MSG_EFFORT_MINIMAL },
	{ 513, MSG_EFFORT_LOW }, { 1024, MSG_EFFORT_LOW },
	{ 1025, MSG_EFFORT_MEDIUM }, { 8192, MSG_EFFORT_MEDIUM },
	{ 8193, MSG_EFFORT_HIGH }, { 24576, MSG_EFFORT_HIGH },
	{ 24577, MSG_EFFORT_XHIGH }, { 65536, MSG_EFFORT_XHIGH },
	{ INT64_MAX, MSG_EFFORT_XHIGH }
};

static void
test_efforts(void)
{
	static const int64_t tokens[] = { -1, 0, 512, 1024, 8192, 24576,
	    32768, 65536 };
	size_t i;

	for (i = 0; i < N(tokens); i++)
		T_OK(profile_budget((enum msg_effort)i) == tokens[i],
		    "effort %u", (unsigned)i);
	for (i = 0; i < N(budgets); i++)
		T_OK(profile_effort(budgets[i].budget) == budgets[i].effort,
		    "budget %ld", (long)budgets[i].budget);
}

#define B(e) (1u << MSG_EFFORT_##e)
#define LMH (B(LOW) | B(MEDIUM) | B(HIGH))
#define E(e) MSG_EFFORT_##e

static const struct {
	enum msg_effort e;
	unsigned set;
	enum msg_effort to;
} clamps[] = {
	{ E(LOW), LMH, E(LOW) },
	{ E(HIGH), LMH, E(HIGH) },
	{ E(UNSET), LMH, E(UNSET) },
	{ E(NONE), LMH, E(LOW) },
	{ E(MINIMAL), LMH, E(LOW) },
	{ E(MINIMAL), LMH | B(NONE), E(LOW) },
	{ E(MINIMAL), B(NONE), E(NONE) },
	{ E(XHIGH), LMH, E(HIGH) },
	{ E(XHIGH), LMH | B(MAX), E(HIGH) },
	{ E(MAX), LMH, E(HIGH) },
	{ E(MAX), LMH | B(XHIGH), E(XHIGH) },
	{ E(MEDIUM), B(HIGH) | B(MAX), E(HIGH) },
	{ E(MEDIUM), B(MINIMAL) | B(HIGH), E(MINIMAL) },
	{ E(MEDIUM), 0, E(UNSET) }
};

static void
test_clamp(void)
{
	size_t i;

	for (i = 0; i < N(clamps); i++)
		T_OK(profile_clamp(clamps[i].e, clamps[i].set) ==
		    clamps[i].to, "clamp %u: %d", (unsigned)i,
		    profile_clamp(clamps[i].e, clamps[i].set));
}

static const struct {
	const char *model;
	enum dialect dialect;
} vendors[] = {
	{ "claude-sonnet-4-5", A }, { "Claude", A }, { "claudette", A },
	{ "gpt-4o", O }, { "GPT-5", O }, { "gpt4", DIALECT_ANY },
	{ "chatgpt-4o-latest", O }, { "codex-mini", DIALECT_ANY },
	{ "o3", O }, { "O3-mini", O }, { "o4-mini-2025-04-16", O },
	{ "o10", O }, { "o3x", O }, { "o", DIALECT_ANY },
	{ "o-mini", DIALECT_ANY }, { "olmo", DIALECT_ANY },
	{ "gemini-2.5-pro", G }, { "Gemma-3", DIALECT_ANY },
	{ "gemini", G }, { "llama-3", DIALECT_ANY },
	{ "my-claude", DIALECT_ANY }, { "", DIALECT_ANY }
};

static void
test_vendor(void)
{
	size_t i;

	for (i = 0; i < N(vendors); i++)
		T_OK(profile_vendor(str_of(vendors[i].model)) ==
		    vendors[i].dialect, "%s", vendors[i].model);
}

int
main(void)
{
	test_models();
	test_efforts();
	test_clamp();
	test_vendor();
	return t_end();
}
