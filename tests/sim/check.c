#include "tests/sim/check.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/provider.h"

struct check check;

#define NOTICE_TURNS 60		/* in which the proxy sees that one left, */
#define NOTICE_MS 12		/* and as long as lazy watches wait */

/* 1 if anything may be cut short, as memory was short or all is closing. */
static int
excused(const struct user *u)
{
	return u->left != 0 || u->stuck || check.closing || plan.fds != 0 ||
	    alloc_failed() > 0;
}

/*
 * A later answer whose only end is the connection's may have been torn by a
 * reset, which takes with it what the client had not read yet.
 */
static int
reset_later(const struct request *r, const struct user *u)
{
	unsigned i;

	for (i = r->id + 1; i < u->conn->first + u->conn->n; i++)
		if (!plan.requests[i].minor && plan.requests[i].nattempts > 0)
			return u->wire->near_reset;
	return 0;
}

/* 1 if its own limits leave something for one more attempt. */
static int
is_free(const struct backend *b)
{
	uint64_t wait;

	return (b->room == 0 || b->health->in_flight < b->room) &&
	    limit_requests_peek(&check.access->backends, str_of(b->name),
	    b->rate, world.now, &wait) == LIMIT_OK;
}

/* 1 if neither score nor window have anything against it. */
static int
is_sound(const struct fo_backend *h)
{
	const struct fo_backend *m;

	for (m = h->models; m != NULL; m = m->next)
		if (m->lost > 0 || m->nfails > 0)
			return 0;
	return h->lost == 0 && h->nfails == 0;
}

void
check_begin(struct request *r)
{
	const struct backend *b;
	unsigned i;

	for (i = 0; i < plan.nbackends; i++) {
		b = &plan.backends[i];
		r->was[i].bad = b->bad;
		r->was[i].epoch = b->health->epoch;
		r->was[i].closed = b->health->state == FO_CLOSED &&
		    (plan.breaker || is_sound(b->health));
		r->was[i].chosen = b->health->chosen;
		r->was[i].free = is_free(b);
	}
}

/* ---- answers of the proxy's own ---- */

/* No backend that works and was not locked out may have been left untried. */
static void
lost_check(const struct request *r, unsigned attempts)
{
	const struct backend *b;
	unsigned i;

	if (plan.attempts > 0 && attempts >= plan.attempts)
		return;
	if (plan.total > 0 && r->ended_at - r->begun_at >= plan.total)
		return;
	if (plan.retry > 0 && r->ended_at - r->begun_at >= plan.retry)
		return;
	for (i = 0; i < plan.nbackends; i++) {
		b = &plan.backends[i];
		if (!plan_allows(r, b) || (!plan.breaker &&
		    !is_sound(b->health)))
			continue;
		/* Whoever else came there may have taken the last of it. */
		if ((b->room > 0 || b->rate > 0) && (!r->was[i].free ||
		    b->health->chosen != r->was[i].chosen))
			continue;
		if (b->bad == r->was[i].bad && b->mood != MOOD_SICK &&
		    b->names_fail == 0 && r->was[i].closed &&
		    b->health->state == FO_CLOSED &&
		    b->health->epoch == r->was[i].epoch)
			wrong("%s is lost although %s works", r->name,
			    b->name);
	}
}

static int
starts(const struct bytes *b, const char *s)
{
	return b->n >= strlen(s) && memcmp(b->p, s, strlen(s)) == 0;
}

