#include "relay/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define US 1000u
#define MINUTE 60000
#define START ((int64_t)1790000000000)

static struct stats s;
static uint64_t now_us;
static int64_t wall = START;

static struct stats_entry *
begin(const char *id, const char *model)
{
	struct stats_request r;
	struct stats_entry *e;

	memset(&r, 0, sizeof r);
	r.id = str_of(id);
	r.method = str_of("POST");
	r.path = str_of("/v1/messages");
	r.key = str_of("laptop");
	r.client = DIALECT_ANTHROPIC;
	r.body = 100;
	r.wall_ms = wall;
	r.began_us = now_us;
	e = stats_begin(&s, &r);
	stats_model(e, str_of(model), 1);
	return e;
}

/* One attempt with its phases 1, 2, 3, 4 ms apart, ended after `ms`. */
static void
attempt(struct stats_entry *e, const char *backend, enum stats_outcome how,
    int status, const char *reason, unsigned ms)
{
	uint64_t at = now_us;

	stats_try_begin(&s, e, str_of(backend), 0, at);
	stats_try_phase(&s, e, STATS_SENDING, at + 1 * US);
	stats_try_phase(&s, e, STATS_ANSWER, at + 2 * US);
	stats_try_phase(&s, e, STATS_HOLDING, at + 3 * US);
	if (how == STATS_GOOD)
		stats_try_phase(&s, e, STATS_STREAMING, at + 4 * US);
	now_us = at + ms * US;
	stats_try_end(&s, e, how, status, reason, now_us, wall);
}

static void
finish(struct stats_entry *e, const char *backend, int status,
    enum stats_outcome how, int64_t in, int64_t out)
{
	struct dialect_watch w;
	struct stats_end end;

	dialect_watch_start(&w, DIALECT_ANTHROPIC, OP_GENERATE);
	w.usage.input = in;
	w.usage.output = out;
	w.usage.cache_read = in > 0 ? 7 : -1;
	snprintf(w.stop_reason, sizeof w.stop_reason, "end_turn");
	memset(&end, 0, sizeof end);
	end.status = status;
	end.outcome = how;
	end.backend = str_of(backend);
	end.model_label = str_of("claude-*");
	end.user = str_of("laptop");
	end.watch = &w;
	end.lost = str_of("");
	end.to = how == STATS_GOOD ? DIALECT_OPENAI : DIALECT_ANY;
	end.losses = 2;
	end.bytes_out = 55;
	end.first_us = how == STATS_GOOD ? e->began_us + 4 * US : 0;
	stats_end(&s, e, &end, now_us, wall);
}

static uint64_t
row(const struct stats_table *t, const char *a, const char *b, const char *c)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->rows[i].label[0], a) == 0 &&
		    strcmp(t->rows[i].label[1], b) == 0 &&
		    strcmp(t->rows[i].label[2], c) == 0)
			return t->rows[i].n;
	return 0;
}

static void
test_one(void)
{
	struct stats_entry *e = begin("a", "claude-opus");
	const struct stats_try *t;
	struct stats_backend *b;

	T_OK(s.running == e && s.newest == e && e->number == 1 &&
	    strcmp(e->model, "claude-opus") == 0 && e->stream &&
	    strcmp(e->key, "laptop") == 0, "begun");
	stats_skip(&s, e, str_of("off"), "breaker open", now_us);
	attempt(e, "first", STATS_LIMITED, 429, "status 429", 10);
	T_OK(e->phase == STATS_WAITING && e->backend == NULL, "between");
	stats_try_begin(&s, e, str_of("second"), 1, now_us);
	b = stats_backend(&s, str_of("second"));
	T_OK(b->in_flight == 1 && e->phase == STATS_CONNECTING, "running");
	stats_try_phase(&s, e, STATS_STREAMING, now_us + 20 * US);
	now_us += 90 * US;
	stats_try_end(&s, e, STATS_GOOD, 200, "", now_us, wall);
	T_OK(b->in_flight == 0 && b->outcomes[STATS_GOOD] == 1, "ended");
	/* Once more: the attempt has ended already. */
	stats_try_end(&s, e, STATS_FAILED, 500, "again", now_us, wall);
	T_OK(b->outcomes[STATS_FAILED] == 0 && b->last_failure[0] == '\0',
	    "twice");
	finish(e, "second", 200, STATS_GOOD, 30, 5);
	T_OK(s.running == NULL && s.newest == NULL && s.ended == 1, "over");
	T_OK(stats_recent(&s, 0) == e && stats_recent(&s, 1) == NULL &&
	    stats_find(&s, str_of("a")) == e &&
	    stats_find(&s, str_of("b")) == NULL, "found");
	t = e->tries;
	T_OK(t->outcome == STATS_SKIPPED && strcmp(t->reason,
	    "breaker open") == 0, "a skip");
	t = t->next;
	T_OK(t->outcome == STATS_LIMITED && t->status == 429 &&
	    t->began_us == 1 && t->connected_us == US &&
	    t->sent_us == 2 * US && t->head_us == 3 * US &&
	    t->first_us == 0 && t->ended_us == 10 * US, "times %llu %llu",
	    (unsigned long long)t->began_us, (unsigned long long)t->ended_us);
	t = t->next;
	T_OK(t->translated && t->first_us == t->began_us + 20 * US &&
	    t->next == NULL && strcmp(t->backend->name, "second") == 0,
	    "the second");
	T_OK(e->attempts == 2 && e->status == 200 && e->done &&
	    e->usage.input == 30 && strcmp(e->stop, "end_turn") == 0 &&
	    e->first_us == 4 * US, "what is kept");
}

