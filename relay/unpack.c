#include "relay/unpack.h"

static int
is_gzip(struct str coding)
{
	return str_caseis(coding, "gzip") || str_caseis(coding, "x-gzip");
}

int
unpack_knows(struct str coding)
{
	return is_gzip(coding) || str_caseis(coding, "deflate");
}

int
unpack_start(struct unpack *u, struct str coding, uint64_t max)
{
	unpack_free(u);
	buf_init(&u->out, UNPACK_PIECE_MAX);
	u->z = inflate_new(is_gzip(coding) ? INFLATE_GZIP :
	    INFLATE_AUTO_DEFLATE, max);
	return u->z == NULL ? -1 : 0;
}

void
unpack_free(struct unpack *u)
{
	inflate_free(u->z);
	u->z = NULL;
	buf_free(&u->out);
}

const char *
unpack_feed(struct unpack *u, struct str data, struct str *plain)
{
	enum inflate_rc rc;
	size_t used;

	buf_free(&u->out);
	*plain = buf_str(&u->out);
	do {
		rc = inflate_feed(u->z, data.p, data.n, &used, &u->out,
		    UNPACK_PIECE_MAX);
		if (rc == INFLATE_BAD)
			return inflate_why(u->z);
		if (rc == INFLATE_FULL || u->out.bad)
			return "it unpacks to far more than answers do";
		if (used == 0)
			break;		/* what follows the end is nobody's */
		data = str_n(data.p + used, data.n - used);
	} while (data.n > 0);
	*plain = buf_str(&u->out);
	return NULL;
}

const char *
unpack_end(struct unpack *u)
{
	if (inflate_end_of_input(u->z) == INFLATE_DONE)
		return NULL;
	return "the compressed answer was cut short";
}
