#ifndef TESTS_TALK_WRITE_H
#define TESTS_TALK_WRITE_H

/*
 * The conversations of tests/talk.h as a client of each API writes them.
 */

#include "tests/talk.h"

/* Where JSON goes, with the commas. */
struct talk_out {
	struct buf *b;
	struct arena *a;
	int client;
	int nameless;
};

/* A comma, unless something was just opened. */
static void
put(struct talk_out *o, const char *s)
{
	struct str was = buf_str(o->b);

	if (was.n > 0 && memchr("{[:", was.p[was.n - 1], 3) == NULL &&
	    memchr("}]", s[0], 2) == NULL)
		buf_addc(o->b, ',');
	buf_adds(o->b, s);
}

static void
put_text(struct talk_out *o, const char *key, struct str text)
{
	if (text.p == NULL)
		return;
	put(o, key);
	gen_quoted(o->b, text);
}

static void
put_plain(struct talk_out *o, const char *key, struct str plain)
{
	put(o, key);
	json_write(o->b, plain);
}

static void
put_raw(struct talk_out *o, const char *key, struct str raw)
{
	if (raw.p == NULL)
		return;
	put(o, key);
	buf_addstr(o->b, raw);
}

/* An id with what it carries. */
static void
put_id(struct talk_out *o, const char *key, const struct msg_part *p)
{
	put_plain(o, key, names_carry(o->a, p->id, p->signature));
}

static struct str
media_type(const struct msg_part *p)
{
	if (str_is(p->type, "image/jpeg") && gen_chance(30))
		return str_of("image/jpg");
	return p->type;
}

static void
put_data_url(struct talk_out *o, const char *key, const struct msg_part *p)
{
	put(o, key);
	buf_adds(o->b, "\"data:");
	buf_addstr(o->b, media_type(p));
	buf_adds(o->b, ";base64,");
	buf_addstr(o->b, p->data);
	buf_adds(o->b, "\"");
}

/* ---- parts as each API has them ---- */

static void
a_media(struct talk_out *o, const struct msg_part *p)
{
	put(o, p->kind == MSG_DOC ? "{\"type\":\"document\",\"source\":{" :
	    "{\"type\":\"image\",\"source\":{");
	if (p->url.p != NULL) {
		put(o, "\"type\":\"url\"");
		put_text(o, "\"url\":", p->url);
	} else {
		put(o, "\"type\":\"base64\"");
		put_plain(o, "\"media_type\":", media_type(p));
		put_text(o, "\"data\":", p->data);
	}
	put(o, "}");
	put_text(o, "\"title\":", p->title);
	put(o, "}");
}

static void
o_media(struct talk_out *o, const struct msg_part *p)
{
	if (p->kind == MSG_AUDIO) {
		put(o, "{\"type\":\"input_audio\",\"input_audio\":{");
		put_text(o, "\"data\":", p->data);
		put(o, str_is(p->type, "audio/mp3") ? "\"format\":\"mp3\"}}" :
		    "\"format\":\"wav\"}}");
	} else if (p->kind == MSG_DOC) {
		put(o, o->client == TALK_R ? "{\"type\":\"input_file\"" :
		    "{\"type\":\"file\",\"file\":{");
		put_text(o, "\"filename\":", p->title);
		put_data_url(o, "\"file_data\":", p);
		put(o, o->client == TALK_R ? "}" : "}}");
	} else {
		put(o, o->client == TALK_R ? "{\"type\":\"input_image\"" :
		    "{\"type\":\"image_url\",\"image_url\":{");
		if (p->url.p != NULL)
			put_text(o, o->client == TALK_R ? "\"image_url\":" :
			    "\"url\":", p->url);
		else
			put_data_url(o, o->client == TALK_R ?
			    "\"image_url\":" : "\"url\":", p);
		put(o, o->client == TALK_R ? "}" : "}}");
	}
}

