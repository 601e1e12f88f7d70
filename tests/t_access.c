/*
 * Routes, access keys, health and shares in a config, and the forms of
 * auto-proxy and llm-proxy; then that nothing widens a key's lists.
 */

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "tests/t.h"

#define KEY	"key-0123456789"
#define AT(name, more)	"{\"name\":\"" name "\",\"base_url\":" \
	"\"http://127.0.0.1\"" more "}"
/* Backends a, b (OpenAI) and off, and something more. */
#define WITH(more)	"{\"backends\":[\n" AT("a", "") ",\n" \
	AT("b", ",\"api_type\":\"openai\"") ",\n" \
	AT("off", ",\"enabled\":false") "],\n" more "}"

static struct buf faults, notes, out;
static const char *const (*vars)[2];	/* ends with a NULL name */

static const char *
get_env(void *arg, const char *name)
{
	size_t i;

	(void)arg;
	for (i = 0; vars != NULL && vars[i][0] != NULL; i++)
		if (strcmp(vars[i][0], name) == 0)
			return vars[i][1];
	return NULL;
}

static int
read_file(void *arg, const char *path, struct buf *to, const char **why)
{
	(void)arg;
	if (strcmp(path, "/key") == 0)
		return buf_adds(to, KEY "\n");
	*why = "no such file";
	return -1;
}

static const struct config_env env = { get_env, read_file, NULL };
static struct config_flags flags;

static struct config *
parse(const char *text)
{
	buf_clear(&faults);
	buf_clear(&notes);
	return config_parse(str_of(text), "f", &env, &flags, &faults, &notes);
}

/* A config that must be good, or the test ends. */
static struct config *
good(const char *text)
{
	struct config *c = parse(text);

	T_OK(c != NULL && faults.len == 0, "%s\n%s", text, buf_cstr(&faults));
	if (c == NULL)
		exit(t_end());
	return c;
}

static const char *
describe(const struct config *c)
{
	buf_clear(&out);
	config_describe(c, &out);
	return buf_cstr(&out);
}

