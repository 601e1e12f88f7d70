/*
 * The first byte chooses what the rest is:
 *	0	a request: what was read of it keeps the promises of the
 *		neutral form, and is written as JSON
 *	1	a stream, one event in a line: events come in their order,
 *		what is written of them is well formed, and the same chunks
 *		as one answer mean the same
 *	2	a whole answer
 *	3	a request to be cleaned: the result is JSON, and clean
 */

#include "dialect/gemini_answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/gemini_request.h"
#include "dialect/names.h"
#include "dialect/normal.h"
#include "json.h"

#define ROOM ((size_t)1 << 26)
#define CHOICES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
must_json(struct str raw)
{
	must(json_valid(raw, NULL, NULL));
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
	must_json(buf_str(&b));
	buf_free(&b);
}

/* ---- requests ---- */

static void
check_part(const struct msg_part *p, enum msg_role role, int inside)
{
	const struct msg_part *q;

	must_text(p->text);
	must_text(p->data);
	must_text(p->url);
	must_text(p->title);
	switch (p->kind) {
	case MSG_TEXT:
		must(p->text.n > 0);
		break;
	case MSG_CALL:
		must(!inside && role == MSG_ASSISTANT && p->id.n > 0 &&
		    p->name.n > 0);
		must_json(p->args);
		must(p->args.p[0] == '{');
		break;
	case MSG_RESULT:
		must(!inside && role == MSG_USER && p->id.n > 0);
		for (q = p->parts; q != NULL; q = q->next)
			check_part(q, role, 1);
		break;
	case MSG_THINK:
		must(!inside && role == MSG_ASSISTANT && p->thought);
		break;
	case MSG_AUDIO:
		must(p->data.p != NULL && p->type.n > 0);
		break;
	case MSG_IMAGE:
	case MSG_DOC:
		must((p->data.p != NULL) != (p->url.p != NULL));
		must((p->type.n > 0) == (p->data.p != NULL));
		break;
	default:
		must(0);
	}
}

static void
check_request(const struct msg_request *r)
{
	const struct msg_part *p;
	const struct msg_turn *t;
	const struct msg_tool *tool;
	const struct msg_string *s;

	for (p = r->system; p != NULL; p = p->next)
		must(p->kind == MSG_TEXT && !text_blank(p->text));
	for (t = r->turns; t != NULL; t = t->next)
		for (p = t->parts; p != NULL; p = p->next)
			check_part(p, t->role, 0);
	for (tool = r->tools; tool != NULL; tool = tool->next) {
		must(tool->name.n > 0);
		must_text(tool->description);
	}
	for (s = r->stops; s != NULL; s = s->next)
		must_text(s->s);
	must(r->format != MSG_FORMAT_SCHEMA || r->schema != NULL);
	must(r->thinking == MSG_THINK_ON ? r->budget > 0 : r->budget == -1);
}

static void
write_request(struct arena *a, struct msg_request *r, unsigned how)
{
	static const char *const models[] = {
		"gemini-2.0-flash", "gemini-2.5-flash", "gemini-2.5-pro",
		"gemini-3-pro"
	};
	struct msg_target t;
	struct profile p;
	struct names names;
	struct msg_fault f;
	struct buf out;

	memset(&t, 0, sizeof t);
	memset(&f, 0, sizeof f);
	t.dialect = DIALECT_GEMINI;
	t.model = str_of(models[how & 3]);
	t.count = how >> 2 & 1;
	must(normal_request(r, DIALECT_GEMINI) == 0);
	must(names_map(&names, r, DIALECT_GEMINI) == 0);
	must(names_ids(r, DIALECT_GEMINI) == 0);
	profile_of(&p, DIALECT_GEMINI, t.model);
	buf_init(&out, ROOM);
	must(gemini_write_request(&out, r, &t, &p, &f) == 0 || a->bad ||
	    out.bad);
	if (!a->bad && !out.bad)
		must_json(buf_str(&out));
	buf_free(&out);
}

static void
run_request(struct str body, unsigned how)
{
	struct dialect_call call;
	struct msg_notes notes = { NULL };
	struct msg_request r;
	struct msg_fault f;
	struct arena a;
	struct node *tree;

	memset(&call, 0, sizeof call);
	memset(&r, 0, sizeof r);
	memset(&f, 0, sizeof f);
	arena_init(&a, ROOM);
	r.arena = &a;
	r.notes = &notes;
	call.op = how & 8 ? OP_COUNT : OP_GENERATE;
	call.model = str_of("m");
	tree = tree_parse(&a, body);
	if (tree == NULL) {
		arena_free(&a);
		return;
	}
	if (gemini_read_request(&r, tree, &call, &f) == -1)
		must(f.why[0] != '\0' || a.bad);
	else {
		check_request(&r);
		write_request(&a, &r, how);
	}
	arena_free(&a);
}

