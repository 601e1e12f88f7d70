#include "net/loop.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "tests/t.h"

#define TURNS_MAX 100000	/* of a test that does not end by itself */

static struct loop *lp;
static uint64_t rng = 42;

/* What happened, one letter each. */
static char story[256];

static void
tell(char c)
{
	size_t n = strlen(story);

	if (n + 1 < sizeof story)
		story[n] = c;
}

static void
expect(const char *what, const char *is)
{
	T_OK(strcmp(story, is) == 0, "%s: \"%s\"", what, story);
	memset(story, 0, sizeof story);
}

static void
waited(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
	T_OK(0, "a turn waited in vain");
}

/* One turn; something is about to happen in each of them. */
static void
turn(void)
{
	static struct timer guard;

	guard.fire = waited;
	timer_set(lp, &guard, loop_now(lp) + 10000);
	if (loop_turn(lp) == -1)
		T_OK(0, "loop_turn");
	timer_clear(lp, &guard);
}

/* ---- watches made of one end of a socket pair ---- */

struct end {
	struct watch w;
	int peer;
	char name;
	unsigned want, got;		/* bits; those of the last call */
	unsigned calls, bytes;
	void (*then)(struct end *);
	struct end *other;
};

static unsigned
end_events(void *arg)
{
	struct end *e = arg;

	return e->want;
}

static void
end_ready(void *arg, unsigned bits, uint64_t now)
{
	struct end *e = arg;
	char c[16];
	ssize_t n;

	if (now != loop_now(lp))
		T_OK(0, "now");
	e->calls++;
	e->got = bits;
	if (e->name != 0)
		tell(e->name);
	if ((bits & LOOP_READ) && (n = read(e->w.fd, c, sizeof c)) > 0)
		e->bytes += (unsigned)n;
	if (e->then != NULL)
		e->then(e);
}

static void
end_open(struct end *e, char name, unsigned want)
{
	int fd[2], i;

	memset(e, 0, sizeof *e);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1) {
		perror("socketpair");
		exit(1);
	}
	for (i = 0; i < 2; i++)
		fcntl(fd[i], F_SETFL, O_NONBLOCK);
	e->w.fd = fd[0];
	e->peer = fd[1];
	e->w.events = end_events;
	e->w.ready = end_ready;
	e->w.arg = e;
	e->name = name;
	e->want = want;
	loop_add(lp, &e->w);
}

static void
end_close(struct end *e)
{
	loop_remove(lp, &e->w);
	close(e->w.fd);
	if (e->peer >= 0)
		close(e->peer);
}

static void
poke(struct end *e)
{
	if (write(e->peer, "x", 1) != 1)
		T_OK(0, "poke");
}

/* ---- timers against a sorted model ---- */

#define TIMERS 300

struct alarm {
	struct timer t;
	uint64_t at;			/* the model's: 0 not set */
};

static struct alarm alarms[TIMERS];
static uint64_t last_at;
static unsigned fired, out_of_order, unexpected, meddle;

static void
alarm_set(struct alarm *a, uint64_t at)
{
	int rc = timer_set(lp, &a->t, at);

	a->at = at == 0 ? 1 : at;
	if (rc == -1 || a->t.at != a->at || a->t.pos == 0)
		T_OK(0, "set: %d", rc);
}

static void
alarm_clear(struct alarm *a)
{
	timer_clear(lp, &a->t);
	a->at = 0;
	if (a->t.at != 0 || a->t.pos != 0)
		T_OK(0, "clear");
}

static struct alarm *
any_alarm(void)
{
	return &alarms[util_random(&rng) % TIMERS];
}

static void
alarm_fire(void *arg, uint64_t now)
{
	struct alarm *a = arg;

	fired++;
	unexpected += a->at == 0 || a->at > now || a->t.at != 0 ||
	    a->t.pos != 0;
	out_of_order += a->at < last_at;
	last_at = a->at;
	a->at = 0;
	if (!meddle)
		return;
	/* In the midst of it others are set for later and cleared. */
	alarm_clear(any_alarm());
	alarm_set(any_alarm(), now + 1000000 + util_random(&rng) % 1000);
}