static void
own_check(const struct request *r, const struct user *u,
    const struct reader *a, enum outcome how, unsigned attempts)
{
	unsigned n;

	if (how == CUT) {
		if (!excused(u))
			wrong("%s: an error of the proxy is cut", r->name);
		return;
	}
	if (r->kind == KIND_LOCAL && a->status == 200) {
		if (!starts(&a->payload, "{\"status\":\"ok\"}"))
			wrong("%s: no health", r->name);
		return;
	}
	if (alloc_failed() > 0) {
		if (a->status < 400)
			wrong("%s: %d without its fields", r->name, a->status);
		return;
	}
	/* Of a head that cannot be read not even the dialect is known. */
	if (r->kind != KIND_HEAD && r->kind != KIND_WRONG && r->sent &&
	    !starts(&a->payload, plan.openai ? "{\"error\":{\"message\":" :
	    "{\"type\":\"error\",\"error\":{"))
		wrong("%s: an error in no dialect", r->name);
	/* Wrong ones show no key; what is wrong may stand behind the head. */
	if ((!r->sent && a->status == 408) || (r->kind == KIND_WRONG &&
	    (a->status == r->refused || (plan.keyed && a->status == 401))))
		return;
	n = (unsigned)plan_refused(r);
	/* What a key may ask for is told after how much it may ask. */
	if (n != 0 && (unsigned)a->status != n && (n != 403 ||
	    a->status != 429 || plan.keys[r->key].rate == 0))
		wrong("%s: status %d to a key that is to get %u", r->name,
		    a->status, n);
	if (n != 0 && attempts > 0)
		wrong("%s: %u attempts although refused", r->name, attempts);
	if (n != 0)
		return;
	if (a->status != 429 && a->status != 502 && a->status != 503)
		wrong("%s: an own answer with status %d", r->name, a->status);
	reader_field(a, "retry-after", &n);
	if (n != (a->status != 502))
		wrong("%s: %u retry-after with %d", r->name, n, a->status);
	if (a->status == 429 && attempts == 0 && plan.keyed &&
	    plan.keys[r->key].rate > 0)
		return;
	if (!excused(u))
		lost_check(r, attempts);
}

/* ---- answers of backends ---- */

static long
find_last(const struct bytes *b, const char *s, size_t before)
{
	size_t n = strlen(s), i;

	for (i = before < b->n ? before : b->n; i-- > 0;)
		if (i + n <= b->n && memcmp(b->p + i, s, n) == 0)
			return (long)i;
	return -1;
}

static int
is_prefix(const struct bytes *b, size_t n, const struct bytes *all)
{
	return n <= all->n && (n == 0 || memcmp(b->p, all->p, n) == 0);
}

/* What came is the answer's beginning, then a word that it broke off. */
static void
torn_check(const struct request *r, const struct user *u,
    const struct reader *a, const struct said *rep)
{
	long at = find_last(&a->payload, "the answer broke off", NEVER);
	long from = -1;
	size_t n = a->payload.n;

	if (at >= 0)
		from = find_last(&a->payload, plan.openai ?
		    "data: {\"error\"" : "event: error\n", (size_t)at);
	if (from >= 0)
		n = (size_t)from;
	if (!is_prefix(&a->payload, n, &rep->payload) && (from < 2 ||
	    !is_prefix(&a->payload, n - 2, &rep->payload))) {
		say("got:\n%.*s\nof:\n%.*s", (int)a->payload.n,
		    (const char *)a->payload.p, (int)rep->payload.n,
		    (const char *)rep->payload.p);
		if (!excused(u) && !a->until_close && !reset_later(r, u))
			wrong("%s: what came before the cut is not the "
			    "answer's", r->name);
		return;
	}
	if (r->kind == KIND_STREAM && rep->status == 200 && from < 0 &&
	    !a->until_close && !excused(u) && !reset_later(r, u))
		wrong("%s: a stream is cut without a word", r->name);
}

static void
given_check(const struct request *r, const struct user *u,
    const struct reader *a, enum outcome how)
{
	const struct attempt *t;
	const struct said *rep;
	unsigned n;
	const char *mark = reader_field(a, "x-prov", &n);

	if (r->nattempts == 0 || n != 1) {
		wrong("%s: an answer that no backend gave", r->name);
		return;
	}
	t = &r->attempts[r->nattempts - 1];
	rep = t->reply;
	if (strcmp(mark, rep->mark) != 0 || strcmp(t->b->name,
	    reader_field(a, "x-spillway-backend", &n)) != 0)
		wrong("%s: not the answer of the last attempt", r->name);
	else if (rep->commit_from > rep->cut)
		wrong("%s: a bad answer is let through: %s", r->name,
		    said_text(rep));
	else if (a->status != rep->status)
		wrong("%s: status %d instead of %d", r->name, a->status,
		    rep->status);
	else if (how == COMPLETE && rep->clean_from > rep->cut)
		wrong("%s: a torn answer ends as if it were whole: %s",
		    r->name, said_text(rep));
	else if (how == COMPLETE && (rep->cut == rep->wire.n ?
	    a->payload.n != rep->payload.n || !is_prefix(&a->payload,
	    a->payload.n, &rep->payload) : !is_prefix(&a->payload,
	    a->payload.n, &rep->payload)))
		wrong("%s: %lu other bytes than the %lu of the backend",
		    r->name, (unsigned long)a->payload.n,
		    (unsigned long)rep->payload.n);
	else if (how == CUT && said_whole(rep) && !excused(u) &&
	    plan.total == 0 && plan.retry == 0 && !reset_later(r, u))
		wrong("%s: a good answer is cut: %s", r->name,
		    said_text(rep));
	else if (how == CUT)
		torn_check(r, u, a, rep);
}

