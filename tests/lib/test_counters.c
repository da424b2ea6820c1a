/* SPDX-License-Identifier: MIT */
#include "lib/service/counters.h"

#include <glib/gstdio.h>
#include <stdatomic.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

static void test_counters(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("outrider-counters-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "counters", NULL);
    guint64 values[3] = {9, 9, 9};
    GError *error = NULL;

    (void)state;
    assert_false(counters_read(path, values, 3, &error));
    assert_error_code(error, NOT_FOUND);
    Counter *first = counters_make(path, 3, &error);
    assert_no_error(error);
    atomic_fetch_add(&first[1], 5);
    assert_true(counters_read(path, values, 3, NULL));
    assert_int_equal(values[0], 0);
    assert_int_equal(values[1], 5);
    /* Another program, or version, begins anew; who counts still harms nobody. */
    Counter *second = counters_make(path, 2, NULL);
    atomic_fetch_add(&first[1], 5);
    assert_true(counters_read(path, values, 2, NULL));
    assert_int_equal(values[1], 0);
    assert_false(counters_read(path, values, 3, &error));
    assert_error_code(error, CORRUPT);
    assert_false(counters_read(path, values, 1, &error));
    assert_error_code(error, CORRUPT);
    counters_unmap(first, 3);
    counters_unmap(second, 2);
    counters_unmap(NULL, 2);
    g_unlink(path);
    g_rmdir(dir);
    assert_null(counters_make(path, 2, &error));
    assert_error_code(error, NOT_FOUND);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_counters)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
