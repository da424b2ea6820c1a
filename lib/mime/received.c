/* SPDX-License-Identifier: MIT */
#include "lib/mime/received.h"

#include <string.h>

#define BY  "by "
#define TLS "(using TLSv"

char *mime_received_without_client(const char *value)
{
    for (const char *end = value + strlen(value); end > value; end--) {
        if (*end != '\n')
            continue;
        const char *text = end + strspn(end, "\n \t");
        if (g_str_has_prefix(text, BY))
            return g_strconcat(" ", text, NULL);
    }
    return NULL;
}

gboolean mime_received_by_tls(const char *value)
{
    for (const char *end = strchr(value, '\n'); end; end = strchr(end + 1, '\n')) {
        const char *text = end + strspn(end, "\n \t");
        if (g_str_has_prefix(text, BY))
            return FALSE;
        if (g_str_has_prefix(text, TLS))
            return TRUE;
    }
    return FALSE;
}
