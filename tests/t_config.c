#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "json.h"
#include "tests/t.h"

#define TOKEN	"tok-0123456789abcdef"
#define MAIN	"{\"name\":\"a\",\"base_url\":\"https://a.example\"," \
	"\"token\":\"" TOKEN "\"}"
/* A config with one good backend and something more. */
#define WITH(more)	"{\"backends\":[" MAIN "]," more "}"
/* A config with one backend that has something more. */
#define OF(more)	"{\"backends\":[{\"name\":\"a\"," \
	"\"base_url\":\"https://a.example\",\"token\":\"" TOKEN "\"," more "}]}"

static struct buf faults, notes, out;

static const char *
get_env(void *arg, const char *name)
{
	static const char *const vars[][2] = {
		{ "KEY", "sk-from-the-environment" }, { "EMPTY", "" },
		{ "AT", "@/secret" }, { "DIR", "/dir" },
		{ "LINES", "a\nb" }, { "ANTHROPIC_API_KEY", "sk-ant-api03-x" }
	};
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof vars / sizeof vars[0]; i++)
		if (strcmp(name, vars[i][0]) == 0)
			return vars[i][1];
	return NULL;
}

static int
read_file(void *arg, const char *path, struct buf *to, const char **why)
{
	static const char *const files[][2] = {
		{ "/secret", "sk-from-a-file\n" },
		{ "/dir/crlf", "sk-crlf\r\n" }, { "/two", "sk-two\n\n" },
		{ "/bare", "sk-bare" }, { "/none", "" }
	};
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof files / sizeof files[0]; i++)
		if (strcmp(path, files[i][0]) == 0)
			return buf_adds(to, files[i][1]);
	*why = "no such file";
	return -1;
}

static const struct config_env env = { get_env, read_file, NULL };

