#ifndef RELAY_DOOR_H
#define RELAY_DOOR_H

/*
 * Who may come in, judged by the head of a request alone; and the few paths
 * that are answered at the door.  Pure.
 */

#include "config.h"
#include "http.h"

#define DOOR_ID_MAX	128

/*
 * 0: the request may come in.  Else the status that refuses it, with a
 * sentence in *why: 501 for upgrades, CONNECT and TRACE (which would echo a
 * backend's credentials), 403 for a web page of another site, 413 for an
 * announced body above the limit.
 */
int door_judge(const struct config *cfg, const struct http_head *h,
    const char **why);

#define DOOR_FORM_MAX	16384	/* bytes of a log-in */

/*
 * 1 if the request logs in, or out, at the page that the variables' form
 * has at `/`: a form that is posted there.  Its own page may send it under
 * any name, all other pages as door_judge() says.
 */
int door_enters(const struct config *cfg, const struct http_head *h);

/* An answer of our own; static text. */
struct door_answer {
	const char *type, *body;
};

/*
 * 1 if the request, which has no body, is answered here with 200: GET or
 * HEAD of /health and /, HEAD /api/hello (Claude Code asks it).
 */
int door_local(const struct http_head *h, struct door_answer *a);

/*
 * Picks the id of a request: the client's own x-request-id if it is 1 to
 * 128 visible ASCII characters, else a new one; random: state of
 * util_random().
 */
void door_id(uint64_t *random, const struct http_head *h,
    char id[DOOR_ID_MAX + 1]);

#endif
