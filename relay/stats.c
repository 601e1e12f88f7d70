#include "relay/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATS_TEXT	120	/* bytes of a path, model or key */
#define STATS_BACKENDS	2000	/* names ever seen; further ones share one */

const unsigned stats_bounds[STATS_BUCKETS - 1] = {
	10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000,
	300000
};

const char *
stats_outcome_name(enum stats_outcome o)
{
	static const char *const names[] = {
		"running", "good", "failed", "limited", "returned", "broken",
		"left", "skipped"
	};

	return names[o];
}

const char *
stats_phase_name(enum stats_phase p)
{
	static const char *const names[] = {
		"waiting", "connecting", "sending", "answer", "holding",
		"streaming", "done"
	};

	return names[p];
}

static void
usage_none(struct dialect_usage *u)
{
	u->input = u->output = u->cache_read = u->cache_write =
	    u->reasoning = -1;
}

static void
usage_zero(struct dialect_usage *u)
{
	memset(u, 0, sizeof *u);
}

static void
usage_add(struct dialect_usage *sum, const struct dialect_usage *u)
{
	sum->input += u->input > 0 ? u->input : 0;
	sum->output += u->output > 0 ? u->output : 0;
	sum->cache_read += u->cache_read > 0 ? u->cache_read : 0;
	sum->cache_write += u->cache_write > 0 ? u->cache_write : 0;
	sum->reasoning += u->reasoning > 0 ? u->reasoning : 0;
}

/* All tokens that went in, cached ones too. */
static uint64_t
usage_in(const struct dialect_usage *u)
{
	return (uint64_t)((u->input > 0 ? u->input : 0) +
	    (u->cache_read > 0 ? u->cache_read : 0) +
	    (u->cache_write > 0 ? u->cache_write : 0));
}

static void
histogram_add(struct stats_histogram *h, uint64_t us)
{
	size_t i = 0;

	while (i < STATS_BUCKETS - 1 && us > (uint64_t)stats_bounds[i] * 1000)
		i++;
	h->count[i]++;
	h->n++;
	h->sum_us += us;
}

void
stats_init(struct stats *s, int64_t wall_ms)
{
	memset(s, 0, sizeof *s);
	usage_zero(&s->tokens);
	s->started_ms = wall_ms;
}

static void
entry_free(struct stats_entry *e)
{
	struct stats_try *t;

	if (e == NULL)
		return;
	while ((t = e->tries) != NULL) {
		e->tries = t->next;
		free(t);
	}
	free(e->text);
	free(e);
}

static void
table_free(struct stats_table *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->rows[i].text);
	free(t->rows);
}

void
stats_free(struct stats *s)
{
	struct stats_backend *b;
	struct stats_entry *e;
	size_t i;

	while ((e = s->running) != NULL) {
		s->running = e->next;
		entry_free(e);
	}
	for (i = 0; i < STATS_RECENT; i++)
		entry_free(s->recent[i]);
	while ((b = s->backends) != NULL) {
		s->backends = b->next;
		free(b->name);
		free(b);
	}
	table_free(&s->requests);
	table_free(&s->by_model);
	table_free(&s->by_user);
	table_free(&s->translations);
	memset(s, 0, sizeof *s);
}

/* ---- counters with labels ---- */

/* The row with these labels, made if it is new; NULL: out of memory. */
static struct stats_row *
table_row(struct stats_table *t, const struct str label[3])
{
	struct stats_row *r;
	size_t i, k, n = 0;
	char *p;

	for (i = 0; i < t->n; i++) {
		r = &t->rows[i];
		if (str_is(label[0], r->label[0]) &&
		    str_is(label[1], r->label[1]) &&
		    str_is(label[2], r->label[2])) {
			/* Those that are asked for often come first. */
			if (i > 0 && r->n > t->rows[i - 1].n) {
				struct stats_row swap = t->rows[i - 1];

				t->rows[i - 1] = *r;
				*r = swap;
				r = &t->rows[i - 1];
			}
			return r;
		}
	}
	if (t->n == STATS_ROWS)
		return NULL;
	if (t->n == t->room) {
		n = t->room == 0 ? 16 : 2 * t->room;
		if ((r = realloc(t->rows, n * sizeof *r)) == NULL)
			return NULL;
		t->rows = r;
		t->room = n;
	}
	r = &t->rows[t->n];
	r->n = 0;
	r->text = p = malloc(label[0].n + label[1].n + label[2].n + 3);
	if (p == NULL)
		return NULL;
	for (k = 0; k < 3; k++) {
		r->label[k] = p;
		if (label[k].n > 0)
			memcpy(p, label[k].p, label[k].n);
		p += label[k].n;
		*p++ = '\0';
	}
	t->n++;
	return r;
}

