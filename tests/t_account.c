#include "relay/account.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/t.h"

/*
 * The lines of a request: as they stand in a file, and for a terminal of 80
 * columns.
 */

static int ends[2];
static char text[65536];

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
look(int as)
{
	log_setup(ends[1], LOG_INFO, as);
	log_time(1784635200123);
}

static void
make(struct account *a)
{
	memset(a, 0, sizeof *a);
	a->id = "req_1";
	a->method = str_of("POST");
	a->path = str_of("/v1/messages");
	a->model = str_of("claude-sonnet-4-5");
	a->backend = str_of("second");
	a->attempts = 2;
	a->status = 200;
	a->stream = 1;
	a->began_us = 1000;
	a->first_us = 63000;
	dialect_watch_start(&a->watch, DIALECT_ANTHROPIC, OP_GENERATE);
	a->watch.usage.input = 9;
	a->watch.usage.output = 17;
	snprintf(a->watch.stop_reason, sizeof a->watch.stop_reason,
	    "end_turn");
}

static const char *
line(const struct account *a, const char *how)
{
	account_request(a, 0, how, 1201000);
	return written();
}

static void
is(const struct account *a, const char *how, const char *want)
{
	const char *s = line(a, how);

	T_OK(strcmp(s, want) == 0, "\n%s%s", s, want);
}

static void
test_full(void)
{
	struct account a;

	make(&a);
	look(0);
	is(&a, "", "2026-07-21 12:00:00.123 info  req_1 POST /v1/messages "
	    "claude-sonnet-4-5 stream -> 200 by second, 2 attempts, "
	    "first byte 62 ms, 1.2 s, 9 in 17 out, end_turn\n");
	a.attempts = 1;
	a.stream = 0;
	a.status = 503;
	a.backend = a.model = str_of("");
	a.first_us = 0;
	a.watch.usage.input = a.watch.usage.output = -1;
	a.watch.stop_reason[0] = '\0';
	is(&a, ", why", "2026-07-21 12:00:00.123 warn  req_1 POST "
	    "/v1/messages -> 503 from here, 1 attempt, 1.2 s, why\n");
	account_request(&a, 2, "", 1201000);
	T_OK(*written() == '\0', "only good ones");
	a.status = 200;
	account_request(&a, 1, "", 1201000);
	T_OK(*written() == '\0', "only bad ones");
}

static void
test_short(void)
{
	struct account a;

	make(&a);
	look(LOG_SHORT);
	is(&a, "", "12:00:00 200   POST /v1/messages claude-sonnet-4-5 -> "
	    "second, 2 attempts, stream, first byte 62 ms, 1.2 s, "
	    "9 in 17 out, end_turn  req_1\n");
	a.attempts = 1;
	a.stream = 0;
	a.first_us = 0;
	a.status = 503;
	a.backend = str_of("");
	is(&a, ", why", "12:00:00 503   POST /v1/messages claude-sonnet-4-5, "
	    "from here, 1.2 s, 9 in 17 out, end_turn, why  req_1\n");
	/* A path that names the model. */
	a.path = str_of("/v1beta/models/g-1:generateContent");
	a.model = str_of("g-1");
	is(&a, "", "12:00:00 503   POST /v1beta/models/g-1:generateContent, "
	    "from here, 1.2 s, 9 in 17 out, end_turn  req_1\n");
}

static void
test_colours(void)
{
	static const struct {
		int status;
		const char *want;
	} t[] = {
		{ 200, "12:00:00 \033[32m200  \033[0m POST" },
		{ 302, "12:00:00 \033[32m302  \033[0m POST" },
		{ 404, "12:00:00 \033[33m404  \033[0m POST" },
		{ 529, "12:00:00 \033[31m529  \033[0m POST" }
	};
	struct account a;
	const char *s;
	size_t i;

	make(&a);
	look(LOG_SHORT | LOG_COLOUR);
	for (i = 0; i < sizeof t / sizeof *t; i++) {
		a.status = t[i].status;
		s = line(&a, "");
		T_OK(strncmp(s, t[i].want, strlen(t[i].want)) == 0, "%s", s);
	}
	look(LOG_COLOUR);
	s = line(&a, "");
	T_OK(strstr(s, ".123 \033[33mwarn \033[0m req_1 POST") != NULL, "%s",
	    s);
}

