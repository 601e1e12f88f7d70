#ifndef TESTS_TLS_PAIR_H
#define TESTS_TLS_PAIR_H

/*
 * A client engine against a server engine, in memory.  The certificates
 * are in tests/pki, made by the script there.  Like t.h for one program:
 * everything is static, and needs tls.o base/buf.o base/util.o.
 */

#include <stdlib.h>
#include <string.h>

#include "t.h"
#include "tls.h"

#define DAY	((int64_t)86400)
#define NOW	((int64_t)1700000000)	/* 2023; the certificates: 2020-2119 */
#define EARLY	((int64_t)1500000000)	/* 2017 */
#define LATE	((int64_t)4800000000)	/* 2122 */
#define HOST	"api.example.test"
#define WIRE_MAX ((size_t)1 << 20)

static uint64_t rng = 20231114;

/* Steps in which an engine was of two minds about wanting input. */
static unsigned undecided;

/* One file of tests/pki; the bytes stay until the end. */
static struct str
pki(const char *name)
{
	static struct { char name[32]; char text[8192]; size_t n; } kept[16];
	char path[64];
	FILE *f;
	size_t i;

	for (i = 0; kept[i].name[0] != '\0'; i++)
		if (strcmp(kept[i].name, name) == 0)
			return str_n(kept[i].text, kept[i].n);
	snprintf(kept[i].name, sizeof kept[i].name, "%s", name);
	snprintf(path, sizeof path, "tests/pki/%s", name);
	if ((f = fopen(path, "rb")) != NULL) {
		kept[i].n = fread(kept[i].text, 1, sizeof kept[i].text, f);
		fclose(f);
	}
	T_OK(kept[i].n > 0, "%s cannot be read", path);
	return str_n(kept[i].text, kept[i].n);
}

static const unsigned char *
seed(void)
{
	static unsigned char s[32];
	size_t i;

	for (i = 0; i < sizeof s; i++)
		s[i] = (unsigned char)util_random(&rng);
	return s;
}

static struct tls_roots *
roots(const char *name)
{
	unsigned found, skipped;

	return tls_roots_new(pki(name), &found, &skipped);
}

static struct tls *
client(const char *root, const char *host, int64_t when,
    struct tls_session *session)
{
	struct tls_roots *r = root == NULL ? NULL : roots(root);
	struct tls *t = tls_client(r, str_of(host), seed(), when, session);

	/* The engine holds a reference of its own. */
	tls_roots_free(r);
	return t;
}

static struct tls *
server(const char *chain)
{
	return tls_server(pki(chain), pki("key.pem"), seed());
}

static int
why_has(const struct tls *t, const char *words)
{
	return str_casefind(str_of(tls_why(t)), str_of(words)) != -1;
}

/* Two engines and what is on its way between them. */
struct pair {
	struct tls *c, *s;
	struct buf up, down;
	struct buf got_c, got_s;	/* plaintext that arrived */
	size_t split;			/* most bytes moved at once */
	size_t flip;			/* 1 in so many bytes is damaged; 0 */
};

static void
pair_open(struct pair *p, struct tls *c, struct tls *s, size_t split)
{
	memset(p, 0, sizeof *p);
	p->c = c;
	p->s = s;
	p->split = split;
	buf_init(&p->up, WIRE_MAX);
	buf_init(&p->down, WIRE_MAX);
	buf_init(&p->got_c, 4 * WIRE_MAX);
	buf_init(&p->got_s, 4 * WIRE_MAX);
}

static void
pair_close(struct pair *p)
{
	tls_free(p->c);
	tls_free(p->s);
	buf_free(&p->up);
	buf_free(&p->down);
	buf_free(&p->got_c);
	buf_free(&p->got_s);
}

static size_t
part(const struct pair *p, size_t n)
{
	size_t max = p->split < n ? p->split : n;

	return max < 2 ? max : 1 + (size_t)(util_random(&rng) % max);
}

/* One step of records in one direction; 1 if something moved. */
static int
step_out(struct pair *p, struct tls *from, struct buf *wire)
{
	const unsigned char *out;
	size_t n;

	if (wire->len > WIRE_MAX / 2 || (out = tls_out(from, &n)) == NULL)
		return 0;
	n = part(p, n);
	buf_add(wire, out, n);
	if (p->flip != 0 && util_random(&rng) % p->flip < n)
		wire->p[wire->off + wire->len - 1] ^=
		    (unsigned char)(1u << util_random(&rng) % 8);
	tls_out_done(from, n);
	return 1;
}

static int
step_in(struct pair *p, struct tls *to, struct buf *wire, struct buf *got)
{
	const unsigned char *plain;
	unsigned char *in;
	size_t n, room;

	if ((plain = tls_read(to, &n)) != NULL) {
		undecided += tls_wants_in(to) != 0;
		n = part(p, n);
		buf_add(got, plain, n);
		tls_read_done(to, n);
		return 1;
	}
	if (wire->len == 0 || (in = tls_in(to, &room)) == NULL)
		return 0;
	undecided += tls_wants_in(to) == 0;
	n = part(p, wire->len < room ? wire->len : room);
	memcpy(in, buf_str(wire).p, n);
	tls_in_done(to, n);
	buf_take(wire, n);
	return 1;
}

static int
step(struct pair *p)
{
	return step_out(p, p->c, &p->up) | step_out(p, p->s, &p->down) |
	    step_in(p, p->s, &p->up, &p->got_s) |
	    step_in(p, p->c, &p->down, &p->got_c);
}

static void
pump(struct pair *p)
{
	while (step(p))
		;
}

/* Gives an engine bytes as if the peer had sent them. */
static void
feed(struct tls *t, const void *bytes, size_t n)
{
	const unsigned char *from = bytes;
	unsigned char *in;
	size_t room;

	while (n > 0 && (in = tls_in(t, &room)) != NULL) {
		if (room > n)
			room = n;
		memcpy(in, from, room);
		tls_in_done(t, room);
		from += room;
		n -= room;
	}
}

static void
say(struct tls *t, const char *s)
{
	T_OK(tls_write(t, s, strlen(s)) == strlen(s), "write %s", s);
	tls_flush(t);
}

#endif