/* What is in one line of faults, whole. */
static const struct {
	const char *text, *fault;
} one_fault[] = {
	{ WITH("\"strategy\":\"stiky\""), "f:5: strategy: \"stiky\" is not "
	    "known; did you mean \"sticky\"?" },
	{ WITH("\"retry\":{\"budget_percent\":101}"), "f:5: retry.budget_perc"
	    "ent: 101 is out of range; 0..100 would be right" },
	{ WITH("\"failover\":{\"health\":[]}"),
	    "f:5: failover.health: is empty; \"breaker\" would be right" },
	{ WITH("\"failover\":{\"health\":\"scores\"}"), "f:5: failover.health:"
	    " \"scores\" is not known; did you mean \"score\"?" },
	{ WITH("\"health_check\":{\"path\":\"v1\"}"), "f:5: health_check.path"
	    ": is no path; one that begins with / and has no blank or # would"
	    " be right" },
	{ WITH("\"user_limits\":{\"header\":\"a b\"}"), "f:5: user_limits.head"
	    "er: \"a b\" is no name of a header field; letters, digits and - "
	    "would be right" },
	/* routes */
	{ WITH("\"routes\":[7]"), "f:5: routes[0]: is no object; { \"model\": "
	    "..., \"backends\": [...] } would be right" },
	{ WITH("\"routes\":[{\"model\":\"x\"}]"), "f:5: routes[0].backends: "
	    "is missing; the names of those that serve these models would be "
	    "right" },
	{ WITH("\"routes\":[{\"model\":\"x\",\"backends\":null}]"),
	    "f:5: routes[0].backends: is missing; the names of those that "
	    "serve these models would be right" },
	{ WITH("\"routes\":[{\"model\":\"x\",\"backends\":[]}]"),
	    "f:5: routes[0].backends: is empty; the names of some backends "
	    "would be right" },
	{ WITH("\"routes\":[{\"backends\":[\"a\"]}]"), "f:5: routes[0].model: "
	    "is missing; \"claude-*\" would be one" },
	{ WITH("\"routes\":[{\"model\":\"x\",\"backends\":[\"of\"]}]"),
	    "f:5: routes[0].backends: \"of\" is the name of no backend; did "
	    "you mean \"off\"?" },
	{ WITH("\"routes\":[{\"model\":\"x\",\"backends\":[\"A\"]}]"),
	    "f:5: routes[0].backends: \"A\" is the name of no backend; the "
	    "name of one would be right" },
	{ WITH("\"routes\":[{\"model\":\"x\",\"backends\":[\"a\",\"a\"]}]"),
	    "f:5: routes[0].backends: \"a\" is named twice; one of them must "
	    "go" },
	{ WITH("\"routes\":[{\"model\":\"x\",\"backend\":1,\"backends\":"
	    "[\"a\"]}]"), "f:5: routes[0].backend: unknown key; did you mean "
	    "\"backends\"?" },
	{ WITH("\"routes\":[{\"model\":\"x\",\"backends\":[\"a\"],"
	    "\"strategy\":7}]"), "f:5: routes[0].strategy: is a number; a "
	    "string (failover | round_robin | weighted_random | "
	    "least_connections | sticky) would be right" },
	{ WITH("\"routes\":[{\"model\":\"cl*-4*\",\"backends\":[\"a\"]},\n"
	    "{\"model\":\"z*\",\"backends\":[\"a\"]},\n"
	    "{\"model\":\"CLAUDE-*-4\",\"backends\":[\"a\"]}]"),
	    "f:7: routes[2].model: can never be reached: the route in line 5 "
	    "takes all these models before; another order would be right" },
	/* access keys */
	{ WITH("\"access_keys\":[[]]"), "f:5: access_keys[0]: is no object; "
	    "{ \"name\": ..., \"key\": ... } would be right" },
	{ WITH("\"access_keys\":[{\"key\":\"" KEY "\"}]"), "f:5: access_keys"
	    "[0].name: is missing; each needs a name of its own" },
	{ WITH("\"access_keys\":[{\"name\":\"k\"}]"), "f:5: access_keys[0].key"
	    ": is missing; \"${NAME_OF_A_VARIABLE}\" would be right, or what "
	    "--hash-key prints" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"1234567\"}]"),
	    "f:5: access_keys[0].key: is shorter than 8 characters; 8 "
	    "characters at least, or sha256:<64 hex digits> would be right" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"1234 5678\"}]"),
	    "f:5: access_keys[0].key: has a blank or a character that is not "
	    "ASCII in it; 8 characters at least, or sha256:<64 hex digits> "
	    "would be right" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"sha256:12345678\"}"
	    "]"), "f:5: access_keys[0].key: has not 64 digits after sha256:; "
	    "8 characters at least, or sha256:<64 hex digits> would be "
	    "right" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"sha256:e3b0c44298f"
	    "c1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}]"),
	    "f:5: access_keys[0].key: is the digest of an empty key; 8 "
	    "characters at least, or sha256:<64 hex digits> would be right" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":null}]"), "f:5: "
	    "access_keys[0].key: is null; a string would be right" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"${NONE}\"}]"),
	    "f:5: access_keys[0].key: ${NONE} is not set in the environment; "
	    "set it, or write the value here" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"" KEY "\"},\n"
	    "{\"name\":\"k\",\"key\":\"" KEY "2\"}]"), "f:6: access_keys[1]."
	    "name: is the name of the one in line 5 too; each needs its own" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"" KEY "\"},\n"
	    "{\"name\":\"l\",\"key\":\"@/key\"}]"), "f:6: access_keys[1].key:"
	    " is the key of another one too; each needs its own" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"" KEY "\","
	    "\"backends\":[\"c\"]}]"), "f:5: access_keys[0].backends: \"c\" is"
	    " the name of no backend; the name of one would be right" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"" KEY "\","
	    "\"backends\":[]}]"), "f:5: access_keys[0].backends: is empty; the"
	    " names of some backends would be right" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"" KEY "\","
	    "\"models\":[]}]"), "f:5: access_keys[0].models: is empty; null "
	    "for all models, or some patterns would be right" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"" KEY "\","
	    "\"models\":[\"x\",\"X\"]}]"), "f:5: access_keys[0].models: has a "
	    "pattern twice; one of them must go" },
	{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"" KEY "\","
	    "\"tokens\":{\"window_minutes\":0}}]"), "f:5: access_keys[0].token"
	    "s.window_minutes: 0 is out of range; 1..10080 would be right" },
	{ "{\"backends\":[" AT("a", "") ",\n" AT("b",
	    ",\"auth\":\"passthrough\"") "],\"access_keys\":[{\"name\":\"k\","
	    "\"key\":\"" KEY "\"}]}", "f:2: backends[1].auth: passthrough "
	    "would send it the access keys of clients; a token of its own, or "
	    "no access_keys, would be right" },
	{ WITH("\"host\":\"::\",\"access_keys\":[]"), "f:5: host: \"::\" can "
	    "be reached by others, who could spend your keys; access_keys "
	    "would ask them for one, \"open\": true would let everyone in" },
	/* auto-proxy's array */
	{ "[" AT("x", "") ",\n7]", "f:2: [1]: is no object; { \"name\": ..., "
	    "\"base_url\": ..., \"token\": ... } would be right" },
	{ "[\n" AT("x", ",\"weight\":0") "]", "f:2: [0].weight: 0 is out of "
	    "range; 1..1000 would be right" },
	{ "[" AT("x", "") ",\n" AT("x", "") "]", "f:2: [1].name: is the name "
	    "of the one in line 1 too; each needs its own" },
	{ "[{\"name\":\"x\",\"base_url\":\"https://x.y\"}]", "f:1: [0].token:"
	    " is missing; \"${NAME_OF_A_VARIABLE}\" would be right, or "
	    "\"auth\": \"passthrough\"" },
	{ "[" AT("x", "") "] 7", "f:1: is not valid JSON here: " },
};

