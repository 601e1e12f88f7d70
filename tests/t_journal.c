/*
 * Records, in a folder of their own and at times that are given: what is
 * kept of an attempt, what a line tells and hides, which files there are,
 * what happens when they cannot be written, and what is found in them.
 */

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "admin/journal.h"
#include "admin/journal_file.h"
#include "admin/journal_find.h"
#include "admin/record.h"
#include "relay/redact.h"
#include "base/log.h"
#include "json.h"
#include "tests/t.h"

#define NOON	1790000000000		/* 2026-09-21 14:13:20 UTC */
#define HOUR	3600000
#define DAY	"2026-09-21"
#define TODAY	"r/requests_" DAY ".jsonl"
#define NOBODY	65534
#define TOKEN	"tok-abcdefgh-9876"
#define ODD	"odd/\"token\\+=12"	/* is written in many ways */
#define HEADER	"hdr-0123456789-xyz"
#define ADMIN	"adm-0123456789-xyz"
#define GUEST	"guest-key-0123456789"

/* ---- helpers ---- */

static const char *
get_env(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return NULL;
}

static struct config *
config_make(const char *logging)
{
	static const struct config_env env = { get_env, NULL, NULL };
	static const struct config_flags flags = { -1, -1, 0 };
	struct buf text, faults, notes;
	struct config *c;

	buf_init(&text, 8192);
	buf_init(&faults, 8192);
	buf_init(&notes, 8192);
	buf_fmt(&text, "{\"backends\":[{\"name\":\"a\",\"base_url\":"
	    "\"http://a.test\",\"token\":\"" TOKEN "\",\"headers\":"
	    "{\"X-Auth\":\"" HEADER "\"}},{\"name\":\"b\",\"base_url\":"
	    "\"http://b.test\",\"token\":\"odd/\\\"token\\\\+=12\"},"
	    "{\"name\":\"c\",\"base_url\":\"http://c.test\",\"token\":"
	    "\"short\"}],\"web_admin\":{\"token\":\"" ADMIN "\"},"
	    "\"logging\":{%s}}", logging);
	c = config_parse(buf_str(&text), "f.json", &env, &flags, &faults,
	    &notes);
	T_OK(c != NULL, "%s", buf_cstr(&faults));
	if (c == NULL)
		exit(t_end());
	buf_free(&text);
	buf_free(&faults);
	buf_free(&notes);
	return c;
}

/* A client's head, parsed from static text. */
static const struct http_head *
head_of(const char *text)
{
	static struct http_head h;

	T_OK(http_request(&h, text, strlen(text), 0) == HTTP_OK, "%s", text);
	return &h;
}

static const struct http_head *
usual(void)
{
	return head_of("POST /v1/messages HTTP/1.1\r\nHost: x\r\n"
	    "x-api-key: " GUEST "\r\n\r\n");
}

/* A record of request n, attempt a, at a time; its bodies are pad bytes. */
static void
record_fill(struct record *r, const struct config *cfg, uint64_t n,
    unsigned a, int64_t wall_ms)
{
	static char id[32];

	snprintf(id, sizeof id, "req_%llu", (unsigned long long)n);
	memset(r, 0, sizeof *r);
	r->wall_ms = wall_ms;
	r->duration_us = 5000;
	r->number = n;
	r->id = str_of(id);
	r->attempt = a;
	r->outcome = STATS_GOOD;
	r->backend = str_of("a");
	r->head = str_of("POST /v1/messages HTTP/1.1\r\nhost: a.test\r\n\r\n");
	r->client = usual();
	r->model = str_of("m");
	r->status = 200;
	r->cfg = cfg;
}

static void
put(struct journal *j, const struct config *cfg, uint64_t n, int64_t wall_ms)
{
	struct record r;

	record_fill(&r, cfg, n, 1, wall_ms);
	journal_record(j, &r);
}

static void
make(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	size_t n = strlen(text);

	T_OK(fd != -1 && write(fd, text, n) == (ssize_t)n, "%s: %s", file,
	    strerror(errno));
	close(fd);
}

/* What is in a file, as text that lives until the next call. */
static const char *
text_of(const char *file)
{
	static char text[1 << 16];
	int fd = open(file, O_RDONLY);
	ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof text - 1);

	if (fd != -1)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static long
size_of(const char *file)
{
	struct stat st;

	return lstat(file, &st) == -1 ? -1 : (long)st.st_size;
}

static unsigned
mode_of(const char *file)
{
	struct stat st;

	return lstat(file, &st) == -1 ? 0 : (unsigned)st.st_mode & 07777;
}

static unsigned
count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

static void
folder_clear(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	char path[600];

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		if (unlink(path) == -1) {
			folder_clear(path);
			rmdir(path);
		}
	}
	if (d != NULL)
		closedir(d);
}

/* ---- what may be shown ---- */

#define M_TOKEN	"tok-...9876"
#define M_ODD	"odd/...+=12"
#define M_GUEST	"gues...6789"

