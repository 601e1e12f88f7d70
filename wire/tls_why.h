#ifndef TLS_WHY_H
#define TLS_WHY_H

/*
 * The words for tls_why(), for tls.c alone: one sentence for each error
 * code of the library, none twice, without a full stop.
 */

/* X(code, sentence); the codes are the library's names. */
#define TLS_REASONS(X) \
	X(BR_ERR_BAD_PARAM, "TLS was set up with a parameter that the " \
	    "library does not accept") \
	X(BR_ERR_BAD_STATE, "TLS was asked for something that does not fit " \
	    "its state") \
	X(BR_ERR_UNSUPPORTED_VERSION, "the peer did not answer with TLS " \
	    "1.2; is this port plain HTTP?") \
	X(BR_ERR_BAD_VERSION, "a TLS record names another version than the " \
	    "ones before it") \
	X(BR_ERR_BAD_LENGTH, "a TLS record has an impossible length") \
	X(BR_ERR_TOO_LARGE, "a TLS record or message is larger than the " \
	    "buffer for it") \
	X(BR_ERR_BAD_MAC, "a TLS record was damaged or forged on its way") \
	X(BR_ERR_NO_RANDOM, "there is no randomness to start TLS with") \
	X(BR_ERR_UNKNOWN_TYPE, "a TLS record has a type that does not exist") \
	X(BR_ERR_UNEXPECTED, "a TLS message came out of turn") \
	X(BR_ERR_BAD_CCS, "the peer's TLS ChangeCipherSpec is malformed") \
	X(BR_ERR_BAD_ALERT, "the peer's TLS alert is malformed") \
	X(BR_ERR_BAD_HANDSHAKE, "a TLS handshake message is malformed") \
	X(BR_ERR_OVERSIZED_ID, "the server's TLS session id is longer than " \
	    "32 bytes") \
	X(BR_ERR_BAD_CIPHER_SUITE, "the server chose a cipher suite that " \
	    "was not offered") \
	X(BR_ERR_BAD_COMPRESSION, "the server chose to compress, which was " \
	    "not offered") \
	X(BR_ERR_BAD_FRAGLEN, "the server answered with another maximum " \
	    "fragment length than the one asked for") \
	X(BR_ERR_BAD_SECRENEG, "the peer's proof against TLS renegotiation " \
	    "attacks is wrong") \
	X(BR_ERR_EXTRA_EXTENSION, "the server answered a TLS extension that " \
	    "was not sent, or answered one twice") \
	X(BR_ERR_BAD_SNI, "the server's answer to the server name is not " \
	    "empty") \
	X(BR_ERR_BAD_HELLO_DONE, "the server's TLS hello ends in a " \
	    "malformed message") \
	X(BR_ERR_LIMIT_EXCEEDED, "the peer's public key is larger than this " \
	    "build handles") \
	X(BR_ERR_BAD_FINISHED, "the two sides saw different TLS handshakes; " \
	    "something on the way changes them") \
	X(BR_ERR_RESUME_MISMATCH, "the server resumed a TLS session with " \
	    "another version or cipher suite") \
	X(BR_ERR_INVALID_ALGORITHM, "the peer uses a curve, signature or " \
	    "hash that this build does not accept") \
	X(BR_ERR_BAD_SIGNATURE, "the peer could not prove that it holds the " \
	    "key of its certificate") \
	X(BR_ERR_WRONG_KEY_USAGE, "the key in the certificate does not fit " \
	    "the cipher suite or may not be used for it") \
	X(BR_ERR_NO_CLIENT_AUTH, "the client did not prove who it is with a " \
	    "certificate") \
	X(BR_ERR_IO, "the transport under TLS broke") \
	X(BR_ERR_X509_OK, "the certificates were accepted, yet the library " \
	    "reports them as a failure") \
	X(BR_ERR_X509_INVALID_VALUE, "a certificate holds an invalid value") \
	X(BR_ERR_X509_TRUNCATED, "a certificate is cut short") \
	X(BR_ERR_X509_EMPTY_CHAIN, "the server sent no certificate") \
	X(BR_ERR_X509_INNER_TRUNC, "a part of a certificate is longer than " \
	    "the whole") \
	X(BR_ERR_X509_BAD_TAG_CLASS, "a certificate uses a private or " \
	    "application ASN.1 tag") \
	X(BR_ERR_X509_BAD_TAG_VALUE, "a certificate uses an ASN.1 tag that " \
	    "is too large") \
	X(BR_ERR_X509_INDEFINITE_LENGTH, "a certificate uses an indefinite " \
	    "length, which DER forbids") \
	X(BR_ERR_X509_EXTRA_ELEMENT, "a certificate has a surplus element") \
	X(BR_ERR_X509_UNEXPECTED, "a certificate has an element that does " \
	    "not belong where it is, such as a key of an unknown kind") \
	X(BR_ERR_X509_NOT_CONSTRUCTED, "a certificate has a plain value " \
	    "where a structure belongs") \
	X(BR_ERR_X509_NOT_PRIMITIVE, "a certificate has a structure where a " \
	    "plain value belongs") \
	X(BR_ERR_X509_PARTIAL_BYTE, "a certificate has a bit string that " \
	    "ends within a byte") \
	X(BR_ERR_X509_BAD_BOOLEAN, "a certificate has a malformed boolean") \
	X(BR_ERR_X509_OVERFLOW, "a number in a certificate is too large") \
	X(BR_ERR_X509_BAD_DN, "a certificate has a malformed name") \
	X(BR_ERR_X509_BAD_TIME, "a certificate has a malformed date") \
	X(BR_ERR_X509_UNSUPPORTED, "a certificate uses a feature that this " \
	    "build lacks, such as RSA-PSS or Ed25519") \
	X(BR_ERR_X509_LIMIT_EXCEEDED, "a key or signature in a certificate " \
	    "is larger than this build handles (RSA: 4096 bits)") \
	X(BR_ERR_X509_WRONG_KEY_TYPE, "a certificate has a key of another " \
	    "type than its signature or the cipher suite needs") \
	X(BR_ERR_X509_BAD_SIGNATURE, "a certificate's signature is wrong") \
	X(BR_ERR_X509_TIME_UNKNOWN, "the time is not known, so no " \
	    "certificate's dates can be checked") \
	X(BR_ERR_X509_EXPIRED, "the certificate has expired or is not yet " \
	    "valid; is the clock right?") \
	X(BR_ERR_X509_DN_MISMATCH, "the certificates are not sent in the " \
	    "order in which they vouch for each other") \
	X(BR_ERR_X509_BAD_SERVER_NAME, "the certificate is for another host " \
	    "name") \
	X(BR_ERR_X509_CRITICAL_EXTENSION, "a certificate has a critical " \
	    "extension that this build does not know") \
	X(BR_ERR_X509_NOT_CA, "a certificate vouches for another without " \
	    "the right to") \
	X(BR_ERR_X509_FORBIDDEN_KEY_USAGE, "a certificate's key is used for " \
	    "what the certificate forbids") \
	X(BR_ERR_X509_WEAK_PUBLIC_KEY, "a certificate's key is too short to " \
	    "be safe") \
	X(BR_ERR_X509_NOT_TRUSTED, "the certificate leads to no trusted " \
	    "root; unknown CA, or an intermediate is missing")

