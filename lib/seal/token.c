/* SPDX-License-Identifier: MIT */
#include "lib/seal/token.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "lib/base/error.h"
#include "lib/seal/ring.h"

#define BASE 62

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static gboolean fill_random(guint8 *octets, gsize length, GError **error)
{
    if (RAND_priv_bytes(octets, (int)length) == 1)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "the random source gives no octets");
    return FALSE;
}

gboolean token_seed(guint8 seed[TOKEN_SEED_LENGTH], GError **error)
{
    guint8 fresh[TOKEN_SEED_LENGTH];

    if (!fill_random(fresh, sizeof(fresh), error))
        return FALSE;
    for (guint i = 0; i < sizeof(fresh); i++)
        seed[i] = fresh[i];
    OPENSSL_cleanse(fresh, sizeof(fresh));
    return TRUE;
}

/* Divides a big-endian number by the base and returns the remainder. */
static guint divide(guint8 number[RING_MAC_LENGTH])
{
    guint remainder = 0;

    for (guint i = 0; i < RING_MAC_LENGTH; i++) {
        guint value = remainder << 8 | number[i];
        number[i] = (guint8)(value / BASE);
        remainder = value % BASE;
    }
    return remainder;
}

void token_derive(const guint8 seed[TOKEN_SEED_LENGTH], guint32 index, char token[TOKEN_LENGTH + 1])
{
    const guint8 data[4] = {(guint8)(index >> 24), (guint8)(index >> 16), (guint8)(index >> 8),
                            (guint8)index};
    guint8 number[RING_MAC_LENGTH];

    seal_hmac(seed, TOKEN_SEED_LENGTH, data, sizeof(data), number);
    for (guint i = 0; i < TOKEN_LENGTH; i++)
        token[i] = alphabet[divide(number)];
    token[TOKEN_LENGTH] = '\0';
}

char *token_random(guint length, GError **error)
{
    g_autofree char *text = g_malloc0((gsize)length + 1);
    guint filled = 0;

    while (filled < length) {
        guint8 octets[64];
        if (!fill_random(octets, sizeof(octets), error))
            return NULL;
        /* 248 is the largest multiple of 62 in an octet: above it the first letters would be
         * likelier. */
        for (guint i = 0; i < sizeof(octets) && filled < length; i++)
            if (octets[i] < 4 * BASE)
                text[filled++] = alphabet[octets[i] % BASE];
        OPENSSL_cleanse(octets, sizeof(octets));
    }
    return g_steal_pointer(&text);
}
