/*
 * The first byte says what the rest is: Q a request and what follows it,
 * A an answer, H an answer to HEAD, C a chunked body, U a URL, P a query.
 * However the bytes are cut, the outcome must be the same; what is taken
 * must be clean, and must be taken again after it was written out.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "wire/http_body.h"
#include "wire/http_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int cond)
{
	if (!cond)
		abort();
}

static char *
exact(const char *p, size_t n)
{
	char *q = malloc(n > 0 ? n : 1);

	must(q != NULL);
	if (n > 0)
		memcpy(q, p, n);
	return q;
}

static enum http_rc
parse(struct http_head *h, char kind, const char *p, size_t n, size_t seen)
{
	if (kind == 'Q')
		return http_request(h, p, n, seen);
	return http_response(h, p, n, seen, kind == 'H');
}

static int
inside(struct str s, const char *p, size_t n)
{
	return s.p == NULL ? s.n == 0 : s.p >= p && s.p + s.n <= p + n;
}

static int
is_clean(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') ||
		    s.p[i] == 0x7f)
			return 0;
	return 1;
}

/* What every head that was taken has. */
static void
check_head(const struct http_head *h, char kind, const char *p, size_t n)
{
	const struct http_field *f;
	unsigned i, lengths = 0, codings = 0, hosts = 0;

	must(h->size <= n && h->size <= HTTP_HEAD_MAX);
	must(memcmp(p + h->size - 4, "\r\n\r\n", 4) == 0);
	must(inside(h->method, p, n) && inside(h->target, p, n));
	must(inside(h->path, p, n) && inside(h->query, p, n));
	must(inside(h->reason, p, n) && is_clean(h->reason));
	must(is_clean(h->target) && h->target.n <= HTTP_TARGET_MAX);
	must(h->nfields <= HTTP_FIELDS_MAX);
	for (i = 0; i < h->nfields; i++) {
		f = &h->fields[i];
		must(f->name.n > 0 && inside(f->name, p, h->size));
		must(inside(f->value, p, h->size) && is_clean(f->value));
		must(str_trim(f->value).n == f->value.n);
		must(f->id < HTTP_IDS && h->first[f->id] >= 0 &&
		    (unsigned)h->first[f->id] <= i);
		must(f->id != HTTP_CONTENT_TYPE || f->hop == 0);
		must(f->id != HTTP_CONNECTION || f->hop == 1);
		lengths += f->id == HTTP_CONTENT_LENGTH && !f->hop;
		codings += f->id == HTTP_TRANSFER_ENCODING;
		hosts += f->id == HTTP_HOST;
	}
	must(lengths + codings <= 1);
	if (kind == 'Q') {
		must(hosts <= 1 && (hosts == 1 || h->minor == 0));
		must(h->framing == (codings ? HTTP_CHUNKED : lengths ?
		    HTTP_LENGTH : HTTP_NO_BODY));
	} else {
		must(h->status >= 100 && h->status <= 999);
		must(h->framing != HTTP_UNTIL_CLOSE || !h->keep_alive);
	}
}

