/*
 * Any bytes as a config: parsed twice with one result; faults if and only
 * if there is no config, each a line of its own, at most 50 and a tally;
 * what comes from the environment or a file is in no message; a config
 * describes itself without its secrets, and names only what it has.  Bytes
 * that begin with "ENV" are the values of variables, one a line.
 */

#include <stdlib.h>
#include <string.h>

#include "config.h"

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)
#define FROM_ENV	"sk-fuzz-environment-0123456789"
#define FROM_FILE	"sk-fuzz-file-0123456789-abcdef"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char *
get_env(void *arg, const char *name)
{
	(void)arg;
	if (strcmp(name, "PROXY_PORT") == 0 ||
	    strcmp(name, "METRICS_PORT") == 0)
		return NULL;
	return strlen(name) < 4 ? FROM_ENV : NULL;
}

#define VARS 6
static const char *const vars[VARS] = {
	"PROXY_URL", "API_KEY", "MY_ACCESS_KEY", "MAX_RETRIES", "PROXY_PORT",
	"METRICS_PORT"
};
static char values[VARS][256];

static const char *
get_line(void *arg, const char *name)
{
	size_t i;

	(void)arg;
	for (i = 0; i < VARS; i++)
		if (strcmp(name, vars[i]) == 0)
			return values[i];
	return NULL;
}

/* 1 if the text is of that kind; then its lines are in values. */
static int
take_lines(struct str text)
{
	size_t i, k, at = 4;

	if (!str_starts(text, "ENV\n"))
		return 0;
	for (i = 0; i < VARS; i++, at++) {
		for (k = 0; at < text.n && text.p[at] != '\n' &&
		    k < sizeof values[i] - 1; at++)
			values[i][k++] = text.p[at];
		values[i][k] = '\0';
	}
	return 1;
}

/* What routes and keys name is there. */
static void
check_places(const struct config *c)
{
	const char *why;
	size_t i, k;

	CHECK(c->nbackends > 0);
	/* Nobody from elsewhere gets at the dashboard without its token. */
	CHECK(!c->web_admin.enabled || c->web_admin.token.n >= 8 ||
	    str_starts(c->web_admin.host, "127.") ||
	    str_is(c->web_admin.host, "::1"));
	CHECK(c->port > 0 && c->web_admin.port > 0 && c->metrics.port > 0);
	for (i = 0; i < c->nroutes; i++) {
		CHECK(c->routes[i].nbackends > 0);
		CHECK((unsigned)c->routes[i].strategy <= FO_STICKY);
		for (k = 0; k < c->routes[i].nbackends; k++)
			CHECK(c->routes[i].backends[k] < c->nbackends);
		/* No route stands in the shadow of another. */
		CHECK(config_route(c, c->routes[i].model) == &c->routes[i]);
	}
	for (i = 0; i < c->naccess_keys; i++) {
		for (k = 0; k < c->access_keys[i].nbackends; k++)
			CHECK(c->access_keys[i].backends[k] < c->nbackends);
		if (config_candidate(c, &c->access_keys[i], NULL, 0,
		    DIALECT_OPENAI, OP_GENERATE, str_of("gpt-4"), &why))
			CHECK(config_key_allows_backend(&c->access_keys[i],
			    0));
	}
}

static int
read_file(void *arg, const char *path, struct buf *to, const char **why)
{
	(void)arg;
	if (path[0] == '/')
		return buf_adds(to, FROM_FILE "\n");
	*why = "no such file";
	return -1;
}

static int
holds(struct str s, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i + n <= s.n; i++)
		if (memcmp(s.p + i, p, n) == 0)
			return 1;
	return 0;
}

static void
must_hide(void *arg, struct str secret)
{
	/* A mask that is put in could complete a secret made of masks. */
	if (secret.n < 16 || memchr(secret.p, '*', secret.n) != NULL)
		return;
	CHECK(!holds(buf_str(arg), secret.p, secret.n));
}

/* What came from outside is in no message, unless the text has it too. */
static void
check_hidden(struct str text, const struct buf *b)
{
	CHECK(!holds(buf_str(b), FROM_ENV, strlen(FROM_ENV)) ||
	    holds(text, FROM_ENV, strlen(FROM_ENV)));
	CHECK(!holds(buf_str(b), FROM_FILE, strlen(FROM_FILE)) ||
	    holds(text, FROM_FILE, strlen(FROM_FILE)));
}

static void
check_lines(const struct buf *b)
{
	struct str s = buf_str(b);
	unsigned lines = 0;
	size_t i;

	for (i = 0; i < s.n; i++) {
		lines += s.p[i] == '\n';
		CHECK(s.p[i] == '\n' || (unsigned char)s.p[i] >= 0x20);
	}
	CHECK(s.n == 0 || s.p[s.n - 1] == '\n');
	CHECK(lines <= 51);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct config_env env = { get_env, read_file, NULL };
	static const struct config_env line_env = { get_line, NULL, NULL };
	static const struct config_flags flags = { -1, -1, 0 };
	struct str text = str_n((const char *)p, n);
	struct buf faults[2], notes[2], out[2];
	struct config *c[2];
	int i, lines = take_lines(text);

	for (i = 0; i < 2; i++) {
		buf_init(&faults[i], 1 << 20);
		buf_init(&notes[i], 1 << 20);
		buf_init(&out[i], 1 << 24);
		c[i] = lines ? config_from_env(&line_env, &flags, &faults[i],
		    &notes[i]) : config_parse(text, "fuzz", &env, &flags,
		    &faults[i], &notes[i]);
		CHECK((c[i] == NULL) == (faults[i].len > 0));
		check_lines(&faults[i]);
		check_lines(&notes[i]);
		check_hidden(text, &faults[i]);
		check_hidden(text, &notes[i]);
		if (c[i] == NULL)
			continue;
		check_places(c[i]);
		config_describe(c[i], &out[i]);
		CHECK(out[i].len > 0 && !out[i].bad);
		config_secrets(c[i], must_hide, &out[i]);
		config_free(c[i]);
	}
	CHECK(str_eq(buf_str(&faults[0]), buf_str(&faults[1])));
	CHECK(str_eq(buf_str(&notes[0]), buf_str(&notes[1])));
	CHECK(str_eq(buf_str(&out[0]), buf_str(&out[1])));
	for (i = 0; i < 2; i++) {
		buf_free(&faults[i]);
		buf_free(&notes[i]);
		buf_free(&out[i]);
	}
	return 0;
}
