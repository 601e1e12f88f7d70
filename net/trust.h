#ifndef NET_TRUST_H
#define NET_TRUST_H

/*
 * Where the trust anchors come from: ca_file of the config, else
 * SSL_CERT_FILE, else the usual places of Linux, the BSDs and macOS.
 */

#include "base/buf.h"
#include "tls.h"

/*
 * Loads the bundle of that path; p NULL: the system's.  Returns the
 * anchors with one reference, and adds a sentence to note ("144 roots from
 * FILE"); NULL with a sentence that says what is wrong.
 */
struct tls_roots *trust_load(struct str path, struct buf *note);

/*
 * Adds the bytes of a file, at most out's maximum.  0; -1: errno; ENOTSUP:
 * it is no plain file.  wait: a pipe will do, too, and its writer is waited
 * for, as nobody is served yet.
 */
int trust_read(const char *path, struct buf *out, int wait);

#endif
