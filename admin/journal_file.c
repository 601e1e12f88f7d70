#include "admin/journal_file.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILES_MAX	100000		/* of a folder that are looked at */
#define READ_PIECE	((size_t)1 << 18)

struct file {
	char day[RECORD_DAY];
	unsigned part;
	uint64_t size;
};

struct list {
	struct file *f;		/* owned */
	size_t n, room;
};

int
journal_file_path(char *path, const char *dir, const char *day,
    unsigned part)
{
	char number[16] = "";
	int n;

	if (part > 0)
		snprintf(number, sizeof number, ".%u", part);
	n = snprintf(path, PATH_MAX, "%s/requests_%s%s.jsonl", dir, day,
	    number);
	if (n > 0 && n < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* ---- what is there ---- */

/* 1 if the name is one of ours. */
static int
name_read(struct file *f, struct str s)
{
	static const char like[] = "dddd-dd-dd";
	uint64_t part = 0;
	size_t i;

	if (!str_starts(s, "requests_") || !str_ends(s, ".jsonl") ||
	    s.n < 9 + 10 + 6)
		return 0;
	s = str_n(s.p + 9, s.n - 9 - 6);
	for (i = 0; i < 10; i++)
		if (like[i] == 'd' ? s.p[i] < '0' || s.p[i] > '9' :
		    s.p[i] != '-')
			return 0;
	memcpy(f->day, s.p, 10);
	f->day[10] = '\0';
	s = str_n(s.p + 10, s.n - 10);
	if (s.n > 0 && (s.p[0] != '.' || s.n < 2 || s.p[1] == '0' ||
	    util_u64(str_n(s.p + 1, s.n - 1), UINT_MAX - 1, &part) == -1))
		return 0;
	f->part = (unsigned)part;
	return 1;
}

static int
list_add(struct list *l, const struct file *f)
{
	size_t room = l->room == 0 ? 64 : 2 * l->room;
	struct file *more;

	if (l->n == l->room) {
		if (room > FILES_MAX ||
		    (more = realloc(l->f, room * sizeof *more)) == NULL)
			return -1;
		l->f = more;
		l->room = room;
	}
	l->f[l->n++] = *f;
	return 0;
}

/* The oldest first; the one without a number is its day's newest. */
static int
by_age(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	int day = strcmp(x->day, y->day);

	if (day != 0)
		return day;
	if (x->part == 0 || y->part == 0)
		return (x->part == 0) - (y->part == 0);
	return (x->part > y->part) - (x->part < y->part);
}

static void
list_make(struct list *l, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct file f;
	struct stat st;

	memset(l, 0, sizeof *l);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (!name_read(&f, str_of(e->d_name)) ||
		    fstatat(dirfd(d), e->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode))
			continue;
		f.size = (uint64_t)st.st_size;
		if (list_add(l, &f) == -1)
			break;
	}
	if (d != NULL)
		closedir(d);
	if (l->n > 0)
		qsort(l->f, l->n, sizeof *l->f, by_age);
}

static int
is_today(const struct file *f, const char *day)
{
	return f->part == 0 && strcmp(f->day, day) == 0;
}

static uint64_t
sum_others(const struct list *l, const char *day)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < l->n; i++)
		sum += is_today(&l->f[i], day) ? 0 : l->f[i].size;
	return sum;
}

/* The greatest number of a day's files; 0: none has one. */
static unsigned
last_part(const char *dir, const char *day)
{
	struct list l;
	unsigned part = 0;
	size_t i;

	list_make(&l, dir);
	for (i = 0; i < l.n; i++)
		if (strcmp(l.f[i].day, day) == 0 && l.f[i].part > part)
			part = l.f[i].part;
	free(l.f);
	return part;
}

uint64_t
journal_file_others(const char *dir, const char *day)
{
	struct list l;
	uint64_t sum;

	list_make(&l, dir);
	sum = sum_others(&l, day);
	free(l.f);
	return sum;
}

int
journal_file_newest(const char *dir, char day[RECORD_DAY])
{
	struct list l;
	int rc = -1;

	list_make(&l, dir);
	if (l.n > 0) {
		memcpy(day, l.f[l.n - 1].day, RECORD_DAY);
		rc = 0;
	}
	free(l.f);
	return rc;
}

/* ---- what changes ---- */

int
journal_file_turn(const char *dir, const char *day)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (journal_file_path(from, dir, day, 0) == -1 ||
	    journal_file_path(to, dir, day, last_part(dir, day) + 1) == -1)
		return -1;
	return rename(from, to);
}

uint64_t
journal_file_prune(const char *dir, const char *day, uint64_t room)
{
	char path[PATH_MAX];
	struct list l;
	uint64_t sum;
	size_t i;

	list_make(&l, dir);
	sum = sum_others(&l, day);
	for (i = 0; i < l.n && sum > room; i++)
		if (!is_today(&l.f[i], day) && journal_file_path(path, dir,
		    l.f[i].day, l.f[i].part) == 0 && unlink(path) == 0)
			sum -= l.f[i].size;
	free(l.f);
	return sum;
}

/* ---- what is in them ---- */

static int
read_from(int fd, off_t at, size_t n, struct buf *out)
{
	size_t room, left = n;
	unsigned char *p;
	ssize_t got;

	while (left > 0) {
		p = buf_room(out, left < READ_PIECE ? left : READ_PIECE,
		    &room);
		if (p == NULL)
			return -1;
		got = pread(fd, p, room < left ? room : left, at);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return (int)got;
		buf_added(out, (size_t)got);
		at += got;
		left -= (size_t)got;
	}
	return 0;
}

/* Adds whole lines from the end of one file. */
static int
tail_add(const char *path, size_t most, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
	    rc;
	size_t n;
	struct stat st;
	const char *p;
	struct str s;
	struct buf b;

	if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	n = (uint64_t)st.st_size < most ? (size_t)st.st_size : most;
	buf_init(&b, n);
	rc = read_from(fd, st.st_size - (off_t)n, n, &b);
	close(fd);
	s = buf_str(&b);
	/* The first line of a piece has lost its front, or seems so. */
	if (n < (uint64_t)st.st_size) {
		p = s.n == 0 ? NULL : memchr(s.p, '\n', s.n);
		n = p == NULL ? s.n : (size_t)(p + 1 - s.p);
		s = str_n(s.p + n, s.n - n);
	}
	buf_addstr(out, s);
	if (s.n > 0 && s.p[s.n - 1] != '\n')
		buf_addc(out, '\n');
	buf_free(&b);
	return rc;
}

int
journal_file_tail(const char *dir, const char *day, size_t most,
    struct buf *out)
{
	unsigned part = last_part(dir, day);
	char path[PATH_MAX];
	struct stat st;
	size_t left;
	int rc;

	if (journal_file_path(path, dir, day, 0) == -1)
		return -1;
	left = stat(path, &st) == -1 ? most :
	    (uint64_t)st.st_size < most ? most - (size_t)st.st_size : 0;
	rc = -1;
	if (part > 0 && left > 0 &&
	    journal_file_path(path, dir, day, part) == 0)
		rc = tail_add(path, left, out);
	journal_file_path(path, dir, day, 0);
	if (tail_add(path, most, out) == 0)
		rc = 0;
	return rc == -1 || out->bad ? -1 : 0;
}
