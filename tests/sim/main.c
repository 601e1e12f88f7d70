/*
 * The deterministic simulation: the real proxy on a virtual network and a
 * virtual clock, with scripted clients and providers, one schedule for each
 * seed.
 *
 *	sim [--seeds N] [--from S]	runs N schedules, from seed S on
 *	sim --trace S			runs that one and tells what happens
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "net/resolve.h"
#include "net/socket.h"
#include "relay/client.h"
#include "tests/sim/check.h"
#include "tests/sim/loop.h"
#include "tests/sim/provider.h"

#define TURNS_MAX	2000000
#define TIME_MAX	(3600u * 1000)
#define QUIET_MS	(200u * 1000)	/* for all to end by itself */
#define FAULTS_MAX	10

/* The proxy, wired as its own main does. */
struct proxy {
	struct loop *loop;
	struct resolver *dns;
	struct failover health;
	struct client_env clients;
	struct watch listener;
	uint64_t paused_until;
	struct timer wake, reload[3], drain, cut;
};

/* ---- the config ---- */

static const char *
no_env(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return NULL;
}

static int
no_file(void *arg, const char *path, struct buf *out, const char **why)
{
	(void)arg;
	(void)path;
	(void)out;
	*why = "there are no files here";
	return -1;
}

static struct generation *
generation_make(struct proxy *p)
{
	static const struct config_env env = { no_env, no_file, NULL };
	static const struct config_flags flags;
	struct tls_roots *roots[BACKENDS_MAX] = { NULL };
	struct generation *g = NULL;
	struct buf faults, notes;
	struct config *cfg;

	buf_init(&faults, 65536);
	buf_init(&notes, 65536);
	cfg = config_parse(str_n((const char *)plan.config.p, plan.config.n),
	    "sim.json", &env, &flags, &faults, &notes);
	if (cfg == NULL && alloc_failed() == 0)
		wrong("the config: %s", buf_cstr(&faults));
	buf_free(&faults);
	buf_free(&notes);
	if (cfg != NULL && (g = generation_new(cfg, &p->health, roots)) ==
	    NULL)
		config_free(cfg);
	return g;
}

/* ---- the listener ---- */

static unsigned
listener_events(void *arg)
{
	struct proxy *p = arg;

	return p->paused_until > world.now ? 0 : LOOP_READ;
}

static void
listener_ready(void *arg, unsigned bits, uint64_t now)
{
	struct proxy *p = arg;
	int fd;

	(void)bits;
	while ((fd = sock_accept(p->listener.fd, NULL)) >= 0)
		client_open(&p->clients, fd);
	if (fd != SOCK_ERR)
		return;
	p->paused_until = now + 1000;
	/* Without this timer another event must end the pause. */
	timer_set(p->loop, &p->wake, p->paused_until);
}

static void
listener_close(struct proxy *p)
{
	struct wire *w;

	loop_remove(p->loop, &p->listener);
	sock_close(p->listener.fd, 0);
	p->listener.fd = -1;
	while ((w = wire_accept()) != NULL) {
		w->near_closed = w->near_reset = w->out.fin = 1;
		actor_wake(w->actor);
	}
}

/* ---- what happens by itself ---- */

static void
wake_fire(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
}

static void
reload_fire(void *arg, uint64_t now)
{
	struct proxy *p = arg;
	struct generation *g = generation_make(p);

	(void)now;
	say("reload: %s", g != NULL ? "in service" : "not taken");
	if (g != NULL)
		client_generation(&p->clients, g);
}

static void
drain_fire(void *arg, uint64_t now)
{
	struct proxy *p = arg;

	(void)now;
	say("drain");
	check.draining = 1;
	listener_close(p);
	client_drain_all(&p->clients);
}

static void
cut_fire(void *arg, uint64_t now)
{
	struct proxy *p = arg;

	(void)now;
	say("all connections are cut");
	check.closing = 1;
	client_close_all(&p->clients);
}

static void
timer_make(struct proxy *p, struct timer *t, void (*fire)(void *, uint64_t),
    uint64_t at)
{
	t->fire = fire;
	t->arg = p;
	if (at != 0)
		timer_set(p->loop, t, at);
}

/* ---- making and freeing ---- */

static void
proxy_free(struct proxy *p)
{
	unsigned i;

	if (p->loop == NULL)
		return;
	client_close_all(&p->clients);
	check_end();
	generation_free(p->clients.gen);
	if (p->listener.fd != -1)
		listener_close(p);
	timer_clear(p->loop, &p->wake);
	timer_clear(p->loop, &p->drain);
	timer_clear(p->loop, &p->cut);
	for (i = 0; i < 3; i++)
		timer_clear(p->loop, &p->reload[i]);
	resolver_free(p->dns);
	loop_free(p->loop);
	failover_free(&p->health);
	access_free(&p->clients.ex.access);
	stats_free(&p->clients.ex.stats);
}

static int
proxy_make(struct proxy *p)
{
	struct generation *g;

	memset(p, 0, sizeof *p);
	p->listener.fd = -1;
	failover_init(&p->health);
	check.registry = &p->health;
	access_init(&p->clients.ex.access);
	stats_init(&p->clients.ex.stats, 1);
	check.access = &p->clients.ex.access;
	if ((p->loop = loop_new()) == NULL)
		return -1;
	p->clients.loop = p->clients.ex.up.loop = p->loop;
	p->dns = resolver_new(p->loop, "/dev/null", "/dev/null", 0);
	if (p->dns == NULL || (g = generation_make(p)) == NULL)
		return -1;
	p->clients.ex.up.dns = p->dns;
	p->clients.ex.random = world.seed;
	p->clients.gen = g;
	return 0;
}

