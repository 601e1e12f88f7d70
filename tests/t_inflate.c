#include "base/inflate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/t.h"

#define N(a) (sizeof(a) / sizeof *(a))
#define GZIP INFLATE_GZIP
#define ZLIB INFLATE_ZLIB
#define RAW INFLATE_RAW
#define AUTO INFLATE_AUTO_DEFLATE
#define BIG ((size_t)1 << 24)

static uint64_t seed = 1;

static size_t
below(size_t n)
{
	return (size_t)(util_random(&seed) % n);
}

/* What became of a stream. */
struct fate {
	enum inflate_rc rc;	/* at the end of its input */
	const char *why;
	size_t used;
	struct buf out;
};

/*
 * Decodes s in pieces of step bytes (0: of random sizes), room bytes a call
 * (0: random).  Each piece lies alone, so that a sanitizer sees each byte
 * over.
 */
static struct fate
decode(enum inflate_kind kind, struct str s, uint64_t max_out, size_t step,
    size_t room)
{
	struct inflate *z = inflate_new(kind, max_out);
	enum inflate_rc rc = INFLATE_MORE;
	size_t off = 0, n, used, had, most;
	struct fate f;
	char *p;

	if (z == NULL)
		exit(2);
	buf_init(&f.out, BIG);
	do {
		n = step > 0 ? step : below(40);
		if (n > s.n - off)
			n = s.n - off;
		if ((p = malloc(n > 0 ? n : 1)) == NULL)
			exit(2);
		memcpy(p, s.p + off, n);
		most = room > 0 ? room : below(300);
		had = f.out.len;
		rc = inflate_feed(z, n > 0 ? p : NULL, n, &used, &f.out, most);
		free(p);
		if (used > n || f.out.len - had > most) {
			T_OK(0, "used %zu of %zu, made %zu of %zu", used, n,
			    f.out.len - had, most);
			break;
		}
		off += used;
		if (rc == INFLATE_MORE && used != n)
			T_OK(0, "more, of %zu used %zu", n, used);
		if (rc == INFLATE_DONE && used != n)
			break;
	} while (rc == INFLATE_FULL || (rc != INFLATE_BAD && off < s.n));
	if (rc == INFLATE_DONE) {
		used = 1;
		rc = inflate_feed(z, "x", 1, &used, &f.out, 1);
		T_OK(rc == INFLATE_DONE && used == 0, "after the end");
	}
	f.rc = rc == INFLATE_BAD ? rc : inflate_end_of_input(z);
	f.why = inflate_why(z);
	f.used = off;
	T_OK((f.rc == INFLATE_BAD) == (*f.why != '\0'), "%s", f.why);
	inflate_free(z);
	return f;
}

static int
same(const struct fate *a, const struct fate *b)
{
	return a->rc == b->rc && strcmp(a->why, b->why) == 0 &&
	    str_eq(buf_str(&a->out), buf_str(&b->out)) &&
	    (a->rc == INFLATE_BAD || a->used == b->used);
}

/* Decodes s whole; in pieces the same must come. */
static struct fate
fate_of(const char *name, enum inflate_kind kind, struct str s,
    uint64_t max_out)
{
	struct fate whole = decode(kind, s, max_out, s.n + 1, BIG), f;
	unsigned i;

	for (i = 0; i < 8; i++) {
		f = decode(kind, s, max_out, i < 2 ? 1 : i == 2 ? s.n + 1 : 0,
		    i == 0 ? BIG : i == 1 ? 1 : 0);
		T_OK(same(&whole, &f), "%s: pieces %u: %d %s", name, i, f.rc,
		    f.why);
		buf_free(&f.out);
	}
	return whole;
}

/* The stream must give out want, and leave tail bytes. */
static void
good(const char *name, enum inflate_kind kind, struct str s, struct str want,
    size_t tail)
{
	struct fate f = fate_of(name, kind, s, BIG);

	T_OK(f.rc == INFLATE_DONE && f.used == s.n - tail, "%s: %d %s, %zu",
	    name, f.rc, f.why, f.used);
	T_OK(str_eq(buf_str(&f.out), want), "%s: %zu bytes", name, f.out.len);
	buf_free(&f.out);
}

/* The stream must be refused for why, after some bytes. */
static void
refused(const char *name, enum inflate_kind kind, struct str s,
    const char *why, size_t bytes)
{
	struct fate f = fate_of(name, kind, s, BIG);

	T_OK(f.rc == INFLATE_BAD && strcmp(f.why, why) == 0, "%s: %d %s", name,
	    f.rc, f.why);
	T_OK(f.out.len == bytes, "%s: %zu bytes", name, f.out.len);
	buf_free(&f.out);
}

