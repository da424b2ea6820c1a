/* SPDX-License-Identifier: MIT */
/*
 * Purpose: an input that is a message: its fields and where its body begins.
 * Used by: fuzz targets.
 * May touch: nothing.
 * Threads: any.
 */
#pragma once

#include <glib.h>
#include <string.h>

#include "lib/mime/field.h"

/* Reads "Name: value" lines up to a blank one; returns where the body begins. */
static inline const char *read_fields(const char *text, const char *end, GPtrArray *fields)
{
    while (text < end) {
        const char *lf = memchr(text, '\n', (gsize)(end - text));
        const char *stop = lf ? lf : end;
        g_autofree char *line = g_strndup(text, (gsize)(stop - text));
        text = lf ? lf + 1 : end;
        char *colon = strchr(line, ':');
        if (!colon)
            break;
        *colon = '\0';
        mime_fields_add(fields, g_strstrip(line), colon + 1);
    }
    return text;
}
