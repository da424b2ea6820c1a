/* SPDX-License-Identifier: MIT */
/*
 * Purpose: turns journal events into history rows. Applying is idempotent and order-free: any
 *     permutation and repetition of a message's events gives the same rows.
 * Used by: the journal applier; its tests.
 * May touch: the history tables, those of suppressions (worker/suppressor.h), credential.last_used_at, journal_position, event_rejected.
 * Threads: one connection per thread.
 * Limits: free text is cut to its column's width; anything else that MariaDB refuses is kept in
 *     event_rejected with its bytes and a reason.
 */
#pragma once

#include "lib/sql/sql.h"

/* Whose journal the events come from. */
typedef struct {
    guint node;
    const char *program;
    const char *epoch;
    guint suppression_days; /* as worker/suppressor.h; 0: events suppress nobody */
} EventSource;

typedef struct {
    guint64 seq;
    gint64 at_us;
    guint16 type;
    const char *json;
    gsize length;
} Event;

/* Applies events and advances the position to the last one, in one transaction. rejected receives
 * how many went to event_rejected. n is at least 1. Errors are the database's; nothing is then done,
 * and the same events may be given again. */
gboolean event_apply_batch(Sql *sql, const EventSource *source, const Event *events, guint n,
                           guint *rejected, GError **error);

/* How far a journal has been applied; 0: nothing yet. */
gboolean event_position(Sql *sql, const EventSource *source, guint64 *seq, GError **error);
