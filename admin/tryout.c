#include "admin/tryout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/body.h"
#include "admin/change.h"
#include "admin/mask.h"
#include "admin/say.h"
#include "dialect/models.h"
#include "net/trust.h"
#include "relay/forward.h"
#include "relay/redact.h"
#include "relay/unpack.h"
#include "relay/upstream.h"

#define TRYOUT_BODY	(4u << 20)	/* of an answer; the rest is cut */
#define TRYOUT_LISTED	500		/* models in our answer */

/* One call under way. */
struct tryout {
	struct tryouts *all;
	struct web_request *r;
	struct generation *gen;		/* a reference */
	struct target *target;		/* of gen */
	struct upstream *up;		/* NULL: over */
	struct failover health;		/* of a backend in no config */
	unsigned own:1;			/* health is in use */
	uint64_t began;			/* µs */
	int status;
	struct buf body;
	struct grave grave;
	struct tryout *next, *prev;
};

struct tryouts {
	const struct admin_host *h;
	struct tryout *list;		/* owned */
	unsigned n;
};

struct tryouts *
tryouts_new(const struct admin_host *h)
{
	struct tryouts *t = calloc(1, sizeof *t);

	if (t != NULL)
		t->h = h;
	return t;
}

static void
tryout_bury(void *arg)
{
	struct tryout *t = arg;

	generation_free(t->gen);
	if (t->own)
		failover_free(&t->health);
	free(t);
}

static void
tryout_close(struct tryout *t)
{
	if (t->up != NULL)
		upstream_abort(t->up);
	t->up = NULL;
	buf_free(&t->body);
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		t->all->list = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	t->all->n--;
	/* The connection may still name its target in this turn. */
	loop_bury(t->all->h->loop, &t->grave, tryout_bury, t);
}

void
tryouts_free(struct tryouts *t)
{
	if (t == NULL)
		return;
	while (t->list != NULL)
		tryout_close(t->list);
	free(t);
}

/* ---- the answer ---- */

/* What others say: some providers repeat the key that they refuse. */
static void
put_words(struct buf *out, const struct tryout *t, struct str words)
{
	struct redact secrets;
	struct buf b;

	buf_init(&b, words.n + UTIL_MASK_SIZE);
	if (redact_init(&secrets, t->gen->cfg, NULL) == 0)
		redact_text(&b, &secrets, words, words.n);
	mask_text(out, buf_str(&b));
	buf_wipe(&b);
	redact_free(&secrets);
}

/* Adds "models" and returns how many; -1: it is no list. */
static int
put_models(struct buf *out, enum dialect d, struct str body)
{
	struct models m;
	struct model *one;
	struct arena a;
	int n = 0;

	arena_init(&a, 16u << 20);
	memset(&m, 0, sizeof m);
	m.arena = &a;
	if (models_read(&m, d == DIALECT_ANY ? DIALECT_OPENAI : d, body) ==
	    -1) {
		arena_free(&a);
		return -1;
	}
	buf_adds(out, "\"models\":[");
	for (one = m.first; one != NULL && n < TRYOUT_LISTED; one = one->next) {
		if (n++ > 0)
			buf_addc(out, ',');
		mask_text(out, one->name);
	}
	buf_addc(out, ']');
	arena_free(&a);
	return (int)m.n;
}

/* What an error answer says, as one line. */
static void
put_fault(struct buf *out, const struct tryout *t)
{
	struct dialect_fault f;
	struct buf raw, line;

	buf_init(&raw, TRYOUT_BODY + 2);
	buf_init(&line, 2 * TRYOUT_BODY);
	buf_fmt(&line, "status %d", t->status);
	dialect_fault(&f, buf_str(&t->body));
	if (f.message.n > 0 && f.message.n < 1000) {
		buf_adds(&line, ": ");
		buf_addc(&raw, '"');
		buf_addstr(&raw, f.message);
		buf_addc(&raw, '"');
		json_unescape(&line, buf_str(&raw));
	} else if (t->status == 404)
		buf_adds(&line, ": it can be reached, but has no list of "
		    "models; whether its key is good is not known");
	put_words(out, t, buf_str(&line));
	buf_free(&raw);
	buf_free(&line);
}

