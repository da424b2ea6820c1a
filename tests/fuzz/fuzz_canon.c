/* SPDX-License-Identifier: MIT */
/* A body in pieces (the first octet says how long) and whole comes out the same; what came out once
 * does not change any more. */
#include "lib/mailauth/canon.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

static GString *run(const char *data, gsize length, gsize piece)
{
    GString *out = g_string_new(NULL);
    CanonBody body = {0};

    for (gsize at = 0; at < length; at += piece)
        canon_body(&body, data + at, MIN(piece, length - at), out);
    canon_body_end(&body, out);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;

    const char *text = (const char *)data + 1;
    g_autoptr(GString) whole = run(text, size - 1, size);
    g_autoptr(GString) parts = run(text, size - 1, (gsize)data[0] % 16 + 1);
    g_autoptr(GString) again = run(whole->str, whole->len, 7);
    g_autofree char *value = g_strndup(text, size - 1);
    g_autoptr(GString) field = g_string_new(NULL);

    fuzz_reached += whole->len > 0;
    if (!g_string_equal(whole, parts) || !g_string_equal(whole, again) || whole->len > size + 1)
        g_error("the canonical body differs");
    canon_field("Name", value, field);
    if (field->len > size + 5)
        g_error("the canonical field grew");
    return 0;
}