static const struct {
	const char *in, *out;
	size_t show;
} texts[] = {
	{ "", "", 99 },
	{ "nothing here", "nothing here", 99 },
	{ "nothing here", "noth", 4 },
	{ "a " TOKEN " b", "a " M_TOKEN " b", 99 },
	{ TOKEN TOKEN, M_TOKEN M_TOKEN, 99 },
	{ "a " HEADER " " ADMIN, "a hdr-...-xyz adm-...-xyz", 99 },
	{ "is " GUEST, "is " M_GUEST, 99 },
	/* As JSON has it, as some others do, and in a URL. */
	{ "\"" "odd/\\\"token\\\\+=12" "\"", "\"odd/...+=12\"", 99 },
	{ "\"" "odd\\/\\\"token\\\\+=12" "\"", "\"odd\\...+=12\"", 99 },
	{ "odd%2F%22token%5C%2B%3D12", "odd%...3D12", 99 },
	{ "odd%2f%22token%5c%2b%3d12", "odd%...3d12", 99 },
	{ ODD, M_ODD, 99 },
	/* A cut parts it. */
	{ "ab" TOKEN "cd", "ab" M_TOKEN, 6 },
	{ "ab" TOKEN "cd", "ab" M_TOKEN "c", 2 + sizeof TOKEN },
	{ "ab" TOKEN "cd", "ab", 2 },
	/* Half of one is none; a short one is known by its name alone. */
	{ "tok-abcdefgh-987", "tok-abcdefgh-987", 99 },
	{ "a short text", "a short text", 99 },
	{ "session=cookie-0123456789", "session=cook...6789", 99 },
	{ "dXNlcjpwYXNzd29yZA==", "dXNl...ZA==", 99 }
};

static const struct {
	const char *name, *value, *out;
} fields[] = {
	{ "content-type", "application/json", "application/json" },
	{ "Authorization", "Bearer " TOKEN, "Bearer " M_TOKEN },
	{ "authorization", "Basic YWJj", "Basic ****" },
	{ "authorization", TOKEN, M_TOKEN },
	{ "x-api-key", "short", "****" },
	{ "X-Goog-Api-Key", "0123456789abc", "0123...9abc" },
	{ "cookie", "a=b; c=0123456789abcdef", "****" },
	{ "Set-Cookie", "c=0123456789abcdef; path=/", "****" },
	{ "x-session-token", "0123456789abc", "0123...9abc" },
	{ "x-ratelimit-remaining-tokens", "149984", "149984" },
	{ "anthropic-ratelimit-input-tokens-limit", "50000", "50000" },
	{ "x-total-tokens", "50000", "50000" },
	{ "x-ratelimit-key", "50000", "50000" },
	{ "x-note", "has " TOKEN, "has " M_TOKEN },
	{ "location", "https://me:pw@x.test/a?b=1&key=2&c=3",
	    "https://****@x.test/a?b=1&key=****&c=3" },
	{ "referer", "http://x.test/@y", "http://x.test/@y" },
	{ "link", "<http://u:p@a/>, <http://v:q@b/>",
	    "<http://****@a/>, <http://****@b/>" },
	{ "x-odd", "://@", "://****@" },
	{ "x-odd", "", "" }
};

static const struct {
	const char *in, *out;
} targets[] = {
	{ "/v1/messages", "/v1/messages" },
	{ "/v1/messages?beta=true", "/v1/messages?beta=true" },
	{ "/x?key=abc", "/x?key=****" },
	{ "/x?a=1&key=abc&b=2", "/x?a=1&key=****&b=2" },
	{ "/x?api_key=abc&access_token=d&&e", "/x?api_key=****&"
	    "access_token=****&&e" },
	{ "/x?key&q=" TOKEN, "/x?key&q=" M_TOKEN },
	{ "/" TOKEN "?", "/" M_TOKEN "?" },
	{ "*", "*" }, { "", "" }
};

static void
redacts(void)
{
	struct config *cfg = config_make("");
	struct redact k;
	struct buf b;
	size_t i;

	buf_init(&b, 4096);
	T_OK(redact_init(&k, cfg, head_of("POST /x?key=gue%73t-key-01234567"
	    "89 HTTP/1.1\r\nHost: x\r\nAuthorization: Basic "
	    "dXNlcjpwYXNzd29yZA==\r\nCookie: a=b; s=cookie-0123456789\r\n"
	    "\r\n")) == 0, "memory");
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		buf_clear(&b);
		T_OK(redact_text(&b, &k, str_of(texts[i].in),
		    texts[i].show) == 0 && str_is(buf_str(&b), texts[i].out),
		    "%s -> %s", texts[i].in, buf_cstr(&b));
	}
	for (i = 0; i < sizeof fields / sizeof *fields; i++) {
		buf_clear(&b);
		redact_field(&b, &k, str_of(fields[i].name),
		    str_of(fields[i].value));
		T_OK(str_is(buf_str(&b), fields[i].out), "%s: %s -> %s",
		    fields[i].name, fields[i].value, buf_cstr(&b));
	}
	for (i = 0; i < sizeof targets / sizeof *targets; i++) {
		buf_clear(&b);
		redact_target(&b, &k, str_of(targets[i].in));
		T_OK(str_is(buf_str(&b), targets[i].out), "%s -> %s",
		    targets[i].in, buf_cstr(&b));
	}
	redact_free(&k);
	buf_free(&b);
	config_free(cfg);
}

/* Of two that overlap nothing stays. */
static void
overlaps(void)
{
	struct config *cfg = config_make("");
	struct redact k;
	struct buf b;

	buf_init(&b, 4096);
	T_OK(redact_init(&k, cfg, head_of("GET / HTTP/1.1\r\nHost: x\r\n"
	    "x-api-key: efgh-9876-and-more\r\n\r\n")) == 0, "memory");
	redact_text(&b, &k, str_of("<" TOKEN "-and-more>"), 99);
	T_OK(str_is(buf_str(&b), "<****>"), "%s", buf_cstr(&b));
	redact_free(&k);
	buf_free(&b);
	config_free(cfg);
}

