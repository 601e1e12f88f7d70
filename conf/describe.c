#include "conf/describe.h"

#include <string.h>

#include "conf/check.h"
#include "conf/keys.h"

/* "1.5 s"; 0: "no limit" */
static void
put_time(struct buf *out, uint64_t ms)
{
	if (ms == 0) {
		buf_adds(out, "no limit");
		return;
	}
	buf_addu(out, ms / 1000);
	if (ms % 1000 != 0)
		buf_fmt(out, ".%03u", (unsigned)(ms % 1000));
	buf_adds(out, " s");
}

static void
put_named_time(struct buf *out, const char *name, uint64_t ms)
{
	buf_fmt(out, "%s ", name);
	put_time(out, ms);
}

/* The word for a number, from the range of the key's row. */
static void
put_choice(struct buf *out, const char *prefix, const char *name, int number)
{
	const struct config_key *k = conf_key_find(prefix, str_of(name));

	if (k != NULL)
		buf_addstr(out, conf_choice_name(k->range, number));
}

static void
put_models(struct buf *out, const struct config_backend *b)
{
	static const char *const all[] = {
		"claude models, and those of no known vendor",
		"OpenAI's models, and those of no known vendor",
		"gemini models, and those of no known vendor",
		"all models"
	};
	size_t i;

	buf_adds(out, "     serves ");
	if (b->model.p != NULL) {
		buf_adds(out, "every model as ");
		buf_addstr(out, b->model);
	} else if (b->nmodels == 0) {
		buf_adds(out, all[b->api]);
	}
	for (i = 0; i < b->nmodels; i++) {
		buf_adds(out, i == 0 ? "" : ", ");
		buf_addstr(out, b->models[i].pattern);
		if (b->models[i].to.p != NULL) {
			buf_adds(out, " as ");
			buf_addstr(out, b->models[i].to);
		}
	}
	buf_addc(out, '\n');
}

static void
put_credentials(struct buf *out, const struct config_backend *b)
{
	char mask[UTIL_MASK_SIZE];

	buf_adds(out, "     speaks ");
	if (b->api == DIALECT_ANY)
		buf_adds(out, "whatever the client speaks");
	else
		put_choice(out, "backends[].", "api_type", (int)b->api);
	if (b->auth == AUTH_PASSTHROUGH) {
		buf_adds(out, "; the client's own credentials pass through");
	} else if (b->token.p == NULL) {
		buf_adds(out, "; no token");
	} else {
		util_mask(mask, b->token);
		buf_fmt(out, "; token %s as ", mask);
		if (b->auth == AUTH_BOTH)
			buf_adds(out, "bearer and x-api-key");
		else if (b->auth == AUTH_BY_PATH)
			buf_adds(out, "x-api-key on /v1/messages, else as "
			    "bearer");
		else
			put_choice(out, "backends[].", "auth", (int)b->auth);
	}
	buf_addc(out, '\n');
}

static void
put_extras(struct buf *out, const struct config_backend *b)
{
	size_t i;

	if (b->path_prefix.p != NULL) {
		buf_adds(out, "     path \"");
		buf_addstr(out, b->path_prefix);
		buf_adds(out, "\" in the place of /v1\n");
	}
	for (i = 0; i < b->nheaders; i++) {
		buf_adds(out, i == 0 ? "     sets " : ", ");
		buf_addstr(out, b->headers[i].name);
	}
	if (b->nheaders > 0)
		buf_addc(out, '\n');
	if (b->address.p != NULL) {
		buf_adds(out, "     connects to ");
		buf_addstr(out, b->address);
		buf_addc(out, '\n');
	}
	if (b->ca_file.p != NULL) {
		buf_adds(out, "     trusts ");
		buf_addstr(out, b->ca_file);
		buf_addc(out, '\n');
	}
}

/* 1 if that strategy is at work anywhere. */
static int
uses(const struct config *c, enum fo_strategy s)
{
	size_t i;

	for (i = 0; i < c->nroutes; i++)
		if (c->routes[i].strategy == s)
			return 1;
	return c->strategy == s;
}

/* "     at most 5 requests a minute, 2 at a time; weight 3" */
static void
put_share(struct buf *out, const struct config *c,
    const struct config_backend *b)
{
	const char *sep = "     at most ";

	if (b->requests_per_minute > 0) {
		buf_fmt(out, "%s%u requests a minute", sep,
		    b->requests_per_minute);
		sep = ", ";
	}
	if (b->max_concurrent > 0) {
		buf_fmt(out, "%s%u at a time", sep, b->max_concurrent);
		sep = ", ";
	}
	if (uses(c, FO_WEIGHTED_RANDOM))
		buf_fmt(out, "%sweight %u", *sep == ',' ? "; " : "     ",
		    b->weight);
	else if (*sep != ',')
		return;
	buf_addc(out, '\n');
}

