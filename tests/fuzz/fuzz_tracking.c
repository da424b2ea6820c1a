/* SPDX-License-Identifier: MIT */
/* A message (header, blank line, body), rewritten. */
#include <glib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/message.h"
#include "tests/lib/tracking_fixture.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *end = (const char *)data + size;
    g_autoptr(GPtrArray) fields = mime_fields_new();
    const char *body = read_fields((const char *)data, end, fields);

    fuzz_reached += tracking_fixture_check(fields, body, (gsize)(end - body), "cot");
    tracking_fixture_check(fields, body, (gsize)(end - body), "-");
    return 0;
}
