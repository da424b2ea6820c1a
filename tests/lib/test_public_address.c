/* SPDX-License-Identifier: MIT */
#include "lib/base/public_address.h"

#include "lib/base/error.h"
#include "tests/lib/testing.h"

static gboolean is_public(const char *text)
{
    guint8 octets[NETWORK_OCTETS];

    assert_true(network_address(text, octets));
    return public_address(octets);
}

static void test_public_address_good(void **state)
{
    static const char *const cases[] = {
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2000::",
        "2001:200::1",
        "2001:db7:ffff::1",
        "2001:db9::1",
        "2002:808:808::1",
        "2606:4700::1111",
        "2a00::5efe:8.8.8.8",
        "2a00::200:5efe:8.8.8.8",
        "2a00::5eff:10.0.0.1",
        "3ffe:ffff::1",
        "3fff:1000::1",
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (!is_public(cases[i]))
            fail_msg("%s is not public", cases[i]);
}

static void test_public_address_bad(void **state)
{
    static const char *const cases[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.0",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.0",
        "239.255.255.255",
        "240.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        "::2",
        "::7f00:1",
        "::8.8.8.8",
        "::ffff:0:8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "::ffff:169.254.169.254",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:0:0:0:1:808:808",
        "64:ff9b:1::808:808",
        "100::1",
        "1fff:ffff::1",
        "2001::1",
        "2001:0:808:808::1",
        "2001:2::1",
        "2001:10::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "2001:db8:ffff::1",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "2002:c0a8:101::1",
        "2002:a9fe:a9fe::1",
        "2002:e000:1::1",
        "2a00::5efe:10.0.0.1",
        "2a00::200:5efe:127.0.0.1",
        "3fff::1",
        "3fff:fff:ffff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (is_public(cases[i]))
            fail_msg("%s is public", cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_public_address_good),
        cmocka_unit_test(test_public_address_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
