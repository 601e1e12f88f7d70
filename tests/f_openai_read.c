/*
 * The first byte chooses: a request of OpenAI's, a stream (an event a line),
 * or a whole answer.  Requests are written and read again until nothing
 * changes, and cleaned; the order of all events is watched; answers are
 * written in both forms and must say the same when they are read again.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/names.h"
#include "dialect/normal.h"
#include "dialect/openai_answer.h"
#include "dialect/openai_request.h"
#include "json.h"

#define ROOM ((size_t)64 << 20)
#define CHOICES 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* ---- requests ---- */

/* Reads in and writes it again: 1, or 0 if it is refused. */
static int
rewrite(struct buf *out, struct str in, uint8_t way)
{
	static const char *const models[] = { "gpt-4o", "gpt-5", "gpt-5.2",
		"o3" };
	struct msg_notes notes = { NULL };
	struct dialect_call call;
	struct msg_request r;
	struct msg_target t;
	struct msg_fault f;
	struct names names;
	struct profile p;
	struct arena a;
	int rc;

	arena_init(&a, ROOM);
	memset(&call, 0, sizeof call);
	memset(&r, 0, sizeof r);
	memset(&t, 0, sizeof t);
	memset(&f, 0, sizeof f);
	memset(&names, 0, sizeof names);
	r.arena = &a;
	r.notes = &notes;
	t.dialect = DIALECT_OPENAI;
	t.model = str_of(models[way >> 2 & 3]);
	t.stream = way >> 4 & 1u;
	t.max_tokens_old = way >> 5 & 1u;
	profile_of(&p, t.dialect, t.model);
	rc = openai_read_request(&r, tree_parse(&a, in), &call, &f);
	must(rc == 0 || f.why[0] != '\0' || a.bad);
	if (rc == 0 && normal_request(&r, DIALECT_OPENAI) == 0 &&
	    names_map(&names, &r, DIALECT_OPENAI) == 0 &&
	    names_ids(&r, DIALECT_OPENAI) == 0) {
		rc = openai_write_request(out, &r, &t, &p, &f);
		must(rc == 0 || f.why[0] != '\0' || a.bad || out->bad);
		must(rc < 0 || json_valid(buf_str(out), NULL, NULL));
	} else
		rc = -1;
	arena_free(&a);
	return rc == 0;
}

static void
check_request(struct str in, uint8_t way)
{
	struct buf one, two, three;

	buf_init(&one, ROOM);
	buf_init(&two, ROOM);
	buf_init(&three, ROOM);
	if (rewrite(&one, in, way) &&
	    str_casefind(buf_str(&one), str_of("__ts_")) < 0) {
		/* The first time joins what was apart; then it stands still. */
		must(rewrite(&two, buf_str(&one), way));
		must(rewrite(&three, buf_str(&two), way));
		must(str_eq(buf_str(&two), buf_str(&three)));
	}
	buf_free(&one);
	buf_free(&two);
	buf_free(&three);
}

static void
check_clean(struct str in)
{
	struct arena a;
	struct buf out;
	int rc;

	arena_init(&a, ROOM);
	buf_init(&out, ROOM);
	rc = openai_clean(&out, &a, in, str_of("claude-x"));
	must(rc == 1 || out.len == 0);
	must(rc != 1 || (json_valid(in, NULL, NULL) &&
	    json_valid(buf_str(&out), NULL, NULL)));
	buf_free(&out);
	arena_free(&a);
}

/* ---- answers ---- */

struct watch {
	struct arena arena;
	struct msg_notes notes;
	struct msg_gather gather;
	struct msg_sink sink;
	struct msg_context c;
	struct buf out;
	uint64_t random;
	void *writer;		/* NULL: none */
	unsigned char open[CHOICES], finished[CHOICES];
	unsigned next;		/* the least choice that may finish */
	unsigned started:1, used:1, over:1, failed:1;
};

static void
watch_part(struct watch *w, const struct msg_event *e)
{
	unsigned char mark = (unsigned char)(e->part + 1);

	must(e->choice < CHOICES && w->next == 0);
	if (e->kind == MSG_OPEN) {
		must(w->open[e->choice] == 0);
		w->open[e->choice] = mark;
		return;
	}
	must(w->open[e->choice] == mark);
	if (e->kind == MSG_CLOSE)
		w->open[e->choice] = 0;
	else
		must(e->text.n > 0);
}

static void
take(void *arg, const struct msg_event *e)
{
	struct watch *w = arg;

	must(!w->over);
	switch (e->kind) {
	case MSG_START:
		must(!w->started);
		w->started = 1;
		break;
	case MSG_FINISH:
		must(w->started && !w->used && e->choice >= w->next);
		must(w->open[e->choice] == 0);
		w->finished[e->choice] = 1;
		w->next = e->choice + 1;
		break;
	case MSG_USAGE:
		must(w->next > 0 && !w->used);
		w->used = 1;
		break;
	case MSG_END:
		must(w->used);
		w->over = 1;
		break;
	case MSG_ERROR:
		must(e->text.n > 0);
		w->over = w->failed = 1;
		break;
	default:
		must(w->started && e->kind != MSG_CITE);
		watch_part(w, e);
	}
	msg_gather_take(&w->gather, e);
	if (w->writer != NULL && !w->out.bad)
		must(openai_write_event(w->writer, e, &w->out) == 0 ||
		    w->out.bad);
}

