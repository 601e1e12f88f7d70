#include "conf/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/pool.h"

static const char *
type_words(enum json_type t)
{
	switch (t) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_NUMBER:
		return "a number";
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	default:
		return "null";
	}
}

const char *
conf_path(char at[CONF_PATH_MAX], const struct conf_read *r,
    const struct config_key *k)
{
	const char *path = k->path, *list;

	/* auto-proxy's array has no name. */
	if (r->c->form == FORM_ARRAY && strncmp(path, "backends", 8) == 0)
		path += 8;
	list = strstr(path, "[]");
	if (list == NULL)
		snprintf(at, CONF_PATH_MAX, "%s", path);
	else
		snprintf(at, CONF_PATH_MAX, "%.*s[%u]%s",
		    (int)(list - path), path, r->index, list + 2);
	return at;
}

size_t
conf_at(const struct json *j)
{
	return (size_t)(j->raw.p - j->p);
}

void
conf_wrong(struct conf_read *r, const struct json *j,
    const struct config_key *k, const char *fmt, ...)
{
	char path[CONF_PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	conf_vfault(r->faults, conf_at(j), conf_path(path, r, k), fmt, ap);
	va_end(ap);
}

int
conf_expect(struct conf_read *r, struct json *j, enum json_type t,
    enum json_type want, const struct config_key *k, const char *right)
{
	if (t == want)
		return 1;
	conf_wrong(r, j, k, "is %s; %s would be right", type_words(t), right);
	json_skip(j);
	return 0;
}

void *
conf_grow(struct conf_read *r, void *list, size_t n, size_t size)
{
	void *p;

	/* Powers of two: full exactly when n is one of them, or 0. */
	if ((n & (n - 1)) != 0)
		return list;
	p = realloc(list, (n == 0 ? 1 : n * 2) * size);
	if (p == NULL)
		r->nomem = 1;
	return p;
}

int
conf_next(struct conf_read *r, struct json *j, enum json_type *t,
    const struct config_key *k, size_t n, size_t max)
{
	size_t over = 0;

	for (;;) {
		*t = json_next(j);
		if (*t == JSON_CLOSE)
			return 0;
		if (*t == JSON_ERROR || *t == JSON_END)
			return -1;
		if (n < max)
			return 1;
		if (over++ == 0)
			conf_wrong(r, j, k, "has too many items; %lu at most",
			    (unsigned long)max);
		json_skip(j);
	}
}

static int
is_name(char c, int first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
	    (!first && c >= '0' && c <= '9');
}

/* Length of the variable's name at the start of s; 0: none, or no '}'. */
static size_t
name_len(struct str s)
{
	size_t i = 0;

	while (i < s.n && is_name(s.p[i], i == 0))
		i++;
	return i < s.n && s.p[i] == '}' ? i : 0;
}

/* Copies s to out with variables put in.  0, or -1 after a fault. */
static int
expand(struct conf_read *r, const struct json *j, const struct config_key *k,
    struct str s, struct buf *out)
{
	char name[CONF_SHOWN_MAX];
	const char *value;
	size_t i, n;

	for (i = 0; i < s.n; i++) {
		if (s.n - i > 2 && memcmp(s.p + i, "$${", 3) == 0) {
			buf_adds(out, "${");
			i += 2;
			continue;
		}
		if (s.n - i < 2 || memcmp(s.p + i, "${", 2) != 0) {
			buf_addc(out, s.p[i]);
			continue;
		}
		n = name_len(str_n(s.p + i + 2, s.n - i - 2));
		if (n == 0 || n >= sizeof name) {
			conf_wrong(r, j, k, "has a ${ without a variable's "
			    "name and }; ${NAME}, or $${ for a plain ${, "
			    "would be right");
			return -1;
		}
		memcpy(name, s.p + i + 2, n);
		name[n] = '\0';
		value = r->env->getenv == NULL ? NULL :
		    r->env->getenv(r->env->arg, name);
		if (value == NULL) {
			conf_wrong(r, j, k, "${%s} is not set in the "
			    "environment; set it, or write the value here",
			    name);
			return -1;
		}
		buf_adds(out, value);
		i += n + 2;
	}
	return 0;
}

/* 1 if there is a control character. */
static int
has_control(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return 1;
	return 0;
}

/* Puts the file named by r->work, without its last line end, in r->word. */
static int
read_secret(struct conf_read *r, const struct json *j,
    const struct config_key *k)
{
	const char *why = "there is no way to read files here";
	struct str s = buf_str(&r->work);
	int shown = j->raw.n > 100 ? 100 : (int)j->raw.n;

	buf_clear(&r->word);
	if (s.n == 0 || has_control(s)) {
		conf_wrong(r, j, k, "is no path of a file; \"@/path/of/file\" "
		    "would be right");
		return -1;
	}
	if (r->env->read_file == NULL || r->env->read_file(r->env->arg,
	    buf_cstr(&r->work), &r->word, &why) != 0) {
		/* As written: a variable in it may be a secret gone astray. */
		conf_wrong(r, j, k, "%.*s cannot be read: %s; a file that "
		    "holds nothing but the secret would be right", shown,
		    j->raw.p, why);
		return -1;
	}
	s = buf_str(&r->word);
	if (str_ends(s, "\n"))
		buf_cut(&r->word, s.n - (str_ends(s, "\r\n") ? 2 : 1));
	return 0;
}

/* Leaves the finished text in r->word. */
static int
make_string(struct conf_read *r, const struct json *j,
    const struct config_key *k, int secret)
{
	struct str s;
	struct buf swap;
	int file;

	buf_clear(&r->word);
	buf_clear(&r->work);
	if (json_unescape(&r->word, j->raw) == -1)
		return 0;
	s = buf_str(&r->word);
	file = secret && s.n > 0 && s.p[0] == '@';
	if (expand(r, j, k, str_n(s.p + file, s.n - (size_t)file),
	    &r->work) == -1)
		return -1;
	if (file)
		return r->work.bad ? 0 : read_secret(r, j, k);
	swap = r->word;
	r->word = r->work;
	r->work = swap;
	return 0;
}

int
conf_text(struct conf_read *r, const struct json *j,
    const struct config_key *k, int secret, int may_be_empty)
{
	struct str s;

	if (make_string(r, j, k, secret) == -1)
		return -1;
	s = buf_str(&r->word);
	if (r->word.bad || r->work.bad) {
		conf_wrong(r, j, k, "is too long; %lu bytes at most",
		    (unsigned long)r->word.max);
		return -1;
	}
	if (has_control(s)) {
		conf_wrong(r, j, k, "has a control character in it; one "
		    "line of plain text would be right");
		return -1;
	}
	if (s.n == 0 && !may_be_empty) {
		conf_wrong(r, j, k, "is empty; leave it out, or write %s",
		    k->range[0] != '\0' ? k->range : "something");
		return -1;
	}
	return 0;
}

int
conf_string(struct conf_read *r, const struct json *j,
    const struct config_key *k, int secret, int may_be_empty,
    struct str *out)
{
	if (conf_text(r, j, k, secret, may_be_empty) == -1)
		return -1;
	*out = conf_pool_add(r->c->pool, buf_str(&r->word));
	if (out->p == NULL) {
		r->nomem = 1;
		return -1;
	}
	return 0;
}

/* Looks up r->word among the key's choices. */
static int
scalar_choice(struct conf_read *r, const struct json *j,
    const struct config_key *k, struct conf_value *v)
{
	char shown[CONF_SHOWN_MAX];
	struct str near;

	v->choice = conf_choice(k->range, v->s);
	if (v->choice >= 0) {
		if (k->kind == CONF_DIALECT && v->choice == DIALECT_ANY)
			v->choice = DIALECT_ANTHROPIC;
		return 0;
	}
	near = conf_choice_near(k->range, v->s);
	if (near.n > 0)
		conf_wrong(r, j, k, "%s is not known; did you mean \"%.*s\"?",
		    conf_shown(shown, v->s), (int)near.n, near.p);
	else
		conf_wrong(r, j, k, "%s is not known; %s would be right",
		    conf_shown(shown, v->s), k->range);
	return -1;
}

static int
scalar_number(struct conf_read *r, const struct json *j,
    const struct config_key *k, struct conf_value *v)
{
	int whole = k->kind != CONF_SECONDS;
	int shown = j->raw.n > 24 ? 24 : (int)j->raw.n;
	double low, high;

	if (conf_bounds(k->range, &low, &high) == -1) {
		r->nomem = 1;
		return -1;
	}
	if (json_double(j->raw, &v->n) == -1 || v->n < low || v->n > high) {
		conf_wrong(r, j, k, "%.*s is out of range; %s would be right",
		    shown, j->raw.p, k->range);
		return -1;
	}
	if (whole && v->n != (double)(uint64_t)v->n) {
		conf_wrong(r, j, k, "%.*s is no whole number; %s would be "
		    "right", shown, j->raw.p, k->range);
		return -1;
	}
	return 0;
}

/* A scalar as its kind wants it; zero and null have been dealt with. */
static int
scalar_kind(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k, struct conf_value *v)
{
	char right[CONF_PATH_MAX];
	int text = k->kind == CONF_TEXT || k->kind == CONF_SECRET;

	switch (k->kind) {
	case CONF_SWITCH:
		if (t == JSON_TRUE || t == JSON_FALSE) {
			v->n = t == JSON_TRUE;
			return 0;
		}
		conf_expect(r, j, t, JSON_TRUE, k, "true or false");
		return -1;
	case CONF_CHOICE:
	case CONF_DIALECT:
	case CONF_TEXT:
	case CONF_SECRET:
		snprintf(right, sizeof right, "a string (%s)", k->range);
		if (!conf_expect(r, j, t, JSON_STRING, k, right) ||
		    conf_string(r, j, k, k->kind == CONF_SECRET,
		    (k->flags & (CONF_ZERO | CONF_EMPTY)) != 0, &v->s) == -1)
			return -1;
		/* The caller puts the default in the place of "". */
		return text || v->s.n == 0 ? 0 : scalar_choice(r, j, k, v);
	default:
		snprintf(right, sizeof right, "a number, %s,", k->range);
		if (!conf_expect(r, j, t, JSON_NUMBER, k, right))
			return -1;
		return scalar_number(r, j, k, v);
	}
}

int
conf_scalar(struct conf_read *r, struct json *j, enum json_type t,
    const struct config_key *k, struct conf_value *v)
{
	struct json def;
	double n;

	memset(v, 0, sizeof *v);
	if (t == JSON_NULL && strcmp(k->def, "null") == 0) {
		v->null = 1;
		return 0;
	}
	if ((k->flags & CONF_ZERO) == 0)
		return scalar_kind(r, j, t, k, v);
	/* cc-proxy: 0 and "" mean the default. */
	if (t != JSON_NUMBER || json_double(j->raw, &n) == -1 || n != 0) {
		if (scalar_kind(r, j, t, k, v) == -1)
			return -1;
		if (t != JSON_STRING || v->s.n > 0)
			return 0;
	} else if (k->kind == CONF_TEXT || k->kind == CONF_SECRET ||
	    k->kind == CONF_CHOICE || k->kind == CONF_DIALECT) {
		return scalar_kind(r, j, t, k, v);
	}
	memset(v, 0, sizeof *v);
	json_start(&def, str_of(k->def), 0);
	t = json_next(&def);
	if (t == JSON_NULL) {
		v->null = 1;
		return 0;
	}
	return scalar_kind(r, &def, t, k, v);
}

int
conf_statuses(struct str word, int *low, int *high)
{
	uint64_t n;

	if (word.n != 3 || word.p[0] < '3' || word.p[0] > '5')
		return 0;
	if (str_caseis(str_n(word.p + 1, 2), "xx")) {
		*low = (word.p[0] - '0') * 100;
		*high = *low + 99;
		return 1;
	}
	if (util_u64(word, 599, &n) == -1)
		return 0;
	*low = *high = (int)n;
	return 1;
}

int
conf_secret_field(struct str name)
{
	static const char *const parts[] = {
		"auth", "key", "token", "secret", "cookie", "password",
		"passwd", "signature", "session", "credential"
	};
	size_t i;

	for (i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (str_casefind(name, str_of(parts[i])) >= 0)
			return 1;
	return 0;
}
