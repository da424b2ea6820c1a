/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "lib/directory/value_route.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

/* What is read is read again from its canonical form, as the same. */
static void read_twice(ValueKind kind, const char *text)
{
    g_auto(Value) value = {0};
    g_auto(Value) again = {0};

    if (!value_read(kind, "field", text, 1, &value, NULL))
        return;
    fuzz_reached++;
    g_assert_true(value.text != NULL && g_utf8_validate(value.text, -1, NULL));
    g_assert_true(value.number >= 0 && value.number <= G_MAXUINT16);
    g_assert_true(value_read(kind, "field", value.text, 1, &again, NULL));
    g_assert_cmpstr(value.text, ==, again.text);
}

/* The first octet says as what. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ValueKind kinds[] = {VALUE_ROUTE_ADDRESS, VALUE_ENDPOINT_NAME, VALUE_URL,
                                      VALUE_SMTP_PLACE,    VALUE_LMTP_PLACE,    VALUE_MAILBOX,
                                      VALUE_ENDPOINTS};
    g_autofree char *text = size > 1 ? g_strndup((const char *)data + 1, size - 1) : g_strdup("");

    if (size > 0 && g_strcmp0(text, "none") != 0)
        read_twice(kinds[data[0] % G_N_ELEMENTS(kinds)], text);
    return 0;
}
