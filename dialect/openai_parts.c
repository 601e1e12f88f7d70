#include "dialect/openai_parts.h"

#include <stdio.h>

#include "json.h"

/* The list being read. */
struct read {
	struct msg_request *r;
	struct msg_part **tail;
	enum openai_parts allowed;
	const char *where;
	struct msg_fault *f;
};

static struct msg_part *
add(struct read *rd, enum msg_kind kind, const struct node *n)
{
	struct msg_part *p = msg_part_add(rd->r->arena, rd->tail, kind);
	const struct node *cache;

	if (p == NULL)
		return NULL;
	rd->tail = &p->next;
	if ((cache = tree_get(n, "cache_control")) != NULL &&
	    cache->type == JSON_OBJECT)
		p->cache = cache->raw;
	return p;
}

static int
add_text(struct read *rd, struct str text, const struct node *n)
{
	struct msg_part *p;

	if (text.n == 0)
		return 0;
	if ((p = add(rd, MSG_TEXT, n)) == NULL)
		return -1;
	p->text = text;
	return 0;
}

/* A file that is text: shown as tagged text. */
static int
add_document(struct read *rd, struct str name, struct str data,
    const struct node *n)
{
	struct arena *a = rd->r->arena;
	struct str bytes = text_base64_decode(a, text_plain(a, data));
	struct msg_part *list = NULL;
	struct str none = { NULL, 0 };
	struct buf clean;

	if (bytes.p == NULL)
		return a->bad ? -1 : msg_refuse(rd->f, rd->where,
		    "%s: the file's data is not base64", rd->where);
	/* A file may hold anything; json_write() mends what is no UTF-8. */
	buf_init(&clean, 6 * bytes.n + 2);
	json_write(&clean, bytes);
	bytes = arena_take(a, &clean);
	buf_free(&clean);
	if (bytes.p == NULL ||
	    msg_text_add(a, &list, str_n(bytes.p + 1, bytes.n - 2)) == NULL)
		return -1;
	return add_text(rd, msg_document(a, name.n > 0 ? name : none, none,
	    list), n);
}

/* A data: URL.  name: of a file, absent for a picture. */
static int
add_data(struct read *rd, struct str url, struct str name,
    const struct node *n)
{
	struct arena *a = rd->r->arena;
	enum msg_kind kind = MSG_IMAGE;
	struct str type, data;
	struct msg_part *p;

	if (msg_data_url(a, url, &type, &data) < 0)
		return a->bad ? -1 : msg_refuse(rd->f, rd->where,
		    "%s: only base64 data URLs are supported", rd->where);
	if (str_caseis(type, "image/jpg"))
		type = str_of("image/jpeg");
	if (str_casestarts(type, "text/") && name.p != NULL)
		return add_document(rd, name, data, n);
	if (str_caseis(type, "application/pdf"))
		kind = MSG_DOC;
	else if (!str_casestarts(type, "image/"))
		return msg_refuse(rd->f, rd->where,
		    "%s: media type %.*s is not supported", rd->where,
		    (int)(type.n < 64 ? type.n : 64), type.p);
	if ((p = add(rd, kind, n)) == NULL)
		return -1;
	p->type = type;
	p->data = data;
	if (kind == MSG_DOC && name.n > 0)
		p->title = name;
	return 0;
}

static int
add_image(struct read *rd, const struct node *n)
{
	const struct node *image = tree_get(n, "image_url");
	struct str url = tree_get_text(image, "url"), plain;
	struct str none = { NULL, 0 };
	struct msg_part *p;

	if (url.p == NULL)
		url = tree_text(image);
	if (url.n == 0)
		return msg_refuse(rd->f, rd->where,
		    "%s: image_url without url", rd->where);
	plain = text_plain(rd->r->arena, url);
	if (str_casestarts(plain, "data:"))
		return add_data(rd, url, none, n);
	if (!str_casestarts(plain, "http://") &&
	    !str_casestarts(plain, "https://"))
		return msg_refuse(rd->f, rd->where,
		    "%s: image_url must be an http(s) or data URL", rd->where);
	if ((p = add(rd, MSG_IMAGE, n)) == NULL)
		return -1;
	p->url = url;
	return 0;
}

static int
add_audio(struct read *rd, const struct node *n)
{
	const struct node *audio = tree_get(n, "input_audio");
	struct str data = tree_get_text(audio, "data");
	struct msg_part *p;

	if (data.n == 0)
		return msg_refuse(rd->f, rd->where,
		    "%s: input_audio without data", rd->where);
	if ((p = add(rd, MSG_AUDIO, n)) == NULL)
		return -1;
	p->data = data;
	p->type = str_of(tree_is(tree_get(audio, "format"), "mp3")
	    ? "audio/mp3" : "audio/wav");
	return 0;
}

