/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "lib/wire/socketmap.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_auto(SocketmapRequest) request = {0};
    gssize used = socketmap_parse((const char *)data, size, &request, NULL);

    g_assert(used <= (gssize)size);
    if (used > 0)
        fuzz_reached++;
    g_assert((used > 0) == (request.key != NULL));
    return 0;
}
