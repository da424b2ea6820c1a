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

static void test_penalty_source_table(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:db8:1:2:3::4", "2001:db8:1:2::/64"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"", "unknown"},
        {"unix", "unknown"},
        {"192.0.2.1.5", "unknown"},
        {"[::1]", "unknown"},
        {"2001:db8::/64", "unknown"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *source = penalty_source(cases[i][0]);
        assert_string_equal(source, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_penalty_doubles_and_forgives),
        cmocka_unit_test(test_penalty_table_is_bounded),
        cmocka_unit_test(test_penalty_source_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
