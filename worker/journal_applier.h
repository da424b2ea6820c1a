/* SPDX-License-Identifier: MIT */
/*
 * Purpose: carries the journals of this node into MariaDB and drops what has been applied.
 * Used by: the worker's main.
 * May touch: MariaDB, <spool>/journal (reads; unlinks whole segments that were applied).
 * Threads: one of its own, from start to stop.
 * Limits: a batch is at most 500 events, 4 MB or 200 ms. While the database is away it asks again after
 *     250 ms, then twice as long each time up to 2 s; the journals grow meanwhile.
 */
#pragma once

#include "lib/sql/sql.h"

typedef struct JournalApplier JournalApplier;

/* One round over every journal with a connection of the caller's. keep (may be NULL) says up to which
 * sequence number a program's segments may be dropped, for another reader that is behind. applied
 * receives how many events went in. FALSE: the database or a journal failed; the round can be repeated. */
typedef guint64 (*JournalKeepFunc)(const char *program, gpointer data);
gboolean journal_applier_round(JournalApplier *applier, Sql *sql, guint64 *applied, GError **error);

/* An applier without a thread. config must outlive it. */
JournalApplier *journal_applier_new(const char *spool_dir, guint node, JournalKeepFunc keep,
                                    gpointer data);

/* When the newest round began that applied every journal to its end (monotonic); 0: none. From any thread. */
gint64 journal_applier_caught_up(const JournalApplier *applier);

/* Starts the thread, which opens its own connection. */
void journal_applier_start(JournalApplier *applier, const Config *config);

/* Stops after the batch at hand and frees; accepts NULL. */
void journal_applier_stop(JournalApplier *applier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JournalApplier, journal_applier_stop)
