#include "failover.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define N(a) (sizeof(a) / sizeof *(a))
#define BACKENDS 4
#define SLOTS 10

/*
 * Words of a script, each with a blank behind it:
 *	th= ho= tries= open= cool= max= n= on= off=	settings (n: backends)
 *	hl= su= fa= ab= rm= wi= wm= try=	the kinds of health
 *	mc= ra=		max_concurrent of all, rate_wait of a
 *	mod		all candidates have the record of a model
 *	pr=112		priorities of a, b, c, d
 *	+50 +30s	time goes on
 *	r		a new request
 *	p1=b p1=-	pick into slot 1; b is expected, or nothing
 *	e1=500		ends slot 1; see outcomes[]; 429/5000 cools 5000 ms
 *	c1		slot 1 commits
 *	x1.t1		of its ticket: t trial, p probe, l last resort
 *	a=500>b=200	a new request, and picks and ends until then
 *	a=m500		the same, about the model alone
 *	ok=a no=a	a health check was good, or not
 *	clear=a		a person says that it is well
 *	a!O		state: C, O, H; A!O: of the model at a
 *	a.f2		f failures, w wait, t trials, n in flight, S score,
 *			d down; of the last pick: W wait of the candidate,
 *			s skip: N, T, O, R, D down, B busy, L own rate limit
 *	k=CO		states of the last change; k.c k.w k.m k.f k.r: fields
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
	/* score: twice above 70, exact limits, what costs nothing */
	"hl=2 n=1 a=500>a=500 a.S80 p0=- a.sT",
	"hl=2 a=500>a=200 a.S95 a=200 a.S100 a=200 a.S100",
	"hl=2 a=500>a=500>b=200 a=500>a=500>b=200 a.S60 a=500>b=200 "
	    "a=500>b=200 a=500>b=200 a.d0 a=500>b=200 k.r0 a.S20 a.d1 b=200 "
	    "a.sD a.W300000",
	"hl=2 fa=29 n=1 r p0=a e0=500 a.S71 r p0=a e0=500 p0=a e0=500 a.S13",
	"hl=2 fa=30 n=1 r p0=a e0=500 a.S70 r p0=a e0=500 p0=-",
	"hl=2 fa=30 n=1 r p0=a e0=500 p0=a e0=500 p0=- a.S40",
	"hl=2 fa=50 n=1 tries=3 r p0=a e0=500 p0=a e0=500 a.S0 p0=- a.sD",
	"hl=2 fa=79 n=1 r p0=a e0=500 a.S21 a.d0 fa=1 a=500 a.S20 k.f1 a.d1",
	"hl=2 fa=80 ab=19 n=1 r p0=a e0=500 a.S20 a.d0",
	"hl=2 fa=0 th=1 n=1 a=500>a=500 a.S100 a!C",
	"hl=2 on=401 n=1 a=401 a.S90 a!C",
	"hl=2 n=1 r p0=a e0=500 a.S90 a=429/9 a=404 a=left a=local a=rate/9 "
	    "a=stop a=stale a.S90",
	"hl=1 n=1 a=500 a.S100 hl=4 a=500 a.S100",
	/* score: it rises alone */
	"hl=2 fa=80 n=1 r p0=a e0=500 a.S20 r p0=- none=503,300000 +299999 "
	    "a.S20 r p0=- a.W1 +1 a.S25 a.W1 r p0=a a.W0 e0=left a.S25 "
	    "+299999 a.S25 +1 a.S30 +59999 a.S30 +1 a.S35 +780s a.S100 "
	    "+9000s a.S100",
	"hl=2 fa=100 n=1 r p0=a e0=500 a.S0 r p0=- a.W540000 +539999 r p0=- "
	    "a.S20 +1 a.S25 r p0=a",
	"hl=2 fa=100 su=1 rm=1 ab=99 n=1 r p0=a e0=500 r p0=- a.W6000000 "
	    "+5999999 r p0=- +1 r p0=a",
	"hl=2 fa=100 su=0 rm=0 ab=200 n=1 r p0=a e0=500 +6000s r p0=a e0=200 "
	    "a.S100",
	/* emergency */
	"hl=2 fa=50 n=1 a=500>a=500 a.S0 r p0=- a.sD none=503,540000",
	"hl=2 fa=50 try=1 a=500>a=500>b=500>b=500 a.S0 b.S0 r p0=a x0.l1 "
	    "a.sN a.S10 b.S10 fa=10 e0=500 a.S0 p0=b x0.l1 a.S0 e0=200 b.S15 "
	    "k.r0 p0=- r p0=a x0.l1 a.S10 b.S15 e0=200 a.S15 a=200 a.S20 "
	    "a=200 a.S25 a.d0 k.r1 r p0=a x0.l0",
	"hl=2 fa=100 try=1 r p0=a e0=500 p0=b e0=500 +299s r p0=a x0.l1 "
	    "b.S10 +1s b.S10 +299s b.S15",
	"hl=2 ab=100 n=1 a=500 a.S90 a.d1 +20000s r p0=a",
	"hl=2 fa=95 try=1 n=1 r p0=a e0=500 a.S5 r p0=a x0.l1 a.S5 e0=200 "
	    "a.S15",
	"hl=2 fa=100 su=40 try=1 n=1 r p0=a e0=500 a=200 a.S50",
	"hl=2 fa=90 try=1 pr=21 r p0=b e0=500 p0=a e0=500 r p0=a x0.l1 "
	    "e0=500 p0=b x0.l1",
	"hl=2 fa=90 try=1 r p0=a e0=500 r p0=b x0.l0 a.sD",
	"hl=2 fa=90 try=1 tries=3 n=1 r p0=a e0=500 r p0=a e0=500 p0=-",
	/* window */
	"hl=4 a=500>b=200 a.d0 a=500>b=200 a.d1 b=200 a.sD a.W140000 +139999 "
	    "b=200 a.sD a.W1 +1 r p0=a e0=200 a.d0",
	"hl=4 n=1 a=500 +100s a=500 a.d1 k.f1 +39999 a.d1 +1 a.d0",
	"hl=4 n=1 a=500 +139999 a=500 a.d1",
	"hl=4 n=1 a=500 +140s a=500 a.d0 +1 a=500 a.d1",
	"hl=4 n=1 a=200 +1s a=500 a=500 a=500 a.d0 +138999 a.d0 +1 a.d1 +999 "
	    "a.d1 +1 a.d0",
	"hl=4 n=1 a=429/9 a=429/9 a.d0 a=500 a=429/9 a.d0 a=left a=local "
	    "a.d0 a=500 a.d1",
	"hl=4 n=1 a=500 a=404 a=500 a=500 a.d0",
	"hl=4 on=401 n=1 a=401 a=401 a.d1 a!C",
	"hl=4 wm=1 n=1 a=500 a.d1", "hl=4 wm=0 n=1 a.d0 a=500 a.d1",
	"hl=4 wm=5 n=1 a=500 a=500 a=500 a=500 a.d0 a=500 a.d1",
	"hl=4 n=1 a=500 +1s a=500 a.d1 wm=3 a.d0 +1s a=500 a.d1 a.W0 r p0=- "
	    "a.W138000 wm=2 r p0=- a.W139000",
	"hl=4 wm=3 n=1 a=500 a=500 a.d0 wm=2 a.d1",
	"hl=4 wm=3 n=1 a=500 a=500 a=500 a.d1 +140s a.d0 a=500 a=500 a.d0 "
	    "a=500 a.d1 +140s a=500 +9s a=500 a.d0 +9s a=500 a.d1",
	"hl=4 wm=3 n=1 a=500 +1s a=500 wm=5 +1s a=500 a=500 a.d0 +1s a=500 "
	    "a.d1 r p0=- a.W137000",
	"hl=4 wi=0 n=1 a=500 a=500 a=500 a.d0",
	"hl=4 try=1 n=1 a=500 a=500 a.d1 r p0=a x0.l1 e0=200 a.d0 k.r1",
	"hl=4 n=1 a=500 a=500 no=a a.d1 k.r0 ok=a a.d0 k.r1 a=500 a.d0 a=500 "
	    "a.d1 k.f1",
	/* several kinds must agree */
	"hl=5 th=1 a=500>b=200 a!O a.d0 r p0=a x0.t0 x0.l0 e0=200 a!C",
	"hl=5 th=1 a=500>b=200 a=500>b=200 a.d1 b=200 a.sO a.W30000 +30s "
	    "r p0=a x0.t1 e0=200 a!C",
	"hl=5 th=9 n=1 a=500 a=500 a!C a.d0 a=500",
	"hl=7 th=1 fa=40 n=1 a=500>a=500 a.S20 a!O a.d1 k.f1 r p0=- a.W30000",
	"hl=6 fa=90 wm=2 n=1 r p0=a e0=500 a.S10 r p0=a e0=500 r p0=- a.sD "
	    "a.W140000",
	"hl=5 wm=9 th=1 n=1 a=500 +5s a=500 a!O a.w25000",
	"hl=5 wm=9 th=1 on=401 n=1 a=500 +5s a=401 a!O a.w25000",
	"hl=5 wm=9 th=1 n=1 a=500 a=429/9 a!C", "hl=5 wm=9 th=1 n=1 a=500 "
	    "a=404 a!C", "hl=5 wm=9 th=1 n=1 a=500 a=left a!O a=local a!O",
	"hl=5 wm=9 n=1 a=500 a=500 a=500 a!O r p0=a c0 k=OC a!C a.f2 c0 "
	    "k=CC e0=cut a!O",
	"hl=5 wm=9 th=1 n=1 a=500 +30s r p0=a x0.t1 r p1=a x1.t0 a.t1 a.n2 "
	    "e1=500 a!H e0=200 a!C",
	"hl=5 wm=9 th=1 n=1 a=500 +30s r p0=a r p1=a e1=200 a!C a.t1 e0=500 "
	    "a!C a.t0",
	"hl=8 th=1 n=1 a=500 a!C a.d0 a=500 a.S100 a=200",
	"th=1 n=1 a=500 a!O hl=4 a.d0 a=200 a!C hl=1 a=200",
	/* all down: once each in the order of the list, if it may */
	"try=1 th=1 a=500>b=500 r p0=a x0.l1 x0.t0 e0=500 a.w30000 p0=b "
	    "x0.l1 e0=200 b!C p0=- a.sT b.sT",
	"try=1 th=1 pr=21 b=500>a=500 r p0=a x0.l1 p1=b x1.l1",
	"try=1 th=1 tries=2 n=1 a=500 r p0=a e0=500 p0=-",
	"try=1 th=1 a=500>b=500 +30s r p0=a x0.t1 e0=500 p0=b x0.t1 e0=500 "
	    "p0=- none=502,0",
	"try=1 th=1 n=1 a=500 +30s r p0=a x0.t1 r p1=a x1.l1 x1.t0 a.t1 "
	    "e1=500 a!H e0=200 a!C",
	"try=1 th=1 n=1 a=500 r p0=a +30s r p1=a x1.t1 x1.l0 e1=500 a!O "
	    "e0=200 a!O a=500 a!O",
	"try=1 th=1 n=1 a=500 a=left a!O a=404 a!C",
	"try=1 th=1 n=1 a=500 r p0=a c0 a!C e0=200",
	"th=1 n=1 a=500 +30s r p0=a x0.t1 c0 x0.t0 e0=200",
	"n=1 a=429/1800000 +600s r p0=a x0.p1 r p1=a e1=429/5000 c0 x0.p0 "
	    "k.w0 k.m1200000 e0=200 a.w1200000",
	"try=1 th=1 mc=1 n=1 a=500 r p0=a r p1=- a.sO",
	"try=1 th=1 n=1 a=500 ra=7 r p0=- a.sO",
	"try=1 th=1 n=3 a=500>b=500>c=429/5000 r p0=c x0.l0 e0=429/5000 p0=a "
	    "x0.l1",
	/* room and rate */
	"mc=1 r p0=a r p1=b a.sB e0=200 r p2=a",
	"n=1 mc=2 r p0=a r p1=a r p2=- a.sB none=503,1000 e0=200 r p2=a",
	"ra=5000 b=200 a.sL a.W5000 a.f0 ra=0 a=200",
	"n=1 ra=5000 r p0=- none=429,5000", "ra=5000 r p0=b e0=429/9000 p0=- "
	    "none=429,5000", "ra=5000 mc=1 r p0=b r p1=- a.sL b.sB "
	    "none=503,1000", "ra=5000 r p0=b e0=500 p0=- none=502,0",
	"hl=2 n=1 ra=9 r p0=- a.S100 a.d0",
	/* what is about one model */
	"mod a=m429/5000>b=200 k.c0 a.w0 A.w5000 b=200 a.W5000 +5s a=200",
	"mod n=1 a=m429/5000 k.c1 k.m5000 a=200 A.w0",
	"mod n=1 th=2 a=m500 a.f0 A.f1 a=m500 A!O a!C k=CO r p0=- a.sO "
	    "a.W30000 +30s r p0=a x0.t1 A.t1 a.t0 a.n1 A.n1 e0=200 A!C A.n0",
	"mod n=1 th=3 a=500 a.f1 A.f0 a=m500 a.f1 A.f1 a=200 a.f0 A.f0",
	"mod n=1 th=1 a=500 +30s r p0=a a.t1 A.t0 e0=m500 a!C A!O",
	"mod n=1 th=1 a=m500 +30s a=500 A!H A.t0 a!O +30s r p0=a a.t1 A.t1 "
	    "e0=200 a!C A!C",
	"mod n=1 th=1 a=m500 +30s a=404 A!C", "mod n=1 th=1 a=m500 +30s "
	    "r p0=a c0 A!C A.t0 e0=left A.n0",
	"mod n=1 th=1 a=m500 +30s r p0=a r p1=- a.sR e0=left r p1=a",
	"mod n=1 a=429/5000 a.w5000 A.w0 a=200 a.w0",
	"mod n=1 a=200/5000 a.w5000 A.w0 a=m200/7000 a.w0 A.w7000",
	"mod n=1 on=401 a=m401 A!O a!C", "n=1 a=m500 a.f1 a=m429/9 a.w9",
	"mod hl=4 n=1 a=m500 a.d0 a=m500 A.d1 a.d0 r p0=- a.sD a.W140000",
	"mod hl=2 fa=80 n=1 r p0=a e0=m500 a.S100 A.S20 r p0=- a.sD",
	"mod hl=2 fa=100 try=1 n=1 r p0=a e0=m500 A.S0 r p0=a x0.l1 A.S10 "
	    "a.S100 e0=200 A.S15",
	"mod th=1 a=m500>b=200 a.d0 b=200 a.sO",
	/* a long cool-down: a single request in ten minutes asks */
	"a=429/1800000>b=200 +599999 b=200 +1 r p0=a x0.p1 r p1=b e1=200 "
	    "e0=429/1000 a.w1200000 k.c0 b=200 +599999 b=200 +1 r p0=a x0.p1 "
	    "e0=200 a.w0 k.w1 r p0=a x0.p0",
	"a=429/600000>b=200 +599999 b=200",
	"a=429/600001>b=200 +600s r p0=a x0.p1 e0=500 a.f1 a.w1",
	"r p0=a p1=b e0=200 e1=429/1800000 +600s a=200 r p0=a e0=500 p0=b "
	    "x0.p1 e0=200 b.w0",
	"a=429/3600000>b=200 +600s r p0=a e0=left b=200 +599999 b=200 +1 "
	    "r p0=a x0.p1 +900s r p1=b e1=200 e0=429/3600000 a.w3600000 "
	    "k.c1 r p0=a x0.p1",
	"a=429/1800000>b=200 +600s r p0=a c0 k.w1 a.w0 r p1=a x1.p0 e1=200 "
	    "e0=200 a.w0",
	"a=429/1800000>b=200 +600s r p0=a c0 e0=200 a=429/1800000>b=200 "
	    "+600s r p0=a x0.p1 e0=200 a=429/5000>b=200 b=200 a.w5000",
	"a=429/1800000>b=200 +1800s a=429/5000>b=200 b=200 +4999 b=200",
	"mod a=m429/1800000>b=200 +600s r p0=a x0.p1 e0=m429/9 b=200 +600s "
	    "r p0=a x0.p1 e0=200 A.w0",
	/* health checks */
	"th=1 n=1 a=500 a.d1 no=a a!O k=OO ok=a a!H k=OH k.r1 r p0=a x0.t1 "
	    "e0=200 a!C ok=a a!C k=CC",
	"th=1 n=1 a=500 ok=a a=500 a!O a.w30000", "th=1 n=1 a=500 +30s a.d0",
	"hl=2 fa=90 n=1 r p0=a e0=500 ok=a a.S10 a.d1",
	"n=1 a=429/5000 ok=a a.w5000 a.d0",
	/* cleared by hand: breaker, cool-down, score, window, models */
	"th=1 n=1 a=500 a!O clear=a a!C a.f0 a.w0 a.d0 k=OC k.r1 k.w0 a=200",
	"th=3 n=1 a=500 a=500 clear=a a.f0 a=500 a=500 a!C a=500 a!O",
	"n=1 a=429/5000 a.w5000 clear=a a.w0 k=CC k.w1 k.r0 a=200",
	"n=1 clear=a k=CC k.w0 k.r0 a!C",
	"hl=2 fa=90 n=1 r p0=a e0=500 a.S10 a.d1 clear=a a.S100 a.d0 k.r1",
	"hl=4 n=1 a=500 a=500 a.d1 clear=a a.d0 k.r1 a=500 a.d0 a=500 a.d1",
	"mod th=1 n=1 a=m500 A!O clear=a A!C a!C a=200",
	"th=1 n=1 a=500 +30s r p0=a a!H clear=a a!C a.t1 e0=500 a!C a.t0 a.n0",
	"th=1 n=1 r p0=a r p1=a e0=500 a!O clear=a e1=500 a!C a.f0",
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
	struct fo_want want;
	struct fo_backend *m[BACKENDS];
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
	int got = failover_pick(g->c, g->n, &g->want, &g->p, g->now,
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
	int model = *word == 'm';
	size_t i, len = strcspn(word += model, "/> ");

	memset(&o, 0, sizeof o);
	o.model_only = model != 0;
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
		"off=", "pr=", "hl=", "su=", "fa=", "ab=", "rm=", "wi=",
		"wm=", "try=", "mc=", "ra="
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
	case 2: g->want.max_tries = (unsigned)v; break;
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
	case 10: g->p.health = (unsigned)v; break;
	case 11: g->p.score.success = (unsigned)v; break;
	case 12: g->p.score.failure = (unsigned)v; break;
	case 13: g->p.score.healthy_above = (unsigned)v; break;
	case 14: g->p.score.recover_minutes = (unsigned)v; break;
	case 15: g->p.window.ms = v; break;
	case 16: g->p.window.min_failures = (unsigned)v; break;
	case 17:
		g->p.when_all_down = v ? FO_ALL_DOWN_TRY : FO_ALL_DOWN_FAIL;
		break;
	case 18:
		for (i = 0; i < BACKENDS; i++)
			g->c[i].max_concurrent = (unsigned)v;
		break;
	case 19: g->c[0].rate_wait = v; break;
	default:
		return 0;
	}
	return 1;
}

