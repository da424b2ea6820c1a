/* SPDX-License-Identifier: MIT */
#include "lib/base/network.h"

#include <gio/gio.h>
#include <string.h>

#include "tests/lib/testing.h"

static void test_network_read_good(void **state)
{
    static const struct {
        const char *text, *wanted;
        guint length;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.0/24", 120},
        {"192.0.2.7", "192.0.2.7/32", 128},
        {"192.0.2.7/32", "192.0.2.7/32", 128},
        {"10.0.0.0/8", "10.0.0.0/8", 104},
        {"2001:DB8:0:0::/32", "2001:db8::/32", 32},
        {"2001:db8::1", "2001:db8::1/128", 128},
        {"2001::/16", "2001::/16", 16},
        {"::1", "::1/128", 128},
        {"::ffff:192.0.2.0/120", "192.0.2.0/24", 120},
        {"::ffff:c000:207", "192.0.2.7/32", 128},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Network network;
        const char *wrong = "x";
        g_autofree char *text = network_read(cases[i].text, &network, &wrong);
        assert_null(wrong);
        assert_string_equal(text, cases[i].wanted);
        assert_int_equal(network.length, cases[i].length);
        assert_true(memcmp(network.first, network.last, NETWORK_OCTETS) <= 0);
    }
}

static void test_network_read_bad(void **state)
{
    static const char *const allowed = "allowed is an IPv4 or IPv6 network";
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"", allowed},
        {"/", allowed},
        {"/8", allowed},
        {"acme.test", allowed},
        {"192.0.2.0/", allowed},
        {"192.0.2.0/+24", allowed},
        {"192.0.2.0/-1", allowed},
        {"192.0.2.0/ 24", allowed},
        {"192.0.2.0/24 ", allowed},
        {" 192.0.2.0/24", allowed},
        {"192.0.2.0/024", allowed},
        {"192.0.2.0/00", allowed},
        {"192.0.2.0/33", allowed},
        {"192.0.2.0/24/24", allowed},
        {"192.0.2.0/255.255.255.0", allowed},
        {"192.0.2.0/99999999999999999999", allowed},
        {"192.0.2/24", allowed},
        {"192.0.2.000/24", allowed},
        {"3221225985", allowed},
        {"0xc0000201", allowed},
        {"192.0.2.256", allowed},
        {"2001:db8::/129", allowed},
        {"2001:db8:::/32", allowed},
        {"[2001:db8::]/32", allowed},
        {"fe80::1%lo", allowed},
        {"fe80::%1/64", allowed},
        {"\xff\xfe", allowed},
        {"192.0.2.1/24", "has bits set"},
        {"192.0.2.128/24", "has bits set"},
        {"2001:db8::1/64", "has bits set"},
        {"::ffff:192.0.2.1/120", "has bits set"},
        {"0.0.0.0/0", "is wider than /8"},
        {"0.0.0.0/7", "is wider than /8"},
        {"10.0.0.0/7", "is wider than /8"},
        {"::ffff:0:0/96", "is wider than /8"},
        {"::ffff:10.0.0.0/103", "is wider than /8"},
        {"::/0", "is wider than /16"},
        {"2000::/3", "is wider than /16"},
        {"::/15", "is wider than /16"},
        {"::/16", "has all of IPv4"},
        {"::/80", "has all of IPv4"},
        {"::fffe:0:0/95", "has all of IPv4"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Network network = {.length = 7};
        const char *wrong = NULL;
        if (network_read(cases[i].text, &network, &wrong))
            fail_msg("\"%s\" was allowed", cases[i].text);
        if (!g_str_has_prefix(wrong, cases[i].wanted))
            fail_msg("\"%s\": %s", cases[i].text, wrong);
        assert_int_equal(network.length, 7);
    }
}

static gboolean contains(const char *network, const char *address)
{
    guint8 octets[NETWORK_OCTETS];
    Network found;
    const char *wrong;
    g_autofree char *text = network_read(network, &found, &wrong);

    assert_non_null(text);
    assert_true(network_address(address, octets));
    return memcmp(found.first, octets, sizeof octets) <= 0 &&
           memcmp(octets, found.last, sizeof octets) <= 0;
}

