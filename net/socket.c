#include "net/socket.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SOCK_RUNS 8
#define SOCK_BACKLOG 1024

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0		/* SIGPIPE is ignored by main as well */
#endif

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t
address_make(union address *sa, const struct dns_addr *a, uint16_t port)
{
	memset(sa, 0, sizeof *sa);
	if (a->len == 4) {
		sa->v4.sin_family = AF_INET;
		sa->v4.sin_port = htons(port);
		memcpy(&sa->v4.sin_addr, a->b, 4);
		return sizeof sa->v4;
	}
	sa->v6.sin6_family = AF_INET6;
	sa->v6.sin6_port = htons(port);
	sa->v6.sin6_scope_id = a->scope;
	memcpy(&sa->v6.sin6_addr, a->b, 16);
	return sizeof sa->v6;
}

static void
address_read(struct dns_addr *a, const union address *sa)
{
	memset(a, 0, sizeof *a);
	if (sa->any.sa_family == AF_INET) {
		a->len = 4;
		memcpy(a->b, &sa->v4.sin_addr, 4);
	} else if (sa->any.sa_family == AF_INET6) {
		a->len = 16;
		memcpy(a->b, &sa->v6.sin6_addr, 16);
		a->scope = sa->v6.sin6_scope_id;
	}
}

static int
fd_setup(int fd, int tcp)
{
	int one = 1, fl = fcntl(fd, F_GETFL);

	if (fl == -1 || fcntl(fd, F_SETFL, fl | O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		return -1;
	/* Nagle would hold small records for the peer's delayed ACK. */
	if (tcp)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return 0;
}

static int
close_keep(int fd)
{
	int keep = errno;

	close(fd);
	errno = keep;
	return -1;
}

int
sock_listen(const struct dns_addr *a, uint16_t port)
{
	union address sa;
	socklen_t n = address_make(&sa, a, port);
	int fd, one = 1;

	if ((fd = socket(sa.any.sa_family, SOCK_STREAM, 0)) == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
#ifdef IPV6_V6ONLY
	/* "::" serves both families, "::1" itself. */
	if (a->len == 16) {
		int zero = 0;

		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero,
		    sizeof zero);
	}
#endif
	if (fd_setup(fd, 1) == -1 || bind(fd, &sa.any, n) == -1 ||
	    listen(fd, SOCK_BACKLOG) == -1)
		return close_keep(fd);
	return fd;
}

uint16_t
sock_port(int fd)
{
	union address sa;
	socklen_t n = sizeof sa;

	if (getsockname(fd, &sa.any, &n) == -1)
		return 0;
	return ntohs(sa.any.sa_family == AF_INET ? sa.v4.sin_port :
	    sa.v6.sin6_port);
}

int
sock_accept(int listener, struct dns_addr *peer)
{
	union address sa;
	socklen_t n = sizeof sa;
	int fd;

	do
		fd = accept(listener, &sa.any, &n);
	while (fd == -1 && errno == EINTR);
	if (fd == -1)
		return errno == EMFILE || errno == ENFILE ||
		    errno == ENOBUFS || errno == ENOMEM ? SOCK_ERR :
		    SOCK_AGAIN;
	if (fd_setup(fd, 1) == -1) {
		close(fd);
		return SOCK_AGAIN;
	}
	if (peer != NULL)
		address_read(peer, &sa);
	return fd;
}

static int
connect_any(const struct dns_addr *a, uint16_t port, int type, int *done)
{
	union address sa;
	socklen_t n = address_make(&sa, a, port);
	int fd, rc;

	if ((fd = socket(sa.any.sa_family, type, 0)) == -1)
		return -1;
	if (fd_setup(fd, type == SOCK_STREAM) == -1)
		return close_keep(fd);
	rc = connect(fd, &sa.any, n);
	*done = rc == 0;
	if (rc == -1 && errno != EINPROGRESS && errno != EINTR)
		return close_keep(fd);
	return fd;
}

int
sock_connect(const struct dns_addr *a, uint16_t port, int *done)
{
	return connect_any(a, port, SOCK_STREAM, done);
}

int
sock_udp(const struct dns_addr *a, uint16_t port)
{
	int done;

	return connect_any(a, port, SOCK_DGRAM, &done);
}

int
sock_error(int fd)
{
	int err = 0;
	socklen_t n = sizeof err;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) == -1)
		return errno;
	return err;
}

static long
moved(ssize_t r)
{
	if (r >= 0)
		return (long)r;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ?
	    SOCK_AGAIN : SOCK_ERR;
}

long
sock_read(int fd, void *p, size_t n)
{
	long r = moved(recv(fd, p, n, 0));

	return r == 0 ? SOCK_EOF : r;
}

long
sock_write(int fd, const void *p, size_t n)
{
	return moved(send(fd, p, n, MSG_NOSIGNAL));
}

long
sock_writev(int fd, const struct str *v, size_t n)
{
	struct iovec iov[SOCK_RUNS];
	struct msghdr m;
	size_t i;

	if (n == 1)
		return sock_write(fd, v[0].p, v[0].n);
	if (n > SOCK_RUNS)
		n = SOCK_RUNS;
	for (i = 0; i < n; i++) {
		/* sendmsg does not write through it; iovec has no const. */
		iov[i].iov_base = (void *)(uintptr_t)v[i].p;
		iov[i].iov_len = v[i].n;
	}
	memset(&m, 0, sizeof m);
	m.msg_iov = iov;
	m.msg_iovlen = (unsigned char)n;	/* an int or a size_t */
	return moved(sendmsg(fd, &m, MSG_NOSIGNAL));
}

int
sock_idle(int fd)
{
	char c;

	return moved(recv(fd, &c, 1, MSG_PEEK)) == SOCK_AGAIN;
}

const char *
sock_why(int err)
{
	switch (err) {
	case 0:			return "no error";
	case ECONNREFUSED:	return "connection refused";
	case ECONNRESET:	return "connection reset by peer";
	case EPIPE:		return "connection closed by peer";
	case ETIMEDOUT:		return "no answer from the host";
	case EHOSTUNREACH:	return "no route to the host";
	case ENETUNREACH:	return "network unreachable";
	case EADDRINUSE:	return "address already in use";
	case EADDRNOTAVAIL:	return "address not available";
	case EACCES:		return "permission denied";
	case EMFILE:
	case ENFILE:		return "out of file descriptors";
	case EAFNOSUPPORT:	return "address family not supported";
	default:		return strerror(err);
	}
}

void
sock_shutdown(int fd)
{
	shutdown(fd, SHUT_WR);
}

void
sock_close(int fd, int rst)
{
	struct linger lg = { 1, 0 };

	if (fd < 0)
		return;
	if (rst)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &lg, sizeof lg);
	close(fd);
}

int
sock_random(void *p, size_t n)
{
	unsigned char *at = p;
	ssize_t r;
	int fd;

	if ((fd = open("/dev/urandom", O_RDONLY)) == -1)
		return -1;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	while (n > 0) {
		do
			r = read(fd, at, n);
		while (r == -1 && errno == EINTR);
		if (r <= 0)
			return close_keep(fd);
		at += r;
		n -= (size_t)r;
	}
	close(fd);
	return 0;
}
