/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/address.h"
#include "tests/lib/testing.h"

/* Of a domain alone, and as that of an address. */
typedef struct {
    const char *domain;
    const char *form; /* NULL: none */
} DomainCase;

static const DomainCase domains[] = {
    {"acme.test", "acme.test"},
    {"Example.COM", "example.com"},
    {"test", "test"},
    {"_dmarc.a-b.test", "_dmarc.a-b.test"},
    {"[192.0.2.1]", "[192.0.2.1]"},
    {"[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"},
    {"XN--BCHER-KVA.test", "xn--bcher-kva.test"},
    {"b\u00fccher.test", "xn--bcher-kva.test"},
    {"B\u00dcCHER.Test", "xn--bcher-kva.test"},
    {"bu\u0308cher.test", "xn--bcher-kva.test"},
    {"b\u00fccher\u3002test", "xn--bcher-kva.test"},
    {"stra\u00dfe.test", "xn--strae-oqa.test"},
    {"\uff21\uff23\uff2d\uff25.test", "acme.test"},
    {"", NULL},
    {".", NULL},
    {"..", NULL},
    {".test", NULL},
    {"a..test", NULL},
    {"a.test..", NULL},
    {"a b.test", NULL},
    {" a.test", NULL},
    {"a.test\n", NULL},
    {"a\tb", NULL},
    {"a\x7f.test", NULL},
    {"\xff.test", NULL},
    {"\xc3.test", NULL},
    {"xn--\u00fc.test", NULL},
    {"b\u00fccher .test", NULL},
    {"\u00ad.test", NULL},           /* Unicode maps it to nothing */
    {"a\uff20b.test", NULL},         /* to an @ */
    {"a\uff1eb.test", NULL},         /* to >, which ends an address in SMTP */
    {"\uff3b192.0.2.1\uff3d", NULL}, /* to an address literal */
    {"a\uff0cb.test", NULL},         /* to a comma */
    {"ac\u200dme.test", NULL},       /* joiners: dropped by some */
    {"ac\u200cme.test", NULL},
    {"stra\u1e9ee.test", NULL}, /* ss to some */
    {"b\u00fccher\u3002\u3002", NULL},
};

static void test_address_domain_form_table(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(domains); i++) {
        g_autofree char *form = address_domain_form(domains[i].domain);
        g_autofree char *address = g_strconcat("a@b@", domains[i].domain, NULL);
        g_autofree char *ending = address_domain(address);
        if (g_strcmp0(form, domains[i].form) != 0 || g_strcmp0(ending, domains[i].form) != 0)
            fail_msg("case %u: %s, %s", i, form, ending);
    }
}

static void test_address_domain_root(void **state)
{
    static const char *const rooted[] = {"acme.test.", "b\u00fccher.test.",
                                         "b\u00fccher.test\u3002"};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(rooted); i++) {
        g_autofree char *address = g_strconcat("a@", rooted[i], NULL);
        g_autofree char *domain = address_domain(address);
        g_autofree char *form = address_form(address);
        assert_null(address_domain_form(rooted[i]));
        assert_non_null(domain);
        assert_false(g_str_has_suffix(domain, "."));
        assert_string_equal(form + 2, domain);
    }
    assert_null(address_domain("a"));
    assert_null(address_domain(""));
    assert_null(address_domain("acme.test"));
}

static void test_address_domain_limits(void **state)
{
    g_autofree char *label = g_strnfill(63, 'a');
    g_autofree char *long_label = g_strconcat(label, "a.test", NULL);
    g_autofree char *fits = g_strconcat(label, ".", label, ".", label, ".", label + 2, NULL);
    g_autofree char *longer = g_strconcat("a", fits, NULL);
    g_autofree char *unicode =
        g_strdup_printf("\u00fc%s.test", label + 7); /* xn--, -, delta: 65 octets */
    g_autofree char *endless = g_strnfill(100000, '.');
    g_autofree char *wide = g_strconcat("\u00fc", endless, NULL);
    g_autofree char *form = address_domain_form(fits);

    (void)state;
    assert_int_equal(strlen(fits), ADDRESS_DOMAIN_MAX);
    assert_string_equal(form, fits);
    assert_null(address_domain_form(long_label));
    assert_null(address_domain_form(longer));
    assert_null(address_domain_form(unicode));
    assert_null(address_domain_form(endless));
    assert_null(address_domain_form(wide));
}

static void test_address_form_table(void **state)
{
    static const struct {
        const char *address;
        const char *form; /* NULL: none */
    } cases[] = {
        {"a@b.test", "a@b.test"},
        {"A.B+C@Ok.TEST", "a.b+c@ok.test"},
        {"\"A b\"@b.test", "\"a b\"@b.test"},
        {"a@b@C.test", "\"a@b\"@c.test"},
        {"\"a\"@b.test", "a@b.test"},
        {"\"\\A\\b\"@b.test", "ab@b.test"},
        {"a b@b.test", "\"a b\"@b.test"},
        {"\"a\\\"b\\\\c\"@b.test", "\"a\\\"b\\\\c\"@b.test"},
        {"a\"b\\c@b.test", "\"a\\\"b\\\\c\"@b.test"},
        {"\"a@b\"@c.test", "\"a@b\"@c.test"},
        {".a@b.test", "\".a\"@b.test"},
        {"\"a..b\"@b.test", "\"a..b\"@b.test"},
        {"a.@b.test", "\"a.\"@b.test"},
        {"\"\"@b.test", "\"\"@b.test"},
        {"\"@b.test", "\"\\\"\"@b.test"},
        {"\"a@b.test", "\"\\\"a\"@b.test"},
        {"@B.test", "@b.test"},
        {"\u00c9@b.test", "\u00c9@b.test"},
        {"a@b\u00fccher.test", "a@xn--bcher-kva.test"},
        {"", NULL},
        {"@", NULL},
        {"a", NULL},
        {"a@", NULL},
        {"a@.", NULL},
        {"a@b.test..", NULL},
        {"\xff@b.test", NULL},
        {"a@\xff.test", NULL},
        {"a@b c.test", NULL},
        {"a@b.test ", NULL},
        {"a@evil.test\uff20b.test", NULL},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *form = address_form(cases[i].address);
        if (g_strcmp0(form, cases[i].form) != 0)
            fail_msg("case %u: %s", i, form);
    }
}

static void test_address_form_limits(void **state)
{
    g_autofree char *local = g_strnfill(ADDRESS_MAX - 7, 'a');
    g_autofree char *most = g_strconcat(local, "@b.test", NULL);
    g_autofree char *rooted = g_strconcat(most, ".", NULL);
    g_autofree char *more = g_strconcat("a", most, NULL);
    g_autofree char *endless = g_strnfill(100000, 'a');
    g_autofree char *long_local = g_strconcat(endless, "@b.test", NULL);
    g_autofree char *long_domain = g_strconcat("a@", endless, NULL);
    g_autofree char *quote = g_strnfill(ADDRESS_MAX / 2, '"');
    g_autofree char *quotes = g_strconcat(quote, "@b.test", NULL); /* each is escaped */
    g_autofree char *form = address_form(most);
    g_autofree char *unrooted = address_form(rooted);

    (void)state;
    assert_string_equal(form, most);
    assert_string_equal(unrooted, most);
    assert_null(address_form(more));
    assert_null(address_form(quotes));
    assert_null(address_form(long_local));
    assert_null(address_form(long_domain));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_domain_form_table),
        cmocka_unit_test(test_address_domain_root),
        cmocka_unit_test(test_address_domain_limits),
        cmocka_unit_test(test_address_form_table),
        cmocka_unit_test(test_address_form_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
