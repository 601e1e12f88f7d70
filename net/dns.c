#include "net/dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DNS_HEADER	12
#define DNS_CNAMES_MAX	16
#define DNS_CACHE_MAX	256
#define DNS_TTL_MIN	5u		/* seconds */
#define DNS_TTL_MAX	300u
#define DNS_TTL_NONE	60u		/* the longest that "none" is kept */
#define DNS_STALE_MS	3600000u
#define DNS_CNAME	5
#define DNS_SOA		6
#define DNS_OPT		41
#define DNS_RC_NXDOMAIN	3
#define DNS_TC		0x02		/* in the third byte of the header */

/* ---- addresses as text ---- */

static int
literal4(unsigned char b[4], struct str s)
{
	size_t i, start = 0;
	unsigned part = 0;
	uint64_t n;

	for (i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] != '.')
			continue;
		/* "010" is octal to some: refused. */
		if (part > 3 || (i - start > 1 && s.p[start] == '0') ||
		    util_u64(str_n(s.p + start, i - start), 255, &n) == -1)
			return -1;
		b[part++] = (unsigned char)n;
		start = i + 1;
	}
	return part == 4 ? 0 : -1;
}

/*
 * The groups of one side of "::"; returns their bytes, -1: malformed.  Only
 * the last group of an address may be an IPv4 one (RFC 4291 2.2).
 */
static int
groups6(unsigned char b[16], struct str s, int last)
{
	size_t i, start = 0;
	int n = 0;
	uint64_t v;

	if (s.n == 0)
		return 0;
	for (i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] != ':')
			continue;
		if (last && i == s.n && n <= 12 &&
		    memchr(s.p + start, '.', i - start) != NULL)
			return literal4(b + n, str_n(s.p + start,
			    i - start)) == -1 ? -1 : n + 4;
		if (n > 14 || i - start > 4 ||
		    util_hex64(str_n(s.p + start, i - start), 0xffff, &v) ==
		    -1)
			return -1;
		b[n++] = (unsigned char)(v >> 8);
		b[n++] = (unsigned char)(v & 0xff);
		start = i + 1;
	}
	return n;
}

static int
literal6(unsigned char b[16], struct str s)
{
	unsigned char tail[16];
	size_t i;
	int left, right;

	memset(b, 0, 16);
	for (i = 0; i + 1 < s.n; i++)
		if (s.p[i] == ':' && s.p[i + 1] == ':')
			break;
	if (i + 1 >= s.n)
		return groups6(b, s, 1) == 16 ? 0 : -1;
	left = groups6(b, str_n(s.p, i), 0);
	right = groups6(tail, str_n(s.p + i + 2, s.n - i - 2), 1);
	if (left == -1 || right == -1 || left + right > 14)
		return -1;
	memset(b + left, 0, (size_t)(16 - left));
	memcpy(b + 16 - right, tail, (size_t)right);
	return 0;
}

int
dns_literal(struct dns_addr *a, struct str s)
{
	uint64_t scope;
	size_t i;

	memset(a, 0, sizeof *a);
	if (s.n == 0)
		return -1;
	if (literal4(a->b, s) == 0) {
		a->len = 4;
		return 0;
	}
	for (i = 0; i < s.n && s.p[i] != '%'; i++)
		;
	if (literal6(a->b, str_n(s.p, i)) == -1)
		return -1;
	if (i < s.n) {
		/* Only a link-local address has a scope. */
		if (a->b[0] != 0xfe || (a->b[1] & 0xc0) != 0x80 ||
		    util_u64(str_n(s.p + i + 1, s.n - i - 1), 0xffffffff,
		    &scope) == -1)
			return -1;
		a->scope = (uint32_t)scope;
	}
	a->len = 16;
	return 0;
}