/* A sentence in place; one that was cut loses what its end may be. */
static void
words(void)
{
	static const struct {
		const char *in, *out;
		size_t size;
	} rows[] = {
		{ "", "", 40 },
		{ "no " TOKEN " here", "no " M_TOKEN " here", 40 },
		{ "no " GUEST, "no " M_GUEST, 40 },
		{ "bad key tok-abcd", "bad key tok-abcd", 40 },
		{ "bad key tok-abcd", "bad key ", 17 },
		{ "bad key tok-abcdefgh-987", "bad key ", 25 },
		{ "bad key tok", "bad key tok", 12 },
		{ "a sentence", "a sentence", 11 }
	};
	struct config *cfg = config_make("");
	char text[64];
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(text, sizeof text, "%s", rows[i].in);
		redact_words(text, rows[i].size, cfg, usual());
		T_OK(strcmp(text, rows[i].out) == 0, "%s -> %s", rows[i].in,
		    text);
	}
	config_free(cfg);
}

/* ---- what is kept ---- */

static void
captures(void)
{
	static char large[4000];
	struct config *off = config_make("");
	struct config *cut = config_make("\"log_directory\":\"r\","
	    "\"log_request_body\":\"truncated\",\"log_response_body\":"
	    "\"truncated\"");
	struct config *all = config_make("\"log_directory\":\"r\","
	    "\"log_request_body\":\"full\",\"log_response_body\":\"full\","
	    "\"max_megabytes\":1000");
	struct config *tiny = config_make("\"log_directory\":\"r\","
	    "\"log_request_body\":\"full\",\"log_response_body\":\"full\","
	    "\"max_megabytes\":1");
	struct str body = str_n(large, sizeof large);
	struct capture c;
	struct record r;
	unsigned i;

	memset(large, 'x', sizeof large);
	memset(&c, 0, sizeof c);
	memset(&r, 0, sizeof r);
	capture_start(&c, off, 0, str_of("GET"), body, 1000);
	capture_data(&c, body);
	T_OK(c.request.kept.len == 0 && c.answer.kept.len == 0 &&
	    c.request.size == 4000 && c.answer.size == 4000, "counted");
	/* Once more, over a fresh connection. */
	capture_start(&c, cut, 1, str_of("POST"), body, 2000);
	for (i = 0; i < 20; i++)
		capture_data(&c, body);
	T_OK(c.request.show == CAPTURE_SHORT && c.request.kept.len == 4000 &&
	    c.answer.kept.len == CAPTURE_SHORT + CAPTURE_BEHIND &&
	    c.answer.size == 80000, "cut: %zu", c.answer.kept.len);
	capture_tell(&c, &r, 9000);
	T_OK(r.duration_us == 8000 && str_is(r.head, "POST") &&
	    r.status == 0, "since its first beginning");
	capture_start(&c, all, 1, str_of(""), str_of(""), 2000);
	for (i = 0; i < 300; i++)
		capture_data(&c, body);
	T_OK(c.request.show > 0 && c.request.size == 0, "an empty one");
	T_OK(c.answer.show == CAPTURE_STREAM && c.answer.size == 1200000 &&
	    c.answer.kept.len == CAPTURE_STREAM + CAPTURE_BEHIND, "1 MiB");
	capture_start(&c, all, 0, str_of(""), body, 2000);
	for (i = 0; i < 300; i++)
		capture_data(&c, body);
	T_OK(c.answer.kept.len == 1200000 && c.request.kept.len == 4000,
	    "all of it");
	capture_start(&c, tiny, 0, str_of(""), body, 2000);
	T_OK(c.answer.show == (1 << 20) / CAPTURE_SHARE &&
	    c.request.show == 4001, "a share of all files");
	capture_free(&c);
	T_OK(c.began_us == 0 && c.head.p == NULL, "nothing is left");
	config_free(off);
	config_free(cut);
	config_free(all);
	config_free(tiny);
}

/* ---- lines ---- */

/* The text of a record's line; most: of a body. */
static const char *
line_of(const struct record *r, size_t most)
{
	static struct buf b;
	const char *why;
	size_t at;

	buf_free(&b);
	buf_init(&b, 1 << 20);
	T_OK(record_write(&b, r, most) == 0, "memory");
	T_OK(b.len > 0 && buf_str(&b).p[b.len - 1] == '\n' &&
	    json_valid(str_n(buf_str(&b).p, b.len - 1), &why, &at),
	    "%s", buf_cstr(&b));
	return buf_cstr(&b);
}

static const struct {
	const char *name, *in, *out;
	size_t n;		/* bytes of in; 0: to its end */
	size_t show;
} bodies[] = {
	{ "text", "hello", "\"hello\"", 0, 99 },
	{ "empty", "", "\"\"", 0, 99 },
	{ "none", "hello", "null", 0, 0 },
	{ "cut", "hello", "\"hel\"", 0, 3 },
	{ "quotes", "a\"b\\\n", "\"a\\\"b\\\\\\n\"", 0, 99 },
	{ "UTF-8", "f\xc3\xbcr", "\"f\xc3\xbcr\"", 0, 99 },
	{ "cut inside a character", "f\xc3\xbcr", "\"f\"", 0, 2 },
	{ "cut inside a longer one", "ab\xf0\x9f\x98\x80", "\"ab\"", 0, 5 },
	{ "cut behind it", "ab\xf0\x9f\x98\x80 ", "\"ab\xf0\x9f\x98\x80\"",
	    0, 6 },
	{ "a NUL", "a\0b", "\"a\\u0000b\"", 3, 99 },
	{ "binary 1", "\xff", "\"base64:/w==\"", 0, 99 },
	{ "binary 2", "\xff\xfe", "\"base64://4=\"", 0, 99 },
	{ "binary 3", "\xff\xfe\x01", "\"base64://4B\"", 0, 99 },
	{ "binary, cut", "\xff\xfe\x01\x02", "\"base64://4B\"", 0, 3 },
	{ "ends inside a character", "f\xc3", "\"base64:ZsM=\"", 0, 99 },
	{ "a token", "<" TOKEN ">", "\"<" M_TOKEN ">\"", 0, 99 },
	{ "the cut parts it", "<" TOKEN ">", "\"<" M_TOKEN "\"", 0, 5 },
	{ "in binary", "\xff" GUEST, "\"base64:/2d1ZXMuLi42Nzg5\"", 0, 99 }
};