/* why: a sentence if there is no answer, else NULL. */
static void
tryout_say(struct tryout *t, const char *why)
{
	unsigned ms = (unsigned)((loop_us() - t->began) / 1000);
	int ok = why == NULL && t->status >= 200 && t->status <= 299, n = -1;
	struct web_request *r = t->r;
	struct buf b, list;

	buf_init(&b, TRYOUT_BODY);
	buf_init(&list, TRYOUT_BODY);
	buf_fmt(&b, "{\"ok\":%s,\"status\":", ok ? "true" : "false");
	if (t->status > 0)
		buf_fmt(&b, "%d", t->status);
	else
		buf_adds(&b, "null");
	buf_fmt(&b, ",\"ms\":%u,\"message\":", ms);
	if (why != NULL)
		put_words(&b, t, str_of(why));
	else if (!ok)
		put_fault(&b, t);
	else if ((n = put_models(&list, t->target->cfg->api,
	    buf_str(&t->body))) == -1)
		buf_adds(&b, "\"it answers, but not with a list of models\"");
	else
		buf_fmt(&b, "\"%d model%s\"", n, n == 1 ? "" : "s");
	buf_addc(&b, ',');
	if (n >= 0)
		buf_addstr(&b, buf_str(&list));
	else
		buf_adds(&b, "\"models\":[]");
	buf_addc(&b, '}');
	buf_free(&list);
	tryout_close(t);
	say_buf(r, 200, &b);
}

/* ---- the call ---- */

static void
on_head(void *arg, const struct http_head *h, uint64_t now)
{
	struct tryout *t = arg;

	(void)now;
	t->status = h->status;
}

static void
on_body(void *arg, struct str data, uint64_t now)
{
	struct tryout *t = arg;

	(void)now;
	if (!t->body.bad)
		buf_addstr(&t->body, data);
}

static void
on_done(void *arg, uint64_t now)
{
	struct tryout *t = arg;

	(void)now;
	t->up = NULL;
	tryout_say(t, t->body.bad ? "its answer is too large" : NULL);
}

static void
on_fail(void *arg, enum fo_fault fault, const char *why, uint64_t now)
{
	struct tryout *t = arg;
	char line[300];

	(void)now;
	t->up = NULL;
	snprintf(line, sizeof line, "%s%s%s", fo_fault_text(fault),
	    *why != '\0' ? ": " : "", why);
	tryout_say(t, line);
}

static void
on_pause(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
}

static int
on_wants(void *arg)
{
	(void)arg;
	return 1;
}

static const struct upstream_ops ops = {
	on_head, on_body, on_done, on_fail, on_pause, on_wants, NULL
};

static void
on_gone(void *arg)
{
	tryout_close(arg);
}

/* The request head, made as if a client had asked for the list. */
static int
head_make(struct buf *out, const struct config_backend *b)
{
	struct dialect_call call;
	struct http_head h;
	struct str s;
	struct buf text;
	int rc = -1;

	buf_init(&text, 1024);
	buf_adds(&text, b->api == DIALECT_GEMINI ?
	    "GET /v1beta/models?pageSize=1000" : b->api == DIALECT_ANTHROPIC ?
	    "GET /v1/models?limit=1000" : "GET /v1/models");
	buf_adds(&text, " HTTP/1.1\r\nhost: spillway\r\n");
	if (b->api == DIALECT_ANTHROPIC)
		buf_adds(&text, "anthropic-version: 2023-06-01\r\n");
	buf_adds(&text, "\r\n");
	s = buf_str(&text);
	if (!text.bad && http_request(&h, s.p, s.n, 0) == HTTP_OK) {
		dialect_detect(&call, &h);
		rc = forward_request(out, &h, b, &call, 1, -1);
	}
	buf_free(&text);
	return rc;
}

/* The target is known: asks it.  t is closed if that is not possible. */
static void
tryout_start(struct tryout *t)
{
	struct upstream_env *env = &t->all->h->clients->ex.up;
	struct web_request *r = t->r;
	struct upstream_request req;

	memset(&req, 0, sizeof req);
	buf_init(&req.head, HTTP_HEAD_MAX);
	req.timeout = TRYOUT_MS;
	t->began = loop_us();
	if (head_make(&req.head, t->target->cfg) == -1)
		buf_wipe(&req.head);
	else
		t->up = upstream_start(t->target, env, &req, 1, &ops, t);
	if (t->up == NULL) {
		tryout_close(t);
		say_error(r, 503, "out of memory", NULL);
		return;
	}
	upstream_hurry(t->up, loop_now(env->loop) + TRYOUT_MS);
	web_wait(r, on_gone, t);
}

static struct tryout *
tryout_new(struct tryouts *all, struct web_request *r)
{
	struct tryout *t;

	if (all->n >= TRYOUT_MAX || (t = calloc(1, sizeof *t)) == NULL) {
		say_error(r, 503, "too many tests run at the moment", NULL);
		return NULL;
	}
	t->all = all;
	t->r = r;
	buf_init(&t->body, TRYOUT_BODY);
	if ((t->next = all->list) != NULL)
		t->next->prev = t;
	all->list = t;
	all->n++;
	return t;
}