/* A writer of bits. */
struct bits {
	struct buf b;
	unsigned hold, n;
};

static void
start(struct bits *w)
{
	buf_init(&w->b, BIG);
	w->hold = w->n = 0;
}

static void
put(struct bits *w, unsigned v, unsigned n)
{
	for (; n > 0; n--, v >>= 1) {
		w->hold |= (v & 1) << w->n;
		if (++w->n == 8) {
			buf_addc(&w->b, (char)w->hold);
			w->hold = w->n = 0;
		}
	}
}

/* A code: its highest bit comes first. */
static void
code(struct bits *w, unsigned v, unsigned n)
{
	while (n-- > 0)
		put(w, v >> n & 1, 1);
}

static void
align(struct bits *w)
{
	if (w->n > 0)
		put(w, 0, 8 - w->n);
}

static struct str
end(struct bits *w)
{
	align(w);
	return buf_str(&w->b);
}

/* A literal or length of the fixed code. */
static void
fixed(struct bits *w, unsigned sym)
{
	if (sym < 144)
		code(w, 0x30 + sym, 8);
	else if (sym < 256)
		code(w, 0x190 + sym - 144, 9);
	else if (sym < 280)
		code(w, sym - 256, 7);
	else
		code(w, 0xc0 + sym - 280, 8);
}

static void
stored(struct bits *w, struct str s, unsigned last)
{
	put(w, last, 3);
	align(w);
	put(w, (unsigned)s.n, 16);
	put(w, ~(unsigned)s.n, 16);
	buf_addstr(&w->b, s);
}

/* The base and the extra bits of a length or a distance, as RFC 1951 has. */
static const unsigned lengths[29][2] = {
	{ 3, 0 }, { 4, 0 }, { 5, 0 }, { 6, 0 }, { 7, 0 }, { 8, 0 }, { 9, 0 },
	{ 10, 0 }, { 11, 1 }, { 13, 1 }, { 15, 1 }, { 17, 1 }, { 19, 2 },
	{ 23, 2 }, { 27, 2 }, { 31, 2 }, { 35, 3 }, { 43, 3 }, { 51, 3 },
	{ 59, 3 }, { 67, 4 }, { 83, 4 }, { 99, 4 }, { 115, 4 }, { 131, 5 },
	{ 163, 5 }, { 195, 5 }, { 227, 5 }, { 258, 0 },
}, distances[30][2] = {
	{ 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 0 }, { 5, 1 }, { 7, 1 }, { 9, 2 },
	{ 13, 2 }, { 17, 3 }, { 25, 3 }, { 33, 4 }, { 49, 4 }, { 65, 5 },
	{ 97, 5 }, { 129, 6 }, { 193, 6 }, { 257, 7 }, { 385, 7 },
	{ 513, 8 }, { 769, 8 }, { 1025, 9 }, { 1537, 9 }, { 2049, 10 },
	{ 3073, 10 }, { 4097, 11 }, { 6145, 11 }, { 8193, 12 },
	{ 12289, 12 }, { 16385, 13 }, { 24577, 13 },
};

/* Writes a match and, if out is given, makes it there. */
static void
match(struct bits *w, unsigned len, unsigned dist, struct buf *out)
{
	unsigned i = 28, k = 29;
	struct str s;

	while (lengths[i][0] > len)
		i--;
	while (distances[k][0] > dist)
		k--;
	fixed(w, 257 + i);
	put(w, len - lengths[i][0], lengths[i][1]);
	code(w, k, 5);
	put(w, dist - distances[k][0], distances[k][1]);
	for (; out != NULL && len > 0; len--) {
		s = buf_str(out);
		buf_addc(out, s.p[s.n - dist]);
	}
}

/*
 * The head of a dynamic block whose code has the given lengths: each
 * is written as itself, in four bits.
 */
static void
dynamic(struct bits *w, unsigned last, const unsigned char *lit,
    unsigned nlit, const unsigned char *dist, unsigned ndist)
{
	unsigned i;

	put(w, 4 | last, 3);
	put(w, nlit - 257, 5);
	put(w, ndist - 1, 5);
	put(w, 15, 4);
	for (i = 0; i < 19; i++)
		put(w, i < 3 ? 0 : 4, 3);
	for (i = 0; i < nlit; i++)
		code(w, lit[i], 4);
	for (i = 0; i < ndist; i++)
		code(w, dist[i], 4);
}

static void
unhex(struct buf *b, const char *hex)
{
	uint64_t v;

	for (; *hex != '\0'; hex += 2) {
		if (util_hex64(str_n(hex, 2), 255, &v) == -1)
			exit(2);
		buf_addc(b, (char)v);
	}
}

