/*
 * The page for Prometheus: read by a strict reader of the text format 0.0.4
 * (and by promtool, where there is one), compared with what was put into
 * the figures; random traffic adds up, never falls, and survives a reload.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "admin/metrics.h"
#include "json.h"
#include "net/loop.h"
#include "tests/t.h"

#define ROOM	((size_t)8 << 20)
#define SERIES	20000

/* ---- a strict reader ---- */

struct series {
	char *text;			/* name{labels}, in page */
	size_t name;			/* bytes of the name */
	double n;
};

static struct series list[SERIES];
static size_t nlist;
static char *page;
static const char *fault;

struct family {
	char name[100], type[16];
	/* Of the histogram that is being read. */
	char group[1000];		/* labels without le */
	double le, last;
	int stage;			/* 0 none, 1 buckets, 2 sum */
};

static int
name_end(const char *s)
{
	int n = 0;

	if (isdigit((unsigned char)*s))
		return 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

/* Reads {name="value",..}; le goes to *le, all others to group. */
static char *
read_labels(char *s, char *group, size_t room, char *le)
{
	char names[8][64];
	unsigned n = 0, i;
	int len;
	char *from;

	group[0] = le[0] = '\0';
	if (*s != '{')
		return s;
	do {
		from = ++s;
		len = name_end(s);
		if (len == 0 || len > 63 || n == 8 || s[len] != '=' ||
		    s[len + 1] != '"')
			return NULL;
		snprintf(names[n++], 64, "%.*s", len, s);
		for (i = 0; i + 1 < n; i++)
			if (strcmp(names[i], names[n - 1]) == 0)
				return NULL;
		for (s += len + 2; *s != '"'; s++) {
			if (*s == '\0' || *s == '\n' || (*s == '\\' &&
			    strchr("\\\"n", *++s) == NULL))
				return NULL;
			len = *s == '\0' ? -1 : json_scan_utf8(s, strlen(s));
			if (len < 0)
				return NULL;
			s += len - 1;
		}
		s++;
		if (strcmp(names[n - 1], "le") == 0)
			snprintf(le, 32, "%.*s", (int)(s - from) - 5,
			    from + 4);
		else
			snprintf(group + strlen(group), room - strlen(group),
			    "%.*s,", (int)(s - from), from);
	} while (*s == ',');
	return *s == '}' ? s + 1 : NULL;
}

/* One sample of a histogram, in the order that they must have. */
static const char *
histogram_line(struct family *f, const char *suffix, const char *group,
    const char *le, double n)
{
	double bound = strcmp(le, "+Inf") == 0 ? 1e300 : strtod(le, NULL);

	if (strcmp(suffix, "_bucket") == 0) {
		if (le[0] == '\0')
			return "a bucket without le";
		if (f->stage == 0) {
			f->stage = 1;
			f->le = -1;
			f->last = 0;
			snprintf(f->group, sizeof f->group, "%s", group);
		}
		if (f->stage != 1 || strcmp(f->group, group) != 0)
			return "a bucket out of place";
		if (bound <= f->le || n < f->last)
			return "buckets that do not rise";
		f->le = bound;
		f->last = n;
		return NULL;
	}
	if (le[0] != '\0' || strcmp(f->group, group) != 0)
		return "a sum or count of others";
	if (strcmp(suffix, "_sum") == 0) {
		if (f->stage != 1 || f->le < 1e300)
			return "a sum before +Inf";
		f->stage = 2;
		return NULL;
	}
	if (strcmp(suffix, "_count") != 0 || f->stage != 2 || n != f->last)
		return "a count that is not that of +Inf";
	f->stage = 0;
	return NULL;
}

static const char *
sample_line(struct family *f, char *s)
{
	char group[1000], le[32], *end, *after;
	size_t len = strlen(f->name), i;
	int n = name_end(s);
	double v;

	if (strncmp(s, f->name, len) != 0 || (size_t)n < len)
		return "a sample outside of its family";
	if (strcmp(f->type, "histogram") != 0 && (size_t)n != len)
		return "a sample of another name";
	if ((end = read_labels(s + n, group, sizeof group, le)) == NULL)
		return "labels that are none";
	if (*end != ' ' || !isdigit((unsigned char)end[1]))
		return "no value";
	v = strtod(end + 1, &after);
	if (*after != '\0' || strchr(end, 'e') != NULL)
		return "no plain number";
	*end = '\0';
	for (i = 0; i < nlist; i++)
		if (strcmp(list[i].text, s) == 0)
			return "a series twice";
	if (nlist == SERIES)
		return "too many series";
	list[nlist].text = s;
	list[nlist].name = (size_t)n;
	list[nlist++].n = v;
	if (strcmp(f->type, "histogram") != 0)
		return le[0] == '\0' ? NULL : "le outside of a histogram";
	after = strndup(s + len, (size_t)n - len);
	fault = histogram_line(f, after, group, le, v);
	free(after);
	return fault;
}

/* A comment line; families come once, HELP before TYPE. */
static const char *
comment_line(struct family *f, const char *s, int *helped)
{
	static char seen[100][100];
	static unsigned nseen;
	char rest[16];
	unsigned i;

	if (s == NULL) {
		nseen = 0;
		return NULL;
	}
	if (strncmp(s, "# HELP ", 7) == 0) {
		if (*helped || f->stage != 0)
			return "HELP out of place";
		if (sscanf(s + 7, "%99s %15s", f->name, rest) != 2 ||
		    strchr(s, '\\') != NULL ||
		    name_end(f->name) != (int)strlen(f->name))
			return "HELP without a name or text";
		for (i = 0; i < nseen; i++)
			if (strcmp(seen[i], f->name) == 0)
				return "a family twice";
		strcpy(seen[nseen++], f->name);
		*helped = 1;
		return NULL;
	}
	if (strncmp(s, "# TYPE ", 7) != 0 || !*helped ||
	    strncmp(s + 7, f->name, strlen(f->name)) != 0 ||
	    sscanf(s + 7 + strlen(f->name), " %15s", f->type) != 1)
		return "TYPE out of place";
	*helped = 0;
	return strcmp(f->type, "counter") == 0 || strcmp(f->type, "gauge") ==
	    0 || strcmp(f->type, "histogram") == 0 ? NULL : "no such type";
}

/* Reads the whole page into list. */
static void
read_page(struct str text)
{
	struct family f;
	char *s, *next;
	int helped = 0;

	memset(&f, 0, sizeof f);
	free(page);
	page = str_dup(text);
	nlist = 0;
	comment_line(NULL, NULL, NULL);
	T_OK(text.n > 0 && text.p[text.n - 1] == '\n', "the last line ends");
	for (s = page; s != NULL && *s != '\0'; s = next) {
		if ((next = strchr(s, '\n')) == NULL)
			break;
		*next++ = '\0';
		if (*s == '#')
			fault = comment_line(&f, s, &helped);
		else
			fault = helped ? "no TYPE" : sample_line(&f, s);
		T_OK(fault == NULL, "%s: %s", fault, s);
	}
	T_OK(f.stage == 0 && !helped, "an end in between");
}

/* The value of a series; -1: it is not there. */
static double
get(const char *series)
{
	size_t i;

	for (i = 0; i < nlist; i++)
		if (strcmp(list[i].text, series) == 0)
			return list[i].n;
	return -1;
}

/* The sum over all series of that name whose labels have such a text. */
static double
total(const char *name, const char *with)
{
	size_t i, n = strlen(name);
	double sum = 0;

	for (i = 0; i < nlist; i++)
		if (list[i].name == n && memcmp(list[i].text, name, n) == 0 &&
		    strstr(list[i].text, with) != NULL)
			sum += list[i].n;
	return sum;
}

#define IS(series, wanted) T_OK(get(series) == (wanted), "%s is %g, not %g", \
    series, get(series), (double)(wanted))

