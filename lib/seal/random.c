/* SPDX-License-Identifier: MIT */
#include "lib/seal/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "lib/base/error.h"

gboolean random_octets(guint8 *octets, gsize length, GError **error)
{
    if (RAND_priv_bytes(octets, (int)length) == 1)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE,
                "the random source gives no octets");
    return FALSE;
}

char *random_text(const char *alphabet, gsize length, GError **error)
{
    g_autofree char *text = g_malloc0(length + 1);
    gsize n = strlen(alphabet), filled = 0;
    guint limit = (guint)(256 / n * n); /* from there on some characters would be likelier */

    while (filled < length) {
        guint8 octets[64];
        if (!random_octets(octets, sizeof octets, error))
            return NULL;
        for (guint i = 0; i < sizeof octets && filled < length; i++)
            if (octets[i] < limit)
                text[filled++] = alphabet[octets[i] % n];
        OPENSSL_cleanse(octets, sizeof octets);
    }
    return g_steal_pointer(&text);
}
