#include "relay/forward.h"
#include "wire/http_write.h"

#include <string.h>

/* "/v1/v1/x" is what clients make of a base URL that ends in /v1. */
static struct str
path_plain(struct str path)
{
	while (str_starts(path, "/v1/v1/")) {
		path.p += 3;
		path.n -= 3;
	}
	return path;
}

/* Length of a leading "/v1", "/v1beta" or "/v1alpha", 0 if none. */
static size_t
version_length(struct str path)
{
	static const char *const known[] = { "/v1beta", "/v1alpha", "/v1" };
	size_t i, n;

	for (i = 0; i < sizeof known / sizeof *known; i++) {
		n = strlen(known[i]);
		if (str_starts(path, known[i]) &&
		    (path.n == n || path.p[n] == '/'))
			return n;
	}
	return 0;
}

/* The path with the model's name in it (Gemini) exchanged. */
static int
path_write(struct buf *out, struct str path, struct str model,
    struct str as)
{
	size_t before;

	if (model.n == 0 || str_eq(model, as) || model.p < path.p ||
	    model.p + model.n > path.p + path.n)
		return buf_addstr(out, path);
	before = (size_t)(model.p - path.p);
	buf_add(out, path.p, before);
	buf_addstr(out, as);
	return buf_add(out, model.p + model.n, path.n - before - model.n);
}

/* The path as the backend sees it, with `as` in the place of model. */
static void
target_write(struct buf *out, const struct config_backend *b,
    struct str path, struct str model, struct str as)
{
	struct str base = b->url.path, before = str_of(""), v;
	size_t n = version_length(path);

	v = str_n(path.p, n);
	if (b->path_prefix.p != NULL && n == 3) {
		before = b->path_prefix;
		v = str_n(before.p, version_length(before));
		path = str_n(path.p + n, path.n - n);
	}
	if (v.n > 0 && base.n >= v.n &&
	    str_eq(v, str_n(base.p + base.n - v.n, v.n)))
		base.n -= v.n;
	buf_addstr(out, base);
	buf_addstr(out, before);
	path_write(out, path, model, as);
}

int
forward_target(struct buf *out, const struct http_head *h,
    const struct config_backend *b, const struct dialect_call *call)
{
	size_t at;

	target_write(out, b, path_plain(h->path), call->model,
	    config_model_for(b, call->model));
	if (h->query.n > 0) {
		at = out->len;
		buf_addc(out, '?');
		http_query_without(out, h->query, "key");
		if (out->len == at + 1)
			buf_cut(out, at);
	}
	return out->bad ? -1 : 0;
}

/* 1 if the backend's `headers` set a field of that name. */
static int
overridden(const struct config_backend *b, const char *name)
{
	size_t i;

	for (i = 0; i < b->nheaders; i++)
		if (str_caseis(b->headers[i].name, name))
			return 1;
	return 0;
}

/* A credential, unless `headers` have their own. */
static void
key_write(struct buf *out, const struct config_backend *b, const char *name,
    const char *before)
{
	if (overridden(b, name))
		return;
	buf_adds(out, name);
	buf_adds(out, ": ");
	buf_adds(out, before);
	buf_addstr(out, b->token);
	buf_adds(out, "\r\n");
}

static int
auth_write(struct buf *out, const struct http_head *h,
    const struct config_backend *b, enum dialect client)
{
	static const struct {
		enum http_id id;
		const char *name;
	} own[] = {
		{ HTTP_AUTHORIZATION, "authorization" },
		{ HTTP_X_API_KEY, "x-api-key" },
		{ HTTP_X_GOOG_API_KEY, "x-goog-api-key" }
	};
	size_t i;
	struct str v;

	if (b->auth == AUTH_PASSTHROUGH) {
		for (i = 0; i < sizeof own / sizeof *own; i++)
			if ((v = http_get(h, own[i].id)).p != NULL &&
			    !overridden(b, own[i].name))
				http_write_field(out, own[i].name, v);
		v = http_query_get(h->query, "key");
		if (v.p != NULL && b->api == DIALECT_GEMINI &&
		    http_get(h, HTTP_X_GOOG_API_KEY).p == NULL &&
		    !overridden(b, "x-goog-api-key"))
			http_write_field(out, "x-goog-api-key", v);
		return out->bad ? -1 : 0;
	}
	if (b->token.n == 0)
		return 0;
	if (b->auth == AUTH_BEARER || b->auth == AUTH_BOTH)
		key_write(out, b, "authorization", "Bearer ");
	if (b->auth == AUTH_X_API_KEY || b->auth == AUTH_BOTH)
		key_write(out, b, "x-api-key", "");
	if (b->auth == AUTH_BY_PATH && client == DIALECT_ANTHROPIC) {
		key_write(out, b, "x-api-key", "");
		if (http_get(h, HTTP_ANTHROPIC_VERSION).p == NULL)
			buf_adds(out, "anthropic-version: 2023-06-01\r\n");
	} else if (b->auth == AUTH_BY_PATH)
		key_write(out, b, "authorization", "Bearer ");
	if (b->auth == AUTH_X_GOOG_API_KEY)
		key_write(out, b, "x-goog-api-key", "");
	return out->bad ? -1 : 0;
}

