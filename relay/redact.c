#include "relay/redact.h"

#include <stdlib.h>
#include <string.h>

#include "conf/value.h"
#include "json.h"

#define SECRET_MIN	8	/* no less than the bytes that bit() reads */
#define SECRETS_MAX	65536
#define FRONT_MIN	4	/* bytes of one that tell something */

/* ---- what is secret ---- */

/* The filter's bit for the first bytes of a secret: most text has none. */
static unsigned
bit(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return (unsigned)(v * 0x9e3779b97f4a7c15u >> 51);
}

/* copy: s.p, if it has to be overwritten in the end. */
static void
keep(struct redact *r, struct str s, char *copy)
{
	size_t room = r->room == 0 ? 64 : 2 * r->room;
	struct redact_secret *more;
	unsigned k;

	if (s.n < SECRET_MIN || r->bad)
		return;
	k = bit(s.p);
	if (r->n == r->room) {
		if (room > SECRETS_MAX || (more = realloc(r->secrets,
		    room * sizeof *more)) == NULL) {
			r->bad = 1;
			return;
		}
		r->secrets = more;
		r->room = room;
	}
	r->secrets[r->n].s = s;
	r->secrets[r->n++].copy = copy;
	r->filter[k >> 3] |= (unsigned char)(1u << (k & 7));
}

/* Keeps what b holds, if that is another spelling of s; empties b. */
static void
keep_other(struct redact *r, struct str s, struct buf *b)
{
	size_t n = b->len;
	char *copy;

	if (b->bad || (copy = arena_alloc(&r->copies, n + 1)) == NULL) {
		r->bad = 1;
		return;
	}
	if (!str_eq(buf_str(b), s)) {
		memcpy(copy, buf_str(b).p, n);
		keep(r, str_n(copy, n), copy);
	}
	buf_cut(b, 0);
}

static int
is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' &&
	    (c | 32) <= 'z') || (c != '\0' && strchr("-._~", c) != NULL);
}

/* As a URL may have it (RFC 3986 2.1), in capital or small digits. */
static void
percent(struct buf *out, struct str s, const char *digits)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (is_unreserved(s.p[i])) {
			buf_addc(out, s.p[i]);
			continue;
		}
		buf_addc(out, '%');
		buf_addc(out, digits[(unsigned char)s.p[i] >> 4]);
		buf_addc(out, digits[s.p[i] & 15]);
	}
}

/* The inside of a JSON string; slash: '/' escaped too, as some do. */
static void
escaped(struct buf *out, struct str s, int slash)
{
	struct buf b;
	struct str t;
	size_t i;

	buf_init(&b, 6 * s.n + 2);
	json_write(&b, s);
	t = buf_str(&b);
	if (b.bad)
		out->bad = 1;
	for (i = 1; i + 1 < t.n && !b.bad; i++) {
		if (slash && t.p[i] == '/')
			buf_addc(out, '\\');
		buf_addc(out, t.p[i]);
	}
	buf_wipe(&b);
}

/* A secret, in every way in which it may be written; copy as of keep(). */
static void
add(struct redact *r, struct str s, char *copy)
{
	struct buf b, twice;
	size_t i;

	keep(r, s, copy);
	for (i = 0; i < s.n && is_unreserved(s.p[i]); i++)
		;
	if (i == s.n)
		return;
	buf_init(&b, 12 * s.n);
	buf_init(&twice, 100 * s.n);
	/* As JSON has it, and as JSON in a string of JSON. */
	for (i = 0; i < 2; i++) {
		escaped(&b, s, (int)i);
		escaped(&twice, buf_str(&b), (int)i);
		keep_other(r, s, &b);
		keep_other(r, s, &twice);
	}
	percent(&b, s, "0123456789ABCDEF");
	keep_other(r, s, &b);
	percent(&b, s, "0123456789abcdef");
	keep_other(r, s, &b);
	buf_wipe(&b);
	buf_wipe(&twice);
}

static void
secret_add(void *arg, struct str secret)
{
	add(arg, secret, NULL);
}

