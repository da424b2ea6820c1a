/* SPDX-License-Identifier: MIT */
/* Input is a token, or, after a `!', octets that get a right seal: what opens must be the one token that sealing gives. */
#include <glib.h>
#include <string.h>

#include "lib/seal/base64url.h"
#include "lib/seal/link.h"
#include "tests/fuzz/fuzz.h"

#define HOST       "t.example"
#define MAC_LENGTH 12

unsigned fuzz_reached;

static char *seal(const KeyRing *ring, const uint8_t *octets, size_t size)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    guint8 mac[RING_MAC_LENGTH];

    g_byte_array_append(data, (const guint8 *)"lk1\011" HOST, 13);
    g_byte_array_append(data, octets, (guint)size);
    ring_mac(ring, 0, data->data, data->len, mac);
    g_byte_array_append(data, mac, MAC_LENGTH);
    return base64url_encode(data->data + 13, data->len - 13);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] =
        "0 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 1 seal\n";
    g_autoptr(KeyRing) ring = ring_parse("fuzz", text, NULL);
    g_autofree char *token = size > 0 && data[0] == '!' ? seal(ring, data + 1, size - 1)
                                                        : g_strndup((const char *)data, size);

    for (LinkKind kind = LINK_CLICK; kind <= LINK_OPEN; kind++) {
        g_autoptr(Link) link = link_open(ring, kind, token, HOST, NULL);
        if (!link)
            continue;
        g_autofree char *again = link_seal(ring, link, HOST);
        g_assert(g_str_equal(again, token));
        fuzz_reached++;
    }
    return 0;
}
