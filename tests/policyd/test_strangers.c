/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "policyd/strangers.h"
#include "tests/lib/testing.h"

#define SECOND      G_GINT64_CONSTANT(1000000)
#define BEGIN       (1000 * SECOND)
#define STRING(t)   ((char *)(guintptr)(t))
#define CONFIG      "return_path_domain = rp.test\nmessage_size_max = 10K\nincoming_rate = 3\n"
#define TOO_LARGE   "552 5.3.4 A message here has at most 10240 octets"
#define TOO_MANY(s) "450 4.7.1 More than 3 recipients a minute from " s ", try again later"

static Strangers *open_with(const char *more)
{
    g_autofree char *text = g_strconcat(CONFIG, more, NULL);
    g_autoptr(Config) config = config_parse("t", text, -1, NULL);

    assert_non_null(config);
    return strangers_new(config);
}

/* The whole answer; NULL: none. g_free. */
static char *ask(Strangers *strangers, const char *client, const char *size, gint64 at,
                 gboolean *first)
{
    const PolicyRequest request = {.client_address = STRING(client), .size = STRING(size)};
    g_autofree char *text = NULL;
    const char *action = strangers_judge(strangers, &request, at, &text, first);

    return action ? g_strconcat(action, " ", text, NULL) : NULL;
}

static void expect(Strangers *strangers, const char *client, const char *size, gint64 at,
                   const char *wanted)
{
    gboolean first;
    g_autofree char *answer = ask(strangers, client, size, at, &first);

    if (g_strcmp0(answer, wanted) != 0)
        fail_msg("%s %s: %s, not %s", client, size, answer, wanted);
}

static void test_strangers_judge_size_table(void **state)
{
    static const struct {
        const char *size, *wanted;
    } cases[] = {{"", NULL},
                 {"0", NULL},
                 {"10240", NULL},
                 {"10241", TOO_LARGE},
                 {"18446744073709551615", TOO_LARGE},
                 {"18446744073709551616", NULL}, /* none of Postfix's */
                 {"-1", NULL},
                 {"10241x", NULL}};
    Strangers *strangers = open_with("");

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *client = g_strdup_printf("192.0.2.%u", i);
        expect(strangers, client, cases[i].size, BEGIN, cases[i].wanted);
    }
    strangers_free(strangers);
}

static void test_strangers_judge_counts_a_source(void **state)
{
    Strangers *strangers = open_with("");

    (void)state;
    for (guint i = 0; i < 3; i++)
        expect(strangers, "192.0.2.1", "0", BEGIN + i * SECOND, NULL);
    expect(strangers, "192.0.2.1", "0", BEGIN + 3 * SECOND, TOO_MANY("192.0.2.1"));
    expect(strangers, "::ffff:192.0.2.1", "0", BEGIN + 3 * SECOND, TOO_MANY("192.0.2.1"));
    expect(strangers, "192.0.2.2", "0", BEGIN + 3 * SECOND, NULL);
    /* What was refused is not counted; the eldest leaves after a minute, to the second. */
    expect(strangers, "192.0.2.1", "0", BEGIN + 59 * SECOND, TOO_MANY("192.0.2.1"));
    expect(strangers, "192.0.2.1", "0", BEGIN + 61 * SECOND, NULL);
    expect(strangers, "192.0.2.1", "0", BEGIN + 61 * SECOND, TOO_MANY("192.0.2.1"));
    strangers_free(strangers);
}

static void test_strangers_judge_counts_a_v6_network(void **state)
{
    Strangers *strangers = open_with("");

    (void)state;
    expect(strangers, "2001:db8:1:2::1", "0", BEGIN, NULL);
    expect(strangers, "2001:db8:1:2::2", "0", BEGIN, NULL);
    expect(strangers, "2001:db8:1:2:ffff::3", "0", BEGIN, NULL);
    expect(strangers, "2001:db8:1:2::4", "0", BEGIN, TOO_MANY("2001:db8:1:2::/64"));
    expect(strangers, "2001:db8:1:3::4", "0", BEGIN, NULL);
    strangers_free(strangers);
}

static void test_strangers_judge_counts_not(void **state)
{
    static const struct {
        const char *more, *client;
    } cases[] = {{"", "unknown"},
                 {"", ""},
                 {"", "mx.test"},
                 {"", "127.0.0.1"},
                 {"", "::1"},
                 {"incoming_rate_except = 192.0.2.0/24, 2001:db8::/32\n", "192.0.2.9"},
                 {"incoming_rate_except = 192.0.2.0/24, 2001:db8::/32\n", "::ffff:192.0.2.9"},
                 {"incoming_rate_except = 192.0.2.0/24, 2001:db8::/32\n", "2001:db8::9"}};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Strangers *strangers = open_with(cases[i].more);
        for (guint n = 0; n < 10; n++)
            expect(strangers, cases[i].client, "0", BEGIN, NULL);
        expect(strangers, cases[i].client, "10241", BEGIN, TOO_LARGE);
        strangers_free(strangers);
    }
}

static void test_strangers_judge_without_rate(void **state)
{
    g_autoptr(Config) config =
        config_parse("t", "return_path_domain = rp.test\nincoming_rate = 0\n", -1, NULL);
    Strangers *strangers = strangers_new(config);

    (void)state;
    for (guint n = 0; n < 2000; n++)
        expect(strangers, "192.0.2.9", "0", BEGIN, NULL);
    strangers_free(strangers);
}

static void test_strangers_judge_tells_first_refusal(void **state)
{
    static const struct {
        gint64 at;
        gboolean first;
    } cases[] = {{0, TRUE}, {0, FALSE}, {30, FALSE}, {59, FALSE}};
    Strangers *strangers = open_with("");
    gboolean first;

    (void)state;
    for (guint i = 0; i < 3; i++)
        expect(strangers, "192.0.2.1", "0", BEGIN, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_free(ask(strangers, "192.0.2.1", "0", BEGIN + cases[i].at * SECOND, &first));
        assert_int_equal(first, cases[i].first);
    }
    strangers_free(strangers);
}

static void test_strangers_are_bounded(void **state)
{
    Strangers *strangers = open_with("");

    (void)state;
    for (guint n = 0; n < 4; n++)
        expect(strangers, "192.0.2.1", "0", BEGIN, n < 3 ? NULL : TOO_MANY("192.0.2.1"));
    for (guint i = 0; i < STRANGERS_MAX; i++) {
        g_autofree char *client = g_strdup_printf("10.%u.%u.1", i / 256, i % 256);
        expect(strangers, client, "0", BEGIN, NULL);
    }
    expect(strangers, "192.0.2.1", "0", BEGIN, NULL); /* forgotten */
    strangers_free(strangers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strangers_judge_size_table),
        cmocka_unit_test(test_strangers_judge_counts_a_source),
        cmocka_unit_test(test_strangers_judge_counts_a_v6_network),
        cmocka_unit_test(test_strangers_judge_counts_not),
        cmocka_unit_test(test_strangers_judge_without_rate),
        cmocka_unit_test(test_strangers_judge_tells_first_refusal),
        cmocka_unit_test(test_strangers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
