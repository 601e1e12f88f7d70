#include "wire/failover_read.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define N(a) (sizeof(a) / sizeof *(a))
#define WALL INT64_C(1795219200000)	/* Sat, 21 Nov 2026 00:00:00 UTC */

#define RA "retry-after: "
#define RAMS "retry-after-ms: "
#define UNI "anthropic-ratelimit-unified-reset: "
#define UN "anthropic-ratelimit-unified-"
#define ATOK "anthropic-ratelimit-tokens-"
#define AREQ "anthropic-ratelimit-requests-"
#define XRES "x-ratelimit-reset-"
#define XREM "x-ratelimit-remaining-"
#define RD(v) "{\"error\":{\"details\":[{\"@type\":\"x\"," \
	"\"retryDelay\":" v "}]}}"
#define MS FO_FROM_RETRY_AFTER_MS
#define AFTER FO_FROM_RETRY_AFTER
#define RESET FO_FROM_RESET_HEADER
#define INFO FO_FROM_RETRY_INFO
#define DEF FO_FROM_DEFAULT
#define NONE FO_FROM_NONE
#define MAX 86400000

/* The default is 60000, the most is a day. */
static const struct {
	int status;
	const char *fields, *body;
	uint64_t ms;
	enum fo_source source;
} hints[] = {
	{ 429, "", "", 60000, DEF },
	{ 529, "", "x", 60000, DEF },
	/* retry-after in seconds */
	{ 429, RA "1\r\n", "", 1000, AFTER },
	{ 429, RA "120\r\n", "", 120000, AFTER },
	{ 429, "Retry-After:  7 \r\n", "", 7000, AFTER },
	{ 429, RA "1.5\r\n", "", 1500, AFTER },
	{ 429, RA "0.0001\r\n", "", 1, AFTER },
	{ 429, RA "2.0009\r\n", "", 2001, AFTER },
	{ 429, RA "0.999\r\n", "", 999, AFTER },
	{ 429, RA "007\r\n", "", 7000, AFTER },
	{ 429, RA "86400\r\n", "", MAX, AFTER },
	{ 429, RA "86401\r\n", "", MAX, AFTER },
	{ 429, RA "1795219200\r\n", "", MAX, AFTER },
	{ 429, RA "99999999999999999999999999999999\r\n", "", MAX, AFTER },
	{ 429, RA "18446744073709551616\r\n", "", MAX, AFTER },
	{ 429, RA "18446744073709551.616\r\n", "", MAX, AFTER },
	/* absent in effect */
	{ 429, RA "0\r\n", "", 60000, DEF },
	{ 429, RA "0.000\r\n", "", 60000, DEF },
	{ 429, RA "-1\r\n", "", 60000, DEF },
	{ 429, RA "+1\r\n", "", 60000, DEF },
	{ 429, RA "\r\n", "", 60000, DEF },
	{ 429, RA "soon\r\n", "", 60000, DEF },
	{ 429, RA "5 s\r\n", "", 60000, DEF },
	{ 429, RA "5s\r\n", "", 60000, DEF },
	{ 429, RA "1m\r\n", "", 60000, DEF },
	{ 429, RA "5.\r\n", "", 60000, DEF },
	{ 429, RA ".5\r\n", "", 60000, DEF },
	{ 429, RA ".\r\n", "", 60000, DEF },
	{ 429, RA "1.5.2\r\n", "", 60000, DEF },
	{ 429, RA "1,5\r\n", "", 60000, DEF },
	{ 429, RA "1e3\r\n", "", 60000, DEF },
	{ 429, RA "0x10\r\n", "", 60000, DEF },
	{ 429, RA "NaN\r\n", "", 60000, DEF },
	{ 429, RA "inf\r\n", "", 60000, DEF },
	/* HTTP-date, three forms */
	{ 429, RA "Sat, 21 Nov 2026 00:01:30 GMT\r\n", "", 90000, AFTER },
	{ 429, RA "Saturday, 21-Nov-26 00:01:30 GMT\r\n", "", 90000, AFTER },
	{ 429, RA "Sat Nov 21 00:01:30 2026\r\n", "", 90000, AFTER },
	{ 429, RA "Sun Dec  6 00:00:00 2026\r\n", "", MAX, AFTER },
	{ 429, RA "Fri, 31 Dec 9999 23:59:59 GMT\r\n", "", MAX, AFTER },
	{ 429, RA "Fri, 20 Nov 2026 23:59:59 GMT\r\n", "", 60000, DEF },
	{ 429, RA "Sat, 21 Nov 2026 00:00:00 GMT\r\n", "", 60000, DEF },
	{ 429, RA "Thu, 01 Jan 1970 00:00:00 GMT\r\n", "", 60000, DEF },
	{ 429, RA "Sat, 32 Nov 2026 00:01:30 GMT\r\n", "", 60000, DEF },
	{ 429, RA "Sat, 21 Nov 2026 00:01:30 CET\r\n", "", 60000, DEF },
	{ 429, RA "2026-11-21T00:01:30Z\r\n", "", 60000, DEF },
	/* retry-after-ms comes first */
	{ 429, RAMS "1500\r\n", "", 1500, MS },
	{ 429, RAMS "1500.2\r\n", "", 1501, MS },
	{ 429, RAMS "1500.0\r\n", "", 1500, MS },
	{ 429, RAMS "0.5\r\n", "", 1, MS },
	{ 429, RA "9\r\n" RAMS "20\r\n", "", 20, MS },
	{ 429, RA "9\r\n" RAMS "0\r\n", "", 9000, AFTER },
	{ 429, RA "9\r\n" RAMS "-5\r\n", "", 9000, AFTER },
	{ 429, RA "9\r\n" RAMS "x\r\n", "", 9000, AFTER },
	{ 429, RA "9\r\n" RAMS "5.\r\n", "", 9000, AFTER },
	{ 429, RAMS "99999999999999999999999\r\n", "", MAX, MS },
	/* reset headers, one alone */
	{ 429, UNI "1795219245\r\n", "", 45000, RESET },
	{ 429, UNI "1795219245.5\r\n", "", 45500, RESET },
	{ 429, UNI "1795219245500\r\n", "", 45500, RESET },
	{ 429, UNI "1795219200\r\n", "", 60000, DEF },
	{ 429, UNI "1795219199\r\n", "", 60000, DEF },
	{ 429, UNI "1000000000\r\n", "", 60000, DEF },
	{ 429, UNI "0\r\n", "", 60000, DEF },
	{ 429, UNI "never\r\n", "", 60000, DEF },
	{ 429, UNI "99999999999999999999999999\r\n", "", MAX, RESET },
	{ 429, UNI "1795219245\r\n" RA "3\r\n", "", 3000, AFTER },
	{ 429, UNI "1795219245\r\n" RA "0\r\n", "", 45000, RESET },
	{ 429, ATOK "reset: 2026-11-21T00:00:12Z\r\n", "", 12000, RESET },
	{ 429, ATOK "reset: 2026-11-21T00:00:12.25Z\r\n", "", 12250, RESET },
	{ 429, ATOK "reset: 2026-11-21T02:00:12+02:00\r\n", "", 12000, RESET },
	{ 429, ATOK "reset: 2026-11-20T23:59:59Z\r\n", "", 60000, DEF },
	{ 429, ATOK "reset: 2026-11-21\r\n", "", 60000, DEF },
	{ 429, "Anthropic-RateLimit-Input-Tokens-Reset: 2026-11-21T00:00:12Z"
	    "\r\n", "", 12000, RESET },
	{ 429, "anthropic-ratelimit-reset: 9\r\n", "", 60000, DEF },
	{ 429, "anthropic-ratelimit-x-resets: 9\r\n", "", 60000, DEF },
	{ 429, "my-anthropic-ratelimit-x-reset: 9\r\n", "", 60000, DEF },
	{ 429, XRES "requests: 1m2.5s\r\n", "", 62500, RESET },
	{ 429, XRES "requests: 6m0s\r\n", "", 360000, RESET },
	{ 429, XRES "requests: 20ms\r\n", "", 20, RESET },
	{ 429, XRES "requests: 1h1s\r\n", "", 3601000, RESET },
	{ 429, XRES "requests: 12\r\n", "", 12000, RESET },
	{ 429, XRES "tokens: 0.2\r\n", "", 200, RESET },
	{ 429, XRES "tokens: 0s\r\n", "", 60000, DEF },
	{ 429, XRES "tokens: -5s\r\n", "", 60000, DEF },
	{ 429, XRES "tokens: 5x\r\n", "", 60000, DEF },
	{ 429, XRES "tokens: 999d\r\n", "", MAX, RESET },
	{ 429, XRES "tokens: 99999999999999999999s\r\n", "", MAX, RESET },
	{ 429, "X-RateLimit-Reset: 1795219245500\r\n", "", 45500, RESET },
	{ 429, "x-ratelimit-resets: 5\r\n", "", 60000, DEF },
	{ 429, "x-ratelimit-rese: 5\r\n", "", 60000, DEF },
	/* several: the latest of the exhausted, else the soonest */
	{ 429, XRES "requests: 5s\r\n" XRES "tokens: 9s\r\n", "", 5000,
	    RESET },
	{ 429, XRES "requests: 9s\r\n" XRES "tokens: 5s\r\n", "", 5000,
	    RESET },
	{ 429, XRES "requests: 5s\r\n" XREM "requests: 10\r\n"
	    XRES "tokens: 9s\r\n" XREM "tokens: 0\r\n", "", 9000, RESET },
	{ 429, XREM "requests: 0\r\n" XREM "tokens: 0\r\n"
	    XRES "requests: 9s\r\n" XRES "tokens: 5s\r\n", "", 9000, RESET },
	{ 429, XRES "requests: 9s\r\n" XREM "requests: 3\r\n"
	    XRES "tokens: 5s\r\n" XREM "tokens: 0\r\n", "", 5000, RESET },
	{ 429, XRES "requests: 9s\r\n" XREM "requests: 0\r\n"
	    XRES "tokens: 5s\r\n" XREM "tokens: none\r\n", "", 9000, RESET },
	{ 429, XRES "requests: 0\r\n" XREM "requests: 0\r\n"
	    XRES "tokens: 5s\r\n" XREM "tokens: 4\r\n", "", 5000, RESET },
	{ 429, "x-ratelimit-reset: 9\r\nx-ratelimit-remaining: 0\r\n"
	    XRES "tokens: 5s\r\n", "", 9000, RESET },
	{ 429, ATOK "reset: 2026-11-21T00:00:12Z\r\n" ATOK "remaining: 0\r\n"
	    AREQ "reset: 2026-11-21T00:00:03Z\r\n" AREQ "remaining: 7\r\n"
	    UNI "1795219201\r\n", "", 12000, RESET },
	{ 429, ATOK "reset: 2026-11-21T00:00:12Z\r\n" ATOK "remaining: 1\r\n"
	    AREQ "reset: 2026-11-21T00:00:03Z\r\n", "", 3000, RESET },
	{ 429, "Anthropic-Ratelimit-Tokens-Reset: 2026-11-21T00:00:12Z\r\n"
	    AREQ "reset: 2026-11-21T00:00:03Z\r\n"
	    "ANTHROPIC-RATELIMIT-TOKENS-REMAINING: 0\r\n", "", 12000, RESET },
	/* RetryInfo */
	{ 429, "", RD("\"12s\""), 12000, INFO },
	{ 429, "", RD(" \"33.1257s\""), 33126, INFO },
	{ 429, "", RD("\r\n\t \"0.5s\""), 500, INFO },
	{ 503, "", RD("\"12s\""), 12000, INFO },
	{ 429, "", RD("\"1m2s\""), 62000, INFO },
	{ 429, "", RD("\"0s\""), 60000, DEF },
	{ 429, "", RD("\"-3s\""), 60000, DEF },
	{ 429, "", RD("\"s\""), 60000, DEF },
	{ 429, "", RD("\"\""), 60000, DEF },
	{ 429, "", RD("12"), 60000, DEF },
	{ 429, "", RD("null"), 60000, DEF },
	{ 429, "", RD("\"99999999999999999999999s\""), MAX, INFO },
	{ 429, "", "\"retryDelay\": \"0s\", \"retryDelay\": \"4s\"", 4000,
	    INFO },
	{ 429, "", "\"retryDelay\"\"retryDelay\":\"4s\"", 4000, INFO },
	{ 429, "", "\"retryDelay\": \"12", 60000, DEF },
	{ 429, "", "\"retryDelay\": \"", 60000, DEF },
	{ 429, "", "\"retryDelay\": ", 60000, DEF },
	{ 429, "", "\"retryDelay\":", 60000, DEF },
	{ 429, "", "\"retryDelay\"", 60000, DEF },
	{ 429, "", "\"retryDelay", 60000, DEF },
	{ 429, "", "retryDelay: 12s", 60000, DEF },
	{ 429, "", "{\"message\":\"{\\\"retryDelay\\\": \\\"34s\\\"}\"}", 34000,
	    INFO },
	{ 429, "", "\\\\\\\"retryDelay\\\\\\\":\\\\\\\"1.5s\\\\\\\"", 1500,
	    INFO },
	{ 429, "", "\\\"retryDelay\\\": \\\"34s", 60000, DEF },
	{ 429, "", "\\\"retryDelay\\\": \\", 60000, DEF },
	{ 429, "", "\"retryDelays\": \"34s\"", 60000, DEF },
	{ 429, RA "3\r\n", RD("\"12s\""), 3000, AFTER },
	{ 429, XRES "tokens: 5s\r\n", RD("\"12s\""), 5000, RESET },
	/* a good answer names only what it exhausted */
	{ 200, "", "", 0, NONE },
	{ 200, RA "5\r\n" RAMS "5\r\n", "", 0, NONE },
	{ 200, XRES "tokens: 5s\r\n" XREM "tokens: 9\r\n", "", 0, NONE },
	{ 200, XRES "tokens: 5s\r\n" XREM "tokens: 0\r\n"
	    XRES "requests: 7s\r\n" XREM "requests: 2\r\n", "", 5000, RESET },
	{ 200, XREM "tokens: 0\r\n", "", 0, NONE },
	{ 200, XRES "requests: 6m0s\r\n" XREM "requests: 0\r\n", "", 360000,
	    RESET },
	/* subscriptions: the windows that are rejected, the latest of them */
	{ 429, UN "status: rejected\r\n" UNI "1795219245\r\n", "", 45000,
	    RESET },
	{ 429, UN "status: rejected\r\n" UNI "1795219245\r\n"
	    UN "5h-status: rejected\r\n" UN "5h-reset: 1795219245\r\n"
	    UN "7d-status: allowed\r\n" UN "7d-reset: 1795219900\r\n", "",
	    45000, RESET },
	{ 429, UN "status: rejected\r\n" UNI "1795219245\r\n"
	    UN "5h-status: rejected\r\n" UN "5h-reset: 1795219245\r\n"
	    UN "7d-status: Rejected\r\n" UN "7d-reset: 1795219900\r\n", "",
	    700000, RESET },
	{ 429, UN "5h-reset: 1795219900\r\n" UN "5h-status: rejected\r\n"
	    UN "7d-reset: 1795219245\r\n" UN "7d-status: allowed_warning"
	    "\r\n", "", 700000, RESET },
	{ 429, UN "status: rejected\r\n" UN "7d_opus-status: rejected\r\n"
	    UN "7d_opus-reset: 1795219900\r\n" UNI "1795219245\r\n", "",
	    700000, RESET },
	{ 429, UN "status: allowed\r\n" UN "5h-status: rejected\r\n"
	    UN "5h-reset: 1795219900\r\n" UNI "1795219245\r\n", "", 45000,
	    RESET },
	{ 429, UN "overage-reset: 1795219201\r\n" UNI "1795219245\r\n", "",
	    45000, RESET },
	{ 429, UN "overage-status: rejected\r\n"
	    UN "overage-reset: 1795219900\r\n", "", 60000, DEF },
	{ 200, UN "status: allowed\r\n" UNI "1795219245\r\n"
	    UN "5h-status: allowed\r\n" UN "5h-reset: 1795219245\r\n"
	    UN "overage-status: rejected\r\n"
	    UN "overage-reset: 1795219900\r\n", "", 0, NONE },
	{ 200, UN "status: allowed_warning\r\n" UNI "1795219245\r\n", "", 0,
	    NONE },
	{ 200, UN "status: rejected\r\n" UNI "1795219245\r\n", "", 45000,
	    RESET },
	{ 200, UN "status: rejected\r\n" UNI "1795219245\r\n"
	    UN "overage-status: allowed\r\n", "", 0, NONE },
	{ 200, UN "status: rejected\r\n" UNI "1795219245\r\n"
	    UN "overage-status: allowed_warning\r\n", "", 0, NONE },
	{ 200, UN "status: rejected\r\n" UNI "1795219245\r\n"
	    UN "overage-status: rejected\r\n", "", 45000, RESET },
	{ 200, UN "status: allowed\r\n" UN "5h-status: rejected\r\n"
	    UN "5h-reset: 1795219900\r\n", "", 0, NONE },
	{ 200, UN "5h-status: rejected\r\n" UN "5h-reset: 1795219900\r\n",
	    "", 700000, RESET },
	{ 200, UN "5h-remaining: 0\r\n" UN "5h-reset: 1795219900\r\n", "",
	    700000, RESET },
	{ 200, ATOK "status: rejected\r\n" ATOK
	    "reset: 2026-11-21T00:00:12Z\r\n", "", 0, NONE },
	/* an error event under status 200 is a limit as any other */
	{ 200, "", "event: error\ndata: {}", 60000, DEF },
	{ 200, RA "5\r\n", "{\"error\":{}}", 5000, AFTER },
};

