#ifndef ADMIN_CHANGE_H
#define ADMIN_CHANGE_H

/*
 * What the admin API changes (docs/api.md): the backends of the config, and
 * their health.  A change of the config is made in the text of the file, as
 * it is on disk at that moment, checked, saved, and put in service, in this
 * order; where there is no file it is put in service alone.  Each function
 * answers the request.
 */

#include "admin/host.h"
#include "admin/web.h"

#define CHANGE_UNDO_MS	600000	/* how long what was deleted can come back */
#define CHANGE_UNDO_MAX	16	/* of them; a further one drops the oldest */
#define CHANGE_TEXT_MAX	(4u << 20)	/* bytes of a config */

struct change;

/*
 * text: the config in service where h has no file; p NULL: there is none,
 * and the backends cannot be changed.  h is borrowed.  NULL: out of memory.
 */
struct change *change_new(const struct admin_host *h, struct str text);
void change_free(struct change *c);

/* Adds the text of the config; 0; -1: cannot be read, or there is none. */
int change_text(const struct change *c, struct buf *out);

/* The place of a backend in service; -1: there is none of that name. */
long change_place(const struct admin_host *h, struct str name);

/* name: of a backend, plain; body: of the request, as it came. */
void change_add(struct change *c, struct web_request *r, struct str body);
void change_put(struct change *c, struct web_request *r, struct str name,
    struct str body);
void change_delete(struct change *c, struct web_request *r, struct str name);
void change_undo(struct change *c, struct web_request *r, struct str body);
void change_switch(struct change *c, struct web_request *r, struct str name,
    int on);
void change_order(struct change *c, struct web_request *r, struct str body);
void change_clear(struct change *c, struct web_request *r, struct str name);
void change_reload(struct change *c, struct web_request *r);

#endif
