/* SPDX-License-Identifier: MIT */
#include "lib/seal/signing_key.h"

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "lib/base/error.h"
#include "lib/seal/base64url.h"
#include "lib/seal/digest.h"
#include "lib/seal/secret_file.h"

#define FILE_MAX     16384
#define BITS_MIN     2048
#define BITS_MAX     8192
#define TAG_INTEGER  0x02
#define TAG_SEQUENCE 0x30

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_free)

struct SigningKey {
    EVP_PKEY *pkey;
    char id[DIGEST_TEXT_LENGTH];
};

enum { BY_SHA1, BY_SHA256, HASHES };

struct Signature {
    EVP_MD_CTX *contexts[HASHES];
    gboolean good;
};

static char *bio_text(BIO *bio)
{
    char *data;
    long length = BIO_get_mem_data(bio, &data);

    return g_strndup(data, (gsize)length);
}

char *signing_key_generate(void)
{
    g_autoptr(EVP_PKEY) pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (gsize)SIGNING_KEY_BITS);
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());

    if (!pkey || !bio || PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1)
        return NULL;
    return bio_text(bio);
}

/* Tag and length of an element of DER (X.690 section 8.1). */
static void add_head(GByteArray *der, guint8 tag, gsize length)
{
    const guint8 head[] = {tag, 0x82, (guint8)(length >> 8), (guint8)length};
    const guint8 short_head[] = {tag, (guint8)length};
    const guint8 middle_head[] = {tag, 0x81, (guint8)length};

    if (length < 128)
        g_byte_array_append(der, short_head, sizeof short_head);
    else if (length < 256)
        g_byte_array_append(der, middle_head, sizeof middle_head);
    else
        g_byte_array_append(der, head, sizeof head);
}

/* An INTEGER of DER (X.690 section 8.3): its octets with a zero before a set first bit. */
static void add_integer(GByteArray *der, const EVP_PKEY *pkey, const char *name)
{
    BIGNUM *value = NULL;
    guint8 octets[BITS_MAX / 8 + 1] = {0};

    if (EVP_PKEY_get_bn_param(pkey, name, &value) != 1)
        g_error("an RSA key without %s", name);
    g_autoptr(BIGNUM) owned = value;
    gsize length = (gsize)BN_num_bits(owned) / 8 + 1;
    g_assert(length <= sizeof octets);
    BN_bn2binpad(owned, octets, (int)length);
    add_head(der, TAG_INTEGER, length);
    g_byte_array_append(der, octets, (guint)length);
}

/* OpenSSL's encoders make the same, and take as long as a signature. */
static void set_id(SigningKey *key)
{
    g_autoptr(GByteArray) numbers = g_byte_array_new();
    g_autoptr(GByteArray) head = g_byte_array_new();
    g_autoptr(Digest) digest = digest_new();

    add_integer(numbers, key->pkey, OSSL_PKEY_PARAM_RSA_N);
    add_integer(numbers, key->pkey, OSSL_PKEY_PARAM_RSA_E);
    add_head(head, TAG_SEQUENCE, numbers->len);
    digest_add(digest, head->data, head->len);
    digest_add(digest, numbers->data, numbers->len);
    digest_finish(digest, key->id);
}

/* The key in DER; to say what it is saves OpenSSL to try all that it knows. NULL: none, or another kind. */
static EVP_PKEY *decode(const char *name, const guint8 *der, gsize length)
{
    EVP_PKEY *pkey = NULL;
    const char *structure = g_str_equal(name, PEM_STRING_PKCS8INF) ? "PrivateKeyInfo"
                            : g_str_equal(name, PEM_STRING_RSA)    ? "type-specific"
                                                                   : NULL;
    if (!structure)
        return NULL;
    OSSL_DECODER_CTX *context = OSSL_DECODER_CTX_new_for_pkey(
        &pkey, "DER", structure, "RSA", OSSL_KEYMGMT_SELECT_KEYPAIR, NULL, NULL);
    if (!context || OSSL_DECODER_from_data(context, &der, &length) != 1)
        pkey = NULL;
    OSSL_DECODER_CTX_free(context);
    return pkey;
}

