/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <string.h>

#include "lib/mime/strip_reply.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

static gsize graphs(const char *text)
{
    gsize count = 0;

    for (const char *p = text; p && *p; p++)
        count += g_ascii_isgraph(*p) || (guchar)*p >= 0x80;
    return count;
}

/* Each octet that can be seen is in one of both, and what stays is valid. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *raw = g_strndup((const char *)data, size);
    g_autofree char *text = g_utf8_make_valid(raw, -1);
    g_auto(StrippedReply) stripped = {0};

    strip_reply(text, &stripped);
    g_assert_cmpuint(graphs(stripped.text) + graphs(stripped.replies), ==, graphs(text));
    g_assert_true(g_utf8_validate(stripped.text, -1, NULL));
    g_assert_true(!stripped.replies || g_utf8_validate(stripped.replies, -1, NULL));
    fuzz_reached += stripped.replies && *stripped.text;
    return 0;
}
