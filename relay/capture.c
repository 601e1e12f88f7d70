#include "relay/capture.h"

#include <string.h>

/* Bytes of a body that a setting (0 none, 1 truncated, 2 full) shows. */
static size_t
shown(const struct config *cfg, int setting, size_t full)
{
	uint64_t share = cfg->logging.max / CAPTURE_SHARE;

	return setting == 0 ? 0 : setting == 1 ? CAPTURE_SHORT :
	    full < share ? full : (size_t)share;
}

static void
body_start(struct capture_body *cb, size_t show)
{
	buf_wipe(&cb->kept);
	buf_init(&cb->kept, show == 0 ? 0 : show + CAPTURE_BEHIND);
	cb->show = show;
	cb->size = 0;
}

static void
body_add(struct capture_body *cb, struct str data)
{
	size_t room = cb->kept.max - cb->kept.len;

	cb->size += data.n;
	buf_add(&cb->kept, data.p, data.n < room ? data.n : room);
}

void
capture_request(struct capture_body *cb, const struct config *cfg,
    struct str body)
{
	/* An empty one is shown as what it is, too. */
	body_start(cb, shown(cfg, cfg->logging.request_body, body.n + 1));
	body_add(cb, body);
}

void
capture_start(struct capture *c, const struct config *cfg, int stream,
    struct str head, struct str body, uint64_t now_us)
{
	if (c->began_us == 0)
		c->began_us = now_us;
	c->status = 0;
	buf_wipe(&c->head);
	buf_init(&c->head, head.n);
	buf_addstr(&c->head, head);
	buf_wipe(&c->fields);
	buf_init(&c->fields, 2 * HTTP_HEAD_MAX);
	capture_request(&c->request, cfg, body);
	body_start(&c->answer, shown(cfg, cfg->logging.response_body,
	    stream ? CAPTURE_STREAM : CAPTURE_PLAIN));
}

void
capture_head(struct capture *c, const struct http_head *h)
{
	unsigned i;

	c->status = h->status;
	buf_clear(&c->fields);
	for (i = 0; i < h->nfields; i++) {
		buf_addstr(&c->fields, h->fields[i].name);
		buf_adds(&c->fields, ": ");
		buf_addstr(&c->fields, h->fields[i].value);
		buf_adds(&c->fields, "\r\n");
	}
}

void
capture_data(struct capture *c, struct str data)
{
	body_add(&c->answer, data);
}

void
capture_tell(const struct capture *c, struct record *r, uint64_t now_us)
{
	r->duration_us = now_us - c->began_us;
	r->head = buf_str(&c->head);
	r->status = c->status;
	r->fields = buf_str(&c->fields);
	r->request = &c->request;
	r->answer = &c->answer;
}

void
capture_body_free(struct capture_body *cb)
{
	buf_wipe(&cb->kept);
	memset(cb, 0, sizeof *cb);
}

void
capture_free(struct capture *c)
{
	buf_wipe(&c->head);
	buf_wipe(&c->fields);
	capture_body_free(&c->request);
	capture_body_free(&c->answer);
	memset(c, 0, sizeof *c);
}