static unsigned
due_count(uint64_t now)
{
	unsigned i, n = 0;

	for (i = 0; i < TIMERS; i++)
		n += alarms[i].at != 0 && alarms[i].at <= now;
	return n;
}

/* Sets, moves and clears at random; some are due, some far away. */
static void
shuffle(void)
{
	uint64_t now = loop_now(lp), r;
	int i;

	for (i = 0; i < 2000; i++) {
		r = util_random(&rng);
		if (r % 4 == 0)
			alarm_clear(any_alarm());
		else if (r % 4 == 1)
			alarm_set(any_alarm(), now + 1000000 + r / 4 % 1000);
		else
			alarm_set(any_alarm(), r / 4 % (now < 500 ? now :
			    500));
	}
}

static void
check_heap(void)
{
	unsigned i, round, due, turns;

	for (i = 0; i < TIMERS; i++) {
		memset(&alarms[i], 0, sizeof alarms[i]);
		alarms[i].t.fire = alarm_fire;
		alarms[i].t.arg = &alarms[i];
	}
	for (round = 0; round < 20; round++) {
		shuffle();
		meddle = round % 2;
		due = due_count(loop_now(lp));
		fired = out_of_order = unexpected = 0;
		last_at = 0;
		T_OK(due > 0, "round %u: none is due", round);
		for (turns = 0; due_count(loop_now(lp)) > 0 && turns < 10;
		    turns++)
			turn();
		T_OK(meddle ? fired <= due && fired > 0 : fired == due,
		    "round %u: %u of %u", round, fired, due);
		T_OK(out_of_order == 0 && unexpected == 0,
		    "round %u: %u out of order, %u unexpected", round,
		    out_of_order, unexpected);
		T_OK(due_count(loop_now(lp)) == 0, "round %u: left", round);
	}
	for (i = 0; i < TIMERS; i++) {
		alarm_clear(&alarms[i]);
		alarm_clear(&alarms[i]);
	}
}

/* ---- timers and the clock ---- */

static void
tick(void *arg, uint64_t now)
{
	struct timer *t = arg;

	tell('t');
	T_OK(now == loop_now(lp), "now");
	if (strlen(story) < 50)
		timer_set(lp, t, now);	/* at once, and again */
}

static void
tock(void *arg, uint64_t now)
{
	uint64_t *at = arg;

	tell('k');
	T_OK(now >= *at, "%llu ms too early",
	    (unsigned long long)(*at - now));
}

static void
check_timers(void)
{
	struct timer t, k;
	uint64_t at;
	unsigned turns = 0;

	memset(&t, 0, sizeof t);
	t.fire = tick;
	t.arg = &t;
	timer_set(lp, &t, 0);
	turn();
	turn();
	T_OK(strlen(story) >= 2 && strlen(story) <= 4,
	    "a timer that sets itself for now: %s", story);
	memset(story, 0, sizeof story);
	timer_clear(lp, &t);
	memset(&k, 0, sizeof k);
	k.fire = tock;
	k.arg = &at;
	at = loop_now(lp) + 20;
	timer_set(lp, &k, at);
	while (story[0] == '\0' && turns++ < TURNS_MAX)
		turn();
	T_OK(turns < 10, "%u turns for one timer", turns);
	expect("after 20 ms", "k");
	T_OK(loop_wall(lp) > INT64_C(1500000000000), "the wall clock");
}

/* ---- the queue ---- */

static void
again_self(struct end *e)
{
	loop_again(lp, &e->w);
	loop_again(lp, &e->w);
	T_OK(e->calls < 2 || e->got == 0, "bits %u", e->got);
}

static void
again_other(struct end *e)
{
	loop_again(lp, &e->other->w);
}

