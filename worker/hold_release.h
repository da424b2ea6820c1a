/* SPDX-License-Identifier: MIT */
/*
 * Purpose: lets held mail go whose reason has passed: server by server, oldest first.
 *     policyd charges ─▶ outrider-queue releases ─▶ the charge stays; of what is not released it goes back
 * Used by: the worker's hold keeper.
 * May touch: MariaDB (read), policyd's socket `limit', outrider-queue's socket.
 * Threads: one.
 * Limits: HOLD_RELEASE_BATCH messages are looked at together.
 */
#pragma once

#include <stdatomic.h>

#include "lib/sql/sql.h"
#include "worker/hold_queue.h"

#define HOLD_RELEASE_BATCH 200

typedef struct {
    const Config *config;
    Sql *sql;
    HoldQueue *queue;
    const _Atomic gboolean *stop; /* ends after the batch at hand */
    guint released;               /* messages */
} HoldRelease;

/* Releases what is held by a rule and has room in every limit. FALSE: what was released before counts. */
gboolean hold_release_rule(HoldRelease *release, const char *rule, GError **error);
