/* SPDX-License-Identifier: MIT */
#include "lib/base/penalty.h"
#include "tests/lib/testing.h"

static void test_penalty_doubles_and_forgives(void **state)
{
    (void)state;
    Penalty *penalty = penalty_new(1000, 5000, 60000);

    assert_int_equal(penalty_fail(penalty, "a", 0), 1000);
    assert_int_equal(penalty_fail(penalty, "a", 0), 2000);
    assert_int_equal(penalty_fail(penalty, "a", 0), 4000);
    assert_int_equal(penalty_fail(penalty, "a", 0), 5000);
    assert_int_equal(penalty_fail(penalty, "b", 30000), 1000);
    assert_int_equal(penalty_fail(penalty, "a", 60000), 1000);
    assert_int_equal(penalty_count(penalty), 2);
    penalty_free(penalty);
}

static void test_penalty_table_is_bounded(void **state)
{
    (void)state;
    Penalty *penalty = penalty_new(1000, 5000, 60000);

    for (guint i = 0; i < PENALTY_SOURCES_MAX + 1000; i++) {
        g_autofree char *source = g_strdup_printf("%u", i);
        penalty_fail(penalty, source, i / 1000);
    }
    assert_int_equal(penalty_count(penalty), PENALTY_SOURCES_MAX);
    assert_int_equal(penalty_fail(penalty, "0", 70), 1000); /* forgotten */
    assert_int_equal(penalty_fail(penalty, "66000", 70), 2000);
    penalty_free(penalty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_penalty_doubles_and_forgives),
        cmocka_unit_test(test_penalty_table_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
