/* SPDX-License-Identifier: MIT */
/*
 * Purpose: DKIM keys: making one, and the TXT record that publishes it (RFC 6376 §3.6.1, RFC 8463).
 * Used by: lib/directory.
 * May touch: the system's random source.
 * Threads: any.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *algorithm; /* "rsa" or "ed25519"; static */
    guint bits;            /* of an RSA key; 0: Ed25519 */
    char *selector;        /* "or-" and six of a-z */
    char *private_key;     /* PEM, PKCS#8 */
    char *public_key;      /* base64: SubjectPublicKeyInfo for RSA, the 32 octets for Ed25519 */
} DkimKey;

void dkim_key_free(DkimKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimKey, dkim_key_free)

#define DKIM_KEY_BITS 2048 /* of an RSA key, unless another length is asked for */

/* A new key: "rsa" with 2048, 3072 or 4096 bits, or "ed25519" (bits 0). INVALID names what is not allowed. */
DkimKey *dkim_key_generate(const char *algorithm, guint bits, GError **error);

/* "v=DKIM1; k=rsa; p=..."; g_free. */
char *dkim_key_record(const char *algorithm, const char *public_key);
