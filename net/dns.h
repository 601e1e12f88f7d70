#ifndef NET_DNS_H
#define NET_DNS_H

/*
 * DNS as a stub resolver needs it (RFC 1035, 6891): queries, replies, the
 * texts of resolv.conf and hosts, and a cache.  Pure; net/resolve moves the
 * packets.
 */

#include "base/buf.h"
#include "base/util.h"

#define DNS_NAME_MAX	253
#define DNS_ADDRS_MAX	16	/* kept of one name */
#define DNS_PACKET_MAX	1232	/* EDNS0 size that we offer */
#define DNS_SERVERS_MAX	3
#define DNS_SEARCH_MAX	6

/* An IPv4 or IPv6 address. */
struct dns_addr {
	unsigned char len;		/* 4 or 16 */
	unsigned char b[16];
	uint32_t scope;			/* of fe80::, else 0 */
};

/* Reads a literal address ("::1", "192.0.2.1", "fe80::1%3").  0 or -1. */
int dns_literal(struct dns_addr *a, struct str s);

/* Writes a literal address; at has room for 64 bytes. */
void dns_text(char at[64], const struct dns_addr *a);

/* 1 if the address is loopback (127/8, ::1, ::ffff:127/104). */
int dns_loopback(const struct dns_addr *a);

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };

/*
 * Writes a recursive query with EDNS0 to at (DNS_PACKET_MAX bytes).
 * Returns its length, 0 if the name is no host name.
 */
size_t dns_query(unsigned char *at, struct str name, enum dns_type type,
    uint16_t id);

enum dns_rc {
	DNS_IGNORE = -1,	/* not an answer to that query: keep waiting */
	DNS_FOUND = 0,		/* addresses were added */
	DNS_NODATA,		/* the name is there, without such addresses */
	DNS_NXDOMAIN,
	DNS_FAIL		/* SERVFAIL, REFUSED, FORMERR: ask another */
};

/* Addresses of a name. */
struct dns_answer {
	struct dns_addr addrs[DNS_ADDRS_MAX];
	size_t n;
	uint32_t ttl;		/* smallest seen, seconds */
};

/*
 * Reads a reply to the query of that name, type and id and adds its
 * addresses to ans.  CNAME chains (16 at most) are followed inside the
 * packet; compression loops and everything else malformed: DNS_IGNORE.
 * A truncated reply is used as far as it goes.  Names are compared without
 * case.  An SOA gives NODATA and NXDOMAIN their ttl.
 */
enum dns_rc dns_reply(struct dns_answer *ans, const unsigned char *p,
    size_t n, struct str name, enum dns_type type, uint16_t id);

/* What resolv.conf says; defaults as in resolv.conf(5). */
struct dns_conf {
	struct dns_addr servers[DNS_SERVERS_MAX];
	unsigned nservers;		/* none given: 127.0.0.1 */
	char search[DNS_SEARCH_MAX][DNS_NAME_MAX + 1];
	unsigned nsearch;
	unsigned ndots;			/* 1 */
	unsigned timeout_s;		/* 5; 1-30 */
	unsigned attempts;		/* 2; 1-5 */
};
void dns_conf_parse(struct dns_conf *c, struct str text);

/*
 * The i-th name to ask for when `name` is looked up (search list, ndots; a
 * trailing dot: only itself).  Returns its length in at, 0 when no more.
 */
size_t dns_candidate(const struct dns_conf *c, struct str name, unsigned i,
    char at[DNS_NAME_MAX + 2]);

/*
 * Addresses of name in the text of a hosts file.  Returns how many.
 * "localhost" and names below it are loopback even if the file is silent.
 */
size_t dns_hosts(struct dns_answer *ans, struct str text, struct str name);

/* The cache: 256 names; TTLs clamped to 5..300 s; stale for an hour. */
struct dns_cache;
struct dns_cache *dns_cache_new(void);
void dns_cache_free(struct dns_cache *c);

/* Remembers ans for name; n = 0 remembers that there is none (5 s..60 s). */
void dns_cache_put(struct dns_cache *c, struct str name,
    const struct dns_answer *ans, uint64_t now);

/*
 * 1: found and fresh, copied to ans.  0: nothing.  -1: found, stale (at
 * most an hour): good if the resolver does not answer.
 */
int dns_cache_get(struct dns_cache *c, struct str name,
    struct dns_answer *ans, uint64_t now);

#endif
