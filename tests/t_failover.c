/* objs: failover.o http.o base/scan.o base/buf.o base/util.o */
#include "failover.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define N(a) (sizeof(a) / sizeof *(a))
#define BACKENDS 4
#define SLOTS 10

static void
policy_init(struct fo_policy *p)
{
	int s;

	memset(p, 0, sizeof *p);
	fo_on_set(p, 429, 1);
	for (s = 500; s <= 599; s++)
		fo_on_set(p, s, 1);
	p->failure_threshold = 3;
	p->open_ms = 30000;
	p->half_open_requests = 1;
	p->cooldown_ms = 60000;
	p->max_cooldown_ms = 3600000;
}

/* ---- 1. event lists ---- */

/*
 * Words of a script, each with a blank behind it:
 *	th= ho= tries= open= cool= max= n= on= off=	settings (n: backends)
 *	pr=112		priorities of a, b, c, d
 *	+50 +30s	time goes on
 *	r		a new request
 *	p1=b p1=-	pick into slot 1; b is expected, or nothing
 *	e1=500		ends slot 1; see outcomes[]; 429/5000 cools 5000 ms
 *	c1		slot 1 commits
 *	a=500>b=200	a new request, and picks and ends until then
 *	a!O		state: C, O, H
 *	a.f2		f failures, w wait, t trials, n in flight,
 *			s skip of the last pick: N, T, O, R
 *	k=CO		states of the last change; k.c k.w k.m: its fields
 *	none=429,1000	what failover_none() says
 *	reload		references are taken anew and the old ones dropped
 */