static void
body_lines(void)
{
	struct config *cfg = config_make("");
	struct capture_body cb;
	char want[200];
	struct record r;
	size_t i, n;

	for (i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		memset(&cb, 0, sizeof cb);
		n = bodies[i].n > 0 ? bodies[i].n : strlen(bodies[i].in);
		buf_init(&cb.kept, 4096);
		buf_add(&cb.kept, bodies[i].in, n);
		cb.size = n;
		cb.show = bodies[i].show;
		record_fill(&r, cfg, 1, 1, NOON);
		r.request = r.answer = &cb;
		snprintf(want, sizeof want, "\"request_body\":%s,",
		    bodies[i].out);
		T_OK(strstr(line_of(&r, SIZE_MAX), want) != NULL, "%s: %s",
		    bodies[i].name, line_of(&r, SIZE_MAX));
		snprintf(want, sizeof want, "\"response_body\":%s}",
		    bodies[i].out);
		T_OK(strstr(line_of(&r, SIZE_MAX), want) != NULL, "%s: %s",
		    bodies[i].name, line_of(&r, SIZE_MAX));
		buf_free(&cb.kept);
	}
	config_free(cfg);
}

/* A line in full, and what it says where nothing was. */
static void
whole_lines(void)
{
	static const struct dialect_usage usage = { .input = 3, .output = 2,
	    .cache_read = -1, .cache_write = 0, .reasoning = -1 };
	struct config *cfg = config_make("");
	struct record r;
	const char *s;

	record_fill(&r, cfg, 7, 2, NOON);
	r.head = str_of("POST /v1beta/models/m:generateContent?a=1&key=x "
	    "HTTP/1.1\r\nhost: a.test\r\nauthorization: Bearer " TOKEN
	    "\r\nX-A: 1\r\nx-a: 2\r\n\r\n");
	r.fields = str_of("content-type: text/plain\r\nx-y: caf\xe9\r\n");
	r.stream = 1;
	r.usage = &usage;
	r.key = str_of("laptop");
	s = line_of(&r, SIZE_MAX);
	T_OK(strcmp(s, "{\"number\":7,\"timestamp\":"
	    "\"2026-09-21T14:13:20.000+00:00\",\"request_id\":\"req_7\","
	    "\"attempt\":2,\"backend\":\"a\",\"method\":\"POST\",\"path\":"
	    "\"/v1beta/models/m:generateContent?a=1&key=****\",\"status\":"
	    "200,\"duration_ms\":5,\"error\":null,\"model\":\"m\","
	    "\"is_streaming\":true,\"request_body_size\":0,"
	    "\"response_body_size\":0,\"usage\":{\"input\":3,\"output\":2,"
	    "\"cache_read\":null,\"cache_write\":0,\"reasoning\":null},"
	    "\"outcome\":\"good\",\"key\":\"laptop\",\"client\":"
	    "\"anthropic\",\"client_path\":\"/v1/messages\","
	    "\"request_headers\":{\"host\":\"a.test\",\"authorization\":"
	    "\"Bearer " M_TOKEN "\",\"X-A\":\"1, 2\"},\"request_body\":null,"
	    "\"response_headers\":{\"content-type\":\"text/plain\",\"x-y\":"
	    "\"caf\xef\xbf\xbd\"},\"response_body\":null}\n") == 0, "%s", s);
	record_fill(&r, cfg, 8, 0, NOON + 7);
	r.head = r.backend = r.model = str_n(NULL, 0);
	r.status = 0;
	r.error = str_of("said " TOKEN);
	s = line_of(&r, SIZE_MAX);
	T_OK(strstr(s, "20.007+00:00") != NULL &&
	    strstr(s, "\"backend\":null,\"method\":\"POST\",\"path\":"
	    "\"/v1/messages\",\"status\":null") != NULL &&
	    strstr(s, "\"error\":\"said " M_TOKEN "\",\"model\":null") !=
	    NULL && strstr(s, "\"usage\":null") != NULL &&
	    strstr(s, "\"request_headers\":{\"Host\":\"x\",\"x-api-key\":\""
	    M_GUEST "\"}") != NULL &&
	    strstr(s, "\"response_headers\":null") != NULL, "%s", s);
	config_free(cfg);
}

static void
zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static void
times(void)
{
	struct config *cfg = config_make("");
	struct record r;
	char day[RECORD_DAY];

	record_fill(&r, cfg, 1, 1, NOON);
	zone("AAA-10:30");
	T_OK(strstr(line_of(&r, 1), "\"2026-09-22T00:43:20.000+10:30\"") !=
	    NULL, "%s", line_of(&r, 1));
	record_day(day, NOON);
	T_OK(strcmp(day, "2026-09-22") == 0, "%s", day);
	zone("BBB3:30");
	T_OK(strstr(line_of(&r, 1), "\"2026-09-21T10:43:20.000-03:30\"") !=
	    NULL, "%s", line_of(&r, 1));
	zone("UTC0");
	config_free(cfg);
}

