/*
 * A conversation means the same to a backend as to the client that had it,
 * and still does when it has come back into the client's API; the same bytes
 * give the same bytes (J-1), and on its further ways there and back it comes
 * to rest.  What a backend cannot be told is taken out of what is expected
 * first (tests/talk_lens.h).  Whatever there is no room for is an error.
 *
 *	t_roundtrip		many seeds
 *	t_roundtrip SEED	one, with what was sent
 */

#include <stdlib.h>

#include "dialect/anthropic_request.h"
#include "dialect/gemini_request.h"
#include "dialect/normal.h"
#include "dialect/openai_request.h"
#include "dialect/profile.h"
#include "dialect/responses_request.h"
#include "dialect/translate.h"
#include "tests/t.h"
#include "tests/talk_lens.h"

#define SEEDS 2400
#define ARENA ((size_t)64 << 20)

static const char *const models[] = { "claude-3-5-sonnet", "gpt-4o",
    "gemini-3-pro" };
static const char letters[] = "AOGR";

static uint64_t seed_now;
static const char *pair_now;
static int loud;

static void
fill_call(struct dialect_call *call, int client)
{
	memset(call, 0, sizeof *call);
	call->dialect = client == TALK_R ? DIALECT_OPENAI :
	    (enum dialect)client;
	call->op = client == TALK_R ? OP_RESPONSES : OP_GENERATE;
	call->model = str_of("asked");
}

/* ---- a request in words ---- */

/* How names came to be what they are: the last change first. */
struct back {
	const struct names *names[2];
};

struct words {
	struct buf *b;
	const struct back *back;	/* NULL: names are as they were */
};

static void
word_text(struct words *w, const char *what, struct str text)
{
	buf_fmt(w->b, " %s ", what);
	gen_say(w->b, text);
	buf_addc(w->b, '\n');
}

static void
word_name(struct words *w, struct str name)
{
	int custom;
	unsigned i;

	for (i = 0; w->back != NULL && i < 2; i++)
		if (w->back->names[i] != NULL)
			name = names_back(w->back->names[i], name, &custom);
	buf_adds(w->b, " name ");
	json_write(w->b, name);
}

/* 1 if a stands before b. */
static int
before(struct str a, struct str b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c < 0 || (c == 0 && a.n < b.n);
}

/* A value with the members of its objects in the order of their names. */
static void
word_value(struct buf *b, const struct node *n)
{
	const struct node *c, *next, *last = NULL;

	buf_addc(b, ' ');
	if (n->type != JSON_OBJECT && n->type != JSON_ARRAY) {
		if (text_canon(b, n->raw) == -1)
			b->bad = 1;
		return;
	}
	buf_adds(b, n->type == JSON_ARRAY ? "[" : "{");
	for (c = n->child; n->type == JSON_ARRAY && c != NULL; c = c->next)
		word_value(b, c);
	while (n->type == JSON_OBJECT) {
		for (next = NULL, c = n->child; c != NULL; c = c->next)
			if ((last == NULL || before(last->key, c->key)) &&
			    (next == NULL || before(c->key, next->key)))
				next = c;
		if ((last = next) == NULL)
			break;
		buf_addc(b, ' ');
		gen_say(b, next->key);
		word_value(b, next);
	}
	buf_adds(b, n->type == JSON_ARRAY ? "]" : "}");
}

static void
word_media(struct words *w, const struct msg_part *p)
{
	buf_fmt(w->b, " media %d ", (int)p->kind);
	buf_addstr(w->b, p->type);
	buf_addc(w->b, ' ');
	buf_addstr(w->b, p->data);
	if (p->url.p != NULL)
		word_text(w, "at", p->url);
	if (p->title.n > 0)
		word_text(w, "called", p->title);
	buf_addc(w->b, '\n');
}

