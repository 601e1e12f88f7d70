#include "base/sha256.h"

#define BLOCK 64	/* bytes that are worked in at a time */

/* Fractions of the square roots of the first 8 primes (5.3.3). */
static const uint32_t start[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
	0x9b05688c, 0x1f83d9ab, 0x5be0cd19
};

/* Fractions of the cube roots of the first 64 primes (4.2.2). */
static const uint32_t constant[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
	0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
	0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
	0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152,
	0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
	0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
	0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
	0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
};

static uint32_t
turn(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* What FIPS 180-4 calls a schedule, and the words a to h. */
struct work {
	uint32_t w[64];
	uint32_t v[8];
};

static void
schedule(uint32_t w[64], const unsigned char *p)
{
	uint32_t a, b;
	int i;

	for (i = 0; i < 16; i++, p += 4)
		w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		    (uint32_t)p[2] << 8 | p[3];
	for (; i < 64; i++) {
		a = w[i - 15];
		b = w[i - 2];
		w[i] = w[i - 16] + w[i - 7] +
		    (turn(a, 7) ^ turn(a, 18) ^ a >> 3) +
		    (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
	}
}

/* Works one block into the state (6.2.2). */
static void
block(uint32_t h[8], const unsigned char *p, struct work *s)
{
	uint32_t *v = s->v, one, two;
	int i;

	schedule(s->w, p);
	memcpy(v, h, 8 * sizeof *h);
	for (i = 0; i < 64; i++) {
		one = v[7] + constant[i] + s->w[i] +
		    (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) +
		    ((v[4] & v[5]) ^ (~v[4] & v[6]));
		two = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) +
		    ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += one;
		v[0] = one + two;
	}
	for (i = 0; i < 8; i++)
		h[i] += v[i];
}

void
sha256_of(unsigned char out[SHA256_SIZE], struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char tail[2 * BLOCK] = { 0 };
	uint64_t bits = (uint64_t)s.n << 3;
	size_t n = s.n, end, i;
	struct work work;
	uint32_t h[8];

	memcpy(h, start, sizeof h);
	for (; n >= BLOCK; p += BLOCK, n -= BLOCK)
		block(h, p, &work);
	/* The rest, a bit of 1, and the length at the end (5.1.1). */
	if (n > 0)
		memcpy(tail, p, n);
	tail[n] = 0x80;
	end = n < BLOCK - 8 ? BLOCK : 2 * BLOCK;
	for (i = 1; i <= 8; i++, bits >>= 8)
		tail[end - i] = (unsigned char)bits;
	for (i = 0; i < end; i += BLOCK)
		block(h, tail + i, &work);
	for (i = 0; i < SHA256_SIZE; i++)
		out[i] = (unsigned char)(h[i / 4] >> (24 - i % 4 * 8));
	util_wipe(tail, sizeof tail);
	util_wipe(&work, sizeof work);
}
