#include "dialect/gemini_parts.h"

#include <stdio.h>
#include <string.h>

#include "dialect/names.h"

#define SCRATCH_MAX ((size_t)256 << 20)

/* A call of the model that waits for its response. */
struct call {
	struct call *next;
	struct msg_part *part;
	unsigned done:1;
};

struct reading {
	struct msg_request *r;
	struct msg_fault *f;
	struct msg_turn **turns;	/* the end of each list */
	struct msg_part **parts;
	/* Calls since the model last began to speak; the first open one. */
	struct call *calls, *open, **calls_end;
	unsigned ids;		/* made up so far (ID-3) */
	unsigned model:1;	/* whose turn is read */
};

typedef int reading_fn(struct reading *, const struct node *);

/* "systemInstruction" as "system_instruction"; 0 if it is the same. */
static int
snake_of(char out[64], const char *camel)
{
	size_t i = 0;
	int differs = 0;

	for (; *camel != '\0' && i < 62; camel++) {
		if (*camel >= 'A' && *camel <= 'Z') {
			out[i++] = '_';
			out[i++] = (char)(*camel - 'A' + 'a');
			differs = 1;
		} else
			out[i++] = *camel;
	}
	out[i] = '\0';
	return differs;
}

struct node *
gemini_parts_get(const struct node *n, const char *camel)
{
	struct node *m = tree_get(n, camel);
	char snake[64];

	if (m == NULL && snake_of(snake, camel))
		m = tree_get(n, snake);
	return m;
}

int
gemini_parts_key_is(const struct node *m, const char *camel)
{
	char snake[64];

	return tree_key_is(m, camel) ||
	    (snake_of(snake, camel) && tree_key_is(m, snake));
}

struct str
gemini_parts_plain(struct arena *a, const struct node *n, const char *camel)
{
	struct str text = tree_text(gemini_parts_get(n, camel));

	return text.p == NULL ? text : text_plain(a, text);
}

struct str
gemini_parts_lower(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t i;

	if (p == NULL)
		return str_n("", 0);
	for (i = 0; i < s.n; i++)
		p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z'
		    ? (char)(s.p[i] - 'A' + 'a') : s.p[i];
	return str_n(p, s.n);
}

static const struct node *
get(const struct node *n, const char *camel)
{
	return gemini_parts_get(n, camel);
}

static struct str
plain(const struct reading *g, const struct node *n, const char *camel)
{
	return gemini_parts_plain(g->r->arena, n, camel);
}

/* Each element of a list; what is none counts as its only element. */
static int
each(struct reading *g, const struct node *list, reading_fn *read)
{
	const struct node *n;

	if (list == NULL)
		return 0;
	if (list->type != JSON_ARRAY)
		return read(g, list);
	for (n = list->child; n != NULL; n = n->next)
		if (read(g, n) == -1)
			return -1;
	return 0;
}

static struct msg_part *
add(struct reading *g, enum msg_kind kind)
{
	struct msg_part *part = msg_part_add(g->r->arena, g->parts, kind);

	if (part != NULL)
		g->parts = &part->next;
	return part;
}

static int
add_text(struct reading *g, struct str text)
{
	struct msg_part *part;

	if (text.n == 0)
		return 0;
	if ((part = add(g, MSG_TEXT)) == NULL)
		return -1;
	part->text = text;
	return 0;
}

/* ---- media ---- */

/* The media type without parameters, under the name that all know. */
static struct str
media_type(struct reading *g, const struct node *n)
{
	static const struct {
		const char *from, *to;
	} same[] = {
		{ "image/jpg", "image/jpeg" },
		{ "audio/mpeg", "audio/mp3" },
		{ "audio/x-wav", "audio/wav" }
	};
	struct str type = plain(g, n, "mimeType");
	const char *end;
	size_t i;

	if (type.n == 0)
		return str_n("", 0);
	end = memchr(type.p, ';', type.n);
	if (end != NULL)
		type.n = (size_t)(end - type.p);
	type = gemini_parts_lower(g->r->arena, str_trim(type));
	for (i = 0; i < sizeof same / sizeof same[0]; i++)
		if (str_is(type, same[i].from))
			return str_of(same[i].to);
	return type;
}

