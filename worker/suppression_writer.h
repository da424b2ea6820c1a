/* SPDX-License-Identifier: MIT */
/*
 * Purpose: keeps the replica of suppressions within about a second of the directory, or, when a great many change, as
 *     near as it can be copied.
 * Used by: the worker's main.
 * May touch: MariaDB (read), <edge_dir>/edge-suppression.5.db.
 * Threads: one of its own, from start to stop: no other replica waits for this one.
 * Limits: a transaction takes SUPPRESSION_WRITER_PAGE rows, so readers see a part of a large change before the whole.
 *     What is rebuilt goes on answering as before, row by row; only a first fill is not answered from. While the
 *     database is away as edge_writer.h.
 */
#pragma once

#include "lib/config/config.h"

#define SUPPRESSION_WRITER_PAGE 20000

typedef struct SuppressionWriter SuppressionWriter;

/* A writer without a thread, for suppression_writer_round. config must outlive it. */
SuppressionWriter *suppression_writer_new(const Config *config);
SuppressionWriter *suppression_writer_start(const Config *config);

/* Stops after the page at hand and frees; accepts NULL. */
void suppression_writer_stop(SuppressionWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SuppressionWriter, suppression_writer_stop)

/* Brings the replica up to date. changed receives whether it was written. */
gboolean suppression_writer_round(SuppressionWriter *writer, gboolean *changed, GError **error);
