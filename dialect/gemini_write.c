#include "dialect/gemini_write.h"

#include <string.h>

#include "dialect/normal.h"
#include "dialect/schema.h"
#include "json.h"

#define STOPS_MAX 5	/* what the API takes */

/* Lets a call pass that Gemini did not make itself (E-G3). */
static const char no_signature[] = "skip_thought_signature_validator";

/* A comma, unless this is the first of its container. */
static void
sep(struct buf *out)
{
	struct str s = buf_str(out);

	if (s.n > 0 && s.p[s.n - 1] != '{' && s.p[s.n - 1] != '[')
		buf_addc(out, ',');
}

/* The name of a member of an object, up to its value. */
static void
key(struct buf *out, const char *name)
{
	sep(out);
	buf_addc(out, '"');
	buf_adds(out, name);
	buf_adds(out, "\":");
}

static void
note(struct msg_request *r, const char *code)
{
	msg_note(r->arena, r->notes, code, str_n("", 0));
}

/* ---- contents ---- */

/* The media type of an address, by the end of its path (E-G4). */
static const char *
type_of_url(struct arena *a, const struct msg_part *p)
{
	static const struct {
		const char *end, *type;
	} types[] = {
		{ ".png", "image/png" }, { ".jpg", "image/jpeg" },
		{ ".jpeg", "image/jpeg" }, { ".gif", "image/gif" },
		{ ".webp", "image/webp" }, { ".pdf", "application/pdf" }
	};
	struct str url = text_plain(a, p->url);
	size_t i, n;

	for (i = 0; i < url.n; i++)
		if (url.p[i] == '?' || url.p[i] == '#')
			url.n = i;
	for (i = 0; i < sizeof types / sizeof types[0]; i++) {
		n = strlen(types[i].end);
		if (url.n > n && str_caseis(str_n(url.p + url.n - n, n),
		    types[i].end))
			return types[i].type;
	}
	return p->kind == MSG_DOC ? "application/pdf" : "image/jpeg";
}

static int
is_media(const struct msg_part *p)
{
	return p->kind == MSG_IMAGE || p->kind == MSG_DOC ||
	    p->kind == MSG_AUDIO;
}

static void
write_media(struct buf *out, struct arena *a, const struct msg_part *p)
{
	sep(out);
	if (p->url.p != NULL) {
		buf_adds(out, "{\"fileData\":{\"mimeType\":\"");
		buf_adds(out, type_of_url(a, p));
		buf_adds(out, "\",\"fileUri\":");
		text_write(out, p->url);
	} else {
		buf_adds(out, "{\"inlineData\":{\"mimeType\":");
		json_write(out, p->type);
		buf_adds(out, ",\"data\":");
		text_write(out, p->data);
	}
	buf_adds(out, "}}");
}

static void
write_text(struct buf *out, struct str text)
{
	sep(out);
	buf_adds(out, "{\"text\":");
	text_write(out, text);
	buf_addc(out, '}');
}

static void
write_id_name(struct buf *out, const struct msg_part *p)
{
	if (p->id.n > 0) {
		key(out, "id");
		json_write(out, p->id);
	}
	key(out, "name");
	json_write(out, p->sent.p != NULL ? p->sent : p->name);
}

/* E-G3: first: of the turn, which must be signed on some models. */
static void
write_call(struct buf *out, const struct profile *profile,
    const struct msg_part *p, int first)
{
	struct str signature = p->signature;

	if (signature.n == 0 && first && profile->thinking == PROFILE_LEVEL)
		signature = str_of(no_signature);
	sep(out);
	buf_adds(out, "{\"functionCall\":{");
	write_id_name(out, p);
	key(out, "args");
	buf_addstr(out, p->args.n > 0 ? p->args : str_of("{}"));
	buf_addc(out, '}');
	if (signature.n > 0) {
		key(out, "thoughtSignature");
		json_write(out, signature);
	}
	buf_addc(out, '}');
}

/* The media of a result, each an element of a list. */
static void
write_result_media(struct buf *out, struct arena *a,
    const struct msg_part *result)
{
	const struct msg_part *p;

	for (p = result->parts; p != NULL; p = p->next)
		if (is_media(p))
			write_media(out, a, p);
}

/* E-G2 */
static void
write_result(struct buf *out, struct arena *a, const struct msg_part *p,
    int with_media)
{
	sep(out);
	buf_adds(out, "{\"functionResponse\":{");
	write_id_name(out, p);
	buf_adds(out, p->error ? ",\"response\":{\"error\":"
	    : ",\"response\":{\"output\":");
	text_write(out, msg_join(a, p->parts, "\n"));
	buf_addc(out, '}');
	if (with_media && msg_has_media(p->parts)) {
		buf_adds(out, ",\"parts\":[");
		write_result_media(out, a, p);
		buf_addc(out, ']');
	}
	buf_adds(out, "}}");
}