/* Google's SDK for Python writes the url-safe alphabet; others take none. */
static struct str
standard_base64(struct reading *g, struct str data)
{
	struct str bytes;

	if (memchr(data.p, '-', data.n) == NULL &&
	    memchr(data.p, '_', data.n) == NULL)
		return data;
	bytes = text_base64_decode(g->r->arena,
	    text_plain(g->r->arena, data));
	return bytes.p == NULL ? data
	    : text_base64_encode(g->r->arena, bytes);
}

static int
read_text_blob(struct reading *g, const struct node *n, struct str data)
{
	struct arena *a = g->r->arena;
	struct msg_part text;
	struct str bytes, title;

	bytes = text_base64_decode(a, text_plain(a, data));
	if (bytes.p == NULL)
		return a->bad ? -1 : msg_refuse(g->f, "contents",
		    "contents: inlineData.data is not base64");
	memset(&text, 0, sizeof text);
	text.kind = MSG_TEXT;
	text.text = text_of(a, bytes);
	title = tree_text(get(n, "displayName"));
	if (title.n == 0)
		title.p = NULL;
	return add_text(g, msg_document(a, title, str_n(NULL, 0), &text));
}

static int
read_blob(struct reading *g, const struct node *n)
{
	struct str type = media_type(g, n);
	struct str data = tree_text(get(n, "data"));
	struct msg_part *part;
	enum msg_kind kind;

	if (data.p == NULL)
		return msg_refuse(g->f, "contents",
		    "contents: inlineData.data is missing");
	if (str_starts(type, "text/") || str_is(type, "application/json"))
		return read_text_blob(g, n, data);
	if (str_starts(type, "image/"))
		kind = MSG_IMAGE;
	else if (str_is(type, "application/pdf"))
		kind = MSG_DOC;
	else if (str_starts(type, "audio/"))
		kind = MSG_AUDIO;
	else
		return msg_refuse(g->f, "contents",
		    "contents: inlineData of type %.*s is not supported "
		    "for this model", type.n > 80 ? 80 : (int)type.n, type.p);
	if ((part = add(g, kind)) == NULL)
		return -1;
	part->type = type;
	part->data = standard_base64(g, data);
	if (kind == MSG_DOC)
		part->title = tree_text(get(n, "displayName"));
	return 0;
}

/* What an address without a media type names, by its end. */
static const char *
guess_type(struct str uri)
{
	static const char *const ends[] = {
		".png", ".jpg", ".jpeg", ".gif", ".webp"
	};
	struct str tail;
	size_t i;

	for (i = 0; i < uri.n; i++)
		if (uri.p[i] == '?' || uri.p[i] == '#')
			uri.n = i;
	for (i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		tail = uri;
		if (tail.n > strlen(ends[i])) {
			tail.p += tail.n - strlen(ends[i]);
			tail.n = strlen(ends[i]);
		}
		if (str_caseis(tail, ends[i]))
			return "image/";
	}
	return uri.n > 4 && str_caseis(str_n(uri.p + uri.n - 4, 4), ".pdf")
	    ? "application/pdf" : "";
}

static int
read_file(struct reading *g, const struct node *n)
{
	struct str type = media_type(g, n), uri = plain(g, n, "fileUri");
	struct msg_part *part;
	enum msg_kind kind;

	if ((!str_casestarts(uri, "http://") &&
	    !str_casestarts(uri, "https://")) || str_casefind(uri,
	    str_of("generativelanguage.googleapis.com")) != -1)
		return msg_refuse(g->f, "contents",
		    "contents: fileData.fileUri: only http(s) addresses "
		    "outside of Google's file store can be used");
	if (type.n == 0)
		type = str_of(guess_type(uri));
	if (str_starts(type, "image/"))
		kind = MSG_IMAGE;
	else if (str_is(type, "application/pdf"))
		kind = MSG_DOC;
	else
		return msg_refuse(g->f, "contents",
		    "contents: fileData of type %.*s is not supported "
		    "for this model", type.n > 80 ? 80 : (int)type.n, type.p);
	if ((part = add(g, kind)) == NULL)
		return -1;
	part->url = tree_text(get(n, "fileUri"));
	if (kind == MSG_DOC)
		part->title = tree_text(get(n, "displayName"));
	return 0;
}

/* ---- calls and their responses ---- */

