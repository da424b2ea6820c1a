/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/dns/record.h"
#include "tests/lib/testing.h"

#define DATA(text) text, sizeof(text) - 1

static void test_dns_record_text_cases(void **state)
{
    static const struct {
        DnsType type;
        const char *data;
        gsize length;
        const char *text; /* NULL: refused */
    } cases[] = {
        {DNS_A, DATA("\300\0\2\1"), "192.0.2.1"},
        {DNS_AAAA, DATA("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), "2001:db8::1"},
        {DNS_NS, DATA("\4mail\7Example\4TEST\0"), "mail.example.test"},
        {DNS_PTR, DATA("\0"), "."},
        {DNS_CNAME, DATA("\3a.b\5c\\d e\0"), "a\\046b.c\\092d\\032e"},
        {DNS_CNAME, DATA("\4_dmc\1x\0"), "_dmc.x"},
        {DNS_MX, DATA("\1\2\4mail\4test\0"), "258 mail.test"},
        {DNS_MX, DATA("\0\0\0"), "0 ."},
        {DNS_TXT, DATA("\4v=DK\3IM1"), "v=DKIM1"},
        {DNS_TXT, DATA("\5\0\n\377\"a"), "???\"a"},
        {DNS_TXT, DATA(""), ""},
        {DNS_A, DATA("\300\0\2"), NULL},
        {DNS_A, DATA("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), NULL},
        {DNS_AAAA, DATA("\300\0\2\1"), NULL},
        {DNS_AAAA, DATA(""), NULL},
        {DNS_NS, DATA(""), NULL},
        {DNS_NS, DATA("\4mail"), NULL},
        {DNS_NS, DATA("\4mail\0more"), NULL},
        {DNS_NS, DATA("\5mail"), NULL},
        {DNS_NS, DATA("\300\14"), NULL},
        {DNS_MX, DATA("\0\12"), NULL},
        {DNS_MX, DATA("\0"), NULL},
        {DNS_TXT, DATA("\5abc"), NULL},
        {DNS_TXT, DATA("\3abc\1"), NULL},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            dns_record_text(cases[i].type, (const guint8 *)cases[i].data, cases[i].length);
        if (g_strcmp0(text, cases[i].text) != 0)
            fail_msg("case %zu: %s, not %s", i, text, cases[i].text);
    }
}

static void test_dns_record_text_long_name(void **state)
{
    guint8 name[300];

    (void)state;
    memset(name, 1, sizeof name); /* labels of one octet each */
    name[254] = 0;
    g_autofree char *fits = dns_record_text(DNS_NS, name, 255);
    assert_non_null(fits);
    name[254] = 1;
    name[256] = 0;
    assert_null(dns_record_text(DNS_NS, name, 257));
}

static void test_dns_reverse_name_cases(void **state)
{
    static const char *const cases[][2] = {
        {"192.0.2.1", "1.2.0.192.in-addr.arpa"},
        {"2001:db8::1f",
         "f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"},
        {"", NULL},
        {"192.0.2", NULL},
        {"192.0.2.1.", NULL},
        {"mail.test", NULL},
        {"2001:db8::1%lo", NULL},
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = dns_reverse_name(cases[i][0]);
        if (g_strcmp0(name, cases[i][1]) != 0)
            fail_msg("%s: %s", cases[i][0], name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dns_record_text_cases),
        cmocka_unit_test(test_dns_record_text_long_name),
        cmocka_unit_test(test_dns_reverse_name_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
