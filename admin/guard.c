#include "admin/guard.h"

#include "net/dns.h"

/* The host of "host[:port]", without brackets; p NULL: it is none. */
static struct str
host_of(struct str s)
{
	struct str none = { NULL, 0 };
	const char *end;
	size_t i;

	if (s.n > 1 && s.p[0] == '[') {
		if ((end = memchr(s.p, ']', s.n)) == NULL)
			return none;
		i = (size_t)(end - s.p) + 1;
		if (i < s.n && s.p[i] != ':')
			return none;
		return str_n(s.p + 1, i - 2);
	}
	for (i = 0; i < s.n && s.p[i] != ':'; i++)
		;
	return i == 0 ? none : str_n(s.p, i);
}

static int
is_loopback(struct str host)
{
	struct dns_addr a;

	return str_caseis(host, "localhost") ||
	    (dns_literal(&a, host) == 0 && dns_loopback(&a));
}

static int
host_allowed(const struct config *c, struct str value)
{
	struct str host = host_of(value);
	size_t i;

	if (host.n == 0)
		return 0;
	if (is_loopback(host))
		return 1;
	/* Without a token the name is all that keeps strangers out. */
	if (c->web_admin.token.n == 0)
		return 0;
	if (str_caseeq(host, c->web_admin.host))
		return 1;
	for (i = 0; i < c->web_admin.nhosts; i++)
		if (str_caseeq(host, c->web_admin.hosts[i]) ||
		    str_caseeq(value, c->web_admin.hosts[i]))
			return 1;
	return 0;
}

/* The authority of an origin; p NULL: it has none ("null"). */
static struct str
origin_host(struct str s)
{
	if (str_casestarts(s, "http://"))
		return str_n(s.p + 7, s.n - 7);
	if (str_casestarts(s, "https://"))	/* TLS is another's work */
		return str_n(s.p + 8, s.n - 8);
	return str_n(NULL, 0);
}

const char *
guard_judge(const struct config *c, const struct http_head *h, int api)
{
	struct str host = http_get(h, HTTP_HOST);
	struct str origin = http_get(h, HTTP_ORIGIN), from;

	if (!host_allowed(c, host))
		return "this Host is not served: it must be a loopback name "
		    "or address, or with web_admin.token one of "
		    "web_admin.hosts";
	if (origin.p != NULL) {
		from = origin_host(origin);
		if (from.n == 0 || !str_caseeq(from, host))
			return "web pages of other origins may not ask this";
	}
	if (api && str_caseis(http_get(h, HTTP_SEC_FETCH_SITE), "cross-site"))
		return "web pages of other sites may not ask this";
	return NULL;
}