/*
 * X(number, name, what it says): the registered alerts (RFC 5246 7.2, 4279,
 * 6066, 7301, 7507, 8446 6.2) that read alike from either side.
 */
#define TLS_ALERTS(X) \
	X(0, "close_notify", "the connection ends") \
	X(10, "unexpected_message", "a message came out of turn") \
	X(20, "bad_record_mac", "a record was damaged or forged") \
	X(21, "decryption_failed", "a record could not be decrypted") \
	X(22, "record_overflow", "a record is too long") \
	X(30, "decompression_failure", "a record could not be unpacked") \
	X(41, "no_certificate", "there is no certificate to show") \
	X(42, "bad_certificate", "a certificate is damaged") \
	X(43, "unsupported_certificate", "a certificate is of an unknown " \
	    "kind") \
	X(44, "certificate_revoked", "a certificate was revoked") \
	X(45, "certificate_expired", "a certificate has expired") \
	X(46, "certificate_unknown", "a certificate is not acceptable") \
	X(47, "illegal_parameter", "a handshake value is out of range") \
	X(48, "unknown_ca", "no trusted root vouches for a certificate") \
	X(49, "access_denied", "the access rules say no") \
	X(50, "decode_error", "a message could not be read") \
	X(51, "decrypt_error", "a signature or Finished is wrong") \
	X(60, "export_restriction", "the key is longer than once allowed") \
	X(71, "insufficient_security", "stronger ciphers are required") \
	X(80, "internal_error", "something broke on the sending side") \
	X(86, "inappropriate_fallback", "a newer version should have been " \
	    "tried") \
	X(90, "user_canceled", "the handshake was called off") \
	X(100, "no_renegotiation", "a new handshake is not wanted") \
	X(109, "missing_extension", "a required extension is absent") \
	X(110, "unsupported_extension", "an extension was not asked for") \
	X(111, "certificate_unobtainable", "a certificate could not be " \
	    "fetched") \
	X(112, "unrecognized_name", "the server name is not known there") \
	X(113, "bad_certificate_status_response", "a certificate's OCSP " \
	    "answer is bad") \
	X(114, "bad_certificate_hash_value", "a fetched certificate is not " \
	    "the announced one") \
	X(115, "unknown_psk_identity", "the pre-shared key is not known") \
	X(116, "certificate_required", "a client certificate is required") \
	X(120, "no_application_protocol", "http/1.1 is not spoken there")

#endif
