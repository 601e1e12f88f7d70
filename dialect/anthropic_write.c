#include "dialect/anthropic_write.h"

#include "dialect/normal.h"
#include "dialect/schema.h"
#include "json.h"

/* Anthropic takes no budget below this, and none as large as max_tokens. */
#define BUDGET_MIN 1024

enum mode { MODE_NONE, MODE_OFF, MODE_BUDGET, MODE_ADAPTIVE };

/* What is decided before anything is written. */
struct plan {
	struct str max_tokens;	/* raw; absent: limit */
	uint64_t limit;		/* the same as a number */
	struct str temperature, top_p, top_k;	/* raw; absent: not sent */
	enum mode thinking;
	uint64_t budget;	/* of MODE_BUDGET */
	enum msg_effort effort;	/* MSG_EFFORT_UNSET: not sent */
	unsigned format:1;	/* the schema goes into output_config */
};

static void
note(const struct msg_request *r, const char *prefix, const char *name)
{
	msg_note(r->arena, r->notes, prefix, str_of(name));
}

/* Drops a raw value, with a note if it was there. */
static void
drop(const struct msg_request *r, struct str *raw, const char *name)
{
	if (raw->p != NULL)
		note(r, "drop:", name);
	*raw = str_n(NULL, 0);
}

static double
number(struct str raw)
{
	double d;

	return raw.p != NULL && json_double(raw, &d) == 0 ? d : 0;
}

/* ---- what to send ---- */

static void
plan_limit(struct plan *w, const struct msg_request *r,
    const struct msg_target *t, const struct profile *p)
{
	w->limit = t->max_tokens != 0 ? t->max_tokens : p->max_tokens;
	w->max_tokens = r->max_tokens;
	if (w->max_tokens.p != NULL &&
	    json_u64(w->max_tokens, &w->limit) < 0)
		w->limit = 0;
}

/* E-A9 */
static void
plan_sampling(struct plan *w, const struct msg_request *r,
    const struct profile *p)
{
	w->temperature = r->temperature;
	w->top_p = r->top_p;
	w->top_k = r->top_k;
	if (!p->sampling) {
		drop(r, &w->temperature, "temperature");
		drop(r, &w->top_p, "top_p");
		drop(r, &w->top_k, "top_k");
		return;
	}
	if (number(w->temperature) > 1) {
		w->temperature = str_of("1");
		note(r, "clamp:", "temperature");
	}
	if (!p->both && w->temperature.p != NULL)
		drop(r, &w->top_p, "top_p");
}

/* E-A10 */
static int
plan_losses(struct msg_request *r)
{
	struct msg_string *s, **link;

	if (number(r->presence_penalty) != 0)
		note(r, "drop:", "presence_penalty");
	if (number(r->frequency_penalty) != 0)
		note(r, "drop:", "frequency_penalty");
	if (r->seed.p != NULL)
		note(r, "drop:", "seed");
	if (r->logprobs)
		note(r, "drop:", "logprobs");
	if (r->logit_bias.p != NULL)
		note(r, "drop:", "logit_bias");
	if (r->tier == MSG_TIER_FLEX)
		note(r, "drop:", "service_tier");
	for (link = &r->stops; (s = *link) != NULL; ) {
		if (text_blank(s->s)) {
			*link = s->next;
			note(r, "drop:", "stop");
		} else {
			link = &s->next;
		}
	}
	return r->arena->bad ? -1 : 0;
}

/*
 * 1 in the midst of a tool loop whose last turn of Claude has no thinking
 * before the call: Anthropic then refuses manual thinking.
 */
