/* SPDX-License-Identifier: MIT */
/* Input is a request target, or, after a `!', a Host field. */
#include <glib.h>
#include <string.h>

#include "lib/httpd/target.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    Target target;

    if (*text == '!') {
        g_autofree char *host = target_host(text + 1);
        g_autofree char *again = host ? target_host(host) : NULL;
        g_assert_true(!host || (strlen(host) >= 1 && strlen(host) <= TARGET_HOST_MAX));
        g_assert_cmpstr(host, ==, again ? again : host);
        fuzz_reached += host != NULL;
        return 0;
    }
    gsize length = strlen(text);
    if (!target_read(text, &target))
        return 0;
    fuzz_reached++;
    g_assert_true(*target.path == '/' || g_str_equal(target.path, "*"));
    g_assert_true(strpbrk(target.path, " ?#\r\n\t") == NULL);
    g_assert_cmpuint(strlen(target.path) + (target.query ? strlen(target.query) : 0), <=,
                     length + 1);
    return 0;
}