static void
write_turn(struct buf *out, struct arena *a, const struct profile *profile,
    const struct msg_turn *t)
{
	const struct msg_part *p;
	int calls = 0;

	sep(out);
	buf_adds(out, t->role == MSG_ASSISTANT
	    ? "{\"role\":\"model\",\"parts\":["
	    : "{\"role\":\"user\",\"parts\":[");
	for (p = t->parts; p != NULL; p = p->next)
		if (p->kind == MSG_RESULT)
			write_result(out, a, p, profile->result_media);
	for (p = t->parts; p != NULL && !profile->result_media; p = p->next)
		if (p->kind == MSG_RESULT)
			write_result_media(out, a, p);
	for (p = t->parts; p != NULL; p = p->next) {
		if (is_media(p))
			write_media(out, a, p);
		else if (p->kind == MSG_CALL)
			write_call(out, profile, p, calls++ == 0);
		else if (p->kind == MSG_TEXT || p->kind == MSG_REFUSAL)
			write_text(out, p->text);
	}
	buf_adds(out, "]}");
}

/* Thoughts of others mean nothing to Gemini. */
static void
drop_thoughts(struct msg_request *r)
{
	struct msg_turn **t = &r->turns;
	struct msg_part **p;

	while (*t != NULL) {
		for (p = &(*t)->parts; *p != NULL; ) {
			if ((*p)->kind == MSG_THINK ||
			    (*p)->kind == MSG_REDACTED)
				*p = (*p)->next;
			else
				p = &(*p)->next;
		}
		if ((*t)->parts == NULL)
			*t = (*t)->next;
		else
			t = &(*t)->next;
	}
}

static int
write_contents(struct buf *out, struct msg_request *r,
    const struct profile *profile)
{
	const struct msg_turn *t;

	drop_thoughts(r);
	if (normal_remind(r) == -1 || normal_join(r) == -1 ||
	    normal_first(r) == -1)
		return -1;
	key(out, "contents");
	buf_addc(out, '[');
	for (t = r->turns; t != NULL; t = t->next)
		write_turn(out, r->arena, profile, t);
	buf_addc(out, ']');
	return 0;
}

static void
write_system(struct buf *out, const struct msg_part *system)
{
	if (system == NULL)
		return;
	key(out, "systemInstruction");
	buf_adds(out, "{\"parts\":[");
	for (; system != NULL; system = system->next)
		write_text(out, system->text);
	buf_adds(out, "]}");
}

/* ---- tools ---- */

/*
 * S-G for a function.  Where alternatives at the top would leave it without
 * parameters although it has some, as with {properties, anyOf: [{required}]},
 * they are merged first, as for the other APIs (S-T).
 */
static int
write_parameters(struct buf *out, struct arena *a, const struct node *schema)
{
	struct buf flat;
	struct str text;
	int rc = schema_gemini_tool(out, a, schema);

	if (rc != 1 || tree_get(schema, "properties") == NULL)
		return rc;
	buf_init(&flat, out->max);
	rc = -1;
	if (schema_tool(&flat, a, schema) == 0 &&
	    (text = arena_take(a, &flat)).p != NULL)
		rc = schema_gemini_tool(out, a, tree_parse(a, text));
	buf_free(&flat);
	return rc;
}

static int
write_tool(struct buf *out, struct arena *a, const struct msg_tool *t)
{
	const struct node *schema = t->schema;
	struct str description = t->description;
	size_t was;
	int rc;

	if (t->custom) {
		schema = tree_parse(a, str_of(MSG_CUSTOM_SCHEMA));
		description = msg_custom_description(a, t);
	}
	sep(out);
	buf_adds(out, "{\"name\":");
	json_write(out, t->sent.p != NULL ? t->sent : t->name);
	if (description.n > 0) {
		key(out, "description");
		text_write(out, description);
	}
	was = out->len;
	key(out, "parameters");
	rc = write_parameters(out, a, schema);
	if (rc == 1)
		buf_cut(out, was);
	buf_addc(out, '}');
	return rc == -1 ? -1 : 0;
}

static int
write_tools(struct buf *out, const struct msg_request *r)
{
	const struct msg_tool *t;

	if (r->tools == NULL)
		return 0;
	key(out, "tools");
	buf_adds(out, "[{\"functionDeclarations\":[");
	for (t = r->tools; t != NULL; t = t->next)
		if (write_tool(out, r->arena, t) == -1)
			return -1;
	buf_adds(out, "]}]");
	return 0;
}

