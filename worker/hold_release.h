/* SPDX-License-Identifier: MIT */
/*
 * Purpose: lets held mail go whose reason has passed: server by server, oldest first.
 *     policyd charges ─▶ outrider-queue releases ─▶ the charge stays; of what is not released it goes back
 * Used by: the worker's hold keeper.
 * May touch: MariaDB (read), policyd's socket `limit', outrider-queue's socket.
 * Threads: one.
 * Limits: HOLD_RELEASE_BATCH messages are looked at together. A look ends after HOLD_RELEASE_US, or when
 *     outrider-queue had no room for a second; the next one goes on with the next server.
 */
#pragma once

#include <stdatomic.h>

#include "lib/sql/sql.h"
#include "worker/hold_queue.h"

#define HOLD_RELEASE_BATCH 200
#define HOLD_RELEASE_US    (5 * G_TIME_SPAN_SECOND)

/* One rule's, from look to look. */
typedef struct {
    const Config *config;
    HoldQueue *queue;
    const _Atomic gboolean *stop; /* ends after the batch at hand */
    const char *rule;
    guint32 server; /* that was looked at last; 0: none */
    guint released; /* messages, in the last look */
} HoldRelease;

/* Releases what is held by the rule and has room in every limit. FALSE: what was released before counts. */
gboolean hold_release_look(HoldRelease *release, Sql *sql, GError **error);
