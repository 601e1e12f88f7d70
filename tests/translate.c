/*
 * The translator as a program, so that it can be scored: one envelope
 *	{"case":{..},"input":"text"}
 * on standard input, and on standard output
 *	{"status":200,"path":"..","headers":{},"warnings":[],"text":".."}
 * with `case` as in tests/vectors/ID/case.json.  No part of the product.
 *
 * Answers are fed in pieces: whole, byte by byte, and cut at random by
 * several seeds (SPLIT in the environment sets the first).  If any two differ
 * the status is 599 and the text says where.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dialect/dialect.h"
#include "dialect/fault.h"
#include "dialect/models.h"
#include "dialect/profile.h"
#include "dialect/text.h"
#include "dialect/translate.h"
#include "http.h"
#include "json.h"
#include "wire/json_tree.h"

#define INPUT_MAX	((size_t)256 << 20)
#define CREATED		1700000000
#define REQUEST_ID	"req_test"
#define SPLITS		6	/* whole, bytes, random ones */
#define BYTES_MAX	((size_t)1 << 20)	/* byte by byte up to here */

/* What is printed. */
struct result {
	int status;
	struct buf path, headers, warnings, text;
};

/* The envelope, and what follows from it. */
struct test {
	struct arena arena;
	const struct node *c;		/* the case */
	struct str input;		/* plain */
	struct dialect_call call;	/* the client's */
	enum dialect upstream;
	uint64_t random;
};

static void
die(const char *why)
{
	fprintf(stderr, "translate: %s\n", why);
	exit(2);
}

static void
result_init(struct result *r)
{
	memset(r, 0, sizeof *r);
	r->status = 200;
	buf_init(&r->path, INPUT_MAX);
	buf_init(&r->headers, INPUT_MAX);
	buf_init(&r->warnings, INPUT_MAX);
	buf_init(&r->text, INPUT_MAX);
}

static void
result_free(struct result *r)
{
	buf_free(&r->path);
	buf_free(&r->headers);
	buf_free(&r->warnings);
	buf_free(&r->text);
}

static void
result_print(const struct result *r)
{
	struct buf out;
	struct str s;

	buf_init(&out, INPUT_MAX * 2);
	buf_fmt(&out, "{\"status\":%d,\"path\":", r->status);
	json_write(&out, buf_str(&r->path));
	buf_adds(&out, ",\"headers\":{");
	buf_addstr(&out, buf_str(&r->headers));
	buf_adds(&out, "},\"warnings\":[");
	buf_addstr(&out, buf_str(&r->warnings));
	buf_adds(&out, "],\"text\":");
	json_write(&out, buf_str(&r->text));
	buf_adds(&out, "}\n");
	s = buf_str(&out);
	if (out.bad || fwrite(s.p, 1, s.n, stdout) != s.n)
		die("cannot write");
	buf_free(&out);
}

static void
header_add(struct result *r, const char *name, struct str value)
{
	if (r->headers.len > 0)
		buf_adds(&r->headers, ",");
	json_write(&r->headers, str_of(name));
	buf_adds(&r->headers, ":");
	json_write(&r->headers, value);
}

/* "a, b" as the elements of an array, but for the first ones. */
static void
warnings_add(struct result *r, struct str list, unsigned skip)
{
	const char *comma;
	struct str one;

	while (list.n > 0) {
		comma = memchr(list.p, ',', list.n);
		one = str_n(list.p, comma == NULL ? list.n :
		    (size_t)(comma - list.p));
		list.p += one.n + (comma != NULL);
		list.n -= one.n + (comma != NULL);
		if (skip > 0) {
			skip--;
			continue;
		}
		if (r->warnings.len > 0)
			buf_adds(&r->warnings, ",");
		json_write(&r->warnings, str_trim(one));
	}
}

/* A string member, plain; "" if it is absent. */
static struct str
member(struct test *t, const struct node *n, const char *name)
{
	struct str s = tree_get_text(n, name);

	return s.n == 0 ? str_n("", 0) : text_plain(&t->arena, s);
}

static int
number(const struct node *n, const char *name)
{
	struct str s = tree_get_number(n, name);
	uint64_t x;

	return s.p != NULL && json_u64(s, &x) == 0 && x < 1000 ? (int)x : 0;
}

static enum dialect
dialect_of(struct str name)
{
	if (str_is(name, "anthropic"))
		return DIALECT_ANTHROPIC;
	return str_is(name, "gemini") ? DIALECT_GEMINI : DIALECT_OPENAI;
}

