#include "relay/account.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define ACCOUNT_PATH 1000	/* bytes of a path in a line */
#define ACCOUNT_ROOM 65		/* columns of 80, after time and status */

const char *
account_time(char at[24], uint64_t ms)
{
	if (ms < 1000)
		snprintf(at, 24, "%u ms", (unsigned)ms);
	else
		snprintf(at, 24, "%llu.%llu s", (unsigned long long)ms / 1000,
		    (unsigned long long)ms % 1000 / 100);
	return at;
}

static void
usage_write(struct buf *b, const struct dialect_watch *w)
{
	const struct dialect_usage *u = &w->usage;

	if (u->input >= 0 || u->output >= 0)
		buf_fmt(b, ", %lld in %lld out",
		    (long long)(u->input < 0 ? 0 : u->input),
		    (long long)(u->output < 0 ? 0 : u->output));
	if (u->cache_read > 0)
		buf_fmt(b, ", %lld cached", (long long)u->cache_read);
	if (w->stop_reason[0] != '\0')
		buf_fmt(b, ", %s", w->stop_reason);
}

/* What was asked, and who answered. */
static void
asked_write(struct buf *b, const struct account *a)
{
	buf_fmt(b, "%s ", a->id);
	buf_addstr(b, a->method);
	buf_addc(b, ' ');
	if (a->path.n > ACCOUNT_PATH)
		buf_fmt(b, "%.*s...", ACCOUNT_PATH, a->path.p);
	else
		buf_addstr(b, a->path);
	if (a->model.n > 0) {
		buf_addc(b, ' ');
		buf_addstr(b, a->model);
	}
	buf_fmt(b, "%s -> %d ", a->stream ? " stream" : "", a->status);
	if (a->backend.n > 0) {
		buf_adds(b, "by ");
		buf_addstr(b, a->backend);
	} else
		buf_adds(b, "from here");
	buf_fmt(b, ", %u attempt%s", a->attempts, a->attempts == 1 ? "" :
	    "s");
}

/* A text for a terminal, and how much of it there is room for. */
struct piece {
	char text[ACCOUNT_PATH];
	size_t n, columns, room;
};

