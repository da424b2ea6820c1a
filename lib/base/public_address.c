/* SPDX-License-Identifier: MIT */
#include "lib/base/public_address.h"

#include <string.h>

static const char *const special[] = {
#define X(network, what) network,
#include "lib/base/special_network.def"
#undef X
};

static const guint8 nat64[NETWORK_V4_AT] = {0x00, 0x64, 0xff, 0x9b};

static gboolean is_special(const guint8 *octets)
{
    for (guint i = 0; i < G_N_ELEMENTS(special); i++) {
        const char *wrong;
        Network network;
        g_autofree char *text = network_read(special[i], &network, &wrong);
        g_assert(text);
        if (network_has(&network, octets))
            return TRUE;
    }
    return FALSE;
}

/* 224.0.0.0/4 and 240.0.0.0/4 are multicast and reserved. */
static gboolean is_public_v4(const guint8 v4[4])
{
    guint8 octets[NETWORK_OCTETS];

    memcpy(octets, network_v4_prefix, NETWORK_V4_AT);
    memcpy(octets + NETWORK_V4_AT, v4, 4);
    return v4[0] < 224 && !is_special(octets);
}

/* The end of an ISATAP address (RFC 5214) says which host of an IPv4 network takes it. */
static gboolean is_isatap(const guint8 *octets)
{
    return (octets[8] & 0xfd) == 0 && octets[9] == 0 && octets[10] == 0x5e && octets[11] == 0xfe;
}

gboolean public_address(const guint8 octets[NETWORK_OCTETS])
{
    if (memcmp(octets, network_v4_prefix, NETWORK_V4_AT) == 0 ||
        memcmp(octets, nat64, sizeof nat64) == 0)
        return is_public_v4(octets + NETWORK_V4_AT);
    if ((octets[0] & 0xe0) != 0x20 || is_special(octets))
        return FALSE;
    if (octets[0] == 0x20 && octets[1] == 0x02)
        return is_public_v4(octets + 2);
    return !is_isatap(octets) || is_public_v4(octets + NETWORK_V4_AT);
}
