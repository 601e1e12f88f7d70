#include "admin/home.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/home_page.h"
#include "admin/login.h"
#include "base/log.h"
#include "net/socket.h"
#include "relay/door.h"
#include "wire/http_write.h"

static const char page_fields[] =
    "content-type: text/html; charset=utf-8\r\n"
    "content-security-policy: default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'\r\n"
    "x-content-type-options: nosniff\r\n"
    "referrer-policy: same-origin\r\n"	/* else a form's Origin is null */
    "cache-control: no-store\r\n";
static const char line_fields[] =
    "content-type: text/plain; charset=utf-8\r\n"
    "x-content-type-options: nosniff\r\n";

struct home {
	const struct admin_host *host;	/* borrowed */
	struct login login;
};

struct home *
home_new(const struct admin_host *host)
{
	struct home *m = calloc(1, sizeof *m);

	if (m != NULL)
		m->host = host;
	return m;
}

void
home_free(struct home *m)
{
	if (m == NULL)
		return;
	util_wipe(&m->login, sizeof m->login);
	free(m);
}

static const struct config *
config_of(const struct home *m)
{
	return m->host->clients->gen->cfg;
}

/* The dashboard's address as a person may open it; adds none if it is off. */
static void
dashboard(const struct home *m, struct buf *out)
{
	struct str host = config_of(m)->web_admin.host;
	int six = host.n > 0 && memchr(host.p, ':', host.n) != NULL;

	if (m->host->admin_port == 0)
		return;
	if (str_is(host, "0.0.0.0"))
		host = str_of("127.0.0.1");
	else if (str_is(host, "::"))
		host = str_of("::1");
	buf_adds(out, six ? "http://[" : "http://");
	buf_addstr(out, host);
	buf_fmt(out, "%s:%u/", six ? "]" : "", (unsigned)m->host->admin_port);
}

static int
line_answer(const struct home *m, struct buf *fields, struct buf *out)
{
	buf_adds(fields, line_fields);
	if (m->host->admin_port == 0) {
		buf_adds(out, "Spillway is running. Send LLM API requests to "
		    "this address.\n");
		return 200;
	}
	buf_adds(out, "Spillway is running. Dashboard: ");
	dashboard(m, out);
	buf_addc(out, '\n');
	return 200;
}

/* ---- who asks ---- */

/* Browsers share cookies between ports; the name keeps them apart. */
static const char *
cookie_name(const struct home *m, char at[32])
{
	snprintf(at, 32, "spillway_home_%u", (unsigned)config_of(m)->port);
	return at;
}

static struct str
cookie(const struct home *m, const struct http_head *h)
{
	struct str s = { NULL, 0 };
	char name[32];
	unsigned i;

	cookie_name(m, name);
	for (i = 0; i < h->nfields && s.p == NULL; i++)
		if (h->fields[i].id == HTTP_COOKIE)
			s = login_cookie(h->fields[i].value, name);
	return s;
}

static enum home_who
who_asks(struct home *m, const struct http_head *h)
{
	struct str id = cookie(m, h);

	if (config_of(m)->naccess_keys == 0)
		return HOME_OPEN;
	return id.n > 0 && login_check(&m->login, id,
	    loop_now(m->host->loop)) ? HOME_KNOWN : HOME_STRANGER;
}

/* Sessions end with the keys under which they began. */
static void
keys_look(struct home *m)
{
	const struct config *cfg = config_of(m);
	struct buf all;
	size_t i;

	buf_init(&all, 1u << 20);
	for (i = 0; i < cfg->naccess_keys; i++)
		buf_add(&all, cfg->access_keys[i].hash, SHA256_SIZE);
	login_token(&m->login, buf_str(&all));
	buf_free(&all);
}

/* ---- in and out ---- */

/* The browser goes to the page again, with that session; "": with none. */
static int
go_home(const struct home *m, const char *id, struct buf *fields)
{
	char name[32];

	buf_fmt(fields, "location: /\r\ncache-control: no-store\r\n"
	    "set-cookie: %s=%s; Path=/; HttpOnly; SameSite=Strict%s\r\n",
	    cookie_name(m, name), id, *id == '\0' ? "; Max-Age=0" : "");
	return 303;
}

/* Adds a value of a form as it was before it was sent. */
static void
form_value(struct buf *out, struct str body, const char *name)
{
	struct str s = http_query_get(body, name);
	struct buf plain;
	size_t i;

	buf_init(&plain, DOOR_FORM_MAX);
	for (i = 0; i < s.n; i++)
		buf_addc(&plain, (char)(s.p[i] == '+' ? ' ' : s.p[i]));
	http_unescape(out, buf_str(&plain));
	buf_wipe(&plain);
}

/* 303 with a new session, or another status with a note for the page. */
static int
log_in(struct home *m, struct str body, struct buf *fields, const char **note)
{
	unsigned char random[32];
	const char *id = "";
	struct buf key;
	int status;

	if (sock_random(random, sizeof random) == -1) {
		*note = "There is no randomness on this machine.";
		return 500;
	}
	buf_init(&key, DOOR_FORM_MAX);
	form_value(&key, body, "key");
	switch (login_judged(&m->login, config_key_find(config_of(m),
	    str_trim(buf_str(&key))) != NULL, random,
	    loop_now(m->host->loop), &id)) {
	case 1:
		status = go_home(m, id, fields);
		break;
	case 0:
		log_warn("a log-in at / was refused: the key is wrong");
		*note = "This is not an access key.";
		status = 403;
		break;
	default:
		http_write_field(fields, "retry-after", str_of("60"));
		*note = "Too many wrong keys: try again in a minute.";
		status = 429;
		break;
	}
	buf_wipe(&key);
	util_wipe(random, sizeof random);
	return status;
}

static int
page_answer(struct home *m, const struct http_head *h, int status,
    const char *note, struct buf *fields, struct buf *out)
{
	const struct admin_host *host = m->host;
	struct home_view v;
	struct buf address;

	buf_init(&address, 1024);
	dashboard(m, &address);
	v.stats = &host->clients->ex.stats;
	v.who = who_asks(m, h);
	v.attempts = config_of(m)->retry.attempts;
	v.now_ms = loop_wall(host->loop);
	v.note = note;
	v.dashboard = buf_str(&address);
	buf_adds(fields, page_fields);
	home_page(out, &v);
	buf_free(&address);
	return status;
}

int
home_answer(void *arg, const struct http_head *h, struct str body,
    struct buf *fields, struct buf *out)
{
	struct home *m = arg;
	const char *note = "";
	int status = 200;

	if (config_of(m)->form != FORM_VARIABLES)
		return line_answer(m, fields, out);
	keys_look(m);
	if (door_enters(config_of(m), h)) {
		if (http_query_get(body, "leave").p != NULL) {
			login_end(&m->login, cookie(m, h));
			return go_home(m, "", fields);
		}
		if ((status = log_in(m, body, fields, &note)) == 303)
			return status;
	}
	return page_answer(m, h, status, note, fields, out);
}
