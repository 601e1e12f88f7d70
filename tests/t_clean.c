/* Requests that stay in their API: Responses, and signatures for Gemini. */
#include "dialect/gemini_sign.h"
#include "dialect/responses_clean.h"

#include <string.h>

#include "tests/t.h"

#define N(a) (sizeof (a) / sizeof (a)[0])

/* What is there, and what becomes of it; NULL: it stays. */
struct row {
	const char *in, *out;
};

#define IN(items) "{\"model\":\"m\", \"input\": [" items "], \"x\":1}"
#define SAID "{\"type\":\"message\",\"content\":\"a\"}"
#define NATIVE "{\"type\":\"reasoning\",\"id\":\"rs_68af\"," \
    "\"encrypted_content\":\"gAAAAB\"}"
#define STORED "{\"type\":\"reasoning\",\"id\":\"rs_68af_x\"}"
#define SEALED "{\"type\":\"reasoning\",\"id\":\"rs_1_0\"," \
    "\"encrypted_content\":\"eGwxLmEudC5VMGM9\"}"
#define SPENT "{\"type\":\"reasoning\",\"encrypted_content\":\"xl1.o\"}"
#define OURS "{\"id\":\"rs_01\\u005f12\",\"summary\":[]," \
    "\"encrypted_content\":null,\"type\":\"reasoning\"}"
#define BARE "{\"type\":\"reasoning\",\"summary\":[]}"
#define CALL(id) "{\"type\":\"function_call\",\"call_id\":\"" id "\"," \
    "\"name\":\"f\"}"
#define GOT(id) "{\"type\":\"function_call_output\",\"output\":\"reasoning\"" \
    ",\"call_id\": \"" id "\"}"
#define LONG "0123456789012345678901234567890123456789x"

static const struct row items[] = {
	{ "", NULL },
	{ "{", NULL },
	{ "[\"reasoning\"]", NULL },
	{ "{\"input\":\"reasoning\",\"a\":\"reasoning\"}", NULL },
	{ "{\"reasoning\":{\"effort\":\"low\"},\"input\":[" SAID "]}", NULL },
	{ "{\"reasoning\" : {\"effort\":\"low\"},\"input\":[" BARE "]}",
	    "{\"reasoning\" : {\"effort\":\"low\"},\"input\":[]}" },
	{ IN(NATIVE "," SAID), NULL },
	{ IN(STORED), NULL },
	{ IN(SEALED), IN("") },
	{ IN(SEALED " , " SPENT), IN("") },
	{ IN(SEALED " , " SAID), IN(SAID) },
	{ IN(SAID " , " OURS " "), IN(SAID " ") },
	{ IN(SAID "," BARE "," SPENT "," NATIVE), IN(SAID "," NATIVE) },
	{ IN(BARE "," NATIVE "," OURS "," SAID "," SEALED),
	    IN(NATIVE "," SAID) },
	{ IN(CALL("call_1") "," GOT("call_1")), NULL },
	{ IN(CALL(LONG) "," GOT(LONG)), NULL },
	{ IN(CALL("a__ts_") "," GOT("__ts_QUJD")), NULL },
	{ IN(CALL("a__ts_QUJD") "," GOT("a__ts_QUJD")),
	    IN(CALL("a") "," GOT("a")) },
	{ IN(OURS "," CALL("a\\\"__ts_QUJD") "," SPENT),
	    IN(CALL("a\\\"")) },
	{ IN(CALL(LONG "__ts_QUJD")), IN(CALL("call_fe43f054e9512497")) }
};

#define SKIP "\"thoughtSignature\":\"skip_thought_signature_validator\","
#define HEARS(parts) "{\"role\":\"user\",\"parts\":[" parts "]}"
#define SAYS(parts) "{\"role\":\"model\",\"parts\":[" parts "]}"
#define BODY(list) "{\"contents\": [" list " ],\"tools\":[]}"
#define USE "\"functionCall\":{\"name\":\"f\"}"
#define ANSWER "{\"functionResponse\":{\"name\":\"f\"}}"

