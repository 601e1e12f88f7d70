#include "dialect/openai_write.h"

#include "dialect/normal.h"
#include "dialect/openai_parts.h"
#include "dialect/schema.h"
#include "json.h"

#define STOPS_MAX 4
#define USER_MAX 64

struct write {
	struct buf *out;
	struct msg_request *r;
	struct msg_fault *f;
	unsigned some:1;	/* a message was written */
};

static void
note(struct write *w, const char *prefix, const char *name)
{
	msg_note(w->r->arena, w->r->notes, prefix, str_of(name));
}

/* ,"name": */
static void
key(struct write *w, const char *name)
{
	buf_adds(w->out, ",\"");
	buf_adds(w->out, name);
	buf_adds(w->out, "\":");
}

static void
raw(struct write *w, const char *name, struct str value)
{
	key(w, name);
	buf_addstr(w->out, value);
}

static void
text(struct write *w, struct str s)
{
	buf_addc(w->out, '"');
	buf_addstr(w->out, s);
	buf_addc(w->out, '"');
}

/* A message is begun: {"role":"r" and what follows. */
static void
message(struct write *w, const char *start)
{
	if (w->some)
		buf_addc(w->out, ',');
	w->some = 1;
	buf_adds(w->out, start);
}

/* The texts of a list as one string, sep (escaped) between them. */
static void
joined(struct write *w, const struct msg_part *p, const char *sep)
{
	const char *between = "";

	buf_addc(w->out, '"');
	for (; p != NULL; p = p->next)
		if (p->kind == MSG_TEXT || p->kind == MSG_REFUSAL) {
			buf_adds(w->out, between);
			buf_addstr(w->out, p->text);
			between = sep;
		}
	buf_addc(w->out, '"');
}

static void
write_system(struct write *w, const struct msg_part *texts)
{
	message(w, "{\"role\":\"system\",\"content\":");
	joined(w, texts, "\\n\\n");
	buf_addc(w->out, '}');
}

static int
is_media(const struct msg_part *p)
{
	return p->kind == MSG_IMAGE || p->kind == MSG_DOC ||
	    p->kind == MSG_AUDIO;
}

/* E-O2: a result holds text alone; what else it had follows later. */
static void
write_result(struct write *w, const struct msg_part *result)
{
	const struct msg_part *p;
	const char *between = "";

	message(w, "{\"role\":\"tool\",\"tool_call_id\":");
	json_write(w->out, result->id);
	buf_adds(w->out, ",\"content\":\"");
	if (result->error)
		buf_adds(w->out, "[error] ");
	for (p = result->parts; p != NULL; p = p->next) {
		buf_adds(w->out, between);
		if (is_media(p))
			buf_adds(w->out,
			    "[attachment: see the next user message]");
		else
			buf_addstr(w->out, p->text);
		between = "\\n";
	}
	buf_adds(w->out, "\"}");
}

/* Puts what belongs to the user's own message into a list of its own. */
static int
gather(struct write *w, const struct msg_turn *t, struct msg_part **list)
{
	struct arena *a = w->r->arena;
	const struct msg_part *p, *m;
	struct msg_part *copy;
	struct buf b;

	for (p = t->parts; p != NULL; p = p->next) {
		if (p->kind != MSG_RESULT || !msg_has_media(p->parts))
			continue;
		buf_init(&b, p->id.n + 64);
		buf_adds(&b, "Attachments of tool result ");
		buf_addstr(&b, p->id);
		buf_addc(&b, ':');
		copy = msg_text_add(a, list, text_of(a, arena_take(a, &b)));
		buf_free(&b);
		for (m = p->parts; copy != NULL && m != NULL; m = m->next)
			if (is_media(m)) {
				copy = msg_part_add(a, &copy->next, m->kind);
				if (copy != NULL)
					*copy = *m;
				if (copy != NULL)
					copy->next = NULL;
			}
		if (copy == NULL)
			return -1;
		list = &copy->next;
	}
	for (p = t->parts; p != NULL; p = p->next) {
		if (p->kind != MSG_TEXT && !is_media(p))
			continue;
		if ((copy = msg_part_add(a, list, p->kind)) == NULL)
			return -1;
		*copy = *p;
		copy->next = NULL;
		list = &copy->next;
	}
	return 0;
}