/* ---- files ---- */

static void
days(void)
{
	struct config *cfg = config_make("\"log_directory\":\"r\"");
	struct config *other = config_make("\"log_directory\":\"s\"");
	struct config *off = config_make("");
	struct journal *j = journal_new();

	put(j, cfg, 1, NOON);
	T_OK(journal_folder(j) == NULL && size_of("r") == -1, "not set up");
	T_OK(journal_setup(j, cfg) == 0 && size_of("r") == -1, "lazy");
	put(j, cfg, 1, NOON);
	T_OK(mode_of("r") == 0700 && mode_of(TODAY) == 0600, "%o %o",
	    mode_of("r"), mode_of(TODAY));
	put(j, cfg, 2, NOON + HOUR);
	T_OK(count(text_of(TODAY), "\n") == 2, "%s", text_of(TODAY));
	/* The day of the end, and no way back to the last one. */
	put(j, cfg, 3, NOON + 11 * HOUR);
	T_OK(count(text_of("r/requests_2026-09-22.jsonl"), "\n") == 1 &&
	    count(text_of(TODAY), "\n") == 2, "midnight");
	/* Moved away: until it is reopened, the file goes on. */
	put(j, cfg, 4, NOON);
	T_OK(rename(TODAY, "r/moved") == 0, "moved");
	put(j, cfg, 5, NOON);
	T_OK(count(text_of("r/moved"), "\n") == 4 && size_of(TODAY) == -1,
	    "still there");
	journal_reopen(j);
	T_OK(size_of(TODAY) == -1, "lazy");
	put(j, cfg, 6, NOON);
	T_OK(count(text_of(TODAY), "\"number\":6") == 1, "reopened");
	/* Removed, with the folder and without. */
	T_OK(unlink(TODAY) == 0, "removed");
	put(j, cfg, 7, NOON);
	T_OK(count(text_of(TODAY), "\n") == 1, "a new one");
	folder_clear("r");
	T_OK(rmdir("r") == 0, "removed");
	put(j, cfg, 8, NOON);
	T_OK(count(text_of(TODAY), "\"number\":8") == 1 &&
	    mode_of("r") == 0700, "a new folder");
	journal_setup(j, other);
	put(j, other, 9, NOON);
	T_OK(count(text_of("s/requests_" DAY ".jsonl"), "\n") == 1 &&
	    count(text_of(TODAY), "\n") == 1, "elsewhere");
	journal_setup(j, off);
	put(j, other, 10, NOON);
	T_OK(count(text_of("s/requests_" DAY ".jsonl"), "\n") == 1, "off");
	journal_free(j);
	journal_free(NULL);
	config_free(cfg);
	config_free(other);
	config_free(off);
}

/* What a crash has left does not spoil the next line. */
static void
torn(void)
{
	struct config *cfg = config_make("\"log_directory\":\"r\"");
	struct journal *j = journal_new();

	mkdir("r", 0700);
	make(TODAY, "{\"number\":1}\n{\"number\":2,\"times");
	journal_setup(j, cfg);
	put(j, cfg, 3, NOON);
	T_OK(strstr(text_of(TODAY), "}\n{\"number\":2,\"times\n{\"number\":3,"
	    "\"timestamp\"") != NULL, "%s", text_of(TODAY));
	put(j, cfg, 4, NOON);
	T_OK(count(text_of(TODAY), "\n") == 4, "%s", text_of(TODAY));
	journal_free(j);
	config_free(cfg);
}

/* A record whose line is about that long. */
static void
put_large(struct journal *j, const struct config *cfg, uint64_t n,
    size_t size)
{
	struct capture_body cb;
	struct record r;
	char *p = malloc(size);

	memset(p, 'x', size);
	memset(&cb, 0, sizeof cb);
	cb.show = size + 1;
	cb.size = size;
	buf_init(&cb.kept, size);
	buf_add(&cb.kept, p, size);
	record_fill(&r, cfg, n, 1, NOON);
	r.answer = &cb;
	journal_record(j, &r);
	buf_free(&cb.kept);
	free(p);
}

