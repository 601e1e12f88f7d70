#ifndef BENCH_PROC_H
#define BENCH_PROC_H

#include <stddef.h>
#include <stdint.h>

/* What Linux says in /proc about a process and all that descend from it. */

enum { PROC_MAX = 64 };

struct proc {
	long pid[PROC_MAX];
	size_t n;
};

struct proc_use {
	uint64_t cpu;	/* ns of CPU so far, user and system */
	uint64_t wait;	/* ns spent ready to run while others ran */
	long rss, peak;	/* KiB now, and the most since each one's start */
};

/* Finds pid and its descendants, at most PROC_MAX; pid 0: nobody. */
void	proc_find(struct proc *p, long pid);

/*
 * Adds up what they have used. CPU is the greater of utime + stime (which
 * counts in ticks) and schedstat (nanoseconds, where the kernel has it).
 */
void	proc_read(const struct proc *p, struct proc_use *use);

#endif
