/* SPDX-License-Identifier: MIT */
#include "milters/lane_rule.h"

#include "tests/lib/testing.h"

static char acme[] = "acme.test";
static char boss[] = "boss@acme.test";
static char partner[] = "partner.test";

static EdgeLaneRule all[] = {
    {.id = 1, .of_server = FALSE, .pool = 11, .from = acme},
    {.id = 2, .of_server = TRUE, .pool = 12, .from = boss},
    {.id = 3, .of_server = FALSE, .smarthost = 13, .to = partner},
    {.id = 4, .of_server = TRUE, .pool = 14, .from = boss, .to = partner},
    {.id = 5, .of_server = FALSE, .pool = 15, .from = boss, .to = partner},
};

static void test_lane_choose_table(void **state)
{
    static const struct {
        guint rules; /* bit n: rule n + 1 is there */
        guint32 own_pool, own_smarthost;
        const char *from, *rcpt;
        guint32 rule, pool, smarthost;
    } cases[] = {
        {0, 0, 0, "x@acme.test", "y@ok.test", 0, 0, 0},
        {0, 7, 0, "x@acme.test", "y@ok.test", 0, 7, 0},
        {0, 7, 8, "x@acme.test", "y@ok.test", 0, 0, 8},
        {1, 7, 8, "x@acme.test", "y@ok.test", 1, 11, 0},
        {1, 7, 0, "X+tag@ACME.TEST", "y@ok.test", 1, 11, 0},
        {1, 7, 0, "x@other.test", "y@acme.test", 0, 7, 0},
        {2, 7, 0, "boss@other.test", "boss@acme.test", 0, 7, 0},
        {3, 7, 0, "boss@acme.test", "y@ok.test", 2, 12,
         0}, /* the server's goes first, though younger */
        {17, 7, 0, "boss@acme.test", "y@ok.test", 5, 15, 0},
        {10, 7, 0, "boss@acme.test", "y@ok.test", 4, 14, 0}, /* of the server's the newest */
        {31, 7, 0, "x@other.test", "y@partner.test", 4, 14, 0},
        {23, 7, 0, "x@other.test", "Y+z@Partner.Test", 5, 15, 0},
        {4, 7, 0, "x@other.test", "y@partner.test", 3, 0, 13},
        {31, 7, 0, "x@other.test", "y@sub.partner.test", 0, 7, 0},
        {31, 7, 0, NULL, "y@ok.test", 0, 7, 0},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        EdgeCredential credential = {.ip_pool = cases[i].own_pool,
                                     .smarthost = cases[i].own_smarthost};
        for (guint turned = 0; turned < 2; turned++) {
            g_autoptr(GPtrArray) rules = g_ptr_array_new();
            g_autoptr(GPtrArray) from = g_ptr_array_new();
            for (guint r = 0; r < G_N_ELEMENTS(all); r++)
                if (cases[i].rules >> r & 1)
                    g_ptr_array_insert(rules, turned ? 0 : -1, &all[r]);
            g_ptr_array_add(from, (char[]){"z@nobody.test"});
            if (cases[i].from)
                g_ptr_array_add(from, (gpointer)(guintptr)cases[i].from);
            LaneChoice choice = lane_choose(rules, &credential, from, cases[i].rcpt);
            if (choice.rule != cases[i].rule || choice.pool != cases[i].pool ||
                choice.smarthost != cases[i].smarthost)
                fail_msg("case %u: rule %u, pool %u, smart host %u", i, choice.rule, choice.pool,
                         choice.smarthost);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lane_choose_table)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