static void
g_media(struct talk_out *o, const struct msg_part *p)
{
	struct str data = p->data, type = media_type(p);

	if (str_is(type, "audio/mp3") && gen_chance(50))
		type = str_of("audio/mpeg");
	if (p->url.p != NULL) {
		put(o, gen_chance(50) ? "{\"fileData\":{" : "{\"file_data\":{");
		put_plain(o, "\"mimeType\":", str_of(p->kind == MSG_DOC ?
		    "application/pdf" : "image/png"));
		put_text(o, "\"fileUri\":", p->url);
	} else {
		if (str_is(data, "+/8=") && gen_chance(50))
			data = str_of("-_8");
		put(o, gen_chance(50) ? "{\"inlineData\":{" :
		    "{\"inline_data\":{");
		put_plain(o, "\"mimeType\":", type);
		put_text(o, "\"data\":", data);
	}
	put_text(o, "\"displayName\":", p->title);
	put(o, "}}");
}

static int
is_media(const struct msg_part *p)
{
	return p->kind == MSG_IMAGE || p->kind == MSG_DOC ||
	    p->kind == MSG_AUDIO;
}

/* A text or a medium. */
static void
put_content(struct talk_out *o, const struct msg_part *p, int assistant)
{
	if (is_media(p)) {
		if (o->client == TALK_A)
			a_media(o, p);
		else if (o->client == TALK_G)
			g_media(o, p);
		else
			o_media(o, p);
		return;
	}
	put(o, o->client == TALK_G ? "{" : o->client != TALK_R ?
	    "{\"type\":\"text\"" : assistant ? "{\"type\":\"output_text\"" :
	    "{\"type\":\"input_text\"");
	put_text(o, "\"text\":", p->text);
	put(o, "}");
}

/* The contents of a list: as a string, if it can be and chance wills. */
static void
put_contents(struct talk_out *o, const char *key, const struct msg_part *p,
    int assistant)
{
	const struct msg_part *at, *only = NULL;
	unsigned n = 0;

	for (at = p; at != NULL; at = at->next)
		if (at->kind == MSG_TEXT || is_media(at)) {
			only = at;
			n++;
		}
	if (n == 1 && only->kind == MSG_TEXT && gen_chance(50)) {
		put_text(o, key, only->text);
		return;
	}
	put(o, key);
	put(o, "[");
	for (; p != NULL; p = p->next)
		if (p->kind == MSG_TEXT || is_media(p))
			put_content(o, p, assistant);
	put(o, "]");
}

/* ---- Anthropic ---- */

static void
a_part(struct talk_out *o, const struct msg_part *p)
{
	if (p->kind == MSG_THINK) {
		put(o, "{\"type\":\"thinking\"");
		put_text(o, "\"thinking\":", p->text);
		put_plain(o, "\"signature\":", p->signature);
		put(o, "}");
	} else if (p->kind == MSG_REDACTED) {
		put(o, "{\"type\":\"redacted_thinking\"");
		put_text(o, "\"data\":", p->data);
		put(o, "}");
	} else if (p->kind == MSG_CALL) {
		put(o, "{\"type\":\"tool_use\"");
		put_id(o, "\"id\":", p);
		put_plain(o, "\"name\":", p->name);
		put_raw(o, "\"input\":", p->args);
		put(o, "}");
	} else if (p->kind == MSG_RESULT) {
		put(o, "{\"type\":\"tool_result\"");
		put_id(o, "\"tool_use_id\":", p);
		if (p->parts != NULL || gen_chance(50))
			put_contents(o, "\"content\":", p->parts, 0);
		if (p->error || gen_chance(30))
			put(o, p->error ? "\"is_error\":true" :
			    "\"is_error\":false");
		put(o, "}");
	} else
		put_content(o, p, 0);
}

static void
a_messages(struct talk_out *o, const struct msg_request *r)
{
	static const char *const roles[] = { "user", "assistant", "system" };
	const struct msg_turn *t;
	const struct msg_part *p;

	put_contents(o, "\"system\":", r->system, 0);
	put(o, "\"messages\":[");
	for (t = r->turns; t != NULL; t = t->next) {
		put(o, "{");
		put_plain(o, "\"role\":", str_of(roles[t->role]));
		if (t->parts != NULL && t->parts->next == NULL &&
		    t->parts->kind == MSG_TEXT)
			put_contents(o, "\"content\":", t->parts, 0);
		else {
			put(o, "\"content\":[");
			for (p = t->parts; p != NULL; p = p->next)
				a_part(o, p);
			put(o, "]");
		}
		put(o, "}");
	}
	put(o, "]");
}

/* ---- OpenAI ---- */

