#include "admin/view.h"

#include <stdlib.h>
#include <string.h>

#include "admin/mask.h"
#include "base/log.h"
#include "json.h"
#include "tests/t.h"

/*
 * What the admin API shows of a config, of health and figures that are
 * made here, at times that are given.
 */

#define NOW 5000000u
#define WALL INT64_C(1790000000000)
#define SECRET "sk-very-secret-0123456789"

static const char text[] =
    "{ \"port\": 3456, \"failover\": {\"circuit_breaker\": "
    "{\"failure_threshold\": 2}},\n"
    "\"backends\": [\n"
    "{\"name\": \"one\", \"base_url\": \"https://api.anthropic.com\", "
    "\"token\": \"" SECRET "\"},\n"
    "{\"name\": \"t\\\"w/o <b>\", \"base_url\": \"http://127.0.0.1:1\", "
    "\"models\": {\"a*\": \"b\", \"c\": \"c\"}, \"priority\": 7, "
    "\"auth\": \"bearer\", \"requests_per_minute\": 1, "
    "\"max_concurrent\": 1},\n"
    "{\"name\": \"off\", \"base_url\": \"http://127.0.0.1:2\", "
    "\"api_type\": \"gemini\", \"enabled\": false, \"token\": \"short\", "
    "\"models\": [\"x*\", \"y\"], \"model\": null}]}";

static const char *
no_env(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return NULL;
}

static struct failover health;
static struct client_env clients;
static struct admin_host host;
static struct view view;
static struct buf out;

static void
set_up(void)
{
	static const struct config_flags flags = { -1, -1, 0 };
	static struct tls_roots *roots[3];
	struct config_env env = { no_env, NULL, NULL };
	struct buf faults, notes;
	struct config *c;

	buf_init(&faults, 65536);
	buf_init(&notes, 65536);
	c = config_parse(str_of(text), "f", &env, &flags, &faults, &notes);
	T_OK(c != NULL, "%s", buf_cstr(&faults));
	if (c == NULL)
		exit(1);
	failover_init(&health);
	access_init(&clients.ex.access);
	stats_init(&clients.ex.stats, WALL - 10000);
	clients.gen = generation_new(c, &health, roots);
	host.clients = &clients;
	host.health = &health;
	host.version = "0.0";
	host.file = "/tmp/a \"b\".json";
	host.admin_port = 8081;
	view.h = &host;
	view.now = NOW;
	view.us = (uint64_t)NOW * 1000;
	view.wall = WALL;
	buf_init(&out, 1u << 20);
	buf_free(&faults);
	buf_free(&notes);
}

/* out as it is now; it must be JSON. */
static struct str
shown(void)
{
	const char *why = "";
	size_t at = 0;

	T_OK(json_valid(buf_str(&out), &why, &at), "%s at %lu: %s", why,
	    (unsigned long)at, buf_cstr(&out));
	T_OK(str_casefind(buf_str(&out), str_of(SECRET)) < 0, "the secret");
	return buf_str(&out);
}

/* A value of out, by its path, raw. */
static void
is(const char *path, const char *raw)
{
	struct json_value v;

	if (json_get(shown(), path, &v) == -1)
		T_OK(0, "%s is not there: %s", path, buf_cstr(&out));
	else
		T_OK(str_is(v.raw, raw), "%s is %.*s, not %s", path,
		    (int)v.raw.n, v.raw.p, raw);
}

static void
backends(void)
{
	buf_clear(&out);
	view_backends(&out, &view);
}

static void
status(int minutes)
{
	buf_clear(&out);
	view_status(&out, &view, minutes);
}

/* ---- status ---- */

static void
check_status(void)
{
	status(1);
	is("version", "\"0.0\"");
	is("now_ms", "1790000000000");
	is("uptime_ms", "10000");
	is("config", "\"/tmp/a \\\"b\\\".json\"");
	is("saves", "true");
	is("demo", "false");
	is("listen", "\"http://127.0.0.1:3456\"");
	is("admin", "\"http://127.0.0.1:8081\"");
	is("metrics", "null");
	is("strategy", "\"failover\"");
	is("form", "\"own\"");
	is("keys_needed", "false");
	is("totals.requests", "0");
	is("totals.input", "0");
	is("first_byte_p50_ms", "null");
	is("minutes", "[]");
	host.file = NULL;
	status(0);
	is("config", "null");
	is("saves", "false");
	T_OK(str_casefind(shown(), str_of("minutes")) < 0, "no minutes");
}

