#include "tests/sim/provider.h"

#include <errno.h>
#include <string.h>

#include "tests/sim/user.h"

#define GOT_MAX 70000

enum connect_fault {
	CONNECT_REFUSED, CONNECT_LATE, CONNECT_NEVER, CONNECT_RESET,
	CONNECT_FIN, CONNECT_FAULTS
};

/* One connection of the proxy to a backend. */
struct line {
	struct actor actor;
	struct wire *wire;
	struct backend *b;
	uint64_t opens_at;		/* 0: it is open, or never will be */
	enum connect_fault fault;
	int failing;			/* it shows that fault */
	int dying;			/* reads on, says nothing */
	unsigned served;
	/* the request at hand */
	struct bytes got;		/* of it, until its head is known */
	struct request *r;
	struct bytes expect;
	size_t checked;			/* bytes that were as expected */
	int whole;			/* all of them */
	/* its answer */
	struct said *reply;
	size_t early;			/* answers after so many bytes */
	unsigned delay, piece, gap;
	unsigned rate;			/* bytes read at a time */
	uint64_t send_at;		/* when the next piece goes */
	size_t sent;
	int over;			/* all is out */
	uint64_t idle_until;		/* 0: waits for ever */
	struct line *next;
};

static struct line *lines;

void
provider_start(void)
{
	lines = NULL;
}

/* ---- moods ---- */

static int
is_bad(const struct backend *b)
{
	switch (b->mood) {
	case MOOD_WELL:
		return 0;
	case MOOD_FLAKY:
		return chance(b->percent);
	case MOOD_OUTAGE:
		return world.now >= b->out_from && world.now < b->out_to;
	default:
		return 1;
	}
}

/* What is sent when it is bad: its own fault or any; or a broken answer. */
static enum said_kind
kind_pick(struct line *l, int *breaks)
{
	unsigned fault = l->b->fault >= 0 ? (unsigned)l->b->fault :
	    dice(1000);
	unsigned kinds = REPLY_KINDS - REPLY_BAD;

	*breaks = 0;
	if (!is_bad(l->b)) {
		/* Not wrong, and not what one would wish. */
		if (l->b->mood == MOOD_WELL || !chance(10))
			return REPLY_GOOD;
		l->b->bad++;
		return (enum said_kind)between(REPLY_ERROR_LATE, REPLY_STOP);
	}
	l->b->bad++;
	if (fault % 10 < 4) {
		*breaks = 1;
		return fault % 50 == 3 ? REPLY_RETURNED : REPLY_GOOD;
	}
	return (enum said_kind)(REPLY_BAD + fault / 10 % kinds);
}

/* ---- connecting ---- */

static void line_step(void *arg);

static struct backend *
backend_of(const struct dns_addr *a, unsigned *addr)
{
	if (a->len != 4 || a->b[0] != 10 || a->b[1] >= plan.nbackends) {
		wrong("a connection to an address that nobody has");
		return &plan.backends[0];
	}
	*addr = a->b[2];
	return &plan.backends[a->b[1]];
}

static struct line *
line_new(struct backend *b)
{
	struct line *l = world_alloc(sizeof *l);
	static const size_t windows[] = { 256, 4096, 65536, 1u << 20 };

	l->b = b;
	l->actor.step = line_step;
	l->actor.arg = l;
	actor_add(&l->actor);
	l->wire = wire_new(&l->actor, b->name, 0);
	l->wire->shy = chance(30) ? between(1, 60) : 0;
	l->wire->out.window = windows[dice(4)];
	l->wire->in.window = windows[1 + dice(3)];
	l->next = lines;
	lines = l;
	return l;
}

static int
connect_refuse(struct line *l, struct wire **w)
{
	l->failing = 1;
	switch (l->fault) {
	case CONNECT_REFUSED:
		l->actor.gone = 1;
		say("  %s refuses", l->b->name);
		return chance(50) ? ECONNREFUSED : ENETUNREACH;
	case CONNECT_NEVER:
		say("  %s does not answer to %s", l->b->name, l->wire->name);
		break;
	default:
		l->opens_at = world.now + dice(30);
		actor_at(&l->actor, l->opens_at);
		actor_wake(&l->actor);
	}
	*w = l->wire;
	return 0;
}

int
provider_connect(const struct dns_addr *a, struct wire **w)
{
	unsigned addr = 0;
	struct backend *b = backend_of(a, &addr);
	struct line *l = line_new(b);

	if (addr > 0 && addr <= ADDRS_MAX && b->addr_dead[addr - 1]) {
		l->fault = chance(50) ? CONNECT_REFUSED : CONNECT_NEVER;
		return connect_refuse(l, w);
	}
	if (is_bad(b) && chance(30)) {
		b->bad++;
		l->fault = (enum connect_fault)dice(CONNECT_FAULTS);
		return connect_refuse(l, w);
	}
	l->opens_at = world.now + dice(10);
	if (chance(20)) {
		l->opens_at = 0;
		l->wire->connected = 1;
	}
	actor_wake(&l->actor);
	*w = l->wire;
	return 0;
}

