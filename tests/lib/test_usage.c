/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/wire/usage.h"
#include "tests/lib/testing.h"

static void test_usage_slots_both_ways(void **state)
{
    static const struct {
        const char *text;
        UsageSlots slots;
    } cases[] = {
        {"-", {.age_us = 9}},
        {"1", {.age_us = 9, .n = 1, .counts = {1}}},
        {"0,0,5", {.age_us = 9, .n = 3, .counts = {0, 0, 5}}},
        {"4294967295,1", {.age_us = 9, .n = 2, .counts = {G_MAXUINT32, 1}}},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        UsageSlots slots = {.age_us = 9, .n = 2, .counts = {7, 7}};
        g_autoptr(GString) out = g_string_new(NULL);
        assert_true(usage_slots_parse(cases[i].text, &slots));
        assert_memory_equal(&slots, &cases[i].slots, sizeof slots);
        usage_slots_append(out, &slots);
        assert_string_equal(out->str, cases[i].text);
    }
}

static void test_usage_slots_parse_refuses(void **state)
{
    static const char *const cases[] = {
        "",     "0",
        "1,0",  ",",
        "1,",   ",1",
        "1,,1", "-1",
        "+1",   "1 ",
        " 1",   "--",
        "-,",   "1.5",
        "0x1",  "4294967296",
        "1,x",  "1\n",
        "\xff", "1;2",
        "1,-",  "1,99999999999999999999999999999999",
    };
    g_autoptr(GString) many = g_string_new("1");
    const UsageSlots before = {.age_us = 9, .n = 1, .counts = {7}};
    UsageSlots slots = before;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (usage_slots_parse(cases[i], &slots))
            fail_msg("taken: %s", cases[i]);
    for (guint i = 1; i < USAGE_SLOTS_MAX; i++)
        g_string_append(many, ",1");
    assert_memory_equal(&slots, &before, sizeof slots);
    assert_true(usage_slots_parse(many->str, &slots));
    assert_int_equal(slots.n, USAGE_SLOTS_MAX);
    g_string_append(many, ",1");
    assert_false(usage_slots_parse(many->str, &slots));
}

static void test_usage_answer_both_ways(void **state)
{
    static const struct {
        const char *line;
        UsageKind kind;
    } cases[] = {
        {"usage 7 1 1500000 5,0,3\n", USAGE_LINE},
        {"usage 4294967295 4294967295 2592000000000 -\n", USAGE_LINE},
        {"more 18446744073709551615 12\n", USAGE_MORE},
        {"end 1 18446744073709551615\n", USAGE_END},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line = g_strndup(cases[i].line, strlen(cases[i].line) - 1);
        g_autoptr(GString) out = g_string_new(NULL);
        UsageKind kind = USAGE_LINE;
        UsageMark mark = {0};
        Usage usage = {0};
        assert_true(usage_answer_parse(line, &kind, &usage, &mark, NULL));
        assert_int_equal(kind, cases[i].kind);
        if (kind == USAGE_LINE)
            usage_append(out, &usage);
        else
            usage_mark_append(out, &mark, kind == USAGE_MORE);
        assert_string_equal(out->str, cases[i].line);
    }
}

static void test_usage_answer_parse_refuses(void **state)
{
    static const char *const cases[] = {
        "",
        "usage",
        "usage 7 1 1 1 1",
        "usage 7 1 1",
        "usage 0 1 1 1",
        "usage 4294967296 1 1 1",
        "usage 7 -1 1 1",
        "usage 7 4294967296 1 1",
        "usage 7 1 -1 1",
        "usage 7 1 2592000000001 1",
        "usage 7 1 1 0",
        "usage 7 1 1 ",
        "Usage 7 1 1 1",
        "more 1",
        "more 0 1",
        "more x 1",
        "end",
        "end 1 x",
        "end 1 1 1",
        "end 18446744073709551616 1",
        "ok",
        "none",
    };
    UsageKind kind = USAGE_MORE;
    UsageMark mark = {5, 6};
    Usage usage = {.limit = 99};
    GError *error = NULL;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (usage_answer_parse(cases[i], &kind, &usage, &mark, &error))
            fail_msg("taken: %s", cases[i]);
        assert_error_code(error, CORRUPT);
        g_clear_error(&error);
    }
    assert_int_equal(kind, USAGE_MORE);
    assert_int_equal(usage.limit, 99);
    assert_true(mark.instance == 5 && mark.sequence == 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage_slots_both_ways),
        cmocka_unit_test(test_usage_slots_parse_refuses),
        cmocka_unit_test(test_usage_answer_both_ways),
        cmocka_unit_test(test_usage_answer_parse_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
