#ifndef BENCH_REPLY_H
#define BENCH_REPLY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads one HTTP answer and checks it on the way. Pure: bytes in, counts out.
 * The body is a known text, compared byte for byte, an unknown one, of which
 * bytes are counted, or an event stream, of which events are counted and send
 * times handed out.
 */

enum { REPLY_LINE = 1024 };

struct reply_line {
	size_t n;
	char text[REPLY_LINE];
};

struct reply {
	int state;		/* private, as is all up to `event` */
	unsigned long left;	/* of the body, or of the chunk */
	int length_seen, chunked;
	struct reply_line head, data;
	const char *want, *last;
	size_t want_length;
	void (*event)(void *arg, uint64_t sent);
	void *arg;
	/* To be read when reply_take() has said 1. */
	int status;
	int close;		/* the server closes after this answer */
	unsigned long body;	/* bytes, chunk framing taken off */
	unsigned events;	/* that a blank line has ended */
	unsigned texts;		/* of them with a send time */
	int complete;		/* the last line was `last` */
};

/*
 * Begins an answer. `want` is the text of a right body, `last` the last line
 * of a right stream (both kept by reference, or NULL); event(arg, sent) is
 * called for each event of a stream that carries a send time.
 */
void	reply_begin(struct reply *r, const char *want, size_t want_length,
    const char *last,
    void (*event)(void *arg, uint64_t sent), void *arg);

/*
 * Takes n bytes. 1: the answer is complete; 0: more is needed; -1: it is
 * malformed, has other bytes than `want` (if its status is 200), or bytes
 * follow its end. An answer that ends by close is malformed here.
 */
int	reply_take(struct reply *r, const char *p, size_t n);

#endif