/* at: the call that a result here would belong to. */
static void
word_part(struct words *w, const struct msg_part *p,
    const struct msg_part *at)
{
	const struct msg_part *in;

	switch (p->kind) {
	case MSG_TEXT:
	case MSG_REFUSAL:
		word_text(w, "text", p->text);
		return;
	case MSG_CALL:
		buf_adds(w->b, p->custom ? " free call" : " call");
		word_name(w, p->name);
		buf_addc(w->b, ' ');
		text_canon(w->b, p->args);
		buf_adds(w->b, " signed ");
		buf_addstr(w->b, p->signature);
		buf_addc(w->b, '\n');
		return;
	case MSG_RESULT:
		buf_fmt(w->b, " result %s%s\n", at == NULL ||
		    !str_eq(at->id, p->id) ? "of nothing" : "",
		    p->error ? " error" : "");
		for (in = p->parts; in != NULL; in = in->next)
			word_part(w, in, NULL);
		return;
	case MSG_THINK:
		word_text(w, "thought", p->text);
		buf_addstr(w->b, p->signature);
		return;
	case MSG_REDACTED:
		word_text(w, "hidden", p->data);
		return;
	default:
		word_media(w, p);
	}
}

static const struct msg_part *
next_call(const struct msg_part *p)
{
	while (p != NULL && p->kind != MSG_CALL)
		p = p->next;
	return p;
}

static void
word_turns(struct words *w, struct msg_request *r)
{
	const struct msg_part *p, *call = NULL;
	struct msg_turn *t;

	join(r, 1);
	for (t = r->turns; t != NULL; t = t->next) {
		buf_fmt(w->b, "%s\n", t->role == MSG_USER ? "user" :
		    t->role == MSG_SYSTEM ? "system" : "assistant");
		for (p = t->parts; p != NULL; p = p->next) {
			if (t->role == MSG_ASSISTANT && p->kind == MSG_TEXT &&
			    p->next != NULL && p->next->kind == MSG_TEXT) {
				p->next->text = texts_of(r->arena, p, "",
				    NULL);
				while (p->next->next != NULL &&
				    p->next->next->kind == MSG_TEXT)
					p->next->next = p->next->next->next;
				continue;
			}
			word_part(w, p, call);
			if (p->kind == MSG_RESULT && call != NULL)
				call = next_call(call->next);
		}
		call = t->role == MSG_ASSISTANT ? next_call(t->parts) : NULL;
	}
}

static void
word_number(struct words *w, const char *name, struct str raw)
{
	if (raw.p == NULL)
		return;
	buf_fmt(w->b, "%s ", name);
	buf_addstr(w->b, raw);
	buf_addc(w->b, '\n');
}

static void
word_tools(struct words *w, const struct msg_request *r)
{
	const struct msg_tool *t;

	for (t = r->tools; t != NULL; t = t->next) {
		buf_adds(w->b, t->custom ? "free tool" : "tool");
		word_name(w, t->name);
		if (t->description.n > 0)
			word_text(w, "that", t->description);
		if (t->format != NULL)
			word_value(w->b, t->format);
		if (tree_get(t->schema, "properties") != NULL &&
		    tree_get(t->schema, "properties")->child != NULL)
			word_value(w->b, t->schema);
		buf_addc(w->b, '\n');
	}
	buf_fmt(w->b, "choice %d%s", (int)r->choice,
	    r->parallel_off ? " one at a time" : "");
	if (r->choice == MSG_CHOICE_TOOL)
		word_name(w, r->choice_name);
	buf_addc(w->b, '\n');
}

/* Changes r's lists. */
static void
words(struct buf *b, struct msg_request *r, const struct back *back)
{
	const struct msg_part *p;
	const struct msg_string *s;
	struct words w;

	w.b = b;
	w.back = back;
	for (p = r->system; p != NULL; p = p->next)
		word_text(&w, "system", p->text);
	word_turns(&w, r);
	word_tools(&w, r);
	word_number(&w, "max_tokens", r->max_tokens);
	word_number(&w, "temperature", r->temperature);
	word_number(&w, "top_p", r->top_p);
	word_number(&w, "top_k", r->top_k);
	word_number(&w, "presence", r->presence_penalty);
	word_number(&w, "frequency", r->frequency_penalty);
	word_number(&w, "seed", r->seed);
	word_number(&w, "n", r->n);
	word_number(&w, "top_logprobs", r->top_logprobs);
	for (s = r->stops; s != NULL; s = s->next)
		word_text(&w, "stop", s->s);
	if (r->user.n > 0)
		word_text(&w, "for", r->user);
	buf_fmt(b, "logprobs %d tier %d format %d\n", (int)r->logprobs,
	    (int)r->tier, (int)r->format);
	if (r->format == MSG_FORMAT_SCHEMA)
		word_value(b, r->schema);
}

