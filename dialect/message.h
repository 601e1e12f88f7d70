#ifndef DIALECT_MESSAGE_H
#define DIALECT_MESSAGE_H

/*
 * What all dialects read and write: the neutral request, and the events of
 * an answer.  Slices of the client's (or the upstream's) text wherever a
 * thing passes as it is, else bytes in the request's arena.  Rule numbers
 * such as D-A4 or E-G7 in this folder are those of the written rules of
 * translation, in docs/translation.md.
 *
 * Fields called "text" below are the inside of a JSON string, still escaped
 * ("text" in dialect/text.h); "plain" is UTF-8; "raw" a whole JSON value.
 * An absent slice has p NULL.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/util.h"
#include "dialect/dialect.h"
#include "dialect/text.h"
#include "wire/json_tree.h"

enum msg_kind {
	MSG_TEXT, MSG_IMAGE, MSG_DOC, MSG_AUDIO, MSG_CALL, MSG_RESULT,
	MSG_THINK, MSG_REDACTED, MSG_REFUSAL
};

/* A piece of a turn, or of a tool's result. */
struct msg_part {
	struct msg_part *next;
	enum msg_kind kind;
	struct str text;	/* text: of TEXT, THINK, REFUSAL */
	struct str data;	/* text: base64 of IMAGE, DOC, AUDIO; data of
				   REDACTED */
	struct str url;		/* text: of IMAGE, DOC, instead of data */
	struct str type;	/* plain: media type; absent with a url */
	struct str title;	/* text: name of a DOC */
	struct str id;		/* plain: of CALL and RESULT, without carrier */
	struct str name;	/* plain: of CALL; of RESULT where known */
	struct str sent;	/* plain: name in the backend's shape (N-1) */
	struct str args;	/* raw: object, of CALL */
	struct str signature;	/* plain: of CALL Gemini's, of THINK Claude's */
	struct str cache;	/* raw: cache_control that came with it */
	struct msg_part *parts;	/* of RESULT: TEXT, IMAGE, DOC, AUDIO */
	unsigned error:1;	/* of RESULT */
	unsigned custom:1;	/* CALL (and RESULT) of a free-form tool: args
				   is {"input":"..."} */
	unsigned thought:1;	/* THINK as a Gemini client gave it: not yet
				   joined, its envelope not opened (N-2) */
};

enum msg_role { MSG_USER, MSG_ASSISTANT, MSG_SYSTEM };

struct msg_turn {
	struct msg_turn *next;
	enum msg_role role;
	struct msg_part *parts;
};

/* A function, or a free-form ("custom") tool of OpenAI's. */
struct msg_tool {
	struct msg_tool *next;
	struct str name;	/* plain */
	struct str sent;	/* plain: in the backend's shape (N-1) */
	struct str description;	/* text */
	struct node *schema;	/* JSON Schema; NULL: none */
	struct node *format;	/* of a custom tool; NULL: plain text */
	struct str cache;	/* raw */
	unsigned custom:1;
};

enum msg_choice {
	MSG_CHOICE_UNSET, MSG_CHOICE_AUTO, MSG_CHOICE_ANY, MSG_CHOICE_TOOL,
	MSG_CHOICE_NONE
};

enum msg_thinking { MSG_THINK_UNSET, MSG_THINK_OFF, MSG_THINK_ON,
	MSG_THINK_ADAPTIVE };

/* In rising order. */
enum msg_effort {
	MSG_EFFORT_UNSET, MSG_EFFORT_NONE, MSG_EFFORT_MINIMAL, MSG_EFFORT_LOW,
	MSG_EFFORT_MEDIUM, MSG_EFFORT_HIGH, MSG_EFFORT_XHIGH, MSG_EFFORT_MAX
};

enum msg_tier { MSG_TIER_UNSET, MSG_TIER_STANDARD, MSG_TIER_PRIORITY,
	MSG_TIER_FLEX };

enum msg_format { MSG_FORMAT_TEXT, MSG_FORMAT_JSON, MSG_FORMAT_SCHEMA };

/* A list of strings. */
struct msg_string {
	struct msg_string *next;
	struct str s;
};

/* Codes of what was dropped, changed or repaired (J-5), each once. */
struct msg_notes {
	struct msg_string *first;	/* plain, in order of appearance */
};

/* Classes of errors (translation.md 10). */
enum msg_class {
	MSG_INVALID, MSG_CONTEXT, MSG_AUTH, MSG_BILLING, MSG_PERMISSION,
	MSG_NOT_FOUND, MSG_CONFLICT, MSG_TOO_LARGE, MSG_RATE, MSG_OVERLOADED,
	MSG_TIMEOUT, MSG_SERVER, MSG_GATEWAY
};

/* Why a request cannot be translated: always MSG_INVALID. */
struct msg_fault {
	char why[240];		/* plain; names the field */
	char param[64];		/* the field, for OpenAI clients; "" */
};

