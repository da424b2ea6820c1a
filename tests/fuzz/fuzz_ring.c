/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "lib/seal/ring.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(KeyRing) ring = ring_parse("fuzz", text, &error);
    guint8 mac[RING_MAC_LENGTH];

    g_assert((ring != NULL) == (error == NULL));
    if (ring) {
        g_assert(ring_mac(ring, ring_seal_number(ring), data, size, mac));
        fuzz_reached++;
    }
    return 0;
}
