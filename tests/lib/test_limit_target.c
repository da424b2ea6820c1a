/* SPDX-License-Identifier: MIT */
/* What a limit is about and how much it lets pass, without a database. */
#include <string.h>

#include "lib/base/error.h"
#include "lib/directory/limit_target.h"
#include "tests/lib/testing.h"

#define BUECHER                                                                                    \
    "b\xc3\xbc"                                                                                    \
    "cher"
#define LABEL_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_limit_target_read_good(void **state)
{
    static const struct {
        const char *text;
        LimitSubject kind;
        const char *owner, *name, *wanted; /* wanted NULL: as it was given */
    } cases[] = {
        {"acme", LIMIT_ORGANIZATION, "acme", "", NULL},
        {"user", LIMIT_ORGANIZATION, "user", "", NULL},
        {"acme/main", LIMIT_SERVER, "acme/main", "", NULL},
        {"acme/main/app", LIMIT_CREDENTIAL, "acme/main", "app", NULL},
        {"acme/main/a/b: @c", LIMIT_CREDENTIAL, "acme/main", "a/b: @c", NULL},
        {"acme/main//", LIMIT_CREDENTIAL, "acme/main", "/", NULL},
        {"acme/main/" BUECHER, LIMIT_CREDENTIAL, "acme/main", BUECHER, NULL},
        {"@ok.test", LIMIT_DOMAIN, NULL, "ok.test", NULL},
        {"@Sub.OK.Test", LIMIT_DOMAIN, NULL, "sub.ok.test", "@sub.ok.test"},
        {"@" BUECHER ".example", LIMIT_DOMAIN, NULL, "xn--bcher-kva.example",
         "@xn--bcher-kva.example"},
        {"user:someone", LIMIT_USER, NULL, "someone", NULL},
        {"user:Some One@ok.test/x:y", LIMIT_USER, NULL, "Some One@ok.test/x:y", NULL},
        {"user:@ok.test", LIMIT_USER, NULL, "@ok.test", NULL},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(LimitTarget) subject = {.owner = g_strdup("old"), .name = g_strdup("old")};
        GError *error = NULL;
        assert_true(limit_target_read(cases[i].text, &subject, &error));
        assert_no_error(error);
        assert_int_equal(subject.kind, cases[i].kind);
        assert_int_equal(g_strcmp0(subject.owner, cases[i].owner), 0);
        assert_string_equal(subject.name, cases[i].name);
        g_autofree char *text = limit_target_text(&subject);
        assert_string_equal(text, cases[i].wanted ? cases[i].wanted : cases[i].text);
    }
}

/* The field that is named first in the message. */
static void test_limit_target_read_bad(void **state)
{
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"", "subject"},
        {":", "subject"},
        {":acme", "subject"},
        {"User:someone", "subject"},
        {"server:acme/main", "subject"},
        {"domain:ok.test", "subject"},
        {"someone@ok.test", "subject"},
        {"acme:main", "subject"},
        {" ", "organization"},
        {"Acme", "organization"},
        {"acme ", "organization"},
        {"admin", "organization"},
        {"ac_me", "organization"},
        {"ac\nme", "organization"},
        {"\xff", "organization"},
        {BUECHER, "organization"},
        {LABEL_64, "organization"},
        {"/", "organization"},
        {"/main", "organization"},
        {"//app", "organization"},
        {"ok.test", "organization"},
        {"acme/", "server"},
        {"acme/Main", "server"},
        {"acme/all", "server"},
        {"acme//app", "server"},
        {"acme/@ok.test", "server"},
        {"acme/" LABEL_64, "server"},
        {"acme/main/", "credential"},
        {"acme/main/\x1b[2J", "credential"},
        {"acme/main/a\xc2\x85", "credential"},
        {"acme/main/\xed\xa0\x80", "credential"},
        {"@", "domain"},
        {"@@ok.test", "domain"},
        {"@localhost", "domain"},
        {"@ok.test.", "domain"},
        {"@.ok.test", "domain"},
        {"@ok..test", "domain"},
        {"@*.test", "domain"},
        {"@ok.test ", "domain"},
        {"@ok\t.test", "domain"},
        {"@a_b.test", "domain"},
        {"@[192.0.2.1]", "domain"},
        {"@192.0.2.1", "domain"},
        {"@" LABEL_64 ".test", "domain"},
        {"@\xff.test", "domain"},
        {"@xn--a-\xc3\xbc.test", "domain"},
        {"user:", "user"},
        {"user: someone", "user"},
        {"user:someone ", "user"},
        {"user: ", "user"},
        {"user:some\none", "user"},
        {"user:\x7f", "user"},
        {"user:\xff", "user"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(LimitTarget) subject = {.kind = LIMIT_USER, .name = g_strdup("old")};
        GError *error = NULL;
        if (limit_target_read(cases[i].text, &subject, &error))
            fail_msg("case %zu was allowed: %s", i, cases[i].text);
        g_autofree char *start = g_strconcat(cases[i].field, ": \"", NULL);
        if (!g_str_has_prefix(error->message, start))
            fail_msg("case %zu: %s", i, error->message);
        assert_true(g_utf8_validate(error->message, -1, NULL));
        assert_null(strpbrk(error->message, "\n\r\t\x1b"));
        assert_error_code(error, INVALID);
        assert_string_equal(subject.name, "old");
    }
}

