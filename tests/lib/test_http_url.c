/* SPDX-License-Identifier: MIT */
#include "lib/http/url.h"

#include <string.h>

#include "tests/lib/testing.h"

static void test_http_url_wrong_good(void **state)
{
    static const char *const cases[] = {
        "http://example.com",
        "https://example.com/",
        "HTTPS://Example.COM/",
        "https://example.com:8443/in?key=a%20b&x=@:/?",
        "https://my_host.internal/x",
        "https://xn--bcher-kva.example/",
        "http://192.0.2.1/x",
        "http://[2001:db8::1]/",
        "http://[::1]:8080?x",
        "http://2130706433/",
        "http://0x7f.1/",
        "https://example.com./",
        "https://example.com:65535/(a)$;'*+,!~",
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (http_url_wrong(cases[i]))
            fail_msg("%s: %s", cases[i], http_url_wrong(cases[i]));
}

static void test_http_url_wrong_bad(void **state)
{
    static const struct {
        const char *url, *wanted;
    } cases[] = {
        {"", "allowed is"},
        {"example.com", "allowed is"},
        {"//example.com/", "allowed is"},
        {"http:", "allowed is"},
        {"http://", "allowed is"},
        {"http:///path", "allowed is"},
        {"http:/example.com", "allowed is"},
        {"http:example.com", "allowed is"},
        {"ftp://example.com/", "allowed is"},
        {"file:///etc/passwd", "allowed is"},
        {"gopher://example.com/", "allowed is"},
        {"javascript:alert(1)", "allowed is"},
        {"unix:///run/x.sock", "allowed is"},
        {" http://example.com/", "allowed is"},
        {"http://example.com/a b", "allowed is"},
        {"http://example.com/\r\nX: y", "allowed is"},
        {"http://example.com/\n", "allowed is"},
        {"http://example.com/\t", "allowed is"},
        {"http://example.com\\@evil.test/", "allowed is"},
        {"http://example.com/\\", "allowed is"},
        {"http://ex\xc3\xa4mple.com/", "allowed is"},
        {"http://example.com/\xff", "allowed is"},
        {"http://exam%70le.com/", "allowed is"},
        {"http://127.0.0.1%00.example.com/", "allowed is"},
        {"http://.example.com/", "allowed is"},
        {"http://a..b/", "allowed is"},
        {"http://example.com:0/", "allowed is"},
        {"http://example.com:65536/", "allowed is"},
        {"http://example.com:-1/", "allowed is"},
        {"http://example.com:x/", "allowed is"},
        {"http://example.com:80:80/", "allowed is"},
        {"http://[::1/", "allowed is"},
        {"http://[::g]/", "allowed is"},
        {"http://[fe80::1%25lo]/", "allowed is"},
        {"http://::1/", "allowed is"},
        {"http://a,b/", "allowed is"},
        {"http://a;b/", "allowed is"},
        {"http://user@example.com/", "names a user"},
        {"http://user:pw@example.com/", "names a user"},
        {"http://@example.com/", "names a user"},
        {"http://:@example.com/", "names a user"},
        {"http://example.com@evil.test/", "names a user"},
        {"http://example.com/#x", "has a fragment"},
        {"http://example.com#@evil.test/", "has a fragment"},
    };
    g_autofree char *tail = g_strnfill(HTTP_URL_MAX, 'a');
    g_autofree char *longest = g_strconcat("http://example.com/", tail, NULL);

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *wrong = http_url_wrong(cases[i].url);
        if (!wrong || !g_str_has_prefix(wrong, cases[i].wanted))
            fail_msg("%s: %s", cases[i].url, wrong);
    }
    assert_non_null(http_url_wrong(longest));
    longest[HTTP_URL_MAX] = '\0';
    assert_null(http_url_wrong(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_url_wrong_good),
        cmocka_unit_test(test_http_url_wrong_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
