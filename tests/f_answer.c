/*
 * The first byte chooses API, operation and what was asked for, the second
 * the head of the answer, the third how the rest, its body, is cut.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/answer.h"

#define BODY_MAX 8000	/* larger elements of arrays are judged later */
#define CUTS 3

/* How a body is cut. */
enum cut { CUT_NEVER, CUT_BYTES, CUT_RANDOM };

/* What one way to cut led to. */
struct verdict {
	enum answer_step step, end;
	enum fo_fault fault;
	struct dialect_watch watch;
	unsigned error_seen, complete;
	uint64_t bytes;
	char note[200];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const heads[] = {
	"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
	"HTTP/1.1 200 OK\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
	"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n",
	"HTTP/1.1 429 Slow\r\nContent-Type: application/json\r\n\r\n",
	"HTTP/1.1 500 No\r\n\r\n"
};

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
note_check(const char *note)
{
	size_t i;

	must(memchr(note, '\0', 200) != NULL);
	for (i = 0; note[i] != '\0'; i++)
		must((unsigned char)note[i] >= ' ');
}

static void
verdict_take(struct verdict *v, const struct answer *a)
{
	v->fault = a->fault;
	v->watch = a->watch;
	v->error_seen = a->error_seen;
	v->complete = a->complete;
	v->bytes = a->bytes;
	note_check(a->note);
	memcpy(v->note, a->note, sizeof v->note);
}

/* What may go to the client goes, in the order of its coming. */
static void
commit(struct answer *a, struct buf *sent)
{
	must(buf_addstr(sent, answer_held(a)) == 0);
	answer_committed(a);
}

static void
piece(struct answer *a, struct verdict *v, struct buf *sent, struct str data)
{
	if (a->committed) {
		must(buf_addstr(sent, data) == 0);
		answer_body(a, data);
		return;
	}
	v->step = answer_body(a, data);
	if (v->step == ANSWER_HOLD)
		return;
	/* Nothing here is too large; a stream began with content. */
	must(v->step != ANSWER_JUDGE);
	must(v->step == ANSWER_BAD || a->kind == ANSWER_ARRAY ||
	    (a->kind == ANSWER_STREAM && a->watch.content));
	/* A bad one may be for the client too: by its stop text. */
	if (v->step == ANSWER_BAD)
		verdict_take(v, a);
	commit(a, sent);
}

static void
done(struct answer *a, struct verdict *v, struct buf *sent)
{
	int was = a->committed;

	v->end = answer_done(a);
	must(a->complete && v->end != ANSWER_HOLD);
	if (!was) {
		v->step = v->end;
		commit(a, sent);
	}
	if (was && v->step == ANSWER_BAD) {
		v->end = ANSWER_BAD;	/* known before: the rest is moot */
		return;
	}
	if (v->step == ANSWER_GOOD && v->end == ANSWER_BAD)
		must(a->fault == FO_TRUNCATED_FAULT);
	verdict_take(v, a);
}

static void
answer_run(struct verdict *v, const uint8_t *how, struct str body,
    enum cut cut)
{
	static struct http_head h;
	struct dialect_call call;
	const char *head = heads[how[1] % 8];
	uint64_t seed = how[2];
	struct answer a;
	struct buf sent;
	size_t i, n;

	memset(v, 0, sizeof *v);
	memset(&call, 0, sizeof call);
	call.dialect = (enum dialect)(how[0] % 3);
	call.op = (enum dialect_op)(how[0] / 3 % 6);
	call.json_array = call.dialect == DIALECT_GEMINI && how[0] >= 128;
	must(http_response(&h, head, strlen(head), 0, 0) == HTTP_OK);
	buf_init(&sent, BODY_MAX);
	answer_start(&a, &call, call.dialect, how[1] / 8 & 1);
	v->step = answer_head(&a, &h, h.status >= 500, how[1] / 16 % 8 == 7);
	if (v->step == ANSWER_GOOD)
		commit(&a, &sent);
	for (i = 0; i < body.n; i += n) {
		n = cut == CUT_NEVER ? body.n : cut == CUT_BYTES ? 1 :
		    1 + (size_t)(util_random(&seed) % 64);
		if (n > body.n - i)
			n = body.n - i;
		piece(&a, v, &sent, str_n(body.p + i, n));
	}
	done(&a, v, &sent);
	must(str_eq(buf_str(&sent), body));
	must(a.bytes == body.n && !a.blind);
	buf_free(&sent);
	answer_free(&a);
}

static int
same_usage(const struct dialect_usage *a, const struct dialect_usage *b)
{
	return a->input == b->input && a->output == b->output &&
	    a->cache_read == b->cache_read &&
	    a->cache_write == b->cache_write && a->reasoning == b->reasoning;
}

/*
 * An error that comes in one piece with the first content still moves on;
 * one that comes later goes to the client.
 */
static int
late_error(const struct verdict *bad, const struct verdict *good)
{
	return bad->step == ANSWER_BAD &&
	    bad->fault == FO_ERROR_EVENT_FAULT && bad->watch.content &&
	    good->step == ANSWER_GOOD && good->error_seen;
}

static void
same(const struct verdict *a, const struct verdict *b)
{
	if (late_error(a, b) || late_error(b, a))
		return;
	must(a->step == b->step && a->end == b->end && a->fault == b->fault);
	must(a->error_seen == b->error_seen);
	must(strcmp(a->note, b->note) == 0);
	must(same_usage(&a->watch.usage, &b->watch.usage));
	must(strcmp(a->watch.stop_reason, b->watch.stop_reason) == 0);
	must(a->watch.content == b->watch.content &&
	    a->watch.stopped == b->watch.stopped &&
	    a->watch.ended == b->watch.ended);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verdict v[CUTS];
	struct str body;
	size_t i;

	if (size < 3 || size > BODY_MAX)
		return 0;
	body = str_n((const char *)data + 3, size - 3);
	for (i = 0; i < CUTS; i++)
		answer_run(&v[i], data, body, (enum cut)i);
	same(&v[CUT_NEVER], &v[CUT_BYTES]);
	same(&v[CUT_NEVER], &v[CUT_RANDOM]);
	same(&v[CUT_BYTES], &v[CUT_RANDOM]);
	return 0;
}
