/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "policyd/decide.h"
#include "tests/lib/testing.h"

#define NOW 1000

static void test_decide_identity_table(void **state)
{
    (void)state;
    static const char *const bad[] = {"",       "a",      "a/b",   "a/b/",           "/b/7",
                                      "a//7",   "a/b/0",  "a/b/x", "a/b/7/8",        "a/b/-7",
                                      "a/b/ 7", "a/b/7 ", "a@b",   "a/b/4294967296", "//"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_int_equal(decide_identity(bad[i]), 0);
    assert_int_equal(decide_identity("acme/main/7"), 7);
}

static void test_decide_policy_table(void **state)
{
    (void)state;
    static const struct {
        EdgeCredential credential;
        const char *action, *text;
    } cases[] = {
        {{.id = 1}, "DUNNO", NULL},
        {{.id = 1, .hold = TRUE, .development = TRUE}, "DUNNO", NULL},
        {{.id = 1, .expires_at = NOW + 1}, "DUNNO", NULL},
        {{.id = 1, .expires_at = NOW}, "REJECT", "5.7.1 Credential is not valid any more"},
        {{.id = 1, .disabled = TRUE}, "REJECT", "5.7.1 Credential is not valid any more"},
        {{.id = 1, .server_suspended = TRUE}, "REJECT", "5.7.1 Mail server has been suspended"},
        {{.id = 1, .organization_suspended = TRUE},
         "REJECT",
         "5.7.1 Mail server has been suspended"},
    };
    const char *text = "x";
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_string_equal(decide_policy(&cases[i].credential, NULL, NOW, &text), cases[i].action);
        assert_true(g_strcmp0(text, cases[i].text) == 0);
    }
    g_autoptr(GError) gone = g_error_new(OUTRIDER_ERROR, OUTRIDER_ERROR_NOT_FOUND, "x");
    g_autoptr(GError) away = g_error_new(OUTRIDER_ERROR, OUTRIDER_ERROR_UNAVAILABLE, "x");
    assert_string_equal(decide_policy(NULL, gone, NOW, &text), "REJECT");
    assert_string_equal(decide_policy(NULL, away, NOW, &text), "DEFER_IF_PERMIT");
}

static void test_decide_admission_table(void **state)
{
    static const char *const cases[][2] = {{"DUNNO", "OK"},
                                           {"DEFER_IF_PERMIT", "DEFER"},
                                           {"DEFER", "DEFER"},
                                           {"REJECT", "REJECT"},
                                           {"530", "530"}};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_string_equal(decide_admission(cases[i][0]), cases[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_identity_table),
        cmocka_unit_test(test_decide_policy_table),
        cmocka_unit_test(test_decide_admission_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
