/* SPDX-License-Identifier: MIT */
#include "api/fate.h"

#include "tests/lib/testing.h"

#define SECOND  ((gint64)G_USEC_PER_SEC)
#define SETTLED (FATE_SETTLED_SECONDS * SECOND)
#define LAG     (FATE_LAG_SECONDS * SECOND)

static void test_fate_of_table(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        gint64 quiet, told;
        Fate fate;
    } cases[] = {
        /* History tells of it, however late or early. */
        {"Pending", 0, 3600 * SECOND, FATE_TAKEN},
        {"Held", 0, 0, FATE_TAKEN},
        {"SoftFail", 0, 0, FATE_TAKEN},
        {"Unknown", SETTLED, 0, FATE_TAKEN},
        {"HoldCancelled", 0, 0, FATE_TAKEN},
        {"Sent", SETTLED, 0, FATE_TAKEN},
        {"HardFail", 0, 0, FATE_TAKEN},
        {"Bounced", 0, 0, FATE_TAKEN},
        {"Aborted", 0, 3600 * SECOND, FATE_NOT_TAKEN},
        /* The milter took it, and Postfix may not have. */
        {"Accepting", 0, 0, FATE_OPEN},
        {"Accepting", SETTLED * 10, 0, FATE_OPEN},
        /* Nothing is told of it: only of what is over, and if everything has been told. */
        {NULL, SETTLED, LAG, FATE_NOT_TAKEN},
        {NULL, SETTLED, 0, FATE_NOT_TAKEN},
        {NULL, SETTLED - 1, 0, FATE_OPEN},
        {NULL, 0, 0, FATE_OPEN},
        {NULL, SETTLED, LAG + 1, FATE_OPEN},
        {NULL, SETTLED, G_MAXINT64, FATE_OPEN}, /* never told */
        {NULL, SETTLED, -1, FATE_OPEN},         /* the clock was set back */
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(fate_of(cases[i].status, cases[i].quiet, cases[i].told), cases[i].fate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fate_of_table)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
