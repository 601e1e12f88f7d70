#include "admin/record.h"

#include <stdio.h>
#include <time.h>

#include "relay/redact.h"
#include "json.h"

#define RECORD_VALUE	(4u * HTTP_HEAD_MAX)	/* bytes of a field, masked */

/* ---- time ---- */

static void
local(struct tm *tm, int64_t wall_ms)
{
	time_t t = (time_t)(wall_ms / 1000);

	if (localtime_r(&t, tm) == NULL)
		memset(tm, 0, sizeof *tm);
}

void
record_day(char day[RECORD_DAY], int64_t wall_ms)
{
	struct tm tm;

	local(&tm, wall_ms);
	if (strftime(day, RECORD_DAY, "%Y-%m-%d", &tm) == 0)
		memcpy(day, "0000-00-00", RECORD_DAY);
}

/* RFC 3339 with milliseconds and the offset of the local time. */
static void
put_time(struct buf *out, int64_t wall_ms)
{
	int64_t off;
	struct tm tm;
	char text[64];

	local(&tm, wall_ms);
	off = util_days(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1,
	    (unsigned)tm.tm_mday) * 86400 + tm.tm_hour * 3600 +
	    tm.tm_min * 60 + tm.tm_sec - wall_ms / 1000;
	if (strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		text[0] = '\0';
	buf_fmt(out, "\"%s.%03d%c%02d:%02d\"", text, (int)(wall_ms % 1000),
	    off < 0 ? '-' : '+', (int)((off < 0 ? -off : off) / 3600),
	    (int)((off < 0 ? -off : off) / 60 % 60));
}

/* ---- members ---- */

static void
put_name(struct buf *out, const char *name)
{
	buf_adds(out, ",\"");
	buf_adds(out, name);
	buf_adds(out, "\":");
}

static void
put_u(struct buf *out, const char *name, uint64_t n)
{
	put_name(out, name);
	buf_addu(out, n);
}

/* "": null. */
static void
put_text(struct buf *out, const struct redact *k, const char *name,
    struct str s)
{
	struct buf b;

	put_name(out, name);
	if (s.n == 0) {
		buf_adds(out, "null");
		return;
	}
	buf_init(&b, 2 * s.n + 64);
	redact_text(&b, k, s, s.n);
	json_write(out, buf_str(&b));
	out->bad |= b.bad;
	buf_wipe(&b);
}

static void
put_count(struct buf *out, const char *before, int64_t n)
{
	buf_adds(out, before);
	if (n < 0)
		buf_adds(out, "null");
	else
		buf_addu(out, (uint64_t)n);
}

static void
put_usage(struct buf *out, const struct dialect_usage *u)
{
	put_name(out, "usage");
	if (u == NULL || (u->input < 0 && u->output < 0 &&
	    u->cache_read < 0 && u->cache_write < 0 && u->reasoning < 0)) {
		buf_adds(out, "null");
		return;
	}
	put_count(out, "{\"input\":", u->input);
	put_count(out, ",\"output\":", u->output);
	put_count(out, ",\"cache_read\":", u->cache_read);
	put_count(out, ",\"cache_write\":", u->cache_write);
	put_count(out, ",\"reasoning\":", u->reasoning);
	buf_addc(out, '}');
}

/* ---- heads ---- */

/* Takes the next line off the front of *s. */
static struct str
line_take(struct str *s)
{
	struct str line = *s;
	const char *end;

	if (s->n == 0)
		return line;
	if ((end = memchr(s->p, '\n', s->n)) != NULL)
		line.n = (size_t)(end - s->p);
	*s = str_n(line.p + line.n + (end != NULL),
	    s->n - line.n - (end != NULL));
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static int
line_field(struct str line, struct http_field *f)
{
	const char *colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);

	if (colon == NULL)
		return -1;
	f->name = str_n(line.p, (size_t)(colon - line.p));
	f->value = str_trim(str_n(colon + 1, line.n - f->name.n - 1));
	return 0;
}

/* Fields of one name are one member (RFC 9110 5.3). */
static void
put_fields(struct buf *out, const struct redact *k, const char *name,
    const struct http_field *f, size_t n)
{
	struct buf b;
	size_t i, j;
	int first = 1;

	put_name(out, name);
	buf_addc(out, '{');
	buf_init(&b, RECORD_VALUE);
	for (i = 0; i < n; i++) {
		for (j = 0; j < i && !str_caseeq(f[j].name, f[i].name); j++)
			;
		if (j < i)
			continue;
		buf_cut(&b, 0);
		for (j = i; j < n; j++) {
			if (!str_caseeq(f[j].name, f[i].name))
				continue;
			buf_adds(&b, j > i ? ", " : "");
			redact_field(&b, k, f[j].name, f[j].value);
		}
		buf_adds(out, first ? "" : ",");
		json_write(out, f[i].name);
		buf_addc(out, ':');
		json_write(out, buf_str(&b));
		first = 0;
	}
	buf_addc(out, '}');
	out->bad |= b.bad;
	buf_wipe(&b);
}

/* The same of lines "name: value". */
static void
put_lines(struct buf *out, const struct redact *k, const char *name,
    struct str lines)
{
	struct http_field f[HTTP_FIELDS_MAX];
	size_t n = 0;

	while (lines.n > 0 && n < HTTP_FIELDS_MAX)
		if (line_field(line_take(&lines), &f[n]) == 0)
			n++;
	put_fields(out, k, name, f, n);
}

static void
put_target(struct buf *out, const struct redact *k, const char *name,
    struct str target)
{
	struct buf b;

	put_name(out, name);
	buf_init(&b, RECORD_VALUE);
	redact_target(&b, k, target);
	json_write(out, buf_str(&b));
	out->bad |= b.bad;
	buf_wipe(&b);
}

/* Method and target of a start line; of what came where none was sent. */
static void
put_start(struct buf *out, const struct redact *k, const struct record *r,
    struct str line)
{
	struct str method, target;
	const char *p = line.n == 0 ? NULL : memchr(line.p, ' ', line.n);

	method = r->client->method;
	target = r->client->target;
	if (p != NULL) {
		method = str_n(line.p, (size_t)(p - line.p));
		target = str_n(p + 1, line.n - method.n - 1);
		for (p = target.p; p < target.p + target.n && *p != ' '; p++)
			;
		target.n = (size_t)(p - target.p);
	}
	put_text(out, k, "method", method);
	put_target(out, k, "path", target);
}

/* ---- bodies ---- */

/* Without the front part of a character that a cut has left at its end. */
static struct str
whole(struct str s)
{
	size_t i;

	for (i = 1; i <= 3 && i < s.n; i++) {
		if ((s.p[s.n - i] & 0xc0) == 0x80)
			continue;
		if ((s.p[s.n - i] & 0xc0) == 0xc0 &&
		    json_scan_utf8(s.p + s.n - i, i) < 0)
			s.n -= i;
		break;
	}
	return s;
}

static int
is_utf8(struct str s)
{
	size_t i;
	int n;

	for (i = 0; i < s.n; i += (size_t)n)
		if ((n = json_scan_utf8(s.p + i, s.n - i)) < 0)
			return 0;
	return 1;
}

static void
put_base64(struct buf *out, struct str s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)s.p;
	char t[4];
	size_t i, left;
	unsigned v;

	buf_adds(out, "\"base64:");
	for (i = 0; i < s.n; i += 3) {
		left = s.n - i;
		v = (unsigned)p[i] << 16;
		v |= left > 1 ? (unsigned)p[i + 1] << 8 : 0;
		v |= left > 2 ? p[i + 2] : 0;
		t[0] = digits[v >> 18];
		t[1] = digits[v >> 12 & 63];
		t[2] = left > 1 ? digits[v >> 6 & 63] : '=';
		t[3] = left > 2 ? digits[v & 63] : '=';
		buf_add(out, t, sizeof t);
	}
	buf_addc(out, '"');
}

