#include "net/dns.h"

#include <string.h>

#include "tests/t.h"

#define N(a) (sizeof(a) / sizeof *(a))
#define LABEL63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME253 LABEL63 "." LABEL63 "." LABEL63 \
	".bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HOUR 3600000

static struct dns_answer ans;

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

/* ---- resolv.conf ---- */

#define DEFAULTS "127.0.0.1||1 5 2"

static const struct {
	const char *text, *is;	/* servers|search|ndots timeout attempts */
} confs[] = {
	{ "", DEFAULTS },
	{ "\n\n  \n", DEFAULTS },
	{ "nameserver 192.0.2.1\nnameserver 2001:db8::1\n",
	    "192.0.2.1 2001:db8::1||1 5 2" },
	{ "nameserver 192.0.2.1", "192.0.2.1||1 5 2" },
	{ "\t nameserver\t192.0.2.1 \r\n", "192.0.2.1||1 5 2" },
	{ "nameserver fe80::1%2\n", "fe80::1%2||1 5 2" },
	{ "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\n"
	    "nameserver 4.4.4.4\n", "1.1.1.1 2.2.2.2 3.3.3.3||1 5 2" },
	{ "nameserver\nnameserver x\nnameserver 1.2.3\n"
	    "nameserver 9.9.9.9\n", "9.9.9.9||1 5 2" },
	{ "nameserver 1.1.1.1 2.2.2.2\n", "1.1.1.1||1 5 2" },
	{ "# nameserver 1.1.1.1\n;nameserver 2.2.2.2\n"
	    "nameserver 3.3.3.3 # why\n#", "3.3.3.3||1 5 2" },
	{ "Nameserver 1.1.1.1\nnameservers 1.1.1.1\n", DEFAULTS },
	{ "search a.test b.test\n", "127.0.0.1|a.test b.test|1 5 2" },
	{ "search a.test\nsearch b.test\n", "127.0.0.1|b.test|1 5 2" },
	{ "search a.test\ndomain b.test\n", "127.0.0.1|b.test|1 5 2" },
	{ "domain a.test\n", "127.0.0.1|a.test|1 5 2" },
	{ "search a.test\nsearch\n", DEFAULTS },
	{ "search a b c d e f g h\n", "127.0.0.1|a b c d e f|1 5 2" },
	{ "search . a..b .c d. " LABEL63 "a e\n",
	    "127.0.0.1|d e|1 5 2" },
	{ "search " NAME253 "\n", "127.0.0.1|" NAME253 "|1 5 2" },
	{ "search " NAME253 "b\n", DEFAULTS },
	{ "options ndots:3 timeout:7 attempts:4\n", "127.0.0.1||3 7 4" },
	{ "options ndots:0\noptions timeout:1\n", "127.0.0.1||0 1 2" },
	{ "options ndots:99 timeout:99 attempts:99\n",
	    "127.0.0.1||15 30 5" },
	{ "options timeout:0 attempts:0\n", "127.0.0.1||1 1 1" },
	{ "options timeout:99999999999999999999\n", DEFAULTS },
	{ "options ndots: timeout:x attempts:-1 ndots:2x edns0 rotate\n",
	    DEFAULTS },
	{ "options ndots:2 # ndots:3\n", "127.0.0.1||2 5 2" },
	{ "sortlist 1.1.1.1\nlookup file bind\nfamily inet4\n", DEFAULTS },
	{ "nameserver 1.1.1.1\nsearch a.test\noptions ndots:5\n",
	    "1.1.1.1|a.test|5 5 2" },
};

static void
check_confs(void)
{
	static struct dns_conf c;
	char out[1024], at[64];
	size_t i;
	unsigned k;

	for (i = 0; i < N(confs); i++) {
		memset(&c, 0xa5, sizeof c);
		dns_conf_parse(&c, str_of(confs[i].text));
		out[0] = '\0';
		for (k = 0; k < c.nservers; k++) {
			dns_text(at, &c.servers[k]);
			strcat(out, k > 0 ? " " : "");
			strcat(out, at);
		}
		strcat(out, "|");
		for (k = 0; k < c.nsearch; k++) {
			strcat(out, k > 0 ? " " : "");
			strcat(out, c.search[k]);
		}
		snprintf(at, sizeof at, "|%u %u %u", c.ndots, c.timeout_s,
		    c.attempts);
		strcat(out, at);
		T_OK(strcmp(out, confs[i].is) == 0, "%s: %s", confs[i].text,
		    out);
	}
	dns_conf_parse(&c, str_n(NULL, 0));
	T_OK(c.nservers == 1, "NULL");
	dns_conf_parse(&c, str_n("nameserver 1.1.1.1\0", 19));
	dns_text(at, &c.servers[0]);
	T_OK(strcmp(at, "127.0.0.1") == 0, "NUL: %s", at);
}