/* ---- the translator's setup ---- */

static void
call_fill(struct test *t, enum dialect_op op)
{
	struct str client = member(t, t->c, "client");

	memset(&t->call, 0, sizeof t->call);
	t->call.dialect = dialect_of(client);
	t->call.op = str_is(client, "responses") ? OP_RESPONSES : op;
	t->call.model = str_of("");
	if (t->call.dialect == DIALECT_GEMINI) {
		t->call.model = member(t, t->c, "model");
		t->call.stream = tree_is_true(t->c, "stream") != 0;
	}
	t->upstream = dialect_of(member(t, t->c, "upstream"));
}

static int
wants_stream(struct test *t, struct str request)
{
	if (t->call.dialect == DIALECT_GEMINI)
		return t->call.stream;
	return tree_is_true(tree_parse(&t->arena, request), "stream");
}

static void
setup_fill(struct test *t, struct translate_setup *s, struct str request,
    int stream)
{
	const struct node *config = tree_get(t->c, "config");
	struct str max = tree_get_number(config, "max_tokens");
	uint64_t n = 0;

	memset(s, 0, sizeof *s);
	s->call = &t->call;
	s->model = member(t, t->c, "model");
	if (s->model.n == 0)
		s->model = member(t, tree_parse(&t->arena, request),
		    "model");
	s->path_model = t->call.model;
	s->stream = stream != 0;
	s->target.dialect = t->upstream;
	s->target.model = member(t, t->c, "upstream_model");
	if (s->target.model.n == 0)
		s->target.model = str_of("m");
	s->target.stream = stream != 0;
	s->target.count = t->call.op == OP_COUNT;
	s->target.auto_cache =
	    tree_is_true(config, "anthropic_auto_cache") != 0;
	s->target.max_tokens_old = tree_is(tree_get(config,
	    "o_max_tokens_field"), "max_tokens") != 0;
	if (max.p != NULL && json_u64(max, &n) == 0)
		s->target.max_tokens = n;
	s->created = CREATED;
	t->random = 1;
	s->random = &t->random;
	s->request_id = str_of(REQUEST_ID);
	s->secret = str_of("");
}

/* A request that cannot be translated. */
static void
refuse(struct test *t, struct result *r, const struct msg_fault *m)
{
	struct fault f;

	if (m->why[0] == '\0')
		die("out of memory");
	fault_own(&f, &t->arena, MSG_INVALID, str_of(m->why));
	r->status = fault_status(f.class, t->call.dialect);
	fault_body(&r->text, t->call.dialect, &f, str_of(m->param),
	    str_of(REQUEST_ID));
}

/* ---- requests ---- */

/* The same API on both sides: cleaned, and the model exchanged. */
static void
request_same(struct test *t, struct result *r)
{
	struct str model = member(t, t->c, "upstream_model");
	struct str body = t->input;
	struct buf clean, name;
	int rc;

	buf_init(&clean, INPUT_MAX);
	buf_init(&name, INPUT_MAX);
	rc = translate_clean(&clean, &t->call, model, body);
	if (rc == -1)
		die("out of memory");
	if (rc == 1)
		body = buf_str(&clean);
	json_write(&name, model);
	if (t->call.dialect == DIALECT_GEMINI) {
		buf_addstr(&r->text, body);
		buf_adds(&r->path, "/v1beta/models/");
		buf_addstr(&r->path, model);
		buf_adds(&r->path, t->call.stream ?
		    ":streamGenerateContent?alt=sse" : ":generateContent");
	} else {
		if (json_replace(&r->text, body, "model", buf_str(&name),
		    0) == -1)
			die("the body is no object");
		buf_adds(&r->path, t->call.dialect == DIALECT_ANTHROPIC ?
		    "/v1/messages" : "/v1/chat/completions");
	}
	buf_free(&clean);
	buf_free(&name);
}

static void
request_other(struct test *t, struct result *r)
{
	struct translate_setup s;
	struct translate *tr;
	struct msg_fault f;

	setup_fill(t, &s, t->input, wants_stream(t, t->input));
	tr = translate_new(&s, t->input, &f);
	if (tr == NULL) {
		refuse(t, r, &f);
		return;
	}
	buf_addstr(&r->text, translate_body(tr));
	buf_addstr(&r->path, translate_path(tr));
	warnings_add(r, translate_notes(tr), 0);
	translate_free(tr);
}

