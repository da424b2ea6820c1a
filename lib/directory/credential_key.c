/* SPDX-License-Identifier: MIT */
/* The chaining state of MD5 is not to be had from EVP. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "lib/directory/credential_key.h"

#include <openssl/md5.h>
#include <openssl/rand.h>
#include <string.h>

#include "lib/base/error.h"

#define BLOCK 64

char *random_text(const char *alphabet, gsize length, GError **error)
{
    gsize n = strlen(alphabet);
    unsigned limit = (unsigned)(256 / n * n); /* above it some characters would be likelier */
    g_autoptr(GString) text = g_string_sized_new(length);

    while (text->len < length) {
        guint8 octet;
        if (RAND_bytes(&octet, 1) != 1) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                        "the random source gives nothing");
            return NULL;
        }
        if (octet < limit)
            g_string_append_c(text, alphabet[octet % n]);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *credential_key_generate(GError **error)
{
    return random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                       CREDENTIAL_KEY_LENGTH, error);
}

static void put_word(guint8 *out, guint32 word)
{
    word = GUINT32_TO_LE(word);
    memcpy(out, &word, sizeof(word));
}

static void state_after_pad(const guint8 key[BLOCK], guint8 pad, guint8 out[16])
{
    guint8 block[BLOCK];
    MD5_CTX context;

    for (guint i = 0; i < BLOCK; i++)
        block[i] = key[i] ^ pad;
    MD5_Init(&context);
    MD5_Update(&context, block, sizeof(block));
    put_word(out, context.A);
    put_word(out + 4, context.B);
    put_word(out + 8, context.C);
    put_word(out + 12, context.D);
}

void credential_key_cram(const char *key, guint8 state[CREDENTIAL_CRAM_LENGTH])
{
    guint8 block[BLOCK] = {0};
    gsize length = strlen(key);

    if (length <= BLOCK)
        memcpy(block, key, length);
    else
        MD5((const guint8 *)key, length, block);
    state_after_pad(block, 0x36, state);
    state_after_pad(block, 0x5c, state + 16);
}
