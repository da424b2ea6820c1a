/* SPDX-License-Identifier: MIT */
#include "lib/base/limit.h"
#include "tests/lib/testing.h"

/* Each word leads back to its number, whatever the number of words. */
static void test_limit_words(void **state)
{
    static const gint64 seconds[] = {1, 60, 3600, 86400};
    LimitSubject subject;
    LimitPeriod period;
    LimitAction action;

    (void)state;
    for (guint i = 0; i < LIMIT_SUBJECT_COUNT; i++) {
        assert_true(limit_subject_read(limit_subject_word(i), &subject));
        assert_int_equal(subject, i);
    }
    for (guint i = 0; i < LIMIT_PERIOD_COUNT; i++) {
        assert_true(limit_period_read(limit_period_word(i), &period));
        assert_int_equal(period, i);
        assert_int_equal(limit_period_us(i), seconds[i] * G_USEC_PER_SEC);
    }
    for (guint i = 0; i < LIMIT_ACTION_COUNT; i++) {
        assert_true(limit_action_read(limit_action_word(i), &action));
        assert_int_equal(action, i);
    }
}

static void test_limit_words_unknown(void **state)
{
    static const char *const words[] = {NULL,      "",      " hold", "hold ", "Hold",  "week",
                                        "minutes", "month", "drop",  "pool",  "users", "\xff\xfe"};
    LimitSubject subject = LIMIT_USER;
    LimitPeriod period = LIMIT_DAY;
    LimitAction action = LIMIT_REJECT;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        assert_false(limit_subject_read(words[i], &subject));
        assert_false(limit_period_read(words[i], &period));
        assert_false(limit_action_read(words[i], &action));
    }
    assert_int_equal(subject, LIMIT_USER);
    assert_int_equal(period, LIMIT_DAY);
    assert_int_equal(action, LIMIT_REJECT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_words),
        cmocka_unit_test(test_limit_words_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