static void
test_faults(void)
{
	const char *want, *got;
	struct config *c;
	size_t i, n;

	for (i = 0; i < sizeof one_fault / sizeof one_fault[0]; i++) {
		want = one_fault[i].fault;
		n = strlen(want);
		c = parse(one_fault[i].text);
		got = buf_cstr(&faults);
		T_OK(c == NULL && strncmp(got, want, n) == 0 &&
		    (got[n] == '\n' || want[n - 1] == ' ') &&
		    strchr(got, '\n')[1] == '\0', "%s\nwant %s\ngot  %s",
		    one_fault[i].text, want, got);
		T_OK(strstr(got, "0123456789") == NULL, "%s", got);
		config_free(c);
	}
}

/* What is no fault, but told. */
static void
test_notes(void)
{
	static const struct {
		const char *text, *note;
	} rows[] = {
		{ WITH("\"routes\":[{\"model\":\"x\",\"backends\":[\"off\"]}]"),
		    "f:5: routes[0].model: \"x\" leads nowhere: all its "
		    "backends are disabled\n" },
		{ WITH("\"routes\":[{\"model\":\"gpt-*\",\"backends\":[\"a\","
		    "\"b\"]}]"), "f:5: routes[0].backends: \"a\" never serves "
		    "such models\n" },
		{ WITH("\"routes\":[{\"model\":\"x\",\"backends\":[\"a\"]},"
		    "{\"model\":\"**\",\"backends\":[\"a\",\"off\"]}]"),
		    "f:3: backends[1].name: no route leads to it, and the "
		    "routes take all models\n" },
		{ WITH("\"access_keys\":[{\"name\":\"k\",\"key\":\"" KEY "\","
		    "\"backends\":[\"off\"]}]"), "f:5: access_keys[0].backends"
		    ": all of them are disabled: nobody serves this key\n" },
		{ "{\"backends\":[" AT("a", ",\"models\":[\"x-*-z\",\"q\"]")
		    "],\n\"routes\":[{\"model\":\"*y\",\"backends\":[\"a\"]}]}",
		    "f:2: routes[0].backends: \"a\" never serves such models"
		    "\n" },
		{ "{\"backends\":[" AT("a", ",\"models\":[\"x-*-z\",\"q\"]")
		    "],\n\"routes\":[{\"model\":\"*Z\",\"backends\":[\"a\"]}]}",
		    "" },
		{ "{\"backends\":[" AT("a", ",\"models\":[\"gpt-4o\"]")
		    "],\n\"routes\":[{\"model\":\"*-4*\",\"backends\":[\"a\"]"
		    "}]}", "" },
		{ "{\"backends\":[" AT("a", ",\"models\":[\"*-4*\"]")
		    "],\n\"routes\":[{\"model\":\"gpt-4o\",\"backends\":[\"a\""
		    "]}]}", "" },
		{ "{\"backends\":[" AT("a", ",\"models\":[\"abc\"]")
		    "],\n\"routes\":[{\"model\":\"a*d\",\"backends\":[\"a\"]}]"
		    "}",
		    "f:2: routes[0].backends: \"a\" never serves such models"
		    "\n" },
		{ "{\"backends\":[" AT("a", ",\"model\":\"m\"") "],\n"
		    "\"routes\":[{\"model\":\"gpt-*\",\"backends\":[\"a\"]}]}",
		    "" },
		{ "[\n" AT("a", ",\"weigth\":7,\"key_type\":\"AUTH_TOKEN\"")
		    "]", "f:2: [0].weigth: unknown key, ignored\n" },
	};
	struct config *c;
	const char *got;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		c = good(rows[i].text);
		got = buf_cstr(&notes);
		T_OK(strstr(got, rows[i].note) != NULL &&
		    (rows[i].note[0] != '\0' || got[0] == '\0'),
		    "%s\nwant %s\ngot  %s", rows[i].text, rows[i].note, got);
		config_free(c);
	}
}

static void
test_defaults(void)
{
	struct config *c = good("{\"backends\":[" AT("a", "") "]}");
	const struct config_backend *b = &c->backends[0];
	const struct fo_policy *h = &c->failover;

	T_OK(c->form == FORM_OWN && c->strategy == FO_FAILOVER &&
	    c->nroutes == 0 && c->naccess_keys == 0, "none");
	T_OK(b->weight == 1 && b->requests_per_minute == 0 &&
	    b->max_concurrent == 0, "backend");
	T_OK(!c->user_limits.enabled && str_is(c->user_limits.header, "user")
	    && c->user_limits.window_minutes == 60 &&
	    c->user_limits.max_tokens == 1000, "users");
	T_OK(h->health == FO_HEALTH_BREAKER && h->score.success == 5 &&
	    h->score.failure == 10 && h->score.healthy_above == 20 &&
	    h->score.recover_minutes == 5 && h->window.ms == 140000 &&
	    h->window.min_failures == 2 && h->when_all_down == 0 &&
	    h->slow_start_ms == 0 && c->retry.budget_percent == 20, "health");
	T_OK(!c->health_check.enabled && c->health_check.interval == 30000
	    && str_is(c->health_check.path, "/v1/models"), "check");
	T_OK(!c->retry.no_pause, "pause");
	config_free(c);
}

