/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the installation's RSA key for HTTP requests, and signatures with it (RSASSA-PKCS1-v1_5, RFC 8017): who gets a request
 *     sees that it is ours, and whole.
 * Used by: outrider-pipe (signs), the CLI (makes it, shows the public part).
 * May touch: <key_dir>/http-signing.pem.
 * Threads: a loaded key is never changed; share it. A Signature belongs to one at a time.
 * Limits: a PEM file of at most 16 KiB with an RSA key of 2048 to 8192 bits. A file that others may read is refused.
 */
#pragma once

#include <glib.h>

#define SIGNING_KEY_FILE "http-signing.pem"
#define SIGNING_KEY_BITS 2048

typedef struct SigningKey SigningKey;

/* PEM (PKCS#8) of a new key; g_free. NULL: OpenSSL makes none. */
char *signing_key_generate(void);

/* INVALID names the file and what is wrong; or NOT_FOUND, IO. */
SigningKey *signing_key_load(const char *path, GError **error);
void signing_key_free(SigningKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SigningKey, signing_key_free)

/* SHA-256 of the DER of its RSAPublicKey (RFC 8017 appendix A.1.1) in hexadecimal digits, as Postal names its key. */
const char *signing_key_id(const SigningKey *key);

/* The public part as PEM (SubjectPublicKeyInfo); g_free. */
char *signing_key_public(const SigningKey *key);

/* Its modulus and exponent in base64url, as a JWK has them (RFC 7518 section 6.3.1); g_free both. */
void signing_key_numbers(const SigningKey *key, char **n, char **e);

/* Two signatures at a time of octets that come in pieces. */
typedef struct Signature Signature;

/* NULL: INTERNAL. */
Signature *signature_new(const SigningKey *key, GError **error);
void signature_free(Signature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Signature, signature_free)

void signature_add(Signature *signature, const void *data, gsize length);

/* In base64, by SHA-1 and by SHA-256; g_free both. Nothing can be added after that. FALSE: INTERNAL. */
gboolean signature_finish(Signature *signature, char **sha1, char **sha256, GError **error);
