#include "tests/sim/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct plan plan;

static const char *const bases[] = { "", "/api", "/v1", "/x/v1" };

/* ---- backends ---- */

static void
backend_addrs(struct backend *b)
{
	unsigned i;

	if (!chance(30))
		return;
	b->naddrs = between(1, ADDRS_MAX);
	/* One address works, whichever it is. */
	for (i = 0; i < b->naddrs; i++)
		b->addr_dead[i] = (unsigned)chance(40);
	b->addr_dead[dice(b->naddrs)] = 0;
	if (b->mood != MOOD_WELL && chance(20))
		b->names_fail = chance(50) ? 100 : 30;
}

static void
backend_make(struct backend *b, unsigned i)
{
	static const enum mood moods[] = {
		MOOD_WELL, MOOD_WELL, MOOD_WELL, MOOD_FLAKY, MOOD_FLAKY,
		MOOD_SICK, MOOD_SICK, MOOD_OUTAGE
	};

	b->index = i;
	snprintf(b->name, sizeof b->name, "b%u", i);
	b->mood = moods[dice(sizeof moods / sizeof *moods)];
	b->percent = between(10, 70);
	b->out_from = world.now + dice(2000);
	b->out_to = b->out_from + between(100, 5000);
	b->fault = chance(50) ? (int)dice(1000) : -1;
	b->priority = chance(50) ? (int)between(1, 3) : 0;
	b->model = chance(25) ? "another-model\\\"x" : NULL;
	b->base = bases[dice(sizeof bases / sizeof *bases)];
	b->header = chance(25);
	b->stale = chance(50) ? dice(61) : 0;
	b->room = chance(50) ? 0 : dice(4);
	b->rate = chance(60) ? 0 : between(3, 20);
	backend_addrs(b);
}

static void
backend_config(struct bytes *c, const struct backend *b)
{
	bytes_fmt(c, "{\"name\":\"%s\",\"base_url\":\"http://", b->name);
	if (b->naddrs > 0)
		bytes_fmt(c, "b%u.sim", b->index);
	else
		bytes_fmt(c, "10.%u.0.1", b->index);
	bytes_fmt(c, ":8000%s\",\"token\":\"token-of-%s\",\"api_type\":\"%s\"",
	    b->base, b->name, plan.openai ? "openai" : "claude");
	bytes_fmt(c, ",\"weight\":%u,\"max_concurrent\":%u,"
	    "\"requests_per_minute\":%u", between(1, 9), b->room, b->rate);
	if (b->priority > 0)
		bytes_fmt(c, ",\"priority\":%d", b->priority);
	if (b->model != NULL)
		bytes_fmt(c, ",\"model\":\"%s\"", b->model);
	else if (plan.openai)
		bytes_fmt(c, ",\"models\":[\"*\"]");
	if (b->header)
		bytes_fmt(c, ",\"headers\":{\"x-team\":\"blue\"}");
	bytes_fmt(c, "},");
}

/* ---- the config ---- */

/* A time in seconds; returned in ms. */
static unsigned long
seconds(struct bytes *c, const char *name, unsigned lo, unsigned hi)
{
	unsigned ms = between(lo, hi);

	bytes_fmt(c, "\"%s\":%u.%03u,", name, ms / 1000, ms % 1000);
	return ms;
}

/*
 * A backend that is well needs less than any of these limits, so that none
 * of them excuses a lost request; but for `total`, which is rare.
 */
static void
config_times(struct bytes *c)
{
	bytes_fmt(c, "\"timeouts\":{");
	plan.connect = seconds(c, "connect", 4000, 6000);
	seconds(c, "first_byte", 4000, 8000);
	seconds(c, "response", 6000, 9000);
	seconds(c, "idle", 1000, 6000);
	if (chance(10))
		plan.total = seconds(c, "total", 200, 20000);
	bytes_fmt(c, "},\"retry\":{");
	if (chance(10))
		plan.retry = seconds(c, "timeout_seconds", 20000, 40000);
	if (chance(20))
		plan.attempts = between(1, 3);
	plan.tries = chance(30) ? between(2, 3) : 1;
	bytes_fmt(c, "\"budget_percent\":%u,", dice(101));
	bytes_fmt(c, "\"attempts\":%u,\"tries_per_backend\":%u},",
	    plan.attempts, plan.tries);
}

