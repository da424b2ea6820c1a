/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a thread that does the same thing again and again, with a pause between two rounds, and a longer
 *     one each time while they fail.
 * Used by: domain checker, edge writer, hold keeper, housekeeping, limit sharer and reconciler.
 * May touch: nothing.
 * Threads: one of its own, from start to stop.
 * Limits: a pause ends at once when it is to stop; a round only as soon as it looks at rounds_stopping.
 */
#pragma once

#include <glib.h>

typedef struct Rounds Rounds;

typedef struct {
    const char *name;               /* of the thread */
    gint64 first_ms;                /* pause before the first round */
    gint64 interval_ms;             /* and after each that went well */
    gint64 retry_ms;                /* after one that failed; twice as long after the next ... */
    gint64 retry_max_ms;            /* ... up to this */
    gboolean (*run)(gpointer data); /* one round; FALSE: it failed */
} RoundsKind;

/* A thread that does not run yet. kind is copied. */
Rounds *rounds_new(const RoundsKind *kind, gpointer data);
void rounds_start(Rounds *rounds);

/* Waits for the end of the round at hand and frees; accepts NULL, and what was never started. */
void rounds_stop(Rounds *rounds);

/* Within a round: TRUE as soon as it is to stop. */
const _Atomic gboolean *rounds_stopping(const Rounds *rounds);

/* Within a round: waits. FALSE: it is to stop. */
gboolean rounds_wait(Rounds *rounds, gint64 ms);
