/*
 * The config file on disk, in a folder of its own: what is kept, what stays
 * when something fails, and that no reader and no crash ever sees half a
 * file.
 */

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/store.h"
#include "tests/t.h"

#define ROOM	((size_t)1 << 20)
#define NOBODY	65534		/* some id that is not root's */

static char why[512];

/* ---- helpers ---- */

static void
make(const char *file, const char *text, mode_t mode)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	size_t n = strlen(text);

	T_OK(fd != -1 && write(fd, text, n) == (ssize_t)n && fchmod(fd,
	    mode) == 0, "%s: %s", file, strerror(errno));
	close(fd);
}

static int
holds(const char *file, const char *text)
{
	struct buf b;
	int is;

	buf_init(&b, ROOM);
	is = store_read(file, &b) == 0 && str_is(buf_str(&b), text);
	buf_free(&b);
	return is;
}

static mode_t
mode_of(const char *file)
{
	struct stat st;

	return lstat(file, &st) == -1 ? 0 : st.st_mode & 07777;
}

/* Files in a folder; with remove, that many are gone afterwards. */
static unsigned
files_in(const char *folder, int remove_all)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	char path[600];
	unsigned n = 0;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		n++;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		if (remove_all)
			T_OK(unlink(path) == 0 || rmdir(path) == 0, "%s",
			    path);
	}
	if (d != NULL)
		closedir(d);
	return n;
}

static int
put(const char *file, const char *text)
{
	why[0] = '\0';
	return store_write(file, str_of(text), why, sizeof why);
}

/* Runs f in a child; what it fails there fails here. */
static void
in_child(void (*f)(void))
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		t_failed = 0;
		f();
		fflush(stdout);
		_exit(t_failed > 0);
	}
	T_OK(pid != -1 && waitpid(pid, &status, 0) == pid && status == 0,
	    "the child: %d", status);
}

/* ---- what is kept ---- */

static void
plain(void)
{
	static const mode_t modes[] = { 0600, 0640, 0644, 0400, 0666 };
	static const mode_t masks[] = { 0, 022, 077 };
	struct stat before, after;
	size_t i;

	for (i = 0; i < 15; i++) {
		umask(masks[i % 3]);
		make("c", "old", modes[i / 3]);
		stat("c", &before);
		T_OK(put("c", "the new one") == 0, "%s", why);
		stat("c", &after);
		T_OK(holds("c", "the new one"), "new");
		T_OK(holds("c.backup", "old"), "backup");
		T_OK(before.st_ino != after.st_ino, "not the same file");
		T_OK(mode_of("c") == modes[i / 3], "%o",
		    (unsigned)mode_of("c"));
		T_OK(mode_of("c.backup") == modes[i / 3], "%o",
		    (unsigned)mode_of("c.backup"));
		T_OK(put("c", "") == 0, "%s", why);
		T_OK(holds("c", "") && holds("c.backup", "the new one"),
		    "again");
		T_OK(files_in(".", 1) == 2, "nothing else is left");
	}
	umask(022);
	T_OK(put("./c", "first") == 0, "%s", why);
	T_OK(holds("c", "first") && mode_of("c") == 0600, "made: %o",
	    (unsigned)mode_of("c"));
	T_OK(files_in(".", 1) == 1, "no backup of nothing");
}

static void
links(void)
{
	char here[400], full[500];

	T_OK(getcwd(here, sizeof here) != NULL, "where am I");
	snprintf(full, sizeof full, "%s/d/c", here);
	mkdir("d", 0700);
	make("d/c", "old", 0640);
	T_OK(symlink("d/c", "one") == 0 && symlink("one", "two") == 0 &&
	    symlink("../two", "d/three") == 0 && symlink(full, "four") == 0,
	    "links");
	T_OK(put("one", "1") == 0 && holds("d/c", "1"), "one: %s", why);
	T_OK(put("two", "2") == 0 && holds("d/c", "2"), "two: %s", why);
	T_OK(put("d/three", "3") == 0 && holds("d/c", "3"), "three: %s", why);
	T_OK(put("four", "4") == 0 && holds("d/c", "4"), "four: %s", why);
	T_OK(holds("d/c.backup", "3") && mode_of("d/c") == 0640, "kept");
	T_OK(holds("one", "4") && readlink("one", full, sizeof full) == 3 &&
	    readlink("two", full, sizeof full) == 3 &&
	    readlink("d/three", full, sizeof full) == 6 &&
	    readlink("four", full, sizeof full) > 4, "still links");
	unlink("d/c");
	T_OK(put("d/three", "5") == 0 && holds("d/c", "5"), "%s", why);
	T_OK(files_in("d", 1) == 3, "in the folder");
	T_OK(symlink("loop", "loop") == 0 && put("loop", "x") == -1 &&
	    strstr(why, "loop") != NULL, "%s", why);
	T_OK(files_in(".", 1) == 5, "no more than before");
}

