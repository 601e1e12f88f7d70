#include "base/arena.h"

#include <stddef.h>

#define BLOCK_FIRST	4096
#define BLOCK_MAX	((size_t)256 << 10)
#define BLOCK_KEEP	((size_t)64 << 10)	/* what a reset may keep */

/* The strictest alignment that C99 has a way to ask for. */
union most {
	long double f;
	int64_t i;
	void *p;
	void (*call)(void);
};

struct most_at {
	char c;
	union most m;
};

#define ALIGN offsetof(struct most_at, m)

/* The head of a block, inside the very memory that it describes. */
struct arena_block {
	struct arena_block *next;
	struct buf memory;	/* counted by buf_live() */
	size_t used, cap;	/* from the start of the block */
};

#define HEAD ((sizeof(struct arena_block) + ALIGN - 1) / ALIGN * ALIGN)

void
arena_init(struct arena *a, size_t max)
{
	a->first = NULL;
	a->used = 0;
	a->max = max;
	a->bad = 0;
}

static void
block_free(struct arena_block *b)
{
	struct buf memory = b->memory;

	buf_free(&memory);
}

void
arena_free(struct arena *a)
{
	struct arena_block *b, *next;

	for (b = a->first; b != NULL; b = next) {
		next = b->next;
		block_free(b);
	}
	arena_init(a, a->max);
}

void
arena_reset(struct arena *a)
{
	struct arena_block *b, *next, *kept = NULL, *gone;

	for (b = a->first; b != NULL; b = next) {
		next = b->next;
		gone = b;
		if (b->cap <= BLOCK_KEEP &&
		    (kept == NULL || b->cap > kept->cap)) {
			gone = kept;
			kept = b;
		}
		if (gone != NULL)
			block_free(gone);
	}
	arena_init(a, a->max);
	if (kept != NULL) {
		kept->next = NULL;
		kept->used = HEAD;
		a->first = kept;
	}
}

static void *
arena_fail(struct arena *a)
{
	a->bad = 1;
	return NULL;
}

/* A block with room for n bytes; not yet in the list. */
static struct arena_block *
block_new(size_t n)
{
	struct arena_block *b;
	struct buf memory;
	size_t room;

	if (n > SIZE_MAX - HEAD)
		return NULL;
	buf_init(&memory, n + HEAD);
	b = (void *)buf_room(&memory, n + HEAD, &room);
	if (b == NULL)
		return NULL;
	b->next = NULL;
	b->memory = memory;
	b->used = HEAD;
	b->cap = memory.cap;
	return b;
}

/* Where the next block goes: what does not fit the current one. */
static struct arena_block *
block_add(struct arena *a, size_t n)
{
	struct arena_block *b, *old = a->first;
	size_t size = old == NULL ? BLOCK_FIRST : old->cap * 2;

	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	size -= HEAD;
	if (size > a->max)
		size = a->max;
	/* A big one gets its own, and the current one is used further. */
	if (n > size / 4 && old != NULL) {
		if ((b = block_new(n)) == NULL)
			return NULL;
		b->next = old->next;
		old->next = b;
		return b;
	}
	if ((b = block_new(n > size ? n : size)) == NULL)
		return NULL;
	b->next = old;
	a->first = b;
	return b;
}

/* n bytes at a multiple of align, a power of two, as they are. */
static char *
arena_room(struct arena *a, size_t n, size_t align)
{
	struct arena_block *b = a->first;
	size_t gap = 0;

	if (a->bad)
		return NULL;
	if (b != NULL)
		gap = -b->used & (align - 1);
	if (n > a->max - a->used)
		return arena_fail(a);
	if (b == NULL || b->cap - b->used < gap ||
	    b->cap - b->used - gap < n) {
		if ((b = block_add(a, n)) == NULL)
			return arena_fail(a);
		gap = 0;
	}
	b->used += gap + n;
	a->used += n;
	return (char *)b + b->used - n;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	char *p = arena_room(a, n, ALIGN);

	if (p != NULL)
		memset(p, 0, n);
	return p;
}

struct str
arena_copy(struct arena *a, struct str s)
{
	char *p;

	if (s.p == NULL || (p = arena_room(a, s.n, 1)) == NULL)
		return str_n(NULL, 0);
	memcpy(p, s.p, s.n);
	return str_n(p, s.n);
}

struct str
arena_take(struct arena *a, struct buf *b)
{
	struct str s;

	if (b->bad)
		arena_fail(a);
	s = arena_copy(a, buf_str(b));
	buf_clear(b);
	return s;
}
