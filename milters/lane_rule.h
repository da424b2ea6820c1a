/* SPDX-License-Identifier: MIT */
/*
 * Purpose: which pool or smart host a message takes: its server's and organization's rules, then what the server
 *     has, then the default.
 * Used by: lanes.
 * May touch: nothing.
 * Threads: any.
 *
 * A rule holds when one of its conditions does: those on From for any address in there, those on the recipient
 * for the envelope's. The server's rules are asked before the organization's, the newest first.
 */
#pragma once

#include "lib/edge/edge_lane.h"

typedef struct {
    guint32 rule; /* 0: none held */
    guint32 pool;
    guint32 smarthost; /* goes before the pool; both 0: the default */
} LaneChoice;

/* rules: of EdgeLaneRule, in any order; from: of text. */
LaneChoice lane_choose(const GPtrArray *rules, const EdgeCredential *credential,
                       const GPtrArray *from, const char *rcpt);