static void
owners(void)
{
	struct stat st;

	if (geteuid() != 0)
		return;
	make("c", "old", 0640);
	T_OK(chown("c", NOBODY, NOBODY - 1) == 0 && put("c", "new") == 0,
	    "%s", why);
	T_OK(stat("c", &st) == 0 && st.st_uid == NOBODY && st.st_gid ==
	    NOBODY - 1 && (st.st_mode & 07777) == 0640, "the file's");
	T_OK(stat("c.backup", &st) == 0 && st.st_uid == NOBODY &&
	    st.st_gid == NOBODY - 1, "the backup's");
	files_in(".", 1);
}

/* ---- what fails ---- */

static void
odd_files(void)
{
	struct buf b;
	char is[16];

	mkdir("d", 0700);
	T_OK(put("d", "x") == -1 && strstr(why, "d is no") != NULL, "%s", why);
	T_OK(mkfifo("f", 0600) == 0 && put("f", "x") == -1, "%s", why);
	T_OK(symlink("/dev/full", "full") == 0 && put("full", "x") == -1,
	    "%s", why);
	T_OK(put("no/c", "x") == -1 && strstr(why, "no/c") != NULL, "%s",
	    why);
	T_OK(put("", "x") == -1 && why[0] != '\0', "%s", why);
	make("c", "old", 0600);
	T_OK(put("c/c", "x") == -1 && why[0] != '\0', "%s", why);
	T_OK(store_write("d", str_of("x"), is, sizeof is) == -1 &&
	    strlen(is) < sizeof is, "a small sentence");
	buf_init(&b, 4);
	T_OK(store_read("none", &b) == -1 && errno == ENOENT, "none");
	T_OK(store_read("d", &b) == -1 && errno == EISDIR, "a folder");
	T_OK(store_read("c", &b) == 0 && str_is(buf_str(&b), "old"), "c");
	T_OK(store_read("c", &b) == -1 && errno == EFBIG, "too large");
	buf_free(&b);
	T_OK(files_in(".", 1) == 4, "no more than before");
}

/* The disk is full after so many bytes of a file. */
static void
full_disk(void)
{
	static char large[3000];
	struct rlimit r;

	memset(large, 'x', sizeof large - 1);
	signal(SIGXFSZ, SIG_IGN);
	make("c", "old", 0600);
	make("c.backup", "older", 0600);
	make("l", large, 0600);
	r.rlim_cur = r.rlim_max = 1000;
	T_OK(setrlimit(RLIMIT_FSIZE, &r) == 0, "limit");
	T_OK(put("c", large) == -1 && strstr(why, "cannot write") != NULL,
	    "%s", why);
	T_OK(holds("c", "old") && holds("c.backup", "old"), "still there");
	T_OK(put("l", "small") == -1 && holds("l", large), "no backup, no "
	    "change: %s", why);
	T_OK(put("c", "new") == 0 && holds("c", "new"), "%s", why);
	T_OK(files_in(".", 0) == 3, "no halves are left");
}

static void
not_allowed(void)
{
	make("d/c", "old", 0600);
	make("d/g", "old", 0646);
	if (geteuid() == 0) {
		T_OK(chown("d/c", NOBODY, NOBODY) == 0 && chmod("d", 0755) ==
		    0 && chmod(".", 0755) == 0, "%s", strerror(errno));
		T_OK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0, "%s",
		    strerror(errno));
	} else {
		chmod("d", 0555);
	}
	T_OK(put("d/c", "x") == -1 && strstr(why, "d/c") != NULL, "%s", why);
	T_OK(holds("d/c", "old") && files_in("d", 0) == 2, "unchanged");
}

