/* SPDX-License-Identifier: MIT */
/* Input is the text of a claim, or, after a `j', JSON that gets a right seal: what opens must say the
 * same when it is sealed and opened again. */
#include <glib.h>
#include <string.h>

#include "lib/seal/claim.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

static char *encode(const guint8 *octets, gsize length)
{
    char *text = g_base64_encode(octets, length);

    g_strdelimit(text, "+", '-');
    g_strdelimit(text, "/", '_');
    text[strcspn(text, "=")] = '\0';
    return text;
}

static char *seal(const KeyRing *ring, const uint8_t *json, size_t size)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    guint8 mac[RING_MAC_LENGTH];

    g_byte_array_append(data, (const guint8 *)"cl1", 4);
    g_byte_array_append(data, json, (guint)size);
    ring_mac(ring, 0, data->data, data->len, mac);
    g_autofree char *body = encode(json, size);
    g_autofree char *end = encode(mac, sizeof mac);
    return g_strdup_printf("v1.0.%s.%s", body, end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] =
        "0 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 1 seal\n";
    g_autoptr(KeyRing) ring = ring_parse("fuzz", text, NULL);
    g_autofree char *input = size > 0 && data[0] == 'j' ? seal(ring, data + 1, size - 1)
                                                        : g_strndup((const char *)data, size);
    g_autoptr(Claim) claim = claim_open(ring, input, 1, NULL);

    if (!claim)
        return 0;
    g_autofree char *again = claim_seal(ring, claim);
    g_autoptr(Claim) second = claim_open(ring, again, 1, NULL);
    g_autofree char *third = claim_seal(ring, second);
    g_assert(g_str_equal(again, third));
    fuzz_reached++;
    return 0;
}
