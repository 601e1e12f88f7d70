#include "conf/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define TEXT_MAX	65536
#define WORD_MAX	16	/* no provider's key is so short; 4 * 16 fit */

void
conf_faults_init(struct conf_faults *f, struct str source, const char *name)
{
	memset(f, 0, sizeof *f);
	f->source = source;
	f->name = name;
	buf_init(&f->text, TEXT_MAX);
}

void
conf_faults_free(struct conf_faults *f)
{
	buf_free(&f->text);
}

void
conf_vfault(struct conf_faults *f, size_t at, const char *path,
    const char *fmt, va_list ap)
{
	struct conf_fault *one;

	if (f->n == CONF_FAULTS_MAX) {
		f->more++;
		return;
	}
	one = &f->list[f->n++];
	one->at = at;
	one->off = f->text.len;
	if (path[0] != '\0') {
		buf_adds(&f->text, path);
		buf_adds(&f->text, ": ");
	}
	buf_vfmt(&f->text, fmt, ap);
	one->len = f->text.len - one->off;
}

void
conf_fault(struct conf_faults *f, size_t at, const char *path,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	conf_vfault(f, at, path, fmt, ap);
	va_end(ap);
}

/* By place; CONF_NOWHERE + 1 is 0, so what has no place comes first. */
static int
by_place(const void *x, const void *y)
{
	const struct conf_fault *a = x, *b = y;

	if (a->at != b->at)
		return a->at + 1 < b->at + 1 ? -1 : 1;
	return a->off < b->off ? -1 : a->off > b->off;
}

void
conf_faults_write(struct conf_faults *f, struct buf *out)
{
	const struct conf_fault *one;
	struct str text = buf_str(&f->text);
	unsigned i, line, column;

	qsort(f->list, f->n, sizeof f->list[0], by_place);
	for (i = 0; i < f->n; i++) {
		one = &f->list[i];
		if (one->at != CONF_NOWHERE) {
			json_line(f->source, one->at, &line, &column);
			buf_fmt(out, "%s:%u: ", f->name, line);
		}
		buf_addstr(out, str_n(text.p + one->off, one->len));
		buf_addc(out, '\n');
	}
	if (f->more > 0)
		buf_fmt(out, "%s: and %u more\n", f->name, f->more);
}

const char *
conf_shown(char at[CONF_SHOWN_MAX], struct str word)
{
	char *p = at;
	size_t i;

	if (word.n > WORD_MAX) {
		snprintf(at, CONF_SHOWN_MAX, "a text of %lu bytes",
		    (unsigned long)word.n);
		return at;
	}
	*p++ = '"';
	for (i = 0; i < word.n; i++) {
		unsigned char c = (unsigned char)word.p[i];

		if (c < 0x20 || c > 0x7e || c == '"') {
			snprintf(p, 5, "\\x%02x", c);
			p += 4;
		} else {
			*p++ = (char)c;
		}
	}
	*p++ = '"';
	*p = '\0';
	return at;
}