static const unsigned char mapped[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

void
dns_text(char at[64], const struct dns_addr *a)
{
	int i, n = 0, best = -1, most = 1, run;
	int is_mapped = a->len == 16 && memcmp(a->b, mapped, 12) == 0;
	const unsigned char *b = a->b + (is_mapped ? 12 : 0);
	unsigned g[8];

	/* ::ffff:0:0/96 is known to hold an IPv4 address (RFC 5952 5). */
	if (a->len == 4 || is_mapped) {
		snprintf(at, 64, "%s%u.%u.%u.%u", is_mapped ? "::ffff:" : "",
		    b[0], b[1], b[2], b[3]);
		return;
	}
	for (i = 0; i < 8; i++)
		g[i] = (unsigned)a->b[2 * i] << 8 | a->b[2 * i + 1];
	/* The longest run of two or more zero groups (RFC 5952 4.2). */
	for (i = 0; i < 8; i += run > 0 ? run : 1) {
		for (run = 0; i + run < 8 && g[i + run] == 0; run++)
			;
		if (run > most) {
			most = run;
			best = i;
		}
	}
	for (i = 0; i < 8; i++) {
		if (i == best) {
			n += snprintf(at + n, (size_t)(64 - n), "::");
			i += most - 1;
			continue;
		}
		n += snprintf(at + n, (size_t)(64 - n), "%s%x",
		    i == 0 || (best >= 0 && i == best + most) ? "" : ":",
		    g[i]);
	}
	if (a->scope != 0)
		snprintf(at + n, (size_t)(64 - n), "%%%u",
		    (unsigned)a->scope);
}

int
dns_loopback(const struct dns_addr *a)
{
	static const unsigned char one[16] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
	};

	if (a->len == 4)
		return a->b[0] == 127;
	return a->len == 16 && (memcmp(a->b, one, 16) == 0 ||
	    (memcmp(a->b, mapped, 12) == 0 && a->b[12] == 127));
}

/* ---- queries ---- */

/* The name without its trailing dot, if it can be asked for. */
static int
name_ok(struct str *name)
{
	size_t i, label = 0;

	if (name->n > 0 && name->p[name->n - 1] == '.')
		name->n--;
	if (name->n == 0 || name->n > DNS_NAME_MAX)
		return 0;
	for (i = 0; i < name->n; i++) {
		unsigned char c = (unsigned char)name->p[i];

		if (c == '.') {
			if (label == 0)
				return 0;
			label = 0;
		} else if (c <= ' ' || c >= 0x7f || ++label > 63)
			return 0;
	}
	return label > 0;
}

size_t
dns_query(unsigned char *at, struct str name, enum dns_type type,
    uint16_t id)
{
	static const unsigned char head[10] = { 1, 0, 0, 1, 0, 0, 0, 0, 0, 1 };
	size_t i, n = DNS_HEADER, label;

	if (!name_ok(&name))
		return 0;
	at[0] = (unsigned char)(id >> 8);
	at[1] = (unsigned char)(id & 0xff);
	memcpy(at + 2, head, sizeof head);
	for (i = 0; i <= name.n; i++) {
		label = n++;
		while (i < name.n && name.p[i] != '.')
			at[n++] = (unsigned char)name.p[i++];
		at[label] = (unsigned char)(n - label - 1);
	}
	at[n++] = 0;
	at[n++] = 0;
	at[n++] = (unsigned char)type;
	at[n++] = 0;
	at[n++] = 1;			/* class IN */
	at[n++] = 0;			/* EDNS0: the root, type OPT, ... */
	at[n++] = 0;
	at[n++] = DNS_OPT;
	at[n++] = DNS_PACKET_MAX >> 8;	/* ... its class is our size */
	at[n++] = DNS_PACKET_MAX & 0xff;
	memset(at + n, 0, 6);
	return n + 6;
}

/* ---- replies ---- */

struct packet {
	const unsigned char *p;
	size_t n, at;
};

