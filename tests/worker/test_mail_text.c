/* SPDX-License-Identifier: MIT */
#include "worker/mail_text.h"

#include <string.h>

#include "tests/lib/testing.h"

static MailText of(const char *text)
{
    return mail_text_of(text, strlen(text));
}

static void test_mail_text_find_table(void **state)
{
    static const struct {
        const char *text, *what;
        gssize first, last;
    } cases[] = {
        {"a, b, c", ", ", 1, 4}, {"abc", "abc", 0, 0}, {"abc", "abcd", -1, -1},
        {"", "a", -1, -1},       {"aaa", "aa", 0, 1},  {"abc", "d", -1, -1},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(mail_text_find(of(cases[i].text), cases[i].what), cases[i].first);
        assert_int_equal(mail_text_find_last(of(cases[i].text), cases[i].what), cases[i].last);
    }
}

/* What is behind the text is none of it. */
static void test_mail_text_stays_inside(void **state)
{
    const MailText text = mail_text_of("removed from hold", strlen("removed"));

    (void)state;
    assert_true(mail_text_is(text, "removed"));
    assert_true(mail_text_ends(text, "oved"));
    assert_false(mail_text_starts(text, "removed from"));
    assert_false(mail_text_is(text, "remove"));
    assert_int_equal(mail_text_find(text, "hold"), -1);
    assert_int_equal(mail_text_number(mail_text_of("1234", 2), NULL), 12);
    assert_true(mail_text_is(mail_text_skip(text, 7), ""));
}

static void test_mail_text_numbers(void **state)
{
    static const struct {
        const char *text;
        guint number;
        gsize used;
        guint64 milliseconds;
    } cases[] = {
        {"12.034", 12, 2, 12034},
        {"0.5", 0, 1, 500},
        {"7", 7, 1, 7000},
        {"7.", 7, 1, 7000},
        {".25", 0, 0, 250},
        {"x", 0, 0, 0},
        {"", 0, 0, 0},
        {"-1", 0, 0, 0},
        {"1.00049", 1, 1, 1000},
        {"1234567890", 123456789, 9, 123456789000},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize used = 99;
        assert_int_equal(mail_text_number(of(cases[i].text), &used), cases[i].number);
        assert_int_equal(used, cases[i].used);
        assert_int_equal(mail_text_milliseconds(of(cases[i].text)), cases[i].milliseconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mail_text_find_table),
        cmocka_unit_test(test_mail_text_stays_inside),
        cmocka_unit_test(test_mail_text_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
