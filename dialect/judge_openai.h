#ifndef DIALECT_JUDGE_OPENAI_H
#define DIALECT_JUDGE_OPENAI_H

/*
 * Whether an answer keeps to the form of Chat Completions (translation.md 1.2).
 * Each returns NULL, or in a few words what is wrong; see
 * dialect/validate.h for the two levels.  Pure.
 */

#include "dialect/judge.h"

/* The next event of a stream; data is not empty. */
const char *judge_openai_event(struct validate *v, struct str name,
    struct str data);

/* The end of a stream: whether it is complete. */
const char *judge_openai_end(const struct validate *v);

/* A whole plain answer. */
const char *judge_openai_answer(struct validate *v, struct str body);

#endif
