#ifndef DIALECT_NAMES_H
#define DIALECT_NAMES_H

/*
 * Ids and names as they travel: Gemini's signatures carried inside the ids
 * of calls (ID-1), ids and tool names in the shape that each backend takes
 * (ID-2, N-1), and back (N-2), ids of answers (ID-3, ID-4), marks and
 * envelopes of signatures (MARK).  Pure.  All strings are plain.
 */

#include "base/arena.h"
#include "base/util.h"
#include "dialect/message.h"

/*
 * The original and the sent name of each tool of a request.  Lives in the
 * request's arena.
 */
struct names {
	struct name {
		struct name *next;
		struct str name, sent;
		unsigned custom:1;
		struct name *kid[2][2];	/* below it in the two trees */
	} *first;
	struct name *root[2];	/* trees by name and by sent */
};

/*
 * N-1: gives each tool, each call of the history, each result with a name
 * and the forced choice its name in the shape of a dialect (`sent`), and
 * remembers the pairs.  -1: out of memory.
 */
int names_map(struct names *n, struct msg_request *r, enum dialect d);

/*
 * N-2: the name that the client knows for one that came back, and whether
 * that tool is custom.  The name itself if it is not known: exactly, without
 * a leading "default_api:" or "default_api.", or as the only one that
 * differs in nothing but case.
 */
struct str names_back(const struct names *n, struct str sent, int *custom);

/* ID-2 on all calls and results of a request; -1: out of memory. */
int names_ids(struct msg_request *r, enum dialect d);

/* ID-2 for one id. */
struct str names_id(struct arena *a, struct str id, enum dialect d);

/*
 * ID-1: takes an id from a client apart; *signature: what it carried (plain
 * bytes, p NULL if nothing).  Returns the base, which is never empty: an
 * id that is only a carrier stays whole.
 */
struct str names_split(struct arena *a, struct str id, struct str *signature);

/* ID-1: an id for a client: base, and a signature to carry (absent: none). */
struct str names_carry(struct arena *a, struct str base,
    struct str signature);

/*
 * ID-3: a new call id for a client of that dialect: "toolu_" or "call_" and
 * 24 random characters.
 */
struct str names_new_id(struct arena *a, uint64_t *random, enum dialect d);

/*
 * ID-4: the id of an answer in a client's dialect (op tells Responses), made
 * of the upstream's; random if nothing of that is left.
 */
struct str names_answer_id(struct arena *a, struct str id, enum dialect d,
    enum dialect_op op, uint64_t *random);

/* MARK: 1 if a signature is one that we minted ("xl1."). */
int names_marked(struct str signature);

/*
 * MARK: Claude's signature (or redacted data, if redacted is set) in the
 * envelope that other dialects carry: base64 of "xl1.a.t." or "xl1.a.r."
 * and the signature.
 */
struct str names_seal(struct arena *a, struct str signature, int redacted);

/*
 * Opens an envelope: 1 a thinking signature, 2 redacted data, in *inside;
 * 0 if it is none.
 */
int names_open(struct arena *a, struct str envelope, struct str *inside);

#endif
