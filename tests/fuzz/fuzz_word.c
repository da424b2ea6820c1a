/* SPDX-License-Identifier: MIT */
/* Encoded words: joining them makes nothing that encloses or parts an address, and no large text of a small one. */
#include <glib.h>
#include <string.h>

#include "lib/mime/word.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

static gsize count(const char *text, char c)
{
    gsize n = 0;

    for (; *text; text++)
        n += *text == c;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *joined = word_join(text);

    for (const char *c = "<>,;:\"()@\\\r\n"; *c; c++)
        if (count(joined, *c) > count(text, *c))
            g_error("one more of %02x", (guchar)*c);
    if (strlen(joined) > 16 * strlen(text))
        g_error("%zu octets of %zu", strlen(joined), strlen(text));
    fuzz_reached += !g_str_equal(joined, text);
    return 0;
}
