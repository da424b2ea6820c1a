/* SPDX-License-Identifier: MIT */
#include "lib/seal/link.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/id.h"
#include "lib/seal/base64url.h"

#define FORMAT      1
#define HEAD_LENGTH 14 /* version and key, flags, id, server, ordinal */
#define MAC_LENGTH  12
#define HOST_MAX    253
#define FLAG_OPEN   1

G_STATIC_ASSERT(LINK_TOKEN_MAX == ((HEAD_LENGTH + LINK_URL_MAX + MAC_LENGTH) * 4 + 2) / 3);

void link_free(Link *link)
{
    if (!link)
        return;
    g_free(link->url);
    g_free(link);
}

gboolean link_url_is_fit(const char *url)
{
    gsize length = strlen(url);

    if (length > LINK_URL_MAX || (g_ascii_strncasecmp(url, "http://", 7) != 0 &&
                                  g_ascii_strncasecmp(url, "https://", 8) != 0))
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if (g_ascii_iscntrl(url[i]))
            return FALSE;
    return TRUE;
}

static void put(GByteArray *octets, guint64 value, guint width)
{
    for (guint shift = width; shift > 0; shift -= 8)
        g_byte_array_append(octets, &(guint8){(guint8)(value >> (shift - 8))}, 1);
}

static guint64 get(const guint8 *octets, guint width)
{
    guint64 value = 0;

    for (guint i = 0; i < width / 8; i++)
        value = value << 8 | octets[i];
    return value;
}

static gboolean compute_mac(const KeyRing *ring, unsigned key, const char *host,
                            const guint8 *octets, gsize length, guint8 mac[RING_MAC_LENGTH])
{
    g_autoptr(GByteArray) data = g_byte_array_sized_new((guint)(3 + 1 + HOST_MAX + length));
    g_autofree char *lower = g_ascii_strdown(host, -1);
    gsize host_length = strlen(lower);

    if (host_length < 1 || host_length > HOST_MAX)
        return FALSE;
    g_byte_array_append(data, (const guint8 *)"lk1", 3);
    put(data, host_length, 8);
    g_byte_array_append(data, (const guint8 *)lower, (guint)host_length);
    g_byte_array_append(data, octets, (guint)length);
    return ring_mac(ring, key, data->data, data->len, mac);
}

static gboolean url_suits(LinkKind kind, const char *url)
{
    return kind == LINK_OPEN ? url[0] == '\0' : link_url_is_fit(url);
}

char *link_seal(const KeyRing *ring, const Link *link, const char *host)
{
    g_autoptr(GByteArray) seal = g_byte_array_sized_new(HEAD_LENGTH + LINK_URL_MAX + MAC_LENGTH);
    unsigned key = ring_seal_number(ring);
    guint8 mac[RING_MAC_LENGTH];

    g_return_val_if_fail(link->id >= 1 && link->id <= ID_MAX, NULL);
    g_return_val_if_fail(link->server <= LINK_SERVER_MAX, NULL);
    g_return_val_if_fail(url_suits(link->kind, link->url), NULL);
    put(seal, FORMAT << 4 | key, 8);
    put(seal, link->kind == LINK_OPEN ? FLAG_OPEN : 0, 8);
    put(seal, link->id, 56);
    put(seal, link->server, 24);
    put(seal, link->ordinal, 16);
    g_byte_array_append(seal, (const guint8 *)link->url, (guint)strlen(link->url));
    g_return_val_if_fail(compute_mac(ring, key, host, seal->data, seal->len, mac), NULL);
    g_byte_array_append(seal, mac, MAC_LENGTH);
    return base64url_encode(seal->data, seal->len);
}

/* What the octets say once their MAC is right; NULL: nothing that is sealed here. */
static Link *read_link(LinkKind kind, const guint8 *octets, gsize length)
{
    g_autoptr(Link) link = g_new0(Link, 1);

    link->kind = kind;
    link->id = get(octets + 2, 56);
    link->server = (guint32)get(octets + 9, 24);
    link->ordinal = (guint16)get(octets + 12, 16);
    link->url = g_strndup((const char *)octets + HEAD_LENGTH, length - HEAD_LENGTH);
    gboolean good = octets[1] == (kind == LINK_OPEN ? FLAG_OPEN : 0) && link->id >= 1 &&
                    link->id <= ID_MAX && strlen(link->url) == length - HEAD_LENGTH &&
                    url_suits(kind, link->url);
    return good ? g_steal_pointer(&link) : NULL;
}

static Link *verify(const KeyRing *ring, LinkKind kind, const char *token, const char *host)
{
    guint8 mac[RING_MAC_LENGTH];
    gsize length;
    g_autofree guint8 *octets =
        strlen(token) <= LINK_TOKEN_MAX ? base64url_decode(token, &length) : NULL;

    if (!octets || length < HEAD_LENGTH + MAC_LENGTH || octets[0] >> 4 != FORMAT)
        return NULL;
    length -= MAC_LENGTH;
    if (!compute_mac(ring, octets[0] & 15, host, octets, length, mac) ||
        !seal_equal(mac, octets + length, MAC_LENGTH))
        return NULL;
    return read_link(kind, octets, length);
}

Link *link_open(const KeyRing *ring, LinkKind kind, const char *token, const char *host,
                GError **error)
{
    Link *link = verify(ring, kind, token, host);

    if (!link)
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_FORGED,
                    "the link's seal does not verify");
    return link;
}
