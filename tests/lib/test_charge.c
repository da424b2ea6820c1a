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
        {"changes 0 0\n", {.verb = CHARGE_CHANGES}},
        {"changes 18446744073709551615 18446744073709551615\n",
         {.verb = CHARGE_CHANGES, .mark = {G_MAXUINT64, G_MAXUINT64}}},
        {"share 255 7 hour 3 1500000 4,0,4294967295\n",
         {.verb = CHARGE_SHARE,
          .node = 255,
          .limit = 7,
          .period = LIMIT_HOUR,
          .resets = 3,
          .slots = {.age_us = 1500000, .n = 3, .counts = {4, 0, G_MAXUINT32}}}},
        {"share 1 1 second 0 0 -\n",
         {.verb = CHARGE_SHARE, .node = 1, .limit = 1, .period = LIMIT_SECOND}},
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
        assert_true(request.mark.instance == cases[i].wanted.mark.instance);
        assert_true(request.mark.sequence == cases[i].wanted.mark.sequence);
        assert_int_equal(request.node, cases[i].wanted.node);
        assert_int_equal(request.period, cases[i].wanted.period);
        assert_int_equal(request.resets, cases[i].wanted.resets);
        assert_memory_equal(&request.slots, &cases[i].wanted.slots, sizeof request.slots);
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
        "changes\n",
        "changes 1\n",
        "changes -1 0\n",
        "changes 18446744073709551616 0\n",
        "changes 1 x\n",
        "changes 1 2 3\n",
        "share 0 7 hour 0 0 1\n",
        "share 256 7 hour 0 0 1\n",
        "share 2 0 hour 0 0 1\n",
        "share 2 7 week 0 0 1\n",
        "share 2 7 hour -1 0 1\n",
        "share 2 7 hour 4294967296 0 1\n",
        "share 2 7 hour 0 -1 1\n",
        "share 2 7 hour 0 2592000000001 1\n",
        "share 2 7 hour 0 0 \n",
        "share 2 7 hour 0 0 1,\n",
        "share 2 7 hour 0 0\n",
        "share 2 7 hour 0 0 1 1\n",
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

/* The longest line there can be fits. */
static void test_charge_share_of_long_numbers(void **state)
{
    ChargeRequest longest = {.verb = CHARGE_SHARE,
                             .node = 255,
                             .limit = G_MAXUINT32,
                             .period = LIMIT_SECOND,
                             .resets = G_MAXUINT32,
                             .slots = {.age_us = USAGE_AGE_MAX, .n = USAGE_SLOTS_MAX}};
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(ChargeRequest) again = {0};

    (void)state;
    for (guint i = 0; i < USAGE_SLOTS_MAX; i++)
        longest.slots.counts[i] = G_MAXUINT32;
    charge_request_append(out, &longest);
    assert_true(out->len <= CHARGE_LINE_MAX);
    assert_int_equal(charge_request_parse(out->str, out->len, &again, NULL), out->len);
    assert_memory_equal(&again.slots, &longest.slots, sizeof longest.slots);
}

static void test_charge_count_both_ways(void **state)
{
    static const char *const bad[] = {
        "",
        "ok",
        "count 1",
        "count x 1",
        "count 1 x",
        "count 1 -2",
        "count 1 1 1",
        "count 1 1 =",
        "count 1 1 0=1",
        "count 1 1 256=1",
        "count 1 1 1=x",
        "count 1 1 1=1=1",
        "count 1 1 1=1 ",
        "count 1 1  1=1",
    };
    static const char *const good[] = {"count 5 -1\n", "count 5 0 1=2 255=3\n",
                                       "count 18446744073709551615 9 1=18446744073709551615\n"};
    g_autoptr(GString) many = g_string_new("count 1 1");
    ChargeCount count = {.count = 99};
    GError *error = NULL;

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_false(charge_count_parse(bad[i], &count, &error));
        assert_error_code(error, CORRUPT);
        g_clear_error(&error);
    }
    for (guint i = 0; i <= CHARGE_SHARES_MAX; i++)
        g_string_append_printf(many, " %u=1", i + 1);
    assert_false(charge_count_parse(many->str, &count, NULL));
    assert_false(charge_count_parse("none", &count, &error));
    assert_error_code(error, NOT_FOUND);
    assert_int_equal(count.count, 99);
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *line = g_strndup(good[i], strlen(good[i]) - 1);
        g_autoptr(GString) out = g_string_new(NULL);
        assert_true(charge_count_parse(line, &count, NULL));
        charge_count_append(out, &count);
        assert_string_equal(out->str, good[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_charge_request_parse_takes),
        cmocka_unit_test(test_charge_request_parse_refuses),
        cmocka_unit_test(test_charge_verdict_both_ways),
        cmocka_unit_test(test_charge_verdict_parse_refuses),
        cmocka_unit_test(test_charge_share_of_long_numbers),
        cmocka_unit_test(test_charge_count_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