/* ---- a process without sockets ---- */

static struct client_env env;
static struct failover registry;
static struct admin_host host;
static struct buf out;

static const char *
get_env(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return NULL;
}

/* Puts a config in service. */
static void
serve(const char *text)
{
	static const struct config_env world = { get_env, NULL, NULL };
	static const struct config_flags flags = { -1, -1, 0 };
	struct tls_roots *roots[8] = { NULL };
	struct buf faults, notes;
	struct config *c;

	buf_init(&faults, ROOM);
	buf_init(&notes, ROOM);
	c = config_parse(str_of(text), "f", &world, &flags, &faults, &notes);
	T_OK(c != NULL, "%s", buf_cstr(&faults));
	buf_free(&faults);
	buf_free(&notes);
	if (c == NULL)
		exit(t_end());
	generation_free(env.gen);
	env.gen = generation_new(c, &registry, roots);
	T_OK(env.gen != NULL, "generation");
}

static void
scrape(void)
{
	buf_clear(&out);
	T_OK(metrics_write(&out, &host) == 0, "written");
	read_page(buf_str(&out));
}

static void
start(void)
{
	memset(&env, 0, sizeof env);
	failover_init(&registry);
	access_init(&env.ex.access);
	stats_init(&env.ex.stats, 1790000000500);
	env.loop = host.loop = loop_new();
	host.clients = &env;
	host.health = &registry;
	host.version = "0.3\"\\";
	buf_init(&out, ROOM);
}

