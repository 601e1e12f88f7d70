/*
 * The first byte chooses: a request (read, written again for a model that the
 * byte also chooses, and cleaned), a stream (one event in a line, a line
 * "#name" names the next), or a whole answer.  Events must come in the
 * promised order, and what is written of them must be what was read.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/anthropic_answer.h"
#include "dialect/anthropic_request.h"
#include "dialect/names.h"
#include "dialect/normal.h"
#include "json.h"

#define ARENA ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* ---- requests ---- */

static int
rewrite(struct buf *out, struct arena *a, struct str body, const char *model)
{
	static const struct dialect_call call;
	struct msg_notes notes = { NULL };
	struct msg_request r;
	struct msg_target t;
	struct msg_fault f;
	struct profile p;
	struct names n;
	int rc;

	memset(&r, 0, sizeof r);
	memset(&t, 0, sizeof t);
	memset(&f, 0, sizeof f);
	memset(&n, 0, sizeof n);
	r.arena = a;
	r.notes = &notes;
	t.dialect = DIALECT_ANTHROPIC;
	t.model = str_of(model);
	rc = anthropic_read_request(&r, tree_parse(a, body), &call, &f);
	must(rc == 0 || f.why[0] != '\0' || a->bad);
	if (rc == -1)
		return -1;
	profile_of(&p, DIALECT_ANTHROPIC, t.model);
	t.stream = r.stream;
	if (normal_request(&r, DIALECT_ANTHROPIC) < 0 ||
	    names_map(&n, &r, DIALECT_ANTHROPIC) < 0 ||
	    names_ids(&r, DIALECT_ANTHROPIC) < 0)
		return -1;
	rc = anthropic_write_request(out, &r, &t, &p, &f);
	must(rc == 0 || f.why[0] != '\0' || out->bad || a->bad);
	must(rc == -1 || json_valid(buf_str(out), NULL, NULL));
	return rc;
}

/* A function of the bytes alone (J-1), and its own result is a request. */
static void
check_request(struct str body, uint8_t choice)
{
	static const char *const models[] = {
		"claude-3-5-sonnet", "claude-sonnet-4-5", "claude-opus-4-6",
		"claude-opus-4-8", "claude-opus-5-5", "other"
	};
	const char *model = models[choice / 3 % 6];
	struct buf one, two;
	struct arena a;
	int rc;

	arena_init(&a, ARENA);
	buf_init(&one, ARENA);
	buf_init(&two, ARENA);
	rc = rewrite(&one, &a, body, model);
	arena_reset(&a);
	must(rewrite(&two, &a, body, model) == rc);
	must(str_eq(buf_str(&one), buf_str(&two)));
	buf_clear(&two);
	arena_reset(&a);
	/* An id may be nothing but a carrier: then nothing is left of it. */
	if (rc == 0 && str_casefind(buf_str(&one), str_of("id\":\"\"")) < 0)
		must(rewrite(&two, &a, buf_str(&one), model) == 0);
	buf_free(&two);
	buf_free(&one);
	arena_free(&a);
}

static void
check_clean(struct str body)
{
	struct buf one, two;
	struct node *tree;
	struct arena a;
	int rc;

	arena_init(&a, ARENA);
	buf_init(&one, ARENA);
	buf_init(&two, ARENA);
	rc = anthropic_clean(&one, &a, body, str_of("claude-x"));
	must(rc == 1 || one.len == 0);
	must(rc < 1 || json_valid(buf_str(&one), NULL, NULL));
	tree = tree_parse(&a, body);
	if (tree != NULL) {
		/* Others than Claude may leave thinking unsigned. */
		must(anthropic_clean(&two, &a, body, str_of("m")) != -1 ||
		    a.bad);
	} else {
		must(rc <= 0);
	}
	buf_free(&two);
	buf_free(&one);
	arena_free(&a);
}

/* ---- answers ---- */

/* Takes events, and sees that they come as promised. */
struct watch {
	unsigned started:1, open:1, finished:1, told:1, ended:1, failed:1;
	unsigned touched:1;	/* the open part has had a delta */
	enum msg_kind part;
	struct buf text;	/* all pieces, and a mark for each part */
	struct arena arena;
	struct msg_notes notes;
	struct msg_gather gather;
	void *writer;		/* NULL: events are only watched */
	struct buf out;
};

static void
watch_part(struct watch *w, const struct msg_event *e)
{
	static const char marks[] = "T...C.K#R";

	must(w->started && !w->finished);
	switch (e->kind) {
	case MSG_OPEN:
		must(!w->open);
		w->open = 1;
		w->touched = 0;
		w->part = e->part;
		buf_addc(&w->text, marks[e->part]);
		buf_addstr(&w->text, e->part == MSG_REDACTED ? e->data :
		    e->name);
		break;
	case MSG_DELTA:
		must(w->open && e->part == w->part && e->text.n > 0);
		w->touched = 1;
		buf_addstr(&w->text, e->text);
		break;
	case MSG_CITE:
		must(w->open && w->part == MSG_TEXT && e->url.n > 0);
		break;
	default:
		must(w->open && e->part == w->part);
		if (w->part == MSG_CALL && !w->touched)
			buf_adds(&w->text, "{}");
		w->open = 0;
		break;
	}
}

