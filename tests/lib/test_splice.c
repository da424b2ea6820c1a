/* SPDX-License-Identifier: MIT */
#include "lib/base/splice.h"
#include "tests/lib/testing.h"

static void add(GArray *list, gsize from, gsize to, const char *text)
{
    splice_add(list, from, to, g_string_new(text));
}

static void test_splice_join(void **state)
{
    (void)state;
    g_autoptr(GArray) list = splice_list_new();
    g_autoptr(GString) out = g_string_new("=");

    splice_join(list, "abcdef", 1, 6, out);
    assert_string_equal(out->str, "=bcdef");
    add(list, 5, 6, "Z");
    add(list, 1, 3, "");
    add(list, 3, 3, "--");
    assert_true(splice_sort(list));
    splice_join(list, "abcdef", 0, 6, g_string_truncate(out, 0));
    assert_string_equal(out->str, "a--deZ");
}

static void test_splice_sort_overlap(void **state)
{
    (void)state;
    g_autoptr(GArray) list = splice_list_new();

    assert_true(splice_sort(list));
    add(list, 4, 6, "a");
    add(list, 0, 4, "b");
    assert_true(splice_sort(list));
    add(list, 3, 3, "c");
    assert_false(splice_sort(list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splice_join),
        cmocka_unit_test(test_splice_sort_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
