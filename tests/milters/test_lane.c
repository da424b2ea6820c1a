/* SPDX-License-Identifier: MIT */
#include "lib/base/id.h"
#include "lib/edge/edge.h"
#include "milters/lane.h"
#include "tests/lib/testing.h"

typedef struct {
    guint32 lane, weight;
} Given;

static GArray *lanes_new(const Given *given, guint n)
{
    GArray *lanes = g_array_new(FALSE, TRUE, sizeof(EdgeLane));

    for (guint i = 0; i < n; i++) {
        EdgeLane lane = {.lane = given[i].lane, .weight = given[i].weight};
        g_array_append_val(lanes, lane);
    }
    return lanes;
}

/* Ids as they come: one sequence, the clock moving on now and then. */
static guint64 nth_id(guint n)
{
    guint64 seconds = 40000000 + n / 7;

    return seconds << ID_SECONDS_SHIFT | (guint64)(n % 7) << ID_NODE_BITS | 1;
}

static const Given three[] = {{8, 100}, {9, 100}, {12, 50}};
static const double shares[] = {0.4, 0.4, 0.2};

/* 13.816: chi-square with two degrees of freedom at p = 0.001. */
static void check_weights(guint ids)
{
    g_autoptr(GArray) lanes = lanes_new(three, 3);
    guint seen[3] = {0};
    double chi = 0;

    for (guint n = 0; n < ids; n++) {
        guint32 lane = lane_pick(nth_id(n), lanes);
        for (guint i = 0; i < 3; i++)
            seen[i] += lane == three[i].lane;
    }
    assert_int_equal(seen[0] + seen[1] + seen[2], ids);
    for (guint i = 0; i < 3; i++) {
        double expected = shares[i] * ids;
        chi += (seen[i] - expected) * (seen[i] - expected) / expected;
    }
    if (chi > 13.816)
        fail_msg("%u ids: chi-square %f (%u %u %u)", ids, chi, seen[0], seen[1], seen[2]);
}

static void test_lane_pick_follows_weights(void **state)
{
    (void)state;
    check_weights(2000);
    check_weights(20000);
}

static void test_lane_pick_removed_lane_moves_own_only(void **state)
{
    (void)state;
    g_autoptr(GArray) all = lanes_new(three, 3);
    g_autoptr(GArray) fewer = lanes_new(three + 1, 2);

    for (guint n = 0; n < 5000; n++) {
        guint32 before = lane_pick(nth_id(n), all);
        guint32 after = lane_pick(nth_id(n), fewer);
        if (before != 8)
            assert_int_equal(before, after);
        else
            assert_int_not_equal(after, 8);
    }
}

static void test_lane_pick_order_is_irrelevant(void **state)
{
    (void)state;
    static const Given turned[] = {{12, 50}, {8, 100}, {9, 100}};
    g_autoptr(GArray) one = lanes_new(three, 3);
    g_autoptr(GArray) other = lanes_new(turned, 3);

    for (guint n = 0; n < 5000; n++)
        assert_int_equal(lane_pick(nth_id(n), one), lane_pick(nth_id(n), other));
}

static void test_lane_pick_drained(void **state)
{
    (void)state;
    static const Given drained[] = {{8, 0}, {9, 1}, {70000, 100}, {0, 100}};
    g_autoptr(GArray) lanes = lanes_new(drained, 4);
    g_autoptr(GArray) none = lanes_new(drained, 1);
    g_autoptr(GArray) empty = lanes_new(drained, 0);

    for (guint n = 0; n < 1000; n++)
        assert_int_equal(lane_pick(nth_id(n), lanes), 9);
    assert_int_equal(lane_pick(1, none), 0);
    assert_int_equal(lane_pick(1, empty), 0);
}

/* Messages that wait keep their lane over upgrades: these values never change. */
static void test_lane_pick_stays(void **state)
{
    (void)state;
    g_autoptr(GArray) lanes = lanes_new(three, 3);
    guint32 picked[8];

    for (guint n = 0; n < 8; n++)
        picked[n] = lane_pick(nth_id(n * 1000), lanes);
    static const guint32 expected[] = {9, 12, 8, 8, 9, 8, 8, 9};
    for (guint n = 0; n < 8; n++)
        assert_int_equal(picked[n], expected[n]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lane_pick_follows_weights),
        cmocka_unit_test(test_lane_pick_removed_lane_moves_own_only),
        cmocka_unit_test(test_lane_pick_order_is_irrelevant),
        cmocka_unit_test(test_lane_pick_drained),
        cmocka_unit_test(test_lane_pick_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