static void
o_call(struct talk_out *o, const struct msg_part *p)
{
	struct node *n = p->custom ? tree_parse(o->a, p->args) : NULL;
	struct buf b;

	put_plain(o, "\"name\":", p->name);
	if (p->custom) {
		put_text(o, "\"input\":", tree_get_text(n, "input"));
		return;
	}
	buf_init(&b, GEN_MAX);
	text_nest(&b, p->args);
	put_text(o, "\"arguments\":", p->text.p != NULL ? p->text :
	    gen_made(o->a, &b));
	buf_free(&b);
}

static void
o_assistant(struct talk_out *o, const struct msg_turn *t)
{
	const struct msg_part *p;

	put(o, "{\"role\":\"assistant\",\"thinking_blocks\":[");
	for (p = t->parts; p != NULL; p = p->next)
		if (p->kind == MSG_THINK || p->kind == MSG_REDACTED)
			a_part(o, p);
	put(o, "]");
	put_contents(o, "\"content\":", t->parts, 1);
	put(o, "\"tool_calls\":[");
	for (p = t->parts; p != NULL; p = p->next) {
		if (p->kind != MSG_CALL)
			continue;
		put(o, "{");
		put_id(o, "\"id\":", p);
		put(o, p->custom ? "\"type\":\"custom\",\"custom\":{" :
		    "\"type\":\"function\",\"function\":{");
		o_call(o, p);
		put(o, "}}");
	}
	put(o, "]}");
}

static int
has_content(const struct msg_part *p)
{
	while (p != NULL && p->kind != MSG_TEXT && !is_media(p))
		p = p->next;
	return p != NULL;
}

static void
o_messages(struct talk_out *o, const struct msg_request *r)
{
	const struct msg_turn *t;
	const struct msg_part *p;

	put(o, "\"messages\":[");
	for (p = r->system; p != NULL; p = p->next) {
		put(o, "{\"role\":\"developer\"");
		put_text(o, "\"content\":", p->text);
		put(o, "}");
	}
	for (t = r->turns; t != NULL; t = t->next) {
		if (t->role == MSG_ASSISTANT) {
			o_assistant(o, t);
			continue;
		}
		for (p = t->parts; p != NULL; p = p->next) {
			if (p->kind != MSG_RESULT)
				continue;
			put(o, "{\"role\":\"tool\"");
			put_id(o, "\"tool_call_id\":", p);
			put_contents(o, "\"content\":", p->parts, 0);
			put(o, "}");
		}
		if (!has_content(t->parts))
			continue;
		put(o, t->role == MSG_SYSTEM ? "{\"role\":\"system\"" :
		    "{\"role\":\"user\"");
		put_contents(o, "\"content\":", t->parts, 0);
		put(o, "}");
	}
	put(o, "]");
}

/* ---- Responses ---- */

static void
r_item(struct talk_out *o, const struct msg_part *p)
{
	if (p->kind == MSG_THINK || p->kind == MSG_REDACTED) {
		put(o, "{\"type\":\"reasoning\",\"summary\":[");
		if (p->kind == MSG_THINK) {
			put(o, "{\"type\":\"summary_text\"");
			put_text(o, "\"text\":", p->text);
			put(o, "}");
		}
		put(o, "]");
		put_plain(o, "\"encrypted_content\":", names_seal(o->a,
		    p->kind == MSG_THINK ? p->signature :
		    text_plain(o->a, p->data), p->kind == MSG_REDACTED));
	} else if (p->kind == MSG_CALL) {
		put(o, p->custom ? "{\"type\":\"custom_tool_call\"" :
		    "{\"type\":\"function_call\"");
		put_id(o, "\"call_id\":", p);
		o_call(o, p);
	} else {
		put(o, p->custom ? "{\"type\":\"custom_tool_call_output\"" :
		    "{\"type\":\"function_call_output\"");
		put_id(o, "\"call_id\":", p);
		put_contents(o, "\"output\":", p->parts, 0);
	}
	put(o, "}");
}

