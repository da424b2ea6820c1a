/* SPDX-License-Identifier: MIT */
#include "cli/timeline_line.h"

#include <stdio.h>

#include "cli/output.h"

#define US 1000000

/* Since start, as exact as at is: a mail log may have stamps of whole seconds, which would seem to be
 * before the event that they follow. g_free. */
static char *delay_of(gint64 at, gint64 start)
{
    if (!start)
        return g_strdup("");
    if (at % US == 0)
        return g_strdup_printf("+%" G_GINT64_FORMAT " s", MAX(at / US - start / US, 0));
    return g_strdup_printf("+%.3f s", (double)MAX(at - start, 0) / US);
}

void timeline_at(gint64 at, gint64 start, const char *what)
{
    g_autofree char *time = output_time_us(at);
    g_autofree char *delay = delay_of(at, start);

    printf("  %-23s %12s  %s\n", time, delay, what);
}

void timeline_more(const char *label, const char *text)
{
    printf("  %38s%s %s\n", "", label, text);
}

char *timeline_text(const Record *record, const char *key)
{
    return output_value(key, json_object_object_get(record, key));
}

char *timeline_tls(const Record *record, const char *key)
{
    return record_is_null(record, key) ? g_strdup("no TLS") : timeline_text(record, key);
}
