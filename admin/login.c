#include "admin/login.h"

void
login_token(struct login *l, struct str token)
{
	unsigned char hash[SHA256_SIZE];

	sha256_of(hash, token);
	if (memcmp(hash, l->token, sizeof hash) == 0)
		return;
	util_wipe(l->sessions, sizeof l->sessions);
	memcpy(l->token, hash, sizeof hash);
}

/* The session that goes: a free one, or the one used least recently. */
static struct login_session *
room(struct login *l)
{
	struct login_session *s, *old = l->sessions;
	size_t i;

	for (i = 0; i < LOGIN_SESSIONS; i++) {
		s = &l->sessions[i];
		if (s->id[0] == '\0')
			return s;
		if (s->used < old->used)
			old = s;
	}
	return old;
}

int
login_judged(struct login *l, int right, const unsigned char random[32],
    uint64_t now, const char **id)
{
	uint64_t *slot = &l->wrong[l->nwrong % LOGIN_GUESSES];
	struct login_session *s;

	if (*slot != 0 && now - (*slot - 1) < LOGIN_GUESS_MS)
		return -1;
	if (!right) {
		*slot = now + 1;
		l->nwrong++;
		return 0;
	}
	s = room(l);
	util_hex(s->id, random, 32);
	s->used = now;
	*id = s->id;
	return 1;
}

int
login_try(struct login *l, struct str guess, struct str token,
    const unsigned char random[32], uint64_t now, const char **id)
{
	return login_judged(l, util_ct_eq(guess, token), random, now, id);
}

/* All are compared, so that time does not tell where one stands. */
static struct login_session *
find(struct login *l, struct str id)
{
	struct login_session *s = NULL;
	size_t i;

	for (i = 0; i < LOGIN_SESSIONS; i++)
		if (util_ct_eq(id, str_of(l->sessions[i].id)))
			s = &l->sessions[i];
	return s;
}

int
login_check(struct login *l, struct str id, uint64_t now)
{
	struct login_session *s = find(l, id);

	if (s == NULL)
		return 0;
	if (now - s->used >= LOGIN_MS) {
		util_wipe(s, sizeof *s);
		return 0;
	}
	s->used = now;
	return 1;
}

void
login_end(struct login *l, struct str id)
{
	struct login_session *s = find(l, id);

	if (s != NULL)
		util_wipe(s, sizeof *s);
}

struct str
login_cookie(struct str field, const char *name)
{
	struct str one;
	const char *end, *is;

	while (field.n > 0) {
		end = memchr(field.p, ';', field.n);
		one = str_n(field.p, end == NULL ? field.n :
		    (size_t)(end - field.p));
		field = end == NULL ? str_of("") :
		    str_n(end + 1, field.n - one.n - 1);
		one = str_trim(one);
		is = one.n == 0 ? NULL : memchr(one.p, '=', one.n);
		if (is != NULL && str_is(str_n(one.p, (size_t)(is - one.p)),
		    name))
			return str_n(is + 1, (size_t)(one.p + one.n - is) -
			    1);
	}
	return str_n(NULL, 0);
}
