/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what every unit test includes: cmocka with its prerequisites, in the order it wants.
 * Used by: tests only.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

/* Fails the test with the error's text when error is set. */
#define assert_no_error(error)                                                                     \
    do {                                                                                           \
        if (error)                                                                                 \
            fail_msg("unexpected error: %s", (error)->message);                                    \
    } while (0)

/* Asserts that error has the given code of our domain, and clears it. */
#define assert_error_code(error, wanted)                                                           \
    do {                                                                                           \
        assert_non_null(error);                                                                    \
        assert_int_equal((error)->domain, OUTRIDER_ERROR);                                         \
        assert_int_equal((error)->code, OUTRIDER_ERROR_##wanted);                                  \
        g_clear_error(&(error));                                                                   \
    } while (0)
