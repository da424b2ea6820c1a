/* SPDX-License-Identifier: MIT */
/*
 * Purpose: the writer's side of the replicas: making the files, and the statements that follow from
 *     edge_table.def, so that the schema lives once. What edge_derived.def adds follows each write by itself.
 * Used by: the worker; tests. Mail-path programs read only (edge.h).
 * May touch: the files of edge_dir with their -wal and -shm.
 * Threads: one connection per thread.
 * Limits: waits at most 5 s for another writer's lock. -wal grows with one transaction (a rebuild is
 *     one) and is brought back below EDGE_WAL_MAX by edge_schema_trim.
 *
 * Besides the tables of edge_table.def each file has edge_state(id, epoch, revision) with no row or
 * one. The writer sets it in the transaction that completes the first fill and in every later one:
 * without that row readers answer UNAVAILABLE, so that a half-filled replica never refuses anybody
 * for good. Credentials are added to edge.5.db before edge-auth.5.db, and removed in reverse.
 */
#pragma once

#include <glib.h>
#include <sqlite3.h>
#include <sys/types.h>

#include "lib/edge/edge.h"

#define EDGE_WAL_MAX (1 << 20)

/* Opens one replica for writing and makes it when it does not exist: mode 0640 and the given group
 * ((gid_t)-1: as created) for the file, -wal and -shm; WAL that persists after closing; tables.
 * Close with sqlite3_close. Errors: IO, UNAVAILABLE (locked), CORRUPT (not a replica of EDGE_SCHEMA). */
sqlite3 *edge_schema_open(const char *edge_dir, EdgeFile file, gid_t group, GError **error);

/* The table of that name, or NULL. */
const EdgeTable *edge_schema_table(const char *name);

/* Names of a table's columns in order, "id" first. NULL-terminated; g_strfreev. */
char **edge_schema_columns(const EdgeTable *table);

/* "INSERT ... ON CONFLICT DO UPDATE" with one parameter per column, in that order; g_free. */
char *edge_schema_upsert(const EdgeTable *table);

/* Deletes every row and forgets the state; for a rebuild, inside the caller's transaction. */
gboolean edge_schema_empty(sqlite3 *db, EdgeFile file, GError **error);

/* What has been copied. FALSE without error: nothing complete yet; out parameters untouched. */
gboolean edge_schema_state(sqlite3 *db, gint64 *epoch, gint64 *revision, GError **error);
gboolean edge_schema_set_state(sqlite3 *db, gint64 epoch, gint64 revision, GError **error);

/* Postfix knows the way of return paths with that label below its domains, the first max of them: now mail may get such. */
gboolean edge_schema_open_returns(sqlite3 *db, const char *label, guint max, GError **error);

/* Moves what -wal holds into the file and empties it, when it has more than EDGE_WAL_MAX octets; to be
 * called now and then outside of a transaction. While a reader is in the way it stays as it is. */
gboolean edge_schema_trim(sqlite3 *db, GError **error);

/* Removes the replicas of elder schemas: they hold secrets, and nobody keeps them any more. */
void edge_schema_remove_elder(const char *edge_dir);

/* Runs statements without results. */
gboolean edge_schema_exec(sqlite3 *db, const char *sql, GError **error);
