#include "dialect/fault.h"

#include <stdio.h>
#include <string.h>

#include "dialect/text.h"
#include "json.h"
#include "wire/json_tree.h"

#define BODY_SHOWN	500	/* characters of a body that is no JSON */
#define KEY_MIN		8	/* characters of a key, after its prefix */
#define REMOVED		"[removed]"
#define TOO_LONG	"prompt is too long"
#define N(a)		(sizeof (a) / sizeof (a)[0])

/* How a class looks in each API. */
static const struct look {
	int anthropic_status;
	const char *anthropic;
	int openai_status;
	const char *openai, *code;	/* code NULL: null */
	const char *gemini;
} looks[] = {
	[MSG_INVALID] = { 400, "invalid_request_error", 400,
	    "invalid_request_error", NULL, "INVALID_ARGUMENT" },
	[MSG_CONTEXT] = { 400, "invalid_request_error", 400,
	    "invalid_request_error", "context_length_exceeded",
	    "INVALID_ARGUMENT" },
	[MSG_AUTH] = { 401, "authentication_error", 401,
	    "invalid_request_error", "invalid_api_key", "UNAUTHENTICATED" },
	[MSG_BILLING] = { 402, "billing_error", 429,
	    "insufficient_quota", "insufficient_quota",
	    "RESOURCE_EXHAUSTED" },
	[MSG_PERMISSION] = { 403, "permission_error", 403,
	    "invalid_request_error", "permission_denied",
	    "PERMISSION_DENIED" },
	[MSG_NOT_FOUND] = { 404, "not_found_error", 404,
	    "invalid_request_error", "not_found", "NOT_FOUND" },
	[MSG_CONFLICT] = { 409, "conflict_error", 409,
	    "invalid_request_error", "conflict", "ABORTED" },
	[MSG_TOO_LARGE] = { 413, "request_too_large", 413,
	    "invalid_request_error", "request_too_large",
	    "INVALID_ARGUMENT" },
	[MSG_RATE] = { 429, "rate_limit_error", 429,
	    "rate_limit_error", "rate_limit_exceeded",
	    "RESOURCE_EXHAUSTED" },
	[MSG_OVERLOADED] = { 529, "overloaded_error", 503,
	    "server_error", "overloaded", "UNAVAILABLE" },
	[MSG_TIMEOUT] = { 504, "timeout_error", 504,
	    "server_error", "timeout", "DEADLINE_EXCEEDED" },
	[MSG_SERVER] = { 500, "api_error", 500,
	    "server_error", NULL, "INTERNAL" },
	[MSG_GATEWAY] = { 502, "api_error", 502,
	    "server_error", NULL, "INTERNAL" }
};

/* A word of a provider's that tells the class. */
struct word {
	const char *name;
	enum msg_class class;
};

static const struct word anthropic_types[] = {
	{ "invalid_request_error", MSG_INVALID },
	{ "authentication_error", MSG_AUTH },
	{ "billing_error", MSG_BILLING },
	{ "permission_error", MSG_PERMISSION },
	{ "not_found_error", MSG_NOT_FOUND },
	{ "conflict_error", MSG_CONFLICT },
	{ "request_too_large", MSG_TOO_LARGE },
	{ "rate_limit_error", MSG_RATE },
	{ "api_error", MSG_SERVER },
	{ "timeout_error", MSG_TIMEOUT },
	{ "overloaded_error", MSG_OVERLOADED }
};

static const struct word openai_codes[] = {
	{ "insufficient_quota", MSG_BILLING },
	{ "invalid_api_key", MSG_AUTH },
	{ "model_not_found", MSG_NOT_FOUND }
};

/* These say less than a status does, but a stream has none. */
static const struct word openai_stream[] = {
	{ "rate_limit_exceeded", MSG_RATE },
	{ "invalid_request_error", MSG_INVALID }
};

static const struct word gemini_status[] = {
	{ "INVALID_ARGUMENT", MSG_INVALID },
	{ "FAILED_PRECONDITION", MSG_INVALID },
	{ "OUT_OF_RANGE", MSG_INVALID },
	{ "UNAUTHENTICATED", MSG_AUTH },
	{ "PERMISSION_DENIED", MSG_PERMISSION },
	{ "NOT_FOUND", MSG_NOT_FOUND },
	{ "ABORTED", MSG_CONFLICT },
	{ "ALREADY_EXISTS", MSG_CONFLICT },
	{ "RESOURCE_EXHAUSTED", MSG_RATE },
	{ "UNAVAILABLE", MSG_OVERLOADED },
	{ "DEADLINE_EXCEEDED", MSG_TIMEOUT },
	{ "INTERNAL", MSG_SERVER },
	{ "UNKNOWN", MSG_SERVER },
	{ "DATA_LOSS", MSG_SERVER },
	{ "UNIMPLEMENTED", MSG_INVALID }
};

