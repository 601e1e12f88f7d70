#include "relay/target.h"

#include <stdlib.h>

#include "relay/upstream.h"

struct generation *
generation_new(struct config *cfg, struct failover *registry,
    struct tls_roots *const *roots)
{
	struct generation *g;
	struct target *t;
	size_t i;

	if ((g = calloc(1, sizeof *g)) == NULL)
		return NULL;
	g->refs = 1;
	g->registry = registry;
	g->cfg = cfg;
	g->targets = calloc(cfg->nbackends, sizeof *g->targets);
	if (g->targets == NULL)
		goto err;
	for (i = 0; i < cfg->nbackends; i++) {
		t = &g->targets[i];
		t->cfg = &cfg->backends[i];
		t->gen = g;
		buf_init(&t->list, 0);
		t->health = failover_get(registry, t->cfg->name);
		if (t->health == NULL)
			goto err;
		if (roots[i] != NULL)
			t->roots = tls_roots_ref(roots[i]);
	}
	return g;
err:
	config_ref(cfg);	/* the caller keeps its own */
	generation_free(g);
	return NULL;
}

struct generation *
generation_ref(struct generation *g)
{
	g->refs++;
	return g;
}

void
generation_retire(struct generation *g)
{
	size_t i;

	g->retired = 1;
	for (i = 0; i < g->cfg->nbackends; i++)
		upstream_drop_idle(&g->targets[i]);
}

void
generation_free(struct generation *g)
{
	struct target *t;
	size_t i;

	if (g == NULL || --g->refs > 0)
		return;
	for (i = 0; g->targets != NULL && i < g->cfg->nbackends; i++) {
		t = &g->targets[i];
		upstream_drop_idle(t);
		if (t->health != NULL)
			failover_put(g->registry, t->health);
		if (t->roots != NULL)
			tls_roots_free(t->roots);
		tls_session_forget(&t->session);
		buf_free(&t->list);
	}
	free(g->targets);
	if (g->cfg != NULL)
		config_free(g->cfg);
	free(g);
}
