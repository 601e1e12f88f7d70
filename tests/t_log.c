#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/t.h"

static int ends[2];
static char text[262144];

/* What has been written since the last call, as a C string. */
static const char *
written(void)
{
	size_t n = 0;
	ssize_t rc;

	while ((rc = read(ends[0], text + n, sizeof text - 1 - n)) > 0)
		n += (size_t)rc;
	text[n] = '\0';
	return text;
}

static void
start(enum log_level level, int colour)
{
	if (pipe(ends) == -1 ||
	    fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1)
		exit(2);
	log_setup(ends[1], level, colour);
	log_time(1784635200123);
}

static void
stop(void)
{
	close(ends[0]);
	close(ends[1]);
	log_forget();
}

static void
test_lines(void)
{
	const char *s;

	setenv("TZ", "UTC0", 1);
	start(LOG_INFO, 0);
	T_OK(!log_wants(LOG_DEBUG) && log_wants(LOG_INFO) &&
	    log_wants(LOG_ERROR), "levels");
	log_debug("not %s", "this");
	T_OK(*written() == '\0', "below the level");
	log_info("n = %d, %s", 7, "x");
	s = written();
	T_OK(strcmp(s, "2026-07-21 12:00:00.123 info  n = 7, x\n") == 0, "%s",
	    s);
	log_time(1784635201004);
	log_warn("w");
	log_error("e");
	s = written();
	T_OK(strcmp(s, "2026-07-21 12:00:01.004 warn  w\n"
	    "2026-07-21 12:00:01.004 error e\n") == 0, "%s", s);
	stop();
	start(LOG_DEBUG, 1);
	log_debug("d");
	s = written();
	T_OK(strcmp(s, "2026-07-21 12:00:00.123 \033[2mdebug\033[0m d\n") ==
	    0, "%s", s);
	stop();
}

/* For a terminal: no date, and a status where others have their level. */
static void
test_short(void)
{
	const char *s;

	start(LOG_INFO, LOG_SHORT);
	T_OK(log_short(), "short");
	log_info("a");
	log_status(LOG_WARN, 503, "b %d", 1);
	log_status(LOG_DEBUG, 200, "not this");
	log_status(LOG_INFO, 0, "no status");
	s = written();
	T_OK(strcmp(s, "12:00:00 info  a\n12:00:00 503   b 1\n"
	    "12:00:00 info  no status\n") == 0, "%s", s);
	log_setup(ends[1], LOG_INFO, 0);
	T_OK(!log_short(), "not short");
	log_status(LOG_WARN, 503, "b");
	s = written();
	T_OK(strcmp(s, "2026-07-21 12:00:00.123 warn  b\n") == 0, "%s", s);
	stop();
	start(LOG_INFO, LOG_SHORT | LOG_COLOUR);
	log_status(LOG_INFO, 401, "c");
	log_error("d");
	s = written();
	T_OK(strcmp(s, "12:00:00 \033[33m401  \033[0m c\n"
	    "12:00:00 \033[31merror\033[0m d\n") == 0, "%s", s);
	stop();
}

static void
test_controls(void)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "a\nb\r\n", "a\\x0ab\\x0d\\x0a" },
		{ "\033[2J\007\177\t", "\\x1b[2J\\x07\\x7f\\x09" },
		{ "\303\251 \342\202\254", "\303\251 \342\202\254" },
		{ "\302\2332J\302\240", "\\xc2\\x9b2J\302\240" },
		{ "\\x", "\\x" }, { "", "" }
	};
	const char *s;
	size_t i;

	start(LOG_INFO, 0);
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		log_info("%s", t[i].in);
		s = written();
		T_OK(strlen(s) == 31 + strlen(t[i].out) &&
		    memcmp(s + 30, t[i].out, strlen(t[i].out)) == 0, "%s", s);
	}
	stop();
}