/* What stands behind the scheme of "Bearer ..." or "Basic ...". */
static struct str
credential(struct str value)
{
	const char *p = value.n == 0 ? NULL : memchr(value.p, ' ', value.n);

	if (p == NULL)
		return value;
	return str_trim(str_n(p, (size_t)(value.p + value.n - p)));
}

/* "a=b; c=d": each value. */
static void
cookies_add(struct redact *r, struct str s)
{
	struct str one;
	const char *end, *is;

	while (s.n > 0) {
		end = memchr(s.p, ';', s.n);
		one = str_n(s.p, end == NULL ? s.n : (size_t)(end - s.p));
		is = one.n == 0 ? NULL : memchr(one.p, '=', one.n);
		if (is != NULL)
			secret_add(r, str_trim(str_n(is + 1,
			    (size_t)(one.p + one.n - is - 1))));
		s = str_n(s.p + one.n, s.n - one.n);
		if (s.n > 0)
			s = str_n(s.p + 1, s.n - 1);
	}
}

/*
 * 1 if a field of that name carries a secret.  Those that count tokens only
 * sound like it.
 */
static int
is_secret(struct str name)
{
	return conf_secret_field(name) &&
	    str_casefind(name, str_of("tokens")) == -1 &&
	    str_casefind(name, str_of("ratelimit")) == -1;
}

/* The key in a query: as it is, and as it was meant. */
static void
query_add(struct redact *r, struct str query)
{
	struct str v = http_query_get(query, "key");
	char *copy;
	struct buf b;

	if (v.n == 0)
		return;
	secret_add(r, v);
	buf_init(&b, v.n);
	http_unescape(&b, v);
	if (b.bad || (copy = arena_alloc(&r->copies, b.len + 1)) == NULL)
		r->bad = 1;
	else if (!str_eq(buf_str(&b), v)) {
		memcpy(copy, buf_str(&b).p, b.len);
		add(r, str_n(copy, b.len), copy);
	}
	buf_wipe(&b);
}

int
redact_init(struct redact *r, const struct config *cfg,
    const struct http_head *client)
{
	const struct http_field *f;
	unsigned i;

	memset(r, 0, sizeof *r);
	arena_init(&r->copies, 4u << 20);
	config_secrets(cfg, secret_add, r);
	for (i = 0; client != NULL && i < client->nfields; i++) {
		f = &client->fields[i];
		if (f->id == HTTP_COOKIE)
			cookies_add(r, f->value);
		else if (is_secret(f->name) && str_casefind(f->name,
		    str_of("session")) == -1)
			secret_add(r, credential(f->value));
	}
	if (client != NULL)
		query_add(r, client->query);
	return r->bad ? -1 : 0;
}

void
redact_free(struct redact *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->secrets[i].copy != NULL)
			util_wipe(r->secrets[i].copy, r->secrets[i].s.n);
	arena_free(&r->copies);
	free(r->secrets);
	memset(r, 0, sizeof *r);
}

/* ---- masking ---- */

/* The longest secret that starts at p; its length, or 0. */
static size_t
secret_at(const struct redact *r, const char *p, size_t n)
{
	size_t i, best = 0;
	struct str one;
	unsigned k;

	if (n < SECRET_MIN)
		return 0;
	k = bit(p);
	if ((r->filter[k >> 3] >> (k & 7) & 1) == 0)
		return 0;
	for (i = 0; i < r->n; i++) {
		one = r->secrets[i].s;
		if (one.n > best && one.n <= n && memcmp(one.p, p,
		    one.n) == 0)
			best = one.n;
	}
	return best;
}

/* Of n bytes that are secret: on to where the last of an overlap ends. */
static size_t
overlap(const struct redact *r, const char *p, size_t n, size_t left)
{
	size_t i, more;

	for (i = 1; i < n; i++) {
		more = secret_at(r, p + i, left - i);
		if (i + more > n)
			n = i + more;
	}
	return n;
}

int
redact_text(struct buf *out, const struct redact *r, struct str s,
    size_t show)
{
	char mask[UTIL_MASK_SIZE];
	size_t i = 0, from = 0, n, all;

	if (show > s.n)
		show = s.n;
	while (i < show) {
		if ((n = secret_at(r, s.p + i, s.n - i)) == 0) {
			i++;
			continue;
		}
		all = overlap(r, s.p + i, n, s.n - i);
		buf_add(out, s.p + from, i - from);
		util_mask(mask, str_n(s.p + i, n));
		buf_adds(out, all == n ? mask : "****");
		from = i += all;
	}
	if (from < show)
		buf_add(out, s.p + from, show - from);
	return out->bad ? -1 : 0;
}