static void
do_request(struct test *t, struct result *r)
{
	call_fill(t, OP_GENERATE);
	if (t->call.dialect == t->upstream && t->call.op == OP_GENERATE)
		request_same(t, r);
	else
		request_other(t, r);
}

static void
do_count_request(struct test *t, struct result *r)
{
	call_fill(t, OP_COUNT);
	request_other(t, r);
}

static void
do_count_estimate(struct test *t, struct result *r)
{
	int64_t n;

	call_fill(t, OP_COUNT);
	n = translate_estimate(&t->call, t->input);
	if (n < 0)
		die("no estimate");
	buf_fmt(&r->text, "{\"%s\":%ld}", t->call.dialect ==
	    DIALECT_GEMINI ? "totalTokens" : "input_tokens", (long)n);
}

/* ---- answers ---- */

/* A request to which any answer belongs. */
static struct str
some_request(const struct test *t)
{
	if (t->call.op == OP_RESPONSES)
		return str_of("{\"model\":\"m\",\"input\":\"x\"}");
	if (t->call.dialect == DIALECT_GEMINI)
		return str_of("{\"contents\":[{\"parts\":[{\"text\":"
		    "\"x\"}]}]}");
	return str_of("{\"model\":\"m\",\"max_tokens\":9,\"messages\":"
	    "[{\"role\":\"user\",\"content\":\"x\"}]}");
}

static struct translate *
translator(struct test *t, struct result *r, int stream)
{
	const struct node *request = tree_get(t->c, "request");
	struct str body = request != NULL ? request->raw : some_request(t);
	struct translate_setup s;
	struct translate *tr;
	struct msg_fault f;

	setup_fill(t, &s, body, stream);
	tr = translate_new(&s, body, &f);
	if (tr == NULL)
		refuse(t, r, &f);
	return tr;
}

/* Feeds the input in pieces: one, single bytes, or by a seed. */
static void
feed(struct translate *tr, struct str s, unsigned split, uint64_t seed,
    int plain, struct buf *out)
{
	size_t n;

	while (s.n > 0) {
		n = s.n;
		if (split == 1)
			n = 1;
		else if (split > 1)
			n = 1 + (size_t)(util_random(&seed) %
			    (split % 2 ? 7 : 100));
		if (n > s.n)
			n = s.n;
		if (translate_feed(tr, str_n(s.p, n), plain, out) == -1)
			die("out of memory while reading");
		s = str_n(s.p + n, s.n - n);
	}
	if (translate_end(tr, out) == -1)
		die("out of memory at the end");
}

/* One run over the input; r is empty. */
static void
answer_once(struct test *t, struct result *r, int stream, unsigned split,
    uint64_t seed)
{
	struct translate *tr = translator(t, r, stream);
	unsigned lost;
	int status = 200;

	if (tr == NULL)
		return;
	lost = translate_losses(tr);
	feed(tr, t->input, split, seed, !stream, &r->text);
	if (translate_failed(tr, &status) && !stream)
		r->status = status;
	/* What the request lost is no matter of the answer's. */
	warnings_add(r, translate_notes(tr), lost);
	translate_free(tr);
}

static void
do_answer(struct test *t, struct result *r, int stream)
{
	const char *env = getenv("SPLIT");
	uint64_t seed = env != NULL ? strtoull(env, NULL, 10) :
	    util_hash(t->input.p, t->input.n);
	struct result other;
	unsigned i;

	call_fill(t, OP_GENERATE);
	t->call.stream = stream != 0;
	answer_once(t, r, stream, 0, seed);
	for (i = 1; i < SPLITS && r->status != 599; i++) {
		if (i == 1 && t->input.n > BYTES_MAX)
			continue;
		result_init(&other);
		answer_once(t, &other, stream, i, seed + i);
		if (other.status != r->status ||
		    !str_eq(buf_str(&other.text), buf_str(&r->text)) ||
		    !str_eq(buf_str(&other.warnings),
		    buf_str(&r->warnings))) {
			r->status = 599;
			buf_clear(&r->text);
			buf_fmt(&r->text, "split %u (seed %llu) differs: ",
			    i, (unsigned long long)seed);
			buf_addstr(&r->text, buf_str(&other.text));
		}
		result_free(&other);
	}
}

static void
do_response(struct test *t, struct result *r)
{
	do_answer(t, r, 0);
}

