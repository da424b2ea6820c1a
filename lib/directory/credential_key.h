/* SPDX-License-Identifier: MIT */
/*
 * Purpose: keys of credentials: making one, and what CRAM-MD5 needs of it.
 * Used by: lib/directory.
 * May touch: the system's random source.
 * Threads: any.
 */
#pragma once

#include <glib.h>

#define CREDENTIAL_KEY_LENGTH  28 /* characters of A-Z a-z 0-9: 166 bits */
#define CREDENTIAL_CRAM_LENGTH 32

/* Random characters of an alphabet, each equally likely; NULL (UNAVAILABLE) without a random source.
 * g_free. */
char *random_text(const char *alphabet, gsize length, GError **error);

/* A new key; g_free. */
char *credential_key_generate(GError **error);

/* What HMAC-MD5 (RFC 2104) needs of the key: the MD5 states after one block of key^ipad, then of
 * key^opad, each four 32-bit words, little-endian. */
void credential_key_cram(const char *key, guint8 state[CREDENTIAL_CRAM_LENGTH]);
