#include "conf/check.h"

#include <stdarg.h>
#include <string.h>

#include "conf/access.h"
#include "conf/pool.h"

#define NAME_MAX_BYTES	100

size_t
conf_seen_at(const struct conf_read *r, const char *path, size_t other)
{
	const struct config_key *k = conf_keys(NULL);
	size_t i = 0, n;

	for (conf_keys(&n); i < n; i++)
		if (strcmp(k[i].path, path) == 0 && r->seen[i] != 0)
			return r->seen[i] - 1;
	return other;
}

int
conf_seen(const struct conf_read *r, const char *path)
{
	return conf_seen_at(r, path, CONF_NOWHERE) != CONF_NOWHERE;
}

int
conf_told(const struct conf_read *r, const char *path)
{
	size_t at = conf_seen_at(r, path, CONF_NOWHERE);
	unsigned i;

	for (i = 0; i < r->faults->n && at != CONF_NOWHERE; i++)
		if (r->faults->list[i].at == at)
			return 1;
	return 0;
}

/* A fault or note about a key, at its place if it was written. */
static void
about(const struct conf_read *r, struct conf_faults *list, const char *path,
    size_t at, const char *fmt, va_list ap)
{
	struct config_key k;
	char text[CONF_PATH_MAX];

	memset(&k, 0, sizeof k);
	k.path = path;
	conf_vfault(list, conf_seen_at(r, path, at), conf_path(text, r, &k),
	    fmt, ap);
}

void
conf_blame(const struct conf_read *r, const char *path, size_t at,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	about(r, r->faults, path, at, fmt, ap);
	va_end(ap);
}

void
conf_remark(const struct conf_read *r, const char *path, size_t at,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	about(r, r->notes, path, at, fmt, ap);
	va_end(ap);
}

int
conf_ascii(struct str s, int low)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= low || s.p[i] >= 0x7f)
			return 0;
	return 1;
}

/* Four decimals of 0 to 255 without leading zeros. */
static int
is_ipv4(struct str s)
{
	uint64_t n;
	size_t i;
	int parts = 0;

	for (;; parts++) {
		for (i = 0; i < s.n && s.p[i] != '.'; i++)
			;
		if ((i > 1 && s.p[0] == '0') ||
		    util_u64(str_n(s.p, i), 255, &n) == -1)
			return 0;
		if (i == s.n)
			return parts == 3;
		s = str_n(s.p + i + 1, s.n - i - 1);
	}
}

/*
 * RFC 4291 2.2: eight groups, one run of them may be "::", the last two may
 * be written as IPv4.
 */
static int
is_ipv6(struct str s)
{
	uint64_t n;
	size_t i;
	int groups = 0, gap = 0;

	if (str_starts(s, "::")) {
		gap = 1;
		s = str_n(s.p + 2, s.n - 2);
	}
	while (s.n > 0) {
		for (i = 0; i < s.n && s.p[i] != ':'; i++)
			;
		if (i == s.n && is_ipv4(s)) {
			groups += 2;
			break;
		}
		if (i > 4 || util_hex64(str_n(s.p, i), 0xffff, &n) == -1)
			return 0;
		groups++;
		if (i == s.n)
			break;
		s = str_n(s.p + i + 1, s.n - i - 1);
		if (s.n == 0)
			return 0;
		if (s.p[0] == ':') {
			if (gap++)
				return 0;
			s = str_n(s.p + 1, s.n - 1);
		}
	}
	return gap ? groups < 8 : groups == 8;
}

int
conf_address(struct str s)
{
	return is_ipv4(s) ? 4 : is_ipv6(s) ? 6 : 0;
}

int
conf_loopback(struct str host)
{
	return str_caseis(host, "localhost") || str_is(host, "::1") ||
	    (host.n > 10 && str_caseis(str_n(host.p + host.n - 10, 10),
	    ".localhost")) ||
	    (is_ipv4(host) && str_starts(host, "127."));
}

int
conf_wildcard(struct str host)
{
	size_t i;

	for (i = 0; i < host.n; i++)
		if (strchr("0.:", host.p[i]) == NULL)
			return 0;
	return conf_address(host) != 0;
}

struct str
conf_unbracket(struct str s)
{
	return s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']' ?
	    str_n(s.p + 1, s.n - 2) : s;
}

int
conf_host(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] != '-' && s.p[i] != '.' && s.p[i] != '_' &&
		    !(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z'))
			return conf_address(s) != 0;
	return s.n > 0;
}

