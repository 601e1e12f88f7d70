#include "failover.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define N(a) (sizeof(a) / sizeof *(a))

/* ---- 1. judging ---- */

#define PH(x) (1u << FO_##x)
#define FA(x) (1ul << FO_##x##_FAULT)
#define ANY (-1)
#define ANY_PHASE 0xffu
#define ANY_FAULT 0xfffffffful

/* Booking: - nothing, L limited, G good, R returned, K bad key, S strike. */
struct rule {
	unsigned phases;
	unsigned long faults;
	int from, to;			/* status */
	int reused, bytes, key;		/* 0, 1, ANY */
	enum fo_verdict verdict;
	char booking;
};

/* The first row that fits counts.  429, 401, 403 and 5xx move on. */
static const struct rule rules[] = {
	{ ANY_PHASE, FA(CLIENT_LEFT), 0, 999, ANY, ANY, ANY, FO_GIVE_UP, '-' },
	{ PH(BODY), FA(LOCAL), 0, 999, ANY, ANY, ANY, FO_GIVE_UP, '-' },
	{ ANY_PHASE, FA(LOCAL), 0, 999, ANY, ANY, ANY, FO_NEXT, '-' },
	{ ANY_PHASE, FA(STOP_TEXT), 0, 999, ANY, ANY, ANY, FO_RETURN, 'R' },
	/* committed */
	{ PH(BODY), FA(RATE_TEXT), 0, 999, ANY, ANY, ANY, FO_GIVE_UP, 'L' },
	{ PH(BODY), FA(NONE), 0, 999, ANY, ANY, 1, FO_RETURN, 'R' },
	{ PH(BODY), FA(NONE), 200, 299, ANY, ANY, 0, FO_COMMIT, 'G' },
	{ PH(BODY), FA(NONE), 429, 429, ANY, ANY, 0, FO_RETURN, 'L' },
	{ PH(BODY), FA(NONE), 0, 999, ANY, ANY, 0, FO_RETURN, 'R' },
	{ PH(BODY), ANY_FAULT, 429, 429, ANY, ANY, 0, FO_GIVE_UP, 'L' },
	{ PH(BODY), ANY_FAULT, 0, 999, ANY, ANY, ANY, FO_GIVE_UP, 'S' },
	/* stale */
	{ ANY_PHASE, FA(CLOSED) | FA(CONNECT) | FA(TLS), 0, 999, 1, 0, ANY,
	    FO_SAME_FRESH, '-' },
	/* faults */
	{ ANY_PHASE, FA(RATE_TEXT), 0, 999, ANY, ANY, ANY, FO_NEXT, 'L' },
	{ ANY_PHASE, FA(STATUS), 0, 999, ANY, ANY, 1, FO_NEXT, 'K' },
	{ ANY_PHASE, FA(STATUS), 401, 403, ANY, ANY, 0, FO_NEXT, 'K' },
	{ ANY_PHASE, ANY_FAULT & ~FA(NONE), 429, 429, ANY, ANY, 0, FO_NEXT,
	    'L' },
	{ ANY_PHASE, ANY_FAULT & ~FA(NONE), 0, 999, ANY, ANY, ANY, FO_NEXT,
	    'S' },
	/* by status */
	{ ANY_PHASE, FA(NONE), 0, 999, ANY, ANY, 1, FO_NEXT, 'K' },
	{ ANY_PHASE, FA(NONE), 0, 199, ANY, ANY, 0, FO_NEXT, 'S' },
	{ ANY_PHASE, FA(NONE), 200, 299, ANY, ANY, 0, FO_COMMIT, 'G' },
	{ ANY_PHASE, FA(NONE), 401, 401, ANY, ANY, 0, FO_NEXT, 'K' },
	{ ANY_PHASE, FA(NONE), 403, 403, ANY, ANY, 0, FO_NEXT, 'K' },
	{ ANY_PHASE, FA(NONE), 429, 429, ANY, ANY, 0, FO_NEXT, 'L' },
	{ ANY_PHASE, FA(NONE), 500, 599, ANY, ANY, 0, FO_NEXT, 'S' },
	{ ANY_PHASE, FA(NONE), 300, 999, ANY, ANY, 0, FO_RETURN, 'R' },
};

static int
rule_fits(const struct rule *r, const struct fo_outcome *o)
{
	return r->phases >> o->phase & 1 && r->faults >> o->fault & 1 &&
	    o->status >= r->from && o->status <= r->to &&
	    (r->reused == ANY || r->reused == (int)o->reused) &&
	    (r->bytes == ANY || r->bytes == (int)o->any_bytes) &&
	    (r->key == ANY || r->key == (int)o->bad_key);
}

