#include "tests/sim/alloc.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/sim/world.h"

/* The linker's names. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

static struct alloc_plan plan;
static unsigned long count, failed;
static long live;

void
alloc_plan(const struct alloc_plan *p)
{
	static const struct alloc_plan none;

	plan = p != NULL ? *p : none;
	count = failed = 0;
}

unsigned long
alloc_failed(void)
{
	return failed;
}

long
alloc_live(void)
{
	return live;
}

int
alloc_fails(void)
{
	if (plan.first == 0 || ++count < plan.first)
		return 0;
	if (plan.percent > 0 ? !chance(plan.percent) :
	    count >= plan.first + plan.run)
		return 0;
	failed++;
	errno = ENOMEM;
	say("    allocation %lu fails", count);
	return 1;
}

void *
__wrap_malloc(size_t n)
{
	void *p = alloc_fails() ? NULL : __real_malloc(n);

	live += p != NULL;
	return p;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	void *p = alloc_fails() ? NULL : __real_calloc(n, size);

	live += p != NULL;
	return p;
}

void *
__wrap_realloc(void *old, size_t n)
{
	void *p = alloc_fails() ? NULL : __real_realloc(old, n);

	live += p != NULL && old == NULL;
	return p;
}

void
__wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

void *
alloc_own(size_t n)
{
	return __real_malloc(n);
}

void
alloc_free(void *p)
{
	__real_free(p);
}
