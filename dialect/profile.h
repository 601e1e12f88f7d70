#ifndef DIALECT_PROFILE_H
#define DIALECT_PROFILE_H

/*
 * What a model can do, told from its name (translation.md, P), and the table
 * of efforts and budgets (T-1).  Pure.
 */

#include "base/util.h"
#include "dialect/message.h"

enum profile_thinking {
	PROFILE_NONE,		/* no thinking at all */
	PROFILE_MANUAL,		/* Claude: enabled with a budget */
	PROFILE_DUAL,		/* Claude 4.6: both */
	PROFILE_ADAPTIVE,	/* Claude: adaptive and effort */
	PROFILE_ALWAYS,		/* Claude: it cannot be switched off */
	PROFILE_BUDGET,		/* Gemini 2.5: thinkingBudget */
	PROFILE_LEVEL,		/* Gemini 3: thinkingLevel */
	PROFILE_EFFORT		/* OpenAI's reasoning models */
};

struct profile {
	enum profile_thinking thinking;
	unsigned sampling:1;	/* temperature, top_p, top_k are taken */
	unsigned both:1;	/* ... temperature and top_p together */
	unsigned prefill:1;	/* a last assistant turn is continued */
	unsigned schema:1;	/* structured output (output_config.format) */
	unsigned json_tools:1;	/* Gemini: JSON output together with tools */
	unsigned result_media:1;	/* Gemini: media inside a response */
	unsigned cannot_off:1;	/* Gemini: a budget of 0 is refused */
	int64_t budget_min, budget_max;	/* Gemini 2.5, if not 0 */
	unsigned efforts;	/* bit 1 << enum msg_effort: taken */
	uint64_t max_tokens;	/* Claude's default */
};

/* The profile of a model (plain name) at a backend of that dialect. */
void profile_of(struct profile *p, enum dialect d, struct str model);

/* T-1: tokens for an effort; 0 for MSG_EFFORT_NONE, -1 if unset. */
int64_t profile_budget(enum msg_effort e);

/* T-1: the effort that a budget stands for. */
enum msg_effort profile_effort(int64_t budget);

/* The effort of a set that stands for e (itself, or the nearest by T-1). */
enum msg_effort profile_clamp(enum msg_effort e, unsigned efforts);

/*
 * The dialect whose vendor makes models of that name: claude*; gpt-*,
 * chatgpt-*, o<digit>*; gemini*; case ignored.  DIALECT_ANY: none is known,
 * and others too serve models of such names (gemma-*, say).
 */
enum dialect profile_vendor(struct str model);

#endif
