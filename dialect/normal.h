#ifndef DIALECT_NORMAL_H
#define DIALECT_NORMAL_H

/*
 * Puts a neutral request in order, so that every backend takes it
 * (translation.md 3.4), and the steps that several backends need.  Pure;
 * new parts live in the request's arena.  All return 0, or -1: out of
 * memory.
 */

#include "dialect/message.h"

/*
 * N: neighbours joined; Gemini's raw thoughts joined and their envelopes
 * opened; foreign thoughts dropped; a system turn between calls and their
 * results moved behind these; each call followed by exactly one result
 * in order; results know their call's name; empty turns dropped.
 * client: whose request it was (texts of a Gemini client are joined).
 */
int normal_request(struct msg_request *r, enum dialect client);

/* E-A2, E-G1: system turns become user text in <system-reminder>. */
int normal_remind(struct msg_request *r);

/* E-A3: blank texts are dropped, with what becomes empty. */
int normal_blank(struct msg_request *r);

/* Neighbouring turns of one role (not system turns) become one. */
int normal_join(struct msg_request *r);

/* E-A5, E-G1: no turn left, or the first is the assistant's. */
int normal_first(struct msg_request *r);

/* The last turn, NULL if there is none. */
struct msg_turn *normal_last(const struct msg_request *r);

/*
 * Forced choices that cannot be met (D-A6): a tool that is not there, or any
 * with no tools at all.  -1 with f filled.
 */
int normal_choice(const struct msg_request *r, struct msg_fault *f);

#endif
