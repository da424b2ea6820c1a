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
    char *selector;        /* "or-" and six of a-z */
    char *private_key;     /* PEM, PKCS#8 */
    char *public_key;      /* base64: SubjectPublicKeyInfo for RSA, the 32 octets for Ed25519 */
} DkimKey;

void dkim_key_free(DkimKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimKey, dkim_key_free)

/* A new RSA-2048 or Ed25519 key. */
DkimKey *dkim_key_generate(gboolean ed25519, GError **error);

/* "v=DKIM1; k=rsa; p=..."; g_free. */
char *dkim_key_record(const char *algorithm, const char *public_key);