static void
proxy_begin(struct proxy *p)
{
	struct dns_addr any;
	unsigned i;

	memset(&any, 0, sizeof any);
	p->listener.fd = sock_listen(&any, 1);
	p->listener.events = listener_events;
	p->listener.ready = listener_ready;
	p->listener.arg = p;
	loop_add(p->loop, &p->listener);
	timer_make(p, &p->wake, wake_fire, 0);
	timer_make(p, &p->drain, drain_fire, plan.drain_at);
	timer_make(p, &p->cut, cut_fire, plan.cut_at);
	for (i = 0; i < 3; i++)
		timer_make(p, &p->reload[i], reload_fire, plan.reload_at[i]);
	for (i = 0; i < plan.nbackends; i++)
		plan.backends[i].health = p->clients.gen->targets[i].health;
}

/* ---- one schedule ---- */

static void
turns_run(struct proxy *p)
{
	uint64_t end = world.now + TIME_MAX;

	while (user_open() > 0 && world.fault[0] == '\0') {
		loop_turn(p->loop);
		check_turn();
		if (user_open() > 0 && (sim_loop_dead(p->loop) ||
		    world.now > end))
			wrong("%u clients wait for ever", user_open());
		if (world.turns > TURNS_MAX)
			wrong("more than %d turns", TURNS_MAX);
	}
	if (chance(50))
		return;
	/* Nobody is there any more: in time everything ends by itself. */
	alloc_plan(NULL);
	end = world.now + QUIET_MS;
	while (!sim_loop_dead(p->loop) && world.fault[0] == '\0') {
		loop_turn(p->loop);
		check_turn();
		if (world.now > end)
			wrong("something goes on: %u clients, %u descriptors",
			    p->clients.count, fd_count());
	}
	if (p->clients.count > 0 || fd_count() > (p->listener.fd != -1))
		wrong("%u clients and %u descriptors stay", p->clients.count,
		    fd_count());
}

/*
 * Everything is logged, to nowhere if nobody looks: lines take memory too,
 * and with fewer of them a trace would not be the same schedule.
 */
static void
log_choose(void)
{
	static FILE *null;

	if (world.trace)
		setvbuf(stdout, NULL, _IONBF, 0);
	else if (null == NULL)
		null = fopen("/dev/null", "w");
	log_setup(world.trace ? 1 : null != NULL ? fileno(null) : -1,
	    LOG_DEBUG, 0);
}

/* Returns 1 if all was well. */
static int
schedule_run(uint64_t seed, int trace)
{
	struct proxy p;
	long live = alloc_live();

	world_start(seed, trace);
	wire_start();
	provider_start();
	memset(&check, 0, sizeof check);
	plan_make();
	log_choose();
	say("config: %.*s", (int)plan.config.n, plan.config.p);
	alloc_plan(plan.alloc_setup ? &plan.alloc : NULL);
	if (proxy_make(&p) == -1) {
		proxy_free(&p);
		alloc_plan(NULL);
		if (proxy_make(&p) == -1)
			wrong("it does not start");
	}
	if (world.fault[0] == '\0') {
		proxy_begin(&p);
		user_start();
		alloc_plan(plan.alloc_setup ? NULL : &plan.alloc);
		fd_limit(plan.fds);
		turns_run(&p);
	}
	alloc_plan(NULL);
	proxy_free(&p);
	if (fd_count() > 0)
		wrong("%u descriptors are left", fd_count());
	if (alloc_live() != live)
		wrong("%ld blocks of memory are left", alloc_live() - live);
	world_end();
	return world.fault[0] == '\0';
}

/*
 * base/buf keeps large blocks for the next request.  Filled with blocks of a
 * size that nobody asks for it keeps none, so that each schedule starts
 * alike and a sanitizer sees each block's end.
 */
static void
spares_fill(void)
{
	struct buf b[24];
	size_t i, room;

	for (i = 0; i < 24; i++) {
		buf_init(&b[i], 16387);
		buf_room(&b[i], 16387, &room);
	}
	for (i = 0; i < 24; i++)
		buf_free(&b[i]);
}

int
main(int argc, char **argv)
{
	unsigned long n = 1000, from = 1, i, passed = 0, failed = 0;
	int k, trace = 0;

	for (k = 1; k + 1 < argc; k += 2) {
		if (strcmp(argv[k], "--seeds") == 0)
			n = strtoul(argv[k + 1], NULL, 10);
		else if (strcmp(argv[k], "--from") == 0)
			from = strtoul(argv[k + 1], NULL, 10);
		else if (strcmp(argv[k], "--trace") == 0) {
			from = strtoul(argv[k + 1], NULL, 10);
			n = 1;
			trace = 1;
		} else
			break;
	}
	if (k < argc) {
		fputs("usage: sim [--seeds N] [--from S] [--trace S]\n",
		    stderr);
		return 2;
	}
	spares_fill();
	for (i = from; i - from < n && failed < FAULTS_MAX; i++) {
		if (schedule_run(i, trace)) {
			passed++;
			continue;
		}
		failed++;
		printf("not ok seed %lu: %s\n", i, world.fault);
	}
	printf("%lu passed, %lu failed, 0 skipped\n", passed, failed);
	return failed > 0;
}
