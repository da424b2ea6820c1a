/* SPDX-License-Identifier: MIT */
/*
 * Purpose: keeps the edge replicas and lanes.regexp within about a second of the directory.
 * Used by: the worker's main.
 * May touch: MariaDB (read), edge_dir, <postfix_config_dir>/outrider/lanes.regexp.
 * Threads: one of its own, from start to stop.
 * Limits: while the database is away it asks again after 1 s, then 2, 4, 5 s; replicas stay as
 *     they are and the mail path goes on reading them.
 */
#pragma once

#include "lib/config/config.h"

typedef struct EdgeWriter EdgeWriter;

/* Starts the thread. config must outlive it. */
EdgeWriter *edge_writer_start(const Config *config);

/* Stops after the round at hand and frees; accepts NULL. */
void edge_writer_stop(EdgeWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EdgeWriter, edge_writer_stop)

/* One round with a connection of the caller's: brings every replica and lanes.regexp up to date.
 * changed receives whether a replica was written. */
gboolean edge_writer_round(EdgeWriter *writer, gboolean *changed, GError **error);

/* A writer without a thread, for edge_writer_round. */
EdgeWriter *edge_writer_new(const Config *config);
