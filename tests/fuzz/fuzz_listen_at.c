/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "lib/httpd/listen_at.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

/* Each place that is read reads the same alone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GArray) places = listen_at_read(text, NULL);

    if (!places)
        return 0;
    g_assert_cmpuint(places->len, <=, LISTEN_AT_MAX);
    for (guint i = 0; i < places->len; i++) {
        const ListenAt *at = &g_array_index(places, ListenAt, i);
        g_autoptr(GArray) again = listen_at_read(at->text, NULL);
        g_assert_true(again && again->len == 1 && at->length <= sizeof at->address);
        g_assert_cmpmem(&at->address, at->length, &g_array_index(again, ListenAt, 0).address,
                        at->length);
    }
    fuzz_reached++;
    return 0;
}