static struct str
new_id(struct reading *g)
{
	char id[32];

	snprintf(id, sizeof id, "call_g%u", g->ids++);
	return arena_copy(g->r->arena, str_of(id));
}

/* The base of an id, and what it carried (ID-1); "" if there is none. */
static struct str
read_id(struct reading *g, const struct node *n, struct str *carried)
{
	struct str id = plain(g, n, "id");

	*carried = str_n(NULL, 0);
	return id.n == 0 ? str_n("", 0)
	    : names_split(g->r->arena, id, carried);
}

static int
read_call(struct reading *g, const struct node *p, const struct node *n)
{
	const struct node *args = get(n, "args");
	struct str carried, name;
	struct msg_part *part;
	struct call *c;

	if (!g->model)
		return msg_refuse(g->f, "contents",
		    "contents: functionCall outside of a model turn");
	if (args != NULL && args->type != JSON_OBJECT)
		return msg_refuse(g->f, "contents",
		    "contents: functionCall.args is not an object");
	name = plain(g, n, "name");
	if (name.n == 0)
		return msg_refuse(g->f, "contents",
		    "contents: functionCall.name is missing");
	part = add(g, MSG_CALL);
	c = arena_alloc(g->r->arena, sizeof *c);
	if (part == NULL || c == NULL)
		return -1;
	part->id = read_id(g, n, &carried);
	if (part->id.n == 0)
		part->id = new_id(g);
	part->name = name;
	part->args = args == NULL ? str_of("{}") : args->raw;
	part->signature = plain(g, p, "thoughtSignature");
	if (part->signature.n == 0)
		part->signature = carried;
	c->part = part;
	*g->calls_end = c;
	g->calls_end = &c->next;
	if (g->open == NULL)
		g->open = c;
	return 0;
}

/*
 * The earliest open call that a response belongs to: by id, else by name.
 * An id that was answered already is a duplicate and must not take the
 * place of another call's response.
 */
static struct call *
find_call(struct reading *g, struct str id, struct str name)
{
	struct call *c, *named = NULL;

	while (g->open != NULL && g->open->done)
		g->open = g->open->next;
	for (c = g->open; c != NULL; c = c->next) {
		if (c->done)
			continue;
		if (id.n > 0 && str_eq(c->part->id, id))
			return c;
		if (named == NULL && str_eq(c->part->name, name)) {
			named = c;
			if (id.n == 0)
				return c;
		}
	}
	if (named == NULL || id.n == 0)
		return named;
	for (c = g->calls; c != NULL; c = c->next)
		if (str_eq(c->part->id, id))
			return NULL;
	return named;
}

/* A value as text: strings as they are, else canonical JSON. */
static int
add_value(struct reading *g, const struct node *v)
{
	struct buf b;
	int rc;

	if (v->type == JSON_STRING)
		return add_text(g, tree_text(v));
	buf_init(&b, SCRATCH_MAX);
	rc = text_nest(&b, v->raw);
	rc = rc == -1 ? -1 : add_text(g, arena_take(g->r->arena, &b));
	if (b.bad)
		g->r->arena->bad = 1;
	buf_free(&b);
	return rc;
}

static int
read_outcome(struct reading *g, struct msg_part *part,
    const struct node *response)
{
	const struct node *only;

	if (response == NULL)
		return 0;
	if (response->type != JSON_OBJECT)
		return add_value(g, response);
	only = response->child;
	if (only == NULL)
		return 0;
	if (only->next == NULL) {
		part->error = tree_key_is(only, "error") ? 1 : 0;
		if (part->error || tree_key_is(only, "output") ||
		    tree_key_is(only, "result"))
			return add_value(g, only);
	}
	return add_value(g, response);
}

static int
drop_part(struct reading *g, const struct node *p)
{
	static const char *const about[] = {
		"thought", "thoughtSignature", "videoMetadata",
		"mediaResolution", "partMetadata"
	};
	const struct node *m;
	size_t i;

	for (m = p->child; m != NULL; m = m->next) {
		for (i = 0; i < sizeof about / sizeof about[0]; i++)
			if (gemini_parts_key_is(m, about[i]))
				break;
		if (i == sizeof about / sizeof about[0] &&
		    m->type != JSON_NULL) {
			msg_note(g->r->arena, g->r->notes, "drop:part.",
			    text_plain(g->r->arena, m->key));
			break;
		}
	}
	return g->r->arena->bad ? -1 : 0;
}

