#ifndef ADMIN_LOGIN_H
#define ADMIN_LOGIN_H

/*
 * Who has logged in: sessions, and how often somebody may guess.  In memory
 * only.  Pure: randomness and times (ms, monotonic) are given.
 */

#include "base/sha256.h"
#include "base/util.h"

#define LOGIN_SESSIONS	16	/* a further one ends the oldest */
#define LOGIN_MS	(12u * 60 * 60 * 1000)	/* after its last use */
#define LOGIN_GUESSES	5	/* wrong ones in ... */
#define LOGIN_GUESS_MS	60000
#define LOGIN_ID	64	/* hex digits of a session */

struct login_session {
	char id[LOGIN_ID + 1];		/* "": free */
	uint64_t used;
};

struct login {
	struct login_session sessions[LOGIN_SESSIONS];
	uint64_t wrong[LOGIN_GUESSES];	/* times, plus 1; a ring */
	unsigned nwrong;		/* ever */
	unsigned char token[SHA256_SIZE];	/* of whom sessions are */
};

/* Sessions of another token than this end; to be called before the others. */
void login_token(struct login *l, struct str token);

/*
 * Tries a token.  1: right, a new session made of 32 bytes of randomness
 * has its id in l->sessions, *id points there; 0: wrong; -1: too many wrong
 * ones, it was not looked at.
 */
int login_try(struct login *l, struct str guess, struct str token,
    const unsigned char random[32], uint64_t now, const char **id);

/* The same for a guess that was judged already: right is 1 or 0. */
int login_judged(struct login *l, int right, const unsigned char random[32],
    uint64_t now, const char **id);

/* 1 if that is a session; it is used now. */
int login_check(struct login *l, struct str id, uint64_t now);

/* Ends a session. */
void login_end(struct login *l, struct str id);

/* The value of a cookie in a Cookie field; p NULL: it is not there. */
struct str login_cookie(struct str field, const char *name);

#endif
