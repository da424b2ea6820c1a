/* SPDX-License-Identifier: MIT */
#include "lib/seal/base64url.h"

#include <string.h>

static const char alphabet[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_";

char *base64url_encode(const guint8 *octets, gsize length)
{
    char *text = g_base64_encode(octets, length);

    g_strdelimit(text, "+", '-');
    g_strdelimit(text, "/", '_');
    text[strcspn(text, "=")] = '\0';
    return text;
}

/* Whether the bits of the last character that mean nothing are zero. */
static gboolean ends_clean(char last, gsize rest)
{
    gsize value = (gsize)(strchr(alphabet, last) - alphabet);

    return rest == 0 || (value & (rest == 2 ? 15 : 3)) == 0;
}

guint8 *base64url_decode(const char *text, gsize *length)
{
    gsize n = strlen(text), rest = n % 4, size = 0;

    if (n == 0 || rest == 1 || strspn(text, alphabet) != n || !ends_clean(text[n - 1], rest))
        return NULL;
    g_autofree char *plain = g_strconcat(text, rest ? "==" + (rest - 2) : "", NULL);
    g_strdelimit(plain, "-", '+');
    g_strdelimit(plain, "_", '/');
    guint8 *octets = g_base64_decode(plain, &size);
    octets = g_realloc(octets, size + 1);
    octets[size] = '\0';
    *length = size;
    return octets;
}