static void
run_clean(struct str body)
{
	struct buf out, again;
	struct arena a;
	int rc;

	arena_init(&a, ROOM);
	buf_init(&out, ROOM);
	buf_init(&again, ROOM);
	rc = gemini_clean(&out, &a, body, str_of("claude-x"));
	must(rc != 0 || out.len == 0);
	if (rc == 1) {
		must_json(buf_str(&out));
		must(out.len < body.n);
		must(gemini_clean(&again, &a, buf_str(&out), str_of("claude-x")) == 0);
	}
	arena_free(&a);
	buf_free(&again);
	buf_free(&out);
}

/* ---- answers ---- */

struct watch {
	struct buf record;	/* of all events */
	struct buf args[CHOICES];	/* of the open call */
	unsigned index[CHOICES];	/* of the choices seen */
	int open[CHOICES];	/* the kind of its open part, -1 */
	unsigned choices;
	unsigned finished;	/* choices that are */
	unsigned last;		/* the index of the last finished one */
	enum msg_event_kind stage;	/* START, FINISH, USAGE, END .. */
	int any;
	struct msg_gather gather;
	void *sse, *array;	/* writers */
	struct buf sse_out, array_out;
};

static void
record(struct watch *w, struct str s)
{
	buf_addc(&w->record, s.p == NULL ? '-' : '=');
	buf_addu(&w->record, s.n);
	buf_addc(&w->record, ':');
	buf_addstr(&w->record, s);
}

static unsigned
slot(struct watch *w, unsigned index)
{
	unsigned i;

	for (i = 0; i < w->choices; i++)
		if (w->index[i] == index)
			return i;
	must(w->choices < CHOICES);
	w->index[i] = index;
	w->open[i] = -1;
	buf_init(&w->args[i], ROOM);
	w->choices++;
	return i;
}

static void
check_part_event(struct watch *w, const struct msg_event *e)
{
	unsigned i = slot(w, e->choice);

	must(w->stage == MSG_START && w->any);
	if (e->kind == MSG_OPEN) {
		must(w->open[i] == -1);
		must(e->part == MSG_TEXT || e->part == MSG_THINK ||
		    e->part == MSG_CALL);
		w->open[i] = (int)e->part;
		return;
	}
	must(w->open[i] == (int)e->part);
	if (e->kind == MSG_DELTA) {
		must(e->text.n > 0);
		must_text(e->text);
		if (e->part == MSG_CALL)
			buf_addstr(&w->args[i], e->text);
		return;
	}
	must(e->kind == MSG_CLOSE);
	w->open[i] = -1;
	must((e->part == MSG_THINK) == (e->signature.n > 0));
	must(e->part != MSG_CALL || w->args[i].len > 0);
	buf_clear(&w->args[i]);
}

static void
check_event(struct watch *w, const struct msg_event *e)
{
	unsigned i;

	must(w->stage != MSG_END && w->stage != MSG_ERROR);
	switch (e->kind) {
	case MSG_START:
		must(!w->any);
		break;
	case MSG_FINISH:
		must(w->any && w->stage <= MSG_FINISH);
		i = slot(w, e->choice);
		for (i = 0; i < w->choices; i++)
			must(w->open[i] == -1);
		must(w->finished == 0 || e->choice > w->last);
		must_text(e->refusal);
		w->finished++;
		w->last = e->choice;
		w->stage = MSG_FINISH;
		break;
	case MSG_USAGE:
		must(w->stage == MSG_FINISH && w->finished == w->choices);
		w->stage = MSG_USAGE;
		break;
	case MSG_END:
		must(w->stage == MSG_USAGE);
		w->stage = MSG_END;
		break;
	case MSG_ERROR:
		must(e->text.n > 0);
		must_text(e->text);
		w->stage = MSG_ERROR;
		break;
	default:
		check_part_event(w, e);
	}
	w->any = 1;
}

static void
take(void *arg, const struct msg_event *e)
{
	struct watch *w = arg;

	check_event(w, e);
	buf_addu(&w->record, (uint64_t)e->kind);
	buf_addc(&w->record, '/');
	buf_addu(&w->record, e->choice);
	buf_addc(&w->record, '/');
	buf_addu(&w->record, (uint64_t)e->part);
	buf_addu(&w->record, (uint64_t)e->stop);
	record(w, e->text);
	if (e->kind != MSG_START)	/* its time may differ, and so that */
		record(w, e->id);
	record(w, e->name);
	record(w, e->signature);
	record(w, e->refusal);
	msg_gather_take(&w->gather, e);
	must(gemini_write_event(w->sse, e, &w->sse_out) == 0);
	must(gemini_write_event(w->array, e, &w->array_out) == 0);
}