#define EVENT1 "event: delta\ndata: {\"text\":\"Hello\"}\n\n"
#define EVENT2 "event: delta\ndata: {\"text\":\" world, world\"}\n\n"
#define EVENT3 "event: stop\ndata: {}\n\n"
#define TEXT EVENT1 EVENT2 EVENT3 EVENT1 EVENT2 EVENT3 "{\"usage\":" \
	"{\"input_tokens\":12,\"output_tokens\":345,\"cached_tokens\":6789}}\n"

/* TEXT by the gzip program and by zlib; the first byte is the fuzzer's. */
static const char *const made[] = {
	"all-header-flags", "auto-dynamic", "auto-literals-only", "dynamic",
	"fixed", "gzip-name", "literals-only", "small-window",
	"stored",
};

static void
read_made(const char *name, enum inflate_kind *kind, struct buf *b)
{
	char path[64], piece[400];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "tests/corpus/inflate/%s", name);
	if ((f = fopen(path, "rb")) == NULL) {
		perror(path);
		exit(2);
	}
	*kind = (enum inflate_kind)(fgetc(f) & 3);
	n = fread(piece, 1, sizeof piece, f);
	fclose(f);
	buf_init(b, BIG);
	buf_add(b, piece, n);
}

/* No prefix of a stream is the end of it, nor one with a wrong trailer. */
static void
test_cut(const char *name, enum inflate_kind kind, struct str s)
{
	size_t i, trailer = kind == GZIP ? 8 : kind == ZLIB ? 4 : 0;
	struct str text = str_of(TEXT);
	struct fate f;
	char *p;

	for (i = 0; i < s.n; i++) {
		f = decode(kind, str_n(s.p, i), BIG, 1 + below(i + 1), BIG);
		T_OK(f.rc == INFLATE_BAD && f.used == i &&
		    strcmp(f.why, "cut short") == 0, "%s: cut at %zu: %d %s",
		    name, i, f.rc, f.why);
		T_OK(f.out.len <= text.n && (f.out.len == 0 ||
		    memcmp(buf_str(&f.out).p, text.p, f.out.len) == 0),
		    "%s: cut at %zu", name, i);
		buf_free(&f.out);
	}
	if ((p = malloc(s.n)) == NULL)
		exit(2);
	for (i = s.n - trailer; i < s.n; i++) {
		memcpy(p, s.p, s.n);
		p[i] ^= 0x10;
		refused(name, kind, str_n(p, s.n), kind == GZIP &&
		    i >= s.n - 4 ? "a wrong size" : "a wrong checksum",
		    text.n);
	}
	free(p);
}

static void
test_made(void)
{
	struct str text = str_of(TEXT);
	enum inflate_kind kind;
	struct buf b;
	size_t i;

	for (i = 0; i < N(made); i++) {
		read_made(made[i], &kind, &b);
		good(made[i], kind, buf_str(&b), text, 0);
		test_cut(made[i], kind, buf_str(&b));
		/* Bytes behind the end are not touched. */
		buf_add(&b, "\0\37\213behind", 9);
		good(made[i], kind, buf_str(&b), text, 9);
		buf_free(&b);
	}
}

/* Events must come out as soon as their bytes went in. */
static void
test_flushed(void)
{
	static const struct {
		const char *hex, *event;
	} pieces[] = {
		{ "1f8b08000000000002034a2d4bcd2bb1524849cd2949e44a492c49b452a8"
		    "562a49ad2851b252f248cdc9c957aae5e202000000ffff", EVENT1 },
		{ "4ac5a348a13cbf2827450742811403000000ffff", EVENT2 },
		{ "822a2e2ec92f80a9058a02000000ffff", EVENT3 },
		{ "0300e94186c168000000", "" },
	};
	struct inflate *z;
	enum inflate_rc rc = INFLATE_BAD;
	struct buf in, out;
	size_t i, k, step, used, n;

	for (step = 1; step < 60; step += 29) {
		buf_init(&out, BIG);
		if ((z = inflate_new(GZIP, BIG)) == NULL)
			exit(2);
		for (i = 0; i < N(pieces); i++) {
			buf_init(&in, BIG);
			unhex(&in, pieces[i].hex);
			for (k = 0; k < in.len; k += n) {
				n = in.len - k < step ? in.len - k : step;
				rc = inflate_feed(z, buf_str(&in).p + k, n,
				    &used, &out, BIG);
				T_OK(used == n, "piece %zu", i);
			}
			T_OK(rc == (i == 3 ? INFLATE_DONE : INFLATE_MORE),
			    "piece %zu: %d", i, rc);
			T_OK(str_is(buf_str(&out), pieces[i].event),
			    "piece %zu by %zu", i, step);
			buf_clear(&out);
			buf_free(&in);
		}
		T_OK(inflate_end_of_input(z) == INFLATE_DONE, "end");
		inflate_free(z);
		buf_free(&out);
	}
}