static void
remove_other(struct end *e)
{
	loop_remove(lp, &e->other->w);
	loop_remove(lp, &e->other->w);
}

static void
remove_self(struct end *e)
{
	loop_again(lp, &e->w);
	loop_remove(lp, &e->w);
}

static void
check_again(void)
{
	struct end a, b;

	end_open(&a, 'a', 0);
	end_open(&b, 'b', 0);
	loop_again(lp, &a.w);
	a.then = again_self;
	turn();
	expect("queued", "a");
	turn();
	turn();
	expect("queues itself", "aa");
	a.then = NULL;
	turn();
	expect("the last one", "a");

	/* Whichever runs first removes the other. */
	a.then = b.then = remove_other;
	a.other = &b;
	b.other = &a;
	loop_again(lp, &a.w);
	loop_again(lp, &b.w);
	turn();
	T_OK(strlen(story) == 1, "removed while queued: %s", story);
	memset(story, 0, sizeof story);
	loop_again(lp, &a.w);
	loop_again(lp, &b.w);	/* one of them is not there: nothing */
	loop_add(lp, &a.w);
	loop_add(lp, &b.w);
	loop_add(lp, &b.w);
	a.then = b.then = NULL;
	turn();
	T_OK(strlen(story) == 1, "only that one: %s", story);
	memset(story, 0, sizeof story);

	/* Asked for within a turn, it comes in the next. */
	a.then = again_other;
	a.want = LOOP_READ;
	poke(&a);
	turn();
	expect("an event queues b", "a");
	turn();
	expect("b is next", "b");
	a.then = NULL;
	b.then = remove_self;
	loop_again(lp, &b.w);
	turn();
	expect("queues and removes itself", "b");
	poke(&a);
	turn();
	expect("gone", "a");
	end_close(&a);
	end_close(&b);
}

/* ---- events and removal in the same turn ---- */

static void
replace_other(struct end *e)
{
	/* As for another descriptor, which the event is not for. */
	loop_remove(lp, &e->other->w);
	loop_add(lp, &e->other->w);
}

static void
check_removal(void)
{
	struct end a, b;

	end_open(&a, 'a', LOOP_READ);
	end_open(&b, 'b', LOOP_READ);
	a.other = &b;
	b.other = &a;
	a.then = b.then = remove_other;
	poke(&a);
	poke(&b);
	turn();
	T_OK(strlen(story) == 1, "removed with an event: %s", story);
	memset(story, 0, sizeof story);
	a.then = b.then = NULL;
	loop_add(lp, &a.w);
	loop_add(lp, &b.w);
	turn();
	T_OK(strlen(story) == 1, "its event is still there: %s", story);
	memset(story, 0, sizeof story);

	a.then = b.then = replace_other;
	poke(&a);
	poke(&b);
	turn();
	T_OK(strlen(story) == 1, "replaced with an event: %s", story);
	a.then = b.then = NULL;
	turn();
	T_OK(strlen(story) == 2, "and told in the next: %s", story);
	memset(story, 0, sizeof story);
	T_OK(a.bytes == 2 && b.bytes == 2, "%u, %u", a.bytes, b.bytes);
	end_close(&a);
	end_close(&b);
}