static struct config *
parse(const char *text)
{
	static const struct config_flags flags = { -1, -1, -1 };

	buf_clear(&faults);
	buf_clear(&notes);
	return config_parse(str_of(text), "f.json", &env, &flags, &faults,
	    &notes);
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

/* Faults of one line each: the text, and what stands after "f.json:". */
static const struct {
	const char *text, *fault;
} one_fault[] = {
	{ "", "1: is not valid JSON here: " },
	{ "{\n\"backends\": [\n", "3: is not valid JSON here: " },
	{ "{\"backends\":[" MAIN "]} x", "1: is not valid JSON here: " },
	{ "7", "1: is no object; " },
	{ "[]", "1: there is none; " },
	{ "{}", "1: backends: there is none; " },
	{ "{\n\"backends\": []}", "2: backends: there is none; " },
	{ "{\"backends\": {}}", "1: backends: is an object; a list would" },
	{ "{\"backends\": [1]," "\"x\\ny\":1}", NULL },
	{ OF("\"enabled\":false"), "1: backends: all of them are disabled; " },
	/* unknown and double keys */
	{ WITH("\n\"stratgy\":1"),
	    "2: stratgy: unknown key; did you mean \"strategy\"?" },
	{ WITH("\"attempts\":1"),
	    "1: attempts: unknown key; did you mean \"retry.attempts\"?" },
	{ WITH("\"retry.attempts\":1"),
	    "1: retry.attempts: unknown key; did you mean \"retry.attempts\"" },
	{ WITH("\"retry\":{\"blue_moon\":{\"a\":[1]}}"),
	    "1: retry.blue_moon: unknown key; known here are attempts, "
	    "tries_per_backend, max_attempts, timeout_seconds" },
	{ OF("\"tokens\":1"),
	    "1: backends[0].tokens: unknown key; did you mean \"token\"?" },
	{ WITH("\"\\n\":1"), "1: ?: unknown key; known here are " },
	{ WITH("\n\"port\":1,\n\"port\":2"),
	    "3: port: is set twice, the first time in line 2; " },
	{ WITH("\"po\\u0072t\":1,\"port\":2"), "1: port: is set twice, " },
	{ WITH("\"retry\":{},\"retry\":{}"), "1: retry: is set twice, " },
	{ WITH("\"backends\":[]"), "1: backends: is set twice, " },
	{ OF("\"model\":\"x\",\"model\":\"y\""),
	    "1: backends[0].model: is set twice, " },
	{ OF("\"headers\":{\"a\":\"1\",\"A\":\"2\"}"),
	    "1: backends[0].headers: \"A\" is set twice" },
	{ OF("\"models\":{\"a\":\"1\",\"A\":\"2\"}"),
	    "1: backends[0].models: has a pattern twice" },
	/* types */
	{ WITH("\"port\":\"80\""),
	    "1: port: is a string; a number, 1..65535, would be right" },
	{ WITH("\"open\":1"),
	    "1: open: is a number; true or false would be right" },
	{ WITH("\"host\":[1]"),
	    "1: host: is a list; a string (an address) would be right" },
	{ WITH("\"retry\":3"), "1: retry: is a number; an object would be" },
	{ WITH("\"port\":null"), "1: port: is null; a number, " },
	{ WITH("\"allow_origins\":\"x\""), "1: allow_origins: is a string; a" },
	{ OF("\"models\":\"claude-*\""), "1: backends[0].models: is a string" },
	{ OF("\"models\":[1]"), "1: backends[0].models: is a number; a str" },
	{ OF("\"headers\":[]"), "1: backends[0].headers: is a list; an obj" },
	{ OF("\"headers\":{\"x\":1}"), "1: backends[0].headers: is a number" },
	{ WITH("\"failover\":{\"on\":429}"), "1: failover.on: is a number; a" },
	{ WITH("\"failover\":{\"on\":[true]}"), "1: failover.on: is true; a" },
	/* ranges */
	{ WITH("\"port\":70000"),
	    "1: port: 70000 is out of range; 1..65535 would be right" },
	{ WITH("\"port\":1.5"), "1: port: 1.5 is no whole number; " },
	{ WITH("\"port\":-1"), "1: port: -1 is out of range; " },
	{ WITH("\"drain_seconds\":-0.5"),
	    "1: drain_seconds: -0.5 is out of range; 0..3600" },
	{ WITH("\"drain_seconds\":1e999"), "1: drain_seconds: 1e999 is out" },
	{ WITH("\"timeouts\":{\"idle\":0}"),
	    "1: timeouts.idle: 0 is out of range; 0.001..86400" },
	{ OF("\"timeouts\":{\"idle\":-1}"),
	    "1: backends[0].timeouts.idle: -1 is out of range; " },
	{ WITH("\"retry\":{\"max_attempts\":-1}"),
	    "1: retry.max_attempts: -1 is out of range; " },
	{ OF("\"priority\":-1"), "1: backends[0].priority: -1 is out of ran" },
	{ WITH("\"limits\":{\"max_body_megabytes\":0}"),
	    "1: limits.max_body_megabytes: 0 is out of range; 1..1024" },
	{ WITH("\"limits\":{\"memory_megabytes\":32}"),
	    "1: limits.memory_megabytes: one body of max_body_megabytes wou" },
	{ WITH("\"failover\":{\"rate_limit\":{\"max_cooldown_seconds\":5}}"),
	    "1: failover.rate_limit.max_cooldown_seconds: cooldown_seconds " },
	{ WITH("\"failover\":{\"on\":[200]}"),
	    "1: failover.on: \"200\" is no status that can move on; " },
	{ WITH("\"failover\":{\"on\":[\"5x\"]}"), "1: failover.on: \"5x\" is" },
	{ WITH("\"failover\":{\"stop_text\":[\"\"]}"),
	    "1: failover.stop_text: is empty; " },
	{ WITH("\"failover\":{\"stop_text\":[\"0\",\"1\",\"2\",\"3\",\"4\","
	    "\"5\",\"6\",\"7\",\"8\",\"9\",\"a\",\"b\",\"c\",\"d\",\"e\","
	    "\"f\",\"g\",\"h\"]}"),
	    "1: failover.stop_text: has too many items; 16 at most" },
	/* choices */
	{ OF("\"api_type\":\"opena\""),
	    "1: backends[0].api_type: \"opena\" is not known; did you mean "
	    "\"openai\"?" },
	{ OF("\"api_type\":\"any\""), "1: backends[0].api_type: \"any\" is" },
	{ OF("\"auth\":\"sk-ant-0123456789\""),
	    "1: backends[0].auth: a text of 17 bytes is not known; auto | " },
	{ OF("\"api_type\":\"claude\",\"platform\":\"openai\""),
	    "1: backends[0].platform: means the same as api_type; " },
	/* strings */
	{ OF("\"model\":\"${NONE}\""),
	    "1: backends[0].model: ${NONE} is not set in the environment; " },
	{ OF("\"model\":\"${KEY\""), "1: backends[0].model: has a ${ without" },
	{ OF("\"model\":\"${}\""), "1: backends[0].model: has a ${ without" },
	{ OF("\"model\":\"${1A}\""), "1: backends[0].model: has a ${ without" },
	{ OF("\"model\":\"a\\u0000b\""),
	    "1: backends[0].model: has a control character" },
	{ OF("\"model\":\"${LINES}\""),
	    "1: backends[0].model: has a control character" },
	{ OF("\"ca_file\":\"\""), "1: backends[0].ca_file: is empty; " },
	{ OF("\"models\":[\"\"]"), "1: backends[0].models: is empty; " },
	{ OF("\"models\":{\"\":\"x\"}"), "1: backends[0].models: has an emp" },
	/* between keys */
	{ "{\"backends\":[" MAIN ",\n" MAIN "]}",
	    "2: backends[1].name: is the name of the one in line 1 too; " },
	{ OF("\"model\":\"m\",\"models\":[\"x\"]"),
	    "1: backends[0].models: stands beside model" },
	{ OF("\"address\":\"localhost\""),
	    "1: backends[0].address: is no IP address; " },
	{ OF("\"address\":\"1.2.3.04\""), "1: backends[0].address: is no IP" },
	{ OF("\"address\":\"::1::\""), "1: backends[0].address: is no IP" },
	{ OF("\"path_prefix\":\"v2\""), "1: backends[0].path_prefix: is no p" },
	{ OF("\"path_prefix\":\"/a?b\""), "1: backends[0].path_prefix: is no" },
	{ OF("\"headers\":{\"Host\":\"x\"}"),
	    "1: backends[0].headers: \"Host\" is set by Spillway itself" },
	{ OF("\"headers\":{\"a b\":\"x\"}"),
	    "1: backends[0].headers: \"a b\" is no name of a header field" },
	{ OF("\"headers\":{\"x\":\"a\\r\\nb\"}"),
	    "1: backends[0].headers: has a control character" },
	{ WITH("\"host\":\"0.0.0.0\""), "1: host: \"0.0.0.0\" can be reache" },
	{ WITH("\"host\":\"::\""), "1: host: \"::\" can be reached by others" },
	{ WITH("\"host\":\"example\""), "1: host: \"example\" is no address" },
	{ WITH("\"allow_origins\":[\"*\"]"), "1: allow_origins: has an item" },
	{ WITH("\"allow_origins\":[\"https://a/\"]"), "1: allow_origins: has" },
	/* of translation, validation and records */
	{ OF("\"responses\":0"), "1: backends[0].responses: is a number; tru" },
	{ OF("\"auto_cache\":null"), "1: backends[0].auto_cache: is null; tr" },
	{ OF("\"old_max_tokens\":\"\""), "1: backends[0].old_max_tokens: is" },
	{ OF("\"max_tokens\":1000001"), "1: backends[0].max_tokens: 1000001 " },
	{ WITH("\"validation\":{\"validate_streaming\":1}"), "1: validation." },
	{ WITH("\"validation\":{\"strict\":true}"), "1: validation.strict: u" },
	{ WITH("\"logging\":{\"log_directory\":\"\"}"),
	    "1: logging.log_directory: is empty; leave it out, or write a p" },
	{ WITH("\"logging\":{\"log_request_body\":\"ful\"}"),
	    "1: logging.log_request_body: \"ful\" is not known; did you mean "
	    "\"full\"?" },
	{ WITH("\"logging\":{\"log_response_body\":true}"),
	    "1: logging.log_response_body: is true; a string (none | trunca" },
	{ WITH("\"logging\":{\"max_megabytes\":0}"),
	    "1: logging.max_megabytes: 0 is out of range; 1..1048576 would" },
};

static void
test_faults(void)
{
	const char *want, *got, *end;
	struct config *c;
	size_t i;

	for (i = 0; i < sizeof one_fault / sizeof one_fault[0]; i++) {
		want = one_fault[i].fault;
		c = parse(one_fault[i].text);
		got = buf_cstr(&faults);
		T_OK(c == NULL, "%s", one_fault[i].text);
		config_free(c);
		if (want == NULL)
			continue;
		end = strchr(got, '\n');
		T_OK(end != NULL && end[1] == '\0', "not one line for %s: %s",
		    one_fault[i].text, got);
		T_OK(strncmp(got, "f.json:", 7) == 0 &&
		    strncmp(got + 7, want, strlen(want)) == 0,
		    "%s\nwant %s\ngot  %s", one_fault[i].text, want, got);
	}
}

/* Every key that has one, at the default that the reference names. */
static void
test_written(void)
{
	config_free(good("{\"strategy\":\"failover\",\"routes\":[],"
	    "\"access_keys\":[],\"user_limits\":{\"enabled\":false,"
	    "\"header\":\"user\",\"window_minutes\":60,\"max_tokens\":1000},"
	    "\"backends\":[{\"name\":\"official\",\"base_url\":"
	    "\"https://api.anthropic.com\",\"token\":\"${KEY}\","
	    "\"requests_per_minute\":0,\"max_concurrent\":0,\"weight\":1,"
	    "\"responses\":true,\"old_max_tokens\":false,"
	    "\"auto_cache\":false,\"max_tokens\":0}],"
	    "\"failover\":{\"health\":[\"breaker\"],\"score\":{\"success\":5,"
	    "\"failure\":10,\"healthy_above\":20,\"recover_minutes\":5},"
	    "\"window\":{\"seconds\":140,\"min_failures\":2},"
	    "\"when_all_down\":\"fail\"},\"health_check\":{\"enabled\":false,"
	    "\"interval_seconds\":30,\"path\":\"/v1/models\"},"
	    "\"validation\":{\"strict_anthropic_format\":false,"
	    "\"validate_streaming\":true,\"disconnect_on_invalid\":true},"
	    "\"logging\":{\"log_request_body\":\"none\","
	    "\"log_response_body\":\"none\",\"log_directory\":null,"
	    "\"max_megabytes\":100},\"web_admin\":{\"enabled\":true,"
	    "\"host\":\"127.0.0.1\",\"port\":8081,\"token\":null,"
	    "\"hosts\":[]},\"metrics\":{\"enabled\":true,"
	    "\"host\":\"127.0.0.1\",\"port\":9090}}"));
	T_OK(notes.len == 0, "%s", buf_cstr(&notes));
}

static void
test_defaults(void)
{
	struct config *c = good("{\"backends\":[" MAIN "]}");
	const struct config_backend *b = &c->backends[0];
	struct fo_policy *p = &c->failover;

	T_OK(str_is(c->file, "f.json") && str_is(c->host, "127.0.0.1"), "%s",
	    c->host.p);
	T_OK(c->port == 3456 && !c->port_given && !c->open, "%u", c->port);
	T_OK(c->drain_ms == 10000 && c->ca_file.p == NULL &&
	    c->nallow_origins == 0, "drain");
	T_OK(c->strategy == FO_FAILOVER, "strategy");
	T_OK(c->retry.attempts == 0 && c->retry.tries_per_backend == 1 &&
	    c->retry.timeout == 0, "retry");
	T_OK(c->timeouts.connect == 5000 && c->timeouts.first_byte == 30000 &&
	    c->timeouts.response == 300000 && c->timeouts.idle == 60000 &&
	    c->timeouts.total == 0, "timeouts");
	T_OK(fo_on(p, 429) && fo_on(p, 500) && fo_on(p, 529) &&
	    fo_on(p, 599) && !fo_on(p, 401) && !fo_on(p, 428) &&
	    !fo_on(p, 430) && !fo_on(p, 200), "on");
	T_OK(p->failure_threshold == 3 && p->open_ms == 30000 &&
	    p->half_open_requests == 1 && p->cooldown_ms == 60000 &&
	    p->max_cooldown_ms == 86400000, "failover");
	T_OK(p->nretry_text == 2 && str_is(p->retry_text[0], "rate limit") &&
	    str_is(p->retry_text[1], "rate_limit") && p->nstop_text == 0,
	    "texts");
	T_OK(c->logging.level == 1 && c->logging.types == 0 &&
	    c->logging.color == 0 && c->logging.request_body == 0 &&
	    c->logging.response_body == 0 && c->logging.directory.p == NULL &&
	    c->logging.max == 100u << 20, "logging");
	T_OK(!c->validation.strict && c->validation.streaming &&
	    c->validation.disconnect, "validation");
	T_OK(b->responses && !b->old_max_tokens && !b->auto_cache &&
	    b->max_tokens == 0, "translation");
	T_OK(c->limits.body == 64u << 20 && c->limits.connections == 10000 &&
	    c->limits.memory == 512u << 20, "limits");
	T_OK(c->nbackends == 1 && str_is(b->name, "a") && b->enabled &&
	    b->weight == 1 && b->priority == 1, "backend");
	T_OK(b->api == DIALECT_ANTHROPIC && b->auth == AUTH_BOTH &&
	    str_is(b->token, TOKEN), "auth %d", (int)b->auth);
	T_OK(b->model.p == NULL && b->nmodels == 0 && b->nheaders == 0 &&
	    b->path_prefix.p == NULL && b->ca_file.p == NULL &&
	    b->address.p == NULL, "none");
	T_OK(b->timeouts.connect == 5000 && b->timeouts.total == 0 &&
	    b->timeouts.idle == 60000, "inherited");
	T_OK(b->url.tls && b->url.port == 443 &&
	    str_is(b->url.host, "a.example"), "url");
	T_OK(notes.len == 0, "%s", buf_cstr(&notes));
	T_OK(config_ref(c) == c, "ref");
	config_free(c);
	T_OK(str_is(c->host, "127.0.0.1"), "lives");
	config_free(c);
}

static void
test_values(void)
{
	struct config *c = good("{ // all\n\"host\":\"[::1]\",\"port\":1,"
	    "\"open\":false,\"drain_seconds\":0.0005,\"ca_file\":\"/ca\","
	    "\"allow_origins\":[\"https://x.y:8443\",\"app://z\"],"
	    "/* list */ \"backends\":[{\"name\":\"\\u5b98 1\","
	    "\"base_url\":\"http://127.0.0.1:8080/p/v1/\","
	    "\"api_type\":\"gemini\",\"auth\":\"x-api-key\",\"enabled\":false,"
	    "\"models\":{\"a*\":\"b\",\"c\":\"d\"},\"path_prefix\":\"/q/\","
	    "\"headers\":{\"X-A\":\" v \",\"X-Api-Key\":\"@/bare\"},"
	    "\"ca_file\":\"c\",\"address\":\"2001:db8::1.2.3.4\","
	    "\"responses\":false,\"old_max_tokens\":true,"
	    "\"auto_cache\":true,\"max_tokens\":99,"
	    "\"timeouts\":{\"total\":0.25,\"idle\":null}}," MAIN ",],"
	    "\"retry\":{\"attempts\":4,\"tries_per_backend\":2,"
	    "\"timeout_seconds\":1.5},\"timeouts\":{\"connect\":0.001,"
	    "\"first_byte\":2,\"response\":3,\"idle\":4,\"total\":5},"
	    "\"failover\":{\"on\":[\"4XX\",503,\"${EMPTY}501\"],"
	    "\"circuit_breaker\":{\"failure_threshold\":7,"
	    "\"open_timeout_seconds\":8,\"half_open_requests\":9},"
	    "\"rate_limit\":{\"cooldown_seconds\":10,"
	    "\"max_cooldown_seconds\":11},\"retry_text\":[],"
	    "\"stop_text\":[\"s\"]},\"logging\":{\"level\":\"error\","
	    "\"log_request_types\":\"success\",\"color\":\"never\","
	    "\"log_request_body\":\"truncated\",\"log_response_body\":"
	    "\"full\",\"log_directory\":\"${DIR}/r\",\"max_megabytes\":"
	    "1048576},\"validation\":{\"strict_anthropic_format\":true,"
	    "\"validate_streaming\":false,\"disconnect_on_invalid\":false},"
	    "\"limits\":{\"max_body_megabytes\":1,\"max_connections\":2,"
	    "\"memory_megabytes\":16},}");
	const struct config_backend *b = &c->backends[0];
	struct fo_policy *p = &c->failover;

	T_OK(str_is(c->host, "::1") && c->port == 1 && c->port_given, "host");
	T_OK(c->drain_ms == 1 && str_is(c->ca_file, "/ca"), "rounds up");
	T_OK(c->nallow_origins == 2 && str_is(c->allow_origins[1], "app://z"),
	    "origins");
	T_OK(str_is(b->name, "\xe5\xae\x98 1") && !b->enabled, "name");
	T_OK(!b->url.tls && b->url.port == 8080 &&
	    str_is(b->url.path, "/p/v1"), "url");
	T_OK(b->api == DIALECT_GEMINI && b->auth == AUTH_X_API_KEY &&
	    b->token.p == NULL, "auth");
	T_OK(b->nmodels == 2 && str_is(b->models[0].pattern, "a*") &&
	    str_is(b->models[1].to, "d"), "models");
	T_OK(str_is(b->path_prefix, "/q") && str_is(b->ca_file, "c") &&
	    str_is(b->address, "2001:db8::1.2.3.4"), "texts");
	T_OK(b->nheaders == 2 && str_is(b->headers[0].name, "X-A") &&
	    str_is(b->headers[0].value, "v") &&
	    str_is(b->headers[1].value, "sk-bare"), "headers");
	T_OK(b->timeouts.total == 250 && b->timeouts.idle == 4000 &&
	    b->timeouts.connect == 1 && b->timeouts.response == 3000,
	    "timeouts");
	T_OK(c->backends[1].timeouts.total == 5000, "inherited");
	T_OK(c->retry.attempts == 4 && c->retry.tries_per_backend == 2 &&
	    c->retry.timeout == 1500, "retry");
	T_OK(fo_on(p, 400) && fo_on(p, 499) && fo_on(p, 503) &&
	    fo_on(p, 501) && !fo_on(p, 500) && !fo_on(p, 399), "on");
	T_OK(p->failure_threshold == 7 && p->open_ms == 8000 &&
	    p->half_open_requests == 9 && p->cooldown_ms == 10000 &&
	    p->max_cooldown_ms == 11000 && p->nretry_text == 0 &&
	    p->nstop_text == 1, "failover");
	T_OK(c->logging.level == 3 && c->logging.types == 2 &&
	    c->logging.color == 2 && c->logging.request_body == 1 &&
	    c->logging.response_body == 2 &&
	    str_is(c->logging.directory, "/dir/r") &&
	    c->logging.max == (uint64_t)1 << 40, "logging");
	T_OK(c->validation.strict && !c->validation.streaming &&
	    !c->validation.disconnect, "validation");
	T_OK(!b->responses && b->old_max_tokens && b->auto_cache &&
	    b->max_tokens == 99, "translation");
	T_OK(c->limits.body == 1u << 20 && c->limits.connections == 2 &&
	    c->limits.memory == 16u << 20, "limits");
	config_free(c);
}

/* cc-proxy's file: comments, zeros for defaults, no `enabled`. */
static void
test_cc_proxy(void)
{
	struct config *c = good("{\n  \"port\": 0, // default\n"
	    "  \"backends\": [\n    {\n      \"name\": \"one\",\n"
	    "      \"base_url\": \"https://api.anthropic.com\",\n"
	    "      \"token\": \"sk-ant-oat01-abc\"\n    },\n"
	    "    { \"name\": \"two\", \"base_url\": \"https://o.example/v1\","
	    " \"token\": \"t\", \"enabled\": true, \"api_type\": \"openai\","
	    " \"model\": \"\" },\n"
	    "    { \"name\": \"three\", \"base_url\": \"http://r.example\","
	    " \"token\": \"t\", \"api_type\": \"\", \"model\": \"m\" },\n"
	    "    { \"name\": \"four\", \"base_url\": \"https://g.example\","
	    " \"token\": \"t\", \"platform\": \"anthropic\" }\n  ],\n"
	    "  \"retry\": { \"max_attempts\": 3, \"timeout_seconds\": 0 },\n"
	    "  \"failover\": {\n    \"circuit_breaker\": {"
	    " \"failure_threshold\": 0, \"open_timeout_seconds\": 0,"
	    " \"half_open_requests\": 0 },\n"
	    "    \"rate_limit\": { \"cooldown_seconds\": 0 }\n  }\n}\n");
	const char *said;

	T_OK(c->port == 3456 && !c->port_given, "%u", c->port);
	T_OK(c->failover.failure_threshold == 3 &&
	    c->failover.open_ms == 30000 &&
	    c->failover.half_open_requests == 1 &&
	    c->failover.cooldown_ms == 60000 && c->retry.timeout == 0, "0");
	T_OK(c->nbackends == 4 && c->backends[0].enabled, "enabled");
	T_OK(c->backends[1].model.p == NULL, "empty model is none");
	T_OK(c->backends[0].auth == AUTH_BEARER, "oat");
	T_OK(c->backends[1].auth == AUTH_BEARER &&
	    c->backends[2].auth == AUTH_BOTH, "auth");
	T_OK(c->backends[3].api == DIALECT_ANTHROPIC, "platform");
	said = buf_cstr(&notes);
	T_OK(strstr(said, "f.json:13: retry.max_attempts: is accepted and "
	    "not used") != NULL, "%s", said);
	T_OK(strstr(said, "f.json:9: backends[1].api_type: without model or "
	    "models this backend never serves claude-*\n") != NULL, "%s",
	    said);
	T_OK(strstr(said, "f.json:10: backends[2].base_url: is http: the "
	    "token") != NULL, "%s", said);
	config_free(c);
}

/* Tokens, and who needs none. */
static void
test_tokens(void)
{
	static const struct {
		const char *url, *rest, *token, *fault;
	} rows[] = {
		{ "https://a.b", "", NULL, "token: is missing; " },
		{ "https://a.b", ",\"token\":null", NULL, "token: is missing" },
		{ "https://a.b", ",\"token\":\"${EMPTY}\"", NULL,
		    "token: is missing" },
		{ "https://a.b", ",\"auth\":\"passthrough\"", NULL, NULL },
		{ "http://localhost:1", "", NULL, NULL },
		{ "http://x.localhost", "", NULL, NULL },
		{ "https://127.9.9.9", "", NULL, NULL },
		{ "http://[::1]:8", "", NULL, NULL },
		{ "http://127.evil.example", "", NULL, "token: is missing" },
		{ "https://a.b", ",\"token\":\"${KEY}\"",
		    "sk-from-the-environment", NULL },
		{ "https://a.b", ",\"token\":\"a${KEY}z\"",
		    "ask-from-the-environmentz", NULL },
		{ "https://a.b", ",\"token\":\"$${KEY}$\"", "${KEY}$", NULL },
		{ "https://a.b", ",\"token\":\"@/secret\"", "sk-from-a-file",
		    NULL },
		{ "https://a.b", ",\"token\":\"@${DIR}/crlf\"", "sk-crlf",
		    NULL },
		{ "https://a.b", ",\"token\":\"${AT}\"", "@/secret", NULL },
		{ "https://a.b", ",\"token\":\"@/two\"", NULL,
		    "token: has a control character" },
		{ "https://a.b", ",\"token\":\"@/none\"", NULL,
		    "token: is missing" },
		{ "https://a.b", ",\"token\":\"@/gone\"", NULL,
		    "token: \"@/gone\" cannot be read: no such file; " },
		{ "https://a.b", ",\"token\":\"@\"", NULL,
		    "token: is no path of a file" },
		{ "https://a.b", ",\"token\":\"a b\"", NULL,
		    "token: has a blank or" },
		{ "https://a.b", ",\"token\":\"\\u00e9\"", NULL,
		    "token: has a blank or" },
		{ "ftp://a.b", ",\"token\":\"t\"", NULL, "base_url: " },
		{ "https://u:pw@a.b", ",\"token\":\"t\"", NULL, "base_url: " },
	};
	char text[512];
	struct config *c;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(text, sizeof text, "{\"backends\":[{\"name\":\"a\","
		    "\"base_url\":\"%s\"%s}]}", rows[i].url, rows[i].rest);
		c = parse(text);
		if (rows[i].fault == NULL) {
			T_OK(c != NULL, "%s: %s", text, buf_cstr(&faults));
			if (c == NULL)
				continue;
			T_OK(str_is(c->backends[0].token, rows[i].token ==
			    NULL ? "" : rows[i].token), "%s", text);
		} else {
			T_OK(c == NULL && strstr(buf_cstr(&faults),
			    rows[i].fault) != NULL, "%s: %s", text,
			    buf_cstr(&faults));
			T_OK(strstr(buf_cstr(&faults), "pw@") == NULL &&
			    strchr(buf_cstr(&faults), '\n')[1] == '\0',
			    "%s", buf_cstr(&faults));
		}
		config_free(c);
	}
}

