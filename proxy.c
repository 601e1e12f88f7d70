/*
 * The composition root: options, the config file, listeners, signals,
 * reload, drain.  Everything that happens to a request is elsewhere.
 */

#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/demo.h"
#include "admin/explain.h"
#include "admin/options.h"
#include "admin/probe.h"
#include "base/log.h"
#include "config.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "net/socket.h"
#include "net/trust.h"
#include "relay/check.h"
#include "relay/client.h"

#define VERSION		"0.1.0"
#define CONFIG_MAX	(4u << 20)
#define DEMO_PORT	3456
#define ACCEPT_BURST	64		/* connections of one wake-up */
#define ACCEPT_PAUSE_MS	1000		/* when descriptors run out */

struct proxy {
	struct options opt;
	char *file;			/* owned; NULL: the demo */
	struct loop *loop;
	struct resolver *dns;
	struct failover health;
	struct client_env clients;
	struct watch listener;
	uint64_t paused_until;		/* no accept before */
	struct timer wake;		/* ends the pause, or the drain */
	struct demo *demo;
	int done, code;
};

/* ---- the config file ---- */

static const char *
env_get(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

static int
env_read(void *arg, const char *path, struct buf *out, const char **why)
{
	(void)arg;
	if (trust_read(path, out) == 0)
		return 0;
	*why = strerror(errno);
	return -1;
}

static const struct config_env world = { env_get, env_read, NULL };

/* A malloc'd "$HOME/.config/spillway/config.json"; NULL: no home. */
static char *
home_file(void)
{
	const char *home = getenv("HOME");
	struct buf b;
	char *s;

	if (home == NULL || *home == '\0')
		return NULL;
	buf_init(&b, 4096);
	buf_fmt(&b, "%s/.config/spillway/config.json", home);
	s = str_dup(buf_str(&b));
	buf_free(&b);
	return s;
}

/* Makes the folders above a file. */
static void
folders_make(const char *file)
{
	char *s = str_dup(str_of(file)), *at;

	if (s == NULL)
		return;
	for (at = strchr(s + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		mkdir(s, 0700);
		*at = '/';
	}
	free(s);
}

static void
template_write(const char *file)
{
	struct buf b;
	struct str s;
	int fd;

	buf_init(&b, CONFIG_MAX);
	config_template(&b);
	s = buf_str(&b);
	folders_make(file);
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd == -1 || write(fd, s.p, s.n) != (ssize_t)s.n)
		fprintf(stderr, "spillway: no config found, and the template "
		    "cannot be written to %s: %s\n", file, strerror(errno));
	else
		fprintf(stderr, "spillway: no config found; a template is now "
		    "in %s: put your keys in and start again\n"
		    "(or try: spillway --demo)\n", file);
	if (fd != -1)
		close(fd);
	buf_free(&b);
}

/* 1 if llm-proxy's variables make a config where no file does. */
static int
variables_given(void)
{
	const char *url = getenv("PROXY_URL");

	return url != NULL && *url != '\0';
}

/* The file to be used, malloc'd; NULL: there is none, which was told. */
static char *
config_find(const struct options *o)
{
	const char *env = getenv("SPILLWAY_CONFIG");
	char *home;

	if (o->file != NULL)
		return str_dup(str_of(o->file));
	if (env != NULL && *env != '\0')
		return str_dup(str_of(env));
	if (access("config.json", F_OK) == 0)
		return str_dup(str_of("config.json"));
	if ((home = home_file()) != NULL && access(home, F_OK) == 0)
		return home;
	if (variables_given())
		;		/* they are the config */
	else if (home == NULL)
		fputs("spillway: no config: name one with -c\n", stderr);
	else
		template_write(home);
	free(home);
	return NULL;
}

/* Hands out a text line by line. */
static void
lines_tell(struct buf *b, void (*where)(const char *line))
{
	char *line, *next;

	buf_cstr(b);
	for (line = b->len > 0 ? (char *)b->p + b->off : NULL;
	    line != NULL && *line != '\0'; line = next) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		where(line);
	}
}