/* ---- backends ---- */

static void
check_settings(void)
{
	backends();
	is("backends.0.name", "\"one\"");
	is("backends.0.base_url", "\"https://api.anthropic.com\"");
	is("backends.0.api_type", "\"claude\"");
	is("backends.0.auth", "\"auto\"");
	is("backends.0.token", "\"sk-v...6789\"");
	is("backends.0.enabled", "true");
	is("backends.0.priority", "null");
	is("backends.0.weight", "1");
	is("backends.0.model", "null");
	is("backends.0.models", "[]");
	is("backends.0.state", "\"up\"");
	is("backends.0.reason", "\"\"");
	is("backends.0.success_rate", "null");
	is("backends.0.first_byte_p50_ms", "null");
	is("backends.0.last_failure_ms", "null");
	is("backends.0.models_down", "[]");
	is("backends.1.name", "\"t\\\"w/o <b>\"");
	is("backends.1.auth", "\"bearer\"");
	is("backends.1.token", "null");
	is("backends.1.priority", "7");
	is("backends.1.models", "{\"a*\":\"b\",\"c\":\"c\"}");
	is("backends.2.token", "\"****\"");
	is("backends.2.models", "[\"x*\",\"y\"]");
	is("backends.2.state", "\"disabled\"");
}

/* An attempt at a backend, or about a model there, that ended so. */
static void
attempt(size_t place, const char *model, int code, uint64_t cool)
{
	const struct fo_policy *p = &clients.gen->cfg->failover;
	struct fo_backend *m = NULL;
	struct fo_outcome o;
	struct fo_change c;
	struct fo_ticket t;
	struct fo_cand cand;
	struct fo_want want;

	if (model != NULL)
		m = failover_model(&health, clients.gen->targets[place].health,
		    str_of(model));
	memset(&cand, 0, sizeof cand);
	memset(&want, 0, sizeof want);
	memset(&o, 0, sizeof o);
	cand.b = clients.gen->targets[place].health;
	cand.model = m;
	o.phase = FO_HEAD;
	o.status = code;
	o.model_only = model != NULL;
	o.cool_ms = cool;
	o.cool_source = cool > 0 ? FO_FROM_RETRY_AFTER : FO_FROM_NONE;
	T_OK(failover_pick(&cand, 1, &want, p, view.now, &t) == 0, "picked");
	failover_end(&t, p, &o, view.now, &c);
	failover_put(&health, m);
}

static void
check_states(void)
{
	struct fo_change c;

	attempt(0, NULL, 529, 0);
	backends();
	is("backends.0.state", "\"up\"");
	is("backends.0.failures_in_row", "1");
	attempt(0, NULL, 529, 0);
	backends();
	is("backends.0.state", "\"down\"");
	is("backends.0.reason", "\"breaker open after 2 failures in a row\"");
	is("backends.0.wait_ms", "30000");
	is("backends.0.breaker", "\"open\"");
	view.now += 30000;
	backends();
	is("backends.0.state", "\"trial\"");
	attempt(0, NULL, 200, 0);
	backends();
	is("backends.0.state", "\"up\"");
	is("backends.0.breaker", "\"closed\"");
	attempt(0, NULL, 429, 12000);
	backends();
	is("backends.0.state", "\"cooling\"");
	is("backends.0.wait_ms", "12000");
	is("backends.0.reason", "\"rate limited (retry-after)\"");
	failover_clear(clients.gen->targets[0].health,
	    &clients.gen->cfg->failover, view.now, &c);
	attempt(0, "m\"1", 429, 9000);
	backends();
	is("backends.0.state", "\"up\"");
	is("backends.0.models_down.0.model", "\"m\\\"1\"");
	is("backends.0.models_down.0.state", "\"cooling\"");
	is("backends.0.models_down.0.wait_ms", "9000");
	clients.gen->targets[1].health->in_flight = 1;
	backends();
	is("backends.1.state", "\"full\"");
	clients.gen->targets[1].health->in_flight = 0;
	access_backend_take(&clients.ex.access,
	    &clients.gen->cfg->backends[1], view.now);
	backends();
	is("backends.1.state", "\"limited\"");
	is("backends.1.wait_ms", "60000");
	attempt(1, NULL, 429, 70000);
	attempt(1, NULL, 401, 0);
	backends();
	is("backends.1.state", "\"cooling\"");
}