/* a.f2 a!O A.f2 */
static void
play_look(struct play *g, const char *w)
{
	int model = *w < 'a', at = *w - (model ? 'A' : 'a');
	struct fo_backend *b = model ? g->m[at] : g->b[at];
	uint64_t want = strtoull(w + 3, NULL, 10), got;

	if (w[1] == '!') {
		P_OK("COH"[b->state] == w[2], "state %d", (int)b->state);
		return;
	}
	switch (w[2]) {
	case 's':
		P_OK("NTORDBL"[g->c[at].skip] == w[3], "skip %d",
		    (int)g->c[at].skip);
		return;
	case 'f': got = b->failures; break;
	case 't': got = b->trials; break;
	case 'n': got = b->in_flight; break;
	case 'w': got = failover_wait(b, g->now); break;
	case 'W': got = g->c[at].wait; break;
	case 'S': got = failover_score(b, &g->p, g->now); break;
	case 'd': got = failover_is_down(b, &g->p, g->now) != 0; break;
	default: got = want + 1; break;
	}
	P_OK(got == want, "it is %lu", (unsigned long)got);
}

/* x1.t1 */
static void
play_ticket(struct play *g, const char *w)
{
	const struct fo_ticket *t = &g->t[w[1] - '0'];
	unsigned got = w[3] == 't' ? t->trial : w[3] == 'p' ? t->probe :
	    t->last_resort;

	P_OK(strchr("tpl", w[3]) != NULL && got == (unsigned)(w[4] - '0'),
	    "it is %u", got);
}

