/* SPDX-License-Identifier: MIT */
#include "worker/row_key.h"

#include <string.h>

void row_key_add(GChecksum *sum, const char *text, gssize length)
{
    g_checksum_update(sum, (const guchar *)text, length);
    g_checksum_update(sum, (const guchar *)"", 1);
}

guint64 row_key_end(GChecksum *sum)
{
    guint8 digest[32];
    gsize length = sizeof(digest);
    guint64 first;

    g_checksum_get_digest(sum, digest, &length);
    memcpy(&first, digest, sizeof(first));
    return GUINT64_FROM_BE(first) >> 1;
}
