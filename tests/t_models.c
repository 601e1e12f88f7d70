#include <string.h>

#include "dialect/models.h"
#include "json.h"
#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])
#define A DIALECT_ANTHROPIC
#define O DIALECT_OPENAI
#define G DIALECT_GEMINI

#define METHODS "\"supportedGenerationMethods\":[\"generateContent\"," \
	"\"streamGenerateContent\",\"countTokens\"]"

/* One list read and written in all three shapes. */
static const struct {
	enum dialect d;
	const char *body, *a, *o, *g;
} lists[] = {
	{ A, "{\"data\":[{\"type\":\"model\",\"id\":\"claude-x\","
	    "\"display_name\":\"X\",\"created_at\":"
	    "\"2024-02-29T23:59:59Z\",\"max_input_tokens\":200000,"
	    "\"max_tokens\":64000}],\"has_more\":false}",
	    "{\"data\":[{\"type\":\"model\",\"id\":\"claude-x\","
	    "\"display_name\":\"X\",\"created_at\":"
	    "\"2024-02-29T23:59:59Z\"}],\"has_more\":false,"
	    "\"first_id\":\"claude-x\",\"last_id\":\"claude-x\"}",
	    "{\"object\":\"list\",\"data\":[{\"id\":\"claude-x\","
	    "\"object\":\"model\",\"created\":1709251199,"
	    "\"owned_by\":\"anthropic\"}]}",
	    "{\"models\":[{\"name\":\"models/claude-x\","
	    "\"displayName\":\"X\",\"inputTokenLimit\":200000,"
	    "\"outputTokenLimit\":64000," METHODS "}]}" },
	{ O, "{\"object\":\"list\",\"data\":[{\"id\":\"a\\\"\\u00e9\","
	    "\"created\":86399,\"owned_by\":\"me\"},{\"id\":\"b\"}]}",
	    "{\"data\":[{\"type\":\"model\",\"id\":\"a\\\"\xc3\xa9\","
	    "\"display_name\":\"a\\\"\xc3\xa9\",\"created_at\":"
	    "\"1970-01-01T23:59:59Z\"},{\"type\":\"model\",\"id\":\"b\","
	    "\"display_name\":\"b\",\"created_at\":"
	    "\"1970-01-01T00:00:00Z\"}],\"has_more\":false,"
	    "\"first_id\":\"a\\\"\xc3\xa9\",\"last_id\":\"b\"}",
	    "{\"object\":\"list\",\"data\":[{\"id\":\"a\\\"\xc3\xa9\","
	    "\"object\":\"model\",\"created\":86399,\"owned_by\":\"me\"},"
	    "{\"id\":\"b\",\"object\":\"model\",\"created\":0,"
	    "\"owned_by\":\"unknown\"}]}",
	    "{\"models\":[{\"name\":\"models/a\\\"\xc3\xa9\","
	    "\"displayName\":\"a\\\"\xc3\xa9\"," METHODS "},"
	    "{\"name\":\"models/b\",\"displayName\":\"b\"," METHODS
	    "}]}" },
	{ G, "{\"models\":[{\"name\":\"models/g\",\"displayName\":\"G\","
	    "\"inputTokenLimit\":7,\"outputTokenLimit\":\"8\"},"
	    "{\"name\":\"g\"},{\"name\":\"models/\"},{\"name\":5},3,"
	    "null]}",
	    "{\"data\":[{\"type\":\"model\",\"id\":\"g\","
	    "\"display_name\":\"G\",\"created_at\":"
	    "\"1970-01-01T00:00:00Z\"}],\"has_more\":false,"
	    "\"first_id\":\"g\",\"last_id\":\"g\"}",
	    "{\"object\":\"list\",\"data\":[{\"id\":\"g\","
	    "\"object\":\"model\",\"created\":0,\"owned_by\":\"google\"}]}",
	    "{\"models\":[{\"name\":\"models/g\",\"displayName\":\"G\","
	    "\"inputTokenLimit\":7," METHODS "}]}" },
	{ A, "{\"data\":[]}",
	    "{\"data\":[],\"has_more\":false,\"first_id\":null,"
	    "\"last_id\":null}",
	    "{\"object\":\"list\",\"data\":[]}", "{\"models\":[]}" }
};

static void
list_is(const struct models *m, enum dialect d, const char *want)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	T_OK(models_write(&b, m, d) == 0, "%s", want);
	T_OK(str_is(buf_str(&b), want), "%.*s, want %s", (int)b.len,
	    buf_str(&b).p, want);
	buf_free(&b);
	buf_init(&b, strlen(want) - 1);
	T_OK(models_write(&b, m, d) == -1, "%s", want);
	buf_free(&b);
}

static void
test_lists(void)
{
	struct models m;
	struct arena a;
	size_t i;

	for (i = 0; i < N(lists); i++) {
		memset(&m, 0, sizeof m);
		arena_init(&a, 1 << 20);
		m.arena = &a;
		T_OK(models_read(&m, lists[i].d, str_of(lists[i].body)) ==
		    (int)m.n, "%s", lists[i].body);
		list_is(&m, A, lists[i].a);
		list_is(&m, O, lists[i].o);
		list_is(&m, G, lists[i].g);
		arena_free(&a);
	}
}

