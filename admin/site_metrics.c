#include "admin/site_metrics.h"

#include "admin/metrics.h"

#define METRICS_MAX	(16u << 20)

static const char plain[] = "content-type: text/plain; charset=utf-8\r\n"
    "x-content-type-options: nosniff\r\n";
static const char exposition[] = "content-type: text/plain; version=0.0.4; "
    "charset=utf-8\r\nx-content-type-options: nosniff\r\n"
    "cache-control: no-store\r\n";
static const char others[] = "allow: GET, HEAD\r\n"
    "content-type: text/plain; charset=utf-8\r\n";

void
site_metrics(void *arg, const struct web_ask *ask)
{
	const struct http_head *h = ask->h;
	struct buf b;

	if (!str_is(h->method, "GET") && !str_is(h->method, "HEAD")) {
		web_answer(ask->r, 405, str_of(others),
		    str_of("GET and HEAD only.\n"));
	} else if (str_is(h->path, "/metrics")) {
		buf_init(&b, METRICS_MAX);
		if (metrics_write(&b, arg) == -1 || b.bad)
			web_answer(ask->r, 503, str_of(plain),
			    str_of("out of memory\n"));
		else
			web_answer(ask->r, 200, str_of(exposition),
			    buf_str(&b));
		buf_free(&b);
	} else if (str_is(h->path, "/")) {
		web_answer(ask->r, 200, str_of(plain),
		    str_of("Spillway's figures are at /metrics.\n"));
	} else
		web_answer(ask->r, 404, str_of(plain),
		    str_of("There is only /metrics.\n"));
}
