/*
 * Any bytes to the admin's port, over the loopback interface, and any body to
 * each of its changes.  The first byte says how: below 64 the request of that
 * number (modulo) with the rest as its body, else the rest as it is; and in
 * pieces of what size it comes.  What is answered begins as HTTP does and
 * holds no secret, and the config stays one.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "admin/api.h"
#include "net/link.h"
#include "net/socket.h"

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)
#define SECRET "sk-very-secret-0123456789"
#define TURNS 12		/* without news, and it is over */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char text[] = "{ // kept\n\"failover\": {},\n\"backends\": [\n"
    "{\"name\": \"a\", \"base_url\": \"http://127.0.0.1:1\", \"token\": \""
    SECRET "\", \"headers\": {\"x-key\": \"" SECRET "1\", \"x\": \"y\"}},\n"
    "{\"name\": \"b\", \"base_url\": \"http://127.0.0.1:2\"} /* b */,\n"
    "{\"name\": \"c/d\", \"base_url\": \"http://127.0.0.1:3\"},]}";

/* No "test": it would call somebody. */
static const char *const targets[] = {
	"POST /api/backends", "PUT /api/backends/a", "PUT /api/backends/b",
	"PUT /api/backends/c%2Fd", "DELETE /api/backends/a",
	"POST /api/backends/b/disable", "POST /api/backends/b/clear",
	"PUT /api/backends/order", "POST /api/undo", "POST /api/reload",
	"POST /api/login", "POST /api/logout"
};

static struct loop *lp;
static struct failover health;
static struct client_env clients;
static struct admin_host host;
static struct timer soon;

/* ---- the process around it ---- */

static const char *
no_env(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "SET") == 0 ? "is-set" : NULL;
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

static struct config *
parse(struct str s, struct buf *faults)
{
	static const struct config_env env = { no_env, no_file, NULL };
	static const struct config_flags flags = { -1, -1, 0 };
	struct config *c;
	struct buf notes;

	buf_init(&notes, 65536);
	c = config_parse(s, "config", &env, &flags, faults, &notes);
	buf_free(&notes);
	return c;
}

static int
check(void *arg, struct str s, struct buf *faults)
{
	struct config *c = parse(s, faults);

	(void)arg;
	config_free(c);
	return c == NULL ? -1 : 0;
}

static int
apply(void *arg, struct str s, struct buf *faults)
{
	struct config *c = parse(s, faults);
	struct tls_roots **roots;
	struct generation *g;

	(void)arg;
	CHECK(c != NULL);	/* it was checked */
	CHECK((roots = calloc(c->nbackends, sizeof *roots)) != NULL);
	CHECK((g = generation_new(c, &health, roots)) != NULL);
	client_generation(&clients, g);
	free(roots);
	return 0;
}

static int
reload(void *arg, struct buf *faults)
{
	(void)arg;
	buf_adds(faults, "config:1: no\n");
	return -1;
}

static void
ring(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
}

static void
set_up(void)
{
	if (lp != NULL)
		return;
	signal(SIGPIPE, SIG_IGN);
	CHECK((lp = loop_new()) != NULL);
	failover_init(&health);
	access_init(&clients.ex.access);
	stats_init(&clients.ex.stats, 1790000000000);
	clients.loop = clients.ex.up.loop = host.loop = lp;
	host.clients = &clients;
	host.health = &health;
	host.version = "0";
	host.apply = apply;
	host.reload = reload;
	host.check = check;
	soon.fire = ring;
}

/* ---- who asks ---- */

struct caller {
	struct link link;
	struct watch watch;
	struct buf got;
};

static unsigned
caller_events(void *arg)
{
	struct caller *c = arg;

	return link_events(&c->link, !c->link.eof);
}

static void
caller_ready(void *arg, unsigned bits, uint64_t now)
{
	struct caller *c = arg;

	(void)now;
	if (bits & LOOP_WRITE)
		link_flush(&c->link);
	if (bits & LOOP_READ)
		link_read(&c->link, &c->got, 65536);
}

/* Turns until nothing is heard any more. */
static void
listen_to(struct caller *c)
{
	size_t n = c->got.len;
	int i;

	for (i = 0; i < TURNS; i++) {
		timer_set(lp, &soon, loop_now(lp));
		loop_turn(lp);
		if (c->got.len != n)
			i = 0;
		n = c->got.len;
	}
}

static void
ask(uint16_t port, struct str s, size_t piece, struct buf *got)
{
	struct dns_addr a = { 4, { 127, 0, 0, 1 }, 0 };
	struct caller c;
	struct str one;
	int done;

	memset(&c, 0, sizeof c);
	link_open(&c.link, sock_connect(&a, port, &done), 8u << 20);
	buf_init(&c.got, 64u << 20);
	c.watch.fd = c.link.fd;
	c.watch.events = caller_events;
	c.watch.ready = caller_ready;
	c.watch.arg = &c;
	loop_add(lp, &c.watch);
	while (s.n > 0 && !c.link.failed) {
		one = str_n(s.p, s.n < piece ? s.n : piece);
		link_write(&c.link, &one, 1);
		s = str_n(s.p + one.n, s.n - one.n);
		if (s.n > 0) {
			timer_set(lp, &soon, loop_now(lp));
			loop_turn(lp);
		}
	}
	listen_to(&c);
	loop_remove(lp, &c.watch);
	link_close(&c.link, 1);
	*got = c.got;
}

/* ---- one input ---- */

static void
request_make(struct buf *b, unsigned n, struct str body)
{
	buf_fmt(b, "%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
	    "application/json\r\nContent-Length: %lu\r\n\r\n", targets[n %
	    (sizeof targets / sizeof *targets)], (unsigned long)body.n);
	buf_addstr(b, body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str s = str_n((const char *)p + 1, n > 0 ? n - 1 : 0), said;
	struct buf faults, in, got;
	struct web *web;
	struct api *api;

	if (n < 2 || n > 65536 || str_casefind(s, str_of("test")) >= 0)
		return 0;
	set_up();
	buf_init(&faults, 65536);
	apply(NULL, str_of(text), &faults);
	CHECK((api = api_new(&host, str_of(text))) != NULL);
	CHECK((web = web_open(lp, str_of("127.0.0.1"), 0, api_site, api)) !=
	    NULL);
	buf_init(&in, 1u << 20);
	if (p[0] < 64)
		request_make(&in, p[0], s);
	else
		buf_addstr(&in, s);
	ask(web_port(web), buf_str(&in), p[0] & 1 ? (size_t)1 << (p[0] >> 1 &
	    15) : in.len, &got);
	said = buf_str(&got);
	CHECK(said.n == 0 || str_starts(said, "HTTP/1.1 "));
	CHECK(str_casefind(said, str_of(SECRET)) == -1 ||
	    str_casefind(s, str_of(SECRET)) >= 0);
	/* Whatever was changed: it is still a config, and can be read. */
	buf_clear(&in);
	buf_free(&got);
	buf_adds(&in, "GET /api/config HTTP/1.1\r\nHost: localhost\r\n"
	    "Connection: close\r\n\r\n");
	ask(web_port(web), buf_str(&in), in.len, &got);
	CHECK(str_starts(buf_str(&got), "HTTP/1.1 200 "));
	CHECK(str_casefind(buf_str(&got), str_of("{\"config\":{")) > 0);
	buf_free(&got);
	buf_free(&in);
	buf_free(&faults);
	web_close(web);
	api_free(api);
	timer_set(lp, &soon, loop_now(lp));
	loop_turn(lp);
	return 0;
}
