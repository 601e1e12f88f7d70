#include "bench/kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG		4096
#define WAIT_STEPS	500		/* of 10 ms */

uint64_t
kit_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
kit_die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

long
kit_number(const char *text, long min, long max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < min || n > max) {
		fprintf(stderr, "bench: %s: not a number from %ld to %ld\n",
		    text, min, max);
		exit(2);
	}
	return n;
}

static struct sockaddr_in
kit_address(int port)
{
	struct sockaddr_in a;

	memset(&a, 0, sizeof a);
	a.sin_family = AF_INET;
	a.sin_port = htons((uint16_t)port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static void
kit_prepare(int fd)
{
	int on = 1;

	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		kit_die("fcntl");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int
kit_listen(int port)
{
	struct sockaddr_in a = kit_address(port);
	int fd, on = 1;

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		kit_die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) == -1)
		kit_die("bind");
	if (listen(fd, BACKLOG) == -1)
		kit_die("listen");
	kit_prepare(fd);
	return fd;
}

int
kit_accept(int fd)
{
	int c;

	if ((c = accept(fd, NULL, NULL)) != -1)
		kit_prepare(c);
	return c;
}

int
kit_connect(int port)
{
	struct sockaddr_in a = kit_address(port);
	int fd, e;

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		kit_die("socket");
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == -1) {
		e = errno;
		close(fd);
		errno = e;
		return -1;
	}
	kit_prepare(fd);
	return fd;
}

void
kit_wait(int port)
{
	const struct timespec step = { 0, 10000000 };
	int i, fd;

	for (i = 0; i < WAIT_STEPS; i++) {
		if ((fd = kit_connect(port)) != -1) {
			close(fd);
			return;
		}
		nanosleep(&step, NULL);
	}
	kit_die("nobody listens");
}