/* Each line "data: " and JSON, each followed by an empty one. */
static void
check_sse(struct str s)
{
	static const char head[] = "data: ";
	const char *end;

	while (s.n > 0) {
		must(str_starts(s, head));
		s = str_n(s.p + sizeof head - 1, s.n - (sizeof head - 1));
		end = memchr(s.p, '\n', s.n);
		must(end != NULL);
		must_json(str_n(s.p, (size_t)(end - s.p)));
		s = str_n(end + 1, s.n - (size_t)(end + 1 - s.p));
		must(s.n > 0 && s.p[0] == '\n');
		s = str_n(s.p + 1, s.n - 1);
	}
}

struct run {
	struct arena arena;
	struct msg_notes notes;
	struct msg_context sse, array;
	struct msg_sink sink;
	struct watch watch;
	uint64_t random;
};

static void
run_start(struct run *run)
{
	struct watch *w = &run->watch;

	memset(run, 0, sizeof *run);
	arena_init(&run->arena, ROOM);
	run->sse.model = str_of("m");
	run->sse.arena = &run->arena;
	run->sse.notes = &run->notes;
	run->sse.random = &run->random;
	run->sse.thoughts = 1;
	run->array = run->sse;
	run->array.json_array = 1;
	run->array.thoughts = 0;
	run->sink.take = take;
	run->sink.arg = w;
	run->sink.notes = &run->notes;
	run->sink.arena = &run->arena;
	buf_init(&w->record, ROOM);
	buf_init(&w->sse_out, ROOM);
	buf_init(&w->array_out, ROOM);
	msg_gather_start(&w->gather, &run->arena, &run->notes);
	must((w->sse = gemini_writer_new(&run->sse)) != NULL);
	must((w->array = gemini_writer_new(&run->array)) != NULL);
}

static void
run_end(struct run *run)
{
	struct watch *w = &run->watch;
	struct buf out;
	unsigned i;

	must(w->stage == MSG_END || w->stage == MSG_ERROR);
	check_sse(buf_str(&w->sse_out));
	must_json(buf_str(&w->array_out));
	must(w->gather.ended == (w->stage == MSG_END));
	if (w->stage == MSG_END) {
		buf_init(&out, ROOM);
		must(gemini_write_answer(&out, &run->sse, &w->gather) == 0);
		must_json(buf_str(&out));
		buf_free(&out);
	}
	gemini_writer_free(w->sse);
	gemini_writer_free(w->array);
	msg_gather_free(&w->gather);
	for (i = 0; i < w->choices; i++)
		buf_free(&w->args[i]);
	buf_free(&w->sse_out);
	buf_free(&w->array_out);
	arena_free(&run->arena);
}

static void
run_stream(struct str in)
{
	struct run stream, whole;
	struct str line;
	struct buf all;
	const char *end;
	int plain = 1;
	void *r;

	buf_init(&all, ROOM);
	buf_addc(&all, '[');
	run_start(&stream);
	must((r = gemini_reader_new(&stream.sink)) != NULL);
	while (in.n > 0) {
		end = memchr(in.p, '\n', in.n);
		line = str_n(in.p, end == NULL ? in.n
		    : (size_t)(end - in.p));
		in = str_n(in.p + line.n, in.n - line.n);
		if (in.n > 0)
			in = str_n(in.p + 1, in.n - 1);
		if (line.n == 0)
			continue;
		gemini_read_event(r, str_of(""), line);
		if (str_is(line, "[DONE]"))
			continue;
		plain &= line.p[0] == '{';
		if (all.len > 1)
			buf_addc(&all, ',');
		buf_addstr(&all, line);
	}
	gemini_read_end(r);
	gemini_reader_free(r);
	buf_addc(&all, ']');
	run_start(&whole);
	gemini_read_answer(&whole.sink, buf_str(&all));
	/* An error may come before or after what the other one gave. */
	if (plain && stream.watch.stage == MSG_END)
		must(str_eq(buf_str(&stream.watch.record),
		    buf_str(&whole.watch.record)));
	run_end(&stream);
	run_end(&whole);
	buf_free(&stream.watch.record);
	buf_free(&whole.watch.record);
	buf_free(&all);
}

static void
run_answer(struct str in)
{
	struct run run;

	run_start(&run);
	gemini_read_answer(&run.sink, in);
	run_end(&run);
	buf_free(&run.watch.record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest;

	if (size == 0)
		return 0;
	rest = str_n((const char *)data + 1, size - 1);
	switch (data[0] & 3) {
	case 0:
		run_request(rest, data[0] >> 4);
		break;
	case 1:
		run_stream(rest);
		break;
	case 2:
		run_answer(rest);
		break;
	default:
		run_clean(rest);
	}
	return 0;
}