static int
unsigned_loop(const struct msg_request *r)
{
	const struct msg_turn *turn, *claude, *last;
	const struct msg_part *part;

	claude = NULL;
	last = NULL;
	for (turn = r->turns; turn != NULL; turn = turn->next) {
		if (turn->role == MSG_ASSISTANT)
			claude = turn;
		last = turn;
	}
	if (last == NULL || last->role != MSG_USER)
		return 0;
	for (part = last->parts; part != NULL; part = part->next)
		if (part->kind == MSG_RESULT)
			break;
	if (part == NULL)
		return 0;
	return claude == NULL || claude->parts == NULL ||
	    (claude->parts->kind != MSG_THINK &&
	    claude->parts->kind != MSG_REDACTED);
}

/* E-A11 b; 0: there is no room, or no place, for thinking. */
static uint64_t
manual_budget(const struct plan *w, const struct msg_request *r)
{
	uint64_t most, budget;
	int64_t wanted;

	wanted = r->thinking == MSG_THINK_ON ? r->budget : -1;
	if (wanted < 0)
		wanted = profile_budget(r->effort);
	if (wanted < 0)
		wanted = profile_budget(MSG_EFFORT_MEDIUM);
	budget = wanted < BUDGET_MIN ? BUDGET_MIN : (uint64_t)wanted;
	most = w->limit / 4 * 3 + w->limit % 4 * 3 / 4;
	if (budget > most)
		budget = most;
	return budget < BUDGET_MIN || unsigned_loop(r) ? 0 : budget;
}

/* E-A11 c */
static enum msg_effort
adaptive_effort(const struct msg_request *r, const struct profile *p)
{
	enum msg_effort effort;

	effort = r->effort;
	if (effort == MSG_EFFORT_UNSET && r->thinking == MSG_THINK_ON &&
	    r->budget >= 0)
		effort = profile_effort(r->budget);
	if (effort == MSG_EFFORT_MINIMAL)
		effort = MSG_EFFORT_LOW;
	if (effort == MSG_EFFORT_XHIGH && p->thinking == PROFILE_DUAL)
		effort = MSG_EFFORT_HIGH;
	return effort == MSG_EFFORT_NONE ? MSG_EFFORT_UNSET : effort;
}

/* E-A11 */
static void
plan_thinking(struct plan *w, const struct msg_request *r,
    const struct profile *p)
{
	int forced;

	if (r->thinking == MSG_THINK_UNSET)
		return;
	if (r->thinking == MSG_THINK_OFF) {
		if (p->thinking == PROFILE_ALWAYS) {
			w->effort = MSG_EFFORT_LOW;
			note(r, "clamp:", "thinking");
		} else if (p->thinking != PROFILE_NONE) {
			w->thinking = MODE_OFF;
		}
		return;
	}
	forced = r->choice == MSG_CHOICE_ANY || r->choice == MSG_CHOICE_TOOL;
	if (p->thinking == PROFILE_NONE ||
	    (forced && p->thinking != PROFILE_ALWAYS)) {
		note(r, "drop:", "thinking");
	} else if (p->thinking == PROFILE_MANUAL) {
		w->budget = manual_budget(w, r);
		if (w->budget != 0)
			w->thinking = MODE_BUDGET;
		else
			note(r, "drop:", "thinking");
	} else {
		w->thinking = MODE_ADAPTIVE;
		w->effort = adaptive_effort(r, p);
	}
}

static int
is_thinking(const struct plan *w)
{
	return w->thinking == MODE_BUDGET || w->thinking == MODE_ADAPTIVE;
}

/* The end of E-A11: what may not stand next to thinking. */
static void
plan_beside_thinking(struct plan *w, const struct msg_request *r)
{
	if (number(w->temperature) == 1)
		w->temperature = str_n(NULL, 0);
	drop(r, &w->temperature, "temperature");
	drop(r, &w->top_k, "top_k");
	if (number(w->top_p) < 0.95)
		drop(r, &w->top_p, "top_p");
}

