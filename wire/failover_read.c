#include "wire/failover_read.h"

#define TEXT_MAX 8192
#define SECOND 1000u
#define NUMBER_MAX ((uint64_t)1 << 53)	/* times SECOND fits an int64_t */
#define EPOCH_MIN ((uint64_t)1000000000 * SECOND)
#define EPOCH_MS_MIN ((uint64_t)100000000000 * SECOND)
#define UNIFIED "anthropic-ratelimit-unified-"
#define RESET_LEN (sizeof "reset" - 1)

/* ---- numbers and times ---- */

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Reads digits [ "." digits ], in units of `unit` (1 or 1000), rounded up.
 * Too large is not wrong: it is for ever.
 */
static int
decimal(struct str s, unsigned unit, uint64_t *out)
{
	uint64_t v = 0;
	unsigned scale = unit, more = 0;
	size_t i;

	for (i = 0; i < s.n && is_digit(s.p[i]); i++) {
		v = v * 10 + (unsigned)(s.p[i] - '0');
		if (v > NUMBER_MAX)
			v = NUMBER_MAX;
	}
	if (i == 0 || (i < s.n && (s.p[i] != '.' || i + 1 == s.n)))
		return -1;
	v *= unit;
	for (i++; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return -1;
		if (scale > 1) {
			scale /= 10;
			v += scale * (unsigned)(s.p[i] - '0');
		} else if (s.p[i] != '0') {
			more = 1;
		}
	}
	*out = v + more;
	return 0;
}

/* "12", "12s", "1m2.5s", "20ms" as milliseconds. */
static int
span(struct str s, uint64_t *out)
{
	if (s.n > 0 && s.p[s.n - 1] == 's' &&
	    decimal(str_n(s.p, s.n - 1), SECOND, out) == 0)
		return 0;
	return util_duration(s, out);
}

/* From the wall clock to a time in the future; 0 if it is past. */
static uint64_t
ahead(int64_t at_ms, int64_t wall_ms)
{
	return at_ms > wall_ms ? (uint64_t)at_ms - (uint64_t)wall_ms : 0;
}

static uint64_t
retry_after(struct str s, int64_t wall_ms)
{
	uint64_t ms;
	int64_t at;

	if (decimal(s, SECOND, &ms) == 0)
		return ms;
	if (util_http_date(s, wall_ms / SECOND, &at) == 0)
		return ahead(at * SECOND, wall_ms);
	return 0;
}

/* The value of a reset header, in ms from now; 0: none. */
static uint64_t
reset_value(struct str s, int64_t wall_ms)
{
	uint64_t ms;
	int64_t at;

	if (decimal(s, SECOND, &ms) == 0) {
		if (ms < EPOCH_MIN)
			return ms;
		at = (int64_t)(ms < EPOCH_MS_MIN ? ms : ms / SECOND);
		return ahead(at, wall_ms);
	}
	if (util_rfc3339(s, &at) == 0)
		return ahead(at, wall_ms);
	return span(s, &ms) == 0 ? ms : 0;
}

/* Where the word "reset" stands in the name of a reset header; 0: none. */
static size_t
reset_word(struct str name)
{
	static const char a[] = "anthropic-ratelimit-", x[] = "x-ratelimit-";
	size_t an = sizeof a - 1, xn = sizeof x - 1, rn = RESET_LEN;

	if (str_casestarts(name, UNIFIED "overage-"))
		return 0;
	if (name.n > an + rn && str_casestarts(name, a) &&
	    str_caseis(str_n(name.p + name.n - rn - 1, rn + 1), "-reset"))
		return name.n - rn;
	if (name.n >= xn + rn && str_casestarts(name, x) &&
	    str_caseis(str_n(name.p + xn, rn), "reset") &&
	    (name.n == xn + rn || name.p[xn + rn] == '-'))
		return xn;
	return 0;
}

/* The value of the field whose name is a, b and c in a row; p NULL: none. */
static struct str
twin_value(const struct http_head *h, struct str a, struct str b,
    struct str c)
{
	struct str name;
	unsigned i;

	for (i = 0; i < h->nfields; i++) {
		name = h->fields[i].name;
		if (name.n == a.n + b.n + c.n &&
		    str_caseeq(str_n(name.p, a.n), a) &&
		    str_caseeq(str_n(name.p + a.n, b.n), b) &&
		    str_caseeq(str_n(name.p + a.n + b.n, c.n), c))
			return h->fields[i].value;
	}
	return str_n(NULL, 0);
}

static int
unified(struct str name)
{
	return str_casestarts(name, UNIFIED);
}

/*
 * 1 if the status of a subscription's window keeps requests out.  A good
 * answer that overage paid for shows that it does not.
 */