/* The head is kept in an allocation of its own size. */
static uint64_t
hint(const struct fo_policy *p, int status, const char *fields,
    const char *body, enum fo_source *source)
{
	static struct http_head h;
	char *text;
	size_t n = strlen(fields) + 64;
	uint64_t ms;

	if ((text = malloc(n)) == NULL)
		exit(2);
	n = (size_t)snprintf(text, n, "HTTP/1.1 %d X\r\n%s\r\n", status,
	    fields);
	T_OK(http_response(&h, text, n, 0, 0) == HTTP_OK, "%s", fields);
	ms = failover_cooldown(p, &h, str_of(body), WALL, source);
	free(text);
	return ms;
}

static void
test_hints(void)
{
	struct fo_policy p;
	enum fo_source source;
	uint64_t ms;
	size_t i;

	memset(&p, 0, sizeof p);
	p.cooldown_ms = 60000;
	p.max_cooldown_ms = MAX;
	for (i = 0; i < N(hints); i++) {
		ms = hint(&p, hints[i].status, hints[i].fields, hints[i].body,
		    &source);
		T_OK(ms == hints[i].ms && source == hints[i].source,
		    "%s%s: %lu from %s", hints[i].fields, hints[i].body,
		    (unsigned long)ms, fo_source_text(source));
	}
	p.cooldown_ms = 2 * (uint64_t)MAX;
	T_OK(hint(&p, 429, "", "", &source) == MAX && source == DEF, "capped");
	p.cooldown_ms = 0;
	T_OK(hint(&p, 429, "", "", &source) == 0 && source == NONE, "none");
	p.max_cooldown_ms = 0;
	T_OK(hint(&p, 429, RA "5\r\n", "", &source) == 0 && source == NONE,
	    "capped to nothing");
	p.max_cooldown_ms = UINT64_MAX;
	T_OK(hint(&p, 429, RA "99999999999999999999999\r\n", "", &source) >
	    MAX && source == AFTER, "not capped");
}