/* ---- requests ---- */

static const struct {
	const char *id, *model;
	int status;
	enum stats_outcome outcome;
	const char *backend, *reason;
} ended[] = {
	{ "req_a", "claude-opus", 200, STATS_GOOD, "one", "" },
	{ "req_b", "gpt-5", 502, STATS_FAILED, "", "status 500: no <b>" },
	{ "req_c", "claude-haiku", 404, STATS_RETURNED, "off", "" },
	{ "req_d", "claude-opus", 200, STATS_BROKEN, "one",
	    "status 500: key " SECRET " refused" },
	{ "req_e", "", 499, STATS_LEFT, "", "" }
};
#define ENDED (sizeof ended / sizeof *ended)

static struct stats_entry *
begin(const char *id, const char *model)
{
	struct stats_request r;
	struct stats_entry *e;

	memset(&r, 0, sizeof r);
	r.id = str_of(id);
	r.method = str_of("POST");
	r.path = str_of("/v1/messages");
	r.key = str_of("lap\"top");
	r.client = DIALECT_ANTHROPIC;
	r.body = 100;
	r.wall_ms = WALL;
	r.began_us = view.us - 3000000;
	e = stats_begin(&clients.ex.stats, &r);
	stats_model(e, str_of(model), 1);
	return e;
}

static void
make_requests(void)
{
	struct stats *s = &clients.ex.stats;
	struct dialect_watch w;
	struct stats_end end;
	struct stats_entry *e;
	uint64_t us = view.us;
	size_t i;

	for (i = 0; i < ENDED; i++) {
		e = begin(ended[i].id, ended[i].model);
		stats_try_begin(s, e, str_of("one"), 0, us - 2000000);
		stats_try_phase(s, e, STATS_ANSWER, us - 1900000);
		stats_try_phase(s, e, STATS_HOLDING, us - 1000000);
		stats_try_end(s, e, ended[i].outcome, ended[i].status,
		    ended[i].reason, us - 500000, WALL);
		dialect_watch_start(&w, DIALECT_ANTHROPIC, OP_GENERATE);
		w.usage.input = 10;
		w.usage.output = 5;
		memset(&end, 0, sizeof end);
		end.status = ended[i].status;
		end.outcome = ended[i].outcome;
		end.backend = str_of(ended[i].backend);
		end.model_label = str_of("other");
		end.watch = &w;
		end.to = DIALECT_ANY;
		end.first_us = us - 1000000;
		stats_end(s, e, &end, us, WALL);
	}
	e = begin("req_run", "gemini-pro");
	stats_try_begin(s, e, str_of("t\"w/o <b>"), 1, us - 2000000);
}

/* The ids of a page, and whether there is more. */
static void
page(const struct view_filter *f, const char *running, const char *ids,
    int more)
{
	struct json_value v;
	struct view_page p;
	struct buf got;
	char path[64];
	int i;

	buf_clear(&out);
	view_page_begin(&p, &out, &view, f);
	view_page_end(&p);
	buf_init(&got, 4096);
	for (i = 0; snprintf(path, sizeof path, "requests.%d.id", i) > 0 &&
	    json_get(shown(), path, &v) == 0; i++)
		buf_addstr(&got, str_n(v.raw.p + 5, v.raw.n - 6));
	T_OK(strcmp(buf_cstr(&got), ids) == 0, "%s, not %s", buf_cstr(&got),
	    ids);
	T_OK((json_get(shown(), "running.0.id", &v) == 0) ==
	    (*running != '\0'), "running: %s", running);
	T_OK(json_get(shown(), "more", &v) == 0 &&
	    (v.type == JSON_TRUE) == (more != 0), "more");
	buf_free(&got);
}

