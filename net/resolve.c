#include "net/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/socket.h"

#define RESOLVE_FILE_MAX (1u << 20)
#define RESOLVE_FILES_MS 5000		/* how long files are believed */
#define RESOLVE_PORT	53
#define RESOLVE_GRACE_MS 200		/* for the second of two answers */
#define RESOLVE_BURST	32		/* packets read of one event */

/* One of the two questions (A, AAAA) of a query. */
struct ask {
	struct watch watch;
	struct resolve_query *query;
	enum dns_type type;
	uint16_t id;
	unsigned char over;		/* answered */
	enum dns_rc rc;
};

struct resolve_query {
	struct resolver *r;
	char name[DNS_NAME_MAX + 2];	/* as it was asked for */
	char candidate[DNS_NAME_MAX + 2]; /* with a search domain */
	size_t name_n, candidate_n;
	unsigned index;			/* of the candidate */
	unsigned sent;			/* rounds of this candidate */
	struct ask asks[2];
	struct dns_answer v6, v4;
	struct timer timer;
	struct grave grave;
	struct resolve_wait *waits;	/* borrowed */
	int dead;
	int unsure;			/* a candidate had no verdict */
	struct resolve_query *next;
};

struct resolver {
	struct loop *loop;		/* borrowed */
	const char *hosts_path, *conf_path;
	uint16_t port;
	struct buf hosts;
	struct dns_conf conf;
	uint64_t read_at;		/* when the files were read, ms */
	int was_read;
	struct dns_cache *cache;
	struct resolve_query *queries;	/* owned */
};

static void query_send(struct resolve_query *, uint64_t);

/* ---- the two files ---- */

static void
file_read(const char *path, struct buf *out)
{
	unsigned char *p;
	size_t n, room;
	FILE *f;

	buf_clear(out);
	if ((f = fopen(path, "rb")) == NULL)
		return;
	do {
		if ((p = buf_room(out, 1, &room)) == NULL)
			break;
		n = fread(p, 1, room, f);
		buf_added(out, n);
	} while (n > 0);
	fclose(f);
}

static void
files_read(struct resolver *r, uint64_t now)
{
	struct buf conf;

	if (r->was_read && now - r->read_at < RESOLVE_FILES_MS)
		return;
	buf_init(&conf, RESOLVE_FILE_MAX);
	file_read(r->conf_path, &conf);
	dns_conf_parse(&r->conf, buf_str(&conf));
	buf_free(&conf);
	file_read(r->hosts_path, &r->hosts);
	r->read_at = now;
	r->was_read = 1;
}

struct resolver *
resolver_new(struct loop *lp, const char *hosts, const char *resolv_conf,
    uint16_t port)
{
	struct resolver *r;

	if ((r = calloc(1, sizeof *r)) == NULL)
		return NULL;
	if ((r->cache = dns_cache_new()) == NULL) {
		free(r);
		return NULL;
	}
	r->loop = lp;
	r->hosts_path = hosts != NULL ? hosts : "/etc/hosts";
	r->conf_path = resolv_conf != NULL ? resolv_conf :
	    "/etc/resolv.conf";
	r->port = port != 0 ? port : RESOLVE_PORT;
	buf_init(&r->hosts, RESOLVE_FILE_MAX);
	return r;
}

/* ---- the life of a query ---- */

static void
asks_close(struct resolve_query *q)
{
	int i;

	for (i = 0; i < 2; i++) {
		loop_remove(q->r->loop, &q->asks[i].watch);
		sock_close(q->asks[i].watch.fd, 0);
		q->asks[i].watch.fd = -1;
	}
}

static void
query_bury(void *arg)
{
	free(arg);
}

static void
query_close(struct resolve_query *q)
{
	struct resolve_query **at = &q->r->queries;

	if (q->dead)
		return;
	q->dead = 1;
	while (*at != NULL && *at != q)
		at = &(*at)->next;
	if (*at == q)
		*at = q->next;
	asks_close(q);
	timer_clear(q->r->loop, &q->timer);
	loop_bury(q->r->loop, &q->grave, query_bury, q);
}

void
resolver_free(struct resolver *r)
{
	struct resolve_wait *w;

	if (r == NULL)
		return;
	while (r->queries != NULL) {
		/* Nobody is told, and nobody may cancel a query in a grave. */
		for (w = r->queries->waits; w != NULL; w = w->next)
			w->query = NULL;
		query_close(r->queries);
	}
	dns_cache_free(r->cache);
	buf_free(&r->hosts);
	free(r);
}

/* 1 if the host can reach IPv6: connecting UDP sends nothing. */
static int
has_ipv6(void)
{
	struct dns_addr a;
	int fd;

	dns_literal(&a, str_of("2001:db8::1"));
	if ((fd = sock_udp(&a, 9)) == -1)
		return 0;
	sock_close(fd, 0);
	return 1;
}