static int
write_user(struct write *w, const struct msg_turn *t)
{
	struct msg_part *list = NULL, *p;

	for (p = t->parts; p != NULL; p = p->next)
		if (p->kind == MSG_RESULT)
			write_result(w, p);
	if (gather(w, t, &list) < 0)
		return -1;
	if (list == NULL)
		return 0;
	message(w, "{\"role\":\"user\",\"content\":");
	if (list->next == NULL && list->kind == MSG_TEXT) {
		text(w, list->text);
		buf_addc(w->out, '}');
		return 0;
	}
	for (p = list; p != NULL; p = p->next) {
		buf_addc(w->out, p == list ? '[' : ',');
		if (openai_parts_write(w->out, w->r->arena, p, w->f) < 0)
			return -1;
	}
	buf_adds(w->out, "]}");
	return 0;
}

static struct str
sent(struct str as, struct str name)
{
	return as.p != NULL ? as : name;
}

static void
write_call(struct write *w, const struct msg_part *p)
{
	struct arena *a = w->r->arena;
	struct str input = { NULL, 0 };

	if (p->custom)
		input = tree_get_text(tree_parse(a, p->args), "input");
	buf_adds(w->out, "{\"id\":");
	json_write(w->out, p->id);
	buf_adds(w->out, input.p != NULL
	    ? ",\"type\":\"custom\",\"custom\":{\"name\":"
	    : ",\"type\":\"function\",\"function\":{\"name\":");
	json_write(w->out, sent(p->sent, p->name));
	key(w, input.p != NULL ? "input" : "arguments");
	text(w, input.p != NULL ? input : text_from_object(a, p->args));
	buf_adds(w->out, "}}");
}

/* What an assistant cannot have said to OpenAI. */
static void
note_media(struct write *w, const struct msg_part *p)
{
	for (; p != NULL; p = p->next)
		if (is_media(p))
			note(w, "drop:content.", p->kind == MSG_IMAGE ? "image"
			    : p->kind == MSG_DOC ? "document" : "audio");
}

static void
write_assistant(struct write *w, const struct msg_turn *t)
{
	const struct msg_part *p;
	unsigned texts = 0, calls = 0;

	note_media(w, t->parts);
	for (p = t->parts; p != NULL; p = p->next) {
		texts |= (p->kind == MSG_TEXT || p->kind == MSG_REFUSAL) &&
		    p->text.n > 0;
		calls |= p->kind == MSG_CALL;
	}
	if (!texts && !calls)
		return;
	message(w, "{\"role\":\"assistant\",\"content\":");
	if (texts)
		joined(w, t->parts, "");
	else
		buf_adds(w->out, "null");
	if (calls)
		key(w, "tool_calls");
	calls = 0;
	for (p = t->parts; p != NULL; p = p->next)
		if (p->kind == MSG_CALL) {
			buf_addc(w->out, calls++ == 0 ? '[' : ',');
			write_call(w, p);
		}
	buf_adds(w->out, calls > 0 ? "]}" : "}");
}

/* Thoughts do not count: they are not sent. */
static int
says_json(const struct msg_part *p)
{
	for (; p != NULL; p = p->next)
		if (((p->kind == MSG_TEXT || p->kind == MSG_REFUSAL) &&
		    str_casefind(p->text, str_of("json")) >= 0) ||
		    says_json(p->parts))
			return 1;
	return 0;
}

/* E-O9: OpenAI refuses JSON mode if no message speaks of it. */
static int
needs_word(const struct msg_request *r)
{
	const struct msg_turn *t;

	if (r->format != MSG_FORMAT_JSON || says_json(r->system))
		return 0;
	for (t = r->turns; t != NULL; t = t->next)
		if (says_json(t->parts))
			return 0;
	return 1;
}

