/* SPDX-License-Identifier: MIT */
/* What opens must be the one text that sealing gives, but for the case of its sealed half. */
#include <glib.h>
#include <string.h>

#include "lib/seal/msgid.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char key[] =
        "0 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 1 seal\n";
    g_autoptr(KeyRing) ring = ring_parse("fuzz", key, NULL);
    g_autofree char *text = g_strndup((const char *)data, size);
    Msgid msgid = {0}, read = {0};

    if (!msgid_read(text, &read))
        return 0;
    g_assert(read.id > 0 && memcmp(read.token, text, TOKEN_LENGTH) == 0);
    fuzz_reached++;
    if (!msgid_open(ring, text, &msgid, NULL))
        return 0;
    g_autofree char *sealed = msgid_seal(ring, &msgid);
    g_assert(strncmp(sealed, text, TOKEN_LENGTH) == 0 && g_ascii_strcasecmp(sealed, text) == 0);
    g_assert(msgid.id == read.id && msgid.server == read.server);
    return 0;
}
