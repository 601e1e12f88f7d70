#include "base/inflate.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW		32768u	/* the farthest distance (RFC 1951 2) */
#define ROOT		10u	/* bits that one look-up decodes */
#define CODE_MAX	15u
#define LITS		288u	/* with two that never occur */
#define DISTS		32u
#define FHCRC		2u	/* header flags of gzip */
#define FEXTRA		4u
#define FNAME		8u
#define FCOMMENT	16u
#define GO		(-1)	/* of a step: on to the next */

/*
 * What a code stands for: the length of the code in bits 0-3 (0: longer
 * than a look-up), the number of its extra bits in 4-7, its sort in 8-9 (0:
 * a length or a distance), and its value from 16.
 */
#define MEANS_LIT	0x100u
#define MEANS_END	0x200u
#define MEANS_BAD	0x300u
#define SORT(e)		((e) & 0x300u)
#define BITS(e)		((e) & 15u)
#define EXTRA(e)	((e) >> 4 & 15u)
#define VALUE(e)	((e) >> 16)
#define MASK(n)		(((uint64_t)1 << (n)) - 1)

/* A prefix code; codes longer than ROOT are found by counting. */
struct code {
	uint32_t fast[1 << ROOT];
	uint16_t count[CODE_MAX + 1];	/* codes of each length */
	uint16_t sym[LITS];		/* in the order of their codes */
	uint32_t (*means)(unsigned sym);
};

/* Each has its function in steps[]. */
enum state {
	S_GZIP, S_GZIP_EXTRA, S_GZIP_NAME, S_GZIP_COMMENT, S_GZIP_CRC,
	S_ZLIB,
	S_BLOCK, S_STORED_LEN, S_STORED, S_SIZES, S_CODE_LENS, S_LENS,
	S_SYMBOL, S_COPY,
	S_SUM, S_SIZE, S_MEMBER_END, S_END, S_BAD
};

struct inflate {
	enum inflate_kind kind;
	enum state state;
	const char *why;
	uint64_t left;		/* of max_out, less what was given out */

	/* Of the call. */
	const unsigned char *begin, *in, *end;
	struct buf *out;
	size_t room;		/* bytes that may still be made */

	/*
	 * Bits that were taken in, the next one lowest.  Between calls only
	 * those that the next step cannot do without, so that no byte behind
	 * the stream is ever used.
	 */
	uint64_t hold;
	unsigned bits;

	unsigned at;		/* bytes or codes of the header seen */
	unsigned flags;
	uint32_t head_crc;
	uint32_t sum;		/* CRC-32 or Adler-32 of the member */
	uint32_t size;		/* its bytes given out, modulo 2^32 */

	unsigned last:1;	/* in the last block */
	unsigned fixed:1;	/* the codes are the fixed ones */
	unsigned wrapped:1;	/* the whole window has been written */
	unsigned nlit, ndist, ncode;
	unsigned len, dist;	/* of a copy, len also of a stored block */
	unsigned char lens[LITS + DISTS];
	struct code lit, far;

	size_t pos, start;	/* written up to, given out up to */
	unsigned char window[WINDOW];
	uint32_t crc[4][256];
};

static int
bad(struct inflate *z, const char *why)
{
	if (z->state != S_BAD)
		z->why = why;
	z->state = S_BAD;
	return INFLATE_BAD;
}

static void
crc_init(uint32_t t[4][256])
{
	uint32_t i, k, c;

	for (i = 0; i < 256; i++) {
		for (c = i, k = 0; k < 8; k++)
			c = (c & 1) != 0 ? c >> 1 ^ 0xedb88320u : c >> 1;
		t[0][i] = c;
	}
	for (i = 0; i < 256; i++)
		for (k = 1; k < 4; k++)
			t[k][i] = t[k - 1][i] >> 8 ^ t[0][t[k - 1][i] & 255];
}

/* CRC-32 (RFC 1952 8), four bytes a step: byte k of them has table 3 - k. */
static uint32_t
crc_add(uint32_t t[4][256], uint32_t c, const unsigned char *p, size_t n)
{
	c = ~c;
	for (; n >= 4; n -= 4, p += 4) {
		c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 |
		    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		c = t[3][c & 255] ^ t[2][c >> 8 & 255] ^
		    t[1][c >> 16 & 255] ^ t[0][c >> 24];
	}
	for (; n > 0; n--)
		c = c >> 8 ^ t[0][(c ^ *p++) & 255];
	return ~c;
}

