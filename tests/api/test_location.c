/* SPDX-License-Identifier: MIT */
#include "api/location.h"

#include <string.h>

#include "lib/seal/link.h"
#include "tests/lib/testing.h"

static void test_location_write_good(void **state)
{
    static const struct {
        const char *url, *wanted;
    } cases[] = {
        {"http://a", "http://a"},
        {"HTTPS://Acme.Test:8443/A?b=c&d=%20#e", "HTTPS://Acme.Test:8443/A?b=c&d=%20#e"},
        {"https://acme.test/a b", "https://acme.test/a%20b"},
        {"https://acme.test/a ", "https://acme.test/a%20"},
        {"https://acme.test/caf\xc3\xa9?\xe2\x82\xac", "https://acme.test/caf%C3%A9?%E2%82%AC"},
        {"https://acme.test/\xff\x80", "https://acme.test/%FF%80"},
        {"https://acme.test/%", "https://acme.test/%"},
        {"https://acme.test/%zz%2", "https://acme.test/%zz%2"},
        {"https://acme.test/\"<>\\^`{|}'", "https://acme.test/\"<>\\^`{|}'"},
        {"https://acme.test/+?a=+,;", "https://acme.test/+?a=+,;"},
        {"http:///x", "http:///x"},
        {"https://acme.test//other.test/", "https://acme.test//other.test/"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *location = location_write(cases[i].url);
        assert_string_equal(location, cases[i].wanted);
    }
}

static void test_location_write_bad(void **state)
{
    g_autofree char *rest = g_strnfill(LINK_URL_MAX, 'a');
    g_autofree char *long_url = g_strconcat("http://", rest, NULL);
    const char *const cases[] = {
        "",
        "/relative",
        "//acme.test/",
        "javascript:alert(1)",
        "ftp://acme.test/",
        " http://acme.test/",
        "http:/acme.test/",
        "https://acme.test/\r\nSet-Cookie: a=b",
        "https://acme.test/\nX",
        "https://acme.test/\ta",
        "https://acme.test/\x7f",
        "https://acme.test/\x01",
        long_url,
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_null(location_write(cases[i]));
}

/* Every octet that may be sealed comes out as one that a field and a URL have. */
static void test_location_write_each_octet(void **state)
{
    (void)state;
    for (guint octet = 1; octet < 256; octet++) {
        g_autofree char *url = g_strdup_printf("http://a/%c", (char)octet);
        g_autofree char *location = location_write(url);
        assert_true((location != NULL) == link_url_is_fit(url));
        for (const char *p = location; p && *p; p++)
            assert_true(*p > ' ' && *p < 0x7f);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_location_write_good),
        cmocka_unit_test(test_location_write_bad),
        cmocka_unit_test(test_location_write_each_octet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