static void
addrs_append(struct dns_answer *to, const struct dns_answer *from,
    size_t most)
{
	size_t i;

	for (i = 0; i < from->n && to->n < most; i++)
		to->addrs[to->n++] = from->addrs[i];
	if (from->n > 0 && from->ttl < to->ttl)
		to->ttl = from->ttl;
}

/* Tells all who wait, and ends the query. */
static void
query_tell(struct resolve_query *q, const struct dns_answer *ans,
    const char *why, uint64_t now)
{
	struct resolve_wait *w;

	query_close(q);
	while ((w = q->waits) != NULL) {
		q->waits = w->next;
		w->query = NULL;
		w->done(w->arg, ans, why, now);
	}
}

static void
query_found(struct resolve_query *q, uint64_t now)
{
	struct dns_answer ans;
	int v6 = has_ipv6();
	const struct dns_answer *first = v6 ? &q->v6 : &q->v4;
	const struct dns_answer *second = v6 ? &q->v4 : &q->v6;
	size_t half = DNS_ADDRS_MAX / 2;

	memset(&ans, 0, sizeof ans);
	ans.ttl = 0xffffffff;
	/* Many of the one family must not crowd out the other. */
	addrs_append(&ans, first, DNS_ADDRS_MAX -
	    (second->n < half ? second->n : half));
	addrs_append(&ans, second, DNS_ADDRS_MAX);
	dns_cache_put(q->r->cache, str_n(q->name, q->name_n), &ans, now);
	query_tell(q, &ans, "", now);
}

static void
query_failed(struct resolve_query *q, const char *why, int none,
    uint64_t now)
{
	struct str name = str_n(q->name, q->name_n);
	struct dns_answer ans;

	memset(&ans, 0, sizeof ans);
	if (!none && dns_cache_get(q->r->cache, name, &ans, now) != 0 &&
	    ans.n > 0) {
		query_tell(q, &ans, "", now);	/* stale beats nothing */
		return;
	}
	if (none) {
		ans.ttl = q->v4.ttl;
		dns_cache_put(q->r->cache, name, &ans, now);
	}
	ans.n = 0;
	query_tell(q, &ans, why, now);
}

static void
query_mute(struct resolve_query *q, uint64_t now)
{
	query_failed(q, "no answer from the name servers", 0, now);
}

/* The next name of the search list, or the end. */
static void
query_next_name(struct resolve_query *q, uint64_t now)
{
	q->candidate_n = dns_candidate(&q->r->conf, str_n(q->name, q->name_n),
	    ++q->index, q->candidate);
	q->sent = 0;
	if (q->candidate_n > 0)
		query_send(q, now);
	else if (q->unsure)
		query_mute(q, now);
	else
		query_failed(q, "the name does not exist", 1, now);
}

/*
 * One question was answered.  With addresses of one family at hand the
 * other one gets little more time (RFC 8305 3): a server that is silent on
 * AAAA must not cost each request a whole time-out.
 */
static void
query_check(struct resolve_query *q, uint64_t now)
{
	const struct ask *a = &q->asks[0], *b = &q->asks[1];

	if (!a->over || !b->over) {
		if (q->v4.n + q->v6.n > 0 &&
		    q->timer.at > now + RESOLVE_GRACE_MS)
			timer_set(q->r->loop, &q->timer,
			    now + RESOLVE_GRACE_MS);
		return;
	}
	if (q->v4.n + q->v6.n > 0)
		query_found(q, now);
	else if (a->rc == DNS_FAIL || b->rc == DNS_FAIL)
		query_send(q, now);
	else
		query_next_name(q, now);
}

static unsigned
ask_events(void *arg)
{
	const struct ask *a = arg;

	/* What comes twice is not read, and must not wake us. */
	return a->over ? 0 : LOOP_READ;
}

static void
ask_ready(void *arg, unsigned bits, uint64_t now)
{
	struct ask *a = arg;
	struct resolve_query *q = a->query;
	unsigned char p[DNS_PACKET_MAX];
	unsigned burst = RESOLVE_BURST;
	enum dns_rc rc;
	long n;

	(void)bits;
	while (!q->dead && !a->over && burst-- > 0) {
		n = sock_read(a->watch.fd, p, sizeof p);
		if (n == SOCK_AGAIN)
			return;
		if (n == SOCK_EOF)
			continue;		/* an empty packet */
		if (n == SOCK_ERR)
			rc = DNS_FAIL;		/* port unreachable */
		else
			rc = dns_reply(a->type == DNS_A ? &q->v4 : &q->v6, p,
			    (size_t)n, str_n(q->candidate, q->candidate_n),
			    a->type, a->id);
		if (rc == DNS_IGNORE)
			continue;
		a->over = 1;
		a->rc = rc;
		query_check(q, now);
	}
}