static unsigned
get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
get32(const unsigned char *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/*
 * Reads the name at k->at to out (dots between labels) and moves past it.
 * Pointers may only go backwards, so a loop ends.  Its length, or -1.
 */
static int
name_read(struct packet *k, char out[DNS_NAME_MAX + 1])
{
	size_t at = k->at, limit = k->at, n = 0, len, i;
	int jumped = 0;

	for (;;) {
		if (at >= k->n)
			return -1;
		len = k->p[at];
		if ((len & 0xc0) == 0xc0) {
			if (at + 1 >= k->n)
				return -1;
			if (!jumped)
				k->at = at + 2;
			jumped = 1;
			at = (len & 0x3f) << 8 | k->p[at + 1];
			if (at >= limit)
				return -1;
			limit = at;
			continue;
		}
		if ((len & 0xc0) != 0 || at + 1 + len > k->n)
			return -1;
		if (len == 0)
			break;
		if (n + (n > 0) + len > DNS_NAME_MAX)
			return -1;
		if (n > 0)
			out[n++] = '.';
		for (i = at + 1; i <= at + len; i++) {
			/* As text it would be another name. */
			if (k->p[i] == '.' || k->p[i] == '\0')
				return -1;
			out[n++] = (char)k->p[i];
		}
		at += 1 + len;
	}
	if (!jumped)
		k->at = at + 1;
	out[n] = '\0';
	return (int)n;
}

/* One resource record; its data lies at data, data_n bytes. */
struct record {
	char name[DNS_NAME_MAX + 1];
	struct str owner;
	unsigned type, class;
	uint32_t ttl;
	size_t data, data_n;
};

static int
record_read(struct packet *k, struct record *r)
{
	int n = name_read(k, r->name);

	if (n == -1 || k->n - k->at < 10)
		return -1;
	r->owner = str_n(r->name, (size_t)n);
	r->type = get16(k->p + k->at);
	r->class = get16(k->p + k->at + 2);
	r->ttl = get32(k->p + k->at + 4);
	if (r->ttl > 0x7fffffff)
		r->ttl = 0;			/* RFC 2181 8 */
	r->data_n = get16(k->p + k->at + 8);
	r->data = k->at + 10;
	if (r->data_n > k->n - r->data)
		return -1;
	k->at = r->data + r->data_n;
	return 0;
}

static void
answer_add(struct dns_answer *ans, const struct packet *k,
    const struct record *r)
{
	struct dns_addr *a;

	if (ans->n == DNS_ADDRS_MAX)
		return;
	a = &ans->addrs[ans->n++];
	memset(a, 0, sizeof *a);
	a->len = (unsigned char)r->data_n;
	memcpy(a->b, k->p + r->data, r->data_n);
}

/*
 * Walks the answers once for the addresses of `want`, and to where its
 * alias leads.  1: an alias was followed (want is the new name); 0: no;
 * -1: malformed.
 */
static int
answers_walk(struct dns_answer *ans, struct packet k, unsigned count,
    int truncated, enum dns_type type, char want[DNS_NAME_MAX + 1])
{
	struct record r;
	unsigned size = type == DNS_A ? 4 : 16;
	struct packet alias;
	int n;

	while (count-- > 0) {
		if (record_read(&k, &r) == -1)
			return truncated ? 0 : -1;
		if (r.class != 1 || !str_caseis(r.owner, want))
			continue;
		if (r.type == (unsigned)type && r.data_n == size) {
			answer_add(ans, &k, &r);
			if (r.ttl < ans->ttl)
				ans->ttl = r.ttl;
		} else if (r.type == DNS_CNAME) {
			alias = k;
			alias.at = r.data;
			if (r.ttl < ans->ttl)
				ans->ttl = r.ttl;
			n = name_read(&alias, want);
			return n == -1 || alias.at != k.at ? -1 : 1;
		}
	}
	return 0;
}

/*
 * The time for which "there is none" holds: the SOA's (RFC 2308 5), without
 * one 0, but no longer than the aliases that led there.
 */
static uint32_t
soa_ttl(struct packet k, unsigned answers, unsigned authority, uint32_t most)
{
	struct record r;
	unsigned i;
	uint32_t ttl;

	for (i = 0; i < answers + authority; i++) {
		if (record_read(&k, &r) == -1)
			break;
		if (i < answers || r.type != DNS_SOA || r.class != 1 ||
		    r.data_n < 22)
			continue;
		ttl = get32(k.p + r.data + r.data_n - 4);
		if (ttl > r.ttl)
			ttl = r.ttl;
		return ttl < most ? ttl : most;
	}
	return 0;
}

/*
 * Is it a reply to our question?  Leaves k behind the question.  A server
 * that could not read the question may leave it out.
 */
static int
question_check(struct packet *k, struct str name, enum dns_type type,
    uint16_t id)
{
	char asked[DNS_NAME_MAX + 1];
	int n, rcode;

	if (k->n < DNS_HEADER || get16(k->p) != id ||
	    (k->p[2] & 0xf8) != 0x80)
		return -1;
	rcode = k->p[3] & 0x0f;
	if (get16(k->p + 4) == 0 && rcode != 0 && rcode != DNS_RC_NXDOMAIN)
		return 0;
	if (get16(k->p + 4) != 1)
		return -1;
	k->at = DNS_HEADER;
	if ((n = name_read(k, asked)) == -1 || k->n - k->at < 4 ||
	    !str_caseeq(str_n(asked, (size_t)n), name) ||
	    get16(k->p + k->at) != (unsigned)type ||
	    get16(k->p + k->at + 2) != 1)
		return -1;
	k->at += 4;
	return 0;
}

enum dns_rc
dns_reply(struct dns_answer *ans, const unsigned char *p, size_t n,
    struct str name, enum dns_type type, uint16_t id)
{
	struct packet k = { p, n, 0 };
	char want[DNS_NAME_MAX + 1];
	unsigned rcode, count, i;
	struct dns_answer old = *ans;
	int rc = 1;

	if (!name_ok(&name) || question_check(&k, name, type, id) == -1)
		return DNS_IGNORE;
	rcode = p[3] & 0x0f;
	if (rcode != 0 && rcode != DNS_RC_NXDOMAIN)
		return DNS_FAIL;
	count = get16(p + 6);
	if (old.n == 0)
		ans->ttl = DNS_TTL_MAX;
	memcpy(want, name.p, name.n);
	want[name.n] = '\0';
	for (i = 0; rc == 1 && i <= DNS_CNAMES_MAX; i++)
		if ((rc = answers_walk(ans, k, count, p[2] & DNS_TC, type,
		    want)) == -1) {
			*ans = old;
			return DNS_IGNORE;
		}
	if (ans->n > old.n)
		return DNS_FOUND;
	if (rcode == 0 && (p[2] & DNS_TC)) {
		*ans = old;		/* cut off before any: not "none" */
		return DNS_FAIL;
	}
	if (old.n == 0)
		ans->ttl = soa_ttl(k, count, get16(p + 8), ans->ttl);
	return rcode == 0 ? DNS_NODATA : DNS_NXDOMAIN;
}

/* ---- resolv.conf and hosts ---- */

/* The next line of *text without its comment; 0: no more. */
static int
line_next(struct str *text, struct str *line)
{
	size_t n;

	if (text->n == 0)
		return 0;
	for (n = 0; n < text->n && text->p[n] != '\n'; n++)
		;
	*line = str_n(text->p, n);
	text->p += n < text->n ? n + 1 : n;
	text->n -= n < text->n ? n + 1 : n;
	for (n = 0; n < line->n; n++)
		if (line->p[n] == '#' || line->p[n] == ';')
			line->n = n;
	return 1;
}

static int
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The next word of *line; 0: no more. */
static int
word_next(struct str *line, struct str *word)
{
	size_t n;

	while (line->n > 0 && is_blank(*line->p)) {
		line->p++;
		line->n--;
	}
	for (n = 0; n < line->n && !is_blank(line->p[n]); n++)
		;
	*word = str_n(line->p, n);
	line->p += n;
	line->n -= n;
	return n > 0;
}

static void
conf_option(struct dns_conf *c, struct str w)
{
	static const char *const names[] = { "ndots:", "timeout:",
	    "attempts:" };
	static const unsigned least[] = { 0, 1, 1 }, most[] = { 15, 30, 5 };
	unsigned *const to[] = { &c->ndots, &c->timeout_s, &c->attempts };
	size_t i, k;
	uint64_t v;

	for (i = 0; i < 3; i++) {
		k = strlen(names[i]);
		if (!str_starts(w, names[i]) ||
		    util_u64(str_n(w.p + k, w.n - k), 1000000, &v) == -1)
			continue;
		*to[i] = v < least[i] ? least[i] : v > most[i] ? most[i] :
		    (unsigned)v;
	}
}

static void
conf_line(struct dns_conf *c, struct str line)
{
	struct str key, w;

	if (!word_next(&line, &key))
		return;
	if (str_is(key, "nameserver")) {
		if (word_next(&line, &w) && c->nservers < DNS_SERVERS_MAX &&
		    dns_literal(&c->servers[c->nservers], w) == 0)
			c->nservers++;
		return;
	}
	if (str_is(key, "search") || str_is(key, "domain"))
		c->nsearch = 0;		/* the last such line counts */
	while (word_next(&line, &w)) {
		if (str_is(key, "options"))
			conf_option(c, w);
		else if ((str_is(key, "search") || str_is(key, "domain")) &&
		    c->nsearch < DNS_SEARCH_MAX && name_ok(&w)) {
			memcpy(c->search[c->nsearch], w.p, w.n);
			c->search[c->nsearch++][w.n] = '\0';
		}
	}
}

void
dns_conf_parse(struct dns_conf *c, struct str text)
{
	struct str line;

	memset(c, 0, sizeof *c);
	c->ndots = 1;
	c->timeout_s = 5;
	c->attempts = 2;
	while (line_next(&text, &line))
		conf_line(c, line);
	if (c->nservers == 0)
		dns_literal(&c->servers[c->nservers++],
		    str_of("127.0.0.1"));
}

size_t
dns_candidate(const struct dns_conf *c, struct str name, unsigned i,
    char at[DNS_NAME_MAX + 2])
{
	unsigned dots = 0, bare = 0, others = 0, k;
	size_t n, tail;

	if (name.n > 0 && name.p[name.n - 1] == '.') {
		name.n--;
	} else {
		for (n = 0; n < name.n; n++)
			dots += name.p[n] == '.';
		others = c->nsearch;
		/* With enough dots the name itself is first, else last. */
		bare = dots >= c->ndots ? 0 : others;
	}
	if (name.n == 0 || name.n > DNS_NAME_MAX)
		return 0;
	memcpy(at, name.p, name.n);
	for (k = 0; k <= others; k++) {
		n = name.n;
		if (k != bare) {
			tail = strlen(c->search[k - (k > bare)]);
			if (n + 1 + tail > DNS_NAME_MAX)
				continue;
			at[n++] = '.';
			memcpy(at + n, c->search[k - (k > bare)], tail);
			n += tail;
		}
		at[n] = '\0';
		if (i-- == 0)
			return n;
	}
	return 0;
}

static int
is_localhost(struct str name)
{
	return str_caseis(name, "localhost") || (name.n > 10 &&
	    str_caseis(str_n(name.p + name.n - 10, 10), ".localhost"));
}

size_t
dns_hosts(struct dns_answer *ans, struct str text, struct str name)
{
	struct str line, w;
	struct dns_addr a;

	memset(ans, 0, sizeof *ans);
	ans->ttl = DNS_TTL_MIN;
	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	while (line_next(&text, &line)) {
		if (!word_next(&line, &w) || dns_literal(&a, w) == -1)
			continue;
		while (word_next(&line, &w))
			if (str_caseeq(w, name) && ans->n < DNS_ADDRS_MAX) {
				ans->addrs[ans->n++] = a;
				break;
			}
	}
	if (ans->n == 0 && is_localhost(name)) {
		dns_literal(&ans->addrs[ans->n++], str_of("127.0.0.1"));
		dns_literal(&ans->addrs[ans->n++], str_of("::1"));
	}
	return ans->n;
}

/* ---- the cache ---- */

struct entry {
	char name[DNS_NAME_MAX + 1];	/* "": free */
	struct dns_answer ans;
	uint64_t until;			/* fresh before */
};

struct dns_cache {
	struct entry entries[DNS_CACHE_MAX];
};

struct dns_cache *
dns_cache_new(void)
{
	return calloc(1, sizeof(struct dns_cache));
}

void
dns_cache_free(struct dns_cache *c)
{
	free(c);
}

static struct entry *
cache_find(struct dns_cache *c, struct str name)
{
	size_t i;

	for (i = 0; i < DNS_CACHE_MAX; i++)
		if (c->entries[i].name[0] != '\0' &&
		    str_caseis(name, c->entries[i].name))
			return &c->entries[i];
	return NULL;
}

void
dns_cache_put(struct dns_cache *c, struct str name,
    const struct dns_answer *ans, uint64_t now)
{
	struct entry *e;
	uint32_t ttl = ans->ttl, most = ans->n > 0 ? DNS_TTL_MAX :
	    DNS_TTL_NONE;
	size_t i;

	if (name.n == 0 || name.n > DNS_NAME_MAX)
		return;
	if ((e = cache_find(c, name)) == NULL)
		for (e = &c->entries[0], i = 0; i < DNS_CACHE_MAX; i++)
			if (c->entries[i].until < e->until)
				e = &c->entries[i];	/* free: 0 */
	ttl = ttl < DNS_TTL_MIN ? DNS_TTL_MIN : ttl > most ? most : ttl;
	memcpy(e->name, name.p, name.n);
	e->name[name.n] = '\0';
	e->ans = *ans;
	e->ans.ttl = ttl;
	e->until = now + (uint64_t)ttl * 1000;
}

int
dns_cache_get(struct dns_cache *c, struct str name, struct dns_answer *ans,
    uint64_t now)
{
	struct entry *e = cache_find(c, name);

	if (e == NULL || e->until + DNS_STALE_MS <= now)
		return 0;
	if (now >= e->until && e->ans.n == 0)
		return 0;
	*ans = e->ans;
	return now < e->until ? 1 : -1;
}