/* E-A12 */
static int
end_turns(const struct plan *w, struct msg_request *r,
    const struct profile *p)
{
	struct msg_turn *last, *turn;
	struct msg_part *part;

	last = normal_last(r);
	if (last == NULL || last->role != MSG_ASSISTANT)
		return 0;
	if (!p->prefill || is_thinking(w)) {
		note(r, "repair:", "prefill");
		turn = msg_turn_add(r->arena, &last->next, MSG_USER);
		return turn == NULL || msg_text_add(r->arena, &turn->parts,
		    str_of("Continue.")) == NULL ? -1 : 0;
	}
	for (part = last->parts; part != NULL; part = part->next)
		if (part->next == NULL && part->kind == MSG_TEXT)
			part->text = text_rtrim(part->text);
	return 0;
}

/* E-A13 */
static int
plan_format(struct plan *w, struct msg_request *r, const struct profile *p)
{
	struct str hint;

	if (r->format == MSG_FORMAT_TEXT)
		return 0;
	if (r->format == MSG_FORMAT_SCHEMA && p->schema) {
		w->format = 1;
		return 0;
	}
	hint = msg_format_hint(r->arena, r);
	return msg_text_add(r->arena, &r->system, hint) == NULL ? -1 : 0;
}

/* ---- writing ---- */

static void
write_cache(struct buf *out, struct str cache)
{
	if (cache.p == NULL)
		return;
	buf_adds(out, ",\"cache_control\":");
	buf_addstr(out, cache);
}

static void
write_text(struct buf *out, struct str text)
{
	buf_adds(out, "{\"type\":\"text\",\"text\":");
	text_write(out, text);
}

/* The name of an image's type as Anthropic takes it; NULL if it does not. */
static const char *
image_type(struct str type)
{
	static const struct {
		const char *is, *sent;
	} types[] = {
		{ "image/jpeg", "image/jpeg" }, { "image/jpg", "image/jpeg" },
		{ "image/png", "image/png" }, { "image/gif", "image/gif" },
		{ "image/webp", "image/webp" }
	};
	size_t i;

	for (i = 0; i < sizeof types / sizeof types[0]; i++)
		if (str_caseis(type, types[i].is))
			return types[i].sent;
	return NULL;
}

/* An image or a document. */
static int
write_media(struct buf *out, const struct msg_part *part,
    struct msg_fault *f)
{
	const char *type;

	type = part->kind == MSG_DOC ? "application/pdf" :
	    image_type(part->type);
	if (part->url.p == NULL && type == NULL)
		return msg_refuse(f, "messages", "messages: Anthropic takes "
		    "images of type jpeg, png, gif and webp only");
	buf_adds(out, part->kind == MSG_DOC ? "{\"type\":\"document\"" :
	    "{\"type\":\"image\"");
	if (part->url.p != NULL) {
		buf_adds(out, ",\"source\":{\"type\":\"url\",\"url\":");
		text_write(out, part->url);
	} else {
		buf_adds(out, ",\"source\":{\"type\":\"base64\","
		    "\"media_type\":\"");
		buf_adds(out, type);
		buf_adds(out, "\",\"data\":");
		text_write(out, part->data);
	}
	buf_adds(out, "}");
	if (part->kind == MSG_DOC && part->title.n > 0) {
		buf_adds(out, ",\"title\":");
		text_write(out, part->title);
	}
	return 0;
}

static int write_parts(struct buf *out, const struct msg_part *parts,
    struct msg_fault *f);

/* E-A4 */
static int
write_result(struct buf *out, const struct msg_part *part,
    struct msg_fault *f)
{
	const struct msg_part *only;

	buf_adds(out, "{\"type\":\"tool_result\",\"tool_use_id\":");
	json_write(out, part->id);
	only = part->parts;
	if (only != NULL && (only->next != NULL || only->kind != MSG_TEXT)) {
		buf_adds(out, ",\"content\":");
		if (write_parts(out, part->parts, f) < 0)
			return -1;
	} else if (only != NULL && only->text.n > 0) {
		buf_adds(out, ",\"content\":");
		text_write(out, only->text);
	}
	if (part->error)
		buf_adds(out, ",\"is_error\":true");
	return 0;
}

