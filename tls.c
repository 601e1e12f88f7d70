#include "tls.h"

#include <bearssl.h>
#include <stdlib.h>
#include <string.h>

#include "wire/tls_why.h"

#define PEM_OBJECT_MAX	65536	/* bytes of one decoded certificate or key */
#define CHAIN_MAX	8
#define HOST_MAX	253	/* RFC 1035 2.3.4, in text */
#define SESSION_LIFE_S	(24 * 60 * 60)	/* RFC 5246 F.1.4 */
#define CACHE_BYTES	1600	/* a server's latest 16 sessions */

/* The library counts days from 1 January of the year 0. */
#define DAYS_TO_1970	719528
#define DAY_S		86400
#define LAST_S		253402300799	/* the end of the year 9999 */

struct tls_roots {
	br_x509_trust_anchor *anchors;	/* owned, and each one's dn.data */
	size_t n;
	size_t cap;
	unsigned refs;
};

/* What tls_session.bytes holds. */
struct saved {
	br_ssl_session_parameters p;
	int64_t since;		/* when the server was verified */
};

/* Fails to compile if that does not fit. */
enum {
	SAVED_FITS = 1 / (sizeof(struct saved) <=
	    sizeof(((struct tls_session *)NULL)->bytes))
};

struct server {
	br_x509_certificate chain[CHAIN_MAX];	/* data is owned */
	size_t n;
	unsigned issuer_type;
	br_skey_decoder_context key;
	br_ssl_session_cache_lru cache;
	unsigned char store[CACHE_BYTES];
};

struct tls {
	br_ssl_engine_context *eng;	/* within u */
	union {
		br_ssl_client_context client;
		br_ssl_server_context server;
	} u;
	br_x509_minimal_context *x509;	/* owned; NULL after the handshake */
	struct tls_roots *roots;	/* counted; NULL after the handshake */
	struct tls_session *session;	/* borrowed, or NULL */
	struct server *server;		/* owned; NULL in a client */
	const char *refused;		/* why it never began, or NULL */
	const char *suite;		/* set when the handshake is over */
	int64_t verified;		/* when the server is, or was */
	int64_t now;			/* when the engine was made */
	unsigned char offered[32];	/* the id of the offered session */
	size_t offered_n;
	unsigned opened:1;
	unsigned closing:1;
	unsigned resumed:1;
	unsigned char in[BR_SSL_BUFSIZE_INPUT];
	unsigned char out[BR_SSL_BUFSIZE_OUTPUT];
};

/*
 * Two orders in one: from the third on for a processor with AES
 * instructions, the first six for any other.
 */
#define SUITES_N 6
static const uint16_t suites[] = {
	BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
};

static const char *const suite_names[] = {
	"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
	"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
};

/* The library's setter takes no pointer to const. */
static const char *alpn[] = { "http/1.1" };

/* --- why an engine failed --- */

struct reason {
	int code;
	const char *text;
};

static const struct reason reasons[] = {
#define X(code, text) { code, text },
	TLS_REASONS(X)
#undef X
};

static const struct reason alerts_received[] = {
	{ 40, "the peer refused with TLS alert handshake_failure: it shares "
	    "no cipher suite or curve with this build, or wants a client "
	    "certificate" },
	{ 70, "server requires TLS 1.3, which this build does not speak "
	    "(alert protocol_version)" },
#define X(n, name, text) { n, "the peer sent TLS alert " name ": " text },
	TLS_ALERTS(X)
#undef X
};

static const struct reason alerts_sent[] = {
	{ 40, "TLS ended with our alert handshake_failure: there is no "
	    "cipher suite or curve that both sides accept" },
	{ 70, "TLS ended with our alert protocol_version: the peer does not "
	    "speak TLS 1.2" },
#define X(n, name, text) { n, "TLS ended with our alert " name ": " text },
	TLS_ALERTS(X)
#undef X
};

static const char *
reason_find(const struct reason *list, size_t n, int code, const char *other)
{
	while (n-- > 0)
		if (list[n].code == code)
			return list[n].text;
	return other;
}

#define REASON(list, code, other) \
	reason_find(list, sizeof list / sizeof list[0], code, other)