/* Adler-32 (RFC 1950 8.2); 5552 bytes do not overflow 32 bits. */
static uint32_t
adler_add(uint32_t sum, const unsigned char *p, size_t n)
{
	uint32_t a = sum & 0xffff, b = sum >> 16;
	size_t run, i;

	for (; n > 0; n -= run, p += run) {
		run = n < 5552 ? n : 5552;
		for (i = 0; i < run; i++) {
			a += p[i];
			b += a;
		}
		a %= 65521;
		b %= 65521;
	}
	return b << 16 | a;
}

/* Gives out what the window holds of it. */
static int
flush(struct inflate *z)
{
	const unsigned char *p = z->window + z->start;
	size_t n = z->pos - z->start;

	z->start = z->pos;
	if (n > 0 && buf_add(z->out, p, n) == -1)
		return bad(z, "out of memory");
	if (z->kind == INFLATE_GZIP)
		z->sum = crc_add(z->crc, z->sum, p, n);
	else if (z->kind == INFLATE_ZLIB)
		z->sum = adler_add(z->sum, p, n);
	z->size += (uint32_t)n;
	z->left -= n;
	if (z->pos == WINDOW) {
		z->pos = z->start = 0;
		z->wrapped = 1;
	}
	return GO;
}

/* n bytes were written at pos. */
static int
made(struct inflate *z, size_t n)
{
	z->pos += n;
	z->room -= n;
	return z->pos == WINDOW ? flush(z) : GO;
}

/* There is a byte to write and no room. */
static int
full(struct inflate *z)
{
	if (flush(z) == INFLATE_BAD)
		return INFLATE_BAD;
	if (z->left == 0)
		return bad(z, "larger than allowed when unpacked");
	return INFLATE_FULL;
}

/* 1 if at least n bits (n <= 32) are held. */
static int
need(struct inflate *z, unsigned n)
{
	while (z->bits < n) {
		if (z->in == z->end)
			return 0;
		z->hold |= (uint64_t)*z->in++ << z->bits;
		z->bits += 8;
	}
	return 1;
}

static uint32_t
take(struct inflate *z, unsigned n)
{
	uint32_t v = (uint32_t)(z->hold & MASK(n));

	z->hold >>= n;
	z->bits -= n;
	return v;
}

static uint32_t
means_itself(unsigned sym)
{
	return sym << 16;
}

/* Literals and lengths (RFC 1951 3.2.5). */
static uint32_t
means_lit(unsigned sym)
{
	unsigned extra;

	if (sym < 256)
		return sym << 16 | MEANS_LIT;
	if (sym == 256)
		return MEANS_END;
	if (sym > 285)
		return MEANS_BAD;
	if (sym == 285)
		return 258u << 16;
	if (sym < 265)
		return (sym - 254) << 16;
	extra = (sym - 261) / 4;
	return (((4 + (sym - 261) % 4) << extra) + 3) << 16 | extra << 4;
}

/* Distances, of the same place. */
static uint32_t
means_dist(unsigned sym)
{
	unsigned extra;

	if (sym > 29)
		return MEANS_BAD;
	if (sym < 4)
		return (sym + 1) << 16;
	extra = sym / 2 - 1;
	return (((2 + sym % 2) << extra) + 1) << 16 | extra << 4;
}

/* A look-up for the codes of at most ROOT bits; they come lowest bit first. */
static void
code_fill(struct code *c)
{
	unsigned code = 0, sym = 0, len, i, k, back;
	uint32_t e;

	for (len = 1; len <= ROOT; len++, code <<= 1)
		for (i = 0; i < c->count[len]; i++, code++) {
			e = c->means(c->sym[sym++]) | len;
			for (back = 0, k = 0; k < len; k++)
				back |= (code >> k & 1) << (len - 1 - k);
			for (; back < 1u << ROOT; back += 1u << len)
				c->fast[back] = e;
		}
}

/*
 * A code from the lengths of its n symbols (RFC 1951 3.2.2).  Returns 0, or
 * -1 if there are too many or too few.
 */