static void
test_auth(void)
{
	static const struct {
		const char *url, *api, *token;
		enum config_auth auth;
	} rows[] = {
		{ "https://api.anthropic.com", "claude", "sk-ant-api03",
		    AUTH_X_API_KEY },
		{ "https://API.Anthropic.COM/x", "anthropic", "t",
		    AUTH_X_API_KEY },
		{ "https://api.anthropic.com", "claude", "sk-ant-oat01-x",
		    AUTH_BEARER },
		{ "https://api.notanthropic.com", "claude", "t", AUTH_BOTH },
		{ "https://anthropic.com.evil.example", "claude",
		    "sk-ant-oat01-x", AUTH_BOTH },
		{ "https://api.openai.com", "openai", "t", AUTH_BEARER },
		{ "https://g.example", "gemini", "t", AUTH_X_GOOG_API_KEY },
	};
	char text[512];
	struct config *c;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(text, sizeof text, "{\"backends\":[{\"name\":\"a\","
		    "\"base_url\":\"%s\",\"api_type\":\"%s\",\"token\":"
		    "\"%s\"}]}", rows[i].url, rows[i].api, rows[i].token);
		c = good(text);
		T_OK(c->backends[0].auth == rows[i].auth, "%s: %d", text,
		    (int)c->backends[0].auth);
		config_free(c);
	}
}