/* 1 if there is nothing more to do now. */
static int
line_open(struct line *l)
{
	if (l->opens_at == 0)
		return l->failing;
	if (l->opens_at > world.now) {
		actor_at(&l->actor, l->opens_at);
		return 1;
	}
	l->opens_at = 0;
	world.moves++;
	if (!l->failing) {
		l->wire->connected = 1;
		return 0;
	}
	l->wire->connected = l->fault != CONNECT_LATE;
	if (l->fault == CONNECT_FIN)
		far_fin(l->wire);
	else
		far_reset(l->wire, 0);
	if (l->fault == CONNECT_LATE)
		l->wire->err = ECONNREFUSED;
	return 1;
}

/* ---- the request ---- */

static void
pace_pick(struct line *l)
{
	static const unsigned pieces[] = { 1, 10, 300, 5000, 1u << 20 };

	l->piece = pieces[chance(50) ? 4 : dice(5)];
	l->gap = l->piece < 300 ? dice(2) : chance(60) ? 0 : dice(20);
	l->delay = chance(50) ? 0 : dice(60);
	l->early = chance(10) ? 1 + dice(2000) : NEVER;
}

#define RATE_MS	50000	/* a minute, less the longest way here */

/* May it come, by the keys, and not too often? */
static void
attempt_check(struct backend *b, const struct request *r)
{
	unsigned i, n = 1;

	if (!plan_allows(r, b))
		wrong("%s comes to %s against its key", r->name, b->name);
	/* The same attempt again, over a fresh connection. */
	if (r->nattempts > 0 && r->attempts[r->nattempts - 1].b == b)
		return;
	for (i = 0; i < b->ngot && i < ATTEMPTS_MAX; i++)
		n += world.now - b->got[i] < RATE_MS;
	b->got[b->ngot++ % ATTEMPTS_MAX] = world.now;
	if (b->rate > 0 && n > b->rate && alloc_failed() == 0)
		wrong("%s: %u attempts in a minute, of %u", b->name, n,
		    b->rate);
}

/* The head of a request is there: whose is it, and what will it get? */
static void
request_begin(struct line *l, const char *name, size_t n)
{
	struct attempt *t;
	int breaks;

	if ((l->r = plan_request(name, n)) == NULL) {
		wrong("%s: a request that no client sent", l->wire->name);
		return;
	}
	user_look(user_of(l->r));
	if (l->r->answering)
		wrong("%s: %s is sent although its answer has begun",
		    l->wire->name, l->r->name);
	if (l->r->nattempts == ATTEMPTS_MAX) {
		wrong("%s: %u attempts", l->r->name, ATTEMPTS_MAX);
		return;
	}
	attempt_check(l->b, l->r);
	memset(&l->expect, 0, sizeof l->expect);
	plan_expect(l->r, l->b, &l->expect);
	l->reply = world_alloc(sizeof *l->reply);
	pace_pick(l);
	said_make(l->reply, kind_pick(l, &breaks), l->r, l->b);
	if (breaks)
		said_break(l->reply);
	/* A reset for what was not read would tear an end by close. */
	if (l->reply->until_close)
		l->early = NEVER;
	t = &l->r->attempts[l->r->nattempts++];
	t->b = l->b;
	t->reply = l->reply;
	t->at = world.now;
	say("  %s gets %s: %s%s", l->wire->name, l->r->name,
	    said_text(l->reply), l->early != NEVER ? ", early" : "");
}

/* Looks for the name in the head; only then the bytes can be compared. */
static void
request_name(struct line *l)
{
	static const char key[] = "\r\nx-request-id: ";
	const unsigned char *p = l->got.p;
	size_t i, k, n = sizeof key - 1;

	for (i = 0; i + n < l->got.n; i++) {
		if (memcmp(p + i, "\r\n\r\n", 4) == 0)
			break;
		if (memcmp(p + i, key, n) != 0)
			continue;
		for (k = i + n; k < l->got.n && p[k] != '\r'; k++)
			;
		if (k < l->got.n)
			request_begin(l, (const char *)p + i + n, k - i - n);
		return;
	}
	if (i + n < l->got.n || l->got.n > GOT_MAX)
		wrong("%s: a request without its name", l->wire->name);
}

static void
request_check(struct line *l)
{
	size_t n = l->got.n;

	if (l->r == NULL)
		return;
	if (n > l->expect.n) {
		/* The next one: the answer was there before we had read all. */
		if (!l->over)
			wrong("%s: %s has %lu bytes too many", l->wire->name,
			    l->r->name, (unsigned long)(n - l->expect.n));
		n = l->expect.n;
	}
	if (n > l->checked && memcmp(l->got.p + l->checked,
	    l->expect.p + l->checked, n - l->checked) != 0) {
		wrong("%s: %s is not what it should be", l->wire->name,
		    l->r->name);
		say("got:\n%.*s\nexpected:\n%.*s", (int)n, l->got.p,
		    (int)l->expect.n, l->expect.p);
	}
	l->checked = n;
	l->whole = n == l->expect.n;
}