static const char *const scripts[] = {
	/* order */
	"a=200 a=200 a.f0 a.n0 a!C b!C",
	"a=500>b=200 a.f1 b.f0 a=200 a.f0",
	"n=3 a=500>b=502>c=503 none=502,0 r p0=a e0=200",
	"n=3 pr=321 c=500>b=500>a=200",
	"n=3 pr=221 c=500>a=500>b=200",
	"n=4 pr=1111 a=500>b=500>c=500>d=500",
	"n=4 pr=4321 d=429>c=429>b=429>a=200",
	"n=1 a=500 p0=- a.sT none=502,0",
	"n=1 r p0=a p1=- a.sT e0=200",
	"tries=2 a=500>a=500>b=500>b=500 p0=- a.sT b.sT",
	"tries=2 a=429>b=500>b=200",
	"tries=2 a=429>b=500>b=500>a=200",
	"tries=3 n=1 a=500>a=500>a=500 a!O p0=- a.sT",
	"tries=0 a=500>b=500 p0=-",
	"tries=2 th=1 a=500>b=200 a!O",
	/* the breaker opens: threshold exactly */
	"n=1 a=500 a=500 a!C a.f2 a=500 a!O a.f3 k=CO k.m30000",
	"n=1 th=1 a=500 a!O",
	"n=1 th=0 a=500 a!O",
	"n=1 th=5 a=500 a=500 a=500 a=500 a!C a=500 a!O",
	"n=1 a=500 a=500 a=200 a.f0 a=500 a=500 a!C a=500 a!O",
	"n=1 a=500 a=500 a=404 a.f2 a!C a=500 a!O",
	"n=1 a=500 a=500 a=301 a.f2 a=500 a!O",
	"n=1 a=500 a=500 a=429/9 a.f2 a!C a=500 a!O",
	"n=1 a=500 a=500 a=left a.f2 a!C a=500 a!O",
	"n=1 a=500 a=500 a=local a.f2 a!C a=500 a!O",
	"n=1 a=500 a=500 a=stale a.f2 a!C a=500 a!O",
	"n=1 a=500 a=500 a=stop a.f2 a!C a=500 a!O",
	"n=1 a=500 a=500 a=rate/9 a.f2 a!C a=500 a!O",
	"n=1 th=9 a=conn a.f1 a=dns a.f2 a=tls a.f3 a=time a.f4 a=closed "
	    "a.f5 a=trunc a.f6 a=frame a.f7 a=empty a.f8 a=html a!O",
	"n=1 a=errev a=inval a=big a!O",
	"n=1 a=cut a=cut a!C a=cut a!O",
	"n=1 a=cutin a=idle a=500 a!O",
	"n=1 th=2 a=cut404 a.f1 a=529st a!O",
	"n=1 th=2 a=leftb a.f0 a=leftb a.f0 a=localb a.f0 a!C",
	"n=1 a=500 a=500 a=leftb a.f2",
	"n=1 th=2 on=404 a=404 a.f1 a=404 a!O",
	"n=1 th=2 off=503 a=503 a.f0 a=503 a!C",
	"a=500>b=500 a=500>b=500 a=500>b=500 a!O b!O r p0=- a.sO b.sO "
	    "none=503,30000",
	/* open: skipped until the time, exactly */
	"th=1 a=500>b=200 b=200 a.sO a.w30000 +29999 b=200 a.sO a.w1 +1 "
	    "r p0=a a!H e0=200 a!C",
	"th=1 n=1 a=500 +29999 r p0=- none=503,1 +1 r p0=a e0=200",
	"th=1 n=1 open=0 a=500 a!O a=200 a!C",
	"th=1 n=1 open=1 a=500 r p0=- +1 a=200",
	"th=1 n=1 a=500 +300s a!O a.w0 a=200",
	"th=1 n=1 open=18446744073709551615 a=500 +3000000s r p0=- a.sO",
	/* a trial and its end */
	"th=1 n=1 a=500 +30s r p0=a a.t1 a.n1 e0=200 a!C a.t0 a.n0 k=HC",
	"th=3 n=1 a=500 a=500 a=500 +30s a=500 a!O k=HO k.m30000 r p0=-",
	"th=3 n=1 a=500 a=500 a=500 +30s a=500 +29999 r p0=- +1 a=200 a!C",
	"th=3 n=1 a=500 a=500 a=500 +30s a=200 a=500 a=500 a!C a=500 a!O",
	"th=1 n=1 a=500 +30s a=404 a!C k=HC",
	"th=1 n=1 a=500 +30s a=400 a!C",
	"th=1 n=1 a=500 +30s a=401 a!C",
	"th=1 n=1 a=500 +30s a=302 a!C",
	"th=1 n=1 a=500 +30s a=stop a!C",
	"th=1 n=1 a=500 +30s a=429/5000 a!C a.w5000 k=HC k.c1",
	"th=1 n=1 a=500 +30s a=rate/5000 a!C a.w5000",
	"th=1 n=1 a=500 +30s a=left a!H a.t0 k=HH a=200 a!C",
	"th=1 n=1 a=500 +30s a=leftb a!H a.t0 a=500 a!O",
	"th=1 n=1 a=500 +30s a=local a!H a.t0 a=200 a!C",
	"th=1 n=1 a=500 +30s a=stale a!H a.t0 a=200 a!C",
	"th=1 n=1 a=500 +30s r p0=a e0=stale p0=- a.sT r p0=a e0=200 a!C",
	"th=1 n=1 a=500 +30s a=time a!O",
	"th=1 n=1 a=500 +30s a=cut a!O",
	"th=1 n=1 a=500 +30s a=left +30s a=left +30s a=left a=200 a!C",
	"th=1 a=500>b=200 +30s a=500>b=200 b=200 +30s a=200 a!C",
	/* no more trials than allowed */
	"th=1 n=1 a=500 +30s r p0=a r p1=- a.sR a.w0 none=503,1000 e0=200",
	"th=1 a=500>b=200 +30s r p0=a r p1=b a.sR r p2=b e0=200 r p3=a",
	"th=1 n=1 ho=3 a=500 +30s r p0=a r p1=a r p2=a r p3=- a.t3 e0=left "
	    "r p3=a a.t3 r p4=-",
	"th=1 n=1 ho=0 a=500 +30s r p0=a r p1=- a.sR e0=200 a!C",
	"th=1 n=1 ho=2 a=500 +30s r p0=a r p1=a e0=200 a!C e1=500 a!C a.f0",
	"th=1 n=1 ho=2 a=500 +30s r p0=a r p1=a e0=500 a!O e1=200 a!O a.t0",
	/* left-over trials of an earlier time still count */
	"th=1 n=1 ho=2 a=500 +30s r p0=a r p1=a e0=500 a.t1 +30s r p2=a a!H "
	    "r p3=- a.sR e1=500 a!H r p3=a e2=200 a!C e3=500 a!C a.t0",
	"th=1 n=1 ho=2 a=500 +30s r p0=a r p1=a e0=500 +30s r p2=a e2=500 "
	    "a!O +30s r p2=a e2=500 +30s a=200 a!C a.t1 e1=200 a.t0",
	"th=1 n=1 ho=3 a=500 +30s r p0=a r p1=a r p2=a e0=500 ho=1 +30s "
	    "r p3=- a.sR a!O e1=200 r p3=- e2=left r p3=a e3=200 a!C",
	/* what began before the breaker changed does not count */
	"th=2 n=1 r p0=a r p1=a r p2=a e0=500 e1=500 a!O a.f2 e2=500 a.f2 "
	    "a.w30000",
	"th=1 n=1 r p0=a r p1=a e0=500 +5s e1=500 a.w25000",
	"th=1 n=1 r p0=a r p1=a e0=500 +5s e1=200 a!O k=OO",
	"th=1 n=1 r p0=a r p1=a e0=500 +30s r p2=a e1=500 a!H a.t1 e2=200 a!C",
	"th=1 n=1 r p0=a r p1=a e0=500 +30s r p2=a e1=200 a!H e2=500 a!O",
	"th=1 n=1 r p0=a r p1=a e0=500 +30s a=200 e1=500 a!C a.f0",
	"th=1 n=1 r p0=a r p1=a e0=500 +30s a=200 e1=cut a!C a.f0",
	"th=2 n=1 r p0=a r p1=a e1=500 a=500 +30s a=200 a=500 a.f1 e0=200 "
	    "a.f1",
	"th=1 n=1 on=401 r p0=a r p1=a e0=500 +30s r p2=a e1=401 a!H e2=200",
	"th=1 n=1 r p0=a r p1=a e0=500 e1=429/7000 a!O a.w30000 k.c1 +30s "
	    "a=200",
	/* in a row counts ends, not beginnings */
	"n=1 r p0=a r p1=a r p2=a e2=500 e1=500 e0=200 a.f0",
	"n=1 r p0=a r p1=a r p2=a r p3=a e3=500 e0=200 e1=500 e2=500 a!C a.f2",
	"n=1 r p0=a r p1=a r p2=a a.n3 e0=left e1=left e2=left a.n0",
	"r p0=a e0=500 e0=500 e0=500 e0=500 a.f1 a.n0",
	/* a bad key of ours opens at once, if it moves on */
	"n=1 a=401 a!C a.f0 a=402 a!C a=403 a!C",
	"on=401 a=401>b=200 a!O k=CC b=200",
	"n=1 on=401 a=401 a!O a.f0 a.w30000 k=CO +30s a=401 a!O k=HO",
	"n=1 on=402 a=402 a!O", "n=1 on=403 a=403 a!O", "n=1 on=404 a=404 a!C",
	"n=1 on=401 a=401st a!O",
	"n=1 a=key a!C a.f0 on=401 a=key a!O +30s a=key a!O",
	"n=1 on=400 a=key a!C a.f0 a=400 a.f1",
	"n=1 on=401 a=rate401/500 a!C a.w500",
	/* cool-down: last, but tried; ends by time or success */
	"a=429/5000>b=200 b=200 a.w5000 a.sN +4999 b=200 +1 a=200 a.w0",
	"a=429>b=200 a.w60000 b=200 +60s a=200",
	"a=429/5000>b=429/9000 none=429,5000 a=429/20000>b=429/1 a.w20000 "
	    "b.w9000 none=429,9000",
	"a=429/5000>b=500 none=502,0",
	"a=429/5000>b=429/9000 a=200 k.w1 k.c0 a.w0 a=200",
	"n=1 a=429/5000 k.c1 k.m5000 a=429/3000 k.c0 k.m5000 +3s a.w2000 "
	    "a=429/3000 k.c1 a.w3000",
	"n=1 a=429/9999999 a.w3600000 k.m3600000",
	"n=1 max=0 a=429/5 a.w0 k.c0 none=429,1000",
	"n=1 cool=0 a=429 a.w0 k.c0",
	"n=1 a=429/0 a.w60000 k.c1 a=200 a=rate a.w60000 a=200 a=rate/7 a.w7",
	"n=1 max=18446744073709551615 a=429/18446744073709551615 +9s a=200 "
	    "a.w0",
	"n=1 a=429/5000 a=404 a.w5000 a=500 a.w5000 a=left a.w5000",
	"n=1 off=429 a=429/5000 a.w5000 a.f0 none=429,5000",
	"n=1 a=429/5000 +5s a=200 k.w0 a.w0",
	"n=1 a=429stop/5000 a.w0 k.c0",
	"n=1 a=429left/5000 a.w0 k.c0",
	"n=1 a=429cut/5000 a.w5000 a.f0 a!C",
	/* a success from before the limit says nothing about it */
	"n=1 r p0=a r p1=a e0=429/5000 e1=200 a.w5000 k.w0 a=200 k.w1 a.w0",
	"n=1 a=429/5000 r p0=a r p1=a e0=429/1000 e1=200 a.w5000 a=200 a.w0",
	/* a good answer that names the limit it exhausted */
	"a=200/5000 a!C a.w5000 k.c1 k.w0 b=200 +5s a=200 a.w0",
	"n=1 a=429/5000 a=200/1000 a.w1000 k.c1 k.w0 a=200 k.w1 a.w0",
	"n=1 a=404/5000 a.w0 a=500/5000 a.w0",
	/* cooling and open together */
	"th=1 a=429/50000>b=200 r p0=b e0=500 p0=a e0=500 a!O a.w50000 "
	    "b.w30000 r p0=- none=503,30000 +30s b=200 a.w20000 b=200 +20s "
	    "a=200",
	"th=1 a=500>b=500 +30s r p0=a e0=429/9000 p0=b e0=200 b=200 a!C "
	    "b!C a.w9000",
	"th=1 n=3 pr=112 a=429/5000>b=429/5000>c=500 a=429/5000>b=200",
	"n=3 a=429/5000>b=200 b=429/9000>c=200 c=500>a=500>b=500 p0=-",
	/* commit: the trial is over, the stream goes on */
	"th=1 n=1 a=500 +30s r p0=a c0 a!C a.t0 a.n1 k=HC r p1=a r p2=a "
	    "e0=200 a.f0 a.n2 e1=200 e2=200",
	"th=3 n=1 a=500 a=500 a=500 +30s r p0=a c0 a.f2 e0=cut a!O a.n0",
	"th=3 n=1 a=500 a=500 a=500 +30s r p0=a c0 r p1=a e1=500 a!O e0=200 "
	    "a!O",
	"th=3 n=1 a=500 a=500 a=500 +30s r p0=a c0 a=200 a.f0 e0=cut a!C a.f1",
	"th=1 n=1 a=500 +30s r p0=a c0 c0 k=CC a.t0 e0=leftb a!C a.t0 a.n0",
	"th=1 n=1 ho=2 a=500 +30s r p0=a r p1=a e0=500 a!O c1 a!O a.t0 k=OO "
	    "e1=200 a!O",
	"th=1 n=1 r p0=a c0 k=CC a.n1 e0=cut a!O", "n=1 c0 k=CC a!C",
	/* reload */
	"th=2 a=500>b=429/5000 reload a.f1 b.w5000 a=500>b=200 a!O reload "
	    "a!O a.w30000 r p0=b e0=200 +30s reload a=200",
	"th=1 n=1 a=500 +30s r p0=a reload a.t1 a.n1 r p1=- e0=200 a!C a.t0",
};

