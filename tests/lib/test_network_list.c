/* SPDX-License-Identifier: MIT */
#include "lib/base/network_list.h"

#include "lib/base/error.h"
#include "tests/lib/testing.h"

#define CIDR       "allowed is an IPv4 or IPv6 network such as 192.0.2.0/24 or 2001:db8::/32"
#define TEN        "\303\274\303\274\303\274\303\274\303\274\303\274\303\274\303\274\303\274\303\274"
#define SIXTY_FOUR TEN TEN TEN TEN TEN TEN "\303\274\303\274\303\274\303\274"
#define HUNDRED    TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void test_network_list_read_and_has(void **state)
{
    static const struct {
        const char *list, *address;
        gboolean wanted;
    } cases[] = {
        {"", "127.0.0.1", FALSE},
        {" , ,", "127.0.0.1", FALSE},
        {"127.0.0.0/8", "127.1.2.3", TRUE},
        {"127.0.0.0/8", "::ffff:127.0.0.1", TRUE},
        {"127.0.0.0/8", "::1", FALSE},
        {"10.1.2.3,fd00::/16", "fd00::7", TRUE},
        {"10.1.2.3, fd00::/16", "10.1.2.3", TRUE},
        {"10.1.2.3\tfd00::/16", "10.1.2.4", FALSE},
        {"10.0.0.0/8", "64:ff9b::10.0.0.1", FALSE},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) list = network_list_read(cases[i].list, &error);
        guint8 octets[NETWORK_OCTETS];
        assert_no_error(error);
        assert_true(network_address(cases[i].address, octets));
        if (network_list_has(list, octets) != cases[i].wanted)
            fail_msg("%s in \"%s\"", cases[i].address, cases[i].list);
    }
}

static void test_network_list_read_bad(void **state)
{
    static const char *const cases[][2] = {
        {"localhost", "localhost: " CIDR},
        {"10.0.0.0/8, x", "x: " CIDR},
        {"0.0.0.0/0", "0.0.0.0/0: is wider than /8"},
        {"10.0.0.1/24", "10.0.0.1/24: has bits set behind its prefix"},
        {"10.0.0.0/8;::1", "10.0.0.0/8;::1: " CIDR},
        {"::/0", "::/0: is wider than /16"},
        {"fe80::1%lo", "fe80::1%lo: " CIDR},
        {"127.0.0.0/8 /8 ::1", "/8: " CIDR},
        {HUNDRED, SIXTY_FOUR ": " CIDR},
    };
    g_autoptr(GString) many = g_string_new("10.0.0.1");
    GError *error = NULL;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_null(network_list_read(cases[i][0], &error));
        assert_string_equal(error->message, cases[i][1]);
        assert_error_code(error, INVALID);
    }
    for (guint i = 0; i < NETWORK_LIST_MAX; i++)
        g_string_append(many, ",10.0.0.1");
    assert_null(network_list_read(many->str, &error));
    assert_string_equal(error->message, "10.0.0.1: is one too many: allowed are 64");
    assert_error_code(error, INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_network_list_read_and_has),
        cmocka_unit_test(test_network_list_read_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