static int
ask_send(struct ask *a, const struct dns_addr *server)
{
	struct resolve_query *q = a->query;
	unsigned char p[DNS_PACKET_MAX];
	size_t n;

	if (a->over && a->rc != DNS_FAIL)
		return 0;
	a->over = 0;
	if (sock_random(&a->id, sizeof a->id) == -1)
		return -1;
	n = dns_query(p, str_n(q->candidate, q->candidate_n), a->type,
	    a->id);
	if (n == 0 || (a->watch.fd = sock_udp(server, q->r->port)) == -1)
		return -1;
	if (sock_write(a->watch.fd, p, n) < 0)
		return -1;
	loop_add(q->r->loop, &a->watch);
	return 0;
}

/* Asks the next server; gives up when each was asked often enough. */
static void
query_send(struct resolve_query *q, uint64_t now)
{
	const struct dns_conf *c = &q->r->conf;
	unsigned most = c->nservers * c->attempts;
	const struct dns_addr *s;

	if (q->sent == 0)
		q->asks[0].over = q->asks[1].over = 0;
	for (asks_close(q); q->sent < most; asks_close(q)) {
		s = &c->servers[q->sent++ % c->nservers];
		if (ask_send(&q->asks[0], s) == 0 &&
		    ask_send(&q->asks[1], s) == 0 &&
		    timer_set(q->r->loop, &q->timer, now +
		    (uint64_t)c->timeout_s * 1000 / c->attempts) == 0)
			return;
	}
	if (!q->asks[0].over || !q->asks[1].over) {
		query_mute(q, now);
		return;
	}
	/* They answer, but not on this name: there may be others. */
	q->unsure = 1;
	query_next_name(q, now);
}

static void
query_late(void *arg, uint64_t now)
{
	struct resolve_query *q = arg;

	/* One family is enough when the other stays silent. */
	if (q->v4.n + q->v6.n > 0)
		query_found(q, now);
	else
		query_send(q, now);
}

static struct resolve_query *
query_new(struct resolver *r, struct str name)
{
	struct resolve_query *q;
	int i;

	if ((q = calloc(1, sizeof *q)) == NULL)
		return NULL;
	q->r = r;
	memcpy(q->name, name.p, name.n);
	q->name_n = name.n;
	for (i = 0; i < 2; i++) {
		q->asks[i].query = q;
		q->asks[i].type = i == 0 ? DNS_A : DNS_AAAA;
		q->asks[i].watch.fd = -1;
		q->asks[i].watch.events = ask_events;
		q->asks[i].watch.ready = ask_ready;
		q->asks[i].watch.arg = &q->asks[i];
	}
	q->timer.fire = query_late;
	q->timer.arg = q;
	q->next = r->queries;
	r->queries = q;
	return q;
}

static struct resolve_query *
query_find(struct resolver *r, struct str name)
{
	struct resolve_query *q;

	for (q = r->queries; q != NULL; q = q->next)
		if (str_caseeq(str_n(q->name, q->name_n), name))
			return q;
	return NULL;
}

static void
wait_add(struct resolve_query *q, struct resolve_wait *w)
{
	w->query = q;
	w->next = q->waits;
	q->waits = w;
}

/* The first question of a query goes out in the next turn at the latest. */
static int
query_begin(struct resolver *r, struct resolve_wait *w, struct str name,
    uint64_t now, const char **why)
{
	struct resolve_query *q;

	if ((q = query_new(r, name)) == NULL) {
		*why = "out of memory";
		return -1;
	}
	q->candidate_n = dns_candidate(&r->conf, name, 0, q->candidate);
	/* Nobody is told before we return, so failures wait for a timer. */
	if (timer_set(r->loop, &q->timer, now) == -1) {
		query_close(q);
		*why = "out of memory";
		return -1;
	}
	wait_add(q, w);
	return 0;
}

int
resolve(struct resolver *r, struct resolve_wait *w, struct str name,
    struct dns_answer *ans, const char **why)
{
	uint64_t now = loop_now(r->loop);
	unsigned char probe[DNS_PACKET_MAX];
	struct resolve_query *q;

	memset(ans, 0, sizeof *ans);
	if (dns_literal(&ans->addrs[0], name) == 0) {
		ans->n = 1;
		return 1;
	}
	if (dns_query(probe, name, DNS_A, 0) == 0) {
		*why = "not a name that can be looked up";
		return -1;
	}
	files_read(r, now);
	if (dns_hosts(ans, buf_str(&r->hosts), name) > 0)
		return 1;
	if (dns_cache_get(r->cache, name, ans, now) == 1) {
		*why = "the name does not exist (remembered)";
		return ans->n > 0 ? 1 : -1;
	}
	if ((q = query_find(r, name)) != NULL) {
		wait_add(q, w);
		return 0;
	}
	return query_begin(r, w, name, now, why);
}

void
resolve_cancel(struct resolve_wait *w)
{
	struct resolve_wait **at;

	if (w->query == NULL)
		return;
	for (at = &w->query->waits; *at != NULL && *at != w;
	    at = &(*at)->next)
		;
	if (*at == w)
		*at = w->next;
	w->query = NULL;
}