static void
put_backend(struct buf *out, const struct config *c,
    const struct config_backend *b, unsigned number)
{
	const struct config_timeouts *t = &b->timeouts;

	if (b->enabled)
		buf_fmt(out, "  %u. ", number);
	else
		buf_adds(out, "  -  ");
	buf_addstr(out, b->name);
	buf_adds(out, b->enabled ? "  " : " (disabled)  ");
	buf_addstr(out, b->base_url);
	buf_addc(out, '\n');
	if (!b->enabled)
		return;
	put_credentials(out, b);
	put_models(out, b);
	put_extras(out, b);
	put_share(out, c, b);
	put_named_time(out, "     times: connect", t->connect);
	put_named_time(out, ", head of a stream", c->retry.timeout > 0 ?
	    c->retry.timeout : t->first_byte);
	put_named_time(out, c->retry.timeout > 0 ? ", whole plain answer" :
	    ", head of a plain answer", c->retry.timeout > 0 ?
	    c->retry.timeout : t->response);
	put_named_time(out, ", silence", t->idle);
	put_named_time(out, ", in all", t->total);
	buf_addc(out, '\n');
}

/* All backends by priority, then place; the disabled ones last. */
static void
put_backends(struct buf *out, const struct config *c)
{
	const struct config_backend *b, *next;
	unsigned number = 0;
	size_t i, place = 0;
	int after = -1;

	buf_adds(out, c->strategy == FO_FAILOVER ?
	    "backends, in the order in which they are tried:\n" :
	    "backends, by priority:\n");
	for (;;) {
		next = NULL;
		for (i = 0; i < c->nbackends; i++) {
			b = &c->backends[i];
			if (!b->enabled || b->priority < after ||
			    (b->priority == after && i < place))
				continue;
			if (next == NULL || b->priority < next->priority)
				next = b;
		}
		if (next == NULL)
			break;
		after = next->priority;
		place = (size_t)(next - c->backends) + 1;
		put_backend(out, c, next, ++number);
	}
	for (i = 0; i < c->nbackends; i++)
		if (!c->backends[i].enabled)
			put_backend(out, c, &c->backends[i], 0);
}

/* The names of some backends, by their places. */
static void
put_names(struct buf *out, const struct config *c, const size_t *list,
    size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		buf_adds(out, i == 0 ? "" : ", ");
		buf_addstr(out, c->backends[list[i]].name);
	}
}

/* Where models go, and how what is left to choose is chosen. */
static void
put_routes(struct buf *out, const struct config *c)
{
	const struct config_route *w;
	size_t i;

	buf_adds(out, "strategy: ");
	put_choice(out, "", "strategy", (int)c->strategy);
	if (c->strategy != FO_FAILOVER)
		buf_adds(out, ", among backends of the same priority");
	buf_addc(out, '\n');
	for (i = 0; i < c->nroutes; i++) {
		w = &c->routes[i];
		buf_adds(out, "route: ");
		buf_addstr(out, w->model);
		buf_adds(out, " to ");
		put_names(out, c, w->backends, w->nbackends);
		if (w->strategy != c->strategy) {
			buf_adds(out, " (");
			put_choice(out, "", "strategy", (int)w->strategy);
			buf_addc(out, ')');
		}
		buf_addc(out, '\n');
	}
}

static void
put_key(struct buf *out, const struct config *c,
    const struct config_access_key *g)
{
	size_t i;

	buf_adds(out, "access key ");
	buf_addstr(out, g->name);
	buf_adds(out, ": ");
	if (g->nbackends == 0)
		buf_adds(out, "all backends");
	else
		put_names(out, c, g->backends, g->nbackends);
	for (i = 0; i < g->nmodels; i++) {
		buf_adds(out, i == 0 ? "; only " : ", ");
		buf_addstr(out, g->models[i]);
	}
	if (g->requests_per_minute > 0)
		buf_fmt(out, "; %u requests a minute",
		    g->requests_per_minute);
	if (g->tokens.max > 0)
		buf_fmt(out, "; %u tokens in %u minutes", g->tokens.max,
		    g->tokens.window_minutes);
	buf_addc(out, '\n');
}