/* Who may come, and what each may use. */
static void
config_keys_make(struct bytes *c)
{
	static const char *const models[] = {
		"", ",\"models\":[\"gpt-*\",\"claude-x-*\"]",
		",\"models\":[\"gemini-*\"]"
	};
	unsigned i, k;

	if ((plan.keyed = chance(40)) == 0)
		return;
	bytes_fmt(c, "\"access_keys\":[");
	for (i = 0; i < KEYS; i++) {
		plan.keys[i].model = chance(60) ? 0 : chance(70) ? 1 : 2;
		plan.keys[i].rate = chance(70) ? 0 : between(3, 20);
		plan.keys[i].backends = chance(50) ? 0 :
		    between(1, (1u << plan.nbackends) - 1);
		bytes_fmt(c, "{\"name\":\"k%u\",\"key\":\"client-key-%u\","
		    "\"requests_per_minute\":%u%s", i, i,
		    plan.keys[i].rate, models[plan.keys[i].model]);
		if (plan.keys[i].backends != 0) {
			bytes_fmt(c, ",\"backends\":[");
			for (k = 0; k < plan.nbackends; k++)
				if (plan.keys[i].backends >> k & 1)
					bytes_fmt(c, "\"b%u\",", k);
			bytes_fmt(c, "]");
		}
		bytes_fmt(c, "},");
	}
	bytes_fmt(c, "],");
}

static void
config_make(struct bytes *c)
{
	static const char *const strategies[] = {
		"failover", "round_robin", "weighted_random",
		"least_connections", "sticky"
	};
	static const char *const healths[] = {
		"\"breaker\"", "\"score\"", "\"window\"",
		"[\"breaker\",\"score\"]", "[\"score\",\"window\"]"
	};
	unsigned i, health = chance(50) ? 0 : dice(5);

	bytes_fmt(c, "{\"backends\":[");
	for (i = 0; i < plan.nbackends; i++)
		backend_config(c, &plan.backends[i]);
	bytes_fmt(c, "],");
	config_times(c);
	config_keys_make(c);
	plan.breaker = health == 0;
	bytes_fmt(c, "\"strategy\":\"%s\",", strategies[dice(5)]);
	bytes_fmt(c, "\"failover\":{\"health\":%s,\"when_all_down\":\"%s\",",
	    healths[health], chance(50) ? "fail" : "try");
	bytes_fmt(c, "\"on\":[\"429\",\"5xx\"");
	if ((plan.on_4xx = chance(10)) != 0)
		bytes_fmt(c, ",\"4xx\"");
	if ((plan.on_401 = chance(20)) != 0)
		bytes_fmt(c, ",\"401\"");
	bytes_fmt(c, "],\"stop_text\":[\"stop here\"],"
	    "\"circuit_breaker\":{\"failure_threshold\":%u,"
	    "\"half_open_requests\":%u,", between(1, 4), between(1, 2));
	seconds(c, "open_timeout_seconds", 50, 5000);
	bytes_fmt(c, "},\"rate_limit\":{");
	seconds(c, "cooldown_seconds", 50, 5000);
	bytes_fmt(c, "}},\"drain_seconds\":2}");
}

/* ---- what else goes wrong ---- */

static void
troubles_make(void)
{
	unsigned i, what = dice(100);

	plan.lazy = chance(30);
	if (what < 12) {
		plan.alloc.first = between(1, 400);
		plan.alloc.run = chance(60) ? 1 : between(2, 40);
	} else if (what < 16) {
		plan.alloc.first = 1;
		plan.alloc.percent = between(1, 30);
	} else if (what < 19) {
		plan.alloc.first = between(1, 120);
		plan.alloc.run = chance(80) ? 1 : 1000;
		plan.alloc_setup = 1;
	} else if (what < 23)
		plan.fds = between(1, 6);
	for (i = 0; i < 3; i++)
		if (chance(5))
			plan.reload_at[i] = world.now + dice(3000);
	if (chance(5)) {
		plan.drain_at = world.now + dice(3000);
		plan.cut_at = plan.drain_at + dice(4000);
	}
}