/* Small streams, each for one rule. */
static void
test_table(void)
{
#define GOOD ""
#define HEAD "1f8b0800000000000003"
#define NONE "03000000000000000000"	/* an empty block and its trailer */
#define ABC "4b4c4a0600"		/* abc */
#define ABCS ABC "c241243503000000"
	static const struct {
		enum inflate_kind kind;
		const char *hex, *why;
		size_t bytes, tail;
	} t[] = {
		{ GZIP, "", "cut short", 0, 0 },
		{ ZLIB, "", "cut short", 0, 0 },
		{ RAW, "", "cut short", 0, 0 },
		{ AUTO, "", "cut short", 0, 0 },
		{ AUTO, "78", "cut short", 0, 0 },
		{ GZIP, HEAD NONE, GOOD, 0, 0 },
		{ GZIP, HEAD ABCS, GOOD, 3, 0 },
		/* Members. */
		{ GZIP, HEAD ABCS HEAD NONE HEAD ABCS, GOOD, 6, 0 },
		{ GZIP, HEAD NONE HEAD NONE HEAD NONE, GOOD, 0, 0 },
		{ GZIP, HEAD ABCS "0000000000", GOOD, 3, 5 },
		{ GZIP, HEAD ABCS "8b1f", GOOD, 3, 2 },
		{ GZIP, HEAD ABCS "1f", "cut short", 3, 0 },
		{ GZIP, HEAD ABCS "1f8c", "not gzip", 3, 0 },
		{ GZIP, HEAD ABCS HEAD, "cut short", 3, 0 },
		{ GZIP, HEAD ABCS HEAD "0302000000",
		    "a distance beyond the start", 3, 0 },
		{ GZIP, HEAD ABCS HEAD ABC "c241243504000000",
		    "a wrong size", 6, 0 },
		{ ZLIB, "789c030000000001" "789c030000000001", GOOD, 0, 8 },
		/* Headers of gzip. */
		{ GZIP, "1f8c", "not gzip", 0, 0 },
		{ GZIP, "1e", "not gzip", 0, 0 },
		{ GZIP, "7b226572726f72223a307d", "not gzip", 0, 0 },
		{ GZIP, "1f8b07", "an unknown method", 0, 0 },
		{ GZIP, "1f8b0820", "an unknown header flag", 0, 0 },
		{ GZIP, "1f8b0840", "an unknown header flag", 0, 0 },
		{ GZIP, "1f8b0880", "an unknown header flag", 0, 0 },
		{ GZIP, "1f8b0801000000000003" NONE, GOOD, 0, 0 },
		{ GZIP, "1f8b080400000000000300" "00" NONE, GOOD, 0, 0 },
		{ GZIP, "1f8b08040000000000030300" "001f8b" NONE, GOOD, 0, 0 },
		{ GZIP, "1f8b080800000000000300" NONE, GOOD, 0, 0 },
		{ GZIP, "1f8b08080000000000036100" NONE, GOOD, 0, 0 },
		{ GZIP, "1f8b08100000000000036100" NONE, GOOD, 0, 0 },
		{ GZIP, "1f8b0818000000000003610000" NONE, GOOD, 0, 0 },
		{ GZIP, "1f8b0802000000000003a777" NONE, GOOD, 0, 0 },
		{ GZIP, "1f8b0802000000000003a776" NONE,
		    "a wrong header checksum", 0, 0 },
		{ GZIP, "1f8b08020000000000030000" NONE,
		    "a wrong header checksum", 0, 0 },
		/* Headers of zlib. */
		{ ZLIB, "789c030000000001", GOOD, 0, 0 },
		{ ZLIB, "0819030000000001", "not zlib", 0, 0 },
		{ ZLIB, "081d030000000001", GOOD, 0, 0 },
		{ ZLIB, "789d030000000001", "not zlib", 0, 0 },
		{ ZLIB, "7782030000000001", "not zlib", 0, 0 },
		{ ZLIB, "881c030000000001", "not zlib", 0, 0 },
		{ ZLIB, "78bb000000010300", "a preset dictionary", 0, 0 },
		{ ZLIB, "0300", "not zlib", 0, 0 },
		{ ZLIB, "789c4b4c4a0600024d0127", GOOD, 3, 0 },
		{ ZLIB, "789c4b4c4a060027014d02", "a wrong checksum", 3, 0 },
		/* 20000 bytes of 255: the sums are long past 65521. */
		{ ZLIB, "78daedc13101000000c2a0fea9670d0fa0000000000000"
		    "0000000000000000000000000078309f51d664", GOOD, 20000, 0 },
		/* Which of the two. */
		{ AUTO, "789c4b4c4a0600024d0127", GOOD, 3, 0 },
		{ AUTO, "789c4b4c4a0600024d0128", "a wrong checksum", 3, 0 },
		{ AUTO, "78bb000000010300", "a preset dictionary", 0, 0 },
		{ AUTO, ABC, GOOD, 3, 0 },
		{ AUTO, ABC "6162", GOOD, 3, 2 },
		{ AUTO, "0300", GOOD, 0, 0 },
		{ AUTO, "010300fcff616263", GOOD, 3, 0 },
		{ AUTO, "780300fcff6162630300", GOOD, 3, 0 },
		{ AUTO, "780000ffff0300" "78", GOOD, 0, 1 },
		{ AUTO, HEAD ABCS, "an invalid block type", 0, 0 },
		/* Blocks. */
		{ RAW, "07", "an invalid block type", 0, 0 },
		{ RAW, "06", "an invalid block type", 0, 0 },
		{ RAW, "010000ffff", GOOD, 0, 0 },
		{ RAW, "000000ffff" "000000ffff" "010100feff61", GOOD, 1, 0 },
		{ RAW, "010100ffff61", "an invalid stored length", 0, 0 },
		{ RAW, "010000fffe61", "an invalid stored length", 0, 0 },
		{ RAW, "0100000000", "an invalid stored length", 0, 0 },
		{ RAW, "010200fdff61", "cut short", 1, 0 },
		{ RAW, "020c00", GOOD, 0, 0 },
		{ RAW, "0200", "cut short", 0, 0 },
	};
	struct fate f;
	struct buf b;
	size_t i;

	for (i = 0; i < N(t); i++) {
		buf_init(&b, BIG);
		unhex(&b, t[i].hex);
		f = fate_of(t[i].hex, t[i].kind, buf_str(&b), BIG);
		T_OK(strcmp(f.why, t[i].why) == 0, "%s: %s", t[i].hex, f.why);
		T_OK(f.rc == (*t[i].why == '\0' ? INFLATE_DONE : INFLATE_BAD),
		    "%s: %d", t[i].hex, f.rc);
		T_OK(f.out.len == t[i].bytes, "%s: %zu", t[i].hex, f.out.len);
		T_OK(f.rc == INFLATE_BAD || f.used == b.len - t[i].tail,
		    "%s: used %zu", t[i].hex, f.used);
		buf_free(&f.out);
		buf_free(&b);
	}
}