static void
test_priorities(void)
{
	static const struct {
		int given[4], want[4];
	} rows[] = {
		{ { -1, -1, -1, -1 }, { 1, 2, 3, 4 } },
		{ { -1, 5, -1, 2 }, { 6, 5, 7, 2 } },
		{ { 0, 0, -1, -1 }, { 0, 0, 1, 2 } },
	};
	char text[1024], priority[32];
	struct config *c;
	size_t i, n;
	int k;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		n = (size_t)snprintf(text, sizeof text, "{\"backends\":[");
		for (k = 0; k < 4; k++) {
			snprintf(priority, sizeof priority, "%d",
			    rows[i].given[k]);
			n += (size_t)snprintf(text + n, sizeof text - n,
			    "{\"name\":\"%d\",\"base_url\":\"http://[::1]\","
			    "\"priority\":%s},", k, rows[i].given[k] < 0 ?
			    "null" : priority);
		}
		snprintf(text + n, sizeof text - n, "]}");
		c = good(text);
		for (k = 0; k < 4; k++)
			T_OK(c->backends[k].priority == rows[i].want[k],
			    "%d %d", k, c->backends[k].priority);
		config_free(c);
	}
}

/* Many faults: in the order of lines, 50 of them, the rest counted. */
static void
test_many(void)
{
	struct buf text;
	const char *p;
	unsigned i, line, last = 0, lines = 0;

	buf_init(&text, 65536);
	/* The fault of line 1 is found last. */
	buf_adds(&text, "{\"host\":\"nowhere\",\n\"backends\":[");
	for (i = 0; i < 45; i++)
		buf_fmt(&text, "\n{\"name\":\"%u\",\"base_url\":"
		    "\"http://[::1]\",\"priority\":-1},", i);
	buf_adds(&text, "]}");
	T_OK(parse(buf_cstr(&text)) == NULL, "45");
	for (p = buf_cstr(&faults); *p != '\0'; p = strchr(p, '\n') + 1) {
		line = (unsigned)strtoul(p + 7, NULL, 10);
		T_OK(line >= last, "%u after %u", line, last);
		last = line;
		lines++;
	}
	T_OK(lines == 46 && strncmp(buf_cstr(&faults), "f.json:1: host", 14)
	    == 0, "%u lines", lines);
	buf_cut(&text, text.len - 2);
	for (i = 0; i < 20; i++)
		buf_adds(&text, "\n7,");
	buf_adds(&text, "]}");
	T_OK(parse(buf_cstr(&text)) == NULL, "65");
	for (lines = 0, p = buf_cstr(&faults); *p != '\0'; lines++)
		p = strchr(p, '\n') + 1;
	T_OK(lines == 51 && str_ends(buf_str(&faults),
	    "f.json: and 16 more\n"), "%u lines", lines);
	buf_free(&text);
}

