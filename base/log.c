#include "base/log.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A pipe takes a line of this size whole or not at all (PIPE_BUF). */
#define LOG_LINE	4096
#define LOG_TEXT	8192	/* of the text before it is masked and cut */
#define LOG_TAIL	64	/* kept free for the count of lost lines */

#define SECRETS_MAX	2048
#define SECRET_MIN	8	/* no less than the bytes that key() reads */
#define FILTER_BITS	13

struct line {
	char p[LOG_LINE];
	size_t n;
};

static struct {
	int fd;
	int flags;		/* of the descriptor; -1: leave them alone */
	enum log_level level;
	int look;
	int torn;		/* the last line went out in part */
	int64_t wall_ms;
	time_t second;		/* that stamp tells */
	char stamp[32];
	uint64_t dropped, told;
} self = { 2, -1, LOG_INFO, 0, 0, 0, -1, "", 0, 0 };

static struct {
	char *p[SECRETS_MAX];
	size_t n[SECRETS_MAX];
	size_t count, longest;
	/* A bit for the first bytes of each secret: most text has none. */
	unsigned char filter[1 << (FILTER_BITS - 3)];
} secrets;

void
log_setup(int fd, enum log_level level, int look)
{
	struct stat st;

	self.fd = fd;
	self.level = level;
	self.look = look;
	self.torn = 0;
	self.second = -1;	/* the stamp has its look, too */
	self.flags = fcntl(fd, F_GETFL);
	/* A file never makes a writer wait. */
	if (self.flags != -1 && ((self.flags & O_NONBLOCK) != 0 ||
	    (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))))
		self.flags = -1;
	tzset();
}

void
log_time(int64_t wall_ms)
{
	self.wall_ms = wall_ms;
}

int
log_short(void)
{
	return (self.look & LOG_SHORT) != 0;
}

int
log_wants(enum log_level level)
{
	return level >= self.level;
}

/* The filter's bit for the first bytes of a secret. */
static unsigned
key(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return (unsigned)(v * 0x9e3779b97f4a7c15u >> (64 - FILTER_BITS));
}

void
log_secret(struct str secret)
{
	size_t i;
	unsigned k;
	char *p;

	if (secret.n < SECRET_MIN || secrets.count == SECRETS_MAX)
		return;
	for (i = 0; i < secrets.count; i++)
		if (str_eq(secret, str_n(secrets.p[i], secrets.n[i])))
			return;
	if ((p = str_dup(secret)) == NULL)
		return;
	secrets.p[secrets.count] = p;
	secrets.n[secrets.count++] = secret.n;
	if (secret.n > secrets.longest)
		secrets.longest = secret.n;
	k = key(p);
	secrets.filter[k >> 3] |= (unsigned char)(1u << (k & 7));
}

void
log_forget(void)
{
	size_t i;

	for (i = 0; i < secrets.count; i++) {
		util_wipe(secrets.p[i], secrets.n[i]);
		free(secrets.p[i]);
	}
	memset(&secrets, 0, sizeof secrets);
}

/* The longest secret that starts at p; its length, or 0. */
static size_t
secret_at(const char *p, size_t n)
{
	size_t i, best = 0;
	unsigned k = key(p);

	if ((secrets.filter[k >> 3] >> (k & 7) & 1) == 0)
		return 0;
	for (i = 0; i < secrets.count; i++)
		if (secrets.n[i] > best && secrets.n[i] <= n &&
		    memcmp(secrets.p[i], p, secrets.n[i]) == 0)
			best = secrets.n[i];
	return best;
}

size_t
log_mask(char *p, size_t n)
{
	char mask[UTIL_MASK_SIZE];
	size_t from = 0, to = 0, len;

	if (secrets.count == 0)
		return n;
	while (n - from >= SECRET_MIN) {
		if ((len = secret_at(p + from, n - from)) == 0) {
			p[to++] = p[from++];
			continue;
		}
		util_mask(mask, str_n(p + from, len));
		from += len;
		len = strlen(mask);
		memcpy(p + to, mask, len);
		to += len;
	}
	if (to < from)
		memmove(p + to, p + from, n - from);
	return to + (n - from);
}

uint64_t
log_dropped(void)
{
	return self.dropped;
}

static void
line_add(struct line *l, const char *s)
{
	size_t n = strlen(s);

	if (n <= sizeof l->p - l->n) {
		memcpy(l->p + l->n, s, n);
		l->n += n;
	}
}

/* 1 if the byte at p would not be shown but obeyed by a terminal. */
static int
is_control(const unsigned char *p, size_t n)
{
	/* U+0080 to U+009F are controls as well, in two bytes. */
	return p[0] < 0x20 || p[0] == 0x7f ||
	    (p[0] == 0xc2 && n > 1 && p[1] >= 0x80 && p[1] < 0xa0);
}