/* Every candidate names one model from now on. */
static void
play_models(struct play *g)
{
	size_t i;

	for (i = 0; i < BACKENDS; i++) {
		g->m[i] = failover_model(&g->f, g->b[i], str_of("m"));
		if (g->m[i] == NULL)
			exit(2);
		g->c[i].model = g->m[i];
	}
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
	else if (w[2] == 'f')
		P_OK(g->k.fell == want, "fell");
	else if (w[2] == 'r')
		P_OK(g->k.rose == want, "rose");
	else
		P_OK(w[2] == 'm' && g->k.wait == want, "wait %lu",
		    (unsigned long)g->k.wait);
}

static void
play_none(struct play *g, const char *w)
{
	struct fo_none none;
	char *end;

	failover_none(g->c, g->limited, g->n, g->failed, &g->p, g->now,
	    &none);
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
	} else if (strncmp(w, "mod", 3) == 0) {
		play_models(g);
	} else if (strncmp(w, "ok=", 3) == 0 || strncmp(w, "no=", 3) == 0) {
		failover_checked(g->b[w[3] - 'a'], *w == 'o', &g->p, g->now,
		    &g->k);
	} else if (strncmp(w, "clear=", 6) == 0) {
		failover_clear(g->b[w[6] - 'a'], &g->p, g->now, &g->k);
	} else if (*w == 'r' && (w[1] == ' ' || w[1] == '\0')) {
		play_request(g);
	} else if (*w == 'x') {
		play_ticket(g, w);
	} else if (*w == 'k') {
		play_change(g, w);
	} else if (*w == 'p' && w[1] <= '9' && w[2] == '=') {
		play_pick(g, (unsigned)(w[1] - '0'), w[3]);
	} else if (*w == 'e' && w[2] == '=') {
		play_end(g, (unsigned)(w[1] - '0'), w + 3);
	} else if (*w == 'c' && w[1] >= '0' && w[1] <= '9') {
		failover_commit(&g->t[w[1] - '0'], &g->p, g->now, &g->k);
	} else if (*w >= 'a' && *w <= 'd' && w[1] == '=') {
		play_walk(g, w);
	} else if (strchr("abcdABCD", *w) != NULL &&
	    (w[1] == '!' || w[1] == '.')) {
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
	g->now = 1000000;
	fo_policy_defaults(&g->p);
	g->p.max_cooldown_ms = 3600000;
	g->want.max_tries = 1;
	g->want.last_resort = 1;
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

int
main(void)
{
	size_t i;

	for (i = 0; i < N(scripts); i++)
		test_script(scripts[i]);
	return t_end();
}
