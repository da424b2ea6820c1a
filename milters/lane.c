/* SPDX-License-Identifier: MIT */
#include "milters/lane.h"

#include <math.h>

#include "lib/edge/edge.h"
#include "lib/seal/return_path.h"

/* The finisher of SplitMix64: every bit of the input moves half of the output. */
static guint64 mix(guint64 x)
{
    x ^= x >> 30;
    x *= G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* An exponential variate divided by the weight: the least wins with the weight's probability. */
static double cost(guint64 id, const EdgeLane *lane)
{
    guint64 hash = mix(mix(id + G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)) + lane->lane);
    double uniform = ((double)(hash >> 11) + 0.5) / 9007199254740992.0;

    return -log(uniform) / (double)lane->weight;
}

guint32 lane_pick(guint64 id, const GArray *lanes)
{
    guint32 best = 0;
    double least = 0;

    for (guint i = 0; i < lanes->len; i++) {
        const EdgeLane *lane = &g_array_index(lanes, EdgeLane, i);
        if (lane->weight == 0 || lane->lane == 0 || lane->lane > RETURN_PATH_LANE_MAX)
            continue;
        double now = cost(id, lane);
        if (best == 0 || now < least || (!(now > least) && lane->lane < best)) {
            best = lane->lane;
            least = now;
        }
    }
    return best;
}
