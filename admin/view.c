#include "admin/view.h"

#include <stdio.h>
#include <string.h>

#include "admin/mask.h"
#include "conf/keys.h"
#include "json.h"
#include "relay/access.h"

void
view_now(struct view *v, const struct admin_host *h)
{
	v->h = h;
	v->now = loop_now(h->loop);
	v->us = loop_us();
	v->wall = loop_wall(h->loop);
}

/* ---- pieces of JSON ---- */

static void
put_name(struct buf *out, const char *name)
{
	char last = out->len == 0 ? '{' : (char)out->p[out->off + out->len -
	    1];

	if (last != '{' && last != '[')
		buf_addc(out, ',');
	if (name != NULL)
		buf_fmt(out, "\"%s\":", name);
}

static void
put_text(struct buf *out, const char *name, struct str s)
{
	put_name(out, name);
	mask_text(out, s);
}

/* The same; "" is null. */
static void
put_known(struct buf *out, const char *name, struct str s)
{
	put_name(out, name);
	if (s.n > 0)
		mask_text(out, s);
	else
		buf_adds(out, "null");
}

static void
put_u(struct buf *out, const char *name, uint64_t n)
{
	put_name(out, name);
	buf_addu(out, n);
}

/* Below 0: not known. */
static void
put_n(struct buf *out, const char *name, int64_t n)
{
	put_name(out, name);
	if (n < 0)
		buf_adds(out, "null");
	else
		buf_addu(out, (uint64_t)n);
}

static void
put_bool(struct buf *out, const char *name, int is)
{
	put_name(out, name);
	buf_adds(out, is ? "true" : "false");
}

static void
put_raw(struct buf *out, const char *name, const char *raw)
{
	put_name(out, name);
	buf_adds(out, raw);
}

static void
put_choice(struct buf *out, const char *name, const char *prefix,
    const char *key, int number)
{
	const struct config_key *k = conf_key_find(prefix, str_of(key));

	put_text(out, name, k == NULL ? str_of("") :
	    conf_choice_name(k->range, number));
}

int64_t
view_percentile(const struct stats_histogram *h, unsigned p)
{
	uint64_t rank = (h->n * p + 99) / 100, low = 0, high, sum = 0;
	size_t i;

	if (h->n == 0)
		return -1;
	for (i = 0; i < STATS_BUCKETS - 1; i++) {
		high = stats_bounds[i];
		if (sum + h->count[i] >= rank)
			return (int64_t)(low + (high - low) * (rank - sum) /
			    h->count[i]);
		sum += h->count[i];
		low = high;
	}
	return (int64_t)low;	/* or more: the last has no end */
}

/* ---- status ---- */

static void
put_address(struct buf *out, const char *name, struct str host,
    unsigned port)
{
	int six = host.n > 0 && memchr(host.p, ':', host.n) != NULL;
	struct buf b;

	if (port == 0) {
		put_raw(out, name, "null");
		return;
	}
	buf_init(&b, 1024);
	buf_fmt(&b, "http://%s%.*s%s:%u", six ? "[" : "", (int)host.n,
	    host.p, six ? "]" : "", port);
	put_text(out, name, buf_str(&b));
	buf_free(&b);
}

static uint64_t
minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static void
put_tokens(struct buf *out, const struct dialect_usage *u)
{
	put_n(out, "input", u->input);
	put_n(out, "output", u->output);
	put_n(out, "cache_read", u->cache_read);
	put_n(out, "cache_write", u->cache_write);
	put_n(out, "reasoning", u->reasoning);
}

static void
put_totals(struct buf *out, const struct stats *s)
{
	const struct stats_entry *e;
	uint64_t running = 0;

	for (e = s->running; e != NULL; e = e->next)
		running++;
	put_raw(out, "totals", "{");
	put_u(out, "requests", s->begun);
	put_u(out, "good", s->good);
	put_u(out, "failed", s->failed);
	put_u(out, "returned", minus(s->begun, running + s->good + s->failed +
	    s->left + s->broken));
	put_u(out, "broken", s->broken);
	put_u(out, "left", s->left);
	put_u(out, "retried", s->retried);
	put_u(out, "limited", s->limited);
	put_u(out, "refused", s->refused);
	put_u(out, "running", running);
	put_u(out, "translated", s->translated);
	put_u(out, "lost", s->lost);
	put_tokens(out, &s->tokens);
	buf_addc(out, '}');
}

