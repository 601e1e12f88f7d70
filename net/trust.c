#include "net/trust.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int
trust_read(const char *path, struct buf *out)
{
	unsigned char *p;
	size_t n, room;
	FILE *f;
	int bad;

	if ((f = fopen(path, "rb")) == NULL)
		return -1;
	errno = 0;
	do {
		if ((p = buf_room(out, 1, &room)) == NULL) {
			fclose(f);
			errno = EFBIG;
			return -1;
		}
		n = fread(p, 1, room, f);
		buf_added(out, n);
	} while (n > 0);
	bad = ferror(f) ? errno : 0;
	fclose(f);
	errno = bad;
	return bad != 0 ? -1 : 0;
}

static struct tls_roots *
file_load(const char *path, struct buf *note)
{
	struct tls_roots *r = NULL;
	unsigned found = 0, skipped = 0;
	struct buf pem;

	buf_init(&pem, TRUST_MAX);
	if (trust_read(path, &pem) == -1) {
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