/* The farthest and the nearest of what a window holds. */
static void
test_window(void)
{
	struct buf want;
	struct bits w;
	unsigned i, less;

	for (less = 0; less < 2; less++) {
		start(&w);
		buf_init(&want, BIG);
		for (i = 0; i < 32768 - less; i++)
			buf_addc(&want, (char)below(256));
		stored(&w, buf_str(&want), 0);
		put(&w, 3, 3);
		if (less) {
			match(&w, 258, 32768, NULL);
			refused("beyond 32767 bytes", RAW, end(&w),
			    "a distance beyond the start", 32767);
		} else {
			match(&w, 258, 32768, &want);
			match(&w, 3, 32768, &want);
			match(&w, 257, 32767, &want);
			match(&w, 258, 1, &want);
			match(&w, 258, 7, &want);
			fixed(&w, 256);
			good("32768", RAW, end(&w), buf_str(&want), 0);
		}
		buf_free(&want);
		buf_free(&w.b);
	}
	start(&w);
	put(&w, 3, 3);
	match(&w, 3, 1, NULL);
	refused("first", RAW, end(&w), "a distance beyond the start", 0);
	buf_free(&w.b);
	start(&w);
	put(&w, 3, 3);
	fixed(&w, 'a');
	match(&w, 3, 2, NULL);
	refused("second", RAW, end(&w), "a distance beyond the start", 1);
	buf_free(&w.b);
}

/* Each length with each sort of distance, several windows long. */
static void
test_matches(void)
{
	unsigned len, dist, i, most;
	struct buf want;
	struct bits w;

	start(&w);
	buf_init(&want, BIG);
	put(&w, 2, 3);
	for (i = 0; i < 300; i++) {
		buf_addc(&want, (char)i);
		fixed(&w, i & 255);
	}
	for (len = 3; len < 2 * 258; len++) {
		most = want.len < 32768 ? (unsigned)want.len : 32768;
		dist = 1 + (unsigned)below(len % 3 == 0 ? 20 : most);
		match(&w, len > 258 ? 3 + (unsigned)below(256) : len, dist,
		    &want);
		fixed(&w, len & 255);
		buf_addc(&want, (char)len);
	}
	for (i = 0; i < 30; i++)
		for (len = 0; len < 29; len++)
			match(&w, lengths[len][0] + (lengths[len][1] > 0),
			    distances[i][0] + (1u << distances[i][1]) - 1,
			    &want);
	fixed(&w, 256);
	stored(&w, str_of("."), 1);
	buf_addc(&want, '.');
	T_OK(want.len > 100000, "%zu", want.len);
	good("matches", RAW, end(&w), buf_str(&want), 0);
	buf_free(&want);
	buf_free(&w.b);
}

