/* SPDX-License-Identifier: MIT */
/* A message (header, blank line, body): made safe, it decodes to the same octets. */
#include <glib.h>
#include <string.h>

#include "lib/mime/field.h"
#include "lib/mime/wire_safe.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/mime_decode.h"

unsigned fuzz_reached;

/* Reads "Name: value" lines up to a blank one; returns where the body begins. */
static const char *read_fields(const char *text, const char *end, GPtrArray *fields)
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *end = (const char *)data + size;
    g_autoptr(GPtrArray) fields = mime_fields_new();
    const char *body = read_fields((const char *)data, end, fields);
    gsize length = (gsize)(end - body);
    g_auto(MimeWireSafe) safe = {0};

    mime_wire_safe(fields, body, length, &safe);
    if (!safe.changed)
        return 0;
    fuzz_reached++;
    g_autoptr(GString) before = mime_decode(fields, body, length);
    if (safe.encoding)
        mime_fields_add(fields, "Content-Transfer-Encoding", safe.encoding);
    g_autoptr(GString) after = mime_decode(fields, safe.body->str, safe.body->len);
    if (!g_string_equal(before, after))
        g_error("the decoded octets changed");
    return 0;
}