static void
test_none(void)
{
	static const char *const none[] = {
		"", "[]", "{}", "null", "{\"data\":{}}", "{\"data\":null}",
		"{\"data\":[}", "<html>", "{\"models\":[]}"
	};
	struct models m;
	struct arena a;
	size_t i;

	memset(&m, 0, sizeof m);
	arena_init(&a, 1 << 20);
	m.arena = &a;
	for (i = 0; i < N(none); i++)
		T_OK(models_read(&m, O, str_of(none[i])) == -1, "%s",
		    none[i]);
	T_OK(models_read(&m, G, str_of("{\"data\":[]}")) == -1, "data");
	T_OK(m.n == 0 && m.first == NULL, "%u", m.n);
	arena_free(&a);
}

/* Lists of several APIs in one; the first of a name stays. */
static void
test_merge(void)
{
	struct models m;
	struct arena a;
	struct buf b;

	memset(&m, 0, sizeof m);
	arena_init(&a, 1 << 20);
	m.arena = &a;
	T_OK(models_add(&m, str_of("models/x"), "me") == 1, "add");
	T_OK(models_add(&m, str_of("x"), NULL) == 0, "again");
	T_OK(models_add(&m, str_of(""), NULL) == 0, "empty");
	T_OK(models_read(&m, G, str_of("{\"models\":[{\"name\":"
	    "\"models/x\",\"displayName\":\"No\"},{\"name\":\"models/y\"}"
	    "]}")) == 1, "gemini");
	T_OK(models_read(&m, O, str_of("{\"data\":[{\"id\":\"y\"},{\"id\":"
	    "\"z\"}]}")) == 1, "openai");
	T_OK(m.n == 3, "%u", m.n);
	list_is(&m, O, "{\"object\":\"list\",\"data\":[{\"id\":\"x\","
	    "\"object\":\"model\",\"created\":0,\"owned_by\":\"me\"},"
	    "{\"id\":\"y\",\"object\":\"model\",\"created\":0,"
	    "\"owned_by\":\"google\"},{\"id\":\"z\",\"object\":\"model\","
	    "\"created\":0,\"owned_by\":\"unknown\"}]}");
	buf_init(&b, 1 << 20);
	T_OK(models_write_one(&b, &m, G, str_of("models/z")) == 0, "z");
	T_OK(str_is(buf_str(&b), "{\"name\":\"models/z\",\"displayName\":"
	    "\"z\"," METHODS "}"), "%.*s", (int)b.len, buf_str(&b).p);
	buf_clear(&b);
	T_OK(models_write_one(&b, &m, A, str_of("x")) == 0 && b.len > 0,
	    "x");
	buf_clear(&b);
	T_OK(models_write_one(&b, &m, A, str_of("Z")) == -1 && b.len == 0,
	    "not there");
	buf_free(&b);
	arena_free(&a);
}

static void
test_times(void)
{
	static const struct {
		const char *created, *want;
	} times[] = {
		{ "1715367049", "2024-05-10T18:50:49Z" },
		{ "0", "1970-01-01T00:00:00Z" },
		{ "951782400", "2000-02-29T00:00:00Z" },
		{ "951868799", "2000-02-29T23:59:59Z" },
		{ "951868800", "2000-03-01T00:00:00Z" },
		{ "1735689599", "2024-12-31T23:59:59Z" },
		{ "1735689600", "2025-01-01T00:00:00Z" },
		{ "253402300799", "9999-12-31T23:59:59Z" },
		{ "253402300800", "1970-01-01T00:00:00Z" },
		{ "99999999999999999999", "1970-01-01T00:00:00Z" },
		{ "-5", "1970-01-01T00:00:00Z" },
		{ "\"1\"", "1970-01-01T00:00:00Z" }
	};
	struct json_value v;
	struct models m;
	struct arena a;
	struct buf in, out;
	size_t i;

	for (i = 0; i < N(times); i++) {
		memset(&m, 0, sizeof m);
		arena_init(&a, 1 << 20);
		m.arena = &a;
		buf_init(&in, 1000);
		buf_init(&out, 1000);
		buf_fmt(&in, "{\"data\":[{\"id\":\"m\",\"created\":%s}]}",
		    times[i].created);
		T_OK(models_read(&m, O, buf_str(&in)) == 1, "%s",
		    times[i].created);
		models_write(&out, &m, A);
		T_OK(json_get(buf_str(&out), "data.0.created_at", &v) == 0 &&
		    json_string_is(v.raw, times[i].want), "%s: %.*s",
		    times[i].want, (int)v.raw.n, v.raw.p);
		buf_free(&in);
		buf_free(&out);
		arena_free(&a);
	}
}

/* A list without end stops at the maximum; no memory is no crash. */
static void
test_limits(void)
{
	struct models m;
	struct arena a;
	char name[16];
	size_t max;
	unsigned i;

	memset(&m, 0, sizeof m);
	arena_init(&a, 4 << 20);
	m.arena = &a;
	for (i = 0; i < MODELS_MAX + 5; i++) {
		snprintf(name, sizeof name, "m%u", i);
		models_add(&m, str_of(name), NULL);
	}
	T_OK(m.n == MODELS_MAX, "%u", m.n);
	arena_free(&a);
	for (max = 0; max < 2000; max += 16) {
		memset(&m, 0, sizeof m);
		arena_init(&a, max);
		m.arena = &a;
		T_OK(models_read(&m, G, str_of(lists[2].body)) <= 1, "%lu",
		    (unsigned long)max);
		arena_free(&a);
	}
}

int
main(void)
{
	test_lists();
	test_none();
	test_merge();
	test_times();
	test_limits();
	return t_end();
}
