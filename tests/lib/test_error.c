/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

static void test_error_class_table(void **state)
{
    static const struct {
        OutriderError code;
        ErrorClass class;
    } cases[] = {
        {OUTRIDER_ERROR_INVALID, ERROR_CLASS_PERMANENT},
        {OUTRIDER_ERROR_IO, ERROR_CLASS_TEMPORARY},
        {OUTRIDER_ERROR_UNKNOWN_RESULT, ERROR_CLASS_TEMPORARY},
        {OUTRIDER_ERROR_INTERNAL, ERROR_CLASS_BUG},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = g_error_new(OUTRIDER_ERROR, (int)cases[i].code, "x");
        assert_int_equal(error_class(error), cases[i].class);
    }
}

static void test_error_class_unknown_is_temporary(void **state)
{
    (void)state;
    g_autoptr(GError) foreign = g_error_new(g_quark_from_static_string("foreign"), 1, "x");
    g_autoptr(GError) out_of_range = g_error_new(OUTRIDER_ERROR, OUTRIDER_ERROR_COUNT, "x");

    assert_int_equal(error_class(foreign), ERROR_CLASS_TEMPORARY);
    assert_int_equal(error_class(out_of_range), ERROR_CLASS_TEMPORARY);
    assert_int_equal(error_class(NULL), ERROR_CLASS_TEMPORARY);
}

static void test_error_set_errno_maps_space(void **state)
{
    (void)state;
    GError *error = NULL;

    assert_false(error_set_errno(&error, ENOSPC, "write", "/x"));
    assert_string_equal(error->message, "write /x: No space left on device");
    assert_error_code(error, NO_SPACE);
    error_set_errno(&error, ENOENT, "open", "/x");
    assert_error_code(error, NOT_FOUND);
    error_set_errno(&error, EACCES, "open", "/x");
    assert_error_code(error, IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_class_table),
        cmocka_unit_test(test_error_class_unknown_is_temporary),
        cmocka_unit_test(test_error_set_errno_maps_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