static const struct {
	const char *word;
	enum fo_phase phase;
	enum fo_fault fault;
	int status;
	unsigned reused:1, any_bytes:1, bad_key:1;
} outcomes[] = {
	{ "conn", FO_CONNECT, FO_CONNECT_FAULT, 0, 0, 0, 0 },
	{ "dns", FO_RESOLVE, FO_DNS_FAULT, 0, 0, 0, 0 },
	{ "tls", FO_TLS, FO_TLS_FAULT, 0, 0, 0, 0 },
	{ "time", FO_WAIT, FO_TIMEOUT_FAULT, 0, 0, 0, 0 },
	{ "closed", FO_WAIT, FO_CLOSED_FAULT, 0, 0, 0, 0 },
	{ "trunc", FO_HOLD, FO_TRUNCATED_FAULT, 200, 0, 1, 0 },
	{ "frame", FO_HEAD, FO_FRAMING_FAULT, 0, 1, 1, 0 },
	{ "empty", FO_HOLD, FO_EMPTY_FAULT, 200, 0, 1, 0 },
	{ "html", FO_HOLD, FO_NOT_JSON_FAULT, 200, 0, 1, 0 },
	{ "errev", FO_HOLD, FO_ERROR_EVENT_FAULT, 200, 0, 1, 0 },
	{ "inval", FO_HOLD, FO_INVALID_FAULT, 200, 0, 1, 0 },
	{ "big", FO_HOLD, FO_TOO_LARGE_FAULT, 200, 0, 1, 0 },
	{ "cut", FO_BODY, FO_TRUNCATED_FAULT, 200, 0, 1, 0 },
	{ "cut404", FO_BODY, FO_TRUNCATED_FAULT, 404, 0, 1, 0 },
	{ "cutin", FO_BODY, FO_INVALID_FAULT, 200, 0, 1, 0 },
	{ "idle", FO_BODY, FO_TIMEOUT_FAULT, 200, 0, 1, 0 },
	{ "left", FO_WAIT, FO_CLIENT_LEFT_FAULT, 0, 0, 0, 0 },
	{ "leftb", FO_BODY, FO_CLIENT_LEFT_FAULT, 200, 0, 1, 0 },
	{ "local", FO_CONNECT, FO_LOCAL_FAULT, 0, 0, 0, 0 },
	{ "localb", FO_BODY, FO_LOCAL_FAULT, 200, 0, 1, 0 },
	{ "stale", FO_WAIT, FO_CLOSED_FAULT, 0, 1, 0, 0 },
	{ "stop", FO_HOLD, FO_STOP_TEXT_FAULT, 500, 0, 1, 0 },
	{ "rate", FO_HOLD, FO_RATE_TEXT_FAULT, 500, 0, 1, 0 },
	{ "rate401", FO_HOLD, FO_RATE_TEXT_FAULT, 401, 0, 1, 0 },
	{ "key", FO_HOLD, FO_NONE_FAULT, 400, 0, 1, 1 },
	{ "401st", FO_HOLD, FO_STATUS_FAULT, 401, 0, 1, 0 },
	{ "529st", FO_HOLD, FO_STATUS_FAULT, 529, 0, 1, 0 },
	{ "429stop", FO_HOLD, FO_STOP_TEXT_FAULT, 429, 0, 1, 0 },
	{ "429left", FO_HOLD, FO_CLIENT_LEFT_FAULT, 429, 0, 1, 0 },
	{ "429cut", FO_HOLD, FO_TRUNCATED_FAULT, 429, 0, 1, 0 },
};

