/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "tests/lib/testing.h"
#include "lib/wire/queue_pace.h"

#define ACTIVE_MAX 20000
#define BEGIN      (G_TIME_SPAN_HOUR)

/* Those from number on wait. */
static gboolean waits_from(const char *id, gpointer data)
{
    return g_ascii_strtoull(id, NULL, 16) >= GPOINTER_TO_UINT(data);
}

static void test_queue_pace_room_each_case(void **state)
{
    static const struct {
        const char *name;
        guint released, tried; /* the oldest of them */
        guint active, active_max;
        gint64 later_us;
        guint room;
    } cases[] = {
        {"none", 0, 0, 0, ACTIVE_MAX, 0, QUEUE_PACE_MAX},
        {"one waits", 1, 0, 1, ACTIVE_MAX, 0, QUEUE_PACE_MAX - 1},
        {"one was tried", 1, 1, 0, ACTIVE_MAX, 0, QUEUE_PACE_MAX},
        {"all but one", QUEUE_PACE_MAX - 1, 0, 0, ACTIVE_MAX, 0, 1},
        {"all", QUEUE_PACE_MAX, 0, 0, ACTIVE_MAX, 0, 0},
        {"more than all", QUEUE_PACE_MAX + 7, 0, 0, ACTIVE_MAX, 0, 0},
        {"some were tried", QUEUE_PACE_MAX, 200, 300, ACTIVE_MAX, 0, 200},
        {"not long enough", QUEUE_PACE_MAX, 0, 0, ACTIVE_MAX, QUEUE_PACE_US - 1, 0},
        {"for long", QUEUE_PACE_MAX, 0, 0, ACTIVE_MAX, QUEUE_PACE_US, QUEUE_PACE_MAX},
        {"the active queue nearly half full", 0, 0, ACTIVE_MAX / 2 - 1, ACTIVE_MAX, 0,
         QUEUE_PACE_MAX},
        {"half full", 0, 0, ACTIVE_MAX / 2, ACTIVE_MAX, 0, 0},
        {"half full, and all were tried", QUEUE_PACE_MAX, QUEUE_PACE_MAX, ACTIVE_MAX, ACTIVE_MAX, 0,
         0},
        {"a small one", 0, 0, 5, 10, 0, 0},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(QueuePace) pace = queue_pace_new();
        for (guint n = 0; n < cases[i].released; n++) {
            char id[QUEUE_ID_MAX + 1];
            g_snprintf(id, sizeof id, "%08X", n);
            queue_pace_note(pace, id, BEGIN);
        }
        guint room =
            queue_pace_room(pace, waits_from, GUINT_TO_POINTER(cases[i].tried), cases[i].active,
                            cases[i].active_max, BEGIN + cases[i].later_us);
        if (room != cases[i].room)
            fail_msg("%s: %u", cases[i].name, room);
    }
}

static gboolean never(G_GNUC_UNUSED const char *id, G_GNUC_UNUSED gpointer data)
{
    return FALSE;
}

static void test_queue_pace_room_forgets_what_was_tried(void **state)
{
    g_autoptr(QueuePace) pace = queue_pace_new();

    (void)state;
    for (guint i = 0; i < QUEUE_PACE_MAX; i++)
        queue_pace_note(pace, "51FC7A9A54A", BEGIN);
    assert_int_equal(queue_pace_room(pace, waits_from, NULL, 0, ACTIVE_MAX, BEGIN), 0);
    assert_int_equal(queue_pace_room(pace, never, NULL, 0, ACTIVE_MAX, BEGIN), QUEUE_PACE_MAX);
    /* Put off and due again, it is Postfix's matter. */
    assert_int_equal(queue_pace_room(pace, waits_from, NULL, 0, ACTIVE_MAX, BEGIN), QUEUE_PACE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_pace_room_each_case),
        cmocka_unit_test(test_queue_pace_room_forgets_what_was_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