static int
read_response_part(struct reading *g, const struct node *p)
{
	const struct node *n;

	if (p->type != JSON_OBJECT)
		return msg_refuse(g->f, "contents",
		    "contents: a part of a functionResponse is not an object");
	if ((n = get(p, "inlineData")) != NULL)
		return read_blob(g, n);
	if ((n = get(p, "fileData")) != NULL)
		return read_file(g, n);
	return drop_part(g, p);
}

static int
read_response(struct reading *g, const struct node *n)
{
	struct str id, carried, name;
	struct msg_part *part, **parts;
	struct call *c;
	int rc;

	if (g->model)
		return msg_refuse(g->f, "contents",
		    "contents: functionResponse in a model turn");
	if ((part = add(g, MSG_RESULT)) == NULL)
		return -1;
	name = plain(g, n, "name");
	id = read_id(g, n, &carried);
	c = find_call(g, id, name);
	if (c != NULL) {
		c->done = 1;
		id = c->part->id;
	}
	part->id = id.n > 0 ? id : new_id(g);
	if (name.n > 0)
		part->name = name;
	parts = g->parts;
	g->parts = &part->parts;
	rc = read_outcome(g, part, get(n, "response"));
	if (rc == 0)
		rc = each(g, get(n, "parts"), read_response_part);
	g->parts = parts;
	return rc;
}

/* ---- contents ---- */

static int
read_part(struct reading *g, const struct node *p)
{
	const struct node *n;
	struct msg_part *part;
	struct str text;

	if (p->type != JSON_OBJECT)
		return msg_refuse(g->f, "contents",
		    "contents: a part is not an object");
	if ((n = get(p, "functionCall")) != NULL)
		return read_call(g, p, n);
	if ((n = get(p, "functionResponse")) != NULL)
		return read_response(g, n);
	if ((n = get(p, "inlineData")) != NULL)
		return read_blob(g, n);
	if ((n = get(p, "fileData")) != NULL)
		return read_file(g, n);
	text = tree_get_text(p, "text");
	if (tree_is_true(p, "thought")) {
		if (!g->model)
			return 0;
		if ((part = add(g, MSG_THINK)) == NULL)
			return -1;
		part->thought = 1;
		part->text = text.p == NULL ? str_n("", 0) : text;
		part->signature = plain(g, p, "thoughtSignature");
		return 0;
	}
	return text.p != NULL ? add_text(g, text) : drop_part(g, p);
}

static int
read_content(struct reading *g, const struct node *n)
{
	struct msg_turn *turn;
	int model;

	if (n->type != JSON_OBJECT)
		return msg_refuse(g->f, "contents",
		    "contents: an element is not an object");
	model = tree_is(tree_get(n, "role"), "model");
	turn = msg_turn_add(g->r->arena, g->turns,
	    model ? MSG_ASSISTANT : MSG_USER);
	if (turn == NULL)
		return -1;
	g->turns = &turn->next;
	g->parts = &turn->parts;
	/* What was called before is not open any more. */
	if (model && !g->model) {
		g->calls = g->open = NULL;
		g->calls_end = &g->calls;
	}
	g->model = model ? 1 : 0;
	return each(g, get(n, "parts"), read_part);
}

static int
read_system_part(struct reading *g, const struct node *p)
{
	struct str text = p->type == JSON_STRING ? tree_text(p)
	    : tree_get_text(p, "text");

	return text.n == 0 || text_blank(text) ? 0 : add_text(g, text);
}

int
gemini_parts_system(struct msg_request *r, const struct node *system)
{
	struct reading g;

	memset(&g, 0, sizeof g);
	g.r = r;
	g.parts = &r->system;
	if (system != NULL && system->type == JSON_OBJECT)
		system = get(system, "parts");
	return each(&g, system, read_system_part);
}

int
gemini_parts_contents(struct msg_request *r, const struct node *contents,
    struct msg_fault *f)
{
	struct reading g;

	memset(&g, 0, sizeof g);
	g.r = r;
	g.f = f;
	g.turns = &r->turns;
	g.calls_end = &g.calls;
	return each(&g, contents, read_content);
}
