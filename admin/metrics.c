#include "admin/metrics.h"

#include <stdlib.h>

#include "json.h"
#include "net/loop.h"
#include "relay/access.h"

/* A backend of the config, one of which figures are left, or both. */
struct who {
	struct str name;
	const struct target *live;		/* NULL: not in the config */
	const struct stats_backend *past;	/* zeros if there is none */
};

struct page {
	struct buf *out;
	const struct admin_host *h;
	const struct stats *s;
	const struct fo_policy *policy;
	struct who *who;			/* owned */
	size_t n;
	uint64_t now;
	unsigned labels;			/* of the line so far */
};

static const struct stats_backend nothing;

/* ---- lines ---- */

static void
family(struct page *p, const char *name, const char *type, const char *help)
{
	buf_fmt(p->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
	    type);
}

static void
line(struct page *p, const char *name, const char *suffix)
{
	p->labels = 0;
	buf_adds(p->out, name);
	buf_adds(p->out, suffix);
}

/* A value of any bytes; what is no UTF-8 would spoil the whole page. */
static void
label(struct page *p, const char *name, struct str value)
{
	size_t i = 0, n;
	int len;

	buf_adds(p->out, p->labels++ == 0 ? "{" : ",");
	buf_adds(p->out, name);
	buf_adds(p->out, "=\"");
	while (i < value.n) {
		if (value.p[i] == '\\' || value.p[i] == '"') {
			buf_addc(p->out, '\\');
			buf_addc(p->out, value.p[i++]);
		} else if (value.p[i] == '\n') {
			buf_adds(p->out, "\\n");
			i++;
		} else {
			len = json_scan_utf8(value.p + i, value.n - i);
			n = (size_t)(len < 0 ? -len : len);
			if (len < 0)
				buf_adds(p->out, "\xef\xbf\xbd");
			else
				buf_add(p->out, value.p + i, n);
			i += n;
		}
	}
	buf_addc(p->out, '"');
}

static void
value(struct page *p, uint64_t n)
{
	buf_adds(p->out, p->labels > 0 ? "} " : " ");
	buf_addu(p->out, n);
	buf_addc(p->out, '\n');
}

/* A decimal of n / unit, a power of 10, exactly. */
static void
decimal(struct buf *out, uint64_t n, uint64_t unit)
{
	uint64_t rest = n % unit;

	buf_addu(out, n / unit);
	if (rest > 0)
		buf_addc(out, '.');
	while (rest > 0) {
		rest *= 10;
		buf_addc(out, (char)('0' + rest / unit));
		rest %= unit;
	}
}

static void
seconds(struct page *p, uint64_t n, uint64_t unit)
{
	buf_adds(p->out, p->labels > 0 ? "} " : " ");
	decimal(p->out, n, unit);
	buf_addc(p->out, '\n');
}

/* A family of one line. */
static void
one(struct page *p, const char *name, const char *type, const char *help,
    uint64_t n)
{
	family(p, name, type, help);
	line(p, name, "");
	value(p, n);
}

static void
backend_line(struct page *p, const char *name, const char *suffix,
    const struct who *w)
{
	line(p, name, suffix);
	if (w != NULL)
		label(p, "backend", w->name);
}

/* The lines of one histogram, of a backend or of all. */
static void
histogram(struct page *p, const char *name, const struct who *w,
    const struct stats_histogram *h)
{
	struct buf le;
	uint64_t sum = 0;
	size_t i;

	buf_init(&le, 32);
	for (i = 0; i < STATS_BUCKETS; i++) {
		sum += h->count[i];
		buf_clear(&le);
		if (i < STATS_BUCKETS - 1)
			decimal(&le, stats_bounds[i], 1000);
		else
			buf_adds(&le, "+Inf");
		backend_line(p, name, "_bucket", w);
		label(p, "le", buf_str(&le));
		value(p, sum);
	}
	if (le.bad)
		p->out->bad = 1;
	buf_free(&le);
	backend_line(p, name, "_sum", w);
	seconds(p, h->sum_us, 1000000);
	backend_line(p, name, "_count", w);
	value(p, sum);
}

/* A counter with up to three labels, as stats keeps it. */
static void
table(struct page *p, const char *name, const char *help,
    const struct stats_table *t, const char *const labels[3])
{
	size_t i, k;

	family(p, name, "counter", help);
	for (i = 0; i < t->n; i++) {
		line(p, name, "");
		for (k = 0; k < 3 && labels[k] != NULL; k++)
			label(p, labels[k], str_of(t->rows[i].label[k]));
		value(p, t->rows[i].n);
	}
}

/* Sums are never below 0. */
static uint64_t
sum(int64_t n)
{
	return n > 0 ? (uint64_t)n : 0;
}