static void
test_sums(void)
{
	struct stats_entry *e;
	size_t i;

	e = begin("b", "claude-x");
	attempt(e, "first", STATS_FAILED, 529, "status 529: overloaded", 5);
	finish(e, "", 502, STATS_FAILED, -1, -1);
	e = begin("c", "claude-x");
	attempt(e, "second", STATS_LEFT, 200, "", 5);
	finish(e, "second", 499, STATS_LEFT, 10, 1);
	T_OK(s.good == 1 && s.failed == 1 && s.left == 1 && s.broken == 0 &&
	    s.retried == 1 && s.limited == 1, "totals");
	T_OK(s.translated == 1 && s.lost == 6, "translated %llu, lost %llu",
	    (unsigned long long)s.translated, (unsigned long long)s.lost);
	T_OK(s.tokens.input == 40 && s.tokens.output == 6 &&
	    s.tokens.cache_read == 14 && s.tokens.reasoning == 0, "tokens");
	T_OK(row(&s.requests, "second", "claude-*", "200") == 1 &&
	    row(&s.requests, "none", "claude-*", "502") == 1 &&
	    row(&s.requests, "second", "claude-*", "499") == 1 &&
	    s.requests.n == 3, "requests");
	T_OK(row(&s.by_model, "claude-*", "prompt", "") == 54 &&
	    row(&s.by_model, "claude-*", "completion", "") == 6 &&
	    row(&s.by_user, "laptop", "claude-*", "prompt") == 54, "by");
	T_OK(row(&s.translations, "anthropic", "openai", "") == 1, "from, to");
	T_OK(s.duration.n == 3 && s.first_byte.n == 1 &&
	    s.duration.count[1] + s.duration.count[0] +
	    s.duration.count[3] == 3, "histograms");
	for (i = 0; i < STATS_BUCKETS - 2; i++)
		T_OK(stats_bounds[i] < stats_bounds[i + 1], "bounds");
	T_OK(strcmp(stats_backend(&s, str_of("first"))->last_failure,
	    "status 529: overloaded") == 0, "the last failure");
}

static void
test_minutes(void)
{
	const struct stats_minute *m = stats_minute(&s, wall, 0);

	T_OK(m != NULL && m->requests == 3 && m->failed == 1 &&
	    m->retried == 1 && m->limited == 1 && m->input == 54 &&
	    m->output == 6 && m->first_byte.n == 1, "this minute");
	T_OK(stats_minute(&s, wall, 1) == NULL, "the last minute");
	T_OK(stats_minute(&s, 60000, 2) == NULL &&
	    stats_minute(&s, 0, STATS_MINUTES - 1) == NULL, "before 1970");
	wall += 2 * MINUTE;
	finish(begin("d", "x"), "", 404, STATS_FAILED, -1, -1);
	T_OK(stats_minute(&s, wall, 0)->requests == 1 &&
	    stats_minute(&s, wall, 1) == NULL &&
	    stats_minute(&s, wall, 2)->requests == 3, "two minutes later");
	wall += STATS_MINUTES * MINUTE;
	finish(begin("e", "x"), "", 404, STATS_FAILED, -1, -1);
	T_OK(stats_minute(&s, wall, 0)->requests == 1 &&
	    stats_minute(&s, wall, STATS_MINUTES - 1) == NULL,
	    "an hour later its place is taken");
}

