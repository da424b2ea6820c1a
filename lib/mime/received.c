/* SPDX-License-Identifier: MIT */
#include "lib/mime/received.h"

#include <glib.h>
#include <string.h>

#define BY "by "

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
