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

/* A machine with a clock of its own, what it counted, and what it knows of the other. */
typedef struct {
    gint64 clock; /* less the true time */
    Window own, other;
    GArray *times; /* true ones */
    guint seen;    /* of the other's */
} Node;

static guint64 combined(const Node *node, gint64 now, gint64 period)
{
    Window sum = node->own;

    window_merge(&sum, &node->other, now + node->clock, period);
    return window_count(&sum, now + node->clock, period);
}

/* Tells the other node what this one has; it was underway for lag, of which known is known. */
static void tell(const Node *from, Node *to, gint64 now, gint64 lag, gint64 known, gint64 period)
{
    UsageSlots slots;

    window_slots(&from->own, now - lag + from->clock, period, &slots);
    slots.age_us += known;
    window_set(&to->other, now + to->clock, period, &slots);
    to->seen = from->times->len;
}

static guint heard(const Node *of, guint seen, gint64 from, gint64 to)
{
    g_autoptr(GArray) known = g_array_new(FALSE, FALSE, sizeof(gint64));

    g_array_append_vals(known, of->times->data, seen);
    return between(known, from, to);
}

/* Never less than there were as far as is known, never what is long over; and while each hears of the other
 * at once, never more than allowed together. */
static void take_on_two(GRand *random, gint64 period, guint max, gboolean at_once, guint32 seed)
{
    gint64 slot = (period + WINDOW_SLOTS - 1) / WINDOW_SLOTS, now = 86400 * SECOND, lag = 0;
    Node nodes[2] = {{.clock = g_rand_int_range(random, 0, 1000000000)},
                     {.clock = g_rand_int_range(random, 0, 1000000000)}};

    for (guint i = 0; i < 2; i++)
        nodes[i].times = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint step = 0; step < STEPS; step++, now += next_step(random, period)) {
        Node *here = &nodes[g_rand_int_range(random, 0, 2)];
        Node *there = here == &nodes[0] ? &nodes[1] : &nodes[0];
        guint64 count = combined(here, now, period);
        guint exact =
            between(here->times, now - period, now) + heard(there, here->seen, now - period, now);
        guint widest = between(here->times, now - period - 2 * slot, now) +
                       heard(there, here->seen, now - period - 4 * slot - lag, now);
        if (count < exact || count > widest)
            fail_msg("seed %u, step %u: counted %u, were %u to %u", seed, step, (guint)count, exact,
                     widest);
        if (count < max) {
            window_add(&here->own, now + here->clock, period, 1);
            g_array_append_val(here->times, now);
        }
        guint both =
            between(here->times, now - period, now) + between(there->times, now - period, now);
        if (at_once && both > max)
            fail_msg("seed %u, step %u: more than %u in a period", seed, step, max);
        if (!at_once && g_rand_int_range(random, 0, 3) > 0)
            continue;
        gint64 underway = at_once ? 0 : g_rand_int_range(random, 0, 3 * G_USEC_PER_SEC);
        gint64 known = g_rand_int_range(random, 0, (gint32)underway + 1);
        lag = MAX(lag, underway);
        now += underway;
        tell(here, there, now, underway, known, period);
    }
    for (guint i = 0; i < 2; i++)
        g_array_unref(nodes[i].times);
}

static void test_window_of_two_nodes(void **state)
{
    (void)state;
    for (guint round = 0; round < ROUNDS; round++) {
        guint32 seed = first_seed + round;
        g_autoptr(GRand) random = g_rand_new_with_seed(seed);
        gint64 period = periods[round % G_N_ELEMENTS(periods)];
        guint max = (guint)g_rand_int_range(random, 1, 40);
        take_on_two(random, period, max, round % 3 == 0, seed);
    }
}

static void test_window_slots_and_back(void **state)
{
    const gint64 period = 60 * SECOND;
    Window window = {0}, again;
    UsageSlots slots;

    (void)state;
    window_slots(&window, 5 * SECOND, period, &slots);
    assert_int_equal(slots.n, 0);
    assert_int_equal(slots.age_us, 0);
    window_add(&window, 100 * SECOND, period, 3);
    window_add(&window, 102 * SECOND, period, 4);
    window_slots(&window, 102 * SECOND + 7, period, &slots);
    assert_int_equal(slots.age_us, 7);
    assert_int_equal(slots.n, 3);
    assert_int_equal(slots.counts[0], 4);
    assert_int_equal(slots.counts[1], 0);
    assert_int_equal(slots.counts[2], 3);
    window_set(&again, 102 * SECOND + 7, period, &slots);
    assert_int_equal(window_count(&again, 102 * SECOND + 7, period), 7);
    window_set(&again, 4 * SECOND, period, &slots); /* a clock that has just begun */
    assert_int_equal(window_count(&again, 4 * SECOND, period), 7);
    window_set(&again, SECOND, period, &slots); /* or did not run yet when they were counted */
    assert_int_equal(window_count(&again, SECOND, period), 7);
    slots.age_us = 60 * SECOND;
    window_set(&again, SECOND, period, &slots); /* too long ago for all but the newest */
    assert_int_equal(window_count(&again, SECOND, period), 4);
    window_slots(&window, 162 * SECOND, period, &slots);
    assert_int_equal(slots.n, 1); /* the elder has left */
    assert_int_equal(slots.age_us, 60 * SECOND);
    window_slots(&window, 163 * SECOND, period, &slots);
    assert_int_equal(slots.n, 0);
    window_slots(&window, 50 * SECOND, period, &slots); /* a clock that went back */
    assert_int_equal(slots.age_us, 0);
    assert_int_equal(slots.n, 3);
}

static void test_window_merge_limits(void **state)
{
    Window window = {0}, other = {0};

    (void)state;
    window_add(&window, 10 * SECOND, 60 * SECOND, G_MAXUINT32);
    window_add(&other, 10 * SECOND, 60 * SECOND, 5);
    window_merge(&window, &other, 10 * SECOND, 60 * SECOND);
    assert_int_equal(window_count(&window, 10 * SECOND, 60 * SECOND), G_MAXUINT32);
    /* The newer of the two keeps what the elder one still counts, and nothing else. */
    window_add(&other, 69 * SECOND, 60 * SECOND, 1);
    window_merge(&other, &window, 70 * SECOND, 60 * SECOND);
    assert_int_equal(window_count(&other, 70 * SECOND, 60 * SECOND), G_MAXUINT32 + (guint64)1);
    window_merge(&other, &window, 71 * SECOND, 60 * SECOND);
    assert_int_equal(window_count(&other, 71 * SECOND, 60 * SECOND), 1);
    assert_int_equal(window_wait(&other, 71 * SECOND, 60 * SECOND, 1), 59 * SECOND);
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
        cmocka_unit_test(test_window_of_two_nodes),
        cmocka_unit_test(test_window_slots_and_back),
        cmocka_unit_test(test_window_merge_limits),
    };
    const char *seed = getenv("OUTRIDER_TEST_SEED");

    first_seed = seed ? (guint32)g_ascii_strtoull(seed, NULL, 10) : g_random_int();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
