#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/describe.h"
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

/* Reads and checks into r->c; then writes what was found. */
static void
parse(struct conf_read *r, struct str text, const char *name,
    const struct config_flags *flags, struct buf *faults, struct buf *notes)
{
	conf_faults_init(r->faults, text, name);
	conf_faults_init(r->notes, text, name);
	buf_init(&r->word, STRING_MAX);
	buf_init(&r->work, STRING_MAX);
	/* What a broken text lacks is no fault of its own. */
	if (conf_read(r, text) == 0)
		conf_check_all(r, flags);
	if (r->nomem)
		conf_fault(r->faults, 0, "", "out of memory");
	conf_faults_write(r->faults, faults);
	conf_faults_write(r->notes, notes);
	buf_wipe(&r->word);
	buf_wipe(&r->work);
	conf_faults_free(r->faults);
	conf_faults_free(r->notes);
	free(r->places);
}

struct config *
config_parse(struct str text, const char *name, const struct config_env *env,
    const struct config_flags *flags, struct buf *faults, struct buf *notes)
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
	free(c->backends);
	free(c->allow_origins);
	conf_pool_free(c->pool);
	free(c);
}

void
config_secrets(const struct config *c,
    void (*each)(void *arg, struct str secret), void *arg)
{
	const struct config_backend *b;
	size_t i, k;

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

/* Where needle stands in s; -1: nowhere. */
static long
find(struct str s, struct str needle)
{
	size_t i;

	for (i = 0; i + needle.n <= s.n; i++)
		if (memcmp(s.p + i, needle.p, needle.n) == 0)
			return (long)i;
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

/* The API that a model's name belongs to; DIALECT_ANY: none that we know. */
static enum dialect
vendor_of(struct str model)
{
	if (str_casestarts(model, "claude"))
		return DIALECT_ANTHROPIC;
	if (str_casestarts(model, "gpt-") || str_casestarts(model, "chatgpt-"))
		return DIALECT_OPENAI;
	if (model.n > 1 && (model.p[0] == 'o' || model.p[0] == 'O') &&
	    model.p[1] >= '0' && model.p[1] <= '9')
		return DIALECT_OPENAI;
	if (str_casestarts(model, "gemini"))
		return DIALECT_GEMINI;
	return DIALECT_ANY;
}

/* The first pattern that the model fits; NULL: none. */
static const struct config_model *
find_model(const struct config_backend *b, struct str model)
{
	size_t i;

	for (i = 0; i < b->nmodels; i++)
		if (util_glob(b->models[i].pattern, model))
			return &b->models[i];
	return NULL;
}

int
config_fits(const struct config_backend *b, enum dialect client,
    struct str model, const char **why)
{
	static const char *const speaks[] = {
		"speaks the Anthropic API; translation is not in this "
		"version yet",
		"speaks the OpenAI API; translation is not in this version "
		"yet",
		"speaks the Gemini API; translation is not in this version "
		"yet"
	};
	enum dialect vendor = vendor_of(model);

	if (b->api != DIALECT_ANY && b->api != client) {
		*why = speaks[b->api];
		return 0;
	}
	if (b->nmodels > 0 && find_model(b, model) == NULL) {
		*why = "the model is not among its models";
		return 0;
	}
	if (b->api != DIALECT_ANY && b->model.p == NULL && b->nmodels == 0 &&
	    vendor != DIALECT_ANY && vendor != b->api) {
		*why = "the model is another vendor's, and it has neither "
		    "model nor models";
		return 0;
	}
	return 1;
}

struct str
config_model_for(const struct config_backend *b, struct str model)
{
	const struct config_model *m;

	if (b->model.p != NULL)
		return b->model;
	m = find_model(b, model);
	return m != NULL && m->to.p != NULL ? m->to : model;
}
