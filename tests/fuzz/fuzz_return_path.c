/* SPDX-License-Identifier: MIT */
/* What opens must be the one address that sealing gives, but for case. */
#include <glib.h>

#include "lib/seal/return_path.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] =
        "0 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 1 seal\n";
    g_autoptr(KeyRing) ring = ring_parse("fuzz", text, NULL);
    g_autofree char *address = g_strndup((const char *)data, size);
    ReturnPath path = {0};

    if (!return_path_open(ring, address, &path, NULL))
        return 0;
    g_autofree char *sealed = return_path_seal(ring, &path, "rp.example");
    g_assert(g_ascii_strcasecmp(sealed, address) == 0);
    fuzz_reached++;
    return 0;
}