static void
write_call(struct buf *out, const struct msg_part *part)
{
	buf_adds(out, "{\"type\":\"tool_use\",\"id\":");
	json_write(out, part->id);
	buf_adds(out, ",\"name\":");
	json_write(out, part->sent);
	buf_adds(out, ",\"input\":");
	buf_addstr(out, part->args);
}

/* A block but for its end. */
static int
write_part(struct buf *out, const struct msg_part *part, struct msg_fault *f)
{
	switch (part->kind) {
	case MSG_TEXT:
	case MSG_REFUSAL:
		write_text(out, part->text);
		return 0;
	case MSG_IMAGE:
	case MSG_DOC:
		return write_media(out, part, f);
	case MSG_AUDIO:
		return msg_refuse(f, "messages",
		    "messages: Anthropic takes no audio");
	case MSG_CALL:
		write_call(out, part);
		return 0;
	case MSG_RESULT:
		return write_result(out, part, f);
	case MSG_THINK:
		buf_adds(out, "{\"type\":\"thinking\",\"thinking\":");
		text_write(out, part->text);
		buf_adds(out, ",\"signature\":");
		json_write(out, part->signature);
		return 0;
	case MSG_REDACTED:
		buf_adds(out, "{\"type\":\"redacted_thinking\",\"data\":");
		text_write(out, part->data);
		return 0;
	}
	return 0;
}

static int
write_parts(struct buf *out, const struct msg_part *parts,
    struct msg_fault *f)
{
	const struct msg_part *part;

	buf_adds(out, "[");
	for (part = parts; part != NULL; part = part->next) {
		if (part != parts)
			buf_adds(out, ",");
		if (write_part(out, part, f) < 0)
			return -1;
		if (part->kind != MSG_THINK && part->kind != MSG_REDACTED)
			write_cache(out, part->cache);
		buf_adds(out, "}");
	}
	return buf_adds(out, "]");
}

static int
write_messages(struct buf *out, const struct msg_request *r,
    struct msg_fault *f)
{
	const struct msg_turn *turn;

	buf_adds(out, ",\"messages\":[");
	for (turn = r->turns; turn != NULL; turn = turn->next) {
		if (turn != r->turns)
			buf_adds(out, ",");
		buf_adds(out, turn->role == MSG_ASSISTANT ?
		    "{\"role\":\"assistant\",\"content\":" :
		    "{\"role\":\"user\",\"content\":");
		if (write_parts(out, turn->parts, f) < 0)
			return -1;
		buf_adds(out, "}");
	}
	return buf_adds(out, "]");
}

/* E-A2 */
static void
write_system(struct buf *out, const struct msg_request *r)
{
	const struct msg_part *part;

	for (part = r->system; part != NULL; part = part->next) {
		buf_adds(out, part == r->system ? ",\"system\":[" : ",");
		write_text(out, part->text);
		write_cache(out, part->cache);
		buf_adds(out, part->next == NULL ? "}]" : "}");
	}
}

static int
write_tool(struct buf *out, struct arena *a, const struct msg_tool *tool)
{
	struct str description;

	description = tool->custom ? msg_custom_description(a, tool) :
	    tool->description;
	buf_adds(out, "{\"name\":");
	json_write(out, tool->sent);
	if (description.n > 0) {
		buf_adds(out, ",\"description\":");
		text_write(out, description);
	}
	buf_adds(out, ",\"input_schema\":");
	if (tool->custom)
		buf_adds(out, MSG_CUSTOM_SCHEMA);
	else if (schema_tool(out, a, tool->schema) < 0)
		return -1;
	write_cache(out, tool->cache);
	return buf_adds(out, "}");
}