static const struct {
	const char *conf, *name, *names;
} candidates[] = {
	{ "", "www", "www" },
	{ "", "www.", "www" },
	{ "", "", "" },
	{ "", ".", "" },
	{ "search a.test b.test", "", "" },
	{ "search a.test b.test", ".", "" },
	{ "search a.test b.test", "www", "www.a.test www.b.test www" },
	{ "search a.test b.test", "www.x", "www.x www.x.a.test www.x.b.test" },
	{ "search a.test b.test", "www.", "www" },
	{ "search a.test b.test", "www.x.", "www.x" },
	{ "search a.test\noptions ndots:0", "www", "www www.a.test" },
	{ "search a.test\noptions ndots:2", "x.y", "x.y.a.test x.y" },
	{ "search a.test\noptions ndots:2", "x.y.z", "x.y.z x.y.z.a.test" },
	/* What would be too long is left out, and nothing comes twice. */
	{ "search " NAME253 " b", "www", "www.b www" },
	{ "search b " NAME253 " c", "www", "www.b www.c www" },
	{ "search " NAME253 " b", "w.w", "w.w w.w.b" },
	{ "search a b", NAME253, NAME253 },
	{ "search a b", NAME253 "b", "" },
	{ "search a b", NAME253 ".", NAME253 },
};

static void
check_candidates(void)
{
	static struct dns_conf c;
	char out[2048], at[DNS_NAME_MAX + 2];
	size_t i, n;
	unsigned k;

	for (i = 0; i < N(candidates); i++) {
		dns_conf_parse(&c, str_of(candidates[i].conf));
		out[0] = '\0';
		for (k = 0; k < 10 && (n = dns_candidate(&c,
		    str_of(candidates[i].name), k, at)) > 0; k++) {
			T_OK(n == strlen(at) && n <= DNS_NAME_MAX,
			    "%s: %zu", at, n);
			strcat(out, k > 0 ? " " : "");
			strcat(out, at);
		}
		T_OK(strcmp(out, candidates[i].names) == 0, "%s, %s: %s",
		    candidates[i].conf, candidates[i].name, out);
		T_OK(dns_candidate(&c, str_of(candidates[i].name), 1000,
		    at) == 0, "the 1000th");
	}
}

/* ---- hosts ---- */

#define HOSTS "# of the house\n127.0.0.1\tlocalhost\n" \
	"192.0.2.1 www.a.test www # web\n" \
	"192.0.2.2 mail www\n#192.0.2.3 old\nbad old2\n" \
	"fe80::1%eth0 old3\n" \
	"2001:db8::1   WWW\r\n192.0.2.4 twice twice\n192.0.2.5 last"

static const struct {
	const char *text, *name, *addrs;
} hosts[] = {
	{ HOSTS, "www", "192.0.2.1 192.0.2.2 2001:db8::1" },
	{ HOSTS, "wWw.A.test", "192.0.2.1" },
	{ HOSTS, "www.a.test.", "192.0.2.1" },
	{ HOSTS, "web", "" },
	{ HOSTS, "old", "" },
	{ HOSTS, "old2", "" },
	{ HOSTS, "old3", "" },
	{ HOSTS, "192.0.2.1", "" },
	{ HOSTS, "twice", "192.0.2.4" },
	{ HOSTS, "last", "192.0.2.5" },
	{ HOSTS, "las", "" },
	{ HOSTS, "", "" },
	{ HOSTS, "localhost", "127.0.0.1" },
	{ HOSTS, "x.localhost", "127.0.0.1 ::1" },
	{ "", "localhost", "127.0.0.1 ::1" },
	{ "", "LocalHost.", "127.0.0.1 ::1" },
	{ "", "a.b.LOCALHOST", "127.0.0.1 ::1" },
	{ "", ".localhost", "" },
	{ "", "notlocalhost", "" },
	{ "", "localhost.test", "" },
	{ "", "www", "" },
	{ "192.0.2.9 a.localhost", "a.localhost", "192.0.2.9" },
	{ "1.1.1.1 a\n1.1.1.2 a\n1.1.1.3 a\n1.1.1.4 a\n1.1.1.5 a\n"
	    "1.1.1.6 a\n1.1.1.7 a\n1.1.1.8 a\n1.1.1.9 a\n1.1.1.10 a\n"
	    "1.1.1.11 a\n1.1.1.12 a\n1.1.1.13 a\n1.1.1.14 a\n1.1.1.15 a\n"
	    "1.1.1.16 a\n1.1.1.17 a\n", "a",
	    "1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5 1.1.1.6 1.1.1.7 "
	    "1.1.1.8 1.1.1.9 1.1.1.10 1.1.1.11 1.1.1.12 1.1.1.13 "
	    "1.1.1.14 1.1.1.15 1.1.1.16" },
};

