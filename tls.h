#ifndef TLS_H
#define TLS_H

/*
 * TLS 1.2 over BearSSL, the only file that knows it.  An engine takes and
 * gives bytes and owns no socket: whoever holds it moves records between
 * the engine and a transport (net/link does).  Clients verify the chain
 * against trust anchors, the host name and the dates.  The server side is
 * as much as the tests need.
 */

#include "base/buf.h"
#include "base/util.h"

/* Trust anchors, decoded once and shared by many engines.  Counted. */
struct tls_roots;

/*
 * Decodes every certificate in a PEM text (CRLF is fine).  One that cannot
 * be decoded (damaged, or a key that no handshake here could use: Ed25519,
 * RSA above 4096 bits) is skipped and counted; other objects are passed
 * over.  One that is no CA is trusted as the server's own certificate only.
 * Returns NULL if no anchor was found, then *found is 0, or if memory ran
 * out; *found and *skipped are set either way.
 */
struct tls_roots *tls_roots_new(struct str pem, unsigned *found,
    unsigned *skipped);

/* One more reference; returns r.  NULL is fine for both. */
struct tls_roots *tls_roots_ref(struct tls_roots *r);
void tls_roots_free(struct tls_roots *r);	/* drops one reference */

/*
 * A session to resume (RFC 5246 7.3); a plain value that starts as zeros
 * and holds a secret: forget wipes it.  It vouches for a server that was
 * verified before, so it belongs to one host, port and set of roots, and is
 * offered for 24 hours after that verification (RFC 5246 F.1.4).
 */
struct tls_session {
	unsigned char bytes[96];
	unsigned valid:1;
};
void tls_session_forget(struct tls_session *s);

/* One engine: about 37 KB, and 3 KB more until the handshake is over. */
struct tls;

/*
 * A client engine that will insist on `host`: a DNS name of at most 253
 * characters (RFC 1035; letters, digits, '-', '_'), whose trailing dot is
 * dropped.  It goes out as SNI (RFC 6066 3).  Anything else, an IP literal
 * too, makes an engine that has failed with a sentence before its first
 * byte.  roots is referenced until the handshake is over; NULL trusts
 * nobody.  seed: 32 bytes of the system's randomness.  unix_s: the wall
 * clock, for the dates.  session: resumed if valid; replaced when the
 * handshake is over, forgotten if the engine fails, or is freed in a
 * handshake that had offered it; may be NULL; borrowed, must outlive the
 * engine or be unset with tls_session_detach().
 * TLS 1.2 only; ECDHE with AES-GCM or ChaCha20-Poly1305 only, what this
 * processor is fast at first; signatures with SHA-2 only; ALPN http/1.1
 * (RFC 7301; a server may leave it unanswered, another answer fails); no
 * renegotiation.  NULL when out of memory.
 */
struct tls *tls_client(struct tls_roots *roots, struct str host,
    const unsigned char seed[32], int64_t unix_s,
    struct tls_session *session);

/* The engine no longer knows the session that it was given. */
void tls_session_detach(struct tls *t);

/*
 * A server engine with a PEM chain (leaf first, at most 8) and an EC key
 * (PKCS#8 or SEC1), for tests.  It remembers its latest sessions.  NULL if
 * they cannot be read or memory ran out.
 */
struct tls *tls_server(struct str chain_pem, struct str key_pem,
    const unsigned char seed[32]);

/* Readies a server engine for another connection; sessions are kept. */
void tls_server_again(struct tls *t, const unsigned char seed[32]);

/* Wipes and frees; NULL is fine. */
void tls_free(struct tls *t);

enum tls_state {
	TLS_HANDSHAKE,	/* no application data yet */
	TLS_OPEN,
	TLS_CLOSED,	/* the peer said close_notify, or we did: clean */
	TLS_FAILED	/* tls_why() tells */
};

/*
 * The end of the transport changes nothing here: a state that is not
 * TLS_CLOSED then means that the stream was cut (RFC 5246 7.2.1).  A
 * close_notify within the handshake is a failure.  Records may wait in
 * tls_out() in every state.
 */
enum tls_state tls_state(const struct tls *t);

/* Records for the transport: *n bytes at the result; NULL: none now. */
const unsigned char *tls_out(struct tls *t, size_t *n);
void tls_out_done(struct tls *t, size_t n);	/* the first n were sent */

/*
 * Room for record bytes from the transport; NULL: none is wanted now,
 * because plaintext waits, or ever.
 */
unsigned char *tls_in(struct tls *t, size_t *n);
void tls_in_done(struct tls *t, size_t n);	/* n bytes were put there */

/* 1 if the engine wants record bytes (no plaintext waits in it). */
int tls_wants_in(const struct tls *t);

/* Plaintext that arrived: *n bytes at the result; NULL: none. */
const unsigned char *tls_read(struct tls *t, size_t *n);
void tls_read_done(struct tls *t, size_t n);	/* the first n were used */

/*
 * Takes up to n bytes of plaintext to be sent; returns how many (0: the
 * engine is full, or not open).  Call tls_flush() when done.
 */
size_t tls_write(struct tls *t, const void *p, size_t n);

/* Makes a record of what was written; tls_out() then has it. */
void tls_flush(struct tls *t);

/*
 * Starts a clean close: afterwards only tls_out() matters.  What was
 * written goes out before it, what was not yet read is lost.
 */
void tls_close(struct tls *t);

/*
 * Why it failed, as a sentence for the log ("the certificate has expired or
 * is not yet valid; is the clock right?"), without a full stop; "" if it
 * did not.  Static text.
 */
const char *tls_why(const struct tls *t);

/* The negotiated suite's name, "" before the end of the handshake. */
const char *tls_suite(const struct tls *t);

/* 1 if the session that a client offered was resumed. */
int tls_resumed(const struct tls *t);

#endif