/* Of another owner and group, in a folder of ours: no group sees more. */
static void
not_ours(void)
{
	struct stat st;

	if (geteuid() != 0)
		return;
	make("d/c", "old", 0664);
	make("d/s", "old", 0660);
	T_OK(chown("d", NOBODY, NOBODY) == 0 && chmod("d", 0700) == 0 &&
	    chown("d/c", 0, NOBODY - 1) == 0 && chown("d/s", 0, NOBODY) == 0,
	    "%s", strerror(errno));
	T_OK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0, "%s",
	    strerror(errno));
	T_OK(put("d/c", "new") == 0 && holds("d/c", "new"), "%s", why);
	T_OK(stat("d/c", &st) == 0 && st.st_uid == NOBODY &&
	    (st.st_mode & 07777) == 0644, "%o", (unsigned)st.st_mode);
	T_OK(put("d/s", "new") == 0 && holds("d/s", "new"), "%s", why);
	T_OK(stat("d/s", &st) == 0 && st.st_gid == NOBODY &&
	    (st.st_mode & 07777) == 0660, "%o", (unsigned)st.st_mode);
}

/* ---- crashes and others ---- */

/* Texts of many sizes, of which one knows whether they are whole. */
static void
text_number(struct buf *b, unsigned n)
{
	unsigned i, lines = n * 37 % 500;

	buf_clear(b);
	buf_fmt(b, "%u\n", n);
	for (i = 0; i < lines; i++)
		buf_fmt(b, "line %u of text %u\n", i, n);
	buf_adds(b, "end\n");
}

/* -1: it is not there. */
static int
whole(const char *file)
{
	struct buf is, wanted;
	uint64_t n;
	size_t i;
	int rc = -1;

	buf_init(&is, ROOM);
	buf_init(&wanted, ROOM);
	if (store_read(file, &is) == 0) {
		for (i = 0; i < is.len && buf_str(&is).p[i] != '\n'; i++)
			;
		rc = 0;
		if (util_u64(str_n(buf_str(&is).p, i), 1u << 20, &n) == 0) {
			text_number(&wanted, (unsigned)n);
			rc = str_eq(buf_str(&is), buf_str(&wanted));
		}
	}
	buf_free(&is);
	buf_free(&wanted);
	return rc;
}

static void
write_for_ever(unsigned from)
{
	struct buf b;
	unsigned n;

	buf_init(&b, ROOM);
	for (n = from;; n++) {
		text_number(&b, n % (1u << 19));
		if (store_write("c", buf_str(&b), why, sizeof why) == -1)
			_exit(1);
	}
}

/* Reads the file over and over until it was seen to change n times. */
static void
watch(unsigned n, pid_t writer, unsigned more)
{
	struct stat was, is;
	int status;

	stat("c", &was);
	while (n > 0 || more > 0) {
		T_OK(whole("c") == 1, "half a file");
		T_OK(whole("c.backup") != 0, "half a backup");
		if (n == 0)
			more--;
		if (n > 0 && stat("c", &is) == 0 && is.st_ino != was.st_ino) {
			was = is;
			n--;
		}
		if (waitpid(writer, &status, WNOHANG) != 0)
			return;
	}
}

/* Writers are killed in each round, always at another moment. */
static void
killed(unsigned rounds, unsigned writers)
{
	pid_t pid[4];
	unsigned round, k;
	int status;

	make("c", "0\nend\n", 0600);
	fflush(stdout);
	for (round = 0; round < rounds; round++) {
		for (k = 0; k < writers; k++)
			if ((pid[k] = fork()) == 0)
				write_for_ever(1000 * round + 100 * k);
		watch(round % 3, pid[0], round * 7 % 60);
		for (k = 0; k < writers; k++) {
			kill(pid[k], SIGKILL);
			T_OK(waitpid(pid[k], &status, 0) == pid[k] &&
			    WIFSIGNALED(status), "it wrote until it died");
		}
		T_OK(whole("c") == 1 && whole("c.backup") != 0,
		    "round %u: half of it", round);
		/* What the dead were at is in files that nobody reads. */
		T_OK(files_in(".", 0) <= 2 + (round + 1) * writers, "litter");
	}
	T_OK(whole("c.backup") == 1, "something was written");
	files_in(".", 1);
}

int
main(void)
{
	char folder[256];
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%s/store-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(folder) == NULL || chdir(folder) == -1) {
		perror(folder);
		return 1;
	}
	plain();
	links();
	owners();
	odd_files();
	in_child(full_disk);
	files_in(".", 1);
	mkdir("d", 0700);
	in_child(not_allowed);
	chmod("d", 0700);
	files_in("d", 1);
	files_in(".", 1);
	mkdir("d", 0700);
	in_child(not_ours);
	files_in("d", 1);
	files_in(".", 1);
	killed(80, 1);
	killed(20, 3);
	T_OK(chdir("/") == 0 && rmdir(folder) == 0, "nothing is left");
	return t_end();
}
