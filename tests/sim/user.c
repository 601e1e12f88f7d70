#include "tests/sim/user.h"

#include <string.h>

#include "tests/sim/check.h"
#include "tests/sim/reader.h"

#define CONTINUE_MS 300		/* for a 100 to come */

/* With its readers: of what it takes, and of what the proxy has sent. */
struct whole {
	struct user u;
	struct reader reader;
	struct reader early;	/* reads before the client does */
	unsigned early_done;
};

static struct user *users;

static struct request *
request_at(const struct user *u, unsigned i)
{
	return i < u->conn->n ? &plan.requests[u->conn->first + i] : NULL;
}

struct user *
user_all(void)
{
	return users;
}

unsigned
user_open(void)
{
	const struct user *u;
	unsigned n = 0;

	for (u = users; u != NULL; u = u->next)
		n += !u->ended;
	return n;
}

struct user *
user_of(const struct request *r)
{
	struct user *u;

	for (u = users; u != NULL; u = u->next)
		if (r->id >= u->conn->first &&
		    r->id < u->conn->first + u->conn->n)
			return u;
	return NULL;
}

/* ---- the end ---- */

static void
user_end(struct whole *w)
{
	struct user *u = &w->u;
	struct request *r;
	unsigned i;

	if (u->ended)
		return;
	u->ended = 1;
	u->actor.gone = 1;
	r = request_at(u, u->done);
	if (r != NULL && w->reader.head.n > 0) {
		check_answer(r, u, &w->reader, reader_eof(&w->reader) &&
		    !u->wire->near_reset && u->left == 0 && !u->stuck ?
		    COMPLETE : CUT);
		u->done++;
		u->last = u->last || w->reader.until_close;
	}
	for (i = u->done; (r = request_at(u, i)) != NULL; i++)
		check_answer(r, u, NULL, NOTHING);
}

static void
user_leave(struct whole *w)
{
	struct user *u = &w->u;

	say("%s leaves", u->wire->name);
	u->left = world.turns + 1;
	u->left_at = world.now;
	if (u->conn->leave_how == 0)
		far_fin(u->wire);
	else if (u->conn->leave_how == 1)
		far_close(u->wire);
	else
		far_reset(u->wire, chance(50));
	user_end(w);
}

static int
leaves(const struct user *u)
{
	switch (u->conn->leave) {
	case LEAVE_AT:
		return world.now - 1000000 >= u->conn->start +
		    u->conn->leave_n;
	case LEAVE_SENT:
		return u->sent >= u->conn->leave_n;
	case LEAVE_GOT:
		return u->got >= u->conn->leave_n;
	default:
		return 0;
	}
}

/* ---- sending ---- */

/* What may be sent of a request that stands at offset `at`. */
static size_t
may_send(struct user *u, struct request *r, unsigned i, size_t at)
{
	size_t n = r->wire.n - at;

	if (i > u->done && !u->conn->pipelined)
		return 0;
	if (u->conn->silent && i + 1 == u->conn->n) {
		if (at + 1 >= r->wire.n)
			return 0;
		n = r->wire.n - 1 - at;
	}
	if (r->expect && !u->conn->pipelined) {
		if (at < r->head_n)
			return r->head_n - at;
		if (at == r->head_n && world.now < u->go_at) {
			actor_at(&u->actor, u->go_at);
			return 0;
		}
	}
	return n;
}

/* Sends the next piece; how much went. */
static size_t
piece_send(struct user *u)
{
	size_t at = u->sent, n;
	struct request *r;
	unsigned i;

	for (i = 0; (r = request_at(u, i)) != NULL && at >= r->wire.n; i++)
		at -= r->wire.n;
	if (r == NULL || r->outcome != OPEN ||
	    (n = may_send(u, r, i, at)) == 0)
		return 0;
	if (!r->begun) {
		r->begun = 1;
		r->begun_at = world.now;
		check_begin(r);
	}
	if (n > u->conn->piece)
		n = 1 + dice(u->conn->piece);
	n = far_send(u->wire, r->wire.p + at, n);
	u->sent += n;
	if (at < r->head_n && at + n >= r->head_n)
		u->go_at = world.now + CONTINUE_MS;
	if (at + n == r->wire.n && !r->sent) {
		r->sent = 1;
		say("%s has sent %s", u->wire->name, r->name);
	}
	return n;
}

static void
user_send(struct user *u)
{
	while (!u->wire->near_closed && !u->last) {
		if (u->send_at > world.now) {
			actor_at(&u->actor, u->send_at);
			return;
		}
		if (piece_send(u) == 0)
			return;
		if (u->conn->gap > 0)
			u->send_at = world.now + dice(u->conn->gap + 1);
	}
}

/* ---- reading ---- */

