/*
 * The first byte chooses what the rest is: R a whole reply, r a reply
 * behind a good header and question (type A; q: type AAAA), l a literal
 * address, c a name in the first line and a resolv.conf, h the same and a
 * hosts file.
 */

#include "net/dns.h"

#include <arpa/inet.h>

#include <stdlib.h>
#include <string.h>

#define ASKED "www.example.com"
#define PACKET_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
check_addrs(const struct dns_answer *a, size_t from, int len)
{
	size_t i;

	must(a->n <= DNS_ADDRS_MAX && a->n >= from);
	for (i = from; i < a->n; i++)
		must((len == 0 && a->addrs[i].len == 4) ||
		    a->addrs[i].len == (len == 0 ? 16 : len));
}

/* p in an allocation of its own; twice, and after other addresses. */
static void
check_reply(const unsigned char *p, size_t n, enum dns_type type, uint16_t id)
{
	struct dns_answer a, b;
	unsigned char *own = malloc(n > 0 ? n : 1);
	struct str name = str_of(ASKED);
	enum dns_rc rc;

	must(own != NULL);
	if (n > 0)
		memcpy(own, p, n);
	memset(&a, 0, sizeof a);
	rc = dns_reply(&a, own, n, name, type, id);
	must(rc >= DNS_IGNORE && rc <= DNS_FAIL);
	must((a.n > 0) == (rc == DNS_FOUND));
	must(a.ttl <= 300);
	check_addrs(&a, 0, type == DNS_A ? 4 : 16);
	b = a;
	b.n = 0;
	must(dns_reply(&b, own, n, name, type, id) == rc && b.n == a.n &&
	    memcmp(a.addrs, b.addrs, a.n * sizeof *a.addrs) == 0);
	memset(&b, 0, sizeof b);
	dns_literal(&b.addrs[b.n++], str_of("192.0.2.1"));
	b.ttl = 100;
	must(dns_reply(&b, own, n, name, type, id) == rc && b.ttl <= 100);
	must(b.n == a.n + 1 || (a.n == DNS_ADDRS_MAX && b.n == a.n));
	must(b.addrs[0].b[3] == 1);
	must(dns_reply(&b, own, n, name, type, (uint16_t)(id + 1)) ==
	    DNS_IGNORE);
	free(own);
}

static void
check_body(const uint8_t *data, size_t size, enum dns_type type)
{
	static unsigned char p[PACKET_MAX];
	size_t n = dns_query(p, str_of(ASKED), type, 0x1234) - 11;

	/* flags, then the counts of answers and authorities, then records */
	if (size < 6 || size > PACKET_MAX - n)
		return;
	p[2] = (unsigned char)(data[0] | 0x80);
	p[3] = data[1];
	memcpy(p + 6, data + 2, 4);
	memcpy(p + n, data + 6, size - 6);
	check_reply(p, n + size - 6, type, 0x1234);
}

static void
check_literal(struct str s)
{
	struct dns_addr a, b;
	unsigned char theirs[16];
	char text[64], c[64];
	int ours = dns_literal(&a, s), family;

	if (ours == 0) {
		must(a.len == 4 || a.len == 16);
		dns_text(text, &a);
		must(strlen(text) < 52);
		must(dns_literal(&b, str_of(text)) == 0 && a.len == b.len &&
		    a.scope == b.scope && memcmp(a.b, b.b, a.len) == 0);
		dns_loopback(&a);
	}
	/* The libc is a second opinion. */
	if (s.n >= sizeof c || (s.n > 0 && (memchr(s.p, '%', s.n) != NULL ||
	    memchr(s.p, '\0', s.n) != NULL)))
		return;
	if (s.n > 0)
		memcpy(c, s.p, s.n);
	c[s.n] = '\0';
	family = strchr(c, ':') == NULL ? AF_INET : AF_INET6;
	must((inet_pton(family, c, theirs) == 1) == (ours == 0));
	must(ours == -1 || memcmp(theirs, a.b, a.len) == 0);
}

static void
check_conf(struct str text, struct str name)
{
	static struct dns_conf c;
	unsigned char p[DNS_PACKET_MAX];
	char at[DNS_NAME_MAX + 2];
	unsigned i;
	size_t n;

	dns_conf_parse(&c, text);
	must(c.nservers >= 1 && c.nservers <= DNS_SERVERS_MAX);
	must(c.nsearch <= DNS_SEARCH_MAX && c.ndots <= 15);
	must(c.timeout_s >= 1 && c.timeout_s <= 30);
	must(c.attempts >= 1 && c.attempts <= 5);
	for (i = 0; i < c.nsearch; i++)
		must(dns_query(p, str_of(c.search[i]), DNS_A, 0) > 0);
	for (i = 0; (n = dns_candidate(&c, name, i, at)) > 0; i++) {
		must(i <= c.nsearch && n <= DNS_NAME_MAX && at[n] == '\0');
		/* What can be asked for can be asked for with more. */
		must(dns_query(p, name, DNS_A, 0) == 0 ||
		    dns_query(p, str_n(at, n), DNS_A, 0) > 0);
	}
	must(i > 0 || dns_query(p, name, DNS_A, 0) == 0);
}

static void
check_hosts(struct str text, struct str name)
{
	struct dns_answer a;

	must(dns_hosts(&a, text, name) == a.n);
	check_addrs(&a, 0, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s, name;

	if (size == 0)
		return 0;
	s = str_n((const char *)data + 1, size - 1);
	for (name = str_n(s.p, 0); name.n < s.n && s.p[name.n] != '\n';)
		name.n++;
	switch (data[0]) {
	case 'R':
		check_reply(data + 1, size - 1, DNS_A, (uint16_t)
		    (size < 3 ? 0 : data[1] << 8 | data[2]));
		break;
	case 'r':
		check_body(data + 1, size - 1, DNS_A);
		break;
	case 'q':
		check_body(data + 1, size - 1, DNS_AAAA);
		break;
	case 'l':
		check_literal(s);
		break;
	case 'c':
		check_conf(str_n(s.p + name.n, s.n - name.n), name);
		break;
	case 'h':
		check_hosts(str_n(s.p + name.n, s.n - name.n), name);
		break;
	default:
		break;
	}
	return 0;
}