static int
code_build(struct code *c, const unsigned char *lens, unsigned n,
    uint32_t (*means)(unsigned))
{
	unsigned next[CODE_MAX + 1], len, i, used;
	long left = 1;
	uint32_t none;

	memset(c->count, 0, sizeof c->count);
	c->means = means;
	for (i = 0; i < n; i++)
		c->count[lens[i]]++;
	used = n - c->count[0];
	c->count[0] = 0;
	next[0] = 0;
	for (len = 1; len <= CODE_MAX; len++) {
		next[len] = next[len - 1] + c->count[len - 1];
		left = left * 2 - c->count[len];
		if (left < 0)
			return -1;
	}
	if (left > 0 && (means == means_itself || used != c->count[1]))
		return -1;
	for (i = 0; i < n; i++)
		if (lens[i] != 0)
			c->sym[next[lens[i]]++] = (uint16_t)i;
	/* So every bit of an incomplete code is found, and found wrong. */
	none = left > 0 ? MEANS_BAD | 1 : 0;
	for (i = 0; i < 1u << ROOT; i++)
		c->fast[i] = none;
	code_fill(c);
	return 0;
}

/* A code longer than ROOT, by counting (RFC 1951 3.2.2). */
static uint32_t
code_long(const struct code *c, uint64_t hold)
{
	unsigned code = 0, first = 0, sym = 0, len;

	for (len = 1; len < CODE_MAX; len++) {
		code |= hold & 1;
		if (code < first + c->count[len])
			break;
		sym += c->count[len];
		first = (first + c->count[len]) << 1;
		code <<= 1;
		hold >>= 1;
	}
	code |= hold & 1;
	return c->means(c->sym[sym + code - first]) | len;
}

/*
 * What the next code stands for.  Where fewer bits are held than it has, zero
 * bits stand for the rest, and it is longer than what is held.
 */
static uint32_t
code_find(const struct code *c, uint64_t hold)
{
	uint32_t e = c->fast[hold & MASK(ROOT)];

	return BITS(e) != 0 ? e : code_long(c, hold);
}

/*
 * Copies n bytes from dist before pos to pos, where they do not pass the end
 * of the window; the source may.  Forward, so bytes copied may be copied
 * again, and eight at a time where that gives the same.
 */
static void
copy(unsigned char *window, size_t pos, size_t dist, size_t n)
{
	size_t from = (pos - dist) & (WINDOW - 1), run, i;
	unsigned char *d, eight[8];
	const unsigned char *s;

	for (; n > 0; n -= run, pos += run, from = 0) {
		run = WINDOW - from < n ? WINDOW - from : n;
		d = window + pos;
		s = window + from;
		i = 0;
		if (dist == 1) {
			memset(d, *s, run);
			continue;
		}
		for (; dist >= 8 && run - i >= 8; i += 8) {
			memcpy(eight, s + i, 8);
			memcpy(d + i, eight, 8);
		}
		for (; i < run; i++)
			d[i] = s[i];
	}
}

