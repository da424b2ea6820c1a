/* SPDX-License-Identifier: MIT */
#include "lib/seal/return_path.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"

#define FORMAT      1
#define HEAD_LENGTH 11 /* version, key, kind, id and server: 88 bits */
#define MAC_LENGTH  8
#define SEAL_LENGTH (HEAD_LENGTH + MAC_LENGTH)
#define DOMAIN_MAX  253

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
static void encode(const guint8 seal[SEAL_LENGTH], char token[RETURN_PATH_TOKEN_LENGTH + 1])
{
    guint8 padded[SEAL_LENGTH + 1] = {0};
    guint at = 0;

    memcpy(padded, seal, SEAL_LENGTH);
    for (guint i = 0; i < RETURN_PATH_TOKEN_LENGTH; i++)
        token[i] = alphabet[get_bits(padded, &at, 5)];
    token[RETURN_PATH_TOKEN_LENGTH] = '\0';
}

/* Any case; anything but the one encoding of its octets is refused. */
static gboolean decode(const char *token, guint8 seal[SEAL_LENGTH])
{
    guint8 padded[SEAL_LENGTH + 1] = {0};
    guint at = 0;

    for (guint i = 0; i < RETURN_PATH_TOKEN_LENGTH; i++) {
        char c = g_ascii_tolower(token[i]);
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

static gboolean compute_mac(const KeyRing *ring, unsigned key, const char *domain, guint32 lane,
                            const guint8 head[HEAD_LENGTH], guint8 mac[RING_MAC_LENGTH])
{
    guint8 data[3 + 1 + DOMAIN_MAX + 4 + HEAD_LENGTH] = {'r', 'p', '1'};
    gsize length = strlen(domain);
    guint8 *p = data + 3;

    g_assert(length <= DOMAIN_MAX);
    *p++ = (guint8)length;
    for (gsize i = 0; i < length; i++)
        *p++ = (guint8)g_ascii_tolower(domain[i]);
    for (int shift = 24; shift >= 0; shift -= 8)
        *p++ = (guint8)(lane >> shift);
    memcpy(p, head, HEAD_LENGTH);
    return ring_mac(ring, key, data, (gsize)(p - data) + HEAD_LENGTH, mac);
}

static gboolean is_kind(guint64 kind)
{
    return kind >= RETURN_PATH_MESSAGE && kind <= RETURN_PATH_SUBMISSION;
}

char *return_path_seal(const KeyRing *ring, const ReturnPath *path, const char *domain)
{
    guint8 seal[SEAL_LENGTH] = {0}, mac[RING_MAC_LENGTH];
    char token[RETURN_PATH_TOKEN_LENGTH + 1];
    unsigned key = ring_seal_number(ring);
    gsize length = strlen(domain);
    guint at = 0;

    g_return_val_if_fail(is_kind(path->kind), NULL);
    g_return_val_if_fail(path->id >= 1 && path->id <= ID_MAX, NULL);
    g_return_val_if_fail(path->server <= RETURN_PATH_SERVER_MAX, NULL);
    g_return_val_if_fail(path->lane <= RETURN_PATH_LANE_MAX, NULL);
    g_return_val_if_fail(length >= 1 && length <= DOMAIN_MAX, NULL);

    put_bits(seal, &at, FORMAT, 4);
    put_bits(seal, &at, key, 4);
    put_bits(seal, &at, path->kind, 3);
    put_bits(seal, &at, path->id, 53);
    put_bits(seal, &at, path->server, 24);
    if (!compute_mac(ring, key, domain, path->lane, seal, mac))
        return NULL;
    memcpy(seal + HEAD_LENGTH, mac, MAC_LENGTH);
    encode(seal, token);
    g_autofree char *lower = g_ascii_strdown(domain, -1);
    return g_strdup_printf("%s-%u@%s", token, path->lane, lower);
}

/* The lane in its one spelling: no sign, no leading zero. Moves *text behind it. */
static gboolean parse_lane(const char **text, guint32 *lane)
{
    const char *p = *text;
    guint32 value = 0;

    if (!g_ascii_isdigit(*p) || (p[0] == '0' && g_ascii_isdigit(p[1])))
        return FALSE;
    for (; g_ascii_isdigit(*p); p++) {
        value = value * 10 + (guint32)(*p - '0');
        if (value > RETURN_PATH_LANE_MAX)
            return FALSE;
    }
    *text = p;
    *lane = value;
    return TRUE;
}

static gboolean parse_address(const char *address, guint8 seal[SEAL_LENGTH], guint32 *lane,
                              const char **domain)
{
    if (!decode(address, seal) || address[RETURN_PATH_TOKEN_LENGTH] != '-')
        return FALSE;
    address += RETURN_PATH_TOKEN_LENGTH + 1;
    if (!parse_lane(&address, lane) || *address != '@')
        return FALSE;
    *domain = address + 1;
    gsize length = strlen(*domain);
    return length >= 1 && length <= DOMAIN_MAX;
}

gboolean return_path_open(const KeyRing *ring, const char *address, ReturnPath *path,
                          GError **error)
{
    guint8 seal[SEAL_LENGTH], mac[RING_MAC_LENGTH];
    const char *domain = NULL;
    guint32 lane = 0;
    guint at = 0;

    if (!parse_address(address, seal, &lane, &domain)) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_FORGED, "not a sealed return path");
        return FALSE;
    }
    guint64 version = get_bits(seal, &at, 4);
    unsigned key = (unsigned)get_bits(seal, &at, 4);
    guint64 kind = get_bits(seal, &at, 3);
    guint64 id = get_bits(seal, &at, 53);
    guint32 server = (guint32)get_bits(seal, &at, 24);
    if (version != FORMAT || !compute_mac(ring, key, domain, lane, seal, mac) ||
        !seal_equal(mac, seal + HEAD_LENGTH, MAC_LENGTH) || !is_kind(kind) || id == 0) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_FORGED,
                    "the return path's seal does not verify");
        return FALSE;
    }
    *path = (ReturnPath){.kind = (ReturnPathKind)kind, .id = id, .server = server, .lane = lane};
    return TRUE;
}