static void
do_stream(struct test *t, struct result *r)
{
	do_answer(t, r, 1);
}

static void
do_error(struct test *t, struct result *r)
{
	const struct node *h = tree_get(t->c, "headers_in");
	struct str retry = str_of("");
	struct translate *tr;
	uint64_t retry_s;
	char digits[24];
	int final;

	call_fill(t, OP_GENERATE);
	for (h = h == NULL ? NULL : h->child; h != NULL; h = h->next)
		if (str_caseis(h->key, "retry-after"))
			retry = text_plain(&t->arena, tree_text(h));
	if ((tr = translator(t, r, 0)) == NULL)
		return;
	if (translate_error(tr, number(t->c, "status_in"), retry, t->input,
	    &r->text, &r->status, &retry_s, &final) == -1)
		die("out of memory");
	if (retry_s > 0) {
		snprintf(digits, sizeof digits, "%llu",
		    (unsigned long long)retry_s);
		header_add(r, "retry-after", str_of(digits));
	}
	if (final)
		header_add(r, "x-should-retry", str_of("false"));
	translate_free(tr);
}

static void
do_count_response(struct test *t, struct result *r)
{
	struct translate *tr;

	call_fill(t, OP_COUNT);
	if ((tr = translator(t, r, 0)) == NULL)
		return;
	if (translate_count(tr, t->input, &r->text) == -1)
		die("no count");
	translate_free(tr);
}

static void
do_models(struct test *t, struct result *r)
{
	struct models m;

	call_fill(t, OP_MODELS);
	memset(&m, 0, sizeof m);
	m.arena = &t->arena;
	if (models_read(&m, t->upstream, t->input) == -1)
		die("no list of models");
	models_write(&r->text, &m, t->call.dialect);
}

/* ---- what a request is, and where it goes ---- */

static void
pair_add(struct buf *out, const char *name, struct str value)
{
	buf_fmt(out, "%s\"%s\":", buf_str(out).p[out->len - 1] == '{' ? "" :
	    ",", name);
	json_write(out, value);
}

static void
detected(struct buf *out, const struct dialect_call *c)
{
	static const char *const ops[] = {
		[OP_GENERATE] = "generate", [OP_RESPONSES] = "generate",
		[OP_COUNT] = "count_tokens", [OP_MODELS] = "models",
		[OP_MODEL] = "models"
	};
	struct buf model;

	buf_adds(out, "{");
	if (c->op == OP_OTHER || c->op == OP_LEGACY) {
		buf_adds(out, "\"error\":404}");
		return;
	}
	pair_add(out, "client", str_of(c->op == OP_RESPONSES ? "responses" :
	    dialect_name(c->dialect)));
	pair_add(out, "op", str_of(ops[c->op]));
	if (c->dialect == DIALECT_GEMINI && c->op == OP_GENERATE) {
		buf_init(&model, HTTP_HEAD_MAX);
		http_unescape(&model, c->model);
		pair_add(out, "model", buf_str(&model));
		buf_free(&model);
		buf_adds(out, c->stream ? ",\"stream\":true" :
		    ",\"stream\":false");
		pair_add(out, "framing", str_of(c->stream && !c->json_array ?
		    "sse" : "json"));
	}
	buf_adds(out, "}");
}

static void
do_detect(struct test *t, struct result *r)
{
	const struct node *n = tree_parse(&t->arena, t->input), *h;
	struct dialect_call call;
	struct http_head head;
	struct buf text;

	buf_adds(&r->text, "[");
	for (n = n == NULL ? NULL : n->child; n != NULL; n = n->next) {
		buf_init(&text, HTTP_HEAD_MAX);
		buf_addstr(&text, member(t, n, "method"));
		buf_adds(&text, " ");
		buf_addstr(&text, member(t, n, "path"));
		buf_adds(&text, " HTTP/1.1\r\nHost: localhost\r\n");
		h = tree_get(n, "headers");
		for (h = h == NULL ? NULL : h->child; h != NULL;
		    h = h->next) {
			buf_addstr(&text, h->key);
			buf_adds(&text, ": ");
			buf_addstr(&text, text_plain(&t->arena,
			    tree_text(h)));
			buf_adds(&text, "\r\n");
		}
		buf_adds(&text, "\r\n");
		if (http_request(&head, buf_str(&text).p, text.len, 0) !=
		    HTTP_OK)
			die("no request");
		dialect_detect(&call, &head);
		detected(&r->text, &call);
		if (n->next != NULL)
			buf_adds(&r->text, ",");
		buf_free(&text);
	}
	buf_adds(&r->text, "]");
}

