/*
 * The input is a text: the tree must say what the tokenizer says, and what
 * is made of its values and strings must mean the same as they do.
 */

#include "dialect/text.h"
#include "wire/json_tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ROOM ((size_t)1 << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* Text and plain, there and back. */
static void
check_string(struct arena *a, struct str raw)
{
	struct str text = str_n(raw.p + 1, raw.n - 2), plain, again, end;
	struct buf b;
	size_t points = 0, i;

	plain = text_plain(a, text);
	buf_init(&b, ROOM);
	must(json_unescape(&b, raw) == 0 && str_eq(buf_str(&b), plain));
	for (i = 0; i < plain.n; i++)
		points += ((unsigned char)plain.p[i] & 0xc0) != 0x80;
	must(text_points(text) == points);
	again = text_plain(a, text_of(a, plain));
	must(str_eq(text_plain(a, text_of(a, again)), again));
	end = text_rtrim(text);
	must(text_blank(str_n(text.p + end.n, text.n - end.n)));
	must(text_blank(text) == (end.n == 0));
	must(text_rtrim(end).n == end.n);
	buf_clear(&b);
	must(text_write(&b, text) == 0);
	must(json_valid(buf_str(&b), NULL, NULL));
	must(str_eq(text_plain(a, str_n(buf_str(&b).p + 1, b.len - 2)),
	    plain));
	buf_free(&b);
}

/* ARG-2 and ARG-1 undo each other. */
static void
check_arguments(struct arena *a, const struct node *n)
{
	struct str text, object, raw = tree_get_text(n, "_raw");
	struct buf b, c;
	int repaired;

	if (n->type != JSON_OBJECT || (raw.p != NULL && text_blank(raw)))
		return;
	text = text_from_object(a, n->raw);
	object = text_to_object(a, text, &repaired);
	must(text_is_object(object) && repaired <= (raw.p != NULL));
	buf_init(&b, ROOM);
	buf_init(&c, ROOM);
	must(text_canon(&b, n->raw) == 0 && text_canon(&c, object) == 0);
	must(str_eq(buf_str(&b), buf_str(&c)));
	buf_free(&b);
	buf_free(&c);
}

/* All nodes below n; returns how many. */
static size_t
check_nodes(struct arena *a, const struct node *n)
{
	const struct node *m;
	const char *at = n->raw.p + 1;
	size_t count = 1;

	must(n->raw.n > 0);
	if (n->type == JSON_STRING)
		check_string(a, n->raw);
	if (n->type != JSON_OBJECT && n->type != JSON_ARRAY)
		must(n->child == NULL);
	for (m = n->child; m != NULL; m = m->next) {
		must((m->key.p != NULL) == (n->type == JSON_OBJECT));
		must(m->key.p == NULL || (m->key.p > at &&
		    m->key.p + m->key.n < m->raw.p));
		must(m->raw.p >= at);
		at = m->raw.p + m->raw.n;
		must(at < n->raw.p + n->raw.n);
		count += check_nodes(a, m);
	}
	return count;
}

static void
check_canon(struct arena *a, const struct node *n, size_t count)
{
	struct buf b, c, d;
	struct node *again;

	buf_init(&b, ROOM);
	buf_init(&c, ROOM);
	buf_init(&d, ROOM);
	must(text_canon(&b, n->raw) == 0);
	must(text_canon(&c, buf_str(&b)) == 0);
	must(str_eq(buf_str(&b), buf_str(&c)));
	again = tree_parse(a, buf_str(&b));
	must(again != NULL && check_nodes(a, again) == count);
	must(text_nest(&d, n->raw) == 0);
	must(str_eq(text_plain(a, buf_str(&d)), buf_str(&b)));
	buf_free(&b);
	buf_free(&c);
	buf_free(&d);
}

static void
check_members(const struct node *n, struct str s)
{
	static const char *const names[] = { "a", "model", "" };
	struct json_value v[3];
	const struct node *m;
	size_t i;

	if (json_members(s, names, v, 3, NULL, NULL) == -1) {
		must(n == NULL || n->type != JSON_OBJECT);
		return;
	}
	for (i = 0; i < 3; i++) {
		m = tree_find(n, names[i]);
		must((m != NULL) == (v[i].type != JSON_END));
		must(m == NULL || (m->type == v[i].type &&
		    m->raw.p == v[i].raw.p && m->raw.n == v[i].raw.n));
		must(m == NULL || tree_key_is(m, names[i]));
	}
}

static void
check_base64(struct arena *a, struct str s)
{
	struct str t;

	t = text_base64_decode(a, text_base64_encode(a, s));
	must(t.p != NULL && str_eq(t, s));
	t = text_base64_decode(a, text_base64_encode_url(a, s));
	must(t.p != NULL && str_eq(t, s));
	t = text_base64_decode(a, s);
	if (t.p != NULL)
		must(text_base64_encode(a, t).n == (s.n + 3) / 4 * 4);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_n((const char *)data, size), t;
	struct arena a;
	struct node *n;
	struct buf b;
	int repaired;

	arena_init(&a, size);
	n = tree_parse(&a, s);
	must(n == NULL || json_valid(s, NULL, NULL));
	must(n != NULL || a.bad || !json_valid(s, NULL, NULL));
	arena_free(&a);
	arena_init(&a, ROOM);
	n = tree_parse(&a, s);
	must(!a.bad && (n != NULL) == json_valid(s, NULL, NULL));
	check_members(n, s);
	if (n != NULL) {
		check_canon(&a, n, check_nodes(&a, n));
		check_arguments(&a, n);
	} else {
		buf_init(&b, ROOM);
		must(text_canon(&b, s) == -1 && b.len == 0 && !b.bad);
		t = text_from_object(&a, s);
		must(t.p == NULL);
		buf_free(&b);
	}
	t = text_plain(&a, text_of(&a, s));
	must(str_eq(text_plain(&a, text_of(&a, t)), t));
	t = text_to_object(&a, text_of(&a, s), &repaired);
	must(text_is_object(t));
	text_plain(&a, s);
	text_rtrim(s);
	must(text_points(s) <= size);
	check_base64(&a, s);
	must(!a.bad);
	arena_free(&a);
	must(buf_live() == 0);
	return 0;
}
