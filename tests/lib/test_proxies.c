/* SPDX-License-Identifier: MIT */
#include "lib/httpd/proxies.h"

#include "lib/base/error.h"
#include "tests/lib/testing.h"

#define LIST "192.0.2.0/24, 2001:db8::1 unix"

typedef struct {
    const char *peer, *value, *wanted;
} Case;

static void check(ProxiesField field, const Case *cases, guint n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Proxies) proxies = proxies_read(LIST, field, &error);

    assert_no_error(error);
    for (guint i = 0; i < n; i++) {
        g_autofree char *client = proxies_client(proxies, cases[i].peer, cases[i].value);
        assert_string_equal(client, cases[i].wanted);
    }
}

static void test_proxies_client_x_forwarded_for(void **state)
{
    static const Case cases[] = {
        {"198.51.100.1", NULL, "198.51.100.1"},
        /* Not from a proxy: whatever it says. */
        {"198.51.100.1", "203.0.113.9", "198.51.100.1"},
        {"2001:db8::2", "203.0.113.9", "2001:db8::2"},
        {"192.0.2.1", NULL, "192.0.2.1"},
        {"192.0.2.1", "", "192.0.2.1"},
        {"192.0.2.1", "203.0.113.9", "203.0.113.9"},
        {"192.0.2.1", " 203.0.113.9 ", "203.0.113.9"},
        {"192.0.2.1", "203.0.113.9:4711", "203.0.113.9"},
        {"192.0.2.1", "[2001:db8::9]:4711", "2001:db8::9"},
        {"192.0.2.1", "2001:DB8:0::9", "2001:db8::9"},
        {"192.0.2.1", "::ffff:203.0.113.9", "203.0.113.9"},
        {"2001:db8::1", "203.0.113.9", "203.0.113.9"},
        {"", "203.0.113.9", "203.0.113.9"},
        {"", NULL, ""},
        /* What a client adds itself stands on the left. */
        {"192.0.2.1", "127.0.0.1, 203.0.113.9", "203.0.113.9"},
        {"192.0.2.1", "10.0.0.1,203.0.113.9, 192.0.2.7,192.0.2.8", "203.0.113.9"},
        {"192.0.2.1", "192.0.2.7, 192.0.2.8", "192.0.2.7"},
        {"192.0.2.1", "192.0.2.7", "192.0.2.7"},
        /* What is no address ends it: what is before it is nobody's word. */
        {"192.0.2.1", "203.0.113.9, unknown", "192.0.2.1"},
        {"192.0.2.1", "203.0.113.9, 192.0.2.7, nonsense", "192.0.2.1"},
        {"192.0.2.1", "203.0.113.9, nonsense, 192.0.2.7", "192.0.2.7"},
        {"192.0.2.1", ",,,", "192.0.2.1"},
        {"192.0.2.1", "203.0.113.9,", "192.0.2.1"},
        {"192.0.2.1", "203.0.113.0/24", "192.0.2.1"},
        {"192.0.2.1", "203.0.113.9\r\nX: y", "192.0.2.1"},
        {"192.0.2.1", "[203.0.113.9", "203.0.113.9"},
        {"192.0.2.1", "fe80::1%eth0", "192.0.2.1"},
        {"192.0.2.1", "for=203.0.113.9", "192.0.2.1"},
        {"nonsense", "203.0.113.9", "nonsense"},
    };

    (void)state;
    check(PROXIES_X_FORWARDED_FOR, cases, G_N_ELEMENTS(cases));
}

static void test_proxies_client_forwarded(void **state)
{
    static const Case cases[] = {
        {"192.0.2.1", "for=203.0.113.9", "203.0.113.9"},
        {"192.0.2.1", "For=\"203.0.113.9:80\";proto=https", "203.0.113.9"},
        {"192.0.2.1", "proto=https; for=\"[2001:db8::9]:4711\"", "2001:db8::9"},
        {"192.0.2.1", "for=10.0.0.1, for=203.0.113.9;by=192.0.2.1, for=192.0.2.7", "203.0.113.9"},
        {"192.0.2.1", "for=_hidden", "192.0.2.1"},
        {"192.0.2.1", "for=unknown, for=192.0.2.7", "192.0.2.7"},
        {"192.0.2.1", "by=203.0.113.9", "192.0.2.1"},
        {"192.0.2.1", "203.0.113.9", "192.0.2.1"},
        {"198.51.100.1", "for=203.0.113.9", "198.51.100.1"},
    };

    (void)state;
    check(PROXIES_FORWARDED, cases, G_N_ELEMENTS(cases));
}

static void test_proxies_client_many_hops(void **state)
{
    g_autoptr(Proxies) proxies = proxies_read(LIST, PROXIES_X_FORWARDED_FOR, NULL);
    g_autoptr(GString) value = g_string_new("203.0.113.9");

    (void)state;
    for (guint i = 0; i < 2 * PROXIES_HOPS_MAX; i++)
        g_string_append(value, ", 192.0.2.7");
    g_autofree char *client = proxies_client(proxies, "192.0.2.1", value->str);
    assert_string_equal(client, "192.0.2.7");
}

static void test_proxies_read_empty_lists_nobody(void **state)
{
    g_autoptr(Proxies) proxies = proxies_read(" , ", PROXIES_FORWARDED, NULL);

    (void)state;
    assert_non_null(proxies);
    assert_false(proxies_has(proxies, ""));
    assert_false(proxies_has(proxies, "127.0.0.1"));
    assert_string_equal(proxies_field(proxies), "Forwarded");
}

static void test_proxies_read_bad(void **state)
{
    g_autoptr(GString) many = g_string_new(NULL);
    for (guint i = 0; i <= PROXIES_MAX; i++)
        g_string_append_printf(many, "192.0.2.%u ", i);
    const char *const cases[] = {"localhost", "192.0.2.0/33", "192.0.2.1/24",        "0.0.0.0/0",
                                 "::/0",      "unix:/x",      "192.0.2.1;192.0.2.2", many->str};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        assert_null(proxies_read(cases[i], PROXIES_X_FORWARDED_FOR, &error));
        assert_error_code(error, INVALID);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proxies_client_x_forwarded_for),
        cmocka_unit_test(test_proxies_client_forwarded),
        cmocka_unit_test(test_proxies_client_many_hops),
        cmocka_unit_test(test_proxies_read_empty_lists_nobody),
        cmocka_unit_test(test_proxies_read_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