static void
check_filters(void)
{
	static const struct {
		const char *status, *backend, *model, *text;
		unsigned limit, before;
		const char *running, *ids;
		int more;
	} list[] = {
		{ "", "", "", "", 50, 0, "run", "edcba", 0 },
		{ "", "", "", "", 2, 0, "run", "ed", 1 },
		{ "", "", "", "", 2, 4, "", "cb", 1 },
		{ "", "", "", "", 2, 2, "", "a", 0 },
		{ "good", "", "", "", 50, 0, "", "a", 0 },
		{ "failed", "", "", "", 50, 0, "", "b", 0 },
		{ "returned", "", "", "", 50, 0, "", "c", 0 },
		{ "broken", "", "", "", 50, 0, "", "d", 0 },
		{ "left", "", "", "", 50, 0, "", "e", 0 },
		{ "404", "", "", "", 50, 0, "", "c", 0 },
		{ "4xx", "", "", "", 50, 0, "", "ec", 0 },
		{ "5xx", "", "", "", 50, 0, "", "b", 0 },
		{ "", "off", "", "", 50, 0, "", "c", 0 },
		{ "", "one", "", "", 3, 0, "", "edc", 1 },
		{ "", "t\"w/o <b>", "", "", 50, 0, "run", "", 0 },
		{ "", "", "OPUS", "", 50, 0, "", "da", 0 },
		{ "", "", "", "REQ_B", 50, 0, "", "b", 0 },
		{ "", "", "", "no <b>", 50, 0, "", "b", 0 },
		{ "", "", "", "lap\"TOP", 1, 0, "run", "e", 1 },
		{ "good", "one", "opus", "messages", 50, 0, "", "a", 0 },
		{ "good", "one", "haiku", "", 50, 0, "", "", 0 }
	};
	struct view_filter f;
	size_t i;

	for (i = 0; i < sizeof list / sizeof *list; i++) {
		memset(&f, 0, sizeof f);
		f.status = str_of(list[i].status);
		f.backend = str_of(list[i].backend);
		f.model = str_of(list[i].model);
		f.text = str_of(list[i].text);
		f.limit = list[i].limit;
		f.before = list[i].before;
		T_OK(view_filter_status(f.status), "%s", list[i].status);
		page(&f, list[i].running, list[i].ids, list[i].more);
	}
	T_OK(!view_filter_status(str_of("skipped")) &&
	    !view_filter_status(str_of("6xx")) &&
	    !view_filter_status(str_of("12")) &&
	    !view_filter_status(str_of("4x4")) &&
	    !view_filter_status(str_of("running")), "no such status");
}

/* One of the records, as journal_find() tells it. */
static void
record_make(struct stats_entry *e, uint64_t number, const char *id)
{
	memset(e, 0, sizeof *e);
	e->number = number;
	e->id = id;
	e->method = e->path = e->key = "";
	e->model = "old";
	e->phase = STATS_DONE;
	e->done = 1;
	e->outcome = STATS_GOOD;
	e->status = 200;
}

static void
check_records(void)
{
	struct stats_entry old, run, own;
	struct view_filter f;
	struct view_page p;

	memset(&f, 0, sizeof f);
	f.limit = 2;
	f.before = 2;
	record_make(&old, 0, "req_old");
	record_make(&run, 0, "req_run");
	record_make(&own, 0, "req_a");
	buf_clear(&out);
	view_page_begin(&p, &out, &view, &f);
	T_OK(p.oldest == 1 && p.n == 1 && !p.more, "one in memory");
	T_OK(view_page_add(&p, &run) == 0 && view_page_add(&p, &own) == 0 &&
	    p.n == 1, "those that are in memory are there already");
	T_OK(view_page_add(&p, &old) == 0 && p.n == 2, "an older one");
	T_OK(view_page_add(&p, &old) == 1 && p.more, "no room");
	view_page_end(&p);
	is("requests.0.id", "\"req_a\"");
	is("requests.1.id", "\"req_old\"");
	is("requests.1.recorded", "true");
	is("more", "true");
	f.model = str_of("new");
	buf_clear(&out);
	view_page_begin(&p, &out, &view, &f);
	T_OK(view_page_add(&p, &old) == 0 && p.n == 0, "not wanted");
	view_page_end(&p);
	is("requests", "[]");
	is("more", "false");
}