struct play {
	const char *script, *word;
	struct fo_policy p;
	struct failover f;
	struct fo_backend *b[BACKENDS];
	struct fo_cand c[BACKENDS];
	struct fo_ticket t[SLOTS];
	struct fo_change k;
	unsigned char limited[BACKENDS];
	int failed;
	size_t n;
	unsigned tries;
	uint64_t now;
};

#define P_OK(cond, ...) do { \
	if (cond) \
		t_passed++; \
	else { \
		t_failed++; \
		printf("not ok \"%s\" at \"%.16s\": ", g->script, g->word); \
		printf(__VA_ARGS__); \
		printf("\n"); \
	} \
} while (0)

static void
play_request(struct play *g)
{
	size_t i;

	for (i = 0; i < BACKENDS; i++) {
		g->c[i].tried = 0;
		g->limited[i] = 0;
	}
	g->failed = 0;
}

static void
play_pick(struct play *g, unsigned slot, char want)
{
	int got = failover_pick(g->c, g->n, g->tries, &g->p, g->now,
	    &g->t[slot]);

	P_OK((want == '-' ? -1 : want - 'a') == got, "picked %d", got);
	P_OK((got < 0) == (g->t[slot].b == NULL), "ticket");
	if (got >= 0)
		g->c[got].tried++;
}

