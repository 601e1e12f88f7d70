#include "admin/home_page.h"

#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "relay/account.h"

#define TEXT_MAX 512	/* bytes; figures keep less of a text */

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, "
    "initial-scale=1\">\n<title>Spillway</title>\n"
    "<link rel=\"icon\" href=\"data:,\">\n<style>\n"
    ":root { color-scheme: light dark; --ground: #f3f5f8; --panel: #fff; "
    "--text: #18202b; --quiet: #55606f; --line: #dde2ea; --edge: #8692a3; "
    "--main: #0b62b8; --on: #fff; --good: #0a7044; --warn: #8a5300; "
    "--bad: #b3221c }\n"
    "@media (prefers-color-scheme: dark) { :root { --ground: #0e1217; "
    "--panel: #161b22; --text: #e4e8ee; --quiet: #a0abba; --line: #29313b; "
    "--edge: #6d7989; --main: #79b8ff; --on: #0b1a2b; --good: #56cf95; "
    "--warn: #e8b251; --bad: #ff8f86 } }\n"
    "* { box-sizing: border-box }\n"
    "body { margin: 0 auto; padding: 16px; max-width: 1100px; "
    "background: var(--ground); color: var(--text); "
    "font: 15px/1.45 system-ui, \"Segoe UI\", Roboto, \"Noto Sans\", "
    "sans-serif }\n"
    "h1, h2 { margin: 0; font-size: 20px } h2 { font-size: 16px }\n"
    "header { display: flex; flex-wrap: wrap; gap: 4px 16px; "
    "align-items: baseline }\n"
    "p { margin: 8px 0 } header p, .quiet, dt, th { color: var(--quiet) }\n"
    "a { color: var(--main) } code { overflow-wrap: anywhere }\n"
    "dl { display: grid; gap: 8px; margin: 12px 0; "
    "grid-template-columns: repeat(auto-fit, minmax(116px, 1fr)) }\n"
    "dl div, section { background: var(--panel); "
    "border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px "
    "}\n"
    "section { margin: 12px 0 } dt { font-size: 13px } "
    "dd { margin: 0; font-size: 20px }\n"
    "form { display: flex; flex-wrap: wrap; gap: 8px; align-items: center "
    "}\n"
    "input, button { font: inherit; padding: 7px 10px; border-radius: 6px; "
    "border: 1px solid var(--edge); background: var(--panel); "
    "color: var(--text) }\n"
    "input { flex: 1 1 180px; min-width: 0; max-width: 420px }\n"
    "button { background: var(--main); color: var(--on); "
    "border-color: var(--main); cursor: pointer }\n"
    ":focus-visible { outline: 2px solid var(--main); outline-offset: 2px "
    "}\n"
    "table { width: 100%; border-collapse: collapse; margin-top: 8px; "
    "font-variant-numeric: tabular-nums }\n"
    "th, td { padding: 5px 8px 5px 0; text-align: left; "
    "vertical-align: top; border-top: 1px solid var(--line) }\n"
    "th { font-weight: normal; font-size: 13px; border: 0 }\n"
    ".n { text-align: right; white-space: nowrap } "
    "time { white-space: nowrap }\n"
    ".g { color: var(--good) } .w { color: var(--warn) } "
    ".b { color: var(--bad) }\n"
    ".all th:last-child, td.what { padding-left: 16px } "
    "td.what { overflow-wrap: anywhere }\n"
    "@media (max-width: 700px) { .d { display: none } "
    "td, th { padding-right: 6px } "
    ".all thead th:last-child { display: none } "
    ".all tr { display: grid; grid-template-columns: "
    "1.3fr .9fr 1fr .6fr 1fr 1fr; border-top: 1px solid var(--line) } "
    ".all td, .all th { border: 0 } "
    "td.what { grid-column: 1 / -1; padding: 0 0 6px } }\n"
    "</style>\n</head>\n<body>\n";

/* ---- text ---- */

/* Adds text of others so that it stays text. */
static void
text_write(struct buf *out, struct str s)
{
	char copy[TEXT_MAX];
	size_t i, n = s.n < sizeof copy ? s.n : sizeof copy;

	if (n > 0)
		memcpy(copy, s.p, n);
	n = log_mask(copy, n);
	for (i = 0; i < n; i++)
		switch (copy[i]) {
		case '&':
			buf_adds(out, "&amp;");
			break;
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		case '"':
			buf_adds(out, "&quot;");
			break;
		case '\'':
			buf_adds(out, "&#39;");
			break;
		default:
			if ((unsigned char)copy[i] < ' ' || copy[i] == 0x7f)
				buf_adds(out, "&#65533;");
			else
				buf_addc(out, copy[i]);
		}
}

