#include "conf/keys.h"

#include <stddef.h>
#include <string.h>

#include "json.h"

/* What the reference calls each kind. */
#define TYPE_SECTION	"object"
#define TYPE_BACKENDS	"list of objects"
#define TYPE_ROUTES	"list of objects"
#define TYPE_KEYS	"list of objects"
#define TYPE_SWITCH	"boolean"
#define TYPE_PORT	"whole number"
#define TYPE_WHOLE	"whole number"
#define TYPE_ORDER	"whole number"
#define TYPE_SECONDS	"seconds"
#define TYPE_MEGABYTES	"megabytes"
#define TYPE_CHOICE	"choice"
#define TYPE_DIALECT	"choice"
#define TYPE_TEXT	"string"
#define TYPE_SECRET	"secret"
#define TYPE_STATUSES	"list of statuses"
#define TYPE_PHRASES	"list of strings"
#define TYPE_ORIGINS	"list of strings"
#define TYPE_MODELS	"list of strings, or object"
#define TYPE_HEADERS	"object of strings"
#define TYPE_HEALTH	"choice, or list of choices"
#define TYPE_DIGEST	"secret"
#define TYPE_NAMES	"list of names"
#define TYPE_PATTERNS	"list of strings"
#define TYPE_HOSTS	"list of strings"

/* A key that is there; those of each kind of object; others. */
#define ROW(path, kind, range, def, base, field, flags, sample, about) \
	{ path, TYPE_##kind, range, def, about, CONF_##kind, flags, \
	    offsetof(struct base, field), sample }
#define TOP(path, kind, range, def, field, flags, sample, about) \
	ROW(path, kind, range, def, config, field, flags, sample, about)
#define PER(name, kind, range, def, field, flags, sample, about) \
	ROW("backends[]." name, kind, range, def, config_backend, field, \
	    flags, sample, about)
#define WAY(name, kind, range, def, field, about) \
	ROW("routes[]." name, kind, range, def, config_route, field, 0, NULL, \
	    about)
#define GUEST(name, kind, range, def, field, about) \
	ROW("access_keys[]." name, kind, range, def, config_access_key, \
	    field, 0, NULL, about)
#define MOOT(path, kind, range, def, about) \
	{ path, TYPE_##kind, range, def, about, CONF_##kind, \
	    CONF_HIDE | CONF_EMPTY | CONF_MOOT, 0, NULL }
