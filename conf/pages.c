#include "conf/pages.h"

#include <string.h>

#include "conf/keys.h"

#define WIDTH 78

static void
indent(struct buf *out, unsigned depth)
{
	while (depth-- > 0)
		buf_adds(out, "  ");
}

/* Adds text as lines of comment, broken between words. */
static void
comment(struct buf *out, unsigned depth, struct str text)
{
	size_t room = WIDTH - 2 * depth - 3, n;

	while (text.n > 0) {
		n = text.n;
		if (n > room)
			for (n = room; n > 1 && text.p[n] != ' '; n--)
				;
		indent(out, depth);
		buf_adds(out, "// ");
		buf_addstr(out, str_n(text.p, n));
		buf_addc(out, '\n');
		if (n < text.n)
			n++;
		text = str_n(text.p + n, text.n - n);
	}
}

/* What a key is about, and what it may be. */
static void
explain(struct buf *out, unsigned depth, const struct config_key *k)
{
	struct buf text;

	buf_init(&text, 1024);
	buf_adds(&text, k->about);
	if (k->kind == CONF_CHOICE || k->kind == CONF_DIALECT)
		buf_fmt(&text, " One of: %s.", k->range);
	else if (k->kind == CONF_SECONDS)
		buf_fmt(&text, " Seconds: %s.", k->range);
	else if (k->kind == CONF_PORT || k->kind == CONF_WHOLE ||
	    k->kind == CONF_ORDER || k->kind == CONF_MEGABYTES ||
	    k->kind == CONF_STATUSES)
		buf_fmt(&text, " Range: %s.", k->range);
	comment(out, depth, buf_str(&text));
	if (text.bad)
		out->bad = 1;
	buf_free(&text);
}

static int
is_shown(const struct config_key *k)
{
	return (k->flags & CONF_HIDE) == 0;
}

/* 1 if a section has a key that the template shows. */
static int
has_shown(const char *prefix)
{
	const struct config_key *k;
	size_t i, n;

	k = conf_keys(&n);
	for (i = 0; i < n; i++)
		if (is_shown(&k[i]) && k[i].kind != CONF_SECTION &&
		    strncmp(k[i].path, prefix, strlen(prefix)) == 0)
			return 1;
	return 0;
}

static void
write_plain(struct buf *out, unsigned depth, const struct config_key *k)
{
	int off = k->sample != NULL && (k->flags & CONF_FILL) == 0 &&
	    (strcmp(k->def, "null") == 0 || strcmp(k->def, "[]") == 0 ||
	    strcmp(k->def, "{}") == 0);

	explain(out, depth, k);
	indent(out, depth);
	buf_fmt(out, "%s\"%s\": %s,\n", off ? "// " : "", conf_key_name(k),
	    k->sample != NULL ? k->sample : k->def);
}

/* The keys of one object that stand at the given depth. */
static void
write_keys(struct buf *out, const char *prefix, unsigned depth)
{
	const struct config_key *k;
	char inner[64];
	struct buf name;
	size_t i, n;

	k = conf_keys(&n);
	for (i = 0; i < n; i++) {
		if (!conf_key_in(&k[i], prefix) || !is_shown(&k[i]))
			continue;
		buf_init(&name, sizeof inner - 1);
		buf_fmt(&name, "%s%s", k[i].path,
		    k[i].kind == CONF_BACKENDS ? "[]." : ".");
		memcpy(inner, buf_cstr(&name), name.len + 1);
		buf_free(&name);
		if (k[i].kind == CONF_BACKENDS) {
			explain(out, depth, &k[i]);
			indent(out, depth);
			buf_adds(out, "\"backends\": [\n    {\n");
			write_keys(out, inner, depth + 2);
			buf_adds(out, "    },\n"
			    "    // The next one takes over when the first "
			    "fails:\n"
			    "    // {\n"
			    "    //   \"name\": \"second\",\n"
			    "    //   \"base_url\": "
			    "\"https://relay.example.com/anthropic\",\n"
			    "    //   \"token\": \"${SECOND_API_KEY}\",\n"
			    "    // },\n"
			    "  ],\n");
		} else if (k[i].kind != CONF_SECTION || k[i].sample != NULL) {
			write_plain(out, depth, &k[i]);
		} else if (has_shown(inner)) {
			explain(out, depth, &k[i]);
			indent(out, depth);
			buf_fmt(out, "\"%s\": {\n", conf_key_name(&k[i]));
			write_keys(out, inner, depth + 1);
			indent(out, depth);
			buf_adds(out, "},\n");
		}
	}
}

void
conf_template(struct buf *out)
{
	comment(out, 0, str_of("Spillway's config: JSON, with comments and "
	    "commas at the end allowed."));
	comment(out, 0, str_of("${NAME} in a text is taken from the "
	    "environment; \"@/path/of/file\" reads a token from a file."));
	comment(out, 0, str_of("To start: set ANTHROPIC_API_KEY, or write a "
	    "token below. To check: spillway -t -c THIS_FILE"));
	buf_adds(out, "{\n");
	write_keys(out, "", 1);
	buf_adds(out, "}\n");
}

/* Adds a cell of a Markdown table. */
static void
cell(struct buf *out, const char *text)
{
	buf_addc(out, ' ');
	for (; *text != '\0'; text++) {
		if (*text == '|' || *text == '*')
			buf_addc(out, '\\');
		buf_addc(out, *text);
	}
	buf_adds(out, " |");
}

void
conf_reference(struct buf *out)
{
	const struct config_key *k;
	size_t i, n;

	k = conf_keys(&n);
	buf_adds(out, "| key | type | range | default | meaning |\n"
	    "|---|---|---|---|---|\n");
	for (i = 0; i < n; i++) {
		buf_fmt(out, "| `%s` |", k[i].path);
		cell(out, k[i].type);
		cell(out, k[i].range);
		buf_fmt(out, " `%s` | %s |\n", k[i].def, k[i].about);
	}
}