/* What is booked on a closed breaker with one strike, or on a trial. */
static char
booking(const struct fo_policy *p, const struct fo_outcome *o, int trial)
{
	struct fo_backend b;
	struct fo_ticket t;
	struct fo_change k;
	struct fo_want want;
	struct fo_cand c;

	memset(&b, 0, sizeof b);
	memset(&c, 0, sizeof c);
	b.state = trial ? FO_OPEN : FO_CLOSED;
	b.failures = 1;
	c.b = &b;
	memset(&want, 0, sizeof want);
	if (failover_pick(&c, 1, &want, p, 5, &t) != 0 || t.trial != trial)
		return '?';
	failover_end(&t, p, o, 5, &k);
	if (b.in_flight != 0 || b.trials != 0 || k.cooled != (b.cool_until > 5))
		return '?';
	if (trial && b.state == FO_HALF_OPEN)
		return b.cool_until == 0 ? '-' : '?';
	if (b.state == FO_OPEN)
		return trial ? 'O' : b.failures == 1 ? 'K' : '?';
	if (trial)
		return 'C';
	if (b.failures == 2)
		return b.cool_until == 0 ? 'S' : '?';
	if (b.failures == 0)
		return b.cool_source == o->cool_source ? 'G' : '?';
	return b.cool_until > 5 ? 'L' : 'R';
}

static void
judge_one(const struct fo_policy *p, const struct fo_outcome *o)
{
	enum fo_verdict v = failover_judge(p, o);
	const char *at;
	char one, trial;
	size_t i;

	for (i = 0; i < N(rules) - 1; i++)
		if (rule_fits(&rules[i], o))
			break;
	T_OK(rule_fits(&rules[i], o) && v == rules[i].verdict,
	    "%s, %s, %d, %d%d%d: %d, row %d", fo_phase_text(o->phase),
	    fo_fault_text(o->fault), o->status, (int)o->reused,
	    (int)o->any_bytes, (int)o->bad_key, (int)v, (int)i);
	one = booking(p, o, 0);
	trial = booking(p, o, 1);
	/* Nothing and returned look alike where there is no trial. */
	at = strchr("-RGLKS", rules[i].booking);
	T_OK(one == "RRGLKS"[at - "-RGLKS"] && trial == "-CCCOO"[at - "-RGLKS"],
	    "%s, %s, %d, %d%d%d: booked %c %c, row %d",
	    fo_phase_text(o->phase), fo_fault_text(o->fault), o->status,
	    (int)o->reused, (int)o->any_bytes, (int)o->bad_key, one, trial,
	    (int)i);
}

static void
test_judge(void)
{
	static const int statuses[] = {
		0, 101, 199, 200, 204, 299, 300, 302, 400, 401, 403, 404, 413,
		422, 428, 429, 430, 499, 500, 503, 529, 599, 600, 999
	};
	struct fo_policy p;
	struct fo_outcome o;
	unsigned phase, fault, bits;
	size_t i;

	fo_policy_defaults(&p);
	fo_on_set(&p, 401, 1);
	fo_on_set(&p, 403, 1);
	memset(&o, 0, sizeof o);
	o.cool_ms = 7000;
	o.cool_source = FO_FROM_RETRY_AFTER;
	for (phase = FO_RESOLVE; phase <= FO_BODY; phase++)
		for (fault = 0; fault < FO_NFAULTS; fault++)
			for (i = 0; i < N(statuses); i++)
				for (bits = 0; bits < 8; bits++) {
					o.phase = (enum fo_phase)phase;
					o.fault = (enum fo_fault)fault;
					o.status = statuses[i];
					o.reused = bits & 1;
					o.any_bytes = bits >> 1 & 1;
					o.bad_key = bits >> 2 & 1;
					judge_one(&p, &o);
				}
}

/* ---- 2. policy and registry ---- */

static void
test_policy(void)
{
	struct fo_policy p;
	int s, t;

	memset(&p, 0, sizeof p);
	for (s = -2000; s <= 2000; s++) {
		fo_on_set(&p, s, 1);
		fo_on_set(&p, s, 7);
		for (t = 98; t <= 602; t++)
			if (fo_on(&p, t) != (t == s && t >= 100 && t <= 599))
				break;
		T_OK(t == 603, "%d set, %d is wrong", s, t);
		fo_on_set(&p, s, 0);
		fo_on_set(&p, s, 0);
		T_OK(!fo_on(&p, s), "%d", s);
	}
	fo_policy_defaults(&p);
	T_OK(p.health == FO_HEALTH_BREAKER && p.failure_threshold == 3 &&
	    p.open_ms == 30000 && p.half_open_requests == 1 &&
	    p.score.success == 5 && p.score.failure == 10 &&
	    p.score.healthy_above == 20 && p.score.recover_minutes == 5 &&
	    p.window.ms == 140000 && p.window.min_failures == 2 &&
	    p.cooldown_ms == 60000 && p.max_cooldown_ms == 86400000 &&
	    p.when_all_down == FO_ALL_DOWN_FAIL && p.slow_start_ms == 0,
	    "defaults");
	T_OK(p.nretry_text == 2 && str_is(p.retry_text[0], "rate limit") &&
	    str_is(p.retry_text[1], "rate_limit") && p.nstop_text == 0,
	    "default texts");
	for (s = t = 0; s < 1000; s++)
		t += fo_on(&p, s) != (s == 429 || (s >= 500 && s <= 599));
	T_OK(t == 0, "default statuses");
	for (t = 0; t < FO_NFAULTS; t++)
		T_OK(*fo_fault_text((enum fo_fault)t) != '\0', "%d", t);
	T_OK(strcmp(fo_fault_text(FO_LOCAL_FAULT), "no resources here") == 0 &&
	    strcmp(fo_phase_text(FO_BODY), "body") == 0 &&
	    strcmp(fo_skip_text(FO_SKIP_TRIAL), "trial running") == 0 &&
	    strcmp(fo_skip_text(FO_SKIP_RATE), "own rate limit") == 0 &&
	    strcmp(fo_source_text(FO_FROM_DEFAULT), "default") == 0, "last");
}