static uint64_t
load(const unsigned char *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	    (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
	    (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
	    (uint64_t)p[7] << 56;
}

/* As much as is held at once, 56 bits or all.  Set bits above are right. */
static void
refill(struct inflate *z)
{
	if (z->end - z->in >= 8) {
		z->hold |= load(z->in) << z->bits;
		z->in += (63 - z->bits) >> 3;
		z->bits |= 56;
		return;
	}
	while (z->bits < 56 && z->in < z->end) {
		z->hold |= (uint64_t)*z->in++ << z->bits;
		z->bits += 8;
	}
}

/* The bytes held that are of this call: older ones were all needed. */
static void
give_back(struct inflate *z)
{
	size_t n = z->bits >> 3, most = (size_t)(z->in - z->begin);

	if (n > most)
		n = most;
	z->in -= n;
	z->bits -= (unsigned)n * 8;
	z->hold &= MASK(z->bits);
}

/* What is left of a match. */
static int
step_copy(struct inflate *z)
{
	size_t n = WINDOW - z->pos;

	if (z->room == 0)
		return full(z);
	if (z->room < n)
		n = z->room;
	if (z->len < n)
		n = z->len;
	copy(z->window, z->pos, z->dist, n);
	if ((z->len -= (unsigned)n) == 0)
		z->state = S_SYMBOL;
	return made(z, n);
}

/*
 * A literal, a match or the end of the block.  It takes at most 48 bits, and
 * none before all are there: what is held at INFLATE_MORE is needed.
 */
static int
symbol(struct inflate *z)
{
	uint32_t e = code_find(&z->lit, z->hold);
	unsigned used = BITS(e);

	if (used > z->bits)
		return INFLATE_MORE;
	if (SORT(e) == MEANS_LIT) {
		if (z->room == 0)
			return full(z);
		z->window[z->pos] = (unsigned char)VALUE(e);
		take(z, used);
		return made(z, 1);
	}
	if (SORT(e) == MEANS_BAD)
		return bad(z, "an invalid length code");
	if (SORT(e) == MEANS_END) {
		take(z, used);
		z->state = S_BLOCK;
		return GO;
	}
	z->len = VALUE(e) + (unsigned)(z->hold >> used & MASK(EXTRA(e)));
	used += EXTRA(e);
	e = code_find(&z->far, z->hold >> used);
	used += BITS(e);
	z->dist = VALUE(e) + (unsigned)(z->hold >> used & MASK(EXTRA(e)));
	used += EXTRA(e);
	if (used > z->bits)
		return INFLATE_MORE;
	if (SORT(e) == MEANS_BAD)
		return bad(z, "an invalid distance code");
	if (z->dist > (z->wrapped ? WINDOW : z->pos))
		return bad(z, "a distance beyond the start");
	z->hold >>= used;
	z->bits -= used;
	z->state = S_COPY;
	return step_copy(z);
}

static int
step_symbols(struct inflate *z)
{
	int rc;

	do {
		refill(z);
		rc = symbol(z);
	} while (rc == GO && z->state == S_SYMBOL);
	if (rc != INFLATE_MORE)
		give_back(z);
	return rc;
}

static int
step_stored(struct inflate *z)
{
	uint32_t v;
	size_t n;

	if (z->state == S_STORED_LEN) {
		take(z, z->bits & 7);
		if (!need(z, 32))
			return INFLATE_MORE;
		v = take(z, 32);
		if ((v & 0xffff) != (~v >> 16))
			return bad(z, "an invalid stored length");
		z->len = v & 0xffff;
		z->state = S_STORED;
	}
	if (z->len == 0) {
		z->state = S_BLOCK;
		return GO;
	}
	if (z->in == z->end)
		return INFLATE_MORE;
	if (z->room == 0)
		return full(z);
	n = (size_t)(z->end - z->in);
	if (z->len < n)
		n = z->len;
	if (z->room < n)
		n = z->room;
	if (WINDOW - z->pos < n)
		n = WINDOW - z->pos;
	memcpy(z->window + z->pos, z->in, n);
	z->in += n;
	z->len -= (unsigned)n;
	return made(z, n);
}

static int
use_fixed(struct inflate *z)
{
	z->state = S_SYMBOL;
	if (z->fixed)
		return GO;
	memset(z->lens, 8, LITS);
	memset(z->lens + 144, 9, 112);
	memset(z->lens + 256, 7, 24);
	memset(z->lens + LITS, 5, DISTS);
	code_build(&z->lit, z->lens, LITS, means_lit);
	code_build(&z->far, z->lens + LITS, DISTS, means_dist);
	z->fixed = 1;
	return GO;
}

static int
step_block(struct inflate *z)
{
	if (z->last) {
		take(z, z->bits & 7);
		z->state = S_SUM;
		return GO;
	}
	if (!need(z, 3))
		return INFLATE_MORE;
	z->last = take(z, 1) & 1;
	switch (take(z, 2)) {
	case 0:
		z->state = S_STORED_LEN;
		return GO;
	case 1:
		return use_fixed(z);
	case 2:
		z->state = S_SIZES;
		return GO;
	}
	return bad(z, "an invalid block type");
}

/* The head of a dynamic block, up to the lengths (RFC 1951 3.2.7). */
static int
step_sizes(struct inflate *z)
{
	static const unsigned char order[19] = {
		16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14,
		1, 15
	};

	if (z->state == S_SIZES) {
		if (!need(z, 14))
			return INFLATE_MORE;
		z->nlit = take(z, 5) + 257;
		z->ndist = take(z, 5) + 1;
		z->ncode = take(z, 4) + 4;
		if (z->nlit > 286 || z->ndist > 30)
			return bad(z, "too many codes");
		memset(z->lens, 0, sizeof z->lens);
		z->fixed = 0;
		z->at = 0;
		z->state = S_CODE_LENS;
	}
	for (; z->at < z->ncode; z->at++) {
		if (!need(z, 3))
			return INFLATE_MORE;
		z->lens[order[z->at]] = (unsigned char)take(z, 3);
	}
	if (code_build(&z->lit, z->lens, 19, means_itself) == -1)
		return bad(z, "an invalid set of code lengths");
	z->at = 0;
	z->state = S_LENS;
	return GO;
}

static int
step_lens(struct inflate *z)
{
	unsigned sym, bits, n, total = z->nlit + z->ndist;
	uint32_t e;
	int len;

	while (z->at < total) {
		do
			e = code_find(&z->lit, z->hold);
		while (BITS(e) > z->bits && need(z, z->bits + 1));
		if (BITS(e) > z->bits)
			return INFLATE_MORE;
		sym = VALUE(e);
		bits = sym < 16 ? 0 : sym == 16 ? 2 : sym == 17 ? 3 : 7;
		if (!need(z, BITS(e) + bits))
			return INFLATE_MORE;
		take(z, BITS(e));
		n = take(z, bits) + (sym < 16 ? 1 : sym < 18 ? 3 : 11);
		if (n > total - z->at || (sym == 16 && z->at == 0))
			return bad(z, "an invalid repeat of code lengths");
		len = sym < 16 ? (int)sym : sym > 16 ? 0 : z->lens[z->at - 1];
		memset(z->lens + z->at, len, n);
		z->at += n;
	}
	if (z->lens[256] == 0)
		return bad(z, "a block without an end");
	if (code_build(&z->lit, z->lens, z->nlit, means_lit) == -1)
		return bad(z, "an invalid set of length codes");
	if (code_build(&z->far, z->lens + z->nlit, z->ndist, means_dist) == -1)
		return bad(z, "an invalid set of distance codes");
	z->state = S_SYMBOL;
	return GO;
}

/* The start of a member, and of its window. */
static void
begin(struct inflate *z, enum state s)
{
	z->sum = z->kind == INFLATE_ZLIB;
	z->head_crc = z->size = 0;
	z->pos = z->start = 0;
	z->last = z->wrapped = 0;
	z->at = 0;
	z->state = s;
}

/* A byte of a gzip header that its CRC covers; -1 if there is none. */
static int
head_byte(struct inflate *z)
{
	unsigned char c;

	if (z->in == z->end)
		return -1;
	c = *z->in++;
	z->head_crc = crc_add(z->crc, z->head_crc, &c, 1);
	return c;
}

/* The ten bytes that each header has (RFC 1952 2.3). */
static int
step_gzip(struct inflate *z)
{
	int c;

	for (; z->at < 10; z->at++) {
		if ((c = head_byte(z)) == -1)
			return INFLATE_MORE;
		if ((z->at == 0 && c != 0x1f) || (z->at == 1 && c != 0x8b))
			return bad(z, "not gzip");
		if (z->at == 2 && c != 8)
			return bad(z, "an unknown method");
		if (z->at == 3 && (c & 0xe0) != 0)
			return bad(z, "an unknown header flag");
		if (z->at == 3)
			z->flags = (unsigned)c;
	}
	z->at = 0;
	z->len = 0;
	z->state = S_GZIP_EXTRA;
	return GO;
}

/* What its flags tell that follows. */
static int
step_gzip_more(struct inflate *z)
{
	int c;

	if (z->state == S_GZIP_EXTRA) {
		/* Two bytes of length, lowest first, and so many bytes. */
		while ((z->flags & FEXTRA) != 0 && z->at < 2 + z->len) {
			if ((c = head_byte(z)) == -1)
				return INFLATE_MORE;
			if (z->at < 2)
				z->len |= (unsigned)c << 8 * z->at;
			z->at++;
		}
		z->state = S_GZIP_NAME;
	}
	while (z->state != S_GZIP_CRC) {
		c = 0;
		if ((z->flags & (z->state == S_GZIP_NAME ? FNAME :
		    FCOMMENT)) != 0 && (c = head_byte(z)) == -1)
			return INFLATE_MORE;
		if (c == 0)
			z->state = z->state == S_GZIP_NAME ? S_GZIP_COMMENT :
			    S_GZIP_CRC;
	}
	if ((z->flags & FHCRC) != 0) {
		if (!need(z, 16))
			return INFLATE_MORE;
		if (take(z, 16) != (z->head_crc & 0xffff))
			return bad(z, "a wrong header checksum");
	}
	z->state = S_BLOCK;
	return GO;
}

/* RFC 1950 2.2: CMF and FLG. */
static int
step_zlib(struct inflate *z)
{
	int fits;

	if (!need(z, 8))
		return INFLATE_MORE;
	fits = (z->hold & 15) == 8 && (z->hold >> 4 & 15) <= 7;
	if (fits && !need(z, 16))
		return INFLATE_MORE;
	fits = fits && ((z->hold & 255) << 8 | z->hold >> 8) % 31 == 0;
	if (z->kind == INFLATE_AUTO_DEFLATE) {
		z->kind = fits ? INFLATE_ZLIB : INFLATE_RAW;
		begin(z, fits ? S_ZLIB : S_BLOCK);
		return GO;
	}
	if (!fits)
		return bad(z, "not zlib");
	if ((take(z, 16) & 0x2000) != 0)
		return bad(z, "a preset dictionary");
	z->state = S_BLOCK;
	return GO;
}

/* The checksum, and the size behind that of gzip. */
static int
step_end(struct inflate *z)
{
	uint32_t v;

	if (flush(z) == INFLATE_BAD)
		return INFLATE_BAD;
	if (z->state == S_SUM && z->kind != INFLATE_RAW) {
		if (!need(z, 32))
			return INFLATE_MORE;
		v = take(z, 32);
		if (z->kind == INFLATE_ZLIB)
			v = v >> 24 | (v >> 8 & 0xff00) |
			    (v << 8 & 0xff0000) | v << 24;
		if (v != z->sum)
			return bad(z, "a wrong checksum");
		z->state = S_SIZE;
	}
	if (z->kind == INFLATE_GZIP) {
		if (!need(z, 32))
			return INFLATE_MORE;
		if (take(z, 32) != z->size)
			return bad(z, "a wrong size");
	}
	z->state = z->kind == INFLATE_GZIP ? S_MEMBER_END : S_END;
	return GO;
}

/* Another member, if the byte can begin one. */
static int
step_member_end(struct inflate *z)
{
	if (z->in == z->end)
		return INFLATE_DONE;
	if (*z->in == 0x1f)
		begin(z, S_GZIP);
	else
		z->state = S_END;
	return GO;
}

/* S_END and S_BAD. */
static int
step_none(struct inflate *z)
{
	return z->state == S_END ? INFLATE_DONE : INFLATE_BAD;
}

static int (*const steps[])(struct inflate *) = {
	step_gzip, step_gzip_more, step_gzip_more, step_gzip_more,
	step_gzip_more, step_zlib,
	step_block, step_stored, step_stored, step_sizes, step_sizes,
	step_lens, step_symbols, step_copy,
	step_end, step_end, step_member_end, step_none, step_none
};

struct inflate *
inflate_new(enum inflate_kind kind, uint64_t max_out)
{
	struct inflate *z = calloc(1, sizeof *z);

	if (z == NULL)
		return NULL;
	z->kind = kind;
	z->why = "";
	z->left = max_out;
	if (kind == INFLATE_GZIP)
		crc_init(z->crc);
	begin(z, kind == INFLATE_GZIP ? S_GZIP :
	    kind == INFLATE_RAW ? S_BLOCK : S_ZLIB);
	return z;
}

void
inflate_free(struct inflate *z)
{
	free(z);
}

enum inflate_rc
inflate_feed(struct inflate *z, const char *p, size_t n, size_t *used,
    struct buf *out, size_t out_max)
{
	static const unsigned char none[1];
	int rc;

	z->begin = z->in = n == 0 ? none : (const unsigned char *)p;
	z->end = z->in + n;
	z->out = out;
	z->room = out->max - out->len;
	if (out_max < z->room)
		z->room = out_max;
	if (z->left < z->room)
		z->room = (size_t)z->left;
	do
		rc = steps[z->state](z);
	while (rc == GO);
	/* Also before a fault, so that the pieces make no difference. */
	if (z->pos > z->start && flush(z) == INFLATE_BAD)
		rc = INFLATE_BAD;
	*used = (size_t)(z->in - z->begin);
	return (enum inflate_rc)rc;
}

enum inflate_rc
inflate_end_of_input(struct inflate *z)
{
	if (z->state == S_END || z->state == S_MEMBER_END)
		return INFLATE_DONE;
	bad(z, "cut short");
	return INFLATE_BAD;
}

const char *
inflate_why(const struct inflate *z)
{
	return z->why;
}
