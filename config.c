#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "conf/access.h"
#include "conf/check.h"
#include "conf/describe.h"
#include "conf/form.h"
#include "conf/keys.h"
#include "conf/pages.h"
#include "conf/pool.h"
#include "conf/read.h"

#define STRING_MAX	65536	/* of one string with its variables put in */
#define SECRET_MIN	8	/* bytes; a shorter one is no one's key */
#define DESCRIBE_MAX	((size_t)16 << 20)

static struct config *
config_new(const char *name)
{
	struct config *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->refs = 1;
	c->pool = conf_pool_new();
	if (c->pool != NULL)
		c->file = conf_pool_add(c->pool, str_of(name));
	if (c->pool == NULL || c->file.p == NULL) {
		config_free(c);
		return NULL;
	}
	return c;
}

/* Reads a text, or the variables if it is NULL, and checks what came. */
static void
read_all(struct conf_read *r, const struct str *text,
    const struct config_flags *flags)
{
	if (text == NULL) {
		conf_defaults(r);
		conf_form_variables(r);
	} else if (conf_read(r, *text) == -1) {
		/* What a broken text lacks is no fault of its own. */
		return;
	}
	if (!r->nomem)
		conf_check_all(r, flags);
}

/* Reads and checks into r->c; then writes what was found. */
static void
parse(struct conf_read *r, const struct str *text, const char *name,
    const struct config_flags *flags, struct buf *faults, struct buf *notes)
{
	struct str source = text == NULL ? str_n("", 0) : *text;
	size_t i;

	conf_faults_init(r->faults, source, name);
	conf_faults_init(r->notes, source, name);
	buf_init(&r->word, STRING_MAX);
	buf_init(&r->work, STRING_MAX);
	read_all(r, text, flags);
	if (r->nomem)
		conf_fault(r->faults, 0, "", "out of memory");
	conf_faults_write(r->faults, faults);
	conf_faults_write(r->notes, notes);
	buf_wipe(&r->word);
	buf_wipe(&r->work);
	conf_faults_free(r->faults);
	conf_faults_free(r->notes);
	for (i = 0; i < CONF_LISTS; i++)
		free(r->places[i]);
	free(r->names);
}

static struct config *
config_make(const struct str *text, const char *name,
    const struct config_env *env, const struct config_flags *flags,
    struct buf *faults, struct buf *notes)
{
	struct conf_faults *lists = malloc(2 * sizeof *lists);
	struct config *c = config_new(name);
	struct conf_read r;
	int bad = 1;

	if (lists != NULL && c != NULL) {
		memset(&r, 0, sizeof r);
		r.c = c;
		r.env = env;
		r.faults = &lists[0];
		r.notes = &lists[1];
		parse(&r, text, name, flags, faults, notes);
		bad = r.faults->n > 0;
	} else {
		buf_fmt(faults, "%s:1: out of memory\n", name);
	}
	free(lists);
	if (bad) {
		config_free(c);
		c = NULL;
	}
	return c;
}

struct config *
config_parse(struct str text, const char *name, const struct config_env *env,
    const struct config_flags *flags, struct buf *faults, struct buf *notes)
{
	return config_make(&text, name, env, flags, faults, notes);
}

struct config *
config_from_env(const struct config_env *env, const struct config_flags *flags,
    struct buf *faults, struct buf *notes)
{
	return config_make(NULL, "the environment", env, flags, faults, notes);
}

const char *
config_hash_key(struct buf *out, struct str line)
{
	unsigned char hash[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	const char *why;

	if (str_ends(line, "\n"))
		line.n -= str_ends(line, "\r\n") ? 2 : 1;
	if ((why = conf_key_wrong(line)) != NULL)
		return why;
	sha256_of(hash, line);
	util_hex(hex, hash, sizeof hash);
	buf_fmt(out, "sha256:%s", hex);
	return NULL;
}

struct config *
config_ref(struct config *c)
{
	c->refs++;
	return c;
}

void
config_free(struct config *c)
{
	size_t i;

	if (c == NULL || --c->refs > 0)
		return;
	for (i = 0; i < c->nbackends; i++) {
		free(c->backends[i].models);
		free(c->backends[i].headers);
	}
	for (i = 0; i < c->nroutes; i++)
		free(c->routes[i].backends);
	for (i = 0; i < c->naccess_keys; i++) {
		free(c->access_keys[i].backends);
		free(c->access_keys[i].models);
	}
	free(c->backends);
	free(c->routes);
	free(c->access_keys);
	free(c->allow_origins);
	free(c->web_admin.hosts);
	conf_pool_free(c->pool);
	free(c);
}

void
config_secrets(const struct config *c,
    void (*each)(void *arg, struct str secret), void *arg)
{
	const struct config_backend *b;
	size_t i, k;

	if (c->web_admin.token.n > 0)
		each(arg, c->web_admin.token);
	for (i = 0; i < c->nbackends; i++) {
		b = &c->backends[i];
		if (b->token.n > 0)
			each(arg, b->token);
		for (k = 0; k < b->nheaders; k++)
			if (b->headers[k].value.n > 0 &&
			    conf_secret_field(b->headers[k].name))
				each(arg, b->headers[k].value);
	}
}

/* Where needle, which is not empty, stands in s; -1: nowhere. */
static long
find(struct str s, struct str needle)
{
	const char *p = s.p, *end = s.p + s.n;

	while ((size_t)(end - p) >= needle.n && (p = memchr(p, *needle.p,
	    (size_t)(end - p) - needle.n + 1)) != NULL) {
		if (memcmp(p, needle.p, needle.n) == 0)
			return (long)(p - s.p);
		p++;
	}
	return -1;
}

/* Masks a secret wherever it stands in a description. */
static void
hide(void *arg, struct str secret)
{
	struct buf *b = arg, out;
	struct str s = buf_str(b);
	long at;

	if (secret.n < SECRET_MIN)
		return;
	buf_init(&out, b->max);
	while ((at = find(s, secret)) >= 0) {
		buf_addstr(&out, str_n(s.p, (size_t)at));
		buf_adds(&out, "****");
		s.p += (size_t)at + secret.n;
		s.n -= (size_t)at + secret.n;
	}
	buf_addstr(&out, s);
	if (b->bad)
		out.bad = 1;
	buf_wipe(b);
	*b = out;
}

void
config_describe(const struct config *c, struct buf *out)
{
	struct buf text;

	buf_init(&text, DESCRIBE_MAX);
	conf_describe(c, &text);
	config_secrets(c, hide, &text);
	/* Half a text could end before what had to be hidden was found. */
	if (text.bad)
		out->bad = 1;
	else
		buf_addstr(out, buf_str(&text));
	buf_wipe(&text);
}

void
config_template(struct buf *out)
{
	conf_template(out);
}

const struct config_key *
config_keys(size_t *n)
{
	return conf_keys(n);
}

void
config_reference(struct buf *out)
{
	conf_reference(out);
}
