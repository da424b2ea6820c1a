/* SPDX-License-Identifier: MIT */
#include "lib/mailauth/key_cache.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define DIGEST_LENGTH 32 /* SHA-256 */

struct KeyCache {
    GMutex lock;
    GHashTable *keys; /* GBytes, SHA-256 of the PEM -> EVP_PKEY */
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)

static void free_key(gpointer key)
{
    EVP_PKEY_free(key);
}

KeyCache *key_cache_new(void)
{
    KeyCache *cache = g_new0(KeyCache, 1);

    g_mutex_init(&cache->lock);
    cache->keys =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, free_key);
    return cache;
}

void key_cache_free(KeyCache *cache)
{
    if (!cache)
        return;
    g_hash_table_unref(cache->keys);
    g_mutex_clear(&cache->lock);
    g_free(cache);
}

static EVP_PKEY *read_key(const char *pem)
{
    g_autoptr(BIO) bio = BIO_new_mem_buf(pem, -1);
    /* An empty password instead of NULL: OpenSSL would ask for one at the terminal. */
    char none[] = "";
    g_autoptr(EVP_PKEY) key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, none) : NULL;

    if (!key)
        ERR_clear_error();
    return g_steal_pointer(&key);
}

static GBytes *digest(const char *pem)
{
    unsigned char octets[DIGEST_LENGTH];

    if (EVP_Digest(pem, strlen(pem), octets, NULL, EVP_sha256(), NULL) != 1)
        return NULL;
    return g_bytes_new(octets, sizeof octets);
}

EVP_PKEY *key_cache_get(KeyCache *cache, const char *pem, int type)
{
    g_autoptr(GBytes) name = digest(pem);
    g_autoptr(GMutexLocker) locker = name ? g_mutex_locker_new(&cache->lock) : NULL;

    if (!locker)
        return NULL;
    EVP_PKEY *key = g_hash_table_lookup(cache->keys, name);
    if (!key) {
        key = read_key(pem);
        if (!key)
            return NULL;
        if (g_hash_table_size(cache->keys) >= KEY_CACHE_MAX)
            g_hash_table_remove_all(cache->keys);
        g_hash_table_insert(cache->keys, g_steal_pointer(&name), key);
    }
    return EVP_PKEY_get_base_id(key) == type && EVP_PKEY_up_ref(key) == 1 ? key : NULL;
}

guint key_cache_size(KeyCache *cache)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&cache->lock);

    return g_hash_table_size(cache->keys);
}