/* Who may ask, and how much. */
static void
put_clients(struct buf *out, const struct config *c)
{
	size_t i;

	for (i = 0; i < c->naccess_keys; i++)
		put_key(out, c, &c->access_keys[i]);
	if (!c->user_limits.enabled)
		return;
	buf_fmt(out, "each user: %u tokens in %u minutes, by the header ",
	    c->user_limits.max_tokens, c->user_limits.window_minutes);
	buf_addstr(out, c->user_limits.header);
	buf_addc(out, '\n');
}

static void
put_statuses(struct buf *out, const struct fo_policy *p)
{
	const char *sep = "";
	int s, last;

	for (s = 100; s < 600; s = last + 1) {
		for (last = s; last < 599 && fo_on(p, s) && fo_on(p, last + 1);
		    last++)
			;
		if (!fo_on(p, s))
			continue;
		buf_fmt(out, "%s%d", sep, s);
		if (last > s)
			buf_fmt(out, "-%d", last);
		sep = ", ";
	}
	if (*sep == '\0')
		buf_adds(out, "no status");
}

static void
put_phrases(struct buf *out, const char *name, const struct str *list,
    unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		buf_adds(out, i == 0 ? name : ", ");
		buf_addc(out, '"');
		buf_addstr(out, list[i]);
		buf_addc(out, '"');
	}
	if (n > 0)
		buf_addc(out, '\n');
}

/* When a backend is down, and what then happens. */
static void
put_health(struct buf *out, const struct config *c)
{
	const struct fo_policy *p = &c->failover;
	int never = p->health == FO_HEALTH_NONE;

	if (never)
		buf_adds(out, "no backend is ever taken for down\n");
	else if ((p->health & (p->health - 1)) != 0)
		buf_adds(out, "a backend is down when all of these agree:\n");
	if ((p->health & FO_HEALTH_BREAKER) != 0) {
		buf_fmt(out, "breaker: %u failures in a row open it for ",
		    p->failure_threshold);
		put_time(out, p->open_ms);
		buf_fmt(out, ", then %u at a time may try\n",
		    p->half_open_requests);
	}
	if ((p->health & FO_HEALTH_SCORE) != 0)
		buf_fmt(out, "score: of 100, +%u for a success and -%u for a "
		    "failure; used above %u; rises after %u idle minutes\n",
		    p->score.success, p->score.failure,
		    p->score.healthy_above, p->score.recover_minutes);
	if ((p->health & FO_HEALTH_WINDOW) != 0) {
		buf_fmt(out, "window: down when %u or more ended in ",
		    p->window.min_failures);
		put_time(out, p->window.ms);
		buf_adds(out, " and all failed\n");
	}
	if (!never)
		buf_fmt(out, "when all are down: %s\n",
		    p->when_all_down == FO_ALL_DOWN_TRY ?
		    "each is tried once, in order" : "503");
	if (p->slow_start_ms > 0)
		put_named_time(out, "back at its full share after",
		    p->slow_start_ms);
	buf_adds(out, p->slow_start_ms > 0 ? "\n" : "");
	if (c->health_check.enabled) {
		put_named_time(out, "what is down is asked every",
		    c->health_check.interval);
		buf_adds(out, ": GET ");
		buf_addstr(out, c->health_check.path);
		buf_addc(out, '\n');
	}
}

static void
put_failover(struct buf *out, const struct config *c)
{
	const struct fo_policy *p = &c->failover;

	buf_adds(out, "attempts: ");
	if (c->retry.attempts == 0)
		buf_adds(out, "one for each backend");
	else
		buf_fmt(out, "%u at most", c->retry.attempts);
	buf_fmt(out, "; at one backend %u%s", c->retry.tries_per_backend,
	    c->retry.no_pause ? ", without pause" : "");
	buf_fmt(out, "\nwhile no backend answers: further attempts for %u %% "
	    "of the requests, and 3 a second\nmoves on at: ",
	    c->retry.budget_percent);
	put_statuses(out, p);
	buf_adds(out, "; errors of network, TLS and HTTP; time-outs\n");
	put_phrases(out, "rate limit if an error says: ", p->retry_text,
	    p->nretry_text);
	put_phrases(out, "returned at once if an error says: ", p->stop_text,
	    p->nstop_text);
	put_health(out, c);
	buf_adds(out, "after a 429: last in the order for as long as the "
	    "answer says, else for ");
	put_time(out, p->cooldown_ms);
	buf_adds(out, "; at most ");
	put_time(out, p->max_cooldown_ms);
	buf_addc(out, '\n');
}