static void
count(void *arg, struct str secret)
{
	unsigned *n = arg;

	*n += secret.n > 0;
}

static void
test_describe(void)
{
	struct config *c = good("{\"host\":\"::\",\"open\":true,\"backends\":["
	    "{\"name\":\"late\",\"base_url\":\"https://l.example/" TOKEN "\","
	    "\"token\":\"" TOKEN "\",\"priority\":9,\"headers\":{"
	    "\"X-Team\":\"blue\",\"X-Auth\":\"hidden-header\"}},"
	    "{\"name\":\"off\",\"base_url\":\"http://[::1]\","
	    "\"enabled\":false},"
	    "{\"name\":\"early\",\"base_url\":\"http://[::1]\","
	    "\"token\":\"short\",\"priority\":2,\"models\":{\"a-*\":\"b\"},"
	    "\"timeouts\":{\"connect\":1.5}}],\"retry\":"
	    "{\"timeout_seconds\":20}}");
	unsigned n = 0;
	const char *s;

	buf_clear(&out);
	config_describe(c, &out);
	s = buf_cstr(&out);
	T_OK(strstr(s, "listens on [::]:3456, OPEN") != NULL, "%s", s);
	T_OK(strstr(s, "  1. early  http://[::1]\n") != NULL &&
	    strstr(s, "  2. late  https://l.example/****\n") != NULL &&
	    strstr(s, "  -  off (disabled)") != NULL, "%s", s);
	T_OK(strstr(s, "token tok-...cdef as bearer and x-api-key") != NULL &&
	    strstr(s, "token **** as ") != NULL, "%s", s);
	T_OK(strstr(s, TOKEN) == NULL && strstr(s, "hidden") == NULL &&
	    strstr(s, "short") == NULL, "%s", s);
	T_OK(strstr(s, "sets X-Team, X-Auth") != NULL, "%s", s);
	T_OK(strstr(s, "serves a-* as b\n") != NULL, "%s", s);
	T_OK(strstr(s, "connect 1.500 s, head of a stream 20 s, whole plain "
	    "answer 20 s") != NULL, "%s", s);
	T_OK(strstr(s, "429, 500-599;") != NULL, "%s", s);
	config_secrets(c, count, &n);
	T_OK(n == 3, "%u secrets", n);
	config_free(c);
	c = good(WITH("\"failover\":{\"on\":[]}"));
	buf_clear(&out);
	config_describe(c, &out);
	T_OK(strstr(buf_cstr(&out), "moves on at: no status; ") != NULL, "%s",
	    buf_cstr(&out));
	config_free(c);
}