static void
play_end(struct play *g, unsigned slot, const char *word)
{
	struct fo_outcome o;
	const char *slash = strchr(word, '/');
	size_t i, len = strcspn(word, "/> ");

	memset(&o, 0, sizeof o);
	for (i = 0; i < N(outcomes); i++)
		if (str_is(str_n(word, len), outcomes[i].word))
			break;
	if (i < N(outcomes)) {
		o.phase = outcomes[i].phase;
		o.fault = outcomes[i].fault;
		o.status = outcomes[i].status;
		o.reused = outcomes[i].reused;
		o.any_bytes = outcomes[i].any_bytes;
		o.bad_key = outcomes[i].bad_key;
	} else {
		o.phase = FO_HOLD;
		o.any_bytes = 1;
		o.status = atoi(word);
		P_OK(o.status >= 100, "unknown outcome");
	}
	o.cool_ms = o.status == 429 ? g->p.cooldown_ms : 0;
	if (slash == word + len)
		o.cool_ms = strtoull(slash + 1, NULL, 10);
	o.cool_source = FO_FROM_RETRY_AFTER;
	for (i = 0; i < g->n; i++) {
		if (g->b[i] != g->t[slot].b)
			continue;
		g->limited[i] = o.status == 429 ||
		    o.fault == FO_RATE_TEXT_FAULT;
		if (!g->limited[i] && failover_judge(&g->p, &o) == FO_NEXT)
			g->failed = 1;
	}
	failover_end(&g->t[slot], &g->p, &o, g->now, &g->k);
	P_OK(g->t[slot].b == NULL, "ticket is still out");
}