static const char *
reason_text(int code)
{
	if (code >= BR_ERR_SEND_FATAL_ALERT)
		return REASON(alerts_sent, code - BR_ERR_SEND_FATAL_ALERT,
		    "TLS ended with our alert of an unregistered number");
	if (code >= BR_ERR_RECV_FATAL_ALERT)
		return REASON(alerts_received, code - BR_ERR_RECV_FATAL_ALERT,
		    "the peer sent a TLS alert with an unregistered number");
	return REASON(reasons, code,
	    "TLS failed for a reason that this build has no words for");
}

/* --- PEM --- */

/* What happens to the objects of a PEM text. */
struct pem_user {
	int (*begin)(void *arg, const char *name);	/* 1: wants the bytes */
	void (*bytes)(void *arg, const void *p, size_t n);
	int (*end)(void *arg, int whole);	/* of a wanted one; -1: stop */
};

struct pem_walk {
	br_pem_decoder_context dec;
	const struct pem_user *user;
	void *arg;
	unsigned wanted:1;	/* within an object that is */
};

static int
pem_event(struct pem_walk *w, int event)
{
	int rc = 0;

	if (event == BR_PEM_BEGIN_OBJ) {
		w->wanted = w->user->begin(w->arg,
		    br_pem_decoder_name(&w->dec)) ? 1 : 0;
		br_pem_decoder_setdest(&w->dec,
		    w->wanted ? w->user->bytes : NULL, w->arg);
		return 0;
	}
	if (event == 0)
		return 0;
	if (w->wanted)
		rc = w->user->end(w->arg, event == BR_PEM_END_OBJ);
	w->wanted = 0;
	if (event == BR_PEM_ERROR)
		br_pem_decoder_init(&w->dec);
	return rc;
}

static int
pem_push(struct pem_walk *w, const char *p, size_t n)
{
	size_t used;

	while (n > 0) {
		used = br_pem_decoder_push(&w->dec, p, n);
		p += used;
		n -= used;
		if (pem_event(w, br_pem_decoder_event(&w->dec)) == -1)
			return -1;
	}
	return 0;
}

/* Returns 0, or -1 as soon as end() did. */
static int
pem_read(struct str text, const struct pem_user *user, void *arg)
{
	struct pem_walk w;
	size_t i = 0, from;

	memset(&w, 0, sizeof w);
	br_pem_decoder_init(&w.dec);
	w.user = user;
	w.arg = arg;
	while (i < text.n) {
		/* With a CR in it the name of an object comes out wrong. */
		for (from = i; i < text.n && text.p[i] != '\r'; i++)
			;
		if (pem_push(&w, text.p + from, i - from) == -1)
			return -1;
		i++;
	}
	if (pem_push(&w, "\n", 1) == -1)
		return -1;
	return w.wanted ? user->end(arg, 0) : 0;
}

static int
pem_is_certificate(const char *name)
{
	return strcmp(name, "CERTIFICATE") == 0 ||
	    strcmp(name, "X509 CERTIFICATE") == 0;
}

/* --- trust anchors --- */

struct roots_reader {
	struct tls_roots *roots;
	br_x509_decoder_context x509;
	struct buf dn;
	unsigned found;
	unsigned skipped;
	unsigned dn_long:1;
};

static void
roots_dn(void *arg, const void *p, size_t n)
{
	struct roots_reader *r = arg;

	if (n > r->dn.max - r->dn.len)
		r->dn_long = 1;
	else
		buf_add(&r->dn, p, n);
}

static int
roots_begin(void *arg, const char *name)
{
	struct roots_reader *r = arg;

	if (!pem_is_certificate(name))
		return 0;
	buf_clear(&r->dn);
	r->dn_long = 0;
	br_x509_decoder_init(&r->x509, roots_dn, r);
	return 1;
}

static void
roots_bytes(void *arg, const void *p, size_t n)
{
	struct roots_reader *r = arg;

	br_x509_decoder_push(&r->x509, p, n);
}

static int
roots_grow(struct tls_roots *roots)
{
	br_x509_trust_anchor *a;
	size_t cap = roots->cap == 0 ? 16 : 2 * roots->cap;

	if (roots->n < roots->cap)
		return 0;
	if ((a = realloc(roots->anchors, cap * sizeof *a)) == NULL)
		return -1;
	roots->anchors = a;
	roots->cap = cap;
	return 0;
}

