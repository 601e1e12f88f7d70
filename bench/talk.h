#ifndef BENCH_TALK_H
#define BENCH_TALK_H

#include <stddef.h>
#include <stdint.h>

/*
 * What the load and the mock say to each other: a request and its answer,
 * plain or as an event stream, of Anthropic Messages or of OpenAI Chat. Both
 * sides make it here, so the load knows each byte that a right answer has; of
 * one that was translated on the way it knows the number of text events.
 */

enum talk_api { TALK_ANTHROPIC, TALK_OPENAI };

#define TALK_ANSWER	1536	/* bytes in the body of a plain answer */
#define TALK_STAMP	19	/* digits of a send time */
#define TALK_MIN_EVENTS	6	/* five that frame a message, one of text */

enum { TALK_KINDS = 6, TALK_FRAME = 768 };

/* The frames of a stream, each one event in one chunk. */
struct talk_stream {
	enum talk_api api;
	char frame[TALK_KINDS][TALK_FRAME];
	size_t length[TALK_KINDS];	/* as sent, chunk framing included */
	size_t body[TALK_KINDS];	/* the event alone */
	size_t stamp;		/* where the send time stands in a text event */
};

/*
 * "anthropic" or "openai"; anything else exits 2.
 */
enum talk_api	talk_api(const char *name);

/*
 * A request of `size` (1024 or more) body bytes for port `port`, head
 * included, its length in *len. "stream" is the body's last member, as the
 * SDKs write it. The caller frees it. Exits without memory.
 */
char	*talk_request(enum talk_api api, int port, size_t size, int stream,
    size_t *len);

/*
 * The body of a plain answer: TALK_ANSWER bytes and a NUL. The caller frees
 * it. Exits without memory.
 */
char	*talk_body(enum talk_api api);

/*
 * A whole answer, head and body, its length in *len: the plain message for
 * status 200, else an error of that status. The caller frees it.
 */
char	*talk_answer(enum talk_api api, int status, size_t *len);

/* The head that goes before the events of a stream. */
const char	*talk_stream_head(void);

void	talk_stream_init(struct talk_stream *t, enum talk_api api);

/*
 * The event number i of n, as it goes over the wire, its length in *len. An
 * event of text carries `now` as its send time: TALK_STAMP digits and '~' at
 * the end of the text. The last one also ends the answer. Valid until the
 * next call.
 */
const char	*talk_event(struct talk_stream *t, unsigned i, unsigned n,
    uint64_t now, size_t *len);

/* Body bytes of a stream of n events. */
size_t	talk_stream_length(const struct talk_stream *t, unsigned n);

/* How many of n events are of text. */
unsigned	talk_texts(enum talk_api api, unsigned n);

/* The last line of a stream. */
const char	*talk_last(enum talk_api api);

#endif