/* Codes of the fixed block that stand for nothing. */
static void
test_never(void)
{
	struct bits w;
	unsigned i;

	for (i = 0; i < 4; i++) {
		start(&w);
		put(&w, 3, 3);
		fixed(&w, 'a');
		fixed(&w, i < 2 ? 286 + i : 257);
		code(&w, 28 + i, 5);
		put(&w, 0, 32);
		put(&w, 0, 32);
		refused("never", RAW, end(&w), i < 2 ?
		    "an invalid length code" : "an invalid distance code", 1);
		buf_free(&w.b);
	}
}

/*
 * Sets of codes: 'a', 'b', the end and a length of 3 have code lengths, as
 * have the first three distances; then come bits.
 */
static void
test_sets(void)
{
	static const struct {
		const char *name;
		unsigned char a, b, end, len, dist[3];
		const char *bits, *why;
		size_t bytes;
	} t[] = {
		{ "complete", 2, 2, 2, 2, { 1, 1, 0 }, "00" "11" "0" "10", "",
		    4 },
		{ "one distance", 2, 2, 2, 2, { 1, 0, 0 }, "00" "110" "10", "",
		    4 },
		{ "its other bit", 2, 2, 2, 2, { 1, 0, 0 }, "00" "111" "10",
		    "an invalid distance code", 1 },
		{ "one of two bits", 2, 2, 2, 2, { 2, 0, 0 }, "00",
		    "an invalid set of distance codes", 0 },
		{ "three of two bits", 2, 2, 2, 2, { 2, 2, 2 }, "00",
		    "an invalid set of distance codes", 0 },
		{ "three of one bit", 2, 2, 2, 2, { 1, 1, 1 }, "00",
		    "an invalid set of distance codes", 0 },
		{ "no distance", 1, 2, 2, 0, { 0, 0, 0 }, "0" "10" "11", "",
		    2 },
		{ "no distance, a match", 2, 2, 2, 2, { 0, 0, 0 }, "00" "110",
		    "an invalid distance code", 1 },
		{ "lengths too few", 2, 2, 2, 0, { 1, 1, 0 }, "00",
		    "an invalid set of length codes", 0 },
		{ "lengths too many", 1, 2, 2, 2, { 1, 1, 0 }, "00",
		    "an invalid set of length codes", 0 },
		{ "lengths far too many", 1, 1, 1, 1, { 1, 1, 0 }, "00",
		    "an invalid set of length codes", 0 },
		{ "no end", 1, 1, 0, 0, { 1, 1, 0 }, "00",
		    "a block without an end", 0 },
		{ "only the end", 0, 0, 1, 0, { 1, 0, 0 }, "0", "", 0 },
		{ "its other bit too", 0, 0, 1, 0, { 1, 0, 0 }, "1",
		    "an invalid length code", 0 },
		{ "only the end, two bits", 0, 0, 2, 0, { 1, 0, 0 }, "00",
		    "an invalid set of length codes", 0 },
	};
	unsigned char lit[258];
	const char *p;
	struct bits w;
	struct fate f;
	size_t i;

	for (i = 0; i < N(t); i++) {
		memset(lit, 0, sizeof lit);
		lit['a'] = t[i].a;
		lit['b'] = t[i].b;
		lit[256] = t[i].end;
		lit[257] = t[i].len;
		start(&w);
		dynamic(&w, 1, lit, 258, t[i].dist, 3);
		for (p = t[i].bits; *p != '\0'; p++)
			put(&w, *p == '1', 1);
		f = fate_of(t[i].name, RAW, end(&w), BIG);
		T_OK(strcmp(f.why, t[i].why) == 0, "%s: %s", t[i].name, f.why);
		T_OK(f.out.len == t[i].bytes, "%s: %zu", t[i].name, f.out.len);
		buf_free(&f.out);
		buf_free(&w.b);
	}
}