static void
test_text(void)
{
	static const struct {
		const char *body;
		enum fo_fault fault;
	} rows[] = {
		{ "", FO_NONE_FAULT },
		{ "{\"error\":\"overloaded\"}", FO_NONE_FAULT },
		{ "rate limit", FO_RATE_TEXT_FAULT },
		{ "You hit the Rate Limit.", FO_RATE_TEXT_FAULT },
		{ "{\"type\":\"RATE_LIMIT_error\"}", FO_RATE_TEXT_FAULT },
		{ "rate  limit", FO_NONE_FAULT },
		{ "rate limi", FO_NONE_FAULT },
		{ "SENSITIVE words", FO_STOP_TEXT_FAULT },
		{ "rate limit, sensitive", FO_STOP_TEXT_FAULT },
	};
	static char big[8300];
	struct fo_policy p;
	size_t i;

	memset(&p, 0, sizeof p);
	T_OK(failover_text(&p, str_of("rate limit")) == FO_NONE_FAULT, "none");
	p.retry_text[0] = str_of("rate limit");
	p.retry_text[1] = str_of("rate_limit");
	p.retry_text[2] = str_of("");
	p.nretry_text = 3;
	p.stop_text[0] = str_of("Sensitive");
	p.nstop_text = 1;
	for (i = 0; i < N(rows); i++)
		T_OK(failover_text(&p, str_of(rows[i].body)) == rows[i].fault,
		    "%s", rows[i].body);
	for (i = 8192 - 10; i <= 8192; i++) {
		memset(big, '.', sizeof big);
		memcpy(big + i, "rate limit", 10);
		T_OK(failover_text(&p, str_n(big, sizeof big)) ==
		    (i + 10 <= 8192 ? FO_RATE_TEXT_FAULT : FO_NONE_FAULT),
		    "at %u", (unsigned)i);
	}
}

int
main(void)
{
	test_hints();
	test_text();
	return t_end();
}