/* 1 with *class set if the string n is one of the words. */
static int
word_of(const struct word *words, size_t count, const struct node *n,
    enum msg_class *class)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (tree_is(n, words[i].name)) {
			*class = words[i].class;
			return 1;
		}
	return 0;
}

static enum msg_class
class_of_status(uint64_t status)
{
	switch (status) {
	case 401:
		return MSG_AUTH;
	case 402:
		return MSG_BILLING;
	case 403:
		return MSG_PERMISSION;
	case 404:
		return MSG_NOT_FOUND;
	case 408:
	case 504:
		return MSG_TIMEOUT;
	case 409:
		return MSG_CONFLICT;
	case 413:
		return MSG_TOO_LARGE;
	case 429:
		return MSG_RATE;
	case 503:
	case 529:
		return MSG_OVERLOADED;
	default:
		return status >= 400 && status < 500 ? MSG_INVALID
		    : MSG_SERVER;
	}
}

/* The status in error.code, a number or its digits; 0: none. */
static uint64_t
code_of(const struct node *error)
{
	struct str s = tree_get_number(error, "code");
	uint64_t code;

	if (s.p == NULL)
		s = tree_get_text(error, "code");
	return s.p != NULL && util_u64(s, 599, &code) == 0 && code >= 400 ?
	    code : 0;
}

/* 1 if a member of one of the details is that string. */
static int
has_reason(const struct node *error, const char *reason)
{
	const struct node *d = tree_get(error, "details");

	if (d == NULL || d->type != JSON_ARRAY)
		return 0;
	for (d = d->child; d != NULL; d = d->next)
		if (tree_is(tree_get(d, "reason"), reason))
			return 1;
	return 0;
}

static enum msg_class
class_of(enum dialect upstream, const struct node *error, int status,
    struct str message)
{
	const struct node *type = tree_get(error, "type");
	const struct node *code = tree_get(error, "code");
	enum msg_class c;

	switch (upstream) {
	case DIALECT_ANTHROPIC:
		if (word_of(anthropic_types, N(anthropic_types), type, &c))
			return c;
		break;
	case DIALECT_GEMINI:
		if (has_reason(error, "API_KEY_INVALID") ||
		    str_casefind(message, str_of("API key not valid")) >= 0)
			return MSG_AUTH;
		if (word_of(gemini_status, N(gemini_status),
		    tree_get(error, "status"), &c))
			return c;
		break;
	default:
		if (word_of(openai_codes, N(openai_codes), code, &c) ||
		    word_of(openai_codes, N(openai_codes), type, &c))
			return c;
		if (status < 400 && word_of(openai_stream, 1, code, &c))
			return c;
		if (status < 400 && code_of(error) == 0 &&
		    (word_of(openai_stream, N(openai_stream), type, &c)))
			return c;
		break;
	}
	return class_of_status(status >= 400 ? (uint64_t)status :
	    code_of(error));
}

/* 1 if an error of class invalid says that the prompt is too long. */
static int
is_context(struct str message, struct str code)
{
	static const char *const words[] = {
		"maximum context length", "context_length_exceeded",
		TOO_LONG, "exceed context limit",
		"exceeds the maximum number of tokens"
	};
	size_t i;

	for (i = 0; i < N(words); i++)
		if (str_casefind(message, str_of(words[i])) >= 0 ||
		    str_casefind(code, str_of(words[i])) >= 0)
			return 1;
	return 0;
}

/* ---- messages ---- */

static int
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* The length of a URL at the start of s; 0: none. */
static size_t
url_length(struct str s)
{
	size_t n;

	if (!str_casestarts(s, "http://") && !str_casestarts(s, "https://"))
		return 0;
	for (n = 0; n < s.n && (unsigned char)s.p[n] > ' ' &&
	    strchr("\"'<>()[]{}`", s.p[n]) == NULL; n++)
		;
	while (n > 0 && strchr(".,;:!?", s.p[n - 1]) != NULL)
		n--;
	return n;
}

