#ifndef TESTS_T_H
#define TESTS_T_H

/*
 * The smallest test kit: T_OK counts a check and prints it only when it
 * fails; t_end() prints the tally that tests/run reads.
 */

#include <stdio.h>

static unsigned t_passed, t_failed, t_skipped;

#define T_OK(cond, ...) do { \
	if (cond) \
		t_passed++; \
	else { \
		t_failed++; \
		printf("not ok %s:%d: %s: ", __FILE__, __LINE__, #cond); \
		printf(__VA_ARGS__); \
		printf("\n"); \
	} \
} while (0)

/* A check that this machine cannot make: told, and counted as no pass. */
#define T_SKIP(...) do { \
	t_skipped++; \
	printf("skip: "); \
	printf(__VA_ARGS__); \
	printf("\n"); \
} while (0)

static int
t_end(void)
{
	printf("%u passed, %u failed, %u skipped\n", t_passed, t_failed,
	    t_skipped);
	return t_failed != 0;
}

#endif