static unsigned char *
put(unsigned char *to, const void *p, size_t n)
{
	if (n > 0)
		memcpy(to, p, n);
	return to + n;
}

/* The name and the key go into one allocation, the name first. */
static int
roots_add(struct tls_roots *roots, struct str dn, const br_x509_pkey *key,
    int is_ca)
{
	int rsa = key->key_type == BR_KEYTYPE_RSA;
	size_t n1 = rsa ? key->key.rsa.nlen : key->key.ec.qlen;
	size_t n2 = rsa ? key->key.rsa.elen : 0;
	br_x509_trust_anchor *a;
	unsigned char *p;

	if (roots_grow(roots) == -1 || (p = malloc(dn.n + n1 + n2)) == NULL)
		return -1;
	a = &roots->anchors[roots->n++];
	a->flags = is_ca ? BR_X509_TA_CA : 0;
	a->pkey = *key;
	a->dn.data = p;
	a->dn.len = dn.n;
	p = put(p, dn.p, dn.n);
	if (rsa) {
		a->pkey.key.rsa.n = p;
		p = put(p, key->key.rsa.n, n1);
		a->pkey.key.rsa.e = p;
		put(p, key->key.rsa.e, n2);
	} else {
		a->pkey.key.ec.q = p;
		put(p, key->key.ec.q, n1);
	}
	return 0;
}

static int
roots_end(void *arg, int whole)
{
	struct roots_reader *r = arg;
	const br_x509_pkey *key;

	if (r->dn.bad)
		return -1;
	key = br_x509_decoder_get_pkey(&r->x509);
	if (!whole || r->dn_long || key == NULL) {
		r->skipped++;
		return 0;
	}
	r->found++;
	return roots_add(r->roots, buf_str(&r->dn), key,
	    br_x509_decoder_isCA(&r->x509));
}

static const struct pem_user roots_user = {
	roots_begin, roots_bytes, roots_end
};

struct tls_roots *
tls_roots_new(struct str pem, unsigned *found, unsigned *skipped)
{
	struct roots_reader r;
	int rc;

	memset(&r, 0, sizeof r);
	*found = *skipped = 0;
	if ((r.roots = calloc(1, sizeof *r.roots)) == NULL)
		return NULL;
	r.roots->refs = 1;
	buf_init(&r.dn, PEM_OBJECT_MAX);
	rc = pem_read(pem, &roots_user, &r);
	buf_free(&r.dn);
	*found = r.found;
	*skipped = r.skipped;
	if (rc == -1 || r.found == 0) {
		tls_roots_free(r.roots);
		return NULL;
	}
	return r.roots;
}

struct tls_roots *
tls_roots_ref(struct tls_roots *r)
{
	if (r != NULL)
		r->refs++;
	return r;
}

void
tls_roots_free(struct tls_roots *r)
{
	size_t i;

	if (r == NULL || --r->refs > 0)
		return;
	for (i = 0; i < r->n; i++)
		free(r->anchors[i].dn.data);
	free(r->anchors);
	free(r);
}

/* --- sessions --- */

void
tls_session_forget(struct tls_session *s)
{
	util_wipe(s, sizeof *s);
}

void
tls_session_detach(struct tls *t)
{
	t->session = NULL;
}

/* Returns 1 if there is one that may be resumed; the engine then has it. */
static int
session_offer(struct tls *t)
{
	struct saved s;
	int good;

	if (t->session == NULL || !t->session->valid)
		return 0;
	memcpy(&s, t->session->bytes, sizeof s);
	good = s.since <= t->now && t->now - s.since < SESSION_LIFE_S;
	if (good) {
		br_ssl_engine_set_session_parameters(t->eng, &s.p);
		t->offered_n = s.p.session_id_len;
		memcpy(t->offered, s.p.session_id, sizeof t->offered);
		t->verified = s.since;
	} else
		tls_session_forget(t->session);
	util_wipe(&s, sizeof s);
	return good;
}