#define BARE(path, kind, range, def, sample, about) \
	{ path, TYPE_##kind, range, def, about, CONF_##kind, 0, 0, sample }
#define SECTION(path, about) \
	BARE(path, SECTION, "", "{}", NULL, about)

#define DIALECTS "claude | openai | gemini | anthropic"
#define STRATEGIES "failover | round_robin | weighted_random | " \
	"least_connections | sticky"
#define AUTHS "auto | bearer | x-api-key | x-goog-api-key | both | passthrough"

static const struct config_key table[] = {
TOP("host", TEXT, "an address", "\"127.0.0.1\"", host, 0, NULL,
    "The address to listen on; one that others can reach needs access_keys, "
    "or open."),
TOP("port", PORT, "1..65535", "3456", port, CONF_ZERO, NULL,
    "The port to listen on; --port and PROXY_PORT win over it."),
TOP("open", SWITCH, "true | false", "false", open, 0, NULL,
    "Allows a host that others can reach although no key is asked of them."),
TOP("drain_seconds", SECONDS, "0..3600", "10", drain_ms, 0, NULL,
    "How long running requests may take to end after TERM or INT."),
TOP("ca_file", TEXT, "a path", "null", ca_file, 0,
    "\"/etc/ssl/certs/ca-certificates.crt\"",
    "PEM file of certificate authorities that replaces the system's."),
TOP("allow_origins", ORIGINS, "scheme://host[:port]", "[]", allow_origins,
    0, NULL, "Web pages, by origin, that may send requests."),
TOP("strategy", CHOICE, STRATEGIES, "\"failover\"", strategy, 0, NULL,
    "How backends of one priority share the requests."),
BARE("backends", BACKENDS, "1..1000 items", "[]", NULL,
    "The providers, the first choice first."),
PER("name", TEXT, "unique, 1..100 bytes", "null", name, CONF_FILL,
    "\"official\"",
    "Needed: what logs and answers call it."),
PER("base_url", TEXT, "http:// or https://", "null", base_url, CONF_FILL,
    "\"https://api.anthropic.com\"",
    "Needed: where it is; a path is kept and a doubled /v1 collapsed."),
PER("token", SECRET, "visible ASCII", "null", token, CONF_ZERO | CONF_FILL,
    "\"${ANTHROPIC_API_KEY}\"",
    "Its key; only passthrough and loopback addresses do without."),
PER("api_type", DIALECT, DIALECTS, "\"claude\"", api, CONF_ZERO, NULL,
    "The API that it speaks; anthropic is another word for claude."),
PER("platform", DIALECT, DIALECTS, "\"claude\"", api,
    CONF_ZERO | CONF_HIDE, NULL, "cc-proxy's newer name for api_type."),
PER("auth", CHOICE, AUTHS, "\"auto\"", auth, 0, NULL,
    "How the token is sent: auto does what the API at that host expects, "
    "passthrough sends the client's own credentials."),
PER("enabled", SWITCH, "true | false", "true", enabled, 0, NULL,
    "Whether it is used at all."),
PER("priority", ORDER, "0..1000000", "null", priority, 0, "1",
    "Lower ones are tried first; backends without one come after all "
    "others: under failover in the order of the list, else as one group."),
PER("weight", WHOLE, "1..1000", "1", weight, 0, NULL,
    "Its share under weighted_random."),
PER("model", TEXT, "a name", "null", model, CONF_ZERO,
    "\"claude-sonnet-4-5\"",
    "The model that it is asked for, whatever the client wrote."),
PER("models", MODELS, "patterns with *, or { pattern: name }", "[]", models,
    0, "[\"claude-*\"]",
    "Serves only these models; as an object it also renames them."),
PER("path_prefix", TEXT, "a path", "null", path_prefix, CONF_EMPTY,
    "\"/api/v1\"", "Replaces the /v1 of the client's path."),
PER("requests_per_minute", WHOLE, "0..1000000", "0", requests_per_minute,
    0, NULL,
    "Attempts in any minute; 0 is no limit; --rate-limit wins over it."),
PER("max_concurrent", WHOLE, "0..1000000", "0", max_concurrent, 0, NULL,
    "Requests at a time; 0 is no limit."),
PER("headers", HEADERS, "{ name: value }", "{}", headers, 0,
    "{ \"x-team\": \"blue\" }", "Header fields that are set on each request."),
PER("ca_file", TEXT, "a path", "null", ca_file, 0, "\"/etc/ssl/own.pem\"",
    "PEM file of certificate authorities for this backend alone."),
PER("address", TEXT, "an IP address", "null", address, 0, "\"192.0.2.7\"",
    "Connects there instead of looking the host name up."),
PER("responses", SWITCH, "true | false", "true", responses, CONF_HIDE, NULL,
    "Whether an openai backend has /v1/responses; if not, such requests are "
    "translated to chat completions."),
PER("old_max_tokens", SWITCH, "true | false", "false", old_max_tokens,
    CONF_HIDE, NULL, "Translated requests say max_tokens instead of "
    "max_completion_tokens: for servers that only know the old name."),
PER("auto_cache", SWITCH, "true | false", "false", auto_cache, CONF_HIDE,
    NULL, "Translated requests ask Anthropic to cache the prompt, which "
    "agents of other APIs cannot ask for."),
PER("max_tokens", WHOLE, "0..1000000", "0", max_tokens, CONF_HIDE, NULL,
    "The limit that Anthropic is told when a translated request names none; "
    "0 is what the model allows."),
BARE("backends[].timeouts", SECTION, "", "{}", "{ \"first_byte\": 10 }",
    "Overrides of the section timeouts, for this backend."),
PER("timeouts.connect", SECONDS, "0.001..86400", "null", timeouts.connect,
    CONF_HIDE, NULL, "As timeouts.connect, for this backend."),
PER("timeouts.first_byte", SECONDS, "0.001..86400", "null",
    timeouts.first_byte, CONF_HIDE, NULL,
    "As timeouts.first_byte, for this backend."),
PER("timeouts.response", SECONDS, "0.001..86400", "null", timeouts.response,
    CONF_HIDE, NULL, "As timeouts.response, for this backend."),
PER("timeouts.idle", SECONDS, "0.001..86400", "null", timeouts.idle,
    CONF_HIDE, NULL, "As timeouts.idle, for this backend."),
PER("timeouts.total", SECONDS, "0..86400", "null", timeouts.total,
    CONF_HIDE, NULL, "As timeouts.total, for this backend."),
MOOT("backends[].key_type", TEXT, "any text", "\"\"",
    "Accepted from auto-proxy's files and unused."),
BARE("routes", ROUTES, "1000 items at most", "[]",
    "[{ \"model\": \"claude-*\", \"backends\": [\"official\"] }]",
    "Which backends serve which models; the first that fits counts, and "
    "models that fit none may go to all backends."),
WAY("model", TEXT, "a pattern with *", "null", model,
    "Needed: the models, by name or pattern."),
WAY("backends", NAMES, "names of backends", "null", backends,
    "Needed: those that serve them."),
WAY("strategy", CHOICE, STRATEGIES, "null", strategy,
    "How these share the requests, if not as strategy says."),
BARE("access_keys", KEYS, "1000 items at most", "[]",
    "[{ \"name\": \"laptop\", \"key\": \"${MY_ACCESS_KEY}\", "
    "\"tokens\": { \"max\": 100000 } }]",
    "The keys that clients must show; without any, nobody is asked."),
GUEST("name", TEXT, "unique, 1..100 bytes", "null", name,
    "Needed: what logs and metrics call it."),
GUEST("key", DIGEST, "8 characters at least, or sha256:<64 hex digits>",
    "null", hash, "Needed: the key, or what --hash-key makes of it."),
GUEST("backends", NAMES, "names of backends", "null", backends,
    "The only backends it may use; null is all."),
GUEST("models", PATTERNS, "patterns with *", "null", models,
    "The only models it may ask for; null is all."),
GUEST("requests_per_minute", WHOLE, "0..1000000", "0", requests_per_minute,
    "Requests in any minute; 0 is no limit."),
SECTION("access_keys[].tokens", "Tokens, as the answers count them."),
GUEST("tokens.max", WHOLE, "0..1000000000", "0", tokens.max,
    "Tokens in any window; 0 is no limit."),
GUEST("tokens.window_minutes", WHOLE, "1..10080", "60",
    tokens.window_minutes, "How long that window is."),
SECTION("user_limits", "Tokens for each user that a header names."),
TOP("user_limits.enabled", SWITCH, "true | false", "false",
    user_limits.enabled, 0, NULL, "Whether users have limits."),
TOP("user_limits.header", TEXT, "a header name", "\"user\"",
    user_limits.header, 0, NULL, "The header field that names the user; "
    "without it the access key's name does."),
TOP("user_limits.window_minutes", WHOLE, "1..10080", "60",
    user_limits.window_minutes, 0, NULL,
    "The time over which tokens are summed up."),
TOP("user_limits.max_tokens", WHOLE, "1..1000000000", "1000",
    user_limits.max_tokens, 0, NULL,
    "The tokens that a user has in that time."),
SECTION("retry", "How often a request is tried."),
TOP("retry.attempts", WHOLE, "0..100", "0", retry.attempts, 0, NULL,
    "Attempts for one request; 0 is one for each backend."),
TOP("retry.tries_per_backend", WHOLE, "1..10", "1", retry.tries_per_backend,
    CONF_ZERO, NULL, "Attempts at one backend before the next one's turn."),
TOP("retry.max_attempts", WHOLE, "0..1000000", "3", retry.attempts,
    CONF_ZERO | CONF_HIDE | CONF_UNUSED, NULL,
    "Accepted from cc-proxy's files and unused, as there."),
TOP("retry.timeout_seconds", SECONDS, "0..86400", "0", retry.timeout,
    CONF_HIDE, NULL, "If above 0, bounds a whole plain attempt and a "
    "stream's time to its head (cc-proxy)."),
TOP("retry.budget_percent", WHOLE, "0..100", "20", retry.budget_percent, 0,
    NULL, "While no backend answers, further attempts stay below this share "
    "of the requests, and 3 a second, so that they cannot pile up."),
SECTION("timeouts", "How long each part of an attempt may take."),
TOP("timeouts.connect", SECONDS, "0.001..86400", "5", timeouts.connect, 0,
    NULL, "Looking the name up, connecting and TLS together."),
TOP("timeouts.first_byte", SECONDS, "0.001..86400", "30",
    timeouts.first_byte, 0, NULL,
    "For streams: from the request sent to the head of the answer."),
TOP("timeouts.response", SECONDS, "0.001..86400", "300", timeouts.response,
    0, NULL, "For plain answers: from connecting to the head's end."),
TOP("timeouts.idle", SECONDS, "0.001..86400", "60", timeouts.idle, 0, NULL,
    "The longest silence in the midst of an answer."),
TOP("timeouts.total", SECONDS, "0..86400", "0", timeouts.total, 0, NULL,
    "A whole attempt; 0 is no limit."),
SECTION("failover", "When the next backend takes over."),
TOP("failover.on", STATUSES, "300..599, \"3xx\", \"4xx\", \"5xx\"",
    "[\"429\", \"5xx\"]", failover, 0,
    "[\"401\", \"402\", \"403\", \"429\", \"5xx\"]",
    "Statuses that move on; 401, 402 and 403 also shut a backend off for a "
    "while, as its key is bad or spent."),
TOP("failover.health", HEALTH, "breaker | score | window",
    "\"breaker\"", failover.health, 0, NULL,
    "What decides that a backend is down; of a list, all must agree."),
SECTION("failover.circuit_breaker", "Skips a backend that keeps failing."),
TOP("failover.circuit_breaker.failure_threshold", WHOLE, "1..1000000", "3",
    failover.failure_threshold, CONF_ZERO, NULL,
    "Failures in a row that open the breaker."),
TOP("failover.circuit_breaker.open_timeout_seconds", SECONDS,
    "0.001..86400", "30", failover.open_ms, CONF_ZERO, NULL,
    "How long an open breaker keeps a backend out."),
TOP("failover.circuit_breaker.half_open_requests", WHOLE, "1..1000", "1",
    failover.half_open_requests, CONF_ZERO, NULL,
    "Trial requests at a time after that."),
SECTION("failover.score", "The numbers of the health by score."),
TOP("failover.score.success", WHOLE, "1..100", "5", failover.score.success, 0,
    NULL, "What a success adds; 100 is the most."),
TOP("failover.score.failure", WHOLE, "1..100", "10", failover.score.failure,
    0, NULL, "What a failure takes."),
TOP("failover.score.healthy_above", WHOLE, "0..99", "20",
    failover.score.healthy_above, 0, NULL, "A backend above it is used."),
TOP("failover.score.recover_minutes", WHOLE, "1..1440", "5",
    failover.score.recover_minutes, 0, NULL,
    "Idle time after which the score rises by itself."),
SECTION("failover.window", "The numbers of the health by window."),
TOP("failover.window.seconds", SECONDS, "1..86400", "140",
    failover.window.ms, 0, NULL, "The time that is looked back over."),
TOP("failover.window.min_failures", WHOLE, "1..1000", "2",
    failover.window.min_failures, 0, NULL,
    "Attempts, all failed, that make a backend down."),
SECTION("failover.rate_limit", "What happens after a 429."),
TOP("failover.rate_limit.cooldown_seconds", SECONDS, "0.001..86400", "60",
    failover.cooldown_ms, CONF_ZERO, NULL,
    "How long a backend then comes last, unless its answer says how long."),
TOP("failover.rate_limit.max_cooldown_seconds", SECONDS, "1..604800",
    "86400", failover.max_cooldown_ms, 0, NULL,
    "The longest time that an answer may ask for."),
TOP("failover.slow_start_seconds", SECONDS, "0..86400", "0",
    failover.slow_start_ms, 0, NULL, "How long a backend that comes back takes "
    "to reach its full share; 0 has it at once."),
TOP("failover.when_all_down", CHOICE, "fail | try", "\"fail\"",
    failover.when_all_down, 0, NULL, "Whether each is tried once more, in "
    "order, when none is healthy; with score in health the default is try."),
TOP("failover.retry_text", PHRASES, "16 at most",
    "[\"rate limit\", \"rate_limit\"]", failover.retry_text, 0, NULL,
    "Texts in an error body that mean a rate limit, whatever the status."),
TOP("failover.stop_text", PHRASES, "16 at most", "[]", failover.stop_text,
    0, NULL, "Texts in an error body that are returned at once."),
SECTION("health_check", "Asks backends that are down if they are back."),
TOP("health_check.enabled", SWITCH, "true | false", "false",
    health_check.enabled, 0, NULL, "Whether they are asked."),
TOP("health_check.interval_seconds", SECONDS, "1..86400", "30",
    health_check.interval, 0, NULL, "How often."),
TOP("health_check.path", TEXT, "a path", "\"/v1/models\"",
    health_check.path, 0, NULL, "What is asked for, with GET."),
SECTION("validation", "Checks of answers."),
TOP("validation.strict_anthropic_format", SWITCH, "true | false", "false",
    validation.strict, 0, NULL,
    "Whether answers must have every member of their API's form."),
TOP("validation.validate_streaming", SWITCH, "true | false", "true",
    validation.streaming, 0, NULL, "Whether events of streams are checked."),
TOP("validation.disconnect_on_invalid", SWITCH, "true | false", "true",
    validation.disconnect, 0, NULL,
    "Whether an invalid answer is cut off; if not, it is only logged."),
SECTION("logging", "What is written to stderr and to files."),
TOP("logging.level", CHOICE, "debug | info | warn | error", "\"info\"",
    logging.level, 0, NULL, "The least important lines that are written."),
TOP("logging.log_request_types", CHOICE, "all | failed | success",
    "\"all\"", logging.types, 0, NULL, "Which requests get a line."),
TOP("logging.log_request_body", CHOICE, "none | truncated | full",
    "\"none\"", logging.request_body, 0, NULL,
    "How much of request bodies the records keep; truncated is 1024 bytes."),
TOP("logging.log_response_body", CHOICE, "none | truncated | full",
    "\"none\"", logging.response_body, 0, NULL,
    "How much of the bodies of answers they keep."),
TOP("logging.log_directory", TEXT, "a path", "null", logging.directory, 0,
    "\"/var/log/spillway\"", "Where the daily files of records go, one line "
    "for each attempt; without it there are none."),
TOP("logging.max_megabytes", MEGABYTES, "1..1048576", "100", logging.max, 0,
    NULL, "What those files may take together; above it the oldest go."),
TOP("logging.color", CHOICE, "auto | always | never", "\"auto\"",
    logging.color, 0, NULL, "Colour; auto is only on a terminal."),
SECTION("web_admin", "The dashboard."),
TOP("web_admin.enabled", SWITCH, "true | false", "true", web_admin.enabled,
    0, NULL, "Whether there is one."),
TOP("web_admin.host", TEXT, "an address", "\"127.0.0.1\"", web_admin.host, 0,
    NULL, "The address that it listens on; one that others can reach needs "
    "a token."),
TOP("web_admin.port", PORT, "1..65535", "8081", web_admin.port, 0, NULL,
    "The port that it listens on; --admin-port wins over it."),
TOP("web_admin.token", SECRET, "8 visible ASCII characters at least", "null",
    web_admin.token, 0, "\"${SPILLWAY_ADMIN_TOKEN}\"",
    "What visitors must know, on this machine too."),
TOP("web_admin.hosts", HOSTS, "names or addresses", "[]", web_admin, 0,
    "[\"spillway.example.com\"]", "Further names and addresses under which "
    "visitors may ask for it, with a token."),
SECTION("metrics", "The page for Prometheus."),
TOP("metrics.enabled", SWITCH, "true | false", "true", metrics.enabled, 0,
    NULL, "Whether there is one."),
TOP("metrics.host", TEXT, "an address", "\"127.0.0.1\"", metrics.host, 0,
    NULL, "The address that it listens on; nobody is asked for a key there."),
TOP("metrics.port", PORT, "1..65535", "9090", metrics.port, 0, NULL,
    "The port that it listens on; METRICS_PORT wins over it."),
SECTION("limits", "What the process may take."),
TOP("limits.max_body_megabytes", MEGABYTES, "1..1024", "64", limits.body, 0,
    NULL, "The largest request body; above it the answer is 413."),
TOP("limits.max_connections", WHOLE, "1..1000000", "10000",
    limits.connections, 0, NULL, "Client connections at a time."),
TOP("limits.memory_megabytes", MEGABYTES, "16..1048576", "512",
    limits.memory, 0, NULL,
    "Memory for requests and answers; above it the answer is 503."),
};

#define NKEYS (sizeof table / sizeof table[0])

/* Does not compile if an enum is no int, or the table has outgrown it. */
typedef char fits_int[sizeof(enum config_auth) == sizeof(int) &&
    sizeof(enum fo_strategy) == sizeof(int) &&
    sizeof(enum fo_all_down) == sizeof(int) &&
    sizeof(enum dialect) == sizeof(int) && NKEYS <= CONF_KEYS_MAX ? 1 : -1];

const struct config_key *
conf_keys(size_t *n)
{
	if (n != NULL)
		*n = NKEYS;
	return table;
}

const char *
conf_key_name(const struct config_key *k)
{
	const char *dot = strrchr(k->path, '.');

	return dot == NULL ? k->path : dot + 1;
}

int
conf_key_in(const struct config_key *k, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(k->path, prefix, n) == 0 &&
	    conf_key_name(k) == k->path + n;
}

const struct config_key *
conf_key_find(const char *prefix, struct str name)
{
	size_t i;

	for (i = 0; i < NKEYS; i++)
		if (conf_key_in(&table[i], prefix) &&
		    str_is(name, conf_key_name(&table[i])))
			return &table[i];
	return NULL;
}

/* 1 if that many changes are few enough for a slip of the finger. */
static int
is_near(unsigned distance, size_t len)
{
	return distance <= 2 ? len > distance : distance * 3 <= len;
}

const struct config_key *
conf_key_near(const char *prefix, struct str name)
{
	const struct config_key *best = NULL;
	unsigned d, least = 99;
	size_t i;

	for (i = 0; i < NKEYS; i++) {
		if (!conf_key_in(&table[i], prefix))
			continue;
		d = util_distance(name, str_of(conf_key_name(&table[i])));
		if (d < least) {
			least = d;
			best = &table[i];
		}
	}
	if (best != NULL && is_near(least, name.n))
		return best;
	for (i = 0; i < NKEYS; i++)
		if (str_is(name, conf_key_name(&table[i])) ||
		    str_is(name, table[i].path))
			return &table[i];
	return NULL;
}

/* Takes the next word of "a | b | c" off *range. */
static struct str
next_word(const char **range)
{
	const char *bar = strstr(*range, " | ");
	struct str w;

	w = str_n(*range, strlen(*range));
	if (bar != NULL)
		w.n = (size_t)(bar - *range);
	*range += bar == NULL ? w.n : w.n + 3;
	return w;
}

int
conf_choice(const char *range, struct str word)
{
	int i;

	for (i = 0; *range != '\0'; i++)
		if (str_eq(word, next_word(&range)))
			return i;
	return -1;
}

struct str
conf_choice_name(const char *range, int number)
{
	struct str w = str_n("", 0);
	int i;

	for (i = 0; i <= number; i++) {
		if (*range == '\0')
			return str_n("", 0);
		w = next_word(&range);
	}
	return w;
}

struct str
conf_choice_near(const char *range, struct str word)
{
	struct str w, best = str_n("", 0);
	unsigned d, least = 99;

	while (*range != '\0') {
		w = next_word(&range);
		d = util_distance(word, w);
		if (d < least) {
			least = d;
			best = w;
		}
	}
	return is_near(least, word.n) ? best : str_n("", 0);
}

int
conf_bounds(const char *range, double *low, double *high)
{
	const char *dots = strstr(range, "..");

	if (dots == NULL || json_double(str_n(range, (size_t)(dots - range)),
	    low) == -1)
		return -1;
	return json_double(str_of(dots + 2), high);
}