static void
stop(void)
{
	generation_free(env.gen);
	stats_free(&env.ex.stats);
	access_free(&env.ex.access);
	failover_free(&registry);
	loop_free(env.loop);
	buf_free(&out);
	free(page);
	page = NULL;
}

/* ---- the families by name ---- */

#define NAMES "{\"name\":\"a\",\"base_url\":\"http://127.0.0.1:1\"," \
    "\"token\":\"sk-secret-of-a-0123456789\"," \
    "\"api_type\":\"claude\"},{\"name\":\"q\\\"\\\\/<b>&é\"," \
    "\"base_url\":\"http://127.0.0.1:2\",\"token\":\"t\"},"
#define C "{\"name\":\"c\",\"base_url\":\"http://127.0.0.1:3\"," \
    "\"token\":\"t\",\"enabled\":false}"
#define D "{\"name\":\"d\",\"base_url\":\"http://127.0.0.1:4\"," \
    "\"token\":\"t\",\"max_concurrent\":1,\"requests_per_minute\":1}"
#define Q "q\\\"\\\\/<b>&é"

static void
fresh(void)
{
	static const char *const outcomes[] = {
		"good", "failed", "limited", "returned", "broken", "left"
	};
	static const char *const types[] = {
		"input", "output", "cache_read", "cache_write", "reasoning"
	};
	static const char *const zeros[] = {
		"rate_limit_exceeded_total", "prompt_tokens_total",
		"completion_tokens_total", "tokens_total",
		"http_request_duration_seconds_count",
		"http_request_duration_seconds_bucket{le=\"+Inf\"}",
		"http_request_duration_seconds_bucket{le=\"0.01\"}",
		"http_request_duration_seconds_bucket{le=\"300\"}",
		"spillway_first_byte_seconds_count", "spillway_dropped_total",
		"spillway_connections", "spillway_requests_in_flight",
		"spillway_backend_in_flight{backend=\"a\"}",
		"spillway_backend_cooldown_seconds{backend=\"c\"}",
		"spillway_backend_first_byte_seconds_bucket{backend=\"a\","
		"le=\"2.5\"}", "spillway_skips_total{backend=\"" Q "\"}",
		"spillway_backend_state{backend=\"a\",state=\"down\"}"
	};
	static const char *const families[] = {
		"http_requests_total", "tokens_by_model",
		"tokens_by_user_model", "spillway_translations_total"
	};
	char name[200];
	size_t i;

	serve("{\"backends\":[" NAMES C "]}");
	scrape();
	for (i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "spillway_attempts_total{"
		    "backend=\"" Q "\",outcome=\"%s\"}", outcomes[i]);
		IS(name, 0);
	}
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "token_usage_total{type=\"%s\"}",
		    types[i]);
		IS(name, 0);
	}
	for (i = 0; i < sizeof zeros / sizeof *zeros; i++)
		IS(zeros[i], 0);
	for (i = 0; i < sizeof families / sizeof *families; i++) {
		snprintf(name, sizeof name, "# TYPE %s counter\n",
		    families[i]);
		T_OK(strstr(buf_cstr(&out), name) != NULL, "%s", name);
	}
	IS("spillway_backend_state{backend=\"a\",state=\"up\"}", 1);
	IS("spillway_backend_state{backend=\"c\",state=\"disabled\"}", 1);
	IS("spillway_backend_state{backend=\"c\",state=\"up\"}", 0);
	IS("spillway_backend_score{backend=\"a\"}", 100);
	IS("spillway_memory_limit_bytes", 512.0 * 1048576);
	IS("spillway_start_time_seconds", 1790000000.5);
	IS("spillway_build_info{version=\"0.3\\\"\\\\\"}", 1);
	T_OK(strstr(buf_cstr(&out), "secret") == NULL, "no secret");
}