static void
test_values(void)
{
	struct config *c = good("{\"routes\":[{\"strategy\":\"sticky\","
	    "\"model\":\"gpt-*\",\"backends\":[\"b\",\"a\"]},{\"model\":\"*\","
	    "\"backends\":[\"a\"],\"strategy\":null}],"
	    "\"strategy\":\"weighted_random\",\"host\":\"0.0.0.0\","
	    "\"access_keys\":[{\"name\":\"one\",\"key\":\"@/key\",\"backends\":"
	    "[\"b\"],\"models\":[\"gpt-*\",\"x\"],\"requests_per_minute\":6,"
	    "\"tokens\":{\"max\":7,\"window_minutes\":8}},{\"name\":\"two\","
	    "\"key\":\"sha256:2C26B46B68FFC68FF99B453C1D30413413422D706483BFA0"
	    "F98A5E886266E7AE\",\"backends\":null,\"models\":null}],"
	    "\"backends\":[" AT("a", ",\"weight\":9,\"requests_per_minute\":10,"
	    "\"max_concurrent\":11") "," AT("b", ",\"model\":\"m\"") "],"
	    "\"user_limits\":{\"enabled\":true,\"header\":\"X-User\","
	    "\"window_minutes\":12,\"max_tokens\":13},"
	    "\"retry\":{\"budget_percent\":0},\"failover\":{\"health\":["
	    "\"window\",\"breaker\"],\"score\":{\"success\":1,\"failure\":2,"
	    "\"healthy_above\":3,\"recover_minutes\":4},\"window\":{"
	    "\"seconds\":5.5,\"min_failures\":6},\"when_all_down\":\"try\","
	    "\"slow_start_seconds\":7},\"health_check\":{\"enabled\":true,"
	    "\"interval_seconds\":8,\"path\":\"/h?x\"}}");
	const struct config_access_key *k = c->access_keys;
	const struct fo_policy *h = &c->failover;
	const struct config_route *w = c->routes;

	T_OK(c->nroutes == 2 && w[0].nbackends == 2 &&
	    w[0].backends[0] == 1 && w[0].backends[1] == 0 &&
	    w[0].strategy == FO_STICKY && w[1].nbackends == 1 &&
	    w[1].strategy == FO_WEIGHTED_RANDOM, "routes");
	T_OK(c->naccess_keys == 2 && str_is(k->name, "one") &&
	    k->nbackends == 1 && k->backends[0] == 1 && k->nmodels == 2 &&
	    k->requests_per_minute == 6 && k->tokens.max == 7 &&
	    k->tokens.window_minutes == 8, "key one");
	T_OK(k[1].nbackends == 0 && k[1].nmodels == 0 && k[1].tokens.max == 0
	    && k[1].tokens.window_minutes == 60, "key two");
	T_OK(config_key_find(c, str_of(KEY)) == k &&
	    config_key_find(c, str_of("foo")) == k + 1 &&
	    config_key_find(c, str_of(KEY "0")) == NULL &&
	    config_key_find(c, str_of("")) == NULL &&
	    config_key_find(c, str_of("@/key")) == NULL, "find");
	T_OK(c->backends[0].weight == 9 && c->backends[0].max_concurrent == 11
	    && c->backends[0].requests_per_minute == 10, "backend");
	T_OK(c->user_limits.enabled && str_is(c->user_limits.header, "X-User")
	    && c->user_limits.window_minutes == 12 &&
	    c->user_limits.max_tokens == 13, "users");
	T_OK(h->health == (FO_HEALTH_BREAKER | FO_HEALTH_WINDOW) &&
	    h->score.success == 1 && h->score.failure == 2 &&
	    h->score.healthy_above == 3 && h->score.recover_minutes == 4 &&
	    h->window.ms == 5500 && h->window.min_failures == 6 &&
	    h->when_all_down == 1 && h->slow_start_ms == 7000 &&
	    c->retry.budget_percent == 0, "health");
	T_OK(c->health_check.enabled && c->health_check.interval == 8000 &&
	    str_is(c->health_check.path, "/h?x"), "check");
	T_OK(config_route(c, str_of("GPT-4")) == w &&
	    config_route(c, str_of("z")) == w + 1, "route");
	config_free(c);
	c = good(WITH("\"failover\":{\"health\":[\"score\",\"window\"]}"));
	T_OK(c->failover.when_all_down == 1, "emergency goes with scores");
	config_free(c);
	c = good(WITH("\"failover\":{\"health\":\"score\","
	    "\"when_all_down\":\"fail\"}"));
	T_OK(c->failover.health == FO_HEALTH_SCORE &&
	    c->failover.when_all_down == FO_ALL_DOWN_FAIL,
	    "unless told otherwise");
	config_free(c);
}

