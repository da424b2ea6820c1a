/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <string.h>

#include "lib/base/network.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

/* What is read is read again from its canonical text, and its bounds lie in it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    guint8 octets[NETWORK_OCTETS];
    Network network, again;
    const char *wrong;
    g_autofree char *canonical = network_read(text, &network, &wrong);

    network_address(text, octets);
    g_assert((canonical == NULL) == (wrong != NULL));
    if (!canonical)
        return 0;
    fuzz_reached++;
    g_autofree char *twice = network_read(canonical, &again, &wrong);
    g_assert_cmpstr(canonical, ==, twice);
    g_assert_cmpmem(&network, sizeof network, &again, sizeof again);
    network_around(network.last, network.length, &again);
    g_assert_cmpmem(&network, sizeof network, &again, sizeof again);
    return 0;
}
