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

/* With CRLF at the end of each line, as the mail server hands it on. GMime, the judge here, takes a CR too much for content
 * in front of a boundary that ends otherwise. */
static GString *read_body(const char *text, const char *end)
{
    GString *body = g_string_sized_new((gsize)(end - text));

    for (const char *p = text; p < end; p++) {
        if (*p == '\n' && (p == text || p[-1] != '\r'))
            g_string_append_c(body, '\r');
        g_string_append_c(body, *p);
    }
    if (body->len > 0 && body->str[body->len - 1] != '\n')
        g_string_append(body, "\r\n");
    return body;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *end = (const char *)data + size;
    g_autoptr(GPtrArray) fields = mime_fields_new();
    g_autoptr(GString) body = read_body(read_fields((const char *)data, end, fields), end);
    g_auto(MimeWireSafe) safe = {0};

    mime_wire_safe(fields, body->str, body->len, &safe);
    if (!safe.changed)
        return 0;
    fuzz_reached++;
    g_autoptr(GString) before = mime_decode(fields, body->str, body->len);
    if (safe.encoding)
        mime_fields_add(fields, "Content-Transfer-Encoding", safe.encoding);
    g_autoptr(GString) after = mime_decode(fields, safe.body->str, safe.body->len);
    if (!g_string_equal(before, after))
        g_error("the decoded octets changed");
    return 0;
}
