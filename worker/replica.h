/* SPDX-License-Identifier: MIT */
/*
 * Purpose: brings one edge replica up to a revision of the directory, in one write transaction.
 * Used by: edge_writer; suppression_writer for its pages; housekeeping.
 * May touch: MariaDB (read; tombstones that are old), one file of edge_dir (write).
 * Threads: the caller's.
 */
#pragma once

#include "lib/edge/edge_schema.h"
#include "lib/sql/sql.h"

/* Where the directory stands. */
typedef struct {
    gint64 epoch;
    gint64 revision;
    gint64 tombstone_floor; /* tombstones up to this revision may be gone */
} DirectoryState;

/* How a replica at (epoch, revision) gets to a state; complete is FALSE before its first fill. */
typedef enum { REPLICA_CURRENT, REPLICA_BEHIND, REPLICA_REBUILD } ReplicaNeed;
ReplicaNeed replica_need(gboolean complete, gint64 epoch, gint64 revision,
                         const DirectoryState *state);

/* A replica that is behind by more is made anew. */
#define REPLICA_TOMBSTONE_DAYS 7

/* Drops the directory's tombstones that are older than that. now: Unix seconds. */
gboolean replica_tombstones_expire(Sql *sql, gint64 now, GError **error);

/* Opens a replica for writing, for its group to read. */
sqlite3 *replica_open(const char *edge_dir, EdgeFile file, GError **error);

/* Reads where the directory stands; statement: SQL_EDGE_STATE, or another with the same columns. */
gboolean replica_directory_state(Sql *sql, SqlStatement statement, DirectoryState *state,
                                 GError **error);

/* The last of the rows that were copied; rows 0: none were. */
typedef struct {
    guint rows;
    guint64 id;
    guint64 revision;
} ReplicaPage;

/* Copies the rows of a statement, whose columns are those of the table and then revision, within the caller's
 * transaction. */
gboolean replica_copy_page(sqlite3 *db, Sql *sql, const EdgeTable *table, SqlStatement rows,
                           const SqlParameter *range, guint n, ReplicaPage *page, GError **error);

/* Does what replica_need says: copies changed rows and deletions, or everything. Readers see all of
 * it at once. On failure the replica stays as it was. changed receives whether anything was written. */
gboolean replica_update(sqlite3 *db, EdgeFile file, Sql *sql, const DirectoryState *state,
                        gboolean *changed, GError **error);