/* Written out again it is the same head. */
static void
check_again(const struct http_head *h, char kind)
{
	static struct http_head again;
	struct buf b;
	struct str s;
	char name[256];
	unsigned i;

	buf_init(&b, 1 << 20);
	if (kind == 'Q') {
		buf_addstr(&b, h->method);
		buf_addc(&b, ' ');
		buf_addstr(&b, h->target);
		buf_adds(&b, h->minor ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
	} else {
		http_write_status(&b, h->status);
	}
	for (i = 0; i < h->nfields; i++) {
		if (h->fields[i].name.n >= sizeof name)
			break;
		memcpy(name, h->fields[i].name.p, h->fields[i].name.n);
		name[h->fields[i].name.n] = '\0';
		must(http_write_field(&b, name, h->fields[i].value) == 0);
	}
	buf_adds(&b, "\r\n");
	s = buf_str(&b);
	if (i == h->nfields && s.n <= HTTP_HEAD_MAX &&
	    (kind == 'Q' || h->minor == 1)) {
		must(parse(&again, kind, s.p, s.n, 0) == HTTP_OK);
		must(again.framing == h->framing);
		must(again.length == h->length);
		must(again.nfields == h->nfields);
		must(again.keep_alive == h->keep_alive);
	}
	buf_free(&b);
}

/* Reads the body in cuts drawn from seed; returns the outcome. */
static enum http_rc
read_body(const struct http_head *h, const char *p, size_t n, uint64_t seed,
    struct buf *out, size_t *used)
{
	struct http_body b;
	enum http_rc rc = HTTP_MORE;
	struct str data;
	size_t m, k;
	char *q;

	http_body_start(&b, h);
	*used = 0;
	do {
		m = seed == 0 ? n - *used : 1 + util_random(&seed) % 9;
		if (m > n - *used)
			m = n - *used;
		q = exact(p + *used, m);
		rc = http_body_feed(&b, q, m, &k, &data);
		must(k <= m && inside(data, q, m));
		must(rc != HTTP_MORE || k == m || data.n > 0);
		must(buf_addstr(out, data) == 0);
		*used += k;
		free(q);
	} while (rc == HTTP_MORE && *used < n);
	must(b.data == out->len);
	must((b.why != NULL) == (rc == HTTP_BAD));
	must(http_body_eof(&b) == HTTP_OK || rc != HTTP_OK);
	return rc;
}

static void
check_body(const struct http_head *h, const char *p, size_t n)
{
	struct buf a, b;
	enum http_rc rc;
	size_t used, again;
	uint64_t seed;

	buf_init(&a, n + 1);
	rc = read_body(h, p, n, 0, &a, &used);
	must(used <= n);
	for (seed = 1; seed < 4; seed++) {
		buf_init(&b, n + 1);
		must(read_body(h, p, n, seed, &b, &again) == rc);
		must(again == used);
		must(str_eq(buf_str(&a), buf_str(&b)));
		buf_free(&b);
	}
	buf_free(&a);
}

static void
fuzz_head(char kind, const char *p, size_t n)
{
	static struct http_head h, slow;
	uint64_t seed = util_hash(p, n);
	enum http_rc rc, got = HTTP_MORE;
	size_t at = 0, seen = 0;
	char *q;

	rc = parse(&h, kind, p, n, 0);
	while (got == HTTP_MORE && seen < n) {
		at = n < 600 ? seen + 1 : seen + 1 + util_random(&seed) % 50;
		if (at > n)
			at = n;
		q = exact(p, at);
		got = parse(&slow, kind, q, at, seen);
		if (got == HTTP_OK)
			http_head_move(&slow, q, p);
		free(q);
		seen = at;
	}
	must(got == rc);
	must((rc == HTTP_BAD) == (h.why != NULL));
	if (rc == HTTP_BAD)
		must(h.bad_status >= 400 && h.bad_status <= 505);
	if (rc != HTTP_OK)
		return;
	check_head(&h, kind, p, n);
	check_head(&slow, kind, p, n);
	must(slow.size == h.size && slow.framing == h.framing &&
	    slow.length == h.length && slow.nfields == h.nfields);
	must(str_eq(slow.path, h.path) && str_eq(slow.query, h.query));
	check_again(&h, kind);
	check_body(&h, p + h.size, n - h.size);
}

static void
fuzz_query(const char *p, size_t n)
{
	struct buf b;
	struct str query = str_n(p, n), v;

	v = http_query_get(query, "key");
	must(inside(v, p, n));
	buf_init(&b, n + 1);
	must(http_query_without(&b, query, "key") == 0);
	must(b.len <= n && (v.p == NULL) == (b.len == n));
	must(http_query_get(buf_str(&b), "key").p == NULL);
	buf_free(&b);
}

static void
fuzz_url(const char *p, size_t n)
{
	struct http_url u;
	const char *why = NULL;

	if (http_url(&u, str_n(p, n), &why) == -1) {
		must(why != NULL);
		return;
	}
	must(u.host.n > 0 && u.port != 0);
	must(inside(u.host, p, n) && inside(u.host_port, p, n));
	must(inside(u.path, p, n) && is_clean(u.path));
	must(u.path.n == 0 || (*u.path.p == '/' && !str_ends(u.path, "/")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head chunked;
	const char *p = (const char *)data + 1;

	if (size == 0)
		return 0;
	switch (*data) {
	case 'Q': case 'A': case 'H':
		fuzz_head((char)*data, p, size - 1);
		break;
	case 'C':
		chunked.framing = HTTP_CHUNKED;
		check_body(&chunked, p, size - 1);
		break;
	case 'U':
		fuzz_url(p, size - 1);
		break;
	case 'P':
		fuzz_query(p, size - 1);
		break;
	default:
		break;
	}
	return 0;
}