/* The template holds every key that is there, and works as it is. */
static void
test_template(void)
{
	const struct config_key *k;
	struct buf mark, page;
	struct config *c;
	const char *dot;
	size_t i, n;

	buf_init(&page, 1 << 20);
	buf_init(&mark, 256);
	config_template(&page);
	T_OK(!page.bad, "template");
	c = good(buf_cstr(&page));
	T_OK(notes.len == 0, "%s", buf_cstr(&notes));
	T_OK(c->nbackends == 1 && c->backends[0].auth == AUTH_X_API_KEY &&
	    fo_on(&c->failover, 401) && fo_on(&c->failover, 402) &&
	    fo_on(&c->failover, 403) && fo_on(&c->failover, 429) &&
	    fo_on(&c->failover, 503) && !fo_on(&c->failover, 400), "on");
	config_free(c);
	k = config_keys(&n);
	for (i = 0; i < n; i++) {
		dot = strrchr(k[i].path, '.');
		buf_clear(&mark);
		buf_fmt(&mark, "\"%s\": ", dot == NULL ? k[i].path : dot + 1);
		/*
		 * cc-proxy's own, what only backends[].timeouts hold, and
		 * what few translations need.
		 */
		if (strstr(k[i].path, "max_attempts") != NULL ||
		    strstr(k[i].path, "].responses") != NULL ||
		    strstr(k[i].path, "old_max_tokens") != NULL ||
		    strstr(k[i].path, "auto_cache") != NULL ||
		    strstr(k[i].path, "timeout_seconds") != NULL ||
		    strstr(k[i].path, "platform") != NULL ||
		    strstr(k[i].path, "key_type") != NULL ||
		    strcmp(k[i].type, "object") == 0)
			continue;
		T_OK(strstr(buf_cstr(&page), buf_cstr(&mark)) != NULL, "%s",
		    k[i].path);
	}
	buf_free(&page);
	buf_free(&mark);
}