static int
is_backend(struct str s)
{
	return str_is(s, "anthropic") || str_is(s, "openai") ||
	    str_is(s, "gemini");
}

/* The name without what clients put around it. */
static struct str
name_trim(struct str s)
{
	size_t n;

	s = str_trim(s);
	if (str_starts(s, "models/"))
		s = str_n(s.p + 7, s.n - 7);
	if (str_ends(s, "]")) {
		for (n = s.n; n > 0 && s.p[n - 1] != '['; n--)
			;
		if (n > 0)
			s.n = n - 1;
	}
	return s;
}

/* Section 11 knows more names than the product takes for a vendor's own. */
static enum dialect
route_vendor(struct str model)
{
	if (str_casestarts(model, "codex-") || str_casestarts(model, "ft:"))
		return DIALECT_OPENAI;
	if (str_casestarts(model, "gemma-") ||
	    str_casestarts(model, "learnlm-"))
		return DIALECT_GEMINI;
	return profile_vendor(model);
}

static void
route_one(struct test *t, struct buf *out, const struct node *n)
{
	const struct node *config = tree_get(n, "config");
	const struct node *alias = tree_get(config, "aliases");
	struct str model = name_trim(member(t, n, "model"));
	struct str backend = str_of(""), first;
	const char *slash = memchr(model.p, '/', model.n);
	enum dialect vendor = route_vendor(model);

	first = str_n(model.p, slash == NULL ? 0 :
	    (size_t)(slash - model.p));
	for (alias = alias == NULL ? NULL : alias->child; alias != NULL;
	    alias = alias->next)
		if (str_eq(alias->key, model))
			break;
	if (alias != NULL) {
		backend = member(t, alias, "backend");
		model = member(t, alias, "model");
	} else if (is_backend(first)) {
		backend = first;
		model = str_n(slash + 1, model.n - first.n - 1);
	} else if (vendor != DIALECT_ANY)
		backend = str_of(dialect_name(vendor));
	else
		backend = member(t, config, "default");
	buf_adds(out, "{");
	if (backend.n == 0)
		buf_adds(out, "\"error\":404");
	else {
		pair_add(out, "backend", backend);
		pair_add(out, "model", model);
	}
	buf_adds(out, "}");
}

static void
do_route(struct test *t, struct result *r)
{
	const struct node *n = tree_parse(&t->arena, t->input);

	buf_adds(&r->text, "[");
	for (n = n == NULL ? NULL : n->child; n != NULL; n = n->next) {
		route_one(t, &r->text, n);
		if (n->next != NULL)
			buf_adds(&r->text, ",");
	}
	buf_adds(&r->text, "]");
}

/* ---- */

static const struct {
	const char *name;
	void (*run)(struct test *, struct result *);
} kinds[] = {
	{ "request", do_request },
	{ "response", do_response },
	{ "stream", do_stream },
	{ "error", do_error },
	{ "detect", do_detect },
	{ "route", do_route },
	{ "models", do_models },
	{ "count_request", do_count_request },
	{ "count_response", do_count_response },
	{ "count_estimate", do_count_estimate }
};

static void
read_all(struct buf *in)
{
	unsigned char *p;
	size_t room, n;

	do {
		if ((p = buf_room(in, 1, &room)) == NULL)
			die("the input is too large");
		n = fread(p, 1, room, stdin);
		buf_added(in, n);
	} while (n > 0);
}

int
main(void)
{
	const struct node *root, *kind;
	struct result r;
	struct test t;
	struct buf in;
	size_t i;

	buf_init(&in, INPUT_MAX);
	read_all(&in);
	memset(&t, 0, sizeof t);
	arena_init(&t.arena, INPUT_MAX * 4);
	root = tree_parse(&t.arena, buf_str(&in));
	t.c = tree_get(root, "case");
	if (t.c == NULL)
		die("no envelope");
	t.input = member(&t, root, "input");
	kind = tree_get(t.c, "kind");
	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (tree_is(kind, kinds[i].name))
			break;
	if (i == sizeof kinds / sizeof kinds[0])
		die("what kind of case is this?");
	result_init(&r);
	kinds[i].run(&t, &r);
	result_print(&r);
	result_free(&r);
	arena_free(&t.arena);
	buf_free(&in);
	return 0;
}
