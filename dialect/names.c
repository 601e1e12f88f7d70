#include "dialect/names.h"

#include <string.h>

#define CARRIER "__ts_"
#define MARK "xl1."
#define SEALED "eGwxLmEu"	/* base64 of "xl1.a.": no more, no less */

enum {
	NAME_MAX_LEN = 64,	/* of a tool at every vendor */
	NAME_KEEP = 55,		/* of it before '_' and 8 digits */
	CALL_ID_MAX = 40,	/* at OpenAI */
	RANDOM_LEN = 24
};

enum { BY_NAME, BY_SENT };

static int
is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

static int
is_word(unsigned char c)
{
	return is_alnum(c) || c == '_' || c == '-';
}

/* 1 if a backend takes c in the name of a tool. */
static int
is_taken(unsigned char c, enum dialect d)
{
	return is_word(c) || d == DIALECT_ANY ||
	    (d == DIALECT_GEMINI && (c == '.' || c == ':'));
}

/* Length of the UTF-8 character at s (n > 0); 1 for a stray byte. */
static size_t
char_len(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
	size_t n = 1;

	while (n < want && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* A prefix and n further bytes, zeroed; *tail: where those begin. */
static struct str
make(struct arena *a, struct str prefix, size_t n, char **tail)
{
	char *p = arena_alloc(a, prefix.n + n + 1);

	*tail = NULL;
	if (p == NULL)
		return str_n(NULL, 0);
	if (prefix.n > 0)
		memcpy(p, prefix.p, prefix.n);
	*tail = p + prefix.n;
	return str_n(p, prefix.n + n);
}

/*
 * s with each character that a backend refuses as '_', which is to say one
 * for a whole character of UTF-8; s itself if there is none.
 */
static struct str
replace(struct arena *a, struct str s, enum dialect d)
{
	struct str out;
	size_t i = 0, n = 0;
	char *at;

	while (i < s.n && is_taken((unsigned char)s.p[i], d))
		i++;
	if (i == s.n)
		return s;
	out = make(a, str_n(NULL, 0), s.n, &at);
	if (at == NULL)
		return out;
	for (i = 0; i < s.n; n++) {
		if (is_taken((unsigned char)s.p[i], d)) {
			at[n] = s.p[i++];
			continue;
		}
		at[n] = '_';
		i += char_len(str_n(s.p + i, s.n - i));
	}
	out.n = n;
	return out;
}

/* start, '_' and 8 digits that stand for the whole of s. */
static struct str
hashed(struct arena *a, struct str start, struct str s)
{
	struct str out;
	char hex[9], *at;

	out = make(a, start, 9, &at);
	if (at == NULL)
		return out;
	text_fnv32(hex, s);
	at[0] = '_';
	memcpy(at + 1, hex, 8);
	return out;
}

static struct str
head(struct str s, size_t n)
{
	return str_n(s.p, s.n < n ? s.n : n);
}

/* N-1, shape(). */
static struct str
shape(struct arena *a, struct str name, enum dialect d)
{
	struct str s = replace(a, name, d);
	char *at;

	if (d == DIALECT_ANY || a->bad)
		return s;
	if (s.n == 0)
		return str_of("_");
	if (d == DIALECT_GEMINI && s.p[0] != '_' &&
	    (!is_alnum((unsigned char)s.p[0]) || s.p[0] <= '9')) {
		struct str long_one = make(a, str_of("_"), s.n, &at);

		if (at == NULL)
			return long_one;
		memcpy(at, s.p, s.n);
		s = long_one;
	}
	if (s.n > NAME_MAX_LEN)
		s = hashed(a, head(s, NAME_KEEP), name);
	return s;
}

/*
 * The place in a tree where a key is, or is to be.  Hashes decide the way
 * down, so that a history of many names costs no more than a few steps each.
 */
static struct name **
place(struct names *n, int tree, struct str key)
{
	uint64_t h = util_hash(key.p, key.n) * 0x9e3779b97f4a7c15u;
	struct name **at = &n->root[tree];

	while (*at != NULL && !str_eq(tree == BY_NAME ? (*at)->name :
	    (*at)->sent, key)) {
		at = &(*at)->kid[tree][h >> 63];
		h <<= 1;
	}
	return at;
}

/* What a name is sent as; *end: where the list of names goes on. */
static struct str
map(struct names *n, struct name ***end, struct arena *a, struct str name,
    int custom, enum dialect d)
{
	struct name **by_name = place(n, BY_NAME, name), **by_sent, *made;
	struct str sent;

	if (*by_name != NULL)
		return (*by_name)->sent;
	sent = shape(a, name, d);
	by_sent = place(n, BY_SENT, sent);
	if (*by_sent != NULL) {
		sent = hashed(a, head(sent, NAME_KEEP), name);
		by_sent = place(n, BY_SENT, sent);
	}
	made = arena_alloc(a, sizeof *made);
	if (made == NULL)
		return str_n(NULL, 0);
	made->name = name;
	made->sent = sent;
	made->custom = custom != 0;
	*by_name = made;
	if (*by_sent == NULL)
		*by_sent = made;
	**end = made;
	*end = &made->next;
	return sent;
}

int
names_map(struct names *n, struct msg_request *r, enum dialect d)
{
	struct name **end = &n->first;
	struct msg_turn *t;
	struct msg_tool *tool;
	struct msg_part *p;

	memset(n, 0, sizeof *n);
	for (tool = r->tools; tool != NULL; tool = tool->next)
		tool->sent = map(n, &end, r->arena, tool->name,
		    tool->custom, d);
	for (t = r->turns; t != NULL; t = t->next)
		for (p = t->parts; p != NULL; p = p->next)
			if (p->kind == MSG_CALL ||
			    (p->kind == MSG_RESULT && p->name.p != NULL))
				p->sent = map(n, &end, r->arena, p->name,
				    p->custom, d);
	if (r->choice == MSG_CHOICE_TOOL)
		r->choice_sent = map(n, &end, r->arena, r->choice_name, 0, d);
	return r->arena->bad ? -1 : 0;
}

/* The one name that differs from sent in nothing but case; NULL. */
static const struct name *
find_case(const struct names *n, struct str sent)
{
	const struct name *it, *found = NULL;

	for (it = n->first; it != NULL; it = it->next) {
		if (!str_caseeq(it->sent, sent))
			continue;
		if (found != NULL)
			return NULL;
		found = it;
	}
	return found;
}

static const struct name *
find(const struct names *n, struct str sent)
{
	const struct name *it;

	for (it = n->first; it != NULL; it = it->next)
		if (str_eq(it->sent, sent))
			return it;
	return NULL;
}

struct str
names_back(const struct names *n, struct str sent, int *custom)
{
	static const char api[] = "default_api";
	const size_t skip = sizeof api;		/* and a ':' or '.' */
	struct str bare = sent;
	const struct name *it = find(n, sent);

	if (it == NULL && sent.n > skip && str_starts(sent, api) &&
	    (sent.p[skip - 1] == ':' || sent.p[skip - 1] == '.')) {
		bare = str_n(sent.p + skip, sent.n - skip);
		it = find(n, bare);
	}
	if (it == NULL)
		it = find_case(n, sent);
	if (it == NULL)
		it = find_case(n, bare);
	*custom = it != NULL && it->custom;
	return it == NULL ? sent : it->name;
}

struct str
names_id(struct arena *a, struct str id, enum dialect d)
{
	struct str out;
	char *at, hex[17];

	switch (d) {
	case DIALECT_ANTHROPIC:
		out = replace(a, id, d);
		if (out.p != id.p && !a->bad)
			out = hashed(a, out, id);
		return out;
	case DIALECT_OPENAI:
		if (id.n <= CALL_ID_MAX)
			return id;
		out = make(a, str_of("call_"), 16, &at);
		if (at == NULL)
			return out;
		text_fnv64(hex, id);
		memcpy(at, hex, 16);
		return out;
	case DIALECT_GEMINI:
	case DIALECT_ANY:
		break;
	}
	return id;
}

int
names_ids(struct msg_request *r, enum dialect d)
{
	struct msg_turn *t;
	struct msg_part *p;

	for (t = r->turns; t != NULL; t = t->next)
		for (p = t->parts; p != NULL; p = p->next)
			if (p->kind == MSG_CALL || p->kind == MSG_RESULT)
				p->id = names_id(r->arena, p->id, d);
	return r->arena->bad ? -1 : 0;
}

/* The offset behind the last CARRIER in id; 0: there is none. */
static size_t
carrier(struct str id)
{
	const size_t n = sizeof CARRIER - 1;
	size_t i;

	for (i = id.n; i >= n; i--)
		if (memcmp(id.p + i - n, CARRIER, n) == 0)
			return i;
	return 0;
}

struct str
names_split(struct arena *a, struct str id, struct str *signature)
{
	size_t at = carrier(id), i;
	struct str code, inside;

	*signature = str_n(NULL, 0);
	/* What carries nothing, or has no base, is an id of its own. */
	if (at < sizeof CARRIER || at == id.n)
		return id;
	code = str_n(id.p + at, id.n - at);
	for (i = 0; i < code.n; i++)
		if (!is_word((unsigned char)code.p[i]))
			return id;
	inside = text_base64_decode(a, code);
	if (inside.p == NULL || !str_eq(text_base64_encode_url(a, inside),
	    code))
		return id;
	*signature = inside;
	return str_n(id.p, at - (sizeof CARRIER - 1));
}

struct str
names_carry(struct arena *a, struct str base, struct str signature)
{
	const size_t n = sizeof CARRIER - 1;
	struct str code, out;
	char *at;

	if (signature.n == 0)
		return base;
	code = text_base64_encode_url(a, signature);
	if (code.p == NULL)
		return code;
	out = make(a, base, n + code.n, &at);
	if (at == NULL)
		return out;
	memcpy(at, CARRIER, n);
	memcpy(at + n, code.p, code.n);
	return out;
}

/* A prefix and RANDOM_LEN characters of [A-Za-z0-9]. */
static struct str
invent(struct arena *a, const char *prefix, uint64_t *random)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789";
	struct str out;
	size_t i;
	char *at;

	out = make(a, str_of(prefix), RANDOM_LEN, &at);
	if (at == NULL)
		return out;
	for (i = 0; i < RANDOM_LEN; i++)
		at[i] = set[util_random(random) % (sizeof set - 1)];
	return out;
}

struct str
names_new_id(struct arena *a, uint64_t *random, enum dialect d)
{
	return invent(a, d == DIALECT_ANTHROPIC ? "toolu_" : "call_", random);
}

/* s without a prefix; 1 if it was there. */
static int
strip(struct str *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (!str_starts(*s, prefix))
		return 0;
	*s = str_n(s->p + n, s->n - n);
	return 1;
}

struct str
names_answer_id(struct arena *a, struct str id, enum dialect d,
    enum dialect_op op, uint64_t *random)
{
	const char *prefix = "";
	struct str out;
	size_t i;
	char *at;

	if (d == DIALECT_ANTHROPIC) {
		prefix = "msg_";
		if (!strip(&id, "chatcmpl-"))
			strip(&id, "msg_");
	} else if (d == DIALECT_OPENAI) {
		prefix = op == OP_RESPONSES ? "resp_" : "chatcmpl-";
		strip(&id, "chatcmpl-");
	}
	out = make(a, str_of(prefix), id.n, &at);
	if (at == NULL)
		return out;
	out.n -= id.n;
	for (i = 0; i < id.n; i++)
		if (is_word((unsigned char)id.p[i])) {
			*at++ = id.p[i];
			out.n++;
		}
	return out.n > strlen(prefix) ? out : invent(a, prefix, random);
}

int
names_marked(struct str signature)
{
	return str_starts(signature, MARK);
}

struct str
names_seal(struct arena *a, struct str signature, int redacted)
{
	struct str plain;
	char *at;

	plain = make(a, str_of(redacted ? MARK "a.r." : MARK "a.t."),
	    signature.n, &at);
	if (at == NULL)
		return plain;
	if (signature.n > 0)
		memcpy(at, signature.p, signature.n);
	return text_base64_encode(a, plain);
}

int
names_open(struct arena *a, struct str envelope, struct str *inside)
{
	struct str plain;

	*inside = str_n(NULL, 0);
	if (!str_starts(envelope, SEALED))
		return 0;
	plain = text_base64_decode(a, envelope);
	if (plain.p == NULL)
		return 0;
	*inside = plain;
	if (strip(inside, MARK "a.t."))
		return 1;
	if (strip(inside, MARK "a.r."))
		return 2;
	*inside = str_n(NULL, 0);
	return 0;
}
