#include "admin/guard.h"

#include <string.h>

#include "admin/login.h"
#include "tests/t.h"

/* Who may ask the admin API: Host and Origin, and who has logged in. */

static const struct {
	const char *host, *more;	/* of the request; host "": none */
	int token, api, ok;
} asks[] = {
	{ "127.0.0.1:8081", "", 0, 1, 1 },
	{ "127.0.0.1", "", 0, 1, 1 },
	{ "127.9.9.9:1", "", 0, 1, 1 },
	{ "localhost:8081", "", 0, 1, 1 },
	{ "LOCALHOST", "", 0, 1, 1 },
	{ "[::1]:8081", "", 0, 1, 1 },
	{ "[::1]", "", 0, 1, 1 },
	{ "[::ffff:127.0.0.1]:1", "", 0, 1, 1 },
	/* names that may be made to point here */
	{ "evil.example", "", 0, 1, 0 },
	{ "evil.example:8081", "", 0, 1, 0 },
	{ "localhost.evil.example", "", 0, 1, 0 },
	{ "127.0.0.1.evil.example", "", 0, 1, 0 },
	{ "xlocalhost", "", 0, 1, 0 },
	{ "192.0.2.1:8081", "", 0, 1, 0 },
	{ "[::2]:8081", "", 0, 1, 0 },
	{ "[::1", "", 0, 1, 0 },
	{ "[::1]x", "", 0, 1, 0 },
	{ ":8081", "", 0, 1, 0 },
	{ "", "", 0, 1, 0 },
	{ "evil.example", "", 0, 0, 0 },
	/* what a token adds */
	{ "192.0.2.1:8081", "", 1, 1, 1 },
	{ "gate.example:99", "", 1, 1, 1 },
	{ "GATE.example", "", 1, 1, 1 },
	{ "port.example:7", "", 1, 1, 1 },
	{ "port.example:8", "", 1, 1, 0 },
	{ "evil.example", "", 1, 1, 0 },
	/* origins */
	{ "127.0.0.1:8081", "Origin: http://127.0.0.1:8081\r\n", 0, 1, 1 },
	{ "127.0.0.1:8081", "Origin: https://127.0.0.1:8081\r\n", 0, 1, 1 },
	{ "Localhost:8081", "Origin: http://localhost:8081\r\n", 0, 1, 1 },
	{ "127.0.0.1:8081", "Origin: http://127.0.0.1:8082\r\n", 0, 1, 0 },
	{ "127.0.0.1:8081", "Origin: http://127.0.0.1\r\n", 0, 1, 0 },
	{ "127.0.0.1:8081", "Origin: http://localhost:8081\r\n", 0, 1, 0 },
	{ "127.0.0.1:8081", "Origin: http://evil.example\r\n", 0, 1, 0 },
	{ "127.0.0.1:8081", "Origin: http://evil.example\r\n", 1, 1, 0 },
	{ "127.0.0.1:8081", "Origin: null\r\n", 0, 1, 0 },
	{ "127.0.0.1:8081", "Origin: \r\n", 0, 1, 0 },
	{ "127.0.0.1:8081", "Origin: file://127.0.0.1:8081\r\n", 0, 1, 0 },
	{ "127.0.0.1:8081", "Origin: http://evil.example\r\n", 0, 0, 0 },
	/* sites */
	{ "localhost:1", "Sec-Fetch-Site: cross-site\r\n", 0, 1, 0 },
	{ "localhost:1", "Sec-Fetch-Site: cross-site\r\n", 0, 0, 1 },
	{ "localhost:1", "Sec-Fetch-Site: same-origin\r\n", 0, 1, 1 },
	{ "localhost:1", "Sec-Fetch-Site: none\r\n", 0, 1, 1 }
};

static void
check_guard(void)
{
	static struct str hosts[2];
	struct http_head h;
	struct config c;
	char text[512];
	const char *why;
	size_t i;

	hosts[0] = str_of("gate.example");
	hosts[1] = str_of("port.example:7");
	for (i = 0; i < sizeof asks / sizeof *asks; i++) {
		memset(&c, 0, sizeof c);
		c.web_admin.host = str_of("192.0.2.1");
		c.web_admin.hosts = hosts;
		c.web_admin.nhosts = 2;
		if (asks[i].token)
			c.web_admin.token = str_of("a token of ours");
		if (*asks[i].host != '\0')
			snprintf(text, sizeof text, "GET / HTTP/1.1\r\n"
			    "Host: %s\r\n%s\r\n", asks[i].host, asks[i].more);
		else
			snprintf(text, sizeof text, "GET / HTTP/1.0\r\n\r\n");
		if (http_request(&h, text, strlen(text), 0) != HTTP_OK) {
			T_OK(!asks[i].ok, "%s", text);	/* refused before */
			continue;
		}
		why = guard_judge(&c, &h, asks[i].api);
		T_OK((why == NULL) == (asks[i].ok != 0), "%s (token %d, api "
		    "%d): %s", text, asks[i].token, asks[i].api,
		    why == NULL ? "let in" : why);
	}
}