/* E-A7; the tools are written already. */
static void
write_choice(struct buf *out, const struct msg_request *r)
{
	static const char *const types[] = {
		"auto", "auto", "any", "tool", "none"
	};

	if (r->choice == MSG_CHOICE_UNSET && !r->parallel_off)
		return;
	buf_adds(out, ",\"tool_choice\":{\"type\":\"");
	buf_adds(out, types[r->choice]);
	buf_adds(out, "\"");
	if (r->choice == MSG_CHOICE_TOOL) {
		buf_adds(out, ",\"name\":");
		json_write(out, r->choice_sent);
	}
	if (r->parallel_off && r->choice != MSG_CHOICE_NONE)
		buf_adds(out, ",\"disable_parallel_tool_use\":true");
	buf_adds(out, "}");
}

/* The place in a table of 2^bits names where a name is, or is to be. */
static struct str *
slot(struct str *table, unsigned bits, struct str name)
{
	size_t mask, i;

	mask = ((size_t)1 << bits) - 1;
	i = (size_t)util_hash(name.p, name.n) & mask;
	while (table[i].p != NULL && !str_eq(table[i], name))
		i = (i + 1) & mask;
	return &table[i];
}

/* The names of all calls, each once. */
static int
history_names(const struct msg_request *r, struct msg_string **names)
{
	const struct msg_turn *turn;
	const struct msg_part *part;
	struct str *table, *at;
	struct msg_string *s;
	unsigned bits;
	size_t n;

	n = 0;
	for (turn = r->turns; turn != NULL; turn = turn->next)
		for (part = turn->parts; part != NULL; part = part->next)
			n += part->kind == MSG_CALL;
	if (n == 0)
		return 0;
	for (bits = 1; (size_t)1 << bits < 2 * n; bits++)
		;
	table = arena_alloc(r->arena, sizeof *table << bits);
	for (turn = table == NULL ? NULL : r->turns; turn != NULL;
	    turn = turn->next)
		for (part = turn->parts; part != NULL; part = part->next) {
			if (part->kind != MSG_CALL)
				continue;
			at = slot(table, bits, part->sent);
			if (at->p != NULL)
				continue;
			*at = part->sent;
			s = msg_string_add(r->arena, names, part->sent);
			if (s == NULL)
				return -1;
			names = &s->next;
		}
	return table == NULL ? -1 : 0;
}

/*
 * E-A6: a history with calls needs tools; without any of its own the request
 * declares their names, and forbids to use them.
 */
static int
write_history_tools(struct buf *out, const struct msg_request *r)
{
	struct msg_string *names, *s;

	names = NULL;
	if (history_names(r, &names) < 0)
		return -1;
	if (names == NULL)
		return 0;
	for (s = names; s != NULL; s = s->next) {
		buf_adds(out, s == names ? ",\"tools\":[{\"name\":" :
		    ",{\"name\":");
		json_write(out, s->s);
		buf_adds(out, ",\"input_schema\":{\"type\":\"object\","
		    "\"properties\":{}}}");
	}
	return buf_adds(out, "],\"tool_choice\":{\"type\":\"none\"}");
}

static int
write_tools(struct buf *out, const struct msg_request *r)
{
	const struct msg_tool *tool;

	if (r->tools == NULL)
		return write_history_tools(out, r);
	for (tool = r->tools; tool != NULL; tool = tool->next) {
		buf_adds(out, tool == r->tools ? ",\"tools\":[" : ",");
		if (write_tool(out, r->arena, tool) < 0)
			return -1;
	}
	buf_adds(out, "]");
	write_choice(out, r);
	return 0;
}

static void
write_raw(struct buf *out, const char *name, struct str raw)
{
	if (raw.p == NULL)
		return;
	buf_adds(out, name);
	buf_addstr(out, raw);
}

