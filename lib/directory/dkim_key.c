/* SPDX-License-Identifier: MIT */
#include "lib/directory/dkim_key.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/seal/random.h"

#define SELECTOR_LETTERS 6
#define ED25519_LENGTH   32

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)

void dkim_key_free(DkimKey *key)
{
    if (!key)
        return;
    g_free(key->selector);
    if (key->private_key)
        memset(key->private_key, 0, strlen(key->private_key));
    g_free(key->private_key);
    g_free(key->public_key);
    g_free(key);
}

static char *private_pem(EVP_PKEY *pkey)
{
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    char *data;

    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1)
        return NULL;
    long length = BIO_get_mem_data(bio, &data);
    return g_strndup(data, (gsize)length);
}

static char *public_rsa(EVP_PKEY *pkey)
{
    guint8 *der = NULL;
    int length = i2d_PUBKEY(pkey, &der);

    if (length <= 0)
        return NULL;
    char *text = g_base64_encode(der, (gsize)length);
    OPENSSL_free(der);
    return text;
}

static char *public_ed25519(EVP_PKEY *pkey)
{
    guint8 raw[ED25519_LENGTH];
    gsize length = sizeof(raw);

    return EVP_PKEY_get_raw_public_key(pkey, raw, &length) == 1 ? g_base64_encode(raw, length)
                                                                : NULL;
}

static gboolean check_kind(const char *algorithm, guint bits, GError **error)
{
    gboolean ed25519 = g_str_equal(algorithm, "ed25519");

    if (ed25519 ? bits == 0
                : g_str_equal(algorithm, "rsa") && (bits == 2048 || bits == 3072 || bits == 4096))
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID,
                "key: allowed are rsa with 2048, 3072 or 4096 bits, and ed25519 without bits");
    return FALSE;
}

DkimKey *dkim_key_generate(const char *algorithm, guint bits, GError **error)
{
    if (!check_kind(algorithm, bits, error))
        return NULL;
    gboolean ed25519 = bits == 0;
    g_autoptr(EVP_PKEY) pkey = ed25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                       : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (gsize)bits);
    g_autofree char *letters = random_text(RANDOM_SMALL, SELECTOR_LETTERS, error);

    if (!letters)
        return NULL;
    g_autoptr(DkimKey) key = g_new0(DkimKey, 1);
    key->algorithm = ed25519 ? "ed25519" : "rsa";
    key->bits = bits;
    key->selector = g_strconcat("or-", letters, NULL);
    if (pkey) {
        key->private_key = private_pem(pkey);
        key->public_key = ed25519 ? public_ed25519(pkey) : public_rsa(pkey);
    }
    if (key->private_key && key->public_key)
        return g_steal_pointer(&key);
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL, "OpenSSL makes no %s key",
                key->algorithm);
    return NULL;
}

char *dkim_key_record(const char *algorithm, const char *public_key)
{
    return g_strdup_printf("v=DKIM1; k=%s; p=%s", algorithm, public_key);
}