static void
check_hosts(void)
{
	size_t i, n;

	for (i = 0; i < N(hosts); i++) {
		memset(&ans, 0xa5, sizeof ans);
		n = dns_hosts(&ans, str_of(hosts[i].text),
		    str_of(hosts[i].name));
		T_OK(n == ans.n && strcmp(addrs(), hosts[i].addrs) == 0,
		    "%s: %s", hosts[i].name, addrs());
	}
	T_OK(dns_hosts(&ans, str_n(NULL, 0), str_of("www")) == 0, "NULL");
}

/* ---- the cache ---- */

/* Remembers n addresses that end in `last`, for ttl seconds. */
static void
keep(struct dns_cache *c, const char *name, size_t n, unsigned last,
    uint32_t ttl, uint64_t now)
{
	struct dns_answer a;

	memset(&a, 0, sizeof a);
	for (; a.n < n; a.n++) {
		dns_literal(&a.addrs[a.n], str_of("192.0.2.0"));
		a.addrs[a.n].b[3] = (unsigned char)last;
	}
	a.ttl = ttl;
	dns_cache_put(c, str_of(name), &a, now);
}

static int
find(struct dns_cache *c, const char *name, uint64_t now)
{
	memset(&ans, 0xa5, sizeof ans);
	return dns_cache_get(c, str_of(name), &ans, now);
}

static const struct {
	size_t n;
	uint32_t ttl;
	unsigned fresh_s;
} ttls[] = {
	{ 1, 0, 5 }, { 1, 4, 5 }, { 1, 5, 5 }, { 1, 6, 6 }, { 2, 299, 299 },
	{ 1, 300, 300 }, { 1, 301, 300 }, { 1, 0xffffffff, 300 },
	{ 0, 0, 5 }, { 0, 59, 59 }, { 0, 61, 60 }, { 0, 0xffffffff, 60 },
};

static void
check_ttls(void)
{
	struct dns_cache *c = dns_cache_new();
	uint64_t now = 1000000, end;
	int stale;
	size_t i;

	for (i = 0; i < N(ttls); i++, now += 10 * HOUR) {
		keep(c, "www.test", ttls[i].n, (unsigned)i, ttls[i].ttl, now);
		end = now + ttls[i].fresh_s * 1000;
		/* That there is none is not believed when it is stale. */
		stale = ttls[i].n > 0 ? -1 : 0;
		T_OK(find(c, "WWW.test", now) == 1 && ans.n == ttls[i].n,
		    "row %zu: at once", i);
		T_OK(ans.n == 0 || ans.addrs[0].b[3] == i, "row %zu", i);
		T_OK(find(c, "www.test", end - 1) == 1, "row %zu: last", i);
		T_OK(find(c, "www.test", end) == stale, "row %zu: end", i);
		T_OK(find(c, "www.test", end + HOUR - 1) == stale,
		    "row %zu: stale", i);
		T_OK(find(c, "www.test", end + HOUR) == 0, "row %zu: gone", i);
	}
	dns_cache_free(c);
	dns_cache_free(NULL);
}

static void
check_cache(void)
{
	struct dns_cache *c = dns_cache_new();
	unsigned i, left = 0;
	char name[16];

	T_OK(find(c, "www.test", 1) == 0 && find(c, "", 1) == 0, "empty");
	keep(c, "", 1, 1, 60, 1);
	T_OK(find(c, "", 2) == 0, "no name");
	keep(c, NAME253, 1, 1, 60, 1);
	T_OK(find(c, NAME253, 2) == 1, "253");
	keep(c, NAME253 "b", 1, 1, 60, 1);
	T_OK(find(c, NAME253 "b", 2) == 0, "254");
	dns_cache_free(c);

	/* The entry that ends soonest makes room. */
	c = dns_cache_new();
	for (i = 0; i < 256; i++) {
		snprintf(name, sizeof name, "h%u", i);
		keep(c, name, 1, i, i == 77 ? 10 : 100, 1000);
	}
	keep(c, "H3", 1, 200, 100, 1000);	/* takes no second place */
	for (i = 0; i < 256; i++) {
		snprintf(name, sizeof name, "h%u", i);
		left += find(c, name, 1001) == 1;
	}
	T_OK(left == 256, "%u of 256", left);
	T_OK(find(c, "h3", 1001) == 1 && ans.addrs[0].b[3] == 200, "H3");
	keep(c, "new", 1, 1, 50, 1002);
	T_OK(find(c, "h77", 1003) == 0 && find(c, "new", 1003) == 1 &&
	    find(c, "h76", 1003) == 1, "h77 makes room");
	for (i = 0; i < 256; i++) {
		snprintf(name, sizeof name, "k%u", i);
		keep(c, name, 1, i, 300, 2000);
	}
	for (i = left = 0; i < 256; i++) {
		snprintf(name, sizeof name, "k%u", i);
		left += find(c, name, 2001) == 1;
	}
	T_OK(left == 256 && find(c, "h1", 2001) == 0, "%u of 256", left);
	dns_cache_free(c);
}

int
main(void)
{
	check_confs();
	check_candidates();
	check_hosts();
	check_ttls();
	check_cache();
	return t_end();
}