/* a=500>b=200 */
static void
play_walk(struct play *g, const char *w)
{
	play_request(g);
	for (;;) {
		play_pick(g, SLOTS - 1, w[0]);
		play_end(g, SLOTS - 1, w + 2);
		w += strcspn(w, "> ");
		if (*w++ != '>')
			break;
	}
}

static void
play_reload(struct play *g)
{
	struct fo_backend *b;
	char name[2] = "a";
	size_t i;

	for (i = 0; i < BACKENDS; i++) {
		name[0] = (char)('a' + (char)i);
		b = failover_get(&g->f, str_of(name));
		P_OK(b == g->b[i] && b->refs == 2, "another record");
		failover_put(&g->f, g->b[i]);
	}
}

static int
play_set(struct play *g, const char *w)
{
	static const char *const names[] = {
		"th=", "ho=", "tries=", "open=", "cool=", "max=", "n=", "on=",
		"off=", "pr="
	};
	const char *value = strchr(w, '=') + 1;
	uint64_t v = strtoull(value, NULL, 10);
	size_t i;

	for (i = 0; i < N(names); i++)
		if (strncmp(w, names[i], strlen(names[i])) == 0)
			break;
	switch (i) {
	case 0: g->p.failure_threshold = (unsigned)v; break;
	case 1: g->p.half_open_requests = (unsigned)v; break;
	case 2: g->tries = (unsigned)v; break;
	case 3: g->p.open_ms = v; break;
	case 4: g->p.cooldown_ms = v; break;
	case 5: g->p.max_cooldown_ms = v; break;
	case 6: g->n = (size_t)v; break;
	case 7: fo_on_set(&g->p, (int)v, 1); break;
	case 8: fo_on_set(&g->p, (int)v, 0); break;
	case 9:
		for (i = 0; value[i] >= '0' && value[i] <= '9'; i++)
			g->c[i].priority = value[i] - '0';
		break;
	default:
		return 0;
	}
	return 1;
}

/* a.f2 a!O */
static void
play_look(struct play *g, const char *w)
{
	struct fo_backend *b = g->b[w[0] - 'a'];
	uint64_t want = strtoull(w + 3, NULL, 10), got;

	if (w[1] == '!') {
		P_OK("COH"[b->state] == w[2], "state %d", (int)b->state);
		return;
	}
	if (w[2] == 's') {
		P_OK("NTOR"[g->c[w[0] - 'a'].skip] == w[3], "skip");
		return;
	}
	got = w[2] == 'f' ? b->failures : w[2] == 't' ? b->trials :
	    w[2] == 'n' ? b->in_flight : failover_wait(b, g->now);
	P_OK(strchr("ftnw", w[2]) != NULL && got == want, "it is %lu",
	    (unsigned long)got);
}

static void
play_change(struct play *g, const char *w)
{
	uint64_t want = strtoull(w + 3, NULL, 10);

	if (w[1] == '=')
		P_OK("COH"[g->k.before] == w[2] && "COH"[g->k.after] == w[3],
		    "%d -> %d", (int)g->k.before, (int)g->k.after);
	else if (w[2] == 'c')
		P_OK(g->k.cooled == want, "cooled");
	else if (w[2] == 'w')
		P_OK(g->k.warmed == want, "warmed");
	else
		P_OK(w[2] == 'm' && g->k.wait == want, "wait %lu",
		    (unsigned long)g->k.wait);
}

