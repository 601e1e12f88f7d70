#include "net/link.h"

#include <errno.h>
#include <string.h>

#include "net/socket.h"

#define LINK_READ 16384		/* room asked for by one read */

void
link_open(struct link *l, int fd, size_t out_max)
{
	memset(l, 0, sizeof *l);
	l->fd = fd;
	buf_init(&l->out, out_max);
}

void
link_tls(struct link *l, struct tls *t)
{
	l->tls = t;
}

void
link_close(struct link *l, int rst)
{
	tls_free(l->tls);
	l->tls = NULL;
	buf_free(&l->out);
	sock_close(l->fd, rst);
	l->fd = -1;
}

static int
link_fail(struct link *l, int err)
{
	if (l->error == 0)
		l->error = err;
	l->failed = 1;
	return -1;
}

static int
link_fail_out(struct link *l, int err)
{
	if (l->error == 0)
		l->error = err;
	l->out_failed = 1;
	return -1;
}

/* Sends the records that the engine has ready.  0 or -1. */
static int
records_out(struct link *l)
{
	const unsigned char *p;
	size_t n;
	long r;

	if (l->out_failed)
		return -1;
	while ((p = tls_out(l->tls, &n)) != NULL) {
		r = sock_write(l->fd, p, n);
		if (r == SOCK_AGAIN)
			return 0;
		if (r == SOCK_ERR)
			return link_fail_out(l, errno);
		tls_out_done(l->tls, (size_t)r);
	}
	return 0;
}

/* Gives the engine what the socket has.  1: something came. */
static int
records_in(struct link *l)
{
	unsigned char *p;
	size_t n;
	long r;

	if (l->eof || l->failed || (p = tls_in(l->tls, &n)) == NULL)
		return 0;
	r = sock_read(l->fd, p, n);
	if (r == SOCK_EOF) {
		l->eof = 1;
		l->cut = tls_state(l->tls) != TLS_CLOSED;
	} else if (r == SOCK_ERR)
		link_fail(l, errno);
	if (r <= 0)
		return 0;
	tls_in_done(l->tls, (size_t)r);
	return 1;
}

int
link_ready(const struct link *l)
{
	return l->tls == NULL || tls_state(l->tls) == TLS_OPEN;
}

int
link_handshake(struct link *l)
{
	int rc;

	if (l->tls == NULL)
		return 0;
	/* A peer that takes nothing more may have said why: an alert. */
	do {
		rc = records_out(l);
		if (tls_state(l->tls) == TLS_OPEN)
			return rc;
	} while (records_in(l));
	if (tls_state(l->tls) != TLS_HANDSHAKE || l->eof)
		return link_fail(l, ECONNRESET);
	return l->failed ? -1 : rc;
}

/* How much a read may bring now. */
static size_t
read_room(const struct buf *dst, size_t max)
{
	size_t room = dst->bad ? 0 : dst->max - dst->len;

	return room < max ? room : max;
}

static size_t
read_plain(struct link *l, struct buf *dst, size_t max)
{
	unsigned char *p;
	size_t room, want, got = 0;
	long r;

	while (got < max) {
		want = max - got < LINK_READ ? max - got : LINK_READ;
		if ((p = buf_room(dst, want, &room)) == NULL) {
			link_fail(l, ENOBUFS);
			break;
		}
		if (room > max - got)
			room = max - got;
		r = sock_read(l->fd, p, room);
		if (r == SOCK_EOF)
			l->eof = 1;
		else if (r == SOCK_ERR)
			link_fail(l, errno);
		if (r <= 0)
			break;
		buf_added(dst, (size_t)r);
		got += (size_t)r;
		/* A short read has emptied the socket. */
		if ((size_t)r < room)
			break;
	}
	return got;
}

static size_t
read_tls(struct link *l, struct buf *dst, size_t max)
{
	const unsigned char *p;
	size_t n, got = 0;

	while (got < max) {
		if ((p = tls_read(l->tls, &n)) != NULL) {
			if (n > max - got)
				n = max - got;
			if (buf_add(dst, p, n) == -1) {
				link_fail(l, ENOBUFS);
				break;
			}
			tls_read_done(l->tls, n);
			got += n;
			continue;
		}
		if (tls_state(l->tls) == TLS_CLOSED) {
			l->eof = 1;
			break;
		}
		if (!records_in(l))
			break;
	}
	if (tls_state(l->tls) == TLS_FAILED)
		link_fail(l, EPROTO);
	records_out(l);		/* alerts, answers to a close */
	return got;
}

