/* SPDX-License-Identifier: MIT */
/* A TXT record that somebody publishes, read as a DKIM key. */
#include <string.h>

#include "lib/mailauth/published_record.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    gboolean dkim = !published_dkim_differs(text, "rsa", "MIIB");

    g_assert(!dkim || published_dkim_may_hold(text, "MIIB"));
    g_assert(!dkim || strlen(text) <= PUBLISHED_TEXT_MAX);
    published_is_dmarc(text);
    fuzz_reached += dkim || published_is_spf(text);
    return 0;
}
