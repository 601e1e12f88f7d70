#include "net/dns.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define N(a) (sizeof(a) / sizeof *(a))
#define ID 0x1234
#define ASKED "www.example.com"
#define LABEL63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME253 LABEL63 "." LABEL63 "." LABEL63 \
	".bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* ---- addresses ---- */

static const struct {
	const char *text, *canonical;	/* NULL: no literal */
} literals[] = {
	{ "0.0.0.0", "0.0.0.0" },
	{ "192.0.2.1", "192.0.2.1" },
	{ "255.255.255.255", "255.255.255.255" },
	{ "256.0.0.1", NULL },
	{ "1.2.3", NULL },
	{ "1.2.3.4.5", NULL },
	{ "1.2.3.4.", NULL },
	{ ".1.2.3.4", NULL },
	{ "1..2.3", NULL },
	{ "01.2.3.4", NULL },
	{ "1.2.3.00", NULL },
	{ "1.2.3.-4", NULL },
	{ "1.2.3.4 ", NULL },
	{ "0x1.2.3.4", NULL },
	{ "1.2.3.4%3", NULL },
	{ "16909060", NULL },
	{ "", NULL },
	{ "localhost", NULL },
	{ "::", "::" },
	{ "::1", "::1" },
	{ "1::", "1::" },
	{ "0:0:0:0:0:0:0:0", "::" },
	{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
	{ "2001:0db8::0001", "2001:db8::1" },
	{ "2001:db8::0:1", "2001:db8::1" },
	/* The longest run; the first of equal ones; one group is none. */
	{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
	{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "0:0:1::", "0:0:1::" },
	{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
	{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
	{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
	{ "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	{ "::ffff:c000:201", "::ffff:192.0.2.1" },
	{ "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
	{ "::1.2.3.4", "::102:304" },
	{ "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" },
	{ "::2:3:4:5:6:1.2.3.4", "0:2:3:4:5:6:102:304" },
	{ "::1:2:3:4:5:6:1.2.3.4", NULL },
	{ "fe80::1%3", "fe80::1%3" },
	{ "febf::1%4294967295", "febf::1%4294967295" },
	{ "fe80::1", "fe80::1" },
	{ "fe80::1%", NULL },
	{ "fe80::1%4294967296", NULL },
	{ "fe80::1%eth0", NULL },
	{ "fe80::1%-1", NULL },
	{ "fec0::1%3", NULL },
	{ "::1%3", NULL },
	{ "%3", NULL },
	{ ":", NULL },
	{ ":::", NULL },
	{ "1:", NULL },
	{ ":1", NULL },
	{ "1:::2", NULL },
	{ "1::2::3", NULL },
	{ "1::2:", NULL },
	{ ":1::2", NULL },
	{ "12345::", NULL },
	{ "g::", NULL },
	{ "1:2:3:4:5:6:7", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL },
	{ "1:2:3:4:5:6:7:8::", NULL },
	{ "1:2:3:4::5:6:7:8", NULL },
	{ "1:2:3:4:5:6:7:1.2.3.4", NULL },
	{ "1.2.3.4::", NULL },
	{ "1.2.3.4::5", NULL },
	{ "::1.2.3.4:5", NULL },
	{ "::1.2.3", NULL },
	{ "::1.2.3.256", NULL },
	{ "[::1]", NULL },
	{ "::1 ", NULL },
};

static void
check_literals(void)
{
	struct dns_addr a, again;
	char at[64];
	size_t i;
	int rc;

	for (i = 0; i < N(literals); i++) {
		rc = dns_literal(&a, str_of(literals[i].text));
		T_OK(rc == (literals[i].canonical == NULL ? -1 : 0),
		    "%s: %d", literals[i].text, rc);
		if (rc == -1 || literals[i].canonical == NULL)
			continue;
		dns_text(at, &a);
		T_OK(strcmp(at, literals[i].canonical) == 0, "%s: %s",
		    literals[i].text, at);
		T_OK(dns_literal(&again, str_of(at)) == 0 &&
		    again.len == a.len && again.scope == a.scope &&
		    memcmp(again.b, a.b, sizeof a.b) == 0, "%s again", at);
	}
	T_OK(dns_literal(&a, str_n(NULL, 0)) == -1, "NULL");
	T_OK(dns_literal(&a, str_n("::1\0", 4)) == -1, "NUL");
}

static const struct {
	const char *text;
	int loopback;
} loopbacks[] = {
	{ "127.0.0.1", 1 }, { "127.255.255.255", 1 }, { "128.0.0.1", 0 },
	{ "126.0.0.1", 0 }, { "0.0.0.0", 0 }, { "::1", 1 }, { "::", 0 },
	{ "::2", 0 }, { "1::1", 0 }, { "::ffff:127.0.0.1", 1 },
	{ "::ffff:127.9.9.9", 1 }, { "::ffff:126.0.0.1", 0 },
	{ "::127.0.0.1", 0 }, { "fe80::1%1", 0 },
};

static void
check_loopbacks(void)
{
	struct dns_addr a;
	size_t i;

	for (i = 0; i < N(loopbacks); i++) {
		dns_literal(&a, str_of(loopbacks[i].text));
		T_OK(dns_loopback(&a) == loopbacks[i].loopback, "%s",
		    loopbacks[i].text);
	}
}

/* ---- queries ---- */

static const unsigned char query_aaaa[] = {
	0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1,
	3, 'w', 'w', 'w', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e',
	3, 'c', 'o', 'm', 0, 0, 28, 0, 1,
	0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0
};

static const struct {
	const char *name;
	size_t n;		/* of the query; 0: cannot be asked */
} queries[] = {
	{ "a", 12 + 3 + 4 + 11 },
	{ "a.", 12 + 3 + 4 + 11 },
	{ "_x-1.b", 12 + 8 + 4 + 11 },
	{ LABEL63, 12 + 65 + 4 + 11 },
	{ LABEL63 "a", 0 },
	{ "x." LABEL63 "a", 0 },
	{ NAME253, 12 + 255 + 4 + 11 },
	{ NAME253 ".", 12 + 255 + 4 + 11 },
	{ NAME253 "b", 0 },
	{ "", 0 }, { ".", 0 }, { "..", 0 }, { ".a", 0 }, { "a..b", 0 },
	{ "a..", 0 }, { "a b", 0 }, { "a\n", 0 }, { "a\x7f", 0 },
	{ "\xc3\xa9.example", 0 },
};

static void
check_queries(void)
{
	unsigned char p[DNS_PACKET_MAX];
	size_t i, n;

	n = dns_query(p, str_of(ASKED), DNS_AAAA, ID);
	T_OK(n == sizeof query_aaaa && memcmp(p, query_aaaa, n) == 0,
	    "%zu bytes", n);
	n = dns_query(p, str_of(ASKED "."), DNS_AAAA, ID);
	T_OK(n == sizeof query_aaaa && memcmp(p, query_aaaa, n) == 0,
	    "with a dot: %zu bytes", n);
	n = dns_query(p, str_of(ASKED), DNS_A, 0xfffe);
	T_OK(n == sizeof query_aaaa && p[0] == 0xff && p[1] == 0xfe &&
	    p[30] == 1, "A: %zu bytes", n);
	for (i = 0; i < N(queries); i++) {
		n = dns_query(p, str_of(queries[i].name), DNS_A, ID);
		T_OK(n == queries[i].n, "%s: %zu", queries[i].name, n);
	}
	T_OK(dns_query(p, str_n(NULL, 0), DNS_A, ID) == 0, "NULL");
}

/* ---- replies: a packet is made piece by piece ---- */

static unsigned char pkt[8192];
static size_t pkt_n;
static struct dns_answer ans;

static void
put8(unsigned v)
{
	pkt[pkt_n++] = (unsigned char)v;
}

static void
put16(unsigned v)
{
	put8(v >> 8);
	put8(v & 0xff);
}

static void
put32(uint32_t v)
{
	put16(v >> 16);
	put16(v & 0xffff);
}

/* "a.b" ends with the root, "a@12" with a pointer to 12, "@12" is one. */
static void
put_name(const char *s)
{
	size_t n;

	while (*s != '\0' && *s != '@') {
		n = strcspn(s, ".@");
		put8((unsigned)n);
		memcpy(pkt + pkt_n, s, n);
		pkt_n += n;
		s += n + (s[n] == '.');
	}
	if (*s == '@')
		put16(0xc000 | (unsigned)atoi(s + 1));
	else
		put8(0);
}

/* The header and the question of a reply; the name stands at 12. */
static void
begin(unsigned flags, unsigned answers, unsigned authority)
{
	pkt_n = 0;
	put16(ID);
	put16(0x8180 | flags);
	put16(1);
	put16(answers);
	put16(authority);
	put16(0);
	put_name(ASKED);
	put16(DNS_A);
	put16(1);
}

static void
record(const char *owner, unsigned type, uint32_t ttl, const void *data,
    size_t n)
{
	put_name(owner);
	put16(type);
	put16(1);
	put32(ttl);
	put16((unsigned)n);
	memcpy(pkt + pkt_n, data, n);
	pkt_n += n;
}

static void
record_a(const char *owner, uint32_t ttl, const char *addr)
{
	struct dns_addr a;

	dns_literal(&a, str_of(addr));
	record(owner, a.len == 4 ? DNS_A : DNS_AAAA, ttl, a.b, a.len);
}

static void
record_cname(const char *owner, uint32_t ttl, const char *to)
{
	size_t at;

	record(owner, 5, ttl, "", 0);
	at = pkt_n;
	put_name(to);
	pkt[at - 1] = (unsigned char)(pkt_n - at);
}

static void
record_soa(const char *owner, uint32_t ttl, uint32_t minimum)
{
	size_t at;

	record(owner, 6, ttl, "", 0);
	at = pkt_n;
	put_name("ns@16");
	put_name("root@16");
	put32(1);
	put32(7200);
	put32(3600);
	put32(86400);
	put32(minimum);
	pkt[at - 1] = (unsigned char)(pkt_n - at);
}

/* Its bytes end where a sanitizer sees each one read too many. */
static enum dns_rc
read_n(size_t n, const char *name, enum dns_type type)
{
	unsigned char *p = malloc(n > 0 ? n : 1);
	enum dns_rc rc;

	memcpy(p, pkt, n);
	rc = dns_reply(&ans, p, n, str_of(name), type, ID);
	free(p);
	return rc;
}

static enum dns_rc
read_reply(void)
{
	memset(&ans, 0, sizeof ans);
	return read_n(pkt_n, ASKED, DNS_A);
}

/* The addresses of ans, with blanks between. */
static const char *
addrs(void)
{
	static char out[DNS_ADDRS_MAX * 64];
	char at[64];
	size_t i;

	out[0] = '\0';
	for (i = 0; i < ans.n; i++) {
		dns_text(at, &ans.addrs[i]);
		strcat(out, i > 0 ? " " : "");
		strcat(out, at);
	}
	return out;
}

static void
expect(const char *what, enum dns_rc rc, const char *list, uint32_t ttl)
{
	enum dns_rc got = read_reply();

	T_OK(got == rc, "%s: %d", what, (int)got);
	T_OK(strcmp(addrs(), list) == 0, "%s: %s", what, addrs());
	T_OK(rc == DNS_IGNORE || rc == DNS_FAIL || ans.ttl == ttl,
	    "%s: ttl %u", what, (unsigned)ans.ttl);
}

static void
check_found(void)
{
	begin(0, 1, 0);
	record_a("@12", 60, "192.0.2.1");
	expect("A", DNS_FOUND, "192.0.2.1", 60);
	begin(0, 3, 0);
	record_a("@12", 100, "192.0.2.1");
	record_a("@12", 9, "192.0.2.2");
	record_a(ASKED, 200, "192.0.2.3");
	expect("three", DNS_FOUND, "192.0.2.1 192.0.2.2 192.0.2.3", 9);
	begin(0, 2, 0);
	record_a("WWW.eXample.COM", 4000000, "192.0.2.1");
	record_a("www@16", 0x80000000u, "192.0.2.2");
	expect("case; a huge TTL is 0", DNS_FOUND, "192.0.2.1 192.0.2.2", 0);
	begin(0, 6, 0);
	record_a("@12", 60, "2001:db8::1");		/* not asked for */
	record_a("other.example.com", 1, "192.0.2.9");
	record("@12", DNS_A, 1, "\1\2\3", 3);
	record("@12", DNS_A, 1, "\1\2\3\4\5", 5);
	record("@12", 16, 1, "\4text", 5);
	record_a("@12", 60, "192.0.2.1");
	expect("among others", DNS_FOUND, "192.0.2.1", 60);
	begin(0, 1, 0);
	record_a("@12", 60, "192.0.2.1");
	pkt[pkt_n - 11] = 3;				/* class CHAOS */
	expect("class", DNS_NODATA, "", 0);
	begin(0, 1, 0);
	record_a("@12", 60, "192.0.2.1");
	put8(0);
	expect("bytes behind", DNS_FOUND, "192.0.2.1", 60);
}

static void
check_families(void)
{
	size_t i;

	begin(0, 1, 0);
	record_a("@12", 60, "192.0.2.1");
	T_OK(read_reply() == DNS_FOUND, "A");
	begin(0, 1, 0);
	pkt[30] = DNS_AAAA;
	record_a("@12", 30, "2001:db8::1");
	T_OK(read_n(pkt_n, ASKED ".", DNS_AAAA) == DNS_FOUND, "AAAA");
	T_OK(strcmp(addrs(), "192.0.2.1 2001:db8::1") == 0, "%s", addrs());
	T_OK(ans.ttl == 30, "ttl %u", (unsigned)ans.ttl);
	begin(0, 0, 1);
	pkt[30] = DNS_AAAA;
	record_soa("@16", 5, 5);
	T_OK(read_n(pkt_n, ASKED, DNS_AAAA) == DNS_NODATA, "AAAA: none");
	T_OK(ans.n == 2 && ans.ttl == 30, "kept: %zu, %u", ans.n,
	    (unsigned)ans.ttl);
	begin(0, 20, 0);
	for (i = 0; i < 20; i++)
		record_a("@12", 60, "192.0.2.1");
	T_OK(read_reply() == DNS_FOUND && ans.n == DNS_ADDRS_MAX,
	    "twenty: %zu", ans.n);
	begin(0, 1, 0);
	record_a("@12", 60, "192.0.2.1");
	T_OK(read_n(pkt_n, ASKED, DNS_A) >= DNS_FOUND &&
	    ans.n == DNS_ADDRS_MAX, "one more: %zu", ans.n);
}

static void
check_aliases(void)
{
	char from[32], to[32];
	unsigned i, most;

	begin(0, 2, 0);
	record_cname("@12", 20, "edge@16");
	record_a("edge.example.com", 60, "192.0.2.1");
	expect("alias", DNS_FOUND, "192.0.2.1", 20);
	begin(0, 3, 0);
	record_a("b.test", 60, "192.0.2.1");
	record_cname("a.test", 50, "B.TEST");
	record_cname("@12", 55, "A.test");
	expect("in any order", DNS_FOUND, "192.0.2.1", 50);
	begin(0, 1, 1);
	record_cname("@12", 20, "edge@16");
	record_soa("@16", 100, 90);
	expect("alias to nothing", DNS_NODATA, "", 20);
	begin(0, 2, 0);
	record_cname("@12", 20, "edge@16");
	record_cname("edge.example.com", 20, "@12");
	expect("circle", DNS_NODATA, "", 0);
	begin(0, 1, 0);
	record_cname("@12", 20, "@12");
	expect("itself", DNS_NODATA, "", 0);
	for (most = 16; most <= 17; most++) {
		begin(0, most + 1, 0);
		record_cname("@12", 60, "c1.test");
		for (i = 1; i < most; i++) {
			snprintf(from, sizeof from, "c%u.test", i);
			snprintf(to, sizeof to, "c%u.test", i + 1);
			record_cname(from, 60, to);
		}
		snprintf(to, sizeof to, "c%u.test", most);
		record_a(to, 60, "192.0.2.1");
		if (most == 16)
			expect("16 aliases", DNS_FOUND, "192.0.2.1", 60);
		else
			expect("17 aliases", DNS_NODATA, "", 0);
	}
	begin(0, 2, 0);
	record_cname("@12", 20, "edge@16");
	pkt[pkt_n - 8]++;		/* longer than the name in it */
	record_a("edge.example.com", 60, "192.0.2.1");
	expect("alias of another length", DNS_IGNORE, "", 0);
}

static void
check_pointers(void)
{
	unsigned at;
	char name[16];

	begin(0, 1, 0);
	at = (unsigned)pkt_n;
	snprintf(name, sizeof name, "@%u", at);
	record_a(name, 60, "192.0.2.1");
	expect("pointer to itself", DNS_IGNORE, "", 0);
	begin(0, 1, 0);
	snprintf(name, sizeof name, "@%u", at + 2);
	record_a(name, 60, "192.0.2.1");
	expect("forward", DNS_IGNORE, "", 0);
	begin(0, 1, 0);
	record_a("@8000", 60, "192.0.2.1");
	expect("beyond the end", DNS_IGNORE, "", 0);
	begin(0, 1, 0);
	snprintf(name, sizeof name, "www@%u", at);
	record_a(name, 60, "192.0.2.1");
	expect("loop through a label", DNS_IGNORE, "", 0);
	begin(0, 2, 0);
	snprintf(name, sizeof name, "@%u", at + 16);
	record_a("@12", 60, "192.0.2.1");
	record_a(name, 60, "192.0.2.2");
	expect("to itself, second", DNS_IGNORE, "", 0);
	begin(0, 1, 0);
	record_a("\1@12", 60, "192.0.2.1");
	pkt[at] = 0x40;
	expect("label type 01", DNS_IGNORE, "", 0);
	pkt[at] = 0x80;
	expect("label type 10", DNS_IGNORE, "", 0);
	begin(0, 1, 0);
	record_a("www.exam", 60, "192.0.2.1");
	pkt[at + 4] = 0xff;
	pkt[at + 5] = 0xff;
	expect("pointer 0x3fff", DNS_IGNORE, "", 0);
	/* Backwards many times is legal. */
	begin(0, 3, 0);
	record_cname("@12", 60, "a@16");
	snprintf(name, sizeof name, "b@%u", (unsigned)pkt_n - 4);
	record_cname("a.example.com", 60, name);
	record_a("b.a.example.com", 60, "192.0.2.1");
	expect("two jumps", DNS_FOUND, "192.0.2.1", 60);
}

static void
check_names(void)
{
	size_t at;

	/* A name of 255 bytes is read, one byte more is not. */
	begin(0, 2, 0);
	record_a("@12", 60, "192.0.2.1");
	record_a(NAME253, 60, "192.0.2.2");
	expect("253", DNS_FOUND, "192.0.2.1", 60);
	begin(0, 2, 0);
	record_a("@12", 60, "192.0.2.1");
	record_a(NAME253 "b", 60, "192.0.2.2");
	expect("254", DNS_IGNORE, "", 0);
	/* Dots and NULs within a label would make it another name. */
	begin(0, 2, 0);
	record_a("@12", 60, "192.0.2.1");
	at = pkt_n;
	record_a("wwwxexample.com", 60, "192.0.2.2");
	pkt[at + 4] = '.';
	expect("dot in a label", DNS_IGNORE, "", 0);
	pkt[at + 4] = '\0';
	expect("NUL in a label", DNS_IGNORE, "", 0);
	/* The root as owner. */
	begin(0, 2, 0);
	record_a("", 60, "192.0.2.2");
	record_a("@12", 60, "192.0.2.1");
	expect("root", DNS_FOUND, "192.0.2.1", 60);
}

static void
check_truncated(void)
{
	size_t n, whole;
	enum dns_rc rc;

	begin(0, 2, 0);
	record_a("@12", 60, "192.0.2.1");
	whole = pkt_n;
	record_a("@12", 60, "192.0.2.2");
	for (n = 0; n < pkt_n; n++) {
		memset(&ans, 0, sizeof ans);
		rc = read_n(n, ASKED, DNS_A);
		T_OK(rc == DNS_IGNORE && ans.n == 0, "cut at %zu: %d", n,
		    (int)rc);
	}
	pkt[2] |= 2;			/* TC */
	for (n = 0; n < pkt_n; n++) {
		memset(&ans, 0, sizeof ans);
		rc = read_n(n, ASKED, DNS_A);
		T_OK(rc == (n < 33 ? DNS_IGNORE : n < whole ? DNS_FAIL :
		    DNS_FOUND), "TC, cut at %zu: %d", n, (int)rc);
		T_OK(ans.n == (n >= whole), "TC, cut at %zu: %zu", n, ans.n);
	}
	begin(0x200, 0, 0);
	expect("TC and nothing", DNS_FAIL, "", 0);
	begin(0x200, 1, 0);
	record_cname("@12", 20, "edge@16");
	expect("TC and an alias", DNS_FAIL, "", 0);
	begin(0, 1, 0);
	record_a("@12", 60, "192.0.2.1");
	pkt[pkt_n - 5] = 5;		/* one byte over */
	expect("data beyond the end", DNS_IGNORE, "", 0);
	pkt[pkt_n - 6] = 0xff;
	expect("data far beyond", DNS_IGNORE, "", 0);
	begin(0, 65535, 0);
	record_a("@12", 60, "192.0.2.1");
	expect("fewer than counted", DNS_IGNORE, "", 0);
}

/* A good reply with one byte changed. */
static const struct {
	const char *what;
	size_t at;
	unsigned char value;
	enum dns_rc rc;
} changes[] = {
	{ "none", 0, 0x12, DNS_FOUND },
	{ "id, high", 0, 0x13, DNS_IGNORE },
	{ "id, low", 1, 0x35, DNS_IGNORE },
	{ "a query", 2, 0x01, DNS_IGNORE },
	{ "opcode", 2, 0x89, DNS_IGNORE },
	{ "not authoritative", 2, 0x80, DNS_FOUND },
	{ "authoritative", 2, 0x85, DNS_FOUND },
	{ "no recursion", 3, 0x00, DNS_FOUND },
	{ "FORMERR", 3, 0x81, DNS_FAIL },
	{ "SERVFAIL", 3, 0x82, DNS_FAIL },
	{ "NOTIMP", 3, 0x84, DNS_FAIL },
	{ "REFUSED", 3, 0x85, DNS_FAIL },
	{ "rcode 15", 3, 0x8f, DNS_FAIL },
	{ "no question", 5, 0, DNS_IGNORE },
	{ "two questions", 5, 2, DNS_IGNORE },
	{ "257 questions", 4, 1, DNS_IGNORE },
	{ "no answer counted", 7, 0, DNS_NODATA },
	{ "length of a label", 12, 2, DNS_IGNORE },
	{ "name", 13, 'v', DNS_IGNORE },
	{ "case of the name", 13, 'W', DNS_FOUND },
	{ "type", 30, DNS_AAAA, DNS_IGNORE },
	{ "type, high", 29, 1, DNS_IGNORE },
	{ "class", 32, 3, DNS_IGNORE },
	{ "class, high", 31, 1, DNS_IGNORE },
	{ "owner", 34, 16, DNS_NODATA },
};

static void
check_changes(void)
{
	enum dns_rc rc;
	size_t i;

	for (i = 0; i < N(changes); i++) {
		begin(0, 1, 0);
		record_a("@12", 60, "192.0.2.1");
		pkt[changes[i].at] = changes[i].value;
		rc = read_reply();
		T_OK(rc == changes[i].rc, "%s: %d", changes[i].what,
		    (int)rc);
		T_OK((ans.n > 0) == (rc == DNS_FOUND), "%s: %zu addresses",
		    changes[i].what, ans.n);
	}
	begin(0, 0, 0);
	T_OK(read_n(pkt_n, "other.test", DNS_A) == DNS_IGNORE, "name");
	T_OK(read_n(pkt_n, "www.example.co", DNS_A) == DNS_IGNORE, "shorter");
	T_OK(read_n(pkt_n, "", DNS_A) == DNS_IGNORE, "no name");
	T_OK(read_n(pkt_n, ASKED "..", DNS_A) == DNS_IGNORE, "bad name");
}

static void
check_none(void)
{
	begin(0, 0, 0);
	expect("nothing at all", DNS_NODATA, "", 0);
	begin(3, 0, 0);
	expect("no such name", DNS_NXDOMAIN, "", 0);
	begin(0, 0, 1);
	record_soa("@16", 40, 90);
	expect("SOA's own TTL", DNS_NODATA, "", 40);
	begin(3, 0, 1);
	record_soa("@16", 900, 41);
	expect("SOA's minimum", DNS_NXDOMAIN, "", 41);
	begin(3, 0, 1);
	record_soa("@16", 100000, 100000);
	expect("long", DNS_NXDOMAIN, "", 300);
	begin(3, 1, 2);
	record_cname("@12", 15, "edge@16");
	record("@16", 2, 1, "\2ns\300\20", 5);
	record_soa("@16", 50, 50);
	expect("alias, NS, SOA", DNS_NXDOMAIN, "", 15);
	begin(3, 0, 1);
	record("@16", 6, 50, "\0\0\0\0\0", 5);
	expect("SOA too short", DNS_NXDOMAIN, "", 0);
	begin(3, 0, 1);
	record_soa("@16", 50, 50);
	pkt_n--;
	expect("SOA cut", DNS_NXDOMAIN, "", 0);
	begin(3, 1, 0);
	record_soa("@16", 50, 50);
	expect("SOA as an answer", DNS_NXDOMAIN, "", 0);
	begin(3, 1, 0);
	record_a("@12", 50, "192.0.2.1");
	expect("no such name, with an address", DNS_FOUND, "192.0.2.1", 50);
	/* A server that cannot read the question may leave it out. */
	begin(1, 0, 0);
	pkt[5] = 0;
	pkt_n = 12;
	expect("FORMERR, only a header", DNS_FAIL, "", 0);
	pkt[3] = 0x83;
	expect("NXDOMAIN, only a header", DNS_IGNORE, "", 0);
	pkt[3] = 0x80;
	expect("only a header", DNS_IGNORE, "", 0);
	pkt[3] = 0x82;
	pkt_n = 11;
	expect("less than a header", DNS_IGNORE, "", 0);
	/* What is ignored changes nothing. */
	begin(0, 1, 0);
	record_a("@12", 60, "192.0.2.1");
	read_reply();
	begin(0, 2, 0);
	record_a("@12", 7, "192.0.2.2");
	T_OK(read_n(pkt_n, ASKED, DNS_A) == DNS_IGNORE && ans.n == 1 &&
	    ans.ttl == 60, "%zu, %u", ans.n, (unsigned)ans.ttl);
}

int
main(void)
{
	check_literals();
	check_loopbacks();
	check_queries();
	check_found();
	check_families();
	check_aliases();
	check_pointers();
	check_names();
	check_truncated();
	check_changes();
	check_none();
	return t_end();
}
