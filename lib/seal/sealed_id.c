/* SPDX-License-Identifier: MIT */
#include "lib/seal/sealed_id.h"

#include <string.h>

#include "lib/base/id.h"

#define FORMAT      1
#define HEAD_LENGTH 11 /* version, key, kind, id and server: 88 bits */
#define MAC_LENGTH  8
#define SEAL_LENGTH (HEAD_LENGTH + MAC_LENGTH)

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static void put_bits(guint8 *octets, guint *at, guint64 value, guint width)
{
    for (guint i = 0; i < width; i++, (*at)++)
        if (value >> (width - 1 - i) & 1)
            octets[*at / 8] |= (guint8)(0x80 >> *at % 8);
}

static guint64 get_bits(const guint8 *octets, guint *at, guint width)
{
    guint64 value = 0;

    for (guint i = 0; i < width; i++, (*at)++)
        value = value << 1 | (octets[*at / 8] >> (7 - *at % 8) & 1);
    return value;
}

/* 19 octets are 152 bits, 31 characters 155: the last three bits are zero. */
static void encode(const guint8 seal[SEAL_LENGTH], char text[SEALED_ID_LENGTH + 1])
{
    guint8 padded[SEAL_LENGTH + 1] = {0};
    guint at = 0;

    memcpy(padded, seal, SEAL_LENGTH);
    for (guint i = 0; i < SEALED_ID_LENGTH; i++)
        text[i] = alphabet[get_bits(padded, &at, 5)];
    text[SEALED_ID_LENGTH] = '\0';
}

/* Any case; anything but the one encoding of its octets is refused. */
static gboolean decode(const char *text, guint8 seal[SEAL_LENGTH])
{
    guint8 padded[SEAL_LENGTH + 1] = {0};
    guint at = 0;

    for (guint i = 0; i < SEALED_ID_LENGTH; i++) {
        char c = g_ascii_tolower(text[i]);
        const char *found = c ? strchr(alphabet, c) : NULL;
        if (!found)
            return FALSE;
        put_bits(padded, &at, (guint64)(found - alphabet), 5);
    }
    if (padded[SEAL_LENGTH] != 0)
        return FALSE;
    memcpy(seal, padded, SEAL_LENGTH);
    return TRUE;
}

static gboolean take_head(const guint8 seal[SEAL_LENGTH], unsigned *key, SealedId *sealed)
{
    guint at = 0;
    guint64 version = get_bits(seal, &at, 4);

    *key = (unsigned)get_bits(seal, &at, 4);
    sealed->kind = (guint)get_bits(seal, &at, 3);
    sealed->id = get_bits(seal, &at, 53);
    sealed->server = (guint32)get_bits(seal, &at, 24);
    return version == FORMAT && sealed->id != 0;
}

static gboolean compute_mac(const KeyRing *ring, unsigned key, const SealedBound *bound,
                            const guint8 head[HEAD_LENGTH], guint8 mac[RING_MAC_LENGTH])
{
    guint8 data[SEALED_ID_BOUND_MAX + HEAD_LENGTH];

    g_assert(bound->length <= SEALED_ID_BOUND_MAX);
    memcpy(data, bound->octets, bound->length);
    memcpy(data + bound->length, head, HEAD_LENGTH);
    return ring_mac(ring, key, data, bound->length + HEAD_LENGTH, mac);
}

gboolean sealed_id_seal(const KeyRing *ring, const SealedId *sealed, const SealedBound *bound,
                        char text[SEALED_ID_LENGTH + 1])
{
    guint8 seal[SEAL_LENGTH] = {0}, mac[RING_MAC_LENGTH];
    unsigned key = ring_seal_number(ring);
    guint at = 0;

    g_return_val_if_fail(sealed->kind <= SEALED_ID_KIND_MAX, FALSE);
    g_return_val_if_fail(sealed->id >= 1 && sealed->id <= ID_MAX, FALSE);
    g_return_val_if_fail(sealed->server <= SEALED_ID_SERVER_MAX, FALSE);

    put_bits(seal, &at, FORMAT, 4);
    put_bits(seal, &at, key, 4);
    put_bits(seal, &at, sealed->kind, 3);
    put_bits(seal, &at, sealed->id, 53);
    put_bits(seal, &at, sealed->server, 24);
    if (!compute_mac(ring, key, bound, seal, mac))
        return FALSE;
    memcpy(seal + HEAD_LENGTH, mac, MAC_LENGTH);
    encode(seal, text);
    return TRUE;
}

gboolean sealed_id_open(const KeyRing *ring, const char *text, const SealedBound *bound,
                        SealedId *sealed)
{
    guint8 seal[SEAL_LENGTH], mac[RING_MAC_LENGTH];
    SealedId found;
    unsigned key = 0;

    if (!decode(text, seal) || !take_head(seal, &key, &found) ||
        !compute_mac(ring, key, bound, seal, mac) ||
        !seal_equal(mac, seal + HEAD_LENGTH, MAC_LENGTH))
        return FALSE;
    *sealed = found;
    return TRUE;
}

gboolean sealed_id_read(const char *text, SealedId *sealed)
{
    guint8 seal[SEAL_LENGTH];
    SealedId found;
    unsigned key = 0;

    if (!decode(text, seal) || !take_head(seal, &key, &found))
        return FALSE;
    *sealed = found;
    return TRUE;
}
