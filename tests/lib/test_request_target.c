/* SPDX-License-Identifier: MIT */
#include "lib/httpd/target.h"

#include <string.h>

#include "tests/lib/testing.h"

static void test_target_read_good(void **state)
{
    static const struct {
        const char *text, *authority, *path, *query;
    } cases[] = {
        {"/", NULL, "/", NULL},
        {"/c/abc", NULL, "/c/abc", NULL},
        {"/c/abc?", NULL, "/c/abc", ""},
        {"/c/abc?x=1?y", NULL, "/c/abc", "x=1?y"},
        {"//double/slash", NULL, "//double/slash", NULL},
        {"/%2e%2e/%00", NULL, "/%2e%2e/%00", NULL},
        {"/caf\xc3\xa9", NULL, "/caf\xc3\xa9", NULL},
        {"/http://x/", NULL, "/http://x/", NULL},
        {"*", NULL, "*", NULL},
        {"http://t.example/c/x?q", "t.example", "/c/x", "q"},
        {"HTTPS://T.example:8443/c/x", "T.example:8443", "/c/x", NULL},
        {"http://t.example", "t.example", "/", NULL},
        {"http://t.example?q", "t.example", "/", "q"},
        {"http:///x", "", "/x", NULL},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup(cases[i].text);
        Target target;
        assert_true(target_read(text, &target));
        assert_int_equal(g_strcmp0(target.authority, cases[i].authority), 0);
        assert_string_equal(target.path, cases[i].path);
        assert_int_equal(g_strcmp0(target.query, cases[i].query), 0);
    }
}

static void test_target_read_bad(void **state)
{
    static const char *const cases[] = {
        "",
        "c/abc",
        "?x",
        "t.example:443",
        "ftp://t.example/",
        "http:/t.example/",
        "/a b",
        "/a\tb",
        "/a\r\nX:",
        "/a\x7f",
        "/a#b",
        "**",
        "*/",
        " /",
        "/ ",
        "http//x",
        "javascript:x",
        "\\x",
        "/a?b c",
        "http://a b/",
        "/x\x01",
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup(cases[i]);
        Target target = {.path = "untouched"};
        assert_false(target_read(text, &target));
        assert_string_equal(target.path, "untouched");
    }
}

static void test_target_host(void **state)
{
    g_autofree char *longest = g_strnfill(TARGET_HOST_MAX, 'a');
    g_autofree char *longer = g_strnfill(TARGET_HOST_MAX + 1, 'a');
    const struct {
        const char *text, *wanted;
    } cases[] = {
        {"t.example", "t.example"},
        {"T.Example", "t.example"},
        {"t.example:80", "t.example"},
        {"t.example:", "t.example"},
        {"t.example.", "t.example"},
        {"t.example.:443", "t.example"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"192.0.2.7:8080", "192.0.2.7"},
        {"[2001:DB8::1]:443", "[2001:db8::1]"},
        {"[::1]", "[::1]"},
        {longest, longest},
        {"", NULL},
        {":80", NULL},
        {".", NULL},
        {".example", NULL},
        {"t.example..", NULL},
        {"t..example", NULL},
        {"..", NULL},
        {longer, NULL},
        {"t.example:x", NULL},
        {"t.example:123456", NULL},
        {"t.example:80:80", NULL},
        {"t.example/", NULL},
        {"t.example t.other", NULL},
        {"user@t.example", NULL},
        {"t.example,t.other", NULL},
        {"caf\xc3\xa9.example", NULL},
        {"[::1", NULL},
        {"[]x", NULL},
        {"[::1]80", NULL},
        {"[g::1]", NULL},
        {"2001:db8::1", NULL},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *host = target_host(cases[i].text);
        assert_int_equal(g_strcmp0(host, cases[i].wanted), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target_read_good),
        cmocka_unit_test(test_target_read_bad),
        cmocka_unit_test(test_target_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