static void
limits(void)
{
	struct config *cfg = config_make("\"log_directory\":\"r\","
	    "\"max_megabytes\":1");
	struct journal *j = journal_new();
	uint64_t sum, max = 0, i;
	char path[64];
	unsigned parts = 0, n;

	mkdir("r", 0700);
	make("r/requests_2026-09-01.jsonl", "old\n");
	make("r/requests_2026-09-02.jsonl", "old\n");
	make("r/requests_2026-9-01.jsonl", "not ours\n");
	make("r/requests_2026-09-01.jsonl.gz", "not ours\n");
	make("r/requests_2026-09-01.01.jsonl", "not ours\n");
	make("r/other", "not ours\n");
	mkdir("r/requests_2026-09-03.jsonl", 0700);
	journal_setup(j, cfg);
	for (i = 1; i <= 100; i++) {
		put_large(j, cfg, i, 30000);
		sum = journal_file_others("r", DAY) + (uint64_t)size_of(TODAY);
		if (sum > max)
			max = sum;
		T_OK(size_of(TODAY) <= 1 << 18, "%ld", size_of(TODAY));
	}
	T_OK(max <= 1 << 20 && max > 3 << 18, "%llu",
	    (unsigned long long)max);
	for (n = 1; n < 100; n++) {
		journal_file_path(path, "r", DAY, n);
		parts += size_of(path) > 0;
	}
	T_OK(parts == 3 && size_of("r/requests_2026-09-01.jsonl") == -1 &&
	    size_of("r/requests_" DAY ".1.jsonl") == -1, "%u parts", parts);
	T_OK(size_of("r/requests_2026-9-01.jsonl") == 9 &&
	    size_of("r/requests_2026-09-01.jsonl.gz") == 9 &&
	    size_of("r/requests_2026-09-01.01.jsonl") == 9 &&
	    size_of("r/other") == 9 &&
	    size_of("r/requests_2026-09-03.jsonl") > 0, "not ours");
	/* Of one that is too long for any file only the front is there. */
	journal_reopen(j);
	T_OK(journal_file_turn("r", DAY) == 0, "%s", strerror(errno));
	put_large(j, cfg, 101, 1 << 18);
	T_OK(size_of(TODAY) < 2500 && size_of(TODAY) > 1400 &&
	    strstr(text_of(TODAY), "\"response_body_size\":262144") != NULL,
	    "%ld", size_of(TODAY));
	journal_free(j);
	config_free(cfg);
}

/* The oldest first: days, then numbers, and the one without at last. */
static void
oldest(void)
{
	static const char *const names[] = {
		"2026-09-19", "2026-09-20.2", "2026-09-20.10", "2026-09-20",
		DAY ".1"
	};
	const size_t n = sizeof names / sizeof *names;
	char path[64];
	size_t i, k;

	mkdir("r", 0700);
	for (i = n; i > 0; i--) {
		snprintf(path, sizeof path, "r/requests_%s.jsonl",
		    names[i - 1]);
		make(path, "0123456789");
	}
	make(TODAY, "today");
	T_OK(journal_file_others("r", DAY) == 10 * n, "others");
	for (i = 0; i <= n; i++) {
		T_OK(journal_file_prune("r", DAY, 10 * (n - i) + 9) ==
		    10 * (n - i), "%zu", i);
		for (k = 0; k < n; k++) {
			snprintf(path, sizeof path, "r/requests_%s.jsonl",
			    names[k]);
			T_OK((size_of(path) == -1) == (k < i), "%zu %s", i,
			    path);
		}
	}
	T_OK(size_of(TODAY) == 5 && journal_file_prune("r", DAY, 0) == 0 &&
	    size_of(TODAY) == 5, "never the one of today");
}

/* ---- what goes wrong ---- */

/* What the log said, as it is told to a file. */
static const char *
logged(void)
{
	return text_of("log");
}

static int
log_open(void)
{
	int fd = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);

	fchmod(fd, 0644);
	log_setup(fd, LOG_INFO, 0);
	return fd;
}

static void
not_there(void)
{
	struct config *cfg = config_make("\"log_directory\":\"r\"");
	struct config *deep = config_make("\"log_directory\":\"x/y\"");
	struct journal *j = journal_new();
	int fd = log_open();

	make("r", "a file");
	journal_setup(j, cfg);
	put(j, cfg, 1, NOON);
	put(j, cfg, 2, NOON + 1);
	put(j, cfg, 3, NOON + 5000);
	T_OK(count(logged(), "records:") == 1 &&
	    count(logged(), "cannot open " TODAY) == 1, "%s", logged());
	unlink("r");
	/* Not at once, but soon; and when the clock was set back. */
	put(j, cfg, 4, NOON + 5500);
	T_OK(size_of("r") == -1, "a second has to pass");
	put(j, cfg, 5, NOON);
	T_OK(count(text_of(TODAY), "\n") == 1 &&
	    count(logged(), "again; 4 were lost") == 1, "%s", logged());
	put(j, cfg, 6, NOON);
	T_OK(count(logged(), "records:") == 2, "%s", logged());
	journal_setup(j, deep);
	put(j, deep, 7, NOON);
	T_OK(count(logged(), "cannot make the folder x/y") == 1 &&
	    size_of("x") == -1, "one level: %s", logged());
	/* A reload tries at once. */
	mkdir("x", 0700);
	journal_setup(j, deep);
	put(j, deep, 8, NOON);
	T_OK(count(text_of("x/y/requests_" DAY ".jsonl"), "\n") == 1,
	    "%s", logged());
	journal_free(j);
	close(fd);
	config_free(cfg);
	config_free(deep);
}

/* Neither a link to elsewhere nor a pipe that nobody reads. */
static void
no_file(void)
{
	struct config *cfg = config_make("\"log_directory\":\"r\"");
	struct journal *j = journal_new();
	int fd = log_open();

	mkdir("r", 0700);
	make("victim", "");
	T_OK(symlink("../victim", TODAY) == 0, "%s", strerror(errno));
	journal_setup(j, cfg);
	put(j, cfg, 1, NOON);
	T_OK(size_of("victim") == 0 && count(logged(), "cannot open") == 1,
	    "%s", logged());
	unlink(TODAY);
	T_OK(mkfifo(TODAY, 0600) == 0, "%s", strerror(errno));
	put(j, cfg, 2, NOON + 5000);
	T_OK(count(logged(), "records:") == 1, "%s", logged());
	unlink(TODAY);
	put(j, cfg, 3, NOON + 9000);
	T_OK(count(logged(), "again; 2 were lost") == 1, "%s", logged());
	journal_free(j);
	close(fd);
	config_free(cfg);
}