static void
play_none(struct play *g, const char *w)
{
	struct fo_none none;
	char *end;

	failover_none(g->c, g->limited, g->n, g->failed, g->now, &none);
	P_OK(none.status == (int)strtol(w, &end, 10), "status %d",
	    none.status);
	P_OK(none.retry_ms == strtoull(end + 1, NULL, 10), "retry %lu",
	    (unsigned long)none.retry_ms);
}

static void
play_word(struct play *g, const char *w)
{
	char *end;
	uint64_t ms;

	if (*w == '+') {
		ms = strtoull(w + 1, &end, 10);
		g->now += *end == 's' ? ms * 1000 : ms;
	} else if (strncmp(w, "none=", 5) == 0) {
		play_none(g, w + 5);
	} else if (strncmp(w, "reload", 6) == 0) {
		play_reload(g);
	} else if (*w == 'r') {
		play_request(g);
	} else if (*w == 'k') {
		play_change(g, w);
	} else if (*w == 'p' && w[1] <= '9' && w[2] == '=') {
		play_pick(g, (unsigned)(w[1] - '0'), w[3]);
	} else if (*w == 'e' && w[2] == '=') {
		play_end(g, (unsigned)(w[1] - '0'), w + 3);
	} else if (*w == 'c' && w[1] >= '0' && w[1] <= '9') {
		failover_commit(&g->t[w[1] - '0'], &g->p, &g->k);
	} else if (*w >= 'a' && *w <= 'd' && w[1] == '=') {
		play_walk(g, w);
	} else if (*w >= 'a' && *w <= 'd' && (w[1] == '!' || w[1] == '.')) {
		play_look(g, w);
	} else {
		P_OK(strchr(w, '=') != NULL && play_set(g, w), "bad word");
	}
}

static void
test_script(const char *script)
{
	struct play play, *g = &play;
	char name[2] = "a";
	size_t i;

	memset(g, 0, sizeof *g);
	g->script = script;
	g->n = 2;
	g->tries = 1;
	g->now = 1000000;
	policy_init(&g->p);
	failover_init(&g->f);
	for (i = 0; i < BACKENDS; i++) {
		name[0] = (char)('a' + (char)i);
		if ((g->b[i] = failover_get(&g->f, str_of(name))) == NULL)
			exit(2);
		g->c[i].b = g->b[i];
		g->c[i].priority = (int)i;
	}
	for (g->word = script; *g->word != '\0';
	    g->word += strspn(g->word, " ")) {
		play_word(g, g->word);
		g->word += strcspn(g->word, " ");
	}
	failover_free(&g->f);
}

/* ---- 2. judging ---- */

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
	struct fo_cand c;

	memset(&b, 0, sizeof b);
	memset(&c, 0, sizeof c);
	b.state = trial ? FO_OPEN : FO_CLOSED;
	b.failures = 1;
	c.b = &b;
	if (failover_pick(&c, 1, 1, p, 5, &t) != 0 || t.trial != trial)
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

	policy_init(&p);
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

/* ---- 3. policy and registry ---- */

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
	for (t = 0; t < FO_NFAULTS; t++)
		T_OK(*fo_fault_text((enum fo_fault)t) != '\0', "%d", t);
	T_OK(strcmp(fo_fault_text(FO_LOCAL_FAULT), "no resources here") == 0 &&
	    strcmp(fo_phase_text(FO_BODY), "body") == 0 &&
	    strcmp(fo_skip_text(FO_SKIP_TRIAL), "trial running") == 0 &&
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

/* ---- 4. none left ---- */

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
	struct fo_none none;
	const char *w;
	size_t i, j;
	uint64_t ms;

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
		failover_none(c, limited, rows[i].n, rows[i].failed, 500,
		    &none);
		T_OK(none.status == rows[i].status &&
		    none.retry_ms == rows[i].retry, "row %u: %d, %lu",
		    (unsigned)i, none.status, (unsigned long)none.retry_ms);
	}
}

int
main(void)
{
	size_t i;

	for (i = 0; i < N(scripts); i++)
		test_script(scripts[i]);
	test_judge();
	test_policy();
	test_registry();
	test_none();
	return t_end();
}