/* Of a key with a passphrase the header says so. */
static EVP_PKEY *read_pem(const char *text)
{
    g_autoptr(BIO) bio = BIO_new_mem_buf(text, -1);
    char *name = NULL, *header = NULL;
    guint8 *der = NULL;
    long length = 0;
    EVP_PKEY *pkey = NULL;

    if (bio && PEM_read_bio(bio, &name, &header, &der, &length) == 1 && !*header)
        pkey = decode(name, der, (gsize)length);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, (gsize)length);
    return pkey;
}

static SigningKey *parse(const char *path, const char *text, GError **error)
{
    g_autoptr(SigningKey) key = g_new0(SigningKey, 1);
    const char *wrong = NULL;

    key->pkey = read_pem(text);
    if (!key->pkey || !EVP_PKEY_is_a(key->pkey, "RSA"))
        wrong = "allowed is an RSA private key in PEM without passphrase";
    else if (EVP_PKEY_get_bits(key->pkey) < BITS_MIN || EVP_PKEY_get_bits(key->pkey) > BITS_MAX)
        wrong = "allowed are 2048 to 8192 bits";
    if (wrong) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s", path, wrong);
        return NULL;
    }
    set_id(key);
    return g_steal_pointer(&key);
}

SigningKey *signing_key_load(const char *path, GError **error)
{
    char *text = secret_file_read(path, FILE_MAX, error);

    if (!text)
        return NULL;
    SigningKey *key = parse(path, text, error);
    secret_forget(text);
    return key;
}

void signing_key_free(SigningKey *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    g_free(key);
}

const char *signing_key_id(const SigningKey *key)
{
    return key->id;
}

char *signing_key_public(const SigningKey *key)
{
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());

    if (!bio || PEM_write_bio_PUBKEY(bio, key->pkey) != 1)
        g_error("OpenSSL cannot write a public key");
    return bio_text(bio);
}

static char *number(const SigningKey *key, const char *name)
{
    BIGNUM *value = NULL;

    if (EVP_PKEY_get_bn_param(key->pkey, name, &value) != 1)
        g_error("an RSA key without %s", name);
    g_autoptr(BIGNUM) owned = value;
    gsize length = (gsize)BN_num_bytes(owned);
    g_autofree guint8 *octets = g_malloc(length);
    BN_bn2bin(owned, octets);
    return base64url_encode(octets, length);
}

void signing_key_numbers(const SigningKey *key, char **n, char **e)
{
    *n = number(key, OSSL_PKEY_PARAM_RSA_N);
    *e = number(key, OSSL_PKEY_PARAM_RSA_E);
}

static gboolean internal(GError **error)
{
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INTERNAL, "OpenSSL does not sign");
    return FALSE;
}

Signature *signature_new(const SigningKey *key, GError **error)
{
    const EVP_MD *const hashes[HASHES] = {EVP_sha1(), EVP_sha256()};
    g_autoptr(Signature) signature = g_new0(Signature, 1);

    signature->good = TRUE;
    for (guint i = 0; i < HASHES && signature->good; i++) {
        signature->contexts[i] = EVP_MD_CTX_new();
        signature->good =
            signature->contexts[i] &&
            EVP_DigestSignInit(signature->contexts[i], NULL, hashes[i], NULL, key->pkey) == 1;
    }
    if (signature->good)
        return g_steal_pointer(&signature);
    internal(error);
    return NULL;
}

void signature_free(Signature *signature)
{
    if (!signature)
        return;
    for (guint i = 0; i < HASHES; i++)
        EVP_MD_CTX_free(signature->contexts[i]);
    g_free(signature);
}

void signature_add(Signature *signature, const void *data, gsize length)
{
    for (guint i = 0; i < HASHES; i++)
        signature->good =
            signature->good && EVP_DigestSignUpdate(signature->contexts[i], data, length) == 1;
}

/* NULL: it cannot be made. */
static char *finish(EVP_MD_CTX *context)
{
    guint8 octets[BITS_MAX / 8];
    gsize length = sizeof octets;

    return EVP_DigestSignFinal(context, octets, &length) == 1 ? g_base64_encode(octets, length)
                                                              : NULL;
}

gboolean signature_finish(Signature *signature, char **sha1, char **sha256, GError **error)
{
    g_autofree char *first = signature->good ? finish(signature->contexts[BY_SHA1]) : NULL;
    g_autofree char *second = first ? finish(signature->contexts[BY_SHA256]) : NULL;

    if (!second)
        return internal(error);
    *sha1 = g_steal_pointer(&first);
    *sha256 = g_steal_pointer(&second);
    return TRUE;
}