static void
watch_take(void *arg, const struct msg_event *e)
{
	struct watch *w = arg;

	must(!w->ended && !w->failed && e->choice == 0);
	switch (e->kind) {
	case MSG_START:
		must(!w->started);
		w->started = 1;
		break;
	case MSG_FINISH:
		must(w->started && !w->open && !w->finished);
		w->finished = 1;
		buf_fmt(&w->text, "!%d", (int)e->stop);
		buf_addstr(&w->text, e->sequence);
		buf_addstr(&w->text, e->refusal);
		break;
	case MSG_USAGE:
		must(w->finished && !w->told);
		must(e->usage.input >= -1 && e->usage.output >= -1);
		w->told = 1;
		break;
	case MSG_END:
		must(w->told);
		w->ended = 1;
		break;
	case MSG_ERROR:
		must(e->text.n > 0);
		w->failed = 1;
		break;
	default:
		watch_part(w, e);
		break;
	}
	if (w->writer == NULL)
		return;
	must(anthropic_write_event(w->writer, e, &w->out) == 0 ||
	    w->out.bad);
	msg_gather_take(&w->gather, e);
}

static void
watch_start(struct watch *w, const struct msg_context *c)
{
	memset(w, 0, sizeof *w);
	arena_init(&w->arena, ARENA);
	buf_init(&w->text, ARENA);
	buf_init(&w->out, ARENA);
	msg_gather_start(&w->gather, &w->arena, &w->notes);
	w->writer = c == NULL ? NULL : anthropic_writer_new(c);
}

static void
watch_free(struct watch *w)
{
	anthropic_writer_free(w->writer);
	msg_gather_free(&w->gather);
	buf_free(&w->out);
	buf_free(&w->text);
	arena_free(&w->arena);
}

static void
sink_of(struct msg_sink *sink, struct watch *w)
{
	sink->take = watch_take;
	sink->arg = w;
	sink->notes = &w->notes;
	sink->arena = &w->arena;
}

/* Takes a line from the front of s. */
static struct str
next_line(struct str *s)
{
	const char *end;
	struct str line;

	end = memchr(s->p, '\n', s->n);
	line = str_n(s->p, end == NULL ? s->n : (size_t)(end - s->p));
	s->p += end == NULL ? s->n : line.n + 1;
	s->n -= end == NULL ? s->n : line.n + 1;
	return line;
}

/* prefix: what stands before a name, and before data ("": anything). */
static void
feed(struct watch *w, struct str in, const char *names, const char *datas)
{
	struct msg_sink sink;
	struct str line, name;
	void *reader;

	sink_of(&sink, w);
	reader = anthropic_reader_new(&sink);
	must(reader != NULL);
	name = str_n("", 0);
	while (in.n > 0) {
		line = next_line(&in);
		if (str_starts(line, names)) {
			name = str_n(line.p + strlen(names),
			    line.n - strlen(names));
			continue;
		}
		if (line.n == 0 || !str_starts(line, datas))
			continue;
		anthropic_read_event(reader, name, str_n(line.p +
		    strlen(datas), line.n - strlen(datas)));
		name = str_n("", 0);
	}
	anthropic_read_end(reader);
	anthropic_reader_free(reader);
	must(w->ended != w->failed);
}

/* A whole answer is as good as the stream, and reads the same. */
static void
check_whole(const struct msg_context *c, struct watch *w)
{
	struct msg_sink sink;
	struct watch again;
	struct buf body;

	buf_init(&body, ARENA);
	if (anthropic_write_answer(&body, c, &w->gather) == 0) {
		must(json_valid(buf_str(&body), NULL, NULL));
		watch_start(&again, NULL);
		sink_of(&sink, &again);
		anthropic_read_answer(&sink, buf_str(&body));
		must(again.ended);
		watch_free(&again);
	}
	buf_free(&body);
}

static void
check_answer(struct str in, int stream)
{
	struct watch w, again;
	struct msg_context c;
	struct msg_sink sink;
	uint64_t random = 7;

	memset(&c, 0, sizeof c);
	c.model = str_of("m");
	c.upstream = DIALECT_OPENAI;
	c.random = &random;
	watch_start(&w, &c);
	c.arena = &w.arena;
	c.notes = &w.notes;
	sink_of(&sink, &w);
	if (stream)
		feed(&w, in, "#", "");
	else
		anthropic_read_answer(&sink, in);
	must(w.ended != w.failed);
	must(w.ended == w.gather.ended && w.failed == w.gather.failed);
	watch_start(&again, NULL);
	feed(&again, buf_str(&w.out), "event: ", "data: ");
	if (!w.out.bad) {
		must(again.ended == w.ended);
		/* Line ends of Unicode are escaped on the way out. */
		must(!w.ended || again.text.len >= w.text.len);
		must(!w.ended || again.text.len > w.text.len ||
		    str_eq(buf_str(&again.text), buf_str(&w.text)));
	}
	if (w.ended && !w.arena.bad)
		check_whole(&c, &w);
	watch_free(&again);
	watch_free(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in;

	if (size == 0)
		return 0;
	in = str_n((const char *)data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		check_request(in, data[0]);
		check_clean(in);
		break;
	case 1:
		check_answer(in, 1);
		break;
	default:
		check_answer(in, 0);
		break;
	}
	return 0;
}
