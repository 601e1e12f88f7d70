#include "admin/journal.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/journal_file.h"
#include "admin/record.h"
#include "base/log.h"

#define AGAIN_MS	1000		/* between two tries to open a file */

struct journal {
	char *dir;		/* owned; NULL: no records */
	uint64_t max;		/* bytes of all files */
	uint64_t part;		/* bytes of one */
	int fd;			/* -1: none is open */
	char day[RECORD_DAY];	/* of the open file */
	uint64_t size;		/* of the open file */
	uint64_t others;	/* bytes of the others, as last looked at */
	int64_t again;		/* no try to open before; 0: at once */
	uint64_t lost;		/* records, since something went wrong */
	unsigned failing:1;
	unsigned torn:1;	/* the open file does not end in a line end */
};

/* ---- life ---- */

struct journal *
journal_new(void)
{
	struct journal *j = calloc(1, sizeof *j);

	if (j != NULL)
		j->fd = -1;
	return j;
}

static void
file_close(struct journal *j)
{
	if (j->fd != -1)
		close(j->fd);
	j->fd = -1;
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	file_close(j);
	free(j->dir);
	free(j);
}

int
journal_setup(struct journal *j, const struct config *cfg)
{
	struct str s = cfg->logging.directory;
	char *dir = NULL;

	if (s.p != NULL && (dir = str_dup(s)) == NULL)
		return -1;
	journal_reopen(j);
	if (dir == NULL || j->dir == NULL || strcmp(dir, j->dir) != 0)
		j->failing = 0;
	free(j->dir);
	j->dir = dir;
	j->part = cfg->logging.max / JOURNAL_PARTS;
	j->max = cfg->logging.max;
	return 0;
}

const char *
journal_folder(const struct journal *j)
{
	return j->dir;
}

void
journal_reopen(struct journal *j)
{
	file_close(j);
	j->again = 0;
}

/* ---- what goes wrong is told once ---- */

/* -1 */
static int
failed(struct journal *j, const char *what, const char *path)
{
	if (!j->failing)
		log_error("records: cannot %s %s: %s; requests go on "
		    "without a record", what, path, strerror(errno));
	j->failing = 1;
	return -1;
}

static void
worked(struct journal *j)
{
	if (j->failing)
		log_info("records: they are written again; %llu were lost",
		    (unsigned long long)j->lost);
	j->failing = 0;
	j->lost = 0;
	j->again = 0;
}

/* ---- files ---- */

/* A day's file that was torn by a crash must not take the next line. */
static int
ends_torn(int fd, uint64_t size)
{
	char c;

	return size > 0 && (pread(fd, &c, 1, (off_t)(size - 1)) != 1 ||
	    c != '\n');
}

/* Opens or makes today's file, and its folder. */
static int
file_open(struct journal *j)
{
	char path[PATH_MAX];
	struct stat st;
	int i, fd = -1;

	if (journal_file_path(path, j->dir, j->day, 0) == -1)
		return failed(j, "open a file in", j->dir);
	for (i = 0; i < 2 && fd == -1; i++) {
		/* Nothing but a plain file: no link, no pipe that waits. */
		fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW |
		    O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
		if (fd != -1 || errno != ENOENT || i > 0)
			break;
		if (mkdir(j->dir, 0700) == -1 && errno != EEXIST)
			return failed(j, "make the folder", j->dir);
	}
	if (fd == -1)
		return failed(j, "open", path);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return failed(j, "write to what is no file:", path);
	}
	j->fd = fd;
	j->size = (uint64_t)st.st_size;
	j->torn = ends_torn(fd, j->size) != 0;
	j->others = journal_file_others(j->dir, j->day);
	return 0;
}

/* 1 if the open file is still today's, and somewhere in a folder. */
static int
file_fits(struct journal *j, const char *day)
{
	struct stat st;

	if (j->fd == -1 || strcmp(day, j->day) != 0 ||
	    fstat(j->fd, &st) == -1 || st.st_nlink == 0)
		return 0;
	j->size = (uint64_t)st.st_size;
	return 1;
}

static int
file_ready(struct journal *j, int64_t wall_ms)
{
	char day[RECORD_DAY];

	record_day(day, wall_ms);
	if (file_fits(j, day))
		return 0;
	file_close(j);
	/* A clock that was set back must not keep us waiting. */
	if (j->again > wall_ms && j->again <= wall_ms + AGAIN_MS)
		return -1;
	memcpy(j->day, day, sizeof day);
	if (file_open(j) == 0)
		return 0;
	j->again = wall_ms + AGAIN_MS;
	return -1;
}

/*
 * Makes room for n bytes: today's file goes on under another name when it is
 * large, so that there are old ones that can go.
 */
static int
room_make(struct journal *j, size_t n)
{
	uint64_t room;

	if (j->size > 0 && j->size + n > j->part) {
		if (journal_file_turn(j->dir, j->day) == -1)
			return failed(j, "rename a file in", j->dir);
		file_close(j);
		if (file_open(j) == -1)
			return -1;
	}
	room = j->max - j->size - n;
	if (j->others <= room)
		return 0;
	j->others = journal_file_prune(j->dir, j->day, room);
	/* What cannot be removed is not tried again with each line. */
	if (j->others > room)
		j->others = 0;
	return 0;
}

/* ---- lines ---- */

/*
 * All or nothing: what went out of a line that did not fit is taken back, if
 * nobody else has written behind it.
 */
static int
line_write(struct journal *j, struct str line)
{
	struct stat st;
	ssize_t n;

	do
		n = write(j->fd, line.p, line.n);
	while (n == -1 && errno == EINTR);
	if (n == (ssize_t)line.n) {
		j->torn = 0;
		return 0;
	}
	if (n > 0) {
		j->torn = fstat(j->fd, &st) == -1 ||
		    (uint64_t)st.st_size != j->size + (uint64_t)n ||
		    ftruncate(j->fd, (off_t)j->size) == -1;
		errno = ENOSPC;
	}
	return -1;
}

/* The line; of one that is too large for its file less. */
static int
line_make(const struct journal *j, struct buf *line, const struct record *r)
{
	size_t start;

	if (j->torn)
		buf_addc(line, '\n');
	start = line->len;
	if (record_write(line, r, SIZE_MAX) == 0)
		return 0;
	line->bad = 0;
	buf_cut(line, start);
	return record_write(line, r, CAPTURE_SHORT);
}

static int
record_keep(struct journal *j, const struct record *r)
{
	char path[PATH_MAX];
	struct buf line;
	int rc = -1;

	buf_init(&line, (size_t)j->part);
	if (file_ready(j, r->wall_ms) == -1)
		goto out;
	if (line_make(j, &line, r) == -1) {
		errno = ENOMEM;
		failed(j, "make a line for", j->dir);
		goto out;
	}
	if (room_make(j, line.len) == -1)
		goto out;
	if ((rc = line_write(j, buf_str(&line))) == -1) {
		journal_file_path(path, j->dir, j->day, 0);
		failed(j, "write to", path);
	}
out:
	buf_free(&line);
	return rc;
}

void
journal_record(void *arg, const struct record *r)
{
	struct journal *j = arg;

	if (j->dir == NULL)
		return;
	if (record_keep(j, r) == 0)
		worked(j);
	else
		j->lost++;
}
