/* SPDX-License-Identifier: MIT */
#include "lib/base/source.h"

#include <errno.h>
#include <string.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

static const char octets[] = "abcdef";

/* What a read does next: gives so many octets, or fails. */
typedef struct {
    gssize gives[8];
    int errors[8];
    guint calls;
} Script;

static gssize read_script(gconstpointer context, gsize at, void *to, gsize room)
{
    Script *script = *(Script *const *)context;
    gssize n = MIN(script->gives[script->calls], (gssize)room);

    errno = script->errors[script->calls++];
    if (n > 0)
        memcpy(to, octets + at, (gsize)n);
    return n;
}

static void test_source_read_ranges(void **state)
{
    (void)state;
    static const struct {
        gsize at, room;
        const char *got;
    } cases[] = {
        {0, 6, "abcdef"}, {0, 100, "abcdef"}, {2, 2, "cd"}, {5, 9, "f"},
        {6, 1, ""},       {7, 1, ""},         {0, 0, ""},   {G_MAXSIZE, G_MAXSIZE, ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Source source = source_of(octets, 6);
        char got[8] = "";
        gsize n = source_read(&source, cases[i].at, got, cases[i].room);
        assert_int_equal(n, strlen(cases[i].got));
        assert_string_equal(got, cases[i].got);
        assert_true(source_is_whole(&source, "it", NULL));
    }
}

static void test_source_read_scripts(void **state)
{
    (void)state;
    static const struct {
        Script script;
        gsize n;
        int failed, code;
    } cases[] = {
        {{.gives = {6}}, 6, 0, 0},
        {{.gives = {1, 2, 1, 2}}, 6, 0, 0},
        {{.gives = {3, -1, 3}, .errors = {0, EINTR}}, 6, 0, 0},
        {{.gives = {-1}, .errors = {EIO}}, 0, EIO, OUTRIDER_ERROR_IO},
        {{.gives = {2, -1}, .errors = {0, EBADF}}, 2, EBADF, OUTRIDER_ERROR_IO},
        {{.gives = {2, -1}, .errors = {0, ENOSPC}}, 2, ENOSPC, OUTRIDER_ERROR_NO_SPACE},
        /* A file that has become shorter meanwhile has not ended. */
        {{.gives = {4, 0}}, 4, EIO, OUTRIDER_ERROR_IO},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Script script = cases[i].script, *context = &script;
        Source source = {.read = read_script, .context = &context, .length = 6};
        g_autoptr(GError) error = NULL;
        char got[8] = "";
        assert_int_equal(source_read(&source, 0, got, 8), cases[i].n);
        assert_memory_equal(got, octets, cases[i].n);
        assert_int_equal(source.failed, cases[i].failed);
        assert_int_equal(source_is_whole(&source, "it", &error), cases[i].code == 0);
        if (cases[i].code) {
            assert_int_equal(error->code, cases[i].code);
            assert_non_null(strstr(error->message, "it"));
            assert_int_equal(source_read(&source, 0, got, 8), 0); /* it stays */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source_read_ranges),
        cmocka_unit_test(test_source_read_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
