/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

static void test_error_answer_by_class(void **state)
{
    (void)state;
    static const struct {
        OutriderError code;
        const char *name;
        const char *smtp;
        int exit_status;
    } cases[] = {
        {OUTRIDER_ERROR_INVALID, "INVALID", "550", 69},
        {OUTRIDER_ERROR_IO, "IO", "451", 75},
        {OUTRIDER_ERROR_UNKNOWN_RESULT, "UNKNOWN_RESULT", "451", 75},
        {OUTRIDER_ERROR_INTERNAL, "INTERNAL", "451", 75},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = g_error_new(OUTRIDER_ERROR, (int)cases[i].code, "x");
        assert_string_equal(error_name(error), cases[i].name);
        assert_string_equal(error_answer(error)->smtp_code, cases[i].smtp);
        assert_int_equal(error_answer(error)->exit_status, cases[i].exit_status);
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
    assert_string_equal(error_name(foreign), "UNKNOWN");
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
        cmocka_unit_test(test_error_answer_by_class),
        cmocka_unit_test(test_error_class_unknown_is_temporary),
        cmocka_unit_test(test_error_set_errno_maps_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