static void
check_requests(void)
{
	log_secret(str_of(SECRET));
	make_requests();
	check_filters();
	check_records();
	buf_clear(&out);
	buf_addc(&out, '{');
	view_request(&out, &view, stats_find(&clients.ex.stats,
	    str_of("req_d")));
	buf_addc(&out, '}');
	is("number", "4");
	is("client", "\"anthropic\"");
	is("key", "\"lap\\\"top\"");
	is("stream", "true");
	is("phase", "\"done\"");
	is("outcome", "\"broken\"");
	is("status", "200");
	is("backend", "\"one\"");
	is("attempts", "1");
	is("first_byte_ms", "2000");
	is("duration_ms", "3000");
	is("age_ms", "0");
	is("input", "10");
	is("cache_read", "null");
	is("tries.0.outcome", "\"broken\"");
	is("tries.0.reason", "\"status 500: key sk-v...6789 refused\"");
	is("tries.0.connect_ms", "1100");
	is("tries.0.head_ms", "2000");
	is("tries.0.ended_ms", "2500");
	buf_clear(&out);
	buf_addc(&out, '{');
	view_request(&out, &view, stats_find(&clients.ex.stats,
	    str_of("req_run")));
	buf_addc(&out, '}');
	is("phase", "\"connecting\"");
	is("outcome", "\"running\"");
	is("status", "null");
	is("duration_ms", "null");
	is("first_byte_ms", "null");
	is("age_ms", "3000");
	is("tries.0.translated", "true");
	is("tries.0.connect_ms", "null");
	status(1);
	is("totals.requests", "6");
	is("totals.running", "1");
	is("totals.good", "1");
	is("totals.failed", "1");
	is("totals.returned", "1");
	is("totals.broken", "1");
	is("totals.left", "1");
	is("minutes.0.ago", "0");
	is("minutes.0.requests", "5");
	backends();
	is("backends.0.attempts", "5");
	is("backends.0.failures", "2");
	is("backends.0.success_rate", "0.5000");
	is("backends.0.last_failure",
	    "\"status 500: key sk-v...6789 refused\"");
	is("backends.0.last_failure_ms", "1790000000000");
}

static void
check_percentile(void)
{
	struct stats_histogram h;

	memset(&h, 0, sizeof h);
	T_OK(view_percentile(&h, 50) == -1, "nothing");
	h.n = h.count[0] = 10;
	T_OK(view_percentile(&h, 50) == 5, "half of the first");
	T_OK(view_percentile(&h, 99) == 10, "all of it");
	h.n += h.count[1] = 90;
	T_OK(view_percentile(&h, 10) == 10 && view_percentile(&h, 55) == 17 &&
	    view_percentile(&h, 99) <= 25, "the second");
	memset(&h, 0, sizeof h);
	h.n = h.count[STATS_BUCKETS - 1] = 1;
	T_OK(view_percentile(&h, 50) == 300000, "the last has no end");
}

/* ---- the config's text ---- */

