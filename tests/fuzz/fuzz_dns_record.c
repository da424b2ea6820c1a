/* SPDX-License-Identifier: MIT */
/* The first octet chooses the type, the rest is a record's data. */
#include <string.h>

#include "lib/dns/record.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    g_autofree char *text =
        dns_record_text((DnsType)(data[0] % DNS_TYPE_COUNT), data + 1, size - 1);
    if (!text)
        return 0;
    for (const char *p = text; *p; p++)
        g_assert(g_ascii_isprint(*p));
    fuzz_reached++;
    return 0;
}
