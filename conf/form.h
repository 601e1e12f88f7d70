#ifndef CONF_FORM_H
#define CONF_FORM_H

/* The forms of other programs: auto-proxy's array, llm-proxy's variables. */

#include "conf/value.h"

/* What an array means where its items say nothing. */
void conf_form_array(struct config *c);
void conf_form_item(struct config_backend *b);

/* Fills r->c, which has its defaults, from the environment. */
void conf_form_variables(struct conf_read *r);

#endif
