/* SPDX-License-Identifier: MIT */
#include "tests/lib/testing.h"
#include "worker/hold_memo.h"

static void test_hold_memo_full_each_subject(void **state)
{
    const HeldMail first = {
        .organization = 1, .server = 2, .credential = 3, .domain = (char[]){"ok.test"}};
    const struct {
        HeldMail mail;
        gboolean full[LIMIT_SUBJECT_COUNT]; /* when a limit on that subject of the first is */
    } cases[] = {
        {{.organization = 1, .server = 2, .credential = 3, .domain = (char[]){"ok.test"}},
         {TRUE, TRUE, TRUE, TRUE, FALSE}},
        {{.organization = 1, .server = 2, .credential = 4, .domain = (char[]){"other.test"}},
         {TRUE, TRUE, FALSE, FALSE, FALSE}},
        {{.organization = 1, .server = 9, .credential = 9}, {TRUE, FALSE, FALSE, FALSE, FALSE}},
        {{.organization = 9, .server = 9, .credential = 9, .domain = (char[]){"ok.test"}},
         {FALSE, FALSE, FALSE, TRUE, FALSE}},
        {{.organization = 2, .server = 3, .credential = 1}, {FALSE, FALSE, FALSE, FALSE, FALSE}},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        for (guint subject = 0; subject < LIMIT_SUBJECT_COUNT; subject++) {
            g_autoptr(HoldMemo) memo = hold_memo_new();
            assert_false(hold_memo_is_full(memo, &cases[i].mail));
            hold_memo_full(memo, &first, subject);
            if (hold_memo_is_full(memo, &cases[i].mail) != cases[i].full[subject])
                fail_msg("case %u, %s", i, limit_subject_word(subject));
            gboolean of_server = subject == LIMIT_ORGANIZATION || subject == LIMIT_SERVER;
            if (hold_memo_is_server_full(memo, &cases[i].mail) !=
                (of_server && cases[i].full[subject]))
                fail_msg("case %u, %s, whole server", i, limit_subject_word(subject));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hold_memo_full_each_subject)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