/* Parses a text, or the variables if name is NULL; tells faults and notes. */
static struct config *
config_make(struct proxy *p, struct str text, const char *name,
    void (*where)(const char *line))
{
	struct buf faults, notes;
	struct config *cfg;

	buf_init(&faults, 65536);
	buf_init(&notes, 65536);
	if (name != NULL)
		cfg = config_parse(text, name, &world, &p->opt.flags, &faults,
		    &notes);
	else
		cfg = config_from_env(&world, &p->opt.flags, &faults, &notes);
	lines_tell(&faults, where);
	lines_tell(&notes, where);
	buf_free(&faults);
	buf_free(&notes);
	return cfg;
}

static struct config *
config_load(struct proxy *p, void (*where)(const char *line))
{
	struct config *cfg = NULL;
	struct buf text, msg;

	if (p->file == NULL)
		return config_make(p, str_of(""), NULL, where);
	buf_init(&text, CONFIG_MAX);
	if (trust_read(p->file, &text) == -1) {
		buf_init(&msg, 4096);
		buf_fmt(&msg, "cannot read the config %s: %s", p->file,
		    strerror(errno));
		where(buf_cstr(&msg));
		buf_free(&msg);
	} else
		cfg = config_make(p, buf_str(&text), p->file, where);
	buf_wipe(&text);
	return cfg;
}

static void
to_stderr(const char *line)
{
	fprintf(stderr, "spillway: %s\n", line);
}

static void
to_log(const char *line)
{
	log_warn("%s", line);
}

/* ---- a config in service ---- */

static void
secret_add(void *arg, struct str secret)
{
	(void)arg;
	log_secret(secret);
}

/* The anchors of each backend; a file that two name is loaded once. */
static int
roots_load(const struct config *cfg, struct tls_roots **roots,
    void (*where)(const char *line))
{
	const struct config_backend *b;
	struct buf note;
	size_t i, k;

	for (i = 0; i < cfg->nbackends; i++) {
		b = &cfg->backends[i];
		if (!b->url.tls)
			continue;
		for (k = 0; k < i && roots[i] == NULL; k++)
			if (roots[k] != NULL && str_eq(b->ca_file,
			    cfg->backends[k].ca_file))
				roots[i] = tls_roots_ref(roots[k]);
		if (roots[i] != NULL)
			continue;
		buf_init(&note, 8192);
		roots[i] = trust_load(b->ca_file.p != NULL ? b->ca_file :
		    cfg->ca_file, &note);
		if (roots[i] == NULL)
			where(buf_cstr(&note));
		else
			log_info("TLS: %s", buf_cstr(&note));
		buf_free(&note);
		if (roots[i] == NULL)
			return -1;
	}
	return 0;
}

/* Takes the reference of cfg in any case.  NULL: it was told why. */
static struct generation *
generation_make(struct proxy *p, struct config *cfg,
    void (*where)(const char *line))
{
	struct tls_roots **roots;
	struct generation *g = NULL;
	size_t i, n = cfg->nbackends;

	if ((roots = calloc(cfg->nbackends, sizeof *roots)) == NULL) {
		where("out of memory");
		config_free(cfg);
		return NULL;
	}
	if (roots_load(cfg, roots, where) == 0 &&
	    (g = generation_new(cfg, &p->health, roots)) == NULL)
		where("out of memory");
	if (g == NULL)
		config_free(cfg);
	for (i = 0; i < n; i++)
		tls_roots_free(roots[i]);
	free(roots);
	return g;
}

static void
log_apply(const struct config *cfg)
{
	int colour = cfg->logging.color == 0 ? isatty(2) :
	    cfg->logging.color == 1;

	log_setup(2, (enum log_level)cfg->logging.level, colour);
	config_secrets(cfg, secret_add, NULL);
}

static void
to_info(const char *line)
{
	log_info("%s", line);
}

/* What a person wants to know at the start. */
static void
log_config(const struct config *cfg)
{
	struct buf b;

	buf_init(&b, CONFIG_MAX);
	config_describe(cfg, &b);
	lines_tell(&b, to_info);
	buf_free(&b);
}