static void
put_minutes(struct buf *out, const struct view *v, const struct stats *s)
{
	const struct stats_minute *m;
	unsigned ago;

	put_raw(out, "minutes", "[");
	for (ago = 0; ago < STATS_MINUTES; ago++) {
		if ((m = stats_minute(s, v->wall, ago)) == NULL)
			continue;
		put_raw(out, NULL, "{");
		put_u(out, "ago", ago);
		put_u(out, "requests", m->requests);
		put_u(out, "failed", m->failed);
		put_u(out, "retried", m->retried);
		put_u(out, "limited", m->limited);
		put_u(out, "input", m->input);
		put_u(out, "output", m->output);
		put_n(out, "p50_ms", view_percentile(&m->first_byte, 50));
		put_n(out, "p95_ms", view_percentile(&m->first_byte, 95));
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

void
view_status(struct buf *out, const struct view *v, int minutes)
{
	static const char *const forms[] = { "own", "array", "variables" };
	const struct client_env *env = v->h->clients;
	const struct config *c = env->gen->cfg;
	const struct stats *s = &env->ex.stats;

	buf_addc(out, '{');
	put_text(out, "version", str_of(v->h->version));
	put_n(out, "now_ms", v->wall);
	put_n(out, "started_ms", s->started_ms);
	put_n(out, "uptime_ms", v->wall > s->started_ms ? v->wall -
	    s->started_ms : 0);
	put_known(out, "config", str_of(v->h->file));
	put_bool(out, "saves", v->h->file != NULL);
	put_bool(out, "demo", v->h->demo);
	put_address(out, "listen", c->host, c->port);
	put_address(out, "admin", c->web_admin.host, v->h->admin_port);
	put_address(out, "metrics", c->metrics.host, v->h->metrics_port);
	put_choice(out, "strategy", "", "strategy", (int)c->strategy);
	put_text(out, "form", str_of(forms[c->form]));
	put_bool(out, "keys_needed", c->naccess_keys > 0);
	put_u(out, "memory_bytes", buf_live());
	put_u(out, "memory_limit_bytes", c->limits.memory);
	put_u(out, "connections", env->count);
	put_totals(out, s);
	put_n(out, "first_byte_p50_ms", view_percentile(&s->first_byte, 50));
	put_n(out, "first_byte_p95_ms", view_percentile(&s->first_byte, 95));
	if (minutes)
		put_minutes(out, v, s);
	buf_addc(out, '}');
}

/* ---- backends ---- */

/* How one is: a word of docs/api.md, why, and for how long. */
struct health {
	const char *state;
	char reason[200];
	uint64_t wait;
};

static void
health_down(struct health *how, const struct fo_backend *b,
    const struct fo_policy *p, const struct view *v)
{
	enum fo_skip skip = fo_health_obstacle(b, p, v->now);

	how->state = skip == FO_SKIP_TRIAL ? "trial" : "down";
	how->wait = fo_health_wait(b, p, v->now);
	if (skip == FO_SKIP_TRIAL)
		snprintf(how->reason, sizeof how->reason,
		    "breaker half-open: a trial is running");
	else if (skip == FO_SKIP_OPEN)
		snprintf(how->reason, sizeof how->reason, "breaker open after "
		    "%u failure%s in a row", b->failures, b->failures == 1 ?
		    "" : "s");
	else if (fo_health_scored(p))
		snprintf(how->reason, sizeof how->reason, "score %u, of which "
		    "more than %u is needed", fo_health_score(b, p, v->now),
		    p->score.healthy_above);
	else
		snprintf(how->reason, sizeof how->reason, "all attempts of the "
		    "last %llu s failed", (unsigned long long)p->window.ms /
		    1000);
	/* What opens it at once. */
	if (skip == FO_SKIP_OPEN && b->failures == 0)
		snprintf(how->reason, sizeof how->reason,
		    "breaker open: its key was refused");
}

/* What the record alone tells, of a backend or of a model there. */
static void
health_of(struct health *how, const struct fo_backend *b,
    const struct fo_policy *p, const struct view *v)
{
	memset(how, 0, sizeof *how);
	how->state = "up";
	if (fo_health_obstacle(b, p, v->now) != FO_SKIP_NONE) {
		health_down(how, b, p, v);
	} else if (b->cool_until > v->now) {
		how->state = "cooling";
		how->wait = b->cool_until - v->now;
		snprintf(how->reason, sizeof how->reason, "rate limited (%s)",
		    fo_source_text(b->cool_source));
	} else if ((p->health == 0 || p->health == FO_HEALTH_BREAKER) &&
	    b->state != FO_CLOSED) {
		how->state = "trial";
		snprintf(how->reason, sizeof how->reason, "breaker half-open: "
		    "the next request is a trial");
	}
}

static void
health_full(struct health *how, const struct config_backend *c,
    const struct fo_backend *b, const struct view *v)
{
	if (!c->enabled) {
		memset(how, 0, sizeof *how);
		how->state = "disabled";
		snprintf(how->reason, sizeof how->reason, "switched off");
		return;
	}
	if (strcmp(how->state, "up") != 0)
		return;
	how->wait = access_backend_wait(&v->h->clients->ex.access, c, v->now);
	if (how->wait > 0) {
		how->state = "limited";
		snprintf(how->reason, sizeof how->reason, "its %u requests of "
		    "this minute are made", c->requests_per_minute);
	} else if (c->max_concurrent > 0 &&
	    b->in_flight >= c->max_concurrent) {
		how->state = "full";
		snprintf(how->reason, sizeof how->reason, "%u requests are "
		    "there, its maximum", b->in_flight);
	}
}

static void
put_models(struct buf *out, const struct config_backend *b)
{
	int map = 0;
	size_t i;

	for (i = 0; i < b->nmodels; i++)
		map |= b->models[i].to.p != NULL;
	put_raw(out, "models", map ? "{" : "[");
	for (i = 0; i < b->nmodels; i++) {
		put_text(out, NULL, b->models[i].pattern);
		if (!map)
			continue;
		buf_addc(out, ':');
		mask_text(out, b->models[i].to.p != NULL ? b->models[i].to :
		    b->models[i].pattern);
	}
	buf_addc(out, map ? '}' : ']');
}

static void
put_settings(struct buf *out, const struct config *c,
    const struct config_backend *b)
{
	char mask[UTIL_MASK_SIZE] = "";

	if (b->token.n > 0)
		util_mask(mask, b->token);
	put_text(out, "name", b->name);
	put_text(out, "base_url", b->base_url);
	put_choice(out, "api_type", "backends[].", "api_type", (int)b->api);
	/* What only the variables' form has is not a word of the config. */
	put_choice(out, "auth", "backends[].", "auth", (int)(b->auth_auto ||
	    b->auth == AUTH_BY_PATH ? AUTH_AUTO : b->auth));
	put_known(out, "token", str_of(mask));
	put_bool(out, "enabled", b->enabled);
	put_n(out, "priority", b->priority > c->ranks ? -1 : b->priority);
	put_u(out, "weight", b->weight);
	put_known(out, "model", b->model);
	put_models(out, b);
	put_u(out, "requests_per_minute", b->requests_per_minute);
	put_u(out, "max_concurrent", b->max_concurrent);
}

static const struct stats_backend *
figures_of(const struct stats *s, struct str name)
{
	static const struct stats_backend none;
	const struct stats_backend *b;

	for (b = s->backends; b != NULL; b = b->next)
		if (str_is(name, b->name))
			return b;
	return &none;
}

static void
put_figures(struct buf *out, const struct stats_backend *b)
{
	uint64_t failures = b->outcomes[STATS_FAILED] +
	    b->outcomes[STATS_BROKEN];
	uint64_t well = b->outcomes[STATS_GOOD] + b->outcomes[STATS_RETURNED];
	uint64_t judged = well + failures + b->outcomes[STATS_LIMITED];

	put_u(out, "requests", b->requests);
	put_u(out, "attempts", judged + b->outcomes[STATS_LEFT]);
	put_u(out, "failures", failures);
	put_u(out, "limited", b->outcomes[STATS_LIMITED]);
	put_name(out, "success_rate");
	if (judged == 0)
		buf_adds(out, "null");
	else
		buf_fmt(out, "%.4f", (double)well / (double)judged);
	put_n(out, "first_byte_p50_ms", stats_percentile(b, 50));
	put_n(out, "first_byte_p95_ms", stats_percentile(b, 95));
	put_text(out, "last_failure", str_of(b->last_failure));
	put_n(out, "last_failure_ms", b->last_failure_ms > 0 ?
	    b->last_failure_ms : -1);
	put_n(out, "input", b->tokens.input);
	put_n(out, "output", b->tokens.output);
}

static void
put_models_down(struct buf *out, const struct fo_backend *b,
    const struct fo_policy *p, const struct view *v)
{
	const struct fo_backend *m;
	struct health how;

	put_raw(out, "models_down", "[");
	for (m = b->models; m != NULL; m = m->next) {
		health_of(&how, m, p, v);
		if (strcmp(how.state, "up") == 0)
			continue;
		put_raw(out, NULL, "{");
		put_text(out, "model", str_of(m->name));
		put_text(out, "state", str_of(how.state));
		put_text(out, "reason", str_of(how.reason));
		put_u(out, "wait_ms", how.wait);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

void
view_backend(struct buf *out, const struct view *v, size_t place)
{
	static const char *const states[] = { "closed", "open", "half-open" };
	const struct generation *g = v->h->clients->gen;
	const struct config_backend *c = &g->cfg->backends[place];
	const struct fo_backend *b = g->targets[place].health;
	const struct fo_policy *p = &g->cfg->failover;
	struct health how;

	health_of(&how, b, p, v);
	health_full(&how, c, b, v);
	put_settings(out, g->cfg, c);
	put_text(out, "state", str_of(how.state));
	put_text(out, "reason", str_of(how.reason));
	put_u(out, "wait_ms", how.wait);
	put_text(out, "breaker", str_of(states[b->state]));
	put_u(out, "score", failover_score(b, p, v->now));
	put_u(out, "failures_in_row", b->failures);
	put_u(out, "in_flight", b->in_flight);
	put_figures(out, figures_of(&v->h->clients->ex.stats, c->name));
	put_models_down(out, b, p, v);
}

void
view_backends(struct buf *out, const struct view *v)
{
	size_t i;

	buf_adds(out, "{\"backends\":[");
	for (i = 0; i < v->h->clients->gen->cfg->nbackends; i++) {
		put_raw(out, NULL, "{");
		view_backend(out, v, i);
		buf_addc(out, '}');
	}
	buf_adds(out, "]}");
}

/* ---- requests ---- */

static int64_t
ms_of(uint64_t us)
{
	return us == 0 ? -1 : (int64_t)(us / 1000);
}

static void
put_tries(struct buf *out, const struct stats_entry *e)
{
	const struct stats_try *t;

	put_raw(out, "tries", "[");
	for (t = e->tries; t != NULL; t = t->next) {
		put_raw(out, NULL, "{");
		put_known(out, "backend", str_of(t->backend == NULL ? NULL :
		    t->backend->name));
		put_text(out, "outcome", str_of(stats_outcome_name(
		    t->outcome)));
		put_n(out, "status", t->status > 0 ? t->status : -1);
		put_text(out, "reason", str_of(t->reason));
		put_bool(out, "translated", t->translated);
		put_bool(out, "reused", t->reused);
		put_n(out, "connect_ms", ms_of(t->connected_us));
		put_n(out, "sent_ms", ms_of(t->sent_us));
		put_n(out, "head_ms", ms_of(t->head_us));
		put_n(out, "ended_ms", ms_of(t->ended_us));
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

void
view_request(struct buf *out, const struct view *v,
    const struct stats_entry *e)
{
	put_u(out, "number", e->number);
	put_text(out, "id", str_of(e->id));
	put_n(out, "began_ms", e->wall_ms);
	put_text(out, "method", str_of(e->method));
	put_text(out, "path", str_of(e->path));
	put_text(out, "client", str_of(dialect_name(e->client)));
	put_text(out, "model", str_of(e->model));
	put_text(out, "key", str_of(e->key));
	put_bool(out, "stream", e->stream);
	put_text(out, "phase", str_of(stats_phase_name(e->phase)));
	put_text(out, "outcome", str_of(stats_outcome_name(e->outcome)));
	put_n(out, "status", e->status > 0 ? e->status : -1);
	put_known(out, "backend", str_of(e->backend == NULL ? NULL :
	    e->backend->name));
	put_u(out, "attempts", e->attempts);
	put_n(out, "first_byte_ms", ms_of(e->first_us));
	put_n(out, "duration_ms", e->done ? ms_of(e->ended_us) : -1);
	put_u(out, "age_ms", e->done ? 0 : minus(v->us, e->began_us) / 1000);
	put_tokens(out, &e->usage);
	put_text(out, "stop", str_of(e->stop));
	put_text(out, "lost", str_of(e->lost));
	put_u(out, "bytes_in", e->bytes_in);
	put_u(out, "bytes_out", e->bytes_out);
	put_tries(out, e);
}

/* The outcome of that name; -1: none. */
static int
outcome_of(struct str s)
{
	int o;

	for (o = STATS_GOOD; o <= STATS_LEFT; o++)
		if (str_is(s, stats_outcome_name((enum stats_outcome)o)))
			return o;
	return -1;
}

/* "529" and "5xx" as what a status must lie between; 0 or -1. */
static int
range_of(struct str s, int *low, int *high)
{
	if (s.n != 3 || s.p[0] < '1' || s.p[0] > '5')
		return -1;
	*low = (s.p[0] - '0') * 100;
	*high = *low + 99;
	if (str_is(str_n(s.p + 1, 2), "xx"))
		return 0;
	if (s.p[1] < '0' || s.p[1] > '9' || s.p[2] < '0' || s.p[2] > '9')
		return -1;
	*low += (s.p[1] - '0') * 10 + (s.p[2] - '0');
	*high = *low;
	return 0;
}

int
view_filter_status(struct str s)
{
	int low, high;

	return s.n == 0 || outcome_of(s) != -1 ||
	    range_of(s, &low, &high) == 0;
}

static int
has(const char *in, struct str what)
{
	return str_casefind(str_of(in), what) >= 0;
}

static int
wanted_backend(const struct view_filter *f, const struct stats_entry *e)
{
	const struct stats_try *t;

	if (e->backend != NULL && str_is(f->backend, e->backend->name))
		return 1;
	for (t = e->tries; t != NULL; t = t->next)
		if (t->backend != NULL &&
		    str_is(f->backend, t->backend->name))
			return 1;
	return 0;
}

static int
wanted_text(const struct view_filter *f, const struct stats_entry *e)
{
	const struct stats_try *t;

	if (has(e->id, f->text) || has(e->path, f->text) ||
	    has(e->model, f->text) || has(e->key, f->text))
		return 1;
	for (t = e->tries; t != NULL; t = t->next)
		if (has(t->reason, f->text))
			return 1;
	return 0;
}

int
view_wanted(const struct view_filter *f, const struct stats_entry *e)
{
	int low, high;

	if (f->before != 0 && e->number >= f->before)
		return 0;
	if (f->status.n > 0 && (range_of(f->status, &low, &high) == 0 ?
	    e->status < low || e->status > high :
	    (int)e->outcome != outcome_of(f->status)))
		return 0;
	if (f->backend.n > 0 && !wanted_backend(f, e))
		return 0;
	if (f->model.n > 0 && !has(e->model, f->model))
		return 0;
	return f->text.n == 0 || wanted_text(f, e);
}

static void
put_request(struct view_page *p, const struct stats_entry *e, int recorded)
{
	put_raw(p->out, NULL, "{");
	view_request(p->out, p->v, e);
	if (recorded)
		put_bool(p->out, "recorded", 1);
	buf_addc(p->out, '}');
	p->n++;
}

/* Takes the next one; 1: there is no room for it. */
static int
page_next(struct view_page *p, const struct stats_entry *e, int recorded)
{
	if (!view_wanted(p->f, e))
		return 0;
	if (p->n == p->f->limit) {
		p->more = 1;
		return 1;
	}
	put_request(p, e, recorded);
	return 0;
}

/* Of the requests that ended, the one with the number next below. */
static const struct stats_entry *
next_below(const struct stats *s, uint64_t number)
{
	const struct stats_entry *e, *best = NULL;
	size_t i;

	for (i = 0; (e = stats_recent(s, i)) != NULL; i++)
		if (e->number < number &&
		    (best == NULL || e->number > best->number))
			best = e;
	return best;
}

void
view_page_begin(struct view_page *p, struct buf *out, const struct view *v,
    const struct view_filter *f)
{
	const struct stats *s = &v->h->clients->ex.stats;
	const struct stats_entry *e;
	uint64_t number;

	memset(p, 0, sizeof *p);
	p->out = out;
	p->v = v;
	p->f = f;
	buf_addc(out, '{');
	put_raw(out, "running", "[");
	for (e = s->newest; e != NULL && f->before == 0 &&
	    p->n < VIEW_PAGE_MAX; e = e->prev)
		if (view_wanted(f, e))
			put_request(p, e, 0);
	p->n = 0;
	buf_addc(out, ']');
	put_raw(out, "requests", "[");
	/* By number, as `before` asks, and not in the order of their ends. */
	for (number = UINT64_MAX; (e = next_below(s, number)) != NULL;
	    number = e->number) {
		p->oldest = e->number;
		if (!p->more)
			page_next(p, e, 0);
	}
}

int
view_page_add(struct view_page *p, const struct stats_entry *e)
{
	/* One that runs has records of its attempts already. */
	if (stats_find(&p->v->h->clients->ex.stats, str_of(e->id)) != NULL)
		return 0;
	return page_next(p, e, 1);
}

void
view_page_end(struct view_page *p)
{
	buf_addc(p->out, ']');
	put_bool(p->out, "more", p->more);
	buf_addc(p->out, '}');
}