/* E-G5; without tools a configuration of them is refused. */
static void
write_choice(struct buf *out, struct msg_request *r)
{
	if (r->parallel_off)
		note(r, "drop:parallel_tool_calls");
	if (r->tools == NULL || r->choice == MSG_CHOICE_UNSET)
		return;
	key(out, "toolConfig");
	buf_adds(out, "{\"functionCallingConfig\":{\"mode\":\"");
	buf_adds(out, r->choice == MSG_CHOICE_AUTO ? "AUTO\""
	    : r->choice == MSG_CHOICE_NONE ? "NONE\"" : "ANY\"");
	if (r->choice == MSG_CHOICE_TOOL) {
		buf_adds(out, ",\"allowedFunctionNames\":[");
		json_write(out, r->choice_sent.p != NULL ? r->choice_sent
		    : r->choice_name);
		buf_addc(out, ']');
	}
	buf_adds(out, "}}");
}

/* ---- generationConfig ---- */

static void
number(struct buf *out, const char *name, struct str raw)
{
	if (raw.p == NULL)
		return;
	key(out, name);
	buf_addstr(out, raw);
}

static void
write_stops(struct buf *out, struct msg_request *r)
{
	const struct msg_string *s;
	int n = 0;

	if (r->stops == NULL)
		return;
	key(out, "stopSequences");
	buf_addc(out, '[');
	for (s = r->stops; s != NULL && n < STOPS_MAX; s = s->next, n++) {
		sep(out);
		text_write(out, s->s);
	}
	buf_addc(out, ']');
	if (s != NULL)
		note(r, "clamp:stop");
}

static void
write_numbers(struct buf *out, struct msg_request *r,
    const struct msg_target *t)
{
	double n;

	if (r->max_tokens.p != NULL)
		number(out, "maxOutputTokens", r->max_tokens);
	else if (t->max_tokens > 0) {
		key(out, "maxOutputTokens");
		buf_addu(out, t->max_tokens);
	}
	number(out, "temperature", r->temperature);
	number(out, "topP", r->top_p);
	number(out, "topK", r->top_k);
	write_stops(out, r);
	number(out, "presencePenalty", r->presence_penalty);
	number(out, "frequencyPenalty", r->frequency_penalty);
	number(out, "seed", r->seed);
	if (r->n.p != NULL && (json_double(r->n, &n) == -1 || n < 1 || n > 1))
		number(out, "candidateCount", r->n);
	if (r->logprobs) {
		key(out, "responseLogprobs");
		buf_adds(out, "true");
		number(out, "logprobs", r->top_logprobs);
	}
	if (r->logit_bias.p != NULL)
		note(r, "drop:logit_bias");
}

/* Models before Gemini 3 give JSON or call tools, not both (E-G7). */
static int
only_hint(const struct msg_request *r, const struct profile *p)
{
	return r->format != MSG_FORMAT_TEXT && r->tools != NULL &&
	    !p->json_tools;
}

static int
write_format(struct buf *out, struct msg_request *r, const struct profile *p)
{
	if (r->format == MSG_FORMAT_TEXT || only_hint(r, p))
		return 0;
	key(out, "responseMimeType");
	buf_adds(out, "\"application/json\"");
	if (r->format != MSG_FORMAT_SCHEMA || r->schema == NULL)
		return 0;
	key(out, "responseSchema");
	return schema_gemini(out, r->arena, r->schema);
}

static void
write_budget(struct buf *out, struct msg_request *r, const struct profile *p)
{
	int64_t budget = -1;

	if (r->thinking == MSG_THINK_OFF) {
		budget = p->cannot_off ? p->budget_min : 0;
		if (p->cannot_off)
			note(r, "clamp:thinking");
	} else {
		if (r->thinking == MSG_THINK_ON && r->budget > 0)
			budget = r->budget;
		else if (r->effort != MSG_EFFORT_UNSET)
			budget = profile_budget(r->effort);
		if (budget >= 0 && budget < p->budget_min)
			budget = p->budget_min;
		if (budget > p->budget_max && p->budget_max > 0)
			budget = p->budget_max;
	}
	key(out, "thinkingBudget");
	if (budget < 0)
		buf_adds(out, "-1");
	else
		buf_addu(out, (uint64_t)budget);
}

static enum msg_effort
lowest(unsigned efforts)
{
	unsigned e;

	for (e = MSG_EFFORT_NONE; e <= MSG_EFFORT_MAX; e++)
		if ((efforts & 1u << e) != 0)
			return (enum msg_effort)e;
	return MSG_EFFORT_UNSET;
}

