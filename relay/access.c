#include "relay/access.h"

#include "base/log.h"

#define ACCESS_KEYS_MAX	4096	/* subjects: configured, and before a reload */
#define ACCESS_USERS_MAX 10000
#define ACCESS_RUNS_MAX	(1u << 21)	/* 16 MiB of history each */
#define ACCESS_KEY_MAX	4096	/* bytes of ?key= that are looked at */

void
access_init(struct access *a)
{
	limit_init(&a->requests, ACCESS_KEYS_MAX, ACCESS_RUNS_MAX);
	limit_init(&a->tokens, ACCESS_KEYS_MAX, ACCESS_RUNS_MAX);
	limit_init(&a->users, ACCESS_USERS_MAX, ACCESS_RUNS_MAX);
	limit_init(&a->backends, ACCESS_KEYS_MAX, ACCESS_RUNS_MAX);
}

void
access_free(struct access *a)
{
	limit_free(&a->requests);
	limit_free(&a->tokens);
	limit_free(&a->users);
	limit_free(&a->backends);
}

/* ---- who is asking ---- */

static struct str
bearer(const struct http_head *h)
{
	struct str s = http_get(h, HTTP_AUTHORIZATION);

	if (!str_casestarts(s, "bearer "))
		return str_n(NULL, 0);
	return str_trim(str_n(s.p + 7, s.n - 7));
}

int
access_key(const struct config *c, const struct http_head *h,
    const struct config_access_key **key, const char **why)
{
	struct str shown[4];
	struct buf query;
	int any = 0;
	size_t i;

	*key = NULL;
	if (c->naccess_keys == 0)
		return 0;
	buf_init(&query, ACCESS_KEY_MAX);
	shown[0] = bearer(h);
	shown[1] = http_get(h, HTTP_X_API_KEY);
	shown[2] = http_get(h, HTTP_X_GOOG_API_KEY);
	http_unescape(&query, http_query_get(h->query, "key"));
	shown[3] = buf_str(&query);
	for (i = 0; i < 4; i++) {
		if (shown[i].n == 0)
			continue;
		any = 1;
		if (*key == NULL)
			*key = config_key_find(c, shown[i]);
	}
	buf_wipe(&query);
	*why = any ? "this access key is not known here" :
	    "an access key is needed: send it as Authorization: Bearer, "
	    "x-api-key or x-goog-api-key";
	return *key != NULL ? 0 : -1;
}

struct str
access_user(const struct config *c, const struct config_access_key *key,
    const struct http_head *h)
{
	struct str name = { NULL, 0 };
	unsigned i;

	if (!c->user_limits.enabled)
		return str_of("");
	for (i = 0; i < h->nfields; i++)
		if (str_caseeq(h->fields[i].name, c->user_limits.header))
			name = h->fields[i].value;
	if (name.n > 0)
		return name;
	return key != NULL ? key->name : str_of("");
}

/* ---- how much ---- */

static void
later(uint64_t *wait, const char **why, uint64_t ms, const char *what)
{
	if (ms > *wait) {
		*wait = ms;
		*why = what;
	}
}

int
access_admit(struct access *a, const struct config *c,
    const struct config_access_key *key, struct str user, uint64_t now,
    uint64_t *wait, const char **why)
{
	uint64_t ms;

	*wait = 0;
	if (key != NULL && limit_tokens_peek(&a->tokens, key->name,
	    key->tokens.max, key->tokens.window_minutes, now, &ms) ==
	    LIMIT_OVER)
		later(wait, why, ms, "the tokens of this access key are used "
		    "up");
	if (c->user_limits.enabled && limit_tokens_peek(&a->users, user,
	    c->user_limits.max_tokens, c->user_limits.window_minutes, now,
	    &ms) == LIMIT_OVER)
		later(wait, why, ms, "the tokens of this user are used up");
	if (key != NULL && limit_requests_peek(&a->requests, key->name,
	    key->requests_per_minute, now, &ms) == LIMIT_OVER)
		later(wait, why, ms, "this access key has made its requests "
		    "of this minute");
	if (*wait > 0)
		return -1;
	if (key != NULL && limit_requests_take(&a->requests, key->name,
	    key->requests_per_minute, now, &ms) == LIMIT_NOMEM)
		log_warn("access key \"%.*s\": out of memory, a request is "
		    "not counted", (int)key->name.n, key->name.p);
	return 0;
}

static uint64_t
told(int64_t n)
{
	return n > 0 ? (uint64_t)n : 0;
}

void
access_charge(struct access *a, const struct config *c,
    const struct config_access_key *key, struct str user,
    const struct dialect_usage *used, uint64_t now)
{
	uint64_t n = told(used->input) + told(used->cache_write) +
	    told(used->output);
	int lost = 0;

	if (n == 0)
		return;
	if (key != NULL && key->tokens.max > 0)
		lost |= limit_tokens_charge(&a->tokens, key->name, n,
		    key->tokens.window_minutes, now) == LIMIT_NOMEM;
	if (c->user_limits.enabled)
		lost |= limit_tokens_charge(&a->users, user, n,
		    c->user_limits.window_minutes, now) == LIMIT_NOMEM;
	if (lost)
		log_warn("out of memory: %llu tokens are not counted",
		    (unsigned long long)n);
}

uint64_t
access_backend_wait(struct access *a, const struct config_backend *b,
    uint64_t now)
{
	uint64_t wait;

	if (b->requests_per_minute == 0)
		return 0;
	limit_requests_peek(&a->backends, b->name, b->requests_per_minute,
	    now, &wait);
	return wait;
}

void
access_backend_take(struct access *a, const struct config_backend *b,
    uint64_t now)
{
	uint64_t wait;

	if (b->requests_per_minute > 0)
		limit_requests_take(&a->backends, b->name,
		    b->requests_per_minute, now, &wait);
}
