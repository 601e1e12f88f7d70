#include "relay/exchange_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/capture.h"

static int
recording(const struct exchange *ex)
{
	return ex->env->record != NULL &&
	    exchange_config(ex)->logging.directory.p != NULL;
}

void
exchange_record_start(struct exchange *ex, struct str head, struct str body)
{
	if (!recording(ex) || (ex->capture == NULL &&
	    (ex->capture = calloc(1, sizeof *ex->capture)) == NULL))
		return;
	capture_start(ex->capture, exchange_config(ex), ex->route.stream,
	    head, body, loop_us());
}

/* What all records of an exchange have in common. */
static void
record_fill(const struct exchange *ex, struct record *r)
{
	memset(r, 0, sizeof *r);
	r->wall_ms = loop_wall(ex->env->up.loop);
	r->number = ex->seen != NULL ? ex->seen->number : 0;
	r->id = str_of(ex->req.id);
	r->client = ex->req.h;
	r->api = ex->route.call.dialect;
	r->key = ex->req.key != NULL ? ex->req.key->name : str_of("");
	r->model = ex->route.model;
	r->stream = ex->route.stream;
	r->cfg = exchange_config(ex);
}

/* A status that went to the client as it is, as a reason. */
static const char *
reason(char at[32], const struct record *r, const char *why)
{
	if (*why != '\0')
		return why;
	if (r->status < 400)
		return "";
	snprintf(at, 32, "status %d", r->status);
	return at;
}

void
exchange_record_end(struct exchange *ex, enum stats_outcome outcome,
    const char *why)
{
	struct record r;
	char at[32];

	if (ex->capture == NULL)
		return;
	record_fill(ex, &r);
	capture_tell(ex->capture, &r, loop_us());
	r.attempt = ex->account.attempts;
	r.outcome = outcome;
	r.backend = ex->target->cfg->name;
	r.usage = &ex->answer.watch.usage;
	r.error = str_of(reason(at, &r, why));
	ex->env->record(ex->env->record_arg, &r);
	exchange_record_free(ex);
}

void
exchange_record_own(struct exchange *ex, int status, const char *why)
{
	struct capture_body body;
	struct record r;
	char at[32];

	if (ex->account.attempts > 0 || !recording(ex))
		return;
	record_fill(ex, &r);
	memset(&body, 0, sizeof body);
	capture_request(&body, r.cfg, buf_str(&ex->req.body));
	r.duration_us = loop_us() - ex->req.began_us;
	r.outcome = ex->left ? STATS_LEFT : status < 400 ? STATS_GOOD :
	    status == 429 ? STATS_LIMITED : STATS_FAILED;
	r.status = status;
	r.request = &body;
	r.error = str_of(reason(at, &r, why));
	ex->env->record(ex->env->record_arg, &r);
	capture_body_free(&body);
}

void
exchange_record_free(struct exchange *ex)
{
	if (ex->capture == NULL)
		return;
	capture_free(ex->capture);
	free(ex->capture);
	ex->capture = NULL;
}
