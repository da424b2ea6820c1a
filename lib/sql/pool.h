/* SPDX-License-Identifier: MIT */
/*
 * Purpose: a few connections to MariaDB for many threads that only read, so that a database which is away or slow costs little.
 * Used by: apid.
 * May touch: MariaDB, by reading: the session is read-only and runs no other statements than those for API.
 * Threads: any; a connection belongs to one at a time.
 * Limits: as many connections as it was made for, opened when they are needed. Connecting, sending and each answer take 1 s at
 *     most, then it is UNAVAILABLE, and for SQL_POOL_REST_MS every call is at once; after that one looks while the others are told
 *     so still.
 */
#pragma once

#include "lib/sql/sql.h"

#define SQL_POOL_REST_MS 1000

typedef struct SqlPool SqlPool;

/* user and password_file: options of the account; the file is read for each connection. config must outlive it. Nothing is opened
 * yet. */
SqlPool *sql_pool_new(const Config *config, ConfigOption user, ConfigOption password_file,
                      guint connections);
/* When nobody uses it. NULL is good. */
void sql_pool_free(SqlPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SqlPool, sql_pool_free)

/* Reads with a connection. It may be called twice: a link that broke while it was idle is made anew. */
typedef gboolean (*SqlPoolFunc)(Sql *sql, gpointer data, GError **error);

/* What func returns. UNAVAILABLE as well: the database is away, or all connections are busy for longer than a call may take. */
gboolean sql_pool_run(SqlPool *pool, SqlPoolFunc func, gpointer data, GError **error);
