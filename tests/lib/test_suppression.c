/* SPDX-License-Identifier: MIT */
#include "lib/base/address.h"
#include "lib/base/suppression.h"
#include "tests/lib/testing.h"

static void test_suppression_address_forms(void **state)
{
    (void)state;
    static const struct {
        const char *recipient;
        const char *address; /* NULL: none */
    } cases[] = {
        {"a@b.test", "a@b.test"},
        {"A.B+C@Ok.TEST", "a.b+c@ok.test"},
        {"a@b.test.", "a@b.test"},
        {"\"A b\"@b.test", "\"a b\"@b.test"},
        {"a@b@c.test", "\"a@b\"@c.test"},
        {"\xc3\x89@b.test", "\xc3\x89@b.test"}, /* ASCII letters only */
        {"a@b\xc3\xbc"
         "cher.test",
         "a@xn--bcher-kva.test"},
        {"", NULL},
        {"@", NULL},
        {"a", NULL},
        {"a@", NULL},
        {"a@.", NULL},
        {"@b.test", NULL},
        {"\xff@b.test", NULL},
        {"a@\xff.test", NULL},
        {"a@b c.test", NULL},
        {"a@b\n.test", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *address = suppression_address(cases[i].recipient);
        if (g_strcmp0(address, cases[i].address) != 0)
            fail_msg("case %u: %s", i, address ? address : "none");
        if (address)
            assert_int_equal(suppression_domain(address)[0], '@');
    }
}

static void test_suppression_lookup_beyond_the_list(void **state)
{
    (void)state;
    g_autofree char *endless = g_strnfill(ADDRESS_MAX, 'a');
    g_autofree char *quotes = g_strnfill(ADDRESS_MAX / 2, '"');
    g_autofree char *longest = g_strconcat(endless, "@B.test.", NULL);
    g_autofree char *quoted = g_strconcat(quotes, "@b.test", NULL);
    const struct {
        const char *recipient;
        const char *key; /* NULL: none */
    } cases[] = {
        {"A@b.test", "a@b.test"},
        {"\xff@B.test", "@b.test"},
        {longest, "@b.test"},
        {quoted, "@b.test"},
        {"@b.test", "@b.test"},
        {"a", NULL},
        {"a@.", NULL},
        {"a@b c.test", NULL},
        {"\xff@\xff.test", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *key = suppression_lookup(cases[i].recipient);
        if (g_strcmp0(key, cases[i].key) != 0)
            fail_msg("case %u: %s", i, key ? key : "none");
    }
}

static void test_suppression_words(void **state)
{
    (void)state;
    SuppressionSource source = SUPPRESSION_BY_API;

    for (guint i = 0; i < SUPPRESSION_SOURCE_COUNT; i++) {
        assert_true(suppression_source_read(suppression_source_word(i), &source));
        assert_int_equal(source, i);
    }
    assert_false(suppression_source_read("Manual", &source));
    assert_false(suppression_source_read("", &source));
    assert_false(suppression_source_read(NULL, &source));
    assert_int_equal(source, SUPPRESSION_SOURCE_COUNT - 1);
    assert_string_equal(suppression_scope_word(SUPPRESSION_OF_SERVER), "server");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suppression_address_forms),
        cmocka_unit_test(test_suppression_lookup_beyond_the_list),
        cmocka_unit_test(test_suppression_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