static void
answer_done(struct whole *w)
{
	struct user *u = &w->u;
	struct request *r = request_at(u, u->done);

	if (r == NULL) {
		wrong("%s gets an answer that it did not ask for",
		    u->wire->name);
		return;
	}
	u->last = w->reader.close;
	check_answer(r, u, &w->reader, COMPLETE);
	u->done++;
	reader_next(&w->reader);
}

static void
bytes_read(struct whole *w, const unsigned char *p, size_t n)
{
	struct user *u = &w->u;
	const struct request *r;
	size_t used;

	u->got += n;
	while (n > 0 && world.fault[0] == '\0') {
		if (u->done >= u->conn->n) {
			wrong("%s gets %lu bytes after its last answer",
			    u->wire->name, (unsigned long)n);
			return;
		}
		r = request_at(u, u->done);
		w->reader.no_body = r->kind == KIND_HEAD && r->sent;
		switch (reader_feed(&w->reader, p, n, &used)) {
		case 1:
			answer_done(w);
			break;
		case -1:
			wrong("%s gets what is no answer: %s", u->wire->name,
			    w->reader.bad);
			return;
		default:
			if (w->reader.interim > 0)
				u->go_at = world.now;
		}
		p += used;
		n -= used;
	}
}

void
user_look(struct user *u)
{
	struct whole *w = (struct whole *)u;
	const struct pipe *out = &u->wire->out;
	size_t n = (size_t)(out->total - u->seen), used;
	const unsigned char *p;
	struct request *r;

	u->seen = out->total;
	if (n == 0 || n > out->len)
		return;
	p = out->p + out->off + out->len - n;
	while (n > 0 && w->early_done < u->conn->n) {
		r = request_at(u, w->early_done);
		w->early.no_body = r->kind == KIND_HEAD;
		switch (reader_feed(&w->early, p, n, &used)) {
		case -1:
			return;
		case 1:
			w->early_done++;
			reader_next(&w->early);
			r->answering = 1;
			break;
		default:
			r->answering = w->early.head.n > 0;
		}
		p += used;
		n -= used;
	}
}

static void
user_take(struct whole *w)
{
	struct user *u = &w->u;
	unsigned char p[16384];
	size_t n, most;

	user_look(u);
	while (u->wire->out.len > 0 && world.fault[0] == '\0') {
		if (u->conn->stuck > 0 && u->got >= u->conn->stuck) {
			u->stuck = 1;
			return;
		}
		if (u->take_at > world.now) {
			actor_at(&u->actor, u->take_at);
			return;
		}
		most = u->conn->take < sizeof p ? u->conn->take : sizeof p;
		n = far_take(u->wire, p, most);
		bytes_read(w, p, n);
		u->take_at = world.now + u->conn->take_gap;
	}
}

/* ---- acting ---- */

static void
user_step(void *arg)
{
	struct whole *w = arg;
	struct user *u = &w->u;

	if (u->ended)
		return;
	if (leaves(u)) {
		user_leave(w);
		return;
	}
	if (u->conn->leave == LEAVE_AT)
		actor_at(&u->actor, 1000000 + u->conn->start +
		    u->conn->leave_n);
	user_take(w);
	user_send(u);
	if (u->wire->out.len == 0 && u->wire->out.fin) {
		user_end(w);
		far_close(u->wire);
	} else if (u->done == u->conn->n && !u->conn->stays && !u->ended) {
		user_end(w);
		far_close(u->wire);
	} else if (u->stuck && u->wire->near_closed)
		user_end(w);
}

static void
connect_step(void *arg)
{
	struct whole *w = arg;
	struct user *u = &w->u;

	u->actor.step = user_step;
	if (check.draining) {
		u->ended = 1;		/* nobody listens any more */
		u->actor.gone = 1;
		return;
	}
	u->wire->connected = 1;
	wire_offer(u->wire);
	world.moves++;
	say("%s connects for %u request%s", u->wire->name, u->conn->n,
	    u->conn->n == 1 ? "" : "s");
	actor_wake(&u->actor);
	if (chance(50))
		user_step(w);	/* its bytes are there when it is accepted */
}

void
user_start(void)
{
	struct whole *w;
	struct user *u;
	unsigned i;

	users = NULL;
	for (i = 0; i < plan.nconns; i++) {
		w = world_alloc(sizeof *w);
		u = &w->u;
		u->conn = &plan.conns[i];
		u->actor.step = connect_step;
		u->actor.arg = w;
		u->wire = wire_new(&u->actor, "c", i);
		u->wire->in.window = u->conn->window_in;
		u->wire->out.window = u->conn->window_out;
		u->wire->shy = u->conn->shy;
		w->reader.keeps = 1;
		actor_add(&u->actor);
		actor_at(&u->actor, world.now + u->conn->start);
		u->next = users;
		users = u;
	}
}