static const struct row turns[] = {
	{ "", NULL },
	{ "functionCall", NULL },
	{ "{\"contents\":\"functionCall\"}", NULL },
	{ BODY(HEARS("{\"text\":\"functionCall\"}")), NULL },
	{ BODY(SAYS("{" USE ",\"thoughtSignature\":\"A\"},{" USE "}")),
	    NULL },
	{ BODY(SAYS("{\"thought_signature\":\"A\"," USE "}")), NULL },
	{ BODY(SAYS("{\"text\":\"a\"},{ " USE "},{" USE "}")),
	    BODY(SAYS("{\"text\":\"a\"},{" SKIP " " USE "},{" USE "}")) },
	/* one turn in three pieces, then another */
	{ BODY(SAYS("{\"text\":\"a\"}") "," SAYS("{" USE "}") ","
	    SAYS("{" USE "}") "," HEARS(ANSWER "," ANSWER) ","
	    SAYS("{" USE "}")),
	    BODY(SAYS("{\"text\":\"a\"}") "," SAYS("{" SKIP USE "}") ","
	    SAYS("{" USE "}") "," HEARS(ANSWER "," ANSWER) ","
	    SAYS("{" SKIP USE "}")) },
	{ "{\"generate_content_request\":" BODY(
	    SAYS("{\"function_call\":{}}")) "}",
	    "{\"generate_content_request\":" BODY(
	    SAYS("{" SKIP "\"function_call\":{}}")) "}" },
	{ "{\"contents\":[1,{\"role\":\"model\"},{\"role\":\"model\","
	    "\"parts\":{" USE "}}]}", NULL }
};

static int
clean(struct buf *out, struct arena *a, const char *in)
{
	return responses_clean(out, a, str_of(in), str_of("claude-x"));
}

static int
sign(struct buf *out, struct arena *a, const char *in)
{
	return gemini_sign(out, a, str_of(in));
}

static void
test_rows(const struct row *rows, size_t n,
    int (*fn)(struct buf *, struct arena *, const char *))
{
	struct arena a;
	struct buf out, again;
	size_t i;
	int rc;

	arena_init(&a, 1 << 20);
	buf_init(&out, 1 << 20);
	buf_init(&again, 1 << 20);
	for (i = 0; i < n; i++) {
		rc = fn(&out, &a, rows[i].in);
		T_OK(rc == (rows[i].out != NULL), "%s: %d", rows[i].in, rc);
		T_OK(str_is(buf_str(&out), rc == 1 ? rows[i].out : ""),
		    "%s: %s", rows[i].in, buf_cstr(&out));
		if (rc == 1)
			T_OK(fn(&again, &a, buf_cstr(&out)) == 0,
			    "%s: not clean yet", rows[i].in);
		buf_clear(&out);
		arena_reset(&a);
	}
	arena_free(&a);
	buf_free(&again);
	buf_free(&out);
}

static void
test_memory(void)
{
	struct arena a;
	struct buf out;

	arena_init(&a, 64);
	buf_init(&out, 1 << 20);
	T_OK(clean(&out, &a, IN(SEALED)) == -1, "tree");
	arena_free(&a);
	arena_init(&a, 64);
	T_OK(sign(&out, &a, BODY(SAYS("{" USE "}"))) == -1, "tree");
	arena_free(&a);
	buf_free(&out);
	arena_init(&a, 1 << 20);
	buf_init(&out, 20);
	T_OK(clean(&out, &a, IN(SEALED "," SAID)) == -1, "text");
	buf_free(&out);
	buf_init(&out, 20);
	T_OK(sign(&out, &a, BODY(SAYS("{" USE "}"))) == -1, "text");
	buf_free(&out);
	arena_free(&a);
}

int
main(void)
{
	test_rows(items, N(items), clean);
	test_rows(turns, N(turns), sign);
	test_memory();
	return t_end();
}