/* The same for a field of the client's. */
static int
replaced(const struct config_backend *b, struct str name)
{
	size_t i;

	for (i = 0; i < b->nheaders; i++)
		if (str_caseeq(b->headers[i].name, name))
			return 1;
	return 0;
}

static int
request_field_goes(const struct http_field *f, int read)
{
	switch (f->id) {
	case HTTP_HOST:
	case HTTP_CONTENT_LENGTH:
	case HTTP_EXPECT:
	case HTTP_AUTHORIZATION:
	case HTTP_X_API_KEY:
	case HTTP_X_GOOG_API_KEY:
		return 0;
	case HTTP_ACCEPT_ENCODING:
		return !read;
	default:
		return !f->hop;
	}
}

/* 1 if the line stands in its head just as it would be written. */
static int
line_canonical(const struct http_field *f)
{
	const char *end = f->value.p + f->value.n;

	return f->value.n > 0 && f->value.p == f->name.p + f->name.n + 2 &&
	    f->name.p[f->name.n + 1] == ' ' && *end == '\r';
}

/*
 * Fields that follow one another unchanged are copied in one piece: run is
 * the piece so far.
 */
static void
line_write(struct buf *out, struct str *run, const struct http_field *f)
{
	size_t n = f->name.n + f->value.n + 4;

	if (line_canonical(f) && (run->n == 0 ||
	    f->name.p == run->p + run->n)) {
		if (run->n == 0)
			run->p = f->name.p;
		run->n += n;
		return;
	}
	buf_addstr(out, *run);
	*run = str_n(f->name.p, 0);
	if (line_canonical(f)) {
		run->n = n;
		return;
	}
	buf_addstr(out, f->name);
	buf_add(out, ": ", 2);
	buf_addstr(out, f->value);
	buf_add(out, "\r\n", 2);
}

/* The backend's own fields, the length and the empty line. */
static int
head_end(struct buf *out, const struct config_backend *b, int64_t length)
{
	size_t i;

	for (i = 0; i < b->nheaders; i++)
		if (b->headers[i].value.n > 0) {	/* empty: removed */
			buf_addstr(out, b->headers[i].name);
			buf_add(out, ": ", 2);
			buf_addstr(out, b->headers[i].value);
			buf_add(out, "\r\n", 2);
		}
	if (length >= 0)
		http_write_fieldu(out, "content-length", (uint64_t)length);
	return buf_add(out, "\r\n", 2);
}

int
forward_request(struct buf *out, const struct http_head *h,
    const struct config_backend *b, const struct dialect_call *call,
    int read, int64_t length)
{
	const struct http_field *f;
	struct str run = { NULL, 0 };
	size_t i;

	buf_addstr(out, h->method);
	buf_addc(out, ' ');
	forward_target(out, h, b, call);
	buf_adds(out, " HTTP/1.1\r\n");
	http_write_field(out, "host", b->url.host_port);
	auth_write(out, h, b, call->dialect);
	for (i = 0; i < h->nfields; i++) {
		f = &h->fields[i];
		if (request_field_goes(f, read) &&
		    !replaced(b, f->name))
			line_write(out, &run, f);
	}
	buf_addstr(out, run);
	if (read)
		buf_adds(out, "accept-encoding: identity\r\n");
	return head_end(out, b, length);
}