static void
put_listener(struct buf *out, const struct config *c)
{
	static const char *const forms[] = {
		"", " (a list of providers, as auto-proxy has it)",
		" (variables, as llm-proxy has them)"
	};
	int six = conf_address(c->host) == 6;
	const char *who;
	size_t i;

	who = c->naccess_keys > 0 ? "for clients that show an access key" :
	    "OPEN to everyone who can reach it: no key is asked of clients";
	buf_addstr(out, c->file);
	buf_fmt(out, " is good%s\nlistens on ", forms[c->form]);
	buf_adds(out, six ? "[" : "");
	buf_addstr(out, c->host);
	buf_fmt(out, "%s:%u, %s%s\n", six ? "]" : "", (unsigned)c->port,
	    conf_loopback(c->host) ? "for this machine only" : who,
	    conf_loopback(c->host) && c->naccess_keys > 0 ?
	    ", with an access key" : "");
	for (i = 0; i < c->nallow_origins; i++) {
		buf_adds(out, i == 0 ? "web pages that may use it: " : ", ");
		buf_addstr(out, c->allow_origins[i]);
	}
	if (c->nallow_origins > 0)
		buf_addc(out, '\n');
}

static void
put_url(struct buf *out, struct str host, uint16_t port)
{
	int six = conf_address(host) == 6;

	buf_adds(out, six ? "http://[" : "http://");
	buf_addstr(out, host);
	buf_fmt(out, "%s:%u", six ? "]" : "", (unsigned)port);
}

/* The pages for people and Prometheus, and who may see them. */
static void
put_pages(struct buf *out, const struct config *c)
{
	size_t i;

	buf_adds(out, "dashboard: ");
	if (c->web_admin.enabled) {
		put_url(out, c->web_admin.host, c->web_admin.port);
		buf_adds(out, c->web_admin.token.p != NULL ?
		    "/, with its token" : "/, for this machine only");
	} else {
		buf_adds(out, "off");
	}
	for (i = 0; i < c->web_admin.nhosts && c->web_admin.enabled &&
	    c->web_admin.token.p != NULL; i++) {
		buf_adds(out, i == 0 ? "; also as " : ", ");
		buf_addstr(out, c->web_admin.hosts[i]);
	}
	buf_adds(out, "\nmetrics: ");
	if (c->metrics.enabled) {
		put_url(out, c->metrics.host, c->metrics.port);
		buf_adds(out, conf_loopback(c->metrics.host) ?
		    "/metrics, for this machine only" :
		    "/metrics, for everyone who can reach it");
	} else {
		buf_adds(out, "off");
	}
	buf_addc(out, '\n');
}

static void
put_records(struct buf *out, const struct config *c)
{
	buf_adds(out, "records: ");
	if (c->logging.directory.p == NULL) {
		buf_adds(out, "none\n");
		return;
	}
	buf_adds(out, "in ");
	buf_addstr(out, c->logging.directory);
	buf_fmt(out, ", %lu MB at most; bodies of requests: ",
	    (unsigned long)(c->logging.max >> 20));
	put_choice(out, "logging.", "log_request_body",
	    c->logging.request_body);
	buf_adds(out, ", of answers: ");
	put_choice(out, "logging.", "log_response_body",
	    c->logging.response_body);
	buf_addc(out, '\n');
}

void
conf_describe(const struct config *c, struct buf *out)
{
	put_listener(out, c);
	put_clients(out, c);
	put_backends(out, c);
	put_routes(out, c);
	put_failover(out, c);
	buf_adds(out, "certificates: ");
	if (c->ca_file.p != NULL)
		buf_addstr(out, c->ca_file);
	else
		buf_adds(out, "the system's authorities");
	buf_fmt(out, "\nlimits: bodies of %lu MB, %u connections, %lu MB of "
	    "memory\nlog: level ", (unsigned long)(c->limits.body >> 20),
	    c->limits.connections, (unsigned long)(c->limits.memory >> 20));
	put_choice(out, "logging.", "level", c->logging.level);
	buf_adds(out, ", requests ");
	put_choice(out, "logging.", "log_request_types", c->logging.types);
	buf_adds(out, ", colour ");
	put_choice(out, "logging.", "color", c->logging.color);
	buf_addc(out, '\n');
	put_records(out, c);
	put_pages(out, c);
	buf_adds(out, "at TERM, running requests have ");
	if (c->drain_ms == 0)
		buf_adds(out, "no time");
	else
		put_time(out, c->drain_ms);
	buf_adds(out, " to end\n");
}