static void
table_add(struct stats_table *t, struct str a, struct str b, struct str c,
    uint64_t n)
{
	struct str label[3];
	struct stats_row *r;

	if (n == 0)
		return;
	label[0] = a;
	label[1] = b;
	label[2] = c;
	if ((r = table_row(t, label)) != NULL)
		r->n += n;
}

/* ---- backends and minutes ---- */

struct stats_backend *
stats_backend(struct stats *s, struct str name)
{
	struct stats_backend **at, *b;
	size_t n = 0;

	for (at = &s->backends; (b = *at) != NULL; at = &b->next, n++)
		if (str_is(name, b->name))
			return b;
	if (n > STATS_BACKENDS)
		return s->backends;
	if ((b = calloc(1, sizeof *b)) == NULL)
		return NULL;
	if ((b->name = str_dup(name)) == NULL) {
		free(b);
		return NULL;
	}
	usage_zero(&b->tokens);
	*at = b;
	return b;
}

static int
by_value(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

int
stats_percentile(const struct stats_backend *b, unsigned p)
{
	uint32_t sorted[STATS_SAMPLES];
	size_t n = b->nsamples < STATS_SAMPLES ? b->nsamples : STATS_SAMPLES;

	if (n == 0)
		return -1;
	memcpy(sorted, b->samples, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_value);
	return (int)sorted[(n * p + 99) / 100 - 1];
}

static struct stats_minute *
minute_now(struct stats *s, int64_t wall_ms)
{
	int64_t minute = wall_ms > 0 ? wall_ms / 60000 : 0;
	struct stats_minute *m = &s->minutes[minute % STATS_MINUTES];

	if (m->minute != minute) {
		memset(m, 0, sizeof *m);
		m->minute = minute;
	}
	return m;
}

const struct stats_minute *
stats_minute(const struct stats *s, int64_t wall_ms, unsigned ago)
{
	int64_t minute = wall_ms / 60000 - (int64_t)ago;
	const struct stats_minute *m;

	/* A machine without a battery starts in 1970. */
	if (minute < 0)
		return NULL;
	m = &s->minutes[minute % STATS_MINUTES];
	return m->minute == minute ? m : NULL;
}

/* ---- requests ---- */

/* The place of a cut copy of s; *at moves behind its NUL. */
static const char *
text_put(char **at, struct str s)
{
	char *p = *at;
	size_t n = s.n < STATS_TEXT ? s.n : STATS_TEXT;

	if (n > 0)
		memcpy(p, s.p, n);
	p[n] = '\0';
	*at = p + n + 1;
	return p;
}

struct stats_entry *
stats_begin(struct stats *s, const struct stats_request *r)
{
	struct stats_entry *e;
	char *p;

	s->begun++;
	s->number++;
	s->changed++;
	if ((e = calloc(1, sizeof *e)) == NULL)
		return NULL;
	/* Room for id, method, path and key, and for the model later. */
	if ((e->text = p = malloc(5 * (STATS_TEXT + 1))) == NULL) {
		free(e);
		return NULL;
	}
	e->id = text_put(&p, r->id);
	e->method = text_put(&p, r->method);
	e->path = text_put(&p, r->path);
	e->key = text_put(&p, r->key);
	e->model = text_put(&p, str_of(""));
	e->number = s->number;
	e->wall_ms = r->wall_ms;
	e->began_us = r->began_us;
	e->client = r->client;
	e->bytes_in = r->body;
	usage_none(&e->usage);
	e->prev = s->newest;
	if (s->newest != NULL)
		s->newest->next = e;
	else
		s->running = e;
	s->newest = e;
	return e;
}

void
stats_model(struct stats_entry *e, struct str model, int stream)
{
	char *p;

	if (e == NULL)
		return;
	p = e->text + (e->model - e->text);
	text_put(&p, model);
	e->stream = stream != 0;
}

/* Time since the request began; at least 1, as 0 means never. */
static uint64_t
since(const struct stats_entry *e, uint64_t now_us)
{
	return now_us > e->began_us ? now_us - e->began_us : 1;
}

/* A further try in the list; NULL: it has enough, or out of memory. */
static struct stats_try *
try_add(struct stats_entry *e, struct stats_backend *b)
{
	struct stats_try **at = &e->tries, *t;
	unsigned n = 0;

	for (; *at != NULL; at = &(*at)->next)
		n++;
	if (n >= STATS_TRIES || (t = calloc(1, sizeof *t)) == NULL)
		return NULL;
	t->backend = b;
	*at = t;
	return t;
}

/* The one that runs; NULL. */
static struct stats_try *
try_last(const struct stats_entry *e)
{
	struct stats_try *t = e->tries;

	while (t != NULL && t->outcome != STATS_RUNNING)
		t = t->next;
	return t;
}

void
stats_try_begin(struct stats *s, struct stats_entry *e, struct str backend,
    int translated, uint64_t now_us)
{
	struct stats_backend *b = stats_backend(s, backend);
	struct stats_try *t;

	s->changed++;
	if (e == NULL)
		return;
	e->attempts++;
	e->backend = b;
	e->phase = STATS_CONNECTING;
	if (b != NULL)
		b->in_flight++;
	if ((t = try_add(e, b)) == NULL)
		return;
	t->translated = translated != 0;
	t->began_us = since(e, now_us);
}

void
stats_try_phase(struct stats *s, struct stats_entry *e,
    enum stats_phase phase, uint64_t now_us)
{
	struct stats_try *t;
	uint64_t at;

	if (e == NULL)
		return;
	s->changed++;
	e->phase = phase;
	if ((t = try_last(e)) == NULL)
		return;
	at = since(e, now_us);
	if (phase >= STATS_SENDING && t->connected_us == 0)
		t->connected_us = at;
	if (phase >= STATS_ANSWER && t->sent_us == 0)
		t->sent_us = at;
	if (phase >= STATS_HOLDING && t->head_us == 0)
		t->head_us = at;
	if (phase == STATS_STREAMING)
		t->first_us = at;
}

static void
text_cut(char *to, size_t room, const char *from)
{
	if (*from == '\0')
		*to = '\0';
	else
		snprintf(to, room, "%s", from);
}

void
stats_try_end(struct stats *s, struct stats_entry *e,
    enum stats_outcome outcome, int status, const char *reason,
    uint64_t now_us, int64_t wall_ms)
{
	struct stats_backend *b;
	struct stats_try *t;

	if (e == NULL || (b = e->backend) == NULL)
		return;
	s->changed++;
	e->phase = STATS_WAITING;
	e->backend = NULL;
	b->in_flight -= b->in_flight > 0;
	b->outcomes[outcome]++;
	if (outcome == STATS_FAILED || outcome == STATS_LIMITED ||
	    outcome == STATS_BROKEN) {
		text_cut(b->last_failure, sizeof b->last_failure, reason);
		b->last_failure_ms = wall_ms;
	}
	if (outcome == STATS_LIMITED) {
		s->limited++;
		minute_now(s, wall_ms)->limited++;
	}
	if ((t = try_last(e)) == NULL)
		return;
	t->outcome = outcome;
	t->status = status;
	t->ended_us = since(e, now_us);
	text_cut(t->reason, sizeof t->reason, reason);
	if (t->first_us > t->began_us) {
		histogram_add(&b->first_byte, t->first_us - t->began_us);
		b->samples[b->nsamples++ % STATS_SAMPLES] =
		    (uint32_t)((t->first_us - t->began_us) / 1000);
	}
}

void
stats_skip(struct stats *s, struct stats_entry *e, struct str backend,
    const char *reason, uint64_t now_us)
{
	struct stats_backend *b = stats_backend(s, backend);
	struct stats_try *t;

	if (b != NULL)
		b->outcomes[STATS_SKIPPED]++;
	if (e == NULL || (t = try_add(e, b)) == NULL)
		return;
	t->outcome = STATS_SKIPPED;
	t->began_us = t->ended_us = since(e, now_us);
	text_cut(t->reason, sizeof t->reason, reason);
}

/* ---- the end of a request ---- */

static void
end_count(struct stats *s, const struct stats_end *end, unsigned attempts,
    int64_t wall_ms)
{
	struct stats_minute *m = minute_now(s, wall_ms);
	char status[8];

	snprintf(status, sizeof status, "%d", end->status);
	table_add(&s->requests, end->backend.n > 0 ? end->backend :
	    str_of("none"), end->model_label, str_of(status), 1);
	m->requests++;
	if (attempts > 1) {
		s->retried++;
		m->retried++;
	}
	s->refused += end->refused;
	switch (end->outcome) {
	case STATS_GOOD:
	case STATS_RETURNED:
		s->good += end->status < 400;
		s->failed += end->status >= 500;
		m->failed += end->status >= 500;
		break;
	case STATS_LEFT:
		s->left++;
		break;
	case STATS_BROKEN:
		s->broken++;
		m->failed++;
		break;
	default:
		s->failed++;
		m->failed++;
		break;
	}
	if (end->to != DIALECT_ANY)
		s->translated++;
	s->lost += end->losses;
	if (end->watch == NULL)
		return;
	m->input += usage_in(&end->watch->usage);
	m->output += end->watch->usage.output > 0 ?
	    (uint64_t)end->watch->usage.output : 0;
}

static void
end_tokens(struct stats *s, const struct stats_end *end)
{
	const struct dialect_usage *u = &end->watch->usage;
	struct stats_backend *b;
	uint64_t in = usage_in(u);
	uint64_t out = u->output > 0 ? (uint64_t)u->output : 0;

	usage_add(&s->tokens, u);
	table_add(&s->by_model, end->model_label, str_of("prompt"),
	    str_of(""), in);
	table_add(&s->by_model, end->model_label, str_of("completion"),
	    str_of(""), out);
	table_add(&s->by_user, end->user, end->model_label, str_of("prompt"),
	    in);
	table_add(&s->by_user, end->user, end->model_label,
	    str_of("completion"), out);
	if (end->backend.n == 0 ||
	    (b = stats_backend(s, end->backend)) == NULL)
		return;
	b->requests++;
	usage_add(&b->tokens, u);
}

static void
entry_end(struct stats *s, struct stats_entry *e, const struct stats_end *end,
    uint64_t now_us)
{
	struct stats_entry **slot = &s->recent[s->ended % STATS_RECENT];

	e->phase = STATS_DONE;
	e->done = 1;
	e->status = end->status;
	e->outcome = end->outcome;
	e->ended_us = since(e, now_us);
	e->first_us = end->first_us == 0 ? 0 : since(e, end->first_us);
	e->bytes_out = end->bytes_out;
	e->backend = end->backend.n > 0 ? stats_backend(s, end->backend) :
	    NULL;
	if (end->watch != NULL) {
		e->usage = end->watch->usage;
		memcpy(e->stop, end->watch->stop_reason, sizeof e->stop);
	}
	if (end->lost.n > 0)
		snprintf(e->lost, sizeof e->lost, "%.*s", (int)(end->lost.n <
		    sizeof e->lost ? end->lost.n : sizeof e->lost - 1),
		    end->lost.p);
	if (e->prev != NULL)
		e->prev->next = e->next;
	else
		s->running = e->next;
	if (e->next != NULL)
		e->next->prev = e->prev;
	else
		s->newest = e->prev;
	e->next = e->prev = NULL;
	entry_free(*slot);
	*slot = e;
	s->ended++;
}

void
stats_end(struct stats *s, struct stats_entry *e, const struct stats_end *end,
    uint64_t now_us, int64_t wall_ms)
{
	uint64_t first;

	s->changed++;
	end_count(s, end, e == NULL ? 1 : e->attempts, wall_ms);
	if (end->watch != NULL)
		end_tokens(s, end);
	if (e == NULL)
		return;
	histogram_add(&s->duration, since(e, now_us));
	if (end->first_us != 0) {
		first = since(e, end->first_us);
		histogram_add(&s->first_byte, first);
		histogram_add(&minute_now(s, wall_ms)->first_byte, first);
	}
	if (end->to != DIALECT_ANY)
		table_add(&s->translations, str_of(dialect_name(e->client)),
		    str_of(dialect_name(end->to)), str_of(""), 1);
	entry_end(s, e, end, now_us);
}

void
stats_turn(struct stats *s, int status, uint64_t us, int64_t wall_ms)
{
	struct stats_end end;

	memset(&end, 0, sizeof end);
	end.status = status;
	end.outcome = STATS_RETURNED;
	end.model_label = str_of("none");
	end.to = DIALECT_ANY;
	s->begun++;
	s->changed++;
	s->turned += status < 500;
	end_count(s, &end, 0, wall_ms);
	histogram_add(&s->duration, us);
}

const struct stats_entry *
stats_recent(const struct stats *s, size_t i)
{
	if (i >= STATS_RECENT || i >= s->ended)
		return NULL;
	return s->recent[(s->ended - 1 - i) % STATS_RECENT];
}

const struct stats_entry *
stats_find(const struct stats *s, struct str id)
{
	const struct stats_entry *e;
	size_t i;

	for (e = s->running; e != NULL; e = e->next)
		if (str_is(id, e->id))
			return e;
	for (i = 0; (e = stats_recent(s, i)) != NULL; i++)
		if (str_is(id, e->id))
			return e;
	return NULL;
}