static void
r_items(struct talk_out *o, const struct msg_request *r)
{
	static const char *const roles[] = { "user", "assistant", "system" };
	const struct msg_turn *t;
	const struct msg_part *p;

	put(o, "\"input\":[");
	for (p = r->system; p != NULL; p = p->next) {
		put(o, "{\"role\":\"system\"");
		put_text(o, "\"content\":", p->text);
		put(o, "}");
	}
	for (t = r->turns; t != NULL; t = t->next) {
		for (p = t->parts; p != NULL; p = p->next)
			if (p->kind == MSG_THINK || p->kind == MSG_REDACTED ||
			    p->kind == MSG_RESULT)
				r_item(o, p);
		if (has_content(t->parts) || gen_chance(10)) {
			put(o, "{\"type\":\"message\"");
			put_plain(o, "\"role\":", str_of(roles[t->role]));
			put_contents(o, "\"content\":", t->parts,
			    t->role == MSG_ASSISTANT);
			put(o, "}");
		}
		for (p = t->parts; p != NULL; p = p->next)
			if (p->kind == MSG_CALL)
				r_item(o, p);
	}
	put(o, "]");
}

/* ---- Gemini ---- */

static void
g_signed(struct talk_out *o, struct str text, struct str seal)
{
	put(o, "{\"thought\":true");
	put_text(o, "\"text\":", text);
	if (seal.p != NULL)
		put_plain(o, "\"thoughtSignature\":", seal);
	put(o, "}");
}

static void
g_result(struct talk_out *o, const struct msg_part *p)
{
	const struct msg_part *m;

	put(o, "{\"functionResponse\":{");
	if (!o->nameless)
		put_plain(o, "\"id\":", p->id);
	put_plain(o, "\"name\":", p->name);
	put(o, "\"response\":{");
	if (p->parts != NULL && p->parts->kind == MSG_TEXT)
		put_text(o, p->error ? "\"error\":" : gen_chance(50) ?
		    "\"output\":" : "\"result\":", p->parts->text);
	else
		put(o, p->error ? "\"error\":\"\"" : "\"output\":\"\"");
	put(o, "}");
	put(o, "\"parts\":[");
	for (m = p->parts; m != NULL; m = m->next)
		if (is_media(m))
			put_content(o, m, 0);
	put(o, "]}}");
}

static void
g_part(struct talk_out *o, const struct msg_part *p)
{
	struct str none = str_n(NULL, 0);

	if (p->kind == MSG_THINK) {
		if (gen_chance(50)) {
			g_signed(o, p->text, none);
			g_signed(o, str_of(""), names_seal(o->a,
			    p->signature, 0));
		} else
			g_signed(o, p->text, names_seal(o->a, p->signature,
			    0));
	} else if (p->kind == MSG_REDACTED) {
		g_signed(o, str_of(""), names_seal(o->a,
		    text_plain(o->a, p->data), 1));
	} else if (p->kind == MSG_CALL) {
		put(o, gen_chance(50) ? "{\"functionCall\":{" :
		    "{\"function_call\":{");
		if (!o->nameless)
			put_plain(o, "\"id\":", p->id);
		put_plain(o, "\"name\":", p->name);
		put_raw(o, "\"args\":", p->args);
		put(o, "}");
		if (p->signature.p != NULL)
			put_plain(o, "\"thoughtSignature\":", p->signature);
		put(o, "}");
	} else if (p->kind == MSG_RESULT)
		g_result(o, p);
	else
		put_content(o, p, 0);
}

static void
g_contents(struct talk_out *o, const struct msg_request *r)
{
	const struct msg_turn *t;
	const struct msg_part *p;

	put(o, gen_chance(50) ? "\"systemInstruction\":{\"parts\":[" :
	    "\"system_instruction\":{\"parts\":[");
	for (p = r->system; p != NULL; p = p->next)
		put_content(o, p, 0);
	put(o, "]}");
	put(o, "\"contents\":[");
	for (t = r->turns; t != NULL; t = t->next) {
		put(o, t->role == MSG_ASSISTANT ?
		    "{\"role\":\"model\",\"parts\":[" :
		    "{\"role\":\"user\",\"parts\":[");
		for (p = t->parts; p != NULL; p = p->next)
			g_part(o, p);
		put(o, "]}");
	}
	put(o, "]");
}

/* ---- what is around the messages ---- */

