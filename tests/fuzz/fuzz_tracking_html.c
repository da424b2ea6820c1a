/* SPDX-License-Identifier: MIT */
/* A HTML text, rewritten in each transfer encoding. */
#include <glib.h>

#include "lib/mime/field.h"
#include "lib/mime/transfer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/tracking_fixture.h"

unsigned fuzz_reached;

static void check(const char *encoding, const char *body, gsize length)
{
    g_autoptr(GPtrArray) fields = mime_fields_new();

    mime_fields_add(fields, "Content-Type", "text/html; charset=utf-8");
    mime_fields_add(fields, "Content-Transfer-Encoding", encoding);
    fuzz_reached += tracking_fixture_check(fields, body, length, "co");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GString) quoted = g_string_new(NULL), base64 = g_string_new(NULL);

    transfer_quote(quoted, data, size);
    transfer_base64(base64, data, size);
    check("8bit", (const char *)data, size);
    check("quoted-printable", quoted->str, quoted->len);
    check("base64", base64->str, base64->len);
    return 0;
}
