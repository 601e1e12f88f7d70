#include "relay/sticky.h"

#include "json.h"

#define STICKY_MESSAGES 8	/* looked at for the first of the user */

/* Mixes a run of bytes into a hash; the length keeps runs apart. */
static uint64_t
mix(uint64_t hash, struct str s)
{
	uint64_t state = hash ^ util_hash(s.p, s.n);

	state += s.n;
	return util_random(&state);
}

/*
 * Mixes in the text of a prompt or message, not its other members: clients
 * move cache_control about from turn to turn.
 */
static uint64_t
mix_text(uint64_t hash, struct str raw)
{
	enum json_type t;
	struct json j;

	json_start(&j, raw, 0);
	while ((t = json_next(&j)) > JSON_END)
		if (t == JSON_STRING && (j.depth == 0 ||
		    str_is(j.key, "text") || str_is(j.key, "content")))
			hash = mix(hash, j.raw);
	return hash;
}

/* The string at one of the places that name a conversation. */
static int
named(struct str body, struct str *out)
{
	static const char *const paths[] = {
		"prompt_cache_key", "metadata.user_id", "user"
	};
	struct json_value v;
	size_t i;

	for (i = 0; i < sizeof paths / sizeof *paths; i++)
		if (json_get(body, paths[i], &v) == 0 &&
		    v.type == JSON_STRING && v.raw.n > 2) {
			*out = v.raw;
			return 0;
		}
	return -1;
}

/* The raw first message of the user in an array, or the system's. */
static void
first_of_role(struct str list, const char *role, struct str *out)
{
	struct json_value v;
	struct json j;
	int i;

	json_start(&j, list, 0);
	if (json_next(&j) != JSON_ARRAY)
		return;
	for (i = 0; i < STICKY_MESSAGES && json_next(&j) == JSON_OBJECT;
	    i++) {
		if (json_skip(&j) == -1)
			return;
		if (json_get(j.raw, "role", &v) == 0 &&
		    json_string_is(v.raw, role)) {
			*out = j.raw;
			return;
		}
	}
}

/* The system prompt and the first user message, wherever the API has them. */
static uint64_t
opening(uint64_t hash, struct str body)
{
	static const char *const names[] = {
		"system", "systemInstruction", "system_instruction",
		"instructions", "messages", "contents", "input"
	};
	struct json_value v[7];
	struct str system = { NULL, 0 }, user = { NULL, 0 };
	size_t i;

	if (json_members(body, names, v, 7, NULL, NULL) == -1)
		return mix(hash, body);
	for (i = 0; i < 4; i++)
		if (v[i].type > JSON_END && v[i].type != JSON_NULL)
			system = v[i].raw;
	for (i = 4; i < 7; i++) {
		if (v[i].type == JSON_STRING)
			user = v[i].raw;
		if (v[i].type != JSON_ARRAY)
			continue;
		first_of_role(v[i].raw, "user", &user);
		if (system.n == 0)
			first_of_role(v[i].raw, "system", &system);
	}
	return mix_text(mix_text(hash, system), user);
}

uint64_t
sticky_number(const struct http_head *h, struct str body,
    struct str key_name)
{
	uint64_t hash = mix(0, key_name);
	struct str s = http_find(h, "x-session-id");

	if (s.n == 0)
		s = http_find(h, "session_id");
	if (s.n > 0 || named(body, &s) == 0)
		return mix(hash, s);
	return opening(hash, body);
}