/* ---- logging in ---- */

static const unsigned char *
seed(unsigned char n)
{
	static unsigned char s[32];

	memset(s, n, sizeof s);
	return s;
}

static void
check_login(void)
{
	static struct login l;
	struct str token = str_of("the right token");
	const char *id = NULL;
	char first[LOGIN_ID + 1];
	uint64_t now = 1000;
	unsigned i;

	login_token(&l, token);
	T_OK(!login_check(&l, str_of(""), now), "nobody is no session");
	for (i = 0; i < LOGIN_GUESSES - 1; i++)
		T_OK(login_try(&l, str_of("wrong"), token, seed(1), now + i,
		    &id) == 0, "guess %u", i);
	T_OK(login_try(&l, token, token, seed(1), now + 10, &id) == 1 &&
	    strlen(id) == LOGIN_ID, "right");
	snprintf(first, sizeof first, "%s", id);
	T_OK(login_check(&l, str_of(first), now + 10), "a session");
	T_OK(!login_check(&l, str_n(first, LOGIN_ID - 1), now + 10), "a part");
	T_OK(login_try(&l, str_of(""), token, seed(2), now + 10, &id) == 0,
	    "the fifth");
	T_OK(login_try(&l, str_of("wrong"), token, seed(2), now + 11, &id) ==
	    -1 && login_try(&l, token, token, seed(2), now + 59999, &id) ==
	    -1, "too many, whatever it is");
	T_OK(login_check(&l, str_of(first), now + 59999), "who is in stays");
	T_OK(login_try(&l, token, token, seed(2), now + 60000, &id) == 1,
	    "a minute later");
	T_OK(login_try(&l, str_of("wrong"), token, seed(2), now + 60000,
	    &id) == 0, "one more guess");
	T_OK(login_try(&l, str_of("wrong"), token, seed(2), now + 60000,
	    &id) == -1, "and no two");
	login_end(&l, str_of(first));
	T_OK(!login_check(&l, str_of(first), now + 60000), "logged out");
	login_end(&l, str_of(first));
}

static void
check_sessions(void)
{
	static struct login l;
	struct str token = str_of("the right token");
	char ids[LOGIN_SESSIONS + 1][LOGIN_ID + 1];
	const char *id = NULL;
	unsigned i;

	memset(&l, 0, sizeof l);
	login_token(&l, token);
	for (i = 0; i < LOGIN_SESSIONS; i++) {
		login_try(&l, token, token, seed((unsigned char)(i + 1)), i,
		    &id);
		memcpy(ids[i], id, sizeof ids[i]);
	}
	T_OK(login_check(&l, str_of(ids[0]), 100), "the first is used");
	login_try(&l, token, token, seed(99), 101, &id);
	memcpy(ids[LOGIN_SESSIONS], id, sizeof ids[0]);
	T_OK(login_check(&l, str_of(ids[0]), 102) &&
	    !login_check(&l, str_of(ids[1]), 102) &&
	    login_check(&l, str_of(ids[LOGIN_SESSIONS]), 102),
	    "the one used least recently goes");
	T_OK(login_check(&l, str_of(ids[0]), 102 + LOGIN_MS - 1),
	    "until its time is over");
	T_OK(!login_check(&l, str_of(ids[2]), 102 + LOGIN_MS),
	    "over");
	login_token(&l, token);
	T_OK(login_check(&l, str_of(ids[0]), 102 + LOGIN_MS), "as before");
	login_token(&l, str_of("another token"));
	T_OK(!login_check(&l, str_of(ids[0]), 102 + LOGIN_MS),
	    "a new token ends all sessions");
}

static void
check_cookies(void)
{
	static const struct {
		const char *field, *value;
	} list[] = {
		{ "a=1", "1" }, { "b=2; a=1", "1" }, { "b=2;a=1;c=3", "1" },
		{ "a=", "" }, { "a=x=y", "x=y" }, { " a=1 ;b", "1" },
		{ "a=1; a=2", "1" }, { "", NULL }, { "aa=1", NULL },
		{ "a", NULL }, { "=1", NULL }, { ";;", NULL }, { "A=1", NULL }
	};
	struct str s;
	size_t i;

	for (i = 0; i < sizeof list / sizeof *list; i++) {
		s = login_cookie(str_of(list[i].field), "a");
		T_OK(list[i].value == NULL ? s.p == NULL : s.p != NULL &&
		    str_is(s, list[i].value), "\"%s\": %.*s", list[i].field,
		    (int)s.n, s.p);
	}
}

int
main(void)
{
	check_guard();
	check_login();
	check_sessions();
	check_cookies();
	return t_end();
}
