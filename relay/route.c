#include "relay/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "relay/sticky.h"

#define ROUTE_MODEL_MAX 1024	/* bytes of a model's name */
#define ROUTE_LAST 2000000	/* after all priorities that can be written */

/* ---- the request ---- */

static int
fault(struct route_fault *f, int status, const char *why)
{
	f->status = status;
	snprintf(f->why, sizeof f->why, "%s", why);
	return -1;
}

/* The model's name out of its raw JSON string: a copy, as the body goes. */
static int
model_read(struct route *r, struct str raw, struct route_fault *f)
{
	if (json_unescape(&r->text, raw) == -1)
		return raw.n > ROUTE_MODEL_MAX ?
		    fault(f, 400, "the model's name is too long") :
		    fault(f, 500, "out of memory");
	r->model = buf_str(&r->text);
	if (memchr(r->model.p, '\0', r->model.n) != NULL)
		return fault(f, 400, "the model's name has a NUL in it");
	return 0;
}

static int
body_read(struct route *r, struct str body, struct route_fault *f)
{
	static const char *const names[] = { "model", "stream" };
	struct json_value v[2];
	const char *why = "";
	size_t at = 0;
	unsigned line, column;

	if (json_members(body, names, v, 2, &why, &at) == -1) {
		if (r->call.op == OP_LEGACY)
			return 0;	/* a form with a file, perhaps */
		json_line(body, at, &line, &column);
		f->status = 400;
		snprintf(f->why, sizeof f->why, "the request body is not a "
		    "JSON object: %s (line %u, column %u)", why, line,
		    column);
		return -1;
	}
	r->json = 1;
	if (r->call.dialect == DIALECT_GEMINI && r->call.model.n > 0)
		return 0;		/* both stand in the path */
	r->repeated = v[0].count > 1;
	r->stream = v[1].type == JSON_TRUE && r->call.op != OP_COUNT;
	return v[0].type == JSON_STRING ? model_read(r, v[0].raw, f) : 0;
}

int
route_strays(struct str model)
{
	struct str s;
	size_t n;

	if (model.n == 0)
		return 1;
	for (;; model = str_n(model.p + n + 1, model.n - n - 1)) {
		for (n = 0; n < model.n && model.p[n] != '/'; n++)
			;
		s = str_n(model.p, n);
		if (str_is(s, ".") || str_is(s, ".."))
			return 1;
		if (n == model.n)
			return 0;
	}
}

/* The name in Gemini's path, as it is meant. */
static int
path_read(struct route *r, struct route_fault *f)
{
	r->model = r->call.model;
	if (r->model.n == 0 || memchr(r->model.p, '%', r->model.n) == NULL)
		return 0;
	if (http_unescape(&r->text, r->model) == -1)
		return fault(f, 400, "the model's name is too long");
	r->model = buf_str(&r->text);
	return route_strays(r->model) ? fault(f, 400,
	    "the model's name is none") : 0;
}

static int
op_has_body(enum dialect_op op)
{
	return op == OP_GENERATE || op == OP_RESPONSES || op == OP_COUNT ||
	    op == OP_LEGACY;
}

/* ---- paths that hide what they are ---- */

/* The path without empty and dot segments (RFC 3986 5.2.4). */
static void
path_normal(struct buf *out, struct str path)
{
	struct str s, up;
	size_t n;

	for (; path.n > 0; path = str_n(path.p + n, path.n - n)) {
		if (*path.p == '/')
			path = str_n(path.p + 1, path.n - 1);
		for (n = 0; n < path.n && path.p[n] != '/'; n++)
			;
		s = str_n(path.p, n);
		if (n == 0 || str_is(s, "."))
			continue;
		if (str_is(s, "..")) {
			up = buf_str(out);
			while (up.n > 0 && up.p[--up.n] != '/')
				;
			buf_cut(out, up.n);
			continue;
		}
		buf_addc(out, '/');
		buf_addstr(out, s);
	}
}

/*
 * 1 if an unknown path turns out to be a known one when it is normalized:
 * "/v1/x/../messages" would be read as /v1/messages by many a server, and
 * so escape what holds for that (model, limits).
 */
static int
path_hides(const struct http_head *h)
{
	struct dialect_call call;
	struct http_head plain;
	struct buf raw, b;
	int hides;

	if (memchr(h->path.p, '%', h->path.n) == NULL &&
	    str_casefind(h->path, str_of("//")) == -1 &&
	    str_casefind(h->path, str_of("/.")) == -1)
		return 0;
	buf_init(&raw, HTTP_HEAD_MAX);
	buf_init(&b, HTTP_HEAD_MAX);
	http_unescape(&raw, h->path);
	path_normal(&b, buf_str(&raw));
	memset(&plain, 0, sizeof plain);
	memset(plain.first, -1, sizeof plain.first);
	plain.method = h->method;
	plain.path = buf_str(&b);
	dialect_detect(&call, &plain);
	hides = raw.bad || b.bad || call.op != OP_OTHER;
	buf_free(&raw);
	buf_free(&b);
	return hides;
}

/* ---- the candidates ---- */