/* Codes of every number of bits, between two blocks of the fixed ones. */
static void
test_long_codes(void)
{
	unsigned char lit[259], dist[16];
	unsigned i, k, n;
	struct buf want;
	struct bits w;

	memset(lit, 0, sizeof lit);
	for (i = 0; i < 14; i++)
		lit['a' + i] = (unsigned char)(i + 1);
	lit[256] = lit[257] = 15;
	for (i = 0; i < 16; i++)
		dist[i] = (unsigned char)(i < 15 ? i + 1 : 15);
	start(&w);
	buf_init(&want, BIG);
	put(&w, 2, 3);
	fixed(&w, 'a');
	fixed(&w, 256);
	buf_addc(&want, 'a');
	dynamic(&w, 0, lit, 259, dist, 16);
	for (k = 0; k < 400; k++) {
		i = (unsigned)below(14);
		code(&w, (1u << (i + 1)) - 2, i + 1);
		buf_addc(&want, (char)('a' + i));
		if (k < 300)
			continue;
		i = (unsigned)below(16);
		code(&w, 0x7fff, 15);
		code(&w, (1u << (i < 15 ? i + 1 : 15)) - (i < 15 ? 2 : 1),
		    i < 15 ? i + 1 : 15);
		put(&w, 0, distances[i][1]);
		for (n = 0; n < 3; n++)
			buf_addc(&want, buf_str(&want).p[want.len -
			    distances[i][0]]);
	}
	code(&w, 0x7ffe, 15);
	put(&w, 3, 3);
	fixed(&w, 'b');
	fixed(&w, 256);
	buf_addc(&want, 'b');
	good("long codes", RAW, end(&w), buf_str(&want), 0);
	buf_free(&want);
	buf_free(&w.b);
}

/* The head of a dynamic block itself. */
static void
test_heads(void)
{
	/*
	 * hlit, hdist, hclen and the lengths of the codes for 16, 17, 18, 0,
	 * 8; then codes of those, each as its bits.
	 */
	static const struct {
		const char *name;
		unsigned hlit, hdist;
		unsigned char lens[5];
		const char *bits, *why;
	} t[] = {
		{ "287 lengths", 30, 0, { 1, 1 }, "", "too many codes" },
		{ "31 distances", 0, 30, { 1, 1 }, "", "too many codes" },
		{ "no code", 0, 0, { 0, 0, 0, 0, 0 }, "0",
		    "an invalid set of code lengths" },
		{ "one code", 0, 0, { 0, 0, 1, 0, 0 }, "0",
		    "an invalid set of code lengths" },
		{ "too many", 0, 0, { 1, 1, 1, 0, 0 }, "0",
		    "an invalid set of code lengths" },
		{ "too few", 0, 0, { 1, 2, 0, 0, 0 }, "0",
		    "an invalid set of code lengths" },
		{ "repeat nothing", 0, 0, { 1, 0, 0, 0, 1 }, "1" "00",
		    "an invalid repeat of code lengths" },
		{ "zeros only", 0, 0, { 0, 0, 1, 1, 0 },
		    "1" "1111111" "1" "1011011", "a block without an end" },
		{ "repeat over the end", 0, 0, { 0, 0, 1, 1, 0 },
		    "1" "1111111" "1" "0111011",
		    "an invalid repeat of code lengths" },
	};
	const char *p;
	struct bits w;
	size_t i, k;

	for (i = 0; i < N(t); i++) {
		start(&w);
		put(&w, 5, 3);
		put(&w, t[i].hlit, 5);
		put(&w, t[i].hdist, 5);
		put(&w, 1, 4);
		for (k = 0; k < 5; k++)
			put(&w, t[i].lens[k], 3);
		for (p = t[i].bits; *p != '\0'; p++)
			put(&w, *p == '1', 1);
		put(&w, 0, 32);
		refused(t[i].name, RAW, end(&w), t[i].why, 0);
		buf_free(&w.b);
	}
}

/* Much from little: 258 bytes for 13 bits. */
static void
test_bomb(void)
{
	const char *why = "larger than allowed when unpacked";
	uint64_t total = 1 + 258 * 4000, max;
	struct fate f;
	struct bits w;
	unsigned i;

	start(&w);
	put(&w, 3, 3);
	fixed(&w, 'x');
	for (i = 0; i < 4000; i++)
		match(&w, 258, 1, NULL);
	fixed(&w, 256);
	end(&w);
	for (i = 0; i < 8; i++) {
		max = i == 0 ? total : i == 1 ? total - 1 : i < 4 ? i - 2 :
		    (uint64_t)below((size_t)total);
		f = decode(RAW, buf_str(&w.b), max, i % 2 ? 1 : w.b.len,
		    i > 4 ? 0 : BIG);
		T_OK(f.out.len == max, "%zu", f.out.len);
		T_OK(f.rc == (i == 0 ? INFLATE_DONE : INFLATE_BAD) &&
		    strcmp(f.why, i == 0 ? "" : why) == 0, "%s", f.why);
		buf_free(&f.out);
	}
	buf_free(&w.b);
	/* All members count; an empty one needs no room. */
	start(&w);
	unhex(&w.b, HEAD ABCS HEAD ABCS HEAD NONE);
	for (i = 0; i < 8; i++) {
		f = fate_of("members", GZIP, buf_str(&w.b), i);
		T_OK(f.rc == (i >= 6 ? INFLATE_DONE : INFLATE_BAD) &&
		    f.out.len == (i < 6 ? i : 6), "%u: %s", i, f.why);
		buf_free(&f.out);
	}
	buf_free(&w.b);
}