/* The length of what looks like a key at the start of s; 0: nothing. */
static size_t
key_length(struct str s)
{
	size_t n = str_starts(s, "sk-") ? 3 : str_starts(s, "AIza") ? 4 : 0;
	size_t i;

	if (n == 0)
		return 0;
	for (i = n; i < s.n && (is_word(s.p[i]) || s.p[i] == '*'); i++)
		;
	return i >= n + KEY_MIN ? i : 0;
}

/* What at the start of s must not be shown. */
static size_t
private_length(struct str s, int starts, struct str secret)
{
	size_t n;

	/* A shorter credential is a placeholder, and a common word. */
	if (secret.n >= KEY_MIN && s.n >= secret.n &&
	    memcmp(s.p, secret.p, secret.n) == 0)
		return secret.n;
	if (!starts)
		return 0;
	n = url_length(s);
	return n > 0 ? n : key_length(s);
}

/* A plain message without what is private, as text. */
static struct str
cleaned(struct arena *a, struct str plain, struct str secret)
{
	struct str s;
	struct buf b;
	size_t i, n;

	buf_init(&b, plain.n * (sizeof REMOVED - 1) + 1);
	for (i = 0; i < plain.n; i += n) {
		n = private_length(str_n(plain.p + i, plain.n - i),
		    i == 0 || !is_word(plain.p[i - 1]), secret);
		if (n > 0)
			buf_adds(&b, REMOVED);
		else
			buf_addc(&b, plain.p[i]);
		if (n == 0)
			n = 1;
	}
	/* text_of() may give back the very bytes of b. */
	s = b.bad ? str_n(NULL, 0) : text_of(a, buf_str(&b));
	if (s.p != NULL && !text_blank(s))
		s = arena_copy(a, s);
	else
		s = str_n(NULL, 0);
	buf_free(&b);
	return s.p == NULL ? str_of("Upstream returned an error") : s;
}

struct str
fault_clean(struct arena *a, struct str text, struct str secret)
{
	struct str plain = text_plain(a, text);

	return cleaned(a, plain.p == NULL ? str_n("", 0) : plain, secret);
}

/* The first characters of a body, without the white space around. */
static struct str
excerpt(struct str s)
{
	size_t i, n = 0;

	while (s.n > 0 && (unsigned char)s.p[0] <= ' ') {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (unsigned char)s.p[s.n - 1] <= ' ')
		s.n--;
	for (i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80 &&
		    n++ == BODY_SHOWN)
			break;
	return str_n(s.p, i);
}

/* The message of a provider, or of a server that only resembles one. */
static struct str
message_of(const struct node *body, const struct node *error)
{
	struct str s = tree_get_text(error, "message");

	if (s.n == 0)
		s = tree_text(error);
	if (s.n == 0)
		s = tree_get_text(body, "message");
	if (s.n == 0)
		s = tree_get_text(body, "detail");
	return s;
}

/* Seconds of Gemini's retryDelay, rounded up; 0: none. */
static uint64_t
retry_delay(const struct node *error)
{
	const struct node *d = tree_get(error, "details");
	struct str s;
	uint64_t ms;

	if (d == NULL || d->type != JSON_ARRAY)
		return 0;
	for (d = d->child; d != NULL; d = d->next) {
		s = tree_get_text(d, "retryDelay");
		if (s.n > 0 && util_duration(s, &ms) == 0)
			return ms / 1000 + (ms % 1000 != 0);
	}
	return 0;
}

/* Fills f from a body that is JSON; status 0: of a stream. */
static void
read_tree(struct fault *f, struct arena *a, enum dialect upstream,
    int status, const struct node *body, struct str secret)
{
	const struct node *error;
	struct str message, code;
	char none[64];

	/* Google wraps an error in an array now and then. */
	if (body != NULL && body->type == JSON_ARRAY)
		body = body->child;
	error = tree_get(body, "error");
	message = message_of(body, error);
	f->class = class_of(upstream, error, status, message);
	code = tree_get_text(error, "code");
	if (f->class == MSG_INVALID && is_context(message, code))
		f->class = MSG_CONTEXT;
	f->retry_s = retry_delay(error);
	if (message.n == 0 || text_blank(message)) {
		snprintf(none, sizeof none, status >= 400 ?
		    "Upstream returned HTTP %d" :
		    "Upstream returned an error", status);
		message = str_of(none);
	}
	f->message = fault_clean(a, message, secret);
}

