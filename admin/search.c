#include "admin/search.h"

#include <stdlib.h>

#include "admin/journal.h"
#include "admin/journal_find.h"
#include "admin/say.h"
#include "base/arena.h"

#define SEARCH_OUT	(16u << 20)	/* bytes of an answer */
#define SEARCH_WORDS	(1u << 20)	/* of a filter's strings */

struct search {
	struct searches *all;
	struct web_request *r;
	struct view v;
	struct view_filter f;
	struct arena words;		/* of f */
	struct view_page page;
	struct buf out;
	struct journal_search *records;	/* owned; NULL: not read yet */
	struct search *next;
};

struct searches {
	const struct admin_host *h;
	struct search *list;		/* owned; the first is at work */
	unsigned n;
	struct timer timer;
};

static void tick(void *arg, uint64_t now);

struct searches *
searches_new(const struct admin_host *h)
{
	struct searches *all = calloc(1, sizeof *all);

	if (all == NULL)
		return NULL;
	all->h = h;
	all->timer.fire = tick;
	all->timer.arg = all;
	return all;
}

static void
search_free(struct search *s)
{
	journal_search_free(s->records);
	arena_free(&s->words);
	buf_wipe(&s->out);
	free(s);
}

static void
search_unlink(struct search *s)
{
	struct search **at = &s->all->list;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (--s->all->n == 0)
		timer_clear(s->all->h->loop, &s->all->timer);
}

void
searches_free(struct searches *all)
{
	struct search *s;

	if (all == NULL)
		return;
	while ((s = all->list) != NULL) {
		search_unlink(s);
		search_free(s);
	}
	free(all);
}

static void
on_gone(void *arg)
{
	search_unlink(arg);
	search_free(arg);
}

/* Not in the list any more. */
static void
search_answer(struct search *s)
{
	view_page_end(&s->page);
	say_buf(s->r, 200, &s->out);
	search_free(s);
}

static const char *
folder(const struct searches *all)
{
	return all->h->journal == NULL ? NULL :
	    journal_folder(all->h->journal);
}

static int
page_add(void *arg, const struct stats_entry *e)
{
	return view_page_add(arg, e);
}

/* Requests with a smaller number are not on the page yet; 0: all. */
static uint64_t
number_below(const struct search *s)
{
	uint64_t oldest = s->page.oldest;

	return oldest != 0 && (s->f.before == 0 || oldest < s->f.before) ?
	    oldest : s->f.before;
}

/* A piece of the first search.  1: there is more to it. */
static int
piece(struct search *s)
{
	if (s->records != NULL)
		return journal_search_step(s->records, SEARCH_PIECE, page_add,
		    &s->page);
	s->records = journal_search_new(folder(s->all), s->v.wall,
	    number_below(s));
	return s->records != NULL;
}

static void
tick(void *arg, uint64_t now)
{
	struct searches *all = arg;
	struct search *s = all->list;

	if (!piece(s)) {
		search_unlink(s);
		search_answer(s);
	}
	if (all->list != NULL)
		timer_set(all->h->loop, &all->timer, now + SEARCH_PAUSE_MS);
}

static struct str
copy(struct search *s, struct str word)
{
	return word.n == 0 ? word : arena_copy(&s->words, word);
}

static void
search_queue(struct search *s)
{
	struct searches *all = s->all;
	struct search **at = &all->list;

	if (all->n >= SEARCH_MAX) {
		say_error(s->r, 503, "too many searches wait at the moment",
		    NULL);
		search_free(s);
		return;
	}
	while (*at != NULL)
		at = &(*at)->next;
	*at = s;
	all->n++;
	web_wait(s->r, on_gone, s);
	if (all->n == 1)
		timer_set(all->h->loop, &all->timer, s->v.now);
}

void
search_page(struct searches *all, struct web_request *r,
    const struct view_filter *f)
{
	struct search *s = calloc(1, sizeof *s);

	if (s == NULL) {
		say_error(r, 503, "out of memory", NULL);
		return;
	}
	s->all = all;
	s->r = r;
	arena_init(&s->words, SEARCH_WORDS);
	buf_init(&s->out, SEARCH_OUT);
	s->f = *f;
	s->f.status = copy(s, f->status);
	s->f.backend = copy(s, f->backend);
	s->f.model = copy(s, f->model);
	s->f.text = copy(s, f->text);
	if (s->words.bad) {
		say_error(r, 503, "out of memory", NULL);
		search_free(s);
		return;
	}
	view_now(&s->v, all->h);
	view_page_begin(&s->page, &s->out, &s->v, &s->f);
	if (s->page.more || folder(all) == NULL)
		search_answer(s);
	else
		search_queue(s);
}