static void
candidate_add(struct route *r, const struct generation *gen, size_t i)
{
	const struct config_backend *b = gen->targets[i].cfg;
	struct fo_cand *c = &r->cands[r->n];

	memset(c, 0, sizeof *c);
	c->b = gen->targets[i].health;
	c->model = failover_model(gen->registry, c->b,
	    config_model_for(b, r->model));
	c->priority = config_priority(gen->cfg, b, r->strategy);
	/* Who counts its own tokens is asked before those of another API. */
	if (r->call.op == OP_COUNT && config_translates(b, r->call.dialect,
	    r->call.op))
		c->priority += ROUTE_LAST;
	c->weight = b->weight;
	c->max_concurrent = b->max_concurrent;
	r->index[r->n++] = i;
}

/* Fills the candidates; *disabled: one that fits is switched off. */
static void
candidates_fill(struct route *r, const struct generation *gen,
    const struct config_access_key *key, int *disabled, const char **why)
{
	const struct config *cfg = gen->cfg;
	const struct config_route *way = config_route(cfg, r->model);
	size_t i;

	r->strategy = way != NULL ? way->strategy : cfg->strategy;
	for (i = 0; i < cfg->nbackends; i++) {
		if (!config_candidate(cfg, key, way, i, r->call.dialect,
		    r->call.op, r->model, why))
			continue;
		if (cfg->backends[i].enabled)
			candidate_add(r, gen, i);
		else
			*disabled = 1;
	}
	if (r->n > 0 || r->call.op != OP_OTHER)
		return;
	/* Paths that nobody knows: the first eligible of any API. */
	for (i = 0; i < cfg->nbackends; i++)
		if (cfg->backends[i].enabled &&
		    config_key_allows_backend(key, i) &&
		    config_key_allows_model(key, r->model))
			candidate_add(r, gen, i);
}

/* A model of up to a hundred bytes, for a message. */
static struct str
shown(struct str model)
{
	size_t n = model.n < 100 ? model.n : 100;

	while (n < model.n && n > 0 && (model.p[n] & 0xc0) == 0x80)
		n--;		/* not within a character */
	return str_n(model.n > 0 ? model.p : "", n);
}

static int
candidates_make(struct route *r, const struct generation *gen,
    const struct config_access_key *key, struct route_fault *f)
{
	size_t n = gen->cfg->nbackends;
	const char *why = "no backend is configured";
	struct str m = shown(r->model);
	int disabled = 0;

	r->cands = malloc(n * sizeof *r->cands);
	r->index = malloc(n * sizeof *r->index);
	r->limited = calloc(n, 1);
	if (r->cands == NULL || r->index == NULL || r->limited == NULL)
		return fault(f, 500, "out of memory");
	if (!config_key_allows_model(key, r->model)) {
		f->status = 403;
		snprintf(f->why, sizeof f->why, "this access key may not use "
		    "the model \"%.*s\"", (int)m.n, m.p);
		return -1;
	}
	candidates_fill(r, gen, key, &disabled, &why);
	if (r->n > 0)
		return 0;
	f->status = disabled ? 503 : 404;
	snprintf(f->why, sizeof f->why, "no %sbackend serves the model "
	    "\"%.*s\" to %s clients (%s)", disabled ? "enabled " : "",
	    (int)m.n, m.p, dialect_name(r->call.dialect),
	    disabled ? "those that could are disabled" : why);
	return -1;
}

int
route_make(struct route *r, const struct http_head *h, struct str body,
    const struct generation *gen, const struct config_access_key *key,
    struct route_fault *f)
{
	memset(r, 0, sizeof *r);
	buf_init(&r->text, ROUTE_MODEL_MAX);
	r->registry = gen->registry;
	dialect_detect(&r->call, h);
	if (path_read(r, f) == -1)
		return -1;
	r->stream = r->call.stream;
	if (r->call.op == OP_OTHER && path_hides(h))
		return fault(f, 400, "write the path plainly, without "
		    "escapes, dots and empty segments");
	if (op_has_body(r->call.op) && body_read(r, body, f) == -1)
		return -1;
	if (candidates_make(r, gen, key, f) == -1)
		return -1;
	if (r->strategy == FO_STICKY)
		r->sticky = sticky_number(h, body, key != NULL ? key->name :
		    str_of(""));
	return 0;
}

void
route_free(struct route *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		failover_put(r->registry, r->cands[i].model);
	buf_free(&r->text);
	free(r->cands);
	free(r->index);
	free(r->limited);
}

/* ---- what a backend is to see ---- */

int
route_body(const struct route *r, const struct config_backend *b,
    struct str body, struct buf *out)
{
	struct str to;
	struct buf raw;
	int n;

	if (!r->json || r->call.model.n > 0)
		return 0;
	to = config_model_for(b, r->model);
	if (to.p == NULL)
		to = r->model;
	/* Of two models a backend might read the one that was not judged. */
	if (str_eq(to, r->model) && !r->repeated)
		return 0;
	buf_init(&raw, 4096);
	buf_init(out, body.n + 4096 + to.n * 6);
	if (json_write(&raw, to) == -1)
		n = -1;
	else
		n = json_replace(out, body, "model", buf_str(&raw), 0);
	buf_free(&raw);
	if (n <= 0)
		buf_free(out);
	return n == -1 ? -1 : n > 0;
}