/* After the handshake: what was negotiated, and a session for next time. */
static void
session_settle(struct tls *t)
{
	struct saved s;
	size_t i;

	memset(&s, 0, sizeof s);
	br_ssl_engine_get_session_parameters(t->eng, &s.p);
	for (i = 0; i < SUITES_N; i++)
		if (suites[i] == s.p.cipher_suite)
			t->suite = suite_names[i];
	t->resumed = t->offered_n > 0 && t->offered_n == s.p.session_id_len &&
	    memcmp(t->offered, s.p.session_id, t->offered_n) == 0;
	if (!t->resumed)
		t->verified = t->now;
	if (t->session != NULL) {
		tls_session_forget(t->session);
		if (s.p.session_id_len > 0) {
			s.since = t->verified;
			memcpy(t->session->bytes, &s, sizeof s);
			t->session->valid = 1;
		}
	}
	util_wipe(&s, sizeof s);
}

/* --- the engine --- */

/*
 * What only the handshake needed.  There is never a second one, because
 * renegotiation is off.
 */
static void
handshake_free(struct tls *t)
{
	if (t->x509 != NULL) {
		br_ssl_engine_set_x509(t->eng, NULL);
		util_wipe(t->x509, sizeof *t->x509);
		free(t->x509);
		t->x509 = NULL;
	}
	tls_roots_free(t->roots);
	t->roots = NULL;
}

/* After every step that may have ended the handshake or the engine. */
static void
settle(struct tls *t)
{
	unsigned s = br_ssl_engine_current_state(t->eng);

	if (!t->opened && (s & (BR_SSL_SENDAPP | BR_SSL_RECVAPP)) != 0) {
		t->opened = 1;
		session_settle(t);
		handshake_free(t);
	}
	if (t->session != NULL && tls_state(t) == TLS_FAILED)
		tls_session_forget(t->session);
}

static void
engine_setup(struct tls *t)
{
	int aes = br_aes_x86ni_ctr_get_vtable() != NULL ||
	    br_aes_pwr8_ctr_get_vtable() != NULL;

	br_ssl_engine_set_suites(t->eng, suites + (aes ? 2 : 0), SUITES_N);
	br_ssl_engine_set_versions(t->eng, BR_TLS12, BR_TLS12);
	br_ssl_engine_set_hash(t->eng, br_md5_ID, NULL);
	br_ssl_engine_set_hash(t->eng, br_sha1_ID, NULL);
	br_ssl_engine_set_protocol_names(t->eng, alpn, 1);
	br_ssl_engine_add_flags(t->eng,
	    BR_OPT_NO_RENEGOTIATION | BR_OPT_FAIL_ON_ALPN_MISMATCH);
	br_ssl_engine_set_buffers_bidi(t->eng, t->in, sizeof t->in,
	    t->out, sizeof t->out);
}

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
is_host_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

/*
 * A name that is no DNS name cannot be verified.  The library would compare
 * the text of an address with the names in the certificate, and send it as
 * SNI, which RFC 6066 forbids.  Returns why, or NULL.
 */
static const char *
host_fault(struct str host)
{
	size_t i, label = 0;
	int digits = 1;

	if (host.n > HOST_MAX)
		return "the host name is too long for a DNS name";
	for (i = 0; i < host.n; i++) {
		if (host.p[i] == ':')
			return "an IP address cannot be verified; "
			    "the server's DNS name is needed";
		if (host.p[i] == '.' && i > label) {
			label = i + 1;
			digits = 1;
		} else if (!is_host_char(host.p[i]))
			return "the host name is not a DNS name";
		else if (!is_digit(host.p[i]))
			digits = 0;
	}
	if (i == label)
		return "the host name is not a DNS name";
	return digits ? "an IP address cannot be verified; "
	    "the server's DNS name is needed" : NULL;
}

static void
client_time(struct tls *t, int64_t unix_s)
{
	/* Both zero would make the library read the clock. */
	if (unix_s < 0)
		unix_s = 0;
	if (unix_s > LAST_S)
		unix_s = LAST_S;
	br_x509_minimal_set_time(t->x509,
	    (uint32_t)(unix_s / DAY_S + DAYS_TO_1970),
	    (uint32_t)(unix_s % DAY_S));
}

