#include "net/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRUST_MAX (16u << 20)

static const char *const places[] = {
	"/etc/ssl/certs/ca-certificates.crt",	/* Debian, Alpine, Arch */
	"/etc/pki/tls/certs/ca-bundle.crt",	/* Fedora, RHEL */
	"/etc/ssl/ca-bundle.pem",		/* openSUSE */
	"/etc/ssl/cert.pem",			/* OpenBSD, macOS, FreeBSD */
	"/usr/local/share/certs/ca-root-nss.crt", /* FreeBSD */
	"/usr/local/etc/ssl/cert.pem",
	"/etc/openssl/certs/ca-certificates.crt", /* NetBSD */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
};

/* A descriptor to read from; -1: errno. */
static int
file_open(const char *path, int wait)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
	    (wait ? 0 : O_NONBLOCK));
	struct stat st;

	if (fd == -1 || wait)
		return fd;
	if (fstat(fd, &st) == -1)
		st.st_mode = 0;
	if (S_ISREG(st.st_mode))
		return fd;
	close(fd);
	errno = S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
	return -1;
}

int
trust_read(const char *path, struct buf *out, int wait)
{
	int fd = file_open(path, wait), rc = -1, e;
	unsigned char *p;
	size_t room;
	ssize_t n;

	if (fd == -1)
		return -1;
	for (;;) {
		if ((p = buf_room(out, 1, &room)) == NULL) {
			errno = out->len == out->max ? EFBIG : ENOMEM;
			break;
		}
		n = read(fd, p, room);
		if (n > 0)
			buf_added(out, (size_t)n);
		else if (n == 0 || errno != EINTR) {
			rc = n == 0 ? 0 : -1;
			break;
		}
	}
	e = errno;
	close(fd);
	errno = e;
	return rc;
}

static struct tls_roots *
file_load(const char *path, struct buf *note)
{
	struct tls_roots *r = NULL;
	unsigned found = 0, skipped = 0;
	struct buf pem;

	buf_init(&pem, TRUST_MAX);
	if (trust_read(path, &pem, 0) == -1) {
		buf_fmt(note, "cannot read the CA bundle %s: %s", path,
		    strerror(errno));
		goto out;
	}
	r = tls_roots_new(buf_str(&pem), &found, &skipped);
	if (r == NULL)
		buf_fmt(note, "no usable certificate in the CA bundle %s "
		    "(%u found, %u skipped)", path, found, skipped);
	else {
		buf_fmt(note, "%u roots from %s", found, path);
		if (skipped > 0)
			buf_fmt(note, ", %u skipped", skipped);
	}
out:
	buf_free(&pem);
	return r;
}

struct tls_roots *
trust_load(struct str path, struct buf *note)
{
	const char *env;
	struct tls_roots *r = NULL;
	char *name;
	size_t i;
	FILE *f;

	if (path.p != NULL) {
		if ((name = str_dup(path)) != NULL)
			r = file_load(name, note);
		free(name);
		return r;
	}
	if ((env = getenv("SSL_CERT_FILE")) != NULL && *env != '\0')
		return file_load(env, note);
	for (i = 0; i < sizeof places / sizeof *places; i++) {
		if ((f = fopen(places[i], "rb")) == NULL)
			continue;
		fclose(f);
		return file_load(places[i], note);
	}
	buf_adds(note, "no CA bundle in the usual places; install "
	    "ca-certificates or set ca_file");
	return NULL;
}