static void
check_bits(void)
{
	struct end a, b;

	end_open(&a, 'a', LOOP_WRITE);
	end_open(&b, 'b', 0);
	poke(&a);
	turn();
	T_OK(a.got == LOOP_WRITE, "room: %u", a.got);
	a.want = LOOP_READ | LOOP_WRITE;
	turn();
	T_OK(a.got == (LOOP_READ | LOOP_WRITE), "both: %u", a.got);
	a.want = LOOP_READ;
	poke(&a);
	turn();
	T_OK((a.got & LOOP_READ) && a.bytes == 2, "bytes: %u", a.got);
	memset(story, 0, sizeof story);
	a.want = 0;
	poke(&a);
	loop_again(lp, &b.w);
	turn();
	expect("wants nothing", "b");
	/* Whoever waits learns of an end, whatever it waits for. */
	close(a.peer);
	a.peer = -1;
	a.want = LOOP_WRITE;
	turn();
	T_OK(a.got & LOOP_WRITE, "end, writing: %u", a.got);
	a.want = LOOP_READ;
	turn();
	T_OK(a.got & LOOP_READ, "end, reading: %u", a.got);
	memset(story, 0, sizeof story);
	a.want = 0;
	loop_again(lp, &b.w);
	turn();
	expect("an end that nobody waits for", "b");
	end_close(&a);
	a.w.fd = -1;
	a.want = LOOP_READ;
	loop_add(lp, &a.w);
	loop_again(lp, &b.w);
	turn();
	expect("no descriptor", "b");
	loop_remove(lp, &a.w);
	end_close(&b);
}

/* ---- the graveyard ---- */

struct dead {
	struct grave g, second;
	char name;
};

static void
dead_bury(void *arg)
{
	struct dead *d = arg;

	tell(d->name);
	free(d);
}

static void
dead_bury_more(void *arg)
{
	struct dead *d = arg;

	tell('+');
	loop_bury(lp, &d->second, dead_bury, d);
}

static void
dead_new(char name, void (*bury)(void *))
{
	struct dead *d = calloc(1, sizeof *d);

	d->name = name;
	loop_bury(lp, &d->g, bury, d);
}

static void
bury_one(struct end *e)
{
	(void)e;
	dead_new('1', dead_bury);
}

static void
bury_two(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
	tell('t');
	dead_new('2', dead_bury_more);
}

static void
check_graves(void)
{
	struct end a, b;
	struct timer t;
	char *dug;

	end_open(&a, 'a', LOOP_READ);
	end_open(&b, 'b', 0);
	a.then = bury_one;
	poke(&a);
	loop_again(lp, &b.w);
	memset(&t, 0, sizeof t);
	t.fire = bury_two;
	timer_set(lp, &t, 1);
	turn();
	/* After every handler and timer, in any order among themselves. */
	T_OK(strncmp(story, "abt", 3) == 0 && strlen(story) == 6, "%s",
	    story);
	dug = strchr(story, '+');
	T_OK(strchr(story, '1') != NULL && dug != NULL &&
	    strchr(dug, '2') != NULL, "%s", story);
	memset(story, 0, sizeof story);
	a.then = NULL;
	dead_new('3', dead_bury);
	expect("between turns: not yet", "");
	loop_again(lp, &b.w);
	turn();
	expect("at the end of the next", "b3");
	end_close(&a);
	end_close(&b);
}

/* ---- signals ---- */

static void
signalled(void *arg, int signo)
{
	T_OK(arg == &story, "arg");
	tell(signo == SIGUSR1 ? '1' : signo == SIGUSR2 ? '2' :
	    signo == SIGHUP ? 'h' : '?');
}

