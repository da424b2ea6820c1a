/* SPDX-License-Identifier: MIT */
#include "lib/base/network.h"

#include <arpa/inet.h>
#include <string.h>

#define V4_OCTETS      4
#define MAPPED_BITS    (8 * NETWORK_V4_AT)
#define CLIENT_V6_BITS 64

const guint8 network_v4_prefix[NETWORK_V4_AT] = {[10] = 0xff, [11] = 0xff};

static void set_v4(guint8 octets[NETWORK_OCTETS], const void *address)
{
    memcpy(octets, network_v4_prefix, NETWORK_V4_AT);
    memcpy(octets + NETWORK_V4_AT, address, V4_OCTETS);
}

/* Scopes and spaces are not for us. */
static gboolean parse_address(const char *text, guint8 octets[NETWORK_OCTETS], gboolean *v4)
{
    guint8 found[NETWORK_OCTETS];

    *v4 = !strchr(text, ':');
    if (text[strspn(text, "0123456789abcdefABCDEF:.")] || strlen(text) > NETWORK_TEXT_MAX ||
        inet_pton(*v4 ? AF_INET : AF_INET6, text, found) != 1)
        return FALSE;
    if (*v4)
        set_v4(octets, found);
    else
        memcpy(octets, found, NETWORK_OCTETS);
    return TRUE;
}

gboolean network_address(const char *text, guint8 octets[NETWORK_OCTETS])
{
    gboolean v4;

    return parse_address(text, octets, &v4);
}

gboolean network_socket_address(const struct sockaddr *address, guint8 octets[NETWORK_OCTETS])
{
    if (address->sa_family == AF_INET)
        set_v4(octets, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
    else if (address->sa_family == AF_INET6)
        memcpy(octets, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
               NETWORK_OCTETS);
    return address->sa_family == AF_INET || address->sa_family == AF_INET6;
}

static gboolean is_v4_address(const guint8 octets[NETWORK_OCTETS])
{
    return memcmp(octets, network_v4_prefix, NETWORK_V4_AT) == 0;
}

char *network_address_text(const guint8 octets[NETWORK_OCTETS])
{
    char text[INET6_ADDRSTRLEN] = "";

    if (is_v4_address(octets))
        inet_ntop(AF_INET, octets + NETWORK_V4_AT, text, sizeof text);
    else
        inet_ntop(AF_INET6, octets, text, sizeof text);
    return g_strdup(text);
}

/* octets with the bits from length on cleared, or set. */
static void cut(const guint8 *octets, guint length, gboolean set, guint8 *out)
{
    for (guint i = 0; i < NETWORK_OCTETS; i++) {
        guint kept = CLAMP((int)length - 8 * (int)i, 0, 8);
        guint8 rest = (guint8)(0xff >> kept);
        out[i] = set ? octets[i] | rest : octets[i] & (guint8)~rest;
    }
}

void network_around(const guint8 address[NETWORK_OCTETS], guint length, Network *network)
{
    network->length = length;
    cut(address, length, FALSE, network->first);
    cut(address, length, TRUE, network->last);
}

/* A prefix shorter than MAPPED_BITS leaves no such first address. */
static gboolean is_v4(const Network *network)
{
    return is_v4_address(network->first);
}

static gboolean has_v4(const Network *network)
{
    guint8 any[NETWORK_OCTETS] = {0};

    memcpy(any, network_v4_prefix, NETWORK_V4_AT);
    return network_has(network, any);
}

static const char *check_width(const Network *network)
{
    if (is_v4(network))
        return network->length < MAPPED_BITS + NETWORK_V4_MIN ? "is wider than /8" : NULL;
    if (network->length < NETWORK_V6_MIN)
        return "is wider than /16";
    return has_v4(network) ? "has all of IPv4 in it" : NULL;
}

static char *canonical(const Network *network)
{
    g_autofree char *first = network_address_text(network->first);

    return g_strdup_printf("%s/%u", first, network->length - (is_v4(network) ? MAPPED_BITS : 0));
}

gboolean network_has(const Network *network, const guint8 octets[NETWORK_OCTETS])
{
    return memcmp(network->first, octets, NETWORK_OCTETS) <= 0 &&
           memcmp(octets, network->last, NETWORK_OCTETS) <= 0;
}

char *network_client(const char *address)
{
    guint8 octets[NETWORK_OCTETS];
    Network network;

    if (!network_address(address, octets))
        return g_strdup("unknown");
    if (is_v4_address(octets))
        return network_address_text(octets);
    network_around(octets, CLIENT_V6_BITS, &network);
    return canonical(&network);
}

/* NULL, or what is wrong. */
static const char *parse(const char *text, Network *network)
{
    const char *slash = strchr(text, '/');
    g_autofree char *base = slash ? g_strndup(text, (gsize)(slash - text)) : g_strdup(text);
    guint8 octets[NETWORK_OCTETS];
    gboolean v4 = FALSE, good = parse_address(base, octets, &v4);
    guint bits = v4 ? 8 * V4_OCTETS : NETWORK_BITS;
    guint64 length = bits;

    if (!good || (slash && !g_ascii_string_to_unsigned(slash + 1, 10, 0, bits, &length, NULL)) ||
        (slash && slash[1] == '0' && slash[2]))
        return "allowed is an IPv4 or IPv6 network such as 192.0.2.0/24 or 2001:db8::/32";
    network_around(octets, (guint)length + (v4 ? MAPPED_BITS : 0), network);
    if (memcmp(octets, network->first, sizeof octets) != 0)
        return "has bits set behind its prefix";
    return check_width(network);
}

char *network_read(const char *text, Network *network, const char **wrong)
{
    Network found;

    *wrong = parse(text, &found);
    if (*wrong)
        return NULL;
    *network = found;
    return canonical(network);
}
