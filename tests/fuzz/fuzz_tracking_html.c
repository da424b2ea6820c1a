/* SPDX-License-Identifier: MIT */
/* A HTML text, rewritten in each transfer encoding. */
#include "tests/fuzz/fuzz.h"
#include "tests/lib/tracking_fixture.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_reached += tracking_fixture_check_text("text/html; charset=utf-8", data, size, "co");
    return 0;
}
