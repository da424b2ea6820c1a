/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/wire/charge.h"
#include "tests/lib/testing.h"

static void test_charge_request_parse_takes(void **state)
{
    const struct {
        const char *line;
        ChargeRequest wanted;
    } cases[] = {
        {"charge 42 1 2 3 example.com\n",
         {.verb = CHARGE_CHARGE,
          .message = 42,
          .organization = 1,
          .server = 2,
          .credential = 3,
          .domain = (char[]){"example.com"}}},
        {"charge 9007199254740991 4294967295 0 0 -\n",
         {.verb = CHARGE_CHARGE, .message = 9007199254740991, .organization = 4294967295}},
        {"keep 42\n", {.verb = CHARGE_KEEP, .message = 42}},
        {"refund 42\n", {.verb = CHARGE_REFUND, .message = 42}},
        {"count 7\n", {.verb = CHARGE_COUNT, .limit = 7}},
        {"reset 7\n", {.verb = CHARGE_RESET, .limit = 7}},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(ChargeRequest) request = {0};
        g_autoptr(GString) out = g_string_new(NULL);
        gssize length = (gssize)strlen(cases[i].line);
        for (gssize part = 0; part < length; part++)
            assert_int_equal(charge_request_parse(cases[i].line, (gsize)part, &request, NULL), 0);
        g_autofree char *more = g_strconcat(cases[i].line, "keep 1\n", NULL);
        assert_int_equal(charge_request_parse(more, strlen(more), &request, NULL), length);
        assert_int_equal(request.verb, cases[i].wanted.verb);
        assert_int_equal(request.message, cases[i].wanted.message);
        assert_int_equal(request.organization, cases[i].wanted.organization);
        assert_int_equal(request.server, cases[i].wanted.server);
        assert_int_equal(request.credential, cases[i].wanted.credential);
        assert_int_equal(request.limit, cases[i].wanted.limit);
        assert_true(g_strcmp0(request.domain, cases[i].wanted.domain) == 0);
        charge_request_append(out, &request);
        assert_string_equal(out->str, cases[i].line);
    }
}

static void test_charge_request_parse_refuses(void **state)
{
    static const char *const cases[] = {
        "\n",
        " \n",
        "charge\n",
        "charge 42 1 2 3\n",
        "charge 42 1 2 3 a b\n",
        "charge 0 1 2 3 a\n",
        "charge 9007199254740992 1 2 3 a\n",
        "charge -1 1 2 3 a\n",
        "charge x 1 2 3 a\n",
        "charge 42 4294967296 2 3 a\n",
        "charge 42 1 -2 3 a\n",
        "charge 42 1 2 +3 a\n",
        "charge 42 1 2 3 A\n",
        "charge 42 1 2 3 \n",
        "charge 42 1 2 3 a\tb\n",
        "charge  42 1 2 3 a\n",
        "CHARGE 42 1 2 3 a\n",
        "keep\n",
        "keep 42 \n",
        "keep 42 43\n",
        "refund x\n",
        "count 0\n",
        "count\n",
        "count 4294967296\n",
        "reset 0\n",
        "reset 7 8\n",
        "drop 7\n",
    };
    g_autofree char *domain = g_strnfill(254, 'a');
    g_autofree char *long_domain = g_strdup_printf("charge 42 1 2 3 %s\n", domain);
    g_autofree char *long_line = g_strnfill(CHARGE_LINE_MAX, 'a');
    ChargeRequest request = {0};
    GError *error = NULL;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(charge_request_parse(cases[i], strlen(cases[i]), &request, &error), -1);
        assert_error_code(error, INVALID);
        g_clear_error(&error);
    }
    assert_int_equal(charge_request_parse(long_domain, strlen(long_domain), &request, &error), -1);
    assert_error_code(error, INVALID);
    g_clear_error(&error);
    assert_int_equal(charge_request_parse("keep 4\0"
                                          "2\n",
                                          9, &request, &error),
                     -1);
    assert_error_code(error, INVALID);
    g_clear_error(&error);
    assert_int_equal(charge_request_parse(long_line, CHARGE_LINE_MAX, &request, &error), -1);
    assert_error_code(error, TOO_LARGE);
    assert_null(request.domain);
}

static void test_charge_verdict_both_ways(void **state)
{
    static const char *const lines[] = {
        "ok\n",
        "full 17 hold server 100 minute 100 1500000\n",
        "full 1 reject domain 0 day 18446744073709551615 -1\n",
        "full 4294967295 defer user 4294967295 second 5 0\n",
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *line = g_strndup(lines[i], strlen(lines[i]) - 1);
        g_autoptr(GString) out = g_string_new(NULL);
        ChargeVerdict verdict;
        assert_true(charge_verdict_parse(line, &verdict, NULL));
        charge_verdict_append(out, &verdict);
        assert_string_equal(out->str, lines[i]);
    }
}

static void test_charge_verdict_parse_refuses(void **state)
{
    static const char *const cases[] = {
        "",
        "ok ",
        "full",
        "full 0 hold server 1 minute 1 1",
        "full 1 keep server 1 minute 1 1",
        "full 1 hold host 1 minute 1 1",
        "full 1 hold server -1 minute 1 1",
        "full 1 hold server 1 week 1 1",
        "full 1 hold server 1 minute x 1",
        "full 1 hold server 1 minute 1 -2",
        "full 1 hold server 1 minute 1",
        "full 1 hold server 1 minute 1 1 1",
        "count 1 1",
    };
    ChargeVerdict verdict = {.limit = 99};
    GError *error = NULL;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_false(charge_verdict_parse(cases[i], &verdict, &error));
        assert_error_code(error, CORRUPT);
        g_clear_error(&error);
    }
    assert_int_equal(verdict.limit, 99);
}

static void test_charge_count_both_ways(void **state)
{
    static const char *const bad[] = {"",          "ok",         "count 1",    "count x 1",
                                      "count 1 x", "count 1 -2", "count 1 1 1"};
    g_autoptr(GString) out = g_string_new(NULL);
    guint64 count = 99;
    gint64 wait = 99;
    GError *error = NULL;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(charge_count_parse(bad[i], &count, &wait, NULL));
    assert_false(charge_count_parse("none", &count, &wait, &error));
    assert_error_code(error, NOT_FOUND);
    assert_int_equal(count, 99);
    charge_count_append(out, 5, -1);
    assert_string_equal(out->str, "count 5 -1\n");
    assert_true(charge_count_parse("count 5 -1", &count, &wait, NULL));
    assert_int_equal(count, 5);
    assert_int_equal(wait, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_charge_request_parse_takes),
        cmocka_unit_test(test_charge_request_parse_refuses),
        cmocka_unit_test(test_charge_verdict_both_ways),
        cmocka_unit_test(test_charge_verdict_parse_refuses),
        cmocka_unit_test(test_charge_count_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
