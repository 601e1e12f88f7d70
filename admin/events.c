#include "admin/events.h"

#include <stdlib.h>
#include <string.h>

#include "admin/say.h"
#include "admin/view.h"

#define EVENT_MAX	(128u << 10)	/* half of what a listener may lag */
#define EVENTS_SLOW	4	/* ticks: what changes by time alone */
#define EVENTS_STATUS	20	/* ticks: the same, for the status */
#define EVENTS_PING	60	/* ticks: 15 s */
#define EVENTS_BUDGET	4	/* requests in EVENTS_SLOW ticks */
#define EVENTS_RUNNING	64	/* running requests that are watched */

struct listener {
	struct events *all;
	struct web_request *r;
	uint64_t token;			/* hash of the one that it knew */
	struct listener *next, *prev;
};

struct events {
	const struct admin_host *h;
	struct listener *list;		/* owned */
	unsigned n;
	struct timer timer;
	unsigned long ticks;
	uint64_t changed;		/* of stats, when it was last told */
	uint64_t backends;		/* hash of what was last told */
	uint64_t ended;			/* of stats: those before are told */
	unsigned budget;		/* requests that may still be told */
	struct {
		uint64_t number, state;
	} running[EVENTS_RUNNING];	/* what was last told of each */
};

struct events *
events_new(const struct admin_host *h)
{
	struct events *e = calloc(1, sizeof *e);

	if (e != NULL)
		e->h = h;
	return e;
}

static void
listener_gone(void *arg)
{
	struct listener *l = arg;

	if (l->prev != NULL)
		l->prev->next = l->next;
	else
		l->all->list = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	if (--l->all->n == 0)
		timer_clear(l->all->h->loop, &l->all->timer);
	free(l);
}

void
events_free(struct events *e)
{
	if (e == NULL)
		return;
	while (e->list != NULL)
		listener_gone(e->list);
	timer_clear(e->h->loop, &e->timer);
	free(e);
}

/* ---- events ---- */

static void
event_begin(struct buf *b, const char *name)
{
	buf_init(b, EVENT_MAX);
	buf_adds(b, "event: ");
	buf_adds(b, name);
	buf_adds(b, "\ndata: ");
}

/* To one, or to all if r is NULL. */
static void
event_send(struct events *e, struct web_request *r, struct buf *b)
{
	struct listener *l;

	buf_adds(b, "\n\n");
	if (b->bad)
		;		/* too large: those who want it ask for it */
	else if (r != NULL)
		web_send(r, buf_str(b));
	else
		for (l = e->list; l != NULL; l = l->next)
			web_send(l->r, buf_str(b));
	buf_free(b);
}

static void
status_send(struct events *e, struct web_request *r)
{
	struct view v;
	struct buf b;

	view_now(&v, e->h);
	event_begin(&b, "status");
	view_status(&b, &v, 0);
	event_send(e, r, &b);
}

/* Without r: only if it is another than last time. */
static void
backends_send(struct events *e, struct web_request *r)
{
	struct view v;
	struct str s;
	struct buf b;
	uint64_t hash;

	view_now(&v, e->h);
	event_begin(&b, "backends");
	view_backends(&b, &v);
	s = buf_str(&b);
	hash = util_hash(s.p, s.n);
	if (r != NULL || hash != e->backends)
		event_send(e, r, &b);
	else
		buf_free(&b);
	e->backends = hash;
}

static void
request_send(struct events *e, const struct stats_entry *s)
{
	struct view v;
	struct buf b;

	view_now(&v, e->h);
	event_begin(&b, "request");
	buf_addc(&b, '{');
	view_request(&b, &v, s);
	buf_addc(&b, '}');
	event_send(e, NULL, &b);
	e->budget--;
}

/* What of a running request is worth an event when it changes. */
static uint64_t
state_of(const struct stats_entry *s)
{
	return (uint64_t)s->phase << 32 | s->attempts;
}

/* Those that ended, and those that began or changed, as far as it goes. */
static void
requests_send(struct events *e)
{
	const struct stats *s = &e->h->clients->ex.stats;
	const struct stats_entry *one;
	uint64_t behind = s->ended - e->ended;
	size_t i;

	if (behind > e->budget)
		behind = e->budget;
	for (; behind > 0; behind--)
		if ((one = stats_recent(s, (size_t)behind - 1)) != NULL)
			request_send(e, one);
	e->ended = s->ended;
	for (one = s->newest; one != NULL && e->budget > 0; one = one->prev) {
		i = (size_t)(one->number % EVENTS_RUNNING);
		if (e->running[i].number > one->number ||
		    (e->running[i].number == one->number &&
		    e->running[i].state == state_of(one)))
			continue;
		e->running[i].number = one->number;
		e->running[i].state = state_of(one);
		request_send(e, one);
	}
}

static uint64_t
token_hash(const struct events *e)
{
	struct str s = e->h->clients->gen->cfg->web_admin.token;

	return util_hash(s.p, s.n);
}

/* Who came in with a token that is not the present one must go. */
static void
listeners_check(struct events *e)
{
	uint64_t token = token_hash(e);
	struct listener *l;

	for (l = e->list; l != NULL; l = l->next)
		if (l->token != token)
			web_cut(l->r);
}

static void
tick(void *arg, uint64_t now)
{
	static const char ping[] = ": still here\n\n";
	struct events *e = arg;
	uint64_t changed = e->h->clients->ex.stats.changed;
	int news = changed != e->changed;
	struct listener *l;

	listeners_check(e);
	e->ticks++;
	e->changed = changed;
	if (e->ticks % EVENTS_SLOW == 0)
		e->budget = EVENTS_BUDGET;
	/* What had to wait for the budget is told without news, too. */
	requests_send(e);
	if (news || e->ticks % EVENTS_SLOW == 0)
		backends_send(e, NULL);
	if (news || e->ticks % EVENTS_STATUS == 0)
		status_send(e, NULL);
	if (e->ticks % EVENTS_PING == 0)
		for (l = e->list; l != NULL; l = l->next)
			web_send(l->r, str_n(ping, sizeof ping - 1));
	timer_set(e->h->loop, &e->timer, now + EVENTS_TICK_MS);
}

void
events_join(struct events *e, struct web_request *r)
{
	struct listener *l;

	if (e->n >= EVENTS_MAX || (l = calloc(1, sizeof *l)) == NULL) {
		say_error(r, 503, "too many listen already", NULL);
		return;
	}
	l->all = e;
	l->r = r;
	l->token = token_hash(e);
	if ((l->next = e->list) != NULL)
		l->next->prev = l;
	e->list = l;
	if (e->n++ == 0) {
		e->changed = e->h->clients->ex.stats.changed;
		e->ended = e->h->clients->ex.stats.ended;
		e->budget = EVENTS_BUDGET;
		memset(e->running, 0, sizeof e->running);
		e->timer.fire = tick;
		e->timer.arg = e;
		timer_set(e->h->loop, &e->timer, loop_now(e->h->loop) +
		    EVENTS_TICK_MS);
	}
	web_stream(r, str_of(say_guard), listener_gone, l);
	status_send(e, r);
	backends_send(e, r);
}