static void
test_registry(void)
{
	struct failover f;
	struct fo_backend *a, *b;

	failover_init(&f);
	a = failover_get(&f, str_of("a"));
	b = failover_get(&f, str_n("abc", 2));
	T_OK(a != NULL && b != NULL && a != b, "two");
	T_OK(strcmp(b->name, "ab") == 0 && b->refs == 1 &&
	    b->state == FO_CLOSED, "new");
	T_OK(failover_get(&f, str_of("a")) == a && a->refs == 2, "same");
	T_OK(failover_get(&f, str_of("A")) != a, "case counts");
	a->failures = 2;
	failover_put(&f, a);
	T_OK(a->refs == 1 && a->failures == 2, "one is left");
	failover_put(&f, a);
	failover_put(&f, NULL);
	a = failover_get(&f, str_of("a"));
	T_OK(a != NULL && a->failures == 0 && a->refs == 1, "a new one");
	T_OK(failover_get(&f, str_of("ab")) == b, "still there");
	failover_free(&f);
	T_OK(f.list == NULL, "empty");
	failover_free(&f);
}

/* ---- 3. none left ---- */

static void
test_none(void)
{
	static const struct {
		size_t n;
		const char *waits;	/* ms: o open, c cooling, - nothing */
		const char *limited;
		int failed, status;
		uint64_t retry;
	} rows[] = {
		{ 0, "", "", 0, 503, 1000 },
		{ 0, "", "", 1, 502, 0 },
		{ 1, "c5000", "1", 0, 429, 5000 },
		{ 1, "c20", "1", 0, 429, 20 },
		{ 1, "-", "1", 0, 429, 1000 },
		{ 1, "c5000", "1", 1, 429, 5000 },
		{ 1, "o5000", "0", 0, 503, 5000 },
		{ 1, "o1", "0", 0, 503, 1 },
		{ 1, "o0", "0", 0, 503, 1000 },
		{ 1, "-", "0", 0, 503, 1000 },
		{ 1, "-", "0", 1, 502, 0 },
		{ 1, "o5000", "0", 1, 502, 0 },
		{ 2, "c5000 c9000", "11", 0, 429, 5000 },
		{ 2, "c9000 c5000", "11", 1, 429, 5000 },
		{ 2, "c9000 o5000", "10", 0, 503, 5000 },
		{ 2, "c5000 o9000", "10", 0, 503, 5000 },
		{ 2, "c5000 o9000", "10", 1, 502, 0 },
		{ 2, "c5000 -", "01", 1, 502, 0 },
		{ 2, "o30000 -", "00", 0, 503, 1000 },
		{ 2, "- o30000", "00", 0, 503, 1000 },
		{ 3, "o30000 o20000 o40000", "000", 0, 503, 20000 },
		{ 3, "c1 c2 c3", "111", 0, 429, 1 },
		{ 3, "c1 c2 c3", "110", 0, 503, 1 },
		{ 3, "c1 c2 c3", "110", 1, 502, 0 },
		{ 3, "c7000 o3000 c9000", "111", 0, 429, 3000 },
	};
	struct fo_backend b[3];
	struct fo_cand c[3];
	unsigned char limited[3];
	struct fo_policy p;
	struct fo_none none;
	const char *w;
	size_t i, j;
	uint64_t ms;

	fo_policy_defaults(&p);
	for (i = 0; i < N(rows); i++) {
		memset(b, 0, sizeof b);
		memset(c, 0, sizeof c);
		w = rows[i].waits;
		for (j = 0; j < rows[i].n; j++) {
			ms = strtoull(w + 1, NULL, 10);
			if (*w == 'o') {
				b[j].state = FO_OPEN;
				b[j].open_until = 500 + ms;
			} else if (*w == 'c') {
				b[j].cool_until = 500 + ms;
			}
			c[j].b = &b[j];
			limited[j] = rows[i].limited[j] == '1';
			w += strcspn(w, " ");
			w += *w == ' ';
		}
		failover_none(c, limited, rows[i].n, rows[i].failed, &p,
		    500, &none);
		T_OK(none.status == rows[i].status &&
		    none.retry_ms == rows[i].retry, "row %u: %d, %lu",
		    (unsigned)i, none.status, (unsigned long)none.retry_ms);
	}
}

int
main(void)
{
	test_judge();
	test_policy();
	test_registry();
	test_none();
	return t_end();
}