void
plan_make(void)
{
	unsigned i;

	memset(&plan, 0, sizeof plan);
	plan.openai = chance(30);
	plan.nbackends = between(1, BACKENDS_MAX);
	plan.nrequests = between(5, 40);
	for (i = 0; i < plan.nbackends; i++)
		backend_make(&plan.backends[i], i);
	config_make(&plan.config);
	plan_users();
	troubles_make();
}

/* ---- what the rules ask ---- */

/* The path as a backend sees it: its own in front, one version only. */
static void
path_expect(const struct backend *b, const char *path, struct bytes *out)
{
	size_t n = strlen(b->base);

	if (n >= 3 && strcmp(b->base + n - 3, "/v1") == 0 &&
	    strncmp(path, "/v1/", 4) == 0)
		n -= 3;
	bytes_add(out, b->base, n);
	bytes_fmt(out, "%s", path);
}

static void
head_expect(const struct request *r, const struct backend *b, size_t length,
    struct bytes *out)
{
	const char *path = plan.openai ? "/v1/chat/completions" :
	    "/v1/messages";

	if (r->kind == KIND_OTHER || r->kind == KIND_HEAD)
		path = "/v1/files/7?limit=1";
	bytes_fmt(out, "%s ", r->kind == KIND_OTHER ? "GET" :
	    r->kind == KIND_HEAD ? "HEAD" : "POST");
	path_expect(b, path, out);
	bytes_fmt(out, " HTTP/1.1\r\nhost: ");
	if (b->naddrs > 0)
		bytes_fmt(out, "b%u.sim:8000\r\n", b->index);
	else
		bytes_fmt(out, "10.%u.0.1:8000\r\n", b->index);
	bytes_fmt(out, "authorization: Bearer token-of-%s\r\n", b->name);
	if (!plan.openai)
		bytes_fmt(out, "x-api-key: token-of-%s\r\n", b->name);
	bytes_add(out, r->lines.p, r->lines.n);
	if (r->kind == KIND_PLAIN || r->kind == KIND_STREAM)
		bytes_fmt(out, "accept-encoding: identity\r\n");
	if (b->header)
		bytes_fmt(out, "x-team: blue\r\n");
	if (r->before.n > 0)
		bytes_fmt(out, "content-length: %lu\r\n",
		    (unsigned long)length);
	bytes_fmt(out, "\r\n");
}

void
plan_expect(const struct request *r, const struct backend *b,
    struct bytes *out)
{
	const char *model = b->model != NULL ? b->model : r->model;
	size_t m = r->before.n > 0 ? strlen(model) : 0;

	head_expect(r, b, r->before.n + m + r->after.n, out);
	bytes_add(out, r->before.p, r->before.n);
	bytes_add(out, model, m);
	bytes_add(out, r->after.p, r->after.n);
}

struct request *
plan_request(const char *name, size_t n)
{
	unsigned i;

	for (i = 0; i < plan.nrequests; i++)
		if (strlen(plan.requests[i].name) == n &&
		    memcmp(plan.requests[i].name, name, n) == 0)
			return &plan.requests[i];
	return NULL;
}

int
plan_allows(const struct request *r, const struct backend *b)
{
	unsigned bits;

	if (!plan.keyed)
		return 1;
	if (r->key == KEYS || plan_refused(r) != 0)
		return 0;
	bits = plan.keys[r->key].backends;
	return bits == 0 || (bits >> b->index & 1) != 0;
}

int
plan_refused(const struct request *r)
{
	if (!plan.keyed || r->kind == KIND_LOCAL || r->kind == KIND_WRONG)
		return 0;
	if (r->key == KEYS)
		return 401;
	/* Who names no model has none of the list. */
	return plan.keys[r->key].model == 2 || (r->before.n == 0 &&
	    plan.keys[r->key].model == 1) ? 403 : 0;
}

int
plan_moves_on(int status)
{
	return status == 429 || status >= 500 || (status == 401 &&
	    plan.on_401) || (status >= 400 && plan.on_4xx);
}

int
plan_short(void)
{
	return plan.alloc.first != 0 || plan.fds != 0;
}