static int
rejected(const struct http_head *h, struct str name, size_t at, int good)
{
	struct str none = str_of(""), own, all, more;

	own = twin_value(h, str_n(name.p, at), str_of("status"), none);
	all = twin_value(h, str_of(UNIFIED), str_of("status"), none);
	more = twin_value(h, str_of(UNIFIED), str_of("overage-status"), none);
	return str_caseis(own, "rejected") &&
	    (all.p == NULL || str_caseis(all, "rejected")) &&
	    !(good && str_casestarts(more, "allowed"));
}

/* 1 if the twin of a reset header says that nothing remains. */
static int
exhausted(const struct http_head *h, struct str name, size_t at, int good)
{
	struct str value = twin_value(h, str_n(name.p, at),
	    str_of("remaining"), str_n(name.p + at + RESET_LEN,
	    name.n - at - RESET_LEN));
	uint64_t n;

	if (decimal(value, 1, &n) == 0 && n == 0)
		return 1;
	return unified(name) && rejected(h, name, at, good);
}

/* The latest of the exhausted ones, else the soonest of all if not good. */
static uint64_t
reset_headers(const struct http_head *h, int64_t wall_ms, int good)
{
	uint64_t ms, latest = 0, soonest = 0;
	struct str name;
	unsigned i;
	size_t at;

	for (i = 0; i < h->nfields; i++) {
		name = h->fields[i].name;
		if ((at = reset_word(name)) == 0)
			continue;
		if ((ms = reset_value(h->fields[i].value, wall_ms)) == 0)
			continue;
		if (soonest == 0 || ms < soonest)
			soonest = ms;
		if (ms > latest && exhausted(h, name, at, good))
			latest = ms;
	}
	return latest > 0 || good ? latest : soonest;
}

/* ---- bodies ---- */

/* What follows white space and c; empty if c is not there. */
static struct str
after(struct str s, char c)
{
	size_t n = 0;

	while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t' ||
	    s.p[n] == '\r' || s.p[n] == '\n'))
		n++;
	if (n == s.n || s.p[n] != c)
		return str_n(NULL, 0);
	return str_n(s.p + n + 1, s.n - n - 1);
}

/* The same for a quote, which may be escaped any number of times. */
static struct str
after_quote(struct str s)
{
	struct str next;

	while ((next = after(s, '\\')).p != NULL)
		s = next;
	return after(s, '"');
}

/* No JSON reader: the body may be cut short, or be an event's data. */
static uint64_t
retry_info(struct str body)
{
	static const char key[] = "\"retryDelay";
	size_t skip, n;
	struct str value;
	uint64_t ms;
	long at;

	while ((at = str_casefind(body, str_of(key))) >= 0) {
		skip = (size_t)at + sizeof key - 1;
		body = str_n(body.p + skip, body.n - skip);
		value = after_quote(after(after_quote(body), ':'));
		for (n = 0; n < value.n && value.p[n] != '"' &&
		    value.p[n] != '\\'; n++)
			;
		if (n < value.n && span(str_n(value.p, n), &ms) == 0 &&
		    ms > 0)
			return ms;
	}
	return 0;
}

uint64_t
failover_cooldown(const struct fo_policy *p, const struct http_head *h,
    struct str body, int64_t wall_ms, enum fo_source *source)
{
	int good = h->status >= 200 && h->status <= 299 && body.n == 0;
	uint64_t ms = 0;

	*source = FO_FROM_RETRY_AFTER_MS;
	if (!good && decimal(http_get(h, HTTP_RETRY_AFTER_MS), 1, &ms) == -1)
		ms = 0;
	if (!good && ms == 0) {
		*source = FO_FROM_RETRY_AFTER;
		ms = retry_after(http_get(h, HTTP_RETRY_AFTER), wall_ms);
	}
	if (ms == 0) {
		*source = FO_FROM_RESET_HEADER;
		ms = reset_headers(h, wall_ms, good);
	}
	if (!good && ms == 0) {
		*source = FO_FROM_RETRY_INFO;
		ms = retry_info(body);
	}
	if (!good && ms == 0) {
		*source = FO_FROM_DEFAULT;
		ms = p->cooldown_ms;
	}
	if (ms > p->max_cooldown_ms)
		ms = p->max_cooldown_ms;
	if (ms == 0)
		*source = FO_FROM_NONE;
	return ms;
}

static int
has_text(const struct str *list, unsigned n, struct str body)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (str_casefind(body, list[i]) >= 0)
			return 1;
	return 0;
}

enum fo_fault
failover_text(const struct fo_policy *p, struct str body)
{
	if (body.n > TEXT_MAX)
		body.n = TEXT_MAX;
	if (has_text(p->stop_text, p->nstop_text, body))
		return FO_STOP_TEXT_FAULT;
	if (has_text(p->retry_text, p->nretry_text, body))
		return FO_RATE_TEXT_FAULT;
	return FO_NONE_FAULT;
}
