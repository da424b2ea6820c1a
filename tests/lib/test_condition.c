/* SPDX-License-Identifier: MIT */
#include "lib/base/condition.h"
#include "tests/lib/testing.h"

static void test_condition_list_read_good(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"acme.test", "acme.test"},
        {"Boss@Acme.Test, acme.test", "boss@acme.test,acme.test"},
        {"a@b.test,A@B.TEST,a@b.test", "a@b.test"},
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"},
        {"GR\xc3\x9c"
         "N@b.test",
         "gr\xc3\xbcn@b.test"},
        {"+a@b.test", "+a@b.test"},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *wrong = NULL;
        g_autofree char *list = condition_list_read(cases[i].text, &wrong);
        assert_string_equal(list ? list : wrong, cases[i].wanted);
    }
}

static void test_condition_list_read_bad(void **state)
{
    static const char *const cases[] = {
        "",        ",",         "a.test,",      ",a.test",      "a@",      "@a.test",
        "a b@c",   "a@b@c",     "a+tag@b.test", "\"a\"@b.test", ".a.test", "a.test.",
        "a..test", "a@b..test", "*.acme.test",  "<a@b.test>",   "a@b;c",
    };
    g_autofree char *endless = g_strnfill(400, 'a');
    g_autofree char *many = g_strnfill(CONDITION_MAX, ',');
    const char *wrong = NULL;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        wrong = NULL;
        if (condition_list_read(cases[i], &wrong))
            fail_msg("allowed: %s", cases[i]);
        assert_non_null(wrong);
    }
    assert_null(condition_list_read(endless, &wrong));
    assert_null(condition_list_read(many, &wrong));
    assert_string_equal(wrong, "allowed are 100 conditions");
}

static void test_condition_list_match_table(void **state)
{
    static const char list[] = "boss@acme.test,partner.test,xn--bcher-kva.example";
    static const struct {
        const char *address;
        gboolean wanted;
    } cases[] = {
        {"boss@acme.test", TRUE},
        {"Boss+news@ACME.test", TRUE},
        {"boss+a+b@acme.test", TRUE},
        {"anyone@partner.test", TRUE},
        {"x@PARTNER.TEST", TRUE},
        {"x@b\xc3\xbc"
         "cher.example",
         TRUE},
        {"x@partner.test.", TRUE}, /* as Postfix takes it */
        {"bos@acme.test", FALSE},
        {"bossy@acme.test", FALSE},
        {"x@acme.test", FALSE},
        {"x@sub.partner.test", FALSE},
        {"x@partner.tes", FALSE},
        {"partner.test", FALSE},
        {"", FALSE},
        {"@", FALSE},
        {"\"boss@acme.test,partner.test\"@other.test", FALSE},
        {NULL, FALSE},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (condition_list_match(list, cases[i].address) != cases[i].wanted)
            fail_msg("case %u: %s", i, cases[i].address);
    assert_false(condition_list_match(NULL, "boss@acme.test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_condition_list_read_good),
        cmocka_unit_test(test_condition_list_read_bad),
        cmocka_unit_test(test_condition_list_match_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