static void
write_level(struct buf *out, struct msg_request *r, const struct profile *p)
{
	enum msg_effort e = r->effort;
	const char *name;

	if (r->thinking == MSG_THINK_OFF) {
		e = lowest(p->efforts);
		note(r, "clamp:thinking");
	} else {
		if (e == MSG_EFFORT_UNSET && r->thinking == MSG_THINK_ON &&
		    r->budget > 0)
			e = profile_effort(r->budget);
		if (e != MSG_EFFORT_UNSET)
			e = profile_clamp(e, p->efforts);
	}
	if (e == MSG_EFFORT_UNSET)
		return;
	key(out, "thinkingLevel");
	buf_addc(out, '"');
	for (name = msg_effort_name(e); *name != '\0'; name++)
		buf_addc(out, *name >= 'a' && *name <= 'z'
		    ? (char)(*name - 'a' + 'A') : *name);
	buf_addc(out, '"');
}

/* E-G8 */
static void
write_thinking(struct buf *out, struct msg_request *r,
    const struct profile *p)
{
	size_t was = out->len, start;

	if (r->thinking == MSG_THINK_UNSET)
		return;
	if (p->thinking != PROFILE_BUDGET && p->thinking != PROFILE_LEVEL) {
		if (r->thinking != MSG_THINK_OFF)
			note(r, "drop:thinking");
		return;
	}
	key(out, "thinkingConfig");
	buf_addc(out, '{');
	start = out->len;
	if (p->thinking == PROFILE_BUDGET)
		write_budget(out, r, p);
	else
		write_level(out, r, p);
	if (r->thinking != MSG_THINK_OFF && r->thoughts) {
		key(out, "includeThoughts");
		buf_adds(out, "true");
	}
	if (out->len > start)
		buf_addc(out, '}');
	else
		buf_cut(out, was);
}

static int
write_config(struct buf *out, struct msg_request *r,
    const struct msg_target *t, const struct profile *p)
{
	size_t was = out->len, start;
	int rc;

	key(out, "generationConfig");
	buf_addc(out, '{');
	start = out->len;
	write_numbers(out, r, t);
	rc = write_format(out, r, p);
	write_thinking(out, r, p);
	if (out->len > start)
		buf_addc(out, '}');
	else
		buf_cut(out, was);
	return rc;
}

static void
write_tier(struct buf *out, enum msg_tier tier)
{
	if (tier == MSG_TIER_UNSET)
		return;
	key(out, "serviceTier");
	buf_adds(out, tier == MSG_TIER_FLEX ? "\"flex\""
	    : tier == MSG_TIER_PRIORITY ? "\"priority\"" : "\"standard\"");
}

static int
write_generate(struct buf *out, struct msg_request *r,
    const struct msg_target *t, const struct profile *p)
{
	const struct msg_turn *last;

	buf_addc(out, '{');
	if (write_contents(out, r, p) == -1)
		return -1;
	last = normal_last(r);
	if (last != NULL && last->role == MSG_ASSISTANT)
		note(r, "prefill");
	write_system(out, r->system);
	if (write_tools(out, r) == -1)
		return -1;
	write_choice(out, r);
	if (write_config(out, r, t, p) == -1)
		return -1;
	write_tier(out, r->tier);
	buf_addc(out, '}');
	return 0;
}

/* Section 11: what is counted, and nothing of how it would be answered. */
static int
write_count(struct buf *out, struct msg_request *r,
    const struct msg_target *t, const struct profile *p)
{
	struct buf name;

	buf_init(&name, t->model.n + 7);
	buf_adds(&name, "models/");
	buf_addstr(&name, t->model);
	buf_adds(out, "{\"generateContentRequest\":{\"model\":");
	json_write(out, buf_str(&name));
	if (name.bad)
		r->arena->bad = 1;
	buf_free(&name);
	if (write_contents(out, r, p) == -1)
		return -1;
	write_system(out, r->system);
	if (write_tools(out, r) == -1)
		return -1;
	buf_adds(out, "}}");
	return 0;
}

int
gemini_write_request(struct buf *out, struct msg_request *r,
    const struct msg_target *t, const struct profile *p,
    struct msg_fault *f)
{
	int rc;

	(void)f;	/* everything has a form here */
	if (only_hint(r, p)) {
		note(r, "drop:response_format");
		if (msg_text_add(r->arena, &r->system,
		    msg_format_hint(r->arena, r)) == NULL)
			return -1;
	}
	rc = t->count ? write_count(out, r, t, p)
	    : write_generate(out, r, t, p);
	return rc == -1 || out->bad || r->arena->bad ? -1 : 0;
}
