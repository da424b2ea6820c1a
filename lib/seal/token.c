/* SPDX-License-Identifier: MIT */
#include "lib/seal/token.h"

#include <openssl/crypto.h>

#include "lib/seal/random.h"
#include "lib/seal/ring.h"

#define BASE 62

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

gboolean token_seed(guint8 seed[TOKEN_SEED_LENGTH], GError **error)
{
    guint8 fresh[TOKEN_SEED_LENGTH];

    if (!random_octets(fresh, sizeof(fresh), error))
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