static void
put_tool(struct talk_out *o, const struct msg_tool *t)
{
	const struct node *grammar = tree_get(t->format, "grammar");

	put(o, o->client == TALK_O ? t->custom ?
	    "{\"type\":\"custom\",\"custom\":{" :
	    "{\"type\":\"function\",\"function\":{" : o->client != TALK_R ?
	    "{" : t->custom ? "{\"type\":\"custom\"" :
	    "{\"type\":\"function\",\"strict\":false");
	put_plain(o, "\"name\":", t->name);
	put_text(o, "\"description\":", t->description);
	if (t->schema != NULL)
		put_raw(o, o->client == TALK_A ? "\"input_schema\":" :
		    o->client == TALK_G ? "\"parametersJsonSchema\":" :
		    "\"parameters\":", t->schema->raw);
	if (t->format != NULL && o->client == TALK_O)
		put_raw(o, "\"format\":", t->format->raw);
	else if (t->format != NULL) {
		put(o, "\"format\":{\"type\":\"grammar\"");
		put_text(o, "\"syntax\":", tree_get_text(grammar, "syntax"));
		put_text(o, "\"definition\":", tree_get_text(grammar,
		    "definition"));
		put(o, "}");
	}
	put(o, o->client == TALK_O ? "}}" : "}");
}

static void
put_tools(struct talk_out *o, const struct msg_request *r)
{
	const struct msg_tool *t;

	if (r->tools == NULL)
		return;
	put(o, o->client == TALK_G ? "\"tools\":[{\"functionDeclarations\":["
	    : "\"tools\":[");
	for (t = r->tools; t != NULL; t = t->next)
		put_tool(o, t);
	put(o, o->client == TALK_G ? "]}]" : "]");
}

static void
put_choice(struct talk_out *o, const struct msg_request *r)
{
	static const char *const names[3][5] = {
		{ "", "auto", "any", "tool", "none" },
		{ "", "auto", "required", "", "none" },
		{ "", "AUTO", "ANY", "ANY", "NONE" }
	};
	const struct msg_tool *t = msg_tool_find(r, r->choice_name);
	const char *type = t != NULL && t->custom ? "custom" : "function";

	if (r->choice == MSG_CHOICE_UNSET)
		return;
	if (o->client == TALK_A || o->client == TALK_G) {
		put(o, o->client == TALK_A ? "\"tool_choice\":{\"type\":" :
		    "\"toolConfig\":{\"functionCallingConfig\":{\"mode\":");
		json_write(o->b, str_of(names[o->client][r->choice]));
		if (r->choice == MSG_CHOICE_TOOL && o->client == TALK_A)
			put_plain(o, "\"name\":", r->choice_name);
		else if (r->choice == MSG_CHOICE_TOOL) {
			put(o, "\"allowedFunctionNames\":[");
			json_write(o->b, r->choice_name);
			put(o, "]");
		}
		if (r->parallel_off)
			put(o, "\"disable_parallel_tool_use\":true");
		put(o, o->client == TALK_A ? "}" : "}}");
		return;
	}
	put(o, "\"tool_choice\":");
	if (r->choice != MSG_CHOICE_TOOL) {
		json_write(o->b, str_of(names[TALK_O][r->choice]));
		return;
	}
	put_plain(o, "{\"type\":", str_of(type));
	if (o->client == TALK_O) {
		put_plain(o, "", str_of(type));
		buf_adds(o->b, ":{");
	}
	put_plain(o, "\"name\":", r->choice_name);
	put(o, o->client == TALK_O ? "}}" : "}");
}

static void
put_stops(struct talk_out *o, const char *key, const struct msg_request *r)
{
	const struct msg_string *s;

	if (r->stops == NULL)
		return;
	put(o, key);
	for (s = r->stops; s != NULL; s = s->next)
		put_text(o, "", s->s);
	put(o, "]");
}

static void
g_config(struct talk_out *o, const struct msg_request *r)
{
	put(o, "\"generationConfig\":{");
	put_raw(o, "\"maxOutputTokens\":", r->max_tokens);
	put_raw(o, "\"temperature\":", r->temperature);
	put_raw(o, "\"top_p\":", r->top_p);
	put_raw(o, "\"topK\":", r->top_k);
	put_raw(o, "\"presencePenalty\":", r->presence_penalty);
	put_raw(o, "\"frequency_penalty\":", r->frequency_penalty);
	put_raw(o, "\"seed\":", r->seed);
	put_raw(o, "\"candidateCount\":", r->n);
	if (r->logprobs)
		put(o, "\"responseLogprobs\":true");
	put_raw(o, "\"logprobs\":", r->top_logprobs);
	put_stops(o, "\"stopSequences\":[", r);
	if (r->format != MSG_FORMAT_TEXT)
		put(o, "\"responseMimeType\":\"application/json\"");
	if (r->format == MSG_FORMAT_SCHEMA)
		put_raw(o, "\"responseJsonSchema\":", r->schema->raw);
	put(o, "}");
}