struct msg_request {
	struct arena *arena;	/* borrowed; all below lives there */
	struct msg_notes *notes;	/* borrowed */
	struct str model;	/* plain: as the client named it */
	struct msg_part *system;	/* TEXT, before the first turn */
	struct msg_turn *turns;
	struct msg_tool *tools;
	enum msg_choice choice;
	struct str choice_name;	/* plain: of MSG_CHOICE_TOOL */
	struct str choice_sent;	/* plain: in the backend's shape */
	unsigned parallel_off:1;
	unsigned stream:1;
	unsigned include_usage:1;	/* OpenAI: stream_options */
	unsigned thoughts:1;	/* the client wants thoughts shown */
	unsigned thoughts_off:1;	/* it said that it does not */
	unsigned logprobs:1;
	/* Raw numbers, absent if not given. */
	struct str max_tokens, temperature, top_p, top_k, presence_penalty,
	    frequency_penalty, seed, n, top_logprobs;
	struct str logit_bias;	/* raw */
	struct msg_string *stops;	/* texts */
	enum msg_thinking thinking;
	int64_t budget;		/* tokens, of MSG_THINK_ON; -1: none given */
	enum msg_effort effort;
	enum msg_format format;
	struct node *schema;	/* of MSG_FORMAT_SCHEMA */
	struct str schema_name;	/* text; absent: none */
	struct str user;	/* text */
	enum msg_tier tier;
};

/* What a backend is, for those who write it a request. */
struct msg_target {
	enum dialect dialect;
	struct str model;	/* plain: as the backend calls it */
	unsigned stream:1;	/* ask for a stream */
	unsigned count:1;	/* ask only for the number of tokens */
	/* Options of the backend's configuration. */
	unsigned auto_cache:1;	/* anthropic_auto_cache (E-A14) */
	unsigned max_tokens_old:1;	/* "max_tokens" for OpenAI (E-O6) */
	uint64_t max_tokens;	/* if the client names none; 0: profile's */
};

/* ---- answers ---- */

enum msg_stop {
	MSG_STOP_END, MSG_STOP_MAX, MSG_STOP_TOOL, MSG_STOP_SEQUENCE,
	MSG_STOP_REFUSAL, MSG_STOP_PAUSE
};

enum msg_event_kind {
	MSG_START,	/* id, usage as far as known */
	MSG_OPEN,	/* a part begins: part; CALL: id, name, signature;
			   REDACTED: data */
	MSG_DELTA,	/* text: a piece of TEXT, THINK or REFUSAL; of a CALL
			   a piece of the JSON text of its arguments */
	MSG_CITE,	/* inside TEXT: cite */
	MSG_CLOSE,	/* the part ends; THINK: signature */
	MSG_FINISH,	/* of a choice: stop, sequence, refusal, logprobs */
	MSG_USAGE,	/* usage: all of it */
	MSG_END,	/* nothing follows */
	MSG_ERROR	/* class, text: nothing follows */
};

/*
 * One event.  Its slices live as long as the call that brings it.  Of one
 * choice no parts overlap; each OPEN has its CLOSE; all FINISH come in the
 * order of the choices, before USAGE and END.
 */
struct msg_event {
	enum msg_event_kind kind;
	unsigned choice;
	enum msg_kind part;	/* OPEN, DELTA, CLOSE */
	struct str text;	/* text: DELTA; ERROR: the message */
	struct str id;		/* plain: START the answer's, OPEN the call's;
				   absent or empty: none (ID-3) */
	struct str name;	/* plain: the function; as the client knows it
				   once it has passed translate.c (N-2) */
	struct str signature;	/* plain: OPEN of CALL Gemini's; CLOSE of
				   THINK: Claude's own, or "xl1.o", "xl1.g" */
	struct str data;	/* text: REDACTED */
	struct str url, title;	/* text: CITE, of the part that is open */
	unsigned custom:1;	/* OPEN of CALL: the client's tool is custom;
				   set by translate.c */
	enum msg_stop stop;
	struct str sequence;	/* text: the stop sequence that was met */
	struct str refusal;	/* text: an explanation, absent if none */
	struct node *logprobs;	/* OpenAI's logprobs or Gemini's
				   logprobsResult; NULL: none */
	enum dialect logprobs_of;
	struct dialect_usage usage;	/* START, USAGE; -1: not told */
	enum msg_class class;
};

/* Who takes the events. */
struct msg_sink {
	void (*take)(void *arg, const struct msg_event *e);
	void *arg;
	struct msg_notes *notes;	/* borrowed: drop:content.* and so on */
	struct arena *arena;	/* borrowed: the notes live there */
};

/*
 * What the writer of an answer must know of its request.  Borrowed; lives as
 * long as the answer.
 */
struct msg_context {
	struct str model;	/* plain: the client's */
	unsigned stream:1, include_usage:1, thoughts:1, json_array:1;
	enum dialect upstream;	/* who answers */
	const struct node *request;	/* the client's body, for Responses */
	int64_t created;	/* seconds since 1970 */
	uint64_t *random;	/* state of util_random(), for ID-3 */
	struct str request_id;	/* plain: ours, in errors of Anthropic's */
	struct arena *arena;	/* for notes; lives with the answer */
	struct msg_notes *notes;
};

