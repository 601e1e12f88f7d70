/*
 * Where a config listens, and for whom: the proxy itself, the dashboard,
 * the metrics; and the records.  In every form.
 */

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "tests/t.h"

#define TOKEN	"admin-0123456789"
#define ONE	"{\"name\":\"a\",\"base_url\":\"http://[::1]\"}"
#define WITH(more)	"{\n\"backends\":[" ONE "],\n" more "}"
#define ADMIN(more)	WITH("\"web_admin\":{" more "}")
#define METRICS(more)	WITH("\"metrics\":{" more "}")

static struct buf faults, notes, out;
static const char *proxy_port, *metrics_port;

static const char *
get_env(void *arg, const char *name)
{
	(void)arg;
	if (strcmp(name, "PROXY_PORT") == 0)
		return proxy_port;
	if (strcmp(name, "METRICS_PORT") == 0)
		return metrics_port;
	if (strcmp(name, "TOKEN") == 0)
		return TOKEN;
	if (strcmp(name, "PROXY_URL") == 0)
		return "http://127.0.0.1:9";
	if (strcmp(name, "MY_ACCESS_KEY") == 0)
		return "client-0123456789";
	return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static int
read_file(void *arg, const char *path, struct buf *to, const char **why)
{
	(void)arg;
	if (strcmp(path, "/token") == 0)
		return buf_adds(to, TOKEN "\n");
	*why = "no such file";
	return -1;
}

static const struct config_env env = { get_env, read_file, NULL };

/* text NULL: the form of variables. */
static struct config *
parse_with(const char *text, int port, int admin_port)
{
	struct config_flags flags = { -1, -1, -1 };

	flags.port = port;
	flags.admin_port = admin_port;
	buf_clear(&faults);
	buf_clear(&notes);
	if (text == NULL)
		return config_from_env(&env, &flags, &faults, &notes);
	return config_parse(str_of(text), "f", &env, &flags, &faults, &notes);
}

static struct config *
parse(const char *text)
{
	return parse_with(text, -1, -1);
}

/* A config that must be good, or the test ends. */
static struct config *
good(const char *text)
{
	struct config *c = parse(text);

	T_OK(c != NULL && faults.len == 0, "%s\n%s", text, buf_cstr(&faults));
	if (c == NULL)
		exit(t_end());
	return c;
}

static const char *
describe(const struct config *c)
{
	buf_clear(&out);
	config_describe(c, &out);
	return buf_cstr(&out);
}

/* The one line of faults, whole. */
static const struct {
	const char *text, *fault;
} one_fault[] = {
	{ ADMIN("\"enabled\":1"), "f:3: web_admin.enabled: is a number; true "
	    "or false would be right" },
	{ ADMIN("\"host\":\"example\""), "f:3: web_admin.host: \"example\" is "
	    "no address to listen on; 127.0.0.1 (this machine), 0.0.0.0 or :: "
	    "(all) would be right" },
	{ METRICS("\"host\":\"a b\""), "f:3: metrics.host: \"a b\" is no "
	    "address to listen on; 127.0.0.1 (this machine), 0.0.0.0 or :: "
	    "(all) would be right" },
	{ ADMIN("\"enabled\":false,\"host\":\"1.2.3\""), "f:3: web_admin.host"
	    ": \"1.2.3\" is no address to listen on; 127.0.0.1 (this machine)"
	    ", 0.0.0.0 or :: (all) would be right" },
	{ ADMIN("\"port\":0"), "f:3: web_admin.port: 0 is out of range; "
	    "1..65535 would be right" },
	{ METRICS("\"port\":65536"), "f:3: metrics.port: 65536 is out of "
	    "range; 1..65535 would be right" },
	{ METRICS("\"port\":\"9\""), "f:3: metrics.port: is a string; a "
	    "number, 1..65535, would be right" },
	{ METRICS("\"token\":\"" TOKEN "\""), "f:3: metrics.token: unknown "
	    "key; did you mean \"backends[].token\"?" },
	/* who may see the dashboard */
	{ ADMIN("\"host\":\"0.0.0.0\""), "f:3: web_admin.host: \"0.0.0.0\" can"
	    " be reached by others, who could see and change everything; a "
	    "web_admin.token would ask them for it, 127.0.0.1 would keep them "
	    "out" },
	{ ADMIN("\"host\":\"[::]\",\"token\":null"), "f:3: web_admin.host: "
	    "\"::\" can be reached by others, who could see and change "
	    "everything; a web_admin.token would ask them for it, 127.0.0.1 "
	    "would keep them out" },
	{ WITH("\"open\":true,\"web_admin\":{\"host\":\"192.0.2.1\"}"),
	    "f:3: web_admin.host: \"192.0.2.1\" can be reached by others, who "
	    "could see and change everything; a web_admin.token would ask them"
	    " for it, 127.0.0.1 would keep them out" },
	{ ADMIN("\"token\":\"1234567\""), "f:3: web_admin.token: is shorter "
	    "than 8 characters; 8 visible ASCII characters at least would be "
	    "right" },
	{ ADMIN("\"token\":\"1234 5678\""), "f:3: web_admin.token: has a blank"
	    " or a character that is not ASCII in it; 8 visible ASCII "
	    "characters at least would be right" },
	{ ADMIN("\"host\":\"::\",\n\"token\":\"${EMPTY}\""), "f:4: web_admin."
	    "token: is empty; leave it out, or write 8 visible ASCII "
	    "characters at least" },
	{ ADMIN("\"host\":\"::\",\n\"token\":\"${NONE}\""), "f:4: web_admin."
	    "token: ${NONE} is not set in the environment; set it, or write "
	    "the value here" },
	{ ADMIN("\"token\":\"@/gone\""), "f:3: web_admin.token: \"@/gone\" "
	    "cannot be read: no such file; a file that holds nothing but the "
	    "secret would be right" },
	{ ADMIN("\"token\":7"), "f:3: web_admin.token: is a number; a string "
	    "(8 visible ASCII characters at least) would be right" },
	/* further names */
	{ ADMIN("\"hosts\":\"x\""), "f:3: web_admin.hosts: is a string; a list"
	    " would be right" },
	{ ADMIN("\"hosts\":[{}]"), "f:3: web_admin.hosts: is an object; a "
	    "string would be right" },
	{ ADMIN("\"hosts\":[\"\"]"), "f:3: web_admin.hosts: is empty; leave it"
	    " out, or write names or addresses" },
	{ ADMIN("\"hosts\":[\"ok\",\"*.x\"]"), "f:3: web_admin.hosts: \"*.x\" "
	    "is no host; its name or address alone would be right" },
	{ ADMIN("\"hosts\":[\"http://x\"]"), "f:3: web_admin.hosts: "
	    "\"http://x\" is no host; its name or address alone would be "
	    "right" },
	{ ADMIN("\"hosts\":[\"x:8081\"]"), "f:3: web_admin.hosts: \"x:8081\" "
	    "is no host; its name or address alone would be right" },
	{ ADMIN("\"hosts\":[\"[]\"]"), "f:3: web_admin.hosts: \"[]\" is no "
	    "host; its name or address alone would be right" },
	/* each needs a port of its own */
	{ ADMIN("\"port\":3456"), "f:3: web_admin.port: 3456 is port too; each"
	    " needs a port of its own" },
	{ METRICS("\"port\":8081"), "f:3: metrics.port: 8081 is web_admin.port"
	    " too; each needs a port of its own" },
	{ WITH("\"port\":9,\n\"metrics\":{\"host\":\"0.0.0.0\",\"port\":9}"),
	    "f:4: metrics.port: 9 is port too; each needs a port of its own" }
};

static void
test_faults(void)
{
	struct config *c;
	const char *got;
	size_t i, n;

	for (i = 0; i < sizeof one_fault / sizeof one_fault[0]; i++) {
		n = strlen(one_fault[i].fault);
		c = parse(one_fault[i].text);
		got = buf_cstr(&faults);
		T_OK(c == NULL && strncmp(got, one_fault[i].fault, n) == 0 &&
		    strcmp(got + n, "\n") == 0, "%s\nwant %s\ngot  %s",
		    one_fault[i].text, one_fault[i].fault, got);
		T_OK(strstr(got, TOKEN) == NULL, "%s", got);
		config_free(c);
	}
}

/* What is no fault; note: the one line, "" for none. */
static void
test_notes(void)
{
	static const struct {
		const char *text, *note;
	} rows[] = {
		{ ADMIN("\"enabled\":false,\"host\":\"0.0.0.0\""), "" },
		{ ADMIN("\"host\":\"127.8.8.8\""), "" },
		{ ADMIN("\"host\":\"192.0.2.1\",\"token\":\"" TOKEN "\""),
		    "" },
		{ ADMIN("\"host\":\"::\",\"token\":\"" TOKEN "\",\"hosts\":"
		    "[\"a\"]"), "" },
		{ ADMIN("\"host\":\"0.0.0.0\",\"token\":\"" TOKEN "\""), "f:3:"
		    " web_admin.host: is every address, of which only those of"
		    " this machine are served until web_admin.hosts has the "
		    "names or addresses that visitors write\n" },
		{ ADMIN("\"hosts\":[\"a\"]"), "f:3: web_admin.hosts: is not "
		    "used without web_admin.token\n" },
		{ METRICS("\"host\":\"0.0.0.0\""), "" },
		{ WITH("\"logging\":{\"log_request_body\":\"full\"}"),
		    "f:3: logging.log_request_body: is not used without "
		    "logging.log_directory\n" },
		{ WITH("\"logging\":{\"log_response_body\":\"truncated\"}"),
		    "f:3: logging.log_response_body: is not used without "
		    "logging.log_directory\n" },
		{ WITH("\"logging\":{\"log_response_body\":\"full\","
		    "\"log_request_body\":\"full\",\"log_directory\":\"r\"}"),
		    "" },
		/* a default port gives way */
		{ WITH("\"port\":8081"),
		    "web_admin.port: 8081 is port too: this page is off\n" },
		{ WITH("\"port\":9090"),
		    "metrics.port: 9090 is port too: this page is off\n" },
		{ ADMIN("\"port\":9090"), "metrics.port: 9090 is web_admin."
		    "port too: this page is off\n" },
		{ WITH("\"port\":8081,\"web_admin\":{\"enabled\":false}"), "" },
		{ WITH("\"port\":9,\"metrics\":{\"enabled\":false,\"port\":9}"
		    ), "" },
		{ WITH("\"port\":9,\"metrics\":{\"host\":\"::1\",\"port\":9}"),
		    "" }
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		config_free(good(rows[i].text));
		T_OK(strcmp(buf_cstr(&notes), rows[i].note) == 0,
		    "%s\nwant %s\ngot  %s", rows[i].text, rows[i].note,
		    buf_cstr(&notes));
	}
}

static void
test_defaults(void)
{
	static const char *const forms[] = { WITH(""), "[" ONE "]", NULL };
	struct config *c;
	size_t i;

	for (i = 0; i < 3; i++) {
		c = parse(forms[i]);
		T_OK(c != NULL && notes.len == 0, "%lu: %s%s",
		    (unsigned long)i, buf_cstr(&faults), buf_cstr(&notes));
		if (c == NULL)
			continue;
		T_OK(c->web_admin.enabled && c->web_admin.port == 8081 &&
		    str_is(c->web_admin.host, "127.0.0.1") &&
		    !c->web_admin.port_given && c->web_admin.token.p == NULL &&
		    c->web_admin.nhosts == 0, "%lu: dashboard",
		    (unsigned long)i);
		T_OK(c->metrics.enabled && c->metrics.port == 9090 &&
		    str_is(c->metrics.host, "127.0.0.1") &&
		    !c->metrics.port_given, "%lu: metrics", (unsigned long)i);
		T_OK(c->logging.directory.p == NULL, "%lu: records",
		    (unsigned long)i);
		T_OK(strstr(describe(c), "\nrecords: none\ndashboard: http://"
		    "127.0.0.1:8081/, for this machine only\nmetrics: http://"
		    "127.0.0.1:9090/metrics, for this machine only\n") != NULL,
		    "%s", buf_cstr(&out));
		config_free(c);
	}
}

static unsigned tokens, secrets;

static void
count(void *arg, struct str secret)
{
	(void)arg;
	secrets++;
	tokens += str_is(secret, TOKEN) ? 1u : 0;
}

static void
test_values(void)
{
	static const char *const ways[] = {
		"\"" TOKEN "\"", "\"${TOKEN}\"", "\"@/token\""
	};
	char text[512];
	struct config *c;
	const char *s;
	size_t i;

	for (i = 0; i < 3; i++) {
		snprintf(text, sizeof text, "{\"backends\":[" ONE "],"
		    "\"web_admin\":{\"host\":\"[::]\",\"port\":1,\"token\":%s,"
		    "\"hosts\":[\"Box.example\",\"[2001:db8::7]\","
		    "\"192.0.2.7\",\"my_box-2\"]},\"metrics\":{\"host\":"
		    "\"0.0.0.0\",\"port\":2},\"logging\":{\"log_directory\":"
		    "\"/x/" TOKEN "\",\"log_response_body\":\"full\"}}",
		    ways[i]);
		c = good(text);
		T_OK(str_is(c->web_admin.host, "::") &&
		    c->web_admin.port == 1 && c->web_admin.port_given &&
		    str_is(c->web_admin.token, TOKEN), "%s", text);
		T_OK(c->web_admin.nhosts == 4 &&
		    str_is(c->web_admin.hosts[0], "Box.example") &&
		    str_is(c->web_admin.hosts[1], "2001:db8::7") &&
		    str_is(c->web_admin.hosts[3], "my_box-2"), "hosts");
		T_OK(str_is(c->metrics.host, "0.0.0.0") &&
		    c->metrics.port == 2 && c->metrics.port_given, "metrics");
		tokens = secrets = 0;
		config_secrets(c, count, NULL);
		T_OK(tokens == 1 && secrets == 1, "%u of %u", tokens,
		    secrets);
		s = describe(c);
		T_OK(strstr(s, TOKEN) == NULL, "%s", s);
		T_OK(strstr(s, "\nrecords: in /x/****, 100 MB at most; bodies "
		    "of requests: none, of answers: full\ndashboard: http://"
		    "[::]:1/, with its token; also as Box.example, "
		    "2001:db8::7, 192.0.2.7, my_box-2\nmetrics: http://"
		    "0.0.0.0:2/metrics, for everyone who can reach it\n") !=
		    NULL, "%s", s);
		config_free(c);
	}
	c = good(WITH("\"web_admin\":{\"enabled\":false,\"host\":\"LocalHost\""
	    "},\"metrics\":{\"enabled\":false,\"host\":\"localhost\"}"));
	T_OK(!c->web_admin.enabled && !c->metrics.enabled &&
	    str_is(c->web_admin.host, "127.0.0.1") &&
	    str_is(c->metrics.host, "127.0.0.1"), "off");
	T_OK(strstr(describe(c), "\ndashboard: off\nmetrics: off\n") != NULL,
	    "%s", buf_cstr(&out));
	config_free(c);
	c = good(WITH("\"host\":\"0.0.0.0\",\"open\":true"));
	T_OK(c->open && str_is(c->host, "0.0.0.0"), "open");
	config_free(c);
	c = good(WITH("\"host\":\"localhost\""));
	T_OK(str_is(c->host, "127.0.0.1"), "%s", c->host.p);
	config_free(c);
}

/* Flag > variable > file > default. */
static void
test_ports(void)
{
	static const struct {
		const char *key, *variable, *file;
		int flag;
		int want, given;	/* 0: a fault */
	} rows[] = {
		{ "port", NULL, "", -1, 3456, 0 },
		{ "port", NULL, "\"port\":3456,", -1, 3456, 1 },
		{ "port", NULL, "\"port\":0,", -1, 3456, 0 },
		{ "port", NULL, "\"port\":81,", -1, 81, 1 },
		{ "port", "82", "\"port\":81,", -1, 82, 1 },
		{ "port", "82", "\"port\":81,", 83, 83, 1 },
		{ "port", "x", "", 83, 83, 1 },
		{ "port", "", "", 0, 3456, 0 },
		{ "port", "0", "", 0, 0, 0 },
		{ "port", "65536", "", 0, 0, 0 },
		{ "port", "sk-something-secret", "", 0, 0, 0 },
		{ "admin", NULL, "", -1, 8081, 0 },
		{ "admin", NULL, "\"web_admin\":{\"port\":81},", -1, 81, 1 },
		{ "admin", NULL, "\"web_admin\":{\"port\":8081},", -1, 8081,
		    1 },
		{ "admin", NULL, "\"web_admin\":{\"port\":81},", 82, 82, 1 },
		{ "admin", NULL, "", 82, 82, 1 },
		{ "metrics", NULL, "", -1, 9090, 0 },
		{ "metrics", NULL, "\"metrics\":{\"port\":81},", -1, 81, 1 },
		{ "metrics", "82", "\"metrics\":{\"port\":81},", -1, 82, 1 },
		{ "metrics", "82", "", -1, 82, 1 },
		{ "metrics", "", "", -1, 9090, 0 },
		{ "metrics", "-1", "", -1, 0, 0 },
		{ "metrics", "sk-some-secret-or-other", "", -1, 0, 0 }
	};
	char text[256];
	const char *var;
	struct config *c;
	size_t i;
	int admin, metrics, port, given;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		admin = strcmp(rows[i].key, "admin") == 0;
		metrics = strcmp(rows[i].key, "metrics") == 0;
		var = metrics ? "METRICS_PORT: " : "PROXY_PORT: ";
		proxy_port = metrics ? NULL : rows[i].variable;
		metrics_port = metrics ? rows[i].variable : NULL;
		snprintf(text, sizeof text, "{%s\"backends\":[%s]}",
		    rows[i].file, ONE);
		c = parse_with(text, admin ? -1 : rows[i].flag,
		    admin ? rows[i].flag : -1);
		proxy_port = metrics_port = NULL;
		if (rows[i].want == 0) {
			T_OK(c == NULL && strncmp(buf_cstr(&faults), var,
			    strlen(var)) == 0 && strstr(buf_cstr(&faults),
			    "secret") == NULL, "%s", buf_cstr(&faults));
			config_free(c);
			continue;
		}
		T_OK(c != NULL, "row %lu: %s", (unsigned long)i,
		    buf_cstr(&faults));
		if (c == NULL)
			continue;
		port = admin ? c->web_admin.port : metrics ?
		    c->metrics.port : c->port;
		given = admin ? c->web_admin.port_given : metrics ?
		    c->metrics.port_given : c->port_given;
		T_OK(port == rows[i].want && given == rows[i].given,
		    "row %lu: %d %d", (unsigned long)i, port, given);
		config_free(c);
	}
}

