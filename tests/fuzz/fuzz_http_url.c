/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <string.h>

#include "lib/http/url.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

/* Whatever reads an allowed URL by its own rules finds no user in it and no line end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *url = g_strndup((const char *)data, size);

    if (http_url_wrong(url))
        return 0;
    const char *authority = strstr(url, "://");
    g_assert_true(authority && authority == strchr(url, ':'));
    authority += 3;
    g_assert_null(memchr(authority, '@', strcspn(authority, "/?")));
    g_assert_cmpuint(strcspn(url, "\r\n\t #\\"), ==, strlen(url));
    g_assert_cmpuint(strcspn(authority, "/?"), >, 0);
    fuzz_reached++;
    return 0;
}