/* ---- makers ---- */

/*
 * A zeroed part, turn or tool at the end of a list; NULL: out of memory.
 * Whoever makes a list of a client's length gives the address of the last
 * one's next as the list: from the first one on, each has to be walked.
 */
struct msg_part *msg_part_add(struct arena *a, struct msg_part **list,
    enum msg_kind kind);
struct msg_turn *msg_turn_add(struct arena *a, struct msg_turn **list,
    enum msg_role role);
struct msg_tool *msg_tool_add(struct arena *a, struct msg_tool **list);
struct msg_string *msg_string_add(struct arena *a, struct msg_string **list,
    struct str s);

/* A TEXT part at the end of a list. */
struct msg_part *msg_text_add(struct arena *a, struct msg_part **list,
    struct str text);

/*
 * Notes a code: prefix and plain name, such as "drop:tool." and "bash".  It
 * goes into a header, so the name is cut to 64 bytes and what may not stand
 * there becomes '_'; beyond MSG_NOTES_MAX codes nothing is noted.
 */
#define MSG_NOTES_MAX 32
void msg_note(struct arena *a, struct msg_notes *n, const char *prefix,
    struct str name);

/* Fills a fault; returns -1. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
int msg_refuse(struct msg_fault *f, const char *param, const char *fmt, ...);

/*
 * D-A4, D-O3, D-G2: the text <document title="T">\n..\n</document> around
 * texts joined by LF.  title, context: texts, absent if not given.
 */
struct str msg_document(struct arena *a, struct str title,
    struct str context, const struct msg_part *texts);

/*
 * The texts of the TEXT parts of a list, joined by sep (plain, such as
 * "\n").  "" if there are none.
 */
struct str msg_join(struct arena *a, const struct msg_part *parts,
    const char *sep);

/* 1 if a list holds an IMAGE, DOC or AUDIO. */
int msg_has_media(const struct msg_part *parts);

/* The tool of that (plain) name; NULL. */
struct msg_tool *msg_tool_find(const struct msg_request *r, struct str name);

/* D-O5: a custom tool as a function: its schema (raw), its description. */
#define MSG_CUSTOM_SCHEMA "{\"type\":\"object\",\"properties\":{\"input\":" \
	"{\"type\":\"string\"}},\"required\":[\"input\"]}"
struct str msg_custom_description(struct arena *a, const struct msg_tool *t);

/* E-A13: the text that asks for JSON, with or without a schema. */
struct str msg_format_hint(struct arena *a, const struct msg_request *r);

/* The names of efforts: "none" .. "max"; MSG_EFFORT_UNSET: not one. */
enum msg_effort msg_effort_of(struct str plain);
const char *msg_effort_name(enum msg_effort e);

/*
 * Makes a data: URL of base64 into type and data; -1 if url is no such thing.
 * (D-O3)
 */
int msg_data_url(struct arena *a, struct str url, struct str *type,
    struct str *data);

/* ---- a whole answer, gathered from its events ---- */

struct msg_cite {
	struct msg_cite *next;
	const struct msg_part *part;	/* the TEXT it belongs to */
	struct str url, title;
};

struct msg_gather_choice {
	struct msg_gather_choice *next;	/* of a higher index */
	unsigned index;
	struct msg_part *parts;	/* TEXT, THINK, REDACTED, CALL, REFUSAL; of a
				   CALL text is the JSON text as it came and
				   args the object that it means (ARG-1) */
	struct msg_cite *cites;
	struct msg_event finish;	/* its slices live in the arena */
	unsigned finished:1;
	/* The gatherer's own. */
	struct msg_part *part;	/* the one that is open */
	struct msg_part **part_end;
	struct msg_cite **cite_end;
	struct msg_string *held, **held_end;	/* its text up to where
						   another choice cut in */
};

struct msg_gather {
	struct arena *arena;	/* borrowed */
	struct msg_notes *notes;	/* borrowed: repair:tool_arguments */
	struct msg_gather_choice *choices;	/* in order of their index */
	struct str id;
	struct dialect_usage usage;
	struct buf open;	/* owned: of the part that is open */
	struct msg_gather_choice *opener;	/* whose text open holds */
	unsigned ended:1;
	unsigned failed:1;
	enum msg_class class;	/* of the error, if failed */
	struct str message;	/* text */
};

/*
 * All but what is open lives in the arena.  Whether something was lost for
 * want of memory is told by a->bad.  Parts of different choices may be open
 * at one time; a part that is not closed before the end has no text.
 */
void msg_gather_start(struct msg_gather *g, struct arena *a,
    struct msg_notes *notes);
void msg_gather_take(void *g, const struct msg_event *e);
void msg_gather_free(struct msg_gather *g);

#endif
