/* SPDX-License-Identifier: MIT */
#include "lib/directory/key_state.h"

#include "tests/lib/testing.h"

static void test_key_state_next(void **state)
{
    /* Columns: SHOWN, VANISHED, REPLACED, WITHDRAWN, KEPT. */
    static const struct {
        const char *from;
        const char *to[KEY_EVENT_COUNT];
    } cases[] = {
        {"new", {"active", "new", "gone", "gone", "new"}},
        {"active", {"active", "lost", "retired", "retired", "active"}},
        {"lost", {"active", "lost", "retired", "retired", "lost"}},
        {"retired", {"retired", "retired", "retired", "retired", "gone"}},
        {"gone", {"gone", "gone", "gone", "gone", "gone"}},
    };

    (void)state;
    assert_int_equal(G_N_ELEMENTS(cases), KEY_STATE_COUNT);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        for (guint event = 0; event < KEY_EVENT_COUNT; event++)
            assert_string_equal(
                key_state_word(key_state_next(key_state_read(cases[i].from), (KeyEvent)event)),
                cases[i].to[event]);
}

static void test_key_state_read_unknown(void **state)
{
    static const char *const cases[] = {"", "NEW", "new ", "signing", NULL};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(key_state_read(cases[i]), KEY_STATE_COUNT);
}

static void test_key_state_is_lost(void **state)
{
    static const gint64 hour = 3600, now = 1000000;
    static const struct {
        gint64 since, looks;
        gboolean lost;
    } cases[] = {
        {now - hour, 3, TRUE},       {now - hour, 255, TRUE}, {now - 30 * hour, 3, TRUE},
        {now - hour, 2, FALSE},      {now - hour, 0, FALSE},  {now - 30 * hour, 2, FALSE},
        {now - hour + 1, 3, FALSE},  {now, 255, FALSE},       {0, 3, FALSE},
        {now + 30 * hour, 3, FALSE}, /* the clock was set back */
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(key_state_is_lost(cases[i].since, cases[i].looks, now, hour),
                         cases[i].lost);
}

static void test_key_state_keep(void **state)
{
    static const gint64 day = 86400;

    (void)state;
    assert_int_equal(key_state_keep(5 * day * 1000, 1), 7 * day);
    assert_int_equal(key_state_keep(5 * day * 1000, 7), 13 * day);
    assert_int_equal(key_state_keep(60000, 1), 2 * day + 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_state_next),
        cmocka_unit_test(test_key_state_read_unknown),
        cmocka_unit_test(test_key_state_is_lost),
        cmocka_unit_test(test_key_state_keep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