int
conf_origin(struct str s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] != ':')
		i++;
	if (i == 0 || s.n - i < 4 || memcmp(s.p + i, "://", 3) != 0 ||
	    !conf_ascii(s, ' '))
		return 0;
	for (i += 3; i < s.n; i++)
		if (strchr("/?#@*,", s.p[i]) != NULL)
			return 0;
	return 1;
}

/* RFC 9110 5.6.2. */
static int
is_token(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f ||
		    strchr("\"(),/:;<=>?@[\\]{}", s.p[i]) != NULL)
			return 0;
	return s.n > 0;
}

const char *
conf_field(const struct config_backend *b, struct str name)
{
	static const char *const ours[] = {
		"host", "content-length", "transfer-encoding", "connection",
		"keep-alive", "te", "trailer", "upgrade", "expect",
		"proxy-connection", "proxy-authorization",
		"proxy-authenticate", "accept-encoding"
	};
	size_t i;

	if (!is_token(name))
		return "is no name of a header field; letters, digits and - "
		    "would be right";
	for (i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (str_caseis(name, ours[i]))
			return "is set by Spillway itself; leave it out";
	for (i = 0; i < b->nheaders; i++)
		if (str_caseeq(name, b->headers[i].name))
			return "is set twice; one of them must go";
	return NULL;
}

/* The name of an item of a list whose items have names. */
static struct str
name_of(const struct config *c, enum conf_kind kind, size_t i)
{
	return kind == CONF_BACKENDS ? c->backends[i].name :
	    c->access_keys[i].name;
}

void
conf_check_name(struct conf_read *r, enum conf_kind kind, size_t at)
{
	const char *path = kind == CONF_BACKENDS ? "backends[].name" :
	    "access_keys[].name";
	size_t i, self = (kind == CONF_BACKENDS ? r->c->nbackends :
	    r->c->naccess_keys) - 1;
	struct str name = name_of(r->c, kind, self);
	unsigned line, column;

	if (name.p == NULL) {
		if (!conf_told(r, path))
			conf_blame(r, path, at, "is missing; each needs a "
			    "name of its own");
		return;
	}
	r->places[kind][self] = conf_seen_at(r, path, at);
	if (name.n > NAME_MAX_BYTES)
		conf_blame(r, path, at, "is longer than %d bytes",
		    NAME_MAX_BYTES);
	if (str_trim(name).n != name.n)
		conf_blame(r, path, at,
		    "has a blank at an end; leave it out");
	for (i = 0; i < self; i++)
		if (str_eq(name_of(r->c, kind, i), name))
			break;
	if (i == self)
		return;
	json_line(r->faults->source, r->places[kind][i], &line, &column);
	conf_blame(r, path, at, "is the name of the one in line %u too; each "
	    "needs its own", line);
}

/* What `auto` means at that host (spec: Auth). */
static enum config_auth
resolve_auth(const struct config_backend *b)
{
	struct str host = b->url.host;

	if (b->api == DIALECT_OPENAI || b->api == DIALECT_ANY)
		return AUTH_BEARER;
	if (b->api == DIALECT_GEMINI)
		return AUTH_X_GOOG_API_KEY;
	if (!str_caseis(host, "anthropic.com") && (host.n <= 14 ||
	    !str_caseis(str_n(host.p + host.n - 14, 14), ".anthropic.com")))
		return AUTH_BOTH;
	return str_starts(b->token, "sk-ant-oat") ? AUTH_BEARER :
	    AUTH_X_API_KEY;
}

static void
check_token(struct conf_read *r, struct config_backend *b, size_t at)
{
	int local = b->url.host.n > 0 && conf_loopback(b->url.host);

	if (b->token.p == NULL) {
		if (b->auth != AUTH_PASSTHROUGH && !local &&
		    b->url.host.n > 0 && !conf_told(r, "backends[].token"))
			conf_blame(r, "backends[].token", at, "is missing; "
			    "\"${NAME_OF_A_VARIABLE}\" would be right, or "
			    "\"auth\": \"passthrough\"");
		return;
	}
	if (!conf_ascii(b->token, ' '))
		conf_blame(r, "backends[].token", at, "has a blank or a "
		    "character that is not ASCII in it; the bare key would be "
		    "right");
	if (b->auth == AUTH_PASSTHROUGH)
		conf_remark(r, "backends[].token", at, "is not used: "
		    "passthrough sends the client's own");
	else if (!b->url.tls && b->url.host.n > 0 && !local)
		conf_remark(r, "backends[].base_url", at, "is http: the token "
		    "and all requests travel unencrypted");
}

static void
check_url(struct conf_read *r, struct config_backend *b, size_t at)
{
	const char *why = NULL;
	struct str s;
	size_t i;

	if (b->base_url.p == NULL) {
		if (!conf_told(r, "backends[].base_url"))
			conf_blame(r, "backends[].base_url", at, "is missing; "
			    "\"https://api.anthropic.com\" is one");
	} else if (http_url(&b->url, b->base_url, &why) == -1) {
		memset(&b->url, 0, sizeof b->url);
		conf_blame(r, "backends[].base_url", at, "%s; "
		    "\"https://HOST/PATH\" would be right", why);
	}
	if (b->address.p != NULL && !conf_address(b->address))
		conf_blame(r, "backends[].address", at, "is no IP address; "
		    "192.0.2.7 and 2001:db8::7 are such");
	s = b->path_prefix;
	if (s.p == NULL || s.n == 0)
		return;
	for (i = 0; i < s.n && s.p[i] != '?' && s.p[i] != '#'; i++)
		;
	if (s.p[0] != '/' || i < s.n || !conf_ascii(s, ' '))
		conf_blame(r, "backends[].path_prefix", at, "is no path; one "
		    "that begins with / and has no blank, ? or # would be "
		    "right");
	while (s.n > 0 && s.p[s.n - 1] == '/')
		s.n--;
	b->path_prefix = s;
}

void
conf_check_backend(struct conf_read *r, struct config_backend *b, size_t at)
{
	conf_check_name(r, CONF_BACKENDS, at);
	check_url(r, b, at);
	check_token(r, b, at);
	if (b->auth == AUTH_AUTO) {
		b->auth = resolve_auth(b);
		b->auth_auto = 1;
	}
	if (conf_seen(r, "backends[].platform") &&
	    conf_seen(r, "backends[].api_type"))
		conf_blame(r, "backends[].platform", at,
		    "means the same as api_type; one of them must go");
	if (b->model.p != NULL && b->nmodels > 0)
		conf_blame(r, "backends[].models", at, "stands beside model, "
		    "which decides alone; one of them must go");
	if ((b->api == DIALECT_OPENAI || b->api == DIALECT_GEMINI) &&
	    b->model.p == NULL && b->nmodels == 0)
		conf_remark(r, "backends[].api_type", at, "without model or "
		    "models this backend never serves claude-*");
}

/* What decides a port, and where it goes. */
struct port {
	const char *key;		/* its path in a file */
	const char *flag, *variable;	/* variable NULL: it has none */
	int flagged;			/* what the flag says; above 0 */
	uint16_t *port;
	unsigned char *given;
};

static const char *
port_variable(const struct conf_read *r, const struct port *p)
{
	const char *value = p->variable == NULL || r->env->getenv == NULL ?
	    NULL : r->env->getenv(r->env->arg, p->variable);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Flag > variable > file > default. */
static void
port_resolve(struct conf_read *r, const struct port *p)
{
	const char *var = port_variable(r, p);
	size_t at = conf_seen_at(r, p->key, CONF_NOWHERE);
	char shown[CONF_SHOWN_MAX];
	uint64_t n = 0;

	/* A written 0 is cc-proxy's default: nobody asked for that port. */
	*p->given = at != CONF_NOWHERE && r->faults->source.p[at] != '0';
	if (p->flagged > 0) {
		*p->port = (uint16_t)p->flagged;
		*p->given = 1;
	} else if (var != NULL) {
		if (util_u64(str_of(var), 65535, &n) == -1 || n == 0)
			conf_fault(r->faults, CONF_NOWHERE, p->variable,
			    "%s is no port; 1..65535 would be right",
			    conf_shown(shown, str_of(var)));
		*p->port = (uint16_t)n;
		*p->given = 1;
	}
}

/* 1 if listeners at these hosts with one port are in each other's way. */
static int
hosts_meet(struct str a, struct str b)
{
	return str_eq(a, b) || conf_wildcard(a) || conf_wildcard(b);
}

/*
 * A page that would listen where another part of Spillway does already.
 * Fatal if somebody chose its port, as any busy port is; else it is off.
 */
static void
port_clash(struct conf_read *r, const struct port *p, struct str host,
    const struct port *other, struct str other_host)
{
	const char *path = p->flagged > 0 ? p->flag :
	    port_variable(r, p) != NULL ? p->variable : p->key;
	size_t at = path == p->key ? conf_seen_at(r, path, 0) : CONF_NOWHERE;

	if (*p->port == 0 || *p->port != *other->port ||
	    !hosts_meet(host, other_host))
		return;
	if (*p->given)
		conf_fault(r->faults, at, path, "%u is %s too; each needs a "
		    "port of its own", (unsigned)*p->port, other->key);
	else
		conf_fault(r->notes, CONF_NOWHERE, path, "%u is %s too: this "
		    "page is off", (unsigned)*p->port, other->key);
}

static void
check_ports(struct conf_read *r, const struct config_flags *flags)
{
	struct config *c = r->c;
	const struct port p = { "port", "--port", "PROXY_PORT", flags->port,
	    &c->port, &c->port_given };
	const struct port w = { "web_admin.port", "--admin-port", NULL,
	    flags->admin_port, &c->web_admin.port, &c->web_admin.port_given };
	const struct port m = { "metrics.port", NULL, "METRICS_PORT", 0,
	    &c->metrics.port, &c->metrics.port_given };

	port_resolve(r, &p);
	port_resolve(r, &w);
	port_resolve(r, &m);
	if (c->web_admin.enabled)
		port_clash(r, &w, c->web_admin.host, &p, c->host);
	if (c->metrics.enabled)
		port_clash(r, &m, c->metrics.host, &p, c->host);
	if (c->metrics.enabled && c->web_admin.enabled)
		port_clash(r, &m, c->metrics.host, &w, c->web_admin.host);
}

/* An address to listen on, as a key has it; 0 after a fault. */
static int
listen_address(struct conf_read *r, const char *path, struct str *host)
{
	struct str h = conf_unbracket(*host);
	char shown[CONF_SHOWN_MAX];

	if (str_caseis(h, "localhost"))
		h = conf_pool_add(r->c->pool, str_of("127.0.0.1"));
	*host = h;
	if (h.p == NULL) {
		r->nomem = 1;
		return 0;
	}
	if (conf_address(h))
		return 1;
	conf_blame(r, path, 0, "%s is no address to listen on; 127.0.0.1 "
	    "(this machine), 0.0.0.0 or :: (all) would be right",
	    conf_shown(shown, h));
	return 0;
}

static void
check_host(struct conf_read *r)
{
	struct config *c = r->c;
	char shown[CONF_SHOWN_MAX];

	if (listen_address(r, "host", &c->host) &&
	    !conf_loopback(c->host) && !c->open && c->naccess_keys == 0)
		conf_blame(r, "host", 0, "%s can be reached by others, who "
		    "could spend your keys; access_keys would ask them for "
		    "one, \"open\": true would let everyone in",
		    conf_shown(shown, c->host));
}

/* The dashboard shows all and changes all: others need its token. */
static void
check_pages(struct conf_read *r)
{
	struct config *c = r->c;
	struct str token = c->web_admin.token, h;
	char shown[CONF_SHOWN_MAX];
	const char *why;

	listen_address(r, "metrics.host", &c->metrics.host);
	if (token.p != NULL && (why = conf_key_wrong(token)) != NULL)
		conf_blame(r, "web_admin.token", 0, "%s; 8 visible ASCII "
		    "characters at least would be right", why);
	if (token.p == NULL && c->web_admin.nhosts > 0)
		conf_remark(r, "web_admin.hosts", 0, "is not used without "
		    "web_admin.token");
	if (!listen_address(r, "web_admin.host", &c->web_admin.host) ||
	    !c->web_admin.enabled)
		return;
	h = c->web_admin.host;
	if (token.p == NULL && !conf_loopback(h) &&
	    !conf_told(r, "web_admin.token"))
		conf_blame(r, "web_admin.host", 0, "%s can be reached by "
		    "others, who could see and change everything; a "
		    "web_admin.token would ask them for it, 127.0.0.1 would "
		    "keep them out", conf_shown(shown, h));
	if (token.p != NULL && conf_wildcard(h) && c->web_admin.nhosts == 0)
		conf_remark(r, "web_admin.host", 0, "is every address, of "
		    "which only those of this machine are served until "
		    "web_admin.hosts has the names or addresses that visitors "
		    "write");
}

/* What is set and changes nothing, as there are no records. */
static void
check_records(struct conf_read *r)
{
	static const char *const keys[] = {
		"logging.log_request_body", "logging.log_response_body"
	};
	const struct config *c = r->c;
	size_t i;

	for (i = 0; i < 2 && c->logging.directory.p == NULL; i++)
		if ((i == 0 ? c->logging.request_body :
		    c->logging.response_body) != 0)
			conf_remark(r, keys[i], 0, "is not used without "
			    "logging.log_directory");
}

/* Backends without a priority come after all others, in their order. */
static void
resolve_priorities(struct config *c)
{
	struct config_backend *b;
	int last = 0;
	size_t i;

	for (i = 0; i < c->nbackends; i++)
		if (c->backends[i].priority > last)
			last = c->backends[i].priority;
	c->ranks = last;
	for (i = 0; i < c->nbackends; i++) {
		b = &c->backends[i];
		if (b->priority < 0)
			b->priority = ++last;
	}
}

static void
inherit(uint64_t *ms, uint64_t from)
{
	if (*ms == UINT64_MAX)
		*ms = from;
}

static void
resolve_timeouts(struct config *c)
{
	struct config_timeouts *t;
	size_t i;

	for (i = 0; i < c->nbackends; i++) {
		t = &c->backends[i].timeouts;
		inherit(&t->connect, c->timeouts.connect);
		inherit(&t->first_byte, c->timeouts.first_byte);
		inherit(&t->response, c->timeouts.response);
		inherit(&t->idle, c->timeouts.idle);
		inherit(&t->total, c->timeouts.total);
	}
}

static void
check_backends(struct conf_read *r)
{
	struct config *c = r->c;
	size_t i = 0;

	while (i < c->nbackends && !c->backends[i].enabled)
		i++;
	if (c->nbackends == 0) {
		if (!conf_told(r, "backends"))
			conf_blame(r, "backends", 0, "there is none; "
			    "{ \"name\": ..., \"base_url\": ..., "
			    "\"token\": ... } would be one");
	} else if (i == c->nbackends) {
		conf_blame(r, "backends", 0, "all of them are disabled; "
		    "\"enabled\": true in one would be right");
	}
}

/* Of two keys that do not fit together, the one that was written. */
static const char *
either(const struct conf_read *r, const char *first, const char *second)
{
	return conf_seen(r, first) ? first : second;
}

static void
check_numbers(struct conf_read *r)
{
	const struct config *c = r->c;

	if (c->failover.cooldown_ms > c->failover.max_cooldown_ms)
		conf_blame(r, either(r,
		    "failover.rate_limit.cooldown_seconds",
		    "failover.rate_limit.max_cooldown_seconds"), 0,
		    "cooldown_seconds is above max_cooldown_seconds; at most "
		    "that would be right");
	if (c->limits.body > c->limits.memory)
		conf_blame(r, either(r, "limits.memory_megabytes",
		    "limits.max_body_megabytes"), 0,
		    "one body of max_body_megabytes would not fit into "
		    "memory_megabytes; a larger memory_megabytes would be "
		    "right");
}

static void
check_texts(struct conf_read *r)
{
	const struct config *c = r->c;
	struct str path = c->health_check.path;
	char shown[CONF_SHOWN_MAX];

	if (!is_token(c->user_limits.header))
		conf_blame(r, "user_limits.header", 0, "%s is no name of a "
		    "header field; letters, digits and - would be right",
		    conf_shown(shown, c->user_limits.header));
	if (path.n == 0 || path.p[0] != '/' || !conf_ascii(path, ' ') ||
	    memchr(path.p, '#', path.n) != NULL)
		conf_blame(r, "health_check.path", 0, "is no path; one that "
		    "begins with / and has no blank or # would be right");
}

/* Flag > file > default. */
static void
resolve_rates(struct config *c, const struct config_flags *flags)
{
	size_t i;

	for (i = 0; i < c->nbackends && flags->rate_limit > 0; i++)
		c->backends[i].requests_per_minute =
		    (unsigned)flags->rate_limit;
}

void
conf_check_all(struct conf_read *r, const struct config_flags *flags)
{
	struct config *c = r->c;

	/* Emergency mode belongs to scores. */
	if ((c->failover.health & FO_HEALTH_SCORE) != 0 &&
	    !conf_seen(r, "failover.when_all_down"))
		c->failover.when_all_down = FO_ALL_DOWN_TRY;
	check_backends(r);
	check_numbers(r);
	check_texts(r);
	check_host(r);
	check_pages(r);
	check_records(r);
	check_ports(r, flags);
	conf_check_access(r);
	resolve_priorities(c);
	resolve_timeouts(c);
	resolve_rates(c, flags);
}