/* ---- the end of a request ---- */

static void
nothing_check(const struct request *r, const struct user *u)
{
	const struct request *before = NULL;

	if (r->id > u->conn->first)
		before = &plan.requests[r->id - 1];
	if (excused(u) || u->last || check.draining || !r->sent)
		return;
	/* Its only sign of a cut is a reset, which may lose all. */
	if ((!r->minor && r->nattempts > 0) || reset_later(r, u))
		return;
	if (before != NULL && before->outcome != COMPLETE)
		return;
	wrong("%s: closed without an answer", r->name);
}

static void
fields_check(const struct request *r, const struct reader *a)
{
	unsigned n;
	const char *id = reader_field(a, "x-request-id", &n);

	if (alloc_failed() > 0)
		return;
	if (n != 1 || (strcmp(id, r->name) != 0 && r->sent &&
	    r->kind != KIND_WRONG))
		wrong("%s: x-request-id is %s, %u times", r->name, id, n);
	reader_field(a, "x-spillway-attempts", &n);
	if (n != 1)
		wrong("%s: x-spillway-attempts %u times", r->name, n);
	reader_field(a, "keep-alive", &n);
	if (n != 0)
		wrong("%s: a hop-by-hop field came through", r->name);
}

void
check_answer(struct request *r, const struct user *u, const struct reader *a,
    enum outcome how)
{
	static const char *const texts[] = {
		"open", "complete", "cut", "nothing"
	};
	unsigned n, attempts;

	r->outcome = how;
	r->ended_at = world.now;
	if (r->begun || a != NULL)
		say("%s has %s: %s %d", u->wire->name, r->name, texts[how],
		    a != NULL ? a->status : 0);
	if (how == NOTHING || a->head.n < 4 || (how == CUT && !a->in_body)) {
		nothing_check(r, u);
		return;
	}
	fields_check(r, a);
	attempts = (unsigned)strtoul(reader_field(a, "x-spillway-attempts",
	    &n), NULL, 10);
	reader_field(a, "x-spillway-backend", &n);
	if (n == 0)
		own_check(r, u, a, how, attempts);
	else if (n == 1)
		given_check(r, u, a, how);
	else
		wrong("%s: x-spillway-backend %u times", r->name, n);
}

/* ---- after each turn ---- */

/* Whoever serves a client that has left must be let go. */
static void
left_check(void *arg, struct request *r, struct wire *w)
{
	const struct user *u = user_of(r);
	const struct wire *c = u->wire;

	(void)arg;
	if (c->near_closed)
		wrong("%s serves %s, whose client is gone", w->name, r->name);
	else if (u->left != 0 && c->told != 0 && world.turns > c->told)
		wrong("%s serves %s, whose client was seen to leave",
		    w->name, r->name);
	else if (u->left != 0 && c->told == 0 && c->in.len == 0 &&
	    c->in.total < 60000 && world.turns > c->took + NOTICE_TURNS &&
	    world.turns > u->left + NOTICE_TURNS &&
	    world.now > u->left_at + NOTICE_MS &&
	    world.now > c->took_at + NOTICE_MS)
		wrong("%s serves %s, and nobody sees that the client left",
		    w->name, r->name);
}

void
check_turn(void)
{
	const struct backend *b;
	unsigned i;

	for (i = 0; i < plan.nbackends; i++) {
		b = &plan.backends[i];
		if (b->room > 0 && b->health->in_flight > b->room)
			wrong("%s: %u at a time, of %u", b->name,
			    b->health->in_flight, b->room);
	}
	provider_busy(left_check, NULL);
}

void
check_end(void)
{
	const struct fo_backend *b;

	for (b = check.registry->list; b != NULL; b = b->next)
		if (b->in_flight != 0 || b->trials != 0)
			wrong("%s: %u tickets and %u trials are left",
			    b->name, b->in_flight, b->trials);
}
