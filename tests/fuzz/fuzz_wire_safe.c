/* SPDX-License-Identifier: MIT */
/* A message (header, blank line, body): made safe, it decodes to the same octets. */
#include <glib.h>
#include <string.h>

#include "lib/mime/field.h"
#include "lib/mime/wire_safe.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/message.h"
#include "tests/lib/mime_decode.h"

unsigned fuzz_reached;

/* Of a body that ends in a boundary without line end GMime, the judge here, takes the CR before the boundary's line for
 * content. */
static gboolean ends_in_boundary(const char *body, gsize length)
{
    const char *lf = memrchr(body, '\n', length);

    return lf && body + length - lf > 2 && memcmp(lf + 1, "--", 2) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *end = (const char *)data + size;
    g_autoptr(GPtrArray) fields = mime_fields_new();
    const char *body = read_fields((const char *)data, end, fields);
    gsize length = (gsize)(end - body);
    g_auto(MimeWireSafe) safe = {0};

    mime_wire_safe(fields, body, length, &safe);
    if (!safe.changed || ends_in_boundary(body, length))
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