static void
o_config(struct talk_out *o, const struct msg_request *r)
{
	int responses = o->client == TALK_R;

	put_raw(o, responses ? "\"max_output_tokens\":" : gen_chance(50) ?
	    "\"max_tokens\":" : "\"max_completion_tokens\":", r->max_tokens);
	put_raw(o, "\"temperature\":", r->temperature);
	put_raw(o, "\"top_p\":", r->top_p);
	put_raw(o, "\"presence_penalty\":", r->presence_penalty);
	put_raw(o, "\"frequency_penalty\":", r->frequency_penalty);
	put_raw(o, "\"seed\":", r->seed);
	put_raw(o, "\"n\":", r->n);
	if (r->logprobs)
		put(o, "\"logprobs\":true");
	put_raw(o, "\"top_logprobs\":", r->top_logprobs);
	put_stops(o, "\"stop\":[", r);
	put_text(o, gen_chance(50) ? "\"user\":" : "\"safety_identifier\":",
	    r->user);
	if (r->parallel_off)
		put(o, "\"parallel_tool_calls\":false");
	if (r->format == MSG_FORMAT_TEXT)
		return;
	put(o, responses ? "\"text\":{\"format\":{" : "\"response_format\":{");
	put(o, r->format == MSG_FORMAT_JSON ? "\"type\":\"json_object\"" :
	    "\"type\":\"json_schema\"");
	if (r->format == MSG_FORMAT_SCHEMA) {
		put(o, responses ? "\"name\":\"n_1\"" :
		    "\"json_schema\":{\"name\":\"n_1\"");
		put_raw(o, "\"schema\":", r->schema->raw);
		if (!responses)
			put(o, "}");
	}
	put(o, responses ? "}}" : "}");
}

static void
a_config(struct talk_out *o, const struct msg_request *r)
{
	put_raw(o, "\"max_tokens\":", r->max_tokens);
	put_raw(o, "\"temperature\":", r->temperature);
	put_raw(o, "\"top_p\":", r->top_p);
	put_raw(o, "\"top_k\":", r->top_k);
	put_stops(o, "\"stop_sequences\":[", r);
	put(o, "\"metadata\":{");
	put_text(o, "\"user_id\":", r->user);
	put(o, "}");
	if (r->format == MSG_FORMAT_SCHEMA) {
		put(o, "\"output_config\":{\"format\":{\"type\":"
		    "\"json_schema\"");
		put_raw(o, "\"schema\":", r->schema->raw);
		put(o, "}}");
	}
}

static const char *
tier_name(int client, enum msg_tier tier)
{
	static const char *const names[] = { "", "standard", "priority",
	    "flex" };

	if (tier == MSG_TIER_STANDARD && client != TALK_G)
		return client == TALK_A ? "standard_only" : "default";
	return names[tier];
}

/* The body of a request; nameless: without the ids of calls. */
static void
talk_write(struct buf *b, const struct msg_request *r, int client,
    int nameless)
{
	static void (*const messages[])(struct talk_out *,
	    const struct msg_request *) = {
		a_messages, o_messages, g_contents, r_items
	};
	static void (*const configs[])(struct talk_out *,
	    const struct msg_request *) = {
		a_config, o_config, g_config, o_config
	};
	struct talk_out o;

	o.b = b;
	o.a = r->arena;
	o.client = client;
	o.nameless = nameless;
	buf_adds(b, "{\"model\":\"asked\"");
	messages[client](&o, r);
	put_tools(&o, r);
	put_choice(&o, r);
	configs[client](&o, r);
	if (r->tier != MSG_TIER_UNSET)
		put_plain(&o, client == TALK_G ? "\"serviceTier\":" :
		    "\"service_tier\":", str_of(tier_name(client, r->tier)));
	buf_addc(b, '}');
}

#endif
