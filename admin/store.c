#include "admin/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/trust.h"

#define STORE_MAX	((size_t)64 << 20)
#define LINKS_MAX	40		/* of links that lead to links */
#define LINK_MAX_BYTES	4096
#define NEW_NAME	".new-" "XX" "XX" "XX"	/* as mkstemp() wants it */

/* What could not be done, by errno.  Always -1. */
static int
fault(char *why, size_t n, const char *what, const char *path)
{
	snprintf(why, n, "cannot %s %s: %s", what, path, strerror(errno));
	return -1;
}

int
store_read(const char *file, struct buf *out)
{
	return trust_read(file, out, 0);
}

static int
write_all(int fd, struct str text)
{
	ssize_t r;

	while (text.n > 0) {
		r = write(fd, text.p, text.n);
		if (r == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		text.p += r;
		text.n -= (size_t)r;
	}
	return 0;
}

/* Owner and mode as the old file's, as far as that is allowed. */
static int
keep_owner(int fd, const struct stat *like)
{
	mode_t mode = like->st_mode & 07777;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_uid != like->st_uid || st.st_gid != like->st_gid) {
		if (fchown(fd, like->st_uid, like->st_gid) == -1 &&
		    fchown(fd, (uid_t)-1, like->st_gid) == -1)
			/* What was one group's is not shown to another. */
			mode &= ~(mode_t)070 | (mode & 07) << 3;
	}
	return fchmod(fd, mode);
}

/* The folder knows of a rename only once it is written, too. */
static int
sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? str_dup(str_of(".")) :
	    str_dup(str_n(path, slash == path ? 1 : (size_t)(slash - path)));
	int fd, rc = 0;

	if (folder == NULL)
		return -1;
	fd = open(folder, O_RDONLY);
	free(folder);
	if (fd == -1)
		return -1;
	/* Some file systems have nothing to sync there, and say so. */
	if (fsync(fd) == -1 && errno != EINVAL)
		rc = -1;
	close(fd);
	return rc;
}

/* path with something behind it; NULL: out of memory. */
static char *
path_with(const char *path, const char *more)
{
	size_t n = strlen(path) + strlen(more) + 1;
	char *p = malloc(n);

	if (p != NULL)
		snprintf(p, n, "%s%s", path, more);
	return p;
}

/*
 * Puts text in the place of path: all of it or nothing.  The name of the new
 * file is one of its own, so that two processes never write into one file.
 */
static int
replace(const char *path, struct str text, const struct stat *like,
    char *why, size_t n)
{
	char *new = path_with(path, NEW_NAME);
	int fd, rc = -1;

	if (new == NULL || (fd = mkstemp(new)) == -1) {
		fault(why, n, "make a new file beside", path);
		free(new);
		return -1;
	}
	if (like != NULL && keep_owner(fd, like) == -1)
		fault(why, n, "set the mode of", new);
	else if (write_all(fd, text) == -1 || fsync(fd) == -1)
		fault(why, n, "write", new);
	else
		rc = 0;
	if (close(fd) == -1 && rc == 0)
		rc = fault(why, n, "write", new);
	if (rc == 0 && rename(new, path) == -1)
		rc = fault(why, n, "replace", path);
	if (rc == -1)
		unlink(new);
	else if (sync_folder(path) == -1)
		rc = fault(why, n, "sync the folder of", path);
	free(new);
	return rc;
}

/* FILE.backup becomes what FILE is now. */
static int
keep_last(const char *path, const struct stat *like, char *why, size_t n)
{
	char *backup = path_with(path, ".backup");
	struct buf last;
	int rc;

	buf_init(&last, STORE_MAX);
	if (backup == NULL || store_read(path, &last) == -1)
		rc = fault(why, n, "read", path);
	else
		rc = replace(backup, buf_str(&last), like, why, n);
	buf_wipe(&last);
	free(backup);
	return rc;
}

/* Where the link at path leads, malloc'd; NULL with errno. */
static char *
follow(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	char to[LINK_MAX_BYTES + 1], *p;
	ssize_t r = readlink(path, to, LINK_MAX_BYTES + 1);

	if (r == -1)
		return NULL;
	if (r > LINK_MAX_BYTES) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	to[r] = '\0';
	if (to[0] == '/')
		return str_dup(str_n(to, (size_t)r));
	if ((p = malloc(n + (size_t)r + 1)) == NULL)
		return NULL;
	memcpy(p, path, n);
	memcpy(p + n, to, (size_t)r + 1);
	return p;
}

/*
 * The file itself, behind symbolic links, as a malloc'd path; st_mode 0: it
 * is not there.  NULL and a sentence.
 */
static char *
real_file(const char *file, struct stat *st, char *why, size_t n)
{
	char *path = str_dup(str_of(file)), *next;
	int i, rc = -1;

	for (i = 0; path != NULL && i < LINKS_MAX; i++) {
		memset(st, 0, sizeof *st);
		rc = lstat(path, st);
		if (rc == -1 || !S_ISLNK(st->st_mode))
			break;
		next = follow(path);
		free(path);
		path = next;
	}
	if (path == NULL) {
		fault(why, n, "find", file);
		return NULL;
	}
	if (i == LINKS_MAX) {
		errno = ELOOP;
		fault(why, n, "find", file);
	} else if (rc == -1 && errno != ENOENT) {
		fault(why, n, "find", path);
	} else if (rc == 0 && !S_ISREG(st->st_mode)) {
		snprintf(why, n, "%s is no regular file", path);
	} else {
		return path;
	}
	free(path);
	return NULL;
}

int
store_write(const char *file, struct str text, char *why, size_t n)
{
	struct stat st;
	char *path;
	int rc = 0;

	if ((path = real_file(file, &st, why, n)) == NULL)
		return -1;
	if (st.st_mode != 0)
		rc = keep_last(path, &st, why, n);
	if (rc == 0)
		rc = replace(path, text, st.st_mode != 0 ? &st : NULL, why, n);
	free(path);
	return rc;
}