/* One request: tried at a, which fails; answered by the other. */
static void
request(const char *second, int status, uint64_t us)
{
	struct stats *s = &env.ex.stats;
	struct stats_request r;
	struct dialect_watch w;
	struct stats_entry *e;
	struct stats_end end;

	memset(&r, 0, sizeof r);
	memset(&end, 0, sizeof end);
	memset(&w, 0, sizeof w);
	r.id = str_of("req");
	r.began_us = 1000;
	r.wall_ms = 1790000000000;
	e = stats_begin(s, &r);
	stats_try_begin(s, e, str_of("a"), 0, 1000);
	stats_try_phase(s, e, STATS_ANSWER, 1500);
	stats_try_end(s, e, STATS_FAILED, 529, "status 529", 2000,
	    r.wall_ms);
	stats_skip(s, e, str_of("c"), "down", 2000);
	stats_try_begin(s, e, str_of(second), 1, 2000);
	stats_try_phase(s, e, STATS_ANSWER, 2000);
	stats_try_phase(s, e, STATS_HOLDING, 2000 + us);
	stats_try_phase(s, e, STATS_STREAMING, 2000 + us);
	stats_try_end(s, e, STATS_GOOD, status, "", 3000 + us, r.wall_ms);
	w.usage.input = 10;
	w.usage.output = 7;
	w.usage.cache_read = 5;
	w.usage.cache_write = 3;
	w.usage.reasoning = -1;
	end.status = status;
	end.outcome = STATS_GOOD;
	end.backend = str_of(second);
	end.model_label = str_of("claude-*");
	end.user = str_of("lap\ntop");
	end.watch = &w;
	end.to = DIALECT_OPENAI;
	end.losses = 2;
	end.first_us = 2000 + us;
	stats_end(s, e, &end, 1000 + us, r.wall_ms);
}