/* ---- the way there and back ---- */

static int (*const readers[])(struct msg_request *,
    const struct node *, const struct dialect_call *,
    struct msg_fault *) = {
	anthropic_read_request, openai_read_request,
	gemini_read_request, responses_read_request
};

/* A client's body, read as its own API does. */
static int
read_body(struct msg_request *r, struct arena *a, struct msg_notes *notes,
    int client, struct str body)
{
	struct dialect_call call;
	struct msg_fault f;
	struct node *n;

	memset(r, 0, sizeof *r);
	memset(&f, 0, sizeof f);
	r->arena = a;
	r->notes = notes;
	fill_call(&call, client);
	n = tree_parse(a, body);
	if (n != NULL && readers[client](r, n, &call, &f) == 0)
		return 0;
	T_OK(0, "seed %lu %s: read as %c: %s", (unsigned long)seed_now,
	    pair_now, letters[client], f.why);
	return -1;
}

/* The body for a backend; made twice, which must not differ. */
static struct str
translated(struct arena *a, int client, int target, struct str body)
{
	struct translate_setup setup;
	struct dialect_call call;
	struct translate *t, *again;
	struct msg_fault f;
	uint64_t random = seed_now, other = 99;
	struct str s;

	memset(&setup, 0, sizeof setup);
	fill_call(&call, client);
	setup.call = &call;
	setup.model = str_of("asked");
	setup.target.dialect = (enum dialect)target;
	setup.target.model = str_of(models[target]);
	setup.random = &random;
	t = translate_new(&setup, body, &f);
	setup.random = &other;
	setup.created = 77;
	again = translate_new(&setup, body, &f);
	T_OK(t != NULL && again != NULL, "seed %lu %s: %s",
	    (unsigned long)seed_now, pair_now, f.why);
	s = str_n(NULL, 0);
	if (t != NULL && again != NULL) {
		T_OK(str_eq(translate_body(t), translate_body(again)) &&
		    str_eq(translate_notes(t), translate_notes(again)),
		    "seed %lu %s", (unsigned long)seed_now, pair_now);
		s = arena_copy(a, translate_body(t));
	}
	if (loud)
		printf("%c>%c %.*s\n", letters[client], letters[target],
		    (int)s.n, s.p);
	translate_free(t);
	translate_free(again);
	return s;
}

/* How a body's names are changed on their way. */
static void
names_of(struct names *n, struct arena *a, struct msg_notes *notes,
    int client, int target, struct str body)
{
	struct msg_request r;

	memset(n, 0, sizeof *n);
	if (read_body(&r, a, notes, client, body) == 0 &&
	    normal_request(&r, client == TALK_R ? DIALECT_OPENAI :
	    (enum dialect)client) == 0)
		names_map(n, &r, (enum dialect)target);
}

/* 1 if a backend takes all of s. */
static int
shaped(struct str s, int target, size_t max)
{
	const char *more = target == TALK_G ? "_-.:" : "_-";
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !(s.p[i] >= 'a' && s.p[i] <= 'z') &&
		    !(s.p[i] >= 'A' && s.p[i] <= 'Z') &&
		    memchr(more, s.p[i], strlen(more)) == NULL)
			return 0;
	return s.n > 0 && s.n <= max && (target != TALK_G || s.p[0] > '9');
}

