#include "admin/find.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

#define TEMPLATE_MAX	(4u << 20)

/* A malloc'd "$HOME/.config/spillway/config.json"; NULL: no home. */
static char *
home_file(void)
{
	const char *home = getenv("HOME");
	struct buf b;
	char *s;

	if (home == NULL || *home == '\0')
		return NULL;
	buf_init(&b, 4096);
	buf_fmt(&b, "%s/.config/spillway/config.json", home);
	s = str_dup(buf_str(&b));
	buf_free(&b);
	return s;
}

/* Makes the folders above a file. */
static void
folders_make(const char *file)
{
	char *s = str_dup(str_of(file)), *at;

	if (s == NULL)
		return;
	for (at = strchr(s + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		mkdir(s, 0700);
		*at = '/';
	}
	free(s);
}

static void
template_write(const char *file)
{
	struct buf b;
	struct str s;
	int fd;

	buf_init(&b, TEMPLATE_MAX);
	config_template(&b);
	s = buf_str(&b);
	folders_make(file);
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd == -1 || write(fd, s.p, s.n) != (ssize_t)s.n)
		fprintf(stderr, "spillway: no config found, and the template "
		    "cannot be written to %s: %s\n", file, strerror(errno));
	else
		fprintf(stderr, "spillway: no config found; a template is now "
		    "in %s: put your keys in and start again\n"
		    "(or try: spillway --demo)\n", file);
	if (fd != -1)
		close(fd);
	buf_free(&b);
}

int
find_variables(void)
{
	const char *url = getenv("PROXY_URL");

	return url != NULL && *url != '\0';
}

char *
find_config(const struct options *o)
{
	const char *env = getenv("SPILLWAY_CONFIG");
	char *home;

	if (o->file != NULL)
		return str_dup(str_of(o->file));
	if (env != NULL && *env != '\0')
		return str_dup(str_of(env));
	if (access("config.json", F_OK) == 0)
		return str_dup(str_of("config.json"));
	if ((home = home_file()) != NULL && access(home, F_OK) == 0)
		return home;
	if (find_variables())
		;		/* they are the config */
	else if (home == NULL)
		fputs("spillway: no config: name one with -c\n", stderr);
	else
		template_write(home);
	free(home);
	return NULL;
}
