/* SPDX-License-Identifier: MIT */
#include "lib/seal/digest.h"

#include <openssl/evp.h>
#include <string.h>

#define OCTETS 32

struct Digest {
    EVP_MD_CTX *context;
};

static void must(gboolean done)
{
    if (!done)
        g_error("SHA-256 is not available");
}

Digest *digest_new(void)
{
    Digest *digest = g_new0(Digest, 1);

    digest->context = EVP_MD_CTX_new();
    must(digest->context && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1);
    return digest;
}

void digest_free(Digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->context);
    g_free(digest);
}

void digest_add(Digest *digest, const void *data, gsize length)
{
    must(EVP_DigestUpdate(digest->context, data, length) == 1);
}

void digest_add_text(Digest *digest, const char *text)
{
    digest_add(digest, text, strlen(text) + 1);
}

guint64 digest_finish_number(Digest *digest)
{
    unsigned char octets[OCTETS];
    guint64 first;

    must(EVP_DigestFinal_ex(digest->context, octets, NULL) == 1);
    memcpy(&first, octets, sizeof first);
    return GUINT64_FROM_BE(first) >> 1;
}

void digest_finish(Digest *digest, char text[DIGEST_TEXT_LENGTH])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char octets[OCTETS];

    G_STATIC_ASSERT(DIGEST_TEXT_LENGTH == 2 * OCTETS + 1);
    must(EVP_DigestFinal_ex(digest->context, octets, NULL) == 1);
    for (guint i = 0; i < OCTETS; i++) {
        text[2 * i] = hex[octets[i] >> 4];
        text[2 * i + 1] = hex[octets[i] & 15];
    }
    text[2 * OCTETS] = '\0';
}