static void
check_signals(void)
{
	struct sigaction sa;
	int i;

	loop_on_signal(lp, signalled, story);
	T_OK(loop_signal(lp, SIGUSR1, 0) == 0, "SIGUSR1");
	T_OK(loop_signal(lp, SIGUSR2, 1) == 0, "SIGUSR2");
	kill(getpid(), SIGUSR1);
	expect("not in the handler", "");
	turn();
	expect("in the loop", "1");
	kill(getpid(), SIGUSR2);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR2);
	turn();
	expect("three", "212");
	for (i = 0; i < 40; i++)
		kill(getpid(), SIGUSR1);
	turn();
	T_OK(strlen(story) == 40, "%zu of 40", strlen(story));
	memset(story, 0, sizeof story);

	signal(SIGHUP, SIG_IGN);
	T_OK(loop_signal(lp, SIGHUP, 1) == 1, "ignored");
	kill(getpid(), SIGHUP);
	T_OK(sigaction(SIGHUP, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN,
	    "stays ignored");
	T_OK(loop_signal(lp, SIGHUP, 0) == 0, "not kept");
	kill(getpid(), SIGHUP);
	turn();
	expect("SIGHUP", "h");
	loop_on_signal(lp, NULL, NULL);
	kill(getpid(), SIGUSR1);
	turn();
	expect("nobody listens", "");
	signal(SIGHUP, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

/* ---- many descriptors ---- */

#define MANY 150

static struct end many[MANY];

static void
many_open(unsigned want)
{
	int i;

	for (i = 0; i < MANY; i++)
		end_open(&many[i], 0, want);
}

static void
many_close(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		end_close(&many[i]);
}

static unsigned
many_bytes(void)
{
	unsigned i, n = 0;

	for (i = 0; i < MANY; i++)
		n += many[i].bytes;
	return n;
}

/* Bytes come anew whenever some were read; none may be lost. */
static void
poke_back(struct end *e)
{
	static unsigned left = 3000;

	if (e->got == 0 || left == 0)
		return;
	left--;
	poke(&many[util_random(&rng) % MANY]);
}

static void
check_many(void)
{
	unsigned i, turns = 0, sent = 3000 + 40;

	many_open(LOOP_READ);
	for (i = 0; i < MANY; i++)
		many[i].then = poke_back;
	for (i = 0; i < 40; i++)
		poke(&many[i]);
	while (many_bytes() < sent && turns++ < TURNS_MAX)
		turn();
	T_OK(many_bytes() == sent, "%u bytes of %u in %u turns",
	    many_bytes(), sent, turns);
	many_close();
}

/* One that is always busy, beside many that are lazy. */
static void
check_lazy(void)
{
	unsigned i, turns = 0, early = 0;
	struct end busy;

	many_open(LOOP_LAZY);
	end_open(&busy, 0, LOOP_WRITE);
	for (i = 0; i < MANY; i++)
		poke(&many[i]);
	while (many_bytes() < MANY && turns++ < TURNS_MAX)
		turn();
	T_OK(many_bytes() == MANY, "%u of %u", many_bytes(), MANY);
	for (i = 0; i < MANY; i++)
		T_OK(many[i].calls == 1 && many[i].got == LOOP_READ,
		    "%u: %u calls, bits %u", i, many[i].calls, many[i].got);
	/* Asked again at once they are left alone, one that writes not. */
	turns = 0;
	for (i = 0; i < MANY; i++)
		poke(&many[i]);
	many[7].want = LOOP_LAZY | LOOP_WRITE;
	turn();
	early = many[7].calls;
	T_OK(early == 2, "the one that writes: %u calls", early);
	many[7].want = LOOP_LAZY;
	/* Nothing else happens: they must be told nevertheless. */
	busy.want = 0;
	while (many_bytes() < 2 * MANY && turns++ < TURNS_MAX)
		turn();
	T_OK(many_bytes() == 2 * MANY, "%u of %u", many_bytes(), 2 * MANY);
	T_OK(turns < 20, "%u turns to learn of it", turns);
	/* An end is told as bytes are. */
	close(many[3].peer);
	many[3].peer = -1;
	many[3].calls = 0;
	for (turns = 0; many[3].calls == 0 && turns < 20; turns++)
		turn();
	T_OK(many[3].calls == 1 && many[3].got & LOOP_READ, "the end");
	end_close(&busy);
	many_close();
}

int
main(void)
{
	T_OK((lp = loop_new()) != NULL, "loop_new");
	T_OK(loop_new() == NULL, "two at once");
	check_heap();
	check_timers();
	check_again();
	check_removal();
	check_bits();
	check_graves();
	check_signals();
	check_many();
	check_lazy();
	dead_new('x', dead_bury);
	loop_free(lp);
	expect("freed with the loop", "x");
	T_OK((lp = loop_new()) != NULL, "another loop");
	loop_free(lp);
	loop_free(NULL);
	return t_end();
}
