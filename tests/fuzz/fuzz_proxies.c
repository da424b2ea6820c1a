/* SPDX-License-Identifier: MIT */
/* Input is a list of proxies, a line end, and a field's value. The peer is a proxy of every list. */
#include <glib.h>
#include <string.h>

#include "lib/base/network.h"
#include "lib/httpd/proxies.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    char *value = strchr(text, '\n');

    if (!value)
        return 0;
    *value++ = '\0';
    g_autofree char *list = g_strconcat("192.0.2.1 ", text, NULL);
    for (ProxiesField field = PROXIES_X_FORWARDED_FOR; field <= PROXIES_FORWARDED; field++) {
        g_autoptr(Proxies) proxies = proxies_read(list, field, NULL);
        guint8 octets[NETWORK_OCTETS];
        if (!proxies)
            continue;
        g_autofree char *client = proxies_client(proxies, "192.0.2.1", value);
        g_autofree char *stranger = proxies_client(proxies, "no proxy", value);
        g_assert_true(network_address(client, octets));
        g_assert_cmpstr(stranger, ==, "no proxy");
        fuzz_reached += !g_str_equal(client, "192.0.2.1");
    }
    return 0;
}