static void
put_body(struct buf *out, const struct redact *k, const char *name,
    const struct capture_body *cb, size_t most)
{
	struct str all, s;
	struct buf b;

	put_name(out, name);
	if (cb == NULL || cb->show == 0) {
		buf_adds(out, "null");
		return;
	}
	all = buf_str(&cb->kept);
	if (most > cb->show)
		most = cb->show;
	buf_init(&b, 2 * all.n + 64);
	redact_text(&b, k, all, most);
	s = buf_str(&b);
	if (cb->size > most)
		s = whole(s);
	if (is_utf8(s))
		json_write(out, s);
	else
		put_base64(out, s);
	out->bad |= b.bad;
	buf_wipe(&b);
}

/* ---- the line ---- */

static uint64_t
size_of(const struct capture_body *cb)
{
	return cb == NULL ? 0 : cb->size;
}

static void
put_all(struct buf *out, const struct redact *k, const struct record *r,
    size_t most)
{
	struct str head = r->head;

	buf_adds(out, "{\"number\":");
	buf_addu(out, r->number);
	put_name(out, "timestamp");
	put_time(out, r->wall_ms);
	put_text(out, k, "request_id", r->id);
	put_u(out, "attempt", r->attempt);
	put_text(out, k, "backend", r->backend);
	put_start(out, k, r, line_take(&head));
	put_name(out, "status");
	put_count(out, "", r->status > 0 ? r->status : -1);
	put_u(out, "duration_ms", r->duration_us / 1000);
	put_text(out, k, "error", r->error);
	put_text(out, k, "model", r->model);
	put_name(out, "is_streaming");
	buf_adds(out, r->stream ? "true" : "false");
	put_u(out, "request_body_size", size_of(r->request));
	put_u(out, "response_body_size", size_of(r->answer));
	put_usage(out, r->usage);
	put_text(out, k, "outcome", str_of(stats_outcome_name(r->outcome)));
	put_text(out, k, "key", r->key);
	put_text(out, k, "client", str_of(dialect_name(r->api)));
	put_target(out, k, "client_path", r->client->path);
	if (head.n == 0)
		put_fields(out, k, "request_headers", r->client->fields,
		    r->client->nfields);
	else
		put_lines(out, k, "request_headers", head);
	put_body(out, k, "request_body", r->request, most);
	if (r->attempt == 0 || r->status == 0) {
		put_name(out, "response_headers");
		buf_adds(out, "null");
	} else
		put_lines(out, k, "response_headers", r->fields);
	put_body(out, k, "response_body", r->status == 0 ? NULL : r->answer,
	    most);
	buf_adds(out, "}\n");
}

int
record_write(struct buf *out, const struct record *r, size_t most)
{
	struct redact k;

	if (redact_init(&k, r->cfg, r->client) == 0)
		put_all(out, &k, r, most);
	else
		out->bad = 1;
	redact_free(&k);
	return out->bad ? -1 : 0;
}
