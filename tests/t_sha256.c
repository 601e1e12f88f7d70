#include "base/sha256.h"

#include <stdlib.h>

#include "tests/t.h"

static void
digest(char hex[2 * SHA256_SIZE + 1], struct str s)
{
	unsigned char out[SHA256_SIZE];

	sha256_of(out, s);
	util_hex(hex, out, sizeof out);
}

/* The examples that NIST gives for FIPS 180-4, and every odd length. */
static void
test_vectors(void)
{
	static const struct {
		const char *text, *hex;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
		    "7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410"
		    "ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd4"
		    "19db06c1" },
		{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		    "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		    "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac4503"
		    "7afee9d1" }
	};
	char hex[2 * SHA256_SIZE + 1];
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		digest(hex, str_of(rows[i].text));
		T_OK(strcmp(hex, rows[i].hex) == 0, "\"%s\": %s",
		    rows[i].text, hex);
	}
	digest(hex, str_n(NULL, 0));
	T_OK(strcmp(hex, rows[0].hex) == 0, "%s", hex);
}

static void
test_million(void)
{
	char hex[2 * SHA256_SIZE + 1], *p = malloc(1000000);

	T_OK(p != NULL, "memory");
	if (p == NULL)
		return;
	memset(p, 'a', 1000000);
	digest(hex, str_n(p, 1000000));
	T_OK(strcmp(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d"
	    "39ccc7112cd0") == 0, "%s", hex);
	free(p);
}

/*
 * All lengths around the ends of blocks: a chain of digests, each over the
 * one before and a run of bytes, whose last link another program computed.
 */
static void
test_lengths(void)
{
	unsigned char text[SHA256_SIZE + 200];
	char hex[2 * SHA256_SIZE + 1];
	size_t n;

	memset(text, 0, sizeof text);
	for (n = 0; n <= 200; n++) {
		memset(text + SHA256_SIZE, (int)(n * 7 % 256), n);
		sha256_of(text, str_n((const char *)text, SHA256_SIZE + n));
	}
	util_hex(hex, text, SHA256_SIZE);
	T_OK(strcmp(hex, "cfb5100a96b4528e4c3ebbd0b0228c799c92f957311015149fcc"
	    "801155cae51b") == 0, "%s", hex);
}

int
main(void)
{
	test_vectors();
	test_million();
	test_lengths();
	return t_end();
}