static void
reload(struct proxy *p)
{
	const struct config *old = p->clients.gen->cfg;
	struct generation *g;
	struct config *cfg;

	if (p->file == NULL) {
		log_warn("reload: there is no config file");
		return;
	}
	cfg = config_load(p, to_log);
	if (cfg == NULL || (g = generation_make(p, cfg, to_log)) == NULL) {
		log_error("reload: %s was not taken; the old config stays "
		    "in service", p->file);
		return;
	}
	if (g->cfg->port != old->port || !str_eq(g->cfg->host, old->host))
		log_warn("reload: another host or port needs a restart");
	log_apply(g->cfg);
	client_generation(&p->clients, g);
	log_info("reload: %s is in service", p->file);
	log_config(g->cfg);
}

/* ---- the listener ---- */

static unsigned
listener_events(void *arg)
{
	struct proxy *p = arg;

	return p->paused_until > loop_now(p->loop) ||
	    p->clients.count >= p->clients.gen->cfg->limits.connections ? 0 :
	    LOOP_READ;
}

static void
listener_ready(void *arg, unsigned bits, uint64_t now)
{
	struct proxy *p = arg;
	int fd = 0, i;

	(void)bits;
	for (i = 0; i < ACCEPT_BURST && p->clients.count <
	    p->clients.gen->cfg->limits.connections; i++) {
		if ((fd = sock_accept(p->listener.fd, NULL)) < 0)
			break;
		client_open(&p->clients, fd);
	}
	if (fd != SOCK_ERR)
		return;
	log_warn("out of file descriptors: no new connection for 1 s");
	p->paused_until = now + ACCEPT_PAUSE_MS;
	timer_set(p->loop, &p->wake, p->paused_until);
}

static int
listener_open(struct proxy *p, struct str host, uint16_t port)
{
	struct dns_addr a;

	if (str_is(host, "localhost"))
		host = str_of("127.0.0.1");
	if (dns_literal(&a, host) == -1) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	if ((p->listener.fd = sock_listen(&a, port)) == -1)
		return -1;
	p->listener.events = listener_events;
	p->listener.ready = listener_ready;
	p->listener.arg = p;
	loop_add(p->loop, &p->listener);
	return 0;
}

/* ---- signals and the end ---- */

static void
wake_fire(void *arg, uint64_t now)
{
	struct proxy *p = arg;
	unsigned cut;

	(void)now;
	if (!p->clients.draining)
		return;		/* only the pause is over */
	cut = client_close_all(&p->clients);
	if (cut > 0)
		log_warn("the time to drain is over: %u request%s cut", cut,
		    cut == 1 ? " was" : "s were");
	p->code = cut > 0;
	p->done = 1;
}

static void
drain(struct proxy *p)
{
	if (p->clients.draining) {
		p->code = client_close_all(&p->clients) > 0;
		p->done = 1;
		return;
	}
	loop_remove(p->loop, &p->listener);
	sock_close(p->listener.fd, 0);
	p->listener.fd = -1;
	log_info("draining: %u request%s running", p->clients.busy,
	    p->clients.busy == 1 ? "" : "s");
	client_drain_all(&p->clients);
	timer_set(p->loop, &p->wake, loop_now(p->loop) +
	    p->clients.gen->cfg->drain_ms);
}

static void
signalled(void *arg, int signo)
{
	struct proxy *p = arg;

	if (signo == SIGTERM || signo == SIGINT)
		drain(p);
	else if (signo == SIGHUP || signo == SIGUSR2)
		reload(p);
	else
		log_info("USR1: the log goes to stderr, there is no file to "
		    "reopen");
}

static void
signals_setup(struct proxy *p)
{
	loop_on_signal(p->loop, signalled, p);
	signal(SIGPIPE, SIG_IGN);
	loop_signal(p->loop, SIGTERM, 0);
	loop_signal(p->loop, SIGINT, 0);
	loop_signal(p->loop, SIGHUP, 1);	/* as nohup left it */
	loop_signal(p->loop, SIGUSR1, 0);
	loop_signal(p->loop, SIGUSR2, 0);
}

