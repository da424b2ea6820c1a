/* SPDX-License-Identifier: MIT */
#include "tests/lib/testing.h"
#include "worker/limit_memo.h"

#define NOW (1000 * (guint64)G_TIME_SPAN_DAY)

static void test_limit_memo_reads_from_before_the_last_look(void **state)
{
    g_autoptr(LimitMemo) memo = limit_memo_new();

    (void)state;
    assert_int_equal(limit_memo_begin(memo, NOW), 0);
    limit_memo_end(memo);
    assert_int_equal(limit_memo_begin(memo, NOW + 5), NOW - LIMIT_MEMO_LATE_US);
    /* That look was not ended. */
    assert_int_equal(limit_memo_begin(memo, NOW + 9), NOW - LIMIT_MEMO_LATE_US);
    limit_memo_end(memo);
    assert_int_equal(limit_memo_begin(memo, NOW + 9), NOW + 9 - LIMIT_MEMO_LATE_US);
    limit_memo_end(memo);
    /* A clock that went back, and one near its beginning. */
    assert_int_equal(limit_memo_begin(memo, NOW + 8), 0);
    limit_memo_end(memo);
    assert_int_equal(limit_memo_begin(memo, 7), 0);
    limit_memo_end(memo);
    assert_int_equal(limit_memo_begin(memo, 8), 0);
    limit_memo_clear(memo);
    assert_int_equal(limit_memo_begin(memo, NOW), 0);
}

static void test_limit_memo_is_news_once(void **state)
{
    g_autoptr(LimitMemo) memo = limit_memo_new();

    (void)state;
    limit_memo_begin(memo, NOW);
    assert_true(limit_memo_is_news(memo, 2, 7, 100));
    limit_memo_end(memo);
    limit_memo_begin(memo, NOW + 1);
    assert_false(limit_memo_is_news(memo, 2, 7, 100));
    assert_true(limit_memo_is_news(memo, 3, 7, 100));
    assert_true(limit_memo_is_news(memo, 2, 8, 100));
    limit_memo_end(memo);
    limit_memo_begin(memo, NOW + 2);
    assert_true(limit_memo_is_news(memo, 2, 7, 101));
    assert_false(limit_memo_is_news(memo, 3, 7, 100));
    limit_memo_end(memo);
    limit_memo_begin(memo, NOW + 3);
    assert_false(limit_memo_is_news(memo, 2, 7, 101));
    limit_memo_clear(memo);
    limit_memo_begin(memo, NOW + 4);
    assert_true(limit_memo_is_news(memo, 2, 7, 101));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_memo_reads_from_before_the_last_look),
        cmocka_unit_test(test_limit_memo_is_news_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
