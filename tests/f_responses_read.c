/*
 * Any body: it is refused with a reason, or all that was read from it is
 * what the neutral form promises; and an answer that echoes it is made of
 * whole events on single lines.
 */

#include "dialect/responses_request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/responses_answer.h"
#include "dialect/sse.h"
#include "json.h"

#define ROOM ((size_t)1 << 26)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* A text may stand between quotes. */
static void
must_text(struct str text)
{
	struct buf b;

	if (text.n == 0)
		return;
	buf_init(&b, ROOM);
	text_write(&b, text);
	must(json_valid(buf_str(&b), NULL, NULL));
	buf_free(&b);
}

static void
must_object(struct str raw)
{
	must(raw.n > 1 && raw.p[0] == '{' && json_valid(raw, NULL, NULL));
}

static void
check_parts(const struct msg_part *p, int inside)
{
	for (; p != NULL; p = p->next) {
		must_text(p->text);
		must_text(p->data);
		must_text(p->url);
		must_text(p->title);
		must(!inside || (p->kind != MSG_CALL &&
		    p->kind != MSG_RESULT && p->kind != MSG_THINK));
		if (p->kind == MSG_CALL) {
			must_object(p->args);
			must(p->id.p != NULL && p->name.n > 0);
		} else if (p->kind == MSG_RESULT)
			check_parts(p->parts, 1);
		else if (p->kind == MSG_IMAGE || p->kind == MSG_DOC)
			must(p->url.n > 0 || p->type.n > 0);
		else if (p->kind == MSG_TEXT && !inside)
			must(p->text.n > 0);
	}
}

static void
check_request(const struct msg_request *r)
{
	const struct msg_turn *t;
	const struct msg_tool *tool;

	check_parts(r->system, 1);
	for (t = r->turns; t != NULL; t = t->next)
		check_parts(t->parts, t->role == MSG_SYSTEM);
	for (tool = r->tools; tool != NULL; tool = tool->next) {
		must(tool->name.n > 0);
		must_text(tool->description);
		must(tool->format == NULL || tool->custom);
	}
	must(r->tools != NULL || r->choice == MSG_CHOICE_UNSET);
	must(r->format != MSG_FORMAT_SCHEMA || r->schema != NULL);
	must_text(r->schema_name);
	must_text(r->user);
}

static void
check_answer(struct arena *a, const struct node *body)
{
	static const enum msg_event_kind kinds[] = { MSG_START, MSG_FINISH,
		MSG_USAGE, MSG_END };
	struct msg_notes notes = { NULL };
	uint64_t random = 1;
	struct msg_context c;
	struct msg_event e;
	struct sse_event event;
	struct sse sse;
	struct buf out;
	struct str rest;
	size_t i, n;
	void *w;

	memset(&c, 0, sizeof c);
	c.model = str_of("m");
	c.request = body;
	c.random = &random;
	c.arena = a;
	c.notes = &notes;
	buf_init(&out, ROOM);
	w = responses_writer_new(&c);
	must(w != NULL);
	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		memset(&e, 0, sizeof e);
		e.kind = kinds[i];
		must(responses_write_event(w, &e, &out) == 0);
	}
	responses_writer_free(w);
	sse_start(&sse);
	for (rest = buf_str(&out), i = 0; (n = sse_next(&sse, rest.p, rest.n,
	    &event)) > 0; i++) {
		must(event.lines == 1 && json_valid(event.data, NULL, NULL));
		rest = str_n(rest.p + n, rest.n - n);
	}
	must(rest.n == 0 && i == 3);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg_notes notes = { NULL };
	struct dialect_call call;
	struct msg_request r;
	struct msg_fault f;
	struct node *body;
	struct arena a;
	int rc;

	arena_init(&a, ROOM);
	memset(&call, 0, sizeof call);
	call.dialect = DIALECT_OPENAI;
	call.op = OP_RESPONSES;
	memset(&f, 0, sizeof f);
	memset(&r, 0, sizeof r);
	r.arena = &a;
	r.notes = &notes;
	body = tree_parse(&a, str_n((const char *)data, size));
	rc = responses_read_request(&r, body, &call, &f);
	must(!a.bad);
	if (rc == 0)
		check_request(&r);
	else
		must(f.why[0] != '\0');
	if (body != NULL && body->type == JSON_OBJECT)
		check_answer(&a, body);
	arena_free(&a);
	return 0;
}
