/* SPDX-License-Identifier: MIT */
/*
 * Purpose: private keys read from PEM once instead of for each message.
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

/* The key of a PEM text when it is of that type (EVP_PKEY_ED25519, EVP_PKEY_RSA), for EVP_PKEY_free;
 * NULL otherwise. */
EVP_PKEY *key_cache_get(KeyCache *cache, const char *pem, int type);

/* How many keys it holds. */
guint key_cache_size(KeyCache *cache);