/* No key in clear anywhere in the config, and none in what it says. */
static void
test_describe(void)
{
	struct config *c = good("{\"strategy\":\"weighted_random\","
	    "\"host\":\"0.0.0.0\",\"backends\":[" AT("a", ",\"weight\":3,"
	    "\"requests_per_minute\":5,\"max_concurrent\":2") ","
	    AT("b", "") "],\"routes\":[{\"model\":\"x*\",\"backends\":[\"b\","
	    "\"a\"],\"strategy\":\"failover\"}],\"access_keys\":[{\"name\":"
	    "\"k\",\"key\":\"" KEY "\",\"backends\":[\"a\"],\"models\":["
	    "\"x*\",\"y\"],\"requests_per_minute\":4,\"tokens\":{\"max\":9}}],"
	    "\"user_limits\":{\"enabled\":true},\"failover\":{\"health\":["
	    "\"breaker\",\"score\",\"window\"],\"slow_start_seconds\":3},"
	    "\"health_check\":{\"enabled\":true}}");
	static const char *const lines[] = {
		"f is good\n",
		"listens on 0.0.0.0:3456, for clients that show an access "
		"key\n",
		"access key k: a; only x*, y; 4 requests a minute; 9 tokens "
		"in 60 minutes\n",
		"each user: 1000 tokens in 60 minutes, by the header user\n",
		"\nbackends, by priority:\n  1. a ",
		"     at most 5 requests a minute, 2 at a time; weight 3\n",
		"     weight 1\n",
		"\nstrategy: weighted_random, among backends of the same "
		"priority\n",
		"\nroute: x* to b, a (failover)\n",
		"\nwhile no backend answers: further attempts for 20 % of "
		"the requests, and 3 a second\n",
		"\na backend is down when all of these agree:\nbreaker: 3 ",
		"\nscore: of 100, +5 for a success and -10 for a failure; "
		"used above 20; rises after 5 idle minutes\n",
		"\nwindow: down when 2 or more ended in 140 s and all "
		"failed\n",
		"\nwhen all are down: each is tried once, in order\n",
		"\nback at its full share after 3 s\n",
		"\nwhat is down is asked every 30 s: GET /v1/models\n",
	};
	const char *s = describe(c);
	size_t i;

	for (i = 0; i < sizeof lines / sizeof lines[0]; i++)
		T_OK(strstr(s, lines[i]) != NULL, "%s\nin\n%s", lines[i], s);
	T_OK(strstr(s, KEY) == NULL, "%s", s);
	config_free(c);
	c = good("{\"backends\":[" AT("a", "") "],\"access_keys\":[{\"name\":"
	    "\"k\",\"key\":\"" KEY "\"}]}");
	s = describe(c);
	T_OK(strstr(s, "for this machine only, with an access key\n") != NULL
	    && strstr(s, "access key k: all backends\n") != NULL &&
	    strstr(s, "when all are down: 503\n") != NULL, "%s", s);
	config_free(c);
}

static void
test_array(void)
{
	struct config *c = good("[ // providers\n{ \"name\": \"one\", \"token"
	    "\": \"tok-one\", \"base_url\": \"https://one.example/api/\", "
	    "\"key_type\": \"AUTH_TOKEN\" },\n{ \"name\": \"two\", \"token\": "
	    "\"tok-two\", \"base_url\": \"https://two.example\", \"key_type\":"
	    " \"\", \"requests_per_minute\": 9, \"enabled\": false,\n"
	    "\"api_type\": \"claude\" },\n]");
	const struct config_backend *b = c->backends;
	const char *s, *why;

	T_OK(c->form == FORM_ARRAY && c->port == 8080 && !c->port_given &&
	    str_is(c->host, "127.0.0.1") && c->nbackends == 2, "array");
	T_OK(c->strategy == FO_ROUND_ROBIN && c->failover.health ==
	    FO_HEALTH_SCORE && c->failover.when_all_down == 1, "health");
	T_OK(b[0].api == DIALECT_ANY && b[0].auth == AUTH_BEARER &&
	    b[0].requests_per_minute == 5 && b[0].enabled, "one");
	T_OK(b[1].api == DIALECT_ANTHROPIC && b[1].auth == AUTH_BOTH &&
	    b[1].requests_per_minute == 9 && !b[1].enabled, "two");
	T_OK(fo_on(&c->failover, 429) && fo_on(&c->failover, 503) &&
	    !fo_on(&c->failover, 401), "on");
	T_OK(config_fits(b, DIALECT_ANTHROPIC, OP_OTHER, str_of("gpt-4"),
	    &why) && config_fits(b, DIALECT_GEMINI, OP_GENERATE,
	    str_of("claude-x"), &why) && !config_translates(b, DIALECT_GEMINI,
	    OP_GENERATE), "any");
	T_OK(config_priority(c, b, c->strategy) ==
	    config_priority(c, b + 1, c->strategy), "one group");
	s = describe(c);
	T_OK(strstr(s, "f is good (a list of providers") != NULL &&
	    strstr(s, "speaks whatever the client speaks; token **** as "
	    "bearer\n") != NULL && strstr(s, "serves all models") != NULL &&
	    strstr(s, "at most 5 requests a minute\n") != NULL, "%s", s);
	config_free(c);
	flags.port = 99;
	flags.rate_limit = 7;
	c = good("[" AT("a", ",\"requests_per_minute\":3") "," AT("b", "")
	    "]");
	T_OK(c->port == 99 && c->backends[0].requests_per_minute == 7 &&
	    c->backends[1].requests_per_minute == 7, "flags win");
	config_free(c);
	flags.port = flags.rate_limit = 0;
}

