/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what the replica knows of ways out besides a pool's addresses: smart hosts, and the rules of an
 *     organization and its server; and of a pool without any.
 * Used by: the milter.
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
