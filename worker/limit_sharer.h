/* SPDX-License-Identifier: MIT */
/*
 * Purpose: takes what this node's policyd counts of limits to the other nodes, and what they count to policyd, each
 *     second: so all of them judge by the sum.
 * Used by: the worker's main.
 * May touch: MariaDB (limit_usage, limit_node; rate_limit, read), policyd's socket `limit'.
 * Threads: one of its own, from start to stop.
 * Limits: while no other node was seen within LIMIT_SHARER_GONE_S nothing is written but this node's own row, every
 *     LIMIT_SHARER_SEEN_S. While MariaDB or policyd is away each node counts for itself; what is
 *     exchanged says all there is, so afterwards they agree again.
 */
#pragma once

#include "lib/config/config.h"

#define LIMIT_SHARER_SEEN_S 20
#define LIMIT_SHARER_GONE_S 60

typedef struct LimitSharer LimitSharer;

/* Starts the thread. config must outlive it. */
LimitSharer *limit_sharer_start(const Config *config);

/* Stops after the round at hand and frees; accepts NULL. */
void limit_sharer_stop(LimitSharer *sharer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LimitSharer, limit_sharer_stop)

/* A sharer without a thread, and one round of it. */
LimitSharer *limit_sharer_new(const Config *config);
gboolean limit_sharer_round(LimitSharer *sharer, GError **error);