static void
span_write(struct buf *out, uint64_t ms)
{
	unsigned long long s = ms / 1000;

	if (s < 60)
		buf_fmt(out, "%llu s", s);
	else if (s < 3600)
		buf_fmt(out, "%llu min", s / 60);
	else if (s < 86400)
		buf_fmt(out, "%llu h %llu min", s / 3600, s / 60 % 60);
	else
		buf_fmt(out, "%llu d %llu h", s / 86400, s / 3600 % 24);
}

/* ---- totals ---- */

static void
card(struct buf *out, const char *name, uint64_t n)
{
	buf_fmt(out, "<div><dt>%s</dt><dd>%llu</dd></div>\n", name,
	    (unsigned long long)n);
}

/* All that was read, from a cache or not; -1: not told. */
static int64_t
tokens_in(const struct dialect_usage *u)
{
	if (u->input < 0 && u->cache_read < 0 && u->cache_write < 0)
		return -1;
	return (u->input > 0 ? u->input : 0) +
	    (u->cache_read > 0 ? u->cache_read : 0) +
	    (u->cache_write > 0 ? u->cache_write : 0);
}

static void
totals(struct buf *out, const struct stats *s)
{
	int64_t in = tokens_in(&s->tokens);

	buf_adds(out, "<dl>\n");
	card(out, "Requests", s->ended);
	card(out, "Succeeded", s->good);
	card(out, "Failed", s->failed + s->broken);
	buf_adds(out, "<div><dt>Success rate</dt><dd>");
	if (s->ended > 0)
		buf_fmt(out, "%.1f %%", 100.0 * (double)s->good /
		    (double)s->ended);
	else
		buf_adds(out, "&ndash;");
	buf_adds(out, "</dd></div>\n");
	card(out, "Rate limited", s->limited);
	card(out, "Retried", s->retried);
	card(out, "Tokens in", (uint64_t)(in > 0 ? in : 0));
	card(out, "Tokens out", (uint64_t)(s->tokens.output > 0 ?
	    s->tokens.output : 0));
	buf_adds(out, "</dl>\n");
}

/* ---- the last requests ---- */