size_t
link_read(struct link *l, struct buf *dst, size_t max)
{
	if (l->failed || (l->eof && l->tls == NULL) || max == 0)
		return 0;
	if ((max = read_room(dst, max)) == 0) {
		link_fail(l, ENOBUFS);
		return 0;
	}
	return l->tls == NULL ? read_plain(l, dst, max) :
	    read_tls(l, dst, max);
}

int
link_has_more(const struct link *l)
{
	size_t n;

	return l->tls != NULL && !l->failed && tls_read(l->tls, &n) != NULL;
}

/* Puts plaintext into the engine as far as it goes. */
static size_t
write_tls(struct link *l, struct str s)
{
	size_t n, done = 0;

	while (done < s.n) {
		n = tls_write(l->tls, s.p + done, s.n - done);
		if (n == 0) {
			tls_flush(l->tls);
			if (records_out(l) == -1)
				break;
			n = tls_write(l->tls, s.p + done, s.n - done);
			if (n == 0)
				break;
		}
		done += n;
	}
	return done;
}

size_t
link_offer(struct link *l, const struct str *v, size_t n)
{
	size_t done = 0, i, k;
	long r;

	if (l->failed || l->out_failed)
		return 0;
	if (l->tls == NULL) {
		r = sock_writev(l->fd, v, n);
		if (r == SOCK_ERR)
			link_fail_out(l, errno);
		return r > 0 ? (size_t)r : 0;
	}
	for (i = 0; i < n; i++) {
		k = write_tls(l, v[i]);
		done += k;
		if (k < v[i].n)
			break;
	}
	tls_flush(l->tls);
	records_out(l);
	/* After a close, ours or the peer's, an engine takes nothing. */
	if (tls_state(l->tls) == TLS_CLOSED ||
	    tls_state(l->tls) == TLS_FAILED)
		link_fail_out(l, EPIPE);
	return done;
}

int
link_write(struct link *l, const struct str *v, size_t n)
{
	size_t done = 0, i;

	if (l->out.len == 0)
		done = link_offer(l, v, n);
	if (l->failed || l->out_failed)
		return -1;
	for (i = 0; i < n; i++) {
		if (done >= v[i].n) {
			done -= v[i].n;
			continue;
		}
		if (buf_add(&l->out, v[i].p + done, v[i].n - done) == -1)
			return link_fail(l, ENOBUFS);
		done = 0;
	}
	return 0;
}

int
link_flush(struct link *l)
{
	struct str s = buf_str(&l->out);

	if (s.n > 0)
		buf_take(&l->out, link_offer(l, &s, 1));
	else if (l->tls != NULL)
		records_out(l);
	if (l->out.len == 0)
		buf_free(&l->out);
	return l->failed || l->out_failed ? -1 : 0;
}

size_t
link_pending(const struct link *l)
{
	return l->out.len;
}

int
link_wants_out(const struct link *l)
{
	size_t n;

	if (l->failed || l->out_failed)
		return 0;
	if (l->tls == NULL)
		return l->out.len > 0;
	/* Plaintext cannot move within the handshake. */
	return tls_out(l->tls, &n) != NULL ||
	    (l->out.len > 0 && tls_state(l->tls) != TLS_HANDSHAKE);
}

void
link_bye(struct link *l)
{
	if (l->tls == NULL || l->failed)
		return;
	tls_close(l->tls);
	records_out(l);
}

unsigned
link_events(const struct link *l, int want)
{
	unsigned bits = 0;

	if (l->failed)
		return 0;
	if (link_wants_out(l))
		bits |= LOOP_WRITE;
	if (!l->eof && want && (l->tls == NULL || tls_wants_in(l->tls)))
		bits |= LOOP_READ;
	return bits;
}

const char *
link_why(const struct link *l)
{
	const char *why = l->tls == NULL ? "" : tls_why(l->tls);

	if (*why != '\0')
		return why;
	if (l->eof && l->tls != NULL && tls_state(l->tls) == TLS_HANDSHAKE)
		return "closed in the midst of the TLS handshake";
	return sock_why(l->error);
}
