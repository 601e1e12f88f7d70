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

	buf_adds(out, "backends, in the order in which they are tried:\n");
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

static void
put_failover(struct buf *out, const struct config *c)
{
	const struct fo_policy *p = &c->failover;

	buf_adds(out, "attempts: ");
	if (c->retry.attempts == 0)
		buf_adds(out, "one for each backend");
	else
		buf_fmt(out, "%u at most", c->retry.attempts);
	buf_fmt(out, "; at one backend %u\nmoves on at: ",
	    c->retry.tries_per_backend);
	put_statuses(out, p);
	buf_adds(out, "; errors of network, TLS and HTTP; time-outs\n");
	put_phrases(out, "rate limit if an error says: ", p->retry_text,
	    p->nretry_text);
	put_phrases(out, "returned at once if an error says: ", p->stop_text,
	    p->nstop_text);
	buf_fmt(out, "breaker: %u failures in a row open it for ",
	    p->failure_threshold);
	put_time(out, p->open_ms);
	buf_fmt(out, ", then %u at a time may try\n", p->half_open_requests);
	buf_adds(out, "after a 429: last in the order for as long as the "
	    "answer says, else for ");
	put_time(out, p->cooldown_ms);
	buf_adds(out, "; at most ");
	put_time(out, p->max_cooldown_ms);
	buf_addc(out, '\n');
}

void
conf_describe(const struct config *c, struct buf *out)
{
	int six = conf_address(c->host) == 6;
	size_t i;

	buf_addstr(out, c->file);
	buf_adds(out, " is good\nlistens on ");
	buf_adds(out, six ? "[" : "");
	buf_addstr(out, c->host);
	buf_fmt(out, "%s:%u, %s\n", six ? "]" : "", (unsigned)c->port,
	    conf_loopback(c->host) ? "for this machine only" :
	    "OPEN to everyone who can reach it: no key is asked of clients");
	for (i = 0; i < c->nallow_origins; i++) {
		buf_adds(out, i == 0 ? "web pages that may use it: " : ", ");
		buf_addstr(out, c->allow_origins[i]);
	}
	if (c->nallow_origins > 0)
		buf_addc(out, '\n');
	put_backends(out, c);
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
	buf_adds(out, "\nat TERM, running requests have ");
	if (c->drain_ms == 0)
		buf_adds(out, "no time");
	else
		put_time(out, c->drain_ms);
	buf_adds(out, " to end\n");
}