static void
check_mask(void)
{
	static const struct {
		const char *from, *to;
	} list[] = {
		{ "{}", "{}" }, { " [ 1 , 2.50, ] // x", "[1,2.50]" },
		{ "{\"token\": \"abcdefghijklmnop\"}",
		    "{\"token\":\"abcd...mnop\"}" },
		{ "{\"tok\\u0065n\": \"abcdefghijklmnop\"}",
		    "{\"tok\\u0065n\":\"abcd...mnop\"}" },
		{ "{\"token\": \"short\"}", "{\"token\":\"****\"}" },
		{ "{\"token\": \"\"}", "{\"token\":\"\"}" },
		{ "{\"token\": \"${A_KEY}\"}", "{\"token\":\"${A_KEY}\"}" },
		{ "{\"token\": \"${A}abcdefghijkl\"}",
		    "{\"token\":\"${A}...ijkl\"}" },
		{ "{\"token\": \"${A}x${B}\"}", "{\"token\":\"****\"}" },
		{ "{\"token\": \"@/run/key\"}", "{\"token\":\"@/run/key\"}" },
		{ "{\"key\": \"abcdefghijklm\"}",
		    "{\"key\":\"abcd...jklm\"}" },
		{ "{\"auth\": \"bearer\", \"key_type\": \"paid\"}",
		    "{\"auth\":\"bearer\",\"key_type\":\"paid\"}" },
		{ "{\"headers\": {\"Authorization\": \"Bearer abcdefghijk\", "
		    "\"x-team\": \"blue\", \"auth\": \"hush\"}, \"host\": "
		    "\"x\"}",
		    "{\"headers\":{\"Authorization\":\"Bear...hijk\","
		    "\"x-team\":\"blue\",\"auth\":\"****\"},\"host\":"
		    "\"x\"}" },
		{ "{\"tokens\": {\"max\": 5}, \"access_keys\": [{\"name\": "
		    "\"a\", \"models\": [\"m\"]}]}",
		    "{\"tokens\":{\"max\":5},\"access_keys\":[{\"name\":"
		    "\"a\",\"models\":[\"m\"]}]}" },
		{ "{\"u\": \"http://me:pw@h/p?a=1&api_key=xyz&b\"}",
		    "{\"u\":\"http://****@h/p?a=1&api_key=****&b\"}" },
		{ "{\"u\": \"http://h/p@q?key=\"}",
		    "{\"u\":\"http://h/p@q?key=****\"}" },
		{ "{\"u\": \"say " SECRET "\"}",
		    "{\"u\":\"say sk-v...6789\"}" },
		{ "{\"a\": /* x */ [true, null, -1e3, \"\\u00e9<\"]}",
		    "{\"a\":[true,null,-1e3,\"\xc3\xa9<\"]}" },
		{ "{\"a\": {\"b\": [{}, {\"c\": {}}]}, \"d\": 1,}",
		    "{\"a\":{\"b\":[{},{\"c\":{}}]},\"d\":1}" }
	};
	static const char *const broken[] = {
		"", "{", "{\"a\": }", "{\"token\": \"abc", "[1] 2"
	};
	struct buf b;
	size_t i;

	buf_init(&b, 65536);
	for (i = 0; i < sizeof list / sizeof *list; i++) {
		buf_clear(&b);
		T_OK(mask_json(&b, str_of(list[i].from)) == 0, "%s",
		    list[i].from);
		T_OK(strcmp(buf_cstr(&b), list[i].to) == 0, "%s -> %s",
		    list[i].from, buf_cstr(&b));
	}
	for (i = 0; i < sizeof broken / sizeof *broken; i++) {
		buf_clear(&b);
		buf_adds(&b, "x");
		T_OK(mask_json(&b, str_of(broken[i])) == -1 && b.len == 1,
		    "%s", broken[i]);
	}
	buf_free(&b);
	T_OK(mask_is(str_of("****")) && mask_is(str_of("sk-v...6789")) &&
	    !mask_is(str_of("sk-v..6789")) && !mask_is(str_of("")) &&
	    !mask_is(str_of(SECRET)), "what looks like a mask");
	T_OK(mask_of(str_of("sk-v...6789"), str_of(SECRET)) &&
	    !mask_of(str_of("sk-v...6788"), str_of(SECRET)) &&
	    !mask_of(str_of("****"), str_of("")), "whose mask it is");
}

int
main(void)
{
	set_up();
	check_status();
	check_settings();
	check_states();
	check_requests();
	check_percentile();
	check_mask();
	log_forget();
	buf_free(&out);
	stats_free(&clients.ex.stats);
	access_free(&clients.ex.access);
	generation_free(clients.gen);
	failover_free(&health);
	return t_end();
}