static struct config *
from_env(const char *const list[][2])
{
	struct config *c;

	vars = list;
	buf_clear(&faults);
	buf_clear(&notes);
	c = config_from_env(&env, &flags, &faults, &notes);
	vars = NULL;
	return c;
}

static void
test_variables(void)
{
	static const char *const all[][2] = {
		{ "PROXY_URL", "http://up.example/v1" },
		{ "API_KEY", "sk-upstream-0123456789" },
		{ "MY_ACCESS_KEY", KEY }, { "MAX_RETRIES", "5" },
		{ "PROXY_PORT", "8123" }, { NULL, NULL }
	};
	static const char *const few[][2] = {
		{ "PROXY_URL", "http://127.0.0.1:9" }, { "API_KEY", "" },
		{ "MY_ACCESS_KEY", KEY }, { "MAX_RETRIES", "" },
		{ NULL, NULL }
	};
	struct config *c = from_env(all);
	const struct config_backend *b;
	const struct fo_policy *p;
	const char *s;
	int i;

	T_OK(c != NULL && faults.len == 0, "%s", buf_cstr(&faults));
	if (c == NULL)
		return;
	b = c->backends;
	p = &c->failover;
	T_OK(c->form == FORM_VARIABLES && c->port == 8123 && c->port_given &&
	    str_is(c->host, "0.0.0.0") && !c->open, "listens");
	T_OK(c->nbackends == 1 && str_is(b->name, "upstream") && b->enabled &&
	    b->api == DIALECT_ANY && b->auth == AUTH_BY_PATH &&
	    str_is(b->token, "sk-upstream-0123456789") &&
	    str_is(b->url.host, "up.example") && !b->url.tls &&
	    b->timeouts.connect == 5000, "upstream");
	T_OK(c->naccess_keys == 1 && config_key_find(c, str_of(KEY)) ==
	    c->access_keys && str_is(c->access_keys[0].name, "client"), "key");
	T_OK(c->retry.attempts == 5 && c->retry.tries_per_backend == 5 &&
	    c->retry.no_pause, "retry");
	for (i = 100; i < 600 && !fo_on(p, i); i++)
		;
	T_OK(i == 600 && p->nretry_text == 2 && p->nstop_text == 1 &&
	    str_is(p->stop_text[0], "sensitive") && c->failover.health ==
	    FO_HEALTH_NONE &&
	    c->retry.budget_percent == 100, "policy");
	T_OK(strcmp(buf_cstr(&notes), "PROXY_URL: is http: the key and all "
	    "requests travel unencrypted\n") == 0, "%s", buf_cstr(&notes));
	s = describe(c);
	T_OK(strstr(s, "the environment is good (variables") != NULL &&
	    strstr(s, "as x-api-key on /v1/messages, else as bearer\n") !=
	    NULL && strstr(s, "at one backend 5, without pause\n") != NULL &&
	    strstr(s, "0123456789") == NULL, "%s", s);
	config_free(c);
	c = from_env(few);
	T_OK(c != NULL && c->port == 8000 && !c->port_given &&
	    c->retry.attempts == 3 && c->backends[0].token.p == NULL, "%s",
	    buf_cstr(&faults));
	config_free(c);
}