struct tls *
tls_client(struct tls_roots *roots, struct str host,
    const unsigned char seed[32], int64_t unix_s, struct tls_session *session)
{
	br_ssl_client_context *cc;
	char name[HOST_MAX + 1];
	struct tls *t;

	if ((t = calloc(1, sizeof *t)) == NULL)
		goto err0;
	if ((t->x509 = calloc(1, sizeof *t->x509)) == NULL)
		goto err1;
	cc = &t->u.client;
	t->eng = &cc->eng;
	t->suite = "";
	t->now = unix_s;
	if (host.n > 0 && host.p[host.n - 1] == '.')
		host.n--;
	if ((t->refused = host_fault(host)) != NULL)
		return t;
	memcpy(name, host.p, host.n);
	name[host.n] = '\0';
	t->roots = tls_roots_ref(roots);
	t->session = session;
	br_ssl_client_init_full(cc, t->x509,
	    roots == NULL ? NULL : roots->anchors,
	    roots == NULL ? 0 : roots->n);
	br_x509_minimal_set_hash(t->x509, br_md5_ID, NULL);
	br_x509_minimal_set_hash(t->x509, br_sha1_ID, NULL);
	client_time(t, unix_s);
	engine_setup(t);
	br_ssl_engine_inject_entropy(t->eng, seed, 32);
	br_ssl_client_reset(cc, name, session_offer(t));
	settle(t);
	return t;
err1:	free(t);
err0:	return NULL;
}

/* --- the server --- */

struct server_reader {
	struct server *s;
	struct buf der;
	unsigned is_key:1;	/* the object that is read */
};

static int
server_begin(void *arg, const char *name)
{
	struct server_reader *r = arg;

	buf_clear(&r->der);
	r->is_key = strcmp(name, "PRIVATE KEY") == 0 ||
	    strcmp(name, "EC PRIVATE KEY") == 0;
	return r->is_key || pem_is_certificate(name);
}

static void
server_bytes(void *arg, const void *p, size_t n)
{
	struct server_reader *r = arg;

	if (r->is_key)
		br_skey_decoder_push(&r->s->key, p, n);
	else
		buf_add(&r->der, p, n);
}

static int
server_end(void *arg, int whole)
{
	struct server_reader *r = arg;
	struct str der = buf_str(&r->der);
	br_x509_decoder_context dec;
	br_x509_certificate *c;

	if (r->is_key)
		return whole ? 0 : -1;
	if (!whole || r->der.bad || r->s->n == CHAIN_MAX)
		return -1;
	if (r->s->n == 0) {
		br_x509_decoder_init(&dec, NULL, NULL);
		br_x509_decoder_push(&dec, der.p, der.n);
		if (br_x509_decoder_get_pkey(&dec) == NULL)
			return -1;
		r->s->issuer_type =
		    (unsigned)br_x509_decoder_get_signer_key_type(&dec);
	}
	c = &r->s->chain[r->s->n];
	if ((c->data = malloc(der.n + 1)) == NULL)
		return -1;
	put(c->data, der.p, der.n);
	c->data_len = der.n;
	r->s->n++;
	return 0;
}

static const struct pem_user server_user = {
	server_begin, server_bytes, server_end
};

static void
server_free(struct server *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++)
		free(s->chain[i].data);
	util_wipe(s, sizeof *s);
	free(s);
}

static struct server *
server_new(struct str chain_pem, struct str key_pem)
{
	struct server_reader r;
	int rc;

	memset(&r, 0, sizeof r);
	if ((r.s = calloc(1, sizeof *r.s)) == NULL)
		return NULL;
	buf_init(&r.der, PEM_OBJECT_MAX);
	br_skey_decoder_init(&r.s->key);
	br_ssl_session_cache_lru_init(&r.s->cache, r.s->store,
	    sizeof r.s->store);
	rc = pem_read(chain_pem, &server_user, &r);
	if (rc == 0)
		rc = pem_read(key_pem, &server_user, &r);
	buf_free(&r.der);
	if (rc == -1 || r.s->n == 0 ||
	    br_skey_decoder_get_ec(&r.s->key) == NULL) {
		server_free(r.s);
		return NULL;
	}
	return r.s;
}

struct tls *
tls_server(struct str chain_pem, struct str key_pem,
    const unsigned char seed[32])
{
	struct tls *t;

	if ((t = calloc(1, sizeof *t)) == NULL)
		goto err0;
	if ((t->server = server_new(chain_pem, key_pem)) == NULL)
		goto err1;
	t->eng = &t->u.server.eng;
	tls_server_again(t, seed);
	return t;
err1:	free(t);
err0:	return NULL;
}