static void
test_secrets(void)
{
	char p[] = "x sk-ant-1234567890 y sk-ant-12345 z 87654321";
	char secret[] = "secret-0000-with-a-tail";
	char q[200], *big;
	const char *s;
	size_t n, i;

	start(LOG_INFO, 0);
	log_secret(str_of("sk-ant-12345"));
	log_secret(str_of("sk-ant-1234567890"));
	log_secret(str_of("87654321"));
	log_secret(str_of("1234567"));
	log_secret(str_of(NULL));
	log_info("%s", p);
	s = written();
	T_OK(strcmp(s + 30, "x sk-a...7890 y **** z ****\n") == 0, "%s", s);
	n = log_mask(p, strlen(p));
	T_OK(str_is(str_n(p, n), "x sk-a...7890 y **** z ****"), "%.*s",
	    (int)n, p);
	memcpy(q, "1234567", 7);
	T_OK(log_mask(q, 7) == 7 && memcmp(q, "1234567", 7) == 0,
	    "too short to be kept");
	memcpy(q, "8765432", 7);
	T_OK(log_mask(q, 7) == 7, "a part of a secret");
	T_OK(log_mask(q, 0) == 0, "nothing");
	memcpy(q, "8765432187654321876543210", 25);
	n = log_mask(q, 25);
	T_OK(str_is(str_n(q, n), "************0"), "%.*s", (int)n, q);
	/* A secret that the end of a long line would cut in two. */
	memset(q, 'q', 62);
	log_secret(str_n(q, 62));
	big = malloc(8300);
	if (big == NULL)
		exit(2);
	memset(big, 'q', 132 * 62);
	strcpy(big + 132 * 62, "sk-ant-1234567890");
	log_info("%s", big);
	s = written();
	T_OK(strstr(s, "sk-") == NULL && strlen(s) > 1000, "%s", s);
	T_OK(strlen(s) <= 4096 && strchr(s, '\n') == s + strlen(s) - 1,
	    "one line");
	free(big);
	log_forget();
	memcpy(q, "87654321", 8);
	T_OK(log_mask(q, 8) == 8 && memcmp(q, "87654321", 8) == 0, "forgot");
	/* As many as there may be, and one more. */
	for (i = 0; i < 2049; i++) {
		snprintf(secret + 7, 5, "%04d", (int)i);
		secret[11] = '-';
		log_secret(str_of(secret));
		log_secret(str_of(secret));
	}
	snprintf(q, sizeof q, "%s", "secret-2047-with-a-tail");
	T_OK(log_mask(q, 23) == 11, "number 2048");
	snprintf(q, sizeof q, "%s", "secret-2048-with-a-tail");
	T_OK(log_mask(q, 23) == 23, "number 2049");
	stop();
}

/* A pipe that nobody reads: nothing waits, and the loss is told. */
static void
test_full(void)
{
	uint64_t before = log_dropped(), lost;
	char expected[100], line[1000];
	const char *s;
	int i;

	start(LOG_INFO, 0);
	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\0';
	alarm(60);
	errno = 77;
	for (i = 0; i < 1000; i++)
		log_info("%d %s", i, line);
	alarm(0);
	T_OK(errno == 77, "errno is the caller's");
	lost = log_dropped() - before;
	T_OK(lost > 0 && lost < 1000, "%llu", (unsigned long long)lost);
	T_OK((fcntl(ends[1], F_GETFL) & O_NONBLOCK) == 0,
	    "the flags are as they were");
	s = written();
	T_OK(strlen(s) > 1000 && s[strlen(s) - 1] == '\n', "whole lines");
	T_OK(strstr(s, "lost") == NULL, "nothing lost before these");
	log_info("next");
	s = written();
	snprintf(expected, sizeof expected,
	    "next (%llu lines lost before this)\n", (unsigned long long)lost);
	T_OK(strcmp(s + 30, expected) == 0, "%s", s);
	log_info("last");
	s = written();
	T_OK(strcmp(s + 30, "last\n") == 0, "told once: %s", s);
	stop();
}

static void
test_unwritable(void)
{
	uint64_t before;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	start(LOG_INFO, 0);
	before = log_dropped();
	close(ends[0]);
	log_info("to nobody");
	T_OK(log_dropped() == before + 1, "no reader");
	close(ends[1]);
	log_info("to nothing");
	T_OK(log_dropped() == before + 2, "closed");
	log_setup(-1, LOG_INFO, 0);
	log_info("to nothing");
	T_OK(log_dropped() == before + 3, "no descriptor");
	fd = open("/dev/full", O_WRONLY);
	if (fd != -1) {
		log_setup(fd, LOG_INFO, 0);
		log_info("to a full disk");
		T_OK(log_dropped() == before + 4, "full disk");
		close(fd);
	}
	log_forget();
}

int
main(void)
{
	test_lines();
	test_short();
	test_controls();
	test_secrets();
	test_full();
	test_unwritable();
	return t_end();
}
