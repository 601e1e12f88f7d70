#include "relay/door.h"

#include <string.h>

#include "net/dns.h"

static int
origin_allowed(const struct config *cfg, struct str origin)
{
	size_t i;

	for (i = 0; i < cfg->nallow_origins; i++)
		if (str_caseeq(cfg->allow_origins[i], origin))
			return 1;
	return 0;
}

static int
origin_loopback(struct str origin)
{
	struct http_url u;
	struct dns_addr a;
	const char *why;

	if (http_url(&u, origin, &why) == -1)
		return 0;
	return str_caseis(u.host, "localhost") ||
	    (dns_literal(&a, u.host) == 0 && dns_loopback(&a));
}

/* 1 if the page that asks is one of ours, by the name it was asked under. */
static int
origin_own(const struct http_head *h, struct str origin)
{
	struct str host = http_get(h, HTTP_HOST);
	struct http_url u;
	const char *why;

	return http_url(&u, origin, &why) == 0 && u.path.n == 0 &&
	    str_caseeq(u.host_port, host);
}

/* A web page elsewhere must not spend the owner's keys (spec 4.0). */
static int
foreign(const struct config *cfg, const struct http_head *h)
{
	struct str origin = http_get(h, HTTP_ORIGIN);

	if (origin.p != NULL && origin_allowed(cfg, origin))
		return 0;
	/* The log-in's own form, which spends nothing. */
	if (origin.p != NULL && door_enters(cfg, h) && origin_own(h, origin))
		return 0;
	if (origin.p != NULL && !origin_loopback(origin))
		return 1;
	return str_caseis(http_get(h, HTTP_SEC_FETCH_SITE), "cross-site");
}

int
door_judge(const struct config *cfg, const struct http_head *h,
    const char **why)
{
	if (h->upgrade || str_is(h->method, "TRACE")) {
		*why = "upgrades, CONNECT and TRACE are not supported";
		return 501;
	}
	if (foreign(cfg, h)) {
		*why = "a web page of another site may not use this proxy; "
		    "allow_origins lists the origins that may";
		return 403;
	}
	if (h->framing == HTTP_LENGTH && h->length > cfg->limits.body) {
		*why = "the request body is larger than "
		    "limits.max_body_megabytes";
		return 413;
	}
	if (h->framing == HTTP_LENGTH && h->length > DOOR_FORM_MAX &&
	    door_enters(cfg, h)) {
		*why = "a log-in is not that long";
		return 413;
	}
	return 0;
}

int
door_enters(const struct config *cfg, const struct http_head *h)
{
	struct str type = http_get(h, HTTP_CONTENT_TYPE);

	return cfg->form == FORM_VARIABLES && str_is(h->method, "POST") &&
	    str_is(h->path, "/") &&
	    str_casestarts(type, "application/x-www-form-urlencoded");
}

int
door_local(const struct http_head *h, struct door_answer *a)
{
	int head = str_is(h->method, "HEAD");

	if (!head && !str_is(h->method, "GET"))
		return 0;
	a->type = "text/plain; charset=utf-8";
	if (str_is(h->path, "/health")) {
		a->type = "application/json";
		a->body = "{\"status\":\"ok\"}\n";
	} else if (str_is(h->path, "/"))
		a->body = "Spillway is running. Send LLM API requests to "
		    "this address.\n";
	else if (head && str_is(h->path, "/api/hello"))
		a->body = "";
	else
		return 0;
	return 1;
}

void
door_id(uint64_t *random, const struct http_head *h,
    char id[DOOR_ID_MAX + 1])
{
	struct str own = http_get(h, HTTP_X_REQUEST_ID);
	uint64_t r;
	size_t i;

	for (i = 0; i < own.n && own.n <= DOOR_ID_MAX; i++)
		if (own.p[i] <= ' ' || own.p[i] >= 0x7f)
			break;
	if (own.n > 0 && own.n <= DOOR_ID_MAX && i == own.n) {
		memcpy(id, own.p, own.n);
		id[own.n] = '\0';
		return;
	}
	r = util_random(random);
	memcpy(id, "req_", 4);
	util_hex(id + 4, &r, sizeof r);
}