static void
tokens(struct page *p, const char *name, const struct who *w,
    const struct dialect_usage *u)
{
	static const char *const types[] = {
		"input", "output", "cache_read", "cache_write", "reasoning"
	};
	int64_t n[5];
	size_t i;

	n[0] = u->input;
	n[1] = u->output;
	n[2] = u->cache_read;
	n[3] = u->cache_write;
	n[4] = u->reasoning;
	for (i = 0; i < 5; i++) {
		backend_line(p, name, "", w);
		label(p, "type", str_of(types[i]));
		value(p, sum(n[i]));
	}
}

/* ---- requests and tokens ---- */

static void
requests(struct page *p)
{
	static const char *const labels[3] = { "backend", "model", "status" };
	const struct stats *s = p->s;
	const struct stats_entry *e;
	uint64_t running = 0;

	for (e = s->running; e != NULL; e = e->next)
		running++;
	table(p, "http_requests_total", "Requests of clients that ended, by "
	    "the backend that answered, model and status.", &s->requests,
	    labels);
	family(p, "http_request_duration_seconds", "histogram",
	    "Time from a request's head to the end of its answer.");
	histogram(p, "http_request_duration_seconds", NULL, &s->duration);
	family(p, "spillway_first_byte_seconds", "histogram",
	    "Time from a request's head to the first byte of its answer.");
	histogram(p, "spillway_first_byte_seconds", NULL, &s->first_byte);
	one(p, "rate_limit_exceeded_total", "counter",
	    "Requests refused by Spillway's own limits of keys and users.",
	    s->refused);
	one(p, "spillway_requests_in_flight", "gauge",
	    "Requests of clients that run.", running);
	one(p, "spillway_requests_retried_total", "counter",
	    "Requests that took more than one attempt.", s->retried);
	one(p, "spillway_requests_left_total", "counter",
	    "Requests whose client went away before the end.", s->left);
	one(p, "spillway_requests_broken_total", "counter",
	    "Answers that broke off after they had begun.", s->broken);
}

static void
usage(struct page *p)
{
	static const char *const model[3] = { "model", "type", NULL };
	static const char *const user[3] = { "user", "model", "type" };
	const struct dialect_usage *u = &p->s->tokens;
	uint64_t in = sum(u->input) + sum(u->cache_read) +
	    sum(u->cache_write), out = sum(u->output);

	family(p, "token_usage_total", "counter",
	    "Tokens as the providers counted them; input is without cached "
	    "ones, output is with reasoning.");
	tokens(p, "token_usage_total", NULL, u);
	one(p, "prompt_tokens_total", "counter",
	    "Tokens that went in, cached ones too.", in);
	one(p, "completion_tokens_total", "counter",
	    "Tokens that came out.", out);
	one(p, "tokens_total", "counter", "Tokens in and out.", in + out);
	table(p, "tokens_by_model", "Tokens by model; type is prompt or "
	    "completion.", &p->s->by_model, model);
	table(p, "tokens_by_user_model", "Tokens by access key and model.",
	    &p->s->by_user, user);
}

static void
translations(struct page *p)
{
	static const char *const labels[3] = { "from", "to", NULL };

	table(p, "spillway_translations_total", "Requests that were translated "
	    "for their backend, by both APIs.", &p->s->translations, labels);
	one(p, "spillway_dropped_total", "counter",
	    "Parts of requests that had no translation.", p->s->lost);
}

/* ---- backends ---- */

static void
attempts(struct page *p)
{
	const struct who *w;
	size_t i;
	int o;

	family(p, "spillway_attempts_total", "counter",
	    "Attempts that ended, by their outcome.");
	for (i = 0; i < p->n; i++)
		for (w = &p->who[i], o = STATS_GOOD; o < STATS_SKIPPED; o++) {
			backend_line(p, "spillway_attempts_total", "", w);
			label(p, "outcome", str_of(stats_outcome_name(
			    (enum stats_outcome)o)));
			value(p, w->past->outcomes[o]);
		}
	family(p, "spillway_skips_total", "counter",
	    "How often a backend was passed over, for its health or a limit.");
	for (i = 0; i < p->n; i++) {
		backend_line(p, "spillway_skips_total", "", &p->who[i]);
		value(p, p->who[i].past->outcomes[STATS_SKIPPED]);
	}
	family(p, "spillway_backend_tokens_total", "counter",
	    "Tokens by the backend that answered, as token_usage_total.");
	for (i = 0; i < p->n; i++)
		tokens(p, "spillway_backend_tokens_total", &p->who[i],
		    &p->who[i].past->tokens);
	family(p, "spillway_backend_first_byte_seconds", "histogram",
	    "Time from the begin of an attempt to the head of its answer.");
	for (i = 0; i < p->n; i++)
		histogram(p, "spillway_backend_first_byte_seconds",
		    &p->who[i], &p->who[i].past->first_byte);
}

enum state { UP, DISABLED, DOWN, TRIAL, COOLING, LIMITED, FULL, STATES };

