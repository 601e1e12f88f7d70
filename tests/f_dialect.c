/*
 * The first byte chooses API and operation; the rest is a stream, and the
 * same bytes are a plain answer, an error body, a message of our own and a
 * request head.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/dialect.h"
#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static int
within(struct str part, struct str all)
{
	return part.n == 0 || (part.p >= all.p &&
	    part.p + part.n <= all.p + all.n);
}

static void
check_watch(const struct dialect_watch *w)
{
	const struct dialect_usage *u = &w->usage;
	size_t i;

	must(memchr(w->stop_reason, '\0', sizeof w->stop_reason) != NULL);
	for (i = 0; w->stop_reason[i] != '\0'; i++)
		must(w->stop_reason[i] >= ' ' && w->stop_reason[i] <= '~');
	must(u->input >= -1 && u->output >= -1 && u->reasoning >= -1);
	must(u->cache_read >= -1 && u->cache_write >= -1);
	must(!w->stopped || w->content);
}

static void
check_fault(struct str text)
{
	struct dialect_fault f;

	dialect_fault(&f, text);
	must(within(f.type, text) && within(f.message, text) &&
	    within(f.reason, text));
}

/* An event's sign agrees with a look at its data alone. */
static void
check_sign(const struct dialect_watch *w, const struct sse_event *e,
    enum dialect_sign sign)
{
	int known = w->dialect != DIALECT_ANY &&
	    (w->op == OP_GENERATE || w->op == OP_RESPONSES);
	struct buf all;

	buf_init(&all, e->raw.n + 1);
	must(sse_data(&all, e) == 0);
	if (e->lines == 0 || (known && all.len == 0))
		must(sign == SIGN_NOISE);
	else if (!known)
		must(sign == SIGN_CONTENT);
	else if (!str_is(str_trim(buf_str(&all)), "[DONE]"))
		must((sign == SIGN_INVALID) ==
		    !json_valid(buf_str(&all), NULL, NULL));
	if (sign == SIGN_CONTENT)
		must(w->content);
	if (sign == SIGN_END)
		must(w->ended && dialect_complete(w));
	check_fault(buf_str(&all));
	buf_free(&all);
}

static void
check_stream(enum dialect d, enum dialect_op op, struct str text)
{
	struct dialect_watch w;
	struct sse s;
	struct sse_event e;
	enum dialect_sign sign;
	size_t n;

	dialect_watch_start(&w, d, op);
	sse_start(&s);
	while ((n = sse_next(&s, text.p, text.n, &e)) > 0 ||
	    (n = sse_last(&s, text.p, text.n, &e)) > 0) {
		sign = dialect_event(&w, &e);
		check_sign(&w, &e, sign);
		check_watch(&w);
		text = str_n(text.p + n, text.n - n);
	}
}

/* What we write is what we would take for an error. */
static void
check_errors(enum dialect d, enum dialect_op op, int status,
    struct str message)
{
	struct dialect_call c;
	struct dialect_watch w;
	struct sse s;
	struct sse_event e;
	struct buf b;

	buf_init(&b, message.n * 12 + 4096);
	must(dialect_error_body(&b, d, status, message, message) == 0);
	must(json_valid(buf_str(&b), NULL, NULL));
	buf_clear(&b);
	memset(&c, 0, sizeof c);
	c.dialect = d;
	c.op = op;
	must(dialect_error_event(&b, &c, status, message) == 0);
	sse_start(&s);
	must(sse_next(&s, buf_str(&b).p, b.len, &e) == b.len);
	if (d != DIALECT_ANY && (op == OP_GENERATE || op == OP_RESPONSES)) {
		dialect_watch_start(&w, d, op);
		must(dialect_event(&w, &e) == SIGN_ERROR);
	}
	buf_free(&b);
}

static void
check_detect(struct str text)
{
	static struct http_head h;
	struct dialect_call c;

	if (http_request(&h, text.p, text.n, 0) != HTTP_OK)
		return;
	dialect_detect(&c, &h);
	must(within(c.model, text));
	must(!c.json_array || c.stream);
	must(!c.stream || c.dialect == DIALECT_GEMINI);
	must(c.op == OP_OTHER || c.op == OP_MODELS ||
	    str_is(h.method, "POST"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dialect_watch w;
	enum dialect_sign sign;
	enum dialect d;
	enum dialect_op op;
	struct str text;

	if (size == 0)
		return 0;
	d = (enum dialect)(data[0] % 4);
	op = (enum dialect_op)(data[0] / 4 % 6);
	text = str_n((const char *)data + 1, size - 1);
	check_stream(d, op, text);
	dialect_watch_start(&w, d, op);
	sign = dialect_answer(&w, text);
	must(sign == SIGN_CONTENT || sign == SIGN_ERROR ||
	    sign == SIGN_INVALID);
	if (op != OP_OTHER)
		must((sign == SIGN_INVALID) == !json_valid(text, NULL, NULL));
	must(!w.content == (sign != SIGN_CONTENT));
	check_fault(text);
	check_errors(d, op, 400 + data[0], text);
	check_detect(text);
	return 0;
}