static void
watch_start(struct watch *w, int writes)
{
	memset(w, 0, sizeof *w);
	arena_init(&w->arena, ROOM);
	buf_init(&w->out, ROOM);
	msg_gather_start(&w->gather, &w->arena, &w->notes);
	w->sink.take = take;
	w->sink.arg = w;
	w->sink.arena = &w->arena;
	w->sink.notes = &w->notes;
	w->c.model = str_of("m");
	w->c.include_usage = 1;
	w->c.upstream = DIALECT_OPENAI;
	w->c.random = &w->random;
	w->c.arena = &w->arena;
	w->c.notes = &w->notes;
	if (writes)
		must((w->writer = openai_writer_new(&w->c)) != NULL);
}

static void
watch_free(struct watch *w)
{
	openai_writer_free(w->writer);
	msg_gather_free(&w->gather);
	buf_free(&w->out);
	arena_free(&w->arena);
}

/* Each line is an event; what stands before the data is taken off. */
static void
feed(struct watch *w, struct str in, const char *prefix)
{
	void *reader = openai_reader_new(&w->sink);
	const char *p = in.p, *end = in.p + in.n, *line;
	size_t n = strlen(prefix);
	struct str one;

	must(reader != NULL);
	while (p < end) {
		if ((line = memchr(p, '\n', (size_t)(end - p))) == NULL)
			line = end;
		one = str_n(p, (size_t)(line - p));
		p = line + 1;
		if (one.n == 0)
			continue;
		must(str_starts(one, prefix));
		openai_read_event(reader, str_of(""), str_n(one.p + n,
		    one.n - n));
	}
	openai_read_end(reader);
	must(w->over);
	openai_reader_free(reader);
}

/* What parts say; neighbours of one kind are as one. */
static void
say(struct buf *b, struct arena *a, const struct msg_part *p)
{
	enum msg_kind last = MSG_CALL;

	for (; p != NULL; p = p->next) {
		if (p->kind != last || p->kind == MSG_CALL)
			buf_fmt(b, "\n%d:", (int)p->kind);
		last = p->kind;
		buf_addstr(b, text_plain(a, p->kind == MSG_CALL
		    ? text_from_object(a, p->args) : p->text));
	}
}

/* Both say the same; names and ids may have been mended on the way. */
static void
same(struct watch *x, struct watch *y)
{
	const struct msg_gather_choice *c = x->gather.choices;
	const struct msg_gather_choice *d = y->gather.choices;
	struct buf one, two;

	buf_init(&one, ROOM);
	buf_init(&two, ROOM);
	must(!y->failed || y->arena.bad);
	for (; c != NULL && d != NULL && !y->arena.bad; c = c->next,
	    d = d->next) {
		must(c->index == d->index);
		must(c->finish.stop == d->finish.stop);
		buf_clear(&one);
		buf_clear(&two);
		say(&one, &x->arena, c->parts);
		say(&two, &y->arena, d->parts);
		must(str_eq(buf_str(&one), buf_str(&two)));
	}
	must((c == NULL && d == NULL) || y->arena.bad);
	buf_free(&one);
	buf_free(&two);
}

static void
check_answer(struct str in, int stream)
{
	struct watch w, again;
	struct buf whole;

	buf_init(&whole, ROOM);
	watch_start(&w, 1);
	if (stream)
		feed(&w, in, "");
	else
		openai_read_answer(&w.sink, in);
	must(w.over);
	watch_start(&again, 0);
	/* A stream is begun with its choice 0. */
	if (!w.failed && !w.out.bad && w.finished[0]) {
		feed(&again, buf_str(&w.out), "data: ");
		same(&w, &again);
	}
	watch_free(&again);
	watch_start(&again, 0);
	if (!w.failed && !w.arena.bad &&
	    openai_write_answer(&whole, &w.c, &w.gather) == 0) {
		must(json_valid(buf_str(&whole), NULL, NULL));
		openai_read_answer(&again.sink, buf_str(&whole));
		must(again.over && again.failed == 0);
		if (!stream)
			same(&w, &again);
	}
	watch_free(&again);
	watch_free(&w);
	buf_free(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in;

	if (size == 0)
		return 0;
	in = str_n((const char *)data + 1, size - 1);
	if (data[0] % 3 == 0) {
		check_request(in, data[0] / 3);
		check_clean(in);
	} else
		check_answer(in, data[0] % 3 == 1);
	return 0;
}