/* Flags and variables hold in every form, and their clashes name them. */
static void
test_forms(void)
{
	static const char *const forms[] = { WITH(""), "[" ONE "]", NULL };
	struct config *c;
	size_t i;

	for (i = 0; i < 3; i++) {
		metrics_port = "78";
		c = parse_with(forms[i], -1, 77);
		T_OK(c != NULL && c->web_admin.port == 77 &&
		    c->web_admin.port_given && c->metrics.port == 78 &&
		    c->metrics.port_given, "%s", buf_cstr(&faults));
		config_free(c);
		metrics_port = "77";
		c = parse_with(forms[i], -1, 77);
		T_OK(c == NULL && strcmp(buf_cstr(&faults), "METRICS_PORT: 77 "
		    "is web_admin.port too; each needs a port of its own\n") ==
		    0, "%s", buf_cstr(&faults));
		config_free(c);
		metrics_port = NULL;
		c = parse_with(forms[i], 77, 77);
		T_OK(c == NULL && strcmp(buf_cstr(&faults), "--admin-port: 77 "
		    "is port too; each needs a port of its own\n") == 0, "%s",
		    buf_cstr(&faults));
		config_free(c);
	}
}

int
main(void)
{
	buf_init(&faults, 1 << 20);
	buf_init(&notes, 1 << 20);
	buf_init(&out, 1 << 20);
	test_defaults();
	test_values();
	test_faults();
	test_notes();
	test_ports();
	test_forms();
	buf_free(&faults);
	buf_free(&notes);
	buf_free(&out);
	return t_end();
}
