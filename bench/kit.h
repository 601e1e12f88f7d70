#ifndef BENCH_KIT_H
#define BENCH_KIT_H

#include <stdint.h>

/*
 * What the bench tools share: time, sockets on 127.0.0.1, arguments.
 * A tool has nobody to report to, so what cannot work ends it with a message.
 */

/* Nanoseconds, monotonic. */
uint64_t	kit_now(void);

/* Prints "bench: what: strerror(errno)" and exits 1. */
void	kit_die(const char *what);

/* The whole of text as a number in min..max; anything else exits 2. */
long	kit_number(const char *text, long min, long max);

/* A listening, non-blocking socket on 127.0.0.1:port; exits if it cannot. */
int	kit_listen(int port);

/* The next waiting connection, non-blocking and without delay; -1: none. */
int	kit_accept(int fd);

/*
 * A connection to 127.0.0.1:port, non-blocking and without delay; -1: errno
 * says why. The connect itself blocks: on loopback it takes microseconds.
 */
int	kit_connect(int port);

/* kit_connect() again and again until it works, 5 s at most, then exits 1. */
void	kit_wait(int port);

#endif