static void
check_shapes(const struct msg_request *r, int target)
{
	const struct msg_tool *tool, *other;
	const struct msg_turn *t;
	const struct msg_part *p;

	for (tool = r->tools; tool != NULL; tool = tool->next) {
		T_OK(shaped(tool->name, target, 64), "seed %lu %s: %.*s",
		    (unsigned long)seed_now, pair_now, (int)tool->name.n,
		    tool->name.p);
		for (other = tool->next; other != NULL; other = other->next)
			T_OK(!str_eq(tool->name, other->name),
			    "seed %lu %s", (unsigned long)seed_now, pair_now);
	}
	for (t = r->turns; t != NULL; t = t->next)
		for (p = t->parts; p != NULL; p = p->next) {
			if (p->kind == MSG_CALL)
				T_OK(shaped(p->name, target, 64),
				    "seed %lu %s", (unsigned long)seed_now,
				    pair_now);
			if (p->kind == MSG_CALL || p->kind == MSG_RESULT)
				T_OK(target == TALK_G || (target == TALK_O ?
				    p->id.n <= 40 : shaped(p->id, target,
				    1000)), "seed %lu %s",
				    (unsigned long)seed_now, pair_now);
		}
}

/* Says at which line two accounts part. */
static int
same_words(const struct buf *want, const struct buf *got)
{
	struct str a = buf_str(want), b = buf_str(got);
	size_t i = 0, from = 0;

	if (str_eq(a, b))
		return 1;
	for (; i < a.n && i < b.n && a.p[i] == b.p[i]; i++)
		if (a.p[i] == '\n')
			from = i + 1;
	printf("# wanted: %.*s\n#    got: %.*s\n", (int)(a.n - from > 300 ?
	    300 : a.n - from), a.p + from, (int)(b.n - from > 300 ? 300 :
	    b.n - from), b.p + from);
	return 0;
}

static void
compare(struct msg_request *want, struct arena *a, struct msg_notes *notes,
    int target, struct str body, const struct back *back)
{
	struct msg_request got;
	struct buf x, y;

	if (read_body(&got, a, notes, target, body) == -1)
		return;
	check_shapes(&got, target);
	buf_init(&x, GEN_MAX);
	buf_init(&y, GEN_MAX);
	words(&x, want, NULL);
	words(&y, &got, back);
	T_OK(x.bad == 0 && y.bad == 0 && same_words(&x, &y), "seed %lu %s",
	    (unsigned long)seed_now, pair_now);
	buf_free(&x);
	buf_free(&y);
}

/* One translation with so much room and no more; 0, or -1 in words. */
static int
squeeze(int client, int target, struct str body, size_t room, size_t out_room,
    size_t *used, size_t *written)
{
	static int (*const writers[])(struct buf *, struct msg_request *,
	    const struct msg_target *, const struct profile *,
	    struct msg_fault *) = {
		anthropic_write_request, openai_write_request,
		gemini_write_request
	};
	struct msg_notes notes = { NULL };
	struct msg_target to;
	struct msg_request r;
	struct dialect_call call;
	struct msg_fault f;
	struct profile p;
	struct names n;
	struct arena a;
	struct buf out;
	struct node *tree;
	int rc = -1;

	memset(&to, 0, sizeof to);
	memset(&r, 0, sizeof r);
	to.dialect = (enum dialect)target;
	to.model = str_of(models[target]);
	fill_call(&call, client);
	arena_init(&a, room);
	buf_init(&out, out_room);
	r.arena = &a;
	r.notes = &notes;
	tree = tree_parse(&a, body);
	profile_of(&p, to.dialect, to.model);
	if (tree != NULL && readers[client](&r, tree, &call, &f) == 0 &&
	    normal_request(&r, call.dialect) == 0 &&
	    names_map(&n, &r, to.dialect) == 0 &&
	    names_ids(&r, to.dialect) == 0 && normal_choice(&r, &f) == 0)
		rc = writers[target](&out, &r, &to, &p, &f);
	T_OK((rc == 0) == (!a.bad && !out.bad), "seed %lu %s: %d in %lu %lu",
	    (unsigned long)seed_now, pair_now, rc, (unsigned long)room,
	    (unsigned long)out_room);
	*used = a.used;
	*written = out.len;
	buf_free(&out);
	arena_free(&a);
	return rc;
}

