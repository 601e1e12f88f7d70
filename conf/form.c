#include "conf/form.h"

#include <string.h>

#include "conf/access.h"
#include "conf/check.h"
#include "conf/pool.h"
#include "conf/read.h"

#define ARRAY_PORT	8080
#define ARRAY_RATE	5	/* requests in a minute */
#define VARIABLES_PORT	8000
#define BUDGET		100	/* percent: those programs have none */
#define ATTEMPTS	3
#define ATTEMPTS_MAX	1000

void
conf_form_array(struct config *c)
{
	c->form = FORM_ARRAY;
	c->port = ARRAY_PORT;
	c->strategy = FO_ROUND_ROBIN;
	c->failover.health = FO_HEALTH_SCORE;
	c->retry.budget_percent = BUDGET;
}

void
conf_form_item(struct config_backend *b)
{
	b->api = DIALECT_ANY;
	b->requests_per_minute = ARRAY_RATE;
}

/* A variable in the config's pool; p NULL: not set, or empty. */
static struct str
variable(struct conf_read *r, const char *name)
{
	const char *value = r->env->getenv == NULL ? NULL :
	    r->env->getenv(r->env->arg, name);
	struct str s;

	if (value == NULL || value[0] == '\0')
		return str_n(NULL, 0);
	s = conf_pool_add(r->c->pool, str_of(value));
	if (s.p == NULL)
		r->nomem = 1;
	return s;
}

static void
upstream(struct conf_read *r, struct config_backend *b)
{
	const char *why = NULL;

	b->name = str_of("upstream");
	b->api = DIALECT_ANY;
	b->auth = AUTH_BY_PATH;
	b->base_url = variable(r, "PROXY_URL");
	b->token = variable(r, "API_KEY");
	if (b->base_url.p == NULL) {
		conf_fault(r->faults, CONF_NOWHERE, "PROXY_URL", "is not set; "
		    "https://api.example.com would be one");
	} else if (http_url(&b->url, b->base_url, &why) == -1) {
		memset(&b->url, 0, sizeof b->url);
		conf_fault(r->faults, CONF_NOWHERE, "PROXY_URL", "%s; "
		    "https://HOST/PATH would be right", why);
	}
	if (b->token.p == NULL) {
		if (b->url.host.n > 0 && !conf_loopback(b->url.host))
			conf_fault(r->faults, CONF_NOWHERE, "API_KEY", "is "
			    "not set; the key of PROXY_URL's provider would "
			    "be right");
		return;
	}
	if (!conf_ascii(b->token, ' '))
		conf_fault(r->faults, CONF_NOWHERE, "API_KEY", "has a blank "
		    "or a character that is not ASCII in it; the bare key "
		    "would be right");
	if (b->url.host.n > 0 && !b->url.tls && !conf_loopback(b->url.host))
		conf_fault(r->notes, CONF_NOWHERE, "PROXY_URL", "is http: the "
		    "key and all requests travel unencrypted");
}

/* The one key is kept as the digest alone, as in a file. */
static void
client(struct conf_read *r, struct config_access_key *g)
{
	const char *value = r->env->getenv == NULL ? NULL :
	    r->env->getenv(r->env->arg, "MY_ACCESS_KEY");
	const char *why;

	g->name = str_of("client");
	if (value == NULL || value[0] == '\0') {
		conf_fault(r->faults, CONF_NOWHERE, "MY_ACCESS_KEY", "is not "
		    "set; the key that clients must show would be right");
		return;
	}
	sha256_of(g->hash, str_of(value));
	if ((why = conf_key_wrong(str_of(value))) != NULL)
		conf_fault(r->faults, CONF_NOWHERE, "MY_ACCESS_KEY", "%s; "
		    "another one would be right", why);
}

static void
attempts(struct conf_read *r)
{
	struct config_retry *retry = &r->c->retry;
	struct str s = variable(r, "MAX_RETRIES");
	uint64_t n = ATTEMPTS;

	if (s.p != NULL && (util_u64(s, ATTEMPTS_MAX, &n) == -1 || n == 0))
		conf_fault(r->faults, CONF_NOWHERE, "MAX_RETRIES", "is no "
		    "number of attempts; 1..%d would be right", ATTEMPTS_MAX);
	retry->attempts = retry->tries_per_backend = (unsigned)n;
	retry->no_pause = 1;
}

void
conf_form_variables(struct conf_read *r)
{
	struct config *c = r->c;
	struct fo_policy *p = &c->failover;
	struct config_backend *b = conf_backend(r);

	c->form = FORM_VARIABLES;
	c->port = VARIABLES_PORT;
	c->host = str_of("0.0.0.0");
	/* One upstream is never down: all is tried, up to the attempts. */
	c->failover.health = FO_HEALTH_NONE;
	c->retry.budget_percent = BUDGET;
	memset(p->on, 0, sizeof p->on);
	p->stop_text[0] = str_of("sensitive");
	p->nstop_text = 1;
	c->access_keys = conf_grow(r, NULL, 0, sizeof *c->access_keys);
	if (b == NULL || c->access_keys == NULL)
		return;
	c->naccess_keys = 1;
	memset(c->access_keys, 0, sizeof *c->access_keys);
	upstream(r, b);
	client(r, c->access_keys);
	attempts(r);
}
