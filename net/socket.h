#ifndef NET_SOCKET_H
#define NET_SOCKET_H

/*
 * The only file with socket calls.  All descriptors are non-blocking and
 * closed on exec.  EAGAIN, end and error are told apart once, here.
 */

#include "base/util.h"
#include "net/dns.h"

enum { SOCK_AGAIN = -1, SOCK_EOF = -2, SOCK_ERR = -3 };

/*
 * A TCP listener with SO_REUSEADDR; port 0: any.  Returns the descriptor,
 * or -1 with errno set (EADDRINUSE ...).
 */
int sock_listen(const struct dns_addr *a, uint16_t port);

/* The port that a socket is bound to, 0 on error. */
uint16_t sock_port(int fd);

/*
 * Accepts one connection with TCP_NODELAY set.  Returns the descriptor;
 * SOCK_AGAIN if none waits (a connection that died in the queue too);
 * SOCK_ERR if descriptors or memory are short (EMFILE and its like): pause.
 * *peer is set if not NULL.
 */
int sock_accept(int listener, struct dns_addr *peer);

/*
 * Starts a TCP connection with TCP_NODELAY.  Returns the descriptor, *done
 * 1 if it is already connected; -1 with errno set.
 */
int sock_connect(const struct dns_addr *a, uint16_t port, int *done);

/* How a started connection ended: 0 connected, else an errno value. */
int sock_error(int fd);

/* Bytes moved (> 0), or SOCK_AGAIN, SOCK_EOF (reading), SOCK_ERR. */
long sock_read(int fd, void *p, size_t n);
long sock_write(int fd, const void *p, size_t n);

/* Several runs in one call; v has at most 8. */
long sock_writev(int fd, const struct str *v, size_t n);

/* 1 if the connection still stands and has nothing to read. */
int sock_idle(int fd);

/* A UDP socket connected to a server, from a random port; -1: errno. */
int sock_udp(const struct dns_addr *a, uint16_t port);

/* The sentence of an errno value of the functions above. */
const char *sock_why(int err);

/* Ends our direction: the peer reads an end. */
void sock_shutdown(int fd);

/* Closes; with rst set the peer is told of an abnormal end (RST). */
void sock_close(int fd, int rst);

/* Fills p with randomness of the system.  0 or -1. */
int sock_random(void *p, size_t n);

#endif