/* Whatever there is no room for, it is said and nothing is left out. */
static void
test_room(int client, int target, struct str body)
{
	size_t used, written, n, ignored;
	unsigned i;

	if (squeeze(client, target, body, ARENA, GEN_MAX, &used,
	    &written) == -1)
		return;
	T_OK(squeeze(client, target, body, used, written, &ignored,
	    &ignored) == 0, "seed %lu %s", (unsigned long)seed_now, pair_now);
	for (i = 0; i < 30; i++) {
		n = gen_below((unsigned)used);
		T_OK(squeeze(client, target, body, n, GEN_MAX, &ignored,
		    &ignored) == -1, "seed %lu %s", (unsigned long)seed_now,
		    pair_now);
		n = gen_below((unsigned)written);
		T_OK(squeeze(client, target, body, ARENA, n, &ignored,
		    &ignored) == -1, "seed %lu %s", (unsigned long)seed_now,
		    pair_now);
	}
}

/* The conversation of a seed, anew; 1 if the client gives no ids. */
static int
make(struct msg_request *r, struct arena *a, struct msg_notes *notes,
    int client, int target)
{
	memset(r, 0, sizeof *r);
	r->arena = a;
	r->notes = notes;
	gen_state = seed_now;
	return talk_make(r, client, target);
}

static void
test_pair(int client, int target, struct arena *a)
{
	struct msg_notes notes = { NULL };
	struct msg_request want;
	struct str there, body[6];
	struct names names[2];
	struct back known;
	struct buf b;
	enum msg_format format;
	int nameless, i;

	nameless = make(&want, a, &notes, client, target);
	format = want.format;
	buf_init(&b, GEN_MAX);
	talk_write(&b, &want, client, nameless);
	there = gen_made(a, &b);
	if (loud)
		printf("%c %.*s\n", letters[client], (int)there.n, there.p);
	if (seed_now % 10 == 0)
		test_room(client, target, there);
	names_of(&names[0], a, &notes, client, target, there);
	known.names[0] = &names[0];
	known.names[1] = NULL;
	there = translated(a, client, target, there);
	make(&want, a, &notes, client, target);
	lens(&want, client, target);
	if (there.p == NULL)
		return;
	compare(&want, a, &notes, target, there, &known);
	if (client == TALK_R)
		return;
	names_of(&names[1], a, &notes, target, client, there);
	known.names[0] = &names[1];
	known.names[1] = &names[0];
	body[0] = translated(a, target, client, there);
	make(&want, a, &notes, client, target);
	lens(&want, client, target);
	lens(&want, target, client);
	if (body[0].p == NULL)
		return;
	compare(&want, a, &notes, client, body[0], &known);
	/* Anthropic is told of a format in words, which stay. */
	if (want.format != format)
		return;
	for (i = 1; i < 6; i++) {
		body[i] = translated(a, i % 2 ? client : target,
		    i % 2 ? target : client, body[i - 1]);
		if (body[i].p == NULL)
			return;
	}
	T_OK(str_eq(body[2], body[4]) && str_eq(body[3], body[5]),
	    "seed %lu %s: %.*s\n%.*s", (unsigned long)seed_now, pair_now,
	    (int)body[2].n, body[2].p, (int)body[4].n, body[4].p);
}

int
main(int argc, char **argv)
{
	uint64_t first = 1, last = SEEDS;
	static const struct {
		const char *name;
		int client, target;
	} pairs[] = {
		{ "A>O", TALK_A, TALK_O }, { "A>G", TALK_A, TALK_G },
		{ "O>A", TALK_O, TALK_A }, { "O>G", TALK_O, TALK_G },
		{ "G>A", TALK_G, TALK_A }, { "G>O", TALK_G, TALK_O },
		{ "R>A", TALK_R, TALK_A }, { "R>O", TALK_R, TALK_O },
		{ "R>G", TALK_R, TALK_G }
	};
	struct arena a;

	if (argc > 1) {
		first = last = strtoul(argv[1], NULL, 10);
		loud = 1;
	}
	for (seed_now = first; seed_now <= last; seed_now++) {
		arena_init(&a, ARENA);
		pair_now = pairs[seed_now % 9].name;
		test_pair(pairs[seed_now % 9].client,
		    pairs[seed_now % 9].target, &a);
		T_OK(!a.bad, "seed %lu", (unsigned long)seed_now);
		arena_free(&a);
	}
	return t_end();
}