static void
known(void)
{
	request("q\"\\/<b>&é", 200, 40000);
	request("q\"\\/<b>&é", 200, 400000000);
	request("gone\xff", 207, 1);
	env.count = 3;
	env.busy = 2;
	env.ex.stats.refused = 4;
	scrape();
	IS("http_requests_total{backend=\"" Q "\",model=\"claude-*\","
	    "status=\"200\"}", 2);
	IS("http_requests_total{backend=\"gone\xef\xbf\xbd\","
	    "model=\"claude-*\",status=\"207\"}", 1);
	IS("http_request_duration_seconds_bucket{le=\"0.01\"}", 1);
	IS("http_request_duration_seconds_bucket{le=\"0.025\"}", 1);
	IS("http_request_duration_seconds_bucket{le=\"0.05\"}", 2);
	IS("http_request_duration_seconds_bucket{le=\"300\"}", 2);
	IS("http_request_duration_seconds_bucket{le=\"+Inf\"}", 3);
	IS("http_request_duration_seconds_sum", 400.040001);
	IS("token_usage_total{type=\"input\"}", 30);
	IS("token_usage_total{type=\"output\"}", 21);
	IS("token_usage_total{type=\"cache_read\"}", 15);
	IS("token_usage_total{type=\"cache_write\"}", 9);
	IS("token_usage_total{type=\"reasoning\"}", 0);
	IS("prompt_tokens_total", 54);
	IS("completion_tokens_total", 21);
	IS("tokens_total", 75);
	IS("tokens_by_model{model=\"claude-*\",type=\"prompt\"}", 54);
	IS("tokens_by_user_model{user=\"lap\\ntop\",model=\"claude-*\","
	    "type=\"completion\"}", 21);
	IS("rate_limit_exceeded_total", 4);
	IS("spillway_attempts_total{backend=\"a\",outcome=\"failed\"}", 3);
	IS("spillway_attempts_total{backend=\"" Q "\",outcome=\"good\"}", 2);
	IS("spillway_skips_total{backend=\"c\"}", 3);
	IS("spillway_backend_tokens_total{backend=\"" Q "\",type=\"input\"}",
	    20);
	IS("spillway_backend_first_byte_seconds_count{backend=\"" Q "\"}", 2);
	IS("spillway_backend_first_byte_seconds_count{backend=\"a\"}", 0);
	IS("spillway_translations_total{from=\"anthropic\",to=\"openai\"}", 3);
	IS("spillway_dropped_total", 6);
	IS("spillway_connections", 3);
	IS("spillway_connections_busy", 2);
	IS("spillway_requests_retried_total", 3);
	IS("spillway_backend_state{backend=\"gone\xef\xbf\xbd\","
	    "state=\"up\"}", -1);
	IS("spillway_attempts_total{backend=\"gone\xef\xbf\xbd\","
	    "outcome=\"good\"}", 1);
	/* Another config: who is not in it keeps the counters. */
	serve("{\"backends\":[" D "]}");
	scrape();
	IS("spillway_attempts_total{backend=\"a\",outcome=\"failed\"}", 3);
	IS("spillway_backend_state{backend=\"a\",state=\"up\"}", -1);
	IS("spillway_attempts_total{backend=\"d\",outcome=\"failed\"}", 0);
	IS("spillway_backend_state{backend=\"d\",state=\"up\"}", 1);
}

/* ---- states ---- */

static void
state_is(const char *wanted, const char *when)
{
	char name[100];

	scrape();
	snprintf(name, sizeof name,
	    "spillway_backend_state{backend=\"d\",state=\"%s\"}", wanted);
	T_OK(get(name) == 1, "%s: not %s", when, wanted);
	T_OK(total("spillway_backend_state", "backend=\"d\"") == 1,
	    "%s: one state", when);
}

static void
states(void)
{
	struct target *t = &env.gen->targets[0];
	struct fo_backend *b = t->health;
	uint64_t now = loop_now(env.loop);

	state_is("up", "new");
	b->cool_until = now + 2500;
	state_is("cooling", "cool-down");
	IS("spillway_backend_cooldown_seconds{backend=\"d\"}", 2.5);
	b->state = FO_OPEN;
	b->open_until = now + 1000;
	state_is("down", "open");
	b->cool_until = 0;
	b->open_until = 0;
	b->state = FO_HALF_OPEN;
	state_is("trial", "half-open");
	b->state = FO_CLOSED;
	b->in_flight = 1;
	state_is("full", "max_concurrent");
	access_backend_take(&env.ex.access, t->cfg, now);
	state_is("limited", "requests_per_minute");
	b->in_flight = 0;
}

/* ---- random traffic ---- */

static uint64_t seed = 1;

static unsigned
pick(unsigned n)
{
	return (unsigned)(util_random(&seed) % n);
}

static struct {
	double attempts[STATS_SKIPPED + 1], requests, prompt, completion,
	    dropped;
} sums;

