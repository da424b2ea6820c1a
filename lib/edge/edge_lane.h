/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what the replica knows of ways out besides a pool's addresses: smart hosts, and the rules of an
 *     organization and its server.
 * Used by: the milter.
 * May touch: <edge_dir>/edge.4.db, read-only.
 * Threads: any, as edge.h.
 */
#pragma once

#include "lib/edge/edge.h"

typedef struct {
    guint32 id;
    gboolean of_server; /* else of the whole organization */
    guint32 pool;       /* 0: it names a smart host */
    guint32 smarthost;
    char *from; /* conditions (lib/base/condition.h); NULL: none */
    char *to;
} EdgeLaneRule;

/* GPtrArray of EdgeLaneRule that frees them, in any order: the server's and its organization's. UNAVAILABLE. */
GPtrArray *edge_lane_rules(Edge *edge, guint32 server, guint32 organization, GError **error);

/* GArray of one EdgeLane (cleared on unref) of a smart host; smarthost 0: the default one. Empty when there is none. */
GArray *edge_smarthost(Edge *edge, guint32 smarthost, GError **error);
