/* SPDX-License-Identifier: MIT */
#include "api/location.h"

#include "lib/seal/link.h"

char *location_write(const char *url)
{
    if (!link_url_is_fit(url))
        return NULL;
    GString *text = g_string_sized_new(128);
    for (; *url; url++)
        if ((guchar)*url <= ' ' || (guchar)*url > '~')
            g_string_append_printf(text, "%%%02X", (guint)(guchar)*url);
        else
            g_string_append_c(text, *url);
    return g_string_free(text, FALSE);
}
