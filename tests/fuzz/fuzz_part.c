/* SPDX-License-Identifier: MIT */
/* A message (header, blank line, body): its parts lie in the body, one behind the other, each behind the end of a line. */
#include <glib.h>

#include "lib/mime/part.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/message.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *end = (const char *)data + size;
    g_autoptr(GPtrArray) fields = mime_fields_new();
    const char *body = read_fields((const char *)data, end, fields);
    g_autoptr(GPtrArray) parts = mime_parts(fields, body, (gsize)(end - body), NULL);
    gsize at = 0;

    for (guint i = 0; parts && i < parts->len; i++) {
        const MimePart *part = parts->pdata[i];
        g_assert(part->type);
        if (part->to == 0)
            continue;
        g_assert(part->from >= at && part->from < part->to && part->to <= (gsize)(end - body));
        g_assert(part->from == 0 || body[part->from - 1] == '\n');
        at = part->to;
        fuzz_reached++;
    }
    return 0;
}
