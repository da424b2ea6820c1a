/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>

#include "tests/lib/testing.h"
#include "worker/rounds.h"

#define LONG_MS  (G_GINT64_CONSTANT(3600) * 1000)
#define PATIENCE 3000 /* times 10 ms */

typedef struct {
    Rounds *rounds;
    _Atomic guint done;
    _Atomic gboolean fail;
    _Atomic guint stopped_inside;
} Work;

static gboolean count(gpointer data)
{
    Work *work = data;

    work->done++;
    return !work->fail;
}

static void await(const _Atomic guint *number, guint wanted)
{
    for (guint i = 0; i < PATIENCE && *number < wanted; i++)
        g_usleep(10000);
    assert_true(*number >= wanted);
}

static void test_rounds_pause_is_for_what_came_of_the_last(void **state)
{
    static const struct {
        RoundsKind kind;
        gboolean fail;
        gboolean again; /* more than one round */
    } cases[] = {
        {{.interval_ms = 1, .retry_ms = LONG_MS, .retry_max_ms = LONG_MS}, FALSE, TRUE},
        {{.interval_ms = LONG_MS, .retry_ms = 1, .retry_max_ms = 2}, FALSE, FALSE},
        {{.interval_ms = LONG_MS, .retry_ms = 1, .retry_max_ms = 2}, TRUE, TRUE},
        {{.interval_ms = 1, .retry_ms = LONG_MS, .retry_max_ms = LONG_MS}, TRUE, FALSE},
    };

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        RoundsKind kind = cases[i].kind;
        Work work = {.fail = cases[i].fail};
        kind.name = "count";
        kind.run = count;
        work.rounds = rounds_new(&kind, &work);
        assert_int_equal(work.done, 0);
        rounds_start(work.rounds);
        await(&work.done, cases[i].again ? 20 : 1);
        rounds_stop(work.rounds);
        if (!cases[i].again)
            assert_int_equal(work.done, 1);
    }
}

/* Neither a pause nor one within a round keeps it from stopping. */
static gboolean wait_long(gpointer data)
{
    Work *work = data;

    assert_false(*rounds_stopping(work->rounds));
    work->done++;
    gboolean go_on = rounds_wait(work->rounds, LONG_MS);
    work->stopped_inside = !go_on && *rounds_stopping(work->rounds);
    return TRUE;
}

static void test_rounds_stop_ends_waiting(void **state)
{
    const RoundsKind later = {.name = "later", .first_ms = LONG_MS, .run = count};
    const RoundsKind inside = {.name = "inside", .interval_ms = 1, .run = wait_long};
    Work work = {0};

    (void)state;
    rounds_stop(NULL);
    rounds_stop(rounds_new(&later, &work));
    Rounds *waiting = rounds_new(&later, &work);
    rounds_start(waiting);
    rounds_stop(waiting);
    assert_int_equal(work.done, 0);
    work.rounds = rounds_new(&inside, &work);
    rounds_start(work.rounds);
    await(&work.done, 1);
    rounds_stop(work.rounds);
    assert_int_equal(work.done, 1);
    assert_int_equal(work.stopped_inside, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds_pause_is_for_what_came_of_the_last),
        cmocka_unit_test(test_rounds_stop_ends_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