static void test_limit_target_read_too_long(void **state)
{
    static const char *const prefixes[] = {"",         "acme/", "acme/main/",    "@",
                                           "@x.test.", "user:", "acme/main/\xc3"};
    static const gsize lengths[] = {256, 4096, 100000};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(lengths); j++) {
            g_autofree char *endless = g_strnfill(lengths[j], 'x');
            g_autofree char *text = g_strconcat(prefixes[i], endless, NULL);
            g_auto(LimitTarget) subject = {0};
            GError *error = NULL;
            assert_false(limit_target_read(text, &subject, &error));
            assert_true(strlen(error->message) < 250);
            assert_error_code(error, INVALID);
        }
}

static void test_limit_target_read_longest(void **state)
{
    static const char *const prefixes[] = {"acme/main/", "user:"};
    g_autofree char *longest = g_strnfill(255, 'x');

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        g_autofree char *text = g_strconcat(prefixes[i], longest, NULL);
        g_auto(LimitTarget) subject = {0};
        GError *error = NULL;
        assert_true(limit_target_read(text, &subject, &error));
        assert_string_equal(subject.name, longest);
    }
}

static void test_limit_rate_read_good(void **state)
{
    static const struct {
        const char *text;
        guint32 max;
        LimitPeriod period;
    } cases[] = {
        {"1/second", 1, LIMIT_SECOND},
        {"100/minute", 100, LIMIT_MINUTE},
        {"0/hour", 0, LIMIT_HOUR},
        {"1000000000/day", 1000000000, LIMIT_DAY},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint32 max = 77;
        LimitPeriod period = LIMIT_PERIOD_COUNT;
        GError *error = NULL;
        assert_true(limit_rate_read(cases[i].text, &max, &period, &error));
        assert_no_error(error);
        assert_int_equal(max, cases[i].max);
        assert_int_equal(period, cases[i].period);
    }
}

static void test_limit_rate_read_bad(void **state)
{
    static const char *const texts[] = {"",
                                        "/",
                                        "100",
                                        "100/",
                                        "/minute",
                                        "minute/100",
                                        "100/Minute",
                                        "100/week",
                                        "100/minutes",
                                        "100 /minute",
                                        "100/ minute",
                                        " 100/minute",
                                        "-1/minute",
                                        "+1/minute",
                                        "1.5/minute",
                                        "1e3/minute",
                                        "0x10/minute",
                                        "100/minute/x",
                                        "100//day",
                                        "100/\n",
                                        "\xff/day",
                                        "1000000001/day",
                                        "4294967297/day",
                                        "18446744073709551617/day",
                                        "99999999999999999999999999999999999999/day"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        guint32 max = 77;
        LimitPeriod period = LIMIT_DAY;
        GError *error = NULL;
        if (limit_rate_read(texts[i], &max, &period, &error))
            fail_msg("was allowed: %s", texts[i]);
        assert_true(g_str_has_prefix(error->message, "rate: \""));
        assert_non_null(strstr(error->message, "0 (nothing) to 1000000000"));
        assert_null(strchr(error->message, '\n'));
        assert_error_code(error, INVALID);
        assert_int_equal(max, 77);
        assert_int_equal(period, LIMIT_DAY);
    }
}

static void test_limit_words_read(void **state)
{
    static const char *const bad[] = {"", "week", "Hour", "drop", "hold ", "\x1b"};
    LimitPeriod period = LIMIT_DAY;
    LimitAction action = LIMIT_DEFER;
    GError *error = NULL;

    (void)state;
    assert_true(limit_target_period_read("hour", &period, &error));
    assert_true(limit_target_action_read("hold", &action, &error));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_false(limit_target_period_read(bad[i], &period, &error));
        assert_true(g_str_has_prefix(error->message, "period: \""));
        assert_error_code(error, INVALID);
        assert_false(limit_target_action_read(bad[i], &action, &error));
        assert_true(g_str_has_prefix(error->message, "action: \""));
        assert_error_code(error, INVALID);
    }
    assert_int_equal(period, LIMIT_HOUR);
    assert_int_equal(action, LIMIT_HOLD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_target_read_good),
        cmocka_unit_test(test_limit_target_read_bad),
        cmocka_unit_test(test_limit_target_read_too_long),
        cmocka_unit_test(test_limit_target_read_longest),
        cmocka_unit_test(test_limit_rate_read_good),
        cmocka_unit_test(test_limit_rate_read_bad),
        cmocka_unit_test(test_limit_words_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
