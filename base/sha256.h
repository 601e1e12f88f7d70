#ifndef BASE_SHA256_H
#define BASE_SHA256_H

/* SHA-256 (FIPS 180-4, section 6.2) of what is in memory as a whole. */

#include "base/util.h"

#define SHA256_SIZE 32		/* bytes of a digest */

/* Puts the digest of s in out.  Keeps no trace of s. */
void sha256_of(unsigned char out[SHA256_SIZE], struct str s);

#endif
