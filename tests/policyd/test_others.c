/* SPDX-License-Identifier: MIT */
#include "policyd/others.h"
#include "tests/lib/testing.h"

#define MINUTE (60 * (gint64)G_USEC_PER_SEC)
#define NOW    (1000 * MINUTE)
#define LIMIT  7

static void take(Others *others, guint node, guint32 resets, guint32 count, gint64 now)
{
    const ChargeRequest share = {.verb = CHARGE_SHARE,
                                 .node = node,
                                 .limit = LIMIT,
                                 .period = LIMIT_MINUTE,
                                 .resets = resets,
                                 .slots = {.n = count > 0 ? 1 : 0, .counts = {count}}};

    assert_true(others_take(others, &share, now));
}

static guint64 sum(const Others *others, guint32 resets, gint64 now)
{
    Window window = {0};

    others_merge(others, LIMIT, resets, now, MINUTE, &window);
    return window_count(&window, now, MINUTE);
}

static void test_others_take_replaces(void **state)
{
    g_autoptr(Others) others = others_new();

    (void)state;
    assert_int_equal(sum(others, 0, NOW), 0);
    take(others, 3, 0, 5, NOW);
    take(others, 2, 0, 10, NOW);
    take(others, 2, 0, 10, NOW); /* again: no more */
    assert_int_equal(sum(others, 0, NOW), 15);
    take(others, 3, 0, 6, NOW + 1);
    assert_int_equal(sum(others, 0, NOW + 1), 16);
    take(others, 2, 0, 0, NOW + 2);
    assert_int_equal(sum(others, 0, NOW + 2), 6);
    assert_int_equal(sum(others, 0, NOW + 2 * MINUTE), 0); /* by itself */
}

static void test_others_reset(void **state)
{
    g_autoptr(Others) others = others_new();

    (void)state;
    assert_int_equal(others_resets(others, LIMIT), 0);
    take(others, 2, 0, 10, NOW);
    take(others, 3, 2, 5, NOW);
    take(others, 4, 1, 1, NOW);
    assert_int_equal(others_resets(others, LIMIT), 2);
    assert_int_equal(others_resets(others, LIMIT + 1), 0);
    assert_int_equal(sum(others, 1, NOW), 6);
    assert_int_equal(sum(others, 2, NOW), 5);
    assert_int_equal(sum(others, 3, NOW), 0);
}

static void test_others_shares(void **state)
{
    g_autoptr(Others) others = others_new();
    ChargeCount count = {.n = 1, .shares = {{1, 4}}};

    (void)state;
    for (guint node = 255; node > 1; node--)
        take(others, node, node == 5 ? 0 : 1, node == 6 ? 0 : node, NOW);
    others_shares(others, LIMIT, 1, NOW, MINUTE, &count);
    assert_int_equal(count.n, CHARGE_SHARES_MAX);
    const guint wanted[] = {1, 2, 3, 4, 7, 8};
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
        assert_int_equal(count.shares[i].node, wanted[i]);
    assert_int_equal(count.shares[0].count, 4);
    assert_int_equal(count.shares[4].count, 7);
}

static void test_others_expire(void **state)
{
    g_autoptr(Others) others = others_new();

    (void)state;
    take(others, 2, 0, 10, NOW);
    take(others, 3, 4, 0, NOW + MINUTE);
    others_expire(others, NOW + MINUTE);
    assert_int_equal(sum(others, 0, NOW + MINUTE), 10);
    others_expire(others, NOW + 3 * MINUTE);
    assert_int_equal(sum(others, 0, NOW + 3 * MINUTE), 0);
    assert_int_equal(others_resets(others, LIMIT), 4);
    others_expire(others, NOW + 4 * MINUTE);
    assert_int_equal(others_resets(others, LIMIT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_others_take_replaces),
        cmocka_unit_test(test_others_reset),
        cmocka_unit_test(test_others_shares),
        cmocka_unit_test(test_others_expire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
