/* SPDX-License-Identifier: MIT */
/* The windows against a plain list of times, with a clock that the test moves. OUTRIDER_TEST_SEED
 * repeats a run whose seed a failure has named. */
#include <stdlib.h>

#include "policyd/window.h"
#include "tests/lib/testing.h"

#define SECOND ((gint64)G_USEC_PER_SEC)
#define ROUNDS 200
#define STEPS  400

static const gint64 periods[] = {SECOND, 60 * SECOND, 3600 * SECOND, 86400 * SECOND};

static guint32 first_seed;

/* How many of the times lie in (from, to]. */
static guint between(const GArray *times, gint64 from, gint64 to)
{
    guint n = 0;

    for (guint i = 0; i < times->len; i++) {
        gint64 at = g_array_index(times, gint64, i);
        n += at > from && at <= to;
    }
    return n;
}

/* Moves the clock: bursts, pauses of slots, of periods, exactly a period. */
static gint64 next_step(GRand *random, gint64 period)
{
    switch (g_rand_int_range(random, 0, 8)) {
    case 0:
        return g_rand_int_range(random, 0, 3) * period;
    case 1:
        return (gint64)(g_rand_double(random) * 2 * (double)period);
    case 2:
        return period / WINDOW_SLOTS + g_rand_int_range(random, -1, 2);
    case 3:
    case 4:
        return (gint64)(g_rand_double(random) * (double)period / WINDOW_SLOTS);
    default:
        return g_rand_int_range(random, 0, 2);
    }
}

static void take_all(GRand *random, gint64 period, guint max, guint32 seed)
{
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(gint64));
    gint64 slot = (period + WINDOW_SLOTS - 1) / WINDOW_SLOTS;
    gint64 now = g_rand_int_range(random, 0, 1000000);
    Window window = {0};

    for (guint step = 0; step < STEPS; step++, now += next_step(random, period)) {
        guint64 count = window_count(&window, now, period);
        guint exact = between(times, now - period, now);
        guint widest = between(times, now - period - 2 * slot, now);
        if (count < exact || count > widest)
            fail_msg("seed %u, step %u: counted %u, were %u to %u", seed, step, (guint)count, exact,
                     widest);
        if ((window_wait(&window, now, period, max) == 0) != (count < max))
            fail_msg("seed %u, step %u: no room, or no wait", seed, step);
        if (count >= max)
            continue;
        window_add(&window, now, period, 1);
        g_array_append_val(times, now);
        if (between(times, now - period, now) > max)
            fail_msg("seed %u, step %u: more than %u in a period", seed, step, max);
    }
}

static void test_window_never_over_and_never_lost(void **state)
{
    (void)state;
    for (guint round = 0; round < ROUNDS; round++) {
        guint32 seed = first_seed + round;
        g_autoptr(GRand) random = g_rand_new_with_seed(seed);
        gint64 period = periods[round % G_N_ELEMENTS(periods)];
        take_all(random, period, (guint)g_rand_int_range(random, 1, 40), seed);
    }
}

/* Who waits as long as told finds room, and not a slot's length earlier. */
static void test_window_wait_is_enough(void **state)
{
    (void)state;
    for (guint round = 0; round < ROUNDS; round++) {
        guint32 seed = first_seed + round;
        g_autoptr(GRand) random = g_rand_new_with_seed(seed);
        gint64 period = periods[round % G_N_ELEMENTS(periods)];
        guint max = (guint)g_rand_int_range(random, 1, 20);
        Window window = {0};
        gint64 now = 12345;
        for (guint n = 0; n < 200; n++, now += next_step(random, period)) {
            gint64 wait = window_wait(&window, now, period, max);
            assert_true(wait >= 0);
            if (wait > 0) {
                assert_true(window_count(&window, now + wait - 1, period) >= max);
                now += wait;
            }
            assert_true(window_count(&window, now, period) < max);
            window_add(&window, now, period, 1);
        }
    }
}

static void test_window_full_again_after_idle(void **state)
{
    static const gint64 idle[] = {61, 62, 121, 6100, G_GINT64_CONSTANT(1) << 40};

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(idle); i++) {
        Window window = {0};
        for (guint n = 0; n < 61; n++)
            window_add(&window, n * SECOND, 60 * SECOND, 7);
        assert_int_equal(window_count(&window, 60 * SECOND, 60 * SECOND), 61 * 7);
        assert_int_equal(window_count(&window, (60 + idle[i]) * SECOND, 60 * SECOND), 0);
        window_add(&window, (60 + idle[i]) * SECOND, 60 * SECOND, 1);
        assert_int_equal(window_count(&window, (60 + idle[i]) * SECOND, 60 * SECOND), 1);
    }
}

static void test_window_clock_that_goes_back(void **state)
{
    Window window = {0};

    (void)state;
    window_add(&window, 7200 * SECOND, 60 * SECOND, 5);
    assert_int_equal(window_count(&window, 3600 * SECOND, 60 * SECOND), 5);
    window_add(&window, 3600 * SECOND, 60 * SECOND, 5);
    assert_int_equal(window_count(&window, 7200 * SECOND, 60 * SECOND), 10);
    assert_int_equal(window_count(&window, 7261 * SECOND, 60 * SECOND), 0);
}

static void test_window_give_back(void **state)
{
    Window window = {0};

    (void)state;
    gint64 slot = window_add(&window, 10 * SECOND, 60 * SECOND, 3);
    window_add(&window, 11 * SECOND, 60 * SECOND, 3);
    window_give_back(&window, slot, 1);
    assert_int_equal(window_count(&window, 11 * SECOND, 60 * SECOND), 5);
    window_give_back(&window, slot, 9); /* never below nothing */
    assert_int_equal(window_count(&window, 11 * SECOND, 60 * SECOND), 3);
    window_give_back(&window, slot + 1000, 1);
    window_give_back(&window, -1, 1);
    window_add(&window, (10 + 61) * SECOND, 60 * SECOND, 4); /* in the place of the first */
    window_give_back(&window, slot, 1);
    assert_int_equal(window_count(&window, 71 * SECOND, 60 * SECOND), 7);
}

static void test_window_limits(void **state)
{
    Window window = {0};

    (void)state;
    assert_int_equal(window_wait(&window, 0, SECOND, 0), -1);
    assert_int_equal(window_wait(&window, 0, SECOND, 1), 0);
    window_add(&window, 0, SECOND, G_MAXUINT32);
    window_add(&window, 0, SECOND, G_MAXUINT32);
    assert_int_equal(window_count(&window, 0, SECOND), G_MAXUINT32);
    window_add(&window, SECOND / 2, SECOND, G_MAXUINT32);
    assert_int_equal(window_count(&window, SECOND / 2, SECOND), 2 * (guint64)G_MAXUINT32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window_never_over_and_never_lost),
        cmocka_unit_test(test_window_wait_is_enough),
        cmocka_unit_test(test_window_full_again_after_idle),
        cmocka_unit_test(test_window_clock_that_goes_back),
        cmocka_unit_test(test_window_give_back),
        cmocka_unit_test(test_window_limits),
    };
    const char *seed = getenv("OUTRIDER_TEST_SEED");

    first_seed = seed ? (guint32)g_ascii_strtoull(seed, NULL, 10) : g_random_int();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
