#ifndef ADMIN_SAY_H
#define ADMIN_SAY_H

/* Answers as all pages of the admin listener give them. */

#include "admin/web.h"

/* What every answer carries (complete field lines). */
extern const char say_guard[];

/* Answers with a JSON text, to which a line end is added. */
void say_json(struct web_request *r, int status, struct str json);

/*
 * The same with what a writer left in b; 500 if it is bad.  b is wiped.
 */
void say_buf(struct web_request *r, int status, struct buf *b);

/* {"error":{"message":..,"field":..}}; field NULL: none. */
void say_error(struct web_request *r, int status, const char *message,
    const char *field);

/* 405; allow: the methods that would do. */
void say_method(struct web_request *r, const char *allow);

/* 204, with further field lines. */
void say_nothing(struct web_request *r, struct str fields);

/*
 * What a config check found: lines "FILE:LINE: path: words".  Answers with
 * the first as the error and all of them as "faults".
 */
void say_faults(struct web_request *r, int status, struct str faults);

#endif
