#ifndef RELAY_STICKY_H
#define RELAY_STICKY_H

/*
 * What makes two requests one conversation (spec 9, "Sticky"), so that it
 * can keep the prompt cache of one provider.  Pure, and without memory: the
 * same conversation has the same number in every process.
 */

#include "base/util.h"
#include "http.h"

/*
 * The number of the conversation that a request belongs to: a hash of the
 * access key's name and the first there is of: the x-session-id or
 * session_id header, prompt_cache_key, metadata.user_id, user, the system
 * prompt with the first user message.  body: JSON of any of the APIs, or
 * anything else.
 */
uint64_t sticky_number(const struct http_head *h, struct str body,
    struct str key_name);

#endif
