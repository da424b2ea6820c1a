/* SPDX-License-Identifier: MIT */
/* Input is a path; or, after a `!', a URL, which is sealed first. What opens must lead to exactly what was sealed, as a field
 * may have it. */
#include <glib.h>
#include <string.h>

#include "api/asked.h"
#include "api/location.h"
#include "api/visit.h"
#include "tests/fuzz/fuzz.h"

#define HOST "t.example"

unsigned fuzz_reached;

static char *sealed_path(const KeyRing *ring, const char *url)
{
    Link link = {.kind = LINK_CLICK, .id = 1, .server = 7, .url = (char *)(guintptr)url};
    g_autofree char *token = link_url_is_fit(url) ? link_seal(ring, &link, HOST) : NULL;

    return token ? g_strconcat("/c/", token, NULL) : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] =
        "0 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 1 seal\n";
    g_autoptr(KeyRing) ring = ring_parse("fuzz", text, NULL);
    g_autofree char *input = g_strndup((const char *)data, size);
    g_autofree char *path = *input == '!' ? sealed_path(ring, input + 1) : g_strdup(input);

    if (!path)
        return 0;
    Asked asked = asked_read("GET", path);
    g_autoptr(Link) link = asked_link(&asked, ring, HOST, 7);
    if (!link)
        return 0;
    g_assert_true(*input != '!' || g_str_equal(link->url, input + 1));
    g_autofree char *location = location_write(link->url);
    const Visit visit = {.host = HOST, .ip = "", .agent = input, .method = "GET"};
    g_autofree char *json = visit_json(link, &visit);
    g_assert_true(link->kind == LINK_OPEN || location);
    for (const char *p = location; p && *p; p++)
        g_assert_true(*p > ' ' && *p < 0x7f);
    g_assert_true(g_utf8_validate(json, -1, NULL));
    fuzz_reached++;
    return 0;
}