static void
test_variable_faults(void)
{
	static const struct {
		const char *name, *value, *fault;
	} rows[] = {
		{ "PROXY_URL", NULL, "PROXY_URL: is not set; " },
		{ "PROXY_URL", "ftp://secret-0123456789", "PROXY_URL: " },
		{ "API_KEY", NULL, "API_KEY: is not set; " },
		{ "API_KEY", "a b-0123456789", "API_KEY: has a blank" },
		{ "MY_ACCESS_KEY", NULL, "MY_ACCESS_KEY: is not set; " },
		{ "MY_ACCESS_KEY", "1234567", "MY_ACCESS_KEY: is shorter" },
		{ "MY_ACCESS_KEY", "0123456789\r", "MY_ACCESS_KEY: has a bl" },
		{ "MAX_RETRIES", "0", "MAX_RETRIES: is no number of attempt" },
		{ "MAX_RETRIES", "x0123456789", "MAX_RETRIES: is no number" },
		{ "MAX_RETRIES", "-1", "MAX_RETRIES: is no number of" },
		{ "PROXY_PORT", "0", "PROXY_PORT: \"0\" is no port; " },
	};
	const char *list[8][2] = {
		{ "PROXY_URL", "https://up.example" }, { "API_KEY", "sk-up" },
		{ "MY_ACCESS_KEY", KEY }
	};
	struct config *c;
	const char *got;
	size_t i, k;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *now[8][2];

		memcpy(now, list, sizeof now);
		for (k = 0; now[k][0] != NULL; k++)
			if (strcmp(now[k][0], rows[i].name) == 0)
				break;
		now[k][0] = rows[i].name;
		now[k][1] = rows[i].value;
		c = from_env((const char *const (*)[2])now);
		got = buf_cstr(&faults);
		T_OK(c == NULL && strncmp(got, rows[i].fault,
		    strlen(rows[i].fault)) == 0 &&
		    strchr(got, '\n')[1] == '\0' &&
		    strstr(got, "0123456789") == NULL, "%s=%s: %s",
		    rows[i].name, rows[i].value == NULL ? "" : rows[i].value,
		    got);
		config_free(c);
	}
}

static void
test_hash_key(void)
{
	static const struct {
		const char *line, *out, *why;
	} rows[] = {
		{ "12345678", "sha256:ef797c8118f02dfb649607dd5d3f8c7623048c9c"
		    "063d532cc95c5ed7a898a64f", NULL },
		{ "12345678\n", "sha256:ef797c8118f02dfb649607dd5d3f8c7623048c"
		    "9c063d532cc95c5ed7a898a64f", NULL },
		{ "12345678\r\n", "sha256:ef797c8118f02dfb649607dd5d3f8c762304"
		    "8c9c063d532cc95c5ed7a898a64f", NULL },
		{ "1234567\n", "", "is shorter than 8 characters" },
		{ "", "", "is shorter than 8 characters" },
		{ "12345678\n\n", "", "has a blank or a character that is not "
		    "ASCII in it" },
	};
	char text[512];
	struct config *c;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&out);
		why = config_hash_key(&out, str_of(rows[i].line));
		T_OK(strcmp(buf_cstr(&out), rows[i].out) == 0 &&
		    (why == NULL) == (rows[i].why == NULL) && (why == NULL ||
		    strcmp(why, rows[i].why) == 0), "%s: %s", rows[i].line,
		    buf_cstr(&out));
	}
	snprintf(text, sizeof text, "{\"backends\":[%s],\"access_keys\":[{"
	    "\"name\":\"k\",\"key\":\"%s\"}]}", AT("a", ""), rows[0].out);
	c = good(text);
	T_OK(config_key_find(c, str_of("12345678")) == c->access_keys &&
	    config_key_find(c, str_of(rows[0].out)) == NULL,
	    "the digest is no key");
	config_free(c);
}

/* Lower is first; under the other strategies, those without are a group. */
static void
test_priorities(void)
{
	static const struct {
		const char *a, *b, *c;
		int failover[3], others[3];
	} rows[] = {
		{ "", "", "", { 1, 2, 3 }, { 1, 1, 1 } },
		{ ",\"priority\":4", "", "", { 4, 5, 6 }, { 4, 5, 5 } },
		{ "", ",\"priority\":0", "", { 1, 0, 2 }, { 1, 0, 1 } },
		{ ",\"priority\":2", ",\"priority\":2", ",\"priority\":1",
		    { 2, 2, 1 }, { 2, 2, 1 } },
	};
	char text[512];
	struct config *c;
	size_t i, k;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(text, sizeof text, "{\"backends\":[" AT("a", "%s")
		    "," AT("b", "%s") "," AT("c", "%s") "]}", rows[i].a,
		    rows[i].b, rows[i].c);
		c = good(text);
		for (k = 0; k < 3; k++)
			T_OK(config_priority(c, &c->backends[k],
			    FO_FAILOVER) == rows[i].failover[k] &&
			    config_priority(c, &c->backends[k],
			    FO_STICKY) == rows[i].others[k],
			    "row %lu, %lu", (unsigned long)i,
			    (unsigned long)k);
		config_free(c);
	}
}

/* ---- nothing widens a key's lists ---- */

