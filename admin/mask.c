#include "admin/mask.h"

#include <string.h>

#include "base/log.h"
#include "conf/value.h"
#include "json.h"

int
mask_is(struct str s)
{
	return str_is(s, "****") ||
	    (s.n == UTIL_MASK_SIZE - 1 && memcmp(s.p + 4, "...", 3) == 0);
}

int
mask_of(struct str s, struct str secret)
{
	char mask[UTIL_MASK_SIZE];

	if (secret.n == 0)
		return 0;
	util_mask(mask, secret);
	return str_is(s, mask);
}

int
mask_text(struct buf *out, struct str s)
{
	char small[512];
	struct buf b;
	int rc;

	if (s.n <= sizeof small) {
		if (s.n > 0)
			memcpy(small, s.p, s.n);
		return json_write(out, str_n(small, log_mask(small, s.n)));
	}
	buf_init(&b, s.n);
	buf_addstr(&b, s);
	if (b.bad)
		rc = buf_adds(out, "\"\"");
	else
		rc = json_write(out, str_n((char *)b.p + b.off,
		    log_mask((char *)b.p + b.off, b.len)));
	buf_wipe(&b);
	return rc;
}

/* "${NAME}" or "@path": tells where the secret is, and not what. */
static int
is_pointer(struct str s)
{
	if (s.n > 1 && s.p[0] == '@')
		return 1;
	return s.n > 3 && str_starts(s, "${") &&
	    memchr(s.p, '}', s.n) == s.p + s.n - 1;
}

/* The name tells that what it names is a secret. */
static int
is_secret(struct str name, int header)
{
	if (!header && (str_is(name, "auth") || str_is(name, "key_type")))
		return 0;
	return conf_secret_field(name);
}

/* "a=b&key=c" -> "a=b&key=****" */
static void
put_query(struct buf *out, struct str q)
{
	struct str one, name;
	const char *end, *is;

	while (q.n > 0) {
		end = memchr(q.p, '&', q.n);
		one = str_n(q.p, end == NULL ? q.n : (size_t)(end - q.p));
		q = str_n(q.p + one.n, q.n - one.n);
		is = one.n == 0 ? NULL : memchr(one.p, '=', one.n);
		name = str_n(one.p, is == NULL ? 0 : (size_t)(is - one.p));
		if (is != NULL && conf_secret_field(name)) {
			buf_addstr(out, name);
			buf_adds(out, "=****");
		} else
			buf_addstr(out, one);
		if (q.n > 0) {
			buf_addc(out, '&');
			q = str_n(q.p + 1, q.n - 1);
		}
	}
}

/* A URL without user and password, and without keys in its query. */
static void
put_url(struct buf *out, struct str s)
{
	const char *at = s.p, *end = s.p + s.n, *p, *user = NULL;

	while (at + 3 <= end && memcmp(at, "://", 3) != 0)
		at++;
	if (at + 3 > end) {
		buf_addstr(out, s);
		return;
	}
	at += 3;
	buf_add(out, s.p, (size_t)(at - s.p));
	for (p = at; p < end && *p != '/' && *p != '?' && *p != '#'; p++)
		if (*p == '@')
			user = p;
	if (user != NULL) {
		buf_adds(out, "****");
		at = user;
	}
	p = memchr(at, '?', (size_t)(end - at));
	if (p == NULL) {
		buf_add(out, at, (size_t)(end - at));
		return;
	}
	buf_add(out, at, (size_t)(p + 1 - at));
	put_query(out, str_n(p + 1, (size_t)(end - p - 1)));
}

static void
put_string(struct buf *out, struct str raw, int secret)
{
	char mask[UTIL_MASK_SIZE];
	struct buf text, url;
	struct str s;

	buf_init(&text, raw.n);
	buf_init(&url, 2 * raw.n + 16);
	if (json_unescape(&text, raw) == -1) {
		buf_adds(out, "null");
		goto out;
	}
	s = buf_str(&text);
	if (s.n == 0 || (secret && is_pointer(s)))
		json_write(out, s);
	else if (secret) {
		util_mask(mask, s);
		json_write(out, str_of(mask));
	} else {
		put_url(&url, s);
		mask_text(out, buf_str(&url));
	}
out:
	buf_wipe(&text);
	buf_wipe(&url);
}

/* Where the tokenizer stands, and what it does not keep. */
struct walk {
	struct json j;
	struct buf name;	/* of the member at hand; "" in an array */
	unsigned headers;	/* depth of an object of headers, or 0 */
	int first;		/* nothing stands before it in its container */
};

static void
put_key(struct buf *out, struct walk *w)
{
	struct str raw;

	buf_clear(&w->name);
	if (w->j.key.p == NULL)
		return;
	raw = str_n(w->j.key.p - 1, w->j.key.n + 2);
	buf_addstr(out, raw);
	buf_addc(out, ':');
	json_unescape(&w->name, raw);	/* "tok\u0065n" is token */
}

static void
put_token(struct buf *out, struct walk *w, enum json_type t)
{
	struct str name;

	if (t == JSON_CLOSE) {
		if (w->headers > w->j.depth)
			w->headers = 0;
		buf_addc(out, *w->j.raw.p);
		w->first = 0;
		return;
	}
	if (!w->first)
		buf_addc(out, ',');
	w->first = 0;
	put_key(out, w);
	name = buf_str(&w->name);
	if (t == JSON_OBJECT || t == JSON_ARRAY) {
		buf_addc(out, t == JSON_OBJECT ? '{' : '[');
		w->first = 1;
		if (str_is(name, "headers") && w->headers == 0)
			w->headers = w->j.depth;
	} else if (t == JSON_STRING)
		put_string(out, w->j.raw, is_secret(name, w->headers > 0));
	else
		buf_addstr(out, w->j.raw);
}

int
mask_json(struct buf *out, struct str text)
{
	size_t before = out->len;
	enum json_type t;
	struct walk w;

	memset(&w, 0, sizeof w);
	buf_init(&w.name, text.n);
	w.first = 1;
	json_start(&w.j, text, JSON_COMMENTS);
	while ((t = json_next(&w.j)) > JSON_END)
		put_token(out, &w, t);
	buf_free(&w.name);
	if (t == JSON_END && !out->bad)
		return 0;
	if (!out->bad)
		buf_cut(out, before);
	return -1;
}
