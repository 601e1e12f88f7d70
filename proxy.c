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

#include "admin/api.h"
#include "admin/demo.h"
#include "admin/explain.h"
#include "admin/find.h"
#include "admin/home.h"
#include "admin/journal.h"
#include "admin/journal_find.h"
#include "admin/options.h"
#include "admin/probe.h"
#include "admin/site_metrics.h"
#include "base/log.h"
#include "config.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "net/socket.h"
#include "net/trust.h"
#include "relay/check.h"
#include "relay/client.h"

#define VERSION		"0.2.0"
#define CONFIG_MAX	(4u << 20)
#define DEMO_PORT	3456
#define DEMO_ADMIN	8081
#define DEMO_METRICS	9090
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
	struct buf text;		/* of the demo's config */
	struct admin_host host;
	struct api *api;
	struct home *home;
	struct web *admin, *metrics;
	struct journal *journal;
	int done, code;
};

/* ---- the config file ---- */

/* Nobody is served yet: files may make us wait. */
static int
is_starting(const struct proxy *p)
{
	return p->clients.gen == NULL;
}

static const char *
env_get(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

static int
env_read(void *arg, const char *path, struct buf *out, const char **why)
{
	if (trust_read(path, out, is_starting(arg)) == 0)
		return 0;
	*why = strerror(errno);
	return -1;
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

/* Parses a text, or the variables if name is NULL; tells notes. */
static struct config *
config_text(struct proxy *p, struct str text, const char *name,
    struct buf *faults, void (*where)(const char *line))
{
	struct config_env world;
	struct config *cfg;
	struct buf notes;

	world.getenv = env_get;
	world.read_file = env_read;
	world.arg = p;
	buf_init(&notes, 65536);
	if (name != NULL)
		cfg = config_parse(text, name, &world, &p->opt.flags, faults,
		    &notes);
	else
		cfg = config_from_env(&world, &p->opt.flags, faults, &notes);
	if (where != NULL)
		lines_tell(&notes, where);
	buf_free(&notes);
	return cfg;
}

/* The same, and tells faults. */
static struct config *
config_make(struct proxy *p, struct str text, const char *name,
    void (*where)(const char *line))
{
	struct config *cfg;
	struct buf faults;

	buf_init(&faults, 65536);
	cfg = config_text(p, text, name, &faults, where);
	lines_tell(&faults, where);
	buf_free(&faults);
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
	if (trust_read(p->file, &text, is_starting(p)) == -1) {
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

/* Those of a file that a generation has loaded; NULL: it has not. */
static struct tls_roots *
roots_of(const struct generation *g, struct str file)
{
	const struct config *c;
	size_t i;

	for (i = 0; g != NULL && i < (c = g->cfg)->nbackends; i++)
		if (g->targets[i].roots != NULL && str_eq(file,
		    c->backends[i].ca_file.p != NULL ? c->backends[i].ca_file :
		    c->ca_file))
			return tls_roots_ref(g->targets[i].roots);
	return NULL;
}

/*
 * The anchors of each backend; a file that two name is loaded once, and not
 * again if old (or NULL) has it.
 */
static int
roots_load(const struct config *cfg, const struct generation *old,
    struct tls_roots **roots, void (*where)(const char *line))
{
	const struct config_backend *b;
	struct buf note;
	struct str file;
	size_t i, k;

	for (i = 0; i < cfg->nbackends; i++) {
		b = &cfg->backends[i];
		if (!b->url.tls)
			continue;
		file = b->ca_file.p != NULL ? b->ca_file : cfg->ca_file;
		roots[i] = roots_of(old, file);
		for (k = 0; k < i && roots[i] == NULL; k++)
			if (roots[k] != NULL && str_eq(b->ca_file,
			    cfg->backends[k].ca_file))
				roots[i] = tls_roots_ref(roots[k]);
		if (roots[i] != NULL)
			continue;
		buf_init(&note, 8192);
		roots[i] = trust_load(file, &note);
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

/*
 * Takes the reference of cfg in any case.  old: as of roots_load().  NULL:
 * it was told why.
 */
static struct generation *
generation_make(struct proxy *p, struct config *cfg,
    const struct generation *old, void (*where)(const char *line))
{
	struct tls_roots **roots;
	struct generation *g = NULL;
	size_t i, n = cfg->nbackends;

	if ((roots = calloc(cfg->nbackends, sizeof *roots)) == NULL) {
		where("out of memory");
		config_free(cfg);
		return NULL;
	}
	if (roots_load(cfg, old, roots, where) == 0 &&
	    (g = generation_new(cfg, &p->health, roots)) == NULL)
		where("out of memory");
	if (g == NULL)
		config_free(cfg);
	for (i = 0; i < n; i++)
		tls_roots_free(roots[i]);
	free(roots);
	return g;
}

/* NO_COLOR: no-color.org. */
static int
log_look(const struct config *cfg)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	int terminal = isatty(2), colour = cfg->logging.color == 1;

	if (cfg->logging.color == 0)
		colour = terminal && (no == NULL || *no == '\0') &&
		    (term == NULL || strcmp(term, "dumb") != 0);
	return (colour ? LOG_COLOUR : 0) | (terminal ? LOG_SHORT : 0);
}

static void
log_apply(struct proxy *p, const struct config *cfg)
{
	log_setup(2, (enum log_level)cfg->logging.level, log_look(cfg));
	/* Requests may still run under the config before. */
	log_forget();
	config_secrets(cfg, secret_add, NULL);
	if (!is_starting(p))
		config_secrets(p->clients.gen->cfg, secret_add, NULL);
	if (journal_setup(p->journal, cfg) == -1)
		log_error("records: out of memory; their settings stay");
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

/*
 * Takes cfg into service, with its reference; anew: with files of
 * certificates that are read again.  0, or -1 and it was told.
 */
static int
config_use(struct proxy *p, struct config *cfg, int anew)
{
	const struct config *old = p->clients.gen->cfg;
	struct generation *g = generation_make(p, cfg, anew ? NULL :
	    p->clients.gen, to_log);

	if (g == NULL)
		return -1;
	if (g->cfg->port != old->port || !str_eq(g->cfg->host, old->host))
		log_warn("reload: another host or port needs a restart");
	if (g->cfg->web_admin.port != old->web_admin.port ||
	    g->cfg->metrics.port != old->metrics.port)
		log_warn("reload: another port of the dashboard or the "
		    "metrics needs a restart");
	log_apply(p, g->cfg);
	client_generation(&p->clients, g);
	return 0;
}

static void
reload(struct proxy *p)
{
	struct config *cfg;

	if (p->file == NULL) {
		log_warn("reload: there is no config file");
		return;
	}
	cfg = config_load(p, to_log);
	if (cfg == NULL || config_use(p, cfg, 1) == -1) {
		log_error("reload: %s was not taken; the old config stays "
		    "in service", p->file);
		return;
	}
	log_info("reload: %s is in service", p->file);
	log_config(p->clients.gen->cfg);
}

/* ---- what the admin's rooms may do ---- */

static const char *
host_name(const struct proxy *p)
{
	return p->file != NULL ? p->file : "the config";
}

static const char unusable[] = "out of memory, or a file of certificates "
    "cannot be used; the log tells\n";

static int
text_apply(struct proxy *p, struct str text, struct buf *faults, int anew)
{
	struct config *cfg = config_text(p, text, host_name(p), faults,
	    to_log);

	if (cfg == NULL)
		return -1;
	if (config_use(p, cfg, anew) == -1) {
		buf_adds(faults, unusable);
		return -1;
	}
	log_info("the config was changed by the dashboard");
	return 0;
}

static int
host_apply(void *arg, struct str text, struct buf *faults)
{
	return text_apply(arg, text, faults, 0);
}

static int
host_check(void *arg, struct str text, struct buf *faults)
{
	struct proxy *p = arg;
	struct config *cfg = config_text(p, text, host_name(p), faults, NULL);
	struct tls_roots **roots;
	size_t i;
	int rc;

	if (cfg == NULL)
		return -1;
	if ((roots = calloc(cfg->nbackends, sizeof *roots)) == NULL)
		rc = -1;
	else
		rc = roots_load(cfg, p->clients.gen, roots, to_log);
	if (rc == -1)
		buf_adds(faults, unusable);
	for (i = 0; roots != NULL && i < cfg->nbackends; i++)
		tls_roots_free(roots[i]);
	free(roots);
	config_free(cfg);
	return rc;
}

static int
host_reload(void *arg, struct buf *faults)
{
	struct proxy *p = arg;
	struct buf text;
	int rc = -1;

	buf_init(&text, CONFIG_MAX);
	if (p->file == NULL)
		buf_adds(faults, "there is no config file\n");
	else if (trust_read(p->file, &text, 0) == -1)
		buf_fmt(faults, "%s: cannot be read: %s\n", p->file,
		    strerror(errno));
	else
		rc = text_apply(p, buf_str(&text), faults, 1);
	buf_wipe(&text);
	return rc;
}

/* ---- the pages ---- */

/* Opens a page.  0; -1: it was asked for and cannot be, which was told. */
static int
page_open(struct proxy *p, struct web **at, struct str host, uint16_t port,
    int wanted, web_site *site, void *arg, const char *what)
{
	if ((*at = web_open(p->loop, host, port, site, arg)) != NULL) {
		log_info("%s on http://%.*s:%u", what, (int)host.n, host.p,
		    (unsigned)web_port(*at));
		return 0;
	}
	if (wanted) {
		fprintf(stderr, "spillway: %s cannot listen on %.*s port %u: "
		    "%s\n", what, (int)host.n, host.p, (unsigned)port,
		    sock_why(errno));
		return -1;
	}
	log_warn("%s: %.*s port %u: %s; there is none", what, (int)host.n,
	    host.p, (unsigned)port, sock_why(errno));
	return 0;
}

static int
pages_open(struct proxy *p)
{
	const struct config *cfg = p->clients.gen->cfg;

	p->host.loop = p->loop;
	p->host.clients = &p->clients;
	p->host.journal = p->journal;
	p->host.health = &p->health;
	p->host.version = VERSION;
	p->host.file = p->file;
	p->host.demo = p->demo != NULL;
	p->host.apply = host_apply;
	p->host.check = host_check;
	p->host.reload = host_reload;
	p->host.arg = p;
	p->api = api_new(&p->host, p->demo != NULL ? buf_str(&p->text) :
	    str_n(NULL, 0));
	if (p->api == NULL || (p->home = home_new(&p->host)) == NULL) {
		to_stderr("out of memory");
		return -1;
	}
	if (cfg->web_admin.enabled && page_open(p, &p->admin,
	    cfg->web_admin.host, cfg->web_admin.port,
	    cfg->web_admin.port_given, api_site, p->api, "dashboard") == -1)
		return -1;
	if (cfg->metrics.enabled && page_open(p, &p->metrics,
	    cfg->metrics.host, cfg->metrics.port, cfg->metrics.port_given,
	    site_metrics, &p->host, "metrics") == -1)
		return -1;
	p->host.admin_port = p->admin == NULL ? 0 : web_port(p->admin);
	p->host.metrics_port = p->metrics == NULL ? 0 : web_port(p->metrics);
	p->clients.home = home_answer;
	p->clients.home_arg = p->home;
	return 0;
}

static void
pages_close(struct proxy *p)
{
	if (p->admin != NULL)
		web_close(p->admin);
	if (p->metrics != NULL)
		web_close(p->metrics);
	p->admin = p->metrics = NULL;
	api_free(p->api);
	p->api = NULL;
	home_free(p->home);
	p->clients.home = NULL;
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
	else if (journal_folder(p->journal) != NULL) {
		journal_reopen(p->journal);
		log_info("USR1: the file of records is opened anew");
	} else
		log_info("USR1: the log goes to stderr, there is no file to "
		    "reopen");
}

static void
signals_setup(struct proxy *p)
{
	loop_on_signal(p->loop, signalled, p);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);		/* a full disk is an errno */
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
	if ((p->journal = journal_new()) == NULL ||
	    (p->loop = loop_new()) == NULL ||
	    (p->dns = resolver_new(p->loop, NULL, NULL, 0)) == NULL) {
		to_stderr("out of memory or descriptors");
		return -1;
	}
	stats_init(&p->clients.ex.stats, loop_wall(p->loop));
	p->clients.loop = p->clients.ex.up.loop = p->loop;
	p->clients.ex.up.dns = p->dns;
	p->clients.ex.random = seed;
	p->clients.ex.record = journal_record;
	p->clients.ex.record_arg = p->journal;
	p->listener.fd = -1;
	p->wake.fire = wake_fire;
	p->wake.arg = p;
	return 0;
}

static void
world_free(struct proxy *p)
{
	if (p->loop == NULL) {
		journal_free(p->journal);
		free(p->file);
		return;
	}
	pages_close(p);
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
	journal_free(p->journal);
	log_forget();
	buf_wipe(&p->text);
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
demo_hint(uint16_t port, uint16_t admin)
{
	if (admin != 0)
		printf("\nDashboard:  http://127.0.0.1:%u/\n",
		    (unsigned)admin);
	printf("\nTry it:\n\n"
	    "  curl -sN http://127.0.0.1:%u/v1/messages -H 'content-type: "
	    "application/json' \\\n"
	    "    -d '{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":100,"
	    "\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"
	    "\"hi\"}]}'\n\n"
	    "The first provider says 529, the second answers. The same "
	    "model for a client\nof OpenAI's API, translated there and back:"
	    "\n\n"
	    "  curl -s http://127.0.0.1:%u/v1/chat/completions -H "
	    "'content-type: application/json' \\\n"
	    "    -d '{\"model\":\"claude-sonnet-4-5\",\"messages\":[{"
	    "\"role\":\"user\",\"content\":\"hi\"}]}'\n\n"
	    "Claude Code:\n\n"
	    "  ANTHROPIC_BASE_URL=http://127.0.0.1:%u ANTHROPIC_API_KEY="
	    "demo claude\n\n", (unsigned)port, (unsigned)port,
	    (unsigned)port);
	fflush(stdout);
}

static struct config *
demo_make(struct proxy *p)
{
	uint16_t port = p->opt.flags.port > 0 ?
	    (uint16_t)p->opt.flags.port : port_free(DEMO_PORT);

	unsetenv("PROXY_PORT");
	if ((p->demo = demo_start(p->loop)) == NULL) {
		to_stderr("the demo's providers cannot listen on loopback");
		return NULL;
	}
	buf_init(&p->text, CONFIG_MAX);
	demo_config(p->demo, port, p->opt.flags.admin_port > 0 ?
	    (uint16_t)p->opt.flags.admin_port : port_free(DEMO_ADMIN),
	    port_free(DEMO_METRICS), &p->text);
	return config_make(p, buf_str(&p->text), "demo", to_stderr);
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
	if (p->file != NULL && find_variables())
		log_info("PROXY_URL is set, but a config file wins");
	log_config(cfg);
	descriptors_check(cfg);
	p->clients.ex.stats.number = journal_find_number(
	    journal_folder(p->journal));
	if (pages_open(p) == -1)
		return 1;
	log_info("listening on http://%.*s:%u", (int)cfg->host.n,
	    cfg->host.p, (unsigned)cfg->port);
	if (p->demo != NULL)
		demo_hint(cfg->port, p->host.admin_port);
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
	if (!p.opt.demo && (p.file = find_config(&p.opt)) == NULL &&
	    !find_variables())
		return 1;
	if (world_make(&p) == -1)
		goto out;
	log_setup(2, p.opt.test ? LOG_WARN : LOG_INFO, 0);
	log_time(loop_wall(p.loop));
	cfg = p.opt.demo ? demo_make(&p) : config_load(&p, to_stderr);
	if (cfg == NULL)
		goto out;
	if (!p.opt.test)
		log_apply(&p, cfg);
	if ((g = generation_make(&p, cfg, NULL, to_stderr)) == NULL)
		goto out;
	client_generation(&p.clients, g);
	rc = p.opt.test ? test_run(&p) : serve(&p);
out:
	world_free(&p);
	return rc;
}