/* The client's own credential, in the form of the backend's API. */
static void
guest_write(struct buf *out, const struct http_head *h,
    const struct config_backend *b)
{
	static const char *const names[] = {
		"x-api-key", "authorization", "x-goog-api-key"
	};
	struct str v = http_get(h, HTTP_X_API_KEY);

	if (v.p == NULL)
		v = http_get(h, HTTP_X_GOOG_API_KEY);
	if (v.p == NULL) {
		v = http_get(h, HTTP_AUTHORIZATION);
		if (str_casestarts(v, "bearer "))
			v = str_trim(str_n(v.p + 7, v.n - 7));
	}
	if (v.p == NULL)
		v = http_query_get(h->query, "key");
	if (v.n == 0 || overridden(b, names[b->api]))
		return;
	buf_adds(out, names[b->api]);
	buf_adds(out, b->api == DIALECT_OPENAI ? ": Bearer " : ": ");
	buf_addstr(out, v);
	buf_adds(out, "\r\n");
}

/* A request of our own, up to the fields that its body needs. */
static void
foreign_begin(struct buf *out, const char *method, const struct http_head *h,
    const struct config_backend *b, struct str path)
{
	struct str agent = http_find(h, "user-agent");
	const char *query = memchr(path.p, '?', path.n);
	size_t n = query == NULL ? path.n : (size_t)(query - path.p);

	buf_adds(out, method);
	target_write(out, b, str_n(path.p, n), str_of(""), str_of(""));
	buf_add(out, path.p + n, path.n - n);
	buf_adds(out, " HTTP/1.1\r\n");
	http_write_field(out, "host", b->url.host_port);
	if (b->auth == AUTH_PASSTHROUGH)
		guest_write(out, h, b);
	else
		auth_write(out, h, b, b->api);
	if (b->api == DIALECT_ANTHROPIC && !overridden(b, "anthropic-version"))
		buf_adds(out, "anthropic-version: 2023-06-01\r\n");
	if (agent.n > 0 && !overridden(b, "user-agent"))
		http_write_field(out, "user-agent", agent);
	buf_adds(out, "accept-encoding: identity\r\n");
}

int
forward_translated(struct buf *out, const struct http_head *h,
    const struct config_backend *b, struct str path, int stream,
    int64_t length)
{
	foreign_begin(out, "POST ", h, b, path);
	if (!overridden(b, "content-type"))
		buf_adds(out, "content-type: application/json\r\n");
	if (!overridden(b, "accept"))
		buf_adds(out, stream ? "accept: text/event-stream\r\n" :
		    "accept: application/json\r\n");
	return head_end(out, b, length);
}

int
forward_list(struct buf *out, const struct http_head *h,
    const struct config_backend *b, struct str path)
{
	foreign_begin(out, "GET ", h, b, path);
	if (!overridden(b, "accept"))
		buf_adds(out, "accept: application/json\r\n");
	return head_end(out, b, -1);
}

int
forward_answer(struct buf *out, const struct http_head *h, int unpacked)
{
	const struct http_field *f;
	struct str run = { NULL, 0 };
	size_t i;

	for (i = 0; i < h->nfields; i++) {
		f = &h->fields[i];
		if (f->hop || f->id == HTTP_CONTENT_LENGTH ||
		    f->id == HTTP_CONTENT_TYPE || f->id == HTTP_X_REQUEST_ID ||
		    (unpacked && f->id == HTTP_CONTENT_ENCODING) ||
		    (f->name.n > 11 &&
		    str_casestarts(f->name, "x-spillway-")))
			continue;
		line_write(out, &run, f);
	}
	buf_addstr(out, run);
	return out->bad ? -1 : 0;
}

int
forward_label(struct buf *out, const char *name, struct str value)
{
	char hex[3];
	size_t i;

	buf_adds(out, name);
	buf_add(out, ": ", 2);
	for (i = 0; i < value.n; i++) {
		if (value.p[i] > ' ' && value.p[i] < 0x7f &&
		    value.p[i] != '%') {
			buf_addc(out, value.p[i]);
			continue;
		}
		util_hex(hex, value.p + i, 1);
		buf_addc(out, '%');
		buf_add(out, hex, 2);
	}
	return buf_add(out, "\r\n", 2);
}
