/* SPDX-License-Identifier: MIT */
#include "lib/base/recent.h"
#include "tests/lib/testing.h"

static void put(Recent *recent, const char *key, int value)
{
    *(int *)recent_touch(recent, key) = value;
}

static int get(const Recent *recent, const char *key)
{
    const int *value = recent_find(recent, key);

    return value ? *value : -1;
}

static void test_recent_touch_makes_room(void **state)
{
    (void)state;
    Recent *recent = recent_new(3, sizeof(int));

    assert_int_equal(*(int *)recent_touch(recent, "a"), 0);
    put(recent, "a", 1);
    put(recent, "b", 2);
    put(recent, "c", 3);
    assert_int_equal(*(int *)recent_touch(recent, "a"), 1); /* b is the eldest now */
    put(recent, "d", 4);
    assert_int_equal(recent_count(recent), 3);
    assert_int_equal(get(recent, "a"), 1);
    assert_int_equal(get(recent, "b"), -1);
    assert_int_equal(get(recent, "c"), 3);
    assert_int_equal(get(recent, "d"), 4);
    assert_int_equal(*(int *)recent_touch(recent, "b"), 0); /* begins anew */
    assert_int_equal(get(recent, "c"), -1);
    recent_free(recent);
}

static void test_recent_find_touches_nothing(void **state)
{
    (void)state;
    Recent *recent = recent_new(2, sizeof(int));

    put(recent, "a", 1);
    put(recent, "b", 2);
    assert_int_equal(get(recent, "a"), 1);
    put(recent, "c", 3);
    assert_int_equal(get(recent, "a"), -1);
    recent_free(recent);
}

static void test_recent_drop_eldest(void **state)
{
    (void)state;
    Recent *recent = recent_new(9, sizeof(int));

    assert_null(recent_eldest(recent));
    recent_drop_eldest(recent);
    put(recent, "a", 1);
    put(recent, "b", 2);
    put(recent, "a", 3);
    assert_int_equal(*(int *)recent_eldest(recent), 2);
    recent_drop_eldest(recent);
    assert_int_equal(*(int *)recent_eldest(recent), 3);
    recent_drop_eldest(recent);
    assert_int_equal(recent_count(recent), 0);
    assert_null(recent_eldest(recent));
    recent_free(recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recent_touch_makes_room),
        cmocka_unit_test(test_recent_find_touches_nothing),
        cmocka_unit_test(test_recent_drop_eldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