static void
request_read(struct line *l)
{
	unsigned char p[8192];
	size_t n;

	while ((n = far_take(l->wire, p, l->rate < sizeof p ? l->rate :
	    sizeof p)) > 0) {
		l->idle_until = 0;
		bytes_add(&l->got, p, n);
		if (l->r == NULL)
			request_name(l);
		request_check(l);
		if (l->rate < sizeof p) {
			actor_at(&l->actor, world.now + 1);
			break;
		}
	}
}

/* A connection that was idle turns out dead when it is used again. */
static int
stale_check(struct line *l)
{
	if (l->served == 0 || l->r != NULL || l->wire->out.len == 0 ||
	    !chance(l->b->stale))
		return 0;
	say("  %s was stale", l->wire->name);
	if (chance(50))
		far_reset(l->wire, 0);
	else
		far_close(l->wire);
	l->dying = 1;
	return 1;
}

/* ---- the answer ---- */

static void
answer_end(struct line *l)
{
	l->over = 1;
	switch (l->reply->end) {
	case END_KEEP:
		return;
	case END_FIN:
		if (chance(50))
			far_fin(l->wire);
		else
			far_close(l->wire);
		break;
	case END_RESET:
	case END_RESET_DROP:
		far_reset(l->wire, l->reply->end == END_RESET_DROP);
		break;
	case END_STALL:
		say("  %s falls silent", l->wire->name);
		break;
	case END_NOISE:
		far_send(l->wire, "zz;z\r\n", 6);
	}
	l->dying = 1;
}

static void
answer_send(struct line *l)
{
	size_t n;

	if (l->over || l->reply == NULL ||
	    (!l->whole && l->got.n < l->early))
		return;
	if (l->send_at == 0)
		l->send_at = world.now + l->delay;
	while (l->sent < l->reply->cut) {
		if (l->send_at > world.now) {
			actor_at(&l->actor, l->send_at);
			return;
		}
		n = l->reply->cut - l->sent;
		if (n > l->piece)
			n = 1 + dice(l->piece);
		n = far_send(l->wire, l->reply->wire.p + l->sent, n);
		l->sent += n;
		if (n == 0)
			return;		/* until the proxy reads */
		l->send_at = world.now + (l->gap > 0 ? dice(l->gap + 1) : 0);
	}
	answer_end(l);
}

/* The next request may come over this connection, or nothing does. */
static void
line_rest(struct line *l)
{
	if (!l->over || !l->whole || l->dying)
		return;
	l->served++;
	l->got.n -= l->expect.n;
	memmove(l->got.p, l->got.p + l->expect.n, l->got.n);
	l->checked = l->sent = 0;
	l->r = NULL;
	l->reply = NULL;
	l->send_at = 0;
	l->over = l->whole = 0;
	if (l->got.n > 0) {
		request_name(l);
		request_check(l);
		actor_wake(&l->actor);
		return;
	}
	l->idle_until = chance(60) ? 0 : world.now +
	    dice(chance(50) ? 20 : 1500);
	if (l->idle_until != 0)
		actor_at(&l->actor, l->idle_until + 1);
}

static void
idle_check(struct line *l)
{
	if (l->idle_until == 0 || l->idle_until > world.now || l->r != NULL)
		return;
	l->idle_until = 0;
	l->dying = 1;
	switch (dice(3)) {
	case 0:
		far_close(l->wire);
		break;
	case 1:
		far_reset(l->wire, 0);
		break;
	default:
		say("  %s speaks unasked", l->wire->name);
		far_send(l->wire, "HTTP/1.1 408 Late\r\n\r\n", 21);
	}
}

static void
line_step(void *arg)
{
	struct line *l = arg;

	if (l->wire->near_closed) {
		l->actor.gone = 1;
		return;
	}
	if (line_open(l))
		return;
	if (l->rate == 0)
		l->rate = chance(85) ? 1u << 20 : between(100, 8000);
	if (l->dying) {
		/* What is not read is what a dead peer does not read. */
		if (l->reply != NULL && l->reply->end >= END_STALL)
			request_read(l);
		return;
	}
	if (stale_check(l))
		return;
	request_read(l);
	answer_send(l);
	line_rest(l);
	idle_check(l);
}

void
provider_busy(void (*each)(void *, struct request *, struct wire *),
    void *arg)
{
	struct line *l;

	for (l = lines; l != NULL; l = l->next)
		if (!l->wire->near_closed && l->r != NULL &&
		    !(l->over && l->reply->end == END_KEEP))
			each(arg, l->r, l->wire);
}