/* What an answer needs and a count of tokens refuses. */
static void
write_limits(struct buf *out, const struct plan *w,
    const struct msg_request *r, const struct msg_target *t)
{
	const struct msg_string *s;

	buf_adds(out, ",\"max_tokens\":");
	if (w->max_tokens.p != NULL)
		buf_addstr(out, w->max_tokens);
	else
		buf_addu(out, w->limit);
	write_raw(out, ",\"temperature\":", w->temperature);
	write_raw(out, ",\"top_p\":", w->top_p);
	write_raw(out, ",\"top_k\":", w->top_k);
	for (s = r->stops; s != NULL; s = s->next) {
		buf_adds(out, s == r->stops ? ",\"stop_sequences\":[" : ",");
		text_write(out, s->s);
		if (s->next == NULL)
			buf_adds(out, "]");
	}
	if (r->user.n > 0) {
		buf_adds(out, ",\"metadata\":{\"user_id\":");
		text_write(out, r->user);
		buf_adds(out, "}");
	}
	if (r->tier == MSG_TIER_STANDARD)
		buf_adds(out, ",\"service_tier\":\"standard_only\"");
	else if (r->tier == MSG_TIER_PRIORITY)
		buf_adds(out, ",\"service_tier\":\"auto\"");
	if (t->stream)
		buf_adds(out, ",\"stream\":true");
}

static void
write_thinking(struct buf *out, const struct plan *w,
    const struct msg_request *r)
{
	if (w->thinking == MODE_OFF)
		buf_adds(out, ",\"thinking\":{\"type\":\"disabled\"}");
	if (w->thinking == MODE_BUDGET) {
		buf_adds(out, ",\"thinking\":{\"type\":\"enabled\","
		    "\"budget_tokens\":");
		buf_addu(out, w->budget);
		buf_adds(out, "}");
	}
	if (w->thinking == MODE_ADAPTIVE) {
		buf_adds(out, ",\"thinking\":{\"type\":\"adaptive\"");
		if (r->thoughts)
			buf_adds(out, ",\"display\":\"summarized\"");
		else if (r->thoughts_off)
			buf_adds(out, ",\"display\":\"omitted\"");
		buf_adds(out, "}");
	}
}

static int
write_output(struct buf *out, const struct plan *w,
    const struct msg_request *r)
{
	if (w->effort == MSG_EFFORT_UNSET && !w->format)
		return 0;
	buf_adds(out, ",\"output_config\":{");
	if (w->effort != MSG_EFFORT_UNSET) {
		buf_adds(out, "\"effort\":\"");
		buf_adds(out, msg_effort_name(w->effort));
		buf_adds(out, w->format ? "\"," : "\"");
	}
	if (w->format) {
		buf_adds(out, "\"format\":{\"type\":\"json_schema\","
		    "\"schema\":");
		if (schema_output(out, r->arena, r->schema) < 0)
			return -1;
		buf_adds(out, "}");
	}
	return buf_adds(out, "}");
}

int
anthropic_write_request(struct buf *out, struct msg_request *r,
    const struct msg_target *t, const struct profile *p,
    struct msg_fault *f)
{
	struct plan w = { 0 };

	if (number(r->n) > 1)
		return msg_refuse(f, "n",
		    "n: Anthropic gives one answer to a request");
	if (normal_remind(r) < 0 || normal_blank(r) < 0 ||
	    normal_join(r) < 0 || normal_first(r) < 0)
		return -1;
	plan_limit(&w, r, t, p);
	plan_sampling(&w, r, p);
	plan_thinking(&w, r, p);
	if (is_thinking(&w))
		plan_beside_thinking(&w, r);
	if (plan_losses(r) < 0 || end_turns(&w, r, p) < 0 ||
	    plan_format(&w, r, p) < 0)
		return -1;
	buf_adds(out, "{\"model\":");
	json_write(out, t->model);
	if (t->auto_cache)
		buf_adds(out, ",\"cache_control\":{\"type\":\"ephemeral\"}");
	if (!t->count)
		write_limits(out, &w, r, t);
	write_thinking(out, &w, r);
	if (write_output(out, &w, r) < 0)
		return -1;
	write_system(out, r);
	if (write_tools(out, r) < 0 || write_messages(out, r, f) < 0)
		return -1;
	buf_adds(out, "}");
	return out->bad || r->arena->bad ? -1 : 0;
}
