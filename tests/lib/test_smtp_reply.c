/* SPDX-License-Identifier: MIT */
#include "lib/wire/smtp_reply.h"

#include <string.h>

#include "lib/base/error.h"
#include "tests/lib/testing.h"

static void test_smtp_reply_read_good(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        gssize used;
        guint code;
        const char *text, *queue_id;
    } cases[] = {
        {"250 2.0.0 Ok: queued as 4dKf2x0Wqzz1bC\r\nmore", 40, 250,
         "2.0.0 Ok: queued as 4dKf2x0Wqzz1bC", "4dKf2x0Wqzz1bC"},
        {"250-a\r\n250-PIPELINING\r\n250 b\r\n", 30, 250, "b", NULL},
        {"354\n", 4, 354, "", NULL},
        {"451 4.3.0 x", 0, 0, NULL, NULL},
        {"", 0, 0, NULL, NULL},
        {"250-a\r\n", 0, 0, NULL, NULL},
        {"250 queued as \r\n", 16, 250, "queued as ", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SmtpReply) reply = {0};
        GError *error = NULL;
        gssize used = smtp_reply_read(cases[i].data, strlen(cases[i].data), &reply, &error);
        g_autofree char *id = smtp_reply_queue_id(&reply);
        assert_no_error(error);
        if (used != cases[i].used || reply.code != cases[i].code ||
            g_strcmp0(reply.text, cases[i].text) != 0 || g_strcmp0(id, cases[i].queue_id) != 0)
            fail_msg("case %u: %zd %u %s", i, used, reply.code, reply.text);
    }
}

static void test_smtp_reply_read_bad(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "\r\n",     "hello\r\n", "25 x\r\n",           "1000 x\r\n",     "150 x\r\n", "650 x\r\n",
        "250x\r\n", "250_a\r\n", "250-a\r\n251 b\r\n", "250-a\r\nb\r\n", "-50 x\r\n",
    };
    GError *error = NULL;
    SmtpReply reply = {0};
    g_autofree char *endless = g_strnfill(SMTP_REPLY_MAX + 1, '2');
    g_autoptr(GString) lines = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (smtp_reply_read(cases[i], strlen(cases[i]), &reply, &error) != -1)
            fail_msg("case %u was taken", i);
        assert_error_code(error, INVALID);
    }
    assert_int_equal(smtp_reply_read("250 a\0b\r\n", 9, &reply, &error), -1);
    assert_error_code(error, INVALID);
    assert_int_equal(smtp_reply_read(endless, strlen(endless), &reply, &error), -1);
    assert_error_code(error, INVALID);
    while (lines->len <= SMTP_REPLY_MAX)
        g_string_append(lines, "250-x\r\n");
    assert_int_equal(smtp_reply_read(lines->str, lines->len, &reply, &error), -1);
    assert_error_code(error, INVALID);
}

/* What stands at its ends stays. */
static void test_smtp_reply_fit_cases(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        gsize max;
        const char *fit;
    } cases[] = {
        {"", 16, ""},
        {"0123456789abcdef", 16, "0123456789abcdef"},
        {"0123456789abcdefg", 16, "012345...abcdefg"},
        {"0123456789abcdefgh", 17, "0123456...bcdefgh"},
        {"0123456789abcdefg", 0, "012345...abcdefg"},
        {"short", 0, "short"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *fit = smtp_reply_fit(cases[i].text, cases[i].max);
        assert_string_equal(fit, cases[i].fit);
    }
    for (gsize length = 490; length < 530; length++) {
        g_autofree char *text = g_strnfill(length, 'x');
        g_autofree char *fit = smtp_reply_fit(text, 500);
        assert_int_equal(strlen(fit), MIN(length, 500));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smtp_reply_read_good),
        cmocka_unit_test(test_smtp_reply_read_bad),
        cmocka_unit_test(test_smtp_reply_fit_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
