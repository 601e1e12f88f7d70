/*
 * The first byte chooses API and operation; the rest is a stream, and the
 * same bytes are a plain answer.  What the strict level takes the normal one
 * takes too, and what either takes is JSON.  What is quiet the watch need not
 * read.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/validate.h"
#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* What is said to bring nothing but content, and usage, does not. */
static void
check_quiet(const struct validate *v, const struct sse_event *e)
{
	struct dialect_watch read, told;
	enum dialect_sign sign;

	if (!v->quiet)
		return;
	dialect_watch_start(&read, v->dialect, v->op);
	read.content = 1;
	told = read;
	sign = dialect_event(&read, e);
	must(sign == SIGN_CONTENT || sign == SIGN_NOISE);
	dialect_piece(&told, v->usage);
	must(memcmp(&read, &told, sizeof read) == 0);
}

/* One event at all levels, by both ways in. */
static void
check_event(struct validate *normal, struct validate *strict,
    const struct sse_event *e)
{
	struct validate was = *normal, twin = *normal;
	const char *fault, *before = normal->fault;
	struct buf all;

	buf_init(&all, e->raw.n + 1);
	must(sse_data(&all, e) == 0);
	fault = validate_event(normal, e);
	check_quiet(normal, e);
	must(fault == normal->fault && (before == NULL || fault == before));
	must(validate_data(&twin, e->name, buf_str(&all)) == fault);
	validate_event(strict, e);
	check_quiet(strict, e);
	must(strict->fault != NULL || fault == NULL);
	if (fault == NULL && all.len > 0 && !was.failed && !was.ended &&
	    (was.op == OP_GENERATE || was.op == OP_RESPONSES) &&
	    was.dialect != DIALECT_ANY &&
	    !str_is(str_trim(buf_str(&all)), "[DONE]"))
		must(json_valid(buf_str(&all), NULL, NULL));
	buf_free(&all);
}

static void
check_stream(enum dialect d, enum dialect_op op, struct str text)
{
	struct validate normal, strict;
	struct sse_event e;
	struct sse s;
	size_t n;

	validate_start(&normal, d, op, 0);
	validate_start(&strict, d, op, 1);
	sse_start(&s);
	while ((n = sse_next(&s, text.p, text.n, &e)) > 0 ||
	    (n = sse_last(&s, text.p, text.n, &e)) > 0) {
		check_event(&normal, &strict, &e);
		text = str_n(text.p + n, text.n - n);
	}
	must(validate_end(&strict) != NULL || validate_end(&normal) == NULL);
	must(normal.fault == NULL || validate_end(&normal) == normal.fault);
}

static void
check_answer(enum dialect d, enum dialect_op op, struct str text)
{
	const char *normal = validate_answer(d, op, 0, text);
	const char *strict = validate_answer(d, op, 1, text);

	must(strict != NULL || normal == NULL);
	if ((op == OP_GENERATE || op == OP_RESPONSES) && d != DIALECT_ANY)
		must(normal != NULL || json_valid(text, NULL, NULL));
	else
		must(normal == NULL && strict == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum dialect d;
	enum dialect_op op;
	struct str text;

	if (size == 0)
		return 0;
	d = (enum dialect)(data[0] % 4);
	op = (enum dialect_op)(data[0] / 4 % 6);
	text = str_n((const char *)data + 1, size - 1);
	check_stream(d, op, text);
	check_answer(d, op, text);
	return 0;
}