static int
add_file(struct read *rd, const struct node *n)
{
	const struct node *file = tree_get(n, "file");
	struct str data = tree_get_text(file, "file_data");
	struct str name = tree_get_text(file, "filename");

	if (tree_get(file, "file_id") != NULL)
		return msg_refuse(rd->f, rd->where,
		    "%s: file_id is not supported: its file is known only to "
		    "OpenAI", rd->where);
	if (data.n == 0)
		return msg_refuse(rd->f, rd->where,
		    "%s: file without file_data", rd->where);
	if (name.p == NULL)
		name = str_n("", 0);
	return add_data(rd, data, name, n);
}

static int
add_part(struct read *rd, const struct node *n)
{
	const struct node *type = tree_get(n, "type");
	int media = rd->allowed == OPENAI_PARTS_MEDIA;

	if (n->type == JSON_STRING)
		return add_text(rd, tree_text(n), NULL);
	if (tree_is(type, "text"))
		return add_text(rd, tree_get_text(n, "text"), n);
	if (rd->allowed == OPENAI_PARTS_REFUSAL && tree_is(type, "refusal"))
		return add_text(rd, tree_get_text(n, "refusal"), n);
	if (media && tree_is(type, "image_url"))
		return add_image(rd, n);
	if (media && tree_is(type, "input_audio"))
		return add_audio(rd, n);
	if (media && tree_is(type, "file"))
		return add_file(rd, n);
	return msg_refuse(rd->f, rd->where,
	    "%s: a part of type %.*s is not supported here", rd->where,
	    (int)(type == NULL ? 4 : type->raw.n < 64 ? type->raw.n : 64),
	    type == NULL ? "null" : type->raw.p);
}

int
openai_parts_read(struct msg_request *r, struct msg_part **list,
    const struct node *content, enum openai_parts allowed, const char *where,
    struct msg_fault *f)
{
	struct read rd;
	const struct node *n;

	rd.r = r;
	rd.tail = list;
	rd.allowed = allowed;
	rd.where = where;
	rd.f = f;
	if (content == NULL || content->type == JSON_NULL)
		return 0;
	if (content->type == JSON_STRING)
		return add_text(&rd, tree_text(content), NULL);
	if (content->type != JSON_ARRAY)
		return msg_refuse(f, where,
		    "%s: must be a string or a list of parts", where);
	for (n = content->child; n != NULL; n = n->next)
		if (add_part(&rd, n) < 0)
			return -1;
	return r->arena->bad ? -1 : 0;
}

/* A data: URL as a string.  Base64 is text and plain at once. */
static void
write_data(struct buf *out, struct arena *a, struct str type,
    struct str data)
{
	buf_adds(out, "\"data:");
	buf_addstr(out, text_of(a, type));
	buf_adds(out, ";base64,");
	buf_addstr(out, data);
	buf_addc(out, '"');
}

static int
write_audio(struct buf *out, const struct msg_part *p, struct msg_fault *f)
{
	int mp3 = str_caseis(p->type, "audio/mp3");

	if (!mp3 && !str_caseis(p->type, "audio/wav"))
		return msg_refuse(f, "messages",
		    "messages: audio of type %.*s: OpenAI takes only wav and "
		    "mp3", (int)(p->type.n < 64 ? p->type.n : 64), p->type.p);
	buf_adds(out, "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"");
	buf_addstr(out, p->data);
	buf_adds(out, mp3 ? "\",\"format\":\"mp3\"}}"
	    : "\",\"format\":\"wav\"}}");
	return 0;
}

static int
write_document(struct buf *out, struct arena *a, const struct msg_part *p,
    struct msg_fault *f)
{
	if (p->data.p == NULL)
		return msg_refuse(f, "messages", "messages: OpenAI takes no "
		    "documents by URL");
	buf_adds(out, "{\"type\":\"file\",\"file\":{\"filename\":\"");
	if (p->title.n > 0)
		buf_addstr(out, p->title);
	else
		buf_adds(out, "document.pdf");
	buf_adds(out, "\",\"file_data\":");
	write_data(out, a, p->type.n > 0 ? p->type
	    : str_of("application/pdf"), p->data);
	buf_adds(out, "}}");
	return 0;
}

int
openai_parts_write(struct buf *out, struct arena *a,
    const struct msg_part *p, struct msg_fault *f)
{
	switch (p->kind) {
	case MSG_IMAGE:
		buf_adds(out, "{\"type\":\"image_url\",\"image_url\":"
		    "{\"url\":");
		if (p->data.p != NULL)
			write_data(out, a, p->type, p->data);
		else {
			buf_addc(out, '"');
			buf_addstr(out, p->url);
			buf_addc(out, '"');
		}
		buf_adds(out, "}}");
		return 0;
	case MSG_DOC:
		return write_document(out, a, p, f);
	case MSG_AUDIO:
		return write_audio(out, p, f);
	default:
		buf_adds(out, "{\"type\":\"text\",\"text\":\"");
		buf_addstr(out, p->text);
		buf_adds(out, "\"}");
		return 0;
	}
}