static void
test_bounds(void)
{
	struct stats_entry *e, *list[3];
	char name[200];
	unsigned i;

	/* The ring, and those that end in another order than they began. */
	for (i = 0; i < 2 * STATS_RECENT; i++) {
		snprintf(name, sizeof name, "r%u", i);
		finish(begin(name, "x"), "", 404, STATS_FAILED, -1, -1);
	}
	T_OK(strcmp(stats_recent(&s, 0)->id, name) == 0 &&
	    stats_recent(&s, STATS_RECENT - 1) != NULL &&
	    stats_recent(&s, STATS_RECENT) == NULL, "the ring");
	for (i = 0; i < 3; i++)
		list[i] = begin("x", "y");
	finish(list[1], "", 404, STATS_FAILED, -1, -1);
	T_OK(s.running == list[0] && list[0]->next == list[2] &&
	    list[2]->prev == list[0] && s.newest == list[2], "unlinked");
	finish(list[2], "", 404, STATS_FAILED, -1, -1);
	T_OK(s.newest == list[0] && list[0]->next == NULL, "the newest");
	finish(list[0], "", 404, STATS_FAILED, -1, -1);
	/* Long strings are cut, and many attempts. */
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	e = begin(name, name);
	T_OK(strlen(e->id) == 120 && strlen(e->model) == 120, "cut");
	for (i = 0; i < 3 * STATS_TRIES; i++)
		attempt(e, "many", STATS_FAILED, 500, name, 1);
	T_OK(e->attempts == 3 * STATS_TRIES && stats_backend(&s,
	    str_of("many"))->outcomes[STATS_FAILED] == 3 * STATS_TRIES,
	    "all are counted");
	finish(e, "", 502, STATS_FAILED, -1, -1);
	/* Without an entry all is counted that can be. */
	stats_model(NULL, str_of("x"), 0);
	stats_try_begin(&s, NULL, str_of("many"), 0, 1);
	stats_try_phase(&s, NULL, STATS_SENDING, 1);
	stats_try_end(&s, NULL, STATS_GOOD, 200, "", 1, wall);
}

static void
test_percentiles(void)
{
	struct stats_backend *b = stats_backend(&s, str_of("slow"));
	unsigned i;

	T_OK(stats_percentile(b, 50) == -1, "none");
	b->samples[b->nsamples++] = 8;
	T_OK(stats_percentile(b, 1) == 8 && stats_percentile(b, 99) == 8,
	    "one");
	b->nsamples = 0;
	for (i = 0; i < 300; i++)
		b->samples[b->nsamples++ % STATS_SAMPLES] = i;
	/* The last 128: 172 .. 299. */
	T_OK(stats_percentile(b, 50) == 235 && stats_percentile(b, 95) == 293,
	    "%d %d", stats_percentile(b, 50), stats_percentile(b, 95));
}

/* More labels than there is room for are left out, not more memory. */
static void
test_rows(void)
{
	struct stats_end end;
	char label[32];
	unsigned i;

	memset(&end, 0, sizeof end);
	end.user = str_of("u");
	end.to = DIALECT_ANY;
	for (i = 0; i < STATS_ROWS + 100; i++) {
		snprintf(label, sizeof label, "m%u", i);
		end.model_label = str_of(label);
		end.status = 200;
		end.outcome = STATS_GOOD;
		stats_end(&s, NULL, &end, now_us, wall);
	}
	T_OK(s.requests.n == STATS_ROWS, "%lu rows",
	    (unsigned long)s.requests.n);
}

int
main(void)
{
	stats_init(&s, wall);
	T_OK(s.started_ms == START, "started");
	test_one();
	test_sums();
	test_minutes();
	test_bounds();
	test_percentiles();
	test_rows();
	stats_free(&s);
	T_OK(strcmp(stats_outcome_name(STATS_SKIPPED), "skipped") == 0 &&
	    strcmp(stats_phase_name(STATS_DONE), "done") == 0, "names");
	return t_end();
}