static void
test_reference(void)
{
	const struct config_key *k;
	struct buf mark, page;
	const char *why;
	size_t i, n, at;

	buf_init(&page, 1 << 20);
	buf_init(&mark, 256);
	config_reference(&page);
	k = config_keys(&n);
	for (i = 0; i < n; i++) {
		buf_clear(&mark);
		buf_fmt(&mark, "\n| `%s` | %s |", k[i].path, k[i].type);
		T_OK(strstr(buf_cstr(&page), buf_cstr(&mark)) != NULL, "%s",
		    k[i].path);
		T_OK(json_valid(str_of(k[i].def), &why, &at),
		    "%s: default %s", k[i].path, k[i].def);
		T_OK(str_ends(str_of(k[i].about), "."), "%s: %s", k[i].path,
		    k[i].about);
	}
	buf_free(&page);
	buf_free(&mark);
}

#define A DIALECT_ANTHROPIC
#define O DIALECT_OPENAI
#define G DIALECT_GEMINI

static void
test_fits(void)
{
	static const struct {
		const char *api, *more, *model, *as;
		enum dialect client;
		enum dialect_op op;
		int fits;	/* 2: translated */
	} rows[] = {
		{ "claude", "", "claude-x", "claude-x", A, OP_GENERATE, 1 },
		{ "claude", "", "", "", A, OP_GENERATE, 1 },
		{ "claude", "", "glm-4", "glm-4", A, OP_GENERATE, 1 },
		{ "claude", "", "GPT-4o", "GPT-4o", A, OP_GENERATE, 0 },
		{ "claude", "", "chatgpt-4", "chatgpt-4",
		    A, OP_GENERATE, 0 },
		{ "claude", "", "o3-mini", "o3-mini", A, OP_GENERATE, 0 },
		{ "claude", "", "opus", "opus", A, OP_GENERATE, 1 },
		{ "claude", "", "o-mini", "o-mini", A, OP_GENERATE, 1 },
		{ "claude", "", "gemini-2", "gemini-2", A, OP_GENERATE, 0 },
		{ "openai", "", "o1", "o1", O, OP_GENERATE, 1 },
		{ "openai", "", "claude-x", "claude-x", O, OP_GENERATE, 0 },
		{ "openai", "", "gpt-4", "gpt-4", A, OP_GENERATE, 2 },
		{ "gemini", "", "gemini-2", "gemini-2", G, OP_GENERATE, 1 },
		{ "gemini", "", "gpt-4", "gpt-4", G, OP_GENERATE, 0 },
		{ "claude", ",\"model\":\"m\"", "gpt-4", "m",
		    A, OP_GENERATE, 1 },
		{ "claude", ",\"models\":[\"GPT-*\",\"x\"]", "gpt-4", "gpt-4",
		    A, OP_GENERATE, 1 },
		{ "claude", ",\"models\":[\"gpt-*\"]", "claude-x", "claude-x",
		    A, OP_GENERATE, 0 },
		{ "claude", ",\"models\":{\"a*c\":\"z\",\"*\":\"y\"}", "abbc",
		    "z", A, OP_GENERATE, 1 },
		{ "claude", ",\"models\":{\"a*c\":\"z\",\"*\":\"y\"}", "abb",
		    "y", A, OP_GENERATE, 1 },
		/* what generates is translated, whoever asks */
		{ "claude", "", "glm-4", "glm-4", O, OP_GENERATE, 2 },
		{ "claude", "", "glm-4", "glm-4", G, OP_GENERATE, 2 },
		{ "claude", "", "glm-4", "glm-4", O, OP_RESPONSES, 2 },
		{ "openai", "", "glm-4", "glm-4", G, OP_GENERATE, 2 },
		{ "gemini", "", "glm-4", "glm-4", A, OP_GENERATE, 2 },
		{ "gemini", "", "glm-4", "glm-4", O, OP_RESPONSES, 2 },
		{ "openai", "", "claude-x", "claude-x", A, OP_GENERATE, 0 },
		{ "openai", ",\"model\":\"m\"", "claude-x", "m", A,
		    OP_GENERATE, 2 },
		{ "openai", ",\"models\":[\"claude-*\"]", "claude-x",
		    "claude-x", A, OP_GENERATE, 2 },
		{ "openai", ",\"models\":[\"claude-*\"]", "gpt-4", "gpt-4", A,
		    OP_GENERATE, 0 },
		/* a server without /v1/responses, and what that changes */
		{ "openai", "", "o3", "o3", O, OP_RESPONSES, 1 },
		{ "openai", ",\"responses\":false", "o3", "o3", O,
		    OP_RESPONSES, 2 },
		{ "openai", ",\"responses\":false", "o3", "o3", O,
		    OP_GENERATE, 1 },
		/* counting: not for OpenAI's API, which has none */
		{ "claude", "", "glm-4", "glm-4", A, OP_COUNT, 1 },
		{ "claude", "", "glm-4", "glm-4", G, OP_COUNT, 2 },
		{ "gemini", "", "glm-4", "glm-4", A, OP_COUNT, 2 },
		{ "openai", "", "glm-4", "glm-4", A, OP_COUNT, 0 },
		{ "claude", "", "glm-4", "glm-4", O, OP_COUNT, 0 },
		/* all else goes as it is, or not at all */
		{ "openai", "", "e", "e", O, OP_LEGACY, 1 },
		{ "claude", "", "e", "e", O, OP_LEGACY, 0 },
		{ "openai", "", "e", "e", A, OP_OTHER, 0 },
		{ "gemini", "", "e", "e", G, OP_OTHER, 1 },
		{ "openai", ",\"model\":\"m\"", "e", "m", A, OP_OTHER, 0 },
	};
	char text[512];
	const char *why;
	struct config *c;
	struct config_backend any;
	size_t i;
	int fits;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(text, sizeof text, "{\"backends\":[{\"name\":\"a\","
		    "\"base_url\":\"http://[::1]\",\"api_type\":\"%s\"%s}]}",
		    rows[i].api, rows[i].more);
		c = good(text);
		why = NULL;
		fits = config_fits(&c->backends[0], rows[i].client,
		    rows[i].op, str_of(rows[i].model), &why);
		T_OK(fits == (rows[i].fits > 0) && (fits || why != NULL),
		    "%s for %s: %s", text, rows[i].model, why ? why : "");
		T_OK(!fits || config_translates(&c->backends[0],
		    rows[i].client, rows[i].op) == (rows[i].fits == 2),
		    "%s for %s", text, rows[i].model);
		T_OK(str_is(config_model_for(&c->backends[0],
		    str_of(rows[i].model)), rows[i].as), "%s for %s", text,
		    rows[i].model);
		if (i == 0) {
			any = c->backends[0];
			any.api = DIALECT_ANY;
			T_OK(config_fits(&any, G, OP_OTHER, str_of("gpt-4"),
			    &why) && !config_translates(&any, G, OP_COUNT),
			    "any");
		}
		config_free(c);
	}
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
	test_written();
	test_cc_proxy();
	test_tokens();
	test_auth();
	test_priorities();
	test_many();
	test_describe();
	test_template();
	test_reference();
	test_fits();
	buf_free(&faults);
	buf_free(&notes);
	buf_free(&out);
	return t_end();
}