void
tls_server_again(struct tls *t, const unsigned char seed[32])
{
	br_ssl_server_context *sc = &t->u.server;
	struct server *s = t->server;

	br_ssl_server_init_full_ec(sc, s->chain, s->n, s->issuer_type,
	    br_skey_decoder_get_ec(&s->key));
	br_ssl_server_set_cache(sc, &s->cache.vtable);
	engine_setup(t);
	br_ssl_engine_add_flags(t->eng, BR_OPT_ENFORCE_SERVER_PREFERENCES);
	br_ssl_engine_inject_entropy(t->eng, seed, 32);
	t->suite = "";
	t->opened = t->closing = 0;
	br_ssl_server_reset(sc);
}

/* --- the life of an engine --- */

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	/* A server that hangs on a session must not be offered it again. */
	if (t->session != NULL && t->offered_n > 0 && !t->opened)
		tls_session_forget(t->session);
	handshake_free(t);
	server_free(t->server);
	util_wipe(t, sizeof *t);
	free(t);
}

/*
 * The library has no question for "did the peer say close_notify": its
 * closed state comes only when our answer has been sent, and a peer may be
 * gone by then.  This field is set by close_notify alone.
 */
static int
peer_closed(const struct tls *t)
{
	return t->eng->shutdown_recv ||
	    br_ssl_engine_current_state(t->eng) == BR_SSL_CLOSED;
}

enum tls_state
tls_state(const struct tls *t)
{
	if (t->refused != NULL || br_ssl_engine_last_error(t->eng) != 0)
		return TLS_FAILED;
	if (t->closing)
		return TLS_CLOSED;
	if (peer_closed(t))
		return t->opened ? TLS_CLOSED : TLS_FAILED;
	return t->opened ? TLS_OPEN : TLS_HANDSHAKE;
}

const unsigned char *
tls_out(struct tls *t, size_t *n)
{
	return br_ssl_engine_sendrec_buf(t->eng, n);
}

void
tls_out_done(struct tls *t, size_t n)
{
	br_ssl_engine_sendrec_ack(t->eng, n);
	settle(t);
}

unsigned char *
tls_in(struct tls *t, size_t *n)
{
	*n = 0;
	return t->closing ? NULL : br_ssl_engine_recvrec_buf(t->eng, n);
}

void
tls_in_done(struct tls *t, size_t n)
{
	if (n == 0)
		return;
	br_ssl_engine_recvrec_ack(t->eng, n);
	settle(t);
}

int
tls_wants_in(const struct tls *t)
{
	return !t->closing &&
	    (br_ssl_engine_current_state(t->eng) & BR_SSL_RECVREC) != 0;
}

const unsigned char *
tls_read(struct tls *t, size_t *n)
{
	return br_ssl_engine_recvapp_buf(t->eng, n);
}

void
tls_read_done(struct tls *t, size_t n)
{
	br_ssl_engine_recvapp_ack(t->eng, n);
}

size_t
tls_write(struct tls *t, const void *p, size_t n)
{
	const unsigned char *from = p;
	unsigned char *to;
	size_t done = 0, room;

	while (done < n &&
	    (to = br_ssl_engine_sendapp_buf(t->eng, &room)) != NULL) {
		if (room > n - done)
			room = n - done;
		memcpy(to, from + done, room);
		br_ssl_engine_sendapp_ack(t->eng, room);
		done += room;
	}
	return done;
}

void
tls_flush(struct tls *t)
{
	br_ssl_engine_flush(t->eng, 0);
}

void
tls_close(struct tls *t)
{
	if (t->closing || t->refused != NULL)
		return;
	br_ssl_engine_close(t->eng);
	t->closing = 1;
}

const char *
tls_why(const struct tls *t)
{
	int code = br_ssl_engine_last_error(t->eng);

	if (t->refused != NULL)
		return t->refused;
	if (code != 0)
		return reason_text(code);
	return tls_state(t) == TLS_FAILED ?
	    "the peer closed the connection within the TLS handshake" : "";
}

const char *
tls_suite(const struct tls *t)
{
	return t->suite;
}

int
tls_resumed(const struct tls *t)
{
	return t->resumed;
}
