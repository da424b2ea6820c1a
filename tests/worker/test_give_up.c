/* SPDX-License-Identifier: MIT */
#include "worker/give_up.h"

#include "tests/lib/testing.h"

#define ATTEMPTS_MAX 4
#define SAID         "host mx.x.test[192.0.2.1] said: "
#define RCPT         " (in reply to RCPT TO command)"
#define UNKNOWN      SAID "450 4.1.1 <r@x.test>: User unknown" RCPT
#define FULL         SAID "452 4.2.2 Mailbox full" RCPT
#define GREY         SAID "450 4.7.1 Greylisted, try later" RCPT
#define BLOCKED      SAID "450 4.7.1 Your IP address is listed at a blocklist" RCPT
#define TIMEOUT      "connect to mx.x.test[192.0.2.1]:25: Connection timed out"

static void test_give_up_take(void **state)
{
    static const struct {
        const char *attempts[ATTEMPTS_MAX]; /* the latest first; they are at 1000, 990, ... */
        gint64 last, since;
    } cases[] = {
        {{UNKNOWN}, 1000, 1000},
        {{UNKNOWN, UNKNOWN, UNKNOWN}, 1000, 980},
        {{UNKNOWN, UNKNOWN, GREY}, 1000, 990},
        {{UNKNOWN, TIMEOUT, UNKNOWN}, 1000, 1000},
        {{NULL}, 0, 0},
        {{FULL}, 0, 0},
        {{GREY}, 0, 0},
        {{BLOCKED}, 0, 0},
        {{TIMEOUT}, 0, 0},
        {{""}, 0, 0},
        {{FULL, UNKNOWN, UNKNOWN}, 0, 0},
        {{TIMEOUT, UNKNOWN}, 0, 0},
        {{BLOCKED, UNKNOWN}, 0, 0},
        {{SAID "421 4.1.1 User unknown" RCPT, UNKNOWN}, 0, 0},
        {{SAID "450 4.1.8 Sender address rejected: Domain not found" RCPT}, 0, 0},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GiveUp) give_up = {0};
        for (guint k = 0; k < ATTEMPTS_MAX && cases[i].attempts[k]; k++) {
            const GiveUpAttempt attempt = {
                .at_us = 1000 - 10 * k, .recipient = "R@X.test", .text = cases[i].attempts[k]};
            give_up_take(&give_up, &attempt);
        }
        if (give_up.last_us != cases[i].last || give_up.since_us != cases[i].since)
            fail_msg("case %u: last %d since %d", i, (int)give_up.last_us, (int)give_up.since_us);
        assert_int_equal(give_up.text != NULL, cases[i].last > 0);
        if (cases[i].last > 0)
            assert_string_equal(give_up.address, "r@x.test");
    }
}

/* Without a recipient that could be suppressed, and without words, nothing follows. */
static void test_give_up_take_nothing_to_suppress(void **state)
{
    static const GiveUpAttempt cases[] = {
        {1, NULL, UNKNOWN, NULL, NULL},     {1, "", UNKNOWN, NULL, NULL},
        {1, "root", UNKNOWN, NULL, NULL},   {1, "@x.test", UNKNOWN, NULL, NULL},
        {1, "r@x.test", NULL, NULL, NULL},  {1, "r@x.test", "", "4.4.1", "none"},
        {1, "r@x.test", "deferred", "", ""}};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GiveUp) give_up = {0};
        give_up_take(&give_up, &cases[i]);
        assert_true(give_up.over);
        assert_int_equal(give_up.last_us, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_give_up_take),
        cmocka_unit_test(test_give_up_take_nothing_to_suppress),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
