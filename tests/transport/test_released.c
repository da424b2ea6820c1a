/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "tests/lib/testing.h"
#include "transport/released.h"

#define ACTIVE_MAX 20000
#define BEGIN      (G_TIME_SPAN_HOUR)

/* Those from number on wait. */
static gboolean waits_from(const char *id, gpointer data)
{
    return g_ascii_strtoull(id, NULL, 16) >= GPOINTER_TO_UINT(data);
}

static void test_released_room_each_case(void **state)
{
    static const struct {
        const char *name;
        guint released, tried; /* the oldest of them */
        guint active, active_max;
        gint64 later_us;
        guint room;
    } cases[] = {
        {"none", 0, 0, 0, ACTIVE_MAX, 0, RELEASED_MAX},
        {"one waits", 1, 0, 1, ACTIVE_MAX, 0, RELEASED_MAX - 1},
        {"one was tried", 1, 1, 0, ACTIVE_MAX, 0, RELEASED_MAX},
        {"all but one", RELEASED_MAX - 1, 0, 0, ACTIVE_MAX, 0, 1},
        {"all", RELEASED_MAX, 0, 0, ACTIVE_MAX, 0, 0},
        {"more than all", RELEASED_MAX + 7, 0, 0, ACTIVE_MAX, 0, 0},
        {"some were tried", RELEASED_MAX, 200, 300, ACTIVE_MAX, 0, 200},
        {"not long enough", RELEASED_MAX, 0, 0, ACTIVE_MAX, RELEASED_US - 1, 0},
        {"for long", RELEASED_MAX, 0, 0, ACTIVE_MAX, RELEASED_US, RELEASED_MAX},
        {"the active queue nearly half full", 0, 0, ACTIVE_MAX / 2 - 1, ACTIVE_MAX, 0,
         RELEASED_MAX},
        {"half full", 0, 0, ACTIVE_MAX / 2, ACTIVE_MAX, 0, 0},
        {"half full, and all were tried", RELEASED_MAX, RELEASED_MAX, ACTIVE_MAX, ACTIVE_MAX, 0, 0},
        {"a small one", 0, 0, 5, 10, 0, 0},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Released) released = released_new();
        for (guint n = 0; n < cases[i].released; n++) {
            char id[QUEUE_ID_MAX + 1];
            g_snprintf(id, sizeof id, "%08X", n);
            released_add(released, id, BEGIN);
        }
        guint room = released_room(released, waits_from, GUINT_TO_POINTER(cases[i].tried),
                                   cases[i].active, cases[i].active_max, BEGIN + cases[i].later_us);
        if (room != cases[i].room)
            fail_msg("%s: %u", cases[i].name, room);
    }
}

static gboolean never(G_GNUC_UNUSED const char *id, G_GNUC_UNUSED gpointer data)
{
    return FALSE;
}

static void test_released_room_forgets_what_was_tried(void **state)
{
    g_autoptr(Released) released = released_new();

    (void)state;
    for (guint i = 0; i < RELEASED_MAX; i++)
        released_add(released, "51FC7A9A54A", BEGIN);
    assert_int_equal(released_room(released, waits_from, NULL, 0, ACTIVE_MAX, BEGIN), 0);
    assert_int_equal(released_room(released, never, NULL, 0, ACTIVE_MAX, BEGIN), RELEASED_MAX);
    /* Put off and due again, it is Postfix's matter. */
    assert_int_equal(released_room(released, waits_from, NULL, 0, ACTIVE_MAX, BEGIN), RELEASED_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_released_room_each_case),
        cmocka_unit_test(test_released_room_forgets_what_was_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