static void
random_request(void)
{
	static const char *const names[] = { "a", "c", "d", "x", "y\"" };
	struct stats *s = &env.ex.stats;
	struct str name = str_of("");
	struct stats_request r;
	struct stats_entry *e;
	struct dialect_watch w;
	struct stats_end end;
	uint64_t us = pick(1000000);
	unsigned n = pick(4), o;

	memset(&r, 0, sizeof r);
	memset(&end, 0, sizeof end);
	memset(&w, 0, sizeof w);
	r.began_us = us;
	r.client = (enum dialect)pick(3);
	e = stats_begin(s, &r);
	while (n-- > 0) {
		name = str_of(names[pick(5)]);
		if (pick(4) == 0) {
			stats_skip(s, e, name, "down", us);
			sums.attempts[STATS_SKIPPED]++;
			continue;
		}
		o = STATS_GOOD + pick(STATS_SKIPPED - STATS_GOOD);
		stats_try_begin(s, e, name, 0, us);
		us += pick(30000000);
		stats_try_phase(s, e, STATS_HOLDING, us);
		stats_try_phase(s, e, STATS_STREAMING, us);
		stats_try_end(s, e, (enum stats_outcome)o, 500, "r", us, 0);
		sums.attempts[o]++;
	}
	w.usage.input = (int64_t)pick(100) - 1;
	w.usage.output = (int64_t)pick(100) - 1;
	w.usage.cache_read = (int64_t)pick(100) - 1;
	w.usage.cache_write = w.usage.reasoning = -1;
	end.status = (int)(200 + pick(3) * 100);
	end.outcome = (enum stats_outcome)(1 + pick(6));
	end.backend = name;
	end.model_label = str_of(names[pick(5)]);
	end.user = str_of(names[pick(5)]);
	end.watch = pick(5) == 0 ? NULL : &w;
	end.to = pick(2) ? DIALECT_ANY : (enum dialect)pick(3);
	end.losses = pick(3);
	sums.requests++;
	sums.dropped += end.losses;
	if (end.watch != NULL) {
		sums.prompt += (double)((w.usage.input > 0 ? w.usage.input :
		    0) + (w.usage.cache_read > 0 ? w.usage.cache_read : 0));
		sums.completion += (double)(w.usage.output > 0 ?
		    w.usage.output : 0);
	}
	stats_end(s, e, &end, us + 1, 0);
}

static void
adds_up(void)
{
	double all = 0;
	char with[64];
	int o;

	for (o = STATS_GOOD; o < STATS_SKIPPED; o++) {
		snprintf(with, sizeof with, "outcome=\"%s\"",
		    stats_outcome_name((enum stats_outcome)o));
		T_OK(total("spillway_attempts_total", with) ==
		    sums.attempts[o], "%s", with);
		all += sums.attempts[o];
	}
	T_OK(total("spillway_attempts_total", "") == all, "all attempts");
	T_OK(total("spillway_skips_total", "") ==
	    sums.attempts[STATS_SKIPPED], "skips");
	T_OK(total("http_requests_total", "") == sums.requests, "requests");
	IS("http_request_duration_seconds_count", sums.requests);
	IS("prompt_tokens_total", sums.prompt);
	IS("completion_tokens_total", sums.completion);
	IS("tokens_total", sums.prompt + sums.completion);
	T_OK(total("tokens_by_model", "type=\"prompt\"") == sums.prompt,
	    "by model");
	T_OK(total("tokens_by_user_model", "") == sums.prompt +
	    sums.completion, "by user");
	IS("spillway_dropped_total", sums.dropped);
	IS("spillway_requests_in_flight", 0);
}

/* Counters only: gauges may fall. */
static int
counts(const struct series *s)
{
	struct str name = str_n(s->text, s->name);

	return str_ends(name, "_total") || str_ends(name, "_bucket") ||
	    str_ends(name, "_count") || str_ends(name, "_sum") ||
	    str_starts(name, "tokens_by_");
}

static void
at_random(void)
{
	static struct series old[SERIES];
	char *old_page;
	size_t nold, i, k;
	unsigned round;

	scrape();
	for (round = 0; round < 20; round++) {
		memcpy(old, list, sizeof old);
		nold = nlist;
		old_page = page;
		page = NULL;
		if (round % 5 == 4)
			serve(round % 2 == 0 ? "{\"backends\":[" D "]}" :
			    "{\"backends\":[" NAMES C "]}");
		for (k = pick(50); k > 0; k--)
			random_request();
		scrape();
		adds_up();
		for (i = 0; i < nold; i++)
			/* Who was never used may go without a trace. */
			if (counts(&old[i]) && old[i].n > 0)
				T_OK(get(old[i].text) >= old[i].n,
				    "round %u: %s fell", round, old[i].text);
		free(old_page);
	}
}

