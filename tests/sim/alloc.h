#ifndef TESTS_SIM_ALLOC_H
#define TESTS_SIM_ALLOC_H

/*
 * The memory of the program under test: each of its allocations is counted
 * and may be made to fail.  Works by the linker's --wrap of malloc, calloc,
 * realloc and free, so the C library's own are not touched.
 */

#include <stddef.h>

/* Which allocations fail; all 0: none. */
struct alloc_plan {
	unsigned long first;	/* the number of the first one, from 1 */
	unsigned long run;	/* how many in a row */
	unsigned percent;	/* or so many of a hundred, from first on */
};

/* From here on by that plan; NULL: none fails any more. */
void alloc_plan(const struct alloc_plan *p);

/* How many have failed since alloc_plan(). */
unsigned long alloc_failed(void);

/* 1 if this one, which is not made by malloc, is to fail: it counts. */
int alloc_fails(void);

/* Blocks that the program holds. */
long alloc_live(void);

/* For the simulation itself: neither counted nor failing. */
void *alloc_own(size_t n);
void alloc_free(void *p);

#endif