static int
write_messages(struct write *w)
{
	const struct msg_turn *t;

	buf_adds(w->out, ",\"messages\":[");
	if (needs_word(w->r))
		message(w, "{\"role\":\"system\",\"content\":"
		    "\"Respond with valid JSON.\"}");
	if (w->r->system != NULL)
		write_system(w, w->r->system);
	for (t = w->r->turns; t != NULL; t = t->next) {
		if (t->role == MSG_SYSTEM)
			write_system(w, t->parts);
		else if (t->role == MSG_ASSISTANT)
			write_assistant(w, t);
		else if (write_user(w, t) < 0)
			return -1;
		if (t->next == NULL && t->role == MSG_ASSISTANT)
			note(w, "", "prefill");
	}
	buf_addc(w->out, ']');
	return 0;
}

static void
write_tool(struct write *w, const struct msg_tool *t)
{
	buf_adds(w->out, t->custom
	    ? "{\"type\":\"custom\",\"custom\":{\"name\":"
	    : "{\"type\":\"function\",\"function\":{\"name\":");
	json_write(w->out, sent(t->sent, t->name));
	if (t->description.n > 0) {
		key(w, "description");
		text(w, t->description);
	}
	if (!t->custom) {
		key(w, "parameters");
		schema_tool(w->out, w->r->arena, t->schema);
	} else if (t->format != NULL)
		raw(w, "format", t->format->raw);
	buf_adds(w->out, "}}");
}

static void
write_choice(struct write *w)
{
	const struct msg_request *r = w->r;
	const struct msg_tool *t;

	if (r->choice == MSG_CHOICE_UNSET)
		return;
	key(w, "tool_choice");
	if (r->choice != MSG_CHOICE_TOOL) {
		buf_adds(w->out, r->choice == MSG_CHOICE_AUTO ? "\"auto\""
		    : r->choice == MSG_CHOICE_ANY ? "\"required\""
		    : "\"none\"");
		return;
	}
	t = msg_tool_find(r, r->choice_name);
	buf_adds(w->out, t != NULL && t->custom
	    ? "{\"type\":\"custom\",\"custom\":{\"name\":"
	    : "{\"type\":\"function\",\"function\":{\"name\":");
	json_write(w->out, sent(r->choice_sent, r->choice_name));
	buf_adds(w->out, "}}");
}

/* OpenAI refuses both choices where there are no tools. */
static void
write_tools(struct write *w)
{
	const struct msg_tool *t;

	if (w->r->tools == NULL)
		return;
	key(w, "tools");
	for (t = w->r->tools; t != NULL; t = t->next) {
		buf_addc(w->out, t == w->r->tools ? '[' : ',');
		write_tool(w, t);
	}
	buf_addc(w->out, ']');
	write_choice(w);
	if (w->r->parallel_off)
		raw(w, "parallel_tool_calls", str_of("false"));
}

static void
write_limit(struct write *w, const struct msg_target *t)
{
	const char *name = t->max_tokens_old ? "max_tokens"
	    : "max_completion_tokens";

	if (w->r->max_tokens.p != NULL)
		raw(w, name, w->r->max_tokens);
	else if (t->max_tokens != 0) {
		key(w, name);
		buf_addu(w->out, t->max_tokens);
	}
}

/* E-O7: returns what is sent. */
static enum msg_effort
write_effort(struct write *w, const struct profile *p)
{
	const struct msg_request *r = w->r;
	enum msg_effort e = r->effort;

	if (r->thinking == MSG_THINK_OFF)
		e = MSG_EFFORT_NONE;
	else if (e == MSG_EFFORT_UNSET && r->thinking == MSG_THINK_ON &&
	    r->budget >= 0)
		e = profile_effort(r->budget);
	if (e == MSG_EFFORT_UNSET)
		return e;
	if (p->efforts == 0) {
		if (e != MSG_EFFORT_NONE)
			note(w, "drop:", "reasoning_effort");
		return MSG_EFFORT_UNSET;
	}
	e = profile_clamp(e, p->efforts);
	key(w, "reasoning_effort");
	json_write(w->out, str_of(msg_effort_name(e)));
	return e;
}

static void
sample(struct write *w, const char *name, struct str value, int taken)
{
	if (value.p == NULL)
		return;
	if (taken)
		raw(w, name, value);
	else
		note(w, "drop:", name);
}