/* Adds text from others so that it stays one line that shows only. */
static void
line_text(struct line *l, const char *text, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = (const unsigned char *)text;
	size_t i, escaped = 0, room = sizeof l->p - LOG_TAIL;

	for (i = 0; i < n; i++) {
		if (l->n + 4 > room) {
			line_add(l, "...");
			return;
		}
		if (escaped == 0 && is_control(p + i, n - i))
			escaped = p[i] == 0xc2 ? 2 : 1;
		if (escaped == 0) {
			l->p[l->n++] = text[i];
			continue;
		}
		escaped--;
		l->p[l->n++] = '\\';
		l->p[l->n++] = 'x';
		l->p[l->n++] = digits[p[i] >> 4];
		l->p[l->n++] = digits[p[i] & 15];
	}
}

/* Adds the local time and the level, or the status if there is one. */
static void
line_head(struct line *l, enum log_level level, int status)
{
	static const char *const names[] = {
		"debug", "info ", "warn ", "error"
	};
	static const char *const colours[] = { "2", "32", "33", "31" };
	time_t second = (time_t)(self.wall_ms / 1000);
	const char *name = names[level], *colour = colours[level];
	char t[64], code[16];
	struct tm tm;

	if (second != self.second && localtime_r(&second, &tm) != NULL &&
	    strftime(self.stamp, sizeof self.stamp, log_short() ?
	    "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm) > 0)
		self.second = second;
	line_add(l, self.stamp);
	if (!log_short()) {
		snprintf(t, sizeof t, ".%03d", (int)(self.wall_ms % 1000));
		line_add(l, t);
	} else if (status != 0) {
		snprintf(code, sizeof code, "%-5d", status);
		name = code;
		colour = colours[status < 400 ? LOG_INFO : status < 500 ?
		    LOG_WARN : LOG_ERROR];
	}
	if (self.look & LOG_COLOUR)
		snprintf(t, sizeof t, " \033[%sm%s\033[0m ", colour, name);
	else
		snprintf(t, sizeof t, " %s ", name);
	line_add(l, t);
}

/*
 * Writes without ever waiting.  The descriptor is often shared with the
 * shell and its other children, so its flags are borrowed for one write.
 */
static ssize_t
write_now(const char *p, size_t n)
{
	ssize_t rc;

	if (self.flags != -1 &&
	    fcntl(self.fd, F_SETFL, self.flags | O_NONBLOCK) == -1)
		return -1;
	do
		rc = write(self.fd, p, n);
	while (rc == -1 && errno == EINTR);
	if (self.flags != -1)
		(void)fcntl(self.fd, F_SETFL, self.flags);
	return rc;
}

static void
line_write(struct line *l)
{
	char t[LOG_TAIL];
	uint64_t lost = self.dropped - self.told;
	ssize_t rc;

	if (lost > 0) {
		snprintf(t, sizeof t, " (%llu lines lost before this)",
		    (unsigned long long)lost);
		line_add(l, t);
	}
	line_add(l, "\n");
	rc = write_now(l->p, l->n);
	if (rc == (ssize_t)l->n) {
		self.told = self.dropped;
		self.torn = 0;
		return;
	}
	self.dropped++;
	if (rc > 0)
		self.torn = 1;
}

#if defined(__GNUC__)
__attribute__((format(printf, 3, 0)))
#endif
static void
log_line(enum log_level level, int status, const char *fmt, va_list ap)
{
	int n, saved = errno;
	char text[LOG_TEXT];
	struct line l;
	size_t len;

	n = vsnprintf(text, sizeof text, fmt, ap);
	if (n < 0)
		n = 0;
	if ((size_t)n < sizeof text) {
		len = log_mask(text, (size_t)n);
	} else {
		/* Its end may be the front half of a secret. */
		len = log_mask(text, sizeof text - 1);
		len -= len < secrets.longest ? len : secrets.longest;
	}
	l.n = 0;
	if (self.torn)
		line_add(&l, "\n");
	line_head(&l, level, status);
	line_text(&l, text, len);
	line_write(&l);
	errno = saved;
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	if (!log_wants(LOG_DEBUG))
		return;
	va_start(ap, fmt);
	log_line(LOG_DEBUG, 0, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	if (!log_wants(LOG_INFO))
		return;
	va_start(ap, fmt);
	log_line(LOG_INFO, 0, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	if (!log_wants(LOG_WARN))
		return;
	va_start(ap, fmt);
	log_line(LOG_WARN, 0, fmt, ap);
	va_end(ap);
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	if (!log_wants(LOG_ERROR))
		return;
	va_start(ap, fmt);
	log_line(LOG_ERROR, 0, fmt, ap);
	va_end(ap);
}

void
log_status(enum log_level level, int status, const char *fmt, ...)
{
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	log_line(level, status, fmt, ap);
	va_end(ap);
}