/* The end of what stands in front of the host: "user:secret" and its '@'. */
static const char *
userinfo_end(const char *p, const char *end)
{
	const char *user = NULL;

	for (; p < end && *p != '/' && *p != '?' && *p != '#' && *p != ' ';
	    p++)
		if (*p == '@')
			user = p;
	return user;
}

/* A value with a URL in it: without who may use that. */
static int
redact_url(struct buf *out, const struct redact *r, struct str s)
{
	const char *p = s.p, *end = s.p + s.n, *user;

	for (; p + 3 <= end; p++) {
		if (memcmp(p, "://", 3) != 0)
			continue;
		if ((user = userinfo_end(p + 3, end)) == NULL)
			continue;
		redact_text(out, r, str_n(s.p, (size_t)(p + 3 - s.p)), s.n);
		buf_adds(out, "****");
		s = str_n(user, (size_t)(end - user));
		p = user;
	}
	return redact_target(out, r, s);
}

int
redact_field(struct buf *out, const struct redact *r, struct str name,
    struct str value)
{
	struct str secret = credential(value);
	char mask[UTIL_MASK_SIZE];

	if (!is_secret(name))
		return redact_url(out, r, value);
	if (str_casefind(name, str_of("cookie")) != -1)
		return buf_adds(out, "****");
	util_mask(mask, secret);
	/* The scheme tells something, and is none. */
	if (str_casefind(name, str_of("authorization")) != -1)
		buf_add(out, value.p, value.n - secret.n);
	return buf_adds(out, mask);
}

int
redact_target(struct buf *out, const struct redact *r, struct str target)
{
	const char *q = target.n == 0 ? NULL : memchr(target.p, '?',
	    target.n), *end, *is;
	struct str s = target, one, name;

	if (q == NULL)
		return redact_text(out, r, s, s.n);
	q++;
	redact_text(out, r, str_n(s.p, (size_t)(q - s.p)), s.n);
	s = str_n(q, (size_t)(s.p + s.n - q));
	while (s.n > 0) {
		end = memchr(s.p, '&', s.n);
		one = str_n(s.p, end == NULL ? s.n : (size_t)(end - s.p));
		s = str_n(s.p + one.n, s.n - one.n);
		is = one.n == 0 ? NULL : memchr(one.p, '=', one.n);
		name = str_n(one.p, is == NULL ? 0 : (size_t)(is - one.p));
		if (is != NULL && is_secret(name)) {
			buf_addstr(out, name);
			buf_adds(out, "=****");
		} else
			redact_text(out, r, one, one.n);
		if (s.n > 0) {
			buf_addc(out, '&');
			s = str_n(s.p + 1, s.n - 1);
		}
	}
	return out->bad ? -1 : 0;
}

/* ---- what others say of a failure ---- */

/* Bytes at the end of s that may be the front of a secret. */
static size_t
front_at_end(const struct redact *r, struct str s)
{
	size_t i, n, most = 0;

	for (i = 0; i < r->n; i++) {
		n = r->secrets[i].s.n - 1;
		if (n > s.n)
			n = s.n;
		for (; n > most && n >= FRONT_MIN; n--)
			if (memcmp(s.p + s.n - n, r->secrets[i].s.p, n) == 0)
				most = n;
	}
	return most;
}

void
redact_words(char *words, size_t size, const struct config *cfg,
    const struct http_head *client)
{
	struct str s = str_of(words);
	struct redact r;
	struct buf b;

	buf_init(&b, size - 1);
	if (redact_init(&r, cfg, client) == 0) {
		if (s.n + 1 == size)
			s.n -= front_at_end(&r, s);
		redact_text(&b, &r, s, s.n);
	}
	/* Masks are no longer than what they stand for. */
	memcpy(words, buf_str(&b).p, b.len);
	words[b.len] = '\0';
	buf_wipe(&b);
	redact_free(&r);
}
