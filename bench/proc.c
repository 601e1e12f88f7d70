#include "bench/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 96, FILE_SIZE = 4096 };

/* A small file as a string; its length, 0 if it cannot be read. */
static size_t
slurp(const char *path, char text[FILE_SIZE])
{
	FILE *f;
	size_t n = 0;

	if ((f = fopen(path, "r")) != NULL) {
		n = fread(text, 1, FILE_SIZE - 1, f);
		fclose(f);
	}
	text[n] = '\0';
	return n;
}

/* The fields of /proc/PID/stat from the third (state) on; NULL: gone. */
static const char *
stat_fields(long pid, char text[FILE_SIZE])
{
	char path[PATH_SIZE], *p;

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	if (slurp(path, text) == 0)
		return NULL;
	/* The name, which may hold anything, ends at the last parenthesis. */
	p = strrchr(text, ')');
	return p == NULL ? NULL : p + 2;
}

static int
has(const struct proc *p, long pid)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->pid[i] == pid)
			return 1;
	return 0;
}

/* Adds the children of those that are in already; how many were new. */
static size_t
add_children(struct proc *p)
{
	char text[FILE_SIZE];
	const char *fields;
	struct dirent *d;
	size_t before = p->n;
	long pid, parent;
	DIR *dir;

	if ((dir = opendir("/proc")) == NULL)
		return 0;
	while ((d = readdir(dir)) != NULL && p->n < PROC_MAX) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		pid = strtol(d->d_name, NULL, 10);
		if (has(p, pid) || (fields = stat_fields(pid, text)) == NULL)
			continue;
		if (sscanf(fields, "%*c %ld", &parent) == 1 && has(p, parent))
			p->pid[p->n++] = pid;
	}
	closedir(dir);
	return p->n - before;
}

void
proc_find(struct proc *p, long pid)
{
	p->n = 0;
	if (pid == 0)
		return;
	p->pid[p->n++] = pid;
	while (add_children(p) > 0)
		;
}

static uint64_t
stat_cpu(long pid)
{
	char text[FILE_SIZE];
	const char *fields = stat_fields(pid, text);
	unsigned long user, sys;

	if (fields == NULL || sscanf(fields, "%*c %*d %*d %*d %*d %*d %*u "
	    "%*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
		return 0;
	return (user + sys) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* schedstat stands per thread: time on a core, time waited for one. */
static uint64_t
sched_cpu(long pid, uint64_t *wait)
{
	char path[PATH_SIZE], text[FILE_SIZE];
	unsigned long long ran, waited;
	struct dirent *d;
	uint64_t sum = 0;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%ld/task", pid);
	if ((dir = opendir(path)) == NULL)
		return 0;
	while ((d = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		snprintf(path, sizeof path, "/proc/%ld/task/%ld/schedstat",
		    pid, strtol(d->d_name, NULL, 10));
		if (slurp(path, text) > 0 &&
		    sscanf(text, "%llu %llu", &ran, &waited) == 2) {
			sum += ran;
			*wait += waited;
		}
	}
	closedir(dir);
	return sum;
}

static long
status_value(const char *status, const char *name)
{
	const char *p = strstr(status, name);

	return p == NULL ? 0 : strtol(p + strlen(name), NULL, 10);
}

void
proc_read(const struct proc *p, struct proc_use *use)
{
	char path[PATH_SIZE], text[FILE_SIZE];
	uint64_t ticks = 0, sched = 0;
	size_t i;

	memset(use, 0, sizeof *use);
	for (i = 0; i < p->n; i++) {
		ticks += stat_cpu(p->pid[i]);
		sched += sched_cpu(p->pid[i], &use->wait);
		snprintf(path, sizeof path, "/proc/%ld/status", p->pid[i]);
		slurp(path, text);
		use->rss += status_value(text, "VmRSS:");
		use->peak += status_value(text, "VmHWM:");
	}
	use->cpu = ticks > sched ? ticks : sched;
}