/* The disk is full in the middle of a line: nothing of it stays. */
static void
full_disk(void)
{
	struct config *cfg = config_make("\"log_directory\":\"r\"");
	struct journal *j = journal_new();
	int fd = log_open(), i;
	struct rlimit r, old;
	long before;

	signal(SIGXFSZ, SIG_IGN);
	journal_setup(j, cfg);
	put(j, cfg, 1, NOON);
	before = size_of(TODAY);
	T_OK(getrlimit(RLIMIT_FSIZE, &old) == 0, "limit");
	r = old;
	r.rlim_cur = (rlim_t)before + 100;
	T_OK(setrlimit(RLIMIT_FSIZE, &r) == 0, "limit");
	for (i = 0; i < 5; i++)
		put(j, cfg, 2, NOON);
	T_OK(size_of(TODAY) == before, "%ld", size_of(TODAY));
	r.rlim_cur = (rlim_t)before;
	T_OK(setrlimit(RLIMIT_FSIZE, &r) == 0, "limit");
	put(j, cfg, 2, NOON);
	T_OK(size_of(TODAY) == before, "%ld", size_of(TODAY));
	T_OK(setrlimit(RLIMIT_FSIZE, &old) == 0, "limit");
	put(j, cfg, 3, NOON);
	T_OK(count(text_of(TODAY), "\n") == 2 &&
	    count(text_of(TODAY), "}\n{\"number\":3,") == 1, "%s",
	    text_of(TODAY));
	T_OK(count(logged(), "records:") == 2 &&
	    count(logged(), "cannot write to " TODAY) == 1 &&
	    count(logged(), "again; 6 were lost") == 1, "%s", logged());
	journal_free(j);
	close(fd);
	config_free(cfg);
}

/* A folder that is not ours, seen by somebody who is not root. */
static void
not_allowed(void)
{
	struct config *cfg = config_make("\"log_directory\":\"r\","
	    "\"max_megabytes\":1");
	struct journal *j = journal_new();
	int fd = log_open();

	mkdir("r", 0700);
	chmod("r", 0555);
	if (geteuid() == 0) {
		chmod(".", 0755);
		T_OK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0, "%s",
		    strerror(errno));
	}
	journal_setup(j, cfg);
	put(j, cfg, 1, NOON);
	put(j, cfg, 2, NOON + 5000);
	T_OK(count(logged(), "records:") == 1 &&
	    count(logged(), "cannot open " TODAY) == 1, "%s", logged());
	journal_free(j);
	close(fd);
	config_free(cfg);
}

/* ---- reading back ---- */

struct seen {
	char text[4096];
	size_t n;
	unsigned most;		/* requests to be told of; 0: all */
};

static int
see(void *arg, const struct stats_entry *e)
{
	struct seen *s = arg;
	const struct stats_try *t;

	s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n,
	    "%llu %s %s %s %d by %s in %u", (unsigned long long)e->number,
	    e->id, e->path, stats_outcome_name(e->outcome), e->status,
	    e->backend == NULL ? "-" : e->backend->name, e->attempts);
	for (t = e->tries; t != NULL; t = t->next)
		s->n += (size_t)snprintf(s->text + s->n, sizeof s->text -
		    s->n, " [%s %s %d %s]", t->backend->name,
		    stats_outcome_name(t->outcome), t->status, t->reason);
	s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n,
	    "\n");
	return s->most > 0 && --s->most == 0 ? 42 : 0;
}

static void
put_try(struct journal *j, const struct config *cfg, uint64_t n, unsigned a,
    int status)
{
	struct record r;

	record_fill(&r, cfg, n, a, NOON + (int64_t)a * 100);
	r.status = status;
	if (a == 0) {
		r.backend = r.head = str_of("");
		r.outcome = STATS_LIMITED;
		r.error = str_of("too many");
	} else if (status != 200) {
		r.backend = str_of("b");
		r.outcome = STATS_FAILED;
		r.error = str_of("status 529: \"busy\"");
	}
	journal_record(j, &r);
}

/* A whole search, in pieces of a line; what each() said last. */
static int
look(const char *dir, int64_t wall_ms, uint64_t before,
    int (*each)(void *arg, const struct stats_entry *e), struct seen *s)
{
	struct journal_search *j = journal_search_new(dir, wall_ms, before);
	int n = 0;

	if (j == NULL)
		return -1;
	while (journal_search_step(j, 1, each, s))
		n++;
	journal_search_free(j);
	return n;
}

