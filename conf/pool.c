#include "conf/pool.h"

#include <stdlib.h>
#include <string.h>

#define POOL_CHUNK 4096

struct chunk {
	struct chunk *next;
	size_t len, cap;
	char bytes[];
};

struct config_pool {
	struct chunk *chunks;	/* owned; the newest first */
};

struct config_pool *
conf_pool_new(void)
{
	return calloc(1, sizeof(struct config_pool));
}

struct str
conf_pool_add(struct config_pool *pool, struct str s)
{
	struct chunk *k = pool->chunks;
	size_t cap;
	char *p;

	if (k == NULL || k->cap - k->len <= s.n) {
		cap = s.n < POOL_CHUNK ? POOL_CHUNK : s.n + 1;
		if (cap > SIZE_MAX - sizeof *k ||
		    (k = malloc(sizeof *k + cap)) == NULL)
			return str_n(NULL, 0);
		k->len = 0;
		k->cap = cap;
		k->next = pool->chunks;
		pool->chunks = k;
	}
	p = k->bytes + k->len;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	k->len += s.n + 1;
	return str_n(p, s.n);
}

void
conf_pool_free(struct config_pool *pool)
{
	struct chunk *k;

	if (pool == NULL)
		return;
	while ((k = pool->chunks) != NULL) {
		pool->chunks = k->next;
		util_wipe(k->bytes, k->len);
		free(k);
	}
	free(pool);
}
