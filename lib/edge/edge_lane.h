/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what the replica knows of ways out besides a pool's addresses: smart hosts, and the rules of an
 *     organization and its server; of a pool without any; and of all there are and were.
 * Used by: the milter; the worker.
 * May touch: <edge_dir>/edge.5.db, read-only.
 * Threads: any, as edge.h.
 */
#pragma once

#include "lib/edge/edge.h"

typedef struct {
    guint32 id;         /* 0: none */
    gboolean of_server; /* else of the whole organization */
    guint32 pool;       /* 0: it names a smart host */
    guint32 smarthost;
} EdgeLaneRule;

/* The first rule that holds, or none: the server's are asked before the organization's, the newest first. One holds
 * when one of its conditions (lib/base/condition.h) does: those on From for any of these (of text), those on
 * the recipient for rcpt. A few look-ups for each address, however many rules there are. UNAVAILABLE. */
gboolean edge_lane_rule(Edge *edge, const EdgeCredential *credential, const GPtrArray *from,
                        const char *rcpt, EdgeLaneRule *rule, GError **error);

/* Whether mail of a pool (0: the default pool) waits where no address of it takes any; *name then receives the
 * pool's (g_free), else NULL. FALSE: UNAVAILABLE, and *name is untouched. */
gboolean edge_pool_that_defers(Edge *edge, guint32 pool, char **name, GError **error);

/* GArray of one EdgeLane (cleared on unref) of a smart host; smarthost 0: the default one. Empty when there is none. */
GArray *edge_smarthost(Edge *edge, guint32 smarthost, GError **error);

/* A lane as this node has it, that of an address or of a smart host. */
typedef struct {
    guint32 lane;
    guint32 pool; /* of an address, also when it is gone; 0: a smart host */
    guint32 weight;
    gboolean is_default; /* it is in the default pool, or the default smart host */
    gboolean gone;
    gboolean served; /* this node has the transport */
    char *next_hop;  /* of a smart host that is there */
    gboolean defer;  /* its pool's mail waits where no address takes any */
} EdgeLaneState;

void edge_lane_state_clear(EdgeLaneState *state);

/* GArray of EdgeLaneState (cleared on unref), by lane number: those that are there, and those that went after a time (Unix
 * seconds). served: as lane_served_now gives them. UNAVAILABLE. */
GArray *edge_lane_states(Edge *edge, const GArray *served, gint64 gone_after, GError **error);