void
tryout_place(struct tryouts *all, struct web_request *r, size_t place)
{
	struct tryout *t = tryout_new(all, r);

	if (t == NULL)
		return;
	t->gen = generation_ref(all->h->clients->gen);
	t->target = &t->gen->targets[place];
	tryout_start(t);
}

/* ---- a backend that is in no config ---- */

static const char *
env_get(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

static int
env_read(void *arg, const char *path, struct buf *out, const char **why)
{
	(void)arg;
	if (trust_read(path, out, 0) == 0)
		return 0;
	*why = strerror(errno);
	return -1;
}

/* Adds a config of that one backend, its masked token replaced. */
static int
text_make(struct buf *out, const struct tryouts *all, struct arena *a,
    const struct node *top)
{
	const struct config *cfg = all->h->clients->gen->cfg;
	struct str token = body_text(a, tree_get(top, "token")), now;
	long place = change_place(all->h, body_text(a, tree_get(top,
	    "name")));
	struct buf raw;
	int rc = 0;

	now = place >= 0 ? cfg->backends[place].token : str_of("");
	buf_adds(out, "{\"backends\":[");
	if (mask_is(token) && !mask_of(token, now))
		rc = -1;
	else if (mask_is(token)) {
		buf_init(&raw, 2 * now.n + 64);
		json_write(&raw, now);
		json_replace(out, top->raw, "token", buf_str(&raw), 0);
		buf_wipe(&raw);
	} else
		buf_addstr(out, top->raw);
	buf_adds(out, "]}");
	return rc;
}

/* NULL: it is not valid, and that was answered. */
static struct config *
config_make(struct tryouts *all, struct web_request *r, struct str body)
{
	static const struct config_env world = { env_get, env_read, NULL };
	static const struct config_flags none = { -1, -1, 0 };
	struct config *cfg = NULL;
	struct buf text, faults, notes;
	struct node *top;
	struct arena a;

	arena_init(&a, 16u << 20);
	buf_init(&text, CHANGE_TEXT_MAX);
	buf_init(&faults, 65536);
	buf_init(&notes, 65536);
	if ((top = body_object(&a, r, body)) == NULL)
		goto out;
	if (text_make(&text, all, &a, top) == -1) {
		say_error(r, 400, "this is a masked token; the token itself "
		    "is needed", "token");
		goto out;
	}
	cfg = config_parse(buf_str(&text), "test", &world, &none, &faults,
	    &notes);
	if (cfg == NULL)
		say_faults(r, 400, buf_str(&faults));
out:
	arena_free(&a);
	buf_wipe(&text);
	buf_free(&faults);
	buf_free(&notes);
	return cfg;
}

/* The anchors of a backend in service that trusts the same, or new ones. */
static struct tls_roots *
roots_find(const struct generation *g, struct str ca_file, struct buf *note)
{
	size_t i;

	for (i = 0; i < g->cfg->nbackends; i++)
		if (g->targets[i].roots != NULL &&
		    str_eq(g->targets[i].cfg->ca_file, ca_file))
			return tls_roots_ref(g->targets[i].roots);
	return trust_load(ca_file.p != NULL ? ca_file : g->cfg->ca_file,
	    note);
}

void
tryout_body(struct tryouts *all, struct web_request *r, struct str body)
{
	struct config *cfg = config_make(all, r, body);
	struct tls_roots *roots = NULL;
	struct tryout *t;
	struct buf note;

	if (cfg == NULL)
		return;
	buf_init(&note, 8192);
	if (cfg->backends[0].url.tls && (roots = roots_find(
	    all->h->clients->gen, cfg->backends[0].ca_file, &note)) == NULL) {
		say_error(r, 400, buf_cstr(&note), "ca_file");
		goto out;
	}
	if ((t = tryout_new(all, r)) == NULL)
		goto out;
	t->own = 1;
	failover_init(&t->health);
	t->gen = generation_new(cfg, &t->health, &roots);
	if (t->gen == NULL) {
		tryout_close(t);
		say_error(r, 503, "out of memory", NULL);
		goto out;
	}
	cfg = NULL;
	t->target = &t->gen->targets[0];
	/* Nothing of it is to wait in a pool. */
	generation_retire(t->gen);
	tryout_start(t);
out:
	if (cfg != NULL)
		config_free(cfg);
	if (roots != NULL)
		tls_roots_free(roots);
	buf_free(&note);
}
