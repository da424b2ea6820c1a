/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a=ed25519-sha256 signatures (RFC 8463), made with OpenSSL alone: libopendkim 2.11 never frees
 *     an Ed25519 key that it signed with.
 * Used by: dkim_sign.
 * May touch: nothing.
 * Threads: any; a key is shared.
 * Limits: linear in header and body; of the body one piece is in memory twice, or the longest run of empty
 *     lines.
 */
#pragma once

#include <openssl/evp.h>

#include "lib/mailauth/dkim_sign.h"

#define BODY_HASH_LENGTH 32 /* SHA-256 */

/* SHA-256 of the relaxed body; FALSE when OpenSSL fails. */
gboolean dkim_ed25519_hash_body(const char *body, gsize length, guint8 hash[BODY_HASH_LENGTH]);

typedef struct {
    EVP_PKEY *key;
    const char *domain;
    const char *selector;
    gint64 now; /* Unix seconds */
} Ed25519Signer;

/* The value of a DKIM-Signature field, as in DkimSignature; g_free. NULL when OpenSSL fails. */
char *dkim_ed25519_sign(const Ed25519Signer *signer, const DkimContent *content,
                        const guint8 body_hash[BODY_HASH_LENGTH]);