/* 1 if a character begins here, and with it, most often, a column. */
static int
is_start(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static void
piece_make(struct piece *p, struct str s)
{
	size_t i;

	p->n = s.n < sizeof p->text ? s.n : sizeof p->text;
	if (p->n > 0)
		memcpy(p->text, s.p, p->n);
	/* Before it is cut: half a secret would not be known as one. */
	p->n = log_mask(p->text, p->n);
	for (p->columns = i = 0; i < p->n; i++)
		p->columns += is_start(p->text[i]) != 0;
	p->room = p->columns < ACCOUNT_ROOM ? p->columns : ACCOUNT_ROOM;
}

static void
piece_write(struct buf *b, const struct piece *p)
{
	size_t i = 0, n = 0;

	if (p->columns <= p->room) {
		buf_add(b, p->text, p->n);
		return;
	}
	while (i < p->n && (n += is_start(p->text[i]) != 0) <= p->room - 2)
		i++;
	buf_add(b, p->text, i);
	buf_adds(b, "..");
}

/* So much of the longest is left out that all fit. */
static void
pieces_fit(struct piece *p, size_t n, size_t room)
{
	size_t i, longest, sum = 0;

	for (i = 0; i < n; i++)
		sum += p[i].room;
	for (; sum > room; sum--) {
		for (longest = 0, i = 1; i < n; i++)
			if (p[i].room > p[longest].room)
				longest = i;
		p[longest].room--;
	}
}

/*
 * The same for a terminal: a window of 80 columns shows all of it in its
 * first line.
 */
static void
asked_short(struct buf *b, const struct account *a)
{
	const char *by = a->backend.n > 0 ? " -> " : ", from here";
	int method = a->method.n < 10 ? (int)a->method.n : 10;
	struct piece p[3];

	piece_make(&p[0], a->path);
	/* Gemini's paths name it already. */
	piece_make(&p[1], str_casefind(a->path, a->model) == -1 ? a->model :
	    str_of(""));
	piece_make(&p[2], a->backend);
	pieces_fit(p, 3, ACCOUNT_ROOM - 2 - (size_t)method - strlen(by));
	buf_fmt(b, "%.*s ", method, a->method.p);
	piece_write(b, &p[0]);
	if (p[1].n > 0)
		buf_addc(b, ' ');
	piece_write(b, &p[1]);
	buf_adds(b, by);
	piece_write(b, &p[2]);
	if (a->attempts > 1)
		buf_fmt(b, ", %u attempts", a->attempts);
	if (a->stream)
		buf_adds(b, ", stream");
}

void
account_request(const struct account *a, int types, const char *how,
    uint64_t now_us)
{
	int bad = *how != '\0' || a->status >= 400;
	char t[24];
	struct buf b;

	if ((types == 1 && !bad) || (types == 2 && bad) ||
	    !log_wants(bad ? LOG_WARN : LOG_INFO))
		return;
	buf_init(&b, 8192);
	(log_short() ? asked_short : asked_write)(&b, a);
	if (a->first_us != 0)
		buf_fmt(&b, ", first byte %s", account_time(t,
		    (a->first_us - a->began_us) / 1000));
	buf_fmt(&b, ", %s", account_time(t, (now_us - a->began_us) / 1000));
	usage_write(&b, &a->watch);
	if (a->api.n > 0)
		buf_fmt(&b, ", translated to %.*s", (int)a->api.n, a->api.p);
	if (a->lost.n > 0)
		buf_fmt(&b, " (%.*s)", a->lost.n < ACCOUNT_PATH ?
		    (int)a->lost.n : ACCOUNT_PATH, a->lost.p);
	buf_adds(&b, how);
	if (log_short())
		buf_fmt(&b, "  %s", a->id);
	log_status(bad ? LOG_WARN : LOG_INFO, a->status, "%s", buf_cstr(&b));
	buf_free(&b);
}

/* The line of an attempt that failed. */
static void
attempt_log(const struct account *a, const struct config_backend *b,
    const char *what, const char *why)
{
	char mask[UTIL_MASK_SIZE];

	util_mask(mask, b->token);
	if (log_short())
		log_warn("%.*s failed: %s%s%s, attempt %u  %s",
		    (int)b->name.n, b->name.p, what, *why != '\0' ? ": " : "",
		    why, a->attempts, a->id);
	else
		log_warn("%s attempt %u on \"%.*s\" (%.*s, token %s) failed: "
		    "%s%s%s", a->id, a->attempts, (int)b->name.n, b->name.p,
		    (int)b->base_url.n, b->base_url.p, mask, what,
		    *why != '\0' ? ": " : "", why);
}

void
account_attempt(struct account *a, const struct config_backend *b,
    const struct fo_outcome *o, const char *why)
{
	char what[64];

	if (o->fault == FO_NONE_FAULT || o->fault == FO_STATUS_FAULT)
		snprintf(what, sizeof what, "status %d", o->status);
	else
		snprintf(what, sizeof what, "%s", fo_fault_text(o->fault));
	snprintf(a->cause, sizeof a->cause, "backend \"%.*s\": %s",
	    b->name.n < 100 ? (int)b->name.n : 100, b->name.p, what);
	snprintf(a->detail, sizeof a->detail, "%s%s%s", what,
	    *why != '\0' ? ": " : "", why);
	/* Some providers repeat the key that they refuse. */
	if (str_casefind(str_of(a->detail), b->token) != -1)
		snprintf(a->detail, sizeof a->detail, "%s", what);
	attempt_log(a, b, what, why);
}

void
account_change(const struct fo_change *c, const char *reason)
{
	static const char *const state[] = { "closed", "open", "half-open" };
	const struct fo_backend *b = c->of;
	char t[24], who[256];

	/* Nearly always there is nothing to tell. */
	if (b == NULL || (c->before == c->after && !c->fell && !c->rose &&
	    !c->cooled && !c->warmed))
		return;
	snprintf(who, sizeof who, "backend \"%s\"%s%s%s",
	    b->parent != NULL ? b->parent->name : b->name,
	    b->parent != NULL ? ", model \"" : "",
	    b->parent != NULL ? b->name : "", b->parent != NULL ? "\"" : "");
	if (c->before != c->after && c->after == FO_OPEN)
		log_warn("%s: %s -> open (%s), next try in %s", who,
		    state[c->before], reason, account_time(t, c->wait));
	else if (c->before != c->after)
		log_info("%s: %s -> %s", who, state[c->before],
		    state[c->after]);
	else if (c->fell)
		log_warn("%s is down (%s)", who, reason);
	else if (c->rose)
		log_info("%s is up again", who);
	if (c->cooled)
		log_warn("%s: rate limited, last for %s (%s)", who,
		    account_time(t, c->wait), fo_source_text(b->cool_source));
	if (c->warmed)
		log_info("%s: cool-down is over", who);
}

void
account_skips(const struct account *a, const struct fo_cand *c, size_t n,
    int chosen, uint64_t now)
{
	char t[24];
	size_t i;

	for (i = 0; i < n; i++) {
		if (chosen >= 0 && i != (size_t)chosen &&
		    c[i].skip == FO_SKIP_NONE && c[i].b->cool_until > now &&
		    c[i].priority <= c[chosen].priority)
			log_info("%s leaves \"%s\" for later: rate limited, "
			    "%s left", a->id, c[i].b->name,
			    account_time(t, c[i].wait));
		else if (c[i].skip != FO_SKIP_NONE &&
		    c[i].skip != FO_SKIP_TRIED)
			log_info("%s skips \"%s\": %s, %s left", a->id,
			    c[i].b->name, fo_skip_text(c[i].skip),
			    account_time(t, c[i].wait));
	}
}