static void
time_write(struct buf *out, int64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	struct tm local, utc;
	char date[32], hour[32], iso[32];

	if (localtime_r(&t, &local) == NULL || gmtime_r(&t, &utc) == NULL ||
	    strftime(date, sizeof date, "%Y-%m-%d", &local) == 0 ||
	    strftime(hour, sizeof hour, "%H:%M:%S", &local) == 0 ||
	    strftime(iso, sizeof iso, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		return;
	buf_fmt(out, "<time datetime=\"%s\"><span class=\"d\">%s </span>%s"
	    "</time>", iso, date, hour);
}

static void
count_write(struct buf *out, int64_t n)
{
	if (n < 0)
		buf_adds(out, "<td class=\"n\">&ndash;</td>");
	else
		buf_fmt(out, "<td class=\"n\">%lld</td>", (long long)n);
}

/* Why the last attempt that failed did; NULL: none has. */
static const char *
reason(const struct stats_entry *e)
{
	const struct stats_try *t;
	const char *why = NULL;

	for (t = e->tries; t != NULL; t = t->next)
		if (t->reason[0] != '\0')
			why = t->reason;
	return why;
}

static void
what_write(struct buf *out, const struct stats_entry *e)
{
	const char *why = reason(e);

	buf_adds(out, "<td class=\"what\"><bdi>");
	text_write(out, str_of(e->method));
	buf_addc(out, ' ');
	text_write(out, str_of(e->path));
	buf_adds(out, "</bdi>");
	if (e->model != NULL && e->model[0] != '\0') {
		buf_adds(out, " <bdi>");
		text_write(out, str_of(e->model));
		buf_adds(out, "</bdi>");
	}
	if (e->stream)
		buf_adds(out, " <span class=\"quiet\">stream</span>");
	if (e->outcome == STATS_LEFT)
		buf_adds(out, "<br><span class=\"w\">the client left</span>");
	else if (e->outcome == STATS_BROKEN)
		buf_adds(out, "<br><span class=\"b\">the answer broke off"
		    "</span>");
	if (why != NULL) {
		buf_fmt(out, "<br><span class=\"%s\">", e->status < 400 ?
		    "quiet" : "b");
		text_write(out, str_of(why));
		buf_adds(out, "</span>");
	}
	buf_adds(out, "</td>");
}

static void
row(struct buf *out, const struct stats_entry *e, int all)
{
	char t[24];

	buf_adds(out, "<tr><td>");
	time_write(out, e->wall_ms);
	buf_fmt(out, "</td><td class=\"%s\">%d</td><td class=\"n\">%s</td>"
	    "<td class=\"n\">%u</td>", e->status < 400 ? "g" :
	    e->status < 500 ? "w" : "b", e->status,
	    account_time(t, e->ended_us / 1000), e->attempts);
	count_write(out, tokens_in(&e->usage));
	count_write(out, e->usage.output);
	if (all)
		what_write(out, e);
	buf_adds(out, "</tr>\n");
}

static void
requests(struct buf *out, const struct home_view *v)
{
	const struct stats_entry *e;
	int all = v->who != HOME_STRANGER;
	size_t i;

	buf_adds(out, "<section>\n<h2>The last requests</h2>\n");
	if (stats_recent(v->stats, 0) == NULL) {
		buf_adds(out, "<p class=\"quiet\">None has ended yet.</p>\n"
		    "</section>\n");
		return;
	}
	buf_fmt(out, "<table%s>\n<thead><tr><th>Time</th><th>Status</th>"
	    "<th class=\"n\">Took</th><th class=\"n\">Tries</th>"
	    "<th class=\"n\">In</th><th class=\"n\">Out</th>%s</tr></thead>\n"
	    "<tbody>\n", all ? " class=\"all\"" : "",
	    all ? "<th>Request</th>" : "");
	for (i = 0; i < HOME_ROWS; i++)
		if ((e = stats_recent(v->stats, i)) != NULL)
			row(out, e, all);
	buf_adds(out, "</tbody>\n</table>\n<p class=\"quiet\">Times are those "
	    "of the server; in and out are tokens.</p>\n</section>\n");
}

/* ---- the page ---- */

static void
door(struct buf *out, const struct home_view *v)
{
	if (v->note[0] != '\0')
		buf_fmt(out, "<p class=\"b\" role=\"alert\">%s</p>\n",
		    v->note);
	if (v->who == HOME_STRANGER)
		buf_adds(out, "<section>\n<form method=\"post\" action=\"/\">"
		    "\n<label for=\"key\">Access key</label>\n"
		    "<input id=\"key\" name=\"key\" type=\"password\" "
		    "autocomplete=\"current-password\" required>\n"
		    "<button>Log in</button>\n</form>\n"
		    "<p class=\"quiet\">Who logs in also sees paths, models "
		    "and errors.</p>\n</section>\n");
	else if (v->who == HOME_KNOWN)
		buf_adds(out, "<form method=\"post\" action=\"/\">\n"
		    "<button name=\"leave\" value=\"1\">Log out</button>\n"
		    "</form>\n");
}

void
home_page(struct buf *out, const struct home_view *v)
{
	int64_t up = v->now_ms - v->stats->started_ms;

	buf_adds(out, head);
	buf_adds(out, "<header>\n<h1>Spillway</h1>\n<p>Running for ");
	span_write(out, up > 0 ? (uint64_t)up : 0);
	buf_adds(out, ". <a href=\"/\">Refresh</a>");
	if (v->who != HOME_STRANGER && v->dashboard.n > 0) {
		buf_adds(out, " <a href=\"");
		text_write(out, v->dashboard);
		buf_adds(out, "\">Dashboard</a>");
	}
	buf_fmt(out, "</p>\n</header>\n<main>\n<p>Clients use this address "
	    "with <code>/v1/chat/completions</code>, "
	    "<code>/v1/messages</code> and <code>/v1/models</code>; "
	    "%u attempt%s at most.</p>\n",
	    v->attempts, v->attempts == 1 ? "" : "s");
	door(out, v);
	totals(out, v->stats);
	requests(out, v);
	buf_adds(out, "</main>\n</body>\n</html>\n");
}