/* As the dashboard has it: the first obstacle counts. */
static enum state
state_of(struct page *p, const struct target *t)
{
	const struct fo_backend *b = t->health;
	enum fo_skip skip = fo_health_obstacle(b, p->policy, p->now);

	if (!t->cfg->enabled)
		return DISABLED;
	if (skip != FO_SKIP_NONE)
		return skip == FO_SKIP_TRIAL ? TRIAL : DOWN;
	if (b->cool_until > p->now)
		return COOLING;
	if ((p->policy->health == 0 ||
	    p->policy->health == FO_HEALTH_BREAKER) && b->state != FO_CLOSED)
		return TRIAL;
	if (access_backend_wait(&p->h->clients->ex.access, t->cfg,
	    p->now) > 0)
		return LIMITED;
	return t->cfg->max_concurrent > 0 &&
	    b->in_flight >= t->cfg->max_concurrent ? FULL : UP;
}

static void
states(struct page *p)
{
	static const char *const names[STATES] = {
		"up", "disabled", "down", "trial", "cooling", "limited",
		"full"
	};
	enum state is;
	size_t i;
	int k;

	family(p, "spillway_backend_state", "gauge",
	    "1 for the state that a backend is in, 0 for the others.");
	for (i = 0; i < p->n; i++) {
		if (p->who[i].live == NULL)
			continue;
		is = state_of(p, p->who[i].live);
		for (k = 0; k < STATES; k++) {
			backend_line(p, "spillway_backend_state", "",
			    &p->who[i]);
			label(p, "state", str_of(names[k]));
			value(p, k == (int)is);
		}
	}
}

static void
health(struct page *p)
{
	const struct fo_backend *b;
	size_t i;

	states(p);
	family(p, "spillway_backend_cooldown_seconds", "gauge",
	    "Time until a rate limited backend is asked like the others.");
	for (i = 0; i < p->n; i++) {
		if (p->who[i].live == NULL)
			continue;
		b = p->who[i].live->health;
		backend_line(p, "spillway_backend_cooldown_seconds", "",
		    &p->who[i]);
		seconds(p, b->cool_until > p->now ? b->cool_until - p->now :
		    0, 1000);
	}
	family(p, "spillway_backend_score", "gauge",
	    "Score of a backend, 0 to 100; counts where health is score.");
	for (i = 0; i < p->n; i++) {
		if (p->who[i].live == NULL)
			continue;
		backend_line(p, "spillway_backend_score", "", &p->who[i]);
		value(p, fo_health_score(p->who[i].live->health, p->policy,
		    p->now));
	}
	family(p, "spillway_backend_in_flight", "gauge",
	    "Attempts that run at a backend.");
	for (i = 0; i < p->n; i++) {
		backend_line(p, "spillway_backend_in_flight", "",
		    &p->who[i]);
		value(p, p->who[i].past->in_flight);
	}
}

/* ---- the process ---- */

static void
process(struct page *p)
{
	const struct client_env *env = p->h->clients;

	one(p, "spillway_connections", "gauge",
	    "Open connections of clients.", env->count);
	one(p, "spillway_connections_busy", "gauge",
	    "Connections of clients with a request.", env->busy);
	one(p, "spillway_memory_bytes", "gauge",
	    "Memory that buffers hold.", buf_live());
	one(p, "spillway_memory_limit_bytes", "gauge",
	    "limits.memory_megabytes: above it requests are refused.",
	    env->gen->cfg->limits.memory);
	family(p, "spillway_start_time_seconds", "gauge",
	    "When the process started, in seconds since 1970.");
	line(p, "spillway_start_time_seconds", "");
	seconds(p, sum(p->s->started_ms), 1000);
	family(p, "spillway_build_info", "gauge", "Always 1.");
	line(p, "spillway_build_info", "");
	label(p, "version", str_of(p->h->version));
	value(p, 1);
}

/* Those of the config in its order, then those that figures are left of. */
static int
who_fill(struct page *p, const struct generation *g)
{
	const struct stats_backend *b;
	size_t live = g->cfg->nbackends, room = live, i;
	struct who *w;

	for (b = p->s->backends; b != NULL; b = b->next)
		room++;
	if ((p->who = calloc(room + 1, sizeof *p->who)) == NULL)
		return -1;
	for (i = 0; i < live; i++) {
		w = &p->who[i];
		w->live = &g->targets[i];
		w->name = w->live->cfg->name;
		w->past = &nothing;
	}
	p->n = live;
	for (b = p->s->backends; b != NULL; b = b->next) {
		for (i = 0; i < live; i++)
			if (str_is(p->who[i].name, b->name))
				break;
		if (i == live) {
			i = p->n++;
			p->who[i].name = str_of(b->name);
		}
		p->who[i].past = b;
	}
	return 0;
}

int
metrics_write(struct buf *out, const struct admin_host *h)
{
	struct page p;

	p.out = out;
	p.h = h;
	p.s = &h->clients->ex.stats;
	p.policy = &h->clients->gen->cfg->failover;
	p.now = loop_now(h->loop);
	p.n = 0;
	if (who_fill(&p, h->clients->gen) == -1)
		return -1;
	requests(&p);
	usage(&p);
	translations(&p);
	attempts(&p);
	health(&p);
	process(&p);
	free(p.who);
	return out->bad ? -1 : 0;
}
