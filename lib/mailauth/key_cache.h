/* SPDX-License-Identifier: MIT */
/*
 * Purpose: Ed25519 private keys read from PEM once instead of for each message.
 * Used by: lib/mailauth.
 * May touch: nothing.
 * Threads: any.
 * Limits: KEY_CACHE_MAX keys; when it is full it is emptied. A key stays in memory until then, or until the
 *     cache is freed; it is found only by who has its PEM.
 */
#pragma once

#include <glib.h>
#include <openssl/evp.h>

#define KEY_CACHE_MAX 1024

typedef struct KeyCache KeyCache;

KeyCache *key_cache_new(void);
void key_cache_free(KeyCache *cache);

/* The key of a PEM text, for EVP_PKEY_free; NULL when there is no Ed25519 private key in it. */
EVP_PKEY *key_cache_get(KeyCache *cache, const char *pem);

/* How many keys it holds. */
guint key_cache_size(KeyCache *cache);