/* Columns up to the end of what matters: every byte but those inside. */
static size_t
columns(const char *s, const char *end)
{
	size_t n = 0;

	for (; s < end; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
test_width(void)
{
	static const size_t sizes[] = { 0, 1, 12, 20, 21, 40, 65, 66, 900,
	    4000 };
	enum { N = sizeof sizes / sizeof *sizes };
	static char path[9000], model[9000], name[9000];
	struct account a;
	const char *s, *end;
	size_t i, j, k, n;

	for (i = 0; i < sizeof path - 1; i += 2) {
		memcpy(path + i, "p/", 2);
		memcpy(model + i, "\303\251", 2);
		memcpy(name + i, "nn", 2);
	}
	look(LOG_SHORT);
	for (i = 1; i < N; i++)
		for (j = 0; j < N; j++)
			for (k = 0; k < N; k++) {
				make(&a);
				a.path = str_n(path, sizes[i]);
				a.model = str_n(model, 2 * sizes[j]);
				a.backend = str_n(name, sizes[k]);
				s = line(&a, "");
				end = strstr(s, ", 2 attempts");
				n = end == NULL ? 999 : columns(s, end);
				T_OK(n <= 80, "%u: %s", (unsigned)n, s);
				T_OK(sizes[i] + sizes[j] + sizes[k] < 100 ||
				    (n > 76 && strstr(s, "..") != NULL),
				    "%u: %s", (unsigned)n, s);
			}
	make(&a);
	a.path = str_of("/v1/0123456789012345678901234567890123456789");
	s = line(&a, "");
	T_OK(strstr(s, " /v1/01234567890123456789012345.. claude-sonnet-4-5 -> "
	    "second, ") != NULL, "only the longest gives way: %s", s);
}

/* A secret that would be cut is masked before. */
static void
test_secret(void)
{
	struct account a;
	const char *s;

	make(&a);
	look(LOG_SHORT);
	log_secret(str_of("sk-0123456789-0123456789-0123456789-0123456789"));
	a.path = str_of("/v1/a/long/path/before/it/"
	    "sk-0123456789-0123456789-0123456789-0123456789/x");
	s = line(&a, "");
	T_OK(strstr(s, "0123") == NULL && strstr(s, "before/it/sk") != NULL,
	    "%s", s);
	log_forget();
}

static void
test_attempt(void)
{
	struct config_backend b;
	struct fo_outcome o;
	struct account a;
	const char *s;

	make(&a);
	memset(&b, 0, sizeof b);
	memset(&o, 0, sizeof o);
	b.name = str_of("first");
	b.base_url = str_of("http://127.0.0.1:1");
	b.token = str_of("sk-0123456789abcdef");
	o.status = 529;
	a.attempts = 1;
	look(0);
	account_attempt(&a, &b, &o, "busy");
	s = written();
	T_OK(strstr(s, " warn  req_1 attempt 1 on \"first\" "
	    "(http://127.0.0.1:1, token sk-0...cdef) failed: status 529: "
	    "busy\n") != NULL, "%s", s);
	look(LOG_SHORT);
	account_attempt(&a, &b, &o, "busy");
	s = written();
	T_OK(strcmp(s, "12:00:00 warn  first failed: status 529: busy, "
	    "attempt 1  req_1\n") == 0, "%s", s);
	T_OK(strcmp(a.cause, "backend \"first\": status 529") == 0 &&
	    strcmp(a.detail, "status 529: busy") == 0, "%s %s", a.cause,
	    a.detail);
}

int
main(void)
{
	setenv("TZ", "UTC0", 1);
	if (pipe(ends) == -1 || fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1)
		return 2;
	test_full();
	test_short();
	test_colours();
	test_width();
	test_secret();
	test_attempt();
	close(ends[0]);
	close(ends[1]);
	return t_end();
}
