#include "admin/say.h"

#include <string.h>

#include "json.h"
#include "wire/http_write.h"

#define SAY_MAX (16u << 20)

const char say_guard[] =
    "content-security-policy: default-src 'none'; style-src 'self'; "
    "script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n"
    "x-content-type-options: nosniff\r\n"
    "referrer-policy: no-referrer\r\n"
    "cache-control: no-store\r\n";

static void
json_with(struct web_request *r, int status, const char *more, struct str json)
{
	struct buf f;

	buf_init(&f, 4096);
	buf_adds(&f, "content-type: application/json; charset=utf-8\r\n");
	buf_adds(&f, say_guard);
	buf_adds(&f, more);
	web_answer(r, status, buf_str(&f), json);
	buf_free(&f);
}

void
say_json(struct web_request *r, int status, struct str json)
{
	json_with(r, status, "", json);
}

void
say_buf(struct web_request *r, int status, struct buf *b)
{
	buf_addc(b, '\n');
	if (b->bad)
		say_error(r, 500, "out of memory, or the answer is too "
		    "large", NULL);
	else
		say_json(r, status, buf_str(b));
	buf_wipe(b);
}

static void
error_write(struct buf *b, struct str message, struct str field)
{
	buf_adds(b, "{\"error\":{\"message\":");
	json_write(b, message);
	buf_adds(b, ",\"field\":");
	if (field.n > 0)
		json_write(b, field);
	else
		buf_adds(b, "null");
	buf_addc(b, '}');
}

static void
error_with(struct web_request *r, int status, const char *more,
    const char *message, const char *field)
{
	struct buf b;

	buf_init(&b, 65536);
	error_write(&b, str_of(message), str_of(field));
	buf_adds(&b, "}\n");
	json_with(r, status, more, buf_str(&b));
	buf_free(&b);
}

void
say_error(struct web_request *r, int status, const char *message,
    const char *field)
{
	error_with(r, status, status == 401 ?
	    "www-authenticate: Bearer\r\n" : status == 429 ?
	    "retry-after: 60\r\n" : "", message, field);
}

void
say_method(struct web_request *r, const char *allow)
{
	struct buf f;

	buf_init(&f, 256);
	http_write_field(&f, "allow", str_of(allow));
	error_with(r, 405, buf_cstr(&f), "this method is not for this path",
	    NULL);
	buf_free(&f);
}

void
say_nothing(struct web_request *r, struct str fields)
{
	struct buf f;

	buf_init(&f, 4096);
	buf_adds(&f, say_guard);
	buf_addstr(&f, fields);
	web_answer(r, 204, buf_str(&f), str_of(""));
	buf_free(&f);
}

/* Offset behind the first ": " of s that follows `after`; 0: none. */
static size_t
colon(struct str s, size_t after)
{
	for (; after + 1 < s.n; after++)
		if (s.p[after] == ':' && s.p[after + 1] == ' ')
			return after + 2;
	return 0;
}

/* The name of a key: "backends[2].base_url". */
static int
is_path(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((s.p[i] < 'a' || s.p[i] > 'z') &&
		    (s.p[i] < '0' || s.p[i] > '9') &&
		    memchr("_.[]-", s.p[i], 5) == NULL)
			return 0;
	return s.n > 0;
}

/* Takes "FILE:LINE: " and "path: " off a line. */
static void
fault_split(struct str line, struct str *message, struct str *field)
{
	size_t at = 0, end = 0, digit;

	/* The file's name may hold anything: ":123: " ends it. */
	while ((at = colon(line, at)) != 0) {
		for (digit = at - 2; digit > 0 && line.p[digit - 1] >= '0' &&
		    line.p[digit - 1] <= '9'; digit--)
			;
		if (digit < at - 2 && digit > 0 && line.p[digit - 1] == ':') {
			end = at;
			break;
		}
	}
	*message = str_n(line.p + end, line.n - end);
	*field = str_of("");
	at = colon(*message, 0);
	if (at != 0 && is_path(str_n(message->p, at - 2))) {
		*field = str_n(message->p, at - 2);
		*message = str_n(message->p + at, message->n - at);
	}
}

/* The next line of *rest; 0: there is none. */
static int
line_next(struct str *rest, struct str *line)
{
	const char *end;

	if (rest->n == 0)
		return 0;
	end = memchr(rest->p, '\n', rest->n);
	*line = str_n(rest->p, end == NULL ? rest->n :
	    (size_t)(end - rest->p));
	*rest = end == NULL ? str_of("") :
	    str_n(end + 1, rest->n - line->n - 1);
	return 1;
}

void
say_faults(struct web_request *r, int status, struct str faults)
{
	struct str line = str_of("the config is not valid"), message, field;
	struct str rest = faults;
	struct buf b;
	int n = 0;

	buf_init(&b, SAY_MAX);
	line_next(&rest, &line);
	fault_split(line, &message, &field);
	error_write(&b, message, field);
	buf_adds(&b, ",\"faults\":[");
	while (line_next(&faults, &line)) {
		if (n++ > 0)
			buf_addc(&b, ',');
		json_write(&b, line);
	}
	buf_adds(&b, "]}");
	say_buf(r, status, &b);
}