static void test_network_contains_table(void **state)
{
    static const struct {
        const char *network, *address;
        gboolean wanted;
    } cases[] = {
        {"192.0.2.0/25", "192.0.2.0", TRUE},
        {"192.0.2.0/25", "192.0.2.127", TRUE},
        {"192.0.2.0/25", "::ffff:192.0.2.127", TRUE},
        {"::ffff:192.0.2.0/121", "192.0.2.127", TRUE},
        {"2001:db8::/33", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", TRUE},
        {"192.0.2.0/25", "192.0.2.128", FALSE},
        {"192.0.2.0/25", "192.0.1.255", FALSE},
        {"192.0.2.0/25", "::192.0.2.1", FALSE},
        {"192.0.2.0/25", "64:ff9b::192.0.2.1", FALSE},
        {"2001:db8::/33", "2001:db8:8000::", FALSE},
        {"::1", "127.0.0.1", FALSE},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (contains(cases[i].network, cases[i].address) != cases[i].wanted)
            fail_msg("%s in %s", cases[i].address, cases[i].network);
}

static void test_network_address_bad(void **state)
{
    static const char *const cases[] = {
        "",      "unknown",          "unix",         "localhost",   "192.0.2.0/24", "[::1]",
        "1.2.3", "192.0.2.1.5",      "192.0.2.1 ",   "fe80::1%lo",  "0x7f000001",   "2130706433",
        "::1::", "IPv6:2001:db8::1", "192.0.2.1:25", "192.0.2.010",
    };
    guint8 octets[NETWORK_OCTETS] = {7};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (network_address(cases[i], octets))
            fail_msg("\"%s\" was an address", cases[i]);
    assert_int_equal(octets[0], 7);
}

static void test_network_around_every_length(void **state)
{
    guint8 octets[NETWORK_OCTETS];
    Network network;

    (void)state;
    memset(octets, 0xa5, sizeof octets);
    for (guint length = 0; length <= NETWORK_BITS; length++) {
        network_around(octets, length, &network);
        assert_int_equal(network.length, length);
        for (guint bit = 0; bit < NETWORK_BITS; bit++) {
            guint of = octets[bit / 8] >> (7 - bit % 8) & 1;
            assert_int_equal(network.first[bit / 8] >> (7 - bit % 8) & 1, bit < length ? of : 0);
            assert_int_equal(network.last[bit / 8] >> (7 - bit % 8) & 1, bit < length ? of : 1);
        }
    }
}

static void test_network_socket_address_table(void **state)
{
    static const char *const texts[] = {"192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"};
    static const char *const wanted[] = {"192.0.2.1", "192.0.2.1", "2001:db8::1"};
    const struct sockaddr other = {.sa_family = AF_UNIX};
    guint8 octets[NETWORK_OCTETS] = {7}, untouched[NETWORK_OCTETS] = {7};

    (void)state;
    assert_false(network_socket_address(&other, octets));
    assert_memory_equal(octets, untouched, sizeof octets);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct sockaddr_storage storage;
        g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string(texts[i], 25);
        assert_true(g_socket_address_to_native(address, &storage, sizeof storage, NULL));
        assert_true(network_socket_address((struct sockaddr *)&storage, octets));
        g_autofree char *text = network_address_text(octets);
        assert_string_equal(text, wanted[i]);
    }
}

static void test_network_client_table(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:db8:1:2:3::4", "2001:db8:1:2::/64"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::1", "::/64"},
        {"", "unknown"},
        {"fe80::1%lo", "unknown"},
        {"unix", "unknown"},
        {"192.0.2.1.5", "unknown"},
        {"[::1]", "unknown"},
        {"2001:db8::/64", "unknown"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *client = network_client(cases[i][0]);
        assert_string_equal(client, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_network_read_good),
        cmocka_unit_test(test_network_read_bad),
        cmocka_unit_test(test_network_contains_table),
        cmocka_unit_test(test_network_address_bad),
        cmocka_unit_test(test_network_around_every_length),
        cmocka_unit_test(test_network_socket_address_table),
        cmocka_unit_test(test_network_client_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
