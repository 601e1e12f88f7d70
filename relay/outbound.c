#include "relay/outbound.h"

#include <string.h>

#include "relay/forward.h"

void
outbound_init(struct outbound *o)
{
	memset(o, 0, sizeof *o);
	buf_init(&o->own, 0);
}

void
outbound_free(struct outbound *o)
{
	translate_free(o->tr);
	buf_free(&o->own);
	outbound_init(o);
}

static int
translated(struct outbound *o, const struct outbound_source *s,
    const struct config_backend *b, struct msg_fault *f)
{
	const struct route *r = s->route;
	struct translate_setup t;

	memset(&t, 0, sizeof t);
	t.call = &r->call;
	t.model = r->model;
	t.path_model = r->call.model.n > 0 ? r->model : r->call.model;
	t.stream = r->stream;
	t.target.dialect = b->api;
	t.target.model = config_model_for(b, r->model);
	t.target.stream = r->stream;
	t.target.count = r->call.op == OP_COUNT;
	t.target.auto_cache = b->auto_cache != 0;
	t.target.max_tokens_old = b->old_max_tokens != 0;
	t.target.max_tokens = b->max_tokens;
	t.created = s->wall_s;
	t.random = s->random;
	t.request_id = s->id;
	t.secret = b->token;
	if (b->api == DIALECT_GEMINI && route_strays(t.target.model)) {
		msg_refuse(f, "model", "The model's name is none that the "
		    "Gemini API can have in its path");
		return 1;
	}
	f->why[0] = '\0';
	o->tr = translate_new(&t, s->body, f);
	if (o->tr == NULL)
		return f->why[0] != '\0' ? 1 : -1;
	o->call.dialect = b->api;
	o->call.op = r->call.op == OP_COUNT ? OP_COUNT : OP_GENERATE;
	o->call.stream = r->stream;
	o->call.json_array = 0;
	o->call.model = str_of("");
	o->body = translate_body(o->tr);
	return 0;
}

/* The client's own body, but for what must not go there. */
static int
passed(struct outbound *o, const struct outbound_source *s,
    const struct config_backend *b)
{
	const struct route *r = s->route;
	struct buf clean;
	int rc;

	buf_init(&clean, 2 * s->body.n + 65536);
	rc = 0;
	if ((r->call.op == OP_GENERATE || r->call.op == OP_COUNT ||
	    r->call.op == OP_RESPONSES) && b->api != DIALECT_ANY)
		rc = translate_clean(&clean, &r->call,
		    config_model_for(b, r->model), s->body);
	if (rc == 1)
		o->body = buf_str(&clean);
	if (rc != -1)
		rc = route_body(r, b, o->body, &o->own);
	if (rc == 1) {
		o->body = buf_str(&o->own);
	} else if (rc == 0 && clean.len > 0) {
		o->own = clean;
		return 0;
	}
	buf_free(&clean);
	return rc == -1 ? -1 : 0;
}

int
outbound_make(struct outbound *o, const struct outbound_source *s,
    const struct config_backend *b, struct msg_fault *f)
{
	const struct route *r = s->route;
	int rc;

	outbound_free(o);
	o->call = r->call;
	o->api = b->api == DIALECT_ANY ? r->call.dialect : b->api;
	o->body = s->body;
	if (config_translates(b, r->call.dialect, r->call.op))
		rc = translated(o, s, b, f);
	else
		rc = passed(o, s, b);
	o->ready = rc == 0;
	return rc;
}

struct translate *
outbound_take(struct outbound *o)
{
	struct translate *tr = o->tr;

	o->tr = NULL;
	o->ready = 0;
	return tr;
}

int
outbound_head(const struct outbound *o, const struct outbound_source *s,
    const struct config_backend *b, struct buf *out)
{
	int64_t length = (int64_t)o->body.n;

	if (o->tr != NULL)
		return forward_translated(out, s->h, b,
		    translate_path(o->tr), s->route->stream, length);
	if (length == 0 && s->h->framing == HTTP_NO_BODY)
		length = -1;
	return forward_request(out, s->h, b, &s->route->call,
	    s->route->call.op != OP_OTHER, length);
}
