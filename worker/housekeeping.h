/* SPDX-License-Identifier: MIT */
/*
 * Purpose: what has to be done once a day: partitions ahead; history, stored messages, old and retired keys, suppressions, tombstones
 *     and what nodes counted of limits, that are over their time.
 * Used by: the worker's main.
 * May touch: MariaDB (partitions, retention, event_rejected, limit_usage, limit_node, credential_secret, dkim_key, tombstone,
 *     what worker/suppressor.h says), <spool>/store.
 * Threads: one of its own, from start to stop.
 * Limits: runs at start and then daily; after a failure again in 5 s.
 */
#pragma once

#include "lib/config/config.h"

typedef struct Housekeeping Housekeeping;

/* Starts the thread; config must outlive it. */
Housekeeping *housekeeping_start(const Config *config);

/* Stops after the task at hand and frees; accepts NULL. */
void housekeeping_stop(Housekeeping *housekeeping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Housekeeping, housekeeping_stop)