static void
limits_setup(void)
{
	struct rlimit r;

	umask(077);
	r.rlim_cur = r.rlim_max = 0;		/* a core holds keys */
	setrlimit(RLIMIT_CORE, &r);
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

/* A client takes one descriptor, and its request another one. */
static void
descriptors_check(const struct config *cfg)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur != RLIM_INFINITY &&
	    r.rlim_cur / 2 < cfg->limits.connections)
		log_warn("limits.max_connections is %llu, but the %llu file "
		    "descriptors of this process serve about %llu; raise "
		    "them (ulimit -Hn)",
		    (unsigned long long)cfg->limits.connections,
		    (unsigned long long)r.rlim_cur,
		    (unsigned long long)r.rlim_cur / 2);
}

/* ---- main ---- */

static int
world_make(struct proxy *p)
{
	uint64_t seed;

	if (sock_random(&seed, sizeof seed) == -1) {
		to_stderr("no randomness: /dev/urandom cannot be read");
		return -1;
	}
	failover_init(&p->health);
	access_init(&p->clients.ex.access);
	if ((p->loop = loop_new()) == NULL ||
	    (p->dns = resolver_new(p->loop, NULL, NULL, 0)) == NULL) {
		to_stderr("out of memory or descriptors");
		return -1;
	}
	stats_init(&p->clients.ex.stats, loop_wall(p->loop));
	p->clients.loop = p->clients.ex.up.loop = p->loop;
	p->clients.ex.up.dns = p->dns;
	p->clients.ex.random = seed;
	p->listener.fd = -1;
	p->wake.fire = wake_fire;
	p->wake.arg = p;
	return 0;
}

static void
world_free(struct proxy *p)
{
	if (p->loop == NULL) {
		free(p->file);
		return;
	}
	client_close_all(&p->clients);
	checks_stop(p->clients.checks);
	if (p->clients.gen != NULL)
		generation_free(p->clients.gen);
	demo_stop(p->demo);
	loop_remove(p->loop, &p->listener);
	sock_close(p->listener.fd, 0);
	timer_clear(p->loop, &p->wake);
	if (p->dns != NULL)
		resolver_free(p->dns);
	loop_free(p->loop);
	failover_free(&p->health);
	access_free(&p->clients.ex.access);
	stats_free(&p->clients.ex.stats);
	log_forget();
	free(p->file);
}

/* A free port from `port` on, for the demo. */
static uint16_t
port_free(uint16_t port)
{
	struct dns_addr a = { 4, { 127, 0, 0, 1 }, 0 };
	int fd, i;

	for (i = 0; i < 50; i++, port++)
		if ((fd = sock_listen(&a, port)) >= 0) {
			sock_close(fd, 0);
			break;
		}
	return port;
}

static void
demo_hint(uint16_t port)
{
	printf("\nTry it:\n\n"
	    "  curl -sN http://127.0.0.1:%u/v1/messages -H 'content-type: "
	    "application/json' \\\n"
	    "    -d '{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":100,"
	    "\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"
	    "\"hi\"}]}'\n\n"
	    "The first provider says 529, the second answers. Claude Code:"
	    "\n\n"
	    "  ANTHROPIC_BASE_URL=http://127.0.0.1:%u ANTHROPIC_API_KEY="
	    "demo claude\n\n", (unsigned)port, (unsigned)port);
	fflush(stdout);
}

static struct config *
demo_make(struct proxy *p)
{
	uint16_t port = p->opt.flags.port > 0 ?
	    (uint16_t)p->opt.flags.port : port_free(DEMO_PORT);
	struct config *cfg;
	struct buf b;

	unsetenv("PROXY_PORT");
	if ((p->demo = demo_start(p->loop)) == NULL) {
		to_stderr("the demo's providers cannot listen on loopback");
		return NULL;
	}
	buf_init(&b, CONFIG_MAX);
	demo_config(p->demo, port, &b);
	cfg = config_make(p, buf_str(&b), "demo", to_stderr);
	buf_free(&b);
	return cfg;
}

