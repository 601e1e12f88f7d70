/*
 * Feeds each file that is named, or each file of a folder that is named, to
 * a fuzz target, with any compiler.  Every file counts as passed: a fault
 * ends the process, and then the tally is missing.
 */

#include <sys/stat.h>

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
replay_file(const char *path)
{
	struct stat st;
	uint8_t *p;
	size_t n;
	FILE *f;

	f = fopen(path, "rb");
	if (f == NULL || stat(path, &st) == -1) {
		perror(path);
		return -1;
	}
	/* Exactly as large as the input: a sanitizer sees each byte over. */
	p = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	if (p == NULL) {
		fclose(f);
		return -1;
	}
	n = fread(p, 1, (size_t)st.st_size, f);
	fclose(f);
	LLVMFuzzerTestOneInput(p, n);
	free(p);
	return 0;
}

static unsigned
replay_dir(const char *path, unsigned *failed)
{
	char name[4096];
	struct dirent *e;
	unsigned n;
	DIR *d;

	n = 0;
	d = opendir(path);
	if (d == NULL) {
		perror(path);
		*failed += 1;
		return 0;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		if (replay_file(name) == -1)
			*failed += 1;
		else
			n++;
	}
	closedir(d);
	return n;
}

int
main(int argc, char **argv)
{
	unsigned passed, failed;
	struct stat st;
	int i;

	passed = 0;
	failed = 0;
	for (i = 1; i < argc; i++) {
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			passed += replay_dir(argv[i], &failed);
		else if (replay_file(argv[i]) == -1)
			failed++;
		else
			passed++;
	}
	printf("%u passed, %u failed, 0 skipped\n", passed, failed);
	return failed != 0;
}