static void
finds(void)
{
	static const char want[] =
	    "5 req_5 /v1/messages good 200 by a in 1 [a good 200 ]\n"
	    "4 req_4 /v1/messages failed 0 by - in 2 [b failed 529 status "
	    "529: \"busy\"] [b failed 0 status 529: \"busy\"]\n"
	    "3 req_3 /v1/messages limited 429 by - in 0\n"
	    "2 req_2 /v1/messages good 200 by a in 2 [b failed 529 status "
	    "529: \"busy\"] [a good 200 ]\n"
	    "1 req_1 /v1/messages good 200 by a in 1 [a good 200 ]\n";
	struct config *cfg = config_make("\"log_directory\":\"r\"");
	struct journal *j = journal_new();
	struct seen s = { "", 0, 0 };
	struct buf b;

	buf_init(&b, 1 << 16);
	journal_setup(j, cfg);
	T_OK(look("r", NOON, 0, see, &s) == -1 &&
	    look(NULL, NOON, 0, see, &s) == -1 &&
	    journal_find_number("r") == 0 &&
	    journal_find_id("r", NOON, str_of("req_1"), &b, NULL,
	    NULL) == 0, "nothing");
	/* They end in another order than they began. */
	put_try(j, cfg, 2, 1, 529);
	put_try(j, cfg, 4, 1, 529);
	put_try(j, cfg, 5, 1, 200);
	put_try(j, cfg, 1, 1, 200);
	put_try(j, cfg, 2, 2, 200);
	put_try(j, cfg, 3, 0, 429);
	put_try(j, cfg, 4, 2, 0);
	T_OK(look("r", NOON, 0, see, &s) >= 0 &&
	    strcmp(s.text, want) == 0, "%s", s.text);
	s.n = 0;
	T_OK(look("r", NOON, 3, see, &s) >= 0 &&
	    strcmp(s.text, strstr(want, "2 req_2")) == 0, "%s", s.text);
	s.n = 0;
	s.most = 2;
	T_OK(look("r", NOON, 0, see, &s) >= 0 &&
	    count(s.text, "\n") == 2, "%s", s.text);
	T_OK(look("r", NOON + 24 * HOUR, 0, see, &s) == -1, "today");
	T_OK(journal_find_number("r") == 5, "number");
	T_OK(journal_find_id("r", NOON, str_of("req_4"), &b, NULL,
	    NULL) == 2 &&
	    json_valid(buf_str(&b), NULL, NULL) &&
	    count(buf_cstr(&b), "\"attempt\":1") == 1 &&
	    count(buf_cstr(&b), "\"request_id\":\"req_4\"") == 2, "%s",
	    buf_cstr(&b));
	buf_clear(&b);
	T_OK(journal_find_id("r", NOON, str_of("req_9"), &b, NULL,
	    NULL) == 0 &&
	    b.len == 0, "none");
	buf_free(&b);
	journal_free(j);
	config_free(cfg);
}

/* Lines that are none, and more than is looked at. */
static void
finds_among(void)
{
	struct config *cfg = config_make("\"log_directory\":\"r\"");
	struct journal *j = journal_new();
	struct seen s = { "", 0, 0 };
	struct buf b;

	buf_init(&b, 1 << 16);
	mkdir("r", 0700);
	make(TODAY, "\n\nnot json\n{\"number\":9}\n{\"number\":99,\"req\n"
	    "{\"number\":8,\"timestamp\":\"x\",\"request_id\":\"y\"}\n"
	    "{\"number\":-1}\n[]\n{\"number\":99999999999999999999}\n"
	    "{\"number\":7,\"timestamp\":\"2026-09-21T13:00:00Z\","
	    "\"request_id\":\"bare\"}\n"
	    "{\"number\":7,\"timestamp\":\"2026-09-21T13:00:00Z\","
	    "\"request_id\":\"another\"}\n{\"number\":6,\"timest");
	journal_setup(j, cfg);
	put_try(j, cfg, 3, 1, 200);
	T_OK(look("r", NOON, 0, see, &s) >= 0 && strcmp(s.text,
	    "7 bare  failed 0 by - in 0\n"
	    "7 another  failed 0 by - in 0\n"
	    "3 req_3 /v1/messages good 200 by a in 1 [a good 200 ]\n") == 0,
	    "%s", s.text);
	/* The file goes on under another name, and is still looked at. */
	journal_reopen(j);
	T_OK(journal_file_turn("r", DAY) == 0, "turned");
	s.n = 0;
	T_OK(look("r", NOON, 0, see, &s) >= 0 &&
	    count(s.text, "\n") == 3, "%s", s.text);
	put_try(j, cfg, 3, 2, 200);
	T_OK(journal_find_id("r", NOON, str_of("req_3"), &b, NULL,
	    NULL) == 2, "both");
	s.n = 0;
	T_OK(look("r", NOON, 0, see, &s) >= 0 &&
	    count(s.text, "in 2 [a good 200 ] [a good 200 ]") == 1, "%s",
	    s.text);
	put_large(j, cfg, 10, 9 << 20);
	s.n = 0;
	T_OK(look("r", NOON, 0, see, &s) >= 0 && s.n == 0 &&
	    journal_find_number("r") == 0, "the last 8 MiB: %s", s.text);
	put_try(j, cfg, 11, 1, 200);
	T_OK(look("r", NOON, 0, see, &s) >= 0 &&
	    count(s.text, "\n") == 1 && journal_find_number("r") == 11,
	    "%s", s.text);
	buf_free(&b);
	journal_free(j);
	config_free(cfg);
}

/* ---- main ---- */

/* Runs one test in an empty folder, in a process of its own. */
static void
run(void (*test)(void))
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		t_passed = t_failed = 0;
		test();
		fflush(stdout);
		/* Not exit(): what the parent holds is no leak of ours. */
		_exit(t_failed > 0 ? 1 : 0);
	}
	T_OK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0, "status %d", status);
	folder_clear(".");
}

int
main(void)
{
	char folder[] = "/tmp/t_journal.XXXXXX";

	if (mkdtemp(folder) == NULL || chdir(folder) == -1)
		return 1;
	umask(077);
	zone("UTC0");
	redacts();
	overlaps();
	words();
	captures();
	body_lines();
	whole_lines();
	times();
	days();
	folder_clear(".");
	torn();
	folder_clear(".");
	limits();
	folder_clear(".");
	oldest();
	folder_clear(".");
	finds();
	folder_clear(".");
	finds_among();
	folder_clear(".");
	run(not_there);
	run(no_file);
	run(full_disk);
	run(not_allowed);
	chdir("/");
	rmdir(folder);
	return t_end();
}
