/* SPDX-License-Identifier: MIT */
#include "lib/base/network_list.h"

#include "lib/base/error.h"

#define SHOWN_MAX 64 /* characters of a word that is wrong */

static GArray *refuse(const char *word, const char *wrong, GError **error)
{
    g_autofree char *shown = g_utf8_substring(word, 0, MIN(g_utf8_strlen(word, -1), SHOWN_MAX));

    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_INVALID, "%s: %s", shown, wrong);
    return NULL;
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
            return refuse(words[i], "is one too many: allowed are " G_STRINGIFY(NETWORK_LIST_MAX),
                          error);
        g_free(network_read(words[i], &network, &wrong));
        if (wrong)
            return refuse(words[i], wrong, error);
        g_array_append_val(networks, network);
    }
    return g_steal_pointer(&networks);
}

gboolean network_list_has(const GArray *networks, const guint8 octets[NETWORK_OCTETS])
{
    for (guint i = 0; i < networks->len; i++)
        if (network_has(&g_array_index(networks, Network, i), octets))
            return TRUE;
    return FALSE;
}
