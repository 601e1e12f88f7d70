#include "admin/probe.h"
#include "wire/http_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct probe {
	struct upstream *up;
	struct target *target;
	uint64_t began;
	char line[256];
	unsigned over:1, bad:1;
};

static void
probe_over(struct probe *p, int bad)
{
	p->over = 1;
	p->bad = bad != 0;
	p->up = NULL;
}

static void
probe_head(void *arg, const struct http_head *h, uint64_t now)
{
	struct probe *p = arg;
	const char *suite = p->up->link.tls != NULL ?
	    tls_suite(p->up->link.tls) : "plain TCP";

	snprintf(p->line, sizeof p->line, "reachable (%s, HEAD / says %d, "
	    "%llu ms)", suite, h->status,
	    (unsigned long long)(now - p->began));
	upstream_abort(p->up);
	probe_over(p, 0);
}

static void
probe_body(void *arg, struct str data, uint64_t now)
{
	(void)arg;
	(void)data;
	(void)now;
}

static void
probe_pause(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
}

static void
probe_done(void *arg, uint64_t now)
{
	(void)now;
	probe_over(arg, 0);
}

static void
probe_fail(void *arg, enum fo_fault fault, const char *why, uint64_t now)
{
	struct probe *p = arg;

	(void)now;
	snprintf(p->line, sizeof p->line, "NOT reachable: %s: %s",
	    fo_fault_text(fault), why);
	probe_over(p, 1);
}

static int
probe_wants(void *arg)
{
	(void)arg;
	return 1;
}

static const struct upstream_ops probe_ops = {
	probe_head, probe_body, probe_done, probe_fail, probe_pause,
	probe_wants, NULL
};

static void
probe_start(struct probe *p, struct target *t, struct upstream_env *env)
{
	struct upstream_request req;

	p->target = t;
	p->began = loop_now(env->loop);
	memset(&req, 0, sizeof req);
	req.head_only = 1;
	req.timeout = t->cfg->timeouts.connect + t->cfg->timeouts.first_byte;
	buf_init(&req.head, 4096);
	buf_adds(&req.head, "HEAD / HTTP/1.1\r\n");
	http_write_field(&req.head, "host", t->cfg->url.host_port);
	buf_adds(&req.head, "connection: close\r\n\r\n");
	p->up = upstream_start(t, env, &req, 1, &probe_ops, p);
	if (p->up == NULL) {
		snprintf(p->line, sizeof p->line, "out of memory");
		probe_over(p, 1);
	}
}

unsigned
probe_all(struct generation *g, struct upstream_env *env, struct buf *out)
{
	size_t n = g->cfg->nbackends, i, running = n;
	struct probe *p = calloc(n, sizeof *p);
	unsigned bad = 0;

	if (p == NULL)
		return (unsigned)n;
	for (i = 0; i < n; i++)
		probe_start(&p[i], &g->targets[i], env);
	while (running > 0 && loop_turn(env->loop) == 0)
		for (running = 0, i = 0; i < n; i++)
			running += !p[i].over;
	for (i = 0; i < n; i++) {
		buf_adds(out, "probe \"");
		buf_addstr(out, p[i].target->cfg->name);
		buf_fmt(out, "\": %s\n", p[i].line);
		bad += p[i].bad || !p[i].over;
	}
	free(p);
	return bad;
}