static int
test_run(struct proxy *p)
{
	unsigned bad = 0;
	struct buf b;

	buf_init(&b, CONFIG_MAX);
	config_describe(p->clients.gen->cfg, &b);
	if (p->opt.model != NULL || p->opt.key != NULL)
		bad = explain(p->clients.gen->cfg, str_of(p->opt.model),
		    str_of(p->opt.key), &b) <= 0;
	if (p->opt.probe)
		bad += probe_all(p->clients.gen, &p->clients.ex.up, &b);
	fwrite(buf_str(&b).p, 1, buf_str(&b).n, stdout);
	buf_free(&b);
	return bad > 0;
}

static int
serve(struct proxy *p)
{
	const struct config *cfg = p->clients.gen->cfg;

	if (listener_open(p, cfg->host, cfg->port) == -1) {
		fprintf(stderr, "spillway: cannot listen on %.*s port %u: "
		    "%s\n", (int)cfg->host.n, cfg->host.p,
		    (unsigned)cfg->port, sock_why(errno));
		return 1;
	}
	signals_setup(p);
	log_info("spillway %s, config %s", VERSION,
	    p->file != NULL ? p->file : p->demo != NULL ? "of the demo" :
	    "of the environment");
	if (p->file != NULL && variables_given())
		log_info("PROXY_URL is set, but a config file wins");
	log_config(cfg);
	descriptors_check(cfg);
	log_info("listening on http://%.*s:%u", (int)cfg->host.n,
	    cfg->host.p, (unsigned)cfg->port);
	if (p->demo != NULL)
		demo_hint(cfg->port);
	while (!p->done) {
		if (loop_turn(p->loop) == -1) {
			log_error("poll failed: %s", strerror(errno));
			return 1;
		}
		log_time(loop_wall(p->loop));
		if (p->clients.draining && p->clients.count == 0)
			p->done = 1;
	}
	log_info("ended");
	return p->code;
}

/* The table of keys that the README holds. */
static int
print_reference(void)
{
	struct buf b;

	buf_init(&b, CONFIG_MAX);
	config_reference(&b);
	fwrite(buf_str(&b).p, 1, buf_str(&b).n, stdout);
	buf_free(&b);
	return 0;
}

/* Reads a key and prints what may stand for it. */
static int
print_hash(void)
{
	char key[4096];
	size_t n = fread(key, 1, sizeof key, stdin);
	const char *why;
	struct buf out;

	buf_init(&out, 256);
	why = ferror(stdin) ? "cannot be read" : n == sizeof key ?
	    "is too long" : config_hash_key(&out, str_n(key, n));
	if (why == NULL)
		printf("%s\n", buf_cstr(&out));
	else
		fprintf(stderr, "spillway: the key on stdin %s\n", why);
	util_wipe(key, sizeof key);
	buf_free(&out);
	return why != NULL;
}

int
main(int argc, char **argv)
{
	struct proxy p;
	struct generation *g;
	struct config *cfg = NULL;
	int rc;

	(void)argc;
	memset(&p, 0, sizeof p);
	if ((rc = options_parse(&p.opt, argv, VERSION)) != -1)
		return rc;
	if (p.opt.reference)
		return print_reference();
	if (p.opt.hash_key)
		return print_hash();
	limits_setup();
	rc = 1;
	if (!p.opt.demo && (p.file = config_find(&p.opt)) == NULL &&
	    !variables_given())
		return 1;
	if (world_make(&p) == -1)
		goto out;
	log_setup(2, p.opt.test ? LOG_WARN : LOG_INFO, 0);
	log_time(loop_wall(p.loop));
	cfg = p.opt.demo ? demo_make(&p) : config_load(&p, to_stderr);
	if (cfg == NULL)
		goto out;
	if (!p.opt.test)
		log_apply(cfg);
	if ((g = generation_make(&p, cfg, to_stderr)) == NULL)
		goto out;
	client_generation(&p.clients, g);
	rc = p.opt.test ? test_run(&p) : serve(&p);
out:
	world_free(&p);
	return rc;
}