#define MODELS 8
static const char *const models[MODELS] = {
	"claude-opus", "claude-haiku", "gpt-4", "o3-mini", "gemini-2",
	"glm-4", "CLAUDE-OPUS", ""
};
static const char *const patterns[] = {
	"claude-*", "*", "gpt-*", "*opus", "glm-4", "o*", "g*-4"
};
#define PATTERNS (sizeof patterns / sizeof patterns[0])

static uint64_t seed = 7;

static unsigned
dice(unsigned sides)
{
	return (unsigned)(util_random(&seed) >> 33) % sides;
}

/* Adds each of n words with even odds, one at least, as a JSON list. */
static void
some(struct buf *b, const char *const list[], unsigned n)
{
	unsigned i, must = dice(n), any = 0;

	buf_addc(b, '[');
	for (i = 0; i < n; i++)
		if (i == must || dice(2) == 0)
			buf_fmt(b, "%s\"%s\"", any++ == 0 ? "" : ",", list[i]);
	buf_addc(b, ']');
}

/* A random config: four backends, up to three routes, one key. */
static void
random_text(struct buf *b)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	static const char *const apis[] = { "claude", "openai", "gemini" };
	unsigned i, n;

	buf_adds(b, "{\"backends\":[");
	for (i = 0; i < 4; i++) {
		buf_fmt(b, "%s{\"name\":\"%s\",\"base_url\":"
		    "\"http://[::1]\",\"api_type\":\"%s\"", i > 0 ? "," : "",
		    names[i], apis[dice(3)]);
		if ((n = dice(3)) == 0)
			buf_adds(b, ",\"model\":\"m\"");
		if (n == 1) {
			buf_adds(b, ",\"models\":");
			some(b, patterns, PATTERNS);
		}
		buf_adds(b, "}");
	}
	buf_adds(b, "],\"routes\":[");
	/* In this order none covers a later one. */
	n = dice(4);
	for (i = 0; i < n; i++) {
		buf_fmt(b, "%s{\"model\":\"%s\",\"backends\":", i > 0 ? "," :
		    "", patterns[i == 0 ? 4 : i == 1 ? 0 : 1]);
		some(b, names, 4);
		buf_adds(b, "}");
	}
	buf_adds(b, "],\"access_keys\":[{\"name\":\"k\",\"key\":\"" KEY "\"");
	if (dice(4) > 0) {
		buf_adds(b, ",\"backends\":");
		some(b, names, 4);
	}
	if (dice(4) > 0) {
		buf_adds(b, ",\"models\":");
		some(b, patterns, PATTERNS);
	}
	buf_adds(b, "}]}");
}

/* What a key allows, told from its text alone. */
static int
listed(const struct config *c, const struct config_access_key *k, size_t b,
    struct str model)
{
	int backends = k->nbackends == 0, fits = k->nmodels == 0;
	size_t i;

	for (i = 0; i < k->nbackends; i++)
		backends |= str_eq(c->backends[k->backends[i]].name,
		    c->backends[b].name);
	for (i = 0; i < k->nmodels; i++)
		fits |= util_glob(k->models[i], model);
	return backends && fits;
}

static unsigned wrong, may, may_not;

/* One question to a random config, asked with its key and without one. */
static void
ask(const struct config *c, size_t b, struct str model, enum dialect d)
{
	const struct config_access_key *k = config_key_find(c, str_of(KEY));
	const struct config_route *w = config_route(c, model);
	const char *why;
	int with, without;

	with = config_candidate(c, k, w, b, d, OP_GENERATE, model, &why);
	without = config_candidate(c, NULL, w, b, d, OP_GENERATE, model,
	    &why);
	/* A key takes away, and gives nothing. */
	wrong += with != (without && listed(c, k, b, model));
	/* So does a route, whatever it names. */
	wrong += without && !config_fits(&c->backends[b], d,
	    OP_GENERATE, model, &why);
	wrong += without && !config_route_has(w, b);
	may += with != 0;
	may_not += without && !with;
}

static void
test_narrow(void)
{
	struct config *c;
	struct buf text;
	unsigned round, n;

	buf_init(&text, 65536);
	for (round = 0; round < 400; round++) {
		buf_clear(&text);
		random_text(&text);
		c = good(buf_cstr(&text));
		for (n = 0; n < 4 * 3 * MODELS; n++)
			ask(c, n % 4, str_of(models[n / 12]),
			    (enum dialect)(n / 4 % 3));
		config_free(c);
	}
	T_OK(wrong == 0 && may > 1000 && may_not > 1000, "%u wrong, %u, %u",
	    wrong, may, may_not);
	buf_free(&text);
}

int
main(void)
{
	buf_init(&faults, 1 << 20);
	buf_init(&notes, 1 << 20);
	buf_init(&out, 1 << 20);
	test_defaults();
	test_values();
	test_faults();
	test_notes();
	test_describe();
	test_array();
	test_variables();
	test_variable_faults();
	test_hash_key();
	test_priorities();
	test_narrow();
	buf_free(&faults);
	buf_free(&notes);
	buf_free(&out);
	return t_end();
}
