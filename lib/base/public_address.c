/* SPDX-License-Identifier: MIT */
#include "lib/base/public_address.h"

#include <string.h>

#include "lib/base/error.h"

#define V4_AT 12 /* where octets have an IPv4 address that is mapped */

static const char *const special[] = {
#define X(network, what) network,
#include "lib/base/special_network.def"
#undef X
};

static const guint8 mapped[V4_AT] = {[10] = 0xff, [11] = 0xff};
static const guint8 nat64[V4_AT] = {0x00, 0x64, 0xff, 0x9b};

static gboolean has(const Network *network, const guint8 *octets)
{
    return memcmp(network->first, octets, NETWORK_OCTETS) <= 0 &&
           memcmp(octets, network->last, NETWORK_OCTETS) <= 0;
}

static gboolean is_special(const guint8 *octets)
{
    for (guint i = 0; i < G_N_ELEMENTS(special); i++) {
        const char *wrong;
        Network network;
        g_autofree char *text = network_read(special[i], &network, &wrong);
        g_assert(text);
        if (has(&network, octets))
            return TRUE;
    }
    return FALSE;
}

/* 224.0.0.0/4 and 240.0.0.0/4 are multicast and reserved. */
static gboolean is_public_v4(const guint8 v4[4])
{
    guint8 octets[NETWORK_OCTETS];

    memcpy(octets, mapped, sizeof mapped);
    memcpy(octets + V4_AT, v4, 4);
    return v4[0] < 224 && !is_special(octets);
}

/* The end of an ISATAP address (RFC 5214) says which host of an IPv4 network takes it. */
static gboolean is_isatap(const guint8 *octets)
{
    return (octets[8] & 0xfd) == 0 && octets[9] == 0 && octets[10] == 0x5e && octets[11] == 0xfe;
}

gboolean public_address(const guint8 octets[NETWORK_OCTETS])
{
    if (memcmp(octets, mapped, sizeof mapped) == 0 || memcmp(octets, nat64, sizeof nat64) == 0)
        return is_public_v4(octets + V4_AT);
    if ((octets[0] & 0xe0) != 0x20 || is_special(octets))
        return FALSE;
    if (octets[0] == 0x20 && octets[1] == 0x02)
        return is_public_v4(octets + 2);
    return !is_isatap(octets) || is_public_v4(octets + V4_AT);
}

GArray *network_list_read(const char *text, GError **error)
{
    g_autoptr(GArray) networks = g_array_new(FALSE, FALSE, sizeof(Network));
    g_auto(GStrv) words = g_strsplit_set(text, ", \t", -1);

    for (guint i = 0; words[i]; i++) {
        const char *wrong = NULL;
        Network network;
        if (!*words[i])
            continue;
        if (networks->len == NETWORK_LIST_MAX)
            wrong = "is one too many: allowed are " G_STRINGIFY(NETWORK_LIST_MAX);
        else
            g_free(network_read(words[i], &network, &wrong));
        if (wrong) {
            g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%.64s: %s", words[i],
                        wrong);
            return NULL;
        }
        g_array_append_val(networks, network);
    }
    return g_steal_pointer(&networks);
}

gboolean network_list_has(const GArray *networks, const guint8 octets[NETWORK_OCTETS])
{
    for (guint i = 0; i < networks->len; i++)
        if (has(&g_array_index(networks, Network, i), octets))
            return TRUE;
    return FALSE;
}