/* ---- others ---- */

/* Old names that the contract fixes; nothing else is to be said of them. */
static int
expected(const char *said)
{
	return strncmp(said, "tokens_by_model ", 16) == 0 ||
	    strncmp(said, "tokens_by_user_model ", 21) == 0;
}

static void
promtool(void)
{
	char file[] = "/tmp/metrics-XXXXXX", command[200], said[500];
	int fd, rc;
	FILE *f;

	if (system("command -v promtool >/dev/null 2>&1") != 0) {
		T_SKIP("no promtool: make test brings it");
		return;
	}
	fd = mkstemp(file);
	T_OK(fd != -1 && (f = fdopen(fd, "w")) != NULL, "a file");
	if (fd == -1 || f == NULL)
		return;
	fwrite(buf_str(&out).p, 1, out.len, f);
	fclose(f);
	snprintf(command, sizeof command,
	    "promtool check metrics <%s 2>&1", file);
	f = popen(command, "r");
	while (f != NULL && fgets(said, sizeof said, f) != NULL)
		T_OK(expected(said), "promtool: %s", said);
	rc = f == NULL ? -1 : pclose(f);
	T_OK(rc != -1 && WIFEXITED(rc) && WEXITSTATUS(rc) != 1, "%d", rc);
	remove(file);
}

/* 1 if the word is a family of the page, or a line of a histogram. */
static int
is_family(const char *word)
{
	static const char *const ends[] = { "", "_bucket", "_sum", "_count" };
	char type[200];
	struct str name;
	size_t i;

	for (i = 0; i < 4; i++) {
		name = str_of(word);
		if (!str_ends(name, ends[i]))
			continue;
		name.n -= strlen(ends[i]);
		snprintf(type, sizeof type, "\n# TYPE %.*s %s", (int)name.n,
		    name.p, i == 0 ? "" : "histogram");
		if (strstr(buf_cstr(&out), type) != NULL)
			return 1;
	}
	return 0;
}

/* The dashboard asks for figures that there are. */
static void
dashboard(void)
{
	static const char *const begins[] = {
		"spillway_", "http_request", "token_usage", "tokens_by",
		"tokens_total", "rate_limit_", "prompt_tokens", "completion_"
	};
	FILE *f = fopen("deploy/grafana.json", "r");
	const char *s, *end, *why = "";
	struct buf text;
	char word[100];
	size_t i, at = 0, n = 0;
	int c;

	buf_init(&text, ROOM);
	while (f != NULL && (c = getc(f)) != EOF)
		buf_addc(&text, (char)c);
	T_OK(f != NULL && json_valid(buf_str(&text), &why, &at), "%s at %zu",
	    why, at);
	if (f != NULL)
		fclose(f);
	for (s = buf_cstr(&text); *s != '\0'; s = end) {
		end = s + name_end(s);
		snprintf(word, sizeof word, "%.*s", (int)(end - s), s);
		for (i = 0; i < sizeof begins / sizeof *begins; i++)
			if (strncmp(word, begins[i], strlen(begins[i])) == 0) {
				T_OK(is_family(word), "%s", word);
				n++;
			}
		if (end == s)
			end++;
	}
	T_OK(n > 30, "it asks for %zu", n);
	buf_free(&text);
}

/* Whatever room there is: the whole page or none. */
static void
too_long(void)
{
	size_t n = out.len, room;

	for (room = 0; room <= n; room += room < 100 || n - room < 20 ? 1 :
	    (n - 30 > room + 977 ? 977 : n - room - 10)) {
		struct buf b;

		buf_init(&b, room);
		T_OK(metrics_write(&b, &host) == (room < n ? -1 : 0), "%zu "
		    "of %zu", room, n);
		buf_free(&b);
	}
}

int
main(void)
{
	start();
	fresh();
	known();
	states();
	promtool();
	stats_free(&env.ex.stats);
	stats_init(&env.ex.stats, 1790000000500);
	at_random();
	promtool();
	dashboard();
	too_long();
	stop();
	return t_end();
}