/* E-O8: taken: the model does not reason, or not for this request. */
static void
write_sampling(struct write *w, int taken)
{
	const struct msg_request *r = w->r;
	double t;

	if (taken || json_double(r->temperature, &t) < 0 || t < 1 || t > 1)
		sample(w, "temperature", r->temperature, taken);
	sample(w, "top_p", r->top_p, taken);
	sample(w, "top_k", r->top_k, 0);
	sample(w, "presence_penalty", r->presence_penalty, taken);
	sample(w, "frequency_penalty", r->frequency_penalty, taken);
	if (r->logprobs) {
		sample(w, "logprobs", str_of("true"), taken);
		if (taken)
			sample(w, "top_logprobs", r->top_logprobs, 1);
	}
	sample(w, "logit_bias", r->logit_bias, 1);
	sample(w, "seed", r->seed, 1);
	if (json_double(r->n, &t) == 0 && (t < 1 || t > 1))
		raw(w, "n", r->n);
}

static void
write_stops(struct write *w, int taken)
{
	const struct msg_string *s = w->r->stops;
	unsigned n = 0;

	if (s == NULL)
		return;
	if (!taken) {
		note(w, "drop:", "stop");
		return;
	}
	key(w, "stop");
	for (; s != NULL && n < STOPS_MAX; s = s->next) {
		buf_addc(w->out, n++ == 0 ? '[' : ',');
		text(w, s->s);
	}
	buf_addc(w->out, ']');
	if (s != NULL)
		note(w, "clamp:", "stop");
}

static void
write_format(struct write *w)
{
	const struct msg_request *r = w->r;

	if (r->format == MSG_FORMAT_TEXT)
		return;
	key(w, "response_format");
	if (r->format == MSG_FORMAT_JSON) {
		buf_adds(w->out, "{\"type\":\"json_object\"}");
		return;
	}
	buf_adds(w->out, "{\"type\":\"json_schema\",\"json_schema\":"
	    "{\"name\":");
	text(w, r->schema_name.n > 0 ? r->schema_name : str_of("response"));
	raw(w, "schema", r->schema != NULL ? r->schema->raw : str_of("{}"));
	raw(w, "strict", str_of(schema_strict(r->schema) ? "true" : "false"));
	buf_adds(w->out, "}}");
}

/* E-O10 */
static void
write_rest(struct write *w, const struct msg_target *t)
{
	const struct msg_request *r = w->r;
	struct str plain;
	char hash[17];

	if (r->user.n > 0) {
		plain = text_plain(r->arena, r->user);
		key(w, "user");
		if (plain.n > USER_MAX) {
			text_fnv64(hash, plain);
			buf_adds(w->out, "\"u_");
			buf_adds(w->out, hash);
			buf_addc(w->out, '"');
		} else
			text(w, r->user);
	}
	if (r->tier != MSG_TIER_UNSET)
		raw(w, "service_tier", str_of(
		    r->tier == MSG_TIER_STANDARD ? "\"default\"" :
		    r->tier == MSG_TIER_PRIORITY ? "\"priority\"" :
		    "\"flex\""));
	if (t->stream)
		buf_adds(w->out, ",\"stream\":true,\"stream_options\":"
		    "{\"include_usage\":true}");
}

int
openai_write_request(struct buf *out, struct msg_request *r,
    const struct msg_target *t, const struct profile *p,
    struct msg_fault *f)
{
	struct write w;
	enum msg_effort effort;

	w.out = out;
	w.r = r;
	w.f = f;
	w.some = 0;
	buf_adds(out, "{\"model\":");
	json_write(out, t->model);
	if (write_messages(&w) < 0)
		return -1;
	write_tools(&w);
	write_limit(&w, t);
	effort = write_effort(&w, p);
	write_sampling(&w, p->efforts == 0 || effort == MSG_EFFORT_NONE);
	write_stops(&w, p->efforts == 0);
	write_format(&w);
	write_rest(&w, t);
	buf_addc(out, '}');
	return out->bad || r->arena->bad ? -1 : 0;
}
