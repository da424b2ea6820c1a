/* SPDX-License-Identifier: MIT */
#include "lib/httpd/proxies.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/network.h"

struct Proxies {
    ProxiesField field;
    gboolean unix_sockets;
    guint count;
    Network networks[PROXIES_MAX];
};

static gboolean add(Proxies *proxies, const char *word, GError **error)
{
    const char *wrong = NULL;

    if (g_str_equal(word, "unix")) {
        proxies->unix_sockets = TRUE;
        return TRUE;
    }
    if (proxies->count == PROXIES_MAX)
        wrong = "is one too many: allowed are " G_STRINGIFY(PROXIES_MAX);
    else
        g_free(network_read(word, &proxies->networks[proxies->count], &wrong));
    if (wrong) {
        g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%.64s: %s", word, wrong);
        return FALSE;
    }
    proxies->count++;
    return TRUE;
}

Proxies *proxies_read(const char *text, ProxiesField field, GError **error)
{
    g_autoptr(Proxies) proxies = g_new0(Proxies, 1);
    g_auto(GStrv) words = g_strsplit_set(text, ", \t", -1);

    proxies->field = field;
    for (guint i = 0; words[i]; i++)
        if (*words[i] && !add(proxies, words[i], error))
            return NULL;
    return g_steal_pointer(&proxies);
}

void proxies_free(Proxies *proxies)
{
    g_free(proxies);
}

const char *proxies_field(const Proxies *proxies)
{
    return proxies->field == PROXIES_FORWARDED ? "Forwarded" : "X-Forwarded-For";
}

gboolean proxies_has(const Proxies *proxies, const char *peer)
{
    guint8 octets[NETWORK_OCTETS];

    if (*peer == '\0')
        return proxies->unix_sockets;
    if (proxies->count == 0 || !network_address(peer, octets))
        return FALSE;
    for (guint i = 0; i < proxies->count; i++)
        if (network_has(&proxies->networks[i], octets))
            return TRUE;
    return FALSE;
}

/* An address with or without brackets, quotes and port, in canonical form; NULL: none, or a name that hides one. */
static char *read_node(const char *text)
{
    g_autofree char *node = g_strstrip(g_strdelimit(g_strdup(text), "\"", ' '));
    const char *address = node;
    char *end = *node == '[' ? strchr(node, ']') : strchr(node, ':');
    guint8 octets[NETWORK_OCTETS];

    if (*node == '[')
        address++;
    else if (end && strchr(end + 1, ':'))
        end = NULL; /* IPv6 without brackets and port */
    if (end)
        *end = '\0';
    return network_address(address, octets) ? network_address_text(octets) : NULL;
}

/* What follows for= in one element of Forwarded, NULL: nothing does. g_free. */
static char *forwarded_for(const char *element)
{
    g_auto(GStrv) pairs = g_strsplit(element, ";", -1);

    for (guint i = 0; pairs[i]; i++) {
        const char *pair = g_strstrip(pairs[i]);
        if (g_ascii_strncasecmp(pair, "for=", 4) == 0)
            return g_strdup(pair + 4);
    }
    return NULL;
}

/* The end of what was not looked at yet, cut off behind its last comma; NULL: there is nothing left. */
static const char *last_element(char *value)
{
    char *comma = strrchr(value, ',');

    if (!comma)
        return *value ? value : NULL;
    *comma = '\0';
    return comma + 1;
}

char *proxies_client(const Proxies *proxies, const char *peer, const char *value)
{
    if (!value)
        return g_strdup(peer);
    g_autofree char *rest = g_strdup(value);
    g_autofree char *client = g_strdup(peer);

    for (guint hop = 0; hop < PROXIES_HOPS_MAX && proxies_has(proxies, client); hop++) {
        const char *element = last_element(rest);
        g_autofree char *word = !element                              ? NULL
                                : proxies->field == PROXIES_FORWARDED ? forwarded_for(element)
                                                                      : g_strdup(element);
        char *address = word ? read_node(word) : NULL;
        if (!address)
            break;
        g_free(client);
        client = address;
        if (element == rest)
            *rest = '\0';
    }
    return g_steal_pointer(&client);
}