void
fault_read(struct fault *f, struct arena *a, enum dialect upstream,
    int status, struct str retry_after, struct str body, struct str secret)
{
	const struct node *tree = tree_parse(a, body);
	struct str shown = excerpt(body);
	uint64_t retry;

	memset(f, 0, sizeof *f);
	if (tree != NULL || shown.n == 0)
		read_tree(f, a, upstream, status, tree, secret);
	else {
		f->class = class_of_status((uint64_t)(status >= 400 ? status
		    : 0));
		if (f->class == MSG_INVALID && is_context(shown,
		    str_n(NULL, 0)))
			f->class = MSG_CONTEXT;
		f->message = cleaned(a, shown, secret);
	}
	if (util_u64(str_trim(retry_after), UINT32_MAX, &retry) == 0)
		f->retry_s = retry;
}

void
fault_event(struct fault *f, struct arena *a, enum dialect upstream,
    const struct node *data, struct str secret)
{
	memset(f, 0, sizeof *f);
	read_tree(f, a, upstream, 0, data, secret);
}

void
fault_own(struct fault *f, struct arena *a, enum msg_class class,
    struct str message)
{
	memset(f, 0, sizeof *f);
	f->class = class;
	f->message = text_of(a, message);
	if (f->message.p == NULL || f->message.n == 0)
		f->message = str_of("Internal error");
}

/* ---- as the client's API says it ---- */

int
fault_status(enum msg_class class, enum dialect client)
{
	return client == DIALECT_ANTHROPIC ? looks[class].anthropic_status :
	    looks[class].openai_status;
}

int
fault_final(enum msg_class class, enum dialect client)
{
	return class == MSG_BILLING && client != DIALECT_ANTHROPIC &&
	    client != DIALECT_GEMINI;
}

static void
add_anthropic(struct buf *out, const struct fault *f, struct str request_id)
{
	buf_adds(out, "{\"type\":\"error\",\"error\":{\"type\":\"");
	buf_adds(out, looks[f->class].anthropic);
	buf_adds(out, "\",\"message\":\"");
	if (f->class == MSG_CONTEXT &&
	    str_casefind(f->message, str_of(TOO_LONG)) < 0)
		buf_adds(out, TOO_LONG ": ");
	text_add(out, f->message);
	buf_adds(out, "\"}");
	if (request_id.n > 0) {
		buf_adds(out, ",\"request_id\":");
		json_write(out, request_id);
	}
	buf_adds(out, "}");
}

static void
add_openai(struct buf *out, const struct fault *f, struct str param)
{
	const struct look *l = &looks[f->class];

	buf_adds(out, "{\"error\":{\"message\":");
	text_write(out, f->message);
	buf_adds(out, ",\"type\":\"");
	buf_adds(out, l->openai);
	buf_adds(out, "\",\"param\":");
	if (param.n > 0)
		json_write(out, param);
	else
		buf_adds(out, "null");
	buf_adds(out, ",\"code\":");
	if (l->code == NULL)
		buf_adds(out, "null");
	else
		json_write(out, str_of(l->code));
	buf_adds(out, "}}");
}

static void
add_gemini(struct buf *out, const struct fault *f)
{
	buf_adds(out, "{\"error\":{\"code\":");
	buf_addu(out, (uint64_t)fault_status(f->class, DIALECT_GEMINI));
	buf_adds(out, ",\"message\":");
	text_write(out, f->message);
	buf_adds(out, ",\"status\":\"");
	buf_adds(out, looks[f->class].gemini);
	buf_adds(out, "\"}}");
}

int
fault_body(struct buf *out, enum dialect client, const struct fault *f,
    struct str param, struct str request_id)
{
	switch (client) {
	case DIALECT_ANTHROPIC:
		add_anthropic(out, f, request_id);
		break;
	case DIALECT_GEMINI:
		add_gemini(out, f);
		break;
	default:
		add_openai(out, f, param);
		break;
	}
	return out->bad ? -1 : 0;
}

int
fault_stream(struct buf *out, enum dialect client, const struct fault *f)
{
	struct str none = str_n("", 0);

	buf_adds(out, client == DIALECT_ANTHROPIC ? "event: error\ndata: " :
	    "data: ");
	fault_body(out, client, f, none, none);
	buf_adds(out, "\n\n");
	return out->bad ? -1 : 0;
}