/* A queue that is smaller than out_max is full, not overrun. */
static void
test_room(void)
{
	struct inflate *z = inflate_new(RAW, BIG);
	enum inflate_rc rc;
	struct buf out;
	size_t used, n;

	if (z == NULL)
		exit(2);
	buf_init(&out, 2);
	rc = inflate_feed(z, "\x4b\x4c\x4a\x06", 5, &used, &out, 100);
	T_OK(rc == INFLATE_FULL && str_is(buf_str(&out), "ab") && !out.bad,
	    "%d", rc);
	buf_take(&out, 1);
	rc = inflate_feed(z, &"\x4b\x4c\x4a\x06"[used], 5 - used, &used, &out,
	    100);
	T_OK(rc == INFLATE_DONE && str_is(buf_str(&out), "bc"), "%d", rc);
	inflate_free(z);
	buf_free(&out);
	inflate_free(NULL);
	/* A queue that has failed: nothing more is given out. */
	if ((z = inflate_new(RAW, BIG)) == NULL)
		exit(2);
	buf_init(&out, 100);
	out.bad = 1;
	for (n = 4; n > 0; n--) {
		rc = inflate_feed(z, "\x4b\x4c\x4a\x06", 4, &used, &out, n);
		T_OK(rc == INFLATE_BAD && out.len == 0 &&
		    strcmp(inflate_why(z), "out of memory") == 0, "%d", rc);
		out.bad = 0;
	}
	inflate_free(z);
	buf_free(&out);
}

/* Texts of several sorts, some longer than the window. */
static void
generate(struct buf *b, unsigned sort)
{
	size_t n = sort == 0 ? 1000 : 120000, i, k;

	while (b->len < n)
		switch (sort) {
		case 1:
			buf_addc(b, (char)below(256));
			break;
		case 2:
			k = below(2000);
			for (i = 0; i < k; i++)
				buf_addc(b, (char)('a' + b->len % 3));
			buf_addc(b, (char)below(256));
			break;
		case 3:
			k = 1 + below(8);
			buf_addc(b, (char)below((size_t)1 << k));
			break;
		default:
			buf_fmt(b, "data: {\"id\":%zu,\"text\":\"%zx\"}\n\n",
			    b->len, below(100));
		}
}

/* What the gzip program packs must come out as it went in. */
static void
test_gzip(void)
{
	static const char *const levels[] = { "-1", "-6", "-9" };
	char path[] = "/tmp/t_inflate.XXXXXX", command[64], piece[4096];
	struct buf text, packed;
	unsigned sort, i;
	size_t n;
	FILE *f;
	int fd;

	for (sort = 0; sort < 5; sort++) {
		buf_init(&text, BIG);
		generate(&text, sort);
		memcpy(path + sizeof path - 7, "XXXXXX", 6);
		if ((fd = mkstemp(path)) == -1)
			exit(2);
		T_OK(write(fd, buf_str(&text).p, text.len) ==
		    (ssize_t)text.len, "%s", path);
		close(fd);
		for (i = 0; i < N(levels); i++) {
			snprintf(command, sizeof command, "gzip -c %s <%s",
			    levels[i], path);
			buf_init(&packed, BIG);
			if ((f = popen(command, "r")) == NULL)
				exit(2);
			while ((n = fread(piece, 1, sizeof piece, f)) > 0)
				buf_add(&packed, piece, n);
			T_OK(pclose(f) == 0, "%s", command);
			good(levels[i], GZIP, buf_str(&packed), buf_str(&text),
			    0);
			/* A member does not reach into the one before it. */
			unhex(&packed, HEAD "0302000000");
			refused(levels[i], GZIP, buf_str(&packed),
			    "a distance beyond the start", text.len);
			buf_free(&packed);
		}
		unlink(path);
		buf_free(&text);
	}
}

int
main(void)
{
	test_made();
	test_flushed();
	test_table();
	test_window();
	test_matches();
	test_never();
	test_sets();
	test_long_codes();
	test_heads();
	test_bomb();
	test_room();
	test_gzip();
	return t_end();
}
